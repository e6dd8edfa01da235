#!/bin/bash
# The state of L1's SVM can be saved and loaded (hv/nested/save.h): with L0
# doing so at every exit of L2, and at every seventh, all is as without.
# shellcheck source=test/tap.sh
. test/tap.sh
# shellcheck source=test/conformance.sh
. test/conformance.sh

nestbox=${NESTBOX:-build/nestbox}
out=$tap_dir/output.txt

# shaken PAYLOAD N
shaken() {
	: >"$out"
	"$nestbox" run --stack 1n --hv "shake=$2" --timeout 300 \
		--cpus "$([ "$1" = svm_smp ] && echo 2 || echo 1)" \
		--guest "build/guest/test/$1.elf" \
		--append "$(hanging "$1" nestbox max)" \
		--serial "$out" >"$tap_dir/log" 2>&1
	judge "$1" nestbox max "$out"
}

mapfile -t payloads < <(conformance_payloads)
[ $# -eq 0 ] || payloads=("$@")
for name in "${payloads[@]}"; do
	for n in 1 7; do
		# A shake takes longer than a timer of svm_gif's.
		[ "$name" != svm_gif ] || [ "$n" != 1 ] || n=2
		shaken "$name" "$n"
	done
done

for n in 1 7; do
	check "micro in L2, shake=$n" "$nestbox" run --stack 2nk \
		--hv "shake=$n" --guest micro --append n=20
done
tap_end
