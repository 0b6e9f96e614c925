/* train_loop.c — phases of optimisers written in the language: one plan per step, checked, until
 * count or condition.
 *
 * When the loss or the gradient of a step is not finite, the parameters go back to the last point
 * whose loss and gradient were finite (the step before; plan_undo), and the training stops. */
#include "compiler/train_int.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A loss this many times its first value (or 1, if that was small) is beyond recovery. */
#define DIVERGED 1e12

static void set_int(const Run *r, Def leaf, int64_t v)
{
	if (leaf && core_def(r->core, leaf)->kind == KIND_REAL) {
		store_real(r->store, leaf)[0] = (double)v;
	} else if (leaf) {
		store_int(r->store, leaf)[0] = v;
	}
}

static void set_real(const Run *r, Def leaf, double v)
{
	if (leaf) {
		store_real(r->store, leaf)[0] = v;
	}
}

void step_leaves(Training *tr, int64_t epoch)
{
	set_int(tr->r, tr->r->program->step, tr->step);
	set_int(tr->r, tr->r->program->epoch, epoch);
}

/* ---- states ---- */

bool alloc_states(Training *tr)
{
	for (uint32_t k = 0; k < tr->nfree; k++) {
		const Update *u = tr->update[k];
		for (uint32_t j = 0; j < u->nstate; j++) {
			if (!eval_room(tr->r, u->state[j])) {
				return false;
			}
		}
	}
	return true;
}

static bool init_states(Training *tr)
{
	bool none;
	Plan *p = state_plan(tr, &none);
	return none || (p && eval_run(tr->r, p, 0));
}

/* Numbers of the training itself, in a checkpoint. */
enum { NUMBER_LOSS = TRAINING_NUMBERS, NUMBER_NORM, NUMBER_CHANGE, NUMBERS };

static uint32_t saved_arrays(Training *tr, double *number, SavedArray *out)
{
	uint32_t n = 0;
	out[n++] = (SavedArray){"training", number, NUMBERS, 0};
	for (uint32_t k = 0; k < tr->nfree; k++) {
		const Update *u = tr->update[k];
		for (uint32_t j = 0; j < u->nstate; j++) {
			const char *name = arena_printf(tr->r->e->arena, "optimiser.%s.%s",
							run_name(tr->r, u->param->path),
							run_name(tr->r, u->state_name[j]));
			out[n++] = (SavedArray){
				name, NULL, store_count(tr->r->store, u->state[j]), u->state[j]};
		}
	}
	return n;
}

static SavedArray *make_arrays(Training *tr, double *number, uint32_t *n)
{
	uint32_t most = 1;
	for (uint32_t k = 0; k < tr->nfree; k++) {
		most += tr->update[k]->nstate;
	}
	SavedArray *out = arena_array(tr->r->e->arena, SavedArray, most);
	*n = saved_arrays(tr, number, out);
	return out;
}

static void numbers_out(const Training *tr, double *number)
{
	const double now[NUMBERS] = {tr->phase_number, (double)tr->step, (double)tr->total,
				     tr->first_loss,   tr->loss,         tr->norm,
				     tr->change};
	memcpy(number, now, sizeof now);
}

static void numbers_in(Training *tr, const double *number)
{
	tr->step = (int64_t)number[TRAINING_STEP];
	tr->total = (int64_t)number[TRAINING_TOTAL];
	tr->first_loss = number[TRAINING_FIRST];
	tr->have_first = tr->total > 0;
	tr->loss = number[NUMBER_LOSS];
	tr->norm = number[NUMBER_NORM];
	tr->change = number[NUMBER_CHANGE];
}

/* ---- one step ---- */

bool step_limit(const Training *tr, int64_t *limit)
{
	const Phase *p = tr->phase;
	int64_t per = p->epochs && tr->batches.of ? (int64_t)tr->batches.per_epoch : 1;
	return tr->count >= 0 && !__builtin_mul_overflow(tr->count, per, limit);
}

static const char *where(const Training *tr)
{
	return arena_printf(tr->r->e->arena, "at step %lld of %s in training %s",
			    (long long)tr->step, run_name(tr->r, tr->phase->name),
			    run_name(tr->r, tr->t->name));
}

static void restored(Training *tr, Diag *d)
{
	if (tr->assigns) {
		plan_undo(tr->assigns, tr->good ? 2 : 1);
	}
	diag_remark(
		d, "the parameters are those of the last step whose loss and gradient were finite");
}

bool step_healthy(Training *tr)
{
	Run *r = tr->r;
	Diags *ds = r->e->ctx.diags;
	for (uint32_t k = 0; k < tr->phase->nterm; k++) {
		if (!isfinite(tr->term[k])) {
			const LossInfo *l = &tr->phase->term[k];
			restored(tr, diag_not_finite(ds, l->span,
						     arena_printf(r->e->arena, "the loss %s",
								  run_name(r, l->name)),
						     where(tr)));
			return false;
		}
	}
	if (!isfinite(tr->loss) || !isfinite(tr->norm)) {
		const char *what = isfinite(tr->loss) ? "the gradient" : "the objective";
		restored(tr, diag_not_finite(ds, tr->phase->span, what, where(tr)));
		return false;
	}
	if (!tr->have_first) {
		tr->first_loss = tr->loss;
		tr->have_first = true;
	}
	if (fabs(tr->loss) > DIVERGED * fmax(1, fabs(tr->first_loss))) {
		const char *why = arena_printf(r->e->arena,
					       "the loss went from %.3g to %.3g by step %lld of %s",
					       tr->first_loss, tr->loss, (long long)tr->step,
					       run_name(r, tr->phase->name));
		Diag *d = diag_diverged(ds, tr->phase->span, run_name(r, tr->t->name), why);
		restored(tr, d);
		diag_help(d, "a smaller rate, or  clip = 1.0");
		return false;
	}
	return true;
}

static bool run_every(Training *tr)
{
	for (uint32_t k = 0; k < tr->t->nevery; k++) {
		const Every *e = &tr->t->every[k];
		if (e->steps <= 0 || tr->total % e->steps != 0) {
			continue;
		}
		bool ok = e->stmt->kind == STMT_RECORD ? record_row(tr->r, e->stmt, tr->total)
						       : run_statement(tr->r, e->stmt);
		if (!ok) {
			return false;
		}
	}
	return true;
}

bool step_done(Training *tr, bool *until)
{
	const Program *p = tr->r->program;
	set_real(tr->r, p->loss_value, tr->loss);
	set_real(tr->r, p->grad_norm, tr->norm);
	set_real(tr->r, p->change, tr->change);
	report_step(tr);
	if (!run_every(tr)) {
		return false;
	}
	double met = 0;
	if (tr->phase->until &&
	    !eval_scalar(tr->r, tr->phase, PART_UNTIL, tr->phase->until, &met)) {
		return false;
	}
	*until = met != 0;
	return true;
}

static bool first_order_step(Training *tr, Plan *plan, const Layout *l)
{
	Run *r = tr->r;
	step_leaves(tr, batches_next(tr));
	if (tr->total > 1 && !points_refresh(tr, tr->total - 1, false)) {
		return false;
	}
	if (!eval_run(r, plan, (uint64_t)tr->total)) {
		return false;
	}
	tr->loss = plan_real(plan, l->objective)[0];
	tr->norm = plan_real(plan, l->norm)[0];
	tr->change = l->change ? plan_real(plan, l->change)[0] : 0;
	for (uint32_t k = 0; k < tr->phase->nterm; k++) {
		tr->term[k] = plan_real(plan, l->term + k)[0];
	}
	if (!step_healthy(tr)) {
		return false;
	}
	tr->good = true;
	for (uint32_t k = 0; k < tr->nfree; k++) {
		if (!params_retract(r, tr->update[k]->param)) {
			return false;
		}
	}
	return true;
}

static bool run_steps(Training *tr, Plan *plan, const Layout *l)
{
	int64_t limit = INT64_MAX;
	bool until = false;
	double number[NUMBERS];
	uint32_t n;
	if (!tr->r->watch) {
		step_limit(tr, &limit);
	}
	SavedArray *state = make_arrays(tr, number, &n);
	while (tr->step < limit && !until) {
		tr->step++;
		tr->total++;
		if (!first_order_step(tr, plan, l) || !step_done(tr, &until)) {
			return false;
		}
		if (tr->r->watch && !tr->r->watch(tr->r->watch_data)) {
			return false;
		}
		numbers_out(tr, number);
		if (until || tr->step >= limit) {
			break; /* the end of a phase has a checkpoint of its own */
		}
		bool stop = run_interrupted(tr->r);
		if (!checkpoint_training(tr->r, n, state, stop)) {
			return false;
		}
		if (stop) {
			tr->r->interrupted = true;
			report_end(tr, "interrupted");
			return false;
		}
	}
	report_end(tr, until ? "condition met" : "");
	return true;
}

static bool begin_states(Training *tr)
{
	double number[NUMBERS];
	uint32_t n;
	if (!alloc_states(tr)) {
		return false;
	}
	SavedArray *state = make_arrays(tr, number, &n);
	if (tr->resumed) {
		if (!checkpoint_restore_training(tr->r, n, state)) {
			return false;
		}
		numbers_in(tr, number);
		return points_refresh(tr, tr->total > 0 ? tr->total - 1 : 0, true);
	}
	/* A line search before this phase made the points wait: now they are again those of the
	 * step. */
	return points_refresh(tr, tr->total, true) && init_states(tr);
}

bool phase_first_order(Training *tr)
{
	Layout l;
	Plan *plan = batches_begin(tr) && begin_states(tr) ? step_plan(tr, &l) : NULL;
	bool ok = plan != NULL;
	if (ok) {
		tr->assigns = plan;
		tr->good = false;
		report_begin(tr);
		ok = run_steps(tr, plan, &l);
		tr->assigns = NULL;
	}
	batches_end(tr);
	return ok;
}
