/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces that other tools have written become .nbt files. For `nestbox capture
 * --import`. doc/importing.md says what each format has and what is lost.
 *
 * Input may be plain, gzip or xz, found by its first bytes; "-" is stdin. A
 * bad record, line or compressed stream ends the import with one line that
 * names its number; nothing stands under @out then.
 */
#pragma once

#include "capture/limits.h"
#include "lib/err.h"

/* @format: one of import_formats[]. Returns 0, or < 0 and *err. */
int import_trace(const char *format, const char *path, const char *out,
		 const struct capture_limits *limits, struct err *err);

/* NULL-ended: "champsim", "lackey", "drmemtrace", "raw", "table". */
extern const char *const import_formats[];
