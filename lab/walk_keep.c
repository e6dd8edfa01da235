/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/walk_keep.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "lab/cache.h"
#include "walk/design.h"

#define PIECE	   (1u << 20)
#define LINE_START "{\"key\":\"trace "

/* Everything before the time is a counter of 64 bits. */
#define WORDS (offsetof(struct walk_stats, seconds) / sizeof(u64))
_Static_assert(offsetof(struct walk_stats, seconds) % sizeof(u64) == 0,
	       "counters of 64 bits");

/* Checksums ****************************************************************/

static int sum_file(int fd, XXH3_state_t *state, char *piece)
{
	ssize_t n;

	XXH3_64bits_reset(state);
	while ((n = read(fd, piece, PIECE)) > 0)
		XXH3_64bits_update(state, piece, (size_t)n);
	return n < 0 ? -1 : 0;
}

int walk_checksum(const char *path, u64 *sum, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), status = -1;
	XXH3_state_t *state = XXH3_createState();
	char *piece = malloc(PIECE);

	if (fd < 0)
		err_set(err, "cannot open %s: %s", path, strerror(errno));
	else if (!state || !piece)
		err_set(err, "out of memory");
	else if (sum_file(fd, state, piece))
		err_set(err, "cannot read %s: %s", path, strerror(errno));
	else
		status = 0;
	if (!status)
		*sum = XXH3_64bits_digest(state);
	XXH3_freeState(state);
	free(piece);
	if (fd >= 0)
		close(fd);
	return status;
}

#define ADD(what) XXH3_64bits_update(state, &(what), sizeof(what))

/* Member by member, without what lies between them. */
static u64 sum_profile(const struct profile *p)
{
	XXH3_state_t *state = XXH3_createState();
	u64 sum;

	if (!state)
		abort();
	XXH3_64bits_reset(state);
	ADD(p->itlb);
	ADD(p->dtlb);
	ADD(p->stlb);
	ADD(p->stlb_shared);
	ADD(p->pwc);
	ADD(p->npwc);
	ADD(p->ntlb);
	ADD(p->l1i);
	ADD(p->l1d);
	ADD(p->l2);
	ADD(p->l3);
	ADD(p->l3_inclusive);
	ADD(p->memory_cycles);
	ADD(p->pte_entry);
	ADD(p->levels);
	ADD(p->cores);
	ADD(p->walkers);
	ADD(p->asids);
	sum = XXH3_64bits_digest(state);
	XXH3_freeState(state);
	return sum;
}

/* Lines ********************************************************************/

void walk_key(char key[WALK_KEY_MAX], const struct walk_row *row, u64 program)
{
	const struct walk_spec *s = &row->spec;

	snprintf(key, WALK_KEY_MAX,
		 "trace %016llx design %s env %s pages %s frames %d "
		 "machine %016llx threads %u skip %llu limit %llu seed %llu "
		 "program %016llx",
		 (unsigned long long)row->trace->checksum, s->design->name,
		 env_name[s->env], pages_name[s->pages], (int)s->frames,
		 (unsigned long long)sum_profile(s->profile),
		 s->threads_per_core, (unsigned long long)s->skip,
		 (unsigned long long)s->limit, (unsigned long long)s->seed,
		 (unsigned long long)program);
}

/* Counters that are not 0, as number and value by turns. */
char *walk_line(const struct walk_row *row, const char *key)
{
	json_t *counters = json_array(), *json;
	const char *bytes = (const char *)&row->stats;
	char *line;

	for (size_t i = 0; i < WORDS; i++) {
		u64 value;

		memcpy(&value, bytes + i * sizeof(value), sizeof(value));
		if (!value)
			continue;
		json_array_append_new(counters, json_integer((json_int_t)i));
		json_array_append_new(counters,
				      json_integer((json_int_t)value));
	}
	json = json_pack("{s:s, s:f, s:o}", "key", key, "seconds",
			 row->stats.seconds, "counters", counters);
	line = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return line;
}

static int take_counters(const json_t *counters, struct walk_stats *out)
{
	char *bytes = (char *)out;

	for (size_t i = 0; i + 1 < json_array_size(counters); i += 2) {
		json_t *at = json_array_get(counters, i);
		json_t *number = json_array_get(counters, i + 1);
		u64 where = (u64)json_integer_value(at), value;

		if (!json_is_integer(at) || !json_is_integer(number) ||
		    where >= WORDS)
			return -1;
		value = (u64)json_integer_value(number);
		memcpy(bytes + where * sizeof(value), &value, sizeof(value));
	}
	return 0;
}

int walk_take_line(const char *line, size_t length, const char *key,
		   struct walk_stats *out)
{
	json_t *json = json_loadb(line, length, 0, NULL);
	json_t *counters = json_object_get(json, "counters");
	const char *name = json_string_value(json_object_get(json, "key"));
	int taken = 0;

	if (name && !strcmp(name, key) && json_is_array(counters)) {
		memset(out, 0, sizeof(*out));
		out->seconds =
			json_number_value(json_object_get(json, "seconds"));
		taken = !take_counters(counters, out);
	}
	json_decref(json);
	return taken;
}

/* The file *****************************************************************/

static int default_path(struct walk_keep *k, const struct walk_plan *p,
			struct err *err)
{
	struct cache cache;
	u64 sum = 0;

	if (cache_locate(&cache, err))
		return -1;
	for (size_t i = 0; i < p->trace_count; i++) {
		u64 both[] = {sum, p->traces[i].checksum};

		sum = XXH3_64bits(both, sizeof(both));
	}
	mkdir(cache.dir, 0777);
	snprintf(k->path, sizeof(k->path), "%.440s/walk", cache.dir);
	mkdir(k->path, 0777); /* if it is not there, open() will say so */
	snprintf(k->path, sizeof(k->path), "%.440s/walk/%016llx.rows",
		 cache.dir, (unsigned long long)sum);
	k->remove = true;
	return 0;
}

int walk_keep_open(struct walk_keep *k, const struct walk_plan *p,
		   const char *path, struct err *err)
{
	*k = (struct walk_keep){.fd = -1};
	if (walk_checksum("/proc/self/exe", &k->program, err))
		return -1;
	if (path)
		snprintf(k->path, sizeof(k->path), "%s", path);
	else if (default_path(k, p, err))
		return -1;
	k->fd = open(k->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (k->fd < 0)
		return err_set(err, "cannot keep rows in %s: %s", k->path,
			       strerror(errno));
	if (!flock(k->fd, LOCK_EX | LOCK_NB))
		return 0;
	close(k->fd);
	k->fd = -1;
	return err_set(err, "%s belongs to another nestbox walk that runs",
		       k->path);
}

/* All of the file, ended by a NUL; NULL if that fails. */
static char *read_all(struct walk_keep *k, struct err *err)
{
	struct stat st;
	char *text;

	if (fstat(k->fd, &st) || !S_ISREG(st.st_mode)) {
		err_set(err, "%s: not a file of rows", k->path);
		return NULL;
	}
	text = calloc(1, (size_t)st.st_size + 1);
	if (!text || pread(k->fd, text, (size_t)st.st_size, 0) != st.st_size) {
		err_set(err, "cannot read %s", k->path);
		free(text);
		return NULL;
	}
	if (strncmp(text, LINE_START, strnlen(text, strlen(LINE_START))) != 0) {
		err_set(err, "%s: not a file of rows", k->path);
		free(text);
		return NULL;
	}
	return text;
}

static bool take_row(const struct walk_keep *k, struct walk_row *row,
		     const char *text)
{
	char key[WALK_KEY_MAX];

	walk_key(key, row, k->program);
	while (*text && !row->done) {
		size_t length = strcspn(text, "\n");

		/* A look first: parsing each line for each row takes long. */
		if (memmem(text, length, key, strlen(key)))
			row->done =
				walk_take_line(text, length, key, &row->stats);
		text += length + (text[length] == '\n');
	}
	return row->done;
}

/* What is behind the last whole line would spoil the next. */
static int cut_tail(struct walk_keep *k, const char *text, struct err *err)
{
	const char *end = strrchr(text, '\n');
	off_t size = end ? end + 1 - text : 0;

	if (!strlen(text) || size == (off_t)strlen(text))
		return 0;
	if (ftruncate(k->fd, size))
		return err_set(err, "cannot write %s: %s", k->path,
			       strerror(errno));
	return 0;
}

int walk_keep_load(struct walk_keep *k, struct walk_plan *p, struct err *err)
{
	char *text = read_all(k, err);
	int taken = 0;

	if (!text)
		return -1;
	for (size_t i = 0; i < p->row_count; i++)
		if (!p->rows[i].refusal)
			taken += take_row(k, &p->rows[i], text);
	if (cut_tail(k, text, err))
		taken = -1;
	free(text);
	return taken;
}

int walk_keep_clear(struct walk_keep *k, struct err *err)
{
	if (ftruncate(k->fd, 0))
		return err_set(err, "cannot write %s: %s", k->path,
			       strerror(errno));
	return 0;
}

int walk_keep_row(struct walk_keep *k, const struct walk_row *row,
		  struct err *err)
{
	char key[WALK_KEY_MAX], *line;
	size_t length;
	ssize_t done;

	walk_key(key, row, k->program);
	line = walk_line(row, key);
	if (!line)
		return err_set(err, "out of memory");
	length = strlen(line);
	line[length++] = '\n'; /* over the NUL: one write for the whole line */
	done = write(k->fd, line, length);
	free(line);
	if (done == (ssize_t)length)
		return 0;
	return err_set(err, "cannot keep rows in %s: %s", k->path,
		       done < 0 ? strerror(errno) : "No space left on device");
}

void walk_keep_close(struct walk_keep *k, bool complete)
{
	if (k->fd < 0)
		return;
	if (complete && k->remove)
		unlink(k->path);
	close(k->fd);
	k->fd = -1;
}
