/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program of L2, as its init or any other: does this machine lose timer
 * ticks or IPIs?
 *
 *	l2check SECONDS LATE	LATE: milliseconds that an event may take; what
 *				does not come within them counts as lost
 *
 * On every CPU a thread computes, so that others have to interrupt it, and
 * one wakes up every 2 ms: not late, and never before a time that any thread
 * has seen. Two threads on different CPUs wake each other (a wake-up across
 * CPUs is an IPI), and one on each CPU asks all others for a memory barrier (an
 * IPI to each that computes, and it waits for them). A lost tick or IPI is
 *known by what stands still: nothing else arms a CPU's timer again, or answers
 *for it. An event that came only with the next of its kind goes unnoticed: that
 *is guest/test/lost.c's. Prints the counts, and at the end a line that begins
 *with "l2check: ok" or "l2check: LOST".
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_CPUS  64
#define TICK_NS	  2000000L
#define SECOND_NS 1000000000L

static struct {
	long late_ns;
	int cpus;
	atomic_bool over;
	_Atomic long newest; /* time that any thread has seen */
	_Atomic long worst;  /* lateness, ns */
	_Atomic long ticks[MAX_CPUS];
	_Atomic long barriers[MAX_CPUS];
	_Atomic long wakes;
	_Atomic long late, backwards, lost;
	atomic_int ball; /* whose turn it is to wake the other */
} self;

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND_NS + t.tv_nsec;
}

/* The larger one stays; returns what was there. */
static long raise_to(_Atomic long *value, long to)
{
	long old = atomic_load(value);

	while (old < to && !atomic_compare_exchange_weak(value, &old, to))
		;
	return old;
}

static void *compute(void *arg)
{
	while (!atomic_load(&self.over))
		for (volatile int i = 0; i < 1000; i++)
			;
	return arg;
}

static void check_time(long due)
{
	long seen = atomic_load(&self.newest), t = now();

	if (t < seen || t < due)
		atomic_fetch_add(&self.backwards, 1);
	raise_to(&self.newest, t);
	raise_to(&self.worst, t - due);
	if (t - due > self.late_ns)
		atomic_fetch_add(&self.late, 1);
}

static void *tick(void *arg)
{
	_Atomic long *count = arg;

	while (!atomic_load(&self.over)) {
		long due = now() + TICK_NS;
		struct timespec t = {due / SECOND_NS, due % SECOND_NS};

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		check_time(due);
		atomic_fetch_add(count, 1);
	}
	return NULL;
}

static long futex(int op, int value, const struct timespec *timeout)
{
	return syscall(SYS_futex, &self.ball, op, value, timeout, NULL, 0);
}

/* Waits for its turn. The other one answers at once, so that a wait which ends
 * by its timeout has missed a wake-up. */
static void await(int mine)
{
	struct timespec timeout = {self.late_ns / SECOND_NS,
				   self.late_ns % SECOND_NS};

	while (atomic_load(&self.ball) != mine && !atomic_load(&self.over))
		if (futex(FUTEX_WAIT_PRIVATE, !mine, &timeout) < 0 &&
		    errno == ETIMEDOUT && !atomic_load(&self.over))
			atomic_fetch_add(&self.lost, 1);
}

static void *play(void *arg)
{
	int mine = arg == &self.wakes;

	while (!atomic_load(&self.over)) {
		await(mine);
		atomic_store(&self.ball, !mine);
		futex(FUTEX_WAKE_PRIVATE, INT_MAX, NULL);
		atomic_fetch_add(&self.wakes, 1);
	}
	return NULL;
}

static void *ask_all(void *arg)
{
	const struct timespec pause = {.tv_nsec = TICK_NS};
	_Atomic long *count = arg;

	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0);
	while (!atomic_load(&self.over)) {
		long start = now();

		if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED,
			    0) < 0)
			atomic_fetch_add(&self.lost, 1);
		if (now() - start > self.late_ns)
			atomic_fetch_add(&self.lost, 1);
		atomic_fetch_add(count, 1);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void start(int cpu, void *(*what)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	if (pthread_create(&thread, &attr, what, arg)) {
		printf("l2check: LOST a thread that could not be made\n");
		exit(1);
	}
	pthread_attr_destroy(&attr);
}

static void start_all(void)
{
	int last = self.cpus - 1;

	for (int cpu = 0; cpu < self.cpus; cpu++) {
		start(cpu, compute, NULL);
		start(cpu, tick, &self.ticks[cpu]);
		start(cpu, ask_all, &self.barriers[cpu]);
	}
	start(0, play, NULL);
	start(last, play, &self.wakes);
}

/* What should never stop: ticks and barriers of each CPU, and the ball. */
static int n_activities(void)
{
	return 2 * self.cpus + 1;
}

static long activity(int i)
{
	if (i < self.cpus)
		return self.ticks[i];
	if (i < 2 * self.cpus)
		return self.barriers[i - self.cpus];
	return self.wakes;
}

/* How many of the activities have stood still since @old was filled in. */
static int standing(long *old)
{
	int still = 0;

	for (int i = 0; i < n_activities(); i++) {
		long count = activity(i);

		still += count == old[i];
		old[i] = count;
	}
	return still;
}

static void print_each(const char *name, const _Atomic long *counts)
{
	printf(" %s", name);
	for (int i = 0; i < self.cpus; i++)
		printf(" %ld", counts[i]);
	printf(",");
}

static bool report(const char *what)
{
	long bad = self.late + self.backwards + self.lost;

	printf("l2check: %s %d CPUs,", what, self.cpus);
	print_each("ticks", self.ticks);
	print_each("barriers", self.barriers);
	printf(" wakes %ld, worst %ld ms, late %ld, backwards %ld, lost %ld\n",
	       self.wakes, self.worst / 1000000, self.late, self.backwards,
	       self.lost);
	return !bad;
}

/* How many interrupts of which kind there were, from Linux. */
static void show_interrupts(void)
{
	char line[256];
	FILE *f;

	if (getpid() == 1 && !mkdir("/proc", 0755))
		mount("proc", "/proc", "proc", 0, NULL);
	f = fopen("/proc/interrupts", "r");
	while (f && fgets(line, sizeof(line), f)) {
		const char *name = line + strspn(line, " ");

		if (!strncmp(name, "LOC:", 4) || !strncmp(name, "RES:", 4) ||
		    !strncmp(name, "CAL:", 4))
			printf("l2check: %s", name);
	}
	if (f)
		(void)fclose(f);
}

static int watch(long seconds)
{
	long end = now() + seconds * SECOND_NS, old[2 * MAX_CPUS + 1] = {0};
	long step = self.late_ns / SECOND_NS + 1;
	int still = 0;

	if (step > seconds)
		step = seconds;

	while (now() < end && !still) {
		sleep((unsigned)step);
		still = standing(old);
		report("so far");
	}
	if (still)
		printf("l2check: %d activities stand still\n", still);
	return report("in all") && !still ? 0 : 1;
}

int main(int argc, char **argv)
{
	long seconds = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	cpu_set_t set;
	int status;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (seconds <= 0 || sched_getaffinity(0, sizeof(set), &set)) {
		printf("usage: l2check SECONDS LATE\n");
		return 2;
	}
	self.late_ns = strtol(argv[2], NULL, 10) * 1000000;
	self.cpus = CPU_COUNT(&set);
	printf("l2check: starts\n");
	start_all();
	status = watch(seconds);
	atomic_store(&self.over, true);
	show_interrupts();
	printf("l2check: %s\n", status ? "LOST" : "ok");
	if (getpid() == 1)
		reboot(RB_POWER_OFF);
	return status;
}
