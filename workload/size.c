/* SPDX-License-Identifier: Apache-2.0 */
#include "workload/size.h"

#include <stdlib.h>
#include <string.h>

bool size_parse(const char *text, u64 *bytes)
{
	static const char units[] = "kmgt";
	char *end;
	const char *unit;
	double n;

	if (*text < '0' || *text > '9')
		return false;
	n = strtod(text, &end);
	unit = *end ? strchr(units, *end | 0x20) : NULL;
	if (unit) {
		n *= (double)(1ull << 10 * (unit - units + 1));
		end++;
	}
	if (*end || n >= 0x1p56)
		return false;
	*bytes = (u64)n;
	return true;
}
