/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/lib/argument.h"

#include "guest/lib/cmdline.h"
#include "guest/lib/exit.h"
#include "guest/lib/serial.h"

u64 argument(const char *cmdline, const char *key)
{
	u64 value = 0;

	if (!cmdline_number(cmdline, key, &value)) {
		serial_printf("error %s is not a number\n", key);
		guest_exit(EXIT_USAGE);
	}
	return value;
}
