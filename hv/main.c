/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L0's start, in the order in which things become possible: read what the
 * loader says, take a block of memory, move there, turn SVM on, load L1 where
 * L0 was, and run it for ever.
 */
#include "hv/boot/bootinfo.h"
#include "hv/boot/l1.h"
#include "hv/boot/options.h"
#include "hv/console.h"
#include "hv/ioapic.h"
#include "hv/iommu.h"
#include "hv/lapic.h"
#include "hv/mem.h"
#include "hv/nested.h"
#include "hv/panic.h"
#include "hv/policy.h"
#include "hv/ports.h"
#include "hv/power.h"
#include "hv/ptable.h"
#include "hv/run.h"
#include "hv/smp.h"
#include "hv/seal.h"
#include "hv/space.h"
#include "hv/svm/svm.h"
#include "hv/tables.h"
#include "hv/timer.h"
#include "hv/trap.h"
#include "hv/vapic.h"
#include "lib/cpu.h"
#include "lib/string.h"
#include "lib/uart.h"

#define FOUR_GIB   0x100000000ull
#define CPUID_GIB  0x04000000u /* 1 GiB pages: leaf 0x80000001, EDX */
#define LOW_MEMORY 0x100000ull
#define FWCFG_DMA  0x514

extern u8 image_start[], text_end[], rodata_end[], image_end[]; /* hv.ld */
void hv_main(u32 magic, u64 info);
void boot_move(u64 cr3, void (*go_on)(void), u64 to) __attribute__((noreturn));

/* Which extension a CPU has is a bit of CPUID; none has two. */
static const struct {
	u32 leaf, ecx;
	const struct vmm_ops *ops;
} backends[] = {
	{CPUID_EXT, CPUID_ECX_SVM, &svm_ops},
};

const struct vmm_ops *vmm;

static struct bootinfo boot;
static struct options options;
static struct acpi acpi;	/* the firmware's tables, or none */
static struct acpi_cpus listed; /* by its MADT, or none */
static u64 block;		/* physical, of options.mem bytes */
static u64 tables;		/* L0's own page tables */

/* The boot page tables map the first 4 GiB, where loaders put everything. */
static const void *map_phys(void *ctx, u64 pa, u64 len)
{
	(void)ctx;
	return pa + len <= FOUR_GIB && pa + len >= pa ? phys_to_virt(pa) : NULL;
}

static const struct phys phys = {.map = map_phys};

static void read_boot(u32 magic, u64 info)
{
	const char *why;
	bool good;

	if (bootinfo_parse(&boot, &phys, magic, info, &why) < 0)
		give_up("%s", why);
	good = options_parse(&options, boot.cmdline, &why) == 0;
	/* What stands before a bad word counts: where to say so, and how to
	 * end. */
	console_init(options.port);
	console_quiet(options.quiet);
	panic_resets(options.reset);
	if (!good)
		give_up("%s", why);
	say("nestbox: L0, %lu MiB of memory, %lu modules\n",
	    memmap_ram(&boot.map) >> 20, boot.n_modules);
}

static void choose_backend(void)
{
	const char *why;

	for (size_t i = 0; i < ARRAY_SIZE(backends); i++)
		if (cpuid(backends[i].leaf, 0).ecx & backends[i].ecx)
			vmm = backends[i].ops;
	if (!vmm)
		give_up("this CPU has no SVM");
	why = vmm->unusable();
	if (why)
		give_up("%s", why);
}

static void check_machine(void)
{
	if (!(cpuid(CPUID_EXT, 0).edx & CPUID_GIB))
		give_up("this CPU has no pages of 1 GiB");
	if (!boot.n_modules)
		give_up("no module: L1's kernel or payload is the first one");
}

/*
 * The rest of the memory above the block is taken, too, if it is less than a
 * large page: for its sake a Linux would describe each of the block's pages,
 * which is 0.2 % of a boot.
 */
static void take_rest(struct mem_want *want)
{
	u64 end = block + options.mem;

	want->min = end;
	want->max = memmap_ram_end(&boot.map, end) & ~(u64)(PAGE_SIZE - 1);
	want->size = want->max - end;
	want->align = PAGE_SIZE;
	if (want->max > end && want->size < LARGE_PAGE_SIZE &&
	    memmap_find_low(&boot.map, want) == end)
		options.mem += want->size;
}

/* As high as possible below 4 GiB, where L1's kernel misses it least. */
static void take_block(void)
{
	struct mem_range busy[BOOT_MODULES + 1];
	struct mem_want want = {
		.size = options.mem,
		.align = LARGE_PAGE_SIZE,
		.min = LOW_MEMORY,
		.max = FOUR_GIB,
		.busy = busy,
		.n_busy = bootinfo_busy(&boot, busy),
	};

	busy[want.n_busy++] = (struct mem_range){
		HV_LOAD, HV_LOAD + ((u64)image_end - HV_BASE), MEM_RAM};
	block = memmap_find_high(&boot.map, &want);
	if (block == MEM_NONE)
		give_up("no %lu MiB of memory in one piece below 4 GiB "
			"(option mem=)",
			options.mem >> 20);
	take_rest(&want);
	if (memmap_reserve(&boot.map, block, block + options.mem) < 0)
		give_up("the memory map has too many entries");
	mem_init(block + IMAGE_MAX, block + options.mem);
}

/* The direct map covers what this CPU can address. */
static u64 build_page_tables(void)
{
	struct ptable t = ptable_new(PTE_TABLE);
	u64 text = (u64)image_start, rodata = (u64)text_end;
	u64 data = (u64)rodata_end, end = (u64)image_end;

	ptable_map(&t, DIRECT_MAP, 0, space_size(),
		   PTE_TABLE | PTE_ACCESSED | PTE_DIRTY | PT_NX);
	ptable_map(&t, text, block, rodata - text, PTE_PRESENT | PTE_ACCESSED);
	ptable_map(&t, rodata, block + rodata - text, data - rodata,
		   PTE_PRESENT | PTE_ACCESSED | PT_NX);
	ptable_map(&t, data, block + data - text, end - data,
		   PTE_TABLE | PTE_ACCESSED | PTE_DIRTY | PT_NX);
	return t.root;
}

/* Without tables, whoever looks for one finds none. */
static void read_acpi(void)
{
	const char *why;

	if (acpi_open(&acpi, &phys, boot.rsdp, &why) < 0 ||
	    acpi_list_cpus(&acpi, &listed, &why) < 0)
		say("nestbox: one CPU: %s\n", why);
}

/* QEMU's fw_cfg moves memory for whoever asks, past any IOMMU. */
static void refuse_fwcfg_dma(void)
{
	ports_add(&(struct port_range){.name = "fw_cfg DMA",
				       .first = FWCFG_DMA,
				       .last = FWCFG_DMA + 7,
				       .read = port_in,
				       .write = port_out_nothing});
}

/* Each CPU on its own stack; L1 has to ask for all but the first. */
static void run_other_cpu(void)
{
	struct cpu *cpu = this_cpu();

	write_cr3(tables);
	trap_load();
	vmm->start_cpu(cpu);
	nested_start(&cpu->vcpu);
	vapic_start(&cpu->vcpu);
	cpu->vcpu.waits = true;
	smp_ready(cpu);
	run_forever(cpu);
}

static void run_boot_cpu(void)
{
	struct cpu *cpu = this_cpu();
	struct start start;
	const char *why;

	space_build(block, block + options.mem);
	read_acpi();
	vmm->start_cpu(cpu);
	policy_init(vmm);
	nested_init(options.svm, options.shake);
	nested_start(&cpu->vcpu);
	vapic_init();
	ioapic_init(&listed);
	vapic_start(&cpu->vcpu);
	power_init(&acpi);
	refuse_fwcfg_dma();
	smp_start(&listed, run_other_cpu);
	if (timer_init(&acpi, options.tick, &why) < 0)
		give_up("option tick: %s", why);
	iommu_init(&acpi);
	tables_init(&acpi, &boot);
	if (l1_load(&start, &boot, &options, &why) < 0)
		give_up("%s", why);
	vmm->reset(&cpu->vcpu, space_root(), &start);
	say("nestbox: L1 starts at %lx; L0 has [%lx, %lx), %u CPUs, %lu pages "
	    "free\n",
	    start.rip, block, block + options.mem, n_cpus, mem_free_pages());
	run_forever(cpu);
}

static void go_on(void)
{
	struct cpu *cpu;

	trap_init();
	trap_load();
	seal_init();
	vmm->init();
	cpu = smp_new_cpu(lapic_id());
	__asm__ volatile("mov %0, %%rsp\n\t"
			 "call *%1"
			 :
			 : "r"((u64)cpu + STACK_SIZE), "r"(run_boot_cpu)
			 : "memory");
	__builtin_unreachable();
}

void hv_main(u32 magic, u64 info)
{
	console_init(UART_COM1);
	read_boot(magic, info);
	choose_backend();
	check_machine();
	take_block();
	tables = build_page_tables();
	boot_move(tables, go_on, (u64)phys_to_virt(block));
}
