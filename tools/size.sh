#!/bin/bash
# How big the project is: code lines (no comments, no blank lines) per folder
# and, with a budget, of the hypervisor's parts; and the sections of what is
# built. Called by `make size`, which builds first; needs git, awk and size.
# Reads $B (build).
set -euo pipefail
cd "$(dirname "$0")/.."
build=${B:-build}
budget=6000 # lines of hv/'s core, without hv/boot

usage() {
	cat <<-EOF
	usage: tools/size.sh [--help]
	Prints code lines per folder and section sizes of what is in $build.
	Says whether the hypervisor's core, without and with nesting, is within
	its budget of $budget lines.
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

# The core is what nestbox-flat.elf is made of; nestbox.elf has hv/nested in
# place of one of its files.
parts() {
	awk -v budget="$budget" '
	$2 !~ /^hv\/.*\.([chS]|ld)$/ { next }
	$2 ~ /^hv\/boot\// { boot += $1; next }
	$2 ~ /^hv\/nested\// { nested += $1; next }
	$2 == "hv/nested_none.c" { none = $1 }
	{ core += $1 }
	function row(name, lines, left) {
		left = budget - lines
		printf "%-38s %6d %7d  %s\n", name, lines, budget,
			left < 0 ? "EXCEEDED by " (-left) : left " left"
	}
	END {
		printf "\n%-38s %6s %7s\n", "hypervisor, without hv/boot",
			"lines", "budget"
		row("core, nestbox-flat.elf: hv, hv/svm", core)
		printf "%-38s %6d\n", "nesting: hv/nested", nested
		row("core and nesting, nestbox.elf",
			core - none + nested)
		printf "%-38s %6d\n", "beside them: hv/boot", boot
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
