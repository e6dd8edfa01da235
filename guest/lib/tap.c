/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/tap.h"

#include <stdarg.h>

#include "guest/lib/exit.h"
#include "guest/lib/serial.h"

static unsigned planned, run, failed;

void tap_plan(unsigned tests)
{
	planned = tests;
	serial_printf("1..%u\n", tests);
}

bool tap_ok(bool pass, const char *fmt, ...)
{
	va_list ap;

	run++;
	failed += !pass;
	serial_printf("%sok %u - ", pass ? "" : "not ", run);
	va_start(ap, fmt);
	serial_vprintf(fmt, ap);
	va_end(ap);
	serial_printf("\n");
	return pass;
}

void tap_skip(const char *reason, const char *name)
{
	run++;
	serial_printf("ok %u - %s # SKIP %s\n", run, name, reason);
}

int tap_done(void)
{
	if (failed)
		serial_printf("# %u of %u failed\n", failed, run);
	if (run != planned)
		serial_printf("# planned %u, ran %u\n", planned, run);
	return failed || run != planned ? EXIT_FAIL : EXIT_OK;
}
