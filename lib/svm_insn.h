/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The eight SVM instructions (AMD APM vol. 3, "System Instructions"): all are
 * 0f 01 d8..df. Recognised by their bytes, because a program that looks at a
 * CPU from outside has nothing else.
 */
#pragma once

#include "lib/types.h"

enum svm_insn {
	SVM_VMRUN,
	SVM_VMMCALL,
	SVM_VMLOAD,
	SVM_VMSAVE,
	SVM_STGI,
	SVM_CLGI,
	SVM_SKINIT,
	SVM_INVLPGA,
	SVM_INSNS,
	SVM_NONE = SVM_INSNS
};

#define SVM_INSN_LEN 3 /* bytes, without prefixes */

/* A VMCB's address within these bits is rAX whatever the address size is. */
#define SHORT_PAGE 0xfffff000ull

static const char *const svm_insn_name[SVM_INSNS] = {
	"vmrun", "vmmcall", "vmload", "vmsave",
	"stgi",	 "clgi",    "skinit", "invlpga",
};

/* Operand-size, address-size, segment and REX prefixes; none has a meaning. */
static inline bool svm_insn_prefix(u8 byte)
{
	return byte == 0x66 || byte == 0x67 || byte == 0x2e || byte == 0x36 ||
	       byte == 0x3e || byte == 0x26 || byte == 0x64 || byte == 0x65 ||
	       (byte & 0xf0) == 0x40;
}

/* Which SVM instruction the @len bytes at @bytes are, or SVM_NONE. */
static inline enum svm_insn svm_insn_decode(const u8 *bytes, size_t len)
{
	while (len > SVM_INSN_LEN && svm_insn_prefix(bytes[0])) {
		bytes++;
		len--;
	}
	if (len != SVM_INSN_LEN || bytes[0] != 0x0f || bytes[1] != 0x01 ||
	    (bytes[2] & 0xf8) != 0xd8)
		return SVM_NONE;
	return (enum svm_insn)(bytes[2] & 7);
}
