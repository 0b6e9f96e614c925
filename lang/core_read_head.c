/* core_read_head.c — heads of definitions in the core's text form: index variables, their axes, the
 * boxes of pieces. */
#include <string.h>

#include "lang/core_read.h"

/* pos, pos(3), pos(first + 1..last): the axis, and the range of a piece. */
static Axis binder_set(CoreRead *r, const Ast *set, Range *range)
{
	*range = (Range){{EDGE_FIRST, 0}, {EDGE_LAST, 0}};
	if (set->kind != AST_CALL || set->nkid != 2) {
		return core_read_axis(r, set);
	}
	Axis axis = core_read_axis(r, set->kid[0]);
	const Ast *part = set->kid[1];
	bool two = part->kind == AST_RANGE;
	if (!core_read_edge(r, two ? part->kid[0] : part, axis, &range->lo) ||
	    !core_read_edge(r, two ? part->kid[1] : part, axis, &range->hi)) {
		return 0;
	}
	return axis;
}

static bool add_sum(Edge *e, int64_t k)
{
	return !__builtin_add_overflow(e->offset, k, &e->offset);
}

/* 3, first + 1, last - 1, first(pos), end(pos) - 1 */
bool core_read_edge(CoreRead *r, const Ast *ast, Axis axis, Edge *out)
{
	const char *op = ast->kind == AST_BINARY ? intern_text(r->c->names, ast->name) : "";
	int64_t k;
	if (strcmp(op, "+") == 0 || strcmp(op, "-") == 0) {
		return core_read_edge(r, ast->kid[0], axis, out) &&
		       core_read_whole(r, ast->kid[1], &k) && add_sum(out, *op == '-' ? -k : k);
	}
	bool first = core_read_is(r, ast, "first") || core_read_call(r, ast, "first");
	if (first || core_read_is(r, ast, "last") || core_read_call(r, ast, "end")) {
		*out = (Edge){first ? EDGE_FIRST : EDGE_LAST, 0};
		return true;
	}
	*out = (Edge){EDGE_AT, 0};
	return core_read_whole(r, ast, &out->offset);
}

/* Is this place of a head an index variable? */
bool core_read_head_index(CoreRead *r, const Ast *ast)
{
	return ast->kind == AST_NAME && !core_read_is(r, ast, "first") &&
	       !core_read_is(r, ast, "last");
}

static bool head_from_binders(CoreRead *r, CoreEntry *e, CorePiece *p)
{
	p->box = arena_array(r->c->arena, Range, e->n);
	p->name = arena_array(r->c->arena, Sym, e->n);
	for (uint32_t k = 0; k < e->n; k++) {
		const Ast *b = p->binders->kid[k];
		Axis axis = b->kind == AST_BINDER && b->nkid == 2 && b->kid[1]
				    ? binder_set(r, b->kid[1], &p->box[k])
				    : 0;
		if (!axis || (e->axis[k] && e->axis[k] != axis)) {
			core_read_wrong(r, b, "an index with its axis");
			return false;
		}
		e->axis[k] = axis;
		p->name[k] = b->kid[0]->name;
	}
	return true;
}

static bool head_from_places(CoreRead *r, CoreEntry *e, CorePiece *p)
{
	p->box = arena_array(r->c->arena, Range, e->n);
	p->name = arena_array(r->c->arena, Sym, e->n);
	for (uint32_t k = 0; k < e->n; k++) {
		const Ast *place = p->head->kid[k + 1];
		p->box[k] = (Range){{EDGE_FIRST, 0}, {EDGE_LAST, 0}};
		if (core_read_head_index(r, place)) {
			p->name[k] = place->name;
			if (!e->axis[k]) {
				e->axis[k] = core_read_infer(r, p->value, place->name);
			}
		} else if (core_read_edge(r, place, 0, &p->box[k].lo)) {
			p->box[k].hi = p->box[k].lo;
		} else {
			return false;
		}
	}
	return true;
}

/* Number of formals of an entry; axes of those that are bound by name. */
static bool begin_heads(CoreRead *r, CoreEntry *e)
{
	for (size_t k = 0; k < e->npiece; k++) {
		const CorePiece *p = &e->piece[k];
		uint32_t n = p->binders ? p->binders->nkid : p->head ? p->head->nkid - 1 : 0;
		if (k && n != e->n) {
			diag_rank_mismatch(r->ctx->diags, p->value->span,
					   intern_text(r->c->names, e->name), n, e->n);
			r->failed = true;
			return false;
		}
		e->n = n;
	}
	e->axis = arena_array(r->c->arena, Axis, e->n);
	if (e->declared && (e->declared->nkid != e->n || e->npiece == 0)) {
		core_read_wrong(r, e->at, "a definition of the declared type");
		return false;
	}
	for (uint32_t k = 0; e->declared && k < e->n; k++) {
		e->axis[k] = core_read_axis(r, e->declared->kid[k]);
		if (!e->axis[k]) {
			return false;
		}
	}
	for (size_t k = 0; k < e->npiece; k++) {
		if (e->piece[k].binders && !head_from_binders(r, e, &e->piece[k])) {
			return false;
		}
	}
	return true;
}

static uint32_t unknown_axes(const CoreEntry *e)
{
	uint32_t n = 0;
	for (uint32_t k = 0; k < e->n; k++) {
		n += e->axis[k] == 0;
	}
	return n;
}

/* Heads of entries lo…hi-1, which may read one another: axes follow from reads of earlier lines and
 * from one another, as far as that goes. */
bool core_read_heads(CoreRead *r, size_t lo, size_t hi)
{
	for (size_t k = lo; k < hi; k++) {
		if (!r->entry[k].leaf && !begin_heads(r, &r->entry[k])) {
			return false;
		}
	}
	for (bool progress = true; progress;) {
		progress = false;
		for (size_t k = lo; k < hi; k++) {
			CoreEntry *e = &r->entry[k];
			uint32_t unknown = e->leaf ? 0 : unknown_axes(e);
			for (size_t p = 0; !e->leaf && p < e->npiece; p++) {
				if (e->piece[p].head && !head_from_places(r, e, &e->piece[p])) {
					return false;
				}
			}
			progress |= unknown && unknown_axes(e) < unknown;
		}
	}
	for (size_t k = lo; k < hi; k++) {
		CoreEntry *e = &r->entry[k];
		for (uint32_t q = 0; !e->leaf && q < e->n; q++) {
			if (!e->axis[q]) {
				diag_index_axis_unknown(
					r->ctx->diags, e->at->span,
					arena_printf(r->c->arena, "number %u", q + 1));
				r->failed = true;
				return false;
			}
		}
	}
	return true;
}
