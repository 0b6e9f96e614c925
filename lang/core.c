/* core.c — axes, index variables and the table of nodes: interning, structural order, working
 * memory. Keeps: equal nodes are one node; arguments are numbered before their users; pointers to
 * nodes never move. */
#include "lang/core_int.h"

#include <assert.h>
#include <string.h>

Core *core_create(Arena *a, Intern *names)
{
	Core *c = arena_new(a, Core);
	c->arena = a;
	c->names = names;
	c->tablecap = 4096;
	c->table = arena_array(a, uint32_t, c->tablecap);
	ARENA_PUSH(a, c->axis, c->naxis, c->axiscap, (AxisInfo){0});
	ARENA_PUSH(a, c->canon, c->ncanon, c->canoncap, (CanonAxis){0});
	ARENA_PUSH(a, c->index, c->nindex, c->indexcap, (IndexCell){0});
	return c;
}

Arena *core_arena(Core *c)
{
	return c->arena;
}

Intern *core_names(Core *c)
{
	return c->names;
}

void core_at(Core *c, Span at)
{
	c->at = at;
}

/* ---- axes and index variables ---- */

Axis core_axis(Core *c, AxisInfo info)
{
	assert(info.size >= -1 && c->naxis < UINT32_MAX);
	if (info.nlabel) {
		info.label = arena_copy(c->arena, info.label, info.nlabel * sizeof *info.label,
					alignof(Sym));
	}
	ARENA_PUSH(c->arena, c->axis, c->naxis, c->axiscap, info);
	ARENA_PUSH(c->arena, c->canon, c->ncanon, c->canoncap, (CanonAxis){0});
	return (Axis)(c->naxis - 1);
}

Axis core_axis_anonymous(Core *c, int64_t size)
{
	for (size_t k = 1; k < c->naxis; k++) {
		if ((c->axis[k].flags & AXIS_ANONYMOUS) && c->axis[k].size == size) {
			return (Axis)k;
		}
	}
	AxisInfo info = {.first = 0, .size = size, .flags = AXIS_ANONYMOUS};
	return core_axis(c, info);
}

const AxisInfo *core_axis_info(const Core *c, Axis a)
{
	assert(a && a < c->naxis);
	return &c->axis[a];
}

void core_axis_resize(Core *c, Axis a, int64_t size)
{
	assert(a && a < c->naxis && size >= 0);
	c->axis[a].size = size;
}

uint32_t core_axis_count(const Core *c)
{
	return (uint32_t)c->naxis - 1;
}

static Index index_new(Core *c, Axis axis, Sym name, bool wide)
{
	assert(axis && axis < c->naxis);
	IndexCell cell = {.axis = axis, .name = name, .wide = wide};
	cell.rank = ((uint64_t)CANON_FAMILIES << 32) | c->nindex;
	ARENA_PUSH(c->arena, c->index, c->nindex, c->indexcap, cell);
	return (Index)(c->nindex - 1);
}

Index core_index(Core *c, Axis axis, Sym name)
{
	return index_new(c, axis, name, false);
}

Index core_index_wide(Core *c, Axis axis, Sym name)
{
	return index_new(c, axis, name, true);
}

Index core_index_like(Core *c, Index i)
{
	IndexCell cell = c->index[i];
	return index_new(c, cell.axis, cell.name, cell.wide);
}

Axis core_index_axis(const Core *c, Index i)
{
	assert(i && i < c->nindex);
	return c->index[i].axis;
}

Sym core_index_name(const Core *c, Index i)
{
	assert(i && i < c->nindex);
	return c->index[i].name;
}

/* ---- nodes ---- */

const NodeInfo *core_node(const Core *c, Node n)
{
	assert(n && n <= c->nnode);
	return &core_cell(c, n)->info;
}

uint32_t core_node_count(const Core *c)
{
	return c->nnode;
}

bool core_int_overflow(Core *c)
{
	bool was = c->int_overflow;
	c->int_overflow = false;
	return was;
}

uint64_t core_mix(uint64_t h, uint64_t x)
{
	h ^= x + 0x9e3779b97f4a7c15u + (h << 6) + (h >> 2);
	h ^= h >> 30;
	h *= 0xbf58476d1ce4e5b9u;
	h ^= h >> 27;
	h *= 0x94d049bb133111ebu;
	return h ^ (h >> 31);
}

static uint64_t bits_of(double v)
{
	uint64_t b;
	memcpy(&b, &v, sizeof b);
	return b;
}

static uint64_t hash_node(const NodeInfo *p)
{
	uint64_t h = core_mix(p->tag, ((uint64_t)p->kind << 32) | p->op);
	h = core_mix(h, bits_of(p->num));
	h = core_mix(h, (uint64_t)p->integer);
	h = core_mix(h, ((uint64_t)p->ref << 32) | p->n);
	for (uint32_t k = 0; k < p->n; k++) {
		h = core_mix(h, p->arg[k]);
		if (p->coef) {
			h = core_mix(h, bits_of(p->coef[k]));
		}
		if (p->expo) {
			h = core_mix(h, (uint64_t)(int64_t)p->expo[k]);
		}
	}
	return h;
}

static bool commutes(const NodeInfo *p)
{
	if (p->tag != NODE_OP) {
		return p->tag == NODE_LIN || p->tag == NODE_PROD;
	}
	return p->op == OP_ieq || p->op == OP_ine || p->op == OP_eq || p->op == OP_ne ||
	       p->op == OP_beq || p->op == OP_imin || p->op == OP_imax || p->op == OP_band ||
	       p->op == OP_bor;
}

static bool is_chain(const NodeInfo *p)
{
	return p->tag == NODE_OP && (p->op == OP_and || p->op == OP_or || p->op == OP_bxor);
}

uint64_t core_hash_with(const Core *c, const NodeInfo *p, uint64_t ref, CoreHash *child,
			const void *data)
{
	uint64_t h = core_mix(p->tag, ((uint64_t)p->kind << 32) | p->op);
	h = core_mix(h, bits_of(p->num));
	h = core_mix(h, (uint64_t)p->integer);
	if (is_chain(p)) {
		/* the sum over all operands of the chain, so that their order does not count */
		const NodeInfo *rest = core_node(c, p->arg[1]);
		uint64_t more = child(data, c, p->arg[1]);
		bool same = is_chain(rest) && rest->op == p->op;
		return h + core_mix(child(data, c, p->arg[0]), 0x51) +
		       (same ? more - h : core_mix(more, 0x51));
	}
	h = core_mix(h, ref);
	h = core_mix(h, p->n);
	uint64_t sum = 0;
	for (uint32_t k = 0; k < p->n; k++) {
		uint64_t x = child(data, c, p->arg[k]);
		if (p->coef) {
			x = core_mix(x, bits_of(p->coef[k]));
		}
		if (p->expo) {
			x = core_mix(x, (uint64_t)(int64_t)p->expo[k]);
		}
		sum = commutes(p) ? sum + core_mix(x, 0x51) : core_mix(sum, x);
	}
	return core_mix(h, sum);
}

static uint64_t shape_of(const void *data, const Core *c, Node n)
{
	(void)data;
	return core_cell(c, n)->shape;
}

static uint64_t shape_node(const Core *c, const NodeInfo *p)
{
	uint64_t ref = p->ref;
	if (p->tag == NODE_INDEX) {
		ref = (uint64_t)c->index[p->ref].axis * 2 + c->index[p->ref].wide;
	}
	return core_hash_with(c, p, ref, shape_of, NULL);
}

static bool same_node(const NodeInfo *a, const NodeInfo *b)
{
	if (a->tag != b->tag || a->kind != b->kind || a->op != b->op || a->n != b->n ||
	    a->ref != b->ref || a->integer != b->integer || bits_of(a->num) != bits_of(b->num)) {
		return false;
	}
	if (a->n == 0) {
		return true;
	}
	return memcmp(a->arg, b->arg, a->n * sizeof *a->arg) == 0 &&
	       (!a->coef || memcmp(a->coef, b->coef, a->n * sizeof *a->coef) == 0) &&
	       (!a->expo || memcmp(a->expo, b->expo, a->n * sizeof *a->expo) == 0);
}

static void table_grow(Core *c)
{
	uint32_t cap = c->tablecap * 2;
	uint32_t *table = arena_array(c->arena, uint32_t, cap);
	for (Node n = 1; n <= c->nnode; n++) {
		uint32_t at = (uint32_t)core_cell(c, n)->hash & (cap - 1);
		while (table[at]) {
			at = (at + 1) & (cap - 1);
		}
		table[at] = n;
	}
	c->table = table;
	c->tablecap = cap;
}

static bool contains(const Index *set, uint32_t n, Index i)
{
	for (uint32_t k = 0; k < n; k++) {
		if (set[k] == i) {
			return true;
		}
	}
	return false;
}

/* Free indices: the union of the arguments' in order; the array of the first argument is shared
 * where that is all. */
static void set_free(Core *c, NodeCell *cell)
{
	const NodeInfo *p = &cell->info;
	if (p->tag == NODE_INDEX) {
		cell->free = arena_copy(c->arena, &p->ref, sizeof p->ref, alignof(Index));
		cell->nfree = 1;
		return;
	}
	const Index *base = NULL;
	Index *own = NULL;
	uint32_t n = 0;
	size_t cap = 0;
	for (uint32_t k = 0; k < p->n; k++) {
		const NodeCell *arg = core_cell(c, p->arg[k]);
		if (!n) {
			base = arg->free;
			n = arg->nfree;
			continue;
		}
		for (uint32_t q = 0; q < arg->nfree; q++) {
			if (contains(own ? own : base, n, arg->free[q])) {
				continue;
			}
			if (!own || n == cap) {
				cap = (size_t)n * 2 + 2;
				Index *more = arena_array(c->arena, Index, cap);
				memcpy(more, own ? own : base, n * sizeof *more);
				own = more;
			}
			own[n++] = arg->free[q];
		}
	}
	cell->free = own ? own : base;
	cell->nfree = n;
}

static NodeCell *cell_new(Core *c)
{
	assert(c->nnode < UINT32_MAX - 1);
	if (c->nnode % CORE_CHUNK == 0) {
		NodeCell *chunk = arena_array(c->arena, NodeCell, CORE_CHUNK);
		ARENA_PUSH(c->arena, c->node, c->nnodechunk, c->nodechunkcap, chunk);
	}
	c->nnode++;
	return &c->node[(c->nnode - 1) / CORE_CHUNK][(c->nnode - 1) % CORE_CHUNK];
}

Node core_intern(Core *c, const NodeInfo *proto)
{
	uint64_t hash = hash_node(proto);
	uint32_t at = (uint32_t)hash & (c->tablecap - 1);
	for (; c->table[at]; at = (at + 1) & (c->tablecap - 1)) {
		const NodeCell *cell = core_cell(c, c->table[at]);
		if (cell->hash == hash && same_node(&cell->info, proto)) {
			return c->table[at];
		}
	}
	NodeCell *cell = cell_new(c);
	c->table[at] = c->nnode;
	cell->info = *proto;
	cell->info.span = c->at;
	cell->hash = hash;
	if (proto->n) {
		cell->info.arg =
			arena_copy(c->arena, proto->arg, proto->n * sizeof(Node), alignof(Node));
		if (proto->coef) {
			cell->info.coef = arena_copy(c->arena, proto->coef,
						     proto->n * sizeof(double), alignof(double));
		}
		if (proto->expo) {
			cell->info.expo = arena_copy(c->arena, proto->expo,
						     proto->n * sizeof(int32_t), alignof(int32_t));
		}
	}
	cell->shape = shape_node(c, &cell->info);
	cell->conditional = proto->tag == NODE_GUARD || proto->tag == NODE_SELECT;
	cell->derivative = proto->tag == NODE_D;
	cell->size = cell->height = 1;
	for (uint32_t k = 0; k < proto->n; k++) {
		const NodeCell *arg = core_cell(c, proto->arg[k]);
		cell->conditional |= arg->conditional;
		cell->derivative |= arg->derivative;
		cell->size =
			cell->size > UINT32_MAX - arg->size ? UINT32_MAX : cell->size + arg->size;
		cell->height = arg->height >= cell->height ? arg->height + 1 : cell->height;
	}
	set_free(c, cell);
	Node made = c->nnode;
	if (c->nnode > c->tablecap / 2) {
		table_grow(c);
	}
	return made;
}

/* ---- order ---- */

/* Sums and products show simple things first: indices, sizes, reads, then the rest. */
static int tag_rank(unsigned tag)
{
	static const int rank[] = {
		[NODE_NONE] = 0,   [NODE_CONST] = 1,  [NODE_INDEX] = 2,  [NODE_SIZE] = 3,
		[NODE_READ] = 4,   [NODE_LIN] = 7,    [NODE_PROD] = 6,   [NODE_OP] = 5,
		[NODE_SELECT] = 9, [NODE_GUARD] = 12, [NODE_RANDOM] = 8, [NODE_STOP] = 10,
		[NODE_D] = 11};
	return rank[tag];
}

#define COMPARE(x, y)                                                                              \
	do {                                                                                       \
		if ((x) != (y)) {                                                                  \
			return (x) < (y) ? -1 : 1;                                                 \
		}                                                                                  \
	} while (0)

static int compare_heads(const Core *c, const NodeInfo *p, const NodeInfo *q)
{
	COMPARE(tag_rank(p->tag), tag_rank(q->tag));
	COMPARE(p->kind, q->kind);
	COMPARE(p->op, q->op);
	if (p->tag == NODE_INDEX) {
		COMPARE(c->index[p->ref].axis, c->index[q->ref].axis);
		COMPARE(c->index[p->ref].wide, c->index[q->ref].wide);
	} else {
		COMPARE(p->ref, q->ref);
	}
	COMPARE(p->integer, q->integer);
	COMPARE(p->n, q->n);
	return 0;
}

/* Deeper than this, the hash of the shape decides: it is as reproducible, only less readable. */
enum { ORDER_DEPTH = 64 };

static int order_shape(const Core *c, Node a, Node b, int depth)
{
	const NodeCell *x = core_cell(c, a), *y = core_cell(c, b);
	if (x->shape == y->shape) {
		return 0;
	}
	int cmp = compare_heads(c, &x->info, &y->info);
	if (cmp) {
		return cmp;
	}
	for (uint32_t k = 0; depth < ORDER_DEPTH && k < x->info.n; k++) {
		cmp = order_shape(c, x->info.arg[k], y->info.arg[k], depth + 1);
		if (cmp) {
			return cmp;
		}
	}
	for (uint32_t k = 0; x->info.expo && k < x->info.n; k++) {
		COMPARE(x->info.expo[k], y->info.expo[k]);
	}
	COMPARE(x->shape, y->shape);
	return 0;
}

static int order_indices(const Core *c, Node a, Node b, int depth)
{
	if (a == b) {
		return 0;
	}
	const NodeInfo *x = &core_cell(c, a)->info, *y = &core_cell(c, b)->info;
	if (x->tag == NODE_INDEX && y->tag == NODE_INDEX) {
		COMPARE(c->index[x->ref].rank, c->index[y->ref].rank);
	}
	for (uint32_t k = 0; depth < ORDER_DEPTH && k < x->n && k < y->n; k++) {
		int cmp = order_indices(c, x->arg[k], y->arg[k], depth + 1);
		if (cmp) {
			return cmp;
		}
	}
	for (uint32_t k = 0; x->coef && y->coef && k < x->n && k < y->n; k++) {
		COMPARE(x->coef[k], y->coef[k]);
	}
	COMPARE(a, b);
	return 0;
}

int core_order_shape(const Core *c, Node a, Node b)
{
	return order_shape(c, a, b, 0);
}

int core_order(const Core *c, Node a, Node b)
{
	int cmp = order_shape(c, a, b, 0);
	return cmp ? cmp : order_indices(c, a, b, 0);
}

/* ---- working memory ---- */

void core_term_push(Core *c, Node arg, double coef, int32_t expo)
{
	ARENA_PUSH(c->arena, c->term, c->nterm, c->termcap, ((Term){arg, expo, coef}));
}

void core_stack_push(Core *c, Node n)
{
	ARENA_PUSH(c->arena, c->stack, c->nstack, c->stackcap, n);
}

Memo *core_memo_take(Core *c)
{
	if (c->memoused == c->nmemo) {
		Memo *fresh = arena_new(c->arena, Memo);
		ARENA_PUSH(c->arena, c->memo, c->nmemo, c->memocap, fresh);
	}
	Memo *m = c->memo[c->memoused++];
	if (++m->now == 0) {
		memset(m->stamp, 0, m->cap * sizeof *m->stamp);
		m->now = 1;
	}
	return m;
}

void core_memo_give(Core *c, Memo *m)
{
	assert(c->memoused && c->memo[c->memoused - 1] == m);
	(void)m;
	c->memoused--;
}

Node core_memo_get(const Memo *m, Node n)
{
	return n < m->cap && m->stamp[n] == m->now ? m->value[n] : 0;
}

void core_memo_set(Core *c, Memo *m, Node n, Node value)
{
	if (n >= m->cap) {
		uint32_t cap = m->cap ? m->cap : 256;
		while (cap <= n) {
			cap *= 2;
		}
		uint32_t *stamp = arena_array(c->arena, uint32_t, cap);
		Node *values = arena_array(c->arena, Node, cap);
		if (m->cap) {
			memcpy(stamp, m->stamp, m->cap * sizeof *stamp);
			memcpy(values, m->value, m->cap * sizeof *values);
		}
		m->stamp = stamp;
		m->value = values;
		m->cap = cap;
	}
	m->stamp[n] = m->now;
	m->value[n] = value;
}

static uint64_t key_hash(const uint32_t *key, uint32_t n)
{
	uint64_t h = n;
	for (uint32_t k = 0; k < n; k++) {
		h = core_mix(h, key[k]);
	}
	return h;
}

static KeyEntry *key_slot(const KeyTable *t, const uint32_t *key, uint32_t n, uint64_t hash)
{
	uint32_t at = (uint32_t)hash & (t->cap - 1);
	while (t->slot[at].key && !(t->slot[at].hash == hash && t->slot[at].n == n &&
				    memcmp(t->slot[at].key, key, n * sizeof *key) == 0)) {
		at = (at + 1) & (t->cap - 1);
	}
	return &t->slot[at];
}

uint32_t core_key_find(const KeyTable *t, const uint32_t *key, uint32_t n)
{
	return t->cap ? key_slot(t, key, n, key_hash(key, n))->value : 0;
}

void core_key_add(Core *c, KeyTable *t, const uint32_t *key, uint32_t n, uint32_t value)
{
	if (2 * (t->used + 1) > t->cap) {
		KeyTable more = {.cap = t->cap ? t->cap * 2 : 256, .used = t->used};
		more.slot = arena_array(c->arena, KeyEntry, more.cap);
		for (uint32_t k = 0; k < t->cap; k++) {
			if (t->slot[k].key) {
				*key_slot(&more, t->slot[k].key, t->slot[k].n, t->slot[k].hash) =
					t->slot[k];
			}
		}
		*t = more;
	}
	uint64_t hash = key_hash(key, n);
	KeyEntry *e = key_slot(t, key, n, hash);
	if (!e->key) {
		t->used++;
		e->key = arena_copy(c->arena, key, n * sizeof *key, alignof(uint32_t));
		e->n = n;
		e->hash = hash;
	}
	e->value = value;
}
