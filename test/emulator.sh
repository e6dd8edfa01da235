# shellcheck shell=bash
# For tests that start the emulator themselves: the cache's folder as $cache,
# the command that starts its QEMU as the array "emulator".
cache=${NESTBOX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nestbox}
emulator_value() {
	sed -n "s/^$1=//p" "$cache/emulator"
}
emulator=("$(emulator_value path)")
while read -r folder; do
	emulator+=(-L "$folder")
done < <(emulator_value data | tr , '\n')
