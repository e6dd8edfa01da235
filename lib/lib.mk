# lib/: freestanding and hosted, no libc.
lib-src := lib/fmt.c
lib-host := $(lib-src:%.c=$(B)/host/%.o)
lib-free := $(lib-src:%.c=$(B)/free/%.o)
