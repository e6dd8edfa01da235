#!/bin/bash
# nestbox.elf's hypercalls: from a bare payload, and from the user space of a
# Linux that is L1.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}
payload=build/guest/test/hypercall.elf

output=$("$nestbox" run --stack 1n --guest "$payload" 2>"$tap_dir/err")
check_is "payload: status" "$?" 0
check_has "payload: plan" "$output" '1\.\.[0-9]+'
check_is "payload: no failure" "$(printf '%s\n' "$output" | grep 'not ok')" ""

check_payload "counts of nesting" svm_counts --stack 1n

# A wrong checksum is told, by hypercall and at the end.
output=$("$nestbox" run --stack 1n --guest "$payload" --append dma=1 \
	--qemu-arg=-device --qemu-arg=edu,dma_mask=0xffffffff 2>&1)
check_is "payload with DMA: no failure" \
	"$(printf '%s\n' "$output" | grep 'not ok')" ""
check_has "payload with DMA: L0 says that its text changed" "$output" \
	'^L0\| nestbox: text CHANGED'

output=$("$nestbox" run --stack 1n --put build/test/e2e/l1user -- \
	sh -c 'ls -l /sys/firmware/acpi/tables/NBOX; ./l1user' 2>"$tap_dir/err")
check_is "Linux: status" "$?" 0
check_has "Linux: only root reads the table" "$output" \
	'^-r-------- 1 root root +56 .*NBOX'
check_has "Linux: user space with the token" "$output" \
	'^root: version 0x1, token read, count 0, 1 CPUID$'
check_has "Linux: user space without" "$output" \
	'^nobody: version 0x1, token refused, count -1$'
check_has "Linux: text intact at the end" "$(cat "$tap_dir/err")" \
	'^L0\| nestbox: text intact'
tap_end
