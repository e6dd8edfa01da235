/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/main.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/marker.h"
#include "workload/size.h"

#define THREADS 64

struct options {
	struct plan plan;
	u64 operations; /* of a thread */
};

struct thread {
	struct worker worker;
	pthread_t handle;
	const struct pattern *pattern;
	const void *own; /* the pattern's structure */
	u64 operations;
};

static void usage(const struct pattern *p, FILE *to)
{
	fprintf(to,
		"usage: %s [-s SIZE] [-n OPERATIONS] [-t THREADS] [-r SEED]\n"
		"  -s SIZE        bytes of memory: 64m, 1g (1g)\n"
		"  -n OPERATIONS  of each thread (%" PRIu64 ")\n"
		"  -t THREADS     up to %d (1)\n"
		"  -r SEED        of what is random (1)\n",
		p->name, p->operations, THREADS);
}

static bool number(const char *text, u64 least, u64 most, u64 *n)
{
	return size_parse(text, n) && *n >= least && *n <= most;
}

static bool parse(int argc, char **argv, struct options *o)
{
	u64 threads = 1;
	bool good = true;
	int c;

	while (good && (c = getopt(argc, argv, "s:n:t:r:")) != -1) {
		if (c == 's')
			good = size_parse(optarg, &o->plan.bytes);
		else if (c == 'n')
			good = size_parse(optarg, &o->operations);
		else if (c == 't')
			good = number(optarg, 1, THREADS, &threads);
		else if (c == 'r')
			good = size_parse(optarg, &o->plan.seed);
		else
			good = false;
	}
	o->plan.threads = (unsigned)threads;
	return good && optind == argc;
}

u64 memory_map(struct memory *m, u64 bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)m;
	if (at == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return (u64)(uintptr_t)at;
}

static void *run(void *arg)
{
	struct thread *t = arg;

	t->pattern->run(t->own, &t->worker, t->operations);
	return NULL;
}

/* All threads; the first is this one. Returns their sums'. */
static u64 run_all(struct thread *thread, unsigned n)
{
	u64 sum = 0;
	unsigned started = 1;

	while (started < n && !pthread_create(&thread[started].handle, NULL,
					      run, &thread[started]))
		started++;
	run(&thread[0]);
	for (unsigned i = 1; i < started; i++)
		pthread_join(thread[i].handle, NULL);
	if (started < n) {
		fprintf(stderr, "cannot start %u threads\n", n);
		exit(1);
	}
	for (unsigned i = 0; i < n; i++)
		sum += thread[i].worker.sum;
	return sum;
}

static void work(const struct pattern *pattern, const void *own,
		 const struct options *o)
{
	static struct thread thread[THREADS];
	u64 sum;

	for (unsigned i = 0; i < o->plan.threads; i++) {
		thread[i].pattern = pattern;
		thread[i].own = own;
		thread[i].operations = o->operations;
		worker_init(&thread[i].worker, &o->plan, i, NULL);
	}
	MARK(MARK_BEGIN);
	sum = run_all(thread, o->plan.threads);
	MARK(MARK_END);
	printf("%s: %" PRIu64 " bytes, %u threads, %" PRIu64
	       " operations each, checksum %016" PRIx64 "\n",
	       pattern->name, o->plan.bytes, o->plan.threads, o->operations,
	       sum);
}

int workload_main(const struct pattern *pattern, int argc, char **argv)
{
	struct options o = {.plan = {.bytes = 1ull << 30, .seed = 1},
			    .operations = pattern->operations};
	void *own;

	if (!parse(argc, argv, &o)) {
		usage(pattern, stderr);
		return 2;
	}
	own = calloc(1, pattern->size);
	if (!own)
		return 1;
	memcpy(own, &o.plan, sizeof(o.plan));
	if (pattern->lay_out(own, NULL) < 0) {
		fprintf(stderr, "%s: not possible with -s %" PRIu64 "\n",
			pattern->name, o.plan.bytes);
		free(own);
		return 1;
	}
	pattern->fill(own, NULL);
	work(pattern, own, &o);
	free(own);
	return fflush(stdout) ? 1 : 0;
}
