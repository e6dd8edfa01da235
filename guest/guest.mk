# guest/: bare multiboot payloads, one ELF32 per program. The code is 64-bit;
# the container is ELF32 because multiboot-1 loaders take nothing else.
guest-lib-src := guest/lib/apic.c guest/lib/argument.c \
	guest/lib/cmdline.c guest/lib/edu.c \
	guest/lib/exit.c guest/lib/idt.c guest/lib/multiboot.c \
	guest/lib/nestbox.c guest/lib/page.c guest/lib/pci.c \
	guest/lib/rnd.c \
	guest/lib/serial.c guest/lib/smp.c \
	guest/lib/tap.c guest/lib/tick.c guest/lib/trampoline.S \
	guest/lib/vectors.S

# An archive, so that a payload holds only the facilities it calls.
free-objects  = $(patsubst %,$(B)/free/%.o,$(basename $(1)))
guest-start  := $(B)/free/guest/lib/start.o
guest-lib    := $(B)/free/guest/libguest.a
guest-script := guest/lib/guest.ld

# Tests of one file each; then those of several.
simple-tests := apic dma exitcode gif hypercall lost planted selftest
# The conformance suite: a file each, NAME-more, and the frame svm_l2.
svm-tests := svm_ahead svm_block svm_debug svm_event svm_gif svm_intercept \
	svm_load svm_maps svm_mode svm_npt svm_smp svm_tlb svm_virq svm_vmrun
svm_load-more := guest/test/svm_load_l2.c
svm_maps-more := guest/test/svm_maps_io.c
svm_intercept-more := guest/test/svm_intercept_events.c \
	guest/test/svm_intercept_regs.c
svm_vmrun-more := guest/test/svm_vmrun_copies.c guest/test/svm_vmrun_state.c
# Of these, svm_l1 has interrupts of L1's own, svm_guest a page of L2 that has
# its tables to itself.
svm_block-more := guest/test/svm_guest.c
svm_ahead-more := guest/test/svm_ahead_round.S guest/test/svm_l1.c
svm_debug-more := guest/test/svm_l1.c
svm_event-more := guest/test/svm_event_faults.c guest/test/svm_l1.c
svm_gif-more := guest/test/svm_gif_l2.c guest/test/svm_l1.c
svm_mode-more := guest/test/svm_guest.c guest/test/svm_mode_32.c \
	guest/test/svm_mode_regs.c guest/test/svm_trip.S
svm_npt-more := guest/test/svm_guest.c
svm_smp-more := guest/test/svm_l1.c
svm_tlb-more := guest/test/svm_guest.c
svm_virq-more := guest/test/svm_l1.c
payloads := $(B)/guest/bench/micro.elf $(B)/guest/bench/svm_cost.elf \
	$(B)/guest/test/svm_counts.elf \
	$(B)/guest/test/attack.elf \
	$(B)/guest/test/svm_probe.elf \
	$(B)/guest/test/svm_random.elf \
	$(B)/guest/test/svm_storm.elf \
	$(simple-tests:%=$(B)/guest/test/%.elf) \
	$(svm-tests:%=$(B)/guest/test/%.elf)

micro-src    := guest/bench/micro.c guest/bench/ops_cpu.c \
	guest/bench/ops_dev.c guest/bench/ops_irq.c
attack-src   := guest/test/attack.c guest/test/attack_cpu.c \
	guest/test/attack_io.c guest/test/attack_mem.c guest/test/attack_mode.S
svm_probe-src := guest/test/svm.c guest/test/svm_checks.c \
	guest/test/svm_cpu.c guest/test/svm_events.c guest/test/svm_exits.c \
	guest/test/svm_nested.c guest/test/svm_probe.c
svm_random-src := guest/test/svm.c guest/test/svm_l1.c guest/test/svm_l2.c \
	guest/test/svm_random.c guest/test/svm_random_block.c \
	guest/test/svm_random_world.c
svm_storm-src := guest/test/svm.c guest/test/svm_ahead_round.S \
	guest/test/svm_l1.c guest/test/svm_storm.c \
	guest/test/svm_storm_judge.c

$(guest-lib): $(call free-objects,$(guest-lib-src)) $(lib-free)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcsD $@ $^

$(B)/guest/bench/micro.elf64: $(call free-objects,$(micro-src))
$(B)/guest/bench/svm_cost.elf64: \
	$(call free-objects,guest/bench/svm_cost.c guest/test/svm.c)
$(B)/guest/test/svm_counts.elf64: \
	$(call free-objects,guest/test/svm_counts.c guest/test/svm.c)
$(B)/guest/test/attack.elf64: $(call free-objects,$(attack-src))
$(B)/guest/test/svm_probe.elf64: $(call free-objects,$(svm_probe-src))
$(B)/guest/test/svm_random.elf64: $(call free-objects,$(svm_random-src))
$(B)/guest/test/svm_storm.elf64: $(call free-objects,$(svm_storm-src))
$(simple-tests:%=$(B)/guest/test/%.elf64): $(B)/guest/test/%.elf64: \
		$(B)/free/guest/test/%.o

$(svm-tests:%=$(B)/guest/test/%.elf64): $(B)/guest/test/%.elf64: \
		$(B)/free/guest/test/%.o \
		$(call free-objects,guest/test/svm.c guest/test/svm_l2.c)

$(foreach t,$(svm-tests),$(eval \
	$(B)/guest/test/$(t).elf64: $(call free-objects,$($(t)-more))))

# The .elf64 keeps the symbols, for gdb and objdump.
$(payloads:.elf=.elf64): $(guest-start) $(guest-lib) $(guest-script)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(LD) -m elf_x86_64 -nostdlib -static --build-id=none \
		-z max-page-size=4096 -z noexecstack -T $(guest-script) \
		-o $@ $(filter %.o,$^) $(guest-lib)

$(payloads): %.elf: %.elf64
	$(call say,OBJCOPY,$@)
	$(Q)objcopy -O elf32-i386 --strip-debug $< $@
