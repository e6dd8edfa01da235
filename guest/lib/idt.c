/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/idt.h"

#include "lib/cpu.h"
#include "guest/lib/exit.h"
#include "guest/lib/serial.h"

/* vectors.S */
extern const u8 trap_stubs[VECTORS][STUB_ALIGN];
extern const u8 trap_caught[];
extern u64 trap_resume;
void trap_dispatch(struct trap_frame *f);

static struct idt_gate idt[VECTORS];
static trap_handler *handlers[VECTORS];
u64 trap_resume; /* RSP inside trap_try(); 0 outside */

void idt_load(void)
{
	const struct table_pointer p = {sizeof(idt) - 1, (u64)idt};

	lidt(&p);
}

void idt_init(void)
{
	for (unsigned v = 0; v < VECTORS; v++)
		idt[v] = idt_gate(SEL_CODE64, (u64)trap_stubs[v]);
	idt_load();
}

trap_handler *idt_handle(unsigned vector, trap_handler *handler)
{
	trap_handler *old = handlers[vector];

	handlers[vector] = handler;
	return old;
}

/* Makes the IRET of @f return from trap_try() with the vector. */
static void resume_try(struct trap_frame *f)
{
	f->rip = (u64)trap_caught;
	f->rsp = trap_resume;
	f->cs = SEL_CODE64; /* fn may have changed its mode */
	f->ss = SEL_DATA;
	f->rflags &= ~(u64)(RFLAGS_TF | RFLAGS_DF);
	f->rax = f->vector;
}

void trap_dispatch(struct trap_frame *f)
{
	if (handlers[f->vector]) {
		handlers[f->vector](f);
		return;
	}
	if (f->vector < EXCEPTIONS && trap_resume) {
		resume_try(f);
		return;
	}
	serial_printf("error trap %lu code %lx rip %lx cr2 %lx rsp %lx\n",
		      f->vector, f->error, f->rip, read_cr2(), f->rsp);
	guest_exit(EXIT_TRAP);
}
