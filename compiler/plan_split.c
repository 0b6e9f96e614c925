/* plan_split.c — boxes cut where conditions on single indices change, so that what remains of a
 * program in each part has no condition left: ends of recurrences, pieces joined by `if`, zeros
 * outside a definition, the seam of a periodic axis. */
#include "compiler/plan_make.h"
#include <string.h>

enum {
	CUTS = 8,
	PARTS = 9,
	PART_MIN = 8 /* labels of a part, on average, but for recurrences and sums over records */
};

typedef struct Cuts {
	uint32_t n;
	int64_t at[CUTS]; /* first labels of parts, ascending */
} Cuts;

typedef struct Splitter {
	Planner *p;
	const PDef *d;
	Cuts *cut; /* per formal */
} Splitter;

static void cuts_add(Splitter *w, Index i, int64_t at)
{
	for (uint32_t f = 0; f < w->d->rank; f++) {
		Interval r = plan_range(w->p, i);
		if (w->d->formal[f] != i || i == w->d->tiled || at <= r.lo || at > r.hi) {
			continue;
		}
		Cuts *c = &w->cut[f];
		uint32_t k = 0;
		while (k < c->n && c->at[k] < at) {
			k++;
		}
		if ((k < c->n && c->at[k] == at) || c->n == CUTS) {
			return;
		}
		memmove(&c->at[k + 1], &c->at[k], (c->n - k) * sizeof *c->at);
		c->at[k] = at;
		c->n++;
	}
}

/* Cuts where the value of a single index's affine form begins to be at least v. */
static void cut_at(Splitter *w, const Affine *f, int64_t v)
{
	if (f->ok && f->n == 1 && (f->coef[0] == 1 || f->coef[0] == -1)) {
		cuts_add(w, f->index[0], f->coef[0] == 1 ? v - f->c : f->c - v + 1);
	}
}

static void cut_read(Splitter *w, const NodeInfo *info)
{
	Planner *p = w->p;
	const PDef *e = plan_def(p, info->ref);
	for (uint32_t k = 0; k < info->n; k++) {
		Affine f = plan_affine(p, info->arg[k]);
		const AxisInfo *axis =
			core_axis_info(p->core, core_index_axis(p->core, e->formal[k]));
		Interval in = e->mode == MODE_LEAF ? e->max[k] : e->dom[k];
		if (axis->flags & AXIS_PERIODIC) {
			cut_at(w, &f, axis->first);
			cut_at(w, &f, axis->first + axis->size);
		} else if (e->zero_outside) {
			cut_at(w, &f, in.lo);
			cut_at(w, &f, in.hi + 1);
		}
	}
}

static bool cut_node(void *data, Node n)
{
	Splitter *w = data;
	const NodeInfo *info = core_node(w->p->core, n);
	if (info->tag == NODE_READ) {
		cut_read(w, info);
	} else if (info->tag == NODE_OP && info->op >= OP_ilt && info->op <= OP_ine) {
		Affine f = plan_affine_difference(w->p, info->arg[0], info->arg[1]);
		cut_at(w, &f, info->op == OP_ile ? 1 : 0);
		if (info->op != OP_ilt && info->op != OP_ile) {
			cut_at(w, &f, 1);
		}
	}
	return true;
}

uint32_t plan_split(Planner *p, const PDef *d, const Interval *box, uint32_t nvalue,
		    const Node *value, Interval ***out)
{
	Splitter w = {p, d, arena_array(p->arena, Cuts, d->rank + 1)};
	for (uint32_t k = 0; k < nvalue; k++) {
		plan_walk(p, value[k], cut_node, &w);
	}
	uint32_t parts = 1;
	for (uint32_t f = 0; f < d->rank; f++) {
		bool looped = plan_slot(p, d->formal[f]) || (d->nbound && p->tile);
		int64_t each = interval_size(box[f]) / (w.cut[f].n + 1);
		if (parts * (w.cut[f].n + 1) > PARTS || (!looped && each < PART_MIN)) {
			w.cut[f].n = 0;
		}
		parts *= w.cut[f].n + 1;
	}
	*out = arena_array(p->arena, Interval *, parts);
	for (uint32_t k = 0; k < parts; k++) {
		Interval *b = arena_array(p->plan->arena, Interval, d->rank + 1);
		uint32_t rest = k;
		for (uint32_t f = 0; f < d->rank; f++) {
			const Cuts *c = &w.cut[f];
			uint32_t at = rest % (c->n + 1);
			rest /= c->n + 1;
			b[f].lo = at ? c->at[at - 1] : box[f].lo;
			b[f].hi = at < c->n ? c->at[at] - 1 : box[f].hi;
		}
		(*out)[k] = b;
	}
	return parts;
}
