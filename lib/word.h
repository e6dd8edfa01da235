/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of a command line, which are separated by blanks. Nothing is copied or
 * changed: a word points into its line. Pure.
 */
#pragma once

#include "lib/types.h"

struct word {
	const char *text; /* not NUL-terminated; NULL: there is none */
	size_t len;
};

/* The first word at or behind @line; its length is 0 at the line's end. */
struct word word_first(const char *line);

/* Where to look for the next one: the text behind @w without blanks. */
const char *word_behind(struct word w);

/* True if the word reads exactly @text. */
bool word_is(struct word w, const char *text);

/* If the word is KEY=VALUE, true, and *w becomes the value. */
bool word_has_key(struct word *w, const char *key);

/* Cuts a number of 64 bits, decimal or 0x..., off the word. False: none. */
bool word_number(struct word *w, u64 *value);
