#!/bin/bash
# How fast walk/ simulates radix, beside the machine's limit on the same
# accesses in the same run (bench/walk.c). "must" and "aim" are shares of the
# limit. The status is 1 if a row misses its "must".
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
	cat <<-'END'
	Usage: bench/walk.sh [--help] [PATTERN]
	  PATTERN   only that one: gups, chase, btree or stream
	END
}

case ${1:-} in
--help) usage && exit ;;
-*) usage >&2 && exit 2 ;;
esac

"${BUILD:-build}/bench/walk" bench/limit.ini "$@" | awk '
BEGIN {
	printf "%-8s %-7s %8s %8s %7s %6s %6s %12s\n", "pattern", "env",
		"M acc/s", "limit", "ratio", "must", "aim", "refs/walk"
}
{
	must = $1 == "stream" ? 0.5 : 0.25
	aim = $1 == "stream" ? 0.75 : 0.5
	ratio = $4 > 0 ? $3 / $4 : 0
	note = $4 == 0 ? "no limit: this CPU has no AVX-512" : \
		ratio < must ? "misses its must" : ""
	failed += $4 > 0 && ratio < must
	printf "%-8s %-7s %8.1f %8.1f %7.2f %6.2f %6.2f %5.2f / %4.2f %s\n",
		$1, $2, $3, $4, ratio, must, aim, $5, $6, note
}
END { exit failed > 0 }'
