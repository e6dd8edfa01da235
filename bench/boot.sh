#!/bin/bash
# What nestbox.elf costs the boot of a Linux: the instructions from power-on to
# power-off of Debian on the bare emulated CPU and as L1, with the same memory.
# A row repeats to the digit; rows differ because sizes of memory shift what
# Linux does when.
set -euo pipefail
cd "$(dirname "$0")/.."
read -ra sizes <<<"${SIZES:-512 576 640 704 768}" # MiB
block=66 # what L0 keeps: 64 MiB, aligned to 2 MiB
counts=$(mktemp)
trap 'rm -f "$counts"' EXIT

# boot ARGUMENT...: instructions of L0 and L1.
boot() {
	build/nestbox run --exact --counts "$counts" "$@" -- true 2>/dev/null
	awk '/^columns/ { for (i = 2; i <= NF; i++) column[$i] = i + 1 }
		/^end/ { end = 1 }
		end && /^cpu/ { n += $column["insns.0"] + $column["insns.1"] }
		END { printf "%d\n", n }' "$counts"
}

ratios=()
printf '%-8s %15s %15s %8s\n' memory bare nestbox.elf ratio
for size in "${sizes[@]}"; do
	bare=$(boot --stack 0 --mem "$size")
	l1=$(boot --stack 1n --mem "$((size + block)),$((size + block - 128))")
	ratios+=("$(awk "BEGIN { printf \"%.5f\", $l1 / $bare }")")
	printf '%4d MiB %15d %15d %8s\n' "$size" "$bare" "$l1" "${ratios[-1]}"
done
printf '%-8s %40s\n' median "$(printf '%s\n' "${ratios[@]}" | sort |
	sed -n "$(((${#ratios[@]} + 1) / 2))p")"
