# shellcheck shell=sh
# What every guest Linux does with the command of its job: sourced by
# lab/level/init, which has the images, and by lab/guest/init, which has none.

# Replaces this function's "$@" by the lines of a file, and calls "$1" with it.
with_lines_of() {
	call=$1
	file=$2
	set --
	while IFS= read -r line; do
		set -- "$@" "$line"
	done <"$file"
	"$call" "$@"
}

# By $enter (words that lead into the root folder, or none), in /work.
# shellcheck disable=SC2154 # whoever sources this sets it
start_command() {
	stty -F /dev/console -opost
	dmesg -n 1
	echo "@nestbox begin"
	$enter /bin/sh -c 'cd /work && exec "$@"' sh "$@" </dev/null
	status=$?
	printf '\n@nestbox status %s\n' "$status"
	stty -F /dev/console opost
}
