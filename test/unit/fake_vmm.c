/* SPDX-License-Identifier: Apache-2.0 */
#include "test/unit/fake_vmm.h"

#include "hv/run.h"

struct fake fake;

static void reset(struct vcpu *v, u64 npt, const struct start *start)
{
	fake.start = *start;
	fake.npt = npt;
	fake.resets++;
	fake.injecting = fake.watches_gif = fake.watches_iret = false;
	v->regs = (struct regs){.rip = start->rip, .rflags = RFLAGS_FIXED};
	v->nmi_pending = v->nmi_blocked = v->svme = false;
	v->gif = GIF_ON;
	v->level = 1;
}

static void deliver(void)
{
	assert_true(fake.n_delivered < FAKE_LOG);
	fake.delivered[fake.n_delivered++] = fake.pending;
	fake.injecting = false;
}

static const struct step *next_step(struct vcpu *v, bool in_wait)
{
	const struct step *step = fake.script;

	if (fake.left == 0)
		longjmp(machine.end, END_SCRIPT);
	fake.left--;
	fake.script++;
	assert_int_equal(step->in_wait, in_wait);
	if (step->before)
		step->before(v);
	return step;
}

static void run(struct vcpu *v, struct exit *exit)
{
	const struct step *step;

	if (fake.injecting && !(fake.left && fake.script->undelivered))
		deliver();
	step = next_step(v, false);
	if (step->undelivered)
		assert_true(fake.injecting);
	*exit = step->exit;
}

/* The CPU has one place for an event: a second one would undo the first. */
static void inject(struct vcpu *v, const struct event *event)
{
	(void)v;
	assert_false(fake.injecting);
	fake.pending = *event;
	fake.injecting = true;
}

static bool injecting(const struct vcpu *v)
{
	(void)v;
	return fake.injecting;
}

static void take_nmi(void)
{
	machine.self->nmi_taken = true;
}

static void wait_nmi(void)
{
	next_step(&machine.self->vcpu, true);
	take_nmi();
}

static bool gif(const struct vcpu *v)
{
	return v->gif == GIF_ON;
}

static void set_gif(struct vcpu *v, bool on)
{
	v->gif = on ? GIF_ON : GIF_OFF;
}

static void watch_gif(struct vcpu *v)
{
	assert_int_equal(v->gif, GIF_OFF);
	fake.watches_gif = true;
}

static void flush(struct vcpu *v)
{
	(void)v;
	fake.flushes++;
}

static void view(const struct vcpu *v, struct guest_view *to)
{
	(void)v;
	*to = fake.view;
}

static void watch_iret(struct vcpu *v, bool on)
{
	(void)v;
	fake.watches_iret = on;
}

static void step(struct vcpu *v, bool on)
{
	(void)v;
	fake.steps = on;
}

static u64 get_efer(const struct vcpu *v)
{
	(void)v;
	return fake.efer;
}

static bool set_efer(struct vcpu *v, u64 value)
{
	(void)v;
	assert_false(value & EFER_SVME);
	if (fake.efer_illegal)
		return false;
	fake.efer = value;
	return true;
}

static void trap_msr(u32 msr, bool reads, bool writes)
{
	assert_true(fake.n_msrs < FAKE_LOG);
	fake.msrs[fake.n_msrs].msr = msr;
	fake.msrs[fake.n_msrs].reads = reads;
	fake.msrs[fake.n_msrs++].writes = writes;
}

static void trap_port(u16 port)
{
	assert_true(fake.n_ports < FAKE_LOG);
	fake.ports[fake.n_ports++] = port;
}

static u64 next_rip(const struct vcpu *v, const struct exit *exit)
{
	(void)v;
	return exit->slot == EXIT_io ? exit->info2 : fake.next_rip;
}

static void advance(struct vcpu *v, u64 rip)
{
	v->regs.rip = rip;
	fake.advances++;
}

static void learn_next(struct vcpu *v, u64 next)
{
	(void)v;
	(void)next;
}

/* Shows that it was asked. */
static void fix_cpuid(const struct vcpu *v, u32 leaf, u32 *ecx)
{
	(void)v;
	if (leaf == 1)
		*ecx = 0;
}

static const struct vmm_ops fake_ops = {
	.name = "fake",
	.reset = reset,
	.run = run,
	.inject = inject,
	.injecting = injecting,
	.take_nmi = take_nmi,
	.wait_nmi = wait_nmi,
	.gif = gif,
	.set_gif = set_gif,
	.watch_gif = watch_gif,
	.flush = flush,
	.view = view,
	.view_code = view,
	.watch_iret = watch_iret,
	.step = step,
	.get_efer = get_efer,
	.set_efer = set_efer,
	.trap_msr = trap_msr,
	.trap_port = trap_port,
	.next_rip = next_rip,
	.learn_next = learn_next,
	.advance = advance,
	.fix_cpuid = fix_cpuid,
};

const struct vmm_ops *vmm = &fake_ops;

void fake_new(unsigned n, enum x86_mode mode)
{
	machine_new(n);
	for (unsigned i = 0; i < n; i++)
		cpus[i]->vcpu.level = 1;
	fake = (struct fake){.view = {.cr0 = CR0_PE, .mode = mode}};
	machine.self->vcpu.regs.rip = FAKE_RIP;
}

void fake_insn(const struct vcpu *v, const void *bytes, size_t n)
{
	ram_put(&machine.ram, v->regs.rip, bytes, n);
}

enum end fake_run(const struct step *script, size_t n)
{
	int end = setjmp(machine.end);

	if (!end) {
		fake.script = script;
		fake.left = n;
		run_forever(machine.self);
	}
	fake.script = NULL;
	return (enum end)end;
}

void assert_delivered(enum event_type type, u8 vector)
{
	assert_int_equal(fake.n_delivered, 1);
	assert_int_equal(fake.delivered[0].type, type);
	assert_int_equal(fake.delivered[0].vector, vector);
	fake.n_delivered = 0;
}

void assert_nothing_delivered(void)
{
	assert_int_equal(fake.n_delivered, 0);
}

void exit_of(enum exit_slot slot)
{
	assert_int_equal(FAKE_RUN(STEP(slot)), END_SCRIPT);
}

void expect_next(struct exit exit, unsigned len)
{
	assert_int_equal(FAKE_RUN({.exit = exit}), END_SCRIPT);
	assert_nothing_delivered();
	assert_int_equal(machine.self->vcpu.regs.rip, FAKE_RIP + len);
}

void expect_fault(struct exit exit, u8 vector)
{
	assert_int_equal(FAKE_RUN({.exit = exit}), END_SCRIPT);
	assert_delivered(EVENT_EXCEPTION, vector);
	assert_int_equal(fake.delivered[0].has_error, vector == VECTOR_GP);
	assert_int_equal(fake.delivered[0].error, 0);
	assert_int_equal(machine.self->vcpu.regs.rip, FAKE_RIP);
}
