/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OS model: which pages are mapped, where their frames and their page
 * tables are. One struct space per row, for all processes of the trace.
 *
 * A space is one to three dimensions (walk/dim.h), each a function from input
 * to output addresses with its own radix tables in its output space:
 *
 *   native   d[0]: VA -> HPA
 *   virt     d[0]: VA -> GPA    d[1]: GPA -> HPA
 *   nested   d[0]: VA -> L2PA   d[1]: L2PA -> L1PA   d[2]: L1PA -> HPA
 *
 * and, composed of the lower ones for hardware that walks fewer dimensions:
 *
 *   shadow   VA -> HPA: the hypervisor's shadow of everything above
 *   nested_shadow (nested only)   L2PA -> HPA: L0's merge of L1's and its own
 *
 * The walked functions are pure arithmetic under FRAMES_COMPUTED: frames are a
 * bijection of chunks of 2^contig pages (physically contiguous, as a buddy
 * allocator on an idle machine makes them), table pages another. Under
 * FRAMES_BUDDY the first touch takes frames and table pages from a buddy
 * allocator per dimension, at most 16 bytes per touched page and dimension.
 *
 * Processes' VMAs come from the trace's events; a trace without them gets VMAs
 * guessed from what it touches (space_guess()).
 *
 * Key to address: by spec->keys, which the core fills (walk/key.h). It calls
 *
 *   space_translate()   per access. Before the first touch of a page its size
 *                       is not known under PAGES_THP (4 KiB is said), nor
 *                       its place under FRAMES_BUDDY (0 is said).
 *   space_touch()       when all TLBs missed; then space_translate() again.
 *   space_event()       for each event of the trace
 *
 * and charges what the callback of the latter two tells: SPACE_MAPPED in
 * dimension 0 is a page fault, in others a fault of the nested tables.
 */
#pragma once

#include "lib/err.h"
#include "lib/nbt/nbt.h"
#include "walk/addr.h"
#include "walk/dim.h"
#include "walk/tea.h"
#include "walk/walk.h"

struct space; /* all of a row: walk/space_inline.h */

/* What changed(): see struct design. */
enum space_what {
	SPACE_MAPPED,	/* a leaf entry was written: a page became mapped */
	SPACE_UNMAPPED, /* a leaf entry was cleared */
	SPACE_TABLE,	/* an entry that points to a table was written */
	SPACE_WRITTEN,	/* a leaf entry changed otherwise: mprotect, mremap */
	SPACE_FLUSH,	/* the OS drops @count pages of @in's VMAs from TLBs,
			 * after the changes above: INVLPG or a flush */
	SPACE_TEA,	/* TEAs were allocated or grew: by @count table pages,
			 * @moved others got another place, by @calls calls */
	SPACE_REGISTERS /* the TEA registers' contents changed */
};
struct space_change {
	enum space_what what;
	unsigned dim;
	u64 in; /* address, in the dimension's input space */
	enum page_size size;
	unsigned level; /* of the entry: 1 = leaf of 4 KiB pages ... */
	u64 count;	/* of pages: SPACE_FLUSH, SPACE_TEA */
	u64 moved, calls;
};

/* Who is told of changes; functions that take one take NULL, too. */
struct space_tell {
	void (*changed)(void *ctx, const struct space_change *c);
	void *ctx;
};

/* The space ****************************************************************/

/* Pages of the dimensions below the first are 4 KiB under PAGES_4K, 2 MiB
 * otherwise; the second function has them given. Both return NULL if memory is
 * not there. */
struct space *space_new(const struct walk_spec *spec, struct err *err);
struct space *space_new_host(const struct walk_spec *spec, enum page_size host,
			     struct err *err);
void space_free(struct space *s);

/* d[@i], or NULL beyond the environment's dimensions. */
const struct dim *space_dim(const struct space *s, unsigned i);
unsigned space_dims(const struct space *s);
const struct dim *space_shadow(const struct space *s);	      /* NULL: native */
const struct dim *space_nested_shadow(const struct space *s); /* or NULL */

/*
 * Inline in walk/space_inline.h, for the core:
 *
 * struct mapping space_translate(const struct space *s, va_t va);
 *	Where the page of @va lies in host memory, all dimensions taken
 *	together, and the size at which a TLB can hold it (the smallest of the
 *	dimensions'). Called for every access.
 *
 * int space_touch(struct space *s, va_t va, const struct space_tell *tell);
 *	Called for an access that missed all TLBs, before the walk: the first
 *	touch of a page maps it in every dimension, which @tell is told.
 *	Returns < 0 if frames ran out.
 */

/* The trace's events; @tell is called for each change that follows. */
int space_event(struct space *s, const struct nbt_event *e,
		const struct space_tell *tell, struct err *err);

/* For a trace without VMAs: makes them of the pages that it touches, merging
 * neighbours whose bubbles are at most 2 % (one pass over the trace). */
int space_guess(struct space *s, const struct nbt_reader *r, struct err *err);

/* Hypervisors keep @n shadows of dimension @d's tables, each of as many tables:
 * they are counted with the memory of tables from now on. */
void space_keep_shadows(struct space *s, unsigned d, unsigned n);

/* Frames, table pages and TEA pages in use, in bytes, per dimension, and of
 * shadows; and the most that all tables together took since space_new(). */
void space_memory(const struct space *s, struct walk_memory *out);

/* TEAs *********************************************************************/

/* Where the TEAs of dimensions above the last are. */
enum tea_home {
	TEA_OWN, /* in the dimension's output space: DMT */
	TEA_HOST /* in host memory, through the gTEA table: pvDMT */
};

/*
 * From now on there are TEAs, and @registers of each set are used (0: there are
 * none). For design->start(): the first core's call makes those of the VMAs
 * that there are, which @tell is told. walk/tea.h has what they are.
 */
int space_use_teas(struct space *s, enum tea_home home, size_t registers,
		   const struct space_tell *tell, struct err *err);

/* Register set of dimension @d while @process runs; *@n of them. Those of
 * dimension 0 are by virtual address: space_address(). */
const struct tea *space_teas(const struct space *s, unsigned d, u16 process,
			     size_t *n);

/* What the fetcher does for pvDMT: the host address of the entry at byte
 * @offset of the TEA in @reg; 0, a fault, if it has no such byte. */
u64 space_gtea(const struct space *s, unsigned d, u16 process,
	       const struct tea *reg, u64 offset);

/* The virtual address that @va stands for, and whose it is. */
u64 space_address(const struct space *s, va_t va, u16 *process);
