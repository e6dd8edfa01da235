/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/cmdline.h"

#include "lib/string.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static struct word next_word(const char **line)
{
	struct word w = {0};

	while (is_blank(**line))
		++*line;
	w.text = *line;
	while (**line && !is_blank(**line))
		++*line;
	w.len = (size_t)(*line - w.text);
	return w;
}

struct word cmdline_find(const char *line, const char *key)
{
	size_t n = strlen(key);
	struct word w;

	for (w = next_word(&line); w.len; w = next_word(&line)) {
		if (w.len > n && w.text[n] == '=' && !memcmp(w.text, key, n))
			return (struct word){w.text + n + 1, w.len - n - 1};
	}
	return (struct word){0};
}

bool word_is(struct word w, const char *text)
{
	return w.len == strlen(text) && !memcmp(w.text, text, w.len);
}

bool word_next_item(struct word *list, struct word *item)
{
	while (list->len && *list->text == ',')
		*list = (struct word){list->text + 1, list->len - 1};
	*item = (struct word){list->text, 0};
	while (item->len < list->len && item->text[item->len] != ',')
		item->len++;
	*list = (struct word){list->text + item->len, list->len - item->len};
	return item->len;
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

bool cmdline_number(const char *line, const char *key, u64 *value)
{
	struct word w = cmdline_find(line, key);
	unsigned base = 10;
	u64 n = 0;
	size_t i = 0;

	if (!w.text)
		return true;
	if (w.len > 2 && w.text[0] == '0' && w.text[1] == 'x') {
		base = 16;
		i = 2;
	}
	if (i == w.len)
		return false;
	for (; i < w.len; i++) {
		if (digit(w.text[i]) >= base)
			return false;
		n = n * base + digit(w.text[i]);
	}
	*value = n;
	return true;
}
