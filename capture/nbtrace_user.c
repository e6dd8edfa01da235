/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records what a program does to memory: a plugin for QEMU's user mode.
 *
 *   -plugin nbtrace-user.so,ring=PATH[,process=N,thread=N]
 *
 * ring     capture/ring.h: where the collector waits for it
 * process  this program was executed by that process, by that thread
 *
 * Each access calls on_access(); how many instructions lie between two is told
 * from the thread's counter, which each block of code raises by its length when
 * it begins, less what of the block lies behind the access. QEMU's own adding
 * is fastest, but knows one counter only. When there is to be a second thread,
 * QEMU translates everything anew; from then on callbacks do it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capture/guest.h"
#include "capture/insn.h"
#include "capture/qemu_plugin_v1.h"
#include "lib/marker.h"

#define MAX_CPUS 4096

int qemu_plugin_version = QEMU_PLUGIN_VERSION;

/* A thread: QEMU's user mode has one virtual CPU for each. */
struct cpu {
	struct recorder recorder;
	struct guest_call call;
	u64 atomic; /* instruction number of the last one that locked */
};

/* QEMU passes callbacks no context of the plugin's but one pointer, which says
 * something of the instruction: the rest has to be static. */
static struct {
	struct guest guest;
	struct cpu *cpu[MAX_CPUS];
	u64 insns;	  /* executed while there was one thread */
	u8 kind[1 << 18]; /* plus 1, by qemu_plugin_meminfo_t, once seen */
	bool mapped;
	bool executed; /* by another program */
} self;

/* Which of the program's threads this is, from its last system call on. */
static __thread u16 caller;

/* Execution ****************************************************************/

static void learn_kind(qemu_plugin_meminfo_t info)
{
	unsigned size = qemu_plugin_mem_size_shift(info);
	bool store = qemu_plugin_mem_is_store(info);

	self.kind[info % sizeof(self.kind)] =
		(u8)(1 + ((store ? NBT_STORE : NBT_LOAD) << 2 | size));
}

/* As RING_KIND(), or something else that was never seen. */
static inline u64 kind_of(qemu_plugin_meminfo_t info)
{
	return (u64)(self.kind[info % sizeof(self.kind)] - 1)
	       << RING_SIZE_SHIFT;
}

static inline bool is_unknown(qemu_plugin_meminfo_t info)
{
	return __builtin_expect(!self.kind[info % sizeof(self.kind)], 0);
}

/* @behind: instructions of the block behind this one; @both: RING_BOTH or 0. */
static inline void add_access(struct recorder *v, qemu_plugin_meminfo_t info,
			      u64 vaddr, void *behind, u64 both)
{
	record_add(v, vaddr, kind_of(info) | both,
		   v->insns - (uintptr_t)behind);
}

static __attribute__((noinline)) qemu_plugin_mem_cb on_new_access;

/* Everything rare is a tail call, so that nothing is saved on the stack: with
 * each store less, the program gets further ahead (ring.h). */
static void on_access(unsigned cpu, qemu_plugin_meminfo_t info, u64 vaddr,
		      void *behind)
{
	struct recorder *v = &self.cpu[cpu]->recorder;

	if (is_unknown(info))
		on_new_access(cpu, info, vaddr, behind);
	else
		add_access(v, info, vaddr, behind, 0);
}

static void on_new_access(unsigned cpu, qemu_plugin_meminfo_t info, u64 vaddr,
			  void *behind)
{
	learn_kind(info);
	add_access(&self.cpu[cpu]->recorder, info, vaddr, behind, 0);
}

static __attribute__((noinline)) qemu_plugin_mem_cb on_new_both;

/* The load or the store of an instruction that does both to one place. */
static void on_both(unsigned cpu, qemu_plugin_meminfo_t info, u64 vaddr,
		    void *behind)
{
	struct recorder *v = &self.cpu[cpu]->recorder;

	if (is_unknown(info))
		on_new_both(cpu, info, vaddr, behind);
	else
		add_access(v, info, vaddr, behind, RING_BOTH);
}

static void on_new_both(unsigned cpu, qemu_plugin_meminfo_t info, u64 vaddr,
			void *behind)
{
	learn_kind(info);
	add_access(&self.cpu[cpu]->recorder, info, vaddr, behind, RING_BOTH);
}

/* Of a locked instruction: it is one access. With one thread QEMU makes a load
 * and a store of it. */
static void on_atomic(unsigned cpu, qemu_plugin_meminfo_t info, u64 vaddr,
		      void *behind)
{
	struct cpu *c = self.cpu[cpu];
	u64 count = c->recorder.insns - (uintptr_t)behind;
	u64 size;

	if (is_unknown(info))
		learn_kind(info);
	size = kind_of(info) & ~RING_WHAT;
	if (c->atomic != count)
		record_add(&c->recorder, vaddr, size | RING_KIND(NBT_ATOMIC, 0),
			   count);
	c->atomic = count;
}

static void on_block(unsigned cpu, void *length)
{
	self.cpu[cpu]->recorder.insns += (uintptr_t)length;
}

static void on_quiet(unsigned cpu, void *length)
{
	record_quiet(&self.cpu[cpu]->recorder, (uintptr_t)length);
}

static void on_marker(unsigned cpu, void *code)
{
	guest_event(&self.guest, self.cpu[cpu]->recorder.thread, NBT_MARK,
		    (u64[4]){(uintptr_t)code}, NULL);
}

/* Translation **************************************************************/

/* Some instructions that access memory for certain: PUSH, POP, RET, CALL, and
 * MOV and arithmetic with a memory operand. */
static bool accesses(const u8 *bytes, size_t len)
{
	size_t i = insn_opcode(bytes, len);
	u8 op = bytes[i];
	bool operand = i + 1 < len && bytes[i + 1] < 0xc0;

	if ((op & 0xf0) == 0x50 || op == 0xc3 || op == 0xe8)
		return true;
	return operand && ((op & 0xfc) == 0x88 || (op & 0xc4) == 0x00 ||
			   (op & 0xfc) == 0x80 || op == 0xc7);
}

/* Loads from memory and stores to the same: arithmetic but CMP, INC, DEC, NOT,
 * NEG. (Others do, too; their two accesses are seen one by one.) */
static bool is_both(const u8 *bytes, size_t len)
{
	size_t i = insn_opcode(bytes, len);
	u8 op = bytes[i], reg;

	if (i + 1 >= len || bytes[i + 1] >= 0xc0)
		return false;
	reg = bytes[i + 1] >> 3 & 7;
	if (op < 0x38 && (op & 6) == 0)
		return true;
	if (op == 0x80 || op == 0x81 || op == 0x83)
		return reg != 7;
	return (op >= 0xfe && reg < 2) ||
	       ((op & 0xfe) == 0xf6 && (reg == 2 || reg == 3));
}

static bool surely_accesses(struct qemu_plugin_tb *tb, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (accesses(qemu_plugin_insn_data(insn),
			     qemu_plugin_insn_size(insn)))
			return true;
	}
	return false;
}

static void watch(struct qemu_plugin_insn *insn, uintptr_t behind)
{
	const u8 *bytes = qemu_plugin_insn_data(insn);
	size_t len = qemu_plugin_insn_size(insn);
	uintptr_t code = marker_code(bytes, len);
	enum qemu_plugin_mem_rw which = QEMU_PLUGIN_MEM_RW;
	qemu_plugin_mem_cb *call = on_access;

	if (insn_is_atomic(bytes, len)) {
		call = on_atomic;
	} else if (is_both(bytes, len)) {
		/* QEMU 7.2 takes that for the store, others for the load. */
		call = on_both;
		which = QEMU_PLUGIN_MEM_R;
	}
	qemu_plugin_register_vcpu_mem_cb(insn, call, QEMU_PLUGIN_CB_NO_REGS,
					 which, (void *)behind);
	if (code)
		qemu_plugin_register_vcpu_insn_exec_cb(
			insn, on_marker, QEMU_PLUGIN_CB_NO_REGS, (void *)code);
}

/* The program is loaded, and nothing of it has run. */
static void begin(struct qemu_plugin_insn *insn)
{
	self.guest.base = (u64)(uintptr_t)qemu_plugin_insn_haddr(insn) -
			  qemu_plugin_insn_vaddr(insn);
	guest_map_initial(&self.guest, self.cpu[0]->recorder.thread);
	self.mapped = true;
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	if (!self.mapped)
		begin(qemu_plugin_tb_get_insn(tb, 0));
	if (!surely_accesses(tb, n))
		qemu_plugin_register_vcpu_tb_exec_cb(
			tb, on_quiet, QEMU_PLUGIN_CB_NO_REGS, (void *)n);
	if (self.guest.threads)
		qemu_plugin_register_vcpu_tb_exec_cb(
			tb, on_block, QEMU_PLUGIN_CB_NO_REGS, (void *)n);
	else
		qemu_plugin_register_vcpu_tb_exec_inline(
			tb, QEMU_PLUGIN_INLINE_ADD_U64,
			&self.cpu[0]->recorder.insns, n);
	for (size_t i = 0; i < n; i++)
		watch(qemu_plugin_tb_get_insn(tb, i), n - 1 - i);
}

/* System calls *************************************************************/

/* NOLINTBEGIN(readability-function-size) QEMU prescribes the parameters. */
static void on_syscall(qemu_plugin_id_t id, unsigned cpu, int64_t number,
		       u64 a1, u64 a2, u64 a3, u64 a4, u64 a5, u64 a6, u64 a7,
		       u64 a8)
{
	struct cpu *c = self.cpu[cpu];

	(void)id;
	(void)a7;
	(void)a8;
	caller = c->recorder.thread;
	c->call = (struct guest_call){
		.number = number,
		.arg = {a1, a2, a3, a4, a5, a6},
	};
	guest_call(&self.guest, &c->recorder, &c->call);
}
/* NOLINTEND(readability-function-size) */

/* A new process has its own lane, and this thread only. */
static void begin_child(unsigned cpu)
{
	struct recorder *v = &self.cpu[cpu]->recorder;

	for (unsigned i = 0; i < MAX_CPUS; i++)
		if (i != cpu)
			self.cpu[i] = NULL;
	record_begin(v, self.guest.ring, self.guest.process, v->thread);
}

static void on_return(qemu_plugin_id_t id, unsigned cpu, int64_t number,
		      int64_t result)
{
	struct cpu *c = self.cpu[cpu];

	(void)id;
	if (number == c->call.number &&
	    guest_return(&self.guest, &c->recorder, &c->call, result))
		begin_child(cpu);
}

/* Start ********************************************************************/

static int complain(const char *what, const char *value)
{
	fprintf(stderr, "nestbox: recorder: %s: %s\n", what, value);
	return -1;
}

/* In the thread that makes a new one, before that runs. */
static void on_thread(qemu_plugin_id_t id, unsigned cpu)
{
	struct cpu *c = cpu < MAX_CPUS ? calloc(1, sizeof(*c)) : NULL;

	(void)id;
	if (!c) {
		complain("cannot record", "too many threads");
		_exit(1);
	}
	self.guest.live++;
	record_begin(&c->recorder, self.guest.ring, self.guest.process, caller);
	self.cpu[cpu] = c;
}

/* KEY=NUMBER of 16 bits. */
static bool has_number(const char *arg, const char *key, u16 *value)
{
	size_t n = strlen(key);
	unsigned long number;
	char *end;

	if (strncmp(arg, key, n) != 0)
		return false;
	errno = 0;
	number = strtoul(arg + n, &end, 10);
	if (end == arg + n || *end || errno || number > UINT16_MAX)
		return false;
	*value = (u16)number;
	return true;
}

static int parse_option(const char *arg)
{
	struct err err;

	if (!strncmp(arg, "ring=", 5)) {
		self.guest.ring_path = strdup(arg + 5);
		self.guest.ring = ring_open(arg + 5, &err);
		return self.guest.ring ? 0 : complain(err.text, "no capture");
	}
	self.executed = true;
	if (has_number(arg, "process=", &self.guest.process) ||
	    has_number(arg, "thread=", &caller))
		return 0;
	return complain("unknown option", arg);
}

/* The program's name, which guest_exec() put behind its options. */
static void put_exec(void)
{
	char line[8192] = "", *end = line, *arg = line;
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, line, sizeof(line) - 1);

	end += n > 0 ? n : 0;
	for (int i = 0; i < 3 && arg < end; i++)
		arg += strlen(arg) + 1;
	if (!strcmp(arg, "-0"))
		for (int i = 0; i < 2 && arg < end; i++)
			arg += strlen(arg) + 1;
	guest_event(&self.guest, caller, NBT_EXEC, NULL, arg);
	if (fd >= 0)
		(void)close(fd);
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info,
			int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (parse_option(argv[i]) < 0)
			return -1;
	if (!self.guest.ring)
		return complain("missing option", "ring=PATH");
	if (info->system_emulation || strcmp(info->target_name, "x86_64") != 0)
		return complain("cannot record", info->target_name);
	/* What this process recorded before it executed this program. */
	(void)ring_reap(self.guest.ring, getpid());
	if (self.executed)
		put_exec();
	else
		self.guest.process = ring_new_process(self.guest.ring);
	qemu_plugin_register_vcpu_init_cb(id, on_thread);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_vcpu_syscall_cb(id, on_syscall);
	qemu_plugin_register_vcpu_syscall_ret_cb(id, on_return);
	return 0;
}
