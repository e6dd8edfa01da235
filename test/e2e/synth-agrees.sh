#!/bin/bash
# --synth and captures of the programs agree, within 10 %: misses of the STLB,
# references per walk, and where these hit. SIZE and NAMES in the environment;
# check-guest has the small patterns, check-long all of them, at 1 GiB.
set -euo pipefail
size=${SIZE:-64m}
limit=${LIMIT:-2000000}
read -ra names <<<"${NAMES:-gups stream chase btree canneal graph500}"
nestbox=build/nestbox
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# A server's accesses until it has its $2 records, generously: what is skipped.
# Its client goes on asking until the end.
skip() {
	case $1 in
	redis) echo $(($2 * 1500 + 2000000)) ;;
	memcached) echo $(($2 * 3100 + 2000000)) ;;
	esac
}

# Records of a server that take $size bytes of memory.
records() {
	local bytes
	bytes=$(numfmt --from=iec "${size^^}")
	case $1 in
	redis) echo $((bytes / (384 + 12))) ;;
	memcached) echo $((bytes * 885 / (1048576 + 885 * 8))) ;;
	esac
}

record_server() {
	local n
	n=$(records "$1")
	workload/server.sh "$1" "$n" "$nestbox" capture \
		-o "$folder/real.nbt" --skip "$(skip "$1" "$n")" \
		--limit "$limit" --
}

record() {
	case $1 in
	redis | memcached) record_server "$1" ;;
	*) "$nestbox" capture -o "$folder/real.nbt" --marked \
		--limit "$limit" -- "build/workload/$1" -s "$size" ;;
	esac >"$folder/log" 2>&1 || { cat "$folder/log" >&2; return 1; }
	"$nestbox" capture -o "$folder/synth.nbt" --limit "$limit" \
		--synth "$1:$size" >"$folder/log" 2>&1
}

# "name real synth" for each figure that is compared. Shares of references are
# in hundredths, of which a difference of 10 counts.
figures() {
	"$nestbox" walk "$folder/real.nbt" "$folder/synth.nbt" --design radix \
		--env native,virt --pages 4k --skip $((limit / 4)) --json |
		jq -r '
		.rows | group_by(.env)[] | sort_by(.trace) | .[0] as $r |
		.[1] as $s | ["stlb_mpki", "refs_per_walk",
		"cycles_per_walk", "refs_l1",
		"refs_l2", "refs_l3", "refs_memory"][] as $f |
		[$r.env, $f, $r[$f], $s[$f], $r.refs, $s.refs] | @tsv'
}

agree() {
	awk -v name="$1" '{
		share = $2 ~ /^refs_(l|m)/
		a = share ? $3 / $5 : $3
		b = share ? $4 / $6 : $4
		d = a > b ? a - b : b - a
		bad = share ? d > 0.1 : d > 0.1 * a
		printf "%sok - %s %s %s: %.3f, --synth %.3f\n",
			bad ? "not " : "", name, $1, $2, a, b
	}'
}

for name in "${names[@]}"; do
	if record "$name"; then
		figures | agree "$name"
	else
		echo "not ok - $name is recorded"
	fi
done | awk '{ print; n++ } /^not/ { bad = 1 }
	END { print "1.." n; exit bad || !n }'
