/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Markers: instructions that do nothing on the CPU and that the instrument
 * (capture/switchcount.c) sees. A payload brackets what it wants measured.
 *
 * A marker is the 8-byte NOP "nopl disp32(%rax,%rax,1)" (0f 1f 84 00 imm32;
 * Intel SDM vol. 2 "NOP", AMD APM vol. 3). Compilers pad with the same
 * opcode and displacement 0, hence the tag in the upper half of the
 * immediate. Executing one costs one instruction at every level.
 *
 * Protocol of a benchmark: MARK_OP before each operation's series, then
 * MARK_BEGIN and MARK_END around each iteration.
 *
 * A hypervisor that carries out its guest's VMRUN without an exit at it, or
 * resumes that guest elsewhere than behind its VMRUN, says so: MARK_ENTER and
 * MARK_LEAVE.
 */
#pragma once

#include "lib/types.h"

#define MARKER_LEN 8
#define MARKER_TAG 0x4e42u /* "NB" */
#define MARK_OP	   1	   /* the next operation's series starts */
#define MARK_BEGIN 2	   /* an iteration starts behind this NOP */
#define MARK_END   3	   /* an iteration ended before this NOP */
#define MARK_ENTER 4
#define MARK_LEAVE 5
#define MARK_MAX   5

#define MARKER_IMM(code) ((MARKER_TAG << 16) | (code))

#define MARK(code)                                                   \
	__asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00\n\t.long %c0" \
			 :                                           \
			 : "i"(MARKER_IMM(code))                     \
			 : "memory")

/* The code (1..MARK_MAX) of the marker in @bytes, or 0 if it is none. */
static inline unsigned marker_code(const u8 *bytes, size_t len)
{
	if (len != MARKER_LEN || bytes[0] != 0x0f || bytes[1] != 0x1f ||
	    bytes[2] != 0x84 || bytes[3] != 0x00)
		return 0;
	if ((bytes[6] | bytes[7] << 8) != MARKER_TAG)
		return 0;
	unsigned code = bytes[4] | (unsigned)bytes[5] << 8;

	return code <= MARK_MAX ? code : 0;
}
