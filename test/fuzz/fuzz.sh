#!/bin/sh
# make fuzz: runs the fuzz target for a minute (or SECONDS=...), starting from
# test/fuzz/regress. A crash leaves its input in build/fuzz: reduce it, put it
# into test/fuzz/regress, mend the cause.
set -eu
mkdir -p build/fuzz/corpus
exec build/fuzz/fuzz_lab -max_total_time="${FUZZ_SECONDS:-60}" \
	-artifact_prefix=build/fuzz/ -print_final_stats=1 \
	build/fuzz/corpus test/fuzz/regress
