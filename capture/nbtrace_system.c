/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records what a whole machine does to memory, with physical addresses: a
 * plugin for QEMU's system mode, of one CPU.
 *
 *   -plugin nbtrace-system.so,job=FILE
 *
 * job   struct system_capture (capture/system.h)
 *
 * Until MARK_OP (lib/marker.h) it only looks for markers, which costs nothing.
 * Then QEMU translates everything anew, and between MARK_BEGIN and MARK_END all
 * accesses are recorded. Whose they are: the process of the trace is the
 * address space, told by the page tables' address in CR3; its threads are two,
 * the program (even numbers) and the kernel for it (odd), told by which half of
 * the address space the code is in.
 *
 * Instructions are counted one by one: in a system any may be the last of its
 * block. One that faults counts each time that it is tried.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/insn.h"
#include "capture/qemu_plugin.h"
#include "capture/system.h"
#include "lib/marker.h"

#define SPACES	  16384
#define CR3_FRAME 0x000ffffffffff000ull /* APM vol. 2, 5.3.2; without PCID */
#define INSN_MAX  16

int qemu_plugin_version = QEMU_PLUGIN_VERSION;

/* What a callback is told of its instruction. */
enum { IN_KERNEL = 1, IS_ATOMIC = 2 };

static const char *const register_name[] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8",
	"r9",  "r10", "r11", "r12", "r13", "r14", "r15", "cr3",
};
#define CR3 16

/* QEMU passes callbacks no context of the plugin's but one pointer: the rest
 * has to be static. */
static struct {
	struct system_capture *job;
	struct nbt_writer *writer;
	struct limits_state limits;
	bool armed;	/* accesses are called back for */
	bool recording; /* between MARK_BEGIN and MARK_END */
	qemu_plugin_u64 count;
	const u64 *insns; /* executed; the only CPU's element of @count */
	u64 last;	  /* of them, at the access before */
	u64 atomic;	  /* number of the last one that locked */
	u32 thread;	  /* whose accesses the writer gets now */
	u16 space;
	u64 cr3[SPACES]; /* by number */
	struct qemu_plugin_register *reg[ARRAY_SIZE(register_name)];
	GByteArray *value; /* of the register last read */
} self = {.thread = ~0u};

/* Address spaces ***********************************************************/

static u64 read_register(int which)
{
	u64 value = 0;

	g_byte_array_set_size(self.value, 0);
	if (self.reg[which] &&
	    qemu_plugin_read_register(self.reg[which], self.value) ==
		    sizeof(value))
		memcpy(&value, self.value->data, sizeof(value));
	return value;
}

/* The last number is for all that are too many. */
static void enter_space(u64 cr3)
{
	u16 i = 0;

	cr3 &= CR3_FRAME;
	while (i < self.job->processes && self.cr3[i] != cr3)
		i++;
	if (i == self.job->processes && i < SPACES - 1) {
		self.cr3[i] = cr3;
		self.job->processes++;
	}
	self.space = i;
}

/* Its value comes into effect behind the instruction; so does the callback,
 * for MOV to CR3 accesses nothing. */
static void on_cr3(unsigned cpu, void *source)
{
	(void)cpu;
	if (self.recording)
		enter_space(read_register((int)(uintptr_t)source));
}

static void on_cpu(qemu_plugin_id_t id, unsigned cpu)
{
	GArray *all = qemu_plugin_get_registers();
	const qemu_plugin_reg_descriptor *reg = all->data;

	(void)id;
	self.insns = qemu_plugin_scoreboard_find(self.count.score, cpu);
	for (unsigned i = 0; i < all->len; i++)
		for (size_t k = 0; k < ARRAY_SIZE(register_name); k++)
			if (!strcmp(reg[i].name, register_name[k]))
				self.reg[k] = reg[i].handle;
}

/* Accesses *****************************************************************/

/* Nothing more will be recorded: the machine has no purpose any more. */
static void stop(void)
{
	self.recording = false;
	(void)raise(SIGTERM);
}

static void set_thread(unsigned flags)
{
	u32 thread = self.space * 2u + (flags & IN_KERNEL);

	if (thread != self.thread)
		nbt_thread(self.writer, (u16)thread, self.space);
	self.thread = thread;
}

static enum nbt_access what_of(qemu_plugin_meminfo_t info, unsigned flags)
{
	if (flags & IS_ATOMIC)
		return NBT_ATOMIC;
	return qemu_plugin_mem_is_store(info) ? NBT_STORE : NBT_LOAD;
}

static void record(qemu_plugin_meminfo_t info, u64 vaddr, unsigned flags,
		   u64 gap)
{
	struct qemu_plugin_hwaddr *where = qemu_plugin_get_hwaddr(info, vaddr);

	if (!where) {
		self.job->unknown++;
		return;
	}
	set_thread(flags);
	nbt_add_physical(self.writer, vaddr,
			 qemu_plugin_hwaddr_phys_addr(where),
			 NBT_KIND(what_of(info, flags),
				  qemu_plugin_mem_size_shift(info)),
			 gap);
}

static void on_access(unsigned cpu, qemu_plugin_meminfo_t info, u64 vaddr,
		      void *data)
{
	unsigned flags = (unsigned)(uintptr_t)data;
	const struct capture_limits *l = &self.job->limits;
	u64 now = *self.insns, gap = now - self.last;

	(void)cpu;
	if (!self.recording)
		return;
	/* QEMU makes a load and a store of a locked instruction, which is one
	 * access. */
	if (flags & IS_ATOMIC && self.atomic == now)
		return;
	self.atomic = flags & IS_ATOMIC ? now : 0;
	self.last = now;
	if (limits_take(l, &self.limits))
		record(info, vaddr, flags, gap);
	self.job->full = limits_reached(l, &self.limits);
	if (self.job->full || nbt_failed(self.writer))
		stop();
}

/* Markers and translation **************************************************/

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
static void on_end(qemu_plugin_id_t id, void *data);

/* After the start, and again when accesses are to be seen. */
static void register_all(qemu_plugin_id_t id)
{
	qemu_plugin_register_vcpu_init_cb(id, on_cpu);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_atexit_cb(id, on_end, NULL);
}

static qemu_plugin_id_t own_id;

static void mark(unsigned code)
{
	nbt_put_event(self.writer, &(struct nbt_event){
					   .type = NBT_MARK,
					   .thread = (u16)(self.space * 2),
					   .process = self.space,
					   .arg = {code},
				   });
}

static void on_marker(unsigned cpu, void *code)
{
	bool begin = (uintptr_t)code == MARK_BEGIN;

	(void)cpu;
	if ((uintptr_t)code == MARK_OP && !self.armed) {
		self.armed = true;
		qemu_plugin_reset(own_id, register_all);
	}
	if (!self.armed || (!begin && (uintptr_t)code != MARK_END))
		return;
	if (begin)
		enter_space(read_register(CR3));
	if (begin || self.recording)
		mark((unsigned)(uintptr_t)code);
	self.recording = begin;
	self.last = *self.insns;
	self.job->begun = true;
}

static void watch_accesses(struct qemu_plugin_insn *insn, const u8 *bytes,
			   size_t len)
{
	bool kernel = qemu_plugin_insn_vaddr(insn) >> 63;
	uintptr_t flags = (kernel ? IN_KERNEL : 0) |
			  (insn_is_atomic(bytes, len) ? IS_ATOMIC : 0);
	int source = insn_cr3_source(bytes, len);

	qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
		insn, QEMU_PLUGIN_INLINE_ADD_U64, self.count, 1);
	if (source >= 0)
		qemu_plugin_register_vcpu_insn_exec_cb(
			insn, on_cr3, QEMU_PLUGIN_CB_R_REGS,
			(void *)(uintptr_t)source);
	qemu_plugin_register_vcpu_mem_cb(insn, on_access,
					 QEMU_PLUGIN_CB_NO_REGS,
					 QEMU_PLUGIN_MEM_RW, (void *)flags);
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	u8 bytes[INSN_MAX];

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		size_t len = qemu_plugin_insn_data(insn, bytes, sizeof(bytes));
		uintptr_t code = marker_code(bytes, len);

		if (self.armed)
			watch_accesses(insn, bytes, len);
		if (code)
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, on_marker, QEMU_PLUGIN_CB_R_REGS,
				(void *)code);
	}
}

/* Start and end ************************************************************/

static void on_end(qemu_plugin_id_t id, void *data)
{
	struct system_capture *job = self.job;

	(void)id;
	(void)data;
	self.recording = false;
	job->accesses = nbt_written(self.writer);
	if (!job->accesses && !nbt_failed(self.writer))
		nbt_abandon(self.writer);
	else if (nbt_finish(self.writer, &job->err) < 0)
		job->failed = true;
	else
		job->written = true;
}

static int complain(const char *what, const char *value)
{
	fprintf(stderr, "nestbox: recorder: %s: %s\n", what, value);
	return -1;
}

static int open_job(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *m = fd < 0 ? MAP_FAILED
			 : mmap(NULL, sizeof(*self.job), PROT_READ | PROT_WRITE,
				MAP_SHARED, fd, 0);

	if (fd >= 0)
		(void)close(fd);
	if (m == MAP_FAILED)
		return complain(path, strerror(errno));
	self.job = m;
	self.writer =
		nbt_create(self.job->path, &self.job->info, &self.job->err);
	self.job->failed = !self.writer;
	return self.writer ? 0 : complain("no trace", self.job->err.text);
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info,
			int argc, char **argv)
{
	if (argc != 1 || strncmp(argv[0], "job=", 4) != 0)
		return complain("missing option", "job=FILE");
	if (!info->system_emulation ||
	    strcmp(info->target_name, "x86_64") != 0 ||
	    info->system.smp_vcpus != 1)
		return complain("cannot record", "no x86-64 machine of 1 CPU");
	own_id = id;
	self.value = g_byte_array_new();
	self.count.score = qemu_plugin_scoreboard_new(sizeof(u64));
	if (open_job(argv[0] + 4) < 0)
		return -1;
	/* A limit of the file's size is an error like others. */
	(void)signal(SIGXFSZ, SIG_IGN);
	register_all(id);
	return 0;
}
