/* core_rules.c — rules.def: patterns as nodes, matching up to order and common factors, what is
 * provably positive. Placeholders a, b, c are draws with reserved stream numbers, so that patterns
 * are ordinary nodes in normal form. */
#include "lang/core_int.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "lang/core_rules.h"

enum { HOLES = 3 };

typedef struct Compiled {
	Node pattern, replacement;
	Node condition; /* must be positive (strict) or not negative; 0: none */
	bool strict, exact;
} Compiled;

static const RuleRow rows[] = {
#define EXACT true
#define REAL false
#define RULE(kind, pattern, replacement, condition) {pattern, replacement, condition, kind},
#include "lang/rules.def"
#undef RULE
#undef EXACT
#undef REAL
};
enum { ROWS = sizeof rows / sizeof *rows };

struct CoreRules {
	Compiled rule[ROWS];
	Node hole[HOLES];
};

bool simplify_rule(unsigned i, RuleRow *out)
{
	if (i < ROWS) {
		*out = rows[i];
	}
	return i < ROWS;
}

static const CoreRules *compile(Core *c)
{
	if (c->rules) {
		return c->rules;
	}
	CoreRules *r = arena_new(c->arena, CoreRules);
	static const char *const names[HOLES] = {"a", "b", "c"};
	CoreName bind[HOLES];
	for (int k = 0; k < HOLES; k++) {
		r->hole[k] = core_random(c, RANDOM_UNIFORM, INT64_MIN + k, 0, 0, NULL);
		bind[k] = (CoreName){names[k], r->hole[k]};
	}
	for (unsigned k = 0; k < ROWS; k++) {
		Compiled *out = &r->rule[k];
		out->pattern = core_expression(c, rows[k].pattern, HOLES, bind);
		out->replacement = core_expression(c, rows[k].replacement, HOLES, bind);
		out->exact = rows[k].exact;
		const char *more = strchr(rows[k].condition, '>');
		if (more) {
			char *left = arena_strdup(c->arena, rows[k].condition);
			left[more - rows[k].condition] = 0;
			out->condition = core_expression(c, left, HOLES, bind);
			out->strict = more[1] != '=';
		}
	}
	c->rules = r;
	return r;
}

/* ---- signs ---- */

enum { SIGN_DEPTH = 12 };

static bool positive(const Core *c, Node n, bool strict, int depth);

static bool positive_product(const Core *c, const NodeInfo *p, bool strict, int depth)
{
	for (uint32_t k = 0; k < p->n; k++) {
		bool even = p->expo[k] % 2 == 0;
		if (even && !strict) {
			continue;
		}
		if (!positive(c, p->arg[k], strict || p->expo[k] < 0, depth)) {
			return false;
		}
	}
	return true;
}

static bool positive_op(const Core *c, const NodeInfo *p, bool strict, int depth)
{
	switch (p->op) {
	case OP_exp:
	case OP_cosh:
	case OP_softplus:
	case OP_sigmoid:
		/* exp, softplus and sigmoid may underflow to zero */
		return !strict || p->op == OP_cosh;
	case OP_sqrt:
	case OP_abs:
		return !strict || positive(c, p->arg[0], true, depth + 1);
	case OP_erfc:
		return !strict;
	case OP_real: {
		int64_t lo, hi;
		core_range(c, p->arg[0], &lo, &hi);
		return lo >= (strict ? 1 : 0);
	}
	case OP_max:
		return positive(c, p->arg[0], strict, depth + 1) ||
		       positive(c, p->arg[1], strict, depth + 1);
	case OP_min:
		return positive(c, p->arg[0], strict, depth + 1) &&
		       positive(c, p->arg[1], strict, depth + 1);
	default:
		return false;
	}
}

/* Is n provably >= 0 (or > 0) as a real number? NaN is left aside. */
static bool positive(const Core *c, Node n, bool strict, int depth)
{
	const NodeInfo *p = core_node(c, n);
	if (p->kind != KIND_REAL || depth > SIGN_DEPTH) {
		return false;
	}
	switch ((NodeTag)p->tag) {
	case NODE_CONST:
		return strict ? p->num > 0 : p->num >= 0;
	case NODE_LIN: {
		bool some = p->num > 0;
		if (p->num < 0) {
			return false;
		}
		for (uint32_t k = 0; k < p->n; k++) {
			if (p->coef[k] < 0 || !positive(c, p->arg[k], false, depth + 1)) {
				return false;
			}
			some = some || (strict && positive(c, p->arg[k], true, depth + 1));
		}
		return !strict || some;
	}
	case NODE_PROD:
		return positive_product(c, p, strict, depth + 1);
	case NODE_OP:
		return positive_op(c, p, strict, depth);
	case NODE_GUARD:
		return !strict && positive(c, p->arg[1], false, depth + 1);
	case NODE_SELECT:
		return positive(c, p->arg[1], strict, depth + 1) &&
		       positive(c, p->arg[2], strict, depth + 1);
	case NODE_RANDOM:
		return p->op == RANDOM_UNIFORM && p->integer >= INT64_MIN + HOLES;
	case NODE_STOP:
		return positive(c, p->arg[0], strict, depth + 1);
	default:
		return false;
	}
}

/* ---- matching ---- */

typedef struct Match {
	Core *c;
	const CoreRules *rules;
	Node bound[HOLES];
} Match;

static int hole_number(const Match *m, Node n)
{
	for (int k = 0; k < HOLES; k++) {
		if (m->rules->hole[k] == n) {
			return k;
		}
	}
	return -1;
}

static bool bind(Match *m, int hole, Node n)
{
	if (!m->bound[hole]) {
		m->bound[hole] = n;
	}
	return m->bound[hole] == n;
}

static bool match(Match *m, Node pattern, Node n);

/* `-a`: something whose sign is negative by its text alone, or minus what a is already. */
static bool match_negative(Match *m, int hole, Node n)
{
	if (m->bound[hole]) {
		return core_neg(m->c, m->bound[hole]) == n;
	}
	const NodeInfo *p = core_node(m->c, n);
	if (p->tag != NODE_LIN) {
		return false;
	}
	Node rest;
	bool negative =
		p->n == 1 && p->num == 0 ? p->coef[0] < 0 : core_content(m->c, n, false, &rest) < 0;
	return negative && bind(m, hole, core_neg(m->c, n));
}

/* `a^2`: a product of even powers. */
static bool match_square(Match *m, int hole, Node n)
{
	const NodeInfo *p = core_node(m->c, n);
	if (p->tag != NODE_PROD) {
		return false;
	}
	for (uint32_t k = 0; k < p->n; k++) {
		if (p->expo[k] % 2 != 0) {
			return false;
		}
	}
	Node root = 0;
	uint32_t count = p->n;
	for (uint32_t k = 0; k < count; k++) {
		p = core_node(m->c, n);
		Node power = core_powi(m->c, p->arg[k], p->expo[k] / 2);
		root = root ? core_mul(m->c, root, power) : power;
	}
	return bind(m, hole, root);
}

enum { PARTS = 4 }; /* terms or factors of a pattern */

/* Finds distinct parts of n for parts k… of the pattern: taken[q] is the part of n that stands for
 * part q. scale[q] says how often (sums: coefficient ratio; products: power ratio). */
static bool match_parts(Match *m, Node pattern, Node n, uint32_t k, uint32_t *taken)
{
	const NodeInfo *p = core_node(m->c, pattern);
	while (k < p->n && p->tag == NODE_LIN && hole_number(m, p->arg[k]) >= 0) {
		k++; /* takes what is left */
	}
	if (k == p->n) {
		return true;
	}
	for (uint32_t q = 0; q < core_node(m->c, n)->n; q++) {
		bool used = false;
		for (uint32_t r = 0; r < k; r++) {
			used = used || taken[r] == q + 1;
		}
		Match save = *m;
		if (!used && match(m, p->arg[k], core_node(m->c, n)->arg[q])) {
			taken[k] = q + 1;
			if (match_parts(m, pattern, n, k + 1, taken)) {
				return true;
			}
			taken[k] = 0;
		}
		*m = save;
	}
	return false;
}

/* The ratio of n's coefficients to the pattern's, 0: they differ. */
static double common_ratio(const Core *c, Node pattern, Node n, const uint32_t *taken)
{
	const NodeInfo *p = core_node(c, pattern), *q = core_node(c, n);
	double ratio = 0;
	for (uint32_t k = 0; k < p->n; k++) {
		if (taken[k]) {
			double one = q->coef[taken[k] - 1] / p->coef[k];
			if (ratio != 0 && one != ratio) {
				return 0;
			}
			ratio = one;
		}
	}
	return ratio;
}

/* n without the terms taken, and without its constant. */
static Node other_terms(Core *c, Node n, uint32_t parts, const uint32_t *taken)
{
	const NodeInfo *q = core_node(c, n);
	double *coef = arena_array(c->arena, double, q->n);
	memcpy(coef, q->coef, q->n * sizeof *coef);
	for (uint32_t k = 0; k < parts; k++) {
		if (taken[k]) {
			coef[taken[k] - 1] = 0;
		}
	}
	return core_lin(c, KIND_REAL, 0, q->n, coef, q->arg);
}

/* All of a sum: the same constant, the same coefficients, a hole takes the rest. */
static bool match_sum(Match *m, Node pattern, Node n)
{
	const NodeInfo *p = core_node(m->c, pattern), *q = core_node(m->c, n);
	uint32_t taken[PARTS] = {0};
	if (q->tag != NODE_LIN || p->num != q->num || p->n > PARTS ||
	    !match_parts(m, pattern, n, 0, taken)) {
		return false;
	}
	double ratio = common_ratio(m->c, pattern, n, taken);
	if (ratio != 1 && ratio != 0) {
		return false;
	}
	Node rest = other_terms(m->c, n, p->n, taken);
	for (uint32_t k = 0; k < p->n; k++) {
		int hole = hole_number(m, p->arg[k]);
		if (hole >= 0) {
			return p->coef[k] == 1 && !core_is_zero(m->c, rest) && bind(m, hole, rest);
		}
	}
	return core_is_zero(m->c, rest);
}

static bool match_product(Match *m, Node pattern, Node n)
{
	const NodeInfo *p = core_node(m->c, pattern), *q = core_node(m->c, n);
	uint32_t taken[PARTS] = {0};
	if (q->tag != NODE_PROD || q->n != p->n || p->n > PARTS ||
	    !match_parts(m, pattern, n, 0, taken)) {
		return false;
	}
	for (uint32_t k = 0; k < p->n; k++) {
		if (core_node(m->c, n)->expo[taken[k] - 1] != p->expo[k]) {
			return false;
		}
	}
	return true;
}

static bool match(Match *m, Node pattern, Node n)
{
	int hole = hole_number(m, pattern);
	if (hole >= 0) {
		return core_kind(m->c, n) == KIND_REAL && bind(m, hole, n);
	}
	const NodeInfo *p = core_node(m->c, pattern), *q = core_node(m->c, n);
	if (p->tag == NODE_CONST) {
		return pattern == n;
	}
	if (p->tag == NODE_LIN && p->n == 1 && p->num == 0 && p->coef[0] == -1 &&
	    hole_number(m, p->arg[0]) >= 0) {
		return match_negative(m, hole_number(m, p->arg[0]), n);
	}
	if (p->tag == NODE_PROD && p->n == 1 && p->expo[0] == 2 && hole_number(m, p->arg[0]) >= 0) {
		return match_square(m, hole_number(m, p->arg[0]), n);
	}
	if (p->tag != q->tag || p->kind != q->kind) {
		return false;
	}
	switch (p->tag) {
	case NODE_LIN:
		return match_sum(m, pattern, n);
	case NODE_PROD:
		return match_product(m, pattern, n);
	case NODE_OP:
		if (p->op != q->op) {
			return false;
		}
		for (uint32_t k = 0; k < p->n; k++) {
			if (!match(m, p->arg[k], core_node(m->c, n)->arg[k])) {
				return false;
			}
		}
		return true;
	default:
		return false;
	}
}

/* ---- application ---- */

static Node fill_enter(void *data, Core *c, Node n)
{
	const Match *m = data;
	(void)c;
	int hole = hole_number(m, n);
	return hole >= 0 ? m->bound[hole] : 0;
}

static Node fill(Match *m, Node n)
{
	Rewrite r = {.enter = fill_enter, .data = m};
	Memo *memo = core_memo_take(m->c);
	Node made = core_rewrite(m->c, &r, memo, n);
	core_memo_give(m->c, memo);
	return made;
}

static bool condition_holds(Match *m, const Compiled *r)
{
	return !r->condition || positive(m->c, fill(m, r->condition), r->strict, 0);
}

/* Some terms of a sum, times one number, with the constant that belongs to them. */
static Node apply_sum(Match *m, const Compiled *r, Node n)
{
	Core *c = m->c;
	const NodeInfo *p = core_node(c, r->pattern), *q = core_node(c, n);
	uint32_t taken[PARTS] = {0};
	if (p->n > q->n || (p->num != 0 && q->num == 0) ||
	    !match_parts(m, r->pattern, n, 0, taken)) {
		return 0;
	}
	double ratio = common_ratio(c, r->pattern, n, taken);
	if (ratio == 0 || (p->num != 0 && q->num != ratio * p->num) || !condition_holds(m, r)) {
		return 0;
	}
	Node rest = other_terms(c, n, p->n, taken);
	double constant = core_node(c, n)->num - ratio * p->num;
	rest = core_add(c, rest, core_real_const(c, constant));
	return core_add(c, rest, core_scale(c, ratio, fill(m, r->replacement)));
}

/* Some factors of a product to a common power. */
static Node apply_product(Match *m, const Compiled *r, Node n)
{
	Core *c = m->c;
	const NodeInfo *p = core_node(c, r->pattern), *q = core_node(c, n);
	uint32_t taken[PARTS] = {0};
	if (p->n > q->n || !match_parts(m, r->pattern, n, 0, taken)) {
		return 0;
	}
	int32_t power = 0;
	for (uint32_t k = 0; k < p->n; k++) {
		int32_t one = core_node(c, n)->expo[taken[k] - 1] / p->expo[k];
		bool same = k == 0 || (one < 0) == (power < 0);
		power = !same || one == 0 ? 0 : k == 0 || one * one < power * power ? one : power;
		if (power == 0 || (power < 0 && p->expo[k] < 0)) {
			return 0;
		}
	}
	if (!condition_holds(m, r)) {
		return 0;
	}
	Node made = core_powi(c, fill(m, r->replacement), power);
	for (uint32_t k = 0; k < core_node(c, n)->n; k++) {
		q = core_node(c, n);
		int32_t e = q->expo[k];
		for (uint32_t s = 0; s < p->n; s++) {
			e -= taken[s] == k + 1 ? power * p->expo[s] : 0;
		}
		if (e != 0) {
			made = core_mul(c, made, core_powi(c, q->arg[k], e));
		}
	}
	return made;
}

static Node apply_rule(Match *m, const Compiled *r, Node n)
{
	const NodeInfo *p = core_node(m->c, r->pattern), *q = core_node(m->c, n);
	if (p->tag != q->tag || (p->tag == NODE_OP && p->op != q->op)) {
		return 0;
	}
	memset(m->bound, 0, sizeof m->bound);
	if (p->tag == NODE_LIN) {
		return q->kind == KIND_REAL ? apply_sum(m, r, n) : 0;
	}
	if (p->tag == NODE_PROD) {
		return q->kind == KIND_REAL ? apply_product(m, r, n) : 0;
	}
	return match(m, r->pattern, n) && condition_holds(m, r) ? fill(m, r->replacement) : 0;
}

Node core_rules_step(Core *c, unsigned flags, Node n)
{
	const NodeInfo *p = core_node(c, n);
	if (p->kind != KIND_REAL ||
	    (p->tag != NODE_OP && p->tag != NODE_LIN && p->tag != NODE_PROD)) {
		return n;
	}
	Match m = {.c = c, .rules = compile(c)};
	for (unsigned k = 0; k < ROWS; k++) {
		const Compiled *r = &m.rules->rule[k];
		if (r->exact || !(flags & SIMPLIFY_EXACT)) {
			Node made = apply_rule(&m, r, n);
			if (made && made != n) {
				return made;
			}
		}
	}
	return n;
}

/* ---- one expression ---- */

/* Rules that follow one another at one node, and replacements inside replacements. */
enum { STEPS = 32, DEPTH = 8 };

typedef struct Local {
	unsigned flags, depth;
} Local;

static Node local_leave(void *data, Core *c, Node was, Node n)
{
	const Local *s = data;
	(void)was;
	for (unsigned step = 0; step < STEPS; step++) {
		Node made = core_rules_step(c, s->flags, n);
		if (made == n) {
			return n;
		}
		n = made;
		if (s->depth < DEPTH) {
			/* what the replacement is made of has not been looked at yet */
			Local inner = {s->flags, s->depth + 1};
			Rewrite r = {.leave = local_leave, .data = &inner};
			Memo *memo = core_memo_take(c);
			n = core_rewrite(c, &r, memo, n);
			core_memo_give(c, memo);
			return n;
		}
	}
	return n;
}

Node core_rules_apply(Core *c, unsigned flags, Node n)
{
	Local s = {flags, 0};
	return local_leave(&s, c, n, n);
}

Node simplify_node(Core *c, unsigned flags, Node n)
{
	Local s = {flags, 0};
	Rewrite r = {.leave = local_leave, .data = &s};
	Memo *memo = core_memo_take(c);
	n = core_rewrite(c, &r, memo, n);
	core_memo_give(c, memo);
	return n;
}
