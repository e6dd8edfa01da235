#!/bin/bash
# Boots an ISO (tools/iso.sh) in Bochs, a second emulator of SVM beside QEMU's,
# until the guest switches it off (guest/lib/exit.h). Prints what came out of
# COM1. Needs the packages bochs, bochs-term, bochsbios and vgabios.
set -euo pipefail

usage() {
	cat <<-EOF
	usage: tools/bochs.sh [--cpu MODEL] [--cpus N] [--mem MIB] [--ips N]
	                      [--timeout SECONDS] ISO
	  --cpu MODEL   "bochs --help cpu" lists them (default: ryzen)
	  --ips N       instructions per second of the machine's clocks
	Status 0 if the guest ended, 124 after SECONDS (default: 60), 1 if Bochs
	stopped: then with its reason.
	EOF
}

die() {
	echo "bochs.sh: $*" >&2
	exit 1
}

model=ryzen cpus=1 mem=256 timeout=60 ips=4000000
while [ $# -gt 0 ]; do
	case $1 in
	--cpu) model=${2?$(usage)}; shift 2 ;;
	--cpus) cpus=${2?$(usage)}; shift 2 ;;
	--mem) mem=${2?$(usage)}; shift 2 ;;
	--ips) ips=${2?$(usage)}; shift 2 ;;
	--timeout) timeout=${2?$(usage)}; shift 2 ;;
	--help) usage; exit 0 ;;
	-*) usage >&2; exit 2 ;;
	*) break ;;
	esac
done
[ $# = 1 ] || { usage >&2; exit 2; }
[ -r "$1" ] || die "cannot read $1"
iso=$(realpath "$1")
bios=/usr/share/bochs/BIOS-bochs-latest
vga=/usr/share/bochs/VGABIOS-lgpl-latest
if ! command -v bochs-bin >/dev/null || ! [ -r $bios ] || ! [ -r $vga ] ||
	! compgen -G '/usr/lib/*/bochs/plugins/libbx_term_gui.so' >/dev/null
then
	die "install bochs bochs-term bochsbios vgabios"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$work"
# The BIOS waits by the machine's clocks, so few instructions per second start
# sooner; Linux wants more. Debian's Bochs has its debugger in, which waits for
# a command: "c" (go on).
cat >bochsrc <<EOF
plugin_ctrl: biosdev=true, speaker=false, iodebug=false
megs: $mem
romimage: file=$bios
vgaromimage: file=$vga
ata0-master: type=cdrom, path="$iso", status=inserted
boot: cdrom
cpu: model=$model, count=$cpus, ips=$ips, reset_on_triple_fault=0
com1: enabled=1, mode=file, dev=serial
clock: sync=none, time0=1577836800
panic: action=fatal
log: log
display_library: term
EOF
echo c >commands
: >serial

# Its display wants a terminal: script(1) is one.
status=0
script -qec "timeout --foreground -k 2 $timeout \
	env TERM=vt100 bochs-bin -q -f bochsrc -rc commands" /dev/null \
	</dev/null >/dev/null 2>&1 || status=$?
cat serial
case $status in 124 | 137) exit 124 ;; esac
! grep -qE '^[0-9]+p\[(UNMAP|ACPI).*(shutdown|power off)' log || exit 0
die "$(grep -m 1 -E '^[0-9]+p' log || echo "status $status, no panic")"
