/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/maps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A hexadecimal number that @behind follows; *at moves behind both. */
static bool take_hex(const char **at, char behind, u64 *value)
{
	char *end;

	errno = 0;
	*value = strtoull(*at, &end, 16);
	if (end == *at || *end != behind || errno)
		return false;
	*at = end + 1;
	return true;
}

/* "from-to prot offset dev inode path" */
bool maps_parse(const char *line, struct maps_line *m)
{
	int offset = 0, path = 0;

	*m = (struct maps_line){0};
	if (!take_hex(&line, '-', &m->from) || !take_hex(&line, ' ', &m->to) ||
	    sscanf(line, "%4s %n", m->prot, &offset) < 1)
		return false;
	line += offset;
	if (!take_hex(&line, ' ', &m->offset))
		return false;
	(void)sscanf(line, "%*s %*s %n", &path);
	m->path = path ? line + path : "";
	m->path_len = strcspn(m->path, "\n");
	return true;
}
