/* SPDX-License-Identifier: Apache-2.0 */
/* Random VMCBs, and what keeps their guests confined. */
#include "guest/test/svm_random.h"

#include "guest/test/svm_l2.h"
#include "lib/cpu.h"
#include "lib/string.h"

#define CODE_ATTRIBUTES (0x9b | 0x800)
#define DATA_ATTRIBUTES 0xc93
#define SEGMENT_DPL3	0x60
#define FLIPS		6
#define CONTROL_USED	0x110 /* bytes with a meaning, of each area */
#define SAVE_USED	0x298
#define PAT_RESET	0x0007040600070406ull
#define DR6_RESET	0xffff0ff0ull
#define DR7_RESET	0x400ull
#define INVALID_CR0	((u64)(CR0_NW | CR0_CD))

static u8 all_ones[3 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

/* Legal blocks *************************************************************/

static void set_modes(struct vmcb_save *s)
{
	static const struct {
		u64 cr0, cr4, efer;
		u16 cs;
		enum paging paging;
	} modes[] = {
		{CR0_ET, 0, 0, 0, PAGING_32}, /* real */
		{CR0_ET | CR0_PE, 0, 0, VMCB_SEGMENT_BIG, PAGING_32},
		{CR0_ET | CR0_PE | CR0_PG, 0, 0, VMCB_SEGMENT_BIG, PAGING_32},
		{CR0_ET | CR0_PE | CR0_PG, CR4_PAE, 0, VMCB_SEGMENT_BIG,
		 PAGING_PAE},
		{CR0_ET | CR0_PE | CR0_PG, CR4_PAE, EFER_LME | EFER_LMA,
		 VMCB_SEGMENT_BIG, PAGING_LONG},
		{CR0_ET | CR0_PE | CR0_PG, CR4_PAE,
		 EFER_LME | EFER_LMA | EFER_NXE, VMCB_SEGMENT_LONG,
		 PAGING_LONG},
	};
	/* Half of all are in 64-bit mode. */
	size_t i = rnd_below(2 * ARRAY_SIZE(modes));

	if (i >= ARRAY_SIZE(modes))
		i = ARRAY_SIZE(modes) - 1;
	s->cr0 = modes[i].cr0;
	s->cr4 = modes[i].cr4;
	s->efer = modes[i].efer | EFER_SVME;
	s->cs.attributes = CODE_ATTRIBUTES | modes[i].cs;
	s->cr3 = world_own_cr3(modes[i].paging);
}

static void make_save(struct vmcb_save *s)
{
	const struct vmcb_segment data = {SEL_DATA, DATA_ATTRIBUTES, ~0u, 0};

	*s = (struct vmcb_save){
		.es = data,
		.cs = {SEL_CODE64, 0, ~0u, 0},
		.ss = data,
		.ds = data,
		.gdtr = {0, 0, 0xffff, world_idt()},
		.idtr = {0, 0, 0xffff, world_idt()},
		.dr6 = DR6_RESET,
		.dr7 = DR7_RESET,
		.rflags = RFLAGS_FIXED | (rnd_once_in(2) ? RFLAGS_IF : 0),
		.rip = rnd_code(),
		.rsp = rnd_data() & ~7ull,
		.rax = rnd_once_in(2) ? rnd_data() : rnd_value(),
		.g_pat = PAT_RESET,
	};
	set_modes(s);
	if (s->efer & EFER_LMA && rnd_once_in(4)) {
		s->cpl = 3;
		s->ss.attributes |= SEGMENT_DPL3;
		s->cs.attributes |= SEGMENT_DPL3;
	}
}

static void make_control(struct vmcb_control *c)
{
	*c = (struct vmcb_control){
		.iopm_pa = (u64)all_ones,
		.msrpm_pa = (u64)all_ones,
		.asid = 1 + (u32)rnd_below(4),
		.tlb_control = rnd_once_in(4) ? VMCB_TLB_FLUSH_ALL : 0,
		.int_ctl = VMCB_V_INTR_MASKING,
		.np_control = VMCB_NP_ENABLE,
	};
	for (unsigned i = 0; i < ARRAY_SIZE(c->intercept); i++)
		c->intercept[i] = (u32)(rnd_once_in(2) ? rnd() & rnd() : rnd());
}

/* Damage *******************************************************************/

static void flip_bits(u8 *area, u64 size)
{
	for (u64 n = 1 + rnd_below(FLIPS); n; n--)
		area[rnd_below(size)] ^= (u8)(1 << rnd_below(8));
}

static void spoil_fields(u8 *area, u64 size)
{
	for (u64 n = 1 + rnd_below(FLIPS); n; n--) {
		u64 value = rnd_value(), width = 1ull << (1 + rnd_below(3));

		memcpy(area + rnd_below(size / width) * width, &value, width);
	}
}

static void spoil_all(u8 *area, u64 size)
{
	for (u64 *at = (u64 *)area; at < (u64 *)(area + size); at++)
		*at = rnd_value();
}

static void damage(u8 *area, u64 size)
{
	switch (rnd_below(8)) {
	case 0:
		spoil_all(area, size);
		break;
	case 1:
	case 2:
		spoil_fields(area, size);
		break;
	case 3:
	case 4:
	case 5:
		flip_bits(area, size);
		break;
	}
}

static u64 rnd_event(void)
{
	u64 event = rnd() &
		    (VMCB_EVENT_VECTOR | VMCB_EVENT_TYPE | VMCB_EVENT_ERROR);

	return event | VMCB_EVENT_VALID | rnd() << 32;
}

static void rnd_extras(struct vmcb_control *c)
{
	if (rnd_once_in(4))
		c->event_inj = rnd_event();
	if (rnd_once_in(4))
		c->int_ctl ^= (u32)(rnd() & rnd());
	if (rnd_once_in(8))
		c->int_vector = (u32)rnd();
	if (rnd_once_in(8))
		c->int_state = rnd_value();
	if (rnd_once_in(8))
		c->np_control = rnd_value();
	if (rnd_once_in(4))
		c->virt_ext = rnd_below(4);
	if (rnd_once_in(4))
		c->iopm_pa = rnd_page();
	if (rnd_once_in(4))
		c->msrpm_pa = rnd_page();
	if (rnd_once_in(4))
		c->tlb_control = (u8)rnd();
	if (rnd_once_in(8))
		c->tsc_offset = rnd_value();
	c->next_rip = rnd_once_in(2) ? rnd_code() : rnd_value();
}

/* Of a random block most would be refused for the same few reasons. */
static void mend(struct vmcb *v)
{
	struct vmcb_save *s = &v->save;

	if (!rnd_once_in(8))
		vmcb_intercept(v, VMCB_EXIT_VMRUN);
	if (!rnd_once_in(8))
		v->control.asid = 1 + v->control.asid % 8;
	if (!rnd_once_in(8))
		s->efer = (s->efer & (EFER_LME | EFER_LMA | EFER_NXE |
				      EFER_SCE | EFER_FFXSR)) |
			  EFER_SVME;
	if (!rnd_once_in(8))
		s->cr0 &= 0xffffffff & ~(u64)CR0_NW;
	if (!rnd_once_in(8))
		s->cr4 &= CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE |
			  CR4_PAE | CR4_MCE | CR4_PGE | CR4_PCE | CR4_FXSR |
			  CR4_XMM | CR4_FSGSBASE;
	if (!rnd_once_in(8)) {
		s->dr6 = (u32)s->dr6;
		s->dr7 = (u32)s->dr7;
	}
	if (!rnd_once_in(4)) {
		s->rip = rnd_code();
		s->rsp = rnd_data();
	}
}

/* Confinement **************************************************************/

static bool has_nested_paging(const struct vmcb *v)
{
	return v->control.np_control & VMCB_NP_ENABLE &&
	       svm_features() & SVM_NP;
}

/* L2's addresses are L1's: it pages, by tables that it cannot change. */
static void confine_paging(struct vmcb *v)
{
	struct vmcb_save *s = &v->save;
	enum paging paging = s->efer & EFER_LME ? PAGING_LONG
			     : s->cr4 & CR4_PAE ? PAGING_PAE
						: PAGING_32;

	s->cr0 |= CR0_PG | CR0_PE | CR0_WP;
	s->cr4 &= ~(u64)(CR4_LA57 | CR4_PCID);
	s->cr3 = world_cr3(paging) | (s->cr3 & (PTE_PWT | PTE_PCD));
	vmcb_intercept(v, VMCB_EXIT_CR_WRITE + 0);
	vmcb_intercept(v, VMCB_EXIT_CR_WRITE + 3);
	vmcb_intercept(v, VMCB_EXIT_CR_WRITE + 4);
	vmcb_intercept(v, VMCB_EXIT_TASK_SWITCH);
	vmcb_intercept(v, VMCB_EXIT_MSR);
	v->control.msrpm_pa = (u64)all_ones;
}

/* Without a timer that ends L2 for sure, all else does. */
static void confine_time(struct vmcb *v)
{
	struct vmcb_control *c = &v->control;

	if (c->int_ctl & VMCB_V_INTR_MASKING &&
	    (rnd_once_in(2) ||
	     c->intercept[VMCB_EXIT_INTR / 32] & 1u << VMCB_EXIT_INTR % 32)) {
		vmcb_intercept(v, VMCB_EXIT_INTR);
		return;
	}
	memset(c->intercept, 0xff, sizeof(c->intercept));
	if (rnd_once_in(2))
		v->save.rflags |= RFLAGS_IF;
	else
		v->save.rip = WORLD; /* VMMCALLs */
}

static void confine(struct vmcb *v)
{
	struct vmcb_control *c = &v->control;
	u32 features = svm_features();

	vmcb_intercept(v, VMCB_EXIT_SHUTDOWN);
	vmcb_intercept(v, VMCB_EXIT_VMMCALL);
	confine_time(v);
	if (!(c->int_ctl & VMCB_V_GIF_ENABLE && features & SVM_VGIF))
		vmcb_intercept(v, VMCB_EXIT_CLGI);
	/* At L1's addresses VMSAVE would write to L1's memory, and under
	 * -icount QEMU ends itself at a VMLOAD of what is no memory. */
	if (!(c->virt_ext & VMCB_VLS && features & SVM_VLS &&
	      has_nested_paging(v))) {
		vmcb_intercept(v, VMCB_EXIT_VMLOAD);
		vmcb_intercept(v, VMCB_EXIT_VMSAVE);
	}
	if (has_nested_paging(v))
		c->ncr3 = world_root();
	else
		confine_paging(v);
}

/* What this says the manual says, too (15.5.1); it says more. */
static enum verdict judge(const struct vmcb *v)
{
	const struct vmcb_save *s = &v->save;
	u32 vmrun = v->control.intercept[VMCB_EXIT_VMRUN / 32] >>
		    VMCB_EXIT_VMRUN % 32;
	bool illegal = !(vmrun & 1) || !v->control.asid ||
		       !(s->efer & EFER_SVME) ||
		       (s->cr0 | s->dr6 | s->dr7) >> 32 ||
		       (s->cr0 & INVALID_CR0) == CR0_NW;

	return illegal ? MUST_REFUSE : MAY_RUN;
}

enum verdict block_make(struct vmcb *v)
{
	bool legal = rnd_once_in(4);

	memset(all_ones, 0xff, sizeof(all_ones));
	make_control(&v->control);
	make_save(&v->save);
	if (legal) {
		vmcb_intercept(v, VMCB_EXIT_VMRUN);
	} else {
		damage((u8 *)&v->control, CONTROL_USED);
		damage((u8 *)&v->save, SAVE_USED);
		rnd_extras(&v->control);
		mend(v);
	}
	/* Or parts of the block that was here before would be in force. */
	v->control.clean &= ~VMCB_CLEAN_INTERCEPTS;
	confine(v);
	if (legal && v->control.ncr3 >> 12 << 12 == v->control.ncr3 &&
	    !(v->control.ncr3 >> 32))
		return MUST_RUN;
	return judge(v);
}

void block_change(struct vmcb *v)
{
	static const u64 fields[] = {
		offsetof(struct vmcb, control.pause_filter_threshold),
		offsetof(struct vmcb, control.tsc_offset),
		offsetof(struct vmcb, control.int_state),
		offsetof(struct vmcb, control.next_rip),
		offsetof(struct vmcb, save.es),
		offsetof(struct vmcb, save.ss),
		offsetof(struct vmcb, save.ds),
		offsetof(struct vmcb, save.gdtr),
		offsetof(struct vmcb, save.rsp),
		offsetof(struct vmcb, save.rax),
		offsetof(struct vmcb, save.dr7),
		offsetof(struct vmcb, save.cr2),
	};

	for (u64 n = rnd_below(FLIPS); n; n--) {
		u64 value = rnd_value();

		memcpy((u8 *)v + fields[rnd_below(ARRAY_SIZE(fields))], &value,
		       sizeof(value));
	}
	v->control.clean = (u32)rnd_value();
	v->control.tlb_control = (u8)(rnd_once_in(2) ? rnd_below(8) : 0);
	if (rnd_once_in(4))
		v->control.event_inj = rnd_event();
	if (rnd_once_in(2))
		v->save.rip = rnd_code();
}
