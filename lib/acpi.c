/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/acpi.h"

#define EBDA_POINTER 0x40e /* its segment, in the BIOS data area */
#define EBDA_MIN     0x400
#define EBDA_SEARCH  1024
#define BIOS_START   0xe0000
#define BIOS_END     0x100000
#define RSDP_STEP    16
#define RSDP_OLD     offsetof(struct acpi_rsdp, length)
#define TABLE_MAX    (16u << 20)

static u8 sum(const void *from, size_t n)
{
	const u8 *bytes = from;
	u8 total = 0;

	while (n--)
		total = (u8)(total + bytes[n]);
	return total;
}

static bool is_named(const void *name, const char *other)
{
	return !__builtin_memcmp(name, other, 4);
}

/* The root pointer at @pa, as long as its revision says; NULL: none. */
static const struct acpi_rsdp *rsdp_at(const struct phys *p, u64 pa)
{
	const struct acpi_rsdp *r = phys_map(p, pa, RSDP_OLD);

	if (!r || __builtin_memcmp(r->signature, "RSD PTR ", 8) != 0 ||
	    sum(r, RSDP_OLD) != 0)
		return NULL;
	if (r->revision < 2)
		return r;
	r = phys_map(p, pa, sizeof(*r));
	return r && r->length >= sizeof(*r) && !sum(r, sizeof(*r)) ? r : NULL;
}

static u64 search(const struct phys *p, u64 start, u64 end)
{
	for (u64 pa = start; pa < end; pa += RSDP_STEP)
		if (rsdp_at(p, pa))
			return pa;
	return 0;
}

static u64 search_bios(const struct phys *p)
{
	const struct {
		u16 segment;
	} __attribute__((packed)) *ebda = phys_map(p, EBDA_POINTER, 2);
	u64 start = ebda ? ebda->segment * 16ull : 0, pa = 0;

	if (start >= EBDA_MIN)
		pa = search(p, start, start + EBDA_SEARCH);
	return pa ? pa : search(p, BIOS_START, BIOS_END);
}

/* An intact table at @pa, or NULL. */
static const struct acpi_header *table_at(const struct phys *p, u64 pa)
{
	const struct acpi_header *h = phys_map(p, pa, sizeof(*h));
	u32 length;

	if (!h)
		return NULL;
	length = h->length;
	if (length < sizeof(*h) || length > TABLE_MAX)
		return NULL;
	h = phys_map(p, pa, length);
	return h && !sum(h, length) ? h : NULL;
}

static bool open_root(struct acpi *a, u64 pa, const char *name, u32 entry_size)
{
	const struct acpi_header *h = pa ? table_at(&a->phys, pa) : NULL;

	if (!h || !is_named(h->signature, name))
		return false;
	a->root = pa;
	a->entry_size = entry_size;
	a->n = (h->length - (u32)sizeof(*h)) / entry_size;
	return true;
}

int acpi_open(struct acpi *a, const struct phys *p, u64 rsdp, const char **why)
{
	const struct acpi_rsdp *r;

	*a = (struct acpi){.phys = *p};
	a->rsdp = rsdp ? rsdp : search_bios(p);
	r = a->rsdp ? rsdp_at(p, a->rsdp) : NULL;
	if (!r)
		return refuse(why, "there is no intact ACPI root pointer");
	if (!(r->revision >= 2 && open_root(a, r->xsdt, "XSDT", 8)) &&
	    !open_root(a, r->rsdt, "RSDT", 4))
		return refuse(why, "there is no intact XSDT or RSDT");
	if (a->n > ACPI_TABLES) {
		*a = (struct acpi){0};
		return refuse(why, "there are too many ACPI tables");
	}
	return 0;
}

/* Address of the table with index @i; it may be 0. */
static u64 entry(const struct acpi *a, u32 i)
{
	u64 pa = a->root + sizeof(struct acpi_header) + (u64)i * a->entry_size;
	const void *from = phys_map(&a->phys, pa, a->entry_size);
	u64 value = 0;

	if (from)
		__builtin_memcpy(&value, from, a->entry_size);
	return value;
}

const struct acpi_header *acpi_table(const struct acpi *a, const char *name,
				     u64 *pa)
{
	for (u32 i = 0; i < a->n; i++) {
		u64 at = entry(a, i);
		const struct acpi_header *h =
			at ? table_at(&a->phys, at) : NULL;

		if (h && is_named(h->signature, name)) {
			if (pa)
				*pa = at;
			return h;
		}
	}
	return NULL;
}

struct madt {
	struct acpi_header header;
	u32 lapic;
	u32 flags;
	u8 entries[];
} __attribute__((packed));
ASSERT_SIZE(madt, 44);

enum {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_LAPIC_ADDRESS = 5,
	MADT_X2APIC = 9,
};

struct madt_entry {
	u8 type;
	u8 length;
} __attribute__((packed));
ASSERT_SIZE(madt_entry, 2);

struct madt_lapic {
	struct madt_entry entry;
	u8 uid;
	u8 apic_id;
	u32 flags;
} __attribute__((packed));
ASSERT_SIZE(madt_lapic, 8);

struct madt_ioapic {
	struct madt_entry entry;
	u8 id;
	u8 reserved;
	u32 address;
	u32 first_interrupt;
} __attribute__((packed));
ASSERT_SIZE(madt_ioapic, 12);

struct madt_lapic_address {
	struct madt_entry entry;
	u16 reserved;
	u64 address;
} __attribute__((packed));
ASSERT_SIZE(madt_lapic_address, 12);

struct madt_x2apic {
	struct madt_entry entry;
	u16 reserved;
	u32 apic_id;
	u32 flags;
	u32 uid;
} __attribute__((packed));
ASSERT_SIZE(madt_x2apic, 16);

#define XAPIC_BROADCAST 0xff

static int add_cpu(struct acpi_cpus *c, u32 apic_id, u32 flags,
		   const char **why)
{
	flags &= ACPI_CPU_ENABLED | ACPI_CPU_CAPABLE;
	if (!flags)
		return 0;
	for (size_t i = 0; i < c->n; i++) {
		if (c->cpu[i].apic_id == apic_id) {
			c->cpu[i].flags |= flags;
			return 0;
		}
	}
	if (c->n == ACPI_CPUS)
		return refuse(why, "there are too many CPUs");
	c->cpu[c->n++] = (struct acpi_cpu){apic_id, flags};
	return 0;
}

static int madt_entry(struct acpi_cpus *c, const struct madt_entry *e,
		      const char **why)
{
	const struct madt_lapic *l = (const void *)e;
	const struct madt_x2apic *x = (const void *)e;
	const struct madt_lapic_address *a = (const void *)e;
	const struct madt_ioapic *io = (const void *)e;

	switch (e->type) {
	case MADT_LAPIC:
		if (e->length < sizeof(*l))
			break;
		if (l->apic_id == XAPIC_BROADCAST)
			return 0;
		return add_cpu(c, l->apic_id, l->flags, why);
	case MADT_X2APIC:
		if (e->length < sizeof(*x))
			break;
		return add_cpu(c, x->apic_id, x->flags, why);
	case MADT_IOAPIC:
		if (e->length < sizeof(*io))
			break;
		if (c->n_ioapics == ACPI_IOAPICS)
			return refuse(why, "there are too many I/O APICs");
		c->ioapic[c->n_ioapics++] = io->address;
		return 0;
	case MADT_LAPIC_ADDRESS:
		if (e->length < sizeof(*a))
			break;
		c->lapic = a->address;
		return 0;
	default:
		return 0;
	}
	return refuse(why, "the MADT has an entry that is too short");
}

static int list_madt(const struct acpi *a, struct acpi_cpus *c,
		     const char **why)
{
	const struct acpi_header *h = acpi_table(a, "APIC", NULL);
	const struct madt *m = (const void *)h;
	size_t left, at = 0;

	__builtin_memset(c, 0, sizeof(*c));
	if (!h || h->length < sizeof(*m))
		return refuse(why, "there is no intact MADT");
	c->lapic = m->lapic;
	for (left = h->length - sizeof(*m); at < left;) {
		const struct madt_entry *e = (const void *)(m->entries + at);

		if (left - at < sizeof(*e) || e->length < sizeof(*e) ||
		    e->length > left - at)
			return refuse(why, "the MADT is garbage");
		if (madt_entry(c, e, why) < 0)
			return -1;
		at += e->length;
	}
	return 0;
}

int acpi_list_cpus(const struct acpi *a, struct acpi_cpus *c, const char **why)
{
	if (!list_madt(a, c, why))
		return 0;
	__builtin_memset(c, 0, sizeof(*c));
	return -1;
}

void acpi_append(struct acpi_writer *w, const void *from, size_t n)
{
	if (w->failed || w->size - w->used < n) {
		w->failed = true;
		return;
	}
	__builtin_memcpy(w->to + w->used, from, n);
	w->used += n;
}

void acpi_begin(struct acpi_writer *w, const char *name, u8 revision)
{
	struct acpi_header h = {
		.revision = revision,
		.oem_id = {'N', 'E', 'S', 'T', 'B', 'X'},
		.oem_table_id = {'N', 'E', 'S', 'T', 'B', 'O', 'X', ' '},
		.oem_revision = 1,
		.creator_id = 0x5453454e, /* "NEST" */
		.creator_revision = 1,
	};

	__builtin_memcpy(h.signature, name, sizeof(h.signature));
	w->used = 0;
	w->failed = false;
	acpi_append(w, &h, sizeof(h));
}

void acpi_begin_copy(struct acpi_writer *w, const struct acpi_header *table)
{
	w->used = 0;
	w->failed = false;
	acpi_append(w, table, table->length);
}

int acpi_end(struct acpi_writer *w, const char **why)
{
	struct acpi_header *h = (void *)w->to;

	if (w->failed || w->used < sizeof(*h) || w->used > TABLE_MAX)
		return refuse(why, "no room for an ACPI table");
	h->length = (u32)w->used;
	h->checksum = 0;
	h->checksum = (u8)-sum(h, w->used);
	return (int)w->used;
}

static bool is_hidden(const struct acpi *a, const struct acpi_edit *edit,
		      u64 pa)
{
	const char *name = pa ? phys_map(&a->phys, pa, 4) : NULL;

	if (!name)
		return true;
	for (size_t i = 0; i < edit->n_hide; i++)
		if (is_named(name, edit->hide[i]))
			return true;
	return false;
}

static void append_address(struct acpi_writer *w, u64 pa, u32 entry_size)
{
	/* An RSDT cannot name what is above 4 GiB; the XSDT has it. */
	if (entry_size == 8 || pa >> 32 == 0)
		acpi_append(w, &pa, entry_size);
}

/* Writes the new XSDT or RSDT behind what @w has; returns its offset. */
static int write_root(const struct acpi *a, const struct acpi_edit *edit,
		      struct acpi_writer *w, u32 entry_size, const char **why)
{
	size_t start = (w->used + RSDP_STEP - 1) & ~(size_t)(RSDP_STEP - 1);
	struct acpi_writer root = {.to = w->to + start};

	if (start > w->size)
		return refuse(why, "no room for an ACPI table");
	root.size = w->size - start;
	acpi_begin(&root, entry_size == 8 ? "XSDT" : "RSDT", 1);
	for (u32 i = 0; i < a->n; i++) {
		u64 pa = entry(a, i);

		if (!is_hidden(a, edit, pa))
			append_address(&root, pa, entry_size);
	}
	for (size_t i = 0; i < edit->n_add; i++)
		append_address(&root, edit->add[i], entry_size);
	if (acpi_end(&root, why) < 0)
		return -1;
	w->used = start + root.used;
	return (int)start;
}

int acpi_rewrite(const struct acpi *a, const struct acpi_edit *edit,
		 struct acpi_writer *w, u64 pa, const char **why)
{
	struct acpi_rsdp r = {
		.signature = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '},
		.oem_id = {'N', 'E', 'S', 'T', 'B', 'X'},
		.revision = 2,
		.length = sizeof(r),
	};
	int rsdt, xsdt;

	if (pa % RSDP_STEP || pa >> 32 || w->size > TABLE_MAX ||
	    (pa + w->size) >> 32)
		return refuse(why, "ACPI tables cannot be placed there");
	w->used = 0;
	w->failed = false;
	acpi_append(w, &r, sizeof(r)); /* for its place */
	rsdt = write_root(a, edit, w, 4, why);
	xsdt = rsdt < 0 ? -1 : write_root(a, edit, w, 8, why);
	if (xsdt < 0)
		return -1;
	r.rsdt = (u32)(pa + (u64)rsdt);
	r.xsdt = pa + (u64)xsdt;
	r.checksum = (u8)-sum(&r, RSDP_OLD);
	r.checksum_all = (u8)-sum(&r, sizeof(r));
	__builtin_memcpy(w->to, &r, sizeof(r));
	return (int)w->used;
}
