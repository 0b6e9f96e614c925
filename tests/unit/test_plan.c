/* test_plan.c — plans of systems of every kind against the slow evaluator. */
#include "tests/unit/plan_aid.h"

#include "runtime/rng.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static Aid t;

static void begin(void)
{
	aid_begin(&t);
}

static void end(void)
{
	aid_end(&t);
}

TestSuite(plan, .init = begin, .fini = end);

#define C (t.c)
static const double TOLERANCE = 1e-12;

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

static Node op2(Op op, Node a, Node b)
{
	return core_op2(C, op, a, b);
}

static Def network(Axis s, Axis in, const Axis *hidden, unsigned layers, Def x, Def *params)
{
	Index r = aid_index(&t, s, "s"), k = aid_index(&t, in, "k");
	Node value = AT(&t, x, IX(&t, r), IX(&t, k));
	for (unsigned l = 0; l < layers; l++) {
		Axis from = core_index_axis(C, k);
		Def W = AID_LEAF(&t, DEF_PARAM, "W", -1, 1, hidden[l], from),
		    b = AID_LEAF(&t, DEF_PARAM, "b", -1, 1, hidden[l]);
		params[2 * l] = W;
		params[2 * l + 1] = b;
		Index i = aid_index(&t, hidden[l], "i");
		Node sum = SUM(&t, core_mul(C, AT(&t, W, IX(&t, i), IX(&t, k)), value), k);
		Def a = AID_DEF(&t, "a",
				core_op1(C, OP_tanh, core_add(C, AT(&t, b, IX(&t, i)), sum)), r, i);
		k = aid_index(&t, hidden[l], "j");
		value = AT(&t, a, IX(&t, r), IX(&t, k));
	}
	Axis from = core_index_axis(C, k);
	Def v = AID_LEAF(&t, DEF_PARAM, "v", -1, 1, from);
	params[2 * layers] = v;
	return AID_DEF(&t, "u", SUM(&t, core_mul(C, AT(&t, v, IX(&t, k)), value), k), r);
}

/* Loss and all gradients of a network for many widths and numbers of samples. */
static void check_network(int64_t samples, int64_t inputs, int64_t width, unsigned layers)
{
	Axis s = aid_axis(&t, "s", 0, samples, AXIS_SAMPLES), in = aid_axis(&t, "in", 0, inputs, 0),
	     h[4];
	for (unsigned l = 0; l < layers; l++) {
		h[l] = aid_axis(&t, "h", 0, width + l, 0);
	}
	Def x = AID_LEAF(&t, DEF_DATA, "x", -1, 1, s, in),
	    y = AID_LEAF(&t, DEF_DATA, "y", -1, 1, s), params[16];
	Def u = network(s, in, h, layers, x, params);
	Index r = aid_index(&t, s, "s");
	Node e = core_sub(C, AT(&t, u, IX(&t, r)), AT(&t, y, IX(&t, r)));
	Node loss = core_scale(C, 1.0 / (double)samples, SUM(&t, core_mul(C, e, e), r));
	Def grad[16], outputs[20];
	cr_assert(deriv_gradient(C, t.scratch, t.diags, loss, 2 * layers + 1, params, grad));
	uint32_t n = 0;
	for (unsigned k = 0; k < 2 * layers + 1; k++) {
		if (grad[k]) { /* without samples there is none */
			outputs[n++] = grad[k];
		}
	}
	outputs[n++] = core_share(C, 0, (Span){0}, 0, NULL, loss, 0);
	outputs[n++] = u;
	plan_aid_compare(&t, n, outputs, TOLERANCE);
}

Test(plan, networks_of_many_sizes)
{
	for (int64_t width = 1; width <= 33; width += width < 9 ? 1 : 5) {
		aid_end(&t);
		aid_begin(&t);
		check_network(1 + 7 * width % 70, 2, width, 2);
	}
}

Test(plan, batches_of_many_sizes)
{
	for (int64_t samples = 1; samples <= 70; samples += samples < 20 ? 1 : 7) {
		aid_end(&t);
		aid_begin(&t);
		check_network(samples, 3, 5, 1);
	}
}

Test(plan, deep_network_on_many_samples)
{
	check_network(1100, 2, 12, 4);
}

Test(plan, no_samples_at_all)
{
	check_network(0, 2, 3, 1);
}

Test(plan, every_reduction)
{
	Axis sizes[4] = {aid_axis(&t, "s", 0, 83, AXIS_SAMPLES), aid_axis(&t, "h", 1, 7, 0),
			 aid_axis(&t, "e", 0, 0, 0), aid_axis(&t, "w", -3, 600, 0)};
	Def outputs[64];
	uint32_t n = 0;
	for (unsigned a = 0; a < 4; a++) {
		for (RedKind red = RED_SUM; red <= RED_LOGSUMEXP; red++) {
			Def x = AID_LEAF(&t, DEF_DATA, "x", -1.2, 1.2, sizes[1], sizes[a]);
			Index i = aid_index(&t, sizes[1], "i"), j = aid_index(&t, sizes[a], "j");
			Node value = AT(&t, x, IX(&t, i), IX(&t, j));
			Index bound[2] = {j, 0};
			outputs[n++] = AID_DEF(&t, "one", aid_sum(&t, red, value, bound), i);
			Index b2[3] = {aid_index(&t, sizes[1], "i"), aid_index(&t, sizes[a], "j"),
				       0};
			Node guarded = core_guard(
				C, op2(OP_lt, AT(&t, x, IX(&t, b2[0]), IX(&t, b2[1])), num(0.9)),
				AT(&t, x, IX(&t, b2[0]), IX(&t, b2[1])));
			if (red != RED_LOGSUMEXP || a != 2) {
				outputs[n++] = aid_def(&t, "all",
						       red == RED_SUM || red == RED_PROD
							       ? aid_sum(&t, red, guarded, b2)
							       : num(0),
						       (const Index[]){0});
			}
		}
	}
	plan_aid_compare(&t, n, outputs, 1e-11);
}

Test(plan, argmax_and_tests)
{
	Axis s = aid_axis(&t, "s", 5, 40, AXIS_SAMPLES), h = aid_axis(&t, "h", 3, 9, 0);
	Def x = plan_aid_ints(&t, DEF_DATA, "x", KIND_INT, 0, 4, (const Axis[]){s, h, 0});
	Index i = aid_index(&t, s, "i"), j = aid_index(&t, h, "j"), i2 = aid_index(&t, s, "i"),
	      j2 = aid_index(&t, h, "j");
	Node real = core_real(C, AT(&t, x, IX(&t, i), IX(&t, j)));
	Node real2 = core_real(C, AT(&t, x, IX(&t, i2), IX(&t, j2)));
	Def outputs[8];
	uint32_t n = 0;
	outputs[n++] =
		AID_DEF(&t, "first", aid_sum(&t, RED_ARGMAX, real, (const Index[]){j, 0}), i);
	outputs[n++] =
		AID_DEF(&t, "least", aid_sum(&t, RED_ARGMIN, real2, (const Index[]){i2, 0}), j2);
	Index i3 = aid_index(&t, s, "i"), j3 = aid_index(&t, h, "j");
	Node small = op2(OP_ile, AT(&t, x, IX(&t, i3), IX(&t, j3)), at(3));
	outputs[n++] = AID_DEF(&t, "all", aid_sum(&t, RED_ALL, small, (const Index[]){j3, 0}), i3);
	Index i4 = aid_index(&t, s, "i"), j4 = aid_index(&t, h, "j");
	Node big = op2(OP_ieq, AT(&t, x, IX(&t, i4), IX(&t, j4)), at(4));
	outputs[n++] = AID_DEF(&t, "any", aid_sum(&t, RED_ANY, big, (const Index[]){i4, j4, 0}));
	Index i5 = aid_index(&t, s, "i"), j5 = aid_index(&t, h, "j");
	outputs[n++] = AID_DEF(
		&t, "count",
		aid_sum(&t, RED_SUM, AT(&t, x, IX(&t, i5), IX(&t, j5)), (const Index[]){i5, 0}),
		j5);
	plan_aid_compare(&t, n, outputs, 0);
}

/* h[0,i] = 0, h[t,i] = tanh(b[i] + Σ U h[t-1] + Σ W x[t]) on an axis 1..n: the base lies before the
 * axis. */
static Def elman(Axis s, Axis pos, Axis hid, Axis in, Def *params)
{
	Def x = AID_LEAF(&t, DEF_DATA, "x", -1, 1, s, pos, in),
	    U = AID_LEAF(&t, DEF_PARAM, "U", -0.5, 0.5, hid, hid);
	Def W = AID_LEAF(&t, DEF_PARAM, "W", -1, 1, hid, in),
	    b = AID_LEAF(&t, DEF_PARAM, "b", -1, 1, hid);
	params[0] = U;
	params[1] = W;
	params[2] = b;
	Index f[3] = {aid_index(&t, s, "s"), aid_index(&t, pos, "t"), aid_index(&t, hid, "i")};
	Def h = core_define(C, (DefInfo){.role = DEF_VALUE,
					 .name = intern_str(t.names, "h"),
					 .nindex = 3,
					 .index = f,
					 .flags = DEF_USER});
	Index j = aid_index(&t, hid, "j"), k = aid_index(&t, in, "k");
	Node past = SUM(&t,
			core_mul(C, AT(&t, U, IX(&t, f[2]), IX(&t, j)),
				 AT(&t, h, IX(&t, f[0]), plus(f[1], -1), IX(&t, j))),
			j);
	Node now = SUM(&t,
		       core_mul(C, AT(&t, W, IX(&t, f[2]), IX(&t, k)),
				AT(&t, x, IX(&t, f[0]), IX(&t, f[1]), IX(&t, k))),
		       k);
	Node z = core_add(C, AT(&t, b, IX(&t, f[2])), core_add(C, past, now));
	Range all = {{EDGE_FIRST, 0}, {EDGE_LAST, 0}}, base = {{EDGE_FIRST, -1}, {EDGE_FIRST, -1}};
	Range box0[3] = {all, base, all};
	Piece piece[2] = {{box0, num(0.1)}, {NULL, core_op1(C, OP_tanh, z)}};
	core_set_pieces(C, h, 2, piece);
	return h;
}

static void check_elman(int64_t samples)
{
	Axis s = aid_axis(&t, "s", 0, samples, AXIS_SAMPLES), pos = aid_axis(&t, "pos", 1, 6, 0);
	Axis hid = aid_axis(&t, "hid", 0, 5, 0), in = aid_axis(&t, "in", 0, 3, 0);
	Def params[3], grad[3], h = elman(s, pos, hid, in, params);
	Index r = aid_index(&t, s, "s"), i = aid_index(&t, hid, "i");
	Node v = AT(&t, h, IX(&t, r), at(4), IX(&t, i));
	Node loss = SUM(&t, core_mul(C, v, v), r, i);
	cr_assert(deriv_gradient(C, t.scratch, t.diags, loss, 3, params, grad));
	Def outputs[5] = {grad[0], grad[1], grad[2], core_share(C, 0, (Span){0}, 0, NULL, loss, 0),
			  h};
	plan_aid_compare(&t, 5, outputs, TOLERANCE);
}

Test(plan, recurrence_and_its_backward_pass)
{
	check_elman(40);
}

Test(plan, recurrence_of_few_samples)
{
	check_elman(3);
}

/* D[i,j] = min(D[i-1,j], D[i,j-1], D[i-1,j-1]) + c[i,j]: two axes, one after the other. */
Test(plan, two_dimensional_recurrence)
{
	Axis a = aid_axis(&t, "a", 1, 9, 0), b = aid_axis(&t, "b", 1, 7, 0);
	Def c = AID_LEAF(&t, DEF_DATA, "c", 0, 1, a, b);
	Index f[2] = {aid_index(&t, a, "i"), aid_index(&t, b, "j")};
	Def d = core_define(C, (DefInfo){.role = DEF_VALUE,
					 .name = intern_str(t.names, "D"),
					 .nindex = 2,
					 .index = f});
	Node least = op2(OP_min,
			 op2(OP_min, AT(&t, d, plus(f[0], -1), IX(&t, f[1])),
			     AT(&t, d, IX(&t, f[0]), plus(f[1], -1))),
			 AT(&t, d, plus(f[0], -1), plus(f[1], -1)));
	Range zero = {{EDGE_AT, 0}, {EDGE_AT, 0}}, ia = {{EDGE_FIRST, -1}, {EDGE_LAST, 0}},
	      all = {{EDGE_FIRST, 0}, {EDGE_LAST, 0}};
	Range box0[2] = {zero, {{EDGE_AT, 0}, {EDGE_LAST, 0}}}, box1[2] = {ia, zero},
	      box2[2] = {all, all};
	Piece piece[3] = {{box0, core_real(C, IX(&t, f[1]))},
			  {box1, core_real(C, IX(&t, f[0]))},
			  {box2, core_add(C, least, AT(&t, c, IX(&t, f[0]), IX(&t, f[1])))}};
	core_set_pieces(C, d, 3, piece);
	plan_aid_compare(&t, 1, &d, TOLERANCE);
}

/* u[n+1] = 2u[n] - u[n-1] + c(u[n,x+1] - 2u[n,x] + u[n,x-1]), periodic in x; the first two steps
 * are given. */
Test(plan, wave_equation)
{
	Axis n = aid_axis(&t, "n", 0, 12, 0), x = aid_axis(&t, "x", 0, 10, AXIS_PERIODIC);
	Def start = AID_LEAF(&t, DEF_DATA, "start", -1, 1, x),
	    c = AID_LEAF(&t, DEF_PARAM, "c", 0, 0.2, x);
	Index f[2] = {aid_index(&t, n, "n"), aid_index(&t, x, "x")}, k = aid_index(&t, x, "k");
	Def u = core_define(C, (DefInfo){.role = DEF_VALUE,
					 .name = intern_str(t.names, "u"),
					 .nindex = 2,
					 .index = f});
	Node lap = core_add(C,
			    core_add(C, AT(&t, u, plus(f[0], -1), plus(f[1], 1)),
				     AT(&t, u, plus(f[0], -1), plus(f[1], -1))),
			    core_scale(C, -2, AT(&t, u, plus(f[0], -1), IX(&t, f[1]))));
	Node mean = core_scale(
		C, 0.1,
		SUM(&t, AT(&t, u, plus(f[0], -2), core_add(C, IX(&t, f[1]), IX(&t, k))), k));
	Node step = core_add(C,
			     core_sub(C, core_scale(C, 2, AT(&t, u, plus(f[0], -1), IX(&t, f[1]))),
				      AT(&t, u, plus(f[0], -2), IX(&t, f[1]))),
			     core_add(C, core_mul(C, AT(&t, c, IX(&t, f[1])), lap), mean));
	Range all = {{EDGE_FIRST, 0}, {EDGE_LAST, 0}},
	      first[2] = {{{EDGE_AT, 0}, {EDGE_AT, 1}}, all};
	Piece piece[2] = {{first, AT(&t, start, IX(&t, f[1]))}, {NULL, step}};
	core_set_pieces(C, u, 2, piece);
	Index r[2] = {aid_index(&t, n, "n"), aid_index(&t, x, "x")};
	Node v = AT(&t, u, IX(&t, r[0]), IX(&t, r[1])),
	     loss = SUM(&t, core_mul(C, v, v), r[0], r[1]);
	Def grad[2], wrt[2] = {c, start};
	cr_assert(deriv_gradient(C, t.scratch, t.diags, loss, 2, wrt, grad));
	Def outputs[3] = {u, grad[0], grad[1]};
	plan_aid_compare(&t, 3, outputs, 1e-11);
}

Test(plan, backward_recurrence)
{
	Axis s = aid_axis(&t, "s", 0, 33, AXIS_SAMPLES), n = aid_axis(&t, "n", 1, 8, 0);
	Def x = AID_LEAF(&t, DEF_DATA, "x", -1, 1, s, n);
	Index f[2] = {aid_index(&t, s, "s"), aid_index(&t, n, "n")};
	Def h = core_define(C, (DefInfo){.role = DEF_VALUE,
					 .name = intern_str(t.names, "h"),
					 .nindex = 2,
					 .index = f});
	Node next = core_add(C, AT(&t, x, IX(&t, f[0]), IX(&t, f[1])),
			     core_scale(C, 0.5, AT(&t, h, IX(&t, f[0]), plus(f[1], 1))));
	Range all = {{EDGE_FIRST, 0}, {EDGE_LAST, 0}},
	      last[2] = {all, {{EDGE_LAST, 1}, {EDGE_LAST, 1}}};
	Piece piece[2] = {{last, num(1)}, {NULL, next}};
	core_set_pieces(C, h, 2, piece);
	plan_aid_compare(&t, 1, &h, TOLERANCE);
}

Test(plan, a_recurrence_that_looks_both_ways)
{
	Axis n = aid_axis(&t, "n", 1, 8, 0);
	Index f[1] = {aid_index(&t, n, "n")};
	Def h = core_define(C, (DefInfo){.role = DEF_VALUE,
					 .name = intern_str(t.names, "h"),
					 .nindex = 1,
					 .index = f});
	Node both = core_add(C, AT(&t, h, plus(f[0], 1)), AT(&t, h, plus(f[0], -1)));
	Range first[1] = {{{EDGE_FIRST, -1}, {EDGE_FIRST, -1}}},
	      last[1] = {{{EDGE_LAST, 1}, {EDGE_LAST, 1}}};
	Piece piece[3] = {{first, num(1)}, {last, num(1)}, {NULL, both}};
	core_set_pieces(C, h, 3, piece);
	plan_aid_expect(&t, 1, &h, "E0215");
}

/* w[i] = Σ_{m < i} a[i,m]*w[m] + b[i]: the whole past, told by the filter. */
Test(plan, recurrence_over_the_whole_past)
{
	Axis n = aid_axis(&t, "n", 0, 9, 0);
	Def a = AID_LEAF(&t, DEF_DATA, "a", -0.5, 0.5, n, n),
	    b = AID_LEAF(&t, DEF_DATA, "b", -1, 1, n);
	Index f[1] = {aid_index(&t, n, "i")}, m = aid_index(&t, n, "m");
	Def w = core_define(C, (DefInfo){.role = DEF_VALUE,
					 .name = intern_str(t.names, "w"),
					 .nindex = 1,
					 .index = f});
	Node body =
		core_guard(C, op2(OP_ilt, IX(&t, m), IX(&t, f[0])),
			   core_mul(C, AT(&t, a, IX(&t, f[0]), IX(&t, m)), AT(&t, w, IX(&t, m))));
	Piece piece[1] = {{NULL, core_add(C, AT(&t, b, IX(&t, f[0])), SUM(&t, body, m))}};
	core_set_pieces(C, w, 1, piece);
	plan_aid_compare(&t, 1, &w, TOLERANCE);
}

Test(plan, gathers_and_scatters)
{
	Axis s = aid_axis(&t, "s", 0, 50, AXIS_SAMPLES), kind = aid_axis(&t, "kind", 2, 12, 0),
	     h = aid_axis(&t, "h", 0, 6, 0);
	Axis m = aid_axis(&t, "m", 0, 5, 0);
	Def id = plan_aid_ints(&t, DEF_DATA, "id", KIND_INT, 2, 13, (const Axis[]){s, m, 0});
	Def w = AID_LEAF(&t, DEF_PARAM, "w", -1, 1, kind, h),
	    y = AID_LEAF(&t, DEF_DATA, "y", -1, 1, s, m, h);
	Index r = aid_index(&t, s, "s"), q = aid_index(&t, m, "m"), i = aid_index(&t, h, "i");
	Node v = core_op1(C, OP_tanh,
			  core_mul(C, AT(&t, w, AT(&t, id, IX(&t, r), IX(&t, q)), IX(&t, i)),
				   AT(&t, y, IX(&t, r), IX(&t, q), IX(&t, i))));
	Def g = AID_DEF(&t, "g", v, r, q, i);
	Index r2 = aid_index(&t, s, "s"), q2 = aid_index(&t, m, "m"), i2 = aid_index(&t, h, "i");
	Node e = AT(&t, g, IX(&t, r2), IX(&t, q2), IX(&t, i2)),
	     loss = SUM(&t, core_mul(C, e, e), r2, q2, i2);
	Def grad;
	cr_assert(deriv_gradient(C, t.scratch, t.diags, loss, 1, &w, &grad));
	Def outputs[2] = {g, grad};
	plan_aid_compare(&t, 2, outputs, TOLERANCE);
	char *text = plan_aid_text(&t, 2, outputs);
	cr_assert(strstr(text, "scatter"), "no scatter in %s", text);
	free(text);
}

Test(plan, an_index_outside_its_axis)
{
	Axis s = aid_axis(&t, "s", 0, 40, AXIS_SAMPLES), kind = aid_axis(&t, "kind", 0, 4, 0);
	Def id = plan_aid_ints(&t, DEF_DATA, "id", KIND_INT, 0, 4, (const Axis[]){s, 0});
	Def w = AID_LEAF(&t, DEF_PARAM, "w", -1, 1, kind);
	Index r = aid_index(&t, s, "s"), r2 = aid_index(&t, s, "s");
	Def bare = AID_DEF(&t, "bare", AT(&t, w, AT(&t, id, IX(&t, r))), r);
	Node guarded = core_guard(C, op2(OP_ilt, AT(&t, id, IX(&t, r2)), at(4)),
				  AT(&t, w, AT(&t, id, IX(&t, r2))));
	Def safe = AID_DEF(&t, "safe", guarded, r2);
	plan_aid_expect(&t, 1, &bare, "E0409");
	plan_aid_compare(&t, 1, &safe, 0);
}

Test(plan, nothing_leaks_from_branches)
{
	Axis s = aid_axis(&t, "s", 0, 40, AXIS_SAMPLES), h = aid_axis(&t, "h", 0, 5, 0);
	Def x = AID_LEAF(&t, DEF_DATA, "x", -1, 1, s, h);
	Index r = aid_index(&t, s, "s"), i = aid_index(&t, h, "i"), j = aid_index(&t, h, "j");
	Node v = AT(&t, x, IX(&t, r), IX(&t, i));
	Node root = core_op1(C, OP_sqrt, v), inverse = core_div(C, num(1), core_sub(C, v, v));
	Node y = core_select(C, op2(OP_lt, v, num(0)), num(2), root);
	Node z = core_guard(C, op2(OP_lt, num(2), v), core_mul(C, inverse, root));
	Def d = AID_DEF(&t, "d", core_add(C, y, z), r, i);
	Node same = core_guard(C, op2(OP_ine, IX(&t, i), IX(&t, j)),
			       core_div(C, num(1),
					core_sub(C, AT(&t, x, IX(&t, r), IX(&t, i)),
						 AT(&t, x, IX(&t, r), IX(&t, j)))));
	Def pairs = AID_DEF(&t, "pairs", SUM(&t, same, i, j), r);
	Def outputs[2] = {d, pairs};
	plan_aid_compare(&t, 2, outputs, 1e-11);
}

Test(plan, samples_against_samples)
{
	Axis s = aid_axis(&t, "s", 0, 37, AXIS_SAMPLES), q = aid_axis(&t, "q", 0, 21, AXIS_SAMPLES),
	     h = aid_axis(&t, "h", 0, 3, 0);
	Def x = AID_LEAF(&t, DEF_DATA, "x", -1, 1, s, h),
	    y = AID_LEAF(&t, DEF_DATA, "y", -1, 1, q, h);
	Def w = AID_LEAF(&t, DEF_PARAM, "w", -1, 1, h);
	Index a = aid_index(&t, s, "a"), i = aid_index(&t, h, "i"), b = aid_index(&t, q, "b");
	Def f = AID_DEF(
		&t, "f",
		core_op1(C, OP_tanh,
			 core_mul(C, AT(&t, w, IX(&t, i)), AT(&t, x, IX(&t, a), IX(&t, i)))),
		a, i);
	Index a2 = aid_index(&t, s, "a"), a3 = aid_index(&t, s, "a"), i2 = aid_index(&t, h, "i");
	Node d = core_sub(C, AT(&t, f, IX(&t, a2), IX(&t, i2)), AT(&t, f, IX(&t, a3), IX(&t, i2)));
	Def r2 = AID_DEF(&t, "r2", SUM(&t, core_mul(C, d, d), i2), a2, a3);
	Index a4 = aid_index(&t, s, "a"), a5 = aid_index(&t, s, "a");
	Node k = core_op1(C, OP_exp, core_neg(C, AT(&t, r2, IX(&t, a4), IX(&t, a5))));
	Def near = AID_DEF(&t, "near", SUM(&t, k, a5), a4);
	Index i3 = aid_index(&t, h, "i"), a6 = aid_index(&t, s, "a");
	Node cross =
		core_mul(C, AT(&t, f, IX(&t, a6), IX(&t, i3)), AT(&t, y, IX(&t, b), IX(&t, i3)));
	Def mixed = AID_DEF(&t, "mixed", SUM(&t, cross, i3), a6, b);
	Index a7 = aid_index(&t, s, "a");
	Node loss = SUM(&t, core_mul(C, AT(&t, near, IX(&t, a7)), AT(&t, near, IX(&t, a7))), a7);
	Def grad;
	cr_assert(deriv_gradient(C, t.scratch, t.diags, loss, 1, &w, &grad));
	Def outputs[4] = {near, mixed, grad, core_share(C, 0, (Span){0}, 0, NULL, loss, 0)};
	plan_aid_compare(&t, 4, outputs, 1e-11);
}

/* Standardised by mean and variance over the samples: three phases over the same axis. */
Test(plan, phases)
{
	Axis s = aid_axis(&t, "s", 0, 150, AXIS_SAMPLES), h = aid_axis(&t, "h", 0, 4, 0);
	Def x = AID_LEAF(&t, DEF_DATA, "x", -1, 1, s, h),
	    w = AID_LEAF(&t, DEF_PARAM, "w", -1, 1, h);
	Index r = aid_index(&t, s, "s"), i = aid_index(&t, h, "i");
	Def f = AID_DEF(
		&t, "f",
		core_op1(C, OP_exp,
			 core_mul(C, AT(&t, w, IX(&t, i)), AT(&t, x, IX(&t, r), IX(&t, i)))),
		r, i);
	Index r2 = aid_index(&t, s, "s"), i2 = aid_index(&t, h, "i");
	Def mean = AID_DEF(&t, "mean",
			   core_scale(C, 1.0 / 150, SUM(&t, AT(&t, f, IX(&t, r2), IX(&t, i2)), r2)),
			   i2);
	Index r3 = aid_index(&t, s, "s"), i3 = aid_index(&t, h, "i");
	Node d = core_sub(C, AT(&t, f, IX(&t, r3), IX(&t, i3)), AT(&t, mean, IX(&t, i3)));
	Def var = AID_DEF(&t, "var", core_scale(C, 1.0 / 150, SUM(&t, core_mul(C, d, d), r3)), i3);
	Index r4 = aid_index(&t, s, "s"), i4 = aid_index(&t, h, "i");
	Node z = core_div(C,
			  core_sub(C, AT(&t, f, IX(&t, r4), IX(&t, i4)), AT(&t, mean, IX(&t, i4))),
			  core_op1(C, OP_sqrt, AT(&t, var, IX(&t, i4))));
	Def norm = AID_DEF(&t, "norm", z, r4, i4);
	Def outputs[2] = {norm, var};
	plan_aid_compare(&t, 2, outputs, TOLERANCE);
}

Test(plan, assignments_come_last)
{
	Axis h = aid_axis(&t, "h", 0, 6, 0);
	Def a = AID_LEAF(&t, DEF_PARAM, "a", -1, 1, h),
	    b = AID_LEAF(&t, DEF_RUNTIME, "b", -1, 1, h);
	Store *s = plan_aid_store(&t);
	PlanOutput swap[2] = {{a, b}, {b, a}};
	Plan *p = plan_build(C, s, t.diags, 2, swap, (PlanOptions){0});
	cr_assert(p);
	double a0 = store_real(s, a)[3], b0 = store_real(s, b)[3];
	cr_assert(plan_run(p, t.diags, (RunContext){1, 1}));
	cr_assert_eq(store_real(s, a)[3], b0);
	cr_assert_eq(store_real(s, b)[3], a0);
	plan_free(p);
	store_free(s);
}

Test(plan, data_are_looked_at_again_when_touched)
{
	Axis s = aid_axis(&t, "s", 0, 64, AXIS_SAMPLES);
	Def x = AID_LEAF(&t, DEF_DATA, "x", -1, 1, s), w = AID_LEAF(&t, DEF_PARAM, "w", -1, 1, 0);
	Index r = aid_index(&t, s, "s");
	Def total = AID_DEF(&t, "total", SUM(&t, core_op1(C, OP_exp, AT(&t, x, IX(&t, r))), r));
	Def y = AID_DEF(&t, "y", core_mul(C, core_read(C, total, NULL), core_read(C, w, NULL)));
	Store *st = plan_aid_store(&t);
	Plan *p = plan_build(C, st, t.diags, 1, &(PlanOutput){y, 0}, (PlanOptions){0});
	cr_assert(p);
	cr_assert(plan_run(p, t.diags, (RunContext){0}));
	double before = plan_real(p, 0)[0];
	store_real(st, x)[5] += 1;
	cr_assert(plan_run(p, t.diags, (RunContext){0}));
	cr_assert_eq(plan_real(p, 0)[0], before, "data that were not touched were read again");
	store_touch(st, x);
	cr_assert(plan_run(p, t.diags, (RunContext){0}));
	cr_assert_neq(plan_real(p, 0)[0], before);
	store_real(st, w)[0] *= 2;
	double middle = plan_real(p, 0)[0];
	cr_assert(plan_run(p, t.diags, (RunContext){0}));
	cr_assert_float_eq(plan_real(p, 0)[0], 2 * middle, 1e-12 * fabs(middle));
	plan_free(p);
	store_free(st);
}

Test(plan, integers_overflow_loudly)
{
	Axis h = aid_axis(&t, "h", 0, 30, 0);
	Def x = plan_aid_ints(&t, DEF_DATA, "x", KIND_INT, 3, 9, (const Axis[]){h, 0});
	Index i = aid_index(&t, h, "i"), j = aid_index(&t, h, "j");
	Node p = at(1);
	for (int k = 0; k < 30; k++) {
		p = core_mul(C, p, AT(&t, x, IX(&t, i)));
	}
	Def big = AID_DEF(&t, "big", p, i);
	plan_aid_expect(&t, 1, &big, "E0221");
	Def product = AID_DEF(&t, "product",
			      aid_sum(&t, RED_PROD, AT(&t, x, IX(&t, j)), (const Index[]){j, 0}));
	(void)product;
	Node square = core_mul(C, AT(&t, x, IX(&t, i)), AT(&t, x, IX(&t, i)));
	Def fine = AID_DEF(&t, "fine", core_add(C, square, core_scale(C, -3, IX(&t, i))), i);
	plan_aid_compare(&t, 1, &fine, 0);
}

/* What is not selected is not looked at, also through definitions that stand between. */
Test(plan, conditions_reach_through_definitions)
{
	Axis s = aid_axis(&t, "s", 0, 40, AXIS_SAMPLES), kind = aid_axis(&t, "kind", 0, 4, 0),
	     h = aid_axis(&t, "h", 1, 6, 0);
	Def id = plan_aid_ints(&t, DEF_DATA, "id", KIND_INT, 0, 6, (const Axis[]){s, 0});
	Def w = AID_LEAF(&t, DEF_PARAM, "w", -1, 1, kind, h),
	    x = AID_LEAF(&t, DEF_DATA, "x", -1, 1, h);
	Index r = aid_index(&t, s, "s"), i = aid_index(&t, h, "i");
	Node sum = SUM(
		&t, core_mul(C, AT(&t, w, AT(&t, id, IX(&t, r)), IX(&t, i)), AT(&t, x, IX(&t, i))),
		i);
	Def inner = AID_DEF(&t, "inner", core_op1(C, OP_tanh, sum), r);
	Index r2 = aid_index(&t, s, "s");
	Node known = op2(OP_ilt, AT(&t, id, IX(&t, r2)), at(4));
	Def outer =
		AID_DEF(&t, "outer", core_select(C, known, AT(&t, inner, IX(&t, r2)), num(-3)), r2);
	/* the first label has no predecessor: neither the sum nor what reads it is computed there
	 */
	Index i2 = aid_index(&t, h, "i"), k = aid_index(&t, kind, "k");
	Node before = SUM(
		&t, core_mul(C, AT(&t, w, IX(&t, k), plus(i2, -1)), AT(&t, x, plus(i2, -1))), k);
	Def past = AID_DEF(
		&t, "past",
		core_guard(C, op2(OP_ilt, at(1), IX(&t, i2)), core_op1(C, OP_exp, before)), i2);
	Index i3 = aid_index(&t, h, "i");
	Def rest = AID_DEF(&t, "rest",
			   core_guard(C, op2(OP_ine, IX(&t, i3), at(6)),
				      core_op1(C, OP_exp, AT(&t, x, plus(i3, 1)))),
			   i3);
	Def outputs[3] = {outer, past, rest};
	plan_aid_compare(&t, 3, outputs, TOLERANCE);
}

Test(plan, an_index_that_leaves_its_axis_for_certain)
{
	Axis h = aid_axis(&t, "h", 1, 6, 0);
	Def x = AID_LEAF(&t, DEF_DATA, "x", -1, 1, h);
	Index i = aid_index(&t, h, "i");
	Def d = AID_DEF(&t, "d", core_sub(C, AT(&t, x, IX(&t, i)), AT(&t, x, plus(i, -1))), i);
	plan_aid_expect(&t, 1, &d, "E0211");
}

Test(plan, memory_is_limited)
{
	Axis h = aid_axis(&t, "h", 0, 1 << 20, 0);
	Def w = AID_LEAF(&t, DEF_PARAM, "w", -1, 1, 0);
	Index i = aid_index(&t, h, "i"), j = aid_index(&t, h, "j"), k = aid_index(&t, h, "k");
	Node v = core_real(C, core_add(C, IX(&t, i), core_add(C, IX(&t, j), IX(&t, k))));
	Def big = AID_DEF(&t, "big", core_op1(C, OP_exp, core_mul(C, v, core_read(C, w, NULL))), i,
			  j, k);
	plan_aid_expect(&t, 1, &big, "E0224");
	Def row = AID_DEF(&t, "row", core_real(C, IX(&t, i)), i);
	Store *s = plan_aid_store(&t);
	Plan *p = plan_build(C, s, t.diags, 1, &(PlanOutput){row, 0},
			     (PlanOptions){.memory = 1 << 20});
	cr_assert(!p && diags_errors(t.diags) == 1);
	p = plan_build(C, s, t.diags, 1, &(PlanOutput){row, 0}, (PlanOptions){.memory = 1 << 24});
	cr_assert(p && plan_cost(p).memory >= 8 << 20);
	plan_free(p);
	store_free(s);
}

/* Draws are functions of their address: the same for every tile and thread; each step its own where
 * asked. */
Test(plan, random_draws_by_address)
{
	Axis s = aid_axis(&t, "s", 0, 300, AXIS_SAMPLES), h = aid_axis(&t, "h", 1, 5, 0);
	Index r = aid_index(&t, s, "s"), i = aid_index(&t, h, "i");
	Node address[2] = {IX(&t, r), IX(&t, i)};
	Def fixed = AID_DEF(&t, "fixed", core_random(C, RANDOM_NORMAL, 77, 0, 2, address), r, i);
	Index r2 = aid_index(&t, s, "s");
	Node one[1] = {IX(&t, r2)};
	Def each = AID_DEF(&t, "each", core_random(C, RANDOM_UNIFORM, 5, RANDOM_EACH_STEP, 1, one),
			   r2);
	Store *st = plan_aid_store(&t);
	PlanOutput out[2] = {{fixed, 0}, {each, 0}};
	for (unsigned threads = 1; threads < 3; threads++) {
		Plan *p = plan_build(C, st, t.diags, 2, out, (PlanOptions){.threads = threads});
		for (uint64_t run = 0; run < 3; run++) {
			uint64_t seed = 9 + run / 2, step = 4 + run;
			cr_assert(p && plan_run(p, t.diags, (RunContext){seed, step}));
			for (uint64_t k = 0; k < 300; k++) {
				for (uint64_t q = 0; q < 5; q++) {
					RngAddress at = {seed, 77, 0, {k, q + 1}};
					cr_assert_eq(plan_real(p, 0)[k * 5 + q], rng_normal(at));
				}
				cr_assert_eq(plan_real(p, 1)[k],
					     rng_uniform((RngAddress){seed, 5, step, {k}}));
			}
		}
		plan_free(p);
	}
	store_free(st);
}

/* Records of different lengths: an axis of the greatest length with guards. */
Test(plan, ragged_records)
{
	Axis s = aid_axis(&t, "s", 0, 60, AXIS_SAMPLES), atom = aid_axis(&t, "atom", 0, 7, 0);
	Def n = plan_aid_ints(&t, DEF_DATA, "n", KIND_INT, 0, 7, (const Axis[]){s, 0});
	Def x = AID_LEAF(&t, DEF_DATA, "x", -1, 1, s, atom),
	    w = AID_LEAF(&t, DEF_PARAM, "w", -1, 1, 0);
	Index r = aid_index(&t, s, "s"), i = aid_index(&t, atom, "i"), j = aid_index(&t, atom, "j");
	Node d = core_sub(C, AT(&t, x, IX(&t, r), IX(&t, i)), AT(&t, x, IX(&t, r), IX(&t, j)));
	Node in_i = op2(OP_ilt, IX(&t, i), AT(&t, n, IX(&t, r))),
	     in_j = op2(OP_ilt, IX(&t, j), AT(&t, n, IX(&t, r)));
	Node apart = op2(OP_ine, IX(&t, i), IX(&t, j));
	Node pair = core_guard(C, op2(OP_and, op2(OP_and, in_i, in_j), apart),
			       core_op1(C, OP_tanh, core_div(C, core_read(C, w, NULL), d)));
	Def e = AID_DEF(&t, "e", SUM(&t, pair, i, j), r);
	Index r2 = aid_index(&t, s, "s");
	Node loss = SUM(&t, core_mul(C, AT(&t, e, IX(&t, r2)), AT(&t, e, IX(&t, r2))), r2);
	Def grad;
	cr_assert(deriv_gradient(C, t.scratch, t.diags, loss, 1, &w, &grad));
	Def outputs[2] = {e, grad};
	plan_aid_compare(&t, 2, outputs, 1e-11);
}

static bool has(const char *text, const char *what)
{
	return strstr(text, what) != NULL;
}

/* Gathered rows, ints as reals, products of three factors and neighbourhoods on a ring all go to
 * the kernels. */
Test(plan, factors_are_gathered_for_the_kernels)
{
	Axis s = aid_axis(&t, "s", 0, 70, AXIS_SAMPLES),
	     rec = aid_axis(&t, "rec", 0, 90, AXIS_SAMPLES);
	Axis h = aid_axis(&t, "h", 0, 12, 0), g = aid_axis(&t, "g", 0, 9, 0),
	     x = aid_axis(&t, "x", 0, 16, AXIS_PERIODIC);
	Axis k3 = aid_axis(&t, "k3", -1, 3, 0);
	Def id = plan_aid_ints(&t, DEF_RUNTIME, "id", KIND_INT, 0, 89, (const Axis[]){s, 0});
	Def data = AID_LEAF(&t, DEF_DATA, "data", -1, 1, rec, h),
	    w = AID_LEAF(&t, DEF_PARAM, "w", -1, 1, g, h);
	Def spin = plan_aid_ints(&t, DEF_DATA, "spin", KIND_INT, -1, 1, (const Axis[]){s, h, 0});
	Def c = AID_LEAF(&t, DEF_PARAM, "c", -1, 1, h),
	    f = AID_LEAF(&t, DEF_DATA, "f", -1, 1, s, x, h);
	Def kern = AID_LEAF(&t, DEF_PARAM, "kern", -1, 1, g, k3, h);
	Def outputs[4];
	Index r = aid_index(&t, s, "r"), i = aid_index(&t, g, "i"), j = aid_index(&t, h, "j");
	Node row = AT(&t, data, AT(&t, id, IX(&t, r)), IX(&t, j)),
	     weight = AT(&t, w, IX(&t, i), IX(&t, j));
	outputs[0] = AID_DEF(&t, "rows", SUM(&t, core_mul(C, weight, row), j), r, i);
	Index r1 = aid_index(&t, s, "r"), i1 = aid_index(&t, g, "i"), j1 = aid_index(&t, h, "j");
	Node real = core_real(C, AT(&t, spin, IX(&t, r1), IX(&t, j1)));
	outputs[1] =
		AID_DEF(&t, "spins",
			SUM(&t, core_mul(C, AT(&t, w, IX(&t, i1), IX(&t, j1)), real), j1), r1, i1);
	Index r2 = aid_index(&t, s, "r"), i2 = aid_index(&t, g, "i"), j2 = aid_index(&t, h, "j");
	Node three =
		core_mul(C, core_mul(C, AT(&t, w, IX(&t, i2), IX(&t, j2)), AT(&t, c, IX(&t, j2))),
			 core_powi(C, AT(&t, data, IX(&t, r2), IX(&t, j2)), 2));
	Index q2 = aid_index(&t, rec, "q");
	three = core_subst(C, three, 1, &r2, (Node[]){IX(&t, q2)});
	outputs[2] = AID_DEF(&t, "three", SUM(&t, three, j2), q2, i2);
	Index r3 = aid_index(&t, s, "r"), x3 = aid_index(&t, x, "x"), i3 = aid_index(&t, g, "i"),
	      j3 = aid_index(&t, h, "j");
	Index k = aid_index(&t, k3, "k");
	Node near = AT(&t, f, IX(&t, r3), core_add(C, IX(&t, x3), IX(&t, k)), IX(&t, j3));
	outputs[3] = AID_DEF(
		&t, "ring",
		SUM(&t, core_mul(C, AT(&t, kern, IX(&t, i3), IX(&t, k), IX(&t, j3)), near), k, j3),
		r3, x3, i3);
	plan_aid_compare(&t, 4, outputs, TOLERANCE);
	char *text = plan_aid_text(&t, 4, outputs);
	cr_assert(has(text, "contract rows") && has(text, "contract spins") &&
			  has(text, "contract three") && has(text, "contract ring"),
		  "%s", text);
	free(text);
}

/* Expressions nest as deep as the planner can follow; deeper ones are refused. Roots mostly: the
 * machine has an instruction for them, and compiling takes less time. */
Test(plan, deep_expressions)
{
	Axis h = aid_axis(&t, "h", 0, 9, 0);
	Def x = AID_LEAF(&t, DEF_PARAM, "x", 0.1, 1, h);
	Index i = aid_index(&t, h, "i");
	Node v = AT(&t, x, IX(&t, i)), deep = v;
	for (int k = 0; k < 1000; k++) {
		deep = core_op1(C, k % 50 ? OP_sqrt : OP_sin, core_add(C, deep, core_mul(C, v, v)));
	}
	Def d = AID_DEF(&t, "d", deep, i);
	plan_aid_compare(&t, 1, &d, 1e-10);
	Index j = aid_index(&t, h, "j");
	v = deep = AT(&t, x, IX(&t, j));
	for (int k = 0; k < 1400; k++) {
		deep = core_op1(C, k % 2 ? OP_sin : OP_tanh, core_add(C, deep, core_mul(C, v, v)));
	}
	Def e = AID_DEF(&t, "e", deep, j);
	plan_aid_expect(&t, 1, &e, "E0224");
}

/* The cost is a reading of the plan: one product of a 64 by 20 matrix with 100 samples. */
Test(plan, cost_of_a_contraction)
{
	Axis s = aid_axis(&t, "s", 0, 100, AXIS_SAMPLES), h = aid_axis(&t, "h", 0, 64, 0),
	     g = aid_axis(&t, "g", 0, 20, 0);
	Def w = AID_LEAF(&t, DEF_PARAM, "w", -1, 1, h, g),
	    x = AID_LEAF(&t, DEF_RUNTIME, "x", -1, 1, s, g);
	Index r = aid_index(&t, s, "r"), i = aid_index(&t, h, "i"), k = aid_index(&t, g, "k");
	Node product =
		core_mul(C, AT(&t, w, IX(&t, i), IX(&t, k)), AT(&t, x, IX(&t, r), IX(&t, k)));
	Def y = AID_DEF(&t, "y", SUM(&t, product, k), r, i);
	Store *st = plan_aid_store(&t);
	Plan *p = plan_build(C, st, t.diags, 1, &(PlanOutput){y, 0}, (PlanOptions){0});
	cr_assert(p);
	PlanCost cost = plan_cost(p);
	cr_assert_eq(cost.contraction_flops, 2.0 * 100 * 64 * 20);
	cr_assert_eq(cost.contractions, 1);
	cr_assert(cost.flops >= cost.contraction_flops && cost.memory > 8 * 6400);
	cr_assert(cost.bytes >= 8.0 * (1280 + 2000 + 6400));
	plan_free(p);
	store_free(st);
}
