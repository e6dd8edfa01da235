#!/bin/bash
# Random VMCBs of an L1 on nestbox.elf (guest/test/svm_random.c): seeds one
# after another, $RANDOM_SEEDS (2) of them, or as many as $RANDOM_SECONDS have
# room for; RANDOM_SEED is the first one. A seed does the same each time.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}
seconds=${RANDOM_SECONDS:-0}
seeds=${RANDOM_SEEDS:-2}
first=${RANDOM_SEED:-1}
vmruns=10000

# well SEED CPU: L1 and L0 came to their ends.
well() {
	local output
	output=$("$nestbox" run --stack 1n --cpu "$2" --timeout 900 \
		--guest build/guest/test/svm_random.elf \
		--append "seed=$1 vmruns=$vmruns" 2>&1)
	printf '%s\n' "$output" | tail -20
	grep -q '^L1| ok 3 ' <<<"$output" && ! grep -q 'not ok' <<<"$output"
}

seed=$first
while [ "$tap_failed" = 0 ] &&
	{ [ $((seed - first)) -lt "$seeds" ] ||
		[ "$SECONDS" -lt "$seconds" ]; }; do
	cpu=max
	[ $((seed % 2)) = 1 ] || cpu=EPYC
	check "seed $seed on $cpu: $vmruns random VMRUNs" well "$seed" $cpu
	seed=$((seed + 1))
done
tap_end
