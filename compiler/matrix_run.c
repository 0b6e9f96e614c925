/* matrix_run.c — operations on whole arrays at run time: for each place around, the argument is
 * gathered into a row-major matrix of doubles, LAPACK or a sort does its work (runtime/linalg.h),
 * and the wanted results are spread to their arrays. SPEC.md, matrices and ordering. */
#include "compiler/matrix_run.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lang/matrix.h"
#include "runtime/linalg.h"
#include "runtime/ordering.h"

/* What one application needs: the argument and at most three results, in the order of the rows of
 * matrix.def. */
typedef struct Work {
	size_t m, n; /* rows, columns */
	double *a, *result[3];
	int64_t *order;
	double tolerance; /* of symmetry, relative to the largest element */
	int64_t first;    /* label of the first place */
} Work;

/* ---- the operations ---- */

/* Makes a symmetric where it differs by rounding. */
static RtStatus symmetrise(const Work *w, RtError *why)
{
	double largest = 0;
	for (size_t i = 0; i < w->n * w->n; i++) {
		largest = fmax(largest, fabs(w->a[i]));
	}
	for (size_t i = 0; i < w->n; i++) {
		for (size_t j = 0; j < i; j++) {
			double *p = &w->a[i * w->n + j], *q = &w->a[j * w->n + i];
			if (fabs(*p - *q) > w->tolerance * largest) {
				return rt_fail(
					why, RT_E_USAGE, NULL, NULL,
					"the matrix is not symmetric: %.6g stands opposite %.6g",
					*p, *q);
			}
			*p = *q = (*p + *q) / 2;
		}
	}
	return RT_OK;
}

/* Each row is found as the solution with the transpose, so that x*a is one to rounding: what is
 * then multiplied by a right side is as accurate as a solution of its own. */
static RtStatus inverse(const Work *w, bool square, RtError *why)
{
	double *t = rt_alloc(2 * w->m * w->n, sizeof *t), *x = t ? t + w->m * w->n : NULL;
	double *one = t && !square ? rt_alloc(w->n * w->n, sizeof *one) : NULL;
	if (!t || (!square && !one)) {
		free(t);
		return rt_fail(why, RT_E_MEMORY, NULL, NULL, "not enough memory for a matrix");
	}
	for (size_t i = 0; i < w->m; i++) {
		for (size_t j = 0; j < w->n; j++) {
			t[j * w->m + i] = w->a[i * w->n + j];
		}
	}
	for (size_t j = 0; one && j < w->n; j++) {
		one[j * w->n + j] = 1;
	}
	RtStatus status = square ? la_inverse(w->n, t, x, why)
				 : la_lstsq(w->n, w->m, w->n, t, one, x, NULL, why);
	for (size_t i = 0; status == RT_OK && i < w->m; i++) { /* x is m by n */
		for (size_t j = 0; j < w->n; j++) {
			w->result[0][j * w->m + i] = x[i * w->n + j];
		}
	}
	free(one);
	free(t);
	return status;
}

static RtStatus order(const Work *w, RedKind red, RtError *why)
{
	RtStatus status = red == RED_SORT   ? ordering_sort(w->m, w->a, w->result[0], why)
			  : red == RED_RANK ? ordering_rank(w->m, w->a, w->result[0], why)
					    : ordering_places(w->m, w->a, w->order, why);
	for (size_t i = 0; red == RED_ORDER && status == RT_OK && i < w->m; i++) {
		w->order[i] += w->first;
	}
	return status;
}

static RtStatus apply(const Work *w, RedKind family, RtError *why)
{
	double *const *r = w->result, sign;
	RtStatus status = RT_OK;
	switch (family) {
	case RED_EIGH_VALUES:
		status = symmetrise(w, why);
		return status == RT_OK ? la_eigh(w->n, w->a, r[0], r[1], why) : status;
	case RED_CHOLESKY:
		status = symmetrise(w, why);
		return status == RT_OK ? la_cholesky(w->n, w->a, r[0], why) : status;
	case RED_EIG_REAL:
		return la_eig(w->n, w->a, r[0], r[1], why);
	case RED_SVD_LEFT:
		return la_svd(w->m, w->n, w->a, r[0], r[1], r[2], why);
	case RED_QR_Q:
		return la_qr(w->m, w->n, w->a, r[0], r[1], why);
	case RED_INVERSE:
	case RED_PSEUDOINVERSE:
		return inverse(w, family == RED_INVERSE, why);
	case RED_LOGDET:
		return la_logdet(w->n, w->a, r[0], &sign, why);
	case RED_DET:
		return la_det(w->n, w->a, r[0], why);
	case RED_EXPM:
		return la_expm(w->n, w->a, r[0], why);
	default:
		return order(w, family, why);
	}
}

/* ---- memory ---- */

static double get(const void *p, int64_t at, unsigned real_bytes)
{
	return real_bytes == sizeof(double) ? ((const double *)p)[at]
					    : (double)((const float *)p)[at];
}

static void put(void *p, int64_t at, unsigned real_bytes, double v)
{
	if (real_bytes == sizeof(double)) {
		((double *)p)[at] = v;
	} else {
		((float *)p)[at] = (float)v;
	}
}

/* Offset of an access at number t of the places around. */
static int64_t around(const MatrixStep *s, const Access *a, int64_t t)
{
	int64_t at = 0;
	for (uint32_t d = s->naround; d-- > 0;) {
		at += t % s->dim[d].size * a->stride[d];
		t /= s->dim[d].size;
	}
	return at;
}

static void gather(const MatrixStep *s, const Work *w, unsigned real_bytes, const void *in,
		   int64_t at)
{
	const int64_t *stride = s->in.stride + s->naround;
	for (size_t i = 0; i < w->m; i++) {
		for (size_t j = 0; j < w->n; j++) {
			int64_t place = at + (int64_t)i * stride[0];
			place += w->n > 1 ? (int64_t)j * stride[1] : 0;
			w->a[i * w->n + j] = get(in, place, real_bytes);
		}
	}
}

static void spread(const MatrixStep *s, const Work *w, unsigned real_bytes, const MatrixOut *o,
		   void *out, int64_t t)
{
	const int64_t *stride = o->at.stride + s->naround;
	const double *from = w->result[o->red - s->family];
	int64_t at = around(s, &o->at, t);
	for (int64_t i = 0; i < o->size[0]; i++) {
		for (int64_t j = 0; j < o->size[1]; j++) {
			int64_t place = at;
			place += o->nresult > 0 ? i * stride[0] : 0;
			place += o->nresult > 1 ? j * stride[1] : 0;
			if (matrix_op(o->red)->integer) {
				((int64_t *)out)[place] = w->order[i];
			} else {
				put(out, place, real_bytes, from[i * o->size[1] + j]);
			}
		}
	}
}

bool matrix_run(const MatrixStep *s, unsigned real_bytes, const void *in, void *const *out,
		RtError *why)
{
	size_t m = (size_t)s->size[0], n = (size_t)s->size[1];
	double *work = rt_alloc(4 * m, n * sizeof(double)); /* no result is larger than a */
	Work w = {.m = m, .n = n, .first = s->first};
	w.tolerance = real_bytes == sizeof(double) ? 1e-9 : 1e-4;
	int64_t *places = rt_alloc(m, sizeof *places), count = 1;
	if (!work || !places) {
		free(work);
		free(places);
		rt_fail(why, RT_E_MEMORY, NULL, NULL, "not enough memory for a matrix");
		return false;
	}
	w.a = work;
	w.order = places;
	for (int k = 0; k < 3; k++) {
		w.result[k] = work + (size_t)(k + 1) * m * n;
	}
	for (uint32_t d = 0; d < s->naround; d++) {
		count *= s->dim[d].size;
	}
	bool good = true;
	for (int64_t t = 0; t < count && good; t++) {
		gather(s, &w, real_bytes, in, around(s, &s->in, t));
		good = apply(&w, s->family, why) == RT_OK;
		for (uint32_t k = 0; k < s->nout && good; k++) {
			spread(s, &w, real_bytes, &s->out[k], out[k], t);
		}
	}
	free(work);
	free(places);
	return good;
}
