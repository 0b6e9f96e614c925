/* run_compile.c — all plans of a program before its first statement.
 * Operands of sums are ordered by the numbers of definitions, and derived definitions are numbered
 * as they are made. Made here, in the order of the text, they do not depend on what ran before: a
 * continued run computes the same bits. */
#include "compiler/claims.h"
#include "compiler/data_load.h"
#include "compiler/plot.h"
#include "compiler/run_int.h"
#include "compiler/train.h"
#include <stdlib.h>

static bool make_batches(Run *r, const Block *b)
{
	bool ok = true;
	for (uint32_t k = 0; ok && k < b->n; k++) {
		const Stmt *s = b->stmt[k];
		ok = s->kind == STMT_TRAIN    ? train_make_batches(r, s)
		     : s->kind == STMT_SWEEP  ? make_batches(r, &s->u.sweep.body)
		     : s->kind == STMT_REPEAT ? make_batches(r, &s->u.repeat.body)
		     : s->kind == STMT_IF
			     ? make_batches(r, &s->u.branch.yes) && make_batches(r, &s->u.branch.no)
			     : true;
	}
	return ok;
}

static bool compile_block(Run *r, const Block *b, unsigned depth);

enum { REPEATED = 10 }; /* what a `repeat` is expected to do: its count is not known yet */

/* Statements of a loop: their plans are expected to run so many times more. */
static bool compile_often(Run *r, double times, const Block *b, unsigned depth)
{
	double before = r->runs;
	r->runs = before * (times > 1 ? times : 1);
	bool ok = compile_block(r, b, depth);
	r->runs = before;
	return ok;
}

static bool compile_sweep(Run *r, const Stmt *s, unsigned depth)
{
	double times = 1;
	for (uint32_t k = 0; k < s->u.sweep.nloop; k++) {
		Plan *p = loop_plan(r, &s->u.sweep.loop[k]);
		if (!p) {
			return false;
		}
		times *= (double)plan_count(p, 0);
	}
	return compile_often(r, times, &s->u.sweep.body, depth);
}

static bool compile_repeat(Run *r, const Stmt *s, unsigned depth)
{
	return (!s->u.repeat.count || eval_scalar_plan(r, s, 0, s->u.repeat.count)) &&
	       compile_often(r, REPEATED, &s->u.repeat.body, depth) &&
	       (!s->u.repeat.until || eval_scalar_plan(r, s, 1, s->u.repeat.until));
}

static bool compile_reset(Run *r, const Stmt *s)
{
	bool none;
	return (!s->u.reset.seed || eval_scalar_plan(r, s, 1, s->u.reset.seed)) &&
	       (params_init_plan(r, s, s->u.reset.n, s->u.reset.param, &none) || none);
}

static void freeze(const Stmt *s)
{
	for (uint32_t k = 0; k < s->u.freeze.n; k++) {
		s->u.freeze.param[k]->frozen = !s->u.freeze.thaw;
	}
}

static bool compile_statement(Run *r, const Stmt *s, unsigned depth)
{
	bool none;
	switch (s->kind) {
	case STMT_TRAIN:
		return train_compile(r, s);
	case STMT_SWEEP:
		return compile_sweep(r, s, depth);
	case STMT_REPEAT:
		return compile_repeat(r, s, depth);
	case STMT_IF:
		return eval_scalar_plan(r, s, 0, s->u.branch.cond) &&
		       compile_block(r, &s->u.branch.yes, depth) &&
		       compile_block(r, &s->u.branch.no, depth);
	case STMT_RECORD:
		return record_plan(r, s, &none) || none;
	case STMT_RESET:
		return compile_reset(r, s);
	case STMT_LET:
		return let_plan(r, s);
	case STMT_PRINT:
		return value_plan(r, s, s->u.print.n, s->u.print.item, &none) || none;
	case STMT_PLOT:
		return s->u.plot.record || r->e->options.plots == PLOTS_NONE || plot_plan(r, s);
	case STMT_SET:
		return params_set_plan(r, s);
	case STMT_FREEZE:
		freeze(s);
		return true;
	case STMT_TEST:
		return s->u.claim.nsized || claims_plan(r, s);
	case STMT_ASSERT:
		return claims_plan(r, s);
	case STMT_DATA:
		return data_make_plans(r, s);
	default:
		return true;
	}
}

static bool compile_block(Run *r, const Block *b, unsigned depth)
{
	if (depth >= RUN_DEPTH) {
		diag_too_deep(r->e->ctx.diags, b->n ? b->stmt[0]->span : (Span){0}, RUN_DEPTH);
		return false;
	}
	for (uint32_t k = 0; k < b->n; k++) {
		if (!compile_statement(r, b->stmt[k], depth + 1)) {
			return false;
		}
	}
	return true;
}

bool run_compile(Run *r)
{
	const Program *p = r->program;
	Block all = {p->nstmt, p->stmt};
	bool *frozen = rt_alloc(p->nparam, sizeof *frozen);
	if (!frozen) {
		diag_out_of_memory(r->e->ctx.diags, (Span){0}, "the program");
		return false;
	}
	for (uint32_t k = 0; k < p->nparam; k++) {
		frozen[k] = p->param[k]->frozen;
	}
	r->compiling = true;
	bool ok = make_batches(r, &all) && compile_block(r, &all, 0);
	r->compiling = false;
	for (uint32_t k = 0; k < p->nparam; k++) {
		p->param[k]->frozen = frozen[k];
	}
	free(frozen);
	return ok;
}
