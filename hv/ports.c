/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/ports.h"

#include "hv/panic.h"
#include "hv/run.h"
#include "lib/cpu.h"

#define MAX_WATCHED 4

/* EXITINFO1 of an I/O exit (APM vol. 2, 15.10.2). */
#define IO_IN	   0x01u
#define IO_SIZE_8  0x10u
#define IO_SIZE_16 0x20u

static struct {
	u16 port;
	port_watcher *watcher;
} watched[MAX_WATCHED];

void ports_watch(u16 port, port_watcher *watcher)
{
	for (unsigned i = 0; i < MAX_WATCHED; i++)
		if (!watched[i].watcher) {
			watched[i].port = port;
			watched[i].watcher = watcher;
			vmm->trap_port(port);
			return;
		}
	panic("too many watched ports");
}

static u32 in(u16 port, u64 how)
{
	if (how & IO_SIZE_8)
		return inb(port);
	return how & IO_SIZE_16 ? inw(port) : inl(port);
}

static void out(u16 port, u64 how, u32 value)
{
	if (how & IO_SIZE_8)
		outb(port, (u8)value);
	else if (how & IO_SIZE_16)
		outw(port, (u16)value);
	else
		outl(port, value);
}

/* A narrow IN leaves the rest of RAX; a 32-bit one clears the upper half. */
static u64 merge(u64 rax, u64 how, u32 value)
{
	if (how & IO_SIZE_8)
		return (rax & ~0xffull) | value;
	return how & IO_SIZE_16 ? (rax & ~0xffffull) | value : value;
}

void ports_access(struct vcpu *v, const struct exit *exit)
{
	u16 port = (u16)(exit->info1 >> 16);
	u64 *rax = &v->regs.gpr[RAX];

	if (exit->info1 & IO_IN) {
		*rax = merge(*rax, exit->info1, in(port, exit->info1));
		return;
	}
	for (unsigned i = 0; i < MAX_WATCHED && watched[i].watcher; i++)
		if (watched[i].port == port)
			watched[i].watcher(v, (u32)*rax);
	out(port, exit->info1, (u32)*rax);
}
