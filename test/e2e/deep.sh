#!/bin/bash
# What takes long: three levels, exactness of two levels on both CPU models and
# with 2 CPUs, other people's kernels.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}

output=$("$nestbox" run --stack 3kkk --timeout 3600 -- \
	uname -a 2>/dev/null)
check_is "uname in L3: status" "$?" 0
check_has "uname in L3: Debian's kernel line" "$output" '^Linux l3 6\.1\.'
check_fails 1 "false in L3" \
	"$nestbox" run --stack 3kkk --timeout 3600 -- false

# twice NAME ARGUMENT...
twice() {
	local name=$1 i
	shift
	for i in 1 2; do
		"$nestbox" bench micro --json="$tap_dir/$i.json" "$@" \
			>/dev/null || break
	done
	check "$name: two runs, identical figures" \
		cmp "$tap_dir/1.json" "$tap_dir/2.json"
}

twice "EPYC" --stacks 1k,2kk
twice "max" --stacks 1k,2kk --cpu max
twice "2 CPUs" --stacks 1k,2kk --cpus 2
twice "3kkk" --stacks 3kkk --iterations 20
tap_end
