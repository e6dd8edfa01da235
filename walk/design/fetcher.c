/* SPDX-License-Identifier: Apache-2.0 */
#include "walk/design/fetcher.h"

#include "walk/designs.h"
#include "walk/profile.h"

/* What the paper measured (section 6.3) at 2 GHz, in cycles: 48.1 ms for the
 * 51,200 table pages of a TEA of 200 MB, and the hypercall that asks for it. */
#define CYCLES_PAGE		1880
#define CYCLES_HYPERCALL_VIRT	3760
#define CYCLES_HYPERCALL_NESTED 21500

static const u32 hypercall_cycles[ENVS] = {
	[ENV_VIRT] = CYCLES_HYPERCALL_VIRT,
	[ENV_NESTED] = CYCLES_HYPERCALL_NESTED,
};

/* The walker beside the fetcher believes that it is alone. */
static struct fetcher *enter_radix(struct mmu *m)
{
	struct fetcher *f = m->design_state;

	m->design_state = f->radix;
	return f;
}

static int start_radix(struct mmu *m, struct err *err)
{
	struct fetcher *f = enter_radix(m);
	int result = design_radix.start(m, err);

	f->radix = m->design_state;
	m->design_state = f;
	return result;
}

static void tell(void *ctx, const struct space_change *c)
{
	mmu_charge_fault(ctx, c);
	fetcher_changed(ctx, c);
}

int fetcher_start(struct mmu *m, enum tea_home home, size_t registers,
		  struct err *err)
{
	struct fetcher *f = mmu_alloc(m, sizeof(*f));
	struct space_tell to_self = {tell, m};

	if (!f)
		return err_set(err, "out of memory");
	m->design_state = f;
	f->home = home;
	while (design_radix.steps[m->env][f->step])
		f->step++;
	if (start_radix(m, err) < 0)
		return -1;
	return space_use_teas(m->space, home, registers, &to_self, err);
}

static bool covers(const struct tea *t, u64 at)
{
	return t->present && at >= t->start && at < t->end;
}

bool fetcher_try(struct mmu *m, va_t va, fetch_read *read, u32 *cycles)
{
	enum page_size size = dim_map(space_dim(m->space, 0), va.v).size;
	bool found = false;
	const struct tea *t;
	u16 process;
	u64 at = space_address(m->space, va, &process);
	size_t n;

	*cycles = 0;
	t = space_teas(m->space, 0, process, &n);
	for (const struct tea *end = t + n; t < end; t++) {
		u32 took = 0;

		if (!covers(t, at))
			continue;
		found |= read(m, t, at, process, &took) && t->size == size;
		*cycles = took > *cycles ? took : *cycles;
	}
	return found;
}

void fetcher_ahead(struct mmu *m, va_t va)
{
	const struct fetcher *f = m->design_state;
	unsigned dims = space_dims(m->space);
	u16 process;
	u64 at = space_address(m->space, va, &process), in = va.v;
	size_t n;
	const struct tea *t = space_teas(m->space, 0, process, &n);

	for (const struct tea *end = t + n; t < end; t++) {
		u64 entry = tea_entry(t, at);

		if (covers(t, at) && f->home == TEA_OWN && dims > 1)
			entry = dim_map(space_dim(m->space, 1), entry).out;
		if (covers(t, at))
			mmu_ahead(m, (hpa_t){entry});
	}
	for (unsigned d = 1; n && d < dims; d++) {
		in = dim_map(space_dim(m->space, d - 1), in).out;
		t = space_teas(m->space, d, 0, &n);
		mmu_ahead(m, (hpa_t){tea_entry(t, in)});
	}
}

u32 fetcher_fall_back(struct mmu *m, va_t va)
{
	struct fetcher *f = enter_radix(m);
	u32 cycles = design_radix.walk(m, va);

	m->design_state = f;
	m->stats->fallbacks++;
	return cycles;
}

/* A model of time only knows instructions. */
static void charge(struct mmu *m, enum charge cause, u64 times, u64 cycles)
{
	mmu_charge(m, cause, times, (u64)((double)cycles / m->profile->cpi));
}

/* A hypercall of L2 goes on to L1, which asks L0. */
static void charge_teas(struct mmu *m, const struct space_change *c)
{
	const struct fetcher *f = m->design_state;

	charge(m, CHARGE_TEA, c->calls, (c->count + c->moved) * CYCLES_PAGE);
	if (f->home == TEA_HOST)
		charge(m, CHARGE_HYPERCALL, c->calls * m->env,
		       c->calls * hypercall_cycles[m->env]);
}

void fetcher_changed(struct mmu *m, const struct space_change *c)
{
	struct fetcher *f = m->design_state;

	if (c->what == SPACE_TEA) {
		charge_teas(m, c);
		return;
	}
	enter_radix(m);
	if (design_radix.changed)
		design_radix.changed(m, c);
	m->design_state = f;
}

void fetcher_switched(struct mmu *m, u16 process)
{
	struct fetcher *f = enter_radix(m);

	if (design_radix.switched)
		design_radix.switched(m, process);
	m->design_state = f;
}
