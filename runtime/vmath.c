/* vmath.c — elementary functions of arrays.
 *
 * Each function is a branch-free kernel of one double, mapped over the array by a loop that the
 * compiler turns into vectors of the processor at hand (target_clones). The kernels are made of + -
 * * /, comparisons and bit operations only, in one order, and nothing may be contracted into a
 * fused multiply-add: so vector lane and loop tail, SSE2 and AVX-512 compute the same bits. Fused
 * operations would save a third of the time where they exist and make the bits depend on the
 * processor. Polynomials were fitted by interpolation at Chebyshev nodes in 60 digits; the error of
 * each, given at it, is relative to the result in units of half an ulp (2^-53). Errors of the
 * functions are measured against quadruple precision in tests/unit/test_rt_vmath.c. */
#include "runtime/vmath.h"
#include <float.h>
#include <math.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#pragma clang diagnostic ignored "-Wpass-failed" /* under sanitisers loops stay loops */
#define VM_IVDEP _Pragma("clang loop vectorize(assume_safety)")
#define VM_CLONES
#else
/* ISO C mode already forbids contraction; it is repeated here because the promise hangs on it.
 * Neither errno nor the exception flags are results of these functions, so they need not stop
 * vectorisation. */
#pragma GCC optimize("O3", "fp-contract=off", "no-trapping-math")
#define VM_IVDEP _Pragma("GCC ivdep")
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(VM_PLAIN) /* a test compares */
#define VM_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VM_CLONES
#endif
#endif
#define VM_KERNEL static inline __attribute__((always_inline))

/* Adding MAGIC rounds to an integer (|x| < 2^51), whose two's complement then stands in the low
 * bits. */
static const double MAGIC = 0x1.8p52;
static const double LN2_HI = 0x1.62e42fefa2p-1, LN2_LO = 0x1.9ef35793c7673p-41; /* HI: 40 bits */
static const double INV_LN2 = 0x1.71547652b82fep+0;

VM_KERNEL uint64_t bits_of(double x)
{
	union {
		double real;
		uint64_t bits;
	} u = {x};
	return u.bits;
}

VM_KERNEL double of_bits(uint64_t bits)
{
	union {
		uint64_t bits;
		double real;
	} u = {bits};
	return u.real;
}

/* 2^n for an integral n in [-1022, 1023]. */
VM_KERNEL double power_of_two(double n)
{
	return of_bits((bits_of(n + MAGIC) + 1023) << 52);
}

/* y * 2^n for n in [-1100, 1100]: only the last of the two products can round. */
VM_KERNEL double scale(double y, double n)
{
	double half = (n * 0.5 + MAGIC) - MAGIC;
	return y * power_of_two(half) * power_of_two(n - half);
}

/* e^r - 1 for |r| <= ln(2)/2; the part beyond r + r^2/2 has error 0.022. */
VM_KERNEL double exp_core(double r)
{
	double p = 0x1.1f6717774d5e0p-29;
	p = p * r + 0x1.af390ba7e6f47p-26;
	p = p * r + 0x1.27e4e1dcf773bp-22;
	p = p * r + 0x1.71de0d85293b8p-19;
	p = p * r + 0x1.a01a01a48116fp-16;
	p = p * r + 0x1.a01a01a7cebcdp-13;
	p = p * r + 0x1.6c16c16c167dap-10;
	p = p * r + 0x1.11111111109a6p-7;
	p = p * r + 0x1.5555555555555p-5;
	p = p * r + 0x1.5555555555556p-3;
	double square = r * r;
	return r + (square * 0.5 + square * r * p);
}

/* x = n ln 2 + r, |r| <= ln(2)/2; n*LN2_HI is exact for |n| < 2^13. The rounding error of r itself
 * is returned in *low. */
VM_KERNEL double exp_reduce(double x, double *n, double *low)
{
	*n = (x * INV_LN2 + MAGIC) - MAGIC;
	double hi = x - *n * LN2_HI, lo = *n * LN2_LO, r = hi - lo;
	*low = (hi - r) - lo;
	return r;
}

VM_KERNEL double clamp(double x, double lo, double hi) /* NaN stays */
{
	x = x < lo ? lo : x;
	return x > hi ? hi : x;
}

VM_KERNEL double exp_one(double x)
{
	double n, low, r = exp_reduce(clamp(x, -746, 710), &n, &low);
	return scale(1 + (exp_core(r) + low), n);
}

/* 2^n (p + (1 - 2^-n)) with p = e^r - 1: at n = 0 this is p itself. Below -40 the result is -1. */
VM_KERNEL double expm1_one(double x)
{
	double n, low, r = exp_reduce(clamp(x, -40, 710), &n, &low);
	double p = exp_core(r), inverse = power_of_two(-(n > 100 ? 100 : n));
	double y = scale((p + (low + low * p)) + (1 - inverse), n);
	return x == 0 ? x : y;
}

/* m in [sqrt(1/2), sqrt(2)) and k with u = 2^k m, for a positive normal u. 0x3fe6a09e667f3bcd is
 * sqrt(1/2). */
VM_KERNEL double split(double u, double *k)
{
	uint64_t away = bits_of(u) - 0x3fe6a09e667f3bcd + (UINT64_C(1023) << 52);
	*k = of_bits((away >> 52) | bits_of(0x1p52)) - (0x1p52 + 1023);
	return of_bits((away & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd);
}

/* log(1+f) + k ln 2 + c, with s = f/(2+f):
 *     log(1+f) = 2 atanh(s) = f - f^2/2 + s (f^2/2 + z R(z)),  z = s^2; R has error 0.043. */
VM_KERNEL double log_core(double f, double k, double c)
{
	double s = f / (2 + f), z = s * s;
	double p = 0x1.2b5f68a50d903p-3;
	p = p * z + 0x1.39fdcceb4bb45p-3;
	p = p * z + 0x1.7462b91b8df65p-3;
	p = p * z + 0x1.c71c62d5e53e0p-3;
	p = p * z + 0x1.2492492dfd86cp-2;
	p = p * z + 0x1.9999999995273p-2;
	p = p * z + 0x1.5555555555558p-1;
	double half = 0.5 * f * f;
	return k * LN2_HI - ((half - (s * (half + z * p) + (k * LN2_LO + c))) - f);
}

VM_KERNEL double log_one(double x)
{
	double k, shift = x < DBL_MIN ? 54 : 0;
	double m = split(x < DBL_MIN ? x * 0x1p54 : x, &k);
	double y = log_core(m - 1, k - shift, 0);
	y = x < INFINITY ? y : x; /* inf and NaN are their own logarithms */
	y = x == 0 ? -INFINITY : y;
	return x < 0 ? NAN : y;
}

/* u = 1 + x with its rounding error c, log(1+x) = log(u) + c/u; where u = 2^0 m the exact f is x
 * itself. */
VM_KERNEL double log1p_one(double x)
{
	double k, u = 1 + x, m = split(u, &k);
	double c = (x >= 1 ? 1 - (u - x) : x - (u - 1)) / u;
	double y = log_core(k == 0 ? x : m - 1, k, k == 0 ? 0 : c);
	y = x < INFINITY ? y : x;
	y = x == 0 ? x : y;
	y = x == -1 ? -INFINITY : y;
	return x < -1 ? NAN : y;
}

/* tanh a = E/(E + 2), E = e^2a - 1; at 20 it has rounded to 1. */
VM_KERNEL double tanh_one(double x)
{
	double e = expm1_one(2 * clamp(fabs(x), 0, 20));
	return copysign(e / (e + 2), x);
}

/* With z = e^-|x| <= 1 nothing overflows and the left tail keeps its relative accuracy. */
VM_KERNEL double sigmoid_one(double x)
{
	double z = exp_one(-fabs(x));
	return (x < 0 ? z : 1) / (1 + z);
}

VM_KERNEL double softplus_one(double x)
{
	return (x < 0 ? 0 : x) + log1p_one(exp_one(-fabs(x)));
}

/* The largest argument of the reduction below, and its pi/2 in three parts of 40, 40 and 53 bits.
 * */
static const double TRIG_MAX = 0x1p13;
static const double HALF_PI_1 = 0x1.921fb54442p+0, HALF_PI_2 = 0x1.a308d31318p-41,
                    HALF_PI_3 = 0x1.8a2e03707344ap-81;

/* sin(x + turns pi/2) for |x| <= TRIG_MAX. x = q pi/2 + (r + low), |r| <= pi/4: q*HALF_PI_1, the
 * difference from it and q*HALF_PI_2 are exact, the next difference is taken with its error
 * (Knuth's two-sum), and the rest of pi/2 matters at 2^-120 only, while no double up to TRIG_MAX is
 * nearer than 2^-62 to a multiple of pi/2. */
VM_KERNEL double trig_one(double x, uint64_t turns)
{
	double t = x * 0x1.45f306dc9c883p-1 + MAGIC, q = t - MAGIC;
	double a = x - q * HALF_PI_1, b = q * HALF_PI_2, d = a - b, back = d - a;
	double error = (a - (d - back)) - (b + back), rest = error - q * HALF_PI_3;
	double r = d + rest, low = (d - r) + rest, z = r * r;
	double s = 0x1.5e0a4fc16be59p-33; /* error 0.17 */
	s = s * z - 0x1.ae6008d114485p-26;
	s = s * z + 0x1.71de37946ed6dp-19;
	s = s * z - 0x1.a01a019e820aep-13;
	s = s * z + 0x1.1111111110babp-7;
	s = s * z - 0x1.5555555555555p-3;
	double c = -0x1.907cd8ff5ede7p-37; /* error 0.008 */
	c = c * z + 0x1.1eeb67d026ec6p-29;
	c = c * z - 0x1.27e4fa16cc2d1p-22;
	c = c * z + 0x1.a01a019f4ddfdp-16;
	c = c * z - 0x1.6c16c16c16963p-10;
	c = c * z + 0x1.5555555555555p-5;
	double half = 0.5 * z, w = 1 - half;
	double sine = r + (z * r * s + low * (1 - half));
	double cosine = w + (((1 - w) - half) + (z * z * c - r * low));
	uint64_t quarter = bits_of(t) + turns;
	double odd = of_bits((quarter << 63) | bits_of(1.0)); /* -1 in odd quarters */
	return of_bits(bits_of(odd < 0 ? cosine : sine) ^ ((quarter >> 1) << 63));
}

VM_KERNEL double sin_one(double x)
{
	return x == 0 ? x : trig_one(x, 0);
}

VM_KERNEL double cos_one(double x)
{
	return trig_one(x, 1);
}

#define VM_MAP(linkage, name, kernel) \
	VM_CLONES linkage void name(size_t n, double *y, const double *x) \
	{ \
		VM_IVDEP \
		for (size_t i = 0; i < n; i++) { \
			y[i] = kernel(x[i]); \
		} \
	}

VM_MAP(extern, vm_exp, exp_one)
VM_MAP(extern, vm_expm1, expm1_one)
VM_MAP(extern, vm_log, log_one)
VM_MAP(extern, vm_log1p, log1p_one)
VM_MAP(extern, vm_tanh, tanh_one)
VM_MAP(extern, vm_sigmoid, sigmoid_one)
VM_MAP(extern, vm_softplus, softplus_one)

/* Correctly rounded everywhere. Two by two in words, because the compiler's loop would stop to set
 * errno. */
void vm_sqrt(size_t n, double *y, const double *x)
{
	size_t i = 0;
#ifdef __SSE2__
	for (; i + 2 <= n; i += 2) {
		_mm_storeu_pd(y + i, _mm_sqrt_pd(_mm_loadu_pd(x + i)));
	}
#endif
	for (; i < n; i++) {
		y[i] = sqrt(x[i]);
	}
}

VM_CLONES static int all_within(size_t n, const double *x, double limit)
{
	int outside = 0;
	for (size_t i = 0; i < n; i++) {
		outside |= !(fabs(x[i]) <= limit);
	}
	return !outside;
}

/* Blocks with an argument beyond the reduction (or a NaN) are done one by one, the others as
 * vectors. */
enum { TRIG_BLOCK = 128 };
#define VM_TRIG(name, kernel, libm) \
	VM_MAP(static, name##_vector, kernel) \
	void name(size_t n, double *y, const double *x) \
	{ \
		for (size_t lo = 0; lo < n; lo += TRIG_BLOCK) { \
			size_t m = n - lo < TRIG_BLOCK ? n - lo : TRIG_BLOCK; \
			if (all_within(m, x + lo, TRIG_MAX)) { \
				name##_vector(m, y + lo, x + lo); \
				continue; \
			} \
			for (size_t i = lo; i < lo + m; i++) { \
				y[i] = fabs(x[i]) <= TRIG_MAX ? kernel(x[i]) : libm(x[i]); \
			} \
		} \
	}

VM_TRIG(vm_sin, sin_one, sin)
VM_TRIG(vm_cos, cos_one, cos)

#define VM_LIBM(name, libm) \
	void name(size_t n, double *y, const double *x) \
	{ \
		for (size_t i = 0; i < n; i++) { \
			y[i] = libm(x[i]); \
		} \
	}

VM_LIBM(vm_tan, tan)
VM_LIBM(vm_asin, asin)
VM_LIBM(vm_acos, acos)
VM_LIBM(vm_atan, atan)
VM_LIBM(vm_sinh, sinh)
VM_LIBM(vm_cosh, cosh)
VM_LIBM(vm_erf, erf)
VM_LIBM(vm_erfc, erfc)

/* lgamma sets the global signgam, which threads would share. */
void vm_lgamma(size_t n, double *y, const double *x)
{
	for (size_t i = 0; i < n; i++) {
		int sign;
		y[i] = lgamma_r(x[i], &sign);
	}
}

void vm_pow(size_t n, double *y, const double *a, const double *b)
{
	for (size_t i = 0; i < n; i++) {
		y[i] = pow(a[i], b[i]);
	}
}

void vm_atan2(size_t n, double *y, const double *a, const double *b)
{
	for (size_t i = 0; i < n; i++) {
		y[i] = atan2(a[i], b[i]);
	}
}
