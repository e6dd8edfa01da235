/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/walk_work.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lab/walk_keep.h"

#define TICK_MS	      200
#define LINE_SECONDS  30 /* between lines where stderr is no terminal */
#define SPEED_SECONDS 2	 /* before that, a rate says little */

struct crew {
	const struct walk_work *work;
	pthread_t boss;
	pthread_mutex_t lock; /* of what follows, but the atomic ones */
	size_t next;
	struct walk_keep *keep;
	struct err err; /* of keeping rows */
	bool failed;
	atomic_bool stop;
	atomic_ullong accesses; /* replayed so far, in all rows */
	atomic_uint finished, running;
	double started, said;
	u64 total;
	unsigned rows;
};

/* One row of one thread, for walk_run()'s progress. */
struct turn {
	struct crew *crew;
	u64 said;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int report(void *ctx, u64 accesses)
{
	struct turn *t = ctx;

	atomic_fetch_add(&t->crew->accesses, accesses - t->said);
	t->said = accesses;
	return atomic_load(&t->crew->stop);
}

static struct walk_row *take_row(struct crew *c)
{
	struct walk_plan *p = c->work->plan;
	struct walk_row *row = NULL;

	pthread_mutex_lock(&c->lock);
	while (!row && c->next < p->row_count && !atomic_load(&c->stop)) {
		row = &p->rows[c->next++];
		if (row->done || row->refusal)
			row = NULL;
	}
	pthread_mutex_unlock(&c->lock);
	return row;
}

/* Under the lock. A file of the cache folder is a convenience, one that was
 * asked for is not. */
static void keep_row(struct crew *c, const struct walk_row *row)
{
	struct err err;

	if (!c->keep || !walk_keep_row(c->keep, row, &err))
		return;
	if (c->keep->remove) {
		fprintf(stderr, "walk: %s: no more rows are kept\n", err.text);
	} else {
		c->err = err;
		c->failed = true;
		atomic_store(&c->stop, true);
	}
	c->keep = NULL;
}

static void run_row(struct crew *c, struct walk_row *row)
{
	struct turn turn = {c, 0};
	const struct walk_progress progress = {report, &turn};
	struct err err;
	int status = walk_run(row->trace->reader, &row->spec, &progress,
			      &row->stats, &err);

	pthread_mutex_lock(&c->lock);
	if (!status) {
		row->done = true;
		keep_row(c, row);
	} else if (!atomic_load(&c->stop)) {
		snprintf(row->failure, sizeof(row->failure), "%.199s",
			 err.text);
	}
	pthread_mutex_unlock(&c->lock);
	atomic_fetch_add(&c->finished, 1);
}

static void *work(void *arg)
{
	struct crew *c = arg;
	struct walk_row *row;

	while ((row = take_row(c)))
		run_row(c, row);
	atomic_fetch_sub(&c->running, 1);
	pthread_kill(c->boss, SIGUSR1);
	return NULL;
}

static void say(struct crew *c, bool terminal)
{
	double t = now(), spent = t - c->started;
	u64 done = atomic_load(&c->accesses);
	double rate = spent > 0 ? (double)done / spent : 0;
	double left = rate > 0 ? (double)(c->total - done) / rate : 0;
	char speed[80] = "";

	if (spent >= SPEED_SECONDS)
		snprintf(speed, sizeof(speed),
			 ", %.1f M accesses/s, %d:%02d left", rate / 1e6,
			 (int)left / 60, (int)left % 60);
	c->said = t;
	fprintf(stderr, "%swalk: row %u of %u, %d %%%s%s",
		terminal ? "\r\033[K" : "", atomic_load(&c->finished), c->rows,
		c->total ? (int)(100 * done / c->total) : 100, speed,
		terminal ? "" : "\n");
	(void)fflush(stderr);
}

static int wait_for_crew(struct crew *c, const sigset_t *signals)
{
	const struct timespec tick = {0, TICK_MS * 1000000L};
	bool terminal = isatty(STDERR_FILENO);
	int ended_by = 0;

	while (atomic_load(&c->running)) {
		int signal = sigtimedwait(signals, NULL, &tick);

		if (signal == SIGINT || signal == SIGTERM) {
			ended_by = signal;
			atomic_store(&c->stop, true);
		}
		if (!c->work->quiet &&
		    (terminal || now() - c->said >= LINE_SECONDS))
			say(c, terminal);
	}
	if (terminal && !c->work->quiet)
		fputs("\r\033[K", stderr);
	return ended_by;
}

/* As many threads as there are rows for, at least one. */
static int start_crew(struct crew *c, pthread_t *threads, unsigned jobs)
{
	unsigned n = 0;

	atomic_store(&c->running, jobs);
	while (n < jobs && !pthread_create(&threads[n], NULL, work, c))
		n++;
	atomic_fetch_sub(&c->running, jobs - n);
	return (int)n;
}

static void count_rows(struct crew *c)
{
	const struct walk_plan *p = c->work->plan;

	for (size_t i = 0; i < p->row_count; i++) {
		if (p->rows[i].done || p->rows[i].refusal)
			continue;
		c->rows++;
		c->total += walk_row_accesses(&p->rows[i]);
	}
}

static int run_crew(struct crew *c, const sigset_t *signals, int *signal,
		    struct err *err)
{
	unsigned jobs = c->work->jobs < c->rows ? c->work->jobs : c->rows;
	pthread_t *threads = calloc(jobs + 1, sizeof(*threads));
	int started;

	if (!threads)
		return err_set(err, "out of memory");
	started = start_crew(c, threads, jobs);
	if (started || !jobs)
		*signal = wait_for_crew(c, signals);
	for (int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	if (jobs && !started)
		return err_set(err, "cannot start a thread");
	if (c->failed) {
		*err = c->err;
		return -1;
	}
	if (*signal)
		return err_set(err, "stopped by signal %d", *signal);
	return 0;
}

int walk_work(const struct walk_work *w, int *signal, struct err *err)
{
	struct crew c = {.work = w,
			 .keep = w->keep,
			 .boss = pthread_self(),
			 .started = now(),
			 .said = now()};
	sigset_t signals;
	int status;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	pthread_mutex_init(&c.lock, NULL);
	*signal = 0;
	count_rows(&c);
	status = run_crew(&c, &signals, signal, err);
	pthread_mutex_destroy(&c.lock);
	return status;
}
