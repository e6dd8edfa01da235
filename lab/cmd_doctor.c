/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "lab/cache.h"
#include "lab/command.h"
#include "lab/host.h"
#include "lab/save.h"

#define GIB	  (1.0 * (1L << 30))
#define NEED_MEM  3.0 /* GiB free for 3kkk */
#define NEED_DISK 3.0 /* GiB free in the cache folder to prepare images */

static const char doc[] = "Say what this machine can run and what it lacks. "
			  "Status 0 if `nestbox run` and `nestbox bench` work.";

static const struct argp_option options[] = {
	{"json", 'j', NULL, 0, "Print JSON", 0},
	{0},
};

/* One finding: what was looked at, whether it is fine, what to know or do. */
struct findings {
	json_t *list;
	bool usable;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key != 'j')
		return ARGP_ERR_UNKNOWN;
	*(bool *)state->input = true;
	return 0;
}

static void add(struct findings *f, const char *what, bool fine, char *text)
{
	json_array_append_new(f->list,
			      json_pack("{s:s, s:b, s:s}", "what", what, "ok",
					fine, "text", text));
	free(text);
}

static void look_at_host(struct findings *f)
{
	struct host host;

	host_probe(&host);
	add(f, "cpus", host.cpus >= 2, format_string("%ld", host.cpus));
	add(f, "memory", (double)host.mem_available >= NEED_MEM * GIB,
	    format_string("%.1f GiB free; 3kkk needs %.0f",
			  (double)host.mem_available / GIB, NEED_MEM));
	if (!host.kvm)
		add(f, "kvm", false,
		    format_string("%s: stacks run on the software CPU",
				  host.kvm_why));
	else
		add(f, "kvm", host.nested,
		    format_string(
			    host.nested ? "usable, and its guests can nest"
					: "usable, but its guests see neither "
					  "SVM nor VMX: stacks run on the "
					  "software CPU"));
}

/* What tools/svm-repair mends, and @state is whether it did. */
static void add_repair(struct findings *f, const char *what, const char *state,
		       const char *mended, const char *stock)
{
	bool repaired = !strcmp(state, "repaired");

	add(f, what, repaired, format_string("%s", repaired ? mended : stock));
}

static void look_at_emulator(struct findings *f, struct cache *c)
{
	struct err err;
	int number;

	if (cache_load_emulator(c, &err) < 0) {
		add(f, "emulator", false, format_string("%s", err.text));
		f->usable = false;
		return;
	}
	number = cache_emulator_number(c);
	add(f, "emulator", number >= PLUGIN_QEMU,
	    format_string("QEMU %s, %s%s", c->emulator_version, c->emulator,
			  number >= PLUGIN_QEMU
				  ? ""
				  : ": too old for `nestbox bench`, which "
				    "needs 9.1"));
	f->usable &= number >= PLUGIN_QEMU;
	add_repair(f, "injection", c->injection,
		   "this copy of QEMU injects interrupts once",
		   "this QEMU can inject an interrupt twice: a Linux guest may "
		   "hang (doc/emulator.md)");
	add_repair(f, "pdpte", c->pdpte,
		   "this copy of QEMU leaves PAE's first tables alone",
		   "this QEMU changes PAE's first tables: no 686-pae kernel as "
		   "a guest (doc/emulator.md)");
	add_repair(f, "ignne", c->ignne,
		   "this copy of QEMU keeps two CPUs' flags apart",
		   "this QEMU may corrupt guests on two CPUs with --fast "
		   "(doc/emulator.md)");
}

static void look_at_images(struct findings *f, struct cache *c)
{
	struct err err;

	if (cache_load_images(c, &err) < 0) {
		add(f, "images", false, format_string("%s", err.text));
		f->usable = false;
		return;
	}
	add(f, "images", true,
	    format_string("Linux %s, QEMU %s inside, sha256 %.12s...",
			  c->kernel_version, c->inner_qemu, c->sha256));
	add(f, "i386", cache_has_i386(c),
	    format_string(cache_has_i386(c) ? "Linux 686-pae is there"
					    : "no kernel for --arch i386: run "
					      "tools/kernels.sh"));
}

static void look_at_disk(struct findings *f, const struct cache *c)
{
	struct statvfs st;
	double space;

	if (statvfs(c->dir, &st)) {
		add(f, "cache", false,
		    format_string("%s does not exist yet", c->dir));
		return;
	}
	space = (double)st.f_bavail * (double)st.f_frsize / GIB;
	add(f, "cache", space >= NEED_DISK,
	    format_string("%s, %.1f GiB free", c->dir, space));
}

static void print_text(const struct findings *f)
{
	json_t *row;
	size_t i;

	json_array_foreach(f->list, i, row)
		printf("%-4s %-9s %s\n",
		       json_is_true(json_object_get(row, "ok")) ? "ok" : "-",
		       json_string_value(json_object_get(row, "what")),
		       json_string_value(json_object_get(row, "text")));
	puts(f->usable ? "Stacks such as 1k, 2kk, 2nk and 3nkk can be run and "
			 "measured."
		       : "Not ready: run `make images` in nestbox's source "
			 "tree.");
}

int cmd_doctor(int argc, char **argv)
{
	const struct argp parser = {
		.options = options, .parser = parse_option, .doc = doc};
	struct findings f = {.list = json_array(), .usable = true};
	bool as_json = false;
	struct cache cache;
	struct err err;
	int status = 0;

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&parser, argc, argv, 0, NULL, &as_json);
	if (cache_locate(&cache, &err) < 0)
		return complain(EXIT_FAILED, "%s", err.text);
	look_at_host(&f);
	look_at_emulator(&f, &cache);
	look_at_images(&f, &cache);
	look_at_disk(&f, &cache);
	if (as_json)
		status = save_json(f.list, "-", &err);
	else
		print_text(&f);
	json_decref(f.list);
	if (status < 0 || save_stdout(&err) < 0)
		return complain(EXIT_FAILED, "%s", err.text);
	return f.usable ? 0 : EXIT_FAILED;
}
