#!/bin/bash
# A server of Debian with records in it, asked for them at random: for
# `nestbox capture`.
#   workload/server.sh redis|memcached RECORDS [RECORDER...]
# RECORDER is what the server's command line is given to, such as
#   build/nestbox capture -o t.nbt --skip 300m --limit 4m --
# The client asks until the server ends, because its recorder has enough, or
# for OPERATIONS (in the environment) times, and then ends it.
set -euo pipefail
server=${1:?} records=${2:?}
shift 2
client=${CLIENT:-build/workload/client}
folder=$(mktemp -d)
socket=$folder/socket
trap 'kill "$pid" 2>/dev/null || true; wait; rm -rf "$folder"' EXIT

start() {
	case $server in
	redis)
		"$@" redis-server --port 0 --unixsocket "$socket" --save '' \
			--hz 1 --dir "$folder" --activerehashing no \
			--enable-debug-command local \
			--daemonize no >/dev/null &
		;;
	memcached)
		"$@" memcached -u root -m 131000 -t 4 -s "$socket" &
		;;
	*)
		echo "server.sh: redis or memcached, not '$server'" >&2
		exit 2
		;;
	esac
	pid=$!
}

# Until it answers: under a recorder it takes its time.
await() {
	for _ in $(seq 300); do
		if [ -S "$socket" ]; then return; fi
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	[ -S "$socket" ] || { echo "server.sh: $server does not start" >&2
		exit 1; }
}

# redis has a way to do it itself, ten times as fast.
fill() {
	if [ "$server" = redis ]; then
		[ "$(redis-cli -s "$socket" debug populate "$records" key \
			256)" = OK ]
	else
		"$client" memcached fill "$socket" "$records" 1024 0
	fi
}

pid=
start "$@"
await
fill
bytes=256
[ "$server" = redis ] || bytes=1024
"$client" "$server" get "$socket" "$records" "$bytes" \
	"${OPERATIONS:-1000000000}"
if [ -n "${OPERATIONS:-}" ]; then kill -INT "$pid"; fi
wait "$pid" || true
