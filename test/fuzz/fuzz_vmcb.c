/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target for what L1 gives L0 with VMRUN: a VMCB, and the maps that it
 * points to. The first byte chooses L1's CPU; then come edits of a legal VMCB;
 * behind END_EDITS is L1's memory, whose first bytes are the exits of L2, too.
 * Besides what the sanitizers see, it stops where the checks and their
 * reference differ and on results that break a promise of a header.
 */
#include <stdlib.h>
#include <string.h>

#include "hv/nested/wants.h"
#include "test/fuzz/vmcb_input.h"
#include "test/unit/vmcb_reference.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define EXITS 8

static struct check_limits take_limits(struct input *in)
{
	struct check_limits l = reference_limits();
	u64 choice = take(in, 1);

	if (choice & 1)
		l.cr4 &= ~(u64)CR4_CET;
	if (choice & 2)
		l.cr4 |= CR4_LA57;
	l.nested_paging = !(choice & 4);
	l.paging = !(choice & 8);
	if (choice & 16)
		l.phys_mask = (1ull << 52) - 1;
	if (choice & 32)
		l.asids = 1 << 15;
	return l;
}

static struct vmcb take_vmcb(struct input *in)
{
	struct vmcb v = reference_vmcb();

	take_edits(in, &v);
	return v;
}

static const void *map(void *ctx, u64 pa, u64 len)
{
	const struct input *memory = ctx;

	if (pa > memory->left || len > memory->left - pa)
		return NULL;
	return memory->bytes + pa;
}

/* A VMCB is legal if its groups are, and stays so. */
static void fuzz_checks(struct vmcb *v, const struct check_limits *l)
{
	const char *why = check_vmcb(v, l);
	bool groups =
		!check_control(v, l) && !check_save(v, l) && !check_event(v, l);
	struct vmcb once;

	require(reference_agrees(v, l, why));
	require(groups == !why);
	canonicalize(v, l);
	require(!check_vmcb(v, l) == !why);
	once = *v;
	canonicalize(v, l);
	require(!memcmp(&once, v, sizeof(once)));
}

/* What the bits of an access say, one by one. */
static bool port_bits(const struct phys *l1, u64 iopm, u64 info1)
{
	u32 port = info1 >> 16 & 0xffff;
	u32 bytes = info1 & 0x10 ? 1 : info1 & 0x20 ? 2 : 4;

	for (u32 bit = port; bit < port + bytes; bit++) {
		const u8 *byte = phys_map(l1, iopm + bit / 8, 1);

		if (!byte || *byte >> bit % 8 & 1)
			return true;
	}
	return false;
}

static void fuzz_exit(const struct vmcb *v, const struct phys *l1,
		      struct input *in)
{
	u64 what = take(in, 4), code = take(in, 1) * 8;
	u64 info1 = (what & 0xffff0000) | 0x10ull << what % 3;
	bool write = what & 1;

	wants_exit(&v->control, code);
	require(wants_port(l1, v->control.iopm_pa, info1) ==
		port_bits(l1, v->control.iopm_pa, info1));
	wants_msr(l1, v->control.msrpm_pa, (u32)what, write);
	require(wants_msr(l1, v->control.msrpm_pa, (u32)what | 0x2000, write));
}

/* Whatever it says of them. */
static void fuzz_pdpes(const struct vmcb *v, const struct check_limits *l,
		       const struct phys *l1)
{
	if (check_pdpes(v, l, l1))
		require(v->save.cr4 & CR4_PAE && v->save.cr0 & CR0_PG);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct input in = {data, size}, memory;
	struct check_limits l = take_limits(&in);
	struct vmcb v = take_vmcb(&in);
	struct phys l1 = {.map = map, .ctx = &memory};
	u8 *copy = malloc(in.left + !in.left);

	if (!copy)
		return 0;
	/* Aligned, and of its exact size: a read beyond it is seen. */
	memcpy(copy, in.bytes, in.left);
	memory = (struct input){copy, in.left};
	fuzz_pdpes(&v, &l, &l1);
	fuzz_checks(&v, &l);
	for (size_t i = 0; i < EXITS && in.left; i++)
		fuzz_exit(&v, &l1, &in);
	free(copy);
	return 0;
}
