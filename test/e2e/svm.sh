#!/bin/bash
# SVM conformance: payloads that are L1 themselves, on the bare emulated CPU and
# on nestbox.elf; svm-long.sh has KVM's turn. What fails is compared with what
# is known to fail.
#
#	test/e2e/svm.sh [PAYLOAD...]
#
# $SVM_PLATFORMS (tcg kvm nestbox) and $SVM_CPUS choose others.
# shellcheck source=test/tap.sh
. test/tap.sh
# shellcheck source=test/conformance.sh
. test/conformance.sh

nestbox=${NESTBOX:-build/nestbox}
declare -A stack=([tcg]=0 [kvm]=1k [nestbox]=1n)
declare -A cpus=([svm_smp]=2) # other than 1

# run PAYLOAD PLATFORM CPU: its output in $tap_dir/output.txt
run() {
	: >"$tap_dir/output.txt"
	"$nestbox" run --stack "${stack[$2]}" --cpu "$3" \
		--cpus "${cpus[$1]:-1}" --timeout 900 \
		--guest "build/guest/test/$1.elf" \
		--append "$(hanging "$1" "$2" "$3")" \
		--serial "$tap_dir/output.txt" >"$tap_dir/log" 2>&1
}

# payload PAYLOAD PLATFORM CPU
payload() {
	run "$@"
	if [ "$2" = nestbox ] && grep -q '^1\.\.0 ' "$tap_dir/output.txt"; then
		skip "$1 on $2 $3" "L1 is offered no SVM"
		return
	fi
	judge "$@" "$tap_dir/output.txt"
	[ "$2" != nestbox ] || judge_skips "$@" "$tap_dir/output.txt" tcg kvm
}

payloads=("$@")
[ $# -gt 0 ] || mapfile -t payloads < <(conformance_payloads)
for name in "${payloads[@]}"; do
	for platform in ${SVM_PLATFORMS:-tcg nestbox}; do
		for cpu in ${SVM_CPUS:-EPYC max}; do
			payload "$name" "$platform" "$cpu"
		done
	done
done
judge_all_skips
tap_end
