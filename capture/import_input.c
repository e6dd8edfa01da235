/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/import_input.h"

#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define CHUNK (1u << 16)

struct input {
	int fd;
	bool ended;	   /* read() has */
	const char *error; /* NULL: none */
	/* Decompresses from @stored to @bytes; 0 bytes = the end. */
	size_t (*fill)(struct input *in);
	u8 stored[CHUNK];
	size_t stored_n;
	u8 bytes[CHUNK];
	size_t at, n;
	lzma_stream xz;
	z_stream gz;
	bool gz_between; /* members of a gzip file */
};

/* More of the file into @stored, which is empty. */
static void load(struct input *in)
{
	while (!in->ended && !in->stored_n) {
		ssize_t n = read(in->fd, in->stored, CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			in->error = strerror(errno);
		in->ended = n <= 0;
		in->stored_n = n > 0 ? (size_t)n : 0;
	}
}

static size_t fill_plain(struct input *in)
{
	size_t n;

	load(in);
	n = in->stored_n;
	memcpy(in->bytes, in->stored, n);
	in->stored_n = 0;
	return n;
}

static size_t fill_xz(struct input *in)
{
	lzma_ret result = LZMA_OK;

	in->xz.next_out = in->bytes;
	in->xz.avail_out = CHUNK;
	while (result == LZMA_OK && in->xz.avail_out == CHUNK) {
		if (!in->xz.avail_in) {
			in->stored_n = 0;
			load(in);
			in->xz.next_in = in->stored;
			in->xz.avail_in = in->stored_n;
		}
		result = lzma_code(&in->xz, in->ended ? LZMA_FINISH : LZMA_RUN);
	}
	if (result == LZMA_BUF_ERROR)
		in->error = "the xz stream is cut off";
	else if (result != LZMA_OK && result != LZMA_STREAM_END)
		in->error = "the xz stream is damaged";
	return CHUNK - in->xz.avail_out;
}

/* One step; false: the end, or an error. Members may follow each other. */
static bool inflate_more(struct input *in)
{
	int result;

	if (!in->gz.avail_in) {
		in->stored_n = 0;
		load(in);
		in->gz.next_in = in->stored;
		in->gz.avail_in = (uInt)in->stored_n;
	}
	if (!in->gz.avail_in) {
		if (!in->gz_between && !in->error)
			in->error = "the gzip stream is cut off";
		return false;
	}
	if (in->gz_between)
		inflateReset(&in->gz);
	result = inflate(&in->gz, Z_NO_FLUSH);
	in->gz_between = result == Z_STREAM_END;
	if (result == Z_OK || result == Z_STREAM_END)
		return true;
	in->error = "the gzip stream is damaged";
	return false;
}

static size_t fill_gz(struct input *in)
{
	in->gz.next_out = in->bytes;
	in->gz.avail_out = CHUNK;
	while (in->gz.avail_out == CHUNK && inflate_more(in))
		;
	return CHUNK - in->gz.avail_out;
}

/* By the file's first bytes. Those of gzip are four here, since plain files of
 * addresses may well begin with its two. */
static void choose(struct input *in)
{
	static const u8 xz[6] = {0xfd, '7', 'z', 'X', 'Z', 0};
	const u8 *p = in->stored;
	size_t n = in->stored_n;

	in->fill = fill_plain;
	if (n >= sizeof(xz) && !memcmp(p, xz, sizeof(xz))) {
		in->fill = fill_xz;
		if (lzma_stream_decoder(&in->xz, UINT64_MAX,
					LZMA_CONCATENATED) != LZMA_OK)
			in->error = "no memory";
		in->xz.next_in = in->stored;
		in->xz.avail_in = n;
	} else if (n >= 4 && p[0] == 0x1f && p[1] == 0x8b && p[2] == 8 &&
		   !(p[3] & 0xe0)) {
		in->fill = fill_gz;
		if (inflateInit2(&in->gz, 15 + 16) != Z_OK)
			in->error = "no memory";
		in->gz.next_in = in->stored;
		in->gz.avail_in = (uInt)n;
	}
}

/* As many bytes as choose() wants, if a pipe gives fewer at a time. */
static void load_start(struct input *in)
{
	size_t n;

	load(in);
	for (n = in->stored_n; n && n < 6;) {
		ssize_t more = read(in->fd, in->stored + n, 6 - n);

		if (more < 0 && errno == EINTR)
			continue;
		if (more <= 0)
			break;
		n += (size_t)more;
	}
	in->stored_n = n;
}

struct input *input_open(const char *path, struct err *err)
{
	struct input *in = calloc(1, sizeof(*in));

	if (!in) {
		err_set(err, "%s: no memory", path);
		return NULL;
	}
	in->fd = STDIN_FILENO;
	if (strcmp(path, "-") != 0)
		in->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (in->fd < 0) {
		err_set(err, "%s: %s", path, strerror(errno));
		free(in);
		return NULL;
	}
	load_start(in);
	choose(in);
	return in;
}

void input_close(struct input *in)
{
	if (in->fill == fill_xz)
		lzma_end(&in->xz);
	if (in->fill == fill_gz)
		inflateEnd(&in->gz);
	if (in->fd != STDIN_FILENO)
		(void)close(in->fd);
	free(in);
}

static bool refill(struct input *in)
{
	if (in->at < in->n)
		return true;
	in->at = 0;
	in->n = in->error ? 0 : in->fill(in);
	return in->n > 0;
}

size_t input_read(struct input *in, void *bytes, size_t n)
{
	u8 *to = bytes;
	size_t done = 0;

	while (done < n && refill(in)) {
		size_t some = in->n - in->at;

		if (some > n - done)
			some = n - done;
		memcpy(to + done, in->bytes + in->at, some);
		in->at += some;
		done += some;
	}
	return done;
}

bool input_line(struct input *in, char *line, size_t size, size_t *length)
{
	size_t n = 0;
	bool ended = false, any = false;

	while (!ended && refill(in)) {
		u8 c = in->bytes[in->at++];

		any = true;
		ended = c == '\n';
		if (!ended && n < size)
			line[n++] = (char)c;
	}
	if (n && n < size && line[n - 1] == '\r')
		n--;
	line[n < size ? n : size - 1] = 0;
	*length = n;
	return any;
}

const char *input_error(const struct input *in)
{
	return in->error;
}
