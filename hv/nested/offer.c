/* SPDX-License-Identifier: Apache-2.0 */
/* What L1 finds of SVM: CPUID, MSRs, and L0's state for it. */
#include "hv/mem.h"
#include "hv/nested/assist.h"
#include "hv/nested/merge.h"
#include "hv/nested/save.h"
#include "hv/nested/shadow.h"
#include "hv/nested/vmrun.h"
#include "hv/percpu.h"
#include "hv/space.h"
#include "hv/svm/quirk.h"
#include "lib/string.h"

#define REVISION     1u
#define SVM_ADDR_CHK 0x10000000u
#define MSRPM_PAGES  2
#define SHADOW_PART  2 /* of L0's free memory, as 1 / n */

/* L0 makes these itself where the CPU has them not. */
#define MADE                                                                 \
	(SVM_NPT | SVM_NRIP | SVM_CLEAN | SVM_FLUSH | SVM_ASSIST | SVM_VLS | \
	 SVM_VGIF)

struct nested_offer offer;

/* All ports exit: of which L1 wants to know is asked then. */
static u64 new_iopm(void)
{
	void *map = mem_pages(IOPM_PAGES, PAGE_SIZE);

	return virt_to_phys(memset(map, 0xff, (size_t)IOPM_PAGES * PAGE_SIZE));
}

/* Bits of int_ctl that mean something to L1's guest. */
static u32 known_int_ctl(void)
{
	u32 known = VMCB_V_TPR_MASK | VMCB_V_IRQ | VMCB_V_PRIO_MASK |
		    VMCB_V_IGN_TPR | VMCB_V_INTR_MASKING;

	if (cpu_has(SVM_VGIF) && offers(SVM_VGIF))
		known |= VMCB_V_GIF | VMCB_V_GIF_ENABLE;
	return known;
}

void nested_init(u32 mask, u32 shake)
{
	struct cpuid cpu = cpuid(CPUID_SVM, 0);
	u32 asids = cpu.ebx - 1;

	if (!mask)
		return;
	offer.cpu = cpu.edx;
	offer.features = mask & (MADE | (cpu.edx & SVM_ADDR_CHK));
	offer.limits = (struct check_limits){
		.phys_mask = space_size() - 1,
		.cr4 = vmm->known_cr4() & ~(u64)(CR4_LA57 | CR4_CET),
		.efer = vmm->known_efer() | EFER_SVME,
		.asids = asids < NESTED_ASIDS ? asids : NESTED_ASIDS,
		.nested_paging = offers(SVM_NPT),
		.paging = true,
		.marks_pdpes = cpu_is_tcg(),
	};
	offer.phys_bits = (unsigned)__builtin_ctzll(space_size());
	offer.int_ctl = known_int_ctl();
	offer.iopm = new_iopm();
	assist_init();
	shake_init(shake);
	shadow_init(mem_free_pages() / SHADOW_PART);
}

void nested_start(struct vcpu *v)
{
	struct nested *n;

	if (!nested_is_offered())
		return;
	n = mem_pages(1, PAGE_SIZE);
	_Static_assert(sizeof(*n) <= PAGE_SIZE, "one page");
	n->vmcb01 = v->backend;
	n->limits = offer.limits;
	for (unsigned i = 0; i < PAIRS; i++) {
		n->pairs[i].copy12 = mem_pages(1, PAGE_SIZE);
		n->pairs[i].vmcb02 = mem_pages(1, PAGE_SIZE);
		n->pairs[i].msrpm = mem_pages(MSRPM_PAGES, PAGE_SIZE);
		merge_msrs_init(n->pairs[i].msrpm);
	}
	n->pair = n->pairs;
	n->vmcb02 = n->pair->vmcb02;
	n->copy12 = n->pair->copy12;
	shake_start(n);
	n->iopm = mem_pages(IOPM_PAGES, PAGE_SIZE);
	n->memory = guest_memory(v);
	v->nested = n;
}

bool nested_is_offered(void)
{
	return offer.features;
}

void nested_cpuid(struct cpuid *r)
{
	*r = (struct cpuid){0};
	if (nested_is_offered())
		*r = (struct cpuid){.eax = REVISION,
				    .ebx = offer.limits.asids,
				    .edx = offer.features};
}

/* MSRs *********************************************************************/

bool nested_read_vm_cr(struct vcpu *v, u64 *value)
{
	*value = v->nested ? v->nested->vm_cr : VM_CR_LOCK | VM_CR_SVMDIS;
	return true;
}

/* SVMDIS and LOCK stay once locked; INIT is never redirected (APM vol. 2,
 * 15.30.1; doc/caveats.md). */
bool nested_write_vm_cr(struct vcpu *v, u32 msr, u64 value)
{
	struct nested *n = v->nested;
	const u64 held = VM_CR_LOCK | VM_CR_SVMDIS;

	(void)msr;
	if (!n || value & ~VM_CR_KNOWN || (value & VM_CR_SVMDIS && v->svme))
		return false;
	if (n->vm_cr & VM_CR_LOCK)
		value = (value & ~held) | (n->vm_cr & held);
	n->vm_cr = value & VM_CR_KEPT;
	return true;
}

bool nested_read_hsave(struct vcpu *v, u64 *value)
{
	if (v->nested)
		*value = v->nested->hsave;
	return v->nested;
}

bool nested_write_hsave(struct vcpu *v, u32 msr, u64 value)
{
	(void)msr;
	if (!v->nested || value % PAGE_SIZE || value & ~offer.limits.phys_mask)
		return false;
	v->nested->hsave = value;
	return true;
}
