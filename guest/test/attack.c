/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hostile L1 does to nestbox.elf, at random, in rounds; TAP. After each
 * round L0 has to answer, count exactly and be unchanged. The end is an end
 * that takes the machine with it, which L0 has to turn into a reset.
 *
 *	seed=N       another run (1)
 *	rounds=N     of ATTACKS attacks each (100)
 *	init=1       also INIT, SIPI and NMI by the local APIC
 *	only=A,...   these attacks; without=A,... not these
 *	end=NAME     triple, cr3, idt, stack, cr0; exit: no such end (triple)
 *	trace=1      says what it does before it does it
 */
#include "guest/test/attack.h"

#include <stdarg.h>

#include "guest/lib/cmdline.h"
#include "guest/lib/exit.h"
#include "guest/lib/idt.h"
#include "guest/lib/nestbox.h"
#include "guest/lib/serial.h"
#include "guest/lib/tap.h"
#include "lib/cpu.h"
#include "lib/exit.h"
#include "lib/fmt.h"

#define TESTS	 3
#define ATTACKS	 200 /* in a round */
#define CPUIDS	 10
#define PROGRESS 100 /* rounds between two lines */

int main(const char *cmdline);

static u64 block, block_end;
static u64 token[2];
static u64 tracing;
static unsigned failures, faults;

/* Random numbers ***********************************************************/

u64 rnd_hole(void)
{
	static const int near[] = {-16, -8, -4, -2, -1, 0, 1, 2, 4, 8};
	u64 page = block +
		   rnd_below((block_end - block) / PAGE_SIZE + 1) * PAGE_SIZE;

	if (rnd_once_in(4))
		page = rnd_once_in(2) ? block : block_end;
	if (rnd_once_in(2) || page == block_end)
		return page + (u64)(long)near[rnd_below(ARRAY_SIZE(near))];
	return page + rnd_below(PAGE_SIZE);
}

u64 rnd_value(void)
{
	switch (rnd_below(8)) {
	case 0:
		return 0;
	case 1:
		return ~0ull;
	case 2:
		return 1ull << rnd_below(64);
	case 3:
		return ~(1ull << rnd_below(64));
	case 4:
		return rnd_hole();
	case 5:
		return rnd() >> rnd_below(64);
	case 6:
		return 0x0000800000000000ull - rnd_below(16);
	default:
		return rnd();
	}
}

/* What happens *************************************************************/

static void print_line(const char *what, const char *fmt, va_list ap)
{
	char text[120];

	fmt_vformat(text, sizeof(text), fmt, ap);
	serial_printf("# %s%s\n", what, text);
}

void note(const char *fmt, ...)
{
	va_list ap;

	if (!tracing)
		return;
	va_start(ap, fmt);
	print_line("", fmt, ap);
	va_end(ap);
	serial_drain();
}

void failed(const char *fmt, ...)
{
	va_list ap;

	failures++;
	va_start(ap, fmt);
	print_line("failed: ", fmt, ap);
	va_end(ap);
}

void survive(void (*fn)(void *arg), void *arg)
{
	faults += trap_try(fn, arg) != NO_TRAP;
}

/* Rounds *******************************************************************/

struct attack {
	const char *name;
	void (*run)(void);
	bool off; /* unless asked for */
};

static struct attack attacks[] = {
	{"cpuid", attack_cpuid, false},
	{"msr", attack_msr, false},
	{"cr", attack_cr, false},
	{"dr", attack_dr, false},
	{"step", attack_step, false},
	{"svm", attack_svm, false},
	{"hypercall", attack_hypercall, false},
	{"prefix", attack_prefix, false},
	{"mode", attack_mode, false},
	{"modeprefix", attack_mode_prefix, false},
	{"port", attack_port, false},
	{"string", attack_string, false},
	{"smi", attack_smi, false},
	{"hole", attack_hole, false},
	{"mmio", attack_mmio, false},
	{"tables", attack_tables, false},
	{"edge", attack_edge, false},
	{"event", attack_event, false},
	{"base", attack_apic_base, true},
	{"ipi", attack_ipi, true},
};

static struct attack *find_attack(struct word name)
{
	for (size_t i = 0; i < ARRAY_SIZE(attacks); i++)
		if (word_is(name, attacks[i].name))
			return &attacks[i];
	serial_printf("error: no attack %.*s\n", (int)name.len, name.text);
	guest_exit(EXIT_USAGE);
}

static void choose_attacks(const char *cmdline, u64 init)
{
	struct word only = cmdline_find(cmdline, "only");
	struct word without = cmdline_find(cmdline, "without"), item;

	for (size_t i = 0; i < ARRAY_SIZE(attacks); i++)
		attacks[i].off = only.text || (attacks[i].off && !init);
	while (word_next_item(&only, &item))
		find_attack(item)->off = false;
	while (word_next_item(&without, &item))
		find_attack(item)->off = true;
}

static u64 count_cpuids(void)
{
	struct nestbox_call c = {.rax = HYPERCALL_COUNT,
				 .rbx = token[0],
				 .rcx = token[1],
				 .rdx = 0,
				 .rsi = 1,
				 .rdi = EXIT_cpuid};

	nestbox_call(&c);
	if (c.rax)
		failed("count gives %lx", c.rax);
	return c.rbx;
}

/* What must be so whatever happened. */
static void check_l0(void)
{
	struct nestbox_call c = {
		.rax = HYPERCALL_SEAL, .rbx = token[0], .rcx = token[1]};
	u64 before = count_cpuids();

	for (unsigned i = 0; i < CPUIDS; i++)
		cpuid(0, 0);
	if (count_cpuids() != before + CPUIDS)
		failed("%lu CPUIDs counted as %lu", (u64)CPUIDS,
		       count_cpuids() - before);
	if (vmmcall(HYPERCALL_VERSION) != 1)
		failed("no version");
	nestbox_call(&c);
	if (c.rax)
		failed("L0's text changed");
}

static void run_round(void)
{
	for (unsigned i = 0; i < ATTACKS;) {
		const struct attack *a =
			&attacks[rnd_below(ARRAY_SIZE(attacks))];

		if (a->off)
			continue;
		a->run();
		i++;
	}
	check_l0();
}

/* Ends *********************************************************************/

static void end_triple(void)
{
	const struct table_pointer none = {0};

	lidt(&none);
	int3();
}

static void end_cr3(void)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(block) : "memory");
}

static void end_idt(void)
{
	const struct table_pointer in_hole = {0xfff, block};

	lidt(&in_hole);
	int3();
}

static void end_stack(void)
{
	__asm__ volatile("mov %0, %%rsp; int3" : : "r"(block_end) : "memory");
}

/* What MOV to CR0 refuses on a CPU but not on QEMU's: no guest can run so. */
static void end_cr0(void)
{
	write_cr0(read_cr0() | CR0_NW);
	cpuid(0, 0);
}

static void end_exit(void)
{
}

static const struct {
	const char *name;
	void (*run)(void);
} ends[] = {
	{"triple", end_triple}, {"cr3", end_cr3}, {"idt", end_idt},
	{"stack", end_stack},	{"cr0", end_cr0}, {"exit", end_exit},
};

static void (*find_end(const char *cmdline))(void)
{
	struct word name = cmdline_find(cmdline, "end");

	if (!name.text)
		return end_triple;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (word_is(name, ends[i].name))
			return ends[i].run;
	return NULL;
}

/* Main *********************************************************************/

static void run_rounds(u64 rounds)
{
	for (u64 i = 1; i <= rounds && !failures; i++) {
		note("round %lu", i);
		run_round();
		if (i % PROGRESS == 0)
			serial_printf("# %lu rounds, %u faults\n", i, faults);
	}
}

int main(const char *cmdline)
{
	void (*end)(void) = find_end(cmdline);
	u64 seed = 1, rounds = 100, init = 0;

	serial_init();
	nestbox_block(&block, &block_end);
	if (!cmdline_number(cmdline, "seed", &seed) || !end ||
	    !cmdline_number(cmdline, "rounds", &rounds) ||
	    !cmdline_number(cmdline, "init", &init) ||
	    !cmdline_number(cmdline, "trace", &tracing) || !nestbox_below()) {
		serial_printf("error: wrong options, or not on nestbox.elf\n");
		return EXIT_USAGE;
	}
	rnd_seed(seed);
	idt_init();
	choose_attacks(cmdline, init);
	attack_cpu_init();
	attack_mem_init();
	tap_plan(TESTS);
	tap_ok(block < block_end, "L0 is in [%lx, %lx)", block, block_end);
	tap_ok(nestbox_token(token), "there is a token");
	run_rounds(rounds);
	tap_ok(!failures, "seed %lu, %lu rounds, %u faults: L0 is well", seed,
	       rounds, faults);
	serial_drain();
	end();
	return tap_done();
}
