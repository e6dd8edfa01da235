/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which intercepts work, and what an exit tells about the instruction
 * (APM vol. 2, 15.7 to 15.13; next RIP 15.7.1, decode assists 15.8.4).
 */
#include "guest/test/svm_probe.h"

#include "guest/lib/serial.h"

#define CR0_READ    0x000
#define CR3_READ    0x003
#define CR4_READ    0x004
#define CR8_READ    0x008
#define CR0_WRITTEN 0x010
#define CR3_WRITTEN 0x013
#define CR8_WRITTEN 0x018
#define DR7_READ    0x027
#define DR7_WRITTEN 0x037

SVM_CODE(do_cpuid, "xor %eax, %eax; cpuid")
SVM_CODE(do_rdmsr, "mov $0xc0000080, %ecx; rdmsr")
SVM_CODE(do_wrmsr, "mov $0xc0000080, %ecx; rdmsr; wrmsr")
SVM_CODE(do_vmmcall, "vmmcall")
SVM_CODE(do_vmmcall_hlt, "vmmcall; hlt")
SVM_CODE(do_xsetbv, "xor %ecx, %ecx; xor %edx, %edx; mov $1, %eax; xsetbv")
SVM_CODE(do_invd, "invd")
SVM_CODE(do_wbinvd, "wbinvd")
SVM_CODE(do_rdtsc, "rdtsc")
SVM_CODE(do_rdtscp, "rdtscp")
SVM_CODE(do_rdpmc, "xor %ecx, %ecx; rdpmc")
SVM_CODE(do_pause, "pause")
SVM_CODE(do_hlt, "hlt")
SVM_CODE(do_monitor, "mov %rsp, %rax; xor %ecx, %ecx; xor %edx, %edx; monitor")
SVM_CODE(do_mwait, "xor %eax, %eax; xor %ecx, %ecx; mwait")
SVM_CODE(do_pushf, "pushf; pop %rax")
SVM_CODE(do_popf, "push $2; popf")
SVM_CODE(do_iret, "mov %rsp, %rcx; push $0x10; push %rcx; push $2; push $8;"
		  "lea 1f(%rip), %rax; push %rax; iretq; 1:")
SVM_CODE(do_int, "int $0x41")
SVM_CODE(do_icebp, ".byte 0xf1")
SVM_CODE(do_rsm, "rsm")
SVM_CODE(do_invlpg, "mov $0x123456, %eax; invlpg (%rax)")
SVM_CODE(do_invlpga, "xor %eax, %eax; xor %ecx, %ecx; invlpga")
SVM_CODE(do_sidt, "sub $16, %rsp; sidt (%rsp)")
SVM_CODE(do_sgdt, "sub $16, %rsp; sgdt (%rsp)")
SVM_CODE(do_lidt, "sub $16, %rsp; sidt (%rsp); lidt (%rsp)")
SVM_CODE(do_lgdt, "sub $16, %rsp; sgdt (%rsp); lgdt (%rsp)")
SVM_CODE(do_sldt, "sldt %eax")
SVM_CODE(do_str, "str %eax")
SVM_CODE(do_lldt, "xor %eax, %eax; lldt %ax")
SVM_CODE(do_vmload, "mov $0x2001000, %eax; vmload")
SVM_CODE(do_vmsave, "mov $0x2001000, %eax; vmsave")
SVM_CODE(do_vmrun, "mov $0x2001000, %eax; vmrun")
SVM_CODE(do_stgi, "stgi")
SVM_CODE(do_clgi, "clgi; nop; stgi")
SVM_CODE(do_skinit, "xor %eax, %eax; skinit")
SVM_CODE(do_cr0_am, "mov %cr0, %rbx; xor $0x40000, %rbx; mov %rbx, %cr0")
SVM_CODE(do_cr0_ts, "mov %cr0, %rbx; xor $8, %rbx; mov %rbx, %cr0")
SVM_CODE(do_lmsw, "smsw %ebx; xor $4, %ebx; lmsw %bx")
SVM_CODE(do_clts, "clts")
SVM_CODE(do_read_cr3, "mov %cr3, %rbx")
SVM_CODE(do_read_cr0, "mov %cr0, %rbx")
SVM_CODE(do_read_cr4, "mov %cr4, %rbx")
SVM_CODE(do_read_cr8, "mov %cr8, %rbx")
SVM_CODE(do_write_cr3, "mov %cr3, %rbx; mov %rbx, %cr3")
SVM_CODE(do_write_cr8, "xor %ebx, %ebx; mov %rbx, %cr8")
SVM_CODE(do_read_dr7, "mov %dr7, %rbx")
SVM_CODE(do_write_dr7, "mov $0x400, %ebx; mov %rbx, %dr7")
SVM_CODE(do_in8, "mov $0x80, %edx; in %dx, %al")
SVM_CODE(do_in8_imm, "in $0x80, %al")
SVM_CODE(do_out16, "mov $0x80, %edx; out %ax, %dx")
SVM_CODE(do_out32, "mov $0x80, %edx; out %eax, %dx")
SVM_CODE(do_outs, "mov $0x80, %edx; mov %rsp, %rsi; outsb")
SVM_CODE(do_rep_outs, "mov $0x80, %edx; mov $1, %ecx; mov %esp, %esi;"
		      "addr32 rep outsw")
SVM_CODE(do_read, "mov $0x2001000, %eax; mov (%rax), %ebx")

/* Intercepts exit code .arg; .set goes into the guest's CR4. */
static u64 intercept(const struct probe *p)
{
	if (p->arg <= VMCB_EXIT_CHOSEN_MAX)
		vmcb_intercept(&svm_vmcb, (u32)p->arg);
	svm_vmcb.save.cr4 |= p->set;
	return probe_exit(p);
}

static void traps(const struct probe *p)
{
	probe_print_exit(intercept(p), p->arg, "exit");
}

/* Without an intercept. HLT ends a guest that VMMCALL does not end. */
static void passes(const struct probe *p)
{
	vmcb_intercept(&svm_vmcb, VMCB_EXIT_HLT);
	vmcb_pass(&svm_vmcb, (u32)p->arg);
	probe_print_exit(probe_exit(p), p->arg, "exit");
}

static void next_rip(const struct probe *p)
{
	u64 code = intercept(p);
	u64 next = svm_vmcb.control.next_rip;

	if (code != p->arg)
		probe_print_exit(code, p->arg, "");
	else if (next)
		serial_printf("+%lu", next - svm_vmcb.save.rip);
	else
		probe_say("not-saved");
}

static void info(const struct probe *p)
{
	u64 code = intercept(p);

	if (code != p->arg)
		probe_print_exit(code, p->arg, "");
	else
		probe_number(svm_vmcb.control.exit_info_1);
}

static void io_info(const struct probe *p)
{
	const struct vmcb_control *c = &svm_vmcb.control;
	u64 code = intercept(p);

	if (code != p->arg)
		probe_print_exit(code, p->arg, "");
	else
		serial_printf("0x%lx+%lu", c->exit_info_1,
			      c->exit_info_2 - svm_vmcb.save.rip);
}

/* The bytes of an instruction that a nested page fault stopped. */
static void insn_bytes(const struct probe *p)
{
	*svm_npte(SVM_PAGE_A) = 0;
	probe_exit(p);
	serial_printf("%u", svm_vmcb.control.insn_len);
}

/* Exit VMCB_EXIT_@which is asked for and has to come. */
#define TRAP(name, which, insn, ...) \
	PROBE(name, "exit", traps, insn, .arg = VMCB_EXIT_##which, __VA_ARGS__)

static const struct probe probes[] = {
	TRAP("intercept-cpuid", CPUID, do_cpuid),
	TRAP("intercept-msr", MSR, do_rdmsr),
	TRAP("intercept-vmmcall", VMMCALL, do_vmmcall),
	TRAP("intercept-xsetbv", XSETBV, do_xsetbv, .set = CR4_OSXSAVE),
	TRAP("intercept-invd", INVD, do_invd),
	TRAP("intercept-wbinvd", WBINVD, do_wbinvd),
	TRAP("intercept-rdtsc", RDTSC, do_rdtsc),
	TRAP("intercept-rdtscp", RDTSCP, do_rdtscp),
	TRAP("intercept-rdpmc", RDPMC, do_rdpmc),
	TRAP("intercept-pause", PAUSE, do_pause),
	TRAP("intercept-hlt", HLT, do_hlt),
	TRAP("intercept-monitor", MONITOR, do_monitor),
	TRAP("intercept-mwait", MWAIT, do_mwait),
	TRAP("intercept-pushf", PUSHF, do_pushf),
	TRAP("intercept-popf", POPF, do_popf),
	TRAP("intercept-iret", IRET, do_iret),
	TRAP("intercept-int", SWINT, do_int),
	TRAP("intercept-icebp", ICEBP, do_icebp),
	TRAP("intercept-rsm", RSM, do_rsm),
	TRAP("intercept-invlpg", INVLPG, do_invlpg),
	TRAP("intercept-invlpga", INVLPGA, do_invlpga),
	TRAP("intercept-sidt", IDTR_READ, do_sidt),
	TRAP("intercept-sgdt", GDTR_READ, do_sgdt),
	TRAP("intercept-lidt", IDTR_WRITE, do_lidt),
	TRAP("intercept-lgdt", GDTR_WRITE, do_lgdt),
	TRAP("intercept-sldt", LDTR_READ, do_sldt),
	TRAP("intercept-lldt", LDTR_WRITE, do_lldt),
	TRAP("intercept-str", TR_READ, do_str),
	TRAP("intercept-vmload", VMLOAD, do_vmload),
	TRAP("intercept-vmsave", VMSAVE, do_vmsave),
	TRAP("intercept-vmrun", VMRUN, do_vmrun),
	TRAP("intercept-stgi", STGI, do_stgi),
	TRAP("intercept-clgi", CLGI, do_clgi),
	TRAP("intercept-skinit", SKINIT, do_skinit),
	TRAP("intercept-cr0-mov", CR0_SELECTED, do_cr0_am),
	PROBE("intercept-cr0-ts", "none", traps, do_cr0_ts,
	      .arg = VMCB_EXIT_CR0_SELECTED),
	TRAP("intercept-cr0-lmsw", CR0_SELECTED, do_lmsw),
	PROBE("intercept-cr0-write-lmsw", "exit", traps, do_lmsw,
	      .arg = CR0_WRITTEN),
	PROBE("intercept-cr0-write-clts", "exit", traps, do_clts,
	      .arg = CR0_WRITTEN),
	PROBE("intercept-cr3-read", "exit", traps, do_read_cr3,
	      .arg = CR3_READ),
	PROBE("intercept-cr8-write", "exit", traps, do_write_cr8,
	      .arg = CR8_WRITTEN),
	PROBE("intercept-cr0-read", "exit", traps, do_read_cr0,
	      .arg = CR0_READ),
	PROBE("intercept-cr4-read", "exit", traps, do_read_cr4,
	      .arg = CR4_READ),
	PROBE("intercept-cr8-read", "exit", traps, do_read_cr8,
	      .arg = CR8_READ),
	PROBE("intercept-cr3-read-as-cr0", "none", traps, do_read_cr3,
	      .arg = CR0_READ),
	PROBE("intercept-cr4-read-as-cr0", "none", traps, do_read_cr4,
	      .arg = CR0_READ),
	PROBE("intercept-cr8-read-as-cr0", "none", traps, do_read_cr8,
	      .arg = CR0_READ),
	PROBE("intercept-rdtscp-as-rdtsc", "none", traps, do_rdtscp,
	      .arg = VMCB_EXIT_RDTSC),
	PROBE("free-vmmcall", "exit-46", passes, do_vmmcall_hlt,
	      .arg = VMCB_EXIT_VMMCALL),
	PROBE("free-stgi", "none", passes, do_stgi, .arg = VMCB_EXIT_STGI),
	PROBE("free-clgi", "none", passes, do_clgi, .arg = VMCB_EXIT_CLGI),
	PROBE("next-rip-cpuid", "+2", next_rip, do_cpuid,
	      .arg = VMCB_EXIT_CPUID),
	PROBE("next-rip-vmmcall", "+3", next_rip, do_vmmcall,
	      .arg = VMCB_EXIT_VMMCALL),
	PROBE("next-rip-wrmsr", "+2", next_rip, do_wrmsr, .arg = VMCB_EXIT_MSR),
	PROBE("next-rip-io", "+1", next_rip, do_in8, .arg = VMCB_EXIT_IOIO),
	PROBE("info-cr3-write", "0x8000000000000003", info, do_write_cr3,
	      .arg = CR3_WRITTEN),
	PROBE("info-dr7-read", "0x3", info, do_read_dr7, .arg = DR7_READ),
	PROBE("info-dr7-write", "0x3", info, do_write_dr7, .arg = DR7_WRITTEN),
	PROBE("info-invlpg", "0x123456", info, do_invlpg,
	      .arg = VMCB_EXIT_INVLPG),
	PROBE("info-int", "0x41", info, do_int, .arg = VMCB_EXIT_SWINT),
	PROBE("info-rdmsr", "0x0", info, do_rdmsr, .arg = VMCB_EXIT_MSR),
	PROBE("info-in8", "0x800211+1", io_info, do_in8, .arg = VMCB_EXIT_IOIO),
	PROBE("info-in8-imm", "0x800211+2", io_info, do_in8_imm,
	      .arg = VMCB_EXIT_IOIO),
	PROBE("info-out16", "0x800220+2", io_info, do_out16,
	      .arg = VMCB_EXIT_IOIO),
	PROBE("info-out32", "0x800240+1", io_info, do_out32,
	      .arg = VMCB_EXIT_IOIO),
	PROBE("info-outs8", "0x800e14+1", io_info, do_outs,
	      .arg = VMCB_EXIT_IOIO),
	PROBE("info-rep-outs16-a32", "0x800d2c+4", io_info, do_rep_outs,
	      .arg = VMCB_EXIT_IOIO),
	PROBE("info-insn-bytes", "15", insn_bytes, do_read),
};

const struct probe_table probe_exits = {probes, ARRAY_SIZE(probes)};
