/* elab_def.c — definitions by index and recurrences:  y[i] = …,  h[0,i] = …,  h[t,i] = … h[t-1,j]
 * …. A definition is elaborated when it is first asked for, so order does not matter; those that
 * need each other are made together: first their definitions without pieces, then the pieces. SPEC:
 * definitions, recurrences. */
#include "lang/elab_group.h"

#include <stdlib.h>
#include <string.h>

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
			Diag *d = diag_bad_statement_place(elab_diags(e), head->span, "this",
							   "left of = in a definition");
			if (head->kind == AST_CALL) {
				diag_help(d, "a function is defined by  fn f(x) = …");
			}
			continue;
		}
		Group *g = NULL;
		for (size_t k = 0; k < s->n; k++) {
			Entry *entry = &s->entry[k];
			if (entry->name == head->name && entry->pending &&
			    entry->pending->scope == s) {
				g = entry->pending;
			}
		}
		bool indexed = def->kid[0]->kind == AST_INDEX;
		if (g && (!indexed || g->piece[0]->kid[0]->kind != AST_INDEX)) {
			diag_note(
				diag_redefined(elab_diags(e), head->span, elab_text(e, head->name)),
				g->span, "first defined here");
			continue;
		}
		if (!g) {
			g = arena_new(e->arena, Group);
			g->name = head->name;
			g->scope = s;
			g->span = head->span;
			Entry *entry =
				scope_add(e, s, head->name, head->span, val_error(head->span));
			entry->pending = entry->made = g;
			s->ngroup++;
		}
		ARENA_PUSH(e->arena, g->piece, g->n, g->cap, def);
	}
}

/* ---- who needs whom
 * ------------------------------------------------------------------------------------------------
 */
bool group_text_mentions(const Ast *ast, Sym name)
{
	if (!ast) {
		return false;
	}
	if (ast->kind == AST_NAME && ast->name == name) {
		return true;
	}
	for (uint32_t i = 0; i < ast->nkid; i++) {
		if (group_text_mentions(ast->kid[i], name)) {
			return true;
		}
	}
	return false;
}

/* ---- the indices of a left side
 * ---------------------------------------------------------------------------------------- */
/* A position that is fixed: a number, a label, a const; not a name that is to be bound. */
bool group_binds(Elab *e, const Group *g, const Ast *arg)
{
	if (arg->kind != AST_NAME) {
		return false;
	}
	if (arg->nkid) {
		return true;
	}
	Entry *entry = scope_find(e, g->scope, arg->name);
	return !entry || entry->pending || entry->val.tag != VAL_NUM || entry->val.rank ||
	       entry->val.elem != ELEM_INT || entry->val.of;
}

bool group_axis_from_bodies(Elab *e, Group *g, uint32_t p, AxisRef *out)
{
	for (size_t i = 0; i < g->n; i++) {
		const Ast *left = g->piece[i]->kid[0];
		if (left->nkid - 1 <= p || !group_binds(e, g, left->kid[p + 1])) {
			continue;
		}
		Sym name = left->kid[p + 1]->name;
		const Ast *written = left->kid[p + 1]->nkid ? left->kid[p + 1]->kid[0] : NULL;
		if (written) {
			Trial t = trial_begin(e);
			bool ok = axis_of_expr(e, g->scope, written, out);
			trial_end(e, t);
			if (ok) {
				return true;
			}
		}
		if (axis_infer(e, g->scope, name, g->piece[i]->kid[1], out)) {
			return true;
		}
	}
	return false;
}

enum { AXIS_DEPTH = 200 };

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
	uint32_t rank = g->piece[0]->kid[0]->nkid - 1;
	if (g->hint && position < rank && g->hint[position].axis) {
		*out = g->hint[position];
		return true;
	}
	if (e->axis_depth > AXIS_DEPTH) {
		return false;
	}
	e->axis_depth++;
	g->state = GROUP_BUSY; /* it is not asked again while its own text is searched */
	bool ok = group_axis_from_bodies(e, g, position, out) ||
		  group_axis_from_uses(e, g, position, out);
	g->state = GROUP_NEW;
	e->axis_depth--;
	if (ok && position < rank) {
		g->hint = g->hint ? g->hint : arena_array(e->arena, AxisRef, rank + 1);
		g->hint[position] = *out;
	}
	return ok;
}

/* F[x] = …, F[y] = …: the one axis that has all these labels. */
static bool axis_from_labels(Elab *e, Group *g, uint32_t p, AxisRef *out)
{
	uint32_t found = 0;
	for (uint32_t a = 1; a <= core_axis_count(e->core); a++) {
		bool all = true;
		int64_t label;
		for (size_t i = 0; i < g->n && all; i++) {
			const Ast *arg = g->piece[i]->kid[0]->kid[p + 1];
			all = names_label(e, a, arg, &label);
		}
		if (all) {
			*out = (AxisRef){a, 0};
			found++;
		}
	}
	return found == 1;
}

static bool try_axes(Elab *e, Group *g, bool uses)
{
	bool all = true;
	for (uint32_t p = 0; p < g->rank; p++) {
		if (g->axis[p].axis) {
			continue;
		}
		AxisRef a;
		bool ok = group_axis_from_bodies(e, g, p, &a);
		if (!ok && uses) {
			GroupState state = g->state;
			g->state = GROUP_BUSY;
			ok = group_axis_from_uses(e, g, p, &a);
			g->state = state;
		}
		ok = ok || (uses && axis_from_labels(e, g, p, &a));
		if (ok) {
			g->axis[p] = a;
		}
		all = all && ok;
	}
	return all;
}

static bool poisoned(Elab *e, Group *g, uint32_t p)
{
	for (size_t i = 0; i < g->n; i++) {
		const Ast *arg = g->piece[i]->kid[0]->kid[p + 1];
		if (group_binds(e, g, arg) &&
		    axis_blamed(e, g->scope, arg->name, g->piece[i]->kid[1])) {
			return true;
		}
	}
	return false;
}

static void report_axes(Elab *e, Group *g)
{
	for (uint32_t p = 0; p < g->rank; p++) {
		if (g->axis[p].axis || poisoned(e, g, p)) {
			continue;
		}
		const Ast *arg = g->piece[g->n - 1]->kid[0]->kid[p + 1];
		if (arg->kind == AST_NAME && arg->nkid) {
			AxisRef wrong;
			axis_of_expr(e, g->scope, arg->kid[0], &wrong);
		} else if (arg->kind == AST_NAME) {
			Diag *d = diag_index_axis_unknown(elab_diags(e), arg->span,
							  elab_text(e, arg->name));
			diag_remark(d, "no array on the right side is read at %s",
				    elab_text(e, arg->name));
			diag_help(d,
				  "give the index the name of its axis, or write  %s[%s in axis] = …",
				  elab_text(e, g->name), elab_text(e, arg->name));
		} else {
			diag_help(diag_index_axis_unknown(elab_diags(e), arg->span,
							  ast_text(e->arena, e->names, arg)),
				  "an array of a few elements is written  %s = [a, b, c]",
				  elab_text(e, g->name));
		}
	}
}

static bool start_axes(Elab *e, Group *g)
{
	g->rank = g->piece[0]->kid[0]->nkid - 1;
	g->axis = arena_array(e->arena, AxisRef, g->rank + 1);
	for (size_t i = 1; i < g->n; i++) {
		if (g->piece[i]->kid[0]->nkid - 1 != g->rank) {
			diag_rank_mismatch(elab_diags(e), g->piece[i]->kid[0]->span,
					   elab_text(e, g->name), g->piece[i]->kid[0]->nkid - 1,
					   g->rank);
			return false;
		}
	}
	return true;
}

/* The axes of several definitions that need each other: what one finds helps the next. */
bool group_find_axes(Elab *e, Group **set, size_t n)
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

/* y[k in axis]: the axis is that of the other pieces too. */
static bool written_axis(Elab *e, const Group *g, const Ast *arg, AxisRef have)
{
	AxisRef a;
	if (arg->kind != AST_NAME || !arg->nkid) {
		return true;
	}
	if (!axis_of_expr(e, g->scope, arg->kid[0], &a)) {
		return false;
	}
	if (!axis_same(e, a, have)) {
		axis_differs(e, arg->span, a, have);
		return false;
	}
	return true;
}

/* Binds the written indices of one piece; fixed positions become numbers. */
bool group_bind_piece(Elab *e, Group *g, size_t piece, Scope *in)
{
	const Ast *left = g->piece[piece]->kid[0];
	g->own[piece] = arena_array(e->arena, Index, g->rank + 1);
	g->fixed[piece] = arena_array(e->arena, int64_t, g->rank + 1);
	in->ctx = arena_array(e->arena, Index, g->rank + 1);
	for (uint32_t p = 0; p < g->rank; p++) {
		const Ast *arg = left->kid[p + 1];
		int64_t label;
		if (!written_axis(e, g, arg, g->axis[p])) {
			return false;
		}
		if (names_label(e, g->axis[p].axis, arg, &label)) {
			g->fixed[piece][p] = label;
			continue;
		}
		if (group_binds(e, g, arg)) {
			for (uint32_t q = 0; q < p; q++) {
				if (left->kid[q + 1]->kind == AST_NAME &&
				    left->kid[q + 1]->name == arg->name) {
					diag_help(diag_redefined(elab_diags(e), arg->span,
								 elab_text(e, arg->name)),
						  "a diagonal is written with a condition:  if i "
						  "== j then … else …");
					return false;
				}
			}
			Index ix = core_index(e->core, g->axis[p].axis, arg->name);
			Val v = val_num(e, arg->span, ELEM_INT, 0, core_index_value(e->core, ix));
			v.of = g->axis[p].axis;
			Val set = arg->nkid ? elab_callee(e, g->scope, arg->kid[0]) : v;
			if (set.tag == VAL_DATA) { /* y[r in data] = …: r is the record */
				Val r = {.tag = VAL_RECORD, .span = arg->span, .data = set.data, .record = v.re};
				v = r;
			}
			scope_put(e, in, arg->name, arg->span, v);
			g->own[piece][p] = ix;
			in->ctx[in->nctx++] = ix;
			continue;
		}
		Val v = elab_expr(e, g->scope, arg);
		e->assume_size = true;
		bool known = v.tag != VAL_ERROR && val_const_int(e, &v, &g->fixed[piece][p]);
		e->assume_size = false;
		if (!known) {
			if (v.tag != VAL_ERROR) {
				diag_help(diag_not_constant(elab_diags(e), arg->span,
							    "an index on the left side"),
					  "write an index name or a number");
			}
			return false;
		}
	}
	return true;
}

Val group_piece_value(Elab *e, Group *g, size_t piece, Scope *in)
{
	const Ast *def = g->piece[piece];
	Val v = elab_expr(e, in, def->kid[1]);
	if (def->flags & AST_DRAW) {
		v = elab_draw(e, in, &v, def->span, 0, NULL, true);
	}
	if (v.tag != VAL_NUM && v.tag != VAL_ERROR) {
		Diag *d = diag_type_mismatch(elab_diags(e), def->kid[1]->span, val_type(e, &v),
					     "a number");
		if (v.tag == VAL_TUPLE && g->recursive) {
			diag_help(d, "a state of several parts has a name for each:  (a, b)[n] = f(a[n-1], b[n-1])");
		} else if (v.tag == VAL_TUPLE) {
			diag_help(d, "take a part of it, or define it without indices");
		}
		v = val_error(def->span);
	}
	return v;
}

/* Free indices of the right side must be those of the left side or of the context. */
Val group_finish(Elab *e, Group *g, Val v)
{
	if (v.tag == VAL_ERROR && e->trial_depth) {
		ARENA_PUSH(e->arena, e->failed, e->nfailed, e->capfailed, g);
	}
	e->kept += v.tag != VAL_ERROR;
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

void group_again(Elab *e, Scope *s, Sym name)
{
	(void)e;
	for (size_t k = 0; k < s->n; k++) {
		Group *g = s->entry[k].name == name ? s->entry[k].made : NULL;
		if (g) {
			g->state = GROUP_NEW;
			g->axis = g->hint = NULL;
			s->entry[k].pending = g;
		}
	}
}

void groups_restore(Elab *e, size_t mark)
{
	while (e->nfailed > mark) {
		Group *g = e->failed[--e->nfailed];
		g->state = GROUP_NEW;
		g->axis = g->hint = NULL;
		for (size_t k = 0; k < g->scope->n; k++) {
			if (g->scope->entry[k].name == g->name) {
				g->scope->entry[k].pending = g;
			}
		}
	}
}

/* ---- a definition that does not need itself
 * ------------------------------------------------------------------------------ */
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
	if (!group_bind_piece(e, g, 0, in)) {
		return val_error(g->span);
	}
	if (!all_bound(g)) {
		diag_help(diag_unassigned(elab_diags(e), g->piece[0]->kid[0]->span,
					  elab_text(e, g->name)),
			  "write the general element too:  %s[i] = …", elab_text(e, g->name));
		return val_error(g->span);
	}
	Val v = group_piece_value(e, g, 0, in);
	if (v.tag == VAL_ERROR || !places_inside(e, v.re, in->nctx, in->ctx) ||
	    !places_inside(e, v.im, in->nctx, in->ctx)) {
		return val_error(g->span);
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
	if (v.tag == VAL_NUM && !val_unmixed(e, &v)) {
		return val_error(g->span);
	}
	if (v.tag == VAL_NUM) {
		if (!v.rank && (v.elem == ELEM_REAL || v.literal) && g->by) {
			return diff_alias_fresh(e, g->name, &v);
		}
		if (v.literal && v.elem == ELEM_INT) {
			return v;
		}
		Val named = val_name(e, g->scope, g->name, v, DEF_USER);
		return named;
	}
	return v;
}

Val elab_group(Elab *e, Scope *s, Group *g, Sym name, Span at)
{
	(void)s;
	if (g->state == GROUP_BUSY) {
		diag_bad_recurrence(elab_diags(e), at, elab_text(e, name), "it needs itself");
		return val_error(at);
	}
	if (g->state == GROUP_NEW) {
		group_needs_first(e, g);
	}
	if (g->state == GROUP_NEW) {
		unsigned unseen = e->unseen; /* a definition is looked at from elsewhere too */
		e->unseen = 0;
		Group **set;
		size_t n = group_cycle(e, g, &set);
		bool indexed = g->piece[0]->kid[0]->kind == AST_INDEX;
		g->state = GROUP_BUSY;
		if (!g->recursive && !indexed) {
			group_finish(e, g, simple(e, g));
		} else if (!g->recursive && g->n == 1) {
			bool ok = group_sides_agree(e, g) && group_find_axes(e, &g, 1);
			group_finish(e, g, ok ? simple_indexed(e, g) : val_error(g->span));
		} else {
			Cycle c = {.e = e, .g = set, .n = n};
			c.nctx = scope_context(e, g->scope, &c.ctx);
			group_recurrence(&c);
		}
		e->unseen = unseen;
	}
	return scope_value(e, g->scope, g->name, at);
}

/* ---- blocks
 * ----------------------------------------------------------------------------------------------------------------------
 */
Val elab_block(Elab *e, Scope *s, const Ast *block)
{
	Wanted wanted = e->wanted;
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
			elab_fn(e, s, stmt); /* a function of its own for each expansion: it may be
						returned */
		} else if (stmt->kind == AST_RETURN && !result) {
			result = stmt;
		} else {
			Diag *d = diag_bad_statement_place(elab_diags(e), stmt->span,
							   ast_kind_name(stmt->kind),
							   "in the body of a function");
			if (stmt->kind == AST_LET) {
				diag_help(d, "a definition needs no let:  a = e  or  (a, b) = f()");
			}
		}
	}
	if (!result) {
		diag_help(diag_bad_statement_place(elab_diags(e), block->span, "a body",
						   "without a return"),
			  "end it with  return value");
		return val_error(block->span);
	}
	e->wanted = wanted_for(&wanted, block, result->kid[0]);
	Val v = elab_expr(e, s, result->kid[0]);
	for (size_t k = 0; k < s->n;
	     k++) { /* definitions that nothing asked for are checked all the same */
		if (s->entry[k].pending && s->entry[k].pending->scope == s &&
		    s->entry[k].pending->state == GROUP_NEW) {
			elab_group(e, s, s->entry[k].pending, s->entry[k].name, s->entry[k].span);
		}
	}
	return v;
}
