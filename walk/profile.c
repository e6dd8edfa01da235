/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: from INI text to checked numbers. What a file consists of is the
 * table `fields`; its keys are all there or the section says "entries = 0". */
#include "walk/profile.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "walk/profiles/embedded.h"

#define FILE_MAX   (64 << 10)
#define CYCLES_MAX 10000
#define LINE_BYTES (1u << LINE_SHIFT)

enum kind { NUMBER, BYTES, BOOL, POLICY, REAL, TEXT };

struct field {
	const char *section, *key;
	size_t at;
	enum kind kind;
	u32 min, max; /* of TEXT: max = the buffer */
};

#define AT(member) offsetof(struct profile, member)
#define OF(member) offsetof(struct geometry, member)
#define GEOMETRY(section, at)                                               \
	{section, "entries", (at) + OF(entries), NUMBER, 0, 1 << 20},       \
		{section, "ways", (at) + OF(ways), NUMBER, 1, ASSOC_WAYS},  \
		{section, "policy", (at) + OF(policy), POLICY, 0, 0},       \
	{                                                                   \
		section, "cycles", (at) + OF(cycles), NUMBER, 0, CYCLES_MAX \
	}
#define CACHE(section, at)                                                  \
	{section, "size", (at) + OF(entries), BYTES, LINE_BYTES, 1u << 31}, \
		{section, "ways", (at) + OF(ways), NUMBER, 1, ASSOC_WAYS},  \
		{section, "policy", (at) + OF(policy), POLICY, 0, 0},       \
	{                                                                   \
		section, "cycles", (at) + OF(cycles), NUMBER, 0, CYCLES_MAX \
	}

static const struct field fields[] = {
	{"machine", "name", AT(name), TEXT, 0,
	 sizeof(((struct profile *)0)->name)},
	{"machine", "source", AT(source), TEXT, 0,
	 sizeof(((struct profile *)0)->source)},
	{"machine", "levels", AT(levels), NUMBER, 4, 5},
	{"machine", "cores", AT(cores), NUMBER, 1, 256},
	{"machine", "walkers", AT(walkers), NUMBER, 1, 64},
	{"machine", "asids", AT(asids), BOOL, 0, 0},
	{"machine", "memory_cycles", AT(memory_cycles), NUMBER, 1, CYCLES_MAX},
	{"machine", "pte_entry", AT(pte_entry), NUMBER, ENTRY_L1, ENTRY_L3},
	{"machine", "cpi", AT(cpi), REAL, 0, 0},
	{"machine", "exit_cycles", AT(exit_cycles), NUMBER, 0, 1000000},
	{"machine", "npt_exit_cycles", AT(npt_exit_cycles), NUMBER, 0, 1000000},
	GEOMETRY("itlb.4k", AT(itlb[SIZE_4K])),
	GEOMETRY("itlb.2m", AT(itlb[SIZE_2M])),
	GEOMETRY("itlb.1g", AT(itlb[SIZE_1G])),
	GEOMETRY("dtlb.4k", AT(dtlb[SIZE_4K])),
	GEOMETRY("dtlb.2m", AT(dtlb[SIZE_2M])),
	GEOMETRY("dtlb.1g", AT(dtlb[SIZE_1G])),
	GEOMETRY("stlb.4k", AT(stlb[SIZE_4K])),
	GEOMETRY("stlb.2m", AT(stlb[SIZE_2M])),
	{"stlb.2m", "shared", AT(stlb_shared[SIZE_2M]), BOOL, 0, 0},
	GEOMETRY("stlb.1g", AT(stlb[SIZE_1G])),
	{"stlb.1g", "shared", AT(stlb_shared[SIZE_1G]), BOOL, 0, 0},
	GEOMETRY("pwc.2", AT(pwc[0])),
	GEOMETRY("pwc.3", AT(pwc[1])),
	GEOMETRY("pwc.4", AT(pwc[2])),
	GEOMETRY("pwc.5", AT(pwc[3])),
	GEOMETRY("npwc.2", AT(npwc[0])),
	GEOMETRY("npwc.3", AT(npwc[1])),
	GEOMETRY("npwc.4", AT(npwc[2])),
	GEOMETRY("npwc.5", AT(npwc[3])),
	GEOMETRY("ntlb", AT(ntlb)),
	CACHE("l1i", AT(l1i)),
	CACHE("l1d", AT(l1d)),
	CACHE("l2", AT(l2)),
	CACHE("l3", AT(l3)),
	{"l3", "inclusive", AT(l3_inclusive), BOOL, 0, 0},
};

static const char *const policy_name[POLICIES] = {"lru", "plru", "lfu",
						  "srrip"};

/* One file being read. */
struct reading {
	struct profile *p;
	const char *file;
	bool seen[ARRAY_SIZE(fields)];
	bool failed;
	struct err *err;
};

static const struct field *find_field(const char *section, const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!strcmp(fields[i].section, section) &&
		    !strcmp(fields[i].key, key))
			return &fields[i];
	return NULL;
}

/* A number, of bytes with K or M behind it. */
static int read_number(const struct field *f, const char *text, u32 *out)
{
	char *end;
	u64 value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (end == text || text[0] == '-' || errno)
		return -1;
	if (f->kind == BYTES && (*end == 'K' || *end == 'M'))
		value <<= *end++ == 'K' ? 10 : 20;
	if (*end || value < f->min || value > f->max)
		return -1;
	if (f->kind == BYTES && value % LINE_BYTES)
		return -1;
	*out = (u32)(f->kind == BYTES ? value / LINE_BYTES : value);
	return 0;
}

static int read_real(const char *text, double *out)
{
	char *end;

	*out = strtod(text, &end);
	return end == text || *end || !(*out > 0 && *out <= 100) ? -1 : 0;
}

static int read_policy(const char *text, enum policy *out)
{
	for (int i = 0; i < POLICIES; i++)
		if (!strcmp(text, policy_name[i])) {
			*out = (enum policy)i;
			return 0;
		}
	return -1;
}

static int read_value(struct profile *p, const struct field *f,
		      const char *text)
{
	void *at = (char *)p + f->at;
	size_t length = strlen(text);

	switch (f->kind) {
	case NUMBER:
	case BYTES:
		return read_number(f, text, at);
	case REAL:
		return read_real(text, at);
	case POLICY:
		return read_policy(text, at);
	case BOOL:
		*(bool *)at = !strcmp(text, "yes");
		return !strcmp(text, "yes") || !strcmp(text, "no") ? 0 : -1;
	case TEXT:
		if (!length || length >= f->max)
			return -1;
		memcpy(at, text, length + 1);
		return 0;
	}
	return -1;
}

/* What a value may be, for the error that says that it is something else. */
static void describe(const struct field *f, char text[80])
{
	static const char *const words[] = {
		[BOOL] = "yes or no",
		[POLICY] = "lru, plru, lfu or srrip",
		[REAL] = "a number above 0, up to 100",
		[TEXT] = "a short text",
	};

	if (f->kind == NUMBER)
		snprintf(text, 80, "a number from %u to %u", f->min, f->max);
	else if (f->kind == BYTES)
		snprintf(text, 80, "a size such as 32K, a multiple of %u bytes",
			 LINE_BYTES);
	else
		snprintf(text, 80, "%s", words[f->kind]);
}

/* libinih's callback: 1 = go on. The first error is the one that is told. */
static int on_value(void *ctx, const char *section, const char *key,
		    const char *value)
{
	struct reading *r = ctx;
	const struct field *f = find_field(section, key);
	char what[80];

	if (r->failed)
		return 0;
	if (f && !r->seen[f - fields] && !read_value(r->p, f, value)) {
		r->seen[f - fields] = true;
		return 1;
	}
	r->failed = true;
	if (!f) {
		err_set(r->err, "%s: unknown key '%s' in [%s]", r->file, key,
			section);
	} else if (r->seen[f - fields]) {
		err_set(r->err, "%s: '%s' stands twice in [%s]", r->file, key,
			section);
	} else {
		describe(f, what);
		err_set(r->err, "%s: [%s] %s = '%s' is not %s", r->file,
			section, key, value, what);
	}
	return 0;
}

/* True if the section of @f says "entries = 0" or "shared = yes": it needs no
 * other key. */
static bool is_off(const struct reading *r, const struct field *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const char *at = (const char *)r->p + fields[i].at;

		if (strcmp(fields[i].section, f->section) != 0 || !r->seen[i])
			continue;
		if (!strcmp(fields[i].key, "entries") && !*(const u32 *)at)
			return true;
		if (!strcmp(fields[i].key, "shared") && *(const bool *)at)
			return true;
	}
	return false;
}

static int check_complete(const struct reading *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!r->seen[i] && !is_off(r, &fields[i]) &&
		    strcmp(fields[i].key, "shared") != 0)
			return err_set(r->err, "%s: '%s' is missing in [%s]",
				       r->file, fields[i].key,
				       fields[i].section);
	return 0;
}

int profile_parse(struct profile *p, const char *file, const char *text,
		  struct err *err)
{
	struct reading r = {.p = p, .file = file, .err = err};
	struct err why;
	int line;

	memset(p, 0, sizeof(*p));
	line = ini_parse_string(text, on_value, &r);
	if (r.failed)
		return -1;
	if (line)
		return err_set(err, "%s: line %d is not 'key = value'", file,
			       line);
	if (check_complete(&r))
		return -1;
	if (profile_check(p, &why))
		return err_set(err, "%s: %.400s", file, why.text);
	return 0;
}

static int check_geometry(const char *what, const struct geometry *g,
			  struct err *err)
{
	const char *refusal;

	if (!g->entries)
		return 0;
	if (!g->ways || g->entries % g->ways)
		return err_set(err,
			       "%s: %u entries are not a multiple of "
			       "%u ways",
			       what, g->entries, g->ways);
	refusal = assoc_refusal(g->entries / g->ways, g->ways, g->policy);
	if (refusal)
		return err_set(err, "%s: %u entries in %u ways: %s", what,
			       g->entries, g->ways, refusal);
	return 0;
}

/* Tags have 32 bits: so many sets does a cache need that the others of a
 * line's number go into one. */
static int check_cache(const char *what, const struct geometry *g,
		       struct err *err)
{
	u32 sets_min = 1u << (PA_BITS - LINE_SHIFT - 32);

	if (!g->entries)
		return err_set(err, "%s: a cache has at least one line", what);
	if (check_geometry(what, g, err))
		return -1;
	if (g->entries / g->ways < sets_min)
		return err_set(err, "%s: fewer than %u sets", what, sets_min);
	return 0;
}

static int check_tlbs(const struct profile *p, struct err *err)
{
	static const char *const size[PAGE_SIZES] = {"4k", "2m", "1g"};
	const struct {
		const char *name;
		const struct geometry *g;
	} kind[] = {{"itlb", p->itlb}, {"dtlb", p->dtlb}, {"stlb", p->stlb}};
	char what[32];

	for (size_t k = 0; k < ARRAY_SIZE(kind); k++)
		for (int s = 0; s < PAGE_SIZES; s++) {
			snprintf(what, sizeof(what), "%s.%s", kind[k].name,
				 size[s]);
			if (check_geometry(what, &kind[k].g[s], err))
				return -1;
		}
	return 0;
}

static int check_pwcs(const struct profile *p, struct err *err)
{
	char what[32];

	for (int i = 0; i < PWC_LEVELS; i++) {
		snprintf(what, sizeof(what), "pwc.%d", i + 2);
		if (check_geometry(what, &p->pwc[i], err))
			return -1;
		snprintf(what, sizeof(what), "npwc.%d", i + 2);
		if (check_geometry(what, &p->npwc[i], err))
			return -1;
	}
	return check_geometry("ntlb", &p->ntlb, err);
}

int profile_check(const struct profile *p, struct err *err)
{
	if (check_tlbs(p, err) || check_pwcs(p, err) ||
	    check_cache("l1i", &p->l1i, err) ||
	    check_cache("l1d", &p->l1d, err) ||
	    check_cache("l2", &p->l2, err) || check_cache("l3", &p->l3, err))
		return -1;
	if (p->l1d.cycles > p->l2.cycles || p->l2.cycles > p->l3.cycles ||
	    p->l3.cycles > p->memory_cycles)
		return err_set(err, "a cache is slower than the one below it");
	return 0;
}

const char *profile_name(size_t i)
{
	return embedded_profiles[i].name;
}

static int unknown(const char *name, struct err *err)
{
	char known[256] = "";

	for (const struct embedded *e = embedded_profiles; e->name; e++) {
		strncat(known, *known ? ", " : "", 3);
		strncat(known, e->name, sizeof(known) / 4);
	}
	return err_set(err,
		       "unknown profile '%.100s': there are %s, or give "
		       "a file",
		       name, known);
}

static int load_file(struct profile *p, const char *path, struct err *err)
{
	FILE *f = fopen(path, "re");
	char *text = calloc(1, FILE_MAX + 1);
	size_t size = 0;
	int status = -1;

	if (!f || !text)
		err_set(err, "cannot open %s: %s", path, strerror(errno));
	else if ((size = fread(text, 1, FILE_MAX, f)) == FILE_MAX || ferror(f))
		err_set(err, "%s: not a profile", path);
	else if (strlen(text) != size)
		err_set(err, "%s: not a text file", path);
	else
		status = profile_parse(p, path, text, err);
	if (f)
		(void)fclose(f);
	free(text);
	return status;
}

int profile_load(struct profile *p, const char *name, struct err *err)
{
	if (strpbrk(name, "/."))
		return load_file(p, name, err);
	for (const struct embedded *e = embedded_profiles; e->name; e++)
		if (!strcmp(e->name, name))
			return profile_parse(p, name, e->text, err);
	return unknown(name, err);
}
