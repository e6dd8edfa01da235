# bench/: programs that measure, run by `make bench`.
$(B)/host/bench/%.o: HOSTCFLAGS += -O3
decode-bench-src := bench/bench.c bench/decode.c bench/limit_decode.c \
	bench/pattern.c
bench-programs := $(B)/bench/decode $(B)/bench/walk

$(B)/bench/decode: $(decode-bench-src:%.c=$(B)/host/%.o) $(nbt-host) \
		$(lib-hosted-src:%.c=$(B)/host/%.o)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) -o $@ $^ $(NBT_LIBS)

# The limit's code is for one CPU; whether it is there is asked at run time.
$(B)/host/bench/limit.o: HOSTCFLAGS += $(walk-avx512)
walk-bench-src := bench/bench.c bench/limit.c bench/pattern.c bench/walk.c
$(B)/bench/walk: $(walk-bench-src:%.c=$(B)/host/%.o) $(walk-obj) $(nbt-host) \
		$(lib-hosted-src:%.c=$(B)/host/%.o)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) -o $@ $^ $(NBT_LIBS) -linih
