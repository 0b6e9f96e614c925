/* test_rt_rng.c — random numbers against published vectors and their own promises; point sets. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/rt_aid.h"

/* Known answers of the Random123 distribution (kat_vectors, philox4x64 with 10 rounds). */
Test(rng, philox)
{
	static const struct {
		uint64_t counter[4], key[2], answer[4];
	} known[] = {
	    {{0, 0, 0, 0}, {0, 0},
	     {0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b}},
	    {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}, {UINT64_MAX, UINT64_MAX},
	     {0x87b092c3013fe90b, 0x438c3c67be8d0224, 0x9cc7d7c69cd777b6, 0xa09caebf594f0ba0}},
	    {{0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89},
	     {0x452821e638d01377, 0xbe5466cf34e90c6c},
	     {0xa528f45403e61d95, 0x38c72dbd566e9788, 0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6}},
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		uint64_t out[4];
		rng_philox(known[i].counter, known[i].key, out);
		cr_expect(memcmp(out, known[i].answer, sizeof out) == 0, "vector %zu", i);
	}
}

/* An address means the words that rng.h says. */
Test(rng, addresses)
{
	const uint64_t counter[4] = {7, 25, 11, 12 | (uint64_t)13 << 32}, key[2] = {5, 6};
	uint64_t out[4];
	rng_philox(counter, key, out);
	for (uint64_t k = 0; k < 4; k++) {
		cr_expect_eq(rng_bits((RngAddress){5, 6, 7, {100 + k, 11, 12, 13}}), out[k]);
	}
	RngAddress at = {1, 2, 3, {5, 4, 5, 6}};
	uint64_t bits[23];
	double u[23], z[23];
	rng_fill_bits(at, 23, bits);
	rng_fill_uniform(at, 23, u);
	rng_fill_normal(at, 23, z);
	for (size_t i = 0; i < 23; i++) {
		RngAddress one = at;
		one.index[0] += i;
		cr_expect_eq(bits[i], rng_bits(one));
		cr_expect_eq(u[i], rng_uniform(one));
		cr_expect_eq(z[i], rng_normal(one));
	}
}

Test(rng, neighbours_differ)
{
	uint64_t seen[4096];
	size_t n = 0;
	for (uint64_t v = 0; v < 7; v++) {
		for (uint64_t d = 1; d <= 500; d++) {
			RngAddress at = {1, 1, 1, {1, 1, 1, 1}};
			uint64_t *word[7] = {&at.seed, &at.stream, &at.step, at.index, at.index + 1,
			                     at.index + 2, at.index + 3};
			*word[v] += d;
			seen[n++] = rng_bits(at);
		}
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < i; j++) {
			cr_assert_neq(seen[i], seen[j]);
		}
	}
	RngAddress huge = {1, 1, 1, {1, 1, (uint64_t)1 << 40, 3}}, other = huge;
	other.index[3] = 4;
	cr_expect_neq(rng_bits(huge), rng_bits(other));
}

Test(rng, uniform_and_normal_moments)
{
	enum { N = 200000 };
	double *u = malloc(N * sizeof *u), *z = malloc(N * sizeof *z);
	RngAddress at = {42, 0, 0, {0, 0, 0, 0}};
	rng_fill_uniform(at, N, u);
	rng_fill_normal(at, N, z);
	double mean = 0, square = 0, third = 0, fourth = 0, least = 1, most = 0;
	for (size_t i = 0; i < N; i++) {
		mean += u[i] / N;
		least = fmin(least, u[i]);
		most = fmax(most, u[i]);
		square += z[i] * z[i] / N;
		third += z[i] * z[i] * z[i] / N;
		fourth += z[i] * z[i] * z[i] * z[i] / N;
	}
	/* Five standard errors of each. */
	cr_expect_float_eq(mean, 0.5, 5 * 0.2887 / sqrt(N));
	cr_expect_float_eq(square, 1, 5 * sqrt(2.0 / N));
	cr_expect_float_eq(third, 0, 5 * sqrt(15.0 / N));
	cr_expect_float_eq(fourth, 3, 5 * sqrt(96.0 / N));
	cr_expect(least > 0 && most < 1 && least < 1e-4 && most > 0.9999);
	free(u);
	free(z);
}

Test(rng, quantile)
{
	static const struct { /* 40 digits, rounded */
		double p, z;
	} known[] = {{0.5, 0},
	             {0.3, -0.5244005127080408},
	             {0.075, -1.439531470938456},
	             {1e-3, -3.0902323061678136},
	             {1e-10, -6.361340902404057},
	             {0x1p-53, -8.209536151601387},
	             {1e-300, -37.0470962993612},
	             {0.9, 1.2815515655446006},
	             {0.925, 1.4395314709384561}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		double z = rng_normal_quantile(known[i].p);
		cr_expect(fabs(z - known[i].z) <= 1e-15 * fabs(known[i].z), "%g: %.17g", known[i].p, z);
	}
	cr_expect_eq(rng_normal_quantile(0), -INFINITY);
	cr_expect_eq(rng_normal_quantile(1), INFINITY);
	cr_expect(isnan(rng_normal_quantile(-0.1)) && isnan(rng_normal_quantile(1.1)));
	cr_expect(isnan(rng_normal_quantile(NAN)));
	for (uint64_t i = 0; i < 2000; i++) { /* symmetric, and the inverse of the distribution */
		double p = rng_uniform((RngAddress){9, 0, 0, {i, 0, 0, 0}}), z = rng_normal_quantile(p);
		cr_expect_eq(z, -rng_normal_quantile(1 - p));
		cr_expect_float_eq(erfc(-z / sqrt(2)) / 2, p, 4e-16);
	}
}

Test(rng, below)
{
	size_t count[7] = {0};
	for (uint64_t i = 0; i < 70000; i++) {
		uint64_t k = rng_below((RngAddress){3, 4, 5, {i, 0, 0, 0}}, 7);
		cr_assert_lt(k, 7);
		count[k]++;
	}
	for (size_t k = 0; k < 7; k++) {
		cr_expect_float_eq((double)count[k], 10000, 5 * sqrt(10000 * 6.0 / 7));
	}
	cr_expect_eq(rng_below((RngAddress){.seed = 1}, 1), 0);
	uint64_t n = ((uint64_t)1 << 63) + 1; /* nearly half of all words are rejected */
	uint64_t high = 0;
	for (uint64_t i = 0; i < 1000; i++) {
		uint64_t k = rng_below((RngAddress){3, 4, 5, {i, 0, 0, 0}}, n);
		cr_assert_lt(k, n);
		high += k >= n / 2;
	}
	cr_expect(high > 400 && high < 600, "%zu", (size_t)high);
}

Test(rng, permutations)
{
	enum { N = 1000 };
	size_t a[N], b[N], c[N], seen[N] = {0}, fixed = 0;
	rng_permutation(1, 2, 3, N, a);
	rng_permutation(1, 2, 3, N, b);
	rng_permutation(1, 2, 4, N, c);
	for (size_t i = 0; i < N; i++) {
		cr_assert_lt(a[i], N);
		seen[a[i]]++;
		fixed += a[i] == c[i];
	}
	for (size_t i = 0; i < N; i++) {
		cr_expect_eq(seen[i], 1);
	}
	cr_expect(memcmp(a, b, sizeof a) == 0);
	cr_expect_lt(fixed, 15);
	size_t first[6] = {0};
	for (uint64_t s = 0; s < 6000; s++) { /* all six orders of three, equally often */
		rng_permutation(s, 0, 0, 3, a);
		first[a[0] * 2 + (a[1] > a[2])]++;
	}
	for (size_t k = 0; k < 6; k++) {
		cr_expect_float_eq((double)first[k], 1000, 5 * sqrt(1000 * 5.0 / 6));
	}
	rng_permutation(1, 2, 3, 0, a);
	rng_permutation(1, 2, 3, 1, a);
	cr_expect_eq(a[0], 0);
	cr_expect_neq(rng_stream("a", 1), rng_stream("b", 1));
	cr_expect_neq(rng_stream("a", 1), rng_stream("a\0", 2));
}

static RtError err;

static double *fill(PointsSpec s)
{
	double *x = malloc(s.n * s.d * sizeof *x);
	cr_assert_eq(points_fill(&s, x, &err), RT_OK, "%s", err.text);
	return x;
}

Test(points, sobol)
{
	/* Point 37 of 21 dimensions, from an independent implementation of the same direction numbers.
	 */
	static const double point[21] = {
	    0x1.d8p-1, 0x1.48p-1, 0x1.28p-1, 0x1.d8p-1, 0x1.88p-1, 0x1.3p-2,  0x1.6p-3,
	    0x1.98p-1, 0x1.38p-1, 0x1.6p-3,  0x1p-6,    0x1.4p-4,  0x1.28p-1, 0x1.b8p-1,
	    0x1.cp-4,  0x1.fp-2,  0x1.98p-1, 0x1.bp-2,  0x1.8p-5,  0x1.2p-3,  0x1.e8p-1};
	enum { N = 1024, D = 21 };
	double *x = fill((PointsSpec){POINTS_SOBOL, N, D, 0, 0, 0, false});
	double *y = fill((PointsSpec){POINTS_SOBOL, N, D, 5, 6, 7, true});
	double *z = fill((PointsSpec){POINTS_SOBOL, N, D, 5, 6, 8, true});
	cr_expect(memcmp(x + 37 * D, point, sizeof point) == 0);
	cr_expect(memcmp(y, z, N * D * sizeof *y) != 0, "the step moves them");
	for (size_t c = 0; c < D; c++) { /* each coordinate meets each of N equal cells once */
		size_t plain[N] = {0}, shifted[N] = {0};
		for (size_t i = 0; i < N; i++) {
			cr_assert(y[i * D + c] > 0 && y[i * D + c] < 1);
			plain[(size_t)(x[i * D + c] * N)]++;
			shifted[(size_t)(y[i * D + c] * N)]++;
		}
		for (size_t k = 0; k < N; k++) {
			cr_assert(plain[k] == 1 && shifted[k] == 1, "coordinate %zu", c);
		}
	}
	size_t cell[32][32] = {{0}}; /* the first two: a (0, m, 2)-net, each elementary box once */
	for (size_t i = 0; i < N; i++) {
		cell[(size_t)(y[i * D] * 32)][(size_t)(y[i * D + 1] * 32)]++;
	}
	for (size_t k = 0; k < N; k++) {
		cr_expect_eq(cell[k / 32][k % 32], 1);
	}
	free(x);
	free(y);
	free(z);
}

Test(points, halton_and_hammersley)
{
	double *x = fill((PointsSpec){POINTS_HALTON, 9, 2, 0, 0, 0, false});
	static const double two[9] = {1. / 2, 1. / 4, 3. / 4, 1. / 8, 5. / 8, 3. / 8, 7. / 8, 1. / 16,
	                              9. / 16};
	static const double three[9] = {1. / 3, 2. / 3, 1. / 9, 4. / 9, 7. / 9, 2. / 9, 5. / 9, 8. / 9,
	                                1. / 27};
	for (size_t i = 0; i < 9; i++) {
		cr_expect_eq(x[2 * i], two[i]);
		cr_expect_float_eq(x[2 * i + 1], three[i], 1e-16);
	}
	free(x);
	x = fill((PointsSpec){POINTS_HAMMERSLEY, 4, 3, 0, 0, 0, false});
	static const double four[12] = {.125, 0, 0, .375, .5, 1. / 3, .625, .25, 2. / 3, .875, .75,
	                                1. / 9};
	for (size_t i = 0; i < 12; i++) {
		cr_expect_float_eq(x[i], four[i], 1e-16);
	}
	free(x);
	double *a = fill((PointsSpec){POINTS_HALTON, 100, 32, 1, 0, 0, true});
	double *b = fill((PointsSpec){POINTS_HALTON, 100, 32, 2, 0, 0, true});
	for (size_t i = 0; i < 3200; i++) {
		cr_assert(a[i] >= 0 && a[i] < 1 && a[i] != b[i]);
	}
	free(a);
	free(b);
}

Test(points, latin_uniform_normal_grid)
{
	enum { N = 500, D = 3 };
	double *x = fill((PointsSpec){POINTS_LATIN, N, D, 1, 2, 3, false});
	for (size_t c = 0; c < D; c++) {
		size_t cell[N] = {0};
		for (size_t i = 0; i < N; i++) {
			cr_assert(x[i * D + c] > 0 && x[i * D + c] < 1);
			cell[(size_t)(x[i * D + c] * N)]++;
		}
		for (size_t k = 0; k < N; k++) {
			cr_assert_eq(cell[k], 1);
		}
	}
	double corner = 0;
	for (size_t i = 0; i < N; i++) {
		corner += (x[i * D] - 0.5) * (x[i * D + 1] - 0.5) * 12 / N;
	}
	cr_expect_float_eq(corner, 0, 5 / sqrt(N)); /* coordinates are shuffled independently */
	free(x);
	double *u = fill((PointsSpec){POINTS_UNIFORM, N, D, 1, 2, 3, false});
	double *v = fill((PointsSpec){POINTS_UNIFORM, 2 * N, D, 1, 2, 3, false});
	cr_expect(memcmp(u, v, N * D * sizeof *u) == 0, "more points begin with the fewer");
	free(u);
	free(v);
	double *z = fill((PointsSpec){POINTS_NORMAL, N, D, 1, 2, 3, false});
	double square = 0;
	for (size_t i = 0; i < N * D; i++) {
		square += z[i] * z[i] / (N * D);
	}
	cr_expect_float_eq(square, 1, 5 * sqrt(2.0 / (N * D)));
	free(z);
	x = fill((PointsSpec){POINTS_GRID, 9, 2, 0, 0, 0, false});
	static const double nine[18] = {0, 0, 0, .5, 0, 1, .5, 0, .5, .5, .5, 1, 1, 0, 1, .5, 1, 1};
	cr_expect(memcmp(x, nine, sizeof nine) == 0);
	free(x);
	double g[6];
	cr_expect_eq(points_grid((size_t[]){1, 3}, 2, g, &err), RT_OK);
	cr_expect(g[0] == 0.5 && g[1] == 0 && g[3] == 0.5 && g[5] == 1);
}

Test(points, refusals)
{
	static const PointsSpec bad[] = {{POINTS_SOBOL, 4, 22, 0, 0, 0, false},
	                                 {POINTS_HALTON, 4, 33, 0, 0, 0, false},
	                                 {POINTS_UNIFORM, 4, 0, 0, 0, 0, false},
	                                 {POINTS_GRID, 10, 2, 0, 0, 0, false},
	                                 {POINTS_GRID, 0, 2, 0, 0, 0, false},
	                                 {POINTS_UNIFORM, SIZE_MAX / 4, 2, 0, 0, 0, false}};
	double x;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		cr_expect_eq(points_fill(&bad[i], &x, &err), RT_E_USAGE);
		cr_expect(err.text[0]);
	}
	cr_expect_eq(points_grid((size_t[]){0}, 1, &x, &err), RT_E_USAGE);
	PointsSpec none = {POINTS_SOBOL, 0, 2, 0, 0, 0, false};
	cr_expect_eq(points_fill(&none, &x, &err), RT_OK);
	PointsKind k;
	for (k = POINTS_UNIFORM; k <= POINTS_NORMAL; k++) {
		PointsKind back;
		cr_expect(points_kind_find(points_kind_name(k), &back) && back == k);
	}
	cr_expect(!points_kind_find("sobel", &k));
}
