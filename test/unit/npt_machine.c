/* SPDX-License-Identifier: Apache-2.0 */
#include "test/unit/npt_machine.h"

#include <sys/mman.h>

#include "hv/mem.h"
#include "hv/mmio.h"
#include "hv/panic.h"
#include "hv/code.h"
#include "hv/shoot.h"
#include "hv/space.h"
#include "lib/cpu.h"

volatile u64 code_version;

struct machine machine;

static struct mmio_range ranges[2];
static size_t n_ranges;

void mmio_add(const struct mmio_range *range)
{
	assert_true(n_ranges < ARRAY_SIZE(ranges));
	ranges[n_ranges++] = *range;
}

bool mmio_is_trapped(u64 start, u64 end)
{
	for (size_t i = 0; i < n_ranges; i++)
		if (start < ranges[i].end && end > ranges[i].start)
			return true;
	return false;
}

u64 mmio_read_ones(struct vcpu *v, const struct mmio_range *r, u64 offset,
		   unsigned bytes)
{
	(void)v;
	(void)r;
	(void)offset;
	(void)bytes;
	fail_msg("nobody reads");
	return 0;
}

void mmio_write_nothing(struct vcpu *v, const struct mmio_range *r, u64 offset,
			unsigned bytes, u64 value)
{
	(void)v;
	(void)r;
	(void)offset;
	(void)bytes;
	(void)value;
	fail_msg("nobody writes");
}

struct cpuid cpuid(u32 leaf, u32 subleaf)
{
	return (struct cpuid){SPACE_BITS, subleaf, leaf, 0};
}

void panic(const char *fmt, ...)
{
	fail_msg("panic: %s", fmt);
	abort();
}

void *mem_pages_raw(size_t n, u64 align)
{
	return mem_pages(n, align);
}

void *mem_pages(size_t n, u64 align)
{
	u64 at = (machine.next + align - 1) & ~(align - 1);

	machine.next = at + n * PAGE_SIZE;
	assert_true(machine.next <= BLOCK_END);
	return memset((void *)at, 0, n * PAGE_SIZE);
}

void shoot(void)
{
	machine.shoots++;
	memset(machine.dirty, 0, sizeof(machine.dirty));
}

static void map_memory(void)
{
	void *at = (void *)RAM_START;
	size_t size = BLOCK_END - RAM_START;

	munmap(at, size);
	assert_ptr_equal(mmap(at, size, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			      -1, 0),
			 at);
}

/* Beyond RAM there is nothing to read. */
static const void *map_l1(void *ctx, u64 at, u64 len)
{
	(void)ctx;
	if (at < RAM_START || at + len > BLOCK_END)
		return NULL;
	return phys_map(&machine.space, at, len);
}

void machine_new(size_t pages)
{
	map_memory();
	if (machine.space.map)
		space_l1 = machine.space;
	n_ranges = 0;
	machine.next = BLOCK;
	machine.shoots = 0;
	memset(machine.dirty, true, sizeof(machine.dirty));
	space_build(BLOCK, BLOCK_END);
	machine.space = space_l1;
	space_l1 = (struct phys){.map = map_l1};
	mmio_add(&(struct mmio_range){.start = TRAPPED,
				      .end = TRAPPED + PAGE_SIZE});
	space_trap_writes(TRAPPED, PAGE_SIZE);
	shadow_init(pages);
}

void l1_write(u64 pa, u64 value)
{
	u64 page = (pa - RAM_START) / PAGE_SIZE;
	unsigned level;

	assert_true(page < RAM_PAGES);
	if (!machine.dirty[page]) {
		u64 *entry = space_entry(pa, &level);

		assert_int_equal(*entry & PTE_TABLE, PTE_TABLE);
		*entry |= PTE_DIRTY;
		machine.dirty[page] = true;
	}
	*l1_at(pa) = value;
}

/* APM vol. 2, 15.25: the nested walk is one of user mode. */
static bool allows(u64 entry, u64 access)
{
	return entry & PTE_USER &&
	       (!(access & NPF_WRITE) || entry & PTE_WRITE) &&
	       (!(access & NPF_FETCH) || !(entry & PT_NX));
}

/* The entry that maps @l2pa for such an access, or NULL. */
static const u64 *find(u64 root, u64 l2pa, u64 access, int *level)
{
	for (*level = PT_LEVELS - 1;; (*level)--) {
		unsigned shift = 12 + 9 * (unsigned)*level;
		const u64 *entry = l1_at(root) + (l2pa >> shift) % 512;

		if (!(*entry & PTE_PRESENT) || !allows(*entry, access))
			return NULL;
		/* Or the CPU would write to NPT02. */
		assert_true(*entry & PTE_ACCESSED);
		if (!*level || *entry & PTE_LARGE) {
			assert_true(*entry & PTE_DIRTY);
			return entry;
		}
		root = *entry & PT_ADDR;
		assert_true(root >= BLOCK && root < BLOCK_END);
	}
}

bool cpu_walk(u64 root, u64 l2pa, u64 access, u64 *pa)
{
	int level;
	const u64 *entry = find(root, l2pa, access, &level);
	u64 inside;

	if (!entry)
		return false;
	inside = (1ull << (12 + 9 * level)) - 1;
	*pa = (*entry & PT_ADDR & ~inside) | (l2pa & inside);
	assert_true(*pa < BLOCK || *pa >= BLOCK_END);
	assert_int_not_equal(*pa & PT_ADDR, TRAPPED);
	assert_true(*pa < 1ull << SPACE_BITS);
	return true;
}

int cpu_level(u64 root, u64 l2pa)
{
	int level;

	return find(root, l2pa, 0, &level) ? level : -1;
}
