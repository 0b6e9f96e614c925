/* elab_order.c — can a recurrence be run? An axis along which every read of the set goes one way is run along; reads that
 * move along it are then settled, and the rest must order along another axis, and so on. SPEC: recurrences. */
#include "lang/elab_int.h"

#include <string.h>

typedef enum { SHIFT_ZERO, SHIFT_BACK, SHIFT_AHEAD, SHIFT_ANY } ShiftKind;
typedef struct Read { uint32_t n; ShiftKind kind[16]; int64_t shift[16]; bool settled; } Read;
typedef struct Order {
	Elab *e;
	size_t ndef;      /* reads of these are collected */
	const Def *def;
	size_t nall;      /* the whole set: its members are never looked into */
	const Def *all;
	uint32_t nctx, rank; /* rank: own positions that all definitions share */
	Read *read;
	size_t n, cap;
} Order;

static ShiftKind shift_of(Core *c, Node arg, Index formal, int64_t *shift)
{
	NodeInfo i = *core_node(c, arg);
	*shift = 0;
	if (i.tag == NODE_INDEX) {
		return i.ref == formal ? SHIFT_ZERO : SHIFT_ANY;
	}
	if (i.tag == NODE_LIN && i.n == 1 && i.coef[0] == 1) {
		NodeInfo base = *core_node(c, i.arg[0]);
		if (base.tag == NODE_INDEX && base.ref == formal) {
			*shift = (int64_t)i.num;
			return i.num < 0 ? SHIFT_BACK : i.num > 0 ? SHIFT_AHEAD : SHIFT_ZERO;
		}
	}
	return SHIFT_ANY;
}

static bool member(const Order *o, Def d)
{
	for (size_t i = 0; i < o->ndef; i++) {
		if (o->def[i] == d) {
			return true;
		}
	}
	return false;
}

/* Reads of the set inside a body, also inside the reductions that the body reads: their formals stand for the arguments. */
static void collect(Order *o, Node n, const Index *formal, unsigned depth)
{
	Core *c = o->e->core;
	NodeInfo i = *core_node(c, n);
	if (i.tag == NODE_READ && member(o, i.ref)) {
		Read r = {.n = o->rank};
		for (uint32_t p = 0; p < o->rank; p++) {
			r.kind[p] = shift_of(c, i.arg[o->nctx + p], formal[p], &r.shift[p]);
		}
		ARENA_PUSH(o->e->arena, o->read, o->n, o->cap, r);
	} else if (i.tag == NODE_READ && depth < 64) {
		const DefInfo *d = core_def(c, i.ref);
		uint32_t npiece = d->role == DEF_REDUCTION || d->role == DEF_VALUE ? d->npiece : 0;
		for (size_t k = 0; k < o->nall; k++) {
			npiece = o->all[k] == i.ref ? 0 : npiece;
		}
		bool any = false;
		for (size_t k = 0; npiece && k < o->ndef && !any; k++) {
			any = core_depends(c, n, o->def[k]);
		}
		for (uint32_t p = 0; any && p < npiece; p++) {
			collect(o, core_open(c, i.ref, p, i.arg, NULL), formal, depth + 1);
		}
	}
	for (uint32_t k = 0; k < i.n; k++) {
		collect(o, i.arg[k], formal, depth);
	}
}

/* One axis along which nothing moves both ways and something moves. */
static bool settle_one(Order *o)
{
	for (uint32_t p = 0; p < o->rank; p++) {
		bool back = false, ahead = false, any = false;
		for (size_t k = 0; k < o->n; k++) {
			if (!o->read[k].settled) {
				back = back || o->read[k].kind[p] == SHIFT_BACK;
				ahead = ahead || o->read[k].kind[p] == SHIFT_AHEAD;
				any = any || o->read[k].kind[p] == SHIFT_ANY;
			}
		}
		Axis axis = core_index_axis(o->e->core, core_def(o->e->core, o->def[0])->index[o->nctx + p]);
		bool periodic = core_axis_info(o->e->core, axis)->flags & AXIS_PERIODIC;
		if (any || back == ahead || periodic) {
			continue;
		}
		for (size_t k = 0; k < o->n; k++) {
			o->read[k].settled = o->read[k].settled || o->read[k].kind[p] == SHIFT_BACK || o->read[k].kind[p] == SHIFT_AHEAD;
		}
		return true;
	}
	return false;
}

/* Reads at zero shift inside one step must not go round: h[t] needs r[t] needs h[t]. */
static bool rest_is_ordered(Order *o)
{
	Core *c = o->e->core;
	size_t n = o->ndef;
	bool *needs = arena_array(o->e->arena, bool, n * n + 1);
	for (size_t i = 0; i < n; i++) {
		const DefInfo d = *core_def(c, o->def[i]);
		for (uint32_t p = 0; p < d.npiece; p++) {
			for (size_t j = 0; j < n; j++) {
				Order one = *o;
				one.read = NULL;
				one.n = one.cap = 0;
				one.ndef = 1;
				one.def = &o->def[j];
				collect(&one, d.piece[p].value, d.index + o->nctx, 0);
				for (size_t k = 0; k < one.n; k++) {
					bool zero = true;
					for (uint32_t q = 0; q < o->rank; q++) {
						zero = zero && one.read[k].kind[q] != SHIFT_BACK && one.read[k].kind[q] != SHIFT_AHEAD;
					}
					needs[i * n + j] = needs[i * n + j] || zero;
				}
			}
		}
	}
	for (size_t k = 0; k < n; k++) {
		for (size_t i = 0; i < n; i++) {
			for (size_t j = 0; j < n; j++) {
				needs[i * n + j] = needs[i * n + j] || (needs[i * n + k] && needs[k * n + j]);
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

/* The places that the general piece begins to read must have values of their own. */
static bool begins(Order *o, int64_t *missing)
{
	Core *c = o->e->core;
	for (uint32_t p = 0; p < o->rank; p++) {
		int64_t deepest = 0;
		for (size_t k = 0; k < o->n; k++) {
			int64_t s = o->read[k].shift[p];
			deepest = o->read[k].kind[p] == SHIFT_BACK && -s > deepest ? -s : deepest;
		}
		DefInfo d = *core_def(c, o->def[0]);
		const AxisInfo *axis = core_axis_info(c, core_index_axis(c, d.index[o->nctx + p]));
		if (!deepest || axis->size == 0) {
			continue;
		}
		int64_t first = axis->first;
		for (bool moved = true; moved;) { /* the first place that no fixed piece defines */
			moved = false;
			for (uint32_t k = 0; k < d.npiece; k++) {
				const Range *box = d.piece[k].box;
				if (box && box[o->nctx + p].lo.kind == EDGE_AT && box[o->nctx + p].lo.offset == first) {
					first++;
					moved = true;
				}
			}
		}
		for (int64_t back = 1; back <= deepest; back++) {
			bool have = false;
			for (uint32_t k = 0; k < d.npiece && !have; k++) {
				const Range *box = d.piece[k].box;
				have = box && box[o->nctx + p].lo.kind == EDGE_AT && box[o->nctx + p].lo.offset == first - back;
			}
			if (!have && o->ndef == 1) {
				*missing = first - back;
				return false;
			}
		}
	}
	return true;
}

bool elab_check_order(Elab *e, size_t ndef, const Def *def, uint32_t nctx, const char **why, int64_t *missing)
{
	Order o = {.e = e, .ndef = ndef, .def = def, .nall = ndef, .all = def, .nctx = nctx};
	o.rank = core_def(e->core, def[0])->nindex - nctx;
	for (size_t i = 0; i < ndef; i++) {
		uint32_t r = core_def(e->core, def[i])->nindex - nctx;
		o.rank = r < o.rank ? r : o.rank;
	}
	o.rank = o.rank > 16 ? 16 : o.rank;
	for (size_t i = 0; i < ndef; i++) {
		DefInfo d = *core_def(e->core, def[i]);
		for (uint32_t p = 0; p < d.npiece; p++) {
			collect(&o, d.piece[p].value, d.index + nctx, 0);
		}
	}
	while (settle_one(&o)) {
	}
	for (size_t k = 0; k < o.n; k++) {
		bool zero = true, moves = false;
		for (uint32_t p = 0; p < o.rank; p++) {
			zero = zero && o.read[k].kind[p] == SHIFT_ZERO;
			moves = moves || o.read[k].kind[p] == SHIFT_BACK || o.read[k].kind[p] == SHIFT_AHEAD;
		}
		if (!o.read[k].settled && (moves || (ndef == 1 && !zero))) {
			*why = moves ? "it reads itself at smaller and at larger places" : "it reads itself at places that are not a shift of its index";
			return false;
		}
		if (!o.read[k].settled && ndef == 1 && zero) {
			*why = "it needs its own value at the same place";
			return false;
		}
	}
	if (ndef > 1 && !rest_is_ordered(&o)) {
		*why = "its definitions need each other at the same place";
		return false;
	}
	return begins(&o, missing);
}
