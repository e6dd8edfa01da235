#!/bin/bash
# nestbox walk: its table, the same whatever --jobs is, going on after it was
# killed, and what it says of wrong input. Takes a few seconds.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}
golden=test/golden/walk.txt
export NESTBOX_CACHE=$tap_dir/cache

mktrace() {
	build/test/e2e/mktrace "$tap_dir/$1.nbt" "$2" "$3"
}

walk() {
	"$nestbox" walk "$@" 2>"$tap_dir/stderr" </dev/null
}

# Everything but what depends on this machine's speed: the last column.
table() {
	(cd "$tap_dir" && walk "$@") |
		sed -E 's/ +[0-9.]+[kMG]?$//; s/ +s$//'
}

without_rate() {
	jq 'del(.rows[].accesses_per_s)'
}

# refused NAME STATUS PATTERN ARGUMENT...: exactly one line that matches.
refused() {
	local name=$1 want=$2 pattern=$3 output status=0
	shift 3
	output=$("$nestbox" walk --quiet "$@" 2>&1 >/dev/null </dev/null) ||
		status=$?
	check_is "$name: status" "$status" "$want"
	check_has "$name: says why" "$output" "$pattern"
	check_is "$name: one line" "$(printf '%s\n' "$output" | wc -l)" 1
}

nestbox=$(realpath "$nestbox")
mktrace small gups 200000
small=$tap_dir/small.nbt

# The table, and what is in it. To renew the golden file after a change of the
# model: GOLDEN=new test/e2e/walk.sh, then read the difference.
table small.nbt --anatomy --pages 4k,thp >"$tap_dir/table"
[ "${GOLDEN-}" = new ] && cp "$tap_dir/table" $golden
check "golden table" diff -u $golden "$tap_dir/table"
check_is "100 columns at most" \
	"$(walk "$small" --pages all | awk 'length > 100' | wc -l)" 0
check_is "nothing on stderr" "$(cat "$tap_dir/stderr")" ""

# JSON: a row for each combination; the same for any number of threads.
for jobs in 1 4; do
	walk "$small" --pages all --json --jobs $jobs | without_rate \
		>"$tap_dir/jobs$jobs"
done
check "--jobs changes nothing" cmp "$tap_dir/jobs1" "$tap_dir/jobs4"
rows() {
	jq -r "[.rows[] | $1] | length" "$tap_dir/jobs1"
}
designs=$(walk --list | sed -n '/^Designs/,/^Profiles/p' | grep -c '^[a-z]')
check_is "JSON: all rows" "$(rows .)" $((designs * 9))
check_is "JSON: refused rows have a reason and no figures" \
	"$(rows 'select(.refused) | select(.walks == null)')" \
	"$(rows 'select(.refused)')"
check_is "JSON: no other row lacks figures" \
	"$(rows 'select(.refused | not) | select(.walks and .refs_per_walk)')" \
	"$(rows 'select(.refused | not)')"
check_is "JSON: the issue's members" \
	"$(rows 'select(.refused | not) | select(has("trace") and has("design")
	and has("env") and has("pages") and has("mode") and has("walk_cycles")
	and has("walk_speedup") and has("app_speedup"))')" \
	"$(rows 'select(.refused | not)')"
check_is "JSON: steps of the anatomy add up" \
	"$(rows 'select(.anatomy) | select(([.anatomy[] |
	.l1 + .l2 + .l3 + .memory] | add // 0) != .refs)')" 0
walk "$small" --env native,virt --json="$tap_dir/file.json" >"$tap_dir/both"
check_has "--json=FILE leaves the table" "$(cat "$tap_dir/both")" "^radix"
check_is "--json=FILE" "$(jq '.rows | length' "$tap_dir/file.json")" \
	$((designs * 2))
walk "$small" --csv --env virt >"$tap_dir/csv"
check_is "CSV: lines" "$(wc -l <"$tap_dir/csv")" $((designs + 1))
check_is "CSV: as many fields everywhere" \
	"$(grep -v '"' "$tap_dir/csv" | awk -F, '{ print NF }' | sort -u |
		wc -l)" 1

# Radix comes along where others are compared with it.
walk "$small" --design dmt --env virt >"$tap_dir/implied"
check_has "radix is implied" "$(cat "$tap_dir/implied")" '^radix \* '
check_has "and that is said" "$(cat "$tap_dir/implied")" '^\* not asked for'
check_is "rows in the designs' order, once" \
	"$(walk "$small" --design dmt,radix,dmt --env native --json |
		jq -r '.rows[].design' | xargs)" "radix dmt"

# Cores: two threads that share a TLB, or do not.
misses() {
	walk "$small" --design radix --env native --json "$@" |
		jq '.rows[0].walks'
}
check_fails 1 "--cores matters" test "$(misses)" = "$(misses --cores 2)"
check_is "--limit, --skip" "$(walk "$small" --design radix --env native \
	--skip 1000 --limit 5000 --json | jq '.rows[0].accesses')" 5000

# f from perf stat: 40 % of radix's time.
printf '  400 dtlb_load_misses.walk_active\n  1000 cycles\n' >"$tap_dir/perf"
check_is "--perf" "$(walk "$small" --design perfect-tlb --env native \
	--perf "$tap_dir/perf" --json |
	jq -c '.rows[1] | [.walk_share, .walk_share_source, .app_speedup]')" \
	'[0.4,"perf",1.66666667]'
check_has "--perf: the column says so" "$(walk "$small" --env native \
	--perf "$tap_dir/perf")" 'walk +p50.* perf '

# Killed while it works, it goes on where it was.
mktrace large btree 3000000
large=$tap_dir/large.nbt
kept=$tap_dir/kept.rows
walk "$large" --env virt --json | without_rate >"$tap_dir/whole"
check_is "a run that ends keeps nothing" "$(ls "$NESTBOX_CACHE/walk")" ""
# killed SIGNAL ARGUMENT...: once a row is there.
killed() {
	local signal=$1
	shift
	"$nestbox" walk "$large" --env virt --jobs 1 "$@" >"$tap_dir/out" \
		2>"$tap_dir/err" &
	child=$!
	for _ in $(seq 300); do
		grep -qs key "$kept" "$NESTBOX_CACHE"/walk/*.rows && break
		sleep 0.02
	done
	kill "-$signal" "$child"
	wait "$child" 2>/dev/null
	status=$?
}
# goes_on NAME ARGUMENT...
goes_on() {
	local name=$1
	shift
	walk "$large" --env virt --json "$@" | without_rate >"$tap_dir/after"
	check_has "$name: has rows" "$(cat "$tap_dir/stderr")" \
		'^walk: [0-9]+ rows are there already$'
	check "$name: the same result" cmp "$tap_dir/whole" "$tap_dir/after"
}
killed KILL
check_is "killed: status" "$status" 137
check_is "killed: no result" "$(cat "$tap_dir/out")" ""
goes_on "--resume" --resume
killed TERM --quiet --json="$tap_dir/never.json"
check_is "SIGTERM: status" "$status" 1
check_is "SIGTERM: one line" "$(cat "$tap_dir/err")" \
	"nestbox: interrupted: the same command with --resume goes on"
check_is "SIGTERM: no file" "$(find "$tap_dir" -name 'never*')" ""
goes_on "--resume after SIGTERM" --resume
killed KILL --resume="$kept"
printf '{"key":"trace 00' >>"$kept" # torn
goes_on "--resume=FILE with a torn line" --resume="$kept"
goes_on "--resume=FILE, all there" --resume="$kept"
check_is "--resume=FILE: lines are whole" \
	"$(jq -r .key "$kept" | wc -l)" "$(wc -l <"$kept")"
mktrace large btree 2999999
walk "$large" --env virt --design radix --resume="$kept" >/dev/null
check_is "another trace of that name: no row fits" "$(cat "$tap_dir/stderr")" \
	""
echo "a letter to my aunt" >"$tap_dir/letter"
refused "--resume=FILE of another kind" 1 "not a file of rows" \
	"$small" --resume="$tap_dir/letter"
check_is "it is left alone" "$(cat "$tap_dir/letter")" "a letter to my aunt"

# Wrong input.
refused "no trace" 1 "No such file" "$tap_dir/no.nbt"
: >"$tap_dir/empty.nbt"
refused "empty file" 1 "empty.nbt" "$tap_dir/empty.nbt"
refused "folder" 1 "." "$tap_dir"
refused "wrong format" 1 "not a trace" /etc/passwd
head -c 1000 "$small" >"$tap_dir/header.nbt"
refused "part of a header" 1 "too short" "$tap_dir/header.nbt"
refused "unknown design" 1 "unknown design 'fly'.*radix, shadow" \
	"$small" --design radix,fly
refused "unknown environment" 1 "native, virt, nested" "$small" --env moon
refused "unknown pages" 1 "4k, thp, 2m" "$small" --pages 1g
refused "unknown frames" 1 "computed, buddy" "$small" --frames none
refused "unknown profile" 1 "skylake-dmt" "$small" --profile 486
sed 's/^ways = 12/ways = 7/' walk/profiles/skylake-dmt.ini >"$tap_dir/odd.ini"
refused "impossible geometry" 1 "stlb" "$small" --profile "$tap_dir/odd.ini"
refused "no cycles in perf's output" 1 "no cycles" "$small" --perf "$small"
refused "nothing is left" 1 "ends before" "$small" --skip 99999999
refused "full disk" 1 "No space left" "$small" --json=/dev/full
refused "no folder" 1 "No such file" "$small" --json="$tap_dir/no/file"
check_fails 2 "unknown option" "$nestbox" walk --nonsense
check_fails 2 "no trace at all" "$nestbox" walk
check_fails 2 "not a number" "$nestbox" walk "$small" --jobs many
check "help" "$nestbox" walk --help

# A disk that is full at some byte: nothing under the final name, no rest.
mkdir "$tap_dir/disk"
limited() {
	(
		ulimit -f 1
		exec 3>&1 >/dev/null 2>&3
		exec "$nestbox" walk --quiet "$small" "$@"
	)
}
check_has "limit of a file's size" "$(limited --json="$tap_dir/disk/x.json")" \
	"File too large"
check_is "nothing is left of it" "$(ls "$tap_dir/disk")" ""
status=0
limited --resume="$tap_dir/disk/rows" >"$tap_dir/output" || status=$?
check_is "rows that cannot be kept: status" "$status" 1
check_has "rows that cannot be kept: says so" "$(cat "$tap_dir/output")" \
	"cannot keep rows"
"$nestbox" walk "$small" >/dev/full 2>"$tap_dir/output"
check_has "full stdout" "$(cat "$tap_dir/output")" "stdout: No space left"

# Damage: the rest counts, and rows say what is missing.
head -c $(($(stat -c %s "$small") * 2 / 3)) "$small" >"$tap_dir/cut.nbt"
check_is "truncated trace" "$(walk "$tap_dir/cut.nbt" --design radix --json |
	jq -c '.rows[0] | [.complete, .accesses > 60000]')" "[false,true]"
check_has "and that is said" "$(cat "$tap_dir/stderr")" "ends early"
cp "$small" "$tap_dir/hole.nbt"
printf damaged | dd of="$tap_dir/hole.nbt" bs=1 seek=200000 conv=notrunc \
	status=none
check_is "corrupted trace" "$(walk "$tap_dir/hole.nbt" --design radix --json |
	jq -c '.rows[0] | [.complete, .lost_blocks]')" "[true,1]"
check_has "and that is said, too" "$(cat "$tap_dir/stderr")" "damaged blocks"
tap_end
