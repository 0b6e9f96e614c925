/* elab_memo.c — the memory of expansions: a call whose arguments equal those of an earlier one, up
 * to renaming of indices, has its result. SPEC: functions. */
#include "lang/elab_call.h"

#include <string.h>

void index_set_add(Elab *e, IndexSet *set, Index ix)
{
	for (uint32_t j = 0; j < set->n; j++) {
		if (set->ix[j] == ix) {
			return;
		}
	}
	if (set->n == set->cap) {
		set->cap = set->cap ? 2 * set->cap : 16;
		Index *more = arena_array(e->arena, Index, set->cap);
		if (set->n) {
			memcpy(more, set->ix, set->n * sizeof *more);
		}
		set->ix = more;
	}
	set->ix[set->n++] = ix;
}

void index_set_node(Elab *e, Node node, IndexSet *out, const Index *own, uint32_t nown)
{
	if (!node) {
		return;
	}
	const Index *free;
	uint32_t m = core_free(e->core, node, &free);
	for (uint32_t i = 0; i < m; i++) {
		bool skip = false;
		for (uint32_t j = 0; j < nown; j++) {
			skip = skip || own[j] == free[i];
		}
		if (!skip) {
			index_set_add(e, out, free[i]);
		}
	}
}

/* A function made in a block sees the indices of that block. */
void index_set_captured(Elab *e, const FnVal *f, IndexSet *out)
{
	while (f->kind == FNV_DERIVED) {
		f = f->base;
	}
	if (f->kind == FNV_COMBINED) {
		index_set_value(e, f->left, out, NULL, 0);
		index_set_value(e, f->right, out, NULL, 0);
		return;
	}
	Index *captured;
	uint32_t n = f->kind == FNV_USER && f->decl->scope->frame
			     ? scope_context(e, f->decl->scope, &captured)
			     : 0;
	for (uint32_t i = 0; i < n; i++) {
		index_set_add(e, out, captured[i]);
	}
}

/* Index variables that the value depends on, its own array indices left out. */
void index_set_value(Elab *e, const Val *v, IndexSet *out, const Index *own, uint32_t nown)
{
	uint32_t k = nown;
	Index *mine = arena_array(e->arena, Index, nown + v->rank + 1);
	if (nown) {
		memcpy(mine, own, nown * sizeof *mine);
	}
	for (uint32_t i = 0; i < v->rank; i++) {
		mine[k++] = v->ix[i];
	}
	index_set_node(e, v->re, out, mine, k);
	index_set_node(e, v->im, out, mine, k);
	index_set_node(e, v->record, out, mine, k);
	for (uint32_t i = 0; v->rec && i < v->rank; i++) {
		index_set_node(e, v->rec[i], out, mine, k);
	}
	for (uint32_t i = 0; i < v->n; i++) {
		index_set_value(e, &v->item[i], out, mine, k);
	}
	if (v->tag == VAL_FN) {
		index_set_captured(e, v->fn, out);
	}
}

static bool same_node(Elab *e, Node a, Node b, uint32_t n, const Index *from, const Node *to)
{
	return a == b || (a && b && n && core_subst(e->core, a, n, from, to) == b);
}

static bool same_value(Elab *e, const Val *a, const Val *b, uint32_t n, const Index *from,
		       const Node *to);

/* A combination is the same if its parts are: they may differ in a number alone. */
static bool same_function(Elab *e, const FnVal *a, const FnVal *b, uint32_t n, const Index *from,
			  const Node *to)
{
	if (a == b) {
		return true;
	}
	if (a->kind != b->kind || a->kind == FNV_DERIVED) {
		return false;
	}
	if (a->kind == FNV_COMBINED) {
		return a->combine == b->combine && same_value(e, a->left, b->left, n, from, to) &&
		       same_value(e, a->right, b->right, n, from, to);
	}
	return a->decl == b->decl && a->op == b->op && a->builtin == b->builtin && !a->naxis &&
	       !b->naxis;
}

static bool same_value(Elab *e, const Val *a, const Val *b, uint32_t n, const Index *from,
		       const Node *to)
{
	if (a->tag != b->tag || a->elem != b->elem || a->rank != b->rank || a->n != b->n ||
	    a->of != b->of || a->spread != b->spread || a->literal != b->literal || a->string != b->string ||
	    a->data != b->data || a->domain != b->domain || a->axis.axis != b->axis.axis ||
	    unit_resolve(e->units, a->unit) != unit_resolve(e->units, b->unit)) {
		return false;
	}
	if (a->tag == VAL_FN) {
		return same_function(e, a->fn, b->fn, n, from, to);
	}
	if (a->tag == VAL_DIST) {
		return a->dist == b->dist;
	}
	if (!same_node(e, a->record, b->record, n, from, to) ||
	    !same_node(e, a->axis.record, b->axis.record, n, from, to)) {
		return false;
	}
	Val x = *a;
	if (a->rank) {
		for (uint32_t i = 0; i < a->rank; i++) {
			if (core_index_axis(e->core, a->ix[i]) !=
				    core_index_axis(e->core, b->ix[i]) ||
			    !same_node(e, a->rec ? a->rec[i] : 0, b->rec ? b->rec[i] : 0, n, from,
				       to)) {
				return false;
			}
		}
		x = val_align(e, a, b);
	}
	if (!same_node(e, x.re, b->re, n, from, to) || !same_node(e, x.im, b->im, n, from, to)) {
		return false;
	}
	for (uint32_t i = 0; i < a->n; i++) {
		if (!same_value(e, &a->item[i], &b->item[i], n, from, to)) {
			return false;
		}
	}
	return true;
}

bool memo_recall(Elab *e, FnDecl *d, Sym path, uint32_t n, const Val *arg, uint32_t nfree,
		 const Index *free, Val *out)
{
	for (size_t k = d->nmemo; k-- > 0;) {
		Memo *m = &d->memo[k];
		if (m->n != n || m->nfree != nfree || m->path != path) {
			continue;
		}
		Node *to = arena_array(e->arena, Node, nfree + 1);
		bool same = true;
		for (uint32_t i = 0; i < nfree && same; i++) {
			same = core_index_axis(e->core, m->free[i]) ==
			       core_index_axis(e->core, free[i]);
			to[i] = core_index_value(e->core, free[i]);
		}
		for (uint32_t i = 0; i < n && same; i++) {
			same = same_value(e, &m->arg[i], &arg[i], nfree, m->free, to);
		}
		if (same) {
			*out = val_subst(e, &m->result, nfree, m->free, to);
			return true;
		}
	}
	return false;
}

void index_set_around(Elab *e, Scope *s, IndexSet *out)
{
	Index *ix;
	uint32_t n = scope_context(e, s, &ix);
	for (uint32_t i = 0; i < n; i++) {
		index_set_add(e, out, ix[i]);
	}
}
