/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target for vmcb12 + vmcb01 -> vmcb02 -> vmcb12: hv/nested/vmcb02 and
 * vmrun, as they are, on a machine that is made here. An input is three bytes
 * of what the CPU has and L1 is offered; then, for each VMRUN, a byte that
 * chooses the block and whether L1 has PAE, edits of it in L1's memory, and
 * edits that L2 and the CPU make of vmcb02. What is asserted is what makes L0
 * safe and L1's view right, whatever L1 and L2 do; the rules are worded anew.
 */
#include <string.h>

#include "hv/insn.h"
#include "hv/mem.h"
#include "hv/nested/merge.h"
#include "hv/nested/shadow.h"
#include "hv/nested/vmcb02.h"
#include "hv/nested/vmrun.h"
#include "hv/percpu.h"
#include "hv/space.h"
#include "hv/svm/gif.h"
#include "hv/svm/msrpm.h"
#include "hv/svm/quirk.h"
#include "test/fuzz/vmcb_input.h"
#include "test/unit/vmcb_reference.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define RAM_PAGES 16u /* of L1 */
#define RAM_SIZE  (RAM_PAGES * (u64)PAGE_SIZE)
#define BLOCKS	  6u
#define RUNS	  8
#define ROOT01	  0x7ffff000ull
#define ROOT02	  0x7fffe000ull
#define IOPM02	  0x7fffa000ull
#define PAGED	  __attribute__((aligned(PAGE_SIZE)))
#define BIT(n)	  (1u << (n) % 32)
#define MAP_WORDS (2ul * PAGE_SIZE / sizeof(u64))
#define NO_PAE	  0x80 /* of a VMRUN's byte */
#define NESTED_L1 (EFER_SVME | EFER_LME | EFER_LMA | EFER_NXE)

/* The machine **************************************************************/

static u8 ram[RAM_SIZE] PAGED;
static u64 msrpm01[MAP_WORDS] PAGED;
static u64 msrpm02[PAIRS][MAP_WORDS] PAGED;
static struct vmcb copies[PAIRS], blocks02[PAIRS], vmcb01;
static struct nested nested;
static union {
	struct cpu cpu;
	u8 stack[STACK_SIZE];
} cpu __attribute__((aligned(STACK_SIZE)));

struct nested_offer offer;
bool quirk_tcg;
volatile u64 shadow_generation;
const struct vmm_ops *vmm;

static const void *map(void *ctx, u64 pa, u64 len)
{
	(void)ctx;
	return pa < RAM_SIZE && len <= RAM_SIZE - pa ? ram + pa : NULL;
}

struct phys space_l1 = {.map = map};

u64 space_root(void)
{
	return ROOT01;
}

u64 shadow_root(const struct npt12 *npt)
{
	(void)npt;
	return ROOT02;
}

void shadow_flush(void)
{
	shadow_generation++;
}

u64 svm_msrpm(void)
{
	return virt_to_phys(msrpm01);
}

u64 read_rsp(void)
{
	return (u64)&cpu;
}

u64 read_cr8(void)
{
	return 0;
}

void write_cr8(u64 v)
{
	require(v < 16);
}

void svm_set_gif(struct vcpu *v, bool on)
{
	v->gif = on ? GIF_ON : GIF_OFF;
}

bool svm_gif(const struct vcpu *v)
{
	return v->gif == GIF_ON;
}

static const struct vmm_ops ops = {.set_gif = svm_set_gif};

/* Not reached: these are of VMRUN's exit, before begin_guest(). */
u64 svm_operand(struct vcpu *v, const struct exit *exit)
{
	(void)exit;
	return v->regs.gpr[RAX];
}

void inject_fault(struct vcpu *v, u8 vector, bool has_error)
{
	(void)v;
	require(!vector && !has_error);
}

void insn_done(struct vcpu *v, const struct exit *exit)
{
	(void)v;
	require(!exit);
}

/* The beginning ************************************************************/

static void start_pairs(void)
{
	nested = (struct nested){.vmcb01 = &vmcb01, .limits = offer.limits};
	for (unsigned i = 0; i < PAIRS; i++) {
		copies[i] = blocks02[i] = (struct vmcb){0};
		merge_msrs_init(msrpm02[i]);
		nested.pairs[i] = (struct pair){.copy12 = &copies[i],
						.vmcb02 = &blocks02[i],
						.msrpm = msrpm02[i]};
	}
	nested.pair = nested.pairs;
	nested.vmcb02 = nested.pair->vmcb02;
	nested.copy12 = nested.pair->copy12;
}

static void start(struct input *in)
{
	u32 cpu_bits = (u32)take(in, 1), offered = (u32)take(in, 1);
	static const u32 features[] = {SVM_NPT,	  SVM_NRIP,   SVM_CLEAN,
				       SVM_FLUSH, SVM_ASSIST, SVM_VLS,
				       SVM_VGIF};

	vmm = &ops;
	quirk_tcg = cpu_bits & 0x80;
	offer = (struct nested_offer){.iopm = IOPM02, .phys_bits = 40};
	for (unsigned i = 0; i < ARRAY_SIZE(features); i++) {
		offer.cpu |= cpu_bits >> i & 1 ? features[i] : 0;
		offer.features |= offered >> i & 1 ? 0 : features[i];
	}
	offer.limits = reference_limits();
	offer.limits.phys_mask = (1ull << offer.phys_bits) - 1;
	offer.limits.nested_paging = offers(SVM_NPT);
	offer.int_ctl = VMCB_V_TPR_MASK | VMCB_V_IRQ | VMCB_V_PRIO_MASK |
			VMCB_V_IGN_TPR | VMCB_V_INTR_MASKING;
	if (cpu_has(SVM_VGIF) && offers(SVM_VGIF))
		offer.int_ctl |= VMCB_V_GIF | VMCB_V_GIF_ENABLE;
	vmcb01 = (struct vmcb){0};
	vmcb01.save.cr0 = CR0_PE | (offered & 0x80 ? 0 : CR0_PG);
	vmcb01.save.cr4 = CR4_PAE;
	vmcb01.save.efer = NESTED_L1;
	start_pairs();
	memset(ram, (int)take(in, 1), sizeof(ram));
	memset(msrpm01, 0x24, sizeof(msrpm01));
	for (unsigned i = 0; i < BLOCKS; i++)
		((struct vmcb *)ram)[i] = reference_vmcb();
	cpu.cpu = (struct cpu){.in_guest = true};
	cpu.cpu.vcpu = (struct vcpu){.cpu = &cpu.cpu,
				     .backend = &vmcb01,
				     .level = 1,
				     .nested = &nested};
}

/* vmcb02 *******************************************************************/

static bool has(const u32 intercept[6], u32 code)
{
	return intercept[code / 32] & BIT(code);
}

/* Whether L0 may go without: the CPU does it for L2, as L1 has asked. */
static bool spared(u32 code)
{
	const struct vmcb_control *c = &nested.copy12->control;

	if (code == VMCB_EXIT_STGI || code == VMCB_EXIT_CLGI)
		return cpu_has(SVM_VGIF) && offers(SVM_VGIF) &&
		       c->int_ctl & VMCB_V_GIF_ENABLE;
	if (code == VMCB_EXIT_VMLOAD || code == VMCB_EXIT_VMSAVE)
		return cpu_has(SVM_VLS) && c->virt_ext & VMCB_VLS &&
		       offers(SVM_NPT) && c->np_control & VMCB_NP_ENABLE;
	return false;
}

static void check_intercepts(void)
{
	static const u8 own[] = {
		VMCB_EXIT_NMI,	    VMCB_EXIT_SMI,     VMCB_EXIT_CPUID,
		VMCB_EXIT_INVD,	    VMCB_EXIT_INVLPGA, VMCB_EXIT_IOIO,
		VMCB_EXIT_MSR,	    VMCB_EXIT_VMRUN,   VMCB_EXIT_SKINIT,
		VMCB_EXIT_SHUTDOWN, VMCB_EXIT_VMLOAD,  VMCB_EXIT_VMSAVE,
		VMCB_EXIT_STGI,	    VMCB_EXIT_CLGI,
	};
	const u32 *got = nested.vmcb02->control.intercept;

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		require(has(got, own[i]) || spared(own[i]));
	for (u32 code = 0; code <= VMCB_EXIT_CHOSEN_MAX; code++)
		require(has(got, code) ||
			!has(nested.copy12->control.intercept, code));
}

/* What is only L0's to say, and what no CPU wants to see. */
static void check_control02(void)
{
	const struct vmcb_control *c = &nested.vmcb02->control;
	u64 root = nested.pair->nested_paging ? ROOT02 : ROOT01;
	bool exact = c->tlb_control == VMCB_TLB_FLUSH_ASID ||
		     c->tlb_control == VMCB_TLB_FLUSH_LOCAL;

	require(c->iopm_pa == IOPM02);
	require(c->msrpm_pa == virt_to_phys(nested.pair->msrpm));
	require(c->ncr3 == root && c->np_control == VMCB_NP_ENABLE);
	require(c->asid > 1 && c->asid <= offer.limits.asids);
	require(c->tlb_control <= VMCB_TLB_FLUSH_ALL ||
		(exact && cpu_has(SVM_FLUSH)));
	require(!(c->int_ctl & ~offer.int_ctl));
	require(c->int_vector < VECTORS);
	require(!(c->int_state & ~VMCB_SHADOW));
	require(!(c->virt_ext & ~VMCB_VLS) &&
		(!c->virt_ext || spared(VMCB_EXIT_VMSAVE)));
	require(!c->clean);
	require(!(c->event_inj & 0x7ffff000));
	require(!c->avic_apic_bar && !c->ghcb_pa && !c->avic_backing_page &&
		!c->avic_logical_table && !c->avic_physical_table &&
		!c->vmsa_pa && !c->reserved_0x0c4 && !c->reserved_0x0e8);
}

/* Fields that VMRUN loads are legal, those that it does not are not there. */
static void check_save02(void)
{
	const struct vmcb_save *s = &nested.vmcb02->save;
	struct vmcb both = {.control = nested.copy12->control, .save = *s};

	both.control.event_inj = nested.vmcb02->control.event_inj;
	if (!nested.pair->nested_paging)
		both.control.np_control = 0;
	require(!reference_check(&both, &nested.limits).n);
	require(!s->fs.base && !s->gs.base && !s->tr.base && !s->ldtr.base);
	require(!s->star && !s->lstar && !s->kernel_gs_base && !s->dbgctl);
	require(!s->s_cet && !s->ssp && !s->isst_addr && !s->br_from);
}

/* What MSRPM02 leaves to L2, neither L0 nor L1 wants. */
static void check_msrs(void)
{
	u64 pa = nested.copy12->control.msrpm_pa & ~(u64)(PAGE_SIZE - 1);
	const u64 *map12 = phys_map(&space_l1, pa, 2ul * PAGE_SIZE);

	for (unsigned i = 0; i < MAP_WORDS; i++) {
		u64 wanted = map12 ? msrpm01[i] | map12[i] : ~0ull;

		require((nested.pair->msrpm[i] & wanted) == wanted);
	}
}

/* The ways of L1's guest ***************************************************/

static void check_l1(const struct vcpu *v)
{
	require(v->level == 1 && v->backend == &vmcb01 && v->gif == GIF_OFF);
	require(vmcb01.save.efer == NESTED_L1 &&
		!(vmcb01.save.cr4 & ~(u64)CR4_PAE));
}

/* Only what #VMEXIT writes changes in L1's block, all else is as it was. */
static void check_written(const struct vmcb *was, const struct vmcb *is)
{
	struct vmcb want = *was;
	struct vmcb_control *c = &want.control;

	c->int_ctl = is->control.int_ctl;
	c->int_state = is->control.int_state;
	c->exit_code = is->control.exit_code;
	c->exit_info_1 = is->control.exit_info_1;
	c->exit_info_2 = is->control.exit_info_2;
	c->exit_int_info = is->control.exit_int_info;
	c->event_inj = is->control.event_inj;
	c->next_rip = is->control.next_rip;
	c->insn_len = is->control.insn_len;
	memcpy(c->insn_bytes, is->control.insn_bytes, sizeof(c->insn_bytes));
	if (is->control.exit_code != VMCB_EXIT_INVALID)
		merge_back_save(&want.save, &nested.vmcb02->save);
	require(!memcmp(&want, is, sizeof(want)));
}

/* Legal by the book, and clean bits do not lie about L2's mode. */
static bool is_legal(const struct vmcb *vmcb12)
{
	const struct vmcb_save *s = &vmcb12->save, *s02 = &nested.vmcb02->save;

	return nested.pair->nested_paging && vmcb01.save.cr4 &&
	       !reference_check(vmcb12, &nested.limits).n &&
	       s->cr0 == s02->cr0 && s->efer == s02->efer &&
	       s->cs.attributes == s02->cs.attributes;
}

/* L2 does what it likes, the CPU writes what it finds. */
static void run_l2(struct input *in)
{
	struct vmcb *vmcb02 = nested.vmcb02, changed = *vmcb02;
	struct vmcb_control *c = &vmcb02->control;

	take_edits(in, &changed);
	merge_save(&vmcb02->save, &changed.save);
	merge_exit(c, &changed.control);
	c->int_ctl = (c->int_ctl & ~(VMCB_V_TPR_MASK | VMCB_V_IRQ)) |
		     (changed.control.int_ctl & (VMCB_V_TPR_MASK | VMCB_V_IRQ));
	c->exit_code &= VMCB_EXIT_NPF | 0xff;
}

static void run(struct input *in)
{
	struct vcpu *v = &cpu.cpu.vcpu;
	u64 choice = take(in, 1), pa = choice % BLOCKS * PAGE_SIZE;
	struct vmcb *vmcb12 = (struct vmcb *)(ram + pa), was;
	u64 event, counts = nested.reflected + nested.made_up;

	vmcb01.save.cr4 = choice & NO_PAE ? 0 : CR4_PAE;
	take_edits(in, vmcb12);
	was = *vmcb12;
	begin_guest(v, vmcb12, pa);
	if (v->level == 1) {
		require(vmcb12->control.exit_code == VMCB_EXIT_INVALID);
		require(nested.reflected + nested.made_up == counts + 1);
		require(!is_legal(&was));
		check_l1(v);
		check_written(&was, vmcb12);
		return;
	}
	require(vmcb01.save.cr4 || !nested.pair->nested_paging);
	check_intercepts();
	check_control02();
	check_save02();
	check_msrs();
	run_l2(in);
	event = nested.vmcb02->control.event_inj;
	end_guest(v);
	check_l1(v);
	check_written(&was, vmcb12);
	require(vmcb12->control.exit_int_info == event);
	require(vmcb12->control.exit_code != VMCB_EXIT_INVALID);
	require(!(vmcb12->control.event_inj & VMCB_EVENT_VALID));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct input in = {data, size};

	start(&in);
	for (unsigned i = 0; i < RUNS && in.left; i++)
		run(&in);
	return 0;
}
