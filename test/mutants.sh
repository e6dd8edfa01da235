#!/bin/bash
# Seeded faults: whether the tests find them. Each of test/mutants.list is put
# into a copy of the sources, alone, and the test that is named there has to
# fail; without the fault it has to pass. Survivors are what the tests miss.
# shellcheck source=test/tap.sh
. test/tap.sh

usage() {
	cat <<'END'
Usage: test/mutants.sh [NAME...]
Build nestbox.elf or a unit test with each fault of test/mutants.list (or just
those named) and run the test that has to find it. Prints TAP; fails if a fault
survives, or is not to be put into its file any more.

      --list                 Print the names
  -h, --help                 Give this help list
END
}

list=test/mutants.list
tree=$tap_dir/tree

names() {
	awk '!/^#/ && NF == 1 && was == "" { print } { was = $0 }' "$list"
}

# field NAME FIELD: its value
field() {
	awk -v name="$1" -v field="$2" '
		$0 == "" { found = 0 }
		$0 == name { found = 1 }
		found && $1 == field { sub(/^[a-z]+ ?/, ""); print }' "$list"
}

# What is built is copied with its times, so only the mutated file is again.
copy_tree() {
	mkdir "$tree" && git ls-files -z |
		xargs -0 cp -p --parents -t "$tree" &&
		cp -a "${B:-build}" "$tree/build"
}

# mutate FILE FROM TO: in the copy. Fails if FROM is not there just once.
mutate() {
	FROM=$2 TO=$3 perl -0pi -e '
		END { exit($n != 1) }
		$n = s/\Q$ENV{FROM}\E/$ENV{TO}/g' "$tree/$1"
}

# build PROGRAM: what a run of it needs.
build() {
	local what=build/nestbox.elf
	[[ $1 != t-* ]] || what=build/san/unit/$1
	make -C "$tree" --no-print-directory -j "$(nproc)" B=build CFLAGS=-w \
		"$what"
}

# run PROGRAM TEST [CPU [CPUS]]: its lines, in $tap_dir/lines
run() {
	: >"$tap_dir/lines"
	if [[ $1 == t-* ]]; then
		CMOCKA_MESSAGE_OUTPUT=TAP timeout 120 \
			"$tree/build/san/unit/$1" >"$tap_dir/lines" 2>&1
	else
		(cd "$tree" && timeout 120 build/nestbox run --stack 1n \
			--cpu "${3:-EPYC}" --cpus "${4:-1}" --timeout 60 \
			--guest "build/guest/test/$1.elf" --append "only=$2" \
			--serial "$tap_dir/lines") >/dev/null 2>&1
	fi
}

# result PROGRAM TEST [CPU [CPUS]]: ok, failed, or none: there is no such test,
# or it has not come to an end
result() {
	run "$@"
	if grep -qE "^not ok [0-9]+ - $2"$'\r?$' "$tap_dir/lines"; then
		echo failed
	elif grep -qE "^ok [0-9]+ - $2"$'\r?$' "$tap_dir/lines"; then
		echo ok
	else
		echo none
	fi
}

declare -A passes

# Once for each test.
passes_without() {
	local test=$1 words
	read -ra words <<<"$test"
	if [ -z "${passes[$test]:-}" ]; then
		build "${words[0]}" >"$tap_dir/log" 2>&1 || cat "$tap_dir/log"
		passes[$test]=$(result "${words[@]}")
	fi
	[ "${passes[$test]}" = ok ] || {
		echo "$test without a fault: ${passes[$test]}"
		return 1
	}
}

# With the fault in.
fails_with() {
	local words found
	read -ra words <<<"$1"
	build "${words[0]}" || return
	found=$(result "${words[@]}")
	echo "$1: $found"
	cat "$tap_dir/lines"
	[ "$found" = failed ] || [ "$found" = none ]
}

# is_killed NAME
is_killed() {
	local file test status=0
	file=$(field "$1" file)
	test=$(field "$1" test)
	passes_without "$test" || return
	mutate "$file" "$(field "$1" from)" "$(field "$1" to)" || {
		echo "$file has not just one: $(field "$1" from)"
		status=1
	}
	[ "$status" = 1 ] || fails_with "$test" || status=1
	cp "$file" "$tree/$file"
	return "$status"
}

case ${1:-} in
-h | --help) usage; exit ;;
--list) names; exit ;;
-*) usage >&2; exit 2 ;;
esac
all=("$@")
[ $# -gt 0 ] || mapfile -t all < <(names)
check "the sources are copied" copy_tree
for name in "${all[@]}"; do
	check "$name: $(field "$name" test)" is_killed "$name"
done
killed=$((${#all[@]} - tap_failed))
echo "# $killed of ${#all[@]} faults killed"
tap_end
