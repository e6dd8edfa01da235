/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that the compiler may call on its own, and two we use. */
#include "lib/string.h"

/* By words: an emulator counts each turn of REP as an instruction. */
void *memcpy(void *to, const void *from, size_t n)
{
	void *result = to;
	size_t words = n / 8;

	__asm__ volatile("rep movsq\n\t"
			 "mov %3, %2\n\t"
			 "rep movsb"
			 : "+D"(to), "+S"(from), "+c"(words)
			 : "r"(n % 8)
			 : "memory");
	return result;
}

void *memset(void *to, int c, size_t n)
{
	void *result = to;
	size_t words = n / 8;

	__asm__ volatile("rep stosq\n\t"
			 "mov %3, %1\n\t"
			 "rep stosb"
			 : "+D"(to), "+c"(words)
			 : "a"((u8)c * 0x0101010101010101ull), "r"(n % 8)
			 : "memory");
	return result;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}
