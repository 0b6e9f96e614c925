/* op_value.h — what the value column of ops.def uses beside libm: the reference arithmetic of
 * single elements. */
#ifndef PNN_LANG_OP_VALUE_H
#define PNN_LANG_OP_VALUE_H
#include <math.h>
#include <stdint.h>

/* log|Γ(a)| without the sign that libm keeps in a global. */
double op_lgamma(double a);
/* ψ(a), by reflection for a < 0; NaN at the poles 0, -1, … */
double op_digamma(double a);
/* n-th derivative of ψ at a for whole n >= 0, else NaN; NaN at the poles and for a < -1e6 where n
 * >= 2. */
double op_polygamma(double n, double a);
/* a^e by squaring; negative e is 1/a^-e. This is what PROD nodes mean, and the order of
 * multiplications is part of it. */
double op_powi(double a, int32_t e);

static inline double op_sigmoid(double a)
{
	double e = exp(-fabs(a));
	return a >= 0 ? 1 / (1 + e) : e / (1 + e);
}
static inline double op_softplus(double a)
{
	return (a > 0 ? a : a == a ? 0 : a) + log1p(exp(-fabs(a)));
}
static inline double op_sign(double a)
{
	return a > 0 ? 1 : a < 0 ? -1 : a == 0 ? 0 : a;
}
static inline double op_min(double a, double b)
{
	return a <= b || a != a ? a : b;
}
static inline double op_max(double a, double b)
{
	return a >= b || a != a ? a : b;
}
static inline double op_mod(double a, double b)
{
	double r = fmod(a, b);
	return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
static inline int64_t op_idiv(int64_t a, int64_t b)
{
	if (b == 0) {
		return 0;
	}
	if (b == -1) {
		return (int64_t)(0 - (uint64_t)a);
	}
	int64_t q = a / b;
	return a % b != 0 && (a % b < 0) != (b < 0) ? q - 1 : q;
}
static inline int64_t op_imod(int64_t a, int64_t b)
{
	if (b == 0 || b == -1) {
		return 0;
	}
	int64_t r = a % b;
	return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
static inline int64_t op_iabs(int64_t a)
{
	return a < 0 ? (int64_t)(0 - (uint64_t)a) : a;
}
static inline int64_t op_shl(int64_t a, int64_t b)
{
	return b < 0 || b > 63 ? 0 : (int64_t)((uint64_t)a << b);
}
static inline int64_t op_shr(int64_t a, int64_t b)
{
	return a >> (b < 0 || b > 63 ? 63 : b);
}
static inline int64_t op_int(double a)
{
	double f = floor(a);
	return f != f ? 0 : f >= 0x1p63 ? INT64_MAX : f < -0x1p63 ? INT64_MIN : (int64_t)f;
}
#endif
