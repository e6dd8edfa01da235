/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/idt.h"

#include "lib/cpu.h"
#include "guest/lib/exit.h"
#include "guest/lib/serial.h"

#define GATE_INTERRUPT 0x8e /* present, DPL 0, 64-bit interrupt gate */

struct idt_gate {
	u16 offset_0;
	u16 selector;
	u8 ist;
	u8 type;
	u16 offset_16;
	u32 offset_32;
	u32 reserved_0xc;
};
ASSERT_SIZE(idt_gate, 16);

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
	for (unsigned v = 0; v < VECTORS; v++) {
		u64 stub = (u64)trap_stubs[v];

		idt[v] = (struct idt_gate){
			.offset_0 = (u16)stub,
			.selector = SEL_CODE64,
			.type = GATE_INTERRUPT,
			.offset_16 = (u16)(stub >> 16),
			.offset_32 = (u32)(stub >> 32),
		};
	}
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
