/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "capture/import_format.h"

static const struct import_format *const formats[] = {
	&import_champsim, &import_lackey, &import_drmemtrace,
	&import_raw,	  &import_table,
};

const char *const import_formats[] = {"champsim", "lackey", "drmemtrace",
				      "raw",	  "table",  NULL};

int import_bad(struct import *im, const char *what)
{
	return err_set(im->err, "%s: %s %" PRIu64 ": %s", im->path, im->unit,
		       im->record, what);
}

static u8 kind_of(enum nbt_access what, u64 bytes)
{
	unsigned log2 = 0;

	while (log2 < 7 && bytes > 1ull << log2)
		log2++;
	return NBT_KIND(what, log2);
}

/* True if the access is one that gets into the trace. */
static bool wanted(struct import *im)
{
	if (limits_take(im->limits, &im->state))
		return true;
	im->since = 0;
	return false;
}

static bool enough(const struct import *im)
{
	return limits_reached(im->limits, &im->state) || nbt_failed(im->w);
}

bool import_access(struct import *im, enum nbt_access what, u64 addr, u64 bytes)
{
	if (!wanted(im))
		return true;
	nbt_add(im->w, addr, kind_of(what, bytes), im->since);
	im->since = 0;
	return !enough(im);
}

bool import_physical(struct import *im, u64 addr, u64 pa)
{
	if (!wanted(im))
		return true;
	nbt_add_physical(im->w, addr, pa, NBT_KIND(NBT_LOAD, 3), im->since);
	im->since = 0;
	return !enough(im);
}

/* At the input's end. */
static int ended(struct import *im)
{
	const char *error = input_error(im->in);

	return error ? import_bad(im, error) : 0;
}

int import_next(struct import *im, void *record, size_t size)
{
	size_t n;

	im->record++;
	n = input_read(im->in, record, size);
	if (n == size)
		return 1;
	if (input_error(im->in) || !n)
		return ended(im);
	return import_bad(im, "cut off");
}

int import_line(struct import *im, char *line, size_t size)
{
	size_t n;

	im->record++;
	if (!input_line(im->in, line, size, &n) || input_error(im->in))
		return ended(im);
	if (n == size)
		return import_bad(im, "too long");
	if (strlen(line) != n)
		return import_bad(im, "not text");
	return 1;
}

static void describe(struct nbt_info *info, const char *format,
		     const char *path, enum nbt_codec codec)
{
	const char *name = strrchr(path, '/');

	*info = (struct nbt_info){.codec = codec};
	snprintf(info->program, sizeof(info->program), "%s",
		 name ? name + 1 : path);
	snprintf(info->source, sizeof(info->source), "import %s", format);
}

static int run(const struct import_format *format, struct import *im,
	       const char *out)
{
	struct nbt_info info;

	describe(&info, format->name, im->path, im->limits->codec);
	im->w = nbt_create(out, &info, im->err);
	if (!im->w)
		return -1;
	if (format->run(im) == 0) {
		if (nbt_written(im->w) || nbt_failed(im->w))
			return nbt_finish(im->w, im->err);
		err_set(im->err, "%s: no accesses in it%s", im->path,
			im->state.seen ? ": none that is to be recorded" : "");
	}
	nbt_abandon(im->w);
	return -1;
}

int import_trace(const char *format, const char *path, const char *out,
		 const struct capture_limits *limits, struct err *err)
{
	struct import im = {.limits = limits, .err = err, .path = path};
	int result;

	if (strcmp(path, "-") == 0)
		im.path = "stdin";
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (strcmp(format, formats[i]->name) != 0)
			continue;
		im.in = input_open(path, err);
		if (!im.in)
			return -1;
		im.unit = formats[i]->unit;
		result = run(formats[i], &im, out);
		input_close(im.in);
		return result;
	}
	return err_set(err,
		       "unknown trace format '%s': champsim, lackey, "
		       "drmemtrace, raw or table",
		       format);
}
