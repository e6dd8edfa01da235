/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Direct memory translation. The leaf entries of a VMA stand side by side in
 * a TEA, so that registers tell where an entry is:
 *
 *   native   PTE
 *   virt     hPTE of the gPTE   gPTE   hPTE of the page
 *
 * where the guest's TEAs are in guest physical memory, so that the first
 * reference finds where the second goes.
 */
#include "walk/design/dmt.h"

#include "walk/design/fetcher.h"
#include "walk/designs.h"
#include "walk/radix.h"

enum { STEP_HOST_OF_ENTRY, STEP_ENTRY, STEP_HOST };

static unsigned step(const struct mmu *m, unsigned n)
{
	const struct fetcher *f = m->design_state;

	return f->step + (m->env == ENV_NATIVE ? 0 : n);
}

/* The entry of the guest physical address @gpa: one register has all of it. */
static u32 read_host(struct mmu *m, u64 gpa, unsigned n)
{
	size_t registers;
	const struct tea *t = space_teas(m->space, 1, 0, &registers);

	return mmu_ref(m, step(m, n), (hpa_t){tea_entry(t, gpa)});
}

static bool read_native(struct mmu *m, const struct tea *t, u64 at, u16 process,
			u32 *cycles)
{
	(void)process;
	*cycles = mmu_ref(m, step(m, STEP_ENTRY), (hpa_t){tea_entry(t, at)});
	return true;
}

static bool read_guest(struct mmu *m, const struct tea *t, u64 at, u16 process,
		       u32 *cycles)
{
	u64 entry = tea_entry(t, at);

	(void)process;
	*cycles = read_host(m, entry, STEP_HOST_OF_ENTRY);
	*cycles += mmu_ref(m, step(m, STEP_ENTRY),
			   (hpa_t){dim_map(space_dim(m->space, 1), entry).out});
	return true;
}

static u32 walk(struct mmu *m, va_t va)
{
	bool native = m->env == ENV_NATIVE;
	u32 cycles;

	if (!fetcher_try(m, va, native ? read_native : read_guest, &cycles))
		return cycles + fetcher_fall_back(m, va);
	if (native)
		return cycles;
	return cycles + read_host(m, dim_map(space_dim(m->space, 0), va.v).out,
				  STEP_HOST);
}

int dmt_start(struct mmu *m, size_t registers, struct err *err)
{
	return fetcher_start(m, TEA_OWN, registers, err);
}

static int start(struct mmu *m, struct err *err)
{
	return dmt_start(m, TEA_REGISTERS, err);
}

static const char *const steps_native[] = {RADIX_STEPS_NATIVE, "PTE", NULL};
static const char *const steps_virt[] = {RADIX_STEPS_BOTH, "hPTE(gPTE)", "gPTE",
					 "hPTE", NULL};

const struct design design_dmt = {
	.name = "dmt",
	.summary = "leaf entries side by side, found by registers",
	.paper = "Direct Memory Translation, ASPLOS'24, section 3",
	.refused = {[ENV_NESTED] = "DMT (ASPLOS'24, 4.5) defines only pvDMT "
				   "for nested virtualization"},
	.steps = {[ENV_NATIVE] = steps_native, [ENV_VIRT] = steps_virt},
	.start = start,
	.walk = walk,
	.ahead = fetcher_ahead,
	.changed = fetcher_changed,
	.switched = fetcher_switched,
};
