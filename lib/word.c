/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/word.h"

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

struct word word_first(const char *line)
{
	struct word w = {.text = skip_blanks(line)};

	while (w.text[w.len] && !is_blank(w.text[w.len]))
		w.len++;
	return w;
}

const char *word_behind(struct word w)
{
	return skip_blanks(w.text + w.len);
}

/* How many characters of @text the word begins with. */
static size_t common(struct word w, const char *text)
{
	size_t i = 0;

	while (i < w.len && text[i] && text[i] == w.text[i])
		i++;
	return i;
}

bool word_is(struct word w, const char *text)
{
	return common(w, text) == w.len && !text[w.len];
}

bool word_has_key(struct word *w, const char *key)
{
	size_t n = common(*w, key);

	if (key[n] || n == w->len || w->text[n] != '=')
		return false;
	*w = (struct word){w->text + n + 1, w->len - n - 1};
	return true;
}

/* The value of a digit in any base up to 16; 16 if it is none. */
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

bool word_number(struct word *w, u64 *value)
{
	bool hex = w->len > 2 && w->text[0] == '0' && w->text[1] == 'x';
	unsigned base = hex ? 16 : 10;
	size_t i = hex ? 2 : 0, start = i;

	*value = 0;
	for (; i < w->len && digit(w->text[i]) < base; i++)
		if (__builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, digit(w->text[i]), value))
			return false;
	*w = (struct word){w->text + i, w->len - i};
	return i > start;
}
