/* SPDX-License-Identifier: Apache-2.0 */
#include "test/unit/nbt_sample.h"

#include "lib/nbt/writer.h"
#include "test/unit/dice.h"
#include "test/unit/unit.h"

#define GB   (1ull << 30)
#define HEAP 0x7f0000000000ull

static u64 tree_address(size_t i, u64 *state)
{
	size_t level = i / 5 % 6;
	u64 node = HEAP + (level << 20) + dice_word(state) % 64 * 256;

	return node + 8 * (dice_word(state) & 15);
}

/* Both canonical halves' ends, in turn. */
static u64 extreme_address(size_t i)
{
	static const u64 end[] = {
		0,
		0x00ffffffffffffff,
		0xff00000000000000,
		0xffffffffffffffff,
		0xffff888000000000,
		0x00007fffffffffff,
	};

	return end[i * 7 % ARRAY_SIZE(end)];
}

static u64 address(enum pattern pattern, size_t i, u64 last, u64 *state)
{
	u64 bits;

	switch (pattern) {
	case PATTERN_RANDOM:
	case PATTERN_FEW:
		return i & 1 ? last : HEAP + dice_word(state) % (GB / 8) * 8;
	case PATTERN_CHASE:
		return HEAP + dice_word(state) % (GB / 64) * 64;
	case PATTERN_STREAM:
		return HEAP + i % 3 * (GB / 3 & ~4095ull) + i / 3 * 8;
	case PATTERN_TREE:
		return tree_address(i, state);
	case PATTERN_SAME:
		return 0xffffffffff600000;
	case PATTERN_EXTREME:
		return extreme_address(i);
	case PATTERN_LENGTHS:
		bits = dice_word(state) % 58;
		return (u64)((int64_t)((last + (1ull << bits)) << 7) >> 7);
	case PATTERN_STACK:
		return i % 3 ? 0x555555560000 + i * 24
			     : 0x7ffffffde000 - i % 64;
	case PATTERNS:
		break;
	}
	return 0;
}

static u64 gap(enum pattern pattern, size_t i, u64 *state)
{
	if (pattern == PATTERN_STACK)
		return i % 97 ? 250 + dice_word(state) % 10 : 1ull << 40;
	if (pattern == PATTERN_TREE)
		return 1 + dice_word(state) % 9;
	if (pattern == PATTERN_EXTREME)
		return dice_word(state) % 256;
	if (pattern == PATTERN_STREAM)
		return i % 3 ? 1 + i % 3 : 4;
	return i & 1 ? 2 : 6;
}

static u8 kind(enum pattern pattern, size_t i, u64 *state)
{
	u64 draw = dice_word(state);

	if (pattern == PATTERN_EXTREME)
		return (u8)draw;
	if (pattern == PATTERN_FEW)
		return (u8)(draw % 50 ? draw % 13 * 16 : draw % 20);
	if (pattern == PATTERN_TREE)
		return draw % 100 ? NBT_KIND(NBT_LOAD, 3)
				  : NBT_KIND(NBT_STORE, 3);
	return i & 1 ? NBT_KIND(NBT_STORE, 3) : NBT_KIND(NBT_LOAD, 3);
}

struct sample *sample_new(const struct sample_file *f)
{
	struct sample *s = calloc(f->n, sizeof(*s));
	u64 state = 88172645463325252ull, last = 0;

	assert_non_null(s);
	for (size_t i = 0; i < f->n; i++) {
		unsigned turn = f->thread_every ? i / f->thread_every : 0;

		last = address(f->pattern, i, last, &state);
		s[i].addr = last;
		s[i].pa = (last & 0xfff) | (last >> 3 & 0x3fffffff000);
		if (f->pattern == PATTERN_EXTREME)
			s[i].pa = dice_word(&state);
		s[i].kind = kind(f->pattern, i, &state);
		s[i].gap = gap(f->pattern, i, &state);
		s[i].thread = (u16)(turn * 77);
		s[i].process = (u16)(turn / 5);
		s[i].has_event = f->event_every && i % f->event_every == 0;
	}
	return s;
}

struct nbt_event sample_event(size_t i, const struct sample *s)
{
	struct nbt_event e = {
		.type = (u16)(i % NBT_EVENTS),
		.thread = s->thread,
		.process = s->process,
		.arg = {i, i % 5 ? s->addr : 0, ~0ull, i % 3},
	};

	if (i % 4 == 0)
		e.text = i % 8 ? "/usr/lib/x86_64-linux-gnu/libc.so.6" : "";
	return e;
}

int sample_write(const struct sample_file *f, const struct sample *s,
		 const char *path, struct err *err)
{
	struct nbt_info info = {
		.program = "sample",
		.command = "sample --of traces",
		.source = "test",
		.codec = f->codec,
		.has_events = f->event_every != 0,
	};
	struct nbt_writer *w = nbt_create(path, &info, err);

	if (!w)
		return -1;
	for (size_t i = 0; i < f->n; i++, s++) {
		struct nbt_event e = sample_event(i, s);

		if (f->block && i % f->block == 0)
			nbt_cut(w);
		nbt_thread(w, s->thread, s->process);
		if (s->has_event)
			nbt_put_event(w, &e);
		if (f->physical)
			nbt_add_physical(w, s->addr, s->pa, s->kind, s->gap);
		else
			nbt_add(w, s->addr, s->kind, s->gap);
	}
	assert_int_equal(nbt_written(w), f->n);
	return nbt_finish(w, err);
}

static void check_events(const struct sample *s, const struct nbt_block *b)
{
	size_t k = 0;

	for (u32 i = 0; i < b->n; i++) {
		struct nbt_event want = sample_event(b->first + i, &s[i]);
		const struct nbt_event *e = &b->event[k];

		if (!s[i].has_event)
			continue;
		assert_true(k++ < b->events);
		assert_int_equal(e->at, i);
		assert_int_equal(e->type, want.type);
		assert_int_equal(e->thread, want.thread);
		assert_int_equal(e->process, want.process);
		assert_memory_equal(e->arg, want.arg, sizeof(e->arg));
		assert_int_equal(!e->text, !want.text);
		if (want.text)
			assert_string_equal(e->text, want.text);
	}
	assert_int_equal(k, b->events);
}

void sample_check(const struct sample_file *f, const struct sample *s,
		  const struct nbt_block *b)
{
	u64 instructions = 0;
	size_t run = 0;

	assert_true(b->first + b->n <= f->n);
	assert_int_equal(!b->pa, !f->physical);
	assert_true(b->runs >= 1 && b->run[0].at == 0);
	s += b->first;
	for (u32 i = 0; i < b->n; i++) {
		while (run + 1 < b->runs && b->run[run + 1].at <= i)
			run++;
		assert_int_equal(b->addr[i], s[i].addr);
		if (b->pa)
			assert_int_equal(b->pa[i], s[i].pa);
		assert_int_equal(b->kind[i], s[i].kind);
		assert_int_equal(b->gap[i], s[i].gap < 255 ? s[i].gap : 255);
		assert_int_equal(b->run[run].thread, s[i].thread);
		assert_int_equal(b->run[run].process, s[i].process);
		instructions += s[i].gap;
	}
	assert_int_equal(b->instructions, instructions);
	check_events(s, b);
}
