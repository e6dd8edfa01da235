/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: words separated by blanks, of which those of the form
 * key=value are looked up. Other words (a loader may put the path of the
 * payload first) are passed over. The first word with the key counts.
 * Nothing is copied or changed; a found value points into the line.
 */
#pragma once

#include "lib/word.h"

struct word cmdline_find(const char *line, const char *key);

/*
 * Cuts the first item off a comma-separated list. Returns false when the
 * list is used up. Empty items are skipped.
 */
bool word_next_item(struct word *list, struct word *item);

/* Whether an item of the comma-separated @list reads exactly @text. */
bool word_list_has(struct word list, const char *text);

/*
 * A decimal or 0x number. Without the key *value stays as it is and the
 * result is true; false means the key is there and its value is no number.
 */
bool cmdline_number(const char *line, const char *key, u64 *value);
