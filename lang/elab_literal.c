/* elab_literal.c — array literals [a, b, c]: one element type and unit, or several units directly
 * before standardize. SPEC: array literals. */
#include "lang/elab_call.h"

static bool same_unit_items(Elab *e, Span at, uint32_t n, Val *item, bool *mixed)
{
	for (uint32_t i = 1; i < n; i++) {
		if (item[0].unit != item[i].unit &&
		    !unit_same_dimension(e->units, item[0].unit, item[i].unit) &&
		    !item[i].literal && !item[0].literal) {
			*mixed = true;
			return true;
		}
	}
	for (uint32_t i = 1; i < n; i++) {
		if (!val_agree(e, at, &item[0], &item[i])) {
			return false;
		}
	}
	return true;
}

enum { LITERAL_CHOICE = 16 }; /* longer literals are definitions with a piece for each element */

/* The element at ix[0] of several: a choice by position, or the read of a definition by pieces. */
static Node by_position(Elab *e, Span at, uint32_t rank, const Index *ix, uint32_t n,
			const Node *item)
{
	Core *c = e->core;
	if (n <= LITERAL_CHOICE) {
		Node r = item[n - 1];
		for (uint32_t i = n - 1; i-- > 0;) {
			Node here = core_op2(c, OP_ieq, core_index_value(c, ix[0]),
					     core_int_const(c, i));
			r = core_select(c, here, item[i], r);
		}
		return r;
	}
	IndexSet set = {0}; /* what the elements depend on, then the array's own indices */
	for (uint32_t i = 0; i < n; i++) {
		index_set_node(e, item[i], &set, ix, rank);
	}
	uint32_t nctx = set.n, all = nctx + rank;
	Index *from = arena_array(e->arena, Index, all + 1);
	Index *formal = arena_array(e->arena, Index, all + 1);
	Node *to = arena_array(e->arena, Node, all + 1), *arg = arena_array(e->arena, Node, all + 1);
	for (uint32_t p = 0; p < all; p++) {
		from[p] = p < nctx ? set.ix[p] : ix[p - nctx];
		formal[p] = core_index_like(c, from[p]);
		to[p] = core_index_value(c, formal[p]);
		arg[p] = core_index_value(c, from[p]);
	}
	Piece *piece = arena_array(e->arena, Piece, n);
	for (uint32_t i = 0; i < n; i++) {
		Range *box = arena_array(e->arena, Range, all);
		for (uint32_t p = 0; p < all; p++) {
			box[p] = (Range){{EDGE_FIRST, 0}, {EDGE_LAST, 0}};
		}
		box[nctx] = (Range){{EDGE_AT, i}, {EDGE_AT, i}};
		piece[i] = (Piece){box, core_subst(c, item[i], all, from, to)};
	}
	DefInfo info = {.role = DEF_VALUE,
			.name = SYM(e, "literal"),
			.span = at,
			.kind = core_kind(c, item[0]),
			.nindex = all,
			.index = formal,
			.npiece = n,
			.piece = piece};
	return core_read(c, core_define(c, info), arg);
}

/* Elements are kept beside the definition, so that [a, b][0] is a. */
Val elab_array_literal(Elab *e, Scope *s, Span at, uint32_t n, Val *item)
{
	(void)s;
	bool complex = false, all_int = true,
	     bare = true; /* bare numbers alone make a real array */
	for (uint32_t i = 0; i < n; i++) {
		if (item[i].tag == VAL_ERROR) {
			return val_error(at);
		}
		if (item[i].tag != VAL_NUM || item[i].rank != item[0].rank ||
		    item[i].elem == ELEM_BOOL) {
			diag_type_mismatch(elab_diags(e), item[i].span, val_type(e, &item[i]),
					   "a number like the other elements");
			return val_error(at);
		}
		complex = complex || item[i].elem == ELEM_COMPLEX;
		all_int = all_int && item[i].elem == ELEM_INT;
		bare = bare && item[i].literal;
	}
	all_int = all_int && !bare;
	for (uint32_t i = 0; i < n && !all_int; i++) {
		if (!(complex ? val_to_complex(e, &item[i]) : val_real(e, &item[i]))) {
			return val_error(at);
		}
	}
	bool mixed = false;
	if (!same_unit_items(e, at, n, item, &mixed)) {
		return val_error(at);
	}
	Val r = n ? item[0] : val_num(e, at, ELEM_REAL, 0, core_real_const(e->core, 0));
	Axis axis = core_axis_anonymous(e->core, n);
	Index k = core_index(e->core, axis, SYM(e, "k"));
	r.span = at;
	r.rank = 1 + (n ? item[0].rank : 0);
	Index *ix = arena_array(e->arena, Index, r.rank);
	ix[0] = k;
	for (uint32_t j = 1; j < r.rank; j++) {
		AxisRef a = val_axis(e, &item[0], j - 1);
		ix[j] = core_index(e->core, a.axis, core_index_name(e->core, item[0].ix[j - 1]));
	}
	r.ix = ix;
	r.literal = false;
	r.of = 0;
	r.mixed = mixed;
	r.n = n;
	r.item = item;
	r.rec = NULL;
	Val like = r;
	like.rank--;
	like.ix = ix + 1;
	Node *re = arena_array(e->arena, Node, n + 1), *im = arena_array(e->arena, Node, n + 1);
	for (uint32_t i = 0; i < n; i++) {
		Val b = item[i].rank ? val_align(e, &item[i], &like) : item[i];
		re[i] = b.re;
		im[i] = b.im;
	}
	if (n) {
		r.re = by_position(e, at, r.rank, ix, n, re);
		r.im = complex ? by_position(e, at, r.rank, ix, n, im) : 0;
	}
	return r;
}

/* A structural axis, of a literal or a slice, is that of the array beside it. */
void literal_fit(Elab *e, Val *v, const Val *like)
{
	if (v->tag != VAL_NUM || like->tag != VAL_NUM || !v->rank || v->rank != like->rank) {
		return;
	}
	Index *ix = arena_array(e->arena, Index, v->rank + 1);
	Index *from = arena_array(e->arena, Index, v->rank + 1);
	Node *to = arena_array(e->arena, Node, v->rank + 1);
	uint32_t n = 0;
	for (uint32_t p = 0; p < v->rank; p++) {
		Axis axis = core_index_axis(e->core, like->ix[p]);
		const AxisInfo *own = core_axis_info(e->core, core_index_axis(e->core, v->ix[p])),
			       *other = core_axis_info(e->core, axis);
		ix[p] = v->ix[p];
		if (!(own->flags & AXIS_ANONYMOUS) || (other->flags & AXIS_ANONYMOUS) ||
		    other->size != own->size || other->length) {
			continue;
		}
		ix[p] = core_index(e->core, axis, core_index_name(e->core, v->ix[p]));
		from[n] = v->ix[p];
		to[n++] = core_sub(e->core, core_index_value(e->core, ix[p]),
				   core_int_const(e->core, other->first));
	}
	if (n) {
		Val r = val_subst(e, v, n, from, to);
		r.ix = ix;
		r.n = 0;
		*v = r;
	}
}
