/* SPDX-License-Identifier: Apache-2.0 */
#include "walk/walk.h"

#include <string.h>

#include "walk/core.h"
#include "walk/design.h"

const char *const env_name[ENVS] = {"native", "virt", "nested"};
const char *const pages_name[PAGES_MODES] = {"4k", "thp", "2m"};

static bool has_avx512(void)
{
	return __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512dq");
}

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}

static bool has_all(void)
{
	return true;
}

/* The builds of the core, the best first. */
static const struct isa {
	const char *name;
	bool (*works)(void);
	walk_core_fn *core;
} isas[] = {
	{"avx512", has_avx512, walk_core_avx512},
	{"avx2", has_avx2, walk_core_avx2},
	{"portable", has_all, walk_core_portable},
};

/* Set by walk_choose_isa() only, which tests call before anything runs. */
static const struct isa *chosen;

static const struct isa *best(void)
{
	const struct isa *i = isas;

	while (!i->works())
		i++;
	return i;
}

static const struct isa *isa(void)
{
	return chosen ? chosen : best();
}

const char *walk_isa(void)
{
	return isa()->name;
}

int walk_choose_isa(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(isas); i++)
		if (!strcmp(isas[i].name, name) && isas[i].works()) {
			chosen = &isas[i];
			return 0;
		}
	return -1;
}

const char *walk_refusal(const struct design *d, enum env env)
{
	return d->refused[env];
}

const struct design *walk_find_design(const char *name)
{
	for (size_t i = 0; walk_designs[i]; i++)
		if (!strcmp(walk_designs[i]->name, name))
			return walk_designs[i];
	return NULL;
}

int walk_run(const struct nbt_reader *r, const struct walk_spec *spec,
	     const struct walk_progress *progress, struct walk_stats *out,
	     struct err *err)
{
	const char *refusal = walk_refusal(spec->design, spec->env);

	memset(out, 0, sizeof(*out));
	if (refusal)
		return err_set(err, "%s does not run in %s: %s",
			       spec->design->name, env_name[spec->env],
			       refusal);
	return isa()->core(r, spec, progress, out, err);
}
