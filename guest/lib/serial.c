/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/serial.h"

#include <stdarg.h>

#include "lib/fmt.h"
#include "lib/uart.h"

void serial_init(void)
{
	uart_init(UART_COM1);
}

void serial_vprintf(const char *fmt, va_list ap)
{
	char line[SERIAL_LINE_MAX];
	size_t len = fmt_vformat(line, sizeof(line), fmt, ap);

	uart_write(UART_COM1, line,
		   len < sizeof(line) ? len : sizeof(line) - 1);
}

void serial_printf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	serial_vprintf(fmt, ap);
	va_end(ap);
}

void serial_drain(void)
{
	uart_drain(UART_COM1);
}
