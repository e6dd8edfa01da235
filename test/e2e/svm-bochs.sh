#!/bin/bash
# SVM conformance in Bochs: an SVM that other people wrote than QEMU's.
#
#	test/e2e/svm-bochs.sh [PAYLOAD...]
#
# Not svm_smp, unless asked for: it is of two CPUs, and these have one.
# shellcheck source=test/tap.sh
. test/tap.sh
# shellcheck source=test/machine.sh
. test/machine.sh
# shellcheck source=test/conformance.sh
. test/conformance.sh

can_make_iso || plan_skip "no grub-mkrescue or no xorriso"
command -v bochs-bin >/dev/null || plan_skip "no bochs"
bochs-bin --help 2>&1 | grep -q 'Bochs x86 Emulator 2\.7$' ||
	plan_skip "the lists are those of Bochs 2.7"

payloads=("$@")
[ $# -gt 0 ] ||
	mapfile -t payloads < <(conformance_payloads | grep -vx svm_smp)
for name in "${payloads[@]}"; do
	tools/iso.sh --bare "$tap_dir/iso" "build/guest/test/$name.elf" \
		"$(hanging "$name" bochs ryzen)"
	tools/bochs.sh --timeout 300 "$tap_dir/iso" >"$tap_dir/output.txt" 2>&1
	judge "$name" bochs ryzen "$tap_dir/output.txt"
done
tap_end
