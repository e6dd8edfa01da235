/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Direct memory translation with guests that ask their hypervisor for TEAs in
 * host memory, so that nothing has to be translated to find an entry:
 *
 *   virt     gPTE    hPTE
 *   nested   L2PTE   L1PTE   L0PTE
 *
 * Registers name such a TEA by its number in a table of the host (gTEA), which
 * the fetcher checks the offset against.
 */
#include "walk/design/dmt.h"

#include "walk/design/fetcher.h"
#include "walk/designs.h"
#include "walk/radix.h"

/* In virt the first step is dmt's, for a host that offers no gTEAs. */
static unsigned step(const struct mmu *m, unsigned d)
{
	const struct fetcher *f = m->design_state;

	return f->step + d + (m->env == ENV_VIRT);
}

static u64 offset_of(const struct tea *t, u64 at)
{
	return (at - t->start) >> size_shift(t->size) << 3;
}

static bool read_guest(struct mmu *m, const struct tea *t, u64 at, u16 process,
		       u32 *cycles)
{
	u64 entry = space_gtea(m->space, 0, process, t, offset_of(t, at));

	if (!entry)
		return false; /* a fault to the host */
	*cycles = mmu_ref(m, step(m, 0), (hpa_t){entry});
	return true;
}

/* Each dimension below has one register, which has all of it. */
static u32 read_lower(struct mmu *m, va_t va)
{
	u64 in = va.v;
	u32 cycles = 0;
	size_t n;

	for (unsigned d = 1; d < space_dims(m->space); d++) {
		const struct tea *t = space_teas(m->space, d, 0, &n);
		u64 entry;

		in = dim_map(space_dim(m->space, d - 1), in).out;
		entry = space_gtea(m->space, d, 0, t, offset_of(t, in));
		cycles += mmu_ref(m, step(m, d), (hpa_t){entry});
	}
	return cycles;
}

static u32 walk(struct mmu *m, va_t va)
{
	const struct fetcher *f = m->design_state;
	u32 cycles;

	if (f->home == TEA_OWN)
		return design_dmt.walk(m, va);
	if (!fetcher_try(m, va, read_guest, &cycles))
		return cycles + fetcher_fall_back(m, va);
	return cycles + read_lower(m, va);
}

int pvdmt_start(struct mmu *m, size_t registers, bool gtea, struct err *err)
{
	if (!gtea && m->env == ENV_NESTED)
		registers = 0; /* dmt is none there */
	return fetcher_start(m, gtea ? TEA_HOST : TEA_OWN, registers, err);
}

static int start(struct mmu *m, struct err *err)
{
	return pvdmt_start(m, TEA_REGISTERS, true, err);
}

static const char *const steps_virt[] = {RADIX_STEPS_BOTH, "hPTE(gPTE)", "gPTE",
					 "hPTE", NULL};
static const char *const steps_nested[] = {RADIX_STEPS_BOTH, "L2PTE", "L1PTE",
					   "L0PTE", NULL};

const struct design design_pvdmt = {
	.name = "pvdmt",
	.summary = "dmt whose guests have their entries in host memory",
	.paper = "Direct Memory Translation, ASPLOS'24, section 4.5",
	.refused = {[ENV_NATIVE] = "pvDMT (ASPLOS'24, 4.5) is DMT with a "
				   "hypervisor's help: natively use dmt"},
	.steps = {[ENV_VIRT] = steps_virt, [ENV_NESTED] = steps_nested},
	.start = start,
	.walk = walk,
	.ahead = fetcher_ahead,
	.changed = fetcher_changed,
	.switched = fetcher_switched,
};
