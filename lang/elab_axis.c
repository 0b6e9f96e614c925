/* elab_axis.c — axes: their declaration, and axes named in types and brackets. SPEC: axes. */
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
		diag_bad_setting(elab_diags(e), ast->name_span, set->name,
				 "an axis with labels has its size from them");
	} else if (end != set->value && !*end && size > AXIS_LIMIT) {
		diag_too_large(elab_diags(e), ast->name_span,
			       arena_printf(e->arena, "--set %s", set->name), "2^40 elements");
	} else if (end == set->value || *end || size < 0) {
		diag_bad_setting(elab_diags(e), ast->name_span, set->name,
				 "an axis takes a whole number of elements");
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
				diag_note(diag_redefined(elab_diags(e), range->kid[i]->span,
							 elab_text(e, info->label[i])),
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
			diag_index_out_of_range(elab_diags(e), range->span, "the end of the range",
						"that begins after it");
			ok = false;
		}
	} else if (range) {
		ok = const_int(e, s, range, &info.size);
		if (ok && info.size < 0) {
			diag_not_constant(elab_diags(e), range->span,
					  "the size of an axis, a whole number of at least 0,");
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
	AxisInfo info = {
		.name = intern_printf(e->names, "range%lld_%lld", (long long)lo, (long long)hi),
		.first = lo,
		.size = hi - lo + 1};
	struct RangeAxis r = {lo, hi, core_axis(e->core, info)};
	ARENA_PUSH(e->arena, e->range, e->nrange, e->caprange, r);
	return r.axis;
}

bool axis_is_range(const Elab *e, Axis a)
{
	for (size_t i = 0; i < e->nrange; i++) {
		if (e->range[i].axis == a) {
			return true;
		}
	}
	return false;
}

/* An array is no axis: one of the same name further out is meant, as in  data d { x : real[x] }. */
static Val axis_behind(Elab *e, Scope *s, const Ast *ast, Val array)
{
	for (; s; s = s->parent) {
		Scope alone = *s;
		alone.parent = NULL;
		Entry *entry = scope_find(e, &alone, ast->name);
		if (entry && !entry->pending && entry->val.tag == VAL_AXIS) {
			entry->used = true;
			return entry->val;
		}
	}
	return array;
}

bool axis_of_expr(Elab *e, Scope *s, const Ast *ast, AxisRef *out)
{
	Val v = elab_callee(e, s, ast);
	int64_t n, m;
	if (v.tag == VAL_NUM && v.rank && ast->kind == AST_NAME) {
		v = axis_behind(e, s, ast, v);
	}
	switch (v.tag) {
	case VAL_ERROR:
		return false;
	case VAL_AXIS:
		*out = v.axis;
		return true;
	case VAL_DATA:
		*out = (AxisRef){v.data->records, 0};
		return true;
	case VAL_NUM:
		if (val_const_int(e, &v, &n) && n >= 0 && n <= AXIS_LIMIT) {
			*out = (AxisRef){core_axis_anonymous(e->core, n), 0};
			return true;
		}
		break;
	case VAL_RANGE:
		if (val_const_int(e, &v.item[0], &n) && val_const_int(e, &v.item[1], &m) &&
		    m >= n - 1) {
			*out = (AxisRef){axis_range(e, n, m), 0};
			return true;
		}
		break;
	default:
		break;
	}
	diag_type_mismatch(elab_diags(e), ast->span, val_type(e, &v), "an axis");
	return false;
}
