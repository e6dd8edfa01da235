/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/nbt/event.h"

#include <string.h>

#define ARGS	 4
#define HAS_TEXT 8 /* with the number of arguments, in one byte */

static u8 *put_number(u8 *p, u64 n)
{
	while (n >= 128) {
		*p++ = (u8)(n | 128);
		n >>= 7;
	}
	*p++ = (u8)n;
	return p;
}

size_t nbt_put_record(const struct nbt_event *e, u32 since, u8 *out)
{
	size_t text = e->text ? strnlen(e->text, NBT_TEXT_MAX - 1) : 0;
	unsigned args = ARGS;
	u8 *p = put_number(out, since);

	while (args && !e->arg[args - 1])
		args--;
	*p++ = (u8)e->type;
	*p++ = (u8)(args | (e->text ? HAS_TEXT : 0));
	p = put_number(p, e->thread);
	p = put_number(p, e->process);
	for (unsigned i = 0; i < args; i++)
		p = put_number(p, e->arg[i]);
	if (e->text) {
		p = put_number(p, text + 1);
		memcpy(p, e->text, text);
		p += text;
		*p++ = 0;
	}
	return (size_t)(p - out);
}

struct input {
	const u8 *p, *end;
	bool bad;
};

/* 0 once the input is bad. */
static u64 get_byte(struct input *in)
{
	if (in->p >= in->end) {
		in->bad = true;
		return 0;
	}
	return *in->p++;
}

static u64 get_number(struct input *in, u64 max)
{
	u64 n = 0, byte;
	unsigned shift = 0;

	do {
		byte = get_byte(in);
		n |= (byte & 127) << shift;
		shift += 7;
	} while (byte & 128 && shift < 64);
	in->bad |= (byte & 128) || n > max;
	return in->bad ? 0 : n;
}

static const char *get_text(struct input *in)
{
	size_t size = get_number(in, NBT_TEXT_MAX);
	const char *text = (const char *)in->p;

	if (!size || (size_t)(in->end - in->p) < size || text[size - 1])
		in->bad = true;
	else
		in->p += size;
	return text;
}

static void get_record(struct input *in, u32 *at, u32 n, struct nbt_event *e)
{
	unsigned args;

	*at += (u32)get_number(in, n - *at);
	memset(e, 0, sizeof(*e));
	e->at = *at;
	e->type = (u16)get_byte(in);
	args = (unsigned)get_byte(in);
	e->thread = (u16)get_number(in, 0xffff);
	e->process = (u16)get_number(in, 0xffff);
	if ((args & 7) > ARGS || args >= 2 * HAS_TEXT || e->type >= NBT_EVENTS)
		in->bad = true;
	for (unsigned i = 0; i < (args & 7) && !in->bad; i++)
		e->arg[i] = get_number(in, ~0ull);
	if (args & HAS_TEXT && !in->bad)
		e->text = get_text(in);
}

int nbt_get_records(const u8 *bytes, size_t size, u32 n, size_t count,
		    struct nbt_event *out)
{
	struct input in = {bytes, bytes + size, false};
	u32 at = 0;

	for (size_t i = 0; i < count && !in.bad; i++)
		get_record(&in, &at, n, &out[i]);
	return in.bad || in.p != in.end ? -1 : 0;
}
