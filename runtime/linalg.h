/* linalg.h — dense linear algebra through LAPACKE, for initialisers and for reference values in
 * programs.
 *
 * All matrices are row major and contiguous; inputs are not changed; outputs must not overlap
 * inputs. Sizes of zero are refused (RT_E_USAGE). NaN or infinity in an input gives RT_E_DIVERGED.
 * The same bits on the same machine: OpenBLAS is held to one thread. Where it or LAPACKE is not
 * installed everything gives RT_E_UNSUPPORTED. */
#ifndef PNN_RUNTIME_LINALG_H
#define PNN_RUNTIME_LINALG_H
#include "runtime/status.h"

/* q[m,n] with orthonormal columns (m >= n) or rows (m < n) from a[m,n]: the Q of a = QR (of the
 * transpose if m < n) with the sign of each column such that R has a positive diagonal, which makes
 * it unique; from independent normals it is Haar distributed. */
RtStatus la_orthogonal(size_t m, size_t n, const double *a, double *q, RtError *err);
/* QR: a[m,n] = q[m,k] r[k,n], k = min(m,n), diagonal of r not negative. */
RtStatus la_qr(size_t m, size_t n, const double *a, double *q, double *r, RtError *err);
/* Symmetric eigenproblem: a[n,n] (its lower triangle), values w[n] ascending, vectors as the
 * columns of v[n,n], each with its largest component (the first of equals) positive. v may be NULL.
 * */
RtStatus la_eigh(size_t n, const double *a, double *w, double *v, RtError *err);
/* Eigenvalues of any real matrix, re + i im, by their real part and then their imaginary part. */
RtStatus la_eig(size_t n, const double *a, double *re, double *im, RtError *err);
/* a[m,n] = u[m,k] diag(s[k]) vt[k,n], k = min(m,n), s descending; signs: largest component of each
 * row of vt positive. u and vt may both be NULL. */
RtStatus la_svd(size_t m, size_t n, const double *a, double *u, double *s, double *vt,
                RtError *err);
/* x[n,k] with a[n,n] x = b[n,k]; RT_E_SINGULAR if a pivot is zero or the condition number exceeds
 * 1/eps. */
RtStatus la_solve(size_t n, size_t k, const double *a, const double *b, double *x, RtError *err);
RtStatus la_inverse(size_t n, const double *a, double *x, RtError *err);
/* x[n,k] of least |a x - b| and, among those, of least |x|: a[m,n], b[m,k]; singular values below
 * eps max(m,n) s_1 count as zero. *rank may be NULL. */
RtStatus la_lstsq(size_t m, size_t n, size_t k, const double *a, const double *b, double *x,
                  size_t *rank, RtError *err);
/* log |det a| and the sign of det a (0 with -inf if singular, which is not an error). */
RtStatus la_logdet(size_t n, const double *a, double *logabs, double *sign, RtError *err);
/* det a, the product of the pivots: 0 if singular. */
RtStatus la_det(size_t n, const double *a, double *det, RtError *err);
/* x = exp(a), by scaling and squaring with a Padé approximant of order 13. */
RtStatus la_expm(size_t n, const double *a, double *x, RtError *err);
/* l[n,n] lower with a = l l^T; RT_E_SINGULAR if a is not positive definite. */
RtStatus la_cholesky(size_t n, const double *a, double *l, RtError *err);
#endif
