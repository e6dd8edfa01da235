#!/bin/sh
# Part of `make check`: the fuzz target on every file of its regressions.
exec build/san/unit/replay_rows test/fuzz/regress/rows/*
