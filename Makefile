# SPDX-License-Identifier: Apache-2.0
# One non-recursive Makefile. Sources are listed by name in <folder>/*.mk;
# everything that is built goes to $(B). `make help` lists the targets.
#
#   make B=build-clang CC=clang      another compiler
#   make B=build-san SAN=1           address and undefined-behaviour sanitizers
#   make V=1                         show the commands

B    ?= build
CC   ?= gcc
LD   := ld
V    ?= 0
Q    := $(if $(filter 0,$(V)),@)
say   = $(if $(filter 0,$(V)),@printf '  %-8s %s\n' $(1) $(2))

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wundef -Wpointer-arith -Wcast-qual \
	-Wwrite-strings
san-flags  := -fsanitize=address,undefined -fno-sanitize-recover=undefined
SANFLAGS   := $(if $(SAN),$(san-flags))
COMMON     := -std=gnu11 -g -I. -MMD -MP $(WARN)
HOSTCFLAGS := $(COMMON) -O2 -D_GNU_SOURCE $(SANFLAGS)
FREECFLAGS := $(COMMON) -O2 -ffreestanding -m64 -mno-red-zone \
	-mgeneral-regs-only -fno-pic -fno-pie -fno-stack-protector \
	-fcf-protection=none -fno-asynchronous-unwind-tables -Wconversion

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:
.PHONY: all demo images test check check-guest check-long check-bochs bochs \
	lint lint-quick disk fuzz mutants bench size clean install-deps \
	build-tests help

include lib/lib.mk hv/hv.mk guest/guest.mk capture/capture.mk walk/walk.mk
include workload/workload.mk
include lab/lab.mk bench/bench.mk test/test.mk

all: $(programs) $(bench-programs) $(workload-programs) $(plugins) $(hooks) \
	$(marked) $(payloads) $(hypervisor)

# Hosted C, position independent because plugins share lib/ and capture/.
$(B)/host/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOSTCFLAGS) $(CFLAGS) -fPIC -c -o $@ $<

# Freestanding C and assembly for guests (and later for the hypervisor).
$(B)/free/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(FREECFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/free/%.o: %.S
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(FREECFLAGS) -D__ASSEMBLER__ -c -o $@ $<

# What a fresh machine needs. Only these three targets and check-bochs install
# anything; all others name what they miss.
install-deps:
	$(Q)tools/deps.sh --install

images: all
	$(Q)tools/emulator.sh
	$(Q)tools/image.sh
	$(Q)tools/symbols.sh $(B)/nestbox

demo: install-deps
	$(Q)$(MAKE) --no-print-directory images
	$(Q)$(B)/nestbox bench micro && B=$(B) tools/demo-walk.sh

test: install-deps
	$(Q)$(MAKE) --no-print-directory images
	$(Q)tools/test.sh

lint: all build-tests ; $(Q)tools/lint.sh
lint-quick: all build-tests ; $(Q)tools/lint.sh --quick
# A PC's disk with Debian, GRUB and nestbox.elf: doc/booting.md.
disk: all ; $(Q)tools/disk.sh $(B)/disk.img $(B)/nestbox.elf
bench: all
	$(Q)bench/run.sh && bench/boot.sh && bench/nested.sh && \
		bench/walk.sh && bench/jobs.sh && bench/capture.sh
size: all ; $(Q)tools/size.sh
clean: ; $(Q)rm -rf $(B) build-*

help:
	@echo "all          build everything"
	@echo "demo         install, prepare images, print what things cost"
	@echo "images       emulator and images in the cache folder"
	@echo "test         everything below on a fresh machine (30 minutes)"
	@echo "check        host unit tests, golden files, fuzz regressions"
	@echo "check-guest  payloads and stacks under QEMU"
	@echo "check-bochs  nestbox.elf in Bochs, which emulates SVM, too"
	@echo "check-long   suites that take longer (doc/nesting.md: how long)"
	@echo "mutants      whether the tests find seeded faults"
	@echo "disk         build/disk.img: GRUB, Debian, nestbox.elf"
	@echo "lint fuzz bench size clean"

-include $(shell find $(B) -name '*.d' 2>/dev/null)
