/* elab_comprehension.c — arrays by their element, [i, j -> e], and the axes that a written type gives
 * their indices. SPEC: axes, array literals. */
#include "lang/elab_reduce.h"

Wanted wanted_for(const Wanted *w, const Ast *from, const Ast *to)
{
	return w->ast && w->ast == from ? (Wanted){to, w->n, w->axis} : (Wanted){0};
}

Val elab_expr_on(Elab *e, Scope *s, const Ast *ast, uint32_t n, const AxisRef *axis)
{
	Wanted outer = e->wanted;
	e->wanted = (Wanted){ast, n, axis};
	Val v = elab_expr(e, s, ast);
	e->wanted = outer;
	return v;
}

/* An axis whose size comes with its values says nothing, unless it was found from the arguments. */
static bool is_open(const Elab *e, const Scope *in, const Ast *name, AxisRef a)
{
	const AxisInfo *info = core_axis_info(e->core, a.axis);
	if (info->size >= 0 || info->length) {
		return false;
	}
	for (size_t i = 0; name->kind == AST_NAME && i < in->n; i++) {
		if (in->entry[i].name == name->name) {
			return false;
		}
	}
	return true;
}

static AxisRef *type_axes(Elab *e, Scope *in, const Ast *type)
{
	AxisRef *axis = arena_array(e->arena, AxisRef, type->nkid + 1);
	Trial t = trial_begin(e);
	for (uint32_t i = 0; i < type->nkid; i++) {
		AxisRef a;
		bool ok = axis_of_expr(e, in, type->kid[i], &a) && a.axis;
		axis[i] = ok && !is_open(e, in, type->kid[i], a) ? a : (AxisRef){0};
	}
	trial_end(e, t);
	return axis;
}

/* May the text be an array literal by its element? Only they take axes from a type. */
static bool has_literal(const Ast *ast)
{
	switch (ast->kind) {
	case AST_COMPREHENSION:
		return true;
	case AST_PAREN:
		return has_literal(ast->kid[0]);
	case AST_IF:
		return has_literal(ast->kid[1]) || has_literal(ast->kid[2]);
	case AST_BLOCK:
		for (uint32_t i = 0; i < ast->nkid; i++) {
			if (ast->kid[i] && ast->kid[i]->kind == AST_RETURN) {
				return has_literal(ast->kid[i]->kid[0]);
			}
		}
		return false;
	default:
		return false;
	}
}

Val elab_expr_as(Elab *e, Scope *s, const Ast *ast, Scope *in, const Ast *type)
{
	if (!ast || !type || type->kind != AST_TYPE || !type->nkid || !has_literal(ast)) {
		return ast && ast->kind == AST_BLOCK ? elab_block(e, s, ast) : elab_expr(e, s, ast);
	}
	Wanted outer = e->wanted;
	e->wanted = (Wanted){ast, type->nkid, type_axes(e, in, type)};
	Val v = ast->kind == AST_BLOCK ? elab_block(e, s, ast) : elab_expr(e, s, ast);
	e->wanted = outer;
	return v;
}

/* [i, j -> e]: an array by its element. */
Val elab_comprehension(Elab *e, Scope *s, const Ast *ast)
{
	Scope *in = scope_new(e, s, NULL);
	Wanted w = wanted_for(&e->wanted, ast, ast->kid[1]);
	Bound b = {.nwanted = w.n, .wanted = w.axis};
	if (!reduce_bind(e, in, ast->kid[0], ast->kid[1], &b)) {
		return val_error(ast->span);
	}
	if (w.n > b.n) { /* rows by their elements: [i -> [j -> e]] */
		e->wanted = (Wanted){w.ast, w.n - b.n, w.axis + b.n};
	}
	Val body = elab_expr(e, in, ast->kid[1]);
	if (body.tag == VAL_ERROR) {
		return body;
	}
	if (body.tag != VAL_NUM || (ast->kid[0]->flags & AST_FILTER)) {
		diag_type_mismatch(elab_diags(e), ast->kid[1]->span, val_type(e, &body),
				   "a number for each index, without a filter");
		return val_error(ast->span);
	}
	Val r = body;
	r.span = ast->span;
	r.rank = b.n + body.rank;
	r.ix = arena_array(e->arena, Index, r.rank + 1);
	r.rec = arena_array(e->arena, Node, r.rank + 1);
	for (uint32_t i = 0; i < b.n; i++) {
		r.ix[i] = b.ix[i];
		r.rec[i] = b.rec[i];
	}
	for (uint32_t i = 0; i < body.rank; i++) {
		r.ix[b.n + i] = body.ix[i];
		r.rec[b.n + i] = body.rec ? body.rec[i] : 0;
	}
	r.n = 0;
	r.of = 0;
	r.literal = false;
	return r;
}
