/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/fmt.h"

#define DIGITS_MAX 20 /* of 2^64 - 1, the longest in base 10 */
#define NO_LIMIT   (~0u)

struct out {
	char *buf;
	size_t size;
	size_t len; /* of the whole text, may exceed size */
};

/* va_list may be an array type; wrapped, it can be passed by address. */
struct args {
	va_list ap;
};

struct spec {
	unsigned width;
	unsigned limit; /* precision: at most so many characters of %s */
	bool left;
	bool zero;
	bool is_long; /* l, ll, z: all are 64 bits wide on x86-64 */
	char conv;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void pad(struct out *o, char c, size_t have, size_t want)
{
	for (; have < want; have++)
		put(o, c);
}

static void put_text(struct out *o, const struct spec *s, const char *text)
{
	size_t len = 0;

	if (!text)
		text = "(null)";
	while (len < s->limit && text[len])
		len++;
	if (!s->left)
		pad(o, ' ', len, s->width);
	for (size_t i = 0; i < len; i++)
		put(o, text[i]);
	if (s->left)
		pad(o, ' ', len, s->width);
}

/* @sign is "", "-" or "0x": it stands before the zeros of a padded number. */
static void put_number(struct out *o, const struct spec *s, const char *sign,
		       u64 value)
{
	unsigned base = s->conv == 'x' || s->conv == 'p' ? 16 : 10;
	char digits[DIGITS_MAX];
	size_t n = 0, len;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	len = n;
	for (const char *c = sign; *c; c++)
		len++;

	if (!s->left && !s->zero)
		pad(o, ' ', len, s->width);
	for (; *sign; sign++)
		put(o, *sign);
	if (!s->left && s->zero)
		pad(o, '0', len, s->width);
	while (n)
		put(o, digits[--n]);
	if (s->left)
		pad(o, ' ', len, s->width);
}

static unsigned parse_count(const char **fmt, struct args *a)
{
	unsigned n = 0;

	if (**fmt == '*') {
		int given = va_arg(a->ap, int);

		++*fmt;
		return given < 0 ? 0 : (unsigned)given;
	}
	for (; **fmt >= '0' && **fmt <= '9'; ++*fmt)
		n = n * 10 + (unsigned)(**fmt - '0');
	return n;
}

/* Reads what stands behind a '%'; returns where the text goes on. */
static const char *parse_spec(struct spec *s, const char *fmt, struct args *a)
{
	*s = (struct spec){.limit = NO_LIMIT};
	for (; *fmt == '-' || *fmt == '0'; fmt++) {
		s->left |= *fmt == '-';
		s->zero |= *fmt == '0';
	}
	s->width = parse_count(&fmt, a);
	if (*fmt == '.') {
		fmt++;
		s->limit = parse_count(&fmt, a);
	}
	for (; *fmt == 'l' || *fmt == 'z'; fmt++)
		s->is_long = true;
	s->conv = *fmt;
	return *fmt ? fmt + 1 : fmt;
}

static void put_signed(struct out *o, const struct spec *s, struct args *a)
{
	int64_t v = s->is_long ? va_arg(a->ap, long) : va_arg(a->ap, int);

	/* Negate as unsigned: the most negative number has no positive. */
	put_number(o, s, v < 0 ? "-" : "", v < 0 ? -(u64)v : (u64)v);
}

static void put_unsigned(struct out *o, const struct spec *s, struct args *a)
{
	put_number(o, s, "",
		   s->is_long ? va_arg(a->ap, unsigned long)
			      : va_arg(a->ap, unsigned));
}

/* False if there is no such conversion. */
static bool convert(struct out *o, const struct spec *s, struct args *a)
{
	switch (s->conv) {
	case 's':
		put_text(o, s, va_arg(a->ap, const char *));
		return true;
	case 'c':
		put_text(o, s, (char[]){(char)va_arg(a->ap, int), '\0'});
		return true;
	case 'd':
	case 'i':
		put_signed(o, s, a);
		return true;
	case 'u':
	case 'x':
		put_unsigned(o, s, a);
		return true;
	case 'p':
		put_number(o, s, "0x", (uintptr_t)va_arg(a->ap, void *));
		return true;
	case '%':
		put(o, '%');
		return true;
	default:
		return false;
	}
}

size_t fmt_vformat(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = {.buf = buf, .size = size};
	struct args args;
	struct spec s;

	va_copy(args.ap, ap);
	while (*fmt) {
		const char *from = fmt++;

		if (*from == '%') {
			fmt = parse_spec(&s, fmt, &args);
			if (convert(&o, &s, &args))
				continue;
		}
		for (; from < fmt; from++)
			put(&o, *from);
	}
	va_end(args.ap);
	if (size)
		buf[o.len < size ? o.len : size - 1] = '\0';
	return o.len;
}

size_t fmt_format(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	len = fmt_vformat(buf, size, fmt, ap);
	va_end(ap);
	return len;
}
