/* SPDX-License-Identifier: Apache-2.0 */
/* hv/nested/save: what is saved can be loaded, and nothing else. */
#include "hv/nested/save.h"

#include "hv/nested/merge.h"
#include "hv/nested/vmcb02.h"
#include "hv/nested/vmrun.h"
#include "hv/space.h"
#include "hv/svm/gif.h"
#include "test/unit/unit.h"

#define ROUNDS 200
#define BITS   40
#define VMCB12 0x7000ull

struct nested_offer offer;
const struct vmm_ops *vmm;
static struct vmcb blocks[1 + 2 * PAIRS];
static struct nested nested;
static struct vcpu v;

/* L1's memory ends with its addresses. */
static const void *map(void *ctx, u64 pa, u64 len)
{
	(void)ctx;
	assert_int_equal(len, PAGE_SIZE);
	return pa >> BITS ? NULL : blocks;
}

struct phys space_l1 = {.map = map};

/* The rest of L0 ***********************************************************/

bool svm_gif(const struct vcpu *cpu)
{
	return cpu->gif == GIF_ON;
}

static void set_gif(struct vcpu *cpu, bool on)
{
	cpu->gif = on ? GIF_ON : GIF_OFF;
}

static u64 known_cr4(void)
{
	return CR4_PAE;
}

void vmcb02_choose(struct nested *n, u64 pa)
{
	n->pair = &n->pairs[pa / PAGE_SIZE % PAIRS];
	n->pair->vmcb12 = pa;
	n->copy12 = n->pair->copy12;
	n->vmcb02 = n->pair->vmcb02;
}

void vmcb02_resume(struct nested *n, const struct vmcb *l2, u32 int_ctl)
{
	*n->copy12 = *l2;
	merge_exit(&n->vmcb02->control, &l2->control);
	n->vmcb02->control.int_ctl = int_ctl;
	merge_save(&n->vmcb02->save, &l2->save);
}

void resume_guest(struct vcpu *cpu)
{
	cpu->level = 2;
	cpu->gif = GIF_ON;
	cpu->backend = cpu->nested->vmcb02;
}

void nested_abandon(struct vcpu *cpu)
{
	cpu->level = 1;
	cpu->backend = cpu->nested->vmcb01;
}

/* States *******************************************************************/

static u64 random64(void)
{
	return (u64)random() << 42 ^ (u64)random() << 21 ^ (u64)random();
}

static void randomize(void *to, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		((u8 *)to)[i] = (u8)random();
}

static void make_legal(struct vmcb_save *s)
{
	randomize(s, sizeof(*s));
	s->efer = EFER_SVME | EFER_LME | EFER_LMA;
	s->cr0 = CR0_PE | CR0_PG | CR0_ET;
	s->cr4 = CR4_PAE;
	s->cr3 &= offer.limits.phys_mask;
	s->cs.attributes = VMCB_SEGMENT_LONG;
	s->dr6 = (u32)s->dr6;
	s->dr7 = (u32)s->dr7;
	s->g_pat = 0;
}

/* Of a guest that runs, or of L1. */
static void make_state(bool guest)
{
	struct vmcb_control *c;

	vmcb02_choose(&nested, (random64() & ((1ull << BITS) - 1)) &
				       ~(u64)(PAGE_SIZE - 1));
	randomize(nested.copy12, sizeof(struct vmcb));
	randomize(nested.vmcb02, sizeof(struct vmcb));
	c = &nested.copy12->control;
	vmcb_intercept(nested.copy12, VMCB_EXIT_VMRUN);
	c->asid = 1;
	c->iopm_pa = c->msrpm_pa = VMCB12;
	c->ncr3 &= offer.limits.phys_mask;
	make_legal(&nested.vmcb02->save);
	make_legal(&nested.vmcb01->save);
	nested.vmcb02->control.int_ctl &= offer.int_ctl;
	nested.vmcb02->control.event_inj &= ~VMCB_EVENT_VALID;
	nested.vmcb01->control.event_inj = 0;
	nested.kept = (u32)random() & offer.int_ctl;
	nested.soft_rip = random64();
	nested.gif = random() & 1;
	nested.vm_cr = VM_CR_LOCK;
	nested.hsave = VMCB12;
	randomize(&v.regs, sizeof(v.regs));
	v.svme = guest || random() & 1;
	v.gif = random() & 1 ? GIF_ON : GIF_OFF;
	v.level = guest ? 2 : 1;
}

static int set_up(void **state)
{
	static const struct vmm_ops ops = {.set_gif = set_gif,
					   .known_cr4 = known_cr4};

	(void)state;
	vmm = &ops;
	offer = (struct nested_offer){
		.features = SVM_NPT,
		.int_ctl = VMCB_V_TPR_MASK | VMCB_V_IRQ | VMCB_V_INTR_MASKING,
		.phys_bits = BITS,
		.limits = {.phys_mask = (1ull << BITS) - 1,
			   .cr4 = CR4_PAE,
			   .efer = EFER_SVME | EFER_LME | EFER_LMA,
			   .asids = 2,
			   .nested_paging = true,
			   .paging = true},
	};
	nested = (struct nested){.vmcb01 = blocks, .limits = offer.limits};
	for (unsigned i = 0; i < PAIRS; i++) {
		nested.pairs[i].copy12 = &blocks[1 + 2 * i];
		nested.pairs[i].vmcb02 = &blocks[2 + 2 * i];
	}
	v = (struct vcpu){.nested = &nested};
	return 0;
}

static void a_saved_state_comes_back(void **state)
{
	static struct nested_state before, after;

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		make_state(i % 2);
		nested_save(&v, &before);
		make_state(random() & 1);
		assert_null(nested_load(&v, &before));
		nested_save(&v, &after);
		assert_memory_equal(&before, &after, sizeof(before));
		assert_int_equal(v.level, i % 2 ? 2 : 1);
	}
}

/* Each change of a good state, and what was there stays. */
static void bad_states_are_refused(void **state)
{
	static struct nested_state good, bad, before, after;
	const struct {
		void *at;
		u64 value;
		size_t bytes;
	} rows[] = {
		{&bad.version, NESTED_STATE_VERSION + 1, 4},
		{&bad.size, sizeof(bad) - 1, 4},
		{&bad.flags, STATE_FLAGS + 1, 8},
		{&bad.flags, STATE_GUEST, 8},
		{&bad.vm_cr, VM_CR_R_INIT, 8},
		{&bad.vm_cr, VM_CR_SVMDIS, 8},
		{&bad.hsave, VMCB12 + 8, 8},
		{&bad.hsave, 1ull << BITS, 8},
		{&bad.vmcb12, VMCB12 + 8, 8},
		{&bad.vmcb12, 1ull << BITS, 8},
		{&bad.int_ctl, VMCB_AVIC_ENABLE, 4},
		{&bad.kept, VMCB_V_GIF_ENABLE, 4},
		{&bad.l2.control.asid, 0, 4},
		{&bad.l2.control.intercept[VMCB_EXIT_VMRUN / 32], 0, 4},
		{&bad.l2.control.event_inj, 0x80000100, 8},
		{&bad.l2.save.efer, 0, 8},
		{&bad.l2.save.cr4, ~0ull, 8},
		{&bad.l1.save.efer, 0, 8},
		{&bad.l1.save.cr0, 1ull << 32, 8},
		{&bad.l1.control.event_inj, 0x80000100, 8},
	};

	(void)state;
	make_state(true);
	nested_save(&v, &good);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		make_state(i % 2);
		nested_save(&v, &before);
		bad = good;
		memcpy(rows[i].at, &rows[i].value, rows[i].bytes);
		assert_non_null(nested_load(&v, &bad));
		nested_save(&v, &after);
		assert_memory_equal(&before, &after, sizeof(before));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_saved_state_comes_back, set_up),
		cmocka_unit_test_setup(bad_states_are_refused, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
