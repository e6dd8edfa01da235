/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of ACPI (6.4, section 5.2) as the hypervisor needs: find the root
 * pointer and a table, list the CPUs, and give L1 another set of tables.
 *
 * The firmware's tables are never changed. L1 gets a new root pointer whose
 * XSDT and RSDT lack what is hidden and have what is added; boot_params tells
 * Linux (5.0 or later) where it is. An OS that searches the BIOS area itself
 * still finds the firmware's.
 *
 * Integers are negative on error, with the reason in *why.
 */
#pragma once

#include "lib/phys.h"

#define ACPI_TABLES  256
#define ACPI_CPUS    256
#define ACPI_IOAPICS 4

struct acpi_rsdp {
	char signature[8]; /* "RSD PTR " */
	u8 checksum;	   /* the first 20 bytes add up to 0 */
	char oem_id[6];
	u8 revision; /* what follows rsdt is there from 2 on */
	u32 rsdt;
	u32 length;
	u64 xsdt;
	u8 checksum_all;
	u8 reserved[3];
} __attribute__((packed));
ASSERT_OFFSET(acpi_rsdp, xsdt, 24);
ASSERT_SIZE(acpi_rsdp, 36);

/* What every table starts with. */
struct acpi_header {
	char signature[4];
	u32 length; /* of the table, with this header */
	u8 revision;
	u8 checksum; /* all bytes add up to 0 */
	char oem_id[6];
	char oem_table_id[8];
	u32 oem_revision;
	u32 creator_id;
	u32 creator_revision;
} __attribute__((packed));
ASSERT_OFFSET(acpi_header, oem_id, 10);
ASSERT_SIZE(acpi_header, 36);

/* The firmware's tables. */
struct acpi {
	struct phys phys;
	u64 rsdp;
	u64 root;	/* XSDT, or RSDT if that is all there is */
	u32 entry_size; /* 8 or 4 */
	u32 n;		/* tables in root */
};

#define ACPI_CPU_ENABLED 0x1
#define ACPI_CPU_CAPABLE 0x2 /* may be added while the system runs */

struct acpi_cpu {
	u32 apic_id;
	u32 flags; /* ACPI_CPU_..., never 0 */
};

struct acpi_cpus {
	u64 lapic; /* physical address of the local APICs */
	struct acpi_cpu cpu[ACPI_CPUS];
	size_t n;
	u64 ioapic[ACPI_IOAPICS]; /* physical addresses */
	size_t n_ioapics;
};

/* How L1's tables differ from the firmware's. */
struct acpi_edit {
	const char (*hide)[4]; /* signatures */
	size_t n_hide;
	const u64 *add; /* addresses of tables */
	size_t n_add;
};

/* A table being written into a caller's buffer. */
struct acpi_writer {
	u8 *to;
	size_t size;
	size_t used;
	bool failed; /* the buffer is too small */
};

/* @rsdp is what the loader said; 0: search the BIOS area. After an error, @a
 * has no tables, and root is 0. */
int acpi_open(struct acpi *a, const struct phys *p, u64 rsdp, const char **why);

/*
 * The first intact table with this signature, all of it readable; NULL if
 * there is none. Also gives its address if @pa is not NULL.
 */
const struct acpi_header *acpi_table(const struct acpi *a, const char *name,
				     u64 *pa);

/*
 * The CPUs of the MADT in its order, each once; without those that are not
 * there and never will be. No MADT is an error; after any, @c is empty.
 */
int acpi_list_cpus(const struct acpi *a, struct acpi_cpus *c, const char **why);

/*
 * Writes a root pointer, an RSDT and an XSDT into @w, which will be at
 * physical address @pa (16-byte aligned, below 4 GiB); the root pointer comes
 * first. Tables that cannot be read are left out: they might be hidden ones.
 */
int acpi_rewrite(const struct acpi *a, const struct acpi_edit *edit,
		 struct acpi_writer *w, u64 pa, const char **why);

/* A table of our own: begin, append, end. acpi_end() returns its length. */
void acpi_begin(struct acpi_writer *w, const char *name, u8 revision);
/* The same, beginning with a copy of a table that acpi_table() found. */
void acpi_begin_copy(struct acpi_writer *w, const struct acpi_header *table);
void acpi_append(struct acpi_writer *w, const void *from, size_t n);
int acpi_end(struct acpi_writer *w, const char **why);
