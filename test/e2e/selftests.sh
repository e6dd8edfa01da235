#!/bin/bash
# Linux's own tests of KVM (tools/selftests.sh) in L1 on nestbox.elf: those that
# pass with KVM as L0 have to pass. The short set of selftests.list, compared
# with what the list says of KVM; with SELFTESTS=long all of them, after the
# bare CPU and KVM, and the three beside each other. 2 CPUs, exactly: limits are
# L1's time, and results repeat.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}
cache=${NESTBOX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nestbox}
long=${SELFTESTS:-short}

# chosen CPU: "WORD SECONDS COMMAND" of the tests, WORD being KVM's on that CPU.
chosen() {
	awk -F '\t' -v cpu="$1" -v long="$long" '
		/^#/ || ($1 != "short" && long != "long") { next }
		{ print cpu == "EPYC" ? $2 : $3, $4, $5 }' \
		test/e2e/selftests.list
}

# word STATUS: what a test's exit status says; 4 is the kernel's KSFT_SKIP.
word() {
	case $1 in
	0) echo pass ;;
	4) echo skip ;;
	124 | 137) echo timeout ;;
	"") echo none ;;
	*) echo fail ;;
	esac
}

# run STACK CPU: the console to $tap_dir/STACK.
run() {
	chosen "$2" | cut -d ' ' -f 2- >"$tap_dir/list"
	"$nestbox" run --stack "$1" --cpu "$2" --cpus 2 --timeout 3600 \
		--put "$cache/selftests/tests.img" --put "$tap_dir/list" \
		--put test/e2e/selftests.l1 -- sh selftests.l1 \
		>"$tap_dir/$1" 2>"$tap_dir/$1.below" </dev/null
}

# got STACK COMMAND: its word.
got() {
	word "$(awk -v command="$2" '$1 == "selftest" {
		status = $2
		sub(/^selftest [0-9]+ /, "")
		if ($0 == command) print status
	}' "$tap_dir/$1")"
}

# why COMMAND: what nestbox.elf's L1 printed before the line of this test.
why() {
	awk -v command="$1" '
		/^selftest / {
			sub(/^selftest [0-9]+ /, "")
			if ($0 == command) printf "%s", text
			text = ""
			next
		}
		{ text = text $0 "\n" }' "$tap_dir/1n"
	tail -n 5 "$tap_dir/1n.below"
}

# judge CPU: one result for each test, and for KVM's if it has run.
judge() {
	local kvm command result
	while read -r kvm _ command; do
		[ "$long" != long ] ||
			check_is "$1, KVM as L0: $command" \
				"$(got 1k "$command")" "${kvm/more/fail}"
		result=$(got 1n "$command")
		if [ "$kvm" != fail ] || [ "$result" = pass ]; then
			[ "$result" = pass ]
			tap_result $? "$1: $command" < <(echo "$result"
				why "$command")
		else
			skip "$1: $command" "$result, and on KVM $kvm"
		fi
	done < <(chosen "$1")
}

table() {
	local command
	printf '# %-8s%-8s%-8s(%s)\n' bare KVM nestbox "$1"
	while read -r _ _ command; do
		printf '# %-8s%-8s%-8s%s\n' "$(got 0 "$command")" \
			"$(got 1k "$command")" "$(got 1n "$command")" \
			"$command"
	done < <(chosen "$1")
}

tools/selftests.sh >"$tap_dir/log" 2>&1 ||
	plan_skip "$(tail -n 1 "$tap_dir/log")"
for cpu in EPYC max; do
	if [ "$long" = long ]; then
		run 0 $cpu
		run 1k $cpu
	fi
	run 1n $cpu
	judge $cpu
	[ "$long" != long ] || table $cpu
done
tap_end
