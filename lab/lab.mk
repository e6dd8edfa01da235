# lab/: the program `nestbox`. Everything but the commands is a library that
# unit tests link as well.
lab-lib := args bench boot cache console counts host job machine measure \
	micro multiboot process report run save settle stack terminal
lab-cmd := main cmd_run cmd_bench cmd_capture cmd_walk cmd_doctor \
	capture_dump capture_info capture_perf capture_program \
	capture_snapshot capture_system
# What needs the simulator.
lab-walk-src := lab/walk_figures.c lab/walk_json.c \
	lab/walk_keep.c lab/walk_perf.c lab/walk_plan.c lab/walk_table.c \
	lab/walk_work.c
lab-lib-obj := $(lab-lib:%=$(B)/host/lab/%.o)
LAB_LIBS := -larchive -ljansson -linih
programs := $(B)/nestbox

$(B)/nestbox: $(lab-cmd:%=$(B)/host/lab/%.o) $(lab-lib-obj) \
		$(capture-core:%.c=$(B)/host/%.o) \
		$(capture-lab:%.c=$(B)/host/%.o) $(nbt-host) \
		$(lab-walk-src:%.c=$(B)/host/%.o) $(walk-obj) \
		$(import-host) $(synth-host) \
		$(lib-hosted-src:%.c=$(B)/host/%.o)
	$(call say,LD,$@)
	$(Q)$(CC) $(SANFLAGS) -o $@ $^ $(LAB_LIBS) $(NBT_LIBS) $(IMPORT_LIBS)
