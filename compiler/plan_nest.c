/* plan_nest.c — definitions over one box of indices as a nest: which dimension becomes the lanes,
 * how a reduction is accumulated, one-point filters as scatters, and which dimensions may be run as
 * one.
 *
 * Order of dimensions: formals, bound indices, lanes. The lanes are the samples of a tile where
 * there are any; else the dimension along which most addresses are contiguous. */
#include "compiler/plan_code.h"
#include <assert.h>
#include <string.h>

enum {
	STRIP_MAX = 512,
	STRIP_MIN = 64,
	STRIP_MEMORY = 3072, /* doubles of registers: 24 KiB */
	FEW_POINTS = 8 /* a scatter to so few places is a sum under a condition for each */
};

Step *plan_step(Planner *p, StepTag tag)
{
	Step *s = arena_new(p->plan->arena, Step);
	s->tag = tag;
	size_t n = p->into->n;
	ARENA_PUSH(p->plan->arena, p->into->step, n, p->into->cap, s);
	p->into->n = (uint32_t)n;
	return s;
}

/* ---- dimensions ---- */

static Dim dim_make(Planner *p, const PDef *d, Index i, Interval range, bool bound)
{
	Dim dim = {.index = i, .lo = range.lo, .size = interval_size(range), .bound = bound};
	if (i == d->tiled && p->tile) {
		dim.tiled = true;
		dim.lo = plan_axis(p, i).lo;
		dim.size = p->tile->width;
		dim.slot = p->tile->slot;
	}
	return dim;
}

typedef struct Space {
	Dim *dim;
	uint32_t n, nformal;
} Space;

/* Formals without a slot in natural order, then bound indices. */
static Space space_of(Planner *p, const PDef *d, const Interval *box)
{
	Space s = {arena_array(p->plan->arena, Dim, d->rank + d->nbound + 2), 0, 0};
	for (uint32_t k = 0; k < d->rank; k++) {
		if (!plan_slot(p, d->formal[k])) {
			s.dim[s.n++] = dim_make(p, d, d->formal[k], box[k], false);
		}
	}
	s.nformal = s.n;
	for (uint32_t k = 0; k < d->nbound; k++) {
		s.dim[s.n++] = dim_make(p, d, d->bound[k], d->bounds[k], true);
	}
	return s;
}

/* The stride of a definition's own elements along an index. */
static int64_t own_stride(const PDef *d, const View *v, Index i)
{
	for (uint32_t k = 0; k < d->rank; k++) {
		if (d->formal[k] == i) {
			return v->stride[k];
		}
	}
	return 0;
}

typedef struct Score {
	Planner *p;
	const Space *s;
	int64_t *score;
} Score;

static bool score_node(void *data, Node n)
{
	Score *w = data;
	Planner *p = w->p;
	if (core_node(p->core, n)->tag != NODE_READ) {
		return true;
	}
	const PDef *d = plan_def(p, core_node(p->core, n)->ref);
	const View *v = plan_view(p, d);
	for (uint32_t q = 0; q < w->s->n; q++) {
		int64_t stride = 0;
		bool bent = false;
		for (uint32_t k = 0; k < d->rank; k++) {
			Node arg = core_node(p->core, n)->arg[k];
			Affine a = plan_affine(p, arg);
			bent |= !a.ok && core_has_index(p->core, arg, w->s->dim[q].index);
			for (uint32_t t = 0; t < a.n && a.ok; t++) {
				stride += a.index[t] == w->s->dim[q].index
						  ? a.coef[t] * v->stride[k]
						  : 0;
			}
		}
		w->score[q] += bent ? 0 : stride == 1 ? 4 : stride == 0 ? 3 : 1;
	}
	return true;
}

/* The dimension of the lanes: the tile's, or the one that makes most addresses contiguous, weighted
 * by its length. */
static uint32_t choose_lane(Planner *p, const Space *s, uint32_t nitem, const NestItem *item)
{
	int64_t *score = arena_array(p->arena, int64_t, s->n + 1);
	for (uint32_t q = 0; q < s->n; q++) {
		if (s->dim[q].tiled) {
			return q;
		}
	}
	Score w = {p, s, score};
	for (uint32_t k = 0; k < nitem; k++) {
		const PDef *d = &p->def[item[k].def];
		plan_walk(p, item[k].value, score_node, &w);
		for (uint32_t q = 0; q < s->nformal; q++) {
			int64_t stride =
				own_stride(d, plan_view(p, d),
					   item[0].formal ? s->dim[q].index : s->dim[q].index);
			score[q] += stride == 1 ? 4 : 1;
		}
		for (uint32_t q = s->nformal; q < s->n; q++) {
			score[q] += 2;
		}
	}
	uint32_t best = s->n ? s->n - 1 : 0;
	double most = -1;
	for (uint32_t q = 0; q < s->n; q++) {
		int64_t size = s->dim[q].size < 64 ? s->dim[q].size : 64;
		double merit = (double)score[q] * (double)size / (8.0 + (double)size);
		if (merit >= most) {
			most = merit;
			best = q;
		}
	}
	return best;
}

/* Moves the lanes to the end; a nest without dimensions gets one of size 1. */
static void space_arrange(Planner *p, Space *s, uint32_t lane, Nest *nest)
{
	(void)p;
	if (!s->n) {
		s->dim[s->n++] = (Dim){.size = 1};
		s->nformal = 1;
		lane = 0;
	}
	Dim moved = s->dim[lane];
	memmove(&s->dim[lane], &s->dim[lane + 1], (s->n - lane - 1) * sizeof *s->dim);
	s->dim[s->n - 1] = moved;
	nest->lane_bound = moved.bound;
	nest->nformal = moved.bound ? s->nformal : s->nformal - 1;
	nest->nbound = s->n - 1 - nest->nformal;
	nest->ndim = s->n;
	nest->dim = s->dim;
}

static void nest_finish(Planner *p, Nest *nest, Coder *w, bool pointwise)
{
	coder_finish(w);
	size_t room = STRIP_MEMORY / (nest->nreg + 2);
	nest->strip = room > STRIP_MAX   ? STRIP_MAX
		      : room < STRIP_MIN ? STRIP_MIN
					 : (uint32_t)room / 8 * 8;
	if (pointwise && !w->labels) {
		plan_flatten(p, nest);
	}
	Plan *plan = p->plan;
	uint32_t operands = nest->nreg + nest->nuniform + nest->naccess + nest->nconst;
	uint32_t doubles = nest->nreg * nest->strip + nest->nuniform;
	plan->max_reg_doubles = doubles > plan->max_reg_doubles ? doubles : plan->max_reg_doubles;
	plan->max_access = operands > plan->max_access ? operands : plan->max_access;
	plan->max_dim = nest->ndim > plan->max_dim ? nest->ndim : plan->max_dim;
	plan_step(p, STEP_NEST)->nest = nest;
}

/* ---- pointwise ---- */

/* The place of an item's own elements in terms of the nest's dimensions (those of the first item).
 */
static Access item_access(Planner *p, const NestItem *item, const Nest *nest)
{
	const PDef *d = &p->def[item->def];
	Affine *arg = arena_array(p->arena, Affine, d->rank + 1);
	for (uint32_t k = 0; k < d->rank; k++) {
		arg[k] = (Affine){.ok = true, .n = 1, .index = {item->formal[k]}, .coef = {1}};
	}
	Access a;
	bool affine = plan_access(p, plan_view(p, d), d->rank, arg, nest->ndim, nest->dim, &a);
	assert(affine);
	(void)affine;
	return a;
}

static Nest *nest_new(Planner *p, uint32_t nitem, const NestItem *item)
{
	Nest *nest = arena_new(p->plan->arena, Nest);
	nest->acc = nest->acc2 = nest->value = nest->filter = nest->out = OPERAND_NONE;
	nest->ndef = nitem;
	nest->def = arena_array(p->plan->arena, Def, nitem);
	for (uint32_t k = 0; k < nitem; k++) {
		nest->def[k] = p->def[item[k].def].def;
	}
	return nest;
}

/* Definitions already computed in this nest are read from what was just computed. */
static void coder_remember(Coder *w, const NestItem *item, Node read, Val v)
{
	(void)item;
	ARENA_PUSH(w->p->arena, w->val, w->nval, w->val_cap, v);
	plan_memo_set(w->p, read, (uint32_t)(w->nval - 1));
}

static void emit_pointwise(Planner *p, uint32_t nitem, const NestItem *item, const Interval *box)
{
	const PDef *first = &p->def[item[0].def];
	Nest *nest = nest_new(p, nitem, item);
	Space s = space_of(p, first, box);
	space_arrange(p, &s, choose_lane(p, &s, nitem, item), nest);
	Coder w;
	coder_begin(&w, p, nest, nest->dim, nest->ndim);
	for (uint32_t k = 0; k < nitem; k++) {
		const PDef *d = &p->def[item[k].def];
		Val v = coder_node(&w, item[k].value, VAL_NONE);
		Access to = item_access(p, &item[k], nest);
		int64_t stride = to.stride[nest->ndim - 1];
		uint32_t access = coder_access(&w, to);
		coder_store(&w, v, access, stride);
		if (stride == 1 || stride == 0) {
			Val stored = {CODE_ACCESS | access, stride == 0};
			coder_remember(&w, &item[k],
				       core_read_plain(p->core, d->def, item[k].formal), stored);
		}
	}
	nest_finish(p, nest, &w, true);
}

/* ---- scatter ---- */

typedef struct OnePoint {
	Index index;
	uint32_t formal;
	Node point, rest;
} OnePoint;

/* Conjuncts of a condition, the last first. */
static uint32_t condition_parts(Planner *p, Node c, Node *part, uint32_t room)
{
	uint32_t n = 0, done = 0;
	part[n++] = c;
	while (done < n) {
		const NodeInfo *info = core_node(p->core, part[done]);
		if (info->tag == NODE_OP && info->op == OP_and && n < room) {
			Node other = info->arg[1];
			part[done] = info->arg[0];
			part[n++] = other;
		} else {
			done++;
		}
	}
	return n;
}

static bool is_point(Planner *p, const PDef *d, Node cond, OnePoint *out)
{
	const NodeInfo *info = core_node(p->core, cond);
	if (info->tag != NODE_OP || info->op != OP_ieq) {
		return false;
	}
	Node a = info->arg[0], b = info->arg[1];
	for (int side = 0; side < 2; side++) {
		Index i = plan_plain_index(p, side ? b : a);
		Node e = side ? a : b;
		for (uint32_t k = 0; i && k < d->rank; k++) {
			if (d->formal[k] != i || plan_slot(p, i) || i == d->tiled ||
			    core_has_index(p->core, e, i)) {
				continue;
			}
			const NodeInfo *ei = core_node(p->core, e);
			if (ei->tag != NODE_CONST && !plan_plain_index(p, e)) {
				out->index = i;
				out->formal = k;
				out->point = e;
				return true;
			}
		}
	}
	return false;
}

/* Is the reduction `sum [i == e(bound)] v` with a formal i that v and e do not know? Then it is a
 * scatter: v goes to i = e. */
static bool find_point(Planner *p, const PDef *d, Node body, OnePoint *out)
{
	const NodeInfo *info = core_node(p->core, body);
	if (d->red != RED_SUM || info->tag != NODE_GUARD || d->kind == KIND_BOOL) {
		return false;
	}
	Node value = info->arg[1], part[32];
	uint32_t n = condition_parts(p, info->arg[0], part, 32);
	for (uint32_t k = 0; k < n; k++) {
		if (!is_point(p, d, part[k], out) || core_has_index(p->core, value, out->index)) {
			continue;
		}
		bool alone = true;
		Node rest = 0;
		for (uint32_t q = 0; q < n; q++) {
			if (q != k) {
				alone &= !core_has_index(p->core, part[q], out->index);
				Node both[2] = {rest, part[q]};
				rest = rest ? core_op(p->core, OP_and, both) : part[q];
			}
		}
		if (alone) {
			out->rest = rest;
			return true;
		}
	}
	return false;
}

void plan_emit_fill(Planner *p, const NestItem *item, double value)
{
	const PDef *d = &p->def[item->def];
	Fill *f = arena_new(p->plan->arena, Fill);
	Space s = space_of(p, d, d->region[item->region].box);
	f->ndim = s.nformal;
	f->dim = s.dim;
	f->value = value;
	f->def = d->def;
	Nest like = {.ndim = s.nformal, .dim = s.dim};
	f->out = item_access(p, item, &like);
	plan_step(p, STEP_FILL)->fill = f;
}

static void emit_scatter(Planner *p, const NestItem *item, const OnePoint *at)
{
	const PDef *d = &p->def[item->def];
	const View *view = plan_view(p, d);
	if (view->buffer->place != PLACE_BLOCK) {
		plan_emit_fill(p, item, 0);
	}
	Nest *nest = nest_new(p, 1, item);
	Space s = space_of(p, d, d->region[item->region].box);
	uint32_t gone = 0;
	while (s.dim[gone].index != at->index) {
		gone++;
	}
	memmove(&s.dim[gone], &s.dim[gone + 1], (s.n - gone - 1) * sizeof *s.dim);
	s.n--;
	s.nformal = s.n; /* every element is visited once: nothing is accumulated in registers */
	space_arrange(p, &s, choose_lane(p, &s, 1, item), nest);
	nest->nformal = nest->ndim - 1;
	nest->nbound = 0;
	nest->lane_bound = false;
	Coder w;
	coder_begin(&w, p, nest, nest->dim, nest->ndim);
	Node value = core_node(p->core, item->value)->arg[1];
	Val mask = at->rest ? coder_node(&w, at->rest, VAL_NONE) : VAL_NONE;
	Val v = coder_node(&w, value, mask), point = coder_node(&w, at->point, mask),
	    inside = VAL_NONE, offset = VAL_NONE;
	Interval in = d->region[item->region].box[at->formal];
	Instr *check = coder_emit(&w, VM_INSIDE, point, mask, VAL_NONE, &inside);
	check->i = in.lo;
	check->j = in.hi;
	Instr *to = coder_emit(&w, VM_OFFSET, point, VAL_NONE, VAL_NONE, &offset);
	to->i = view->stride[at->formal];
	Affine *arg = arena_array(p->arena, Affine, d->rank + 1);
	Val lane = VAL_NONE;
	for (uint32_t k = 0; k < d->rank; k++) {
		arg[k] = (Affine){
			.ok = true, .n = k != at->formal, .index = {d->formal[k]}, .coef = {1}};
	}
	Access a;
	bool affine = plan_access(p, view, d->rank, arg, nest->ndim, nest->dim, &a);
	assert(affine);
	(void)affine;
	int64_t stride = a.stride[nest->ndim - 1];
	if (stride) { /* the lanes are a formal: its own place is added to the offset */
		Val sum = VAL_NONE, iota = {coder_register(&w, false), false};
		coder_emit(&w, VM_IOTA, VAL_NONE, VAL_NONE, VAL_NONE, &iota)->i = nest->ndim - 1;
		Instr *more = coder_emit(&w, VM_OFFSET, iota, offset, VAL_NONE, &sum);
		more->i = stride;
		more->j = nest->dim[nest->ndim - 1].lo;
		offset = sum;
		a.stride[nest->ndim - 1] = 0;
		lane = iota;
	}
	(void)lane;
	Val out = {CODE_ACCESS | coder_access(&w, a), false};
	coder_emit(&w, d->kind == KIND_REAL ? VM_SCATTER : VM_ISCATTER, v, offset, inside, &out);
	w.labels = true;
	nest_finish(p, nest, &w, false);
}

/* ---- reductions ---- */

static void emit_reduction(Planner *p, const NestItem *item, bool accumulate, const Interval *box)
{
	const PDef *d = &p->def[item->def];
	Nest *nest = nest_new(p, 1, item);
	Space s = space_of(p, d, box);
	space_arrange(p, &s, choose_lane(p, &s, 1, item), nest);
	nest->red = d->red;
	nest->accumulate = accumulate || plan_view(p, d)->buffer->place == PLACE_BLOCK;
	Coder w;
	coder_begin(&w, p, nest, nest->dim, nest->ndim);
	nest->acc = coder_pin(&w);
	const NodeInfo *info = core_node(p->core, item->value);
	nest->integer = info->kind != KIND_REAL;
	if (d->red == RED_SUM && !nest->integer) {
		coder_accumulate(&w, nest->acc, item->value, 1.0, VAL_NONE);
	} else {
		nest->acc2 = coder_pin(&w);
		Node value = item->value;
		Val filter = VAL_NONE;
		if (info->tag == NODE_GUARD &&
		    d->red == RED_SUM) { /* elsewhere a guard is a zero like any other */
			value = info->arg[1];
			filter = coder_node(&w, info->arg[0], VAL_NONE);
		}
		Val v = coder_node(&w, value, filter);
		nest->value = v.at;
		nest->filter = filter.at;
		nest->value_lone = v.uniform;
		nest->filter_lone = filter.uniform;
	}
	Access out = item_access(p, item, nest);
	nest->out = coder_access(&w, out);
	nest_finish(p, nest, &w, false);
}

/* Labels of the formals in this box: recurrence indices are not dimensions, but their ranges are
 * known too. */
static void box_ranges(Planner *p, const PDef *d, const Interval *box)
{
	for (uint32_t k = 0; k < d->rank; k++) {
		plan_range_set(p, d->formal[k], box[k]);
	}
}

/* The nests of items over the parts of their box. */
static void emit_parts(Planner *p, uint32_t nitem, const NestItem *item, bool accumulate)
{
	const PDef *d = &p->def[item[0].def];
	const Interval *box = d->region[item[0].region].box;
	Node *value = arena_array(p->arena, Node, nitem);
	for (uint32_t k = 0; k < nitem; k++) {
		value[k] = item[k].value;
	}
	Interval **part;
	box_ranges(p, d, box);
	uint32_t n = plan_split(p, d, box, nitem, value, &part);
	for (uint32_t k = 0; k < n; k++) {
		d = &p->def[item[0].def];
		box_ranges(p, d, part[k]);
		uint32_t from = p->into->n;
		if (d->nbound) {
			emit_reduction(p, item, accumulate, part[k]);
		} else {
			emit_pointwise(p, nitem, item, part[k]);
		}
		plan_condition(p, &p->def[item[0].def], part[k], from);
	}
}

void plan_emit_nest(Planner *p, uint32_t nitem, const NestItem *item)
{
	const PDef *d = &p->def[item[0].def];
	assert(!d->nbound || nitem == 1);
	OnePoint at;
	if (d->nbound && find_point(p, d, item->value, &at) &&
	    interval_size(d->region[item->region].box[at.formal]) > FEW_POINTS) {
		box_ranges(p, d, d->region[item->region].box);
		emit_scatter(p, item, &at);
		return;
	}
	emit_parts(p, nitem, item, false);
}

void plan_emit_sum(Planner *p, const NestItem *item)
{
	emit_parts(p, 1, item, true);
}

void plan_emit_zero(Planner *p, const NestItem *item)
{
	if (plan_view(p, &p->def[item->def])->buffer->place != PLACE_BLOCK) {
		plan_emit_fill(p, item, 0);
	}
}

/* ---- copies of leaves ---- */

const View *plan_leaf_tile(Planner *p, uint32_t leaf, uint32_t samples)
{
	for (uint32_t k = 0; k < p->ncopy; k++) {
		const LeafCopy *c = &p->copy[k];
		if (c->leaf == leaf && c->samples == samples && c->loop == p->tile) {
			return c->view;
		}
	}
	const PDef *d = &p->def[leaf];
	View *v = arena_new(p->plan->arena, View);
	v->stride = arena_array(p->plan->arena, int64_t, d->rank);
	v->local = (int)samples;
	int64_t at = p->tile->width;
	v->stride[samples] = 1;
	for (uint32_t k = d->rank; k-- > 0;) {
		if (k != samples) {
			v->stride[k] = at;
			v->base -= at * d->max[k].lo;
			at *= interval_size(d->max[k]);
		}
	}
	v->buffer = plan_buffer(p, PLACE_TILE, d->def, (size_t)at);
	v->buffer->tile = p->tile->number;
	v->buffer->integer = d->kind != KIND_REAL;
	size_t n = p->ncopy;
	ARENA_PUSH(p->arena, p->copy, n, p->copy_cap, ((LeafCopy){leaf, samples, p->tile, v}));
	p->ncopy = (uint32_t)n;
	plan_emit_copy(p, d, d->max, d->formal[samples], &d->home, v);
	p->tile->body.step[p->tile->body.n - 1]->copy = true;
	return v;
}

/* Copies a definition's values between two views over a box, before the present loop if that lies
 * inside the tile loop. */
void plan_emit_copy(Planner *p, const PDef *d, const Interval *box, Index samples, const View *from,
		    const View *to)
{
	Block *into = p->into;
	p->into = p->tile ? &p->tile->body : into;
	Nest *nest = arena_new(p->plan->arena, Nest);
	nest->acc = nest->acc2 = nest->value = nest->filter = nest->out = OPERAND_NONE;
	nest->ndef = 1;
	nest->def = arena_array(p->plan->arena, Def, 1);
	nest->def[0] = d->def;
	Space s = {arena_array(p->plan->arena, Dim, d->rank + 2), 0, 0};
	PDef like = *d;
	like.tiled = samples;
	uint32_t lane = d->rank ? d->rank - 1 : 0;
	for (uint32_t k = 0; k < d->rank; k++) {
		lane = d->formal[k] == samples ? k : lane;
		s.dim[s.n++] = dim_make(p, &like, d->formal[k], box[k], false);
	}
	s.nformal = s.n;
	space_arrange(p, &s, lane, nest);
	Affine *arg = arena_array(p->arena, Affine, d->rank + 1);
	for (uint32_t k = 0; k < d->rank; k++) {
		arg[k] = (Affine){.ok = true, .n = 1, .index = {d->formal[k]}, .coef = {1}};
	}
	Coder w;
	w = (Coder){.p = p, .nest = nest, .dim = nest->dim, .ndim = nest->ndim};
	Access a, b;
	bool affine = plan_access(p, from, d->rank, arg, nest->ndim, nest->dim, &a) &&
		      plan_access(p, to, d->rank, arg, nest->ndim, nest->dim, &b);
	assert(affine);
	(void)affine;
	int64_t sa = a.stride[nest->ndim - 1], sb = b.stride[nest->ndim - 1];
	Val v = {CODE_ACCESS | coder_access(&w, a), sa == 0};
	if (sa != 0 && sa != 1) {
		Val y = {coder_register(&w, false), false};
		coder_emit(&w, VM_LOADS, v, VAL_NONE, VAL_NONE, &y)->i = sa;
		v = y;
	}
	coder_store(&w, v, coder_access(&w, b), sb);
	nest_finish(p, nest, &w, true);
	p->into = into;
}
