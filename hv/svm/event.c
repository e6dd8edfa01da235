/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/svm/event.h"

#define BIT(n)	 (1u << (n))
#define TPR_BITS 0xfu

/* Vectors 0 to 31, APM vol. 2, table 8-1; all but #DB, #DF and #MC of those
 * that are not soft are faults. */
#define FAULTS                                                             \
	(BIT(0) | BIT(5) | BIT(6) | BIT(7) | 0x7c00u | BIT(16) | BIT(17) | \
	 BIT(19) | BIT(VECTOR_CP))
#define OTHERS                                                                \
	(BIT(VECTOR_DB) | BIT(VECTOR_NMI) | BIT(VECTOR_BP) | BIT(VECTOR_OF) | \
	 BIT(8) | BIT(18))

static bool is_in(u32 vectors, u64 vector)
{
	return vector < EXCEPTIONS && vectors >> vector & 1;
}

bool event_comes_again(u64 event)
{
	if (event_is_soft(event))
		return true;
	return (event & VMCB_EVENT_TYPE) == VMCB_EVENT_EXCEPTION &&
	       is_in(FAULTS, event & VMCB_EVENT_VECTOR);
}

/* Whether QEMU would take the virtual interrupt. With its intercept it is not
 * taken, but exits. */
static bool takes_virtual(const struct vmcb *vmcb)
{
	const struct vmcb_control *c = &vmcb->control;
	u32 ctl = c->int_ctl;
	u32 priority = (ctl & VMCB_V_PRIO_MASK) >> VMCB_V_PRIO_SHIFT;

	if (!(ctl & VMCB_V_IRQ) || c->int_state & VMCB_SHADOW ||
	    !(vmcb->save.rflags & RFLAGS_IF) ||
	    c->intercept[VMCB_EXIT_VINTR / 32] >> VMCB_EXIT_VINTR % 32 & 1)
		return false;
	if (ctl & VMCB_V_GIF_ENABLE && !(ctl & VMCB_V_GIF))
		return false;
	return ctl & VMCB_V_IGN_TPR || priority >= (ctl & TPR_BITS);
}

void event_correct(struct vmcb *vmcb)
{
	struct vmcb_control *c = &vmcb->control;
	u64 info = c->exit_int_info, vector = info & VMCB_EVENT_VECTOR;
	bool is_virtual;

	if ((info & VMCB_EVENT_TYPE) != VMCB_EVENT_EXCEPTION)
		return;
	is_virtual = vector == (c->int_vector & VMCB_EVENT_VECTOR) &&
		     takes_virtual(vmcb);
	if (is_virtual)
		c->int_ctl &= ~VMCB_V_IRQ;
	if (is_virtual || !is_in(FAULTS | OTHERS, vector))
		c->exit_int_info = VMCB_EVENT_VALID | VMCB_EVENT_INTR | vector;
}

u32 event_hold_virtual(u32 int_ctl)
{
	if (!(int_ctl & VMCB_V_IRQ) || int_ctl & VMCB_V_IGN_TPR)
		return int_ctl;
	if (int_ctl & VMCB_V_PRIO_MASK)
		return int_ctl - (1u << VMCB_V_PRIO_SHIFT);
	return int_ctl & ~VMCB_V_IRQ;
}
