/* bench.c — timing in chunks. */
#include "compiler/bench.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WARM_STEPS = 3 };
static const double CHUNK = 3e-3, WARM = 0.1; /* seconds; the warm-up takes no more than the budget */

static double clock_seconds(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void bench_begin(BenchTimer *t)
{
	t->began = t->last = clock_seconds(CLOCK_MONOTONIC);
	t->cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static void chunk_begin(BenchTimer *t, double now)
{
	t->left = t->chunk;
	t->wall = now;
	t->cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static bool warm_tick(BenchTimer *t, double now)
{
	double took = now - t->last;
	t->last = now;
	t->done++;
	if (t->done == 1) { /* plans, code, pages */
		t->first = now - t->began;
		t->first_cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - t->cpu;
		t->until = now + (WARM < t->budget ? WARM : t->budget);
		return true;
	}
	t->least = t->done == 2 || took < t->least ? took : t->least;
	if (t->done <= WARM_STEPS || now < t->until) {
		return true;
	}
	double n = CHUNK / (t->least > 1e-9 ? t->least : 1e-9);
	t->chunk = n > 1 ? (size_t)(n + 0.5) : 1;
	t->warm = true;
	t->until = now + t->budget;
	chunk_begin(t, now);
	return true;
}

static bool chunk_keep(BenchTimer *t, double wall, double cpu)
{
	if (t->n == t->room) {
		size_t room = t->room ? 2 * t->room : 256;
		double *more = realloc(t->chunk_wall, room * sizeof *more);
		t->chunk_wall = more ? more : t->chunk_wall;
		double *other = realloc(t->chunk_cpu, room * sizeof *other);
		t->chunk_cpu = other ? other : t->chunk_cpu;
		if (!more || !other) {
			t->failed = true;
			return false;
		}
		t->room = room;
	}
	t->chunk_wall[t->n] = wall / (double)t->chunk;
	t->chunk_cpu[t->n++] = cpu / (double)t->chunk;
	return true;
}

bool bench_tick(BenchTimer *t)
{
	if (t->warm && --t->left > 0) { /* clocks are looked at between chunks alone */
		t->done++;
		return true;
	}
	double now = clock_seconds(CLOCK_MONOTONIC);
	if (!t->warm) {
		return warm_tick(t, now);
	}
	t->done++;
	double cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
	if (!chunk_keep(t, now - t->wall, cpu - t->cpu) || now >= t->until) {
		return false;
	}
	chunk_begin(t, clock_seconds(CLOCK_MONOTONIC));
	return true;
}

void bench_free(BenchTimer *t)
{
	free(t->chunk_wall);
	free(t->chunk_cpu);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

BenchResult bench_result(const BenchTimer *t)
{
	BenchResult r = {.repetitions = t->done, .chunks = t->n};
	qsort(t->chunk_wall, t->n, sizeof *t->chunk_wall, ascending);
	qsort(t->chunk_cpu, t->n, sizeof *t->chunk_cpu, ascending);
	r.best = t->chunk_wall[0];
	r.median = t->chunk_wall[t->n / 2];
	double sum = 0;
	for (size_t k = 0; k < t->n; k++) {
		sum += t->chunk_cpu[k];
	}
	/* A coarse clock jumps: then only the mean says something. */
	double mean = sum / (double)t->n;
	r.cpu = t->chunk_cpu[0] < mean / 2 ? mean : t->chunk_cpu[0];
	return r;
}
