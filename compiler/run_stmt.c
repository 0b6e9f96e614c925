/* run_stmt.c — the statements of a program, in order: loops, branches, and everything that is not
 * training or a claim. */
#include "compiler/build.h"
#include "compiler/checkpoint.h"
#include "compiler/claims.h"
#include "compiler/data_load.h"
#include "compiler/plot.h"
#include "compiler/run_int.h"
#include "compiler/train.h"
#include "compiler/weights.h"
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

Plan *let_plan(Run *r, const Stmt *s)
{
	PlanOutput *out = rt_alloc(s->u.let.n, sizeof *out);
	if (!out) {
		diag_out_of_memory(r->e->ctx.diags, s->span, "a value");
	}
	bool ok = out != NULL;
	for (uint32_t k = 0; ok && k < s->u.let.n; k++) {
		out[k] = (PlanOutput){s->u.let.value[k].value, s->u.let.leaf[k]};
		ok = eval_room(r, s->u.let.leaf[k]);
	}
	Plan *plan = ok ? eval_cached(r, s, 0, s->u.let.n, out) : NULL;
	free(out);
	return plan;
}

static bool run_let(Run *r, const Stmt *s)
{
	Plan *plan = let_plan(r, s);
	return plan && eval_run(r, plan, 0);
}

static bool run_reset(Run *r, const Stmt *s)
{
	double seed = (double)r->e->options.seed;
	if (s->u.reset.seed && !eval_scalar(r, s, 1, s->u.reset.seed, &seed)) {
		return false;
	}
	uint64_t number = s->u.reset.seed ? (uint64_t)(int64_t)seed : r->e->options.seed;
	return params_reset(r, s, s->u.reset.n, s->u.reset.param, number);
}

static bool run_file(Run *r, const Stmt *s)
{
	const char *path = run_name(r, s->u.file.path);
	if (s->kind == STMT_SAVE) {
		return weights_save(r, s->span, engine_out_path(r->e, path), s->u.file.n,
				    s->u.file.param);
	}
	/* What the program saved before lies in the output folder. */
	const char *saved = engine_out_path(r->e, path);
	const char *from = access(saved, F_OK) == 0 ? saved : engine_in_path(r->e, path);
	return weights_load(r, s->span, from, s->u.file.n, s->u.file.param);
}

static bool run_freeze(const Stmt *s)
{
	for (uint32_t k = 0; k < s->u.freeze.n; k++) {
		s->u.freeze.param[k]->frozen = !s->u.freeze.thaw;
	}
	return true;
}

/* ---- loops and branches ---- */

Plan *loop_plan(Run *r, const Loop *l)
{
	PlanOutput out = {l->values, 0};
	return eval_room(r, l->leaf) ? eval_cached(r, l, 0, 1, &out) : NULL;
}

/* Numbers of a loop variable, in a copy: the body may change what they were computed from. */
static bool loop_values(Run *r, const Loop *l, double **value, size_t *n)
{
	Plan *plan = loop_plan(r, l);
	if (!plan || !eval_run(r, plan, 0)) {
		return false;
	}
	*n = plan_count(plan, 0);
	*value = rt_alloc(*n, sizeof **value);
	if (!*value) {
		diag_out_of_memory(r->e->ctx.diags, l->span, "the values of a sweep");
		return false;
	}
	for (size_t k = 0; k < *n; k++) {
		(*value)[k] = eval_real(r, plan, 0, l->values, k);
	}
	return true;
}

static bool set_loop(Run *r, const Loop *l, double v, unsigned at)
{
	bool integer = core_def(r->core, l->leaf)->kind != KIND_REAL;
	if (!eval_room(r, l->leaf)) {
		return false;
	}
	if (integer) {
		store_int(r->store, l->leaf)[0] = (int64_t)v;
	} else {
		store_real(r->store, l->leaf)[0] = v;
	}
	r->loop[at] = (LoopVar){l, v, integer};
	return true;
}

/* The seed inside a loop: different in each pass, the same in every run. (splitmix64) */
static uint64_t mixed_seed(uint64_t seed, uint64_t pass)
{
	uint64_t z = seed + (pass + 1) * 0x9E3779B97F4A7C15u;
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

static bool run_pass(Run *r, const Block *body, uint64_t seed, int64_t pass)
{
	r->frame[r->depth - 1].pass = pass;
	r->seed = mixed_seed(seed, (uint64_t)pass);
	bool ok = run_block(r, body);
	r->seed = seed;
	return ok;
}

/* Loop k of a sweep and those inside it. Passes are counted over all of them, so that one number
 * says where we are. */
static bool sweep_loop(Run *r, const Stmt *s, uint32_t k, int64_t from, int64_t *pass)
{
	double *value = NULL;
	size_t n = 0;
	bool ok = loop_values(r, &s->u.sweep.loop[k], &value, &n);
	unsigned at = r->nloop++;
	for (size_t i = 0; ok && i < n; i++) {
		ok = set_loop(r, &s->u.sweep.loop[k], value[i], at);
		if (!ok) {
			break;
		}
		if (k + 1 < s->u.sweep.nloop) {
			ok = sweep_loop(r, s, k + 1, from, pass);
		} else {
			ok = *pass < from || run_pass(r, &s->u.sweep.body, r->seed, *pass);
			(*pass)++;
		}
	}
	r->nloop--;
	free(value);
	return ok;
}

static bool run_sweep(Run *r, const Stmt *s, int64_t from)
{
	if (r->nloop + s->u.sweep.nloop > RUN_DEPTH) {
		diag_too_deep(r->e->ctx.diags, s->span, RUN_DEPTH);
		return false;
	}
	int64_t pass = 0;
	return sweep_loop(r, s, 0, from, &pass);
}

static bool run_repeat(Run *r, const Stmt *s, int64_t from)
{
	double count = INFINITY, met = 0;
	if (s->u.repeat.count && !eval_scalar(r, s, 0, s->u.repeat.count, &count)) {
		return false;
	}
	for (int64_t pass = from; (double)pass < count && met == 0; pass++) {
		if (!run_pass(r, &s->u.repeat.body, r->seed, pass)) {
			return false;
		}
		if (s->u.repeat.until && !eval_scalar(r, s, 1, s->u.repeat.until, &met)) {
			return false;
		}
	}
	return true;
}

static bool run_branch(Run *r, const Stmt *s, bool resumed)
{
	Frame *frame = &r->frame[r->depth - 1];
	if (!resumed) {
		double met;
		if (!eval_scalar(r, s, 0, s->u.branch.cond, &met)) {
			return false;
		}
		frame->branch = met != 0;
	}
	return run_block(r, frame->branch ? &s->u.branch.yes : &s->u.branch.no);
}

/* ---- one statement ---- */

static bool run_export(Run *r, const Stmt *s)
{
	static const BuildOptions plain = {0};
	return (r->only && r->only != s) || build_library(r, s, r->build ? r->build : &plain);
}

/* pass: where a loop begins; resumed: the checkpoint was written inside a block of this statement.
 */
static bool dispatch(Run *r, Stmt *s, int64_t pass, bool resumed)
{
	switch (s->kind) {
	case STMT_TRAIN:
		return train_run(r, s);
	case STMT_SWEEP:
		return run_sweep(r, s, pass);
	case STMT_REPEAT:
		return run_repeat(r, s, pass);
	case STMT_IF:
		return run_branch(r, s, resumed);
	case STMT_RECORD:
		return record_row(r, s, -1);
	case STMT_RESET:
		return run_reset(r, s);
	case STMT_LET:
		return run_let(r, s);
	case STMT_PRINT:
		return value_print(r, s, s->u.print.n, s->u.print.item, r->e->options.output);
	case STMT_SAVE:
	case STMT_LOAD:
		return run_file(r, s);
	case STMT_SET:
		return params_set(r, s);
	case STMT_FREEZE:
		return run_freeze(s);
	case STMT_TEST:
		return claims_test(r, s);
	case STMT_ASSERT:
		return claims_assert(r, s);
	case STMT_PLOT:
		return plot_run(r, s);
	case STMT_EXPORT:
		return run_export(r, s);
	case STMT_DATA:
		return data_make(r, s);
	}
	return false;
}

bool run_statement(Run *r, Stmt *s)
{
	return dispatch(r, s, 0, false);
}

/* Shows what the statement had to say; true if the run goes on. Claims that fail do not end it. */
static bool settle(Run *r, bool ok)
{
	if (diags_errors(r->e->ctx.diags) > 0 || (!ok && !r->interrupted)) {
		r->stop = true;
	}
	engine_flush(r->e);
	if (!r->stop && run_interrupted(r)) {
		r->interrupted = true;
	}
	return ok && !r->stop && !r->interrupted;
}

bool run_block(Run *r, const Block *b)
{
	unsigned depth = r->depth;
	if (depth + 1 >= RUN_DEPTH) {
		diag_too_deep(r->e->ctx.diags, b->n ? b->stmt[0]->span : (Span){0}, RUN_DEPTH);
		r->stop = true;
		return false;
	}
	r->depth++;
	Frame *frame = &r->frame[depth];
	uint32_t from = depth ? 0 : frame->stmt;
	int64_t pass = 0;
	bool resumed = checkpoint_frame(r, depth, &from, &pass, &frame->branch), ok = true;
	bool inside = resumed && checkpoint_deeper(r, depth);
	if (resumed && !inside && (from >= b->n || b->stmt[from]->kind != STMT_TRAIN)) {
		checkpoint_arrived(r);
	}
	for (uint32_t k = from; ok && k < b->n; k++) {
		frame->stmt = k;
		frame->pass = inside ? pass : 0;
		bool done = dispatch(r, b->stmt[k], frame->pass, inside);
		inside = false;
		ok = settle(r, done);
		if (done && (ok || r->interrupted)) {
			frame->stmt = k + 1;
			frame->pass = 0;
			bool now = r->interrupted || b->stmt[k]->kind == STMT_TRAIN ||
				   (depth == 0 && k + 1 == b->n);
			ok = checkpoint_statement(r, now) && settle(r, ok);
		}
	}
	r->depth--;
	return ok;
}
