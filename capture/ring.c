/* SPDX-License-Identifier: Apache-2.0 */
/* Shared memory between recorders and the collector. */
#include "capture/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RING_MAGIC  0x676e6972744e42ull
#define PATIENCE_MS 200
#define TEXT_MAX    4096 /* of an event, with its final 0 */

struct ring {
	u64 magic;
	pid_t collector;
	pthread_mutex_t lock; /* of all but positions and the stop flag */
	u32 filled;	      /* futexes: count what was queued ... */
	u32 emptied;	      /* ... and what was taken */
	u32 stopped;
	u32 sleepers; /* recorders that wait for @emptied */
	bool asleep;  /* the collector waits for @filled */
	u16 threads, processes;
	u32 ahead;	/* chunks in the queue for good */
	u32 head, tail; /* of the queue; they only grow */
	u32 free_chunks;
	u16 chunk[RING_CHUNKS]; /* those that are free */
	struct ring_lane lane[RING_LANES];
	struct ring_entry queue[RING_QUEUE];
	_Alignas(4096) u64 words[RING_CHUNKS][RING_WORDS];
};

/* Locks and sleep **********************************************************/

/* An owner that was killed has left at worst a queue entry unfinished that is
 * not counted yet. */
static void lock(struct ring *r)
{
	if (pthread_mutex_lock(&r->lock) == EOWNERDEAD)
		(void)pthread_mutex_consistent(&r->lock);
}

static void unlock(struct ring *r)
{
	(void)pthread_mutex_unlock(&r->lock);
}

static void futex_wait(u32 *word, u32 value, unsigned ms)
{
	struct timespec time = {ms / 1000, ms % 1000 * 1000000L};

	syscall(SYS_futex, word, FUTEX_WAIT, value, &time, NULL, 0);
}

static void futex_wake(u32 *word, int n)
{
	syscall(SYS_futex, word, FUTEX_WAKE, n, NULL, NULL, 0);
}

/* Waits until the collector has taken something; the lock is held, but not
 * meanwhile. */
static void wait_for_collector(struct ring *r)
{
	u32 emptied = r->emptied;

	r->sleepers++;
	unlock(r);
	futex_wait(&r->emptied, emptied, PATIENCE_MS);
	if (kill(r->collector, 0) < 0 && errno == ESRCH)
		_exit(128 + SIGKILL);
	lock(r);
	r->sleepers--;
}

static bool stopped(const struct ring *r)
{
	return __atomic_load_n(&r->stopped, __ATOMIC_RELAXED);
}

/* Start and end ************************************************************/

static void init_lock(struct ring *r)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&r->lock, &attr);
	pthread_mutexattr_destroy(&attr);
}

static struct ring *map(int fd, struct err *err)
{
	void *r = mmap(NULL, sizeof(struct ring), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_NORESERVE, fd, 0);

	if (r != MAP_FAILED)
		return r;
	err_set(err, "no shared memory: %s", strerror(errno));
	return NULL;
}

struct ring *ring_create(int *fd, struct err *err)
{
	struct ring *r;

	*fd = memfd_create("nestbox-ring", MFD_CLOEXEC);
	if (*fd < 0 || ftruncate(*fd, sizeof(*r)) < 0) {
		err_set(err, "no shared memory: %s", strerror(errno));
		return NULL;
	}
	r = map(*fd, err);
	if (!r)
		return NULL;
	init_lock(r);
	r->collector = getpid();
	r->free_chunks = RING_CHUNKS;
	for (unsigned i = 0; i < RING_CHUNKS; i++)
		r->chunk[i] = (u16)(RING_CHUNKS - 1 - i);
	r->magic = RING_MAGIC;
	return r;
}

struct ring *ring_open(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct ring *r;

	if (fd < 0) {
		err_set(err, "%s: %s", path, strerror(errno));
		return NULL;
	}
	r = map(fd, err);
	(void)close(fd);
	if (r && r->magic != RING_MAGIC) {
		err_set(err, "%s: no ring", path);
		ring_close(r);
		return NULL;
	}
	return r;
}

void ring_close(struct ring *r)
{
	if (r)
		(void)munmap(r, sizeof(*r));
}

u16 ring_new_thread(struct ring *r)
{
	return __atomic_fetch_add(&r->threads, 1, __ATOMIC_RELAXED);
}

u16 ring_new_process(struct ring *r)
{
	return __atomic_fetch_add(&r->processes, 1, __ATOMIC_RELAXED);
}

/* The queue ****************************************************************/

/* Waits for room for @n entries, so that they come one behind the other, and
 * for what ring_reap() may add, which does not wait. */
static void reserve(struct ring *r, u32 n)
{
	n += RING_LANES;
	while (RING_QUEUE - (r->tail - r->head) < n && !stopped(r))
		wait_for_collector(r);
}

/* There is room for it. Counted, and to be popped, after pushed(). */
static struct ring_entry *push(struct ring *r, u16 type)
{
	struct ring_entry *e = &r->queue[r->tail % RING_QUEUE];

	if (r->tail - r->head == RING_QUEUE)
		r->head++; /* stopped: nobody will read it */
	*e = (struct ring_entry){.type = type};
	return e;
}

static void pushed(struct ring *r)
{
	r->tail++;
	r->filled++;
	if (!r->asleep)
		return;
	r->asleep = false;
	futex_wake(&r->filled, 1);
}

static void push_range(struct ring *r, struct ring_lane *lane, u16 type)
{
	u32 to = __atomic_load_n(&lane->position, __ATOMIC_ACQUIRE);
	struct ring_entry *e;

	if (type == RING_RANGE && lane->queued == to)
		return;
	e = push(r, type);
	e->thread = lane->thread;
	e->process = lane->process;
	e->pid = lane->pid;
	e->chunk = lane->chunk;
	e->from = lane->queued;
	e->to = to;
	lane->queued = to;
	r->ahead += type == RING_LAST;
	pushed(r);
}

static void take_chunk(struct ring *r, struct ring_lane *lane)
{
	while (r->ahead >= RING_AHEAD && !stopped(r))
		wait_for_collector(r);
	lane->position = lane->queued = 0;
	/* There is one, but for a ring that is stopped: ring.h. */
	if (r->free_chunks)
		lane->chunk = r->chunk[--r->free_chunks];
}

u64 *ring_words(struct ring *r, const struct ring_lane *lane)
{
	return r->words[lane->chunk];
}

u64 *ring_next(struct ring *r, struct ring_lane *lane)
{
	lock(r);
	if (stopped(r)) {
		lane->position = lane->queued = 0;
	} else {
		reserve(r, 1);
		push_range(r, lane, RING_LAST);
		take_chunk(r, lane);
	}
	unlock(r);
	return ring_words(r, lane);
}

struct ring_lane *ring_join(struct ring *r, u16 thread, u16 process)
{
	struct ring_lane *lane = r->lane;

	lock(r);
	while (lane < r->lane + RING_LANES && lane->pid)
		lane++;
	if (lane == r->lane + RING_LANES) {
		unlock(r);
		return NULL;
	}
	lane->thread = thread;
	lane->process = process;
	lane->pid = getpid();
	take_chunk(r, lane);
	unlock(r);
	return lane;
}

static void leave(struct ring *r, struct ring_lane *lane)
{
	push_range(r, lane, RING_LAST);
	lane->pid = 0;
}

void ring_leave(struct ring *r, struct ring_lane *lane)
{
	lock(r);
	reserve(r, 1);
	leave(r, lane);
	unlock(r);
}

int ring_reap(struct ring *r, pid_t pid)
{
	int process = -1;

	lock(r);
	for (struct ring_lane *l = r->lane; l < r->lane + RING_LANES; l++) {
		if (l->pid != pid)
			continue;
		process = l->process;
		leave(r, l);
	}
	unlock(r);
	return process;
}

static void push_text(struct ring *r, const char *text)
{
	size_t left = strnlen(text, TEXT_MAX - 1) + 1;

	for (; left; text += RING_TEXT_BYTES) {
		size_t n = left < RING_TEXT_BYTES ? left : RING_TEXT_BYTES;

		memcpy((u8 *)push(r, RING_TEXT) + 4, text, n);
		pushed(r);
		left -= n;
	}
}

void ring_event(struct ring *r, const struct nbt_event *e)
{
	struct ring_entry *to;

	lock(r);
	reserve(r, RING_LANES + TEXT_MAX / RING_TEXT_BYTES + 2);
	for (struct ring_lane *l = r->lane; l < r->lane + RING_LANES; l++)
		if (l->pid && l->process == e->process)
			push_range(r, l, RING_RANGE);
	if (e->text)
		push_text(r, e->text);
	to = push(r, RING_EVENT);
	to->thread = e->thread;
	to->process = e->process;
	to->event = e->type;
	memcpy(to->arg, e->arg, sizeof(to->arg));
	pushed(r);
	unlock(r);
}

/* Collector ****************************************************************/

u32 ring_queued(struct ring *r)
{
	u32 n;

	lock(r);
	n = r->tail - r->head;
	unlock(r);
	return n;
}

bool ring_pop(struct ring *r, struct ring_entry *e)
{
	bool any;

	lock(r);
	any = r->head != r->tail;
	if (any) {
		*e = r->queue[r->head++ % RING_QUEUE];
		r->emptied++;
		if (r->sleepers)
			futex_wake(&r->emptied, 1 << 30);
	}
	unlock(r);
	return any;
}

const u64 *ring_range(struct ring *r, const struct ring_entry *e)
{
	return r->words[e->chunk] + e->from;
}

void ring_free(struct ring *r, const struct ring_entry *e)
{
	lock(r);
	r->chunk[r->free_chunks++] = (u16)e->chunk;
	r->ahead--;
	r->emptied++;
	if (r->sleepers)
		futex_wake(&r->emptied, 1 << 30);
	unlock(r);
}

void ring_wait(struct ring *r, unsigned ms)
{
	u32 filled;

	lock(r);
	filled = r->filled;
	r->asleep = r->head == r->tail;
	unlock(r);
	if (r->asleep)
		futex_wait(&r->filled, filled, ms);
}

void ring_stop(struct ring *r)
{
	__atomic_store_n(&r->stopped, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&r->emptied, 1, __ATOMIC_RELAXED);
	futex_wake(&r->emptied, 1 << 30);
}

void ring_each_process(struct ring *r, void (*use)(pid_t pid, void *data),
		       void *data)
{
	for (struct ring_lane *l = r->lane; l < r->lane + RING_LANES; l++)
		if (l->pid)
			use(l->pid, data);
}
