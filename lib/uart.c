/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/uart.h"

#include "lib/cpu.h"

/* Registers, from the port on; the divisor's two only while LCR_DLAB is set. */
#define UART_DATA    0
#define UART_DIVISOR 0
#define UART_IER     1
#define UART_DIV_HI  1
#define UART_FCR     2
#define UART_LCR     3
#define UART_LSR     5

#define LCR_8N1	   0x03
#define LCR_DLAB   0x80
#define FCR_ON	   0x07 /* enable and empty both FIFOs */
#define LSR_THRE   0x20 /* the transmit FIFO is empty */
#define LSR_TEMT   0x40 /* so is the shift register */
#define FIFO_SIZE  16
#define WAIT_TURNS 100000 /* a missing UART must not hang the caller */

void uart_init(u16 port)
{
	outb(port + UART_IER, 0);
	outb(port + UART_LCR, LCR_DLAB);
	outb(port + UART_DIVISOR, 1);
	outb(port + UART_DIV_HI, 0);
	outb(port + UART_LCR, LCR_8N1);
	outb(port + UART_FCR, FCR_ON);
}

static void wait_for(u16 port, u8 state)
{
	for (unsigned turn = 0; turn < WAIT_TURNS; turn++) {
		if (inb(port + UART_LSR) & state)
			return;
		pause();
	}
}

/*
 * One look at the status per FIFO-full, not per byte: under a nested
 * hypervisor each costs as much as an operation that gets measured.
 */
void uart_write(u16 port, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (i % FIFO_SIZE == 0)
			wait_for(port, LSR_THRE);
		outb(port + UART_DATA, (u8)text[i]);
	}
}

void uart_drain(u16 port)
{
	wait_for(port, LSR_TEMT);
}
