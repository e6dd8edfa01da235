/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a file what QEMU's -kernel loads as a bare payload: a multiboot kernel?
 * That is an ELF32 for x86, or has a header that says itself where the file
 * goes; its loader looks at these addresses. QEMU itself would take anything
 * else for a Linux kernel or for garbage, and fail late, in another machine
 * (Multiboot Specification 0.6.96, section 3.1).
 */
#pragma once

#include <stddef.h>

#include "lib/err.h"

/* Checks the file at @path. */
int multiboot_check(const char *path, struct err *err);

/* Checks the first @size bytes of a file: NULL, or what is wrong with it. */
const char *multiboot_flaw(const unsigned char *bytes, size_t size,
			   size_t file_size);
