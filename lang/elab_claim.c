/* elab_claim.c — `test` and `assert`: their free names, the two sides as definitions, the
 * tolerance. Keeps: every variable of a claim is a RUNTIME leaf that the run fills for each trial;
 * the definitions of a claim have the claim's free indices as formals, then the axes of the
 * compared arrays. SPEC: claims. */
#include "lang/elab_claim_int.h"

#include <math.h>
#include <string.h>

/* ---- options ---- */

static bool claim_name(Claiming *k, const Ast *value, const Val *v)
{
	Elab *e = k->e;
	if (v->tag != VAL_STRING) {
		diag_help(diag_type_mismatch(elab_diags(e), value->span, val_type(e, v),
					     "the name of the claim, a text"),
			  "as in  assert gap < 1e-6 as \"gap to the closed form\"");
		return false;
	}
	k->claim->name = elab_text(e, v->string);
	return true;
}

static bool claim_option(Claiming *k, const Ast *option)
{
	Elab *e = k->e;
	const char *name = elab_text(e, option->name);
	const Ast *value = option->kid[0];
	if (strcmp(name, "within") == 0) {
		k->within = value;
		return true;
	}
	if (strcmp(name, "forvar") == 0) {
		return claim_for(k, value);
	}
	Val v = elab_callee(e, k->in, value);
	if (v.tag != VAL_ERROR && strcmp(name, "as") == 0) {
		return claim_name(k, value, &v);
	}
	if (v.tag == VAL_ERROR) {
		return false;
	}
	if (strcmp(name, "on") == 0) {
		k->domain = v.tag == VAL_DOMAIN ? v.domain : NULL;
		if (!k->domain) {
			diag_type_mismatch(elab_diags(e), value->span, val_type(e, &v), "a domain");
		}
		return k->domain != NULL;
	}
	if (!val_const_int(e, &v, &k->claim->trials) || k->claim->trials < 1) {
		diag_help(diag_not_constant(elab_diags(e), value->span,
					    "the number of trials, a whole number of at least 1,"),
			  "as in  for 1000");
		return false;
	}
	if (k->claim->trials > INT64_C(1000000000)) {
		diag_too_large(elab_diags(e), value->span, "the number of trials", "10^9");
		return false;
	}
	return true;
}

/* A tolerance in the unit of the sides, or a bare number, is a bound of |left - right|; a share
 * (1%), or a bare number where the sides have a unit, is relative to the size of the terms. */
static bool set_tolerance(Claiming *k, UnitId unit)
{
	Elab *e = k->e;
	Claim *c = k->claim;
	c->within = 1e-9;
	if (!k->within) {
		return true;
	}
	Val v = elab_expr(e, k->in, k->within);
	if (v.tag == VAL_ERROR) {
		return false;
	}
	if (!val_scalar(&v) || v.elem == ELEM_BOOL || v.elem == ELEM_COMPLEX) {
		diag_type_mismatch(elab_diags(e), v.span, val_type(e, &v),
				   "a tolerance, a positive number");
		return false;
	}
	bool share = k->within->kind == AST_NUM && (k->within->flags & AST_PERCENT);
	bool bare = !unit_resolve(e->units, v.unit);
	c->within_absolute = !share && !(bare && unit);
	if (!val_real(e, &v) || (c->within_absolute && !val_convert(e, &v, unit))) {
		return false;
	}
	if (!elab_node_value(e, v.re, &c->within) || !(c->within >= 0) || isinf(c->within)) {
		diag_not_constant(elab_diags(e), k->within->span,
				  "the tolerance, a number of at least 0,");
		return false;
	}
	return true;
}

/* ---- the two sides ---- */

/* Sum of the sizes of the terms of a node: |a| + |b| for a - b, under sums and inside definitions a
 * few levels down, so that a sum that cancels is compared with what cancels. */
static Node size_of(Elab *e, Node n, unsigned depth);

static Node size_of_lin(Elab *e, const NodeInfo *i, unsigned depth)
{
	Node sum = core_real_const(e->core, fabs(i->num));
	for (uint32_t k = 0; k < i->n; k++) {
		sum = core_add(e->core, sum,
			       core_scale(e->core, fabs(i->coef[k]), size_of(e, i->arg[k], depth)));
	}
	return sum;
}

static Node size_of_prod(Elab *e, const NodeInfo *i, unsigned depth)
{
	Node product = core_real_const(e->core, 1);
	for (uint32_t k = 0; k < i->n; k++) {
		Node a = i->expo[k] > 0 ? size_of(e, i->arg[k], depth)
					: core_op1(e->core, OP_abs, core_real(e->core, i->arg[k]));
		product = core_mul(e->core, product, core_powi(e->core, a, i->expo[k]));
	}
	return product;
}

static Node size_of_read(Elab *e, Node n, const NodeInfo *i, unsigned depth)
{
	const DefInfo *d = core_def(e->core, i->ref);
	bool sum = d->role == DEF_REDUCTION && d->red == RED_SUM;
	bool value = d->role == DEF_VALUE && d->npiece == 1 && !d->piece[0].box &&
		     !(d->flags & DEF_VARIABLE);
	if (!sum && !value) {
		return core_op1(e->core, OP_abs, n);
	}
	uint32_t nbound = d->nbound;
	Span at = d->span;
	Index *bound = NULL;
	Node body = size_of(e, core_open(e->core, i->ref, 0, i->arg, &bound), depth);
	return sum ? core_reduce(e->core, RED_SUM, 0, at, nbound, bound, body) : body;
}

static Node size_of(Elab *e, Node n, unsigned depth)
{
	NodeInfo i = *core_node(e->core, n);
	if (i.kind == KIND_INT) {
		return core_op1(e->core, OP_abs, core_real(e->core, n));
	}
	if (depth == 0) {
		return core_op1(e->core, OP_abs, n);
	}
	switch ((NodeTag)i.tag) {
	case NODE_LIN:
		return size_of_lin(e, &i, depth - 1);
	case NODE_PROD:
		return size_of_prod(e, &i, depth - 1);
	case NODE_READ:
		return size_of_read(e, n, &i, depth - 1);
	case NODE_GUARD:
		return core_guard(e->core, i.arg[0], size_of(e, i.arg[1], depth - 1));
	case NODE_SELECT: {
		Node yes = size_of(e, i.arg[1], depth - 1);
		return core_select(e->core, i.arg[0], yes, size_of(e, i.arg[2], depth - 1));
	}
	default:
		return core_op1(e->core, OP_abs, n);
	}
}

enum { SIZE_DEPTH = 4 };

/* Are the places of all free indices within their records? 0: nothing to ask. */
static Node valid_places(Claiming *k, uint32_t n, const Index *ix, const Node *rec)
{
	Core *c = k->e->core;
	Node valid = 0;
	for (uint32_t i = 0; i < n; i++) {
		const AxisInfo *info = core_axis_info(c, core_index_axis(c, ix[i]));
		if (!info->length || !rec[i]) {
			continue;
		}
		int64_t first = info->first;
		Node end =
			core_add(c, core_read(c, info->length, &rec[i]), core_int_const(c, first));
		Node inside = core_op2(c, OP_ilt, core_index_value(c, ix[i]), end);
		valid = valid ? core_op2(c, OP_and, valid, inside) : inside;
	}
	return valid;
}

typedef struct Sides {
	uint32_t n;
	Index *ix;
	Node valid;
} Sides;

/* Formals of the claim's definitions: its free indices, then those of the compared arrays. */
static Sides formals_of(Claiming *k, const Val *v)
{
	uint32_t n = k->nix + v->rank;
	Sides s = {.n = n, .ix = arena_array(k->e->arena, Index, n + 2)};
	Node *rec = arena_array(k->e->arena, Node, n + 1);
	for (uint32_t i = 0; i < n; i++) {
		s.ix[i] = i < k->nix ? k->ix[i] : v->ix[i - k->nix];
		rec[i] = i < k->nix ? k->rec[i] : v->rec ? v->rec[i - k->nix] : 0;
	}
	s.valid = valid_places(k, n, s.ix, rec);
	return s;
}

static Def side_def(Claiming *k, const Sides *s, const char *name, Node body)
{
	Elab *e = k->e;
	body = s->valid ? core_guard(e->core, s->valid, body) : body;
	return core_share(e->core, SYM(e, name), k->claim->span, s->n, s->ix, body, DEF_KEEP);
}

static Def condition_def(Claiming *k, const Sides *s, Node condition)
{
	Elab *e = k->e;
	if (s->valid) {
		condition =
			core_select(e->core, s->valid, condition, core_bool_const(e->core, true));
	}
	return core_share(e->core, SYM(e, "condition"), k->claim->span, s->n, s->ix, condition,
			  DEF_KEEP);
}

/* Complex sides get one more index: 0 for the real, 1 for the imaginary part. */
static Node part_of(Claiming *k, Index part, const Val *v)
{
	Core *c = k->e->core;
	Node real = core_op2(c, OP_ieq, core_index_value(c, part), core_int_const(c, 0));
	return core_select(c, real, v->re, v->im);
}

static bool same_axes(Claiming *k, Span at, const Val *a, const Val *b)
{
	Elab *e = k->e;
	if (a->rank != b->rank) {
		Diag *d = diag_rank_mismatch(elab_diags(e), at, "the right side", b->rank, a->rank);
		diag_help(d, "compare element by element, as in  a[i] == 0");
		return false;
	}
	for (uint32_t i = 0; i < a->rank; i++) {
		AxisRef x = val_axis(e, a, i), y = val_axis(e, b, i);
		if (!axis_same(e, x, y)) {
			axis_differs(e, at, y, x);
			return false;
		}
	}
	return true;
}

static Node comparison(Core *c, const char *op, Node a, Node b)
{
	if (op[0] == '!') {
		return core_op2(c, OP_ne, a, b);
	}
	Op row = op[1] == '=' ? OP_le : OP_lt;
	return op[0] == '>' ? core_op2(c, (uint16_t)row, b, a) : core_op2(c, (uint16_t)row, a, b);
}

bool claim_compare(Claiming *k, Span at, const char *op, Val a, Val b)
{
	Elab *e = k->e;
	Claim *c = k->claim;
	bool complex = a.elem == ELEM_COMPLEX || b.elem == ELEM_COMPLEX,
	     equal = strcmp(op, "==") == 0;
	if (complex && !equal) {
		diag_type_mismatch(elab_diags(e), at, "complex",
				   "a real number (complex numbers are not ordered)");
		return false;
	}
	literal_fit(k->e, &a, &b);
	literal_fit(k->e, &b, &a);
	if (!same_axes(k, at, &a, &b) ||
	    !(complex ? val_to_complex(e, &a) && val_to_complex(e, &b)
		      : val_real(e, &a) && val_real(e, &b)) ||
	    !val_agree(e, at, &a, &b)) {
		return false;
	}
	b = val_align(e, &b, &a);
	core_at(e->core, at);
	Sides s = formals_of(k, &a);
	Node left = a.re, right = b.re;
	Node size = core_add(e->core, size_of(e, a.re, SIZE_DEPTH), size_of(e, b.re, SIZE_DEPTH));
	if (complex) {
		Index part = core_index(e->core, core_axis_anonymous(e->core, 2), SYM(e, "part"));
		size = core_add(e->core, size,
				core_add(e->core, size_of(e, a.im, SIZE_DEPTH),
					 size_of(e, b.im, SIZE_DEPTH)));
		left = part_of(k, part, &a);
		right = part_of(k, part, &b);
		s.ix[s.n++] = part;
	}
	c->compare = SYM(e, op);
	c->unit = unit_resolve(e->units, a.unit);
	c->left = side_def(k, &s, "left", left);
	c->right = side_def(k, &s, "right", right);
	if (equal) {
		c->scale = side_def(k, &s, "size", size);
		return set_tolerance(k, c->unit);
	}
	c->condition = condition_def(k, &s, comparison(e->core, op, left, right));
	if (k->within) {
		diag_help(diag_bad_statement_place(elab_diags(e), k->within->span, "a tolerance",
						   "behind an inequality"),
			  "put it into the bound");
		return false;
	}
	return true;
}

static const Ast *strip(const Ast *ast)
{
	while (ast && ast->kind == AST_PAREN) {
		ast = ast->kid[0];
	}
	return ast;
}

static bool is_comparison(Elab *e, const Ast *ast)
{
	const char *op = elab_text(e, ast->name);
	return ast->kind == AST_BINARY &&
	       (op[0] == '<' || op[0] == '>' || strcmp(op, "==") == 0 || strcmp(op, "!=") == 0);
}

static bool add_part(Claiming *k, const Ast *ast, const char *before)
{
	Elab *e = k->e;
	Val a = elab_expr(e, k->in, ast->kid[0]), b = elab_expr(e, k->in, ast->kid[1]);
	if (!val_scalar(&a) || !val_scalar(&b) || a.elem == ELEM_BOOL || a.elem == ELEM_COMPLEX ||
	    b.elem == ELEM_COMPLEX || !val_real(e, &a) || !val_real(e, &b) ||
	    !val_agree(e, ast->span, &a, &b)) {
		return false;
	}
	Sides s = formals_of(k, &a);
	k->claim->part[k->claim->npart++] =
		(ClaimPart){.before = before,
			    .left = side_def(k, &s, "left", a.re),
			    .right = side_def(k, &s, "right", b.re),
			    .op = ast->name,
			    .unit = unit_resolve(e->units, a.unit)};
	return true;
}

/* The comparisons that the condition consists of, joined by and, or, not: false where it has other parts
 * or more than fit on a line. The condition itself has been elaborated without errors. */
static bool claim_parts(Claiming *k, const Ast *ast, const char *before)
{
	enum { PARTS = 6 };
	Elab *e = k->e;
	ast = strip(ast);
	Claim *c = k->claim;
	const char *op = elab_text(e, ast->name);
	if (!c->part) {
		c->part = arena_array(e->arena, ClaimPart, PARTS);
	}
	if (ast->kind == AST_UNARY && strcmp(op, "not") == 0 &&
	    is_comparison(e, strip(ast->kid[0]))) {
		return claim_parts(k, ast->kid[0], arena_printf(e->arena, "%snot ", before));
	}
	if (ast->kind == AST_BINARY && (strcmp(op, "and") == 0 || strcmp(op, "or") == 0)) {
		return claim_parts(k, ast->kid[0], before) &&
		       claim_parts(k, ast->kid[1], arena_printf(e->arena, " %s ", op));
	}
	return is_comparison(e, ast) && c->npart < PARTS && add_part(k, ast, before);
}

/* Any other truth value: it must hold for all free indices. */
static bool claim_condition(Claiming *k, const Ast *ast)
{
	Elab *e = k->e;
	Val v = elab_expr(e, k->in, ast);
	if (v.tag == VAL_ERROR) {
		return false;
	}
	if (!val_scalar(&v) || v.elem != ELEM_BOOL) {
		diag_help(diag_type_mismatch(elab_diags(e), ast->span, val_type(e, &v),
					     "a claim, which is true or false"),
			  "compare two values, as in  a == b  or  a < 1e-3");
		return false;
	}
	if (k->within) {
		diag_help(diag_bad_statement_place(elab_diags(e), k->within->span, "a tolerance",
						   "behind this claim"),
			  "a tolerance belongs to one equation:  test a == b within 1e-9");
		return false;
	}
	Sides s = formals_of(k, &v);
	k->claim->condition = condition_def(k, &s, v.re);
	if (k->asserted && s.n == 0 && !claim_parts(k, ast, "")) {
		k->claim->npart = 0;
	}
	return true;
}

static bool claim_equation(Claiming *k, const Ast *ast)
{
	Elab *e = k->e;
	Val a = elab_expr(e, k->in, ast->kid[0]), b = elab_expr(e, k->in, ast->kid[1]);
	if (a.tag == VAL_ERROR || b.tag == VAL_ERROR) {
		return false;
	}
	if (a.tag != VAL_NUM || b.tag != VAL_NUM || a.elem == ELEM_BOOL || b.elem == ELEM_BOOL) {
		return claim_condition(k, ast);
	}
	k->claim->left_text = ast_text(e->arena, e->names, ast->kid[0]);
	k->claim->right_text = ast_text(e->arena, e->names, ast->kid[1]);
	return claim_compare(k, ast->span, elab_text(e, ast->name), a, b);
}

bool elab_claim(Elab *e, Scope *s, const Ast *ast, Claim *claim)
{
	const Ast *text = strip(ast->kid[0]);
	*claim = (Claim){.span = ast->span, .trials = 100};
	claim->text = ast_text(e->arena, e->names, ast->kid[0]);
	Claiming k = {.e = e,
		      .in = scope_new(e, s, NULL),
		      .claim = claim,
		      .asserted = ast->kind == AST_ASSERT};
	bool ok = true;
	for (uint32_t i = 1; i < ast->nkid; i++) {
		ok = claim_option(&k, ast->kid[i]) && ok;
	}
	if (!ok || !text || text->kind == AST_ERROR_EXPR) {
		return false;
	}
	if (text->kind == AST_INVARIANT) {
		ok = claim_symmetry(&k, text);
	} else {
		ok = claim_free_names(&k, text) &&
		     (is_comparison(e, text) ? claim_equation(&k, text)
					     : claim_condition(&k, text));
	}
	if (ok && claim->nvar == 0 && claim->nsized == 0) {
		claim->trials = 1;
	}
	return ok;
}
