/* ir_math_trig.c — sin, cos, tan.
 *
 * r = |x| - n π with π in three or four parts: with fused multiply-add the first step is exact, as
 * |x| and n π_1 are multiples of one power of two and near each other; without it the parts are
 * short, so that products with n < 2^19 are exact. Beyond LIMIT the argument goes to libm. */
#include "compiler/ir_math_int.h"

/* (sin(r)/r - 1)/r^2 in r^2, |r| <= π/2: degree 7, 2^-54.6; degree 3, 2^-26.4. */
static const double SIN_64[] = {-0x1.5555555555555p-3,  0x1.1111111111107p-7,
				-0x1.a01a01a018a8cp-13, 0x1.71de3a54550e7p-19,
				-0x1.ae6455a0f523dp-26, 0x1.612401122d89fp-33,
				-0x1.ae512165ca336p-41, 0x1.89a19d400e252p-49};
static const double SIN_32[] = {-0x1.55554cp-3, 0x1.110ed2p-7, -0x1.9f6fa6p-13, 0x1.5db8c0p-19};
/* On |r| <= π/4, for tan: (sin(r)/r - 1)/r^2, degree 5, 2^-55.4; (cos r - 1 + r^2/2)/r^4, degree 5,
 * 2^-59.6. */
static const double SIN_QUARTER[] = {-0x1.5555555555555p-3,  0x1.1111111110babp-7,
				     -0x1.a01a019e820aep-13, 0x1.71de37946ed6dp-19,
				     -0x1.ae6008d114485p-26, 0x1.5e0a4fc16be59p-33};
static const double COS_QUARTER[] = {0x1.5555555555555p-5,  -0x1.6c16c16c16963p-10,
				     0x1.a01a019f4ddfdp-16, -0x1.27e4fa16cc2d1p-22,
				     0x1.1eeb67d026ec6p-29, -0x1.907cd8ff5ede7p-37};
static const double PI_FUSED[] = {0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53,
				  -0x1.f1976b7ed8fbcp-109};
static const double PI_SHORT[] = {0x1.921fb544p+1, 0x1.0b4611a6p-33, 0x1.3198a2ep-68,
				  0x1.b839a252049c1p-103};
static const double PI_SINGLE[] = {0x1.921fb6p+1, -0x1.777a5cp-24, -0x1.ee59dap-49, 0x1.98a2e0p-76};
static const double LIMIT = 1e6, LIMIT_SINGLE = 1e5;

/* a + n π times sign (±1), scaled: π/2 with scale 0.5. */
static Val take_pi(Ir *g, Val a, Val n, double by)
{
	Poly parts = m_single(a)     ? POLY(PI_SINGLE)
		     : g->target.fma ? POLY(PI_FUSED)
				     : POLY(PI_SHORT);
	for (unsigned k = 0; k < parts.n; k++) {
		a = m_fmak(g, n, by * parts.c[k], a);
	}
	return a;
}

/* Held within ±1, which rounding would overstep near π/2. */
static Val sin_poly(Ir *g, Val r)
{
	Val z = m_mul(g, r, r);
	Val y = ir_fma(g, m_mul(g, r, z), m_poly2(g, z, POLY(SIN_64), POLY(SIN_32)), r);
	return m_clamp_above(g, m_clamp_below(g, y, -1), 1);
}

/* sin x = sign(x) (-1)^n sin(|x| - n π). */
static Val sin_fast(Ir *g, Val x, Val a)
{
	Val magic = m_magic(g, x), t = m_fmak(g, a, 0x1.45f306dc9c883p-2, magic);
	Val y = sin_poly(g, take_pi(g, a, m_sub(g, t, magic), -1));
	Val sign = LLVMBuildXor(g->b, m_bits(g, x), m_bits(g, a), "");
	y = m_flip(g, y, m_bits(g, t));
	return m_of_bits(g, LLVMBuildXor(g->b, m_bits(g, y), sign, ""));
}

/* cos x = (-1)^q sin((q + 1/2) π - |x|). */
static Val cos_fast(Ir *g, Val a)
{
	Val magic = m_magic(g, a), half = m_real(g, 0.5, a);
	Val t = m_add(g, m_fmak(g, a, 0x1.45f306dc9c883p-2, m_neg(g, half)), magic);
	Val n = m_add(g, m_sub(g, t, magic), half);
	return m_flip(g, sin_poly(g, take_pi(g, m_neg(g, a), n, 1)), m_bits(g, t));
}

/* tan x = sign(x) s/c or -c/s, by the parity of n; r = |x| - n π/2. */
static Val tan_fast(Ir *g, Val x, Val a)
{
	Val magic = m_magic(g, x), t = m_fmak(g, a, 0x1.45f306dc9c883p-1, magic);
	Val r = take_pi(g, a, m_sub(g, t, magic), -0.5), z = m_mul(g, r, r);
	Val s = ir_fma(g, m_mul(g, r, z), m_poly(g, z, POLY(SIN_QUARTER)), r);
	Val c = ir_fma(g, m_mul(g, z, z), m_poly(g, z, POLY(COS_QUARTER)),
		       m_fmak(g, z, -0.5, m_real(g, 1, z)));
	Val odd = LLVMBuildTrunc(g->b, m_bits(g, t), ir_vec(g, g->i1, ir_lanes(t)), "");
	Val y = m_div(g, m_sel(g, odd, m_neg(g, c), s), m_sel(g, odd, s, c));
	Val sign = LLVMBuildXor(g->b, m_bits(g, x), m_bits(g, a), "");
	return m_of_bits(g, LLVMBuildXor(g->b, m_bits(g, y), sign, ""));
}

Val math_trig(Ir *g, Op op, Val x)
{
	if (m_single(x) && (!g->target.fma || op == OP_tan)) {
		return m_narrow(g, math_trig(g, op, m_widen(g, x)), x);
	}
	Val a = ir_abs(g, x);
	Val y = op == OP_sin   ? sin_fast(g, x, a)
		: op == OP_cos ? cos_fast(g, a)
			       : tan_fast(g, x, a);
	Val far = m_cmp(g, LLVMRealOGT, a, m_real2(g, LIMIT, LIMIT_SINGLE, a));
	return m_rare(g, far, y, op == OP_sin ? "sin" : op == OP_cos ? "cos" : "tan", x, NULL);
}
