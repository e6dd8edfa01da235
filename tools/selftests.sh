#!/bin/bash
# Builds Linux's own tests of KVM from Debian's source package, of the version
# that the image's kernel has (else the one that Debian offers now), to
#   $CACHE/selftests/tests.img   squashfs: the programs, static and stripped
#   $CACHE/selftests/version     of that package
# Needs a network once, and a minute. Called by test/e2e/selftests.sh.
set -euo pipefail
top=$(realpath "$(dirname "$0")/..")
# shellcheck source=tools/common.sh
. "$top/tools/common.sh" selftests

# Static: a level has other libraries than this machine. dirty_log_test of
# 6.1.192 names a macro as later versions do, and steal_time.c lacks an include.
flags="-static -DTEST_ASSERT_EQ=ASSERT_EQ -include linux/stddef.h"

# What of the source the tests are built from: 5 MB of 1.3 GB.
sources="tools/testing/selftests/kvm tools/testing/selftests/rseq
	tools/testing/selftests/lib.mk tools/testing/selftests/kselftest.h
	tools/testing/selftests/kselftest_harness.h tools/include
	tools/arch/x86/include tools/build tools/scripts tools/lib/rbtree.c
	scripts/subarch.include"

usage() {
	cat <<-EOF
	usage: tools/selftests.sh [--force] [--help]
	Builds Linux's tests of KVM to $cache/selftests, if they are not there.
	  --force   build them again
	EOF
}

download() {
	apt-get -q -o APT::Sandbox::User=root download "$1"
}

# Debian's present version, if it no longer has the image's.
fetch() {
	cd "$work"
	download "linux-source-6.1=$version" || download linux-source-6.1
}

# Debian's package has one archive, of the folder linux-source-6.1.
unpack() {
	local names
	# shellcheck disable=SC2086 # a list of names
	names=$(printf 'linux-source-6.1/%s\n' $sources)
	mkdir "$work/source"
	# shellcheck disable=SC2086 # a list of names
	dpkg-deb --fsys-tarfile "$work"/linux-source-*.deb |
		tar -x -O ./usr/src/linux-source-6.1.tar.xz |
		tar -x -J -C "$work/source" --strip-components=1 $names
}

# The kernel's own headers are those of this machine's libc6-dev, 6.1 as well.
build() {
	make -j "$(nproc)" -C "$work/source/tools/testing/selftests/kvm" \
		OUTPUT="$work/tests" EXTRA_CFLAGS="$flags"
	rm -r "$work/tests/lib"
	find "$work/tests" -type f -exec strip {} +
}

pack() {
	mksquashfs "$work/tests" "$out/tests.img" -all-root -quiet \
		-no-progress
	dpkg-deb -f "$work"/linux-source-*.deb Version >"$out/version"
}

cache_options "$@"
version=$(sed -n 's/^kernel_package=//p' "$cache/images/image.info" \
	2>/dev/null) ||
	die "no images (run make images)"
id=$(cat "$top/tools/selftests.sh" - <<<"$version" | sha256sum)
! cache_has "$id" || exit 0
need apt-get apt dpkg-deb dpkg xz xz-utils make make gcc gcc \
	mksquashfs squashfs-tools
cache_new "$id" 400
mkdir "$work/tests"
step "1/3 fetching linux-source-6.1 $version (140 MB)"
logged "fetching linux-source-6.1 $version" fetch
step "2/3 unpacking the tests"
logged "unpacking the tests" unpack
step "3/3 building the tests"
logged "building the tests" build
logged "packing the tests" pack
cache_keep "$id"
