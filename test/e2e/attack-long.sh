#!/bin/bash
# The attacks of attack.sh for an hour, other seeds.
ATTACK_SECONDS=3600 ATTACK_SEED=1000 exec bash test/e2e/attack.sh
