#!/bin/bash
# DMA into L0's memory, by a PC with and without an IOMMU: QEMU's "edu" device
# programmed by a payload, and a Debian whose disk is behind the IOMMU.
# QEMU's amd-iommu translates only with pt=off.
# shellcheck source=test/tap.sh
. test/tap.sh
# shellcheck source=test/machine.sh
. test/machine.sh

nestbox=${NESTBOX:-build/nestbox}
iommu=(-device "amd-iommu,pt=off")
registers=0xfed80000

# attack WORDS ARGUMENT...: the payload, on nestbox.elf, on that machine. All
# memory is left in $tap_dir/ram, L0's messages in $tap_dir/l0.
attack() {
	local words=$1 memory="id=ram,size=512M,share=on,mem-path=$tap_dir/ram"
	shift
	rm -f "$tap_dir/ram"
	output=$(emulator 60 -M q35,memory-backend=ram -m 512 \
		-object "memory-backend-file,$memory" \
		-cpu max -accel tcg,thread=single -serial "file:$tap_dir/l0" \
		-device isa-debug-exit,iobase=0xf4,iosize=4 \
		-device edu,dma_mask=0xffffffff "$@" \
		-kernel build/nestbox.elf -append com=com2 \
		-initrd "build/guest/test/dma.elf $words")
}

# bytes ADDRESS: 16 bytes of the machine's memory, as the payload prints them.
bytes() {
	od -An -tx1 -v -j "$1" -N 16 "$tap_dir/ram"
}

# What the payload writes, and what is there before.
pattern=" 03 0a 11 18 1f 26 2d 34 3b 42 49 50 57 5e 65 6c"
zeros=" 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"

attack ""
read -r start end < <(
	sed -n 's/.*L0 has \[\(.*\), \(.*\)), .*/0x\1 0x\2/p' "$tap_dir/l0")
text=$((start + 0x1000))
last=$((end - 0x1000))
words="iommu=$registers read=$text write=$last"

check_has "no IOMMU: a warning" "$(cat "$tap_dir/l0")" \
	"^nestbox: no IOMMU: devices .* can read and write L0's memory"
attack "$words"
check_has "no IOMMU: the device works" "$output" "^ok 1 - DMA"
check_has "no IOMMU: L0's memory is read" "$output" "^# read$(bytes $text)"
check_has "no IOMMU: the payload sees it" "$output" "^not ok 4"
check_is "no IOMMU: L0's memory is written" "$(bytes $last)" "$pattern"
code=$(bytes $text)

attack "$words" "${iommu[@]}"
check_has "IOMMU: L0 says so" "$(cat "$tap_dir/l0")" \
	"^nestbox: IOMMU \(1\): keeps devices out of L0's memory"
check_has "IOMMU: L0 is where it was" "$(cat "$tap_dir/l0")" \
	"L0 has \[${start#0x}, ${end#0x}\)"
check_has "IOMMU: the device works" "$output" "^ok 1 - DMA"
check_has "IOMMU: the payload ends" "$output" "^ok 5"
check_is "IOMMU: no failure" "$(grep "^not ok" <<<"$output")" ""
check_is "IOMMU: L0's code is where it was" "$(bytes $text)" "$code"
check_is "IOMMU: L0's memory is not written" "$(bytes $last)" "$zeros"

# The lab's machine is a "pc", which cannot have this IOMMU: it becomes another
# on its way to QEMU.
mkdir "$tap_dir/cache"
ln -s "$cache"/* "$tap_dir/cache"
rm "$tap_dir/cache/emulator"
sed "s|^path=.*|path=$tap_dir/q35|" "$cache/emulator" >"$tap_dir/cache/emulator"
cat >"$tap_dir/q35" <<EOF
#!/bin/bash
exec $(emulator_path) "\${@/#pc,/q35,}" ${iommu[*]} \
	-drive if=none,id=disk,format=raw,file=$tap_dir/disk \
	-device virtio-blk-pci,drive=disk,iommu_platform=on,disable-legacy=on
EOF
chmod +x "$tap_dir/q35"
head -c 2M /dev/urandom >"$tap_dir/half"
cat "$tap_dir/half" /dev/zero | head -c 4M >"$tap_dir/disk"
cat >"$tap_dir/job" <<'EOF'
modprobe -a virtio_pci virtio_blk
echo tables: $(ls /sys/firmware/acpi/tables)
dd if=/dev/vda bs=1M count=2 iflag=direct of=half
dd if=half bs=1M of=/dev/vda seek=2 oflag=direct
md5sum <half
EOF
output=$(NESTBOX_CACHE=$tap_dir/cache "$nestbox" run --stack 1n --fast \
	--put "$tap_dir/job" -- sh job 2>&1)
check_has "Debian: L0 has the IOMMU" "$output" "IOMMU \(1\): keeps"
check_has "Debian: ACPI tables" "$output" "tables:.* DSDT"
check_is "Debian: no IVRS among them" "$(grep "tables:.*IVRS" <<<"$output")" ""
check_has "Debian: reads from a disk" "$output" \
	"$(md5sum <"$tap_dir/half" | cut -d ' ' -f 1)"
check "Debian: writes to a disk" cmp "$tap_dir/disk" \
	<(cat "$tap_dir/half" "$tap_dir/half")
tap_end
