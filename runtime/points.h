/* points.h — point sets in the unit cube, pure functions of (kind, n, d, seed, stream, step). */
#ifndef PNN_RUNTIME_POINTS_H
#define PNN_RUNTIME_POINTS_H
#include <stdbool.h>
#include <stdint.h>
#include "runtime/status.h"

typedef enum {
	POINTS_UNIFORM,    /* independent, uniform */
	/* Sobol' sequence, direction numbers of Joe and Kuo, in Gray-code order, from the origin */
	POINTS_SOBOL,
	POINTS_HALTON,     /* van der Corput sequences in the first d primes, from index 1 */
	/* x_0 = (i + 1/2)/n, the others van der Corput in the first d-1 primes, from index 0 */
	POINTS_HAMMERSLEY,
	POINTS_LATIN,      /* Latin hypercube: each coordinate meets each of n equal cells once */
	/* regular: n = k^d points, coordinates j/(k-1), ends included, the last coordinate fastest */
	POINTS_GRID,
	POINTS_NORMAL      /* independent standard normals (not in the cube) */
} PointsKind;

enum { POINTS_SOBOL_DIM = 21, POINTS_HALTON_DIM = 32 };

typedef struct PointsSpec {
	PointsKind kind;
	size_t n;      /* points */
	unsigned d;    /* coordinates */
	uint64_t seed, stream, step;
	/* SOBOL, HALTON, HAMMERSLEY: move all points by one random digital (Sobol) or modulo-1 shift */
	bool shifted;
} PointsSpec;

/* Fills out[n][d]. Coordinates lie in [0,1), in (0,1) if random or shifted, in [0,1] for the grid.
 * RT_E_USAGE if d is 0 or larger than the kind allows, or n is not k^d for a grid. */
RtStatus points_fill(const PointsSpec *spec, double *out, RtError *err);
/* A regular grid with its own number of points on each axis: out[k[0]*...*k[d-1]][d], ends included
 * (1/2 if k is 1). */
RtStatus points_grid(const size_t *k, unsigned d, double *out, RtError *err);
/* The name in the language ("sobol"), and back; false if there is none of that name. */
const char *points_kind_name(PointsKind kind);
bool points_kind_find(const char *name, PointsKind *kind);
#endif
