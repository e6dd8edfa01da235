/* SPDX-License-Identifier: Apache-2.0 */
/* Formats of lines: valgrind's lackey, and dumps of page tables. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/import_format.h"

#define LINE 256

/* Cuts a hexadecimal number off the text at *p; false: none. */
static bool hex(const char **p, u64 *value)
{
	char *end;

	if (!strchr("0123456789abcdefABCDEF", **p) || !**p)
		return false;
	errno = 0;
	*value = strtoull(*p, &end, 16);
	*p = end;
	return !errno;
}

/* "L 1ffeffe7e0,8", without what stands before. */
static bool parse_lackey(const char *p, char *what, u64 *addr, u64 *bytes)
{
	char *end;

	*what = *p++;
	p += strspn(p, " ");
	if (!strchr("ILSM", *what) || !hex(&p, addr) || *p++ != ',' ||
	    *p < '0' || *p > '9')
		return false;
	*bytes = strtoull(p, &end, 10);
	return !*end && *bytes;
}

/* Instructions come before their accesses. Only data is recorded, as by the
 * other ways to make traces. */
static bool add_lackey(struct import *im, char what, u64 addr, u64 bytes)
{
	bool more = true;

	if (what == 'I')
		im->since++;
	if (what == 'L' || what == 'M')
		more = import_access(im, NBT_LOAD, addr, bytes);
	if (more && (what == 'S' || what == 'M'))
		more = import_access(im, NBT_STORE, addr, bytes);
	return more;
}

static int run_lackey(struct import *im)
{
	char line[LINE], what;
	u64 addr, bytes;
	int more;

	while ((more = import_line(im, line, sizeof(line))) > 0) {
		if (!strncmp(line, "==", 2) || !line[0])
			continue; /* valgrind's own */
		if (!parse_lackey(line + (line[0] == ' '), &what, &addr,
				  &bytes))
			return import_bad(im, "not lackey's 'I', ' L', ' S' or "
					      "' M' ADDRESS,SIZE");
		if (!add_lackey(im, what, addr, bytes))
			break;
	}
	return more < 0 ? -1 : 0;
}

/* Columns of a dump: address, its four entries from the root on, frame. */
enum { VA, PE1, PE2, PE3, PE4, PA, COLUMNS };

static bool parse_row(const char *p, u64 row[COLUMNS])
{
	for (int i = 0; i < COLUMNS; i++) {
		p += strspn(p, " ");
		if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
			p += 2;
		if (!hex(&p, &row[i]) || (i < PA && *p++ != ','))
			return false;
	}
	p += strspn(p, " ");
	return !*p;
}

/* What replays the table itself needs its entries, too. The root's changes
 * every 512 GiB: it is in the text where it does. */
static void put_entries(struct import *im, const u64 row[COLUMNS], u64 *root)
{
	char text[32] = "";
	struct nbt_event e = {
		.type = NBT_TOUCH,
		.arg = {row[VA], row[PE2], row[PE3], row[PE4]},
	};

	if (row[PE1] != *root) {
		snprintf(text, sizeof(text), "%llx",
			 (unsigned long long)row[PE1]);
		e.text = text;
		*root = row[PE1];
	}
	nbt_put_event(im->w, &e);
}

/* A table is no trace: what comes out touches each of its pages once, in its
 * order. */
static int run_table(struct import *im)
{
	u64 row[COLUMNS], root = ~0ull;
	char line[LINE];
	int more;

	while ((more = import_line(im, line, sizeof(line))) > 0) {
		if (im->record == 1 && !strncmp(line, "VA", 2))
			continue;
		if (!parse_row(line, row))
			return import_bad(im, "not VA,PE1,PE2,PE3,PE4,PA, in "
					      "hexadecimal");
		put_entries(im, row, &root);
		im->since = 1;
		if (!import_physical(im, row[VA], row[PA]))
			break;
	}
	return more < 0 ? -1 : 0;
}

const struct import_format import_lackey = {"lackey", "line", run_lackey};
const struct import_format import_table = {"table", "line", run_table};
