/* plan_factor.c — sums of products prepared for matrix kernels: the factors are gathered in two
 * groups, each of which lacks an index of the other, and a group that is not one plain read of
 * reals becomes a definition (a gathered row, spins as reals, a weight times a slope, a
 * neighbourhood on a periodic axis). */
#include "compiler/plan_make.h"
#include <assert.h>
#include <string.h>

enum { FACTORS = 8, INDICES = 32, WORK_MIN = 4096 /* products of a sum worth an array */ };

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

/* The group as one plain read: the definition of its product over its indices, zero where the
 * condition (0: none) does not hold. */
static Node group_read(Planner *p, uint32_t number, const Group *g, Node cond, Def *made)
{
	*made = 0;
	if (!cond && g->n == 1 && g->expo[0] == 1 && factor_is_plain(p, g->factor[0])) {
		return g->factor[0];
	}
	const PDef *d = &p->def[number];
	Node value = core_powi(p->core, g->factor[0], g->expo[0]);
	for (uint32_t k = 1; k < g->n; k++) {
		value = core_mul(p->core, value, core_powi(p->core, g->factor[k], g->expo[k]));
	}
	value = cond ? core_guard(p->core, cond, value) : value;
	Index index[INDICES];
	uint32_t n = 0;
	for (uint32_t k = 0; k < d->rank + d->nbound; k++) {
		if (g->indices >> k & 1) {
			index[n++] = index_of(d, k);
		}
	}
	const DefInfo *info = core_def(p->core, d->def);
	Span span = info->span;
	Sym name = info->name;
	*made = core_share(p->core, name, span, n, index, value, 0);
	return core_read_plain(p->core, *made, index);
}

/* Two groups of a product that are worth a kernel. A condition must be known to both: each is zero
 * where it does not hold, whatever the other one is there. */
static bool product_groups(Planner *p, const PDef *d, Node cond, Node product, Group *group)
{
	const NodeInfo *info = core_node(p->core, product);
	if (info->tag != NODE_PROD || info->n < 2 || info->n > FACTORS || info->kind != KIND_REAL ||
	    group_factors(p, d, info, group) != 2) {
		return false;
	}
	uint32_t all = group[0].indices | group[1].indices, bound = 0;
	for (uint32_t k = d->rank; k < d->rank + d->nbound; k++) {
		bound |= 1u << k;
	}
	double work = set_size(p, d, all);
	double parts = set_size(p, d, group[0].indices) + set_size(p, d, group[1].indices);
	uint32_t both = group[0].indices & group[1].indices;
	return (both & bound) && work >= WORK_MIN && 2 * parts <= work &&
	       (!cond || !(node_indices(p, d, cond) & ~both));
}

/* A product as two plain reads, or 0 where that is not to be had or does not pay. */
static Node factor_product(Planner *p, uint32_t number, Node cond, Node product, Def *made)
{
	Group group[FACTORS];
	if (!product_groups(p, &p->def[number], cond, product, group)) {
		return 0;
	}
	Node a = group_read(p, number, &group[0], cond, &made[0]);
	Node b = group_read(p, number, &group[1], cond, &made[1]);
	return made[0] || made[1] ? core_mul(p->core, a, b) : 0;
}

/* Is every term of a sum under a condition a product that a kernel can do? Then the condition goes
 * into their factors. */
static bool condition_goes_in(Planner *p, const PDef *d, Node cond, Node body)
{
	const NodeInfo *info = core_node(p->core, body);
	Group group[FACTORS];
	if (info->tag != NODE_LIN) {
		return product_groups(p, d, cond, body, group);
	}
	bool all = info->num == 0;
	for (uint32_t k = 0; k < info->n && all; k++) {
		all = product_groups(p, d, cond, info->arg[k], group);
	}
	return all;
}

/* One reduction; true if its value was changed. New definitions are collected. */
static bool factor_sum(Planner *p, uint32_t number)
{
	Node body = p->def[number].region[0].value, cond = 0;
	const NodeInfo *info = core_node(p->core, body);
	if (info->tag == NODE_GUARD) {
		cond = info->arg[0];
		body = info->arg[1];
		if (!condition_goes_in(p, &p->def[number], cond, body)) {
			return false;
		}
		info = core_node(p->core, body);
	}
	bool sum = info->tag == NODE_LIN;
	uint32_t n = sum ? info->n : 1;
	Node value = sum ? core_real_const(p->core, info->num) : 0;
	bool changed = false;
	for (uint32_t k = 0; k < n; k++) {
		Node term = sum ? core_node(p->core, body)->arg[k] : body;
		double coef = sum ? core_node(p->core, body)->coef[k] : 1.0;
		Def made[2] = {0};
		Node better = factor_product(p, number, cond, term, made);
		changed |= better != 0;
		better = core_scale(p->core, coef, better ? better : term);
		value = sum ? core_add(p->core, value, better) : better;
		for (uint32_t q = 0; q < 2; q++) {
			if (made[q] && !plan_number(p, made[q]) && !plan_collect(p, 1, &made[q])) {
				p->failed = true;
				return false;
			}
		}
	}
	if (changed) {
		p->def[number].region[0].value = value;
	}
	return changed;
}

bool plan_factor(Planner *p)
{
	uint32_t n = p->ndef;
	for (uint32_t k = 1; k < n && !p->failed; k++) {
		const PDef *d = &p->def[k];
		if (d->mode != MODE_REDUCE || d->red != RED_SUM || d->kind != KIND_REAL ||
		    d->nregion != 1 || d->rank + d->nbound > INDICES) {
			continue;
		}
		for (uint32_t f = 0; f < d->rank + d->nbound; f++) {
			plan_range_set(p, index_of(d, f), plan_axis(p, index_of(d, f)));
		}
		if (factor_sum(p, k)) {
			plan_read_again(p, k);
		}
	}
	return !p->failed;
}
