/* elab_optimiser.c — optimisers written in the language, instantiated for each parameter: its
 * states, its next value. SPEC: optimisers. */
#include "lang/elab_train.h"

#include <string.h>

const Ast *optimiser_find(Elab *e, Sym name)
{
	for (size_t i = e->noptimizer; i-- > 0;) {
		if (e->optimizer[i].name == name) {
			return e->optimizer[i].ast;
		}
	}
	return NULL;
}

void optimiser_unknown(Elab *e, const Ast *ast, Sym name)
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

bool optimiser_number(Elab *e, Val *v)
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
		if (!optimiser_number(e, &init)) {
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
		if (!optimiser_number(e, &v)) {
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

/* Is any parameter of the program named in the option? */
static bool names_some_param(Elab *e, const Ast *given)
{
	for (uint32_t i = 0; i < e->program->nparam; i++) {
		const char *path = elab_text(e, e->program->param[i]->path);
		const char *dot = strrchr(path, '.');
		if (names_param(given, SYM(e, dot ? dot + 1 : path))) {
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
		if (!names_some_param(e, given)) {
			diag_help(diag_wrong_arguments(elab_diags(e), given->span, "this option",
						       "is called by the optimizer, and this is no "
						       "function"),
				  "give a function by its name, or an expression in the name of a "
				  "parameter:  prox = soft(J, 1e-3)");
			return val_error(given->span);
		}
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

bool optimiser_update(Elab *e, Scope *s, const Ast *opt, const Ast *call, const ParamInfo *p,
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
			Val fn = function_option(e, s, given, p, given ? given->span : f->span);
			if (fn.tag == VAL_ERROR) {
				return false;
			}
			scope_put(e, in, f->name, f->name_span, fn);
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
		if (!optimiser_number(e, &v)) {
			return false;
		}
		scope_put(e, in, f->name, f->name_span, v);
	}
	return update_body(e, in, opt->kid[1], p, rank, ix, axes, u);
}
