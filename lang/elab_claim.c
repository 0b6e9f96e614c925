/* elab_claim.c — `test` and `assert`: their free names, the two sides as definitions, the tolerance.
 * Keeps: every variable of a claim is a RUNTIME leaf that the run fills for each trial; the definitions of a claim have
 * the claim's free indices as formals, then the axes of the compared arrays. SPEC: claims. */
#include "lang/elab_claim_int.h"

#include <math.h>
#include <string.h>

/* ---- variables --------------------------------------------------------------------------------------------------------- */

Def claim_variable(Claiming *k, SampleVar var, Span at, Kind kind, uint32_t n, const Axis *axis)
{
	Elab *e = k->e;
	var.leaf = core_leaf(e->core, DEF_RUNTIME, var.name, at, kind, var.unit, n, axis);
	if (var.kind == SAMPLE_SPIN) {
		core_def_mutable(e->core, var.leaf)->flags |= DEF_SPIN;
	}
	ARENA_PUSH(e->arena, k->claim->var, k->nvar, k->capvar, var);
	k->claim->nvar = (uint32_t)k->nvar;
	return var.leaf;
}

Val claim_read(Claiming *k, Def leaf, Span at, Elem elem, UnitId unit)
{
	core_at(k->e->core, at);
	Val v = val_of_def(k->e, at, elem, unit, leaf, 0, 0, NULL, NULL);
	val_normalise(k->e, &v);
	return v;
}

Node claim_record(Claiming *k, DataInfo *data)
{
	for (size_t i = 0; i < k->nrecord; i++) {
		if (k->record[i].data == data) {
			return k->record[i].record;
		}
	}
	SampleVar var = {.name = data->name, .kind = SAMPLE_RECORD, .data = data};
	Def leaf = claim_variable(k, var, data->span, KIND_INT, 0, NULL);
	RecordVar r = {data, core_read(k->e->core, leaf, NULL)};
	ARENA_PUSH(k->e->arena, k->record, k->nrecord, k->caprecord, r);
	return r.record;
}

void claim_index(Claiming *k, Sym name, Span at, AxisRef axis)
{
	Elab *e = k->e;
	if (k->nix == k->capix) {
		uint32_t cap = k->capix ? 2 * k->capix : 8;
		Index *ix = arena_array(e->arena, Index, cap);
		Node *rec = arena_array(e->arena, Node, cap);
		if (k->nix) {
			memcpy(ix, k->ix, k->nix * sizeof *ix);
			memcpy(rec, k->rec, k->nix * sizeof *rec);
		}
		k->ix = ix;
		k->rec = rec;
		k->capix = cap;
	}
	k->ix[k->nix] = core_index(e->core, axis.axis, name);
	k->rec[k->nix] = axis.record;
	Val v = val_num(e, at, ELEM_INT, 0, core_index_value(e->core, k->ix[k->nix]));
	v.of = axis.axis;
	k->nix++;
	k->in->ctx = k->ix;
	k->in->nctx = k->nix;
	scope_put(e, k->in, name, at, v);
}

/* A number of an interval, or of all reals (lo = -inf). */
static void real_variable(Claiming *k, Sym name, Span at, double lo, double hi, UnitId unit)
{
	SampleVar var = {.name = name, .kind = SAMPLE_UNIFORM, .lo = lo, .hi = hi, .unit = unit};
	Def leaf = claim_variable(k, var, at, KIND_REAL, 0, NULL);
	scope_put(k->e, k->in, name, at, claim_read(k, leaf, at, ELEM_REAL, unit));
}

static void field_variable(Claiming *k, DataInfo *data, Sym field, Sym name, Span at)
{
	Val row = {.tag = VAL_RECORD, .span = at, .data = data, .record = claim_record(k, data)};
	scope_put(k->e, k->in, name, at, data_field(k->e, &row, field, at, at));
}

static const DomainVar *domain_has(const DomainInfo *d, Sym name)
{
	for (uint32_t i = 0; i < d->n; i++) {
		if (d->var[i].name == name) {
			return &d->var[i];
		}
	}
	return NULL;
}

static void ambiguous_source(Claiming *k, Sym name, Span at, const char *a, const char *b)
{
	Elab *e = k->e;
	Diag *d = diag_ambiguous(elab_diags(e), at, elab_text(e, name),
	                         arena_printf(e->arena, "%s and %s both have it", a, b));
	diag_help(d, "say which is meant: add  for %s in …", elab_text(e, name));
}

/* The one interval that domains give the name; false if none does. */
static bool find_coordinate(Claiming *k, Sym name, Span at, const DomainVar **out, bool *bad)
{
	Elab *e = k->e;
	*out = k->domain ? domain_has(k->domain, name) : NULL;
	const DomainInfo *from = NULL;
	for (size_t i = 0; !*out && i < e->ndomain; i++) {
		const DomainVar *v = domain_has(e->domain[i], name);
		if (!v || !from) {
			from = v ? e->domain[i] : from;
			continue;
		}
		const DomainVar *first = domain_has(from, name);
		if (v->lo != first->lo || v->hi != first->hi || v->unit != first->unit) {
			ambiguous_source(k, name, at, elab_text(e, from->name), elab_text(e, e->domain[i]->name));
			*bad = true;
			return false;
		}
	}
	*out = *out ? *out : from ? domain_has(from, name) : NULL;
	return *out != NULL;
}

static DataInfo *find_data(Claiming *k, Sym name, Span at, bool *bad)
{
	const Program *p = k->e->program;
	DataInfo *found = NULL;
	for (uint32_t i = 0; i < p->ndata; i++) {
		DataInfo *d = p->data[i];
		for (uint32_t f = 0; !d->parent && f < d->nfield; f++) {
			if (d->field[f].name != name || d->kind == DATA_BATCH) {
				continue;
			}
			if (found) {
				ambiguous_source(k, name, at, elab_text(k->e, found->name), elab_text(k->e, d->name));
				*bad = true;
				return NULL;
			}
			found = d;
		}
	}
	return found;
}

bool claim_known_variable(Claiming *k, Sym name, Span at, bool *bad)
{
	*bad = false;
	if (k->asserted) {
		return false;
	}
	const DomainVar *coordinate;
	if (find_coordinate(k, name, at, &coordinate, bad)) {
		real_variable(k, name, at, coordinate->lo, coordinate->hi, coordinate->unit);
		return true;
	}
	DataInfo *data = *bad ? NULL : find_data(k, name, at, bad);
	if (data) {
		field_variable(k, data, name, name, at);
	}
	return data != NULL;
}

/* ---- free names ----------------------------------------------------------------------------------------------------------- */

typedef struct FreeName { Sym name; Span at; bool index, other; } FreeName;
typedef struct Walk {
	Claiming *k;
	FreeName *free;
	size_t n, cap;
	Sym *bound; /* names bound on the way down */
	size_t nbound, capbound;
} Walk;

static bool is_known(Claiming *k, Sym name)
{
	const char *text = elab_text(k->e, name);
	uint32_t row;
	return scope_find(k->e, k->in, name) || builtin_find(k->e, name, &row) || op_find(text) != OP_NONE ||
	       strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
}

static void meet_name(Walk *w, const Ast *ast, bool index)
{
	for (size_t i = 0; i < w->nbound; i++) {
		if (w->bound[i] == ast->name) {
			return;
		}
	}
	if (is_known(w->k, ast->name)) {
		return;
	}
	size_t i = 0;
	while (i < w->n && w->free[i].name != ast->name) {
		i++;
	}
	if (i == w->n) {
		FreeName f = {.name = ast->name, .at = ast->span};
		ARENA_PUSH(w->k->e->arena, w->free, w->n, w->cap, f);
	}
	w->free[i].index |= index;
	w->free[i].other |= !index;
}

static void bind_pattern(Walk *w, const Ast *pattern)
{
	uint32_t n = pattern && pattern->kind == AST_TUPLE ? pattern->nkid : pattern ? 1 : 0;
	for (uint32_t i = 0; i < n; i++) {
		const Ast *name = pattern->kind == AST_TUPLE ? pattern->kid[i] : pattern;
		if (name && name->kind == AST_NAME) {
			ARENA_PUSH(w->k->e->arena, w->bound, w->nbound, w->capbound, name->name);
		}
	}
}

static void walk(Walk *w, const Ast *ast, bool index);

static void walk_kids(Walk *w, const Ast *ast, uint32_t first, bool index)
{
	for (uint32_t i = first; i < ast->nkid; i++) {
		walk(w, ast->kid[i], index);
	}
}

/* sum[i in S, j if c] body: the sets are outside, filter and body inside. */
static void walk_binders(Walk *w, const Ast *ast)
{
	const Ast *binders = ast->kid[0];
	size_t before = w->nbound;
	for (uint32_t i = 0; i < binders->nkid; i++) {
		const Ast *b = binders->kid[i];
		if (b && b->kind == AST_BINDER) {
			walk(w, b->nkid > 1 ? b->kid[1] : NULL, false);
			bind_pattern(w, b->kid[0]);
		}
	}
	for (uint32_t i = 0; i < binders->nkid; i++) {
		const Ast *b = binders->kid[i];
		if (b && b->kind != AST_BINDER) {
			walk(w, b, false);
		}
	}
	walk(w, ast->kid[1], false);
	w->nbound = before;
}

/* The definitions of a block are its own. */
static void walk_block(Walk *w, const Ast *ast)
{
	size_t before = w->nbound;
	for (uint32_t i = 0; i < ast->nkid; i++) {
		const Ast *def = ast->kid[i];
		const Ast *left = def && def->kind == AST_DEF ? def->kid[0] : NULL;
		for (uint32_t j = 0; left && left->kind == AST_INDEX && j < left->nkid; j++) {
			bind_pattern(w, left->kid[j]);
		}
		bind_pattern(w, left && left->kind == AST_NAME ? left : NULL);
	}
	walk_kids(w, ast, 0, false);
	w->nbound = before;
}

static bool is_additive(Elab *e, const Ast *ast)
{
	const char *op = elab_text(e, ast->name);
	return (op[0] == '+' || op[0] == '-') && op[1] == 0;
}

static void walk_one(Walk *w, const Ast *ast, bool index)
{
	switch (ast->kind) {
	case AST_NAME:
		meet_name(w, ast, index);
		break;
	case AST_CALL: /* a function that does not exist is reported where it is called */
		if (ast->kid[0]->kind != AST_NAME) {
			walk(w, ast->kid[0], false);
		}
		walk_kids(w, ast, 1, false);
		break;
	case AST_INDEX:
		walk(w, ast->kid[0], false);
		walk_kids(w, ast, 1, true);
		break;
	case AST_PIPE:
		walk(w, ast->kid[0], false);
		if (ast->kid[1]->kind != AST_NAME) {
			walk(w, ast->kid[1], false);
		}
		break;
	case AST_REDUCE:
	case AST_COMPREHENSION:
		walk_binders(w, ast);
		break;
	case AST_BLOCK:
		walk_block(w, ast);
		break;
	case AST_PARTIAL: { /* (∂²u/∂x²)(0): x is a name of u's own */
		const Ast *of = ast->kid[0];
		while (of->kind == AST_PAREN) {
			of = of->kid[0];
		}
		walk(w, of, false);
		if (of->kind != AST_NAME) {
			walk_kids(w, ast, 1, false);
		}
		break;
	}
	case AST_PAREN:
		walk(w, ast->kid[0], index);
		break;
	default:
		walk_kids(w, ast, 0, false);
	}
}

/* Long chains of operators lean to the left: no recursion along them. */
static void walk(Walk *w, const Ast *ast, bool index)
{
	while (ast && ast->kind == AST_BINARY && ast->nkid == 2) {
		index = index && is_additive(w->k->e, ast);
		walk(w, ast->kid[1], index);
		ast = ast->kid[0];
	}
	if (ast) {
		walk_one(w, ast, index);
	}
}

static void unknown_name(Claiming *k, const FreeName *f)
{
	Elab *e = k->e;
	const char *name = elab_text(e, f->name);
	if (f->index && !f->other) {
		diag_help(diag_index_axis_unknown(elab_diags(e), f->at, name), "say it: add  for %s in axis", name);
		return;
	}
	Val missing = scope_value(e, k->in, f->name, f->at); /* E0201, with the nearest name */
	(void)missing;
}

static void poison(Claiming *k, const FreeName *f)
{
	scope_put(k->e, k->in, f->name, f->at, val_error(f->at));
}

/* First the names used as values, since they say what the indices run over; then the indices. */
bool claim_free_names(Claiming *k, const Ast *ast)
{
	Walk w = {.k = k};
	walk(&w, ast, false);
	bool ok = true;
	for (size_t i = 0; i < w.n; i++) {
		bool bad = false;
		if (w.free[i].other && !claim_known_variable(k, w.free[i].name, w.free[i].at, &bad) && bad) {
			poison(k, &w.free[i]);
			ok = false;
		}
	}
	for (size_t i = 0; i < w.n; i++) {
		AxisRef axis;
		int64_t label;
		if (scope_find(k->e, k->in, w.free[i].name)) {
			continue;
		}
		if (axis_infer(k->e, k->in, w.free[i].name, ast, &axis)) {
			if (!is_label(k->e, axis.axis, w.free[i].name, &label)) {
				claim_index(k, w.free[i].name, w.free[i].at, axis);
			}
			continue;
		}
		unknown_name(k, &w.free[i]);
		poison(k, &w.free[i]);
		ok = false;
	}
	return ok;
}

/* ---- options ---------------------------------------------------------------------------------------------------------------- */

static bool pattern_count(Claiming *k, const Ast *pattern, uint32_t want, const char *of)
{
	uint32_t n = pattern->kind == AST_TUPLE ? pattern->nkid : 1;
	if (n != want) {
		diag_wrong_arguments(elab_diags(k->e), pattern->span, of,
		                     arena_printf(k->e->arena, "has %u coordinate%s, not %u", want, want == 1 ? "" : "s", n));
	}
	return n == want;
}

static const Ast *pattern_name(const Ast *pattern, uint32_t i)
{
	return pattern->kind == AST_TUPLE ? pattern->kid[i] : pattern;
}

static bool for_domain(Claiming *k, const Ast *pattern, const DomainInfo *d)
{
	if (!pattern_count(k, pattern, d->n, elab_text(k->e, d->name))) {
		return false;
	}
	for (uint32_t i = 0; i < d->n; i++) {
		const Ast *name = pattern_name(pattern, i);
		real_variable(k, name->name, name->span, d->var[i].lo, d->var[i].hi, d->var[i].unit);
	}
	return true;
}

static bool for_data(Claiming *k, const Ast *pattern, DataInfo *d)
{
	if (pattern->kind == AST_NAME && d->kind != DATA_POINTS) {
		Val row = {.tag = VAL_RECORD, .span = pattern->span, .data = d, .record = claim_record(k, d)};
		scope_put(k->e, k->in, pattern->name, pattern->span, row);
		return true;
	}
	if (!pattern_count(k, pattern, d->nfield, elab_text(k->e, d->name))) {
		return false;
	}
	for (uint32_t i = 0; i < d->nfield; i++) {
		const Ast *name = pattern_name(pattern, i);
		field_variable(k, d, d->field[i].name, name->name, name->span);
	}
	return true;
}

static bool for_range(Claiming *k, const Ast *pattern, const Val *set)
{
	int64_t lo, hi;
	if (!val_const_int(k->e, &set->item[0], &lo) || !val_const_int(k->e, &set->item[1], &hi) || lo > hi) {
		diag_not_constant(elab_diags(k->e), set->span, "the range, from a whole number to one not below it,");
		return false;
	}
	SampleVar var = {.name = pattern->name, .kind = SAMPLE_INTEGER, .lo = (double)lo, .hi = (double)hi};
	Def leaf = claim_variable(k, var, pattern->span, KIND_INT, 0, NULL);
	scope_put(k->e, k->in, pattern->name, pattern->span, claim_read(k, leaf, pattern->span, ELEM_INT, 0));
	return true;
}

/* for x in [0, 1], n in 1..9, i in atom, s in water, (x, t) in D */
static bool for_variable(Claiming *k, const Ast *binder)
{
	Elab *e = k->e;
	const Ast *pattern = binder->kid[0];
	if (!pattern || (pattern->kind != AST_NAME && pattern->kind != AST_TUPLE)) {
		return false;
	}
	Val set = elab_callee(e, k->in, binder->kid[1]);
	UnitId unit;
	double lo, hi;
	if (set.tag == VAL_ERROR) {
		return false;
	}
	if (k->asserted && set.tag != VAL_AXIS) {
		diag_help(diag_bad_statement_place(elab_diags(e), binder->span, "a variable", "in assert: it holds present values"),
		          "random points are tried by  test");
		return false;
	}
	if (set.tag == VAL_DATA) {
		return for_data(k, pattern, set.data);
	}
	if (set.tag == VAL_DOMAIN) {
		return for_domain(k, pattern, set.domain);
	}
	if (pattern->kind == AST_TUPLE) {
		diag_type_mismatch(elab_diags(e), binder->kid[1]->span, val_type(e, &set), "a domain or a set of points");
		return false;
	}
	if (set.tag == VAL_AXIS) {
		claim_index(k, pattern->name, pattern->span, set.axis);
		return true;
	}
	if (set.tag == VAL_RANGE) {
		return for_range(k, pattern, &set);
	}
	if (!points_interval(e, &set, &lo, &hi, &unit)) {
		return false;
	}
	real_variable(k, pattern->name, pattern->span, lo, hi, unit);
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
		return for_variable(k, value);
	}
	Val v = elab_callee(e, k->in, value);
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
		diag_help(diag_not_constant(elab_diags(e), value->span, "the number of trials, a whole number of at least 1,"),
		          "as in  for 1000");
		return false;
	}
	if (k->claim->trials > INT64_C(1000000000)) {
		diag_too_large(elab_diags(e), value->span, "the number of trials", "10^9");
		return false;
	}
	return true;
}

/* A tolerance in the unit of the sides, or a bare number, is a bound of |left - right|; a share (1%), or a bare number
 * where the sides have a unit, is relative to the size of the terms. */
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
		diag_type_mismatch(elab_diags(e), v.span, val_type(e, &v), "a tolerance, a positive number");
		return false;
	}
	bool share = k->within->kind == AST_NUM && (k->within->flags & AST_PERCENT);
	bool bare = !unit_resolve(e->units, v.unit);
	c->within_absolute = !share && !(bare && unit);
	if (!val_real(e, &v) || (c->within_absolute && !val_convert(e, &v, unit))) {
		return false;
	}
	if (!elab_node_value(e, v.re, &c->within) || !(c->within >= 0) || isinf(c->within)) {
		diag_not_constant(elab_diags(e), k->within->span, "the tolerance, a number of at least 0,");
		return false;
	}
	return true;
}

/* ---- the two sides ------------------------------------------------------------------------------------------------------------ */

/* Sum of the sizes of the terms of a node: |a| + |b| for a - b, under sums and inside definitions a few levels down, so that a
 * sum that cancels is compared with what cancels. */
static Node size_of(Elab *e, Node n, unsigned depth);

static Node size_of_lin(Elab *e, const NodeInfo *i, unsigned depth)
{
	Node sum = core_real_const(e->core, fabs(i->num));
	for (uint32_t k = 0; k < i->n; k++) {
		sum = core_add(e->core, sum, core_scale(e->core, fabs(i->coef[k]), size_of(e, i->arg[k], depth)));
	}
	return sum;
}

static Node size_of_prod(Elab *e, const NodeInfo *i, unsigned depth)
{
	Node product = core_real_const(e->core, 1);
	for (uint32_t k = 0; k < i->n; k++) {
		Node a = i->expo[k] > 0 ? size_of(e, i->arg[k], depth) : core_op1(e->core, OP_abs, core_real(e->core, i->arg[k]));
		product = core_mul(e->core, product, core_powi(e->core, a, i->expo[k]));
	}
	return product;
}

static Node size_of_read(Elab *e, Node n, const NodeInfo *i, unsigned depth)
{
	const DefInfo *d = core_def(e->core, i->ref);
	bool sum = d->role == DEF_REDUCTION && d->red == RED_SUM;
	bool value = d->role == DEF_VALUE && d->npiece == 1 && !d->piece[0].box && !(d->flags & DEF_VARIABLE);
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
		Node end = core_add(c, core_read(c, info->length, &rec[i]), core_int_const(c, first));
		Node inside = core_op2(c, OP_ilt, core_index_value(c, ix[i]), end);
		valid = valid ? core_op2(c, OP_and, valid, inside) : inside;
	}
	return valid;
}

typedef struct Sides { uint32_t n; Index *ix; Node valid; } Sides;

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
		condition = core_select(e->core, s->valid, condition, core_bool_const(e->core, true));
	}
	return core_share(e->core, SYM(e, "condition"), k->claim->span, s->n, s->ix, condition, DEF_KEEP);
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
			diag_axis_mismatch(elab_diags(e), at, axis_name(e, y), axis_name(e, x));
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
	bool complex = a.elem == ELEM_COMPLEX || b.elem == ELEM_COMPLEX, equal = strcmp(op, "==") == 0;
	if (complex && !equal) {
		diag_type_mismatch(elab_diags(e), at, "complex", "a real number (complex numbers are not ordered)");
		return false;
	}
	if (!same_axes(k, at, &a, &b) ||
	    !(complex ? val_to_complex(e, &a) && val_to_complex(e, &b) : val_real(e, &a) && val_real(e, &b)) ||
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
		size = core_add(e->core, size, core_add(e->core, size_of(e, a.im, SIZE_DEPTH), size_of(e, b.im, SIZE_DEPTH)));
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
		diag_help(diag_bad_statement_place(elab_diags(e), k->within->span, "a tolerance", "behind an inequality"),
		          "put it into the bound");
		return false;
	}
	return true;
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
		diag_help(diag_type_mismatch(elab_diags(e), ast->span, val_type(e, &v), "a claim, which is true or false"),
		          "compare two values, as in  a == b  or  a < 1e-3");
		return false;
	}
	if (k->within) {
		diag_help(diag_bad_statement_place(elab_diags(e), k->within->span, "a tolerance", "behind this claim"),
		          "a tolerance belongs to one equation:  test a == b within 1e-9");
		return false;
	}
	Sides s = formals_of(k, &v);
	k->claim->condition = condition_def(k, &s, v.re);
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
	return ast->kind == AST_BINARY && (op[0] == '<' || op[0] == '>' || strcmp(op, "==") == 0 || strcmp(op, "!=") == 0);
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
	Claiming k = {.e = e, .in = scope_new(e, s, NULL), .claim = claim, .asserted = ast->kind == AST_ASSERT};
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
		     (is_comparison(e, text) ? claim_equation(&k, text) : claim_condition(&k, text));
	}
	if (ok && claim->nvar == 0 && claim->nsized == 0) {
		claim->trials = 1;
	}
	return ok;
}
