#!/bin/sh
# Records where the images' kernel handles its timer interrupt, so that the
# instrument can tell timer ticks: boots the kernel once and reads its symbols.
# Called by `make images`; needs the images and build/nestbox; leaves
# symbols.info in the cache folder, made for the image it names.
set -eu

usage="usage: tools/symbols.sh PATH-TO-NESTBOX"
case ${1:-} in
"") echo "$usage" >&2; exit 2 ;;
--help) echo "$usage"; exit 0 ;;
esac
nestbox=$1
cache=${NESTBOX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nestbox}
info=$cache/symbols.info
image=$(sed -n 's/^sha256=//p' "$cache/images/image.info")

grep -qs "^image=$image\$" "$info" && exit 0
printf 'symbols: booting the kernel once (about 15 s) ... '
tick=$("$nestbox" run --stack 0 --exact -- \
	sed -n 's/ T asm_sysvec_apic_timer_interrupt$//p' /proc/kallsyms \
	2>/dev/null)
case $tick in
ffffffff????????) ;;
*)
	echo "failed"
	echo "symbols.sh: no timer handler in /proc/kallsyms: '$tick'" >&2
	exit 1
	;;
esac
printf 'image=%s\ntick=%s\n' "$image" "$tick" >"$info.part"
mv "$info.part" "$info"
echo "done"
