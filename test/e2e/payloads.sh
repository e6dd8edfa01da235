#!/bin/bash
# Bare payloads: the guest library's own test and the microbenchmark, on the
# bare emulated CPU and as a guest of KVM.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}

check_payload "selftest bare, 1 CPU" selftest --stack 0
check_payload "selftest bare, 4 CPUs" selftest --stack 0 --cpus 4
check_payload "selftest bare, CPU max" selftest --stack 0 --cpu max --cpus 2
check_payload "selftest on KVM, 2 CPUs" selftest --stack 1k --cpus 1,2

output=$("$nestbox" run --stack 0 --guest micro --append n=20 2>&1)
check_is "micro on the bare CPU: status" "$?" 0
check_has "micro on the bare CPU: nobody takes hypercalls" "$output" \
	"skip hypercall"
check_fails 2 "micro: unknown operation" \
	"$nestbox" run --stack 0 --guest micro --append ops=nonsense
output=$("$nestbox" run --stack 1k --guest micro --append n=20 2>&1)
check_is "micro on KVM: status" "$?" 0
check_is "micro on KVM: nothing skipped" \
	"$(printf '%s\n' "$output" | grep -c skip)" 0
check_fails 42 "exit code through KVM" "$nestbox" run --stack 1k \
	--guest build/guest/test/exitcode.elf --append code=42
check_fails 42 "exit code through KVM on KVM" "$nestbox" run --stack 2kk \
	--guest build/guest/test/exitcode.elf --append code=42
check_fails 1 "crash under KVM" "$nestbox" run --stack 1k \
	--guest build/guest/test/exitcode.elf --append crash=1

# Interrupts are counted one by one, and a missing or second one is noticed.
check_payload "no interrupt lost, bare, 1 CPU" lost --stack 0
check_payload "no interrupt lost on KVM, 2 CPUs" lost --stack 1k --cpus 1,2 \
	--append cpus=2
faults=(none 'ticks: 1 lost, 0 twice' 'IPIs: 1 lost, 0 twice'
	'ticks: 0 lost, 1 twice' 'IPIs: 0 lost, 1 twice')
for fault in 1 2 3 4; do
	output=$("$nestbox" run --stack 0 --cpus 2 \
		--append "fault=$fault late=100" \
		--guest build/guest/test/lost.elf 2>/dev/null)
	check_is "fault $fault: status" "$?" 1
	check_is "fault $fault is noticed" \
		"$(sed -n 's/.*not ok . - //p' <<<"$output")" "${faults[fault]}"
done

# What the emulator's SVM does beside the manual is known; a change is news.
# One row is about the repair (tools/svm-repair), not about the release.
probe() {
	grep -v '^probe inject-interrupt-times' "$1"
}
doctor=$("$nestbox" doctor)
"$nestbox" run --stack 0 --cpu EPYC --guest build/guest/test/svm_probe.elf \
	--serial "$tap_dir/probe" >/dev/null
if [[ $doctor == *"QEMU 10.0.2"* ]]; then
	probe "$tap_dir/probe" >"$tap_dir/got"
	probe test/golden/svm_probe.EPYC.txt >"$tap_dir/want"
	check "svm_probe: as recorded for QEMU 10.0.2" \
		cmp "$tap_dir/got" "$tap_dir/want"
else
	skip "svm_probe" "recorded for another emulator"
fi
if grep -q '^ok *injection' <<<"$doctor"; then
	check_has "svm_probe: an interrupt is injected once" \
		"$(cat "$tap_dir/probe")" 'inject-interrupt-times 1$'
else
	skip "svm_probe: injection" "this QEMU is not repaired"
fi

tap_end
