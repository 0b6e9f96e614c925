/* elab_train.c — train statements: objective and its named terms, optimisers written in the
 * language, batches. SPEC: training, optimisers. */
#include "lang/elab_int.h"

#include <string.h>

/* ---- which parameters
 * ------------------------------------------------------------------------------------------------
 */
ParamInfo **params_reached(Elab *e, uint32_t nroot, const Node *root, uint32_t *n)
{
	ParamInfo **out = arena_array(e->arena, ParamInfo *, e->program->nparam + 1);
	*n = 0;
	for (uint32_t i = 0; i < e->program->nparam; i++) {
		bool used = false;
		for (uint32_t k = 0; k < nroot && !used; k++) {
			used = root[k] &&
			       core_depends(e->core, root[k], e->program->param[i]->leaf);
		}
		if (used) {
			out[(*n)++] = e->program->param[i];
		}
	}
	return out;
}

static void add_param(ParamInfo **out, uint32_t *n, ParamInfo *p)
{
	for (uint32_t i = 0; i < *n; i++) {
		if (out[i] == p) {
			return;
		}
	}
	out[(*n)++] = p;
}

static void collect_nodes(const Val *v, Node *out, uint32_t *n, uint32_t cap)
{
	if (v->re && *n < cap) {
		out[(*n)++] = v->re;
	}
	if (v->im && *n < cap) {
		out[(*n)++] = v->im;
	}
	for (uint32_t i = 0; v->tag == VAL_TUPLE && i < v->n; i++) {
		collect_nodes(&v->item[i], out, n, cap);
	}
}

/* All parameters that a function's own expansions reach: those below its path, and those of what it
 * was seen to use. */
static void params_of_fn(Elab *e, FnDecl *d, ParamInfo **out, uint32_t *n)
{
	const char *name = elab_text(e, d->name);
	size_t length = strlen(name);
	for (uint32_t i = 0; i < e->program->nparam; i++) {
		const char *path = elab_text(e, e->program->param[i]->path);
		if (d->net && strncmp(path, name, length) == 0 && path[length] == '.') {
			add_param(out, n, e->program->param[i]);
		}
	}
	for (size_t k = 0; k < d->nmemo; k++) {
		Node node[64];
		uint32_t m = 0, np;
		collect_nodes(&d->memo[k].result, node, &m, 64);
		ParamInfo **reached = params_reached(e, m, node, &np);
		for (uint32_t i = 0; i < np; i++) {
			add_param(out, n, reached[i]);
		}
	}
}

static bool params_of_name(Elab *e, Scope *s, const Ast *ast, ParamInfo **out, uint32_t *n)
{
	while (ast->kind == AST_PAREN) {
		ast = ast->kid[0];
	}
	if (ast->kind == AST_TUPLE) {
		for (uint32_t i = 0; i < ast->nkid; i++) {
			if (!params_of_name(e, s, ast->kid[i], out, n)) {
				return false;
			}
		}
		return true;
	}
	if (ast->kind == AST_CALL && ast->kid[0]->kind == AST_NAME &&
	    strcmp(elab_text(e, ast->kid[0]->name), "params") == 0) {
		for (uint32_t i = 1; i < ast->nkid; i++) {
			if (!params_of_name(e, s, ast->kid[i], out, n)) {
				return false;
			}
		}
		return true;
	}
	const char *dotted =
		ast_text(e->arena, e->names, ast); /* u.dense1.W: a parameter by its path */
	Sym path = intern_str(e->names, dotted);
	for (uint32_t i = 0; i < e->program->nparam; i++) {
		if (e->program->param[i]->path == path) {
			add_param(out, n, e->program->param[i]);
			return true;
		}
	}
	size_t length = strlen(dotted);
	bool any = false;
	for (uint32_t i = 0; ast->kind == AST_FIELD && i < e->program->nparam; i++) {
		const char *p = elab_text(e, e->program->param[i]->path);
		if (strncmp(p, dotted, length) == 0 && p[length] == '.') {
			add_param(out, n, e->program->param[i]);
			any = true;
		}
	}
	if (any) {
		return true;
	}
	Val v = elab_callee(e, s, ast);
	if (v.tag == VAL_ERROR) {
		return false;
	}
	if (v.tag == VAL_FN && v.fn->kind == FNV_USER) {
		params_of_fn(e, v.fn->decl, out, n);
		return true;
	}
	if (v.tag == VAL_NUM || v.tag == VAL_TUPLE) {
		Node node[64];
		uint32_t m = 0, np;
		collect_nodes(&v, node, &m, 64);
		ParamInfo **reached = params_reached(e, m, node, &np);
		for (uint32_t i = 0; i < np; i++) {
			add_param(out, n, reached[i]);
		}
		return true;
	}
	diag_type_mismatch(elab_diags(e), ast->span, val_type(e, &v),
			   "a parameter, a net or a value made of parameters");
	return false;
}

bool params_of_list(Elab *e, Scope *s, uint32_t n, Ast *const *name, uint32_t *count,
		    ParamInfo ***out)
{
	*out = arena_array(e->arena, ParamInfo *, e->program->nparam + 1);
	*count = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (!params_of_name(e, s, name[i], *out, count)) {
			return false;
		}
	}
	if (n == 0) {
		for (uint32_t i = 0; i < e->program->nparam; i++) {
			(*out)[(*count)++] = e->program->param[i];
		}
	}
	return true;
}

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
		uint32_t kept = 0;
		for (uint32_t i = 0; i < n; i++) {
			if (core_depends(e->core, t->objective, chosen[i]->leaf)) {
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

/* ---- optimisers
 * -----------------------------------------------------------------------------------------------------------
 */
static const Ast *find_optimizer(Elab *e, Sym name)
{
	for (size_t i = e->noptimizer; i-- > 0;) {
		if (e->optimizer[i].name == name) {
			return e->optimizer[i].ast;
		}
	}
	return NULL;
}

static void unknown_optimizer(Elab *e, const Ast *ast, Sym name)
{
	const char *known[256];
	size_t n = 0;
	for (size_t i = 0; i < e->noptimizer && n < 255; i++) {
		known[n++] = elab_text(e, e->optimizer[i].name);
	}
	known[n++] = "lbfgs";
	const char *near = diag_nearest(elab_text(e, name), known, n);
	Diag *d = diag_undefined_name(elab_diags(e), ast->span, elab_text(e, name));
	if (near) {
		diag_help(d, "did you mean  %s ?", near);
	}
}

/* An option of the call: a number, an array shaped as the parameter, or a tuple with one value per
 * parameter (other = the rest). */
static Val option_for(Elab *e, Scope *s, const Ast *ast, const ParamInfo *p)
{
	const Ast *inner = ast;
	while (inner->kind == AST_PAREN) {
		inner = inner->kid[0];
	}
	if (inner->kind == AST_TUPLE && inner->nkid && inner->kid[0]->kind == AST_NAMEDARG) {
		const char *path = elab_text(e, p->path);
		const Ast *rest = NULL;
		for (uint32_t i = 0; i < inner->nkid; i++) {
			const char *name = elab_text(e, inner->kid[i]->name);
			size_t n = strlen(name), m = strlen(path);
			bool last =
				m > n && strcmp(path + m - n, name) == 0 && path[m - n - 1] == '.';
			bool owner =
				strncmp(path, name, n) == 0 && (path[n] == '.' || path[n] == 0);
			if (last || owner) {
				return elab_expr(e, s, inner->kid[i]->kid[0]);
			}
			if (strcmp(name, "other") == 0) {
				rest = inner->kid[i]->kid[0];
			}
		}
		if (rest) {
			return elab_expr(e, s, rest);
		}
		diag_help(diag_wrong_arguments(
				  elab_diags(e), ast->span, "this option",
				  arena_printf(e->arena, "there is no value for %s", path)),
			  "add  other = …  for the parameters not named");
		return val_error(ast->span);
	}
	return elab_expr(e, s, ast);
}

static Val at_entry(Elab *e, Span at, Val v, uint32_t rank, const Index *ix)
{
	if (v.tag != VAL_NUM || !v.rank) {
		return v;
	}
	bool same = v.rank == rank;
	for (uint32_t i = 0; same && i < rank; i++) {
		same = core_index_axis(e->core, v.ix[i]) == core_index_axis(e->core, ix[i]);
	}
	if (!same) {
		diag_help(diag_rank_mismatch(elab_diags(e), at, "this option", v.rank, rank),
			  "an array must have the axes of each parameter that it is used for; give "
			  "one per parameter:  (W = rates, other = 1e-3)");
		return val_error(at);
	}
	Node *to = arena_array(e->arena, Node, rank + 1);
	for (uint32_t i = 0; i < rank; i++) {
		to[i] = core_index_value(e->core, ix[i]);
	}
	Val r = val_subst(e, &v, rank, v.ix, to);
	r.rank = 0;
	return r;
}

static Def entry_def(Elab *e, Sym name, Span at, uint32_t rank, const Index *ix, Node body)
{
	return core_share(e->core, name, at, rank, ix, body, DEF_KEEP);
}

static Val leaf_at(Elab *e, Span at, Def leaf, uint32_t rank, const Index *ix)
{
	Val v = val_num(e, at, ELEM_REAL, 0, core_read_plain(e->core, leaf, ix));
	(void)rank;
	return v;
}

static bool pure_real(Elab *e, Val *v)
{
	return v->tag != VAL_ERROR && val_real(e, v) && val_pure(e, v);
}

/* The body of an optimiser for one entry of one parameter. All of it is numbers without unit: the
 * stored entries. */
static bool update_body(Elab *e, Scope *in, const Ast *body, const ParamInfo *p, uint32_t rank,
			const Index *ix, const Axis *axes, Update *u)
{
	uint32_t cap = body->nkid + 1;
	u->state = arena_array(e->arena, Def, cap);
	u->state_init = arena_array(e->arena, Def, cap);
	u->state_next = arena_array(e->arena, Def, cap);
	u->state_name = arena_array(e->arena, Sym, cap);
	for (uint32_t i = 0; i < body->nkid; i++) {
		const Ast *st = body->kid[i];
		if (st->kind != AST_STATE) {
			continue;
		}
		Val init = elab_expr(e, in, st->kid[0]);
		if (!pure_real(e, &init)) {
			return false;
		}
		Sym name = intern_printf(e->names, "%s_%s", elab_text(e, p->path),
					 elab_text(e, st->name));
		u->state[u->nstate] =
			core_leaf(e->core, DEF_RUNTIME, name, st->span, KIND_REAL, 0, rank, axes);
		u->state_init[u->nstate] = entry_def(e, name, st->span, rank, ix, init.re);
		u->state_name[u->nstate] = st->name;
		scope_add(e, in, st->name, st->name_span,
			  leaf_at(e, st->span, u->state[u->nstate], rank, ix));
		u->nstate++;
	}
	elab_defs(e, in, body->nkid, body->kid);
	for (uint32_t i = 0; i < body->nkid; i++) {
		const Ast *st = body->kid[i];
		if (st->kind == AST_STATE || st->kind == AST_DEF) {
			continue;
		}
		if (st->kind != AST_NEXT) {
			diag_bad_statement_place(elab_diags(e), st->span, ast_kind_name(st->kind),
						 "in an optimizer");
			return false;
		}
		Val v = elab_expr(e, in, st->kid[0]);
		if (!pure_real(e, &v)) {
			return false;
		}
		if (strcmp(elab_text(e, st->name), "p") == 0) {
			u->next = entry_def(
				e, intern_printf(e->names, "%s_next", elab_text(e, p->path)),
				st->span, rank, ix, v.re);
			continue;
		}
		uint32_t k = 0;
		while (k < u->nstate && u->state_name[k] != st->name) {
			k++;
		}
		if (k == u->nstate) {
			diag_help(diag_undefined_name(elab_diags(e), st->name_span,
						      elab_text(e, st->name)),
				  "next goes with p or with a state of the optimizer");
			return false;
		}
		u->state_next[k] =
			entry_def(e,
				  intern_printf(e->names, "%s_next",
						elab_text(e, core_def(e->core, u->state[k])->name)),
				  st->span, rank, ix, v.re);
	}
	for (uint32_t k = 0; k < u->nstate; k++) {
		if (!u->state_next[k]) {
			u->state_next[k] = entry_def(e, u->state_name[k], body->span, rank, ix,
						     core_read_plain(e->core, u->state[k], ix));
		}
	}
	if (!u->next) {
		diag_help(diag_bad_statement_place(elab_diags(e), body->span, "an optimizer",
						   "without  next p"),
			  "write  next p = p - lr*g");
	}
	return u->next != 0;
}

/* Does the optimiser call this option?  prox = soft(J, 1e-3) is then a function of the parameter J,
 * and of the others the identity. */
static bool called_in(const Ast *ast, Sym name)
{
	if (!ast) {
		return false;
	}
	if (ast->kind == AST_CALL && ast->kid[0]->kind == AST_NAME && ast->kid[0]->name == name) {
		return true;
	}
	for (uint32_t i = 0; i < ast->nkid; i++) {
		if (called_in(ast->kid[i], name)) {
			return true;
		}
	}
	return false;
}

static bool names_param(const Ast *ast, Sym name)
{
	if (!ast) {
		return false;
	}
	if (ast->kind == AST_NAME && ast->name == name) {
		return true;
	}
	for (uint32_t i = 0; i < ast->nkid; i++) {
		if (names_param(ast->kid[i], name)) {
			return true;
		}
	}
	return false;
}

static Val function_option(Elab *e, Scope *s, const Ast *given, const ParamInfo *p, Span at)
{
	if (given) {
		Val v = given->kind == AST_NAME ? elab_callee(e, s, given) : val_error(given->span);
		if (v.tag == VAL_FN) {
			return v;
		} /* a function by its name is used for every parameter */
	}
	const char *path = elab_text(e, p->path), *dot = strrchr(path, '.');
	Sym name = SYM(e, dot ? dot + 1 : path);
	const Ast *body = given && names_param(given, name) ? given : NULL;
	Ast *formal = ast_new(e->arena, AST_FPARAM, at, 2, NULL);
	formal->name = name;
	Ast *formals = ast_new(e->arena, AST_FPARAMS, at, 1, &formal);
	Ast *self = ast_new(e->arena, AST_NAME, at, 0, NULL);
	self->name = name;
	Ast *kids[5] = {NULL, formals, NULL, body ? (Ast *)(uintptr_t)body : self, NULL};
	Ast *fn = ast_new(e->arena, AST_FN, at, 5, kids);
	fn->name = SYM(e, "option");
	fn->flags = AST_FN_;
	Scope *own = scope_new(e, s, NULL);
	elab_fn(e, own, fn);
	return scope_value(e, own, fn->name, at);
}

static bool make_update(Elab *e, Scope *s, const Ast *opt, const Ast *call, const ParamInfo *p,
			Update *u)
{
	DefInfo leaf = *core_def(e->core, p->leaf);
	uint32_t rank = leaf.nindex;
	Axis *axes = arena_array(e->arena, Axis, rank + 1);
	Index *ix = arena_array(e->arena, Index, rank + 1);
	for (uint32_t i = 0; i < rank; i++) {
		axes[i] = core_index_axis(e->core, leaf.index[i]);
		ix[i] = core_index(e->core, axes[i], core_index_name(e->core, leaf.index[i]));
	}
	u->param = (ParamInfo *)(uintptr_t)p;
	u->gradient = core_leaf(e->core, DEF_RUNTIME,
				intern_printf(e->names, "%s_g", elab_text(e, p->path)), call->span,
				KIND_REAL, 0, rank, axes);
	Scope *in = scope_new(e, e->global, NULL);
	in->ctx = ix;
	in->nctx = rank;
	scope_put(e, in, SYM(e, "p"), opt->span, leaf_at(e, opt->span, p->leaf, rank, ix));
	scope_put(e, in, SYM(e, "g"), opt->span, leaf_at(e, opt->span, u->gradient, rank, ix));
	scope_put(e, in, SYM(e, "k"), opt->span,
		  val_num(e, opt->span, ELEM_INT, 0, core_read(e->core, e->program->step, NULL)));
	const Ast *formals = opt->kid[0];
	for (uint32_t i = 0; formals && i < formals->nkid; i++) {
		const Ast *f = formals->kid[i];
		const Ast *given = NULL;
		for (uint32_t k = 1; call->kind == AST_CALL && k < call->nkid; k++) {
			const Ast *a = call->kid[k];
			if (a->kind == AST_NAMEDARG ? a->name == f->name : k - 1 == i) {
				given = a->kind == AST_NAMEDARG ? a->kid[0] : a;
			}
		}
		if (called_in(opt->kid[1], f->name)) {
			scope_put(e, in, f->name, f->name_span,
				  function_option(e, s, given, p, given ? given->span : f->span));
			continue;
		}
		Val v = given       ? option_for(e, s, given, p)
			: f->kid[1] ? elab_expr(e, in, f->kid[1])
				    : val_error(f->span);
		if (!given && !f->kid[1]) {
			diag_wrong_arguments(elab_diags(e), call->span, elab_text(e, opt->name),
					     arena_printf(e->arena, "the option %s is missing",
							  elab_text(e, f->name)));
		}
		v = at_entry(e, given ? given->span : f->span, v, rank, ix);
		if (!pure_real(e, &v)) {
			return false;
		}
		scope_put(e, in, f->name, f->name_span, v);
	}
	return update_body(e, in, opt->kid[1], p, rank, ix, axes, u);
}

/* ---- phases
 * -------------------------------------------------------------------------------------------------------------------
 */
static bool take_common(Elab *e, Scope *s, const Ast *a, Phase *ph, const Ast **batch)
{
	const char *name = elab_text(e, a->name);
	if (strcmp(name, "clip") == 0) {
		Val v = elab_expr(e, s, a->kid[0]);
		if (!pure_real(e, &v)) {
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
	for (uint32_t i = 0; i < e->program->ndata && n < cap; i++) {
		DataInfo *d = e->program->data[i];
		for (uint32_t k = 0; k < d->nfield; k++) {
			if (!d->field[k].shared && d->kind != DATA_BATCH &&
			    core_depends(e->core, t->objective, d->field[k].leaf)) {
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
			Node r = batch_rewrite(e, ast->span, t->objective, set[i], probe, t->name);
			bool failed = !r;
			trial_end(e, trial);
			if (failed || r != t->objective) {
				found = set[i];
				m++;
			}
		}
		if (m != 1) {
			Diag *d = diag_ambiguous(elab_diags(e), ast->span, "batch",
						 m ? "the loss sums over several sets"
						   : "the loss sums over no data");
			if (m) {
				diag_help(d, "name the set:  batch = 64 of train");
			}
			return false;
		}
		ph->batch_of = found;
	}
	ph->batch_data = data_clone(
		e, ph->batch_of, DATA_BATCH,
		intern_printf(e->names, "%s_batch", elab_text(e, ph->batch_of->name)), ast->span);
	ARENA_PUSH(e->arena, e->program->data, e->program->ndata, e->capdata, ph->batch_data);
	ph->objective =
		batch_rewrite(e, ast->span, t->objective, ph->batch_of, ph->batch_data, t->name);
	if (ph->objective == t->objective) {
		diag_not_batchable(elab_diags(e), ast->span, elab_text(e, t->name),
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
	const Ast *opt = lbfgs ? NULL : find_optimizer(e, head->name);
	if (!opt && !lbfgs) {
		unknown_optimizer(e, head, head->name);
		return false;
	}
	ph->kind = lbfgs ? OPTIMISER_LBFGS : OPTIMISER_LANGUAGE;
	const Ast *batch = NULL;
	ph->option = arena_array(e->arena, Option, call->nkid + 1);
	for (uint32_t i = 1; call->kind == AST_CALL && i < call->nkid; i++) {
		const Ast *a = call->kid[i];
		if (a->kind != AST_NAMEDARG) {
			uint32_t takes = opt && opt->kid[0] ? opt->kid[0]->nkid : 0;
			if (i > takes) {
				diag_help(
					diag_wrong_arguments(
						elab_diags(e), a->span, elab_text(e, ph->name),
						takes ? arena_printf(e->arena, "takes %u option%s",
								     takes, takes == 1 ? "" : "s")
						      : "takes its options by name"),
					"name the options, as in  %s",
					lbfgs ? "lbfgs(memory = 20)"
					      : "adam(lr = 1e-3, batch = 64)");
				return false;
			}
			continue;
		}
		if (given_before(e, opt, call, i)) {
			return false;
		}
		if (take_common(e, s, a, ph, &batch)) {
			continue;
		}
		if (!check_option(e, opt, a, lbfgs)) {
			return false;
		}
		if (lbfgs) {
			Val v = elab_expr(e, s, a->kid[0]);
			if (!pure_real(e, &v)) {
				return false;
			}
			ph->option[ph->noption++] = (Option){a->name, a->span, v.re, 0};
		}
	}
	if (ast->nkid > 1 && ast->kid[1]) {
		Val n = elab_expr(e, s, ast->kid[1]);
		if (n.tag == VAL_ERROR) {
			return false;
		}
		if (!val_const_int(e, &n, &ph->count) || ph->count < 0) {
			diag_not_constant(elab_diags(e), ast->kid[1]->span, "the number of steps");
			return false;
		}
	}
	ph->epochs = ast->flags & AST_EPOCHS;
	if (ast->nkid > 2 && ast->kid[2]) {
		Val u = elab_expr(e, s, ast->kid[2]);
		if (u.tag == VAL_ERROR) {
			return false;
		}
		if (!val_scalar(&u) || u.elem != ELEM_BOOL) {
			diag_type_mismatch(elab_diags(e), ast->kid[2]->span, val_type(e, &u),
					   "a condition such as  grad < 1e-8");
			return false;
		}
		ph->until = u.re;
	}
	if (ph->count < 0 && !ph->until) {
		diag_help(diag_wrong_arguments(elab_diags(e), ast->span, "use",
					       "nothing says when to stop"),
			  "write  for 1000 steps  or  until grad < 1e-8");
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
		if (!make_update(e, s, opt, call, t->param[i], &ph->update[i])) {
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
	return ok;
}
