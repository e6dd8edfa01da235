/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lab/walk_show.h"
#include "walk/derive.h"
#include "walk/design.h"

#define WIDTH 100
#define RARE  10000 /* a reference of fewer walks is not shown alone */
#define NAME  11    /* columns of a design's name */

/* "1234", "12.3k", "1.23M": three digits at least, five columns at most. */
static const char *human(char out[16], double value)
{
	static const char unit[] = " kMGTP";
	size_t i = 0;

	if (value < 0)
		return "-";
	for (; value >= 9999.5 && i < sizeof(unit) - 2; i++)
		value /= 1000;
	if (!i)
		snprintf(out, 16, "%.0f", value);
	else if (value >= 999.5)
		snprintf(out, 16, "%.1f%c", value / 1000, unit[i + 1]);
	else
		snprintf(out, 16, "%.*f%c", value < 99.95 ? 1 : 0, value,
			 unit[i]);
	return out;
}

/* With as many decimals as leave it short. */
static const char *ratio(char out[16], double value)
{
	if (value < 0)
		return "-";
	snprintf(out, 16, "%.*f",
		 value < 99.995	  ? 2
		 : value < 999.95 ? 1
				  : 0,
		 value);
	return out;
}

static bool same_group(const struct walk_row *a, const struct walk_row *b)
{
	return a->trace == b->trace && a->spec.env == b->spec.env &&
	       a->spec.pages == b->spec.pages;
}

static void print_trace(const struct walk_row *r, FILE *to)
{
	const struct nbt_info *i = nbt_info(r->trace->reader);
	const struct walk_spec *s = &r->spec;

	fprintf(to, "%s: %s, %llu accesses, %llu instructions (%s)\n",
		r->trace->path, *i->program ? i->program : "unnamed",
		(unsigned long long)i->accesses,
		(unsigned long long)i->instructions,
		*i->source ? i->source : "of unknown origin");
	fprintf(to, "machine %s, %u core%s, frames %s", s->profile->name,
		s->threads_per_core ? s->profile->cores : 1,
		s->threads_per_core && s->profile->cores > 1 ? "s" : "",
		s->frames == FRAMES_BUDDY ? "of a buddy allocator"
					  : "computed");
	if (walk_row_lost(r))
		fprintf(to, ", damaged blocks left out: %llu",
			(unsigned long long)walk_row_lost(r));
	if (!i->complete)
		fputs(", a file that ends early", to);
	if (s->skip)
		fprintf(to, ", the first %llu accesses only warm up",
			(unsigned long long)s->skip);
	fputc('\n', to);
}

static void print_head(const char *name, const char *app, FILE *to)
{
	fprintf(to,
		"%-*s %5s %5s %5s %5s %4s %4s %4s %4s %5s %5s %5s %5s %5s %5s "
		"%5s\n",
		NAME, "", "STLB", "", "refs/", "cyc./", "", "", "", "", "walk",
		"app", "with", "", "", "fall-", "acc./");
	fprintf(to,
		"%-*s %5s %5s %5s %5s %4s %4s %4s %4s %5s %5s %5s %5s %5s %5s "
		"%5s\n",
		NAME, name, "MPKI", "walks", "walk", "walk", "p50", "p95",
		"p99", "max", "x", app, "exits", "table", "exits", "backs",
		"s");
}

static void print_group(const struct walk_plan *p, const struct walk_row *r,
			FILE *to)
{
	const struct walk_stats *s = &r->radix->stats;
	struct walk_figures f;
	char t[2][16];

	walk_figures(&f, p, r->radix);
	fprintf(to, "\n%s, %s pages", env_name[r->spec.env],
		pages_name[r->spec.pages]);
	if (r->radix->done)
		fprintf(to,
			": %.1f %% of radix's time is walks (%s); L1 TLB MPKI "
			"%s data, %s code",
			100 * f.share, walk_share_source(p),
			ratio(t[0], mpki(s->dtlb_misses, s)),
			ratio(t[1], mpki(s->itlb_misses, s)));
	fputc('\n', to);
	print_head("design", p->has_perf ? "perf" : "model", to);
}

static void print_row(const struct walk_plan *p, const struct walk_row *r,
		      FILE *to)
{
	const struct walk_stats *s = &r->stats;
	char t[11][16], name[32];
	struct walk_figures f;

	walk_figures(&f, p, r);
	snprintf(name, sizeof(name), "%s%s", r->spec.design->name,
		 r->implied ? " *" : "");
	fprintf(to,
		"%-*s %5s %5s %5s %5s %4u %4u %4u %4u %5s %5s %5s %5s %5s %5s "
		"%5s\n",
		NAME, name, ratio(t[0], mpki(s->stlb_misses, s)),
		human(t[1], (double)s->stlb_misses),
		ratio(t[2], refs_per_walk(s)), ratio(t[3], mean_latency(s)),
		latency_percentile(s, 0.5), latency_percentile(s, 0.95),
		latency_percentile(s, 0.99), latency_percentile(s, 1),
		ratio(t[4], f.walk_speedup), ratio(t[5], f.app_speedup),
		ratio(t[6], f.run_speedup), human(t[7], (double)f.tables),
		human(t[8], (double)f.exits), human(t[9], (double)s->fallbacks),
		human(t[10], f.rate));
}

/* Words from column NAME + 2 on, in as many lines as they take. */
static void print_reason(const struct walk_row *r, const char *what,
			 const char *word, FILE *to)
{
	size_t at = (size_t)fprintf(to, "%-*s %s", NAME, r->spec.design->name,
				    what);

	while (*word) {
		size_t length = strcspn(word, " ");

		if (at + 1 + length > WIDTH)
			at = (size_t)fprintf(to, "\n%-*s", NAME, "") - 1;
		at += (size_t)fprintf(to, " %.*s", (int)length, word);
		word += length + (word[length] == ' ');
	}
	fputc('\n', to);
}

/* After the rows of a group: whose tables were larger before the end. */
static void print_peaks(const struct walk_plan *p, size_t first, FILE *to)
{
	size_t at = 0;

	for (size_t i = first; i < p->row_count; i++) {
		const struct walk_row *r = &p->rows[i];
		struct walk_figures f;
		char end[16], peak[16], text[64];

		if (!same_group(r, &p->rows[first]))
			break;
		walk_figures(&f, p, r);
		if (!r->done || !strcmp(human(end, (double)f.tables),
					human(peak, (double)f.tables_peak)))
			continue;
		snprintf(text, sizeof(text), "%s %s", r->spec.design->name,
			 peak);
		if (at && at + 2 + strlen(text) < WIDTH)
			at += (size_t)fprintf(to, ", %s", text);
		else
			at = (size_t)fprintf(to, "%stable at its peak: %s",
					     at ? "\n" : "", text);
	}
	fputs(at ? "\n" : "", to);
}

void walk_print_table(const struct walk_plan *p, FILE *to)
{
	size_t first = 0; /* of the group */

	for (size_t i = 0; i < p->row_count; i++) {
		const struct walk_row *r = &p->rows[i];

		if (!i || r->trace != r[-1].trace) {
			fputs(i ? "\n" : "", to);
			print_trace(r, to);
		}
		if (!i || !same_group(r, r - 1)) {
			first = i;
			print_group(p, r, to);
		}
		if (r->refusal)
			print_reason(r, "refused:", r->refusal, to);
		else if (*r->failure)
			print_reason(r, "failed:", r->failure, to);
		else
			print_row(p, r, to);
		if (i + 1 == p->row_count || !same_group(r, r + 1))
			print_peaks(p, first, to);
	}
	if (p->implied)
		fputs("\n* not asked for: what the others are compared with\n",
		      to);
}

/* Anatomy ******************************************************************/

static double step_cycles(const u64 hit[HITS], const struct profile *p)
{
	const u32 cycles[HITS] = {p->l1d.cycles, p->l2.cycles, p->l3.cycles,
				  p->memory_cycles};
	double sum = 0;

	for (int i = 0; i < HITS; i++)
		sum += (double)hit[i] * cycles[i];
	return sum;
}

static u64 sum_hits(const u64 hit[HITS])
{
	u64 sum = 0;

	for (int i = 0; i < HITS; i++)
		sum += hit[i];
	return sum;
}

static void print_step(const char *name, const u64 hit[HITS],
		       const struct walk_row *r, FILE *to)
{
	double walks = (double)r->stats.stlb_misses;
	double refs = (double)sum_hits(hit);

	if (refs <= 0)
		return;
	fprintf(to, "  %-12s %9.4f", name, refs / walks);
	for (int i = 0; i < HITS; i++)
		fprintf(to, " %8.1f%%", 100 * (double)hit[i] / refs);
	fprintf(to, " %10.2f\n", step_cycles(hit, r->spec.profile) / walks);
}

static void add_hits(u64 sum[HITS], const u64 hit[HITS])
{
	for (int i = 0; i < HITS; i++)
		sum[i] += hit[i];
}

static void print_anatomy(const struct walk_row *r, FILE *to)
{
	const char *const *step = r->spec.design->steps[r->spec.env];
	u64 all[HITS] = {0}, rare[HITS] = {0};

	fprintf(to, "\n%s: %s, %s, %s pages: %llu walks\n", r->trace->path,
		r->spec.design->name, env_name[r->spec.env],
		pages_name[r->spec.pages],
		(unsigned long long)r->stats.stlb_misses);
	fprintf(to, "  %-12s %9s %9s %9s %9s %9s %10s\n", "reference",
		"per walk", "L1", "L2", "L3", "memory", "cycles");
	for (int i = 0; i < STEPS && step && step[i]; i++) {
		const u64 *hit = r->stats.ref_hit[i];

		add_hits(all, hit);
		if (sum_hits(hit) * RARE < r->stats.stlb_misses)
			add_hits(rare, hit);
		else
			print_step(step[i], hit, r, to);
	}
	print_step("rare ones", rare, r, to);
	print_step("all", all, r, to);
}

void walk_print_anatomy(const struct walk_plan *p, FILE *to)
{
	for (size_t i = 0; i < p->row_count; i++)
		if (p->rows[i].done)
			print_anatomy(&p->rows[i], to);
}

/* The list *****************************************************************/

static void print_design(const struct design *d, FILE *to)
{
	fprintf(to, "%-*s %s\n", NAME, d->name, d->summary);
	if (strcmp(d->paper, "none") != 0)
		fprintf(to, "%-*s %s\n", NAME, "", d->paper);
	fprintf(to, "%-*s in", NAME, "");
	for (int e = 0; e < ENVS; e++)
		if (!walk_refusal(d, (enum env)e))
			fprintf(to, " %s", env_name[e]);
	fputc('\n', to);
	for (int e = 0; e < ENVS; e++)
		if (walk_refusal(d, (enum env)e))
			fprintf(to, "%-*s not in %s: %s\n", NAME, "",
				env_name[e], walk_refusal(d, (enum env)e));
}

void walk_print_list(FILE *to)
{
	struct profile p;
	struct err err;

	fputs("Designs\n\n", to);
	for (size_t i = 0; walk_designs[i]; i++)
		print_design(walk_designs[i], to);
	fputs("\nProfiles\n\n", to);
	for (size_t i = 0; profile_name(i); i++)
		if (!profile_load(&p, profile_name(i), &err))
			fprintf(to, "%-*s %s\n", NAME + 1, profile_name(i),
				p.source);
}
