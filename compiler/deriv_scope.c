/* deriv_scope.c — what depends on the variables of a derivative, and how their indices pass
 * through; order inside cycles. */
#include "compiler/deriv_int.h"

#include <assert.h>
#include <string.h>

void scope_begin(Scope *s, Deriv *dv, uint32_t nvar, const Def *var)
{
	*s = (Scope){.dv = dv, .nvar = nvar, .var = var};
	if (nvar == 1) {
		uint32_t rank = core_def(dv->c, var[0])->nindex;
		s->npos = rank < 64 ? rank : 0;
	}
}

bool scope_is_var(const Scope *s, Def d)
{
	for (uint32_t k = 0; k < s->nvar; k++) {
		if (s->var[k] == d) {
			return true;
		}
	}
	return false;
}

static Mark *mark_at(Scope *s, Def d)
{
	if (d >= s->nmark) {
		uint32_t cap = core_def_count(s->dv->c) + 64;
		cap = cap < 2 * s->nmark ? 2 * s->nmark : cap;
		assert(cap > d);
		Mark *grown = arena_array(s->dv->a, Mark, cap);
		if (s->nmark) {
			memcpy(grown, s->mark, s->nmark * sizeof *grown);
		}
		s->mark = grown;
		s->nmark = cap;
	}
	return &s->mark[d];
}

/* First guess: nothing passes, every index does. The truth is reached from there by lowering. */
static void mark_start(Scope *s, Def d)
{
	uint64_t *mask = arena_array(s->dv->a, uint64_t, s->npos + 1);
	bool var = scope_is_var(s, d);
	for (uint32_t p = 0; p < s->npos; p++) {
		mask[p] = var ? UINT64_C(1) << p : UINT64_MAX;
	}
	*mark_at(s, d) = (Mark){.known = true, .active = var, .mask = mask};
}

static uint64_t mask_through(Scope *s, Def d, Node read, uint64_t mask)
{
	const NodeInfo *p = core_node(s->dv->c, read);
	const DefInfo *info = core_def(s->dv->c, d);
	uint64_t out = 0;
	for (uint32_t q = 0; q < p->n && q < 64; q++) {
		Index i = mask >> q & 1 ? deriv_plain(s->dv, p->arg[q]) : 0;
		for (uint32_t j = 0; i && j < info->nindex && j < 64; j++) {
			out |= info->index[j] == i ? UINT64_C(1) << j : 0;
		}
	}
	return out;
}

static bool mark_update(Scope *s, Def d)
{
	if (scope_is_var(s, d) || core_def(s->dv->c, d)->kind != KIND_REAL) {
		return false;
	}
	const Node *read;
	uint32_t n = deriv_reads(s->dv, d, &read);
	bool changed = false;
	for (uint32_t k = 0; k < n; k++) {
		Mark of = *mark_at(s, core_node(s->dv->c, read[k])->ref), *m = mark_at(s, d);
		if (!of.active) {
			continue;
		}
		changed |= !m->active;
		m->active = true;
		for (uint32_t p = 0; p < s->npos; p++) {
			uint64_t mask = m->mask[p] & mask_through(s, d, read[k], of.mask[p]);
			changed |= mask != m->mask[p];
			m->mask[p] = mask;
		}
	}
	return changed;
}

typedef struct Visit {
	Def def;
	uint32_t next;
} Visit;

const Mark *scope_mark(Scope *s, Def d)
{
	if (mark_at(s, d)->known) {
		return mark_at(s, d);
	}
	Arena *a = s->dv->a;
	Visit *stack = NULL;
	Def *order = NULL;
	size_t n = 0, cap = 0, norder = 0, ordercap = 0;
	mark_start(s, d);
	ARENA_PUSH(a, stack, n, cap, ((Visit){d, 0}));
	while (n) {
		Visit *top = &stack[n - 1];
		const Node *read = NULL;
		uint32_t nread =
			scope_is_var(s, top->def) ? 0 : deriv_reads(s->dv, top->def, &read);
		if (top->next == nread) {
			ARENA_PUSH(a, order, norder, ordercap, top->def);
			n--;
			continue;
		}
		Def of = core_node(s->dv->c, read[top->next++])->ref;
		if (!mark_at(s, of)->known) {
			mark_start(s, of);
			ARENA_PUSH(a, stack, n, cap, ((Visit){of, 0}));
		}
	}
	for (bool changed = true; changed;) {
		changed = false;
		for (size_t k = 0; k < norder; k++) {
			changed |= mark_update(s, order[k]);
		}
	}
	return mark_at(s, d);
}

bool scope_active(Scope *s, Node n)
{
	Sub sub = deriv_sub(s->dv, n, SUB_PASSING);
	for (uint32_t k = 0; k < sub.n; k++) {
		const NodeInfo *p = core_node(s->dv->c, sub.node[k]);
		if (p->tag == NODE_READ && p->kind == KIND_REAL && scope_mark(s, p->ref)->active) {
			return true;
		}
	}
	return false;
}

/* ---- cycles ---- */

static bool read_shifts(Deriv *dv, Node read)
{
	const NodeInfo *p = core_node(dv->c, read);
	for (uint32_t k = 0; k < p->n; k++) {
		if (!deriv_plain(dv, p->arg[k])) {
			return true;
		}
	}
	return false;
}

typedef struct Cycle {
	uint32_t n;
	const Def *member;
	uint32_t *place; /* by definition: 1 + position in member */
	bool *named, *done;
} Cycle;

/* Is everything that member k reads without a name there already? */
static bool cycle_ready(Deriv *dv, const Cycle *y, uint32_t k)
{
	const Node *read;
	uint32_t n = deriv_reads(dv, y->member[k], &read);
	for (uint32_t r = 0; r < n; r++) {
		uint32_t at = y->place[core_node(dv->c, read[r])->ref];
		if (at && !y->done[at - 1] && !y->named[at - 1]) {
			return false;
		}
	}
	return true;
}

void deriv_cycle_order(Deriv *dv, uint32_t n, Def *member, bool *named)
{
	if (n <= 1) { /* the usual case: only a definition that reads itself is a cycle */
		const Node *read;
		uint32_t nread = n ? deriv_reads(dv, member[0], &read) : 0;
		for (uint32_t k = 0; k < nread; k++) {
			named[0] |= core_node(dv->c, read[k])->ref == member[0];
		}
		return;
	}
	Cycle y = {.n = n,
		   .member = member,
		   .named = arena_array(dv->a, bool, n),
		   .done = arena_array(dv->a, bool, n)};
	y.place = arena_array(dv->a, uint32_t, core_def_count(dv->c) + 1);
	for (uint32_t k = 0; k < n; k++) {
		y.place[member[k]] = k + 1;
	}
	for (uint32_t k = 0; k < n; k++) {
		const Node *read;
		uint32_t nread = deriv_reads(dv, member[k], &read);
		for (uint32_t r = 0; r < nread; r++) {
			uint32_t at = y.place[core_node(dv->c, read[r])->ref];
			if (at && (read_shifts(dv, read[r]) || at - 1 == k)) {
				y.named[at - 1] = true;
			}
		}
	}
	Def *order = arena_array(dv->a, Def, n);
	bool *name = arena_array(dv->a, bool, n);
	for (uint32_t got = 0; got < n;) {
		uint32_t before = got;
		for (uint32_t k = 0; k < n; k++) {
			if (!y.done[k] && cycle_ready(dv, &y, k)) {
				y.done[k] = true;
				name[got] = y.named[k];
				order[got++] = member[k];
			}
		}
		for (uint32_t k = 0; got == before && k < n; k++) {
			if (!y.done[k] &&
			    !y.named[k]) { /* a cycle without a shift: somebody needs a name */
				y.named[k] = true;
				break;
			}
		}
	}
	memcpy(member, order, n * sizeof *order);
	memcpy(named, name, n * sizeof *name);
}
