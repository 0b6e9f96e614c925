/* plot_data.c — lines, points and histograms from the values of a plot. Rows of a table that stand
 * at the same place become their mean with a band. */
#include "compiler/plot.h"
#include "lang/unit.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MOST = 4000, POINTS_MOST = 20000, BINS_MOST = 200 };

double plot_value(Run *r, Plan *plan, const PlotInfo *p, uint32_t k, size_t i)
{
	return eval_real(r, plan, k, p->value[k].value, i);
}

size_t plot_size(const Run *r, const PlotInfo *p, uint32_t value, uint32_t dimension)
{
	const DefInfo *d = core_def(r->core, p->value[value].value);
	if (dimension >= d->nindex) {
		return 1;
	}
	return (size_t)core_axis_info(r->core, core_index_axis(r->core, d->index[dimension]))->size;
}

const char *plot_place_name(Run *r, Axis axis, size_t i)
{
	const AxisInfo *a = core_axis_info(r->core, axis);
	return a->nlabel ? run_name(r, a->label[i])
			 : arena_printf(r->e->scratch, "%lld", (long long)(a->first + (int64_t)i));
}

const char *plot_title(Run *r, const char *label, UnitId unit)
{
	const char *u = unit_text(r->program->units, unit);
	return !u[0]       ? label
	       : !label[0] ? arena_printf(r->e->scratch, "(%s)", u)
			   : arena_printf(r->e->scratch, "%s (%s)", label, u);
}

double plot_place(Run *r, Plan *plan, const PlotInfo *p, uint32_t k, size_t i)
{
	const PlotPlace *place = &p->place[k];
	if (place->value) {
		return plot_value(r, plan, p, place->value - 1, i);
	}
	return (double)core_axis_info(r->core, place->axis)->first + (double)i;
}

void plot_reach(PlotScale *s, double v)
{
	if (isfinite(v) && !(s->log && v <= 0)) {
		s->lo = fmin(s->lo, v);
		s->hi = fmax(s->hi, v);
	}
}

/* ---- rows: what a line is made of ---- */

typedef struct Row {
	double x, y, lo, hi, by;
	size_t at;
} Row;

static int by_place(const void *a, const void *b)
{
	const Row *p = a, *q = b;
	if (p->by != q->by) {
		return p->by < q->by ? -1 : 1;
	}
	if (p->x != q->x) {
		return p->x < q->x ? -1 : 1;
	}
	return p->at < q->at ? -1 : p->at > q->at;
}

/* Rows at one place: their mean, and how far they reach. */
static Row merge(const Row *row, size_t n, PlotBand band)
{
	double sum = 0, square = 0, lo = INFINITY, hi = -INFINITY, low = 0, high = 0;
	for (size_t i = 0; i < n; i++) {
		sum += row[i].y;
		low += row[i].lo;
		high += row[i].hi;
		lo = fmin(lo, row[i].y);
		hi = fmax(hi, row[i].y);
	}
	Row m = row[0];
	m.y = sum/(double)n;
	m.lo = low/(double)n;
	m.hi = high/(double)n;
	for (size_t i = 0; i < n; i++) {
		square += (row[i].y - m.y)*(row[i].y - m.y);
	}
	double spread = n > 1 ? sqrt(square/(double)(n - 1)) : 0;
	if (band == PLOT_BAND_ERROR) {
		spread /= sqrt((double)n);
	}
	if (n > 1 && band != PLOT_BAND_NONE) {
		m.lo = band == PLOT_BAND_RANGE ? lo : m.y - spread;
		m.hi = band == PLOT_BAND_RANGE ? hi : m.y + spread;
	}
	return m;
}

/* dy/dz by the parabola through three neighbours; at the ends by two. y and z are y and lo of the
 * rows. */
static void slopes(Row *row, size_t n, int sign)
{
	double before = NAN, here = n ? row[0].y : NAN, z0 = NAN, z1 = n ? row[0].lo : NAN;
	for (size_t i = 0; i < n; i++) {
		double after = i + 1 < n ? row[i + 1].y : NAN, z2 = i + 1 < n ? row[i + 1].lo : NAN;
		double left = (here - before)/(z1 - z0), right = (after - here)/(z2 - z1);
		double slope = i == 0       ? right
			       : i + 1 == n ? left
					    : (left*(z2 - z1) + right*(z1 - z0))/(z2 - z0);
		before = here;
		here = after;
		z0 = z1;
		z1 = z2;
		row[i].y = sign*slope;
	}
}

/* ---- lines ---- */

static PlotLine *new_line(Run *r, Figure *f, const char *label, size_t n, bool band)
{
	Arena *a = r->e->scratch;
	PlotLine *l = &f->line[f->nline++];
	*l = (PlotLine){.label = label, .n = n};
	l->x = arena_array(a, double, n + 1);
	l->y = arena_array(a, double, n + 1);
	l->lo = band ? arena_array(a, double, n + 1) : NULL;
	l->hi = band ? arena_array(a, double, n + 1) : NULL;
	return l;
}

static void put_rows(Run *r, Figure *f, const char *label, const Row *row, size_t n, bool band)
{
	PlotLine *l = new_line(r, f, label, n, band);
	for (size_t i = 0; i < n; i++) {
		l->x[i] = row[i].x;
		l->y[i] = row[i].y;
		if (band) {
			l->lo[i] = row[i].lo;
			l->hi[i] = row[i].hi;
		}
	}
}

/* The first, least, largest and last of each stretch: a thinned line covers the same ink. */
static size_t thin_line(Row *row, size_t n)
{
	if (n <= LINE_MOST) {
		return n;
	}
	size_t stretches = LINE_MOST/4, kept = 0;
	for (size_t k = 0; k < stretches; k++) {
		size_t from = k*n/stretches, to = (k + 1)*n/stretches, least = from, most = from;
		for (size_t i = from; i < to; i++) {
			least = row[i].y < row[least].y ? i : least;
			most = row[i].y > row[most].y ? i : most;
		}
		size_t a = least < most ? least : most, b = least < most ? most : least;
		size_t pick[4] = {from, a, b, to - 1};
		for (int i = 0; i < 4; i++) {
			if (i == 0 || pick[i] != pick[i - 1]) {
				row[kept++] = row[pick[i]];
			}
		}
	}
	return kept;
}

static size_t thin_points(Row *row, size_t n)
{
	size_t step = (n + POINTS_MOST - 1)/POINTS_MOST, kept = 0;
	for (size_t i = 0; step > 1 && i < n; i += step) {
		row[kept++] = row[i];
	}
	return step > 1 ? kept : n;
}

static const char *element_label(Run *r, Plan *plan, const PlotInfo *p, const char *label, size_t j)
{
	bool alone = p->nseries == 1;
	const PlotPlace *place = p->nplace > 1 ? &p->place[1] : NULL;
	const char *name = place && place->value
				   ? arena_printf(r->e->scratch, "%.4g", plot_place(r, plan, p, 1, j))
			   : place ? plot_place_name(r, place->axis, j)
				   : "";
	bool named = place && !place->value && core_axis_info(r->core, place->axis)->nlabel;
	if (!alone) {
		return arena_printf(r->e->scratch, "%s, %s", label, name);
	}
	return named || !place || !place->label[0]
		       ? name
		       : arena_printf(r->e->scratch, "%s = %s", place->label, name);
}

/* Rows in order of place, those at one place together: of tables and grouped records. */
static size_t merge_rows(const PlotInfo *p, const PlotSeries *s, Row *row, size_t n, bool *band)
{
	qsort(row, n, sizeof *row, by_place);
	size_t kept = 0;
	for (size_t i = 0, j; i < n; i = j) {
		for (j = i + 1; j < n && row[j].x == row[i].x && row[j].by == row[i].by;) {
			j++;
		}
		bool plain = s->n == 1;
		Row m = merge(row + i, j - i, plain ? p->option.band : PLOT_BAND_NONE);
		*band = *band || (plain && j - i > 1 && p->option.band != PLOT_BAND_NONE);
		row[kept++] = m;
	}
	return kept;
}

static const char *group_label(Run *r, const PlotInfo *p, const PlotSeries *s, double by)
{
	const char *name = p->value[p->by - 1].text;
	const char *mine = arena_printf(r->e->scratch, "%s = %.4g", name, by);
	return p->nseries == 1 ? mine : arena_printf(r->e->scratch, "%s, %s", s->label, mine);
}

static void one_series(Run *r, Plan *plan, const PlotInfo *p, const PlotSeries *s, size_t inner,
		       size_t j, Figure *f)
{
	size_t n = plot_size(r, p, s->value, 0);
	Row *row = arena_array(r->e->scratch, Row, n + 1);
	bool band = s->n > 1 && !s->slope, points = p->kind == PLOT_POINTS;
	for (size_t i = 0; i < n; i++) {
		double v[3] = {0, 0, 0};
		for (uint32_t k = 0; k < s->n; k++) {
			size_t width = plot_size(r, p, s->value + k, 1);
			v[k] = plot_value(r, plan, p, s->value + k, i*width + (width > 1 ? j : 0));
		}
		row[i] = (Row){.x = p->nplace ? plot_place(r, plan, p, 0, i) : (double)i,
			       .y = v[0], .lo = v[1], .hi = v[2], .at = i,
			       .by = p->by ? plot_value(r, plan, p, p->by - 1, i) : 0};
		if (s->n == 2 && !s->slope) {
			row[i].lo = v[0];
			row[i].hi = v[1];
			row[i].y = (v[0] + v[1])/2;
		}
	}
	if (!points && (p->record || p->by)) {
		n = merge_rows(p, s, row, n, &band);
	} else if (p->by) {
		qsort(row, n, sizeof *row, by_place);
	}
	const char *label = inner > 1 ? element_label(r, plan, p, s->label, j) : s->label;
	for (size_t i = 0, k; i < n; i = k) {
		for (k = i + 1; k < n && row[k].by == row[i].by;) {
			k++;
		}
		if (s->slope) {
			slopes(row + i, k - i, s->slope);
		}
		size_t kept = points ? thin_points(row + i, k - i) : thin_line(row + i, k - i);
		put_rows(r, f, p->by ? group_label(r, p, s, row[i].by) : label, row + i, kept, band);
		f->line[f->nline - 1].band_alone = s->n == 2 && !s->slope;
	}
}

static size_t count_lines(Run *r, const PlotInfo *p)
{
	size_t n = 0;
	for (uint32_t k = 0; k < p->nseries; k++) {
		size_t inner = plot_size(r, p, p->series[k].value, 1);
		n += inner*(p->by ? plot_size(r, p, p->series[k].value, 0) : 1);
	}
	return n;
}

bool plot_in_ratios(const double *x, size_t n)
{
	bool ok = n >= 4 && x[0] > 0 && x[n - 1]/x[0] >= 10;
	for (size_t i = 1; ok && i + 1 < n; i++) {
		double ratio = x[i + 1]/x[i]/(x[1]/x[0]);
		ok = fabs(ratio - 1) < 1e-6;
	}
	return ok;
}

/* The third direction of points: their colours. */
static void point_colours(Run *r, Plan *plan, const PlotInfo *p, Figure *f)
{
	const PlotSeries *s = &p->series[0];
	size_t n = plot_size(r, p, s->value, 0), step = (n + POINTS_MOST - 1)/POINTS_MOST;
	PlotLine *l = new_line(r, f, s->label, n, true);
	l->n = 0;
	step = step ? step : 1;
	for (size_t i = 0; i < n; i += step) {
		l->x[l->n] = plot_place(r, plan, p, 0, i);
		l->y[l->n] = plot_place(r, plan, p, 1, i);
		l->lo[l->n] = l->hi[l->n] = plot_value(r, plan, p, s->value, i);
		plot_reach(&f->scale[PLOT_Z], l->lo[l->n++]);
	}
	f->scale[PLOT_Z].title = plot_title(r, s->label, p->value[s->value].unit);
	f->scale[PLOT_Y].title = plot_title(r, p->place[1].label, p->place[1].unit);
}

static void label_lines(Run *r, const PlotInfo *p, Figure *f)
{
	const PlotOptions *o = f->option;
	for (size_t k = 0; k < f->nline && k < o->nlegend; k++) {
		f->line[k].label = o->legend[k];
	}
	UnitId unit = p->value[p->series[0].value].unit;
	bool same = !p->series[0].slope;
	for (uint32_t k = 1; k < p->nseries; k++) {
		same = same && p->value[p->series[k].value].unit == unit && !p->series[k].slope;
	}
	const char *label = p->nseries == 1 ? p->series[0].label : "";
	f->scale[PLOT_Y].title = plot_title(r, label, same ? unit : 0);
}

/* Names of the places of an axis with labels. */
static void name_places(Run *r, const PlotPlace *place, PlotScale *s)
{
	const AxisInfo *a = core_axis_info(r->core, place->axis);
	s->whole = !place->value;
	if (place->value || !a->nlabel) {
		return;
	}
	s->nlabel = a->nlabel;
	s->label = arena_array(r->e->scratch, const char *, a->nlabel + 1);
	for (uint32_t k = 0; k < a->nlabel; k++) {
		s->label[k] = run_name(r, a->label[k]);
	}
}

void plot_lines(Run *r, Plan *plan, const PlotInfo *p, Figure *f)
{
	f->line = arena_array(r->e->scratch, PlotLine, count_lines(r, p) + 1);
	if (p->kind == PLOT_POINTS && p->nplace > 1 && p->place[1].value) {
		point_colours(r, plan, p, f);
	} else {
		for (uint32_t k = 0; k < p->nseries; k++) {
			size_t inner = plot_size(r, p, p->series[k].value, 1);
			for (size_t j = 0; j < inner; j++) {
				one_series(r, plan, p, &p->series[k], inner, j, f);
			}
		}
		label_lines(r, p, f);
	}
	if (p->nplace) {
		f->scale[PLOT_X].title = plot_title(r, p->place[0].label, p->place[0].unit);
		name_places(r, &p->place[0], &f->scale[PLOT_X]);
	}
	if (!f->option->log_given && p->kind == PLOT_LINES && f->nline) {
		f->scale[PLOT_X].log = plot_in_ratios(f->line[0].x, f->line[0].n);
	}
	bool coloured = f->nline && p->kind == PLOT_POINTS && f->line[0].lo && f->line[0].hi;
	for (size_t k = 0; k < f->nline; k++) {
		const PlotLine *l = &f->line[k];
		for (size_t i = 0; i < l->n; i++) {
			if (!isfinite(l->y[i]) || !isfinite(l->x[i])) {
				continue;
			}
			f->drawn = true;
			plot_reach(&f->scale[PLOT_X], l->x[i]);
			plot_reach(&f->scale[PLOT_Y], l->y[i]);
			if (l->lo && !coloured) {
				plot_reach(&f->scale[PLOT_Y], l->lo[i]);
				plot_reach(&f->scale[PLOT_Y], l->hi[i]);
			}
		}
	}
}

/* ---- histograms ---- */

static int ascending(const void *a, const void *b)
{
	double p = *(const double *)a, q = *(const double *)b;
	return (p > q) - (p < q);
}

/* Width by Freedman and Diaconis: 2 (q3 - q1)/n^(1/3). */
static size_t count_bins(const Figure *f, double *sorted, size_t n)
{
	if (f->option->bins) {
		return (size_t)f->option->bins;
	}
	qsort(sorted, n, sizeof *sorted, ascending);
	double width = 2*(sorted[3*n/4] - sorted[n/4])/cbrt((double)n);
	double range = sorted[n - 1] - sorted[0], bins = width > 0 ? ceil(range/width) : 10;
	return bins > BINS_MOST ? BINS_MOST : bins < 5 ? 5 : (size_t)bins;
}

void plot_histogram(Run *r, Plan *plan, const PlotInfo *p, Figure *f)
{
	Arena *a = r->e->scratch;
	PlotScale *x = &f->scale[PLOT_X];
	size_t total = 0;
	for (uint32_t k = 0; k < p->nseries; k++) {
		total += plan_count(plan, p->series[k].value);
	}
	double *all = arena_array(a, double, total + 1);
	size_t n = 0;
	for (uint32_t k = 0; k < p->nseries; k++) {
		for (size_t i = 0; i < plan_count(plan, p->series[k].value); i++) {
			double v = plot_value(r, plan, p, p->series[k].value, i);
			if (isfinite(v)) {
				all[n++] = v;
				plot_reach(x, v);
			}
		}
	}
	f->line = arena_array(a, PlotLine, p->nseries + 1);
	f->drawn = n > 0;
	if (!n) {
		return;
	}
	size_t bins = count_bins(f, all, n);
	if (x->hi == x->lo) {
		x->lo -= 0.5;
		x->hi += 0.5;
	}
	f->bin = (x->hi - x->lo)/(double)bins;
	for (uint32_t k = 0; k < p->nseries; k++) {
		PlotLine *l = new_line(r, f, p->series[k].label, bins, false);
		for (size_t b = 0; b < bins; b++) {
			l->x[b] = x->lo + ((double)b + 0.5)*f->bin;
			l->y[b] = 0;
		}
		for (size_t i = 0; i < plan_count(plan, p->series[k].value); i++) {
			double v = plot_value(r, plan, p, p->series[k].value, i);
			if (isfinite(v)) {
				size_t b = (size_t)((v - x->lo)/f->bin);
				l->y[b < bins ? b : bins - 1] += 1;
			}
		}
		for (size_t b = 0; b < bins; b++) {
			plot_reach(&f->scale[PLOT_Y], l->y[b]);
		}
	}
	label_lines(r, p, f);
	x->title = f->scale[PLOT_Y].title;
	f->scale[PLOT_Y].title = "count";
	f->scale[PLOT_Y].lo = 0;
}
