/* elab_metric.c — metrics over data: r2, rmse, mae, auc, accuracy of two values for each record.
 * SPEC: metrics. */
#include "lang/elab_reduce.h"

#include <math.h>
#include <string.h>

static Node square(Elab *e, Node a)
{
	return core_powi(e->core, a, 2);
}

/* Area under the ROC curve: the share of pairs (positive, negative) ordered rightly, ties counted
 * half. */
static Node auc_node(Elab *e, Span at, const Bound *b, Node score, Node label)
{
	Core *c = e->core;
	Node half = core_real_const(c, 0.5), one = core_real_const(c, 1),
	     zero = core_real_const(c, 0);
	Index other = core_index(c, core_index_axis(c, b->ix[0]), core_index_name(c, b->ix[0]));
	Node to = core_index_value(c, other);
	Node score2 = core_subst(c, score, 1, b->ix, &to),
	     label2 = core_subst(c, label, 1, b->ix, &to);
	Node positive = core_op2(c, OP_lt, half, label),
	     negative = core_op1(c, OP_not, core_op2(c, OP_lt, half, label2));
	Node win = core_select(c, core_op2(c, OP_lt, score2, score), one,
			       core_select(c, core_op2(c, OP_eq, score2, score), half, zero));
	Bound pair = {.n = 2};
	Index ix[2] = {b->ix[0], other};
	pair.ix = ix;
	Node both = core_op2(c, OP_and, positive, negative);
	if (b->filter) {
		both = core_op2(
			c, OP_and, both,
			core_op2(c, OP_and, b->filter, core_subst(c, b->filter, 1, b->ix, &to)));
	}
	pair.filter = both;
	Node wins = reduce_node(e, RED_SUM, at, &pair, win),
	     pairs = reduce_node(e, RED_SUM, at, &pair, one);
	return core_div(c, wins, pairs);
}

static bool whole(Core *c, Node n, unsigned depth);

/* What a name stands for: a leaf may hold whole numbers, except parameters; what is computed says it. */
static bool whole_read(Core *c, Def d, unsigned depth)
{
	DefInfo info = *core_def(c, d);
	if (info.role != DEF_VALUE && info.role != DEF_REDUCTION && info.role != DEF_CONST) {
		return info.role != DEF_PARAM;
	}
	bool keeps = info.red == RED_NONE || info.red == RED_SUM || info.red == RED_PROD ||
		     info.red == RED_MAX || info.red == RED_MIN;
	for (uint32_t i = 0; i < info.npiece && keeps; i++) {
		keeps = whole(c, info.piece[i].value, depth + 1);
	}
	return keeps;
}

/* Does the text say that the number is a whole one, as round(x) or `if c then 1 else 0`? A recurrence that reads itself
 * deeper than one looks counts as whole: nothing is refused that may be right. */
static bool whole(Core *c, Node n, unsigned depth)
{
	enum { DEPTH = 40 };
	NodeInfo i = *core_node(c, n);
	bool all = i.num == floor(i.num);
	if (i.kind != KIND_REAL || depth > DEPTH) {
		return true;
	}
	switch (i.tag) {
	case NODE_READ:
		return whole_read(c, i.ref, depth);
	case NODE_OP:
		if (i.op == OP_round || i.op == OP_floor || i.op == OP_ceil || i.op == OP_sign ||
		    i.op == OP_real) {
			return true;
		}
		all = i.op == OP_min || i.op == OP_max || i.op == OP_abs;
		break;
	case NODE_CONST:
	case NODE_LIN:
	case NODE_PROD:
	case NODE_SELECT:
	case NODE_GUARD:
	case NODE_STOP:
		break;
	default:
		return false;
	}
	for (uint32_t k = 0; k < i.n && all; k++) {
		all = (i.tag != NODE_LIN || i.coef[k] == floor(i.coef[k])) &&
		      (i.tag != NODE_PROD || i.expo[k] > 0) && whole(c, i.arg[k], depth + 1);
	}
	return all;
}

/* A probability or a score never equals a label: an accuracy of 0 would be said of a good classifier. Which threshold is
 * meant (1/2 of a probability, 0 of a score) the program alone knows. */
static bool decided(Elab *e, const Val *p, const Val *y)
{
	if (p->elem != ELEM_REAL || whole(e->core, p->re, 0)) {
		return true;
	}
	Diag *d = diag_wrong_arguments(elab_diags(e), p->span, "accuracy",
				       "counts equal values, and this prediction is a real number that is no label");
	diag_help(d, "decide first:  accuracy[…](%s, truth),  or  argmax[k](scores[k])  of several",
		  y->elem == ELEM_SPIN	 ? "sign(p)"
		  : y->elem == ELEM_BOOL ? "p > 0.5"
					 : "if p > 0.5 then 1 else 0");
	return false;
}

static Val accuracy(Elab *e, Span at, const Bound *b, Val p, Val y)
{
	Core *c = e->core;
	Node right;
	if (!decided(e, &p, &y)) {
		return val_error(at);
	}
	if (p.elem == ELEM_BOOL && y.elem == ELEM_BOOL) {
		right = core_op2(c, OP_beq, p.re, y.re);
	} else if (p.elem == ELEM_INT && y.elem == ELEM_INT) {
		right = core_op2(c, OP_ieq, p.re, y.re);
	} else {
		if (p.elem == ELEM_BOOL) {
			p = val_num(
				e, p.span, ELEM_REAL, 0,
				core_select(c, p.re, core_real_const(c, 1), core_real_const(c, 0)));
		}
		if (y.elem == ELEM_BOOL) {
			y = val_num(
				e, y.span, ELEM_REAL, 0,
				core_select(c, y.re, core_real_const(c, 1), core_real_const(c, 0)));
		}
		if (!val_real(e, &p) || !val_real(e, &y) || !val_agree(e, at, &p, &y)) {
			return val_error(at);
		}
		right = core_op2(c, OP_eq, p.re, y.re);
	}
	Val hit = val_num(e, at, ELEM_REAL, 0,
			  core_select(c, right, core_real_const(c, 1), core_real_const(c, 0)));
	return reduce_linear(e, at, b, hit, true);
}

Val reduce_metric(Elab *e, Scope *s, const Ast *ast, const Bound *b, const char *name)
{
	Span at = ast->span;
	const Ast *body = ast->kid[1];
	while (body->kind == AST_PAREN) {
		body = body->kid[0];
	}
	if (body->kind != AST_TUPLE || body->nkid != 2) {
		diag_wrong_arguments(elab_diags(e), at, name,
				     "takes two values: prediction and truth");
		return val_error(at);
	}
	Val p = elab_expr(e, s, body->kid[0]), y = elab_expr(e, s, body->kid[1]);
	p.span = body->kid[0]->span;
	if (p.tag == VAL_ERROR || y.tag == VAL_ERROR) {
		return val_error(at);
	}
	if (!val_scalar(&p) || !val_scalar(&y)) {
		diag_help(diag_type_mismatch(elab_diags(e), at,
					     val_type(e, val_scalar(&p) ? &y : &p),
					     "one number for each record"),
			  "bind the other indices too:  %s[s in data, i in axis](…)", name);
		return val_error(at);
	}
	if (strcmp(name, "accuracy") == 0) {
		return accuracy(e, at, b, p, y);
	}
	if (y.elem == ELEM_BOOL) {
		y = val_num(e, y.span, ELEM_REAL, 0,
			    core_select(e->core, y.re, core_real_const(e->core, 1),
					core_real_const(e->core, 0)));
	}
	if (!val_real(e, &p) || !val_real(e, &y)) {
		return val_error(at);
	}
	if (strcmp(name, "auc") == 0) {
		if (b->n != 1) {
			diag_wrong_arguments(elab_diags(e), at, name, "takes one index");
			return val_error(at);
		}
		return val_num(e, at, ELEM_REAL, 0, auc_node(e, at, b, p.re, y.re));
	}
	if (!val_agree(e, at, &y, &p)) {
		return val_error(at);
	}
	Core *c = e->core;
	Node difference = core_sub(c, p.re, y.re), count = reduce_count(e, at, b);
	Val r = val_num(e, at, ELEM_REAL, y.unit, 0);
	if (strcmp(name, "mae") == 0) {
		r.re = core_div(c, reduce_node(e, RED_SUM, at, b, core_op1(c, OP_abs, difference)),
				count);
		return r;
	}
	Node sse = reduce_node(e, RED_SUM, at, b, square(e, difference));
	if (strcmp(name, "rmse") == 0) {
		r.re = core_op1(c, OP_sqrt, core_div(c, sse, count));
		return r;
	}
	Node mean = core_div(c, reduce_node(e, RED_SUM, at, b, y.re), count);
	Node spread = reduce_node(e, RED_SUM, at, b, square(e, core_sub(c, y.re, mean)));
	r.unit = 0;
	r.re = core_sub(c, core_real_const(c, 1), core_div(c, sse, spread));
	return r;
}

bool reduce_is_metric(const char *name)
{
	static const char *const row[] = {"r2", "rmse", "mae", "auc", "accuracy"};
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		if (strcmp(row[i], name) == 0) {
			return true;
		}
	}
	return false;
}
