/* train.c — a `train` statement: its phases in order, each with the parameters that are not frozen.
 */
#include "compiler/train.h"
#include "compiler/data_load.h"
#include "compiler/train_int.h"
#include <stdlib.h>
#include <string.h>

/* Does the node, if there is one, read the leaf? */
static bool reads(const Run *r, Node n, Def leaf)
{
	return n && leaf && core_depends(r->core, n, leaf);
}

static bool value_reads(const Run *r, const Value *v, Def leaf)
{
	return v->value &&
	       reads(r, core_read_plain(r->core, v->value, core_def(r->core, v->value)->index),
		     leaf);
}

/* The largest change of a parameter costs a pass over all of them, so it is computed where
 * something reads it. */
static bool wants_change(const Training *tr)
{
	const Run *r = tr->r;
	Def leaf = r->program->change;
	bool wanted = reads(r, tr->phase->until, leaf);
	for (uint32_t k = 0; k < tr->t->nevery; k++) {
		const Stmt *s = tr->t->every[k].stmt;
		bool record = s->kind == STMT_RECORD;
		uint32_t n = record ? s->u.record.n : s->kind == STMT_PRINT ? s->u.print.n : 0;
		for (uint32_t j = 0; j < n; j++) {
			wanted = wanted ||
				 value_reads(r,
					     record ? &s->u.record.column[j] : &s->u.print.item[j],
					     leaf);
		}
	}
	return wanted;
}

/* A line search has no updates in the language: its parameters are those of the training. */
static const Update *phase_updates(Training *tr, uint32_t *n)
{
	const Phase *p = tr->phase;
	if (p->kind != OPTIMISER_LBFGS) {
		*n = p->nupdate;
		return p->update;
	}
	Update *u = arena_array(tr->r->e->arena, Update, tr->t->nparam + 1);
	for (uint32_t k = 0; k < tr->t->nparam; k++) {
		u[k].param = tr->t->param[k];
	}
	*n = tr->t->nparam;
	return u;
}

static void find_free(Training *tr)
{
	uint32_t n;
	const Update *u = phase_updates(tr, &n);
	tr->update = arena_array(tr->r->e->arena, const Update *, n + 1);
	tr->nfree = 0;
	for (uint32_t k = 0; k < n; k++) {
		if (!u[k].param->frozen) {
			tr->update[tr->nfree++] = &u[k];
		}
	}
}

/* How long the phase is; before anything runs nobody knows what is computed. */
static bool count_phase(Training *tr)
{
	Run *r = tr->r;
	const Phase *p = tr->phase;
	double now = -1;
	tr->count = p->count;
	if (!p->count_now) {
		return true;
	}
	if (r->compiling) {
		return eval_scalar_plan(r, p, PART_COUNT, p->count_now);
	}
	if (!eval_scalar(r, p, PART_COUNT, p->count_now, &now)) {
		return false;
	}
	tr->count = (int64_t)now;
	if (now < 0) {
		diag_optimiser_unfit(r->e->ctx.diags, p->span, run_name(r, p->name),
				     "the number of its steps is negative");
	}
	return now >= 0;
}

static bool begin_phase(Training *tr, uint32_t number)
{
	tr->phase = &tr->t->phase[number];
	tr->phase_number = number;
	tr->step = 0;
	tr->term = arena_array(tr->r->e->arena, double, tr->phase->nterm + 1);
	tr->wants_change = wants_change(tr);
	find_free(tr);
	if (tr->nfree == 0) {
		diag_optimiser_unfit(tr->r->e->ctx.diags, tr->phase->span,
				     run_name(tr->r, tr->phase->name),
				     "no parameter is left to be trained");
		return false;
	}
	return count_phase(tr);
}

/* Between two phases: a checkpoint that the next one begins from. False if the user asked to stop
 * there. */
static bool between_phases(Training *tr, uint32_t next)
{
	double number[TRAINING_NUMBERS] = {next, 0, (double)tr->total, tr->first_loss};
	SavedArray state = {"training", number, TRAINING_NUMBERS, 0};
	bool stop = run_interrupted(tr->r);
	if (!checkpoint_training(tr->r, 1, &state, true)) {
		return false;
	}
	tr->r->interrupted = stop;
	return !stop;
}

/* What the program reads as fit.steps and fit.loss. */
static bool keep_result(const Training *tr)
{
	const TrainInfo *t = tr->t;
	if (!t->steps) {
		return true;
	}
	if (!eval_room(tr->r, t->steps) || !eval_room(tr->r, t->last)) {
		return false;
	}
	store_int(tr->r->store, t->steps)[0] = tr->total;
	store_real(tr->r->store, t->last)[0] = tr->loss;
	return true;
}

static void say_training(const Run *r, bool now)
{
	if (r->e->options.training) {
		*r->e->options.training = now;
	}
}

bool train_run(Run *r, const Stmt *s)
{
	Training tr = {.r = r, .stmt = s, .t = &s->u.train, .started = train_clock()};
	double number[TRAINING_NUMBERS] = {0};
	bool continued = checkpoint_training_numbers(r, number), ok = true;
	uint32_t first = (uint32_t)number[TRAINING_PHASE];
	bool inside = continued && number[TRAINING_STEP] > 0;
	checkpoint_arrived(r);
	say_training(r, true);
	tr.total = (int64_t)number[TRAINING_TOTAL];
	tr.first_loss = number[TRAINING_FIRST];
	tr.have_first = tr.total > 0;
	if (!continued) {
		ok = points_refresh(&tr, 0, true);
	}
	for (uint32_t k = first; ok && k < tr.t->nphase; k++) {
		tr.resumed = inside && k == first;
		ok = begin_phase(&tr, k) &&
		     (tr.phase->kind == OPTIMISER_LBFGS ? phase_line_search
							: phase_first_order)(&tr) &&
		     (k + 1 == tr.t->nphase || between_phases(&tr, k + 1));
	}
	say_training(r, false);
	checkpoint_training_over(r);
	return ok && keep_result(&tr);
}

bool train_make_batches(Run *r, const Stmt *s)
{
	Training tr = {.r = r, .stmt = s, .t = &s->u.train};
	bool ok = true;
	for (uint32_t k = 0; ok && k < tr.t->nphase; k++) {
		tr.phase = &tr.t->phase[k];
		ok = batches_begin(&tr);
		batches_end(&tr);
	}
	return ok;
}

static bool compile_every(Run *r, const TrainInfo *t)
{
	bool ok = true, none;
	for (uint32_t k = 0; ok && k < t->nevery; k++) {
		const Stmt *s = t->every[k].stmt;
		if (s->kind == STMT_RECORD) {
			ok = record_plan(r, s, &none) || none;
		} else if (s->kind == STMT_PRINT) {
			ok = value_plan(r, s, s->u.print.n, s->u.print.item, &none) || none;
		}
	}
	return ok;
}

bool train_compile(Run *r, const Stmt *s)
{
	Training tr = {.r = r, .stmt = s, .t = &s->u.train};
	bool ok = keep_result(&tr), none; /* room for it */
	for (uint32_t k = 0; ok && k < tr.t->nphase; k++) {
		Layout l;
		ok = begin_phase(&tr, k) && alloc_states(&tr) && (state_plan(&tr, &none) || none) &&
		     step_plan(&tr, &l) &&
		     (!tr.phase->until ||
		      eval_scalar_plan(r, tr.phase, PART_UNTIL, tr.phase->until));
	}
	return ok && compile_every(r, tr.t);
}

Plan *train_step_plan(Run *r, const TrainInfo *t, const Phase *p)
{
	Training tr = {.r = r, .t = t};
	Layout l;
	if (!begin_phase(&tr, (uint32_t)(p - t->phase)) || !batches_begin(&tr)) {
		return NULL;
	}
	batches_end(&tr);
	return alloc_states(&tr) ? step_plan(&tr, &l) : NULL;
}
