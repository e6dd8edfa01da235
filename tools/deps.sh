#!/bin/bash
# Knows every Debian 12 package that the project needs. Called by `make demo`
# and `make test` (--install), by people (--check, --list). --install needs
# root or sudo, installs only what is missing and is silent if nothing is.
set -euo pipefail

# Compilers and the libraries of the programs.
build="gcc make libc6-dev binutils libarchive-dev libinih-dev
	libjansson-dev liblzma-dev libxxhash-dev libzstd-dev zlib1g-dev"

# tools/emulator.sh and tools/image.sh.
images="mmdebstrap squashfs-tools cpio xz-utils debian-archive-keyring"

# A normal user (not root) also needs these for tools/image.sh.
unprivileged="uidmap fakechroot fakeroot"

# What the unpacked QEMU 10 is linked with, and its network boot ROMs.
emulator="ipxe-qemu libaio1 libbpf1 libcapstone4 libdaxctl1 libelf1 libfdt1
	libfuse3-3 libglib2.0-0 libgnutls30 libibverbs1 libjpeg62-turbo
	libndctl6 libnuma1 libpixman-1-0 libpmem1 libpng16-16 librdmacm1
	libsasl2-2 libseccomp2 libslirp0 libudev1 liburing2 libvdeplug2
	libzstd1 qemu-user"

# What is recorded as an example and in tests.
programs="redis-server redis-tools memcached sqlite3"

# make check, check-guest and check-long.
tests="libcmocka-dev libzydis-dev perl tmux jq grub-common grub-pc-bin
	xorriso mtools e2fsprogs fdisk bochs bochs-term bochsbios vgabios"

# make lint and make fuzz.
lint="clang clang-format clang-tidy libclang-rt-14-dev cppcheck shellcheck
	codespell"

usage() {
	cat <<-EOF
	usage: tools/deps.sh [--install | --check | --list]
	  --install  install the Debian packages that are missing
	  --check    name them and the command that installs them (the default)
	  --list     every package that the project uses
	EOF
}

all() {
	echo "$build $images $emulator $programs $tests $lint"
	[ "$(id -u)" = 0 ] || echo "$unprivileged"
}

list() {
	all | xargs -n 1
}

missing() {
	local have
	have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' |
		sed -n 's/^installed //p')
	list | sort -u | comm -23 - <(echo "$have" | sort -u)
}

# True on Debian and its relatives.
has_apt() {
	command -v apt-get >/dev/null && command -v dpkg-query >/dev/null
}

need_apt() {
	has_apt && return
	echo "deps: this is not Debian (no apt). What is needed, by its" \
		"Debian 12 names:" >&2
	list | xargs | fold -s -w 76 >&2
	exit 1
}

check() {
	local packages
	packages=$(missing | xargs)
	[ -n "$packages" ] || return 0
	echo "deps: missing packages: $packages" >&2
	echo "deps: to install them: tools/deps.sh --install" >&2
	return 1
}

apt() {
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		-o Dpkg::Use-Pty=0 "$@" >>"$log" 2>&1
}

failed() {
	echo " failed" >&2
	{ grep -E '^(E:|Err:|sudo:)' "$log" || cat "$log"; } | tail -n 3 >&2
	echo "deps: cannot install:" "$@" >&2
	exit 1
}

need_root() {
	echo "deps: run as root:" \
		"apt-get install --no-install-recommends $*" >&2
	exit 1
}

# An out-of-date package list shows as an error; then it is fetched and the
# installation tried once more.
install_missing() {
	local packages sudo=
	packages=$(missing | xargs)
	[ -n "$packages" ] || return 0
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || need_root "$packages"
		sudo=sudo
	fi
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	printf 'deps: installing %s Debian packages ...' \
		"$(echo "$packages" | wc -w)" >&2
	# shellcheck disable=SC2086 # a list of names
	set -- install --no-install-recommends $packages
	if ! apt "$@"; then
		apt update || true
		apt "$@" || failed "$packages"
	fi
	printf ' %d s\n' "$SECONDS" >&2
}

case ${1:---check} in
--install) need_apt; install_missing ;;
--check) need_apt; check ;;
--list) list ;;
--help) usage ;;
*) usage >&2; exit 2 ;;
esac
