/* interp_gemm_template.h — matrix kernels over vectors of GW doubles; included by interp_gemm.c
 * once for each instruction set.
 *
 * Expects GW (width), GMR (rows of a block), GNR (vectors of a block), GT (target attribute), GV
 * (vector type), the loads and stores G_LOAD, G_STORE, G_SPLAT, the multiply-add G_FMA(a, b, c) =
 * a*b + c, and GN(name). Every element is the chain  acc = a_k*b_k + acc  for ascending k from 0,
 * then C = alpha*acc + F, with the same operations in full blocks, remainder rows and remainder
 * columns: its bits do not depend on its place. */

/* Rows i0 … i0 + mr, columns j0 … j0 + nr*GW. */
GT static inline __attribute__((always_inline)) void
GN(block)(const unsigned mr, const unsigned nr, const GemmArgs *g, size_t i0, size_t j0)
{
	const double *a = g->a + (int64_t)i0 * g->am, *b = g->b + j0;
	const int64_t am = g->am, ak = g->ak, bk = g->bk;
	GV acc[GMR][GNR];
#pragma GCC unroll 16
	for (unsigned i = 0; i < mr; i++) {
#pragma GCC unroll 16
		for (unsigned j = 0; j < nr; j++) {
			acc[i][j] = G_SPLAT(0.0);
		}
	}
	for (size_t p = g->k; p > 0; p--) {
		GV row[GNR];
#pragma GCC unroll 16
		for (unsigned j = 0; j < nr; j++) {
			row[j] = G_LOAD(b + j * GW);
		}
#pragma GCC unroll 16
		for (unsigned i = 0; i < mr; i++) {
			GV w = G_SPLAT(a[(int64_t)i * am]);
#pragma GCC unroll 16
			for (unsigned j = 0; j < nr; j++) {
				acc[i][j] = G_FMA(w, row[j], acc[i][j]);
			}
		}
		a += ak;
		b += bk;
	}
	GV factor = G_SPLAT(g->alpha);
#pragma GCC unroll 16
	for (unsigned i = 0; i < mr; i++) {
		double *to = g->c + (int64_t)(i0 + i) * g->cm + j0;
		const double *from = g->from + (int64_t)(i0 + i) * g->fm + (int64_t)j0 * g->fn;
#pragma GCC unroll 16
		for (unsigned j = 0; j < nr; j++) {
			GV start = g->fn ? G_LOAD(from + j * GW) : G_SPLAT(*from);
			G_STORE(to + j * GW, G_FMA(factor, acc[i][j], start));
		}
	}
}

/* All rows for one stripe of nr vectors. */
GT static inline __attribute__((always_inline)) void GN(stripe)(const unsigned nr,
								const GemmArgs *g, size_t j0)
{
	size_t i = 0;
	for (; i + GMR <= g->m; i += GMR) {
		GN(block)(GMR, nr, g, i, j0);
	}
	if (i + GMR / 2 <= g->m) {
		GN(block)(GMR / 2, nr, g, i, j0);
		i += GMR / 2;
	}
	for (; i < g->m; i++) {
		GN(block)(1, nr, g, i, j0);
	}
}

/* The last n < GW columns: B's are copied to rows of GW padded with zeros, C's and F's row by row
 * through a vector. */
GT static void GN(edge)(const GemmArgs *g, size_t j0)
{
	const size_t n = g->n - j0;
	for (size_t p = 0; p < g->k; p++) {
		for (size_t j = 0; j < GW; j++) {
			g->scratch[p * GW + j] =
				j < n ? g->b[(int64_t)p * g->bk + (int64_t)(j0 + j)] : 0.0;
		}
	}
	for (size_t i = 0; i < g->m; i += GMR) {
		double part[GMR * GW];
		GemmArgs edge = *g;
		edge.m = g->m - i < GMR ? g->m - i : GMR;
		for (size_t r = 0; r < edge.m; r++) {
			const double *from =
				g->from + (int64_t)(i + r) * g->fm + (int64_t)j0 * g->fn;
			for (size_t j = 0; j < GW; j++) {
				part[r * GW + j] = j < n ? from[(int64_t)j * g->fn] : 0.0;
			}
		}
		edge.a = g->a + (int64_t)i * g->am;
		edge.b = g->scratch;
		edge.bk = GW;
		edge.c = part;
		edge.cm = GW;
		edge.from = part;
		edge.fm = GW;
		edge.fn = 1;
		GN(stripe)(1, &edge, 0);
		for (size_t r = 0; r < edge.m; r++) {
			for (size_t j = 0; j < n; j++) {
				g->c[(int64_t)(i + r) * g->cm + (int64_t)(j0 + j)] =
					part[r * GW + j];
			}
		}
	}
}

GT static void GN(panel)(const GemmArgs *g)
{
	size_t j = 0;
	for (; j + GNR * GW <= g->n; j += GNR * GW) {
		GN(stripe)(GNR, g, j);
	}
	for (; j + GW <= g->n; j += GW) {
		GN(stripe)(1, g, j);
	}
	if (j < g->n) {
		GN(edge)(g, j);
	}
}

/* GW sums over k in parallel, then a tree over them; the last k % GW products go to the first
 * sums. */
GT static inline __attribute__((always_inline)) void
GN(dots)(const unsigned nr, size_t k, const double *a, const double *b, int64_t bn, double *sum)
{
	GV acc[4];
#pragma GCC unroll 4
	for (unsigned j = 0; j < nr; j++) {
		acc[j] = G_SPLAT(0.0);
	}
	size_t p = 0;
	for (; p + GW <= k; p += GW) {
		GV row = G_LOAD(a + p);
#pragma GCC unroll 4
		for (unsigned j = 0; j < nr; j++) {
			acc[j] = G_FMA(row, G_LOAD(b + (int64_t)j * bn + p), acc[j]);
		}
	}
	for (unsigned j = 0; j < nr; j++) {
		double lane[GW];
		G_STORE(lane, acc[j]);
		for (size_t q = p; q < k; q++) {
			lane[q - p] = G_FMA1(a[q], b[(int64_t)j * bn + (int64_t)q], lane[q - p]);
		}
		for (unsigned half = GW / 2; half; half /= 2) {
			for (unsigned q = 0; q < half; q++) {
				lane[q] += lane[q + half];
			}
		}
		sum[j] = lane[0];
	}
}

GT static void GN(dot)(const GemmArgs *g)
{
	for (size_t i = 0; i < g->m; i++) {
		const double *row = g->a + (int64_t)i * g->am, *from = g->from + (int64_t)i * g->fm;
		double *to = g->c + (int64_t)i * g->cm;
		size_t j = 0;
		while (j < g->n) {
			double sum[4];
			size_t count = j + 4 <= g->n ? 4 : 1;
			const double *b = g->b + (int64_t)j * g->bk;
			if (count == 4) {
				GN(dots)(4, g->k, row, b, g->bk, sum);
			} else {
				GN(dots)(1, g->k, row, b, g->bk, sum);
			}
			for (size_t q = 0; q < count; q++, j++) {
				to[(int64_t)j * g->cn] =
					G_FMA1(g->alpha, sum[q], from[(int64_t)j * g->fn]);
			}
		}
	}
}
