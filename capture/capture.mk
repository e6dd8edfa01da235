# capture/: QEMU plugins.
capture-core := capture/levels.c
plugins := $(B)/switchcount.so

$(B)/switchcount.so: $(B)/host/capture/switchcount.o \
		$(B)/host/capture/endport.o $(capture-core:%.c=$(B)/host/%.o)
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(SANFLAGS) -o $@ $^
