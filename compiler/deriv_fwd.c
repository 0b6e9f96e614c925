/* deriv_fwd.c — forward derivatives: the tangent of a definition is a definition, made once per
 * sorted set of directions.
 *
 * A direction is an element v[e…] of a variable. Where v's index p reaches a definition unchanged
 * as its formal j (the sample index does), the tangent needs no index of its own for it: DIR_SAME.
 * Else the element is a constant, DIR_FIXED, or the tangent carries one more formal, DIR_SLOT;
 * equal slots are one slot, so that second derivatives along one index have it once. Tangents are
 * made on demand with a stack of our own; one that is asked for while it is being made belongs to a
 * recurrence and gets its definition in advance. */
#include "compiler/deriv_int.h"

#include <assert.h>
#include <string.h>

/* ---- expressions ---- */

static bool active_read(Forward *f, const NodeInfo *p)
{
	return p->tag == NODE_READ && p->kind == KIND_REAL && scope_mark(f->s, p->ref)->active;
}

/* What is zero outside its domain has a tangent that is. */
static unsigned tangent_flags(Forward *f, const Tangent *t)
{
	return core_def(f->c, t->source)->flags & DEF_ZERO_OUTSIDE;
}

/* Are all tangents that n needs there? Those that are missing go on the stack. */
static bool ready(Forward *f, Node n, const Node *e)
{
	Sub sub = deriv_sub(f->dv, n, SUB_PASSING);
	bool all = true;
	for (uint32_t k = 0; k < sub.n; k++) {
		const NodeInfo *p = core_node(f->c, sub.node[k]);
		if (!active_read(f, p) || scope_is_var(f->s, p->ref)) {
			continue;
		}
		Tangent *t = tangent_want(f, sub.node[k], e).t;
		if (t->state == TANGENT_NEW) {
			ARENA_PUSH(f->dv->a, f->stack, f->n, f->cap, t);
			all = false;
		} else if (t->state == TANGENT_BUSY && !t->def) {
			t->def = deriv_define(f->dv, t->name, t->span, t->nformal, t->formal, 0,
					      NULL, tangent_flags(f, t));
			t->node = core_read_plain(f->c, t->def, t->formal);
		}
	}
	return all;
}

static Node seed(Forward *f, const NodeInfo *p, const Node *e)
{
	if (!f->var) {
		for (uint32_t k = 0; k < f->s->nvar; k++) {
			if (f->s->var[k] == p->ref) {
				return f->dir[k] ? core_read(f->c, f->dir[k], p->arg) : 0;
			}
		}
	}
	Node one = core_real_const(f->c, 1.0);
	for (uint32_t k = 0; k < f->npos; k++) {
		if (p->arg[k] != e[k]) {
			Axis a = core_index_axis(f->c, core_def(f->c, p->ref)->index[k]);
			one = core_guard(f->c, deriv_same_place(f->dv, a, p->arg[k], e[k]), one);
		}
	}
	return one;
}

static Node read_tangent(Forward *f, Node read, const Node *e)
{
	const NodeInfo *p = core_node(f->c, read);
	if (!active_read(f, p)) {
		return 0;
	}
	if (scope_is_var(f->s, p->ref)) {
		return seed(f, p, e);
	}
	Want w = tangent_want(f, read, e);
	if (!w.t->node) {
		return 0;
	}
	Node n = deriv_inline(f->dv, w.t->node, w.t->nformal, w.t->formal, w.args);
	return w.cond ? core_guard(f->c, w.cond, n) : n;
}

static Node nonzero(Core *c, Node n)
{
	double v;
	return n && core_is_const(c, n, &v) && v == 0 ? 0 : n;
}

static Node lin_tangent(Forward *f, const NodeInfo *p, const Node *d)
{
	double *coef = arena_array(f->dv->a, double, p->n);
	Node *arg = arena_array(f->dv->a, Node, p->n);
	uint32_t n = 0;
	for (uint32_t k = 0; k < p->n; k++) {
		if (d[k]) {
			coef[n] = p->coef[k];
			arg[n++] = d[k];
		}
	}
	return n ? core_lin(f->c, KIND_REAL, 0.0, n, coef, arg) : 0;
}

static Node node_tangent(Forward *f, const LinTerm *t, Node n, const Node *d, const Node *e)
{
	Core *c = f->c;
	const NodeInfo *p = core_node(c, n);
	Node sum = 0;
	switch ((NodeTag)p->tag) {
	case NODE_READ:
		return read_tangent(f, n, e);
	case NODE_LIN:
		return lin_tangent(f, p, d);
	case NODE_PROD:
		for (uint32_t k = 0; k < p->n; k++) {
			if (d[k]) {
				Node slope = n == t->alone ? deriv_slope(f->dv, t, n, k)
							   : deriv_cofactor(f->dv, n, k);
				sum = deriv_add(f->dv, sum, core_mul(c, slope, d[k]));
			}
		}
		return sum;
	case NODE_OP:
		for (uint32_t k = 0; k < p->n; k++) {
			Node slope = d[k] ? deriv_slope(f->dv, t, n, k) : 0;
			sum = slope ? deriv_add(f->dv, sum, core_mul(c, slope, d[k])) : sum;
		}
		return sum;
	case NODE_SELECT:
		if (!d[1] && !d[2]) {
			return 0;
		}
		return core_select(c, p->arg[0], d[1] ? d[1] : core_real_const(c, 0.0),
				   d[2] ? d[2] : core_real_const(c, 0.0));
	case NODE_GUARD:
		return d[1] ? core_guard(c, p->arg[0], d[1]) : 0;
	default:
		return 0;
	}
}

static Node term_tangent(Forward *f, const LinTerm *t, const Node *e)
{
	Sub sub = deriv_sub(f->dv, t->of, SUB_PASSING);
	Node *val = arena_array(f->dv->a, Node, sub.n);
	for (uint32_t k = 0; k < sub.n; k++) {
		const NodeInfo *p = core_node(f->c, sub.node[k]);
		Node *d = arena_array(f->dv->a, Node, p->n + 1);
		for (uint32_t j = 0; j < p->n; j++) {
			uint32_t at = p->tag != NODE_READ && deriv_passes(p, j)
					      ? deriv_sub_find(&sub, p->arg[j])
					      : UINT32_MAX;
			d[j] = at == UINT32_MAX ? 0 : val[at];
		}
		val[k] = nonzero(f->c, node_tangent(f, t, sub.node[k], d, e));
	}
	Node out = val[sub.n - 1];
	return out && t->weight ? nonzero(f->c, core_mul(f->c, t->weight, out)) : out;
}

/* ---- definitions ---- */

static void open_source(Forward *f, Tangent *t)
{
	if (t->nterm) {
		return;
	}
	t->npiece = deriv_piece_count(f->dv, t->source);
	t->nterm = arena_array(f->dv->a, uint32_t, t->npiece + 1);
	t->term = arena_array(f->dv->a, const LinTerm *, t->npiece + 1);
	for (uint32_t k = 0; k < t->npiece; k++) {
		t->nterm[k] = deriv_terms(f->dv, t->source, k, t->args, &t->term[k]);
	}
}

static Node piece_tangent(Forward *f, Tangent *t, uint32_t piece)
{
	Node sum = 0;
	for (uint32_t k = 0; k < t->nterm[piece]; k++) {
		const LinTerm *term = &t->term[piece][k];
		Node d = term_tangent(f, term, t->e);
		if (d && term->nbound) {
			d = nonzero(f->c, core_reduce(f->c, RED_SUM, t->name, t->span, term->nbound,
						      term->bound, d));
		}
		sum = d ? nonzero(f->c, deriv_add(f->dv, sum, d)) : sum;
	}
	return sum;
}

/* The source's box over t's formals; NULL: the whole axes. */
static Range *tangent_box(Forward *f, const Tangent *t, uint32_t piece)
{
	const DefInfo *info = core_def(f->c, t->source);
	const Range *box = info->piece[piece].box;
	if (info->rule || box_whole(f->c, info, box)) {
		return NULL;
	}
	Range *out = arena_array(f->dv->a, Range, t->nformal + 1);
	for (uint32_t k = 0; k < t->nformal; k++) {
		out[k] = (Range){{EDGE_FIRST, 0}, {EDGE_LAST, 0}};
		for (uint32_t j = 0; j < info->nindex; j++) {
			if (deriv_plain(f->dv, t->args[j]) == t->formal[k]) {
				out[k] = box[j];
			}
		}
	}
	return out;
}

/* Pieces at single points whose tangents are trivial (the columns of [x, t]) as one guarded
 * expression; 0 if it is not so. */
static Node points_tangent(Forward *f, const Tangent *t, const Node *value)
{
	Core *c = f->c;
	const DefInfo *info = core_def(c, t->source);
	Node sum = 0;
	for (uint32_t k = 0; k < t->npiece; k++) {
		if (!value[k]) {
			continue;
		}
		const Range *box = info->piece[k].box;
		if (!box || !deriv_trivial(f->dv, value[k])) {
			return 0;
		}
		Node n = value[k];
		bool point = false;
		for (uint32_t j = 0; j < info->nindex; j++) {
			Axis a = core_index_axis(c, info->index[j]);
			Seg s = seg_of_range(c, a, box[j]), all = seg_of_axis(c, a);
			if (seg_point(s)) {
				n = core_guard(
					c, core_op2(c, OP_ieq, t->args[j], lim_node(c, s.lo)), n);
				point = true;
			} else if (!lim_same(s.lo, all.lo) || !lim_same(s.hi, all.hi)) {
				return 0;
			}
		}
		if (!point) {
			return 0;
		}
		sum = deriv_add(f->dv, sum, n);
	}
	return sum;
}

static Node pieces_tangent(Forward *f, Tangent *t, const Node *value)
{
	bool zero = true;
	Piece *piece = arena_array(f->dv->a, Piece, t->npiece);
	Range *whole = arena_array(f->dv->a, Range, t->nformal + 1);
	for (uint32_t k = 0; k < t->nformal; k++) {
		whole[k] = (Range){{EDGE_FIRST, 0}, {EDGE_LAST, 0}};
	}
	for (uint32_t k = 0; k < t->npiece; k++) {
		zero = zero && !value[k];
		piece[k].box = tangent_box(f, t, k);
		piece[k].box = piece[k].box ? piece[k].box : whole;
		piece[k].value = value[k] ? value[k] : core_real_const(f->c, 0.0);
	}
	if (!t->def) {
		unsigned flags = tangent_flags(f, t);
		Node points = zero || flags ? 0 : points_tangent(f, t, value);
		if (zero || points) {
			return points;
		}
		Def d = deriv_define(f->dv, t->name, t->span, t->nformal, t->formal, t->npiece,
				     piece, flags);
		return core_read_plain(f->c, d, t->formal);
	}
	Node *to = deriv_index_nodes(f->dv, t->nformal, core_def(f->c, t->def)->index);
	for (uint32_t k = 0; k < t->npiece; k++) {
		piece[k].value = core_subst(f->c, piece[k].value, t->nformal, t->formal, to);
	}
	core_set_pieces(f->c, t->def, t->npiece, piece);
	return t->node;
}

/* A definition made just now that has all formals remembers what it is the tangent of. */
static void remember_origin(Forward *f, Tangent *t, Def before)
{
	if (!t->node) {
		return;
	}
	const NodeInfo *p = core_node(f->c, t->node);
	if (p->tag != NODE_READ || p->ref <= before || p->n != t->nformal ||
	    deriv_fact(f->dv, p->ref)->origin) {
		return;
	}
	Origin *o = arena_new(f->dv->a, Origin);
	*o = t->of;
	o->place = arena_array(f->dv->a, uint32_t, t->nformal + 1);
	for (uint32_t k = 0; k < t->nformal; k++) {
		uint32_t j = 0;
		while (j < p->n && deriv_plain(f->dv, p->arg[j]) != t->formal[k]) {
			j++;
		}
		if (j == p->n) {
			return;
		}
		o->place[k] = j;
	}
	deriv_fact(f->dv, p->ref)->origin = o;
}

static void tangent_make(Forward *f, Tangent *t)
{
	Def before = t->def ? t->def - 1 : core_def_count(f->c);
	Node *value = arena_array(f->dv->a, Node, t->npiece + 1);
	for (uint32_t k = 0; k < t->npiece; k++) {
		value[k] = piece_tangent(f, t, k);
	}
	Range *box = t->npiece == 1 ? tangent_box(f, t, 0) : NULL;
	if (t->npiece == 1 && !t->def && !tangent_flags(f, t)) {
		t->node = value[0] ? deriv_name(f->dv, t->name, t->span, t->nformal, t->formal,
						value[0], box)
				   : 0;
	} else {
		t->node = pieces_tangent(f, t, value);
	}
	remember_origin(f, t, before);
	t->state = TANGENT_DONE;
}

static void forward_run(Forward *f)
{
	while (f->n) {
		Tangent *t = f->stack[f->n - 1];
		if (t->state == TANGENT_DONE) {
			f->n--;
			continue;
		}
		t->state = TANGENT_BUSY;
		open_source(f, t);
		bool all = true;
		for (uint32_t k = 0; k < t->npiece; k++) {
			for (uint32_t j = 0; j < t->nterm[k]; j++) {
				all &= ready(f, t->term[k][j].of, t->e);
			}
		}
		if (all) {
			tangent_make(f, t);
			f->n--;
		}
	}
}

static Node forward_node(Forward *f, Node of, const Node *e)
{
	of = deriv_normal(f->dv, of, 0);
	ready(f, of, e);
	forward_run(f);
	LinTerm t = deriv_term_of(of);
	return term_tangent(f, &t, e);
}

Node deriv_forward(Scope *s, Node of, const Node *e)
{
	Forward f = {.s = s, .dv = s->dv, .c = s->dv->c, .var = s->var[0], .npos = s->npos};
	return forward_node(&f, of, e);
}

Node deriv_along(Scope *s, Node of, const Def *dir)
{
	Forward f = {.s = s, .dv = s->dv, .c = s->dv->c, .dir = dir, .array = s->dv->narray++};
	return forward_node(&f, of, NULL);
}
