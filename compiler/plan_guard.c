/* plan_guard.c — conditions travel to what they protect. What is not selected is not looked at,
 * also where a definition stands between: if every reader looks at d only under conditions, and
 * computing d could fail (an index outside, an overflow), d is computed only where one of the
 * conditions holds. */
#include "compiler/plan_make.h"
#include <stdlib.h>
#include <string.h>

enum { READS = 16 };

/* ---- could it fail? ---- */

typedef struct Risk {
	Planner *p;
	bool any;
} Risk;

static bool risk_node(void *data, Node n)
{
	Risk *w = data;
	Planner *p = w->p;
	const NodeInfo *info = core_node(p->core, n);
	if (info->tag == NODE_READ) {
		const PDef *d = plan_def(p, info->ref);
		for (uint32_t k = 0; k < info->n && !d->zero_outside; k++) {
			Interval have = plan_interval(p, info->arg[k]);
			bool periodic =
				core_axis_info(p->core, core_index_axis(p->core, d->formal[k]))
					->flags &
				AXIS_PERIODIC;
			w->any |= !periodic && (have.lo < d->max[k].lo || have.hi > d->max[k].hi);
		}
	} else if (info->kind == KIND_INT && (info->tag == NODE_LIN || info->tag == NODE_PROD)) {
		Interval r = plan_interval(p, n);
		w->any |= r.lo <= -((int64_t)1 << 60) || r.hi >= (int64_t)1 << 60;
	}
	return !w->any;
}

bool plan_may_fail(Planner *p, Node n)
{
	Risk w = {p, false};
	plan_walk(p, n, risk_node, &w);
	return w.any;
}

/* At the labels that are demanded of it. */
static bool def_may_fail(Planner *p, const PDef *d)
{
	Risk w = {p, false};
	for (uint32_t r = 0; r < d->nregion && !w.any; r++) {
		for (uint32_t k = 0; k < d->rank; k++) {
			plan_range_set(p, d->formal[k],
				       interval_meet(d->dom[k], d->region[r].box[k]));
		}
		plan_walk(p, d->region[r].value, risk_node, &w);
	}
	return w.any;
}

/* ---- under which conditions is a node looked at? ---- */

typedef struct Nodes {
	Planner *p;
	Node *list;
	size_t n, cap;
} Nodes;

static bool gather_node(void *data, Node n)
{
	Nodes *w = data;
	ARENA_PUSH(w->p->arena, w->list, w->n, w->cap, n);
	return true;
}

static int by_number_down(const void *a, const void *b)
{
	Node x = *(const Node *)a, y = *(const Node *)b;
	return x < y ? 1 : x > y ? -1 : 0;
}

static void conds_add(CondSet *s, Cond c)
{
	for (uint32_t k = 0; k < s->n; k++) {
		if (s->cond[k].node == c.node && s->cond[k].holds == c.holds) {
			return;
		}
	}
	if (s->n < CONDS) {
		s->cond[s->n++] = c;
	}
}

/* A node with two users is looked at where either looks: only conditions that both have remain. */
static void conds_join(CondSet *to, const CondSet *from)
{
	if (!to->seen) {
		*to = *from;
		to->seen = true;
		return;
	}
	uint32_t kept = 0;
	for (uint32_t k = 0; k < to->n; k++) {
		for (uint32_t q = 0; q < from->n; q++) {
			if (to->cond[k].node == from->cond[q].node &&
			    to->cond[k].holds == from->cond[q].holds) {
				to->cond[kept++] = to->cond[k];
				break;
			}
		}
	}
	to->n = kept;
}

static size_t find_node(const Nodes *w, Node n)
{
	size_t lo = 0, hi = w->n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (w->list[mid] > n) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo;
}

void plan_conditions(Planner *p, PDef *d, uint32_t region)
{
	Node root = d->region[region].value;
	Nodes w = {.p = p};
	plan_walk(p, root, gather_node, &w);
	d->region[region].known = true;
	bool any = false;
	for (size_t k = 0; k < w.n; k++) {
		uint8_t tag = core_node(p->core, w.list[k])->tag;
		any |= tag == NODE_GUARD || tag == NODE_SELECT;
	}
	if (!any) {
		return;
	}
	qsort(w.list, w.n, sizeof *w.list, by_number_down); /* users are numbered after arguments */
	CondSet *set = arena_array(p->arena, CondSet, w.n);
	set[find_node(&w, root)].seen = true;
	for (size_t k = 0; k < w.n; k++) {
		const NodeInfo *info = core_node(p->core, w.list[k]);
		bool chooses = info->tag == NODE_GUARD || info->tag == NODE_SELECT;
		for (uint32_t q = 0; q < info->n; q++) {
			CondSet below = set[k];
			if (chooses && q > 0) {
				conds_add(&below, (Cond){info->arg[0], q == 1});
			}
			conds_join(&set[find_node(&w, info->arg[q])], &below);
		}
	}
	for (uint32_t q = 0; q < d->nread; q++) {
		if (d->read[q].region == region) {
			const CondSet *s = &set[find_node(&w, d->read[q].node)];
			d->read[q].conds = s->n ? s : NULL;
		}
	}
}

/* ---- in terms of the definition's own indices ---- */

typedef struct Inside {
	Planner *p;
	uint32_t limit;
	bool reads, good;
} Inside;

static bool inside_node(void *data, Node n)
{
	Inside *w = data;
	const NodeInfo *info = core_node(w->p->core, n);
	if (info->tag == NODE_READ) { /* must be known before the definition: no new cycle */
		w->good &= w->reads && w->p->def[plan_number(w->p, info->ref)].position < w->limit;
	}
	return w->good;
}

/* The condition over d's formals, given that d is read with these arguments; 0 if it cannot be
 * said. */
static Node cond_translate(Planner *p, const PDef *d, Node read, Cond c)
{
	const Index *have;
	uint32_t n = core_free(p->core, c.node, &have);
	Index *from = arena_array(p->arena, Index, n + 1);
	Node *to = arena_array(p->arena, Node, n + 1);
	for (uint32_t q = 0; q < n; q++) {
		from[q] = have[q];
	}
	for (uint32_t q = 0; q < n; q++) {
		for (uint32_t k = 0; k < d->rank && !to[q]; k++) {
			Affine a = plan_affine(p, core_node(p->core, read)->arg[k]);
			if (a.ok && a.n == 1 && a.coef[0] == 1 && a.index[0] == from[q]) {
				to[q] = core_sub(p->core, core_index_value(p->core, d->formal[k]),
						 core_int_const(p->core, a.c));
			}
		}
		if (!to[q]) {
			return 0;
		}
	}
	Inside w = {p, d->position, !d->cyclic, true};
	plan_walk(p, c.node, inside_node, &w);
	if (!w.good) {
		return 0;
	}
	Node r = core_subst(p->core, c.node, n, from, to);
	return c.holds ? r : core_op1(p->core, OP_not, r);
}

/* All conditions of one read together; 0 if it is looked at without any. */
static Node read_condition(Planner *p, const PDef *d, Node read, const CondSet *set)
{
	Node all = 0;
	for (uint32_t k = 0; set && k < set->n; k++) {
		Node c = cond_translate(p, d, read, set->cond[k]);
		if (c) {
			all = all ? core_op2(p->core, OP_and, all, c) : c;
		}
	}
	return all;
}

/* ---- ranges under conditions ---- */

/* Narrows the range of the only index of f to where low <= f <= high. */
static void narrow(Planner *p, const Affine *f, int64_t low, int64_t high, Narrowed *out)
{
	if (!f->ok || f->n != 1 || (f->coef[0] != 1 && f->coef[0] != -1) || out->n == NARROWED) {
		return;
	}
	Interval old = plan_range(p, f->index[0]);
	Interval r = f->coef[0] == 1 ? (Interval){low - f->c, high - f->c}
				     : (Interval){f->c - high, f->c - low};
	out->index[out->n] = f->index[0];
	out->old[out->n++] = old;
	plan_range_set(p, f->index[0], interval_meet(old, r));
}

static void narrow_by(Planner *p, Node n, bool holds, Narrowed *out)
{
	static const int64_t FAR = (int64_t)1 << 40;
	Node part[32];
	bool want[32];
	uint32_t count = 0;
	part[count] = n;
	want[count++] = holds;
	for (uint32_t k = 0; k < count; k++) {
		const NodeInfo *info = core_node(p->core, part[k]);
		bool yes = want[k];
		if (info->tag != NODE_OP) {
			continue;
		}
		Op op = (Op)info->op;
		if (op == OP_not && count < 32) {
			part[count] = info->arg[0];
			want[count++] = !yes;
		} else if (((op == OP_and && yes) || (op == OP_or && !yes)) && count + 2 <= 32) {
			part[count] = info->arg[0];
			want[count++] = yes;
			part[count] = info->arg[1];
			want[count++] = yes;
		} else if (op == OP_ilt || op == OP_ile || op == OP_ieq || op == OP_ine) {
			Affine f = plan_affine(p, core_sub(p->core, info->arg[0], info->arg[1]));
			if (op == OP_ilt) {
				narrow(p, &f, yes ? -FAR : 0, yes ? -1 : FAR, out);
			} else if (op == OP_ile) {
				narrow(p, &f, yes ? -FAR : 1, yes ? 0 : FAR, out);
			} else if ((op == OP_ieq) == yes) {
				narrow(p, &f, 0, 0, out);
			} else if (f.ok && f.n == 1 &&
				   (f.coef[0] == 1 ||
				    f.coef[0] == -1)) { /* one label less at an end */
				Interval r = plan_range(p, f.index[0]);
				int64_t at = -f.c * f.coef[0], sign = f.coef[0];
				if (at == r.lo || at == r.hi) {
					bool above = (at == r.lo) ==
						     (sign == 1); /* f must be positive there */
					narrow(p, &f, above ? 1 : -FAR, above ? FAR : -1, out);
				}
			}
		}
	}
}

Narrowed plan_narrow(Planner *p, const CondSet *set)
{
	Narrowed out = {0};
	for (uint32_t k = 0; set && k < set->n; k++) {
		narrow_by(p, set->cond[k].node, set->cond[k].holds, &out);
	}
	return out;
}

void plan_widen(Planner *p, const Narrowed *narrowed)
{
	for (uint32_t k = narrowed->n; k-- > 0;) {
		plan_range_set(p, narrowed->index[k], narrowed->old[k]);
	}
}

/* ---- protection ---- */

typedef struct Reader {
	uint32_t def, next;
	const Read *list; /* the reader's reads when this was noted; others now: out of date */
	const Read *read;
} Reader;
typedef struct Readers {
	Reader *list;
	size_t n, cap;
	uint32_t *first;
} Readers; /* first: by PDef, 0 ends */

static void readers_add(Planner *p, Readers *w, uint32_t number)
{
	PDef *d = &p->def[number];
	for (uint32_t r = 0; r < d->nregion; r++) {
		if (!d->region[r].known) {
			plan_conditions(p, d, r);
		}
	}
	for (uint32_t q = 0; q < d->nread; q++) {
		const Read *r = &d->read[q];
		ARENA_PUSH(p->arena, w->list, w->n, w->cap,
			   ((Reader){number, w->first[r->to], d->read, r}));
		w->first[r->to] = (uint32_t)(w->n - 1);
	}
}

static void protect(Planner *p, uint32_t number, Readers *readers)
{
	PDef *d = &p->def[number];
	Node any = 0;
	uint32_t n = 0, matrix = 0;
	for (uint32_t k = readers->first[number]; k; k = readers->list[k].next) {
		const Reader *r = &readers->list[k];
		if (r->list != p->def[r->def].read) {
			continue;
		}
		matrix = p->def[r->def].mode == MODE_MATRIX ? r->def : matrix;
		Node c = n++ < READS ? read_condition(p, d, r->read->node, r->read->conds) : 0;
		if (!c) {
			return;
		}
		any = any ? core_op2(p->core, OP_or, any, c) : c;
	}
	if (!any || d->mode == MODE_MATRIX) {
		if (any) { /* its argument, which comes next, is protected */
			plan_matrix_condition(p, d, any);
		}
		return;
	}
	for (uint32_t r = 0; r < d->nregion; r++) {
		Node value = d->region[r].value;
		d->region[r].value =
			matrix ? plan_matrix_harmless(p, d, &p->def[matrix], any, value)
			       : core_guard(p->core, any, value);
	}
	plan_read_again(p, number);
	readers_add(p, readers, number); /* what the condition reads has one more reader */
}

void plan_protect(Planner *p)
{
	Readers readers = {.first = arena_array(p->arena, uint32_t, p->ndef + 1)};
	ARENA_PUSH(p->arena, readers.list, readers.n, readers.cap, (Reader){0});
	bool *fails = arena_array(p->arena, bool, p->ndef + 1); /* itself, or what it reads */
	for (uint32_t k = 0; k < p->norder; k++) {
		PDef *d = &p->def[p->order[k]];
		d->position = k;
		bool any = d->mode != MODE_LEAF && (d->mode == MODE_MATRIX || def_may_fail(p, d));
		for (uint32_t q = 0; q < d->nread; q++) {
			any |= fails[d->read[q].to];
		}
		fails[p->order[k]] = any;
		for (uint32_t q = 0; q < d->nread && d->mode == MODE_MATRIX; q++) {
			fails[d->read[q].to] = true;
		}
		readers_add(p, &readers, p->order[k]);
	}
	for (uint32_t k = p->norder; k-- > 0;) { /* readers first: their new conditions count too */
		uint32_t number = p->order[k];
		const PDef *d = &p->def[number];
		if (d->mode != MODE_LEAF && !d->output && fails[number]) {
			protect(p, number, &readers);
		}
	}
}
