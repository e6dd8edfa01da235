# test/: host unit tests (cmocka, under sanitizers), fuzz targets with their
# regressions, and shell tests that run real stacks.
unit-names := t-acpi t-boot t-emulate t-exit t-fmt t-gwalk t-ivrs t-lab \
	t-levels t-linux t-memmap t-micro t-mmio t-npt12 t-options t-payload \
	t-ports t-run t-shadow t-shadow-random t-vapic t-x86dec
unit-names += t-check t-event t-merge t-record t-record-random t-save t-wants

# Units are always built with sanitizers, beside the ordinary build.
SB := $(B)/san
$(SB)/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOSTCFLAGS) $(san-flags) -c -o $@ $<

unit-objects := $(lab-lib:%=$(SB)/lab/%.o) $(capture-core:%.c=$(SB)/%.o) \
	$(lib-src:%.c=$(SB)/%.o) $(lib-hosted-src:%.c=$(SB)/%.o) \
	$(hv-pure-src:%.c=$(SB)/%.o) $(nested-pure-src:%.c=$(SB)/%.o)
replays := $(SB)/unit/replay_lab $(SB)/unit/replay_boot \
	$(SB)/unit/replay_merge $(SB)/unit/replay_vmcb \
	$(SB)/unit/replay_x86dec
fuzzers := $(B)/fuzz/fuzz_lab $(B)/fuzz/fuzz_boot $(B)/fuzz/fuzz_merge \
	$(B)/fuzz/fuzz_vmcb $(B)/fuzz/fuzz_x86dec
l1-programs := $(B)/test/e2e/l1user $(B)/test/e2e/l2check \
	$(B)/test/e2e/planted_system
test-programs := $(l1-programs)
check-tests := test/fuzz/replay-lab.sh test/fuzz/replay-boot.sh \
	test/fuzz/replay-merge.sh test/fuzz/replay-vmcb.sh \
	test/fuzz/replay-x86dec.sh \
	test/e2e/bad-input.sh
guest-tests := test/e2e/payloads.sh test/e2e/hypercall.sh test/e2e/l0.sh \
	test/e2e/attack.sh test/e2e/iso.sh test/e2e/iommu.sh \
	test/e2e/stacks.sh test/e2e/nested.sh test/e2e/shake.sh \
	test/e2e/instrument.sh \
	test/e2e/bochs.sh test/e2e/svm.sh \
	test/e2e/svm-bochs.sh test/e2e/xen.sh test/e2e/selftests.sh \
	test/e2e/multiboot.sh \
	test/e2e/random.sh test/e2e/storm.sh
long-tests := test/e2e/deep.sh test/e2e/pae.sh test/e2e/nested-long.sh \
	test/e2e/matrix-long.sh test/e2e/guests-long.sh \
	test/e2e/svm-long.sh \
	test/e2e/selftests-long.sh test/e2e/attack-long.sh test/e2e/disk.sh \
	test/e2e/random-long.sh test/mutants.sh
include test/walk.mk

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
vmcb-objects := $(SB)/test/fuzz/vmcb_input.o $(SB)/test/unit/vmcb_reference.o
$(SB)/unit/replay_merge $(SB)/unit/replay_vmcb: $(vmcb-objects)
# vmcb02 as L0 makes it, on a machine that fuzz_merge.c makes.
merge-src := hv/nested/vmcb02.c hv/nested/vmrun.c
merge-objects := $(merge-src:%.c=$(SB)/%.o)
$(merge-objects) $(SB)/test/fuzz/fuzz_merge.o: \
	HOSTCFLAGS += -iquote test/unit/fake
$(SB)/unit/replay_merge: $(merge-objects)
$(SB)/unit/replay_x86dec: $(SB)/test/fuzz/x86_zydis.o
$(SB)/unit/replay_x86dec: LAB_LIBS += -lZydis

$(replays): $(SB)/unit/replay_%: $(SB)/test/fuzz/replay.o \
		$(SB)/test/fuzz/fuzz_%.o $(SB)/libunit.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(san-flags) -o $@ $(filter %.o,$^) $(SB)/libunit.a \
		$(LAB_LIBS) $(NBT_LIBS)

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
$(l1-programs): $(B)/test/e2e/%: test/e2e/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) -D_GNU_SOURCE -O2 -static -o $@ $<

build-tests: $(units) $(replays) $(test-programs)

check: all $(units) $(replays) $(test-programs)
	$(Q)tools/run-tap -n check -t 120 $(units) $(check-tests)

check-guest: all $(test-programs)
	$(Q)tools/run-tap -n check-guest -j 2 -t 1200 $(guest-tests)

# The suite that needs Bochs, alone: with what it needs, and a summary.
check-bochs: install-deps
	$(Q)tools/test.sh bochs

bochs: all
	$(Q)tools/run-tap -n bochs -t 600 test/e2e/bochs.sh \
		test/e2e/svm-bochs.sh

check-long: all $(units) $(test-programs)
	$(Q)tools/run-tap -n check-long -t 7200 $(long-tests)

# Whether the tests above find the faults of test/mutants.list.
mutants: all $(units)
	$(Q)tools/run-tap -n mutants -t 1800 test/mutants.sh
