/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/nested/merge.h"

#include "lib/string.h"
#include "lib/x86.h"

#define MSRPM_WORDS (2 * PAGE_SIZE / 8)

/* The word of an MSR's two bits: 32 MSRs a word (APM vol. 2, 15.11). */
#define LOW(msr)  ((msr) / 32)
#define HIGH(msr) ((0x2000 + ((msr)-0xc0000000)) / 32)

/* What hypervisors leave to their guests: SPEC_CTRL, SYSENTER, the branch
 * records, PAT, x2APIC, XSS, EFER to SFMASK, FS and GS, TSC_AUX. */
static const u16 open_words[] = {
	LOW(0x048), LOW(0x174), LOW(0x1d9),	  LOW(0x277),	    LOW(0x800),
	LOW(0x820), LOW(0xda0), HIGH(0xc0000080), HIGH(0xc0000100),
};

#define BIT(code) (1u << (code) % 32)
#define CR_READS  0xffffu

void merge_intercepts(u32 intercept02[6], const u32 intercept12[6])
{
	static const u32 own[6] = {
		[VMCB_EXIT_NMI / 32] =
			BIT(VMCB_EXIT_NMI) | BIT(VMCB_EXIT_SMI) |
			BIT(VMCB_EXIT_CPUID) | BIT(VMCB_EXIT_INVD) |
			BIT(VMCB_EXIT_INVLPGA) | BIT(VMCB_EXIT_IOIO) |
			BIT(VMCB_EXIT_MSR) | BIT(VMCB_EXIT_SHUTDOWN),
		[VMCB_EXIT_VMRUN / 32] =
			BIT(VMCB_EXIT_VMRUN) | BIT(VMCB_EXIT_VMLOAD) |
			BIT(VMCB_EXIT_VMSAVE) | BIT(VMCB_EXIT_STGI) |
			BIT(VMCB_EXIT_CLGI) | BIT(VMCB_EXIT_SKINIT),
	};

	for (unsigned i = 0; i < ARRAY_SIZE(own); i++)
		intercept02[i] = intercept12[i] | own[i];
}

void merge_reads(u32 intercept02[6], const u32 intercept12[6])
{
	if (intercept12[VMCB_EXIT_CR_READ / 32] & CR_READS)
		intercept02[VMCB_EXIT_CR_READ / 32] |= BIT(VMCB_EXIT_CR_READ);
	if (intercept12[VMCB_EXIT_RDTSCP / 32] & BIT(VMCB_EXIT_RDTSCP))
		intercept02[VMCB_EXIT_RDTSC / 32] |= BIT(VMCB_EXIT_RDTSC);
}

/* The CPU's own GIF or VMLOAD need no exit if L1 did not ask for one. */
static void spare_exits(struct vmcb_control *c02,
			const struct vmcb_control *c12, const struct merge *m)
{
	const u32 gif = BIT(VMCB_EXIT_STGI) | BIT(VMCB_EXIT_CLGI);
	const u32 load = BIT(VMCB_EXIT_VMLOAD) | BIT(VMCB_EXIT_VMSAVE);
	u32 spared = 0;

	if (m->virtual_gif && c12->int_ctl & VMCB_V_GIF_ENABLE)
		spared |= gif;
	if (m->virtual_load && c12->virt_ext & VMCB_VLS)
		spared |= load;
	c02->virt_ext = spared & load ? VMCB_VLS : 0;
	c02->intercept[VMCB_EXIT_VMRUN / 32] &=
		~spared | c12->intercept[VMCB_EXIT_VMRUN / 32];
}

void merge_control(struct vmcb_control *c02, const struct vmcb_control *c12,
		   const struct merge *m)
{
	merge_intercepts(c02->intercept, c12->intercept);
	c02->pause_filter_threshold = c12->pause_filter_threshold;
	c02->pause_filter_count = c12->pause_filter_count;
	c02->iopm_pa = m->iopm;
	c02->msrpm_pa = m->msrpm;
	c02->tsc_offset = c12->tsc_offset;
	c02->asid = m->asid;
	c02->np_control = VMCB_NP_ENABLE;
	c02->clean = 0;
	spare_exits(c02, c12, m);
}

/* Field groups as VMRUN and #VMEXIT switch them. */
static void copy_switched(struct vmcb_save *to, const struct vmcb_save *from)
{
	to->es = from->es;
	to->cs = from->cs;
	to->ss = from->ss;
	to->ds = from->ds;
	to->gdtr = from->gdtr;
	to->idtr = from->idtr;
	to->cpl = from->cpl;
	to->efer = from->efer;
	to->cr4 = from->cr4;
	to->cr3 = from->cr3;
	to->cr0 = from->cr0;
	to->dr7 = from->dr7;
	to->dr6 = from->dr6;
	to->rflags = from->rflags;
	to->rip = from->rip;
	to->rsp = from->rsp;
	to->rax = from->rax;
	to->cr2 = from->cr2;
	to->g_pat = from->g_pat;
}

void merge_copy(struct vmcb *copy12, const struct vmcb *vmcb12)
{
	memcpy(&copy12->control, &vmcb12->control,
	       offsetof(struct vmcb_control, insn_len));
	copy_switched(&copy12->save, &vmcb12->save);
}

void merge_save(struct vmcb_save *s02, const struct vmcb_save *s12)
{
	copy_switched(s02, s12);
}

void merge_back_save(struct vmcb_save *s12, const struct vmcb_save *s02)
{
	copy_switched(s12, s02);
}

void merge_msrs_init(u64 *map02)
{
	for (unsigned i = 0; i < MSRPM_WORDS; i++)
		map02[i] = ~0ull;
}

void merge_msrs(u64 *map02, const u64 *map01, const u64 *map12)
{
	for (unsigned i = 0; i < ARRAY_SIZE(open_words); i++)
		map02[open_words[i]] =
			map01[open_words[i]] | map12[open_words[i]];
}

void merge_ports(u64 *page02, const u64 *page01, const u64 *page12)
{
	for (unsigned i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		page02[i] = page12 ? page01[i] | page12[i] : ~0ull;
}
