/* test_deriv_print.c — the backward pass as a person reads it: text and LaTeX. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/grad_print.h"
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

TestSuite(deriv_print, .init = begin, .fini = end);

#define C (t.c)

/* What grad_print writes about the gradient by all parameters; the caller frees. */
static char *printed(Node loss, bool latex)
{
	Def wrt[16], grad[16];
	uint32_t n = 0;
	for (uint32_t k = 0; k < t.nleaf; k++) {
		if (core_def(C, t.leaf[k])->role == DEF_PARAM) {
			wrt[n++] = t.leaf[k];
		}
	}
	cr_assert(deriv_gradient(C, t.scratch, t.diags, loss, n, wrt, grad));
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	cr_assert(f);
	grad_print(C, loss, n, wrt, grad, latex, f);
	fclose(f);
	return text;
}

static void has(const char *text, const char *line)
{
	cr_assert(strstr(text, line), "missing: %s\nin:\n%s", line, text);
}

static Node regression(void)
{
	Axis s = aid_axis(&t, "s", 0, 4, AXIS_SAMPLES), in = aid_axis(&t, "in", 0, 2, 0),
	     h = aid_axis(&t, "h", 0, 3, 0);
	Def x = AID_LEAF(&t, DEF_DATA, "x", -1, 1, s, in),
	    y = AID_LEAF(&t, DEF_DATA, "y", -1, 1, s);
	Def W = AID_LEAF(&t, DEF_PARAM, "W", -1, 1, h, in),
	    b = AID_LEAF(&t, DEF_PARAM, "β", -1, 1, h);
	Def v = AID_LEAF(&t, DEF_PARAM, "v", -1, 1, h);
	Index r = aid_index(&t, s, "s"), i = aid_index(&t, h, "i"), k = aid_index(&t, in, "k");
	Node wx = core_mul(C, AT(&t, W, IX(&t, i), IX(&t, k)), AT(&t, x, IX(&t, r), IX(&t, k)));
	Def z = AID_DEF(&t, "z", core_add(C, AT(&t, b, IX(&t, i)), SUM(&t, wx, k)), r, i);
	Def a = AID_DEF(&t, "a", core_op1(C, OP_tanh, AT(&t, z, IX(&t, r), IX(&t, i))), r, i);
	Node u = SUM(&t, core_mul(C, AT(&t, v, IX(&t, i)), AT(&t, a, IX(&t, r), IX(&t, i))), i);
	Def e = AID_DEF(&t, "e", core_sub(C, u, AT(&t, y, IX(&t, r))), r);
	return core_div(C, SUM(&t, core_powi(C, AT(&t, e, IX(&t, r)), 2), r),
			core_real(C, core_size(C, s)));
}

Test(deriv_print, regression_as_text)
{
	char *text = printed(regression(), false);
	has(text, "\na[s, i] = tanh(z[s, i])\n");
	has(text, "\nz_[s, i] = ");
	has(text, "\nslope_a[s, i] = 1 - a[s, i]^2\n");
	has(text, "\ne_[s] = 2*e[s]/size(s)\n");
	has(text, "\nW_[i, k] = sum[s] x[s, k]*z_[s, i]\n");
	has(text, "\nβ_[i] = sum[s] z_[s, i]\n");
	has(text, "\nv_[i] = sum[s] a[s, i]*e_[s]\n");
	cr_assert(strstr(text, "# adjoints") < strstr(text, "\nz_"));
	free(text);
}

/* Braces match, environments close, and no mark of the language is left over. */
static void check_latex(const char *text)
{
	int depth = 0;
	for (const char *p = text; *p; p++) {
		depth += (*p == '{') - (*p == '}');
		cr_assert(depth >= 0);
	}
	cr_assert_eq(depth, 0);
	cr_assert(strncmp(text, "\\begin{align*}\n", 15) == 0);
	has(text, "\n\\end{align*}\n");
	cr_assert(!strstr(text, "[s") && !strstr(text, "__"));
}

Test(deriv_print, regression_as_latex)
{
	char *text = printed(regression(), true);
	check_latex(text);
	has(text, "a_{s,\\,i} &= \\tanh\\left(z_{s,\\,i}\\right) \\\\\n");
	has(text, "\\bar{W}_{i,\\,k} &= \\sum_{s} x_{s,\\,k}\\,\\bar{z}_{s,\\,i}");
	has(text, "\\bar{\\beta}_{i} &= \\sum_{s} \\bar{z}_{s,\\,i}");
	has(text, "{a}'_{s,\\,i} &= 1 - a_{s,\\,i}^{2}");
	free(text);
}

/* A recurrence: base elements, the shifted adjoint without a condition, the step that is read with
 * one. */
Test(deriv_print, recurrence_backwards)
{
	Axis time = aid_axis(&t, "time", 1, 5, 0);
	Def c = AID_LEAF(&t, DEF_PARAM, "c", 0, 1), u = AID_LEAF(&t, DEF_DATA, "u", 0, 1, time);
	Index q = core_index_wide(C, time, intern_str(t.names, "t"));
	Def x = core_define(C, (DefInfo){.role = DEF_VALUE,
					 .name = intern_str(t.names, "x"),
					 .nindex = 1,
					 .index = &q,
					 .flags = DEF_USER});
	Index own = core_def(C, x)->index[0];
	Node before = AT(&t, x, core_sub(C, IX(&t, own), core_int_const(C, 1)));
	Node step = core_op1(C, OP_sin,
			     core_add(C, core_mul(C, AT(&t, c), before), AT(&t, u, IX(&t, own))));
	Range zero = {{EDGE_AT, 0}, {EDGE_AT, 0}}, all = {{EDGE_FIRST, 0}, {EDGE_LAST, 0}};
	Piece piece[2] = {{&zero, AT(&t, c)}, {&all, step}};
	core_set_pieces(C, x, 2, piece);
	char *text = printed(core_powi(C, AT(&t, x, core_int_const(C, 4)), 2), false);
	has(text, "\nx[0] = c\n");
	has(text, "\nx[t] = sin(arg_x[t])\n");
	has(text, "\nx_[t] = c*arg_x_[t + 1] + (if t == 4 then 2*x[4] else 0)\n");
	has(text, "\nx_[0] = c*arg_x_[1]\n");
	has(text, "x[t - 1]*arg_x_[t]");
	free(text);
}
