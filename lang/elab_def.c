/* elab_def.c — definitions by index and recurrences:  y[i] = …,  h[0,i] = …,  h[t,i] = … h[t-1,j] ….
 * A definition is elaborated when it is first asked for, so order does not matter; those that need each other are made
 * together: first their definitions without pieces, then the pieces. SPEC: definitions, recurrences. */
#include "lang/elab_int.h"

#include <stdlib.h>
#include <string.h>

typedef enum { GROUP_NEW, GROUP_BUSY, GROUP_DONE } GroupState;
struct Group {
	Sym name;
	Scope *scope;
	Span span;
	const Ast **piece; /* DEF nodes of this name */
	size_t n, cap;
	GroupState state;
	Val val;
	/* while a set that needs each other is made */
	uint32_t rank;     /* written indices */
	AxisRef *axis;     /* of each written index */
	bool recursive;
	Def re, im;
	Elem elem;
	UnitId unit;
	uint32_t nextra;   /* axes of array-valued right sides, after the written ones */
	AxisRef *extra;
	Val *body;         /* of each piece */
	Index **own;       /* index variables bound in each piece, 0 for fixed positions */
	int64_t **fixed;
};

static const Ast *def_name(const Ast *def)
{
	const Ast *left = def->kid[0];
	return left->kind == AST_INDEX ? left->kid[0] : left;
}

void elab_defs(Elab *e, Scope *s, uint32_t n, Ast *const *stmt)
{
	s->text = stmt;
	s->ntext = n;
	for (uint32_t i = 0; i < n; i++) {
		const Ast *def = stmt[i];
		if (!def || def->kind != AST_DEF) {
			continue;
		}
		const Ast *head = def_name(def);
		if (head->kind != AST_NAME) {
			Diag *d = diag_bad_statement_place(elab_diags(e), head->span, "this", "left of = in a definition");
			if (head->kind == AST_CALL) {
				diag_help(d, "a function is defined by  fn f(x) = …");
			}
			continue;
		}
		Group *g = NULL;
		for (size_t k = 0; k < s->n; k++) {
			Entry *entry = &s->entry[k];
			if (entry->name == head->name && entry->pending && entry->pending->scope == s) {
				g = entry->pending;
			}
		}
		bool indexed = def->kid[0]->kind == AST_INDEX;
		if (g && (!indexed || g->piece[0]->kid[0]->kind != AST_INDEX)) {
			diag_note(diag_redefined(elab_diags(e), head->span, elab_text(e, head->name)), g->span, "first defined here");
			continue;
		}
		if (!g) {
			g = arena_new(e->arena, Group);
			g->name = head->name;
			g->scope = s;
			g->span = head->span;
			Entry *entry = scope_add(e, s, head->name, head->span, val_error(head->span));
			entry->pending = g;
		}
		ARENA_PUSH(e->arena, g->piece, g->n, g->cap, def);
	}
}

/* ---- who needs whom ------------------------------------------------------------------------------------------------ */
static bool mentions(const Ast *ast, Sym name)
{
	if (!ast) {
		return false;
	}
	if (ast->kind == AST_NAME && ast->name == name) {
		return true;
	}
	for (uint32_t i = 0; i < ast->nkid; i++) {
		if (mentions(ast->kid[i], name)) {
			return true;
		}
	}
	return false;
}

static bool group_mentions(const Group *g, Sym name)
{
	for (size_t i = 0; i < g->n; i++) {
		if (mentions(g->piece[i]->kid[1], name)) {
			return true;
		}
	}
	return false;
}

/* Can `from` reach `to` through the pending definitions of their scope? */
static bool reaches_group(Elab *e, const Group *from, const Group *to)
{
	Scope *s = from->scope;
	Group **stack = arena_array(e->arena, Group *, s->n + 1);
	bool *seen = arena_array(e->arena, bool, s->n + 1);
	size_t top = 0;
	stack[top++] = (Group *)(uintptr_t)from;
	while (top) {
		const Group *g = stack[--top];
		for (size_t k = 0; k < s->n; k++) {
			Group *h = s->entry[k].pending;
			if (!h || h->state == GROUP_DONE || h->scope != s || seen[k] || !group_mentions(g, h->name)) {
				continue;
			}
			if (h == to) {
				return true;
			}
			seen[k] = true;
			stack[top++] = h;
		}
	}
	return false;
}

static size_t cycle_of(Elab *e, Group *g, Group ***out)
{
	Scope *s = g->scope;
	Group **set = arena_array(e->arena, Group *, s->n + 1);
	size_t n = 0;
	set[n++] = g;
	g->recursive = reaches_group(e, g, g);
	for (size_t k = 0; g->recursive && k < s->n; k++) {
		Group *h = s->entry[k].pending;
		if (h && h != g && h->state == GROUP_NEW && h->scope == s && reaches_group(e, g, h) && reaches_group(e, h, g)) {
			h->recursive = true;
			set[n++] = h;
		}
	}
	*out = set;
	return n;
}

/* ---- the indices of a left side ---------------------------------------------------------------------------------------- */
/* A position that is fixed: a number, a label, a const; not a name that is to be bound. */
static bool is_bound_name(Elab *e, const Group *g, const Ast *arg)
{
	if (arg->kind != AST_NAME) {
		return false;
	}
	Entry *entry = scope_find(e, g->scope, arg->name);
	return !entry || entry->pending || entry->val.tag != VAL_NUM || entry->val.rank || entry->val.elem != ELEM_INT ||
	       entry->val.of;
}

static bool axis_from_bodies(Elab *e, Group *g, uint32_t p, AxisRef *out)
{
	for (size_t i = 0; i < g->n; i++) {
		const Ast *left = g->piece[i]->kid[0];
		if (left->nkid - 1 <= p || !is_bound_name(e, g, left->kid[p + 1])) {
			continue;
		}
		Sym name = left->kid[p + 1]->name;
		bool label_only = false;
		if (axis_infer(e, g->scope, name, g->piece[i]->kid[1], out) && !label_only) {
			return true;
		}
	}
	return false;
}

static bool axis_from_uses(Elab *e, Group *g, uint32_t p, AxisRef *out);

bool group_axis(Elab *e, Group *g, Sym name, uint32_t position, AxisRef *out)
{
	(void)name;
	if (g->axis && position < g->rank && g->axis[position].axis) {
		*out = g->axis[position];
		return true;
	}
	if (g->state == GROUP_DONE) {
		if (g->val.tag == VAL_NUM && position < g->val.rank) {
			*out = val_axis(e, &g->val, position);
			return true;
		}
		return false;
	}
	if (g->state == GROUP_BUSY) {
		return false;
	}
	if (g->piece[0]->kid[0]->kind != AST_INDEX) {
		Val v = scope_value(e, g->scope, g->name, g->span);
		if (v.tag == VAL_NUM && position < v.rank) {
			*out = val_axis(e, &v, position);
			return true;
		}
		return false;
	}
	g->state = GROUP_BUSY; /* the definition is not asked again while its own text is searched */
	bool ok = axis_from_bodies(e, g, position, out) || axis_from_uses(e, g, position, out);
	g->state = GROUP_NEW;
	return ok;
}

/* ---- which axis, seen from the reads of the name ---- */
typedef struct Uses { Elab *e; Group *g; uint32_t p; AxisRef found; bool done; } Uses;

static bool plain_name(const Ast *ast, Sym *name)
{
	while (ast->kind == AST_PAREN) { ast = ast->kid[0]; }
	if (ast->kind == AST_BINARY && ast->kid[1]->kind == AST_NUM) { ast = ast->kid[0]; }
	*name = ast->kind == AST_NAME ? ast->name : 0;
	return ast->kind == AST_NAME;
}

/* The axis of index `name` where `def` binds it on its left side. */
static bool axis_on_left(Uses *u, const Ast *def, Sym name)
{
	const Ast *left = def ? def->kid[0] : NULL;
	if (!left || left->kind != AST_INDEX || left->kid[0]->kind != AST_NAME) {
		return false;
	}
	for (uint32_t q = 1; q < left->nkid; q++) {
		if (left->kid[q]->kind == AST_NAME && left->kid[q]->name == name) {
			Entry *entry = scope_find(u->e, u->g->scope, left->kid[0]->name);
			if (entry && !entry->pending && entry->val.tag == VAL_NUM && q - 1 < entry->val.rank) {
				u->found = val_axis(u->e, &entry->val, q - 1);
				return true;
			}
			Group *other = entry ? entry->pending : NULL;
			return other && other != u->g && group_axis(u->e, other, other->name, q - 1, &u->found);
		}
	}
	return false;
}

typedef struct Binding { const struct Binding *outer; const Ast *binders; } Binding;

static bool axis_of_binder(Uses *u, const Binding *b, Sym name, bool *bound)
{
	for (; b; b = b->outer) {
		for (uint32_t i = 0; i < b->binders->nkid; i++) {
			const Ast *k = b->binders->kid[i];
			if (!k || k->kind != AST_BINDER || k->kid[0]->kind != AST_NAME || k->kid[0]->name != name) { continue; }
			*bound = true;
			if (k->nkid < 2 || !k->kid[1]) { return false; }
			unsigned mark = diags_mark(u->e->diags);
			bool ok = axis_of_expr(u->e, u->g->scope, k->kid[1], &u->found);
			diags_rewind(u->e->diags, mark);
			return ok;
		}
	}
	return false;
}

static void search_uses(Uses *u, const Ast *ast, const Ast *def, const Binding *outer)
{
	if (!ast || u->done) {
		return;
	}
	Binding here = {outer, ast->nkid ? ast->kid[0] : NULL};
	if (ast->kind == AST_REDUCE || ast->kind == AST_COMPREHENSION) {
		outer = &here;
	}
	Sym name;
	if (ast->kind == AST_INDEX && ast->kid[0]->kind == AST_NAME && ast->kid[0]->name == u->g->name && ast->nkid > u->p + 1 &&
	    plain_name(ast->kid[u->p + 1], &name)) {
		bool bound = false;
		u->done = axis_of_binder(u, outer, name, &bound) || (!bound && axis_on_left(u, def, name));
	}
	for (uint32_t i = 0; i < ast->nkid; i++) {
		search_uses(u, ast->kid[i], def, outer);
	}
}

static bool axis_from_uses(Elab *e, Group *g, uint32_t p, AxisRef *out)
{
	Uses u = {.e = e, .g = g, .p = p};
	for (uint32_t i = 0; i < g->scope->ntext && !u.done; i++) {
		const Ast *st = g->scope->text[i];
		if (st && st->kind == AST_DEF) {
			search_uses(&u, st->kid[1], st, NULL);
		} else {
			search_uses(&u, st, NULL, NULL);
		}
	}
	*out = u.found;
	return u.done;
}

/* ---- free indices agree on both sides ---- */
typedef struct Sides {
	Elab *e;
	Group *g;
	const Ast *left;
	const Ast *unknown, *read; /* an index of no one, and the read it stands in */
} Sides;

static bool on_left(const Sides *k, Sym name)
{
	for (uint32_t i = 1; i < k->left->nkid; i++) {
		if (k->left->kid[i]->kind == AST_NAME && k->left->kid[i]->name == name) {
			return true;
		}
	}
	return false;
}

static bool is_any_label(Elab *e, Sym name)
{
	int64_t value;
	for (uint32_t a = 1; a <= core_axis_count(e->core); a++) {
		if (is_label(e, a, name, &value)) {
			return true;
		}
	}
	return false;
}

static bool bound_by(const Binding *b, Sym name)
{
	for (; b; b = b->outer) {
		for (uint32_t i = 0; i < b->binders->nkid; i++) {
			const Ast *k = b->binders->kid[i];
			const Ast *p = k && k->kind == AST_BINDER ? k->kid[0] : NULL;
			if (p && p->kind == AST_NAME && p->name == name) {
				return true;
			}
			for (uint32_t j = 0; p && p->kind == AST_TUPLE && j < p->nkid; j++) {
				if (p->kid[j]->name == name) {
					return true;
				}
			}
		}
	}
	return false;
}

static void search_unknown(Sides *k, const Ast *ast, const Binding *outer)
{
	if (!ast || k->unknown) {
		return;
	}
	Binding here = {outer, ast->nkid ? ast->kid[0] : NULL};
	if (ast->kind == AST_REDUCE || ast->kind == AST_COMPREHENSION) {
		outer = &here;
	}
	for (uint32_t i = 1; ast->kind == AST_INDEX && i < ast->nkid && !k->unknown; i++) {
		Sym name;
		if (plain_name(ast->kid[i], &name) && !bound_by(outer, name) && !on_left(k, name) &&
		    !scope_find(k->e, k->g->scope, name) && !is_any_label(k->e, name)) {
			k->unknown = ast->kid[i];
			k->read = ast;
		}
	}
	if (ast->kind == AST_BLOCK) { /* a body of its own has names of its own */
		return;
	}
	for (uint32_t i = 0; i < ast->nkid; i++) {
		search_unknown(k, ast->kid[i], outer);
	}
}

static bool mentions_free(const Ast *ast, Sym name, const Binding *outer)
{
	if (!ast) {
		return false;
	}
	Binding here = {outer, ast->nkid ? ast->kid[0] : NULL};
	if (ast->kind == AST_REDUCE || ast->kind == AST_COMPREHENSION) {
		outer = &here;
	}
	if (ast->kind == AST_NAME && ast->name == name && !bound_by(outer, name)) {
		return true;
	}
	for (uint32_t i = 0; i < ast->nkid; i++) {
		if (mentions_free(ast->kid[i], name, outer)) {
			return true;
		}
	}
	return false;
}

/* A right side made of numbers and consts alone may stand for every element: h[0, i] = 0. */
static bool is_number_text(Elab *e, Scope *s, const Ast *ast)
{
	if (!ast) {
		return true;
	}
	switch (ast->kind) {
	case AST_NUM: return true;
	case AST_NAME: {
		Entry *entry = scope_find(e, s, ast->name);
		double x;
		return entry && !entry->pending && entry->val.tag == VAL_NUM && !entry->val.rank && elab_node_value(e, entry->val.re, &x);
	}
	case AST_CALL:
		for (uint32_t i = 1; i < ast->nkid; i++) {
			if (!is_number_text(e, s, ast->kid[i])) { return false; }
		}
		return ast->nkid > 1;
	case AST_QUANTITY: case AST_UNARY: case AST_BINARY: case AST_PAREN:
		for (uint32_t i = 0; i < ast->nkid; i++) {
			if (!is_number_text(e, s, ast->kid[i])) { return false; }
		}
		return true;
	default: return false;
	}
}

/* The first written index that the right side does not use; NULL if there is none. */
static const Ast *unused_index(Elab *e, Group *g, const Ast *def)
{
	const Ast *left = def->kid[0];
	for (uint32_t i = 1; i < left->nkid; i++) {
		if (is_bound_name(e, g, left->kid[i]) && !is_any_label(e, left->kid[i]->name) &&
		    !mentions_free(def->kid[1], left->kid[i]->name, NULL)) {
			return left->kid[i];
		}
	}
	return NULL;
}

static bool sides_agree(Elab *e, Group *g, const Ast *def)
{
	if (def->kid[0]->kind != AST_INDEX || (def->flags & AST_DRAW)) {
		return true;
	}
	Sides k = {.e = e, .g = g, .left = def->kid[0]};
	search_unknown(&k, def->kid[1], NULL);
	const Ast *unused = unused_index(e, g, def);
	if (k.unknown) {
		Sym name;
		plain_name(k.unknown, &name);
		Diag *d = diag_indices_disagree(elab_diags(e), k.unknown->span, elab_text(e, name), "is free on the right and missing on the left");
		diag_label(d, "free here, missing on the left");
		if (unused) {
			diag_note(d, unused->span, "%s does not appear on the right", elab_text(e, unused->name));
			const char *text = "";
			for (uint32_t i = 1; i < k.read->nkid; i++) {
				const char *one = k.read->kid[i] == k.unknown ? elab_text(e, unused->name) : ast_text(e->arena, e->names, k.read->kid[i]);
				text = arena_printf(e->arena, "%s%s%s", text, i > 1 ? "," : "", one);
			}
			diag_help(d, "did you mean  %s[%s] ?", ast_text(e->arena, e->names, k.read->kid[0]), text);
		} else {
			diag_help(d, "sum over it, as in  sum[%s] …, or write it on the left", elab_text(e, name));
		}
		return false;
	}
	if (unused && !is_number_text(e, g->scope, def->kid[1])) {
		Diag *d = diag_indices_disagree(elab_diags(e), unused->span, elab_text(e, unused->name), "is free on the left and does not appear on the right");
		diag_remark(d, "nothing is repeated along an axis unless it is written");
		diag_help(d, "write  %s = [%s in axis -> …]  if every element is to be the same", elab_text(e, g->name), elab_text(e, unused->name));
		return false;
	}
	return true;
}

static bool all_sides_agree(Elab *e, Group *g)
{
	bool ok = true;
	for (size_t i = 0; i < g->n; i++) {
		ok = sides_agree(e, g, g->piece[i]) && ok;
	}
	return ok;
}

static bool try_axes(Elab *e, Group *g, bool uses)
{
	bool all = true;
	for (uint32_t p = 0; p < g->rank; p++) {
		if (g->axis[p].axis) {
			continue;
		}
		AxisRef a;
		bool ok = axis_from_bodies(e, g, p, &a);
		if (!ok && uses) {
			GroupState state = g->state;
			g->state = GROUP_BUSY;
			ok = axis_from_uses(e, g, p, &a);
			g->state = state;
		}
		if (ok) {
			g->axis[p] = a;
		}
		all = all && ok;
	}
	return all;
}

static void report_axes(Elab *e, Group *g)
{
	for (uint32_t p = 0; p < g->rank; p++) {
		if (g->axis[p].axis) {
			continue;
		}
		const Ast *arg = g->piece[g->n - 1]->kid[0]->kid[p + 1];
		if (arg->kind == AST_NAME) {
			Diag *d = diag_index_axis_unknown(elab_diags(e), arg->span, elab_text(e, arg->name));
			diag_remark(d, "no array on the right side is read at %s", elab_text(e, arg->name));
			diag_help(d, "give the index the name of its axis, or write  %s = [%s in axis -> …]", elab_text(e, g->name), elab_text(e, arg->name));
		} else {
			diag_help(diag_index_axis_unknown(elab_diags(e), arg->span, ast_text(e->arena, e->names, arg)),
			          "an array of a few elements is written  %s = [a, b, c]", elab_text(e, g->name));
		}
	}
}

static bool start_axes(Elab *e, Group *g)
{
	g->rank = g->piece[0]->kid[0]->nkid - 1;
	g->axis = arena_array(e->arena, AxisRef, g->rank + 1);
	for (size_t i = 1; i < g->n; i++) {
		if (g->piece[i]->kid[0]->nkid - 1 != g->rank) {
			diag_rank_mismatch(elab_diags(e), g->piece[i]->kid[0]->span, elab_text(e, g->name), g->piece[i]->kid[0]->nkid - 1, g->rank);
			return false;
		}
	}
	return true;
}

/* The axes of several definitions that need each other: what one finds helps the next. */
static bool find_axes(Elab *e, Group **set, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!start_axes(e, set[i])) {
			return false;
		}
	}
	bool all = false;
	for (size_t round = 0; round <= 2 * n + 1 && !all; round++) {
		all = true;
		for (size_t i = 0; i < n; i++) {
			all = try_axes(e, set[i], round > n) && all;
		}
	}
	for (size_t i = 0; !all && i < n; i++) {
		report_axes(e, set[i]);
	}
	return all;
}

/* Binds the written indices of one piece; fixed positions become numbers. */
static bool bind_piece(Elab *e, Group *g, size_t piece, Scope *in)
{
	const Ast *left = g->piece[piece]->kid[0];
	g->own[piece] = arena_array(e->arena, Index, g->rank + 1);
	g->fixed[piece] = arena_array(e->arena, int64_t, g->rank + 1);
	in->ctx = arena_array(e->arena, Index, g->rank + 1);
	for (uint32_t p = 0; p < g->rank; p++) {
		const Ast *arg = left->kid[p + 1];
		int64_t label;
		if (arg->kind == AST_NAME && is_label(e, g->axis[p].axis, arg->name, &label)) {
			g->fixed[piece][p] = label;
			continue;
		}
		if (is_bound_name(e, g, arg)) {
			for (uint32_t q = 0; q < p; q++) {
				if (left->kid[q + 1]->kind == AST_NAME && left->kid[q + 1]->name == arg->name) {
					diag_help(diag_redefined(elab_diags(e), arg->span, elab_text(e, arg->name)),
					          "a diagonal is written with a condition:  if i == j then … else …");
					return false;
				}
			}
			Index ix = core_index(e->core, g->axis[p].axis, arg->name);
			Val v = val_num(e, arg->span, ELEM_INT, 0, core_index_value(e->core, ix));
			v.of = g->axis[p].axis;
			scope_put(e, in, arg->name, arg->span, v);
			g->own[piece][p] = ix;
			in->ctx[in->nctx++] = ix;
			continue;
		}
		Val v = elab_expr(e, g->scope, arg);
		if (v.tag == VAL_ERROR || !val_const_int(e, &v, &g->fixed[piece][p])) {
			if (v.tag != VAL_ERROR) {
				diag_help(diag_not_constant(elab_diags(e), arg->span, "an index on the left side"), "write an index name or a number");
			}
			return false;
		}
	}
	return true;
}

static Val piece_value(Elab *e, Group *g, size_t piece, Scope *in)
{
	const Ast *def = g->piece[piece];
	Val v = elab_expr(e, in, def->kid[1]);
	if (def->flags & AST_DRAW) {
		v = elab_draw(e, in, &v, def->span, 0, NULL, true);
	}
	if (v.tag != VAL_NUM && v.tag != VAL_ERROR) {
		diag_type_mismatch(elab_diags(e), def->kid[1]->span, val_type(e, &v), "a number");
		v = val_error(def->span);
	}
	return v;
}

/* Free indices of the right side must be those of the left side or of the context. */
static Val finish(Group *g, Val v)
{
	g->state = GROUP_DONE;
	g->val = v;
	for (size_t k = 0; k < g->scope->n; k++) {
		if (g->scope->entry[k].pending == g) {
			g->scope->entry[k].val = v;
			g->scope->entry[k].pending = NULL;
		}
	}
	return v;
}

/* ---- a definition that does not need itself ------------------------------------------------------------------------------ */
static bool all_bound(const Group *g)
{
	for (uint32_t p = 0; p < g->rank; p++) {
		if (!g->own[0][p]) {
			return false;
		}
	}
	return true;
}

static Val simple_indexed(Elab *e, Group *g)
{
	Scope *in = scope_new(e, g->scope, NULL);
	g->own = arena_array(e->arena, Index *, g->n);
	g->fixed = arena_array(e->arena, int64_t *, g->n);
	if (!bind_piece(e, g, 0, in)) {
		return val_error(g->span);
	}
	if (!all_bound(g)) {
		diag_help(diag_unassigned(elab_diags(e), g->piece[0]->kid[0]->span, elab_text(e, g->name)),
		          "write the general element too:  %s[i] = …", elab_text(e, g->name));
		return val_error(g->span);
	}
	Val v = piece_value(e, g, 0, in);
	if (v.tag == VAL_ERROR) {
		return v;
	}
	Val r = v;
	r.span = g->span;
	r.rank = g->rank + v.rank;
	r.ix = arena_array(e->arena, Index, r.rank + 1);
	r.rec = arena_array(e->arena, Node, r.rank + 1);
	for (uint32_t p = 0; p < r.rank; p++) {
		bool own = p < g->rank;
		r.ix[p] = own ? g->own[0][p] : v.ix[p - g->rank];
		r.rec[p] = own ? g->axis[p].record : v.rec ? v.rec[p - g->rank] : 0;
	}
	r.n = 0;
	r.of = v.rank == 0 && v.elem == ELEM_INT ? v.of : 0;
	if (r.elem == ELEM_INT && v.literal) {
		val_real(e, &r);
	}
	r.literal = false;
	return val_name(e, g->scope, g->name, r, DEF_USER);
}

static Val simple(Elab *e, Group *g)
{
	const Ast *def = g->piece[0];
	Val v = elab_expr(e, g->scope, def->kid[1]);
	if (def->flags & AST_DRAW) {
		v = elab_draw(e, g->scope, &v, def->span, 0, NULL, true);
	}
	if (v.tag == VAL_NUM) {
		if (v.literal && v.elem == ELEM_INT) {
			return v;
		}
		Val named = val_name(e, g->scope, g->name, v, DEF_USER);
		return named;
	}
	return v;
}

/* ---- pieces and recurrences -------------------------------------------------------------------------------------------------- */
typedef struct Cycle { Elab *e; Group **g; size_t n; uint32_t nctx; Index *ctx; bool again; } Cycle;

static bool needs_cycle(const Cycle *c, const Ast *body)
{
	for (size_t i = 0; i < c->n; i++) {
		if (c->g[i]->recursive && mentions(body, c->g[i]->name)) {
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
	bool known = false;
	for (size_t i = 0; i < g->n; i++) {
		if (needs_cycle(c, g->piece[i]->kid[1])) {
			continue;
		}
		Scope *in = scope_new(e, g->scope, NULL);
		if (!bind_piece(e, g, i, in)) {
			return false;
		}
		Val v = piece_value(e, g, i, in);
		if (v.tag == VAL_ERROR) {
			return false;
		}
		g->body[i] = v;
		if (v.literal) {
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
					name = arg->kind == AST_NAME && is_bound_name(e, g, arg) ? arg->name : name;
				}
			} else {
				a = g->extra[i - c->nctx - g->rank].axis;
			}
			ix[i] = core_index(e->core, a, name);
		}
		DefInfo info = {.role = DEF_VALUE, .span = g->span, .nindex = n, .index = ix, .flags = DEF_USER};
		info.kind = g->elem == ELEM_INT ? KIND_INT : g->elem == ELEM_BOOL ? KIND_BOOL : KIND_REAL;
		info.name = g->elem == ELEM_COMPLEX ? intern_printf(e->names, "%s_%s", elab_text(e, g->name), part ? "im" : "re") : g->name;
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
	Val v = val_of_def(e, g->span, g->elem, g->unit, g->re, g->elem == ELEM_COMPLEX ? g->im : 0, c->nctx, ctx, rec);
	v.reaches = true;
	g->val = v;
	scope_put(e, g->scope, g->name, g->span, v);
}

static bool evaluate(Cycle *c, Group *g)
{
	Elab *e = c->e;
	for (size_t i = 0; i < g->n; i++) {
		if (g->body[i].tag != VAL_NUM) {
			Scope *in = scope_new(e, g->scope, NULL);
			if (!bind_piece(e, g, i, in)) {
				return false;
			}
			g->body[i] = piece_value(e, g, i, in);
		}
		Val *v = &g->body[i];
		if (v->tag == VAL_ERROR) {
			return false;
		}
		if (v->rank != g->nextra && !(v->literal && v->rank == 0)) {
			diag_rank_mismatch(elab_diags(e), v->span, "this piece", g->rank + v->rank, g->rank + g->nextra);
			return false;
		}
		for (uint32_t k = 0; k < v->rank; k++) {
			if (!axis_same(e, val_axis(e, v, k), g->extra[k])) {
				diag_axis_mismatch(elab_diags(e), v->span, axis_name(e, val_axis(e, v, k)), axis_name(e, g->extra[k]));
				return false;
			}
		}
		if ((g->elem == ELEM_INT || g->elem == ELEM_REAL) && (v->elem == ELEM_REAL || v->elem == ELEM_COMPLEX) && v->elem != g->elem) {
			g->elem = v->elem; /* the first pieces were whole numbers by chance */
			c->again = true;
			return true;
		}
		if (g->elem != ELEM_COMPLEX && g->elem != ELEM_REAL && v->elem != g->elem) {
			diag_type_mismatch(elab_diags(e), v->span, val_type(e, v), "the type of the other pieces");
			return false;
		}
		if (g->elem == ELEM_COMPLEX ? !val_to_complex(e, v) : g->elem == ELEM_REAL && !val_real(e, v)) {
			return false;
		}
		if ((g->elem == ELEM_REAL || g->elem == ELEM_COMPLEX) && !val_convert(e, v, g->unit)) {
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

/* Marks the context indices that the bodies use other than by passing them to the cycle's own reads. */
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

static bool check_order(Cycle *c)
{
	Def *def = arena_array(c->e->arena, Def, c->n * 2 + 1);
	size_t n = 0;
	for (size_t i = 0; i < c->n; i++) {
		def[n++] = c->g[i]->re;
		if (c->g[i]->im) {
			def[n++] = c->g[i]->im;
		}
	}
	const char *why = NULL;
	int64_t missing = 0;
	if (elab_check_order(c->e, n, def, c->nctx, &why, &missing)) {
		return true;
	}
	if (why) {
		Diag *d = diag_bad_recurrence(elab_diags(c->e), c->g[0]->piece[c->g[0]->n - 1]->span, elab_text(c->e, c->g[0]->name), why);
		diag_help(d, "a recurrence runs one way: all reads of itself at smaller places of its axis, or all at larger");
	} else {
		Diag *d = diag_unassigned(elab_diags(c->e), c->g[0]->piece[c->g[0]->n - 1]->span, elab_text(c->e, c->g[0]->name));
		diag_remark(d, "the recurrence begins by reading place %lld", (long long)missing);
		diag_help(d, "give it a value there:  %s[%lld%s] = …", elab_text(c->e, c->g[0]->name), (long long)missing, c->g[0]->rank > 1 ? ", …" : "");
	}
	return false;
}

static void fail_all(Cycle *c)
{
	for (size_t i = 0; i < c->n; i++) {
		c->g[i]->state = GROUP_DONE;
		finish(c->g[i], val_error(c->g[i]->span));
		scope_put(c->e, c->g[i]->scope, c->g[i]->name, c->g[i]->span, val_error(c->g[i]->span));
	}
}

static void make_cycle(Cycle *c)
{
	Elab *e = c->e;
	bool ok = true;
	for (size_t i = 0; i < c->n; i++) {
		Group *g = c->g[i];
		g->state = GROUP_BUSY;
		if (g->piece[0]->kid[0]->kind != AST_INDEX) {
			Diag *d = diag_bad_recurrence(elab_diags(e), g->span, elab_text(e, g->name), "it needs itself");
			diag_help(d, "a recurrence has an index to run along:  h[t] = … h[t-1] …");
			ok = false;
			continue;
		}
		ok = all_sides_agree(e, g) && ok;
	}
	ok = ok && find_axes(e, c->g, c->n);
	for (size_t i = 0; ok && i < c->n; i++) {
		Group *g = c->g[i];
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
		finish(c->g[i], v);
		scope_put(e, c->g[i]->scope, c->g[i]->name, c->g[i]->span, v);
	}
	if (!check_order(c)) {
		fail_all(c);
	}
}

Val elab_group(Elab *e, Scope *s, Group *g, Sym name, Span at)
{
	(void)s;
	if (g->state == GROUP_BUSY) {
		diag_bad_recurrence(elab_diags(e), at, elab_text(e, name), "it needs itself");
		return val_error(at);
	}
	if (g->state == GROUP_NEW) {
		Group **set;
		size_t n = cycle_of(e, g, &set);
		bool indexed = g->piece[0]->kid[0]->kind == AST_INDEX;
		g->state = GROUP_BUSY;
		if (!g->recursive && !indexed) {
			finish(g, simple(e, g));
		} else if (!g->recursive && g->n == 1) {
			bool ok = all_sides_agree(e, g) && find_axes(e, &g, 1);
			finish(g, ok ? simple_indexed(e, g) : val_error(g->span));
		} else {
			Cycle c = {.e = e, .g = set, .n = n};
			c.nctx = scope_context(e, g->scope, &c.ctx);
			make_cycle(&c);
		}
	}
	return scope_value(e, g->scope, g->name, at);
}

/* ---- blocks ---------------------------------------------------------------------------------------------------------------------- */
Val elab_block(Elab *e, Scope *s, const Ast *block)
{
	elab_defs(e, s, block->nkid, block->kid);
	const Ast *result = NULL;
	for (uint32_t i = 0; i < block->nkid; i++) {
		const Ast *stmt = block->kid[i];
		if (!stmt || stmt->kind == AST_DEF || stmt->kind == AST_ERROR_STMT) {
			continue;
		}
		if (stmt->kind == AST_PARAM) {
			elab_param(e, s, stmt);
		} else if (stmt->kind == AST_FN && (stmt->flags & AST_FN_)) {
			elab_fn(e, s, stmt); /* a function of its own for each expansion: it may be returned */
		} else if (stmt->kind == AST_RETURN && !result) {
			result = stmt;
		} else {
			diag_bad_statement_place(elab_diags(e), stmt->span, ast_kind_name(stmt->kind), "in the body of a function");
		}
	}
	if (!result) {
		diag_help(diag_bad_statement_place(elab_diags(e), block->span, "a body", "without a return"), "end it with  return value");
		return val_error(block->span);
	}
	Val v = elab_expr(e, s, result->kid[0]);
	for (size_t k = 0; k < s->n; k++) { /* definitions that nothing asked for are checked all the same */
		if (s->entry[k].pending && s->entry[k].pending->scope == s && s->entry[k].pending->state == GROUP_NEW) {
			elab_group(e, s, s->entry[k].pending, s->entry[k].name, s->entry[k].span);
		}
	}
	return v;
}
