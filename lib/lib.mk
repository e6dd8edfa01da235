# lib/: freestanding and hosted, no libc but in lib-hosted-src.
lib-src := lib/acpi.c lib/exit.c lib/fmt.c lib/word.c lib/x86dec.c \
	lib/x86dec_operand.c lib/x86dec_table.c
# What libc has, for programs without one.
lib-free-src := $(lib-src) lib/string.c lib/uart.c
lib-host := $(lib-src:%.c=$(B)/host/%.o)
lib-free := $(lib-free-src:%.c=$(B)/free/%.o)
# What only programs with libc use.
lib-hosted-src := lib/err.c lib/maps.c

# lib/nbt: traces, for programs with libc.
nbt-src := lib/nbt/encode.c lib/nbt/encode_bytes.c lib/nbt/event.c \
	lib/nbt/kernel.c lib/nbt/kernel_avx2.c lib/nbt/kernel_avx512.c \
	lib/nbt/kernel_portable.c lib/nbt/pack.c lib/nbt/reader.c \
	lib/nbt/scan.c lib/nbt/summary.c lib/nbt/unpack.c \
	lib/nbt/writer.c
nbt-host := $(nbt-src:%.c=$(B)/host/%.o)
NBT_LIBS := -lzstd -lxxhash
# Recorders wait for the encoder: a tenth less of its time.
$(nbt-host): HOSTCFLAGS += -O3
