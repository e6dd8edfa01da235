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
 * from a counter that each block of code raises by its length when it begins,
 * less what of the block lies behind the access. One counter is enough until
 * there is a second thread; then QEMU translates everything anew, and each
 * thread gets a counter of its own.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capture/guest.h"
#include "capture/qemu_plugin_v1.h"
#include "lib/marker.h"

#define MAX_CPUS 4096

int qemu_plugin_version = QEMU_PLUGIN_VERSION;

/* A thread: QEMU's user mode has one virtual CPU for each. */
struct cpu {
	struct recorder recorder;
	struct guest_call call;
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

static u8 learn_kind(qemu_plugin_meminfo_t info)
{
	unsigned size = qemu_plugin_mem_size_shift(info);
	bool store = qemu_plugin_mem_is_store(info);

	return NBT_KIND(store ? NBT_STORE : NBT_LOAD, size);
}

static u8 kind_of(qemu_plugin_meminfo_t info)
{
	if (info >= sizeof(self.kind))
		return learn_kind(info);
	if (!self.kind[info])
		self.kind[info] = learn_kind(info) + 1;
	return self.kind[info] - 1;
}

/* @behind: instructions of the block behind this one. */
static inline u64 gap(struct recorder *v, void *behind)
{
	u64 now = v->insns + self.insns - (uintptr_t)behind;
	u64 gap = now - v->last;

	v->last = now;
	return gap;
}

static void on_access(unsigned cpu, qemu_plugin_meminfo_t info, u64 vaddr,
		      void *behind)
{
	struct recorder *v = &self.cpu[cpu]->recorder;

	record_add(v, vaddr, kind_of(info), gap(v, behind));
}

/* Of a locked instruction: it is one access. With one thread QEMU makes a load
 * and a store of it, the latter without an instruction in between. */
static void on_atomic(unsigned cpu, qemu_plugin_meminfo_t info, u64 vaddr,
		      void *behind)
{
	struct recorder *v = &self.cpu[cpu]->recorder;
	u64 since = gap(v, behind);
	u8 kind = kind_of(info);

	if (since || NBT_WHAT(kind) != NBT_STORE)
		record_add(v, vaddr, kind | NBT_ATOMIC, since);
}

static void on_block(unsigned cpu, void *length)
{
	self.cpu[cpu]->recorder.insns += (uintptr_t)length;
}

static void on_marker(unsigned cpu, void *code)
{
	guest_event(&self.guest, self.cpu[cpu]->recorder.thread, NBT_MARK,
		    (u64[4]){(uintptr_t)code}, NULL);
}

/* Translation **************************************************************/

/* LOCK, or XCHG, which locks without (Intel SDM vol. 2, "XCHG"). */
static bool is_atomic(const u8 *bytes, size_t len)
{
	size_t i = 0;

	for (; i < len; i++) {
		if (bytes[i] == 0xf0)
			return true;
		if (bytes[i] != 0x66 && bytes[i] != 0x67 && bytes[i] != 0xf2 &&
		    bytes[i] != 0xf3 && (bytes[i] & 0xf0) != 0x40)
			break;
	}
	return i < len && (bytes[i] & 0xfe) == 0x86;
}

static void watch(struct qemu_plugin_insn *insn, uintptr_t behind)
{
	const u8 *bytes = qemu_plugin_insn_data(insn);
	size_t len = qemu_plugin_insn_size(insn);
	uintptr_t code = marker_code(bytes, len);

	qemu_plugin_register_vcpu_mem_cb(
		insn, is_atomic(bytes, len) ? on_atomic : on_access,
		QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, (void *)behind);
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
	if (self.guest.threads)
		qemu_plugin_register_vcpu_tb_exec_cb(
			tb, on_block, QEMU_PLUGIN_CB_NO_REGS, (void *)n);
	else
		qemu_plugin_register_vcpu_tb_exec_inline(
			tb, QEMU_PLUGIN_INLINE_ADD_U64, &self.insns, n);
	for (size_t i = 0; i < n; i++)
		watch(qemu_plugin_tb_get_insn(tb, i), n - 1 - i);
}

/* System calls *************************************************************/

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
	c->recorder.last = self.insns;
	self.guest.live++;
	record_begin(&c->recorder, self.guest.ring, self.guest.process, caller);
	self.cpu[cpu] = c;
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
	if (sscanf(arg, "process=%hu", &self.guest.process) == 1 ||
	    sscanf(arg, "thread=%hu", &caller) == 1)
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

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
			char **argv)
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
