/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client for redis-server and memcached: fills one with records, then gets
 * them in random order, all with the same chance. workload/server.sh runs it
 * against servers that are being recorded.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "workload/pattern.h"
#include "workload/size.h"

#define DEPTH	   64 /* records of a message when filling */
#define VALUE_MAX  4096
#define RECORD_MAX (VALUE_MAX + 128)
#define KEY	   "key:%" PRIu64 /* as redis's DEBUG POPULATE has it */

/* Requests; replies to gets begin with a line, which the value follows. */
struct protocol {
	const char *name;
	int (*set)(char *out, u64 key, int bytes, const char *value);
	int (*get)(char *out, u64 key);
	int (*reply)(char *out, u64 key, int bytes);
	const char *stored; /* "": the server says nothing */
	const char *end;    /* behind a value */
};

static int redis_set(char *out, u64 key, int bytes, const char *value)
{
	char name[32];
	int n = snprintf(name, sizeof(name), KEY, key);

	return snprintf(out, RECORD_MAX,
			"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", n,
			name, bytes, value);
}

static int redis_get(char *out, u64 key)
{
	char name[32];
	int n = snprintf(name, sizeof(name), KEY, key);

	return snprintf(out, RECORD_MAX, "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", n,
			name);
}

static int redis_reply(char *out, u64 key, int bytes)
{
	(void)key;
	return snprintf(out, RECORD_MAX, "$%d\r\n", bytes);
}

static int memcached_set(char *out, u64 key, int bytes, const char *value)
{
	return snprintf(out, RECORD_MAX, "set " KEY " 0 0 %d noreply\r\n%s\r\n",
			key, bytes, value);
}

static int memcached_get(char *out, u64 key)
{
	return snprintf(out, RECORD_MAX, "get " KEY "\r\n", key);
}

static int memcached_reply(char *out, u64 key, int bytes)
{
	return snprintf(out, RECORD_MAX, "VALUE " KEY " 0 %d\r\n", key, bytes);
}

static const struct protocol protocols[] = {
	{"redis", redis_set, redis_get, redis_reply, "+OK\r\n", "\r\n"},
	{"memcached", memcached_set, memcached_get, memcached_reply, "",
	 "\r\nEND\r\n"},
};

struct client {
	const struct protocol *p;
	int fd;
	u64 keys, operations;
	int bytes; /* of a value */
	char value[VALUE_MAX + 1];
	char message[DEPTH * RECORD_MAX];
	struct worker worker;
};

static bool send_all(struct client *c, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t some = write(c->fd, c->message + done, n - done);

		if (some < 0 && errno != EINTR)
			return false;
		done += some > 0 ? (size_t)some : 0;
	}
	return true;
}

static bool receive(struct client *c, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t some = read(c->fd, c->message + done, n - done);

		if (!some || (some < 0 && errno != EINTR))
			return false;
		done += some > 0 ? (size_t)some : 0;
	}
	return true;
}

/* Keys @from and the next ones. */
static bool set(struct client *c, u64 from, unsigned n)
{
	size_t size = 0;

	for (unsigned i = 0; i < n; i++)
		size += (size_t)c->p->set(c->message + size, from + i, c->bytes,
					  c->value);
	return send_all(c, size) && receive(c, n * strlen(c->p->stored));
}

static bool fill(struct client *c)
{
	bool good = true;

	memset(c->value, 'v', (size_t)c->bytes);
	for (u64 i = 0; good && i < c->keys; i += DEPTH)
		good = set(c, i,
			   c->keys - i < DEPTH ? (unsigned)(c->keys - i)
					       : DEPTH);
	return good;
}

/* 0, or 1 if the server went away, which ends a recording; < 0: it has not
 * what was asked for. */
static int get(struct client *c, u64 key)
{
	char reply[RECORD_MAX];
	size_t n;

	if (!send_all(c, (size_t)c->p->get(c->message, key)))
		return 1;
	n = (size_t)c->p->reply(reply, key, c->bytes);
	if (!receive(c, n + (size_t)c->bytes + strlen(c->p->end)))
		return 1;
	c->worker.sum += (u64)c->message[n];
	return memcmp(c->message, reply, n) ? -1 : 0;
}

static int get_all(struct client *c)
{
	int result = 0;

	for (u64 i = 0; !result && i < c->operations; i++)
		result = get(c, below(draw(&c->worker), c->keys));
	return result;
}

static int connect_to(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool parse(int argc, char **argv, struct client *c)
{
	u64 bytes;

	if (argc != 7)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (!strcmp(argv[1], protocols[i].name))
			c->p = &protocols[i];
	if (!c->p || !size_parse(argv[4], &c->keys) || !c->keys ||
	    !size_parse(argv[5], &bytes) || bytes > VALUE_MAX || !bytes)
		return false;
	c->bytes = (int)bytes;
	return size_parse(argv[6], &c->operations);
}

int main(int argc, char **argv)
{
	static struct client c;
	struct plan plan = {.seed = 1};
	int result;

	if (!parse(argc, argv, &c)) {
		fprintf(stderr, "usage: client redis|memcached fill|get SOCKET "
				"KEYS VALUE_BYTES OPERATIONS\n");
		return 2;
	}
	worker_init(&c.worker, &plan, 0, NULL);
	c.fd = connect_to(argv[3]);
	if (c.fd < 0) {
		fprintf(stderr, "%s: %s\n", argv[3], strerror(errno));
		return 1;
	}
	if (!strcmp(argv[2], "fill"))
		return fill(&c) ? 0 : 1;
	result = get_all(&c);
	printf("%s: %" PRIu64 " keys, checksum %016" PRIx64 "\n", c.p->name,
	       c.keys, c.worker.sum);
	return result < 0;
}
