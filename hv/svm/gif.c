/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/svm/gif.h"

#include "hv/insn.h"
#include "lib/cpu.h"
#include "lib/vmcb.h"

#define CPUID_EDX_VGIF 0x10000u
#define CR8	       8
#define WORD(code)     ((code) / 32)
#define BIT(code)      (1u << (code) % 32)
#define GIF_INSNS      (BIT(VMCB_EXIT_STGI) | BIT(VMCB_EXIT_CLGI))
#define CR8_READ       BIT(VMCB_EXIT_CR_READ + CR8)
#define CR8_WRITE      BIT(VMCB_EXIT_CR_WRITE + CR8)
#define CR8_BITS       (CR8_READ | CR8_WRITE)

static bool has_vgif;

void svm_gif_init(void)
{
	has_vgif = cpuid(CPUID_SVM, 0).edx & CPUID_EDX_VGIF;
}

/* What exits in each state; without virtual GIF that is always the same. Whole
 * words, because each #VMEXIT to L1 may come here. */
static void set_exits(struct vmcb *vmcb, bool cpu)
{
	u32 *i = vmcb->control.intercept;

	if (!has_vgif)
		return;
	i[WORD(VMCB_EXIT_INTR)] &=
		~(BIT(VMCB_EXIT_INTR) | BIT(VMCB_EXIT_VINTR));
	if (cpu) {
		i[WORD(VMCB_EXIT_STGI)] &= ~GIF_INSNS;
		i[WORD(VMCB_EXIT_INTR)] |= BIT(VMCB_EXIT_INTR);
		i[WORD(VMCB_EXIT_CR_READ)] |= CR8_BITS;
	} else {
		i[WORD(VMCB_EXIT_STGI)] |= GIF_INSNS;
		i[WORD(VMCB_EXIT_CR_READ)] &= ~CR8_BITS;
	}
}

/* CR8 as the guest has it. */
static u32 tpr(const struct vmcb *vmcb)
{
	u32 ctl = vmcb->control.int_ctl;

	return ctl & VMCB_V_INTR_MASKING ? ctl & CR8_MASK : (u32)read_cr8();
}

static void become_on(struct vcpu *v)
{
	struct vmcb *vmcb = v->backend;

	svm_gif_leave(v);
	vmcb->control.int_ctl = 0;
	set_exits(vmcb, false);
	v->gif = GIF_ON;
	v->l0_if = false;
}

static void become_off(struct vcpu *v)
{
	struct vmcb *vmcb = v->backend;

	vmcb->control.int_ctl = VMCB_V_INTR_MASKING | tpr(vmcb);
	set_exits(vmcb, false);
	v->gif = GIF_OFF;
	v->l0_if = false;
}

static void become_cpu(struct vcpu *v)
{
	struct vmcb *vmcb = v->backend;

	vmcb->control.int_ctl =
		VMCB_V_GIF_ENABLE | VMCB_V_INTR_MASKING | tpr(vmcb);
	set_exits(vmcb, true);
	v->gif = GIF_CPU;
	v->l0_if = true;
}

bool svm_gif(const struct vcpu *v)
{
	const struct vmcb *vmcb = v->backend;

	if (v->gif == GIF_CPU)
		return vmcb->control.int_ctl & VMCB_V_GIF;
	return v->gif == GIF_ON;
}

void svm_set_gif(struct vcpu *v, bool on)
{
	if (on)
		become_on(v);
	else if (has_vgif)
		become_cpu(v);
	else
		become_off(v);
}

void svm_watch_gif(struct vcpu *v)
{
	vmcb_intercept(v->backend, VMCB_EXIT_STGI);
}

/* The interrupt exits again when the guest's flags and its TPR allow. */
static void open_window(struct vcpu *v)
{
	struct vmcb *vmcb = v->backend;

	vmcb->control.int_ctl |= VMCB_V_IRQ | VMCB_V_IGN_TPR;
	vmcb_intercept(vmcb, VMCB_EXIT_VINTR);
	vmcb_pass(vmcb, VMCB_EXIT_INTR);
	v->l0_if = false;
}

/*
 * Between STI and HLT the guest sleeps only to be woken. A CPU that forgets
 * the shadow at VMRUN (doc/emulator.md) would deliver before the HLT, which
 * then sleeps.
 */
static void finish_halt(struct vcpu *v)
{
	struct vmcb *vmcb = v->backend;

	if (!(vmcb->control.int_state & VMCB_SHADOW) || !insn_is_hlt(v))
		return;
	v->regs.rip++;
	vmcb->control.int_state &= ~VMCB_SHADOW;
}

bool svm_gif_exit(struct vcpu *v, enum exit_slot slot)
{
	if (v->gif != GIF_CPU)
		return false;
	if (!svm_gif(v) && slot != EXIT_intr)
		become_off(v);
	else if (slot != EXIT_intr)
		become_on(v);
	else if (svm_gif(v) && v->regs.rflags & RFLAGS_IF) {
		finish_halt(v);
		become_on(v);
	} else
		open_window(v);
	return true;
}
