/* core_reduce.c — reductions as closed definitions: local rules of sums, filters, sharing up to
 * renaming. Keeps: a reduction's formals are the free indices of its body by first occurrence in
 * its canonical form; equal reductions up to renaming of free and bound indices are one definition.
 */
#include "lang/core_int.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static bool is_ragged(const Core *c, Index i)
{
	return c->axis[c->index[i].axis].length != 0;
}

static bool has_any(Core *c, Node n, uint32_t count, const Index *index)
{
	for (uint32_t k = 0; k < count; k++) {
		if (core_has_index(c, n, index[k])) {
			return true;
		}
	}
	return false;
}

/* ---- filters ---- */

static Node neutral(Core *c, RedKind red, Kind kind)
{
	switch (red) {
	case RED_PROD:
		return kind == KIND_INT ? core_int_const(c, 1) : core_real_const(c, 1);
	case RED_MAX:
	case RED_ARGMAX:
		return kind == KIND_INT ? core_int_const(c, INT64_MIN)
					: core_real_const(c, -INFINITY);
	case RED_MIN:
	case RED_ARGMIN:
		return kind == KIND_INT ? core_int_const(c, INT64_MAX)
					: core_real_const(c, INFINITY);
	case RED_LOGSUMEXP:
		return core_real_const(c, -INFINITY);
	case RED_ALL:
		return core_bool_const(c, true);
	case RED_ANY:
		return core_bool_const(c, false);
	case RED_NONE:
	case RED_SUM:
	default: /* operations on whole arrays have no filters */
		break;
	}
	return core_zero(c, kind);
}

Node core_filter(Core *c, RedKind red, Node cond, Node body)
{
	return red == RED_SUM ? core_guard(c, cond, body)
			      : core_select(c, cond, body, neutral(c, red, core_kind(c, body)));
}

/* ---- sums ---- */

/* A sum being taken apart: value = [cond] factor * Σ_bound [inner] body. 0: none. */
typedef struct Sum {
	Index *bound;
	uint32_t nbound;
	Node body, inner, cond, factor;
} Sum;

static Node and_maybe(Core *c, Node a, Node b)
{
	return !a ? b : !b ? a : core_and(c, a, b);
}

static void drop_bound(Sum *s, uint32_t k)
{
	memmove(s->bound + k, s->bound + k + 1, (s->nbound - k - 1) * sizeof *s->bound);
	s->nbound--;
}

/* Is e, free of k, always a place on k's axis? If not, *check says when it is. */
static bool in_range(Core *c, Node e, Index k, Node *check)
{
	Axis axis = c->index[k].axis;
	const AxisInfo *a = core_axis_info(c, axis);
	const NodeInfo *p = core_node(c, e);
	if (p->tag == NODE_INDEX && c->index[p->ref].axis == axis && !c->index[p->ref].wide) {
		return true;
	}
	int64_t first = a->first, size = a->size;
	Node end = size >= 0 ? core_int_const(c, first + size)
			     : core_add(c, core_size(c, axis), core_int_const(c, first));
	Node from = core_op2(c, OP_ile, core_int_const(c, first), e),
	     to = core_op2(c, OP_ilt, e, end);
	*check = core_and(c, from, to);
	p = core_node(c, *check);
	return p->tag == NODE_CONST && p->integer;
}

/* The condition cond as k == e with e free of k; 0 if it is none. */
static Node solve(Core *c, Node cond, Index k)
{
	const NodeInfo *p = core_node(c, cond);
	if (p->tag != NODE_OP || p->op != OP_ieq || !core_has_index(c, cond, k)) {
		return 0;
	}
	Node d = core_sub(c, p->arg[0], p->arg[1]), self = core_index_value(c, k);
	if (d == self) { /* k == 0: the difference is the index itself */
		return core_int_const(c, 0);
	}
	p = core_node(c, d);
	if (p->tag != NODE_LIN) {
		return 0;
	}
	for (uint32_t q = 0; q < p->n; q++) {
		if (p->arg[q] == self && fabs(p->coef[q]) == 1) {
			double sign = p->coef[q];
			Node e = core_sub(c, self, core_scale(c, sign, d));
			return core_has_index(c, e, k) ? 0 : e;
		}
	}
	return 0;
}

/* [k == e] with k bound: the sum has one term. */
static bool resolve_one_point(Core *c, Sum *s)
{
	size_t base = c->nstack, n = core_conjuncts(c, s->inner);
	for (size_t q = 0; q < n; q++) {
		for (uint32_t k = 0; k < s->nbound; k++) {
			Index bound = s->bound[k];
			Node e = solve(c, c->stack[base + q], bound), check = 0;
			if (!e) {
				continue;
			}
			bool inside = in_range(c, e, bound, &check);
			if (!inside && is_ragged(c, bound)) {
				continue;
			}
			s->body = core_subst(c, s->body, 1, &bound, &e);
			s->inner = core_subst(c, s->inner, 1, &bound, &e);
			if (!inside) {
				s->inner = core_and(c, s->inner, check);
			}
			drop_bound(s, k);
			c->nstack = base;
			return true;
		}
	}
	c->nstack = base;
	return false;
}

/* Conjuncts without bound indices leave. */
static void split_guard(Core *c, Sum *s)
{
	size_t base = c->nstack, n = core_conjuncts(c, s->inner);
	Node stay = 0;
	for (size_t q = 0; q < n; q++) {
		Node one = c->stack[base + q];
		if (has_any(c, one, s->nbound, s->bound)) {
			stay = and_maybe(c, stay, one);
		} else {
			s->cond = and_maybe(c, s->cond, one);
		}
	}
	c->nstack = base;
	s->inner = stay;
}

static void take_guard(Core *c, Sum *s)
{
	const NodeInfo *p = core_node(c, s->body);
	if (p->tag == NODE_GUARD) {
		Node cond = p->arg[0];
		s->body = p->arg[1];
		s->inner = and_maybe(c, s->inner, cond);
	}
}

static void leave(Core *c, Sum *s, Node factor)
{
	s->factor = s->factor ? core_mul(c, s->factor, factor) : factor;
}

static Node number(Core *c, Node like, double k)
{
	return core_kind(c, like) == KIND_INT ? core_int_const(c, (int64_t)k)
					      : core_real_const(c, k);
}

/* Factors without bound indices leave, and numbers. */
static void split_factors(Core *c, Sum *s)
{
	const NodeInfo *p = core_node(c, s->body);
	if (p->tag == NODE_LIN) {
		Node rest = p->arg[0];
		bool single = p->n == 1 && p->num == 0 && p->integer == 0;
		double k = single ? p->coef[0] : core_content(c, s->body, false, &rest);
		if (k != 1) {
			leave(c, s, number(c, s->body, k));
			s->body = rest;
		}
		p = core_node(c, s->body);
	}
	if (!has_any(c, s->body, s->nbound, s->bound)) {
		if (p->tag != NODE_CONST || core_order(c, s->body, number(c, s->body, 1)) != 0) {
			Node all = s->body;
			s->body = number(c, all, 1);
			leave(c, s, all);
		}
		return;
	}
	if (p->tag != NODE_PROD) {
		return;
	}
	Node stay = 0;
	uint32_t n = p->n;
	for (uint32_t k = 0; k < n; k++) {
		p = core_node(c, s->body);
		Node power = core_powi(c, p->arg[k], p->expo[k]);
		if (has_any(c, power, s->nbound, s->bound)) {
			stay = stay ? core_mul(c, stay, power) : power;
		} else {
			leave(c, s, power);
		}
	}
	s->body = stay;
}

static void count_unused(Core *c, Sum *s)
{
	for (uint32_t k = s->nbound; k-- > 0;) {
		Index i = s->bound[k];
		if (!core_has_index(c, s->body, i) &&
		    !(s->inner && core_has_index(c, s->inner, i)) && !is_ragged(c, i)) {
			Node size = core_size(c, core_index_axis(c, i));
			leave(c, s, core_kind(c, s->body) == KIND_INT ? size : core_real(c, size));
			drop_bound(s, k);
		}
	}
}

/* The body is one read of another sum: its bound indices join. */
static bool join_sums(Core *c, Sum *s)
{
	const NodeInfo *p = core_node(c, s->body);
	if (s->inner || p->tag != NODE_READ) {
		return false;
	}
	const DefInfo *info = core_def(c, p->ref);
	if (info->red != RED_SUM || info->npiece != 1 ||
	    (info->flags & (DEF_USER | DEF_KEEP | DEF_VARIABLE))) {
		return false;
	}
	for (uint32_t k = 0; k < info->nbound; k++) {
		if (is_ragged(c, info->bound[k])) {
			return false;
		}
	}
	Index *more, *all = arena_array(c->arena, Index, s->nbound + info->nbound);
	Node body = core_open(c, p->ref, 0, p->arg, &more);
	memcpy(all, s->bound, s->nbound * sizeof *all);
	if (info->nbound) {
		memcpy(all + s->nbound, more, info->nbound * sizeof *all);
	}
	s->bound = all;
	s->nbound += info->nbound;
	s->body = body;
	return true;
}

/* ---- sharing ---- */

static Kind result_kind(const Core *c, RedKind red, Node body)
{
	return red == RED_ARGMAX || red == RED_ARGMIN ? KIND_INT : core_kind(c, body);
}

typedef struct Closed {
	RedKind red;
	Node canon; /* the body over canonical indices */
	uint32_t nfree, nbound;
	Index *free;      /* actual index variables in the order of the formals */
	Node *canon_free; /* what stands for them in canon */
	Index *bound;     /* actual, in canonical order */
	Node *canon_bound;
} Closed;

/* Position among those before it of the same axis (and width): the numbering of core_canonical. */
static Node canonical_value(Core *c, CanonFamily family, const Index *order, const uint32_t *perm,
			    uint32_t k)
{
	Index i = order[perm[k]];
	uint32_t position = 0;
	for (uint32_t q = 0; q < k; q++) {
		const IndexCell *a = &c->index[order[perm[q]]], *b = &c->index[i];
		position += a->axis == b->axis && a->wide == b->wide;
	}
	CanonFamily f = family == CANON_BOUND ? family : c->index[i].wide ? CANON_WIDE : CANON_FREE;
	return core_index_value(c, core_canon(c, f, c->index[i].axis, position));
}

static Closed close_body(Core *c, RedKind red, uint32_t nbound, const Index *bound, Node body)
{
	const Index *seen;
	uint32_t n = core_free(c, body, &seen), nfree = 0;
	Index *free = arena_array(c->arena, Index, n);
	for (uint32_t k = 0; k < n; k++) {
		bool is_bound = false;
		for (uint32_t q = 0; q < nbound; q++) {
			is_bound = is_bound || bound[q] == seen[k];
		}
		if (!is_bound) {
			free[nfree++] = seen[k];
		}
	}
	uint32_t *pf = arena_array(c->arena, uint32_t, nfree),
		 *pb = arena_array(c->arena, uint32_t, nbound);
	Closed r = {.red = red, .nfree = nfree, .nbound = nbound};
	core_canonical(c, body, nfree, free, nbound, bound, &r.canon, pf, pb);
	r.bound = arena_array(c->arena, Index, nbound);
	r.canon_bound = arena_array(c->arena, Node, nbound);
	for (uint32_t k = 0; k < nbound; k++) {
		r.bound[k] = bound[pb[k]];
		r.canon_bound[k] = canonical_value(c, CANON_BOUND, bound, pb, k);
	}
	Node *value = arena_array(c->arena, Node, nfree);
	for (uint32_t k = 0; k < nfree; k++) {
		value[k] = canonical_value(c, CANON_FREE, free, pf, k);
	}
	/* formals by first occurrence in the canonical form */
	r.free = arena_array(c->arena, Index, nfree);
	r.canon_free = arena_array(c->arena, Node, nfree);
	n = core_free(c, r.canon, &seen);
	uint32_t to = 0;
	for (uint32_t k = 0; k < n; k++) {
		for (uint32_t q = 0; q < nfree; q++) {
			if (c->index[seen[k]].value == value[q]) {
				r.free[to] = free[pf[q]];
				r.canon_free[to++] = value[q];
			}
		}
	}
	r.nfree = to;
	return r;
}

static Def define_closed(Core *c, const Closed *r, Sym name, Span span, Kind kind)
{
	uint32_t all = r->nfree + r->nbound;
	Index *fresh = arena_array(c->arena, Index, all), *from = arena_array(c->arena, Index, all);
	Node *to = arena_array(c->arena, Node, all);
	for (uint32_t k = 0; k < all; k++) {
		bool free = k < r->nfree;
		fresh[k] = core_index_like(c, free ? r->free[k] : r->bound[k - r->nfree]);
		from[k] = core_node(c, free ? r->canon_free[k] : r->canon_bound[k - r->nfree])->ref;
		to[k] = core_index_value(c, fresh[k]);
	}
	Piece piece = {.value = core_subst(c, r->canon, all, from, to)};
	DefInfo info = {.role = DEF_REDUCTION,
			.name = name,
			.span = span,
			.kind = kind,
			.nindex = r->nfree,
			.index = fresh,
			.red = r->red,
			.nbound = r->nbound,
			.bound = fresh + r->nfree,
			.npiece = 1,
			.piece = &piece};
	return core_define(c, info);
}

static Node share_reduction(Core *c, RedKind red, Sym name, Span span, uint32_t nbound,
			    const Index *bound, Node body)
{
	Closed r = close_body(c, red, nbound, bound, body);
	uint32_t nkey = 0, *key = arena_array(c->arena, uint32_t, r.nbound + 2);
	key[nkey++] = red;
	key[nkey++] = r.canon;
	for (uint32_t k = 0; k < r.nbound; k++) {
		key[nkey++] = r.canon_bound[k];
	}
	Def d = core_key_find(&c->reduced, key, nkey);
	if (!d) {
		d = define_closed(c, &r, name, span, result_kind(c, red, body));
		core_key_add(c, &c->reduced, key, nkey, d);
	}
	return core_read_plain(c, d, r.free);
}

static Node reduce_sum(Core *c, Sym name, Span span, Sum *s)
{
	for (;;) {
		take_guard(c, s);
		while (s->inner && resolve_one_point(c, s)) {
			take_guard(c, s);
		}
		if (core_is_zero(c, s->body)) {
			return s->body;
		}
		if (s->inner) {
			split_guard(c, s);
		}
		split_factors(c, s);
		if (core_node(c, s->body)->tag == NODE_GUARD) {
			continue;
		}
		count_unused(c, s);
		if (s->nbound == 0 || !join_sums(c, s)) {
			break;
		}
	}
	Node n = s->inner ? core_guard(c, s->inner, s->body) : s->body;
	if (core_is_zero(c, n)) {
		return n;
	}
	if (s->nbound) {
		n = share_reduction(c, RED_SUM, name, span, s->nbound, s->bound, n);
	}
	n = s->factor ? core_mul(c, s->factor, n) : n;
	return s->cond ? core_guard(c, s->cond, n) : n;
}

/* max, min, all and any do not see an index that the body does not have, unless its axis may be
 * empty. */
static uint32_t drop_idle(Core *c, RedKind red, uint32_t n, Index *bound, Node body)
{
	bool idle = red == RED_MAX || red == RED_MIN || red == RED_ALL || red == RED_ANY;
	uint32_t to = 0;
	for (uint32_t k = 0; k < n; k++) {
		bool full = c->axis[c->index[bound[k]].axis].size > 0 && !is_ragged(c, bound[k]);
		if (!idle || !full || core_has_index(c, body, bound[k])) {
			bound[to++] = bound[k];
		}
	}
	return to;
}

Node core_reduce(Core *c, RedKind red, Sym name, Span span, uint32_t nbound, const Index *bound,
		 Node body)
{
	assert(red != RED_NONE);
	Index *own = arena_array(c->arena, Index, nbound);
	if (nbound) {
		memcpy(own, bound, nbound * sizeof *own);
	}
	if (red == RED_SUM) {
		assert(core_kind(c, body) != KIND_BOOL);
		Sum s = {.bound = own, .nbound = nbound, .body = body};
		return reduce_sum(c, name, span, &s);
	}
	if (red != RED_ARGMAX && red != RED_ARGMIN) {
		nbound = drop_idle(c, red, nbound, own, body);
		if (nbound == 0 ||
		    (red == RED_ALL && core_order(c, body, core_bool_const(c, true)) == 0) ||
		    (red == RED_ANY && core_order(c, body, core_bool_const(c, false)) == 0)) {
			return body;
		}
	}
	return share_reduction(c, red, name, span, nbound, own, body);
}
