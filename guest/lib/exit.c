/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/exit.h"

#include "lib/cpu.h"
#include "guest/lib/serial.h"

#define DEBUG_EXIT_PORT 0xf4
#define BOCHS_PORT	0x8900 /* ends Bochs if it gets this word */
#define BOCHS_WORD	"Shutdown"

void guest_exit(int value)
{
	serial_drain();
	outl(DEBUG_EXIT_PORT, (u32)value);
	for (const char *s = BOCHS_WORD; *s; s++)
		outb(BOCHS_PORT, (u8)*s);
	for (;;) {
		cli();
		hlt();
	}
}
