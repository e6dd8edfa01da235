/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that does to its address space what real ones do at worst, for
 * test/e2e/capture-programs.sh: signals in the middle of everything, memory
 * that is reserved and never used, mappings that move and shrink, many threads,
 * children of every kind. Returns 0 if all went as it should natively.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB	(1ul << 20)
#define BIG	(100ul << 30)
#define THREADS 24
#define ROUNDS	3

extern char **environ;

static sigjmp_buf before;
static volatile long ticks, faults;
static char *volatile nowhere = (char *)16;

static void on_tick(int number)
{
	(void)number;
	ticks++;
}

static void on_fault(int number)
{
	faults++;
	siglongjmp(before, number);
}

static void start_signals(void)
{
	struct itimerval every = {{0, 2000}, {0, 2000}};
	struct sigaction tick = {.sa_handler = on_tick, .sa_flags = SA_RESTART};

	sigaction(SIGALRM, &tick, NULL);
	signal(SIGSEGV, on_fault);
	setitimer(ITIMER_REAL, &every, NULL);
}

static char *map(size_t bytes, int flags)
{
	char *m = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (m == MAP_FAILED)
		exit(2);
	return m;
}

/* A page here and there of what no machine has. */
static void reserve(char *big)
{
	for (size_t at = 0; at < BIG; at += BIG / 64)
		big[at] = 1;
	madvise(big, BIG / 2, MADV_DONTNEED);
	big[0] = 1;
}

static void move(char *to)
{
	char *m = map(MIB / 16, 0);

	memset(m, 1, MIB / 16);
	m = mremap(m, MIB / 16, 4 * MIB, MREMAP_MAYMOVE);
	memset(m, 2, 4 * MIB);
	m = mremap(m, 4 * MIB, MIB / 32, 0);
	if (mremap(m, MIB / 32, MIB / 32, MREMAP_MAYMOVE | MREMAP_FIXED, to) !=
	    to)
		exit(3);
	to[5]++;
}

static void fault(char *m)
{
	for (volatile int i = 0; i < 10; i++)
		if (!sigsetjmp(before, 1))
			*nowhere = 1;
	mprotect(m, 4096, PROT_READ);
	if (!sigsetjmp(before, 1))
		*(volatile char *)m = 1;
	if (faults != 11)
		exit(4);
}

static void grow_and_shrink(void)
{
	char *end = sbrk(MIB);

	memset(end, 3, MIB);
	sbrk(-(long)MIB / 2);
	memset(end, 4, MIB / 2);
}

static void *work(void *arg)
{
	char *m = map(MIB / 4, 0), *heap = malloc(300000);

	memset(m, 5, MIB / 4);
	memset(heap, 6, 300000);
	munmap(m, MIB / 4);
	free(heap);
	return arg;
}

static void many_threads(void)
{
	pthread_t thread[THREADS];

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < THREADS; i++)
			if (pthread_create(&thread[i], NULL, work, NULL))
				exit(5);
		for (int i = 0; i < THREADS; i++)
			pthread_join(thread[i], NULL);
	}
}

static void share(void)
{
	int id = shmget(IPC_PRIVATE, MIB, 0600);
	char *m = shmat(id, NULL, 0);

	shmctl(id, IPC_RMID, NULL);
	memset(m, 7, MIB);
	shmdt(m);
}

static void children(char *self)
{
	char *argv[] = {self, (char[]){"-"}, NULL};
	int status = 1;
	pid_t pid;

	if (posix_spawn(&pid, self, NULL, NULL, argv, environ) ||
	    waitpid(pid, &status, 0) != pid || status)
		exit(6);
	pid = fork();
	if (!pid) {
		share();
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		exit(7);
}

int main(int argc, char **argv)
{
	char *big = map(BIG, MAP_NORESERVE);

	if (argc > 1)
		return 0;
	start_signals();
	reserve(big);
	move(big + MIB);
	fault(big + MIB);
	grow_and_shrink();
	many_threads();
	share();
	children(argv[0]);
	munmap(big, BIG);
	return ticks ? 0 : 8;
}
