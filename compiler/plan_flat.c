/* plan_flat.c — dimensions that every array walks through as one are run as one. */
#include "compiler/plan_make.h"
#include <string.h>

/* Neighbouring dimensions of a pointwise nest that step through every array as one longer dimension
 * would. Tiles: only where the tile is full. */
void plan_flatten(Planner *p, Nest *nest)
{
	uint32_t n = nest->ndim;
	int64_t *size = arena_array(p->plan->arena, int64_t, n);
	int64_t *stride = arena_array(p->plan->arena, int64_t, (size_t)n * (nest->naccess + 1));
	uint32_t at = n - 1;
	size[at] = nest->dim[n - 1].size;
	for (uint32_t a = 0; a < nest->naccess; a++) {
		stride[a * n + at] = nest->access[a].stride[n - 1];
	}
	for (uint32_t d = n - 1; d-- > 0;) {
		bool joins = true;
		for (uint32_t a = 0; a < nest->naccess; a++) {
			joins &= nest->access[a].stride[d] == stride[a * n + at] * size[at];
		}
		if (joins) {
			size[at] *= nest->dim[d].size;
			continue;
		}
		at--;
		size[at] = nest->dim[d].size;
		for (uint32_t a = 0; a < nest->naccess; a++) {
			stride[a * n + at] = nest->access[a].stride[d];
		}
	}
	nest->flat = at > 0;
	nest->flat_ndim = n - at;
	nest->flat_size = size + at;
	nest->flat_stride =
		arena_array(p->plan->arena, int64_t, (size_t)(n - at) * (nest->naccess + 1));
	for (uint32_t a = 0; a < nest->naccess; a++) {
		memcpy(nest->flat_stride + (size_t)a * (n - at), stride + a * n + at,
		       (n - at) * sizeof *stride);
	}
}
