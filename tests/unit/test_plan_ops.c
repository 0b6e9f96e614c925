/* test_plan_ops.c — every operation of ops.def from end to end: plans that compute it on lanes, of
 * single numbers and in reductions, compiled in both precisions against the interpreter, special
 * values included. */
#include "tests/unit/plan_aid.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
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

TestSuite(plan_ops, .init = begin, .fini = end);

#define C (t.c)

/* No multiple of any number of lanes. */
enum { N = 263, ONES = 48 };

/* ---- arguments ---- */

static const double reals[] = {0.0,  -0.0,  INFINITY, -INFINITY, NAN,    1,        -1,       0.5,
			       -0.5, 2,     -2,       3,         -3.25,  0.999999, 1.000001, 7,
			       19.5, -19.5, 80,       -80,       1e-3,   -1e-5,    1e-20,    1e5,
			       -1e5, 710,   -746,     0x1p-126,  1e-310, 1e300,    -1e300,   1e30,
			       4.5,  -2.5,  1.5,      0x1p62,    -0x1p63};
static const int64_t ints[] = {0,         1,        -1,       2,  -2,
			       3,         7,        -7,       63, 64,
			       -64,       1000003,  -1000003, 31, (int64_t)1 << 40,
			       INT64_MAX, INT64_MIN};
enum { REALS = sizeof reals / sizeof *reals, INTS = sizeof ints / sizeof *ints };

/* Argument k of n: pairs of special values meet in the long arrays, then numbers of middle size
 * come. */
static void put(Store *s, Def d, Kind kind, size_t i, size_t k)
{
	if (kind == KIND_REAL) {
		double v = k < REALS * REALS && k % 3 ? reals[k % REALS] : aid_random(&t, -4, 4);
		store_real(s, d)[i] = (float)v; /* the same number in both precisions */
	} else {
		store_int(s, d)[i] = kind == KIND_BOOL ? (int64_t)(k & 1) : ints[k % INTS];
	}
}

static Def leaf(Kind kind, const char *name, Axis axis)
{
	Axis axes[2] = {axis};
	if (kind == KIND_REAL) {
		return aid_leaf(&t, DEF_PARAM, name, -1, 1, axes);
	}
	return plan_aid_ints(&t, DEF_PARAM, name, kind, 0, kind == KIND_BOOL ? 1 : 3, axes);
}

/* ---- the plans of one operation ---- */

enum { OUT_LANES, OUT_ONE, OUT_MIXED, OUT_ROW, OUT_SUM, OUT_MAX, OUTS };
static const char *const out_name[OUTS] = {"lanes", "one", "mixed", "row", "sum", "max"};

typedef struct Case {
	Op op;
	unsigned n;
	Kind kind, result;
	Def a, b, one_a, one_b, row_a,
		sign; /* arrays; single numbers; one number a row; chooses lanes */
	Def out[OUTS];
} Case;

static Node apply(const Case *c, Node a, Node b)
{
	return c->n == 1 ? core_op1(C, (uint16_t)c->op, a) : core_op2(C, (uint16_t)c->op, a, b);
}

/* A number that sums may be taken of: 0 where it is not finite or large. */
static Node modest(const Case *c, Node v)
{
	if (c->result == KIND_BOOL) {
		return core_select(C, v, core_int_const(C, 1), core_int_const(C, 0));
	}
	if (c->result == KIND_INT) {
		return core_op2(C, OP_imod, v, core_int_const(C, 1000));
	}
	Node bound = core_real_const(C, 100);
	return core_guard(C, core_op2(C, OP_lt, core_op1(C, OP_abs, v), bound), v);
}

static void case_build(Case *c, Op op)
{
	*c = (Case){.op = op,
		    .n = op_info(op)->n,
		    .kind = op_arg_kind(op),
		    .result = op_result_kind(op)};
	Axis x = aid_axis(&t, "x", 0, N, 0), r = aid_axis(&t, "r", 0, 5, 0);
	c->a = leaf(c->kind, "a", x);
	c->b = leaf(c->kind, "b", x);
	c->one_a = leaf(c->kind, "p", 0);
	c->one_b = leaf(c->kind, "q", 0);
	c->row_a = leaf(c->kind, "row", r);
	c->sign = leaf(KIND_REAL, "sign", x);
	Index i[OUTS], k = aid_index(&t, r, "k");
	for (unsigned j = 0; j < OUTS; j++) {
		i[j] = aid_index(&t, x, "i");
	}
#define LANES(j) apply(c, AT(&t, c->a, IX(&t, i[j])), AT(&t, c->b, IX(&t, i[j])))
	Node one = apply(c, core_read(C, c->one_a, NULL), core_read(C, c->one_b, NULL));
	Node positive =
		core_op2(C, OP_lt, core_real_const(C, 0), AT(&t, c->sign, IX(&t, i[OUT_MIXED])));
	/* one operand is a single number, the other one lanes */
	Node mixed = apply(c, core_read(C, c->one_a, NULL), AT(&t, c->b, IX(&t, i[OUT_MIXED])));
	Node row = apply(c, AT(&t, c->row_a, IX(&t, k)), AT(&t, c->b, IX(&t, i[OUT_ROW])));
	c->out[OUT_LANES] = AID_DEF(&t, "lanes", LANES(OUT_LANES), i[OUT_LANES]);
	c->out[OUT_ONE] = aid_def(&t, "one", one, (const Index[]){0});
	c->out[OUT_MIXED] = AID_DEF(&t, "mixed", core_select(C, positive, mixed, LANES(OUT_MIXED)),
				    i[OUT_MIXED]);
	c->out[OUT_ROW] = AID_DEF(&t, "rows", row, k, i[OUT_ROW]);
	c->out[OUT_SUM] = aid_def(&t, "sum", SUM(&t, modest(c, LANES(OUT_SUM)), i[OUT_SUM]),
				  (const Index[]){0});
	c->out[OUT_MAX] = aid_def(&t, "max",
				  aid_sum(&t, RED_MAX, core_real(C, modest(c, LANES(OUT_MAX))),
					  (const Index[]){i[OUT_MAX], 0}),
				  (const Index[]){0});
#undef LANES
}

static void case_fill(const Case *c, Store *s, size_t turn)
{
	for (size_t k = 0; k < N; k++) {
		put(s, c->a, c->kind, k, k + turn);
		put(s, c->b, c->kind, k, (k + turn) * 7 / 5 + turn % 11);
		store_real(s, c->sign)[k] = (double)(k % 3) - 1;
	}
	put(s, c->one_a, c->kind, 0, turn);
	put(s, c->one_b, c->kind, 0, turn * 3 + 1);
	for (size_t k = 0; k < 5; k++) {
		put(s, c->row_a, c->kind, k, turn + 5 * k);
	}
}

/* ---- comparing ---- */

static bool gamma_like(Op op)
{
	return op == OP_lgamma || op == OP_digamma || op == OP_trigamma || op == OP_polygamma;
}

/* The compiled value v of what is w interpreted. */
static bool agrees(const Case *c, unsigned out, unsigned real_bytes, double w, double v)
{
	if ((isnan(w) && isnan(v)) || v == w) {
		return signbit(v) == signbit(w) || v != 0;
	}
	bool sum = out == OUT_SUM;
	double eps = real_bytes == 8 ? DBL_EPSILON : FLT_EPSILON,
	       least = real_bytes == 8 ? DBL_MIN : FLT_MIN;
	double size = fabs(w) + (gamma_like(c->op) ? 1 : 0) + (sum ? 100 * N : 0);
	if (real_bytes == 4 && fabs(w) > 0.999 * FLT_MAX) {
		return fabs(v) > 0.999 * FLT_MAX && (v > 0) == (w > 0);
	}
	return fabs(v - w) <= (gamma_like(c->op) ? 40 : 8) * eps * size ||
	       fabs(v - w) <= 8 * eps * least;
}

static void compare(const Case *c, const Plan *plain, const Plan *compiled, unsigned real_bytes,
		    size_t turn)
{
	for (unsigned k = 0; k < OUTS; k++) {
		bool real = k == OUT_MAX ||
			    (k == OUT_SUM ? c->result == KIND_REAL : c->result == KIND_REAL);
		for (size_t i = 0; i < plan_count(plain, k); i++) {
			if (!real) {
				cr_assert_eq(plan_int(plain, k)[i], plan_int(compiled, k)[i],
					     "%s, %s[%zu], %u bytes, turn %zu: %ld, not %ld",
					     op_info(c->op)->id, out_name[k], i, real_bytes, turn,
					     (long)plan_int(compiled, k)[i],
					     (long)plan_int(plain, k)[i]);
				continue;
			}
			double w = plan_real(plain, k)[i], v = plan_real(compiled, k)[i];
			cr_expect(agrees(c, k, real_bytes, w, v),
				  "%s, %s[%zu], %u bytes, turn %zu: %.17g, not %.17g",
				  op_info(c->op)->id, out_name[k], i, real_bytes, turn, v, w);
		}
	}
}

static Plan *planned(const Case *c, Store *s, PlanOptions options)
{
	PlanOutput out[OUTS];
	for (unsigned k = 0; k < OUTS; k++) {
		out[k] = (PlanOutput){c->out[k], 0};
	}
	Plan *p = plan_build(C, s, t.diags, OUTS, out, options);
	if (!p) {
		diags_render(t.diags, stderr, false, false);
	}
	cr_assert(p);
	return p;
}

static void check(Op op)
{
	Case c;
	case_build(&c, op);
	Store *s = plan_aid_store(&t);
	Plan *plain = planned(&c, s, (PlanOptions){0});
	Plan *wide = planned(&c, s, (PlanOptions){.compiled = true, .runs = INFINITY});
	Plan *single =
		planned(&c, s, (PlanOptions){.compiled = true, .runs = INFINITY, .real_bytes = 4});
	for (size_t turn = 0; turn < ONES; turn++) {
		case_fill(&c, s, turn);
		cr_assert(plan_run(plain, t.diags, (RunContext){1, 0}));
		cr_assert(plan_run(wide, t.diags, (RunContext){1, 0}));
		cr_assert(plan_run(single, t.diags, (RunContext){1, 0}));
		compare(&c, plain, wide, 8, turn);
		compare(&c, plain, single, 4, turn);
	}
	plan_free(plain);
	plan_free(wide);
	plan_free(single);
	store_free(s);
}

/* The table in four parts, so that they may run beside each other. */
static void check_part(unsigned part)
{
	for (unsigned op = OP_NONE + 1 + part; op < OPS; op += 4) {
		check((Op)op);
		aid_end(&t);
		aid_begin(&t);
	}
}

Test(plan_ops, first)
{
	check_part(0);
}

Test(plan_ops, second)
{
	check_part(1);
}

Test(plan_ops, third)
{
	check_part(2);
}

Test(plan_ops, fourth)
{
	check_part(3);
}
