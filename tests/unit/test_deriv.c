/* test_deriv.c — gradients of whole models against finite differences. */
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

/* a[s,i] = tanh(b[i] + Σ_k W[i,k]*x[s,k]) */
static Def layer(Def x, Axis s, Axis in, Axis out, const char *name)
{
	Def W = AID_LEAF(&t, DEF_PARAM, "W", -1, 1, out, in);
	Def b = AID_LEAF(&t, DEF_PARAM, "b", -1, 1, out);
	Index i = aid_index(&t, out, "i"), k = aid_index(&t, in, "k"), r = aid_index(&t, s, "s");
	Node z = core_add(t.c, AT(&t, b, IX(&t, i)), SUM(&t, core_mul(t.c, AT(&t, W, IX(&t, i), IX(&t, k)), AT(&t, x, IX(&t, r), IX(&t, k))), k));
	return AID_DEF(&t, name, core_op1(t.c, OP_tanh, z), r, i);
}

Test(deriv, mlp_regression)
{
	Axis s = aid_axis(&t, "s", 0, 4, AXIS_SAMPLES), in = aid_axis(&t, "in", 0, 2, 0), h = aid_axis(&t, "h", 0, 3, 0);
	Def x = AID_LEAF(&t, DEF_DATA, "x", -1, 1, s, in), y = AID_LEAF(&t, DEF_DATA, "y", -1, 1, s);
	Def a = layer(layer(x, s, in, h, "a"), s, h, h, "b");
	Def v = AID_LEAF(&t, DEF_PARAM, "v", -1, 1, h);
	Index r = aid_index(&t, s, "s"), i = aid_index(&t, h, "i");
	Node u = SUM(&t, core_mul(t.c, AT(&t, v, IX(&t, i)), AT(&t, a, IX(&t, r), IX(&t, i))), i);
	Node e = core_powi(t.c, core_sub(t.c, u, AT(&t, y, IX(&t, r))), 2);
	Node loss = core_div(t.c, SUM(&t, e, r), core_real(t.c, core_size(t.c, s)));
	double error = aid_gradient_error(&t, loss);
	cr_assert_lt(error, 1e-9, "%g", error);
}
