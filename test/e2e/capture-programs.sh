#!/bin/bash
# Programs of Debian's are recorded as they are, end as they should, and their
# traces run through every design. A compiler starts other programs; redis and
# memcached have threads and a client; one of our own is as unruly as can be.
# Needs no images; takes 20 s of CPU.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}
command -v qemu-x86_64 >/dev/null || plan_skip "no qemu-x86_64 (qemu-user)"

# Small: 10,000 of each 300,000 accesses.
capture() {
	"$nestbox" capture -o "$tap_dir/$1.nbt" --window 10k --every 300k -- \
		"${@:2}" 2>"$tap_dir/err"
}

# Each combination of design, environment and pages has figures, or is refused
# with the reason that the paper gives.
good_rows='[.rows[] | select(.failed == null and
	(.refused != null or .walks > 0))] | length'

# check_trace NAME LEAST: what has to be so of every trace.
check_trace() {
	local trace=$tap_dir/$1.nbt rows
	check "$1: the trace is whole" "$nestbox" capture --verify "$trace"
	check_has "$1: accesses, $2 at least" "$("$nestbox" capture --json \
		--info "$trace" | jq ".accesses >= $2")" true
	check_is "$1: every access is in a mapping" \
		"$(build/test/e2e/mapped "$trace" | awk '$3')" ""
	rows=$("$nestbox" walk "$trace" --design all \
		--env native,virt,nested --pages 4k,thp --json \
		2>"$tap_dir/err")
	check_is "$1: walk runs all of it" \
		"$(printf '%s' "$rows" | jq "$good_rows")" 36
	check_is "$1: some of it is refused" "$(printf '%s' "$rows" |
		jq '[.rows[] | select(.refused != null)] | length')" 6
}

# "PROCESS PROGRAM" for each program that was executed.
executed() {
	"$nestbox" capture --dump "$1" |
		sed -n 's,^= exec [0-9]*\.\([0-9]*\) .*/,\1 ,p'
}

# share TRACE PROCESS: of the accesses, in percent.
share() {
	build/test/e2e/mapped "$1" |
		awk -v p="$2" '{ n += $2 } $1 == p { of = $2 }
			END { print int(100 * of / n) }'
}

# sqlite3
rows='with recursive c(x) as (select 1 union all select x + 1 from c
	where x < 20000) insert into t select x, hex(randomblob(8)) from c'
check_is "sqlite3: what it prints" "$(capture sqlite3 sqlite3 :memory: \
	'create table t(a integer primary key, b)' "$rows" \
	'select count(*), sum(length(b)) from t where a % 7 = 3')" "2857|45712"
check_trace sqlite3 50000

# gcc is a driver: the compiler and the assembler are processes of their own.
cp lib/fmt.c "$tap_dir/source.c"
gcc -O2 -I. -c -o "$tap_dir/native.o" "$tap_dir/source.c"
check "gcc: status" capture gcc gcc -O2 -I. -c -o "$tap_dir/recorded.o" \
	"$tap_dir/source.c"
check "gcc: the same object file" cmp "$tap_dir/native.o" "$tap_dir/recorded.o"
check_has "gcc: what it executes" "$(executed "$tap_dir/gcc.nbt" | xargs)" \
	"^[0-9]+ cc1 [0-9]+ as$"
cc1=$(executed "$tap_dir/gcc.nbt" | sed -n 's/ cc1$//p')
check_has "gcc: the compiler itself makes most accesses" \
	"$(share "$tap_dir/gcc.nbt" "$cc1")" '^[89][0-9]$'
check_trace gcc 300000

# Servers, which a client asks and then ends.
served() {
	OPERATIONS=2000 workload/server.sh "$1" 2000 "$nestbox" capture \
		-o "$tap_dir/$1.nbt" --window 10k --every 300k -- \
		2>"$tap_dir/err"
}
for server in redis memcached; do
	check_is "$server: its client gets what it asks for" \
		"$(served $server | cut -d , -f 1)" "$server: 2000 keys"
	check_has "$server: the trace has its end" "$(cat "$tap_dir/err")" \
		'accesses,'
	check_trace $server 30000
	check_has "$server: threads" "$("$nestbox" capture --json --info \
		"$tap_dir/$server.nbt" | jq '.events.thread >= 4')" true
done
check_is "redis: its end is recorded" "$("$nestbox" capture --json --info \
	"$tap_dir/redis.nbt" | jq .events.exit)" 1

# Signals, reserved and shared memory, mremap, brk, threads, children
check "unruly: natively" build/test/e2e/unruly
check "unruly: status" capture unruly "$PWD/build/test/e2e/unruly"
check_trace unruly 50000
tap_end
