/* elab_sides.c — the two sides of a definition by index: which axes its indices run over, seen from
 * the reads of its name, and that free indices are the same on the left and on the right. SPEC:
 * definitions. */
#include "lang/elab_group.h"

#include <string.h>

/* ---- which axis, seen from the reads of the name ---- */
typedef struct Uses {
	Elab *e;
	Group *g;
	uint32_t p;
	AxisRef found;
	bool done;
} Uses;

static bool plain_name(const Ast *ast, Sym *name)
{
	while (ast->kind == AST_PAREN) {
		ast = ast->kid[0];
	}
	if (ast->kind == AST_BINARY && ast->kid[1]->kind == AST_NUM) {
		ast = ast->kid[0];
	}
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
			if (entry && !entry->pending && entry->val.tag == VAL_NUM &&
			    q - 1 < entry->val.rank) {
				u->found = val_axis(u->e, &entry->val, q - 1);
				return true;
			}
			Group *other = entry ? entry->pending : NULL;
			return other && other != u->g &&
			       group_axis(u->e, other, other->name, q - 1, &u->found);
		}
	}
	return false;
}


static bool axis_of_binder(Uses *u, const Binding *b, Sym name, bool *bound)
{
	for (; b; b = b->outer) {
		for (uint32_t i = 0; i < b->binders->nkid; i++) {
			const Ast *k = b->binders->kid[i];
			if (!k || k->kind != AST_BINDER || k->kid[0]->kind != AST_NAME ||
			    k->kid[0]->name != name) {
				continue;
			}
			*bound = true;
			if (k->nkid < 2 || !k->kid[1]) {
				return false;
			}
			Trial t = trial_begin(u->e);
			bool ok = axis_of_expr(u->e, u->g->scope, k->kid[1], &u->found);
			trial_end(u->e, t);
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
	if (ast->kind == AST_INDEX && ast->kid[0]->kind == AST_NAME &&
	    ast->kid[0]->name == u->g->name && ast->nkid > u->p + 1 &&
	    plain_name(ast->kid[u->p + 1], &name)) {
		bool bound = false;
		u->done = axis_of_binder(u, outer, name, &bound) ||
			  (!bound && axis_on_left(u, def, name));
	}
	for (uint32_t i = 0; i < ast->nkid; i++) {
		search_uses(u, ast->kid[i], def, outer);
	}
}

bool group_axis_from_uses(Elab *e, Group *g, uint32_t p, AxisRef *out)
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

static bool is_bits(Elab *e, const Ast *ast)
{
	static const char *const row[] = {"div", "xor", "shl", "shr", "band", "bor"};
	for (size_t i = 0; ast->kind == AST_BINARY && i < sizeof row / sizeof *row; i++) {
		if (strcmp(elab_text(e, ast->name), row[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* Does the name stand where an int is needed? */
static bool as_int(Elab *e, const Ast *ast, Sym name, bool needed)
{
	if (!ast) {
		return false;
	}
	if (ast->kind == AST_NAME) {
		return needed && ast->name == name;
	}
	if (ast->kind == AST_INDEX) {
		for (uint32_t i = 1; i < ast->nkid; i++) {
			if (as_int(e, ast->kid[i], name, true)) {
				return true;
			}
		}
		return as_int(e, ast->kid[0], name, needed);
	}
	bool inside = (needed && ast->kind != AST_CALL) || is_bits(e, ast);
	for (uint32_t i = 0; i < ast->nkid; i++) {
		if (as_int(e, ast->kid[i], name, inside)) {
			return true;
		}
	}
	return false;
}

bool group_is_integral(Elab *e, const Group *g)
{
	const Frame *frame = g->scope->frame;
	const Ast *result = frame && frame->fn && !frame->fn->equation ? frame->fn->ast->kid[2] : NULL;
	bool int_result = result && result->kind == AST_TYPE &&
			  strcmp(elab_text(e, result->name), "int") == 0;
	for (uint32_t i = 0; i < g->scope->ntext; i++) {
		const Ast *text = g->scope->text[i];
		bool returned = text && text->kind == AST_RETURN && int_result;
		if (as_int(e, returned ? text->kid[0] : text, g->name, returned)) {
			return true;
		}
	}
	return false;
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

bool bound_by(const Binding *b, Sym name)
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
	case AST_NUM:
		return true;
	case AST_NAME: {
		Entry *entry = scope_find(e, s, ast->name);
		double x;
		return entry && !entry->pending && entry->val.tag == VAL_NUM && !entry->val.rank &&
		       elab_node_value(e, entry->val.re, &x);
	}
	case AST_CALL:
		for (uint32_t i = 1; i < ast->nkid; i++) {
			if (!is_number_text(e, s, ast->kid[i])) {
				return false;
			}
		}
		return ast->nkid > 1;
	case AST_QUANTITY:
	case AST_UNARY:
	case AST_BINARY:
	case AST_PAREN:
		for (uint32_t i = 0; i < ast->nkid; i++) {
			if (!is_number_text(e, s, ast->kid[i])) {
				return false;
			}
		}
		return true;
	default:
		return false;
	}
}

/* The first written index that the right side does not use; NULL if there is none. */
static const Ast *unused_index(Elab *e, Group *g, const Ast *def)
{
	const Ast *left = def->kid[0];
	for (uint32_t i = 1; i < left->nkid; i++) {
		if (group_binds(e, g, left->kid[i]) && !left->kid[i]->nkid &&
		    !is_any_label(e, left->kid[i]->name) &&
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
		Diag *d = diag_indices_disagree(elab_diags(e), k.unknown->span, elab_text(e, name),
						"is free on the right and missing on the left");
		diag_label(d, "free here, missing on the left");
		if (unused) {
			diag_note(d, unused->span, "%s does not appear on the right",
				  elab_text(e, unused->name));
			const char *text = "";
			for (uint32_t i = 1; i < k.read->nkid; i++) {
				const char *one =
					k.read->kid[i] == k.unknown
						? elab_text(e, unused->name)
						: ast_text(e->arena, e->names, k.read->kid[i]);
				text = arena_printf(e->arena, "%s%s%s", text, i > 1 ? "," : "",
						    one);
			}
			diag_help(d, "did you mean  %s[%s] ?",
				  ast_text(e->arena, e->names, k.read->kid[0]), text);
		} else {
			diag_help(d, "sum over it, as in  sum[%s] …, or write it on the left",
				  elab_text(e, name));
		}
		return false;
	}
	if (unused && !is_number_text(e, g->scope, def->kid[1])) {
		Diag *d = diag_indices_disagree(
			elab_diags(e), unused->span, elab_text(e, unused->name),
			"is free on the left and does not appear on the right");
		diag_remark(d, "nothing is repeated along an axis unless it is written");
		diag_help(d, "write  %s = [%s in axis -> …]  if every element is to be the same",
			  elab_text(e, g->name), elab_text(e, unused->name));
		return false;
	}
	return true;
}

bool group_sides_agree(Elab *e, Group *g)
{
	bool ok = true;
	for (size_t i = 0; i < g->n; i++) {
		ok = sides_agree(e, g, g->piece[i]) && ok;
	}
	return ok;
}
