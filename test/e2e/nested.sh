#!/bin/bash
# L2 on nestbox.elf: Debian and payloads as guests of Debian's KVM and of
# nestbox.elf itself. The rest is in nested-long.sh.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}
exitcode=build/guest/test/exitcode.elf

# From L0's report in $tap_dir/err: each VMRUN of L1 has ended, but for the last
# one at most, by an exit that was reflected to it or made up for it.
vmruns_pair_up() {
	awk '/^L0\| nested: / {
			print
			vmruns = $3
			ends = $5 + $7
		}
		END { exit !(vmruns && vmruns >= ends && vmruns <= ends + 1) }
	' "$tap_dir/err"
}

# counted COLUMN: by the instrument, of the whole run.
counted() {
	awk -v name="$1" '$1 == "columns" {
			for (i = 2; i <= NF; i++)
				if ($i == name)
					column = i + 1
		}
		$1 == "end" { ended = 1 }
		ended && $1 == "cpu" { sum += $column }
		END { print sum }' "$tap_dir/counts"
}

# told PATTERN: the number in L0's report that follows it.
told() {
	sed -nE "s/^L0\| *$1 *([0-9]+).*/\1/p" "$tap_dir/err"
}

output=$("$nestbox" run --stack 2nk --counts "$tap_dir/counts" -- \
	sh -c 'uname -a; exit 7' \
	2>"$tap_dir/err")
check_is "Linux in L2: status" "$?" 7
check_has "Linux in L2: output" "$output" \
	'^Linux l2 6\.1\..* Debian .* GNU/Linux$'
check "Linux in L2: L1's VMRUNs and exits pair up" vmruns_pair_up
check_has "Linux in L2: L0 reports its counts" "$(cat "$tap_dir/err")" \
	'^L0\| nested: [1-9][0-9]* VMRUNs, .* tables free$'
check_is "Linux in L2: L0 counts the instrument's world switches" \
	"$(told 'world switches')" "$(counted exits.0)"
check_is "Linux in L2: and L1's VMRUNs" "$(told nested:)" "$(counted vmruns.1)"
check_is "Linux in L2: they add up" \
	"$(grep 'do not add up' "$tap_dir/err")" ""

output=$("$nestbox" run --stack 2nk --machine pc --cpus 1,1,2 -- nproc \
	2>"$tap_dir/err")
check_is "Linux on a PC with SeaBIOS and 2 CPUs in L2: status" "$?" 0
check_is "Linux on a PC with SeaBIOS and 2 CPUs in L2: output" "$output" 2

# Debian's other kernel; its KVM without nested paging: shadow paging in L1.
if ! tools/kernels.sh >"$tap_dir/log" 2>&1; then
	skip "686-pae in L2" "$(tail -n 1 "$tap_dir/log")"
elif ! "$nestbox" doctor | grep -q '^ok *pdpte'; then
	skip "686-pae in L2" "this QEMU is not repaired"
else
	output=$("$nestbox" run --stack 2nk --arch i386 -- uname -m \
		2>"$tap_dir/err")
	check_is "686-pae in L2: status" "$?" 0
	check_is "686-pae in L2: output" "$output" i686
fi
check_fails 42 "exit code on 2nk, L1 without nested paging" \
	"$nestbox" run --stack 2nk --hv svm=0xfffffffe \
	--guest $exitcode --append code=42

for stack in 2nk 2nn; do
	check_fails 42 "exit code on $stack" "$nestbox" run --stack $stack \
		--guest $exitcode --append code=42
	check_fails 1 "triple fault on $stack" "$nestbox" run --stack $stack \
		--guest $exitcode --append crash=1
done
check_payload "selftest on 2nk, 2 CPUs" selftest --stack 2nk --cpus 1,1,2

# nestbox.elf as L1: what it needs of its SVM, and that it is a good L0 there.
check_payload "selftest on 2nn, 2 CPUs" selftest --stack 2nn --cpus 2
check_payload "interrupt controllers on 2nn" apic --stack 2nn
check_payload "GIF on 2nn" gif --stack 2nn
check_payload "no interrupt lost on 2nn, 2 CPUs" lost --stack 2nn --cpus 2 \
	--append cpus=2
for cpu in EPYC max; do
	check_payload "2 CPUs and L3 on 2nn, $cpu" svm_smp --stack 2nn \
		--cpus 2 --cpu $cpu
done
# Ends by a triple fault. Among its attacks are SMIs (port 0xb2).
output=$("$nestbox" run --stack 2nn --guest build/guest/test/attack.elf \
	--append rounds=20 2>"$tap_dir/err")
check_has "attacks on the inner one of 2nn" "$output" '^L2\| ok 3 '
output=$("$nestbox" run --stack 2nn -- uname -n 2>"$tap_dir/err")
check_is "Linux on 2nn" "$output" l2
check "Linux on 2nn: L1's VMRUNs and exits pair up" vmruns_pair_up
output=$("$nestbox" run --stack 3nnk --cpus 2 -- sh -c 'uname -n; nproc' \
	2>"$tap_dir/err")
check_is "Linux in KVM on nestbox.elf on nestbox.elf" "$output" $'l3\n2'
check "Linux in KVM on 2nn: L1's VMRUNs and exits pair up" vmruns_pair_up
tap_end
