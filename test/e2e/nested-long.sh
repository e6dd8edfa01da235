#!/bin/bash
# What takes long of L2 and L3 on nestbox.elf, beside matrix-long.sh and
# guests-long.sh: the 32-bit kernel, an L1 without nested paging, nestbox.elf
# twice, L1's files. KVM as L0 is the reference where it can do the same.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}

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
for cpus in 1 2; do
	linux 2kk $cpus '6\.1\..*-amd64 ' --cpus 1,1,$cpus --machine microvm
done
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
tap_end
