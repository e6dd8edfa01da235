/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything about one run, as the user asked for it and with defaults filled
 * in: what cmd_run.c and cmd_bench.c produce and machine.c, job.c and run.c
 * consume. All strings belong to the caller and outlive the run.
 */
#pragma once

#include <stdbool.h>
#include <string.h>

#include "lab/args.h"
#include "lab/stack.h"

#define MIB (1L << 20)

enum guest_kind {
	GUEST_PAYLOAD, /* a multiboot ELF32 */
	GUEST_LINUX,   /* Debian from the tools image */
};

enum accel { ACCEL_AUTO, ACCEL_TCG, ACCEL_KVM };

struct spec {
	struct stack stack;
	enum guest_kind guest;
	const char *payload; /* file, for GUEST_PAYLOAD */
	const char *bios;    /* firmware of the guest's machine, or NULL */
	const char *machine; /* its type, or NULL */
	bool i386;	     /* the guest is a 32-bit Linux */
	struct args modules; /* FILE[ WORDS], for a payload */
	const char *append;  /* more words for the guest's command line */
	const char *hv;	     /* more options for nestbox.elf */
	long cpus[MAX_LEVEL + 1];
	long mem[MAX_LEVEL + 1]; /* bytes */
	enum accel accel;	 /* not AUTO once run_settle() has run */
	bool exact, fast;	 /* at most one; settled to exact or not */
	const char *cpu;	 /* model of the outer emulator's CPU */
	bool no_thp;		/* levels boot without transparent huge pages */
	struct args puts;	/* HOST[:GUEST] */
	struct args gets;	/* GUEST[:HOST] */
	struct args qemu;	/* more arguments for the outer QEMU */
	struct args guest_qemu; /* and for that of the guest's machine */
	struct args plugin;	/* -plugin and its argument, or empty */
	char *const *command;
	bool shell;  /* interactive: the guest's console is our terminal */
	int timeout; /* seconds */
};

/* Is @level a Linux of ours (and not the bare payload, not nestbox.elf)? */
static inline bool spec_is_linux(const struct spec *s, int level)
{
	if (stack_is_nestbox(&s->stack, level))
		return false;
	return level < s->stack.guest_level || s->guest == GUEST_LINUX;
}

/* Does a Linux of ours run the guest's machine, and report its end? */
static inline bool spec_guest_on_linux(const struct spec *s)
{
	int below = s->stack.guest_level - 1;

	return below >= 0 && spec_is_linux(s, below);
}

static inline bool spec_is_guest(const struct spec *s, int level)
{
	return level == s->stack.guest_level;
}

/* The level that the guest's machine counts as: nestbox.elf has none for it. */
static inline int spec_guest_machine(const struct spec *s)
{
	return spec_guest_on_linux(s) ? s->stack.guest_level : 0;
}

static inline bool spec_is_microvm(const struct spec *s, int level)
{
	return spec_is_guest(s, level) && s->machine &&
	       !strcmp(s->machine, "microvm");
}

/* A Linux with no images: its kernel and initramfs come with the job. */
static inline bool spec_is_i386(const struct spec *s, int level)
{
	return spec_is_guest(s, level) && s->i386;
}

/* micro's IPIs need a second CPU: the virtual one above a Linux costs L0's
 * machine none, and nestbox.elf hands on those that it has. */
static inline void spec_default_micro_cpus(struct spec *s)
{
	if (spec_guest_on_linux(s))
		s->cpus[s->stack.guest_level] = 2;
	else if (s->stack.guest_level)
		s->cpus[0] = 2;
}
