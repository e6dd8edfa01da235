/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks by what the CPU itself has: registers, instructions, modes. */
#include "guest/lib/idt.h"
#include "guest/test/attack.h"
#include "guest/test/attack_mode.h"
#include "lib/cpu.h"
#include "lib/hypercall.h"
#include "lib/string.h"

#define LOW_HALF 0x00007fffffffffffull
#define INSN_MAX 15 /* bytes; one more is #GP */

extern const u8 attack_modes[], attack_modes_end[];
u64 attack_call(const u64 regs[16], const void *code);

/* Code *********************************************************************/

struct job {
	u64 regs[16];
	u8 code[CODE_MAX];
	u64 rax;
};

static void call_job(void *arg)
{
	struct job *job = arg;

	job->rax = TRAPPED;
	job->rax = attack_call(job->regs, job->code);
}

u64 run_code(const u8 *code, size_t n, u64 rax, u64 rcx)
{
	static struct job job;

	for (unsigned i = 0; i < ARRAY_SIZE(job.regs); i++)
		job.regs[i] = rnd_value();
	job.regs[0] = rax;
	job.regs[1] = rcx;
	memset(job.code, 0xcc, sizeof(job.code));
	memcpy(job.code, code, n);
	survive(call_job, &job);
	return job.rax;
}

/* CPUID and MSRs ***********************************************************/

void attack_cpuid(void)
{
	static const u32 first[] = {0,		0x40000000, 0x40000100,
				    0x80000000, 0x8ffffffc, 0xc0000000};
	u32 leaf = first[rnd_below(ARRAY_SIZE(first))] + (u32)rnd_below(48);

	if (rnd_once_in(4))
		leaf = (u32)rnd();
	note("cpuid %x", leaf);
	cpuid(leaf, (u32)rnd_value());
}

struct msr_access {
	u32 msr;
	u64 value;
	bool done;
};

static void read_msr(void *arg)
{
	struct msr_access *a = arg;

	a->value = rdmsr(a->msr);
	a->done = true;
}

static void write_msr(void *arg)
{
	const struct msr_access *a = arg;

	wrmsr(a->msr, a->value);
}

/* Reads, writes something, writes back what it was. */
static void attack_one_msr(u32 msr, u64 value)
{
	struct msr_access a = {.msr = msr}, b = {.msr = msr, .value = value};

	survive(read_msr, &a);
	if (a.done && rnd_once_in(2))
		b.value = a.value ^ 1ull << rnd_below(64);
	note("msr %x: %lx, write %lx", msr, a.value, b.value);
	survive(write_msr, &b);
	if (a.done)
		survive(write_msr, &a);
}

static u32 rnd_msr(void)
{
	static const struct {
		u32 first, n;
	} near[] = {
		{0, 0x20},	    {0x38, 0x14},	{0x174, 0x28},
		{0x1a0, 0x40},	    {0x200, 0x80},	{0x277, 1},
		{0x2ff, 1},	    {0x400, 0x40},	{0x480, 0x20},
		{0x6e0, 1},	    {0xd90, 0x20},	{0x800, 0x40},
		{0x1ff8, 0x10},	    {0x40000000, 0x20}, {0x4b564d00, 8},
		{0xc0000080, 8},    {0xc0000100, 4},	{0xc0001ff8, 16},
		{0xc0010000, 0x80}, {0xc0010100, 0x40}, {0xc0011000, 0x40},
		{0xc0011ff8, 16},
	};
	size_t i = rnd_below(ARRAY_SIZE(near));

	if (rnd_once_in(8))
		return (u32)rnd();
	return near[i].first + (u32)rnd_below(near[i].n);
}

/* Those of the APIC are attack_apic_base()'s and attack_ipi()'s. */
void attack_msr(void)
{
	u32 msr = rnd_msr();

	if (msr != MSR_APIC_BASE && msr >> 8 != MSR_X2APIC >> 8)
		attack_one_msr(msr, rnd_value());
}

/* Puts the APIC's page elsewhere, over L0 too, if that is possible. */
void attack_apic_base(void)
{
	u64 flags = rnd_below(16) << 8;

	attack_one_msr(MSR_APIC_BASE, (rnd_hole() & ~0xfffull) | flags);
}

/* Control and debug registers **********************************************/

/*
 * Not those that take away the ground under the payload: PG and PE (but see
 * attack_mode()), PAE. Nor those that no guest can run with and that QEMU's CPU
 * nevertheless takes: NW without CD, reserved bits; see end=cr0.
 */
#define CR0_FREE (0x5003eull | CR0_CD)
#define CR4_FREE 0x7dfull

/* What else CR4 may have depends on the CPU. */
static u64 cr4_free(void)
{
	static const struct {
		u8 ebx, bit;
	} by_ebx[] = {{0, 16}, {7, 20}, {20, 21}};
	u32 ebx = cpuid(7, 0).ebx;
	u64 bits = CR4_FREE;

	for (size_t i = 0; i < ARRAY_SIZE(by_ebx); i++)
		if (ebx >> by_ebx[i].ebx & 1)
			bits |= 1ull << by_ebx[i].bit;
	if (cpuid(1, 0).ecx >> 26 & 1)
		bits |= 1ull << 18; /* OSXSAVE */
	return bits;
}

static void write_cr0_and_back(void *arg)
{
	u64 old = read_cr0();

	write_cr0(*(const u64 *)arg);
	cpuid(1, 0);
	write_cr0(old);
}

static u64 read_cr4(void)
{
	u64 v;

	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}

static void write_cr4(u64 v)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(v) : "memory");
}

/* CPUID in between: it shows some of CR4. */
static void write_cr4_and_back(void *arg)
{
	u64 old = read_cr4();

	write_cr4(*(const u64 *)arg);
	cpuid(1, 0);
	cpuid(7, 0);
	write_cr4(old);
}

static void write_cr8_and_back(void *arg)
{
	write_cr8(*(const u64 *)arg);
	write_cr8(0);
}

static void write_cr3_and_back(void *arg)
{
	u64 old = read_cr3();

	write_cr3(old | *(const u64 *)arg);
	write_cr3(old);
}

void attack_cr(void)
{
	u64 value;

	switch (rnd_below(5)) {
	case 0:
		value = read_cr0() ^ (rnd() & rnd() & CR0_FREE);
		note("cr0 %lx", value);
		survive(write_cr0_and_back, &value);
		break;
	case 1:
		value = read_cr4() ^ (rnd() & rnd() & cr4_free());
		note("cr4 %lx", value);
		survive(write_cr4_and_back, &value);
		break;
	case 2:
		value = rnd_value();
		note("cr8 %lx", value);
		survive(write_cr8_and_back, &value);
		break;
	case 3:
		value = rnd_below(PAGE_SIZE);
		note("cr3 | %lx", value);
		survive(write_cr3_and_back, &value);
		break;
	default:
		attack_one_msr(MSR_EFER, rnd_once_in(2) ? rnd_value()
							: rnd_below(0x10000));
	}
}

static __attribute__((noinline)) void watched(void)
{
	cpuid(0, 0);
	vmmcall(HYPERCALL_VERSION);
}

static void set_dr(void *arg)
{
	const u64 *v = arg;

	__asm__ volatile("mov %0, %%dr0" : : "r"(v[0]));
	__asm__ volatile("mov %0, %%dr3" : : "r"(v[1]));
	__asm__ volatile("mov %0, %%dr6" : : "r"(v[2]));
	__asm__ volatile("mov %0, %%dr7" : : "r"(v[3]));
	watched();
	*(volatile u8 *)v[1];
}

static void clear_dr(void *unused)
{
	(void)unused;
	__asm__ volatile("mov %0, %%dr7" : : "r"(0x400ull));
}

/* Breakpoints everywhere, L0's memory included; not at the very end of all
 * addresses, where QEMU crashes. With DR7.GD the first attempt to clear it
 * faults, and makes the second one possible. */
void attack_dr(void)
{
	u64 v[4] = {rnd_value() & LOW_HALF, rnd_hole(), (u32)rnd(), (u32)rnd()};

	if (rnd_once_in(2)) {
		v[0] = (u64)watched;
		v[2] = 0xffff0ff0;
		v[3] = 0x403 | (rnd() & 0xfff0ff00);
	}
	note("dr %lx %lx %lx %lx", v[0], v[1], v[2], v[3]);
	survive(set_dr, v);
	survive(clear_dr, NULL);
	survive(clear_dr, NULL);
}

static void step(void *unused)
{
	(void)unused;
	__asm__ volatile("pushf\n\t"
			 "orl %0, (%%rsp)\n\t"
			 "popf\n\t"
			 "cpuid\n\t"
			 "cpuid"
			 :
			 : "i"(RFLAGS_TF), "a"(0), "c"(0)
			 : "rbx", "rdx", "memory", "cc");
}

static void in_shadow(void *unused)
{
	(void)unused;
	__asm__ volatile("mov %%ss, %%edx\n\t"
			 "mov %%edx, %%ss\n\t"
			 "cpuid\n\t"
			 "mov %%ss, %%edx\n\t"
			 "mov %%edx, %%ss\n\t"
			 "vmmcall"
			 :
			 : "a"(0), "c"(0)
			 : "rbx", "rdx", "memory");
}

/* Exits under the trap flag and behind MOV SS. */
void attack_step(void)
{
	note("step");
	survive(rnd_once_in(2) ? step : in_shadow, NULL);
}

/* Instructions *************************************************************/

/* VMRUN ... INVLPGA raise #UD whatever the registers say: L1 has no SVM. */
void attack_svm(void)
{
	static const u8 last[] = {0xd8, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf};
	u8 code[] = {0x0f, 0x01, last[rnd_below(sizeof(last))], 0xc3};
	u64 rax = rnd_value();

	note("svm 0f01%02x rax %lx", code[2], rax);
	if (run_code(code, sizeof(code), rax, rnd_value()) != TRAPPED)
		failed("SVM instruction 0f01%02x did not fault", code[2]);
}

void attack_hypercall(void)
{
	const u8 code[] = {0x0f, 0x01, 0xd9, 0xc3};
	u64 number = HYPERCALL_BASE + rnd_below(16) - 4;

	if (rnd_once_in(4))
		number = rnd_value();
	note("hypercall %lx", number);
	if (run_code(code, sizeof(code), number, rnd_value()) == TRAPPED)
		failed("hypercall %lx faulted", number);
}

/*
 * Prefixes before what exits, up to more than the CPU takes. Behind it, MOV
 * to EAX says that L0 went on exactly there. LOCK faults, too.
 */
void attack_prefix(void)
{
	static const u8 prefix[] = {0x66, 0x67, 0x26, 0x2e, 0x36, 0x3e, 0x64,
				    0x65, 0xf2, 0xf3, 0xf0, 0x40, 0x48, 0x4f};
	static const struct {
		u8 n;
		u8 code[3];
		u32 rcx;
	} insn[] = {
		{2, {0x0f, 0xa2}, 0},	       /* CPUID */
		{2, {0x0f, 0x32}, MSR_EFER},   /* RDMSR */
		{2, {0x0f, 0x32}, 0x12345678}, /* one that is not there */
		{2, {0x0f, 0x30}, MSR_VM_CR},  /* WRMSR: #GP */
		{3, {0x0f, 0x01, 0xd9}, 0},    /* VMMCALL */
	};
	static const u8 after[] = {0xb8, 0x78, 0x56, 0x34, 0x12, 0xc3};
	u8 code[CODE_MAX];
	size_t i = rnd_below(ARRAY_SIZE(insn)), n = 0, want = rnd_below(5);
	u64 rax;

	if (rnd_once_in(4))
		want = rnd_below(INSN_MAX + 2);
	while (n < want)
		code[n++] = prefix[rnd_below(sizeof(prefix))];
	memcpy(code + n, insn[i].code, insn[i].n);
	n += insn[i].n;
	note("prefix %zu bytes: %02x %02x %02x %02x %02x %02x", n, code[0],
	     code[1], code[2], code[3], code[4], code[5]);
	memcpy(code + n, after, sizeof(after));
	rax = run_code(code, n + sizeof(after), HYPERCALL_VERSION, insn[i].rcx);
	if (rax != TRAPPED && rax != 0x12345678)
		failed("prefix: %zu bytes %02x %02x %02x...: rax %lx", n,
		       code[0], code[1], code[2], rax);
}

/* Modes ********************************************************************/

void attack_cpu_init(void)
{
	memcpy((void *)ATTACK_LOW, attack_modes,
	       (size_t)(attack_modes_end - attack_modes));
}

static void through_modes(bool prefixes)
{
	u32 (*modes)(bool prefixes) = (u32(*)(bool))ATTACK_LOW;
	u32 answers;

	note("mode, prefixes %d", prefixes);
	answers = modes(prefixes);
	if (answers != MODES)
		failed("mode: %u of %d modes got an answer", answers, MODES);
}

void attack_mode(void)
{
	through_modes(false);
}

void attack_mode_prefix(void)
{
	through_modes(true);
}
