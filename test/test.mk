# test/: host unit tests (cmocka, under sanitizers), fuzz targets with their
# regressions, and shell tests that run real stacks.
unit-names := t-fmt t-lab t-levels t-micro t-acpi t-boot t-linux t-memmap \
	t-options t-payload

# Units are always built with sanitizers, beside the ordinary build.
SB := $(B)/san
$(SB)/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOSTCFLAGS) $(san-flags) -c -o $@ $<

unit-objects := $(lab-lib:%=$(SB)/lab/%.o) $(capture-core:%.c=$(SB)/%.o) \
	$(lib-src:%.c=$(SB)/%.o) $(hv-pure-src:%.c=$(SB)/%.o)
units := $(unit-names:%=$(SB)/unit/%)
$(SB)/libunit.a: $(unit-objects)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(units): $(SB)/unit/%: $(SB)/test/unit/%.o $(SB)/libunit.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(san-flags) -o $@ $^ $(LAB_LIBS) -lcmocka

# The fuzz target: replayed by `check`, really run by `make fuzz`.
$(SB)/unit/replay: $(SB)/test/fuzz/replay.o $(SB)/test/fuzz/fuzz_lab.o \
		$(SB)/libunit.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(san-flags) -o $@ $^ $(LAB_LIBS)

fuzz-src := test/fuzz/fuzz_lab.c $(lab-lib:%=lab/%.c) $(capture-core)
$(B)/fuzz/fuzz_lab: $(fuzz-src)
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)clang -std=gnu11 -g -O1 -I. -D_GNU_SOURCE -o $@ $^ $(LAB_LIBS) \
		-fsanitize=fuzzer,address,undefined

fuzz: all $(B)/fuzz/fuzz_lab
	$(Q)test/fuzz/fuzz.sh

build-tests: $(units) $(SB)/unit/replay

check-tests := test/fuzz/replay.sh test/e2e/bad-input.sh
guest-tests := test/e2e/payloads.sh test/e2e/stacks.sh test/e2e/instrument.sh
long-tests := test/e2e/deep.sh

check: all $(units) $(SB)/unit/replay
	$(Q)tools/run-tap -n check -t 120 $(units) $(check-tests)

check-guest: all
	$(Q)tools/run-tap -n check-guest -j 2 -t 1200 $(guest-tests)

check-long: all
	$(Q)tools/run-tap -n check-long -t 7200 $(long-tests)
