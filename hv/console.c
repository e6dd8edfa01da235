/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/console.h"

#include <stdarg.h>

#include "lib/cpu.h"
#include "lib/fmt.h"
#include "lib/uart.h"

#define LINE_MAX   256
#define LOCK_TURNS 10000000u

static struct {
	u16 port;
	bool quiet;
	bool locked;
	u64 written; /* bytes ever */
	char ring[LOG_SIZE];
} log;

void console_init(u16 port)
{
	log.port = port;
	if (port)
		uart_init(port);
}

/* What was held back comes now, as far as the ring has it. */
void console_quiet(bool on)
{
	u64 at = log.written > LOG_SIZE ? log.written - LOG_SIZE : 0;

	for (; log.quiet && !on && log.port && at < log.written; at++)
		uart_write(log.port, &log.ring[at % LOG_SIZE], 1);
	log.quiet = on;
}

/* Bounded: whoever holds it may be what panics. */
static void lock(void)
{
	for (unsigned i = 0; i < LOCK_TURNS; i++) {
		if (!__atomic_exchange_n(&log.locked, true, __ATOMIC_ACQUIRE))
			return;
		pause();
	}
}

static void put(const char *text, size_t n)
{
	lock();
	for (size_t i = 0; i < n; i++)
		log.ring[log.written++ % LOG_SIZE] = text[i];
	if (log.port && !log.quiet) {
		uart_write(log.port, text, n);
		/* L1 may empty the FIFO, or the machine go off. */
		uart_drain(log.port);
	}
	__atomic_store_n(&log.locked, false, __ATOMIC_RELEASE);
}

/* A terminal wants a carriage return, too. */
void say(const char *fmt, ...)
{
	char line[LINE_MAX];
	size_t n;
	va_list ap;

	va_start(ap, fmt);
	n = fmt_vformat(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	if (n && line[n - 1] == '\n') {
		line[n - 1] = '\r';
		line[n++] = '\n';
	}
	put(line, n);
}
