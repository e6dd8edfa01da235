/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What SVM's instructions cost a hypervisor that is bare: the payload is L1,
 * its guest does next to nothing. In ticks of the time-stamp counter, which are
 * instructions where the emulator counts (doc/instrument.md); the least and the
 * mean of RUNS. What reads the counter is taken off.
 */
#include "guest/lib/exit.h"
#include "guest/lib/idt.h"
#include "guest/lib/serial.h"
#include "guest/test/svm.h"
#include "lib/cpu.h"

#define RUNS 200

struct cost {
	const char *name;
	u64 least, sum;
};

/* RBX: when the guest began, RCX: when it is about to end. */
SVM_CODE(stamp, "rdtsc\n\t"
		"shl $32, %rdx\n\t"
		"or %rdx, %rax\n\t"
		"mov %rax, %rbx\n\t"
		"rdtsc\n\t"
		"shl $32, %rdx\n\t"
		"or %rdx, %rax\n\t"
		"mov %rax, %rcx")

static u64 overhead;

static void add(struct cost *c, u64 ticks)
{
	ticks = ticks > overhead ? ticks - overhead : 0;
	if (!c->least || ticks < c->least)
		c->least = ticks;
	c->sum += ticks;
}

static void print(const struct cost *c)
{
	serial_printf("cost %s %lu %lu\n", c->name, c->least, c->sum / RUNS);
}

static void calibrate(void)
{
	u64 begin = rdtsc();

	overhead = rdtsc() - begin;
}

/* @clean: VMCB clean bits; a CPU without them ignores those. */
static void run_guests(const char *name_vmrun, const char *name_exit, u32 clean)
{
	struct cost vmrun = {.name = name_vmrun}, exit = {.name = name_exit};

	for (int i = 0; i < RUNS; i++) {
		u64 begin = rdtsc(), end;

		svm_vmcb.save.rip = (u64)stamp;
		svm_run_raw();
		end = rdtsc();
		add(&vmrun, svm_regs.rbx - begin);
		add(&exit, end - svm_regs.rcx);
		svm_stgi();
		svm_vmcb.control.tlb_control = VMCB_TLB_KEEP;
		svm_vmcb.control.clean = clean;
	}
	print(&vmrun);
	print(&exit);
}

#define MEASURE(insn)                                                      \
	do {                                                               \
		struct cost cost = {.name = #insn};                        \
                                                                           \
		for (int i = 0; i < RUNS; i++) {                           \
			u64 begin = rdtsc();                               \
                                                                           \
			__asm__ volatile(#insn                             \
					 :                                 \
					 : "a"(&svm_vmcb)                  \
					 : "rbx", "rcx", "rdx", "memory"); \
			add(&cost, rdtsc() - begin);                       \
		}                                                          \
		print(&cost);                                              \
	} while (0)

int main(void)
{
	serial_init();
	idt_init();
	if (!svm_init()) {
		serial_printf("error this CPU has no SVM\n");
		return EXIT_FAIL;
	}
	svm_reset();
	calibrate();
	run_guests("vmrun", "exit", 0);
	run_guests("vmrun-clean", "exit-clean", ~0u);
	MEASURE(vmsave);
	MEASURE(vmload);
	MEASURE(clgi);
	MEASURE(stgi);
	serial_printf("done\n");
	return EXIT_OK;
}
