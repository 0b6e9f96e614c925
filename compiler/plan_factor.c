/* plan_factor.c — sums of products prepared for matrix kernels: the factors are gathered in two
 * groups, each of which lacks an index of the other, and a group that is not one plain read of
 * reals becomes a definition (a gathered row, spins as reals, a weight times a slope, a
 * neighbourhood on a periodic axis). Conditions on values ([Z[i] == 2]) become arrays of bools over
 * indices that are loops around the kernel, which is skipped where they do not hold. */
#include "compiler/plan_make.h"
#include <assert.h>
#include <string.h>

enum {
	FACTORS = 8,
	INDICES = 32,
	TERMS = 64,
	WORK_MIN = 4096,  /* products of a sum worth an array */
	KERNEL_MIN = 512, /* products of a kernel worth a call for each place of a filter */
};

typedef struct Group {
	uint32_t indices; /* bits: formals, then bound indices */
	uint32_t n;
	Node factor[FACTORS];
	int32_t expo[FACTORS];
} Group;

static Index index_of(const PDef *d, uint32_t k)
{
	return k < d->rank ? d->formal[k] : d->bound[k - d->rank];
}

static uint32_t node_indices(Planner *p, const PDef *d, Node n)
{
	uint32_t set = 0;
	for (uint32_t k = 0; k < d->rank + d->nbound; k++) {
		set |= core_has_index(p->core, n, index_of(d, k)) ? 1u << k : 0;
	}
	return set;
}

static double set_size(Planner *p, const PDef *d, uint32_t set)
{
	double size = 1;
	for (uint32_t k = 0; k < d->rank + d->nbound; k++) {
		size *= set >> k & 1 ? (double)interval_size(plan_axis(p, index_of(d, k))) : 1.0;
	}
	return size;
}

/* Can a kernel read this factor where it lies? */
static bool factor_is_plain(Planner *p, Node n)
{
	const NodeInfo *info = core_node(p->core, n);
	if (info->tag != NODE_READ || info->kind != KIND_REAL) {
		return false;
	}
	const PDef *e = plan_def(p, info->ref);
	for (uint32_t k = 0; k < info->n; k++) {
		const AxisInfo *axis =
			core_axis_info(p->core, core_index_axis(p->core, e->formal[k]));
		Interval have = plan_interval(p, info->arg[k]);
		bool wraps = (axis->flags & AXIS_PERIODIC) &&
			     (have.lo < axis->first || have.hi >= axis->first + axis->size);
		if (!plan_affine(p, info->arg[k]).ok || wraps) {
			return false;
		}
	}
	return true;
}

/* Puts the factors of a product into groups, none of which knows only indices of another; their
 * number. */
static uint32_t group_factors(Planner *p, const PDef *d, const NodeInfo *prod, Group *group)
{
	uint32_t n = 0;
	for (uint32_t k = 0; k < prod->n; k++) {
		group[n++] = (Group){
			node_indices(p, d, prod->arg[k]), 1, {prod->arg[k]}, {prod->expo[k]}};
	}
	for (uint32_t k = 0; k < n;) { /* into the smallest group that knows all its indices */
		int best = -1;
		for (uint32_t q = 0; q < n; q++) {
			bool inside = q != k && (group[k].indices & ~group[q].indices) == 0 &&
				      (group[k].indices != group[q].indices || q < k);
			if (inside && (best < 0 || set_size(p, d, group[q].indices) <
							   set_size(p, d, group[best].indices))) {
				best = (int)q;
			}
		}
		if (best < 0) {
			k++;
			continue;
		}
		Group *to = &group[best];
		for (uint32_t f = 0; f < group[k].n; f++) {
			to->factor[to->n] = group[k].factor[f];
			to->expo[to->n++] = group[k].expo[f];
		}
		memmove(&group[k], &group[k + 1], (n - k - 1) * sizeof *group);
		n--;
		k = 0;
	}
	return n;
}

/* A definition over these indices with this value, read in place. */
static Node define_over(Planner *p, const PDef *d, uint32_t indices, Node value, Def *made)
{
	Index index[INDICES];
	uint32_t n = 0;
	for (uint32_t k = 0; k < d->rank + d->nbound; k++) {
		if (indices >> k & 1) {
			index[n++] = index_of(d, k);
		}
	}
	const DefInfo *info = core_def(p->core, d->def);
	Span span = info->span;
	Sym name = info->name;
	*made = core_share(p->core, name, span, n, index, value, 0);
	return core_read_plain(p->core, *made, index);
}

/* The group as one plain read: the definition of its product over its indices, zero where the
 * condition (0: none) does not hold. */
static Node group_read(Planner *p, const PDef *d, const Group *g, Node cond, Def *made)
{
	*made = 0;
	if (!cond && g->n == 1 && g->expo[0] == 1 && factor_is_plain(p, g->factor[0])) {
		return g->factor[0];
	}
	Node value = core_powi(p->core, g->factor[0], g->expo[0]);
	for (uint32_t k = 1; k < g->n; k++) {
		value = core_mul(p->core, value, core_powi(p->core, g->factor[k], g->expo[k]));
	}
	return define_over(p, d, g->indices, cond ? core_guard(p->core, cond, value) : value, made);
}

/* ---- conditions ---- */

/* Does the condition say nothing about labels alone? That is better known where it stands: it cuts
 * ranges. */
static bool asks_values(Planner *p, Node cond)
{
	const NodeInfo *info = core_node(p->core, cond);
	if (info->tag == NODE_READ) {
		return true;
	}
	if (info->tag != NODE_OP) {
		return false;
	}
	Op op = (Op)info->op;
	if (op == OP_not) {
		return asks_values(p, info->arg[0]);
	}
	if (op == OP_and || op == OP_or) {
		Node other = info->arg[1];
		return asks_values(p, info->arg[0]) && asks_values(p, other);
	}
	return plan_reads(p, cond);
}

static bool knows_samples(Planner *p, const PDef *d, uint32_t indices)
{
	bool any = false;
	for (uint32_t k = 0; k < d->rank + d->nbound; k++) {
		Axis axis = core_index_axis(p->core, index_of(d, k));
		any |= (indices >> k & 1) && (core_axis_info(p->core, axis)->flags & AXIS_SAMPLES);
	}
	return any;
}

/* How a condition stands with a product of two groups. */
typedef enum {
	FILTER_NONE,  /* there is no condition */
	FILTER_OUTER, /* its indices are loops around the kernel */
	FILTER_BOTH,  /* both groups are zero where it does not hold: neither may leave a NaN */
	FILTER_NEVER
} FilterForm;

static FilterForm filter_form(Planner *p, const PDef *d, Node cond, Node product,
			      const Group *group)
{
	if (!cond) {
		return FILTER_NONE;
	}
	if (!asks_values(p, cond) || plan_may_fail(p, product)) {
		return FILTER_NEVER;
	}
	uint32_t known = node_indices(p, d, cond), a = group[0].indices, b = group[1].indices;
	uint32_t bound = ~0U << d->rank;
	bool kernel = (a & b & bound & ~known) && ((a ^ b) & ~known) &&
		      set_size(p, d, (a | b) & ~known) >= KERNEL_MIN;
	if (kernel && !knows_samples(p, d, known)) {
		return FILTER_OUTER;
	}
	return known & ~(a & b) ? FILTER_NEVER : FILTER_BOTH;
}

/* ---- products ---- */

typedef struct Term {
	double coef;
	Node cond, product; /* cond 0: none */
} Term;

typedef enum {
	TERM_NEVER, /* is not to be had as a kernel, or does not pay */
	TERM_READY, /* as it is */
	TERM_BETTER
} TermState;

/* A product as two plain reads; definitions are made (up to three) if `better` is not NULL. */
static TermState factor_term(Planner *p, uint32_t number, const Term *t, Node *better, Def *made)
{
	const PDef *d = &p->def[number];
	const NodeInfo *info = core_node(p->core, t->product);
	if (info->tag != NODE_PROD || info->n < 2 || info->n > FACTORS || info->kind != KIND_REAL) {
		return TERM_NEVER;
	}
	Group group[FACTORS];
	if (group_factors(p, d, info, group) != 2) {
		return TERM_NEVER;
	}
	uint32_t all = group[0].indices | group[1].indices, bound = 0;
	for (uint32_t k = d->rank; k < d->rank + d->nbound; k++) {
		bound |= 1u << k;
	}
	double work = set_size(p, d, all);
	double parts = set_size(p, d, group[0].indices) + set_size(p, d, group[1].indices);
	if (!(group[0].indices & group[1].indices & bound) || work < WORK_MIN || 2 * parts > work) {
		return TERM_NEVER;
	}
	FilterForm form = filter_form(p, d, t->cond, t->product, group);
	if (form == FILTER_NEVER || !better) {
		return form == FILTER_NEVER ? TERM_NEVER : TERM_BETTER;
	}
	Node both = form == FILTER_BOTH ? t->cond : 0;
	Node a = group_read(p, d, &group[0], both, &made[0]);
	Node b = group_read(p, d, &group[1], both, &made[1]);
	Node filter = t->cond;
	if (form == FILTER_OUTER && core_node(p->core, filter)->tag != NODE_READ) {
		filter = define_over(p, d, node_indices(p, d, filter), filter, &made[2]);
	}
	if (!made[0] && !made[1] && !made[2]) {
		return TERM_READY;
	}
	*better = core_mul(p->core, a, b);
	if (form == FILTER_OUTER) {
		*better = core_guard(p->core, filter, *better);
	}
	return TERM_BETTER;
}

/* ---- sums ---- */

typedef struct Terms {
	uint32_t n;
	Term term[TERMS];
	bool good;    /* no constants, not too many */
	bool guarded; /* a term stands under a condition */
} Terms;

/* The terms of a sum, each with all conditions that it stands under. */
static void gather_terms(Planner *p, Node body, double coef, Node cond, Terms *out)
{
	const NodeInfo *info = core_node(p->core, body);
	if (info->tag == NODE_LIN) {
		uint32_t n = info->n;
		out->good &= info->num == 0;
		for (uint32_t k = 0; k < n && out->good; k++) {
			info = core_node(p->core, body);
			double c = coef * info->coef[k];
			gather_terms(p, info->arg[k], c, cond, out);
		}
	} else if (info->tag == NODE_GUARD && out->n < TERMS) {
		Node inner = info->arg[1];
		cond = cond ? core_op2(p->core, OP_and, cond, info->arg[0]) : info->arg[0];
		out->guarded = true;
		gather_terms(p, inner, coef, cond, out);
	} else {
		out->good &= out->n < TERMS;
		if (out->good) {
			out->term[out->n++] = (Term){coef, cond, body};
		}
	}
}

static bool collect_made(Planner *p, const Def *made, uint32_t n)
{
	for (uint32_t q = 0; q < n; q++) {
		if (made[q] && !plan_number(p, made[q]) && !plan_collect(p, 1, &made[q])) {
			p->failed = true;
			return false;
		}
	}
	return true;
}

/* Sums with conditions: only if all terms become kernels; what remains a nest keeps its
 * conditions. */
static bool factor_guarded(Planner *p, uint32_t number, const Terms *terms)
{
	for (uint32_t k = 0; k < terms->n; k++) {
		if (factor_term(p, number, &terms->term[k], NULL, NULL) == TERM_NEVER) {
			return false;
		}
	}
	Node value = core_real_const(p->core, 0);
	bool changed = false;
	for (uint32_t k = 0; k < terms->n; k++) {
		const Term *t = &terms->term[k];
		Def made[3] = {0};
		Node better = t->product;
		if (factor_term(p, number, t, &better, made) == TERM_BETTER) {
			changed = true;
		} else if (t->cond) {
			better = core_guard(p->core, t->cond, better);
		}
		value = core_add(p->core, value, core_scale(p->core, t->coef, better));
		if (!collect_made(p, made, 3)) {
			return false;
		}
	}
	if (changed) {
		p->def[number].region[0].value = value;
	}
	return changed;
}

/* One reduction; true if its value was changed. New definitions are collected. */
static bool factor_sum(Planner *p, uint32_t number)
{
	Node body = p->def[number].region[0].value;
	Terms terms = {.good = true};
	gather_terms(p, body, 1, 0, &terms);
	if (terms.guarded) {
		return terms.good && factor_guarded(p, number, &terms);
	}
	const NodeInfo *info = core_node(p->core, body);
	bool sum = info->tag == NODE_LIN;
	uint32_t n = sum ? info->n : 1;
	Node value = sum ? core_real_const(p->core, info->num) : 0;
	bool changed = false;
	for (uint32_t k = 0; k < n; k++) {
		Term term = {.product = sum ? core_node(p->core, body)->arg[k] : body};
		double coef = sum ? core_node(p->core, body)->coef[k] : 1.0;
		Def made[3] = {0};
		Node better = term.product;
		changed |= factor_term(p, number, &term, &better, made) == TERM_BETTER;
		better = core_scale(p->core, coef, better);
		value = sum ? core_add(p->core, value, better) : better;
		if (!collect_made(p, made, 3)) {
			return false;
		}
	}
	if (changed) {
		p->def[number].region[0].value = value;
	}
	return changed;
}

static bool factor_fits(const PDef *d)
{
	return d->mode == MODE_REDUCE && d->red == RED_SUM && d->kind == KIND_REAL &&
	       d->nregion == 1 && d->rank + d->nbound <= INDICES;
}

static void axis_ranges(Planner *p, const PDef *d)
{
	for (uint32_t f = 0; f < d->rank + d->nbound; f++) {
		plan_range_set(p, index_of(d, f), plan_axis(p, index_of(d, f)));
	}
}

/* Rows and columns must remain: a kernel for one row each is no better than one for all. */
static bool keeps_matrix(Planner *p, const PDef *d, const Term *t)
{
	Group group[FACTORS];
	if (group_factors(p, d, core_node(p->core, t->product), group) != 2) {
		return false;
	}
	uint32_t known = node_indices(p, d, t->cond), a = group[0].indices, b = group[1].indices;
	return filter_form(p, d, t->cond, t->product, group) == FILTER_OUTER && (a & ~b & ~known) &&
	       (b & ~a & ~known);
}

bool plan_filter_pays(Planner *p, uint32_t number, Node cond)
{
	const PDef *d = &p->def[number];
	if (!factor_fits(d)) {
		return false;
	}
	axis_ranges(p, d);
	Terms terms = {.good = true};
	gather_terms(p, d->region[0].value, 1, cond, &terms);
	bool pays = terms.good && terms.n;
	for (uint32_t k = 0; k < terms.n && pays; k++) {
		const Term *t = &terms.term[k];
		pays = factor_term(p, number, t, NULL, NULL) != TERM_NEVER &&
		       keeps_matrix(p, &p->def[number], t);
	}
	return pays;
}

bool plan_factor(Planner *p)
{
	uint32_t n = p->ndef;
	for (uint32_t k = 1; k < n && !p->failed; k++) {
		const PDef *d = &p->def[k];
		if (!factor_fits(d)) {
			continue;
		}
		axis_ranges(p, d);
		if (factor_sum(p, k)) {
			plan_read_again(p, k);
		}
	}
	return !p->failed;
}
