/* ir_math_gamma.c — lgamma (libm's), digamma, trigamma, polygamma: scalar functions of the module
 * in double, called lane by lane. */
#include "compiler/ir_math_int.h"
#include <math.h>

/* ψ(x)/(x - root) in x - 3/2 on [1, 2]: degree 22, 2^-54.2. */
static const double NEAR[] = {
	0x1.e6f0cbb873616p-1,   -0x1.b1cb63005ee98p-2,  0x1.eca189b8e6f6dp-3,
	-0x1.2feeeb98a78eap-3,  0x1.8512e5903903ep-4,   -0x1.fb44202a2306bp-5,
	0x1.4de9aa1779d23p-5,   -0x1.b9f8b11bfd3d0p-6,  0x1.2564717896ec6p-6,
	-0x1.863563f44f303p-7,  0x1.03c0adafa529cp-7,   -0x1.5a06a5d662cb4p-8,
	0x1.cd2011454fd05p-9,   -0x1.336dbe66757c8p-9,  0x1.99d3f5c0cad5ep-10,
	-0x1.0fb38d217b800p-10, 0x1.6a3e76070c135p-11,  -0x1.fd8e50abf2196p-12,
	0x1.53b23429da21bp-12,  -0x1.2fae5cb379bf2p-13, 0x1.94e73cc9821e1p-14,
	-0x1.75c084e78a4cdp-13, 0x1.f255c4568ac4dp-14};
/* B_2k, k = 1…10. */
static const double BERNOULLI[] = {1.0 / 6,       -1.0 / 30,      1.0 / 42, -1.0 / 30,
				   5.0 / 66,      -691.0 / 2730,  7.0 / 6,  -3617.0 / 510,
				   43867.0 / 798, -174611.0 / 330};
enum { TERMS = sizeof BERNOULLI / sizeof *BERNOULLI };
static const double PI = 3.14159265358979323846;

/* Begins double name(double…); false if it is there already. */
static bool begin(Ir *g, const char *name, unsigned n, IrPlace *back, Val *arg)
{
	if (LLVMGetNamedFunction(g->mod, name)) {
		return false;
	}
	*back = ir_leave(g);
	LLVMTypeRef d = LLVMDoubleTypeInContext(g->ctx), type[2] = {d, d};
	Val f = ir_function(g, name, d, n, type, true);
	for (unsigned k = 0; k < n; k++) {
		arg[k] = LLVMGetParam(f, k);
	}
	return true;
}

static void end(Ir *g, Val y, IrPlace back)
{
	LLVMBuildRet(g->b, y);
	ir_return(g, back);
}

static Val call(Ir *g, const char *name, unsigned n, Val a, Val b)
{
	Val f = m_function(g, name, n), arg[2] = {a, b};
	return LLVMBuildCall2(g->b, LLVMGlobalGetValueType(f), f, arg, n, "");
}

static Val floor_(Ir *g, Val a)
{
	return ir_intrinsic(g, "llvm.floor", 1, &a);
}

static Val number(const Ir *g, double v)
{
	return LLVMConstReal(LLVMDoubleTypeInContext(g->ctx), v);
}

static Val is_pole(Ir *g, Val a)
{
	return LLVMBuildAnd(g->b, m_cmpk(g, LLVMRealOLE, a, 0),
			    m_cmp(g, LLVMRealOEQ, a, floor_(g, a)), "");
}

/* π (a - nearest whole number): sin and tan of it are those of π a up to the sign. */
static Val phase(Ir *g, Val a)
{
	return m_times(g, m_sub(g, a, floor_(g, m_plus(g, a, 0.5))), PI);
}

static void make_lgamma(Ir *g)
{
	IrPlace back;
	Val a;
	if (!begin(g, "pnn.lgamma", 1, &back, &a)) {
		return;
	}
	Val sign = LLVMBuildAlloca(g->b, g->i32, ""), f = LLVMGetNamedFunction(g->mod, "lgamma_r");
	if (!f) {
		LLVMTypeRef d = LLVMTypeOf(a), type[2] = {d, g->ptr};
		f = LLVMAddFunction(g->mod, "lgamma_r", LLVMFunctionType(d, type, 2, false));
	}
	Val arg[2] = {a, sign};
	end(g, LLVMBuildCall2(g->b, LLVMGlobalGetValueType(f), f, arg, 2, ""), back);
}

/* Whole number of passes, none for NaN. */
static Val passes(Ir *g, Val n)
{
	Val more = m_cmpk(g, LLVMRealOGT, n, 0);
	return LLVMBuildFPToSI(g->b, m_sel(g, more, n, number(g, 0)), g->i64, "");
}

/* ψ of x > 0: on [1, 2) a polynomial times the distance from the root; there from (0, 1) and from
 * [2, 8) by ψ(x+1) = ψ(x) + 1/x, so that what is added has one sign; from 8 on the asymptotic
 * series log x - 1/2x - Σ B_2k/(2k x^2k). */
static Val digamma_positive(Ir *g, Val x)
{
	Val zero = number(g, 0), below = m_cmpk(g, LLVMRealOLT, x, 1),
	    far = m_cmpk(g, LLVMRealOGE, x, 8);
	Val inverse = m_div(g, number(g, 1), x);
	Val first[2] = {m_sel(g, below, m_plus(g, x, 1), x),
			m_sel(g, below, m_neg(g, inverse), zero)};
	Val count = passes(g, m_sel(g, far, zero, m_plus(g, floor_(g, first[0]), -1)));
	IrLoop l;
	ir_loop(g, &l, ir_int(g, 0), count, 1, 2, first, false);
	Val next[2] = {m_plus(g, l.phi[0], -1), NULL};
	next[1] = m_add(g, l.phi[1], m_div(g, number(g, 1), next[0]));
	ir_loop_end(g, &l, next);
	Val from_root =
		m_plus(g, m_plus(g, l.phi[0], -0x1.762d86356be3fp+0), -0x1.b86a722197829p-54);
	Val near = m_mul(g, from_root, m_poly(g, m_plus(g, l.phi[0], -1.5), POLY(NEAR)));
	near = m_add(g, near, l.phi[1]);
	double series[TERMS];
	for (unsigned k = 0; k < TERMS; k++) {
		series[k] = BERNOULLI[k] / (2 * (k + 1));
	}
	Val z = m_mul(g, inverse, inverse), s = m_mul(g, z, m_poly(g, z, POLY(series)));
	Val rest = m_add(g, m_times(g, inverse, 0.5), s);
	return m_sel(g, far, m_sub(g, math_log(g, OP_log, x), rest), near);
}

/* ψ(a) = ψ(1 - a) - π/tan πa for a < 0; NaN at poles. */
static void make_digamma(Ir *g)
{
	IrPlace back;
	Val a;
	if (!begin(g, "pnn.digamma", 1, &back, &a)) {
		return;
	}
	Val minus = m_cmpk(g, LLVMRealOLT, a, 0);
	Val y = digamma_positive(g, m_sel(g, minus, m_sub(g, number(g, 1), a), a));
	Val turn = m_div(g, number(g, PI), call(g, "tan", 1, phase(g, a), NULL));
	y = m_sel(g, minus, m_sub(g, y, turn), y);
	end(g, m_sel(g, is_pole(g, a), number(g, NAN), y), back);
}

/* ζ(s,x) = Σ 1/(x+k)^s: terms up to x+k > s+12, then Euler–Maclaurin,
 * p (x/(s-1) + 1/2 + (s/x) (b1 + (s+1)(s+2)/x² (b2 + (s+3)(s+4)/x² (…)))), p = x^-s, bk =
 * B_2k/(2k)!. */
static void make_hurwitz(Ir *g)
{
	IrPlace back;
	Val arg[2];
	if (!begin(g, "pnn.hurwitz", 2, &back, arg)) {
		return;
	}
	Val s = arg[0], minus = m_neg(g, s), first[2] = {arg[1], number(g, 0)};
	Val gap = m_sub(g, m_plus(g, s, 12), arg[1]);
	IrLoop l;
	ir_loop(g, &l, ir_int(g, 0), passes(g, m_neg(g, floor_(g, m_neg(g, gap)))), 1, 2, first,
		false);
	Val next[2] = {m_plus(g, l.phi[0], 1),
		       m_add(g, l.phi[1], call(g, "pnn.pow", 2, l.phi[0], minus))};
	ir_loop_end(g, &l, next);
	Val x = l.phi[0], inverse = m_div(g, number(g, 1), x), square = m_mul(g, inverse, inverse);
	double b[TERMS], factorial = 1;
	for (unsigned k = 0; k < TERMS; k++) {
		factorial *= (double)((2 * k + 1) * (2 * k + 2));
		b[k] = BERNOULLI[k] / factorial;
	}
	Val t = number(g, b[TERMS - 1]);
	for (unsigned k = TERMS - 1; k-- > 0;) {
		Val rise = m_mul(g, m_plus(g, s, 2 * k + 1), m_plus(g, s, 2 * k + 2));
		t = ir_fma(g, m_mul(g, m_mul(g, rise, square), t), number(g, 1), number(g, b[k]));
	}
	t = ir_fma(g, m_mul(g, s, inverse), t, number(g, 0.5));
	t = m_add(g, t, m_div(g, x, m_plus(g, s, -1)));
	Val tail = m_mul(g, t, call(g, "pnn.pow", 2, x, minus));
	end(g, m_add(g, l.phi[1], tail), back);
}

static void make_pow(Ir *g)
{
	IrPlace back;
	Val arg[2];
	if (begin(g, "pnn.pow", 2, &back, arg)) {
		end(g, math_pow(g, arg[0], arg[1]), back);
	}
}

static Val either(Ir *g, Val p, Val q)
{
	return LLVMBuildOr(g->b, p, q, "");
}

/* (-1)^(n+1) n! ζ(n+1, a), and what op_polygamma (lang/op_value.h) says of the rest. */
static void make_polygamma(Ir *g)
{
	make_digamma(g);
	make_pow(g);
	make_hurwitz(g);
	IrPlace back;
	Val arg[2];
	if (!begin(g, "pnn.polygamma", 2, &back, arg)) {
		return;
	}
	Val n = arg[0], a = arg[1], one = m_cmpk(g, LLVMRealOEQ, n, 1),
	    minus = m_cmpk(g, LLVMRealOLT, a, 0);
	Val bad = either(g, m_cmpk(g, LLVMRealULT, n, 0), m_cmpk(g, LLVMRealUGT, n, 100));
	bad = either(
		g, bad,
		either(g, m_cmp(g, LLVMRealUNE, n, floor_(g, n)), m_cmp(g, LLVMRealUNO, a, a)));
	Val low = LLVMBuildAnd(g->b, m_cmpk(g, LLVMRealOLT, a, -1e6), LLVMBuildNot(g->b, one, ""),
			       "");
	bad = either(g, bad, either(g, is_pole(g, a), low));
	Val zeroth = m_cmpk(g, LLVMRealOEQ, n, 0), plain = call(g, "pnn.digamma", 1, a, NULL);
	Val mirror = LLVMBuildAnd(g->b, one, minus, "");
	Val x = m_sel(g, mirror, m_sub(g, number(g, 1), a), a);
	Val huge = m_cmpk(g, LLVMRealOGT, x, 1e300), skip = either(g, either(g, bad, huge), zeroth);
	x = m_sel(g, skip, number(g, 20), x);
	Val m = m_sel(g, skip, number(g, 1), n);
	Val y = m_mul(g, call(g, "tgamma", 1, m_plus(g, m, 1), NULL),
		      call(g, "pnn.hurwitz", 2, m_plus(g, m, 1), x));
	Val half = m_times(g, m, 0.5), even = m_cmp(g, LLVMRealOEQ, half, floor_(g, half));
	y = m_sel(g, even, m_neg(g, y), y);
	y = m_sel(g, huge, number(g, 0), y);
	Val sine = call(g, "sin", 1, phase(g, a), NULL);
	y = m_sel(g, mirror, m_sub(g, m_div(g, number(g, PI * PI), m_mul(g, sine, sine)), y), y);
	y = m_sel(g, bad, number(g, NAN), y);
	end(g, m_sel(g, zeroth, plain, y), back);
}

Val math_gamma(Ir *g, Op op, Val a, Val b)
{
	switch (op) {
	case OP_lgamma:
		make_lgamma(g);
		return m_each(g, "pnn.lgamma", a, NULL);
	case OP_digamma:
		make_digamma(g);
		return m_each(g, "pnn.digamma", a, NULL);
	case OP_trigamma:
		make_polygamma(g);
		return m_each(g, "pnn.polygamma", m_real(g, 1, a), a);
	default:
		make_polygamma(g);
		return m_each(g, "pnn.polygamma", a, b);
	}
}
