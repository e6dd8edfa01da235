#!/bin/bash
# Static checks of everything that is in git (or could be added to it). Called
# by `make lint`, and by `make test` with --quick. Needs the lint packages of
# tools/deps.sh; leaves build-gcc and build-clang. One line per check, details
# only of those that fail.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
jobs=$(nproc)
passed=0
failed=0
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
trap 'exit 130' INT TERM

usage() {
	cat <<-EOF
	usage: tools/lint.sh [--help] [--quick | CHECK...]
	Checks: ${all_checks[*]}
	  --quick   not gcc and clang, whose warnings the ordinary build
	            and tidy have, and tidy without test/
	EOF
}

quick_checks=(format tidy cppcheck shell spelling headers backends limits)
all_checks=("${quick_checks[@]}" gcc clang)

# files PATTERN...: the project's files, those not added yet too.
files() {
	git ls-files --cached --others --exclude-standard -- "$@" |
		while read -r file; do [ ! -f "$file" ] || echo "$file"; done
}

scripts() {
	files | while read -r file; do
		case $file in
		*.sh) echo "$file"; continue ;;
		esac
		if head -c 60 "$file" | grep -aqE -m 1 '^#! ?/bin/(ba)?sh'; then
			echo "$file"
		fi
	done
}

check_format() {
	files '*.c' '*.h' | xargs clang-format --dry-run -Werror
}

# Each C file with the flags that the Makefile compiles it with (the first
# ones, if it is compiled twice): "FILE FLAGS".
compile_commands() {
	make -n -B -k CC=clang all "${test_objects[@]}" 2>/dev/null |
		sed -nE 's/^clang (.*) -c -o [^ ]+ ([^ ]+\.c)$/\2 \1/p' |
		sed -E 's/ -MMD -MP//' | awk '!seen[$1]++' |
		if [ "$quick" ]; then grep -v '^test/'; else cat; fi
}

check_tidy() {
	compile_commands >"$log/commands"
	[ -s "$log/commands" ] || { echo "make names no C files"; return 1; }
	xargs -P "$jobs" -I {} sh -c '
		set -- {}
		file=$1
		shift
		clang-tidy --quiet "$file" -- "$@" >"$0.$$" 2>&1 ||
			{ grep -v "warnings\? generated" "$0.$$"; exit 1; }
	' "$log/tidy" <"$log/commands"
}

# The ends of what assembly defines are different objects to cppcheck.
check_cppcheck() {
	files '*.c' | xargs cppcheck -q -j "$jobs" -I . --std=c11 \
		--platform=unix64 --enable=warning,performance,portability \
		--library=tools/cppcheck.cfg --inline-suppr \
		--suppress=missingIncludeSystem \
		--suppress='comparePointers:guest/*' \
		--error-exitcode=1
}

# Off: single quotes around what an inner shell or awk expands (SC2016), and
# functions that are only called by name, through `check` or `logged` (SC2317).
check_shell() {
	scripts | xargs shellcheck -x -e SC2016,SC2317
}

check_spelling() {
	files | xargs codespell -L ist,nd,selfs,upto
}

# Every header compiles alone, and twice.
check_headers() {
	local header status=0
	while read -r header; do
		printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
			gcc -std=gnu11 -D_GNU_SOURCE -I. -Wall -Wextra \
				-iquote walk/isa/portable -mavx512bw \
				-mavx512vl -Werror -fsyntax-only -x c - ||
			status=1
	done < <(files '*.h')
	return $status
}

# Only hv/svm knows SVM. hv/main.c has two lines more: it includes the header
# that declares the backend and names the backend in its table. hv/nested
# emulates SVM for L1: it knows the VMCB, but no backend.
check_backends() {
	local knows='#[ \t]*include.*["/](svm|vmx)/'
	knows+='|#[ \t]*include.*(vmcb|vmcs|svm_insn)[.]h|(svm|vmx)_ops'
	files 'hv/*.[chS]' 'lib/*.[chS]' | grep -vE '^hv/(svm|vmx)/' |
		xargs awk -v knows="$knows" '
	$0 !~ knows { next }
	FILENAME == "hv/main.c" && /^#include "hv\/svm\/svm.h"$/ { next }
	FILENAME ~ /^hv\/nested\// { next } # AMD SVM for L1, on AMD SVM
	FILENAME == "hv/main.c" && /^\t\{.*, &svm_ops\},$/ && !chosen++ { next }
	{ print FILENAME ":" FNR ": knows a backend: " $0; status = 1 }
	END { exit status }'
}

# No file over 800 lines, no function over 70, no line over 80 columns.
check_limits() {
	{
		scripts
		files '*.[chS]' '*.mk' '*.ld' Makefile 'tools/[a-z]*[^g]'
	} | sort -u | xargs awk '
	function bad(text) {
		print FILENAME ":" FNR ": " text
		status = 1
	}
	FNR == 1 { start = 0 }
	FNR == 801 { bad("more than 800 lines") }
	/^\{$/ || /^(sub )?[a-z_0-9]+ ?(\(\))? \{$/ { start = FNR }
	/^\}/ {
		if (start && FNR - start > 70)
			bad("a function of " FNR - start " lines")
		start = 0
	}
	{
		line = $0
		while ((tab = index(line, "\t")) > 0)
			line = substr(line, 1, tab - 1) \
				sprintf("%*s", 8 - (tab - 1) % 8, "") \
				substr(line, tab + 1)
		if (length(line) > 80) bad("more than 80 columns")
	}
	END { exit status }'
}

check_gcc() {
	make -j "$jobs" B=build-gcc CC=gcc all "${test_objects[@]}"
}

check_clang() {
	make -j "$jobs" B=build-clang CC=clang all "${test_objects[@]}"
}

run_check() {
	local name=$1 start=$SECONDS result=ok
	if "check_$name" >"$log/$name" 2>&1; then
		passed=$((passed + 1))
	else
		result=FAIL
		failed=$((failed + 1))
	fi
	printf '%-4s %-10s %4d s\n' $result "$name" $((SECONDS - start))
	[ $result = ok ] || sed 's/^/    /' "$log/$name"
}

# The target that builds the test programs without running them.
test_objects=()
! make -n build-tests >/dev/null 2>&1 || test_objects=(build-tests)

quick=
case ${1:-} in
--help) usage; exit 0 ;;
--quick)
	quick=1
	set -- "${quick_checks[@]}"
	;;
'') set -- "${all_checks[@]}" ;;
esac
for name; do
	if ! declare -F "check_$name" >/dev/null; then
		usage >&2
		exit 2
	fi
	run_check "$name"
done
[ -z "${NESTBOX_SUMMARY:-}" ] ||
	echo "lint $passed $failed 0" >>"$NESTBOX_SUMMARY"
[ $failed = 0 ]
