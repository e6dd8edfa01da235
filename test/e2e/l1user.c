/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program of L1's user space that asks nestbox.elf by hypercalls: as root
 * with the token from the ACPI table, then as nobody. Prints what came back,
 * for test/e2e/hypercall.sh.
 */
#include <stdio.h>
#include <string.h>
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
		fclose(f);
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

int main(void)
{
	ask("root");
	if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
		return 1;
	ask("nobody");
	return 0;
}
