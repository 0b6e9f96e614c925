/* linalg.c — dense linear algebra through LAPACKE.
 *
 * LAPACK works in column order, in which a row-major a[m,n] is the transpose. Everything here
 * copies the input into a column-major work matrix (or takes the transpose where that is as good),
 * calls the plain routine, and copies back: no hidden transposes, and the signs that LAPACK leaves
 * free are fixed so that results are unique. */
#include "runtime/linalg.h"
#include "runtime/lapack.h"
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static RtStatus no_memory(RtError *err)
{
	return rt_fail(err, RT_E_MEMORY, NULL, NULL, "not enough memory for a matrix");
}

/* LAPACK is there, sizes fit its integers, and entries are finite. */
static RtStatus check(size_t m, size_t n, const double *a, RtError *err)
{
	if (!lapack_ready()) {
		return rt_fail(err, RT_E_UNSUPPORTED, NULL, NULL,
		               "linear algebra needs the libraries liblapacke.so.3 and libopenblas.so.0, "
		               "which are not installed");
	}
	if (m == 0 || n == 0 || m > INT_MAX || n > INT_MAX || m > SIZE_MAX / sizeof(double) / n) {
		return rt_fail(err, RT_E_USAGE, NULL, NULL, "a matrix of %zu by %zu", m, n);
	}
	for (size_t i = 0; i < m * n; i++) {
		if (!isfinite(a[i])) {
			return rt_fail(err, RT_E_DIVERGED, NULL, NULL, "element [%zu, %zu] is not finite",
			               i / n, i % n);
		}
	}
	return RT_OK;
}

static size_t least(size_t m, size_t n)
{
	return m < n ? m : n;
}

/* The transpose b[n,m] of a[m,n]: row order to column order and back. */
static void transpose(size_t m, size_t n, const double *a, double *b)
{
	for (size_t i = 0; i < m; i++) {
		for (size_t j = 0; j < n; j++) {
			b[j * m + i] = a[i * n + j];
		}
	}
}

static double *column_major(size_t m, size_t n, const double *a)
{
	double *b = rt_alloc(m * n, sizeof *b);
	if (b) {
		transpose(m, n, a, b);
	}
	return b;
}

/* Reports what LAPACK's info says when it is not 0: info < 0 would be our own mistake, or memory.
 * */
static RtStatus outcome(lapack_int info, RtStatus status, const char *what, RtError *err)
{
	if (info == 0) {
		return RT_OK;
	}
	if (info < 0) {
		return no_memory(err);
	}
	return rt_fail(err, status, NULL, NULL, "%s", what);
}

RtStatus la_qr(size_t m, size_t n, const double *a, double *q, double *r, RtError *err)
{
	RtStatus status = check(m, n, a, err);
	if (status != RT_OK) {
		return status;
	}
	size_t k = least(m, n);
	double *w = column_major(m, n, a), *tau = rt_alloc(2 * k, sizeof *tau);
	double *flip = tau ? tau + k : NULL; /* signs that make the diagonal of r positive */
	lapack_int info = -1, im = (lapack_int)m, in = (lapack_int)n, ik = (lapack_int)k;
	if (w && tau) {
		info = LAPACK(dgeqrf)(LAPACK_COL_MAJOR, im, in, w, im, tau);
	}
	for (size_t i = 0; info == 0 && i < k; i++) {
		flip[i] = w[i * m + i] < 0 ? -1 : 1;
		for (size_t j = 0; j < n; j++) {
			r[i * n + j] = j < i ? 0 : flip[i] * w[j * m + i];
		}
	}
	info = info == 0 ? LAPACK(dorgqr)(LAPACK_COL_MAJOR, im, ik, ik, w, im, tau) : info;
	for (size_t i = 0; info == 0 && i < m * k; i++) {
		q[i] = flip[i % k] * w[(i % k) * m + i / k];
	}
	free(w);
	free(tau);
	return outcome(info, RT_E_DIVERGED, "the QR factors were not found", err);
}

RtStatus la_orthogonal(size_t m, size_t n, const double *a, double *q, RtError *err)
{
	RtStatus status = check(m, n, a, err);
	if (status != RT_OK) {
		return status;
	}
	size_t k = least(m, n), big = m + n - k;
	double *r = rt_alloc(k * k, sizeof *r), *w = rt_alloc(2 * m * n, sizeof *w);
	status = r && w ? RT_OK : no_memory(err);
	if (status == RT_OK && m >= n) {
		status = la_qr(m, n, a, q, r, err);
	} else if (status == RT_OK) {
		transpose(m, n, a, w);
		status = la_qr(big, k, w, w + m * n, r, err);
		if (status == RT_OK) {
			transpose(big, k, w + m * n, q);
		}
	}
	free(r);
	free(w);
	return status;
}

/* -1 if the component of x (n of them, stride apart) that is largest in size is negative. The first
 * of equals. */
static double sign_of_largest(const double *x, size_t n, size_t stride)
{
	size_t at = 0;
	for (size_t i = 1; i < n; i++) {
		if (fabs(x[i * stride]) > fabs(x[at * stride])) {
			at = i;
		}
	}
	return x[at * stride] < 0 ? -1 : 1;
}

RtStatus la_eigh(size_t n, const double *a, double *w, double *v, RtError *err)
{
	RtStatus status = check(n, n, a, err);
	if (status != RT_OK) {
		return status;
	}
	double *z = rt_alloc(n * n, sizeof *z);
	lapack_int info = -1, in = (lapack_int)n;
	if (z) {
		memcpy(z, a, n * n * sizeof *z); /* the lower triangle by rows is the upper by columns */
		info = LAPACK(dsyevd)(LAPACK_COL_MAJOR, v ? 'V' : 'N', 'U', in, z, in, w);
	}
	for (size_t j = 0; info == 0 && v && j < n; j++) {
		double sign = sign_of_largest(z + j * n, n, 1);
		for (size_t i = 0; i < n; i++) {
			v[i * n + j] = sign * z[j * n + i];
		}
	}
	free(z);
	return outcome(info, RT_E_DIVERGED, "the eigenvalues did not converge", err);
}

typedef struct Complex {
	double re, im;
} Complex;

static int by_parts(const void *x, const void *y)
{
	const Complex *a = x, *b = y;
	double p = a->re != b->re ? a->re : a->im, q = a->re != b->re ? b->re : b->im;
	return p < q ? -1 : p > q;
}

RtStatus la_eig(size_t n, const double *a, double *re, double *im, RtError *err)
{
	RtStatus status = check(n, n, a, err);
	if (status != RT_OK) {
		return status;
	}
	double *w = column_major(n, n, a), unused[1];
	Complex *value = rt_alloc(n, sizeof *value);
	lapack_int info = -1, in = (lapack_int)n;
	if (w && value) {
		info = LAPACK(dgeev)(LAPACK_COL_MAJOR, 'N', 'N', in, w, in, re, im, unused, 1, unused, 1);
	}
	for (size_t i = 0; info == 0 && i < n; i++) {
		value[i] = (Complex){re[i], im[i]};
	}
	if (info == 0) {
		qsort(value, n, sizeof *value, by_parts);
	}
	for (size_t i = 0; info == 0 && i < n; i++) {
		re[i] = value[i].re;
		im[i] = value[i].im;
	}
	free(w);
	free(value);
	return outcome(info, RT_E_DIVERGED, "the eigenvalues did not converge", err);
}

RtStatus la_svd(size_t m, size_t n, const double *a, double *u, double *s, double *vt,
                RtError *err)
{
	RtStatus status = check(m, n, a, err);
	if (status != RT_OK) {
		return status;
	}
	size_t k = least(m, n);
	bool vectors = u && vt;
	double *w = column_major(m, n, a);
	double *cu = vectors ? rt_alloc(m * k, sizeof *cu) : NULL;
	double *cv = vectors ? rt_alloc(k * n, sizeof *cv) : NULL;
	lapack_int info = -1, im = (lapack_int)m, in = (lapack_int)n, ik = (lapack_int)k;
	if (w && (!vectors || (cu && cv))) {
		info = LAPACK(dgesdd)(LAPACK_COL_MAJOR, vectors ? 'S' : 'N', im, in, w, im, s, cu, im, cv,
		                      ik);
	}
	for (size_t r = 0; info == 0 && vectors && r < k; r++) {
		double sign = sign_of_largest(cv + r, n, k);
		for (size_t j = 0; j < n; j++) {
			vt[r * n + j] = sign * cv[j * k + r];
		}
		for (size_t i = 0; i < m; i++) {
			u[i * k + r] = sign * cu[r * m + i];
		}
	}
	free(w);
	free(cu);
	free(cv);
	return outcome(info, RT_E_DIVERGED, "the singular values did not converge", err);
}

/* LU factors of a (column order) with their pivots, and 1/condition in the 1-norm. lu and pivot are
 * the caller's. */
static RtStatus factor(size_t n, const double *a, double *lu, lapack_int *pivot, double *rcond,
                       RtError *err)
{
	lapack_int in = (lapack_int)n;
	transpose(n, n, a, lu);
	double norm = 0;
	for (size_t j = 0; j < n; j++) {
		double sum = 0;
		for (size_t i = 0; i < n; i++) {
			sum += fabs(lu[j * n + i]);
		}
		norm = sum > norm ? sum : norm;
	}
	lapack_int info = LAPACK(dgetrf)(LAPACK_COL_MAJOR, in, in, lu, in, pivot);
	if (info < 0) {
		return no_memory(err);
	}
	*rcond = 0;
	if (info == 0) {
		info = LAPACK(dgecon)(LAPACK_COL_MAJOR, '1', in, lu, in, norm, rcond);
	}
	return info < 0 ? no_memory(err) : RT_OK;
}

RtStatus la_solve(size_t n, size_t k, const double *a, const double *b, double *x, RtError *err)
{
	RtStatus status = check(n, n, a, err);
	status = status == RT_OK ? check(n, k, b, err) : status;
	if (status != RT_OK) {
		return status;
	}
	double *lu = rt_alloc(n * n, sizeof *lu), *w = column_major(n, k, b), rcond = 0;
	lapack_int *pivot = rt_alloc(n, sizeof *pivot), in = (lapack_int)n;
	status = lu && w && pivot ? factor(n, a, lu, pivot, &rcond, err) : no_memory(err);
	if (status == RT_OK && !(rcond >= DBL_EPSILON)) {
		status = rt_fail(err, RT_E_SINGULAR, NULL, NULL,
		                 "the matrix is singular (1/condition %.1e)", rcond);
	}
	if (status == RT_OK) {
		lapack_int info = LAPACK(dgetrs)(LAPACK_COL_MAJOR, 'N', in, (lapack_int)k, lu, in, pivot, w,
		                                 in);
		status = outcome(info, RT_E_SINGULAR, "the matrix is singular", err);
	}
	if (status == RT_OK) {
		transpose(k, n, w, x);
	}
	free(lu);
	free(w);
	free(pivot);
	return status;
}

RtStatus la_inverse(size_t n, const double *a, double *x, RtError *err)
{
	RtStatus status = check(n, n, a, err);
	if (status != RT_OK) {
		return status;
	}
	double *one = rt_alloc(n * n, sizeof *one);
	if (!one) {
		return no_memory(err);
	}
	for (size_t i = 0; i < n; i++) {
		one[i * n + i] = 1;
	}
	status = la_solve(n, n, a, one, x, err);
	free(one);
	return status;
}

RtStatus la_lstsq(size_t m, size_t n, size_t k, const double *a, const double *b, double *x,
                  size_t *rank, RtError *err)
{
	RtStatus status = check(m, n, a, err);
	status = status == RT_OK ? check(m, k, b, err) : status;
	if (status != RT_OK) {
		return status;
	}
	size_t rows = m > n ? m : n; /* b is replaced by the longer of b and x */
	double *w = column_major(m, n, a), *c = rt_alloc(rows * k, sizeof *c);
	double *s = rt_alloc(least(m, n), sizeof *s), cut = DBL_EPSILON * (double)rows;
	lapack_int info = -1, found = 0;
	if (w && c && s) {
		for (size_t i = 0; i < m * k; i++) {
			c[(i % k) * rows + i / k] = b[i];
		}
		info = LAPACK(dgelsd)(LAPACK_COL_MAJOR, (lapack_int)m, (lapack_int)n, (lapack_int)k, w,
		                      (lapack_int)m, c, (lapack_int)rows, s, cut, &found);
	}
	for (size_t i = 0; info == 0 && i < n * k; i++) {
		x[i] = c[(i % k) * rows + i / k];
	}
	if (rank) {
		*rank = (size_t)found;
	}
	free(w);
	free(c);
	free(s);
	return outcome(info, RT_E_DIVERGED, "the singular values did not converge", err);
}

RtStatus la_logdet(size_t n, const double *a, double *logabs, double *sign, RtError *err)
{
	RtStatus status = check(n, n, a, err);
	if (status != RT_OK) {
		return status;
	}
	double *lu = rt_alloc(n * n, sizeof *lu), rcond;
	lapack_int *pivot = rt_alloc(n, sizeof *pivot);
	status = lu && pivot ? factor(n, a, lu, pivot, &rcond, err) : no_memory(err);
	*logabs = 0;
	*sign = 1;
	for (size_t i = 0; status == RT_OK && i < n; i++) {
		double d = lu[i * n + i];
		*logabs += log(fabs(d));
		*sign *= d == 0 ? 0 : d < 0 ? -1 : 1;
		*sign *= pivot[i] == (lapack_int)i + 1 ? 1 : -1;
	}
	if (status == RT_OK && *sign == 0) {
		*sign = 0; /* not -0 */
		*logabs = -INFINITY;
	}
	free(lu);
	free(pivot);
	return status;
}

RtStatus la_det(size_t n, const double *a, double *det, RtError *err)
{
	RtStatus status = check(n, n, a, err);
	if (status != RT_OK) {
		return status;
	}
	double *lu = rt_alloc(n * n, sizeof *lu), rcond;
	lapack_int *pivot = rt_alloc(n, sizeof *pivot);
	status = lu && pivot ? factor(n, a, lu, pivot, &rcond, err) : no_memory(err);
	*det = 1;
	for (size_t i = 0; status == RT_OK && i < n; i++) {
		*det *= pivot[i] == (lapack_int)i + 1 ? lu[i * n + i] : -lu[i * n + i];
	}
	*det += 0.0; /* not -0 */
	free(lu);
	free(pivot);
	return status;
}

RtStatus la_cholesky(size_t n, const double *a, double *l, RtError *err)
{
	RtStatus status = check(n, n, a, err);
	if (status != RT_OK) {
		return status;
	}
	double *w = rt_alloc(n * n, sizeof *w);
	lapack_int info = -1, in = (lapack_int)n;
	if (w) {
		memcpy(w, a, n * n * sizeof *w); /* lower by rows is upper by columns: a = u^T u, l = u^T */
		info = LAPACK(dpotrf)(LAPACK_COL_MAJOR, 'U', in, w, in);
	}
	for (size_t i = 0; info == 0 && i < n * n; i++) {
		l[i] = i % n <= i / n ? w[i] : 0;
	}
	free(w);
	return outcome(info, RT_E_SINGULAR, "the matrix is not positive definite", err);
}

static void multiply(size_t n, const double *a, const double *b, double *c)
{
	int in = (int)n;
	BLAS(dgemm)(CblasRowMajor, CblasNoTrans, CblasNoTrans, in, in, in, 1, a, in, b, in, 0, c, in);
}

/* The approximant of order 13 of e^a for |a| <= 5.37 (Higham, SIAM J. Matrix Anal. Appl. 26 (2005)
 * 1179):
 *     r = (v - u)^-1 (v + u),  u = a (a6 (b13 a6 + b11 a4 + b9 a2) + b7 a6 + b5 a4 + b3 a2 + b1),
 *     v = a6 (b12 a6 + b10 a4 + b8 a2) + b6 a6 + b4 a4 + b2 a2 + b0.
 * work holds 8 matrices, the first of which is a. */
static void pade(size_t n, double *work, double **numerator, double **denominator)
{
	static const double b[14] = { /* (26-k)! 13! / (26! k! (13-k)!) */
	    1.0, 0.5, 0.12, 0.018333333333333333, 0.0019927536231884057, 0.00016304347826086958,
	    1.0351966873706003e-05, 5.175983436853002e-07, 2.0431513566525008e-08,
	    6.306022705717595e-10, 1.48377004840414e-11, 2.529153491597966e-13,
	    2.8101705462199623e-15, 1.5440497506703088e-17};
	size_t nn = n * n;
	double *a = work, *a2 = a + nn, *a4 = a2 + nn, *a6 = a4 + nn;
	double *odd = a6 + nn, *even = odd + nn, *t = even + nn, *u = t + nn;
	multiply(n, a, a, a2);
	multiply(n, a2, a2, a4);
	multiply(n, a4, a2, a6);
	for (size_t i = 0; i < nn; i++) {
		odd[i] = b[13] * a6[i] + b[11] * a4[i] + b[9] * a2[i];
		even[i] = b[12] * a6[i] + b[10] * a4[i] + b[8] * a2[i];
	}
	multiply(n, a6, odd, t);
	for (size_t i = 0; i < nn; i++) {
		double one = i / n == i % n ? b[1] : 0;
		t[i] += b[7] * a6[i] + b[5] * a4[i] + b[3] * a2[i] + one;
	}
	multiply(n, a, t, u);
	multiply(n, a6, even, t);
	for (size_t i = 0; i < nn; i++) {
		double one = i / n == i % n ? b[0] : 0;
		double v = t[i] + b[6] * a6[i] + b[4] * a4[i] + b[2] * a2[i] + one;
		odd[i] = v + u[i];
		even[i] = v - u[i];
	}
	*numerator = odd;
	*denominator = even;
}

/* Halvings after which the 1-norm of a is at most 5.37. */
static int halvings(size_t n, const double *a)
{
	double norm = 0;
	for (size_t j = 0; j < n; j++) {
		double sum = 0;
		for (size_t i = 0; i < n; i++) {
			sum += fabs(a[i * n + j]);
		}
		norm = sum > norm ? sum : norm;
	}
	int e = 0;
	(void)frexp(norm / 5.371920351148152, &e);
	return norm <= 5.371920351148152 ? 0 : e;
}

RtStatus la_expm(size_t n, const double *a, double *x, RtError *err)
{
	RtStatus status = check(n, n, a, err);
	if (status != RT_OK) {
		return status;
	}
	size_t nn = n * n;
	double *work = nn < SIZE_MAX / 8 ? rt_alloc(8 * nn, sizeof *work) : NULL, *p, *q;
	if (!work) {
		return no_memory(err);
	}
	int s = halvings(n, a);
	for (size_t i = 0; i < nn; i++) {
		work[i] = ldexp(a[i], -s);
	}
	pade(n, work, &p, &q);
	status = la_solve(n, n, q, p, x, err);
	for (int i = 0; status == RT_OK && i < s; i++) {
		multiply(n, x, x, work);
		memcpy(x, work, nn * sizeof *x);
	}
	free(work);
	return status;
}
