# test/: host unit tests (cmocka, under sanitizers), fuzz targets with their
# regressions, and shell tests that run real stacks.
unit-names := t-acpi t-boot t-emulate t-exit t-fmt t-gwalk t-ivrs t-lab \
	t-levels t-linux t-memmap t-micro t-mmio t-npt12 t-options t-payload \
	t-ports t-run t-shadow t-shadow-random t-vapic t-x86dec
unit-names += t-check t-event t-merge t-record t-record-random t-save t-wants
unit-names += t-check t-event t-merge t-save t-wants
unit-names += t-nbt t-nbt-damage t-nbt-write t-import t-import-walk
unit-names += t-designs t-frames t-space t-space-event t-space-guess \
	t-tea t-vma
unit-names += t-derive t-profile t-textbook t-walk
unit-names += t-nbt t-nbt-damage t-nbt-write
unit-names += t-designs t-space t-space-event t-tea t-vma
unit-names += t-profile t-textbook t-walk
unit-names += t-import t-import-walk t-pattern t-synth
unit-names += t-rows

# Units are always built with sanitizers, beside the ordinary build.
SB := $(B)/san
$(SB)/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOSTCFLAGS) $(san-flags) -c -o $@ $<

unit-objects := $(lab-lib:%=$(SB)/lab/%.o) $(capture-core:%.c=$(SB)/%.o) \
	$(lib-src:%.c=$(SB)/%.o) $(lib-hosted-src:%.c=$(SB)/%.o) $(hv-pure-src:%.c=$(SB)/%.o) \
	$(nested-pure-src:%.c=$(SB)/%.o) $(nbt-src:%.c=$(SB)/%.o)
unit-objects += $(import-src:%.c=$(SB)/%.o)
units := $(unit-names:%=$(SB)/unit/%)
$(SB)/libunit.a: $(unit-objects) lib/lib.mk hv/hv.mk
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

# lib/x86dec is compared with libzydis.
$(SB)/unit/t-x86dec: $(SB)/test/fuzz/x86_zydis.o
$(SB)/unit/t-x86dec: LAB_LIBS += -lZydis

# hv/nested/check is compared with the same rules, written slowly.
$(SB)/unit/t-check: $(SB)/test/unit/vmcb_reference.o

$(units): $(SB)/unit/%: $(SB)/test/unit/%.o $(SB)/libunit.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(san-flags) -o $@ $(filter %.o,$^) $(SB)/libunit.a \
		$(LAB_LIBS) $(NBT_LIBS) -lcmocka

# walk's OS model, and the designs that use it, on a machine without caches.
space-tests := t-designs t-frames t-space t-space-event t-space-guess \
	t-tea t-vma
space-objects := $(walk-space-src:%.c=$(SB)/%.o) $(SB)/walk/key.o
design-objects := $(SB)/walk/assoc.o $(SB)/test/unit/fake_mmu.o \
	$(patsubst %,$(SB)/walk/design/%.o,radix shadow dmt pvdmt fetcher)
$(design-objects) $(SB)/test/unit/t-designs.o: \
	HOSTCFLAGS += -iquote walk/isa/portable
$(space-tests:%=$(SB)/unit/%): $(space-objects)
$(SB)/unit/t-designs: $(design-objects)
$(SB)/unit/t-space-guess: $(SB)/test/unit/memory_trace.o

# walk/ as it is built for programs, and traces in memory.
$(foreach i,$(walk-isas),$(eval $(call \
	walk-core,$(SB),$(i),$(san-flags),$(LD) -r)))
walk-tests := t-derive t-profile t-textbook t-walk
walk-san := $(walk-src:%.c=$(SB)/%.o) $(walk-isas:%=$(SB)/walk-%.o) \
	$(walk-profiles) $(SB)/test/unit/memory_trace.o
$(walk-tests:%=$(SB)/unit/%): $(walk-san)
# The textbook's own copies of what says where things are.
$(SB)/unit/t-textbook: $(SB)/test/unit/textbook.o $(SB)/walk/key.o \
	$(walk-space-src:%.c=$(SB)/%.o)
$(SB)/unit/t-walk: $(SB)/bench/pattern.o

# workload/'s patterns: with memory that they are compared with, and recorded.
$(SB)/test/unit/t-pattern.o: HOSTCFLAGS += -iquote test/unit/fake
$(SB)/unit/t-pattern: $(SB)/workload/size.o
$(SB)/unit/t-synth: $(synth-src:%.c=$(SB)/%.o)
# What `nestbox walk` reads and shows, with walk/ and lib/nbt as they are.
rows-san := $(lab-walk-src:%.c=$(SB)/%.o) $(walk-src:%.c=$(SB)/%.o) \
	$(walk-isas:%=$(SB)/walk-%.o) $(walk-profiles)
$(SB)/unit/t-rows $(SB)/unit/replay_rows: $(rows-san)

# Imported traces, in files, through walk/.
$(SB)/unit/t-import-walk: $(SB)/bench/pattern.o \
	$(filter-out %/memory_trace.o,$(walk-san))
$(SB)/unit/t-import $(SB)/unit/t-import-walk: NBT_LIBS += $(IMPORT_LIBS)

# lib/nbt: traces of every form.
nbt-tests := t-nbt t-nbt-damage t-nbt-write
$(nbt-tests:%=$(SB)/unit/%): $(SB)/test/unit/nbt_sample.o

# hv/'s core, on a fake backend and machine: the headers in test/unit/fake
# stand before those with the machine's instructions.
core-src := hv/code.c hv/hypercall.c hv/insn.c hv/mmio.c hv/policy.c \
	hv/ports.c hv/ptable.c hv/run.c hv/shoot.c hv/smp.c hv/vapic.c \
	test/unit/fake_machine.c test/unit/fake_nested.c test/unit/fake_vmm.c
core-tests := t-mmio t-ports t-run t-vapic
core-objects := $(core-src:%.c=$(SB)/%.o)
$(core-objects) $(core-tests:%=$(SB)/test/unit/%.o): \
	HOSTCFLAGS += -iquote test/unit/fake
$(core-tests:%=$(SB)/unit/%): $(core-objects)

# NPT02 on a machine without hardware, with NPT01 as it is built.
npt-tests := t-shadow t-shadow-random
npt-objects := $(SB)/hv/nested/npt02.o $(SB)/hv/nested/pool.o \
	$(SB)/hv/nested/shadow.o $(SB)/hv/nested/track.o $(SB)/hv/ptable.o \
	$(SB)/hv/space.o $(SB)/test/unit/npt_machine.o
$(npt-objects) $(npt-tests:%=$(SB)/test/unit/%.o): \
	HOSTCFLAGS += -iquote test/unit/fake
$(npt-tests:%=$(SB)/unit/%): $(npt-objects)

# What L0 learns of L1's code, on a machine of a few pages.
record-tests := t-record t-record-random
record-objects := $(SB)/hv/code.o $(SB)/hv/svm/ahead.o $(SB)/hv/svm/record.o \
	$(SB)/test/unit/record_machine.o
$(record-objects) $(record-tests:%=$(SB)/test/unit/%.o): \
	HOSTCFLAGS += -iquote test/unit/fake
$(record-tests:%=$(SB)/unit/%): $(record-objects)

# The state of L1's SVM, without the rest of hv/nested.
$(SB)/hv/nested/save.o $(SB)/test/unit/t-save.o: \
	HOSTCFLAGS += -iquote test/unit/fake
$(SB)/unit/t-save: $(SB)/hv/nested/save.o

# The fuzz targets: replayed by `check`, really run by `make fuzz`.
replays := $(SB)/unit/replay_lab $(SB)/unit/replay_boot \
	$(SB)/unit/replay_merge $(SB)/unit/replay_vmcb \
	$(SB)/unit/replay_x86dec
vmcb-objects := $(SB)/test/fuzz/vmcb_input.o $(SB)/test/unit/vmcb_reference.o
$(SB)/unit/replay_merge $(SB)/unit/replay_vmcb: $(vmcb-objects)
# vmcb02 as L0 makes it, on a machine that fuzz_merge.c makes.
merge-src := hv/nested/vmcb02.c hv/nested/vmrun.c
merge-objects := $(merge-src:%.c=$(SB)/%.o)
$(merge-objects) $(SB)/test/fuzz/fuzz_merge.o: \
	HOSTCFLAGS += -iquote test/unit/fake
$(SB)/unit/replay_merge: $(merge-objects)
	$(SB)/unit/replay_vmcb $(SB)/unit/replay_x86dec $(SB)/unit/replay_nbt
replays += $(SB)/unit/replay_import $(SB)/unit/replay_rows
$(SB)/unit/replay_import: NBT_LIBS += $(IMPORT_LIBS)
$(SB)/unit/replay_vmcb: $(SB)/test/unit/vmcb_reference.o
$(SB)/unit/replay_x86dec: $(SB)/test/fuzz/x86_zydis.o
$(SB)/unit/replay_x86dec: LAB_LIBS += -lZydis

$(replays): $(SB)/unit/replay_%: $(SB)/test/fuzz/replay.o \
		$(SB)/test/fuzz/fuzz_%.o $(SB)/libunit.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(san-flags) -o $@ $(filter %.o,$^) $(SB)/libunit.a \
		$(LAB_LIBS) $(NBT_LIBS)

fuzzers := $(B)/fuzz/fuzz_lab $(B)/fuzz/fuzz_boot $(B)/fuzz/fuzz_merge \
	$(B)/fuzz/fuzz_vmcb $(B)/fuzz/fuzz_x86dec
$(B)/fuzz/fuzz_lab: $(lab-lib:%=lab/%.c) $(capture-core)
fuzzers := $(B)/fuzz/fuzz_lab $(B)/fuzz/fuzz_boot $(B)/fuzz/fuzz_vmcb \
	$(B)/fuzz/fuzz_x86dec $(B)/fuzz/fuzz_nbt $(B)/fuzz/fuzz_import \
	$(B)/fuzz/fuzz_rows
$(B)/fuzz/fuzz_import: $(import-src) $(nbt-src) $(lib-hosted-src)
$(B)/fuzz/fuzz_import: LAB_LIBS += $(NBT_LIBS) $(IMPORT_LIBS)
$(B)/fuzz/fuzz_rows: lab/args.c lab/cache.c lab/walk_keep.c lab/walk_perf.c \
	lab/walk_plan.c lib/err.c $(nbt-src) $(walk-obj)
$(B)/fuzz/fuzz_rows: LAB_LIBS += $(NBT_LIBS)
$(B)/fuzz/fuzz_nbt: $(nbt-src) $(lib-hosted-src)
$(B)/fuzz/fuzz_nbt: LAB_LIBS += $(NBT_LIBS)
$(B)/fuzz/fuzz_lab: $(lab-lib:%=lab/%.c) $(capture-core) $(lib-hosted-src)
$(B)/fuzz/fuzz_boot: $(hv-pure-src) $(lib-src)
vmcb-fuzzers := $(B)/fuzz/fuzz_merge $(B)/fuzz/fuzz_vmcb
$(vmcb-fuzzers): test/fuzz/vmcb_input.c test/unit/vmcb_reference.c \
	$(nested-pure-src)
$(B)/fuzz/fuzz_merge: $(merge-src) hv/svm/event.c
$(B)/fuzz/fuzz_merge: FUZZFLAGS := -iquote test/unit/fake
$(B)/fuzz/fuzz_x86dec: test/fuzz/x86_zydis.c $(lib-src)
$(B)/fuzz/fuzz_x86dec: LAB_LIBS += -lZydis

$(fuzzers): $(B)/fuzz/%: test/fuzz/%.c
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)clang -std=gnu11 -g -O1 $(FUZZFLAGS) -I. -D_GNU_SOURCE -o $@ $^ \
		$(LAB_LIBS) \
		-fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined

fuzz: all $(fuzzers)
	$(Q)test/fuzz/fuzz.sh

# Programs that run in L1 or L2, which have no libraries of this machine.
l1-programs := $(B)/test/e2e/l1user $(B)/test/e2e/l2check
$(l1-programs): $(B)/test/e2e/%: test/e2e/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) -D_GNU_SOURCE -O2 -static -o $@ $<

# A trace for tests of what reads them.
mktrace := $(B)/test/e2e/mktrace
$(mktrace): $(B)/host/test/e2e/mktrace.o $(B)/host/bench/pattern.o $(nbt-host) \
		$(lib-hosted-src:%.c=$(B)/host/%.o)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) -o $@ $^ $(NBT_LIBS)

build-tests: $(units) $(replays) $(l1-programs) $(mktrace)
# What test/e2e/capture.sh records.
captured := $(B)/test/e2e/captured
$(captured): test/e2e/captured.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) -D_GNU_SOURCE -O2 -o $@ $<

build-tests: $(units) $(replays) $(l1-programs) $(captured)

check-tests := test/fuzz/replay-lab.sh test/fuzz/replay-boot.sh \
	test/fuzz/replay-merge.sh test/fuzz/replay-vmcb.sh \
	test/fuzz/replay-x86dec.sh \
	test/fuzz/replay-vmcb.sh test/fuzz/replay-x86dec.sh \
	test/fuzz/replay-nbt.sh test/fuzz/replay-import.sh \
	test/e2e/bad-input.sh
guest-tests := test/e2e/capture.sh
guest-tests += test/e2e/payloads.sh test/e2e/hypercall.sh test/e2e/l0.sh \
	test/fuzz/replay-rows.sh test/e2e/walk.sh test/e2e/bad-input.sh
guest-tests := test/e2e/payloads.sh test/e2e/hypercall.sh test/e2e/l0.sh \
	test/e2e/attack.sh test/e2e/iso.sh test/e2e/iommu.sh \
	test/e2e/stacks.sh test/e2e/nested.sh test/e2e/shake.sh \
	test/e2e/instrument.sh \
	test/e2e/bochs.sh test/e2e/pae.sh test/e2e/svm.sh \
	test/e2e/svm-bochs.sh test/e2e/xen.sh test/e2e/selftests.sh \
	test/e2e/multiboot.sh \
	test/e2e/random.sh test/e2e/storm.sh
long-tests := test/e2e/deep.sh test/e2e/nested-long.sh \
	test/e2e/matrix-long.sh test/e2e/guests-long.sh \
	test/e2e/svm-long.sh \
	test/e2e/selftests-long.sh test/e2e/attack-long.sh test/e2e/disk.sh \
	test/e2e/random-long.sh test/mutants.sh

check: all $(units) $(replays) $(mktrace)
	$(Q)tools/run-tap -n check -t 120 $(units) $(check-tests)

check-guest: all $(l1-programs) $(captured)
	$(Q)tools/run-tap -n check-guest -j 2 -t 1200 $(guest-tests)

# The suite that needs Bochs, alone: with what it needs, and a summary.
check-bochs: install-deps
	$(Q)tools/test.sh bochs

bochs: all
	$(Q)tools/run-tap -n bochs -t 600 test/e2e/bochs.sh \
		test/e2e/svm-bochs.sh

check-long: all $(units) $(l1-programs)
	$(Q)tools/run-tap -n check-long -t 7200 $(long-tests)

# Whether the tests above find the faults of test/mutants.list.
mutants: all $(units)
	$(Q)tools/run-tap -n mutants -t 1800 test/mutants.sh
