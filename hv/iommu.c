/* SPDX-License-Identifier: Apache-2.0 */
/* Sections are those of the AMD I/O Virtualization Technology (IOMMU)
 * specification, 48882, revision 3. */
#include "hv/iommu.h"

#include "hv/console.h"
#include "hv/ivrs.h"
#include "hv/mem.h"
#include "hv/mmio.h"
#include "hv/pci.h"
#include "hv/ptable.h"
#include "hv/space.h"
#include "hv/tables.h"
#include "lib/apic.h"
#include "lib/cpu.h"

/* Registers (3.4), and their space without and with counters. */
enum {
	DEVICE_TABLE = 0x0000,
	COMMAND_BASE = 0x0008,
	CONTROL = 0x0018,
	EXCLUSION_BASE = 0x0020,
	EXCLUSION_LIMIT = 0x0028,
	FEATURES = 0x0030,
	COMMAND_HEAD = 0x2000,
	COMMAND_TAIL = 0x2008,
	REGISTERS = 0x4000,
	REGISTERS_COUNTERS = 0x80000,
};

#define FEATURE_INVALIDATE_ALL 0x40u
#define FEATURE_COUNTERS       0x200u

/* Of CONTROL, what firmware has chosen for HyperTransport stays. */
#define CONTROL_ENABLE	 0x1u
#define CONTROL_KEPT	 0xb02u
#define CONTROL_COHERENT 0x400u
#define CONTROL_COMMANDS 0x1000u

/* Device table entries (2.2.2.1): 65,536 of 32 bytes. */
#define DEVICES		  0x10000
#define DTE_QUADS	  4
#define DTE_PAGES	  512
#define DTE_VALID	  0x3ull /* and translates */
#define DTE_LEVELS_SHIFT  9
#define DTE_DOMAIN	  1ull /* in the second quad; 0 is special */
#define DEVICE_TABLE_SIZE (DTE_PAGES - 1ull)

/* Commands (2.4), 16 bytes each. */
#define COMMAND_256	 (8ull << 56) /* the buffer's length: a page */
#define COMPLETION_WAIT	 (1ull << 60)
#define COMPLETION_STORE 0x1ull
#define INVALIDATE_ALL	 (8ull << 60)
#define DONE_AT		 4 /* behind two commands */
#define ANSWER_TURNS	 10000000u

static volatile u64 *reg(u64 base, u64 offset)
{
	return phys_to_virt(base + offset);
}

/* Neither L1 nor a device may reach the registers. */
static int hide_registers(u64 base, const char **why)
{
	u64 features, size;

	if (base >= space_size())
		return refuse(why, "the IOMMU is out of reach");
	features = *reg(base, FEATURES);
	if (!(features & FEATURE_INVALIDATE_ALL))
		return refuse(why, "the IOMMU cannot invalidate all at once");
	size = features & FEATURE_COUNTERS ? REGISTERS_COUNTERS : REGISTERS;
	space_hide(base, size);
	return 0;
}

/* A device finds what L1 finds: neither L0's block nor what L0 has trapped. The
 * local APICs' page is where messages go, which no table is for. */
static u64 new_map(void)
{
	struct ptable dma = ptable_new_io();
	const struct mmio_range *r;

	ptable_map(&dma, 0, 0, space_size(), PTE_PRESENT | IO_READ | IO_WRITE);
	for (size_t i = 0; (r = mmio_get(i)); i++)
		if (r->start != APIC_PAGE)
			ptable_unmap(&dma, r->start, r->end - r->start);
	return dma.root;
}

static u64 new_device_table(u64 map)
{
	u64 *table = mem_pages(DTE_PAGES, PAGE_SIZE);

	for (size_t i = 0; i < DEVICES; i++) {
		u64 *dte = &table[i * DTE_QUADS];

		dte[0] = map | PT_LEVELS << DTE_LEVELS_SHIFT | IO_READ |
			 IO_WRITE | DTE_VALID;
		dte[1] = DTE_DOMAIN;
	}
	return virt_to_phys(table);
}

/* Off, new tables, on; then nothing that it remembers is of before. @commands
 * is a page for the buffer and the answer. */
static int start_iommu(u64 base, u64 devices, u64 commands, const char **why)
{
	u64 control = *reg(base, CONTROL) & CONTROL_KEPT;
	volatile u64 *command = phys_to_virt(commands);
	volatile u64 *done = &command[DONE_AT];

	*reg(base, CONTROL) = control;
	*reg(base, DEVICE_TABLE) = devices | DEVICE_TABLE_SIZE;
	*reg(base, COMMAND_BASE) = commands | COMMAND_256;
	*reg(base, COMMAND_HEAD) = 0;
	*reg(base, COMMAND_TAIL) = 0;
	*reg(base, EXCLUSION_BASE) = 0;
	*reg(base, EXCLUSION_LIMIT) = 0;
	*reg(base, CONTROL) =
		control | CONTROL_COHERENT | CONTROL_COMMANDS | CONTROL_ENABLE;
	command[0] = INVALIDATE_ALL;
	command[2] = COMPLETION_WAIT | COMPLETION_STORE |
		     (commands + DONE_AT * sizeof(*command));
	command[3] = true;
	*done = false;
	*reg(base, COMMAND_TAIL) = DONE_AT * sizeof(*command);
	for (unsigned turn = 0; turn < ANSWER_TURNS; turn++) {
		if (*done)
			return 0;
		pause();
	}
	return refuse(why, "the IOMMU does not answer");
}

static int start_all(const struct ivrs *ivrs, const char **why)
{
	u64 commands = virt_to_phys(mem_pages(1, PAGE_SIZE)), devices;

	for (size_t i = 0; i < ivrs->n; i++)
		if (hide_registers(ivrs->base[i], why) < 0)
			return -1;
	devices = new_device_table(new_map());
	for (size_t i = 0; i < ivrs->n; i++)
		if (start_iommu(ivrs->base[i], devices, commands, why) < 0)
			return -1;
	return 0;
}

static int protect(const struct acpi *acpi, const char **why)
{
	const struct acpi_header *table = acpi_table(acpi, "IVRS", NULL);
	struct ivrs ivrs;

	if (!table)
		return refuse(why, "no IOMMU");
	if (ivrs_list(&ivrs, table, why) < 0 || start_all(&ivrs, why) < 0)
		return -1;
	tables_hide("IVRS");
	for (size_t i = 0; i < ivrs.n; i++)
		pci_hide(ivrs.function[i]);
	say("nestbox: IOMMU (%lu): keeps devices out of L0's memory\n", ivrs.n);
	return 0;
}

void iommu_init(const struct acpi *acpi)
{
	const char *why;

	if (protect(acpi, &why) < 0)
		say("nestbox: %s: devices that L1 programs can read and write "
		    "L0's memory\n",
		    why);
}
