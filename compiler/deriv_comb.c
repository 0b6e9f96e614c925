/* deriv_comb.c — linear combinations of second derivatives of one thing, u_xx + u_yy: as in
 * deriv_lap.c one stream carries the combination through the layers, but here its terms are
 * definitions of their own, one for each direction.
 *
 * C e = Σ_k c_k e_k for tangents d_k of one base: where the values of all d_k are sums over the
 * same indices, C goes inside; where they are terms with the same factors around reads of tangents
 * of one base, those reads become one read of their combination. Everything else stays as it is. */
#include "compiler/deriv_int.h"
#include <string.h>

enum { COMB_TERMS = 8 };

typedef struct Comb {
	Def def;
	uint32_t n;
	Def of[COMB_TERMS];
	double coef[COMB_TERMS]; /* the first is 1 */
} Comb;

typedef struct Combine {
	Deriv *dv;
	Core *c;
	Comb **work;
	size_t n, cap;
	Table made;
} Combine;

/* A term as coef * rest * read. */
typedef struct Term {
	double coef;
	Node rest, read; /* rest 0: 1 */
	bool used;
} Term;

/* Can the definition's value be combined with that of others like it? */
static bool combines(Combine *w, Def d)
{
	const Origin *o = deriv_fact(w->dv, d)->origin;
	const DefInfo *info = core_def(w->c, d);
	bool sum = info->role == DEF_VALUE || (info->role == DEF_REDUCTION && info->red == RED_SUM);
	return o && o->ndir >= 2 && sum && info->npiece == 1 && !info->rule &&
	       info->kind == KIND_REAL && box_whole(w->c, info, info->piece[0].box);
}

/* Two of them: tangents of one base, alike in shape. */
static bool alike(Combine *w, Def a, Def b)
{
	const Origin *x = deriv_fact(w->dv, a)->origin, *y = deriv_fact(w->dv, b)->origin;
	const DefInfo *p = core_def(w->c, a), *q = core_def(w->c, b);
	bool same = x->base == y->base && x->ndir == y->ndir && x->nslot == y->nslot &&
		    p->role == q->role && p->nindex == q->nindex && p->nbound == q->nbound &&
		    p->flags == q->flags;
	for (uint32_t k = 0; same && k < p->nindex; k++) {
		same = core_index_axis(w->c, p->index[k]) == core_index_axis(w->c, q->index[k]);
	}
	for (uint32_t k = 0; same && k < p->nbound; k++) {
		same = core_index_axis(w->c, p->bound[k]) == core_index_axis(w->c, q->bound[k]);
	}
	return same;
}

static Term term_of(Combine *w, double coef, Node n)
{
	const NodeInfo *p = core_node(w->c, n);
	Term t = {coef, 0, 0, false};
	if (p->tag == NODE_READ) {
		t.read = p->kind == KIND_REAL && combines(w, p->ref) ? n : 0;
		return t;
	}
	for (uint32_t k = 0; p->tag == NODE_PROD && k < p->n; k++) {
		const NodeInfo *q = core_node(w->c, p->arg[k]);
		if (!t.read && q->tag == NODE_READ && q->kind == KIND_REAL && p->expo[k] == 1 &&
		    combines(w, q->ref)) {
			t.read = p->arg[k];
			continue;
		}
		Node factor = core_powi(w->c, p->arg[k], p->expo[k]);
		t.rest = t.rest ? core_mul(w->c, t.rest, factor) : factor;
		p = core_node(w->c, n);
	}
	return t;
}

static bool same_args(Combine *w, Node a, Node b)
{
	const NodeInfo *p = core_node(w->c, a), *q = core_node(w->c, b);
	return p->n == q->n && memcmp(p->arg, q->arg, p->n * sizeof *p->arg) == 0;
}

static Def comb_def(Combine *w, Comb *s)
{
	uint32_t key[3 * COMB_TERMS];
	for (uint32_t k = 0; k < s->n; k++) {
		key[3 * k] = s->of[k];
		memcpy(&key[3 * k + 1], &s->coef[k], sizeof s->coef[k]);
	}
	Comb *made = table_get(&w->made, 3 * s->n, key);
	if (made) {
		return made->def;
	}
	const DefInfo info = *core_def(w->c, s->of[0]);
	made = arena_new(w->dv->a, Comb);
	*made = *s;
	made->def = deriv_define(w->dv, deriv_sym(w->dv, "sum_%s", deriv_name_of(w->dv, s->of[0])),
				 info.span, info.nindex, info.index, 0, NULL,
				 info.flags & DEF_ZERO_OUTSIDE);
	table_put(w->dv->a, &w->made, 3 * s->n, key, made);
	ARENA_PUSH(w->dv->a, w->work, w->n, w->cap, made);
	return made->def;
}

/* The terms like term[k], behind it, as one; 0 if it is the only one. */
static Node combine_like(Combine *w, uint32_t n, Term *term, uint32_t k)
{
	Term *t = &term[k];
	Comb s = {.n = 1, .of = {core_node(w->c, t->read)->ref}, .coef = {1}};
	for (uint32_t q = k + 1; q < n && s.n < COMB_TERMS; q++) {
		Term *o = &term[q];
		if (o->used || !o->read || o->rest != t->rest || !same_args(w, t->read, o->read)) {
			continue;
		}
		Def d = core_node(w->c, o->read)->ref;
		bool fits = alike(w, s.of[0], d);
		for (uint32_t m = 0; m < s.n; m++) {
			fits &= s.of[m] != d;
		}
		if (fits) {
			s.of[s.n] = d;
			s.coef[s.n++] = o->coef / t->coef;
			o->used = true;
		}
	}
	if (s.n == 1) {
		return 0;
	}
	Def d = comb_def(w, &s);
	Node read = core_read(w->c, d, core_node(w->c, t->read)->arg);
	return core_scale(w->c, t->coef, t->rest ? core_mul(w->c, t->rest, read) : read);
}

/* A sum with its like terms combined; n itself if there are none. */
static Node combine_sum(Combine *w, Node n)
{
	const NodeInfo *p = core_node(w->c, n);
	if (p->tag != NODE_LIN || p->n < 2) {
		return n;
	}
	uint32_t count = p->n;
	double constant = p->num;
	Term *term = arena_array(w->dv->a, Term, count);
	Node *old = arena_array(w->dv->a, Node, count);
	double *coef = arena_array(w->dv->a, double, count);
	for (uint32_t k = 0; k < count; k++) {
		p = core_node(w->c, n);
		old[k] = p->arg[k];
		coef[k] = p->coef[k];
		term[k] = term_of(w, coef[k], old[k]);
	}
	Parts all = {0};
	bool gained = false;
	for (uint32_t k = 0; k < count; k++) {
		if (term[k].used) {
			continue;
		}
		Node one = term[k].read ? combine_like(w, count, term, k) : 0;
		gained |= one != 0;
		parts_add(w->dv, &all, one ? one : core_scale(w->c, coef[k], old[k]));
	}
	if (!gained) {
		return n;
	}
	if (constant != 0) {
		parts_add(w->dv, &all, core_real_const(w->c, constant));
	}
	return parts_total(w->dv, &all);
}

/* The value of a combination, over its own formals. */
static void comb_fill(Combine *w, const Comb *s)
{
	Core *c = w->c;
	const DefInfo own = *core_def(c, s->def), first = *core_def(c, s->of[0]);
	Node *args = deriv_index_nodes(w->dv, own.nindex, own.index);
	Index *bound = NULL;
	Parts all = {0};
	for (uint32_t k = 0; k < s->n; k++) {
		Index *mine;
		Node body = core_open(c, s->of[k], 0, args, &mine);
		if (k && first.nbound) {
			body = core_subst(c, body, first.nbound, mine,
					  deriv_index_nodes(w->dv, first.nbound, bound));
		} else {
			bound = mine;
		}
		parts_add(w->dv, &all, core_scale(c, s->coef[k], body));
	}
	Node value = combine_sum(w, parts_total(w->dv, &all));
	if (first.role == DEF_REDUCTION) {
		value = core_reduce(c, RED_SUM, own.name, first.span, first.nbound, bound, value);
	}
	Piece piece = {.value = value};
	core_set_pieces(c, s->def, 1, &piece);
}

/* n with the sums inside it combined. */
static Node combine_value(Combine *w, Node n)
{
	Core *c = w->c;
	Sub sub = deriv_sub(w->dv, n, SUB_VALUES);
	Node *now = arena_array(w->dv->a, Node, sub.n);
	for (uint32_t k = 0; k < sub.n; k++) {
		const NodeInfo *p = core_node(c, sub.node[k]);
		now[k] = sub.node[k];
		if (p->tag == NODE_READ || !p->n) {
			continue;
		}
		Node *args = arena_array(w->dv->a, Node, p->n);
		bool changed = false;
		for (uint32_t j = 0; j < p->n; j++) {
			uint32_t at = deriv_sub_find(&sub, p->arg[j]);
			args[j] = at == UINT32_MAX ? p->arg[j] : now[at];
			changed |= args[j] != p->arg[j];
		}
		now[k] = combine_sum(w, changed ? core_rebuild(c, sub.node[k], args) : sub.node[k]);
	}
	return now[sub.n - 1];
}

void deriv_combine(Deriv *dv, Def d)
{
	Combine w = {.dv = dv, .c = dv->c};
	for (uint32_t k = 0; k < core_def(dv->c, d)->npiece; k++) {
		Node value = core_def(dv->c, d)->piece[k].value;
		deriv_replace(dv, d, k, combine_value(&w, value));
	}
	while (w.n) {
		comb_fill(&w, w.work[--w.n]);
	}
}
