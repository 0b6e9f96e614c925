/* ir_math_exp.c — exp and what is made of it. Errors of the polynomials are relative to the
 * function; they were fitted to the least greatest error in 40 digits. */
#include "compiler/ir_math_int.h"

/* (e^r - 1 - r)/r^2 on |r| <= ln 2: degree 11, 2^-56.3; degree 5, 2^-25.6. */
static const double EXP_64[] = {
	0x1.ffffffffffff3p-2,  0x1.55555555555b7p-3,  0x1.5555555556955p-5,  0x1.11111111081f0p-7,
	0x1.6c16c169bf423p-10, 0x1.a01a01b24121bp-13, 0x1.a01a058311d7cp-16, 0x1.71de29fae6f27p-19,
	0x1.27e1c958a04a6p-22, 0x1.ae7134f7a681ap-26, 0x1.217ae603c86efp-29, 0x1.5e6dd276a429ep-33};
static const double EXP_32[] = {0x1.00000cp-1, 0x1.55550ep-3,  0x1.5549e8p-5,
				0x1.11288ap-7, 0x1.71c474p-10, 0x1.9b4226p-13};
/* The same on |r| <= ln(2)/2, relative to e^r - 1: degree 9, 2^-54.8; degree 4, 2^-25.3. */
static const double EXPM1_64[] = {
	0x1.0000000000005p-1,  0x1.5555555555539p-3,  0x1.555555555228ep-5,  0x1.1111111119011p-7,
	0x1.6c16c17ee732ap-10, 0x1.a01a0174fbc8fp-13, 0x1.a019a74a53d33p-16, 0x1.71de8822ce407p-19,
	0x1.28a206a96f96ep-22, 0x1.ae6baf87099c8p-26};
static const double EXPM1_32[] = {0x1.000000p-1, 0x1.5554d8p-3, 0x1.555516p-5, 0x1.12106cp-7,
				  0x1.6d1606p-10};

/* ln 2 in two parts; the first is short, so that products with small integers are exact. */
static const double LN2_HI = 0x1.62e42fefa2p-1, LN2_LO = 0x1.9ef35793c7673p-41;
static const double LN2_HI_32 = 0x1.62e4p-1, LN2_LO_32 = 0x1.7f7d1cp-20;
static const double INV_LN2 = 0x1.71547652b82fep+0;

/* t = magic + n, n = x/(k ln 2) rounded; the result is r = x - n k ln 2. k is 1 or 2. */
static Val reduce(Ir *g, Val x, double k, Val *t)
{
	Val magic = m_magic(g, x);
	*t = m_fmak(g, x, INV_LN2 / k, magic);
	Val n = m_sub(g, *t, magic);
	Val r = ir_fma(g, n, m_real2(g, -k * LN2_HI, -k * LN2_HI_32, x), x);
	return ir_fma(g, n, m_real2(g, -k * LN2_LO, -k * LN2_LO_32, x), r);
}

/* e^x = 2^n e^r 2^n with |r| <= ln 2: the exponent is halved, so that 2^n is always normal and only
 * the last product can round, overflow or underflow. */
Val m_exp_parts(Ir *g, Val x, Val low, Val *s)
{
	Val t, r = reduce(g, x, 2, &t);
	r = low ? m_add(g, r, low) : r;
	Val q = m_poly2(g, r, POLY(EXP_64), POLY(EXP_32));
	*s = m_power_of_two(g, t);
	return m_plus(g, ir_fma(g, m_mul(g, r, r), q, r), 1);
}

Val m_exp_hold(Ir *g, Val x, bool below, bool above)
{
	bool single = m_single(x);
	x = below ? m_clamp_below(g, x, single ? -104 : -746) : x;
	return above ? m_clamp_above(g, x, single ? 89.5 : 711) : x;
}

static Val exp_scaled(Ir *g, Val x)
{
	Val s, p = m_exp_parts(g, x, NULL, &s);
	return m_mul(g, m_mul(g, p, s), s);
}

Val m_exp_negative(Ir *g, Val x)
{
	return exp_scaled(g, m_exp_hold(g, x, true, false));
}

/* 2^-less (e^x - 1) = s p + (s - 2^-less) with p = e^r - 1, s = 2^(n - less): a `less` > 0 puts off
 * the overflow of 2^n. */
static Val expm1_scaled(Ir *g, Val x, unsigned less)
{
	bool single = m_single(x);
	Val t, r = reduce(g, x, 1, &t);
	Val q = m_poly2(g, r, POLY(EXPM1_64), POLY(EXPM1_32));
	Val p = ir_fma(g, m_mul(g, r, r), q, r);
	int64_t one = single ? (0x7f - (int64_t)less) << 23 : (0x3ff - (int64_t)less) << 52;
	Val s = m_of_bits(g, m_iadd(g, m_shl(g, m_bits(g, t), single ? 23 : 52), one));
	return ir_fma(g, s, p, m_plus(g, s, -1.0 / (1u << less)));
}

static Val expm1_(Ir *g, Val x)
{
	bool single = m_single(x);
	Val h = m_clamp_above(g, m_clamp_below(g, x, single ? -30 : -60), single ? 88.8 : 709.9);
	return m_or_itself(g, x, m_times(g, expm1_scaled(g, h, 1), 2));
}

/* tanh a = E/(E + 2), E = e^2a - 1. */
static Val tanh_(Ir *g, Val x)
{
	Val a = m_clamp_above(g, ir_abs(g, x), m_single(x) ? 9.02 : 19.1);
	Val e = expm1_scaled(g, m_add(g, a, a), 0);
	return ir_copysign(g, m_div(g, e, m_plus(g, e, 2)), x);
}

static Val sigmoid_(Ir *g, Val x)
{
	Val e = m_exp_negative(g, m_neg(g, ir_abs(g, x)));
	Val one = m_real(g, 1, x);
	Val top = m_sel(g, m_cmpk(g, LLVMRealOGE, x, 0), one, e);
	return m_div(g, top, m_add(g, e, one));
}

/* sinh a = 2 (h + h/(4h + 1)), h = (e^a - 1)/4. */
static Val sinh_(Ir *g, Val x)
{
	Val a = m_clamp_above(g, ir_abs(g, x), m_single(x) ? 89.5 : 710.6);
	Val h = expm1_scaled(g, a, 2);
	Val y = m_add(g, h, m_div(g, h, m_fmak(g, h, 4, m_real(g, 1, x))));
	return m_or_itself(g, x, ir_copysign(g, m_times(g, y, 2), x));
}

/* cosh a = w + 1/(4w), w = e^a/2. */
static Val cosh_(Ir *g, Val x)
{
	Val a = m_clamp_above(g, ir_abs(g, x), m_single(x) ? 90 : 711);
	Val s, p = m_exp_parts(g, a, NULL, &s);
	Val w = m_mul(g, m_mul(g, p, s), m_times(g, s, 0.5));
	return m_add(g, w, m_div(g, m_real(g, 0.25, x), w));
}

Val math_exp(Ir *g, Op op, Val a)
{
	switch (op) {
	case OP_exp:
		return exp_scaled(g, m_exp_hold(g, a, true, true));
	case OP_expm1:
		return expm1_(g, a);
	case OP_tanh:
		return tanh_(g, a);
	case OP_sigmoid:
		return sigmoid_(g, a);
	case OP_sinh:
		return sinh_(g, a);
	default:
		return cosh_(g, a);
	}
}
