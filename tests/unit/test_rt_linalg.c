/* test_rt_linalg.c — linear algebra: defining equations, uniqueness, refusals. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/rt_aid.h"

static RtError err;

static double *random_matrix(size_t m, size_t n, uint64_t seed)
{
	double *a = malloc(m * n * sizeof *a);
	rng_fill_normal((RngAddress){.seed = seed}, m * n, a);
	return a;
}

/* c[m,n] = a[m,k] b[k,n] */
static double *product(size_t m, size_t k, size_t n, const double *a, const double *b)
{
	double *c = calloc(m * n, sizeof *c);
	for (size_t i = 0; i < m; i++) {
		for (size_t j = 0; j < n; j++) {
			for (size_t l = 0; l < k; l++) {
				c[i * n + j] += a[i * k + l] * b[l * n + j];
			}
		}
	}
	return c;
}

static double *transposed(size_t m, size_t n, const double *a)
{
	double *b = malloc(m * n * sizeof *b);
	for (size_t i = 0; i < m * n; i++) {
		b[(i % n) * m + i / n] = a[i];
	}
	return b;
}

static double distance(size_t n, const double *a, const double *b)
{
	double worst = 0;
	for (size_t i = 0; i < n; i++) {
		worst = fmax(worst, fabs(a[i] - b[i]));
	}
	return worst;
}

static double from_identity(size_t n, const double *a)
{
	double worst = 0;
	for (size_t i = 0; i < n * n; i++) {
		worst = fmax(worst, fabs(a[i] - (i / n == i % n)));
	}
	return worst;
}

static const size_t sizes[][2] = {{1, 1}, {3, 3}, {7, 4}, {4, 7}, {40, 40}, {64, 9}};
enum { SIZES = sizeof sizes / sizeof *sizes };

Test(linalg, qr)
{
	for (size_t s = 0; s < SIZES; s++) {
		size_t m = sizes[s][0], n = sizes[s][1], k = m < n ? m : n;
		double *a = random_matrix(m, n, s), *q = malloc(m * k * 8), *r = malloc(k * n * 8);
		cr_assert_eq(la_qr(m, n, a, q, r, &err), RT_OK);
		double *back = product(m, k, n, q, r), *t = transposed(m, k, q),
			   *one = product(k, m, k, t, q);
		cr_expect_lt(distance(m * n, a, back), 1e-13);
		cr_expect_lt(from_identity(k, one), 1e-14 * (double)(m + 3));
		for (size_t i = 0; i < k; i++) {
			cr_expect_gt(r[i * n + i], 0);
			for (size_t j = 0; j < i; j++) {
				cr_expect_eq(r[i * n + j], 0);
			}
		}
		free(a), free(q), free(r), free(back), free(t), free(one);
	}
}

Test(linalg, orthogonal)
{
	for (size_t s = 0; s < SIZES; s++) {
		size_t m = sizes[s][0], n = sizes[s][1], k = m < n ? m : n;
		double *a = random_matrix(m, n, s), *q = malloc(m * n * 8);
		cr_assert_eq(la_orthogonal(m, n, a, q, &err), RT_OK);
		double *t = transposed(m, n, q);
		double *one = m >= n ? product(n, m, n, t, q) : product(m, n, m, q, t);
		cr_expect_lt(from_identity(k, one), 1e-14 * (double)(m + n));
		double *again = malloc(m * n * 8);
		cr_assert_eq(la_orthogonal(m, n, q, again, &err), RT_OK);
		cr_expect_lt(distance(m * n, q, again), 1e-13, "an orthogonal matrix is its own Q");
		free(a), free(q), free(t), free(one), free(again);
	}
}

Test(linalg, eigh)
{
	enum { N = 20 };
	double *b = random_matrix(N, N, 1), *t = transposed(N, N, b), *a = product(N, N, N, b, t);
	double w[N], v[N * N], alone[N];
	cr_assert_eq(la_eigh(N, a, w, v, &err), RT_OK);
	double *av = product(N, N, N, a, v), vw[N * N];
	for (size_t i = 0; i < N * N; i++) {
		vw[i] = v[i] * w[i % N];
	}
	cr_expect_lt(distance(N * N, av, vw), 1e-12);
	for (size_t j = 0; j < N; j++) {
		size_t top = 0;
		cr_expect(j == 0 || w[j - 1] <= w[j]);
		for (size_t i = 1; i < N; i++) {
			top = fabs(v[i * N + j]) > fabs(v[top * N + j]) ? i : top;
		}
		cr_expect_gt(v[top * N + j], 0);
	}
	cr_assert_eq(la_eigh(N, a, alone, NULL, &err), RT_OK);
	cr_expect_lt(distance(N, w, alone), 1e-12);
	/* Two-site transverse-field Ising chain, h = 1/2: ground state -sqrt(2). */
	double h[16] = {-1, -.5, -.5, 0, -.5, 1, 0, -.5, -.5, 0, 1, -.5, 0, -.5, -.5, -1};
	cr_assert_eq(la_eigh(4, h, w, NULL, &err), RT_OK);
	cr_expect_float_eq(w[0], -sqrt(2), 1e-15);
	free(b), free(t), free(a), free(av);
}

Test(linalg, svd)
{
	for (size_t s = 0; s < SIZES; s++) {
		size_t m = sizes[s][0], n = sizes[s][1], k = m < n ? m : n;
		double *a = random_matrix(m, n, s), *u = malloc(m * k * 8), *vt = malloc(k * n * 8);
		double sigma[64], alone[64];
		cr_assert_eq(la_svd(m, n, a, u, sigma, vt, &err), RT_OK);
		cr_assert_eq(la_svd(m, n, a, NULL, alone, NULL, &err), RT_OK);
		cr_expect_lt(distance(k, sigma, alone), 1e-13);
		double *us = malloc(m * k * 8), *ut = transposed(m, k, u);
		for (size_t i = 0; i < m * k; i++) {
			us[i] = u[i] * sigma[i % k];
		}
		double *back = product(m, k, n, us, vt), *one = product(k, m, k, ut, u);
		cr_expect_lt(distance(m * n, a, back), 1e-13);
		cr_expect_lt(from_identity(k, one), 1e-13);
		for (size_t i = 0; i < k; i++) {
			cr_expect(sigma[i] > 0 && (i == 0 || sigma[i - 1] >= sigma[i]));
		}
		free(a), free(u), free(vt), free(us), free(ut), free(back), free(one);
	}
}

Test(linalg, solve_inverse_logdet)
{
	enum { N = 30, K = 3 };
	double *a = random_matrix(N, N, 5), *x = random_matrix(N, K, 6), *b = product(N, N, K, a, x);
	double y[N * K], inverse[N * N], logabs, sign;
	cr_assert_eq(la_solve(N, K, a, b, y, &err), RT_OK);
	cr_expect_lt(distance(N * K, x, y), 1e-11);
	cr_assert_eq(la_inverse(N, a, inverse, &err), RT_OK);
	double *one = product(N, N, N, a, inverse);
	cr_expect_lt(from_identity(N, one), 1e-11);
	double known[9] = {10, 20, 0, -30, 5, 10, 2.5, -10, 20};
	cr_assert_eq(la_logdet(3, known, &logabs, &sign, &err), RT_OK);
	cr_expect_float_eq(logabs, 9.581903928408666, 1e-14);
	cr_expect_eq(sign, 1);
	double swap[4] = {0, 2, 3, 0}, flat[4] = {1, 2, 2, 4}, near[4] = {1, 1, 1, 1 + 1e-16};
	cr_assert_eq(la_logdet(2, swap, &logabs, &sign, &err), RT_OK);
	cr_expect(sign == -1 && fabs(logabs - log(6)) < 1e-15);
	cr_assert_eq(la_logdet(2, flat, &logabs, &sign, &err), RT_OK);
	cr_expect(sign == 0 && logabs == -INFINITY);
	cr_expect_eq(la_solve(2, 1, flat, b, y, &err), RT_E_SINGULAR);
	cr_expect(strstr(err.text, "singular"));
	cr_expect_eq(la_inverse(2, near, y, &err), RT_E_SINGULAR);
	free(a), free(x), free(b), free(one);
}

Test(linalg, lstsq)
{
	enum { M = 40, N = 5 };
	double *a = random_matrix(M, N, 7), *b = random_matrix(M, 2, 8);
	double x[N * 2], full[N * N];
	size_t rank;
	cr_assert_eq(la_lstsq(M, N, 2, a, b, x, &rank, &err), RT_OK);
	cr_expect_eq(rank, N);
	double *ax = product(M, N, 2, a, x), *at = transposed(M, N, a);
	for (size_t i = 0; i < M * 2; i++) {
		ax[i] -= b[i];
	}
	double *normal = product(N, M, 2, at, ax), zero[N * 2] = {0};
	cr_expect_lt(distance(N * 2, normal, zero), 1e-12, "the residual is orthogonal to the columns");
	/* x + y = 2: the shortest of all solutions. */
	double wide[2] = {1, 1}, two = 2;
	cr_assert_eq(la_lstsq(1, 2, 1, wide, &two, full, &rank, &err), RT_OK);
	cr_expect(rank == 1 && fabs(full[0] - 1) < 1e-14 && fabs(full[1] - 1) < 1e-14);
	free(a), free(b), free(ax), free(at), free(normal);
}

Test(linalg, expm)
{
	/* 40-digit values, rounded. */
	static const double a[9] = {1, 2, 0, -3, 0.5, 1, 0.25, -1, 2};
	static const double e[9] = {-0.8687395395645826, 0.7073238934331825, 2.0386388230111194,
	                            -0.8061559872733838, -2.0648899244284378, 1.3729813582221508,
	                            3.5286185005104116, -0.8633216524693711, 6.110498581938146};
	static const double e10[9] = {29675897.380866963, -3885585.230569366, 64947258.622187704,
	                              13946785.173627513, -1826335.6225845485, 30530836.69580917,
	                              109112800.77112058, -14294022.040262243, 238811695.2876923};
	double x[9], b[9], zero[4] = {0};
	cr_assert_eq(la_expm(3, a, x, &err), RT_OK);
	cr_expect_lt(distance(9, x, e), 1e-14);
	for (size_t i = 0; i < 9; i++) {
		b[i] = 10 * a[i];
	}
	cr_assert_eq(la_expm(3, b, x, &err), RT_OK);
	cr_expect_lt(distance(9, x, e10), 1e-12 * 238811695);
	cr_assert_eq(la_expm(2, zero, x, &err), RT_OK);
	cr_expect_eq(from_identity(2, x), 0);
	double turn[4] = {0, -100, 100, 0};
	cr_assert_eq(la_expm(2, turn, x, &err), RT_OK);
	cr_expect(fabs(x[0] - cos(100)) < 1e-13 && fabs(x[2] - sin(100)) < 1e-13);
}

Test(linalg, cholesky)
{
	enum { N = 12 };
	double *b = random_matrix(N, N, 3), *t = transposed(N, N, b), *a = product(N, N, N, b, t);
	double l[N * N], bad[4] = {1, 2, 2, 1};
	cr_assert_eq(la_cholesky(N, a, l, &err), RT_OK);
	double *lt = transposed(N, N, l), *back = product(N, N, N, l, lt);
	cr_expect_lt(distance(N * N, a, back), 1e-13);
	cr_expect_eq(l[1], 0);
	cr_expect_eq(la_cholesky(2, bad, l, &err), RT_E_SINGULAR);
	free(b), free(t), free(a), free(lt), free(back);
}

Test(linalg, refusals)
{
	double a[4] = {1, NAN, 0, 1}, x[4], w[2];
	cr_expect_eq(la_eigh(2, a, w, NULL, &err), RT_E_DIVERGED);
	cr_expect(strstr(err.text, "[0, 1]"), "%s", err.text);
	cr_expect_eq(la_expm(2, a, x, &err), RT_E_DIVERGED);
	cr_expect_eq(la_solve(2, 1, a, x, x, &err), RT_E_DIVERGED);
	cr_expect_eq(la_qr(0, 2, a, x, x, &err), RT_E_USAGE);
	cr_expect_eq(la_svd((size_t)1 << 40, 2, a, NULL, x, NULL, &err), RT_E_USAGE);
}

/* Eigenvalues of [[a, -b], [b, a]] are a ± i b; of a triangular matrix, its diagonal. */
Test(linalg, eig)
{
	double turn[4] = {2, -3, 3, 2}, re[3], im[3];
	cr_assert_eq(la_eig(2, turn, re, im, &err), RT_OK);
	cr_expect_float_eq(re[0], 2, 1e-14);
	cr_expect_float_eq(re[1], 2, 1e-14);
	cr_expect_float_eq(im[0], -3, 1e-14);
	cr_expect_float_eq(im[1], 3, 1e-14);
	double triangle[9] = {5, 7, 1, 0, -2, 3, 0, 0, 4};
	cr_assert_eq(la_eig(3, triangle, re, im, &err), RT_OK);
	for (int k = 0; k < 3; k++) {
		cr_expect_float_eq(re[k], ((double[]){-2, 4, 5})[k], 1e-13);
		cr_expect_eq(im[k], 0);
	}
	double bad[4] = {1, NAN, 0, 1};
	cr_expect_eq(la_eig(2, bad, re, im, &err), RT_E_DIVERGED);
}

Test(linalg, det)
{
	double det, a[9] = {2, 1, 0, 1, 3, 1, 0, 1, 4}, swap[4] = {0, 1, 1, 0},
		    singular[4] = {1, 2, 2, 4};
	cr_assert_eq(la_det(3, a, &det, &err), RT_OK);
	cr_expect_float_eq(det, 18, 1e-13);
	cr_assert_eq(la_det(2, swap, &det, &err), RT_OK);
	cr_expect_eq(det, -1);
	cr_assert_eq(la_det(2, singular, &det, &err), RT_OK);
	cr_expect_eq(det, 0);
	cr_expect_not(signbit(det));
}
