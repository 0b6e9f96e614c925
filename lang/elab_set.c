/* elab_set.c — set W[1, i] = …: where a parameter's entries are changed, and to what. SPEC:
 * statements. */
#include "lang/elab_stmt.h"

/* set W[1..3] = …: the places from one end to the other; 0 after a diagnostic. */
static Node range_condition(Elab *e, Span at, const Val *range, AxisRef axis, Node here)
{
	const AxisInfo *info = core_axis_info(e->core, axis.axis);
	int64_t first = info->first, last = info->first + info->size - 1;
	for (int i = 0; i < 2; i++) {
		int64_t v;
		if (val_const_int(e, &range->item[i], &v) && (v < first || v > last)) {
			diag_index_out_of_range(elab_diags(e), at,
						arena_printf(e->arena, "%lld", (long long)v),
						axis_name(e, axis));
			return 0;
		}
	}
	return core_op2(e->core, OP_and, core_op2(e->core, OP_ile, range->item[0].re, here),
			core_op2(e->core, OP_ile, here, range->item[1].re));
}

/* The one parameter that is set; NULL after a diagnostic. */
static ParamInfo *target(Elab *e, Scope *s, const Ast *head)
{
	uint32_t n;
	ParamInfo **param;
	Ast *list[1] = {(Ast *)(uintptr_t)head};
	if (!params_of_list(e, s, 1, list, &n, &param)) {
		return NULL;
	}
	if (n != 1) {
		diag_type_mismatch(elab_diags(e), head->span,
				   n ? "a value of several parameters"
				     : "a value without parameters",
				   "one parameter");
		return NULL;
	}
	return param[0];
}

/* A place that is computed; 0 after a diagnostic. */
static Node place_condition(Elab *e, Scope *s, const Ast *a, AxisRef axis, Node here)
{
	Val v = elab_expr(e, s, a);
	if (v.tag == VAL_ERROR) {
		return 0;
	}
	if (v.tag == VAL_RANGE) {
		return range_condition(e, a->span, &v, axis, here);
	}
	if (!val_scalar(&v) || v.elem != ELEM_INT) {
		diag_type_mismatch(elab_diags(e), a->span, val_type(e, &v), "an index");
		return 0;
	}
	int64_t at;
	const AxisInfo *info = core_axis_info(e->core, axis.axis);
	if (val_const_int(e, &v, &at) && (at < info->first || at >= info->first + info->size)) {
		diag_index_out_of_range(elab_diags(e), a->span,
					arena_printf(e->arena, "%lld", (long long)at),
					axis_name(e, axis));
		return 0;
	}
	return core_op2(e->core, OP_ieq, here, v.re);
}

/* Where the entries lie that W[1, i] names: a label, a place, a range; a new name runs over the
 * axis and is put into `in`. 0 after a diagnostic. */
static Node where_named(Elab *e, Scope *s, Scope *in, const Ast *left, const Val *whole)
{
	Node cond = core_bool_const(e->core, true);
	for (uint32_t i = 0; left->kind == AST_INDEX && i + 1 < left->nkid; i++) {
		const Ast *a = left->kid[i + 1];
		AxisRef axis = val_axis(e, whole, i);
		Node here = core_index_value(e->core, whole->ix[i]), one;
		int64_t label;
		if (a->kind == AST_OPERATOR) {
			continue;
		}
		Entry *known = a->kind == AST_NAME ? scope_find(e, s, a->name) : NULL;
		if (a->kind == AST_NAME && is_label(e, axis.axis, a->name, &label)) {
			one = core_op2(e->core, OP_ieq, here, core_int_const(e->core, label));
		} else if (a->kind == AST_NAME && (a->nkid || !known || known->val.tag == VAL_AXIS)) {
			AxisRef written = axis;
			if (a->nkid && !axis_of_expr(e, s, a->kid[0], &written)) {
				return 0;
			}
			if (!axis_same(e, written, axis)) {
				axis_differs(e, a->span, written, axis);
				return 0;
			}
			Val v = val_num(e, a->span, ELEM_INT, 0, here);
			v.of = axis.axis;
			scope_put(e, in, a->name, a->span, v);
			continue;
		} else {
			one = place_condition(e, s, a, axis, here);
		}
		if (!one) {
			return 0;
		}
		cond = core_op2(e->core, OP_and, cond, one);
	}
	return cond;
}

/* A position that W[1], W[*, j] or W[1..3] leaves open: an axis of the value runs along it. */
typedef struct Kept {
	uint32_t at;
	bool part;    /* from `low` on, `size` places; else all of the axis */
	int64_t low, size;
} Kept;

static uint32_t kept_positions(Elab *e, Scope *s, const Ast *left, const Val *whole, Kept *out)
{
	uint32_t n = 0, given = left->kind == AST_INDEX ? left->nkid - 1 : 0;
	for (uint32_t i = 0; i < whole->rank; i++) {
		const Ast *a = i < given ? left->kid[i + 1] : NULL;
		if (!a || a->kind == AST_OPERATOR) {
			out[n++] = (Kept){i, false, 0, 0};
		} else if (a->kind == AST_RANGE) {
			Val v = elab_expr(e, s, a);
			int64_t lo, hi;
			if (v.tag == VAL_RANGE && val_const_int(e, &v.item[0], &lo) &&
			    val_const_int(e, &v.item[1], &hi)) {
				out[n++] = (Kept){i, true, lo, hi - lo + 1};
			}
		}
	}
	return n;
}

/* The value's axis k at the places of the entry; 0 after a diagnostic. */
static Node kept_place(Elab *e, const Kept *k, const Val *whole, const Val *v, uint32_t axis)
{
	AxisRef have = val_axis(e, v, axis), want = val_axis(e, whole, k->at);
	const AxisInfo *a = core_axis_info(e->core, have.axis),
		       *w = core_axis_info(e->core, want.axis);
	Node here = core_index_value(e->core, whole->ix[k->at]);
	int64_t size = k->part ? k->size : w->size, low = k->part ? k->low : w->first;
	if (axis_same(e, have, want) && !k->part) {
		return here;
	}
	if ((a->flags & AXIS_ANONYMOUS) && a->size == size) {
		return core_sub(e->core, here, core_int_const(e->core, low - a->first));
	}
	if (k->part) {
		want.axis = core_axis_anonymous(e->core, size);
	}
	axis_differs(e, v->span, have, want);
	return 0;
}

/* The value for the entries: one number, or an array over the positions that are left open. */
static bool value_fits(Elab *e, Scope *s, const ParamInfo *p, const Ast *left, const Val *whole,
		       Val *v)
{
	if (v->tag == VAL_ERROR || !val_real(e, v) || !val_convert(e, v, p->unit)) {
		return false;
	}
	uint32_t given = left->kind == AST_INDEX ? left->nkid - 1 : 0;
	Kept *kept = arena_array(e->arena, Kept, whole->rank + 1);
	uint32_t n = kept_positions(e, s, left, whole, kept);
	if (!v->rank) {
		if (given < whole->rank) {
			diag_help(diag_rank_mismatch(elab_diags(e), v->span, "the value", 0, n),
				  "to set all of them to one number write a place for each axis, * for "
				  "all:  set %s[%s*] = …",
				  elab_text(e, p->path), given || whole->rank > 1 ? "…, " : "");
			return false;
		}
		return true;
	}
	if (v->rank != n) {
		diag_rank_mismatch(elab_diags(e), v->span, "the value", v->rank, n);
		return false;
	}
	Node *to = arena_array(e->arena, Node, n + 1);
	for (uint32_t i = 0; i < n; i++) {
		to[i] = kept_place(e, &kept[i], whole, v, i);
		if (!to[i]) {
			return false;
		}
	}
	*v = val_subst(e, v, n, v->ix, to);
	return true;
}

bool stmt_set(Elab *e, Scope *s, const Ast *ast, Stmt *st)
{
	const Ast *left = ast->kid[0];
	ParamInfo *p = target(e, s, left->kind == AST_INDEX ? left->kid[0] : left);
	if (!p) {
		return false;
	}
	Val whole = param_value(e, left->span, p, ELEM_REAL);
	uint32_t given = left->kind == AST_INDEX ? left->nkid - 1 : 0;
	if (given > whole.rank) {
		diag_rank_mismatch(elab_diags(e), left->span, elab_text(e, p->path), given,
				   whole.rank);
		return false;
	}
	Scope *in = scope_new(e, s, NULL);
	in->ctx = whole.ix;
	in->nctx = whole.rank;
	Node cond = where_named(e, s, in, left, &whole);
	if (!cond) {
		return false;
	}
	AxisRef *axes = arena_array(e->arena, AxisRef, whole.rank + 1);
	for (uint32_t i = 0; i < whole.rank; i++) {
		axes[i] = val_axis(e, &whole, i);
	}
	Val v = elab_expr_on(e, in, ast->kid[1], given ? 0 : whole.rank, axes);
	v.span = ast->kid[1]->span;
	if (!value_fits(e, s, p, left, &whole, &v)) {
		return false;
	}
	v.re = core_guard(e->core, cond, v.re); /* other places need not have a value */
	Val where = whole;
	where.unit = 0;
	p->used = true; /* a variable of the experiment, W0001 says nothing of it */
	st->u.set.param = p;
	st->u.set.cond = stmt_closed_def(e, SYM(e, "where"), ast->span, &where, cond);
	st->u.set.value = stmt_closed_def(e, SYM(e, "value"), ast->span, &whole, v.re);
	return true;
}
