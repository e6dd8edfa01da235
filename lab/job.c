/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/job.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NVDIMM_ALIGN (2L << 20)
#define FIXED_TIME   1577836800 /* the same job gives the same bytes */

struct member {
	const char *name;
	mode_t mode;
	const void *data;
	size_t size;
};

static int add_member(struct archive *tar, const struct member *m,
		      struct err *err)
{
	struct archive_entry *entry = archive_entry_new();
	int status = 0;

	archive_entry_set_pathname(entry, m->name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, m->mode);
	archive_entry_set_size(entry, (la_int64_t)m->size);
	archive_entry_set_mtime(entry, FIXED_TIME, 0);
	if (archive_write_header(tar, entry) < ARCHIVE_OK ||
	    archive_write_data(tar, m->data, m->size) != (la_ssize_t)m->size)
		status = err_set(err, "cannot write the job: %s",
				 archive_error_string(tar));
	archive_entry_free(entry);
	return status;
}

static int read_whole(const char *path, char **data, struct stat *st,
		      struct err *err)
{
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t got = -1;

	*data = NULL;
	if (fd < 0 || fstat(fd, st))
		err_set(err, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(st->st_mode))
		err_set(err, "%s: not a regular file", path);
	else if (!(*data = malloc((size_t)st->st_size + 1)))
		err_set(err, "%s: too large", path);
	else if ((got = read(fd, *data, (size_t)st->st_size)) != st->st_size)
		err_set(err, "%s: cannot read it whole", path);
	if (fd >= 0)
		close(fd);
	return *data && got == st->st_size ? 0 : -1;
}

static int add_file(struct archive *tar, const char *path, const char *name,
		    struct err *err)
{
	struct stat st;
	char *data;
	int status = read_whole(path, &data, &st, err);

	if (!status)
		status = add_member(tar,
				    &(struct member){
					    .name = name,
					    .mode = st.st_mode & 0777,
					    .data = data,
					    .size = (size_t)st.st_size,
				    },
				    err);
	free(data);
	return status;
}

/* One word on each line; a word with a newline cannot be handed down. */
static int add_words(struct archive *tar, const char *name, char *const *words,
		     struct err *err)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	int status = f ? 0 : err_set(err, "out of memory");

	for (; !status && *words; words++) {
		if (strchr(*words, '\n'))
			status = err_set(err, "newline in argument '%s'",
					 *words);
		fprintf(f, "%s\n", *words);
	}
	if (f)
		(void)fclose(f);
	if (!status)
		status = add_member(tar,
				    &(struct member){.name = name,
						     .mode = 0644,
						     .data = text,
						     .size = size},
				    err);
	free(text);
	return status;
}

static int add_machines(struct archive *tar, struct wires *w,
			const struct spec *s, const struct cache *c,
			struct err *err)
{
	for (int level = 1; level <= s->stack.guest_level; level++) {
		struct args a = {0};
		char name[16];
		int status;

		if (stack_is_nestbox(&s->stack, level - 1))
			continue;
		machine_args(&a, s, c, w, level);
		snprintf(name, sizeof(name), "args.%d", level);
		status = add_words(tar, name, a.v + 1, err);
		args_free(&a);
		if (status)
			return status;
	}
	return 0;
}

static int add_puts(struct archive *tar, const struct spec *s, struct err *err)
{
	for (size_t i = 0; i < s->puts.n; i++) {
		char *from, *to, *name;
		int status;

		job_split_pair(s->puts.v[i], &from, &to);
		name = format_string("put/%s", to);
		status = add_file(tar, from, name, err);
		free(from);
		free(to);
		free(name);
		if (status)
			return status;
	}
	return 0;
}

static int add_modules(struct archive *tar, const struct spec *s,
		       struct err *err)
{
	int status = 0;

	for (size_t i = 0; !status && i < s->modules.n; i++) {
		char *file = job_module_file(s, i);
		char *member = job_module_member(s, i);

		status = add_file(tar, file, member, err);
		free(file);
		free(member);
	}
	return status;
}

static int add_gets(struct archive *tar, const struct spec *s, struct err *err)
{
	struct args names = {0};
	int status;

	for (size_t i = 0; i < s->gets.n; i++) {
		char *from, *to;

		job_split_pair(s->gets.v[i], &from, &to);
		args_add(&names, from);
		free(from);
		free(to);
	}
	status = names.n ? add_words(tar, "get", names.v, err) : 0;
	args_free(&names);
	return status;
}

/* What the guest Linux is to do, and with what. */
static int add_task(struct archive *a, const struct spec *s, struct err *err)
{
	if (add_puts(a, s, err) < 0 || add_gets(a, s, err) < 0)
		return -1;
	return s->command ? add_words(a, "command", s->command, err) : 0;
}

/* Linux unpacks one archive over the other. */
static int write_initrd(FILE *f, const struct spec *s, const struct cache *c,
			struct err *err)
{
	struct archive *cpio;
	struct stat st;
	char *data;
	int status = read_whole(c->i386_initrd, &data, &st, err);

	if (status)
		return status;
	status = fwrite(data, (size_t)st.st_size, 1, f) != 1;
	free(data);
	if (status)
		return err_set(err, "cannot write the guest's initramfs");
	cpio = archive_write_new();
	archive_write_set_format_cpio_newc(cpio);
	archive_write_open_FILE(cpio, f);
	status = add_task(cpio, s, err);
	archive_write_free(cpio);
	return status;
}

static int add_initrd(struct archive *tar, const struct spec *s,
		      const struct cache *c, struct err *err)
{
	struct member m = {.name = "initrd", .mode = 0644};
	char *data = NULL;
	FILE *f = open_memstream(&data, &m.size);
	int status;

	if (!f)
		return err_set(err, "out of memory");
	status = write_initrd(f, s, c, err);
	(void)fclose(f);
	m.data = data;
	if (!status)
		status = add_member(tar, &m, err);
	free(data);
	return status;
}

static int add_all(struct archive *tar, struct wires *w, const struct spec *s,
		   const struct cache *c, struct err *err)
{
	if (add_machines(tar, w, s, c, err) < 0)
		return -1;
	if (s->i386)
		return add_file(tar, c->i386_kernel, "kernel", err) < 0
			       ? -1
			       : add_initrd(tar, s, c, err);
	if (s->guest == GUEST_PAYLOAD && s->stack.guest_level > 0 &&
	    (add_file(tar, s->payload, "guest", err) < 0 ||
	     add_modules(tar, s, err) < 0))
		return -1;
	return add_task(tar, s, err);
}

/* Of one member, with its header. */
static long member_size(const char *path)
{
	struct stat st;

	return path && !stat(path, &st) ? st.st_size + 4096 : 0;
}

/* A size that the archive surely fits into: the arguments of machines name
 * it, so it has to be known before they are written. */
static long estimate_size(const struct spec *s, const struct cache *c)
{
	long size = (1L << 20) + member_size(s->payload);

	if (s->i386)
		size += member_size(c->i386_kernel) +
			member_size(c->i386_initrd);
	for (size_t i = 0; i < s->modules.n; i++) {
		char *file = job_module_file(s, i);

		size += member_size(file);
		free(file);
	}
	for (size_t i = 0; i < s->puts.n; i++) {
		char *from, *to;

		job_split_pair(s->puts.v[i], &from, &to);
		size += member_size(from);
		free(from);
		free(to);
	}
	return (size + NVDIMM_ALIGN - 1) / NVDIMM_ALIGN * NVDIMM_ALIGN;
}

int job_write(struct wires *w, const struct spec *s, const struct cache *c,
	      struct err *err)
{
	struct archive *tar = archive_write_new();
	int status;

	w->job_size = estimate_size(s, c);
	archive_write_set_format_ustar(tar);
	archive_write_open_fd(tar, w->job);
	status = add_all(tar, w, s, c, err);
	if (archive_write_close(tar) < ARCHIVE_OK && !status)
		status = err_set(err, "cannot write the job: %s",
				 archive_error_string(tar));
	archive_write_free(tar);
	if (!status && ftruncate(w->job, w->job_size))
		status = err_set(err, "cannot write the job: %s",
				 strerror(errno));
	return status;
}

char *job_module_file(const struct spec *s, size_t i)
{
	const char *module = s->modules.v[i];

	return format_string("%.*s", (int)strcspn(module, " "), module);
}

char *job_module_member(const struct spec *s, size_t i)
{
	char *file = job_module_file(s, i), *slash = strrchr(file, '/');
	char *member =
		format_string("module/%zu/%s", i, slash ? slash + 1 : file);

	free(file);
	return member;
}

void job_split_pair(const char *pair, char **from, char **to)
{
	const char *colon = strchr(pair, ':'), *slash;

	*from = format_string("%.*s", (int)(colon ? colon - pair : 4095), pair);
	slash = strrchr(*from, '/');
	if (colon && colon[1])
		*to = format_string("%s", colon + 1);
	else
		*to = format_string("%s", slash ? slash + 1 : *from);
}

/* Where the file that the archive calls @name goes, or NULL. */
static char *destination(const struct spec *s, const char *name)
{
	for (size_t i = 0; i < s->gets.n; i++) {
		char *from, *to;
		const char *plain;

		job_split_pair(s->gets.v[i], &from, &to);
		plain = from + strspn(from, "/");
		if (!strcmp(plain, name + strspn(name, "/"))) {
			free(from);
			return to;
		}
		free(from);
		free(to);
	}
	return NULL;
}

/* Under a temporary name first: a full disk leaves no half of a file. */
static int save_entry(struct archive *tar, const char *to, struct err *err)
{
	char *part = format_string("%s.part", to);
	int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	int status = 0;

	if (fd < 0 || archive_read_data_into_fd(tar, fd) < ARCHIVE_OK ||
	    fsync(fd) || rename(part, to)) {
		status = err_set(err, "cannot write %s: %s", to,
				 strerror(errno));
		unlink(part);
	}
	if (fd >= 0)
		close(fd);
	free(part);
	return status;
}

static int save_all(struct archive *tar, const struct spec *s, size_t *saved,
		    struct err *err)
{
	struct archive_entry *entry;

	while (archive_read_next_header(tar, &entry) == ARCHIVE_OK) {
		char *to = destination(s, archive_entry_pathname(entry));
		int status = 0;

		if (to && archive_entry_filetype(entry) == AE_IFREG)
			status = save_entry(tar, to, err);
		*saved += to && !status;
		free(to);
		if (status)
			return status;
	}
	return 0;
}

int job_fetch(const struct wires *w, const struct spec *s, struct err *err)
{
	struct archive *tar;
	size_t saved = 0;
	int status;

	if (w->out < 0)
		return 0;
	if (lseek(w->out, 0, SEEK_SET) < 0)
		return err_set(err, "cannot read results: %s", strerror(errno));
	tar = archive_read_new();
	archive_read_support_format_tar(tar);
	archive_read_open_fd(tar, w->out, 1 << 16);
	status = save_all(tar, s, &saved, err);
	archive_read_free(tar);
	if (!status && saved < s->gets.n)
		status = err_set(err,
				 "--get: %zu of %zu files are not in the guest",
				 s->gets.n - saved, s->gets.n);
	return status;
}
