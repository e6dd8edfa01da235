/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A live process's mappings: /proc/PID/smaps, and /proc/PID/pagemap for the
 * frames, which only root (CAP_SYS_ADMIN) sees; others see which pages are
 * there. Documentation/admin-guide/mm/pagemap.rst in Linux has the bits.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/capture.h"
#include "lab/save.h"
#include "lib/maps.h"
#include "lib/types.h"

#define PAGE	  4096ull
#define PRESENT	  (1ull << 63)
#define SWAPPED	  (1ull << 62)
#define FRAME	  ((1ull << 55) - 1)
#define AT_A_TIME 4096

struct vma {
	u64 from, to;
	char prot[5];
	char path[512];
	u64 present, swapped; /* pages */
	u64 runs; /* of pages with neighbouring frames; 0 = not to be seen */
	u64 huge_kb, kernel_page_kb;
};

struct snapshot {
	int pagemap;
	bool json, frames;
	json_t *list;
	u64 vmas, present, huge_kb;
	u64 frame; /* that would continue a run */
};

static void count_page(struct snapshot *s, struct vma *v, u64 entry)
{
	u64 frame = entry & FRAME;

	v->swapped += (entry & SWAPPED) != 0;
	if (!(entry & PRESENT)) {
		s->frame = 0;
		return;
	}
	v->present++;
	if (!frame)
		return;
	s->frames = true;
	v->runs += frame != s->frame;
	s->frame = frame + 1;
}

static void read_frames(struct snapshot *s, struct vma *v)
{
	static u64 entry[AT_A_TIME];
	u64 page = v->from / PAGE, end = v->to / PAGE;

	s->frame = 0;
	while (s->pagemap >= 0 && page < end) {
		u64 n = end - page < AT_A_TIME ? end - page : AT_A_TIME;
		ssize_t got = pread(s->pagemap, entry, n * sizeof(*entry),
				    (off_t)(page * sizeof(*entry)));

		if (got < (ssize_t)sizeof(*entry))
			return; /* vsyscall lies beyond the last page */
		for (size_t i = 0; i < (size_t)got / sizeof(*entry); i++)
			count_page(s, v, entry[i]);
		page += (size_t)got / sizeof(*entry);
	}
}

static void put_json(const struct snapshot *s, const struct vma *v)
{
	json_t *o = json_pack(
		"{s:I, s:I, s:s, s:s, s:I, s:I, s:I, s:I}", "address",
		(json_int_t)v->from, "length", (json_int_t)(v->to - v->from),
		"prot", v->prot, "path", v->path, "present",
		(json_int_t)v->present, "swapped", (json_int_t)v->swapped,
		"huge_kb", (json_int_t)v->huge_kb, "page_kb",
		(json_int_t)v->kernel_page_kb);

	if (s->frames)
		json_object_set_new(o, "frame_runs",
				    json_integer((json_int_t)v->runs));
	json_array_append_new(s->list, o);
}

static void put_text(const struct vma *v)
{
	char runs[24] = "-";

	if (v->runs)
		snprintf(runs, sizeof(runs), "%" PRIu64, v->runs);
	printf("%012" PRIx64 " %10" PRIu64 " %s %10" PRIu64 " %9s %9" PRIu64
	       " %5" PRIu64 " %s\n",
	       v->from, (v->to - v->from) / 1024, v->prot, v->present, runs,
	       v->huge_kb, v->kernel_page_kb, v->path);
}

static void put(struct snapshot *s, struct vma *v)
{
	if (!v->to)
		return;
	read_frames(s, v);
	s->vmas++;
	s->present += v->present;
	s->huge_kb += v->huge_kb;
	if (s->json)
		put_json(s, v);
	else
		put_text(v);
}

/* A line of smaps that begins a mapping. */
static bool begins(const char *line, struct vma *v)
{
	struct maps_line l;

	if (!maps_parse(line, &l))
		return false;
	*v = (struct vma){.from = l.from, .to = l.to};
	memcpy(v->prot, l.prot, sizeof(v->prot));
	snprintf(v->path, sizeof(v->path), "%.*s", (int)l.path_len, l.path);
	return true;
}

/* A line of smaps: "KEY:   NUMBER kB". */
static bool has_value(const char *line, const char *key, u64 *value)
{
	size_t n = strlen(key);
	char *end;
	u64 number;

	if (strncmp(line, key, n) != 0)
		return false;
	errno = 0;
	number = strtoull(line + n, &end, 10);
	if (end == line + n || errno)
		return false;
	*value = number;
	return true;
}

static void read_line(struct snapshot *s, const char *line, struct vma *v)
{
	struct vma next;
	u64 kb;

	if (begins(line, &next)) {
		put(s, v);
		*v = next;
	} else if (has_value(line, "AnonHugePages:", &kb) ||
		   has_value(line, "ShmemPmdMapped:", &kb) ||
		   has_value(line, "FilePmdMapped:", &kb) ||
		   has_value(line, "Shared_Hugetlb:", &kb) ||
		   has_value(line, "Private_Hugetlb:", &kb)) {
		v->huge_kb += kb;
	} else {
		(void)has_value(line, "KernelPageSize:", &v->kernel_page_kb);
	}
}

static int read_all(struct snapshot *s, FILE *smaps)
{
	char line[1024];
	struct vma v = {0};

	while (fgets(line, sizeof(line), smaps))
		read_line(s, line, &v);
	put(s, &v);
	return ferror(smaps) ? -1 : 0;
}

static int print_end(const struct snapshot *s, const char *pid, struct err *err)
{
	json_t *o;
	int result;

	if (!s->json) {
		printf("%" PRIu64 " mappings, %" PRIu64
		       " pages present, %" PRIu64 " kB in huge pages%s\n",
		       s->vmas, s->present, s->huge_kb,
		       s->frames ? ""
				 : "; frames are not to be seen "
				   "(needs root)");
		return save_stdout(err);
	}
	o = json_pack("{s:I, s:b, s:I, s:I, s:O}", "pid",
		      (json_int_t)strtol(pid, NULL, 10), "frames", s->frames,
		      "present", (json_int_t)s->present, "huge_kb",
		      (json_int_t)s->huge_kb, "vmas", s->list);
	result = save_json(o, "-", err);
	json_decref(o);
	return result;
}

int capture_snapshot(const char *pid, bool json, struct err *err)
{
	struct snapshot s = {.json = json, .list = json_array()};
	char path[64];
	int result = -1;
	FILE *smaps = NULL;

	if (!*pid || pid[strspn(pid, "0123456789")] || strlen(pid) > 10)
		return err_set(err, "'%s' is not the number of a process", pid);
	snprintf(path, sizeof(path), "/proc/%s/pagemap", pid);
	s.pagemap = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%s/smaps", pid);
	smaps = fopen(path, "re");
	if (!smaps) {
		err_set(err, "process %s: %s", pid,
			errno == ENOENT ? "there is none" : strerror(errno));
		goto out;
	}
	if (!json)
		printf("address             kB prot    present frame-runs "
		       "  huge-kB  page path\n");
	result = read_all(&s, smaps);
	if (result < 0)
		err_set(err, "process %s: %s", pid, strerror(errno));
	else
		result = print_end(&s, pid, err);
out:
	if (smaps)
		(void)fclose(smaps);
	if (s.pagemap >= 0)
		(void)close(s.pagemap);
	json_decref(s.list);
	return result;
}
