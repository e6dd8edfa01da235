# test/: host unit tests (cmocka, under sanitizers), fuzz targets with their
# regressions, and shell tests that run real stacks.
unit-names := t-fmt t-lab t-levels t-micro

# Units are always built with sanitizers, beside the ordinary build.
SB := $(B)/san
$(SB)/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOSTCFLAGS) $(san-flags) -c -o $@ $<

unit-objects := $(lab-lib:%=$(SB)/lab/%.o) $(capture-core:%.c=$(SB)/%.o) \
	$(lib-src:%.c=$(SB)/%.o)
units := $(unit-names:%=$(SB)/unit/%)
$(SB)/libunit.a: $(unit-objects)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(units): $(SB)/unit/%: $(SB)/test/unit/%.o $(SB)/libunit.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(san-flags) -o $@ $^ $(LAB_LIBS) -lcmocka

check-tests := test/e2e/bad-input.sh
guest-tests := test/e2e/payloads.sh test/e2e/stacks.sh test/e2e/instrument.sh
long-tests := test/e2e/deep.sh

check: all $(units)
	$(Q)tools/run-tap -n check -t 120 $(units) $(check-tests)

check-guest: all
	$(Q)tools/run-tap -n check-guest -j 2 -t 1200 $(guest-tests)

check-long: all
	$(Q)tools/run-tap -n check-long -t 7200 $(long-tests)
