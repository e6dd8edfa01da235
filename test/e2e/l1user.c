/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program of L1's user space that asks nestbox.elf by hypercalls: as root
 * with the token from the ACPI table, then as nobody. Prints what came back,
 * for test/e2e/hypercall.sh. With the argument "shadow" it asks, as root, how
 * many pages NPT02 has; with "tsc" it prints how far the TSC gets in a
 * millisecond.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/exit.h"
#include "lib/hypercall.h"

#define TABLE  "/sys/firmware/acpi/tables/" NBOX_NAME
#define NOBODY 65534

static bool read_table(struct nbox *nbox)
{
	FILE *f = fopen(TABLE, "rb");
	bool good = f && fread(nbox, sizeof(*nbox), 1, f) == 1;

	if (f)
		(void)fclose(f);
	return good;
}

/* L1's CPUIDs so far; gives RAX. */
static u64 count(const struct nbox *nbox, u64 *exits)
{
	register u64 handler __asm__("r8") = 0;
	u64 rax = HYPERCALL_COUNT, rbx = nbox->token[0];

	__asm__ volatile("vmmcall"
			 : "+a"(rax), "+b"(rbx), "+r"(handler)
			 : "c"(nbox->token[1]), "d"(0), "S"(1), "D"(EXIT_cpuid)
			 : "memory");
	*exits = rbx;
	return rax;
}

static u64 version(void)
{
	u64 rax = HYPERCALL_VERSION;

	__asm__ volatile("vmmcall" : "+a"(rax) : : "memory");
	return rax;
}

static void cpuid_once(void)
{
	u32 eax = 0, ecx = 0;

	__asm__ volatile("cpuid" : "+a"(eax), "+c"(ecx) : : "ebx", "edx");
}

static void ask(const char *who)
{
	struct nbox nbox;
	u64 before, after, rax;
	bool have;

	memset(&nbox, 0, sizeof(nbox));
	have = read_table(&nbox);
	rax = count(&nbox, &before);
	cpuid_once();
	count(&nbox, &after);
	printf("%s: version %#lx, token %s, count %ld", who, version(),
	       have ? "read" : "refused", (long)rax);
	if (!rax)
		printf(", %lu CPUID", after - before);
	printf("\n");
}

/* Evictions would hide that pages get lost. */
static int ask_shadow(void)
{
	register u64 pages __asm__("r8");
	u64 rax = HYPERCALL_SHADOW, evictions, free;
	struct nbox nbox;

	if (!read_table(&nbox))
		return 1;
	__asm__ volatile("vmmcall"
			 : "+a"(rax), "=S"(evictions), "=D"(free), "=r"(pages),
			   "+b"(nbox.token[0]), "+c"(nbox.token[1])
			 :
			 : "rdx", "memory");
	if (rax)
		return 1;
	printf("shadow: %lu of %lu pages, %lu evictions\n", pages - free, pages,
	       evictions);
	return 0;
}

/* lib/cpu.h's is not for programs: it has a pause(), as unistd.h has. */
static u64 tsc_now(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

static int show_tsc(void)
{
	u64 ns = now_ns(), tsc = tsc_now();

	sleep(5);
	tsc = tsc_now() - tsc;
	ns = now_ns() - ns;
	printf("%lu\n", tsc * 1000 / (ns / 1000));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "tsc"))
		return show_tsc();
	if (argc > 1 && !strcmp(argv[1], "shadow"))
		return ask_shadow();
	ask("root");
	if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
		return 1;
	ask("nobody");
	return 0;
}
