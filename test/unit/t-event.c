/* SPDX-License-Identifier: Apache-2.0 */
/* hv/svm/event: events whose delivery an exit interrupted. */
#include "hv/svm/event.h"

#include "test/unit/unit.h"

#define VECTOR_INT 0x41
#define EVENT(type, vector) \
	(VMCB_EVENT_VALID | VMCB_EVENT_##type | (u64)(vector))
#define WITH_CODE (VMCB_EVENT_ERROR | 8ull << 32)

static struct vmcb vmcb;

/* A virtual interrupt waits and may be taken. */
static int setup(void **state)
{
	(void)state;
	memset(&vmcb, 0, sizeof(vmcb));
	vmcb.control.int_ctl = VMCB_V_IRQ | 5u << VMCB_V_PRIO_SHIFT | 4;
	vmcb.control.int_vector = VECTOR_INT;
	vmcb.save.rflags = RFLAGS_FIXED | RFLAGS_IF;
	return 0;
}

static void corrected(u64 told, u64 want, bool still_pending)
{
	vmcb.control.exit_int_info = told;
	event_correct(&vmcb);
	assert_int_equal(vmcb.control.exit_int_info, want);
	assert_int_equal(!!(vmcb.control.int_ctl & VMCB_V_IRQ), still_pending);
}

static void virtual_is_taken(void **state)
{
	(void)state;
	corrected(EVENT(EXCEPTION, VECTOR_INT), EVENT(INTR, VECTOR_INT), false);
}

/* The vector alone would not tell. */
static void virtual_of_low_vector(void **state)
{
	(void)state;
	vmcb.control.int_vector = VECTOR_PF;
	corrected(EVENT(EXCEPTION, VECTOR_PF) | WITH_CODE,
		  EVENT(INTR, VECTOR_PF), false);
}

static void physical_leaves_virtual(void **state)
{
	(void)state;
	corrected(EVENT(EXCEPTION, 0x42), EVENT(INTR, 0x42), true);
	corrected(EVENT(EXCEPTION, 255), EVENT(INTR, 255), true);
	corrected(EVENT(EXCEPTION, 31), EVENT(INTR, 31), true);
	corrected(EVENT(EXCEPTION, 15), EVENT(INTR, 15), true);
}

static void exceptions_stay(void **state)
{
	(void)state;
	for (unsigned v = 0; v < 20; v++)
		if (v != 9 && v != 15)
			corrected(EVENT(EXCEPTION, v), EVENT(EXCEPTION, v),
				  true);
	corrected(EVENT(EXCEPTION, VECTOR_GP) | WITH_CODE,
		  EVENT(EXCEPTION, VECTOR_GP) | WITH_CODE, true);
	corrected(EVENT(SOFT, VECTOR_INT), EVENT(SOFT, VECTOR_INT), true);
	corrected(EVENT(NMI, VECTOR_NMI), EVENT(NMI, VECTOR_NMI), true);
}

/* What holds it off: then the event is another one. */
static void virtual_held_off(void **state)
{
	const u64 told = EVENT(EXCEPTION, VECTOR_GP);

	vmcb.control.int_vector = VECTOR_GP;
	vmcb.save.rflags = RFLAGS_FIXED;
	corrected(told, told, true);
	setup(state);
	vmcb.control.int_vector = VECTOR_GP;
	vmcb.control.int_state = VMCB_SHADOW;
	corrected(told, told, true);
	vmcb.control.int_state = 0;
	vmcb.control.int_ctl += 2;
	corrected(told, told, true);
	vmcb.control.int_ctl |= VMCB_V_IGN_TPR | VMCB_V_GIF_ENABLE;
	corrected(told, told, true);
	vmcb.control.int_ctl |= VMCB_V_GIF;
	vmcb_intercept(&vmcb, VMCB_EXIT_VINTR);
	corrected(told, told, true);
	vmcb_pass(&vmcb, VMCB_EXIT_VINTR);
	corrected(told, EVENT(INTR, VECTOR_GP), false);
}

static void none_is_pending(void **state)
{
	(void)state;
	vmcb.control.int_ctl = 0;
	vmcb.control.int_vector = VECTOR_GP;
	corrected(EVENT(EXCEPTION, VECTOR_GP), EVENT(EXCEPTION, VECTOR_GP),
		  false);
	vmcb.control.int_vector = VECTOR_INT;
	corrected(EVENT(EXCEPTION, VECTOR_INT), EVENT(INTR, VECTOR_INT), false);
}

static void soft_events(void **state)
{
	(void)state;
	assert_true(event_is_soft(EVENT(SOFT, VECTOR_INT)));
	assert_true(event_is_soft(EVENT(SOFT, VECTOR_BP)));
	assert_true(event_is_soft(EVENT(EXCEPTION, VECTOR_BP)));
	assert_true(event_is_soft(EVENT(EXCEPTION, VECTOR_OF)));
	assert_false(event_is_soft(EVENT(EXCEPTION, VECTOR_DB)));
	assert_false(event_is_soft(EVENT(EXCEPTION, VECTOR_GP)));
	assert_false(event_is_soft(EVENT(INTR, VECTOR_BP)));
	assert_false(event_is_soft(EVENT(NMI, VECTOR_NMI)));
}

/* Of 32 exceptions the faults and the two soft ones. */
static void what_comes_again(void **state)
{
	static const u8 again[] = {0,  3,  4,  5,  6,  7,  10, 11,
				   12, 13, 14, 16, 17, 19, 21};
	u32 vectors = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(again); i++)
		vectors |= 1u << again[i];
	for (unsigned v = 0; v < EXCEPTIONS; v++) {
		assert_int_equal(event_comes_again(EVENT(EXCEPTION, v)),
				 vectors >> v & 1);
		assert_true(event_comes_again(EVENT(SOFT, v)));
		assert_false(event_comes_again(EVENT(INTR, v)));
		assert_false(event_comes_again(EVENT(NMI, v)));
	}
}

/* QEMU's rule on the result is the manual's on what it was made of. */
static void qemu_holds_virtual(void **state)
{
	(void)state;
	for (u32 priority = 0; priority < 16; priority++)
		for (u32 tpr = 0; tpr < 16; tpr++) {
			u32 ctl = VMCB_V_IRQ | tpr |
				  priority << VMCB_V_PRIO_SHIFT;

			vmcb.control.int_ctl = event_hold_virtual(ctl);
			corrected(EVENT(EXCEPTION, VECTOR_INT),
				  EVENT(INTR, VECTOR_INT),
				  priority && priority <= tpr);
		}
}

static void nothing_to_hold(void **state)
{
	const u32 ignored = VMCB_V_IRQ | VMCB_V_IGN_TPR | 3;
	const u32 none = 7u << VMCB_V_PRIO_SHIFT | VMCB_V_INTR_MASKING;

	(void)state;
	assert_int_equal(event_hold_virtual(ignored), ignored);
	assert_int_equal(event_hold_virtual(none), none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(virtual_is_taken, setup),
		cmocka_unit_test_setup(virtual_of_low_vector, setup),
		cmocka_unit_test_setup(physical_leaves_virtual, setup),
		cmocka_unit_test_setup(exceptions_stay, setup),
		cmocka_unit_test_setup(virtual_held_off, setup),
		cmocka_unit_test_setup(none_is_pending, setup),
		cmocka_unit_test(soft_events),
		cmocka_unit_test(what_comes_again),
		cmocka_unit_test_setup(qemu_holds_virtual, setup),
		cmocka_unit_test(nothing_to_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
