/* core_def.c — definitions: making, sharing, opening.
 * Keeps: an index variable belongs to one definition; equal whole-domain values are one definition
 * (core_share). */
#include "lang/core_int.h"

#include <assert.h>
#include <string.h>

const DefInfo *core_def(const Core *c, Def d)
{
	assert(d && d <= c->ndef);
	return &core_def_cell(c, d)->info;
}

DefInfo *core_def_mutable(Core *c, Def d)
{
	assert(d && d <= c->ndef);
	return &core_def_cell(c, d)->info;
}

uint32_t core_def_count(const Core *c)
{
	return c->ndef;
}

/* Does the range reach beyond the axis, or may it, as far as is known? */
static bool beyond_axis(const AxisInfo *a, Range r)
{
	bool below = r.lo.kind == EDGE_FIRST ? r.lo.offset < 0
					     : r.lo.kind == EDGE_AT && r.lo.offset < a->first;
	bool above = r.hi.kind == EDGE_LAST && r.hi.offset > 0;
	if (r.hi.kind == EDGE_AT && a->size >= 0) {
		above = r.hi.offset > a->first + a->size - 1;
	}
	return below || above;
}

static void mark_wide(Core *c, const DefInfo *info)
{
	for (uint32_t p = 0; p < info->npiece; p++) {
		for (uint32_t k = 0; info->piece[p].box && k < info->nindex; k++) {
			const AxisInfo *a = core_axis_info(c, core_index_axis(c, info->index[k]));
			if (beyond_axis(a, info->piece[p].box[k])) {
				c->index[info->index[k]].wide = true;
			}
		}
	}
}

static Piece *copy_pieces(Core *c, uint32_t nindex, uint32_t n, const Piece *pieces)
{
	Piece *copy = arena_array(c->arena, Piece, n);
	for (uint32_t k = 0; k < n; k++) {
		copy[k].value = pieces[k].value;
		if (pieces[k].box) {
			copy[k].box = arena_copy(c->arena, pieces[k].box, nindex * sizeof(Range),
						 alignof(Range));
		}
	}
	return copy;
}

static Index *copy_indices(Core *c, uint32_t n, const Index *from)
{
	return n ? arena_copy(c->arena, from, n * sizeof *from, alignof(Index)) : NULL;
}

Def core_define(Core *c, DefInfo info)
{
	assert(c->ndef < UINT32_MAX - 1);
	if (c->ndef % CORE_CHUNK == 0) {
		DefCell *chunk = arena_array(c->arena, DefCell, CORE_CHUNK);
		ARENA_PUSH(c->arena, c->def, c->ndefchunk, c->defchunkcap, chunk);
	}
	info.index = copy_indices(c, info.nindex, info.index);
	info.bound = copy_indices(c, info.nbound, info.bound);
	info.piece = copy_pieces(c, info.nindex, info.npiece, info.piece);
	if (info.rule) {
		Rule *rule = arena_new(c->arena, Rule);
		rule->n = info.rule->n;
		rule->arg =
			arena_copy(c->arena, info.rule->arg, rule->n * sizeof(Node), alignof(Node));
		rule->partial = arena_copy(c->arena, info.rule->partial, rule->n * sizeof(Node),
					   alignof(Node));
		info.rule = rule;
	}
	Def d = ++c->ndef;
	*core_def_cell(c, d) = (DefCell){.info = info};
	mark_wide(c, &info);
	return d;
}

void core_set_pieces(Core *c, Def d, uint32_t n, const Piece *pieces)
{
	DefCell *cell = core_def_cell(c, d);
	cell->info.piece = copy_pieces(c, cell->info.nindex, n, pieces);
	cell->info.npiece = n;
	cell->reads_known = false;
	c->version++;
	mark_wide(c, &cell->info);
}

Def core_leaf(Core *c, DefRole role, Sym name, Span span, Kind kind, UnitId unit, uint32_t n,
	      const Axis *axes)
{
	Index *index = arena_array(c->arena, Index, n);
	for (uint32_t k = 0; k < n; k++) {
		index[k] = core_index(c, axes[k], 0);
	}
	DefInfo info = {.role = role,
			.name = name,
			.span = span,
			.kind = kind,
			.unit = unit,
			.nindex = n,
			.index = index};
	return core_define(c, info);
}

/* ---- sharing ---- */

static CanonFamily family_of(const Core *c, Index i)
{
	return c->index[i].wide ? CANON_WIDE : CANON_FREE;
}

Def core_share(Core *c, Sym name, Span span, uint32_t n, const Index *indices, Node body,
	       unsigned flags)
{
	assert(core_cell(c, body)->nfree <= n);
	Node *canon = arena_array(c->arena, Node, n);
	uint32_t *key = arena_array(c->arena, uint32_t, n + 2);
	for (uint32_t k = 0; k < n; k++) {
		Index i =
			core_canon(c, family_of(c, indices[k]), core_index_axis(c, indices[k]), k);
		canon[k] = core_index_value(c, i);
		key[k] = canon[k];
	}
	key[n] = core_subst(c, body, n, indices, canon);
	key[n + 1] = flags & (DEF_ZERO_OUTSIDE | DEF_SPIN);
	Def known = flags & DEF_VARIABLE ? 0 : core_key_find(&c->shared, key, n + 2);
	if (known) {
		DefInfo *info = core_def_mutable(c, known);
		if ((flags & DEF_USER) && !(info->flags & DEF_USER)) {
			info->name = name;
			info->span = span;
		}
		info->flags |= flags & (DEF_USER | DEF_KEEP);
		return known;
	}
	Index *formal = arena_array(c->arena, Index, n);
	Node *value = arena_array(c->arena, Node, n);
	for (uint32_t k = 0; k < n; k++) {
		formal[k] = core_index_like(c, indices[k]);
		value[k] = core_index_value(c, formal[k]);
	}
	Piece piece = {.value = core_subst(c, body, n, indices, value)};
	DefInfo info = {.role = DEF_VALUE,
			.name = name,
			.span = span,
			.kind = core_kind(c, body),
			.nindex = n,
			.index = formal,
			.npiece = 1,
			.piece = &piece,
			.flags = flags};
	Def d = core_define(c, info);
	if (!(flags & DEF_VARIABLE)) {
		core_key_add(c, &c->shared, key, n + 2, d);
	}
	return d;
}

/* ---- opening ---- */

Node core_open(Core *c, Def d, uint32_t piece, const Node *args, Index **bound)
{
	const DefInfo *info = core_def(c, d);
	assert(piece < info->npiece);
	uint32_t n = info->nindex + info->nbound;
	Index *from = arena_array(c->arena, Index, n);
	Node *to = arena_array(c->arena, Node, n);
	Index *fresh = arena_array(c->arena, Index, info->nbound);
	for (uint32_t k = 0; k < info->nindex; k++) {
		from[k] = info->index[k];
		to[k] = args[k];
	}
	for (uint32_t k = 0; k < info->nbound; k++) {
		fresh[k] = core_index_like(c, info->bound[k]);
		from[info->nindex + k] = info->bound[k];
		to[info->nindex + k] = core_index_value(c, fresh[k]);
	}
	if (bound) {
		*bound = fresh;
	}
	return core_subst(c, info->piece[piece].value, n, from, to);
}
