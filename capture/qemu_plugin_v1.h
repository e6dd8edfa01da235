/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of QEMU's TCG plugin interface, version 1 (QEMU 6.1 to 8.2), that
 * the user mode's recorder uses: Debian 12's qemu-user is QEMU 7.2, and later
 * ones are linked statically, without plugins. See capture/qemu_plugin.h, of
 * which a file includes one or the other.
 * Source: QEMU's documentation, docs/devel/tcg-plugins.
 */
#pragma once

#include "capture/qemu_plugin_any.h"

#define QEMU_PLUGIN_VERSION 1

typedef void qemu_plugin_syscall_cb(qemu_plugin_id_t id, unsigned cpu,
				    int64_t number, u64 a1, u64 a2, u64 a3,
				    u64 a4, u64 a5, u64 a6, u64 a7, u64 a8);
typedef void qemu_plugin_syscall_ret_cb(qemu_plugin_id_t id, unsigned cpu,
					int64_t number, int64_t result);

void qemu_plugin_register_vcpu_exit_cb(qemu_plugin_id_t id,
				       qemu_plugin_vcpu_cb *cb);
void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t id,
					  qemu_plugin_syscall_cb *cb);
void qemu_plugin_register_vcpu_syscall_ret_cb(qemu_plugin_id_t id,
					      qemu_plugin_syscall_ret_cb *cb);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);

void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  qemu_plugin_exec_cb *cb,
					  enum qemu_plugin_cb_flags flags,
					  void *data);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb,
					      enum qemu_plugin_op op, void *to,
					      u64 imm);
