/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/serial.h"

#include <stdarg.h>

#include "guest/lib/cpu.h"
#include "lib/fmt.h"

#define COM1	     0x3f8
#define UART_DATA    (COM1 + 0)
#define UART_IER     (COM1 + 1)
#define UART_DIVISOR (COM1 + 0) /* low byte, while LCR_DLAB is set */
#define UART_DIV_HI  (COM1 + 1)
#define UART_FCR     (COM1 + 2)
#define UART_LCR     (COM1 + 3)
#define UART_LSR     (COM1 + 5)

#define LCR_8N1	   0x03
#define LCR_DLAB   0x80
#define FCR_ON	   0x07 /* enable and empty both FIFOs */
#define LSR_THRE   0x20 /* the transmit FIFO is empty */
#define LSR_TEMT   0x40 /* so is the shift register */
#define FIFO_SIZE  16
#define WAIT_TURNS 100000 /* a missing UART must not hang the payload */

void serial_init(void)
{
	outb(UART_IER, 0);
	outb(UART_LCR, LCR_DLAB);
	outb(UART_DIVISOR, 1); /* 115200 baud */
	outb(UART_DIV_HI, 0);
	outb(UART_LCR, LCR_8N1);
	outb(UART_FCR, FCR_ON);
}

static void wait_for(u8 state)
{
	for (unsigned turn = 0; turn < WAIT_TURNS; turn++) {
		if (inb(UART_LSR) & state)
			return;
		pause();
	}
}

/*
 * One look at the status per FIFO-full, not per byte: under a nested
 * hypervisor each costs as much as an operation that gets measured.
 */
static void send(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (i % FIFO_SIZE == 0)
			wait_for(LSR_THRE);
		outb(UART_DATA, (u8)text[i]);
	}
}

void serial_vprintf(const char *fmt, va_list ap)
{
	char line[SERIAL_LINE_MAX];
	size_t len = fmt_vformat(line, sizeof(line), fmt, ap);

	send(line, len < sizeof(line) ? len : sizeof(line) - 1);
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
	wait_for(LSR_TEMT);
}
