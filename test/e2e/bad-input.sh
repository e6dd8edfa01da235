#!/bin/bash
# Whatever is wrong, `nestbox` says so in one line, with status 1 or 2, and
# leaves no process and no temporary file behind. Needs the images; takes
# seconds, because everything fails early or runs on the bare emulated CPU.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}
payload=build/guest/test/exitcode.elf
export TMPDIR=$tap_dir/tmp
mkdir "$TMPDIR"

# refused NAME STATUS PATTERN ARGUMENT...: exactly one line that matches.
refused() {
	local name=$1 want=$2 pattern=$3 output status=0
	shift 3
	output=$("$nestbox" "$@" 2>&1 >/dev/null </dev/null) || status=$?
	check_is "$name: status" "$status" "$want"
	check_has "$name: says why" "$output" "$pattern"
	check_is "$name: one line" "$(printf '%s\n' "$output" | wc -l)" 1
}

emulators() {
	pgrep -f "nestbox-test-mark-$$" | wc -l
}

# start_hanging: a payload that never ends, marked for emulators().
start_hanging() {
	"$nestbox" run --stack 0 --guest "$payload" --append hang=1 \
		--qemu-arg=-name --qemu-arg="nestbox-test-mark-$$" \
		>"$tap_dir/hang" 2>&1 &
	child=$!
	for _ in $(seq 100); do
		[ "$(emulators)" -ge 2 ] && return
		sleep 0.1
	done
}

# ends_after SIGNAL STATUS
ends_after() {
	local status=0
	start_hanging
	kill "-$1" "$child"
	wait "$child" 2>/dev/null || status=$?
	sleep 0.3
	check_is "signal $1: status" "$status" "$2"
	check_is "signal $1: no process left" "$(emulators)" 0
}

refused "unknown command" 2 "unknown command 'fly'" fly
refused "unknown stack" 2 "unknown stack '2k'" run --stack 2k -- true
refused "unknown hypervisor" 2 "unknown hypervisor 'x'" \
	run --stack 1x -- true
refused "nestbox.elf on KVM" 2 "not on KVM" run --stack 2kn -- true
check_fails 2 "unknown machine" \
	"$nestbox" run --stack 1k --machine isapc -- true
refused "machine of the emulator" 1 "a stack whose name ends in k" \
	run --stack 1n --machine q35 -- true
refused "32-bit payload" 1 "needs --guest linux" \
	run --stack 1k --arch i386 --guest "$payload"
refused "no command" 2 "needs a COMMAND" run --stack 0
refused "command for a payload" 2 "needs --guest linux" \
	run --stack 0 --guest "$payload" -- true
refused "too many values" 2 "more values than levels" \
	run --stack 1k --cpus 1,1,1 -- true
refused "no CPU" 2 "out of range" run --stack 0 --cpus 0 -- true
refused "exact and fast" 2 "exclude each other" \
	run --stack 0 --exact --fast -- true
refused "exact under KVM" 1 "needs --accel tcg" \
	run --stack 0 --exact --accel kvm -- true
NESTBOX_CACHE=$tap_dir/empty refused "no images" 1 'run `make images`' \
	run --stack 0 -- true
refused "too little memory" 1 "needs 192M at least" \
	run --stack 0 --mem 16 -- true
refused "too much memory" 1 "this machine has" \
	run --stack 0 --mem 9000G -- true
refused "missing payload" 1 "No such file" run --stack 0 --guest "$tap_dir/no"
refused "payload is a folder" 1 "." run --stack 0 --guest "$tap_dir"
refused "missing --put" 1 "No such file" \
	run --stack 0 --put "$tap_dir/no" -- true
refused "missing --module" 1 "No such file" \
	run --stack 0 --guest "$payload" --module "$tap_dir/no word"
refused "module for a Linux" 1 "needs --guest FILE" \
	run --stack 0 --module "$payload" -- true
refused "serial to nowhere" 1 "No such file" \
	run --stack 0 --guest "$payload" --serial "$tap_dir/no/file"
refused "json to a full disk" 1 "No space left" \
	run --stack 0 --guest "$payload" --json /dev/full
for json in "" --json; do
	check_has "doctor $json to a full disk" \
		"$("$nestbox" doctor $json 2>&1 >/dev/full)" \
		"stdout: No space left"
done
refused "serial to a full disk" 1 "No space left" \
	run --stack 0 --guest "$payload" --append spam=100 --serial /dev/full

echo "not an ELF" >"$tap_dir/text"
head -c 5000 "$payload" >"$tap_dir/short.elf"
cp build/nestbox "$tap_dir/elf64"
refused "text as payload" 1 "not an ELF file" \
	run --stack 0 --guest "$tap_dir/text"
refused "truncated payload" 1 "truncated ELF" \
	run --stack 0 --guest "$tap_dir/short.elf"
refused "64-bit payload" 1 "not an ELF32" run --stack 0 --guest "$tap_dir/elf64"
refused "crash" 1 "reset its machine" \
	run --stack 0 --guest "$payload" --append crash=1
refused "hang" 1 "time limit of 2 seconds" \
	run --stack 0 --guest "$payload" --append hang=1 --timeout 2
refused "wrong QEMU argument" 1 "the emulator failed" \
	run --stack 0 --guest "$payload" --qemu-arg=-nonsense

# A port that is in use: taken by a listener of our own.
perl -MIO::Socket::INET -e '
	my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1");
	$| = 1; print $s->sockport, "\n"; sleep 60' >"$tap_dir/port" &
listener=$!
while [ ! -s "$tap_dir/port" ]; do sleep 0.1; done
refused "port in use" 1 "Address already in use" \
	run --stack 0 --guest "$payload" \
	--qemu-arg=-gdb --qemu-arg="tcp:127.0.0.1:$(cat "$tap_dir/port")"
kill "$listener"

check_fails 42 "exit code of a payload" \
	"$nestbox" run --stack 0 --guest "$payload" --append code=42
check_fails 2 "unknown option" "$nestbox" run --nonsense
check "help" "$nestbox" --help
check "help of run" "$nestbox" run --help
check "help of bench" "$nestbox" bench --help
check_fails 2 "unknown suite" "$nestbox" bench macro
check_fails 2 "too many values of bench" \
	"$nestbox" bench micro --stacks 1k,2kk --cpus 1,1,1,1
check_fails 2 "unknown stack of bench" "$nestbox" bench micro --stacks 1k,7z

ends_after INT 1
ends_after TERM 1
ends_after KILL 137
check_is "no temporary file left" "$(ls "$TMPDIR")" ""
tap_end
