/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/trap.h"

#include "hv/console.h"
#include "hv/panic.h"
#include "hv/percpu.h"
#include "lib/cpu.h"

#define GATE_INTERRUPT 0x8e00ul
#define STUB_SIZE      16 /* vectors.S */

extern const u8 trap_stubs[];
void trap_dispatch(struct trap_frame *f);

static u64 idt[2 * EXCEPTIONS];

void trap_init(void)
{
	for (unsigned v = 0; v < EXCEPTIONS; v++) {
		u64 to = (u64)trap_stubs + (u64)v * STUB_SIZE;

		idt[2ul * v] = (to & 0xffff) | (u64)SEL_CODE64 << 16 |
			       GATE_INTERRUPT << 32 | (to >> 16 & 0xffff) << 48;
		idt[2ul * v + 1] = to >> 32;
	}
}

void trap_load(void)
{
	const struct table_pointer p = {sizeof(idt) - 1, (u64)idt};

	lidt(&p);
}

void trap_dispatch(struct trap_frame *f)
{
	if (f->vector == VECTOR_NMI) {
		this_cpu()->nmi_taken = true;
		return;
	}
	say("exception %lu error %lx at %lx, cr2 %lx, rsp %lx\n", f->vector,
	    f->error, f->rip, read_cr2(), f->rsp);
	say("rax %lx rcx %lx rdx %lx rbx %lx rsi %lx rdi %lx\n", f->rax, f->rcx,
	    f->rdx, f->rbx, f->rsi, f->rdi);
	panic("exception %lu in L0", f->vector);
}
