/* elab_call.c — calls of the program's own functions: arguments against parameters, expansion,
 * memory of expansions. SPEC: functions, layers, nets. */
#include "lang/elab_call.h"

#include <string.h>

#define CALL_DEPTH_LIMIT 200u
enum { FAILURES = 20000 }; /* functions that fail in functions that fail: enough is enough */

/* ---- arguments
 * ---------------------------------------------------------------------------------------------------------
 */
static bool match(Elab *e, FnDecl *d, Span at, uint32_t n, Val *arg, const Sym *arg_name,
		  Val *formal, bool *given)
{
	const char *name = elab_text(e, d->name);
	uint32_t next = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = next;
		if (arg_name && arg_name[i]) {
			for (k = 0; k < d->nformal && d->formal[k] != arg_name[i]; k++) {
			}
			if (k == d->nformal) {
				const char *names[64];
				uint32_t m = d->nformal < 64 ? d->nformal : 64;
				for (uint32_t j = 0; j < m; j++) {
					names[j] = elab_text(e, d->formal[j]);
				}
				const char *near =
					diag_nearest(elab_text(e, arg_name[i]), names, m);
				Diag *dg = diag_wrong_arguments(
					elab_diags(e), arg[i].span, name,
					arena_printf(e->arena, "has no parameter %s",
						     elab_text(e, arg_name[i])));
				if (near) {
					diag_help(dg, "did you mean  %s ?", near);
				}
				return false;
			}
		} else {
			next++;
		}
		if (k >= d->nformal) {
			diag_wrong_arguments(elab_diags(e), at, name,
					     arena_printf(e->arena, "takes %u argument%s, not %u",
							  d->nformal, d->nformal == 1 ? "" : "s",
							  n));
			return false;
		}
		if (given[k]) {
			diag_wrong_arguments(elab_diags(e), arg[i].span, name,
					     arena_printf(e->arena, "%s is given twice",
							  elab_text(e, d->formal[k])));
			return false;
		}
		formal[k] = arg[i];
		given[k] = true;
	}
	return true;
}

static const Ast *formal_ast(const FnDecl *d, uint32_t i)
{
	return d->equation ? NULL : d->ast->kid[1]->kid[i];
}

static bool is_unit_parameter(const FnDecl *d, uint32_t i)
{
	const Ast *f = formal_ast(d, i);
	return f && (f->flags & AST_AFTER_SEMI);
}

static bool defaults(Elab *e, FnDecl *d, Span at, Val *formal, bool *given)
{
	for (uint32_t i = 0; i < d->nformal; i++) {
		const Ast *f = formal_ast(d, i);
		if (given[i]) {
			continue;
		}
		if (f && f->kid[1] && !is_unit_parameter(d, i)) {
			formal[i] = elab_expr(e, d->scope, f->kid[1]);
			if (formal[i].tag == VAL_ERROR) {
				return false;
			}
			given[i] = true;
		} else if (!is_unit_parameter(d, i)) {
			diag_wrong_arguments(elab_diags(e), at, elab_text(e, d->name),
					     arena_printf(e->arena, "the argument %s is missing",
							  elab_text(e, d->formal[i])));
			return false;
		}
	}
	return true;
}

/* ---- expansion
 * ------------------------------------------------------------------------------------------------------------
 */
static Sym site_path(Elab *e, const Frame *frame, const FnDecl *d, const Ast *site)
{
	uint32_t number = 1;
	for (size_t i = 0; i < e->nsite; i++) {
		if (e->site[i].prefix == frame->path && e->site[i].layer == d->name) {
			if (e->site[i].site == site) {
				return intern_printf(e->names, "%s.%s%u", elab_text(e, frame->path),
						     elab_text(e, d->name), e->site[i].number);
			}
			number++;
		}
	}
	SiteName name = {frame->path, site, d->name, number};
	ARENA_PUSH(e->arena, e->site, e->nsite, e->capsite, name);
	return intern_printf(e->names, "%s.%s%u", elab_text(e, frame->path), elab_text(e, d->name),
			     number);
}

static bool bind_axes(Elab *e, Scope *in, FnDecl *d, const FnVal *f, Span at)
{
	const Ast *axes = d->equation ? NULL : d->ast->kid[0];
	uint32_t n = axes ? axes->nkid : 0;
	if (f->naxis > n) {
		diag_wrong_arguments(
			elab_diags(e), at, elab_text(e, d->name),
			arena_printf(e->arena, "takes %u axes in brackets, not %u", n, f->naxis));
		return false;
	}
	for (uint32_t i = 0; i < n; i++) {
		Val v = {.tag = VAL_AXIS, .span = axes->kid[i]->span};
		if (i < f->naxis) {
			v.axis = f->axis[i];
		}
		scope_put(e, in, axes->kid[i]->name, axes->kid[i]->span, v);
	}
	return true;
}

static bool axes_known(Elab *e, Scope *in, FnDecl *d, Span at)
{
	for (size_t i = 0; i < in->n; i++) {
		if (in->entry[i].val.tag == VAL_AXIS && !in->entry[i].val.axis.axis) {
			Diag *dg = diag_wrong_arguments(
				elab_diags(e), at, elab_text(e, d->name),
				arena_printf(e->arena, "nothing says what the axis %s is",
					     elab_text(e, in->entry[i].name)));
			diag_help(dg, "name it:  %s[axis]", elab_text(e, d->name));
			return false;
		}
	}
	return true;
}

static bool bind_formals(Elab *e, Scope *in, FnDecl *d, Val *formal, const bool *given)
{
	for (uint32_t i = 0; i < d->nformal; i++) {
		if (!given[i]) {
			continue;
		}
		const Ast *f = formal_ast(d, i);
		Val v = formal[i];
		if (f && f->kid[0] && !type_fit(e, in, f->kid[0], &v, elab_text(e, d->formal[i]))) {
			return false;
		}
		Span at = f ? f->name_span : v.span;
		if (d->by[i] && v.tag == VAL_NUM && v.elem == ELEM_INT && !v.of &&
		    !val_real(e, &v)) {
			return false;
		}
		if (d->by[i] && v.tag == VAL_NUM && v.elem != ELEM_INT && v.elem != ELEM_BOOL) {
			bool taken = false; /* f(x, x): two variables, not one */
			for (uint32_t k = 0; k < i; k++) {
				taken = taken || (given[k] && formal[k].tag == VAL_NUM &&
						  !formal[k].rank && formal[k].re == v.re);
			}
			v = taken ? diff_alias_fresh(e, d->formal[i], &v)
				  : diff_alias(e, d->formal[i], &v);
		} else if (v.tag == VAL_NUM && v.rank) {
			v = val_name(e, in, d->formal[i], v, 0);
		}
		v.literal = v.literal && v.elem == ELEM_INT;
		formal[i] = v;
		scope_put(e, in, d->formal[i], at, v);
	}
	return true;
}

/* Parameters after `;` of an activation that the call does not give: trained, one for each unit. */
static bool unit_parameters(Elab *e, Scope *in, FnDecl *d, const bool *given, uint32_t nunit,
			    const Index *unit, Span at)
{
	for (uint32_t i = 0; i < d->nformal; i++) {
		if (given[i] || !is_unit_parameter(d, i)) {
			continue;
		}
		const Ast *f = formal_ast(d, i);
		if (!f->kid[1]) {
			Diag *dg = diag_wrong_arguments(
				elab_diags(e), at, elab_text(e, d->name),
				arena_printf(e->arena, "%s has no value to begin with",
					     elab_text(e, d->formal[i])));
			diag_help(dg,
				  "give it in the call, or write a first value in the activation:  "
				  "; %s = 1",
				  elab_text(e, d->formal[i]));
			return false;
		}
		const ParamInfo *p = param_by_unit(e, in, f, nunit, unit);
		if (!p) {
			return false;
		}
		Val v = param_value(e, at, p, ELEM_REAL);
		Node *to = arena_array(e->arena, Node, nunit + 1);
		for (uint32_t k = 0; k < nunit; k++) {
			to[k] = core_index_value(e->core, unit[k]);
		}
		v = val_subst(e, &v, nunit, v.ix, to);
		v.rank = 0;
		scope_put(e, in, d->formal[i], f->name_span, v);
	}
	return true;
}

static Val body_value(Elab *e, Scope *in, FnDecl *d)
{
	if (!d->equation) {
		const Ast *body = d->ast->kid[3];
		return elab_expr_as(e, in, body, in, d->ast->kid[2]);
	}
	/* an equation's residual: left minus right; several make a tuple */
	const Ast *ast = d->ast;
	elab_defs(e, in, ast->nkid, ast->kid);
	Val *item = arena_array(e->arena, Val, ast->nkid + 1);
	uint32_t n = 0;
	for (uint32_t i = 1; i < ast->nkid; i++) {
		if (ast->kid[i] && ast->kid[i]->kind == AST_EQUATE) {
			Val l = elab_expr(e, in, ast->kid[i]->kid[0]),
			    r = elab_expr(e, in, ast->kid[i]->kid[1]);
			item[n] = val_binary(e, ast->kid[i]->span, SYM(e, "-"), l, r);
			if (item[n].tag == VAL_ERROR) {
				return item[n];
			}
			n++;
		}
	}
	if (n == 1) {
		return item[0];
	}
	Val v = {.tag = VAL_TUPLE, .span = ast->span, .n = n, .item = item};
	return v;
}

static Val expand(Elab *e, Scope *s, const FnVal *f, Span at, Val *formal, bool *given,
		  const Ast *ast, uint32_t nunit, const Index *unit)
{
	FnDecl *d = f->decl;
	Frame *frame = arena_new(e->arena, Frame);
	const Frame *outer = s->frame;
	frame->fn = d;
	frame->trial = outer && outer->trial;
	frame->equation = d->equation;
	frame->depth = outer ? outer->depth + 1 : 1;
	if (frame->depth > CALL_DEPTH_LIMIT) {
		diag_too_deep(elab_diags(e), at, CALL_DEPTH_LIMIT);
		return val_error(at);
	}
	if (d->net) {
		frame->path = d->name;
	} else if (d->layer || d->activation) {
		bool owner = outer && outer->path;
		if (owner) {
			frame->path = site_path(e, outer, d, f->site ? f->site : ast);
		} else if (d->layer && !frame->trial) {
			diag_help(diag_bad_statement_place(elab_diags(e), at,
							   arena_printf(e->arena, "the layer %s",
									elab_text(e, d->name)),
							   "outside a net"),
				  "its parameters need an owner: put it into  net f(x) = …");
			return val_error(at);
		}
	}
	Scope *in = scope_new(e, d->scope, frame);
	IndexSet ctx = {0};
	for (uint32_t i = 0; i < d->nformal; i++) {
		if (given[i]) {
			index_set_value(e, &formal[i], &ctx, NULL, 0);
		}
	}
	for (uint32_t i = 0; i < f->naxis; i++) {
		index_set_node(e, f->axis[i].record, &ctx, NULL, 0);
	}
	index_set_captured(e, f, &ctx);
	for (uint32_t i = 0; i < nunit; i++) {
		index_set_add(e, &ctx, unit[i]);
	}
	uint32_t given_by_arguments = ctx.n;
	index_set_around(e, s, &ctx);
	bool around = ctx.n > given_by_arguments;
	ctx.n = d->draws ? ctx.n : given_by_arguments;
	frame->ctx = ctx.ix;
	frame->nctx = ctx.n;
	int64_t streams = e->streams;
	unsigned draws = e->draws;
	Val *again = arena_copy(e->arena, formal, d->nformal * sizeof *formal, _Alignof(Val));
	if (!bind_axes(e, in, d, f, at) || !bind_formals(e, in, d, formal, given) ||
	    !axes_known(e, in, d, at) || !unit_parameters(e, in, d, given, nunit, unit, at)) {
		return val_error(at);
	}
	d->active = true;
	unsigned before = diags_errors(e->diags);
	Val v = body_value(e, in, d);
	if (v.tag != VAL_ERROR && !d->equation && d->ast->kid[2]) {
		v.span = v.span.file ? v.span : at;
		if (!type_fit(e, in, d->ast->kid[2], &v, "the result")) {
			v = val_error(at);
		}
	}
	if (v.tag != VAL_ERROR && d->rule && !d->in_rule) {
		v = rule_apply(e, in, d, v, formal);
	}
	d->active = false;
	if (e->draws != draws && !d->draws) {
		d->draws = true;
		if (around && v.tag != VAL_ERROR) { /* once more, over the indices around the call */
			e->streams = streams;
			return expand(e, s, f, at, again, given, ast, nunit, unit);
		}
	}
	Diag *last = diags_errors(e->diags) > before && at.file != d->ast->span.file
			     ? diags_last(e->diags)
			     : NULL;
	if (last) { /* a library's text says little to its user */
		diag_note(last, at, "in this call of %s", elab_text(e, d->name));
	}
	v.span = at;
	v.literal = false;
	if (d->layer && frame->path && v.tag == VAL_NUM &&
	    v.rank) { /* the layer's output is called as its parameters are */
		const char *path = elab_text(e, frame->path), *dot = strrchr(path, '.');
		v = val_name(e, in, SYM(e, dot ? dot + 1 : path), v, 0);
	}
	return v;
}

/* A function of one number applied to an array maps over it. */
static bool maps(const FnDecl *d, uint32_t n, const Val *formal, const bool *given)
{
	if (d->equation || d->layer || !n || !given[0] || formal[0].tag != VAL_NUM ||
	    !formal[0].rank) {
		return false;
	}
	for (uint32_t i = 1; i < n; i++) {
		if (given[i] && formal[i].tag == VAL_NUM && formal[i].rank) {
			return false;
		}
	}
	const Ast *type = formal_ast(d, 0)->kid[0];
	return d->activation || (type && type->kind == AST_TYPE && type->nkid == 0);
}

static Val call_once(Elab *e, Scope *s, const FnVal *f, Span at, Val *formal, bool *given,
		     const Ast *ast)
{
	FnDecl *d = f->decl;
	uint32_t n = d->nformal;
	if (maps(d, n, formal, given)) {
		Val array = formal[0], one = formal[0];
		one.rank = 0;
		one.n = 0;
		formal[0] = one;
		Val r = expand(e, s, f, at, formal, given, ast, array.rank, array.ix);
		if (r.tag != VAL_NUM || r.rank) {
			if (r.tag != VAL_ERROR) {
				diag_type_mismatch(elab_diags(e), at, val_type(e, &r),
						   "one number for each element");
			}
			return val_error(at);
		}
		r.rank = array.rank;
		r.ix = array.ix;
		r.rec = array.rec;
		r.of = 0;
		return r;
	}
	return expand(e, s, f, at, formal, given, ast, 0, NULL);
}

/* Functions remember the scope that made them, where indices cannot be renamed: they are made anew.
 */
static bool holds_function(const Val *v)
{
	if (v->tag == VAL_FN || v->tag == VAL_DIST) {
		return true;
	}
	for (uint32_t i = 0; i < v->n; i++) {
		if (holds_function(&v->item[i])) {
			return true;
		}
	}
	return false;
}

static Val call_user(Elab *e, Scope *s, const FnVal *f, Span at, uint32_t n, Val *arg,
		     const Sym *arg_name, const Ast *ast)
{
	FnDecl *d = f->decl;
	for (uint32_t i = 0; i < n; i++) {
		if (arg[i].tag == VAL_ERROR) {
			return val_error(at);
		}
	}
	if (d->bad) {
		return val_error(at);
	}
	if (d->active) {
		diag_help(diag_recursion(elab_diags(e), at, elab_text(e, d->name)),
			  "repetition is written as a recurrence:  y[n] = … y[n-1] …");
		return val_error(at);
	}
	Val *formal = arena_array(e->arena, Val, d->nformal + 1);
	bool *given = arena_array(e->arena, bool, d->nformal + 1);
	if (!match(e, d, at, n, arg, arg_name, formal, given) ||
	    !defaults(e, d, at, formal, given)) {
		return val_error(at);
	}
	bool keep = !d->layer && !d->activation && !e->unseen && !(s->frame && s->frame->trial);
	IndexSet free = {0};
	Val *key = arena_copy(e->arena, formal, d->nformal * sizeof *formal, _Alignof(Val));
	for (uint32_t i = 0; i < d->nformal; i++) {
		if (given[i]) {
			index_set_value(e, &formal[i], &free, NULL, 0);
		}
	}
	for (uint32_t i = 0; i < f->naxis; i++) {
		keep = false;
	}
	if (d->draws) {
		index_set_around(e, s, &free);
	}
	Val r;
	bool known_to_draw = d->draws;
	if (keep && memo_recall(e, d, e->in_rule, d->nformal, key, free.n, free.ix, &r)) {
		r.span = at;
		e->draws += d->draws;
		return r;
	}
	if (e->failures > FAILURES) {
		return val_error(at);
	}
	unsigned mark = diags_mark(e->diags), before = diags_errors(e->diags);
	Val *again = arena_copy(e->arena, formal, d->nformal * sizeof *formal, _Alignof(Val));
	bool untyped = !d->equation && !d->layer && d->nformal && !formal_ast(d, 0)->kid[0];
	bool attempt = untyped && again[0].tag == VAL_NUM && again[0].rank && !d->activation;
	e->attempts += attempt;
	r = call_once(e, s, f, at, formal, given, ast);
	e->attempts -= attempt;
	if (r.tag == VAL_ERROR && attempt && diags_errors(e->diags) > before) {
		/* fn act(x) = x*sigmoid(x) given an array: it is meant for each element */
		Val one = again[0];
		one.rank = 0;
		one.n = 0;
		Val array = again[0];
		unsigned second = diags_mark(e->diags);
		again[0] = one;
		unsigned errors = diags_errors(e->diags);
		Val m = expand(e, s, f, at, again, given, ast, array.rank, array.ix);
		if (m.tag == VAL_NUM && m.rank == 0 && diags_errors(e->diags) == errors) {
			diags_rewind(e->diags, mark);
			m.rank = array.rank;
			m.ix = array.ix;
			m.rec = array.rec;
			m.of = 0;
			r = m;
		} else {
			diags_rewind(e->diags, second);
		}
	}
	/* What failed fails again, and was said; on trial it was not said, and is only counted. */
	bool said = !e->trial_depth && !e->attempts;
	e->failures += r.tag == VAL_ERROR && !said;
	if (d->draws && !known_to_draw) {
		index_set_around(e, s, &free);
	}
	if (keep && (r.tag != VAL_ERROR || said) && !holds_function(&r)) {
		Memo m = {
			.nfree = free.n, .free = free.ix, .n = d->nformal, .arg = key, .path = e->in_rule, .result = r};
		ARENA_PUSH(e->arena, d->memo, d->nmemo, d->capmemo, m);
		e->kept++;
	}
	return r;
}

Val elab_call_value(Elab *e, Scope *s, const FnVal *fn, Span at, uint32_t n, Val *arg,
		    const Sym *arg_name, const Ast *ast)
{
	switch (fn->kind) {
	case FNV_COMBINED:
		return fn_call_combined(e, s, fn, at, n, arg, ast);
	case FNV_USER:
		return call_user(e, s, fn, at, n, arg, arg_name, ast);
	case FNV_DERIVED:
		return elab_derived_call(e, s, fn, at, n, arg);
	case FNV_OP:
		for (uint32_t i = 0; i < n; i++) {
			if (arg[i].tag == VAL_ERROR) {
				return val_error(at);
			}
			if (arg_name && arg_name[i]) {
				diag_wrong_arguments(elab_diags(e), arg[i].span,
						     op_info(fn->op)->syntax,
						     "takes no named arguments");
				return val_error(at);
			}
		}
		return val_op(e, at, fn->op, n, arg);
	case FNV_BUILTIN:
		diag_wrong_arguments(elab_diags(e), at, builtin_name(fn->builtin),
				     "cannot be passed as a function; call it by its name");
		return val_error(at);
	}
	return val_error(at);
}

/* The written type of the argument given by that name, or in order; NULL if there is none or its
 * axes are the function's own. */
static const Ast *type_of_argument(const FnVal *f, Sym name, uint32_t *next)
{
	if (f->kind != FNV_USER || f->decl->equation || !f->decl->ast->kid[1]) {
		return NULL;
	}
	const FnDecl *d = f->decl;
	uint32_t k = name ? 0 : (*next)++;
	while (name && k < d->nformal && d->formal[k] != name) {
		k++;
	}
	const Ast *type = k < d->nformal ? formal_ast(d, k)->kid[0] : NULL, *own = d->ast->kid[0];
	for (uint32_t i = 0; type && i < type->nkid; i++) {
		for (uint32_t j = 0; own && j < own->nkid; j++) {
			if (type->kid[i]->name == own->kid[j]->name) {
				return NULL;
			}
		}
	}
	return type;
}

/* An argument whose type, seen from `in`, may say more: the axes of an array literal, the axis of a
 * label. */
static Val argument_value(Elab *e, Scope *s, const Ast *ast, Scope *in, const Ast *type)
{
	Entry *axis = type && type->kind == AST_TYPE && !type->nkid ? scope_find(e, in, type->name)
								    : NULL;
	Val v;
	if (axis && axis->val.tag == VAL_AXIS && elab_label(e, s, ast, axis->val.axis.axis, &v)) {
		return v;
	}
	return elab_expr_as(e, s, ast, in, type);
}

Val elab_call(Elab *e, Scope *s, const Ast *ast, const Val *piped)
{
	Val f = elab_callee(e, s, ast->kid[0]);
	if (f.tag == VAL_ERROR) {
		return f;
	}
	if (f.tag != VAL_FN) {
		Diag *d = diag_type_mismatch(elab_diags(e), ast->kid[0]->span, val_type(e, &f),
					     "a function");
		if (f.tag == VAL_NUM && f.rank) {
			diag_help(d, "an element of an array is written with square brackets");
		}
		return val_error(ast->span);
	}
	if (f.fn->kind == FNV_BUILTIN) {
		return elab_builtin(e, s, f.fn->builtin, ast, piped);
	}
	uint32_t n = ast->nkid - 1, first = piped ? 1 : 0;
	Val *arg = arena_array(e->arena, Val, n + 2);
	Sym *name = arena_array(e->arena, Sym, n + 2);
	if (piped) {
		arg[0] = *piped;
	}
	uint32_t next = first;
	for (uint32_t i = 0; i < n; i++) {
		const Ast *a = ast->kid[i + 1];
		if (a->kind == AST_NAMEDARG) {
			name[first + i] = a->name;
			a = a->kid[0];
		}
		Scope *in = scope_of_argument(e, s, f.fn, name[first + i], next);
		const Ast *type = type_of_argument(f.fn, name[first + i], &next);
		arg[first + i] = argument_value(e, in, a, type ? f.fn->decl->scope : s, type);
		arg[first + i].span = a->span;
	}
	/* min, max, abs of complex and complex exp are library matters of elab_builtin */
	if (f.fn->kind == FNV_OP && n + first == 1 && arg[0].tag == VAL_NUM &&
	    arg[0].elem == ELEM_COMPLEX) {
		return complex_op(e, ast->span, f.fn->op, arg[0]);
	}
	return elab_call_value(e, s, f.fn, ast->span, n + first, arg, name, ast->kid[0]);
}
