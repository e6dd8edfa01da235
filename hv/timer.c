/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/timer.h"

#include "hv/lapic.h"
#include "hv/mem.h"
#include "hv/space.h"
#include "hv/tables.h"

/* ACPI's table HPET: a generic address, whose last 8 bytes are the address. */
#define TABLE_BASE 44

#define CAPABILITIES	    0x000
#define CAP_PERIOD_SHIFT    32 /* femtoseconds of a tick of the counter */
#define CAP_TIMERS_SHIFT    8
#define CAP_TIMERS_MASK	    0x1f /* the last one's number */
#define CONFIG		    0x010
#define CONFIG_ENABLE	    0x1u
#define CONFIG_LEGACY	    0x2u
#define COUNTER		    0x0f0
#define TIMER_CONFIG(n)	    (0x100 + 0x20 * (n))
#define TIMER_COMPARATOR(n) (0x108 + 0x20 * (n))
#define TIMER_MESSAGE(n)    (0x110 + 0x20 * (n))
#define TIMER_ON	    0x0004u
#define TIMER_64	    0x0020u
#define TIMER_BY_MESSAGE    0x4000u
#define TIMER_CAN_MESSAGE   0x8000u
#define MESSAGE_DEST_SHIFT  12

#define SLACKS_A_MS  1000	      /* QEMU's is behind by less than that */
#define FEMTOSECONDS 1000000000000ull /* of a millisecond */

static struct {
	u64 base;
	unsigned n;	  /* the comparator */
	u64 next, period; /* 0: not started */
	u64 slack;	  /* how far the counter may be behind its comparator */
	u64 ticks;
} timer;

static volatile u64 *reg(u64 offset)
{
	return phys_to_virt(timer.base + offset);
}

/* One that sends messages, or -1. */
static int find_timer(void)
{
	int last =
		(int)(*reg(CAPABILITIES) >> CAP_TIMERS_SHIFT & CAP_TIMERS_MASK);

	for (int n = 0; n <= last; n++)
		if (*reg((u64)TIMER_CONFIG(n)) & TIMER_CAN_MESSAGE)
			return n;
	return -1;
}

static u64 find_base(const struct acpi *acpi)
{
	const struct acpi_header *table = acpi_table(acpi, "HPET", NULL);
	u64 base = 0;

	if (table && table->length >= TABLE_BASE + sizeof(base))
		__builtin_memcpy(&base, (const u8 *)table + TABLE_BASE,
				 sizeof(base));
	return base % PAGE_SIZE ? 0 : base;
}

/* Not a periodic one: QEMU's fires twice when the counter equals it. */
static void start(void)
{
	u64 message = APIC_PAGE | (u64)lapic_id() << MESSAGE_DEST_SHIFT;

	*reg(CONFIG) &= ~(u64)(CONFIG_ENABLE | CONFIG_LEGACY);
	*reg(COUNTER) = 0;
	*reg(TIMER_MESSAGE(timer.n)) = message << 32 | ICR_NMI;
	*reg(TIMER_CONFIG(timer.n)) = TIMER_ON | TIMER_BY_MESSAGE;
	*reg(TIMER_COMPARATOR(timer.n)) = timer.next;
	*reg(CONFIG) |= CONFIG_ENABLE;
}

int timer_init(const struct acpi *acpi, u32 ms, const char **why)
{
	int n;

	timer.base = find_base(acpi);
	n = timer.base ? find_timer() : -1;
	if (n < 0) {
		timer.base = 0;
		return ms ? refuse(why, "there is no HPET that sends messages")
			  : 0;
	}
	tables_hide("HPET");
	space_hide(timer.base, PAGE_SIZE);
	if (!ms)
		return 0;
	if (!(*reg((u64)TIMER_CONFIG(n)) & TIMER_64))
		return refuse(why, "the HPET has 32 bits");
	timer.n = (unsigned)n;
	timer.period =
		ms * FEMTOSECONDS / (*reg(CAPABILITIES) >> CAP_PERIOD_SHIFT);
	timer.slack = timer.period / ms / SLACKS_A_MS;
	timer.next = timer.period;
	start();
	return 0;
}

bool timer_has_ticked(void)
{
	u64 now;

	if (!timer.period)
		return false;
	now = *reg(COUNTER) + timer.slack;
	if ((int64_t)(now - timer.next) < 0)
		return false;
	timer.next += timer.period * ((now - timer.next) / timer.period + 1);
	*reg(TIMER_COMPARATOR(timer.n)) = timer.next;
	timer.ticks++;
	return true;
}

u64 timer_ticks(void)
{
	return timer.ticks;
}
