/* test_rules.c — walks rules.def: each row holds numerically (EXACT: the same number; REAL: to
 * rounding where its condition holds), fires on its own pattern, and inside larger sums and
 * products. */
#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#include "lang/core_int.h"
#include "lang/simplify.h"
#include "tests/unit/ref_eval.h"

typedef struct Bench {
	Arena *arena;
	Core *core;
	Def leaf[3];
	CoreName name[3];
	Ref *ref;
} Bench;

static Bench bench(void)
{
	Bench b = {.arena = arena_create()};
	Intern *names = intern_create(b.arena);
	b.core = core_create(b.arena, names);
	b.ref = ref_create(b.core);
	static const char *const letter[] = {"a", "b", "c"};
	for (int k = 0; k < 3; k++) {
		b.leaf[k] = core_leaf(b.core, DEF_PARAM, intern_str(names, letter[k]), (Span){0},
				      KIND_REAL, 0, 0, NULL);
		b.name[k] = (CoreName){letter[k], core_read(b.core, b.leaf[k], NULL)};
	}
	return b;
}

static void finish(Bench *b)
{
	ref_free(b->ref);
	arena_free(b->arena);
}

static const double special[] = {
	0,     1,     -1,   0.5,   -0.5, 2,   -2,   1e-8,     -1e-8,     3.141592653589793,
	10,    -10,   0.25, -0.75, 1e-3, 700, -700, INFINITY, -INFINITY, NAN,
	1e300, -1e300};
enum { SPECIAL = sizeof special / sizeof *special, POINTS = 400 };

static double point(unsigned k, unsigned leaf)
{
	if (k < SPECIAL) {
		return special[(k + 7 * leaf) % SPECIAL];
	}
	uint64_t x = (k * 3 + leaf) * 0x9e3779b97f4a7c15u;
	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9u;
	x ^= x >> 32;
	double u = (double)(x >> 11) * 0x1p-53;
	return k % 3 == 0 ? (u - 0.5) * 8 : k % 3 == 1 ? (u - 0.5) * 2 : exp((u - 0.3) * 8);
}

/* Does the condition hold at the present point? Its text is `left > 0` or `left >= 0`. */
static bool condition_at(Bench *b, const char *condition)
{
	const char *more = strchr(condition, '>');
	if (!more) {
		cr_assert_eq(*condition, 0, "a condition without >: %s", condition);
		return true;
	}
	char *left = arena_strdup(b->arena, condition);
	left[more - condition] = 0;
	double v = ref_node(b->ref, core_expression(b->core, left, 3, b->name));
	return more[1] == '=' ? v >= 0 : v > 0;
}

static bool ordinary(double v)
{
	return isfinite(v) && fabs(v) < 1e100;
}

static unsigned check_row(const RuleRow *row)
{
	Bench b = bench();
	Node pattern = core_expression(b.core, row->pattern, 3, b.name);
	Node replacement = core_expression(b.core, row->replacement, 3, b.name);
	unsigned compared = 0;
	for (unsigned k = 0; k < POINTS; k++) {
		double x[3];
		for (unsigned q = 0; q < 3; q++) {
			x[q] = point(k, q);
			ref_set(b.ref, b.leaf[q], &x[q]);
		}
		if (!condition_at(&b, row->condition)) {
			continue;
		}
		double have = ref_node(b.ref, replacement), want = ref_node(b.ref, pattern);
		if (row->exact) {
			cr_assert(have == want || (isnan(have) && isnan(want)),
				  "%s at %.17g: %.17g, and %s is %.17g", row->pattern, x[0], want,
				  row->replacement, have);
			compared++;
		} else if (ordinary(have) && ordinary(want) && ordinary(x[0]) && want != 0 &&
			   fabs(x[0]) > 1e-6 && fabs(x[0]) < 12) {
			/* the pattern may cancel: what it loses is a rounding of its terms, which
			 * are of order 1 or of a's powers */
			double scale = fabs(want) + 1 + x[0] * x[0];
			cr_assert(fabs(have - want) <=
					  1e-14 * scale * exp(2 * fmin(fabs(x[0]), 15)),
				  "%s at %.17g: %.17g, and %s is %.17g", row->pattern, x[0], want,
				  row->replacement, have);
			compared++;
		}
	}
	finish(&b);
	return compared;
}

Test(rules, every_row_holds)
{
	RuleRow row;
	unsigned n = 0;
	for (; simplify_rule(n, &row); n++) {
		unsigned compared = check_row(&row);
		cr_assert_gt(compared, 40, "%s was compared at %u points only", row.pattern,
			     compared);
	}
	cr_assert_gt(n, 30);
}

/* A row fires on its pattern (with something positive for a where it asks for that), and the result
 * is a fixed point. */
Test(rules, every_row_fires)
{
	RuleRow row;
	for (unsigned k = 0; simplify_rule(k, &row); k++) {
		Bench b = bench();
		if (*row.condition) {
			b.name[0].value = core_add(b.core, core_real_const(b.core, 1),
						   core_powi(b.core, b.name[1].value, 2));
		}
		Node pattern = core_expression(b.core, row.pattern, 3, b.name);
		Node replacement = core_expression(b.core, row.replacement, 3, b.name);
		Node have = simplify_node(b.core, 0, pattern),
		     want = simplify_node(b.core, 0, replacement);
		cr_assert_eq(have, want, "%s became %s, not %s", row.pattern,
			     core_text(b.core, b.arena, have), core_text(b.core, b.arena, want));
		cr_assert_eq(simplify_node(b.core, 0, have), have, "%s", row.pattern);
		if (!row.exact) {
			Node kept = simplify_node(b.core, SIMPLIFY_EXACT, pattern);
			cr_assert(kept == pattern || simplify_node(b.core, 0, kept) == want, "%s",
				  row.pattern);
		}
		finish(&b);
	}
}

static void becomes(const char *from, const char *to)
{
	Bench b = bench();
	Node have = simplify_node(b.core, 0, core_expression(b.core, from, 3, b.name));
	Node want = core_expression(b.core, to, 3, b.name);
	cr_assert_eq(have, want, "%s became %s, not %s", from, core_text(b.core, b.arena, have),
		     core_text(b.core, b.arena, want));
	finish(&b);
}

Test(rules, inside_sums_and_products)
{
	becomes("3*sin(a)^2 + b + 3*cos(a)^2", "3 + b");
	becomes("sin(a)^2 + 2*cos(a)^2", "sin(a)^2 + 2*cos(a)^2");
	becomes("2*exp(b) - 2 + a", "2*expm1(b) + a");
	becomes("b*sqrt(a^2 + 1)^3", "b*(a^2 + 1)*sqrt(a^2 + 1)");
	becomes("a/(1 + exp(b))^2", "a*sigmoid(-b)^2");
	becomes("exp(a)/(1 + exp(a))", "sigmoid(a)");
	becomes("tanh(b - a)", "-tanh(a - b)");
	becomes("tanh(-2*a*b)", "-tanh(2*a*b)");
	becomes("cosh(1 - a)", "cosh(1 - a)");
	becomes("log(1 + exp(-2*a*b))", "softplus(-2*a*b)");
	becomes("sqrt(a^2*b^4)", "abs(a*b^2)");
	becomes("sqrt(exp(a)^2)", "exp(a)");
	becomes("exp(log(a^2 + 1))", "a^2 + 1");
	becomes("exp(log(a))", "exp(log(a))");
	becomes("sqrt(a)^2", "sqrt(a)^2");
	becomes("abs(a)", "abs(a)");
	becomes("log(1 + a + b)", "log1p(a + b)");
	becomes("log(exp(log(exp(a))))", "a");
	becomes("sin(abs(-a))", "sin(abs(a))");
}
