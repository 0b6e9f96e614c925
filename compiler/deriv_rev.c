/* deriv_rev.c — reverse derivatives: the adjoint of a definition is a definition. Definitions are
 * visited from the last to the first; every read d[e(i)] with partial p(i) in the value of f[i]
 * adds Σ_i [e(i) = k] p(i)*f_[i] to d_[k] (deriv_solve.c).
 *
 * The scalar may stand in a context (one energy per sample): its adjoints then carry the context's
 * indices, but for those that every read on the way has unchanged at one position (the pin), where
 * they are that position's own index. */
#include "compiler/deriv_int.h"

#include <string.h>

Sym adjoint_name(const Reverse *r, Def d)
{
	return deriv_sym(r->dv, "%s_%s", deriv_name_of(r->dv, d), r->suffix);
}

int32_t adjoint_pin(const Reverse *r, const Adjoint *h, uint32_t q)
{
	uint32_t rank = core_def(r->c, h->def)->nindex;
	for (uint32_t k = 0; k < rank && k < 64; k++) {
		if (h->pin[q] >> k & 1) {
			return (int32_t)k;
		}
	}
	return -1;
}

uint32_t adjoint_formals(const Reverse *r, const Adjoint *h, Index **formals)
{
	uint32_t rank = core_def(r->c, h->def)->nindex, n = rank;
	Index *out = arena_array(r->dv->a, Index, rank + r->nctx + 1);
	memcpy(out, h->m, rank * sizeof *out);
	for (uint32_t q = 0; q < r->nctx; q++) {
		if (adjoint_pin(r, h, q) < 0) {
			out[n++] = r->ctx[q];
		}
	}
	*formals = out;
	return n;
}

/* ---- which context indices pass through ---- */

static Adjoint *adjoint_of(Reverse *r, Def d)
{
	return d < r->nadj ? r->adj[d] : NULL;
}

static bool pin_read(Reverse *r, Node read, const Index *at)
{
	const NodeInfo *p = core_node(r->c, read);
	Adjoint *h = p->kind == KIND_REAL ? adjoint_of(r, p->ref) : NULL;
	if (!h) {
		return false;
	}
	bool changed = !h->reached;
	h->reached = true;
	for (uint32_t q = 0; q < r->nctx; q++) {
		uint64_t mask = 0;
		for (uint32_t k = 0; k < p->n && k < 64; k++) {
			mask |= at[q] && deriv_plain(r->dv, p->arg[k]) == at[q] ? UINT64_C(1) << k
										: 0;
		}
		changed |= (h->pin[q] & mask) != h->pin[q];
		h->pin[q] &= mask;
	}
	return changed;
}

static bool pin_def(Reverse *r, Adjoint *g)
{
	const Node *read;
	if (!g || !g->reached || scope_is_var(r->s, g->def)) {
		return false;
	}
	uint32_t n = deriv_reads(r->dv, g->def, &read);
	Index *at = arena_array(r->dv->a, Index, r->nctx + 1);
	for (uint32_t q = 0; q < r->nctx; q++) {
		int32_t k = adjoint_pin(r, g, q);
		at[q] = k < 0 ? 0 : core_def(r->c, g->def)->index[k];
	}
	bool changed = false;
	for (uint32_t k = 0; k < n; k++) {
		changed |= pin_read(r, read[k], at);
	}
	return changed;
}

/* ---- one definition ---- */

/* What reaches argument j of a node that p reaches; 0 if nothing does. */
static Node reaches(Reverse *r, const LinTerm *t, Node node, uint32_t j, Node p)
{
	Core *c = r->c;
	const NodeInfo *info = core_node(c, node);
	Node slope;
	switch ((NodeTag)info->tag) {
	case NODE_LIN:
		return core_scale(c, info->coef[j], p);
	case NODE_PROD:
		slope = node == t->alone ? deriv_slope(r->dv, t, node, j)
					 : deriv_cofactor(r->dv, node, j);
		return core_mul(c, p, slope);
	case NODE_OP:
		slope = deriv_slope(r->dv, t, node, j);
		return slope ? core_mul(c, p, slope) : 0;
	default: /* SELECT, GUARD */
		return core_guard(c, j == 1 ? info->arg[0] : core_op1(c, OP_not, info->arg[0]), p);
	}
}

/* Partial derivatives of t.of by each read in it, times the adjoint a, sent to where they belong.
 */
static void propagate(Reverse *r, const LinTerm *t, uint32_t n, const SumIndex *ix, Node a)
{
	Core *c = r->c;
	Sub sub = deriv_sub(r->dv, t->of, SUB_PASSING);
	Parts *parts = arena_array(r->dv->a, Parts, sub.n);
	parts_add(r->dv, &parts[sub.n - 1], t->weight ? t->weight : core_real_const(c, 1.0));
	for (uint32_t k = sub.n; k-- > 0;) {
		Node node = sub.node[k], p = parts_total(r->dv, &parts[k]);
		const NodeInfo *info = core_node(c, node);
		if (!p) {
			continue;
		}
		p = deriv_pull(r->dv, p);
		if (info->tag == NODE_READ) {
			Adjoint *h = info->kind == KIND_REAL ? adjoint_of(r, info->ref) : NULL;
			if (h) {
				adjoint_add(r, h, node, n, ix, p, a);
			}
			continue;
		}
		for (uint32_t j = 0; j < info->n; j++) {
			uint32_t at = deriv_passes(info, j) ? deriv_sub_find(&sub, info->arg[j])
							    : UINT32_MAX;
			if (at == UINT32_MAX || !scope_active(r->s, info->arg[j])) {
				continue;
			}
			Node part = reaches(r, t, node, j, p);
			if (part) {
				parts_add(r->dv, &parts[at], part);
			}
		}
	}
}

/* The arguments at which a cell of a piece is opened: pinned indices are the context's, points are
 * constants, others are summed. *cond says where in the context the cell lies (0: everywhere). */
static uint32_t open_cell(Reverse *r, Adjoint *g, const Seg *cell, Node *args, SumIndex *ix,
			  Node *cond)
{
	Core *c = r->c;
	const DefInfo *info = core_def(c, g->def);
	uint32_t n = 0;
	*cond = 0;
	for (uint32_t k = 0; k < info->nindex; k++) {
		Axis axis = core_index_axis(c, info->index[k]);
		uint32_t q = 0;
		while (q < r->nctx && adjoint_pin(r, g, q) != (int32_t)k) {
			q++;
		}
		if (q < r->nctx) {
			args[k] = core_index_value(c, r->ctx[q]);
			Node in = seg_condition(c, args[k], seg_of_axis(c, axis), cell[k]);
			*cond = in && *cond ? core_op2(c, OP_and, *cond, in) : in ? in : *cond;
		} else if (seg_point(cell[k])) {
			args[k] = lim_node(c, cell[k].lo);
		} else {
			Seg range = g->support ? seg_meet(c, cell[k], g->support[k]) : cell[k];
			ix[n] = (SumIndex){core_index(c, axis, core_index_name(c, info->index[k])),
					   range};
			args[k] = core_index_value(c, ix[n++].index);
		}
	}
	return n;
}

/* First match wins: the condition that no earlier piece covers the element; *none if one covers the
 * whole cell. */
static Node not_earlier(Reverse *r, Def d, uint32_t piece, const Seg *cell, const Node *args,
			bool *none)
{
	Core *c = r->c;
	const DefInfo *info = core_def(c, d);
	Node out = 0;
	for (uint32_t p = 0; p < piece; p++) {
		Node in = 0;
		bool meets = true;
		for (uint32_t k = 0; k < info->nindex && meets; k++) {
			Axis a = core_index_axis(c, info->index[k]);
			Seg s = info->piece[p].box ? seg_of_range(c, a, info->piece[p].box[k])
						   : seg_of_axis(c, a);
			meets = seg_disjoint(c, cell[k], s) != TRI_YES;
			Node one = meets ? seg_condition(c, args[k], cell[k], s) : 0;
			in = one && in ? core_op2(c, OP_and, in, one) : one ? one : in;
		}
		if (meets && !in) {
			*none = true;
			return 0;
		}
		if (meets) {
			Node not_in = core_op1(c, OP_not, in);
			out = out ? core_op2(c, OP_and, out, not_in) : not_in;
		}
	}
	return out;
}

static void visit_cell(Reverse *r, Adjoint *g, uint32_t piece, const Seg *cell)
{
	Core *c = r->c;
	uint32_t rank = core_def(c, g->def)->nindex;
	Node *args = arena_array(r->dv->a, Node, rank + 1), cond;
	SumIndex *ix = arena_array(r->dv->a, SumIndex, rank + 1);
	uint32_t n = open_cell(r, g, cell, args, ix, &cond);
	bool none = false;
	Node rest =
		core_def(c, g->def)->rule ? 0 : not_earlier(r, g->def, piece, cell, args, &none);
	if (none) {
		return;
	}
	Node a = core_subst(c, g->node, rank, g->m, args);
	a = cond ? core_guard(c, cond, a) : a;
	a = rest ? core_guard(c, rest, a) : a;
	const LinTerm *term;
	uint32_t nterm = deriv_terms(r->dv, g->def, piece, args, &term);
	for (uint32_t k = 0; k < nterm; k++) {
		SumIndex *all = arena_array(r->dv->a, SumIndex, n + term[k].nbound + 1);
		memcpy(all, ix, n * sizeof *all);
		for (uint32_t j = 0; j < term[k].nbound; j++) {
			Index b = term[k].bound[j];
			all[n + j] = (SumIndex){b, seg_of_axis(c, core_index_axis(c, b))};
		}
		propagate(r, &term[k], n + term[k].nbound, all, a);
	}
}

static void visit_def(Reverse *r, Adjoint *g)
{
	uint32_t npiece = deriv_piece_count(r->dv, g->def);
	if (!g->node) {
		return;
	}
	for (uint32_t p = 0; p < npiece; p++) {
		Domain m = domain_of_piece(r->dv, g->def, p);
		uint32_t *at = arena_array(r->dv->a, uint32_t, m.n + 1);
		Seg *cell = arena_array(r->dv->a, Seg, m.n + 1);
		do {
			bool empty = false;
			for (uint32_t k = 0; k < m.n; k++) {
				cell[k] = m.seg[k][at[k]];
				empty |= lim_lt(r->c, cell[k].hi, cell[k].lo) == TRI_YES;
			}
			if (!empty) {
				visit_cell(r, g, p, cell);
			}
		} while (domain_next(&m, at));
	}
}

/* ---- the sweep ---- */

static void name_in_advance(Reverse *r, Adjoint *h)
{
	Index *formals;
	uint32_t n = adjoint_formals(r, h, &formals);
	const DefInfo *info = core_def(r->c, h->def);
	h->named = deriv_define(r->dv, adjoint_name(r, h->def), info->span, n, formals, 0, NULL,
				DEF_ZERO_OUTSIDE);
	h->node = core_read_plain(r->c, h->named, formals);
	deriv_fact(r->dv, h->named)->like = h->def;
}

static void sweep_component(Reverse *r, uint32_t n, Def *member)
{
	bool *named = arena_array(r->dv->a, bool, n + 1);
	uint32_t got = 0;
	for (uint32_t k = 0; k < n; k++) {
		Adjoint *h = adjoint_of(r, member[k]);
		if (h && h->reached && !scope_is_var(r->s, member[k])) {
			member[got++] = member[k];
		}
	}
	deriv_cycle_order(r->dv, got, member, named);
	for (uint32_t k = 0; k < got; k++) {
		if (named[k]) {
			name_in_advance(r, adjoint_of(r, member[k]));
		}
	}
	for (uint32_t k = got; k-- > 0;) {
		Adjoint *h = adjoint_of(r, member[k]);
		if (!named[k]) {
			adjoint_close(r, h);
		}
		visit_def(r, h);
	}
	for (uint32_t k = 0; k < got; k++) {
		if (named[k]) {
			adjoint_close(r, adjoint_of(r, member[k]));
		}
	}
}

static void adjoints_begin(Reverse *r, uint32_t count, const Def *order)
{
	r->nadj = core_def_count(r->c) + 1;
	r->adj = arena_array(r->dv->a, Adjoint *, r->nadj);
	for (uint32_t k = 0; k < count; k++) {
		const DefInfo *info = core_def(r->c, order[k]);
		if (info->kind != KIND_REAL || !scope_mark(r->s, order[k])->active) {
			continue;
		}
		Adjoint *h = arena_new(r->dv->a, Adjoint);
		h->def = order[k];
		h->m = arena_array(r->dv->a, Index, info->nindex + 1);
		for (uint32_t j = 0; j < info->nindex; j++) {
			h->m[j] = core_index_like(r->c, info->index[j]);
		}
		h->pin = arena_array(r->dv->a, uint64_t, r->nctx + 1);
		memset(h->pin, 0xff, r->nctx * sizeof *h->pin);
		r->adj[order[k]] = h;
	}
}

static void find_pins(Reverse *r, Node of, uint32_t count, const Def *order,
		      const uint32_t *component)
{
	Sub sub = deriv_sub(r->dv, of, SUB_PASSING);
	for (uint32_t k = 0; k < sub.n; k++) {
		if (core_node(r->c, sub.node[k])->tag == NODE_READ) {
			pin_read(r, sub.node[k], r->ctx);
		}
	}
	for (uint32_t end = count; end > 0;) {
		uint32_t begin = end - 1;
		while (begin > 0 && component[begin - 1] == component[end - 1]) {
			begin--;
		}
		for (bool changed = true; changed;) {
			changed = false;
			for (uint32_t k = begin; k < end; k++) {
				changed |= pin_def(r, adjoint_of(r, order[k]));
			}
			changed = changed && end - begin > 1;
		}
		end = begin;
	}
}

void deriv_reverse(Scope *s, Node of, uint32_t nctx, const Index *ctx, const char *suffix,
		   Index **formal, Node *adj)
{
	Reverse r = {
		.s = s, .dv = s->dv, .c = s->dv->c, .nctx = nctx, .ctx = ctx, .suffix = suffix};
	of = deriv_normal(s->dv, of, 0);
	Def *order;
	uint32_t *component;
	uint32_t count = core_reach(r.c, r.dv->a, 1, &of, &order, &component);
	adjoints_begin(&r, count, order);
	r.before = core_def_count(r.c);
	find_pins(&r, of, count, order, component);
	LinTerm t = deriv_term_of(of);
	propagate(&r, &t, 0, NULL, core_real_const(r.c, 1.0));
	for (uint32_t end = count; end > 0;) {
		uint32_t begin = end - 1;
		while (begin > 0 && component[begin - 1] == component[end - 1]) {
			begin--;
		}
		sweep_component(&r, end - begin, order + begin);
		end = begin;
	}
	for (uint32_t k = 0; k < s->nvar; k++) {
		Adjoint *h = adjoint_of(&r, s->var[k]);
		adj[k] = 0;
		formal[k] = NULL;
		if (h && h->npart) {
			adjoint_close(&r, h);
			adj[k] = h->node;
			formal[k] = h->m;
		}
		for (uint32_t q = 0; adj[k] && q < nctx; q++) {
			int32_t at = adjoint_pin(&r, h, q);
			if (at >= 0) {
				Node same = core_op2(r.c, OP_ieq, core_index_value(r.c, h->m[at]),
						     core_index_value(r.c, ctx[q]));
				adj[k] = core_guard(r.c, same, adj[k]);
			}
		}
	}
}
