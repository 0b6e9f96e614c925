/* interp_gemm.c — matrix kernels for the processors that occur: AVX-512, AVX2 with FMA, and any
 * other. A generic build holds all of them; gemm_kernels asks the processor. Blocks fit the
 * registers: 8 rows of 2 vectors (32 registers), 4 of 3 (16), 4 of 2. */
#include "compiler/interp.h"
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define GW 2u
#define GMR 4u
#define GNR 2u
#define GT
#define GN(name) gemm_any_##name
typedef double GemmPair __attribute__((vector_size(16), aligned(8), may_alias));
#define GV GemmPair
#define G_LOAD(p) (*(const GemmPair *)(p))
#define G_STORE(p, v) (*(GemmPair *)(p) = (v))
#define G_SPLAT(x) ((GemmPair){(x), (x)})
#define G_FMA(a, b, c) ((a) * (b) + (c))
#define G_FMA1(a, b, c) ((a) * (b) + (c))
#include "compiler/interp_gemm_template.h"
#undef GW
#undef GMR
#undef GNR
#undef GT
#undef GN
#undef GV
#undef G_LOAD
#undef G_STORE
#undef G_SPLAT
#undef G_FMA
#undef G_FMA1

#if defined(__x86_64__)
#define GW 4u
#define GMR 4u
#define GNR 3u
#define GT __attribute__((target("avx2,fma")))
#define GN(name) gemm_avx2_##name
#define GV __m256d
#define G_LOAD(p) _mm256_loadu_pd(p)
#define G_STORE(p, v) _mm256_storeu_pd((p), (v))
#define G_SPLAT(x) _mm256_set1_pd(x)
#define G_FMA(a, b, c) _mm256_fmadd_pd((a), (b), (c))
#define G_FMA1(a, b, c) __builtin_fma((a), (b), (c))
#include "compiler/interp_gemm_template.h"
#undef GW
#undef GMR
#undef GNR
#undef GT
#undef GN
#undef GV
#undef G_LOAD
#undef G_STORE
#undef G_SPLAT
#undef G_FMA
#undef G_FMA1

#define GW 8u
#define GMR 8u
#define GNR 2u
#define GT __attribute__((target("avx512f,fma")))
#define GN(name) gemm_avx512_##name
#define GV __m512d
#define G_LOAD(p) _mm512_loadu_pd(p)
#define G_STORE(p, v) _mm512_storeu_pd((p), (v))
#define G_SPLAT(x) _mm512_set1_pd(x)
#define G_FMA(a, b, c) _mm512_fmadd_pd((a), (b), (c))
#define G_FMA1(a, b, c) __builtin_fma((a), (b), (c))
#include "compiler/interp_gemm_template.h"
#endif

bool gemm_kernels_nth(unsigned i, GemmKernels *out)
{
	unsigned n = 0;
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f") && n++ == i) {
		*out = (GemmKernels){gemm_avx512_panel, gemm_avx512_dot, "avx512"};
		return true;
	}
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && n++ == i) {
		*out = (GemmKernels){gemm_avx2_panel, gemm_avx2_dot, "avx2"};
		return true;
	}
#endif
	if (n == i) {
		*out = (GemmKernels){gemm_any_panel, gemm_any_dot, "any"};
		return true;
	}
	return false;
}

GemmKernels gemm_kernels(void)
{
	GemmKernels best = {0};
	gemm_kernels_nth(0, &best);
	return best;
}

void gemm_pack(size_t k, size_t n, const double *b, int64_t bk, int64_t bn, double *panel,
	       size_t row)
{
	enum { SIDE = 8 }; /* squares of 8 by 8: both sides in few cache lines */
	for (size_t p0 = 0; p0 < k; p0 += SIDE) {
		size_t p1 = p0 + SIDE < k ? p0 + SIDE : k;
		for (size_t j0 = 0; j0 < n; j0 += SIDE) {
			size_t j1 = j0 + SIDE < n ? j0 + SIDE : n;
			for (size_t p = p0; p < p1; p++) {
				const double *from = b + (int64_t)p * bk;
				double *to = panel + p * row;
				for (size_t j = j0; j < j1; j++) {
					to[j] = from[(int64_t)j * bn];
				}
			}
		}
	}
}
