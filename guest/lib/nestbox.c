/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/nestbox.h"

#include "guest/lib/multiboot.h"
#include "guest/lib/x86.h"
#include "lib/cpu.h"

bool nestbox_below(void)
{
	struct cpuid r = cpuid(LEAF_NESTBOX, 0);

	return r.eax == LEAF_NESTBOX && r.ebx == SIGN_EBX;
}

void nestbox_call(struct nestbox_call *c)
{
	__asm__ volatile("mov %[r8], %%r8\n\t"
			 "vmmcall\n\t"
			 "mov %%r8, %[r8]"
			 : "+a"(c->rax), "+b"(c->rbx), "+c"(c->rcx),
			   "+d"(c->rdx), "+S"(c->rsi),
			   "+D"(c->rdi), [r8] "+m"(c->r8)
			 :
			 : "r8", "memory");
}

/* One to one, as start.S maps it. */
static const void *map(void *ctx, u64 pa, u64 len)
{
	const u64 end = (u64)IDENTITY_GIB << 30;

	(void)ctx;
	return pa < end && len <= end - pa ? (const void *)pa : NULL;
}

/* The first root pointer at the start of a page of an ACPI range. */
static bool open_tables(struct acpi *acpi)
{
	const struct phys phys = {.map = map};
	const struct multiboot_range *r;
	const char *why;

	for (unsigned i = 0; (r = multiboot_range(i)); i++)
		for (u64 pa = r->start; r->type == RANGE_ACPI && pa < r->end;
		     pa += PAGE_SIZE)
			if (acpi_open(acpi, &phys, pa, &why) == 0)
				return true;
	return false;
}

bool nestbox_token(u64 token[2])
{
	const struct nbox *nbox = NULL;
	struct acpi acpi;

	if (open_tables(&acpi))
		nbox = (const void *)acpi_table(&acpi, NBOX_NAME, NULL);
	if (!nbox)
		return false;
	token[0] = nbox->token[0];
	token[1] = nbox->token[1];
	return true;
}

/* Asked for once: later the tables may be overwritten. */
void nestbox_block(u64 *start, u64 *end)
{
	static struct nestbox_call c;
	u64 token[2];

	if (!c.rsi && nestbox_token(token)) {
		c.rax = HYPERCALL_SEAL;
		c.rbx = token[0];
		c.rcx = token[1];
		nestbox_call(&c);
	}
	*start = c.rdx;
	*end = c.rsi;
}
