#!/bin/bash
# Bare payloads: the guest library's own test and the microbenchmark, on the
# bare emulated CPU and as a guest of KVM.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}

# selftest NAME ARGUMENT...: a TAP payload; its tests count as one of ours.
selftest() {
	local name=$1 output status=0
	shift
	output=$("$nestbox" run --guest build/guest/test/selftest.elf "$@" \
		2>/dev/null) || status=$?
	check_is "selftest $name: status" "$status" 0
	check_has "selftest $name: plan" "$output" '1\.\.[0-9]+'
	check_is "selftest $name: no failure" \
		"$(printf '%s\n' "$output" | grep 'not ok')" ""
}

selftest "bare, 1 CPU" --stack 0
selftest "bare, 4 CPUs" --stack 0 --cpus 4
selftest "bare, CPU max" --stack 0 --cpu max --cpus 2
selftest "on KVM, 2 CPUs" --stack 1k --cpus 1,2

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
check_fails 1 "crash under KVM" "$nestbox" run --stack 1k \
	--guest build/guest/test/exitcode.elf --append crash=1

# What the emulator's SVM does beside the manual is known; a change is news.
"$nestbox" run --stack 0 --cpu EPYC --guest build/guest/test/svm_probe.elf \
	--serial "$tap_dir/probe" >/dev/null
if "$nestbox" doctor | grep -q 'QEMU 10\.0\.2'; then
	check "svm_probe: as recorded for QEMU 10.0.2" \
		cmp "$tap_dir/probe" test/golden/svm_probe.EPYC.txt
else
	skip "svm_probe" "recorded for another emulator"
fi

# Other people's multiboot ELF32: Xen, without a dom0. It says so and resets.
# On the bare CPU only: under KVM it dies before its first line (caveats.md).
if (cd "$tap_dir" && apt-get -qq download xen-hypervisor-4.17-amd64 &&
	dpkg -x xen-hypervisor-*.deb .) >/dev/null 2>&1; then
	zcat "$tap_dir"/boot/xen-4.17-amd64.gz >"$tap_dir/xen.elf"
	output=$("$nestbox" run --stack 0 --guest "$tap_dir/xen.elf" \
		--append "xen console=com1 com1=115200,8n1" 2>&1)
	check_is "Xen: status" "$?" 1
	check_has "Xen: boots" "$output" '^L0\| .*dom0 kernel not specified'
	check_has "Xen: its end is known" "$output" \
		'^nestbox: the payload reset its machine'
else
	skip "Xen" "cannot download xen-hypervisor-4.17-amd64"
fi
tap_end
