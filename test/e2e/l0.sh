#!/bin/bash
# nestbox.elf as L0: its CPUs, its interrupt model, and what L1 does to them.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}

# linux NAME STATUS PATTERN ARGUMENT...: L1's output and L0's free pages, which
# are the same when L1 starts and when it ends.
linux() {
	local name=$1 want=$2 pattern=$3 output status=0
	shift 3
	output=$("$nestbox" run --stack 1n "$@" 2>"$tap_dir/l0") || status=$?
	check_is "$name: status" "$status" "$want"
	check_has "$name: output" "$output" "$pattern"
	grep -o '[0-9]* pages free' "$tap_dir/l0" >"$tap_dir/free"
	check_is "$name: L0's free pages" "$(uniq -c "$tap_dir/free" |
		sed 's/^ *[2-9] .*/the same/')" "the same"
}

check_payload "selftest on nestbox.elf" selftest --stack 1n
check_payload "selftest on nestbox.elf, 4 CPUs" selftest --stack 1n --cpus 4
check_payload "selftest on nestbox.elf, 4 CPUs at once" \
	selftest --stack 1n --cpus 4 --fast
check_payload "interrupt controllers" apic --stack 1n
check_payload "interrupt controllers, beside L0's timer" apic --stack 1n \
	--hv tick=10 --qemu-arg=-global --qemu-arg=hpet.msi=on
check_payload "GIF of the emulated CPU" gif --stack 0
check_payload "GIF of nestbox.elf" gif --stack 1n

# switches ARGUMENT...: L0's world switches in a run of L1.
switches() {
	"$nestbox" run --stack 1n "$@" 2>&1 | sed -n 's/.*world switches //p'
}

# rate NAME SECONDS ARGUMENT...: at most 10 exits a second beyond a boot's.
rate() {
	local name=$1 seconds=$2
	shift 2
	check "$name: at most 10 exits a second" \
		[ "$(switches "$@")" -le $((boot + 10 * seconds)) ]
}
boot=$(switches -- true)
rate "idle" 10 -- sleep 10
rate "busy" 5 -- timeout 5 sh -c 'while :; do :; done'

# L0's own timer: about 100 ticks a second, and L1 sees nothing of them.
messages=(--qemu-arg=-global --qemu-arg=hpet.msi=on)
linux "L0's timer: no NMI of L1" 0 '^NMI: +0 ' --hv tick=10 "${messages[@]}" \
	-- sh -c 'sleep 2; cat /proc/interrupts'
ticks=$(sed -n "s/.*L0's timer ticked \([0-9]*\) times/\1/p" "$tap_dir/l0")
check "L0's timer ticks" [ "$((ticks / 50))" -gt 5 ]
linux "an HPET that sends messages is L0's" 0 '^no HPET$' "${messages[@]}" \
	-- sh -c 'ls /sys/firmware/acpi/tables/HPET 2>/dev/null || echo no HPET'
linux "another one is L1's" 0 'HPET$' -- ls /sys/firmware/acpi/tables/HPET
check_fails 1 "no timer without messages" \
	"$nestbox" run --stack 1n --hv tick=10 -- true

cat >"$tap_dir/hotplug" <<'E'
for i in $(seq 100); do
	for state in 0 1; do
		for cpu in /sys/devices/system/cpu/cpu[1-9]; do
			echo $state >$cpu/online || exit 1
		done
	done
done
nproc
E
linux "4 CPUs at once, off and on 100 times" 0 '^4$' --fast --cpus 4 \
	--put "$tap_dir/hotplug:hotplug" -- sh hotplug
linux "2 CPUs without x2APIC" 0 '^2$' --cpus 2 --append nox2apic -- nproc

# The kernel into itself, by its system calls; the second one runs this again.
cat >"$tap_dir/kexec" <<'E'
grep -q again /proc/cmdline && echo "again on $(nproc)" && exit
exec perl - <<'P'
	open K, "<", glob("/boot/vmlinuz-*") or die;
	open I, "<", "/boot/level.cpio" or die;
	my $words = `cat /proc/cmdline`;
	chomp $words;
	$words .= " again\0";
	syscall(320, fileno(K), fileno(I), length($words), $words, 0) == 0
		or die "kexec_file_load: $!";
	syscall(169, 0xfee1dead, 0x28121969, 0x45584543, 0);
P
E
linux "kexec with 2 CPUs" 0 '^again on 2$' --cpus 2 \
	--put "$tap_dir/kexec:kexec" -- sh kexec

# A byte of the clock's memory outlives a reset; 112 and 113 are its ports.
cat >"$tap_dir/reboot" <<'E'
at() { printf '\120' | dd of=/dev/port bs=1 seek=112 2>/dev/null; }
at
[ "$(dd if=/dev/port bs=1 skip=113 count=1 2>/dev/null)" = R ] &&
	echo "booted again" && exit
at
printf R | dd of=/dev/port bs=1 seek=113 2>/dev/null
busybox reboot -f
sleep 100
E
linux "reboot with 2 CPUs" 0 '^booted again$' --cpus 2 \
	--qemu-arg=-action --qemu-arg=reboot=reset \
	--put "$tap_dir/reboot:reboot" -- sh reboot
check_is "reboot: L0 comes back" \
	"$(grep -c 'L1 starts' "$tap_dir/l0")" 2
check_fails 1 "an unknown option of nestbox.elf" \
	"$nestbox" run --stack 1n --hv nonsense -- true
check_fails 1 "bad option for L0, of bench" \
	"$nestbox" bench micro --stacks 1n --ops cpuid --hv nonsense
output=$("$nestbox" run --stack 1n --hv "quiet tick=10" -- true 2>&1)
check_has "quiet, and what was not said comes at the end" \
	"$(tr '\n' ' ' <<<"$output")" 'MiB of memory.*option tick'
tap_end
