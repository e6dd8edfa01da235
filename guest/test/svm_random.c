/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VMRUN of random VMCBs, on nestbox.elf; TAP. Whatever L1 writes into a block,
 * VMRUN comes back, with an exit that there is and that L1 has asked for, and
 * changes nothing of L1's but what #VMEXIT does (AMD APM vol. 2, 15.5, 15.6).
 *
 *	seed=N    another run (1)
 *	vmruns=N  how many (20000)
 *	trace=1   says what it does before it does it
 */
#include "guest/test/svm_random.h"

#include "guest/lib/apic.h"
#include "guest/lib/cmdline.h"
#include "guest/lib/exit.h"
#include "guest/lib/idt.h"
#include "guest/lib/nestbox.h"
#include "guest/lib/serial.h"
#include "guest/lib/tap.h"
#include "guest/test/svm_l1.h"
#include "guest/test/svm_l2.h"
#include "lib/cpu.h"
#include "lib/hash.h"
#include "lib/string.h"

#define TESTS	   3
#define BLOCKS	   6   /* more than L0 keeps */
#define AGAIN	   4   /* of so many VMRUNs one is of a block as it stands */
#define PERIOD	   256 /* between two looks at all memory */
#define DAMAGE	   16
#define PROGRESS   10000
#define TIME_LIMIT 100000 /* ticks of the timer, which ends L2 */
#define FAILURES   10
#define PORT_80	   0x80

int main(const char *cmdline);

static struct vmcb blocks[BLOCKS] __attribute__((aligned(PAGE_SIZE)));
static struct vmcb own __attribute__((aligned(PAGE_SIZE))); /* VMLOAD's */
static u64 token[2];
static u64 tracing, number; /* of this VMRUN */
static unsigned failures;

/* The kinds of exit that were seen. */
static struct {
	u64 traps, refused, faults, interrupts, others;
} seen;

static void failed(const char *what, u64 value)
{
	failures++;
	serial_printf("# failed: VMRUN %lu: %s: %lx\n", number, what, value);
}

/* What is L1's own **********************************************************/

extern const u8 start[], constant_end[];
static u64 constant_hash;

static u64 hash_constants(void)
{
	u64 hash = HASH_START;

	for (const u64 *at = (const u64 *)((u64)start & ~(PAGE_SIZE - 1ull));
	     at < (const u64 *)((u64)constant_end & ~7ull); at++)
		hash = hash_word(hash, *at);
	return hash;
}

static void check_memory(void)
{
	struct nestbox_call c = {
		.rax = HYPERCALL_SEAL, .rbx = token[0], .rcx = token[1]};

	if (hash_constants() != constant_hash)
		failed("L1's text changed", hash_constants());
	if (!world_is_intact())
		failed("L2 wrote what it cannot", 0);
	nestbox_call(&c);
	if (c.rax)
		failed("L0's text changed", c.rax);
}

static void check_state(const struct l1_state *before)
{
	const struct l1_state now = l1_state();

	for (unsigned i = 0; i < L1_STATES; i++)
		if (now.value[i] != before->value[i])
			failed("L1's state changed", i);
}

/* GIF is 0: what is pending waits for STGI. */
static void check_gif(void)
{
	unsigned before = l1_interrupts;

	l1_send_interrupt();
	sti_nop();
	cli();
	if (l1_interrupts != before)
		failed("GIF is 1", l1_interrupts);
	svm_stgi();
	l1_open();
	if (l1_interrupts == before)
		failed("GIF stays 0", l1_interrupts);
	svm_clgi();
}

/* Blocks *******************************************************************/

/* The fields that #VMEXIT writes, of a block that ran or not. */
static void copy_written(struct vmcb *to, const struct vmcb *from, bool ran)
{
	struct vmcb_control *c = &to->control;

	c->int_ctl = from->control.int_ctl;
	c->int_state = from->control.int_state;
	memcpy(&c->exit_code, &from->control.exit_code,
	       offsetof(struct vmcb_control, np_control) -
		       offsetof(struct vmcb_control, exit_code));
	c->event_inj = from->control.event_inj;
	memcpy(&c->next_rip, &from->control.next_rip,
	       offsetof(struct vmcb_control, avic_backing_page) -
		       offsetof(struct vmcb_control, next_rip));
	if (!ran)
		return;
	memcpy(&to->save.es, &from->save.es, 4 * sizeof(to->save.es));
	to->save.gdtr = from->save.gdtr;
	to->save.idtr = from->save.idtr;
	to->save.cpl = from->save.cpl;
	to->save.efer = from->save.efer;
	memcpy(&to->save.cr4, &from->save.cr4,
	       offsetof(struct vmcb_save, reserved_0x180) -
		       offsetof(struct vmcb_save, cr4));
	to->save.rsp = from->save.rsp;
	to->save.rax = from->save.rax;
	to->save.cr2 = from->save.cr2;
	to->save.g_pat = from->save.g_pat;
}

static void check_block(struct vmcb *before, const struct vmcb *after)
{
	copy_written(before, after,
		     after->control.exit_code != VMCB_EXIT_INVALID);
	for (u64 i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		if (((const u64 *)before)[i] != ((const u64 *)after)[i])
			failed("the block changed at", i * sizeof(u64));
}

/* Those that clean bits lie of may be older. */
static bool is_legal(const struct vmcb *v)
{
	u64 code = v->control.exit_code;

	if (code == VMCB_EXIT_NPF)
		return v->control.np_control & VMCB_NP_ENABLE;
	return code <= VMCB_EXIT_BUS_LOCK &&
	       v->control.intercept[code / 32] >> code % 32 & 1;
}

static void check_exit(const struct vmcb *v, enum verdict verdict)
{
	u64 code = v->control.exit_code;

	if (code == VMCB_EXIT_INVALID) {
		seen.refused++;
		if (verdict == MUST_RUN)
			failed("a legal block is refused", 0);
		return;
	}
	seen.faults += code == VMCB_EXIT_NPF;
	seen.interrupts += code == VMCB_EXIT_INTR;
	seen.others += code != VMCB_EXIT_NPF && code != VMCB_EXIT_INTR;
	if (verdict == MUST_REFUSE)
		failed("an illegal block runs", code);
	if (!is_legal(v))
		failed("exit code", code);
}

/* VMRUN ********************************************************************/

static void rnd_regs(void)
{
	svm_regs = (struct svm_regs){
		.rbx = rnd_once_in(2) ? rnd_data() : rnd_value(),
		.rcx = rnd_msr(),
		.rdx = (rnd_value() & ~0xffffull) | PORT_80,
		.rsi = rnd_once_in(2) ? rnd_data() : rnd_value(),
		.rdi = rnd_once_in(2) ? rnd_data() : rnd_value(),
	};
}

static void trace(const struct vmcb *v, enum verdict verdict)
{
	const struct vmcb_save *s = &v->save;

	serial_printf("# %lu: %u at %lx cr0 %lx cr4 %lx efer %lx cs %x ctl %x "
		      "np %lx ncr3 %lx inj %lx\n",
		      number, verdict, s->rip, s->cr0, s->cr4, s->efer,
		      s->cs.attributes, v->control.int_ctl,
		      v->control.np_control, v->control.ncr3,
		      v->control.event_inj);
	serial_drain();
}

/* L1's IF is 1 at VMRUN, as hypervisors have it, so the timer ends L2. */
static void run(struct vmcb *v, enum verdict verdict)
{
	struct vmcb before = *v;
	struct l1_state state = l1_state();
	int trap;

	if (tracing)
		trace(v, verdict);
	rnd_regs();
	apic_timer_arm(TIME_LIMIT);
	svm_clgi();
	sti();
	trap = svm_run_at((u64)v);
	cli();
	vmload((u64)&own);
	if (read_cr8())
		write_cr8(0);
	check_state(&state);
	if (rnd_once_in(16))
		check_gif();
	svm_stgi();
	apic_eoi(); /* of one that L2 took */
	l1_open();
	if (trap != NO_TRAP)
		failed("VMRUN trapped", (u64)trap);
	if (tracing)
		serial_printf("# exit %lx at %lx\n", v->control.exit_code,
			      v->save.rip);
	check_exit(v, verdict);
	check_block(&before, v);
}

/* Operands that are no page of L1's memory. */
static void run_nothing(void)
{
	u64 pa = rnd_page(), start_of_block, end;
	bool whole;

	nestbox_block(&start_of_block, &end);
	whole = pa % PAGE_SIZE == 0;
	if (rnd_once_in(2) || pa < start_of_block || pa >= end) {
		pa |= 1 + rnd_below(PAGE_SIZE - 1);
		whole = false;
	}
	if (tracing)
		serial_printf("# %lu: operand %lx\n", number, pa);
	seen.traps++;
	if (svm_run_at(pa) != VECTOR_GP)
		failed(whole ? "VMRUN takes L0's memory" : "VMRUN takes", pa);
}

static void one(void)
{
	struct vmcb *v = &blocks[rnd_below(BLOCKS)];

	if (number % PERIOD == 0)
		world_fill();
	if (number % DAMAGE == 0)
		world_damage();
	if (rnd_once_in(32)) {
		run_nothing();
		return;
	}
	if (rnd_once_in(AGAIN) && v->control.asid) {
		block_change(v);
		run(v, MAY_RUN);
	} else {
		run(v, block_make(v));
	}
	if (number % PERIOD == PERIOD - 1)
		check_memory();
}

static void run_all(u64 vmruns)
{
	constant_hash = hash_constants();
	for (number = 0; number < vmruns && failures < FAILURES; number++) {
		one();
		if (number % PROGRESS == PROGRESS - 1)
			serial_printf("# %lu VMRUNs\n", number + 1);
	}
}

int main(const char *cmdline)
{
	u64 seed = 1, vmruns = 20000;

	serial_init();
	if (!cmdline_number(cmdline, "seed", &seed) ||
	    !cmdline_number(cmdline, "vmruns", &vmruns) ||
	    !cmdline_number(cmdline, "trace", &tracing) || !nestbox_below()) {
		serial_printf("error: wrong options, or not on nestbox.elf\n");
		return EXIT_USAGE;
	}
	idt_init();
	l1_init();
	if (!svm_init()) {
		serial_printf("1..0 # SKIP no SVM\n");
		return EXIT_OK;
	}
	rnd_seed(seed);
	apic_timer_start(L1_VECTOR_TIMER);
	vmsave((u64)&own);
	world_init();
	tap_plan(TESTS);
	tap_ok(nestbox_token(token), "there is a token");
	run_all(vmruns);
	tap_ok(!failures, "seed %lu, %lu VMRUNs: L1 is well", seed, vmruns);
	tap_ok(seen.refused && seen.faults && seen.interrupts && seen.others,
	       "%lu trapped, %lu refused, %lu faults, %lu interrupts, "
	       "%lu others",
	       seen.traps, seen.refused, seen.faults, seen.interrupts,
	       seen.others);
	return tap_done();
}
