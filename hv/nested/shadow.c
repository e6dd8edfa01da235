/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/nested/shadow.h"

#include "hv/code.h"
#include "hv/lock.h"
#include "hv/nested/npt02.h"
#include "hv/nested/track.h"
#include "hv/panic.h"
#include "hv/space.h"

#define FORMATS 5 /* NPT02_SPLIT, and NX or not of both modes */

#define AD     (PTE_ACCESSED | PTE_DIRTY)
#define ALL    (PTE_PRESENT | PTE_WRITE | PTE_USER | AD)
#define COPIED (PTE_WRITE | PTE_USER | PTE_PWT | PTE_PCD | PT_NX)

volatile u64 shadow_generation;

static struct {
	struct lock lock;
	struct npt12 format[FORMATS];
	u64 empty; /* the root if L1's is where it has no memory */
	struct shadow_stats stats;
} shadow;

void shadow_init(size_t pages)
{
	if (pages < SHADOW_MIN_PAGES)
		panic("%lu pages are too few for NPT02", pages);
	pool_init(pages);
	track_init();
	npt02_init();
	shadow.empty = virt_to_phys(mem_pages(1, PAGE_SIZE));
	shadow.stats = (struct shadow_stats){0};
}

/* Everything that says how an entry is read is the mode's, except the size of
 * L1's addresses, which is the machine's. */
static unsigned format_of(const struct npt12 *npt)
{
	unsigned format = npt->levels == PT_LEVELS ? 1 : 3;

	format += npt->nx;
	shadow.format[format] = *npt;
	return format;
}

/* Takes all tables away. CPUs may use them until pool_get() shoots them down,
 * so the generation is new before that. */
static void drop_all(void)
{
	npt02_reset();
	shadow_generation++;
	code_version++;
}

static void evict(void)
{
	drop_all();
	shadow.stats.evictions++;
}

void shadow_drop(void)
{
	lock_take(&shadow.lock);
	drop_all();
	lock_give(&shadow.lock);
}

/* PAE's root is L0's own and has no page in NPT12. */
static struct shadow_table *root_table(const struct npt12 *npt)
{
	return npt02_table(npt->root, NPT02_TOP, format_of(npt),
			   npt->levels > NPT02_TOP);
}

u64 shadow_root(const struct npt12 *npt)
{
	u64 root = shadow.empty;
	struct shadow_table *t;

	lock_take(&shadow.lock);
	if (phys_map(&space_l1, npt->root, sizeof(u64))) {
		while (!(t = root_table(npt)))
			evict();
		root = virt_to_phys(pool_page(t));
	}
	lock_give(&shadow.lock);
	return root;
}

/*
 * NPT02's bits for @entry of NPT12. Its accessed and dirty bits are set, so the
 * CPU never writes to it; the dirty bit of NPT12 is set by a fault.
 */
static u64 rights(u64 entry, bool page)
{
	u64 bits = (entry & COPIED) | PTE_PRESENT | AD;

	if (page && !(entry & PTE_DIRTY))
		bits &= ~(u64)PTE_WRITE;
	return bits;
}

/* Filling ******************************************************************/

static unsigned index_of(u64 pa, unsigned level)
{
	return pa / pt_span(level) % PTES_PER_TABLE;
}

/* Puts @child below @t. False: there is none, no page was left for it. */
static bool hang(struct shadow_table *t, u64 l2pa, struct shadow_table *child,
		 u64 bits)
{
	if (child)
		npt02_set(t, index_of(l2pa, t->level),
			  virt_to_phys(pool_page(child)) | NPT02_TABLE | bits);
	return child;
}

/* The page of @path into @t: whole, or the piece of it around the address that
 * NPT01 maps as one, too. */
static bool fill_page(struct shadow_table *t, const struct npt12_path *path,
		      u64 l2pa)
{
	u64 bits = rights(path->entry[path->leaf], true), at;

	while (at = path->l1pa & ~(pt_span(t->level) - 1),
	       !space_is_plain(at, pt_span(t->level))) {
		struct shadow_table *piece =
			npt02_table(at, t->level - 1u, NPT02_SPLIT, false);

		if (!hang(t, l2pa, piece, bits))
			return false;
		t = piece;
		bits = ALL;
	}
	if (t->level)
		bits |= PTE_LARGE;
	npt02_set(t, index_of(l2pa, t->level), at | bits);
	return true;
}

/* False: out of pages. */
static bool fill(const struct npt12 *npt, const struct npt12_path *path,
		 u64 l2pa)
{
	struct shadow_table *child, *t = root_table(npt);
	unsigned format = format_of(npt);

	for (unsigned level = NPT02_TOP; t && level > path->leaf; level--) {
		u64 entry = level < npt->levels ? path->entry[level] : ALL;

		child = npt02_table(path->table[level - 1], level - 1, format,
				    true);
		if (!hang(t, l2pa, child, rights(entry, false)))
			return false;
		t = child;
	}
	return t && fill_page(t, path, l2pa);
}

static enum shadow_result serve(const struct npt12 *npt, u64 l2pa, u64 error,
				u64 *info)
{
	struct npt12_path path = {.leaf = 0};

	if (!npt12_walk(&space_l1, npt, l2pa, error, &path)) {
		*info = path.error | (error & (NPF_FINAL | NPF_TABLE));
		shadow.stats.faults++;
		return SHADOW_FAULT;
	}
	if (!space_is_plain(path.l1pa & PT_ADDR, PAGE_SIZE)) {
		*info = path.l1pa;
		shadow.stats.trapped++;
		return SHADOW_TRAPPED;
	}
	while (!fill(npt, &path, l2pa))
		evict();
	shadow.stats.fills++;
	return SHADOW_FILLED;
}

/*
 * The walk is under the lock: what it reads is either older than a flush that
 * waits, and then compared by that, or as new as it must be.
 */
enum shadow_result shadow_fault(const struct npt12 *npt, u64 l2pa, u64 error,
				u64 *info)
{
	enum shadow_result result;

	lock_take(&shadow.lock);
	result = serve(npt, l2pa, error, info);
	lock_give(&shadow.lock);
	return result;
}

/* The flush ****************************************************************/

/* Whether @old, an entry of NPT02, leads where @entry of NPT12 does. */
static bool leads_alike(const struct shadow_table *t, u64 old, u64 entry)
{
	const struct shadow_table *child = npt02_child(old);

	if (!npt_is_page(t->level, entry))
		return child && child->format == t->format &&
		       child->source == (entry & PT_ADDR);
	if (child)
		return child->format == NPT02_SPLIT &&
		       child->source == npt_page(t->level, entry);
	return (old & PT_ADDR) == npt_page(t->level, entry);
}

/* What is to be in the place of @old, since NPT12 has @raw there now. */
static u64 renew(const struct shadow_table *t, u64 old, u64 raw)
{
	u64 entry = npt12_entry(&shadow.format[t->format], t->level, raw);

	if (!(entry & PTE_ACCESSED) || !leads_alike(t, old, entry))
		return 0;
	return (old & (PT_ADDR | PTE_LARGE | NPT02_TABLE)) |
	       rights(entry, npt_is_page(t->level, entry));
}

/*
 * The bits in which an entry of NPT02 that is a page, and writable only if it
 * may be, equals NPT12's: most do, and so need no closer look. One that is a
 * table never does.
 */
static u64 same_bits(const struct shadow_table *t)
{
	u64 bits = PT_ADDR | COPIED | PTE_PRESENT | AD | NPT02_TABLE |
		   shadow.format[t->format].reserved;

	return t->level ? bits | PTE_LARGE : bits;
}

static void revalidate(struct shadow_table *t)
{
	const u64 *page = pool_page(t);
	/* Plain memory, to its page's end. */
	const u64 *raw = phys_map(&space_l1, t->source,
				  PAGE_SIZE - t->source % PAGE_SIZE);
	u64 same = same_bits(t), kept = 0, seen = 0;

	for (unsigned i = 0; (i = npt02_next(t, i)) < PTES_PER_TABLE; i++) {
		u64 now = __atomic_load_n(&raw[i], __ATOMIC_RELAXED);
		u64 entry = page[i];

		if (((now & ~NPT02_TABLE) ^ entry) & same) {
			entry = renew(t, entry, now);
			npt02_set(t, i, entry);
		}
		kept += entry != 0;
		seen++;
	}
	shadow.stats.kept += kept;
	shadow.stats.dropped += seen - kept;
	shadow.stats.revalidated++;
	code_version++;
}

/*
 * A root that is empty and written to may be no table any more: it goes, or a
 * page that L1 uses for something else now would cost every flush. If it is
 * still one, it is made again by the next fault.
 */
static void drop_if_dead(struct shadow_table *t)
{
	if (npt02_next(t, 0) < PTES_PER_TABLE)
		return;
	if (t->level + 1 == shadow.format[t->format].levels &&
	    t->level < NPT02_TOP)
		t = npt02_find(t->source, NPT02_TOP, t->format);
	if (!t || t->level < NPT02_TOP)
		return;
	npt02_drop(t);
	shadow_generation++;
	code_version++;
}

void shadow_flush(void)
{
	struct shadow_table *t, *next;

	lock_take(&shadow.lock);
	shadow.stats.flushes++;
	t = track_is_dirty() ? track_collect() : NULL;
	for (; t; t = next) {
		next = t->collected;
		if (!t->used)
			continue; /* by now */
		revalidate(t);
		drop_if_dead(t);
	}
	lock_give(&shadow.lock);
}

void shadow_read_stats(struct shadow_stats *to)
{
	lock_take(&shadow.lock);
	*to = shadow.stats;
	to->pages = pool_size();
	to->free_pages = pool_free();
	to->split_pages = track_pages();
	lock_give(&shadow.lock);
}
