/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program whose accesses are known, for test/e2e/capture.sh. Between its
 * markers it does what its argument says; it prints where its memory is.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/marker.h"

#define PAGE 4096

static u64 memory[64] __attribute__((aligned(PAGE)));

/* Where: 0, 8 ... bytes behind @memory. */
static void kinds(void)
{
	u64 *m = memory;
	u64 n = 4;

	printf("%lx\n", (unsigned long)memory);
	(void)fflush(stdout);
	MARK(MARK_BEGIN);
	__asm__ volatile("movb 0(%0), %%al\n\t"
			 "movw %%ax, 8(%0)\n\t"
			 "movl 16(%0), %%eax\n\t"
			 "movq %%rax, 24(%0)\n\t"
			 "nop\n\tnop\n\t"
			 "addq %%rax, 32(%0)\n\t"
			 "incl 40(%0)\n\t"
			 "cmpq %%rax, 48(%0)\n\t"
			 "movups 64(%0), %%xmm0\n\t"
			 "movups %%xmm0, 80(%0)\n\t"
			 "lock xaddq %%rax, 96(%0)\n\t"
			 "xchgl %%eax, 104(%0)\n\t"
			 "shll $1, 112(%0)\n\t"
			 "notb 120(%0)"
			 :
			 : "r"(m)
			 : "rax", "xmm0", "memory");
	__asm__ volatile("rep movsb"
			 : "+S"(m), "+c"(n)
			 : "D"(memory + 16)
			 : "memory");
	MARK(MARK_END);
}

/* 100,000 instructions without an access, then one. */
static void quiet(void)
{
	u64 n = 33333;

	printf("%lx\n", (unsigned long)memory);
	(void)fflush(stdout);
	MARK(MARK_BEGIN);
	__asm__ volatile("movq (%1), %%rax\n\t"
			 "1: nop\n\tdec %0\n\tjnz 1b\n\t"
			 "movq 8(%1), %%rax"
			 : "+r"(n)
			 : "r"(memory)
			 : "rax");
	MARK(MARK_END);
}

static void touch(char *at)
{
	*(volatile char *)at = 1;
}

static void vmas(void)
{
	char *a, *b, *top = sbrk(0);

	MARK(MARK_BEGIN);
	a = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	touch(a);
	mprotect(a + PAGE, PAGE, PROT_READ);
	mprotect(a + PAGE, PAGE, PROT_READ | PROT_WRITE);
	madvise(a, PAGE, MADV_DONTNEED);
	munmap(a + 8 * PAGE, 8 * PAGE);
	b = mremap(a, 8 * PAGE, 32 * PAGE, MREMAP_MAYMOVE);
	touch(b);
	if (sbrk(2 * PAGE) == top)
		touch(top);
	MARK(MARK_END);
	printf("%lx %lx %lx\n", (unsigned long)a, (unsigned long)b,
	       (unsigned long)top);
}

static void *thread(void *number)
{
	u64 n = (uintptr_t)number;

	for (int i = 0; i < 100000; i++)
		__asm__ volatile("lock incq %0" : "+m"(memory[n]));
	return NULL;
}

static void threads(void)
{
	pthread_t t[4];

	printf("%lx\n", (unsigned long)memory);
	(void)fflush(stdout);
	for (u64 i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, thread, (void *)(uintptr_t)i);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}

static void child(char **argv)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		execv(argv[0], (char *[]){argv[0], argv[1] + 5, NULL});
		_exit(99);
	}
	waitpid(pid, &status, 0);
	exit(status ? 1 : 7);
}

/* Writes until somebody ends it. */
static void forever(void)
{
	puts("running");
	(void)fflush(stdout);
	for (volatile u64 *m = memory;; m[3]++)
		;
}

static void die(void)
{
	abort();
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} list[] = {
		{"kinds", kinds},     {"quiet", quiet},	    {"vmas", vmas},
		{"threads", threads}, {"forever", forever}, {"die", die},
	};

	if (argc == 2 && !strncmp(argv[1], "fork-", 5))
		child(argv);
	for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(list); i++)
		if (!strcmp(argv[1], list[i].name))
			list[i].run();
	return 0;
}
