/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nestbox.elf's hypercalls, in TAP, as its guest. With dma=1 devices then
 * write over L0's text, which nothing prevents without an IOMMU, and the
 * payload ends by a triple fault, so that L0 looks at it.
 */
#include "guest/lib/cmdline.h"
#include "guest/lib/edu.h"
#include "guest/lib/exit.h"
#include "guest/lib/idt.h"
#include "guest/lib/nestbox.h"
#include "guest/lib/serial.h"
#include "guest/lib/tap.h"
#include "lib/cpu.h"
#include "lib/exit.h"

#define TESTS	  19
#define CPUIDS	  100
#define LEVEL_1	  1
#define BY_L0	  0
#define UNTOUCHED 0x1234567890abcdefull

int main(const char *cmdline);

static u64 token[2];

/* A call with the token and all other registers as given. */
static struct nestbox_call call(u64 number, struct nestbox_call c)
{
	c.rax = number;
	c.rbx = token[0];
	c.rcx = token[1];
	nestbox_call(&c);
	return c;
}

static u64 count(u64 slot)
{
	struct nestbox_call c =
		call(HYPERCALL_COUNT, (struct nestbox_call){.rsi = LEVEL_1,
							    .rdi = slot,
							    .r8 = BY_L0});

	return c.rax ? UNTOUCHED : c.rbx;
}

static void cpuids(void)
{
	for (unsigned i = 0; i < CPUIDS; i++)
		cpuid(0, 0);
}

/* For everybody ************************************************************/

static void test_open(void)
{
	struct nestbox_call c = {.rax = HYPERCALL_FEATURES};

	tap_ok(vmmcall(HYPERCALL_VERSION) == 1, "version 0.1");
	nestbox_call(&c);
	tap_ok(c.rax == (HYPERCALL_HAS_SEAL | HYPERCALL_HAS_ACCOUNT |
			 HYPERCALL_HAS_TABLE | HYPERCALL_HAS_NESTED),
	       "features %lx", c.rax);
	tap_ok(c.rbx == 1 && c.rcx == 2 && c.rdx == EXIT_SLOTS && c.rsi == 16,
	       "%lu CPUs, %lu levels, %lu slots, ring of %lu", c.rbx, c.rcx,
	       c.rdx, c.rsi);
}

static void test_unknown(void)
{
	const u64 numbers[] = {0, HYPERCALL_BASE - 1, HYPERCALL_END,
			       HYPERCALL_BASE | 1ull << 32, ~0ull};
	unsigned good = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct nestbox_call c = {.rax = numbers[i], .rbx = UNTOUCHED};

		nestbox_call(&c);
		good += c.rax == HYPERCALL_UNKNOWN && c.rbx == UNTOUCHED;
	}
	tap_ok(good == ARRAY_SIZE(numbers), "unknown numbers");
}

/* With the token ***********************************************************/

static bool denied(u64 number, u64 first, u64 second)
{
	struct nestbox_call c = {.rax = number,
				 .rbx = first,
				 .rcx = second,
				 .rsi = LEVEL_1,
				 .rdi = EXIT_cpuid};

	nestbox_call(&c);
	return c.rax == HYPERCALL_DENIED && c.rbx == first && c.rcx == second &&
	       c.rdi == EXIT_cpuid;
}

static void test_token(void)
{
	static const char *const name[] = {"count", "switches", "ring",
					   "nested", "shadow"};

	tap_ok(nestbox_token(token), "the token is in the table NBOX");
	for (u64 i = 0; i < ARRAY_SIZE(name); i++) {
		u64 number = HYPERCALL_COUNT + i;

		tap_ok(denied(number, 0, 0) &&
			       denied(number, token[0], token[1] ^ 1) &&
			       denied(number, token[0] ^ 1ull << 63,
				      token[1]) &&
			       denied(number, token[1], token[0]),
		       "%s: a wrong token", name[i]);
	}
}

static bool is_sealed(void)
{
	struct nestbox_call c = {
		.rax = HYPERCALL_SEAL, .rbx = token[0], .rcx = token[1]};

	nestbox_call(&c);
	return c.rax == 0 && c.rbx && c.rbx == c.rcx;
}

static void test_counters(void)
{
	const struct nestbox_call none = {0};
	struct nestbox_call a, b;
	u64 before = count(EXIT_cpuid), sum = 0;

	cpuids();
	tap_ok(count(EXIT_cpuid) == before + CPUIDS, "count: CPUIDs");
	before = count(EXIT_vmcall);
	tap_ok(count(EXIT_vmcall) == before + 1, "count: the calls themselves");
	a = call(HYPERCALL_SWITCHES, none);
	cpuids();
	b = call(HYPERCALL_SWITCHES, none);
	tap_ok(!a.rax && !b.rax && b.rbx - a.rbx == CPUIDS + 1 &&
		       b.rcx - a.rcx == CPUIDS + 1,
	       "switches: one for each exit");
	for (u64 slot = 0; slot < EXIT_SLOTS; slot++)
		sum += count(slot);
	/* The loop's own calls are in the sum up to where it reads their slot.
	 */
	tap_ok(sum == b.rcx + EXIT_vmcall + 1, "count: the sum is all exits");
}

static void test_ring(void)
{
	struct nestbox_call c;

	cpuid(0, 0);
	c = call(HYPERCALL_RING, (struct nestbox_call){0});
	tap_ok(!c.rax && c.rbx == EXIT_vmcall && c.r8 == LEVEL_1,
	       "ring: this call");
	c = call(HYPERCALL_RING, (struct nestbox_call){.rsi = 2});
	tap_ok(!c.rax && c.rbx == EXIT_cpuid && *(const u16 *)c.rdi == 0xa20f,
	       "ring: the CPUID before, and where it is");
}

/* Every index one too far, and far too far. */
static void test_range(void)
{
	const struct nestbox_call good = {
		.rsi = LEVEL_1, .rdi = EXIT_cpuid, .r8 = BY_L0};
	const u64 bad[] = {64, 1ull << 32, 1ull << 63, ~0ull};
	unsigned wrong = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		struct nestbox_call c[] = {good, good, good, good};

		c[0].rdx = bad[i];
		c[1].rsi = bad[i];
		c[2].rdi = bad[i] + (i ? 0 : EXIT_SLOTS - 64);
		c[3].r8 = bad[i];
		for (unsigned k = 0; k < ARRAY_SIZE(c); k++)
			wrong += call(HYPERCALL_COUNT, c[k]).rax !=
				 HYPERCALL_RANGE;
		wrong += call(HYPERCALL_SWITCHES, c[0]).rax != HYPERCALL_RANGE;
		wrong += call(HYPERCALL_RING, c[0]).rax != HYPERCALL_RANGE;
		wrong += call(HYPERCALL_NESTED, c[0]).rax != HYPERCALL_RANGE;
		wrong += call(HYPERCALL_RING, c[1]).rax != HYPERCALL_RANGE;
	}
	tap_ok(!wrong, "indices out of range");
	tap_ok(call(HYPERCALL_COUNT, (struct nestbox_call){0}).rax ==
			       HYPERCALL_RANGE &&
		       call(HYPERCALL_COUNT, (struct nestbox_call){.rsi = 3})
				       .rax == HYPERCALL_RANGE &&
		       call(HYPERCALL_RING, (struct nestbox_call){.rsi = 16})
				       .rax == HYPERCALL_RANGE,
	       "indices just out of range");
}

/* What devices can do *******************************************************/

/* QEMU's fw_cfg copies its signature to where it is told (docs/specs/fw_cfg):
 * big-endian, the write to the second port starts it. */
#define FW_CFG_DMA   0x514
#define FW_CFG_READ  0x0a /* read, and select the item 0 */
#define FW_CFG_BYTES 4

static void fw_cfg_dma(u64 to)
{
	static struct {
		u32 control, length;
		u64 address;
	} volatile job __attribute__((aligned(8)));

	job.control = __builtin_bswap32(FW_CFG_READ);
	job.length = __builtin_bswap32(FW_CFG_BYTES);
	job.address = __builtin_bswap64(to);
	outl(FW_CFG_DMA, 0);
	outl(FW_CFG_DMA + 4, __builtin_bswap32((u32)(u64)&job));
}

static void __attribute__((noreturn)) crash(void)
{
	const struct table_pointer none = {0};

	lidt(&none);
	int3();
	__builtin_unreachable();
}

static void test_seal(void)
{
	u64 start, end;

	nestbox_block(&start, &end);
	fw_cfg_dma(start);
	tap_ok(is_sealed(), "seal: fw_cfg's DMA does not reach L0");
	tap_ok(edu_find() && edu_to_memory(start, FW_CFG_BYTES) && !is_sealed(),
	       "seal: a device's write is seen");
}

int main(const char *cmdline)
{
	u64 with_dma = 0;

	serial_init();
	if (!cmdline_number(cmdline, "dma", &with_dma) || !nestbox_below()) {
		serial_printf("error: only on nestbox.elf, dma=0 or 1\n");
		return EXIT_USAGE;
	}
	tap_plan(TESTS + (with_dma ? 2 : 0));
	idt_init();
	test_open();
	test_unknown();
	test_token();
	tap_ok(is_sealed(), "text intact");
	test_counters();
	test_ring();
	test_range();
	if (with_dma) {
		test_seal();
		serial_drain();
		crash();
	}
	return tap_done();
}
