/* core_aid.c — see core_aid.h. */
#include "tests/unit/core_aid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lang/op.h"

enum { H = 4, RING = 3 };

typedef enum {
	T_NUMBER,
	T_LEAF,
	T_REAL,
	T_ADD,
	T_SUB,
	T_MUL,
	T_DIV,
	T_POWI,
	T_OP1,
	T_OP2,
	T_SELECT,
	T_GUARD,
	T_REDUCE, /* real */
	T_INT,
	T_INDEX,
	T_IADD,
	T_ISUB,
	T_IMUL,
	T_IMOD,
	T_IDIV,
	T_XOR,
	T_GATHER,
	T_SIZE, /* int */
	T_LT,
	T_ILT,
	T_ILE,
	T_IEQ,
	T_INE,
	T_AND,
	T_OR,
	T_NOT /* bool */
} TreeKind;

struct Tree {
	TreeKind kind;
	double number;
	int64_t integer;
	int which; /* leaf, index, operation, reduction */
	int index[2];
	int shift;
	Tree *kid[3];
};

Aid *aid_create(uint64_t seed)
{
	Arena *arena = arena_create();
	Aid *a = arena_new(arena, Aid);
	a->arena = arena;
	a->names = intern_create(arena);
	a->core = core_create(arena, a->names);
	a->random = seed * 2654435761u + 12345;
	Core *c = a->core;
	a->h = core_axis(c, (AxisInfo){.name = intern_str(a->names, "h"), .size = H});
	a->ring = core_axis(c, (AxisInfo){.name = intern_str(a->names, "ring"),
					  .size = RING,
					  .first = 1,
					  .flags = AXIS_PERIODIC});
	static const char *const letter[] = {"i", "j", "t"};
	for (int k = 0; k < AID_INDICES; k++) {
		a->index[k] =
			core_index(c, k < 2 ? a->h : a->ring, intern_str(a->names, letter[k]));
	}
	static const struct {
		const char *name;
		int rank;
		unsigned flags;
		Kind kind;
	} leaves[AID_LEAVES] = {{"W", 2, 0, KIND_REAL}, {"x", 1, 0, KIND_REAL},
				{"y", 2, 0, KIND_REAL}, {"s", 1, DEF_SPIN, KIND_REAL},
				{"c", 0, 0, KIND_REAL}, {"n", 1, 0, KIND_INT}};
	a->ref = ref_create(c);
	for (int k = 0; k < AID_LEAVES; k++) {
		Axis axes[2] = {a->h, k == 2 ? a->ring : a->h};
		a->leaf[k] = core_leaf(c, k % 2 ? DEF_DATA : DEF_PARAM,
				       intern_str(a->names, leaves[k].name), (Span){0},
				       leaves[k].kind, 0, (uint32_t)leaves[k].rank, axes);
		core_def_mutable(c, a->leaf[k])->flags = leaves[k].flags;
		size_t n = leaves[k].rank == 0   ? 1
			   : leaves[k].rank == 1 ? H
			   : k == 2              ? H * RING
						 : H * H;
		a->value[k] = arena_array(arena, double, n);
		for (size_t q = 0; q < n; q++) {
			double u = aid_draw(a, 2001) / 1000.0 - 1;
			a->value[k][q] = k == 3   ? (u < 0 ? -1 : 1)
					 : k == 5 ? (double)aid_draw(a, H)
						  : u;
		}
		ref_set(a->ref, a->leaf[k], a->value[k]);
	}
	return a;
}

void aid_free(Aid *a)
{
	ref_free(a->ref);
	arena_free(a->arena);
}

uint32_t aid_draw(Aid *a, uint32_t n)
{
	a->random ^= a->random << 13;
	a->random ^= a->random >> 7;
	a->random ^= a->random << 17;
	return (uint32_t)((a->random >> 11) % n);
}

/* ---- making trees ---- */

static Tree *tree(Aid *a, TreeKind kind)
{
	Tree *t = arena_new(a->arena, Tree);
	t->kind = kind;
	return t;
}

static Tree *int_tree(Aid *a, int depth)
{
	static const TreeKind kinds[] = {T_INT,  T_INDEX, T_INDEX, T_SIZE, T_GATHER, T_IADD,
					 T_ISUB, T_IMUL,  T_IMOD,  T_IDIV, T_XOR};
	Tree *t = tree(a, kinds[aid_draw(a, depth > 0 ? 11 : 3)]);
	t->integer = (int64_t)aid_draw(a, 7) - 3;
	t->which = (int)aid_draw(a, t->kind == T_GATHER ? 2 : AID_INDICES);
	if (t->kind >= T_IADD && t->kind <= T_XOR) {
		t->kid[0] = int_tree(a, depth - 1);
		t->kid[1] = int_tree(a, depth - 1);
	}
	if (t->kind == T_IMOD || t->kind == T_IDIV) {
		t->kid[1] = tree(a, T_INT);
		t->kid[1]->integer = 1 + (int64_t)aid_draw(a, 4);
	}
	return t;
}

static Tree *real_tree(Aid *a, int depth, bool reductions);

static Tree *bool_tree(Aid *a, int depth)
{
	static const TreeKind kinds[] = {T_ILT, T_ILE, T_IEQ, T_INE, T_LT, T_AND, T_OR, T_NOT};
	Tree *t = tree(a, kinds[aid_draw(a, depth > 0 ? 8 : 4)]);
	for (int k = 0; k < (t->kind == T_NOT ? 1 : 2); k++) {
		t->kid[k] = t->kind == T_LT   ? real_tree(a, 1, false)
			    : t->kind < T_AND ? int_tree(a, 1)
					      : bool_tree(a, depth - 1);
	}
	return t;
}

static const Op ops1[] = {OP_exp, OP_sin,   OP_cos,     OP_tanh,     OP_abs, OP_sqrt,
			  OP_log, OP_floor, OP_sigmoid, OP_softplus, OP_erf};
static const Op ops2[] = {OP_min, OP_max, OP_atan2, OP_pow, OP_mod};

static Tree *real_leaf(Aid *a)
{
	static const double numbers[] = {0, 1, -1, 2, 0.5, 3, -0.25, 1.0 / 3};
	Tree *t = tree(a, aid_draw(a, 4) == 0 ? T_NUMBER : T_LEAF);
	t->number = numbers[aid_draw(a, 8)];
	t->which = (int)aid_draw(a, 5);
	t->index[0] = (int)aid_draw(a, 2);
	t->index[1] = t->which == 2 ? 2 : (int)aid_draw(a, 2);
	t->shift = t->which == 2 ? (int)aid_draw(a, 5) - 2 : 0;
	if (aid_draw(a, 8) == 0) {
		t->kind = T_REAL;
		t->kid[0] = int_tree(a, 1);
	}
	return t;
}

static Tree *real_tree(Aid *a, int depth, bool reductions)
{
	static const TreeKind kinds[] = {T_ADD,    T_ADD,   T_SUB,   T_MUL,    T_MUL,
					 T_DIV,    T_POWI,  T_OP1,   T_OP1,    T_OP2,
					 T_SELECT, T_GUARD, T_GUARD, T_REDUCE, T_REDUCE};
	if (depth <= 0) {
		return real_leaf(a);
	}
	Tree *t = tree(a, kinds[aid_draw(a, reductions ? 15 : 13)]);
	bool choice = t->kind == T_SELECT || t->kind == T_GUARD || t->kind == T_REDUCE;
	t->kid[choice ? 1 : 0] = real_tree(a, depth - 1, reductions);
	if (t->kind <= T_DIV || t->kind == T_OP2 || t->kind == T_SELECT) {
		t->kid[choice ? 2 : 1] = real_tree(a, depth - 1, reductions);
	}
	if (choice) {
		t->kid[0] = bool_tree(a, 1);
	}
	t->integer = (int64_t)aid_draw(a, 6) - 2;
	t->which = t->kind == T_OP1   ? (int)ops1[aid_draw(a, 11)]
		   : t->kind == T_OP2 ? (int)ops2[aid_draw(a, 5)]
				      : (int)aid_draw(a, 5);
	t->index[0] = (int)aid_draw(a, AID_INDICES);
	t->shift = (int)aid_draw(a, 2); /* a filter? */
	return t;
}

Tree *aid_tree(Aid *a, int depth, bool reductions)
{
	return real_tree(a, depth, reductions);
}

/* ---- their own evaluation ---- */

static int64_t wrap(int64_t label)
{
	int64_t k = (label - 1) % RING;
	return k < 0 ? k + RING : k;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	int64_t q = a / b;
	return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

static int64_t int_value(Aid *a, const Tree *t, const int64_t *at)
{
	int64_t x = t->kid[0] ? int_value(a, t->kid[0], at) : 0,
		y = t->kid[1] ? int_value(a, t->kid[1], at) : 0;
	switch (t->kind) {
	case T_INT:
		return t->integer;
	case T_INDEX:
		return at[t->which];
	case T_SIZE:
		return t->which == 2 ? RING : H;
	case T_GATHER:
		return (int64_t)a->value[5][at[t->which]];
	case T_IADD:
		return x + y;
	case T_ISUB:
		return x - y;
	case T_IMUL:
		return x * y;
	case T_IDIV:
		return floor_div(x, y);
	case T_IMOD:
		return x - y * floor_div(x, y);
	case T_XOR:
		return x ^ y;
	default:
		abort();
	}
}

static double note(Aid *a, double v)
{
	a->finite = a->finite && isfinite(v);
	a->largest = fmax(a->largest, fabs(v));
	return v;
}

static double value_of(Aid *a, const Tree *t, const int64_t *at);

static bool truth(Aid *a, const Tree *t, const int64_t *at)
{
	const Tree *x = t->kid[0], *y = t->kid[1];
	switch (t->kind) {
	case T_LT: {
		double left = value_of(a, x, at), right = value_of(a, y, at);
		/* too near to say after rearrangement */
		a->finite = a->finite && fabs(left - right) > 1e-9;
		return left < right;
	}
	case T_ILT:
		return int_value(a, x, at) < int_value(a, y, at);
	case T_ILE:
		return int_value(a, x, at) <= int_value(a, y, at);
	case T_IEQ:
		return int_value(a, x, at) == int_value(a, y, at);
	case T_INE:
		return int_value(a, x, at) != int_value(a, y, at);
	case T_AND:
		return truth(a, x, at) & truth(a, y, at);
	case T_OR:
		return truth(a, x, at) | truth(a, y, at);
	case T_NOT:
		return !truth(a, x, at);
	default:
		abort();
	}
}

static double leaf_value(const Aid *a, const Tree *t, const int64_t *at)
{
	size_t i = (size_t)at[t->index[0]], j = (size_t)at[t->index[1]];
	switch (t->which) {
	case 0:
		return a->value[0][i * H + j];
	case 2:
		return a->value[2][i * RING + (size_t)wrap(at[2] + t->shift)];
	case 4:
		return a->value[4][0];
	default:
		return a->value[t->which][i];
	}
}

static const RedKind reds[] = {RED_SUM, RED_SUM, RED_MAX, RED_LOGSUMEXP, RED_PROD};

static double reduce_value(Aid *a, const Tree *t, const int64_t *at)
{
	RedKind red = reds[t->which];
	int64_t here[AID_INDICES];
	memcpy(here, at, sizeof here);
	double r = red == RED_SUM ? 0 : red == RED_PROD ? 1 : red == RED_MAX ? -INFINITY : 0;
	bool any = false;
	a->inside++;
	for (int k = 0; k < (t->index[0] == 2 ? RING : H); k++) {
		here[t->index[0]] = t->index[0] == 2 ? k + 1 : k;
		bool taken = !t->shift || truth(a, t->kid[0], here);
		double v = value_of(a, t->kid[1], here);
		if (!taken) {
			continue;
		}
		any = true;
		r = red == RED_SUM    ? r + v
		    : red == RED_PROD ? r * v
		    : red == RED_MAX  ? fmax(r, v)
				      : r + exp(v);
		a->largest = fmax(a->largest, fabs(r));
	}
	a->inside--;
	if (red == RED_LOGSUMEXP) {
		return any ? log(r) : -INFINITY;
	}
	return r;
}

static double value_of(Aid *a, const Tree *t, const int64_t *at)
{
	OpValue v[2];
	switch (t->kind) {
	case T_NUMBER:
		return t->number;
	case T_LEAF:
		return leaf_value(a, t, at);
	case T_REAL:
		return note(a, (double)int_value(a, t->kid[0], at));
	case T_ADD:
		return note(a, value_of(a, t->kid[0], at) + value_of(a, t->kid[1], at));
	case T_SUB:
		return note(a, value_of(a, t->kid[0], at) - value_of(a, t->kid[1], at));
	case T_MUL:
		return note(a, value_of(a, t->kid[0], at) * value_of(a, t->kid[1], at));
	case T_DIV:
		return note(a, value_of(a, t->kid[0], at) / value_of(a, t->kid[1], at));
	case T_POWI:
		return note(a, pow(value_of(a, t->kid[0], at), (double)t->integer));
	case T_OP1:
	case T_OP2:
		v[0].r = value_of(a, t->kid[0], at);
		v[1].r = t->kid[1] ? value_of(a, t->kid[1], at) : 0;
		if (t->which == OP_floor || t->which == OP_mod) {
			double q = t->which == OP_mod ? v[0].r / v[1].r : v[0].r;
			a->finite = a->finite &&
				    fabs(q - nearbyint(q)) > 1e-9; /* a step: rounding decides */
		}
		if (t->which == OP_log || t->which == OP_sqrt || t->which == OP_atan2 ||
		    t->which == OP_pow) {
			a->finite = a->finite &&
				    fabs(v[0].r) > 1e-6; /* ill-conditioned or a cut nearby */
		}
		return note(a, op_apply((Op)t->which, v).r);
	case T_SELECT: {
		bool holds = truth(a, t->kid[0], at);
		if (a->inside) {
			value_of(a, t->kid[holds ? 2 : 1], at);
		}
		return value_of(a, t->kid[holds ? 1 : 2], at);
	}
	case T_GUARD: {
		/* a factor that leaves a sum is looked at even where a filter leaves out all terms:
		 * inside reductions everything has to be finite for a comparison */
		bool holds = truth(a, t->kid[0], at);
		double inner = holds || a->inside ? value_of(a, t->kid[1], at) : 0;
		return holds ? inner : 0;
	}
	case T_REDUCE:
		return note(a, reduce_value(a, t, at));
	default:
		abort();
	}
}

double aid_value(Aid *a, const Tree *t, const int64_t *at)
{
	a->largest = 1;
	a->finite = true;
	a->inside = 0;
	return value_of(a, t, at);
}

/* ---- into the core ---- */

static Node node_of(Aid *a, const Tree *t, const Index *index);

static Node int_node(Aid *a, const Tree *t, const Index *index)
{
	Core *c = a->core;
	Node x = t->kid[0] ? int_node(a, t->kid[0], index) : 0,
	     y = t->kid[1] ? int_node(a, t->kid[1], index) : 0;
	bool commutes = t->kind == T_IADD || t->kind == T_IMUL || t->kind == T_XOR;
	if (a->flip && commutes) {
		Node swap = x;
		x = y;
		y = swap;
	}
	switch (t->kind) {
	case T_INT:
		return core_int_const(c, t->integer);
	case T_INDEX:
		return core_index_value(c, index[t->which]);
	case T_SIZE:
		return core_size(c, t->which == 2 ? a->ring : a->h);
	case T_GATHER:
		return core_read_plain(c, a->leaf[5], &index[t->which]);
	case T_IADD:
		return core_add(c, x, y);
	case T_ISUB:
		return a->flip ? core_add(c, core_neg(c, y), x) : core_sub(c, x, y);
	case T_IMUL:
		return core_mul(c, x, y);
	case T_IDIV:
		return core_op2(c, OP_idiv, x, y);
	case T_IMOD:
		return core_op2(c, OP_imod, x, y);
	case T_XOR:
		return core_op2(c, OP_bxor, x, y);
	default:
		abort();
	}
}

static Node bool_node(Aid *a, const Tree *t, const Index *index)
{
	Core *c = a->core;
	static const Op op[] = {
		[T_LT] = OP_lt,   [T_ILT] = OP_ilt, [T_ILE] = OP_ile, [T_IEQ] = OP_ieq,
		[T_INE] = OP_ine, [T_AND] = OP_and, [T_OR] = OP_or};
	if (t->kind == T_NOT) {
		return core_op1(c, OP_not, bool_node(a, t->kid[0], index));
	}
	Node x, y;
	if (t->kind == T_LT) {
		x = node_of(a, t->kid[0], index);
		y = node_of(a, t->kid[1], index);
	} else if (t->kind < T_AND) {
		x = int_node(a, t->kid[0], index);
		y = int_node(a, t->kid[1], index);
	} else {
		x = bool_node(a, t->kid[0], index);
		y = bool_node(a, t->kid[1], index);
	}
	bool swap = a->flip && t->kind >= T_IEQ;
	return core_op2(c, (uint16_t)op[t->kind], swap ? y : x, swap ? x : y);
}

static Node reduce_node(Aid *a, const Tree *t, const Index *index)
{
	Core *c = a->core;
	Index here[AID_INDICES];
	memcpy(here, index, sizeof here);
	Index bound = core_index_like(c, index[t->index[0]]);
	here[t->index[0]] = bound;
	Node body = node_of(a, t->kid[1], here);
	if (t->shift) {
		body = core_filter(c, reds[t->which], bool_node(a, t->kid[0], here), body);
	}
	return core_reduce(c, reds[t->which], 0, (Span){0}, 1, &bound, body);
}

static Node leaf_node(Aid *a, const Tree *t, const Index *index)
{
	Core *c = a->core;
	Node args[2] = {core_index_value(c, index[t->index[0]]),
			core_index_value(c, index[t->index[1]])};
	if (t->which == 2) {
		args[1] = core_add(c, args[1], core_int_const(c, t->shift));
	}
	return core_read(c, a->leaf[t->which], args);
}

static Node node_of(Aid *a, const Tree *t, const Index *index)
{
	Core *c = a->core;
	if (t->kind == T_NUMBER) {
		return core_real_const(c, t->number);
	}
	if (t->kind == T_LEAF) {
		return leaf_node(a, t, index);
	}
	if (t->kind == T_REAL) {
		return core_real(c, int_node(a, t->kid[0], index));
	}
	if (t->kind == T_REDUCE) {
		return reduce_node(a, t, index);
	}
	if (t->kind == T_SELECT || t->kind == T_GUARD) {
		Node cond = bool_node(a, t->kid[0], index), yes = node_of(a, t->kid[1], index);
		if (t->kind == T_GUARD) {
			return core_guard(c, cond, yes);
		}
		Node no = node_of(a, t->kid[2], index);
		return a->flip ? core_select(c, core_op1(c, OP_not, cond), no, yes)
			       : core_select(c, cond, yes, no);
	}
	Node x = node_of(a, t->kid[0], index), y = t->kid[1] ? node_of(a, t->kid[1], index) : 0;
	switch (t->kind) {
	case T_ADD:
		return a->flip ? core_add(c, y, x) : core_add(c, x, y);
	case T_SUB:
		return a->flip ? core_add(c, core_neg(c, y), x) : core_sub(c, x, y);
	case T_MUL:
		return a->flip ? core_mul(c, y, x) : core_mul(c, x, y);
	case T_DIV:
		return a->flip ? core_mul(c, core_powi(c, y, -1), x) : core_div(c, x, y);
	case T_POWI:
		return core_powi(c, x, (int32_t)t->integer);
	case T_OP1:
		return core_op1(c, (uint16_t)t->which, x);
	case T_OP2:
		return core_op2(c, (uint16_t)t->which, x, y);
	default:
		abort();
	}
}

Node aid_build(Aid *a, const Tree *t, const Index *index)
{
	return node_of(a, t, index);
}

double aid_evaluate(Aid *a, Node n, const int64_t *at)
{
	Node value[AID_INDICES];
	for (int k = 0; k < AID_INDICES; k++) {
		value[k] = core_int_const(a->core, at[k]);
	}
	return ref_node(a->ref, core_subst(a->core, n, AID_INDICES, a->index, value));
}

bool aid_close(double a, double b, double scale)
{
	return fabs(a - b) <= 1e-10 * (scale + fabs(a));
}
