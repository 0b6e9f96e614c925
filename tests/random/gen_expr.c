/* gen_expr.c — random expressions of each kind over what is in scope. */
#include "tests/random/random.h"

#include <string.h>

/* ---- nodes ---- */

Dim dim_none(void)
{
	return (Dim){{0}};
}

bool dim_equal(Dim a, Dim b)
{
	return memcmp(&a, &b, sizeof a) == 0;
}

bool dim_is_none(Dim a)
{
	return dim_equal(a, dim_none());
}

static Dim dim_combine(Dim a, Dim b, int sign)
{
	for (int k = 0; k < DIMS; k++) {
		a.power[k] = (int8_t)(a.power[k] + sign*b.power[k]);
	}
	return a;
}

Node *node_make(Gen *g, Op op, Kind kind, Dim dim)
{
	Node *n = NEW(g, Node);
	n->op = op;
	n->kind = kind;
	n->dim = dim;
	n->id = ++g->nid;
	return n;
}

Node *node_number(Gen *g, double v)
{
	Node *n = node_make(g, OP_NUMBER, KIND_REAL, dim_none());
	n->number.re = (Quad)v;
	return n;
}

Node *node_int(Gen *g, int64_t v)
{
	Node *n = node_make(g, OP_NUMBER, KIND_INT, dim_none());
	n->number.re = (Quad)v;
	return n;
}

/* n units of the dimension: "1.5 'Å'", and products of such for other powers. */
Node *node_unit(Gen *g, Node *n, Dim d)
{
	static const unsigned first[] = {0, UNITS_LENGTH}, count[] = {UNITS_LENGTH, UNITS_ENERGY};
	for (unsigned k = 0; k < DIMS; k++) {
		for (int p = d.power[k]; p != 0; p += p > 0 ? -1 : 1) {
			Dim one = dim_none();
			one.power[k] = 1;
			Node *u = node_make(g, OP_NUMBER, KIND_REAL, one);
			u->unit = first[k] + gen_pick(g, count[k]);
			u->number.re = unit_quad(u->unit);
			n = node_two(g, p > 0 ? OP_MUL : OP_DIV, n, u);
		}
	}
	return n;
}

Node *node_two(Gen *g, Op op, Node *a, Node *b)
{
	bool ints = a->kind == KIND_INT && b->kind == KIND_INT && op != OP_DIV;
	Kind kind = a->kind == KIND_COMPLEX || b->kind == KIND_COMPLEX ? KIND_COMPLEX : ints ? KIND_INT : KIND_REAL;
	Dim dim = op == OP_MUL ? dim_combine(a->dim, b->dim, 1) : op == OP_DIV ? dim_combine(a->dim, b->dim, -1) : a->dim;
	if (op == OP_LESS || op == OP_LESSEQ || op == OP_EQUAL || op == OP_UNEQUAL || op == OP_AND || op == OP_OR) {
		kind = KIND_BOOL;
		dim = dim_none();
	}
	Node *n = node_make(g, op, kind, dim);
	n->a = a;
	n->b = b;
	return n;
}

Node *node_call(Gen *g, int which, Node *a)
{
	Node *n = node_make(g, OP_CALL1, KIND_REAL, a->dim);
	n->a = a;
	n->whole = which;
	return n;
}

Node *node_read(Gen *g, Array *a)
{
	Node *n = node_make(g, OP_READ, a->kind, a->dim);
	n->array = a;
	return n;
}

Node *node_scalar(Gen *g, Var *v)
{
	Node *n = node_make(g, v->axis ? OP_INDEX : OP_SCALAR, v->axis ? KIND_INT : v->kind, v->dim);
	n->var = v;
	return n;
}

Node *node_index(Gen *g, Var *v)
{
	return node_scalar(g, v);
}

Var *var_index(Gen *g, const Axis *axis)
{
	Var *v = NEW(g, Var);
	v->id = ++g->nid;
	v->axis = axis;
	v->kind = KIND_INT;
	return v;
}

Var *var_scalar(Gen *g, Dim dim)
{
	Var *v = NEW(g, Var);
	v->id = ++g->nid;
	v->dim = dim;
	return v;
}

/* ---- places ---- */

static Var *in_scope(Gen *g, const Axis *axis)
{
	unsigned from = g->nscope ? gen_pick(g, g->nscope) : 0;
	for (unsigned k = 0; k < g->nscope; k++) {
		Var *v = g->scope[(from + k) % g->nscope];
		if (v->axis == axis) {
			return v;
		}
	}
	return NULL;
}

static Node *label(Gen *g, const Axis *a)
{
	Node *n = node_int(g, a->first + gen_pick(g, (unsigned)a->size));
	return n;
}

/* (e mod size) + first */
static Node *folded(Gen *g, const Axis *a)
{
	Node *n = gen_int(g, 1);
	if (a->first == 0 && (a->size & (a->size - 1)) == 0 && gen_chance(g, 50)) {
		return node_two(g, OP_BAND, n, node_int(g, a->size - 1));
	}
	n = node_two(g, OP_IMOD, n, node_int(g, a->size));
	return a->first ? node_two(g, OP_ADD, n, node_int(g, a->first)) : n;
}

static Node *gather(Gen *g, const Axis *axis)
{
	for (unsigned k = 0, from = gen_pick(g, g->narray + 1); k < g->narray; k++) {
		Array *a = g->array[(from + k) % g->narray];
		if (a->gather && a->places == axis) {
			Node *n = node_read(g, a), *condition = NULL;
			Var *v = in_scope(g, a->axis[0]);
			n->at[0] = v ? node_index(g, v) : gen_place(g, a->axis[0], &condition);
			return condition ? NULL : n;
		}
	}
	return NULL;
}

static Node *shifted(Gen *g, const Axis *axis, Var *v, Node **condition)
{
	int64_t by = 1 + gen_pick(g, 2);
	bool up = gen_chance(g, 50);
	Node *n = node_two(g, up ? OP_ADD : OP_SUB, node_index(g, v), node_int(g, by));
	if (!axis->periodic) {
		int64_t edge = up ? axis->first + axis->size - 1 - by : axis->first + by;
		Node *c = up ? node_two(g, OP_LESSEQ, node_index(g, v), node_int(g, edge))
			: node_two(g, OP_LESSEQ, node_int(g, edge), node_index(g, v));
		*condition = *condition ? node_two(g, OP_AND, *condition, c) : c;
	}
	return n;
}

Node *gen_place(Gen *g, const Axis *axis, Node **condition)
{
	Var *v = in_scope(g, axis);
	unsigned way = gen_pick(g, 20);
	if (axis->records) {
		return v ? node_index(g, v) : NULL;
	}
	if (v && way < 11) {
		return node_index(g, v);
	}
	if (v && way < 14 && axis->size > 2) {
		return shifted(g, axis, v, condition);
	}
	if (v && way == 14 && axis->first == 0 && (axis->size & (axis->size - 1)) == 0) {
		return node_two(g, OP_XOR, node_index(g, v), node_int(g, gen_pick(g, (unsigned)axis->size)));
	}
	if (way == 15 || way == 16) {
		Node *n = gather(g, axis);
		if (n) {
			return n;
		}
	}
	return way == 17 ? folded(g, axis) : v && way > 17 ? node_index(g, v) : label(g, axis);
}

/* Reads need every axis: false if there is no record to read a field of. */
static bool readable(Gen *g, const Array *a)
{
	return !a->naxes || !a->axis[0]->records || in_scope(g, a->axis[0]);
}

static Node *guarded(Gen *g, Node *condition, Node *n)
{
	if (!condition) {
		return n;
	}
	Node *select = node_make(g, OP_IF, n->kind, n->dim);
	select->a = condition;
	select->b = n;
	select->c = n->kind == KIND_INT ? node_int(g, gen_pick(g, 3)) : dim_is_none(n->dim) ? node_number(g, gen_decimal(g, -1, 1))
		: node_int(g, 0);
	if (n->kind == KIND_COMPLEX) {
		select->c = node_number(g, 0);
	}
	return select;
}

Node *gen_read(Gen *g, Array *a)
{
	Node *n = node_read(g, a), *condition = NULL;
	for (unsigned k = 0; k < a->naxes; k++) {
		n->at[k] = gen_place(g, a->axis[k], &condition);
	}
	if (a->spin && a->naxes == 2 && gen_chance(g, 25)) {
		Node *other = NULL;
		n->a = gen_place(g, a->axis[1], &other);
		n->op = other ? OP_READ : OP_FLIPPED;
	}
	return guarded(g, condition, n);
}

static Node *read_some(Gen *g, Kind kind, Dim dim)
{
	for (unsigned k = 0, from = gen_pick(g, g->narray + 1); k < g->narray; k++) {
		Array *a = g->array[(from + k) % g->narray];
		bool fits = a->kind == kind || (kind == KIND_REAL && a->kind == KIND_INT && gen_chance(g, 50))
			|| (kind == KIND_COMPLEX && a->kind == KIND_REAL && gen_chance(g, 20));
		if (fits && dim_equal(a->dim, dim) && readable(g, a)) {
			return gen_read(g, a);
		}
	}
	return NULL;
}

static Node *scalar_in_scope(Gen *g, Dim dim)
{
	for (unsigned k = 0, from = gen_pick(g, g->nscope + 1); k < g->nscope; k++) {
		Var *v = g->scope[(from + k) % g->nscope];
		if (!(v->axis && (v->axis->records || g->smooth)) && dim_equal(v->dim, dim)) {
			return node_scalar(g, v);
		}
	}
	return NULL;
}

/* ---- leaves ---- */

static Node *leaf(Gen *g, Dim dim)
{
	Node *n = NULL;
	unsigned way = gen_pick(g, 10);
	if (way < 4) {
		n = scalar_in_scope(g, dim);
	}
	if (!n && way < 9) {
		n = read_some(g, KIND_REAL, dim);
	}
	if (n && n->op == OP_INDEX && !n->var->axis->periodic && gen_chance(g, 70)) {
		n = node_two(g, OP_MUL, node_number(g, gen_decimal(g, 0.1, 0.5)), n);
	}
	return n ? n : node_unit(g, node_number(g, gen_decimal(g, -2, 2)), dim);
}

/* ---- reductions ---- */

static void leave_scope(Gen *g, unsigned n)
{
	g->nscope -= n;
}

static bool bind(Gen *g, Node *n, unsigned room)
{
	if (g->ndata && gen_chance(g, 25) && g->nscope < 8) {
		Data *d = g->data[gen_pick(g, g->ndata)];
		n->bound[0] = var_index(g, &d->records);
		n->nbound = 1;
	} else {
		unsigned want = room > 1 && gen_chance(g, 30) ? 2 : 1;
		for (n->nbound = 0; n->nbound < want; n->nbound++) {
			n->bound[n->nbound] = var_index(g, g->axis[gen_pick(g, g->naxis)]);
		}
	}
	if (g->nscope + n->nbound > 7) {
		return false;
	}
	for (unsigned k = 0; k < n->nbound; k++) {
		g->scope[g->nscope++] = n->bound[k];
	}
	return true;
}

static Node *reduction(Gen *g, int which, Kind kind, int depth, Dim dim)
{
	Node *n = node_make(g, OP_REDUCE, kind, dim);
	n->whole = which;
	/* the k-th derivative of a product of n factors has n^k terms */
	bool one = which == RED_ARGMAX || which == RED_ARGMIN || (which == RED_PROD && g->smooth);
	if (!bind(g, n, one ? 1 : 2)) {
		return NULL;
	}
	bool records = n->bound[0]->axis->records;
	if (n->nbound == 1 && which == RED_SUM && !records && n->bound[0]->axis->size > 1 && gen_chance(g, 15)) {
		n->bound[1] = var_index(g, n->bound[0]->axis);
		n->nbound = 2;
		n->pairs = true;
		g->scope[g->nscope++] = n->bound[1];
	}
	bool decided = which == RED_ALL || which == RED_ANY || which == RED_COUNT;
	n->a = decided ? gen_bool(g, depth - 1) : kind == KIND_COMPLEX ? gen_complex(g, depth - 1)
		: kind == KIND_INT && which == RED_SUM ? gen_int(g, depth - 1)
		: gen_real(g, depth - 1, which == RED_PROD ? dim_none() : dim);
	bool may_be_empty = which == RED_SUM || which == RED_PROD || decided;
	if (!n->pairs && !g->smooth && may_be_empty && gen_chance(g, 30)) {
		n->b = gen_bool(g, 1);
	}
	leave_scope(g, n->nbound);
	return n;
}

/* ---- numbers ---- */

static Node *call_fn(Gen *g, int depth, Dim dim, bool complex)
{
	for (unsigned k = 0, from = g->nfn ? gen_pick(g, g->nfn) : 0; k < g->nfn; k++) {
		Fn *f = g->fn[(from + k) % g->nfn];
		if (f->busy || (f->form == FN_LAYER && !g->in_net) || !dim_equal(f->body->dim, dim) || (f->body->kind == KIND_COMPLEX) != complex) {
			continue;
		}
		Node *n = node_make(g, f->result ? OP_ELEMENT : OP_FN, f->body->kind, dim), *condition = NULL;
		n->fn = f;
		n->whole = f->second && gen_chance(g, 50);
		for (unsigned j = 0; j < f->narg; j++) {
			Array *want = f->array[j];
			if (want) {
				n->arg[j] = NULL;
				for (unsigned m = 0, start = gen_pick(g, g->narray + 1); m < g->narray && !n->arg[j]; m++) {
					Array *a = g->array[(start + m) % g->narray];
					bool same = a->naxes == want->naxes && a->kind == want->kind && dim_equal(a->dim, want->dim) && !a->constraint
						&& a->form != FORM_FIELD && !a->nbase;
					for (unsigned q = 0; same && q < a->naxes; q++) {
						same = a->axis[q] == want->axis[q];
					}
					n->arg[j] = same ? node_read(g, a) : NULL;
				}
				if (!n->arg[j]) {
					return NULL;
				}
			} else if (f->scalar[j]->axis) {
				n->arg[j] = gen_place(g, f->scalar[j]->axis, &condition);
			} else {
				n->arg[j] = gen_real(g, depth - 1, f->scalar[j]->dim);
			}
		}
		for (unsigned j = 0; f->result && j < f->result->naxes; j++) {
			n->at[j] = gen_place(g, f->result->axis[j], &condition);
		}
		return guarded(g, condition, n);
	}
	return NULL;
}

/* Functions of a number, their arguments kept where they are defined and of modest size. */
static Node *function_of(Gen *g, int depth)
{
	static const int tame[] = {CALL_SIN, CALL_COS, CALL_TANH, CALL_ATAN, CALL_SIGMOID, CALL_SOFTPLUS, CALL_ERF, CALL_ASINH};
	unsigned way = gen_pick(g, 13);
	Node *x = gen_real(g, depth - 1, dim_none());
	if (way < 6) {
		return node_call(g, tame[gen_pick(g, sizeof tame/sizeof *tame)], x);
	}
	Node *square = node_make(g, OP_POWER, x->kind, dim_none());
	square->a = x;
	square->whole = 2;
	if (way < 8) {
		static const int above[] = {CALL_LOG, CALL_SQRT, CALL_LOG1P, CALL_CBRT};
		Node *y = node_two(g, OP_ADD, node_number(g, gen_decimal(g, 0.5, 2)), square);
		return node_call(g, above[gen_pick(g, 4)], y);
	}
	if (way < 10) {
		static const int wild[] = {CALL_EXP, CALL_EXPM1, CALL_COSH, CALL_SINH};
		Node *n = node_make(g, OP_NEG, x->kind, dim_none());
		n->a = square;
		return way == 8 ? node_call(g, CALL_EXP, n) : node_call(g, wild[gen_pick(g, 4)], node_call(g, CALL_TANH, x));
	}
	if (g->smooth || way == 10) {
		Node *n = node_make(g, OP_CALL2, KIND_REAL, dim_none());
		n->whole = gen_chance(g, 50) ? CALL2_POW : CALL2_ATAN2;
		n->a = node_two(g, OP_ADD, node_number(g, gen_decimal(g, 0.5, 2)), square);
		n->b = gen_real(g, depth - 2, dim_none());
		return n;
	}
	static const int broken[] = {CALL_ABS, CALL_SIGN, CALL_FLOOR};
	return node_call(g, broken[gen_pick(g, 3)], x);
}

static Node *two_of(Gen *g, int depth, Dim dim)
{
	Op op = (Op[]){OP_ADD, OP_SUB, OP_MUL}[gen_pick(g, 3)];
	Node *a = gen_real(g, depth - 1, dim);
	return node_two(g, op, a, gen_real(g, depth - 1, op == OP_MUL ? dim_none() : dim));
}

static Node *quotient(Gen *g, int depth, Dim dim)
{
	Dim under = dim_none();
	if (g->units && gen_chance(g, 40)) {
		under.power[gen_pick(g, DIMS)] = 1;
	}
	Node *b = gen_real(g, depth - 1, dim_none());
	Node *square = node_make(g, OP_POWER, b->kind, dim_none());
	square->a = b;
	square->whole = 2;
	b = node_unit(g, node_two(g, OP_ADD, node_number(g, gen_decimal(g, 0.5, 3)), square), under);
	return node_two(g, OP_DIV, gen_real(g, depth - 1, dim_combine(dim, under, 1)), b);
}

static Node *power_of(Gen *g, int depth, Dim dim)
{
	Node *n = node_make(g, OP_POWER, KIND_REAL, dim);
	n->whole = 2 + gen_pick(g, 2);
	Dim root = dim;
	for (int k = 0; k < DIMS; k++) {
		if (dim.power[k] % n->whole) {
			return two_of(g, depth, dim);
		}
		root.power[k] = (int8_t)(dim.power[k]/n->whole);
	}
	n->a = gen_real(g, depth - 1, root);
	n->kind = n->a->kind == KIND_INT ? KIND_INT : KIND_REAL;
	return n;
}

static Node *select_of(Gen *g, int depth, Dim dim)
{
	Node *n = node_make(g, OP_IF, KIND_REAL, dim);
	n->b = gen_real(g, depth - 1, dim);
	n->c = gen_real(g, depth - 1, dim);
	n->a = gen_bool(g, depth - 2);
	if (dim_is_none(dim) && gen_chance(g, 20)) {
		/* the other side is infinite or not a number where it is not chosen */
		Node *x = gen_real(g, depth - 1, dim), *zero = node_number(g, 0);
		n->a = node_two(g, OP_LESS, zero, x);
		n->b = node_call(g, gen_chance(g, 50) ? CALL_LOG : CALL_SQRT, x);
	}
	return n;
}

static Node *extreme(Gen *g, int depth, Dim dim)
{
	Node *n = node_make(g, OP_CALL2, KIND_REAL, dim);
	n->whole = gen_chance(g, 50) ? CALL2_MIN : CALL2_MAX;
	n->a = gen_real(g, depth - 1, dim);
	n->b = gen_real(g, depth - 1, dim);
	return n;
}

static Node *modulo(Gen *g, int depth)
{
	Node *n = node_make(g, OP_MODR, KIND_REAL, dim_none());
	n->a = gen_real(g, depth - 1, dim_none());
	n->b = node_number(g, gen_decimal(g, 0.5, 2));
	return n;
}

static Node *reduce_real(Gen *g, int depth, Dim dim)
{
	static const int any[] = {RED_SUM, RED_SUM, RED_SUM, RED_SUM, RED_MEAN, RED_MEAN, RED_MAX, RED_MIN};
	static const int pure[] = {RED_PROD, RED_LOGSUMEXP};
	int which = dim_is_none(dim) && gen_chance(g, 15) ? pure[gen_pick(g, 2)] : any[gen_pick(g, g->smooth ? 6 : 8)];
	return reduction(g, which, KIND_REAL, depth, dim);
}

static Node *part_of_complex(Gen *g, int depth)
{
	Node *n = node_make(g, (Op[]){OP_RE, OP_IM, OP_CABS, OP_ARG}[gen_pick(g, g->smooth ? 2 : 4)], KIND_REAL, dim_none());
	n->a = gen_complex(g, depth - 1);
	return n;
}

Node *gen_real(Gen *g, int depth, Dim dim)
{
	Node *n = NULL;
	if (depth <= 0) {
		return leaf(g, dim);
	}
	bool pure = dim_is_none(dim);
	switch (gen_pick(g, 22)) {
	case 0: case 1: case 2: return leaf(g, dim);
	case 3: case 4: case 5: case 6: return two_of(g, depth, dim);
	case 7: n = quotient(g, depth, dim); break;
	case 8: n = power_of(g, depth, dim); break;
	case 9: case 10: case 11: n = pure ? function_of(g, depth) : two_of(g, depth, dim); break;
	case 12: n = g->smooth && gen_chance(g, 70) ? NULL : select_of(g, depth, dim); break;
	case 13: n = g->smooth && gen_chance(g, 70) ? NULL : extreme(g, depth, dim); break;
	case 14: case 15: case 16: n = reduce_real(g, depth, dim); break;
	case 17: n = pure && !g->smooth ? gen_int(g, depth - 1) : NULL; break;
	case 18: case 19: n = call_fn(g, depth, dim, false); break;
	case 20: n = pure ? part_of_complex(g, depth) : NULL; break;
	default:
		if (pure && !g->smooth && gen_chance(g, 40)) {
			n = modulo(g, depth);
		} else {
			n = node_make(g, OP_NEG, KIND_REAL, dim);
			n->a = gen_real(g, depth - 1, dim);
			n->kind = n->a->kind;
		}
	}
	return n ? n : two_of(g, depth, dim);
}

/* ---- ints ---- */

static Node *int_leaf(Gen *g)
{
	Node *n = NULL;
	if (gen_chance(g, 60)) {
		for (unsigned k = 0, from = gen_pick(g, g->nscope + 1); !n && k < g->nscope; k++) {
			Var *v = g->scope[(from + k) % g->nscope];
			n = v->axis && !v->axis->records ? node_index(g, v) : NULL;
		}
	}
	if (!n && gen_chance(g, 50)) {
		n = read_some(g, KIND_INT, dim_none());
	}
	if (!n && g->naxis && gen_chance(g, 20)) {
		n = node_make(g, (Op[]){OP_SIZE, OP_FIRST, OP_END}[gen_pick(g, 3)], KIND_INT, dim_none());
		n->bound[0] = var_index(g, g->axis[gen_pick(g, g->naxis)]);
	}
	return n ? n : node_int(g, (int64_t)gen_pick(g, 12) - 3);
}

static Node *int_function(Gen *g, int depth)
{
	Node *n = NULL;
	switch (gen_pick(g, 6)) {
	case 0:
		n = node_make(g, OP_BIT, KIND_INT, dim_none());
		n->a = gen_int(g, depth - 1);
		n->b = node_int(g, gen_pick(g, 5));
		return n;
	case 1:
		if (g->smooth) {
			return int_leaf(g);
		}
		n = node_make(g, OP_FLOOR, KIND_INT, dim_none());
		n->a = gen_real(g, depth - 1, dim_none());
		return n;
	case 2:
		n = node_make(g, OP_CALL1, KIND_INT, dim_none());
		n->whole = CALL_ABS;
		n->a = gen_int(g, depth - 1);
		return n;
	case 3:
		n = node_make(g, OP_CALL2, KIND_INT, dim_none());
		n->whole = gen_chance(g, 50) ? CALL2_MIN : CALL2_MAX;
		n->a = gen_int(g, depth - 1);
		n->b = gen_int(g, depth - 1);
		return n;
	case 4:
		n = node_make(g, OP_IF, KIND_INT, dim_none());
		n->a = gen_bool(g, depth - 1);
		n->b = gen_int(g, depth - 1);
		n->c = gen_int(g, depth - 1);
		return n;
	default:
		n = g->smooth ? NULL : reduction(g, (int[]){RED_COUNT, RED_SUM, RED_ARGMAX, RED_ARGMIN}[gen_pick(g, 4)], KIND_INT, depth,
			dim_none());
		/* a place among records is not a number that programs see */
		return n && n->whole >= RED_ARGMAX && n->whole <= RED_ARGMIN && n->bound[0]->axis->records ? int_leaf(g)
			: n ? n : int_leaf(g);
	}
}

Node *gen_int(Gen *g, int depth)
{
	static const Op bits[] = {OP_BAND, OP_BOR, OP_XOR, OP_SHL, OP_SHR};
	if (depth <= 0) {
		return int_leaf(g);
	}
	switch (gen_pick(g, 9)) {
	case 0: case 1: return int_leaf(g);
	case 2: case 3: return node_two(g, gen_chance(g, 70) ? OP_ADD : OP_SUB, gen_int(g, depth - 1), gen_int(g, depth - 1));
	case 4: return node_two(g, OP_MUL, gen_int(g, depth - 1), node_int(g, (int64_t)gen_pick(g, 6) - 2));
	case 5: return node_two(g, gen_chance(g, 50) ? OP_IMOD : OP_IDIV, gen_int(g, depth - 1),
		node_int(g, gen_chance(g, 20) ? -3 : 2 + (int64_t)gen_pick(g, 4)));
	case 6: case 7: {
		Op op = bits[gen_pick(g, 5)];
		Node *b = op == OP_SHL || op == OP_SHR ? node_int(g, gen_pick(g, 4)) : gen_int(g, depth - 1);
		return node_two(g, op, gen_int(g, depth - 1), b);
	}
	default: return int_function(g, depth);
	}
}

/* ---- truth ---- */

/* Places of different axes are not compared: one becomes a mere number. */
static Node *untyped(Gen *g, Node *n)
{
	return n->kind == KIND_INT && n->op != OP_NUMBER ? node_two(g, OP_MUL, n, node_int(g, 1)) : n;
}

Node *gen_bool(Gen *g, int depth)
{
	static const Op all[] = {OP_LESS, OP_LESSEQ, OP_EQUAL, OP_UNEQUAL};
	unsigned way = gen_pick(g, 10);
	if (way < 3 && depth > 0) {
		Node *a = gen_bool(g, depth - 1);
		if (way == 0) {
			Node *n = node_make(g, OP_NOT, KIND_BOOL, dim_none());
			n->a = a;
			return n;
		}
		return node_two(g, way == 1 ? OP_AND : OP_OR, a, gen_bool(g, depth - 1));
	}
	if (way == 3 && depth > 1) {
		Node *n = reduction(g, gen_chance(g, 50) ? RED_ALL : RED_ANY, KIND_BOOL, depth, dim_none());
		if (n) {
			return n;
		}
	}
	if (way < 7) {
		return node_two(g, all[gen_pick(g, 4)], gen_int(g, depth - 1), untyped(g, gen_int(g, depth - 1)));
	}
	Dim dim = dim_none();
	if (g->units && gen_chance(g, 40)) {
		dim.power[gen_pick(g, DIMS)] = 1;
	}
	return node_two(g, all[gen_pick(g, 2)], gen_real(g, depth - 1, dim), untyped(g, gen_real(g, depth - 1, dim)));
}

/* ---- complex ---- */

Node *gen_complex(Gen *g, int depth)
{
	Node *n = NULL;
	if (depth > 0) {
		switch (gen_pick(g, 9)) {
		case 0: case 1: case 2:
			n = node_two(g, (Op[]){OP_ADD, OP_SUB, OP_MUL}[gen_pick(g, 3)], gen_complex(g, depth - 1), gen_complex(g, depth - 1));
			break;
		case 3: {
			Node *under = node_make(g, OP_COMPLEX, KIND_COMPLEX, dim_none());
			under->a = node_number(g, gen_decimal(g, 1, 2));
			under->b = gen_real(g, depth - 2, dim_none());
			n = node_two(g, OP_DIV, gen_complex(g, depth - 1), under);
			break;
		}
		case 4:
			n = node_make(g, OP_CONJ, KIND_COMPLEX, dim_none());
			n->a = gen_complex(g, depth - 1);
			break;
		case 5: {
			Node *arg = node_make(g, OP_COMPLEX, KIND_COMPLEX, dim_none());
			arg->a = node_call(g, CALL_TANH, gen_real(g, depth - 1, dim_none()));
			arg->b = gen_real(g, depth - 1, dim_none());
			n = node_make(g, OP_CCALL, KIND_COMPLEX, dim_none());
			n->whole = gen_pick(g, 3);
			n->a = arg;
			break;
		}
		case 6: n = reduction(g, RED_SUM, KIND_COMPLEX, depth, dim_none()); break;
		case 7: n = read_some(g, KIND_COMPLEX, dim_none()); break;
		default: break;
		}
	}
	if (!n) {
		n = node_make(g, OP_COMPLEX, KIND_COMPLEX, dim_none());
		n->a = gen_real(g, depth - 1, dim_none());
		n->b = gen_real(g, depth - 1, dim_none());
	}
	return n;
}
