/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a command in Debian on the emulated machine, and records all of it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/system.h"
#include "lab/capture.h"
#include "lab/run.h"

#define MARKED	"marked"
#define TIMEOUT 3600

static struct system_capture *new_job(int *fd, struct err *err)
{
	void *job = MAP_FAILED;

	*fd = memfd_create("capture", 0);
	if (*fd >= 0 && !ftruncate(*fd, sizeof(struct system_capture)))
		job = mmap(NULL, sizeof(struct system_capture),
			   PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (job != MAP_FAILED)
		return job;
	err_set(err, "no shared memory: %s", strerror(errno));
	return NULL;
}

static void describe(const struct capture *c, const struct cache *cache,
		     struct system_capture *job)
{
	job->limits = c->limits;
	job->info.codec = c->limits.codec;
	capture_name(c, &job->info);
	snprintf(job->info.source, sizeof(job->info.source),
		 "plugin system, QEMU %s", cache->emulator_version);
	snprintf(job->path, sizeof(job->path), "%s", c->output);
}

/* The command runs between markers, or with its own. */
static void plan(const struct capture *c, struct spec *s, struct args *command)
{
	char *marked = built_path(MARKED);

	args_addf(&s->puts, "%s:" MARKED, marked);
	free(marked);
	args_add(command, "./" MARKED);
	if (c->limits.marked)
		args_add(command, "-m");
	for (char **arg = c->command; *arg; arg++)
		args_add(command, *arg);
	for (char *const *put = c->puts.v; put && *put; put++)
		args_add(&s->puts, *put);
	s->command = command->v;
}

static int attach(struct spec *s, const struct cache *c, int fd,
		  struct err *err)
{
	char *plugin;

	if (cache_emulator_number(c) < PLUGIN_QEMU)
		return err_set(err,
			       "--system needs QEMU 9.1 or later, this is %s: "
			       "unset NESTBOX_QEMU and run `make images`",
			       c->emulator_version);
	plugin = built_path(SYSTEM_PLUGIN);
	args_add(&s->plugin, "-plugin");
	args_addf(&s->plugin, "%s,job=/dev/fd/%d", plugin, fd);
	free(plugin);
	return 0;
}

static void report(const struct capture *c, const struct system_capture *job)
{
	fprintf(stderr, "nestbox: %s: %" PRIu64 " accesses, %u address spaces",
		c->output, job->accesses, job->processes);
	if (job->unknown)
		fprintf(stderr, "; %" PRIu64 " were lost", job->unknown);
	fputc('\n', stderr);
}

/* What became of the trace goes before what became of the run. */
static int judge(const struct capture *c, const struct system_capture *job,
		 int result, int *status, struct err *err)
{
	if (job->failed)
		return err_set(err, "%s", job->err.text);
	if (job->written)
		report(c, job);
	if (job->full) {
		*status = 0; /* its end was our doing */
		return 0;
	}
	if (result < 0 || job->written)
		return result;
	return err_set(err, "%s: not written: %s", c->output,
		       job->begun ? "nothing was recorded"
				  : "no marker was executed");
}

static int run(const struct capture *c, struct system_capture *job, int fd,
	       int *status, struct err *err)
{
	struct spec s = {.cpu = "max",
			 .timeout = TIMEOUT,
			 .guest = GUEST_LINUX,
			 .accel = ACCEL_TCG,
			 .exact = true,
			 .cpus = {1}};
	struct run_output out = {stderr, stderr, stdout, NULL};
	struct args command = {0};
	struct cache cache;
	int result = -1;

	plan(c, &s, &command);
	if (stack_parse(&s.stack, "0", err) == 0 &&
	    cache_open(&cache, err) == 0 && attach(&s, &cache, fd, err) == 0 &&
	    run_settle(&s, &cache, err) == 0) {
		describe(c, &cache, job);
		result = run_stack(&s, &cache, &out, status, err);
		result = judge(c, job, result, status, err);
	}
	args_free(&command);
	args_free(&s.puts);
	args_free(&s.plugin);
	return result;
}

int capture_system(const struct capture *c, int *status, struct err *err)
{
	int fd, result = -1;
	struct system_capture *job = new_job(&fd, err);

	if (job) {
		result = run(c, job, fd, status, err);
		(void)munmap(job, sizeof(*job));
	}
	if (fd >= 0)
		(void)close(fd);
	return result;
}
