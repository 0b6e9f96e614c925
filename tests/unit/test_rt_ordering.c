/* test_rt_ordering.c — sorted numbers, their places and ranks: ties, infinities, refusals. */
#include "runtime/ordering.h"
#include "tests/unit/rt_aid.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static RtError err;

Test(ordering, ties_keep_their_order_and_share_ranks)
{
	double v[6] = {2, 0.0, 5, 2, -0.0, INFINITY}, sorted[6], rank[6];
	int64_t place[6];
	const int64_t places[6] = {1, 4, 0, 3, 2, 5};
	const double ranks[6] = {3.5, 1.5, 5, 3.5, 1.5, 6};
	cr_assert_eq(ordering_places(6, v, place, &err), RT_OK);
	cr_assert_eq(ordering_sort(6, v, sorted, &err), RT_OK);
	cr_assert_eq(ordering_rank(6, v, rank, &err), RT_OK);
	for (int k = 0; k < 6; k++) {
		cr_expect_eq(place[k], places[k], "place %d", k);
		cr_expect_eq(sorted[k], v[places[k]], "sorted %d", k);
		cr_expect_eq(rank[k], ranks[k], "rank %d", k);
	}
}

Test(ordering, random_numbers)
{
	enum { N = 1000 };
	static double v[N], sorted[N], rank[N];
	rng_fill_normal((RngAddress){.seed = 7}, N, v);
	for (int k = 0; k < N; k++) {
		v[k] = floor(v[k] * 20); /* many are equal */
	}
	cr_assert_eq(ordering_sort(N, v, sorted, &err), RT_OK);
	cr_assert_eq(ordering_rank(N, v, rank, &err), RT_OK);
	for (int k = 0; k < N; k++) {
		int below = 0, equal = 0;
		for (int q = 0; q < N; q++) {
			below += v[q] < v[k];
			equal += v[q] == v[k];
		}
		cr_expect_eq(rank[k], below + (equal + 1) / 2.0);
		cr_expect(k == 0 || sorted[k - 1] <= sorted[k]);
	}
}

Test(ordering, refuses_nan)
{
	double v[2] = {1, NAN}, out[2];
	int64_t place[2];
	cr_expect_eq(ordering_sort(2, v, out, &err), RT_E_DIVERGED);
	cr_expect_str_eq(err.text, "element number 2 of the array is not a number");
	cr_expect_eq(ordering_rank(2, v, out, &err), RT_E_DIVERGED);
	cr_expect_eq(ordering_places(2, v, place, &err), RT_E_DIVERGED);
	cr_expect_eq(ordering_sort(0, v, out, &err), RT_OK);
}
