/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of QEMU's TCG plugin interface, version 3 (QEMU 9.1 and later),
 * that the plugins here use. Debian does not package the header; a plugin's
 * undefined symbols bind to the emulator that loads it, and QEMU refuses one
 * whose qemu_plugin_version it does not support.
 * Source: QEMU's documentation, docs/devel/tcg-plugins.
 */
#pragma once

#include "capture/qemu_plugin_any.h"

#define QEMU_PLUGIN_VERSION 3

struct qemu_plugin_scoreboard;

typedef struct {
	struct qemu_plugin_scoreboard *score;
	size_t offset;
} qemu_plugin_u64;

struct qemu_plugin_hwaddr;
struct qemu_plugin_register;

typedef struct {
	struct qemu_plugin_register *handle;
	const char *name;
	const char *feature;
} qemu_plugin_reg_descriptor;

/* GLib's, as far as a reader needs them; the emulator brings GLib. */
typedef struct {
	void *data;
	unsigned len;
} GArray;

typedef struct {
	u8 *data;
	unsigned len;
} GByteArray;

GByteArray *g_byte_array_new(void);
GByteArray *g_byte_array_set_size(GByteArray *array, unsigned length);

typedef void qemu_plugin_simple_cb(qemu_plugin_id_t id);

/* Forgets all callbacks and translations, and calls @done, when the CPU has
 * ended its block. */
void qemu_plugin_reset(qemu_plugin_id_t id, qemu_plugin_simple_cb *done);

size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to,
			     size_t size);

void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
	struct qemu_plugin_insn *insn, enum qemu_plugin_op op,
	qemu_plugin_u64 entry, u64 imm);

/* Only in a callback for that access; NULL if it is not known. */
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(qemu_plugin_meminfo_t info,
						  u64 vaddr);
u64 qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *where);

/* Of qemu_plugin_reg_descriptor; only in a callback for a CPU's start. */
GArray *qemu_plugin_get_registers(void);
/* Appends; returns the size or -1. Only in a callback with ..._R_REGS. */
int qemu_plugin_read_register(struct qemu_plugin_register *handle,
			      GByteArray *to);

struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t element_size);
u64 qemu_plugin_u64_get(qemu_plugin_u64 entry, unsigned cpu);
/* The element of a CPU. */
void *qemu_plugin_scoreboard_find(struct qemu_plugin_scoreboard *score,
				  unsigned cpu);
