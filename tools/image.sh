#!/bin/bash
# Makes the images that every level of a stack boots from, in $CACHE/images:
#   vmlinux       Debian's kernel, uncompressed, for `qemu -kernel`
#   level.cpio    the initramfs of all levels: busybox, lab/level/init, modules
#   tools.img     squashfs (stored, 2 MiB aligned) with Debian, QEMU, workloads
#   packages.txt  name and version of every Debian package in tools.img
#   image.info    key=value: kernel, kernel_package, qemu, size, sha256
# Called by `make images`. Needs mmdebstrap and a network for the first run, or
# when tools/image.packages changes; works as root and as a normal user. The
# same package versions give the same bytes. A failure leaves the old images.
set -euo pipefail
top=$(realpath "$(dirname "$0")/..")
# shellcheck source=tools/common.sh
. "$top/tools/common.sh" image

export SOURCE_DATE_EPOCH=1577836800 LC_ALL=C TZ=UTC
images=$cache/images

# What the initramfs loads to reach the tools image, as RAM or as a disk;
# modules.dep adds the rest.
boot_modules="nd_pmem nfit squashfs overlay"
disk_modules="virtio_mmio virtio_blk squashfs overlay"

# Kernel modules that are kept from the folders that are else left out.
kept_modules="drivers/nvdimm drivers/virtio drivers/acpi/nfit drivers/dax
	drivers/vfio drivers/iommu drivers/vhost drivers/cpuidle drivers/ptp
	drivers/block/loop drivers/block/virtio drivers/char/hw_random/virtio
	drivers/char/virtio drivers/char/tpm drivers/crypto/ccp
	drivers/net/tun drivers/net/tap drivers/net/macv drivers/net/veth
	drivers/net/virtio drivers/net/net_failover net/core/failover
	net/9p net/bridge/bridge net/802 net/llc net/vmw_vsock
	fs/squashfs fs/overlayfs fs/9p fs/netfs fs/fscache fs/fuse
	fs/ext4 fs/jbd2 fs/mbcache lib/crc lib/crypto lib/libcrc32c"

# Not in the image: documentation, the initrd (and the hook that makes one),
# firmware of other machines, tables of udev, what python and perl do not need.
dropped="/usr/share/man /usr/share/doc /usr/share/locale /usr/share/info
	/usr/share/lintian /usr/share/bug /usr/share/icons /usr/share/xml
	/usr/share/iso-codes /usr/share/perl/*/Unicode /usr/share/perl/*/pod
	/lib/udev/hwdb.d /usr/lib/x86_64-linux-gnu/perl/*/CORE
	/usr/lib/x86_64-linux-gnu/perl/*/auto/Encode
	/usr/share/qemu/skiboot.lid /usr/share/qemu/slof.bin
	/usr/share/qemu/openbios-* /usr/share/qemu/u-boot*
	/usr/share/qemu/hppa-firmware* /usr/share/qemu/opensbi*
	/usr/share/qemu/s390-* /usr/share/qemu/palcode-*
	/usr/libexec/qemu-system-i386 /usr/bin/qemu-system-x86_64-microvm
	/etc/kernel/postinst.d/initramfs-tools"

usage() {
	cat <<-EOF
	usage: tools/image.sh [--force] [--help]
	Makes the kernel, initramfs and tools image in $images.
	Reuses what is there while tools/image.packages, lab/level and the
	scripts stay the same.
	  --force   build everything again, with Debian's present packages
	EOF
}

package_list() {
	sed 's/#.*//' "$top/tools/image.packages" | xargs | tr ' ' ,
}

# The options of mmdebstrap that decide what is in the tree, one per line.
tree_options() {
	local path root='/lib/modules/*/kernel'
	set -f
	echo "--variant=minbase"
	echo "--format=tar"
	echo "--include=$(package_list)"
	echo '--aptopt=Apt::Install-Recommends "0"'
	for path in drivers sound net fs lib crypto; do
		echo "--dpkgopt=path-exclude=$root/$path/*"
	done
	for path in $kept_modules; do
		echo "--dpkgopt=path-include=$root/$path*"
	done
	for path in $dropped; do
		echo "--dpkgopt=path-exclude=$path"
		echo "--dpkgopt=path-exclude=$path/*"
	done
	set +f
	tree_hook
}

# Runs when everything is installed, in the tree ("$1"): packages.txt, and
# away with what differs between builds or hosts.
tree_hook() {
	echo '--customize-hook=chroot "$1" dpkg-query -W >"$1/packages.txt"'
	echo '--customize-hook=cd "$1" && echo nestbox >etc/hostname &&' \
		'rm -rf etc/resolv.conf boot/initrd* boot/System.map*' \
		'usr/lib/udev/hwdb.bin var/cache/* var/lib/apt/lists/*' \
		'etc/passwd- etc/group- etc/shadow- etc/gshadow-' \
		'etc/subuid- etc/subgid- &&' \
		'find var/log -type f -delete &&' \
		'find . -xdev -name __pycache__ -prune -exec rm -rf {} +'
}

hash_of() {
	sha256sum | cut -c 1-16
}

tree_id() {
	tree_options | hash_of
}

image_id() {
	{
		echo "$1 $boot_modules $disk_modules"
		cat "$top"/tools/{image.sh,vmlinux} "$top"/lab/level/*
	} | hash_of
}

make_tree() {
	local options
	mapfile -t options < <(tree_options)
	step "1/4 installing Debian packages (about 60 s)"
	debian_tree "$work/tree.tar" "${options[@]}"
	mv "$work/tree.tar" "$tree"
}

# The files of the tree that the kernel and the initramfs are made from.
unpack_boot() {
	mkdir "$work/boot"
	tar -x -f "$tree" -C "$work/boot" --wildcards --no-same-owner \
		'./boot/vmlinuz-*' './usr/lib/modules/*' ./usr/bin/busybox \
		./packages.txt
}

make_kernel() {
	step "2/4 unpacking the kernel"
	logged "unpacking the kernel" unpack_boot
	kernel=$(cd "$work/boot/usr/lib/modules" && echo *)
	logged "unpacking the kernel" "$top/tools/vmlinux" \
		"$work/boot/boot/vmlinuz-$kernel" "$out/vmlinux"
}

# module_order NAME...: file names in loading order. In modules.dep each line
# is "module: what it needs, to be loaded from right to left".
module_order() {
	awk -v names="$*" '
	function add(file) { if (!seen[file]++) print file }
	{
		file = $1; sub(/:$/, "", file)
		name = file; sub(/.*\//, "", name); sub(/\.ko.*/, "", name)
		path[name] = file
		needs[name] = ""
		for (i = NF; i > 1; i--) needs[name] = needs[name] " " $i
	}
	END {
		n = split(names, name_list, " ")
		for (k = 1; k <= n; k++) {
			m = name_list[k]
			if (!(m in path)) { print "no module " m; exit 1 }
			count = split(needs[m], need_list, " ")
			for (i = 1; i <= count; i++) add(need_list[i])
			add(path[m])
		}
	}' "$work/boot/usr/lib/modules/$kernel/modules.dep"
}

# add_modules FOLDER FROM: those of $work/order; prints their names.
add_modules() {
	local file
	while read -r file; do
		cp "$2/$file" "$1/lib/"
		basename "$file" .ko
	done <"$work/order"
}

fill_initramfs() {
	local dir=$work/level from=$work/boot/usr/lib/modules/$kernel
	mkdir -p "$dir"/{bin,dev,job,lib,proc,root,rw,sys,tmp,tools}
	cp "$work/boot/usr/bin/busybox" "$dir/bin/busybox"
	ln -s busybox "$dir/bin/sh"
	cp "$top"/lab/level/* "$dir/"
	chmod 755 "$dir/init" "$dir/bin/busybox"
	# shellcheck disable=SC2086 # lists of names
	{
		module_order $boot_modules >"$work/order"
		add_modules "$dir" "$from" >"$dir/modules"
		module_order $disk_modules >"$work/order"
		add_modules "$dir" "$from" >"$dir/modules.disk"
	}
	find "$dir" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

pack_initramfs() {
	cd "$work/level"
	find . | sort |
		cpio --quiet -o -H newc --reproducible -R 0:0 \
			>"$out/level.cpio"
}

make_initramfs() {
	step "3/4 making the initramfs"
	logged "making the initramfs" fill_initramfs
	logged "making the initramfs" pack_initramfs
}

# /boot of the image holds what the next level boots from.
pack_image() {
	local add=$work/add
	mkdir -p "$add/boot"
	cp "$out/vmlinux" "$out/level.cpio" "$add/boot/"
	tar -c -f "$work/add.tar" -C "$add" --owner=0 --group=0 --sort=name \
		--mode=644 --mtime="@$SOURCE_DATE_EPOCH" \
		./boot/vmlinux ./boot/level.cpio
	{ tar_without_end "$tree"; cat "$work/add.tar"; } |
		mksquashfs - "$out/tools.img" -tar -noI -noId -noD -noF -noX \
			-no-xattrs -quiet -no-progress -root-mode 755
	truncate -s %2M "$out/tools.img"
}

# A tar archive ends with blocks of zeros; tar archives can be joined once the
# first one's are gone.
tar_without_end() {
	local last
	last=$(tar -t -R -f "$1" | sed -n 's/^block \([0-9]*\): \*\*.*/\1/p')
	head -c $((last * 512)) "$1"
}

version_of() {
	sed -n "s/^$1 //p" "$out/packages.txt"
}

write_info() {
	tr '\t' ' ' <"$work/boot/packages.txt" | sed 's/:amd64 / /' \
		>"$out/packages.txt"
	cat >"$out/image.info" <<-EOF
	kernel=$kernel
	kernel_package=$(version_of "linux-image-$kernel")
	qemu=$(version_of qemu-system-x86)
	size=$(stat -c %s "$out/tools.img")
	sha256=$(sha256sum "$out/tools.img" | cut -d ' ' -f 1)
	EOF
	echo "$id" >"$out/id"
}

make_image() {
	step "4/4 packing the tools image"
	logged "packing the tools image" pack_image
	logged "packing the tools image" write_info
	step_end
}

# The new folder takes the old one's place in two renames.
publish() {
	[ ! -e "$images" ] || mv "$images" "$work/old"
	mv "$out" "$images"
	find "$cache" -maxdepth 1 -name 'tree-*.tar' ! -name "${tree##*/}" \
		-delete
}

up_to_date() {
	[ -z "$force" ] && [ "$(cat "$images/id" 2>/dev/null)" = "$id" ]
}

prepare() {
	need cpio cpio xz xz-utils mksquashfs squashfs-tools perl perl-base
	cache_open
	! up_to_date || exit 0	# another run has just made them
	out=$work/images
	mkdir "$out"
	if [ -n "$force" ] || [ ! -e "$tree" ]; then
		make_tree
	fi
	cache_space 600
	make_kernel
	make_initramfs
	make_image
	publish
	echo "image: Linux $kernel, $(du -m "$images/tools.img" |
		cut -f 1) MB: $images" >&2
}

force=
case ${1:-} in
'') ;;
--force) force=yes ;;
--help) usage; exit 0 ;;
*) usage >&2; exit 2 ;;
esac

id=$(tree_id)
tree=$cache/tree-$id.tar
id=$(image_id "$id")
up_to_date || prepare
