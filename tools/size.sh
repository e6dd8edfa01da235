#!/bin/bash
# How big the project is: code lines (no comments, no blank lines) per folder,
# and the sections of what is built. Called by `make size`, which builds first;
# needs git, awk and size. Reads $B (build).
set -euo pipefail
cd "$(dirname "$0")/.."
build=${B:-build}

usage() {
	cat <<-EOF
	usage: tools/size.sh [--help]
	Prints code lines per folder and section sizes of what is in $build.
	EOF
}

case ${1:-} in
'') ;;
--help) usage; exit 0 ;;
*) usage >&2; exit 2 ;;
esac

# Comments are /* */ on lines of their own, //, and # in everything but C.
code_lines() {
	git ls-files --cached --others --exclude-standard |
		grep -E '\.([chS]|def|sh|mk|ld|pl)$|^tools/|^Makefile|level/' |
		while read -r file; do [ ! -f "$file" ] || echo "$file"; done |
		xargs awk '
	FNR == 1 {
		comment = 0
		c = FILENAME ~ /\.([chS]|def|ld)$/
		folder = FILENAME
		if (!sub(/\/[^\/]*$/, "", folder)) folder = "."
		files[folder]++
	}
	{ line = $0; gsub(/^[ \t]+|[ \t]+$/, "", line) }
	comment { if (line ~ /\*\//) comment = 0; next }
	c && line ~ /^\/\*/ { comment = line !~ /\*\//; next }
	line == "" || (c && line ~ /^\/\//) || (!c && line ~ /^#/) { next }
	{ lines[folder]++; total++ }
	END {
		for (f in files)
			printf "%6d lines %4d files  %s\n", lines[f],
				files[f], f | "sort -k 5"
		close("sort -k 5")
		printf "%6d lines of code\n", total
	}'
}

sections() {
	local built=()
	mapfile -t built < <(find "$build" -maxdepth 3 -type f \
		\( -name '*.elf' -o -name '*.so' -o -name nestbox \) \
		2>/dev/null | sort)
	[ ${#built[@]} -gt 0 ] || { echo "nothing is built in $build"; return; }
	echo
	size "${built[@]}"
}

code_lines
sections
