/* elab_type.c — written types, and whether a value fits one. SPEC: types. */
#include "lang/elab_int.h"

#include <math.h>
#include <string.h>

static bool elem_of(const char *name, Elem *out)
{
	static const struct {
		const char *name;
		Elem elem;
	} row[] = {{"real", ELEM_REAL},
		   {"complex", ELEM_COMPLEX},
		   {"int", ELEM_INT},
		   {"bool", ELEM_BOOL},
		   {"spin", ELEM_SPIN}};
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		if (strcmp(name, row[i].name) == 0) {
			*out = row[i].elem;
			return true;
		}
	}
	return false;
}

static bool unit_of(Elab *e, const Ast *type, UnitId *unit)
{
	const char *why = NULL;
	*unit = type->text ? unit_parse(e->units, elab_text(e, type->text), &why) : 0;
	if (why) {
		diag_bad_unit(elab_diags(e), type->span, elab_text(e, type->text), why);
		return false;
	}
	return true;
}

static bool unit_possible(Elab *e, const Ast *type, const TypeInfo *t)
{
	if (!t->unit || t->elem == ELEM_REAL || t->elem == ELEM_COMPLEX) {
		return true;
	}
	diag_unit_mismatch(elab_diags(e), type->span,
			   arena_printf(e->arena, "'%s'", elab_text(e, type->text)),
			   "none (only real and complex values have units)");
	return false;
}

TypeInfo elab_type(Elab *e, Scope *s, const Ast *type)
{
	TypeInfo t = {.ok = true, .has_unit = type->text != 0};
	if (type->kind == AST_ERROR_EXPR) {
		t.ok = false;
		return t;
	}
	if (!elem_of(elab_text(e, type->name), &t.elem)) {
		Val v = scope_value(e, s, type->name, type->span);
		if (v.tag == VAL_DATA) {
			t.record = v.data;
		} else if (v.tag == VAL_AXIS) {
			t.elem = ELEM_INT;
			t.index_of = v.axis;
		} else {
			if (v.tag != VAL_ERROR) {
				diag_type_mismatch(elab_diags(e), type->span, val_type(e, &v),
						   "a type (real, complex, int, bool, spin, an "
						   "axis or a data set)");
			}
			t.ok = false;
		}
		return t;
	}
	t.ok = unit_of(e, type, &t.unit) && unit_possible(e, type, &t);
	t.rank = type->nkid;
	t.axis = arena_array(e->arena, AxisRef, type->nkid + 1);
	for (uint32_t i = 0; i < type->nkid; i++) {
		t.ok = axis_of_expr(e, s, type->kid[i], &t.axis[i]) && t.ok;
	}
	return t;
}

/* May the actual axis stand where the declared one is named? Unsized axes of a type stand for any
 * instance of them. */
static bool axis_fits(Elab *e, AxisRef declared, AxisRef actual)
{
	if (axis_same(e, declared, actual) || declared.axis == actual.axis) {
		return declared.record == 0 || declared.record == actual.record;
	}
	const AxisInfo *d = core_axis_info(e->core, declared.axis),
		       *a = core_axis_info(e->core, actual.axis);
	return d->size < 0 && !(d->flags & AXIS_SAMPLES) && !d->length && d->name == a->name;
}

static bool fit_axis(Elab *e, Scope *bind, const Ast *want, AxisRef actual, Span at)
{
	if (want->kind == AST_NAME) {
		Entry *here = NULL, *entry = scope_find(e, bind, want->name);
		for (size_t i = 0; i < bind->n; i++) {
			here = bind->entry[i].name == want->name ? &bind->entry[i] : here;
		}
		if (!entry || (entry->val.tag != VAL_AXIS &&
			       !here)) { /* an axis parameter: layer lin[m, k](x: real[k]) */
			if (entry && entry->val.tag == VAL_NUM) {
				goto declared;
			}
			diag_undefined_name(elab_diags(e), want->span, elab_text(e, want->name));
			return false;
		}
		if (here && here->val.tag == VAL_AXIS && !here->val.axis.axis) {
			here->val.axis = actual;
			return true;
		}
		if (!here && entry->val.tag == VAL_AXIS && axis_fits(e, entry->val.axis, actual)) {
			Val v = {.tag = VAL_AXIS, .axis = actual, .span = want->span};
			scope_put(e, bind, want->name, want->span, v);
			return true;
		}
	}
declared:;
	AxisRef declared;
	if (!axis_of_expr(e, bind, want, &declared)) {
		return false;
	}
	if (axis_same(e, declared, actual)) {
		return true;
	}
	axis_differs(e, at, actual, declared);
	return false;
}

static bool fit_record(Elab *e, const Ast *type, const TypeInfo *t, const Val *v)
{
	if (v->tag == VAL_RECORD && data_family(v->data, t->record)) {
		return true;
	}
	diag_type_mismatch(elab_diags(e), v->span, val_type(e, v),
			   arena_printf(e->arena, "a record of %s", elab_text(e, type->name)));
	return false;
}

static bool fit_index(Elab *e, Scope *bind, const Ast *type, const TypeInfo *t, Val *v)
{
	AxisRef declared = t->index_of;
	Entry *bound = scope_find(e, bind, type->name);
	if (bound && bound->val.tag == VAL_AXIS) {
		declared = bound->val.axis;
	}
	int64_t fixed;
	if (v->tag == VAL_NUM && v->rank == 0 && v->elem == ELEM_INT &&
	    (v->of == declared.axis || (v->of && axis_fits(e, declared, (AxisRef){v->of, 0})) ||
	     !v->of)) {
		if (v->of && v->of != declared.axis) {
			Val a = {.tag = VAL_AXIS, .axis = {v->of, 0}, .span = type->span};
			scope_put(e, bind, type->name, type->span, a);
		}
		const AxisInfo *info = core_axis_info(e->core, declared.axis);
		if (val_const_int(e, v, &fixed) && info->size >= 0 &&
		    (fixed < info->first || fixed >= info->first + info->size)) {
			diag_index_out_of_range(elab_diags(e), v->span,
						arena_printf(e->arena, "%lld", (long long)fixed),
						axis_name(e, declared));
			return false;
		}
		v->of = v->of ? v->of : declared.axis; /* an index, whatever number was given */
		return true;
	}
	if (v->tag == VAL_NUM && v->rank == 0 && v->of) {
		diag_axis_mismatch(elab_diags(e), v->span, axis_name(e, (AxisRef){v->of, 0}),
				   axis_name(e, declared));
	} else {
		diag_type_mismatch(
			elab_diags(e), v->span, val_type(e, v),
			arena_printf(e->arena, "an index over %s", axis_name(e, declared)));
	}
	return false;
}

static bool fit_elem(Elab *e, const Ast *type, Elem want, Val *v)
{
	if (want == ELEM_INT && v->elem == ELEM_INT) {
		v->of = 0; /* declared a plain integer: no longer a place on an axis */
	}
	if (v->elem == want || (want == ELEM_COMPLEX && v->elem != ELEM_BOOL)) {
		return want != ELEM_COMPLEX || val_to_complex(e, v);
	}
	if (want == ELEM_REAL && v->elem != ELEM_BOOL && v->elem != ELEM_COMPLEX) {
		return val_real(e, v);
	}
	double x;
	if (want == ELEM_SPIN && elab_node_value(e, v->re, &x) && (x == 1 || x == -1) && !v->rank &&
	    v->elem != ELEM_BOOL) {
		return val_real(e, v) && (v->elem = ELEM_SPIN, true);
	}
	Diag *d = diag_type_mismatch(elab_diags(e), v->span, val_type(e, v),
				     elab_text(e, type->name));
	if (want == ELEM_INT && v->elem == ELEM_REAL) {
		diag_help(d, "a real becomes an int by  int(x), which rounds down");
	} else if (want == ELEM_REAL && v->elem == ELEM_BOOL) {
		diag_help(d, "a truth value becomes a number by  if … then 1 else 0");
	}
	return false;
}

/* An array literal of whole numbers is real unless ints are asked for. */
bool literal_ints(Elab *e, Val *v)
{
	if (v->tag != VAL_NUM || (v->elem != ELEM_REAL && v->elem != ELEM_INT)) {
		return false;
	}
	if (!v->rank) {
		double x;
		if (v->elem == ELEM_REAL) {
			if (!v->literal || !core_is_const(e->core, v->re, &x) || x != floor(x) ||
			    fabs(x) > 9.007199254740992e15) {
				return false;
			}
			*v = val_num(e, v->span, ELEM_INT, 0, core_int_const(e->core, (int64_t)x));
		}
		v->literal = false;
		return true;
	}
	Val *item = arena_array(e->arena, Val, v->n + 1);
	for (uint32_t i = 0; i < v->n; i++) {
		item[i] = v->item[i];
		if (!literal_ints(e, &item[i])) {
			return false;
		}
	}
	if (v->n) {
		*v = elab_array_literal(e, NULL, v->span, v->n, item);
	}
	return v->n && v->tag == VAL_NUM;
}

/* A structural axis, of a literal [a, b] or a slice, fits a declared axis of its length, as a literal
 * 0 fits a unit. */
static void literal_axes(Elab *e, Scope *bind, const Ast *type, Val *v)
{
	Index *ix = arena_array(e->arena, Index, v->rank + 1),
	      *from = arena_array(e->arena, Index, v->rank + 1);
	Node *to = arena_array(e->arena, Node, v->rank + 1);
	uint32_t n = 0;
	for (uint32_t p = 0; p < v->rank; p++) {
		ix[p] = v->ix[p];
		const Ast *want = type->kid[p];
		Entry *entry = want->kind == AST_NAME ? scope_find(e, bind, want->name) : NULL;
		if (!entry || entry->pending || entry->val.tag != VAL_AXIS ||
		    !entry->val.axis.axis) {
			continue;
		}
		const AxisInfo *info = core_axis_info(e->core, entry->val.axis.axis);
		const AxisInfo *own = core_axis_info(e->core, core_index_axis(e->core, v->ix[p]));
		if (!(own->flags & AXIS_ANONYMOUS) || info->size != own->size || info->length) {
			continue;
		}
		int64_t first = info->first;
		entry->used = true;
		ix[p] = core_index(e->core, entry->val.axis.axis,
				   core_index_name(e->core, v->ix[p]));
		from[n] = v->ix[p];
		to[n++] = core_sub(e->core, core_index_value(e->core, ix[p]),
				   core_int_const(e->core, first));
	}
	if (n) {
		Val r = val_subst(e, v, n, from, to);
		r.ix = ix;
		r.n = 0;
		*v = r;
	}
}

bool type_fit(Elab *e, Scope *bind, const Ast *type, Val *v, const char *what)
{
	if (v->tag == VAL_ERROR || !type) {
		return v->tag != VAL_ERROR;
	}
	if (type->kind == AST_TUPLE) {
		if (v->tag != VAL_TUPLE || v->n != type->nkid) {
			diag_type_mismatch(elab_diags(e), v->span, val_type(e, v),
					   arena_printf(e->arena, "a tuple of %u", type->nkid));
			return false;
		}
		for (uint32_t i = 0; i < v->n; i++) {
			if (!type_fit(e, bind, type->kid[i], &v->item[i], what)) {
				return false;
			}
		}
		return true;
	}
	TypeInfo t = {.ok = true};
	if (!elem_of(elab_text(e, type->name), &t.elem)) {
		t = elab_type(e, bind, type);
		return t.ok &&
		       (t.record ? fit_record(e, type, &t, v) : fit_index(e, bind, type, &t, v));
	}
	if (!unit_of(e, type, &t.unit) || !unit_possible(e, type, &t)) {
		return false;
	}
	if (v->tag != VAL_NUM) {
		Diag *d = diag_type_mismatch(elab_diags(e), v->span, val_type(e, v),
					     elab_text(e, type->name));
		if (v->tag == VAL_FN) {
			diag_help(d, "call the function with its arguments in brackets");
		}
		return false;
	}
	if (v->rank != type->nkid) {
		diag_rank_mismatch(elab_diags(e), v->span, what, v->rank, type->nkid);
		return false;
	}
	if (t.elem == ELEM_INT && v->n) {
		Val ints = *v;
		*v = literal_ints(e, &ints) ? ints : *v;
	}
	literal_axes(e, bind, type, v);
	for (uint32_t i = 0; i < v->rank; i++) {
		if (!fit_axis(e, bind, type->kid[i], val_axis(e, v, i), v->span)) {
			return false;
		}
	}
	if (!fit_elem(e, type, t.elem, v)) {
		return false;
	}
	if ((t.elem == ELEM_REAL || t.elem == ELEM_COMPLEX) && !val_convert(e, v, t.unit)) {
		return false;
	}
	val_normalise(e, v);
	return true;
}
