#!/bin/bash
# Is L1 Debian's, unmodified? Prints the sha256 of the kernel and of KVM's
# modules as the Debian package has them (fetched anew, its signature checked
# by apt) and as a running L1 finds them; for the kernel that is booted, which
# is the package's uncompressed by tools/vmlinux, what that makes of the
# package's. Needs a network and `make images`. Status 0 if all are the same.
set -euo pipefail
top=$(realpath "$(dirname "$0")/..")
# shellcheck source=tools/common.sh
. "$top/tools/common.sh" identity

usage() {
	cat <<-EOF
	usage: tools/identity.sh [--help] [NESTBOX [STACK]]
	Compares with what L1 of STACK has (default 1n), by the program NESTBOX
	(default build/nestbox).
	EOF
}

info() {
	sed -n "s/^$1=//p" "$cache/images/image.info"
}

# The files, relative to / and to the package's tree.
files() {
	local modules=lib/modules/$kernel/kernel/arch/x86/kvm
	echo "boot/vmlinuz-$kernel"
	echo boot/vmlinux
	echo "$modules/kvm.ko"
	echo "$modules/kvm-amd.ko"
}

fetch() {
	cd "$work"
	apt-get -q download "linux-image-$kernel=$(info kernel_package)"
	dpkg-deb -x linux-image-*.deb tree
	"$top/tools/vmlinux" "tree/boot/vmlinuz-$kernel" tree/boot/vmlinux
}

# What L1 booted from is handed to it by this machine, outside of its root.
ask_l1() {
	files | (cd "$work/tree" && xargs sha256sum) |
		sed 'p; s,boot/vmlinux$,vmlinux,; t; d' >"$work/debian"
	# shellcheck disable=SC2046 # a list of names
	"$nestbox" run --stack "$stack" -- sh -c \
		'cd / && modprobe kvm-amd && sha256sum "$@"' sh $(files) \
		>"$work/l1"
	(cd "$cache/images" && sha256sum vmlinux) >>"$work/l1"
}

compare() {
	local sum file l1 status=0
	while read -r sum file; do
		l1=$(awk -v file="$file" '$2 == file { print $1 }' "$work/l1")
		if [ "$sum" = "$l1" ]; then
			echo "same      $sum $file"
		else
			echo "DIFFERENT $sum $file, L1 has ${l1:-none}"
			status=1
		fi
	done <"$work/debian"
	return $status
}

case ${1:-} in
--help) usage; exit 0 ;;
-*) usage >&2; exit 2 ;;
esac
nestbox=$(realpath "${1:-$top/build/nestbox}")
stack=${2:-1n}
need apt-get apt dpkg-deb dpkg xz xz-utils
kernel=$(info kernel)
cache_open
step "fetching Debian's package (70 MB)"
logged "fetching Debian's package" fetch
step "asking L1 of $stack"
logged "asking L1 of $stack" ask_l1
step_end
echo "linux-image-$kernel $(info kernel_package), as Debian has it and in L1:"
compare
