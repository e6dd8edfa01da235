# shellcheck shell=bash
# TAP for tests in bash. A test sources it as "test/tap.sh" (suites run in the
# repository's top folder) and calls, in any order:
#
#   plan_skip REASON             nothing here can run: skips the whole file
#   check NAME COMMAND...        passes if COMMAND succeeds
#   check_fails STATUS NAME COMMAND...   passes if it exits with STATUS
#   check_is NAME GOT WANTED     passes if both strings are equal
#   check_has NAME GOT PATTERN   passes if a line of GOT matches the ERE
#   check_payload NAME FILE ARGUMENT...   three checks: build/guest/test/
#                                FILE.elf, which prints TAP, by `nestbox run`
#   skip NAME REASON             counts as skipped
#   tap_end                      prints the plan; the last line of every test
#
# COMMAND's output is shown if it fails. $tap_dir is a temporary folder that
# goes away at the end. A test that ends before tap_end has no plan and fails.
set -u
tap_count=0
tap_failed=0
tap_dir=$(mktemp -d)
trap 'rm -rf "$tap_dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

plan_skip() {
	echo "1..0 # SKIP $*"
	exit 0
}

# tap_result STATUS NAME: one line; on failure stdin follows as comments.
tap_result() {
	tap_count=$((tap_count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_count - $2"
		return
	fi
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $2"
	sed 's/^/# /'
}

check() {
	local name=$1 status=0
	shift
	"$@" >"$tap_dir/output" 2>&1 </dev/null || status=$?
	tap_result "$status" "$name" <"$tap_dir/output"
}

check_fails() {
	local want=$1 name=$2 status=0
	shift 2
	"$@" >"$tap_dir/output" 2>&1 </dev/null || status=$?
	echo "status $status, expected $want" >>"$tap_dir/output"
	[ "$status" = "$want" ]
	tap_result $? "$name" <"$tap_dir/output"
}

check_is() {
	[ "$2" = "$3" ]
	tap_result $? "$1" < <(printf 'got:      %s\nexpected: %s\n' "$2" "$3")
}

check_has() {
	printf '%s\n' "$2" | grep -qE -- "$3"
	tap_result $? "$1" < <(printf 'no match for %s in:\n%s\n' "$3" "$2")
}

check_payload() {
	local name=$1 file=$2 output status=0
	shift 2
	output=$("${NESTBOX:-build/nestbox}" run "$@" \
		--guest "build/guest/test/$file.elf" 2>/dev/null) || status=$?
	check_is "$name: status" "$status" 0
	check_has "$name: plan" "$output" '1\.\.[0-9]+'
	check_is "$name: no failure" \
		"$(printf '%s\n' "$output" | grep 'not ok')" ""
}

skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

tap_end() {
	echo "1..$tap_count"
	exit $((tap_failed > 0))
}
