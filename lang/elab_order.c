/* elab_order.c — can a recurrence be run? An axis along which every read of the set goes one way is
 * run along; reads that move along it are then settled, and the rest must order along another axis,
 * and so on. SPEC: recurrences. */
#include "lang/elab_int.h"

#include <string.h>

enum { ORDER_AXES = 16, ORDER_DEPTH = 1000 };
typedef enum { SHIFT_ZERO, SHIFT_BACK, SHIFT_AHEAD, SHIFT_ANY } ShiftKind;
/* A read of `of` in a piece of `by`; `general` at positions that the piece does not fix, `asked`
 * under a condition. */
typedef struct Read {
	size_t of, by;
	ShiftKind kind[ORDER_AXES];
	int64_t shift[ORDER_AXES];
	bool general[ORDER_AXES];
	bool settled, asked;
} Read;
/* A definition outside the set whose body is being looked at. */
typedef struct Open {
	const struct Open *outer;
	Def def;
	const Node *arg;
	bool general; /* at any place where its places differ from those of an outer one */
} Open;
typedef struct Order {
	Elab *e;
	size_t n;
	const Def *def;
	uint32_t nctx, rank; /* rank: own positions that all definitions share */
	Read *read;
	size_t nread, capread;
	/* of the piece at hand */
	size_t by;
	const Index *formal;
	const Range *box;
	const Open *open;
	uint8_t *seen; /* nodes met: 1 under a condition, 2 without */
	uint32_t capseen;
} Order;

static bool fixed_at(const Range *box, uint32_t p, int64_t *at)
{
	*at = box ? box[p].lo.offset : 0;
	return box && box[p].lo.kind == EDGE_AT;
}

static ShiftKind kind_of(int64_t shift)
{
	return shift < 0 ? SHIFT_BACK : shift > 0 ? SHIFT_AHEAD : SHIFT_ZERO;
}

/* How far a place k + … lies from k, the other terms being indices of axes of a known size:
 * s[k - j] with j over 1..4. */
static bool distance(const Order *o, const NodeInfo *lin, Index own, int64_t *low, int64_t *high)
{
	Core *c = o->e->core;
	bool found = false;
	*low = *high = lin->integer;
	for (uint32_t k = 0; k < lin->n; k++) {
		NodeInfo term = *core_node(c, lin->arg[k]);
		double coef = lin->coef[k];
		if (term.tag != NODE_INDEX || coef != (double)(int64_t)coef) {
			return false;
		}
		if (term.ref == own) {
			found = coef == 1;
			if (!found) {
				return false;
			}
			continue;
		}
		const AxisInfo *a = core_axis_info(c, core_index_axis(c, term.ref));
		if (a->size < 1 || (a->flags & AXIS_PERIODIC) || (coef < 0 ? -coef : coef) > 1e6) {
			return false;
		}
		int64_t m = (int64_t)coef, one = m * a->first, two = m * (a->first + a->size - 1);
		*low += one < two ? one : two;
		*high += one < two ? two : one;
	}
	return found;
}

static ShiftKind shift_of(const Order *o, Node arg, uint32_t p, int64_t *shift)
{
	Core *c = o->e->core;
	NodeInfo i = *core_node(c, arg);
	int64_t at;
	*shift = 0;
	if (i.tag == NODE_INDEX) {
		return i.ref == o->formal[p] ? SHIFT_ZERO : SHIFT_ANY;
	}
	if (i.tag == NODE_CONST && fixed_at(o->box, o->nctx + p, &at)) { /* h[1] = 2*h[0] */
		*shift = i.integer - at;
		return kind_of(*shift);
	}
	const AxisInfo *own = core_axis_info(c, core_index_axis(c, o->formal[p]));
	if (i.tag == NODE_CONST && own->size == 1) { /* the index of one place is that number */
		*shift = i.integer - own->first;
		return kind_of(*shift);
	}
	int64_t low, high;
	if (i.tag == NODE_LIN && distance(o, &i, o->formal[p], &low, &high) && (low > 0) == (high >= 0)) {
		*shift = low > 0 ? high : low; /* the farthest place */
		return kind_of(*shift);
	}
	return SHIFT_ANY;
}

/* The number of d in the set; n if it is none of it. */
static size_t member(const Order *o, Def d)
{
	size_t i = 0;
	while (i < o->n && o->def[i] != d) {
		i++;
	}
	return i;
}

static bool first_visit(Order *o, Node n, bool asked)
{
	if (n >= o->capseen) {
		uint32_t cap = 2 * n + 64;
		uint8_t *more = arena_array(o->e->arena, uint8_t, cap);
		if (o->capseen) {
			memcpy(more, o->seen, o->capseen);
		}
		o->seen = more;
		o->capseen = cap;
	}
	uint8_t mark = asked ? 1 : 2;
	if (o->seen[n] >= mark) {
		return false;
	}
	o->seen[n] = mark;
	return true;
}

static void add_read(Order *o, const NodeInfo *i, size_t of, bool asked)
{
	Read r = {.of = of, .by = o->by, .asked = asked};
	for (uint32_t p = 0; p < o->rank; p++) {
		int64_t at;
		r.general[p] = !fixed_at(o->box, o->nctx + p, &at);
		Axis axis = core_index_axis(o->e->core,
					    core_def(o->e->core, i->ref)->index[o->nctx + p]);
		bool same = axis == core_index_axis(o->e->core, o->formal[p]);
		r.kind[p] = same ? shift_of(o, i->arg[o->nctx + p], p, &r.shift[p]) : SHIFT_ANY;
	}
	ARENA_PUSH(o->e->arena, o->read, o->nread, o->capread, r);
}

static bool reaches_set(const Order *o, Node n)
{
	for (size_t k = 0; k < o->n; k++) {
		if (core_depends(o->e->core, n, o->def[k])) {
			return true;
		}
	}
	return false;
}

static void collect(Order *o, Node n, bool asked, unsigned depth);

/* The body of another definition, at the places that are read. A recurrence reads itself: it is
 * looked at once more at places of which nothing is known, which stand for all that it goes through. */
static void collect_inside(Order *o, const NodeInfo *read, uint32_t npiece, bool asked, unsigned depth)
{
	Core *c = o->e->core;
	const Open *same = o->open;
	while (same && same->def != read->ref) {
		same = same->outer;
	}
	if (same && same->general) {
		return;
	}
	Node *arg = arena_array(o->e->arena, Node, read->n + 1);
	for (uint32_t k = 0; k < read->n; k++) {
		Axis axis = core_index_axis(c, core_def(c, read->ref)->index[k]);
		bool moved = same && same->arg[k] != read->arg[k];
		arg[k] = moved ? core_index_value(c, core_index(c, axis, 0)) : read->arg[k];
	}
	Open open = {o->open, read->ref, arg, same != NULL};
	o->open = &open;
	for (uint32_t p = 0; p < npiece; p++) {
		collect(o, core_open(c, read->ref, p, arg, NULL), asked || npiece > 1, depth + 1);
	}
	o->open = open.outer;
}

/* Reads of the set inside a body, also inside the definitions that the body reads: their formals
 * stand for the arguments. */
static void collect(Order *o, Node n, bool asked, unsigned depth)
{
	Core *c = o->e->core;
	NodeInfo i = *core_node(c, n);
	if (!first_visit(o, n, asked)) {
		return;
	}
	if (i.tag == NODE_READ) {
		size_t of = member(o, i.ref);
		DefRole role = core_def(c, i.ref)->role;
		uint32_t npiece =
			role == DEF_REDUCTION || role == DEF_VALUE ? core_def(c, i.ref)->npiece : 0;
		if (of < o->n) {
			add_read(o, &i, of, asked);
		} else if (npiece && depth < ORDER_DEPTH && reaches_set(o, n)) {
			collect_inside(o, &i, npiece, asked, depth);
		}
	}
	bool choice = i.tag == NODE_SELECT || i.tag == NODE_GUARD;
	for (uint32_t k = 0; k < i.n; k++) {
		collect(o, i.arg[k], asked || (choice && k > 0), depth);
	}
}

/* One axis along which nothing moves both ways and something moves. */
static bool settle_one(Order *o)
{
	Core *c = o->e->core;
	for (uint32_t p = 0; p < o->rank; p++) {
		bool back = false, ahead = false, any = false;
		for (size_t k = 0; k < o->nread; k++) {
			if (!o->read[k].settled) {
				back = back || o->read[k].kind[p] == SHIFT_BACK;
				ahead = ahead || o->read[k].kind[p] == SHIFT_AHEAD;
				any = any || o->read[k].kind[p] == SHIFT_ANY;
			}
		}
		Axis axis = core_index_axis(c, core_def(c, o->def[0])->index[o->nctx + p]);
		bool periodic = core_axis_info(c, axis)->flags & AXIS_PERIODIC;
		if (any || back == ahead || periodic) {
			continue;
		}
		for (size_t k = 0; k < o->nread; k++) {
			o->read[k].settled = o->read[k].settled ||
					     o->read[k].kind[p] == SHIFT_BACK ||
					     o->read[k].kind[p] == SHIFT_AHEAD;
		}
		return true;
	}
	return false;
}

static bool moves(const Order *o, const Read *r)
{
	for (uint32_t p = 0; p < o->rank; p++) {
		if (r->kind[p] == SHIFT_BACK || r->kind[p] == SHIFT_AHEAD) {
			return true;
		}
	}
	return false;
}

/* What is read within one step must not go round: h[t] needs r[t] needs h[t]. */
static bool rest_is_ordered(Order *o)
{
	size_t n = o->n;
	bool *needs = arena_array(o->e->arena, bool, n *n + 1);
	for (size_t k = 0; k < o->nread; k++) {
		if (!o->read[k].settled) {
			needs[o->read[k].by * n + o->read[k].of] = true;
		}
	}
	for (size_t k = 0; k < n; k++) {
		for (size_t i = 0; i < n; i++) {
			for (size_t j = 0; needs[i * n + k] && j < n; j++) {
				needs[i * n + j] = needs[i * n + j] || needs[k * n + j];
			}
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (needs[i * n + i]) {
			return false;
		}
	}
	return true;
}

static bool has_place(const Order *o, size_t of, uint32_t p, int64_t at)
{
	const DefInfo *d = core_def(o->e->core, o->def[of]);
	for (uint32_t k = 0; k < d->npiece; k++) {
		int64_t fixed;
		if (fixed_at(d->piece[k].box, o->nctx + p, &fixed) && fixed == at) {
			return true;
		}
	}
	return false;
}

/* The first place, going by `step` from the end of the axis, that the definition has no value of
 * its own for. */
static int64_t begins_at(const Order *o, size_t of, uint32_t p, int64_t end, int64_t step,
			 int64_t size)
{
	int64_t at = end;
	while (size-- > 0 && has_place(o, of, p, at)) {
		at += step;
	}
	return at;
}

/* The corner where two axes are left at once has a value of its own? */
static bool has_corner(const Order *o, size_t of, const uint32_t *p, const int64_t *at)
{
	const DefInfo *d = core_def(o->e->core, o->def[of]);
	for (uint32_t k = 0; k < d->npiece; k++) {
		int64_t one, two;
		if (fixed_at(d->piece[k].box, o->nctx + p[0], &one) && one == at[0] &&
		    fixed_at(d->piece[k].box, o->nctx + p[1], &two) && two == at[1]) {
			return true;
		}
	}
	return false;
}

/* Places at..last, by steps away from the axis, that a read leaves its axis for. */
typedef struct Beyond {
	int64_t at, step;
	uint64_t n;
} Beyond;

static Beyond beyond(const Order *o, const Read *r, uint32_t p)
{
	Core *c = o->e->core;
	Index own = core_def(c, o->def[r->by])->index[o->nctx + p];
	const AxisInfo *axis = core_axis_info(c, core_index_axis(c, own));
	int64_t size = axis->size, first = axis->first, last = first + size - 1;
	bool back = r->kind[p] == SHIFT_BACK, ahead = r->kind[p] == SHIFT_AHEAD;
	if (!r->general[p] || (!back && !ahead) || size == 0 || (axis->flags & AXIS_PERIODIC) ||
	    (size < 0 && ahead)) {
		return (Beyond){0};
	}
	int64_t step = back ? 1 : -1, end = back ? first : last;
	int64_t begin = begins_at(o, r->by, p, end, step, size < 0 ? STAND_IN_SIZE : size);
	int64_t far = begin + r->shift[p], count = back ? end - far : far - end;
	return (Beyond){end - step, -step, count > 0 ? (uint64_t)count : 0};
}

static bool corners(const Order *o, const Read *r, uint32_t p, Beyond one, Missing *missing)
{
	for (uint32_t q = p + 1; q < o->rank; q++) {
		Beyond two = beyond(o, r, q);
		for (uint64_t i = 0; i < one.n; i++) {
			for (uint64_t j = 0; j < two.n; j++) {
				Missing m = {r->of,
					     2,
					     {p, q},
					     {one.at + (int64_t)i * one.step,
					      two.at + (int64_t)j * two.step}};
				if (!has_corner(o, r->of, m.axis, m.at)) {
					*missing = m;
					return false;
				}
			}
		}
	}
	return true;
}

/* The places that the general pieces begin to read, beside the axis, must have values of their own;
 * so must the corners beside two axes. */
static bool begins(const Order *o, Missing *missing)
{
	for (size_t k = 0; k < o->nread; k++) {
		const Read *r = &o->read[k];
		for (uint32_t p = 0; p < o->rank && !r->asked; p++) {
			Beyond b = beyond(o, r, p);
			for (uint64_t i = 0; i < b.n; i++) {
				int64_t at = b.at + (int64_t)i * b.step;
				if (!has_place(o, r->of, p, at)) {
					*missing = (Missing){r->of, 1, {p, 0}, {at, 0}};
					return false;
				}
			}
			if (!corners(o, r, p, b, missing)) {
				return false;
			}
		}
	}
	return true;
}

/* Why the reads that are left cannot be ordered; NULL if they can. */
static const char *left_over(Order *o)
{
	if (rest_is_ordered(o)) {
		return NULL;
	}
	for (size_t k = 0; k < o->nread; k++) {
		const Read *r = &o->read[k];
		bool zero = true;
		for (uint32_t p = 0; p < o->rank; p++) {
			zero = zero && r->kind[p] == SHIFT_ZERO;
		}
		if (r->settled) {
			continue;
		}
		if (moves(o, r)) {
			return "it reads itself at smaller and at larger places";
		}
		if (o->n == 1) {
			return zero ? "it needs its own value at the same place"
				    : "it reads itself at places that are not a shift of its index";
		}
	}
	return "its definitions need each other at the same place";
}

bool elab_check_order(Elab *e, size_t ndef, const Def *def, uint32_t nctx, const char **why,
		      Missing *missing)
{
	Order o = {.e = e, .n = ndef, .def = def, .nctx = nctx, .rank = ORDER_AXES};
	for (size_t i = 0; i < ndef; i++) {
		uint32_t r = core_def(e->core, def[i])->nindex - nctx;
		o.rank = r < o.rank ? r : o.rank;
	}
	for (size_t i = 0; i < ndef; i++) {
		DefInfo d = *core_def(e->core, def[i]);
		for (uint32_t p = 0; p < d.npiece; p++) {
			o.by = i;
			o.formal = d.index + nctx;
			o.box = d.piece[p].box;
			o.seen = NULL;
			o.capseen = 0;
			collect(&o, d.piece[p].value, false, 0);
		}
	}
	while (settle_one(&o)) {
	}
	*why = left_over(&o);
	return !*why && begins(&o, missing);
}
