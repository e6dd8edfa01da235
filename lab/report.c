/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/report.h"

#include "lab/save.h"

static json_t *per_level(const struct spec *s, const long *values, long unit)
{
	json_t *list = json_array();

	for (int i = 0; i <= s->stack.guest_level; i++)
		json_array_append_new(list, json_integer(values[i] / unit));
	return list;
}

json_t *report_stack(const struct spec *s, const struct cache *c)
{
	return json_pack(
		"{s:s, s:i, s:o, s:o, s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:s, "
		"s:s, s:s}",
		"name", s->stack.name, "level", s->stack.guest_level, "cpus",
		per_level(s, s->cpus, 1), "mem_mib",
		per_level(s, s->mem, 1L << 20), "accel",
		s->accel == ACCEL_KVM ? "kvm" : "tcg", "cpu",
		s->accel == ACCEL_KVM ? "host" : s->cpu, "exact", s->exact,
		"emulator", c->emulator_version, "injection", c->injection,
		"pdpte", c->pdpte, "ignne", c->ignne, "kernel",
		c->kernel_version, "inner_qemu", c->inner_qemu, "image_sha256",
		c->sha256);
}

int report_save(const struct report_run *r, const char *path, struct err *err)
{
	json_t *json =
		json_pack("{s:o}", "stack", report_stack(r->spec, r->cache));
	int status;

	if (r->failure)
		json_object_set_new(json, "failure", json_string(r->failure));
	else
		json_object_set_new(json, "status", json_integer(r->status));
	status = save_json(json, path, err);
	json_decref(json);
	return status;
}
