#!/bin/bash
# How big the project is: code lines (no comments, no blank lines) per folder
# and, with a budget, of the hypervisor's parts; and the sections of what is
# built. Called by `make size`, which builds first; needs git, awk and size.
# Reads $B (build).
set -euo pipefail
cd "$(dirname "$0")/.."
build=${B:-build}
budget=6000 # lines of hv/ without hv/boot

usage() {
	cat <<-EOF
	usage: tools/size.sh [--help]
	Prints code lines per folder and section sizes of what is in $build.
	Says so if the hypervisor has more lines than its budget of $budget.
	EOF
}

case ${1:-} in
'') ;;
--help) usage; exit 0 ;;
*) usage >&2; exit 2 ;;
esac

# Comments are /* */ on lines of their own, //, and # in everything but C. A
# line per file: lines of code, the file.
code_lines() {
	git ls-files --cached --others --exclude-standard |
		grep -E '\.([chS]|def|sh|mk|ld|pl)$|^tools/|^Makefile|level/' |
		while read -r file; do [ ! -f "$file" ] || echo "$file"; done |
		xargs awk '
	FNR == 1 {
		comment = 0
		c = FILENAME ~ /\.([chS]|def|ld)$/
		lines[FILENAME] = 0
	}
	{ line = $0; gsub(/^[ \t]+|[ \t]+$/, "", line) }
	comment { if (line ~ /\*\//) comment = 0; next }
	c && line ~ /^\/\*/ { comment = line !~ /\*\//; next }
	line == "" || (c && line ~ /^\/\//) || (!c && line ~ /^#/) { next }
	{ lines[FILENAME]++ }
	END { for (f in lines) print lines[f], f }'
}

# folders, parts: of code_lines' output.
folders() {
	awk '
	{
		folder = $2
		if (!sub(/\/[^\/]*$/, "", folder)) folder = "."
		files[folder]++
		lines[folder] += $1
		total += $1
	}
	END {
		for (f in files)
			printf "%6d lines %4d files  %s\n", lines[f],
				files[f], f | "sort -k 5"
		close("sort -k 5")
		printf "%6d lines of code\n", total
	}'
}

parts() {
	awk -v budget="$budget" '
	$2 !~ /^hv\/.*\.([chS]|ld)$/ { next }
	$2 ~ /^hv\/boot\// { boot += $1; next }
	$2 ~ /^hv\/nested(\/|\.h$)/ { nested += $1; next }
	$2 == "hv/nested_none.c" { next } # not in nestbox.elf
	{ core += $1 }
	END {
		over = core + nested > budget
		printf "\n%-26s %8s %8s\n", "hypervisor", "lines", "budget"
		printf "%-26s %8d\n", "hv/boot", boot
		printf "%-26s %8d\n", "core: hv and hv/svm", core
		printf "%-26s %8d\n", "hv/nested", nested
		printf "%-26s %8d %8d%s\n", "core and nested",
			core + nested, budget, over ? "  EXCEEDED" : ""
	}'
}

# The hypervisor with and, if it is built (hv/hv.mk), without nesting.
hypervisor_sections() {
	local elf
	printf '\n%-18s %8s %8s %8s %8s\n' "bytes" .text .rodata .data .bss
	for elf in "$build"/nestbox.elf "$build"/nestbox-flat.elf; do
		[ ! -f "$elf" ] || size -A "$elf" | awk -v elf="${elf##*/}" '
		{ size[$1] = $2 }
		END {
			printf "%-18s %8d %8d %8d %8d\n", elf, size[".text"],
				size[".rodata"], size[".data"], size[".bss"]
		}'
	done
}

sections() {
	local built=()
	mapfile -t built < <(find "$build" -maxdepth 3 -type f \
		\( -name '*.elf' -o -name '*.so' -o -name nestbox \) \
		! -name 'nestbox*.elf' 2>/dev/null | sort)
	[ ${#built[@]} -gt 0 ] || { echo "nothing is built in $build"; return; }
	echo
	size "${built[@]}"
}

status=0
lines=$(code_lines)
folders <<<"$lines"
hypervisor_sections
sections
parts <<<"$lines" || status=1
exit $status
