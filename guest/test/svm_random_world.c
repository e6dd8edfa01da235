/* SPDX-License-Identifier: Apache-2.0 */
/* What L2 of a random VMCB finds: code, data, page tables, nested tables. */
#include "guest/test/svm_random.h"

#include "guest/lib/idt.h"
#include "guest/lib/nestbox.h"
#include "lib/cpu.h"
#include "lib/hash.h"
#include "lib/string.h"

#define PAGE_ALIGNED __attribute__((aligned(PAGE_SIZE)))
#define ENTRIES_32   1024u
#define PAE_PDPTES   4u
#define NPTE_ADDRESS 0x000ffffffffff000ull
#define AD	     ((u64)(PTE_ACCESSED | PTE_DIRTY))
#define LAPIC	     0xfee00000ull
#define RAM_LIMIT    (1ull << 40) /* no machine here has that much */
#define NOWHERE	     (1ull << 50)
#define RAM_START    (1ull << 20) /* what surely is RAM */
#define RAM_END	     (64ull << 20)
#define NPT_LEVELS   4u

/* Page tables of L2 in all formats; each entry of a level is the same but in
 * the last. */
struct guest_tables {
	u64 pml4[PTES_PER_TABLE];
	u64 pdpt[PTES_PER_TABLE];
	u64 pd[PTES_PER_TABLE];
	u64 pt[PTES_PER_TABLE];
	u64 pdpt_pae[PTES_PER_TABLE];
	u32 pd_32[ENTRIES_32];
	u32 pt_32[ENTRIES_32];
};

static struct guest_tables outside PAGE_ALIGNED;
static u64 npt[NPT_LEVELS][PTES_PER_TABLE] PAGE_ALIGNED;     /* whole */
static u64 damaged[NPT_LEVELS][PTES_PER_TABLE] PAGE_ALIGNED; /* another */
static u64 block, block_end;

static u64 world_page(u64 n)
{
	return WORLD + n * PAGE_SIZE;
}

static struct guest_tables *inside(void)
{
	return (struct guest_tables *)world_page(WORLD_CODE);
}

u64 world_idt(void)
{
	return (u64)(inside() + 1);
}

/* Code *********************************************************************/

/*
 * Its length and bytes. What is not intercepted happens, so: port 0x80 only,
 * no WRMSR but for harmless MSRs, nothing that jumps far.
 */
static const u8 insns[][8] = {
	{3, 0x0f, 0x01, 0xd9},	     /* VMMCALL, more often than others */
	{3, 0x0f, 0x01, 0xd9},	     /* */
	{3, 0x0f, 0x01, 0xd9},	     /* */
	{2, 0x0f, 0xa2},	     /* CPUID */
	{1, 0xf4},		     /* HLT */
	{2, 0x0f, 0x0b},	     /* UD2 */
	{2, 0xf3, 0x90},	     /* PAUSE */
	{2, 0x0f, 0x31},	     /* RDTSC */
	{3, 0x0f, 0x01, 0xf9},	     /* RDTSCP */
	{2, 0x0f, 0x32},	     /* RDMSR */
	{2, 0xe4, 0x80},	     /* IN */
	{2, 0xe6, 0x80},	     /* OUT */
	{2, 0xf3, 0x6c},	     /* REP INSB */
	{2, 0xf3, 0x6e},	     /* REP OUTSB */
	{3, 0x0f, 0x20, 0xc0},	     /* MOV RAX, CR0 */
	{3, 0x0f, 0x22, 0xc0},	     /* MOV CR0, RAX */
	{3, 0x0f, 0x20, 0xd8},	     /* CR3 */
	{3, 0x0f, 0x22, 0xd8},	     /* */
	{3, 0x0f, 0x20, 0xe0},	     /* CR4 */
	{3, 0x0f, 0x22, 0xe0},	     /* */
	{4, 0x44, 0x0f, 0x20, 0xc0}, /* CR8 */
	{4, 0x44, 0x0f, 0x22, 0xc0}, /* */
	{3, 0x0f, 0x21, 0xf8},	     /* MOV RAX, DR7 */
	{3, 0x0f, 0x23, 0xf8},	     /* MOV DR7, RAX */
	{1, 0xcc},		     /* INT3 */
	{2, 0xcd, 0x21},	     /* INT 0x21 */
	{1, 0xce},		     /* INTO */
	{1, 0xf1},		     /* INT1 */
	{1, 0x9c},		     /* PUSHF */
	{1, 0x9d},		     /* POPF */
	{2, 0x48, 0xcf},	     /* IRET */
	{3, 0x0f, 0x01, 0x10},	     /* LGDT [RAX] */
	{3, 0x0f, 0x01, 0x18},	     /* LIDT [RAX] */
	{3, 0x0f, 0x01, 0x00},	     /* SGDT [RAX] */
	{3, 0x0f, 0x00, 0xd0},	     /* LLDT AX */
	{3, 0x0f, 0x00, 0xd8},	     /* LTR AX */
	{3, 0x0f, 0x00, 0xc8},	     /* STR EAX */
	{3, 0x0f, 0x01, 0xe0},	     /* SMSW EAX */
	{3, 0x0f, 0x01, 0xf0},	     /* LMSW AX */
	{2, 0x0f, 0x06},	     /* CLTS */
	{3, 0x0f, 0x01, 0x38},	     /* INVLPG [RAX] */
	{3, 0x0f, 0x01, 0xdf},	     /* INVLPGA */
	{3, 0x0f, 0x01, 0xd8},	     /* VMRUN */
	{3, 0x0f, 0x01, 0xda},	     /* VMLOAD */
	{3, 0x0f, 0x01, 0xdb},	     /* VMSAVE */
	{3, 0x0f, 0x01, 0xdc},	     /* STGI */
	{3, 0x0f, 0x01, 0xdd},	     /* CLGI */
	{3, 0x0f, 0x01, 0xde},	     /* SKINIT */
	{2, 0x0f, 0x08},	     /* INVD */
	{2, 0x0f, 0x09},	     /* WBINVD */
	{3, 0x0f, 0x01, 0xc8},	     /* MONITOR */
	{3, 0x0f, 0x01, 0xc9},	     /* MWAIT */
	{3, 0x0f, 0x01, 0xd1},	     /* XSETBV */
	{2, 0x0f, 0x33},	     /* RDPMC */
	{2, 0x0f, 0xaa},	     /* RSM */
	{1, 0xfb},		     /* STI */
	{1, 0xfa},		     /* CLI */
	{2, 0x88, 0x00},	     /* MOV [RAX], AL */
	{2, 0x8a, 0x03},	     /* MOV AL, [RBX] */
	{3, 0x48, 0xff, 0x06},	     /* INC [RSI] */
	{1, 0x50},		     /* PUSH RAX */
	{1, 0x58},		     /* POP RAX */
	{1, 0xc3},		     /* RET */
	{2, 0x0f, 0x05},	     /* SYSCALL */
	{2, 0x0f, 0x34},	     /* SYSENTER */
	{3, 0x0f, 0x01, 0xf8},	     /* SWAPGS */
	{7, 0xb9, 0x80, 0x00, 0x00, 0xc0, 0x0f, 0x30}, /* WRMSR EFER */
	{7, 0xb9, 0x82, 0x00, 0x00, 0xc0, 0x0f, 0x30}, /* WRMSR LSTAR */
	{7, 0xb9, 0x77, 0x02, 0x00, 0x00, 0x0f, 0x30}, /* WRMSR PAT */
};

/* Page 0 is VMMCALLs from end to end. */
static void fill_code(void)
{
	u8 *at = (u8 *)WORLD, *end = (u8 *)world_page(WORLD_CODE);

	while (at < (u8 *)world_page(1) - insns[0][0]) {
		memcpy(at, insns[0] + 1, insns[0][0]);
		at += insns[0][0];
	}
	while (at < end) {
		const u8 *insn = insns[rnd_below(ARRAY_SIZE(insns))];
		u64 n = insn[0];

		if (n > (u64)(end - at))
			n = (u64)(end - at);
		memcpy(at, insn + 1, n);
		at += n;
	}
}

u32 rnd_msr(void)
{
	static const u32 msrs[] = {MSR_EFER,   0xc0000081, 0xc0000082,
				   0xc0000084, MSR_PAT,	   MSR_TSC_AUX,
				   0x174,      0x12345678, 0xc0011fff,
				   0x2000,     0xc0000102, MSR_VM_HSAVE_PA};

	return msrs[rnd_below(ARRAY_SIZE(msrs))];
}

/* Page tables **************************************************************/

static void fill_guest_tables(struct guest_tables *t)
{
	for (u64 i = 0; i < PTES_PER_TABLE; i++) {
		t->pml4[i] = (u64)t->pdpt | NPTE_ALL;
		t->pdpt[i] = (u64)t->pd | NPTE_ALL;
		t->pd[i] = (u64)t->pt | NPTE_ALL;
		t->pt[i] = world_page(i) | PTE_PRESENT | PTE_USER |
			   (i < WORLD_CODE ? 0 : NPTE_NX | PTE_WRITE);
		t->pdpt_pae[i] = i < PAE_PDPTES ? (u64)t->pd | PTE_PRESENT : 0;
	}
	/* There is no NX here, so nothing is to be written. */
	for (u32 i = 0; i < ENTRIES_32; i++) {
		t->pd_32[i] = (u32)(u64)t->pt_32 | NPTE_ALL;
		t->pt_32[i] = (u32)world_page(i % WORLD_PAGES) | PTE_PRESENT |
			      PTE_USER;
	}
}

static u64 root_of(const struct guest_tables *t, enum paging paging)
{
	switch (paging) {
	case PAGING_32:
		return (u64)t->pd_32;
	case PAGING_PAE:
		return (u64)t->pdpt_pae;
	default:
		return (u64)t->pml4;
	}
}

u64 world_cr3(enum paging paging)
{
	return root_of(&outside, paging);
}

u64 world_own_cr3(enum paging paging)
{
	return root_of(inside(), paging);
}

static void fill_idt(void)
{
	struct idt_gate *gates = (struct idt_gate *)world_idt();

	for (unsigned i = 0; i < VECTORS; i++)
		gates[i] = idt_gate(SEL_CODE64, WORLD + i);
}

/* Nested tables ************************************************************/

/* L2-physical addresses lead to the world by bits 12 to 20 alone. */
static u64 whole_entry(u64 tables[NPT_LEVELS][PTES_PER_TABLE], unsigned level,
		       u64 i)
{
	if (level)
		return (u64)tables[level - 1] | NPTE_ALL;
	if (i < WORLD_CODE)
		return world_page(i) | PTE_PRESENT | PTE_USER;
	return world_page(i) | NPTE_ALL | NPTE_NX;
}

static void fill_npt(u64 tables[NPT_LEVELS][PTES_PER_TABLE])
{
	for (unsigned level = 0; level < NPT_LEVELS; level++)
		for (u64 i = 0; i < PTES_PER_TABLE; i++)
			tables[level][i] = whole_entry(tables, level, i);
}

static u64 rnd_in_block(void)
{
	return block + rnd_below((block_end - block) / PAGE_SIZE) * PAGE_SIZE;
}

/* Memory of L1's own, as a page: as a table it would get accessed bits. */
static u64 rnd_ram(unsigned level)
{
	u64 pa = RAM_START + rnd_below(RAM_END - RAM_START);

	if (level == 0)
		return pa & NPTE_ADDRESS;
	if (level == 1)
		return (pa & -(u64)LARGE_PAGE_SIZE) | PTE_LARGE;
	return NOWHERE;
}

/*
 * An entry that leads out of the world: where nothing of L1's is, with any
 * rights; elsewhere to be read only and not to be executed, which holds for
 * all that it leads to. Not to devices: under -icount QEMU ends itself where
 * L2 has its IDT or GDT there.
 */
static u64 wild_entry(unsigned level)
{
	u64 bits = (rnd() & rnd() & 0xf7f) | PTE_PRESENT | PTE_USER;
	u64 confined = (bits & ~(u64)PTE_WRITE) | NPTE_NX;

	switch (rnd_below(8)) {
	case 0:
		return rnd() & ~(u64)PTE_PRESENT;
	case 1:
		return rnd_in_block() | bits;
	case 2:
		return (rnd_in_block() & -(u64)LARGE_PAGE_SIZE) | bits |
		       (level == 1 ? PTE_LARGE : 0);
	case 3:
		return RAM_LIMIT | (rnd() & (RAM_LIMIT - PAGE_SIZE)) | bits;
	case 4:
		return rnd_ram(level) | confined;
	case 5:
		return (rnd() & NPTE_ADDRESS) | NOWHERE | confined;
	case 6:
		return (rnd() & NPTE_ADDRESS) | NOWHERE | bits | PTE_LARGE;
	default: /* tables that are too high, but none of them is data */
		return (u64)damaged[rnd_below(NPT_LEVELS - level) + level -
				    !!level] |
		       confined;
	}
}

void world_damage(void)
{
	unsigned level = (unsigned)rnd_below(NPT_LEVELS);
	u64 odds = 1 + rnd_below(8);

	fill_npt(damaged);
	for (u64 i = 0; i < PTES_PER_TABLE; i++) {
		u64 *entry = &damaged[level][i];

		if (!rnd_once_in(odds))
			continue;
		if (rnd_once_in(4)) /* fewer rights, or A and D gone */
			*entry &= ~(rnd() & (PTE_USER | PTE_WRITE | AD));
		else if (rnd_once_in(4))
			*entry |= rnd() & rnd() & ~NPTE_ADDRESS &
				  ~(u64)(PTE_WRITE | PTE_LARGE);
		else
			*entry = wild_entry(level);
	}
}

u64 world_root(void)
{
	switch (rnd_below(16)) {
	case 0:
		return rnd_in_block();
	case 1:
		return RAM_LIMIT + (rnd() & (RAM_LIMIT - PAGE_SIZE));
	case 2:
		return ((u64)npt[NPT_LEVELS - 1]) | rnd_below(PAGE_SIZE);
	case 3:
		return rnd() | 1ull << (52 + rnd_below(12));
	case 4:
		return LAPIC;
	case 5:
	case 6:
	case 7:
	case 8:
		return (u64)damaged[NPT_LEVELS - 1];
	default:
		return (u64)npt[NPT_LEVELS - 1];
	}
}

/* Numbers ******************************************************************/

u64 rnd_code(void)
{
	return WORLD + (rnd_once_in(4)
				? rnd_below(PAGE_SIZE)
				: rnd_below(WORLD_CODE * (u64)PAGE_SIZE));
}

u64 rnd_data(void)
{
	return WORLD + WORLD_CODE * (u64)PAGE_SIZE +
	       rnd_below((WORLD_PAGES - WORLD_CODE) * (u64)PAGE_SIZE);
}

u64 rnd_page(void)
{
	switch (rnd_below(8)) {
	case 0:
		return rnd_in_block();
	case 1:
		return rnd_once_in(2) ? block - PAGE_SIZE : block_end;
	case 2:
		return (1ull << (32 + rnd_below(32))) -
		       rnd_below(4) * PAGE_SIZE;
	case 3:
		return LAPIC;
	case 4:
		return rnd_data();
	default:
		return world_page(rnd_below(WORLD_PAGES));
	}
}

u64 rnd_value(void)
{
	switch (rnd_below(9)) {
	case 0:
		return 0;
	case 1:
		return ~0ull;
	case 2:
		return 1ull << rnd_below(64);
	case 3:
		return ~(1ull << rnd_below(64));
	case 4:
		return rnd_page() + rnd_below(16);
	case 5:
		return rnd() >> rnd_below(64);
	case 6:
		return (1ull << 47) - rnd_below(16);
	case 7:
		return rnd_once_in(2) ? rnd_code() : rnd_data();
	default:
		return rnd();
	}
}

/* All of it ****************************************************************/

static u64 code_hash, tables_hash;

static u64 hash_range(const void *start, const void *end, u64 ignore)
{
	u64 hash = HASH_START;

	for (const u64 *at = start; at < (const u64 *)end; at++)
		hash = hash_word(hash, *at & ~ignore);
	return hash;
}

static u64 hash_code(void)
{
	return hash_range((void *)WORLD, (void *)world_page(WORLD_CODE), 0);
}

static u64 hash_tables(void)
{
	return hash_range(&outside, &outside + 1, AD | AD << 32) ^
	       hash_range(npt, npt + NPT_LEVELS, AD);
}

bool world_is_intact(void)
{
	return code_hash == hash_code() && tables_hash == hash_tables();
}

void world_fill(void)
{
	fill_code();
	memset((void *)world_page(WORLD_CODE), 0,
	       (size_t)(WORLD_PAGES - WORLD_CODE) * PAGE_SIZE);
	fill_guest_tables(inside());
	fill_idt();
	code_hash = hash_code();
	tables_hash = hash_tables();
}

void world_init(void)
{
	nestbox_block(&block, &block_end);
	fill_guest_tables(&outside);
	fill_npt(npt);
	fill_npt(damaged);
}
