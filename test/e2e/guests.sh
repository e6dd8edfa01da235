#!/bin/bash
# Runs in L1 (from /work, by test/e2e/nested-long.sh): guests on L1's own KVM,
# for as long as it is told. Needs l2check.cpio and the payload exitcode.elf in
# /work; prints what was seen, for the suite to judge.
#
#   guests.sh two SECONDS LATE    two guests with 2 CPUs each run l2check
#   guests.sh kill SECONDS        starts QEMU and kills it (-9), over and over
#   guests.sh reset SECONDS       a guest that resets itself, over and over
set -u

qemu() {
	qemu-system-x86_64 -accel kvm -cpu host -M pc -bios qboot.rom \
		-nodefaults -display none "$@" 2>>qemu.log
}

# guest FILE SMP WORDS: Linux with l2check as its init; console to FILE.
guest() {
	qemu -m 128 -smp "$2" -no-reboot -serial "file:$1" \
		-kernel /boot/vmlinux -initrd l2check.cpio \
		-append "console=ttyS0 loglevel=3 panic=-1 $3"
}

two() {
	local words="mitigations=off rdinit=/l2check -- $1 $2"
	guest one 2 "$words" &
	guest other 2 "$words"
	wait
	sed 's/^/one: /' one
	sed 's/^/other: /' other
}

# At another moment each time: in the firmware, the kernel, user space.
kill_loop() {
	local end=$(($(date +%s) + $1)) n=0 child
	while [ "$(date +%s)" -lt "$end" ]; do
		guest console 2 "rdinit=/l2check -- 1000 1000" &
		child=$!
		sleep "0.$((n * 37 % 100 + 100))"
		[ $((n % 8)) = 0 ] && sleep 4
		pkill -9 -P "$child" -x qemu-system-x86
		wait "$child" 2>/dev/null
		n=$((n + 1))
	done
	echo "killed $n"
}

reset_loop() {
	qemu -m 64 -serial file:resets -kernel exitcode.elf \
		-append "spam=1 crash=1" &
	sleep "$1"
	pkill -9 -x qemu-system-x86
	wait
	echo "resets $(grep -c 'spam 1 of 1' resets)"
}

modprobe kvm-amd
case $1 in
two) two "$2" "$3" ;;
kill) kill_loop "$2" ;;
reset) reset_loop "$2" ;;
esac
cat qemu.log
