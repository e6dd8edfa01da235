/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/nested: L1 does at random what a hypervisor may do with nested page
 * tables, and more, while L2 accesses its memory. Each translation by NPT02 is
 * compared with a walk of NPT12 by the book: it has to be one that NPT12 gave
 * at some time since the last flush.
 */
#include "test/unit/npt_machine.h"

#include "hv/nested/npt02.h"
#include "hv/space.h"
#include "test/unit/dice.h"

#define STEPS 120000u
#define SEED  DICE_START

#define TABLES	16   /* L1's pages of tables; the first two are roots */
#define INDICES 2ull /* of each table, so many are used */
#define PLACES	16   /* of L2: INDICES to the power of 4 */
#define ROOTS	3    /* two of long mode, one of PAE */
#define KINDS	3    /* of access */
#define OLD	64   /* values of an entry since a flush, at most */
#define PATHS	512  /* of a walk by these */

#define ROOT3 (RAM_START + SIZE_2M + 0xc0) /* in table 1 */

#define FULL (PTE_PRESENT | PTE_WRITE | PTE_USER)
#define AD   (PTE_ACCESSED | PTE_DIRTY)

static const u64 kinds[KINDS] = {0, NPF_WRITE, NPF_FETCH};

/* What an entry has been since the last flush; the last one is what it is. */
struct history {
	u64 value[OLD];
	unsigned n;
};

static struct {
	u64 seed;
	struct npt12 npt[ROOTS];
	struct {
		u64 generation, npt02;
	} root[ROOTS];				     /* as a CPU keeps them */
	struct history history[TABLES + 1][INDICES]; /* ROOT3's last */
	bool written; /* by L1, since the last flush */
	unsigned trapped, faults, hits, stale;
} t;

static u64 draw(u64 n)
{
	return dice_below(&t.seed, n);
}

/* Most are where NPT01 has to be split for each, and a large page may be. */
static u64 table(u64 i)
{
	return RAM_START + i % 12 * SIZE_2M + i / 12 * PAGE_SIZE;
}

static u64 place(u64 i)
{
	return (i & 1) << 12 | (i >> 1 & 1) << 21 | (i >> 2 & 1) << 30 |
	       (i >> 3 & 1) << 39 | 0x678;
}

static struct history *history(u64 at)
{
	if ((at & PT_ADDR) == (ROOT3 & PT_ADDR) && at >= ROOT3)
		return &t.history[TABLES][(at - ROOT3) / 8 % INDICES];
	for (unsigned i = 0; i < TABLES; i++)
		if (table(i) == (at & PT_ADDR) && at % PAGE_SIZE < 8 * INDICES)
			return &t.history[i][at % PAGE_SIZE / 8];
	return NULL;
}

/* By the book **************************************************************/

enum judgement { ABSENT, BAD, TABLE, PAGE };

/* What @e is where its index is at @shift; *@rights loses what it forbids. */
static enum judgement judge(const struct npt12 *npt, unsigned shift, u64 e,
			    u64 *rights)
{
	bool pdpte = npt->levels == 3 && shift == 30;
	bool large = !pdpte && e & 0x80 && shift > 12;
	u64 bad = 0x000ffff000000000; /* above 36 bits */

	if (!(e & 1))
		return ABSENT;
	if (npt->levels == 3)
		bad |= 0x7ff0000000000000;
	if (!npt->nx || pdpte)
		bad |= 1ull << 63;
	if (pdpte)
		bad |= 0x1e6;
	if (shift == 39)
		bad |= 0x80;
	else if (large)
		bad |= (1ull << shift) - 0x2000;
	if (e & bad)
		return BAD;
	if (!pdpte)
		*rights &= e ^ 1ull << 63;
	return shift == 12 || large ? PAGE : TABLE;
}

static u64 page_at(unsigned shift, u64 e, u64 l2pa)
{
	u64 inside = (1ull << shift) - 1;

	return (e & 0x000ffffffffff000 & ~inside) | (l2pa & inside);
}

static u64 needs(u64 access)
{
	return 4 | (access & NPF_WRITE ? 2 : 0) |
	       (access & NPF_FETCH ? 1ull << 63 : 0);
}

/* A walk and the addresses of the entries that it has used. */
struct walk {
	u64 at[4]; /* by level; 0: not used */
	u64 pa, error;
};

static bool book(const struct npt12 *npt, u64 l2pa, u64 access, struct walk *w)
{
	u64 here = npt->root, rights = ~0ull, e;

	*w = (struct walk){.error = NPF_USER | access};
	if (npt->levels == 3 && l2pa >> 32)
		return false;
	for (unsigned shift = npt->levels * 9 + 3u;; shift -= 9) {
		u64 at = here + (l2pa >> shift) % 512 * 8;
		bool ram = at >= RAM_START && at < BLOCK;

		e = ram ? *l1_at(at) : ~0ull;
		w->at[(shift - 12) / 9] = at;
		switch (judge(npt, shift, e, &rights)) {
		case ABSENT:
			return false;
		case BAD:
			w->error |= NPF_PRESENT | NPF_RESERVED;
			return false;
		case PAGE:
			w->pa = page_at(shift, e, l2pa);
			w->error |= NPF_PRESENT;
			return !(needs(access) & ~rights);
		case TABLE:
			here = e & 0x000ffffffffff000;
		}
	}
}

/* A table that a walk may have come to, with what is still allowed there. */
struct path {
	u64 table, rights;
};

/* The same with each entry as it has been at any time since the last flush:
 * whether @pa can be the outcome. */
static bool may_be(const struct npt12 *npt, u64 l2pa, u64 access, u64 pa)
{
	static struct path paths[2][PATHS];
	struct path *from = paths[0], *to = paths[1];
	unsigned n = 1, next;

	*from = (struct path){npt->root, ~0ull};
	for (unsigned shift = npt->levels * 9 + 3u; n; shift -= 9, n = next) {
		next = 0;
		for (unsigned i = 0; i < n; i++) {
			const struct history *h = history(
				from[i].table + (l2pa >> shift) % 512 * 8);

			for (unsigned j = 0; h && j < h->n; j++) {
				struct path p = from[i];
				enum judgement is = judge(
					npt, shift, h->value[j], &p.rights);

				p.table = h->value[j] & 0x000ffffffffff000;
				if (is == PAGE &&
				    !(needs(access) & ~p.rights) &&
				    page_at(shift, h->value[j], l2pa) == pa)
					return true;
				assert_true(next < PATHS);
				if (is == TABLE)
					to[next++] = p;
			}
		}
		from = to;
		to = paths[from == paths[0]];
	}
	return false;
}

static bool is_plain(u64 pa)
{
	return (pa < BLOCK || pa >= BLOCK_END) && (pa & ~0xfffull) != TRAPPED &&
	       pa < 1ull << SPACE_BITS;
}

/* L1 ***********************************************************************/

static u64 random_rights(void)
{
	u64 bits = FULL | AD;

	if (draw(4) == 0)
		bits &= ~(1ull << draw(8));
	if (draw(16) == 0)
		bits |= PT_NX;
	if (draw(8) == 0)
		bits |= draw(2) ? PTE_PWT : 0x200;
	return bits;
}

static u64 random_entry(void)
{
	static const u64 special[] = {BLOCK, TRAPPED, BLOCK_END - PAGE_SIZE,
				      1ull << (SPACE_BITS - 1)};

	switch (draw(20)) {
	case 0:
		return draw(2) ? 0 : 0x5550;
	case 1:
		return special[draw(ARRAY_SIZE(special))] | random_rights();
	case 2: /* 1 GiB, or a bad one of 2 MiB */
		return (RAM_START << draw(2)) | PTE_LARGE | random_rights();
	case 3: /* 2 MiB: of RAM, the block, or with the trapped page in it */
		return (RAM_START + draw(40) * SIZE_2M) | PTE_LARGE |
		       random_rights();
	case 4:
		return 1ull << (30 + draw(22)) | random_rights();
	case 5:
	case 6:
	case 7:
		return (RAM_START + 0x1800000 + draw(4) * PAGE_SIZE) |
		       random_rights();
	default:
		return table(draw(TABLES)) | random_rights();
	}
}

static u64 random_slot(void)
{
	if (draw(16) == 0)
		return ROOT3 + 8 * draw(INDICES);
	return table(draw(TABLES)) + 8 * draw(INDICES);
}

static void l1_sets(u64 at, u64 value)
{
	struct history *h = history(at);

	l1_write(at, value);
	assert_true(h && h->n < OLD);
	h->value[h->n++] = value;
	t.written = true;
}

static void l1_changes_something(void)
{
	u64 at = random_slot();

	switch (draw(8)) {
	case 0: /* ages it */
		l1_sets(at, *l1_at(at) & ~(u64)AD);
		break;
	case 1: /* forbids or allows */
		l1_sets(at, *l1_at(at) ^ (draw(2) ? PTE_WRITE : PT_NX));
		break;
	case 2: /* moves a table */
		l1_sets(at, *l1_at(random_slot()));
		break;
	case 3: /* a PDPTE */
		l1_sets(ROOT3 + 8 * draw(INDICES),
			table(draw(TABLES)) | PTE_PRESENT);
		break;
	default:
		l1_sets(at, random_entry());
	}
}

static void l1_flushes(void)
{
	shadow_flush();
	t.written = false;
	for (unsigned i = 0; i <= TABLES; i++)
		for (unsigned j = 0; j < INDICES; j++) {
			u64 base = i < TABLES ? table(i) : ROOT3;

			t.history[i][j].value[0] = l1_at(base)[j];
			t.history[i][j].n = 1;
		}
}

/* L2 ***********************************************************************/

static u64 npt02(unsigned r)
{
	/* To make the table of one may take all others. */
	while (t.root[r].generation != shadow_generation || !t.root[r].npt02) {
		t.root[r].generation = shadow_generation;
		t.root[r].npt02 = shadow_root(&t.npt[r]);
	}
	return t.root[r].npt02;
}

/* The CPU has used NPT12's entries for this: it has left its marks. */
static void check_marks(const struct npt12 *npt, const struct walk *w, u64 kind)
{
	u64 leaf = 0;

	for (unsigned level = 0; level < npt->levels; level++) {
		if (!w->at[level])
			continue;
		if (!leaf)
			leaf = *l1_at(w->at[level]);
		if (npt->levels == 4 || level < 2)
			assert_true(*l1_at(w->at[level]) & PTE_ACCESSED);
	}
	if (kind & NPF_WRITE)
		assert_true(leaf & PTE_DIRTY);
}

static void l2_hits(unsigned r, u64 p, u64 kind, u64 pa)
{
	struct walk w;
	bool now = book(&t.npt[r], place(p), kind, &w) && w.pa == pa;

	assert_true(is_plain(pa));
	t.hits++;
	if (!now)
		t.stale++;
	if (t.written) {
		assert_true(may_be(&t.npt[r], place(p), kind, pa));
		return;
	}
	assert_true(now);
	check_marks(&t.npt[r], &w, kind);
}

static void l2_faults(unsigned r, u64 p, u64 kind)
{
	u64 cpu = kind | (draw(2) ? NPF_FINAL : NPF_TABLE), info;
	struct walk w;
	bool mapped = book(&t.npt[r], place(p), kind, &w);

	switch (shadow_fault(&t.npt[r], place(p), cpu | draw(2), &info)) {
	case SHADOW_FILLED:
		assert_true(mapped && is_plain(w.pa));
		check_marks(&t.npt[r], &w, kind);
		assert_true(cpu_walk(npt02(r), place(p), kind, &info));
		assert_int_equal(info, w.pa);
		break;
	case SHADOW_FAULT:
		assert_false(mapped);
		if (!t.npt[r].nx)
			w.error &= ~(u64)NPF_FETCH;
		assert_int_equal(info,
				 w.error | (cpu & (NPF_FINAL | NPF_TABLE)));
		t.faults++;
		break;
	case SHADOW_TRAPPED:
		assert_true(mapped && !is_plain(w.pa));
		assert_int_equal(info, w.pa);
		t.trapped++;
	}
}

static void l2_accesses(unsigned r, u64 p, u64 kind)
{
	u64 pa;

	if (cpu_walk(npt02(r), place(p), kind, &pa))
		l2_hits(r, p, kind, pa);
	else
		l2_faults(r, p, kind);
}

static void l2_accesses_all(void)
{
	for (unsigned i = 0; i < ROOTS * PLACES * KINDS; i++)
		l2_accesses(i / (PLACES * KINDS), i / KINDS % PLACES,
			    kinds[i % KINDS]);
}

/* NPT02 ********************************************************************/

/* Counts and bitmaps say what the tables hold, which is nothing of L0's. */
static void check_table(const struct shadow_table *table, unsigned *refs)
{
	const u64 *page = pool_page(table);

	for (unsigned i = 0; i < PTES_PER_TABLE; i++) {
		struct shadow_table *child = npt02_child(page[i]);
		u64 size = pt_span(table->level);

		assert_int_equal(!!page[i],
				 table->filled[i / 64] >> i % 64 & 1);
		if (child) {
			assert_true(child->used);
			assert_int_equal(child->level, table->level - 1);
			refs[((u64)pool_page(child) -
			      (u64)pool_page(pool_at(0))) /
			     PAGE_SIZE]++;
		} else if (page[i]) {
			assert_true(space_is_plain(page[i] & PT_ADDR, size));
		}
	}
	assert_ptr_equal(
		table, npt02_find(table->source, table->level, table->format));
}

static void check_tables(void)
{
	static unsigned refs[1024];
	struct shadow_stats s;
	size_t used = 0;

	memset(refs, 0, sizeof(refs));
	for (size_t i = 0; i < pool_size(); i++)
		if (pool_at(i)->used)
			check_table(pool_at(i), refs);
	for (size_t i = 0; i < pool_size(); i++) {
		const struct shadow_table *table = pool_at(i);

		if (!table->used)
			continue;
		used++;
		assert_int_equal(refs[i], table->refs);
		assert_true(table->refs || table->level == NPT02_TOP);
	}
	shadow_read_stats(&s);
	assert_int_equal(used + s.split_pages + s.free_pages, s.pages);
}

/* A page that TLBs may know as one table is no other one, until a shoot(). */
static void check_reuse(void)
{
	static struct {
		u64 source;
		u8 level, format;
		unsigned shoots;
	} was[1024];

	for (size_t i = 0; i < pool_size(); i++) {
		const struct shadow_table *now = pool_at(i);

		if (!now->used)
			continue;
		if (now->source != was[i].source ||
		    now->level != was[i].level || now->format != was[i].format)
			assert_true(!was[i].source ||
				    machine.shoots != was[i].shoots);
		was[i].source = now->source;
		was[i].level = now->level;
		was[i].format = now->format;
		was[i].shoots = machine.shoots;
	}
}

/* With nothing new in NPT12, flushes cost no fill, and from the second on no
 * comparison either. */
static void check_steady_state(void)
{
	struct shadow_stats before, after;

	l2_accesses_all();
	l1_flushes();
	l2_accesses_all(); /* what was not marked as accessed */
	l1_flushes();
	shadow_read_stats(&before);
	for (unsigned i = 0; i < 3; i++) {
		l2_accesses_all();
		l1_flushes();
	}
	shadow_read_stats(&after);
	assert_int_equal(after.fills, before.fills);
	assert_int_equal(after.revalidated, before.revalidated);
}

static void start(size_t pages)
{
	bool ok;

	memset(&t, 0, sizeof(t));
	t.seed = SEED;
	machine_new(pages);
	ok = npt12_init(&t.npt[0], table(0), CR4_PAE, EFER_LMA | EFER_NXE,
			SPACE_BITS) &&
	     npt12_init(&t.npt[1], table(1), CR4_PAE, EFER_LMA, SPACE_BITS) &&
	     npt12_init(&t.npt[2], ROOT3, CR4_PAE, EFER_NXE, SPACE_BITS);
	assert_true(ok);
	l1_flushes();
}

static void step(unsigned i)
{
	u64 what = draw(100);

	if (what < 20)
		l1_changes_something();
	else if (what < 28)
		l1_flushes();
	else
		l2_accesses((unsigned)draw(ROOTS), draw(PLACES),
			    kinds[draw(KINDS)]);
	check_reuse();
	if (i % 64 == 0)
		check_tables();
}

/* L1 gives all its tables up. */
static void finish(void)
{
	struct shadow_stats s;
	unsigned level;

	for (unsigned i = 0; i < TABLES; i++)
		for (u64 at = 0; at < PAGE_SIZE; at += 8)
			l1_write(table(i) + at, 0);
	l1_flushes();
	shadow_read_stats(&s);
	/* Roots that have been empty all the time are left, at most. */
	assert_true(s.free_pages + s.split_pages + ROOTS + 1 >= s.pages);
	shadow_drop();
	shadow_read_stats(&s);
	assert_int_equal(s.free_pages, s.pages);
	for (unsigned i = 0; i < TABLES; i++) {
		assert_int_equal(*space_entry(table(i), &level) & AD, AD);
		assert_int_equal(level, 1);
	}
}

static void nothing_is_older_than_the_last_flush(void **state)
{
	struct shadow_stats s;

	(void)state;
	start(512);
	for (unsigned i = 0; i < STEPS; i++) {
		step(i);
		if (i % 1000 == 999)
			check_steady_state();
	}
	shadow_read_stats(&s);
	assert_int_equal(s.evictions, 0);
	/* It has really happened. */
	assert_true(s.kept > 1000 && s.dropped > 1000 && s.fills > 1000);
	assert_true(t.trapped > 100 && t.faults > 1000);
	assert_true(t.hits > 10000 && t.stale > 100);
	finish();
}

static void with_hardly_any_memory(void **state)
{
	struct shadow_stats s;

	(void)state;
	start(SHADOW_MIN_PAGES);
	for (unsigned i = 0; i < STEPS; i++)
		step(i);
	shadow_read_stats(&s);
	assert_true(s.evictions > 30);
	assert_true(t.hits > 5000);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_older_than_the_last_flush),
		cmocka_unit_test(with_hardly_any_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
