/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/test/svm_l2.h"

#include "guest/lib/cmdline.h"
#include "guest/lib/exit.h"
#include "guest/lib/idt.h"
#include "guest/lib/serial.h"
#include "guest/lib/tap.h"
#include "lib/cpu.h"

#define CPUID_SVM_DETAIL 0x8000000a

#define CPUID_ADDRESSES 0x80000008
#define PAGE_ADDRESS	0x000ffffffffff000ull
#define RFLAGS_STATUS	0x8d5 /* what arithmetic sets */
#define SEGMENT_DPL3	0x60
#define RPL3		3

static bool failed; /* the row that runs */
static const char *skipped;

u32 svm_features(void)
{
	return cpuid(CPUID_SVM_DETAIL, 0).edx;
}

u64 l2_run(svm_code *code)
{
	int trap = svm_run(code ? code : svm_handler);

	if (trap != NO_TRAP)
		return L2_TRAPPED | (u32)trap;
	return svm_vmcb.control.exit_code;
}

bool l2_expect(const char *what, u64 got, u64 want)
{
	if (got == want)
		return true;
	serial_printf("# %s: 0x%lx, expected 0x%lx\n", what, got, want);
	failed = true;
	return false;
}

bool l2_expect_exit(svm_code *code, u64 want)
{
	return l2_expect("exit code", l2_run(code), want);
}

void l2_skip(const char *reason)
{
	skipped = reason;
}

static void let_user(u64 *table)
{
	for (unsigned i = 0; i < PTES_PER_TABLE; i++)
		if (table[i] & PTE_PRESENT)
			table[i] |= PTE_USER;
}

/* start.S: one table of each level, whose pages are of 2 MiB. */
static void let_user_all(void)
{
	u64 *pml4 = (u64 *)read_cr3();
	u64 *pdpt = (u64 *)(pml4[0] & PAGE_ADDRESS);

	let_user(pml4);
	let_user(pdpt);
	for (unsigned i = 0; i < IDENTITY_GIB; i++)
		let_user((u64 *)(pdpt[i] & PAGE_ADDRESS));
	write_cr3((u64)pml4);
}

/* A TSS too short to let the user have a port; L1 needs none. */
static void load_short_tss(void)
{
	static struct vmcb v __attribute__((aligned(PAGE_SIZE)));

	__asm__ volatile("vmsave" : : "a"(&v) : "memory");
	v.save.tr.limit = 0;
	__asm__ volatile("vmload" : : "a"(&v) : "memory");
}

void l2_user(void)
{
	struct vmcb_save *s = &svm_vmcb.save;

	let_user_all();
	load_short_tss();
	s->cs.selector |= RPL3;
	s->cs.attributes |= SEGMENT_DPL3;
	s->ss.selector |= RPL3;
	s->ss.attributes |= SEGMENT_DPL3;
	s->cpl = 3;
}

u64 l2_physical_end(void)
{
	return 1ull << (cpuid(CPUID_ADDRESSES, 0).eax & 0xff);
}

static const char *const l1_names[L1_STATES] = {
	"L1's CR0",	   "L1's CR3",	      "L1's CR4",
	"L1's EFER",	   "L1's RFLAGS",     "L1's CS",
	"L1's SS",	   "L1's DS",	      "L1's ES",
	"L1's GDTR.base",  "L1's GDTR.limit", "L1's IDTR.base",
	"L1's IDTR.limit", "L1's DR7",
};

struct l1_state l1_state(void)
{
	struct l1_state state = {0};
	struct table_pointer gdt, idt;
	u64 *v = state.value;

	__asm__ volatile("sgdt %0; sidt %1" : "=m"(gdt), "=m"(idt));
	*v++ = read_cr0();
	*v++ = read_cr3();
	__asm__ volatile("mov %%cr4, %0" : "=r"(*v++));
	*v++ = rdmsr(MSR_EFER);
	__asm__ volatile("pushf; pop %0" : "=r"(*v));
	*v++ &= ~(u64)RFLAGS_STATUS;
	__asm__ volatile("mov %%cs, %0" : "=r"(*v++));
	__asm__ volatile("mov %%ss, %0" : "=r"(*v++));
	__asm__ volatile("mov %%ds, %0" : "=r"(*v++));
	__asm__ volatile("mov %%es, %0" : "=r"(*v++));
	*v++ = gdt.base;
	*v++ = gdt.limit;
	*v++ = idt.base;
	*v++ = idt.limit;
	__asm__ volatile("mov %%dr7, %0" : "=r"(*v));
	return state;
}

void l1_expect_same(const struct l1_state *before)
{
	const struct l1_state now = l1_state();

	for (unsigned i = 0; i < L1_STATES; i++)
		l2_expect(l1_names[i], now.value[i], before->value[i]);
}

static bool chosen(const struct l2_row *r, struct word only)
{
	return !only.text || word_list_has(only, r->name);
}

static unsigned count_chosen(const struct l2_table *t, struct word only)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->count; i++)
		n += chosen(&t->rows[i], only);
	return n;
}

static void run_row(const struct l2_row *r, bool trace)
{
	if (trace)
		serial_printf("# row %s\n", r->name);
	if (r->needs & ~svm_features()) {
		tap_skip("not offered", r->name);
		return;
	}
	failed = false;
	skipped = NULL;
	svm_reset();
	r->run(r);
	if (skipped)
		tap_skip(skipped, r->name);
	else
		tap_ok(!failed, "%s", r->name);
}

static void run_table(const struct l2_table *t, const char *cmdline)
{
	struct word only = cmdline_find(cmdline, "only");
	struct word skip = cmdline_find(cmdline, "skip");
	bool trace = cmdline_find(cmdline, "trace").text;

	for (size_t i = 0; i < t->count; i++) {
		if (!chosen(&t->rows[i], only))
			continue;
		if (word_list_has(skip, t->rows[i].name))
			tap_skip("told to", t->rows[i].name);
		else
			run_row(&t->rows[i], trace);
	}
}

int l2_main(const char *cmdline, const struct l2_table *tables, size_t count)
{
	struct word only = cmdline_find(cmdline, "only");
	unsigned planned = 0;

	serial_init();
	idt_init();
	if (!svm_init()) {
		serial_printf("1..0 # SKIP no SVM\n");
		return EXIT_OK;
	}
	for (size_t t = 0; t < count; t++)
		planned += count_chosen(&tables[t], only);
	tap_plan(planned);
	for (size_t t = 0; t < count; t++)
		run_table(&tables[t], cmdline);
	return tap_done();
}
