#!/bin/bash
# Fetches Debian's kernels as their packages have them, and gives each an
# initramfs that does what a job says (lab/guest/init), or says what booted and
# switches the machine off, to
#   $CACHE/kernels/{amd64,686-pae}/{vmlinuz,initrd}
# For `nestbox run --arch i386` and for tests of booting; all other Linuxes of
# stacks boot from tools/image.sh's images. Needs a network once. Called by
# test/e2e/pae.sh and others.
set -euo pipefail
top=$(realpath "$(dirname "$0")/..")
# shellcheck source=tools/common.sh
. "$top/tools/common.sh" kernels

usage() {
	cat <<-EOF
	usage: tools/kernels.sh [--force] [--help]
	Fetches kernels to $cache/kernels, if they are not there.
	  --force   fetch Debian's present ones
	EOF
}

# apt's settings for the packages of another architecture, in folder $1:
# nothing of this system's is read or changed.
apt_folder() {
	mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
	: >"$1/status"
	echo "deb $(mirror) bookworm main" >"$1/sources.list"
	cat >"$1/conf" <<-EOF
	Dir::State "$1";
	Dir::State::lists "$1/lists";
	Dir::State::status "$1/status";
	Dir::Cache "$1/cache";
	Dir::Etc::sourcelist "$1/sources.list";
	Dir::Etc::sourceparts "/dev/null";
	Dir::Etc::trusted "/usr/share/keyrings/debian-archive-keyring.gpg";
	APT::Architecture "$2";
	APT::Architectures { "$2"; };
	APT::Sandbox::User "root";
	Acquire::Languages "none";
	EOF
}

# fetch FOLDER ARCHITECTURE FLAVOUR: the kernel and busybox, unpacked in
# FOLDER/tree. The package of the flavour's name names the present version.
fetch() {
	local package
	export APT_CONFIG=$1/conf
	mkdir -p "$1/tree"
	cd "$1"
	apt_folder "$1" "$2"
	apt-get -q update
	package=$(apt-cache depends --important "linux-image-$3" |
		sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p')
	apt-get -q download "$package" busybox-static
	unpack linux-image-*.deb './boot/vmlinuz-*'
	unpack busybox-static_*.deb ./bin/busybox
}

unpack() {
	dpkg-deb --fsys-tarfile "$1" | tar -x -C tree --wildcards "$2"
}

make_initrd() {
	mkdir -p "$1"/root/{bin,dev,proc,put,sys,work}
	cp "$1/tree/bin/busybox" "$1/root/bin/"
	cp "$top/lab/guest/init" "$top/lab/level/words.sh" "$1/root/"
	chmod +x "$1/root/init"
	(cd "$1/root" && find . | cpio --quiet -o -H newc) >"$1/out/initrd"
}

# kernel ARCHITECTURE FLAVOUR
kernel() {
	local folder=$work/$2
	step "fetching Debian's kernel for $2 (60 MB)"
	mkdir -p "$folder/out"
	logged "fetching Debian's kernel for $2" fetch "$folder" "$1" "$2"
	cp "$folder"/tree/boot/vmlinuz-* "$folder/out/vmlinuz"
	logged "making an initramfs" make_initrd "$folder"
	mv "$folder/out" "$out/$2"
}

cache_options "$@"
id=$(cat "$top"/{tools/kernels.sh,lab/guest/init,lab/level/words.sh} |
	sha256sum)
! cache_has "$id" || exit 0
need apt-get apt dpkg-deb dpkg cpio cpio
cache_new "$id" 500
kernel amd64 amd64
kernel i386 686-pae
cache_keep "$id"
