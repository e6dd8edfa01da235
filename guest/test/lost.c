/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does this machine lose, or double, an interrupt of its CPUs? In TAP, as a
 * guest of any level. Each CPU, over and over: arms its timer for a random
 * time, sends the next CPU an IPI, computes, and waits until both have been
 * handled; as many as were asked for must have come, and no more. Nothing else
 * would make up for one that is lost, as an OS's next tick does, so the counts
 * are exact. A CPU that waits does so in turn by spinning and by HLT.
 *
 * Words: seconds=N (default 1), khz=N, what RDTSC counts in a millisecond
 * (default 1000000, as under icount), late=MS, after which an interrupt is
 * taken for lost (default 1000). cpus=N, how many there are to be: the wait for
 * them, too, takes that long at most. fault=1 to 4: one tick or IPI is left
 * out, or one tick or IPI comes twice, for the test of this test. With one CPU
 * IPIs go to itself, and a lost tick may leave it in HLT for ever.
 */
#include "guest/lib/apic.h"
#include "guest/lib/cmdline.h"
#include "guest/lib/exit.h"
#include "guest/lib/idt.h"
#include "guest/lib/serial.h"
#include "guest/lib/smp.h"
#include "guest/lib/tap.h"
#include "lib/cpu.h"

#define TESTS	     3
#define CPUS_MAX     8
#define VECTOR_TIMER 0xc0 /* and a CPU's number */
#define VECTOR_IPI   0xd0
#define TICKS_MIN    20000u /* of the timer */
#define TICKS_SPAN   4000000u
#define TURNS_MAX    20000u /* of computing */
#define SETTLE_MS    100u
#define REPORT_MS    30000u
#define ROUNDS_MIN   10u /* of each CPU: less is no test */

#define FAULT_ROUND 5u /* of CPU 0 */

enum fault { NO_FAULT, NO_TICK, NO_IPI, TWO_TICKS, TWO_IPIS };

int main(const char *cmdline);

/* Of one kind of interrupt. */
struct tally {
	u64 want; /* what should have come */
	u64 lost, twice;
};

/* A CPU's own. */
static struct station {
	volatile u64 came_ticks, came_ipis; /* handled here */
	volatile u64 rounds;
	struct tally ticks, ipis; /* its own ticks, and IPIs to the next CPU */
	u64 worst;
	u32 random;
} stations[CPUS_MAX];

static unsigned cpus;
static u64 fault, late, khz = 1000000;
static volatile bool over;

static void on_timer(struct trap_frame *f)
{
	stations[f->vector - VECTOR_TIMER].came_ticks++;
	apic_eoi();
}

static void on_ipi(struct trap_frame *f)
{
	stations[f->vector - VECTOR_IPI].came_ipis++;
	apic_eoi();
}

/* Xorshift: never 0. */
static u32 draw(struct station *s)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 17;
	s->random ^= s->random << 5;
	return s->random;
}

static void compute(u32 turns)
{
	for (volatile u32 i = 0; i < turns; i++)
		;
}

/* Until @count is @want, or that takes too long. */
static void await(struct station *s, const volatile u64 *count, u64 want,
		  bool halts)
{
	u64 start = rdtsc(), took = 0;

	for (cli(); *count < want && took <= late; cli()) {
		if (halts)
			sti_hlt();
		else
			sti_nop();
		took = rdtsc() - start;
	}
	__asm__ volatile("sti");
	if (took > s->worst)
		s->worst = took;
}

static void compare(struct tally *t, u64 came)
{
	if (came < t->want)
		t->lost += t->want - came;
	else
		t->twice += came - t->want;
	t->want = came;
}

static unsigned next(unsigned cpu)
{
	return (cpu + 1) % cpus;
}

static void compare_both(unsigned me)
{
	compare(&stations[me].ticks, stations[me].came_ticks);
	compare(&stations[me].ipis, stations[next(me)].came_ipis);
}

static bool has_fault(const struct station *s, enum fault kind)
{
	return fault == kind && s == stations && s->rounds == FAULT_ROUND;
}

static void send(unsigned to)
{
	apic_send(smp_apic_id(to), ICR_FIXED | ICR_ASSERT | (VECTOR_IPI + to));
}

static void play_round(unsigned me)
{
	struct station *s = &stations[me];
	unsigned to = next(me);

	s->ticks.want++;
	s->ipis.want++;
	if (!has_fault(s, NO_TICK))
		apic_timer_arm(TICKS_MIN + draw(s) % TICKS_SPAN);
	if (!has_fault(s, NO_IPI))
		send(to);
	compute(draw(s) % TURNS_MAX);
	await(s, &stations[to].came_ipis, s->ipis.want, false);
	if (has_fault(s, TWO_IPIS))
		send(to);
	await(s, &s->came_ticks, s->ticks.want, draw(s) & 1);
	if (has_fault(s, TWO_TICKS))
		apic_timer_arm(TICKS_MIN);
	compute(draw(s) % TURNS_MAX);
	compare_both(me);
	s->rounds++;
}

static void start_station(unsigned me)
{
	stations[me].random = me + 1;
	apic_timer_start((u8)(VECTOR_TIMER + me));
	__asm__ volatile("sti");
}

static void stop_station(void)
{
	cli();
	apic_timer_stop();
}

static void play(void *number)
{
	unsigned me = (unsigned)(u64)number;

	start_station(me);
	while (!over)
		play_round(me);
	stop_station();
}

static void add(struct tally *to, const struct tally *t)
{
	to->lost += t->lost;
	to->twice += t->twice;
}

static struct station sum(void)
{
	struct station all = {0};

	for (unsigned i = 0; i < cpus; i++) {
		add(&all.ticks, &stations[i].ticks);
		add(&all.ipis, &stations[i].ipis);
		all.rounds += stations[i].rounds;
		if (stations[i].worst > all.worst)
			all.worst = stations[i].worst;
	}
	return all;
}

static u64 past(u64 start)
{
	return (rdtsc() - start) / khz;
}

static void report(u64 start)
{
	struct station all = sum();

	serial_printf("# %lu s: %lu rounds, %lu ticks and %lu IPIs lost, "
		      "%lu and %lu twice, longest wait %lu ms\n",
		      past(start) / 1000, all.rounds, all.ticks.lost,
		      all.ipis.lost, all.ticks.twice, all.ipis.twice,
		      all.worst / khz);
}

/* The others have IF=1 once they have ended: what still comes is counted. */
static void end_all(void)
{
	u64 start;

	over = true;
	for (unsigned i = 1; i < cpus; i++)
		if (!smp_wait(i))
			serial_printf("# CPU %u does not end\n", i);
	for (start = rdtsc(); past(start) < SETTLE_MS;)
		pause();
	stop_station();
	for (unsigned i = 0; i < cpus; i++)
		compare_both(i);
}

/* CPU 0's part: as the others do, and looks at the time. */
static void play_for(u64 ms)
{
	u64 start = rdtsc(), due = REPORT_MS;

	start_station(0);
	while (past(start) < ms) {
		play_round(0);
		if (past(start) < due)
			continue;
		report(start);
		due += REPORT_MS;
	}
	end_all();
	report(start);
}

static bool all_played(void)
{
	for (unsigned i = 0; i < cpus; i++)
		if (stations[i].rounds < ROUNDS_MIN)
			return false;
	return true;
}

/* smp_init() does not wait for long; on a busy machine they take their time. */
static void find_cpus(u64 wanted)
{
	u64 start = rdtsc();

	cpus = smp_init();
	while (cpus < wanted && rdtsc() - start <= late) {
		pause();
		cpus = smp_cpus();
	}
	if (cpus > CPUS_MAX)
		cpus = CPUS_MAX;
}

static void start(u64 wanted)
{
	idt_init();
	apic_init();
	find_cpus(wanted);
	for (unsigned i = 0; i < cpus; i++) {
		idt_handle((u8)(VECTOR_TIMER + i), on_timer);
		idt_handle((u8)(VECTOR_IPI + i), on_ipi);
	}
	for (unsigned i = 1; i < cpus; i++)
		smp_run(i, play, (void *)(u64)i);
}

int main(const char *cmdline)
{
	u64 seconds = 1, ms = 1000, wanted = 1;
	struct station all;

	if (!cmdline_number(cmdline, "seconds", &seconds) ||
	    !cmdline_number(cmdline, "khz", &khz) || !khz ||
	    !cmdline_number(cmdline, "late", &ms) ||
	    !cmdline_number(cmdline, "cpus", &wanted) ||
	    !cmdline_number(cmdline, "fault", &fault))
		return EXIT_USAGE;
	late = ms * khz;
	tap_plan(TESTS);
	start(wanted);
	play_for(seconds * 1000);
	all = sum();
	tap_ok(all_played() && cpus >= wanted, "%u CPUs, %lu rounds", cpus,
	       all.rounds);
	tap_ok(!all.ticks.lost && !all.ticks.twice,
	       "ticks: %lu lost, %lu twice", all.ticks.lost, all.ticks.twice);
	tap_ok(!all.ipis.lost && !all.ipis.twice, "IPIs: %lu lost, %lu twice",
	       all.ipis.lost, all.ipis.twice);
	return tap_done();
}
