/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void bench_die(const char *what)
{
	fprintf(stderr, "bench/%s: %s\n", program_invocation_short_name, what);
	exit(1);
}

void bench_write(const struct accesses *a, const struct nbt_info *info,
		 const char *path)
{
	struct err err = {""};
	struct nbt_writer *w = nbt_create(path, info, &err);

	if (!w)
		bench_die(err.text);
	for (size_t i = 0; i < a->n; i++)
		nbt_add(w, a->addr[i], a->kind[i], a->gap[i]);
	if (nbt_finish(w, &err) < 0)
		bench_die(err.text);
}

void bench_patterns(const char *only, size_t n, bench_measure *measure,
		    const void *ctx)
{
	char folder[] = "/dev/shm/nestbox-bench-XXXXXX", path[64];

	if (!mkdtemp(folder))
		bench_die("no folder in /dev/shm");
	snprintf(path, sizeof(path), "%s/t.nbt", folder);
	for (size_t i = 0; pattern_names[i]; i++) {
		struct accesses a;

		if (only && strcmp(only, pattern_names[i]) != 0)
			continue;
		if (pattern_make(pattern_names[i], n, &a) < 0)
			bench_die("no memory");
		measure(pattern_names[i], &a, path, ctx);
		accesses_free(&a);
	}
	(void)unlink(path);
	(void)rmdir(folder);
}
