# capture/import*: other tools' traces become ours.
import-src := capture/import.c capture/import_drmemtrace.c \
	capture/import_input.c capture/import_raw.c capture/import_text.c
import-host := $(import-src:%.c=$(B)/host/%.o)
IMPORT_LIBS := -llzma -lz
