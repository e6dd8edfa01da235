/* SPDX-License-Identifier: Apache-2.0 */
#include "test/unit/fake_mmu.h"

#include <sys/mman.h>

#include "test/unit/unit.h"
#include "walk/space_inline.h"

static struct fake *of(struct mmu *m)
{
	return (struct fake *)m;
}

u32 fake_cycles(u64 pa)
{
	return 1 + (u32)((pa >> 3) * 0x9e3779b97f4a7c15ull >> 56);
}

u32 mmu_ref(struct mmu *m, unsigned step, hpa_t pa)
{
	struct fake *f = of(m);

	assert_true(f->refs < FAKE_REFS);
	f->ref[f->refs++] = (struct fake_ref){step, pa.v, fake_cycles(pa.v)};
	return fake_cycles(pa.v);
}

void mmu_ahead(struct mmu *m, hpa_t pa)
{
	(void)m;
	(void)pa;
}

void *mmu_alloc(struct mmu *m, size_t size)
{
	struct fake *f = of(m);
	size_t all = (size + 63) / 64 * 64;
	void *p = aligned_alloc(64, all);

	assert_non_null(p);
	assert_true(f->allocs < FAKE_ALLOCS);
	f->alloc[f->allocs++] = p;
	return memset(p, 0, all);
}

int mmu_assoc(struct mmu *m, struct assoc *a, const struct geometry *g,
	      struct err *err)
{
	struct fake *f = of(m);

	assert_true(f->assocs < FAKE_ALLOCS);
	f->assoc[f->assocs++] = a;
	return assoc_init(a, g->entries ? g->entries / g->ways : 0, g->ways,
			  g->policy, err);
}

void mmu_charge(struct mmu *m, enum charge cause, u64 times, u64 instructions)
{
	m->stats->charge_times[cause] += times;
	m->stats->charge_instructions[cause] += instructions;
}

static void init(struct fake *f, enum env env, enum pages pages,
		 enum page_size host, enum frames frames)
{
	struct err err;

	memset(f, 0, sizeof(*f));
	keys_init(&f->keys);
	f->profile.levels = 4;
	f->profile.cpi = 1;
	f->profile.asids = true;
	f->spec = (struct walk_spec){.env = env,
				     .pages = pages,
				     .frames = frames,
				     .profile = &f->profile,
				     .keys = &f->keys,
				     .seed = 7};
	f->mmu = (struct mmu){
		.profile = &f->profile, .env = env, .stats = &f->stats};
	f->mmu.space = space_new_host(&f->spec, host, &err);
	assert_non_null(f->mmu.space);
}

void fake_init(struct fake *f, enum env env, enum pages pages,
	       enum page_size host)
{
	init(f, env, pages, host, FRAMES_COMPUTED);
}

void fake_init_buddy(struct fake *f, enum env env, enum pages pages,
		     enum page_size host)
{
	init(f, env, pages, host, FRAMES_BUDDY);
}

void fake_add_pwcs(struct fake *f)
{
	static const u32 entries[PWC_LEVELS] = {32, 4, 2, 2};

	for (int i = 0; i < PWC_LEVELS; i++) {
		f->profile.pwc[i] = (struct geometry){
			.entries = entries[i], .ways = entries[i], .cycles = 1};
		f->profile.npwc[i] = f->profile.pwc[i];
	}
}

void fake_free(struct fake *f)
{
	for (unsigned i = 0; i < f->assocs; i++)
		assoc_free(f->assoc[i]);
	for (unsigned i = 0; i < f->allocs; i++)
		free(f->alloc[i]);
	space_free(f->mmu.space);
}

static void changed(void *ctx, const struct space_change *c)
{
	struct mmu *m = ctx;

	mmu_charge_fault(m, c);
	if (m->design && m->design->changed)
		m->design->changed(m, c);
}

void fake_event(struct fake *f, u16 type, const u64 arg[4])
{
	struct nbt_event e = {
		.type = type,
		.process = 1,
		.arg = {arg[0], arg[1], arg[2], arg[3]},
	};
	struct space_tell tell = {changed, &f->mmu};
	struct err err;

	assert_int_equal(space_event(f->mmu.space, &e, &tell, &err), 0);
}

void fake_map(struct fake *f, u64 at, u64 bytes)
{
	fake_event(f, NBT_MAP,
		   ARGS(at, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS));
}

u32 fake_walk(struct fake *f, const struct design *d, u64 at)
{
	struct space_tell tell = {changed, &f->mmu};
	va_t key;

	assert_int_equal(keys_of(&f->keys, 1, at, &key), 0);
	assert_int_equal(space_touch(f->mmu.space, key, &tell), 0);
	f->refs = 0;
	return d->walk(&f->mmu, key);
}
