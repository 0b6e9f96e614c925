/* bench_call.c — seconds of one call of the function that examples/bench/w8_call.pnn exports, 64 inputs in turn:
 * least and median of many chunks of about a millisecond. Compiled with -DREAL=float or double. */
#include "w8_call.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROWS = 64, CHUNKS = 200 };
static REAL x[ROWS][W8_CALL_IN];
static volatile REAL sink;

static double seconds(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void call(int gradient, int k)
{
	REAL value, d[W8_CALL_IN];
	if (gradient) {
		w8_call_u_grad(x[k % ROWS], &value, d);
		sink = d[0];
	} else {
		w8_call_u(x[k % ROWS], &value);
	}
	sink = value;
}

static int ascending(const void *a, const void *b)
{
	double p = *(const double *)a, q = *(const double *)b;
	return p < q ? -1 : p > q;
}

static void measure(const char *name, int gradient)
{
	double wall[CHUNKS], cpu[CHUNKS];
	int n = 1000;
	for (int k = 0; k < CHUNKS; k++) {
		double w = seconds(CLOCK_MONOTONIC), c = seconds(CLOCK_THREAD_CPUTIME_ID);
		for (int i = 0; i < n; i++) {
			call(gradient, i);
		}
		wall[k] = (seconds(CLOCK_MONOTONIC) - w) / n;
		cpu[k] = (seconds(CLOCK_THREAD_CPUTIME_ID) - c) / n;
	}
	qsort(wall, CHUNKS, sizeof *wall, ascending);
	qsort(cpu, CHUNKS, sizeof *cpu, ascending);
	printf("%s\tpnn\tlibrary\tf%d\t1\t%.4e\t%.4e\t%.4e\n", name, (int)(8 * sizeof(REAL)), wall[0], wall[CHUNKS / 2], cpu[0]);
}

int main(void)
{
	unsigned long s = 1;
	for (int k = 0; k < ROWS; k++) {
		for (int i = 0; i < W8_CALL_IN; i++) {
			s = s * 6364136223846793005UL + 1442695040888963407UL;
			x[k][i] = (REAL)((double)(s >> 33) / 4294967296.0 * 2 - 1);
		}
	}
	measure("W8-fwd", 0);
	measure("W8-fwdgrad", 1);
	return 0;
}
