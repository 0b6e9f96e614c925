/* plan_run.c — a run of a plan, by the interpreter or compiled: what it has in common. The fixed
 * part is computed again when data or the seed changed; results are given to their leaves after
 * everything is computed; what failed is reported. */
#include "compiler/exec.h"
#include "compiler/interp.h"
#include "lang/matrix.h"
#include <assert.h>
#include <stdlib.h>
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
	for (uint32_t k = 0; k < p->noutput; k++) {
		free(p->output[k].spare[0]);
		free(p->output[k].spare[1]);
		free(p->output[k].real);
	}
	if (p->own_machine) {
		machine_free(p->machine);
	}
}

/* ---- a run ---- */

static void report(const Plan *p, Diags *ds, const Failure *f)
{
	Core *c = p->core;
	if (f->matrix) {
		Diag *d = diag_no_result(ds, core_def(c, f->matrix->out[0].def)->span,
					 matrix_op(f->matrix->family)->word, f->why);
		if (f->matrix->family == RED_INVERSE) {
			diag_help(d, "solve, and the derivatives of det, logdet and inverse, take the inverse too");
		}
		return;
	}
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

/* ---- outputs ---- */

static unsigned element_bytes(const Plan *p, const Output *o)
{
	return o->integer ? sizeof(int64_t) : p->real_bytes;
}

static void *output_at(const Plan *p, const Output *o)
{
	const Buffer *b = o->view.buffer;
	if (b->apart) {
		return o->spare[0];
	}
	return p->compiled ? compiled_output(p, b) : interp_output(p, b);
}

/* Arrays that take turns with those of the leaves. */
static bool make_spares(Plan *p, Diags *ds)
{
	for (uint32_t k = 0; k < p->noutput; k++) {
		Output *o = &p->output[k];
		for (int i = 0; i < 2 && o->assign && !o->spare[i]; i++) {
			o->spare[i] = store_array(o->count, element_bytes(p, o));
			if (!o->spare[i]) {
				diag_out_of_memory(ds, core_def(p->core, o->value)->span,
						   "the arrays of the program");
				return false;
			}
		}
	}
	return true;
}

static void assign_outputs(Plan *p)
{
	for (uint32_t k = 0; k < p->noutput; k++) { /* all are read before any leaf changes */
		const Output *o = &p->output[k];
		if (o->assign && !o->view.buffer->apart) {
			memcpy(o->spare[0], output_at(p, o), o->count * element_bytes(p, o));
		}
	}
	for (uint32_t k = 0; k < p->noutput; k++) {
		Output *o = &p->output[k];
		if (!o->assign) {
			continue;
		}
		assert(store_count(p->store, o->assign) == o->count);
		void *older = o->spare[1];
		store_swap(p->store, o->assign, element_bytes(p, o), &o->spare[0]);
		o->spare[1] = o->spare[0];
		o->spare[0] = older;
		if (core_def(p->core, o->assign)->role == DEF_DATA) {
			store_touch(p->store, o->assign);
		}
	}
}

void plan_undo(Plan *p, unsigned runs)
{
	assert(runs == 1 || runs == 2);
	for (uint32_t k = 0; k < p->noutput; k++) {
		Output *o = &p->output[k];
		if (o->assign) {
			store_swap(p->store, o->assign, element_bytes(p, o), &o->spare[2 - runs]);
		}
	}
}

/* One part; false after a diagnostic. */
static bool run_part(Plan *p, Diags *ds, bool fixed, RunContext context)
{
	Failure failure = {0};
	if (p->compiled) {
		if (!compiled_run(p, fixed, context, &failure)) {
			diag_out_of_memory(ds, core_def(p->core, p->output[0].value)->span,
					   "values in single precision");
			return false;
		}
	} else {
		interp_run(p, fixed, context, &failure);
	}
	bool failed = failure.nest || failure.def || failure.matrix;
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
	if (p->runs++ == 0 && !make_spares(p, ds)) {
		return false;
	}
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

/* The doubles of a result in f32, made once for each run. NULL if memory is out. */
static const double *widened(const Plan *p, Output *o)
{
	if (!o->real) {
		o->real = store_array(o->count, sizeof(double));
	}
	if (o->real && o->real_run != p->runs) {
		const float *from = output_at(p, o);
		for (size_t i = 0; i < o->count; i++) {
			o->real[i] = (double)from[i];
		}
		o->real_run = p->runs;
	}
	return o->real;
}

const double *plan_real(const Plan *p, uint32_t k)
{
	Output *o = &p->output[k];
	assert(k < p->noutput && !o->integer);
	if (o->assign) {
		return store_read(p->store, o->assign);
	}
	return p->real_bytes == sizeof(double) ? output_at(p, o) : widened(p, o);
}

const int64_t *plan_int(const Plan *p, uint32_t k)
{
	const Output *o = &p->output[k];
	assert(k < p->noutput && o->integer);
	return o->assign ? store_int(p->store, o->assign) : output_at(p, o);
}

bool plan_how(Plan *p, PlanHow *how)
{
	if (!p->runs || p->told) {
		return false;
	}
	p->told = true;
	*how = p->compiled ? compiled_how(p) : (PlanHow){0};
	const char *name = p->name;
	if (!name && p->noutput) {
		name = intern_text(core_names(p->core),
				   core_def(p->core, p->output[0].value)->name);
	}
	how->name = name && name[0] ? name : "of values";
	return true;
}
