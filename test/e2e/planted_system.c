/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program whose accesses and page frames are known, for
 * test/e2e/capture-system.sh: runs in a guest, as root. Says first, for parent
 * and child, "PROCESS VIRTUAL PHYSICAL" of each of its pages; then, between
 * markers, both write 8 bytes to each page at offset 8 * (its number), first
 * the child, then the parent; the parent asks the kernel for something after.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/marker.h"

#define PAGE   4096
#define PAGES  8
#define STRIDE 3 /* pages from one to the next that is used */

static char *page(char *memory, int i)
{
	return memory + (long)i * STRIDE * PAGE;
}

/* Bits 0-54 of an entry are the frame (Linux, admin-guide/mm/pagemap). */
static u64 frame(const char *at)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	u64 entry = 0;

	if (fd < 0 || pread(fd, &entry, sizeof(entry), (long)at / PAGE * 8) !=
			      sizeof(entry))
		exit(3);
	close(fd);
	return (entry & ((1ull << 55) - 1)) * PAGE;
}

/* Each process gets pages of its own by writing to them. */
static void say(const char *who, char *memory)
{
	for (int i = 0; i < PAGES; i++) {
		*page(memory, i) = 1;
		printf("%s %lx %llx\n", who, (long)page(memory, i),
		       (unsigned long long)frame(page(memory, i)));
	}
	(void)fflush(stdout);
}

/* One instruction of one access for each page. */
static inline void plant(char *memory)
{
	for (int i = 0; i < PAGES; i++)
		__asm__ volatile("movq $1, (%0)"
				 :
				 : "r"(page(memory, i) + 8L * i)
				 : "memory");
}

int main(void)
{
	char *memory = mmap(NULL, (size_t)PAGES * STRIDE * PAGE,
			    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	int go[2], status = 1;
	char byte;
	pid_t pid;

	if (memory == MAP_FAILED || pipe(go))
		return 2;
	memset(memory, 1, (size_t)PAGES * STRIDE * PAGE);
	pid = fork();
	if (!pid) {
		say("child", memory);
		if (read(go[0], &byte, 1) != 1)
			_exit(4);
		plant(memory);
		_exit(0);
	}
	sleep(1);
	say("parent", memory);
	MARK(MARK_BEGIN);
	if (write(go[1], "", 1) != 1 || waitpid(pid, &status, 0) != pid)
		return 5;
	plant(memory);
	syscall(SYS_getppid);
	MARK(MARK_END);
	return status ? 6 : 42;
}
