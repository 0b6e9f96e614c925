/* plan_loop.c — recurrences: an axis along which all reads inside a cycle look one way becomes a
 * loop; what is still cyclic at one label is ordered along another axis, and so on. Where no axis
 * fits, the cycle is shown. */
#include "compiler/plan_make.h"
#include <string.h>

typedef enum { LOOK_SAME, LOOK_BACK, LOOK_AHEAD, LOOK_UNKNOWN } Look;

/* a - b */
static Affine affine_minus(Planner *p, Node a, Node b)
{
	return plan_affine(p, core_sub(p->core, a, b));
}

/* What the conditions of a guarded value say about the sign of `difference`: -1 smaller, 1 larger,
 * 0 nothing. */
static int guard_says(Planner *p, Node cond, Node difference)
{
	Node part[64];
	uint32_t n = 0;
	part[n++] = cond;
	for (uint32_t k = 0; k < n; k++) {
		const NodeInfo *info = core_node(p->core, part[k]);
		if (info->tag != NODE_OP) {
			continue;
		}
		if (info->op == OP_and) {
			for (uint32_t q = 0; q < 2 && n < 64; q++) {
				part[n++] = info->arg[q];
			}
			continue;
		}
		if (info->op != OP_ilt && info->op != OP_ile) {
			continue;
		}
		int64_t most = info->op == OP_ilt ? -1 : 0; /* F = left - right <= most */
		Node f = core_sub(p->core, info->arg[0], info->arg[1]);
		Affine same = affine_minus(p, difference, f);
		if (same.ok && same.n == 0 && same.c + most < 0) {
			return -1;
		}
		Affine opposite = plan_affine(p, core_add(p->core, difference, f));
		if (opposite.ok && opposite.n == 0 && opposite.c - most > 0) {
			return 1;
		}
	}
	return 0;
}

/* Which way an argument looks from the label of `own`, or (own 0) from the label at which d is
 * pinned. */
static Look arg_look(Planner *p, const PDef *d, const Read *r, Node arg, Index own, bool periodic,
		     Interval range)
{
	Affine a = plan_affine(p, arg);
	if (!own) {
		Interval have = plan_interval(p, arg);
		return have.hi < d->pins.lo                             ? LOOK_BACK
		       : have.lo > d->pins.hi                           ? LOOK_AHEAD
		       : have.lo == have.hi && d->pins.lo == d->pins.hi ? LOOK_SAME
									: LOOK_UNKNOWN;
	}
	if (a.ok && a.n == 1 && a.index[0] == own && a.coef[0] == 1) {
		bool wraps = periodic && a.c && plan_range(p, own).lo + a.c < range.lo;
		wraps |= periodic && a.c && plan_range(p, own).hi + a.c > range.hi;
		return wraps      ? LOOK_UNKNOWN
		       : a.c == 0 ? LOOK_SAME
		       : a.c < 0  ? LOOK_BACK
				  : LOOK_AHEAD;
	}
	if (a.ok && own && !periodic) { /* y[k - j] with j over 1..3: always behind k */
		Node gap = core_sub(p->core, arg, core_index_value(p->core, own));
		Interval far = plan_interval(p, gap);
		if (far.hi < 0 || far.lo > 0) {
			return far.hi < 0 ? LOOK_BACK : LOOK_AHEAD;
		}
	}
	Interval box = d->region[r->region].box[0], have;
	for (uint32_t k = 0; k < d->rank; k++) {
		box = d->formal[k] == own ? d->region[r->region].box[k] : box;
	}
	have = plan_interval(p, arg);
	if (have.hi < box.lo) {
		return LOOK_BACK;
	}
	if (have.lo > box.hi) {
		return LOOK_AHEAD;
	}
	const NodeInfo *v = core_node(p->core, d->region[r->region].value);
	if (v->tag == NODE_GUARD) {
		Node cond = v->arg[0];
		int sign =
			guard_says(p, cond, core_sub(p->core, arg, core_index_value(p->core, own)));
		return sign < 0 ? LOOK_BACK : sign > 0 ? LOOK_AHEAD : LOOK_UNKNOWN;
	}
	return LOOK_UNKNOWN;
}

enum { AT_OPEN = -1, AT_PINNED = -2 };
typedef struct Along {
	int *at;
	Look way;
	Axis axis;
	bool changed;
} Along; /* at: formal of each PDef, open, or pinned to one label */

/* A definition without the axis is computed once, at the first of the labels that read it. */
static bool along_pin(Planner *p, Along *w, uint32_t from, const Read *r)
{
	const PDef *d = &p->def[from];
	PDef *e = &p->def[r->to];
	Interval labels = d->pins;
	if (w->at[from] >= 0) {
		labels = d->region[r->region].box[w->at[from]];
	}
	for (uint32_t k = 0; k < e->rank && w->at[r->to] == AT_OPEN; k++) {
		if (core_index_axis(p->core, e->formal[k]) == w->axis &&
		    !plan_slot(p, e->formal[k])) {
			return false;
		}
	}
	if (w->at[r->to] != AT_PINNED) {
		w->at[r->to] = AT_PINNED;
		e->pins = labels;
		w->changed = true;
	} else if (labels.lo < e->pins.lo || labels.hi > e->pins.hi) {
		e->pins.lo = labels.lo < e->pins.lo ? labels.lo : e->pins.lo;
		e->pins.hi = labels.hi > e->pins.hi ? labels.hi : e->pins.hi;
		w->changed = true;
	}
	return true;
}

/* Looks at one read inside the cycle; chooses the target's formal where it is still open. */
static bool along_read(Planner *p, Along *w, uint32_t from, const Read *r)
{
	const PDef *d = &p->def[from], *e = &p->def[r->to];
	Index own = w->at[from] >= 0 ? d->formal[w->at[from]] : 0;
	Axis axis = w->axis;
	bool periodic = core_axis_info(p->core, axis)->flags & AXIS_PERIODIC;
	for (uint32_t tried = own ? 0 : 1; tried <= e->rank && w->at[r->to] == AT_OPEN;
	     tried++) { /* the same position first */
		uint32_t k = tried == 0 ? (uint32_t)w->at[from] : tried - 1;
		if (k >= e->rank || core_index_axis(p->core, e->formal[k]) != axis ||
		    plan_slot(p, e->formal[k])) {
			continue;
		}
		Look look = arg_look(p, d, r, core_node(p->core, r->node)->arg[k], own, periodic,
				     e->max[k]);
		w->at[r->to] = look == LOOK_UNKNOWN ? AT_OPEN : (int)k;
	}
	if (w->at[r->to] < 0) {
		return along_pin(p, w, from, r);
	}
	uint32_t k = (uint32_t)w->at[r->to];
	Look look =
		arg_look(p, d, r, core_node(p->core, r->node)->arg[k], own, periodic, e->max[k]);
	if (look == LOOK_UNKNOWN || (look != LOOK_SAME && w->way != LOOK_SAME && look != w->way)) {
		return false;
	}
	w->way = look != LOOK_SAME ? look : w->way;
	return true;
}

/* Can the cycle run along formal f of its first member? */
static bool along_try(Planner *p, uint32_t n, const uint32_t *list, uint32_t f, Along *w)
{
	bool *member = arena_array(p->arena, bool, p->ndef);
	for (uint32_t k = 0; k < n; k++) {
		member[list[k]] = true;
		w->at[list[k]] = AT_OPEN;
	}
	w->at[list[0]] = (int)f;
	w->axis = core_index_axis(p->core, p->def[list[0]].formal[f]);
	w->way = LOOK_SAME;
	uint32_t reached = 0;
	for (bool again = true; again;) {
		again = false;
		w->changed = false;
		uint32_t now = 0;
		for (uint32_t k = 0; k < n; k++) {
			const PDef *d = &p->def[list[k]];
			if (w->at[list[k]] == AT_OPEN) {
				continue;
			}
			now++;
			for (uint32_t q = 0; q < d->nread; q++) {
				if (member[d->read[q].to] && !d->read[q].cut &&
				    !along_read(p, w, list[k], &d->read[q])) {
					return false;
				}
			}
		}
		again = now > reached || w->changed;
		reached = now;
	}
	return reached == n && w->way != LOOK_SAME;
}

static uint32_t new_slot(Planner *p, Interval range)
{
	uint32_t slot = p->plan->nslot++;
	if (slot >= p->slot_room) {
		size_t room = p->slot_room ? p->slot_room * 2 : 64;
		while (room <= slot) {
			room *= 2;
		}
		Interval *ranges = arena_array(p->arena, Interval, room);
		if (p->slot_room) {
			memcpy(ranges, p->loop_range, p->slot_room * sizeof *ranges);
		}
		p->loop_range = ranges;
		p->slot_room = room;
	}
	p->loop_range[slot] = range;
	return slot;
}

/* The bound index of a sum over records that stands for the label of the loop in all its reads of
 * members: the sum can then be added up label by label inside the loop, and what it reads need not
 * be kept. The number of the bound index, or nbound. */
static uint32_t rider_bound(Planner *p, const PDef *d, const Along *w, const bool *member)
{
	bool sums = (d->mode == MODE_REDUCE || d->mode == MODE_CONTRACT) && d->red == RED_SUM;
	if (!sums || d->kind != KIND_REAL || d->nregion != 1 || !d->home.buffer ||
	    d->home.buffer->place != PLACE_BLOCK) {
		return d->nbound;
	}
	Index own = 0;
	for (uint32_t q = 0; q < d->nread; q++) {
		uint32_t to = d->read[q].to;
		if (!member[to]) {
			continue;
		}
		Index at =
			w->at[to] < 0
				? 0
				: plan_plain_index(
					  p, core_node(p->core, d->read[q].node)->arg[w->at[to]]);
		if (!at || (own && own != at)) {
			return d->nbound;
		}
		own = at;
	}
	uint32_t k = 0;
	while (k < d->nbound && d->bound[k] != own) {
		k++;
	}
	return own && own != d->tiled ? k : d->nbound;
}

/* Emits a sum inside the loop, for the present label. */
static void emit_rider(Planner *p, uint32_t number, uint32_t bound, const Loop *l)
{
	PDef *d = &p->def[number];
	PDef kept = *d;
	Index own = d->bound[bound];
	Interval labels = d->bounds[bound];
	d->bound = arena_copy(p->arena, d->bound, d->nbound * sizeof *d->bound, alignof(Index));
	d->bounds =
		arena_copy(p->arena, d->bounds, d->nbound * sizeof *d->bounds, alignof(Interval));
	d->nbound--;
	memmove(&d->bound[bound], &d->bound[bound + 1], (d->nbound - bound) * sizeof *d->bound);
	memmove(&d->bounds[bound], &d->bounds[bound + 1], (d->nbound - bound) * sizeof *d->bounds);
	plan_slot_set(p, own, l->slot);
	plan_range_set(p, own, labels);
	uint32_t from = p->into->n;
	plan_emit_single(p, number);
	plan_condition_slot(p, l->slot, labels, from);
	plan_slot_set(p, own, 0);
	d = &p->def[number];
	d->nbound = kept.nbound;
	d->bound = kept.bound;
	d->bounds = kept.bounds;
}

/* What is read only in the same pass of the loop that computes it is not kept for the others. */
static void forget_labels(Planner *p, uint32_t n, const uint32_t *list, const Along *w,
			  const bool *member, const bool *rides)
{
	bool *kept = arena_array(p->arena, bool, p->ndef);
	for (uint32_t k = 1; k < p->ndef; k++) {
		const PDef *d = &p->def[k];
		for (uint32_t q = 0; q < d->nread && d->mode != MODE_INLINE && !rides[k]; q++) {
			kept[d->read[q].to] |= !member[k] || d->read[q].cut;
		}
	}
	for (uint32_t k = 0; k < n; k++) {
		PDef *d = &p->def[list[k]];
		if (w->at[list[k]] >= 0 && !kept[list[k]] && !d->output && !d->filled) {
			plan_view_fleeting(p, d, (uint32_t)w->at[list[k]]);
		}
	}
}

static void emit_loop(Planner *p, uint32_t n, const uint32_t *list, const Along *w, Riders *riders)
{
	for (uint32_t k = 0; k < n; k++) {
		PDef *d = &p->def[list[k]];
		d->pin = w->way == LOOK_AHEAD ? d->pins.hi : d->pins.lo;
	}
	Interval range = {0, -1};
	bool *member = arena_array(p->arena, bool, p->ndef);
	for (uint32_t k = 0; k < n; k++) {
		PDef *d = &p->def[list[k]];
		Interval dom =
			w->at[list[k]] >= 0 ? d->dom[w->at[list[k]]] : (Interval){d->pin, d->pin};
		member[list[k]] = true;
		if (interval_empty(range)) {
			range = dom;
		} else if (!interval_empty(dom)) {
			range.lo = dom.lo < range.lo ? dom.lo : range.lo;
			range.hi = dom.hi > range.hi ? dom.hi : range.hi;
		}
		plan_emit_uncovered(p, list[k]);
	}
	Loop *l = arena_new(p->plan->arena, Loop);
	l->index = p->def[list[0]].formal[w->at[list[0]]]; /* the first one has the axis: it was
							      tried along it */
	l->lo = range.lo;
	l->hi = range.hi;
	l->down = w->way == LOOK_AHEAD;
	l->slot = new_slot(p, range);
	for (uint32_t k = 0; k < n; k++) {
		PDef *d = &p->def[list[k]];
		Index own = w->at[list[k]] >= 0 ? d->formal[w->at[list[k]]] : 0;
		bool periodic = core_axis_info(p->core, w->axis)->flags & AXIS_PERIODIC;
		for (uint32_t q = 0; q < d->nread; q++) {
			Read *r = &d->read[q];
			if (member[r->to] && !r->cut && w->at[r->to] >= 0) {
				int at = w->at[r->to];
				Node arg = core_node(p->core, r->node)->arg[at];
				r->cut = arg_look(p, d, r, arg, own, periodic,
						  p->def[r->to].max[at]) != LOOK_SAME;
			}
		}
	}
	for (uint32_t k = 0; k < n; k++) {
		PDef *d = &p->def[list[k]];
		if (w->at[list[k]] >= 0) {
			plan_slot_set(p, d->formal[w->at[list[k]]], l->slot);
			plan_range_set(p, d->formal[w->at[list[k]]], d->dom[w->at[list[k]]]);
		} else {
			d->pin_slot = l->slot;
		}
	}
	bool *rides = arena_array(p->arena, bool, p->ndef);
	uint32_t *bound = arena_array(p->arena, uint32_t, riders->n + 1);
	for (uint32_t k = 0; k < riders->n; k++) {
		const PDef *d = &p->def[riders->def[k]];
		bound[k] = rider_bound(p, d, w, member);
		riders->taken[k] = rides[riders->def[k]] = bound[k] < d->nbound &&
							   d->bounds[bound[k]].lo >= l->lo &&
							   d->bounds[bound[k]].hi <= l->hi;
	}
	forget_labels(p, n, list, w, member, rides);
	Block *into = p->into;
	p->into = &l->body;
	plan_schedule(p, n, list);
	for (uint32_t k = 0; k < riders->n && !p->failed; k++) {
		if (riders->taken[k]) {
			emit_rider(p, riders->def[k], bound[k], l);
		}
	}
	p->into = into;
	for (uint32_t k = 0; k < n; k++) {
		if (w->at[list[k]] >= 0) {
			plan_slot_set(p, p->def[list[k]].formal[w->at[list[k]]], 0);
		}
	}
	plan_step(p, STEP_LOOP)->loop = l;
}

static void report_cycle(Planner *p, uint32_t n, const uint32_t *list)
{
	const DefInfo *info = core_def(p->core, p->def[list[0]].def);
	uint32_t shown = list[0];
	for (uint32_t k = 0; k < n; k++) { /* the user's names tell more */
		const DefInfo *other = core_def(p->core, p->def[list[k]].def);
		if ((other->flags & DEF_USER) && !(info->flags & DEF_USER)) {
			info = other;
			shown = list[k];
		}
	}
	Diag *d =
		diag_bad_recurrence(p->ds, info->span, intern_text(core_names(p->core), info->name),
				    "no axis on which it reads itself one way");
	unsigned notes = 0;
	for (uint32_t k = 0; k < n && notes < 6; k++) {
		const PDef *e = &p->def[list[k]];
		for (uint32_t q = 0; q < e->nread && notes < 6; q++) {
			for (uint32_t m = 0; m < n; m++) {
				if (e->read[q].to == list[m] && !e->read[q].cut) {
					diag_note(d, core_node(p->core, e->read[q].node)->span,
						  "%s reads %s",
						  intern_text(core_names(p->core),
							      core_def(p->core, e->def)->name),
						  core_text(p->core, p->arena, e->read[q].node));
					notes++;
					break;
				}
			}
		}
	}
	(void)shown;
	diag_help(d, "a recurrence runs along one of its axes: all reads of itself at smaller "
		     "places, or all at larger ones");
	p->failed = true;
}

void plan_recurrence(Planner *p, uint32_t n, const uint32_t *list, Riders *riders)
{
	Along w = {.at = arena_array(p->arena, int, p->ndef)};
	for (uint32_t k = 0; k < n; k++) {
		const PDef *d = &p->def[list[k]];
		for (uint32_t f = 0; f < d->rank; f++) {
			plan_range_set(p, d->formal[f], d->dom[f]);
		}
	}
	uint32_t *turned = arena_copy(p->arena, list, n * sizeof *list, alignof(uint32_t));
	for (uint32_t k = 0; k < n && k < 8;
	     k++) { /* a pinned member has no axis to try: begin with another */
		const PDef *first = &p->def[list[k]];
		turned[0] = list[k];
		turned[k] = list[0];
		for (uint32_t f = 0; f < first->rank; f++) {
			if (!plan_slot(p, first->formal[f]) && first->formal[f] != first->tiled &&
			    along_try(p, n, turned, f, &w)) {
				emit_loop(p, n, turned, &w, riders);
				return;
			}
		}
		turned[0] = list[0];
		turned[k] = list[k];
	}
	report_cycle(p, n, list);
}
