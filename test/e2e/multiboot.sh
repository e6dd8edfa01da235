#!/bin/bash
# Multiboot kernels that others have written (tools/multiboot.sh: QEMU's own) by
# `nestbox run --guest FILE`, on nestbox.elf and in a guest of KVM on it: their
# exit codes come back, and what they print is what QEMU's files say, or what
# they print without nestbox.elf.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=$(realpath "${NESTBOX:-build/nestbox}")
cache=${NESTBOX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nestbox}
kernels=$cache/multiboot

# They print by QEMU's debugging port. On the emulator's machine that is a file,
# in L1 the guest's console, since the guest itself writes nothing there.
# run STACK KERNEL [ARGUMENT...]: to $tap_dir/{out,err}; its status in $status.
run() {
	local stack=$1 kernel=$2 to=$tap_dir/out
	shift 2
	rm -f "$tap_dir/out"
	[[ $stack != *k ]] || to=/dev/ttyS1
	status=0
	(cd "$kernels" && "$nestbox" run --stack "$stack" --guest "$kernel" \
		--guest-arg=-chardev --guest-arg="file,id=debug,path=$to" \
		--guest-arg=-device --guest-arg=isa-debugcon,chardev=debug \
		--serial "$tap_dir/serial" "$@" \
		>"$tap_dir/console" 2>"$tap_dir/err" </dev/null) || status=$?
	[[ $stack != *k ]] || mv "$tap_dir/serial" "$tap_dir/out"
}

# ends_with STATUS NAME STACK KERNEL [ARGUMENT...]
ends_with() {
	local want=$1 name=$2
	shift 2
	run "$@"
	[ "$status" = "$want" ]
	tap_result $? "$name: status $want" < <(
		echo "status $status"
		cat "$tap_dir/err")
}

# section FILE TEST: what one of QEMU's files says of that test.
section() {
	awk -v name="=== Running test case: $2 ===" '
		/^===/ { found = $0 == name; next }
		found' "$kernels/$1" | grep .
}

# same NAME EXPECTED [SED]: as what the kernel printed, made alike by SED.
same() {
	check_is "$1" "$(grep . "$tap_dir/out" | sed -E "${3:-}")" \
		"$(printf '%s\n' "$2" | grep . | sed -E "${3:-}")"
}

# Where a loader puts its list and the modules is its own affair.
addresses='s/at [0-9a-f]+$/at -/; s/\[[0-9a-f]+\]/[-]/
	s/: [0-9a-f]+ - [0-9a-f]+ \(/: - (/'

# modules NAME STACK SED [MODULE...]: a test by the name that QEMU has for it.
modules() {
	local name="modules.elf $1" stack=$2 sed=$3 arguments=() module
	shift 3
	for module; do
		arguments+=(--module "$module")
	done
	ends_with 0 "$stack, $name" "$stack" modules.elf "${arguments[@]}"
	same "$stack, $name: as in modules.out" \
		"$(section modules.out "$name")" "$sed"
}

# On nestbox.elf the machine's memory ends at L0's block, with a page of ACPI
# tables below it.
mmap_without_block() {
	local block page
	block=$(sed -n 's/.*L0 has \[\([0-9a-f]*\),.*/\1/p' "$tap_dir/err")
	page=$(printf '%x' $((0x$block - 0x1000)))
	sed -E "s/^(Upper memory: ).*/\1$(((0x$page - 0x100000) / 1024))k/
		s/^(0x100000 - )[^:]*(: type 1.*)/\10x$page\2\n\
0x$page - 0x$block: type 3 [entry size: 20]/
		s/^[^ ]+( - 0x10000000: type 2)/0x$block\1/" "$1"
}

# The map's place is the loader's affair, its size is 24 bytes for each entry.
check_map_size() {
	local n start end real
	n=$(grep -c 'entry size' "$tap_dir/out")
	start=$(sed -n 's/^mmap start: *//p' "$tap_dir/out")
	end=$(sed -n 's/^mmap end: *//p' "$tap_dir/out")
	real=$(sed -n 's/^real mmap end: *//p' "$tap_dir/out")
	check_is "$1: $n entries in the map" "$((end - start)) $real" \
		"$((n * 24)) $end"
}

# mmap.out is of a machine of 2013: today's is asked itself, without us.
mmap() {
	run 0 mmap.elf --mem 256
	mv "$tap_dir/out" "$tap_dir/bare"
	ends_with 0 "1n, mmap.elf" 1n mmap.elf --mem 256,128
	same "1n, mmap.elf: the machine's less L0's block" \
		"$(mmap_without_block "$tap_dir/bare")" '/mmap (start|end)/d'
	check_map_size "1n, mmap.elf"
	run 1k mmap.elf
	mv "$tap_dir/out" "$tap_dir/kvm"
	ends_with 0 "2nk, mmap.elf" 2nk mmap.elf
	same "2nk, mmap.elf: as on 1k" "$(cat "$tap_dir/kvm")"
	check_map_size "2nk, mmap.elf"
}

# Kernels whose headers say where they go, the last five wrongly. For L0 only:
# what L1 loads is QEMU's affair.
aout_kludge() {
	local i
	for i in 1 2 3 4; do
		ends_with 0 "1n, aout_kludge_$i.bin" 1n aout_kludge_$i.bin
	done
	for i in 5 6 7 8 9; do
		ends_with 1 "1n, aout_kludge_$i.bin" 1n aout_kludge_$i.bin
		check_has "1n, aout_kludge_$i.bin: L0 says why" \
			"$(cat "$tap_dir/err")" "the payload's addresses"
	done
}

memory() {
	local stack
	for stack in 0 1n 2nk; do
		ends_with 0 "$stack, memory.elf" "$stack" memory.elf
		check_is "$stack, memory.elf: passed" \
			"$(tail -n 1 "$tap_dir/out")" "Test complete: PASSED"
	done
}

tools/multiboot.sh >"$tap_dir/log" 2>&1 ||
	plan_skip "$(tail -n 1 "$tap_dir/log")"
ends_with 42 "1n, code.elf" 1n code.elf
ends_with 42 "2nk, code.elf" 2nk code.elf
modules "" 1n "$addresses"
modules "-initrd module.txt" 1n "$addresses" module.txt
modules "-initrd module.txt argument" 1n "$addresses" "module.txt argument"
modules "-initrd module.txt argument,,with,,commas" 1n "$addresses" \
	"module.txt argument,with,commas"
for stack in 1n 2nk; do
	[ $stack = 1n ] || addresses='s,/job/module/[0-9]/,,'
	modules "-initrd module.txt,module.txt argument,module.txt" $stack \
		"$addresses" module.txt "module.txt argument" module.txt
done
aout_kludge
mmap
memory
tap_end
