/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend (struct vmm_ops) without a CPU, for tests of hv/'s core. The guest
 * is a script of exits: fake_run() gives them to run_forever() one by one, and
 * what the core does to the guest is in struct fake.
 */
#pragma once

#include "hv/gwalk.h"
#include "hv/nested.h"
#include "test/unit/fake_machine.h"

/* What happens next. */
struct step {
	struct exit exit;
	/* What the guest, or another CPU, does before that. May be NULL. */
	void (*before)(struct vcpu *v);
	bool in_wait;	  /* an NMI that ends vmm->wait_nmi() instead */
	bool undelivered; /* the exit interrupts an event's delivery */
};

#define FAKE_L2_TSC 0x123456789abcull

struct fake {
	struct guest_view view;
	u64 efer;
	bool efer_illegal; /* set_efer() refuses */
	u64 next_rip;	   /* what the CPU says; 0: nothing */

	struct event pending;
	bool injecting;
	struct event delivered[FAKE_LOG];
	unsigned n_delivered;

	struct start start; /* of the last reset */
	u64 npt;
	unsigned resets, advances, flushes;
	bool watches_iret, watches_gif, steps;
	bool no_svm;   /* nested_is_offered() */
	bool l1_takes; /* what nested_take() and nested_take_fault() say ... */
	u8 taken;      /* ... to this slot or vector */
	u64 l2_pat;
	bool takes; /* nested_take(): L1 wants NMIs and INITs of level 2 ... */
	unsigned n_taken;	     /* ... and has had so many */
	struct nested_counts counts; /* what hv/nested has counted */
	struct nested_tables tables;

	struct {
		u32 msr;
		bool reads, writes;
	} msrs[FAKE_LOG]; /* that exit */
	unsigned n_msrs;
	u16 ports[FAKE_LOG];
	unsigned n_ports;

	const struct step *script;
	size_t left;
};

/* Steps of a script. */
#define STEP(slot_)                  \
	{                            \
		.exit.slot = (slot_) \
	}
#define AFTER(what, slot_)                             \
	{                                              \
		.exit.slot = (slot_), .before = (what) \
	}
#define IN_WAIT(what)                             \
	{                                         \
		.in_wait = true, .before = (what) \
	}

extern struct fake fake;

/* A new machine with @n CPUs; its backend is the fake one. The guest of the
 * first is at FAKE_RIP, flat, in mode @mode. */
#define FAKE_RIP 0x1000u
void fake_new(unsigned n, enum x86_mode mode);

/* Puts an instruction where @v is. */
void fake_insn(const struct vcpu *v, const void *bytes, size_t n);

/* Runs the core on machine.self until the script, or everything, ends. */
enum end fake_run(const struct step *script, size_t n);

#define FAKE_RUN(...)                                         \
	fake_run((const struct step[]){__VA_ARGS__},          \
		 sizeof((const struct step[]){__VA_ARGS__}) / \
			 sizeof(struct step))

/* The only event that was delivered since the last call is this one. */
void assert_delivered(enum event_type type, u8 vector);
void assert_nothing_delivered(void);

/* One exit of the CPU that executes, at FAKE_RIP, and what it has to lead to:
 * the next instruction after @len bytes, or a fault. */
void exit_of(enum exit_slot slot);
void expect_next(struct exit exit, unsigned len);
void expect_fault(struct exit exit, u8 vector);
