/* test_deriv_points.c — gathers and labels, reductions of all kinds, singular points, conditions,
 * rules of the user's. */
#include <criterion/criterion.h>
#include <math.h>

#include "tests/unit/deriv_aid.h"

static Aid t;

static void begin(void)
{
	aid_begin(&t);
}

static void end(void)
{
	aid_end(&t);
}

TestSuite(deriv_points, .init = begin, .fini = end);

#define C (t.c)

static Node num(double v)
{
	return core_real_const(C, v);
}

static Node at(int64_t v)
{
	return core_int_const(C, v);
}

static Node ne(Node a, Node b)
{
	return core_op2(C, OP_ine, a, b);
}

static Index formal(Def d, uint32_t k)
{
	return core_def(C, d)->index[k];
}

/* ---- gathers, labels, reductions of other kinds ---- */

Test(deriv_points, gather_and_labels)
{
	Axis m = aid_axis(&t, "m", 0, 6, AXIS_SAMPLES), word = aid_axis(&t, "word", 1, 4, 0),
	     e = aid_axis(&t, "e", 0, 2, 0);
	Def T = AID_LEAF(&t, DEF_PARAM, "T", -1, 1, word, e);
	Def id = core_leaf(C, DEF_DATA, intern_str(t.names, "id"), (Span){0}, KIND_INT, 0, 1,
			   (Axis[]){m});
	ref_set(t.ref, id, (double[]){1, 3, 3, 4, 1, 3});
	Index i = aid_index(&t, m, "m"), c = aid_index(&t, e, "c");
	Node row = AT(&t, T, AT(&t, id, IX(&t, i)), IX(&t, c)), fixed = AT(&t, T, at(2), at(1));
	Node loss = core_mul(C, SUM(&t, core_powi(C, core_add(C, row, fixed), 3), i, c),
			     AT(&t, T, at(2), at(0)));
	NEAR(aid_gradient_error(&t, loss), 1e-8);
}

static Node over(RedKind red, Node body, Index i)
{
	return aid_sum(&t, red, body, (Index[]){i, 0});
}

static Node reduced(RedKind red, bool filtered, Def *P)
{
	Axis a = aid_axis(&t, "a", 0, 3, 0), b = aid_axis(&t, "b", 2, 4, 0);
	*P = AID_LEAF(&t, DEF_PARAM, "P", -1, 1, a, b);
	Index i = aid_index(&t, a, "i"), j = aid_index(&t, b, "j");
	Node body = core_op1(C, OP_sin, core_scale(C, 2, AT(&t, *P, IX(&t, i), IX(&t, j))));
	body = filtered ? core_filter(C, red, ne(IX(&t, j), core_add(C, IX(&t, i), at(2))), body)
			: body;
	Node inner = over(red, body, j);
	return SUM(&t, core_powi(C, inner, 2), i);
}

Test(deriv_points, reductions_of_other_kinds)
{
	static const RedKind kind[] = {RED_MAX, RED_MIN, RED_PROD, RED_LOGSUMEXP};
	for (int k = 0; k < 8; k++) {
		aid_end(&t);
		aid_begin(&t);
		Def P;
		double e = aid_gradient_error(&t, reduced(kind[k / 2], k & 1, &P));
		cr_assert(e < 1e-8, "reduction %d: %g", k, e);
	}
}

Test(deriv_points, maximum_over_two_indices)
{
	Axis a = aid_axis(&t, "a", 0, 3, 0), b = aid_axis(&t, "b", 2, 4, 0);
	Def P = AID_LEAF(&t, DEF_PARAM, "P", -1, 1, a, b);
	Index i = aid_index(&t, a, "i"), j = aid_index(&t, b, "j");
	Node m = aid_sum(&t, RED_MAX, core_powi(C, AT(&t, P, IX(&t, i), IX(&t, j)), 2),
			 (Index[]){i, j, 0});
	NEAR(aid_gradient_error(&t, core_powi(C, m, 2)), 1e-8);
}

Test(deriv_points, product_with_zeros)
{
	Def P;
	Node loss = reduced(RED_PROD, false, &P);
	double v[12] = {0, 0.5, 0.2, 0.3, 0, 0, 0.1, 0.2, 0.4, 0.1, 0.7, 0.6};
	ref_set(t.ref, P, v);
	NEAR(aid_gradient_error(&t, loss), 1e-8);
}

Test(deriv_points, second_derivatives_of_reductions)
{
	static const RedKind kind[] = {RED_MAX, RED_PROD, RED_LOGSUMEXP};
	for (int k = 0; k < 3; k++) {
		aid_end(&t);
		aid_begin(&t);
		Def P, g;
		Node loss = reduced(kind[k], true, &P);
		cr_assert(deriv_gradient(C, t.scratch, t.diags, loss, 1, &P, &g));
		Index i = core_index_like(C, formal(P, 0)), j = core_index_like(C, formal(P, 1));
		Node norm = SUM(&t, core_powi(C, AT(&t, g, IX(&t, i), IX(&t, j)), 2), i, j);
		double e = aid_gradient_error(&t, norm);
		cr_assert(e < 1e-7, "reduction %d: %g", k, e);
	}
}

/* ---- singular points, conditions, rules ---- */

static double slope_at(Op op, double x)
{
	Def p = AID_LEAF(&t, DEF_PARAM, "p", 0, 1), grad;
	ref_set(t.ref, p, &x);
	Node y = core_op1(C, (uint16_t)op, AT(&t, p));
	cr_assert(deriv_gradient(C, t.scratch, t.diags, y, 1, &p, &grad));
	return grad ? ref_def(t.ref, grad, (int64_t[]){0}) : 0;
}

Test(deriv_points, singular_points)
{
	cr_assert_eq(slope_at(OP_sqrt, 0), 0);
	cr_assert_eq(slope_at(OP_abs, 0), 0);
	cr_assert_eq(slope_at(OP_sign, 0.5), 0);
	cr_assert_eq(slope_at(OP_floor, 1), 0);
	cr_assert_eq(slope_at(OP_log, 0), INFINITY);
	cr_assert_eq(slope_at(OP_asin, 1), INFINITY);
}

Test(deriv_points, norm_at_zero_has_gradient_zero)
{
	Axis a = aid_axis(&t, "a", 0, 3, 0);
	Def p = AID_LEAF(&t, DEF_PARAM, "p", 0, 1, a), g;
	ref_set(t.ref, p, (double[]){0, 0, 0});
	Index i = aid_index(&t, a, "i");
	Node norm = core_op1(C, OP_sqrt, SUM(&t, core_powi(C, AT(&t, p, IX(&t, i)), 2), i));
	cr_assert(deriv_gradient(C, t.scratch, t.diags, norm, 1, &p, &g));
	for (int64_t k = 0; k < 3; k++) {
		cr_assert_eq(ref_def(t.ref, g, &k), 0);
	}
}

/* What is not selected is not looked at: sqrt and 1/x of it are NaN and infinite. */
Test(deriv_points, unselected_branches_do_not_poison)
{
	Axis a = aid_axis(&t, "a", 0, 4, 0);
	Def p = AID_LEAF(&t, DEF_PARAM, "p", 0, 1, a);
	ref_set(t.ref, p, (double[]){-1, 0.5, 0.25, -0.3});
	Index i = aid_index(&t, a, "i");
	Node x = AT(&t, p, IX(&t, i)), pos = core_op2(C, OP_lt, num(0), x);
	Node y = core_select(C, pos, core_mul(C, core_op1(C, OP_sqrt, x), core_op1(C, OP_log, x)),
			     core_op1(C, OP_exp, core_powi(C, x, 3)));
	Node shift = core_guard(C, ne(IX(&t, i), at(0)),
				core_op1(C, OP_cos, AT(&t, p, core_sub(C, IX(&t, i), at(1)))));
	NEAR(aid_gradient_error(&t, SUM(&t, core_powi(C, core_add(C, y, shift), 2), i)), 1e-7);
}

Test(deriv_points, powers)
{
	Def p = AID_LEAF(&t, DEF_PARAM, "p", 0.5, 1.5), q = AID_LEAF(&t, DEF_PARAM, "q", 0.5, 1.5);
	Node x = AT(&t, p), y = AT(&t, q);
	Node sum = core_add(C, core_pow(C, x, y),
			    core_div(C, core_powi(C, core_add(C, x, core_mul(C, x, y)), 5),
				     core_powi(C, y, 3)));
	sum = core_add(C, sum, core_op2(C, OP_atan2, core_mul(C, x, y), core_add(C, y, num(2))));
	sum = core_add(C, sum, core_op2(C, OP_max, x, core_mul(C, y, y)));
	NEAR(aid_gradient_error(&t, core_mul(C, sum, core_op1(C, OP_sin, sum))), 1e-6);
}

/* f(x) = x^3 with the rule that its derivative is 2: the rule is what counts, also in second order.
 */
Test(deriv_points, rules_of_the_user)
{
	Axis a = aid_axis(&t, "a", 0, 3, 0);
	Def p = AID_LEAF(&t, DEF_PARAM, "p", 0.5, 1.5, a);
	Index i = aid_index(&t, a, "i"), k = aid_index(&t, a, "k");
	Def f = AID_DEF(&t, "f", core_powi(C, AT(&t, p, IX(&t, i)), 3), i);
	DefInfo *info = core_def_mutable(C, f);
	Node arg = AT(&t, p, IX(&t, info->index[0])),
	     partial = core_mul(C, num(2), AT(&t, p, IX(&t, info->index[0])));
	info->rule = arena_new(t.arena, Rule);
	*info->rule = (Rule){1, arena_copy(t.arena, &arg, sizeof arg, alignof(Node)),
			     arena_copy(t.arena, &partial, sizeof arg, alignof(Node))};
	Node loss = SUM(&t, core_powi(C, AT(&t, f, IX(&t, k)), 2), k); /* d/dp = 2*p^3*2*p */
	Def g;
	cr_assert(deriv_gradient(C, t.scratch, t.diags, loss, 1, &p, &g));
	Node second =
		aid_resolve(&t, core_d(C, core_d(C, loss, AT(&t, p, at(1))), AT(&t, p, at(1))));
	for (int64_t n = 0; n < 3; n++) {
		double x = ref_values(t.ref, p)[n];
		NEAR(fabs(ref_def(t.ref, g, &n) - 4 * pow(x, 4)), 1e-12);
	}
	double x = ref_values(t.ref, p)[1]; /* d(4 f p)/dp = 4*(2p)*p + 4*f */
	NEAR(fabs(aid_value(&t, second) - (8 * x * x + 4 * x * x * x)), 1e-12);
}

Test(deriv_points, stop_and_independence)
{
	Def p = AID_LEAF(&t, DEF_PARAM, "p", 0.5, 1.5), q = AID_LEAF(&t, DEF_PARAM, "q", 0.5, 1.5),
	    g[2];
	Node loss = core_mul(C, core_stop(C, core_mul(C, AT(&t, p), AT(&t, q))), AT(&t, p));
	cr_assert(deriv_gradient(C, t.scratch, t.diags, loss, 2, (Def[]){p, q}, g));
	double x = ref_values(t.ref, p)[0], y = ref_values(t.ref, q)[0];
	NEAR(fabs(ref_def(t.ref, g[0], (int64_t[]){0}) - x * y), 1e-14);
	cr_assert_eq(g[1], 0);
	Node d = core_d(C, AT(&t, p), AT(&t, q));
	cr_assert(!deriv_resolve(C, t.scratch, t.diags, 1, &d));
	cr_assert_eq(diags_errors(t.diags), 1);
	Node vanished = core_d(C, core_op1(C, OP_floor, AT(&t, q)), AT(&t, q));
	cr_assert(deriv_resolve(C, t.scratch, t.diags, 1, &vanished));
	cr_assert_eq(aid_value(&t, vanished), 0);
}
