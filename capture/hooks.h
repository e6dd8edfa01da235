/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder to link in: what a program built with
 *
 *	clang -fsanitize-coverage=func,trace-loads,trace-stores
 *	gcc -fsanitize=thread (to compile only, not to link)
 *
 * calls at each access of its own code; its libraries are not recorded. Link it
 * with libnbhooks.a -lzstd -lxxhash -lpthread. Nothing is recorded unless
 *
 *	NESTBOX_TRACE=FILE	this process is, by a thread of its own, until
 *				it calls exit() or main() returns; or
 *	nestbox capture --hooks	this process and those that it forks are.
 *
 * Neither knows of instructions that access nothing (each access counts as
 *one). Mappings are taken from /proc when the process begins and again whenever
 *it accesses what was not mapped then.
 */
#pragma once

/* A marker in the trace: MARK_BEGIN and MARK_END of lib/marker.h are those that
 * --marked looks for. Any thread. */
void nestbox_mark(unsigned code);
