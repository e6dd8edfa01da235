/* SPDX-License-Identifier: Apache-2.0 */
#include "test/unit/vmcb_reference.h"

#include <assert.h>
#include <string.h>

static bool bit(u64 value, unsigned n)
{
	return value / (1ull << n) % 2;
}

static void note(struct reference *r, bool broken, const char *rule)
{
	if (!broken)
		return;
	assert(r->n < REFERENCE_RULES);
	r->broken[r->n++] = rule;
}

/* Bits of @value that are none of @known. */
static bool has_others(u64 value, u64 known)
{
	for (unsigned n = 0; n < 64; n++)
		if (bit(value, n) && !bit(known, n))
			return true;
	return false;
}

static bool is_beyond(u64 pa, u64 size, const struct check_limits *l)
{
	u64 start = pa / 4096 * 4096;

	return start > l->phys_mask || size - 1 > l->phys_mask - start;
}

static bool has_reserved_type(u64 pat)
{
	for (unsigned entry = 0; entry < 8; entry++) {
		u64 type = pat >> entry * 8 & 0xff;

		if (type != 0 && type != 1 && type != 4 && type != 5 &&
		    type != 6 && type != 7)
			return true;
	}
	return false;
}

static bool is_exception(u64 vector, const struct check_limits *l)
{
	static const u8 vectors[] = {0,	 1,  3,	 4,  5,	 6,  7,	 8,  10, 11,
				     12, 13, 14, 16, 17, 18, 19, 28, 30};

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		if (vectors[i] == vector)
			return true;
	return vector == 21 && bit(l->cr4, 23);
}

static void state(struct reference *r, const struct vmcb_save *s,
		  const struct check_limits *l)
{
	bool lme = bit(s->efer, 8), pg = bit(s->cr0, 31), pae = bit(s->cr4, 5);
	bool cs_l = bit(s->cs.attributes, 9), cs_d = bit(s->cs.attributes, 10);

	note(r, !bit(s->efer, 12), "EFER.SVME is clear");
	note(r, !bit(s->cr0, 30) && bit(s->cr0, 29), "CR0.NW without CR0.CD");
	note(r, s->cr0 >= 1ull << 32, "CR0 has upper bits");
	note(r, lme && pg && has_others(s->cr3, l->phys_mask),
	     "CR3 has reserved bits");
	note(r, has_others(s->cr4, l->cr4), "CR4 has reserved bits");
	note(r, s->dr6 >= 1ull << 32, "DR6 has upper bits");
	note(r, s->dr7 >= 1ull << 32, "DR7 has upper bits");
	note(r, has_others(s->efer, l->efer), "EFER has reserved bits");
	note(r, lme && pg && !pae, "long mode without CR4.PAE");
	note(r, lme && pg && !bit(s->cr0, 0), "long mode without CR0.PE");
	/* The manual adds "and CR4.PAE": without it another rule is broken. */
	note(r, lme && pg && cs_l && cs_d, "CS.L and CS.D are set");
	if (bit(l->cr4, 23)) {
		note(r, s->s_cet > 3, "S_CET has reserved bits");
		note(r, bit(s->cr4, 23) && !bit(s->cr0, 16),
		     "CR4.CET without CR0.WP");
	}
}

static void controls(struct reference *r, const struct vmcb *v,
		     const struct check_limits *l)
{
	const struct vmcb_control *c = &v->control;

	note(r, !bit(c->intercept[4], 0), "VMRUN is not intercepted");
	note(r, is_beyond(c->iopm_pa, 12288, l),
	     "the IOPM is beyond the last physical address");
	note(r, is_beyond(c->msrpm_pa, 8192, l),
	     "the MSRPM is beyond the last physical address");
	note(r, c->asid == 0, "the ASID is 0");
	note(r, c->asid >= l->asids, "the CPU has no such ASID");
	if (!bit(c->np_control, 0) || !l->nested_paging)
		return;
	note(r, !l->paging, "nested paging without paging of the host");
	note(r, has_others(c->ncr3, l->phys_mask), "nCR3 has reserved bits");
	note(r, has_reserved_type(v->save.g_pat), "G_PAT has a reserved type");
}

static void event(struct reference *r, const struct vmcb *v,
		  const struct check_limits *l)
{
	u64 e = v->control.event_inj, vector = e % 256, type = e / 256 % 8;
	bool in_64_bit = bit(v->save.efer, 8) && bit(v->save.cr0, 31) &&
			 bit(v->save.cs.attributes, 9);

	if (!bit(e, 31))
		return;
	note(r, type != 0 && type != 2 && type != 3 && type != 4,
	     "an event has a reserved type");
	note(r, type == 3 && !is_exception(vector, l),
	     "an event's vector is no exception");
	note(r, type == 3 && in_64_bit && (vector == 4 || vector == 5),
	     "an event is impossible in 64-bit mode");
}

struct reference reference_check(const struct vmcb *v,
				 const struct check_limits *l)
{
	struct reference r = {0};

	state(&r, &v->save, l);
	controls(&r, v, l);
	event(&r, v, l);
	return r;
}

bool reference_agrees(const struct vmcb *v, const struct check_limits *l,
		      const char *why)
{
	struct reference r = reference_check(v, l);

	for (size_t i = 0; why && i < r.n; i++)
		if (!strcmp(r.broken[i], why))
			return true;
	return !why && !r.n;
}

struct vmcb reference_vmcb(void)
{
	struct vmcb v = {
		.control = {.iopm_pa = 0x10000,
			    .msrpm_pa = 0x14000,
			    .asid = 1,
			    .np_control = VMCB_NP_ENABLE,
			    .ncr3 = 0x20000},
		.save = {.cs.attributes = 0xa9b,
			 .efer = EFER_SVME | EFER_LME | EFER_LMA | EFER_NXE,
			 .cr0 = CR0_PE | CR0_ET | CR0_WP | CR0_PG,
			 .cr3 = 0x30000,
			 .cr4 = CR4_PAE | CR4_CET,
			 .dr6 = 0xffff0ff0,
			 .dr7 = 0x400,
			 .rflags = RFLAGS_FIXED,
			 .s_cet = 0x3,
			 .g_pat = 0x0007040600070406}};

	vmcb_intercept(&v, VMCB_EXIT_VMRUN);
	return v;
}

struct check_limits reference_limits(void)
{
	return (struct check_limits){
		.phys_mask = (1ull << 40) - 1,
		.cr4 = 0xb507ff,
		.efer = EFER_SVME | EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE |
			EFER_FFXSR | EFER_TCE,
		.asids = 16,
		.nested_paging = true,
		.paging = true,
	};
}
