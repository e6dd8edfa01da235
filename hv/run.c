/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/run.h"

#include "hv/console.h"
#include "hv/hypercall.h"
#include "hv/insn.h"
#include "hv/mmio.h"
#include "hv/nested.h"
#include "hv/panic.h"
#include "hv/policy.h"
#include "hv/ports.h"
#include "hv/power.h"
#include "hv/shoot.h"
#include "hv/smp.h"
#include "hv/space.h"
#include "hv/timer.h"
#include "hv/vapic.h"
#include "lib/cpu.h"

void inject_fault(struct vcpu *v, u8 vector, bool has_error)
{
	if (v->level == 2 && nested_take_fault(v, vector))
		return;
	vmm->inject(v, &(struct event){.type = EVENT_EXCEPTION,
				       .vector = vector,
				       .has_error = has_error});
}

static enum result no_such_insn(struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	return deny(v, VECTOR_UD);
}

/* Asked for by the backend alone, for the sake of GIF. */
static enum result on_gif(struct vcpu *v, const struct exit *exit)
{
	if (!vmm->gif_exit(v, exit->slot))
		panic("exit %lx (%s) was not asked for", exit->code,
		      exit_name(exit->slot));
	return SAME_RIP;
}

/* INVD would throw away what L0 has in the caches, too. */
static enum result on_invd(struct vcpu *v, const struct exit *exit)
{
	(void)v;
	(void)exit;
	wbinvd();
	return NEXT_INSN;
}

static enum result on_cpuid(struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	policy_cpuid(v);
	return NEXT_INSN;
}

static enum result on_msr(struct vcpu *v, const struct exit *exit)
{
	u64 *gpr = v->regs.gpr, value = 0;
	u32 msr = (u32)gpr[RCX];
	bool legal;

	if (exit->info1) {
		value = gpr[RDX] << 32 | (u32)gpr[RAX];
		legal = policy_wrmsr(v, msr, value);
	} else {
		legal = policy_rdmsr(v, msr, &value);
		if (legal) {
			gpr[RAX] = (u32)value;
			gpr[RDX] = value >> 32;
		}
	}
	return legal ? NEXT_INSN : deny(v, VECTOR_GP);
}

static enum result on_hypercall(struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	hypercall(v);
	return NEXT_INSN;
}

static enum result on_port(struct vcpu *v, const struct exit *exit)
{
	return ports_access(v, exit) ? NEXT_INSN : deny(v, VECTOR_GP);
}

/* L0's own, a kick or its timer, has done its work by ending the guest. Another
 * one is the guest's and waits for its next entry; see let_nmi_in(). */
static void sort_nmi(struct vcpu *v)
{
	bool ours;

	if (!v->cpu->nmi_taken)
		return;
	v->cpu->nmi_taken = false;
	ours = smp_was_kicked(v->cpu);
	if (v->cpu->id == 0)
		ours |= timer_has_ticked();
	if (!ours)
		v->nmi_pending = true;
}

static enum result on_nmi(struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	vmm->take_nmi();
	sort_nmi(v);
	return SAME_RIP;
}

/*
 * An SMI that finds L1's guest, where its handler's I/O would exit, out of SMM
 * (doc/emulator.md). It is L0's: the firmware has it while the CPU is open for
 * an NMI, and one comes in, too, that waits.
 */
static enum result on_smi(struct vcpu *v, const struct exit *exit)
{
	return on_nmi(v, exit);
}

/* It is over when the IRET is done, which the CPU does not tell. */
static enum result on_iret(struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	v->nmi_blocked = false;
	v->at_iret = true;
	v->iret_rip = v->regs.rip;
	vmm->watch_iret(v, false);
	return SAME_RIP;
}

/* Only asked for by let_nmi_in(). */
static enum result on_exception(struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	v->stepping = v->at_iret = false;
	vmm->step(v, false);
	return SAME_RIP;
}

static enum result on_shutdown(struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	say("nestbox: L1 shut down (%s): the machine resets\n",
	    exit->slot == EXIT_shutdown ? "a triple fault"
					: exit_name(exit->slot));
	power_report();
	account_dump_ring(&v->cpu->account, say);
	machine_reset();
}

/*
 * Memory that is L0's or not there. An event that cannot be delivered because
 * the stack or the tables for it lie there ends as on the bare machine. What
 * mmio.c cannot emulate is #GP (doc/caveats.md).
 */
enum result run_page_fault(struct vcpu *v, const struct exit *exit)
{
	if (vmm->injecting(v)) {
		if (v->level == 2 && nested_take(v, EXIT_shutdown))
			return SAME_RIP;
		return on_shutdown(v, exit);
	}
	if (exit->info1 & NPF_TABLE)
		return deny(v, VECTOR_GP);
	switch (mmio_access(v, exit->info2, exit->info1 & NPF_WRITE)) {
	case MMIO_DONE:
		return NEXT_INSN;
	case MMIO_AGAIN:
		return SAME_RIP;
	default:
		return deny(v, VECTOR_GP);
	}
}

static handler_fn *const handlers[EXIT_SLOTS] = {
	[EXIT_cr_read] = on_gif,
	[EXIT_cr_write] = on_gif,
	[EXIT_intr] = on_gif,
	[EXIT_intr_window] = on_gif,
	[EXIT_exception] = on_exception,
	[EXIT_invalid] = on_shutdown,
	[EXIT_cpuid] = on_cpuid,
	[EXIT_msr] = on_msr,
	[EXIT_vmcall] = on_hypercall,
	[EXIT_io] = on_port,
	[EXIT_nmi] = on_nmi,
	[EXIT_smi] = on_smi,
	[EXIT_iret] = on_iret,
	[EXIT_shutdown] = on_shutdown,
	[EXIT_npf] = run_page_fault,
	[EXIT_vmrun] = nested_vmrun,
	[EXIT_vmload] = nested_vmload,
	[EXIT_vmsave] = nested_vmsave,
	[EXIT_stgi] = nested_stgi,
	[EXIT_clgi] = nested_clgi,
	[EXIT_invlpga] = nested_invlpga,
	[EXIT_invd] = on_invd,
	[EXIT_skinit] = no_such_insn,
};

/*
 * One NMI at a time; a second one waits until the IRET of the first is done. It
 * does not come together with another event: a kick of our own ends the guest
 * right behind that one.
 */
static void let_nmi_in(struct vcpu *v)
{
	if (v->nmi_blocked || v->stepping)
		return;
	if (!vmm->gif(v)) {
		vmm->watch_gif(v);
		return;
	}
	if (vmm->injecting(v)) {
		smp_kick(v->cpu);
		return;
	}
	if (v->at_iret && v->regs.rip == v->iret_rip) {
		v->stepping = true;
		vmm->step(v, true);
		return;
	}
	if (v->level == 2 && nested_take(v, EXIT_nmi)) {
		vmm->watch_gif(v);
		return;
	}
	vmm->inject(v,
		    &(struct event){.type = EVENT_NMI, .vector = VECTOR_NMI});
	v->nmi_pending = v->at_iret = false;
	v->nmi_blocked = true;
	vmm->watch_iret(v, true);
}

/* Exits of L1's guest are L1's first; the rest is as of L1 itself. */
static enum result handle(struct vcpu *v, const struct exit *exit)
{
	handler_fn *handler = handlers[exit->slot];

	if (!handler)
		panic("exit %lx (%s) has no handler", exit->code,
		      exit_name(exit->slot));
	return handler(v, exit);
}

static void dispatch(struct vcpu *v, const struct exit *exit)
{
	unsigned level = v->level;
	u64 rip = v->regs.rip;
	enum result result = level == 2 ? nested_exit(v, exit) : NOT_MINE;

	account_exit(&v->cpu->account, level, exit, rip,
		     result == REFLECTED ? BY_L1 : BY_L0);
	if (result == NOT_MINE)
		result = handle(v, exit);
	if (result == NEXT_INSN)
		insn_done(v, exit);
}

/* The boot CPU goes to the reset vector, others wait for a start-up. */
static void serve_init(struct vcpu *v)
{
	struct start start = {.mode = START_REAL,
			      .rip = 0xfff0,
			      .cs = 0xf000,
			      .cs_base = 0xffff0000,
			      .rdx = cpuid(1, 0).eax};

	nested_abandon(v);
	vmm->reset(v, space_root(), &start);
	vapic_reset(v);
	v->waits = v->cpu->id != 0;
}

/* A CPU that runs does not hear it. */
static void serve_start(struct vcpu *v, u8 vector)
{
	if (!v->waits)
		return;
	vmm->reset(v, space_root(),
		   &(struct start){.mode = START_REAL,
				   .cs = (u16)(vector << 8),
				   .rdx = cpuid(1, 0).eax});
	v->waits = false;
}

/* GIF holds off INIT and NMI alike (APM vol. 2, 15.17). An INIT that L1 wants
 * to know of ends its guest first, and waits for L1's STGI. */
static void serve_requests(struct vcpu *v)
{
	enum request request;
	u8 vector;

	if (__atomic_load_n(&v->cpu->stops, __ATOMIC_RELAXED))
		panic_stop();
	while (vmm->gif(v) && (request = smp_next_request(v->cpu, &vector))) {
		if (request == REQUEST_INIT && v->level == 2 &&
		    nested_take(v, EXIT_init))
			smp_request(v->cpu, REQUEST_INIT, 0);
		else if (request == REQUEST_INIT)
			serve_init(v);
		else if (request == REQUEST_START)
			serve_start(v, vector);
		else
			v->nmi_pending = true;
	}
}

static void attend(struct vcpu *v)
{
	serve_requests(v);
	if (smp_is_asked(v->cpu) && !vmm->gif(v))
		vmm->watch_gif(v);
	while (v->waits) {
		vmm->wait_nmi();
		sort_nmi(v);
		serve_requests(v);
	}
}

/* False: there is something to do first. */
static bool enter(struct vcpu *v, struct exit *exit)
{
	struct cpu *cpu = v->cpu;

	if (!shoot_enter(cpu)) {
		vmm->flush(v);
		nested_flush(v);
		return false;
	}
	vmm->run(v, exit);
	shoot_leave(cpu);
	return true;
}

void run_forever(struct cpu *cpu)
{
	struct vcpu *v = &cpu->vcpu;

	for (;;) {
		struct exit exit;

		if (smp_is_asked(cpu) || v->waits)
			attend(v);
		if (v->nmi_pending)
			let_nmi_in(v);
		if (enter(v, &exit))
			dispatch(v, &exit);
	}
}
