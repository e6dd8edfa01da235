#!/bin/bash
# Makes the outer emulator available: QEMU >= 8.1, whose software CPU repeats
# exactly with two CPUs. Called by `make images`. Needs apt and a network only
# if neither $NESTBOX_QEMU nor the system offers one; then it unpacks Debian's
# QEMU 10 into the cache folder, without root and without touching the
# system's packages or apt configuration. Leaves $CACHE/emulator: lines
# path=, version=, data= (folders for -L, comma separated), source=, and those
# of tools/svm-repair, which mends our copy: injection=, pdpte=, ignne=.
set -euo pipefail
# shellcheck source=tools/common.sh
. "$(dirname "$0")/common.sh" emulator

dir=$(cd "$(dirname "$0")" && pwd)
packages="qemu-system-x86 qemu-system-common qemu-system-data seabios"
release=bookworm-backports

usage() {
	cat <<-EOF
	usage: tools/emulator.sh [--force] [--help]
	Writes where the outer QEMU is to $cache/emulator.
	Taken in this order: \$NESTBOX_QEMU; a qemu-system-x86_64 >= 8.1 in
	PATH; Debian's QEMU 10 from $release, unpacked into the cache.
	  --force   look (and fetch) again
	EOF
}

# version_of PATH: QEMU's version, nothing if it does not start.
version_of() {
	"$1" --version 2>/dev/null |
		sed -n 's/^QEMU emulator version \([0-9.]*\).*/\1/p'
}

# usable VERSION: 8.1 or newer.
usable() {
	[ -n "$1" ] &&
		printf '8.1\n%s\n' "$1" | sort -V -C
}

# record PATH VERSION DATA SOURCE MENDS
record() {
	printf 'path=%s\nversion=%s\ndata=%s\nsource=%s\n%s\n' \
		"$@" 2>/dev/null >"$work/emulator" ||
		die "no space left in $cache"
	mv "$work/emulator" "$cache/emulator"
}

recorded() {
	sed -n "s/^$1=//p" "$cache/emulator" 2>/dev/null || true
}

# True if what an earlier run found is still there and still first choice.
up_to_date() {
	local path
	path=$(recorded path)
	[ -x "$path" ] && [ -n "$(recorded ignne)" ] || return 1
	case $(recorded source) in
	NESTBOX_QEMU) [ "${NESTBOX_QEMU:-}" = "$path" ] ;;
	system) [ -z "${NESTBOX_QEMU:-}" ] &&
		[ "$(version_of "$path")" = "$(recorded version)" ] ;;
	*) [ -z "${NESTBOX_QEMU:-}" ] ;;
	esac
}

from_environment() {
	local version
	[ -x "$NESTBOX_QEMU" ] ||
		die "NESTBOX_QEMU=$NESTBOX_QEMU is not a program"
	version=$(version_of "$NESTBOX_QEMU") || true
	[ -n "$version" ] || die "NESTBOX_QEMU=$NESTBOX_QEMU is not a QEMU"
	record "$NESTBOX_QEMU" "$version" "" NESTBOX_QEMU \
		"$(repair --look "$NESTBOX_QEMU")"
}

from_system() {
	local path version
	path=$(command -v qemu-system-x86_64) || return 1
	version=$(version_of "$path") || return 1
	usable "$version" || return 1
	"$path" --help | grep -q '^-plugin' || return 1
	record "$path" "$version" "" system "$(repair --look "$path")"
}

# What an earlier tools/svm-repair has mended need not be fetched again.
from_cache() {
	local path mends
	path=$(recorded path)
	[ "$(recorded source)" = "$release" ] && [ -x "$path" ] || return 1
	cp "$path" "$work/qemu"
	mends=$(repair "$work/qemu")
	mv "$work/qemu" "$path"
	record "$path" "$(recorded version)" "$(recorded data)" "$release" \
		"$mends"
}

prepare() {
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg options=
	[ ! -e $keyring ] || options=" signed-by=$keyring"
	private_sources <<<"deb [arch=amd64$options] $(mirror) $release main"
	mkdir -p "$work/debs" "$work/tree"
}

download() {
	cd "$work/debs"
	# shellcheck disable=SC2086 # a list of names
	private_apt download $packages
}

unpack() {
	local deb
	for deb in "$work"/debs/*.deb; do
		dpkg -x "$deb" "$work/tree"
	done
	rm -rf "$work"/tree/usr/share/{doc,man,icons}
}

check_starts() {
	local missing
	missing=$(ldd "$1" | awk '/not found/ { print $1 }' | sort -u | xargs)
	[ -z "$missing" ] || die "QEMU misses $missing" \
		"(tools/deps.sh --install has their packages)"
	[ -n "$(version_of "$1")" ] || die "the unpacked QEMU does not start"
}

# repair [--look] PATH: prints what became of it, or what it is.
repair() {
	"$dir/svm-repair" "$@" 2>>"$work/log" ||
		die "cannot mend ${!#}: $(tail -n 1 "$work/log")"
}

from_backports() {
	local version tree mends bin=usr/bin/qemu-system-x86_64
	need apt-get apt dpkg dpkg xz xz-utils
	cache_space 300
	prepare
	step "reading Debian's list of $release"
	logged "reading $release" private_apt update
	step "downloading QEMU 10 (13 MB)"
	logged "downloading QEMU" download
	version=$(basename "$work"/debs/qemu-system-x86_*.deb)
	version=${version#*%3a}
	version=${version%%[!0-9.]*}
	step "unpacking QEMU $version"
	logged "unpacking QEMU" unpack
	mends=$(repair "$work/tree/$bin")
	check_starts "$work/tree/$bin"
	step_end
	tree=$cache/qemu-$version
	rm -rf "$tree"
	mv "$work/tree" "$tree"
	record "$tree/$bin" "$version" \
		"$tree/usr/share/qemu,$tree/usr/share/seabios" "$release" \
		"$mends"
}

case ${1:-} in
'') ! up_to_date || exit 0 ;;
--force) ;;
--help) usage; exit 0 ;;
*) usage >&2; exit 2 ;;
esac

cache_open
if [ -n "${NESTBOX_QEMU:-}" ]; then
	from_environment
elif ! from_system && { [ "${1:-}" = --force ] || ! from_cache; }; then
	from_backports
fi
echo "emulator: QEMU $(recorded version) (injection $(recorded injection)," \
	"PDPTEs $(recorded pdpte), flags of two CPUs $(recorded ignne)):" \
	"$(recorded path)" >&2
