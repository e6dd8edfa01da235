/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few libc string functions that payloads use or that a compiler emits
 * calls to on its own (-ffreestanding permits it memcpy, memset, memcmp).
 */
#pragma once

#include "lib/types.h"

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
