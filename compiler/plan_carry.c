/* plan_carry.c — conditions on data travel to the contractions behind them. Where every reader
 * looks at a sum of products only under [Z[i] == 2], with Z data, the other places are never seen:
 * the condition goes into the sum, which becomes a contraction with a filter, and on to what that
 * sum reads. */
#include "compiler/plan_make.h"
#include <string.h>

/* Conditions that hold wherever a definition is looked at, over its formals. */
typedef struct Carried {
	bool seen;
	uint32_t n;
	Node cond[CONDS];
} Carried;

/* ---- conditions ---- */

typedef struct Eligible {
	Planner *p;
	bool good, reads;
} Eligible;

static bool eligible_node(void *data, Node n)
{
	Eligible *w = data;
	const NodeInfo *info = core_node(w->p->core, n);
	if (info->tag == NODE_READ) {
		w->reads = true;
		w->good &= core_def(w->p->core, info->ref)->role == DEF_DATA;
	}
	return w->good;
}

/* Does the condition ask data that are the same for all samples, and so the same in every run? */
static bool is_eligible(Planner *p, Node cond)
{
	const Index *have;
	uint32_t n = core_free(p->core, cond, &have);
	for (uint32_t k = 0; k < n; k++) {
		if (core_axis_info(p->core, core_index_axis(p->core, have[k]))->flags &
		    AXIS_SAMPLES) {
			return false;
		}
		plan_range_set(p, have[k], plan_axis(p, have[k]));
	}
	Eligible w = {p, true, false};
	plan_walk(p, cond, eligible_node, &w);
	return w.good && w.reads && !plan_may_fail(p, cond);
}

static void carried_add(Carried *to, Node cond)
{
	for (uint32_t k = 0; k < to->n; k++) {
		if (to->cond[k] == cond) {
			return;
		}
	}
	if (to->n < CONDS) {
		to->cond[to->n++] = cond;
	}
}

/* The condition in terms of d's formals, d being read like this; 0 if it cannot be said. */
static Node translate(Planner *p, const PDef *d, Node read, Node cond)
{
	const Index *have;
	uint32_t n = core_free(p->core, cond, &have);
	Index *from = arena_array(p->arena, Index, n + 1);
	Node *to = arena_array(p->arena, Node, n + 1);
	for (uint32_t q = 0; q < n; q++) {
		from[q] = have[q];
	}
	for (uint32_t q = 0; q < n; q++) {
		for (uint32_t k = 0; k < d->rank && !to[q]; k++) {
			Node arg = core_node(p->core, read)->arg[k];
			if (plan_plain_index(p, arg) == from[q]) {
				to[q] = core_index_value(p->core, d->formal[k]);
			}
		}
		if (!to[q]) {
			return 0;
		}
	}
	return core_subst(p->core, cond, n, from, to);
}

/* Adds the parts of a condition that can travel along this read. */
static void carry_parts(Planner *p, const PDef *d, Node read, Node cond, Carried *to)
{
	const NodeInfo *info = core_node(p->core, cond);
	if (info->tag == NODE_OP && info->op == OP_and) {
		Node other = info->arg[1];
		carry_parts(p, d, read, info->arg[0], to);
		carry_parts(p, d, read, other, to);
	} else if (is_eligible(p, cond)) {
		Node here = translate(p, d, read, cond);
		if (here) {
			carried_add(to, here);
		}
	}
}

/* A definition with two readers is looked at where either looks. */
static void carried_join(Carried *to, const Carried *from)
{
	if (!to->seen) {
		*to = *from;
		to->seen = true;
		return;
	}
	uint32_t kept = 0;
	for (uint32_t k = 0; k < to->n; k++) {
		for (uint32_t q = 0; q < from->n; q++) {
			if (to->cond[k] == from->cond[q]) {
				to->cond[kept++] = to->cond[k];
				break;
			}
		}
	}
	to->n = kept;
}

/* ---- definitions ---- */

static void carry_reads(Planner *p, uint32_t number, const Carried *own, Carried *set)
{
	PDef *d = &p->def[number];
	for (uint32_t r = 0; r < d->nregion; r++) {
		if (!d->region[r].known) {
			plan_conditions(p, d, r);
		}
	}
	for (uint32_t q = 0; q < d->nread; q++) {
		const Read *r = &d->read[q];
		const PDef *e = &p->def[r->to];
		if (e->mode == MODE_LEAF) {
			continue;
		}
		Carried here = {.seen = true};
		for (uint32_t k = 0; r->conds && k < r->conds->n; k++) {
			Cond c = r->conds->cond[k];
			Node cond = c.holds ? c.node : core_op1(p->core, OP_not, c.node);
			carry_parts(p, e, r->node, cond, &here);
		}
		for (uint32_t k = 0; k < own->n; k++) {
			carry_parts(p, e, r->node, own->cond[k], &here);
		}
		carried_join(&set[r->to], &here);
	}
}

static void carry_into(Planner *p, uint32_t number, const Carried *own)
{
	PDef *d = &p->def[number];
	Node all = own->cond[0];
	for (uint32_t k = 1; k < own->n; k++) {
		all = core_op2(p->core, OP_and, all, own->cond[k]);
	}
	if (!plan_filter_pays(p, number, all)) {
		return;
	}
	d->region[0].value = core_guard(p->core, all, d->region[0].value);
	plan_read_again(p, number);
}

void plan_carry(Planner *p)
{
	uint32_t n = p->ndef;
	Carried *set = arena_array(p->arena, Carried, n + 1);
	for (uint32_t k = p->norder; k-- > 0;) { /* readers first */
		uint32_t number = p->order[k];
		const PDef *d = &p->def[number];
		if (d->mode == MODE_LEAF) {
			continue;
		}
		if (d->output || d->cyclic || d->kind != KIND_REAL) {
			set[number].n = 0;
		}
		carry_reads(p, number, &set[number], set);
		if (set[number].n) {
			carry_into(p, number, &set[number]);
		}
	}
}
