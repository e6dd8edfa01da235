#!/bin/bash
# make bench: what the instrument costs the run that it observes. Boots Linux
# on the bare emulated CPU without and with it, in turn, and prints the best
# time of each and the ratio. Not a test: machines are noisy.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-3}
counts=$(mktemp)
trap 'rm -f "$counts"' EXIT

# boot ARGUMENT...: seconds that the run takes.
boot() {
	local start=$EPOCHREALTIME
	build/nestbox run --stack 0 --exact "$@" -- true 2>/dev/null
	echo "$start $EPOCHREALTIME" | awk '{ printf "%.1f\n", $2 - $1 }'
}

printf '%-6s %10s %10s %7s\n' CPUs plain counted ratio
for cpus in 1 2; do
	plain=$(for _ in $(seq "$rounds"); do boot --cpus $cpus; done |
		sort -n | head -n 1)
	counted=$(for _ in $(seq "$rounds"); do
		boot --cpus $cpus --counts "$counts"
	done | sort -n | head -n 1)
	echo "$cpus $plain $counted" | awk '{
		printf "%-6s %8.1f s %8.1f s %7.2f\n", $1, $2, $3, $3 / $2 }'
done
