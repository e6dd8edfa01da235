/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/run.h"

#include "hv/console.h"
#include "hv/hypercall.h"
#include "hv/panic.h"
#include "hv/percpu.h"
#include "hv/policy.h"
#include "hv/ports.h"
#include "lib/cpu.h"

const struct vmm_ops *vmm = &svm_ops;

enum result {
	SAME_RIP,  /* go on where the guest stopped */
	NEXT_INSN, /* the instruction is done */
};

typedef enum result handler_fn(struct vcpu *v, const struct exit *exit);

static enum result fault(struct vcpu *v, u8 vector, bool has_error)
{
	vmm->inject(v, &(struct event){.type = EVENT_EXCEPTION,
				       .vector = vector,
				       .has_error = has_error});
	return SAME_RIP;
}

static enum result no_such_insn(struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	return fault(v, VECTOR_UD, false);
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
	return legal ? NEXT_INSN : fault(v, VECTOR_GP, true);
}

static enum result on_hypercall(struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	v->regs.gpr[RAX] = hypercall(v);
	return NEXT_INSN;
}

static enum result on_port(struct vcpu *v, const struct exit *exit)
{
	ports_access(v, exit);
	return NEXT_INSN;
}

/* It waits for the guest's next entry; see let_nmi_in(). */
static enum result on_nmi(struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	vmm->take_nmi();
	if (v->cpu->nmi_taken)
		v->nmi_pending = true;
	v->cpu->nmi_taken = false;
	return SAME_RIP;
}

static enum result on_iret(struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	v->nmi_blocked = false;
	vmm->watch_iret(v, false);
	return SAME_RIP;
}

static enum result on_shutdown(struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	say("nestbox: L1 shut down (a triple fault): the machine resets\n");
	account_dump(&v->cpu->account, say);
	account_dump_ring(&v->cpu->account, say);
	machine_reset();
}

/* Memory that does not exist for L1: see doc/hypervisor.md. */
static enum result on_npf(struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	return fault(v, VECTOR_GP, true);
}

static handler_fn *const handlers[EXIT_SLOTS] = {
	[EXIT_cpuid] = on_cpuid,       [EXIT_msr] = on_msr,
	[EXIT_vmcall] = on_hypercall,  [EXIT_io] = on_port,
	[EXIT_nmi] = on_nmi,	       [EXIT_iret] = on_iret,
	[EXIT_shutdown] = on_shutdown, [EXIT_npf] = on_npf,
	[EXIT_vmrun] = no_such_insn,   [EXIT_vmload] = no_such_insn,
	[EXIT_vmsave] = no_such_insn,  [EXIT_stgi] = no_such_insn,
	[EXIT_clgi] = no_such_insn,    [EXIT_invlpga] = no_such_insn,
	[EXIT_skinit] = no_such_insn,
};

/* One NMI at a time; a second one waits for the IRET of the first. */
static void let_nmi_in(struct vcpu *v)
{
	if (!v->nmi_pending || v->nmi_blocked || vmm->injecting(v))
		return;
	vmm->inject(v,
		    &(struct event){.type = EVENT_NMI, .vector = VECTOR_NMI});
	v->nmi_pending = false;
	v->nmi_blocked = true;
	vmm->watch_iret(v, true);
}

static void dispatch(struct vcpu *v, const struct exit *exit)
{
	handler_fn *handle = handlers[exit->slot];

	if (!handle)
		panic("exit %lx (%s) has no handler", exit->code,
		      exit_name(exit->slot));
	if (handle(v, exit) == NEXT_INSN)
		vmm->advance(v, exit);
}

void run_forever(struct cpu *cpu)
{
	struct vcpu *v = &cpu->vcpu;

	for (;;) {
		struct exit exit;

		let_nmi_in(v);
		cpu->account.switches++;
		vmm->run(v, &exit);
		account_exit(&cpu->account, 1, &exit, v->regs.rip, BY_L0);
		dispatch(v, &exit);
	}
}
