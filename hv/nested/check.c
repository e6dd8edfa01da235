/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/nested/check.h"

#define IN_PAGE	     0xfffull
#define IOPM_LAST    0x2000u /* page of it: all 12 KiB count (15.10.1) */
#define MSRPM_LAST   0x1000u
#define SLOT_VMRUN   (VMCB_EXIT_VMRUN / 32)
#define VMRUN_BIT    (1u << VMCB_EXIT_VMRUN % 32)
#define LONG_AND_BIG (VMCB_SEGMENT_LONG | VMCB_SEGMENT_BIG)
#define S_CET_BITS   0x3ull /* SH_STK_EN, WR_SHSTK_EN */
#define PDPE_ILLEGAL 0x1e6ull
#define PDPES	     4

/*
 * Vectors that are exceptions of any CPU with SVM: table 8-1 of the manual
 * without 2 (an NMI), 9 and 15 (reserved) and those of features that L1 is not
 * offered. 28 (#HV) is one of those, too, but KVM takes it everywhere.
 */
#define EXCEPTION_VECTORS 0x500f7dfbu

static inline bool in_long_mode(const struct vmcb_save *s)
{
	return s->efer & EFER_LME && s->cr0 & CR0_PG;
}

static inline bool has_np(const struct vmcb *v, const struct check_limits *l)
{
	return v->control.np_control & VMCB_NP_ENABLE && l->nested_paging;
}

static inline const char *np_rule(const struct vmcb *v,
				  const struct check_limits *l)
{
	if (!l->paging)
		return "nested paging without paging of the host";
	/* In whatever mode L1 pages, as KVM does. */
	if (v->control.ncr3 > l->phys_mask)
		return "nCR3 has reserved bits";
	if (has_bad_type(v->save.g_pat))
		return "G_PAT has a reserved type";
	return NULL;
}

/* The low bits of the maps' addresses are ignored, and ones in the limit. */
static inline const char *control_rule(const struct vmcb *v,
				       const struct check_limits *l)
{
	const struct vmcb_control *c = &v->control;

	if (!(c->intercept[SLOT_VMRUN] & VMRUN_BIT))
		return "VMRUN is not intercepted";
	if (c->asid == 0)
		return "the ASID is 0";
	/* The manual forbids 0 only, but tables have an end. */
	if (c->asid >= l->asids)
		return "the CPU has no such ASID";
	if (c->iopm_pa > l->phys_mask - IOPM_LAST)
		return "the IOPM is beyond the last physical address";
	if (c->msrpm_pa > l->phys_mask - MSRPM_LAST)
		return "the MSRPM is beyond the last physical address";
	return has_np(v, l) ? np_rule(v, l) : NULL;
}

static inline const char *long_mode_rule(const struct vmcb_save *s,
					 const struct check_limits *l)
{
	if (!(s->cr4 & CR4_PAE))
		return "long mode without CR4.PAE";
	if (!(s->cr0 & CR0_PE))
		return "long mode without CR0.PE";
	/* Other modes ignore the upper half: CPUs and KVM run such guests. */
	if (s->cr3 > l->phys_mask)
		return "CR3 has reserved bits";
	if ((s->cs.attributes & LONG_AND_BIG) == LONG_AND_BIG)
		return "CS.L and CS.D are set";
	return NULL;
}

/* Where L1's CPU has no CET, CR4.CET is reserved and S_CET unused. */
static inline const char *cet_rule(const struct vmcb_save *s)
{
	if (s->s_cet & ~S_CET_BITS)
		return "S_CET has reserved bits";
	if (s->cr4 & CR4_CET && !(s->cr0 & CR0_WP))
		return "CR4.CET without CR0.WP";
	return NULL;
}

static inline const char *cr_rule(const struct vmcb_save *s,
				  const struct check_limits *l)
{
	if (!(s->efer & EFER_SVME))
		return "EFER.SVME is clear";
	if (s->efer & ~l->efer)
		return "EFER has reserved bits";
	if ((s->cr0 & (CR0_NW | CR0_CD)) == CR0_NW)
		return "CR0.NW without CR0.CD";
	if (s->cr4 & ~l->cr4)
		return "CR4 has reserved bits";
	return in_long_mode(s) ? long_mode_rule(s, l) : NULL;
}

/* One of them has. */
static const char *upper_half_rule(const struct vmcb_save *s)
{
	if (s->cr0 >> 32)
		return "CR0 has upper bits";
	return s->dr6 >> 32 ? "DR6 has upper bits" : "DR7 has upper bits";
}

static inline const char *save_rule(const struct vmcb *v,
				    const struct check_limits *l)
{
	const struct vmcb_save *s = &v->save;
	const char *why = cr_rule(s, l);

	if (why)
		return why;
	if ((s->cr0 | s->dr6 | s->dr7) >> 32)
		return upper_half_rule(s);
	return l->cr4 & CR4_CET ? cet_rule(s) : NULL;
}

static bool is_exception(u64 vector, const struct check_limits *l)
{
	u32 vectors = EXCEPTION_VECTORS;

	if (l->cr4 & CR4_CET)
		vectors |= 1u << VECTOR_CP;
	return vector < EXCEPTIONS && vectors >> vector & 1;
}

/* INTO and BOUND are no instructions in 64-bit mode. The manual names #BR
 * only, as an example; KVM accepts both. */
static bool is_impossible(u64 vector, const struct vmcb_save *s)
{
	return in_long_mode(s) && s->cs.attributes & VMCB_SEGMENT_LONG &&
	       (vector == VECTOR_OF || vector == VECTOR_BR);
}

/* 15.20: the vector of an NMI is ignored, any interrupt's is legal. Not worth
 * its place in the path of most VMRUNs, which inject nothing. */
static __attribute__((noinline)) const char *injection_rule(
	const struct vmcb *v, const struct check_limits *l)
{
	u64 vector = v->control.event_inj & VMCB_EVENT_VECTOR;

	switch (v->control.event_inj & VMCB_EVENT_TYPE) {
	case VMCB_EVENT_INTR:
	case VMCB_EVENT_NMI:
	case VMCB_EVENT_SOFT:
		return NULL;
	case VMCB_EVENT_EXCEPTION:
		if (!is_exception(vector, l))
			return "an event's vector is no exception";
		if (is_impossible(vector, &v->save))
			return "an event is impossible in 64-bit mode";
		return NULL;
	default:
		return "an event has a reserved type";
	}
}

static inline const char *event_rule(const struct vmcb *v,
				     const struct check_limits *l)
{
	bool valid = v->control.event_inj & VMCB_EVENT_VALID;

	return valid ? injection_rule(v, l) : NULL;
}

const char *check_control(const struct vmcb *vmcb12,
			  const struct check_limits *l)
{
	return control_rule(vmcb12, l);
}

const char *check_save(const struct vmcb *vmcb12, const struct check_limits *l)
{
	return save_rule(vmcb12, l);
}

const char *check_event(const struct vmcb *vmcb12, const struct check_limits *l)
{
	return event_rule(vmcb12, l);
}

/* Of the groups' insides, so that the compiler makes one function of it. */
const char *check_vmcb(const struct vmcb *vmcb12, const struct check_limits *l)
{
	const char *why = control_rule(vmcb12, l);

	if (!why)
		why = save_rule(vmcb12, l);
	return why ? why : event_rule(vmcb12, l);
}

/* Memory that is not there reads as ones. */
const char *check_pdpes(const struct vmcb *vmcb12, const struct check_limits *l,
			const struct phys *l1)
{
	const struct vmcb_save *s = &vmcb12->save;
	const u64 paging = CR0_PG | CR0_PE;
	u64 illegal = PDPE_ILLEGAL | ~l->phys_mask;
	const volatile u64 *pdpe;

	if (l->marks_pdpes)
		illegal &= ~(u64)PTE_ACCESSED;
	if (has_np(vmcb12, l) || in_long_mode(s) || !(s->cr4 & CR4_PAE) ||
	    (s->cr0 & paging) != paging)
		return NULL;
	pdpe = phys_map(l1, s->cr3 & 0xffffffe0, PDPES * sizeof(*pdpe));
	for (size_t i = 0; pdpe && i < PDPES; i++) {
		u64 entry = pdpe[i];

		if (entry & PTE_PRESENT && entry & illegal)
			return "a PDPE has reserved bits";
	}
	return pdpe ? NULL : "the PDPEs are not in memory";
}

/* FS, GS, TR and LDTR are VMLOAD's. */
void canonicalize(struct vmcb *vmcb12, const struct check_limits *l)
{
	struct vmcb_save *s = &vmcb12->save;
	struct vmcb_segment *const loaded[] = {&s->es, &s->cs,	 &s->ss,
					       &s->ds, &s->gdtr, &s->idtr};

	vmcb12->control.iopm_pa &= ~IN_PAGE;
	vmcb12->control.msrpm_pa &= ~IN_PAGE;
	for (size_t i = 0; i < ARRAY_SIZE(loaded); i++)
		loaded[i]->base = canonical(loaded[i]->base, l);
	s->ssp = canonical(s->ssp, l);
	s->isst_addr = canonical(s->isst_addr, l);
}
