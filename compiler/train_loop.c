/* train_loop.c — phases of optimisers written in the language: one plan per step, checked, until
 * count or condition.
 *
 * The good state: before each step the leaves that it changes are copied. When the loss or the
 * gradient of a step is not finite, the parameters go back to the last point whose loss and
 * gradient were finite, and the training stops. */
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

/* ---- the good state ---- */

static void kept_copy(const Run *r, const Kept *k, double *to)
{
	for (uint32_t i = 0; i < k->n; i++) {
		size_t n = store_count(r->store, k->leaf[i]);
		memcpy(to, store_real(r->store, k->leaf[i]), n * sizeof *to);
		to += n;
	}
}

static void kept_restore(const Run *r, const Kept *k, const double *from)
{
	for (uint32_t i = 0; i < k->n; i++) {
		size_t n = store_count(r->store, k->leaf[i]);
		memcpy(store_real(r->store, k->leaf[i]), from, n * sizeof *from);
		from += n;
	}
}

static bool kept_begin(Training *tr)
{
	Kept *k = &tr->kept;
	memset(k, 0, sizeof *k);
	uint32_t most = 0;
	for (uint32_t i = 0; i < tr->nfree; i++) {
		most += 1 + tr->update[i]->nstate;
	}
	k->leaf = rt_alloc(most, sizeof *k->leaf);
	for (uint32_t i = 0; k->leaf && i < tr->nfree; i++) {
		k->leaf[k->n++] = tr->update[i]->param->leaf;
		for (uint32_t j = 0; j < tr->update[i]->nstate; j++) {
			k->leaf[k->n++] = tr->update[i]->state[j];
		}
	}
	for (uint32_t i = 0; i < k->n; i++) {
		k->count += store_count(tr->r->store, k->leaf[i]);
	}
	k->copy[0] = rt_alloc(k->count, sizeof(double));
	k->copy[1] = rt_alloc(k->count, sizeof(double));
	if (!k->leaf || !k->copy[0] || !k->copy[1]) {
		diag_out_of_memory(tr->r->e->ctx.diags, tr->phase->span, "a training");
		return false;
	}
	return true;
}

static void kept_end(Training *tr)
{
	free(tr->kept.leaf);
	free(tr->kept.copy[0]);
	free(tr->kept.copy[1]);
	memset(&tr->kept, 0, sizeof tr->kept);
}

static void kept_accept(Kept *k)
{
	double *older = k->copy[1];
	k->copy[1] = k->copy[0];
	k->copy[0] = older;
	k->good = true;
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
	out[n++] = (SavedArray){"training", number, NUMBERS};
	for (uint32_t k = 0; k < tr->nfree; k++) {
		const Update *u = tr->update[k];
		for (uint32_t j = 0; j < u->nstate; j++) {
			const char *name = arena_printf(tr->r->e->arena, "optimiser.%s.%s",
							run_name(tr->r, u->param->path),
							run_name(tr->r, u->state_name[j]));
			out[n++] = (SavedArray){name, store_real(tr->r->store, u->state[j]),
						store_count(tr->r->store, u->state[j])};
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
	return p->count >= 0 && !__builtin_mul_overflow(p->count, per, limit);
}

static const char *where(const Training *tr)
{
	return arena_printf(tr->r->e->arena, "at step %lld of %s in training %s",
			    (long long)tr->step, run_name(tr->r, tr->phase->name),
			    run_name(tr->r, tr->t->name));
}

static void restored(Training *tr, Diag *d)
{
	if (tr->kept.copy[0]) {
		kept_restore(tr->r, &tr->kept, tr->kept.good ? tr->kept.copy[1] : tr->kept.copy[0]);
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
	kept_copy(r, &tr->kept, tr->kept.copy[0]);
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
	kept_accept(&tr->kept);
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
	bool ok = plan && kept_begin(tr);
	if (ok) {
		report_begin(tr);
		ok = run_steps(tr, plan, &l);
	}
	kept_end(tr);
	batches_end(tr);
	return ok;
}
