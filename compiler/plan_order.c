/* plan_order.c — the order of steps: definitions after those they read, neighbours that share a box
 * in one nest.
 *
 * Ready contractions and reductions go first, so that what they read can be forgotten; then
 * pointwise definitions by the length of what still hangs on them, each opening a nest that takes
 * up all ready ones over the same box. Ties are broken by the order of computation alone. */
#include "compiler/plan_make.h"
#include <assert.h>
#include <string.h>

enum { GROUP_MAX = 24, GROUP_SPAN = 8 };

typedef struct Item {
	uint32_t first, count; /* members in the order */
	uint32_t waits;        /* items not yet done that it reads */
	uint32_t height;       /* longest chain of readers */
	uint32_t nreader;
	uint32_t *reader;
	bool loop;
} Item;

typedef struct Sched {
	Planner *p;
	uint32_t *member, nmember; /* PDefs of the region being made */
	bool in_region;
	uint32_t *order, *item_of; /* item_of by PDef, + 1 */
	Item *item;
	uint32_t nitem;
	uint32_t *ready, nready;
} Sched;

/* ---- building ---- */

static void sched_edges(Sched *s)
{
	Planner *p = s->p;
	uint32_t *seen = arena_array(p->arena, uint32_t, s->nitem + 1);
	for (int pass = 0; pass < 2; pass++) { /* count, then fill */
		memset(seen, 0, (s->nitem + 1) * sizeof *seen);
		for (uint32_t i = 0; i < s->nitem; i++) {
			Item *it = &s->item[i];
			for (uint32_t m = it->first; m < it->first + it->count; m++) {
				const PDef *d = &p->def[s->order[m]];
				for (uint32_t q = 0; q < d->nread; q++) {
					uint32_t from = s->item_of[d->read[q].to];
					if (d->read[q].cut || !from || from - 1 == i ||
					    seen[from - 1] == i + 1) {
						continue;
					}
					seen[from - 1] = i + 1;
					if (pass) {
						s->item[from - 1]
							.reader[s->item[from - 1].nreader++] = i;
						it->waits++;
					} else {
						s->item[from - 1].nreader++;
					}
				}
			}
		}
		for (uint32_t i = 0; i < s->nitem && !pass; i++) {
			s->item[i].reader = arena_array(p->arena, uint32_t, s->item[i].nreader + 1);
			s->item[i].nreader = 0;
		}
	}
	for (uint32_t i = s->nitem; i-- > 0;) { /* items are in an order of computation */
		for (uint32_t r = 0; r < s->item[i].nreader; r++) {
			uint32_t h = s->item[s->item[i].reader[r]].height + 1;
			s->item[i].height = h > s->item[i].height ? h : s->item[i].height;
		}
	}
}

static void sched_done(Sched *s, uint32_t item)
{
	for (uint32_t r = 0; r < s->item[item].nreader; r++) {
		uint32_t to = s->item[item].reader[r];
		if (--s->item[to].waits == 0) {
			s->ready[s->nready++] = to;
		}
	}
}

static bool item_is_point(const Sched *s, uint32_t i)
{
	const Item *it = &s->item[i];
	return !it->loop && s->p->def[s->order[it->first]].mode == MODE_POINT;
}

/* Regions: steps over the same rows and the same samples of a tile, each element from others at its
 * own place alone. Compiled code keeps such elements in registers (gen_region.c).
 * Could this item stand in one? */
static bool item_in_rows(const Sched *s, uint32_t i)
{
	const Item *it = &s->item[i];
	const PDef *d = &s->p->def[s->order[it->first]];
	if (it->loop || !s->p->tile || (d->mode != MODE_POINT && d->mode != MODE_CONTRACT) ||
	    d->nregion == 0 || !d->covered || d->rank == 0) {
		return false;
	}
	uint32_t rows = 0;
	bool samples = false, alike = true;
	for (uint32_t f = 0; f < d->rank; f++) {
		bool here = !plan_slot(s->p, d->formal[f]);
		samples |= d->formal[f] == d->tiled;
		rows += d->formal[f] != d->tiled && here;
		for (uint32_t r = 1; r < d->nregion && here; r++) {
			Interval a = d->region[0].box[f], b = d->region[r].box[f];
			alike &= a.lo == b.lo && a.hi == b.hi;
		}
	}
	return samples && alike && rows <= 1;
}

/* The labels of the row, one for definitions without. */
static Interval row_of(const Sched *s, const PDef *d, uint32_t *formal)
{
	*formal = d->rank;
	Interval row = {0, 0};
	for (uint32_t f = 0; f < d->rank; f++) {
		if (d->formal[f] != d->tiled && !plan_slot(s->p, d->formal[f])) {
			*formal = f;
			row = d->region[0].box[f];
		}
	}
	return row;
}

/* Does the item run over the rows of the region, reading its members only at its own place? */
static bool region_fits(Sched *s, uint32_t i)
{
	if (!item_in_rows(s, i)) {
		return false;
	}
	Planner *p = s->p;
	const PDef *d = &p->def[s->order[s->item[i].first]];
	uint32_t own, other;
	Interval row = row_of(s, d, &own);
	for (uint32_t m = 0; m < s->nmember; m++) {
		const PDef *e = &p->def[s->member[m]];
		Interval r = row_of(s, e, &other);
		if (r.lo != row.lo || r.hi != row.hi || d->pin_slot != e->pin_slot ||
		    d->pin != e->pin) {
			return false;
		}
		for (uint32_t q = 0; q < d->nread; q++) {
			if (d->read[q].to != s->member[m] || d->read[q].cut) {
				continue;
			}
			const NodeInfo *n = core_node(p->core, d->read[q].node);
			for (uint32_t k = 0; k < n->n; k++) {
				Index at = plan_plain_index(p, n->arg[k]);
				bool right = k == other ? own < d->rank && at == d->formal[own]
					     : e->formal[k] == e->tiled ? at == d->tiled
									: at != 0;
				if (!right) {
					return false;
				}
			}
		}
	}
	return true;
}

/* Takes the best ready item. Outside tiles: contractions and reductions, then height, then order;
 * in tiles what stands in no region first, so that what it reads can be forgotten. */
static uint32_t sched_take(Sched *s)
{
	uint32_t best = 0;
	for (uint32_t k = 1; k < s->nready; k++) {
		uint32_t a = s->ready[k], b = s->ready[best];
		bool pa = s->p->tile ? item_in_rows(s, a) : item_is_point(s, a);
		bool pb = s->p->tile ? item_in_rows(s, b) : item_is_point(s, b);
		if (pa != pb                                 ? pb
		    : s->item[a].height != s->item[b].height ? s->item[a].height > s->item[b].height
							     : a < b) {
			best = k;
		}
	}
	uint32_t item = s->ready[best];
	s->ready[best] = s->ready[--s->nready];
	return item;
}

/* ---- nests of several definitions ---- */

typedef struct Group {
	uint32_t n;
	uint32_t def[GROUP_MAX];
	Index *formal[GROUP_MAX];
} Group;

static bool def_simple(const PDef *d)
{
	return d->mode == MODE_POINT && d->nregion == 1 && d->covered;
}

static int group_member(const Group *g, uint32_t def)
{
	for (uint32_t k = 0; k < g->n; k++) {
		if (g->def[k] == def) {
			return (int)k;
		}
	}
	return -1;
}

/* What the reads of members say about which formal is which of the leader's; 0 where they say
 * nothing. */
static bool match_by_reads(Planner *p, const Group *g, const PDef *d, Index *map)
{
	for (uint32_t q = 0; q < d->nread; q++) {
		int m = group_member(g, d->read[q].to);
		if (m < 0 || d->read[q].cut) {
			continue;
		}
		const NodeInfo *r = core_node(p->core, d->read[q].node);
		for (uint32_t k = 0; k < r->n; k++) {
			Index i = plan_plain_index(p, r->arg[k]);
			uint32_t f = 0;
			while (f < d->rank && d->formal[f] != i) {
				f++;
			}
			if (!i || f == d->rank || (map[f] && map[f] != g->formal[m][k])) {
				return false;
			}
			map[f] = g->formal[m][k];
		}
	}
	return true;
}

/* Does the definition run over the same box as the leader, reading members only where they have
 * just been computed? */
static bool group_match(Planner *p, const Group *g, const PDef *d, Index *map)
{
	const PDef *lead = &p->def[g->def[0]];
	if (d->rank != lead->rank || (d->tiled == 0) != (lead->tiled == 0) ||
	    d->pin_slot != lead->pin_slot || (d->pin_slot && d->pin != lead->pin)) {
		return false;
	}
	if (!def_simple(d) || !match_by_reads(p, g, d, map)) {
		return false;
	}
	bool used[64] = {false};
	if (d->rank > 64) {
		return false;
	}
	for (uint32_t f = 0; f < d->rank; f++) {
		for (uint32_t k = 0; map[f] && k < lead->rank; k++) {
			used[k] |= lead->formal[k] == map[f];
		}
	}
	for (uint32_t f = 0; f < d->rank; f++) {
		uint32_t slot = plan_slot(p, d->formal[f]);
		Interval box = d->region[0].box[f];
		for (uint32_t k = 0; k < lead->rank; k++) {
			Interval other = lead->region[0].box[k];
			bool fits = core_index_axis(p->core, lead->formal[k]) ==
					    core_index_axis(p->core, d->formal[f]) &&
				    plan_slot(p, lead->formal[k]) == slot && other.lo == box.lo &&
				    other.hi == box.hi &&
				    (lead->formal[k] == lead->tiled) == (d->formal[f] == d->tiled);
			if (map[f] ? map[f] == lead->formal[k] && !fits : fits && !used[k]) {
				if (map[f]) {
					return false;
				}
				map[f] = lead->formal[k];
				used[k] = true;
			}
		}
		if (!map[f]) {
			return false;
		}
		for (uint32_t k = 0; k < f; k++) {
			if (map[k] == map[f]) {
				return false;
			}
		}
	}
	for (uint32_t q = 0; q < d->nread;
	     q++) { /* every read of a member: exactly the element of this lane */
		int m = group_member(g, d->read[q].to);
		const NodeInfo *r = core_node(p->core, d->read[q].node);
		for (uint32_t k = 0; m >= 0 && !d->read[q].cut && k < r->n; k++) {
			Index i = plan_plain_index(p, r->arg[k]);
			uint32_t f = 0;
			while (f < d->rank && d->formal[f] != i) {
				f++;
			}
			if (f == d->rank || map[f] != g->formal[m][k]) {
				return false;
			}
		}
	}
	return true;
}

static bool group_join(Planner *p, Group *g, uint32_t def)
{
	const PDef *d = &p->def[def];
	Index *map = arena_array(p->arena, Index, d->rank + 1);
	if (g->n == 0) {
		memcpy(map, d->formal, d->rank * sizeof *map);
	} else if (g->n == GROUP_MAX || !group_match(p, g, d, map)) {
		return false;
	}
	g->def[g->n] = def;
	g->formal[g->n++] = map;
	return true;
}

/* ---- emission ---- */

/* One more condition of a step; two on the same slot become one. */
static void step_condition(Planner *p, Step *step, uint32_t slot, Interval in)
{
	void *old = step->cond;
	step->cond = arena_alloc_n(p->plan->arena, step->ncond + 1, sizeof *step->cond,
				   alignof(max_align_t));
	if (step->ncond) {
		memcpy(step->cond, old, step->ncond * sizeof *step->cond);
	}
	for (uint32_t k = 0; k < step->ncond; k++) {
		if (step->cond[k].slot == slot) {
			step->cond[k].in = interval_meet(step->cond[k].in, in);
			return;
		}
	}
	step->cond[step->ncond].slot = slot;
	step->cond[step->ncond++].in = in;
}

void plan_condition_slot(Planner *p, uint32_t slot, Interval in, uint32_t from)
{
	Interval all = p->loop_range[slot];
	if (in.lo <= all.lo && in.hi >= all.hi) {
		return;
	}
	in = interval_meet(in, all);
	for (uint32_t s = from; s < p->into->n; s++) {
		step_condition(p, p->into->step[s], slot, in);
	}
}

void plan_condition(Planner *p, const PDef *d, const Interval *box, uint32_t from)
{
	for (uint32_t k = 0; k <= d->rank; k++) {
		uint32_t slot = k < d->rank ? plan_slot(p, d->formal[k]) : d->pin_slot;
		if (slot) {
			plan_condition_slot(
				p, slot, k < d->rank ? box[k] : (Interval){d->pin, d->pin}, from);
		}
	}
}

static void emit_group(Planner *p, const Group *g)
{
	const PDef *lead = &p->def[g->def[0]];
	NestItem *item = arena_array(p->arena, NestItem, g->n);
	Node *to = arena_array(p->arena, Node, lead->rank + 1);
	for (uint32_t k = 0; k < g->n; k++) {
		const PDef *d = &p->def[g->def[k]];
		Node value = d->region[0].value;
		if (k) {
			for (uint32_t f = 0; f < d->rank; f++) {
				to[f] = core_index_value(p->core, g->formal[k][f]);
			}
			value = core_subst(p->core, value, d->rank, d->formal, to);
		}
		item[k] = (NestItem){g->def[k], 0, value, g->formal[k]};
	}
	uint32_t from = p->into->n;
	plan_emit_nest(p, g->n, item);
	plan_condition(p, lead, lead->region[0].box, from);
}

static bool region_is_empty(const PDef *d, uint32_t r)
{
	bool empty = false;
	for (uint32_t k = 0; k < d->rank; k++) {
		empty |= interval_empty(d->region[r].box[k]);
	}
	return empty;
}

/* Elements outside all regions: zero where the definition says so, else not a number, so that
 * nothing passes silently. */
void plan_emit_uncovered(Planner *p, uint32_t def)
{
	PDef *d = &p->def[def];
	if (d->covered) {
		return;
	}
	d->covered = d->filled = true;
	Region *kept = d->region;
	Region whole = {.box = d->dom};
	d->region = &whole;
	plan_emit_fill(p, &(NestItem){def, 0, 0, d->formal},
		       d->zero_outside ? 0.0 : __builtin_nan(""));
	d->region = kept;
}

void plan_emit_single(Planner *p, uint32_t def)
{
	PDef *d = &p->def[def];
	if (d->mode == MODE_ABSORBED) {
		return;
	}
	plan_emit_uncovered(p, def);
	for (uint32_t r = 0; r < d->nregion; r++) {
		if (region_is_empty(d, r)) {
			continue;
		}
		uint32_t from = p->into->n;
		if (d->mode == MODE_CONTRACT) {
			plan_emit_contract(p, def, r);
		} else if (d->mode == MODE_MATRIX) {
			plan_emit_matrix(p, def);
		} else {
			plan_emit_nest(p, 1, &(NestItem){def, r, d->region[r].value, d->formal});
		}
		plan_condition(p, &p->def[def], p->def[def].region[r].box, from);
	}
}

static void region_add(Sched *s, uint32_t item)
{
	if (s->in_region) {
		s->member[s->nmember++] = s->order[s->item[item].first];
	}
}

/* Opens a nest with a pointwise item and takes up ready ones over the same box, which may make
 * others ready. */
static void emit_with_neighbours(Sched *s, uint32_t item)
{
	Planner *p = s->p;
	uint32_t def = s->order[s->item[item].first];
	if (!def_simple(&p->def[def]) || region_is_empty(&p->def[def], 0)) {
		region_add(s, item);
		plan_emit_single(p, def);
		sched_done(s, item);
		return;
	}
	Group g = {0};
	group_join(p, &g, def);
	region_add(s, item);
	sched_done(s, item);
	uint32_t lowest = s->item[item].height > GROUP_SPAN ? s->item[item].height - GROUP_SPAN : 0;
	for (bool more = true; more;) {
		more = false;
		for (uint32_t k = 0; k < s->nready; k++) {
			uint32_t i = s->ready[k];
			if (item_is_point(s, i) && s->item[i].height >= lowest &&
			    (!s->in_region || region_fits(s, i)) &&
			    group_join(p, &g, s->order[s->item[i].first])) {
				s->ready[k] = s->ready[--s->nready];
				region_add(s, i);
				sched_done(s, i);
				more = true;
				break;
			}
		}
	}
	emit_group(p, &g);
}

/* Moves copies of leaves before the other steps from `from` on; where those begin. */
static uint32_t copies_first(Block *b, uint32_t from)
{
	for (uint32_t k = from; k < b->n; k++) {
		Step *s = b->step[k];
		if (s->copy) {
			memmove(&b->step[from + 1], &b->step[from], (k - from) * sizeof *b->step);
			b->step[from++] = s;
		}
	}
	return from;
}

/* A region from its first item: whatever fits and is ready joins, contractions before nests. */
static void emit_region(Sched *s, uint32_t item)
{
	Planner *p = s->p;
	Block *into = p->into;
	uint32_t from = into->n;
	s->nmember = 0;
	s->in_region = true;
	for (bool more = true; more && !p->failed;) {
		if (item_is_point(s, item)) {
			emit_with_neighbours(s, item);
		} else {
			region_add(s, item);
			plan_emit_single(p, s->order[s->item[item].first]);
			sched_done(s, item);
		}
		more = false;
		uint32_t best = 0;
		for (uint32_t k = 0; k < s->nready; k++) {
			if (region_fits(s, s->ready[k]) &&
			    (!more || (item_is_point(s, s->ready[best]) &&
				       !item_is_point(s, s->ready[k])))) {
				best = k;
				more = true;
			}
		}
		if (more) {
			item = s->ready[best];
			s->ready[best] = s->ready[--s->nready];
		}
	}
	s->in_region = false;
	p->plan->nregion++;
	for (uint32_t k = copies_first(into, from); k < into->n; k++) {
		into->step[k]->region = p->plan->nregion;
	}
}

/* A recurrence, and the sums that wait for it alone. */
static void emit_recurrence(Sched *s, uint32_t item)
{
	Planner *p = s->p;
	const Item *it = &s->item[item];
	Riders r = {.def = arena_array(p->arena, uint32_t, it->nreader + 1),
		    .taken = arena_array(p->arena, bool, it->nreader + 1)};
	uint32_t *rider = arena_array(p->arena, uint32_t, it->nreader + 1);
	for (uint32_t k = 0; k < it->nreader; k++) {
		const Item *reader = &s->item[it->reader[k]];
		if (reader->waits == 1 && !reader->loop) {
			rider[r.n] = it->reader[k];
			r.def[r.n++] = s->order[reader->first];
		}
	}
	plan_recurrence(p, it->count, s->order + it->first, &r);
	sched_done(s, item);
	for (uint32_t k = 0; k < r.n; k++) {
		for (uint32_t q = 0; r.taken[k] && q < s->nready; q++) {
			if (s->ready[q] == rider[k]) {
				s->ready[q] = s->ready[--s->nready];
				sched_done(s, rider[k]);
				break;
			}
		}
	}
}

bool plan_schedule(Planner *p, uint32_t n, const uint32_t *list)
{
	Sched s = {.p = p};
	s.order = arena_array(p->arena, uint32_t, n + 1);
	s.member = arena_array(p->arena, uint32_t, n + 1);
	s.item_of = arena_array(p->arena, uint32_t, p->ndef + 1);
	uint32_t *comp = arena_array(p->arena, uint32_t, n + 1), ncomp = 0;
	plan_order(p, n, list, s.order, comp, &ncomp);
	s.item = arena_array(p->arena, Item, ncomp + 1);
	s.ready = arena_array(p->arena, uint32_t, ncomp + 1);
	for (uint32_t k = 0; k < n; k++) {
		if (k == 0 || comp[k] != comp[k - 1]) {
			s.item[s.nitem++] = (Item){.first = k};
		}
		Item *it = &s.item[s.nitem - 1];
		it->count++;
		const PDef *d = &p->def[s.order[k]];
		for (uint32_t q = 0; q < d->nread; q++) {
			it->loop |= d->read[q].to == s.order[k] && !d->read[q].cut;
		}
		it->loop |= it->count > 1;
		s.item_of[s.order[k]] = s.nitem;
	}
	sched_edges(&s);
	for (uint32_t i = 0; i < s.nitem; i++) {
		if (!s.item[i].waits) {
			s.ready[s.nready++] = i;
		}
	}
	while (s.nready && !p->failed) {
		uint32_t i = sched_take(&s);
		if (s.item[i].loop) {
			emit_recurrence(&s, i);
		} else if (item_in_rows(&s, i)) {
			emit_region(&s, i);
		} else if (item_is_point(&s, i)) {
			emit_with_neighbours(&s, i);
		} else {
			plan_emit_single(p, s.order[s.item[i].first]);
			sched_done(&s, i);
		}
	}
	return !p->failed;
}
