#!/bin/bash
# A hostile L1 on nestbox.elf (guest/test/attack.c): seeds one after another for
# a minute, or ATTACK_SECONDS; ATTACK_SEED is the first one. Each ends by a
# triple fault, which L0 has to survive long enough to say that it is intact.
# shellcheck source=test/tap.sh
. test/tap.sh

nestbox=${NESTBOX:-build/nestbox}
seconds=${ATTACK_SECONDS:-60}
seed=${ATTACK_SEED:-1}
rounds=500

# attack ARGUMENT...: its output, L0's and the payload's.
attack() {
	"$nestbox" run --stack 1n --guest build/guest/test/attack.elf \
		--timeout 300 "$@" 2>&1
}

# intact OUTPUT WHY: the payload came to its end, and L0 took it.
intact() {
	printf '%s\n' "$1" | tail -40
	grep -q '^L1| ok 3 ' <<<"$1" && ! grep -q 'not ok' <<<"$1" &&
		grep -q "^L0| nestbox: L1 shut down ($2)" <<<"$1" &&
		grep -q '^L0| nestbox: text intact' <<<"$1"
}

output=$(attack --append "rounds=5 init=1 end=cr0")
check "an L1 that no CPU can run: the machine resets" \
	intact "$output" "invalid guest state"
while [ "$tap_failed" = 0 ] && [ "$SECONDS" -lt "$seconds" ]; do
	cpu=max machine=(--cpus 2 --fast)
	[ $((seed % 2)) = 1 ] || cpu=EPYC
	[ $((seed % 4)) -ge 2 ] || machine=(--cpus 1)
	output=$(attack --cpu $cpu "${machine[@]}" \
		--append "seed=$seed rounds=$rounds init=1")
	check "seed $seed on $cpu" intact "$output" "a triple fault"
	seed=$((seed + 1))
done
tap_end
