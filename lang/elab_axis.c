/* elab_axis.c — axes: their declaration, axes named in types and brackets, and which axis an index runs over, read off
 * from how it is used. SPEC: axes. */
#include "lang/elab_int.h"

#include <stdlib.h>
#include <string.h>

static bool const_int(Elab *e, Scope *s, const Ast *ast, int64_t *out)
{
	Val v = elab_expr(e, s, ast);
	if (v.tag == VAL_ERROR) {
		return false;
	}
	if (!val_const_int(e, &v, out)) {
		diag_help(diag_not_constant(elab_diags(e), ast->span, "the size of an axis"),
		          "a size is a whole number made of literals and consts");
		return false;
	}
	return true;
}

static const Setting *find_setting(Elab *e, Sym name)
{
	for (uint32_t i = 0; i < e->options.nset; i++) {
		if (strcmp(e->options.set[i].name, elab_text(e, name)) == 0) {
			e->set_used[i] = true;
			return &e->options.set[i];
		}
	}
	return NULL;
}

#define AXIS_LIMIT ((int64_t)1 << 40)

/* --set NAME=n replaces the number of elements; the first label stays. */
static void apply_setting(Elab *e, const Ast *ast, AxisInfo *info)
{
	const Setting *set = find_setting(e, ast->name);
	if (!set) {
		return;
	}
	char *end;
	long long size = strtoll(set->value, &end, 10);
	if (info->nlabel) {
		diag_bad_setting(elab_diags(e), ast->name_span, set->name, "an axis with labels has its size from them");
	} else if (end == set->value || *end || size < 0 || size > AXIS_LIMIT) {
		diag_bad_setting(elab_diags(e), ast->name_span, set->name, "an axis takes a whole number of elements");
	} else {
		info->size = size;
	}
}

static bool labels(Elab *e, const Ast *range, AxisInfo *info)
{
	info->nlabel = range->nkid;
	info->size = range->nkid;
	info->label = arena_array(e->arena, Sym, range->nkid);
	for (uint32_t i = 0; i < range->nkid; i++) {
		info->label[i] = range->kid[i]->name;
		for (uint32_t j = 0; j < i; j++) {
			if (info->label[j] == info->label[i]) {
				diag_note(diag_redefined(elab_diags(e), range->kid[i]->span, elab_text(e, info->label[i])),
				          range->kid[j]->span, "first used here");
				return false;
			}
		}
	}
	return true;
}

void elab_axis(Elab *e, Scope *s, const Ast *ast)
{
	AxisInfo info = {.name = ast->name, .span = ast->span, .size = -1};
	const Ast *range = ast->nkid ? ast->kid[0] : NULL;
	Val v = {.tag = VAL_AXIS, .span = ast->name_span};
	bool ok = true;
	if (range && range->kind == AST_LABELS) {
		ok = labels(e, range, &info);
	} else if (range && range->kind == AST_RANGE) {
		int64_t lo = 0, hi = -1;
		ok = const_int(e, s, range->kid[0], &lo) && const_int(e, s, range->kid[1], &hi);
		info.first = lo;
		info.size = hi - lo + 1;
		if (ok && info.size < 0) {
			diag_index_out_of_range(elab_diags(e), range->span, "the end of the range", "that begins after it");
			ok = false;
		}
	} else if (range) {
		ok = const_int(e, s, range, &info.size);
		if (ok && info.size < 0) {
			diag_not_constant(elab_diags(e), range->span, "the size of an axis, a whole number of at least 0,");
			ok = false;
		}
	}
	if (ok && range) {
		apply_setting(e, ast, &info);
	}
	if (ok && info.size > AXIS_LIMIT) {
		diag_too_large(elab_diags(e), ast->span, "the axis", "2^40 elements");
		ok = false;
	}
	if (ast->flags & AST_PERIODIC) {
		info.flags |= AXIS_PERIODIC;
	}
	if (!ok) {
		v.tag = VAL_ERROR;
	} else {
		v.axis.axis = core_axis(e->core, info);
	}
	scope_add(e, s, ast->name, ast->name_span, v);
}

Axis axis_range(Elab *e, int64_t lo, int64_t hi)
{
	for (size_t i = 0; i < e->nrange; i++) {
		if (e->range[i].lo == lo && e->range[i].hi == hi) {
			return e->range[i].axis;
		}
	}
	AxisInfo info = {.name = intern_printf(e->names, "range%lld_%lld", (long long)lo, (long long)hi), .first = lo,
	                 .size = hi - lo + 1};
	struct RangeAxis r = {lo, hi, core_axis(e->core, info)};
	ARENA_PUSH(e->arena, e->range, e->nrange, e->caprange, r);
	return r.axis;
}

bool axis_of_expr(Elab *e, Scope *s, const Ast *ast, AxisRef *out)
{
	Val v = elab_callee(e, s, ast);
	int64_t n, m;
	switch (v.tag) {
	case VAL_ERROR: return false;
	case VAL_AXIS: *out = v.axis; return true;
	case VAL_DATA: *out = (AxisRef){v.data->records, 0}; return true;
	case VAL_NUM:
		if (val_const_int(e, &v, &n) && n >= 0 && n <= AXIS_LIMIT) {
			*out = (AxisRef){core_axis_anonymous(e->core, n), 0};
			return true;
		}
		break;
	case VAL_RANGE:
		if (val_const_int(e, &v.item[0], &n) && val_const_int(e, &v.item[1], &m) && m >= n - 1) {
			*out = (AxisRef){axis_range(e, n, m), 0};
			return true;
		}
		break;
	default: break;
	}
	diag_type_mismatch(elab_diags(e), ast->span, val_type(e, &v), "an axis");
	return false;
}

/* ---- inference --------------------------------------------------------------------------------------------------- */
typedef struct Infer { Elab *e; Scope *s; Sym name; AxisRef found; bool done; unsigned depth; } Infer;

static void infer(Infer *in, const Ast *ast);

/* Is the expression the index itself, or the index plus or minus something? */
static bool is_shifted(const Ast *ast, Sym name)
{
	while (ast && ast->kind == AST_PAREN) {
		ast = ast->kid[0];
	}
	if (!ast) {
		return false;
	}
	if (ast->kind == AST_NAME) {
		return ast->name == name;
	}
	if (ast->kind == AST_BINARY && ast->nkid == 2) {
		return is_shifted(ast->kid[0], name) || is_shifted(ast->kid[1], name);
	}
	return false;
}

static Val quiet(Elab *e, Scope *s, const Ast *ast, bool callee)
{
	unsigned mark = diags_mark(e->diags);
	e->trial_depth++;
	Val v = callee ? elab_callee(e, s, ast) : elab_expr(e, s, ast);
	e->trial_depth--;
	diags_rewind(e->diags, mark);
	return v;
}

static bool found(Infer *in, AxisRef a)
{
	in->found = a;
	in->done = true;
	return true;
}

static void infer_index(Infer *in, const Ast *ast)
{
	const Ast *base = ast->kid[0];
	for (uint32_t i = 1; i < ast->nkid && !in->done; i++) {
		if (!is_shifted(ast->kid[i], in->name)) {
			continue;
		}
		if (base->kind == AST_NAME) {
			Entry *entry = scope_find(in->e, in->s, base->name);
			AxisRef a;
			if (entry && entry->pending) {
				if (group_axis(in->e, entry->pending, base->name, i - 1, &a)) {
					found(in, a);
				}
				continue;
			}
			if (entry && entry->val.tag == VAL_FN) {
				continue;
			}
		}
		if (in->depth > 40) {
			return;
		}
		Val v = quiet(in->e, in->s, base, false);
		if (v.tag == VAL_NUM && i - 1 < v.rank) {
			found(in, val_axis(in->e, &v, i - 1));
		}
	}
}

/* f(R, i) with  i: atom  among f's parameters. */
static void infer_call(Infer *in, const Ast *ast)
{
	bool any = false;
	for (uint32_t i = 1; i < ast->nkid; i++) {
		any = any || is_shifted(ast->kid[i], in->name);
	}
	if (!any) {
		return;
	}
	Val f = quiet(in->e, in->s, ast->kid[0], true);
	if (f.tag != VAL_FN) {
		return;
	}
	if (f.fn->kind == FNV_BUILTIN) { /* flip(s, i), shift(θ, l, i, d): positions of the first argument's axes */
		const char *name = builtin_name(f.fn->builtin);
		if (name && (strcmp(name, "flip") == 0 || strcmp(name, "shift") == 0)) {
			Val array = quiet(in->e, in->s, ast->kid[1], false);
			for (uint32_t i = 2; i < ast->nkid && !in->done; i++) {
				if (is_shifted(ast->kid[i], in->name) && array.tag == VAL_NUM && i - 2 < array.rank) {
					found(in, val_axis(in->e, &array, i - 2));
				}
			}
		}
		return;
	}
	if (f.fn->kind != FNV_USER || f.fn->decl->equation) {
		return;
	}
	const Ast *formals = f.fn->decl->ast->kid[1];
	Scope *bind = scope_new(in->e, f.fn->decl->scope, NULL);
	for (uint32_t i = 1; i < ast->nkid && formals && i - 1 < formals->nkid; i++) {
		const Ast *type = formals->kid[i - 1]->kid[0];
		if (type && type->nkid && !is_shifted(ast->kid[i], in->name)) {
			Val v = quiet(in->e, in->s, ast->kid[i], false);
			unsigned mark = diags_mark(in->e->diags);
			if (v.tag == VAL_NUM) {
				type_fit(in->e, bind, type, &v, "the argument");
			}
			diags_rewind(in->e->diags, mark);
		}
	}
	for (uint32_t i = 1; i < ast->nkid && formals && i - 1 < formals->nkid && !in->done; i++) {
		const Ast *type = formals->kid[i - 1]->kid[0];
		if (type && type->nkid == 0 && is_shifted(ast->kid[i], in->name)) {
			Entry *axis = scope_find(in->e, bind, type->name);
			if (axis && axis->val.tag == VAL_AXIS) {
				found(in, axis->val.axis);
			}
		}
	}
}

/* i == j and i < j with the other side a label value of a known axis. */
static void infer_compare(Infer *in, const Ast *ast)
{
	for (int side = 0; side < 2 && !in->done; side++) {
		if (ast->kid[side]->kind == AST_NAME && ast->kid[side]->name == in->name) {
			Val v = quiet(in->e, in->s, ast->kid[1 - side], false);
			if (v.tag == VAL_NUM && v.rank == 0 && v.of) {
				found(in, (AxisRef){v.of, 0});
			}
		}
	}
}

static bool binds(const Ast *binders, Sym name)
{
	for (uint32_t i = 0; binders && i < binders->nkid; i++) {
		const Ast *b = binders->kid[i];
		if (!b || b->kind != AST_BINDER || !b->kid[0]) {
			continue;
		}
		const Ast *p = b->kid[0];
		if (p->kind == AST_NAME && p->name == name) {
			return true;
		}
		for (uint32_t j = 0; p->kind == AST_TUPLE && j < p->nkid; j++) {
			if (p->kid[j]->name == name) {
				return true;
			}
		}
	}
	return false;
}

static void infer(Infer *in, const Ast *ast)
{
	if (!ast || in->done) {
		return;
	}
	in->depth++;
	if ((ast->kind == AST_REDUCE || ast->kind == AST_COMPREHENSION) && binds(ast->kid[0], in->name)) {
		in->depth--;
		return;
	}
	if (ast->kind == AST_INDEX) {
		infer_index(in, ast);
	} else if (ast->kind == AST_CALL) {
		infer_call(in, ast);
	}
	for (uint32_t i = 0; i < ast->nkid && !in->done; i++) {
		infer(in, ast->kid[i]);
	}
	if (!in->done && ast->kind == AST_BINARY && ast->nkid == 2) {
		const char *op = elab_text(in->e, ast->name);
		if (strcmp(op, "==") == 0 || strcmp(op, "!=") == 0 || op[0] == '<' || op[0] == '>') {
			infer_compare(in, ast);
		}
	}
	in->depth--;
}

bool axis_infer(Elab *e, Scope *s, Sym name, const Ast *body, AxisRef *out)
{
	Infer in = {.e = e, .s = s, .name = name};
	infer(&in, body);
	if (!in.done) {
		Entry *entry = scope_find(e, s, name);
		if (entry && !entry->pending && entry->val.tag == VAL_AXIS) { /* sum[site] … : the index is called as its axis */
			found(&in, entry->val.axis);
		}
	}
	*out = in.found;
	return in.done;
}
