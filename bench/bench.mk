# bench/: programs that measure, run by `make bench`.
$(B)/host/bench/%.o: HOSTCFLAGS += -O3
decode-bench-src := bench/decode.c bench/limit_decode.c bench/pattern.c
bench-programs := $(B)/bench/decode

$(B)/bench/decode: $(decode-bench-src:%.c=$(B)/host/%.o) $(nbt-host) \
		$(lib-hosted-src:%.c=$(B)/host/%.o)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) -o $@ $^ $(NBT_LIBS)
