#!/bin/bash
# What a second job brings to `nestbox walk`: the same rows by --jobs 1 and by
# --jobs 2, in turn. "time" is by the clock, which is what counts on a machine
# that is idle; "CPU time" must not grow, whatever else the machine does: if it
# does, the jobs are in each other's way. Of each the best of all rounds. The
# status is 1 if CPU time grows by more than 5 %.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
	cat <<-'END'
	Usage: bench/jobs.sh [--help] [ROUNDS]
	  ROUNDS    how often (default: 5)
	END
}

case ${1:-} in
--help) usage && exit ;;
-*) usage >&2 && exit 2 ;;
esac

rounds=${1:-5}
nestbox=${BUILD:-build}/nestbox
work=$(mktemp -d /dev/shm/nestbox-jobs.XXXXXX)
trap 'rm -rf "$work"' EXIT
export NESTBOX_CACHE=$work/cache
# Rows of the same length, so that neither job waits for the other at the end.
traces=("$work/a.nbt" "$work/b.nbt")
"$nestbox" capture --synth gups:1g --limit 16m -o "${traces[0]}"
cp "${traces[@]}"

# run JOBS ARGUMENT...: appends "NAME JOBS CLOCK USER SYSTEM", in seconds.
run() {
	local TIMEFORMAT="$name $1 %R %U %S" jobs=$1
	shift
	{
		time "$nestbox" walk --jobs "$jobs" --quiet --json "$@" \
			>/dev/null
	} 2>>"$work/times"
}

for _ in $(seq "$rounds"); do
	for jobs in 1 2; do
		name=traces
		run $jobs "${traces[@]}" --design radix --env native
		name=designs
		run $jobs "${traces[0]}" --design all --env virt
		name=buddy
		run $jobs "${traces[@]}" --design radix --env virt \
			--frames buddy
	done
done

awk '
{
	cpu = $4 + $5
	key = $1 SUBSEP $2
	if (!(key in clock) || $3 < clock[key])
		clock[key] = $3
	if (!(key in best) || cpu < best[key])
		best[key] = cpu
	if (!($1 in seen))
		names[++n] = $1
	seen[$1] = 1
}
END {
	printf "%-8s %9s %9s %6s %9s %9s %7s\n", "rows", "1 job", "2 jobs",
		"ratio", "CPU of 1", "CPU of 2", "growth"
	for (i = 1; i <= n; i++) {
		a = names[i] SUBSEP 1
		b = names[i] SUBSEP 2
		growth = 100 * (best[b] / best[a] - 1)
		failed += growth > 5
		printf "%-8s %7.2f s %7.2f s %6.2f %7.2f s %7.2f s %5.1f %%\n",
			names[i], clock[a], clock[b], clock[a] / clock[b],
			best[a], best[b], growth
	}
	exit failed > 0
}' "$work/times"
