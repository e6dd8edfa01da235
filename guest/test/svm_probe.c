/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How does this CPU do SVM? One line a probe:
 *
 *	probe NAME RESULT
 *
 * Options on the command line: probe=NAME,NAME... runs only those, skip=NAME...
 * all but those; list=1 prints what the manual (AMD APM vol. 2) asks for
 * instead of running. Meant for emulated CPUs; doc/emulator.md holds what came
 * out, test/golden/ the output of the supported versions.
 */
#include "guest/test/svm_probe.h"

#include "guest/lib/apic.h"
#include "guest/lib/cmdline.h"
#include "guest/lib/exit.h"
#include "guest/lib/idt.h"
#include "guest/lib/serial.h"

#define TRAP_FLAG 0x5472617000000000ull /* no exit code looks like that */

int main(const char *cmdline);

static const struct probe_table *const tables[] = {
	&probe_cpu, &probe_checks, &probe_exits, &probe_events, &probe_nested,
};

void probe_say(const char *word)
{
	serial_printf("%s", word);
}

void probe_number(u64 n)
{
	serial_printf("0x%lx", n);
}

u64 probe_exit(const struct probe *p)
{
	int trap = svm_run(p->code ? p->code : svm_handler);

	if (trap != NO_TRAP)
		return TRAP_FLAG | (u32)trap;
	return svm_vmcb.control.exit_code;
}

void probe_print_exit(u64 code, u64 want, const char *hit)
{
	if (code == want)
		probe_say(hit);
	else if (code == VMCB_EXIT_VMMCALL)
		probe_say("none");
	else if ((u32)code == (u32)VMCB_EXIT_INVALID)
		probe_say("invalid");
	else if ((code & ~0xffull) == TRAP_FLAG)
		serial_printf("trap-%u", (unsigned)(code & 0xff));
	else
		serial_printf("exit-%lx", code);
}

static void run(const struct probe *p)
{
	/* The name first: if the CPU does not come back, it is known where. */
	serial_printf("probe %s ", p->name);
	svm_reset();
	p->run(p);
	serial_printf("\n");
}

static void list(const struct probe *p)
{
	serial_printf("manual %s %s\n", p->name, p->manual);
}

static void for_all(void (*fn)(const struct probe *p), struct word skip)
{
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (size_t i = 0; i < tables[t]->count; i++)
			if (!word_list_has(skip, tables[t]->probes[i].name))
				fn(&tables[t]->probes[i]);
}

static const struct probe *find(struct word name)
{
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		for (size_t i = 0; i < tables[t]->count; i++)
			if (word_is(name, tables[t]->probes[i].name))
				return &tables[t]->probes[i];
	return NULL;
}

static bool all_known(struct word list)
{
	struct word name;

	while (word_next_item(&list, &name))
		if (!find(name))
			return false;
	return true;
}

static void run_named(struct word list)
{
	struct word name;

	while (word_next_item(&list, &name))
		run(find(name));
}

int main(const char *cmdline)
{
	struct word only = cmdline_find(cmdline, "probe");
	struct word skip = cmdline_find(cmdline, "skip");

	serial_init();
	idt_init();
	if (cmdline_find(cmdline, "list").text) {
		for_all(list, skip);
		return EXIT_OK;
	}
	if (!all_known(only) || !all_known(skip)) {
		serial_printf("error unknown probe\n");
		return EXIT_USAGE;
	}
	apic_init();
	if (!svm_init()) {
		serial_printf("error this CPU has no SVM\n");
		return EXIT_FAIL;
	}
	if (only.text)
		run_named(only);
	else
		for_all(run, skip);
	return EXIT_OK;
}
