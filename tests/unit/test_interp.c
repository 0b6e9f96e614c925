/* test_interp.c — matrix kernels of every instruction set: right, and the same bits wherever an
 * element lies. */
#include "compiler/interp.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 34, ROOM = MOST * MOST * 4 };

static double a[ROOM], b[ROOM], from[ROOM], c[ROOM], part[ROOM], scratch[ROOM];

static void fill(double *x, uint64_t seed)
{
	for (size_t k = 0; k < ROOM; k++) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		x[k] = (double)(int64_t)(seed >> 11) * 0x1p-52 - 1;
	}
}

static double direct(const GemmArgs *g, size_t i, size_t j, bool dot)
{
	double sum = 0;
	for (size_t k = 0; k < g->k; k++) {
		sum += dot ? g->a[(int64_t)i * g->am + (int64_t)k] *
				       g->b[(int64_t)j * g->bk + (int64_t)k]
			   : g->a[(int64_t)i * g->am + (int64_t)k * g->ak] *
				       g->b[(int64_t)k * g->bk + (int64_t)j];
	}
	return g->from[(int64_t)i * g->fm + (int64_t)j * g->fn] + g->alpha * sum;
}

static GemmArgs args(size_t m, size_t n, size_t k, bool dot)
{
	GemmArgs g = {.m = m, .n = n, .k = k, .alpha = 0.75, .a = a, .b = b, .c = c, .from = from};
	g.am = dot ? (int64_t)k + 3 : (k + m) % 2 ? (int64_t)k : 1;
	g.ak = dot || g.am != 1 ? 1 : (int64_t)m;
	g.bk = dot ? (int64_t)k + 1 : (int64_t)n + 2;
	g.cm = (int64_t)n + 1;
	g.cn = 1;
	g.fm = m % 3 ? (int64_t)n : 1;
	g.fn = m % 3 ? 1 : 0;
	g.scratch = scratch;
	return g;
}

static void check(GemmKernel *kernel, const GemmArgs *g, bool dot, const char *name)
{
	memset(c, 0, sizeof c);
	kernel(g);
	for (size_t i = 0; i < g->m; i++) {
		for (size_t j = 0; j < g->n; j++) {
			double want = direct(g, i, j, dot),
			       have = c[(int64_t)i * g->cm + (int64_t)j];
			cr_assert(fabs(have - want) <= 1e-14 * (double)(g->k + 4),
				  "%s %zux%zux%zu at %zu,%zu: %g, not %g", name, g->m, g->n, g->k,
				  i, j, have, want);
		}
	}
}

/* The block that begins at row i and column j, computed alone, has the bits of the whole. */
static void check_part(GemmKernel *kernel, const GemmArgs *whole, bool dot, size_t i, size_t j)
{
	GemmArgs g = *whole;
	g.m -= i;
	g.n -= j;
	g.a += (int64_t)i * g.am;
	g.b += dot ? (int64_t)j * g.bk : (int64_t)j;
	g.from += (int64_t)i * g.fm + (int64_t)j * g.fn;
	g.c = part;
	g.cm = MOST;
	kernel(&g);
	for (size_t r = 0; r < g.m; r++) {
		for (size_t q = 0; q < g.n; q++) {
			double x = part[r * MOST + q],
			       y = c[(int64_t)(i + r) * whole->cm + (int64_t)(j + q)];
			cr_assert(!memcmp(&x, &y, sizeof x), "%a, not %a at %zu,%zu", x, y, r, q);
		}
	}
}

Test(interp, kernels)
{
	fill(a, 1);
	fill(b, 2);
	fill(from, 3);
	GemmKernels kernels;
	unsigned sets = 0;
	for (; gemm_kernels_nth(sets, &kernels); sets++) {
		for (size_t m = 1; m < MOST; m += m < 10 ? 1 : 5) {
			for (size_t n = 1; n < MOST; n++) {
				for (size_t k = 1; k < MOST; k += k < 6 ? 1 : 9) {
					for (int dot = 0; dot < 2; dot++) {
						GemmArgs g = args(m, n, k, dot);
						GemmKernel *f = dot ? kernels.dot : kernels.panel;
						check(f, &g, dot, kernels.name);
						check_part(f, &g, dot, (m + n) % m, (3 * k) % n);
					}
				}
			}
		}
	}
	cr_assert_geq(sets, 1);
}

Test(interp, packing)
{
	fill(b, 5);
	for (size_t k = 1; k < 20; k++) {
		for (size_t n = 1; n < 20; n++) {
			gemm_pack(k, n, b, 1, 21, part, 24);
			for (size_t p = 0; p < k; p++) {
				for (size_t j = 0; j < n; j++) {
					cr_assert_eq(part[p * 24 + j], b[p + 21 * j]);
				}
			}
		}
	}
}
