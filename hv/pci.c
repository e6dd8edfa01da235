/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/pci.h"

#include "hv/panic.h"
#include "hv/ports.h"
#include "lib/cpu.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define MAX_HIDDEN     8

static struct {
	u16 function[MAX_HIDDEN];
	size_t n;
} hidden;

/* The address register is the machine's: what it names now. */
static bool is_hidden(void)
{
	u16 function = (u16)(inl(CONFIG_ADDRESS) >> 8);

	for (size_t i = 0; i < hidden.n; i++)
		if (hidden.function[i] == function)
			return true;
	return false;
}

static u32 read(struct vcpu *v, u16 port, unsigned bytes)
{
	return (is_hidden() ? port_in_ones : port_in)(v, port, bytes);
}

static void write(struct vcpu *v, u16 port, unsigned bytes, u32 value)
{
	(is_hidden() ? port_out_nothing : port_out)(v, port, bytes, value);
}

void pci_hide(u16 function)
{
	if (hidden.n == MAX_HIDDEN)
		panic("too many hidden PCI functions");
	if (!hidden.n)
		ports_add(&(struct port_range){.name = "PCI configuration",
					       .first = CONFIG_DATA,
					       .last = CONFIG_DATA + 3,
					       .read = read,
					       .write = write});
	hidden.function[hidden.n++] = function;
}
