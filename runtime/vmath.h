/* vmath.h — elementary functions of whole arrays: y[i] = f(x[i]) for i < n. y may be x; no other
 * overlap.
 *
 * The value of an element depends on that element alone: not on n, its place, the alignment or the
 * vector width. The fast functions use only + - * / and comparisons of doubles, without fused
 * multiply-add, so they give the same bits on every x86-64 processor. Errors are at most 4 units in
 * the last place (measured: tests/unit/test_rt_vmath.c); signed zeros, subnormals, infinities and
 * NaN are those of the C library. */
#ifndef PNN_RUNTIME_VMATH_H
#define PNN_RUNTIME_VMATH_H
#include <stddef.h>

/* Fast, same bits everywhere. */
void vm_exp(size_t n, double *y, const double *x);
void vm_expm1(size_t n, double *y, const double *x);
void vm_log(size_t n, double *y, const double *x);
void vm_log1p(size_t n, double *y, const double *x);
void vm_tanh(size_t n, double *y, const double *x);
void vm_sigmoid(size_t n, double *y, const double *x);  /* 1/(1 + e^-x) */
void vm_softplus(size_t n, double *y, const double *x); /* log(1 + e^x) */
void vm_sqrt(size_t n, double *y, const double *x);
void vm_sin(size_t n, double *y, const double *x);  /* |x| > 2^13 goes to the C library */
void vm_cos(size_t n, double *y, const double *x);
/* Through the C library, one by one. */
void vm_tan(size_t n, double *y, const double *x);
void vm_asin(size_t n, double *y, const double *x);
void vm_acos(size_t n, double *y, const double *x);
void vm_atan(size_t n, double *y, const double *x);
void vm_sinh(size_t n, double *y, const double *x);
void vm_cosh(size_t n, double *y, const double *x);
void vm_erf(size_t n, double *y, const double *x);
void vm_erfc(size_t n, double *y, const double *x);
void vm_lgamma(size_t n, double *y, const double *x);
/* y[i] = a[i]^b[i]; y may be a or b */
void vm_pow(size_t n, double *y, const double *a, const double *b);
void vm_atan2(size_t n, double *y, const double *a, const double *b);
#endif
