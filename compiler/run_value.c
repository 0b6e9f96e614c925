/* run_value.c — values as text: numbers with six digits, small arrays in brackets with their
 * labels, units behind. */
#include "compiler/run_int.h"
#include "lang/unit.h"
#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SHOWN = 64 };

/* One value with its numbers: outputs `re` and, unless negative, `im` of a plan. */
typedef struct Shown {
	Run *r;
	Plan *plan;
	const Value *v;
	uint32_t re;
	int im;
	FILE *out;
} Shown;

enum { DIGITS = 6 };

static void print_number(FILE *out, double v, unsigned digits)
{
	if (isnan(v)) {
		fputs("nan", out);
	} else {
		fprintf(out, "%.*g", (int)(digits ? digits : DIGITS), v == 0 ? 0 : v);
	}
}

static void print_element(const Shown *s, size_t i)
{
	Kind kind = core_def(s->r->core, s->v->value)->kind;
	if (kind == KIND_BOOL) {
		fputs(plan_int(s->plan, s->re)[i] ? "true" : "false", s->out);
	} else if (kind == KIND_INT && run_label(s->r, s->v->of, plan_int(s->plan, s->re)[i])) {
		fputs(run_label(s->r, s->v->of, plan_int(s->plan, s->re)[i]), s->out);
	} else if (kind == KIND_INT) {
		fprintf(s->out, "%lld", (long long)plan_int(s->plan, s->re)[i]);
	} else {
		print_number(s->out, plan_real(s->plan, s->re)[i], s->v->digits);
	}
	if (s->im >= 0) {
		double im = eval_real(s->r, s->plan, (uint32_t)s->im, s->v->imaginary, i);
		fputs(signbit(im) ? " - " : " + ", s->out);
		print_number(s->out, fabs(im), s->v->digits);
		fputs("i", s->out);
	}
}

static const AxisInfo *shown_axis(const Shown *s, uint32_t k)
{
	const DefInfo *d = core_def(s->r->core, s->v->value);
	return core_axis_info(s->r->core, core_index_axis(s->r->core, d->index[k]));
}

/* Iterative over the elements in order; brackets open and close where an axis begins and ends. */
static void print_elements(const Shown *s, size_t count)
{
	uint32_t n = core_def(s->r->core, s->v->value)->nindex;
	for (size_t i = 0; i < count; i++) {
		size_t inner = 1;
		uint32_t opened = 0;
		for (uint32_t k = n;
		     k-- > 0 && i % (inner *= (size_t)shown_axis(s, k)->size) == 0;) {
			opened++;
		}
		if (i > 0) {
			fputs(opened ? ",\n" : ", ", s->out);
			for (uint32_t k = 0; opened && k < n - opened; k++) {
				fputc(' ', s->out);
			}
		}
		for (uint32_t k = 0; k < opened; k++) {
			fputc('[', s->out);
		}
		const AxisInfo *last = shown_axis(s, n - 1);
		if (last->nlabel) {
			fprintf(s->out,
				"%s: ", run_name(s->r, last->label[i % (size_t)last->size]));
		}
		print_element(s, i);
		inner = 1;
		for (uint32_t k = n;
		     k-- > 0 && (i + 1) % (inner *= (size_t)shown_axis(s, k)->size) == 0;) {
			fputc(']', s->out);
		}
	}
}

static void print_summary(const Shown *s, size_t count)
{
	double lo = INFINITY, hi = -INFINITY, sum = 0;
	for (size_t i = 0; i < count; i++) {
		double v = eval_real(s->r, s->plan, s->re, s->v->value, i);
		lo = fmin(lo, v);
		hi = fmax(hi, v);
		sum += v;
	}
	fputs("array[", s->out);
	for (uint32_t k = 0; k < core_def(s->r->core, s->v->value)->nindex; k++) {
		fprintf(s->out, "%s%lld", k ? "," : "", (long long)shown_axis(s, k)->size);
	}
	fputs("] from ", s->out);
	print_number(s->out, lo, s->v->digits);
	fputs(" to ", s->out);
	print_number(s->out, hi, s->v->digits);
	fputs(", mean ", s->out);
	print_number(s->out, sum / (double)count, s->v->digits);
}

static void print_value(const Shown *s)
{
	size_t count = plan_count(s->plan, s->re);
	if (core_def(s->r->core, s->v->value)->nindex == 0) {
		print_element(s, 0);
	} else if (count == 0) {
		fputs("[]", s->out);
	} else if (count <= MOST_SHOWN) {
		print_elements(s, count);
	} else {
		print_summary(s, count);
	}
	const char *unit = unit_text(s->r->program->units, s->v->unit);
	if (unit[0]) {
		fprintf(s->out, " %s", unit);
	}
}

static bool blank_end(const char *text)
{
	size_t n = strlen(text);
	return n == 0 || isspace((unsigned char)text[n - 1]);
}

/* Items are separated by one blank, unless a text brings its own. */
static void print_items(Run *r, Plan *plan, uint32_t n, const Value *item, FILE *out)
{
	bool space = false;
	uint32_t output = 0;
	for (uint32_t k = 0; k < n; k++) {
		const Value *v = &item[k];
		const char *text = v->value ? "" : run_name(r, v->string);
		if (space && (v->value || !strchr(" \t\n,.;:)]!?%", text[0]))) {
			fputc(' ', out);
		}
		if (v->value) {
			Shown s = {r, plan, v, output++, -1, out};
			if (v->imaginary) {
				s.im = (int)output++;
			}
			print_value(&s);
			space = true;
		} else {
			fputs(text, out);
			space = !blank_end(text);
		}
	}
	fputc('\n', out);
}

Plan *value_plan(Run *r, const void *key, uint32_t n, const Value *item, bool *none)
{
	PlanOutput *outputs = rt_alloc(2 * (size_t)n, sizeof *outputs);
	uint32_t count = 0;
	for (uint32_t k = 0; outputs && k < n; k++) {
		if (item[k].value) {
			outputs[count++] = (PlanOutput){item[k].value, 0};
		}
		if (item[k].value && item[k].imaginary) {
			outputs[count++] = (PlanOutput){item[k].imaginary, 0};
		}
	}
	if (!outputs) {
		diag_out_of_memory(r->e->ctx.diags, (Span){0}, "a value");
	}
	*none = outputs && !count;
	Plan *plan = !count ? NULL
		     : key  ? eval_cached(r, key, 0, count, outputs)
			    : eval_plan(r, count, outputs);
	free(outputs);
	return plan;
}

bool value_print(Run *r, const void *key, uint32_t n, const Value *item, FILE *out)
{
	bool none;
	Plan *plan = value_plan(r, key, n, item, &none);
	bool ok = none || (plan && eval_run(r, plan, 0));
	if (ok) {
		print_items(r, plan, n, item, out);
	}
	if (!key) {
		plan_free(plan);
	}
	return ok;
}
