/* core_walk.c — passes over nodes and over the graph of definitions: rewriting, substitution, reachability, copies.
 * Keeps: everything is iterative, so depth costs heap and never stack. */
#include "lang/core_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- nodes ---- */

uint32_t core_free(Core *c, Node n, const Index **out)
{
	assert(n && n <= c->nnode);
	const NodeCell *cell = core_cell(c, n);
	*out = cell->free;
	return cell->nfree;
}

bool core_has_index(Core *c, Node n, Index i)
{
	const NodeCell *cell = core_cell(c, n);
	for (uint32_t k = 0; k < cell->nfree; k++) {
		if (cell->free[k] == i) {
			return true;
		}
	}
	return false;
}

/* A sum of new terms; coefficients as they were. */
static Node rebuild_lin(Core *c, const NodeInfo *p, const Node *arg)
{
	Node sum = core_lin(c, (Kind)p->kind, p->kind == KIND_INT ? 0 : p->num, p->n, p->coef, arg);
	return p->kind == KIND_INT && p->integer != 0 ? core_add(c, sum, core_int_const(c, p->integer)) : sum;
}

static Node rebuild_prod(Core *c, const NodeInfo *p, const Node *arg)
{
	Node product = 0;
	for (uint32_t k = 0; k < p->n; k++) {
		if (core_is_zero(c, arg[k]) && p->expo[k] > 0) {
			return core_zero(c, (Kind)p->kind);
		}
		Node power = core_powi(c, arg[k], p->expo[k]);
		product = product ? core_mul(c, product, power) : power;
	}
	return product;
}

Node core_rebuild(Core *c, Node n, const Node *new_args)
{
	const NodeInfo *p = core_node(c, n);
	enum { SMALL = 16 };
	Node small[SMALL], *arg = p->n <= SMALL ? small : arena_array(c->arena, Node, p->n);
	bool changed = false;
	for (uint32_t k = 0; k < p->n; k++) {
		arg[k] = new_args[k] ? new_args[k] : p->arg[k];
		changed |= arg[k] != p->arg[k];
	}
	/* conditions are decided again even over unchanged arguments: an axis may have got its size meanwhile */
	if (!changed && !(p->tag == NODE_OP && p->kind == KIND_BOOL)) {
		return n;
	}
	switch ((NodeTag)p->tag) {
	case NODE_READ:
		return core_read(c, p->ref, arg);
	case NODE_LIN:
		return rebuild_lin(c, p, arg);
	case NODE_PROD:
		return rebuild_prod(c, p, arg);
	case NODE_OP:
		return core_op(c, p->op, arg);
	case NODE_SELECT:
		return core_select(c, arg[0], arg[1], arg[2]);
	case NODE_GUARD:
		return core_guard(c, arg[0], arg[1]);
	case NODE_RANDOM:
		return core_random(c, p->op, p->integer, p->ref, p->n, arg);
	case NODE_STOP:
		return core_stop(c, arg[0]);
	case NODE_D:
		return core_d(c, arg[0], arg[1]);
	case NODE_NONE:
	case NODE_CONST:
	case NODE_INDEX:
	case NODE_SIZE:
		break;
	}
	return n;
}

static Node rebuild_from_memo(Core *c, const Memo *memo, Node n)
{
	const NodeInfo *p = core_node(c, n);
	enum { SMALL = 16 };
	Node small[SMALL], *arg = p->n <= SMALL ? small : arena_array(c->arena, Node, p->n);
	for (uint32_t k = 0; k < p->n; k++) {
		arg[k] = core_memo_get(memo, p->arg[k]);
		assert(arg[k]);
	}
	return core_rebuild(c, n, arg);
}

Node core_rewrite(Core *c, const Rewrite *r, Memo *memo, Node root)
{
	size_t base = c->nstack;
	core_stack_push(c, root);
	while (c->nstack > base) {
		Node n = c->stack[c->nstack - 1];
		if (core_memo_get(memo, n)) {
			c->nstack--;
			continue;
		}
		Node answer = r->enter ? r->enter(r->data, c, n) : 0;
		if (!answer) {
			const NodeInfo *p = core_node(c, n);
			bool ready = true;
			for (uint32_t k = p->n; k-- > 0;) {
				if (!core_memo_get(memo, p->arg[k])) {
					core_stack_push(c, p->arg[k]);
					ready = false;
				}
			}
			if (!ready) {
				continue;
			}
			answer = rebuild_from_memo(c, memo, n);
			answer = r->leave ? r->leave(r->data, c, answer) : answer;
		}
		core_memo_set(c, memo, n, answer);
		c->nstack--;
	}
	return core_memo_get(memo, root);
}

typedef struct Subst {
	uint32_t n;
	const Index *from;
	const Node *to;
} Subst;

static Node subst_enter(void *data, Core *c, Node n)
{
	const Subst *s = data;
	const NodeCell *cell = core_cell(c, n);
	for (uint32_t k = 0; k < cell->nfree; k++) {
		for (uint32_t q = 0; q < s->n; q++) {
			if (cell->free[k] == s->from[q]) {
				return cell->info.tag == NODE_INDEX ? s->to[q] : 0;
			}
		}
	}
	return n;
}

Node core_subst(Core *c, Node n, uint32_t count, const Index *from, const Node *to)
{
	bool identity = true;
	for (uint32_t k = 0; k < count; k++) {
		identity = identity && c->index[from[k]].value == to[k];
	}
	if (identity || core_cell(c, n)->nfree == 0) {
		return n;
	}
	Subst s = {count, from, to};
	Rewrite r = {.enter = subst_enter, .data = &s};
	Memo *memo = core_memo_take(c);
	Node made = core_rewrite(c, &r, memo, n);
	core_memo_give(c, memo);
	return made;
}

/* ---- definitions ---- */

void core_collect_reads(Core *c, Memo *seen, Node root)
{
	size_t base = c->nstack, keep = base;
	core_stack_push(c, root);
	size_t cap = 0, n = 0;
	Def *found = NULL;
	while (c->nstack > keep) {
		Node at = c->stack[--c->nstack];
		if (core_memo_get(seen, at)) {
			continue;
		}
		core_memo_set(c, seen, at, at);
		const NodeInfo *p = core_node(c, at);
		if (p->tag == NODE_READ) {
			ARENA_PUSH(c->arena, found, n, cap, p->ref);
		}
		for (uint32_t k = p->n; k-- > 0;) {
			core_stack_push(c, p->arg[k]);
		}
	}
	for (size_t k = 0; k < n; k++) {
		core_stack_push(c, found[k]);
	}
}

static bool listed(const Def *set, uint32_t n, Def d)
{
	for (uint32_t k = 0; k < n; k++) {
		if (set[k] == d) {
			return true;
		}
	}
	return false;
}

static void push_lengths(Core *c, uint32_t n, const Index *index)
{
	for (uint32_t k = 0; k < n; k++) {
		Def length = c->axis[core_index_axis(c, index[k])].length;
		if (length) {
			core_stack_push(c, length);
		}
	}
}

const Def *core_def_reads(Core *c, Def d, uint32_t *n)
{
	DefCell *cell = core_def_cell(c, d);
	if (!cell->reads_known) {
		size_t base = c->nstack;
		Memo *seen = core_memo_take(c), *once = core_memo_take(c);
		for (uint32_t k = 0; k < cell->info.npiece; k++) {
			core_collect_reads(c, seen, cell->info.piece[k].value);
		}
		push_lengths(c, cell->info.nindex, cell->info.index);
		push_lengths(c, cell->info.nbound, cell->info.bound);
		size_t total = c->nstack - base;
		cell->reads = arena_array(c->arena, Def, total);
		cell->nread = 0;
		for (size_t k = 0; k < total; k++) {
			Def r = c->stack[base + k];
			bool self_length = r == d && !listed(cell->reads, cell->nread, r) && cell->info.npiece == 0;
			if (!core_memo_get(once, r) && !self_length) {
				core_memo_set(c, once, r, r);
				cell->reads[cell->nread++] = r;
			}
		}
		core_memo_give(c, once);
		core_memo_give(c, seen);
		c->nstack = base;
		cell->reads_known = true;
	}
	*n = cell->nread;
	return cell->reads;
}

/* Tarjan's strongly connected sets with an explicit stack of frames. */
typedef struct Frame {
	Def def;
	uint32_t next; /* read to look at */
} Frame;
typedef struct Reach {
	Core *c;
	Arena *a;
	uint32_t *number, *low; /* by definition; 0: not seen */
	bool *open;
	Def *pending;
	size_t npending, pendingcap;
	Frame *frame;
	size_t nframe, framecap;
	uint32_t counter, ncomponent;
	Def *order;
	uint32_t *component;
	size_t norder, ordercap, componentcap;
	const CoreMap *stop; /* definitions that it replaces are not looked into */
} Reach;

static void reach_open(Reach *r, Def d)
{
	r->number[d] = r->low[d] = ++r->counter;
	r->open[d] = true;
	ARENA_PUSH(r->a, r->pending, r->npending, r->pendingcap, d);
	ARENA_PUSH(r->a, r->frame, r->nframe, r->framecap, ((Frame){d, 0}));
}

static int def_order(const void *x, const void *y)
{
	Def a = *(const Def *)x, b = *(const Def *)y;
	return a < b ? -1 : a > b;
}

static void reach_close(Reach *r, Def d)
{
	size_t lo = r->npending;
	do {
		lo--;
	} while (r->pending[lo] != d);
	r->ncomponent++;
	qsort(r->pending + lo, r->npending - lo, sizeof *r->pending, def_order);
	for (size_t k = lo; k < r->npending; k++) {
		r->open[r->pending[k]] = false;
		size_t n = r->norder;
		ARENA_PUSH(r->a, r->order, r->norder, r->ordercap, r->pending[k]);
		ARENA_PUSH(r->a, r->component, n, r->componentcap, r->ncomponent - 1);
	}
	r->npending = lo;
}

static void reach_from(Reach *r, Def root)
{
	if (r->number[root]) {
		return;
	}
	reach_open(r, root);
	while (r->nframe) {
		Frame *f = &r->frame[r->nframe - 1];
		uint32_t n;
		const Def *reads = core_def_reads(r->c, f->def, &n);
		if (f->next < n) {
			Def to = reads[f->next++];
			if (!r->number[to]) {
				reach_open(r, to);
			} else if (r->open[to] && r->number[to] < r->low[f->def]) {
				r->low[f->def] = r->number[to];
			}
			continue;
		}
		Def d = f->def;
		r->nframe--;
		if (r->low[d] == r->number[d]) {
			reach_close(r, d);
		} else {
			assert(r->nframe);
			Def up = r->frame[r->nframe - 1].def;
			r->low[up] = r->low[d] < r->low[up] ? r->low[d] : r->low[up];
		}
	}
}

uint32_t core_reach(Core *c, Arena *scratch, uint32_t nroot, const Node *root, Def **order, uint32_t **component)
{
	Reach r = {.c = c, .a = scratch};
	r.number = arena_array(scratch, uint32_t, c->ndef + 1);
	r.low = arena_array(scratch, uint32_t, c->ndef + 1);
	r.open = arena_array(scratch, bool, c->ndef + 1);
	Memo *seen = core_memo_take(c);
	size_t base = c->nstack;
	for (uint32_t k = 0; k < nroot; k++) {
		if (root[k]) {
			core_collect_reads(c, seen, root[k]);
		}
		for (size_t q = base; q < c->nstack; q++) {
			reach_from(&r, c->stack[q]);
		}
		c->nstack = base;
	}
	core_memo_give(c, seen);
	*order = r.order;
	if (component) {
		*component = r.component;
	}
	return (uint32_t)r.norder;
}

/* ---- dependence ---- */

static DependsMemo *depends_memo(Core *c, Def on)
{
	for (size_t k = 0; k < c->ndepends; k++) {
		if (c->depends[k].on == on) {
			return &c->depends[k];
		}
	}
	ARENA_PUSH(c->arena, c->depends, c->ndepends, c->dependscap, ((DependsMemo){.on = on}));
	return &c->depends[c->ndepends - 1];
}

static bool any_reaches(Core *c, const DependsMemo *m, Def d)
{
	uint32_t n;
	const Def *reads = core_def_reads(c, d, &n);
	for (uint32_t k = 0; k < n; k++) {
		if (reads[k] <= m->upto && m->reaches[reads[k]]) {
			return true;
		}
	}
	return false;
}

/* Definitions read earlier ones unless pieces were set later; then passes are repeated until nothing changes. */
static void depends_update(Core *c, DependsMemo *m)
{
	if (m->version != c->version) {
		m->upto = 0;
		m->version = c->version;
	}
	if (m->upto == c->ndef) {
		return;
	}
	if (c->ndef + 1 > m->cap) {
		uint32_t cap = 2 * (c->ndef + 1);
		bool *more = arena_array(c->arena, bool, cap);
		if (m->upto) {
			memcpy(more, m->reaches, m->upto + 1);
		}
		m->reaches = more;
		m->cap = cap;
	}
	uint32_t from = m->upto + 1;
	m->upto = c->ndef;
	memset(m->reaches + from, 0, c->ndef + 1 - from);
	for (bool changed = true; changed;) {
		changed = false;
		for (Def d = from; d <= c->ndef; d++) {
			if (!m->reaches[d] && (d == m->on || any_reaches(c, m, d))) {
				m->reaches[d] = changed = true;
			}
		}
	}
}

bool core_depends(Core *c, Node n, Def on)
{
	DependsMemo *m = depends_memo(c, on);
	depends_update(c, m);
	Memo *seen = core_memo_take(c);
	size_t base = c->nstack;
	core_collect_reads(c, seen, n);
	bool found = false;
	for (size_t k = base; k < c->nstack; k++) {
		found = found || m->reaches[c->stack[k]];
	}
	c->nstack = base;
	core_memo_give(c, seen);
	return found;
}
