/* SPDX-License-Identifier: Apache-2.0 */
#include "hv/nested/pool.h"

#include "hv/shoot.h"
#include "lib/string.h"

static struct {
	u8 *pages;
	struct shadow_table *table; /* of each page */
	size_t n, n_free;
	struct shadow_table *free;
	struct shadow_table *known; /* free, but TLBs may know of them */
} pool;

void pool_init(size_t pages)
{
	pool.pages = mem_pages_raw(pages, PAGE_SIZE);
	pool.table = mem_array(pages, sizeof(*pool.table));
	pool.free = pool.known = NULL;
	pool.n = pages;
	pool.n_free = 0;
	while (pages--)
		pool_put(&pool.table[pages]);
}

struct shadow_table *pool_get(void)
{
	struct shadow_table *t;

	if (!pool.free && pool.known) {
		shoot();
		pool.free = pool.known;
		pool.known = NULL;
	}
	t = pool.free;
	if (!t)
		return NULL;
	pool.free = t->next;
	pool.n_free--;
	*t = (struct shadow_table){0};
	memset(pool_page(t), 0, PAGE_SIZE);
	return t;
}

void pool_put(struct shadow_table *t)
{
	t->used = false;
	t->next = pool.known;
	pool.known = t;
	pool.n_free++;
}

size_t pool_size(void)
{
	return pool.n;
}

size_t pool_free(void)
{
	return pool.n_free;
}

struct shadow_table *pool_at(size_t i)
{
	return &pool.table[i];
}

struct shadow_table *pool_of(u64 pa)
{
	return &pool.table[(pa - virt_to_phys(pool.pages)) / PAGE_SIZE];
}

u64 *pool_page(const struct shadow_table *t)
{
	return (u64 *)(void *)(pool.pages + (t - pool.table) * PAGE_SIZE);
}
