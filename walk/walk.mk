# walk/: the translation simulator. Its core is compiled once for each kind of
# CPU, from the same sources: which walk/isa/ comes first in the include path
# says how sets are looked up. Of a build only the entry is visible.
include walk/space.mk

walk-designs := radix shadow dmt pvdmt fetcher perfect_tlb one_ref
walk-core-src := walk/assoc.c walk/batch.c walk/core.c walk/designs.c \
	walk/key.c walk/machine.c walk/mmu.c walk/near.c \
	$(walk-designs:%=walk/design/%.c) $(walk-space-src)
# Once, for all of them.
walk-src := walk/derive.c walk/profile.c walk/walk.c

walk-isas := avx512 avx2 portable
walk-avx512 := -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx2 -mbmi -mbmi2
walk-avx2 := -mavx2 -mbmi -mbmi2
walk-portable :=
# The table of designs that everybody sees is this build's.
walk-keep-portable := --keep-global-symbol=walk_designs

# gcc compiles the core as a whole: designs call walk/mmu.c for each reference.
walk-whole := $(if $(findstring clang,$(CC)),,-flto)
walk-link := $(if $(findstring clang,$(CC)),$(LD) -r,\
	$(CC) -r -O3 -flto=1 -flto-partition=one -flinker-output=nolto-rel)

# $(1) = where to, $(2) = isa, $(3) = flags, $(4) = how to link to one
# object.
define walk-core
$(1)/walk-$(2)/%.o: %.c
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(HOSTCFLAGS) -O3 -fno-jump-tables $$(walk-$(2)) $(3) \
		-iquote walk/isa/$(2) $$(CFLAGS) -fPIC -c -o $$@ $$<

$(1)/walk-$(2).o: $$(walk-core-src:%.c=$(1)/walk-$(2)/%.o)
	$$(call say,LD,$$@)
	$$(Q)$(4) -o $$@.all $$^
	$$(Q)objcopy --redefine-sym walk_core=walk_core_$(2) \
		$$(walk-keep-$(2)) \
		--keep-global-symbol=walk_core_$(2) $$@.all $$@
	$$(Q)rm $$@.all
endef
$(foreach i,$(walk-isas),$(eval $(call \
	walk-core,$(B)/host,$(i),$(walk-whole),$(walk-link))))

walk-profile-names := skylake-dmt zen4 golden-cove
walk-profiles := $(B)/host/walk/profiles/embedded.o
$(walk-profiles): walk/profiles/embedded.S \
		$(walk-profile-names:%=walk/profiles/%.ini)
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -I. -c -o $@ $<

walk-obj := $(walk-src:%.c=$(B)/host/%.o) $(walk-isas:%=$(B)/host/walk-%.o) \
	$(walk-profiles)
