# shellcheck shell=bash
# What emulator.sh, image.sh and others share: the cache folder with its lock
# and temporary folder, messages, progress lines, Debian's packages. Sourced by
# them with the name that their messages start with. Nothing is left in the
# cache but what they rename into place: the temporary folder goes away at exit.

me=$1
cache=${NESTBOX_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/nestbox}
work=
child=
line_open=

# step TEXT: ends the last progress line with its seconds, starts another.
step() {
	step_end
	printf '%s: %s ...' "$me" "$*" >&2
	line_open=yes
	step_start=$SECONDS
}

step_end() {
	[ -z "$line_open" ] || printf ' %d s\n' $((SECONDS - step_start)) >&2
	line_open=
}

die() {
	[ -z "$line_open" ] || echo >&2
	line_open=
	echo "$me: $*" >&2
	exit 1
}

# need PROGRAM PACKAGE ...: names every missing program's package at once.
need() {
	local missing=
	while [ $# -gt 0 ]; do
		command -v "$1" >/dev/null || missing="$missing $2"
		shift 2
	done
	[ -z "$missing" ] ||
		die "missing packages:$missing (run tools/deps.sh --install)"
}

# Ends the process group of the running command, in the end by force.
end_child() {
	local _
	for _ in {1..100}; do
		kill -TERM -- "-$child" 2>/dev/null || return 0
		sleep 0.1
	done
	kill -KILL -- "-$child" 2>/dev/null || true
}

cleanup() {
	local status=$?
	trap - EXIT
	trap '' INT TERM HUP
	[ -z "$child" ] || end_child
	[ -z "$line_open" ] || echo >&2
	[ -z "$work" ] || rm -rf --one-file-system "$work"
	exit "$status"
}

# Takes the cache's lock, removes what a killed run left, makes $work.
cache_open() {
	mkdir -p "$cache" 2>/dev/null || true
	[ -w "$cache" ] || die "cannot write to $cache (set NESTBOX_CACHE)"
	exec 9>>"$cache/lock"
	if ! flock -n 9; then
		echo "$me: waiting for another run that fills $cache" >&2
		flock 9
	fi
	rm -rf --one-file-system "$cache"/work.* 2>/dev/null || true
	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	work=$(mktemp -d "$cache/work.XXXXXX") ||
		die "cannot make a folder in $cache"
	chmod 755 "$work"
}

# cache_space MIB: refuses early what would fill the disk later.
cache_space() {
	local free
	free=$(df -Pm "$cache" | awk 'NR == 2 { print $4 }')
	[ "$free" -ge "$1" ] ||
		die "$cache has $free MB of free space, $1 MB are needed" \
			"(free some, or set NESTBOX_CACHE)"
}

# What a script fetches or builds once is the folder $CACHE/$me with a file id:
# the script's options, whether it is there, an empty folder $out for a new one,
# and that in its place. The script ends where there is nothing to do.
cache_options() {
	case ${1:-} in
	"") ;;
	--force) rm -f "$cache/$me/id" ;;
	--help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
}

cache_has() {
	[ "$(cat "$cache/$me/id" 2>/dev/null)" = "$1" ]
}

# cache_new ID MIB
cache_new() {
	cache_open
	! cache_has "$1" || exit 0 # another run was faster
	cache_space "$2"
	out=$work/$me.new
	mkdir "$out"
}

cache_keep() {
	echo "$1" >"$out/id"
	rm -rf "${cache:?}/$me"
	mv "$out" "$cache/$me"
	step_end
}

# logged WHAT COMMAND...: runs it with its output in $work/log, in the
# background and in a process group of its own, so that a signal ends all of
# it at once; if it fails, dies with the reason. Not to be called behind || or
# in a condition: there, `set -e` would not hold inside COMMAND.
logged() {
	local what=$1 status=0
	shift
	set -m
	"$@" </dev/null >>"$work/log" 2>&1 9>&- &
	child=$!
	set +m
	wait "$child" || status=$?
	child=
	[ "$status" = 0 ] || explain "$what"
}

# explain WHAT: dies with the reason that the log holds.
explain() {
	local log=$work/log last
	if grep -q 'No space left on device' "$log"; then
		die "$1: no space left in $cache (or in ${TMPDIR:-/tmp})"
	fi
	if grep -qE 'Failed to fetch|not resolve|Could not connect' "$log"; then
		die "$1: cannot download from $(mirror) (is there a network?)"
	fi
	last=$(grep -vE '^(I:|$)' "$log" | tail -n 1)
	cp "$log" "$cache/$me.log" 2>/dev/null || true
	die "$1: ${last:-no reason given} (all of it: $cache/$me.log)"
}

# The mirror of Debian that this system uses for itself.
mirror() {
	local uri
	uri=$(apt-get indextargets --format '$(REPO_URI)' \
		'Identifier: Packages' 2>/dev/null |
		grep -m 1 -E '/debian/?$') || uri=http://deb.debian.org/debian
	echo "${uri%/}"
}

# Where that mirror's security updates are.
mirror_security() {
	local uri
	uri=$(apt-get indextargets --format '$(REPO_URI)' \
		'Identifier: Packages' 2>/dev/null |
		grep -m 1 -E '/debian-security/?$') ||
		uri=http://deb.debian.org/debian-security
	echo "${uri%/}"
}

# An apt of our own: its lists, caches and sources are in the temporary folder.
# Keys and proxies stay the system's. private_sources: of standard input.
private_sources() {
	mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial"
	cat >"$work/apt/sources.list"
}

private_apt() {
	apt-get -q -o Dir::State::Lists="$work/apt/lists" \
		-o Dir::Cache="$work/apt" -o Dir::Etc::SourceParts=- \
		-o Dir::Etc::SourceList="$work/apt/sources.list" \
		-o Dir::Etc::Preferences=- -o Dir::Etc::PreferencesParts=- \
		-o APT::Sandbox::User=root -o Acquire::Languages=none \
		-o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any "$@"
}

# Root needs nothing. A user needs sub-UIDs (package uidmap), else the
# packages fakechroot and fakeroot.
debian_mode() {
	if [ "$(id -u)" = 0 ]; then
		echo root
	elif command -v newuidmap >/dev/null &&
		grep -q "^$(id -un):" /etc/subuid &&
		unshare -U true 2>/dev/null; then
		echo unshare
	else
		need fakechroot fakechroot fakeroot fakeroot
		echo fakechroot
	fi
}

write_sources() {
	local m=$1 s=$2
	cat <<-EOF
	deb $m bookworm main
	deb $m bookworm-updates main
	deb $s bookworm-security main
	EOF
}

# As root, mmdebstrap mounts /proc, /sys and /dev inside the tree. It gets a
# mount namespace of its own, so that however it ends, nothing stays mounted
# under the cache; and it ends when this script is killed.
run_mmdebstrap() {
	local how=$1 tar=$2 own_mounts=()
	shift 2
	if [ "$how" = root ]; then
		export TMPDIR=$work
		! unshare --mount true || own_mounts=(unshare --mount)
	fi
	exec setpriv --pdeathsig TERM "${own_mounts[@]}" \
		mmdebstrap "--mode=$how" "$@" bookworm "$tar" \
		"$work/sources.list"
}

# debian_tree TAR OPTION...: Debian as mmdebstrap's options say.
debian_tree() {
	local how
	need mmdebstrap mmdebstrap
	how=$(debian_mode)
	cache_space 2000
	write_sources "$(mirror)" "$(mirror_security)" >"$work/sources.list"
	logged "installing Debian packages" run_mmdebstrap "$how" "$@"
}
