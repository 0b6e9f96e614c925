/* core_prod.c — products (PROD): flattening, powers, numbers and guards that come out.
 * Keeps: a PROD has no PROD, finite constant or single-term LIN among its factors, and no two equal
 * bases. Operands stand in core_order. x/x folds to 1 although x may be 0 or NaN (SPEC.md,
 * arithmetic). */
#include "lang/core_int.h"

#include <assert.h>
#include <math.h>

#include "lang/op_value.h"

typedef struct Product {
	Kind kind;
	double num;
	int64_t integer;
	Node cond; /* guard, 0: none */
	size_t base;
} Product;

static void product_number(Core *c, Product *m, double v, int64_t i, int32_t e)
{
	if (m->kind == KIND_REAL) {
		m->num *= op_powi(v, e);
		return;
	}
	assert(e > 0);
	for (int32_t k = 0; k < e && m->integer != 0 && i != 1; k++) {
		m->integer = core_int_mul(c, m->integer, i);
		if (c->int_overflow || i == 0) {
			break;
		}
		if (i == -1) {
			m->integer = e % 2 ? m->integer : -m->integer;
			break;
		}
	}
}

static void product_push(Core *c, Product *m, Node n, int32_t e)
{
	const NodeInfo *p = core_node(c, n);
	assert(p->kind == m->kind && p->kind != KIND_BOOL);
	Node rest;
	switch (p->tag) {
	case NODE_CONST:
		product_number(c, m, p->num, p->integer, e);
		return;
	case NODE_PROD:
		for (uint32_t k = 0; k < p->n; k++) {
			int32_t power;
			if (__builtin_mul_overflow(p->expo[k], e, &power)) {
				core_term_push(c, core_powi(c, p->arg[k], p->expo[k]), 0, e);
			} else {
				product_push(c, m, p->arg[k], power);
			}
		}
		return;
	case NODE_LIN: {
		bool single = p->n == 1 && p->num == 0 && p->integer == 0;
		double k = single ? p->coef[0] : core_content(c, n, e % 2 == 0, &rest);
		if (single) {
			rest = p->arg[0];
		}
		product_number(c, m, k, (int64_t)(m->kind == KIND_INT ? k : 0), e);
		if (single) {
			product_push(c, m, rest, e);
		} else {
			core_term_push(c, rest, 0, e);
		}
		return;
	}
	case NODE_GUARD:
		if (e > 0) {
			Node cond = p->arg[0], inner = p->arg[1];
			m->cond = m->cond ? core_and(c, m->cond, cond) : cond;
			product_push(c, m, inner, e);
			return;
		}
		break;
	default:
		break;
	}
	core_term_push(c, n, 0, e);
}

static bool is_spin(const Core *c, Node n)
{
	const NodeInfo *p = core_node(c, n);
	return p->tag == NODE_READ && (core_def(c, p->ref)->flags & DEF_SPIN);
}

static void merge_powers(Core *c, const Product *m)
{
	size_t to = m->base;
	for (size_t k = m->base; k < c->nterm; k++) {
		Term t = c->term[k];
		for (; k + 1 < c->nterm && c->term[k + 1].arg == t.arg; k++) {
			int32_t sum;
			if (__builtin_add_overflow(t.expo, c->term[k + 1].expo, &sum)) {
				break;
			}
			t.expo = sum;
		}
		if (is_spin(c, t.arg)) {
			t.expo = t.expo & 1;
		}
		if (t.expo != 0) {
			c->term[to++] = t;
		}
	}
	c->nterm = to;
}

/* ([c] x)^-2 is ([c] x^2)^-1: one form for the inverse of a guarded power. */
static bool push_powers_inside(Core *c, const Product *m)
{
	bool any = false;
	for (size_t k = m->base; k < c->nterm; k++) {
		Term t = c->term[k];
		const NodeInfo *p = core_node(c, t.arg);
		if (p->tag == NODE_GUARD && t.expo < -1 && t.expo > INT32_MIN) {
			Node cond = p->arg[0], inner = core_powi(c, p->arg[1], -t.expo);
			c->term[k].arg = core_guard(c, cond, inner);
			c->term[k].expo = -1;
			any = true;
		}
	}
	return any;
}

static Node product_node(Core *c, const Product *m)
{
	size_t n = c->nterm - m->base;
	assert(n > 0);
	if (n == 1 && c->term[m->base].expo == 1) {
		return c->term[m->base].arg;
	}
	enum { SMALL = 16 };
	Node arg_small[SMALL], *arg = n <= SMALL ? arg_small : arena_array(c->arena, Node, n);
	int32_t expo_small[SMALL],
		*expo = n <= SMALL ? expo_small : arena_array(c->arena, int32_t, n);
	for (size_t k = 0; k < n; k++) {
		arg[k] = c->term[m->base + k].arg;
		expo[k] = c->term[m->base + k].expo;
	}
	NodeInfo p = {.tag = NODE_PROD,
		      .kind = (uint8_t)m->kind,
		      .n = (uint32_t)n,
		      .arg = arg,
		      .expo = expo};
	return core_intern(c, &p);
}

static Node product_end(Core *c, Product *m)
{
	if (c->nterm > m->base && !isfinite(m->num)) {
		core_term_push(c, core_real_const(c, m->num), 0, 1);
		m->num = 1;
	}
	do {
		core_terms_sort(c, m->base);
		merge_powers(c, m);
	} while (push_powers_inside(c, m));
	Node n;
	double k = m->kind == KIND_INT ? (double)m->integer : m->num;
	if (c->nterm == m->base) {
		n = m->kind == KIND_INT ? core_int_const(c, m->integer)
					: core_real_const(c, m->num);
	} else if (k == 0) {
		n = core_zero(c, m->kind);
	} else {
		n = product_node(c, m);
		c->nterm = m->base;
		n = core_scale(c, k, n);
	}
	c->nterm = m->base;
	return m->cond ? core_guard(c, m->cond, n) : n;
}

static Product product_begin(const Core *c, Kind kind)
{
	return (Product){.kind = kind, .num = 1, .integer = 1, .base = c->nterm};
}

Node core_mul(Core *c, Node a, Node b)
{
	Product m = product_begin(c, core_kind(c, a));
	product_push(c, &m, a, 1);
	product_push(c, &m, b, 1);
	return product_end(c, &m);
}

Node core_div(Core *c, Node a, Node b)
{
	assert(core_kind(c, a) == KIND_REAL && core_kind(c, b) == KIND_REAL);
	double x, y;
	if (core_is_const(c, a, &x) && core_is_const(c, b, &y)) {
		return core_real_const(c, x / y);
	}
	Product m = product_begin(c, KIND_REAL);
	product_push(c, &m, a, 1);
	product_push(c, &m, b, -1);
	return product_end(c, &m);
}

Node core_powi(Core *c, Node a, int32_t e)
{
	Kind kind = core_kind(c, a);
	if (e == 0) {
		return kind == KIND_INT ? core_int_const(c, 1) : core_real_const(c, 1);
	}
	assert(kind == KIND_REAL || e > 0);
	Product m = product_begin(c, kind);
	product_push(c, &m, a, e);
	return product_end(c, &m);
}

/* Whole exponents up to here are products; larger ones are left to pow. */
enum { EXPONENT_LIMIT = 1 << 20 };

Node core_pow(Core *c, Node a, Node b)
{
	const NodeInfo *p = core_node(c, b), *q = core_node(c, a);
	if (p->tag == NODE_CONST && q->tag != NODE_PROD) {
		double e = p->kind == KIND_INT ? (double)p->integer : p->num;
		if (e == floor(e) && fabs(e) <= EXPONENT_LIMIT &&
		    (q->kind == KIND_REAL || e >= 0)) {
			return core_powi(c, a, (int32_t)e);
		}
	}
	if (p->tag == NODE_CONST && q->tag == NODE_PROD) {
		double e = p->kind == KIND_INT ? (double)p->integer : p->num, widest = 0;
		for (uint32_t k = 0; k < q->n; k++) {
			widest = fmax(widest, fabs((double)q->expo[k]));
		}
		if (e == floor(e) && fabs(e) * widest <= EXPONENT_LIMIT &&
		    (q->kind == KIND_REAL || e >= 0)) {
			return core_powi(c, a, (int32_t)e);
		}
	}
	assert(q->kind == KIND_REAL);
	Node args[2] = {a, core_real(c, b)};
	if (core_is_const(c, a, NULL) && core_is_const(c, b, NULL)) {
		OpValue x[2] = {{.r = core_node(c, a)->num}, {.r = core_node(c, args[1])->num}};
		return core_real_const(c, op_apply(OP_pow, x).r);
	}
	NodeInfo made = {.tag = NODE_OP, .kind = KIND_REAL, .op = OP_pow, .n = 2, .arg = args};
	return core_intern(c, &made);
}
