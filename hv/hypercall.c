/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/hypercall.h"

#include "hv/nested.h"
#include "hv/percpu.h"
#include "hv/seal.h"
#include "hv/space.h"
#include "hv/tables.h"
#include "hv/token.h"
#include "lib/hypercall.h"

#define VERSION 0x00000001u

/* Each gets and changes the general registers; returns RAX. */
typedef u64 call_fn(u64 *gpr);

static u64 on_version(u64 *gpr)
{
	(void)gpr;
	return VERSION;
}

static u64 on_features(u64 *gpr)
{
	gpr[RBX] = n_cpus;
	gpr[RCX] = ACCOUNT_LEVELS;
	gpr[RDX] = EXIT_SLOTS;
	gpr[RSI] = ACCOUNT_RING;
	return HYPERCALL_HAS_SEAL | HYPERCALL_HAS_ACCOUNT |
	       (tables_published() ? HYPERCALL_HAS_TABLE : 0) |
	       (nested_is_offered() ? HYPERCALL_HAS_NESTED : 0);
}

static u64 on_seal(u64 *gpr)
{
	gpr[RBX] = seal_start();
	gpr[RCX] = seal_now();
	space_block(&gpr[RDX], &gpr[RSI]);
	return gpr[RBX] != gpr[RCX];
}

static u64 on_count(u64 *gpr)
{
	const struct cpu *cpu = cpu_by_id(gpr[RDX]);
	u64 level = gpr[RSI] - 1, slot = gpr[RDI], handler = gpr[R8];

	if (!cpu || level >= ACCOUNT_LEVELS || slot >= EXIT_SLOTS ||
	    handler >= HANDLERS)
		return HYPERCALL_RANGE;
	gpr[RBX] = cpu->account.count[level][slot][handler];
	return 0;
}

static u64 on_switches(u64 *gpr)
{
	const struct cpu *cpu = cpu_by_id(gpr[RDX]);

	if (!cpu)
		return HYPERCALL_RANGE;
	gpr[RBX] = cpu->account.past;
	gpr[RCX] = cpu->account.past;
	return 0;
}

static u64 on_ring(u64 *gpr)
{
	const struct cpu *cpu = cpu_by_id(gpr[RDX]);
	const struct past_exit *p =
		cpu ? account_past(&cpu->account, gpr[RSI]) : NULL;

	if (!p)
		return HYPERCALL_RANGE;
	gpr[RBX] = p->exit.slot;
	gpr[RCX] = p->exit.code;
	gpr[RDX] = p->exit.info1;
	gpr[RSI] = p->exit.info2;
	gpr[RDI] = p->rip;
	gpr[R8] = p->level | (u64)p->handler << 8;
	return 0;
}

static u64 on_nested(u64 *gpr)
{
	const struct cpu *cpu = cpu_by_id(gpr[RDX]);
	struct nested_counts counts;

	if (!cpu)
		return HYPERCALL_RANGE;
	nested_read_counts(&cpu->vcpu, &counts);
	gpr[RBX] = counts.vmruns;
	gpr[RCX] = counts.reflected;
	gpr[RDX] = counts.made_up;
	gpr[RSI] = counts.level;
	return 0;
}

static u64 on_shadow(u64 *gpr)
{
	struct nested_tables tables;

	nested_read_tables(&tables);
	gpr[RBX] = tables.fills;
	gpr[RCX] = tables.flushes;
	gpr[RDX] = tables.revalidated;
	gpr[RSI] = tables.evictions;
	gpr[RDI] = tables.free_pages;
	gpr[R8] = tables.pages;
	return 0;
}

static const struct {
	call_fn *call;
	bool secret; /* wants the token */
} calls[HYPERCALL_END - HYPERCALL_BASE] = {
	[HYPERCALL_VERSION - HYPERCALL_BASE] = {on_version, false},
	[HYPERCALL_FEATURES - HYPERCALL_BASE] = {on_features, false},
	[HYPERCALL_SEAL - HYPERCALL_BASE] = {on_seal, true},
	[HYPERCALL_COUNT - HYPERCALL_BASE] = {on_count, true},
	[HYPERCALL_SWITCHES - HYPERCALL_BASE] = {on_switches, true},
	[HYPERCALL_RING - HYPERCALL_BASE] = {on_ring, true},
	[HYPERCALL_NESTED - HYPERCALL_BASE] = {on_nested, true},
	[HYPERCALL_SHADOW - HYPERCALL_BASE] = {on_shadow, true},
};

void hypercall(struct vcpu *v)
{
	u64 *gpr = v->regs.gpr, number = gpr[RAX] - HYPERCALL_BASE;

	if (number >= ARRAY_SIZE(calls))
		gpr[RAX] = HYPERCALL_UNKNOWN;
	else if (calls[number].secret && !token_is(gpr[RBX], gpr[RCX]))
		gpr[RAX] = HYPERCALL_DENIED;
	else
		gpr[RAX] = calls[number].call(gpr);
}
