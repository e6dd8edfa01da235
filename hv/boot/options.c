/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/boot/options.h"

#include "lib/fmt.h"
#include "lib/uart.h"
#include "lib/word.h"

#define MIB	    (1ull << 20)
#define MEM_DEFAULT (64 * MIB)
#define MEM_MIN	    (16 * MIB)
#define MEM_MAX	    (1024 * MIB)
#define MEM_ALIGN   (2 * MIB)
#define TICK_MAX    60000
#define PORT_MAX    0xfff8 /* a 16550 has 8 ports */
#define WORD_SHOWN  32	   /* characters of a bad word */

static bool set_mem(struct options *o, struct word w)
{
	u64 size;

	if (!word_number(&w, &size) || size > MEM_MAX)
		return false;
	if (word_is(w, "K") || word_is(w, "k"))
		size <<= 10;
	else if (word_is(w, "M") || word_is(w, "m"))
		size <<= 20;
	else if (word_is(w, "G") || word_is(w, "g"))
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

	if (word_is(w, "none"))
		port = 0;
	else if (word_is(w, "com1"))
		port = UART_COM1;
	else if (word_is(w, "com2"))
		port = UART_COM2;
	else if (!word_number(&w, &port) || w.len || !port || port > PORT_MAX)
		return false;
	o->port = (u16)port;
	return true;
}

static bool set_tick(struct options *o, struct word w)
{
	u64 ms;

	if (!word_number(&w, &ms) || w.len || !ms || ms > TICK_MAX)
		return false;
	o->tick = (u32)ms;
	return true;
}

static bool set_shake(struct options *o, struct word w)
{
	u64 n;

	if (!word_number(&w, &n) || w.len || !n || n >> 32)
		return false;
	o->shake = (u32)n;
	return true;
}

/* A mask of features, as in EDX of CPUID 0x8000000a. */
static bool set_svm(struct options *o, struct word w)
{
	u64 mask = 0;

	if (!word_is(w, "off") &&
	    (!word_number(&w, &mask) || w.len || mask >> 32))
		return false;
	o->svm = (u32)mask;
	return true;
}

static bool set_panic(struct options *o, struct word w)
{
	o->reset = word_is(w, "reset");
	return o->reset || word_is(w, "halt");
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

	if (word_has_key(&value, "mem"))
		good = set_mem(o, value);
	else if (word_has_key(&value, "com"))
		good = set_com(o, value);
	else if (word_has_key(&value, "panic"))
		good = set_panic(o, value);
	else if (word_has_key(&value, "tick"))
		good = set_tick(o, value);
	else if (word_is(w, "quiet"))
		good = o->quiet = true;
	else if (word_has_key(&value, "svm"))
		good = set_svm(o, value);
	else if (word_has_key(&value, "shake"))
		good = set_shake(o, value);
	else
		return complain(o, "unknown option", w);
	return good ? 0 : complain(o, "bad value in", w);
}

int options_parse(struct options *o, const char *line, const char **why)
{
	struct word w;

	*o = (struct options){
		.mem = MEM_DEFAULT, .port = UART_COM1, .svm = ~0u, .l1 = ""};
	*why = o->error;
	for (w = word_first(options_skip_file(line)); w.len;
	     w = word_first(word_behind(w))) {
		if (word_is(w, "--")) {
			o->l1 = word_behind(w);
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
	struct word w = word_first(line);
	bool is_name = false;

	for (size_t i = 0; i < w.len && (i == 0 || w.text[i] != '='); i++)
		is_name |= w.text[i] == '/' || w.text[i] == '.';
	return is_name ? word_behind(w) : w.text;
}

const char *options_l1(const struct options *o, const char *module)
{
	const char *own = options_skip_file(module);

	return *own ? own : o->l1;
}
