/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/maps.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/maps.h"

/* Lines ********************************************************************/

bool mapping_parse(const char *line, struct mapping *m)
{
	struct maps_line l;

	if (!maps_parse(line, &l))
		return false;
	m->from = l.from;
	m->to = l.to;
	m->offset = l.offset;
	m->prot = (l.prot[0] == 'r' ? PROT_READ : 0) |
		  (l.prot[1] == 'w' ? PROT_WRITE : 0) |
		  (l.prot[2] == 'x' ? PROT_EXEC : 0);
	m->flags = l.prot[3] == 's' ? MAP_SHARED : MAP_PRIVATE;
	snprintf(m->path, sizeof(m->path), "%.*s", (int)l.path_len, l.path);
	if (m->path[0] != '/')
		m->flags |= MAP_ANONYMOUS;
	return true;
}

bool mapping_is_own(const struct mapping *m)
{
	return !(m->from >> 63) &&
	       strncmp(m->path, "/memfd:nestbox-ring", 19) != 0;
}

/* Lists ********************************************************************/

void maps_free(struct maps *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->v[i].path);
	free(m->v);
	*m = (struct maps){0};
}

static char *copy_text(const char *text)
{
	return text && *text ? strdup(text) : NULL;
}

/* Room for another one at @at; NULL: no memory. */
static struct maps_range *insert(struct maps *m, size_t at)
{
	struct maps_range *v = realloc(m->v, (m->n + 1) * sizeof(*v));

	if (!v)
		return NULL;
	memmove(v + at + 1, v + at, (m->n - at) * sizeof(*v));
	m->v = v;
	m->n++;
	return v + at;
}

void maps_copy(struct maps *to, const struct maps *from)
{
	for (size_t i = 0; i < from->n; i++) {
		struct maps_range *r = insert(to, i);

		if (!r)
			return;
		*r = from->v[i];
		r->path = copy_text(from->v[i].path);
	}
}

/* The first one that ends behind @addr. */
static size_t find(const struct maps *m, u64 addr)
{
	size_t from = 0, to = m->n;

	while (from < to) {
		size_t middle = (from + to) / 2;

		if (m->v[middle].to > addr)
			to = middle;
		else
			from = middle + 1;
	}
	return from;
}

bool maps_search(struct maps *m, u64 addr)
{
	size_t i = find(m, addr);

	if (i == m->n || addr < m->v[i].from)
		return false;
	m->from = m->v[i].from;
	m->size = m->v[i].to - m->from;
	return true;
}

static void add(struct maps *m, struct maps_range r, const char *path)
{
	struct maps_range *to = insert(m, find(m, r.from));

	if (!to)
		return;
	*to = r;
	to->path = copy_text(path);
}

void maps_add(struct maps *m, const struct nbt_event *e)
{
	add(m,
	    (struct maps_range){
		    .from = e->arg[0],
		    .to = e->arg[0] + e->arg[1],
		    .prot = (int)e->arg[2],
		    .flags = (int)e->arg[3],
	    },
	    e->text);
}

static void read_all(struct maps *m, FILE *f)
{
	struct mapping line;
	char text[MAPS_PATH + 128];

	while (fgets(text, sizeof(text), f))
		if (mapping_parse(text, &line) && mapping_is_own(&line))
			add(m,
			    (struct maps_range){
				    .from = line.from,
				    .to = line.to,
				    .prot = line.prot,
				    .flags = line.flags,
			    },
			    line.path);
}

/* Differences **************************************************************/

static bool is_same_object(const struct maps_range *a,
			   const struct maps_range *b)
{
	return a->flags == b->flags && !a->path == !b->path &&
	       (!a->path || !strcmp(a->path, b->path));
}

/* What happened to a piece that was of @old and is of @new; NULL: of none.
 * Returns whether @e says so. */
static bool compare(const struct maps_range *old, const struct maps_range *new,
		    struct nbt_event *e)
{
	if (new && (!old || !is_same_object(old, new))) {
		e->type = NBT_MAP;
		e->arg[2] = (u64) new->prot;
		e->arg[3] = (u64) new->flags;
		e->text = new->path;
		return true;
	}
	if (!new)
		e->type = NBT_UNMAP;
	else
		e->type = NBT_PROTECT;
	e->arg[2] = new ? (u64) new->prot : 0;
	return old && (!new || old->prot != new->prot);
}

/* The range that has @at, and the nearest edge of one behind @at. */
static const struct maps_range *range_at(const struct maps *m, u64 at,
					 u64 *edge)
{
	size_t i = find(m, at);
	const struct maps_range *r = i < m->n ? &m->v[i] : NULL;
	bool inside = r && r->from <= at;
	u64 end = !r ? ~0ull : inside ? r->to : r->from;

	if (end < *edge)
		*edge = end;
	return inside ? r : NULL;
}

bool maps_update(struct maps *m, FILE *f,
		 void (*put)(void *data, const struct nbt_event *e), void *data)
{
	struct maps now = {0};
	bool any = false;
	u64 edge;

	read_all(&now, f);
	if (!now.n)
		return false;
	for (u64 at = 0; at != ~0ull; at = edge) {
		struct nbt_event e = {.arg = {at}};
		const struct maps_range *old, *new;

		edge = ~0ull;
		old = range_at(m, at, &edge);
		new = range_at(&now, at, &edge);
		e.arg[1] = edge - at;
		if (!compare(old, new, &e))
			continue;
		put(data, &e);
		any = true;
	}
	maps_free(m);
	*m = now;
	return any;
}
