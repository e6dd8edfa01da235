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

# record NAME OPTIONS COMMAND...
record() {
	local name=$1 options=$2
	shift 2
	# shellcheck disable=SC2086 # words
	timeout 60 "$build/nestbox" capture -o "$folder/$name.nbt" $options \
		-- "$@" >/dev/null
}

record gcc "--skip 10m --limit 10m" \
	gcc -O2 -I. -D_GNU_SOURCE -c -o /dev/null lab/walk_table.c
record btree "--marked --limit 10m" "$build/workload/btree" -s 256m -n 400000
cd "$folder"
"$OLDPWD/$build/nestbox" walk gcc.nbt btree.nbt
