/* op_value.c — functions of ops.def that libm lacks. Errors: a few units in the last place of the
 * larger terms. */
#include "lang/op_value.h"

#include <stdbool.h>

double op_lgamma(double a)
{
	int sign;
	return lgamma_r(a, &sign);
}

double op_powi(double a, int32_t e)
{
	uint32_t n = e < 0 ? 0u - (uint32_t)e : (uint32_t)e;
	double r = 1;
	for (double p = a; n; n >>= 1) {
		if (n & 1u) {
			r *= p;
		}
		if (n > 1) {
			p *= p;
		}
	}
	return e < 0 ? 1 / r : r;
}

/* B_2k for k = 1…10. */
static const double bernoulli[] = {1.0 / 6,       -1.0 / 30,      1.0 / 42, -1.0 / 30,
				   5.0 / 66,      -691.0 / 2730,  7.0 / 6,  -3617.0 / 510,
				   43867.0 / 798, -174611.0 / 330};
enum { BERNOULLI = sizeof bernoulli / sizeof *bernoulli };

static bool is_pole(double a)
{
	return a <= 0 && a == floor(a);
}

/* ψ has one positive root; near it the recurrence and the series cancel, so the Taylor series about
 * it is summed. */
static double digamma_near_root(double a)
{
	/* root in two parts, and ψ^(k)(root)/k! */
	static const double hi = 1.4616321449683622, lo = 9.549995429965697e-17;
	static const double c[] = {0.96767224544762371, -0.44276316910201497,
				   0.25849976019214098, -0.16394270844290219,
				   0.10782409691614009, -0.072199590146489508};
	double x = (a - hi) - lo, s = 0;
	for (int k = 5; k >= 0; k--) {
		s = s * x + c[k];
	}
	return s * x;
}

/* Asymptotic series ψ(x) ~ log x - 1/2x - Σ B_2k/(2k x^2k) beyond 10, reached by ψ(x) = ψ(x+1) -
 * 1/x. Below 0 by reflection: a - round(a) is exact beside a pole, a - floor(a) is not. */
double op_digamma(double a)
{
	static const double pi = 3.14159265358979323846;
	if (is_pole(a)) {
		return NAN;
	}
	if (a < 0) {
		return op_digamma(1 - a) - pi / tan(pi * (a - round(a)));
	}
	if (fabs(a - 1.4616321449683622) < 1e-3) {
		return digamma_near_root(a);
	}
	double shift = 0;
	while (a < 12) {
		shift += 1 / a;
		a += 1;
	}
	double z = 1 / (a * a), s = 0;
	for (int k = BERNOULLI; k >= 1; k--) {
		s = (s + bernoulli[k - 1] / (2 * k)) * z;
	}
	return log(a) - 0.5 / a - s - shift;
}

/* ζ(s,x) = Σ 1/(x+k)^s for whole s >= 2: terms up to x+k > s+12, then Euler–Maclaurin. */
static double hurwitz(int s, double x)
{
	double sum = 0, far = 12 + s;
	while (x < far) {
		sum += op_powi(x, -s);
		x += 1;
	}
	double p = op_powi(x, -s), tail = p * x / (s - 1) + 0.5 * p;
	double rising = s, term = p / x; /* s(s+1)…(s+2k-2)/(2k)! x^(-s-2k+1) */
	double factorial = 2;
	for (int k = 1; k <= BERNOULLI; k++) {
		tail += bernoulli[k - 1] * rising / factorial * term;
		rising *= (double)(s + 2 * k - 1) * (double)(s + 2 * k);
		factorial *= (double)(2 * k + 1) * (double)(2 * k + 2);
		term /= x * x;
	}
	return sum + tail;
}

double op_polygamma(double n, double a)
{
	static const double pi = 3.14159265358979323846;
	if (n == 0) {
		return op_digamma(a);
	}
	if (!(n >= 1 && n <= 100) || n != floor(n) || a != a || is_pole(a) || (a < -1e6 && n > 1)) {
		return NAN;
	}
	if (a < 0 && n == 1) {
		double s = sin(pi * (a - round(a)));
		return pi * pi / (s * s) - op_polygamma(1, 1 - a);
	}
	if (a > 1e300) {
		return 0;
	}
	int m = (int)n;
	return (m & 1 ? 1 : -1) * tgamma(n + 1) * hurwitz(m + 1, a);
}
