/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target for the importers. The first byte of an input chooses the format,
 * the rest is the file. Besides what the sanitizers see, it stops where a trace
 * comes out that cannot be read, or an error without its one line.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/import.h"
#include "lib/nbt/nbt.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void require(bool true_thing)
{
	if (!true_thing)
		abort();
}

static void check_trace(const char *path)
{
	struct err err;
	struct nbt_reader *r = nbt_open(path, &err);
	struct nbt_block *b = nbt_block_new();

	require(r && b && nbt_info(r)->complete && nbt_info(r)->accesses);
	for (size_t i = 0; i < nbt_blocks(r); i++)
		require(nbt_read(r, i, b, &err) == 0);
	nbt_block_free(b);
	nbt_close(r);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const struct capture_limits all;
	char in[64], out[64];
	struct err err = {""};
	size_t formats = 0;
	int fd;

	if (!size)
		return 0;
	while (import_formats[formats])
		formats++;
	require(formats > 0);
	fd = memfd_create("in", MFD_CLOEXEC);
	require(fd >= 0 &&
		write(fd, data + 1, size - 1) == (ssize_t)(size - 1));
	snprintf(in, sizeof(in), "/proc/self/fd/%d", fd);
	snprintf(out, sizeof(out), "/dev/shm/fuzz-import-%d", (int)getpid());
	if (import_trace(import_formats[data[0] % formats], in, out, &all,
			 &err) == 0) {
		check_trace(out);
		require(unlink(out) == 0);
	} else {
		require(err.text[0] && !strchr(err.text, '\n'));
		require(access(out, F_OK) != 0);
	}
	close(fd);
	return 0;
}
