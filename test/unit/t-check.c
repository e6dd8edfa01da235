/* SPDX-License-Identifier: Apache-2.0 */
/* hv/nested/check: every rule alone, its edges, and all of them at random. */
#include "hv/nested/check.h"

#include "test/unit/dice.h"
#include "test/unit/ram.h"
#include "test/unit/vmcb_reference.h"

#define BIT(n)	  (1ull << (n))
#define TOP	  BIT(40) /* the first address beyond reference_limits() */
#define EXCEPTION (VMCB_EVENT_VALID | VMCB_EVENT_EXCEPTION)
#define TYPE(n)	  (VMCB_EVENT_VALID | (n) << 8)
#define PAGED	  0x100000ull
#define MUTANTS	  500000

static struct check_limits limits;
static struct vmcb vmcb;

/* Sets and clears bits of one quadword, and what else a row asks for. */
struct row {
	const char *rule; /* NULL: stays legal */
	u64 at, set, clear;
	bool no_cet, no_np, legacy, compat, no_paging;
};

#define AT(field) .at = offsetof(struct vmcb, field)

#define VMRUN_RULE  "VMRUN is not intercepted"
#define IOPM_RULE   "the IOPM is beyond the last physical address"
#define MSRPM_RULE  "the MSRPM is beyond the last physical address"
#define TYPE_RULE   "an event has a reserved type"
#define VECTOR_RULE "an event's vector is no exception"
#define IN_64_RULE  "an event is impossible in 64-bit mode"
#define PAT_RULE    "G_PAT has a reserved type"
#define NO_ASID	    "the CPU has no such ASID"
#define HOST_RULE   "nested paging without paging of the host"

static const struct row controls[] = {
	{NULL, .set = 0},
	{VMRUN_RULE, AT(control.intercept[4]), .clear = 1},
	{NULL, AT(control.intercept[4]), .set = ~1u},
	{"the ASID is 0", AT(control.asid), .clear = 1},
	{NULL, AT(control.asid), .set = 15},
	{NO_ASID, AT(control.asid), .set = 16, .clear = 1},
	{NO_ASID, AT(control.asid), .set = 0xffffffff},
	{IOPM_RULE, AT(control.iopm_pa), .set = TOP},
	{IOPM_RULE, AT(control.iopm_pa), .set = BIT(63)},
	{IOPM_RULE, AT(control.iopm_pa), .set = ~0ull},
	{NULL, AT(control.iopm_pa), .set = TOP - 0x3000},
	{NULL, AT(control.iopm_pa), .set = TOP - 0x2001},
	{IOPM_RULE, AT(control.iopm_pa), .set = TOP - 0x2000},
	{IOPM_RULE, AT(control.iopm_pa), .set = TOP - 0x1000},
	{MSRPM_RULE, AT(control.msrpm_pa), .set = TOP},
	{MSRPM_RULE, AT(control.msrpm_pa), .set = ~0ull},
	{NULL, AT(control.msrpm_pa), .set = TOP - 0x2000},
	{NULL, AT(control.msrpm_pa), .set = TOP - 0x1001},
	{MSRPM_RULE, AT(control.msrpm_pa), .set = TOP - 0x1000},
	{"nCR3 has reserved bits", AT(control.ncr3), .set = TOP},
	{"nCR3 has reserved bits", AT(control.ncr3), .set = BIT(63)},
	{NULL, AT(control.ncr3), .set = TOP - 1},
	{NULL, AT(control.ncr3), .set = TOP, .no_np = true},
	{HOST_RULE, .no_paging = true},
	{NULL, .no_paging = true, .no_np = true},
	{NULL, AT(control.np_control), .clear = 1, .no_paging = true},
	{PAT_RULE, AT(save.g_pat), .set = 2, .clear = 4},
	{PAT_RULE, AT(save.g_pat), .set = 3, .clear = 4},
	{PAT_RULE, AT(save.g_pat), .set = 8},
	{PAT_RULE, AT(save.g_pat), .set = 0x80},
	{PAT_RULE, AT(save.g_pat), .set = 2ull << 56, .clear = 4ull << 56},
	{PAT_RULE, AT(save.g_pat), .set = BIT(63)},
	{NULL, AT(save.g_pat), .clear = ~0ull},
	{NULL, AT(save.g_pat), .set = 0x0706050401000706, .clear = ~0ull},
	{NULL, AT(save.g_pat), .set = ~0ull, .no_np = true},
	{NULL, AT(control.np_control), .set = ~0ull},
	{NULL, AT(control.tlb_control), .set = 0xff},
	{NULL, AT(control.int_ctl), .set = ~0ull},
};

static const struct row saves[] = {
	{"EFER.SVME is clear", AT(save.efer), .clear = EFER_SVME},
	{"EFER has reserved bits", AT(save.efer), .set = BIT(9)},
	{"EFER has reserved bits", AT(save.efer), .set = BIT(13)},
	{"EFER has reserved bits", AT(save.efer), .set = BIT(40)},
	{NULL, AT(save.efer), .set = EFER_SCE | EFER_FFXSR | EFER_TCE},
	{NULL, AT(save.efer), .clear = EFER_LMA},
	{"CR0 has upper bits", AT(save.cr0), .set = BIT(32)},
	{"CR0 has upper bits", AT(save.cr0), .set = BIT(63)},
	{"CR0.NW without CR0.CD", AT(save.cr0), .set = CR0_NW},
	{NULL, AT(save.cr0), .set = CR0_NW | CR0_CD},
	{NULL, AT(save.cr0), .set = CR0_CD},
	{NULL, AT(save.cr0), .set = 0xdfffffff},
	{"CR3 has reserved bits", AT(save.cr3), .set = TOP},
	{"CR3 has reserved bits", AT(save.cr3), .set = BIT(63)},
	{NULL, AT(save.cr3), .set = TOP - 1},
	{NULL, AT(save.cr3), .set = ~0ull, .legacy = true},
	{"CR4 has reserved bits", AT(save.cr4), .set = BIT(11)},
	{"CR4 has reserved bits", AT(save.cr4), .set = BIT(32)},
	{"CR4 has reserved bits", .no_cet = true},
	{NULL, AT(save.cr4), .set = 0xb507ff},
	{"DR6 has upper bits", AT(save.dr6), .set = BIT(32)},
	{"DR6 has upper bits", AT(save.dr6), .set = BIT(63)},
	{NULL, AT(save.dr6), .set = 0xffffffff},
	{"DR7 has upper bits", AT(save.dr7), .set = BIT(32)},
	{"DR7 has upper bits", AT(save.dr7), .set = BIT(63)},
	{NULL, AT(save.dr7), .set = 0xffffffff},
	{"long mode without CR4.PAE", AT(save.cr4), .clear = CR4_PAE},
	{NULL, AT(save.cr4), .clear = CR4_PAE, .legacy = true},
	{"long mode without CR0.PE", AT(save.cr0), .clear = CR0_PE},
	{NULL, AT(save.cr0), .clear = CR0_PE | CR0_PG},
	{NULL, AT(save.cr0), .clear = CR0_PE, .legacy = true},
	{"CS.L and CS.D are set", AT(save.cs.attributes), .set = 0x400},
	{NULL, AT(save.cs.attributes), .set = 0x400, .clear = 0x200},
	{NULL, AT(save.cs.attributes), .set = 0x400, .legacy = true},
	{"S_CET has reserved bits", AT(save.s_cet), .set = BIT(2)},
	{"S_CET has reserved bits", AT(save.s_cet), .set = BIT(63)},
	{NULL, AT(save.s_cet), .clear = 3},
	{"CR4.CET without CR0.WP", AT(save.cr0), .clear = CR0_WP},
	{NULL, AT(save.rip), .set = BIT(47)},
	{NULL, AT(save.rflags), .set = ~0ull},
	{NULL, AT(save.cs.base), .set = BIT(47)},
};

static const struct row events[] = {
	{NULL, AT(control.event_inj), .set = ~VMCB_EVENT_VALID},
	{NULL, AT(control.event_inj), .set = TYPE(0)},
	{NULL, AT(control.event_inj), .set = TYPE(0) | 0xff},
	{TYPE_RULE, AT(control.event_inj), .set = TYPE(1)},
	{NULL, AT(control.event_inj), .set = TYPE(2)},
	{NULL, AT(control.event_inj), .set = TYPE(2) | 0xff},
	{NULL, AT(control.event_inj), .set = TYPE(3) | VECTOR_PF},
	{NULL, AT(control.event_inj), .set = TYPE(4) | 0xff},
	{TYPE_RULE, AT(control.event_inj), .set = TYPE(5)},
	{TYPE_RULE, AT(control.event_inj), .set = TYPE(6)},
	{TYPE_RULE, AT(control.event_inj), .set = TYPE(7)},
	{IN_64_RULE, AT(control.event_inj), .set = EXCEPTION | VECTOR_OF},
	{IN_64_RULE, AT(control.event_inj), .set = EXCEPTION | VECTOR_BR},
	{NULL, AT(control.event_inj), .set = TYPE(4) | VECTOR_OF},
	{NULL, AT(control.event_inj), .set = EXCEPTION | VECTOR_OF,
	 .legacy = true},
	{NULL, AT(control.event_inj), .set = EXCEPTION | VECTOR_BR,
	 .legacy = true},
	{NULL, AT(control.event_inj), .set = EXCEPTION | VECTOR_OF,
	 .compat = true},
	{NULL, AT(control.event_inj), .set = EXCEPTION | VECTOR_BR,
	 .compat = true},
	{NULL, AT(control.event_inj), .set = EXCEPTION | VECTOR_CP},
	{NULL, AT(control.event_inj),
	 .set = ~0ull << 32 | EXCEPTION | VMCB_EVENT_ERROR | VECTOR_PF},
};

static void prepare(const struct row *r)
{
	u64 field;

	vmcb = reference_vmcb();
	limits = reference_limits();
	memcpy(&field, (u8 *)&vmcb + r->at, sizeof(field));
	field = (field & ~r->clear) | r->set;
	memcpy((u8 *)&vmcb + r->at, &field, sizeof(field));
	if (r->no_cet)
		limits.cr4 &= ~(u64)CR4_CET;
	if (r->legacy)
		vmcb.save.efer &= ~(u64)EFER_LME;
	if (r->compat)
		vmcb.save.cs.attributes &= (u16)~VMCB_SEGMENT_LONG;
	limits.nested_paging = !r->no_np;
	limits.paging = !r->no_paging;
}

typedef const char *group_fn(const struct vmcb *v,
			     const struct check_limits *l);

static void assert_rule(const char *why, const char *want, const char *what,
			size_t row)
{
	bool same = why && want ? !strcmp(why, want) : why == want;

	if (!same)
		fail_msg("%s, row %zu: \"%s\", not \"%s\"", what, row,
			 why ? why : "legal", want ? want : "legal");
}

/* A rule is found by its own group and by no other one. */
static void try_rows(const struct row *row, size_t n, group_fn *group)
{
	group_fn *const all[] = {check_control, check_save, check_event};

	for (size_t i = 0; i < n; i++) {
		prepare(&row[i]);
		assert_rule(check_vmcb(&vmcb, &limits), row[i].rule, "all", i);
		assert_rule(group(&vmcb, &limits), row[i].rule, "group", i);
		for (size_t g = 0; g < ARRAY_SIZE(all); g++)
			if (all[g] != group)
				assert_rule(all[g](&vmcb, &limits), NULL,
					    "other group", i);
		assert_true(reference_agrees(&vmcb, &limits, row[i].rule));
	}
}

static void control_rules(void **state)
{
	(void)state;
	try_rows(controls, ARRAY_SIZE(controls), check_control);
}

static void save_rules(void **state)
{
	(void)state;
	try_rows(saves, ARRAY_SIZE(saves), check_save);
}

static void event_rules(void **state)
{
	(void)state;
	try_rows(events, ARRAY_SIZE(events), check_event);
}

/* Of all 256 vectors, in 32-bit mode: these are exceptions. */
static void exception_vectors(void **state)
{
	static const char good[] = "XX.XXXXXX.XXXXX.XXXX........X.X.";
	struct row r = {.legacy = true, AT(control.event_inj)};

	(void)state;
	_Static_assert(sizeof(good) == EXCEPTIONS + 1, "a letter for each");
	for (u64 vector = 0; vector < VECTORS; vector++) {
		bool is = vector < EXCEPTIONS && good[vector] == 'X';

		r.set = EXCEPTION | vector;
		prepare(&r);
		limits.cr4 &= ~(u64)CR4_CET;
		assert_rule(check_event(&vmcb, &limits),
			    is ? NULL : VECTOR_RULE, "vector", vector);
	}
}

/* Without CET what is S_CET there means nothing. */
static void without_cet(void **state)
{
	struct row r = {.no_cet = true, AT(save.cr4), .clear = CR4_CET};

	(void)state;
	prepare(&r);
	vmcb.save.s_cet = ~0ull;
	vmcb.save.cr0 &= ~(u64)CR0_WP;
	assert_null(check_vmcb(&vmcb, &limits));
}

static u64 dice = 88172645463325252;

static u64 roll(void)
{
	return dice_roll(&dice);
}

/* Changes a bit, or all, of one of the fields that rules look at. */
static void mutate(void)
{
	static const u16 fields[] = {
		offsetof(struct vmcb, control.intercept[4]),
		offsetof(struct vmcb, control.iopm_pa),
		offsetof(struct vmcb, control.msrpm_pa),
		offsetof(struct vmcb, control.asid),
		offsetof(struct vmcb, control.np_control),
		offsetof(struct vmcb, control.event_inj),
		offsetof(struct vmcb, control.event_inj),
		offsetof(struct vmcb, control.ncr3),
		offsetof(struct vmcb, save.cs.attributes),
		offsetof(struct vmcb, save.efer),
		offsetof(struct vmcb, save.cr4),
		offsetof(struct vmcb, save.cr3),
		offsetof(struct vmcb, save.cr0),
		offsetof(struct vmcb, save.dr7),
		offsetof(struct vmcb, save.dr6),
		offsetof(struct vmcb, save.s_cet),
		offsetof(struct vmcb, save.g_pat),
	};
	u8 *at = (u8 *)&vmcb + fields[roll() % ARRAY_SIZE(fields)];
	u64 value;

	memcpy(&value, at, sizeof(value));
	switch (roll() % 4) {
	case 0:
		value = roll() >> roll() % 64;
		break;
	case 1:
		value = limits.phys_mask - roll() % 0x4000;
		break;
	default:
		value ^= 1ull << roll() % 64;
	}
	memcpy(at, &value, sizeof(value));
}

static void random_mutants(void **state)
{
	unsigned legal = 0;

	(void)state;
	for (unsigned i = 0; i < MUTANTS; i++) {
		struct row r = {.no_cet = roll() % 4 == 0,
				.no_np = roll() % 4 == 0,
				.legacy = roll() % 4 == 0,
				.compat = roll() % 4 == 0,
				.no_paging = roll() % 8 == 0};
		const char *why;

		prepare(&r);
		if (r.no_cet)
			vmcb.save.cr4 &= ~(u64)CR4_CET;
		limits.phys_mask >>= roll() % 3 * 4;
		vmcb.control.event_inj = roll() & 0x80000fff;
		for (u64 n = roll() % 4; n > 0; n--)
			mutate();
		why = check_vmcb(&vmcb, &limits);
		if (!reference_agrees(&vmcb, &limits, why))
			fail_msg("mutant %u: %s", i, why ? why : "legal");
		legal += !why;
	}
	/* Both answers are common. */
	assert_in_range(legal, MUTANTS / 10, MUTANTS * 9 / 10);
}

static struct ram ram;

static const char *pdpes(struct vmcb *v)
{
	struct phys p = ram_phys(&ram);

	return check_pdpes(v, &limits, &p);
}

static struct vmcb pae_guest(void)
{
	struct vmcb v = reference_vmcb();

	limits = reference_limits();
	v.save.efer &= ~(u64)EFER_LME;
	v.save.cr3 = PAGED + 0x20;
	v.control.np_control = 0;
	return v;
}

static void pdpes_of_pae(void **state)
{
	struct vmcb v = pae_guest();
	u64 last = PAGED + 0x20 + 24;

	(void)state;
	ram_new(&ram, PAGED, 0x40);
	assert_null(pdpes(&v));
	ram_put64(&ram, last, (TOP - 1) & ~0x1e6ull);
	assert_null(pdpes(&v));
	ram_put64(&ram, last, ~1ull); /* not present */
	assert_null(pdpes(&v));
	v.save.cr3 |= 0xffffffff0000001f; /* none of these count */
	ram_put64(&ram, last, PTE_PRESENT | TOP);
	assert_string_equal(pdpes(&v), "a PDPE has reserved bits");
	for (unsigned n = 1; n < 9; n++) {
		bool legal = n == 3 || n == 4;

		ram_put64(&ram, last, PTE_PRESENT | BIT(n));
		assert_int_equal(!pdpes(&v), legal);
	}
	limits.marks_pdpes = true;
	ram_put64(&ram, last, PTE_PRESENT | PTE_ACCESSED);
	assert_null(pdpes(&v));
	ram_put64(&ram, last, PTE_PRESENT | PTE_DIRTY);
	assert_non_null(pdpes(&v));
	v.save.cr3 = PAGED + 0x40;
	assert_string_equal(pdpes(&v), "the PDPEs are not in memory");
	free(ram.bytes);
}

/* In these VMRUN does not look at them. */
static void pdpes_of_others(void **state)
{
	struct vmcb v[] = {pae_guest(), pae_guest(), pae_guest(), pae_guest(),
			   pae_guest()};

	(void)state;
	ram_new(&ram, PAGED, 0x20);
	v[0].control.np_control = VMCB_NP_ENABLE;
	v[1].save.efer |= EFER_LME;
	v[2].save.cr4 &= ~(u64)CR4_PAE;
	v[3].save.cr0 &= ~(u64)CR0_PG;
	v[4].save.cr0 &= ~(u64)CR0_PE;
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		assert_null(pdpes(&v[i]));
	/* Where L1 has no nested paging, the bit is none. */
	limits.nested_paging = false;
	assert_non_null(pdpes(&v[0]));
	free(ram.bytes);
}

static void canonical_addresses(void **state)
{
	(void)state;
	limits = reference_limits();
	assert_true(canonical(0x00007fffffffffff, &limits) == 0x7fffffffffff);
	assert_true(canonical(0x0000800000000000, &limits) ==
		    0xffff800000000000);
	assert_true(canonical(0xdead123456789abc, &limits) == 0x123456789abc);
	limits.cr4 |= CR4_LA57;
	assert_true(canonical(0x0000800000000000, &limits) == 0x800000000000);
	assert_true(canonical(0x1f00000000000000, &limits) ==
		    0xff00000000000000);
}

static void loaded_fields(void **state)
{
	struct vmcb v = reference_vmcb(), want;

	(void)state;
	limits = reference_limits();
	v.save.es.base = v.save.cs.base = v.save.ss.base = v.save.ds.base =
		v.save.fs.base = v.save.tr.base = v.save.gdtr.base =
			v.save.idtr.base = v.save.ssp = v.save.isst_addr =
				v.save.rip = BIT(47);
	v.control.iopm_pa |= 0xfff;
	v.control.msrpm_pa |= 0x123;
	want = v;
	want.save.es.base = want.save.cs.base = want.save.ss.base =
		want.save.ds.base = want.save.gdtr.base = want.save.idtr.base =
			want.save.ssp = want.save.isst_addr = ~0ull << 47;
	want.control.iopm_pa = 0x10000;
	want.control.msrpm_pa = 0x14000;
	canonicalize(&v, &limits);
	assert_memory_equal(&v, &want, sizeof(v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_rules),
		cmocka_unit_test(save_rules),
		cmocka_unit_test(event_rules),
		cmocka_unit_test(exception_vectors),
		cmocka_unit_test(without_cet),
		cmocka_unit_test(random_mutants),
		cmocka_unit_test(pdpes_of_pae),
		cmocka_unit_test(pdpes_of_others),
		cmocka_unit_test(canonical_addresses),
		cmocka_unit_test(loaded_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
