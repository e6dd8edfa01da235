/* SPDX-License-Identifier: Apache-2.0 */
/* hv/emulate: every known instruction, compared with the CPU's own doing. */
#include "hv/emulate.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "test/unit/unit.h"

#define FLAG_AF	  0x010ull
#define FLAGS	  0x8d5ull
#define FLAG_DF	  0x400ull
#define CODE_SIZE 4096
#define ROUNDS	  200
#define RET	  0xc3

enum { RAX, RCX, RDX, RBX, RSI = 6, RDI };

static u8 *code;

static u64 random64(void)
{
	static const u64 edges[] = {0,		1,	0x7f,	0x80,
				    0xff,	0x7fff, 0x8000, 0x7fffffff,
				    0x80000000, ~0ull};

	if (random() % 4 == 0)
		return edges[(size_t)random() % ARRAY_SIZE(edges)];
	return (u64)random() << 42 ^ (u64)random() << 21 ^ (u64)random();
}

/* Runs the code on the CPU; RDI is @memory, RSP and RBP stay ours. */
static void run(u64 gpr[16], u64 *rflags)
{
	register u64 flags __asm__("r8") = *rflags;

	__asm__ volatile("push %5\n\tpopfq\n\t"
			 "call *%7\n\t"
			 "pushfq\n\tpop %5\n\tcld"
			 : "+a"(gpr[RAX]), "+c"(gpr[RCX]), "+d"(gpr[RDX]),
			   "+b"(gpr[RBX]), "+S"(gpr[RSI]), "+r"(flags),
			   "+D"(gpr[RDI])
			 : "r"(code)
			 : "memory", "cc");
	*rflags = flags;
}

static u64 read_memory(const struct operand *o, unsigned bytes)
{
	u64 value = 0;

	memcpy(&value, o->ctx, bytes);
	return value;
}

static void write_memory(const struct operand *o, unsigned bytes, u64 value)
{
	memcpy(o->ctx, &value, bytes);
}

static bool source(const struct operand *o, unsigned bytes, u64 *value)
{
	*value = 0;
	memcpy(value, *(void **)o->address, bytes);
	return true;
}

/* Both get the same start; @undefined flags may differ after. */
static void compare(const u8 *bytes, size_t n, u64 undefined)
{
	u64 memory[2], other = random64(), gpr[2][16], rflags[2];
	struct x86_insn insn;

	memcpy(code, bytes, n);
	code[n] = RET;
	assert_int_equal(x86_decode(code, n, X86_64, &insn), X86_OK);
	for (unsigned i = 0; i < 16; i++)
		gpr[0][i] = random64();
	gpr[0][RDI] = (u64)&memory[0];
	gpr[0][RSI] = insn.kind == X86_MOVS ? (u64)&other : gpr[0][RSI];
	memcpy(gpr[1], gpr[0], sizeof(gpr[0]));
	rflags[0] = rflags[1] = 2 | ((u64)random() & (FLAGS | FLAG_DF));
	memory[0] = memory[1] = random64();

	run(gpr[0], &rflags[0]);
	assert_int_equal(
		emulate(&insn, gpr[1], &rflags[1],
			&(struct operand){read_memory, write_memory, source,
					  &memory[1], (u64)&gpr[1][RSI]},
			true),
		EMULATE_DONE);
	assert_memory_equal(gpr[0], gpr[1], sizeof(gpr[0]));
	assert_int_equal(memory[0], memory[1]);
	assert_int_equal(rflags[0] & FLAGS & ~undefined,
			 rflags[1] & FLAGS & ~undefined);
}

/* @bytes with no prefix, with 66, with REX.W and with an empty REX. */
static void with_prefixes(const u8 *bytes, size_t n, u64 undefined)
{
	static const u8 prefixes[] = {0x66, 0x48, 0x40};
	u8 longer[16];

	compare(bytes, n, undefined);
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		longer[0] = prefixes[i];
		memcpy(longer + 1, bytes, n);
		compare(longer, n + 1, undefined);
	}
}

/* ModRM: memory at (RDI). 4, 5 and 7 would be RSP, RBP and RDI. */
static u8 modrm(unsigned reg)
{
	return (u8)(reg << 3 | RDI);
}

static void two_operands(const u8 *opcode, size_t n, u64 undefined)
{
	static const u8 regs[] = {RAX, RCX, RDX, RBX, RSI};
	u8 bytes[4];

	memcpy(bytes, opcode, n);
	for (unsigned round = 0; round < ROUNDS; round++) {
		bytes[n] = modrm(regs[round % ARRAY_SIZE(regs)]);
		with_prefixes(bytes, n + 1, undefined);
	}
}

static u64 undefined_by(unsigned op)
{
	return op == 1 || op == 4 || op == 6 ? FLAG_AF : 0; /* OR AND XOR */
}

static void arithmetic_with_registers(void **state)
{
	(void)state;
	for (unsigned op = 0; op < 8; op++)
		for (unsigned form = 0; form < 4; form++)
			two_operands((u8[]){(u8)(op << 3 | form)}, 1,
				     undefined_by(op));
	two_operands((u8[]){0x84}, 1, FLAG_AF);
	two_operands((u8[]){0x85}, 1, FLAG_AF);
}

static void moves_and_exchanges(void **state)
{
	static const u8 opcodes[] = {0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b};
	static const u8 extending[] = {0xb6, 0xb7, 0xbe, 0xbf};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(opcodes); i++)
		two_operands(&opcodes[i], 1, 0);
	for (size_t i = 0; i < ARRAY_SIZE(extending); i++)
		two_operands((u8[]){0x0f, extending[i]}, 2, 0);
}

/* AH, CH, DH, BH: only without REX. */
static void high_bytes(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned reg = 4; reg < 8; reg++) {
			compare((u8[]){0x00, modrm(reg)}, 2, 0);
			compare((u8[]){0x86, modrm(reg)}, 2, 0);
			compare((u8[]){0x8a, modrm(reg)}, 2, 0);
		}
}

static void with_immediates(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		u8 a = (u8)random(), b = (u8)random();

		for (unsigned op = 0; op < 8; op++) {
			u64 u = undefined_by(op);

			compare((u8[]){0x80, modrm(op), a}, 3, u);
			compare((u8[]){0x81, modrm(op), a, b, b, a}, 6, u);
			compare((u8[]){0x48, 0x83, modrm(op), a}, 4, u);
		}
		compare((u8[]){0xc6, modrm(0), a}, 3, 0);
		compare((u8[]){0x48, 0xc7, modrm(0), a, b, a, b}, 7, 0);
		compare((u8[]){0xf6, modrm(0), a}, 3, FLAG_AF);
		compare((u8[]){0x66, 0xf7, modrm(0), a, b}, 5, FLAG_AF);
	}
}

static void strings(void **state)
{
	static const u8 opcodes[] = {0xaa, 0xab, 0xa4, 0xa5};

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++)
		with_prefixes(&opcodes[round % ARRAY_SIZE(opcodes)], 1, 0);
}

static void repeated_strings_go_on(void **state)
{
	static const u8 rep_stosd[] = {0xf3, 0xab};
	u64 gpr[16] = {[RAX] = 0x12345678, [RCX] = 2, [RDI] = 0x1000};
	u64 memory = 0, rflags = 2;
	struct operand o = {.write = write_memory, .ctx = &memory};
	struct x86_insn insn;

	(void)state;
	assert_int_equal(x86_decode(rep_stosd, 2, X86_64, &insn), X86_OK);
	assert_int_equal(emulate(&insn, gpr, &rflags, &o, true), EMULATE_AGAIN);
	assert_int_equal(gpr[RCX], 1);
	assert_int_equal(gpr[RDI], 0x1004);
	assert_int_equal(emulate(&insn, gpr, &rflags, &o, true), EMULATE_DONE);
	assert_int_equal(gpr[RCX], 0);
	assert_int_equal(memory, 0x12345678);
}

static void others_are_unknown(void **state)
{
	static const u8 lidt[] = {0x0f, 0x01, 0x1f}, cpuid[] = {0x0f, 0xa2};
	static const u8 movs[] = {0xa4}, mov_regs[] = {0x89, 0xc8};
	u64 gpr[16] = {0}, rflags = 2;
	struct operand o = {0};
	struct x86_insn insn;

	(void)state;
	if (x86_decode(lidt, 3, X86_64, &insn) == X86_OK)
		assert_int_equal(emulate(&insn, gpr, &rflags, &o, true),
				 EMULATE_UNKNOWN);
	assert_int_equal(x86_decode(cpuid, 2, X86_64, &insn), X86_OK);
	assert_int_equal(emulate(&insn, gpr, &rflags, &o, true),
			 EMULATE_UNKNOWN);
	assert_int_equal(x86_decode(mov_regs, 2, X86_64, &insn), X86_OK);
	assert_int_equal(emulate(&insn, gpr, &rflags, &o, true),
			 EMULATE_UNKNOWN);
	/* From the device: its destination would have to be walked. */
	assert_int_equal(x86_decode(movs, 1, X86_64, &insn), X86_OK);
	assert_int_equal(emulate(&insn, gpr, &rflags, &o, false),
			 EMULATE_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arithmetic_with_registers),
		cmocka_unit_test(moves_and_exchanges),
		cmocka_unit_test(high_bytes),
		cmocka_unit_test(with_immediates),
		cmocka_unit_test(strings),
		cmocka_unit_test(repeated_strings_go_on),
		cmocka_unit_test(others_are_unknown),
	};

	code = mmap(NULL, CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(code, MAP_FAILED);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
