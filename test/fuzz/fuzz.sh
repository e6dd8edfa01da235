#!/bin/sh
# make fuzz: runs each fuzz target, or those named, for a minute (or
# FUZZ_SECONDS=...), starting from test/fuzz/regress. A crash leaves its input
# in build/fuzz: reduce it, put it into test/fuzz/regress, mend the cause.
set -eu
[ $# -gt 0 ] || set -- boot import lab merge nbt rows vmcb x86dec
for target; do
	mkdir -p "build/fuzz/corpus/$target"
	"build/fuzz/fuzz_$target" -max_total_time="${FUZZ_SECONDS:-60}" \
		-artifact_prefix="build/fuzz/$target-" -print_final_stats=1 \
		"build/fuzz/corpus/$target" "test/fuzz/regress/$target"
done
