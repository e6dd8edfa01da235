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
#include "guest/lib/cmdline.h"
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

static u64 number(const char *cmdline, const char *key)
{
	u64 value = 0;

	if (!cmdline_number(cmdline, key, &value)) {
		serial_printf("error %s is not a number\n", key);
		guest_exit(EXIT_USAGE);
	}
	return value;
}

int main(const char *cmdline)
{
	u64 code = number(cmdline, "code");
	u64 lines = number(cmdline, "spam");

	serial_init();
	for (u64 i = 1; i <= lines; i++)
		serial_printf("spam %lu of %lu\n", i, lines);
	if (number(cmdline, "crash"))
		triple_fault();
	if (number(cmdline, "hang"))
		hang();
	serial_printf("exit %lu\n", code);
	return (int)code;
}
