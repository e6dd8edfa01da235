/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/options.h"

#include "lib/fmt.h"

#define MIB	    (1ull << 20)
#define MEM_DEFAULT (64 * MIB)
#define MEM_MIN	    (16 * MIB)
#define MEM_MAX	    (1024 * MIB)
#define MEM_ALIGN   (2 * MIB)
#define COM1	    0x3f8
#define COM2	    0x2f8
#define PORT_MAX    0xfff8 /* a 16550 has 8 ports */
#define WORD_SHOWN  32	   /* characters of a bad word */

struct word {
	const char *text;
	size_t len;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_blanks(const char *line)
{
	while (is_blank(*line))
		line++;
	return line;
}

/* The word that starts at @text; its length is 0 at the line's end. */
static struct word word_at(const char *text)
{
	struct word w = {.text = text};

	while (text[w.len] && !is_blank(text[w.len]))
		w.len++;
	return w;
}

static bool is_word(struct word w, const char *text)
{
	size_t i = 0;

	while (i < w.len && text[i] == w.text[i])
		i++;
	return i == w.len && !text[i];
}

/* If the word is KEY=VALUE, true, and *w becomes the value. */
static bool has_key(struct word *w, const char *key)
{
	size_t i = 0;

	while (i < w->len && key[i] && key[i] == w->text[i])
		i++;
	if (key[i] || i == w->len || w->text[i] != '=')
		return false;
	*w = (struct word){w->text + i + 1, w->len - i - 1};
	return true;
}

static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A' + 10);
	return 16;
}

/* Cuts a number below 2^32, decimal or 0x..., off the word. */
static bool take_number(struct word *w, u64 *value)
{
	bool hex = w->len > 2 && w->text[0] == '0' && w->text[1] == 'x';
	unsigned base = hex ? 16 : 10;
	size_t i = hex ? 2 : 0, start = i;

	*value = 0;
	for (; i < w->len && digit(w->text[i]) < base; i++) {
		*value = *value * base + digit(w->text[i]);
		if (*value >> 32)
			return false;
	}
	*w = (struct word){w->text + i, w->len - i};
	return i > start;
}

static bool set_mem(struct options *o, struct word w)
{
	u64 size;

	if (!take_number(&w, &size))
		return false;
	if (is_word(w, "K") || is_word(w, "k"))
		size <<= 10;
	else if (is_word(w, "M") || is_word(w, "m"))
		size <<= 20;
	else if (is_word(w, "G") || is_word(w, "g"))
		size <<= 30;
	else if (w.len)
		return false;
	if (size < MEM_MIN || size > MEM_MAX)
		return false;
	o->mem = (size + MEM_ALIGN - 1) & ~(MEM_ALIGN - 1);
	return true;
}

static bool set_com(struct options *o, struct word w)
{
	u64 port;

	if (is_word(w, "none"))
		port = 0;
	else if (is_word(w, "com1"))
		port = COM1;
	else if (is_word(w, "com2"))
		port = COM2;
	else if (!take_number(&w, &port) || w.len || !port || port > PORT_MAX)
		return false;
	o->port = (u16)port;
	return true;
}

static bool set_panic(struct options *o, struct word w)
{
	o->reset = is_word(w, "reset");
	return o->reset || is_word(w, "halt");
}

static int complain(struct options *o, const char *what, struct word w)
{
	int shown = w.len < WORD_SHOWN ? (int)w.len : WORD_SHOWN;

	fmt_format(o->error, sizeof(o->error), "%s '%.*s'", what, shown,
		   w.text);
	return -1;
}

static int parse_word(struct options *o, struct word w)
{
	struct word value = w;
	bool good;

	if (has_key(&value, "mem"))
		good = set_mem(o, value);
	else if (has_key(&value, "com"))
		good = set_com(o, value);
	else if (has_key(&value, "panic"))
		good = set_panic(o, value);
	else if (is_word(w, "quiet"))
		good = o->quiet = true;
	else if (is_word(w, "gif"))
		good = o->gif = true;
	else
		return complain(o, "unknown option", w);
	return good ? 0 : complain(o, "bad value in", w);
}

int options_parse(struct options *o, const char *line, const char **why)
{
	struct word w;

	*o = (struct options){.mem = MEM_DEFAULT, .port = COM1, .l1 = ""};
	*why = o->error;
	line = options_skip_file(line);
	for (w = word_at(line); w.len; w = word_at(line)) {
		line = skip_blanks(w.text + w.len);
		if (is_word(w, "--")) {
			o->l1 = line;
			return 0;
		}
		if (parse_word(o, w) < 0)
			return -1;
	}
	return 0;
}

/*
 * QEMU puts the file's name first, GRUB does not. A name has a slash or a
 * dot; options that have one, also Linux's, have it behind a '='.
 */
const char *options_skip_file(const char *line)
{
	struct word w = word_at(skip_blanks(line));
	bool is_name = false;

	for (size_t i = 0; i < w.len && (i == 0 || w.text[i] != '='); i++)
		is_name |= w.text[i] == '/' || w.text[i] == '.';
	return is_name ? skip_blanks(w.text + w.len) : w.text;
}

const char *options_l1(const struct options *o, const char *module)
{
	const char *own = options_skip_file(module);

	return *own ? own : o->l1;
}
