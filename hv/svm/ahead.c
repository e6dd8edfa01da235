/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/svm/ahead.h"

#include "hv/mem.h"
#include "hv/svm/gif.h"
#include "lib/cpu.h"
#include "lib/string.h"
#include "lib/x86.h"

#define DR7_ENABLED 0xffu
#define PATIENCE    64

void ahead_start(struct vcpu *v)
{
	v->ahead = mem_array(AHEADS, sizeof(*v->ahead));
}

/* An interrupt, a debugger or a single step might come in between. */
static bool is_seen(const struct vcpu *v, const struct vmcb_save *s)
{
	return (v->gif != GIF_OFF && svm_gif(v)) || s->rflags & RFLAGS_TF ||
	       s->dr7 & DR7_ENABLED;
}

/* Those from @g on to @end; their number is one of fours. */
static inline bool hold(const struct ahead_guard *g,
			const struct ahead_guard *end)
{
	_Static_assert(AHEAD_AT_ONCE == 4, "so many are here");
	for (; g != end; g += AHEAD_AT_ONCE)
		if ((*g[0].at ^ g[0].value) | (*g[1].at ^ g[1].value) |
		    (*g[2].at ^ g[2].value) | (*g[3].at ^ g[3].value))
			return false;
	return true;
}

/* What POP would find. */
static bool is_on_stack(const struct ahead *a, u64 rsp)
{
	u64 at = rsp - a->stack_va;
	const u64 *word = (const u64 *)(const void *)(a->stack + at);

	if (at > PAGE_SIZE - a->pops * sizeof(*word) || at % sizeof(*word))
		return false;
	for (u32 i = 0; i < a->pops; i++)
		if (word[i] != a->popped[i])
			return false;
	return true;
}

/* Translations that held before VMRUN hold behind it, as in a TLB: this CPU has
 * executed nothing of L1's since. */
static bool fits(const struct ahead *a, const struct vmcb_save *s, u64 proven)
{
	const struct ahead_guard *end = a->guard + a->guards;

	return a->rip == s->rip && a->cr3 == s->cr3 && a->cr4 == s->cr4 &&
	       a->efer == s->efer && s->cs.attributes & VMCB_SEGMENT_LONG &&
	       (!a->pops || is_on_stack(a, s->rsp)) &&
	       hold(a->guard, proven == a->before ? a->common : end) &&
	       same_words(a->code, a->bytes, a->words);
}

/* To record costs more than an exit does: only what may last is. */
static __attribute__((noinline, cold)) void miss(struct vcpu *v,
						 struct ahead *a, u64 proven)
{
	if (a->patience) {
		a->patience--;
		return;
	}
	ahead_record(v, a, proven);
	a->patience = PATIENCE;
}

const struct ahead *ahead_run(struct vcpu *v, u64 proven)
{
	struct vmcb_save *s = &((struct vmcb *)v->backend)->save;
	struct ahead *a = ahead_of(v);
	const struct ahead_move *m, *end;

	if (is_seen(v, s))
		return NULL;
	if (proven != a->before)
		miss(v, a, proven);
	if (!fits(a, s, proven)) {
		miss(v, a, proven);
		return NULL;
	}
	for (m = a->move, end = m + a->moves; m != end; m++)
		copy_words(m->to, m->from, m->words);
	s->rsp += a->pops * sizeof(u64);
	s->rip = a->next;
	if (a->vmsave)
		vmsave(a->vmsave);
	if (a->vmload)
		vmload(a->vmload);
	return a;
}
