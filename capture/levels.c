/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/levels.h"

const char *const cause_name[CAUSES] = {
	[CAUSE_NONE] = "none",	     [CAUSE_OTHER] = "other",
	[CAUSE_REFLECT] = "reflect", [CAUSE_VMRUN] = "vmrun",
	[CAUSE_VMLOAD] = "vmload",   [CAUSE_VMSAVE] = "vmsave",
	[CAUSE_STGI] = "stgi",	     [CAUSE_CLGI] = "clgi",
	[CAUSE_INVLPGA] = "invlpga",
};

/* VMMCALL and SKINIT are exits like any other. */
static const enum cause cause_of[SVM_INSNS + 1] = {
	[SVM_VMRUN] = CAUSE_VMRUN,   [SVM_VMMCALL] = CAUSE_OTHER,
	[SVM_VMLOAD] = CAUSE_VMLOAD, [SVM_VMSAVE] = CAUSE_VMSAVE,
	[SVM_STGI] = CAUSE_STGI,     [SVM_CLGI] = CAUSE_CLGI,
	[SVM_SKINIT] = CAUSE_OTHER,  [SVM_INVLPGA] = CAUSE_INVLPGA,
	[SVM_NONE] = CAUSE_OTHER,
};

/* Counts the instructions up to and including number @upto. */
static void attribute(struct level_cpu *c, u64 upto)
{
	u64 insns = upto - c->since;

	c->counts.insns[c->level] += insns;
	if (c->level == 0)
		c->episode_insns += insns;
	c->since = upto;
}

/* The level that runs when L0 resumes a guest: the innermost one entered. */
static int guest_level(const struct level_cpu *c)
{
	int level = 1;

	while (level < LEVELS - 1 && c->in_guest[level])
		level++;
	return level;
}

/* An episode ends when it is known whether a higher level saw the exit. */
static void close_episode(struct level_cpu *c, bool reflected)
{
	if (!c->episode_closed)
		return;
	if (reflected && c->cause == CAUSE_OTHER)
		c->cause = CAUSE_REFLECT;
	c->counts.cause_count[c->cause]++;
	c->counts.cause_insns[c->cause] += c->episode_insns;
	c->episode_insns = 0;
	c->episode_closed = false;
}

/* A site's level is that of the code that first executes it; later it tells
 * where the CPU is, should the inference have gone astray. */
static void resolve_level(struct level_cpu *c, struct site *site)
{
	if (site->level < 0)
		site->level = c->level;
	if (c->level == 0 || site->level == 0 || c->level == site->level)
		return;
	c->level = site->level;
	for (int i = 1; i < site->level; i++)
		c->in_guest[i] = true;
	c->in_guest[site->level] = false;
}

static void enter_guest(struct level_cpu *c, u64 now)
{
	c->counts.vmruns[0]++;
	c->episode_closed = true;
	c->entered = now;
	c->trapped = SVM_NONE;
	c->level = guest_level(c);
}

void levels_insn(struct level_cpu *c, struct site *site, u64 now)
{
	close_episode(c, false);
	attribute(c, now);
	resolve_level(c, site);
	site->count++;
	if (c->level == 1) {
		c->trapped = site->insn;
		c->trapped_at = now;
	}
	if (site->insn != SVM_VMRUN)
		return;
	if (c->level == 0) {
		enter_guest(c, now);
		return;
	}
	c->counts.vmruns[c->level]++;
	c->in_guest[c->level] = true;
}

/* #VMEXIT: the instruction before @now was the guest's last. */
static void leave_guest(struct level_cpu *c, u64 now)
{
	bool trap = c->trapped != SVM_NONE && c->trapped_at == now - 1;

	close_episode(c, false);
	attribute(c, now - 1);
	c->counts.exits[0]++;
	c->level = 0;
	c->cause = cause_of[trap ? c->trapped : SVM_NONE];
}

void levels_behind(struct level_cpu *c, const struct site *site, u64 now)
{
	if (site->level == 0) {
		leave_guest(c, now);
		return;
	}
	close_episode(c, c->entered == now - 1);
	attribute(c, now - 1);
	if (c->in_guest[site->level]) /* else levels_carried() was told */
		c->counts.exits[site->level]++;
	for (int i = 1; i < site->level; i++)
		c->in_guest[i] = true;
	c->in_guest[site->level] = false;
	c->level = site->level;
}

void levels_carried(struct level_cpu *c, bool enter)
{
	int level = c->level + 1;

	if (level == LEVELS)
		return;
	c->in_guest[level] = enter;
	if (enter) {
		c->counts.vmruns[level]++;
		return;
	}
	c->counts.exits[level]++;
	if (c->level == 0 && c->cause == CAUSE_OTHER)
		c->cause = CAUSE_REFLECT;
}

void levels_tick(struct level_cpu *c, u64 now)
{
	attribute(c, now - 1);
	c->counts.ticks[c->level]++;
}

void levels_sync(struct level_cpu *c, u64 now)
{
	if (c->level > 0 && now > c->entered + 1)
		close_episode(c, false);
	attribute(c, now);
}
