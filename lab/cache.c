/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/cache.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOW_TO "run `make images` in nestbox's source tree"

/* One key of a key=value file and where its value goes. */
struct field {
	const char *key;
	char *to;
	size_t size;
};

static int take_field(void *user, const char *section, const char *key,
		      const char *value)
{
	(void)section;
	for (const struct field *f = user; f->key; f++)
		if (!strcmp(f->key, key))
			snprintf(f->to, f->size, "%s", value);
	return 1;
}

static int read_fields(const char *path, struct field *fields)
{
	return ini_parse(path, take_field, fields);
}

int cache_locate(struct cache *c, struct err *err)
{
	const char *own = getenv("NESTBOX_CACHE");
	const char *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	*c = (struct cache){0};
	if (own && *own)
		snprintf(c->dir, sizeof(c->dir), "%s", own);
	else if (xdg && *xdg)
		snprintf(c->dir, sizeof(c->dir), "%s/nestbox", xdg);
	else if (home && *home)
		snprintf(c->dir, sizeof(c->dir), "%s/.cache/nestbox", home);
	else
		return err_set(err, "no cache folder: set NESTBOX_CACHE");
	return 0;
}

int cache_load_emulator(struct cache *c, struct err *err)
{
	struct field fields[] = {
		{"path", c->emulator, sizeof(c->emulator)},
		{"version", c->emulator_version, sizeof(c->emulator_version)},
		{"data", c->emulator_data, sizeof(c->emulator_data)},
		{"injection", c->injection, sizeof(c->injection)},
		{"pdpte", c->pdpte, sizeof(c->pdpte)},
		{"ignne", c->ignne, sizeof(c->ignne)},
		{0},
	};
	char path[600];

	snprintf(path, sizeof(path), "%s/emulator", c->dir);
	if (read_fields(path, fields) || !*c->emulator)
		return err_set(err, "no emulator in %s: " HOW_TO, c->dir);
	if (access(c->emulator, X_OK))
		return err_set(err, "the emulator %s is gone: " HOW_TO,
			       c->emulator);
	return 0;
}

static int find_image(const struct cache *c, const char *name, char *path,
		      long *size, struct err *err)
{
	struct stat st;

	snprintf(path, 512, "%.480s/images/%s", c->dir, name);
	if (stat(path, &st))
		return err_set(err, "no image %s (%s): " HOW_TO, path,
			       strerror(errno));
	if (size)
		*size = (long)st.st_size;
	return 0;
}

int cache_load_images(struct cache *c, struct err *err)
{
	struct field fields[] = {
		{"kernel", c->kernel_version, sizeof(c->kernel_version)},
		{"qemu", c->inner_qemu, sizeof(c->inner_qemu)},
		{"sha256", c->sha256, sizeof(c->sha256)},
		{"tick", c->tick, sizeof(c->tick)},
		{0},
	};
	char info[512], symbols[600];

	if (find_image(c, "vmlinux", c->kernel, NULL, err) < 0 ||
	    find_image(c, "level.cpio", c->initrd, NULL, err) < 0 ||
	    find_image(c, "tools.img", c->tools, &c->tools_size, err) < 0 ||
	    find_image(c, "image.info", info, NULL, err) < 0)
		return -1;
	if (read_fields(info, fields))
		return err_set(err, "cannot read %s: " HOW_TO, info);
	snprintf(c->i386_kernel, sizeof(c->i386_kernel),
		 "%.480s/kernels/686-pae/vmlinuz", c->dir);
	snprintf(c->i386_initrd, sizeof(c->i386_initrd),
		 "%.480s/kernels/686-pae/initrd", c->dir);
	/* Without them timer ticks are not told apart; nothing else suffers. */
	snprintf(symbols, sizeof(symbols), "%s/symbols.info", c->dir);
	read_fields(symbols, fields);
	return 0;
}

bool cache_has_i386(const struct cache *c)
{
	return !access(c->i386_kernel, R_OK) && !access(c->i386_initrd, R_OK);
}

int cache_open(struct cache *c, struct err *err)
{
	if (cache_locate(c, err) < 0 || cache_load_emulator(c, err) < 0)
		return -1;
	return cache_load_images(c, err);
}

int cache_emulator_number(const struct cache *c)
{
	char *end;
	long major = strtol(c->emulator_version, &end, 10), minor;

	if (*end != '.')
		return 0;
	minor = strtol(end + 1, NULL, 10);
	return (int)(major * 100 + minor);
}

char *built_path(const char *name)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	return format_string("%s/%s", self, name);
}
