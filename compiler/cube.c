/* cube.c — the runtime's point sets, whose kinds have the names of the program's own kinds, behind
 * names of their own. */
#include "compiler/cube.h"
#include "runtime/points.h"
#include "runtime/rng.h"

RtStatus cube_fill(CubeKind kind, size_t n, unsigned d, uint64_t seed, uint64_t stream,
		   uint64_t draw, double *out, RtError *err)
{
	static const PointsKind kinds[] = {
		[CUBE_UNIFORM] = POINTS_UNIFORM, [CUBE_SOBOL] = POINTS_SOBOL,
		[CUBE_HALTON] = POINTS_HALTON,   [CUBE_HAMMERSLEY] = POINTS_HAMMERSLEY,
		[CUBE_LATIN] = POINTS_LATIN,
	};
	PointsSpec spec = {kinds[kind], n, d, seed, stream, draw, draw > 0};
	return points_fill(&spec, out, err);
}

RtStatus cube_grid(const size_t *n, unsigned d, double *out, RtError *err)
{
	return points_grid(n, d, out, err);
}

double cube_normal_quantile(double p)
{
	return rng_normal_quantile(p);
}
