#!/bin/bash
# The random VMCBs of random.sh for an hour, other seeds.
RANDOM_SECONDS=3600 RANDOM_SEED=1000 exec bash test/e2e/random.sh
