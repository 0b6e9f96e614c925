/* elab_reduce.c — reducers, binders, comprehensions, expectations and metrics over data. SPEC:
 * reducers. */
#include "lang/elab_reduce.h"

#include <string.h>

static void bind_index(Elab *e, Scope *in, Bound *b, Sym name, Span at, AxisRef axis)
{
	Index ix = core_index(e->core, axis.axis, name);
	Val v = val_num(e, at, ELEM_INT, 0, core_index_value(e->core, ix));
	v.of = axis.axis;
	if (name) {
		scope_put(e, in, name, at, v);
	}
	uint32_t n = b->n;
	Index *more = arena_array(e->arena, Index, n + 1);
	Node *rec = arena_array(e->arena, Node, n + 1);
	if (n) {
		memcpy(more, b->ix, n * sizeof *more);
		memcpy(rec, b->rec, n * sizeof *rec);
	}
	more[n] = ix;
	rec[n] = axis.record;
	b->ix = more;
	b->rec = rec;
	b->n = n + 1;
	in->ctx = more;
	in->nctx = n + 1;
	const AxisInfo *info = core_axis_info(e->core, axis.axis);
	if (info->length && axis.record) { /* only the places that this record has */
		Node length = core_read(e->core, info->length, &axis.record);
		Node end = core_add(e->core, length, core_int_const(e->core, info->first));
		Node inside = core_op2(e->core, OP_ilt, core_index_value(e->core, ix), end);
		b->filter = b->filter ? core_op2(e->core, OP_and, b->filter, inside) : inside;
	}
}

static void add_filter(Elab *e, Bound *b, Node cond)
{
	b->filter = b->filter ? core_op2(e->core, OP_and, b->filter, cond) : cond;
}

/* Coordinates of points, (x,t) in I: each is an alias that one may differentiate by, one per point
 * set. */
static bool bind_points(Elab *e, Scope *in, Bound *b, const Ast *pattern, DataInfo *data)
{
	uint32_t n = pattern->kind == AST_TUPLE ? pattern->nkid : 1;
	if (n != data->nfield) {
		diag_wrong_arguments(elab_diags(e), pattern->span, elab_text(e, data->name),
				     arena_printf(e->arena, "has %u coordinates", data->nfield));
		return false;
	}
	bind_index(e, in, b, 0, pattern->span, (AxisRef){data->records, 0});
	Node record = core_index_value(e->core, b->ix[b->n - 1]);
	for (uint32_t i = 0; i < n; i++) {
		const Ast *p = pattern->kind == AST_TUPLE ? pattern->kid[i] : pattern;
		Val row = {.tag = VAL_RECORD, .data = data, .record = record, .span = p->span};
		Val v = data_field(e, &row, data->field[i].name, p->span, p->span);
		if (v.tag == VAL_ERROR) {
			return false;
		}
		scope_put(e, in, p->name, p->span,
			  v.elem == ELEM_REAL ? diff_alias(e, p->name, &v) : v);
	}
	return true;
}

static bool bind_data(Elab *e, Scope *in, Bound *b, const Ast *pattern, DataInfo *data)
{
	b->data = data;
	if (pattern->kind == AST_TUPLE || (data->kind == DATA_POINTS && data->nfield == 1 &&
					   pattern->name == data->field[0].name)) {
		return bind_points(e, in, b, pattern, data);
	}
	bind_index(e, in, b, 0, pattern->span, (AxisRef){data->records, 0});
	Val v = {.tag = VAL_RECORD,
		 .span = pattern->span,
		 .data = data,
		 .record = core_index_value(e->core, b->ix[b->n - 1])};
	scope_put(e, in, pattern->name, pattern->span, v);
	return true;
}

/* a in linspace(0, 1, 11): the name is each of the array's values in turn. */
static void bind_values(Elab *e, Scope *in, Bound *b, const Ast *pattern, const Val *array)
{
	bind_index(e, in, b, 0, pattern->span, val_axis(e, array, 0));
	Node place = core_index_value(e->core, b->ix[b->n - 1]);
	Val one = val_subst(e, array, 1, array->ix, &place);
	one.rank = 0;
	one.n = 0;
	one.span = pattern->span;
	scope_put(e, in, pattern->name, pattern->span, one);
}

/* (i,j) in pairs(axis): i before j. */
static bool bind_pairs(Elab *e, Scope *s, Scope *in, Bound *b, const Ast *pattern, const Ast *set)
{
	AxisRef axis;
	if (pattern->kind != AST_TUPLE || pattern->nkid != 2 || set->nkid != 2) {
		diag_wrong_arguments(elab_diags(e), set->span, "pairs",
				     "is written  (i,j) in pairs(axis)");
		return false;
	}
	if (!axis_of_expr(e, s, set->kid[1], &axis)) {
		return false;
	}
	bind_index(e, in, b, pattern->kid[0]->name, pattern->kid[0]->span, axis);
	bind_index(e, in, b, pattern->kid[1]->name, pattern->kid[1]->span, axis);
	add_filter(e, b,
		   core_op2(e->core, OP_ilt, core_index_value(e->core, b->ix[b->n - 2]),
			    core_index_value(e->core, b->ix[b->n - 1])));
	return true;
}

static bool is_call_of(Elab *e, const Ast *ast, const char *name)
{
	return ast->kind == AST_CALL && ast->kid[0]->kind == AST_NAME &&
	       strcmp(elab_text(e, ast->kid[0]->name), name) == 0;
}

/* The type that the array literal is given to says it. */
static bool wanted_axis(const Bound *b, AxisRef *axis)
{
	if (b->n >= b->nwanted || !b->wanted[b->n].axis) {
		return false;
	}
	*axis = b->wanted[b->n];
	return true;
}

bool elab_bind(Elab *e, Scope *in, const Ast *binder, const Ast *body, const Ast *filter, Bound *b)
{
	const Ast *pattern = binder->kid[0], *set = binder->nkid > 1 ? binder->kid[1] : NULL;
	Scope *s = in->parent;
	if (!pattern || pattern->kind == AST_ERROR_EXPR) {
		return false;
	}
	if (!set) {
		AxisRef axis;
		if (pattern->kind != AST_NAME) {
			diag_bad_statement_place(elab_diags(e), pattern->span, "a pattern",
						 "without a set: write  (a,b) in …");
			return false;
		}
		if (!axis_infer(e, in, pattern->name, body, &axis) &&
		    !axis_infer(e, in, pattern->name, filter, &axis) && !wanted_axis(b, &axis)) {
			if (!axis_blamed(e, in, pattern->name, body) &&
			    !axis_blamed(e, in, pattern->name, filter)) {
				Diag *d = diag_index_axis_unknown(elab_diags(e), pattern->span,
								  elab_text(e, pattern->name));
				diag_help(d, "say it:  [%s in axis …]",
					  elab_text(e, pattern->name));
			}
			return false;
		}
		bind_index(e, in, b, pattern->name, pattern->span, axis);
		return true;
	}
	if (is_call_of(e, set, "pairs")) {
		return bind_pairs(e, s, in, b, pattern, set);
	}
	Val v = elab_callee(e, s, set);
	if (v.tag == VAL_ERROR) {
		return false;
	}
	if (v.tag == VAL_DATA) {
		return bind_data(e, in, b, pattern, v.data);
	}
	AxisRef axis;
	if (pattern->kind != AST_NAME) {
		diag_type_mismatch(elab_diags(e), set->span, val_type(e, &v),
				   "a set of points or pairs(axis)");
		return false;
	}
	if (v.tag == VAL_NUM && v.rank == 1 && !v.mixed) {
		bind_values(e, in, b, pattern, &v);
		return true;
	}
	if (!axis_of_expr(e, s, set, &axis)) {
		return false;
	}
	bind_index(e, in, b, pattern->name, pattern->span, axis);
	return true;
}

/* ---- the reductions themselves
 * --------------------------------------------------------------------------------------- */
Node reduce_node(Elab *e, RedKind red, Span at, const Bound *b, Node body)
{
	core_at(e->core, at);
	if (b->filter) {
		body = core_filter(e->core, red, b->filter, body);
	}
	return core_reduce(e->core, red, 0, at, b->n, b->ix, body);
}

/* Sums over a short literal are written out, so that W[i,0]*x + W[i,1]*t stays what it is. */
static bool write_out(Elab *e, const Bound *b, const Val *body, Val *out)
{
	if (b->n != 1 || b->filter) {
		return false;
	}
	const AxisInfo *info = core_axis_info(e->core, core_index_axis(e->core, b->ix[0]));
	if (!(info->flags & AXIS_ANONYMOUS) || info->size > 4 || info->size < 1) {
		return false;
	}
	Val sum = *body;
	for (int64_t k = 0; k < info->size; k++) {
		Node at = core_int_const(e->core, info->first + k);
		Val term = val_subst(e, body, 1, b->ix, &at);
		sum.re = k ? core_add(e->core, sum.re, term.re) : term.re;
		sum.im = body->im ? (k ? core_add(e->core, sum.im, term.im) : term.im) : 0;
	}
	*out = sum;
	return true;
}

Node reduce_count(Elab *e, Span at, const Bound *b)
{
	if (b->filter) {
		return reduce_node(e, RED_SUM, at, b, core_real_const(e->core, 1));
	}
	Node n = core_real_const(e->core, 1);
	for (uint32_t i = 0; i < b->n; i++) {
		n = core_mul(
			e->core, n,
			core_real(e->core, core_size(e->core, core_index_axis(e->core, b->ix[i]))));
	}
	return n;
}

Val reduce_linear(Elab *e, Span at, const Bound *b, Val body, bool mean)
{
	if (body.tag == VAL_TUPLE) {
		Val r = body;
		r.item = arena_array(e->arena, Val, body.n + 1);
		for (uint32_t i = 0; i < body.n; i++) {
			r.item[i] = reduce_linear(e, at, b, body.item[i], mean);
			if (r.item[i].tag == VAL_ERROR) {
				return val_error(at);
			}
		}
		return r;
	}
	if (body.elem != ELEM_COMPLEX && (body.elem != ELEM_INT || mean) && !val_real(e, &body)) {
		return val_error(at);
	}
	if (body.mixed) {
		val_agree(e, at, &body, &body);
		return val_error(at);
	}
	if (!b->filter &&
	    (!places_inside(e, body.re, b->n, b->ix) || !places_inside(e, body.im, b->n, b->ix))) {
		return val_error(at);
	}
	Val r = body;
	if (!write_out(e, b, &body, &r)) {
		r.re = reduce_node(e, RED_SUM, at, b, body.re);
		r.im = body.im ? reduce_node(e, RED_SUM, at, b, body.im) : 0;
	}
	if (mean) {
		Node count = reduce_count(e, at, b);
		r.re = core_div(e->core, r.re, count);
		r.im = r.im ? core_div(e->core, r.im, count) : 0;
	}
	r.span = at;
	r.n = 0;
	r.of = 0;
	r.literal = false;
	return r;
}

static RedKind red_kind(const char *name)
{
	static const struct {
		const char *name;
		RedKind red;
	} row[] = {{"max", RED_MAX},       {"min", RED_MIN},
		   {"prod", RED_PROD},     {"logsumexp", RED_LOGSUMEXP},
		   {"argmax", RED_ARGMAX}, {"argmin", RED_ARGMIN},
		   {"all", RED_ALL},       {"any", RED_ANY}};
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		if (strcmp(row[i].name, name) == 0) {
			return row[i].red;
		}
	}
	return RED_NONE;
}

static Val nonlinear(Elab *e, Span at, RedKind red, const Bound *b, Val body)
{
	if (body.tag != VAL_NUM || body.rank) {
		diag_type_mismatch(elab_diags(e), body.span, val_type(e, &body),
				   "one number for each index");
		return val_error(at);
	}
	Val r = body;
	r.span = at;
	r.literal = false;
	if (red == RED_ALL || red == RED_ANY) {
		if (body.elem != ELEM_BOOL) {
			diag_type_mismatch(elab_diags(e), body.span, val_type(e, &body),
					   "a truth value");
			return val_error(at);
		}
	} else if (!(body.elem == ELEM_INT && (red == RED_MAX || red == RED_MIN)) &&
		   !val_real(e, &r)) {
		return val_error(at);
	}
	if ((red == RED_PROD || red == RED_LOGSUMEXP) && !val_pure(e, &r)) {
		return val_error(at);
	}
	if ((red == RED_ARGMAX || red == RED_ARGMIN) && b->n != 1) {
		diag_wrong_arguments(elab_diags(e), at, "argmax", "takes one index");
		return val_error(at);
	}
	if (!b->filter && !places_inside(e, r.re, b->n, b->ix)) {
		return val_error(at);
	}
	r.re = reduce_node(e, red, at, b, r.re);
	if (red == RED_ARGMAX || red == RED_ARGMIN) {
		r.elem = ELEM_INT;
		r.unit = 0;
		r.of = core_index_axis(e->core, b->ix[0]);
	} else {
		r.of = 0;
	}
	return r;
}

/* ---- sum[p in params(f)] …
 * ---------------------------------------------------------------------------------------------------
 */
static Val over_params(Elab *e, Scope *s, const Ast *ast, const Ast *binder, bool mean)
{
	Span at = ast->span;
	const Ast *set = binder->kid[1];
	uint32_t n;
	ParamInfo **param;
	if (!params_of_list(e, s, set->nkid - 1, set->kid + 1, &n, &param)) {
		return val_error(at);
	}
	Val total = val_num(e, at, ELEM_REAL, 0, core_real_const(e->core, 0));
	total.literal = true;
	Node count = core_real_const(e->core, 0);
	for (uint32_t i = 0; i < n; i++) {
		Scope *in = scope_new(e, s, NULL);
		Val p = param_value(e, binder->kid[0]->span, param[i], ELEM_REAL);
		Bound b = {.n = p.rank, .ix = p.ix};
		Val entry = p;
		entry.rank = 0;
		in->ctx = p.ix;
		in->nctx = p.rank;
		scope_put(e, in, binder->kid[0]->name, binder->kid[0]->span, entry);
		Val body = elab_expr(e, in, ast->kid[1]);
		if (body.tag == VAL_ERROR) {
			return body;
		}
		Val term = p.rank ? reduce_linear(e, at, &b, body, false) : body;
		if (term.tag == VAL_ERROR || !val_real(e, &term)) {
			return val_error(at);
		}
		total = val_binary(e, at, SYM(e, "+"), total, term);
		if (total.tag == VAL_ERROR) {
			return total;
		}
		count = core_add(e->core, count, reduce_count(e, at, &b));
	}
	if (mean) {
		total.re = core_div(e->core, total.re, count);
	}
	return total;
}

/* ---- expect[e ~ normal(z), n = 4] …
 * --------------------------------------------------------------------------------------------- */
static Val expect(Elab *e, Scope *s, const Ast *ast)
{
	Span at = ast->span;
	const Ast *binders = ast->kid[0];
	Scope *in = scope_new(e, s, NULL);
	int64_t samples = 1;
	for (uint32_t i = 0; i < binders->nkid; i++) {
		const Ast *b = binders->kid[i];
		bool named = b->kind == AST_NAMEDARG || b->kind == AST_EQUATE;
		if (named) {
			Val n = elab_expr(e, s, b->kind == AST_NAMEDARG ? b->kid[0] : b->kid[1]);
			if (n.tag == VAL_ERROR) {
				return n;
			}
			if (!val_const_int(e, &n, &samples) || samples < 1) {
				diag_not_constant(elab_diags(e), b->span, "the number of samples");
				return val_error(at);
			}
		}
	}
	Bound bound = {0};
	bind_index(e, in, &bound, 0, at, (AxisRef){axis_range(e, 1, samples), 0});
	bool any = false;
	for (uint32_t i = 0; i < binders->nkid; i++) {
		const Ast *b = binders->kid[i];
		if (b->kind != AST_BINDER) {
			continue;
		}
		Val dist = b->nkid > 1 && b->kid[1] && (b->flags & AST_DRAW)
				   ? elab_expr(e, s, b->kid[1])
				   : val_error(at);
		if (dist.tag == VAL_ERROR) {
			if (!(b->flags & AST_DRAW)) {
				diag_bad_statement_place(elab_diags(e), b->span, "this binder",
							 "in expect: write  e ~ normal(axis)");
			}
			return val_error(at);
		}
		Val draw = elab_draw(e, in, &dist, b->span, 0, NULL, true);
		if (draw.tag == VAL_ERROR) {
			return draw;
		}
		any = true;
		if (b->kid[0]->kind == AST_NAME) {
			scope_put(e, in, b->kid[0]->name, b->kid[0]->span,
				  val_name(e, in, b->kid[0]->name, draw, DEF_USER));
		}
	}
	if (!any) {
		diag_wrong_arguments(elab_diags(e), at, "expect",
				     "needs a random variable: expect[e ~ normal(axis)] …");
		return val_error(at);
	}
	Val body = ast->kid[1]->kind == AST_BLOCK ? elab_block(e, in, ast->kid[1])
						  : elab_expr(e, in, ast->kid[1]);
	if (body.tag == VAL_ERROR) {
		return body;
	}
	if (body.tag != VAL_NUM) {
		diag_type_mismatch(elab_diags(e), ast->kid[1]->span, val_type(e, &body),
				   "a number");
		return val_error(at);
	}
	if (samples == 1) {
		Node first = core_int_const(e->core, 1);
		return val_subst(e, &body, 1, bound.ix, &first);
	}
	return reduce_linear(e, at, &bound, body, true);
}

/* ---- entry
 * ------------------------------------------------------------------------------------------------------------------------
 */
bool reduce_bind(Elab *e, Scope *in, const Ast *binders, const Ast *body, Bound *b)
{
	bool ok = true;
	const Ast *filter = (binders->flags & AST_FILTER) && binders->nkid
				    ? binders->kid[binders->nkid - 1]
				    : NULL;
	uint32_t n = binders->nkid - (filter ? 1 : 0);
	for (uint32_t i = 0; i < n; i++) {
		const Ast *binder = binders->kid[i];
		if (!binder || binder->kind != AST_BINDER) {
			if (binder && binder->kind != AST_ERROR_EXPR) {
				diag_bad_statement_place(elab_diags(e), binder->span, "this",
							 "among the indices of a reducer");
			}
			return false;
		}
		ok = elab_bind(e, in, binder, body, filter, b) && ok;
		if (!ok && binder->kid[0] &&
		    binder->kid[0]->kind == AST_NAME) { /* poison: no follow-up about the name */
			scope_put(e, in, binder->kid[0]->name, binder->span,
				  val_error(binder->span));
		}
	}
	if (ok && filter) {
		Val f = elab_expr(e, in, filter);
		if (f.tag == VAL_ERROR) {
			return false;
		}
		if (!val_scalar(&f) || f.elem != ELEM_BOOL) {
			diag_type_mismatch(elab_diags(e), filter->span, val_type(e, &f),
					   "a truth value");
			return false;
		}
		add_filter(e, b, f.re);
	}
	return ok;
}

Val elab_reduce(Elab *e, Scope *s, const Ast *ast)
{
	const char *name = elab_text(e, ast->name);
	const Ast *binders = ast->kid[0];
	if (strcmp(name, "expect") == 0) {
		return expect(e, s, ast);
	}
	bool mean = strcmp(name, "mean") == 0,
	     sum = strcmp(name, "sum") == 0 || strcmp(name, "count") == 0;
	if ((mean || sum) && binders->nkid == 1 && binders->kid[0]->kind == AST_BINDER &&
	    binders->kid[0]->nkid > 1 && binders->kid[0]->kid[1] &&
	    is_call_of(e, binders->kid[0]->kid[1], "params") &&
	    binders->kid[0]->kid[0]->kind == AST_NAME) {
		return over_params(e, s, ast, binders->kid[0], mean);
	}
	Scope *in = scope_new(e, s, NULL);
	Bound b = {0};
	if (!reduce_bind(e, in, binders, ast->kid[1], &b)) {
		return val_error(ast->span);
	}
	if (reduce_is_metric(name)) {
		return reduce_metric(e, in, ast, &b, name);
	}
	Val body = elab_expr(e, in, ast->kid[1]);
	if (body.tag == VAL_ERROR) {
		return val_error(ast->span);
	}
	if (strcmp(name, "count") == 0) {
		if (!val_scalar(&body) || body.elem != ELEM_BOOL) {
			diag_type_mismatch(elab_diags(e), ast->kid[1]->span, val_type(e, &body),
					   "a truth value to be counted");
			return val_error(ast->span);
		}
		Node one = core_select(e->core, body.re, core_int_const(e->core, 1),
				       core_int_const(e->core, 0));
		body = val_num(e, ast->span, ELEM_INT, 0, one);
	}
	if (mean || sum) {
		if (body.tag != VAL_NUM && body.tag != VAL_TUPLE) {
			diag_type_mismatch(elab_diags(e), ast->kid[1]->span, val_type(e, &body),
					   "a number");
			return val_error(ast->span);
		}
		return reduce_linear(e, ast->span, &b, body, mean);
	}
	RedKind red = red_kind(name);
	if (red == RED_NONE) {
		diag_undefined_name(elab_diags(e), ast->span, name);
		return val_error(ast->span);
	}
	return nonlinear(e, ast->span, red, &b, body);
}
