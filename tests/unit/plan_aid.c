/* plan_aid.c — see plan_aid.h. */
#include "tests/unit/plan_aid.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

Def plan_aid_ints(Aid *t, DefRole role, const char *name, Kind kind, int64_t lo, int64_t hi,
		  const Axis *axes)
{
	uint32_t n = 0;
	while (axes[n]) {
		n++;
	}
	Def d = core_leaf(t->c, role, intern_str(t->names, name), (Span){0}, kind, 0, n, axes);
	size_t size = ref_size(t->ref, d);
	double *v = malloc((size + 1) * sizeof *v);
	for (size_t k = 0; k < size; k++) {
		v[k] = floor(aid_random(t, (double)lo, (double)hi + 1));
	}
	ref_set(t->ref, d, v);
	free(v);
	t->leaf[t->nleaf++] = d;
	return d;
}

Store *plan_aid_store(Aid *t)
{
	Store *s = store_create(t->c);
	for (uint32_t k = 0; k < t->nleaf; k++) {
		Def d = t->leaf[k];
		const double *v = ref_values(t->ref, d);
		cr_assert(store_alloc(s, d));
		for (size_t i = 0; i < store_count(s, d); i++) {
			if (core_def(t->c, d)->kind == KIND_REAL) {
				store_real(s, d)[i] = v[i];
			} else {
				store_int(s, d)[i] = (int64_t)v[i];
			}
		}
	}
	return s;
}

static Plan *build(Aid *t, Store *s, uint32_t n, const Def *defs, PlanOptions options)
{
	PlanOutput out[64];
	cr_assert(n <= 64);
	for (uint32_t k = 0; k < n; k++) {
		out[k] = (PlanOutput){defs[k], 0};
	}
	return plan_build(t->c, s, t->diags, n, out, options);
}

/* Interpreted with 1, 2, 3 threads, then compiled with 3, and some plans with 1 too: compiling takes
 * most of the time. */
enum { WAYS = 5, COMPILED_WAY = 3 };
static unsigned ways(const Aid *t)
{
	return t->seed >> 32 & 3 ? WAYS - 1 : WAYS;
}
static PlanOptions way_options(unsigned way)
{
	static const unsigned threads[WAYS] = {1, 2, 3, 3, 1};
	bool compiled = way >= COMPILED_WAY;
	return (PlanOptions){
		.threads = threads[way], .compiled = compiled, .runs = compiled ? INFINITY : 1};
}

static void shown(Aid *t)
{
	diags_render(t->diags, stderr, false, false);
	cr_assert_eq(diags_count(t->diags), 0);
}

static double value(const Plan *p, uint32_t k, Kind kind, size_t i)
{
	return kind == KIND_REAL ? plan_real(p, k)[i] : (double)plan_int(p, k)[i];
}

static double compare_one(Aid *t, const Plan *p, uint32_t k, Def d, double tolerance)
{
	size_t n = ref_size(t->ref, d);
	cr_assert_eq(plan_count(p, k), n, "output %u holds %zu elements, not %zu", k,
		     plan_count(p, k), n);
	double *want = calloc(n + 1, sizeof *want), worst = 0;
	ref_array(t->ref, d, want);
	cr_assert(!ref_error(t->ref), "the evaluator: %s", ref_error(t->ref));
	Kind kind = core_def(t->c, d)->kind;
	for (size_t i = 0; i < n; i++) {
		double have = value(p, k, kind, i);
		if (isnan(want[i]) && isnan(have)) {
			continue;
		}
		double e = have == want[i] ? 0 : fabs(have - want[i]) / (1 + fabs(want[i]));
		cr_assert(e <= tolerance, "%s[%zu] is %.17g, not %.17g (output %u)",
			  intern_text(t->names, core_def(t->c, d)->name), i, have, want[i], k);
		worst = e > worst ? e : worst;
	}
	free(want);
	return worst;
}

/* All outputs one after another, as bits. */
static size_t snapshot(const Aid *t, const Plan *p, uint32_t n, const Def *defs, int64_t **out)
{
	size_t total = 0, at = 0;
	for (uint32_t k = 0; k < n; k++) {
		total += plan_count(p, k);
	}
	*out = malloc((total + 1) * sizeof **out);
	for (uint32_t k = 0; k < n; k++) {
		const void *from = core_def(t->c, defs[k])->kind == KIND_REAL
					   ? (const void *)plan_real(p, k)
					   : (const void *)plan_int(p, k);
		memcpy(*out + at, from, plan_count(p, k) * sizeof **out);
		at += plan_count(p, k);
	}
	return total;
}

/* Two runs have the same bits, which are those of `first` unless that is NULL. */
static void run_twice(Aid *t, Plan *p, uint32_t n, const Def *defs, unsigned way, int64_t **first,
		      size_t *size)
{
	for (unsigned run = 0; run < 2; run++) {
		if (!plan_run(p, t->diags, (RunContext){7, 0})) {
			shown(t);
			cr_assert(false);
		}
		int64_t *bits;
		size_t m = snapshot(t, p, n, defs, &bits);
		if (!*first) {
			*first = bits;
			*size = m;
			continue;
		}
		cr_assert_eq(m, *size);
		cr_assert(!memcmp(*first, bits, m * sizeof *bits),
			  "run %u with %u threads has other bits, %s", run,
			  way_options(way).threads,
			  way < COMPILED_WAY ? "interpreted" : "compiled");
		free(bits);
	}
}

double plan_aid_compare(Aid *t, uint32_t n, const Def *defs, double tolerance)
{
	Store *s = plan_aid_store(t);
	double worst = 0;
	int64_t *first = NULL;
	size_t size = 0;
	for (unsigned way = 0; way < ways(t); way++) {
		Plan *p = build(t, s, n, defs, way_options(way));
		if (!p) {
			shown(t);
		}
		cr_assert(p);
		if (way == COMPILED_WAY) { /* compiled code has bits of its own */
			free(first);
			first = NULL;
		}
		run_twice(t, p, n, defs, way, &first, &size);
		for (uint32_t k = 0; k < n && (way == 0 || way == COMPILED_WAY); k++) {
			double e = compare_one(t, p, k, defs[k], tolerance);
			worst = e > worst ? e : worst;
		}
		plan_free(p);
	}
	free(first);
	store_free(s);
	return worst;
}

char *plan_aid_text(Aid *t, uint32_t n, const Def *defs)
{
	Store *s = plan_aid_store(t);
	Plan *p = build(t, s, n, defs, (PlanOptions){0});
	cr_assert(p);
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	plan_print(p, f);
	fclose(f);
	plan_free(p);
	store_free(s);
	return text;
}

static void expect_way(Aid *t, uint32_t n, const Def *defs, const char *code, PlanOptions options)
{
	Store *s = plan_aid_store(t);
	Plan *p = build(t, s, n, defs, options);
	if (p) {
		cr_assert(!plan_run(p, t->diags, (RunContext){7, 0}), "no %s was reported", code);
		plan_free(p);
	}
	store_free(s);
}

/* What the diagnostics say, which are forgotten. */
static char *said(Aid *t)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	diags_render(t->diags, f, false, false);
	fclose(f);
	diags_clear(t->diags);
	return text;
}

void plan_aid_expect(Aid *t, uint32_t n, const Def *defs, const char *code)
{
	char *first = NULL;
	for (unsigned way = 0; way < WAYS; way++) {
		expect_way(t, n, defs, code, way_options(way));
		char *text = said(t);
		cr_assert(strstr(text, code), "%s was expected, not: %s", code, text);
		cr_assert(!first || !strcmp(first, text), "two ways to say it:\n%s\n%s", first,
			  text);
		free(first);
		first = text;
	}
	free(first);
}
