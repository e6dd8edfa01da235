/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/tables.h"

#include "hv/console.h"
#include "hv/mem.h"
#include "hv/panic.h"
#include "hv/token.h"
#include "lib/hypercall.h"
#include "lib/string.h"

#define FOUR_GIB   0x100000000ull
#define LOW_MEMORY 0x100000ull

#define NBOX_AT (PAGE_SIZE - 64ull) /* in the page; the root is at 0 */

_Static_assert(NBOX_AT + sizeof(struct nbox) <= PAGE_SIZE, "NBOX is too long");

#define MAX_HIDDEN 4

static bool published;
static char hidden[MAX_HIDDEN][4];
static size_t n_hidden;

void tables_hide(const char *name)
{
	if (n_hidden == MAX_HIDDEN)
		panic("too many hidden ACPI tables");
	memcpy(hidden[n_hidden++], name, sizeof(hidden[0]));
}

bool tables_published(void)
{
	return published;
}

/* High, where the firmware's are; not where a module waits to be loaded. */
static u64 take_page(struct bootinfo *boot)
{
	struct mem_range busy[BOOT_MODULES];
	struct mem_want want = {.size = PAGE_SIZE,
				.align = PAGE_SIZE,
				.min = LOW_MEMORY,
				.max = FOUR_GIB,
				.busy = busy,
				.n_busy = bootinfo_busy(boot, busy)};
	u64 at = memmap_find_high(&boot->map, &want);

	if (at != MEM_NONE &&
	    memmap_set(&boot->map, at, at + PAGE_SIZE, MEM_ACPI) < 0)
		return MEM_NONE;
	return at;
}

static int write_nbox(u8 *to, const char **why)
{
	struct acpi_writer w = {.to = to, .size = sizeof(struct nbox)};
	const u32 base = HYPERCALL_BASE;
	u64 token[2];

	token_draw(token);
	acpi_begin(&w, NBOX_NAME, 1);
	acpi_append(&w, &base, sizeof(base));
	acpi_append(&w, token, sizeof(token));
	return acpi_end(&w, why);
}

static int publish(const struct acpi *acpi, struct bootinfo *boot,
		   const char **why)
{
	struct acpi_writer w = {.size = NBOX_AT};
	struct acpi_edit edit = {
		.hide = hidden, .n_hide = n_hidden, .n_add = 1};
	u64 page, nbox;

	if (!acpi->root)
		return refuse(why, "the machine has no ACPI tables");
	page = take_page(boot);
	if (page == MEM_NONE)
		return refuse(why, "no memory for L1's ACPI tables");
	nbox = page + NBOX_AT;
	edit.add = &nbox;
	w.to = phys_to_virt(page);
	if (write_nbox(phys_to_virt(nbox), why) < 0 ||
	    acpi_rewrite(acpi, &edit, &w, page, why) < 0)
		return -1;
	boot->rsdp = page;
	return 0;
}

void tables_init(const struct acpi *acpi, struct bootinfo *boot)
{
	const char *why;

	published = publish(acpi, boot, &why) == 0;
	if (!published)
		say("nestbox: L1 gets no token: %s\n", why);
}
