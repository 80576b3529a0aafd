#!/usr/bin/env bash
# Runs README's commands on a bare Debian 12: a new root that has nothing but Debian's minimal base, make, certificates and this
# machine's Rust toolchain. What the project takes for granted and does not install is found here, and nowhere else.
#
#   deploy/bare.sh FOLDER [TARGET ...]     make the root in FOLDER, which must not be there; then `make TARGET` each (demo, test)
#
# Needs root, debootstrap (apt-get install debootstrap), the network, and some 15 GB. The root stays, to look into; delete it when
# you are done. Nothing that was started in it does: it runs in a process namespace of its own.
#
# BARE_FILES names further files to copy into it, at the same place: what this network asks for, settings of apt or pip.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly project
readonly data=${DATA_DIR:-$project/../shared/data}

fail() {
    echo "bare.sh: $*" >&2
    exit 1
}

(($# > 0)) || fail "usage: deploy/bare.sh FOLDER [TARGET ...]"
root=$(realpath --canonicalize-missing "$1")
shift
(($# > 0)) || set -- demo test
[[ $EUID -eq 0 ]] || fail "it must be root, to make a root"
[[ ! -e $root ]] || fail "$root is there already"
command -v debootstrap >/dev/null || fail "debootstrap is missing: apt-get install debootstrap"

debootstrap --variant=minbase --include=make,ca-certificates bookworm "$root" >"$root.log" 2>&1 ||
    fail "debootstrap failed, see $root.log"
cp --archive "$(rustc --print sysroot)" "$root/opt/rust"
for file in /etc/resolv.conf /etc/ssl/certs/ca-certificates.crt ${BARE_FILES-}; do
    install -D -m 644 "$file" "$root$file"
done

# The working tree as it is, without what git ignores.
mkdir -p "$root/concord/main"
(cd "$project" && git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- --ignore-failed-read) |
    tar --extract --no-same-owner --directory "$root/concord/main"
if [[ -d $data ]]; then
    mkdir -p "$root/concord/shared"
    cp --recursive "$data" "$root/concord/shared/data"
fi

echo "bare root in $root; it lacks, for example:$(for tool in kill ps git curl python3 psql gcc; do
    chroot "$root" sh -c "command -v $tool" 2>/dev/null | grep -q / || printf ' %s' "$tool"
done)"
for target; do
    echo "> make $target"
    # Its own processes and mounts, which end with it.
    unshare --mount --pid --fork --kill-child bash -euc '
        mount --rbind /dev "$1/dev"
        mount -t proc proc "$1/proc"
        mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm"
        exec env -i PATH=/opt/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
            chroot "$1" bash -c "cd /concord/main && time make \"\$1\"" make "$2"
    ' bare "$root" "$target"
done
