/* elab_recurrence.c — definitions by pieces and definitions that need themselves: declared first,
 * so that they can be read, then their pieces. They run over just those indices of the context that
 * they use. SPEC: recurrences. */
#include "lang/elab_group.h"

#include <string.h>

/* ---- pieces and recurrences
 * --------------------------------------------------------------------------------------------------
 */

static bool needs_cycle(const Cycle *c, const Ast *body)
{
	for (size_t i = 0; i < c->n; i++) {
		if (c->g[i]->recursive && group_text_mentions(body, c->g[i]->name)) {
			return true;
		}
	}
	return false;
}

/* Element type, unit and further axes from the pieces that stand alone. */
static bool learn(Cycle *c, Group *g)
{
	Elab *e = c->e;
	g->elem = ELEM_REAL;
	g->unit = 0;
	bool known = false, bare = false, alone = false; /* bare: whole numbers were met */
	for (size_t i = 0; i < g->n; i++) {
		if (needs_cycle(c, g->piece[i]->kid[1])) {
			continue;
		}
		Scope *in = scope_new(e, g->scope, NULL);
		if (!group_bind_piece(e, g, i, in)) {
			return false;
		}
		Val v = group_piece_value(e, g, i, in);
		if (v.tag == VAL_ERROR) {
			return false;
		}
		g->body[i] = v;
		alone = true;
		if (v.literal) {
			bare = bare || v.elem == ELEM_INT;
			continue;
		}
		if (v.elem == ELEM_COMPLEX || !known) {
			g->elem = v.elem == ELEM_SPIN ? ELEM_REAL : v.elem;
		}
		g->unit = v.unit;
		known = true;
		g->nextra = v.rank;
		g->extra = arena_array(e->arena, AxisRef, v.rank + 1);
		for (uint32_t k = 0; k < v.rank; k++) {
			g->extra[k] = val_axis(e, &v, k);
		}
	}
	if (!known && bare && c->integral) {
		g->elem = ELEM_INT;
	}
	if (!alone) { /* best[t] = argmax[j](…) of others in the set */
		g->elem = ELEM_INT;
		g->guess = true;
	}
	if (!known) {
		g->unit = g->recursive ? unit_fresh(e->units) : 0;
	}
	return true;
}

static void declare(Cycle *c, Group *g)
{
	Elab *e = c->e;
	uint32_t n = c->nctx + g->rank + g->nextra;
	for (int part = 0; part < (g->elem == ELEM_COMPLEX ? 2 : 1); part++) {
		Index *ix = arena_array(e->arena, Index, n + 1);
		for (uint32_t i = 0; i < n; i++) {
			Axis a;
			Sym name = 0;
			if (i < c->nctx) {
				a = core_index_axis(e->core, c->ctx[i]);
				name = core_index_name(e->core, c->ctx[i]);
			} else if (i < c->nctx + g->rank) {
				a = g->axis[i - c->nctx].axis;
				for (size_t k = 0; k < g->n; k++) {
					const Ast *arg = g->piece[k]->kid[0]->kid[i - c->nctx + 1];
					name = arg->kind == AST_NAME && group_binds(e, g, arg)
						       ? arg->name
						       : name;
				}
			} else {
				a = g->extra[i - c->nctx - g->rank].axis;
			}
			ix[i] = core_index(e->core, a, name);
		}
		DefInfo info = {.role = DEF_VALUE,
				.span = g->span,
				.nindex = n,
				.index = ix,
				.flags = DEF_USER};
		info.kind = g->elem == ELEM_INT    ? KIND_INT
			    : g->elem == ELEM_BOOL ? KIND_BOOL
						   : KIND_REAL;
		info.name = g->elem == ELEM_COMPLEX
				    ? intern_printf(e->names, "%s_%s", elab_text(e, g->name),
						    part ? "im" : "re")
				    : g->name;
		info.unit = unit_resolve(e->units, g->unit);
		Def d = core_define(e->core, info);
		if (part) {
			g->im = d;
		} else {
			g->re = d;
		}
	}
	Node *ctx = arena_array(e->arena, Node, c->nctx + 1);
	Node *rec = arena_array(e->arena, Node, g->rank + g->nextra + 1);
	for (uint32_t i = 0; i < c->nctx; i++) {
		ctx[i] = core_index_value(e->core, c->ctx[i]);
	}
	for (uint32_t i = 0; i < g->rank + g->nextra; i++) {
		rec[i] = i < g->rank ? g->axis[i].record : g->extra[i - g->rank].record;
	}
	Val v = val_of_def(e, g->span, g->elem, g->unit, g->re, g->elem == ELEM_COMPLEX ? g->im : 0,
			   c->nctx, ctx, rec);
	v.reaches = true;
	g->val = v;
	scope_put(e, g->scope, g->name, g->span, v);
}

/* w[0] = [0, 0, 0] takes the axis that the other pieces have. True if the set is to be made again. */
static bool fit_extra(Cycle *c, Group *g, Val *v)
{
	Elab *e = c->e;
	if (v->rank != g->nextra) {
		return false;
	}
	Val like = {.tag = VAL_NUM, .rank = g->nextra};
	like.ix = arena_array(e->arena, Index, g->nextra + 1);
	for (uint32_t k = 0; k < v->rank; k++) {
		const AxisInfo *own = core_axis_info(e->core, g->extra[k].axis),
			       *other = core_axis_info(e->core, val_axis(e, v, k).axis);
		if ((own->flags & AXIS_ANONYMOUS) && !(other->flags & AXIS_ANONYMOUS) &&
		    own->size == other->size) {
			g->extra[k] = val_axis(e, v, k);
			c->again = true;
		}
		like.ix[k] = core_index(e->core, g->extra[k].axis, 0);
	}
	if (!c->again) {
		literal_fit(e, v, &like);
	}
	return c->again;
}

static bool evaluate(Cycle *c, Group *g)
{
	Elab *e = c->e;
	for (size_t i = 0; i < g->n; i++) {
		if (g->body[i].tag != VAL_NUM) {
			Scope *in = scope_new(e, g->scope, NULL);
			if (!group_bind_piece(e, g, i, in)) {
				return false;
			}
			g->body[i] = group_piece_value(e, g, i, in);
		}
		Val *v = &g->body[i];
		if (v->tag == VAL_ERROR) {
			return false;
		}
		if (v->rank != g->nextra && !(v->literal && v->rank == 0)) {
			diag_rank_mismatch(elab_diags(e), v->span, "this piece", g->rank + v->rank,
					   g->rank + g->nextra);
			return false;
		}
		if (fit_extra(c, g, v)) {
			return true;
		}
		for (uint32_t k = 0; k < v->rank; k++) {
			if (!axis_same(e, val_axis(e, v, k), g->extra[k])) {
				axis_differs(e, v->span, val_axis(e, v, k), g->extra[k]);
				return false;
			}
		}
		if (g->guess && v->elem != ELEM_INT) {
			g->guess = false;
			g->elem = v->elem == ELEM_SPIN ? ELEM_REAL : v->elem;
			c->again = true;
			return true;
		}
		if ((g->elem == ELEM_INT || g->elem == ELEM_REAL) &&
		    (v->elem == ELEM_REAL || v->elem == ELEM_COMPLEX) && v->elem != g->elem) {
			g->elem = v->elem; /* the first pieces were whole numbers by chance */
			c->again = true;
			return true;
		}
		if (g->elem != ELEM_COMPLEX && g->elem != ELEM_REAL && v->elem != g->elem) {
			diag_type_mismatch(elab_diags(e), v->span, val_type(e, v),
					   "the type of the other pieces");
			return false;
		}
		if (g->elem == ELEM_COMPLEX ? !val_to_complex(e, v)
					    : g->elem == ELEM_REAL && !val_real(e, v)) {
			return false;
		}
		if ((g->elem == ELEM_REAL || g->elem == ELEM_COMPLEX) &&
		    !val_convert(e, v, g->unit)) {
			return false;
		}
	}
	return true;
}

static bool in_cycle(const Cycle *c, Def d)
{
	for (size_t i = 0; i < c->n; i++) {
		if (c->g[i]->re == d || (c->g[i]->im && c->g[i]->im == d)) {
			return true;
		}
	}
	return false;
}

/* Marks the context indices that the bodies use other than by passing them to the cycle's own
 * reads. */
static void used_context(const Cycle *c, Node n, bool *used, bool *seen)
{
	if (seen[n]) {
		return;
	}
	seen[n] = true;
	NodeInfo info = *core_node(c->e->core, n);
	if (info.tag == NODE_INDEX) {
		for (uint32_t i = 0; i < c->nctx; i++) {
			used[i] = used[i] || c->ctx[i] == info.ref;
		}
	}
	uint32_t first = info.tag == NODE_READ && in_cycle(c, info.ref) ? c->nctx : 0;
	for (uint32_t i = first; i < info.n; i++) {
		used_context(c, info.arg[i], used, seen);
	}
}

static bool prune(Cycle *c)
{
	bool *used = arena_array(c->e->arena, bool, c->nctx + 1);
	bool *seen = arena_array(c->e->arena, bool, core_node_count(c->e->core) + 1);
	for (size_t i = 0; i < c->n; i++) {
		for (size_t k = 0; k < c->g[i]->n; k++) {
			used_context(c, c->g[i]->body[k].re, used, seen);
			if (c->g[i]->body[k].im) {
				used_context(c, c->g[i]->body[k].im, used, seen);
			}
		}
	}
	uint32_t n = 0;
	Index *kept = arena_array(c->e->arena, Index, c->nctx + 1);
	for (uint32_t i = 0; i < c->nctx; i++) {
		if (used[i]) {
			kept[n++] = c->ctx[i];
		}
	}
	bool changed = n != c->nctx;
	c->ctx = kept;
	c->nctx = n;
	return changed;
}

static int more_fixed_first(const Group *g, size_t a, size_t b)
{
	uint32_t fa = 0, fb = 0;
	for (uint32_t p = 0; p < g->rank; p++) {
		fa += g->own[a][p] == 0;
		fb += g->own[b][p] == 0;
	}
	return fa > fb;
}

static void set_pieces(Cycle *c, Group *g, bool imaginary)
{
	Elab *e = c->e;
	Def d = imaginary ? g->im : g->re;
	uint32_t nf = c->nctx + g->rank + g->nextra;
	size_t *order = arena_array(e->arena, size_t, g->n);
	for (size_t i = 0; i < g->n; i++) {
		size_t k = i;
		for (; k > 0 && more_fixed_first(g, i, order[k - 1]); k--) {
			order[k] = order[k - 1];
		}
		order[k] = i;
	}
	Piece *piece = arena_array(e->arena, Piece, g->n);
	Index *formal = arena_array(e->arena, Index, nf + 1);
	memcpy(formal, core_def(e->core, d)->index, nf * sizeof *formal);
	for (size_t k = 0; k < g->n; k++) {
		size_t i = order[k];
		Val *v = &g->body[i];
		Index *from = arena_array(e->arena, Index, nf + 1);
		Node *to = arena_array(e->arena, Node, nf + 1);
		Range *box = arena_array(e->arena, Range, nf + 1);
		uint32_t n = 0;
		bool boxed = false;
		for (uint32_t p = 0; p < nf; p++) {
			box[p] = (Range){{EDGE_FIRST, 0}, {EDGE_LAST, 0}};
			Index source = 0;
			if (p < c->nctx) {
				source = c->ctx[p];
			} else if (p < c->nctx + g->rank) {
				source = g->own[i][p - c->nctx];
				if (!source) {
					int64_t at = g->fixed[i][p - c->nctx];
					box[p] = (Range){{EDGE_AT, at}, {EDGE_AT, at}};
					boxed = true;
				}
			} else if (v->rank) {
				source = v->ix[p - c->nctx - g->rank];
			}
			if (source) {
				from[n] = source;
				to[n++] = core_index_value(e->core, formal[p]);
			}
		}
		piece[k].box = boxed ? box : NULL;
		piece[k].value = core_subst(e->core, imaginary ? v->im : v->re, n, from, to);
	}
	core_set_pieces(e->core, d, (uint32_t)g->n, piece);
	core_def_mutable(e->core, d)->unit = unit_resolve(e->units, g->unit);
}

/* "0, …": the labels of a place, with … where any will do. */
static const char *missing_place(Elab *e, uint32_t rank, const Missing *m)
{
	const char *text = "";
	for (uint32_t p = 0; p < rank; p++) {
		const char *comma = p ? ", " : "";
		bool known = false;
		for (uint32_t k = 0; k < m->n && !known; k++) {
			known = m->axis[k] == p;
			text = known ? arena_printf(e->arena, "%s%s%lld", text, comma, (long long)m->at[k])
				     : text;
		}
		text = known ? text : arena_printf(e->arena, "%s%s…", text, comma);
	}
	return text;
}

static bool check_order(Cycle *c)
{
	Def *def = arena_array(c->e->arena, Def, c->n * 2 + 1);
	const Group **group = arena_array(c->e->arena, const Group *, c->n * 2 + 1);
	size_t n = 0;
	for (size_t i = 0; i < c->n; i++) {
		for (int part = 0; part < (c->g[i]->im ? 2 : 1); part++) {
			group[n] = c->g[i];
			def[n++] = part ? c->g[i]->im : c->g[i]->re;
		}
	}
	const char *why = NULL;
	Missing missing = {0};
	if (elab_check_order(c->e, n, def, c->nctx, &why, &missing)) {
		return true;
	}
	if (why) {
		Diag *d =
			diag_bad_recurrence(elab_diags(c->e), c->g[0]->piece[c->g[0]->n - 1]->span,
					    elab_text(c->e, c->g[0]->name), why);
		diag_help(d, "a recurrence runs one way: all reads of itself at smaller places of "
			     "its axis, or all at larger");
	} else {
		const Group *g = group[missing.of];
		const char *name = elab_text(c->e, g->name);
		const char *place = missing_place(c->e, g->rank, &missing);
		Diag *d = diag_unassigned(elab_diags(c->e), g->piece[g->n - 1]->span, name);
		diag_remark(d, "the recurrence begins by reading %s[%s]", name, place);
		diag_help(d, "give it a value there:  %s[%s] = …", name, place);
	}
	return false;
}

/* A recurrence of zeros alone has no unit. */
static bool unit_is_known(Cycle *c, const Group *g)
{
	Elab *e = c->e;
	if ((g->elem != ELEM_REAL && g->elem != ELEM_COMPLEX) ||
	    !unit_has_variable(e->units, unit_resolve(e->units, g->unit))) {
		return true;
	}
	Diag *d = diag_unit_undetermined(elab_diags(e), g->span, elab_text(e, g->name));
	diag_remark(d, "it begins with 0, which fits every unit, and nothing else says more");
	diag_help(
		d,
		"write the first value with its unit, as in  0 'm', or as a pure number:  real(0)");
	return false;
}

static void fail_all(Cycle *c)
{
	Elab *e = c->e;
	for (size_t i = 0; i < c->n; i++) {
		group_finish(e, c->g[i], val_error(c->g[i]->span));
		scope_put(c->e, c->g[i]->scope, c->g[i]->name, c->g[i]->span,
			  val_error(c->g[i]->span));
	}
}

static bool is_general(Elab *e, const Group *g, const Ast *left, uint32_t i)
{
	int64_t label;
	return group_binds(e, g, left->kid[i]) &&
	       !names_label(e, g->axis[i - 1].axis, left->kid[i], &label);
}

/* Do two left sides stand for the same places: binding indices at the same positions, the same
 * numbers elsewhere? */
static bool same_places(Elab *e, const Group *g, const Ast *a, const Ast *b)
{
	for (uint32_t i = 1; i < a->nkid && i < b->nkid; i++) {
		bool binds = is_general(e, g, a, i);
		if (binds != is_general(e, g, b, i) ||
		    (!binds && strcmp(ast_text(e->arena, e->names, a->kid[i]),
				      ast_text(e->arena, e->names, b->kid[i])) != 0)) {
			return false;
		}
	}
	return a->nkid == b->nkid;
}

/* Two equations for the same places: the second would never be used. */
static bool defined_once(Elab *e, const Group *g)
{
	for (size_t i = 0; i < g->n; i++) {
		for (size_t k = 0; k < i; k++) {
			if (same_places(e, g, g->piece[k]->kid[0], g->piece[i]->kid[0])) {
				diag_note(diag_redefined(elab_diags(e), g->piece[i]->kid[0]->span,
							 ast_text(e->arena, e->names,
								  g->piece[i]->kid[0])),
					  g->piece[k]->kid[0]->span, "first defined here");
				return false;
			}
		}
	}
	return true;
}

void group_recurrence(Cycle *c)
{
	Elab *e = c->e;
	bool ok = true;
	Diag *circle = NULL;
	for (size_t i = 0; i < c->n; i++) {
		Group *g = c->g[i];
		g->state = GROUP_BUSY;
		if (g->piece[0]->kid[0]->kind != AST_INDEX) {
			if (!circle) {
				circle = diag_bad_recurrence(elab_diags(e), g->span,
							     elab_text(e, g->name),
							     "it needs itself");
				diag_help(circle, "a recurrence has an index to run along:  h[t] = "
						  "… h[t-1] …");
			} else {
				diag_note(circle, g->span, "%s is needed on the way",
					  elab_text(e, g->name));
			}
			ok = false;
			continue;
		}
		ok = group_sides_agree(e, g) && ok;
		c->integral = c->integral || group_is_integral(e, g);
	}
	ok = ok && group_find_axes(e, c->g, c->n);
	for (size_t i = 0; ok && i < c->n; i++) {
		Group *g = c->g[i];
		if (!defined_once(e, g)) {
			ok = false;
			break;
		}
		g->body = arena_array(e->arena, Val, g->n);
		g->own = arena_array(e->arena, Index *, g->n);
		g->fixed = arena_array(e->arena, int64_t *, g->n);
		ok = learn(c, g);
	}
	for (int pass = 0; ok && pass < 6; pass++) {
		c->again = false;
		for (size_t i = 0; i < c->n; i++) {
			declare(c, c->g[i]);
		}
		for (size_t i = 0; ok && !c->again && i < c->n; i++) {
			ok = evaluate(c, c->g[i]);
		}
		if (!ok || (!c->again && (pass == 5 || !prune(c)))) {
			break;
		}
		for (size_t i = 0; i < c->n; i++) { /* again with just the context that is used */
			Group *g = c->g[i];
			for (size_t k = 0; k < g->n; k++) {
				if (needs_cycle(c, g->piece[k]->kid[1])) {
					g->body[k].tag = VAL_ERROR;
				}
			}
			if (g->unit && unit_has_variable(e->units, g->unit)) {
				g->unit = unit_resolve(e->units, g->unit);
			}
		}
	}
	for (size_t i = 0; ok && i < c->n; i++) {
		ok = unit_is_known(c, c->g[i]);
	}
	if (!ok) {
		fail_all(c);
		return;
	}
	for (size_t i = 0; i < c->n; i++) {
		set_pieces(c, c->g[i], false);
		if (c->g[i]->im) {
			set_pieces(c, c->g[i], true);
		}
		Val v = c->g[i]->val;
		if (v.elem == ELEM_REAL || v.elem == ELEM_COMPLEX) {
			v.unit = unit_resolve(e->units, c->g[i]->unit);
		}
		group_finish(e, c->g[i], v);
		scope_put(e, c->g[i]->scope, c->g[i]->name, c->g[i]->span, v);
	}
	if (!check_order(c)) {
		fail_all(c);
	}
}
