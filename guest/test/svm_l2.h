/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame of the conformance payloads guest/test/svm_*.c: each is L1 of
 * whatever runs it and looks at what that does with L2. A payload is tables of
 * rows; a row is one experiment, one TAP line and so one assertion, whose name
 * test/expected/ refers to: stable, unique in the payload, without blanks.
 *
 * Before a row runs, everything is as svm_reset() leaves it. A row says what it
 * saw by the l2_expect functions; it passes if none of them disagrees. L2's
 * code is straight and ends by a VMMCALL, every exception in it is an exit: on
 * a wrong CPU a row fails and the next one runs.
 *
 * Words on the command line: only=ROW,... and skip=ROW,... choose rows;
 * trace=1 names each row before it runs, for a CPU that does not come back.
 */
#pragma once

#include "guest/test/svm.h"

struct l2_row {
	const char *name;
	void (*run)(const struct l2_row *r);
	svm_code *code;		   /* of L2; NULL: a bare VMMCALL */
	u64 arg, set, clear, want; /* what they mean is up to .run */
	u32 needs;		   /* SVM_...: skipped where one is missing */
};

struct l2_table {
	const struct l2_row *rows;
	size_t count;
};

/* More: .arg, .set ... */
#define L2_ROW(name_, run_, code_, ...)                                \
	{                                                              \
		.name = name_, .run = run_, .code = code_, __VA_ARGS__ \
	}
#define L2_TABLE(rows_)                                   \
	{                                                 \
		.rows = rows_, .count = ARRAY_SIZE(rows_) \
	}

/* CPUID 8000000A, EDX (APM vol. 3, appendix E) */
#define SVM_NP	       (1u << 0)
#define SVM_LBR	       (1u << 1)
#define SVM_NRIPS      (1u << 3)
#define SVM_CLEAN      (1u << 5)
#define SVM_FLUSH_ASID (1u << 6)
#define SVM_ASSISTS    (1u << 7)
#define SVM_VLS	       (1u << 15)
#define SVM_VGIF       (1u << 16)

u32 svm_features(void);

/*
 * The whole payload: main() returns what this does. Without SVM it prints a
 * plan of no tests.
 */
int l2_main(const char *cmdline, const struct l2_table *tables, size_t count);

/* Runs L2 at @code until it exits. Returns the exit code; L2_TRAPPED plus the
 * vector if VMRUN itself raised an exception. GIF is 1 afterwards. */
#define L2_TRAPPED 0x5472617000000000ull /* no exit code looks like that */
u64 l2_run(svm_code *code);

/* @got has to be @want; @what is a word for the comment that says it is not. */
bool l2_expect(const char *what, u64 got, u64 want);

/* The exit code after l2_run(code), and nothing but the exit code. */
bool l2_expect_exit(svm_code *code, u64 want);

/* The row cannot be tried here; return at once. */
void l2_skip(const char *reason);

/* Puts L2 at CPL 3, without ports. Its pages become the user's, which L1 does
 * not notice. */
void l2_user(void);

/* One more than the greatest physical address. */
u64 l2_physical_end(void);

/*
 * What #VMEXIT has to bring back of L1: control and segment registers, EFER,
 * descriptor tables, flags, DR7. Take it before a run; l1_expect_same()
 * compares with the present.
 */
enum { L1_STATES = 14 };
struct l1_state {
	u64 value[L1_STATES];
};
struct l1_state l1_state(void);
void l1_expect_same(const struct l1_state *before);
