/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces of memory accesses (`.nbt`): what capture/ writes and walk/ reads.
 * doc/traces.md has the layout of the file.
 *
 * A trace is a header, then blocks of up to NBT_BLOCK accesses, each of which
 * can be decoded alone, then an index. A block carries the accesses as columns
 * and, inline, the events (VMAs, mmap, fork, ...) that happened among them. A
 * file that was cut off or damaged loses only the blocks concerned.
 *
 * Who calls it: the recorders and importers of capture/ (struct nbt_writer, one
 * per file, not thread safe) and walk/ (struct nbt_reader: its functions may be
 * called from any number of threads, each with a struct nbt_block of its own).
 * Errors: < 0 and one line in struct err. All numbers in files are little
 * endian; so is every machine that this is built for. A file that is open for
 * reading must not be cut off meanwhile: it is mapped. Programs that write
 * ignore SIGXFSZ, so that a limit of the file's size is an error like others.
 */
#pragma once

#include <stdio.h>

#include "lib/err.h"
#include "lib/types.h"

#define NBT_BLOCK 65536 /* accesses of a full block */

/* An access's `kind` byte: bits 0-1 what, bits 2-4 log2 of its bytes. */
enum nbt_access { NBT_LOAD, NBT_STORE, NBT_FETCH, NBT_ATOMIC };
#define NBT_KIND(what, log2_size) ((u8)((what) | (log2_size) << 2))
#define NBT_WHAT(kind)		  ((enum nbt_access)((kind)&3))
#define NBT_BYTES(kind)		  (1u << ((kind) >> 2 & 7))

/* How a block's columns are stored. */
enum nbt_codec {
	NBT_RAW,  /* byte-coded deltas, decoded by SIMD */
	NBT_ZSTD, /* the same under zstd */
};

/* Events. Arguments are addresses and lengths in bytes, as the system calls
 * have them; @process is the address space they concern. */
enum nbt_event_type {
	NBT_MAP,     /* arg: address, length, PROT_*, MAP_*; text: the file */
	NBT_UNMAP,   /* arg: address, length */
	NBT_BRK,     /* arg: old end, new end */
	NBT_REMAP,   /* arg: old address, old length, new address, new length */
	NBT_PROTECT, /* arg: address, length, PROT_* */
	NBT_ADVISE,  /* arg: address, length, MADV_* */
	NBT_TOUCH,   /* arg: address: first touch, where the recorder sees it */
	NBT_FORK,    /* arg: the child's process number */
	NBT_EXEC,    /* text: program; the process has no VMAs any more */
	NBT_EXIT,    /* the process ends */
	NBT_THREAD,  /* arg: the new thread's number */
	NBT_MARK,    /* arg: a marker's value; start and end of what counts */
	NBT_EVENTS
};

struct nbt_event {
	u32 at; /* comes before the block's access of this number */
	u16 type;
	u16 thread;
	u16 process;
	u64 arg[4];
	const char *text; /* NULL or a string that lives as long as the block */
};

/* From access @at of a block on, until the next run, @thread executes. */
struct nbt_run {
	u32 at;
	u16 thread;
	u16 process;
};

/* What a trace says of itself. */
struct nbt_info {
	char program[256];  /* "redis-server" */
	char command[1024]; /* the whole command line */
	char source[128]; /* how it was made: "plugin user", "synth gups:1g" */
	enum nbt_codec codec;
	bool has_events; /* VMAs are recorded, not to be guessed */
	bool complete;	 /* the index was there (read only) */
	u64 accesses;	 /* of all blocks (read only) */
	u64 instructions;
	u64 lost_blocks;     /* damaged or missing, as far as open() sees it */
	bool damaged_header; /* the texts above are lost (read only) */
};

/* One block, decoded. Buffers belong to the block and live until the next
 * nbt_read(); those of accesses have @n elements and nothing behind, since they
 * may be the file itself. A block may have events only: n = 0. */
struct nbt_block {
	u64 first;	  /* number of its first access in the trace */
	u32 n;		  /* accesses */
	u64 instructions; /* executed from the last access of the block before
			   * up to the last of this one */
	const u64 *addr;  /* virtual addresses, canonical */
	const u64 *pa;	  /* physical ones, or NULL */
	const u8 *kind;
	const u8 *gap; /* instructions since the access before; 255 = that
			* many or more */
	const struct nbt_run *run; /* at least one, the first has at = 0 */
	size_t runs;
	const struct nbt_event *event; /* ascending by @at */
	size_t events;
	void *own; /* the reader's */
};

/* Writing ******************************************************************/

struct nbt_writer;

/*
 * Starts a trace that shall stand under @path. Until nbt_finish() it is a file
 * of another name beside it, which nbt_abandon() removes: nothing half-written
 * ever stands under the final name.
 */
struct nbt_writer *nbt_create(const char *path, const struct nbt_info *info,
			      struct err *err);

/* Adds one access. @gap: instructions since the one before, this one's own
 * included. @addr is sign-extended from bit 56. Errors of writing are kept and
 * returned by nbt_finish(). */
void nbt_add(struct nbt_writer *w, u64 addr, u8 kind, u64 gap);

/* As nbt_add(), for traces whose accesses all have physical addresses; the
 * low 12 bits of both are the same, or it costs more space. */
void nbt_add_physical(struct nbt_writer *w, u64 addr, u64 pa, u8 kind, u64 gap);

/* Which thread and process the accesses that follow belong to. */
void nbt_thread(struct nbt_writer *w, u16 thread, u16 process);

/* Adds an event before the next access; @e->at is ignored. A text is cut after
 * 4095 bytes. */
void nbt_put_event(struct nbt_writer *w, const struct nbt_event *e);

/* True once writing has failed: the recorder may stop. */
bool nbt_failed(const struct nbt_writer *w);

/* Accesses added so far. */
u64 nbt_written(const struct nbt_writer *w);

/* Both end the writer. A trace of nothing is an error. */
int nbt_finish(struct nbt_writer *w, struct err *err);
void nbt_abandon(struct nbt_writer *w);

/* Reading ******************************************************************/

struct nbt_reader;

/* Opens a trace; a file without its index is scanned for its blocks. Fails if
 * it is no trace or has no whole block. */
struct nbt_reader *nbt_open(const char *path, struct err *err);
void nbt_close(struct nbt_reader *r);

const struct nbt_info *nbt_info(const struct nbt_reader *r);
size_t nbt_blocks(const struct nbt_reader *r);

/* The block that has access @n of the trace. */
size_t nbt_seek(const struct nbt_reader *r, u64 n);

struct nbt_block *nbt_block_new(void);
void nbt_block_free(struct nbt_block *b);

/* Decodes block @i into @b. Returns < 0 if the block is damaged: the reader
 * goes on with the next. */
int nbt_read(const struct nbt_reader *r, size_t i, struct nbt_block *b,
	     struct err *err);

/* The decoder that this CPU gets: "avx512", "avx2", "portable". The second
 * takes another one, by name, for tests and benchmarks; < 0 if it cannot. */
const char *nbt_decoder(void);
int nbt_choose_decoder(const char *name);
