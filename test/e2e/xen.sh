#!/bin/bash
# Debian's Xen: other people's multiboot ELF32, alone at several levels, and on
# nestbox.elf with Debian's kernel as its dom0.
# shellcheck source=test/tap.sh
. test/tap.sh
# shellcheck source=test/machine.sh
. test/machine.sh

nestbox=${NESTBOX:-build/nestbox}

# xen STACK ARGUMENT...: other people's multiboot ELF32, Xen without a dom0. It
# says so and resets. In L2 not exactly: its BIOS fails there (emulator.md).
xen() {
	local output status=0
	output=$("$nestbox" run --guest "$tap_dir/xen.elf" --timeout 300 \
		--append "xen console=com1 com1=115200,8n1" \
		--stack "$@" 2>&1) || status=$?
	check_is "Xen on $1: status" "$status" 1
	check_has "Xen on $1: boots" "$output" \
		"^L${1%%k*}\\| .*dom0 kernel not specified"
	check_has "Xen on $1: its end is known" "$output" \
		'^nestbox: the payload reset its machine'
}
(cd "$tap_dir" && apt-get -qq download xen-hypervisor-4.17-amd64 &&
	dpkg -x xen-hypervisor-*.deb .) >/dev/null 2>&1 ||
	plan_skip "cannot download xen-hypervisor-4.17-amd64"
zcat "$tap_dir"/boot/xen-4.17-amd64.gz >"$tap_dir/xen.elf"
xen 0
xen 1k --bios bios-256k.bin
xen 2kk --bios bios-256k.bin --fast

# Not exactly: QEMU ends itself ("Bad icount read"). no-real-mode: without it
# Xen asks the BIOS for the memory, which does not know of L0's (caveats).
if tools/kernels.sh >"$tap_dir/log" 2>&1; then
	words="no-real-mode console=com1 com1=115200,,8n1 dom0_mem=512M"
	output=$(emulator 200 -m 2G -cpu max -accel tcg,thread=single \
		-serial "file:$tap_dir/l0" -kernel build/nestbox.elf \
		-append "com=com2 panic=reset" -initrd "$(
			printf '%s,' "$tap_dir/xen.elf $words" \
				"$cache/kernels/amd64/vmlinuz console=hvc0"
		)$cache/kernels/amd64/initrd")
	check_has "dom0 on nestbox.elf: its init runs" "$output" '^MemTotal:'
	check_has "dom0 on nestbox.elf: and switches off" "$output" \
		'Entering ACPI S5 state'
	check_has "dom0 on nestbox.elf: text intact" "$(cat "$tap_dir/l0")" \
		'^nestbox: text intact'
else
	skip "dom0 on nestbox.elf" "$(tail -1 "$tap_dir/log")"
fi
tap_end
