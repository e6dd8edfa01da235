/* SPDX-License-Identifier: Apache-2.0 */
#include "test/unit/record_machine.h"

#include <sys/mman.h>

#include "hv/code.h"
#include "hv/insn.h"
#include "hv/mem.h"
#include "hv/space.h"
#include "hv/svm/gif.h"

struct machine machine;

/* What L0 has of L1's memory *********************************************/

static const void *map_l1(void *ctx, u64 pa, u64 len)
{
	u64 page = (pa - RAM) / PAGE_SIZE;

	(void)ctx;
	if (pa < RAM || page >= PAGES || len > page_pa(PAGES) - pa ||
	    machine.traps[page])
		return NULL;
	return (const void *)pa;
}

struct phys space_l1 = {.map = map_l1};

const struct phys *insn_memory(const struct vcpu *v)
{
	assert_int_equal(v->level, 1);
	return &space_l1;
}

u64 *space_entry(u64 pa, unsigned *level)
{
	assert_true(pa >= RAM && pa < page_pa(PAGES));
	*level = 0;
	return &machine.npt01[(pa - RAM) / PAGE_SIZE];
}

void *mem_pages(size_t n, u64 align)
{
	void *pages = aligned_alloc(align, n * PAGE_SIZE);

	assert_non_null(pages);
	return memset(pages, 0, n * PAGE_SIZE);
}

/* Instructions *************************************************************/

static u64 *block_star(u64 pa)
{
	assert_non_null(map_l1(NULL, pa, PAGE_SIZE));
	assert_int_equal(pa % PAGE_SIZE, 0);
	return (u64 *)(pa + BLOCK_STAR);
}

void vmload(u64 pa)
{
	machine.star = *block_star(pa);
}

void vmsave(u64 pa)
{
	*block_star(pa) = machine.star;
}

bool svm_gif(const struct vcpu *v)
{
	(void)v;
	return machine.gif;
}

/* L1 ***********************************************************************/

static void make_ram(void)
{
	static bool made;
	void *at = (void *)RAM;
	size_t size = (size_t)PAGES * PAGE_SIZE;

	if (!made)
		assert_ptr_equal(
			mmap(at, size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			     -1, 0),
			at);
	made = true;
	memset(at, 0, size);
}

static void make_tables(void)
{
	*word(PAGE_PML4, SLOT_PML4) = page_pa(PAGE_PDPT) | ENTRY_FULL;
	*word(PAGE_PDPT, SLOT_PDPT) = page_pa(PAGE_PD) | ENTRY_FULL;
	*word(PAGE_PDPT, SLOT_1G) = RAM | PTE_LARGE | ENTRY_FULL;
	*word(PAGE_PD, 0) = page_pa(PAGE_PT) | ENTRY_FULL;
	*word(PAGE_PD, SLOT_2M) = RAM | PTE_LARGE | ENTRY_FULL;
	for (unsigned i = 0; i < PAGES; i++) {
		*entry_of(i) = page_pa(i) | ENTRY_FULL;
		*word(PAGE_PT, ALIASES + i) = page_pa(i) | ENTRY_FULL;
		machine.npt01[i] = page_pa(i) | ENTRY_FULL;
	}
}

void machine_new(void)
{
	struct vmcb_save *s = &machine.vmcb01.save;
	struct ahead *kept = machine.v.ahead;

	make_ram();
	machine = (struct machine){0};
	make_tables();
	machine.v.backend = &machine.vmcb01;
	machine.v.level = 1;
	machine.v.gif = GIF_OFF;
	machine.v.ahead = kept;
	if (kept)
		memset(kept, 0, AHEADS * sizeof(*kept));
	else
		ahead_start(&machine.v);
	s->cs.attributes = VMCB_SEGMENT_LONG;
	s->efer = EFER_SVME | EFER_LMA | EFER_LME | EFER_NXE;
	s->cr0 = CR0_PE | CR0_PG | CR0_WP;
	s->cr3 = page_pa(PAGE_PML4);
	s->cr4 = CR4_PAE;
	s->rip = page_va(PAGE_CODE);
	s->rflags = RFLAGS_FIXED;
}
