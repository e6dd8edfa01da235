/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instrument: a QEMU TCG plugin that counts, exactly and from outside of
 * every hypervisor, world switches and the instructions of each level. The
 * guest cannot tell whether it is loaded.
 *
 *   -plugin switchcount.so,out=FILE[,tick=ADDRESS][,end=PORT/BITS]...
 *
 * out   where to write; the format is described in doc/instrument.md
 * tick  virtual address of the kernels' timer interrupt handler (hexadecimal):
 *       each execution counts as a tick of the level that takes it
 * end   counting ends when a value with all BITS reaches that I/O port (both
 *       hexadecimal) and does not trap; see capture/endport.h
 *
 * How it works: every instruction is counted. The few that matter (SVM
 * instructions, the one behind each VMRUN, markers, the tick handler) call
 * back into capture/levels.c. They are told apart by the host address of their
 * bytes: two levels that run the same kernel have them at the same virtual
 * address.
 *
 * The emulator has to run all CPUs in one thread, as it does under -icount.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/endport.h"
#include "capture/levels.h"
#include "capture/qemu_plugin.h"
#include "lib/marker.h"

#define MAX_CPUS  64
#define MAX_SITES 256
#define PAGE	  4096

int qemu_plugin_version = QEMU_PLUGIN_VERSION;

struct code_site {
	struct site site;
	const u8 *at;	  /* host address of the instruction */
	const u8 *behind; /* host address of the one behind it */
};

/* QEMU passes callbacks no context of the plugin's but one pointer, which
 * names the instruction: the rest has to be static. */
static struct {
	FILE *out;
	u64 tick;
	unsigned cpus;
	unsigned current;      /* CPU that executes */
	qemu_plugin_u64 insns; /* with one CPU: counted inline ... */
	u64 count[MAX_CPUS];   /* ... with more: by count_insn() */
	const void *env[MAX_CPUS];
	struct level_cpu cpu[MAX_CPUS];
	struct code_site site[MAX_SITES];
	size_t sites;

	char *final;	/* the output's end, if a port ended the counting: */
	unsigned ender; /* this CPU's instruction number @ended */
	u64 ended;
} self;

static u64 now(unsigned cpu)
{
	return self.cpus == 1 ? qemu_plugin_u64_get(self.insns, 0)
			      : self.count[cpu];
}

/* Output *******************************************************************/

static void put_row(FILE *out, const u64 *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fprintf(out, " %" PRIu64, values[i]);
}

static void put_counts(FILE *out, unsigned cpu)
{
	const struct level_counts *counts = &self.cpu[cpu].counts;

	levels_sync(&self.cpu[cpu], now(cpu));
	fprintf(out, "cpu %u", cpu);
	put_row(out, counts->insns, LEVELS);
	put_row(out, counts->ticks, LEVELS);
	put_row(out, counts->vmruns, LEVELS);
	put_row(out, counts->exits, LEVELS);
	put_row(out, counts->cause_count, CAUSES);
	put_row(out, counts->cause_insns, CAUSES);
	fputc('\n', out);
}

static void put_names(void)
{
	static const char *const per_level[] = {"insns", "ticks", "vmruns",
						"exits"};

	fprintf(self.out, "switchcount 1\ncpus %u\ncolumns", self.cpus);
	for (size_t i = 0; i < ARRAY_SIZE(per_level); i++)
		for (int level = 0; level < LEVELS; level++)
			fprintf(self.out, " %s.%d", per_level[i], level);
	for (int i = 0; i < CAUSES; i++)
		fprintf(self.out, " count.%s", cause_name[i]);
	for (int i = 0; i < CAUSES; i++)
		fprintf(self.out, " work.%s", cause_name[i]);
	fputc('\n', self.out);
}

static void put_end(FILE *out)
{
	for (size_t i = 0; i < self.sites; i++) {
		const struct site *s = &self.site[i].site;

		fprintf(out, "site %s %d %#" PRIx64 " %" PRIu64 "\n",
			svm_insn_name[s->insn], s->level, s->vaddr, s->count);
	}
	fprintf(out, "end\n");
	for (unsigned cpu = 0; cpu < self.cpus; cpu++)
		put_counts(out, cpu);
}

static void on_exit_of_qemu(qemu_plugin_id_t id, void *data)
{
	(void)id;
	(void)data;
	if (self.final)
		fputs(self.final, self.out);
	else
		put_end(self.out);
	if (fflush(self.out) || ferror(self.out))
		qemu_plugin_outs("switchcount: cannot write the output\n");
}

/* Execution ****************************************************************/

/*
 * Several CPUs in one thread share translated code, and QEMU 10.0 tells a
 * callback the CPU that translated it, not the one that executes (inline
 * per-CPU counters even run out of bounds; doc/emulator.md). But generated
 * code holds the address of the executing CPU's state in RBP, which a callback
 * finds unchanged. CPUs are numbered in the order of their first instruction.
 */
static __attribute__((used)) void count_insn(const void *env)
{
	unsigned cpu = self.current;

	if (self.env[cpu] != env) {
		for (cpu = 0; self.env[cpu] && self.env[cpu] != env;)
			cpu++;
		self.env[cpu] = env;
		self.current = cpu;
	}
	self.count[cpu]++;
}

__attribute__((naked)) static void on_any_insn(unsigned translator
					       __attribute__((unused)),
					       void *data
					       __attribute__((unused)))
{
	__asm__("mov %rbp, %rdi\n\tjmp count_insn");
}

static void on_insn(unsigned translator, void *data)
{
	struct code_site *s = data;

	(void)translator;
	levels_insn(&self.cpu[self.current], &s->site, now(self.current));
}

static void forget_end(void)
{
	free(self.final);
	self.final = NULL;
}

static void on_behind(unsigned translator, void *data)
{
	const struct code_site *s = data;
	bool at_once = self.current == self.ender &&
		       now(self.current) == self.ended + 1;

	(void)translator;
	/* That write trapped, and a hypervisor goes on. */
	if (s->site.level == 0 && at_once)
		forget_end();
	levels_behind(&self.cpu[self.current], &s->site, now(self.current));
}

static void on_tick(unsigned translator, void *data)
{
	(void)translator;
	(void)data;
	levels_tick(&self.cpu[self.current], now(self.current));
}

static void on_marker(unsigned translator, void *data)
{
	uintptr_t code = (uintptr_t)data;

	(void)translator;
	if (code == MARK_ENTER || code == MARK_LEAVE) {
		levels_carried(&self.cpu[self.current], code == MARK_ENTER);
		return;
	}
	fprintf(self.out, "mark %u %u\n", (unsigned)(uintptr_t)data,
		self.current);
	for (unsigned i = 0; i < self.cpus; i++)
		put_counts(self.out, i);
}

static void on_end_port(void)
{
	size_t size;
	FILE *out;

	forget_end();
	out = open_memstream(&self.final, &size);
	if (!out)
		return;
	put_end(out);
	(void)fclose(out);
	self.ender = self.current;
	self.ended = now(self.current);
}

/* Translation **************************************************************/

/* The site at host address @at, made on first sight; NULL if there are too
 * many of them, which no sane stack comes near. */
static struct code_site *find_site(const u8 *at, u64 vaddr, size_t len,
				   enum svm_insn insn)
{
	struct code_site *s;

	for (size_t i = 0; i < self.sites; i++)
		if (self.site[i].at == at)
			return &self.site[i];
	if (self.sites == MAX_SITES)
		return NULL;
	s = &self.site[self.sites++];
	*s = (struct code_site){
		.site = {.insn = insn, .level = -1, .vaddr = vaddr},
		.at = at,
		.behind = at + len,
	};
	return s;
}

/* A VMRUN ends its block, so what lies behind one starts a block. */
static void watch_behind(struct qemu_plugin_insn *first)
{
	const u8 *at = qemu_plugin_insn_haddr(first);

	for (size_t i = 0; i < self.sites; i++) {
		struct code_site *s = &self.site[i];

		if (s->site.insn == SVM_VMRUN && s->behind == at)
			qemu_plugin_register_vcpu_insn_exec_cb(
				first, on_behind, QEMU_PLUGIN_CB_NO_REGS, s);
	}
}

static void watch_svm(struct qemu_plugin_insn *insn, enum svm_insn which)
{
	const u8 *at = qemu_plugin_insn_haddr(insn);
	u64 vaddr = qemu_plugin_insn_vaddr(insn);
	size_t len = qemu_plugin_insn_size(insn);
	struct code_site *s = find_site(at, vaddr, len, which);

	/* The page behind may lie anywhere: the count would be wrong. */
	if (!s || (which == SVM_VMRUN && vaddr % PAGE + len >= PAGE)) {
		qemu_plugin_outs("switchcount: VMRUN at the end of a page or "
				 "too many SVM instructions; stopping\n");
		abort();
	}
	qemu_plugin_register_vcpu_insn_exec_cb(insn, on_insn,
					       QEMU_PLUGIN_CB_NO_REGS, s);
}

static void watch_insn(struct qemu_plugin_insn *insn)
{
	u8 bytes[16];
	size_t len = qemu_plugin_insn_data(insn, bytes, sizeof(bytes));
	enum svm_insn which = svm_insn_decode(bytes, len);
	uintptr_t code = marker_code(bytes, len);

	if (which != SVM_NONE)
		watch_svm(insn, which);
	if (code)
		qemu_plugin_register_vcpu_insn_exec_cb(
			insn, on_marker, QEMU_PLUGIN_CB_NO_REGS, (void *)code);
	endport_watch(insn, bytes, len);
	if (self.tick && qemu_plugin_insn_vaddr(insn) == self.tick)
		qemu_plugin_register_vcpu_insn_exec_cb(
			insn, on_tick, QEMU_PLUGIN_CB_NO_REGS, NULL);
}

static void count(struct qemu_plugin_insn *insn)
{
	if (self.cpus == 1)
		qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
			insn, QEMU_PLUGIN_INLINE_ADD_U64, self.insns, 1);
	else
		qemu_plugin_register_vcpu_insn_exec_cb(
			insn, on_any_insn, QEMU_PLUGIN_CB_NO_REGS, NULL);
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		count(insn); /* first: other callbacks see it counted */
		if (i == 0)
			watch_behind(insn);
		watch_insn(insn);
	}
}

/* Start ********************************************************************/

static int complain(const char *what, const char *value)
{
	fprintf(stderr, "switchcount: %s: %s\n", what, value);
	return -1;
}

static int parse_option(const char *arg)
{
	const char *why;
	char *end;

	if (!strncmp(arg, "out=", 4)) {
		self.out = fopen(arg + 4, "we");
		return self.out ? 0 : complain(arg, strerror(errno));
	}
	if (!strncmp(arg, "tick=", 5)) {
		self.tick = strtoull(arg + 5, &end, 16);
		return *end ? complain("not a hexadecimal number", arg) : 0;
	}
	if (!strncmp(arg, "end=", 4)) {
		why = endport_add(arg + 4);
		return why ? complain(why, arg) : 0;
	}
	return complain("unknown option", arg);
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info,
			int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (parse_option(argv[i]) < 0)
			return -1;
	if (!self.out)
		return complain("missing option", "out=FILE");
	if (!info->system_emulation || strcmp(info->target_name, "x86_64") != 0)
		return complain("cannot count on", info->target_name);
	if (info->system.smp_vcpus > MAX_CPUS)
		return complain("too many CPUs", "at most 64");
	self.cpus = (unsigned)info->system.smp_vcpus;
	self.insns.score = qemu_plugin_scoreboard_new(sizeof(u64));
	put_names();
	endport_start(id, on_end_port);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
	return 0;
}
