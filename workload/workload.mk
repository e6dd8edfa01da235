# workload/: programs with well-known ways to use memory. Each is a pattern,
# which capture/synth makes traces of as well.
workload-names := gups stream chase btree canneal xsbench graph500
workload-programs := $(workload-names:%=$(B)/workload/%) $(B)/workload/client
workload-common := $(B)/host/workload/main.o $(B)/host/workload/size.o

# One access is one instruction, whichever the compiler.
$(B)/host/workload/%.o: HOSTCFLAGS += -fno-tree-vectorize
$(B)/workload/client: $(B)/host/workload/client.o $(B)/host/workload/size.o
$(workload-names:%=$(B)/workload/%): $(B)/workload/%: \
		$(B)/host/workload/%.o $(workload-common)
$(workload-programs):
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) -pthread -o $@ $^
