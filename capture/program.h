/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What execve() would make of a file: whether QEMU's user mode can run it, and
 * how. For `nestbox capture` and for programs that recorded programs execute.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum program_kind {
	PROGRAM_OURS,	/* an x86-64 ELF file */
	PROGRAM_SCRIPT, /* @interpreter, maybe with @option, reads it */
	PROGRAM_OTHER,	/* set-user-ID, another machine, no program */
	PROGRAM_NONE	/* there is none, or it must not be executed */
};

struct program {
	enum program_kind kind;
	char interpreter[256];
	char option[256]; /* "" = none */
};

void program_look(const char *path, struct program *p);

/* Finds @name in $PATH as execvp() does; @path has @size bytes. */
bool program_find(const char *name, char *path, size_t size);
