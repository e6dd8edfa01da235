/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target for lib/x86dec: its input is an instruction, that is decoded in
 * all three modes and must be what Zydis sees. With libFuzzer (`make fuzz`)
 * or, through test/fuzz/replay.c, on the files of test/fuzz/regress/x86dec.
 */
#include <stdio.h>
#include <stdlib.h>

#include "test/fuzz/x86_zydis.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const int bits[] = {16, 32, 64};

	for (int mode = X86_16; mode <= X86_64; mode++) {
		const char *why =
			x86_difference(data, size, (enum x86_mode)mode);

		if (!why)
			continue;
		(void)fprintf(stderr, "%d bits: %s:", bits[mode], why);
		for (size_t i = 0; i < size && i < X86_INSN_MAX; i++)
			(void)fprintf(stderr, " %02x", data[i]);
		(void)fprintf(stderr, "\n");
		abort();
	}
	return 0;
}
