/* lbfgs.c — limited-memory BFGS.
 * Sums run in the order of the entries, so that the same input gives the same bits. */
#include "compiler/lbfgs.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SUFFICIENT 1e-4 /* c1 */
#define CURVATURE 0.9   /* c2 */
enum { MOST_TRIALS = 30 };

bool lbfgs_create(Lbfgs *l, size_t n, size_t memory)
{
	memset(l, 0, sizeof *l);
	l->n = n;
	l->memory = memory ? memory : 1;
	size_t pairs;
	if (__builtin_mul_overflow(l->memory, n, &pairs)) {
		return false;
	}
	l->s = calloc(pairs + 1, sizeof(double));
	l->y = calloc(pairs + 1, sizeof(double));
	l->rho = calloc(l->memory, sizeof(double));
	l->work = calloc(3 * n + l->memory, sizeof(double));
	if (!l->s || !l->y || !l->rho || !l->work) {
		lbfgs_free(l);
		return false;
	}
	return true;
}

void lbfgs_free(Lbfgs *l)
{
	free(l->s);
	free(l->y);
	free(l->rho);
	free(l->work);
	memset(l, 0, sizeof *l);
}

void lbfgs_restart(Lbfgs *l)
{
	l->pairs = l->next = 0;
}

static double dot(size_t n, const double *a, const double *b)
{
	double sum = 0;
	for (size_t k = 0; k < n; k++) {
		sum += a[k] * b[k];
	}
	return sum;
}

/* d = -H g by the two-loop recursion; H starts as (s·y / y·y) of the newest pair. */
static void direction(const Lbfgs *l, const double *g, double *d, double *alpha)
{
	size_t n = l->n;
	for (size_t k = 0; k < n; k++) {
		d[k] = -g[k];
	}
	for (size_t i = 0; i < l->pairs; i++) {
		size_t p = (l->next + l->memory - 1 - i) % l->memory;
		alpha[p] = l->rho[p] * dot(n, l->s + p * n, d);
		for (size_t k = 0; k < n; k++) {
			d[k] -= alpha[p] * l->y[p * n + k];
		}
	}
	if (l->pairs) {
		size_t p = (l->next + l->memory - 1) % l->memory;
		double scale = 1 / (l->rho[p] * dot(n, l->y + p * n, l->y + p * n));
		for (size_t k = 0; k < n; k++) {
			d[k] *= scale;
		}
	}
	for (size_t i = l->pairs; i-- > 0;) {
		size_t p = (l->next + l->memory - 1 - i) % l->memory;
		double beta = l->rho[p] * dot(n, l->y + p * n, d);
		for (size_t k = 0; k < n; k++) {
			d[k] += (alpha[p] - beta) * l->s[p * n + k];
		}
	}
}

/* A point on the line x + a d. */
typedef struct Trial {
	double a, f, slope;
} Trial;

typedef struct Line {
	size_t n;
	const double *x, *d;
	double *at, *g; /* the point tried last and its gradient */
	LbfgsFunction function;
	void *data;
	int trials;
	bool failed;
} Line;

static Trial try_step(Line *line, double a)
{
	Trial t = {a, NAN, NAN};
	for (size_t k = 0; k < line->n; k++) {
		line->at[k] = line->x[k] + a * line->d[k];
	}
	line->trials++;
	if (!line->function(line->data, line->at, &t.f, line->g)) {
		line->failed = true;
		return t;
	}
	t.slope = dot(line->n, line->g, line->d);
	return t;
}

/* Minimum of the cubic through values and slopes at a and b, kept away from the ends by a tenth of
 * the interval. */
static double interpolate(Trial a, Trial b)
{
	double lo = fmin(a.a, b.a), hi = fmax(a.a, b.a), width = hi - lo;
	double d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.a - b.a);
	double d2 = sqrt(d1 * d1 - a.slope * b.slope) * (a.a < b.a ? 1 : -1);
	double m = b.a - (b.a - a.a) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2));
	if (!isfinite(m)) {
		m = lo + width / 2;
	}
	return fmin(fmax(m, lo + 0.1 * width), hi - 0.1 * width);
}

static bool decreases(Trial start, Trial t)
{
	return isfinite(t.f) && isfinite(t.slope) &&
	       t.f <= start.f + SUFFICIENT * t.a * start.slope;
}

static bool flat_enough(Trial start, Trial t)
{
	return fabs(t.slope) <= -CURVATURE * start.slope;
}

/* Shrinks [lo, hi] to a step with both conditions: lo decreases most so far, the slope at lo points
 * to hi. */
static bool zoom(Line *line, Trial start, Trial lo, Trial hi, Trial *found)
{
	while (line->trials < MOST_TRIALS && !line->failed) {
		if (fabs(hi.a - lo.a) <= 1e-16 * fmax(lo.a, hi.a)) {
			break;
		}
		Trial t = try_step(line, interpolate(lo, hi));
		if (!decreases(start, t) || t.f >= lo.f) {
			hi = t;
		} else {
			if (flat_enough(start, t)) {
				*found = t;
				return true;
			}
			if (t.slope * (hi.a - lo.a) >= 0) {
				hi = lo;
			}
			lo = t;
		}
	}
	/* Rounding can hide the second condition near a minimum: a step that lowers f is still
	 * progress. */
	if (!line->failed && lo.a > 0 && lo.f < start.f) {
		*found = try_step(line, lo.a);
		return !line->failed;
	}
	return false;
}

static bool search(Line *line, Trial start, double first, Trial *found)
{
	Trial before = start;
	double a = first;
	while (line->trials < MOST_TRIALS) {
		Trial t = try_step(line, a);
		if (line->failed) {
			return false;
		}
		if (!decreases(start, t) || (before.a > 0 && t.f >= before.f)) {
			return zoom(line, start, before, t, found);
		}
		if (flat_enough(start, t)) {
			*found = t;
			return true;
		}
		if (t.slope >= 0) {
			return zoom(line, start, t, before, found);
		}
		before = t;
		a *= 2;
	}
	return false;
}

/* Keeps s = at - x and y = g' - g if their curvature is positive beyond rounding. */
static void remember(Lbfgs *l, const Line *line, const double *g)
{
	double *s = l->s + l->next * l->n, *y = l->y + l->next * l->n;
	for (size_t k = 0; k < l->n; k++) {
		s[k] = line->at[k] - line->x[k];
		y[k] = line->g[k] - g[k];
	}
	double sy = dot(l->n, s, y), yy = dot(l->n, y, y);
	if (sy > 2.3e-16 * yy && sy > 0) {
		l->rho[l->next] = 1 / sy;
		l->next = (l->next + 1) % l->memory;
		l->pairs += l->pairs < l->memory;
	}
}

static LbfgsStatus one_search(Lbfgs *l, double *x, double *f, double *g, LbfgsFunction function,
			      void *data)
{
	size_t n = l->n;
	double *d = l->work, *at = d + n, *trial_g = at + n, *alpha = l->work + 3 * n;
	direction(l, g, d, alpha);
	Trial start = {0, *f, dot(n, g, d)}, found;
	if (!(start.slope < 0) || !isfinite(start.slope)) {
		return LBFGS_STUCK;
	}
	Line line = {n, x, d, at, trial_g, function, data, 0, false};
	double norm1 = 0;
	for (size_t k = 0; k < n; k++) {
		norm1 += fabs(g[k]);
	}
	double first = l->pairs ? 1 : fmin(1, 1 / norm1);
	if (!search(&line, start, first, &found)) {
		return line.failed ? LBFGS_FAILED : LBFGS_STUCK;
	}
	remember(l, &line, g);
	memcpy(x, at, n * sizeof *x);
	memcpy(g, trial_g, n * sizeof *g);
	*f = found.f;
	return LBFGS_STEP;
}

LbfgsStatus lbfgs_step(Lbfgs *l, double *x, double *f, double *g, LbfgsFunction function,
		       void *data)
{
	LbfgsStatus status = one_search(l, x, f, g, function, data);
	if (status == LBFGS_STUCK && l->pairs) {
		lbfgs_restart(l);
		status = one_search(l, x, f, g, function, data);
	}
	return status;
}
