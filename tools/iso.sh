#!/bin/bash
# Makes an ISO that GRUB boots on a PC with a BIOS: nestbox.elf as L0 and what
# it runs as L1. Needs grub-pc-bin, grub-common, xorriso and mtools.
set -euo pipefail

usage() {
	cat <<-EOF
	usage: tools/iso.sh [--l0 WORDS] [--multiboot1] ISO NESTBOX-ELF
	                    L1 [WORDS [INITRD]]
	       tools/iso.sh --bare ISO PAYLOAD [WORDS]
	L1 is a Linux kernel or a multiboot ELF32; WORDS are its command line.
	A PAYLOAD is one that GRUB starts itself, by multiboot 1.
	  --l0 WORDS     options of nestbox.elf, such as com=com2
	  --multiboot1   load it by multiboot 1 (default: 2)
	EOF
}

die() {
	echo "iso.sh: $*" >&2
	exit 1
}

l0=
version=2
bare=
while [ $# -gt 0 ]; do
	case $1 in
	--l0) l0=${2?$(usage)}; shift 2 ;;
	--multiboot1) version=; shift ;;
	--bare) version="" bare=yes; shift ;;
	--help) usage; exit 0 ;;
	-*) usage >&2; exit 2 ;;
	*) break ;;
	esac
done
if [ -n "$bare" ] && [ $# -ge 2 ] && [ $# -le 3 ]; then
	set -- "$1" "$2" "" "${3:-}"
elif [ -n "$bare" ] || [ $# -lt 3 ] || [ $# -gt 5 ]; then
	usage >&2
	exit 2
fi
iso=$1 elf=$2 l1=$3 words=${4:-} initrd=${5:-}

for program in grub-mkrescue xorriso mformat; do
	command -v $program >/dev/null ||
		die "no $program: install grub-pc-bin grub-common" \
			"xorriso mtools"
done
for file in "$elf" ${l1:+"$l1"} ${initrd:+"$initrd"}; do
	[ -r "$file" ] || die "cannot read $file"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree # without the log: a file that grows spoils an ISO
mkdir -p "$tree/boot/grub"
cp "$elf" "$tree/boot/l0"

# The menu entry is the one that doc/booting.md shows.
entry() {
	echo "set timeout=0"
	echo 'menuentry "nestbox" {'
	echo "	multiboot$version /boot/l0 ${l1:+$l0}${bare:+$words}"
	if [ -n "$l1" ]; then
		cp "$l1" "$tree/boot/l1"
		echo "	module$version /boot/l1 /boot/l1 $words"
	fi
	if [ -n "$initrd" ]; then
		cp "$initrd" "$tree/boot/initrd"
		echo "	module$version /boot/initrd"
	fi
	echo "}"
}
entry >"$tree/boot/grub/grub.cfg"
rm -f "$iso" # xorriso would add to it
grub-mkrescue -d /usr/lib/grub/i386-pc -o "$iso" "$tree" >"$work/log" 2>&1 ||
	{ tail -n 3 "$work/log" >&2; die "grub-mkrescue failed"; }
