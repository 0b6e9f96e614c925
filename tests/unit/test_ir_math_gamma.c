/* test_ir_math_gamma.c — digamma, trigamma and polygamma as compiled code against quadruple
 * precision. */
#include <criterion/criterion.h>

#include "lang/op_value.h"
#include "tests/unit/ir_aid.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __SIZEOF_FLOAT128__
__extension__ typedef __float128 Quad;
#else
typedef long double Quad;
#endif

static Quad exp_quad(Quad x)
{
	Quad y = 1, term = 1;
	x /= 1024;
	for (int k = 1; k < 16; k++) {
		term *= x / k;
		y += term;
	}
	for (int k = 0; k < 10; k++) {
		y *= y;
	}
	return y;
}

static Quad log_quad(Quad x)
{
	Quad y = logl((long double)x);
	Quad miss = x * exp_quad(-y) - 1;
	return y + miss - miss * miss / 2;
}

/* sin and cos of π f, |f| <= 1/2. */
static void turn(Quad f, Quad *s, Quad *c)
{
	const Quad pi = (Quad)0x1.921fb54442d18p+1 + (Quad)0x1.1a62633145c07p-53;
	Quad x = pi * f, term = 1;
	*s = 0, *c = 0;
	for (int k = 0; k < 40; k++) {
		Quad *to = k & 1 ? s : c;
		*to += k & 2 ? -term : term;
		term *= x / (k + 1);
	}
}

static const double bernoulli[][2] = {{1, 6},       {-1, 30},      {1, 42}, {-1, 30},
				      {5, 66},      {-691, 2730},  {7, 6},  {-3617, 510},
				      {43867, 798}, {-174611, 330}};

static Quad power(Quad x, int n)
{
	Quad y = 1;
	for (int k = 0; k < n; k++) {
		y *= x;
	}
	return y;
}

static double nearest(double a)
{
	return floor(a + 0.5);
}

static Quad digamma_quad(double a)
{
	if (a < 0) {
		Quad s, c, pi = (Quad)0x1.921fb54442d18p+1 + (Quad)0x1.1a62633145c07p-53,
			   x = 1 - (Quad)a, sum = 0;
		turn((Quad)a - nearest(a), &s, &c);
		for (; x < 60; x += 1) {
			sum -= 1 / x;
		}
		Quad z = 1 / (x * x), p = z, y = log_quad(x) - 1 / (2 * x);
		for (int k = 0; k < 10; k++, p *= z) {
			y -= (Quad)bernoulli[k][0] / bernoulli[k][1] / (2 * k + 2) * p;
		}
		return y + sum - pi * c / s;
	}
	Quad x = a, sum = 0;
	for (; x < 60; x += 1) {
		sum -= 1 / x;
	}
	Quad z = 1 / (x * x), p = z, y = log_quad(x) - 1 / (2 * x);
	for (int k = 0; k < 10; k++, p *= z) {
		y -= (Quad)bernoulli[k][0] / bernoulli[k][1] / (2 * k + 2) * p;
	}
	return y + sum;
}

/* (-1)^(n+1) n! Σ (x+k)^-(n+1), by Euler–Maclaurin from x+k > 60 + 2n on. */
static Quad polygamma_quad(int n, double a)
{
	int s = n + 1;
	Quad x = a, sum = 0, factorial = 1;
	for (; x < 60 + 2 * n; x += 1) {
		sum += 1 / power(x, s);
	}
	Quad p = 1 / power(x, s), rising = s, term = p / x, divisor = 2;
	sum += p * x / n + p / 2;
	for (int k = 1; k <= 10; k++) {
		sum += (Quad)bernoulli[k - 1][0] / bernoulli[k - 1][1] * rising / divisor * term;
		rising *= (Quad)(s + 2 * k - 1) * (s + 2 * k);
		divisor *= (Quad)(2 * k + 1) * (2 * k + 2);
		term /= x * x;
	}
	for (int k = 2; k <= n; k++) {
		factorial *= k;
	}
	return (n & 1 ? 1 : -1) * factorial * sum;
}

enum { N = 512 };

/* Positive arguments of all sizes, about the root, then negative ones. */
static double argument(int k)
{
	double u = (double)k * 0.6180339887498949 - floor((double)k * 0.6180339887498949);
	switch (k % 4) {
	case 0:
		return exp(u * 40 - 20);
	case 1:
		return u * 12;
	case 2:
		return 1.4616321449683622 + (u - 0.5) * 1e-3;
	default:
		return -u * 30;
	}
}

/* Errors where the function is small against its terms (left of 0, near its roots there) are
 * counted in units of `least`. */
static void check(JitCode *c, const char *target, Op op, int order, double limit, double least)
{
	static double a[N], b[N], y[N], z[N];
	double worst = 0, at = 0;
	for (int k = 0; k < N; k++) {
		a[k] = op == OP_polygamma ? order : argument(k);
		b[k] = argument(k);
	}
	ir_find(c, op, 1)(y, a, b, N);
	for (int k = 0; k < N; k++) {
		double x = b[k], unit = x < 0 ? least : 0;
		Quad want = order == 0 ? digamma_quad(x) : polygamma_quad(order, x);
		double e = ir_error(y[k], (long double)want, 8);
		e = fabs((double)want) < unit ? fabs((double)((Quad)y[k] - want)) / (unit * 0x1p-53)
					      : e;
		if (e > worst) {
			worst = e, at = x;
		}
	}
	if (getenv("IR_MATH_COUNT")) {
		printf("%-10s %d %-7s %8.3f at %.17g\n", op_info(op)->id, order, target, worst, at);
	}
	cr_expect(worst <= limit, "%s, order %d, %s: %.3g units at %.17g", op_info(op)->id, order,
		  target, worst, at);
	for (int w = 1; w < WIDTHS; w++) {
		ir_find(c, op, ir_widths[w])(z, a, b, N);
		cr_expect(ir_differing(y, z, N, 8) == 0, "%s, %s, %u lanes", op_info(op)->id,
			  target, ir_widths[w]);
	}
}

static const Op ops[] = {OP_digamma, OP_trigamma, OP_polygamma};

Test(ir_gamma, derivatives)
{
	for (int t = 0; t < TARGETS; t++) {
		if (!ir_runs(ir_targets[t])) {
			continue;
		}
		JitCode *c = ir_compile(ir_targets[t], 8, ops, 3);
		check(c, ir_targets[t], OP_digamma, 0, 4, 8);
		check(c, ir_targets[t], OP_trigamma, 1, 6, 1);
		check(c, ir_targets[t], OP_polygamma, 0, 4, 8);
		check(c, ir_targets[t], OP_polygamma, 1, 6, 1);
		check(c, ir_targets[t], OP_polygamma, 2, 6, 30);
		check(c, ir_targets[t], OP_polygamma, 3, 6, 1);
		check(c, ir_targets[t], OP_polygamma, 7, 6, 1);
		jit_free(c);
	}
}

/* Poles, ends, orders that are none: as the reference arithmetic has them; floats are its results
 * rounded. */
Test(ir_gamma, special_values)
{
	static const double at[16] = {0, -0.0, -1,  -7,   INFINITY,    NAN, 1e301, 1e-3,
				      1, 2,    0.5, -0.5, -1e3 - 0.25, 3,   100,   -INFINITY};
	static const double order[16] = {0, 1, 2, 3,  -1, 0.5, 101, NAN,
					 4, 5, 6, 10, 20, 1,   2,   INFINITY};
	for (int t = 0; t < TARGETS; t++) {
		for (unsigned real_bytes = 4; real_bytes <= 8 && ir_runs(ir_targets[t]);
		     real_bytes += 4) {
			JitCode *c = ir_compile(ir_targets[t], real_bytes, ops, 3);
			for (int k = 0; k < 3 * 256; k++) {
				double a[16] = {0}, b[16] = {0}, y[16];
				Op op = ops[k / 256];
				double x = at[k % 16], n = op == OP_polygamma ? order[k / 16 % 16]
									      : op == OP_trigamma;
				ir_put(a, 0, real_bytes, op == OP_polygamma ? n : x);
				ir_put(b, 0, real_bytes, x);
				ir_find(c, op, 1)(y, a, b, 1);
				n = op == OP_polygamma ? ir_get(a, 0, real_bytes) : n;
				x = op == OP_polygamma ? ir_get(b, 0, real_bytes)
						       : ir_get(a, 0, real_bytes);
				double want = op_polygamma(n, x), got = ir_get(y, 0, real_bytes);
				want = real_bytes == 8 ? want : (double)(float)want;
				bool same = want != want ? got != got
					    : isinf(want) || want == 0
						    ? got == want
						    : fabs(got - want) <=
							      fabs(want) * (real_bytes == 8 ? 1e-11
											    : 2e-7);
				cr_expect(same, "%s, order %g at %g: %.17g, not %.17g",
					  op_info(op)->id, n, x, got, want);
			}
			jit_free(c);
		}
	}
}
