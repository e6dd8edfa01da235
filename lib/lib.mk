# lib/: freestanding and hosted, no libc.
lib-src := lib/fmt.c lib/x86dec.c lib/x86dec_operand.c lib/x86dec_table.c
lib-host := $(lib-src:%.c=$(B)/host/%.o)
lib-free := $(lib-src:%.c=$(B)/free/%.o)
