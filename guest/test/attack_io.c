/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks through ports and by the local APIC's interrupts. */
#include "guest/lib/apic.h"
#include "guest/lib/idt.h"
#include "guest/test/attack.h"
#include "lib/cpu.h"
#include "lib/string.h"

#define PM1A_CONTROL 0x604  /* of QEMU's PC */
#define SLP_EN	     0x2000 /* switches it off */
#define SMI_PORT     0xb2

/*
 * Ports that do what is the machine's to do, L0 or not: they reset it, switch
 * it off, take its console, mask address lines (0x92 and the keyboard
 * controller), or make devices write to memory (fw_cfg; PCI configuration:
 * caveats.md has that DMA is not blocked).
 */
static bool is_free(u16 port, unsigned size)
{
	static const struct {
		u16 first, last;
	} taken[] = {
		{0x60, 0x64},	{0x92, 0x92},	{SMI_PORT, SMI_PORT + 1},
		{0xf4, 0xf7},	{0x2f8, 0x2ff}, {0x3f8, 0x3ff},
		{0x510, 0x51b}, {0x600, 0x63f}, {0xcf8, 0xcff},
	};

	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (port <= taken[i].last && port + size > taken[i].first)
			return false;
	return true;
}

static void out(u16 port, unsigned size, u32 value)
{
	if (size == 1)
		outb(port, (u8)value);
	else if (size == 2)
		outw(port, (u16)value);
	else
		outl(port, value);
}

static void in(u16 port, unsigned size)
{
	if (size == 1)
		inb(port);
	else if (size == 2)
		inw(port);
	else
		inl(port);
}

static u16 rnd_port(unsigned size)
{
	u16 port;

	do
		port = (u16)(rnd() >> rnd_below(12));
	while (!is_free(port, size));
	return port;
}

/* The port that L0 watches, and its neighbours. */
static void attack_pm1(unsigned size)
{
	u16 port = (u16)(PM1A_CONTROL + rnd_below(4) - 2);

	in(port, size);
	if (port == PM1A_CONTROL)
		out(port, size, (u32)rnd() & ~(u32)SLP_EN);
}

void attack_port(void)
{
	unsigned size = 1u << rnd_below(3);
	u16 port = rnd_port(size);

	if (rnd_once_in(4)) {
		note("port: PM1a, %u", size);
		attack_pm1(size);
		return;
	}
	note("port %x, %u", port, size);
	if (rnd_once_in(2))
		in(port, size);
	else
		out(port, size, (u32)rnd_value());
}

/* INS and OUTS, with and without REP, to and from RAM and L0's memory. */
void attack_string(void)
{
	static const u8 insn[] = {0x6c, 0x6d, 0x6e, 0x6f};
	static u8 buffer[256];
	u16 port = rnd_once_in(4) ? PM1A_CONTROL : rnd_port(4);
	u64 at = rnd_once_in(2) ? (u64)buffer : rnd_hole();
	u8 code[] = {0xba,
		     (u8)port,
		     (u8)(port >> 8),
		     0,
		     0, /* mov edx */
		     0x48,
		     0xbf,
		     0,
		     0,
		     0,
		     0,
		     0,
		     0,
		     0,
		     0, /* mov rdi */
		     0x48,
		     0xbe,
		     0,
		     0,
		     0,
		     0,
		     0,
		     0,
		     0,
		     0, /* mov rsi */
		     0xf3,
		     insn[rnd_below(sizeof(insn))],
		     0xc3};

	memset(buffer, 0, sizeof(buffer));
	if (port == PM1A_CONTROL)
		at = (u64)buffer;
	memcpy(code + 7, &at, sizeof(at));
	memcpy(code + 17, &at, sizeof(at));
	if (rnd_once_in(2))
		code[25] = 0x66;
	note("string %02x %02x port %x at %lx", code[25], code[26], port, at);
	run_code(code, sizeof(code), 0, rnd_below(8));
}

/* The BIOS's handler gets it, in system management mode. */
void attack_smi(void)
{
	u8 value = (u8)rnd();

	note("smi %x", value);
	outb(SMI_PORT, value);
	cpuid(0, 0);
}

/* Interrupts by the local APIC **********************************************/

#define ICR_NMI	  0x00400
#define ICR_LEVEL 0x08000
#define NOBODY	  0x7f
#define PARK	  0x6000ul /* where other CPUs are started */

static volatile unsigned nmis;

static void on_nmi(struct trap_frame *f)
{
	(void)f;
	nmis++;
	cpuid(0, 0);
}

/* Any number of NMIs to itself makes at least one. */
static void storm(void)
{
	unsigned n = 1 + (unsigned)rnd_below(20), before = nmis;

	idt_handle(VECTOR_NMI, on_nmi);
	note("ipi: %u NMIs", n);
	for (unsigned i = 0; i < n; i++)
		apic_send(0, ICR_SELF | ICR_ASSERT | ICR_NMI);
	cpuid(0, 0);
	if (nmis == before || nmis - before > n)
		failed("%u of %u NMIs", nmis - before, n);
}

/* Never to itself: INIT would take the payload away, by right. */
static void send_to_others(void)
{
	static const u32 mode[] = {ICR_INIT, ICR_STARTUP, ICR_NMI, ICR_FIXED,
				   0x100,    0x200,	  0x300,   0x700};
	u32 command = mode[rnd_below(ARRAY_SIZE(mode))];

	/* Any code but this would be the payload's own end. */
	command |= command == ICR_STARTUP ? PARK / PAGE_SIZE : (u8)rnd();
	if (rnd_once_in(2))
		command |= ICR_ASSERT;
	if (rnd_once_in(2))
		command |= ICR_LEVEL;
	if (rnd_once_in(2))
		command |= ICR_ALL_BUT_SELF;
	note("ipi %x", command);
	for (u64 n = rnd_below(20); n > 0; n--)
		apic_send(NOBODY, command);
}

void attack_ipi(void)
{
	static const u8 park[] = {0xfa, 0xf4, 0xeb, 0xfc}; /* CLI, HLT, again */
	static bool started;

	if (!started)
		apic_init();
	memcpy((void *)PARK, park, sizeof(park));
	started = true;
	if (rnd_once_in(2))
		storm();
	else
		send_to_others();
}
