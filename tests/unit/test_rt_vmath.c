/* test_rt_vmath.c — elementary functions of arrays: error in ulp against 64-bit mantissas, special
 * values, and the promise that an element's bits depend on nothing but the element, not even on the
 * processor's vectors. */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/rt_aid.h"

/* The same source once more, under other names and without the variants for wider vectors. */
#define VM_PLAIN
#define vm_exp plain_exp
#define vm_expm1 plain_expm1
#define vm_log plain_log
#define vm_log1p plain_log1p
#define vm_tanh plain_tanh
#define vm_sigmoid plain_sigmoid
#define vm_softplus plain_softplus
#define vm_sqrt plain_sqrt
#define vm_sin plain_sin
#define vm_cos plain_cos
#define vm_tan plain_tan
#define vm_asin plain_asin
#define vm_acos plain_acos
#define vm_atan plain_atan
#define vm_sinh plain_sinh
#define vm_cosh plain_cosh
#define vm_erf plain_erf
#define vm_erfc plain_erfc
#define vm_lgamma plain_lgamma
#define vm_pow plain_pow
#define vm_atan2 plain_atan2
#undef PNN_RUNTIME_VMATH_H
#include "runtime/vmath.c"
#undef vm_exp
#undef vm_expm1
#undef vm_log
#undef vm_log1p
#undef vm_tanh
#undef vm_sigmoid
#undef vm_softplus
#undef vm_sqrt
#undef vm_sin
#undef vm_cos
#undef vm_tan
#undef vm_asin
#undef vm_acos
#undef vm_atan
#undef vm_sinh
#undef vm_cosh
#undef vm_erf
#undef vm_erfc
#undef vm_lgamma
#undef vm_pow
#undef vm_atan2

typedef void Array(size_t, double *, const double *);
typedef long double Wide(long double);

static long double wide_sigmoid(long double x)
{
	return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x));
}

static long double wide_softplus(long double x)
{
	return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x));
}

static const struct {
	const char *name;
	Array *fast, *plain;
	Wide *exact;
	double lo, hi;  /* where the values are of interest */
	double ulp;     /* promised here; vmath.h promises 4 */
} functions[] = {
    {"exp", vm_exp, plain_exp, expl, -746, 710, 1.01},
    {"expm1", vm_expm1, plain_expm1, expm1l, -40, 710, 2.5},
    {"log", vm_log, plain_log, logl, 0, 10, 1},
    {"log1p", vm_log1p, plain_log1p, log1pl, -1, 10, 1.2},
    {"tanh", vm_tanh, plain_tanh, tanhl, -20, 20, 3},
    {"sigmoid", vm_sigmoid, plain_sigmoid, wide_sigmoid, -745, 40, 3},
    {"softplus", vm_softplus, plain_softplus, wide_softplus, -745, 40, 2.5},
    {"sqrt", vm_sqrt, plain_sqrt, sqrtl, 0, 10, 0.501},
    {"sin", vm_sin, plain_sin, sinl, -8192, 8192, 1},
    {"cos", vm_cos, plain_cos, cosl, -8192, 8192, 1},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions, N = 40000 };

static double ulp_of(double x)
{
	int e;
	(void)frexp(x, &e);
	return fabs(x) < DBL_MIN ? 0x1p-1074 : ldexp(1, e - 53);
}

/* Arguments of four sorts: over the range, near 0, any bits, all magnitudes. */
static double argument(size_t f, size_t i)
{
	uint64_t bits = rng_bits((RngAddress){11, f, 0, {i, 0, 0, 0}});
	double u = rng_uniform((RngAddress){12, f, 0, {i, 0, 0, 0}}), x;
	switch (i % 4) {
	case 0:
		return functions[f].lo + (functions[f].hi - functions[f].lo) * u;
	case 1:
		return (2 * u - 1) * (bits % 3 == 0 ? 0.01 : 3);
	case 2:
		memcpy(&x, &bits, sizeof x);
		return x;
	default:
		return ldexp(bits & 1 ? u : -u, (int)(bits % 64) - 50);
	}
}

static bool same(double a, double b)
{
	return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

Test(vmath, errors)
{
	double *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
	for (size_t f = 0; f < FUNCTIONS; f++) {
		double worst = 0, where = 0;
		for (size_t i = 0; i < N; i++) {
			x[i] = argument(f, i);
		}
		functions[f].fast(N, y, x);
		for (size_t i = 0; i < N; i++) {
			long double exact = functions[f].exact((long double)x[i]);
			double rounded = (double)exact;
			if (!isfinite(rounded) || !isfinite(y[i])) {
				cr_expect(same(rounded, y[i]), "%s(%a) is %a, not %a", functions[f].name, x[i],
				          y[i], rounded);
				continue;
			}
			double error = (double)fabsl((long double)y[i] - exact) / ulp_of(rounded);
			where = error > worst ? x[i] : where;
			worst = fmax(worst, error);
		}
		cr_log_info("%s: %.3f ulp at %.17g", functions[f].name, worst, where);
		cr_expect_leq(worst, functions[f].ulp, "%s: %.3f ulp at %.17g", functions[f].name, worst,
		              where);
	}
	free(x);
	free(y);
}

/* The values that the C library defines exactly, signs of zeros included. */
Test(vmath, special_values)
{
	const double inf = INFINITY, tiny = 5e-324;
	const double x[] = {0.0,   -0.0,    inf,      -inf,  NAN,    1,       -1,      tiny,
	                    -tiny, DBL_MIN, -DBL_MIN, 1e300, -1e300, DBL_MAX, -DBL_MAX};
	const double want[FUNCTIONS][15] = {
		{1, 1, inf, 0, NAN, 0x1.5bf0a8b145769p+1, 0x1.78b56362cef38p-2, 1, 1, 1, 1, inf, 0, inf, 0},
		{0.0, -0.0, inf, -1, NAN, 0x1.b7e151628aed3p+0, -0x1.43a54e4e98864p-1, tiny, -tiny, DBL_MIN,
	     -DBL_MIN, inf, -1, inf, -1},
		{-inf, -inf, inf, NAN, NAN, 0, NAN, log(tiny), NAN, log(DBL_MIN), NAN, log(1e300), NAN,
	     log(DBL_MAX), NAN},
		{0.0, -0.0, inf, NAN, NAN, 0x1.62e42fefa39efp-1, -inf, tiny, -tiny, DBL_MIN, -DBL_MIN,
	     log(1e300), NAN, log(DBL_MAX), NAN},
		{0.0, -0.0, 1, -1, NAN, 0x1.85efab514f394p-1, -0x1.85efab514f394p-1, tiny, -tiny, DBL_MIN,
	     -DBL_MIN, 1, -1, 1, -1},
		{.5, .5, 1, 0, NAN, 0.73105857863000487925, 0.26894142136999512075, .5, .5, .5, .5, 1, 0, 1,
	     0},
		{0x1.62e42fefa39efp-1, 0x1.62e42fefa39efp-1, inf, 0, NAN, 1.3132616875182228340,
	     0.31326168751822283405, 0x1.62e42fefa39efp-1, 0x1.62e42fefa39efp-1, 0x1.62e42fefa39efp-1,
	     0x1.62e42fefa39efp-1, 1e300, 0, DBL_MAX, 0},
		{0.0, -0.0, inf, NAN, NAN, 1, NAN, sqrt(tiny), NAN, 0x1p-511, NAN, sqrt(1e300), NAN,
	     sqrt(DBL_MAX), NAN},
		{0.0, -0.0, NAN, NAN, NAN, sin(1), sin(-1), tiny, -tiny, DBL_MIN, -DBL_MIN, sin(1e300),
	     sin(-1e300), sin(DBL_MAX), sin(-DBL_MAX)},
		{1, 1, NAN, NAN, NAN, cos(1), cos(1), 1, 1, 1, 1, cos(1e300), cos(1e300), cos(DBL_MAX),
	     cos(DBL_MAX)},
	};
	for (size_t f = 0; f < FUNCTIONS; f++) {
		double y[15];
		functions[f].fast(15, y, x);
		for (size_t i = 0; i < 15; i++) {
			bool exact = want[f][i] == 0 || !isfinite(want[f][i]) || fabs(want[f][i]) == 1 ||
			             fabs(want[f][i]) <= DBL_MIN;
			cr_expect(exact ? same(y[i], want[f][i])
			                : fabs(y[i] - want[f][i]) <= 3 * ulp_of(want[f][i]),
			          "%s(%a) is %a, not %a", functions[f].name, x[i], y[i], want[f][i]);
		}
	}
}

Test(vmath, edges_of_ranges)
{
	static const double x[] = {709.782712893384, 709.7827128933841, -745.1332191019411,
	                           -745.1332191019412, -708.3964185322641, -708.5};
	double y[6];
	vm_exp(6, y, x);
	cr_expect(isfinite(y[0]) && y[0] > 1.797e308);
	cr_expect_eq(y[1], INFINITY);
	cr_expect_eq(y[2], 5e-324);
	cr_expect_eq(y[3], 0);
	for (size_t i = 4; i < 6; i++) {
		cr_expect_float_eq(y[i], exp(x[i]), 2 * 0x1p-1074);
	}
	/* Multiples of pi/2, where sine and cosine cancel, up to the end of the own reduction. */
	for (int k = -5215; k <= 5215; k++) {
		double a = (double)((long double)k * 1.57079632679489661923L), s, c;
		long double es = sinl((long double)a), ec = cosl((long double)a);
		vm_sin(1, &s, &a);
		vm_cos(1, &c, &a);
		cr_expect(fabsl((long double)s - es) <= ulp_of((double)es), "sin(%a)", a);
		cr_expect(fabsl((long double)c - ec) <= ulp_of((double)ec), "cos(%a)", a);
	}
}

/* Any length, place and aliasing gives the bits that the plain build gives element by element. */
Test(vmath, same_bits_everywhere)
{
	double *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y), *z = malloc(N * sizeof *z);
	for (size_t f = 0; f < FUNCTIONS; f++) {
		for (size_t i = 0; i < N; i++) {
			x[i] = argument(f, i);
			functions[f].plain(1, &z[i], &x[i]);
		}
		functions[f].fast(N, y, x);
		functions[f].plain(N, x, x);
		for (size_t i = 0; i < N; i++) {
			cr_assert(same(y[i], z[i]) && same(x[i], z[i]), "%s: element %zu", functions[f].name,
			          i);
		}
		for (size_t length = 0; length < 40; length++) {
			for (size_t offset = 0; offset < 9; offset++) {
				for (size_t i = 0; i < length + 1; i++) {
					y[offset + i] = argument(f, i);
				}
				functions[f].fast(length, y + offset, y + offset);
				for (size_t i = 0; i < length; i++) {
					cr_assert(same(y[offset + i], z[i]), "%s: %zu of %zu", functions[f].name, i,
					          length);
				}
				cr_assert(same(y[offset + length], argument(f, length)), "beyond the end");
			}
		}
	}
	free(x);
	free(y);
	free(z);
}

Test(vmath, through_libm)
{
	static const struct {
		Array *array;
		double (*one)(double);
	} f[] = {{vm_tan, tan},   {vm_asin, asin}, {vm_acos, acos}, {vm_atan, atan},    {vm_sinh, sinh},
	         {vm_cosh, cosh}, {vm_erf, erf},   {vm_erfc, erfc}, {vm_lgamma, lgamma}};
	double a[5] = {-0.9, 0.1, 0.5, 2, 3}, b[5] = {2, -1, 0, 0.5, NAN}, y[5];
	for (size_t k = 0; k < sizeof f / sizeof *f; k++) {
		f[k].array(5, y, a);
		for (size_t i = 0; i < 5; i++) {
			cr_expect(same(y[i], f[k].one(a[i])), "%zu, %zu", k, i);
		}
	}
	vm_pow(5, y, a, b);
	for (size_t i = 0; i < 5; i++) {
		cr_expect(same(y[i], pow(a[i], b[i])));
	}
	vm_atan2(5, y, a, b);
	for (size_t i = 0; i < 5; i++) {
		cr_expect(same(y[i], atan2(a[i], b[i])));
	}
}
