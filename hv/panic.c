/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/panic.h"

#include <stdarg.h>

#include "hv/console.h"
#include "hv/run.h"
#include "hv/smp.h"
#include "hv/seal.h"
#include "lib/cpu.h"
#include "lib/fmt.h"

#define RESET_PORT    0xcf9
#define RESET_HARD    0x06
#define KEYBOARD_PORT 0x64
#define KEYBOARD_RST  0xfe

static bool resets;

void panic_resets(bool on)
{
	resets = on;
}

void panic_stop(void)
{
	cli();
	for (;;)
		hlt();
}

static void __attribute__((noreturn)) end(void)
{
	if (resets)
		machine_reset();
	panic_stop();
}

static void say_line(const char *what, const char *fmt, va_list ap)
{
	char text[200];

	console_quiet(false);

	fmt_vformat(text, sizeof(text), fmt, ap);
	say("nestbox: %s%s\n", what, text);
}

static void dump_guest(const struct cpu *cpu)
{
	const struct regs *r = &cpu->vcpu.regs;

	say("CPU %u, guest rip %lx rflags %lx rsp %lx\n", cpu->id, r->rip,
	    r->rflags, r->gpr[RSP]);
	for (unsigned i = 0; i < GPRS; i += 4)
		say("  %2u: %016lx %016lx %016lx %016lx\n", i, r->gpr[i],
		    r->gpr[i + 1], r->gpr[i + 2], r->gpr[i + 3]);
	if (cpu->vcpu.backend)
		vmm->dump(&cpu->vcpu);
	seal_show();
	say("last exits:\n");
	account_dump_ring(&cpu->account, say);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	smp_stop_others();
	va_start(ap, fmt);
	say_line("panic: ", fmt, ap);
	va_end(ap);
	dump_guest(this_cpu());
	end();
}

void give_up(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_line("", fmt, ap);
	va_end(ap);
	end();
}

/* Two ways that PCs have; then a triple fault. */
void machine_reset(void)
{
	const struct table_pointer none = {0};

	outb(RESET_PORT, RESET_HARD);
	outb(KEYBOARD_PORT, KEYBOARD_RST);
	for (unsigned i = 0; i < 100000; i++)
		pause();
	lidt(&none);
	int3();
	panic_stop();
}
