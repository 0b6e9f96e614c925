/* elab_train.c — train statements: objective and its named terms, optimisers written in the
 * language, batches. SPEC: training, optimisers. */
#include "lang/elab_train.h"

#include <string.h>

/* ---- the objective
 * -----------------------------------------------------------------------------------------------------
 */
static void terms_of(Elab *e, Scope *s, const Ast *ast, LossInfo **term, uint32_t *n)
{
	if (!ast) {
		return;
	}
	if (ast->kind == AST_NAME) {
		for (uint32_t i = 0; i < e->program->nloss; i++) {
			LossInfo *l = e->program->loss[i];
			bool have = false;
			for (uint32_t k = 0; k < *n; k++) {
				have = have || (*term)[k].name == l->name;
			}
			if (l->name == ast->name && !have && *n < 64) {
				(*term)[(*n)++] = *l;
			}
		}
	}
	for (uint32_t i = 0; i < ast->nkid; i++) {
		terms_of(e, s, ast->kid[i], term, n);
	}
}

static bool objective(Elab *e, Scope *s, const Ast *ast, TrainInfo *t)
{
	Val v = elab_expr(e, s, ast->kid[0]);
	v.span = ast->kid[0]->span;
	if (v.tag == VAL_ERROR) {
		return false;
	}
	if (!val_real(e, &v) || !val_pure(e, &v)) {
		return false;
	}
	if (v.rank) {
		diag_help(diag_type_mismatch(elab_diags(e), ast->kid[0]->span, val_type(e, &v),
					     "one number to be minimised"),
			  "sum it:  sum[i] x[i]^2");
		return false;
	}
	t->maximise = ast->flags & AST_MAXIMIZE;
	t->objective = t->maximise ? core_neg(e->core, v.re) : v.re;
	LossInfo *term = arena_array(e->arena, LossInfo, 64);
	terms_of(e, s, ast->kid[0], &term, &t->nterm);
	t->term = term;
	t->param = params_reached(e, 1, &t->objective, &t->nparam);
	if (ast->nkid > 1 && ast->kid[1]) {
		uint32_t n;
		ParamInfo **chosen;
		Ast *list[1] = {ast->kid[1]};
		if (!params_of_list(e, s, 1, list, &n, &chosen)) {
			return false;
		}
		const bool *reached = defs_reached(e, 1, &t->objective);
		uint32_t kept = 0;
		for (uint32_t i = 0; i < n; i++) {
			if (reached[chosen[i]->leaf]) {
				chosen[kept++] = chosen[i];
			}
		}
		t->param = chosen;
		t->nparam = kept;
	}
	if (!t->nparam) {
		diag_no_dependence(elab_diags(e), ast->kid[0]->span, "what is minimised",
				   "any parameter");
		return false;
	}
	for (uint32_t i = 0; i < t->nparam; i++) {
		t->param[i]->used = true;
	}
	return true;
}

/* ---- phases
 * -------------------------------------------------------------------------------------------------------------------
 */
static bool take_common(Elab *e, Scope *s, const Ast *a, Phase *ph, const Ast **batch)
{
	const char *name = elab_text(e, a->name);
	if (strcmp(name, "clip") == 0) {
		Val v = elab_expr(e, s, a->kid[0]);
		if (!optimiser_number(e, &v)) {
			return true;
		}
		ph->clip = v.re;
		return true;
	}
	if (strcmp(name, "batch") == 0) {
		*batch = a->kid[0];
		return true;
	}
	return false;
}

static bool option_known(const Ast *opt, const Ast *a)
{
	const Ast *formals = opt ? opt->kid[0] : NULL;
	for (uint32_t i = 0; formals && i < formals->nkid; i++) {
		if (formals->kid[i]->name == a->name) {
			return true;
		}
	}
	return false;
}

static const char *const lbfgs_options[] = {"memory", "tol", "steps"};

static bool check_option(Elab *e, const Ast *opt, const Ast *a, bool lbfgs)
{
	if (option_known(opt, a)) {
		return true;
	}
	const char *known[64];
	size_t n = 0;
	for (size_t i = 0; lbfgs && i < sizeof lbfgs_options / sizeof *lbfgs_options; i++) {
		if (strcmp(elab_text(e, a->name), lbfgs_options[i]) == 0) {
			return true;
		}
		known[n++] = lbfgs_options[i];
	}
	for (uint32_t i = 0; opt && opt->kid[0] && i < opt->kid[0]->nkid && n < 60; i++) {
		known[n++] = elab_text(e, opt->kid[0]->kid[i]->name);
	}
	known[n++] = "batch";
	known[n++] = "clip";
	const char *near = diag_nearest(elab_text(e, a->name), known, n);
	Diag *d = diag_wrong_arguments(
		elab_diags(e), a->span, opt ? elab_text(e, opt->name) : "lbfgs",
		arena_printf(e->arena, "has no option %s", elab_text(e, a->name)));
	if (near) {
		diag_help(d, "did you mean  %s ?", near);
	}
	return false;
}

/* Data sets whose records the objective sums over. */
static uint32_t summed_data(Elab *e, const TrainInfo *t, DataInfo **out, uint32_t cap)
{
	uint32_t n = 0;
	const bool *reached = defs_reached(e, 1, &t->objective);
	for (uint32_t i = 0; i < e->program->ndata && n < cap; i++) {
		DataInfo *d = e->program->data[i];
		for (uint32_t k = 0; k < d->nfield; k++) {
			if (!d->field[k].shared && d->kind != DATA_BATCH &&
			    reached[d->field[k].leaf]) {
				out[n++] = d;
				break;
			}
		}
	}
	return n;
}

static bool make_batch(Elab *e, Scope *s, const Ast *ast, TrainInfo *t, Phase *ph)
{
	const Ast *of = NULL;
	Val size = val_error(ast->span);
	if (ast->kind == AST_BINARY &&
	    strcmp(elab_text(e, ast->name), "of") == 0) { /* batch = 64 of train */
		size = elab_expr(e, s, ast->kid[0]);
		of = ast->kid[1];
	} else {
		size = elab_expr(e, s, ast);
	}
	if (size.tag == VAL_ERROR) {
		return false;
	}
	if (!val_const_int(e, &size, &ph->batch) || ph->batch < 1) {
		diag_not_constant(elab_diags(e), ast->span,
				  "the size of a batch, a whole number of at least 1,");
		return false;
	}
	DataInfo *set[64];
	if (of) {
		Val v = elab_callee(e, s, of);
		if (v.tag != VAL_DATA) {
			if (v.tag != VAL_ERROR) {
				diag_type_mismatch(elab_diags(e), of->span, val_type(e, &v),
						   "a data set");
			}
			return false;
		}
		ph->batch_of = v.data;
	} else {
		uint32_t n = summed_data(e, t, set, 64);
		/* statistics of other parts (standardize) are not what is batched: prefer sets
		 * whose sums depend on parameters */
		DataInfo *found = NULL;
		uint32_t m = 0;
		for (uint32_t i = 0; i < n; i++) {
			DataInfo *probe =
				data_clone(e, set[i], DATA_BATCH, set[i]->name, ast->span);
			Trial trial = trial_begin(e);
			Node r = batch_rewrite(e, ast->span, t->objective, set[i], probe, e->goal);
			bool failed = !r;
			trial_end(e, trial);
			if (failed || r != t->objective) {
				found = set[i];
				m++;
			}
		}
		if (m == 0) {
			diag_not_batchable(elab_diags(e), ast->span, elab_text(e, e->goal),
					   "no sum over records in it depends on parameters");
			return false;
		}
		if (m != 1) {
			diag_help(diag_ambiguous(elab_diags(e), ast->span, "batch",
						 "the loss sums over several sets"),
				  "name the set:  batch = 64 of train");
			return false;
		}
		ph->batch_of = found;
	}
	ph->batch_data = data_clone(
		e, ph->batch_of, DATA_BATCH,
		intern_printf(e->names, "%s_batch", elab_text(e, ph->batch_of->name)), ast->span);
	ARENA_PUSH(e->arena, e->program->data, e->program->ndata, e->capdata, ph->batch_data);
	ph->objective =
		batch_rewrite(e, ast->span, t->objective, ph->batch_of, ph->batch_data, e->goal);
	if (ph->objective == t->objective) {
		diag_not_batchable(elab_diags(e), ast->span, elab_text(e, e->goal),
				   arena_printf(e->arena, "it does not sum over %s",
						elab_text(e, ph->batch_of->name)));
		return false;
	}
	for (uint32_t i = 0; i < t->nterm && ph->objective; i++) {
		Node r = batch_rewrite(e, ast->span, t->term[i].value, ph->batch_of, ph->batch_data,
				       t->term[i].name);
		ph->term[i].value = r ? r : t->term[i].value;
	}
	return ph->objective != 0;
}

/* Is option i of the call also an earlier one, by name or by place? */
static bool given_before(Elab *e, const Ast *opt, const Ast *call, uint32_t i)
{
	const Ast *a = call->kid[i], *formals = opt ? opt->kid[0] : NULL;
	for (uint32_t k = 1; k < i; k++) {
		const Ast *b = call->kid[k];
		bool by_place = b->kind != AST_NAMEDARG && formals && k - 1 < formals->nkid &&
				formals->kid[k - 1]->name == a->name;
		if (by_place || (b->kind == AST_NAMEDARG && b->name == a->name)) {
			diag_note(diag_wrong_arguments(elab_diags(e), a->span,
						       elab_text(e, a->name), "is given twice"),
				  b->span, "first given here");
			return true;
		}
	}
	return false;
}

/* An option that stands by its place must have one. */
static bool place_known(Elab *e, const Phase *ph, const Ast *opt, const Ast *a, uint32_t i)
{
	uint32_t takes = opt && opt->kid[0] ? opt->kid[0]->nkid : 0;
	if (i <= takes) {
		return true;
	}
	const char *why =
		takes ? arena_printf(e->arena, "takes %u option%s", takes, takes == 1 ? "" : "s")
		      : "takes its options by name";
	diag_help(diag_wrong_arguments(elab_diags(e), a->span, elab_text(e, ph->name), why),
		  "name the options, as in  %s",
		  opt ? "adam(lr = 1e-3, batch = 64)" : "lbfgs(memory = 20)");
	return false;
}

/* opt is the optimiser's text, NULL for lbfgs. */
static bool phase_options(Elab *e, Scope *s, const Ast *opt, const Ast *call, Phase *ph,
			  const Ast **batch)
{
	ph->option = arena_array(e->arena, Option, call->nkid + 1);
	for (uint32_t i = 1; call->kind == AST_CALL && i < call->nkid; i++) {
		const Ast *a = call->kid[i];
		if (a->kind != AST_NAMEDARG) {
			if (!place_known(e, ph, opt, a, i)) {
				return false;
			}
			continue;
		}
		if (given_before(e, opt, call, i)) {
			return false;
		}
		if (take_common(e, s, a, ph, batch)) {
			continue;
		}
		if (!check_option(e, opt, a, !opt)) {
			return false;
		}
		if (!opt) {
			Val v = elab_expr(e, s, a->kid[0]);
			if (!optimiser_number(e, &v)) {
				return false;
			}
			ph->option[ph->noption++] = (Option){a->name, a->span, v.re, 0};
		}
	}
	return true;
}

/* for 1000 steps until grad < 1e-8 */
static bool phase_end(Elab *e, Scope *s, const Ast *ast, Phase *ph)
{
	const Ast *count = ast->nkid > 1 ? ast->kid[1] : NULL;
	const Ast *until = ast->nkid > 2 ? ast->kid[2] : NULL;
	if (count) {
		Val n = elab_expr(e, s, count);
		if (n.tag == VAL_ERROR) {
			return false;
		}
		bool known = val_const_int(e, &n, &ph->count);
		if (!known && val_scalar(&n) && n.elem == ELEM_INT) {
			ph->count_now = n.re;
		} else if (!known || ph->count < 0) {
			diag_type_mismatch(elab_diags(e), count->span,
					   known ? "negative" : val_type(e, &n),
					   "a whole number of steps");
			return false;
		}
	}
	ph->epochs = ast->flags & AST_EPOCHS;
	if (until) {
		Val u = elab_expr(e, s, until);
		if (u.tag == VAL_ERROR) {
			return false;
		}
		if (!val_scalar(&u) || u.elem != ELEM_BOOL) {
			diag_type_mismatch(elab_diags(e), until->span, val_type(e, &u),
					   "a condition such as  grad < 1e-8");
			return false;
		}
		ph->until = u.re;
	}
	if (ph->count < 0 && !ph->count_now && !ph->until) {
		diag_help(diag_wrong_arguments(elab_diags(e), ast->span, "use",
					       "nothing says when to stop"),
			  "write  for 1000 steps  or  until grad < 1e-8");
		return false;
	}
	return true;
}

static bool phase(Elab *e, Scope *s, const Ast *ast, TrainInfo *t, Phase *ph)
{
	const Ast *call = ast->kid[0], *head = call->kind == AST_CALL ? call->kid[0] : call;
	ph->span = ast->span;
	ph->count = -1;
	ph->objective = t->objective;
	ph->nterm = t->nterm;
	ph->term = arena_copy(e->arena, t->term, t->nterm * sizeof *t->term, _Alignof(LossInfo));
	if (head->kind != AST_NAME) {
		diag_type_mismatch(elab_diags(e), head->span, "this", "the name of an optimizer");
		return false;
	}
	ph->name = head->name;
	bool lbfgs = strcmp(elab_text(e, head->name), "lbfgs") == 0;
	const Ast *opt = lbfgs ? NULL : optimiser_find(e, head->name);
	if (!opt && !lbfgs) {
		optimiser_unknown(e, head, head->name);
		return false;
	}
	ph->kind = lbfgs ? OPTIMISER_LBFGS : OPTIMISER_LANGUAGE;
	const Ast *batch = NULL;
	bool ok = phase_options(e, s, opt, call, ph, &batch);
	if (!phase_end(e, s, ast, ph) || !ok) {
		return false;
	}
	if (batch && lbfgs) {
		diag_wrong_arguments(elab_diags(e), call->span, "lbfgs",
				     "works on all records at once: it takes no batch");
		return false;
	}
	if (batch && !make_batch(e, s, batch, t, ph)) {
		return false;
	}
	ph->nupdate = lbfgs ? 0 : t->nparam;
	ph->update = arena_array(e->arena, Update, t->nparam + 1);
	for (uint32_t i = 0; i < ph->nupdate; i++) {
		if (!optimiser_update(e, s, opt, call, t->param[i], &ph->update[i])) {
			return false;
		}
	}
	return true;
}

static void runtime_name(Elab *e, Scope *s, const char *name, Def leaf, Elem elem)
{
	scope_put(e, s, SYM(e, name), (Span){0},
		  val_num(e, (Span){0}, elem, 0, core_read(e->core, leaf, NULL)));
}

/* fit.steps and fit.loss, once the training is over; a name that means something else keeps its
 * meaning. */
static void name_result(Elab *e, Scope *outer, const Ast *ast, TrainInfo *t)
{
	Entry *known = scope_find(e, outer, ast->name);
	bool result = known && known->builtin && known->val.tag == VAL_TUPLE;
	if (scope_knows(e, outer, ast->name) && !result) {
		return;
	}
	Sym steps = intern_printf(e->names, "%s.steps", elab_text(e, ast->name));
	Sym loss = intern_printf(e->names, "%s.loss", elab_text(e, ast->name));
	t->steps = core_leaf(e->core, DEF_RUNTIME, steps, ast->span, KIND_INT, 0, 0, NULL);
	t->last = core_leaf(e->core, DEF_RUNTIME, loss, ast->span, KIND_REAL, 0, 0, NULL);
	Val v = {.tag = VAL_TUPLE, .span = ast->span, .n = 2};
	v.item = arena_array(e->arena, Val, 2);
	v.item_name = arena_array(e->arena, Sym, 2);
	v.item_name[0] = SYM(e, "steps");
	v.item_name[1] = SYM(e, "loss");
	v.item[0] = val_num(e, ast->span, ELEM_INT, 0, core_read(e->core, t->steps, NULL));
	v.item[1] = val_num(e, ast->span, ELEM_REAL, 0, core_read(e->core, t->last, NULL));
	scope_add(e, outer, ast->name, ast->span, v)->builtin = true;
}

bool elab_train(Elab *e, Scope *outer, const Ast *ast, TrainInfo *t)
{
	Program *p = e->program;
	Scope *s = scope_new(e, outer, NULL);
	runtime_name(e, s, "step", p->step, ELEM_INT);
	runtime_name(e, s, "epoch", p->epoch, ELEM_INT);
	/* `grad` stays the operator: the norm is read by the bare name, which a call never is */
	t->name = ast->name;
	t->phase = arena_array(e->arena, Phase, ast->nkid + 1);
	t->every = arena_array(e->arena, Every, ast->nkid + 1);
	elab_defs(e, s, ast->nkid, ast->kid);
	const Ast *goal = NULL;
	for (uint32_t i = 0; i < ast->nkid; i++) {
		const Ast *k = ast->kid[i];
		if (k->kind == AST_MINIMIZE && goal) {
			Diag *d = diag_bad_statement_place(elab_diags(e), k->span, "a second goal",
							   "in a training");
			diag_help(diag_note(d, goal->span, "the first"),
				  "add the two with weights:  minimize a + 0.1*b");
			return false;
		}
		goal = k->kind == AST_MINIMIZE ? k : goal;
	}
	e->goal = goal ? SYM(e, ast_text(e->arena, e->names, goal->kid[0])) : 0;
	bool ok = goal && objective(e, s, goal, t);
	if (goal && !ok) {
		return false;
	}
	if (!ok) {
		diag_help(diag_bad_statement_place(elab_diags(e), ast->span, "a training",
						   "without a goal"),
			  "write  minimize loss  in it");
		return false;
	}
	Scope *late = scope_new(e, s, NULL);
	runtime_name(e, late, "loss", p->loss_value, ELEM_REAL);
	runtime_name(e, late, "change", p->change, ELEM_REAL);
	runtime_name(e, late, "grad", p->grad_norm, ELEM_REAL);
	for (uint32_t i = 0; i < ast->nkid; i++) {
		const Ast *k = ast->kid[i];
		if (k->kind == AST_USEPHASE) {
			ok = phase(e, late, k, t, &t->phase[t->nphase]) && ok;
			t->nphase++;
		} else if (k->kind == AST_EVERY) {
			Val n = elab_expr(e, s, k->kid[1]);
			int64_t steps;
			if (n.tag == VAL_ERROR) {
				ok = false;
				continue;
			}
			if (!val_const_int(e, &n, &steps) || steps < 1) {
				diag_not_constant(elab_diags(e), k->kid[1]->span,
						  "the number of steps between records");
				ok = false;
				continue;
			}
			Stmt *stmt = elab_stmt(e, late, k->kid[0]);
			ok = ok && stmt;
			if (stmt) {
				t->every[t->nevery++] = (Every){stmt, steps};
			}
		} else if (k->kind != AST_MINIMIZE && k->kind != AST_ERROR_STMT &&
			   k->kind != AST_DEF) {
			diag_bad_statement_place(elab_diags(e), k->span, ast_kind_name(k->kind),
						 "in a training");
			ok = false;
		}
	}
	if (ok && !t->nphase) {
		diag_help(diag_bad_statement_place(elab_diags(e), ast->span, "a training",
						   "without an optimizer"),
			  "write  use adam(lr = 1e-3) for 1000 steps");
		return false;
	}
	name_result(e, outer, ast, t);
	return ok;
}
