/* deriv_solve.c — the one rule of reverse derivatives: Σ_i [e(i) = k] p(i)*f_[i] is added to d_[k].
 * The equations e(i) = k are solved position by position: an index is substituted, a shift is
 * undone (in range, or zero outside by itself), of several indices that on d's own axis is solved
 * for; what cannot be solved stays a one-point filter on the sum, a scatter. */
#include "compiler/deriv_int.h"

#include <string.h>

typedef struct Solve {
	Reverse *r;
	Deriv *dv;
	Core *c;
	Adjoint *h;
	Node *e; /* what is left of the read's arguments */
	bool *done;
	SumIndex *ix; /* indices still summed */
	uint32_t n;
	Node p, a, cond;
	Need *need;
	uint32_t nneed;
	bool scatter;
} Solve;

static Axis target_axis(const Solve *v, uint32_t pos)
{
	return core_index_axis(v->c, v->h->m[pos]);
}

static bool periodic(const Solve *v, Axis a)
{
	return core_axis_info(v->c, a)->flags & AXIS_PERIODIC;
}

static bool whole_axis(const Solve *v, const SumIndex *i, Axis a)
{
	Seg all = seg_of_axis(v->c, a);
	return core_index_axis(v->c, i->index) == a && lim_same(all.lo, i->range.lo) &&
	       lim_same(all.hi, i->range.hi);
}

static int32_t summed(const Solve *v, Index i)
{
	for (uint32_t k = 0; k < v->n; k++) {
		if (v->ix[k].index == i) {
			return (int32_t)k;
		}
	}
	return -1;
}

static bool has_summed(const Solve *v, Node n)
{
	for (uint32_t k = 0; k < v->n; k++) {
		if (core_has_index(v->c, n, v->ix[k].index)) {
			return true;
		}
	}
	return false;
}

static void and_condition(Solve *v, Node cond)
{
	v->cond = v->cond ? core_op2(v->c, OP_and, v->cond, cond) : cond;
}

/* The segments outside which the adjoint a vanishes by itself when index i runs out, if nothing
 * else looks at i: a is then a number times one read of a definition of this sweep's that has i
 * plain at some position. */
static void find_zero(Solve *v, Index i, Need *need)
{
	Core *c = v->c;
	if (core_has_index(c, v->p, i)) {
		return;
	}
	const NodeInfo *p = core_node(c, v->a);
	if (p->tag == NODE_LIN && p->n == 1 && p->num == 0) {
		p = core_node(c, p->arg[0]);
	}
	if (p->tag != NODE_READ) {
		return;
	}
	const DefInfo *info = core_def(c, p->ref);
	bool own =
		p->ref > v->r->before && (info->role == DEF_VALUE || info->role == DEF_REDUCTION);
	if (!own && !(info->flags & DEF_ZERO_OUTSIDE)) {
		return;
	}
	for (uint32_t k = 0; k < p->n; k++) {
		if (deriv_plain(v->dv, p->arg[k]) == i &&
		    !periodic(v, core_index_axis(c, info->index[k]))) {
			Def like = deriv_fact(v->dv, p->ref)->like;
			Domain m = domain_of(v->dv, like ? like : p->ref);
			need->zeroed = p->ref;
			need->nzero = m.nseg[k];
			need->zero = m.seg[k];
			return;
		}
	}
}

/* Index i has the value `value`: everywhere, at once. */
static void solve_for(Solve *v, uint32_t pos, uint32_t k, Node value, Need need, bool check)
{
	Core *c = v->c;
	Index i = v->ix[k].index;
	need.value = value;
	need.in = v->ix[k].range;
	if (check) {
		find_zero(v, i, &need);
		v->need[v->nneed++] = need;
	}
	memmove(v->ix + k, v->ix + k + 1, (v->n - k - 1) * sizeof *v->ix);
	v->n--;
	v->done[pos] = true;
	uint32_t rank = core_def(c, v->h->def)->nindex;
	Axis axis = core_index_axis(c, i);
	Node wrapped = deriv_wrap(v->dv, axis, value);
	for (uint32_t j = 0; j < rank; j++) {
		v->e[j] = core_subst(c, v->e[j], 1, &i,
				     target_axis(v, j) == axis ? &value : &wrapped);
	}
	for (uint32_t j = 0; j < v->nneed; j++) {
		v->need[j].value = core_subst(c, v->need[j].value, 1, &i, &wrapped);
	}
	v->p = deriv_inline(v->dv, v->p, 1, &i, &value);
	v->a = deriv_inline(v->dv, v->a, 1, &i, &value);
	v->cond = v->cond ? deriv_inline(v->dv, v->cond, 1, &i, &value) : 0;
}

static void solve_plain(Solve *v, uint32_t pos)
{
	Index i = deriv_plain(v->dv, v->e[pos]);
	int32_t k = i ? summed(v, i) : -1;
	if (k < 0) {
		return;
	}
	Axis axis = target_axis(v, pos);
	SumIndex *s = &v->ix[k];
	bool all = whole_axis(v, s, axis);
	if (periodic(v, axis) && !all &&
	    seg_inside(v->c, s->range, seg_of_axis(v->c, axis)) != TRI_YES) {
		return; /* it would wrap */
	}
	Need need = {.pos = (int32_t)pos, .sign = 1};
	solve_for(v, pos, (uint32_t)k, core_index_value(v->c, v->h->m[pos]), need, true);
}

/* e = rest + sign*i for exactly one way of choosing the summed index i? One on the target's own
 * axis is preferred. */
static int32_t choose_shift(const Solve *v, uint32_t pos, int32_t *sign)
{
	const NodeInfo *p = core_node(v->c, v->e[pos]);
	Axis axis = target_axis(v, pos);
	int32_t found = -1;
	bool own = false, several = false;
	for (uint32_t t = 0; p->tag == NODE_LIN && t < p->n; t++) {
		Index i = deriv_plain(v->dv, p->arg[t]);
		int32_t k = i && (p->coef[t] == 1 || p->coef[t] == -1) ? summed(v, i) : -1;
		bool elsewhere = has_summed(v, p->arg[t]) && k < 0;
		for (uint32_t u = 0; k >= 0 && u < p->n; u++) {
			elsewhere = elsewhere || (u != t && core_has_index(v->c, p->arg[u], i));
		}
		several = several || elsewhere;
		if (k < 0 || elsewhere) {
			continue;
		}
		bool mine = whole_axis(v, &v->ix[k], axis) ||
			    (core_index_axis(v->c, i) == axis && !periodic(v, axis));
		several = several || (found >= 0 && !own && !mine);
		if (found < 0 || (mine && !own)) {
			found = k;
			own = mine;
			*sign = (int32_t)p->coef[t];
		}
	}
	return own || (!several && !periodic(v, axis)) ? found : -1;
}

static void solve_shift(Solve *v, uint32_t pos)
{
	Core *c = v->c;
	int32_t sign = 0, k = choose_shift(v, pos, &sign);
	if (k < 0) {
		return;
	}
	Node i = core_index_value(c, v->ix[k].index), m = core_index_value(c, v->h->m[pos]);
	Node rest = sign > 0 ? core_sub(c, v->e[pos], i) : core_add(c, v->e[pos], i);
	Node value = sign > 0 ? core_sub(c, m, rest) : core_sub(c, rest, m);
	const NodeInfo *q = core_node(c, rest);
	Need need = {.pos = -1};
	if (q->tag == NODE_CONST) {
		need = (Need){.pos = (int32_t)pos,
			      .sign = sign,
			      .shift = sign > 0 ? -q->integer : q->integer};
	}
	solve_for(v, pos, (uint32_t)k, value, need, !periodic(v, target_axis(v, pos)));
}

/* b xor mask runs over the axis as b does, and undoes itself. */
static void solve_xor(Solve *v, uint32_t pos)
{
	Core *c = v->c;
	const NodeInfo *p = core_node(c, v->e[pos]);
	Axis axis = target_axis(v, pos);
	if (p->tag != NODE_OP || p->op != OP_bxor || core_axis_info(c, axis)->first != 0) {
		return;
	}
	for (uint32_t t = 0; t < 2; t++) {
		Index i = deriv_plain(v->dv, p->arg[t]);
		int32_t k = i ? summed(v, i) : -1;
		if (k >= 0 && whole_axis(v, &v->ix[k], axis) &&
		    !core_has_index(c, p->arg[1 - t], i)) {
			Node value = core_op2(c, OP_bxor, core_index_value(c, v->h->m[pos]),
					      p->arg[1 - t]);
			solve_for(v, pos, (uint32_t)k, value, (Need){0}, false);
			return;
		}
	}
}

static void solve_filter(Solve *v, uint32_t pos)
{
	Core *c = v->c;
	Axis axis = target_axis(v, pos);
	Node e = deriv_wrap(v->dv, axis, v->e[pos]), m = core_index_value(c, v->h->m[pos]);
	v->scatter = v->scatter || has_summed(v, e);
	and_condition(v, core_op2(c, OP_ieq, m, e));
}

static void solve_finish(Solve *v)
{
	Core *c = v->c;
	for (uint32_t k = 0; k < v->n; k++) { /* ranges that are not whole axes */
		Index i = v->ix[k].index;
		Node in = seg_condition(c, core_index_value(c, i),
					seg_of_axis(c, core_index_axis(c, i)), v->ix[k].range);
		if (in) {
			and_condition(v, in);
		}
	}
	Contribution part = {
		.nbound = v->n, .nneed = v->nneed, .need = v->need, .scatter = v->scatter};
	part.bound = arena_array(v->dv->a, Index, v->n + 1);
	for (uint32_t k = 0; k < v->n; k++) {
		part.bound[k] = v->ix[k].index;
	}
	part.body = core_mul(c, v->p, v->a);
	if (v->cond) {
		part.body = core_guard(c, v->cond, part.body);
	}
	for (uint32_t q = 0; q < v->r->nctx;
	     q++) { /* pinned context indices are the adjoint's own */
		int32_t at = adjoint_pin(v->r, v->h, q);
		if (at >= 0) {
			Node m = core_index_value(c, v->h->m[at]);
			part.body = core_subst(c, part.body, 1, &v->r->ctx[q], &m);
			for (uint32_t k = 0; k < part.nneed; k++) {
				part.need[k].value =
					core_subst(c, part.need[k].value, 1, &v->r->ctx[q], &m);
			}
		}
	}
	double zero;
	if (!core_is_const(c, part.body, &zero) || zero != 0) {
		ARENA_PUSH(v->dv->a, v->h->part, v->h->npart, v->h->cap, part);
	}
}

/* The formals of a leaf have no names: its adjoint's are called as where the leaf is read first. */
static void name_formals(Reverse *r, Adjoint *h, const NodeInfo *read)
{
	for (uint32_t k = 0; k < read->n; k++) {
		Index i = deriv_plain(r->dv, read->arg[k]);
		Sym name = i ? core_index_name(r->c, i) : 0;
		if (name && !core_index_name(r->c, h->m[k])) {
			h->m[k] = core_index(r->c, core_index_axis(r->c, h->m[k]), name);
		}
	}
	h->met = true;
}

void adjoint_add(Reverse *r, Adjoint *h, Node read, uint32_t n, const SumIndex *ix, Node p, Node a)
{
	const NodeInfo *info = core_node(r->c, read);
	uint32_t rank = info->n;
	if (!h->met && core_def(r->c, h->def)->role > DEF_REDUCTION) {
		name_formals(r, h, info);
	}
	Solve v = {.r = r, .dv = r->dv, .c = r->c, .h = h, .n = n, .p = p, .a = a};
	v.e = arena_array(r->dv->a, Node, rank + 1);
	v.done = arena_array(r->dv->a, bool, rank + 1);
	v.ix = arena_array(r->dv->a, SumIndex, n + 1);
	v.need = arena_array(r->dv->a, Need, rank + 1);
	if (rank) {
		memcpy(v.e, info->arg, rank * sizeof *v.e);
	}
	if (n) {
		memcpy(v.ix, ix, n * sizeof *ix);
	}
	for (uint32_t q = 0; q < r->nctx; q++) {
		int32_t at = adjoint_pin(r, h, q);
		if (at >= 0) {
			v.done[at] = true;
		}
	}
	void (*const way[])(Solve *, uint32_t) = {solve_plain, solve_shift, solve_xor,
						  solve_filter};
	for (uint32_t w = 0; w < sizeof way / sizeof *way; w++) {
		for (uint32_t k = 0; k < rank; k++) {
			if (!v.done[k]) {
				way[w](&v, k);
			}
		}
	}
	solve_finish(&v);
}

/* ---- closing ---- */

/* Contributions over the same axes, gathered into one sum. */
typedef struct Group {
	uint32_t nbound;
	Index *bound;
	Parts body;
	bool scatter;
} Group;

typedef struct Close {
	Reverse *r;
	Adjoint *h;
	const Seg *cell;
	const Node *m; /* values of the formals in this cell */
	Group *group;
	size_t n, cap;
} Close;

/* Where the solved index lies for elements of the cell. */
static bool need_known(Core *c, const Need *n, const Seg *cell, Seg *known)
{
	if (n->pos < 0) {
		return false;
	}
	Seg s = cell[n->pos];
	if (n->sign > 0) {
		*known = seg_shift(s, n->shift);
		return true;
	}
	(void)c;
	*known = (Seg){{.off = n->shift - s.hi.off}, {.off = n->shift - s.lo.off}};
	return !s.lo.last && !s.hi.last;
}

/* Outside `in`, does the term vanish by itself? */
static bool need_vanishes(Core *c, const Need *n, bool known, Seg where)
{
	for (uint32_t k = 0; k < n->nzero; k++) {
		if (seg_inside(c, n->zero[k], n->in) == TRI_YES) {
			continue;
		}
		Seg below = {where.lo, seg_shift(n->in, -1).lo},
		    above = {seg_shift(n->in, 1).hi, where.hi};
		bool clear_low = lim_le(c, n->in.lo, where.lo) == TRI_YES ||
				 seg_disjoint(c, n->zero[k], below) == TRI_YES;
		bool clear_high = lim_le(c, where.hi, n->in.hi) == TRI_YES ||
				  seg_disjoint(c, n->zero[k], above) == TRI_YES;
		if (!known || !clear_low || !clear_high) {
			return false;
		}
	}
	if (n->nzero) {
		core_def_mutable(c, n->zeroed)->flags |= DEF_ZERO_OUTSIDE;
	}
	return n->nzero > 0;
}

/* The body of a contribution in this cell; 0 if nothing arrives here. */
static Node in_cell(Close *k, const Contribution *part)
{
	Core *c = k->r->c;
	uint32_t rank = core_def(c, k->h->def)->nindex;
	Node body = part->body;
	for (uint32_t j = 0; j < part->nneed; j++) {
		const Need *n = &part->need[j];
		Seg known = {0};
		bool is_known = need_known(c, n, k->cell, &known);
		Tri inside = is_known ? seg_inside(c, known, n->in) : TRI_MAYBE;
		if (inside == TRI_NO) {
			return 0;
		}
		if (inside == TRI_MAYBE && !need_vanishes(c, n, is_known, known)) {
			Node low = core_op2(c, OP_ile, lim_node(c, n->in.lo), n->value);
			Node high = core_op2(c, OP_ile, n->value, lim_node(c, n->in.hi));
			Node cond = is_known ? seg_condition(c, n->value, known, n->in)
					     : core_op2(c, OP_and, low, high);
			body = cond ? core_guard(c, cond, body) : body;
		}
	}
	return core_subst(c, body, rank, k->h->m, k->m);
}

/* The names of a group's bound indices for those of a contribution on the same axes; false if the
 * axes differ. */
static bool group_fits(Close *k, const Group *g, const Contribution *part, Node *to)
{
	if (g->scatter || part->scatter || g->nbound != part->nbound) {
		return false;
	}
	bool *used = arena_array(k->r->dv->a, bool, g->nbound + 1);
	for (uint32_t j = 0; j < part->nbound; j++) {
		uint32_t b = 0;
		Axis axis = core_index_axis(k->r->c, part->bound[j]);
		while (b < g->nbound &&
		       (used[b] || core_index_axis(k->r->c, g->bound[b]) != axis)) {
			b++;
		}
		if (b == g->nbound) {
			return false;
		}
		used[b] = true;
		to[j] = core_index_value(k->r->c, g->bound[b]);
	}
	return true;
}

static void gather(Close *k, const Contribution *part)
{
	Core *c = k->r->c;
	Node body = in_cell(k, part);
	if (!body) {
		return;
	}
	Node *to = arena_array(k->r->dv->a, Node, part->nbound + 1);
	for (size_t g = 0; g < k->n; g++) {
		if (group_fits(k, &k->group[g], part, to)) {
			body = core_subst(c, body, part->nbound, part->bound, to);
			parts_add(k->r->dv, &k->group[g].body, body);
			return;
		}
	}
	Group fresh = {.nbound = part->nbound, .bound = part->bound, .scatter = part->scatter};
	parts_add(k->r->dv, &fresh.body, body);
	ARENA_PUSH(k->r->dv->a, k->group, k->n, k->cap, fresh);
}

static Node cell_value(Reverse *r, Adjoint *h, const Seg *cell, const Node *m)
{
	Close k = {.r = r, .h = h, .cell = cell, .m = m};
	for (size_t j = 0; j < h->npart; j++) {
		gather(&k, &h->part[j]);
	}
	Parts groups = {0};
	Span span = core_def(r->c, h->def)->span;
	for (size_t j = 0; j < k.n; j++) {
		Group *g = &k.group[j];
		Node n = deriv_pull(r->dv, parts_total(r->dv, &g->body));
		if (g->nbound) {
			n = core_reduce(r->c, RED_SUM, adjoint_name(r, h->def), span, g->nbound,
					g->bound, n);
		}
		parts_add(r->dv, &groups, n);
	}
	double v;
	Node sum = parts_total(r->dv, &groups);
	return sum && core_is_const(r->c, sum, &v) && v == 0 ? 0 : sum;
}

/* Where one contribution can be nonzero in formal k: a solved index must lie in its range. */
static Seg part_support(Core *c, const Contribution *part, uint32_t k, Seg all)
{
	Seg s = all;
	for (uint32_t j = 0; j < part->nneed; j++) {
		const Need *n = &part->need[j];
		if (n->pos == (int32_t)k && n->sign > 0) {
			s = seg_meet(c, s, seg_shift(n->in, -n->shift));
		}
	}
	return s;
}

static void find_support(Reverse *r, Adjoint *h)
{
	const DefInfo *info = core_def(r->c, h->def);
	h->support = arena_array(r->dv->a, Seg, info->nindex + 1);
	for (uint32_t k = 0; k < info->nindex; k++) {
		Seg all = seg_of_axis(r->c, core_index_axis(r->c, info->index[k]));
		h->support[k] = all;
		for (size_t j = 0; j < h->npart; j++) {
			Seg s = part_support(r->c, &h->part[j], k, all);
			h->support[k] = j ? seg_hull(r->c, h->support[k], s, all) : s;
		}
	}
}

static void close_whole(Reverse *r, Adjoint *h, const Seg *cell)
{
	Core *c = r->c;
	const DefInfo info = *core_def(c, h->def);
	Index *formals, *ix;
	uint32_t n = adjoint_formals(r, h, &formals);
	ix = arena_array(r->dv->a, Index, n + 1);
	for (uint32_t k = 0; k < n; k++) {
		ix[k] = k < info.nindex ? core_index(c, core_index_axis(c, formals[k]),
						     core_index_name(c, formals[k]))
					: formals[k];
	}
	Node *m = deriv_index_nodes(r->dv, n, ix);
	Node value = cell_value(r, h, cell, m);
	if (value) {
		value = deriv_name(r->dv, adjoint_name(r, h->def), info.span, n, ix, value, NULL);
		h->node = core_subst(c, value, n, ix, deriv_index_nodes(r->dv, n, formals));
	}
}

/* Values in the cells of a domain that is more, or less, than the axes. */
static void close_cells(Reverse *r, Adjoint *h, const Domain *d)
{
	Core *c = r->c;
	const DefInfo info = *core_def(c, h->def);
	Index *formals;
	uint32_t n = adjoint_formals(r, h, &formals), got = 0;
	uint32_t *at = arena_array(r->dv->a, uint32_t, d->n + 1);
	Seg *cell = arena_array(r->dv->a, Seg, d->n + 1);
	Piece *piece = NULL;
	size_t np = 0, cap = 0;
	do {
		Range *box = arena_array(r->dv->a, Range, n + 1);
		Node *m = arena_array(r->dv->a, Node, n + 1);
		Index *narrow = arena_array(r->dv->a, Index, n + 1);
		for (uint32_t k = 0; k < n; k++) {
			box[k] = (Range){{EDGE_FIRST, 0}, {EDGE_LAST, 0}};
			narrow[k] = formals[k];
			m[k] = core_index_value(c, formals[k]);
			if (k < info.nindex) {
				Axis a = core_index_axis(c, formals[k]);
				cell[k] = d->seg[k][at[k]];
				box[k] = seg_range(c, a, cell[k]);
				narrow[k] = core_index(c, a, core_index_name(c, formals[k]));
				m[k] = seg_point(cell[k]) ? lim_node(c, cell[k].lo)
							  : core_index_value(c, narrow[k]);
			}
		}
		if (!domain_has(r->dv, h->def, cell)) {
			continue;
		}
		Node value = cell_value(r, h, cell, m);
		got += value != 0;
		value = value ? core_subst(c, value, n, narrow,
					   deriv_index_nodes(r->dv, n, formals))
			      : core_real_const(c, 0.0);
		ARENA_PUSH(r->dv->a, piece, np, cap, ((Piece){box, value}));
	} while (domain_next(d, at));
	if (h->named) {
		Node *own = deriv_index_nodes(r->dv, n, core_def(c, h->named)->index);
		for (size_t k = 0; k < np; k++) {
			piece[k].value = core_subst(c, piece[k].value, n, formals, own);
		}
		core_set_pieces(c, h->named, (uint32_t)np, piece);
	} else if (got) {
		Def made = deriv_define(r->dv, adjoint_name(r, h->def), info.span, n, formals,
					(uint32_t)np, piece, DEF_ZERO_OUTSIDE);
		h->node = core_read_plain(c, made, formals);
	}
}

void adjoint_close(Reverse *r, Adjoint *h)
{
	if (h->closed) {
		return;
	}
	h->closed = true;
	Domain d = domain_of(r->dv, h->def);
	if (d.whole && !h->named) {
		Seg *cell = arena_array(r->dv->a, Seg, d.n + 1);
		for (uint32_t k = 0; k < d.n; k++) {
			cell[k] = d.seg[k][0];
		}
		close_whole(r, h, cell);
		find_support(r, h);
	} else {
		close_cells(r, h, &d);
	}
}
