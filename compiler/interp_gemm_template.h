/* interp_gemm_template.h — matrix kernels over vectors of GW doubles; included by interp_gemm.c
 * once for each instruction set.
 *
 * Expects GW (width), GMR (rows of a block), GNR (vectors of a block), GT (target attribute), GV
 * (vector type), the loads and stores G_LOAD, G_STORE, G_SPLAT, the multiply-add G_FMA(a, b, c) =
 * a*b + c, and GN(name). Every element is the chain  acc = a_k*b_k + acc  for ascending k from 0,
 * then C = alpha*acc + C, with the same operations in full blocks, remainder rows and remainder
 * columns: its bits do not depend on its place. */

GT static inline __attribute__((always_inline)) void
GN(block)(const unsigned mr, const unsigned nr, size_t k, double alpha, const double *a, int64_t am,
	  int64_t ak, const double *b, int64_t bk, double *c, int64_t cm)
{
	GV acc[GMR][GNR];
#pragma GCC unroll 16
	for (unsigned i = 0; i < mr; i++) {
#pragma GCC unroll 16
		for (unsigned j = 0; j < nr; j++) {
			acc[i][j] = G_SPLAT(0.0);
		}
	}
	for (size_t p = 0; p < k; p++) {
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
	GV factor = G_SPLAT(alpha);
#pragma GCC unroll 16
	for (unsigned i = 0; i < mr; i++) {
#pragma GCC unroll 16
		for (unsigned j = 0; j < nr; j++) {
			double *to = c + (int64_t)i * cm + j * GW;
			G_STORE(to, G_FMA(factor, acc[i][j], G_LOAD(to)));
		}
	}
}

/* All rows for one stripe of nr vectors. */
GT static inline __attribute__((always_inline)) void
GN(stripe)(const unsigned nr, size_t m, size_t k, double alpha, const double *a, int64_t am,
	   int64_t ak, const double *b, int64_t bk, double *c, int64_t cm)
{
	size_t i = 0;
	for (; i + GMR <= m; i += GMR) {
		GN(block)
		(GMR, nr, k, alpha, a + (int64_t)i * am, am, ak, b, bk, c + (int64_t)i * cm, cm);
	}
	if (i + GMR / 2 <= m) {
		GN(block)
		(GMR / 2, nr, k, alpha, a + (int64_t)i * am, am, ak, b, bk, c + (int64_t)i * cm,
		 cm);
		i += GMR / 2;
	}
	for (; i < m; i++) {
		GN(block)
		(1, nr, k, alpha, a + (int64_t)i * am, am, ak, b, bk, c + (int64_t)i * cm, cm);
	}
}

/* The last n < GW columns: B's are copied to rows of GW padded with zeros, C's row by row through a
 * vector. */
GT static void GN(edge)(size_t m, size_t n, size_t k, double alpha, const double *a, int64_t am,
			int64_t ak, const double *b, int64_t bk, double *c, int64_t cm,
			double *scratch)
{
	for (size_t p = 0; p < k; p++) {
		for (size_t j = 0; j < GW; j++) {
			scratch[p * GW + j] = j < n ? b[(int64_t)p * bk + (int64_t)j] : 0.0;
		}
	}
	for (size_t i = 0; i < m; i += GMR) {
		size_t rows = m - i < GMR ? m - i : GMR;
		double part[GMR * GW];
		for (size_t r = 0; r < rows; r++) {
			for (size_t j = 0; j < GW; j++) {
				part[r * GW + j] =
					j < n ? c[(int64_t)(i + r) * cm + (int64_t)j] : 0.0;
			}
		}
		GN(stripe)(1, rows, k, alpha, a + (int64_t)i * am, am, ak, scratch, GW, part, GW);
		for (size_t r = 0; r < rows; r++) {
			for (size_t j = 0; j < n; j++) {
				c[(int64_t)(i + r) * cm + (int64_t)j] = part[r * GW + j];
			}
		}
	}
}

GT static void GN(panel)(size_t m, size_t n, size_t k, double alpha, const double *a, int64_t am,
			 int64_t ak, const double *b, int64_t bk, double *c, int64_t cm,
			 double *scratch)
{
	size_t j = 0;
	for (; j + GNR * GW <= n; j += GNR * GW) {
		GN(stripe)(GNR, m, k, alpha, a, am, ak, b + j, bk, c + j, cm);
	}
	for (; j + GW <= n; j += GW) {
		GN(stripe)(1, m, k, alpha, a, am, ak, b + j, bk, c + j, cm);
	}
	if (j < n) {
		GN(edge)(m, n - j, k, alpha, a, am, ak, b + j, bk, c + j, cm, scratch);
	}
}

/* GW sums over k in parallel, then a tree over them; the last k % GW products go to the first sums.
 */
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

GT static void GN(dot)(size_t m, size_t n, size_t k, double alpha, const double *a, int64_t am,
		       const double *b, int64_t bn, double *c, int64_t cm, int64_t cn)
{
	for (size_t i = 0; i < m; i++) {
		const double *row = a + (int64_t)i * am;
		double *to = c + (int64_t)i * cm;
		size_t j = 0;
		double sum[4];
		for (; j + 4 <= n; j += 4) {
			GN(dots)(4, k, row, b + (int64_t)j * bn, bn, sum);
			for (size_t q = 0; q < 4; q++) {
				to[(int64_t)(j + q) * cn] =
					G_FMA1(alpha, sum[q], to[(int64_t)(j + q) * cn]);
			}
		}
		for (; j < n; j++) {
			GN(dots)(1, k, row, b + (int64_t)j * bn, bn, sum);
			to[(int64_t)j * cn] = G_FMA1(alpha, sum[0], to[(int64_t)j * cn]);
		}
	}
}
