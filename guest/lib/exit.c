/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/exit.h"

#include "lib/cpu.h"
#include "guest/lib/serial.h"

#define DEBUG_EXIT_PORT 0xf4

void guest_exit(int value)
{
	serial_drain();
	outl(DEBUG_EXIT_PORT, (u32)value);
	for (;;) {
		cli();
		hlt();
	}
}
