#!/bin/bash
# nestbox.elf from GRUB on a CD of a PC with a BIOS, by both multiboot versions.
# shellcheck source=test/tap.sh
. test/tap.sh
# shellcheck source=test/machine.sh
. test/machine.sh

# boot ISO: its COM1 to standard output, L0's messages to $tap_dir/l0.
boot() {
	emulator 60 -m 1G -cpu max -accel tcg,thread=single \
		-icount shift=0,sleep=off -serial "file:$tap_dir/l0" \
		-cdrom "$1" -device isa-debug-exit,iobase=0xf4,iosize=4
}

iso() {
	tools/iso.sh --l0 "com=com2 panic=reset" "$@"
}

can_make_iso || plan_skip "no grub-mkrescue or no xorriso"
for version in "" --multiboot1; do
	# shellcheck disable=SC2086 # nothing or one word
	iso $version "$tap_dir/iso" build/nestbox.elf \
		build/guest/test/exitcode.elf code=9
	status=0
	output=$(boot "$tap_dir/iso") || status=$?
	check_is "payload by GRUB ${version:---multiboot2}: exit code" \
		"$status" 19 # code << 1 | 1
	check_has "payload by GRUB ${version:---multiboot2}: output" \
		"$output" '^exit 9'
done
# Linux lands where GRUB has put its blocks and the root pointer's copy.
iso "$tap_dir/iso" build/nestbox.elf "$cache/images/vmlinux" \
	"console=ttyS0 panic=-1" "$cache/images/level.cpio"
check_has "vmlinux by GRUB: its init runs" "$(boot "$tap_dir/iso")" \
	'^@nestbox fail .*no tools image'
check_fails 2 "no ISO without L1" tools/iso.sh "$tap_dir/none" build/nestbox.elf
tap_end
