/* test_plan_filter.c — contractions under conditions: what is not selected is not added, whatever
 * it is, and the kernels are used. */
#include "tests/unit/plan_aid.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static Aid t;
static Axis s, e, h, g;
static Def Z, p, a, b, W;

#define C (t.c)
static const double TOLERANCE = 1e-12;

static void begin(void)
{
	aid_begin(&t);
	s = aid_axis(&t, "s", 0, 70, AXIS_SAMPLES);
	e = aid_axis(&t, "e", 1, 9, 0);
	h = aid_axis(&t, "h", 0, 20, 0);
	g = aid_axis(&t, "g", 0, 33, 0);
	Z = plan_aid_ints(&t, DEF_DATA, "Z", KIND_INT, 0, 2, (const Axis[]){e, 0});
	p = AID_LEAF(&t, DEF_PARAM, "p", -1, 1, e);
	a = AID_LEAF(&t, DEF_DATA, "a", -1, 1, s, e, g);
	b = AID_LEAF(&t, DEF_PARAM, "b", -1, 1, s, e, h);
	W = AID_LEAF(&t, DEF_PARAM, "W", -1, 1, h, g);
}

static void end(void)
{
	aid_end(&t);
}

TestSuite(plan_filter, .init = begin, .fini = end);

static Node is(Node n, int64_t v)
{
	return core_op2(C, OP_ieq, n, core_int_const(C, v));
}

static Node positive(Node n)
{
	return core_op2(C, OP_lt, core_real_const(C, 0), n);
}

static Node mul(Node x, Node y)
{
	return core_mul(C, x, y);
}

static Node logarithm(Node n)
{
	return core_op1(C, OP_log, n);
}

/* How often the plan says this. */
static unsigned says(uint32_t n, const Def *defs, const char *what)
{
	char *text = plan_aid_text(&t, n, defs);
	unsigned count = 0;
	for (const char *at = text; (at = strstr(at, what)); at++) {
		count++;
	}
	free(text);
	return count;
}

/* Σ_s Σ_e [cond(e)] value(s,e): one number for each h, g. */
static Def gradient(const char *name, Node cond, Node value, Index r, Index i, Index k, Index q)
{
	return AID_DEF(&t, name, SUM(&t, core_guard(C, cond, value), i, r), k, q);
}

typedef struct At {
	Index r, i, k, q;
	Node a, b; /* there */
} At;

static At place(void)
{
	At w = {aid_index(&t, s, "r"),
		aid_index(&t, e, "i"),
		aid_index(&t, h, "k"),
		aid_index(&t, g, "q"),
		0,
		0};
	w.a = AT(&t, a, IX(&t, w.r), IX(&t, w.i), IX(&t, w.q));
	w.b = AT(&t, b, IX(&t, w.r), IX(&t, w.i), IX(&t, w.k));
	return w;
}

/* Several filters in one sum over a bound index, on a formal, beside terms without. */
Test(plan_filter, on_formals)
{
	Def V = AID_LEAF(&t, DEF_PARAM, "V", -1, 1, h, g),
	    U = AID_LEAF(&t, DEF_PARAM, "U", -1, 1, h, g);
	At w = place();
	Node z = AT(&t, Z, IX(&t, w.i));
	Node first = mul(AT(&t, W, IX(&t, w.k), IX(&t, w.q)), w.a);
	Node second = mul(AT(&t, V, IX(&t, w.k), IX(&t, w.q)), w.a);
	Node third = mul(AT(&t, U, IX(&t, w.k), IX(&t, w.q)), w.a);
	Node sum = core_add(C, core_guard(C, is(z, 0), first),
			    core_guard(C, is(z, 2), core_scale(C, -3, second)));
	Def outputs[2];
	outputs[0] = AID_DEF(&t, "x", SUM(&t, sum, w.q), w.i, w.k, w.r);
	outputs[1] = AID_DEF(&t, "y", SUM(&t, core_add(C, sum, third), w.q), w.r, w.i, w.k);
	plan_aid_compare(&t, 2, outputs, TOLERANCE);
	cr_assert_eq(says(2, outputs, " where "), 4);
	cr_assert_eq(says(2, outputs, "contract "), 5);
}

/* On a bound index: products of several terms under one filter and of several filters; none that
 * holds anywhere. */
Test(plan_filter, on_bound_indices)
{
	Def a2 = AID_LEAF(&t, DEF_DATA, "a2", -1, 1, s, e, g),
	    b2 = AID_LEAF(&t, DEF_PARAM, "b2", -1, 1, s, e, h);
	At w = place();
	Node z = AT(&t, Z, IX(&t, w.i));
	Node other_a = AT(&t, a2, IX(&t, w.r), IX(&t, w.i), IX(&t, w.q));
	Node other_b = AT(&t, b2, IX(&t, w.r), IX(&t, w.i), IX(&t, w.k));
	Node both = core_add(C, mul(w.a, w.b), core_scale(C, 2, mul(other_a, other_b)));
	Def outputs[3];
	outputs[0] = gradient("two", is(z, 1), both, w.r, w.i, w.k, w.q);
	outputs[1] = gradient("none", is(z, 7), both, w.r, w.i, w.k, w.q);
	Node more = core_add(C, core_guard(C, is(z, 0), both),
			     core_guard(C, is(z, 2), mul(w.a, other_b)));
	outputs[2] = AID_DEF(&t, "more", SUM(&t, more, w.i, w.r), w.k, w.q);
	plan_aid_compare(&t, 3, outputs, TOLERANCE);
	cr_assert_eq(says(3, outputs, " where "), 7);
}

/* What depends on parameters, and is not a number where it is not selected: as a factor of its own,
 * in a definition of its own, and under two conditions. */
Test(plan_filter, nothing_leaks)
{
	At w = place();
	Node pi = AT(&t, p, IX(&t, w.i)), cond = positive(pi);
	Def outputs[3];
	outputs[0] =
		gradient("factor", cond, mul(logarithm(pi), mul(w.a, w.b)), w.r, w.i, w.k, w.q);
	Index r = aid_index(&t, s, "r"), i = aid_index(&t, e, "i"), q = aid_index(&t, g, "q");
	Def scaled = AID_DEF(
		&t, "scaled",
		mul(AT(&t, a, IX(&t, r), IX(&t, i), IX(&t, q)), logarithm(AT(&t, p, IX(&t, i)))), r,
		i, q);
	Node read = AT(&t, scaled, IX(&t, w.r), IX(&t, w.i), IX(&t, w.q));
	outputs[1] = gradient("apart", cond, mul(read, w.b), w.r, w.i, w.k, w.q);
	Node two =
		core_guard(C, cond,
			   core_add(C, mul(w.a, w.b),
				    core_guard(C, is(AT(&t, Z, IX(&t, w.i)), 1), mul(read, w.b))));
	outputs[2] = AID_DEF(&t, "two", SUM(&t, two, w.i, w.r), w.k, w.q);
	plan_aid_compare(&t, 3, outputs, TOLERANCE);
	cr_assert_eq(says(3, outputs, " where "), 4);
}

/* Conditions on samples: those belong to the kernel, so both factors become zero; if one of them
 * does not know the condition's indices, there is no kernel. */
Test(plan_filter, on_samples)
{
	Def y = AID_LEAF(&t, DEF_DATA, "y", -1, 1, s),
	    z2 = AID_LEAF(&t, DEF_PARAM, "z2", -1, 1, s, g);
	At w = place();
	Node yr = AT(&t, y, IX(&t, w.r)), cond = positive(yr);
	Def outputs[2];
	outputs[0] =
		gradient("samples", cond, mul(logarithm(yr), mul(w.a, w.b)), w.r, w.i, w.k, w.q);
	Node some = positive(AT(&t, z2, IX(&t, w.r), IX(&t, w.q)));
	Node value = mul(AT(&t, W, IX(&t, w.k), IX(&t, w.q)),
			 mul(w.a, logarithm(AT(&t, z2, IX(&t, w.r), IX(&t, w.q)))));
	outputs[1] = AID_DEF(&t, "rows", SUM(&t, core_guard(C, some, value), w.q), w.r, w.i, w.k);
	plan_aid_compare(&t, 2, outputs, TOLERANCE);
	cr_assert_eq(says(2, outputs, " where "), 0);
	cr_assert_eq(says(2, outputs, "contract samples"), 1);
	cr_assert_eq(says(2, outputs, "contract rows"), 0);
}

/* Conditions of one place, of labels (which stay where they cut ranges), and arrays of bools as
 * data. */
Test(plan_filter, other_conditions)
{
	Axis two = aid_axis(&t, "two", 0, 2, 0);
	Def mask = plan_aid_ints(&t, DEF_DATA, "mask", KIND_BOOL, 0, 1, (const Axis[]){e, two, 0});
	At w = place();
	Def outputs[4];
	Node third = is(AT(&t, Z, core_int_const(C, 3)), 1);
	Node sum = core_add(C, core_guard(C, third, mul(w.a, w.b)),
			    core_guard(C, is(AT(&t, Z, IX(&t, w.i)), 0), mul(w.a, w.b)));
	outputs[0] = AID_DEF(&t, "place", SUM(&t, sum, w.i, w.r), w.k, w.q);
	Node label = core_op2(C, OP_ilt, IX(&t, w.i), core_int_const(C, 4));
	outputs[1] = gradient("label", label, mul(w.a, w.b), w.r, w.i, w.k, w.q);
	Index f = aid_index(&t, two, "f");
	Node known = AT(&t, mask, IX(&t, w.i), IX(&t, f));
	Node value = mul(AT(&t, W, IX(&t, w.k), IX(&t, w.q)), w.a);
	outputs[2] = AID_DEF(
		&t, "mask",
		SUM(&t, core_add(C, core_guard(C, known, value), core_scale(C, 2, value)), w.q),
		w.i, w.k, f, w.r);
	Node inside = core_op2(C, OP_and, core_op2(C, OP_ilt, core_int_const(C, 1), IX(&t, w.i)),
			       is(AT(&t, Z, IX(&t, w.i)), 0));
	Node before =
		AT(&t, a, IX(&t, w.r), core_sub(C, IX(&t, w.i), core_int_const(C, 1)), IX(&t, w.q));
	outputs[3] = gradient("before", inside, mul(before, w.b), w.r, w.i, w.k, w.q);
	plan_aid_compare(&t, 4, outputs, TOLERANCE);
	cr_assert_eq(says(4, outputs, "contract mask"), 2);
	cr_assert_eq(says(4, outputs, " where "), 3);
}

/* Σ_q W[k,q]*x over formals r, i, k. */
static Def layer(const char *name, Node (*of)(Node r, Node i, Node q))
{
	Index r = aid_index(&t, s, "r"), i = aid_index(&t, e, "i"), k = aid_index(&t, h, "k"),
	      q = aid_index(&t, g, "q");
	Node x = of(IX(&t, r), IX(&t, i), IX(&t, q));
	return AID_DEF(&t, name, SUM(&t, mul(AT(&t, W, IX(&t, k), IX(&t, q)), x), q), r, i, k);
}

static Node input(Node r, Node i, Node q)
{
	return AT(&t, a, r, i, q);
}

static Def below;

static Node logarithm_below(Node r, Node i, Node q)
{
	Index k = aid_index(&t, h, "k");
	Node v = AT(&t, below, r, i, IX(&t, k));
	Node back = SUM(&t, mul(AT(&t, W, IX(&t, k), q), logarithm(core_powi(C, v, 2))), k);
	return core_op1(C, OP_tanh, core_scale(C, 0.05, back));
}

/* Every reader of a sum stands under the same condition: it becomes the sum's, and that of what the
 * sum reads. What is left out is minus infinity on the way. */
Test(plan_filter, conditions_travel)
{
	At w = place();
	below = layer("first", input);
	Def second = layer("second", logarithm_below);
	Node read = AT(&t, second, IX(&t, w.r), IX(&t, w.i), IX(&t, w.k));
	Node z = AT(&t, Z, IX(&t, w.i));
	Def out = gradient("out", is(z, 1), mul(w.a, read), w.r, w.i, w.k, w.q);
	plan_aid_compare(&t, 1, &out, TOLERANCE);
	cr_assert_eq(says(1, &out, " where "), 4);
	/* one of two readers under another condition, or without */
	Def other[2] = {out, gradient("other", is(z, 2), mul(w.a, read), w.r, w.i, w.k, w.q)};
	plan_aid_compare(&t, 2, other, TOLERANCE);
	cr_assert_eq(says(2, other, " where "), 2);
	other[1] = AID_DEF(&t, "all", SUM(&t, mul(w.a, read), w.i, w.r), w.k, w.q);
	plan_aid_compare(&t, 2, other, TOLERANCE);
	cr_assert_eq(says(2, other, " where "), 1);
	/* an output is seen everywhere, what it reads too; parameters change in every run */
	other[1] = second;
	plan_aid_compare(&t, 2, other, TOLERANCE);
	cr_assert_eq(says(2, other, " where "), 1);
	Node chosen = positive(AT(&t, p, IX(&t, w.i)));
	out = gradient("chosen", chosen, mul(w.a, read), w.r, w.i, w.k, w.q);
	plan_aid_compare(&t, 1, &out, TOLERANCE);
	cr_assert_eq(says(1, &out, " where "), 1);
}

/* Nests of which nothing is wanted in some rows: pointwise definitions, sums into lanes and over
 * lanes, conditions of rows and of elements together. What is left out is not a number. */
Test(plan_filter, rows_left_out)
{
	Axis few = aid_axis(&t, "few", 0, 5, 0);
	Def y = AID_LEAF(&t, DEF_PARAM, "y", -1, 1, s, e, few);
	Index r = aid_index(&t, s, "r"), i = aid_index(&t, e, "i"), k = aid_index(&t, few, "k");
	Node z = AT(&t, Z, IX(&t, i)), v = AT(&t, y, IX(&t, r), IX(&t, i), IX(&t, k));
	Node chosen = is(core_add(C, z, IX(&t, k)), 2), root = logarithm(AT(&t, p, IX(&t, i)));
	Node up = positive(AT(&t, p, IX(&t, i)));
	Node both = core_op2(C, OP_and, up, core_op2(C, OP_lt, v, core_real_const(C, 0.5)));
	Def outputs[8];
	outputs[0] = AID_DEF(&t, "point", core_guard(C, up, mul(root, v)), i, k, r);
	outputs[1] = AID_DEF(&t, "parts", core_guard(C, both, core_op1(C, OP_exp, mul(root, v))), r,
			     i, k);
	outputs[2] = AID_DEF(&t, "lanes", SUM(&t, core_guard(C, both, mul(root, v)), i), k, r);
	outputs[3] = AID_DEF(&t, "over",
			     SUM(&t, core_guard(C, up, mul(root, core_powi(C, v, 2))), i, r), k);
	outputs[4] = AID_DEF(&t, "labels",
			     SUM(&t, core_guard(C, chosen, core_op1(C, OP_tanh, v)), k, i), r);
	Node sum = core_add(C, core_guard(C, up, mul(root, v)),
			    core_guard(C, is(z, 0), core_powi(C, v, 3)));
	outputs[5] = AID_DEF(&t, "two", SUM(&t, sum, k, r), i);
	/* another condition in the nest of the first one; zeros in memory that held something else
	 */
	outputs[6] =
		AID_DEF(&t, "beside", core_guard(C, is(z, 0), core_op1(C, OP_exp, v)), i, k, r);
	Index r2 = aid_index(&t, s, "r"), i2 = aid_index(&t, e, "i"), k2 = aid_index(&t, few, "k");
	Node v2 = AT(&t, y, IX(&t, r2), IX(&t, i2), IX(&t, k2));
	Def all = AID_DEF(&t, "all", core_op1(C, OP_exp, v2), i2, k2, r2);
	Index r3 = aid_index(&t, s, "r"), i3 = aid_index(&t, e, "i"), k3 = aid_index(&t, few, "k"),
	      j3 = aid_index(&t, e, "j");
	Node first =
		SUM(&t, core_op1(C, OP_sin, AT(&t, all, IX(&t, j3), IX(&t, k3), IX(&t, r3))), j3);
	Def sums = AID_DEF(&t, "sums", first, k3, r3);
	Node pi = AT(&t, p, IX(&t, i3));
	Def some = AID_DEF(&t, "some",
			   core_guard(C, positive(pi),
				      mul(logarithm(pi), AT(&t, sums, IX(&t, k3), IX(&t, r3)))),
			   i3, k3, r3);
	Index r4 = aid_index(&t, s, "r"), i4 = aid_index(&t, e, "i"), k4 = aid_index(&t, few, "k");
	outputs[7] = AID_DEF(
		&t, "last",
		SUM(&t, core_op1(C, OP_cos, AT(&t, some, IX(&t, i4), IX(&t, k4), IX(&t, r4))), i4),
		k4, r4);
	plan_aid_compare(&t, 8, outputs, TOLERANCE);
}
