#!/bin/bash
# What `nestbox capture` records of programs whose accesses, mappings, threads
# and processes are known, and what it does when something goes wrong. Needs
# no images; takes seconds.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}
program=$PWD/build/test/e2e/captured
trace=$tap_dir/t.nbt

command -v qemu-x86_64 >/dev/null || plan_skip "no qemu-x86_64 (qemu-user)"

# capture [OPTION...] NAME: records the part NAME of the program; $output and
# $status are its own.
capture() {
	status=0
	output=$("$nestbox" capture -o "$trace" "${@:1:$#-1}" -- "$program" \
		"${*: -1}" 2>"$tap_dir/err") || status=$?
}

# What lies between the markers.
marked() {
	"$nestbox" capture --dump "$trace" |
		sed -n '/^= mark .* 2 0 0 0$/,/^= mark .* 3 0 0 0$/p' |
		grep -v -e '^= mark' -e '^@'
}

# events NAME: the arguments of each event of that name.
events() {
	"$nestbox" capture --dump "$trace" | sed -n "s/^= $1 [0-9.]* //p"
}

# at BASE OFFSET: an address.
at() {
	printf '%x' $((0x$1 + $2))
}

expected_kinds() {
	local b=$1 i
	echo " L $(at "$b" 0),1
 S $(at "$b" 8),2
 L $(at "$b" 16),4
 S $(at "$b" 24),8
 L $(at "$b" 32),8
 S $(at "$b" 32),8
 L $(at "$b" 40),4
 S $(at "$b" 40),4
 L $(at "$b" 48),8
 L $(at "$b" 64),16
 S $(at "$b" 80),16
 A $(at "$b" 96),8
 A $(at "$b" 104),4
 L $(at "$b" 112),4
 S $(at "$b" 112),4
 L $(at "$b" 120),1
 S $(at "$b" 120),1"
	for i in 0 1 2 3; do
		echo " L $(at "$b" "$i"),1"
		echo " S $(at "$b" $((128 + i))),1"
	done
}

refused() {
	local name=$1 want=$2 pattern=$3 output status=0
	shift 3
	output=$("$nestbox" capture "$@" 2>&1 >/dev/null </dev/null) ||
		status=$?
	check_is "$name: status" "$status" "$want"
	check_has "$name: says why" "$output" "$pattern"
	check_is "$name: one line" "$(printf '%s\n' "$output" | wc -l)" 1
}

nothing_left() {
	check_is "$1: nothing is left" "$(ls "$tap_dir"/*.nbt* 2>/dev/null)" ""
}

# Accesses
capture --marked kinds
check_is "status of the program" "$status" 0
check_is "accesses, in their order" "$(marked | sed 's/ +.*//')" \
	"$(expected_kinds "$output")"
check_is "instructions between them" \
	"$(marked | sed -n '2,9s/.*+//p' | xargs)" "1 1 1 3 0 1 0 1"
capture --marked quiet
check_is "far apart: instructions are not lost" \
	"$("$nestbox" capture --json --info "$trace" | jq .instructions)" \
	$((3 + 3 * 33333 + 1))

# Mappings
capture --marked vmas
read -r a b top <<<"$output"
check_is "system calls" "$(marked | grep '^=' | sed 's/[0-9]*\.[0-9]* //')" \
	"= map $a 10000 3 22
= protect $(at "$a" 4096) 1000 1 0
= protect $(at "$a" 4096) 1000 3 0
= advise $a 1000 4 0
= unmap $(at "$a" 32768) 8000 0 0
= remap $a 8000 $b 20000
= brk $top $(at "$top" 8192) 0 0"
check_is "accesses come behind what they need" \
	"$(marked | sed 's/ +.*//' | grep -E "^= (map|unmap)|^ S $a,1$" |
		cut -c 1-5 | xargs)" "= map S $(echo "$a" | cut -c 1-2) = unm"
check_has "the program's text is executable" "$(events map)" \
	"^[0-9a-f]+ [0-9a-f]+ 5 2 $program$"
check_has "the stack" "$(events map)" "^[0-9a-f]+ 800000 3 22$"

# Threads and processes
capture threads
"$nestbox" capture --dump "$trace" >"$tap_dir/dump"
for i in 0 1 2 3; do
	check_is "thread $i: every access" "$(grep -c \
		" A $(at "$output" $((8 * i))),8" "$tap_dir/dump")" 100000
done
check_is "threads told apart" "$("$nestbox" capture --json --info "$trace" |
	jq -c '[.threads, .processes]')" "[5,1]"
capture fork-kinds
check_is "fork and exec: status" "$status" 7
check_is "fork and exec: processes" \
	"$("$nestbox" capture --json --info "$trace" |
	jq -c '[.processes, .events.fork, .events.exec, .events.exit]')" \
	"[2,1,1,2]"
check_is "the executed program's accesses" \
	"$(marked | sed 's/ +.*//')" "$(expected_kinds "$output")"
capture fork-die
check_is "a killed child: status" "$status" 1
check_is "a killed child has ended" "$(events exit | wc -l)" 2
# shellcheck disable=SC2016 # for the script's shell
printf '#!/bin/sh\necho "$1"\n' >"$tap_dir/script"
chmod +x "$tap_dir/script"
check_is "a script" "$("$nestbox" capture -o "$trace" -- "$tap_dir/script" \
	word 2>/dev/null)" word

# Which accesses
capture --limit 5000 forever
check_is "limit: status" "$status" 0
check_is "limit: exact" "$("$nestbox" capture --json --info "$trace" |
	jq .accesses)" 5000
capture --raw kinds
"$nestbox" capture --dump "$trace" | grep -v '^[=@]' >"$tap_dir/all"
capture --skip 1000 --window 10 --every 100 --limit 50 kinds
check_is "skip and windows" \
	"$("$nestbox" capture --dump "$trace" | grep -v '^[=@]' |
		sed 's/ +.*//')" \
	"$(sed 's/ +.*//' "$tap_dir/all" | awk 'NR > 1000 &&
		(NR - 1001) % 100 < 10' | head -n 50)"

# How it ends
capture die
check_is "the program is killed: status" "$status" 134
check "the program is killed: the trace is whole" \
	"$nestbox" capture --verify "$trace"
rm "$trace"
"$nestbox" capture -o "$trace" -- "$program" forever >"$tap_dir/out" 2>&1 &
child=$!
for _ in {1..100}; do
	grep -qs running "$tap_dir/out" && break
	sleep 0.1
done
kill -INT $child
status=0
wait $child || status=$?
check_is "Ctrl-C: status" "$status" 130
check "Ctrl-C: the trace is whole" "$nestbox" capture --verify "$trace"
rm "$trace"
"$nestbox" capture -o "$trace" --raw -- "$program" forever \
	>"$tap_dir/out" 2>/dev/null &
child=$!
for _ in {1..100}; do
	[ "$(stat -c %s "$trace".*part 2>/dev/null || echo 0)" -gt 1000000 ] &&
		break
	sleep 0.1
done
kill -KILL $child
wait $child 2>/dev/null
sleep 0.5
check_is "kill -9: no process is left" \
	"$(pgrep -f "$program forever" | wc -l)" 0
check "kill -9: nothing under the name" test ! -e "$trace"
check_fails 1 "kill -9: what was written can be read" \
	"$nestbox" capture --verify "$trace".*part
rm "$trace".*part

# The recorder to link in
if command -v clang >/dev/null; then
	cat >"$tap_dir/linked.c" <<-"EOF"
	#include <stdio.h>
	#include "capture/hooks.h"
	static volatile long m[4];
	int main(void) {
		m[0] = m[1];
		nestbox_mark(2);
		m[3] = m[2];
		nestbox_mark(3);
		printf("%lx\n", (long)m);
	}
	EOF
	clang -O2 -I. -fsanitize-coverage=func,trace-loads,trace-stores \
		-o "$tap_dir/clang" "$tap_dir/linked.c" build/libnbhooks.a \
		-lzstd -lxxhash
	output=$(NESTBOX_TRACE=$trace "$tap_dir/clang")
	check_is "hooks of clang" "$(marked)" " L $(at "$output" 16),8 +1
 S $(at "$output" 24),8 +1"
	output=$("$nestbox" capture --hooks --marked -o "$trace" -- \
		"$tap_dir/clang" 2>/dev/null)
	check_is "hooks of clang, collected from outside" "$(marked)" \
		" L $(at "$output" 16),8 +1
 S $(at "$output" 24),8 +1"
else
	skip "hooks of clang" "no clang"
fi
# Where the hooks' accesses are: what the process had at its start, and later.
mapped() {
	check_is "$1: every access is in a mapping" \
		"$(build/test/e2e/mapped "$trace" | awk '$3')" ""
	check_has "$1: they come from /proc" "$(events map)" "^[0-9a-f]+ .* $2$"
	check_is "$1: not those of the recorder" \
		"$(events map | grep nestbox-ring)" ""
}

gcc -O2 -I. -D_GNU_SOURCE -fsanitize=thread -c -o "$tap_dir/linked.o" \
	test/e2e/captured.c
gcc -o "$tap_dir/gcc" "$tap_dir/linked.o" build/libnbhooks.a -lzstd -lxxhash
output=$(NESTBOX_TRACE=$trace "$tap_dir/gcc" vmas)
read -r a _ _ <<<"$output"
check_has "hooks of gcc" "$("$nestbox" capture --dump "$trace")" "^ S $a,1 "
mapped "hooks of gcc" "$tap_dir/gcc"
check_has "hooks of gcc: what was mapped later" "$(events map)" "^$a "
"$nestbox" capture --hooks -o "$trace" -- "$tap_dir/gcc" fork-kinds \
	>/dev/null 2>&1
mapped "hooks of gcc, a child that executes" "$tap_dir/gcc"
check_is "hooks of gcc, a child that executes: three address spaces" \
	"$(build/test/e2e/mapped "$trace" | wc -l)" 3

for name in gups main size; do
	gcc -O2 -I. -D_GNU_SOURCE -fsanitize=thread \
		-c -o "$tap_dir/$name.o" "workload/$name.c"
done
gcc -o "$tap_dir/gups" "$tap_dir"/{gups,main,size}.o build/libnbhooks.a \
	-lzstd -lxxhash -lpthread
"$nestbox" capture --hooks --skip 6m --limit 300k -o "$trace" -- \
	"$tap_dir/gups" -s 16m -n 50k >/dev/null 2>&1
mapped "hooks of gcc, gups" "$tap_dir/gups"
check_is "hooks of gcc, gups: dmt's registers find nearly all" \
	"$("$nestbox" walk "$trace" --design dmt,pvdmt --env virt --pages 4k \
	--json 2>/dev/null | jq -c '[.rows[] | select(.implied | not) |
	.walks > 1000 and .fallbacks < .walks / 100]')" "[true,true]"

# A live process
check_is "snapshot" "$("$nestbox" capture --json --snapshot $$ |
	jq '[.vmas[] | select(.path == "[stack]")] | length')" 1
refused "snapshot of nothing" 1 "there is none" --snapshot 4194305

# Errors
for what in "--info $trace" "--dump $trace" "--snapshot $$"; do
	read -ra words <<<"$what"
	for json in "" ${words[0]/--dump/}; do
		check_has "${words[0]} to a full disk${json:+, as JSON}" \
			"$("$nestbox" capture ${json:+--json} "${words[@]}" \
				2>&1 >/dev/full)" "stdout: No space left"
	done
done
rm -f "$trace"
refused "no program" 2 "what is to be recorded" -o "$trace"
refused "no output" 2 "-o FILE" -- true
check_fails 2 "bad count" "$nestbox" capture --limit 1x -o "$trace" -- true
refused "half a window" 2 "need each other" --window 5 -o "$trace" -- true
refused "missing program" 1 "no such program" -o "$trace" -- ./no-such
nothing_left "missing program"
refused "no x86-64 program" 1 "no x86-64 program" -o "$trace" -- \
	build/guest/test/exitcode.elf
nothing_left "no x86-64 program"
refused "nowhere to write" 1 "cannot be created" -o /no/such/t.nbt -- true
refused "full disk" 1 "/dev/full: cannot write" --raw -o /dev/full -- \
	"$program" forever
mkdir "$tap_dir/small"
# shellcheck disable=SC2016 # for the inner shell
small='mount -t tmpfs -o size=1m none "$1" && "$2" capture --raw \
	-o "$1/t.nbt" -- "$3" forever >/dev/null; echo $? "$(ls "$1")"'
if unshare -rm true 2>/dev/null; then
	check_is "full disk: nothing is left" "$(unshare -rm sh -c "$small" sh \
		"$tap_dir/small" "$nestbox" "$program" 2>/dev/null)" "1 "
else
	skip "full disk: nothing is left" "no user namespaces"
fi
refused "nothing recorded" 1 "nothing was recorded" --marked -o "$trace" -- true
nothing_left "nothing recorded"
head -c 100 /dev/zero >"$tap_dir/bad"
refused "not a trace" 1 "." --verify "$tap_dir/bad"
tap_end
