/* test_bench.c — the timer of bench: warm-up, chunks, what comes of them. No test looks at how long anything takes. */
#include "compiler/bench.h"
#include <criterion/criterion.h>
#include <stdlib.h>

Test(bench, chunks_until_the_budget_is_spent)
{
	BenchTimer t = {.budget = 0.01};
	volatile double x = 1;
	size_t calls = 0;
	bench_begin(&t);
	do {
		for (int k = 0; k < 1000; k++) {
			x = x * 0.999 + 1e-3;
		}
		calls++;
	} while (bench_tick(&t));
	cr_assert(t.warm && t.n > 0 && t.chunk >= 1 && !t.failed);
	cr_assert_eq(t.done, calls);
	/* the warm-up has at least four; then whole chunks */
	cr_assert(calls >= 4 + t.n * t.chunk);
	cr_assert(t.first > 0 && t.least > 0);
	BenchResult r = bench_result(&t);
	cr_assert(r.best > 0 && r.best <= r.median && r.cpu > 0);
	cr_assert(r.chunks == t.n && r.repetitions == calls);
	bench_free(&t);
}

/* A clock that stands still for most chunks says nothing by its least step. */
Test(bench, coarse_processor_clock)
{
	BenchTimer t = {.n = 4, .done = 4, .chunk = 1};
	double wall[4] = {4e-3, 2e-3, 3e-3, 5e-3}, cpu[4] = {0, 0, 1e-2, 0};
	t.chunk_wall = wall;
	t.chunk_cpu = cpu;
	BenchResult r = bench_result(&t);
	cr_assert_eq(r.best, 2e-3);
	cr_assert_eq(r.median, 4e-3);
	cr_assert_eq(r.cpu, 2.5e-3);
}

Test(bench, limit_of_the_machine)
{
	char *message = NULL;
	Target *t = target_create(NULL, &message);
	cr_assert_not_null(t, "%s", message ? message : "");
	double f32 = bench_peak(t, 4, &message), f64 = bench_peak(t, 8, &message);
	cr_assert(f32 > 0 && f64 > 0, "%s", message ? message : "");
	free(message);
	target_free(t);
}
