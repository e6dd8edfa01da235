/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this machine offers: KVM, nesting, memory. Asks the kernel, not
 * /proc/cpuinfo: /dev/kvm may exist and still be of no use.
 */
#pragma once

#include <stdbool.h>

struct host {
	bool kvm;	    /* a virtual CPU can be made */
	char kvm_why[128];  /* what stands in the way, if not */
	bool nested;	    /* guests of it see SVM or VMX */
	long mem_available; /* bytes */
	long cpus;
};

void host_probe(struct host *host);
