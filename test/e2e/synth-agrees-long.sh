#!/bin/sh
# Part of `make check-long`: test/e2e/synth-agrees.sh of all, at 1 GiB.
SIZE=1g LIMIT=4000000 NAMES="gups stream chase btree canneal graph500 xsbench \
	redis memcached" exec test/e2e/synth-agrees.sh
