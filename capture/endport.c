/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/endport.h"

#include <stdlib.h>
#include <string.h>

#define MAX_ENDS  4
#define MAX_PORTS 0x10000

struct end {
	u16 port;
	u32 bits;
};

static struct {
	void (*hit)(void);
	struct end end[MAX_ENDS];
	size_t ends;
	struct qemu_plugin_register *rax, *rdx;
	GByteArray *value; /* of the register last read */
} self;

const char *endport_add(const char *text)
{
	struct end *end = &self.end[self.ends];
	char *rest;

	if (self.ends == MAX_ENDS)
		return "too many ports";
	end->port = (u16)strtoul(text, &rest, 16);
	if (*rest != '/')
		return "not PORT/BITS";
	end->bits = (u32)strtoul(rest + 1, &rest, 16);
	if (*rest)
		return "not PORT/BITS";
	self.ends++;
	return NULL;
}

static u64 read_register(struct qemu_plugin_register *which)
{
	u64 value = 0;

	g_byte_array_set_size(self.value, 0);
	if (qemu_plugin_read_register(which, self.value) == sizeof(value))
		memcpy(&value, self.value->data, sizeof(value));
	return value;
}

/* @data: the port, or MAX_PORTS for the one in DX. */
static void on_out(unsigned translator, void *data)
{
	uintptr_t port = (uintptr_t)data;
	u32 value = (u32)read_register(self.rax);

	(void)translator;
	if (port == MAX_PORTS)
		port = (u16)read_register(self.rdx);
	for (size_t i = 0; i < self.ends; i++)
		if (self.end[i].port == port &&
		    (value & self.end[i].bits) == self.end[i].bits)
			self.hit();
}

/* OUT (APM vol. 3); its string form switches no machine off. */
void endport_watch(struct qemu_plugin_insn *insn, const u8 *bytes, size_t len)
{
	size_t at = len > 1 && bytes[0] == 0x66;
	uintptr_t port;

	if (!self.ends)
		return;
	if (len == at + 2 && (bytes[at] & 0xfe) == 0xe6)
		port = bytes[at + 1];
	else if (len == at + 1 && (bytes[at] & 0xfe) == 0xee)
		port = MAX_PORTS;
	else
		return;
	qemu_plugin_register_vcpu_insn_exec_cb(
		insn, on_out, QEMU_PLUGIN_CB_R_REGS, (void *)port);
}

static void on_cpu(qemu_plugin_id_t id, unsigned cpu)
{
	GArray *all = qemu_plugin_get_registers();
	const qemu_plugin_reg_descriptor *reg = all->data;

	(void)id;
	(void)cpu;
	for (unsigned i = 0; i < all->len; i++) {
		if (!strcmp(reg[i].name, "rax"))
			self.rax = reg[i].handle;
		if (!strcmp(reg[i].name, "rdx"))
			self.rdx = reg[i].handle;
	}
}

void endport_start(qemu_plugin_id_t id, void (*hit)(void))
{
	self.hit = hit;
	self.value = g_byte_array_new();
	qemu_plugin_register_vcpu_init_cb(id, on_cpu);
}
