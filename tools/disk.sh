#!/bin/bash
# Makes a PC's disk: Debian with its own kernel and systemd, GRUB in the gap
# before the partition, nestbox.elf and doc/booting.md's menu entry. Needs no
# loop devices and no mounts. Called by `make disk`.
#
# Debian is installed once, to $CACHE/disk/base.img (about 2 minutes); after
# that a disk is a copy with another nestbox.elf. root has no password.
set -euo pipefail
top=$(realpath "$(dirname "$0")/..")
# shellcheck source=tools/common.sh
. "$top/tools/common.sh" disk

base=$cache/disk/base.img
start=2048 # the partition's first sector
size=1024  # of the partition, in MiB
grub=/usr/lib/grub/i386-pc
grub_modules="biosdisk part_msdos ext2 normal configfile multiboot multiboot2
	linux search search_label search_fs_file serial terminal echo test"

usage() {
	cat <<-EOF
	usage: tools/disk.sh DISK NESTBOX-ELF
	Makes the file DISK; $base is made if it is missing.
	EOF
}

# Drivers of what no PC of an emulator has make half of Debian.
options() {
	local path
	echo "--variant=minbase"
	echo "--format=tar"
	echo '--aptopt=Apt::Install-Recommends "0"'
	echo "--include=linux-image-amd64,systemd-sysv,udev,dbus"
	for path in man doc locale; do
		echo "--dpkgopt=path-exclude=/usr/share/$path/*"
	done
	for path in drivers/{gpu,media,infiniband,iio,staging,net/wireless} \
		sound; do
		echo "--dpkgopt=path-exclude=/lib/modules/*/kernel/$path/*"
	done
	echo '--customize-hook=chroot "$1" passwd -d root'
	echo '--customize-hook=echo nestbox >"$1/etc/hostname" &&' \
		'echo "LABEL=debian / ext4 errors=remount-ro 0 1"' \
		'>"$1/etc/fstab" && mkdir -p "$1/boot/grub"'
}

# An ext4 from a tar, as root or as if.
make_root() {
	local as=()
	[ "$(id -u)" = 0 ] || as=(fakeroot --)
	mkdir "$work/tree"
	"${as[@]}" sh -ec 'tar -x -f "$1" -C "$2" --exclude="./dev/*"
		mkfs.ext4 -q -F -L debian -d "$2" \
			-E offset="$3" "$4" "$5"' sh \
		"$work/tree.tar" "$work/tree" $((start * 512)) \
		"$work/base.img" "${size}M"
}

# boot.img loads the sectors that follow it, as it comes; grub-mkimage has set
# in core.img how many there are. The partition table is behind boot.img's code.
make_grub() {
	# shellcheck disable=SC2086 # a list of names
	grub-mkimage -O i386-pc -o "$work/core.img" \
		-p '(hd0,msdos1)/boot/grub' $grub_modules
	[ "$(stat -c %s "$work/core.img")" -lt $(((start - 1) * 512)) ]
	truncate -s $((size + start / 2048))M "$work/base.img"
	echo "start=$start, size=${size}MiB, type=83, bootable" |
		sfdisk -q "$work/base.img"
	dd if=$grub/boot.img of="$work/base.img" bs=440 count=1 conv=notrunc
	dd if="$work/core.img" of="$work/base.img" bs=512 seek=1 conv=notrunc
}

make_base() {
	local options
	cache_open
	[ "$(cat "$cache/disk/id" 2>/dev/null)" != "$id" ] || return 0
	mapfile -t options < <(options)
	step "1/2 installing Debian packages (about 90 s)"
	debian_tree "$work/tree.tar" "${options[@]}"
	step "2/2 making the disk"
	: >"$work/base.img"
	logged "making the file system" make_root
	logged "installing GRUB" make_grub
	step_end
	mkdir -p "$cache/disk"
	mv "$work/base.img" "$base"
	echo "$id" >"$cache/disk/id"
}

# The menu: what doc/booting.md shows, indented there; and Debian without L0.
menu() {
	cat <<-EOF
	serial --unit=0 --speed=115200
	terminal_output serial
	terminal_input serial
	set timeout=1
	set root=(hd0,msdos1)
	EOF
	sed -n '/^    menuentry "Debian on nestbox"/,/^    }/s/^    //p' \
		"$top/doc/booting.md"
	cat <<-EOF
	menuentry "Debian" {
	    linux /vmlinuz root=LABEL=debian ro console=ttyS0
	    initrd /initrd.img
	}
	EOF
}

# put FILE PATH: into the file system of the new disk. debugfs says what fails
# in words only.
put() {
	local said
	said=$(debugfs -w -R "write $1 $2" "$disk.new?offset=$((start * 512))" \
		2>&1 | grep -v '^debugfs \|^Allocated inode') || return 0
	rm -f "$disk.new"
	die "$2: $said"
}

case ${1:-} in
--help) usage; exit 0 ;;
esac
[ $# = 2 ] || { usage >&2; exit 2; }
disk=$1 elf=$2
[ -r "$elf" ] || die "cannot read $elf"
need mmdebstrap mmdebstrap mkfs.ext4 e2fsprogs sfdisk fdisk \
	grub-mkimage grub-common
[ -r $grub/boot.img ] || die "missing packages: grub-pc-bin"
id=$({
	options
	declare -f make_root make_grub
	declare -p start size grub_modules
} | sha256sum)
make_base
menu >"$work/grub.cfg"
cp --sparse=always "$base" "$disk.new"
put "$elf" boot/nestbox.elf
put "$work/grub.cfg" boot/grub/grub.cfg
mv "$disk.new" "$disk"
