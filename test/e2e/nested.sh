#!/bin/bash
# L2 on nestbox.elf: Debian and payloads as guests of Debian's KVM and of
# nestbox.elf itself. The rest is in nested-long.sh.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}
exitcode=build/guest/test/exitcode.elf

# From L0's counters at the end, in $tap_dir/err: each VMRUN of L1 has ended by
# an exit that was reflected to it, the last one at most has not.
vmruns_pair_up() {
	awk '/^L0\| +L1 VMRUN +by L0/ { vmruns = $NF }
		/^L0\| +L2 .* by L1 / { exits += $NF }
		END { print "VMRUN", vmruns, "reflected", exits
			exit !(vmruns && vmruns >= exits &&
				vmruns <= exits + 1) }' "$tap_dir/err"
}

output=$("$nestbox" run --stack 2nk -- sh -c 'uname -a; exit 7' \
	2>"$tap_dir/err")
check_is "Linux in L2: status" "$?" 7
check_has "Linux in L2: output" "$output" \
	'^Linux l2 6\.1\..* Debian .* GNU/Linux$'
check "Linux in L2: L1's VMRUNs and exits pair up" vmruns_pair_up

output=$("$nestbox" run --stack 2nk --machine pc --cpus 1,1,2 -- nproc \
	2>"$tap_dir/err")
check_is "Linux on a PC with SeaBIOS and 2 CPUs in L2: status" "$?" 0
check_is "Linux on a PC with SeaBIOS and 2 CPUs in L2: output" "$output" 2

for stack in 2nk 2nn; do
	check_fails 42 "exit code on $stack" "$nestbox" run --stack $stack \
		--guest $exitcode --append code=42
	check_fails 1 "triple fault on $stack" "$nestbox" run --stack $stack \
		--guest $exitcode --append crash=1
done
check_payload "selftest on 2nk, 2 CPUs" selftest --stack 2nk --cpus 1,1,2
check_payload "selftest on 2nn, 2 CPUs" selftest --stack 2nn --cpus 2
tap_end
