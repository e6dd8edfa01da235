#!/bin/bash
# What takes long of L2 and L3 on nestbox.elf: every machine of Debian's QEMU,
# both kernels, an L1 without nested paging, three levels; two guests at once
# under load, QEMU killed and guests reset over and over. KVM as L0 is the
# reference where it can do the same. Seconds: $LOAD_SECONDS (600) and
# $LOOP_SECONDS (300).
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}
load=${LOAD_SECONDS:-600} loop=${LOOP_SECONDS:-300}
late=20000	# ms; in real time, on a machine that others use

# linux STACK CPUS RELEASE ARGUMENT...: Debian innermost, with its CPUs.
linux() {
	local stack=$1 cpus=$2 release=$3 output status=0 name="$*"
	shift 3
	output=$("$nestbox" run --stack "$stack" --timeout 1200 "$@" -- \
		sh -c 'uname -a; nproc; exit 7' 2>"$tap_dir/err") || status=$?
	check_is "$name: status" "$status" 7
	check_has "$name: kernel" "$output" "^Linux l${stack%%[kn]*} $release"
	check_has "$name: CPUs" "$output" "^$cpus\$"
}

# all_machines STACK MACHINE...
all_machines() {
	local stack=$1 machine cpus
	shift
	for machine; do
		for cpus in 1 2; do
			linux "$stack" $cpus '6\.1\..*-amd64 ' \
				--cpus 1,1,$cpus --machine "$machine"
		done
	done
}

all_machines 2nk pc q35 microvm
if tools/kernels.sh >"$tap_dir/log" 2>&1; then
	for cpus in 1 2; do
		linux 2nk $cpus '6\.1\..*-686-pae ' --arch i386 \
			--cpus 1,1,$cpus
	done
	linux 1k 1 '6\.1\..*-686-pae ' --arch i386
else
	skip "--arch i386" "$(tail -n 1 "$tap_dir/log")"
fi
for cpus in 1 2; do
	linux 2nk $cpus '6\.1\..*-amd64 ' --hv svm=0xfffffffe \
		--cpus 1,1,$cpus
done
# SeaBIOS does not survive in L2 on KVM (doc/emulator.md).
all_machines 2kk microvm
linux 3nkk 1 '6\.1\..*-amd64 '
linux 3nnk 1 '6\.1\..*-amd64 '
check_fails 42 "exit code on 3nkk" "$nestbox" run --stack 3nkk \
	--guest build/guest/test/exitcode.elf --append code=42

if tools/identity.sh "$nestbox" 1n >"$tap_dir/identity" 2>&1; then
	check_is "L1 is Debian's, unmodified" \
		"$(grep -c '^same ' "$tap_dir/identity")" 5
elif grep -q '^DIFFERENT' "$tap_dir/identity"; then
	check "L1 is Debian's, unmodified" cat "$tap_dir/identity" -
else
	skip "L1 is Debian's" "$(tail -n 1 "$tap_dir/identity")"
fi

# L0's free pages at L1's start and end, from its console in $tap_dir/err.
free_pages() {
	sed -nE 's/^L0\|.* ([0-9]+) pages free$/\1/p' "$tap_dir/err"
}

# in_l1 SECONDS WORD...: test/e2e/guests.sh in L1 with 2 CPUs, in real time.
in_l1() {
	local seconds=$1
	shift
	timeout $((seconds + 900)) "$nestbox" run --stack 1n --cpus 2 --fast \
		--mem 1700,1500 --timeout 0 --put test/e2e/guests.sh \
		--put "$tap_dir/l2check.cpio" \
		--put build/guest/test/exitcode.elf -- \
		bash guests.sh "$@" 2>"$tap_dir/err"
}

# Once L1 has its pages, nothing that its guests do takes any for good.
check_free_pages() {
	local pages
	mapfile -t pages < <(free_pages)
	check_is "$1: two lines of free pages" "${#pages[@]}" 2
	check_is "$1: L0's free pages at the end" "${pages[1]-}" "${pages[0]-}"
}

cp build/test/e2e/l2check "$tap_dir/"
(cd "$tap_dir" && echo l2check | cpio --quiet -o -H newc >l2check.cpio)

output=$(in_l1 "$load" two "$load" $late)
check_is "two guests: status" "$?" 0
for name in one other; do
	check_has "two guests, $name: nothing lost" "$output" \
		"^$name: l2check: ok"
	check_has "two guests, $name: counts" "$output" \
		"^$name: l2check: in all 2 .* late 0, backwards 0, .* lost 0"
done
printf '%s\n' "$output" | sed -n 's/l2check: in all/# &/p'
check_free_pages "two guests"
for what in kill reset; do
	output=$(in_l1 "$loop" $what "$loop")
	check_is "$what: status" "$?" 0
	check_has "$what: many times" "$output" '^(killed|resets) [1-9][0-9]+'
	check_free_pages "$what"
done
tap_end
