/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of QEMU's TCG plugin interface that is the same in versions 1 to 3.
 * Included by capture/qemu_plugin.h and capture/qemu_plugin_v1.h only.
 * Source: QEMU's documentation, docs/devel/tcg-plugins.
 */
#pragma once

#include "lib/types.h"

#define QEMU_PLUGIN_EXPORT __attribute__((visibility("default")))

typedef u64 qemu_plugin_id_t;

struct qemu_plugin_tb;
struct qemu_plugin_insn;

struct qemu_info_t {
	const char *target_name;
	struct {
		int min;
		int cur;
	} version;
	bool system_emulation;
	struct {
		int smp_vcpus;
		int max_vcpus;
	} system;
};

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_CB_R_REGS };
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

typedef u32 qemu_plugin_meminfo_t;

enum qemu_plugin_mem_rw {
	QEMU_PLUGIN_MEM_R = 1,
	QEMU_PLUGIN_MEM_W,
	QEMU_PLUGIN_MEM_RW
};

typedef void qemu_plugin_tb_cb(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void qemu_plugin_exec_cb(unsigned cpu, void *data);
typedef void qemu_plugin_vcpu_cb(qemu_plugin_id_t id, unsigned cpu);
typedef void qemu_plugin_exit_cb(qemu_plugin_id_t id, void *data);
typedef void qemu_plugin_mem_cb(unsigned cpu, qemu_plugin_meminfo_t info,
				u64 vaddr, void *data);

extern QEMU_PLUGIN_EXPORT int qemu_plugin_version;
QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id,
					   const struct qemu_info_t *info,
					   int argc, char **argv);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   qemu_plugin_tb_cb *cb);
void qemu_plugin_register_vcpu_init_cb(qemu_plugin_id_t id,
				       qemu_plugin_vcpu_cb *cb);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id,
				    qemu_plugin_exit_cb *cb, void *data);
void qemu_plugin_outs(const char *text);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(
	const struct qemu_plugin_tb *tb, size_t index);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
u64 qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);

void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    qemu_plugin_exec_cb *cb,
					    enum qemu_plugin_cb_flags flags,
					    void *data);

void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      qemu_plugin_mem_cb *cb,
				      enum qemu_plugin_cb_flags flags,
				      enum qemu_plugin_mem_rw rw, void *data);

unsigned qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t info); /* log2 */
bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info);
