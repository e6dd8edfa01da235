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

const u8 *memo_behind(const struct vcpu *v, u64 rip)
{
	const struct memo *m = memo_of(v, rip);

	return m->rip == rip && rip % PAGE_SIZE <= PAGE_SIZE - 2 * MEMO_MAX_LEN
		       ? m->at + m->len
		       : NULL;
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
	    rip % PAGE_SIZE > PAGE_SIZE - 4)
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
