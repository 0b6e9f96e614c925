/* core_arith.c — constants and sums (LIN): flattening, like terms, common guards, common factors.
 * Keeps: a LIN has no LIN or constant among its terms and no two equal terms; a term that is a
 * guard carries its coefficient inside; coefficients are finite. Operands stand in core_order. 0*x
 * and x - x fold although x may be NaN (SPEC.md, arithmetic). */
#include "lang/core_int.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static const double exact_int = 0x1p53; /* ints up to here are exact as coefficients */

/* ---- constants ---- */

Node core_real_const(Core *c, double v)
{
	/* one NaN, and no negative zero: 0*x folds to 0 anyway */
	NodeInfo p = {.tag = NODE_CONST,
		      .kind = KIND_REAL,
		      .num = v != v   ? (double)NAN
			     : v == 0 ? 0
				      : v};
	return core_intern(c, &p);
}

Node core_int_const(Core *c, int64_t v)
{
	NodeInfo p = {.tag = NODE_CONST, .kind = KIND_INT, .integer = v};
	return core_intern(c, &p);
}

Node core_bool_const(Core *c, bool v)
{
	NodeInfo p = {.tag = NODE_CONST, .kind = KIND_BOOL, .integer = v};
	return core_intern(c, &p);
}

Node core_zero(Core *c, Kind kind)
{
	return kind == KIND_REAL  ? core_real_const(c, 0)
	       : kind == KIND_INT ? core_int_const(c, 0)
				  : core_bool_const(c, false);
}

bool core_is_zero(const Core *c, Node n)
{
	const NodeInfo *p = core_node(c, n);
	return p->tag == NODE_CONST && p->num == 0 && p->integer == 0;
}

bool core_is_const(const Core *c, Node n, double *value)
{
	const NodeInfo *p = core_node(c, n);
	if (p->tag != NODE_CONST) {
		return false;
	}
	if (value) {
		*value = p->kind == KIND_REAL ? p->num : (double)p->integer;
	}
	return true;
}

/* ---- exact arithmetic of ints, with the overflow noted ---- */

static int64_t int_add(Core *c, int64_t a, int64_t b)
{
	int64_t r;
	c->int_overflow |= __builtin_add_overflow(a, b, &r);
	return r;
}

int64_t core_int_mul(Core *c, int64_t a, int64_t b)
{
	int64_t r;
	c->int_overflow |= __builtin_mul_overflow(a, b, &r);
	return r;
}

static double int_coef(Core *c, double k)
{
	if (fabs(k) > exact_int) {
		c->int_overflow = true;
	}
	return k;
}

/* ---- sums ---- */

typedef struct Sum {
	Kind kind;
	double num;
	int64_t integer;
	size_t base; /* of its terms on c->term */
} Sum;

static Sum sum_begin(const Core *c, Kind kind)
{
	return (Sum){.kind = kind, .base = c->nterm};
}

static void sum_constant(Core *c, Sum *s, double k, const NodeInfo *p)
{
	if (s->kind == KIND_INT) {
		s->integer = int_add(c, s->integer, core_int_mul(c, (int64_t)k, p->integer));
	} else if (p->num != 0) {
		s->num += k * p->num;
	}
}

static void sum_push_term(Core *c, Sum *s, double k, Node n)
{
	k = s->kind == KIND_INT ? int_coef(c, k) : k;
	const NodeInfo *p = core_node(c, n);
	if (p->tag == NODE_GUARD && k != 1) {
		Node cond = p->arg[0], inner = core_scale(c, k, p->arg[1]);
		n = core_guard(c, cond, inner);
		k = 1;
		if (core_is_zero(c, n)) {
			return;
		}
	}
	if (p->tag == NODE_PROD && k != 1 && core_node(c, p->arg[0])->tag == NODE_CONST) {
		n = core_mul(c, core_real_const(c, k), n); /* inf absorbs numbers */
		k = 1;
	}
	core_term_push(c, n, k, 0);
}

static void sum_push(Core *c, Sum *s, double k, Node n)
{
	const NodeInfo *p = core_node(c, n);
	assert(p->kind == s->kind && p->kind != KIND_BOOL);
	if (k == 0) {
		return;
	}
	if (!isfinite(k) && p->tag != NODE_CONST) {
		core_term_push(c, core_mul(c, core_real_const(c, k), n), 1,
			       0); /* inf does not distribute */
	} else if (p->tag == NODE_CONST) {
		sum_constant(c, s, k, p);
	} else if (p->tag == NODE_LIN) {
		sum_constant(c, s, k, p);
		for (uint32_t q = 0; q < p->n; q++) {
			sum_push_term(c, s, k * p->coef[q], p->arg[q]);
		}
	} else {
		sum_push_term(c, s, k, n);
	}
}

static int term_order(const void *x, const void *y, void *data)
{
	return core_order(data, ((const Term *)x)->arg, ((const Term *)y)->arg);
}

void core_terms_sort(Core *c, size_t base)
{
	size_t n = c->nterm - base;
	bool sorted = true;
	for (size_t k = base + 1; k < c->nterm && sorted; k++) {
		sorted = core_order(c, c->term[k - 1].arg, c->term[k].arg) <= 0;
	}
	if (!sorted) {
		qsort_r(c->term + base, n, sizeof *c->term, term_order, c);
	}
}

/* Guards deeper than this inside one another are not merged any more: recursion has an end. */
enum { GUARD_DEPTH = 100 };

/* [c] x + [c] y = [c] (x + y). */
static void merge_guards(Core *c, Sum *s)
{
	if (c->guard_depth >= GUARD_DEPTH) {
		return;
	}
	c->guard_depth++;
	size_t end = c->nterm;
	for (size_t k = s->base; k < end; k++) {
		Node first = c->term[k].arg;
		if (!first || core_node(c, first)->tag != NODE_GUARD) {
			continue;
		}
		Node cond = core_node(c, first)->arg[0];
		Sum inner = sum_begin(c, s->kind);
		bool many = false;
		for (size_t q = k + 1; q < end; q++) {
			Node other = c->term[q].arg;
			if (other && core_node(c, other)->tag == NODE_GUARD &&
			    core_node(c, other)->arg[0] == cond) {
				sum_push(c, &inner, c->term[q].coef, core_node(c, other)->arg[1]);
				c->term[q].arg = 0;
				many = true;
			}
		}
		if (many) {
			sum_push(c, &inner, c->term[k].coef, core_node(c, first)->arg[1]);
			size_t n = c->nterm - inner.base;
			Node *arg = arena_array(c->arena, Node, n);
			double *coef = arena_array(c->arena, double, n);
			for (size_t q = 0; q < n; q++) {
				arg[q] = c->term[inner.base + q].arg;
				coef[q] = c->term[inner.base + q].coef;
			}
			c->nterm = inner.base;
			Node rest = s->kind == KIND_INT ? core_int_const(c, inner.integer)
							: core_real_const(c, inner.num);
			Node sum =
				core_add(c, core_lin(c, s->kind, 0, (uint32_t)n, coef, arg), rest);
			c->term[k].arg = core_guard(c, cond, sum);
			c->term[k].coef = 1;
		}
		c->nterm = inner.base;
	}
	c->guard_depth--;
}

static bool merge_equal_terms(Core *c, const Sum *s)
{
	size_t to = s->base;
	bool guards = false;
	for (size_t k = s->base; k < c->nterm; k++) {
		Term t = c->term[k];
		if (!t.arg || core_is_zero(c, t.arg)) {
			continue;
		}
		if (to > s->base && c->term[to - 1].arg == t.arg) {
			c->term[to - 1].coef += t.coef;
			if (c->term[to - 1].coef == 0) {
				to--;
			}
		} else {
			c->term[to++] = t;
		}
		guards |= core_node(c, t.arg)->tag == NODE_GUARD;
	}
	c->nterm = to;
	return guards;
}

static Node sum_node(Core *c, const Sum *s)
{
	size_t n = c->nterm - s->base;
	if (n == 0) {
		return s->kind == KIND_INT ? core_int_const(c, s->integer)
					   : core_real_const(c, s->num);
	}
	if (n == 1 && c->term[s->base].coef == 1 && s->num == 0 && s->integer == 0) {
		return c->term[s->base].arg;
	}
	enum { SMALL = 16 };
	Node arg_small[SMALL], *arg = n <= SMALL ? arg_small : arena_array(c->arena, Node, n);
	double coef_small[SMALL],
		*coef = n <= SMALL ? coef_small : arena_array(c->arena, double, n);
	for (size_t k = 0; k < n; k++) {
		arg[k] = c->term[s->base + k].arg;
		coef[k] = c->term[s->base + k].coef;
	}
	NodeInfo p = {.tag = NODE_LIN,
		      .kind = (uint8_t)s->kind,
		      .n = (uint32_t)n,
		      .arg = arg,
		      .coef = coef,
		      .integer = s->integer,
		      .num = s->kind == KIND_INT ? (double)s->integer : s->num + 0.0};
	return core_intern(c, &p);
}

static bool has_guards(const Core *c, const Sum *s)
{
	unsigned n = 0;
	for (size_t k = s->base; k < c->nterm; k++) {
		n += core_node(c, c->term[k].arg)->tag == NODE_GUARD;
	}
	return n > 1;
}

static Node sum_end(Core *c, Sum *s)
{
	if (has_guards(c, s)) {
		merge_guards(c, s);
		size_t to = s->base;
		for (size_t k = s->base; k < c->nterm; k++) {
			if (c->term[k].arg) {
				c->term[to++] = c->term[k];
			}
		}
		c->nterm = to;
	}
	core_terms_sort(c, s->base);
	merge_equal_terms(c, s);
	/* two equal guards become one with coefficient 2, which belongs inside */
	for (size_t k = s->base; k < c->nterm; k++) {
		Term t = c->term[k];
		if (t.coef != 1 && core_node(c, t.arg)->tag == NODE_GUARD) {
			Node cond = core_node(c, t.arg)->arg[0],
			     inner = core_node(c, t.arg)->arg[1];
			Node scaled = core_guard(c, cond, core_scale(c, t.coef, inner));
			c->term[k] = (Term){.arg = scaled, .coef = 1};
		}
	}
	Node n = sum_node(c, s);
	c->nterm = s->base;
	return n;
}

Node core_lin(Core *c, Kind kind, double constant, uint32_t n, const double *coef, const Node *arg)
{
	Sum s = sum_begin(c, kind);
	if (kind == KIND_INT) {
		s.integer = (int64_t)int_coef(c, constant);
	} else {
		s.num = constant;
	}
	for (uint32_t k = 0; k < n; k++) {
		sum_push(c, &s, coef[k], arg[k]);
	}
	return sum_end(c, &s);
}

static Node add2(Core *c, Node a, double k, Node b)
{
	Sum s = sum_begin(c, core_kind(c, a));
	sum_push(c, &s, 1, a);
	sum_push(c, &s, k, b);
	return sum_end(c, &s);
}

Node core_add(Core *c, Node a, Node b)
{
	return add2(c, a, 1, b);
}

Node core_sub(Core *c, Node a, Node b)
{
	return add2(c, a, -1, b);
}

Node core_neg(Core *c, Node a)
{
	return core_scale(c, -1, a);
}

Node core_scale(Core *c, double k, Node a)
{
	if (k == 1) {
		return a;
	}
	Sum s = sum_begin(c, core_kind(c, a));
	sum_push(c, &s, k, a);
	return sum_end(c, &s);
}

/* ---- common factors of sums ---- */

static double gcd_of(double a, double b)
{
	while (b != 0) {
		double r = fmod(a, b);
		a = b;
		b = r;
	}
	return a;
}

/* |k| of the common factor: the coefficients' greatest common divisor if all are whole, their
 * magnitude if they share one. */
static double common_magnitude(const NodeInfo *p)
{
	double g = fabs(p->coef[0]);
	bool whole = true, same = true;
	for (uint32_t k = 0; k < p->n; k++) {
		double a = fabs(p->coef[k]);
		whole = whole && a <= exact_int && a == floor(a);
		same = same && a == g;
	}
	double constant = fabs(p->num);
	whole = whole && constant <= exact_int && constant == floor(constant);
	same = same && (constant == g || constant == 0);
	if (same && isfinite(g)) {
		return g;
	}
	if (!whole) {
		return 1;
	}
	for (uint32_t k = 1; k < p->n; k++) {
		g = gcd_of(g, fabs(p->coef[k]));
	}
	return constant == 0 ? g : gcd_of(g, constant);
}

/* Sign of the first group of terms of one shape whose coefficients are not symmetric; 0 if all are:
 * then only the numbers of index variables could choose. */
static int shape_sign(const Core *c, const NodeInfo *p)
{
	for (uint32_t lo = 0, hi; lo < p->n; lo = hi) {
		double sum = 0, high = 0, low = 0;
		bool guard =
			core_node(c, p->arg[lo])->tag == NODE_GUARD; /* carries its sign inside */
		for (hi = lo; hi < p->n && core_order_shape(c, p->arg[lo], p->arg[hi]) == 0; hi++) {
			sum += p->coef[hi];
			high = fmax(high, p->coef[hi]);
			low = fmax(low, -p->coef[hi]);
		}
		if (sum != 0 && !guard) {
			return sum > 0 ? 1 : -1;
		}
		if (high != low && !guard) {
			return high > low ? 1 : -1;
		}
	}
	return 0;
}

double core_content(Core *c, Node n, bool any_sign, Node *rest)
{
	*rest = n;
	const NodeInfo *p = core_node(c, n);
	if (p->tag != NODE_LIN) {
		return 1;
	}
	double k = common_magnitude(p);
	int sign = p->num > 0 ? 1 : p->num < 0 ? -1 : shape_sign(c, p);
	bool guards = core_node(c, p->arg[p->n - 1])->tag == NODE_GUARD; /* guards stand last */
	if (sign == 0 && any_sign && core_node(c, p->arg[0])->tag != NODE_GUARD) {
		sign = p->coef[0] > 0 ? 1 : -1;
	}
	if (sign < 0) {
		k = -k;
	}
	if (k == 1 || k == 0) {
		return 1;
	}
	if (guards) {
		*rest = core_scale(c, 1 / k, n);
		return k;
	}
	enum { SMALL = 16 };
	double coef_small[SMALL],
		*coef = p->n <= SMALL ? coef_small : arena_array(c->arena, double, p->n);
	for (uint32_t q = 0; q < p->n; q++) {
		coef[q] = p->coef[q] / k;
	}
	NodeInfo q = *p;
	q.coef = coef;
	q.num = p->num / k + 0.0;
	q.integer = p->kind == KIND_INT ? p->integer / (int64_t)k : 0;
	*rest = p->n == 1 && q.num == 0 && coef[0] == 1 ? p->arg[0] : core_intern(c, &q);
	return k;
}
