/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AMD SVM behind struct vmm_ops: vmcb01 and how L1 enters and leaves.
 *
 * The interrupt model: physical interrupts reach L1 without exits, because INTR
 * is not intercepted and V_INTR_MASKING is off; hv/svm/gif.h has the exception.
 * L0 itself always runs with GIF=0 and takes none, whatever its RFLAGS.IF. NMIs
 * always exit (APM vol. 2, 15.13 and 15.17).
 */
#include "hv/svm/svm.h"

#include "hv/console.h"
#include "hv/gwalk.h"
#include "hv/insn.h"
#include "hv/mem.h"
#include "hv/nested.h"
#include "hv/panic.h"
#include "hv/percpu.h"
#include "hv/run.h"
#include "hv/shoot.h"
#include "hv/space.h"
#include "hv/svm/ahead.h"
#include "hv/svm/event.h"
#include "hv/svm/gif.h"
#include "hv/svm/memo.h"
#include "hv/svm/msrpm.h"
#include "hv/svm/quick.h"
#include "hv/svm/quirk.h"
#include "lib/cpu.h"
#include "lib/vmcb.h"

#define CPUID_EXT_MAX	   0x80000000u
#define CPUID_EXT_2	   0x80000021u
#define CPUID_ECX_TCE	   0x20000u
#define CPUID_EDX_FFXSR	   0x2000000u
#define CPUID_EAX_AUTOIBRS 0x100u
#define CPUID_EDX_NPT	   0x1u
#define CPUID_EDX_NRIP	   0x8u
#define MSR_FS_BASE	   0xc0000100
#define MSR_GS_BASE	   0xc0000101
#define CPUID_OSXSAVE	   0x08000000u
#define CPUID_OSPKE	   0x10u
#define DR6_RESET	   0xffff0ff0u
#define DR6_BS		   0x4000u
#define DR7_RESET	   0x400u
#define L1_ASID		   1

/* Segment attributes as a VMCB has them: flat, present, accessed. */
#define CODE32	 0xc9b
#define CODE64	 0xa9b
#define CODE16	 0x09b
#define DATA	 0xc93
#define DATA16	 0x093
#define TSS	 0x08b
#define LDT	 0x082
/* The selectors of the Linux boot protocol (__BOOT_CS, __BOOT_DS). */
#define START_CS 0x10
#define START_DS 0x18

#define REAL_LIMIT 0xffff
#define CR0_RESET  (CR0_CD | CR0_NW | CR0_ET)

u8 svm_slot_of[SVM_EXIT_CODES];
bool svm_has_next_rip;

void svm_enter(u64 vmcb_pa, u64 gpr[GPRS], struct vcpu *v);
void svm_take_nmi(void);
void svm_wait_nmi(void);

static const char *unusable(void)
{
	if (rdmsr(MSR_VM_CR) & VM_CR_SVMDIS)
		return "SVM is switched off by the firmware";
	if (!(cpuid(CPUID_SVM, 0).edx & CPUID_EDX_NPT))
		return "this CPU's SVM has no nested paging";
	return NULL;
}

static void init(void)
{
	svm_maps_init();
	quirk_init();
	svm_gif_init();
	svm_has_next_rip = cpuid(CPUID_SVM, 0).edx & CPUID_EDX_NRIP;
	exit_table_svm(svm_slot_of, SVM_EXIT_CODES);
}

static void start_cpu(struct cpu *cpu)
{
	struct vcpu *v = &cpu->vcpu;

	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	wrmsr(MSR_VM_HSAVE_PA, virt_to_phys(mem_pages(1, PAGE_SIZE)));
	__asm__ volatile("clgi");
	v->backend = mem_pages(1, PAGE_SIZE);
	v->cpu = cpu;
	memo_start(v);
	ahead_start(v);
}

static void reset_control(struct vmcb *vmcb, u64 npt)
{
	static const u8 intercepts[] = {
		VMCB_EXIT_NMI,	    VMCB_EXIT_IOIO,    VMCB_EXIT_MSR,
		VMCB_EXIT_CPUID,    VMCB_EXIT_VMRUN,   VMCB_EXIT_VMMCALL,
		VMCB_EXIT_VMLOAD,   VMCB_EXIT_VMSAVE,  VMCB_EXIT_STGI,
		VMCB_EXIT_CLGI,	    VMCB_EXIT_INVLPGA, VMCB_EXIT_SKINIT,
		VMCB_EXIT_SHUTDOWN, VMCB_EXIT_INVD,
	};

	vmcb->control = (struct vmcb_control){
		.iopm_pa = svm_iopm(),
		.msrpm_pa = svm_msrpm(),
		.asid = L1_ASID,
		.tlb_control = VMCB_TLB_FLUSH_ALL,
		.np_control = VMCB_NP_ENABLE,
		.ncr3 = npt,
	};
	for (size_t i = 0; i < ARRAY_SIZE(intercepts); i++)
		vmcb_intercept(vmcb, intercepts[i]);
}

static void reset_flat(struct vmcb_save *s, const struct start *start)
{
	const struct vmcb_segment data = {START_DS, DATA, ~0u, 0};
	bool long_mode = start->mode == START_LONG;

	s->es = s->ss = s->ds = s->fs = s->gs = data;
	s->cs = (struct vmcb_segment){START_CS, long_mode ? CODE64 : CODE32,
				      ~0u, 0};
	s->cr0 = CR0_PE | CR0_ET;
	if (long_mode) {
		s->efer |= EFER_LME | EFER_LMA;
		s->cr0 |= CR0_PG;
		s->cr4 = CR4_PAE;
		s->cr3 = start->cr3;
	}
}

/* APM vol. 2, table 14-1; what INIT leaves alone stays. */
static void reset_real(struct vmcb_save *s, const struct start *start, u64 cr0)
{
	const struct vmcb_segment data = {0, DATA16, REAL_LIMIT, 0};
	u64 base = start->cs_base ? start->cs_base : start->cs * 16ull;

	s->es = s->ss = s->ds = s->fs = s->gs = data;
	s->cs = (struct vmcb_segment){start->cs, CODE16, REAL_LIMIT, base};
	s->gdtr.limit = s->idtr.limit = REAL_LIMIT;
	s->cr0 = cr0 ? (cr0 & (CR0_CD | CR0_NW)) | CR0_ET : CR0_RESET;
}

/* FS, GS, TR and LDTR are in the CPU, with MSRs that no INIT changes. */
static void load_rest(struct vmcb *vmcb)
{
	u64 pa = virt_to_phys(vmcb);
	struct vmcb_save *s = &vmcb->save;
	struct vmcb_segment fs = s->fs, gs = s->gs;

	vmsave(pa);
	s->fs = fs;
	s->gs = gs;
	s->ldtr = (struct vmcb_segment){0, LDT, REAL_LIMIT, 0};
	s->tr = (struct vmcb_segment){0, TSS, REAL_LIMIT, 0};
	vmload(pa);
}

static void reset_save(struct vmcb *vmcb, const struct start *start)
{
	struct vmcb_save *s = &vmcb->save;
	u64 cr0 = s->cr0, pat = s->g_pat;

	*s = (struct vmcb_save){
		.efer = EFER_SVME,
		.dr6 = DR6_RESET,
		.dr7 = DR7_RESET,
		.g_pat = pat ? pat : rdmsr(MSR_PAT),
	};
	if (start->mode == START_REAL)
		reset_real(s, start, cr0);
	else
		reset_flat(s, start);
	load_rest(vmcb);
	clear_debug_addresses();
}

static void reset(struct vcpu *v, u64 npt, const struct start *start)
{
	struct vmcb *vmcb = v->backend;

	reset_control(vmcb, npt);
	reset_save(vmcb, start);
	v->regs = (struct regs){.rip = start->rip, .rflags = RFLAGS_FIXED};
	v->regs.gpr[RAX] = start->rax;
	v->regs.gpr[RBX] = start->rbx;
	v->regs.gpr[RDX] = start->rdx;
	v->regs.gpr[RSI] = start->rsi;
	v->nmi_pending = v->nmi_blocked = v->svme = false;
	v->at_iret = v->stepping = false;
	v->iret_exits = v->debug_exits = false;
	v->gif = GIF_ON;
	v->l0_if = false;
	v->level = 1;
}

/* INT3 and INTO are exceptions, which QEMU calls software interrupts. */
static void name_trap(struct vcpu *v)
{
	struct vmcb *vmcb = v->backend;
	const u64 soft = VMCB_EVENT_VALID | VMCB_EVENT_SOFT;
	u8 vector = (u8)vmcb->control.exit_int_info;

	if (vmcb->control.exit_int_info != (soft | vector) ||
	    (vector != VECTOR_BP && vector != VECTOR_OF))
		return;
	v->regs.rip = vmcb->save.rip;
	if (insn_trap(v) == vector)
		vmcb->control.exit_int_info =
			VMCB_EVENT_VALID | VMCB_EVENT_EXCEPTION | vector;
}

/* An event that an exit interrupted comes again. The guest has stood where it
 * is since it was entered if it is the one that was injected then. */
__attribute__((noinline, cold)) static void repeat_event(struct vcpu *v)
{
	struct vmcb *vmcb = v->backend;
	struct vmcb_control *c = &vmcb->control;

	v->own_event = c->exit_int_info != v->injected ||
		       vmcb->save.rip != v->entry_rip;
	if (v->own_event && cpu_is_tcg()) {
		event_correct(vmcb);
		name_trap(v);
	}
	c->event_inj = c->exit_int_info;
}

static struct exit exit_of(const struct vmcb_control *c)
{
	u64 code = c->exit_code;

	return (struct exit){
		.slot = code < SVM_EXIT_CODES
				? (enum exit_slot)svm_slot_of[code]
				: exit_slot_svm(code),
		.code = code,
		.info1 = c->exit_info_1,
		.info2 = c->exit_info_2,
	};
}

static enum x86_mode code_mode(const struct vmcb_save *s)
{
	if (s->efer & EFER_LMA && s->cs.attributes & VMCB_SEGMENT_LONG)
		return X86_64;
	return s->cs.attributes & VMCB_SEGMENT_BIG ? X86_32 : X86_16;
}

static void flush(struct vcpu *v)
{
	((struct vmcb *)v->backend)->control.tlb_control = VMCB_TLB_FLUSH_ALL;
}

static void run(struct vcpu *v, struct exit *exit)
{
	struct vmcb *vmcb = v->backend;

	vmcb->save.rax = v->regs.gpr[RAX];
	vmcb->save.rsp = v->regs.gpr[RSP];
	vmcb->save.rip = v->regs.rip;
	vmcb->save.rflags = v->regs.rflags;
	v->injected = vmcb->control.event_inj;
	v->entry_rip = v->regs.rip;
	if (v->l0_if)
		sti();
	svm_enter(virt_to_phys(vmcb), v->regs.gpr, v);
	cli();
	vmcb = v->backend;
	vmcb->control.event_inj = 0;
	if (vmcb->control.exit_int_info & VMCB_EVENT_VALID)
		repeat_event(v);
	v->regs.gpr[RAX] = vmcb->save.rax;
	v->regs.gpr[RSP] = vmcb->save.rsp;
	v->regs.rip = vmcb->save.rip;
	v->regs.rflags = vmcb->save.rflags;
	vmcb->control.tlb_control = VMCB_TLB_KEEP;
	*exit = exit_of(&vmcb->control);
}

static void inject(struct vcpu *v, const struct event *e)
{
	struct vmcb *vmcb = v->backend;

	vmcb->control.event_inj =
		VMCB_EVENT_VALID | e->vector | (u64)e->type << 8 |
		(e->has_error ? VMCB_EVENT_ERROR : 0) | (u64)e->error << 32;
}

static bool injecting(const struct vcpu *v)
{
	const struct vmcb *vmcb = v->backend;

	return vmcb->control.event_inj & VMCB_EVENT_VALID;
}

static void view_code(const struct vcpu *v, struct guest_view *view)
{
	const struct vmcb_save *s = &((struct vmcb *)v->backend)->save;

	view->cr0 = s->cr0;
	view->cr3 = s->cr3;
	view->cr4 = s->cr4;
	view->efer = s->efer;
	view->mode = code_mode(s);
	view->seg_base[X86_CS] = view->mode == X86_64 ? 0 : s->cs.base;
}

static void view(const struct vcpu *v, struct guest_view *view)
{
	const struct vmcb_save *s = &((struct vmcb *)v->backend)->save;

	view_code(v, view);
	view->seg_base[X86_ES] = s->es.base;
	view->seg_base[X86_SS] = s->ss.base;
	view->seg_base[X86_DS] = s->ds.base;
	view->seg_base[X86_FS] = rdmsr(MSR_FS_BASE);
	view->seg_base[X86_GS] = rdmsr(MSR_GS_BASE);
}

static void watch_iret(struct vcpu *v, bool on)
{
	if (on)
		vmcb_intercept(v->backend, VMCB_EXIT_IRET);
	else if (!v->iret_exits)
		vmcb_pass(v->backend, VMCB_EXIT_IRET);
}

/* IRET takes TF from its stack again. A guest that steps itself has its #DB. */
static void step(struct vcpu *v, bool on)
{
	struct vmcb *vmcb = v->backend;
	const u32 debug = VMCB_EXIT_EXCEPTION + VECTOR_DB;

	if (on) {
		vmcb_intercept(vmcb, debug);
		vmcb->save.dr6 &= ~(u64)DR6_BS;
		v->steps_itself = v->regs.rflags & RFLAGS_TF;
		v->regs.rflags |= RFLAGS_TF;
		return;
	}
	if (!v->debug_exits)
		vmcb_pass(vmcb, debug);
	if (v->steps_itself)
		inject_fault(v, VECTOR_DB, false);
	else
		vmcb->save.dr6 &= ~(u64)DR6_BS;
}

static u64 get_efer(const struct vcpu *v)
{
	const struct vmcb *vmcb = v->backend;

	return vmcb->save.efer & ~(u64)EFER_SVME;
}

/* Legal are the bits that the CPU has (APM vol. 2, 3.1.7). */
static u64 known_efer(void)
{
	struct cpuid ext = cpuid(CPUID_EXT, 0), more = {0};
	u64 known = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;

	if (cpuid(CPUID_EXT_MAX, 0).eax >= CPUID_EXT_2)
		more = cpuid(CPUID_EXT_2, 0);
	if (ext.edx & CPUID_EDX_FFXSR)
		known |= EFER_FFXSR;
	if (ext.ecx & CPUID_ECX_TCE)
		known |= EFER_TCE;
	if (more.eax & CPUID_EAX_AUTOIBRS)
		known |= EFER_AUTOIBRS;
	return known;
}

/* Each bit needs one of CPUID (APM vol. 2, 3.1.3; vol. 3, appendix E); but VME
 * and PVI are no reserved bits where CPUID has no VME, either. */
static u64 known_cr4(void)
{
	static const struct {
		u32 leaf;
		u8 reg, bit; /* EAX, EBX, ECX, EDX */
		u64 cr4;
	} bits[] = {
		{1, 3, 2, CR4_DE},	 {1, 3, 3, CR4_PSE},
		{1, 3, 4, CR4_TSD},	 {1, 3, 6, CR4_PAE},
		{1, 3, 7, CR4_MCE},	 {1, 3, 13, CR4_PGE},
		{1, 3, 24, CR4_FXSR},	 {1, 3, 25, CR4_XMM},
		{1, 2, 17, CR4_PCID},	 {1, 2, 26, CR4_OSXSAVE},
		{7, 1, 0, CR4_FSGSBASE}, {7, 1, 7, CR4_SMEP},
		{7, 1, 20, CR4_SMAP},	 {7, 2, 2, CR4_UMIP},
		{7, 2, 3, CR4_PKE},	 {7, 2, 7, CR4_CET},
		{7, 2, 16, CR4_LA57},
	};
	u64 known = CR4_PCE | CR4_VME | CR4_PVI;

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
		struct cpuid c = cpuid(bits[i].leaf, 0);
		const u32 regs[] = {c.eax, c.ebx, c.ecx, c.edx};

		if (regs[bits[i].reg] >> bits[i].bit & 1)
			known |= bits[i].cr4;
	}
	return known;
}

/* LME cannot change while paging is on; LMA is the CPU's. */
static bool set_efer(struct vcpu *v, u64 value)
{
	struct vmcb_save *s = &((struct vmcb *)v->backend)->save;

	if (value & ~known_efer())
		return false;
	if (s->cr0 & CR0_PG && (value ^ s->efer) & EFER_LME)
		return false;
	s->efer = (value & ~(u64)EFER_LMA) | (s->efer & EFER_LMA) | EFER_SVME;
	svm_add_pae(s);
	return true;
}

/* L0's own CR4 has these bits off; CPUID shows those of who executes it. */
static void fix_cpuid(const struct vcpu *v, u32 leaf, u32 *ecx)
{
	u64 cr4 = ((const struct vmcb *)v->backend)->save.cr4;

	if (leaf == 1)
		*ecx = (*ecx & ~CPUID_OSXSAVE) |
		       (cr4 & CR4_OSXSAVE ? CPUID_OSXSAVE : 0);
	if (leaf == 7 && !(u32)v->regs.gpr[RCX])
		*ecx = (*ecx & ~CPUID_OSPKE) |
		       (cr4 & CR4_PKE ? CPUID_OSPKE : 0);
}

/* An IN or OUT tells its end in any CPU (APM vol. 2, 15.10.2). */
static u64 next_rip(const struct vcpu *v, const struct exit *exit)
{
	const struct vmcb_control *c = &((struct vmcb *)v->backend)->control;

	if (exit->slot == EXIT_io)
		return exit->info2;
	if (exit->slot == EXIT_npf)
		return 0;
	return svm_has_next_rip ? c->next_rip : memo_next(v, v->regs.rip);
}

static void advance(struct vcpu *v, u64 rip)
{
	struct vmcb *vmcb = v->backend;

	v->regs.rip = rip;
	v->regs.rflags &= ~(u64)RFLAGS_RF;
	vmcb->control.int_state &= ~VMCB_SHADOW;
	if (v->regs.rflags & RFLAGS_TF && !injecting(v)) {
		vmcb->save.dr6 |= DR6_BS;
		inject_fault(v, VECTOR_DB, false);
	}
}

static void dump(const struct vcpu *v)
{
	const struct vmcb *vmcb = v->backend;
	const struct vmcb_save *s = &vmcb->save;

	say("vmcb01: exit %lx info %lx %lx intinfo %lx inj %lx int_ctl %x\n",
	    vmcb->control.exit_code, vmcb->control.exit_info_1,
	    vmcb->control.exit_info_2, vmcb->control.exit_int_info,
	    vmcb->control.event_inj, vmcb->control.int_ctl);
	say("  cr0 %lx cr2 %lx cr3 %lx cr4 %lx efer %lx\n", s->cr0, s->cr2,
	    s->cr3, s->cr4, s->efer);
	say("  cs %x/%x base %lx ss %x/%x gdtr %lx idtr %lx\n", s->cs.selector,
	    s->cs.attributes, s->cs.base, s->ss.selector, s->ss.attributes,
	    s->gdtr.base, s->idtr.base);
}

const struct vmm_ops svm_ops = {
	.name = "SVM",
	.unusable = unusable,
	.init = init,
	.start_cpu = start_cpu,
	.reset = reset,
	.run = run,
	.inject = inject,
	.injecting = injecting,
	.take_nmi = svm_take_nmi,
	.wait_nmi = svm_wait_nmi,
	.gif = svm_gif,
	.set_gif = svm_set_gif,
	.watch_gif = svm_watch_gif,
	.gif_exit = svm_gif_exit,
	.flush = flush,
	.view = view,
	.view_code = view_code,
	.watch_iret = watch_iret,
	.step = step,
	.get_efer = get_efer,
	.set_efer = set_efer,
	.known_efer = known_efer,
	.known_cr4 = known_cr4,
	.trap_msr = svm_trap_msr,
	.trap_port = svm_trap_port,
	.next_rip = next_rip,
	.learn_next = memo_learn,
	.advance = advance,
	.fix_cpuid = fix_cpuid,
	.dump = dump,
};
