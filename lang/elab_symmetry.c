/* elab_symmetry.c — `test E invariant under O(3) on R, permutation on atom`: one random element of
 * every group acts on the arguments at once; an invariant value stays as it is, an equivariant one
 * is moved by the same element.
 *   rotation                R[…,a] -> sum[b] Q[a,b]*R[…,b]
 *   translation             R[…,a] -> R[…,a] + t[a]
 *   permutation on an axis  R[i,…] -> R[π(i),…] for every argument over it
 *   C4 on (x, y), flip      a turn by a multiple of 2π/4; s -> ±s
 * SPEC: symmetry. */
#include "lang/elab_claim_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- arguments of a function from its parameters
 * -------------------------------------------------------------------------- */

/* The claim's own instance of an axis that is sized by record: it is tried at several sizes. */
static AxisRef sized_instance(Claiming *k, Axis declared, const Ast *where)
{
	Elab *e = k->e;
	AxisInfo info = *core_axis_info(e->core, declared);
	for (size_t i = 0; i < k->nsized; i++) {
		if (core_axis_info(e->core, k->claim->sized[i])->name == info.name) {
			return (AxisRef){k->claim->sized[i], 0};
		}
	}
	info.length = 0;
	Axis a = core_axis(e->core, info);
	ARENA_PUSH(e->arena, k->claim->sized, k->nsized, k->capsized, a);
	k->claim->nsized = (uint32_t)k->nsized;
	Val v = {.tag = VAL_AXIS, .span = where->span, .axis = {a, 0}};
	scope_put(e, k->in, info.name, where->span, v);
	return (AxisRef){a, 0};
}

static bool array_variable(Claiming *k, Sym name, Span at, const Ast *type, const TypeInfo *t)
{
	Elab *e = k->e;
	if (t->elem == ELEM_INT || t->elem == ELEM_COMPLEX) {
		Diag *d = diag_not_constant(
			elab_diags(e), type->span,
			arena_printf(e->arena, "what %s ranges over", elab_text(e, name)));
		diag_help(d,
			  "add  for %s in 1..9,  or name the parameter as the field of a data set",
			  elab_text(e, name));
		return false;
	}
	Axis *axis = arena_array(e->arena, Axis, t->rank + 1);
	for (uint32_t i = 0; i < t->rank; i++) {
		const AxisInfo *info = core_axis_info(e->core, t->axis[i].axis);
		bool unsized = info->size < 0 && !(info->flags & AXIS_SAMPLES);
		axis[i] = unsized ? sized_instance(k, t->axis[i].axis, type).axis : t->axis[i].axis;
	}
	SampleVar var = {.name = name, .lo = -INFINITY, .hi = INFINITY, .unit = t->unit};
	var.kind = t->elem == ELEM_SPIN   ? SAMPLE_SPIN
		   : t->elem == ELEM_BOOL ? SAMPLE_BOOL
					  : SAMPLE_UNIFORM;
	Kind kind = t->elem == ELEM_BOOL ? KIND_BOOL : KIND_REAL;
	Def leaf = claim_variable(k, var, at, kind, t->rank, axis);
	scope_put(e, k->in, name, at, claim_read(k, leaf, at, t->elem, t->unit));
	return true;
}

bool claim_typed_variable(Claiming *k, Sym name, Span at, const Ast *type)
{
	Elab *e = k->e;
	TypeInfo t = elab_type(e, k->in, type);
	if (!t.ok) {
		return false;
	}
	if (t.record) {
		Val row = {.tag = VAL_RECORD,
			   .span = at,
			   .data = t.record,
			   .record = claim_record(k, t.record)};
		scope_put(e, k->in, name, at, row);
		return true;
	}
	if (t.index_of.axis) {
		const AxisInfo *info = core_axis_info(e->core, t.index_of.axis);
		bool unsized = info->size < 0 && !(info->flags & AXIS_SAMPLES) && !info->length;
		claim_index(k, name, at,
			    unsized ? sized_instance(k, t.index_of.axis, type) : t.index_of);
		return true;
	}
	return array_variable(k, name, at, type, &t);
}

/* A parameter's value: given by `for`, a coordinate or field of its name, or drawn by its type. */
static bool formal_variable(Symmetry *y, uint32_t i)
{
	Claiming *k = y->k;
	Elab *e = k->e;
	Sym name = y->decl->formal[i];
	const Ast *formals = y->decl->ast->kid[1];
	const Ast *formal = formals && i < formals->nkid ? formals->kid[i] : NULL;
	const Ast *type = formal && formal->nkid ? formal->kid[0] : NULL;
	Span at = y->of->span;
	bool bad;
	for (size_t j = 0; j < k->in->n; j++) {
		if (k->in->entry[j].name == name) {
			return true;
		}
	}
	if (claim_known_variable(k, name, at, &bad)) {
		return true;
	}
	if (bad) {
		return false;
	}
	if (!type) {
		diag_help(diag_index_axis_unknown(elab_diags(e), at, elab_text(e, name)),
			  "add  for %s in [0, 1]", elab_text(e, name));
		return false;
	}
	return claim_typed_variable(k, name, at, type);
}

static bool bind_arguments(Symmetry *y)
{
	Claiming *k = y->k;
	bool named = y->of->kind == AST_NAME && scope_find(k->e, k->in, y->of->name);
	Val v = named ? elab_callee(k->e, k->in, y->of) : val_error(y->of->span);
	if (named && v.tag == VAL_ERROR) {
		return false;
	}
	if (v.tag != VAL_FN) {
		return claim_free_names(k, y->of);
	}
	if (v.fn->kind != FNV_USER || v.fn->decl->equation) {
		diag_type_mismatch(elab_diags(k->e), y->of->span, "a function of the library",
				   "a function of this program");
		return false;
	}
	y->fn = v.fn;
	y->decl = v.fn->decl;
	bool ok = true;
	for (uint32_t i = 0; i < y->decl->nformal; i++) {
		ok = formal_variable(y, i) && ok;
	}
	return ok;
}

/* The value of E where its arguments are what the scope says. */
static Val value_in(Symmetry *y, Scope *s)
{
	Elab *e = y->k->e;
	if (!y->fn) {
		return elab_expr(e, s, y->of);
	}
	uint32_t n = y->decl->nformal;
	Val *arg = arena_array(e->arena, Val, n + 1);
	for (uint32_t i = 0; i < n; i++) {
		arg[i] = scope_value(e, s, y->decl->formal[i], y->of->span);
		if (arg[i].tag == VAL_ERROR) {
			return arg[i];
		}
	}
	return elab_call_value(e, s, y->fn, y->of->span, n, arg, NULL, y->of);
}

/* ---- the groups by name ---- */

static bool group_size(Symmetry *y, const Ast *group, int64_t *size)
{
	*size = -1;
	if (group->kind != AST_CALL) {
		return true;
	}
	Val v = group->nkid == 2 ? elab_expr(y->k->e, y->k->in, group->kid[1])
				 : val_error(group->span);
	if (v.tag == VAL_ERROR && group->nkid == 2) {
		return false;
	}
	if (group->nkid != 2 || !val_const_int(y->k->e, &v, size) || *size < 1) {
		diag_wrong_arguments(elab_diags(y->k->e), group->span, "the group",
				     "takes one whole number, as in O(3)");
		return false;
	}
	return true;
}

static bool unknown_group(Symmetry *y, const Ast *group, const char *name)
{
	static const char *const known[] = {"O",           "SO",   "rotation", "translation",
					    "permutation", "flip", "C4"};
	Elab *e = y->k->e;
	Diag *d = diag_undefined_name(elab_diags(e), group->span, name);
	const char *near = diag_nearest(name, known, sizeof known / sizeof *known);
	if (near) {
		diag_help(d, "did you mean  %s ?", near);
	} else {
		diag_help(d, "groups are O(n), SO(n), rotation, translation, permutation, flip and "
			     "C2, C3, C4, …");
	}
	return false;
}

static bool add_act(Symmetry *y, const Ast *symmetry)
{
	Elab *e = y->k->e;
	const Ast *group = symmetry->kid[0], *target = symmetry->nkid > 1 ? symmetry->kid[1] : NULL;
	const Ast *head = group->kind == AST_CALL ? group->kid[0] : group;
	const char *name = head->kind == AST_NAME ? elab_text(e, head->name)
						  : ast_text(e->arena, e->names, group);
	int64_t size;
	Act a = {.at = symmetry->span};
	if (!target) {
		diag_help(diag_wrong_arguments(elab_diags(e), symmetry->span, name,
					       "does not say what it acts on"),
			  "write  %s on R", ast_text(e->arena, e->names, group));
		return false;
	}
	while (target->kind == AST_PAREN) {
		target = target->kid[0];
	}
	if (!group_size(y, group, &size)) {
		return false;
	}
	bool ok;
	char *end = NULL;
	if (strcmp(name, "O") == 0) {
		ok = act_rotate(y, &a, SAMPLE_ORTHOGONAL, size, target);
	} else if (strcmp(name, "SO") == 0 || strcmp(name, "rotation") == 0) {
		ok = act_rotate(y, &a, SAMPLE_ROTATION, size, target);
	} else if (strcmp(name, "translation") == 0) {
		a.kind = ACT_TRANSLATE;
		ok = act_translate(y, &a, target);
	} else if (strcmp(name, "permutation") == 0) {
		a.kind = ACT_PERMUTE;
		ok = act_permute(y, &a, target);
	} else if (strcmp(name, "flip") == 0) {
		a.kind = ACT_FLIP;
		ok = act_flip(y, &a, target);
	} else if (name[0] == 'C' && (a.order = strtol(name + 1, &end, 10)) >= 2 && *end == 0 &&
		   a.order <= 10000) {
		a.kind = ACT_CYCLE;
		ok = act_cycle(y, &a, target);
	} else {
		return unknown_group(y, group, name);
	}
	if (ok) {
		ARENA_PUSH(e->arena, y->act, y->n, y->cap, a);
	}
	return ok;
}

/* ---- the element on the result ---- */

static bool move_translated(Symmetry *y, Act *a, Val *v)
{
	Elab *e = y->k->e;
	bool scalar = !a->axis && v->rank == 0,
	     vector = a->axis && v->rank && core_index_axis(e->core, v->ix[v->rank - 1]) == a->axis;
	if ((!scalar && !vector) || !unit_same_dimension(e->units, v->unit, a->unit)) {
		return true;
	}
	Node arg = vector ? core_index_value(e->core, v->ix[v->rank - 1]) : 0;
	Val t = *v;
	t.unit = a->unit;
	t.re = core_read(e->core, a->leaf, &arg);
	if (!val_agree(e, a->at, v, &t)) {
		return false;
	}
	v->re = core_add(e->core, v->re, t.re);
	a->used = true;
	return true;
}

static void move_permuted(Symmetry *y, Act *a, Val *v)
{
	Elab *e = y->k->e;
	Core *c = e->core;
	for (uint32_t p = 0; p < v->rank; p++) {
		a->used = a->used || core_index_axis(c, v->ix[p]) == a->axis;
	}
	*v = act_reorder(e, a, *v);
	for (uint32_t j = 0; j < y->k->nix;
	     j++) { /* an index among the arguments stands for an axis of the result */
		Index ix = y->k->ix[j];
		if (core_index_axis(c, ix) == a->axis) {
			Node i = core_index_value(c, ix), to = core_read(c, a->leaf, &i);
			*v = val_subst(e, v, 1, &ix, &to);
			a->used = true;
		}
	}
}

static bool move_result(Symmetry *y, Act *a, Val *v)
{
	Elab *e = y->k->e;
	switch (a->kind) {
	case ACT_ROTATE:
		for (uint32_t p = 0; p < v->rank; p++) {
			if (core_index_axis(e->core, v->ix[p]) == a->axis) {
				*v = act_turn(e, a->leaf, *v, p, a->at);
				a->used = true;
			}
		}
		return true;
	case ACT_TRANSLATE:
		return move_translated(y, a, v);
	case ACT_PERMUTE:
		move_permuted(y, a, v);
		return true;
	case ACT_FLIP:
		v->re = core_mul(e->core, core_read(e->core, a->leaf, NULL), v->re);
		a->used = true;
		return true;
	case ACT_CYCLE:
		return true;
	}
	return false;
}

static bool move_equivariant(Symmetry *y, Val *v)
{
	Elab *e = y->k->e;
	if (!val_real(e, v)) {
		return false;
	}
	for (size_t i = 0; i < y->n; i++) {
		if (!move_result(y, &y->act[i], v)) {
			return false;
		}
		if (!y->act[i].used) {
			Diag *d = diag_type_mismatch(elab_diags(e), y->act[i].at, val_type(e, v),
						     "a value that this group moves");
			diag_help(d, "a value that stays as it is, is  invariant under  the group");
			return false;
		}
	}
	return true;
}

bool claim_symmetry(Claiming *k, const Ast *ast)
{
	Elab *e = k->e;
	Symmetry y = {.k = k, .of = ast->kid[0]};
	while (y.of->kind == AST_PAREN) {
		y.of = y.of->kid[0];
	}
	if (k->asserted) {
		diag_help(diag_bad_statement_place(elab_diags(e), ast->span, "a symmetry",
						   "in assert"),
			  "it is tried at random points by  test");
		return false;
	}
	if (!bind_arguments(&y)) {
		return false;
	}
	y.moved = scope_new(e, k->in, NULL);
	for (uint32_t i = 1; i < ast->nkid; i++) {
		if (!add_act(&y, ast->kid[i])) {
			return false;
		}
	}
	Val right = value_in(&y, k->in), left = value_in(&y, y.moved);
	if (left.tag == VAL_ERROR || right.tag == VAL_ERROR) {
		return false;
	}
	if (left.tag != VAL_NUM || left.elem == ELEM_BOOL) {
		diag_type_mismatch(elab_diags(e), ast->kid[0]->span, val_type(e, &left),
				   "a number or an array of numbers");
		return false;
	}
	bool equivariant = ast->flags & AST_EQUIVARIANT;
	if (equivariant && !move_equivariant(&y, &right)) {
		return false;
	}
	const char *of = ast_text(e->arena, e->names, ast->kid[0]);
	k->claim->left_text = arena_printf(e->arena, "%s of the changed arguments", of);
	k->claim->right_text =
		arena_printf(e->arena, equivariant ? "%s, changed" : "%s before", of);
	return claim_compare(k, ast->span, "==", left, right);
}
