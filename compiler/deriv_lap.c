/* deriv_lap.c — sums over an index of second derivatives along it (Laplacians): linear operations
 * are moved out of the sum, so that one stream carries the whole sum through the layers instead of
 * one for each coordinate.
 *
 * S_c e = Σ_c e: linear over +; factors without c leave; one read d[..c..] of a tangent becomes a
 * read of S_c(d), whose value is S_c of d's value, made once per definition and position; anything
 * else stays a sum. Definitions are made before their values, from a work list: depth costs no
 * stack. */
#include "compiler/deriv_int.h"

#include <string.h>

typedef struct Stream {
	Def of, def; /* def[the formals of `of` without the one at pos] = Σ over pos */
	uint32_t pos;
} Stream;

typedef struct Collapse {
	Deriv *dv;
	Core *c;
	Stream **work;
	size_t n, cap;
	Table made;
	bool gained;
} Collapse;

/* Is d, read with the summed index at pos, a tangent that carries the index as a slot and can be
 * summed as a whole? */
static bool summable(Collapse *l, Def d, uint32_t pos)
{
	const Origin *o = deriv_fact(l->dv, d)->origin;
	const DefInfo *info = core_def(l->c, d);
	bool whole = info->npiece == 1 && box_whole(l->c, info, info->piece[0].box) && !info->rule;
	bool sum = info->role == DEF_VALUE || (info->role == DEF_REDUCTION && info->red == RED_SUM);
	bool slot = false;
	for (uint32_t k = 0; o && k < o->nslot; k++) {
		slot |= o->place[core_def(l->c, o->base)->nindex + k] == pos;
	}
	return whole && sum && slot && o->ndir >= 2;
}

static Def stream_of(Collapse *l, Def d, uint32_t pos)
{
	uint32_t key[2] = {d, pos};
	Stream *s = table_get(&l->made, 2, key);
	if (!s) {
		const DefInfo info = *core_def(l->c, d);
		Index *ix = arena_array(l->dv->a, Index, info.nindex + 1);
		uint32_t n = 0;
		for (uint32_t k = 0; k < info.nindex; k++) {
			if (k != pos) {
				ix[n++] = info.index[k];
			}
		}
		s = arena_new(l->dv->a, Stream);
		*s = (Stream){.of = d, .pos = pos};
		s->def = deriv_define(l->dv, deriv_sym(l->dv, "sum_%s", deriv_name_of(l->dv, d)),
				      info.span, n, ix, 0, NULL, info.flags & DEF_ZERO_OUTSIDE);
		table_put(l->dv->a, &l->made, 2, key, s);
		ARENA_PUSH(l->dv->a, l->work, l->n, l->cap, s);
	}
	return s->def;
}

/* S_c of a read; 0 if it must stay a sum. */
static Node sum_read(Collapse *l, Node n, Index c)
{
	const NodeInfo *p = core_node(l->c, n);
	uint32_t pos = UINT32_MAX;
	for (uint32_t k = 0; k < p->n; k++) {
		if (deriv_plain(l->dv, p->arg[k]) == c && pos == UINT32_MAX) {
			pos = k;
		} else if (core_has_index(l->c, p->arg[k], c)) {
			return 0;
		}
	}
	if (pos == UINT32_MAX || !summable(l, p->ref, pos)) {
		return 0;
	}
	Node *args = arena_array(l->dv->a, Node, p->n);
	uint32_t n_args = 0;
	for (uint32_t k = 0; k < p->n; k++) {
		if (k != pos) {
			args[n_args++] = p->arg[k];
		}
	}
	l->gained = true;
	return core_read(l->c, stream_of(l, p->ref, pos), args);
}

static Node sum_over(Collapse *l, Node n, Index c, Sym name, Span span);

static Node sum_prod(Collapse *l, Node n, Index c)
{
	const NodeInfo *p = core_node(l->c, n);
	uint32_t with = 0;
	Node rest = core_real_const(l->c, 1.0), read = 0;
	for (uint32_t k = 0; k < p->n; k++) {
		if (!core_has_index(l->c, p->arg[k], c)) {
			rest = core_mul(l->c, rest, core_powi(l->c, p->arg[k], p->expo[k]));
			continue;
		}
		with++;
		bool one = p->expo[k] == 1 && core_node(l->c, p->arg[k])->tag == NODE_READ;
		read = one ? sum_read(l, p->arg[k], c) : 0;
	}
	return with == 1 && read ? core_mul(l->c, rest, read) : 0;
}

/* Σ_c n. A sum inside a sum is flat (LIN), so this does not nest deeper than two. */
static Node sum_over(Collapse *l, Node n, Index c, Sym name, Span span)
{
	Core *core = l->c;
	const NodeInfo *p = core_node(core, n);
	Node out = 0, stay = 0;
	switch ((NodeTag)p->tag) {
	case NODE_LIN:
		for (uint32_t k = 0; k < p->n; k++) {
			const NodeInfo *q = core_node(core, p->arg[k]);
			Node one = q->tag == NODE_PROD   ? sum_prod(l, p->arg[k], c)
				   : q->tag == NODE_READ ? sum_read(l, p->arg[k], c)
							 : 0;
			if (one) {
				out = deriv_add(l->dv, out, core_scale(core, p->coef[k], one));
			} else {
				stay = deriv_add(l->dv, stay,
						 core_scale(core, p->coef[k], p->arg[k]));
			}
		}
		if (p->num != 0) {
			stay = deriv_add(l->dv, stay, core_real_const(core, p->num));
		}
		break;
	case NODE_PROD:
		out = sum_prod(l, n, c);
		stay = out ? 0 : n;
		break;
	case NODE_READ:
		out = sum_read(l, n, c);
		stay = out ? 0 : n;
		break;
	default:
		stay = n;
	}
	return stay ? deriv_add(l->dv, out, core_reduce(core, RED_SUM, name, span, 1, &c, stay))
		    : out;
}

static void stream_fill(Collapse *l, Stream *s)
{
	Core *c = l->c;
	const DefInfo info = *core_def(c, s->of);
	const Index *own = core_def(c, s->def)->index;
	Index over = core_index_like(c, info.index[s->pos]);
	Node *args = arena_array(l->dv->a, Node, info.nindex + 1);
	for (uint32_t k = 0, at = 0; k < info.nindex; k++) {
		args[k] = core_index_value(c, k == s->pos ? over : own[at++]);
	}
	Index *bound;
	Node body = core_open(c, s->of, 0, args, &bound);
	Node value = sum_over(l, body, over, core_def(c, s->def)->name, info.span);
	if (info.role == DEF_REDUCTION) {
		value = core_reduce(c, RED_SUM, core_def(c, s->def)->name, info.span, info.nbound,
				    bound, value);
	}
	Piece piece = {.value = value};
	core_set_pieces(c, s->def, 1, &piece);
}

void deriv_collapse(Deriv *dv, Def d)
{
	Core *c = dv->c;
	const DefInfo info = *core_def(c, d);
	if (info.role != DEF_REDUCTION || info.red != RED_SUM || info.kind != KIND_REAL) {
		return; /* sums of ints have no derivatives */
	}
	Collapse l = {.dv = dv, .c = c};
	for (uint32_t k = 0; k < info.nbound; k++) {
		if (core_axis_info(c, core_index_axis(c, info.bound[k]))->length) {
			continue; /* an index whose range depends on the record stays where it is */
		}
		l.gained = false;
		Node value = sum_over(&l, info.piece[0].value, info.bound[k], info.name, info.span);
		if (!l.gained) {
			continue;
		}
		Index *rest = arena_array(dv->a, Index, info.nbound);
		uint32_t n = 0;
		for (uint32_t j = 0; j < info.nbound; j++) {
			if (j != k) {
				rest[n++] = info.bound[j];
			}
		}
		value = n ? core_reduce(c, RED_SUM, info.name, info.span, n, rest, value) : value;
		deriv_replace_whole(dv, d, value);
		break;
	}
	while (l.n) {
		stream_fill(&l, l.work[--l.n]);
	}
}
