#!/bin/bash
# Runs in L1 (from /work, by test/e2e/guests-long.sh): guests with 2 CPUs on
# L1's own KVM, for as long as it is told. Needs in /work l2check.cpio, l1user
# and the payloads lost.elf and exitcode.elf; prints what was seen, for the
# suite to judge. Seconds are L1's.
#
#   guests.sh linux SECONDS LATE   two Debian kernels at once, with l2check
#   guests.sh bare SECONDS LATE    two payloads at once that count interrupts
#   guests.sh kill SECONDS         starts QEMU and kills it (-9), over and over
#   guests.sh reset SECONDS        a guest that its monitor resets, and one that
#                                  does so itself, over and over; as kill, 8
#                                  times at least
#
# LATE: milliseconds after which an event is taken for lost.
set -u
boot=600	# seconds that a guest may take to start, on a busy machine
fast=8		# how many times too fast its clock may be then
limit=()	# what runs QEMU

# machine ARGUMENT...: QEMU in place of this shell.
machine() {
	exec "${limit[@]}" qemu-system-x86_64 -accel kvm -cpu host -M pc \
		-bios qboot.rom -smp 2 -nodefaults -display none "$@" \
		2>>qemu.log
}

# linux FILE SECONDS LATE LOGLEVEL ARGUMENT...: with l2check as its init;
# console to FILE.
linux() {
	local file=$1 words="rdinit=/l2check -- $2 $3" level=$4
	shift 4
	machine -m 128 -serial "file:$file" -kernel /boot/vmlinux \
		-initrd l2check.cpio "$@" -append "console=ttyS0 \
loglevel=$level panic=-1 mitigations=off $words"
}

# bare FILE SECONDS LATE. Linux's idea of the TSC is wrong on a busy machine.
bare() {
	local khz

	khz=$(./l1user tsc)
	machine -m 64 -no-reboot -serial "file:$1" \
		-device isa-debug-exit,iobase=0xf4 -kernel lost.elf \
		-append "cpus=2 seconds=$2 late=$3 khz=$khz"
}

# two KIND SECONDS LATE
two() {
	local options=()

	[ "$1" = linux ] && options=(3 -no-reboot)
	limit=(timeout -s KILL $((fast * ($2 + boot))))
	"$1" one "$2" "$3" "${options[@]}" &
	"$1" other "$2" "$3" "${options[@]}" &
	wait
	sed 's/^/one: /' one
	sed 's/^/other: /' other
}

# look FILE: where the Linux is that writes to it, in stage, and its lines in
# seen. Without a process of its own: on this CPU they take long.
look() {
	mapfile -t seen <"$1"
	stage=early
	[ ${#seen[@]} = 0 ] || stage=kernel
	[[ ${seen[*]} != *"l2check: starts"* ]] || stage=user
}

# await_stage FILE N: until a Linux that writes to FILE is somewhere, each N
# somewhere else: 0 in QEMU or the firmware, 1 and 2 in the kernel, 3 in
# l2check. Notes where it is then.
await_stage() {
	local file=$1 n=$2 end=$((SECONDS + boot)) seen stage

	while look "$file" && [ $SECONDS -lt $end ]; do
		case $((n % 4)) in
		0) break ;;
		1 | 2) [ ${#seen[@]} -le $((n * 29 % 100)) ] || break ;;
		3) [ "$stage" != user ] || break ;;
		esac
		sleep 0.5
	done
	sleep "0.$((n * 37 % 90 + 10))"
	look "$file"
	echo "$stage" >>stages
}

# goes_on END N: a loop does, until it is time, and on a busy machine as long
# as it takes to have been at each stage twice.
goes_on() {
	[ $SECONDS -lt "$1" ] || [ "$2" -lt 8 ]
}

# count_stages WHAT: how many there were, and how many of each.
count_stages() {
	echo "$1 $(wc -l <stages): $(sort stages | uniq -c | tr -s '\n ' ' ')"
}

kill_loop() {
	local end=$((SECONDS + $1)) n=0 child

	while goes_on $end $n; do
		: >console
		linux console 1000 1000 7 -no-reboot &
		child=$!
		await_stage console $n
		kill -9 "$child"
		wait "$child" 2>/dev/null
		n=$((n + 1))
		./l1user shadow
	done
	count_stages killed
}

# The monitor is a pipe that this loop writes to.
reset_loop() {
	local end=$((SECONDS + $1)) n=0 children

	mkfifo monitor
	machine -m 64 -serial file:crashes -kernel exitcode.elf \
		-append "spam=1 crash=1" &
	children=$!
	: >console
	linux console 1000 1000 7 -monitor stdio <monitor >/dev/null &
	children+=" $!"
	exec 3>monitor
	while goes_on $end $n; do
		await_stage console $n
		: >console
		echo system_reset >&3
		n=$((n + 1))
		./l1user shadow
	done
	# shellcheck disable=SC2086 # two words
	kill -9 $children
	wait 2>/dev/null
	count_stages resets
	echo "crashes $(grep -c 'spam 1 of 1' crashes)"
}

modprobe kvm-amd
./l1user shadow
case $1 in
linux | bare) two "$@" ;;
kill) kill_loop "$2" ;;
reset) reset_loop "$2" ;;
esac
./l1user shadow
cat qemu.log
