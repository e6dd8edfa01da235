/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/svm/memo.h"

#include "hv/code.h"
#include "hv/mem.h"
#include "lib/vmcb.h"

#define MEMOS	32
#define MAX_LEN 4

struct memo {
	u64 rip;
	struct code_page page;
	const u8 *at;
	u32 bytes;
	u8 len;
};
_Static_assert(MEMOS * sizeof(struct memo) <= 2 * PAGE_SIZE, "two pages");

void memo_start(struct vcpu *v)
{
	v->memo = mem_pages(2, PAGE_SIZE);
}

static struct memo *find(const struct vcpu *v, u64 rip)
{
	return &v->memo[(rip >> 2 ^ v->level) % MEMOS];
}

static u32 read_4(const u8 *at)
{
	u32 bytes;

	__builtin_memcpy(&bytes, at, sizeof(bytes));
	return bytes;
}

static bool is_64bit(const struct vmcb_save *s)
{
	return s->efer & EFER_LMA && s->cs.attributes & VMCB_SEGMENT_LONG;
}

u64 memo_next(const struct vcpu *v, u64 rip)
{
	const struct vmcb_save *s = &((struct vmcb *)v->backend)->save;
	const struct memo *m = find(v, rip);
	const struct code_page *p = &m->page;

	if (m->rip != rip || p->cr3 != s->cr3 || p->map != v->map ||
	    p->version != code_version || !is_64bit(s) ||
	    *p->entry[3] != p->value[3] || *p->entry[2] != p->value[2] ||
	    *p->entry[1] != p->value[1] || *p->entry[0] != p->value[0] ||
	    read_4(m->at) != m->bytes)
		return 0;
	return rip + m->len;
}

const u8 *memo_behind(const struct vcpu *v, u64 rip)
{
	const struct memo *m = find(v, rip);

	return m->rip == rip && rip % PAGE_SIZE <= PAGE_SIZE - 2 * MAX_LEN
		       ? m->at + m->len
		       : NULL;
}

void memo_learn(struct vcpu *v, u64 next)
{
	const struct vmcb_save *s = &((struct vmcb *)v->backend)->save;
	u64 rip = v->regs.rip, len = next - rip;
	struct memo *m = find(v, rip);
	struct guest_view view;
	const struct code_page *page;

	*m = (struct memo){0};
	if (!is_64bit(s) || len > MAX_LEN || rip % PAGE_SIZE > PAGE_SIZE - 4)
		return;
	vmm->view_code(v, &view);
	page = code_page(v, &view, rip);
	if (!page)
		return;
	*m = (struct memo){
		.rip = rip,
		.page = *page,
		.at = page->bytes + rip % PAGE_SIZE,
		.bytes = read_4(page->bytes + rip % PAGE_SIZE),
		.len = (u8)len,
	};
}
