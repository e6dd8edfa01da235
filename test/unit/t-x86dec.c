/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib/x86dec: its form of instructions as text, what it refuses, addresses,
 * and every opcode with every ModRM and SIB byte against Zydis.
 */
#include "lib/x86dec.h"
#include "test/fuzz/x86_zydis.h"
#include "test/unit/unit.h"

struct bytes {
	u8 at[32];
	size_t n;
};

struct form {
	enum x86_mode mode;
	const char *hex;
	const char *text;
};

/*
 * "KIND OPERAND-BYTES[<SOURCE-BYTES] DST, SRC". Registers are numbers; memory
 * is SEGMENT:ADDRESS-BYTES[base + index * scale + displacement].
 */
static const struct form forms[] = {
	{X86_32, "88 08", "mov 1 ds:4[0], r1"},
	{X86_32, "8b 45 f8", "mov 4 r0, ss:4[5-0x8]"},
	{X86_32, "66 89 d8", "mov 2 r0, r3"},
	{X86_64, "48 8b 0c 25 f0 00 e0 fe", "mov 8 r1, ds:8[-0x11fff10]"},
	{X86_64, "4c 89 64 24 08", "mov 8 ss:8[4+0x8], r12"},
	{X86_64, "44 8b bc 98 00 01 00 00", "mov 4 r15, ds:8[0+3*4+0x100]"},
	{X86_64, "42 8a 04 20", "mov 1 r0, ds:8[0+12*1]"},
	{X86_64, "8b 05 10 00 00 00", "mov 4 r0, ds:8[rip+0x10]"},
	{X86_64, "67 8b 05 10 00 00 00", "mov 4 r0, ds:4[rip+0x10]"},
	{X86_32, "8b 05 00 00 e0 fe", "mov 4 r0, ds:4[-0x1200000]"},
	{X86_64, "41 8b 45 00", "mov 4 r0, ds:8[13]"},
	{X86_64, "4b 8b 04 ec", "mov 8 r0, ds:8[12+13*8]"},
	{X86_64, "67 43 8b 04 25 01 00 00 00", "mov 4 r0, ds:4[12*1+0x1]"},
	{X86_16, "8b 00", "mov 2 r0, ds:2[3+6*1]"},
	{X86_16, "8a 42 ff", "mov 1 r0, ss:2[5+6*1-0x1]"},
	{X86_16, "8b 1e 34 12", "mov 2 r3, ds:2[+0x1234]"},
	{X86_16, "8b 86 00 80", "mov 2 r0, ss:2[5-0x8000]"},
	{X86_16, "26 8b 07", "mov 2 r0, es:2[3]"},
	{X86_16, "67 66 8b 04 24", "mov 4 r0, ss:4[4]"},
	{X86_32, "67 8b 47 01", "mov 4 r0, ds:2[3+0x1]"},
	{X86_64, "2e 8b 00", "mov 4 r0, ds:8[0]"},
	{X86_64, "65 2e 8b 00", "mov 4 r0, gs:8[0]"},
	{X86_64, "64 8b 45 00", "mov 4 r0, fs:8[5]"},
	{X86_64, "48 66 8b 00", "mov 2 r0, ds:8[0]"}, /* REX too early */
	{X86_64, "66 48 8b 00", "mov 8 r0, ds:8[0]"},
	{X86_64, "a1 88 77 66 55 44 33 22 11",
	 "mov 4 r0, ds:8[+0x1122334455667788]"},
	{X86_64, "67 a2 00 00 e0 fe", "mov 1 ds:4[+0xfee00000], r0"},
	{X86_16, "64 a3 34 12", "mov 2 fs:2[+0x1234], r0"},
	{X86_64, "48 c7 00 ff ff ff ff", "mov 8 ds:8[0], 0xffffffffffffffff"},
	{X86_64, "c7 40 10 78 56 34 12", "mov 4 ds:8[0+0x10], 0x12345678"},
	{X86_64, "66 c7 00 34 12", "mov 2 ds:8[0], 0x1234"},
	{X86_64, "0f b6 00", "movzx 4<1 r0, ds:8[0]"},
	{X86_64, "48 0f bf 00", "movsx 8<2 r0, ds:8[0]"},
	{X86_64, "f3 48 ab", "f3 stos 8 es:8[7], r0"},
	{X86_32, "2e f3 66 a5", "f3 movs 2 es:rdi, cs:4[6]"},
	{X86_64, "67 a4", "movs 1 es:rdi, ds:4[6]"},
	{X86_32, "f0 83 08 ff", "lock or 4 ds:4[0], 0xffffffff"},
	{X86_64, "48 81 20 00 00 00 80", "and 8 ds:8[0], 0xffffffff80000000"},
	{X86_32, "82 38 05", "cmp 1 ds:4[0], 0x5"},
	{X86_32, "1b 00", "sbb 4 r0, ds:4[0]"},
	{X86_32, "85 08", "test 4 ds:4[0], r1"},
	{X86_32, "f6 00 80", "test 1 ds:4[0], 0x80"},
	{X86_32, "f0 87 08", "lock xchg 4 ds:4[0], r1"},
	{X86_64, "44 0f 20 c0", "mov_cr 8 r0, cr8"},
	{X86_64, "0f 22 1c", "mov_cr 8 cr3, r4"}, /* mod is ignored */
	{X86_32, "0f 23 f8", "mov_dr 4 dr7, r0"},
	{X86_64, "0f 01 30", "lmsw 2 -, ds:8[0]"},
	{X86_64, "0f 01 e1", "smsw 4 r1, -"},
	{X86_64, "0f 01 21", "smsw 2 ds:8[1], -"},
	{X86_32, "0f 01 3d 00 10 00 00", "invlpg 4 -, -"},
	{X86_64, "0f 01 03", "sgdt 10 ds:8[3], -"},
	{X86_64, "66 65 0f 01 4c 24 08", "sidt 10 gs:8[4+0x8], -"},
	{X86_16, "66 0f 01 16 34 12", "lgdt 6 -, ds:2[+0x1234]"},
	{X86_32, "0f 01 5d 00", "lidt 6 -, ss:4[5]"},
	{X86_64, "0f 00 c0", "sldt 4 r0, -"},
	{X86_64, "49 0f 00 c8", "str 8 r8, -"},
	{X86_64, "48 0f 00 08", "str 2 ds:8[0], -"},
	{X86_64, "0f 00 d3", "lldt 2 -, r3"},
	{X86_32, "26 0f 00 1f", "ltr 2 -, es:4[7]"},
	{X86_64, "66 44 0f 38 82 41 10", "invpcid 8<16 r8, ds:8[1+0x10]"},
	{X86_32, "66 0f 38 82 0a", "invpcid 4<16 r1, ds:4[2]"},
	{X86_64, "0f 01 fe", "invlpgb 4 -, -"},
	{X86_64, "0f 01 ff", "tlbsync 4 -, -"},
	{X86_64, "0f 01 fd", "rdpru 4 -, -"},
	{X86_64, "0f 01 fa", "monitorx 4 -, -"},
	{X86_64, "f3 0f 01 fa", "f3 mcommit 4 -, -"},
	{X86_64, "0f 01 fb", "mwaitx 4 -, -"},
	{X86_64, "0f aa", "rsm 4 -, -"},
	{X86_32, "ce", "into 4 -, -"},
	{X86_32, "e5 60", "in 4 r0, 0x60"},
	{X86_64, "48 ef", "out 4 dx, r0"},
	{X86_32, "f3 6c", "f3 ins 1 es:4[7], dx"},
	{X86_64, "f3 65 6f", "f3 outs 4 dx, gs:8[6]"},
	{X86_32, "cd 80", "int 4 -, 0x80"},
	{X86_64, "0f a2", "cpuid 4 -, -"},
	{X86_64, "0f 01 d8", "vmrun 4 -, -"},
	{X86_64, "0f 01 df", "invlpga 4 -, -"},
	{X86_64, "f3 90", "f3 pause 4 -, -"},
	{X86_64, "48 cf", "iret 8 -, -"},
	{X86_64, "66 9c", "pushf 2 -, -"},
	{X86_64, "9d", "popf 8 -, -"},
};

static const struct form refused[] = {
	{X86_64, "90", "NOP"},
	{X86_64, "8c 00", "MOV of a segment register"},
	{X86_64, "0f 0b", "UD2"},
	{X86_64, "0f 38 00", "another map"},
	{X86_64, "82 00 00", "82 in 64-bit code"},
	{X86_64, "c7 08", "C7 /1"},
	{X86_64, "f7 10", "NOT"},
	{X86_64, "0f 20 08", "CR1"},
	{X86_64, "44 0f 21 c0", "DR8"},
	{X86_64, "0f 01 f8", "SWAPGS"},
	{X86_64, "0f 01 d0", "XGETBV"},
	{X86_64, "66 0f 01 d1", "XSETBV with 66"},
	{X86_64, "0f 01 c0", "SGDT to a register"},
	{X86_64, "0f 00 e0", "VERR"},
	{X86_64, "66 0f 38 82 c0", "INVPCID of a register"},
	{X86_64, "0f 38 82 00", "INVPCID without 66"},
	{X86_64, "66 f3 0f 38 82 00", "INVPCID with F3"},
	{X86_64, "f3 0f 01 ff", "PSMASH"},
	{X86_64, "f2 0f 01 fa", "MCOMMIT with F2"},
	{X86_64, "ce", "INTO in 64-bit code"},
	{X86_64, "f0 0f 01 10", "LOCK LGDT"},
	{X86_64, "f0 89 08", "LOCK MOV"},
	{X86_64, "f0 01 c8", "LOCK ADD to a register"},
	{X86_64, "f0 03 08", "LOCK ADD from memory"},
	{X86_64, "f0 39 08", "LOCK CMP"},
	{X86_64, "f0 0f a2", "LOCK CPUID"},
	{X86_32, "f0 0f 20 c0", "LOCK MOV from CR0"},
};

static struct bytes parse(const char *hex)
{
	struct bytes b = {.n = 0};
	char *end;

	for (; *hex; hex = end)
		b.at[b.n++] = (u8)strtoul(hex, &end, 16);
	return b;
}

static const char *memory_text(const struct x86_insn *in, char *text)
{
	static const char *const seg[] = {"es", "cs", "ss", "ds", "fs", "gs"};
	const struct x86_mem *m = &in->mem;
	char *end = text;

	end += sprintf(end, "%s:%d[", seg[m->seg], in->addr_bytes);
	if (m->base != X86_NO_REG)
		end += sprintf(end, "%d", m->base);
	if (m->index != X86_NO_REG)
		end += sprintf(end, "%s%d*%d", m->base != X86_NO_REG ? "+" : "",
			       m->index, m->scale);
	if (m->rip_relative)
		end += sprintf(end, "rip");
	if (m->disp)
		end += sprintf(end, "%c0x%lx", m->disp < 0 ? '-' : '+',
			       m->disp < 0 ? -m->disp : m->disp);
	sprintf(end, "]");
	return text;
}

static const char *operand_text(const struct x86_insn *in,
				enum x86_operand which, char *text)
{
	switch (which) {
	case X86_NONE:
		return "-";
	case X86_DX:
		return "dx";
	case X86_ES_DI:
		return "es:rdi";
	case X86_RM:
		if (in->has_mem)
			return memory_text(in, text);
		sprintf(text, "r%d", in->rm);
		break;
	case X86_REG:
		sprintf(text, "r%d", in->reg);
		break;
	case X86_CR:
		sprintf(text, "cr%d", in->reg);
		break;
	case X86_DR:
		sprintf(text, "dr%d", in->reg);
		break;
	case X86_IMM:
		sprintf(text, "0x%lx", in->imm);
		break;
	}
	return text;
}

static void insn_text(const struct x86_insn *in, char *text)
{
	static const char *const kinds[X86_KINDS] = {
		"other",   "add",    "or",	 "adc",	   "sbb",     "and",
		"sub",	   "xor",    "cmp",	 "test",   "xchg",    "mov",
		"movzx",   "movsx",  "movs",	 "stos",   "in",      "out",
		"ins",	   "outs",   "mov_cr",	 "mov_dr", "lmsw",    "smsw",
		"sgdt",	   "sidt",   "lgdt",	 "lidt",   "sldt",    "str",
		"lldt",	   "ltr",    "clts",	 "invlpg", "invpcid", "invlpgb",
		"tlbsync", "cpuid",  "rdmsr",	 "wrmsr",  "rdtsc",   "rdtscp",
		"rdpmc",   "rdpru",  "invd",	 "wbinvd", "mcommit", "xsetbv",
		"monitor", "mwait",  "monitorx", "mwaitx", "vmcall",  "vmrun",
		"vmmcall", "vmload", "vmsave",	 "stgi",   "clgi",    "skinit",
		"invlpga", "hlt",    "pause",	 "int",	   "int1",    "int3",
		"into",	   "iret",   "rsm",	 "pushf",  "popf",
	};
	char dst[64], src[64];

	if (in->rep)
		text += sprintf(text, "%x ", in->rep);
	if (in->lock)
		text += sprintf(text, "lock ");
	text += sprintf(text, "%s %d", kinds[in->kind], in->op_bytes);
	if (in->src_bytes != in->op_bytes)
		text += sprintf(text, "<%d", in->src_bytes);
	sprintf(text, " %s, %s", operand_text(in, in->dst, dst),
		operand_text(in, in->src, src));
}

static void forms_are_decoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct bytes b = parse(forms[i].hex);
		struct x86_insn in;
		char text[192];

		assert_int_equal(x86_decode(b.at, b.n, forms[i].mode, &in),
				 X86_OK);
		insn_text(&in, text);
		assert_string_equal(text, forms[i].text);
		assert_int_equal(in.len, b.n);
		assert_null(x86_difference(b.at, b.n, forms[i].mode));
	}
}

static void others_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct bytes b = parse(refused[i].hex);
		struct x86_insn in;

		if (x86_decode(b.at, X86_INSN_MAX, refused[i].mode, &in) !=
		    X86_UNKNOWN)
			fail_msg("accepted: %s", refused[i].text);
	}
}

/* A prefix may be repeated, but not until there are more than 15 bytes. */
static void fifteen_bytes_are_the_limit(void **state)
{
	static const u8 mov[] = {0x8b, 0x00}, mov_disp8[] = {0x8b, 0x40, 0x00};
	u8 code[20];
	struct x86_insn in;

	(void)state;
	memset(code, 0x66, sizeof(code));
	assert_int_equal(x86_decode(code, 14, X86_64, &in), X86_SHORT);
	assert_int_equal(x86_decode(code, 15, X86_64, &in), X86_UNKNOWN);
	memcpy(code + 13, mov, sizeof(mov));
	assert_int_equal(x86_decode(code, 14, X86_64, &in), X86_SHORT);
	assert_int_equal(x86_decode(code, 15, X86_64, &in), X86_OK);
	assert_int_equal(in.len, 15);
	memcpy(code + 13, mov_disp8, sizeof(mov_disp8));
	assert_int_equal(x86_decode(code, 15, X86_64, &in), X86_UNKNOWN);
	assert_int_equal(x86_decode(code, 16, X86_64, &in), X86_UNKNOWN);
	assert_int_equal(x86_decode(code, 0, X86_64, &in), X86_SHORT);
}

static u64 offset_of(enum x86_mode mode, const char *hex)
{
	static const u64 gpr[16] = {0xffffffff00000010,
				    1,
				    2,
				    0xfff8,
				    4,
				    5,
				    0x20,
				    7,
				    8,
				    9,
				    10,
				    11,
				    12,
				    13,
				    14,
				    15};
	struct bytes b = parse(hex);
	struct x86_insn in;

	assert_int_equal(x86_decode(b.at, b.n, mode, &in), X86_OK);
	if (in.dst == X86_ES_DI)
		return x86_offset_es_di(&in, gpr);
	return x86_offset(&in, gpr, 0xfffffff0);
}

static void offsets_wrap_at_the_address_size(void **state)
{
	(void)state;
	assert_int_equal(offset_of(X86_64, "8b 40 f0"), 0xffffffff00000000);
	assert_int_equal(offset_of(X86_64, "67 8b 40 e0"), 0xfffffff0);
	assert_int_equal(offset_of(X86_32, "8b 44 f0 01"), 0x111);
	assert_int_equal(offset_of(X86_16, "8b 00"), 0x18);
	assert_int_equal(offset_of(X86_64, "8b 05 0b 00 00 00"), 0x100000001);
	assert_int_equal(offset_of(X86_64, "67 8b 05 0b 00 00 00"), 2);
	assert_int_equal(offset_of(X86_64, "a4"), 7);
	assert_int_equal(offset_of(X86_64, "43 8b 04 fe"), 14 + 15 * 8);
}

static void segments_have_bases_where_they_count(void **state)
{
	struct x86_insn in = {.mode = X86_32};

	(void)state;
	assert_int_equal(x86_linear(&in, X86_DS, 0x10, 0xfffffff8), 8);
	in.mode = X86_64;
	assert_int_equal(x86_linear(&in, X86_DS, 0x10, 0xfffffff8), 0xfffffff8);
	assert_int_equal(x86_linear(&in, X86_GS, 0x10, 0xfffffff8),
			 0x100000008);
}

static void registers_are_read_and_written_in_part(void **state)
{
	u64 gpr[16] = {0x1122334455667788, [4] = 0x99, [8] = 0xaabb};
	struct x86_insn in = {.mode = X86_64};

	(void)state;
	assert_int_equal(x86_reg_read(&in, gpr, 4, 1), 0x77); /* ah */
	x86_reg_write(&in, gpr, 4, 1, 0x1234);
	assert_int_equal(gpr[0], 0x1122334455663488);
	in.rex = 0x40;
	assert_int_equal(x86_reg_read(&in, gpr, 4, 1), 0x99); /* spl */
	x86_reg_write(&in, gpr, 0, 2, 0xabcdef);
	assert_int_equal(gpr[0], 0x112233445566cdef);
	x86_reg_write(&in, gpr, 0, 4, 0xfffffffff);
	assert_int_equal(gpr[0], 0xffffffff);
	assert_int_equal(x86_reg_read(&in, gpr, 8, 4), 0xaabb);
	x86_reg_write(&in, gpr, 8, 8, ~0ul);
	assert_int_equal(x86_reg_read(&in, gpr, 8, 8), ~0ul);
}

/* Behind these come the opcode and what follows it. REX only for 64 bits. */
static const char *const prefixes[] = {
	"",	 "66",	  "67",	   "f0",    "f2",    "f3",    "36", "65 3e",
	"66 67", "66 f3", "f3 f2", "66 f0", "f3 f0", "40",    "41", "48",
	"4f",	 "66 48", "67 4f", "48 66", "f3 41", "f0 48", "44",
};

#define LEGACY_PREFIXES 13

static void agree(const struct bytes *b, enum x86_mode mode)
{
	const char *why = x86_difference(b->at, X86_INSN_MAX, mode);
	char hex[64] = "";

	if (!why)
		return;
	for (size_t i = 0; i < X86_INSN_MAX; i++)
		sprintf(hex + 3 * i, "%02x ", b->at[i]);
	fail_msg("%d bits: %s: %s", 16 << mode, why, hex);
}

/* Every ModRM byte, the byte behind it once in all values. */
static void opcode_agrees(struct bytes b, enum x86_mode mode)
{
	for (unsigned modrm = 0; modrm < 256; modrm++) {
		b.at[b.n] = (u8)modrm;
		b.at[b.n + 1] = (u8)(modrm * 37 + 0x25);
		agree(&b, mode);
	}
}

static void map_agrees(struct bytes b, enum x86_mode mode)
{
	size_t at = b.n++;

	for (unsigned opcode = 0; opcode < 256; opcode++) {
		b.at[at] = (u8)opcode;
		opcode_agrees(b, mode);
	}
}

/* MOV and its SIB bytes, with every displacement. */
static void sib_agrees(struct bytes b, enum x86_mode mode)
{
	b.at[b.n++] = 0x8b;
	for (unsigned i = 0; i < 3 * 256; i++) {
		b.at[b.n] = (u8)(0x0c | (i >> 8) << 6);
		b.at[b.n + 1] = (u8)i;
		agree(&b, mode);
	}
}

static void all_opcodes_agree_with_zydis(void **state)
{
	(void)state;
	for (unsigned mode = X86_16; mode <= X86_64; mode++) {
		size_t n =
			mode == X86_64 ? ARRAY_SIZE(prefixes) : LEGACY_PREFIXES;

		for (size_t i = 0; i < n; i++) {
			struct bytes b = parse(prefixes[i]);

			for (size_t tail = b.n; tail < X86_INSN_MAX; tail++)
				b.at[tail] = (u8)(0xe4 - tail * 0x13);
			sib_agrees(b, (enum x86_mode)mode);
			map_agrees(b, (enum x86_mode)mode);
			b.at[b.n++] = 0x0f;
			map_agrees(b, (enum x86_mode)mode);
			b.at[b.n++] = 0x38;
			map_agrees(b, (enum x86_mode)mode);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_are_decoded),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test(fifteen_bytes_are_the_limit),
		cmocka_unit_test(offsets_wrap_at_the_address_size),
		cmocka_unit_test(segments_have_bases_where_they_count),
		cmocka_unit_test(registers_are_read_and_written_in_part),
		cmocka_unit_test(all_opcodes_agree_with_zydis),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
