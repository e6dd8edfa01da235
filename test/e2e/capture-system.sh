#!/bin/bash
# `nestbox capture --system`: a planted program's accesses with their physical
# addresses, told apart by address space and by program and kernel.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}
planted=build/test/e2e/planted_system

# capture NAME OPTION... -- COMMAND...
capture() {
	"$nestbox" capture --system -o "$tap_dir/$1.nbt" "${@:2}" \
		2>"$tap_dir/$1.err"
}

# "PROCESS THREAD KIND ADDRESS PHYSICAL" of each access.
accesses() {
	"$nestbox" capture --dump "$tap_dir/$1.nbt" | awk '
		/^@/ { split($2, who, ".") }
		/^ / {
			split($2, at, ",")
			print who[1], who[2], $1, at[1], $3
		}'
}

info() {
	"$nestbox" capture --json --info "$tap_dir/$1.nbt" | jq -c "$2"
}

status=0
frames=$(capture all --marked --put "$planted" -- ./planted_system) ||
	status=$?
check_is "status of the program" "$status" 42
check_is "what it says" "$(printf '%s\n' "$frames" | cut -d ' ' -f 1 | uniq -c |
	xargs)" "8 child 8 parent"
check "the trace is whole" "$nestbox" capture --verify "$tap_dir/all.nbt"
accesses all >"$tap_dir/accesses"

# Stores of the program's own code to planted pages: which, in which order.
printf '%s\n' "$frames" | awk -v list="$tap_dir/accesses" '
	{ va[NR] = $2; pa[NR] = $3 }
	function low(text) { return substr(text, length(text) - 2) }
	function page(text) { return substr(text, 1, length(text) - 3) }
	END {
		for (i = 1; i <= NR; i++)
			mine[page(va[i])] = 1
		while ((getline <list) > 0)
			if ($3 == "S" && $2 % 2 == 0 && page($4) in mine)
				print $1, page($4) "000", page($5) "000",
					low($4), low($5)
	}' >"$tap_dir/stores"
check_is "planted stores: pages and frames, in their order" \
	"$(cut -d ' ' -f 2,3 "$tap_dir/stores")" \
	"$(printf '%s\n' "$frames" | cut -d ' ' -f 2,3)"
offsets="000 008 010 018 020 028 030 038"
check_is "planted stores: offsets" \
	"$(cut -d ' ' -f 4 "$tap_dir/stores" | xargs)" "$offsets $offsets"
check_is "physical offsets are the same" \
	"$(awk '$4 != $5' "$tap_dir/stores")" ""
check_is "two address spaces" "$(cut -d ' ' -f 1 "$tap_dir/stores" | uniq |
	wc -l)" 2
check_is "the parent's is the first" "$(tail -n 1 "$tap_dir/stores" |
	cut -d ' ' -f 1)" 0
check_is "threads: the space's number by two, one more for the kernel" \
	"$(awk '$2 != 2 * $1 && $2 != 2 * $1 + 1' "$tap_dir/accesses")" ""
check_has "the kernel's accesses for the program" \
	"$(awk '$2 == 1' "$tap_dir/accesses" | wc -l)" '^[0-9]{3,}$'
check_is "the program touches none of the kernel's half" \
	"$(awk '$2 % 2 == 0 && length($4) == 16' "$tap_dir/accesses")" ""
check_is "physical addresses are recorded" "$("$nestbox" capture --info \
	"$tap_dir/all.nbt" | grep -c 'virtual and physical')" 1
rows=$("$nestbox" walk "$tap_dir/all.nbt" --design all --env \
	native,virt,nested --pages 4k --json 2>/dev/null)
check_is "walk runs all of it" "$(printf '%s' "$rows" | jq '[.rows[] | select(
	.failed == null and (.refused != null or .walks > 0))] | length')" 18

# Another run, from the 1001st access on: the same ones, exactly.
status=0
capture part --marked --skip 1000 --limit 5000 --window 10 --every 50 \
	--put "$planted" -- ./planted_system >/dev/null || status=$?
check_is "limit: status" "$status" 0
check_is "limit: exact" "$(info part .accesses)" 5000
check_is "skip and windows: the same accesses in another run" \
	"$(accesses part | md5sum)" "$(awk 'NR > 1000 &&
		(NR - 1001) % 50 < 10' "$tap_dir/accesses" | head -n 5000 |
		md5sum)"

# A program without markers is recorded from its execve() to its end.
check_is "a program of Debian's" "$(capture echo -- echo word)" word
check_has "a program of Debian's: its execve() and more" \
	"$(info echo '[.accesses > 100000, .events.mark]')" '^\[true,2\]$'

# Errors
check_fails 1 "no marker" "$nestbox" capture --system --marked \
	-o "$tap_dir/no.nbt" -- true
check "no marker: nothing is left" test ! -e "$tap_dir/no.nbt"
check_fails 1 "nowhere to write" "$nestbox" capture --system \
	-o /no/such/t.nbt -- true
check_fails 1 "full disk" "$nestbox" capture --system --raw -o /dev/full -- \
	echo word
check_fails 2 "--put without --system" "$nestbox" capture --put "$planted" \
	-o "$tap_dir/no.nbt" -- true
"$nestbox" capture --system -o "$tap_dir/end.nbt" -- yes >/dev/null 2>&1 &
child=$!
for _ in {1..600}; do
	[ "$(stat -c %s "$tap_dir"/end.nbt.*part 2>/dev/null || echo 0)" -gt \
		100000 ] && break
	sleep 0.2
done
kill -TERM $child
wait $child
check "stopped: the trace is whole" "$nestbox" capture --verify \
	"$tap_dir/end.nbt"
check_is "stopped: nothing else is left" \
	"$(find "$tap_dir" -name '*.part')" ""
tap_end
