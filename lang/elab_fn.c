/* elab_fn.c — declarations of functions, layers, nets, activations, equations and derivative rules,
 * and the check of each by itself with stand-ins for its arguments. SPEC: functions. */
#include "lang/elab_int.h"

#include <math.h>
#include <string.h>

static FnDecl *declare(Elab *e, Scope *s, const Ast *ast)
{
	FnDecl *d = arena_new(e->arena, FnDecl);
	d->name = ast->name;
	d->ast = ast;
	d->scope = s;
	FnVal f = {.kind = FNV_USER, .decl = d};
	Val v = {.tag = VAL_FN, .span = ast->name_span};
	v.fn = arena_copy(e->arena, &f, sizeof f, _Alignof(FnVal));
	scope_add(e, s, ast->name, ast->name_span, v);
	return d;
}

void elab_fn(Elab *e, Scope *s, const Ast *ast)
{
	FnDecl *d = declare(e, s, ast);
	d->layer = ast->flags & AST_LAYER;
	d->net = ast->flags & AST_NET;
	d->activation = ast->flags & AST_ACTIVATION;
	const Ast *formals = ast->kid[1];
	d->nformal = formals ? formals->nkid : 0;
	d->formal = arena_array(e->arena, Sym, d->nformal + 1);
	d->by = arena_array(e->arena, bool, d->nformal + 1);
	for (uint32_t i = 0; i < d->nformal; i++) {
		d->formal[i] = formals->kid[i]->name;
		for (uint32_t k = 0; k < i; k++) {
			if (d->formal[k] == d->formal[i]) {
				diag_redefined(elab_diags(e), formals->kid[i]->name_span,
					       elab_text(e, d->formal[i]));
				d->bad = true;
			}
		}
	}
	if (ast->nkid > 4 && ast->kid[4]) {
		diag_reserved_feature(elab_diags(e), ast->kid[4]->span, "symmetrized");
		d->bad = true;
	}
	diff_scan(e, d);
}

void elab_equation(Elab *e, Scope *s, const Ast *ast)
{
	FnDecl *d = declare(e, s, ast);
	d->equation = true;
	Val domain = ast->kid[0] ? elab_callee(e, s, ast->kid[0]) : val_error(ast->span);
	if (domain.tag != VAL_DOMAIN) {
		if (domain.tag != VAL_ERROR || !ast->kid[0]) {
			Diag *dg = diag_type_mismatch(
				elab_diags(e), ast->kid[0] ? ast->kid[0]->span : ast->name_span,
				ast->kid[0] ? val_type(e, &domain) : "nothing", "a domain");
			diag_help(dg,
				  "write  equation %s on D { … }  with  domain D { x in [0, 1] }",
				  elab_text(e, ast->name));
		}
		d->bad = true;
		return;
	}
	d->domain = domain.domain;
	d->nformal = domain.domain->n;
	d->formal = arena_array(e->arena, Sym, d->nformal + 1);
	d->by = arena_array(e->arena, bool, d->nformal + 1);
	for (uint32_t i = 0; i < d->nformal; i++) {
		d->formal[i] = domain.domain->var[i].name;
		d->by[i] = true;
	}
}

void elab_rule(Elab *e, Scope *s, const Ast *ast)
{
	const Ast *head = ast->kid[0];
	if (head->kind != AST_CALL || head->kid[0]->kind != AST_NAME) {
		diag_bad_rule(elab_diags(e), head->span, "this",
			      "a rule is written  derivative f(x) = …");
		return;
	}
	Val f = scope_value(e, s, head->kid[0]->name, head->kid[0]->span);
	if (f.tag == VAL_ERROR) {
		return;
	}
	const char *name = elab_text(e, head->kid[0]->name);
	if (f.tag != VAL_FN || f.fn->kind != FNV_USER || f.fn->decl->layer || f.fn->decl->net ||
	    f.fn->decl->equation) {
		diag_bad_rule(elab_diags(e), head->span, name, "it is not an fn of this program");
		return;
	}
	FnDecl *d = f.fn->decl;
	if (head->nkid - 1 != d->nformal) {
		diag_bad_rule(elab_diags(e), head->span, name,
			      arena_printf(e->arena, "it has %u arguments, the rule names %u",
					   d->nformal, head->nkid - 1));
		return;
	}
	for (uint32_t i = 1; i < head->nkid; i++) {
		if (head->kid[i]->kind != AST_NAME) {
			diag_bad_rule(elab_diags(e), head->kid[i]->span, name,
				      "the arguments of a rule are names");
			return;
		}
	}
	if (d->rule) {
		diag_note(diag_redefined(elab_diags(e), ast->span, "this derivative rule"),
			  d->rule->span, "first given here");
		return;
	}
	d->rule = ast;
	d->nmemo = 0;
}

/* ---- the check of a function by itself
 * ---------------------------------------------------------------------------------- */
static UnitId coordinate_unit(Elab *e, Sym name)
{
	for (size_t i = 0; i < e->ndomain; i++) {
		for (uint32_t k = 0; k < e->domain[i]->n; k++) {
			if (e->domain[i]->var[k].name == name) {
				return e->domain[i]->var[k].unit;
			}
		}
	}
	return 0;
}

static Val stand_in_array(Elab *e, Sym name, Span at, const TypeInfo *t)
{
	Axis *axes = arena_array(e->arena, Axis, t->rank + 1);
	Node *rec = arena_array(e->arena, Node, t->rank + 1);
	for (uint32_t i = 0; i < t->rank; i++) {
		axes[i] = t->axis[i].axis;
		rec[i] = t->axis[i].record;
	}
	Kind kind = t->elem == ELEM_INT ? KIND_INT : t->elem == ELEM_BOOL ? KIND_BOOL : KIND_REAL;
	Def re = core_leaf(e->core, DEF_RUNTIME, name, at, kind, t->unit, t->rank, axes);
	Def im = t->elem == ELEM_COMPLEX
			 ? core_leaf(e->core, DEF_RUNTIME, name, at, kind, t->unit, t->rank, axes)
			 : 0;
	return val_of_def(e, at, t->elem, t->unit, re, im, 0, NULL, rec);
}

/* A leaf that stands for an argument; false if the function cannot be checked before it is called.
 */
static bool stand_in(Elab *e, FnDecl *d, Scope *bind, uint32_t i, Val *out)
{
	const Ast *f = d->equation ? NULL : d->ast->kid[1]->kid[i];
	const Ast *type = f ? f->kid[0] : NULL;
	Span at = f ? f->name_span : d->ast->name_span;
	TypeInfo t = {.ok = true, .elem = ELEM_REAL};
	if (!type) {
		t.unit = d->equation ? d->domain->var[i].unit : coordinate_unit(e, d->formal[i]);
		*out = stand_in_array(e, d->formal[i], at, &t);
		return d->net || d->equation || d->activation;
	}
	t = elab_type(e, bind, type);
	if (!t.ok) {
		return false;
	}
	if (t.record) {
		Index s = core_index(e->core, t.record->records, SYM(e, "s"));
		*out = (Val){.tag = VAL_RECORD,
			     .span = at,
			     .data = t.record,
			     .record = core_index_value(e->core, s)};
	} else if (t.index_of.axis) {
		Index k = core_index(e->core, t.index_of.axis, d->formal[i]);
		*out = val_num(e, at, ELEM_INT, 0, core_index_value(e->core, k));
		out->of = t.index_of.axis;
	} else {
		*out = stand_in_array(e, d->formal[i], at, &t);
	}
	return true;
}

/* Axis parameters stand for axes of unknown size while the function is checked. */
static void axis_stand_ins(Elab *e, FnDecl *d, Scope *bind, FnVal *f)
{
	const Ast *axes = d->equation ? NULL : d->ast->kid[0];
	f->naxis = axes ? axes->nkid : 0;
	f->axis = arena_array(e->arena, AxisRef, f->naxis + 1);
	for (uint32_t i = 0; i < f->naxis; i++) {
		AxisInfo info = {
			.name = axes->kid[i]->name, .span = axes->kid[i]->span, .size = -1};
		f->axis[i] = (AxisRef){core_axis(e->core, info), 0};
		Val v = {.tag = VAL_AXIS, .axis = f->axis[i], .span = axes->kid[i]->span};
		scope_put(e, bind, axes->kid[i]->name, axes->kid[i]->span, v);
	}
}

static bool has_lengths(Elab *e, const FnDecl *d, int depth);

/* Does the callee take lengths? Functions do not call themselves; a program in which they do is refused elsewhere. */
static bool takes_lengths(Elab *e, Scope *s, const Ast *callee, int depth)
{
	enum { DEPTH = 8 };
	if (callee->kind != AST_NAME || depth > DEPTH) {
		return false;
	}
	Entry *entry = scope_find(e, s, callee->name);
	const FnVal *f = entry && entry->val.tag == VAL_FN ? entry->val.fn : NULL;
	return f && f->kind == FNV_USER && has_lengths(e, f->decl, depth + 1);
}

/* Does the name stand in a range, or is it handed to a function that has lengths? Its value is then known only where the
 * function is called. */
static bool gives_length(Elab *e, Scope *s, const Ast *ast, Sym name, bool inside, int depth)
{
	if (!ast) {
		return false;
	}
	if (ast->kind == AST_NAME && inside && ast->name == name) {
		return true;
	}
	inside = inside || ast->kind == AST_RANGE ||
		 (ast->kind == AST_CALL && takes_lengths(e, s, ast->kid[0], depth));
	for (uint32_t i = 0; i < ast->nkid; i++) {
		if (gives_length(e, s, ast->kid[i], name, inside, depth)) {
			return true;
		}
	}
	return false;
}

static bool has_lengths(Elab *e, const FnDecl *d, int depth)
{
	for (uint32_t i = 0; !d->equation && i < d->nformal; i++) {
		const Ast *type = d->ast->kid[1]->kid[i]->kid[0];
		if (type && !type->nkid && strcmp(elab_text(e, type->name), "int") == 0 &&
		    gives_length(e, d->scope, d->ast->kid[3], d->formal[i], false, depth)) {
			return true;
		}
	}
	return false;
}

void fn_check(Elab *e, FnDecl *d)
{
	if (d->bad || d->checking) {
		return;
	}
	d->checking = true;
	unsigned before = diags_errors(e->diags), mark = diags_mark(e->diags);
	Frame *frame = arena_new(e->arena, Frame);
	frame->trial = d->layer || d->activation;
	Scope *s = scope_new(e, d->scope, frame), *bind = scope_new(e, d->scope, frame);
	FnVal f = {.kind = FNV_USER, .decl = d};
	axis_stand_ins(e, d, bind, &f);
	Val *arg = arena_array(e->arena, Val, d->nformal + 1);
	bool all = true;
	for (uint32_t i = 0; i < d->nformal; i++) {
		all = stand_in(e, d, bind, i, &arg[i]) && all;
	}
	bool generic = false;
	for (uint32_t i = 0; !d->equation && i < d->nformal; i++) {
		generic = generic || (!d->ast->kid[1]->kid[i]->kid[0] && !d->net && !d->activation);
	}
	if (diags_errors(e->diags) == before && (all || !generic) && !has_lengths(e, d, 0)) {
		elab_call_value(e, s, arena_copy(e->arena, &f, sizeof f, _Alignof(FnVal)),
				d->ast->name_span, d->nformal, arg, NULL, d->ast);
	}
	(void)mark;
	d->active = false;
	d->bad = d->bad || diags_errors(e->diags) > before;
	d->checking = false;
}
