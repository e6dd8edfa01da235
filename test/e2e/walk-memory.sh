#!/bin/bash
# How much memory `nestbox walk` takes for a program that touches all over
# 128 GiB: with computed frames as good as none, whatever is touched; with
# allocated ones at most 16 bytes a touched page and dimension. Takes some
# seconds.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}
export NESTBOX_CACHE=$tap_dir/cache
trace=$tap_dir/gups.nbt
must=$((200 * 1024)) # KiB

"$nestbox" capture --synth gups:128g --limit 2m -o "$trace" 2>"$tap_dir/stderr"
check_is "a trace of 128 GiB" "$(cat "$tap_dir/stderr")" ""

# take ENV FRAMES: a row, to $tap_dir/row; $kib = memory, $pages = touched, in
# all dimensions.
take() {
	kib=$(build/test/e2e/maxrss "$nestbox" walk "$trace" --design radix \
		--env "$1" --frames "$2" --jobs 1 --quiet --json \
		2>&1 >"$tap_dir/row")
	pages=$(jq '.rows[0].frame_bytes / 4096' "$tap_dir/row")
}

for env in native nested; do
	take $env computed
	computed=$kib
	check "$env, computed: $kib KiB" test "$kib" -le $must
	check "$env, computed: many pages" test "$pages" -ge 700000
	take $env buddy
	bytes=$(((kib - computed) * 1024 / pages))
	check "$env, buddy: $bytes bytes a page" test $bytes -le 16
done
tap_end
