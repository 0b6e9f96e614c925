/* plan_collect.c — core in, PDefs out: the definitions that the outputs reach, their disjoint
 * regions, their reads, and an order in which every strongly connected set comes after those it
 * reads. Iterative throughout. */
#include "compiler/plan_make.h"
#include "lang/matrix.h"
#include <assert.h>
#include <string.h>

enum { BEYOND = 1 << 16 }; /* labels that a reduction may be read at before and behind its axis */
enum { DEPTH_MAX = 2500 }; /* nesting of one expression: later passes recurse over nodes */

/* ---- tables by index and node ---- */

static void planner_index_room(Planner *p, Index i)
{
	if (i < p->index_room) {
		return;
	}
	size_t room = p->index_room ? p->index_room : 256;
	while (room <= i) {
		room *= 2;
	}
	Interval *range = arena_array(p->arena, Interval, room);
	uint32_t *slot = arena_array(p->arena, uint32_t, room);
	if (p->index_room) {
		memcpy(range, p->range, p->index_room * sizeof *range);
		memcpy(slot, p->slot, p->index_room * sizeof *slot);
	}
	for (size_t k = p->index_room; k < room; k++) {
		range[k] = (Interval){0, -1};
	}
	p->range = range;
	p->slot = slot;
	p->index_room = room;
}

void plan_range_set(Planner *p, Index i, Interval r)
{
	planner_index_room(p, i);
	p->range[i] = r;
}

Interval plan_range(Planner *p, Index i)
{
	planner_index_room(p, i);
	return p->range[i];
}

uint32_t plan_slot(const Planner *p, Index i)
{
	return i < p->index_room ? p->slot[i] : 0;
}

void plan_slot_set(Planner *p, Index i, uint32_t slot)
{
	planner_index_room(p, i);
	p->slot[i] = slot;
}

static void planner_mark_room(Planner *p)
{
	size_t need = (size_t)core_node_count(p->core) + 1;
	if (need <= p->mark_room) {
		return;
	}
	size_t room = p->mark_room ? p->mark_room : 1024;
	while (room < need) {
		room *= 2;
	}
	uint32_t *mark = arena_array(p->arena, uint32_t, room);
	Node *memo = arena_array(p->arena, Node, room);
	uint32_t *stamp = arena_array(p->arena, uint32_t, room);
	if (p->mark_room) {
		memcpy(mark, p->mark, p->mark_room * sizeof *mark);
		memcpy(memo, p->memo, p->mark_room * sizeof *memo);
		memcpy(stamp, p->memo_stamp, p->mark_room * sizeof *stamp);
	}
	p->mark = mark;
	p->memo = memo;
	p->memo_stamp = stamp;
	p->mark_room = room;
}

void plan_memo_begin(Planner *p)
{
	p->memo_now++;
}

uint32_t plan_memo(const Planner *p, Node n)
{
	return n < p->mark_room && p->memo_stamp[n] == p->memo_now ? p->memo[n] : 0;
}

void plan_memo_set(Planner *p, Node n, uint32_t answer)
{
	planner_mark_room(p);
	p->memo[n] = answer;
	p->memo_stamp[n] = p->memo_now;
}

void plan_walk(Planner *p, Node root, bool (*visit)(void *data, Node n), void *data)
{
	planner_mark_room(p);
	uint32_t stamp = ++p->stamp;
	Node *stack = NULL;
	size_t n = 0, cap = 0;
	ARENA_PUSH(p->arena, stack, n, cap, root);
	p->mark[root] = stamp;
	while (n) {
		Node top = stack[--n];
		if (!visit(data, top)) {
			continue;
		}
		const NodeInfo *info = core_node(p->core, top);
		for (uint32_t k = 0; k < info->n; k++) {
			if (p->mark[info->arg[k]] != stamp) {
				p->mark[info->arg[k]] = stamp;
				ARENA_PUSH(p->arena, stack, n, cap, info->arg[k]);
			}
		}
	}
}

Interval plan_axis(const Planner *p, Index i)
{
	const AxisInfo *a = core_axis_info(p->core, core_index_axis(p->core, i));
	return (Interval){a->first, a->first + a->size - 1};
}

uint32_t plan_number(const Planner *p, Def d)
{
	return d < p->of_room ? p->of_def[d] : 0;
}

/* ---- regions ---- */

static int64_t edge_label(Interval axis, Edge e)
{
	switch (e.kind) {
	case EDGE_AT:
		return e.offset;
	case EDGE_FIRST:
		return axis.lo + e.offset;
	default:
		return axis.hi + e.offset;
	}
}

static Interval *piece_box(Planner *p, const PDef *d, const Piece *piece)
{
	Interval *box = arena_array(p->arena, Interval, d->rank + 1);
	for (uint32_t k = 0; k < d->rank; k++) {
		Interval axis = plan_axis(p, d->formal[k]);
		box[k] = piece->box ? (Interval){edge_label(axis, piece->box[k].lo),
						 edge_label(axis, piece->box[k].hi)}
				    : axis;
	}
	return box;
}

typedef struct BoxList {
	Interval **box;
	size_t n, cap;
} BoxList;

/* Adds to `out` what is left of `box` without `hole`: at most two boxes for each dimension. */
static void box_subtract(Planner *p, uint32_t rank, const Interval *box, const Interval *hole,
			 BoxList *out)
{
	Interval *rest = arena_array(p->arena, Interval, rank + 1);
	memcpy(rest, box, rank * sizeof *rest);
	for (uint32_t k = 0; k < rank; k++) {
		if (interval_empty(interval_meet(rest[k], hole[k]))) {
			ARENA_PUSH(p->arena, out->box, out->n, out->cap, rest);
			return;
		}
	}
	for (uint32_t k = 0; k < rank; k++) {
		for (int side = 0; side < 2; side++) {
			Interval part = side ? (Interval){hole[k].hi + 1, rest[k].hi}
					     : (Interval){rest[k].lo, hole[k].lo - 1};
			if (!interval_empty(part)) {
				Interval *b = arena_array(p->arena, Interval, rank + 1);
				memcpy(b, rest, rank * sizeof *b);
				b[k] = part;
				ARENA_PUSH(p->arena, out->box, out->n, out->cap, b);
			}
		}
		rest[k] = interval_meet(rest[k], hole[k]);
	}
}

/* Pieces, of which the first that fits counts, as disjoint boxes. */
static void def_regions(Planner *p, PDef *d, const DefInfo *info)
{
	BoxList taken = {0};
	Region *region = NULL;
	size_t n = 0, cap = 0;
	for (uint32_t k = 0; k < info->npiece; k++) {
		BoxList left = {0};
		Interval *whole = piece_box(p, d, &info->piece[k]);
		ARENA_PUSH(p->arena, left.box, left.n, left.cap, whole);
		for (size_t t = 0; t < taken.n; t++) {
			BoxList next = {0};
			for (size_t b = 0; b < left.n; b++) {
				box_subtract(p, d->rank, left.box[b], taken.box[t], &next);
			}
			left = next;
		}
		ARENA_PUSH(p->arena, taken.box, taken.n, taken.cap, whole);
		for (size_t b = 0; b < left.n; b++) {
			ARENA_PUSH(p->arena, region, n, cap,
				   ((Region){.box = left.box[b], .value = info->piece[k].value}));
		}
	}
	d->region = region;
	d->nregion = (uint32_t)n;
}

static void def_limits(Planner *p, PDef *d)
{
	d->max = arena_array(p->arena, Interval, d->rank + 1);
	d->dom = arena_array(p->arena, Interval, d->rank + 1);
	d->bounds = arena_array(p->arena, Interval, d->nbound + 1);
	for (uint32_t k = 0; k < d->rank; k++) {
		d->max[k] = plan_axis(p, d->formal[k]);
		for (uint32_t r = 0; r < d->nregion; r++) {
			Interval b = d->region[r].box[k];
			if (r == 0) {
				d->max[k] = b;
			} else {
				d->max[k].lo = b.lo < d->max[k].lo ? b.lo : d->max[k].lo;
				d->max[k].hi = b.hi > d->max[k].hi ? b.hi : d->max[k].hi;
			}
		}
		const AxisInfo *axis =
			core_axis_info(p->core, core_index_axis(p->core, d->formal[k]));
		bool result = d->mode == MODE_MATRIX && k + matrix_op(d->red)->nresult >= d->rank;
		if (d->red && !result && !d->zero_outside && !(axis->flags & (AXIS_PERIODIC | AXIS_SAMPLES)) &&
		    axis->size > 0) {
			/* A reduction has no domain of its own: it is computed where it is read. */
			d->max[k].lo -= BEYOND;
			d->max[k].hi += BEYOND;
			d->region[0].box[k] = d->max[k];
		}
		d->dom[k] = (Interval){0, -1};
		plan_range_set(p, d->formal[k], plan_axis(p, d->formal[k]));
	}
	for (uint32_t k = 0; k < d->nbound; k++) {
		d->bounds[k] = plan_axis(p, d->bound[k]);
		plan_range_set(p, d->bound[k], d->bounds[k]);
	}
}

/* ---- reads ---- */

typedef struct Collect {
	Planner *p;
	uint32_t def, region;
	Def **todo;
	size_t *ntodo, *cap;
} Collect;

static uint32_t def_add(Planner *p, Def d, Collect *w)
{
	uint32_t known = plan_number(p, d);
	if (known) {
		return known;
	}
	if (d >= p->of_room) {
		size_t room = p->of_room ? p->of_room : 256;
		while (room <= d) {
			room *= 2;
		}
		uint32_t *of = arena_array(p->arena, uint32_t, room);
		if (p->of_room) {
			memcpy(of, p->of_def, p->of_room * sizeof *of);
		}
		p->of_def = of;
		p->of_room = room;
	}
	if (!p->ndef) {
		size_t n = 0;
		ARENA_PUSH(p->arena, p->def, n, p->def_cap, (PDef){0});
		p->ndef = 1;
	}
	size_t n = p->ndef;
	ARENA_PUSH(p->arena, p->def, n, p->def_cap, ((PDef){.def = d, .carrier = -1}));
	p->ndef = (uint32_t)n;
	p->of_def[d] = (uint32_t)(n - 1);
	ARENA_PUSH(p->arena, *w->todo, *w->ntodo, *w->cap, d);
	return (uint32_t)(n - 1);
}

static bool collect_node(void *data, Node n)
{
	Collect *w = data;
	Planner *p = w->p;
	const NodeInfo *info = core_node(p->core, n);
	assert(info->tag != NODE_D);
	if (info->tag == NODE_READ) {
		uint32_t to = def_add(p, info->ref, w);
		PDef *d = &p->def[w->def];
		size_t nread = d->nread;
		ARENA_PUSH(p->arena, d->read, nread, d->read_cap,
			   ((Read){.node = n, .to = to, .region = w->region}));
		d->nread = (uint32_t)nread;
	} else if (info->tag == NODE_SIZE && core_axis_info(p->core, info->ref)->size < 0) {
		p->unsized = info->ref;
		p->unsized_in = p->def[w->def].def;
	} else if (info->tag == NODE_RANDOM) {
		p->def[w->def].random = true;
		p->def[w->def].random_step |= (info->ref & RANDOM_EACH_STEP) != 0;
	}
	return true;
}

static void def_fill(Planner *p, uint32_t number)
{
	PDef *d = &p->def[number];
	const DefInfo *info = core_def(p->core, d->def);
	d->kind = info->kind;
	d->red = info->role == DEF_REDUCTION ? info->red : RED_NONE;
	d->rank = info->nindex;
	d->nbound = d->red ? info->nbound : 0;
	d->formal = arena_copy(p->arena, info->index, d->rank * sizeof(Index), alignof(Index));
	d->bound = arena_copy(p->arena, info->bound, d->nbound * sizeof(Index), alignof(Index));
	d->zero_outside = (info->flags & DEF_ZERO_OUTSIDE) != 0;
	bool leaf = info->role == DEF_PARAM || info->role == DEF_DATA || info->role == DEF_RUNTIME;
	d->mode = leaf			   ? MODE_LEAF
		  : red_is_matrix(d->red) ? MODE_MATRIX
		  : d->red		   ? MODE_REDUCE
					   : MODE_POINT;
	if (!leaf) {
		DefInfo copy = *info;
		def_regions(p, d, &copy);
	}
	if (d->mode == MODE_MATRIX) {
		d->region[0].value = plan_matrix_argument(p, d, d->region[0].value);
	}
	def_limits(p, d);
}

/* Is any expression nested deeper than later passes recurse? A loop over numbers, since arguments
 * are numbered first. */
static bool depth_fits(Planner *p)
{
	uint32_t n = core_node_count(p->core) + 1;
	ArenaMark mark = arena_mark(p->arena);
	uint16_t *depth = arena_array(p->arena, uint16_t, n);
	for (Node k = 1; k < n; k++) {
		const NodeInfo *info = core_node(p->core, k);
		for (uint32_t q = 0; q < info->n; q++) {
			uint16_t below = depth[info->arg[q]];
			depth[k] = below >= depth[k] ? (uint16_t)(below + (below < DEPTH_MAX))
						     : depth[k];
		}
	}
	bool fits = true;
	for (uint32_t k = 1; k < p->ndef; k++) {
		for (uint32_t r = 0; r < p->def[k].nregion; r++) {
			if (depth[p->def[k].region[r].value] >= DEPTH_MAX) {
				diag_too_large(p->ds, core_def(p->core, p->def[k].def)->span,
					       "the nesting of an expression", "2500 levels");
				fits = false;
			}
		}
	}
	arena_release(p->arena, mark);
	return fits;
}

bool plan_collect(Planner *p, uint32_t n, const Def *roots)
{
	Def *todo = NULL;
	size_t ntodo = 0, cap = 0;
	Collect w = {p, 0, 0, &todo, &ntodo, &cap};
	for (uint32_t k = 0; k < n; k++) {
		def_add(p, roots[k], &w);
	}
	while (ntodo) {
		uint32_t number = p->of_def[todo[--ntodo]];
		def_fill(p, number);
		for (uint32_t r = 0; r < p->def[number].nregion; r++) {
			w.def = number;
			w.region = r;
			plan_walk(p, p->def[number].region[r].value, collect_node, &w);
		}
	}
	return depth_fits(p);
}

typedef struct Again {
	Planner *p;
	uint32_t def, region;
} Again;

static bool again_node(void *data, Node n)
{
	Again *w = data;
	const NodeInfo *info = core_node(w->p->core, n);
	if (info->tag == NODE_READ) {
		PDef *d = &w->p->def[w->def];
		size_t nread = d->nread;
		uint32_t to = plan_number(w->p, info->ref);
		assert(to);
		ARENA_PUSH(w->p->arena, d->read, nread, d->read_cap,
			   ((Read){.node = n, .to = to, .region = w->region}));
		d->nread = (uint32_t)nread;
	}
	return true;
}

typedef struct AnyRead {
	Planner *p;
	bool any;
} AnyRead;

static bool any_read(void *data, Node n)
{
	AnyRead *w = data;
	w->any |= core_node(w->p->core, n)->tag == NODE_READ;
	return !w->any;
}

bool plan_reads(Planner *p, Node n)
{
	AnyRead w = {p, false};
	plan_walk(p, n, any_read, &w);
	return w.any;
}

void plan_read_again(Planner *p, uint32_t number)
{
	PDef *d = &p->def[number];
	d->nread = 0;
	d->read = NULL; /* the old list may still be looked at */
	d->read_cap = 0;
	for (uint32_t r = 0; r < d->nregion; r++) {
		Again w = {p, number, r};
		d->region[r].known = false;
		plan_walk(p, d->region[r].value, again_node, &w);
	}
}

/* ---- order: Tarjan's strongly connected sets ---- */

typedef struct Frame {
	uint32_t def, next;
} Frame;
typedef struct Tarjan {
	Planner *p;
	uint32_t *index, *low, *place; /* by PDef; place: position in the list + 1 */
	bool *on;
	uint32_t *stack, nstack, clock;
	uint32_t *order, *comp, norder, ncomp;
} Tarjan;

static void tarjan_close(Tarjan *t, uint32_t d)
{
	if (t->low[d] != t->index[d]) {
		return;
	}
	uint32_t member;
	do {
		member = t->stack[--t->nstack];
		t->on[member] = false;
		t->order[t->norder] = member;
		t->comp[t->norder++] = t->ncomp;
	} while (member != d);
	t->ncomp++;
}

static void tarjan_from(Tarjan *t, uint32_t root, Frame *frame)
{
	uint32_t nframe = 0;
	frame[nframe++] = (Frame){root, 0};
	t->index[root] = t->low[root] = ++t->clock;
	t->stack[t->nstack++] = root;
	t->on[root] = true;
	while (nframe) {
		Frame *f = &frame[nframe - 1];
		const PDef *d = &t->p->def[f->def];
		if (f->next == d->nread) {
			uint32_t done = f->def;
			nframe--;
			if (nframe && t->low[done] < t->low[frame[nframe - 1].def]) {
				t->low[frame[nframe - 1].def] = t->low[done];
			}
			tarjan_close(t, done);
			continue;
		}
		const Read *r = &d->read[f->next++];
		if (r->cut || !t->place[r->to]) {
			continue;
		}
		if (!t->index[r->to]) {
			t->index[r->to] = t->low[r->to] = ++t->clock;
			t->stack[t->nstack++] = r->to;
			t->on[r->to] = true;
			frame[nframe++] = (Frame){r->to, 0};
		} else if (t->on[r->to] && t->index[r->to] < t->low[f->def]) {
			t->low[f->def] = t->index[r->to];
		}
	}
}

void plan_order(Planner *p, uint32_t n, const uint32_t *list, uint32_t *order, uint32_t *comp,
		uint32_t *ncomp)
{
	ArenaMark mark = arena_mark(p->arena);
	Tarjan t = {.p = p, .order = order, .comp = comp};
	t.index = arena_array(p->arena, uint32_t, p->ndef);
	t.low = arena_array(p->arena, uint32_t, p->ndef);
	t.place = arena_array(p->arena, uint32_t, p->ndef);
	t.on = arena_array(p->arena, bool, p->ndef);
	t.stack = arena_array(p->arena, uint32_t, p->ndef);
	Frame *frame = arena_array(p->arena, Frame, p->ndef);
	for (uint32_t k = 0; k < n; k++) {
		t.place[list[k]] = k + 1;
	}
	for (uint32_t k = 0; k < n; k++) {
		if (!t.index[list[k]]) {
			tarjan_from(&t, list[k], frame);
		}
	}
	*ncomp = t.ncomp;
	arena_release(p->arena, mark);
}
