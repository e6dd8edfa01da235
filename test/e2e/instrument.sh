#!/bin/bash
# The instrument counts what was planted, adds up, repeats, and does not change
# the run it observes.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}
planted=build/guest/test/planted.elf

# planted_run LEVELS NAME [--counts ...]: serial logs of all levels in $tap_dir.
planted_run() {
	local stack=$1 name=$2
	shift 2
	"$nestbox" run --stack "$stack" --guest "$planted" \
		--serial "$tap_dir/$name.serial" "$@" \
		>"$tap_dir/$name.out" 2>"$tap_dir/$name.others"
}

check "planted payload at level 1, counted" \
	planted_run 1k counted --counts "$tap_dir/counts"
check "the same, not counted" planted_run 1k plain
check "guest's serial log: the same with and without the instrument" \
	cmp "$tap_dir/counted.serial" "$tap_dir/plain.serial"
check "L0's serial log: the same with and without the instrument" \
	cmp "$tap_dir/counted.others" "$tap_dir/plain.others"

awk -f test/e2e/planted.awk "$tap_dir/counted.serial" "$tap_dir/counts" \
	>"$tap_dir/windows"
check_is "twelve windows" "$(wc -l <"$tap_dir/windows")" 12
for op in cpuid pio msr; do
	calm=$(awk -v op=$op '$1 == op && $4 == 0' "$tap_dir/windows")
	check_has "$op: a window without a tick" "$calm" "^$op"
	check_is "$op: every such window has exactly the planted switches" \
		"$(printf '%s\n' "$calm" | awk '$2 != $3')" ""
done
check_is "L0's and L1's instructions and all causes add up" \
	"$(awk '$5 != 1' "$tap_dir/windows")" ""
check_is "the sums agree with the TSC up to one constant" \
	"$(awk '{ print $6 }' "$tap_dir/windows" | sort -u | wc -l)" 1

# bench_run NAME ARGUMENT...
bench_run() {
	local name=$1
	shift
	"$nestbox" bench micro --stacks 1k --json="$tap_dir/$name.json" "$@" \
		>/dev/null
}

check "bench" bench_run first --iterations 50
(while :; do :; done) &
load=$!
check "bench under load" bench_run second --iterations 50
kill "$load"
check "two runs, one under load: identical figures" \
	cmp "$tap_dir/first.json" "$tap_dir/second.json"

check "bench with 2 CPUs" bench_run smp1 --cpus 2 --iterations 20
check "bench with 2 CPUs again" bench_run smp2 --cpus 2 --iterations 20
check "2 CPUs: identical figures" cmp "$tap_dir/smp1.json" "$tap_dir/smp2.json"
check_has "every result names its image" "$(cat "$tap_dir/first.json")" \
	'"image_sha256": "[0-9a-f]{64}"'
tap_end
