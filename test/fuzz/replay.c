/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the fuzz target on each file named; prints TAP. Sanitizers judge. */
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int main(int argc, char **argv)
{
	static unsigned char data[1 << 20];

	printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		size_t n = f ? fread(data, 1, sizeof(data), f) : 0;

		if (f && !ferror(f)) {
			LLVMFuzzerTestOneInput(data, n);
			printf("ok %d - %s\n", i, argv[i]);
		} else {
			printf("not ok %d - %s\n", i, argv[i]);
		}
		if (f)
			(void)fclose(f);
	}
	return 0;
}
