/* elab_expr.c — expressions: names, numbers, reads by index, conditions, pipes, literals. SPEC:
 * expressions. */
#include "lang/elab_int.h"

#include <math.h>
#include <string.h>

static Val number(Elab *e, const Ast *ast)
{
	Val v;
	if (ast->flags & AST_INTEGER) {
		v = val_num(e, ast->span, ELEM_INT, 0, core_int_const(e->core, ast->integer));
	} else {
		v = val_num(e, ast->span, ELEM_REAL, 0, core_real_const(e->core, ast->num));
	}
	v.literal = true;
	return v;
}

static Val quantity(Elab *e, Scope *s, const Ast *ast)
{
	Val v = elab_expr(e, s, ast->kid[0]);
	const char *why = NULL;
	UnitId unit = unit_parse(e->units, elab_text(e, ast->text), &why);
	if (why) {
		diag_bad_unit(elab_diags(e), ast->span, elab_text(e, ast->text), why);
		return val_error(ast->span);
	}
	if (!val_real(e, &v)) {
		return val_error(ast->span);
	}
	v.span = ast->span;
	v.literal = false;
	v.unit = unit;
	val_normalise(e, &v);
	return v;
}

/* A bare net in an equation is its value at the coordinates of the same names. */
static Val bare_net(Elab *e, Scope *s, const Ast *ast, Val f)
{
	FnDecl *d = f.fn->kind == FNV_USER ? f.fn->decl : NULL;
	if (!d || !s->frame || !s->frame->equation || !d->nformal) {
		return f;
	}
	Val *arg = arena_array(e->arena, Val, d->nformal);
	for (uint32_t i = 0; i < d->nformal; i++) {
		Entry *entry = scope_find(e, s, d->formal[i]);
		if (!entry || entry->pending || entry->val.tag != VAL_NUM) {
			return f;
		}
		arg[i] = scope_value(e, s, d->formal[i], ast->span);
	}
	return elab_call_value(e, s, f.fn, ast->span, d->nformal, arg, NULL, ast);
}

static Val name(Elab *e, Scope *s, const Ast *ast)
{
	const char *text = elab_text(e, ast->name);
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
		return val_num(e, ast->span, ELEM_BOOL, 0,
			       core_bool_const(e->core, text[0] == 't'));
	}
	Val v = scope_value(e, s, ast->name, ast->span);
	return v.tag == VAL_FN ? bare_net(e, s, ast, v) : v;
}

static bool is_unknown_name(Elab *e, Scope *s, const Ast *ast)
{
	return ast->kind == AST_NAME && !scope_knows(e, s, ast->name);
}

/* A name that nothing defines is a label where an index of its axis stands beside it:  kind == full. */
bool elab_label(Elab *e, Scope *s, const Ast *ast, Axis axis, Val *out)
{
	int64_t label;
	if (!axis || !is_unknown_name(e, s, ast) || !names_label(e, axis, ast, &label)) {
		return false;
	}
	*out = val_num(e, ast->span, ELEM_INT, 0, core_int_const(e->core, label));
	out->of = axis;
	return true;
}

/* a + b + c + … of any length without recursion on its left spine. */
static Val binary(Elab *e, Scope *s, const Ast *ast)
{
	size_t n = 0;
	for (const Ast *at = ast; at->kind == AST_BINARY; at = at->kid[0]) {
		n++;
	}
	const Ast **spine = arena_array(e->arena, const Ast *, n);
	const Ast *at = ast;
	for (size_t i = 0; i < n; i++, at = at->kid[0]) {
		spine[i] = at;
	}
	Val v;
	if (n == 1 && is_unknown_name(e, s, at) && !is_unknown_name(e, s, ast->kid[1])) {
		Val right = elab_expr(e, s, ast->kid[1]);
		if (!elab_label(e, s, at, right.tag == VAL_NUM ? right.of : 0, &v)) {
			v = elab_expr(e, s, at);
		}
		return val_binary(e, ast->span, ast->name, v, right);
	}
	v = elab_expr(e, s, at);
	for (size_t i = n; i-- > 0;) {
		Val right;
		if (!elab_label(e, s, spine[i]->kid[1], v.tag == VAL_NUM ? v.of : 0, &right)) {
			right = elab_expr(e, s, spine[i]->kid[1]);
		}
		v = val_binary(e, spine[i]->span, spine[i]->name, v, right);
	}
	return v;
}

static Val unary(Elab *e, Scope *s, const Ast *ast)
{
	Val v = elab_expr(e, s, ast->kid[0]);
	if (strcmp(elab_text(e, ast->name), "not") == 0) {
		return v.tag == VAL_ERROR ? v : val_op(e, ast->span, OP_not, 1, &v);
	}
	bool literal = v.tag == VAL_NUM && v.literal;
	v = val_neg(e, ast->span, v);
	v.literal = literal && v.tag == VAL_NUM;
	return v;
}

/* ---- postfix ---- */
static Val index_expr(Elab *e, Scope *s, const Ast *ast)
{
	Val base = elab_callee(e, s, ast->kid[0]);
	if (base.tag == VAL_FN) { /* dense[h]: explicit axes of a layer */
		if (base.fn->kind != FNV_USER) {
			diag_type_mismatch(elab_diags(e), ast->span, "a function", "an array");
			return val_error(ast->span);
		}
		FnVal *f = arena_copy(e->arena, base.fn, sizeof *base.fn, _Alignof(FnVal));
		f->naxis = ast->nkid - 1;
		f->axis = arena_array(e->arena, AxisRef, ast->nkid);
		for (uint32_t i = 1; i < ast->nkid; i++) {
			if (!axis_of_expr(e, s, ast->kid[i], &f->axis[i - 1])) {
				return val_error(ast->span);
			}
		}
		f->site = ast;
		base.fn = f;
		return base;
	}
	return elab_index(e, s, base, ast->nkid - 1, ast->kid + 1, ast->span);
}

/* site.EI: a label as a value. */
static Val label_value(Elab *e, const Val *axis, const Ast *ast)
{
	const AxisInfo *info = core_axis_info(e->core, axis->axis.axis);
	int64_t label;
	if (is_label(e, axis->axis.axis, ast->name, &label)) {
		Val v = val_num(e, ast->span, ELEM_INT, 0, core_int_const(e->core, label));
		v.of = axis->axis.axis;
		return v;
	}
	Diag *d = diag_no_field(elab_diags(e), ast->name_span, elab_text(e, ast->name),
				arena_printf(e->arena, "axis %s", elab_text(e, info->name)));
	const char *candidate[64];
	uint32_t n = info->nlabel < 64 ? info->nlabel : 64;
	for (uint32_t i = 0; i < n; i++) {
		candidate[i] = elab_text(e, info->label[i]);
	}
	const char *near = diag_nearest(elab_text(e, ast->name), candidate, n);
	if (near) {
		diag_help(d, "did you mean  %s ?", near);
	} else if (!n) {
		diag_help(d, "it has numbers and no labels");
	}
	return val_error(ast->span);
}

/* A part of what stands right of  (a, b) = …  by its place. */
static Val part_of(Elab *e, const Ast *ast, const Val *base)
{
	uint32_t n = (uint32_t)ast->num, k = (uint32_t)ast->integer - 1;
	if (base->tag == VAL_TUPLE && base->n == n) {
		return base->item[k];
	}
	if (k == 0) { /* said once */
		diag_type_mismatch(elab_diags(e), ast->kid[0]->span, val_type(e, base),
				   arena_printf(e->arena, "a tuple of %u", n));
	}
	return val_error(ast->span);
}

static Val no_part(Elab *e, const Ast *ast, const Val *base)
{
	Diag *d = diag_no_field(elab_diags(e), ast->name_span, elab_text(e, ast->name),
				val_type(e, base));
	if (base->tag == VAL_FN && ast->kid[0]->kind == AST_NAME) {
		const char *net = elab_text(e, ast->kid[0]->name),
			   *known = param_names(e, arena_printf(e->arena, "%s.", net));
		diag_help(d, known[0] ? "the parameters of %s are %s"
				      : "%s has no parameters, or none yet: a net makes them where it is used first",
			  net, known);
	}
	return val_error(ast->span);
}

static Val field(Elab *e, Scope *s, const Ast *ast)
{
	const ParamInfo *p = param_of_net(e, s, ast);
	if (p) {
		return param_value(e, ast->span, p, ELEM_REAL);
	}
	Val base = elab_callee(e, s, ast->kid[0]);
	if (base.tag == VAL_ERROR) {
		return base;
	}
	if (ast->integer) {
		return part_of(e, ast, &base);
	}
	if (base.tag == VAL_RECORD || base.tag == VAL_DATA) {
		return data_field(e, &base, ast->name, ast->span, ast->name_span);
	}
	for (uint32_t i = 0; base.tag == VAL_TUPLE && base.item_name && i < base.n; i++) {
		if (base.item_name[i] == ast->name) {
			return base.item[i];
		}
	}
	if (base.tag == VAL_AXIS) {
		return label_value(e, &base, ast);
	}
	return no_part(e, ast, &base);
}

/* ---- conditions
 * ------------------------------------------------------------------------------------------------------
 */
static Val if_expr(Elab *e, Scope *s, const Ast *ast)
{
	Wanted w = e->wanted;
	Val c = elab_expr(e, s, ast->kid[0]);
	double known = 0;
	bool constant = val_scalar(&c) && elab_node_value(e, c.re, &known);
	e->unseen +=
		constant && known == 0; /* of a side that is never looked at no place is too far */
	e->wanted = wanted_for(&w, ast, ast->kid[1]);
	Val a = elab_expr(e, s, ast->kid[1]);
	e->unseen -= constant && known == 0;
	e->unseen += constant && known != 0;
	e->wanted = wanted_for(&w, ast, ast->kid[2]);
	Val b = elab_expr(e, s, ast->kid[2]);
	e->unseen -= constant && known != 0;
	if (c.tag == VAL_ERROR || a.tag == VAL_ERROR || b.tag == VAL_ERROR) {
		return val_error(ast->span);
	}
	if (!val_scalar(&c) || c.elem != ELEM_BOOL) {
		diag_type_mismatch(elab_diags(e), ast->kid[0]->span, val_type(e, &c),
				   "a truth value");
		return val_error(ast->span);
	}
	if (a.tag != VAL_NUM || b.tag != VAL_NUM) {
		if (constant && a.tag == b.tag) {
			return known != 0 ? a : b;
		}
		diag_type_mismatch(elab_diags(e), ast->span,
				   val_type(e, a.tag != VAL_NUM ? &a : &b),
				   "a number in both branches");
		return val_error(ast->span);
	}
	if (a.rank != b.rank) {
		diag_rank_mismatch(elab_diags(e), ast->kid[2]->span, "the other branch", b.rank,
				   a.rank);
		return val_error(ast->span);
	}
	for (uint32_t i = 0; i < a.rank; i++) {
		if (!axis_same(e, val_axis(e, &a, i), val_axis(e, &b, i))) {
			axis_differs(e, ast->kid[2]->span, val_axis(e, &b, i), val_axis(e, &a, i));
			return val_error(ast->span);
		}
	}
	bool complex = a.elem == ELEM_COMPLEX || b.elem == ELEM_COMPLEX;
	if (a.elem != b.elem || complex) {
		if (!(complex ? val_to_complex(e, &a) && val_to_complex(e, &b)
			      : val_real(e, &a) && val_real(e, &b))) {
			return val_error(ast->span);
		}
	}
	if ((a.elem == ELEM_REAL || complex) && !val_agree(e, ast->span, &a, &b)) {
		return val_error(ast->span);
	}
	Val r = a, o = val_align(e, &b, &a);
	core_at(e->core, ast->span);
	r.span = ast->span;
	r.re = core_select(e->core, c.re, a.re, o.re);
	r.im = complex ? core_select(e->core, c.re, a.im, o.im) : 0;
	r.of = a.of == b.of ? a.of : 0;
	r.literal = a.literal && b.literal && a.elem != ELEM_REAL;
	r.n = 0;
	return r;
}

/* ---- literals, tuples, ranges, pipes ---- */
static Val array(Elab *e, Scope *s, const Ast *ast)
{
	Val *item = arena_array(e->arena, Val, ast->nkid + 1);
	for (uint32_t i = 0; i < ast->nkid; i++) {
		item[i] = elab_expr(e, s, ast->kid[i]);
	}
	return elab_array_literal(e, s, ast->span, ast->nkid, item);
}

static Val tuple(Elab *e, Scope *s, const Ast *ast)
{
	Val v = {.tag = VAL_TUPLE, .span = ast->span, .n = ast->nkid};
	v.item = arena_array(e->arena, Val, ast->nkid + 1);
	for (uint32_t i = 0; i < ast->nkid; i++) {
		const Ast *kid = ast->kid[i];
		if (kid->kind == AST_NAMEDARG) {
			if (!v.item_name) {
				v.item_name = arena_array(e->arena, Sym, ast->nkid);
			}
			v.item_name[i] = kid->name;
			kid = kid->kid[0];
		}
		v.item[i] = elab_expr(e, s, kid);
		if (v.item[i].tag == VAL_ERROR) {
			return val_error(ast->span);
		}
	}
	return v;
}

static Val range(Elab *e, Scope *s, const Ast *ast)
{
	Val v = {.tag = VAL_RANGE, .span = ast->span, .n = 2};
	v.item = arena_array(e->arena, Val, 2);
	for (int i = 0; i < 2; i++) {
		v.item[i] = elab_expr(e, s, ast->kid[i]);
		if (v.item[i].tag == VAL_ERROR) {
			return val_error(ast->span);
		}
		if (!val_scalar(&v.item[i]) || v.item[i].elem != ELEM_INT) {
			diag_help(diag_type_mismatch(elab_diags(e), ast->kid[i]->span,
						     val_type(e, &v.item[i]), "a whole number"),
				  "an interval of reals is written  [a, b]");
			return val_error(ast->span);
		}
	}
	return v;
}

/* x |> f and x |> f(a): the value becomes the first argument. An array result gets a name of its
 * own, so that the stages of a pipe are definitions. */
static Val pipe(Elab *e, Scope *s, const Ast *ast)
{
	const Ast *f = ast->kid[1];
	while (f->kind == AST_PAREN) {
		f = f->kid[0];
	}
	if (f->kind == AST_CALL &&
	    f->kid[0]->kind == AST_NAME) { /* standardize needs the value's text, not its value */
		Val fn = elab_callee(e, s, f->kid[0]);
		if (fn.tag == VAL_FN && fn.fn->kind == FNV_BUILTIN &&
		    strcmp(builtin_name(fn.fn->builtin), "standardize") == 0) {
			return elab_builtin(e, s, fn.fn->builtin, ast, NULL);
		}
	}
	Val x = elab_expr(e, s, ast->kid[0]);
	if (x.tag == VAL_ERROR) {
		return x;
	}
	Val r;
	Val maker = f->kind == AST_CALL ? elab_callee(e, s, f->kid[0]) : val_error(f->span);
	bool makes = maker.tag == VAL_FN && maker.fn->kind == FNV_USER &&
		     maker.fn->decl->nformal == f->nkid - 1;
	if (f->kind == AST_CALL && makes) { /* x |> Z(0) with Z(0) a function by itself */
		Val fn = elab_call(e, s, f, NULL);
		if (fn.tag != VAL_FN) {
			r = fn.tag == VAL_ERROR ? fn : elab_call(e, s, f, &x);
		} else {
			r = elab_call_value(e, s, fn.fn, ast->span, 1, &x, NULL, f);
		}
	} else if (f->kind == AST_CALL) {
		r = elab_call(e, s, f, &x);
	} else {
		Val fn = elab_callee(e, s, f);
		if (fn.tag == VAL_ERROR) {
			return fn;
		}
		if (fn.tag != VAL_FN) {
			diag_type_mismatch(elab_diags(e), f->span, val_type(e, &fn),
					   "a function after |>");
			return val_error(ast->span);
		}
		if (fn.fn->kind == FNV_BUILTIN) {
			return elab_builtin(e, s, fn.fn->builtin, ast, &x);
		}
		r = elab_call_value(e, s, fn.fn, ast->span, 1, &x, NULL, f);
	}
	if (r.tag == VAL_NUM && r.rank && !r.n) {
		const Ast *head = f->kind == AST_CALL ? f->kid[0] : f;
		head = head->kind == AST_INDEX ? head->kid[0] : head;
		Sym label = head->kind == AST_NAME ? head->name : SYM(e, "y");
		r = val_name(e, s, label, r, 0);
	}
	return r;
}

Val elab_callee(Elab *e, Scope *s, const Ast *ast)
{
	while (ast->kind == AST_PAREN) {
		ast = ast->kid[0];
	}
	if (ast->kind == AST_NAME && strcmp(elab_text(e, ast->name), "true") != 0 &&
	    strcmp(elab_text(e, ast->name), "false") != 0) {
		return scope_value(e, s, ast->name, ast->span);
	}
	return elab_expr(e, s, ast);
}

static Val wrong_equals(Elab *e, const Ast *ast)
{
	diag_help(diag_lone_equals(elab_diags(e), ast->span), "write == to compare two values");
	return val_error(ast->span);
}

Val elab_expr(Elab *e, Scope *s, const Ast *ast)
{
	if (!ast) {
		return val_error((Span){0});
	}
	core_at(e->core, ast->span);
	Val v;
	switch (ast->kind) {
	case AST_NUM:
		return number(e, ast);
	case AST_QUANTITY:
		return quantity(e, s, ast);
	case AST_STR:
		return val_string(ast->span, ast->name);
	case AST_NAME:
		return name(e, s, ast);
	case AST_UNARY:
		return unary(e, s, ast);
	case AST_BINARY:
		return binary(e, s, ast);
	case AST_EQUATE:
		return wrong_equals(e, ast);
	case AST_RANGE:
		return range(e, s, ast);
	case AST_INDEX:
		return index_expr(e, s, ast);
	case AST_CALL:
		return elab_call(e, s, ast, NULL);
	case AST_FIELD:
		return field(e, s, ast);
	case AST_REDUCE:
		return elab_reduce(e, s, ast);
	case AST_IF:
		return if_expr(e, s, ast);
	case AST_PIPE:
		return pipe(e, s, ast);
	case AST_ARRAY:
		return array(e, s, ast);
	case AST_COMPREHENSION:
		return elab_comprehension(e, s, ast);
	case AST_TUPLE:
		return tuple(e, s, ast);
	case AST_PAREN:
		e->wanted = wanted_for(&e->wanted, ast, ast->kid[0]);
		v = elab_expr(e, s, ast->kid[0]);
		v.span = ast->span;
		return v;
	case AST_PARTIAL:
	case AST_PARTIALOP:
		return elab_partial(e, s, ast);
	case AST_BLOCK:
		return elab_block(e, scope_new(e, s, NULL), ast);
	case AST_ERROR_EXPR:
		return val_error(ast->span);
	default:
		diag_bad_statement_place(elab_diags(e), ast->span, ast_kind_name(ast->kind),
					 "where a value is expected");
		return val_error(ast->span);
	}
}
