/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Macroscopic cross-section look-ups, as XSBench does them with a unionized
 * grid: find an energy among those of all nuclides, then, for each nuclide of a
 * material, the two points of its own grid around it.
 */
#pragma once

#include "workload/pattern.h"

#define XS_NUCLIDES  355
#define XS_POINT     48 /* an energy and five cross sections */
#define XS_MATERIALS 12
#define XS_MOST	     321 /* nuclides of a material */

struct xsbench {
	struct plan plan;
	u64 points;   /* of a nuclide */
	u64 n;	      /* of all: the unionized grid's */
	u64 energies; /* of the unionized grid */
	u64 index;    /* for each of these, each nuclide's point below it */
	u64 grids;    /* nuclide by nuclide */
	u64 materials;
};

/* XSBench's materials: their nuclides (the first is fuel), and how likely
 * neutrons meet them, in thousandths. */
static const u16 xs_nuclides[XS_MATERIALS] = {321, 5,  4,  4,  27, 21,
					      21,  21, 21, 21, 9,  9};
static const u16 xs_likely[XS_MATERIALS] = {140, 52, 275, 134, 154, 64,
					    66,	 55, 8,	  15,  25,  12};

static inline int xsbench_lay_out(void *pattern, struct memory *m)
{
	struct xsbench *x = pattern;
	u64 each = 8 + 4 * XS_NUCLIDES + XS_POINT;

	x->points = x->plan.bytes / each / XS_NUCLIDES;
	x->n = x->points * XS_NUCLIDES;
	x->grids = memory_map(m, x->n * XS_POINT);
	x->energies = memory_map(m, x->n * 8);
	x->index = memory_map(m, x->n * XS_NUCLIDES * 4);
	x->materials = memory_map(m, XS_MATERIALS * XS_MOST * 4);
	return x->points > 1 ? 0 : -1;
}

static inline double xs_energy(const struct xsbench *x, u64 i)
{
	return ((double)i + 0.5) / (double)x->n;
}

/* Each nuclide has one point in each XS_NUCLIDES of the unionized grid, at this
 * place among them. */
static inline u64 xs_turn(u64 point, u64 nuclide)
{
	return (nuclide + scatter(point) % XS_NUCLIDES) % XS_NUCLIDES;
}

static inline u64 xs_index(const struct xsbench *x, u64 i, u64 nuclide)
{
	u64 point = i / XS_NUCLIDES;

	if (point && xs_turn(point, nuclide) > i % XS_NUCLIDES)
		point--;
	return point < x->points - 1 ? point : x->points - 2;
}

/* Field @k of a point: 0 is its energy. */
static inline double xs_field(const struct xsbench *x, u64 nuclide, u64 point,
			      unsigned k)
{
	if (!k)
		return xs_energy(x,
				 point * XS_NUCLIDES + xs_turn(point, nuclide));
	return (double)((nuclide * 31 + point * 7 + k) & 1023);
}

static inline u32 xs_nuclide(unsigned material, unsigned k)
{
	return material ? (material * 97 + k * 41) % XS_NUCLIDES : k;
}

static inline u64 xs_point(const struct xsbench *x, u64 nuclide, u64 point)
{
	return x->grids + (nuclide * x->points + point) * XS_POINT;
}

static inline void xsbench_fill(const void *pattern, struct memory *m)
{
	const struct xsbench *x = pattern;

	for (u64 i = 0; i < x->n; i++) {
		u64 nuclide = i / x->points, point = i % x->points;

		STORE(m, double, x->energies + 8 * i, xs_energy(x, i));
		for (unsigned k = 0; k < XS_POINT / 8; k++)
			STORE(m, double, xs_point(x, nuclide, point) + 8 * k,
			      xs_field(x, nuclide, point, k));
		for (u64 j = 0; j < XS_NUCLIDES; j++)
			STORE(m, u32, x->index + 4 * (i * XS_NUCLIDES + j),
			      xs_index(x, i, j));
	}
	for (unsigned i = 0; i < XS_MATERIALS; i++)
		for (unsigned k = 0; k < xs_nuclides[i]; k++)
			STORE(m, u32, x->materials + 4 * (i * XS_MOST + k),
			      xs_nuclide(i, k));
}

static inline u64 xs_search(const struct xsbench *x, struct memory *m,
			    double energy)
{
	u64 low = 0, high = x->n;

	while (high - low > 1) {
		u64 middle = (low + high) / 2;

		if (LOAD(m, double, x->energies + 8 * middle,
			 xs_energy(x, middle)) > energy)
			high = middle;
		else
			low = middle;
		WORK(m, 10);
	}
	return low;
}

/* Adds what one nuclide has at @energy to @sum. */
static inline void xs_micro(const struct xsbench *x, struct memory *m,
			    u64 nuclide, u64 i, double energy, double sum[5])
{
	u64 point = LOAD(m, u32, x->index + 4 * (i * XS_NUCLIDES + nuclide),
			 xs_index(x, i, nuclide));
	u64 at = xs_point(x, nuclide, point), above = at + XS_POINT;
	double high =
		LOAD(m, double, above, xs_field(x, nuclide, point + 1, 0));
	double low = LOAD(m, double, at, xs_field(x, nuclide, point, 0));
	double f = (high - energy) / (high - low);

	WORK(m, 13);
#pragma GCC unroll 5
	for (unsigned k = 1; k <= 5; k++) {
		double a = LOAD(m, double, at + 8 * k,
				xs_field(x, nuclide, point, k));
		double b = LOAD(m, double, above + 8 * k,
				xs_field(x, nuclide, point + 1, k));

		sum[k - 1] += b - f * (b - a);
		WORK(m, 4);
	}
}

static inline unsigned xs_material(u64 random)
{
	u64 likely = below(random, 1000);
	unsigned i = 0;

	while (likely >= xs_likely[i])
		likely -= xs_likely[i++];
	return i;
}

static inline void xsbench_run(const void *pattern, struct worker *worker,
			       u64 n)
{
	const struct xsbench *x = pattern;
	struct worker local = *worker, *w = &local; /* in registers */
	struct memory *m = w->m;

	for (u64 k = 0; k < n; k++) {
		double energy = (double)(draw(w) >> 11) * 0x1p-53, sum[5] = {0};
		unsigned material = xs_material(draw(w));
		u64 i = xs_search(x, m, energy);

		for (unsigned j = 0; j < xs_nuclides[material]; j++)
			xs_micro(x, m,
				 LOAD(m, u32,
				      x->materials +
					      4 * (material * XS_MOST + j),
				      xs_nuclide(material, j)),
				 i, energy, sum);
#pragma GCC unroll 5
		for (unsigned j = 0; j < 5; j++)
			w->sum += (u64)(sum[j] < 0 ? -sum[j] : sum[j]);
		WORK(m, 70);
	}
	*worker = local;
}

static const struct pattern xsbench_pattern = {
	.name = "xsbench",
	.size = sizeof(struct xsbench),
	.operations = 1 << 20,
	.batch = 16,
	.lay_out = xsbench_lay_out,
	.fill = xsbench_fill,
	.run = xsbench_run,
};
