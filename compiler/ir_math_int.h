/* ir_math_int.h — what the files ir_math*.c share: arithmetic of lanes in short words, polynomials,
 * the kernels of exp and log.
 *
 * Every kernel is one straight line of IEEE operations in a fixed order, so a lane's bits do not
 * depend on the number of lanes. Real means double or float lanes: the type is that of the operand
 * at hand, not Ir.real. On targets without fused multiply-add ir_fma rounds twice; constants are
 * split so that the steps that must be exact are exact there too. */
#ifndef PNN_COMPILER_IR_MATH_INT_H
#define PNN_COMPILER_IR_MATH_INT_H
#include "compiler/ir_math.h"

typedef LLVMValueRef Val;

bool m_single(Val v); /* float lanes */
/* Numbers for all lanes of the type of `like` (for reals the second is rounded to float where like
 * is). */
Val m_real(const Ir *g, double v, Val like);
/* One number for doubles, another for floats. */
Val m_real2(const Ir *g, double v64, double v32, Val like);
Val m_int(const Ir *g, int64_t v, Val like);

Val m_add(Ir *g, Val a, Val b);
Val m_sub(Ir *g, Val a, Val b);
Val m_mul(Ir *g, Val a, Val b);
Val m_div(Ir *g, Val a, Val b);
Val m_neg(Ir *g, Val a);
Val m_sqrt(Ir *g, Val a);
Val m_times(Ir *g, Val a, double k);       /* a*k */
Val m_plus(Ir *g, Val a, double k);        /* a + k */
Val m_fmak(Ir *g, Val a, double k, Val c); /* a*k + c */
Val m_cmp(Ir *g, LLVMRealPredicate p, Val a, Val b);
Val m_cmpk(Ir *g, LLVMRealPredicate p, Val a, double k);
Val m_sel(Ir *g, Val cond, Val a, Val b);
Val m_clamp_below(Ir *g, Val a, double k); /* max(a, k); NaN stays */
Val m_clamp_above(Ir *g, Val a, double k); /* min(a, k); NaN stays */

/* Integers of the same width as the reals. */
Val m_bits(Ir *g, Val real);
Val m_of_bits(Ir *g, Val bits);
Val m_iadd(Ir *g, Val a, int64_t k);
Val m_iand(Ir *g, Val a, int64_t k);
Val m_shl(Ir *g, Val a, unsigned k);
Val m_shr(Ir *g, Val a, unsigned k);
/* The sign bit of a real flipped where the lowest bit of `odd` is 1. */
Val m_flip(Ir *g, Val real, Val odd);

Val m_widen(Ir *g, Val v);            /* to double lanes */
Val m_narrow(Ir *g, Val v, Val like); /* to the type of like */

/* Σ c[k] x^k by Horner's rule, with fused multiply-add; one table for each precision. */
typedef struct Poly {
	unsigned n;
	const double *c;
} Poly;
#define POLY(table) ((Poly){sizeof(table) / sizeof *(table), table})
Val m_poly(Ir *g, Val x, Poly p);
Val m_poly2(Ir *g, Val x, Poly p64, Poly p32);

/* Adding this rounds to an integer, whose two's complement then stands in the low bits. */
static inline Val m_magic(const Ir *g, Val like)
{
	return m_real2(g, 0x1.8p52, 0x1.8p23, like);
}

/* x 2^n for whole n as the low bits of t = magic + n: the number 2^n. */
Val m_power_of_two(Ir *g, Val t);

/* e^(x + low) = p s s (low NULL: 0) for x held within the exponents of the type (m_exp_hold): p in
 * [0.5, 2]. */
Val m_exp_parts(Ir *g, Val x, Val low, Val *s);
Val m_exp_hold(Ir *g, Val x, bool below, bool above);
/* e^x for x <= 0, no other bound. */
Val m_exp_negative(Ir *g, Val x);
/* log(1 + f) + khi + klo, f in [sqrt(1/2) - 1, sqrt(2) - 1]. klo NULL: khi and klo are 0. */
Val m_log_core(Ir *g, Val f, Val khi, Val klo);
/* u = 2^k m, m in [sqrt(1/2), sqrt(2)), u positive and normal; k as a real. */
Val m_log_split(Ir *g, Val u, Val *k);
/* log(u + c) for u > 0 normal and a small correction c (or NULL), + add ln 2 (NULL: 0). */
Val m_log_of(Ir *g, Val u, Val c, Val add);

/* Families: each file has its functions. */
Val math_exp(Ir *g, Op op, Val a);     /* exp expm1 tanh sigmoid sinh cosh */
Val math_log(Ir *g, Op op, Val a);     /* log log1p softplus asinh acosh atanh */
Val math_trig(Ir *g, Op op, Val a);    /* sin cos tan */
Val math_inverse(Ir *g, Op op, Val a); /* atan asin acos */
Val math_atan2(Ir *g, Val y, Val x);
Val math_erf(Ir *g, Op op, Val a);
Val math_cbrt(Ir *g, Val a);
Val math_pow(Ir *g, Val a, Val b);
Val math_mod(Ir *g, Val a, Val b);
Val math_gamma(Ir *g, Op op, Val a, Val b); /* lgamma digamma trigamma polygamma */
Val math_integer(Ir *g, Op op, Val a, Val b);

/* a b = result + *low exactly. */
Val m_product(Ir *g, Val a, Val b, Val *low);
/* a + b = result + *low exactly, |a| >= |b| or a = 0. */
Val m_sum(Ir *g, Val a, Val b, Val *low);
/* x where |x| is so small that f(x) = x to the last bit, else y = f(x): keeps the signs of zeros
 * and subnormals. */
Val m_or_itself(Ir *g, Val x, Val y);

/* y where `where` (i1 lanes) is false; where it is true the value of a function of double scalars
 * (libm or internal), called lane by lane in a function of its own behind a branch: rarely taken.
 * b may be NULL. */
Val m_rare(Ir *g, Val where, Val y, const char *libm, Val a, Val b);
/* f(a, b) of a function of double scalars, lane by lane. */
Val m_each(Ir *g, const char *name, Val a, Val b);
/* A function double(double…) of the module: declared if it is not there. */
Val m_function(Ir *g, const char *name, unsigned n);
#endif
