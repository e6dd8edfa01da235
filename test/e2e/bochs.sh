#!/bin/bash
# nestbox.elf in Bochs, CPU model ryzen: an SVM that other people wrote than
# QEMU's. Its payload's own tests count as one of ours.
# shellcheck source=test/tap.sh
. test/tap.sh
# shellcheck source=test/machine.sh
. test/machine.sh

selftest=build/guest/test/selftest.elf

# boot ISO ARGUMENT...: what COM1 printed to $output, the status to $status.
boot() {
	local iso=$1
	shift
	status=0
	output=$(tools/bochs.sh "$@" "$iso" 2>&1) || status=$?
}

# passes NAME: the payload that ran last ended, and all of its tests passed.
passes() {
	check_is "$1: ends" "$status" 0
	check_has "$1: plan" "$output" '^1\.\.[0-9]+'
	check_is "$1: no failure" \
		"$(printf '%s\n' "$output" | grep -a 'not ok\|failed')" ""
	planned=$(printf '%s\n' "$output" | sed -n 's/^1\.\.\([0-9]*\).*/\1/p')
	check_is "$1: as many tests as planned" \
		"$(printf '%s\n' "$output" | grep -ac '^ok')" "$planned"
}

can_make_iso || plan_skip "no grub-mkrescue or no xorriso"
command -v bochs-bin >/dev/null || plan_skip "no bochs"
iso=$tap_dir/iso

# The payload itself is sound there, so a failure on nestbox.elf is L0's.
tools/iso.sh --bare "$iso" $selftest
boot "$iso" --cpus 2
passes "selftest on bare Bochs, 2 CPUs"

for version in "" --multiboot1; do
	# shellcheck disable=SC2086 # nothing or one word
	tools/iso.sh $version "$iso" build/nestbox.elf $selftest
	boot "$iso"
	passes "selftest on nestbox.elf ${version:---multiboot2}"
	check_has "L0 says so ${version:---multiboot2}" "$output" \
		'^nestbox: L1 starts at .* pages free'
done

# What this SVM does beside the manual is known, too. One row ends Bochs.
if bochs-bin --help 2>&1 | grep -q 'Bochs x86 Emulator 2\.7$'; then
	tools/iso.sh --bare "$iso" build/guest/test/svm_probe.elf \
		skip=vmrun-long-no-pe
	boot "$iso"
	printf '%s\n' "$output" >"$tap_dir/got"
	check "svm_probe: as recorded for Bochs 2.7" \
		diff "$tap_dir/got" test/golden/svm_probe.bochs.txt
else
	skip "svm_probe" "recorded for another Bochs"
fi
tap_end
