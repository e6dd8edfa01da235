/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/mmio.h"

#include "hv/emulate.h"
#include "hv/gwalk.h"
#include "hv/insn.h"
#include "hv/panic.h"
#include "hv/run.h"
#include "hv/space.h"
#include "lib/x86.h"

#define MAX_RANGES 8

static struct {
	struct mmio_range range[MAX_RANGES];
	size_t n;
} trapped;

/* An access on its way: what struct operand's callbacks need. */
struct access {
	struct vcpu *v;
	const struct guest_view *view;
	const struct x86_insn *insn;
	const struct mmio_range *range;
};

void mmio_add(const struct mmio_range *range)
{
	if (trapped.n == MAX_RANGES)
		panic("too many trapped ranges");
	trapped.range[trapped.n++] = *range;
}

u64 mmio_read_ones(struct vcpu *v, const struct mmio_range *r, u64 offset,
		   unsigned bytes)
{
	(void)v;
	(void)r;
	(void)offset;
	return x86_cut(~0ull, bytes);
}

void mmio_write_nothing(struct vcpu *v, const struct mmio_range *r, u64 offset,
			unsigned bytes, u64 value)
{
	(void)v;
	(void)r;
	(void)offset;
	(void)bytes;
	(void)value;
}

static u64 read(const struct operand *o, unsigned bytes)
{
	const struct access *a = o->ctx;

	return a->range->read(a->v, a->range, o->address, bytes);
}

static void write(const struct operand *o, unsigned bytes, u64 value)
{
	const struct access *a = o->ctx;

	a->range->write(a->v, a->range, o->address, bytes, value);
}

/* The linear address of the operand that ModRM or rSI names. */
static u64 linear(const struct access *a)
{
	const struct x86_insn *i = a->insn;
	u64 offset = x86_offset(i, a->v->regs.gpr, a->v->regs.rip);

	return x86_linear(i, i->mem.seg, a->view->seg_base[i->mem.seg], offset);
}

static bool source(const struct operand *o, unsigned bytes, u64 *value)
{
	const struct access *a = o->ctx;

	*value = 0;
	return gwalk_read(insn_memory(a->v), a->view, linear(a), value,
			  bytes) == bytes;
}

/* An access that begins in the page before is not the range's alone. */
static bool crosses_into(const struct access *a, u64 pa)
{
	return a->insn->kind != X86_MOVS && a->insn->has_mem &&
	       (linear(a) ^ pa) % PAGE_SIZE;
}

static const struct mmio_range *find(u64 pa)
{
	for (size_t i = 0; i < trapped.n; i++)
		if (pa >= trapped.range[i].start && pa < trapped.range[i].end)
			return &trapped.range[i];
	return NULL;
}

const struct mmio_range *mmio_get(size_t i)
{
	return i < trapped.n ? &trapped.range[i] : NULL;
}

bool mmio_is_trapped(u64 start, u64 end)
{
	for (size_t i = 0; i < trapped.n; i++)
		if (start < trapped.range[i].end &&
		    end > trapped.range[i].start)
			return true;
	return false;
}

enum mmio_result mmio_access(struct vcpu *v, u64 pa, bool writes)
{
	static const enum mmio_result results[] = {
		[EMULATE_UNKNOWN] = MMIO_UNKNOWN,
		[EMULATE_DONE] = MMIO_DONE,
		[EMULATE_AGAIN] = MMIO_AGAIN,
	};
	struct guest_view view;
	struct x86_insn insn;
	struct access a = {v, &view, &insn, find(pa)};
	struct operand o = {
		.read = read, .write = write, .source = source, .ctx = &a};

	if (!a.range)
		return MMIO_UNKNOWN;
	o.address = pa - a.range->start;
	vmm->view(v, &view);
	if (!insn_fetch(v, &view, &insn) || crosses_into(&a, pa))
		return MMIO_UNKNOWN;
	return results[emulate(&insn, v->regs.gpr, &v->regs.rflags, &o,
			       writes)];
}
