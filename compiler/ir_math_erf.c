/* ir_math_erf.c — erf and erfc. */
#include "compiler/ir_math_int.h"

/* (erf(x)/x - 2/sqrt π)/x^2 in x^2, |x| <= 3/4: degree 9, 2^-55.9 of erf; degree 4, 2^-27.1. */
static const double ERF_64[] = {-0x1.812746b0379e7p-2,  0x1.ce2f21a042b48p-4,
				-0x1.b82ce3127fe2ep-6,  0x1.565bcd0b45ba0p-8,
				-0x1.c02db2dcbcc18p-11, 0x1.f9a2ea35c746ap-14,
				-0x1.f4caa135cbdfap-17, 0x1.b94a493b2a0a3p-20,
				-0x1.57e91eb5ae33cp-23, 0x1.93868bf8b5f74p-27};
static const double ERF_32[] = {-0x1.812746p-2, 0x1.ce2e16p-4, -0x1.b7f11ep-6, 0x1.51a24ep-8,
				-0x1.708e8ep-11};
/* (1 + 2a) e^(a^2) erfc a in t = (a - 4)/(a + 4), 0 <= a <= 28: degree 22, 2^-53.9; in
 * t = (a - 2)/(a + 2), 0 <= a <= 10.2: degree 9, 2^-25.2. */
static const double ERFC_64[] = {
	0x1.3ba5916e9fd7fp+0,   -0x1.1df1ad154a29cp-3,  0x1.f7f5df66fd951p-7,
	0x1.16ecefcfa6077p-4,   -0x1.9ddb23c3e98a6p-4,  0x1.7fee004df6263p-4,
	-0x1.0fb06dfe46987p-4,  0x1.3079edfa1033fp-5,   -0x1.0962388367b2fp-6,
	0x1.49c671893963fp-8,   -0x1.8d4a9dc0d22f3p-11, -0x1.a1de7c6e9ac9cp-13,
	0x1.3be0b393ee921p-13,  -0x1.996ad056e530bp-16, -0x1.78a43458cca4bp-17,
	0x1.7fb88e391a9fep-18,  0x1.4392983419eddp-22,  -0x1.c05fc977974eap-21,
	0x1.0d535fce28f99p-24,  0x1.ef6c0c38d1a2bp-24,  -0x1.09198a32cd9a9p-27,
	-0x1.d5bb4c6d5b92dp-27, -0x1.f47207b168acdp-30};
static const double ERFC_32[] = {0x1.46e80ep+0,   -0x1.7bf610p-4, -0x1.5407c4p-3, 0x1.4ffc2cp-3,
				 -0x1.bc1ebep-5,  -0x1.082d88p-7, 0x1.1bd61cp-7,  0x1.5c5418p-10,
				 -0x1.4a77bep-10, -0x1.bb0a22p-12};

/* erfc a for a >= 0 = e^(-a^2) P(t)/(1 + 2a); the rounding error of a^2 goes into the exponent. */
static Val erfc_positive(Ir *g, Val a)
{
	double middle = m_single(a) ? 2 : 4;
	a = m_clamp_above(g, a, m_single(a) ? 10.15 : 27.3);
	Val low, square = m_product(g, a, a, &low);
	Val s, e = m_exp_parts(g, m_neg(g, square), m_neg(g, low), &s);
	Val t = m_div(g, m_plus(g, a, -middle), m_plus(g, a, middle));
	Val p = m_poly2(g, t, POLY(ERFC_64), POLY(ERFC_32));
	Val q = m_div(g, m_mul(g, e, p), m_fmak(g, a, 2, m_real(g, 1, a)));
	return m_mul(g, m_mul(g, q, s), s);
}

/* erf a for a <= 3/4. The constant 2/sqrt π is in two parts. */
static Val erf_small(Ir *g, Val a)
{
	static const double scale = 0x1.20dd750429b6dp+0, rest = 0x1.1ae3a914fed80p-56;
	static const double scale_32 = 0x1.20dd76p+0,
			    rest_32 = 0x1.20dd750429b6dp+0 - 0x1.20dd76p+0;
	Val z = m_mul(g, a, a), p = m_poly2(g, z, POLY(ERF_64), POLY(ERF_32));
	Val small = ir_fma(g, z, p, m_real2(g, rest, rest_32, a));
	return ir_fma(g, a, small, m_mul(g, a, m_real2(g, scale, scale_32, a)));
}

/* erfc x is 1 - erf x near 0, 2 - erfc(-x) to the left. */
Val math_erf(Ir *g, Op op, Val x)
{
	Val a = ir_abs(g, x), c = erfc_positive(g, a), near = erf_small(g, a),
	    one = m_real(g, 1, x);
	if (op == OP_erf) {
		Val y = m_sel(g, m_cmpk(g, LLVMRealOLT, a, 0.75), near, m_sub(g, one, c));
		return ir_copysign(g, y, x);
	}
	Val minus = m_cmpk(g, LLVMRealOLT, x, 0), inside = m_cmpk(g, LLVMRealOLT, a, 0.46875);
	Val outer = m_sel(g, minus, m_sub(g, m_real(g, 2, x), c), c);
	return m_sel(g, inside, m_sub(g, one, ir_copysign(g, near, x)), outer);
}
