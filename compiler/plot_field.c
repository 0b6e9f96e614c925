/* plot_field.c — heat maps, matrices, space–time diagrams, arrows and confusion tables from the
 * values of a plot. */
#include "compiler/plot.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_MOST = 1000 };

static int ascending(const void *a, const void *b)
{
	double p = *(const double *)a, q = *(const double *)b;
	return (p > q) - (p < q);
}

/* The different numbers of v in order; what is not finite is left out. */
static size_t distinct(double *v, size_t n)
{
	size_t finite = 0, kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (isfinite(v[i])) {
			v[finite++] = v[i];
		}
	}
	qsort(v, finite, sizeof *v, ascending);
	for (size_t i = 0; i < finite; i++) {
		if (!kept || v[kept - 1] != v[i]) {
			v[kept++] = v[i];
		}
	}
	return kept;
}

static size_t find(const double *v, size_t n, double x)
{
	const double *at = bsearch(&x, v, n, sizeof *v, ascending);
	return at ? (size_t)(at - v) : n;
}

static void allocate(Run *r, Figure *f, size_t nx, size_t ny)
{
	Arena *a = r->e->scratch;
	f->nx = nx;
	f->ny = ny;
	f->x = arena_array(a, double, nx + 1);
	f->y = arena_array(a, double, ny + 1);
	f->z = arena_array(a, double, nx*ny + 1);
}

static void direction(Run *r, const PlotInfo *p, uint32_t k, PlotScale *s)
{
	const PlotPlace *place = &p->place[k];
	s->title = plot_title(r, place->label, place->unit);
	s->whole = !place->value;
	const AxisInfo *a = core_axis_info(r->core, place->axis);
	if (place->value || !a->nlabel) {
		return;
	}
	s->nlabel = a->nlabel;
	s->label = arena_array(r->e->scratch, const char *, a->nlabel + 1);
	for (uint32_t i = 0; i < a->nlabel; i++) {
		s->label[i] = run_name(r, a->label[i]);
	}
}

/* Cells at the places that rows of a table stand at; of several at one place their mean. */
static void field_of_rows(Run *r, Plan *plan, const PlotInfo *p, Figure *f)
{
	Arena *a = r->e->scratch;
	size_t n = plot_size(r, p, p->series[0].value, 0);
	double *side[2];
	size_t m[2];
	for (uint32_t k = 0; k < 2; k++) {
		side[k] = arena_array(a, double, n + 1);
		for (size_t i = 0; i < n; i++) {
			side[k][i] = plot_place(r, plan, p, k, i);
		}
		m[k] = distinct(side[k], n);
	}
	allocate(r, f, m[0], m[1]);
	double *count = arena_array(a, double, m[0]*m[1] + 1);
	memset(count, 0, (m[0]*m[1] + 1)*sizeof *count);
	memset(f->z, 0, (m[0]*m[1] + 1)*sizeof *f->z);
	memcpy(f->x, side[0], m[0]*sizeof *f->x);
	memcpy(f->y, side[1], m[1]*sizeof *f->y);
	for (size_t i = 0; i < n; i++) {
		size_t x = find(f->x, m[0], plot_place(r, plan, p, 0, i)),
		       y = find(f->y, m[1], plot_place(r, plan, p, 1, i));
		if (x < m[0] && y < m[1]) {
			f->z[y*m[0] + x] += plot_value(r, plan, p, p->series[0].value, i);
			count[y*m[0] + x] += 1;
		}
	}
	for (size_t i = 0; i < m[0]*m[1]; i++) {
		f->z[i] = count[i] > 0 ? f->z[i]/count[i] : NAN;
	}
}

/* Every so many-th place of long axes. */
static size_t stride(size_t n)
{
	return (n + FIELD_MOST - 1)/FIELD_MOST;
}

/* Number j of component c (arrows) at place (i0, i1) of the value's own order. */
static double component(Run *r, Plan *plan, const PlotInfo *p, size_t at, unsigned c)
{
	const PlotSeries *s = &p->series[0];
	bool inside = p->kind == PLOT_ARROWS && s->n == 1;
	return inside ? plot_value(r, plan, p, s->value, 2*at + c)
		      : plot_value(r, plan, p, s->value + c, at);
}

static void field_of_array(Run *r, Plan *plan, const PlotInfo *p, Figure *f)
{
	uint32_t value = p->series[0].value;
	size_t n0 = plot_size(r, p, value, 0), n1 = plot_size(r, p, value, 1);
	size_t s0 = stride(n0), s1 = stride(n1);
	if (!n0 || !n1) {
		return;
	}
	size_t m0 = (n0 + s0 - 1)/s0, m1 = (n1 + s1 - 1)/s1;
	/* Rows of matrices and times stand one below the other. */
	bool turned = f->downwards;
	allocate(r, f, turned ? m1 : m0, turned ? m0 : m1);
	if (p->kind == PLOT_ARROWS) {
		f->z2 = arena_array(r->e->scratch, double, m0*m1 + 1);
	}
	for (size_t i = 0; i < m0; i++) {
		for (size_t j = 0; j < m1; j++) {
			size_t to = turned ? i*f->nx + j : j*f->nx + i, from = i*s0*n1 + j*s1;
			f->z[to] = component(r, plan, p, from, 0);
			if (f->z2) {
				f->z2[to] = component(r, plan, p, from, 1);
			}
		}
	}
	for (size_t i = 0; i < m0; i++) {
		(turned ? f->y : f->x)[i] = plot_place(r, plan, p, 0, i*s0);
	}
	for (size_t j = 0; j < m1; j++) {
		(turned ? f->x : f->y)[j] = plot_place(r, plan, p, 1, j*s1);
	}
}

/* ---- confusion tables ---- */

static void class_names(Run *r, const PlotInfo *p, const double *value, size_t n, PlotScale *s)
{
	s->nlabel = n;
	s->label = arena_array(r->e->scratch, const char *, n + 1);
	for (size_t k = 0; k < n; k++) {
		bool named = p->classes && value[k] >= 0 &&
			     value[k] < core_axis_info(r->core, p->classes)->nlabel;
		s->label[k] = named ? plot_place_name(r, p->classes, (size_t)value[k])
				    : arena_printf(r->e->scratch, "%.6g", value[k]);
	}
}

/* Pairs (predicted, true): how often each occurs; a row for each true class. */
static void confusion_of_pairs(Run *r, Plan *plan, const PlotInfo *p, Figure *f)
{
	uint32_t value = p->series[0].value;
	size_t n = plot_size(r, p, value, 0);
	double *class = arena_array(r->e->scratch, double, 2*n + 1);
	for (size_t i = 0; i < n; i++) {
		class[2*i] = plot_value(r, plan, p, value, i);
		class[2*i + 1] = plot_place(r, plan, p, 0, i);
	}
	size_t m = distinct(class, 2*n);
	m = m > FIELD_MOST ? FIELD_MOST : m;
	allocate(r, f, m, m);
	memset(f->z, 0, (m*m + 1)*sizeof *f->z);
	for (size_t i = 0; i < n; i++) {
		size_t predicted = find(class, m, plot_value(r, plan, p, value, i)),
		       truth = find(class, m, plot_place(r, plan, p, 0, i));
		if (predicted < m && truth < m) {
			f->z[truth*m + predicted] += 1;
		}
	}
	for (size_t k = 0; k < m; k++) {
		f->x[k] = f->y[k] = (double)k;
	}
	class_names(r, p, class, m, &f->scale[PLOT_X]);
	class_names(r, p, class, m, &f->scale[PLOT_Y]);
	f->scale[PLOT_X].title = p->series[0].label;
	f->scale[PLOT_Y].title = p->place[0].label;
}

static void choose_scales(const PlotInfo *p, Figure *f)
{
	bool free = !f->option->log_given && p->kind == PLOT_HEATMAP && p->nplace == 2;
	if (free && p->place[0].value) {
		f->scale[PLOT_X].log = plot_in_ratios(f->x, f->nx);
	}
	if (free && p->place[1].value) {
		f->scale[PLOT_Y].log = plot_in_ratios(f->y, f->ny);
	}
}

void plot_field(Run *r, Plan *plan, const PlotInfo *p, Figure *f)
{
	const PlotSeries *s = &p->series[0];
	uint32_t rank = core_def(r->core, p->value[s->value].value)->nindex;
	f->downwards = p->kind == PLOT_MATRIX || p->kind == PLOT_SPACETIME ||
		       p->kind == PLOT_CONFUSION;
	f->rows_square = p->kind == PLOT_MATRIX || p->kind == PLOT_CONFUSION;
	const char *label = p->kind == PLOT_ARROWS ? arena_printf(r->e->scratch, "|%s|", s->label)
						   : s->label;
	f->scale[PLOT_Z].title = plot_title(r, label, p->value[s->value].unit);
	if (p->kind == PLOT_CONFUSION && rank == 1) {
		confusion_of_pairs(r, plan, p, f);
	} else {
		direction(r, p, f->downwards ? 1 : 0, &f->scale[PLOT_X]);
		direction(r, p, f->downwards ? 0 : 1, &f->scale[PLOT_Y]);
		if (rank == 1) {
			f->downwards = false;
			field_of_rows(r, plan, p, f);
			direction(r, p, 0, &f->scale[PLOT_X]);
			direction(r, p, 1, &f->scale[PLOT_Y]);
		} else {
			field_of_array(r, plan, p, f);
		}
	}
	choose_scales(p, f);
	for (size_t i = 0; i < f->nx*f->ny; i++) {
		double v = f->z2 ? hypot(f->z[i], f->z2[i]) : f->z[i];
		f->drawn = f->drawn || isfinite(v);
		plot_reach(&f->scale[PLOT_Z], v);
	}
	for (size_t i = 0; i < f->nx; i++) {
		plot_reach(&f->scale[PLOT_X], f->x[i]);
	}
	for (size_t i = 0; i < f->ny; i++) {
		plot_reach(&f->scale[PLOT_Y], f->y[i]);
	}
}
