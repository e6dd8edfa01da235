#!/bin/sh
# Part of `make check`: the fuzz target on every file of test/fuzz/regress.
exec build/san/unit/replay test/fuzz/regress/*
