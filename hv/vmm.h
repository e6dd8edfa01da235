/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the core knows of a virtualization extension: struct vmm_ops, which
 * hv/svm implements (hv/vmx will), and the state that both sides share. Core,
 * nested/, dvh/ and pal/ include this header and none of a backend.
 *
 * A virtual CPU is run by one physical CPU, always the same, with interrupts
 * and NMIs off.
 */
#pragma once

#include "lib/exit.h"
#include "lib/types.h"

struct cpu;

/* The general registers, by their number in the encoding. */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, GPRS = 16 };

struct regs {
	u64 gpr[GPRS];
	u64 rip, rflags;
};

struct exit {
	enum exit_slot slot;
	u64 code;	  /* as the hardware has it */
	u64 info1, info2; /* SVM: EXITINFO1, EXITINFO2 */
};

/* Of a nested page fault: info1 is an error code as of a #PF, info2 where. */
#define NPF_WRITE 0x2u
#define NPF_TABLE 0x200000000ull /* at the guest's own page tables */

enum start_mode {
	START_PROTECTED, /* flat, paging off */
	START_LONG,	 /* 64-bit, on the page tables of @cr3 */
	START_REAL,	 /* as after an INIT, at @cs:@rip */
};

struct start {
	enum start_mode mode;
	u64 rip, cr3;
	u64 rax, rbx, rdx, rsi;
	u16 cs;	     /* real mode ... */
	u64 cs_base; /* ... where it is not the selector's */
};

enum event_type { EVENT_INTR, EVENT_NMI = 2, EVENT_EXCEPTION, EVENT_SOFT };

struct event {
	enum event_type type;
	u8 vector;
	bool has_error;
	u32 error;
};

/* The global interrupt flag: hv/svm/gif.h. */
enum gif { GIF_ON, GIF_OFF, GIF_CPU };

/* What L0 has to know of L1's local APIC: hv/vapic.c. */
struct vapic {
	u32 ldr, dfr; /* xAPIC's logical ID, and flat or cluster */
	u64 icr;      /* x2APIC's, as last written */
};

/* Where a page of code is: the entries of page tables that led there, so that
 * it costs little to see whether they still do (hv/code.h). */
struct code_page {
	u64 cr3, va;
	u64 map, version; /* of the guest's memory */
	const u64 *entry[4];
	u64 value[4];
	const u8 *bytes; /* NULL: none */
};

#define CODE_PAGES 8

struct vcpu {
	struct cpu *cpu;
	struct regs regs;
	void *backend;	   /* the backend's own: the VMCB that runs */
	bool waits;	   /* for a start-up IPI: it does not run */
	bool nmi_pending;  /* an NMI waits for this guest */
	bool nmi_blocked;  /* it is in its NMI handler: until IRET */
	bool at_iret;	   /* that IRET, at iret_rip, is about to execute */
	bool stepping;	   /* over it, because an NMI waits ... */
	bool steps_itself; /* ... and the guest does so, too */
	bool iret_exits;   /* for L1's sake: L0 does not take that back */
	bool debug_exits;  /* the same of #DB */
	bool own_event;	   /* what is injected again was not injected before */
	u64 iret_rip;
	bool svme;    /* L1's EFER.SVME; the CPU's own is on always */
	enum gif gif; /* who keeps the flag, and what it is */
	bool l0_if;   /* RFLAGS.IF while the guest runs */
	u64 injected, entry_rip; /* EVENTINJ and RIP at the last entry */
	unsigned level;	       /* of the guest that runs: 1, or L1's guest, 2 */
	struct nested *nested; /* hv/nested; NULL: L1 has no SVM */
	u64 map; /* which memory it sees: L1's, 0, or by these tables of L1's */
	struct vapic apic;
	struct code_page code[CODE_PAGES];
	struct memo *memo;   /* hv/svm/memo.h */
	struct ahead *ahead; /* hv/svm/ahead.h */
	u64 recorded;	     /* how many of these ever */
	u64 proven;	     /* the one that led to the guest that runs */
};

struct guest_view; /* gwalk.h */

struct vmm_ops {
	const char *name;

	/* Why a CPU that has it cannot be used; NULL if it can. */
	const char *(*unusable)(void);

	/* Once, before everything below. */
	void (*init)(void);

	/* Turns the extension on. Once on every CPU. */
	void (*start_cpu)(struct cpu *cpu);

	/* Makes @v a guest, L1, on @npt's memory that begins at @start. */
	void (*reset)(struct vcpu *v, u64 npt, const struct start *start);

	/* Runs the guest until its next exit. */
	void (*run)(struct vcpu *v, struct exit *exit);

	/* Delivers @event when the guest next runs. */
	void (*inject)(struct vcpu *v, const struct event *event);

	/* Whether it has something to deliver already. */
	bool (*injecting)(const struct vcpu *v);

	/* Lets a pending NMI into L0's own handler. */
	void (*take_nmi)(void);

	/* The same, but halts until there is one. */
	void (*wait_nmi)(void);

	/* The global interrupt flag of the guest. watch: it exits when it sets
	 * the flag. exit: whether the exit was only for the flag's sake. */
	bool (*gif)(const struct vcpu *v);
	void (*set_gif)(struct vcpu *v, bool on);
	void (*watch_gif)(struct vcpu *v);
	bool (*gif_exit)(struct vcpu *v, enum exit_slot slot);

	/* All translations of all guests go before this one next runs. */
	void (*flush)(struct vcpu *v);

	/* How the guest sees memory; view_code: all but the bases of segments
	 * other than CS. */
	void (*view)(const struct vcpu *v, struct guest_view *view);
	void (*view_code)(const struct vcpu *v, struct guest_view *view);

	/* Whether the guest's next IRET exits (the end of an NMI). */
	void (*watch_iret)(struct vcpu *v, bool on);

	/* Has the guest exit behind its next instruction (an exception's exit),
	 * and takes that back. */
	void (*step)(struct vcpu *v, bool on);

	/* EFER, without SVME. False: the value is illegal in this state. */
	u64 (*get_efer)(const struct vcpu *v);
	bool (*set_efer)(struct vcpu *v, u64 value);

	/* The bits that these registers have in this CPU, without SVME. */
	u64 (*known_efer)(void);
	u64 (*known_cr4)(void);

	/* Makes accesses exit, in every guest. Before any guest runs. */
	void (*trap_msr)(u32 msr, bool reads, bool writes);
	void (*trap_port)(u16 port);

	/* Behind the instruction that exited; 0: the CPU does not tell, and it
	 * was not learned before (only after a 0). */
	u64 (*next_rip)(const struct vcpu *v, const struct exit *exit);
	void (*learn_next)(struct vcpu *v, u64 next);

	/* That instruction is done: RIP, interrupt shadow, single step. */
	void (*advance)(struct vcpu *v, u64 rip);

	/* What of CPUID depends on the guest's registers (OSXSAVE ...). */
	void (*fix_cpuid)(const struct vcpu *v, u32 leaf, u32 *ecx);

	/* Shows the guest's state, for a panic. */
	void (*dump)(const struct vcpu *v);
};

/* The backend of this machine: hv/main.c chooses it by CPUID. */
extern const struct vmm_ops *vmm;
