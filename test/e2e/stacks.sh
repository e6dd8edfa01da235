#!/bin/bash
# Debian at levels 1 and 2: commands, status, files, and the shell.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=$(realpath "${NESTBOX:-build/nestbox}")

# in_guest STATUS PATTERN NAME ARGUMENT...
in_guest() {
	local want=$1 pattern=$2 name=$3 output status=0
	shift 3
	output=$("$nestbox" run "$@" 2>"$tap_dir/err") || status=$?
	check_is "$name: status" "$status" "$want"
	check_has "$name: output" "$output" "$pattern"
}

in_guest 0 '^Linux l1 6\.1\..* Debian .* GNU/Linux$' "uname in L1" \
	--stack 1k -- uname -a
in_guest 0 '^Linux l2 6\.1\..* Debian .* GNU/Linux$' "uname in L2" \
	--stack 2kk -- uname -a
in_guest 1 '^$' "false in L2" --stack 2kk -- false

# nestbox.elf as L0.
in_guest 0 '^Linux l1 6\.1\..* Debian .* GNU/Linux$' "uname on nestbox.elf" \
	--stack 1n -- uname -a
in_guest 1 '^$' "false on nestbox.elf" --stack 1n -- false
in_guest 0 '^MemTotal: *6[0-9]{6} kB$' "6 GiB on nestbox.elf" \
	--stack 1n --mem 6400,6000 -- grep MemTotal /proc/meminfo
check_fails 42 "exit code on nestbox.elf" "$nestbox" run --stack 1n \
	--guest build/guest/test/exitcode.elf --append code=42
check_fails 1 "triple fault on nestbox.elf" "$nestbox" run --stack 1n \
	--guest build/guest/test/exitcode.elf --append crash=1
# From power-on to power-off, to the instruction.
same_counts() {
	local i
	for i in 1 2; do
		"$nestbox" run --counts "$tap_dir/counts.$i" "$@" \
			>/dev/null 2>&1
	done
	cmp "$tap_dir/counts.1" "$tap_dir/counts.2"
}

check "bare: two runs of Linux, the same counts" \
	same_counts --stack 0 -- true
check "nestbox.elf: two runs of Linux, the same counts" \
	same_counts --stack 1n -- true
# 6 million are the firmware's; to copy the kernel would cost 4 million.
before_l1() {
	awk '/^columns/ { for (i = 2; i <= NF; i++) column[$i] = i + 1 }
		/^end/ { end = 1 }
		end && /^cpu/ { print $column["work.none"] }' \
		"$tap_dir/counts.1"
}
check "nestbox.elf: nothing is moved before Linux starts" \
	test "$(before_l1)" -lt 8000000
check "nestbox.elf, 2 CPUs: two runs of Linux, the same counts" \
	same_counts --stack 1n --cpus 2 -- true
check "nestbox.elf: two runs of a payload, the same counts" \
	same_counts --stack 1n --guest micro --append n=50
output=$("$nestbox" run --stack 1n -- true 2>&1)
check_has "nestbox.elf: its own counters" "$output" '^L0\| world switches [1-9]'

echo "from the host" >"$tap_dir/in"
in_guest 7 "^from the host$" "files and status" --stack 1k \
	--put "$tap_dir/in:a file" --get "result:$tap_dir/out" -- \
	sh -c 'cat "a file"; tr a-z A-Z <"a file" >result; exit 7'
check_is "--get brings the file" "$(cat "$tap_dir/out")" "FROM THE HOST"
check_fails 1 "--get of a missing file" "$nestbox" run --stack 0 \
	--get nothing:"$tap_dir/none" -- true
check_fails 1 "--get and no half file" test -e "$tap_dir/none"

if ! mkdir "$tap_dir/small" ||
	! mount -t tmpfs -o size=64k none "$tap_dir/small" 2>/dev/null; then
	skip "--get to a full disk" "cannot mount a small tmpfs"
else
	check_fails 1 "--get to a full disk" "$nestbox" run --stack 0 \
		--get "big:$tap_dir/small/big" -- \
		dd if=/dev/zero of=big bs=1M count=1
	check_is "--get to a full disk leaves nothing" \
		"$(ls "$tap_dir/small")" ""
	umount "$tap_dir/small"
fi

# The shell, driven as a user would through a terminal.
screen() {
	tmux -L "nestbox$$" capture-pane -p -t shell -S -200
}

await() {
	for _ in $(seq "$2"); do
		screen | grep -q "$1" && return
		sleep 1
	done
	screen
	return 1
}

tmux -L "nestbox$$" new-session -d -s shell -x 100 -y 40 \
	"$nestbox run --stack 1k; echo status \$?; sleep 60"
check "shell in L1: prompt" await '^L1#' 240
tmux -L "nestbox$$" send-keys -t shell 'echo $((6*7)) on $(hostname)' Enter
check "shell in L1: runs a command" await '^42 on l1' 60
tmux -L "nestbox$$" send-keys -t shell 'sleep 1000' Enter
sleep 2
tmux -L "nestbox$$" send-keys -t shell C-c
tmux -L "nestbox$$" send-keys -t shell 'exit 5' Enter
check "shell in L1: Ctrl-C reaches the guest, status comes back" \
	await '^status 5' 120
tmux -L "nestbox$$" kill-server
tap_end
