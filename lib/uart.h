/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output on a 16550 UART at an I/O port, polled, no interrupts, no state. A
 * missing UART costs time but never hangs the caller. Freestanding only.
 */
#pragma once

#include "lib/types.h"

#define UART_COM1 0x3f8
#define UART_COM2 0x2f8

/* 115200 baud, 8N1, FIFOs on. Optional under QEMU, not on a real UART. */
void uart_init(u16 port);

/* Returns when the last byte is in the UART. */
void uart_write(u16 port, const char *text, size_t len);

/* Returns when the last byte has left, or a bounded time later. */
void uart_drain(u16 port);
