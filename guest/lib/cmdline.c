/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/cmdline.h"

struct word cmdline_find(const char *line, const char *key)
{
	struct word w, value;

	for (w = word_first(line); w.len; w = word_first(word_behind(w))) {
		value = w;
		if (word_has_key(&value, key))
			return value;
	}
	return (struct word){0};
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

bool word_list_has(struct word list, const char *text)
{
	struct word item;

	while (word_next_item(&list, &item))
		if (word_is(item, text))
			return true;
	return false;
}

bool cmdline_number(const char *line, const char *key, u64 *value)
{
	struct word w = cmdline_find(line, key);
	u64 n;

	if (!w.text)
		return true;
	if (!word_number(&w, &n) || w.len)
		return false;
	*value = n;
	return true;
}
