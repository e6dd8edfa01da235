# test/: units, fuzz targets and suites of traces and of the simulator: lib/nbt,
# capture/, walk/, workload/. Included by test/test.mk, which has the rules.
unit-names += t-nbt t-nbt-damage t-nbt-write
unit-names += t-import t-import-walk t-insn t-maps t-pattern t-synth
unit-names += t-designs t-frames t-space t-space-event t-space-guess t-tea t-vma
unit-names += t-derive t-files t-profile t-textbook t-walk t-rows t-doc-design
unit-objects += $(nbt-src:%.c=$(SB)/%.o) $(import-src:%.c=$(SB)/%.o)

# lib/nbt: traces of every form.
nbt-tests := t-nbt t-nbt-damage t-nbt-write
$(nbt-tests:%=$(SB)/unit/%): $(SB)/test/unit/nbt_sample.o

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

# The design in doc/walk.md, taken from that page.
doc-design := $(SB)/doc/design
$(doc-design).c: doc/walk.md
	@mkdir -p $(@D)
	$(Q)sed -n '/^```c$$/,/^```$$/{/^```/d;p}' $< >$@
$(doc-design).o: $(doc-design).c
	$(call say,CC,$<)
	$(Q)$(CC) $(HOSTCFLAGS) -iquote walk/isa/portable $(san-flags) \
		-c -o $@ $<
$(SB)/unit/t-doc-design: $(doc-design).o $(SB)/walk/assoc.o \
	$(SB)/test/unit/fake_mmu.o $(space-objects)

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

replays += $(SB)/unit/replay_nbt $(SB)/unit/replay_import $(SB)/unit/replay_rows
$(SB)/unit/replay_import: NBT_LIBS += $(IMPORT_LIBS)

fuzzers += $(B)/fuzz/fuzz_nbt $(B)/fuzz/fuzz_import $(B)/fuzz/fuzz_rows
$(B)/fuzz/fuzz_nbt: $(nbt-src) $(lib-hosted-src)
$(B)/fuzz/fuzz_nbt: LAB_LIBS += $(NBT_LIBS)
$(B)/fuzz/fuzz_import: $(import-src) $(nbt-src) $(lib-hosted-src)
$(B)/fuzz/fuzz_import: LAB_LIBS += $(NBT_LIBS) $(IMPORT_LIBS)
$(B)/fuzz/fuzz_rows: lab/args.c lab/cache.c lab/walk_keep.c lab/walk_perf.c \
	lab/walk_plan.c lib/err.c $(nbt-src) $(walk-obj)
$(B)/fuzz/fuzz_rows: LAB_LIBS += $(NBT_LIBS)

$(SB)/unit/t-maps: $(SB)/capture/maps.o

# A trace for tests of what reads them.
mktrace := $(B)/test/e2e/mktrace
$(mktrace): $(B)/host/test/e2e/mktrace.o $(B)/host/bench/pattern.o $(nbt-host) \
		$(lib-hosted-src:%.c=$(B)/host/%.o)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) -o $@ $^ $(NBT_LIBS)

# What test/e2e/capture.sh and capture-programs.sh record.
captured := $(B)/test/e2e/captured $(B)/test/e2e/unruly
$(captured): $(B)/%: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) -D_GNU_SOURCE -O2 -pthread -o $@ $<

# How much memory a program takes.
maxrss := $(B)/test/e2e/maxrss
$(maxrss): test/e2e/maxrss.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) -D_GNU_SOURCE -O2 -o $@ $<

test-programs += $(mktrace) $(captured) $(maxrss)
check-tests += test/fuzz/replay-nbt.sh test/fuzz/replay-import.sh \
	test/fuzz/replay-rows.sh test/e2e/walk.sh test/e2e/walk-memory.sh
guest-tests += test/e2e/capture.sh test/e2e/capture-programs.sh \
	test/e2e/capture-system.sh \
	test/e2e/synth-agrees.sh
long-tests += test/e2e/synth-agrees-long.sh

# Whether a trace's events and accesses go together.
mapped := $(B)/test/e2e/mapped
$(mapped): $(B)/host/test/e2e/mapped.o $(B)/host/walk/vma.o $(nbt-host) \
		$(lib-hosted-src:%.c=$(B)/host/%.o)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) -o $@ $^ $(NBT_LIBS)
test-programs += $(mapped)
