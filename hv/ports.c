/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/ports.h"

#include "hv/panic.h"
#include "hv/run.h"
#include "lib/cpu.h"
#include "lib/x86dec.h"

#define MAX_RANGES 8

/* EXITINFO1 of an I/O exit (APM vol. 2, 15.10.2). */
#define IO_IN	      0x01u
#define IO_STRING     0x04u
#define IO_SIZE_SHIFT 4
#define IO_SIZE_MASK  0x7u

static struct {
	struct port_range range[MAX_RANGES];
	size_t n;
} trapped;

void ports_add(const struct port_range *range)
{
	if (trapped.n == MAX_RANGES)
		panic("too many trapped port ranges");
	trapped.range[trapped.n++] = *range;
	for (u32 port = range->first; port <= range->last; port++)
		vmm->trap_port((u16)port);
}

u32 port_in(struct vcpu *v, u16 port, unsigned bytes)
{
	(void)v;
	if (bytes == 1)
		return inb(port);
	return bytes == 2 ? inw(port) : inl(port);
}

void port_out(struct vcpu *v, u16 port, unsigned bytes, u32 value)
{
	(void)v;
	if (bytes == 1)
		outb(port, (u8)value);
	else if (bytes == 2)
		outw(port, (u16)value);
	else
		outl(port, value);
}

u32 port_in_ones(struct vcpu *v, u16 port, unsigned bytes)
{
	(void)v;
	(void)port;
	return (u32)x86_cut(~0ull, bytes);
}

void port_out_nothing(struct vcpu *v, u16 port, unsigned bytes, u32 value)
{
	(void)v;
	(void)port;
	(void)bytes;
	(void)value;
}

static u16 port_of(const struct exit *exit)
{
	return (u16)(exit->info1 >> 16);
}

static unsigned bytes_of(const struct exit *exit)
{
	return exit->info1 >> IO_SIZE_SHIFT & IO_SIZE_MASK;
}

bool ports_are_trapped(const struct exit *exit)
{
	u32 first = port_of(exit), last = first + bytes_of(exit) - 1;

	for (size_t i = 0; i < trapped.n; i++)
		if (last >= trapped.range[i].first &&
		    first <= trapped.range[i].last)
			return true;
	return false;
}

static const struct port_range *find(const struct vcpu *v,
				     const struct exit *exit)
{
	static const struct port_range none = {.read = port_in_ones,
					       .write = port_out_nothing};
	static const struct port_range machine = {.read = port_in,
						  .write = port_out};
	u16 port = port_of(exit);

	for (size_t i = 0; i < trapped.n; i++)
		if (port >= trapped.range[i].first &&
		    port <= trapped.range[i].last)
			return &trapped.range[i];
	return v->level == 1 || ports_are_trapped(exit) ? &none : &machine;
}

bool ports_access(struct vcpu *v, const struct exit *exit)
{
	u16 port = port_of(exit);
	unsigned bytes = bytes_of(exit);
	const struct port_range *range = find(v, exit);
	u64 *rax = &v->regs.gpr[RAX], mask = x86_cut(~0ull, bytes);

	if (exit->info1 & IO_STRING)
		return false;
	if (exit->info1 & IO_IN)
		*rax = (bytes == 4 ? 0 : *rax & ~mask) |
		       (range->read(v, port, bytes) & mask);
	else
		range->write(v, port, bytes, (u32)(*rax & mask));
	return true;
}
