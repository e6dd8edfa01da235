# shellcheck shell=bash
# shellcheck disable=SC2154 # tap_dir is tap.sh's
# The conformance suite of SVM, for tests in bash. Sourced after test/tap.sh.
#
# Its payloads are those of guest/test/ that end in l2_main(); each of their TAP
# lines is one assertion. What is known to fail where is in
# test/expected/PAYLOAD.PLATFORM.txt (PLATFORM: tcg, kvm, bochs or nestbox), a
# line for each:
#
#	ASSERTION [CPU] # why
#
# With CPU it is about that model only. A reason that begins with "hangs" is of
# an assertion that ends the payload: it is left out of the run. "#" alone
# begins a comment.
#
#   conformance_payloads                 their names
#   expected PAYLOAD PLATFORM CPU        the assertions listed there
#   hanging PAYLOAD PLATFORM CPU         "skip=A,B..." for a command line, or
#                                        nothing
#   judge PAYLOAD PLATFORM CPU OUTPUT    four checks: the payload's OUTPUT (a
#                                        file) ran to its end, no assertion
#                                        twice, and just those failed that are
#                                        listed
#   judge_skips PAYLOAD PLATFORM CPU OUTPUT PLATFORM...   the listed ones as
#                                        skipped, and a check: each is also
#                                        listed for one of the last PLATFORMs
#   judge_all_skips                      a check: of all assertions that
#                                        judge_skips has seen, 5 % at most

conformance_payloads() {
	grep -l 'return l2_main(' guest/test/*.c |
		sed 's:.*/::; s:\.c$::' | sort
}

# listed PAYLOAD PLATFORM CPU: "ASSERTION REASON"
listed() {
	local file=test/expected/$1.$2.txt
	[ ! -f "$file" ] || awk -F'[ \t]*#[ \t]*' -v cpu="$3" '
		split($1, word, /[ \t]+/) && (!(2 in word) || word[2] == cpu) {
			print word[1], $2
		}' "$file"
}

expected() {
	listed "$@" | cut -d' ' -f1 | sort
}

hanging() {
	listed "$@" | awk '$2 ~ /^hangs/ {
		list = list (list ? "," : "skip=") $1
	}
	END { printf "%s", list }'
}

# results OUTPUT PATTERN: the assertions whose lines match
results() {
	sed -nE "s/\r$//; /$2/s/^(not )?ok [0-9]+ - ([^ ]+).*/\2/p" "$1" | sort
}

judge() {
	local name="$1 on $2 $3" plan all
	plan=$(sed -nE 's/^1\.\.([0-9]+).*/\1/p' "$4")
	all=$(results "$4" '^(not )?ok ')
	expected "$1" "$2" "$3" >"$tap_dir/expected"
	{
		results "$4" '^not ok '
		results "$4" '# SKIP told to'
	} | sort >"$tap_dir/failed"
	check "$name: ran to its end" ran_to_end "$4" "${plan:-none}"
	check_is "$name: each assertion once" "$(uniq -d <<<"$all")" ""
	check_is "$name: all that fails is listed" \
		"$(comm -13 "$tap_dir/expected" "$tap_dir/failed")" ""
	check_is "$name: all that is listed fails" \
		"$(comm -23 "$tap_dir/expected" "$tap_dir/failed")" ""
}

# Shows the end of the output if not.
ran_to_end() {
	tail -n 5 "$1"
	[ "$(results "$1" '^(not )?ok ' | wc -l)" = "$2" ]
}

all_assertions=0
all_skips=0

judge_skips() {
	local payload=$1 platform=$2 cpu=$3 other name reason
	all_assertions=$((all_assertions +
		$(results "$4" '^(not )?ok ' | wc -l)))
	all_skips=$((all_skips +
		$(expected "$payload" "$platform" "$cpu" | wc -l)))
	shift 4
	for other; do
		expected "$payload" "$other" "$cpu"
	done | sort -u >"$tap_dir/others"
	check_is "$payload on $platform $cpu: all skips fail on $*, too" "$(
		expected "$payload" "$platform" "$cpu" |
			comm -23 - "$tap_dir/others"
	)" ""
	while read -r name reason; do
		skip "$payload on $platform $cpu: $name" "$reason"
	done < <(listed "$payload" "$platform" "$cpu")
}

judge_all_skips() {
	[ $all_assertions -gt 0 ] || return 0
	check "$all_skips of $all_assertions assertions skipped: at most 5 %" \
		[ $((all_skips * 20)) -le $all_assertions ]
}
