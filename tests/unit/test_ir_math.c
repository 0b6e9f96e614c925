/* test_ir_math.c — the functions of ops.def as compiled code (ir_math.h) against long double: error
 * in units of the last place over the whole range, special values, equal bits for every number of
 * lanes; on each target the processor can run. IR_MATH_COUNT=n takes n arguments a function. */
#include <criterion/criterion.h>

#include "lang/op_value.h"
#include "tests/unit/ir_aid.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- arguments ---- */

static uint64_t state = 88172645463325252u;
static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static double unit(void)
{
	return (double)(next() >> 11) * 0x1p-53;
}

static const double special[] = {0.0,
				 -0.0,
				 INFINITY,
				 -INFINITY,
				 NAN,
				 1,
				 -1,
				 2,
				 -2,
				 0.5,
				 -0.5,
				 3,
				 -3,
				 DBL_MIN,
				 -DBL_MIN,
				 5e-324,
				 -5e-324,
				 DBL_MAX,
				 -DBL_MAX,
				 FLT_MIN,
				 1e-45,
				 -1e-45,
				 FLT_MAX,
				 -FLT_MAX,
				 1e-300,
				 1e300,
				 1e-30,
				 1e30,
				 1e-8,
				 -1e-8,
				 709.78271289338397,
				 710.4,
				 -745.13,
				 -746,
				 -708.4,
				 88.72,
				 -103.9,
				 89.4,
				 1e6,
				 1e22,
				 0x1.921fb54442d18p+1,
				 0x1.921fb54442d18p+0,
				 0x1.921fb6p+1,
				 0.9999999999999999,
				 1.0000000000000002,
				 -0.9999999999999999,
				 -1.0000000000000002};
enum { SPECIAL = sizeof special / sizeof *special };

/* One argument: near 0, of middle size, over all exponents, any bits. */
static double argument(size_t k, unsigned real_bytes)
{
	if (k < SPECIAL) {
		return special[k];
	}
	double sign = next() & 1 ? 1 : -1;
	switch (k % 8) {
	case 0:
		return sign * unit();
	case 1:
		return sign * unit() * 5;
	case 2:
		return sign * unit() * 40;
	case 3:
		return sign * unit() * (real_bytes == 8 ? 760 : 110);
	case 4:
		return sign * exp((unit() - 0.5) * 20);
	case 5:
		return sign * exp((unit() - 0.5) * (real_bytes == 8 ? 1420 : 176));
	case 6: {
		uint64_t bits = next();
		double x;
		float y;
		memcpy(&x, &bits, 8);
		memcpy(&y, &bits, 4);
		return real_bytes == 8 ? x : (double)y;
	}
	default: /* near whole multiples of π/4 and near halves */
		return next() & 1 ? (double)(next() % 100000) * 0.78539816339744831 *
					    (1 + sign * 1e-15 * unit())
				  : sign * (double)(next() % 200) / 16 * (1 + 1e-12 * unit());
	}
}

/* ---- real functions ---- */

typedef long double Wide;
typedef struct Real {
	Op op;
	Wide (*one)(Wide);
	Wide (*two)(Wide, Wide);
	double limit64, limit32; /* greatest error allowed */
} Real;

static Wide sigmoid_ref(Wide a)
{
	Wide e = expl(-fabsl(a));
	return a >= 0 ? 1 / (1 + e) : e / (1 + e);
}
static Wide softplus_ref(Wide a)
{
	return (a > 0 ? a : a == a ? 0 : a) + log1pl(expl(-fabsl(a)));
}
static Wide sign_ref(Wide a)
{
	return (Wide)op_sign((double)a);
}
static Wide min_ref(Wide a, Wide b)
{
	return (Wide)op_min((double)a, (double)b);
}
static Wide max_ref(Wide a, Wide b)
{
	return (Wide)op_max((double)a, (double)b);
}

static Wide mod_ref(Wide a, Wide b)
{
	Wide r = fmodl(a, b);
	return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
static Wide lgamma_ref(Wide a)
{
	int sign;
	return lgammal_r(a, &sign);
}

static const Real reals[] = {
	{OP_exp, expl, NULL, 1.5, 1.5},
	{OP_expm1, expm1l, NULL, 2.5, 2.5},
	{OP_tanh, tanhl, NULL, 3, 3},
	{OP_sigmoid, sigmoid_ref, NULL, 3, 3},
	{OP_sinh, sinhl, NULL, 3, 3},
	{OP_cosh, coshl, NULL, 2, 2},
	{OP_log, logl, NULL, 1.5, 1.5},
	{OP_log1p, log1pl, NULL, 2, 2},
	{OP_softplus, softplus_ref, NULL, 3, 3},
	{OP_sin, sinl, NULL, 2.5, 2.5},
	{OP_cos, cosl, NULL, 2.5, 2.5},
	{OP_tan, tanl, NULL, 4, 0.51},
	{OP_asinh, asinhl, NULL, 3, 3},
	{OP_acosh, acoshl, NULL, 3, 3},
	{OP_atanh, atanhl, NULL, 3, 3},
	{OP_asin, asinl, NULL, 2, 0.51},
	{OP_acos, acosl, NULL, 2, 0.51},
	{OP_atan, atanl, NULL, 2, 0.51},
	{OP_atan2, NULL, atan2l, 2, 0.51},
	{OP_erf, erfl, NULL, 3, 3},
	{OP_erfc, erfcl, NULL, 4, 4},
	{OP_cbrt, cbrtl, NULL, 1, 0.51},
	{OP_pow, NULL, powl, 2, 0.51},
	{OP_mod, NULL, mod_ref, 0.51, 0.51},
	{OP_lgamma, lgamma_ref, NULL, 7, 0.51}, /* the C library's */
	{OP_sqrt, sqrtl, NULL, 0.51, 0.51},
	{OP_abs, fabsl, NULL, 0, 0},
	{OP_sign, sign_ref, NULL, 0, 0},
	{OP_floor, floorl, NULL, 0, 0},
	{OP_ceil, ceill, NULL, 0, 0},
	{OP_round, roundl, NULL, 0, 0},
	{OP_min, NULL, min_ref, 0, 0},
	{OP_max, NULL, max_ref, 0, 0},
};
enum { REALS = sizeof reals / sizeof *reals };

static size_t count(void)
{
	const char *s = getenv("IR_MATH_COUNT");
	size_t n = s ? (size_t)atol(s) : 6000;
	return (n + 15) / 16 * 16;
}

static void check_error(const char *target, unsigned real_bytes, const Real *row, const void *a,
			const void *b, const void *y, size_t n)
{
	double worst = 0, at = 0, at2 = 0, got = 0;
	for (size_t k = 0; k < n; k++) {
		Wide x = ir_get(a, k, real_bytes), x2 = ir_get(b, k, real_bytes);
		double v = ir_get(y, k, real_bytes);
		double e = ir_error(v, row->one ? row->one(x) : row->two(x, x2), real_bytes);
		if (e > worst) {
			worst = e, at = (double)x, at2 = (double)x2, got = v;
		}
	}
	const char *id = op_info(row->op)->id;
	if (getenv("IR_MATH_COUNT")) {
		printf("%-10s %-7s %u %8.3f at %.17g %.17g gives %.17g\n", id, target, real_bytes,
		       worst, at, at2, got);
	}
	cr_expect(worst <= (real_bytes == 8 ? row->limit64 : row->limit32),
		  "%s, %s, %u bytes: %.3g units at %.17g %.17g: %.17g", id, target, real_bytes,
		  worst, at, at2, got);
}

static void check_real(JitCode *c, const char *target, unsigned real_bytes, const Real *row)
{
	size_t n = count();
	double *a = calloc(n, 8), *b = calloc(n, 8), *y = calloc(n, 8), *z = calloc(n, 8);
	state = 88172645463325252u;
	for (size_t k = 0; k < n; k++) {
		bool cross = row->two && k < SPECIAL * SPECIAL;
		ir_put(a, k, real_bytes, argument(cross ? k % SPECIAL : k, real_bytes));
		ir_put(b, k, real_bytes, argument(cross ? k / SPECIAL : k, real_bytes));
	}
	ir_find(c, row->op, 1)(y, a, b, (int64_t)n);
	check_error(target, real_bytes, row, a, b, y, n);
	for (int w = 1; w < WIDTHS; w++) {
		ir_find(c, row->op, ir_widths[w])(z, a, b, (int64_t)n);
		size_t bad = ir_differing(y, z, n, real_bytes);
		cr_expect(bad == 0, "%s, %s, %u bytes: %zu of %zu differ with %u lanes",
			  op_info(row->op)->id, target, real_bytes, bad, n, ir_widths[w]);
	}
	free(a), free(b), free(y), free(z);
}

static void check_reals(const char *target, unsigned real_bytes)
{
	if (!ir_runs(target)) {
		return;
	}
	Op op[REALS];
	for (size_t k = 0; k < REALS; k++) {
		op[k] = reals[k].op;
	}
	JitCode *c = ir_compile(target, real_bytes, op, REALS);
	for (size_t k = 0; k < REALS; k++) {
		check_real(c, target, real_bytes, &reals[k]);
	}
	jit_free(c);
}

Test(ir_math, reals_avx512)
{
	check_reals("avx512", 8);
	check_reals("avx512", 4);
}

Test(ir_math, reals_avx2)
{
	check_reals("avx2", 8);
	check_reals("avx2", 4);
}

Test(ir_math, reals_plain)
{
	check_reals("x86-64", 8);
	check_reals("x86-64", 4);
}

/* Fused and unfused targets among themselves give the same bits. */
Test(ir_math, avx512_and_avx2_agree)
{
	if (!ir_runs("avx512") || !ir_runs("avx2")) {
		return;
	}
	for (unsigned real_bytes = 4; real_bytes <= 8; real_bytes += 4) {
		Op op[REALS];
		for (size_t k = 0; k < REALS; k++) {
			op[k] = reals[k].op;
		}
		JitCode *c[2] = {ir_compile("avx512", real_bytes, op, REALS),
				 ir_compile("avx2", real_bytes, op, REALS)};
		enum { N = 2000 };
		static double a[N], b[N], y[2][N];
		for (size_t k = 0; k < N; k++) {
			ir_put(a, k, real_bytes, argument(k, real_bytes));
			ir_put(b, k, real_bytes, argument(k + 1, real_bytes));
		}
		for (size_t k = 0; k < REALS; k++) {
			ir_find(c[0], op[k], 16)(y[0], a, b, N);
			ir_find(c[1], op[k], 1)(y[1], a, b, N);
			cr_expect(ir_differing(y[0], y[1], N, real_bytes) == 0, "%s",
				  op_info(op[k])->id);
		}
		jit_free(c[0]), jit_free(c[1]);
	}
}

/* ---- comparisons, truth values, ints: equal to op_apply ---- */

static const int64_t ints[] = {0,
			       1,
			       -1,
			       2,
			       -2,
			       3,
			       -3,
			       7,
			       -7,
			       63,
			       64,
			       65,
			       -64,
			       1000003,
			       -1000003,
			       INT64_MAX,
			       10,
			       31,
			       -31,
			       INT64_MIN,
			       INT64_MAX - 1,
			       INT64_MIN + 1,
			       (int64_t)1 << 53,
			       ((int64_t)1 << 53) + 1};
enum { INTS = sizeof ints / sizeof *ints, PAIRS = 64 * 64 };

/* Argument k of the kind into x[i]; as op_apply wants it into the answer. */
static OpValue discrete_argument(Kind kind, size_t k, void *x, size_t i, unsigned real_bytes)
{
	OpValue v = {.i = 0};
	if (kind == KIND_REAL) {
		double near[] = {0x1p63, -0x1p63, 0x1.fffffep62, 4.5, -4.5, 0x1p62};
		double r = k < 6 ? near[k] : special[k % SPECIAL];
		ir_put(x, i, real_bytes, r);
		v.r = ir_get(x, i, real_bytes);
		return v;
	}
	v.i = kind == KIND_BOOL ? (int64_t)(k & 1) : ints[k % INTS];
	((int64_t *)x)[i] = v.i;
	return v;
}

static void check_discrete(JitCode *c, const char *target, unsigned real_bytes, Op op)
{
	static int64_t a[PAIRS], b[PAIRS], y[PAIRS];
	static OpValue want[PAIRS];
	for (size_t i = 0; i < PAIRS; i++) {
		OpValue arg[2] = {discrete_argument(op_arg_kind(op), i % 64, a, i, real_bytes),
				  discrete_argument(op_arg_kind(op), i / 64, b, i, real_bytes)};
		want[i] = op_apply(op, arg);
	}
	for (int w = 0; w < WIDTHS; w++) {
		ir_find(c, op, ir_widths[w])(y, a, b, PAIRS);
		for (size_t i = 0; i < PAIRS; i++) {
			bool real = op_result_kind(op) == KIND_REAL;
			double r = real_bytes == 8 ? want[i].r : (double)(float)a[i];
			bool equal = real ? ir_get(y, i, real_bytes) == r : y[i] == want[i].i;
			cr_assert(equal, "%s, %s, %u bytes, %u lanes: pair %zu", op_info(op)->id,
				  target, real_bytes, ir_widths[w], i);
		}
	}
}

Test(ir_math, ints_and_truth)
{
	static const Op all[] = {OP_lt,   OP_le,   OP_eq,   OP_ne,   OP_ilt,  OP_ile,
				 OP_ieq,  OP_ine,  OP_not,  OP_and,  OP_or,   OP_beq,
				 OP_idiv, OP_imod, OP_iabs, OP_imin, OP_imax, OP_band,
				 OP_bor,  OP_bxor, OP_shl,  OP_shr,  OP_real, OP_int};
	enum { ALL = sizeof all / sizeof *all };
	for (int t = 0; t < TARGETS; t++) {
		for (unsigned real_bytes = 4; real_bytes <= 8 && ir_runs(ir_targets[t]);
		     real_bytes += 4) {
			JitCode *c = ir_compile(ir_targets[t], real_bytes, all, ALL);
			for (size_t k = 0; k < ALL; k++) {
				check_discrete(c, ir_targets[t], real_bytes, all[k]);
			}
			jit_free(c);
		}
	}
}

/* x^n has the interpreter's products in the interpreter's order. */
Test(ir_math, whole_powers)
{
	enum { MOST = 40 };
	Ir g;
	Target *t = ir_module(&g, "x86-64", 8);
	LLVMTypeRef arg[2] = {g.ptr, g.real};
	LLVMValueRef f = ir_function(&g, "powers", g.nothing, 2, arg, false);
	for (int n = 1; n <= MOST; n++) {
		LLVMValueRef at = ir_at(&g, g.real, LLVMGetParam(f, 0), ir_int(&g, n));
		ir_store(&g, ir_powi(&g, LLVMGetParam(f, 1), n), at, NULL);
	}
	LLVMBuildRetVoid(g.b);
	JitCode *c = ir_module_load(t, &g, "powers");
	void (*powers)(double *, double) =
		(void (*)(double *, double))(uintptr_t)jit_find(c, "powers");
	for (double x = -2.7; x < 3; x += 0.37) {
		double y[MOST + 1];
		powers(y, x);
		for (int n = 1; n <= MOST; n++) {
			cr_expect(y[n] == op_powi(x, n), "%g^%d", x, n);
		}
	}
	jit_free(c);
}
