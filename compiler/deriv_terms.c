/* deriv_terms.c — the linearisation of a definition: d(d[i]) = Σ_terms Σ_bound weight * d(of), for
 * every kind of it. */
#include "compiler/deriv_int.h"

#include <assert.h>
#include <string.h>

uint32_t deriv_piece_count(Deriv *dv, Def d)
{
	const DefInfo *info = core_def(dv->c, d);
	return info->rule ? 1 : info->npiece;
}

LinTerm deriv_term_of(Node n)
{
	return (LinTerm){.of = n};
}

static Node strip_guards(Core *c, Node n)
{
	while (core_node(c, n)->tag == NODE_GUARD) {
		n = core_node(c, n)->arg[1];
	}
	return n;
}

const LinTerm *deriv_one_term(Deriv *dv, LinTerm t)
{
	LinTerm *out = arena_new(dv->a, LinTerm);
	*out = t;
	return out;
}

/* A rule of the user's: Σ_k partial[k] * d(arg[k]). */
static uint32_t rule_terms(Deriv *dv, LinTerm t, const LinTerm **terms)
{
	const DefInfo *info = core_def(dv->c, t.def);
	uint32_t n = info->rule->n;
	LinTerm *out = arena_array(dv->a, LinTerm, n + 1);
	for (uint32_t k = 0; k < n; k++) {
		out[k] = t;
		out[k].weight = core_subst(dv->c, info->rule->partial[k], info->nindex, info->index,
					   t.args);
		out[k].of =
			core_subst(dv->c, info->rule->arg[k], info->nindex, info->index, t.args);
	}
	*terms = out;
	return n;
}

/* The extreme element: its place in each bound index is found from the outside in, first the places
 * of the outer index among the extrema over the inner ones, so that the first in order wins. */
static const LinTerm *extreme_term(Deriv *dv, LinTerm t, RedKind red, Index *bound)
{
	Core *c = dv->c;
	RedKind place = red == RED_MAX ? RED_ARGMAX : RED_ARGMIN;
	const char *of = deriv_name_of(dv, t.def);
	Sym name = intern_str(core_names(c), of);
	Span span = core_def(c, t.def)->span;
	Node body = t.of;
	for (uint32_t k = 0; k < t.nbound; k++) {
		Node inner = body;
		if (k + 1 < t.nbound) {
			inner = core_reduce(c, red, name, span, t.nbound - k - 1, bound + k + 1,
					    body);
		}
		Node at = core_reduce(c, place, deriv_sym(dv, "at_%s", of), span, 1, bound + k,
				      inner);
		body = core_subst(c, body, 1, bound + k, &at);
		if (k + 1 < t.nbound) { /* the remaining indices were bound in `inner` too */
			Index *fresh = arena_array(dv->a, Index, t.nbound);
			for (uint32_t j = k + 1; j < t.nbound; j++) {
				fresh[j] = core_index_like(c, bound[j]);
			}
			body = core_subst(c, body, t.nbound - k - 1, bound + k + 1,
					  deriv_index_nodes(dv, t.nbound - k - 1, fresh + k + 1));
			bound = fresh;
		}
	}
	t.of = body;
	t.nbound = 0;
	return deriv_one_term(dv, t);
}

/* d Π_j f(j) = Σ_j (Π_{k != j} f(k)) df(j): right also where an f is zero. */
static const LinTerm *product_term(Deriv *dv, LinTerm t)
{
	Core *c = dv->c;
	Index *other;
	Node body = core_open(c, t.def, 0, t.args, &other);
	Node differs = 0;
	for (uint32_t k = 0; k < t.nbound; k++) {
		Node ne = core_op2(c, OP_ine, core_index_value(c, other[k]),
				   core_index_value(c, t.bound[k]));
		differs = differs ? core_op2(c, OP_or, differs, ne) : ne;
	}
	const DefInfo *info = core_def(c, t.def);
	Sym name = deriv_sym(dv, "%s_others", deriv_name_of(dv, t.def));
	t.weight = core_reduce(c, RED_PROD, name, info->span, t.nbound, other,
			       core_filter(c, RED_PROD, differs, body));
	return deriv_one_term(dv, t);
}

/* d log Σ_j exp f(j) = Σ_j exp(f(j) - m) df(j): the weights are the softmax. */
static const LinTerm *softmax_term(Deriv *dv, LinTerm t)
{
	Core *c = dv->c;
	const DefInfo *info = core_def(c, t.def);
	Node m = core_read(c, t.def, t.args);
	Node p = core_op1(c, OP_exp, core_sub(c, t.of, m));
	const Index *ix;
	uint32_t n = core_free(c, p, &ix);
	t.weight = deriv_name(dv, deriv_sym(dv, "softmax_%s", deriv_name_of(dv, t.def)), info->span,
			      n, ix, p, NULL);
	return deriv_one_term(dv, t);
}

/* Operations, and reciprocals where the order is high: -r^2 for r = 1/x keeps derivatives of r in
 * terms of r. */
static bool stands_alone(Deriv *dv, Node n)
{
	const NodeInfo *p = core_node(dv->c, n);
	return p->kind == KIND_REAL && (p->tag == NODE_OP || (p->tag == NODE_PROD && p->n == 1 &&
							      p->expo[0] == -1 && dv->order >= 3));
}

uint32_t deriv_terms(Deriv *dv, Def d, uint32_t piece, const Node *args, const LinTerm **terms)
{
	Core *c = dv->c;
	const DefInfo info = *core_def(c, d);
	LinTerm t = {.def = d, .piece = piece, .args = args};
	if (info.rule) {
		return rule_terms(dv, t, terms);
	}
	Index *bound = NULL;
	t.of = core_open(c, d, piece, args, &bound);
	t.bound = bound;
	t.nbound = info.role == DEF_REDUCTION ? info.nbound : 0;
	switch (info.role == DEF_REDUCTION ? info.red : RED_NONE) {
	case RED_NONE: {
		Node top = strip_guards(c, t.of),
		     own = strip_guards(c, core_def(c, d)->piece[piece].value);
		if (stands_alone(dv, own) && stands_alone(dv, top) &&
		    core_node(c, top)->op == core_node(c, own)->op) {
			t.alone = top;
		}
		*terms = deriv_one_term(dv, t);
		return 1;
	}
	case RED_SUM:
		*terms = deriv_one_term(dv, t);
		return 1;
	case RED_PROD:
		*terms = product_term(dv, t);
		return 1;
	case RED_MAX:
	case RED_MIN:
		*terms = extreme_term(dv, t, info.red, bound);
		return 1;
	case RED_LOGSUMEXP:
		*terms = softmax_term(dv, t);
		return 1;
	case RED_ARGMAX:
	case RED_ARGMIN:
	case RED_ALL:
	case RED_ANY:
		break;
	default:
		return deriv_matrix_terms(dv, t, terms);
	}
	return 0;
}

/* ---- slopes ---- */

static Node op_slope(Deriv *dv, Node op, uint32_t k, Node result)
{
	const NodeInfo *p = core_node(dv->c, op);
	if (p->tag == NODE_PROD) {
		return core_neg(dv->c, core_powi(dv->c, result, 2));
	}
	bool differentiable;
	Node s = op_partial(dv->c, (Op)p->op, k, p->arg, result, &differentiable);
	if (!differentiable && !dv->failed) {
		dv->failed = dv->errors = true;
		Diag *d = diag_not_differentiable(dv->ds, dv->at, op_info((Op)p->op)->syntax);
		diag_note(d, core_node(dv->c, op)->span, "used here");
		diag_help(d, "give it a rule of your own: derivative f(x) = …, or keep it out with "
			     "stop( )");
	}
	return s;
}

/* The slope of the operation that is d's piece, over d's own formals: a definition slope_d, shared
 * by all orders and both directions of differentiation. */
static Node alone_slope(Deriv *dv, Def d, uint32_t piece, uint32_t k)
{
	const Node *read;
	deriv_reads(dv, d, &read);
	Fact *f = deriv_fact(dv, d);
	uint32_t at = 2 * piece + k;
	if (f->slope[at] || f->flat[at]) {
		return f->slope[at];
	}
	Core *c = dv->c;
	const DefInfo info = *core_def(c, d);
	Node value = info.piece[piece].value, top = strip_guards(c, value);
	Node s = op_slope(dv, top, k, core_read_plain(c, d, info.index));
	if (s && top != value) {
		s = core_guard(c, core_node(c, value)->arg[0], s);
	}
	if (s) {
		const char *of = deriv_name_of(dv, d);
		Sym name = k ? deriv_sym(dv, "slope_%s_2", of) : deriv_sym(dv, "slope_%s", of);
		Range *box = info.piece[piece].box;
		s = deriv_name(dv, name, info.span, info.nindex, info.index, s,
			       box_whole(c, &info, box) ? NULL : box);
	}
	f = deriv_fact(dv, d);
	f->slope[at] = s;
	f->flat[at] = !s;
	return s;
}

Node deriv_slope(Deriv *dv, const LinTerm *t, Node op, uint32_t k)
{
	if (op == t->alone && t->def) {
		Node s = alone_slope(dv, t->def, t->piece, k);
		const DefInfo *info = core_def(dv->c, t->def);
		return s ? core_subst(dv->c, s, info->nindex, info->index, t->args) : 0;
	}
	return op_slope(dv, op, k, op);
}

Node deriv_cofactor(Deriv *dv, Node prod, uint32_t k)
{
	Core *c = dv->c;
	const NodeInfo *p = core_node(c, prod);
	Node out = core_real_const(c, p->expo[k]);
	for (uint32_t j = 0; j < p->n; j++) {
		int32_t e = j == k ? p->expo[j] - 1 : p->expo[j];
		if (e) {
			out = core_mul(c, out, core_powi(c, p->arg[j], e));
		}
	}
	return out;
}
