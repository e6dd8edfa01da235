#!/bin/bash
# Events that an L1 of two CPUs injects into its guests on nestbox.elf, under
# all that may come in between (guest/test/svm_storm.c): $STORM_ROUNDS (20000)
# VMRUNs of each CPU, two CPUs at once (--fast) and by turns. That the payload
# would see a loss is shown by planted ones.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}
rounds=${STORM_ROUNDS:-20000}

# storm CPU WORDS OPTION...: its TAP on stdout.
storm() {
	local cpu=$1 words=$2
	shift 2
	"$nestbox" run --stack 1n --cpu "$cpu" --cpus 2 --timeout 3600 "$@" \
		--guest build/guest/test/svm_storm.elf --append "$words" 2>&1
}

all_well() {
	local output
	output=$(storm "$@")
	grep -E 'guest [0-9]|not ok|panic' <<<"$output"
	[ "$(grep -c '^L1| ok ' <<<"$output")" = 5 ]
}

# sees FAULT TEST: exactly this one fails.
sees() {
	storm max "rounds=2000 fault=$1" |
		grep -E '^L1\| (not )?ok ' >"$tap_dir/sees"
	grep -q "^L1| not ok $2 " "$tap_dir/sees" &&
		[ "$(grep -c '^L1| ok ' "$tap_dir/sees")" = 4 ]
}

repaired=$("$nestbox" doctor | grep -c '^ok *ignne')
for cpu in max EPYC; do
	if [ "$repaired" = 1 ]; then
		check "$cpu: $rounds VMRUNs, at once" \
			all_well $cpu "rounds=$rounds" --fast
	else
		skip "$cpu: $rounds VMRUNs, at once" "this QEMU is not repaired"
	fi
	check "$cpu: $((rounds / 4)) VMRUNs, by turns" \
		all_well $cpu "rounds=$((rounds / 4))"
done
check "an event that is forgotten is seen" sees 1 1
check "an event that comes twice is seen" sees 2 2
tap_end
