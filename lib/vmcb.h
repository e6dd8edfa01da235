/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual machine control block of AMD SVM, the 4 KiB that VMRUN reads
 * and #VMEXIT writes: AMD APM vol. 2, appendix B. Fields have the manual's
 * meaning and no bitfields; the macros below are masks for them. Gaps are
 * named by their offset and must be zero in a VMCB that is run.
 *
 * Nothing here allocates or keeps state.
 */
#pragma once

#include "lib/types.h"

/* Segment registers have the attributes packed: bits 0-7 are byte 5 of a
 * descriptor, bits 8-11 the upper half of its byte 6. */
struct vmcb_segment {
	u16 selector;
	u16 attributes;
	u32 limit;
	u64 base;
};
ASSERT_SIZE(vmcb_segment, 16);

#define VMCB_SEGMENT_LONG 0x0200
#define VMCB_SEGMENT_BIG  0x0400

struct vmcb_control {
	u32 intercept[6]; /* bit n % 32 of [n / 32] is exit code n */
	u8 reserved_0x018[0x24];
	u16 pause_filter_threshold;
	u16 pause_filter_count;
	u64 iopm_pa;  /* 12 KiB, one bit a port */
	u64 msrpm_pa; /* 8 KiB, two bits an MSR */
	u64 tsc_offset;
	u32 asid;
	u8 tlb_control;
	u8 reserved_0x05d[3];
	u32 int_ctl; /* virtual interrupts: VMCB_V_... */
	u32 int_vector;
	u64 int_state; /* VMCB_SHADOW, VMCB_GUEST_IF */
	u64 exit_code;
	u64 exit_info_1;
	u64 exit_info_2;
	u64 exit_int_info; /* format of event_inj */
	u64 np_control;
	u64 avic_apic_bar;
	u64 ghcb_pa;
	u64 event_inj;
	u64 ncr3; /* root of the nested page table */
	u64 virt_ext;
	u32 clean;
	u32 reserved_0x0c4;
	u64 next_rip;
	u8 insn_len;
	u8 insn_bytes[15];
	u64 avic_backing_page;
	u64 reserved_0x0e8;
	u64 avic_logical_table;
	u64 avic_physical_table;
	u64 reserved_0x100;
	u64 vmsa_pa;
	u8 reserved_0x110[0x2d0];
	u8 software[0x20]; /* the CPU leaves it alone */
};
ASSERT_OFFSET(vmcb_control, pause_filter_threshold, 0x03c);
ASSERT_OFFSET(vmcb_control, iopm_pa, 0x040);
ASSERT_OFFSET(vmcb_control, asid, 0x058);
ASSERT_OFFSET(vmcb_control, int_ctl, 0x060);
ASSERT_OFFSET(vmcb_control, exit_code, 0x070);
ASSERT_OFFSET(vmcb_control, np_control, 0x090);
ASSERT_OFFSET(vmcb_control, event_inj, 0x0a8);
ASSERT_OFFSET(vmcb_control, virt_ext, 0x0b8);
ASSERT_OFFSET(vmcb_control, next_rip, 0x0c8);
ASSERT_OFFSET(vmcb_control, insn_bytes, 0x0d1);
ASSERT_OFFSET(vmcb_control, avic_backing_page, 0x0e0);
ASSERT_OFFSET(vmcb_control, avic_logical_table, 0x0f0);
ASSERT_OFFSET(vmcb_control, vmsa_pa, 0x108);
ASSERT_OFFSET(vmcb_control, software, 0x3e0);
ASSERT_SIZE(vmcb_control, 0x400);

/*
 * Of these VMRUN and #VMEXIT switch ES, CS, SS, DS, GDTR, IDTR, the CPL, EFER,
 * CR0 to CR4, DR6, DR7, RFLAGS, RIP, RSP and RAX; FS, GS, TR, LDTR and the
 * MSRs from STAR to SYSENTER_EIP are left to VMLOAD and VMSAVE.
 */
struct vmcb_save {
	struct vmcb_segment es, cs, ss, ds, fs, gs;
	struct vmcb_segment gdtr, ldtr, idtr, tr;
	u8 reserved_0x0a0[0x2b];
	u8 cpl;
	u32 reserved_0x0cc;
	u64 efer;
	u8 reserved_0x0d8[0x70];
	u64 cr4;
	u64 cr3;
	u64 cr0;
	u64 dr7;
	u64 dr6;
	u64 rflags;
	u64 rip;
	u8 reserved_0x180[0x58];
	u64 rsp;
	u64 s_cet;
	u64 ssp;
	u64 isst_addr;
	u64 rax;
	u64 star;
	u64 lstar;
	u64 cstar;
	u64 sfmask;
	u64 kernel_gs_base;
	u64 sysenter_cs;
	u64 sysenter_esp;
	u64 sysenter_eip;
	u64 cr2;
	u8 reserved_0x248[0x20];
	u64 g_pat; /* only with nested paging */
	u64 dbgctl;
	u64 br_from;
	u64 br_to;
	u64 last_exception_from;
	u64 last_exception_to;
	u8 reserved_0x298[0x968];
};
ASSERT_OFFSET(vmcb_save, gdtr, 0x060);
ASSERT_OFFSET(vmcb_save, cpl, 0x0cb);
ASSERT_OFFSET(vmcb_save, efer, 0x0d0);
ASSERT_OFFSET(vmcb_save, cr4, 0x148);
ASSERT_OFFSET(vmcb_save, rip, 0x178);
ASSERT_OFFSET(vmcb_save, rsp, 0x1d8);
ASSERT_OFFSET(vmcb_save, rax, 0x1f8);
ASSERT_OFFSET(vmcb_save, cr2, 0x240);
ASSERT_OFFSET(vmcb_save, g_pat, 0x268);
ASSERT_OFFSET(vmcb_save, last_exception_to, 0x290);
ASSERT_SIZE(vmcb_save, 0xc00);

struct vmcb {
	struct vmcb_control control;
	struct vmcb_save save;
};
ASSERT_OFFSET(vmcb, save, 0x400);
ASSERT_SIZE(vmcb, 0x1000);

/* control.int_ctl */
#define VMCB_V_TPR_MASK	    0x000000ffu
#define VMCB_V_IRQ	    0x00000100u
#define VMCB_V_GIF	    0x00000200u
#define VMCB_V_PRIO_SHIFT   16
#define VMCB_V_PRIO_MASK    0x000f0000u
#define VMCB_V_IGN_TPR	    0x00100000u
#define VMCB_V_INTR_MASKING 0x01000000u
#define VMCB_V_GIF_ENABLE   0x02000000u
#define VMCB_AVIC_ENABLE    0x80000000u

/* control.int_vector */
#define VMCB_V_VECTOR 0xffu

/* control.int_state */
#define VMCB_SHADOW   0x1ull
#define VMCB_GUEST_IF 0x2ull /* read-only, for encrypted guests */

/* control.event_inj and control.exit_int_info */
#define VMCB_EVENT_VECTOR    0x000000ffull
#define VMCB_EVENT_INTR	     0x00000000ull
#define VMCB_EVENT_NMI	     0x00000200ull
#define VMCB_EVENT_EXCEPTION 0x00000300ull
#define VMCB_EVENT_SOFT	     0x00000400ull
#define VMCB_EVENT_TYPE	     0x00000700ull
#define VMCB_EVENT_ERROR     0x00000800ull /* bits 63:32 are pushed */
#define VMCB_EVENT_RESERVED  0x7ffff000ull
#define VMCB_EVENT_VALID     0x80000000ull

/* control.np_control, control.virt_ext */
#define VMCB_NP_ENABLE 0x1ull
#define VMCB_LBR       0x1ull
#define VMCB_VLS       0x2ull /* VMLOAD and VMSAVE of the guest translate */

/* control.clean: these fields are as at the last #VMEXIT */
#define VMCB_CLEAN_INTERCEPTS 0x0001u
#define VMCB_CLEAN_MAPS	      0x0002u
#define VMCB_CLEAN_ASID	      0x0004u
#define VMCB_CLEAN_INTR	      0x0008u
#define VMCB_CLEAN_NP	      0x0010u
#define VMCB_CLEAN_CR	      0x0020u
#define VMCB_CLEAN_DR	      0x0040u
#define VMCB_CLEAN_DT	      0x0080u
#define VMCB_CLEAN_SEG	      0x0100u
#define VMCB_CLEAN_CR2	      0x0200u

/* control.tlb_control */
#define VMCB_TLB_KEEP	     0
#define VMCB_TLB_FLUSH_ALL   1
#define VMCB_TLB_FLUSH_ASID  3
#define VMCB_TLB_FLUSH_LOCAL 7 /* this ASID's entries that are not global */

/* exit_info_1 of a nested page fault; the low bits are those of a #PF. */
#define VMCB_NPF_PRESENT  0x000000001ull
#define VMCB_NPF_WRITE	  0x000000002ull
#define VMCB_NPF_USER	  0x000000004ull
#define VMCB_NPF_RESERVED 0x000000008ull
#define VMCB_NPF_FETCH	  0x000000010ull
#define VMCB_NPF_FINAL	  0x100000000ull
#define VMCB_NPF_TABLE	  0x200000000ull /* the guest's own page tables */

/* Exit codes. Those of CRs, DRs and exceptions are a base plus a number. */
#define VMCB_EXIT_CR_READ      0x000
#define VMCB_EXIT_CR_WRITE     0x010
#define VMCB_EXIT_DR_READ      0x020
#define VMCB_EXIT_DR_WRITE     0x030
#define VMCB_EXIT_EXCEPTION    0x040
#define VMCB_EXIT_INTR	       0x060
#define VMCB_EXIT_NMI	       0x061
#define VMCB_EXIT_SMI	       0x062
#define VMCB_EXIT_INIT	       0x063
#define VMCB_EXIT_VINTR	       0x064
#define VMCB_EXIT_CR0_SELECTED 0x065
#define VMCB_EXIT_IDTR_READ    0x066
#define VMCB_EXIT_GDTR_READ    0x067
#define VMCB_EXIT_LDTR_READ    0x068
#define VMCB_EXIT_TR_READ      0x069
#define VMCB_EXIT_IDTR_WRITE   0x06a
#define VMCB_EXIT_GDTR_WRITE   0x06b
#define VMCB_EXIT_LDTR_WRITE   0x06c
#define VMCB_EXIT_TR_WRITE     0x06d
#define VMCB_EXIT_RDTSC	       0x06e
#define VMCB_EXIT_RDPMC	       0x06f
#define VMCB_EXIT_PUSHF	       0x070
#define VMCB_EXIT_POPF	       0x071
#define VMCB_EXIT_CPUID	       0x072
#define VMCB_EXIT_RSM	       0x073
#define VMCB_EXIT_IRET	       0x074
#define VMCB_EXIT_SWINT	       0x075
#define VMCB_EXIT_INVD	       0x076
#define VMCB_EXIT_PAUSE	       0x077
#define VMCB_EXIT_HLT	       0x078
#define VMCB_EXIT_INVLPG       0x079
#define VMCB_EXIT_INVLPGA      0x07a
#define VMCB_EXIT_IOIO	       0x07b
#define VMCB_EXIT_MSR	       0x07c
#define VMCB_EXIT_TASK_SWITCH  0x07d
#define VMCB_EXIT_FERR_FREEZE  0x07e
#define VMCB_EXIT_SHUTDOWN     0x07f
#define VMCB_EXIT_VMRUN	       0x080
#define VMCB_EXIT_VMMCALL      0x081
#define VMCB_EXIT_VMLOAD       0x082
#define VMCB_EXIT_VMSAVE       0x083
#define VMCB_EXIT_STGI	       0x084
#define VMCB_EXIT_CLGI	       0x085
#define VMCB_EXIT_SKINIT       0x086
#define VMCB_EXIT_RDTSCP       0x087
#define VMCB_EXIT_ICEBP	       0x088
#define VMCB_EXIT_WBINVD       0x089
#define VMCB_EXIT_MONITOR      0x08a
#define VMCB_EXIT_MWAIT	       0x08b
#define VMCB_EXIT_MWAIT_ARMED  0x08c
#define VMCB_EXIT_XSETBV       0x08d
#define VMCB_EXIT_RDPRU	       0x08e
#define VMCB_EXIT_EFER_WRITTEN 0x08f
#define VMCB_EXIT_INVPCID      0x0a2
#define VMCB_EXIT_BUS_LOCK     0x0a5
#define VMCB_EXIT_NPF	       0x400
#define VMCB_EXIT_INVALID      0xffffffffffffffffull

/* exit_info_1 of EXIT_IOIO */
#define VMCB_IO_IN	    0x001u
#define VMCB_IO_STRING	    0x004u
#define VMCB_IO_REP	    0x008u
#define VMCB_IO_SIZE_8	    0x010u /* the next two: 16 and 32 bits */
#define VMCB_IO_ADDR_16	    0x080u /* the next two: 32 and 64 bits */
#define VMCB_IO_ADDR_MASK   0x380u
#define VMCB_IO_SEG_SHIFT   10 /* of INS, OUTS; numbered as by the CPU */
/* The size bits are a number of bytes, too. */
#define VMCB_IO_BYTES_SHIFT 4
#define VMCB_IO_BYTES_MASK  0x7u
#define VMCB_IO_PORT_SHIFT  16

/* Codes up to here are chosen by a bit of control.intercept. */
#define VMCB_EXIT_CHOSEN_MAX 0x0bf

static inline void vmcb_intercept(struct vmcb *v, u32 code)
{
	v->control.intercept[code / 32] |= 1u << code % 32;
}

static inline void vmcb_pass(struct vmcb *v, u32 code)
{
	v->control.intercept[code / 32] &= ~(1u << code % 32);
}

/*
 * Which bit of an MSRPM is for reads of @msr; the next one is for writes.
 * False: it is in none of the map's three ranges and always exits (15.11).
 */
static inline bool vmcb_msrpm_bit(u32 msr, u32 *bit)
{
	u32 range;

	switch (msr >> 13) {
	case 0:
		range = 0;
		break;
	case 0xc0000000 >> 13:
		range = 1;
		break;
	case 0xc0010000 >> 13:
		range = 2;
		break;
	default:
		return false;
	}
	*bit = range << 14 | (msr & 0x1fff) << 1;
	return true;
}

/* Reads and writes of @msr, which is in one of the ranges, exit. */
static inline void vmcb_trap_msr(void *msrpm, u32 msr)
{
	u8 *map = (u8 *)msrpm;
	u32 bit;

	if (vmcb_msrpm_bit(msr, &bit))
		map[bit / 8] |= (u8)(3u << bit % 8);
}

/*
 * Whether @code is an exit by an instruction's intercept, RIP in front of it:
 * those whose next RIP the CPU tells (15.7.1). Not among them are events, traps
 * that come when the instruction is done, and what has no one instruction.
 */
static inline bool vmcb_exits_before_insn(u64 code)
{
	static const u32 codes[6] = {
		~0u,	    /* CRs */
		~0u,	    /* DRs */
		0x00000018, /* INT3 and INTO, of the exceptions */
		0x1fffffe0, /* CR0_SELECTED to MSR */
		0x00007fff, /* VMRUN to RDPRU */
		~(1u << (VMCB_EXIT_BUS_LOCK - 0xa0)),
	};

	return code <= VMCB_EXIT_CHOSEN_MAX &&
	       codes[code / 32] >> code % 32 & 1;
}
