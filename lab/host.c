/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MAX_CPUID   256
#define CPUID_1_VMX (1u << 5) /* ECX */
#define CPUID_8_SVM (1u << 2) /* leaf 80000001h, ECX */

static bool offers_nesting(int kvm)
{
	struct kvm_cpuid2 *list;
	bool found = false;

	list = calloc(1, sizeof(*list) + MAX_CPUID * sizeof(list->entries[0]));
	if (!list)
		return false;
	list->nent = MAX_CPUID;
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, list) == 0)
		for (unsigned i = 0; i < list->nent; i++) {
			const struct kvm_cpuid_entry2 *e = &list->entries[i];

			found |= e->function == 1 && (e->ecx & CPUID_1_VMX);
			found |= e->function == 0x80000001 &&
				 (e->ecx & CPUID_8_SVM);
		}
	free(list);
	return found;
}

static bool can_make_cpu(int kvm)
{
	int vm = ioctl(kvm, KVM_CREATE_VM, 0), cpu = -1;

	if (vm >= 0) {
		cpu = ioctl(vm, KVM_CREATE_VCPU, 0);
		close(vm);
	}
	if (cpu >= 0)
		close(cpu);
	return cpu >= 0;
}

static void probe_kvm(struct host *host)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0) {
		snprintf(host->kvm_why, sizeof(host->kvm_why), "/dev/kvm: %s",
			 strerror(errno));
		return;
	}
	host->kvm = can_make_cpu(kvm);
	if (!host->kvm)
		snprintf(host->kvm_why, sizeof(host->kvm_why),
			 "/dev/kvm cannot make a virtual CPU: %s",
			 strerror(errno));
	host->nested = host->kvm && offers_nesting(kvm);
	close(kvm);
}

static long read_available(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char line[128];
	long kib = 0;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "MemAvailable:", 13))
			kib = strtol(line + 13, NULL, 10);
	if (f)
		(void)fclose(f);
	return kib * 1024;
}

void host_probe(struct host *host)
{
	*host = (struct host){
		.mem_available = read_available(),
		.cpus = sysconf(_SC_NPROCESSORS_ONLN),
	};
	probe_kvm(host);
}
