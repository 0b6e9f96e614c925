/* claims.c — tests at random points and assertions about what was trained.
 *
 * a == b holds at a point if |a - b| <= within, where `within` is what the claim says, or else 1e-9
 * times the size of the terms (|a| + |b| + …) of that element. Both sides are compared element by
 * element. A claim that reads parameters is tried with the parameters as they are for the first
 * half of its points, and at random parameters for the second. */
#include "compiler/claims.h"
#include "compiler/claims_int.h"
#include "lang/unit.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIZES = 4, MOVE_EVERY = 16, POINTS_WITHOUT_VARIABLES = 10, ELEMENTS_SHOWN = 9 };

/* Which output of the plan is what; -1: not there. */
typedef struct Sides {
	int left, right, scale, condition;
	uint32_t part; /* the first of two for each part */
} Sides;

enum { OUTPUTS = 4 + 2 * 6 };

/* The worst point so far: error in units of what is allowed. */
typedef struct Worst {
	double ratio, error, bound, left, right;
	size_t element;
	const char *where; /* the point in the user's names, once the claim failed */
	int64_t trials, failed;
	bool moved;
} Worst;

static Plan *claim_plan(Run *r, const Stmt *s, bool keep, Sides *sides)
{
	const Claim *c = &s->u.claim;
	PlanOutput out[OUTPUTS];
	uint32_t n = 0;
	*sides = (Sides){-1, -1, -1, -1, 0};
	if (c->left && c->right) {
		sides->left = (int)n;
		out[n++] = (PlanOutput){c->left, 0};
		sides->right = (int)n;
		out[n++] = (PlanOutput){c->right, 0};
	}
	if (c->scale) {
		sides->scale = (int)n;
		out[n++] = (PlanOutput){c->scale, 0};
	}
	if (c->condition) {
		sides->condition = (int)n;
		out[n++] = (PlanOutput){c->condition, 0};
	}
	sides->part = n;
	for (uint32_t k = 0; k < c->npart && n + 2 <= OUTPUTS; k++) {
		out[n++] = (PlanOutput){c->part[k].left, 0};
		out[n++] = (PlanOutput){c->part[k].right, 0};
	}
	double runs = r->runs;
	r->runs = runs * (double)(c->trials > 1 ? c->trials : 1);
	r->what = c->text;
	Plan *p = keep ? eval_cached(r, s, 0, n, out) : eval_plan(r, n, out);
	r->runs = runs;
	r->what = NULL;
	return p;
}

static bool is_equality(const Run *r, const Claim *c)
{
	return c->left && c->right && (!c->condition || strcmp(run_name(r, c->compare), "==") == 0);
}

/* ---- judging one point ---- */

static size_t elements(Plan *p, const Sides *s)
{
	return plan_count(p, (uint32_t)(s->left >= 0 ? s->left : s->condition));
}

static double side(const Run *r, Plan *p, int output, Def d, size_t i)
{
	return output < 0 ? NAN : eval_real(r, p, (uint32_t)output, d, i);
}

static void judge_equality(const Run *r, const Claim *c, Plan *p, const Sides *s, Worst *point)
{
	size_t n = elements(p, s);
	for (size_t i = 0; i < n; i++) {
		double a = side(r, p, s->left, c->left, i), b = side(r, p, s->right, c->right, i);
		double size = s->scale >= 0 ? side(r, p, s->scale, c->scale, i) : fabs(a) + fabs(b);
		double bound = c->within_absolute ? c->within : c->within * size;
		double error = fabs(a - b);
		double ratio = error <= bound ? (bound > 0 ? error / bound : 0)
			       : bound > 0    ? error / bound
					      : INFINITY;
		if (isnan(error) || isnan(ratio)) {
			ratio = INFINITY;
		}
		if (i == 0 || ratio > point->ratio) {
			*point = (Worst){.ratio = ratio,
					 .error = error,
					 .bound = bound,
					 .left = a,
					 .right = b,
					 .element = i};
			point->error = c->within_absolute || size == 0 ? error : error / size;
		}
	}
}

static void judge_condition(const Run *r, const Claim *c, Plan *p, const Sides *s, Worst *point)
{
	size_t n = plan_count(p, (uint32_t)s->condition);
	bool scalar_sides = s->left >= 0 && plan_count(p, (uint32_t)s->left) == n;
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || eval_real(r, p, (uint32_t)s->condition, c->condition, i) == 0) {
			point->ratio = eval_real(r, p, (uint32_t)s->condition, c->condition, i) == 0
					       ? INFINITY
					       : 0;
			point->left = scalar_sides ? side(r, p, s->left, c->left, i) : NAN;
			point->right = scalar_sides ? side(r, p, s->right, c->right, i) : NAN;
			point->element = i;
		}
		if (point->ratio > 0) {
			return;
		}
	}
}

/* ---- telling ---- */

static const char *number_text(Run *r, double v, UnitId unit)
{
	const char *u = unit_text(r->program->units, unit);
	return arena_printf(r->e->arena, "%.10g%s%s", v, u[0] ? " " : "", u);
}

static const char *var_text(Run *r, const SampleVar *v)
{
	size_t n = store_count(r->store, v->leaf);
	const DefInfo *d = core_def(r->core, v->leaf);
	const char *text = n == 1 && d->nindex == 0 ? "" : "[";
	for (size_t i = 0; i < n && i < ELEMENTS_SHOWN; i++) {
		double x = d->kind == KIND_REAL ? store_real(r->store, v->leaf)[i]
						: (double)store_int(r->store, v->leaf)[i];
		text = arena_printf(r->e->arena, "%s%s%.6g", text, i ? ", " : "", x);
	}
	const char *unit = unit_text(r->program->units, v->unit);
	return arena_printf(r->e->arena, "%s = %s%s%s%s%s", run_name(r, v->name), text,
			    n > ELEMENTS_SHOWN ? ", …" : "", text[0] == '[' ? "]" : "",
			    unit[0] ? " " : "", unit);
}

static const char *point_text(Run *r, const Claim *c)
{
	const char *text = "";
	for (uint32_t k = 0; k < c->nvar; k++) {
		text = arena_printf(r->e->arena, "%s%s%s", text, k ? ", " : "",
				    var_text(r, &c->var[k]));
	}
	for (uint32_t k = 0; k < c->nsized; k++) {
		const AxisInfo *a = core_axis_info(r->core, c->sized[k]);
		text = arena_printf(r->e->arena, "%s%s%lld along axis %s", text,
				    text[0] ? ", " : "", (long long)a->size, run_name(r, a->name));
	}
	return text;
}

/* "i = 2, a = x": the element of the compared arrays, "" for scalars. */
static const char *element_text(Run *r, const Claim *c, size_t element)
{
	const DefInfo *d = core_def(r->core, c->left ? c->left : c->condition);
	const char *text = "";
	for (uint32_t k = d->nindex; k-- > 0;) {
		const AxisInfo *a = core_axis_info(r->core, core_index_axis(r->core, d->index[k]));
		size_t at = a->size > 0 ? element % (size_t)a->size : 0;
		element /= a->size > 0 ? (size_t)a->size : 1;
		const char *comma = text[0] ? ", " : "",
			   *name = run_name(r, core_index_name(r->core, d->index[k]));
		text = a->nlabel ? arena_printf(r->e->arena, "%s = %s%s%s", name,
						run_name(r, a->label[at]), comma, text)
				 : arena_printf(r->e->arena, "%s = %lld%s%s", name,
						(long long)(a->first + (int64_t)at), comma, text);
	}
	return text;
}

/* A number says itself what it is. */
static bool is_number(const char *text)
{
	double v;
	return rt_number_parse(text, strlen(text), &v) == RT_NUMBER;
}

static void describe_failure(Run *r, const Claim *c, const Worst *w, Diag *d)
{
	const char *element = element_text(r, c, w->element);
	if (c->name) {
		diag_remark(d, "named \"%s\"", c->name);
	}
	if (w->where && w->where[0]) {
		diag_remark(d, "counterexample: %s%s", w->where,
			    w->moved ? ", at random parameters" : "");
	} else if (w->moved) {
		diag_remark(d, "at random parameters");
	}
	if (element[0]) {
		diag_remark(d, "at %s", element);
	}
	if (!isnan(w->left) || !isnan(w->right) || is_equality(r, c)) {
		if (c->left_text && !is_number(c->left_text)) {
			diag_remark(d, "%s = %s", c->left_text, number_text(r, w->left, c->unit));
		}
		if (c->right_text && !is_number(c->right_text)) {
			diag_remark(d, "%s = %s", c->right_text, number_text(r, w->right, c->unit));
		}
	}
	if (is_equality(r, c)) {
		diag_remark(d, "they differ by %.3g, allowed is %.3g", fabs(w->left - w->right),
			    w->bound);
	}
}

/* Value and bound of the first comparison are numbers for a reader; shown is all of it. */
static void claim_event(Run *r, const char *kind, const Claim *c, double value, double bound,
			const char *shown, bool pass)
{
	if (!r->metrics) {
		return;
	}
	metrics_begin(r->metrics, "claim");
	metrics_string(r->metrics, "kind", kind);
	if (c->name) {
		metrics_string(r->metrics, "name", c->name);
	}
	metrics_string(r->metrics, "text", c->text);
	metrics_string(r->metrics, "shown", shown);
	metrics_real(r->metrics, "value", value);
	metrics_real(r->metrics, "bound", bound);
	metrics_bool(r->metrics, "pass", pass);
	run_event_end(r);
}

static void count_claim(Run *r, bool pass)
{
	r->claims++;
	r->claims_failed += !pass;
}

/* One line for a reader: under its name if it has one. */
static void tell_verdict(const Run *r, const char *kind, const Claim *c, const char *shown, bool pass)
{
	fprintf(r->e->options.output, "%s %s%s%s%s%s\n", pass ? "ok  " : "FAIL", c->name ? "" : kind,
		c->name ? "" : " ", c->name ? c->name : c->text, shown[0] ? "   " : "", shown);
}

static void test_verdict(Run *r, const Claim *c, const Worst *w)
{
	bool pass = w->failed == 0;
	count_claim(r, pass);
	const char *points = w->trials == 1 ? "point" : "points";
	const char *shown =
		is_equality(r, c)
			? arena_printf(r->e->arena, "%lld %s, worst error %.1e of %.1e",
				       (long long)w->trials, points, w->error, c->within)
			: arena_printf(r->e->arena, "%lld %s", (long long)w->trials, points);
	claim_event(r, "test", c, is_equality(r, c) ? w->error : (double)w->failed,
		    is_equality(r, c) ? c->within : 0, shown, pass);
	if (!pass) {
		Diag *d = diag_test_failed(r->e->ctx.diags, c->span, c->text);
		diag_label(d, "fails at %lld of %lld points", (long long)w->failed,
			   (long long)w->trials);
		describe_failure(r, c, w, d);
	}
	if (r->e->options.quiet || r->no_interaction) {
		return;
	}
	tell_verdict(r, "test", c, shown, pass);
}

/* ---- test ---- */

typedef struct Trying {
	Run *r;
	const Stmt *s;
	const Claim *c;
	MovedParams moved;
	Worst worst;
} Trying;

static bool try_point(Trying *t, Plan *p, const Sides *sides, uint64_t trial, bool moved)
{
	Run *r = t->r;
	if (!sample_point(r, t->c, trial) || !eval_run(r, p, trial)) {
		return false;
	}
	Worst point = {.left = NAN, .right = NAN};
	(is_equality(r, t->c) ? judge_equality : judge_condition)(r, t->c, p, sides, &point);
	Worst *w = &t->worst;
	bool fails = point.ratio > 1;
	bool worse = w->trials == 0 || point.ratio > w->ratio;
	w->trials++;
	w->failed += fails;
	if (worse) {
		point.trials = w->trials;
		point.failed = w->failed;
		point.moved = moved;
		point.where = fails ? point_text(r, t->c) : NULL;
		*w = point;
	}
	return true;
}

static bool alloc_vars(Run *r, const Claim *c)
{
	for (uint32_t k = 0; k < c->nvar; k++) {
		if (!eval_room(r, c->var[k].leaf)) {
			return false;
		}
	}
	return true;
}

static bool try_points(Trying *t, int64_t n, uint64_t first)
{
	Sides sides;
	Run *r = t->r;
	bool keep = t->c->nsized == 0;
	Plan *p = alloc_vars(r, t->c) ? claim_plan(r, t->s, keep, &sides) : NULL;
	bool ok = p != NULL;
	int64_t still = t->moved.n ? (n + 1) / 2 : n;
	for (int64_t k = 0; ok && k < n && !run_interrupted(r); k++) {
		bool moved = k >= still;
		if (moved && (k - still) % (t->c->nvar ? MOVE_EVERY : 1) == 0) {
			ok = params_move(r, &t->moved, first + (uint64_t)k);
		}
		ok = ok && try_point(t, p, &sides, first + (uint64_t)k, moved);
	}
	params_back(r, &t->moved);
	if (!keep) {
		plan_free(p);
	}
	return ok;
}

/* Axes without a size are tried at several, each differently from its neighbour. */
static bool try_sizes(Trying *t, int64_t n)
{
	static const int64_t sizes[SIZES] = {2, 3, 5, 7};
	Run *r = t->r;
	bool ok = true;
	for (int64_t k = 0; ok && k < SIZES; k++) {
		for (uint32_t j = 0; j < t->c->nsized; j++) {
			core_axis_resize(r->core, t->c->sized[j], sizes[(k + j) % SIZES]);
		}
		ok = try_points(t, (n + SIZES - 1) / SIZES, (uint64_t)(k * n));
	}
	return ok;
}

Plan *claims_plan(Run *r, const Stmt *s)
{
	Sides sides;
	return alloc_vars(r, &s->u.claim) ? claim_plan(r, s, true, &sides) : NULL;
}

bool claims_test(Run *r, const Stmt *s)
{
	const Claim *c = &s->u.claim;
	Trying t = {.r = r, .s = s, .c = c};
	if (!params_keep(r, c, &t.moved)) {
		return false;
	}
	int64_t n = c->trials > 0 ? c->trials : 1;
	if (c->nvar == 0 && c->nsized == 0) {
		n = t.moved.n ? POINTS_WITHOUT_VARIABLES : 1;
	}
	bool ok = c->nsized ? try_sizes(&t, n) : try_points(&t, n, 0);
	params_release(&t.moved);
	if (ok && t.worst.trials) {
		test_verdict(r, c, &t.worst);
	}
	return ok;
}

/* ---- assert ---- */

static const char *short_text(Run *r, double v, UnitId unit)
{
	const char *u = unit_text(r->program->units, unit);
	return arena_printf(r->e->arena, "%.6g%s%s", v, u[0] ? " " : "", u);
}

/* The comparison, or those that the condition is made of, with their values. */
static const char *shown_values(Run *r, const Claim *c, Plan *p, const Sides *s, const Worst *w)
{
	const char *text = "";
	if (!isnan(w->left)) {
		return arena_printf(r->e->arena, "%s %s %.6g", short_text(r, w->left, c->unit),
				    c->compare ? run_name(r, c->compare) : "", w->right);
	}
	for (uint32_t k = 0; k < c->npart; k++) {
		const ClaimPart *part = &c->part[k];
		double a = eval_real(r, p, s->part + 2 * k, part->left, 0),
		       b = eval_real(r, p, s->part + 2 * k + 1, part->right, 0);
		text = arena_printf(r->e->arena, "%s%s%s %s %.6g", text, part->before,
				    short_text(r, a, part->unit), run_name(r, part->op), b);
	}
	return text;
}

bool claims_assert(Run *r, const Stmt *s)
{
	const Claim *c = &s->u.claim;
	Sides sides;
	Plan *p = claim_plan(r, s, true, &sides);
	if (!p || !eval_run(r, p, 0)) {
		return false;
	}
	Worst w = {.left = NAN, .right = NAN};
	(is_equality(r, c) ? judge_equality : judge_condition)(r, c, p, &sides, &w);
	bool pass = !(w.ratio > 1);
	count_claim(r, pass);
	double left = w.left, right = is_equality(r, c) ? w.bound : w.right;
	if (c->npart) {
		left = eval_real(r, p, sides.part, c->part[0].left, 0);
		right = eval_real(r, p, sides.part + 1, c->part[0].right, 0);
	}
	const char *shown = shown_values(r, c, p, &sides, &w);
	claim_event(r, "assert", c, left, right, shown, pass);
	if (!pass) {
		describe_failure(r, c, &w, diag_assert_failed(r->e->ctx.diags, c->span, c->text));
	}
	if (r->e->options.quiet || r->no_interaction) {
		return true;
	}
	tell_verdict(r, "assert", c, shown, pass);
	return true;
}
