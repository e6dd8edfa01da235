# shellcheck shell=bash
# Machines without stacks, for tests in bash. Sourced after test/tap.sh.
#
#   emulator SECONDS ARGUMENT...   a PC of the cache's QEMU, without defaults;
#                                  its COM1 to standard output, status 124
#                                  when the time is over; ARGUMENT can choose
#                                  another machine than "pc"
#   emulator_path                  that QEMU's program
#   can_make_iso                   whether tools/iso.sh has its programs

cache=${NESTBOX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nestbox}

emulator_value() {
	sed -n "s/^$1=//p" "$cache/emulator"
}

emulator_path() {
	emulator_value path
}

emulator() {
	local seconds=$1 folder folders args=()
	shift
	IFS=, read -ra folders <<<"$(emulator_value data)"
	for folder in "${folders[@]}"; do
		args+=(-L "$folder")
	done
	timeout "$seconds" "$(emulator_path)" "${args[@]}" -M pc \
		-nodefaults -display none -no-reboot -serial stdio "$@" 2>&1
}

can_make_iso() {
	command -v grub-mkrescue >/dev/null && command -v xorriso >/dev/null
}
