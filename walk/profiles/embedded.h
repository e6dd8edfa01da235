/* SPDX-License-Identifier: Apache-2.0 */
/* The profiles of this folder, as embedded.S makes them part of the program. */
#pragma once

struct embedded {
	const char *name;
	const char *text; /* of the INI file, ended by NUL */
};

/* Ended by one without a name. */
extern const struct embedded embedded_profiles[];
