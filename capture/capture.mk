# capture/: QEMU plugins, recorders, and what collects from them.
capture-core := capture/levels.c
plugins := $(B)/switchcount.so $(B)/nbtrace-user.so $(B)/nbtrace-system.so
# What recorders and the collector share, and what nestbox adds.
capture-ring := capture/program.c capture/record.c capture/ring.c
capture-lab := capture/collect.c capture/maps.c $(capture-ring)

$(B)/switchcount.so: $(B)/host/capture/switchcount.o \
		$(B)/host/capture/endport.o $(capture-core:%.c=$(B)/host/%.o)
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(SANFLAGS) -o $@ $^

user-plugin := capture/nbtrace_user.c capture/guest_call.c \
	capture/guest_exec.c capture/guest_map.c capture/maps.c \
	$(capture-ring) lib/err.c lib/maps.c
$(B)/nbtrace-user.so: $(user-plugin:%.c=$(B)/host/%.o)
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(SANFLAGS) -o $@ $^

$(B)/nbtrace-system.so: $(B)/host/capture/nbtrace_system.o $(nbt-host) \
		$(B)/host/lib/err.o
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(SANFLAGS) -o $@ $^ $(NBT_LIBS)

# What runs a command in a guest, between markers. The guest has no libraries of
# this machine.
marked := $(B)/marked
$(marked): capture/marked.c lib/marker.h
	$(call say,CC,$<)
	$(Q)$(CC) $(COMMON) -D_GNU_SOURCE -O2 -static -o $@ $<
include capture/import.mk
include capture/synth.mk

# Linked into programs: doc/traces.md.
hooks-src := capture/hooks.c capture/collect.c capture/maps.c \
	capture/record.c capture/ring.c lib/err.c lib/maps.c $(nbt-src)
hooks := $(B)/libnbhooks.a
$(hooks): $(hooks-src:%.c=$(B)/host/%.o)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^
