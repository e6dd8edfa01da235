/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attacks through memory: L0's own, devices, page tables that lie or lead
 * there, code and descriptor tables at its edges.
 *
 * All physical memory is mapped by pages of 1 GiB at WINDOW; the entry of
 * TRICKS in the top table is for page tables that are wrong.
 */
#include "guest/lib/idt.h"
#include "guest/lib/nestbox.h"
#include "guest/test/attack.h"
#include "lib/cpu.h"
#include "lib/string.h"

#define WINDOW_SLOT 1
#define TRICKS_SLOT 2
#define SLOT_SIZE   (1ull << 39)
#define WINDOW	    (WINDOW_SLOT * SLOT_SIZE)
#define TRICKS	    (TRICKS_SLOT * SLOT_SIZE)
#define GIB	    (1ull << 30)
#define LEVELS	    4
#define CR4_OSFXSR  0x200

static u64 window[PTES_PER_TABLE] __attribute__((aligned(PAGE_SIZE)));
static u64 tricks[3][PTES_PER_TABLE] __attribute__((aligned(PAGE_SIZE)));
static u64 *pml4;

void attack_mem_init(void)
{
	u64 cr3, cr4;

	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | CR4_OSFXSR));
	for (u64 i = 0; i < PTES_PER_TABLE; i++)
		window[i] = i * GIB | PTE_LARGE | PTE_TABLE;
	pml4 = (u64 *)(cr3 & ~0xfffull);
	pml4[WINDOW_SLOT] = (u64)window | PTE_TABLE;
}

/* Accesses *****************************************************************/

/* With the address in RDI and RSI; some change them, and RCX. */
#define ACCESS(name, ...)                                                \
	static void name(u64 at)                                         \
	{                                                                \
		u64 di = at, si = at, a = 0, b = 0, d = 0;               \
		__asm__ volatile(__VA_ARGS__                             \
				 : "+D"(di), "+S"(si), "+a"(a), "+b"(b), \
				   "+d"(d)                               \
				 :                                       \
				 : "rcx", "memory", "cc");               \
	}

ACCESS(read_8, "movb (%%rdi), %%al")
ACCESS(read_16, "movw (%%rdi), %%ax")
ACCESS(read_32, "movl (%%rdi), %%eax")
ACCESS(read_64, "movq (%%rdi), %%rax")
ACCESS(read_zx, "movzbl (%%rdi), %%eax")
ACCESS(read_sx, "movswq (%%rdi), %%rax")
ACCESS(read_sse, "movups (%%rdi), %%xmm0")
ACCESS(read_fpu, "fldl (%%rdi); fstp %%st(0)")
ACCESS(read_cmp, "cmpl $5, (%%rdi)")
ACCESS(read_add, "addq (%%rdi), %%rax")
ACCESS(read_test, "testb $1, (%%rdi)")
ACCESS(read_bt, "btl $3, (%%rdi)")
ACCESS(read_push, "pushq (%%rdi); popq %%rax")
ACCESS(read_str, "mov $3, %%ecx; cld; rep lodsl")
ACCESS(read_scas, "mov $3, %%ecx; cld; repe scasb")
ACCESS(read_call, "call *(%%rdi)")
ACCESS(read_gdt, "sub $16, %%rsp; sgdt (%%rsp); lgdt (%%rdi); lgdt (%%rsp);"
		 "add $16, %%rsp")
ACCESS(read_idt, "sub $16, %%rsp; sidt (%%rsp); lidt (%%rdi); lidt (%%rsp);"
		 "add $16, %%rsp")
ACCESS(read_seg, "mov %%fs, %%ecx; mov (%%rdi), %%fs; mov %%ecx, %%fs")
ACCESS(read_invlpg, "invlpg (%%rdi)")
ACCESS(read_clflush, "clflush (%%rdi); prefetcht0 (%%rdi)")
ACCESS(read_code, "call *%%rdi")
ACCESS(write_8, "movb %%al, (%%rdi)")
ACCESS(write_16, "movw %%ax, (%%rdi)")
ACCESS(write_32, "movl %%eax, (%%rdi)")
ACCESS(write_64, "movq %%rax, (%%rdi)")
ACCESS(write_imm, "movq $-1, (%%rdi)")
ACCESS(write_sse, "movups %%xmm0, (%%rdi)")
ACCESS(write_fpu, "fldz; fstpl (%%rdi)")
ACCESS(write_nti, "movnti %%rax, (%%rdi)")
ACCESS(write_and, "andl $0, (%%rdi)")
ACCESS(write_or, "orb $0xff, (%%rdi)")
ACCESS(write_not, "notq (%%rdi)")
ACCESS(write_inc, "lock incl (%%rdi)")
ACCESS(write_xchg, "xchg %%eax, (%%rdi)")
ACCESS(write_xadd, "lock xaddq %%rax, (%%rdi)")
ACCESS(write_cas, "lock cmpxchgq %%rbx, (%%rdi)")
ACCESS(write_cas16, "xor %%ecx, %%ecx; lock cmpxchg16b (%%rdi)")
ACCESS(write_bts, "lock btsl $7, (%%rdi)")
ACCESS(write_pop, "pushq $-1; popq (%%rdi)")
ACCESS(write_stos, "mov $5, %%ecx; cld; rep stosl")
ACCESS(write_back, "mov $3, %%ecx; std; rep stosq; cld")
ACCESS(write_sgdt, "sgdt (%%rdi)")
ACCESS(write_seg, "mov %%ds, (%%rdi)")
ACCESS(write_set, "sete (%%rdi)")
ACCESS(write_ins, "mov $2, %%ecx; mov $0x80, %%edx; cld; rep insb")
ACCESS(write_outs, "mov $2, %%ecx; mov $0x80, %%edx; cld; rep outsb")

/* Both ways between RAM and there; the longest is 96 bytes. */
static u8 buffer[128];

static void copy_out(u64 at)
{
	const void *to = buffer;
	u64 n = 96;

	__asm__ volatile("cld; rep movsb"
			 : "+S"(at), "+D"(to), "+c"(n)
			 :
			 : "memory");
}

static void copy_in(u64 at)
{
	const void *from = buffer;
	u64 n = 12;

	__asm__ volatile("cld; rep movsq"
			 : "+S"(from), "+D"(at), "+c"(n)
			 :
			 : "memory");
}

/* Within a page: QEMU crashes where FXSAVE goes from one page that is not RAM
 * into another. */
static void save_fpu(u64 at)
{
	__asm__ volatile("fxsave (%0)" : : "r"(at & ~511ull) : "memory");
}

typedef void access_fn(u64 at);

static access_fn *const reads[] = {
	read_8,	     read_16,	   read_32,    read_64,	 read_zx,
	read_sx,     read_sse,	   read_fpu,   read_cmp, read_add,
	read_test,   read_bt,	   read_push,  read_str, read_scas,
	read_invlpg, read_clflush, write_outs, copy_out,
};

/* What follows goes on with what it has read: only where reading gives all
 * ones, or faults. */
static access_fn *const jumps[] = {
	read_call, read_gdt, read_idt, read_seg, read_code,
};

static access_fn *const writes[] = {
	write_8,    write_16,	write_32,   write_64,	 write_imm, write_sse,
	write_fpu,  write_nti,	write_and,  write_or,	 write_not, write_inc,
	write_xchg, write_xadd, write_cas,  write_cas16, write_bts, write_pop,
	write_stos, write_back, write_sgdt, write_seg,	 write_set, write_ins,
	copy_in,    save_fpu,
};

struct access {
	access_fn *fn;
	u64 at;
};

static void call_access(void *arg)
{
	const struct access *a = arg;

	a->fn(a->at);
}

static void try_access(access_fn *fn, u64 at)
{
	struct access a = {fn, at};

	note("access by %lx", (u64)fn);
	survive(call_access, &a);
}

static void try_read(u64 at)
{
	try_access(reads[rnd_below(ARRAY_SIZE(reads))], at);
}

static void try_write(u64 at)
{
	try_access(writes[rnd_below(ARRAY_SIZE(writes))], at);
}

/* L0's memory **************************************************************/

struct word_at {
	u64 at, value;
	bool done;
};

static void read_word(void *arg)
{
	struct word_at *w = arg;

	w->value = *(const volatile u64 *)w->at;
	w->done = true;
}

/* An address of which the next bytes are L0's, too. */
static u64 inside(void)
{
	u64 start, end;

	nestbox_block(&start, &end);
	return start + rnd_below(end - start - PAGE_SIZE);
}

/* L0's memory as L1 reads it: all ones, as where nothing is, or a fault. */
static void check_hole(u64 pa)
{
	struct word_at w = {.at = pa & ~7ull};

	survive(read_word, &w);
	if (w.done && w.value != ~0ull)
		failed("L0's memory at %lx reads %lx", w.at, w.value);
}

void attack_hole(void)
{
	u64 pa = rnd_hole(), kind = rnd_below(4);

	note("hole %lx, %lu", pa, kind);
	if (kind == 0)
		try_read(pa);
	else if (kind == 1)
		try_write(pa);
	else if (kind == 2)
		try_access(jumps[rnd_below(ARRAY_SIZE(jumps))], inside());
	else
		check_hole(inside());
}

/* Devices ******************************************************************/

#define LAPIC 0xfee00000ull

/* Registers of the local APIC that send nothing. */
static void write_lapic(void)
{
	static const u16 reg[] = {0x20, 0x30,  0x80,  0x90,  0xb0,  0xd0,
				  0xe0, 0x100, 0x280, 0x380, 0x390, 0x3e0};
	u64 at = LAPIC + reg[rnd_below(ARRAY_SIZE(reg))];
	static access_fn *const how[] = {write_32, write_imm, write_or,
					 write_inc, write_xchg};

	try_access(how[rnd_below(ARRAY_SIZE(how))], WINDOW + at);
}

void attack_mmio(void)
{
	static const struct {
		u64 start, size;
		bool write;
	} range[] = {
		{0, LAPIC, false},	   /* RAM too */
		{0xa0000, 0x20000, false}, /* VGA; SMRAM where there is none */
		{0xc0000, 0x20000, true},  /* ROM */
		{0xf0000, 0x10000, true},  /* BIOS */
		{0xc0000000, 0x3ec00000, true}, /* PCI, or nothing */
		{0xfec00000, 0x1000, false},	/* I/O APIC */
		{0xfed00000, 0x400, true},	/* HPET */
		{0xfed40000, 0x5000, true},	/* TPM */
		{LAPIC, 0x1000, false},
		{LAPIC + 0x1000, 0xff000, false}, /* messages */
		{0xfffc0000, 0x40000, true},	  /* BIOS */
		{1ull << 32, SLOT_SIZE - (1ull << 32), true},
	};
	size_t i = rnd_below(ARRAY_SIZE(range));
	u64 pa = range[i].start + rnd_below(range[i].size);

	if (range[i].start == LAPIC && rnd_once_in(2)) {
		note("mmio: APIC write");
		write_lapic();
		return;
	}
	note("mmio %lx", pa);
	if (range[i].write && rnd_once_in(2))
		try_write(WINDOW + pa);
	else
		try_read(WINDOW + pa);
}

/* Page tables **************************************************************/

static void flush(void)
{
	u64 cr3;

	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	__asm__ volatile("mov %0, %%cr3" : : "r"(cr3) : "memory");
}

/* Somewhere that is no page table. Garbage that is not L0's may lead to the
 * payload itself: only to be read through. */
static u64 bad_page(bool *harmless)
{
	static const u64 page[] = {0xa0000,    0xf0000,	   0xfed00000,
				   LAPIC,      0xfffff000, 0xd0000000,
				   1ull << 38, 1ull << 45, 1ull << 51};

	*harmless = rnd_once_in(2);
	return *harmless ? inside() & ~0xfffull
			 : page[rnd_below(ARRAY_SIZE(page))];
}

/* A chain of good tables, then an entry that leads to a wrong place, as the
 * next table or as a page. */
void attack_tables(void)
{
	u64 depth = rnd_below(LEVELS), page, bits, at = TRICKS;
	bool writable;
	u64 *entry = &pml4[TRICKS_SLOT];

	page = bad_page(&writable);
	bits = PTE_TABLE | (rnd() & rnd() & 0xfff);
	if (rnd_once_in(8))
		bits |= 1ull << (52 + rnd_below(12));
	for (u64 i = 0; i < depth; i++) {
		*entry = (u64)tricks[i] | PTE_TABLE;
		entry = &tricks[i][0];
	}
	*entry = page | bits;
	flush();
	at += rnd_below(SLOT_SIZE >> 9 * depth) & ~0xfull;
	if (depth == LEVELS - 1)
		at = TRICKS + rnd_below(PAGE_SIZE);
	note("tables: depth %lu entry %lx at %lx", depth, *entry, at);
	if (writable && !(bits & PTE_LARGE) && rnd_once_in(2))
		try_write(at);
	else
		try_read(at);
	pml4[TRICKS_SLOT] = 0;
	flush();
}

/* Edges and events *********************************************************/

/* What exits as the last bytes before L0's memory, or across the edge: the
 * next byte cannot be fetched. */
void attack_edge(void)
{
	static const u8 code[][4] = {
		{2, 0x0f, 0xa2},       {2, 0x0f, 0x32}, {3, 0x0f, 0x01, 0xd9},
		{3, 0x0f, 0x01, 0xd8}, {2, 0xe6, 0x80}, {1, 0x90},
	};
	const u8 *c = code[rnd_below(ARRAY_SIZE(code))];
	u64 start, end, n = 1 + rnd_below(c[0]);
	access_fn *fn;

	nestbox_block(&start, &end);
	memcpy((void *)(start - n), c + 1, n);
	fn = (access_fn *)(start - n);
	note("edge: %lu bytes of %02x %02x", n, c[1], c[2]);
	try_access(fn, 0);
}

struct tss_descriptor {
	u16 limit;
	u16 base_0;
	u8 base_16;
	u8 type;
	u8 flags;
	u8 base_24;
	u32 base_32;
	u32 reserved_0xc;
};
ASSERT_SIZE(tss_descriptor, 16);

#define TSS_FREE   0x89
#define SEL_TSS	   GDT_SIZE
#define FAR_VECTOR 40
#define ANY_IST	   1

extern u8 gdt[];

/* The first gates lie in RAM and those of @vector and above in L0's memory. */
static void int_in_hole(void *unused)
{
	(void)unused;
	__asm__ volatile("int %0" : : "i"(FAR_VECTOR) : "memory");
}

static void load_far_selector(void *unused)
{
	(void)unused;
	__asm__ volatile("mov %0, %%fs" : : "r"(SEL_TSS));
}

static void load_tss(void *unused)
{
	(void)unused;
	__asm__ volatile("ltr %w0\n\tint %1"
			 :
			 : "r"(SEL_TSS), "i"(FAR_VECTOR)
			 : "memory");
}

static void far_idt(u64 start)
{
	struct table_pointer old, near;
	u64 gates = EXCEPTIONS * sizeof(struct idt_gate);

	__asm__ volatile("sidt %0" : "=m"(old));
	near = (struct table_pointer){0xfff, start - gates};
	memcpy((void *)near.base, (const void *)old.base, gates);
	lidt(&near);
	survive(int_in_hole, NULL);
	lidt(&old);
}

static void far_gdt(u64 start)
{
	struct table_pointer old, near;

	__asm__ volatile("sgdt %0" : "=m"(old));
	near = (struct table_pointer){0xff, start - GDT_SIZE};
	memcpy((void *)near.base, gdt, GDT_SIZE);
	__asm__ volatile("lgdt %0" : : "m"(near));
	survive(load_far_selector, NULL);
	__asm__ volatile("lgdt %0" : : "m"(old));
}

/* An interrupt stack is looked up in a TSS that lies in L0's memory. */
static void far_tss(u64 tss)
{
	static u8 table[GDT_SIZE + sizeof(struct tss_descriptor)]
		__attribute__((aligned(16)));
	struct table_pointer old, mine = {sizeof(table) - 1, (u64)table};
	struct tss_descriptor d = {.limit = 0x67,
				   .base_0 = (u16)tss,
				   .base_16 = (u8)(tss >> 16),
				   .type = TSS_FREE,
				   .base_24 = (u8)(tss >> 24)};
	struct idt_gate *gate;

	__asm__ volatile("sidt %0" : "=m"(old));
	gate = (struct idt_gate *)old.base + FAR_VECTOR;
	gate->ist = ANY_IST;
	memcpy(table, gdt, GDT_SIZE);
	memcpy(table + GDT_SIZE, &d, sizeof(d));
	__asm__ volatile("sgdt %0" : "=m"(old));
	__asm__ volatile("lgdt %0" : : "m"(mine));
	survive(load_tss, NULL);
	__asm__ volatile("lgdt %0" : : "m"(old));
	gate->ist = 0;
}

void attack_event(void)
{
	u64 start, end, kind = rnd_below(3);

	nestbox_block(&start, &end);
	note("event %lu", kind);
	if (kind == 0)
		far_idt(start);
	else if (kind == 1)
		far_gdt(start);
	else
		far_tss(inside());
}
