/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab/run.h"

/* Where a PC of QEMU's is switched off: ACPI's PM1a control register with
 * SLP_EN, and the device by which a payload gives its status. */
#define ENDS ",end=604/2000,end=f4/0"

int measure_attach(struct spec *s, const struct cache *c, const char *out,
		   struct err *err)
{
	char *path;

	if (cache_emulator_number(c) < PLUGIN_QEMU)
		return err_set(err,
			       "measuring needs QEMU 9.1 or later, this is %s: "
			       "unset NESTBOX_QEMU and run `make images`",
			       c->emulator_version);
	path = built_path("switchcount.so");
	args_add(&s->plugin, "-plugin");
	args_addf(&s->plugin, "%s,out=%s%s%s" ENDS, path, out,
		  *c->tick ? ",tick=" : "", c->tick);
	free(path);
	return 0;
}

static char *read_text(int fd, struct err *err)
{
	struct stat st;
	char *text = NULL;

	if (!fstat(fd, &st))
		text = calloc(1, (size_t)st.st_size + 1);
	if (!text || pread(fd, text, (size_t)st.st_size, 0) != st.st_size) {
		err_set(err, "cannot read the instrument's output");
		free(text);
		return NULL;
	}
	return text;
}

static int run_payload(const struct spec *s, const struct cache *c,
		       char **serial, struct err *err)
{
	struct run_output out = {0};
	size_t size;
	int status = 0, result;

	out.serial = open_memstream(serial, &size);
	if (!out.serial)
		return err_set(err, "out of memory");
	result = run_stack(s, c, &out, &status, err);
	(void)fclose(out.serial);
	if (!result && status)
		result = err_set(err, "the payload ended with status %d: %s",
				 status, *serial);
	return result;
}

int measure(struct spec *s, const struct cache *c, struct counts *counts,
	    char **serial, struct err *err)
{
	int out = memfd_create("counts", 0), result;
	char *text = NULL, path[32];

	*serial = NULL;
	if (out < 0)
		return err_set(err, "memfd: %s", strerror(errno));
	snprintf(path, sizeof(path), "/dev/fd/%d", out);
	result = measure_attach(s, c, path, err);
	if (!result)
		result = run_payload(s, c, serial, err);
	if (!result && !(text = read_text(out, err)))
		result = -1;
	if (!result)
		result = counts_parse(counts, text, err);
	free(text);
	args_free(&s->plugin);
	close(out);
	return result;
}
