#!/bin/bash
# make bench: what recording costs a program: gups, natively and with each
# recorder, in turn, all in this run; of each, the best time and the ratio to
# the native one. CPU time includes that of what writes the trace, which runs
# beside the program where there is a second CPU. Not a test: machines are
# noisy.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-3}
work=$(mktemp -d /dev/shm/nestbox-bench.XXXXXX)
trap 'rm -rf "$work"' EXIT
source=bench/capture_gups.c
libs="build/libnbhooks.a -lzstd -lxxhash -lpthread"

gcc -O2 -o "$work/gups" $source
# shellcheck disable=SC2086 # a list of libraries
{
	gcc -O2 -fsanitize=thread -c -o "$work/gups.o" $source
	gcc -o "$work/gups-gcc" "$work/gups.o" $libs
}
# shellcheck disable=SC2086 # a list of libraries
if command -v clang >/dev/null; then
	clang -O2 -fsanitize-coverage=func,trace-loads,trace-stores \
		-o "$work/gups-clang" $source $libs
fi

capture() {
	build/nestbox capture -o "$work/t.nbt" "$@"
}

# run_NAME: one row of the table.
run_native() { "$work/gups"; }
run_emulated() { qemu-x86_64 "$work/gups"; }
run_plugin() { capture -- "$work/gups"; }
run_plugin_raw() { capture --raw -- "$work/gups"; }
run_hooks_gcc() { NESTBOX_TRACE=$work/t.nbt "$work/gups-gcc"; }
run_hooks_clang() { NESTBOX_TRACE=$work/t.nbt "$work/gups-clang"; }

# seconds NAME: wall time and CPU time of one run.
seconds() {
	local TIMEFORMAT='%R %U %S'
	{ time "run_$1" >/dev/null 2>&1; } 2>&1 |
		awk '{ print $1, $2 + $3 }'
}

names="native emulated plugin plugin_raw hooks_gcc"
[ ! -x "$work/gups-clang" ] || names="$names hooks_clang"
for _ in $(seq "$rounds"); do
	for name in $names; do
		seconds "$name" >>"$work/$name.time"
	done
done
printf '%-12s %9s %9s %10s %9s\n' gups wall CPU slow-down of-CPU
for name in $names; do
	sort -n "$work/$name.time" | head -n 1 | sed "s/^/$name /"
done | awk '$1 == "native" { wall = $2; cpu = $3 }
	{ printf "%-12s %7.2f s %7.2f s %9.1fx %8.1fx\n", $1, $2, $3,
		$2 / wall, $3 / cpu }'
