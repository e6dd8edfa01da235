/* SPDX-License-Identifier: Apache-2.0 */
/* Whether save.h forgets anything: the option "shake". */
#include "hv/mem.h"
#include "hv/nested/merge.h"
#include "hv/nested/save.h"
#include "hv/panic.h"
#include "lib/string.h"

#define JUNK 0x5a

static u32 shake_period;

void shake_init(u32 period)
{
	shake_period = period;
}

void shake_start(struct nested *n)
{
	n->shakes = shake_period;
	n->until_shake = shake_period;
	if (n->shakes)
		n->shaken = mem_array(2, sizeof(struct nested_state));
}

/* All that a load has to bring back, but what says how to get out of here. */
static void spoil(struct vcpu *v)
{
	struct nested *n = v->nested;

	for (unsigned i = 0; i < PAIRS; i++) {
		memset(n->pairs[i].copy12, JUNK, PAGE_SIZE);
		memset(n->pairs[i].vmcb02, JUNK, PAGE_SIZE);
		memset(n->pairs[i].msrpm, JUNK, 2ul * PAGE_SIZE);
		merge_msrs_init(n->pairs[i].msrpm);
	}
	merge_save(&n->vmcb01->save, &n->pairs[0].copy12->save);
	v->regs.rip = v->regs.rflags = JUNK;
	v->regs.gpr[RAX] = v->regs.gpr[RSP] = JUNK;
	n->kept = JUNK;
	n->soft_rip = JUNK;
	n->gif01 = GIF_OFF;
	n->gif = !n->gif;
	v->svme = v->l0_if = false;
}

/* Counts are no state, and a load counts an end and a VMRUN. */
void shake(struct vcpu *v)
{
	struct nested *n = v->nested;
	struct nested_state *before = n->shaken, *after = before + 1;
	u64 vmruns = n->vmruns, made_up = n->made_up;
	const char *why;

	if (--n->until_shake)
		return;
	n->until_shake = n->shakes;
	nested_save(v, before);
	spoil(v);
	why = nested_load(v, before);
	if (why)
		panic("nested state is refused: %s", why);
	n->vmruns = vmruns;
	n->made_up = made_up;
	nested_save(v, after);
	if (memcmp(before, after, sizeof(*before)) != 0)
		panic("nested state has changed");
}
