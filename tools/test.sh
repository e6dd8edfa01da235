#!/bin/bash
# Runs the suites one after another, each a target of the Makefile, and prints
# the sums of their results as the very last line. Called by `make test` and
# through it by .ci/run; needs what tools/deps.sh lists and what `make images`
# leaves. Suites report through the file $NESTBOX_SUMMARY (tools/run-tap -s).
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
	cat <<-EOF
	usage: tools/test.sh [--help] [SUITE...]
	Suites are targets of the Makefile that run tests: check, check-guest,
	lint-quick (these three without arguments), lint, check-long, bochs.
	Status 0 if nothing failed.
	EOF
}

case ${1:-} in
--help) usage; exit 0 ;;
-*) usage >&2; exit 2 ;;
esac
[ $# -gt 0 ] || set -- check lint-quick check-guest

summary=$(mktemp)
trap 'rm -f "$summary"' EXIT
export NESTBOX_SUMMARY=$summary

sum() {
	awk '{ passed += $2; failed += $3; skipped += $4 }
		END { printf "%d passed, %d failed, %d skipped\n",
			passed, failed, skipped }'
}

# A suite that fails without a failed test (it did not even build) counts as
# one failure; one that reports nothing at all, too.
run_suite() {
	local suite=$1 status=0 before start=$SECONDS
	before=$(wc -l <"$summary")
	echo "== $suite"
	"${MAKE:-make}" --no-print-directory "$suite" </dev/null || status=$?
	tail -n +$((before + 1)) "$summary" | awk -v status="$status" '
		{ failed += $3 }
		END { exit NR == 0 || (status != 0 && failed == 0) }' ||
		echo "$suite 0 1 0" >>"$summary"
	echo "== $suite: $(tail -n +$((before + 1)) "$summary" | sum)," \
		"$((SECONDS - start)) s"
}

for suite; do
	run_suite "$suite"
done
sum <"$summary"
awk '{ failed += $3 } END { exit failed > 0 }' "$summary"
