/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/svm/memo.h"

#include "hv/code.h"
#include "hv/mem.h"
#include "lib/vmcb.h"

_Static_assert(MEMOS * sizeof(struct memo) <= 2ul * PAGE_SIZE, "two pages");

void memo_start(struct vcpu *v)
{
	v->memo = mem_pages(2, PAGE_SIZE);
}

void memo_learn(struct vcpu *v, u64 next)
{
	const struct vmcb_save *s = &((struct vmcb *)v->backend)->save;
	u64 rip = v->regs.rip, len = next - rip;
	struct memo *m = memo_of(v, rip);
	struct guest_view view;
	const struct code_page *page;

	*m = (struct memo){0};
	if (!memo_is_64bit(s) || len > MEMO_MAX_LEN ||
	    rip % PAGE_SIZE > PAGE_SIZE - sizeof(u32))
		return;
	vmm->view_code(v, &view);
	page = code_page(v, &view, rip);
	if (!page)
		return;
	*m = (struct memo){
		.rip = rip,
		.page = *page,
		.at = page->bytes + rip % PAGE_SIZE,
		.bytes = memo_bytes(page->bytes + rip % PAGE_SIZE),
		.len = (u8)len,
	};
}
