/* SPDX-License-Identifier: Apache-2.0 */
/* Defaults and refusals: see run_settle() in lab/run.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/host.h"
#include "lab/job.h"
#include "lab/machine.h"
#include "lab/multiboot.h"
#include "lab/run.h"

/* KVM where it helps: a host whose guests can be hypervisors themselves. */
static void choose_accel(struct spec *s, const struct host *host)
{
	if (s->accel == ACCEL_AUTO)
		s->accel = !s->exact && host->nested ? ACCEL_KVM : ACCEL_TCG;
	/* Nobody can type at a clock that jumps ahead whenever it idles. */
	if (s->accel == ACCEL_TCG && !s->fast && !s->shell)
		s->exact = true;
}

static int settle_accel(struct spec *s, const struct host *host,
			struct err *err)
{
	if (s->exact && s->accel == ACCEL_KVM)
		return err_set(err, "--exact counts instructions and needs "
				    "--accel tcg");
	if (s->accel == ACCEL_KVM && !host->kvm)
		return err_set(err, "--accel kvm: %s", host->kvm_why);
	if (s->accel == ACCEL_KVM && s->stack.guest_level && !host->nested)
		return err_set(err, "--accel kvm: the host's KVM does not "
				    "offer nesting to its guests");
	choose_accel(s, host);
	return 0;
}

/* QEMU before 8.1 livelocks while Linux starts a second CPU under icount:
 * the waiting CPU eats the whole instruction budget. */
static int check_emulator(const struct spec *s, const struct cache *c,
			  struct err *err)
{
	int number = cache_emulator_number(c);

	if (s->exact && s->cpus[0] > 1 && number < 801)
		return err_set(err,
			       "--exact with %ld CPUs needs QEMU 8.1 or later: "
			       "%s livelocks there. Use --cpus 1, or run "
			       "`make images`",
			       s->cpus[0], c->emulator_version);
	return 0;
}

/* nestbox.elf hands on all CPUs of its machine. */
static void settle_cpus(struct spec *s)
{
	for (int level = stack_nestboxes(&s->stack); level > 0; level--)
		s->cpus[level] = s->cpus[0];
}

static void settle_mem(struct spec *s)
{
	long above = 0;

	for (int level = s->stack.guest_level; level >= 0; level--) {
		if (!s->mem[level])
			s->mem[level] = machine_default_mem(s, level, above);
		above = s->mem[level];
	}
}

static int check_mem(const struct spec *s, const struct host *host,
		     struct err *err)
{
	for (int level = 0; level <= s->stack.guest_level; level++) {
		long least = machine_min_mem(s, level);

		if (s->mem[level] < least)
			return err_set(err,
				       "--mem: L%d needs %ldM at least, not "
				       "%ldM",
				       level, (least + MIB - 1) / MIB,
				       s->mem[level] / MIB);
	}
	if (s->mem[0] > host->mem_available)
		return err_set(err,
			       "--mem: L0 would take %ldM, this machine has "
			       "%ldM free",
			       s->mem[0] / MIB, host->mem_available / MIB);
	return 0;
}

static int check_readable(const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) || access(path, R_OK))
		return err_set(err, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, "%s: not a regular file", path);
	return 0;
}

/* Its kernel gets nothing but the job. */
static int check_i386(const struct spec *s, const struct cache *c,
		      struct err *err)
{
	if (s->guest != GUEST_LINUX || !spec_guest_on_linux(s))
		return err_set(err, "--arch i386 needs --guest linux and a "
				    "stack whose name ends in k");
	if (s->gets.n)
		return err_set(err, "--get needs --arch amd64");
	if (!cache_has_i386(c))
		return err_set(err, "--arch i386: no kernel for it: run "
				    "tools/kernels.sh");
	return 0;
}

/* Files of this machine that go into the guest's. */
static int check_files(const struct spec *s, struct err *err)
{
	for (size_t i = 0; i < s->puts.n; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%.*s",
			 (int)strcspn(s->puts.v[i], ":"), s->puts.v[i]);
		if (check_readable(path, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < s->modules.n; i++) {
		char *path = job_module_file(s, i);
		int status = check_readable(path, err);

		free(path);
		if (status)
			return status;
	}
	if ((s->puts.n || s->gets.n) && s->guest != GUEST_LINUX)
		return err_set(err, "--put and --get need --guest linux");
	if (s->modules.n && s->guest != GUEST_PAYLOAD)
		return err_set(err, "--module needs --guest FILE");
	return 0;
}

static int check_guest(const struct spec *s, const struct cache *c,
		       struct err *err)
{
	if (s->guest == GUEST_PAYLOAD && multiboot_check(s->payload, err) < 0)
		return -1;
	if (check_files(s, err) < 0)
		return -1;
	if (s->machine && !spec_guest_on_linux(s))
		return err_set(err,
			       "--machine: on %s the guest's machine is the "
			       "emulator's; take a stack whose name ends in k",
			       s->stack.name);
	if (s->i386 && check_i386(s, c, err) < 0)
		return -1;
	if (s->hv && !stack_is_nestbox(&s->stack, 0))
		return err_set(err, "--hv needs a stack with nestbox.elf as "
				    "L0, such as 1n");
	if (s->gets.n && s->shell)
		return err_set(err, "--get needs a COMMAND");
	return 0;
}

int run_settle(struct spec *s, const struct cache *c, struct err *err)
{
	struct host host;

	host_probe(&host);
	if (settle_accel(s, &host, err) < 0 || check_emulator(s, c, err) < 0)
		return -1;
	settle_cpus(s);
	settle_mem(s);
	if (check_mem(s, &host, err) < 0 || check_guest(s, c, err) < 0)
		return -1;
	return 0;
}
