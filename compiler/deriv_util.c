/* deriv_util.c — what all parts of the derivative pass need: walks over expressions, facts about
 * definitions, naming. */
#include "compiler/deriv_int.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void deriv_begin(Deriv *dv, Core *c, Arena *scratch, Diags *ds)
{
	*dv = (Deriv){.c = c, .a = scratch, .ds = ds};
}

Sym deriv_sym(Deriv *dv, const char *format, ...)
{
	char text[256];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return intern_str(core_names(dv->c), text);
}

const char *deriv_text(Deriv *dv, Sym s)
{
	return intern_text(core_names(dv->c), s);
}

const char *deriv_name_of(Deriv *dv, Def d)
{
	Sym own = core_def(dv->c, d)->name;
	Sym name = own ? own : deriv_fact(dv, d)->reader;
	return name ? deriv_text(dv, name) : "part";
}

/* ---- tables ---- */

static uint32_t key_hash(uint32_t n, const uint32_t *key)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (uint32_t k = 0; k < n; k++) {
		h = (h ^ key[k]) * 0x100000001b3u;
		h ^= h >> 29;
	}
	return (uint32_t)(h ^ (h >> 32));
}

static TableSlot *table_slot(const Table *t, uint32_t n, const uint32_t *key)
{
	for (uint32_t at = key_hash(n, key) & (t->cap - 1);; at = (at + 1) & (t->cap - 1)) {
		TableSlot *s = &t->slot[at];
		if (!s->value || (s->n == n && memcmp(s->key, key, n * sizeof *key) == 0)) {
			return s;
		}
	}
}

void *table_get(const Table *t, uint32_t n, const uint32_t *key)
{
	return t->cap ? table_slot(t, n, key)->value : NULL;
}

void table_put(Arena *a, Table *t, uint32_t n, const uint32_t *key, void *value)
{
	if (2 * (t->used + 1) > t->cap) {
		Table old = *t;
		t->cap = old.cap ? 2 * old.cap : 256;
		t->slot = arena_array(a, TableSlot, t->cap);
		for (uint32_t k = 0; k < old.cap; k++) {
			if (old.slot[k].value) {
				*table_slot(t, old.slot[k].n, old.slot[k].key) = old.slot[k];
			}
		}
	}
	TableSlot *s = table_slot(t, n, key);
	t->used += !s->value;
	s->key = arena_copy(a, key, n * sizeof *key, alignof(uint32_t));
	s->n = n;
	s->value = value;
}

/* ---- expressions ---- */

bool deriv_passes(const NodeInfo *p, uint32_t k)
{
	switch ((NodeTag)p->tag) {
	case NODE_LIN:
	case NODE_PROD:
		return p->kind == KIND_REAL;
	case NODE_OP:
		return p->kind == KIND_REAL && op_arg_kind((Op)p->op) == KIND_REAL &&
		       strcmp(op_info((Op)p->op)->partial[k], "0") != 0;
	case NODE_SELECT:
	case NODE_GUARD:
		return k > 0 && p->kind == KIND_REAL;
	default:
		return false;
	}
}

static bool stamp(Deriv *dv, Node n)
{
	if (n >= dv->nstamp) {
		uint32_t cap = dv->nstamp ? dv->nstamp : 1024;
		while (cap <= n) {
			cap *= 2;
		}
		uint32_t *grown = arena_array(dv->a, uint32_t, cap);
		if (dv->nstamp) {
			memcpy(grown, dv->stamp, dv->nstamp * sizeof *grown);
		}
		dv->stamp = grown;
		dv->nstamp = cap;
	}
	bool was = dv->stamp[n] == dv->now;
	dv->stamp[n] = dv->now;
	return !was;
}

static int node_order(const void *x, const void *y)
{
	Node a = *(const Node *)x, b = *(const Node *)y;
	return a < b ? -1 : a > b;
}

Sub deriv_sub(Deriv *dv, Node n, SubWhich which)
{
	Sub s = {0};
	size_t cap = 0, got = 0;
	dv->now++;
	stamp(dv, n);
	ARENA_PUSH(dv->a, s.node, got, cap, n);
	for (size_t k = 0; k < got; k++) { /* the list of results is also the work list */
		const NodeInfo *p = core_node(dv->c, s.node[k]);
		if (p->tag == NODE_READ || (which != SUB_ALL && p->tag == NODE_D)) {
			continue;
		}
		for (uint32_t j = 0; j < p->n; j++) {
			if ((which != SUB_PASSING || deriv_passes(p, j)) && stamp(dv, p->arg[j])) {
				ARENA_PUSH(dv->a, s.node, got, cap, p->arg[j]);
			}
		}
	}
	s.n = (uint32_t)got;
	qsort(s.node, s.n, sizeof *s.node, node_order);
	return s;
}

bool deriv_any_read(Deriv *dv, Node n, bool (*want)(void *data, const NodeInfo *read), void *data)
{
	Node *list = NULL;
	size_t cap = 0, got = 0;
	dv->now++;
	stamp(dv, n);
	ARENA_PUSH(dv->a, list, got, cap, n);
	while (got) {
		const NodeInfo *p = core_node(dv->c, list[--got]);
		if (p->tag == NODE_READ && p->kind == KIND_REAL && want(data, p)) {
			return true;
		}
		for (uint32_t j = 0; j < p->n && p->tag != NODE_READ && p->tag != NODE_D; j++) {
			if (deriv_passes(p, j) && stamp(dv, p->arg[j])) {
				ARENA_PUSH(dv->a, list, got, cap, p->arg[j]);
			}
		}
	}
	return false;
}

uint32_t deriv_sub_find(const Sub *s, Node n)
{
	uint32_t lo = 0, hi = s->n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (s->node[mid] < n) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo < s->n && s->node[lo] == n ? lo : UINT32_MAX;
}

Node deriv_add(Deriv *dv, Node a, Node b)
{
	return !a ? b : !b ? a : core_add(dv->c, a, b);
}

void parts_add(Deriv *dv, Parts *p, Node n)
{
	ARENA_PUSH(dv->a, p->item, p->n, p->cap, n);
}

Node parts_total(Deriv *dv, const Parts *p)
{
	if (p->n <= 1) {
		return p->n ? p->item[0] : 0;
	}
	double *one = arena_array(dv->a, double, p->n);
	for (size_t k = 0; k < p->n; k++) {
		one[k] = 1;
	}
	return core_lin(dv->c, KIND_REAL, 0, (uint32_t)p->n, one, p->item);
}

Index deriv_plain(Deriv *dv, Node n)
{
	const NodeInfo *p = core_node(dv->c, n);
	return p->tag == NODE_INDEX ? p->ref : 0;
}

Node *deriv_index_nodes(Deriv *dv, uint32_t n, const Index *ix)
{
	Node *args = arena_array(dv->a, Node, n + 1);
	for (uint32_t k = 0; k < n; k++) {
		args[k] = core_index_value(dv->c, ix[k]);
	}
	return args;
}

Node deriv_read_at(Deriv *dv, Def d, uint32_t n, const Node *args)
{
	assert(core_def(dv->c, d)->nindex == n);
	(void)n;
	return core_read(dv->c, d, args);
}

/* ---- places on periodic axes ---- */

static bool on_axis(Deriv *dv, Axis a, Node e)
{
	const NodeInfo *p = core_node(dv->c, e);
	const AxisInfo *info = core_axis_info(dv->c, a);
	if (p->tag == NODE_CONST) {
		return p->integer >= info->first && info->size >= 0 &&
		       p->integer < info->first + info->size;
	}
	return p->tag == NODE_INDEX && core_index_axis(dv->c, p->ref) == a;
}

Node deriv_wrap(Deriv *dv, Axis a, Node e)
{
	Core *c = dv->c;
	const AxisInfo *info = core_axis_info(c, a);
	if (!(info->flags & AXIS_PERIODIC) || on_axis(dv, a, e)) {
		return e;
	}
	Node first = core_int_const(c, info->first);
	Node size = info->size > 0 ? core_int_const(c, info->size) : core_size(c, a);
	return core_add(c, core_op2(c, OP_imod, core_sub(c, e, first), size), first);
}

Node deriv_same_place(Deriv *dv, Axis a, Node x, Node y)
{
	Core *c = dv->c;
	if (!(core_axis_info(c, a)->flags & AXIS_PERIODIC)) {
		return core_op2(c, OP_ieq, x, y);
	}
	if (on_axis(dv, a, x)) {
		return core_op2(c, OP_ieq, x, deriv_wrap(dv, a, y));
	}
	const NodeInfo *p = core_node(c, x);
	if (p->tag == NODE_LIN && p->n == 1 && p->coef[0] == 1 && on_axis(dv, a, p->arg[0])) {
		Node shift = core_int_const(c, p->integer);
		return core_op2(c, OP_ieq, p->arg[0], deriv_wrap(dv, a, core_sub(c, y, shift)));
	}
	return core_op2(c, OP_ieq, deriv_wrap(dv, a, x), deriv_wrap(dv, a, y));
}

/* Does n look at the value of index i other than as a place on i's own axis? */
static bool looks_at(Deriv *dv, Node n, Index i)
{
	Core *c = dv->c;
	Sub s = deriv_sub(dv, n, SUB_ALL);
	Axis a = core_index_axis(c, i);
	for (uint32_t k = 0; k < s.n; k++) {
		const NodeInfo *p = core_node(c, s.node[k]);
		if (p->tag == NODE_INDEX && p->ref == i) {
			return true;
		}
		for (uint32_t j = 0; p->tag == NODE_READ && j < p->n; j++) {
			NodeTag tag = (NodeTag)core_node(c, p->arg[j])->tag;
			bool place = tag == NODE_INDEX || tag == NODE_LIN;
			bool own = core_index_axis(c, core_def(c, p->ref)->index[j]) == a;
			if ((!place || !own) && core_has_index(c, p->arg[j], i)) {
				return true;
			}
		}
	}
	return false;
}

Node deriv_inline(Deriv *dv, Node n, uint32_t count, const Index *formal, const Node *args)
{
	Core *c = dv->c;
	Node *to = arena_array(dv->a, Node, count + 1);
	for (uint32_t k = 0; k < count; k++) {
		Axis a = core_index_axis(c, formal[k]);
		bool may_wrap =
			(core_axis_info(c, a)->flags & AXIS_PERIODIC) && !on_axis(dv, a, args[k]);
		to[k] = may_wrap && looks_at(dv, n, formal[k]) ? deriv_wrap(dv, a, args[k])
							       : args[k];
	}
	return core_subst(c, n, count, formal, to);
}

/* ---- facts about definitions ---- */

Fact *deriv_fact(Deriv *dv, Def d)
{
	if (d >= dv->nfact) {
		uint32_t cap = dv->nfact ? dv->nfact : 256;
		while (cap <= d) {
			cap *= 2;
		}
		Fact *grown = arena_array(dv->a, Fact, cap);
		if (dv->nfact) {
			memcpy(grown, dv->fact, dv->nfact * sizeof *grown);
		}
		dv->fact = grown;
		dv->nfact = cap;
	}
	return &dv->fact[d];
}

static bool fact_holds(const Fact *f, const DefInfo *d)
{
	if (!f->has_reads || f->npiece != d->npiece) {
		return false;
	}
	for (uint32_t k = 0; k < d->npiece; k++) {
		if (f->piece[k] != d->piece[k].value) {
			return false;
		}
	}
	return true;
}

static void collect_reads(Deriv *dv, Fact *f, size_t *cap, size_t *n, Node value)
{
	Sub s = deriv_sub(dv, value, SUB_PASSING);
	for (uint32_t k = 0; k < s.n; k++) {
		const NodeInfo *p = core_node(dv->c, s.node[k]);
		if (p->tag == NODE_READ && p->kind == KIND_REAL) {
			ARENA_PUSH(dv->a, f->read, *n, *cap, s.node[k]);
		}
	}
}

uint32_t deriv_reads(Deriv *dv, Def d, const Node **reads)
{
	Fact *f = deriv_fact(dv, d);
	const DefInfo *info = core_def(dv->c, d);
	if (!fact_holds(f, info)) {
		Fact was = *f;
		*f = (Fact){.has_reads = true,
			    .npiece = info->npiece,
			    .origin = was.origin,
			    .like = was.like,
			    .reader = was.reader};
		f->piece = arena_array(dv->a, Node, info->npiece + 1);
		f->slope = arena_array(dv->a, Node, 2 * info->npiece + 1);
		f->flat = arena_array(dv->a, bool, 2 * info->npiece + 1);
		size_t cap = 0, n = 0;
		for (uint32_t k = 0; k < info->npiece; k++) {
			f->piece[k] = info->piece[k].value;
			if (!info->rule) {
				collect_reads(dv, f, &cap, &n, info->piece[k].value);
			}
		}
		for (uint32_t k = 0; info->rule && k < info->rule->n; k++) {
			collect_reads(dv, f, &cap, &n, info->rule->arg[k]);
			collect_reads(dv, f, &cap, &n, info->rule->partial[k]);
		}
		f->nread = (uint32_t)n;
	}
	*reads = f->read;
	return f->nread;
}

void deriv_replace(Deriv *dv, Def d, uint32_t piece, Node value)
{
	DefInfo *info = core_def_mutable(dv->c, d);
	if (info->piece[piece].value == value) {
		return;
	}
	uint32_t n = info->npiece;
	Piece *copy = arena_array(dv->a, Piece, n);
	memcpy(copy, info->piece, n * sizeof *copy);
	copy[piece].value = value;
	info->npiece = 0;
	core_set_pieces(dv->c, d, n, copy);
}

void deriv_replace_whole(Deriv *dv, Def d, Node value)
{
	DefInfo *info = core_def_mutable(dv->c, d);
	info->role = DEF_VALUE;
	info->red = RED_NONE;
	info->nbound = 0;
	info->npiece = 0;
	Piece whole = {.value = value};
	core_set_pieces(dv->c, d, 1, &whole);
}

/* ---- guards ---- */

/* The conditions of which cond is the conjunction. */
static uint32_t conjuncts(Deriv *dv, Node cond, Node **out)
{
	size_t n = 0, cap = 0, got = 0;
	Node *list = NULL, *leaf = NULL;
	size_t nleaf = 0;
	ARENA_PUSH(dv->a, list, n, cap, cond);
	for (size_t k = 0; k < n; k++) {
		const NodeInfo *p = core_node(dv->c, list[k]);
		if (p->tag == NODE_OP && p->op == OP_and) {
			ARENA_PUSH(dv->a, list, n, cap, p->arg[0]);
			ARENA_PUSH(dv->a, list, n, cap, p->arg[1]);
		} else {
			ARENA_PUSH(dv->a, leaf, nleaf, got, list[k]);
		}
	}
	*out = leaf;
	return (uint32_t)nleaf;
}

Node deriv_pull(Deriv *dv, Node n)
{
	Core *c = dv->c;
	const NodeInfo *p = core_node(c, n);
	if (p->tag == NODE_GUARD) {
		Node body = deriv_pull(dv, p->arg[1]);
		return body == p->arg[1] ? n : core_guard(c, p->arg[0], body);
	}
	if (p->tag != NODE_LIN || p->num != 0 || p->kind != KIND_REAL) {
		return n;
	}
	Node *common = NULL;
	uint32_t ncommon = 0;
	for (uint32_t k = 0; k < p->n; k++) {
		const NodeInfo *g = core_node(c, p->arg[k]);
		if (g->tag != NODE_GUARD) {
			return n;
		}
		Node *here;
		uint32_t nhere = conjuncts(dv, g->arg[0], &here), kept = 0;
		for (uint32_t j = 0; k && j < ncommon; j++) {
			bool found = false;
			for (uint32_t i = 0; i < nhere; i++) {
				found |= here[i] == common[j];
			}
			if (found) {
				common[kept++] = common[j];
			}
		}
		common = k ? common : here;
		ncommon = k ? kept : nhere;
	}
	for (uint32_t j = 0; j < ncommon; j++) {
		n = core_guard(c, common[j], n);
	}
	return n;
}

/* ---- naming ---- */

bool deriv_constant(Deriv *dv, Node n)
{
	Sub s = deriv_sub(dv, n, SUB_ALL);
	if (s.n > 12) {
		return false;
	}
	for (uint32_t k = 0; k < s.n; k++) {
		const NodeInfo *p = core_node(dv->c, s.node[k]);
		if (p->tag == NODE_READ && core_def(dv->c, p->ref)->role != DEF_CONST) {
			return false;
		}
		if (p->tag == NODE_RANDOM || p->tag == NODE_D || p->tag == NODE_INDEX) {
			return false;
		}
	}
	return true;
}

bool deriv_trivial(Deriv *dv, Node n)
{
	const NodeInfo *p = core_node(dv->c, n);
	while (p->tag == NODE_GUARD) {
		n = p->arg[1];
		p = core_node(dv->c, n);
	}
	if (p->tag == NODE_LIN && p->n == 1 && p->num == 0) {
		n = p->arg[0];
		p = core_node(dv->c, n);
	}
	return p->tag == NODE_READ || p->tag == NODE_CONST || deriv_constant(dv, n);
}

Def deriv_define(Deriv *dv, Sym name, Span span, uint32_t n, const Index *ix, uint32_t npiece,
		 const Piece *pieces, unsigned flags)
{
	Core *c = dv->c;
	Index *own = arena_array(dv->a, Index, n + 1);
	for (uint32_t k = 0; k < n; k++) {
		own[k] = core_index_like(c, ix[k]);
	}
	Node *to = deriv_index_nodes(dv, n, own);
	DefInfo info = {.role = DEF_VALUE,
			.name = name,
			.span = span,
			.kind = KIND_REAL,
			.nindex = n,
			.index = own,
			.flags = flags};
	Piece *copy = arena_array(dv->a, Piece, npiece + 1);
	for (uint32_t k = 0; k < npiece; k++) {
		copy[k].box = pieces[k].box;
		copy[k].value = core_subst(c, pieces[k].value, n, ix, to);
	}
	Def d = core_define(c, info);
	if (npiece) {
		core_set_pieces(c, d, npiece, copy);
	}
	return d;
}

Node deriv_name(Deriv *dv, Sym name, Span span, uint32_t n, const Index *ix, Node value,
		const Range *box)
{
	Core *c = dv->c;
	value = deriv_pull(dv, value);
	if (deriv_trivial(dv, value)) {
		return value;
	}
	Index *used = arena_array(dv->a, Index, n + 1);
	Range *range = arena_array(dv->a, Range, n + 1);
	uint32_t m = 0;
	for (uint32_t k = 0; k < n; k++) {
		if (core_has_index(c, value, ix[k])) {
			used[m] = ix[k];
			range[m++] = box ? box[k] : (Range){{EDGE_FIRST, 0}, {EDGE_LAST, 0}};
		}
	}
	Piece piece = {.box = range, .value = value};
	Def d = box ? deriv_define(dv, name, span, m, used, 1, &piece, 0)
		    : core_share(c, name, span, m, used, value, 0);
	Node read = core_read_plain(c, d, used);
	const NodeInfo *p = core_node(c, value);
	return p->tag == NODE_GUARD ? core_guard(c, p->arg[0], read) : read;
}
