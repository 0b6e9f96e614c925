/* data_load_points.c — point sets into the leaves of their coordinates. */
#include "compiler/cube.h"
#include "compiler/data_load_int.h"
#include <math.h>
#include <stdlib.h>

/* Points already made: rows of ncoord numbers. */
typedef struct Cloud {
	double *row;
	size_t n, room;
	uint32_t ncoord;
} Cloud;

static double normal_cdf(double z)
{
	return erfc(-z / M_SQRT2) / 2;
}

/* A coordinate from its uniform number: the inverse of its distribution between the ends of its
 * interval. */
static double coordinate(const CoordGen *c, double lo, double hi, double u)
{
	if (c->kind == COORD_FIXED) {
		return c->a;
	}
	if (c->kind == COORD_UNIFORM) {
		return c->a + (c->b - c->a) * u;
	}
	double from = normal_cdf((lo - c->a) / c->b), to = normal_cdf((hi - c->a) / c->b);
	double x = c->a + c->b * cube_normal_quantile(from + u * (to - from));
	return fmin(fmax(x, lo), hi);
}

static bool cube_rows(Run *r, const PointsGen *g, uint64_t draw, unsigned d, double *u, Span at)
{
	static const CubeKind kinds[] = {
		[POINTS_SOBOL] = CUBE_SOBOL,           [POINTS_HALTON] = CUBE_HALTON,
		[POINTS_HAMMERSLEY] = CUBE_HAMMERSLEY, [POINTS_LATIN] = CUBE_LATIN,
		[POINTS_UNIFORM] = CUBE_UNIFORM,
	};
	RtError err;
	RtStatus status;
	if (g->kind == POINTS_GRID) {
		size_t *n = rt_alloc(d, sizeof *n);
		for (unsigned k = 0, j = 0; n && k < g->ncoord; k++) {
			if (g->coord[k].kind != COORD_FIXED) {
				n[j++] = (size_t)g->per_axis[k];
			}
		}
		status = n ? cube_grid(n, d, u, &err)
			   : rt_fail(&err, RT_E_MEMORY, NULL, NULL, "points");
		free(n);
	} else {
		status = cube_fill(kinds[g->kind], (size_t)g->n, d, r->e->options.seed,
				   (uint64_t)g->stream, draw, u, &err);
	}
	if (status != RT_OK) {
		diag_data_file(r->e->ctx.diags, at, "points", err.text);
	}
	return status == RT_OK;
}

static bool add_leaf_set(Run *r, const PointsGen *g, uint64_t draw, Cloud *c, Span at)
{
	unsigned d = 0;
	for (uint32_t k = 0; k < g->ncoord; k++) {
		d += g->coord[k].kind != COORD_FIXED;
	}
	size_t n = (size_t)g->n;
	double *u = rt_alloc(n * (d ? d : 1), sizeof *u);
	void *items = c->row;
	if (!u || !rt_grow(&items, &c->room, (c->n + n) * c->ncoord, sizeof *c->row)) {
		free(u);
		diag_out_of_memory(r->e->ctx.diags, at, "points");
		return false;
	}
	c->row = items;
	bool ok = d == 0 || g->kind == POINTS_LIST || cube_rows(r, g, draw, d, u, at);
	for (size_t i = 0; ok && i < n; i++) {
		double *row = c->row + (c->n + i) * c->ncoord;
		for (uint32_t k = 0, j = 0; k < g->ncoord; k++) {
			double unit = g->coord[k].kind == COORD_FIXED ? 0 : u[i * d + j++];
			row[k] = coordinate(&g->coord[k], g->lo[k], g->hi[k], unit);
		}
	}
	c->n += n;
	free(u);
	return ok;
}

/* Unions are nested as deeply as the program writes them, which the parser limits. */
static bool add_points(Run *r, const PointsGen *g, uint64_t step, Cloud *c, Span at)
{
	if (g->kind != POINTS_UNION) {
		uint64_t own = g->redraw > 0 ? step / (uint64_t)g->redraw : 0;
		return add_leaf_set(r, g, own, c, at);
	}
	for (uint32_t k = 0; k < g->nkid; k++) {
		if (!add_points(r, g->kid[k], step, c, at)) {
			return false;
		}
	}
	return true;
}

static bool room_for_points(Run *r, DataInfo *d, size_t n)
{
	if (core_axis_info(r->core, d->records)->size != (int64_t)n) {
		core_axis_resize(r->core, d->records, (int64_t)n);
		eval_forget(r);
	}
	for (uint32_t k = 0; k < d->nfield; k++) {
		Def leaf = d->field[k].leaf;
		if (store_count(r->store, leaf) != n && !store_alloc(r->store, leaf)) {
			diag_out_of_memory(r->e->ctx.diags, d->span, run_name(r, d->name));
			return false;
		}
	}
	return true;
}

bool points_make(Run *r, DataInfo *d, uint64_t step)
{
	Cloud c = {NULL, 0, 0, d->nfield};
	bool ok = add_points(r, d->points, step, &c, d->span);
	if (ok && c.n == 0) {
		diag_data_empty(r->e->ctx.diags, d->span, run_name(r, d->name));
		ok = false;
	}
	ok = ok && room_for_points(r, d, c.n);
	for (uint32_t k = 0; ok && k < d->nfield; k++) {
		double *out = store_real(r->store, d->field[k].leaf);
		for (size_t i = 0; i < c.n; i++) {
			out[i] = c.row[i * c.ncoord + k];
		}
		store_touch(r->store, d->field[k].leaf);
	}
	free(c.row);
	return ok;
}
