/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A payload that ends, or does not end, the way it is told; for tests of
 * whoever watches payloads.
 *
 *	code=N    value to exit with (default 0)
 *	spam=N    print N numbered lines first
 *	crash=1   triple-fault instead of exiting
 *	hang=1    spin for ever instead of exiting
 */
#include "guest/lib/argument.h"
#include "lib/cpu.h"
#include "guest/lib/exit.h"
#include "guest/lib/serial.h"

int main(const char *cmdline);

/* With an empty IDT the first exception cannot be delivered, nor the next. */
static void triple_fault(void)
{
	const struct table_pointer no_idt = {0};

	lidt(&no_idt);
	ud2();
}

static void hang(void)
{
	for (;;)
		pause();
}

int main(const char *cmdline)
{
	u64 code = argument(cmdline, "code");
	u64 lines = argument(cmdline, "spam");

	serial_init();
	for (u64 i = 1; i <= lines; i++)
		serial_printf("spam %lu of %lu\n", i, lines);
	if (argument(cmdline, "crash"))
		triple_fault();
	if (argument(cmdline, "hang"))
		hang();
	serial_printf("exit %lu\n", code);
	return (int)code;
}
