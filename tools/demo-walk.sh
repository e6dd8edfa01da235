#!/bin/bash
# Part of `make demo`: records a compiler, and a program that looks up random
# places of a large tree, and simulates how each design of address translation
# serves them, natively, in a guest, and in a guest's guest. Under two minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${B:-build}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# record NAME COUNTS COMMAND...
record() {
	local name=$1 counts=$2
	shift 2
	# shellcheck disable=SC2086 # two options
	timeout 60 "$build/nestbox" capture -o "$folder/$name.nbt" $counts \
		-- "$@" >/dev/null
}

record gcc "--skip 10m --limit 10m" \
	gcc -O2 -I. -D_GNU_SOURCE -c -o /dev/null lab/walk_table.c
record btree "--limit 10m" "$build/workload/btree" -s 1g -n 400000
cd "$folder"
"$OLDPWD/$build/nestbox" walk gcc.nbt btree.nbt
