/* test_deriv.c — gradients of whole models against finite differences, forward against reverse. */
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

TestSuite(deriv, .init = begin, .fini = end);

#define C (t.c)
static Node num(double v)
{
	return core_real_const(C, v);
}

static Node at(int64_t v)
{
	return core_int_const(C, v);
}

static Node plus(Index i, int64_t k)
{
	return core_add(C, IX(&t, i), at(k));
}

/* a[s,i] = tanh(b[i] + Σ_k W[i,k]*x[s,k]) */
static Def layer(Def x, Axis s, Axis in, Axis out, const char *name)
{
	Def W = AID_LEAF(&t, DEF_PARAM, "W", -1, 1, out, in);
	Def b = AID_LEAF(&t, DEF_PARAM, "b", -1, 1, out);
	Index i = aid_index(&t, out, "i"), k = aid_index(&t, in, "k"), r = aid_index(&t, s, "s");
	Node wx = core_mul(C, AT(&t, W, IX(&t, i), IX(&t, k)), AT(&t, x, IX(&t, r), IX(&t, k)));
	return AID_DEF(&t, name,
		       core_op1(C, OP_tanh, core_add(C, AT(&t, b, IX(&t, i)), SUM(&t, wx, k))), r,
		       i);
}

static Node readout(Def a, Axis h, Node r)
{
	Def v = AID_LEAF(&t, DEF_PARAM, "v", -1, 1, h);
	Index i = aid_index(&t, h, "i");
	return SUM(&t, core_mul(C, AT(&t, v, IX(&t, i)), AT(&t, a, r, IX(&t, i))), i);
}

/* [x, t] as pieces at the places of an anonymous axis. */
static Def join2(Def x, Def y, Axis s, Axis in)
{
	Index r = aid_index(&t, s, "s"), k = aid_index(&t, in, "k");
	Range all = {{EDGE_FIRST, 0}, {EDGE_LAST, 0}};
	Range first[2] = {all, {{EDGE_AT, 0}, {EDGE_AT, 0}}},
	      second[2] = {all, {{EDGE_AT, 1}, {EDGE_AT, 1}}};
	Piece piece[2] = {{first, AT(&t, x, IX(&t, r))}, {second, AT(&t, y, IX(&t, r))}};
	DefInfo info = {.role = DEF_VALUE,
			.name = intern_str(t.names, "X"),
			.nindex = 2,
			.index = (Index[]){r, k},
			.npiece = 2,
			.piece = piece};
	return core_define(C, info);
}

Test(deriv, mlp_regression)
{
	Axis s = aid_axis(&t, "s", 0, 4, AXIS_SAMPLES), in = aid_axis(&t, "in", 0, 2, 0),
	     h = aid_axis(&t, "h", 0, 3, 0);
	Def x = AID_LEAF(&t, DEF_DATA, "x", -1, 1, s, in),
	    y = AID_LEAF(&t, DEF_DATA, "y", -1, 1, s);
	Def a = layer(layer(x, s, in, h, "a"), s, h, h, "b");
	Index r = aid_index(&t, s, "s");
	Node u = readout(a, h, IX(&t, r));
	Node e = core_powi(C, core_sub(C, u, AT(&t, y, IX(&t, r))), 2);
	NEAR(aid_gradient_error(&t, core_div(C, SUM(&t, e, r), core_real(C, core_size(C, s)))),
	     1e-9);
}

Test(deriv, burgers_residual)
{
	Axis s = aid_axis(&t, "s", 0, 3, AXIS_SAMPLES), in = core_axis_anonymous(C, 2),
	     h = aid_axis(&t, "h", 1, 3, 0);
	Def x = aid_variable(&t, "x", AID_LEAF(&t, DEF_DATA, "px", -1, 1, s));
	Def y = aid_variable(&t, "t", AID_LEAF(&t, DEF_DATA, "pt", -1, 1, s));
	Def a = layer(layer(join2(x, y, s, in), s, in, h, "a"), s, h, h, "b");
	Index r = aid_index(&t, s, "s");
	Def u = AID_DEF(&t, "u", readout(a, h, IX(&t, r)), r);
	Node ur = AT(&t, u, IX(&t, r)), xr = AT(&t, x, IX(&t, r)), tr = AT(&t, y, IX(&t, r));
	Node ux = core_d(C, ur, xr), ut = core_d(C, ur, tr), uxx = core_d(C, core_d(C, ur, xr), xr);
	Node res =
		core_sub(C, core_add(C, ut, core_mul(C, ur, ux)), core_scale(C, 0.01 / 3.14, uxx));
	Node loss = aid_resolve(&t, SUM(&t, core_powi(C, res, 2), r));
	NEAR(aid_gradient_error(&t, loss), 1e-9);
}

/* ∂^n u / ∂x^n by nested forward derivatives against differences of the one below. */
Test(deriv, high_orders_in_one_variable)
{
	Axis h = aid_axis(&t, "h", 0, 3, 0), one = core_axis_anonymous(C, 1),
	     s = aid_axis(&t, "s", 0, 1, 0);
	Def x = AID_LEAF(&t, DEF_PARAM, "x", 0.2, 0.4, s, one);
	Def a = layer(layer(x, s, one, h, "a"), s, h, h, "b");
	Node u = readout(a, h, at(0)), d = u;
	for (int k = 1; k <= 5; k++) {
		Node below = aid_resolve(&t, d);
		d = core_d(C, d, AT(&t, x, at(0), at(0)));
		Node now = aid_resolve(&t, d);
		double want = aid_difference(&t, below, x, 0);
		NEAR(fabs(aid_value(&t, now) - want) / (1 + fabs(want)), 1e-8);
	}
	NEAR(aid_gradient_error(&t, aid_resolve(&t, d)), 1e-7);
}

/* h[t,i] = tanh(b[i] + Σ_j U[i,j]*h[t-1,j] + Σ_c W[i,c]*x[s,t,c]), h[0,i] = h0[i] or zero; one
 * output reads the fourth step. */
static Node elman(bool initial, int64_t first, bool named)
{
	Axis s = aid_axis(&t, "s", 0, 2, AXIS_SAMPLES), pos = aid_axis(&t, "pos", first, 5, 0);
	Axis hid = aid_axis(&t, "hid", 0, 3, 0), in = aid_axis(&t, "in", 0, 2, 0);
	Def x = AID_LEAF(&t, DEF_DATA, "x", -1, 1, s, pos, in),
	    y = AID_LEAF(&t, DEF_DATA, "y", 0, 1, s);
	Def U = AID_LEAF(&t, DEF_PARAM, "U", -1, 1, hid, hid),
	    W = AID_LEAF(&t, DEF_PARAM, "W", -1, 1, hid, in);
	Def b = AID_LEAF(&t, DEF_PARAM, "b", -1, 1, hid),
	    v = AID_LEAF(&t, DEF_PARAM, "v", -1, 1, hid);
	Def h0 = AID_LEAF(&t, DEF_PARAM, "h0", -1, 1, hid);
	Index r = aid_index(&t, s, "s"), i = aid_index(&t, hid, "i");
	Index p = first > 0 ? core_index_wide(C, pos, intern_str(t.names, "t"))
			    : aid_index(&t, pos, "t");
	DefInfo info = {.role = DEF_VALUE,
			.name = intern_str(t.names, "h"),
			.nindex = 3,
			.index = (Index[]){r, p, i}};
	Def h = core_define(C, info);
	Index j = aid_index(&t, hid, "j"), c = aid_index(&t, in, "c");
	Index q = aid_index(&t, pos, "t"), w = aid_index(&t, s, "s"), k = aid_index(&t, hid, "i");
	Node uh = SUM(&t,
		      core_mul(C, AT(&t, U, IX(&t, k), IX(&t, j)),
			       AT(&t, h, IX(&t, w), plus(q, -1), IX(&t, j))),
		      j);
	Node wx = SUM(&t,
		      core_mul(C, AT(&t, W, IX(&t, k), IX(&t, c)),
			       AT(&t, x, IX(&t, w), IX(&t, q), IX(&t, c))),
		      c);
	Node z = core_add(C, AT(&t, b, IX(&t, k)), core_add(C, uh, wx));
	if (named) {
		z = AT(&t, AID_DEF(&t, "z", z, w, q, k), IX(&t, w), IX(&t, q), IX(&t, k));
	}
	Index own[3] = {core_def(C, h)->index[0], core_def(C, h)->index[1],
			core_def(C, h)->index[2]};
	Node value = core_subst(C, core_op1(C, OP_tanh, z), 3, (Index[]){w, q, k},
				(Node[]){IX(&t, own[0]), IX(&t, own[1]), IX(&t, own[2])});
	int64_t zero = first > 0 ? first - 1 : first;
	Range all = {{EDGE_FIRST, 0}, {EDGE_LAST, 0}}, start = {{EDGE_AT, zero}, {EDGE_AT, zero}};
	Range later = first > 0 ? all : (Range){{EDGE_FIRST, 1}, {EDGE_LAST, 0}};
	Piece piece[2] = {
		{(Range[]){all, start, all}, initial ? AT(&t, h0, IX(&t, own[2])) : num(0)},
		{(Range[]){all, later, all}, value}};
	core_set_pieces(C, h, 2, piece);
	Index m = aid_index(&t, hid, "i"), u = aid_index(&t, s, "s");
	Node o = SUM(&t, core_mul(C, AT(&t, v, IX(&t, m)), AT(&t, h, IX(&t, u), at(4), IX(&t, m))),
		     m);
	Node bce = core_sub(C, core_op1(C, OP_softplus, o), core_mul(C, AT(&t, y, IX(&t, u)), o));
	Index e = aid_index(&t, pos, "t"), f = aid_index(&t, hid, "i");
	Node all_h = SUM(&t, core_powi(C, AT(&t, h, IX(&t, u), IX(&t, e), IX(&t, f)), 2), e, f);
	return SUM(&t, core_add(C, bce, core_scale(C, 0.1, all_h)), u);
}

Test(deriv, elman_from_zero)
{
	NEAR(aid_gradient_error(&t, elman(false, 1, true)), 1e-9);
}

Test(deriv, elman_with_initial_value)
{
	NEAR(aid_gradient_error(&t, elman(true, 1, true)), 1e-9);
}

Test(deriv, elman_with_unnamed_sum)
{
	NEAR(aid_gradient_error(&t, elman(true, 1, false)), 1e-9);
}

Test(deriv, elman_starting_on_the_axis)
{
	NEAR(aid_gradient_error(&t, elman(true, 0, false)), 1e-9);
}

Test(deriv, elman_reverse_over_reverse)
{
	Node loss = elman(true, 1, true);
	Def U = t.leaf[2], h0 = t.leaf[6], grad[2];
	cr_assert(deriv_gradient(C, t.scratch, t.diags, loss, 2, (Def[]){U, h0}, grad));
	Axis hid = core_index_axis(C, core_def(C, U)->index[0]);
	Index i = aid_index(&t, hid, "i"), j = aid_index(&t, hid, "j");
	Node norm =
		core_add(C, SUM(&t, core_powi(C, AT(&t, grad[0], IX(&t, i), IX(&t, j)), 2), i, j),
			 SUM(&t, core_powi(C, AT(&t, grad[1], IX(&t, i)), 3), i));
	NEAR(aid_gradient_error(&t, norm), 1e-8);
}
