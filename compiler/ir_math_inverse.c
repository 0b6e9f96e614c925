/* ir_math_inverse.c — atan, atan2, asin, acos. Floats are computed in doubles. */
#include "compiler/ir_math_int.h"
#include <float.h>
#include <math.h>

/* (atan(q)/q - 1)/q^2 in q^2, |q| <= tan(π/8): degree 10, 2^-57.0. */
static const double ATAN[] = {-0x1.5555555555555p-2, 0x1.999999999933dp-3,  -0x1.24924924355d5p-3,
			      0x1.c71c7184c32bfp-4,  -0x1.745d0b153ffadp-4, 0x1.3b126143b5cbcp-4,
			      -0x1.10fa5ee9ab25cp-4, 0x1.dfe49b2919c4ep-5,  -0x1.a090d1950d2b4p-5,
			      0x1.41495cefb6c73p-5,  -0x1.39f38ad451ea7p-6};
/* (asin(x)/x - 1)/x^2 in x^2 <= 1/4: degree 12, 2^-57.4. */
static const double ASIN[] = {0x1.5555555555556p-3, 0x1.3333333332ecap-4, 0x1.6db6db6e31f13p-5,
			      0x1.f1c71c1db0623p-6, 0x1.6e8bb1c8209a2p-6, 0x1.1c4d35cf95421p-6,
			      0x1.c9cf07674736ap-7, 0x1.782651caa6547p-7, 0x1.52420b04b37bep-7,
			      0x1.65a9c4dfcf8b2p-8, 0x1.1d189408314eep-6, -0x1.e6aaa8a0a04ccp-7,
			      0x1.d72b2bc8155f8p-6};
static const double PI_2 = 0x1.921fb54442d18p+0, PI_2_LO = 0x1.1a62633145c07p-54;
static const double TAN_1 = 0.41421356237309503, TAN_3 = 2.4142135623730949; /* of π/8, 3π/8 */

/* Angle of the point (b, a) with a, b >= 0 not both 0 or infinite: 0, π/4 or π/2 plus the atan of a
 * small quotient; *low is what rounding of the sum and the constant left. */
static Val angle(Ir *g, Val a, Val b, Val *low)
{
	Val zero = m_real(g, 0, a);
	Val steep = m_cmp(g, LLVMRealOGT, a, m_times(g, b, TAN_3));
	Val middle = m_cmp(g, LLVMRealOGT, a, m_times(g, b, TAN_1));
	Val top = m_sel(g, steep, m_neg(g, b), m_sel(g, middle, m_sub(g, a, b), a));
	Val under = m_sel(g, steep, a, m_sel(g, middle, m_add(g, a, b), b));
	Val q = m_div(g, top, under), z = m_mul(g, q, q);
	Val base =
		m_sel(g, steep, m_real(g, PI_2, a), m_sel(g, middle, m_real(g, PI_2 / 2, a), zero));
	Val rest = m_sel(g, steep, m_real(g, PI_2_LO, a),
			 m_sel(g, middle, m_real(g, PI_2_LO / 2, a), zero));
	Val small = ir_fma(g, m_mul(g, q, z), m_poly(g, z, POLY(ATAN)), rest);
	/* base + q exactly, then the small part */
	Val e, s = m_sum(g, base, q, &e);
	*low = m_add(g, e, small);
	return s;
}

static Val atan_(Ir *g, Val x)
{
	Val low, s = angle(g, ir_abs(g, x), m_real(g, 1, x), &low);
	return m_or_itself(g, x, ir_copysign(g, m_add(g, s, low), x));
}

static Val both(Ir *g, Val p, Val q)
{
	return LLVMBuildAnd(g->b, p, q, "");
}

/* Large points are drawn nearer so that sums stay finite; two infinities count as equal, and the
 * origin as a point on the abscissa. */
Val math_atan2(Ir *g, Val y, Val x)
{
	Val wide_y = m_widen(g, y), wide_x = m_widen(g, x), zero = m_real(g, 0, wide_y);
	Val a = ir_abs(g, wide_y), b = ir_abs(g, wide_x), one = m_real(g, 1, a);
	Val far = LLVMBuildOr(g->b, m_cmpk(g, LLVMRealOGT, a, 0x1p1000),
			      m_cmpk(g, LLVMRealOGT, b, 0x1p1000), "");
	Val scale = m_sel(g, far, m_real(g, 0x1p-100, a), one);
	a = m_mul(g, a, scale);
	b = m_mul(g, b, scale);
	Val ends =
		both(g, m_cmpk(g, LLVMRealOEQ, a, INFINITY), m_cmpk(g, LLVMRealOEQ, b, INFINITY));
	a = m_sel(g, ends, one, a);
	b = m_sel(g, ends, one, b);
	Val origin = both(g, m_cmp(g, LLVMRealOEQ, a, zero), m_cmp(g, LLVMRealOEQ, b, zero));
	Val low, s = angle(g, a, m_sel(g, origin, one, b), &low);
	/* left half plane: π - angle */
	Val left = LLVMBuildICmp(g->b, LLVMIntSLT, m_bits(g, wide_x),
				 m_int(g, 0, m_bits(g, wide_x)), "");
	Val e, pi = m_sum(g, m_real(g, 2 * PI_2, a), m_neg(g, s), &e);
	Val rest = m_add(g, m_sub(g, e, low), m_real(g, 2 * PI_2_LO, a));
	Val r = m_sel(g, left, m_add(g, pi, rest), m_add(g, s, low));
	r = m_sel(g, m_cmp(g, LLVMRealUNO, wide_y, wide_x), m_add(g, wide_y, wide_x), r);
	return m_narrow(g, ir_copysign(g, r, wide_y), y);
}

/* asin of a up to 1/2 directly; beyond, asin a = π/2 - 2 asin sqrt((1 - a)/2). */
static Val arc(Ir *g, Op op, Val x)
{
	Val a = ir_abs(g, x), half = m_real(g, 0.5, x), outer = m_cmp(g, LLVMRealOGT, a, half);
	Val inner_z = m_mul(g, a, a), outer_z = ir_fma(g, m_neg(g, half), a, half);
	Val z = m_sel(g, outer, outer_z, inner_z), root = m_sel(g, outer, m_sqrt(g, outer_z), a);
	Val small = m_mul(g, m_mul(g, root, z),
			  m_poly(g, z, POLY(ASIN))); /* asin root = root + small */
	Val high = m_real(g, PI_2, x), low = m_real(g, PI_2_LO, x);
	if (op == OP_asin) {
		Val e, s = m_sum(g, high, m_times(g, root, -2), &e);
		Val far = m_add(g, s, m_add(g, ir_fma(g, m_real(g, -2, x), small, low), e));
		return m_or_itself(g, x,
				   ir_copysign(g, m_sel(g, outer, far, m_add(g, root, small)), x));
	}
	/* acos: π/2 ∓ asin a inside; 2 asin root or π - 2 asin root outside */
	Val minus = m_cmpk(g, LLVMRealOLT, x, 0), e, f;
	Val side = m_sel(g, minus, root, m_neg(g, root)),
	    side_small = m_sel(g, minus, small, m_neg(g, small));
	Val s = m_sum(g, high, side, &e);
	Val inside = m_add(g, s, m_add(g, m_add(g, side_small, low), e));
	Val twice = m_times(g, root, 2), twice_small = m_times(g, small, 2);
	Val back = m_sum(g, m_times(g, high, 2), m_neg(g, twice), &f);
	back = m_add(g, back, m_add(g, m_sub(g, m_times(g, low, 2), twice_small), f));
	return m_sel(g, outer, m_sel(g, minus, back, m_add(g, twice, twice_small)), inside);
}

Val math_inverse(Ir *g, Op op, Val a)
{
	Val x = m_widen(g, a);
	return m_narrow(g, op == OP_atan ? atan_(g, x) : arc(g, op, x), a);
}
