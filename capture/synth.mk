# capture/synth: workload/'s patterns, with accesses that are recorded.
synth-src := capture/synth.c workload/size.c
synth-host := $(synth-src:%.c=$(B)/host/%.o)
$(B)/host/capture/synth.o $(B)/san/capture/synth.o: \
	HOSTCFLAGS += -iquote capture/synth
