/* elab_diff.c — derivatives as expressions: ∂u/∂x, partial[…], derivatives of functions. Here they
 * become NODE_D over a variable's definition; compiler/deriv*.c turns those into ordinary
 * definitions. SPEC: derivatives. */
#include "lang/elab_int.h"

#include <string.h>

Val diff_alias_fresh(Elab *e, Sym name, const Val *v)
{
	const Index *free;
	uint32_t nfree = core_free(e->core, v->re, &free), n = 0;
	Index *from = arena_array(e->arena, Index, nfree + v->rank + 1);
	for (uint32_t i = 0; i < nfree; i++) {
		bool own = false;
		for (uint32_t k = 0; k < v->rank; k++) {
			own = own || v->ix[k] == free[i];
		}
		if (!own) {
			from[n++] = free[i];
		}
	}
	for (uint32_t k = 0; k < v->rank; k++) {
		from[n++] = v->ix[k];
	}
	Index *formal = arena_array(e->arena, Index, n + 1);
	Node *to = arena_array(e->arena, Node, n + 1);
	for (uint32_t i = 0; i < n; i++) {
		formal[i] = core_index(e->core, core_index_axis(e->core, from[i]),
				       core_index_name(e->core, from[i]));
		to[i] = core_index_value(e->core, formal[i]);
	}
	Val real = *v;
	if (!val_real(e, &real)) {
		return val_error(v->span);
	}
	core_at(e->core, v->span);
	Piece piece = {NULL, core_subst(e->core, real.re, n, from, to)};
	DefInfo info = {.role = DEF_VALUE,
			.name = name,
			.span = v->span,
			.kind = KIND_REAL,
			.unit = unit_resolve(e->units, v->unit),
			.nindex = n,
			.index = formal,
			.npiece = 1,
			.piece = &piece,
			.flags = DEF_VARIABLE | DEF_USER};
	Def d = core_define(e->core, info);
	real.re = core_read_plain(e->core, d, from);
	real.n = 0;
	real.literal = false;
	return real;
}

/* A read of a variable at distinct plain indices: differentiating by it needs no new name. */
static bool is_variable_read(Elab *e, Node n)
{
	NodeInfo i = *core_node(e->core, n);
	if (i.tag != NODE_READ || !(core_def(e->core, i.ref)->flags & DEF_VARIABLE)) {
		return false;
	}
	for (uint32_t k = 0; k < i.n; k++) {
		if (core_node(e->core, i.arg[k])->tag != NODE_INDEX) {
			return false;
		}
		for (uint32_t m = 0; m < k; m++) {
			if (i.arg[m] == i.arg[k]) {
				return false;
			}
		}
	}
	return true;
}

Val diff_alias(Elab *e, Sym name, const Val *v)
{
	if (v->tag != VAL_NUM || v->elem == ELEM_COMPLEX || is_variable_read(e, v->re)) {
		return *v;
	}
	return diff_alias_fresh(e, name, v);
}

bool diff_variable(Elab *e, const Val *v, Def *def, Node **args, uint32_t *nargs)
{
	if (v->tag != VAL_NUM || v->elem == ELEM_COMPLEX || v->elem == ELEM_INT ||
	    v->elem == ELEM_BOOL) {
		return false;
	}
	NodeInfo i = *core_node(e->core, v->re);
	if (i.tag != NODE_READ) {
		return false;
	}
	DefInfo *d = core_def_mutable(e->core, i.ref);
	if (d->role == DEF_CONST) {
		return false;
	}
	if (d->role == DEF_VALUE || d->role == DEF_REDUCTION) {
		d->flags |= DEF_VARIABLE;
	}
	*def = i.ref;
	*nargs = i.n;
	*args = arena_copy(e->arena, i.arg, i.n * sizeof *i.arg, _Alignof(Node));
	return true;
}

static Node derive(Elab *e, Node of, Node variable)
{
	return of ? core_d(e->core, of, variable) : 0;
}

Val diff_by(Elab *e, Span at, const Val *of, const Val *by)
{
	if (of->tag == VAL_ERROR || by->tag == VAL_ERROR) {
		return val_error(at);
	}
	Def def;
	Node *args;
	uint32_t nargs;
	if (of->tag != VAL_NUM || of->elem == ELEM_BOOL) {
		diag_type_mismatch(elab_diags(e), of->span, val_type(e, of),
				   "a number to differentiate");
		return val_error(at);
	}
	if (!diff_variable(e, by, &def, &args, &nargs)) {
		Diag *d = diag_derivative_by_what(elab_diags(e), by->span.file ? by->span : at,
						  val_type(e, by));
		diag_help(d, "differentiate by a coordinate, an argument, a parameter or a value "
			     "with a name of its own");
		return val_error(at);
	}
	Val r = *of;
	if (of->elem == ELEM_INT || of->elem == ELEM_SPIN) {
		if (!val_real(e, &r)) {
			return val_error(at);
		}
	}
	core_at(e->core, at);
	bool depends =
		core_depends(e->core, r.re, def) || (r.im && core_depends(e->core, r.im, def));
	if (!depends) {
		Diag *d = diag_no_dependence(elab_diags(e), at, "this",
					     elab_text(e, core_def(e->core, def)->name));
		diag_remark(d, "its derivative would be zero everywhere, which is hardly meant");
		return val_error(at);
	}
	r.span = at;
	r.rank = of->rank + by->rank;
	r.ix = arena_array(e->arena, Index, r.rank + 1);
	r.rec = arena_array(e->arena, Node, r.rank + 1);
	Node *to = arena_array(e->arena, Node, by->rank + 1);
	for (uint32_t i = 0; i < r.rank; i++) {
		if (i < of->rank) {
			r.ix[i] = of->ix[i];
			r.rec[i] = of->rec ? of->rec[i] : 0;
			continue;
		}
		Index old = by->ix[i - of->rank];
		r.ix[i] = core_index(e->core, core_index_axis(e->core, old),
				     core_index_name(e->core, old));
		r.rec[i] = by->rec ? by->rec[i - of->rank] : 0;
		to[i - of->rank] = core_index_value(e->core, r.ix[i]);
	}
	Node variable = core_subst(e->core, by->re, by->rank, by->ix, to);
	r.re = derive(e, r.re, variable);
	r.im = derive(e, r.im, variable);
	r.unit = unit_div(e->units, of->unit, by->unit);
	r.n = 0;
	r.of = 0;
	r.literal = false;
	val_normalise(e, &r);
	return r;
}

/* ---- ∂ … / ∂ …
 * --------------------------------------------------------------------------------------------------------
 */
static const Ast *strip(const Ast *ast)
{
	while (ast->kind == AST_PAREN) {
		ast = ast->kid[0];
	}
	return ast;
}

/* The function's value at the names of its parameters in scope; false if one of them is not there.
 */
static bool at_coordinates(Elab *e, Scope *s, const FnVal *f, const Ast *ast, Val *out)
{
	if (f->kind != FNV_USER || !f->decl->nformal) {
		return false;
	}
	FnDecl *d = f->decl;
	Val *arg = arena_array(e->arena, Val, d->nformal);
	for (uint32_t i = 0; i < d->nformal; i++) {
		Entry *entry = scope_find(e, s, d->formal[i]);
		if (!entry || (!entry->pending && entry->val.tag != VAL_NUM &&
			       entry->val.tag != VAL_RECORD)) {
			return false;
		}
		arg[i] = scope_value(e, s, d->formal[i], ast->span);
	}
	*out = elab_call_value(e, s, f, ast->span, d->nformal, arg, NULL, ast);
	return true;
}

static Val derived_function(Elab *e, const Ast *ast, const FnVal *base, uint32_t n,
			    const Ast *const *variable, const uint32_t *order)
{
	if (base->kind != FNV_USER) {
		diag_derivative_by_what(elab_diags(e), ast->span, "the argument of this function");
		return val_error(ast->span);
	}
	FnVal f = {.kind = FNV_DERIVED, .base = base, .nby = n};
	f.by = arena_array(e->arena, DerivedBy, n);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = 0;
		FnDecl *d = base->decl;
		while (k < d->nformal &&
		       !(variable[i]->kind == AST_NAME && d->formal[k] == variable[i]->name)) {
			k++;
		}
		if (k == d->nformal) {
			Diag *dg =
				diag_no_dependence(elab_diags(e), ast->span, elab_text(e, d->name),
						   ast_text(e->arena, e->names, variable[i]));
			diag_remark(dg, "it is not a parameter of %s", elab_text(e, d->name));
			return val_error(ast->span);
		}
		f.by[i] = (DerivedBy){k, order[i]};
	}
	Val v = {.tag = VAL_FN, .span = ast->span};
	v.fn = arena_copy(e->arena, &f, sizeof f, _Alignof(FnVal));
	return v;
}

Val elab_partial(Elab *e, Scope *s, const Ast *ast)
{
	bool op = ast->kind == AST_PARTIALOP;
	const Ast *of = op ? ast->kid[1] : ast->kid[0];
	const Ast *list = op ? ast->kid[0] : ast;
	uint32_t first = op ? 0 : 1, n = list->nkid - first;
	const Ast **variable = arena_array(e->arena, const Ast *, n + 1);
	uint32_t *order = arena_array(e->arena, uint32_t, n + 1);
	uint32_t total = 0;
	for (uint32_t i = 0; i < n; i++) {
		const Ast *k = list->kid[first + i];
		variable[i] = strip(k->kind == AST_DVAR ? k->kid[0] : k);
		order[i] = k->kind == AST_DVAR ? (uint32_t)k->num : 1;
		total += order[i];
	}
	if (!op && ast->num > 0 && (uint32_t)ast->num != total) {
		diag_bad_derivative(elab_diags(e), ast->span,
				    arena_printf(e->arena, "order %u above and %u below",
						 (unsigned)ast->num, total));
		return val_error(ast->span);
	}
	Val v;
	const Ast *inner = strip(of);
	Val f = inner->kind == AST_NAME ? scope_value(e, s, inner->name, inner->span)
					: val_error(of->span);
	if (inner->kind == AST_NAME && f.tag == VAL_ERROR) {
		return f;
	}
	if (f.tag == VAL_FN) {
		if (!at_coordinates(e, s, f.fn, inner, &v)) {
			return derived_function(e, ast, f.fn, n, variable, order);
		}
	} else {
		v = inner->kind == AST_NAME ? f : elab_expr(e, s, of);
	}
	for (uint32_t i = 0; i < n; i++) {
		Val by = elab_expr(e, s, variable[i]);
		if (by.tag == VAL_ERROR) {
			return by;
		}
		by.span = variable[i]->span;
		for (uint32_t k = 0; k < order[i]; k++) {
			v = diff_by(e, ast->span, &v, &by);
		}
	}
	return v;
}

/* The function may depend on what it is differentiated by, and yet not where it is called: x*t at
 * x = 0. */
static bool vanished(Elab *e, const FnVal *fn, const Val *v, const Val *arg)
{
	Def def;
	Node *args;
	uint32_t nargs;
	for (uint32_t i = 0; v->tag == VAL_NUM && i < fn->nby; i++) {
		if (diff_variable(e, &arg[fn->by[i].formal], &def, &args, &nargs) &&
		    !core_depends(e->core, v->re, def) &&
		    !(v->im && core_depends(e->core, v->im, def))) {
			return true;
		}
	}
	return false;
}

/* Constant arguments become values that are not looked at; places stay what they are. */
static void free_constants(Elab *e, const FnDecl *d, uint32_t n, Val *arg)
{
	for (uint32_t k = 0; k < n; k++) {
		const Ast *formal = d->equation ? NULL : d->ast->kid[1]->kid[k];
		const Ast *type = formal ? formal->kid[0] : NULL;
		bool real = !type ||
			    (type->name && strcmp(elab_text(e, type->name), "real") == 0);
		bool number = arg[k].tag == VAL_NUM && !arg[k].rank &&
			      (arg[k].elem == ELEM_REAL || arg[k].elem == ELEM_INT);
		if (real && number && core_is_const(e->core, arg[k].re, NULL) &&
		    val_real(e, &arg[k])) {
			arg[k] = diff_alias_fresh(e, d->formal[k], &arg[k]);
		}
	}
}

Val elab_derived_call(Elab *e, Scope *s, const FnVal *fn, Span at, uint32_t n, Val *arg)
{
	FnDecl *d = fn->base->decl;
	for (uint32_t i = 0; i < fn->nby; i++) {
		uint32_t k = fn->by[i].formal;
		if (k < n && arg[k].tag == VAL_NUM && !arg[k].rank) {
			bool done = false;
			for (uint32_t j = 0; j < i; j++) {
				done = done || fn->by[j].formal == k;
			}
			const Ast *formal = d->equation ? NULL : d->ast->kid[1]->kid[k];
			if (!done && formal && formal->kid[0] &&
			    !type_fit(e, scope_new(e, d->scope, NULL), formal->kid[0], &arg[k],
				      elab_text(e, d->formal[k]))) {
				return val_error(at);
			}
			if (!done) {
				arg[k] = diff_alias_fresh(e, d->formal[k], &arg[k]);
			}
		}
	}
	Val v = elab_call_value(e, s, fn->base, at, n, arg, NULL, d->ast);
	if (vanished(e, fn, &v, arg)) {
		free_constants(e, d, n, arg);
		v = elab_call_value(e, s, fn->base, at, n, arg, NULL, d->ast);
	}
	for (uint32_t i = 0; i < fn->nby && v.tag != VAL_ERROR; i++) {
		for (uint32_t k = 0; k < fn->by[i].order; k++) {
			v = diff_by(e, at, &v, &arg[fn->by[i].formal]);
		}
	}
	return v;
}

/* ---- which parameters of a function its body differentiates by
 * ------------------------------------------------------------ */
static void mark(FnDecl *d, Sym name)
{
	for (uint32_t i = 0; i < d->nformal; i++) {
		d->by[i] = d->by[i] || d->formal[i] == name;
	}
}

static void mark_all(FnDecl *d)
{
	for (uint32_t i = 0; i < d->nformal; i++) {
		d->by[i] = true;
	}
}

/* Of θ[l, n] the array θ is what one differentiates by, not the places l and n. */
static void mark_names(FnDecl *d, const Ast *ast)
{
	while (ast && (ast->kind == AST_PAREN || ast->kind == AST_INDEX || ast->kind == AST_DVAR)) {
		ast = ast->kid[0];
	}
	if (ast && ast->kind == AST_NAME) {
		mark(d, ast->name);
	}
	for (uint32_t i = 0; ast && ast->kind == AST_TUPLE && i < ast->nkid; i++) {
		mark_names(d, ast->kid[i]);
	}
}

static bool is_operator(const char *name)
{
	static const char *const row[] = {"grad", "laplacian", "div",
					  "curl", "hessian",   "jacobian"};
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		if (strcmp(name, row[i]) == 0) {
			return true;
		}
	}
	return false;
}

static void scan(Elab *e, FnDecl *d, const Ast *ast)
{
	if (!ast) {
		return;
	}
	if (ast->kind == AST_PARTIAL) {
		for (uint32_t i = 1; i < ast->nkid; i++) {
			mark_names(d, ast->kid[i]);
		}
	} else if (ast->kind == AST_PARTIALOP) {
		mark_names(d, ast->kid[0]);
	} else if (ast->kind == AST_CALL && ast->kid[0]->kind == AST_NAME &&
		   is_operator(elab_text(e, ast->kid[0]->name))) {
		if (ast->nkid < 3 && d->ast) {
			mark_all(d);
		}
		for (uint32_t i = 2; i < ast->nkid; i++) {
			mark_names(d, ast->kid[i]);
		}
	}
	for (uint32_t i = 0; i < ast->nkid; i++) {
		scan(e, d, ast->kid[i]);
	}
}

void diff_text_by(Elab *e, const Ast *ast, uint32_t n, Sym *name, bool *by)
{
	FnDecl names = {.nformal = n, .formal = name, .by = by};
	scan(e, &names, ast);
}

void diff_scan(Elab *e, FnDecl *d)
{
	if (d->ast->nkid > 3) {
		scan(e, d, d->ast->kid[3]);
	}
}
