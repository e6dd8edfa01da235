/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/hooks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/collect.h"
#include "capture/maps.h"
#include "capture/record.h"

#define WAIT_MS 50

/* The compilers' interface has no context: the rest has to be static. */
static struct {
	struct ring *ring; /* NULL: nothing is recorded */
	u16 process;
	pthread_key_t thread_end;
	/* If this process writes the trace: */
	struct nbt_writer *writer;
	struct collector *collector;
	pthread_t thread;
	bool done;
} self;

static __thread struct recorder me __attribute__((tls_model("initial-exec")));

/* Threads ******************************************************************/

static void end_thread(void *recorder)
{
	record_end(recorder);
}

static void begin_thread(const volatile void *addr, u64 kind);

/* As in nbtrace_user.c, what is rare is a tail call. */
static inline void hook(const volatile void *addr, u64 kind)
{
	if (__builtin_expect(!me.words, 0))
		begin_thread(addr, kind);
	else
		record_add(&me, (u64)(uintptr_t)addr, kind, 0);
}

/* The thread's first access. */
static __attribute__((noinline)) void begin_thread(const volatile void *addr,
						   u64 kind)
{
	if (!self.ring)
		return;
	record_begin(&me, self.ring, self.process, 0);
	(void)pthread_setspecific(self.thread_end, &me);
	record_add(&me, (u64)(uintptr_t)addr, kind, 0);
}

/* As two accesses of 8 bytes, which the collector makes one again. */
static inline void hook16(const volatile void *addr, u64 what)
{
	hook(addr, RING_KIND(what, 3));
	hook((const volatile u8 *)addr + 8, RING_KIND(what, 3));
}

static void hook_range(const volatile void *addr, u64 bytes, u64 what)
{
	for (u64 i = 0; i < bytes; i += 8)
		hook((const volatile u8 *)addr + i, RING_KIND(what, 3));
}

void nestbox_mark(unsigned code)
{
	if (self.ring)
		ring_event(self.ring, &(struct nbt_event){
					      .type = NBT_MARK,
					      .thread = me.thread,
					      .process = self.process,
					      .arg = {code},
				      });
}

/* Start and end ************************************************************/

static void *collect(void *unused)
{
	(void)unused;
	while (!__atomic_load_n(&self.done, __ATOMIC_ACQUIRE)) {
		collect_drain(self.collector);
		if (collect_done(self.collector))
			ring_stop(self.ring);
		ring_wait(self.ring, WAIT_MS);
	}
	collect_drain(self.collector);
	return NULL;
}

static void complain(const char *text)
{
	fprintf(stderr, "nestbox: %s: nothing is recorded\n", text);
}

/* Of this process, by itself. */
static void start_own(const char *path)
{
	static const struct capture_limits all = {.codec = NBT_ZSTD};
	struct nbt_info info = {
		.source = "hooks", .codec = NBT_ZSTD, .has_events = true};
	struct err err;
	int fd;

	snprintf(info.program, sizeof(info.program), "%s",
		 program_invocation_short_name);
	snprintf(info.command, sizeof(info.command), "%s",
		 program_invocation_name);
	self.writer = nbt_create(path, &info, &err);
	self.ring = self.writer ? ring_create(&fd, &err) : NULL;
	if (!self.ring) {
		complain(err.text);
		return;
	}
	(void)close(fd);
	self.process = ring_new_process(self.ring);
	self.collector = collect_new(self.ring, self.writer, &all, false);
	if (!self.collector ||
	    pthread_create(&self.thread, NULL, collect, NULL) != 0) {
		complain("no memory for a collector");
		self.ring = NULL;
	}
}

static void start_shared(const char *path)
{
	struct err err;

	self.ring = ring_open(path, &err);
	if (!self.ring)
		complain(err.text);
	else
		self.process = ring_new_process(self.ring);
}

/* A forked process has a lane of its own; if it would have to write a file of
 * its own, it has none. */
static void after_fork(void)
{
	u16 parent = self.process;

	me = (struct recorder){0};
	if (self.writer || !self.ring) {
		self.writer = NULL;
		self.ring = NULL;
		return;
	}
	self.process = ring_new_process(self.ring);
	ring_event(self.ring, &(struct nbt_event){.type = NBT_FORK,
						  .process = parent,
						  .arg = {self.process}});
}

/* What there is already; collect.c looks for more. */
static void put_maps(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[MAPS_PATH + 128];
	struct mapping m;

	while (f && fgets(line, sizeof(line), f))
		if (mapping_parse(line, &m) && mapping_is_own(&m))
			ring_event(self.ring,
				   &(struct nbt_event){
					   .type = NBT_MAP,
					   .process = self.process,
					   .arg = {m.from, m.to - m.from,
						   (u64)m.prot, (u64)m.flags},
					   .text = m.path[0] ? m.path : NULL,
				   });
	if (f)
		(void)fclose(f);
}

static __attribute__((constructor)) void start(void)
{
	const char *file = getenv("NESTBOX_TRACE");
	const char *ring = getenv("NESTBOX_RING");

	(void)pthread_key_create(&self.thread_end, end_thread);
	(void)pthread_atfork(NULL, NULL, after_fork);
	if (ring)
		start_shared(ring);
	else if (file)
		start_own(file);
	if (self.ring)
		put_maps();
}

static __attribute__((destructor)) void finish(void)
{
	struct err err;

	if (!self.ring)
		return;
	(void)ring_reap(self.ring, getpid());
	self.ring = self.writer ? self.ring : NULL;
	me = (struct recorder){0};
	if (!self.writer)
		return;
	__atomic_store_n(&self.done, true, __ATOMIC_RELEASE);
	(void)pthread_join(self.thread, NULL);
	self.ring = NULL;
	collect_end(self.collector);
	if (nbt_finish(self.writer, &err) < 0)
		fprintf(stderr, "nestbox: %s\n", err.text);
}

/* NOLINTBEGIN(readability-identifier-naming) The compilers prescribe names. */

/* clang ********************************************************************/

#define COV(bytes, log2)                                \
	void __sanitizer_cov_load##bytes(void *addr);   \
	void __sanitizer_cov_store##bytes(void *addr);  \
	void __sanitizer_cov_load##bytes(void *addr)    \
	{                                               \
		hook(addr, RING_KIND(NBT_LOAD, log2));  \
	}                                               \
	void __sanitizer_cov_store##bytes(void *addr)   \
	{                                               \
		hook(addr, RING_KIND(NBT_STORE, log2)); \
	}
COV(1, 0)
COV(2, 1)
COV(4, 2)
COV(8, 3)

void __sanitizer_cov_load16(void *addr);
void __sanitizer_cov_store16(void *addr);

void __sanitizer_cov_load16(void *addr)
{
	hook16(addr, NBT_LOAD);
}

void __sanitizer_cov_store16(void *addr)
{
	hook16(addr, NBT_STORE);
}

/* gcc **********************************************************************/

#define TSAN(name, call)                \
	void __tsan_##name(void *addr); \
	void __tsan_##name(void *addr)  \
	{                               \
		call;                   \
	}
#define TSAN_SIZE(bytes, log2)                                               \
	TSAN(read##bytes, hook(addr, RING_KIND(NBT_LOAD, log2)))             \
	TSAN(write##bytes, hook(addr, RING_KIND(NBT_STORE, log2)))           \
	TSAN(unaligned_read##bytes, hook(addr, RING_KIND(NBT_LOAD, log2)))   \
	TSAN(unaligned_write##bytes, hook(addr, RING_KIND(NBT_STORE, log2))) \
	TSAN(volatile_read##bytes, hook(addr, RING_KIND(NBT_LOAD, log2)))    \
	TSAN(volatile_write##bytes, hook(addr, RING_KIND(NBT_STORE, log2)))
TSAN_SIZE(1, 0)
TSAN_SIZE(2, 1)
TSAN_SIZE(4, 2)
TSAN_SIZE(8, 3)
TSAN(read16, hook16(addr, NBT_LOAD))
TSAN(write16, hook16(addr, NBT_STORE))
TSAN(unaligned_read16, hook16(addr, NBT_LOAD))
TSAN(unaligned_write16, hook16(addr, NBT_STORE))
TSAN(vptr_read, hook(addr, RING_KIND(NBT_LOAD, 3)))
TSAN(func_entry, (void)addr)

void __tsan_init(void);
void __tsan_func_exit(void);
void __tsan_vptr_update(void **addr, void *value);
void __tsan_read_range(void *addr, unsigned long bytes);
void __tsan_write_range(void *addr, unsigned long bytes);

void __tsan_init(void)
{
}

void __tsan_func_exit(void)
{
}

void __tsan_vptr_update(void **addr, void *value)
{
	(void)value;
	hook(addr, RING_KIND(NBT_STORE, 3));
}

void __tsan_read_range(void *addr, unsigned long bytes)
{
	hook_range(addr, bytes, NBT_LOAD);
}

void __tsan_write_range(void *addr, unsigned long bytes)
{
	hook_range(addr, bytes, NBT_STORE);
}

/* NOLINTBEGIN(bugprone-macro-parentheses) T is a type, builtin is a name. */

/* Atomics replace the program's own. The strongest order does for any. */
#define ATOMIC_RMW(T, bits, log2, name, builtin)                           \
	T __tsan_atomic##bits##_##name(volatile T *addr, T value, int mo); \
	T __tsan_atomic##bits##_##name(volatile T *addr, T value, int mo)  \
	{                                                                  \
		(void)mo;                                                  \
		hook(addr, RING_KIND(NBT_ATOMIC, log2));                   \
		return builtin(addr, value, __ATOMIC_SEQ_CST);             \
	}
#define ATOMIC_CAS(T, bits, log2, name)                                     \
	int __tsan_atomic##bits##_compare_exchange_##name(                  \
		volatile T *addr, T *expected, T value, int mo, int fail);  \
	int __tsan_atomic##bits##_compare_exchange_##name(                  \
		volatile T *addr, T *expected, T value, int mo, int fail)   \
	{                                                                   \
		(void)mo;                                                   \
		(void)fail;                                                 \
		hook(addr, RING_KIND(NBT_ATOMIC, log2));                    \
		return __atomic_compare_exchange_n(addr, expected, value,   \
						   false, __ATOMIC_SEQ_CST, \
						   __ATOMIC_SEQ_CST);       \
	}
#define ATOMIC(T, bits, log2)                                                \
	T __tsan_atomic##bits##_load(const volatile T *addr, int mo);        \
	void __tsan_atomic##bits##_store(volatile T *addr, T value, int mo); \
	T __tsan_atomic##bits##_load(const volatile T *addr, int mo)         \
	{                                                                    \
		(void)mo;                                                    \
		hook(addr, RING_KIND(NBT_LOAD, log2));                       \
		return __atomic_load_n(addr, __ATOMIC_SEQ_CST);              \
	}                                                                    \
	void __tsan_atomic##bits##_store(volatile T *addr, T value, int mo)  \
	{                                                                    \
		(void)mo;                                                    \
		hook(addr, RING_KIND(NBT_STORE, log2));                      \
		__atomic_store_n(addr, value, __ATOMIC_SEQ_CST);             \
	}                                                                    \
	ATOMIC_RMW(T, bits, log2, exchange, __atomic_exchange_n)             \
	ATOMIC_RMW(T, bits, log2, fetch_add, __atomic_fetch_add)             \
	ATOMIC_RMW(T, bits, log2, fetch_sub, __atomic_fetch_sub)             \
	ATOMIC_RMW(T, bits, log2, fetch_and, __atomic_fetch_and)             \
	ATOMIC_RMW(T, bits, log2, fetch_or, __atomic_fetch_or)               \
	ATOMIC_RMW(T, bits, log2, fetch_xor, __atomic_fetch_xor)             \
	ATOMIC_RMW(T, bits, log2, fetch_nand, __atomic_fetch_nand)           \
	ATOMIC_CAS(T, bits, log2, strong)                                    \
	ATOMIC_CAS(T, bits, log2, weak)

/* NOLINTEND(bugprone-macro-parentheses) */

ATOMIC(u8, 8, 0)
ATOMIC(u16, 16, 1)
ATOMIC(u32, 32, 2)
ATOMIC(u64, 64, 3)

void __tsan_atomic_thread_fence(int mo);
void __tsan_atomic_signal_fence(int mo);

void __tsan_atomic_thread_fence(int mo)
{
	(void)mo;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void __tsan_atomic_signal_fence(int mo)
{
	(void)mo;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* NOLINTEND(readability-identifier-naming) */
