/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/exit.h"

#define SVM_INVALID 0xffffffffu

struct row {
	u16 svm, svm_count, vmx;
	const char *text;
};

static const struct row rows[EXIT_SLOTS] = {
	[EXIT_unknown] = {NO_EXIT, 1, NO_EXIT, "unknown"},
	[EXIT_invalid] = {NO_EXIT, 1, NO_EXIT, "invalid guest state"},
#define EXIT(slot, svm, svm_count, vmx, text) \
	[EXIT_##slot] = {svm, svm_count, vmx, text},
#include "lib/exit.def"
#undef EXIT
};

enum exit_slot exit_slot_svm(u64 code)
{
	u32 low = (u32)code;

	if (low == SVM_INVALID)
		return EXIT_invalid;
	for (unsigned s = EXIT_invalid + 1; s < EXIT_SLOTS; s++)
		if (rows[s].svm != NO_EXIT && low >= rows[s].svm &&
		    low - rows[s].svm < rows[s].svm_count)
			return (enum exit_slot)s;
	return EXIT_unknown;
}

void exit_table_svm(u8 *slot_of, size_t n)
{
	_Static_assert(EXIT_SLOTS <= 256, "a slot fits a byte");
	__builtin_memset(slot_of, EXIT_unknown, n);
	for (unsigned s = EXIT_invalid + 1; s < EXIT_SLOTS; s++)
		for (size_t code = rows[s].svm;
		     code < n && code - rows[s].svm < rows[s].svm_count; code++)
			slot_of[code] = (u8)s;
}

enum exit_slot exit_slot_vmx(u32 reason)
{
	for (unsigned s = EXIT_invalid + 1; s < EXIT_SLOTS; s++)
		if (rows[s].vmx != NO_EXIT && rows[s].vmx == (reason & 0xffff))
			return (enum exit_slot)s;
	return EXIT_unknown;
}

const char *exit_name(enum exit_slot slot)
{
	return slot < EXIT_SLOTS ? rows[slot].text : "?";
}
