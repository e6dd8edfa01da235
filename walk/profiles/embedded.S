/* SPDX-License-Identifier: Apache-2.0 */
/* The table of walk/profiles/embedded.h. */

	.macro profile name
	.pushsection .rodata
7770:	.asciz "\name"
7771:	.incbin "walk/profiles/\name\().ini"
	.byte 0
	.popsection
	.quad 7770b, 7771b
	.endm

	.section .data.rel.ro, "aw"
	.balign 8
	.globl embedded_profiles
embedded_profiles:
	profile skylake-dmt
	profile zen4
	profile golden-cove
	.quad 0, 0
	.size embedded_profiles, . - embedded_profiles
	.type embedded_profiles, @object

	.section .note.GNU-stack, "", @progbits
