/* ir_math_log.c — log and what is made of it. */
#include "compiler/ir_math_int.h"
#include <float.h>
#include <math.h>

/* With s = f/(2 + f), z = s^2: log(1 + f) = 2 atanh s = f - f^2/2 + s (f^2/2 + z R(z));
 * R: degree 6, 2^-57.7 of f. */
static const double LOG_64[] = {0x1.5555555555558p-1, 0x1.9999999995273p-2, 0x1.2492492dfd86cp-2,
				0x1.c71c62d5e53e0p-3, 0x1.7462b91b8df65p-3, 0x1.39fdcceb4bb45p-3,
				0x1.2b5f68a50d903p-3};
/* (log(1 + f) - f + f^2/2)/f^3: degree 7, 2^-27.2. Without a division. */
static const double LOG_32[] = {0x1.555554p-2, -0x1.00022ep-2, 0x1.99a020p-3, -0x1.547004p-3,
				0x1.22d624p-3, -0x1.0d98a4p-3, 0x1.058320p-3, -0x1.38b01cp-4};

static const double LN2_HI = 0x1.62e42fefa2p-1, LN2_LO = 0x1.9ef35793c7673p-41;
static const double LN2_HI_32 = 0x1.62e4p-1, LN2_LO_32 = 0x1.7f7d1cp-20;

static Val ln2_hi(const Ir *g, Val like)
{
	return m_real2(g, LN2_HI, LN2_HI_32, like);
}

static Val ln2_lo(const Ir *g, Val like)
{
	return m_real2(g, LN2_LO, LN2_LO_32, like);
}

Val m_log_core(Ir *g, Val f, Val khi, Val klo)
{
	Val square = m_mul(g, f, f), half = m_times(g, square, 0.5), rest;
	if (m_single(f)) {
		rest = m_mul(g, m_mul(g, square, f), m_poly(g, f, POLY(LOG_32)));
		rest = klo ? m_add(g, rest, klo) : rest;
	} else {
		Val s = m_div(g, f, m_plus(g, f, 2)), z = m_mul(g, s, s);
		Val t = ir_fma(g, z, m_poly(g, z, POLY(LOG_64)), half);
		rest = klo ? ir_fma(g, s, t, klo) : m_mul(g, s, t);
	}
	Val low = m_sub(g, m_sub(g, half, rest), f);
	return khi ? m_sub(g, khi, low) : m_neg(g, low);
}

/* The exponent is counted from sqrt(1/2): (bits - bits of sqrt(1/2)) >> 52, kept positive, becomes
 * a real as the low bits of 2^52. */
Val m_log_split(Ir *g, Val u, Val *k)
{
	bool single = m_single(u);
	unsigned shift = single ? 23 : 52;
	int64_t root = single ? 0x3f3504f3 : 0x3fe6a09e667f3bcd, bias = single ? 127 : 1023;
	double two = single ? 0x1p23 : 0x1p52;
	Val away = m_iadd(g, m_bits(g, u), (int64_t)((uint64_t)bias << shift) - root);
	Val whole = LLVMBuildOr(g->b, m_shr(g, away, shift), m_bits(g, m_real(g, two, u)), "");
	*k = m_plus(g, m_of_bits(g, whole), -(two + (double)bias));
	return m_of_bits(g, m_iadd(g, m_iand(g, away, ((int64_t)1 << shift) - 1), root));
}

/* Where the correction c counts (u < 2^60), it is scaled as m is: f = (m - 1) + c 2^-k. For k = 0
 * this is the f that was rounded to u = 1 + f, exactly. */
Val m_log_of(Ir *g, Val u, Val c, Val add)
{
	bool single = m_single(u);
	Val k, m = m_log_split(g, u, &k), f = m_plus(g, m, -1);
	if (c) {
		/* 2^-k, since m = u 2^-k: bits(m) - bits(u) is -k in the exponent's place */
		Val down = LLVMBuildSub(g->b, m_bits(g, m), m_bits(g, u), "");
		Val scale = m_of_bits(g, m_iadd(g, down, single ? 0x3f800000 : 0x3ff0000000000000));
		Val with = ir_fma(g, c, scale, f);
		f = m_sel(g, m_cmpk(g, LLVMRealOLT, u, 0x1p60), with, f);
	}
	k = add ? m_add(g, k, add) : k;
	return m_log_core(g, f, m_mul(g, k, ln2_hi(g, u)), m_mul(g, k, ln2_lo(g, u)));
}

/* y; at edge (0 for log) -inf, below it NaN, at inf and NaN the argument itself. */
static Val log_edges(Ir *g, Val x, double edge, Val y)
{
	Val at = m_sel(g, m_cmpk(g, LLVMRealOEQ, x, edge), m_real(g, -INFINITY, x),
		       m_real(g, NAN, x));
	y = m_sel(g, m_cmpk(g, LLVMRealOGT, x, edge), y, at);
	return m_sel(g, m_cmpk(g, LLVMRealOLT, x, INFINITY), y, x);
}

/* A subnormal number is multiplied by 2^54 first. */
static Val log_(Ir *g, Val x)
{
	Val small = m_cmp(g, LLVMRealOLT, x, m_real2(g, DBL_MIN, FLT_MIN, x));
	Val u = m_sel(g, small, m_times(g, x, 0x1p54), x);
	Val add = m_sel(g, small, m_real(g, -54, x), m_real(g, 0, x));
	return log_edges(g, x, 0, m_log_of(g, u, NULL, add));
}

/* u + c = 1 + x exactly. */
static Val log_one_plus(Ir *g, Val x, Val *c)
{
	Val one = m_real(g, 1, x), u = m_add(g, x, one), back = m_sub(g, u, one);
	/* Knuth's sum of two: right for any sizes of 1 and x */
	Val a = m_sub(g, x, back), b = m_sub(g, one, m_sub(g, u, back));
	*c = m_add(g, a, b);
	return u;
}

static Val log1p_(Ir *g, Val x)
{
	Val c, u = log_one_plus(g, x, &c);
	Val y = log_edges(g, x, -1, m_log_of(g, u, c, NULL));
	return m_or_itself(g, x, y);
}

/* max(x, 0) + log(1 + e^-|x|); 1 + e in [1, 2] is halved above sqrt(2). */
static Val softplus_(Ir *g, Val x)
{
	Val zero = m_real(g, 0, x), e = m_exp_negative(g, m_neg(g, ir_abs(g, x)));
	Val big = m_cmpk(g, LLVMRealOGT, e, 0.41421356237309503);
	Val f = m_sel(g, big, m_fmak(g, e, 0.5, m_real(g, -0.5, x)), e);
	Val y = m_log_core(g, f, m_sel(g, big, ln2_hi(g, x), zero),
			   m_sel(g, big, ln2_lo(g, x), zero));
	return m_add(g, m_sel(g, m_cmpk(g, LLVMRealOLT, x, 0), zero, x), y);
}

/* log(1 + t), or log x + ln 2 where x is so large that its square need not be known: both are
 * log(u + c) 2^n. */
static Val log_or_twice(Ir *g, Val x, Val t)
{
	Val zero = m_real(g, 0, x), c, near = log_one_plus(g, t, &c);
	Val large = m_cmpk(g, LLVMRealOGT, x, 0x1p28);
	Val u = m_sel(g, large, x, near), add = m_sel(g, large, m_real(g, 1, x), zero);
	Val y = m_log_of(g, u, m_sel(g, large, zero, c), add);
	return m_sel(g, m_cmpk(g, LLVMRealOLT, x, INFINITY), y, x);
}

/* log(a + sqrt(a^2 + 1)) = log1p(a + a^2/(1 + sqrt(a^2 + 1))). */
static Val asinh_(Ir *g, Val x)
{
	Val one = m_real(g, 1, x), a = ir_abs(g, x), square = m_mul(g, a, a);
	Val root = m_sqrt(g, m_add(g, square, one));
	Val t = m_add(g, a, m_div(g, square, m_add(g, root, one)));
	return m_or_itself(g, x, ir_copysign(g, log_or_twice(g, a, t), x));
}

/* log(x + sqrt(x^2 - 1)) = log1p(t + sqrt(t (t + 2))), t = x - 1. */
static Val acosh_(Ir *g, Val x)
{
	Val t = m_plus(g, x, -1);
	Val y = log_or_twice(g, x, m_add(g, t, m_sqrt(g, m_mul(g, t, m_plus(g, t, 2)))));
	return m_sel(g, m_cmpk(g, LLVMRealOLT, x, 1), m_real(g, NAN, x), y);
}

/* log((1 + a)/(1 - a))/2 = log1p(2a/(1 - a))/2. */
static Val atanh_(Ir *g, Val x)
{
	Val a = ir_abs(g, x), ratio = m_div(g, m_add(g, a, a), m_sub(g, m_real(g, 1, x), a));
	return ir_copysign(g, m_times(g, log1p_(g, ratio), 0.5), x);
}

Val math_log(Ir *g, Op op, Val a)
{
	switch (op) {
	case OP_log:
		return log_(g, a);
	case OP_log1p:
		return log1p_(g, a);
	case OP_softplus:
		return softplus_(g, a);
	case OP_asinh:
		return asinh_(g, a);
	case OP_acosh:
		return acosh_(g, a);
	default:
		return atanh_(g, a);
	}
}
