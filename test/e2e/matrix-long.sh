#!/bin/bash
# Debian as L2 and L3 on nestbox.elf, on every machine of Debian's QEMU and with
# one and two CPUs: does it start, run a command and hand back its status?
# Prints what each took: seconds here, and those of the guest, which are exact.
# $MATRIX: the cells, STACK:MACHINE:CPUS, instead of all.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}
all="2nk:pc:1 2nk:pc:2 2nk:q35:1 2nk:q35:2 2nk:microvm:1 2nk:microvm:2
3nkk:microvm:1 3nkk:microvm:2 3nkk:pc:1"
limit=5400	# seconds for a cell; L3 is slow, and others use the machine

# one_for_all_below LEVEL CPUS: the value of --cpus.
one_for_all_below() {
	printf '1,%.0s' $(seq "$1")
	echo "$2"
}

# cell STACK MACHINE CPUS
cell() {
	local stack=$1 level=${1%%[kn]*} output status=0 start=$SECONDS

	output=$("$nestbox" run --stack "$stack" --machine "$2" \
		--cpus "$(one_for_all_below "$level" "$3")" \
		--timeout $limit -- \
		sh -c 'uname -a; nproc; cat /proc/uptime; exit 7' \
		2>"$tap_dir/err") || status=$?
	echo "# $*: $((SECONDS - start)) s, of the guest" \
		"$(sed -nE 's/^([0-9.]+) [0-9.]+$/\1/p' <<<"$output") s"
	check_is "$*: status" "$status" 7
	check_has "$*: kernel" "$output" "^Linux l$level 6\.1\..*-amd64 "
	check_has "$*: CPUs" "$output" "^$3\$"
	check_is "$*: L0's counts add up" \
		"$(grep 'do not add up' "$tap_dir/err")" ""
}

for name in ${MATRIX:-$all}; do
	IFS=: read -r stack machine cpus <<<"$name"
	cell "$stack" "$machine" "$cpus"
done
tap_end
