/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/serial.h"
#include "guest/lib/tap.h"
#include "guest/test/svm_l1.h"
#include "guest/test/svm_storm.h"
#include "lib/cpu.h"

#define TESTS	   5
#define RBX	   3
#define WAIT_TURNS 100000u

static void report(const struct vcpu *s)
{
	const struct vmcb_control *c = &s->vmcb.control;

	serial_printf(
		"# guest %u: %lu VMRUNs, %lu moves, %lu events, %lu again,"
		" %lu windows, %lu kicks, %lu page faults, %lu halts\n",
		(unsigned)(s - vcpus), s->runs, s->moves, s->injected, s->again,
		s->windows, s->kicked, s->faults, s->halts);
	if (s->strange)
		serial_printf("# exit %#lx, info %#lx %#lx, EXITINTINFO %#lx, "
			      "int_ctl %#x\n",
			      c->exit_code, c->exit_info_1, c->exit_info_2,
			      c->exit_int_info, c->int_ctl);
}

/* Whether what the test is about has happened to all guests. */
static bool is_stormy(void)
{
	bool all = true;

	for (unsigned i = 0; i < GUESTS; i++)
		all = all && vcpus[i].again && vcpus[i].moves &&
		      vcpus[i].windows;
	return all;
}

/* Waits for what is on its way; an idle CPU takes interrupts. */
static bool kick_is_taken(unsigned cpu)
{
	for (unsigned i = 0; i < WAIT_TURNS; i++) {
		if (kicks_taken[cpu] == kicks_sent[cpu])
			break;
		l1_open();
		pause();
	}
	return kicks_taken[cpu] && kicks_taken[cpu] == kicks_sent[cpu];
}

int storm_judge(void)
{
	u64 lost = 0, twice = 0, strange = 0, other = 0;

	for (unsigned i = 0; i < GUESTS; i++) {
		const struct vcpu *s = &vcpus[i];

		report(s);
		lost += s->lost;
		twice += s->twice;
		strange += s->strange;
		/* Injected, and counted by the guest's handler. */
		other += s->injected - s->in_service > s->round.gpr[RBX] ||
			 s->injected < s->round.gpr[RBX];
	}
	tap_plan(TESTS);
	tap_ok(!lost && !other, "no event is lost: %lu", lost);
	tap_ok(!twice, "no event comes twice: %lu", twice);
	tap_ok(!strange, "nothing else has come: %lu", strange);
	tap_ok(kick_is_taken(0) && kick_is_taken(1),
	       "CPUs kick each other, %lu and %lu times", kicks_taken[0],
	       kicks_taken[1]);
	tap_ok(is_stormy(), "deliveries were cut short");
	return tap_done();
}
