#!/bin/bash
# Debian's own kernels as L1 on nestbox.elf, as their packages have them: 64-bit
# and 32-bit PAE, with memory on both sides of 4 GiB, from QEMU's -kernel and
# by GRUB from a CD.
# shellcheck source=test/tap.sh
. test/tap.sh
# shellcheck source=test/machine.sh
. test/machine.sh

words="console=ttyS0 panic=-1"

# boot NAME CPUS ARGUMENT...: a machine whose L1 is $flavour.
boot() {
	local name="$flavour $1, $2 CPUs" cpus=$2 status=0 output
	shift 2
	output=$(emulator 200 -m 6G -smp "$cpus" -cpu max \
		-accel tcg,thread=single "$@") || status=$?
	check_is "$name: status" "$status" 0
	check_has "$name: L1 is this kernel" "$output" \
		"^Linux .*-$flavour .* $machine GNU/Linux"
	check_has "$name: with its memory" "$output" \
		'^MemTotal: +(5[89]|6[01])[0-9]{5} kB'
	check_has "$name: with its CPUs" "$output" \
		"Total of $cpus processors activated"
	check_has "$name: L0 is below it" "$output" \
		'^nestbox: L1 switches off; [0-9]+ pages free'
}

# kernel FLAVOUR MACHINE
kernel() {
	local folder=$cache/kernels/$1 cpus
	flavour=$1 machine=$2
	for cpus in 1 2 4; do
		boot "by -kernel" $cpus -kernel build/nestbox.elf \
			-initrd "$folder/vmlinuz $words,$folder/initrd"
	done
	if ! can_make_iso; then
		skip "$flavour from a CD" "no grub-mkrescue or no xorriso"
		return
	fi
	check "an ISO with $flavour" tools/iso.sh "$tap_dir/iso" \
		build/nestbox.elf "$folder/vmlinuz" "$words" "$folder/initrd"
	for cpus in 1 2 4; do
		boot "from a CD" $cpus -cdrom "$tap_dir/iso"
	done
}

tools/kernels.sh >"$tap_dir/log" 2>&1 ||
	plan_skip "$(tail -n 1 "$tap_dir/log")"
kernel 686-pae i686
kernel amd64 x86_64
tap_end
