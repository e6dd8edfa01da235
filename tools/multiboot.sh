#!/bin/bash
# Builds QEMU's own multiboot kernels from Debian's source package of the QEMU
# that the image has, to
#   $CACHE/multiboot/*.elf, *.bin    the kernels (test/e2e/multiboot.sh)
#   $CACHE/multiboot/modules.out     what one of them is to print
#   $CACHE/multiboot/module.txt      a module for them
#   $CACHE/multiboot/version         of that package
# Needs a network once, and half a minute. Called by test/e2e/multiboot.sh.
set -euo pipefail
top=$(realpath "$(dirname "$0")/..")
# shellcheck source=tools/common.sh
. "$top/tools/common.sh" multiboot

# 32-bit code as QEMU's Makefiles have it built. Not by them: today's linker
# refuses to take the script twice that theirs passes twice.
flags="-m32 -O0 -ffreestanding -fno-pic -fno-stack-protector
	-fcf-protection=none -Wa,--noexecstack"

usage() {
	cat <<-EOF
	usage: tools/multiboot.sh [--force] [--help]
	Builds QEMU's multiboot kernels to $cache/multiboot, if they are not
	there.
	  --force   build them again
	EOF
}

# The sources, and gcc's own library for 32 bits, which 64-bit divisions call.
# Nothing is installed; this system need not have a list of sources.
fetch() {
	cd "$work"
	private_sources <<-EOF
	deb $(mirror) bookworm main
	deb-src $(mirror) bookworm main
	EOF
	private_apt update
	private_apt source --download-only qemu
	private_apt download "lib32gcc-$(gcc -dumpversion)-dev"
}

unpack() {
	mkdir "$work/source"
	tar -x -C "$work/source" --strip-components=1 --wildcards \
		-f "$(echo "$work"/qemu_*.orig.tar.xz)" \
		'*/tests/multiboot/*' '*/tests/tcg/minilib/*' \
		'*/tests/tcg/i386/system/*' '*/tests/tcg/multiarch/system/*'
	dpkg-deb --fsys-tarfile "$work"/lib32gcc-*.deb |
		tar -x -O --wildcards '*/32/libgcc.a' >"$work/libgcc.a"
}

# compile FILE [FLAG...]: to an object of its name, here.
compile() {
	local file=$1 object
	object=$(basename "$file")
	shift
	# shellcheck disable=SC2086 # a list of flags
	gcc $flags "$@" -c -o "${object%.*}.o" "$file"
}

# link KERNEL SCRIPT OBJECT...
link() {
	local kernel=$1 script=$2
	shift 2
	ld -melf_i386 -T "$script" -o "$out/$kernel" "$@" "$work/libgcc.a"
}

# tests/multiboot: what a loader hands over, and headers that tell it where
# the file goes. One more ends with a code of its own.
build_multiboot() {
	local from=$work/source/tests/multiboot i
	for i in start.S libc.c mmap.c modules.c; do
		compile "$from/$i" -nostdinc
	done
	echo 'int test_main(void) { return 42; }' >code.c
	compile code.c
	for i in mmap modules code; do
		link $i.elf "$from/link.ld" start.o $i.o libc.o
	done
	for i in {1..9}; do
		compile "$from/aout_kludge.S" -DSCENARIO="$i"
		link "aout_kludge_$i.bin" "$from/link.ld" --oformat=binary \
			aout_kludge.o
	done
	cp "$from/modules.out" "$from/module.txt" "$out/"
}

# tests/tcg: loads and stores of all sizes, at all offsets, over pages.
build_memory() {
	local from=$work/source/tests/tcg i
	local arch=$from/i386/system
	for i in "$arch/boot.S" "$from/minilib/printf.c" \
		"$from/multiarch/system/memory.c"; do
		compile "$i" -I"$from/minilib" -DCHECK_UNALIGNED=1
	done
	link memory.elf "$arch/kernel.ld" boot.o memory.o printf.o
}

build() {
	mkdir "$work/objects"
	cd "$work/objects"
	build_multiboot
	build_memory
	sed -n 's/^Version: //p' "$work"/qemu_*.dsc | head -n 1 >"$out/version"
}

cache_options "$@"
id=$(sha256sum <"$top/tools/multiboot.sh")
! cache_has "$id" || exit 0
need apt-get apt dpkg-deb dpkg xz xz-utils gcc gcc ld binutils
cache_new "$id" 200
step "1/2 fetching QEMU's sources (36 MB)"
logged "fetching QEMU's sources" fetch
logged "unpacking QEMU's sources" unpack
step "2/2 building the kernels"
logged "building the kernels" build
cache_keep "$id"
