/* core_graph.c — passes over the graph of definitions: what reads what, strongly connected sets,
 * dependence, copies. Keeps: everything is iterative, so depth costs heap and never stack; results
 * depend on numbers of definitions only. */
#include "lang/core_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- reads ---- */

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
		for (uint32_t k = 0; cell->info.rule && k < cell->info.rule->n; k++) {
			core_collect_reads(c, seen, cell->info.rule->arg[k]);
			core_collect_reads(c, seen, cell->info.rule->partial[k]);
		}
		push_lengths(c, cell->info.nindex, cell->info.index);
		push_lengths(c, cell->info.nbound, cell->info.bound);
		size_t total = c->nstack - base;
		cell->reads = arena_array(c->arena, Def, total);
		cell->nread = 0;
		for (size_t k = 0; k < total; k++) {
			Def r = c->stack[base + k];
			bool self_length = r == d && !listed(cell->reads, cell->nread, r) &&
					   cell->info.npiece == 0;
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
	Def *image;          /* what it answered */
} Reach;

static void reach_open(Reach *r, Def d)
{
	r->number[d] = r->low[d] = ++r->counter;
	r->open[d] = true;
	if (r->stop) {
		r->image[d] = r->stop->map(r->stop->data, r->c, d);
	}
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
		uint32_t n = 0;
		const Def *reads =
			r->stop && r->image[f->def] ? NULL : core_def_reads(r->c, f->def, &n);
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

uint32_t core_reach_stopped(Core *c, Arena *scratch, const CoreMap *stop, Def *image,
			    uint32_t nroot, const Node *root, Def **order, uint32_t **component)
{
	Reach r = {.c = c, .a = scratch, .stop = stop, .image = image};
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

uint32_t core_reach(Core *c, Arena *scratch, uint32_t nroot, const Node *root, Def **order,
		    uint32_t **component)
{
	return core_reach_stopped(c, scratch, NULL, NULL, nroot, root, order, component);
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

/* Definitions read earlier ones unless pieces were set later; then passes are repeated until
 * nothing changes. */
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

/* ---- copies ---- */

Def core_clone_head(Core *c, Arena *scratch, Def d, Index **from, Node **to)
{
	DefInfo info = *core_def(c, d);
	uint32_t n = info.nindex + info.nbound;
	Index *fresh = arena_array(scratch, Index, n);
	*from = arena_array(scratch, Index, n);
	*to = arena_array(scratch, Node, n);
	for (uint32_t k = 0; k < n; k++) {
		Index i = k < info.nindex ? info.index[k] : info.bound[k - info.nindex];
		fresh[k] = core_index_like(c, i);
		(*from)[k] = i;
		(*to)[k] = core_index_value(c, fresh[k]);
	}
	info.index = fresh;
	info.bound = fresh + info.nindex;
	info.npiece = 0;
	info.rule = NULL;
	return core_define(c, info);
}

typedef struct Copy {
	Core *c;
	Arena *scratch;
	Def *image; /* by definition: d itself if unchanged */
} Copy;

static Node copy_leave(void *data, Core *c, Node was, Node n)
{
	const Copy *k = data;
	const NodeInfo *p = core_node(c, was);
	if (p->tag != NODE_READ || k->image[p->ref] == p->ref) {
		return n;
	}
	return core_read(c, k->image[p->ref], core_node(c, n)->arg);
}

/* n over new index variables, then over new definitions. */
static Node copy_node(Copy *k, Node n, uint32_t count, const Index *from, const Node *to)
{
	n = core_subst(k->c, n, count, from, to);
	Rewrite r = {.leave = copy_leave, .data = k};
	Memo *memo = core_memo_take(k->c);
	n = core_rewrite(k->c, &r, memo, n);
	core_memo_give(k->c, memo);
	return n;
}

static bool reads_changed(Copy *k, const Def *set, uint32_t n)
{
	for (uint32_t s = 0; s < n; s++) {
		uint32_t nread;
		const Def *reads = core_def_reads(k->c, set[s], &nread);
		for (uint32_t q = 0; q < nread; q++) {
			if (k->image[reads[q]] && k->image[reads[q]] != reads[q]) {
				return true;
			}
		}
	}
	return false;
}

static void copy_pieces(Copy *k, Def d, Def copy, const Index *from, const Node *to)
{
	const DefInfo *info = core_def(k->c, d);
	uint32_t n = info->nindex + info->nbound;
	Piece *piece = arena_array(k->scratch, Piece, info->npiece);
	for (uint32_t p = 0; p < info->npiece; p++) {
		piece[p].box = info->piece[p].box;
		piece[p].value = copy_node(k, info->piece[p].value, n, from, to);
	}
	core_set_pieces(k->c, copy, info->npiece, piece);
	if (info->rule) {
		Rule *rule = arena_new(k->c->arena, Rule);
		rule->n = info->rule->n;
		rule->arg = arena_array(k->c->arena, Node, rule->n);
		rule->partial = arena_array(k->c->arena, Node, rule->n);
		for (uint32_t q = 0; q < rule->n; q++) {
			rule->arg[q] = copy_node(k, info->rule->arg[q], n, from, to);
			rule->partial[q] = copy_node(k, info->rule->partial[q], n, from, to);
		}
		core_def_mutable(k->c, copy)->rule = rule;
	}
}

/* One strongly connected set whose members that were not replaced are set[0..n). */
static void copy_set(Copy *k, const Def *set, uint32_t n)
{
	bool changed = reads_changed(k, set, n);
	Index **from = arena_array(k->scratch, Index *, n);
	Node **to = arena_array(k->scratch, Node *, n);
	for (uint32_t s = 0; s < n; s++) {
		k->image[set[s]] =
			changed ? core_clone_head(k->c, k->scratch, set[s], &from[s], &to[s])
				: set[s];
	}
	for (uint32_t s = 0; changed && s < n; s++) {
		copy_pieces(k, set[s], k->image[set[s]], from[s], to[s]);
	}
}

void core_copy(Core *c, Arena *scratch, const CoreMap *map, uint32_t nroot, Node *root)
{
	/* asking the map may make definitions: they are replacements and are not looked into */
	Copy k = {.c = c, .scratch = scratch, .image = arena_array(scratch, Def, c->ndef + 1)};
	Def *order;
	uint32_t *component,
		n = core_reach_stopped(c, scratch, map, k.image, nroot, root, &order, &component);
	Def *set = arena_array(scratch, Def, n);
	for (uint32_t lo = 0, hi; lo < n; lo = hi) {
		uint32_t count = 0;
		for (hi = lo; hi < n && component[hi] == component[lo]; hi++) {
			if (!k.image[order[hi]]) {
				set[count++] = order[hi];
			} else {
				assert(core_def(c, k.image[order[hi]])->nindex ==
				       core_def(c, order[hi])->nindex);
			}
		}
		copy_set(&k, set, count);
	}
	for (uint32_t r = 0; r < nroot; r++) {
		if (root[r]) {
			root[r] = copy_node(&k, root[r], 0, NULL, NULL);
		}
	}
}
