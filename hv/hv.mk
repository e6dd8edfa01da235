# hv/: the hypervisor, nestbox.elf, and the same without nesting,
# nestbox-flat.elf. What is pure runs in host unit tests too.
hv-pure-src := hv/account.c hv/boot/bootinfo.c hv/boot/linux.c \
	hv/boot/memmap.c hv/boot/options.c hv/boot/payload.c hv/boot/plan.c \
	hv/emulate.c hv/gwalk.c hv/ivrs.c hv/nested/npt12.c hv/svm/event.c
hv-src := $(hv-pure-src) hv/boot/boot.S hv/boot/l1.c hv/code.c hv/console.c \
	hv/hypercall.c hv/insn.c hv/ioapic.c hv/iommu.c hv/lapic.c hv/main.c \
	hv/mem.c hv/mmio.c hv/panic.c hv/pci.c hv/policy.c hv/ports.c \
	hv/power.c hv/ptable.c hv/run.c hv/seal.c hv/shoot.c hv/smp.c \
	hv/space.c hv/svm/ahead.c hv/svm/entry.S hv/svm/gif.c hv/svm/memo.c \
	hv/svm/msrpm.c hv/svm/quick.c hv/svm/quirk.c hv/svm/record.c \
	hv/svm/svm.c \
	hv/tables.c hv/timer.c hv/token.c hv/trampoline.S hv/trap.c \
	hv/vapic.c hv/vectors.S
# Either of these two, which have the functions of hv/nested.h.
nested-pure-src := hv/nested/check.c hv/nested/merge.c hv/nested/npt12.c \
	hv/nested/wants.c
nested-src := $(nested-pure-src) hv/nested/assist.c hv/nested/exits.c \
	hv/nested/guest.c hv/nested/insns.c hv/nested/msrs.c \
	hv/nested/npt02.c hv/nested/offer.c hv/nested/pool.c \
	hv/nested/quick.c hv/nested/reads.c hv/nested/save.c \
	hv/nested/shadow.c hv/nested/shake.c \
	hv/nested/track.c hv/nested/vmcb02.c hv/nested/vmrun.c
flat-src := hv/nested_none.c
hv-lib-src := lib/acpi.c lib/exit.c lib/fmt.c lib/string.c lib/uart.c \
	lib/word.c lib/x86dec.c lib/x86dec_operand.c lib/x86dec_table.c
hypervisor := $(B)/nestbox.elf $(if $(flat-src),$(B)/nestbox-flat.elf)

# Linked to the last 2 GiB of addresses (hv/layout.h).
HVCFLAGS := $(FREECFLAGS) -mcmodel=kernel
hv-objects = $(patsubst %,$(B)/hv/%.o,$(basename $(1)))

$(B)/hv/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HVCFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/hv/%.o: %.S
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HVCFLAGS) -D__ASSEMBLER__ -c -o $@ $<

$(B)/hv/hv.ld: hv/hv.ld hv/layout.h lib/x86.h
	@mkdir -p $(@D)
	$(Q)$(CC) -E -P -x assembler-with-cpp -I. -o $@ $<

$(B)/nestbox.elf: $(call hv-objects,$(nested-src))
$(B)/nestbox-flat.elf: $(call hv-objects,$(flat-src))
$(hypervisor): $(call hv-objects,$(hv-src) $(hv-lib-src)) $(B)/hv/hv.ld
	$(call say,LD,$@)
	$(Q)$(LD) -m elf_x86_64 -nostdlib -static --build-id=none \
		-z max-page-size=4096 -z noexecstack -T $(B)/hv/hv.ld \
		-o $@ $(filter %.o,$^)
