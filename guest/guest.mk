# guest/: bare multiboot payloads, one ELF32 per program. The code is 64-bit;
# the container is ELF32 because multiboot-1 loaders take nothing else.
guest-lib-src := guest/lib/apic.c guest/lib/argument.c \
	guest/lib/cmdline.c guest/lib/edu.c \
	guest/lib/exit.c guest/lib/idt.c guest/lib/multiboot.c \
	guest/lib/nestbox.c guest/lib/page.c guest/lib/pci.c \
	guest/lib/serial.c guest/lib/smp.c \
	guest/lib/tap.c guest/lib/tick.c guest/lib/trampoline.S \
	guest/lib/vectors.S

# An archive, so that a payload holds only the facilities it calls.
free-objects  = $(patsubst %,$(B)/free/%.o,$(basename $(1)))
guest-start  := $(B)/free/guest/lib/start.o
guest-lib    := $(B)/free/guest/libguest.a
guest-script := guest/lib/guest.ld

# Tests of one file each; then those of several.
simple-tests := apic dma exitcode gif hypercall planted selftest
# The conformance suite: one file each and the frame svm_l2.
svm-tests := svm_load
payloads := $(B)/guest/bench/micro.elf $(B)/guest/test/attack.elf \
	$(B)/guest/test/svm_probe.elf \
	$(simple-tests:%=$(B)/guest/test/%.elf) \
	$(svm-tests:%=$(B)/guest/test/%.elf)

micro-src    := guest/bench/micro.c guest/bench/ops_cpu.c \
	guest/bench/ops_dev.c guest/bench/ops_irq.c
attack-src   := guest/test/attack.c guest/test/attack_cpu.c \
	guest/test/attack_io.c guest/test/attack_mem.c guest/test/attack_mode.S
svm_probe-src := guest/test/svm.c guest/test/svm_checks.c \
	guest/test/svm_cpu.c guest/test/svm_events.c guest/test/svm_exits.c \
	guest/test/svm_nested.c guest/test/svm_probe.c

$(guest-lib): $(call free-objects,$(guest-lib-src)) $(lib-free)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcsD $@ $^

$(B)/guest/bench/micro.elf64: $(call free-objects,$(micro-src))
$(B)/guest/test/attack.elf64: $(call free-objects,$(attack-src))
$(B)/guest/test/svm_probe.elf64: $(call free-objects,$(svm_probe-src))
$(simple-tests:%=$(B)/guest/test/%.elf64): $(B)/guest/test/%.elf64: \
		$(B)/free/guest/test/%.o

$(svm-tests:%=$(B)/guest/test/%.elf64): $(B)/guest/test/%.elf64: \
		$(B)/free/guest/test/%.o \
		$(call free-objects,guest/test/svm.c guest/test/svm_l2.c)

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
