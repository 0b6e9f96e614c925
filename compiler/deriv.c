/* deriv.c — the derivative pass: derivatives are taken innermost first, each forward or in reverse
 * as is cheaper. */
#include "compiler/deriv_int.h"

#include <stdlib.h>
#include <string.h>

enum { UNSIZED = 64, FORWARD_AT_MOST = 3 };

/* ---- one derivative ---- */

static const char *text_of(Deriv *dv, Node n)
{
	const NodeInfo *p = core_node(dv->c, n);
	if (p->tag == NODE_READ && core_def(dv->c, p->ref)->name) {
		return deriv_text(dv, core_def(dv->c, p->ref)->name);
	}
	const char *text = core_text(dv->c, dv->a, n);
	return strlen(text) <= 60 ? text : "the expression";
}

static double axis_cost(Deriv *dv, Index i)
{
	int64_t n = core_axis_info(dv->c, core_index_axis(dv->c, i))->size;
	return n < 0 ? UNSIZED : (double)n;
}

/* Number of tangents that forward needs, number of adjoints of different scalars that reverse
 * needs. */
static void count_directions(Scope *s, Node of, const Node *e, double *forward, double *reverse)
{
	Deriv *dv = s->dv;
	const DefInfo *v = core_def(dv->c, s->var[0]);
	Sub sub = deriv_sub(dv, of, SUB_PASSING);
	const Index *free;
	uint32_t nfree = core_free(dv->c, of, &free);
	*forward = *reverse = 1;
	for (uint32_t k = 0; k < nfree; k++) {
		*reverse *= axis_cost(dv, free[k]);
	}
	for (uint32_t p = 0; p < v->nindex; p++) {
		bool same = p < s->npos;
		for (uint32_t k = 0; k < sub.n && same; k++) {
			const NodeInfo *r = core_node(dv->c, sub.node[k]);
			if (r->tag == NODE_READ && r->kind == KIND_REAL &&
			    scope_mark(s, r->ref)->active) {
				uint64_t mask = scope_mark(s, r->ref)->mask[p];
				uint32_t rank = core_def(dv->c, r->ref)->nindex;
				same = (rank < 64 ? mask & ((UINT64_C(1) << rank) - 1) : mask) != 0;
			}
		}
		const Index *none;
		Index i = deriv_plain(dv, e[p]);
		if (!same && core_free(dv->c, e[p], &none)) {
			*forward *= axis_cost(dv, v->index[p]);
		} else if (same && i && core_has_index(dv->c, of, i)) {
			*reverse /= axis_cost(dv, i);
		}
	}
}

typedef struct Swept {
	Index *formal, *ctx;
	uint32_t nformal, nctx;
	Node node;
} Swept;

/* Adjoint of v for the definition or expression `of`, made once per definition. */
static Node reverse_one(Scope *s, Node of, const Node *e)
{
	Deriv *dv = s->dv;
	Core *c = dv->c;
	const NodeInfo *p = core_node(c, of);
	bool read = p->tag == NODE_READ;
	uint32_t key[2] = {read ? p->ref : 0, s->var[0]};
	Swept *w = read ? table_get(&dv->adjoint, 2, key) : NULL;
	if (!w) {
		w = arena_new(dv->a, Swept);
		const DefInfo *info = read ? core_def(c, p->ref) : NULL;
		const Index *free = NULL;
		w->nctx = read ? info->nindex : core_free(c, of, &free);
		w->ctx = arena_array(dv->a, Index, w->nctx + 1);
		for (uint32_t k = 0; k < w->nctx; k++) {
			w->ctx[k] = read ? core_index_like(c, info->index[k]) : free[k];
		}
		Node at = read ? core_read_plain(c, p->ref, w->ctx) : of;
		const char *suffix = read ? deriv_text(dv, info->name) : "";
		deriv_reverse(s, at, w->nctx, w->ctx, suffix, &w->formal, &w->node);
		w->nformal = core_def(c, s->var[0])->nindex;
		if (read) {
			table_put(dv->a, &dv->adjoint, 2, key, w);
		}
	}
	if (!w->node) {
		return 0;
	}
	uint32_t n = w->nformal + (read ? w->nctx : 0);
	Index *from = arena_array(dv->a, Index, n + 1);
	Node *to = arena_array(dv->a, Node, n + 1);
	if (w->nformal) {
		memcpy(from, w->formal, w->nformal * sizeof *from);
		memcpy(to, e, w->nformal * sizeof *to);
	}
	for (uint32_t k = w->nformal; k < n; k++) {
		from[k] = w->ctx[k - w->nformal];
		to[k] = core_node(c, of)->arg[k - w->nformal];
	}
	return deriv_inline(dv, w->node, n, from, to);
}

static int node_order(const void *x, const void *y)
{
	Node a = *(const Node *)x, b = *(const Node *)y;
	return a < b ? -1 : a > b;
}

static bool member(uint32_t n, const Node *list, Node d)
{
	return n && bsearch(&d, list, n, sizeof d, node_order);
}

/* The value of NODE_D d with operand `of`: 0 where zero. */
static Node take(Deriv *dv, Node d, Node of)
{
	Core *c = dv->c;
	const NodeInfo *p = core_node(c, d), *v = core_node(c, p->arg[1]);
	Def var = v->ref;
	dv->at = p->span;
	dv->failed = false;
	if (member(dv->nindependent, dv->independent, d)) {
		Diag *diag = diag_no_dependence(dv->ds, p->span, text_of(dv, p->arg[0]),
						text_of(dv, p->arg[1]));
		diag_remark(diag, "a derivative by something that does not occur is refused, since "
				  "it is mostly a slip");
		dv->errors = true;
		return 0;
	}
	Scope s;
	scope_begin(&s, dv, 1, &var);
	if (!scope_active(&s, of)) {
		return 0;
	}
	double forward, reverse;
	count_directions(&s, of, v->arg, &forward, &reverse);
	bool ahead = member(dv->nforward, dv->forward, d) || forward <= FORWARD_AT_MOST ||
		     forward <= reverse;
	return ahead && s.npos == v->n ? deriv_forward(&s, of, v->arg)
				       : reverse_one(&s, of, v->arg);
}

/* ---- the whole program ---- */

/* n with its derivatives taken; the marks say which nodes contain any. */
static Node resolve_value(Deriv *dv, Node n)
{
	Core *c = dv->c;
	Sub sub = deriv_sub(dv, n, SUB_ALL);
	bool any = false;
	for (uint32_t k = 0; k < sub.n && !any; k++) {
		any = core_node(c, sub.node[k])->tag == NODE_D;
	}
	if (!any) {
		return n;
	}
	Node *now = arena_array(dv->a, Node, sub.n);
	for (uint32_t k = 0; k < sub.n; k++) {
		const NodeInfo *p = core_node(c, sub.node[k]);
		now[k] = sub.node[k];
		if (p->tag == NODE_READ || !p->n) {
			continue;
		}
		if (p->tag == NODE_D) {
			Node d = take(dv, sub.node[k], now[deriv_sub_find(&sub, p->arg[0])]);
			now[k] = d ? d : core_real_const(c, 0.0);
			continue;
		}
		Node *args = arena_array(dv->a, Node, p->n);
		bool changed = false;
		for (uint32_t j = 0; j < p->n; j++) {
			args[j] = now[deriv_sub_find(&sub, p->arg[j])];
			changed |= args[j] != p->arg[j];
		}
		now[k] = changed ? core_rebuild(c, sub.node[k], args) : sub.node[k];
	}
	return now[sub.n - 1];
}

static void resolve_def(Deriv *dv, Def d)
{
	Core *c = dv->c;
	bool any = false;
	for (uint32_t k = 0; k < core_def(c, d)->npiece; k++) {
		Node value = core_def(c, d)->piece[k].value, now = resolve_value(dv, value);
		any |= now != value;
		deriv_replace(dv, d, k, now);
	}
	const Rule *rule = core_def(c, d)->rule;
	for (uint32_t k = 0; rule && k < rule->n; k++) {
		rule->arg[k] = resolve_value(dv, rule->arg[k]);
		rule->partial[k] = resolve_value(dv, rule->partial[k]);
		deriv_fact(dv, d)->has_reads = false;
	}
	deriv_collapse(dv, d);
	if (any) {
		deriv_combine(dv, d);
	}
}

/* The derivative that a node is, through definitions that are nothing else: the NODE_D, opened at
 * the reader's indices. */
static Node derivative_behind(Deriv *dv, Node n, Node *original)
{
	Core *c = dv->c;
	*original = n;
	for (unsigned hops = 0; hops < 8 && core_node(c, n)->tag == NODE_READ; hops++) {
		const NodeInfo *p = core_node(c, n);
		const DefInfo *d = core_def(c, p->ref);
		if (d->role != DEF_VALUE || d->npiece != 1 || d->rule) {
			return 0;
		}
		*original = d->piece[0].value;
		n = core_subst(c, d->piece[0].value, d->nindex, d->index, p->arg);
	}
	return core_node(c, n)->tag == NODE_D ? n : 0;
}

/* A second derivative by one element (a term of a Laplacian) is taken forward twice. */
static void mark_forward(Deriv *dv, size_t *cap, size_t *n, Node d)
{
	Core *c = dv->c;
	const NodeInfo *p = core_node(c, d);
	Node original, inner = derivative_behind(dv, p->arg[0], &original);
	if (!inner || core_node(c, inner)->arg[1] != p->arg[1]) {
		return;
	}
	ARENA_PUSH(dv->a, dv->forward, *n, *cap, original);
	ARENA_PUSH(dv->a, dv->forward, *n, *cap, inner);
	ARENA_PUSH(dv->a, dv->forward, *n, *cap, d);
}

/* What is found out about all derivatives before the first one is taken. */
typedef struct Survey {
	uint32_t *depth; /* how often derivatives are nested, by definition */
	size_t forward, forwardcap, independent, independentcap;
} Survey;

/* How often derivatives are nested in n, given the depths of what it reads. Whether a derivative's
 * operand reaches its variable is asked now: later, what it reads may have become a derivative that
 * vanished. */
static uint32_t depth_of(Deriv *dv, Survey *v, Node n)
{
	Sub sub = deriv_sub(dv, n, SUB_ALL);
	uint32_t *at = arena_array(dv->a, uint32_t, sub.n), most = 0;
	for (uint32_t k = 0; k < sub.n; k++) {
		const NodeInfo *p = core_node(dv->c, sub.node[k]);
		at[k] = p->tag == NODE_READ ? v->depth[p->ref] : 0;
		for (uint32_t j = 0; j < p->n && p->tag != NODE_READ; j++) {
			uint32_t below = at[deriv_sub_find(&sub, p->arg[j])];
			at[k] = below > at[k] ? below : at[k];
		}
		if (p->tag == NODE_D) {
			at[k]++;
			mark_forward(dv, &v->forwardcap, &v->forward, sub.node[k]);
			if (!core_depends(dv->c, p->arg[0], core_node(dv->c, p->arg[1])->ref)) {
				ARENA_PUSH(dv->a, dv->independent, v->independent,
					   v->independentcap, sub.node[k]);
			}
		}
		most = at[k] > most ? at[k] : most;
	}
	return most;
}

static void survey(Deriv *dv, uint32_t n, const Def *order, uint32_t nroot, const Node *root)
{
	Core *c = dv->c;
	Survey v = {.depth = arena_array(dv->a, uint32_t, core_def_count(c) + 1)};
	for (uint32_t k = 0; k < n; k++) {
		const DefInfo *d = core_def(c, order[k]);
		uint32_t *depth = &v.depth[order[k]];
		for (uint32_t p = 0; p < d->npiece; p++) {
			uint32_t at = depth_of(dv, &v, d->piece[p].value);
			*depth = at > *depth ? at : *depth;
		}
		for (uint32_t p = 0; d->rule && p < d->rule->n; p++) {
			depth_of(dv, &v, d->rule->arg[p]);
			depth_of(dv, &v, d->rule->partial[p]);
		}
		dv->order = *depth > dv->order ? *depth : dv->order;
	}
	for (uint32_t k = 0; k < nroot; k++) {
		uint32_t at = root[k] ? depth_of(dv, &v, root[k]) : 0;
		dv->order = at > dv->order ? at : dv->order;
	}
	dv->nforward = (uint32_t)v.forward;
	dv->nindependent = (uint32_t)v.independent;
	if (v.forward) {
		qsort(dv->forward, v.forward, sizeof *dv->forward, node_order);
	}
	if (v.independent) {
		qsort(dv->independent, v.independent, sizeof *dv->independent, node_order);
	}
}

bool deriv_resolve(Core *c, Arena *scratch, Diags *ds, uint32_t nroot, Node *root)
{
	Deriv dv;
	deriv_begin(&dv, c, scratch, ds);
	Def *order;
	uint32_t *component;
	uint32_t n = core_reach(c, scratch, nroot, root, &order, &component);
	survey(&dv, n, order, nroot, root);
	for (uint32_t k = 0; k < n; k++) {
		resolve_def(&dv, order[k]);
	}
	for (uint32_t k = 0; k < nroot; k++) {
		root[k] = root[k] ? resolve_value(&dv, root[k]) : 0;
	}
	return !dv.errors;
}

/* ---- gradients and directional derivatives ---- */

/* The definition that a node is the plain read of, with ix as its formals in order; 0 if it is not
 * of that form. A guard around the read that the definition has itself does not count. */
static Def whole_def(Deriv *dv, Node n, uint32_t rank, const Index *ix)
{
	const NodeInfo *p = core_node(dv->c, n);
	if (p->tag == NODE_GUARD) {
		Def d = whole_def(dv, p->arg[1], rank, ix);
		const DefInfo *info = d ? core_def(dv->c, d) : NULL;
		if (!d || info->role != DEF_VALUE || info->npiece != 1) {
			return 0;
		}
		Node value = core_subst(dv->c, info->piece[0].value, rank, info->index,
					deriv_index_nodes(dv, rank, ix));
		const NodeInfo *q = core_node(dv->c, value);
		return q->tag == NODE_GUARD && q->arg[0] == p->arg[0] ? d : 0;
	}
	bool whole = p->tag == NODE_READ && p->n == rank &&
		     core_def(dv->c, p->ref)->role <= DEF_REDUCTION;
	for (uint32_t k = 0; whole && k < rank; k++) {
		whole = deriv_plain(dv, p->arg[k]) == ix[k];
	}
	return whole ? p->ref : 0;
}

bool deriv_gradient(Core *c, Arena *scratch, Diags *ds, Node loss, uint32_t n, const Def *wrt,
		    Def *grad)
{
	Deriv dv;
	deriv_begin(&dv, c, scratch, ds);
	dv.at = core_node(c, loss)->span;
	Scope s;
	scope_begin(&s, &dv, n, wrt);
	s.npos = 0; /* nothing goes forward here */
	Index **formal = arena_array(scratch, Index *, n + 1);
	Node *adj = arena_array(scratch, Node, n + 1);
	deriv_reverse(&s, loss, 0, NULL, "", formal, adj);
	for (uint32_t k = 0; k < n; k++) {
		grad[k] = 0;
		if (adj[k]) {
			const DefInfo info = *core_def(c, wrt[k]);
			Def whole = whole_def(&dv, adj[k], info.nindex, formal[k]);
			Sym name = deriv_sym(&dv, "%s_", deriv_text(&dv, info.name));
			grad[k] = whole ? whole
					: core_share(c, name, info.span, info.nindex, formal[k],
						     adj[k], 0);
		}
	}
	return !dv.errors;
}

Node deriv_tangent(Core *c, Arena *scratch, Diags *ds, Node of, uint32_t n, const Def *wrt,
		   const Def *dir)
{
	Deriv dv;
	deriv_begin(&dv, c, scratch, ds);
	dv.at = core_node(c, of)->span;
	Scope s;
	scope_begin(&s, &dv, n, wrt);
	s.npos = 0;
	return deriv_along(&s, of, dir);
}
