# hv/: the hypervisor. What is pure runs in host unit tests too.
hv-pure-src := hv/acpi.c hv/bootinfo.c hv/linux.c hv/memmap.c hv/plan.c
