/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probes of svm_probe.c, in tables of one topic each. A probe finds the
 * machine as svm_reset() leaves it, does one experiment and prints its result:
 * one stable word or number, no newline.
 */
#pragma once

#include "guest/test/svm.h"

struct probe {
	const char *name;
	const char *manual; /* the result that the manual asks for */
	void (*run)(const struct probe *p);
	svm_code *code;	     /* of the guest; NULL: a bare VMMCALL */
	u64 arg, set, clear; /* what they mean is up to .run */
};

/* More: .arg, .set, .clear */
#define PROBE(name_, manual_, run_, code_, ...)                               \
	{                                                                     \
		.name = name_, .manual = manual_, .run = run_, .code = code_, \
		__VA_ARGS__                                                   \
	}

struct probe_table {
	const struct probe *probes;
	size_t count;
};

extern const struct probe_table probe_checks, probe_exits, probe_events,
	probe_nested, probe_cpu;

/* Runs the guest of @p; returns its exit code. ~0ull - vector: VMRUN trapped,
 * which probe_print_exit() knows. */
u64 probe_exit(const struct probe *p);

/* "none" if the guest reached its end, @hit if @code is @want, otherwise
 * what it was instead. */
void probe_print_exit(u64 code, u64 want, const char *hit);

void probe_say(const char *word);
void probe_number(u64 n);
