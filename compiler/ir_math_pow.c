/* ir_math_pow.c — pow, cbrt, mod. */
#include "compiler/ir_math_int.h"
#include <float.h>
#include <math.h>

/* (2 atanh(s)/s - 2 - 2 s^2/3)/s^4 in s^2: degree 6, 2^-62.8 of the logarithm. */
static const double ATANH[] = {0x1.999999999999fp-2, 0x1.249249248e4d8p-2, 0x1.c71c71d7fbbacp-3,
			       0x1.745d09e3d8241p-3, 0x1.3b18bc82cc745p-3, 0x1.1018374c7f117p-3,
			       0x1.087e4945615c6p-3};
/* m^(-1/3) on [1/2, 4]: degree 5, 2^-7.8. */
static const double ROOT[] = {0x1.c34be7037eeb7p+0,  -0x1.65030a882b1a7p+0, 0x1.cdb7ad65619d1p-1,
			      -0x1.4cf962d7f9bfep-2, 0x1.e86ef8b8156bap-5,  -0x1.1bf460c7e835cp-8};

/* A positive number scaled to normal; *add is the exponent that was put in (0 or `bits`), negated.
 */
static Val normal_of(Ir *g, Val a, double bits, Val *add)
{
	Val small = m_cmpk(g, LLVMRealOLT, a, DBL_MIN);
	*add = m_sel(g, small, m_real(g, -bits, a), m_real(g, 0, a));
	return m_sel(g, small, m_times(g, a, ldexp(1, (int)bits)), a);
}

/* a b for unevaluated sums: (ah + al)(bh + bl). */
static Val double_mul(Ir *g, Val ah, Val al, Val bh, Val bl, Val *low)
{
	Val e, p = m_product(g, ah, bh, &e);
	*low = ir_fma(g, ah, bl, ir_fma(g, al, bh, e));
	return p;
}

/* log a to about 66 bits as a sum of two, for positive finite a. With s = f/(2 + f):
 * log(1 + f) = 2s + s^3 (2/3 + s^2 R(s^2)), all but the last product in doubled precision. */
static Val log_doubled(Ir *g, Val a, Val *low)
{
	static const double ln2_hi = 0x1.62e42fefa2p-1, ln2_lo = 0x1.9ef35793c7673p-41;
	Val k, add, m = m_log_split(g, normal_of(g, a, 54, &add), &k), f = m_plus(g, m, -1);
	k = m_add(g, k, add);
	Val two = m_real(g, 2, a), under_lo, under = m_sum(g, two, f, &under_lo);
	Val over = m_div(g, m_real(g, 1, a), under), e;
	Val s = m_mul(g, f, over), back = m_product(g, s, under, &e);
	Val rest = m_sub(g, m_sub(g, f, back), ir_fma(g, s, under_lo, e));
	Val s_lo = m_mul(g, rest, over);
	Val z_lo, z = double_mul(g, s, s_lo, s, s_lo, &z_lo), c_lo,
		  c = double_mul(g, z, z_lo, s, s_lo, &c_lo);
	Val w = ir_fma(g, z, m_poly(g, z, POLY(ATANH)), m_real(g, 0x1.5555555555555p-55, z));
	Val q_lo, q = m_sum(g, m_real(g, 0x1.5555555555555p-1, z), w, &q_lo);
	Val d_lo, d = double_mul(g, c, c_lo, q, q_lo, &d_lo);
	Val t_lo, t = m_sum(g, m_times(g, s, 2), d, &t_lo);
	t_lo = m_add(g, t_lo, m_fmak(g, s_lo, 2, d_lo));
	Val y_lo, y = m_sum(g, m_times(g, k, ln2_hi), t, &y_lo);
	y_lo = m_add(g, y_lo, m_fmak(g, k, ln2_lo, t_lo));
	return m_sum(g, y, y_lo, low);
}

/* a^y for positive finite a: e^(y log a). */
static Val power(Ir *g, Val a, Val y, bool single)
{
	Val low = NULL, x;
	if (single) { /* in doubles the plain logarithm has digits enough */
		Val add, u = normal_of(g, a, 54, &add);
		x = m_mul(g, y, m_log_of(g, u, NULL, add));
	} else {
		Val l_lo, l = log_doubled(g, a, &l_lo);
		x = m_product(g, y, l, &low);
		low = ir_fma(g, y, l_lo, low);
		low = m_sel(g, m_cmpk(g, LLVMRealOLT, ir_abs(g, x), 800), low, m_real(g, 0, a));
	}
	Val s, p = m_exp_parts(g, m_exp_hold(g, x, true, true), low, &s);
	return m_mul(g, m_mul(g, p, s), s);
}

static Val both(Ir *g, Val p, Val q)
{
	return LLVMBuildAnd(g->b, p, q, "");
}

/* The cases of C's pow. */
static Val pow_cases(Ir *g, Val x, Val y, Val a, Val r)
{
	Val zero = m_real(g, 0, x), one = m_real(g, 1, x), inf = m_real(g, INFINITY, x);
	Val half = m_times(g, y, 0.5);
	Val whole = m_cmp(g, LLVMRealOEQ, y, ir_intrinsic(g, "llvm.floor", 1, &y));
	Val odd = both(g, whole,
		       m_cmp(g, LLVMRealUNE, half, ir_intrinsic(g, "llvm.floor", 1, &half)));
	Val none = m_cmp(g, LLVMRealOEQ, a, zero),
	    end = LLVMBuildOr(g->b, none, m_cmp(g, LLVMRealOEQ, a, inf), "");
	Val up = LLVMBuildICmp(g->b, LLVMIntEQ, none, m_cmp(g, LLVMRealOLT, y, zero), "");
	r = m_sel(g, end, m_sel(g, up, inf, zero), r);
	r = m_sel(g, m_cmp(g, LLVMRealOEQ, a, one), one, r);
	r = m_sel(g, odd, ir_copysign(g, r, x), r);
	Val inside = both(g, m_cmp(g, LLVMRealOLT, x, zero), m_cmp(g, LLVMRealOLT, a, inf));
	Val finite = m_cmp(g, LLVMRealOLT, ir_abs(g, y), inf);
	Val no = both(g, both(g, inside, finite), LLVMBuildNot(g->b, whole, ""));
	r = m_sel(g, no, m_real(g, NAN, x), r);
	r = m_sel(g, m_cmp(g, LLVMRealUNO, x, y), m_add(g, x, y), r);
	Val sure = LLVMBuildOr(g->b, m_cmp(g, LLVMRealOEQ, y, zero), m_cmp(g, LLVMRealOEQ, x, one),
			       "");
	return m_sel(g, sure, one, r);
}

Val math_pow(Ir *g, Val a, Val b)
{
	Val x = m_widen(g, a), y = m_widen(g, b), size = ir_abs(g, x);
	Val r = power(g, size, y, m_single(a));
	return m_narrow(g, pow_cases(g, x, y, size, r), a);
}

/* |x| = m 2^3k, m in [1/2, 4); r = m^(-1/3) by two steps of third order,
 * r (1 + h/3 + 2h^2/9) with h = 1 - m r^3; then m r^2 with one correction. */
Val math_cbrt(Ir *g, Val narrow)
{
	Val x = m_widen(g, narrow), add, one = m_real(g, 1, x);
	Val a = normal_of(g, ir_abs(g, x), 54, &add), bits = m_bits(g, a);
	Val field = LLVMBuildOr(g->b, m_shr(g, bits, 52), m_int(g, 0x4330000000000000, bits), "");
	Val e = m_plus(g, m_of_bits(g, field), -0x1p52);
	Val t = m_fmak(g, e, 1.0 / 3, m_real(g, 0x1.8p52 - 341, e));
	Val up = m_shl(g, m_bits(g, t), 52); /* the low bits of magic are 0 there */
	Val m = m_of_bits(
		g, LLVMBuildSub(g->b, bits, LLVMBuildAdd(g->b, up, m_shl(g, up, 1), ""), ""));
	Val r = m_poly(g, m, POLY(ROOT));
	for (int step = 0; step < 2; step++) {
		Val cube = m_mul(g, m_mul(g, r, r), m_mul(g, m, r)), h = m_sub(g, one, cube);
		Val factor = m_fmak(g, h, 2.0 / 9, m_real(g, 1.0 / 3, h));
		r = ir_fma(g, m_mul(g, r, h), factor, r);
	}
	Val square = m_mul(g, r, r), y = m_mul(g, m, square);
	Val miss = ir_fma(g, m_neg(g, m_mul(g, y, y)), y, m);
	y = ir_fma(g, m_mul(g, miss, square), m_real(g, 1.0 / 3, y), y);
	y = m_of_bits(g, LLVMBuildAdd(g->b, m_bits(g, y), up, ""));
	Val small = m_cmpk(g, LLVMRealOLT, add, 0);
	y = ir_copysign(g, m_sel(g, small, m_times(g, y, 0x1p-18), y), x);
	Val size = ir_abs(g, x);
	Val plain =
		both(g, m_cmpk(g, LLVMRealOGT, size, 0), m_cmpk(g, LLVMRealOLT, size, INFINITY));
	return m_narrow(g, m_sel(g, plain, y, x), narrow);
}

/* r = fmod(a, b), then + b where the signs differ. With |a/b| < 2^52 the rounded quotient is right
 * or one too large in size, and a - q b is exact in one fused operation; where it was too large r
 * has the sign that the last step wants or mends. Elsewhere, and without the fused operation, libm.
 */
Val math_mod(Ir *g, Val x, Val y)
{
	Val a = m_widen(g, x), b = m_widen(g, y), zero = m_real(g, 0, a), r;
	if (g->target.fma) {
		Val ratio = m_div(g, a, b), q = ir_intrinsic(g, "llvm.trunc", 1, &ratio);
		Val fine = both(g, m_cmpk(g, LLVMRealOLT, ir_abs(g, ratio), 0x1p52),
				m_cmpk(g, LLVMRealOLT, ir_abs(g, b), INFINITY));
		r = ir_fma(g, m_neg(g, q), b, a);
		r = m_rare(g, LLVMBuildNot(g->b, fine, ""), r, "fmod", a, b);
	} else {
		r = m_each(g, "fmod", a, b);
	}
	r = m_sel(g, m_cmp(g, LLVMRealOEQ, r, zero), ir_copysign(g, zero, a), r);
	Val differ = LLVMBuildXor(g->b, m_cmp(g, LLVMRealOLT, r, zero),
				  m_cmp(g, LLVMRealOLT, b, zero), "");
	Val off = both(g, differ, m_cmp(g, LLVMRealONE, r, zero));
	return m_narrow(g, m_sel(g, off, m_add(g, r, b), r), x);
}
