/* SPDX-License-Identifier: Apache-2.0 */
/* System calls that change address spaces, threads and processes. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capture/guest.h"

#define PAGE	       4096
#define FAILED(result) ((result) < 0 && (result) > -4096)

void guest_event(const struct guest *g, u16 thread, enum nbt_event_type type,
		 const u64 arg[4], const char *text)
{
	struct nbt_event e = {
		.type = (u16)type,
		.thread = thread,
		.process = g->process,
		.text = text,
	};

	for (unsigned i = 0; arg && i < 4; i++)
		e.arg[i] = arg[i];
	ring_event(g->ring, &e);
}

/* QEMU makes a child of its own of vfork()'s, too. */
static bool is_fork(const struct guest_call *c)
{
	return c->number == SYS_fork || c->number == SYS_vfork ||
	       (c->number == SYS_clone &&
		((c->arg[0] & CLONE_VFORK) || !(c->arg[0] & CLONE_VM)));
}

static void end_process(const struct guest *g, u16 thread)
{
	guest_event(g, thread, NBT_EXIT, NULL, NULL);
}

static void end_thread(struct guest *g, struct recorder *v)
{
	if (--g->live == 0)
		end_process(g, v->thread);
	record_end(v);
}

/* The segment at @at; of length 0, where there is none; NULL: too many. */
static struct guest_segment *segment_at(struct guest *g, u64 at)
{
	for (unsigned i = 0; i < GUEST_SEGMENTS; i++)
		if (g->segment[i].length && g->segment[i].at == at)
			return &g->segment[i];
	for (unsigned i = 0; i < GUEST_SEGMENTS; i++)
		if (!g->segment[i].length)
			return &g->segment[i];
	return NULL;
}

static void put_attached(struct guest *g, u16 thread,
			 const struct guest_call *c, u64 at)
{
	struct guest_segment *s = segment_at(g, at);
	bool reads = c->arg[2] & SHM_RDONLY;
	struct shmid_ds d;

	if (shmctl((int)c->arg[0], IPC_STAT, &d) < 0)
		return;
	guest_event(g, thread, NBT_MAP,
		    (u64[4]){at, d.shm_segsz,
			     reads ? PROT_READ : PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS},
		    NULL);
	if (s)
		*s = (struct guest_segment){at, d.shm_segsz};
}

static void put_detached(struct guest *g, u16 thread, u64 at)
{
	struct guest_segment *s = segment_at(g, at);

	if (!s || !s->length)
		return;
	guest_event(g, thread, NBT_UNMAP, (u64[4]){at, s->length}, NULL);
	s->length = 0;
}

void guest_call(struct guest *g, struct recorder *v, struct guest_call *c)
{
	if (is_fork(c)) {
		c->child = ring_new_process(g->ring);
		guest_event(g, v->thread, NBT_FORK, (u64[4]){c->child}, NULL);
		return;
	}
	switch (c->number) {
	case SYS_clone:
		g->threads = true;
		break;
	case SYS_exit:
		end_thread(g, v);
		break;
	case SYS_exit_group:
		end_process(g, v->thread);
		/* Others still run and need what they write to. */
		if (g->live == 1)
			record_end(v);
		break;
	case SYS_munmap: /* before another thread gets the same addresses */
		if (c->arg[0] % PAGE == 0 && c->arg[1])
			guest_event(g, v->thread, NBT_UNMAP,
				    (u64[4]){c->arg[0], c->arg[1]}, NULL);
		break;
	case SYS_shmdt:
		put_detached(g, v->thread, c->arg[0]);
		break;
	case SYS_execve:
		guest_exec(g, v->thread, c->arg[0], c->arg[1], c->arg[2]);
		break;
	}
}

static void put_map(const struct guest *g, u16 thread,
		    const struct guest_call *c, u64 at)
{
	u64 arg[4] = {at, c->arg[1], c->arg[2], c->arg[3]};
	char link[32], path[2048];
	ssize_t n = -1;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", (int)c->arg[4]);
	if (!(c->arg[3] & MAP_ANONYMOUS))
		n = readlink(link, path, sizeof(path) - 1);
	if (n >= 0)
		path[n] = 0;
	guest_event(g, thread, NBT_MAP, arg, n >= 0 ? path : NULL);
}

static void put_brk(struct guest *g, u16 thread, u64 now)
{
	u64 arg[4] = {g->brk, now};

	if (g->brk && now != g->brk)
		guest_event(g, thread, NBT_BRK, arg, NULL);
	g->brk = now;
}

static void put_change(struct guest *g, u16 thread, const struct guest_call *c,
		       u64 result)
{
	const u64 *a = c->arg;

	switch (c->number) {
	case SYS_mmap:
		put_map(g, thread, c, result);
		break;
	case SYS_shmat:
		put_attached(g, thread, c, result);
		break;
	case SYS_brk:
		put_brk(g, thread, result);
		break;
	case SYS_mremap:
		guest_event(g, thread, NBT_REMAP,
			    (u64[4]){a[0], a[1], result, a[2]}, NULL);
		break;
	case SYS_mprotect:
		guest_event(g, thread, NBT_PROTECT, (u64[4]){a[0], a[1], a[2]},
			    NULL);
		break;
	case SYS_madvise:
		guest_event(g, thread, NBT_ADVISE, (u64[4]){a[0], a[1], a[2]},
			    NULL);
		break;
	}
}

/* A child that was announced and is not to be. */
static void take_back(const struct guest *g, u16 thread, u16 child)
{
	struct guest gone = *g;

	gone.process = child;
	end_process(&gone, thread);
}

bool guest_return(struct guest *g, const struct recorder *v,
		  const struct guest_call *c, int64_t result)
{
	if (is_fork(c)) {
		if (FAILED(result))
			take_back(g, v->thread, c->child);
		if (result != 0)
			return false;
		g->process = c->child;
		g->live = 1;
		return true;
	}
	if (!FAILED(result))
		put_change(g, v->thread, c, (u64)result);
	return false;
}
