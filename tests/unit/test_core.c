/* test_core.c — canonical form: what the constructors, reductions, sharing, walks and the
 * simplifier promise, one by one. */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "lang/op.h"
#include "lang/simplify.h"
#include "tests/unit/ref_eval.h"

typedef struct Bench {
	Arena *arena;
	Intern *names;
	Core *core;
	Axis h, ring, pos, rec; /* 5 from 0; 8 periodic; 1..60; records of unknown number */
	Def W, b, r, s, n;      /* [h,h] [h] [ring] ±1[h] int[h] */
	Index i, j, k;          /* over h */
} Bench;

static Axis axis(Bench *t, const char *name, int64_t first, int64_t size, unsigned flags)
{
	return core_axis(t->core, (AxisInfo){.name = intern_str(t->names, name),
					     .first = first,
					     .size = size,
					     .flags = flags});
}

static Def leaf(Bench *t, const char *name, Kind kind, uint32_t n, const Axis *axes)
{
	return core_leaf(t->core, DEF_PARAM, intern_str(t->names, name), (Span){0}, kind, 0, n,
			 axes);
}

static Bench bench(void)
{
	Bench t = {.arena = arena_create()};
	t.names = intern_create(t.arena);
	t.core = core_create(t.arena, t.names);
	t.h = axis(&t, "h", 0, 5, 0);
	t.ring = axis(&t, "ring", 0, 8, AXIS_PERIODIC);
	t.pos = axis(&t, "pos", 1, 60, 0);
	t.rec = axis(&t, "rec", 0, -1, AXIS_SAMPLES);
	Axis two[2] = {t.h, t.h};
	t.W = leaf(&t, "W", KIND_REAL, 2, two);
	t.b = leaf(&t, "b", KIND_REAL, 1, two);
	t.r = leaf(&t, "r", KIND_REAL, 1, &t.ring);
	t.s = leaf(&t, "s", KIND_REAL, 1, two);
	core_def_mutable(t.core, t.s)->flags |= DEF_SPIN;
	t.n = leaf(&t, "n", KIND_INT, 1, two);
	Index *const out[3] = {&t.i, &t.j, &t.k};
	static const char *const letter[] = {"i", "j", "k"};
	for (int q = 0; q < 3; q++) {
		*out[q] = core_index(t.core, t.h, intern_str(t.names, letter[q]));
	}
	return t;
}

static void finish(Bench *t)
{
	arena_free(t->arena);
}

static Node at1(Bench *t, Def d, Index i)
{
	return core_read_plain(t->core, d, &i);
}
static Node at2(Bench *t, Def d, Index i, Index j)
{
	return core_read_plain(t->core, d, (Index[]){i, j});
}
static Node num(Bench *t, double v)
{
	return core_real_const(t->core, v);
}
static Node whole(Bench *t, int64_t v)
{
	return core_int_const(t->core, v);
}
static Node value(Bench *t, Index i)
{
	return core_index_value(t->core, i);
}
static Node op(Bench *t, Op o, Node a, Node b)
{
	return core_op2(t->core, (uint16_t)o, a, b);
}
static Node sum1(Bench *t, Index i, Node body)
{
	return core_reduce(t->core, RED_SUM, 0, (Span){0}, 1, &i, body);
}
static const char *text(Bench *t, Node n)
{
	return core_text(t->core, t->arena, n);
}
static void reads(Bench *t, Node n, const char *want)
{
	cr_assert_str_eq(text(t, n), want);
}

/* ---- sums and products ---- */

Test(core, sums_are_linear_normal_forms)
{
	Bench t = bench();
	Core *c = t.core;
	Node p = at1(&t, t.b, t.i), q = at1(&t, t.b, t.j);
	Node n = core_add(c, core_scale(c, 2, core_add(c, p, q)), p);
	cr_assert_eq(n, core_lin(c, KIND_REAL, 0, 2, (double[]){2, 3}, (Node[]){q, p}));
	reads(&t, n, "3*b[i] + 2*b[j]");
	cr_assert_eq(core_sub(c, p, p), num(&t, 0));
	cr_assert_eq(core_mul(c, num(&t, 0), p), num(&t, 0));
	cr_assert_eq(core_lin(c, KIND_REAL, 0, 1, (double[]){1}, &p), p);
	cr_assert_eq(core_sub(c, core_add(c, p, num(&t, 2)), num(&t, 2)), p);
	reads(&t, core_sub(c, num(&t, 1), core_powi(c, p, 2)), "1 - b[i]^2");
	reads(&t, core_div(c, core_sub(c, p, q), num(&t, 3)), "1/3*b[i] - 1/3*b[j]");
	finish(&t);
}

Test(core, products_are_powers)
{
	Bench t = bench();
	Core *c = t.core;
	Node p = at1(&t, t.b, t.i), q = at1(&t, t.b, t.j), s = at1(&t, t.s, t.i);
	cr_assert_eq(core_mul(c, p, core_mul(c, q, p)), core_mul(c, core_powi(c, p, 2), q));
	cr_assert_eq(core_div(c, p, p), num(&t, 1));
	cr_assert_eq(core_mul(c, s, s), num(&t, 1));
	cr_assert_eq(core_powi(c, s, -3), s);
	cr_assert_eq(core_div(c, p, s), core_mul(c, s, p));
	cr_assert_eq(core_mul(c, core_scale(c, 2, p), core_scale(c, 3, q)),
		     core_scale(c, 6, core_mul(c, p, q)));
	/* a number that all terms of a factor share comes out, with a sign that does not depend on
	 * names */
	Node d = core_sub(c, p, core_mul(c, q, q));
	cr_assert_eq(core_mul(c, core_scale(c, -2, d), q), core_scale(c, -2, core_mul(c, d, q)));
	cr_assert_eq(core_powi(c, core_sub(c, p, q), 2), core_powi(c, core_sub(c, q, p), 2));
	cr_assert_eq(core_pow(c, p, num(&t, 3)), core_powi(c, p, 3));
	cr_assert_eq(core_node(c, core_pow(c, p, num(&t, 0.5)))->tag, NODE_OP);
	finish(&t);
}

Test(core, infinite_numbers_do_not_spread)
{
	Bench t = bench();
	Core *c = t.core;
	Node p = at1(&t, t.b, t.i), q = at1(&t, t.b, t.j);
	Node n = core_mul(c, core_div(c, num(&t, 1), num(&t, 0)), core_sub(c, p, q));
	reads(&t, n, "inf*(b[i] - b[j])");
	cr_assert_null(core_check(c, 1, &n, false));
	finish(&t);
}

/* ---- conditions ---- */

Test(core, comparisons_of_ints_have_one_form)
{
	Bench t = bench();
	Core *c = t.core;
	Node i = value(&t, t.i), j = value(&t, t.j);
	cr_assert_eq(op(&t, OP_ilt, i, j), op(&t, OP_ile, core_add(c, i, whole(&t, 1)), j));
	cr_assert_eq(core_op1(c, OP_not, op(&t, OP_ilt, i, j)), op(&t, OP_ile, j, i));
	cr_assert_eq(op(&t, OP_ieq, i, core_add(c, j, whole(&t, 1))),
		     op(&t, OP_ieq, core_sub(c, i, whole(&t, 1)), j));
	cr_assert_eq(op(&t, OP_ieq, i, j), op(&t, OP_ieq, j, i));
	cr_assert_eq(core_op1(c, OP_not, op(&t, OP_ieq, i, j)), op(&t, OP_ine, i, j));
	cr_assert_eq(op(&t, OP_ieq, core_scale(c, 2, i), whole(&t, 4)),
		     op(&t, OP_ieq, i, whole(&t, 2)));
	cr_assert_eq(op(&t, OP_ieq, core_scale(c, 2, i), whole(&t, 3)), core_bool_const(c, false));
	/* decided by the range 0..4 */
	cr_assert_eq(op(&t, OP_ine, core_add(c, i, whole(&t, 1)), whole(&t, 0)),
		     core_bool_const(c, true));
	cr_assert_eq(op(&t, OP_ilt, i, whole(&t, 5)), core_bool_const(c, true));
	cr_assert_eq(core_node(c, op(&t, OP_ilt, i, whole(&t, 4)))->tag, NODE_OP);
	/* an index that may step beyond its axis decides nothing */
	Node w = value(&t, core_index_wide(c, t.h, 0));
	cr_assert_eq(core_node(c, op(&t, OP_ilt, w, whole(&t, 5)))->tag, NODE_OP);
	/* nor one whose axis has no size yet, but for its first label */
	Node u = value(&t, core_index(c, t.rec, 0));
	cr_assert_eq(core_node(c, op(&t, OP_ilt, u, whole(&t, 5)))->tag, NODE_OP);
	cr_assert_eq(op(&t, OP_ile, whole(&t, 0), u), core_bool_const(c, true));
	finish(&t);
}

Test(core, guards_absorb_and_merge)
{
	Bench t = bench();
	Core *c = t.core;
	Node p = at1(&t, t.b, t.i), q = at1(&t, t.b, t.j);
	Node cond = op(&t, OP_ine, value(&t, t.i), value(&t, t.j)), other = op(&t, OP_lt, p, q);
	cr_assert_eq(core_mul(c, core_guard(c, cond, p), q),
		     core_guard(c, cond, core_mul(c, p, q)));
	cr_assert_eq(core_add(c, core_guard(c, cond, p), core_guard(c, cond, q)),
		     core_guard(c, cond, core_add(c, p, q)));
	cr_assert_eq(core_sub(c, core_guard(c, cond, p), core_guard(c, cond, p)), num(&t, 0));
	cr_assert_eq(core_scale(c, 3, core_guard(c, cond, p)),
		     core_guard(c, cond, core_scale(c, 3, p)));
	cr_assert_eq(core_guard(c, cond, core_guard(c, other, p)),
		     core_guard(c, other, core_guard(c, cond, p)));
	cr_assert_eq(core_guard(c, core_bool_const(c, true), p), p);
	cr_assert_eq(core_guard(c, core_bool_const(c, false), p), num(&t, 0));
	cr_assert_eq(core_select(c, cond, p, num(&t, 0)), core_guard(c, cond, p));
	cr_assert_eq(core_select(c, cond, num(&t, 0), p),
		     core_guard(c, core_op1(c, OP_not, cond), p));
	cr_assert_eq(core_select(c, cond, p, p), p);
	/* inside a guard its condition holds */
	Node inner = core_op1(c, OP_exp, core_select(c, cond, p, q));
	cr_assert_eq(core_guard(c, cond, inner), core_guard(c, cond, core_op1(c, OP_exp, p)));
	cr_assert_eq(core_guard(c, core_op1(c, OP_not, cond), inner),
		     core_guard(c, core_op1(c, OP_not, cond), core_op1(c, OP_exp, q)));
	finish(&t);
}

Test(core, truth_is_a_sorted_chain)
{
	Bench t = bench();
	Core *c = t.core;
	Node p = at1(&t, t.b, t.i), q = at1(&t, t.b, t.j);
	Node x = op(&t, OP_lt, p, q), y = op(&t, OP_lt, q, p),
	     z = op(&t, OP_ine, value(&t, t.i), value(&t, t.k));
	cr_assert_eq(op(&t, OP_and, x, op(&t, OP_and, y, z)),
		     op(&t, OP_and, op(&t, OP_and, z, x), op(&t, OP_and, y, x)));
	cr_assert_eq(op(&t, OP_and, z, core_op1(c, OP_not, z)), core_bool_const(c, false));
	cr_assert_eq(op(&t, OP_or, x, core_op1(c, OP_not, x)), core_bool_const(c, true));
	cr_assert_eq(core_op1(c, OP_not, core_op1(c, OP_not, x)), x);
	/* not (a < b) is not b <= a: both fail for NaN */
	cr_assert_neq(core_op1(c, OP_not, x), op(&t, OP_le, q, p));
	finish(&t);
}

Test(core, periodic_places_and_xor)
{
	Bench t = bench();
	Core *c = t.core;
	Index k = core_index(c, t.ring, 0);
	Node v = value(&t, k), up = core_add(c, v, whole(&t, 7)),
	     down = core_sub(c, v, whole(&t, 1)), nine = whole(&t, 9);
	cr_assert_eq(core_read(c, t.r, &up), core_read(c, t.r, &down));
	cr_assert_eq(core_read(c, t.r, &nine), core_read(c, t.r, (Node[]){whole(&t, 1)}));
	Node x = op(&t, OP_bxor, v, whole(&t, 3));
	cr_assert_eq(op(&t, OP_bxor, whole(&t, 3), x), v);
	cr_assert_eq(op(&t, OP_bxor, x, x), whole(&t, 0));
	finish(&t);
}

Test(core, overflow_of_ints_is_noted)
{
	Bench t = bench();
	Core *c = t.core;
	cr_assert(!core_int_overflow(c));
	core_add(c, whole(&t, INT64_MAX), whole(&t, 1));
	cr_assert(core_int_overflow(c));
	core_mul(c, whole(&t, INT64_MAX / 2), whole(&t, 3));
	cr_assert(core_int_overflow(c));
	core_powi(c, whole(&t, 10), 19);
	cr_assert(core_int_overflow(c));
	cr_assert_eq(core_powi(c, whole(&t, 10), 18), whole(&t, 1000000000000000000));
	cr_assert_eq(core_sub(c, whole(&t, INT64_MAX), whole(&t, 1)), whole(&t, INT64_MAX - 1));
	cr_assert(!core_int_overflow(c));
	finish(&t);
}

/* ---- reductions ---- */

Test(core, reductions_are_equal_up_to_renaming)
{
	Bench t = bench();
	Core *c = t.core;
	Node a = sum1(&t, t.j, core_mul(c, at2(&t, t.W, t.i, t.j), at1(&t, t.b, t.j)));
	Node d = sum1(&t, t.i, core_mul(c, at1(&t, t.b, t.i), at2(&t, t.W, t.k, t.i)));
	cr_assert_eq(core_node(c, a)->ref, core_node(c, d)->ref);
	cr_assert_eq(core_subst(c, a, 1, &t.i, (Node[]){value(&t, t.k)}), d);
	/* the transposed one is another */
	Node e = sum1(&t, t.j, core_mul(c, at2(&t, t.W, t.j, t.i), at1(&t, t.b, t.j)));
	cr_assert_neq(core_node(c, a)->ref, core_node(c, e)->ref);
	/* indices that only an exchange can tell apart */
	Node f = core_reduce(c, RED_SUM, 0, (Span){0}, 2, (Index[]){t.i, t.j},
			     core_mul(c, at2(&t, t.W, t.i, t.j), at2(&t, t.W, t.j, t.i)));
	Node g = core_reduce(c, RED_SUM, 0, (Span){0}, 2, (Index[]){t.k, t.i},
			     core_mul(c, at2(&t, t.W, t.k, t.i), at2(&t, t.W, t.i, t.k)));
	cr_assert_eq(f, g);
	finish(&t);
}

Test(core, sums_let_go_what_does_not_vary)
{
	Bench t = bench();
	Core *c = t.core;
	Node bi = at1(&t, t.b, t.i), bj = at1(&t, t.b, t.j);
	Node sum = sum1(&t, t.j, bj);
	cr_assert_eq(sum1(&t, t.j, core_mul(c, bi, core_scale(c, 3, bj))),
		     core_scale(c, 3, core_mul(c, bi, sum)));
	cr_assert_eq(sum1(&t, t.j, bi), core_mul(c, bi, core_real(c, core_size(c, t.h))));
	cr_assert_eq(sum1(&t, t.j, num(&t, 0)), num(&t, 0));
	/* a guard without the bound index leaves, one with it stays */
	Node free = op(&t, OP_ieq, value(&t, t.i), whole(&t, 2)),
	     own = op(&t, OP_ine, value(&t, t.i), value(&t, t.j));
	cr_assert_eq(sum1(&t, t.j, core_guard(c, free, bj)), core_guard(c, free, sum));
	Node kept = sum1(&t, t.j, core_guard(c, own, core_mul(c, bi, bj)));
	cr_assert_eq(kept, core_mul(c, bi, sum1(&t, t.j, core_guard(c, own, bj))));
	/* a sum of several terms is not distributed */
	Node two = core_node(c, sum1(&t, t.j, core_add(c, bj, core_powi(c, bj, 2))))->ref;
	cr_assert_eq(core_def(c, two)->role, DEF_REDUCTION);
	/* a sum directly of a sum is one sum over both */
	Node nested = sum1(&t, t.i, sum1(&t, t.j, at2(&t, t.W, t.i, t.j)));
	cr_assert_eq(core_def(c, core_node(c, nested)->ref)->nbound, 2);
	finish(&t);
}

Test(core, one_point_filters_are_resolved)
{
	Bench t = bench();
	Core *c = t.core;
	Node i = value(&t, t.i), j = value(&t, t.j), bj = at1(&t, t.b, t.j);
	cr_assert_eq(sum1(&t, t.j, core_guard(c, op(&t, OP_ieq, i, j), bj)), at1(&t, t.b, t.i));
	cr_assert_eq(sum1(&t, t.j, core_guard(c, op(&t, OP_ieq, j, whole(&t, 3)), bj)),
		     core_read(c, t.b, (Node[]){whole(&t, 3)}));
	cr_assert_eq(sum1(&t, t.j, core_guard(c, op(&t, OP_ieq, j, whole(&t, 7)), bj)), num(&t, 0));
	/* j == i + 1 is a place only for i < 4 */
	Node next = core_add(c, i, whole(&t, 1));
	cr_assert_eq(sum1(&t, t.j, core_guard(c, op(&t, OP_ieq, j, next), bj)),
		     core_guard(c, op(&t, OP_ilt, i, whole(&t, 4)), core_read(c, t.b, &next)));
	/* a gather: what the data say must lie on the axis */
	Node g = at1(&t, t.n, t.i);
	Node have = sum1(&t, t.j, core_guard(c, op(&t, OP_ieq, j, g), bj));
	cr_assert_eq(have, core_guard(c,
				      op(&t, OP_and, op(&t, OP_ile, whole(&t, 0), g),
					 op(&t, OP_ile, g, whole(&t, 4))),
				      core_read(c, t.b, &g)));
	/* the scatter that cannot be solved stays a sum with a filter */
	Node scatter = sum1(&t, t.i, core_guard(c, op(&t, OP_ieq, j, g), at1(&t, t.b, t.i)));
	cr_assert_eq(core_def(c, core_node(c, scatter)->ref)->role, DEF_REDUCTION);
	finish(&t);
}

Test(core, filters_of_other_reductions_leave_out)
{
	Bench t = bench();
	Core *c = t.core;
	Ref *r = ref_create(c);
	static const double b[5] = {-3, -2, -5, -4, -6};
	ref_set(r, t.b, b);
	Node odd = op(&t, OP_ilt, value(&t, t.j), whole(&t, 0)),
	     some = op(&t, OP_ilt, whole(&t, 2), value(&t, t.j));
	static const struct {
		RedKind red;
		double none, part;
	} rows[] = {{RED_MAX, -INFINITY, -4},
		    {RED_MIN, INFINITY, -6},
		    {RED_PROD, 1, 24},
		    {RED_LOGSUMEXP, -INFINITY, -3.8730719889570},
		    {RED_SUM, 0, -10}};
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		Node body = at1(&t, t.b, t.j);
		Node none = core_reduce(c, rows[k].red, 0, (Span){0}, 1, &t.j,
					core_filter(c, rows[k].red, odd, body));
		Node part = core_reduce(c, rows[k].red, 0, (Span){0}, 1, &t.j,
					core_filter(c, rows[k].red, some, body));
		cr_assert_eq(ref_node(r, none), rows[k].none, "empty reduction %d",
			     (int)rows[k].red);
		cr_assert_float_eq(ref_node(r, part), rows[k].part, 1e-12, "reduction %d",
				   (int)rows[k].red);
		/* zero is an element like any other */
		Node zero = core_reduce(c, rows[k].red, 0, (Span){0}, 1, &t.j,
					core_filter(c, rows[k].red, some, num(&t, 0)));
		double want = rows[k].red == RED_LOGSUMEXP ? log(2) : 0;
		Node plain = core_reduce(c, rows[k].red, 0, (Span){0}, 1, &t.j,
					 core_guard(c, some, at1(&t, t.b, t.j)));
		double guarded = rows[k].red == RED_LOGSUMEXP ? log(3 + exp(-4) + exp(-6))
				 : rows[k].red == RED_MIN     ? -6
				 : rows[k].red == RED_SUM     ? -10
							      : 0;
		cr_assert_float_eq(ref_node(r, plain), guarded, 1e-12,
				   "a guard in reduction %d is a zero", (int)rows[k].red);
		cr_assert_float_eq(ref_node(r, zero), want, 1e-15, "reduction %d of zeros",
				   (int)rows[k].red);
	}
	ref_free(r);
	finish(&t);
}

/* ---- definitions ---- */

Test(core, sharing_and_opening)
{
	Bench t = bench();
	Core *c = t.core;
	Node body = core_mul(c, at1(&t, t.b, t.i), at1(&t, t.b, t.j));
	Def d = core_share(c, intern_str(t.names, "d"), (Span){0}, 2, (Index[]){t.i, t.j}, body, 0);
	Node other = core_mul(c, at1(&t, t.b, t.k), at1(&t, t.b, t.j));
	cr_assert_eq(core_share(c, 0, (Span){0}, 2, (Index[]){t.k, t.j}, other, 0), d);
	cr_assert_eq(core_share(c, intern_str(t.names, "u"), (Span){0}, 2, (Index[]){t.k, t.j},
				other, DEF_USER),
		     d);
	cr_assert_eq(core_def(c, d)->name, intern_str(t.names, "u"), "the user's name is better");
	cr_assert_neq(core_share(c, 0, (Span){0}, 2, (Index[]){t.k, t.j}, other, DEF_VARIABLE), d);
	Node two = whole(&t, 2);
	cr_assert_eq(core_open(c, d, 0, (Node[]){value(&t, t.i), two}, NULL),
		     core_mul(c, at1(&t, t.b, t.i), core_read(c, t.b, &two)));
	Node red = sum1(&t, t.j, at2(&t, t.W, t.i, t.j));
	Index *bound;
	Node one = value(&t, t.k), open = core_open(c, core_node(c, red)->ref, 0, &one, &bound);
	cr_assert_eq(open, at2(&t, t.W, t.k, bound[0]));
	const Index *free;
	cr_assert_eq(core_free(c, body, &free), 2);
	cr_assert(core_has_index(c, body, t.i) && !core_has_index(c, body, t.k));
	finish(&t);
}

/* h[t] = tanh(h[t-1] + x[t]), h[0] = 0 */
static Def recurrence(Bench *t, Def x)
{
	Core *c = t->core;
	Index p = core_index(c, t->pos, intern_str(t->names, "t"));
	DefInfo info = {.role = DEF_VALUE,
			.name = intern_str(t->names, "h"),
			.kind = KIND_REAL,
			.nindex = 1,
			.index = &p,
			.flags = DEF_USER};
	Def d = core_define(c, info);
	Node before = core_sub(c, value(t, p), whole(t, 1));
	Node step = core_op1(c, OP_tanh, core_add(c, core_read(c, d, &before), at1(t, x, p)));
	Range start = {{EDGE_AT, 0}, {EDGE_AT, 0}}, rest = {{EDGE_FIRST, 0}, {EDGE_LAST, 0}};
	core_set_pieces(c, d, 2, (Piece[]){{&start, num(t, 0)}, {&rest, step}});
	return d;
}

Test(core, reach_orders_and_finds_cycles)
{
	Bench t = bench();
	Core *c = t.core;
	Def x = leaf(&t, "x", KIND_REAL, 1, &t.pos), d = recurrence(&t, x);
	Node last = whole(&t, 60),
	     root = core_mul(c, core_read(c, d, &last), core_read(c, t.b, (Node[]){whole(&t, 0)}));
	cr_assert_null(core_check(c, 1, &root, false));
	Def *order;
	uint32_t *component, n = core_reach(c, t.arena, 1, &root, &order, &component);
	cr_assert_eq(n, 3);
	uint32_t px = 9, pd = 9;
	for (uint32_t k = 0; k < n; k++) {
		px = order[k] == x ? k : px;
		pd = order[k] == d ? k : pd;
	}
	cr_assert(px < pd && component[px] < component[pd]);
	cr_assert(core_depends(c, root, x) && core_depends(c, root, t.b) &&
		  core_depends(c, root, d) && !core_depends(c, root, t.W));
	finish(&t);
}

static Def swap_leaf(void *data, Core *c, Def d)
{
	const Def *pair = data;
	(void)c;
	return d == pair[0] ? pair[1] : 0;
}

Test(core, copies_share_what_does_not_change)
{
	Bench t = bench();
	Core *c = t.core;
	Def x = leaf(&t, "x", KIND_REAL, 1, &t.pos), y = leaf(&t, "y", KIND_REAL, 1, &t.pos),
	    d = recurrence(&t, x);
	Node last = whole(&t, 60), same = sum1(&t, t.i, at1(&t, t.b, t.i));
	Node root[2] = {core_add(c, core_read(c, d, &last), same), same};
	Def pair[2] = {x, y};
	core_copy(c, t.arena, &(CoreMap){swap_leaf, pair}, 2, root);
	cr_assert_eq(root[1], same);
	cr_assert_null(core_check(c, 2, root, false));
	cr_assert(core_depends(c, root[0], y) && !core_depends(c, root[0], x));
	double xs[60], ys[60];
	for (int k = 0; k < 60; k++) {
		xs[k] = 0.01 * k;
		ys[k] = 0.3 - 0.02 * k;
	}
	Ref *r = ref_create(c);
	static const double b[5] = {1, 2, 3, 4, 5};
	ref_set(r, x, ys);
	ref_set(r, y, xs);
	ref_set(r, t.b, b);
	double copied = ref_node(r, root[0]);
	ref_set(r, x, xs);
	double original = ref_node(r, core_add(c, core_read(c, d, &last), same));
	cr_assert_eq(copied, original);
	ref_free(r);
	finish(&t);
}

/* ---- the checker ---- */

Test(core, checker_finds_mistakes)
{
	Bench t = bench();
	Core *c = t.core;
	Node open = at1(&t, t.b, t.i), derivative = core_d(c, at1(&t, t.b, t.j), at1(&t, t.b, t.j));
	cr_assert_null(core_check(c, 1, &derivative, true));
	cr_assert_not_null(core_check(c, 1, &derivative, false));
	DefInfo info = {.role = DEF_VALUE,
			.kind = KIND_REAL,
			.npiece = 1,
			.piece = &(Piece){.value = open}};
	Node bad = core_read(c, core_define(c, info), NULL);
	const char *wrong = core_check(c, 1, &bad, false);
	cr_assert(wrong && strstr(wrong, "free index"), "%s", wrong);
	Index own = core_index(c, t.h, 0);
	DefInfo kinds = {.role = DEF_VALUE,
			 .kind = KIND_INT,
			 .nindex = 1,
			 .index = &own,
			 .npiece = 1,
			 .piece = &(Piece){.value = at1(&t, t.b, own)}};
	Node mixed = core_read_plain(c, core_define(c, kinds), &t.i);
	wrong = core_check(c, 1, &mixed, false);
	cr_assert(wrong && strstr(wrong, "kind"), "%s", wrong);
	Index far = core_index(c, t.h, 0);
	Range box = {{EDGE_FIRST, -100}, {EDGE_LAST, 0}};
	DefInfo boxed = {.role = DEF_VALUE,
			 .kind = KIND_REAL,
			 .nindex = 1,
			 .index = &far,
			 .npiece = 1,
			 .piece = &(Piece){.box = &box, .value = num(&t, 1)}};
	Node out = core_read_plain(c, core_define(c, boxed), &t.i);
	wrong = core_check(c, 1, &out, false);
	cr_assert(wrong && strstr(wrong, "box"), "%s", wrong);
	finish(&t);
}

/* ---- the simplifier ---- */

static Def share(Bench *t, const char *name, uint32_t n, const Index *index, Node body,
		 unsigned flags)
{
	return core_share(t->core, name ? intern_str(t->names, name) : 0, (Span){0}, n, index, body,
			  flags);
}

static uint32_t reached(Bench *t, Node *root)
{
	Def *order;
	return core_reach(t->core, t->arena, 1, root, &order, NULL);
}

Test(simplify, aliases_and_multiples_dissolve_products_stay)
{
	Bench t = bench();
	Core *c = t.core;
	Def product = share(&t, "p", 1, &t.i, core_mul(c, at1(&t, t.b, t.i), at1(&t, t.s, t.i)), 0);
	Def twice = share(&t, "twice", 1, &t.i, core_scale(c, 2, at1(&t, product, t.i)), 0);
	Def alias = share(&t, "alias", 2, (Index[]){t.j, t.i}, at1(&t, twice, t.j), 0);
	Node root = sum1(&t, t.i, core_mul(c, at2(&t, alias, t.i, t.i), at1(&t, t.b, t.i)));
	core_simplify(c, t.arena, 0, 1, &root);
	cr_assert_eq(root, core_scale(c, 2,
				      sum1(&t, t.i,
					   core_mul(c, at1(&t, product, t.i), at1(&t, t.b, t.i)))));
	/* the sum, the product, b and s */
	cr_assert_eq(reached(&t, &root), 4);
	finish(&t);
}

Test(simplify, equal_definitions_merge_up_to_order_of_indices)
{
	Bench t = bench();
	Core *c = t.core;
	Node outer = core_mul(c, at1(&t, t.b, t.i), at1(&t, t.s, t.j));
	Def z = share(&t, "z", 2, (Index[]){t.i, t.j}, core_op1(c, OP_tanh, outer), 0);
	Def zz = share(&t, "zz", 2, (Index[]){t.j, t.i}, core_op1(c, OP_tanh, outer), 0);
	cr_assert_neq(z, zz);
	Node root = core_sub(c, at2(&t, z, t.i, t.j), at2(&t, zz, t.j, t.i));
	core_simplify(c, t.arena, 0, 1, &root);
	cr_assert_eq(root, num(&t, 0));
	finish(&t);
}

Test(simplify, what_does_not_vary_along_an_index_loses_it)
{
	Bench t = bench();
	Core *c = t.core;
	Def wide =
		share(&t, "w", 2, (Index[]){t.i, t.j}, core_op1(c, OP_exp, at1(&t, t.b, t.j)), 0);
	Node root = at2(&t, wide, t.i, t.j);
	core_simplify(c, t.arena, 0, 1, &root);
	cr_assert_eq(core_node(c, root)->n, 1);
	finish(&t);
}

Test(simplify, constants_and_sizes_fold_only_when_asked)
{
	Bench t = bench();
	Core *c = t.core;
	DefInfo info = {.role = DEF_CONST,
			.name = intern_str(t.names, "nu"),
			.kind = KIND_REAL,
			.npiece = 1,
			.piece = &(Piece){.value = num(&t, 0.5)}};
	Node nu = core_read(c, core_define(c, info), NULL);
	Node root = core_div(c, core_mul(c, nu, at1(&t, t.b, t.i)),
			     core_real(c, core_size(c, t.h))),
	     kept = root;
	core_simplify(c, t.arena, 0, 1, &kept);
	cr_assert_eq(kept, root);
	core_simplify(c, t.arena, SIMPLIFY_FOLD, 1, &root);
	cr_assert_eq(root, core_scale(c, 0.1, at1(&t, t.b, t.i)));
	finish(&t);
}

Test(simplify, users_names_and_variables)
{
	Bench t = bench();
	Core *c = t.core;
	Def y = share(&t, "y", 1, &t.i, core_scale(c, 2, at1(&t, t.b, t.i)), DEF_USER);
	Def v = share(&t, "v", 1, &t.i, at1(&t, t.b, t.i), DEF_VARIABLE);
	Node root = core_op1(c, OP_sin, core_add(c, at1(&t, y, t.i), at1(&t, v, t.i))), kept = root,
	     folded = root, variables = root;
	core_simplify(c, t.arena, 0, 1, &kept);
	cr_assert_eq(kept, core_op1(c, OP_sin, core_add(c, at1(&t, y, t.i), at1(&t, t.b, t.i))));
	core_simplify(c, t.arena, SIMPLIFY_FOLD, 1, &folded);
	cr_assert_eq(folded, core_op1(c, OP_sin, core_scale(c, 3, at1(&t, t.b, t.i))));
	core_simplify(c, t.arena, SIMPLIFY_KEEP_VARIABLES, 1, &variables);
	cr_assert(core_depends(c, variables, v));
	finish(&t);
}

Test(simplify, recurrences_are_rebuilt_whole)
{
	Bench t = bench();
	Core *c = t.core;
	Def x = leaf(&t, "x", KIND_REAL, 1, &t.pos);
	Index p = core_index(c, t.pos, 0);
	Def alias = share(&t, 0, 1, &p, at1(&t, x, p), 0), d = recurrence(&t, alias);
	Node last = whole(&t, 60), root = core_read(c, d, &last);
	core_simplify(c, t.arena, 0, 1, &root);
	cr_assert_neq(core_node(c, root)->ref, d);
	cr_assert_null(core_check(c, 1, &root, false));
	cr_assert_eq(reached(&t, &root), 2);
	Node again = root;
	core_simplify(c, t.arena, 0, 1, &again);
	cr_assert_eq(again, root, "nothing to do the second time");
	finish(&t);
}

Test(simplify, zero_outside_stays)
{
	Bench t = bench();
	Core *c = t.core;
	Index p = core_index_wide(c, t.pos, 0), q = core_index(c, t.pos, 0);
	Def x = leaf(&t, "x", KIND_REAL, 1, &t.pos);
	Def adjoint = share(&t, "x_", 1, &p, core_scale(c, 2, at1(&t, x, p)), DEF_ZERO_OUTSIDE);
	Node next = core_add(c, value(&t, q), whole(&t, 1)),
	     root = sum1(&t, q, core_mul(c, at1(&t, x, q), core_read(c, adjoint, &next)));
	core_simplify(c, t.arena, SIMPLIFY_FOLD, 1, &root);
	cr_assert(core_depends(c, root, adjoint), "a read at 61 is zero only by the definition");
	finish(&t);
}

/* Layers of a network with adjoint-like readers: the work is proportional to their number. */
static uint32_t nodes_for_layers(int layers)
{
	Bench t = bench();
	Core *c = t.core;
	Def x = t.b;
	for (int k = 0; k < layers; k++) {
		Node z = sum1(&t, t.j, core_mul(c, at2(&t, t.W, t.i, t.j), at1(&t, x, t.j)));
		Def alias = share(&t, 0, 1, &t.i, core_scale(c, 0.5, z), 0);
		Def y = share(&t, 0, 1, &t.i, core_op1(c, OP_tanh, at1(&t, alias, t.i)), 0);
		x = share(&t, 0, 1, &t.i, core_add(c, at1(&t, y, t.i), at1(&t, x, t.i)), 0);
	}
	uint32_t before = core_node_count(c);
	Node root = at1(&t, x, t.i);
	core_simplify(c, t.arena, SIMPLIFY_FOLD, 1, &root);
	uint32_t made = core_node_count(c) - before;
	finish(&t);
	return made;
}

Test(simplify, growth_is_linear)
{
	uint32_t few = nodes_for_layers(16), many = nodes_for_layers(128);
	cr_assert_leq(many, 9 * few, "%u nodes for 16 layers, %u for 128", few, many);
}

/* ---- depth ---- */

Test(core, depth_costs_no_stack)
{
	Bench t = bench();
	Core *c = t.core;
	Node n = at1(&t, t.b, t.i);
	for (int k = 0; k < 200000; k++) {
		n = core_op1(c, k % 2 ? OP_sin : OP_exp, n);
	}
	Node m = core_subst(c, n, 1, &t.i, (Node[]){value(&t, t.j)});
	cr_assert_neq(m, n);
	cr_assert_lt(strlen(text(&t, n)), 10000);
	Def d = core_share(c, 0, (Span){0}, 1, &t.i, n, 0);
	for (int k = 0; k < 50000; k++) {
		d = core_share(c, 0, (Span){0}, 1, &t.i, core_op1(c, OP_sin, at1(&t, d, t.i)), 0);
	}
	Node root = at1(&t, d, t.i);
	Def *order;
	cr_assert_eq(core_reach(c, t.arena, 1, &root, &order, NULL), 50002);
	cr_assert(core_depends(c, root, t.b) && !core_depends(c, root, t.W));
	cr_assert_null(core_check(c, 1, &root, false));
	core_simplify(c, t.arena, 0, 1, &root);
	cr_assert_eq(core_reach(c, t.arena, 1, &root, &order, NULL), 50002);
	finish(&t);
}

/* Nested choices over the same condition, and sums of them: merging has an end. */
Test(core, nested_conditions_have_an_end)
{
	Bench t = bench();
	Core *c = t.core;
	Node n = at1(&t, t.b, t.i), m = at1(&t, t.s, t.i);
	for (int k = 0; k < 3000; k++) {
		Node cond = op(&t, OP_lt, at1(&t, t.b, t.i), num(&t, 0.001 * k));
		n = core_add(c, at1(&t, t.b, t.j), core_guard(c, cond, n));
		m = core_add(c, at1(&t, t.s, t.j), core_guard(c, cond, m));
	}
	Node sum = core_add(c, n, m);
	cr_assert_eq(core_node(c, sum)->tag, NODE_LIN);
	finish(&t);
}
