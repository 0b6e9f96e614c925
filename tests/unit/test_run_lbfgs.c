/* test_run_lbfgs.c — the line search and the two-loop recursion on functions whose minima are
 * known. */
#include "compiler/lbfgs.h"
#include <criterion/criterion.h>
#include <math.h>

enum { N = 40 };

typedef struct Problem {
	int evaluations, fail_at;
	double wall; /* beyond this coordinate the function is not finite */
} Problem;

static bool rosenbrock(void *data, const double *x, double *f, double *g)
{
	Problem *p = data;
	if (++p->evaluations == p->fail_at) {
		return false;
	}
	*f = 0;
	for (int i = 0; i < N; i++) {
		g[i] = 0;
	}
	for (int i = 0; i + 1 < N; i++) {
		double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
		*f += 100 * a * a + b * b;
		g[i] += -400 * a * x[i] - 2 * b;
		g[i + 1] += 200 * a;
	}
	return true;
}

/* -log of the coordinates plus their sum: minimum at 1, not finite at 0 and below. */
static bool barrier(void *data, const double *x, double *f, double *g)
{
	((Problem *)data)->evaluations++;
	*f = 0;
	for (int i = 0; i < N; i++) {
		*f += x[i] - log(x[i]);
		g[i] = 1 - 1 / x[i];
	}
	return true;
}

static bool quadratic(void *data, const double *x, double *f, double *g)
{
	((Problem *)data)->evaluations++;
	*f = 0;
	for (int i = 0; i < N; i++) {
		double k = 1 + i;
		*f += k * x[i] * x[i] / 2;
		g[i] = k * x[i];
	}
	return true;
}

static LbfgsStatus minimise(LbfgsFunction function, Problem *p, double start, double *x, double *f,
			    int limit, int *steps)
{
	Lbfgs l;
	double g[N];
	cr_assert(lbfgs_create(&l, N, 20));
	for (int i = 0; i < N; i++) {
		x[i] = start + 0.01 * i;
	}
	cr_assert(function(p, x, f, g));
	LbfgsStatus s = LBFGS_STEP;
	for (*steps = 0; s == LBFGS_STEP && *steps < limit; (*steps)++) {
		double before = *f;
		s = lbfgs_step(&l, x, f, g, function, p);
		if (s == LBFGS_STEP) {
			cr_assert_leq(*f, before, "the value never rises");
		}
	}
	lbfgs_free(&l);
	return s;
}

Test(lbfgs, rosenbrock_to_rounding)
{
	Problem p = {0};
	double x[N], f;
	int steps;
	minimise(rosenbrock, &p, -1.2, x, &f, 2000, &steps);
	cr_assert_lt(f, 1e-20);
	for (int i = 0; i < N; i++) {
		cr_assert_float_eq(x[i], 1, 1e-9);
	}
	cr_assert_lt(p.evaluations, 2 * steps, "about one evaluation a step");
}

Test(lbfgs, quadratic_ends_where_nothing_lowers_it)
{
	Problem p = {0};
	double x[N], f;
	int steps;
	LbfgsStatus s = minimise(quadratic, &p, 1, x, &f, 1000, &steps);
	cr_assert_eq(s, LBFGS_STUCK);
	cr_assert_lt(f, 1e-30);
	cr_assert_lt(steps, 1000, "it ends by itself");
}

Test(lbfgs, steps_into_the_infinite_are_shortened)
{
	Problem p = {0};
	double x[N], f;
	int steps;
	minimise(barrier, &p, 0.05, x, &f, 500, &steps);
	for (int i = 0; i < N; i++) {
		cr_assert_float_eq(x[i], 1, 1e-7);
	}
}

Test(lbfgs, a_failed_evaluation_ends_the_search)
{
	Problem p = {.fail_at = 7};
	double x[N], f;
	int steps;
	cr_assert_eq(minimise(rosenbrock, &p, -1.2, x, &f, 100, &steps), LBFGS_FAILED);
}

Test(lbfgs, same_bits_twice)
{
	Problem p = {0}, q = {0};
	double x[N], y[N], f, g;
	int steps;
	minimise(rosenbrock, &p, -1.2, x, &f, 37, &steps);
	minimise(rosenbrock, &q, -1.2, y, &g, 37, &steps);
	cr_assert_arr_eq(x, y, sizeof x);
	cr_assert_eq(f, g);
}
