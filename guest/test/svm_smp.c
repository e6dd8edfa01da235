/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two CPUs (AMD APM vol. 2, 15.13, 15.21 and 15.25.5): CPU 0 runs L2; meanwhile
 * CPU 1 interrupts it, works on the nested tables that L2 runs on, whose
 * accessed and dirty bits L2's accesses set, or runs a guest on them itself.
 */
#include "guest/lib/apic.h"
#include "guest/lib/idt.h"
#include "guest/lib/serial.h"
#include "guest/lib/smp.h"
#include "guest/test/svm_l1.h"
#include "guest/test/svm_l2.h"
#include "lib/cpu.h"
#include "lib/string.h"

#define TAKEN	   0x7a
#define PAGES	   16u
#define BASE	   (SVM_SCRATCH + 0x40000)
#define BURST	   5u /* times that L2 writes all pages before an exit */
#define RUNS_MAX   100000u
#define ROUNDS	   200u
#define FLUSHES	   5000u
#define STEP	   37u /* of ticks */
#define LAST_STEP  5000u
#define IPIS	   200u
#define WAIT_TURNS 10000000u
#define DELAY	   100u
#define SOFTWARE   0xe00ull /* bits of an entry that are L1's own */
#define AD	   ((u64)(PTE_ACCESSED | PTE_DIRTY))

int main(const char *cmdline);

/* RBX: a word that says to CPU 1 that L2 runs. The loops end by themselves,
 * much later than CPU 1 is needed. */
SVM_CODE(taken, "mov $0x7a, %ecx")
SVM_CODE(do_spin,
	 "movl $1, (%rbx); mov $2000000, %edx; 1: pause; dec %edx; jnz 1b")
SVM_CODE(do_hlt, "movl $1, (%rbx); hlt; nop")
SVM_CODE(do_sti_hlt, "movl $1, (%rbx); sti; hlt; nop")
/* In the nested table that both CPUs change: BASE. */
SVM_CODE(do_touch, "mov $0x2040000, %ebx; mov (%rbx), %rcx")
/* Adds 1 to a word of each page from RSI on, RDX times. */
SVM_CODE(do_writes, "2: pause; mov %rsi, %rbx; mov $16, %ecx;"
		    "1: incq (%rbx); add $0x1000, %rbx; dec %ecx; jnz 1b;"
		    "dec %rdx; jnz 2b")

static volatile u32 *const running = (u32 *)SVM_PAGE_B;

static void delay(void)
{
	for (unsigned i = 0; i < DELAY; i++)
		pause();
}

/* Interrupts by the other CPU ***********************************************/

/* CPU 1. @command: as for apic_send(). */
static void kick(void *command)
{
	for (unsigned i = 0; !*running && i < WAIT_TURNS; i++)
		pause();
	delay();
	apic_send(smp_apic_id(0), ICR_ASSERT | (u32)(u64)command);
}

/* Runs L2 while CPU 1 sends command .arg. */
static u64 run_kicked(const struct l2_row *r, bool open)
{
	u64 exit;

	*running = 0;
	svm_regs.rbx = SVM_PAGE_B;
	smp_run(1, kick, (void *)r->arg);
	svm_clgi();
	exit = open ? l1_run_open(r->code) : l1_run(r->code);
	if (!smp_wait(1))
		l2_expect("CPU 1", 0, 1);
	return exit;
}

/* An exit, with L2 at .set or, if that is 0, where it loops. */
static void kicked_out(const struct l2_row *r)
{
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_INTR);
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_NMI);
	svm_vmcb.control.int_ctl = VMCB_V_INTR_MASKING;
	l2_expect("exit", run_kicked(r, true), r->want);
	if (r->set)
		l2_expect("offset", svm_vmcb.save.rip - (u64)r->code, r->set);
	l2_expect("early", l1_interrupts + l1_nmis, 0);
	svm_stgi();
	l1_open();
	l2_expect("interrupts", l1_interrupts, r->want == VMCB_EXIT_INTR);
	l2_expect("NMIs", l1_nmis, r->want == VMCB_EXIT_NMI);
	l1_settle();
}

/* L2's own handler gets it. */
static void kicked_inside(const struct l2_row *r)
{
	svm_gate(L1_VECTOR, taken);
	svm_gate(VECTOR_NMI, taken);
	svm_vmcb.save.rflags |= RFLAGS_IF;
	l2_expect("exit", run_kicked(r, false), VMCB_EXIT_VMMCALL);
	l2_expect("handler", svm_regs.rcx, TAKEN);
	svm_stgi();
	l1_open();
	l2_expect("of L1", l1_interrupts + l1_nmis, 0);
	l1_settle();
}

/* CPU 1: an interrupt each time that CPU 0 has had the last one. */
static void kick_often(void *unused)
{
	(void)unused;
	for (unsigned n = 0; n < IPIS; n++) {
		for (unsigned i = 0; l1_interrupts < n && i < WAIT_TURNS; i++)
			pause();
		apic_send(smp_apic_id(0), ICR_ASSERT | ICR_FIXED | L1_VECTOR);
	}
}

/* None is lost, wherever between L1 and L2 it arrives. */
static void kicked_often(const struct l2_row *r)
{
	unsigned exits = 0;

	vmcb_intercept(&svm_vmcb, VMCB_EXIT_INTR);
	svm_vmcb.control.int_ctl = VMCB_V_INTR_MASKING;
	smp_run(1, kick_often, NULL);
	for (unsigned i = 0; l1_interrupts < IPIS && i < 2 * IPIS; i++) {
		svm_regs.rbx = SVM_PAGE_B;
		svm_clgi();
		exits += l1_run_open(r->code) == VMCB_EXIT_INTR;
		svm_stgi();
		l1_open();
	}
	l2_expect("interrupts", l1_interrupts, IPIS);
	l2_expect("many are exits", exits > IPIS / 2, true);
	l2_expect("CPU 1", smp_wait(1), true);
	l1_settle();
}

#define FIXED (ICR_FIXED | L1_VECTOR)

static const struct l2_row kicks[] = {
	L2_ROW("kick-interrupt", kicked_out, do_spin, .arg = FIXED,
	       .want = VMCB_EXIT_INTR),
	L2_ROW("kick-nmi", kicked_out, do_spin, .arg = ICR_NMI,
	       .want = VMCB_EXIT_NMI),
	L2_ROW("kick-interrupt-taken", kicked_inside, do_spin, .arg = FIXED),
	L2_ROW("kick-nmi-taken", kicked_inside, do_spin, .arg = ICR_NMI),
	L2_ROW("kick-hlt-interrupt", kicked_out, do_hlt, .arg = FIXED, .set = 7,
	       .want = VMCB_EXIT_INTR),
	L2_ROW("kick-hlt-nmi", kicked_out, do_hlt, .arg = ICR_NMI, .set = 7,
	       .want = VMCB_EXIT_NMI),
	L2_ROW("kick-hlt-interrupt-taken", kicked_inside, do_sti_hlt,
	       .arg = FIXED),
	L2_ROW("kick-hlt-nmi-taken", kicked_inside, do_sti_hlt, .arg = ICR_NMI),
	L2_ROW("kick-often", kicked_often, do_spin),
};

/* Nested tables that both work on *******************************************/

static struct {
	unsigned request, acknowledged; /* flushes, CPU 1 asks CPU 0 */
	bool done;			/* CPU 1 */
	unsigned lost, seen, broken;	/* what it found */
} race;

static volatile u64 *word(unsigned page)
{
	return (u64 *)(BASE + page * (u64)PAGE_SIZE);
}

static u64 *entry(unsigned page)
{
	return svm_npte(BASE + page * (u64)PAGE_SIZE);
}

/* CPU 1: from here on every write of L2 has to walk NPT12. */
static void ask_for_flush(void)
{
	unsigned want = __atomic_add_fetch(&race.request, 1, __ATOMIC_SEQ_CST);

	for (unsigned i = 0; i < WAIT_TURNS; i++) {
		if (__atomic_load_n(&race.acknowledged, __ATOMIC_SEQ_CST) ==
		    want)
			return;
		pause();
	}
	race.broken++;
}

/* What a hypervisor's dirty log does: clear, flush, look at the page; when it
 * has changed, D says so. */
static void log_dirty(void *unused)
{
	u64 before[PAGES];

	(void)unused;
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned p = 0; p < PAGES; p++)
			__atomic_and_fetch(entry(p), ~AD, __ATOMIC_SEQ_CST);
		ask_for_flush();
		for (unsigned p = 0; p < PAGES; p++)
			before[p] = *word(p);
		delay();
		for (unsigned p = 0; p < PAGES; p++) {
			bool written = *word(p) != before[p];

			race.seen += written;
			race.lost +=
				written &&
				!(__atomic_load_n(entry(p), __ATOMIC_SEQ_CST) &
				  PTE_DIRTY);
		}
	}
	__atomic_store_n(&race.done, true, __ATOMIC_SEQ_CST);
}

/* L1's own bits in the entries: no A or D that is set may undo a change. */
static void change_entries(void *unused)
{
	(void)unused;
	for (unsigned round = 0; round < ROUNDS; round++) {
		u64 own = (u64)round << 9 & SOFTWARE;

		for (unsigned p = 0; p < PAGES; p++) {
			__atomic_and_fetch(entry(p), ~(AD | SOFTWARE),
					   __ATOMIC_SEQ_CST);
			__atomic_or_fetch(entry(p), own, __ATOMIC_SEQ_CST);
		}
		ask_for_flush();
		delay();
		for (unsigned p = 0; p < PAGES; p++) {
			u64 e = __atomic_load_n(entry(p), __ATOMIC_SEQ_CST);

			race.seen += !!(e & PTE_DIRTY);
			race.lost +=
				(e & ~AD) != ((u64)word(p) | NPTE_ALL | own);
		}
	}
	__atomic_store_n(&race.done, true, __ATOMIC_SEQ_CST);
}

/* CPU 0: L2 in bursts, with a flush when CPU 1 has asked for one. */
static void write_in_bursts(svm_code *code)
{
	for (unsigned i = 0; i < RUNS_MAX && !race.done; i++) {
		unsigned request =
			__atomic_load_n(&race.request, __ATOMIC_SEQ_CST);

		svm_vmcb.control.tlb_control = request == race.acknowledged
						       ? VMCB_TLB_KEEP
						       : VMCB_TLB_FLUSH_ALL;
		svm_regs.rsi = BASE;
		svm_regs.rdx = BURST;
		if (!l2_expect_exit(code, VMCB_EXIT_VMMCALL))
			return;
		__atomic_store_n(&race.acknowledged, request, __ATOMIC_SEQ_CST);
	}
}

/* .arg: 0 for the log, 1 for the entries. */
static void raced(const struct l2_row *r)
{
	memset(&race, 0, sizeof(race));
	smp_run(1, r->arg ? change_entries : log_dirty, NULL);
	write_in_bursts(r->code);
	l2_expect("CPU 1", smp_wait(1), true);
	l2_expect("lost", race.lost, 0);
	l2_expect("flushes missed", race.broken, 0);
	l2_expect("some were written", race.seen > ROUNDS, true);
}

/* A guest of CPU 1's own, on the same nested tables. */
static struct vmcb other __attribute__((aligned(PAGE_SIZE)));
static u8 other_save[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

static void run_other(void)
{
	u64 pa = (u64)&other;

	__asm__ volatile("push %%rbp; vmrun; pop %%rbp; stgi"
			 : "+a"(pa)
			 :
			 : "rbx", "rcx", "rdx", "rsi", "rdi", "memory", "cc");
}

/* CPU 1. Each of its VMRUNs finds a table changed. */
static void flush_often(void *code)
{
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME | EFER_NXE);
	wrmsr(MSR_VM_HSAVE_PA, (u64)other_save);
	for (unsigned i = 0; i < FLUSHES; i++) {
		__atomic_and_fetch(entry(1), ~AD, __ATOMIC_SEQ_CST);
		other.save.rip = (u64)code;
		run_other();
		race.seen += other.control.exit_code == VMCB_EXIT_VMMCALL;
	}
}

/*
 * Both CPUs order flushes at once, and neither waits for the other forever. The
 * timer, which nobody takes, has an exact QEMU change CPUs at ever other
 * points.
 */
static void flushes(const struct l2_row *r)
{
	memset(&race, 0, sizeof(race));
	svm_vmcb.save.rip = (u64)r->code;
	other = svm_vmcb;
	other.control.asid = 2;
	smp_run(1, flush_often, (void *)(u64)r->code);
	apic_timer_start(L1_VECTOR_TIMER);
	for (unsigned i = 0; i < FLUSHES; i++) {
		apic_timer_arm(1 + i * STEP % LAST_STEP);
		__atomic_and_fetch(entry(0), ~AD, __ATOMIC_SEQ_CST);
		if (!l2_expect_exit(r->code, VMCB_EXIT_VMMCALL))
			break;
	}
	l2_expect("CPU 1", smp_wait(1), true);
	l2_expect("exits of CPU 1", race.seen, FLUSHES);
	l1_settle();
}

static const struct l2_row races[] = {
	L2_ROW("race-flushes", flushes, do_touch),
	L2_ROW("race-dirty-log", raced, do_writes),
	L2_ROW("race-entries", raced, do_writes, .arg = 1),
};

static const struct l2_table tables[] = {
	L2_TABLE(kicks),
	L2_TABLE(races),
};

int main(const char *cmdline)
{
	idt_init();
	l1_init();
	if (smp_init() < 2) {
		serial_printf("1..0 # SKIP one CPU only\n");
		return 0;
	}
	return l2_main(cmdline, tables, ARRAY_SIZE(tables));
}
