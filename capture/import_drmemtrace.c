/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DynamoRIO's drmemtrace, in its final form: one file per thread, packed
 * records of 12 bytes, as its documentation ("Trace Format") and the header
 * that it names, trace_entry.h, have them.
 */
#include <stdlib.h>

#include "capture/import_format.h"

/* Records' types. Those left out are prefetches, flushes, encodings and exits
 * of threads, which do not matter here. */
enum {
	READ = 0,
	WRITE = 1,
	INSTR = 10,
	RETURN = 16, /* the last of those that follow INSTR */
	BUNDLE = 17,
	THREAD = 22,
	PID = 24,
	HEADER = 25,
	FOOTER = 26,
	MARKER = 28,
	SYSENTER = 31,
	TAKEN = 48,
	UNTAKEN = 49,
	TYPES
};

/* Markers' types, and what a file's type says. */
#define FILE_TYPE	  9
#define FILTERED	  0x181u
#define INSTRUCTIONS_ONLY 0x04u
#define NOT_64_BITS	  0x30u

struct entry {
	u16 type;
	u16 size; /* of a marker: its type */
	u64 addr;
} __attribute__((packed));
ASSERT_SIZE(entry, 12);

/* Numbers of threads or processes, in the order in which they appear. */
struct ids {
	u64 *id;
	size_t n;
	u16 now;
};

struct drmemtrace {
	struct import *im;
	struct ids thread, process;
	bool done;
};

static int use_id(struct import *im, struct ids *ids, u64 id)
{
	u64 *more;
	size_t i = 0;

	while (i < ids->n && ids->id[i] != id)
		i++;
	if (i == ids->n) {
		more = realloc(ids->id, (i + 1) * sizeof(*more));
		if (!more || i > 0xffff) {
			ids->id = more ? more : ids->id;
			return import_bad(im, "too many threads");
		}
		ids->id = more;
		ids->id[ids->n++] = id;
	}
	ids->now = (u16)i;
	return 0;
}

static int check_type(struct import *im, u64 type)
{
	if (type & NOT_64_BITS)
		return import_bad(im, "recorded on a machine of 32 bits");
	if (type & FILTERED)
		return import_bad(im, "filtered: accesses are missing");
	if (type & INSTRUCTIONS_ONLY)
		return import_bad(im, "has instructions only");
	return 0;
}

static bool is_instruction(u16 type)
{
	return (type >= INSTR && type <= RETURN) || type == SYSENTER ||
	       type == TAKEN || type == UNTAKEN;
}

static int use_entry(struct drmemtrace *d, const struct entry *e)
{
	struct import *im = d->im;

	if (e->type >= TYPES)
		return import_bad(im, "of a type that is not known");
	if (is_instruction(e->type))
		im->since++;
	if (e->type == BUNDLE)
		im->since += e->size;
	if (e->type == READ || e->type == WRITE)
		d->done = !import_access(im,
					 e->type == READ ? NBT_LOAD : NBT_STORE,
					 e->addr, e->size);
	if (e->type == FOOTER)
		d->done = true;
	if (e->type == MARKER && e->size == FILE_TYPE)
		return check_type(im, e->addr);
	if (e->type != THREAD && e->type != PID)
		return 0;
	if (use_id(im, e->type == PID ? &d->process : &d->thread, e->addr) < 0)
		return -1;
	nbt_thread(im->w, d->thread.now, d->process.now);
	return 0;
}

static int run_drmemtrace(struct import *im)
{
	struct drmemtrace d = {.im = im};
	struct entry e;
	int more;

	while (!d.done && (more = import_next(im, &e, sizeof(e))) > 0) {
		more = 0;
		if (im->record == 1 && e.type != HEADER)
			more = import_bad(im, "not drmemtrace's header; files "
					      "in raw/ have to be converted "
					      "by DynamoRIO first");
		if (more < 0 || use_entry(&d, &e) < 0) {
			more = -1;
			break;
		}
	}
	free(d.thread.id);
	free(d.process.id);
	return more < 0 ? -1 : 0;
}

const struct import_format import_drmemtrace = {"drmemtrace", "record",
						run_drmemtrace};
