/* test_ir_math.c — the functions of ops.def as compiled code (ir_math.h) against long double: error
 * in units of the last place over the whole range, special values, equal bits for every number of
 * lanes; on each target the processor can run. IR_MATH_COUNT=n takes n arguments a function. */
#include <criterion/criterion.h>

#include "compiler/ir_math.h"
#include "compiler/jit.h"
#include "lang/op_value.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTHS = 5, NAME = 40 };
static const unsigned widths[WIDTHS] = {1, 2, 4, 8, 16};

static bool runs(const char *target)
{
#ifdef __x86_64__
	__builtin_cpu_init();
	return !strcmp(target, "avx512")
		       ? __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
	       : !strcmp(target, "avx2")
		       ? __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
		       : true;
#else
	(void)target;
	return false;
#endif
}

/* ---- compiled functions ---- */

typedef void MapFn(void *y, const void *a, const void *b, int64_t n);

static LLVMTypeRef type_of(const Ir *g, Kind k)
{
	return k == KIND_REAL ? g->real : g->i64;
}

/* void op_<id>_<lanes>(y, a, b, n): n a multiple of the lanes; truth values as i64. */
static void add_map(Ir *g, Op op, unsigned lanes)
{
	char name[NAME];
	snprintf(name, sizeof name, "%s_%u", op_info(op)->id, lanes);
	LLVMTypeRef arg[4] = {g->ptr, g->ptr, g->ptr, g->i64};
	LLVMValueRef f = ir_function(g, name, g->nothing, 4, arg, false);
	IrLoop l;
	ir_loop(g, &l, ir_int(g, 0), LLVMGetParam(f, 3), lanes, 0, NULL, false);
	LLVMValueRef x[2] = {NULL, NULL};
	LLVMTypeRef t = type_of(g, op_arg_kind(op)), r = type_of(g, op_result_kind(op));
	for (unsigned k = 0; k < op_info(op)->n; k++) {
		x[k] = ir_load(g, t, lanes, ir_at(g, t, LLVMGetParam(f, k + 1), l.i), NULL);
		if (op_arg_kind(op) == KIND_BOOL) {
			x[k] = LLVMBuildTrunc(g->b, x[k], ir_vec(g, g->i1, lanes), "");
		}
	}
	LLVMValueRef y = ir_op(g, op, x[0], x[1]);
	if (op_result_kind(op) == KIND_BOOL) {
		y = LLVMBuildZExt(g->b, y, ir_vec(g, g->i64, lanes), "");
	}
	ir_store(g, y, ir_at(g, r, LLVMGetParam(f, 0), l.i), NULL);
	ir_loop_end(g, &l, NULL);
	LLVMBuildRetVoid(g->b);
}

static JitCode *load(Target *t, Ir *g, const char *entry)
{
	char *message = NULL;
	size_t size;
	void *object = target_emit(t, g->mod, false, &size, &message);
	cr_assert(object, "%s", message);
	JitCode *c = jit_load(object, size, entry, 0, NULL, &message);
	cr_assert(c, "%s", message);
	free(object);
	ir_end(g);
	LLVMContextDispose(g->ctx);
	return c;
}

static JitCode *compile(const char *target, unsigned real_bytes, const Op *op, size_t n)
{
	char *message = NULL;
	Target *t = target_create(target, &message);
	cr_assert(t, "%s", message);
	Ir g;
	ir_begin(&g, LLVMContextCreate(), "test", target_ir(t), real_bytes);
	target_prepare(t, g.mod);
	for (size_t k = 0; k < n; k++) {
		for (int w = 0; w < WIDTHS; w++) {
			add_map(&g, op[k], widths[w]);
		}
	}
	char entry[NAME];
	snprintf(entry, sizeof entry, "%s_1", op_info(*op)->id);
	JitCode *c = load(t, &g, entry);
	target_free(t);
	return c;
}

static MapFn *find(JitCode *c, Op op, unsigned lanes)
{
	char name[NAME];
	snprintf(name, sizeof name, "%s_%u", op_info(op)->id, lanes);
	MapFn *f = (MapFn *)(uintptr_t)jit_find(c, name);
	cr_assert(f, "%s", name);
	return f;
}

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
	{OP_lgamma, lgamma_ref, NULL, 5, 0.6},
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

static double get(const void *x, size_t k, unsigned real_bytes)
{
	return real_bytes == 8 ? ((const double *)x)[k] : (double)((const float *)x)[k];
}

static void put(void *x, size_t k, unsigned real_bytes, double v)
{
	if (real_bytes == 8) {
		((double *)x)[k] = v;
	} else {
		((float *)x)[k] = (float)v;
	}
}

/* |y - r| in units of the last place of the type at r; huge where one is NaN or the signs of zeros
 * differ. */
static double error_of(double y, Wide r, unsigned real_bytes)
{
	double rounded = real_bytes == 8 ? (double)r : (double)(float)r;
	if (rounded != rounded || y != y) {
		return rounded != rounded && y != y ? 0 : 1e9;
	}
	if (y == rounded && (y == 0 || isinf(y))) {
		return signbit(y) != signbit(rounded) ? 1e9 : 0;
	}
	if (isinf(y) || isinf(rounded)) {
		/* the last number and infinity are one unit apart */
		double last = real_bytes == 8 ? DBL_MAX : (double)FLT_MAX;
		return fabs(isinf(y) ? rounded : y) == last && signbit(y) == signbit(rounded) ? 1
											      : 1e9;
	}
	int digits = real_bytes == 8 ? 53 : 24, least = real_bytes == 8 ? -1074 : -149, e;
	frexpl(r, &e);
	e = e - digits < least ? least : e - digits;
	return (double)ldexpl(fabsl((Wide)y - r), -e);
}

static void check_real(JitCode *c, const char *target, unsigned real_bytes, const Real *row)
{
	size_t n = count();
	double *a = calloc(n, 8), *b = calloc(n, 8), *y = calloc(n, 8), *z = calloc(n, 8);
	state = 88172645463325252u;
	for (size_t k = 0; k < n; k++) {
		bool cross = row->two && k < SPECIAL * SPECIAL;
		put(a, k, real_bytes, argument(cross ? k % SPECIAL : k, real_bytes));
		put(b, k, real_bytes, argument(cross ? k / SPECIAL : k, real_bytes));
	}
	find(c, row->op, 1)(y, a, b, (int64_t)n);
	double worst = 0, at = 0, at2 = 0, got = 0;
	for (size_t k = 0; k < n; k++) {
		Wide x = get(a, k, real_bytes), x2 = get(b, k, real_bytes);
		double e = error_of(get(y, k, real_bytes), row->one ? row->one(x) : row->two(x, x2),
				    real_bytes);
		if (e > worst) {
			worst = e, at = (double)x, at2 = (double)x2, got = get(y, k, real_bytes);
		}
	}
	if (getenv("IR_MATH_COUNT")) {
		printf("%-10s %-7s %u %8.3f at %.17g %.17g gives %.17g\n", op_info(row->op)->id,
		       target, real_bytes, worst, at, at2, got);
	}
	cr_expect(worst <= (real_bytes == 8 ? row->limit64 : row->limit32),
		  "%s, %s, %u bytes: %.3g units at %.17g %.17g: %.17g", op_info(row->op)->id,
		  target, real_bytes, worst, at, at2, got);
	for (int w = 1; w < WIDTHS; w++) {
		find(c, row->op, widths[w])(z, a, b, (int64_t)n);
		size_t bad = 0;
		for (size_t k = 0; k < n; k++) {
			double p = get(y, k, real_bytes), q = get(z, k, real_bytes);
			bad += p != p ? q == q : memcmp(&p, &q, 8) != 0;
		}
		cr_expect(bad == 0, "%s, %s, %u bytes: %zu of %zu differ with %u lanes",
			  op_info(row->op)->id, target, real_bytes, bad, n, widths[w]);
	}
	free(a), free(b), free(y), free(z);
}

static void check_reals(const char *target, unsigned real_bytes)
{
	if (!runs(target)) {
		return;
	}
	Op op[REALS];
	for (size_t k = 0; k < REALS; k++) {
		op[k] = reals[k].op;
	}
	JitCode *c = compile(target, real_bytes, op, REALS);
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
