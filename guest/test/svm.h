/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hypervisor as small as it can be, for payloads that look at how a CPU
 * does SVM. Its one guest runs in 64-bit mode on the payload's own page
 * tables and a stack of its own, under an identity nested page table of 4 GiB
 * in which the 2 MiB from SVM_SCRATCH on are 4 KiB pages.
 *
 * svm_reset() before each experiment; change svm_vmcb as the experiment needs;
 * svm_run(code). Every exception of the guest is an exit unless the caller
 * says otherwise; its IDT (SVM_IDT) leads every vector to svm_handler, which
 * is a VMMCALL. idt_init() first. One CPU only, interrupts off.
 */
#pragma once

#include "guest/lib/x86.h"
#include "lib/vmcb.h"

#define SVM_SCRATCH	(32ul << 20)
#define SVM_IDT		SVM_SCRATCH
#define SVM_PAGE_A	(SVM_SCRATCH + 0x1000)
#define SVM_PAGE_B	(SVM_SCRATCH + 0x2000)
#define SVM_GUEST_STACK (SVM_SCRATCH + 0x4000) /* its end */

#define NPTE_NX	 (1ull << 63)
#define NPTE_ALL (PTE_TABLE | PTE_USER)

/* General registers that the guest may use; RAX is in the VMCB. */
struct svm_regs {
	u64 rbx, rcx, rdx, rsi, rdi;
};

/* Code of a guest: assembly that ends by VMMCALL if nothing else exits. */
typedef void svm_code(void);
#define SVM_CODE(name, text)                                       \
	static __attribute__((naked, aligned(16))) void name(void) \
	{                                                          \
		__asm__ volatile(text "\n\tvmmcall");              \
	}

extern struct vmcb svm_vmcb;
extern struct svm_regs svm_regs;

/* Turns SVM on. False: this CPU has none. */
bool svm_init(void);

void svm_reset(void);

/* Leads the guest's interrupt @vector to @handler. */
void svm_gate(u8 vector, svm_code *handler);

/*
 * Runs the guest until an exit. Returns NO_TRAP, or the vector of the
 * exception that VMRUN itself raised. svm_run() sets GIF afterwards;
 * svm_run_raw() leaves it and starts at save.rip.
 */
int svm_run(svm_code *code);
int svm_run_raw(void);

/* Runs VMRUN with any operand. */
int svm_run_at(u64 vmcb_pa);

/* The nested page-table entry of a page of the scratch region. */
u64 *svm_npte(u64 gpa);

svm_code svm_handler;

static inline void svm_stgi(void)
{
	__asm__ volatile("stgi" : : : "memory");
}

static inline void svm_clgi(void)
{
	__asm__ volatile("clgi" : : : "memory");
}
