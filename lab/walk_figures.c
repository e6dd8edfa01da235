/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/walk_show.h"
#include "walk/derive.h"

static u64 count_exits(const struct walk_row *r)
{
	const u64 *times = r->stats.charge_times;
	u64 exits = 0;

	if (r->spec.env == ENV_NATIVE)
		return 0;
	for (int cause = 0; cause < CHARGES; cause++)
		if (charge_exits((enum charge)cause))
			exits += times[cause];
	return exits;
}

static u64 table_bytes(const struct walk_memory *m)
{
	u64 bytes = m->extra;

	for (int d = 0; d < DIM_MAX; d++)
		bytes += m->tables[d];
	return bytes;
}

static double divided(double a, double b)
{
	return b > 0 ? a / b : -1;
}

static void compare(struct walk_figures *f, const struct walk_plan *p,
		    const struct walk_stats *s, const struct walk_stats *radix)
{
	double walks = (double)radix->walk_cycles;

	f->walk_speedup = walk_speedup(radix, s);
	if (f->walk_speedup <= 0)
		f->walk_speedup = -1;
	f->share = p->has_perf ? walk_perf_share(&p->perf, &p->profile, radix)
			       : walk_share(radix, &p->profile);
	f->app_speedup = app_speedup(
		f->share, walks > 0 ? (double)s->walk_cycles / walks : 1);
	f->run_speedup = divided(model_cycles(radix, &p->profile),
				 model_cycles(s, &p->profile));
}

void walk_figures(struct walk_figures *f, const struct walk_plan *p,
		  const struct walk_row *r)
{
	const struct walk_stats *s = &r->stats;

	*f = (struct walk_figures){-1, -1, -1, -1, -1, 0, 0, 0};
	if (!r->done)
		return;
	f->exits = count_exits(r);
	f->tables = table_bytes(&s->memory);
	f->tables_peak = s->memory.peak;
	f->rate = divided((double)(r->spec.skip + s->accesses), s->seconds);
	if (r->radix && r->radix->done)
		compare(f, p, s, &r->radix->stats);
}

const char *walk_share_source(const struct walk_plan *p)
{
	if (!p->has_perf)
		return "modelled";
	return p->perf.pending > 0 || p->perf.active > 0
		       ? "perf"
		       : "perf's walks, modelled latency";
}
