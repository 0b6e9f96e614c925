/* plan_run.c — a run of a plan, by the interpreter or compiled: what it has in common. The fixed
 * part is computed again when data or the seed changed; results are given to their leaves after
 * everything is computed; what failed is reported. */
#include "compiler/exec.h"
#include "compiler/interp.h"
#include <assert.h>
#include <string.h>

/* ---- memory ---- */

bool exec_create(Plan *p)
{
	if (!p->machine) {
		p->machine = machine_create(p->threads);
		p->own_machine = true;
	}
	if (!p->machine) {
		return false;
	}
	p->threads = machine_threads(p->machine);
	return p->compiled ? compiled_create(p) : interp_create(p);
}

void exec_free(Plan *p)
{
	interp_free(p);
	compiled_free(p);
	if (p->own_machine) {
		machine_free(p->machine);
	}
}

/* ---- a run ---- */

static void report(const Plan *p, Diags *ds, const Failure *f)
{
	Core *c = p->core;
	Arena *scratch = arena_create();
	if (!scratch) {
		return;
	}
	Def computed = f->nest ? f->nest->def[0] : f->def;
	if (!f->at || (f->at->op != VM_CHECK && f->at->op != VM_IAXPY && f->at->op != VM_IAXPK &&
		       f->at->op != VM_IMUL)) {
		diag_int_overflow(ds, core_def(c, computed)->span,
				  intern_text(core_names(c), core_def(c, computed)->name));
		arena_free(scratch);
		return;
	}
	const Fault *fault = &f->nest->fault[f->at->fault];
	Span at = core_node(c, fault->node)->span;
	if (f->at->op == VM_CHECK) {
		Node arg = core_node(c, fault->node)->arg[fault->arg];
		const DefInfo *d = core_def(c, fault->def);
		const AxisInfo *axis = core_axis_info(c, core_index_axis(c, d->index[fault->arg]));
		diag_data_index(ds, at, core_text(c, scratch, arg),
				arena_printf(scratch, "%lld", (long long)f->value),
				intern_text(core_names(c), axis->name));
	} else {
		diag_int_overflow(ds, at, core_text(c, scratch, fault->node));
	}
	arena_free(scratch);
}

static bool fixed_is_stale(Plan *p, uint64_t seed)
{
	bool stale = !p->fixed_done || (p->fixed_random && p->fixed_seed != seed);
	for (uint32_t k = 0; k < p->nversion; k++) {
		stale |= p->version[k].version != store_version(p->store, p->version[k].leaf);
	}
	return stale;
}

static void *output_at(const Plan *p, const Output *o)
{
	const Buffer *b = o->view.buffer;
	return p->compiled ? compiled_output(p, b) : interp_output(p, b);
}

static void assign_outputs(Plan *p)
{
	for (uint32_t k = 0; k < p->noutput; k++) {
		const Output *o = &p->output[k];
		if (!o->assign) {
			continue;
		}
		assert(store_count(p->store, o->assign) == o->count);
		void *to = o->integer ? (void *)store_int(p->store, o->assign)
				      : (void *)store_real(p->store, o->assign);
		memcpy(to, output_at(p, o), o->count * sizeof(double));
		if (core_def(p->core, o->assign)->role == DEF_DATA) {
			store_touch(p->store, o->assign);
		}
	}
}

/* One part; false after a diagnostic. */
static bool run_part(Plan *p, Diags *ds, bool fixed, RunContext context)
{
	Failure failure = {0};
	if (p->compiled) {
		compiled_run(p, fixed, context, &failure);
	} else {
		interp_run(p, fixed, context, &failure);
	}
	bool failed = failure.nest || failure.def;
	if (failed) {
		report(p, ds, &failure);
	}
	return !failed;
}

bool plan_run(Plan *p, Diags *ds, RunContext context)
{
	if (p->compiled && !compiled_prepare(p, ds)) {
		return false;
	}
	p->ran = true;
	if (fixed_is_stale(p, context.seed)) {
		p->fixed_done = run_part(p, ds, true, context);
		p->fixed_seed = context.seed;
		for (uint32_t k = 0; k < p->nversion; k++) {
			p->version[k].version = store_version(p->store, p->version[k].leaf);
		}
		if (!p->fixed_done) {
			return false;
		}
	}
	if (!run_part(p, ds, false, context)) {
		return false;
	}
	assign_outputs(p);
	return true;
}

const double *plan_real(const Plan *p, uint32_t k)
{
	assert(k < p->noutput && !p->output[k].integer);
	return output_at(p, &p->output[k]);
}

const int64_t *plan_int(const Plan *p, uint32_t k)
{
	assert(k < p->noutput && p->output[k].integer);
	return output_at(p, &p->output[k]);
}

bool plan_how(Plan *p, PlanHow *how)
{
	if (!p->ran || p->told) {
		return false;
	}
	p->told = true;
	*how = p->compiled ? compiled_how(p) : (PlanHow){0};
	const char *name = "";
	if (p->noutput) {
		name = intern_text(core_names(p->core),
				   core_def(p->core, p->output[0].value)->name);
	}
	how->name = name;
	return true;
}
