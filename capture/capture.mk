# capture/: QEMU plugins, recorders, and what collects from them.
capture-core := capture/levels.c
plugins := $(B)/switchcount.so $(B)/nbtrace-user.so
# What recorders and the collector share, and what nestbox adds.
capture-ring := capture/program.c capture/record.c capture/ring.c
capture-lab := capture/collect.c $(capture-ring)

$(B)/switchcount.so: $(B)/host/capture/switchcount.o \
		$(B)/host/capture/endport.o $(capture-core:%.c=$(B)/host/%.o)
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(SANFLAGS) -o $@ $^

user-plugin := capture/nbtrace_user.c capture/guest_call.c \
	capture/guest_exec.c capture/guest_map.c $(capture-ring) \
	lib/err.c lib/maps.c
$(B)/nbtrace-user.so: $(user-plugin:%.c=$(B)/host/%.o)
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(SANFLAGS) -o $@ $^
include capture/import.mk
include capture/synth.mk

# Linked into programs: doc/traces.md.
hooks-src := capture/hooks.c capture/collect.c capture/record.c \
	capture/ring.c lib/err.c $(nbt-src)
hooks := $(B)/libnbhooks.a
$(hooks): $(hooks-src:%.c=$(B)/host/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^
