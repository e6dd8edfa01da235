/* SPDX-License-Identifier: Apache-2.0 */
#include "walk/derive.h"

static double ratio_of(double a, double b)
{
	return b > 0 ? a / b : 0;
}

double mpki(u64 misses, const struct walk_stats *s)
{
	return 1000 * ratio_of((double)misses, (double)s->instructions);
}

double refs_per_walk(const struct walk_stats *s)
{
	return ratio_of((double)s->refs, (double)s->stlb_misses);
}

double mean_latency(const struct walk_stats *s)
{
	return ratio_of((double)s->walk_cycles, (double)s->stlb_misses);
}

u32 latency_percentile(const struct walk_stats *s, double share)
{
	double wanted = share * (double)s->stlb_misses;
	u64 walks = 0;

	for (u32 cycles = 0; cycles < LATENCIES; cycles++) {
		walks += s->latency[cycles];
		if (walks && (double)walks >= wanted)
			return cycles;
	}
	return 0;
}

double walk_speedup(const struct walk_stats *base, const struct walk_stats *s)
{
	return ratio_of(mean_latency(base), mean_latency(s));
}

double model_walk_cycles(const struct walk_stats *s, const struct profile *p)
{
	return (double)s->walk_cycles / p->walkers;
}

bool charge_exits(enum charge cause)
{
	return cause != CHARGE_PAGE_FAULT && cause != CHARGE_TEA;
}

/* A hypercall's was measured whole: it is among its instructions. */
static double exit_cycles(enum charge cause, const struct profile *p)
{
	if (!charge_exits(cause) || cause == CHARGE_HYPERCALL)
		return 0;
	return cause == CHARGE_NPT_FAULT ? p->npt_exit_cycles : p->exit_cycles;
}

double model_exit_cycles(const struct walk_stats *s, const struct profile *p)
{
	double cycles = 0;

	for (int cause = 0; cause < CHARGES; cause++) {
		double times = (double)s->charge_times[cause];

		cycles += (double)s->charge_instructions[cause] * p->cpi;
		cycles += times * exit_cycles((enum charge)cause, p);
	}
	return cycles;
}

static double without_exits(const struct walk_stats *s, const struct profile *p)
{
	double above_l1 =
		(double)s->data_cycles - (double)(s->accesses * p->l1d.cycles);

	return (double)s->instructions * p->cpi + above_l1 +
	       model_walk_cycles(s, p);
}

double model_cycles(const struct walk_stats *s, const struct profile *p)
{
	return without_exits(s, p) + model_exit_cycles(s, p);
}

double walk_share(const struct walk_stats *s, const struct profile *p)
{
	return ratio_of(model_walk_cycles(s, p), without_exits(s, p));
}

double app_speedup(double f, double ratio)
{
	return ratio_of(1, 1 - f + f * ratio);
}
