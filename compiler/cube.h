/* cube.h — point sets of the unit cube under the names of the program's point sets. */
#ifndef PNN_COMPILER_CUBE_H
#define PNN_COMPILER_CUBE_H
#include "runtime/status.h"
#include <stdint.h>

typedef enum { CUBE_UNIFORM, CUBE_SOBOL, CUBE_HALTON, CUBE_HAMMERSLEY, CUBE_LATIN } CubeKind;
/* out[n][d] in the unit cube. Draw 0 of a sequence is the sequence itself, later draws are shifted
 * at random. */
RtStatus cube_fill(CubeKind kind, size_t n, unsigned d, uint64_t seed, uint64_t stream,
		   uint64_t draw, double *out, RtError *err);
/* A regular grid with n[k] points along axis k, ends included, the last fastest. */
RtStatus cube_grid(const size_t *n, unsigned d, double *out, RtError *err);
/* Quantile of the standard normal. */
double cube_normal_quantile(double p);
#endif
