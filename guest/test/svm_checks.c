/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conditions under which VMRUN has to refuse a VMCB (APM vol. 2, 15.5.1,
 * for events 15.20, for nested paging 15.25.3): one VMCB each that breaks just
 * one of them.
 */
#include "guest/test/svm_probe.h"

#include "lib/cpu.h"
#include "guest/lib/idt.h"

#define BIT(n)	   (1ull << (n))
#define FAR	   BIT(50) /* an address that no emulated CPU has */
#define MISALIGNED 8
#define EXC_VALID  (VMCB_EVENT_VALID | VMCB_EVENT_EXCEPTION)

/* Sets and clears bits in the quadword at .arg of the VMCB. */
static void check(const struct probe *p)
{
	u64 *field = (u64 *)((u64)&svm_vmcb + p->arg);
	u64 code;

	*field = (*field | p->set) & ~p->clear;
	code = probe_exit(p);
	if (code == VMCB_EXIT_VMMCALL)
		probe_say("accepted");
	else
		probe_print_exit(code, VMCB_EXIT_INVALID, "invalid");
}

/* Which bits of the quadword at .arg may be set, each on its own. */
static void mask(const struct probe *p)
{
	u64 *field = (u64 *)((u64)&svm_vmcb + p->arg), accepted = 0;

	for (unsigned n = 0; n < 64; n++) {
		svm_reset();
		*field |= BIT(n);
		if ((u32)probe_exit(p) != (u32)VMCB_EXIT_INVALID)
			accepted |= BIT(n);
	}
	probe_number(accepted);
}

static void operand(const struct probe *p)
{
	int trap = svm_run_at(((u64)&svm_vmcb + p->set) | p->arg);

	svm_stgi();
	if (trap == NO_TRAP)
		probe_say("accepted");
	else
		probe_print_exit((u64)trap, VECTOR_GP, "gp");
}

static void without_svme(const struct probe *p)
{
	int trap;

	(void)p;
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~(u64)EFER_SVME);
	trap = svm_run_raw();
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	probe_print_exit((u64)trap, VECTOR_UD, "ud");
}

/* A VMCB that every CPU refuses: EFER.SVME clear. */
static void fail(const struct probe *p)
{
	svm_vmcb.save.efer &= ~(u64)EFER_SVME;
	probe_exit(p);
}

static void failed_code(const struct probe *p)
{
	fail(p);
	probe_number(svm_vmcb.control.exit_code);
}

static void failed_state(const struct probe *p)
{
	fail(p);
	probe_say(svm_vmcb.save.rip == (u64)svm_handler ? "kept" : "lost");
}

#define FIELD(name) .arg = offsetof(struct vmcb, name)

static const struct probe probes[] = {
	PROBE("vmrun-operand-misaligned", "gp", operand, NULL,
	      .set = MISALIGNED),
	PROBE("vmrun-operand-far", "gp", operand, NULL, .arg = FAR),
	PROBE("vmrun-host-svme-0", "ud", without_svme, NULL),
	PROBE("vmrun-plain", "accepted", check, NULL),
	PROBE("vmrun-efer-svme-0", "invalid", check, NULL, FIELD(save.efer),
	      .clear = EFER_SVME),
	PROBE("vmrun-efer-bit9", "invalid", check, NULL, FIELD(save.efer),
	      .set = BIT(9)),
	PROBE("vmrun-efer-bit40", "invalid", check, NULL, FIELD(save.efer),
	      .set = BIT(40)),
	PROBE("vmrun-cr0-nw", "invalid", check, NULL, FIELD(save.cr0),
	      .set = CR0_NW),
	PROBE("vmrun-cr0-bit32", "invalid", check, NULL, FIELD(save.cr0),
	      .set = BIT(32)),
	PROBE("vmrun-cr3-bit52", "invalid", check, NULL, FIELD(save.cr3),
	      .set = BIT(52)),
	PROBE("vmrun-cr4-bit30", "invalid", check, NULL, FIELD(save.cr4),
	      .set = BIT(30)),
	PROBE("vmrun-cr4-bit40", "invalid", check, NULL, FIELD(save.cr4),
	      .set = BIT(40)),
	PROBE("vmrun-dr6-bit32", "invalid", check, NULL, FIELD(save.dr6),
	      .set = BIT(32)),
	PROBE("vmrun-dr7-bit32", "invalid", check, NULL, FIELD(save.dr7),
	      .set = BIT(32)),
	PROBE("vmrun-long-no-pae", "invalid", check, NULL, FIELD(save.cr4),
	      .clear = CR4_PAE),
	PROBE("vmrun-long-no-pe", "invalid", check, NULL, FIELD(save.cr0),
	      .clear = CR0_PE),
	PROBE("vmrun-cs-l-and-d", "invalid", check, NULL,
	      FIELD(save.cs.attributes), .set = VMCB_SEGMENT_BIG),
	PROBE("vmrun-no-vmrun-intercept", "invalid", check, NULL,
	      FIELD(control.intercept[4]), .clear = BIT(0)),
	PROBE("vmrun-asid-0", "invalid", check, NULL, FIELD(control.asid),
	      .clear = 1),
	PROBE("vmrun-iopm-far", "invalid", check, NULL, FIELD(control.iopm_pa),
	      .set = FAR),
	PROBE("vmrun-msrpm-far", "invalid", check, NULL,
	      FIELD(control.msrpm_pa), .set = FAR),
	PROBE("vmrun-event-type1", "invalid", check, NULL,
	      FIELD(control.event_inj),
	      .set = VMCB_EVENT_VALID | 0x100 | VECTOR_GP),
	PROBE("vmrun-event-type5", "invalid", check, NULL,
	      FIELD(control.event_inj),
	      .set = VMCB_EVENT_VALID | 0x500 | VECTOR_GP),
	PROBE("vmrun-event-vector2", "invalid", check, NULL,
	      FIELD(control.event_inj), .set = EXC_VALID | 2),
	PROBE("vmrun-event-vector31", "invalid", check, NULL,
	      FIELD(control.event_inj), .set = EXC_VALID | 31),
	PROBE("vmrun-event-vector32", "invalid", check, NULL,
	      FIELD(control.event_inj), .set = EXC_VALID | 32),
	PROBE("vmrun-ncr3-far", "invalid", check, NULL, FIELD(control.ncr3),
	      .set = FAR),
	PROBE("vmrun-gpat-type2", "invalid", check, NULL, FIELD(save.g_pat),
	      .set = 0x2),
	PROBE("vmrun-mask-efer", "by-cpuid", mask, NULL, FIELD(save.efer)),
	PROBE("vmrun-mask-cr0", "0xdfffffff", mask, NULL, FIELD(save.cr0)),
	PROBE("vmrun-mask-cr3", "0xfffffffffffff", mask, NULL, FIELD(save.cr3)),
	PROBE("vmrun-mask-cr4", "by-cpuid", mask, NULL, FIELD(save.cr4)),
	PROBE("failed-code", "0xffffffffffffffff", failed_code, NULL),
	PROBE("failed-state", "kept", failed_state, NULL),
};

const struct probe_table probe_checks = {probes, ARRAY_SIZE(probes)};
