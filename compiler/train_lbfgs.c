/* train_lbfgs.c — phases of L-BFGS: the parameters as one flat vector, lbfgs.c for the iteration.
 * Points are not redrawn and random draws keep the address of the phase's beginning while it runs:
 * a line search compares values of one function. */
#include "compiler/lbfgs.h"
#include "compiler/train_int.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_DEFAULT = 50, MEMORY_MOST = 10000 };

typedef struct Search {
	Training *tr;
	Plan *plan;
	Layout layout;
	Lbfgs lbfgs;
	size_t n;
	double *x, *g, *last; /* iterate, its gradient, the point evaluated last */
	double f, tolerance;
	uint64_t draw; /* address of random draws */
} Search;

static void scatter(const Search *s, const double *x)
{
	for (uint32_t k = 0; k < s->tr->nfree; k++) {
		Def leaf = s->tr->update[k]->param->leaf;
		size_t n = store_count(s->tr->r->store, leaf);
		memcpy(store_real(s->tr->r->store, leaf), x, n * sizeof *x);
		x += n;
	}
}

static void gather(const Search *s, double *x)
{
	for (uint32_t k = 0; k < s->tr->nfree; k++) {
		Def leaf = s->tr->update[k]->param->leaf;
		size_t n = store_count(s->tr->r->store, leaf);
		memcpy(x, store_real(s->tr->r->store, leaf), n * sizeof *x);
		x += n;
	}
}

static bool evaluate(void *data, const double *x, double *f, double *g)
{
	Search *s = data;
	scatter(s, x);
	if (!eval_run(s->tr->r, s->plan, s->draw)) {
		return false;
	}
	*f = plan_real(s->plan, s->layout.objective)[0];
	for (uint32_t k = 0; k < s->tr->nfree; k++) {
		size_t n = plan_count(s->plan, s->layout.gradient + k);
		memcpy(g, plan_real(s->plan, s->layout.gradient + k), n * sizeof *g);
		g += n;
	}
	memcpy(s->last, x, s->n * sizeof *x);
	return true;
}

/* What is reported belongs to the iterate, which the line search need not have evaluated last. */
static bool read_outputs(Search *s)
{
	Training *tr = s->tr;
	if (memcmp(s->last, s->x, s->n * sizeof *s->x) != 0 && !evaluate(s, s->x, &s->f, s->g)) {
		return false;
	}
	scatter(s, s->x);
	tr->loss = s->f;
	tr->norm = plan_real(s->plan, s->layout.norm)[0];
	for (uint32_t k = 0; k < tr->phase->nterm; k++) {
		tr->term[k] = plan_real(s->plan, s->layout.term + k)[0];
	}
	return true;
}

static bool option_value(Training *tr, const char *name, unsigned part, double *v)
{
	const Phase *p = tr->phase;
	for (uint32_t k = 0; k < p->noption; k++) {
		if (strcmp(run_name(tr->r, p->option[k].name), name) == 0 && p->option[k].value) {
			return eval_scalar(tr->r, p, part, p->option[k].value, v);
		}
	}
	return true;
}

static bool unfit(Training *tr, const char *why)
{
	diag_optimiser_unfit(tr->r->e->ctx.diags, tr->phase->span, run_name(tr->r, tr->phase->name),
			     why);
	return false;
}

static bool search_options(Search *s, size_t *memory)
{
	double m = MEMORY_DEFAULT;
	if (!option_value(s->tr, "memory", PART_OPTION, &m) ||
	    !option_value(s->tr, "tol", PART_OPTION + 1, &s->tolerance)) {
		return false;
	}
	if (!(m >= 1 && m <= MEMORY_MOST)) {
		return unfit(s->tr, "its memory is from 1 to 10000 pairs");
	}
	for (uint32_t k = 0; k < s->tr->nfree; k++) {
		const ParamInfo *p = s->tr->update[k]->param;
		if (p->constraint & CONSTRAINT_ORTHOGONAL) {
			return unfit(
				s->tr,
				arena_printf(
					s->tr->r->e->arena,
					"%s is kept orthogonal, which a line search does not do; "
					"freeze it or use another optimiser",
					run_name(s->tr->r, p->path)));
		}
	}
	*memory = (size_t)m;
	return true;
}

static bool search_room(Search *s)
{
	size_t memory;
	if (!search_options(s, &memory)) {
		return false;
	}
	for (uint32_t k = 0; k < s->tr->nfree; k++) {
		s->n += store_count(s->tr->r->store, s->tr->update[k]->param->leaf);
	}
	s->x = rt_alloc(s->n, sizeof *s->x);
	s->g = rt_alloc(s->n, sizeof *s->g);
	s->last = rt_alloc(s->n, sizeof *s->last);
	if (!s->x || !s->g || !s->last || !lbfgs_create(&s->lbfgs, s->n, memory)) {
		diag_out_of_memory(s->tr->r->e->ctx.diags, s->tr->phase->span,
				   "the optimiser's memory");
		return false;
	}
	return true;
}

static void search_free(Search *s)
{
	lbfgs_free(&s->lbfgs);
	free(s->x);
	free(s->g);
	free(s->last);
}

/* ---- checkpoints ---- */

enum { NUMBER_PAIRS = TRAINING_NUMBERS, NUMBER_NEXT, NUMBER_DRAW, NUMBERS };
enum { ARRAYS = 5 };

static void saved_arrays(Search *s, double *number, SavedArray *out)
{
	out[0] = (SavedArray){"training", number, NUMBERS, 0};
	out[1] = (SavedArray){"lbfgs.s", s->lbfgs.s, s->lbfgs.memory * s->n, 0};
	out[2] = (SavedArray){"lbfgs.y", s->lbfgs.y, s->lbfgs.memory * s->n, 0};
	out[3] = (SavedArray){"lbfgs.rho", s->lbfgs.rho, s->lbfgs.memory, 0};
	out[4] = (SavedArray){"lbfgs.gradient", s->g, s->n, 0};
}

static void numbers_out(const Search *s, double *number)
{
	const Training *tr = s->tr;
	const double now[NUMBERS] = {
		tr->phase_number,       (double)tr->step,      (double)tr->total, tr->first_loss,
		(double)s->lbfgs.pairs, (double)s->lbfgs.next, (double)s->draw};
	memcpy(number, now, sizeof now);
}

static bool search_resume(Search *s)
{
	Training *tr = s->tr;
	double number[NUMBERS];
	SavedArray state[ARRAYS];
	saved_arrays(s, number, state);
	if (!checkpoint_restore_training(tr->r, ARRAYS, state)) {
		return false;
	}
	tr->step = (int64_t)number[TRAINING_STEP];
	tr->total = (int64_t)number[TRAINING_TOTAL];
	tr->first_loss = number[TRAINING_FIRST];
	tr->have_first = true;
	double memory = (double)s->lbfgs.memory;
	if (!(number[NUMBER_PAIRS] >= 0 && number[NUMBER_PAIRS] <= memory) ||
	    !(number[NUMBER_NEXT] >= 0 && number[NUMBER_NEXT] < memory) ||
	    !(number[NUMBER_DRAW] >= 0 && number[NUMBER_DRAW] < 1e15)) {
		return unfit(tr, "its state in the checkpoint is damaged");
	}
	s->lbfgs.pairs = (size_t)number[NUMBER_PAIRS];
	s->lbfgs.next = (size_t)number[NUMBER_NEXT];
	s->draw = (uint64_t)number[NUMBER_DRAW];
	return true;
}

/* ---- the phase ---- */

static bool search_begin(Search *s)
{
	Training *tr = s->tr;
	s->draw = (uint64_t)tr->total;
	if (!search_room(s) || (tr->resumed && !search_resume(s)) ||
	    !points_refresh(tr, s->draw > 0 ? (int64_t)s->draw - 1 : 0, true)) {
		return false;
	}
	s->plan = step_plan(tr, &s->layout);
	if (!s->plan) {
		return false;
	}
	gather(s, s->x);
	if (!evaluate(s, s->x, &s->f, s->g) || !read_outputs(s)) {
		return false;
	}
	report_begin(tr);
	return step_healthy(tr);
}

static bool search_step(Search *s, const char **why)
{
	Training *tr = s->tr;
	Run *r = tr->r;
	tr->step++;
	tr->total++;
	step_leaves(tr, tr->step);
	double *old = rt_alloc(s->n, sizeof *old);
	if (!old) {
		diag_out_of_memory(r->e->ctx.diags, tr->phase->span, "the optimiser's memory");
		return false;
	}
	memcpy(old, s->x, s->n * sizeof *old);
	LbfgsStatus status = lbfgs_step(&s->lbfgs, s->x, &s->f, s->g, evaluate, s);
	tr->change = 0;
	for (size_t k = 0; k < s->n; k++) {
		tr->change = fmax(tr->change, fabs(s->x[k] - old[k]) / (1 + fabs(old[k])));
	}
	free(old);
	if (status == LBFGS_FAILED || !read_outputs(s)) {
		scatter(s, s->x);
		return false;
	}
	if (status == LBFGS_STUCK) {
		*why = "no step lowers the loss any more";
	}
	if (tr->norm <= s->tolerance) {
		*why = "the gradient is within its tolerance";
	}
	return step_healthy(tr);
}

static bool search_run(Search *s)
{
	Training *tr = s->tr;
	int64_t limit = INT64_MAX;
	bool until = false;
	const char *why = NULL;
	double number[NUMBERS];
	SavedArray state[ARRAYS];
	step_limit(tr, &limit);
	saved_arrays(s, number, state);
	while (tr->step < limit && !until && !why) {
		if (!search_step(s, &why) || !step_done(tr, &until)) {
			return false;
		}
		numbers_out(s, number);
		if (until || why || tr->step >= limit) {
			break;
		}
		bool stop = run_interrupted(tr->r);
		if (!checkpoint_training(tr->r, ARRAYS, state, stop)) {
			return false;
		}
		if (stop) {
			tr->r->interrupted = true;
			report_end(tr, "interrupted");
			return false;
		}
	}
	report_end(tr, until ? "condition met" : why ? why : "");
	return true;
}

bool phase_line_search(Training *tr)
{
	Search s = {.tr = tr};
	bool ok = batches_begin(tr) && search_begin(&s);
	ok = ok && search_run(&s);
	search_free(&s);
	batches_end(tr);
	return ok;
}
