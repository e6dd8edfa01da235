#!/bin/bash
# Debian on a disk, started by the menu entry that doc/booting.md shows: up to
# its login on the serial line, in, and off again.
# shellcheck source=test/tap.sh
. test/tap.sh
# shellcheck source=test/machine.sh
. test/machine.sh

log=$tap_dir/log

# wait_for PATTERN: until the serial line says so, or the machine has ended.
wait_for() {
	until grep -aqE -- "$1" "$log"; do
		kill -0 "$machine" 2>/dev/null || return 1
		sleep 1
	done
}

type_line() {
	printf '%s\r' "$1" >&3
}

tools/disk.sh "$tap_dir/disk" build/nestbox.elf >"$tap_dir/made" 2>&1 ||
	plan_skip "$(tail -n 1 "$tap_dir/made")"
mkfifo "$tap_dir/keys"
: >"$log"
emulator 1200 -m 1G -cpu max -accel tcg,thread=single \
	-drive "file=$tap_dir/disk,format=raw,if=virtio" \
	<"$tap_dir/keys" >"$log" &
machine=$!
exec 3>"$tap_dir/keys"

check "Debian reaches its login" wait_for '^nestbox login:'
type_line root
check "root logs in" wait_for 'root@nestbox:'
type_line "echo pid 1 is \$(cat /proc/1/comm), root is \$(findmnt -no SOURCE /)"
check "systemd runs, on the disk" wait_for 'pid 1 is systemd, root is /dev/vda1'
type_line poweroff
status=0
wait "$machine" || status=$?
exec 3>&-
check_is "it switches off" "$status" 0
check_has "L0 is below it" "$(cat "$log")" \
	'^nestbox: L1 switches off; [0-9]+ pages free'
tap_end
