#!/bin/bash
# Guests of L1's KVM on nestbox.elf, with 2 CPUs below and in each: two at once
# under load, which must not lose a tick or an IPI, and guests that are killed
# and reset over and over, which must not cost L0 a page. Seconds: $LOAD_SECONDS
# (600) for each kind of guest and $LOOP_SECONDS (300) for each loop, in real
# time, which L1's clock shows here: on a busy machine less happens in it.
# $GUESTS: which of linux, bare, kill and reset (all).
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}
load=${LOAD_SECONDS:-600} loop=${LOOP_SECONDS:-300}
late=120000	# ms; an event that is lost never comes, others may take long

# in_l1 SECONDS WORD...: test/e2e/guests.sh in L1; sets output.
in_l1() {
	local seconds=$1 start=$SECONDS
	shift
	output=$(timeout $((seconds + 1800)) "$nestbox" run --stack 1n \
		--cpus 2 --fast --mem 1700,1500 --timeout 0 \
		--put test/e2e/guests.sh --put "$tap_dir/l2check.cpio" \
		--put build/test/e2e/l1user \
		--put build/guest/test/lost.elf \
		--put build/guest/test/exitcode.elf -- \
		bash guests.sh "$@" 2>"$tap_dir/err")
	check_is "$1: status" "$?" 0
	echo "# $*: $((SECONDS - start)) s here, with the start of L1"
	sed -E '/^(shadow|(one|other): (1\.\.|ok))/d; s/^/# /' <<<"$output"
}

# What L0 has free as L1 starts and ends, from its console.
free_pages() {
	sed -nE 's/^L0\|.* ([0-9]+) pages free$/\1/p' "$tap_dir/err"
}

# Pages of NPT02 after each turn of a loop; more than 0 evictions: none.
shadow_pages() {
	sed -nE 's/^shadow: ([0-9]+) of [0-9]+ pages, 0 evictions$/\1/p' \
		<<<"$output"
}

# NPT02's tables of a guest that is gone go when L1 writes to their pages again,
# so what it holds levels off: a leak of each guest's 8 to 15 would double it
# from the first half of the turns to the second.
shadow_stays() {
	shadow_pages | awk '
		{ n[NR] = $1 }
		END {
			for (i = 1; i <= NR; i++) {
				half = i > NR / 2
				if (n[i] > most[half])
					most[half] = n[i]
			}
			printf "pages of NPT02: %d, then %d\n", most[0], most[1]
			exit !(NR > 2 && most[1] <= 1.5 * most[0] + 16)
		}'
}

check_pages() {
	local pages

	mapfile -t pages < <(free_pages)
	check_is "$1: two lines of free pages" "${#pages[@]}" 2
	check_is "$1: L0's free pages at the end" "${pages[1]-}" "${pages[0]-}"
	check_is "$1: NPT02 has never been full" \
		"$(shadow_pages | wc -l)" "$(grep -c ^shadow: <<<"$output")"
	check_is "$1: L0's counts add up" \
		"$(grep 'do not add up' "$tap_dir/err")" ""
}

run_linux() {
	local name good="late 0, backwards 0, lost 0"

	in_l1 "$load" linux "$load" "$late"
	for name in one other; do
		check_has "linux, $name: nothing lost" "$output" \
			"^$name: l2check: ok"
		check_has "linux, $name: counts" "$output" \
			"^$name: l2check: in all 2 .* $good"
		check_has "linux, $name: many IPIs came, on both CPUs" \
			"$output" "^$name: l2check: CAL: +[0-9]{3,} +[0-9]{3,} "
	done
	check_pages linux
}

run_bare() {
	local name

	in_l1 "$load" bare "$load" "$late"
	for name in one other; do
		check_is "bare, $name: nothing lost, nothing twice" \
			"$(grep -c "^$name: ok " <<<"$output")" 3
	done
	check_pages bare
}

# run_loop WHAT PATTERN: of the line that says how often.
run_loop() {
	local stage

	in_l1 "$loop" "$1" "$loop"
	for stage in early kernel user; do
		check_has "$1: $stage" "$output" \
			"^$2 [0-9]+: .* [1-9][0-9]* $stage"
	done
	check_pages "$1"
	check "$1: NPT02 grows no more" shadow_stays
}

cp build/test/e2e/l2check "$tap_dir/"
(cd "$tap_dir" && echo l2check | cpio --quiet -o -H newc >l2check.cpio)
for what in ${GUESTS:-linux bare kill reset}; do
	case $what in
	linux) run_linux ;;
	bare) run_bare ;;
	kill) run_loop kill killed ;;
	reset)
		run_loop reset resets
		check_has "reset: the other guest, by itself" "$output" \
			'^crashes [1-9]'
		;;
	*) check "what is $what?" false ;;
	esac
done
tap_end
