/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/trap.h"

#include "hv/console.h"
#include "hv/panic.h"
#include "hv/percpu.h"
#include "hv/safe.h"
#include "lib/cpu.h"
#include "lib/trap.h"

extern const struct fixup fixups_start[], fixups_end[]; /* hv.ld */
extern const u8 trap_stubs[EXCEPTIONS][STUB_ALIGN];	/* vectors.S */
void trap_dispatch(struct trap_frame *f);

static struct idt_gate idt[EXCEPTIONS];

void trap_init(void)
{
	for (unsigned v = 0; v < EXCEPTIONS; v++)
		idt[v] = idt_gate(SEL_CODE64, (u64)trap_stubs[v]);
}

void trap_load(void)
{
	const struct table_pointer p = {sizeof(idt) - 1, (u64)idt};

	lidt(&p);
}

static bool fix(struct trap_frame *f)
{
	size_t n = ((u64)fixups_end - (u64)fixups_start) / sizeof(struct fixup);

	for (size_t i = 0; i < n; i++)
		if (fixups_start[i].at == f->rip) {
			f->rip = fixups_start[i].to;
			return true;
		}
	return false;
}

void trap_dispatch(struct trap_frame *f)
{
	bool fixed = fix(f);

	if (f->vector == VECTOR_NMI)
		this_cpu()->nmi_taken = true;
	if (fixed || f->vector == VECTOR_NMI)
		return;
	say("exception %lu error %lx at %lx, cr2 %lx, rsp %lx\n", f->vector,
	    f->error, f->rip, read_cr2(), f->rsp);
	say("rax %lx rcx %lx rdx %lx rbx %lx rsi %lx rdi %lx\n", f->rax, f->rcx,
	    f->rdx, f->rbx, f->rsi, f->rdi);
	panic("exception %lu in L0", f->vector);
}
