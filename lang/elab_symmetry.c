/* elab_symmetry.c — `test E invariant under O(3) on R, permutation on atom`: one random element of every group acts on
 * the arguments at once; an invariant value stays as it is, an equivariant one is moved by the same element.
 *   rotation: R[…,a] -> sum[b] Q[a,b]*R[…,b]      translation: R[…,a] -> R[…,a] + t[a]
 *   permutation on an axis: R[i,…] -> R[π(i),…] for every argument over it      C4 on (x, y)      flip: s -> ±s
 * SPEC: symmetry. */
#include "lang/elab_claim_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum { ACT_ROTATE, ACT_TRANSLATE, ACT_PERMUTE, ACT_CYCLE, ACT_FLIP } ActKind;
/* One group element. leaf is read by it; axis is the axis it turns, moves along or permutes. */
typedef struct Act {
	ActKind kind;
	Span at;
	Def leaf;
	Axis axis;
	Node record;     /* of the permuted axis when records size it */
	UnitId unit;     /* TRANSLATE */
	int64_t order;   /* CYCLE */
	bool tuple;      /* acts on several scalars: axis counts them */
	bool used;       /* it moved the result */
} Act;

typedef struct Symmetry {
	Claiming *k;
	const FnVal *fn;     /* E is a function: its parameters are the variables; else NULL */
	const FnDecl *decl;
	const Ast *of;
	Scope *moved;        /* the arguments after the change */
	Act *act;
	size_t n, cap;
} Symmetry;

/* ---- arguments of a function from its parameters -------------------------------------------------------------------------- */

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
		Diag *d = diag_not_constant(elab_diags(e), type->span, arena_printf(e->arena, "what %s ranges over",
		                                                                    elab_text(e, name)));
		diag_help(d, "add  for %s in 1..9,  or name the parameter as the field of a data set", elab_text(e, name));
		return false;
	}
	Axis *axis = arena_array(e->arena, Axis, t->rank + 1);
	for (uint32_t i = 0; i < t->rank; i++) {
		const AxisInfo *info = core_axis_info(e->core, t->axis[i].axis);
		bool unsized = info->size < 0 && !(info->flags & AXIS_SAMPLES);
		axis[i] = unsized ? sized_instance(k, t->axis[i].axis, type).axis : t->axis[i].axis;
	}
	SampleVar var = {.name = name, .lo = -INFINITY, .hi = INFINITY, .unit = t->unit};
	var.kind = t->elem == ELEM_SPIN ? SAMPLE_SPIN : t->elem == ELEM_BOOL ? SAMPLE_BOOL : SAMPLE_UNIFORM;
	Kind kind = t->elem == ELEM_BOOL ? KIND_BOOL : KIND_REAL;
	Def leaf = claim_variable(k, var, at, kind, t->rank, axis);
	scope_put(e, k->in, name, at, claim_read(k, leaf, at, t->elem, t->unit));
	return true;
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
		diag_help(diag_index_axis_unknown(elab_diags(e), at, elab_text(e, name)), "add  for %s in [0, 1]",
		          elab_text(e, name));
		return false;
	}
	TypeInfo t = elab_type(e, k->in, type);
	if (!t.ok) {
		return false;
	}
	if (t.record) {
		Val row = {.tag = VAL_RECORD, .span = at, .data = t.record, .record = claim_record(k, t.record)};
		scope_put(e, k->in, name, at, row);
		return true;
	}
	if (t.index_of.axis) {
		const AxisInfo *info = core_axis_info(e->core, t.index_of.axis);
		bool unsized = info->size < 0 && !(info->flags & AXIS_SAMPLES) && !info->length;
		claim_index(k, name, at, unsized ? sized_instance(k, t.index_of.axis, type) : t.index_of);
		return true;
	}
	return array_variable(k, name, at, type, &t);
}

static bool bind_arguments(Symmetry *y)
{
	Claiming *k = y->k;
	Val v = elab_callee(k->e, k->in, y->of);
	if (v.tag == VAL_ERROR) {
		return false;
	}
	if (v.tag != VAL_FN) {
		return claim_free_names(k, y->of);
	}
	if (v.fn->kind != FNV_USER || v.fn->decl->equation) {
		diag_type_mismatch(elab_diags(k->e), y->of->span, "a function of the library", "a function of this program");
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

/* ---- group elements --------------------------------------------------------------------------------------------------------- */

static Def act_leaf(Symmetry *y, const char *name, SampleKind kind, Span at, Kind number, UnitId unit, uint32_t n,
                    const Axis *axis, DataInfo *data)
{
	SampleVar var = {.name = SYM(y->k->e, name), .kind = kind, .unit = unit, .data = data};
	return claim_variable(y->k, var, at, number, n, axis);
}

/* A target that is a variable of the claim. */
static bool target_value(Symmetry *y, const Ast *name, Val *out)
{
	Elab *e = y->k->e;
	if (name->kind == AST_NAME) {
		for (Scope *s = y->moved; s && s != y->k->in->parent; s = s->parent) {
			for (size_t i = 0; i < s->n; i++) {
				if (s->entry[i].name == name->name) {
					*out = scope_value(e, y->moved, name->name, name->span);
					return out->tag != VAL_ERROR;
				}
			}
		}
	}
	const char *text = ast_text(e->arena, e->names, name);
	Diag *d = diag_undefined_name(elab_diags(e), name->span, text);
	if (y->decl) {
		const char *list = "";
		for (uint32_t i = 0; i < y->decl->nformal; i++) {
			list = arena_printf(e->arena, "%s%s%s", list, i ? ", " : "", elab_text(e, y->decl->formal[i]));
		}
		diag_remark(d, "the group acts on a parameter of %s: %s", elab_text(e, y->decl->name), list);
	} else {
		diag_remark(d, "the group acts on a free variable of the claim");
	}
	return false;
}

static bool real_target(Symmetry *y, const Ast *name, Val *out)
{
	if (!target_value(y, name, out)) {
		return false;
	}
	if (out->tag != VAL_NUM || out->elem == ELEM_INT || out->elem == ELEM_BOOL) {
		diag_type_mismatch(elab_diags(y->k->e), name->span, val_type(y->k->e, out), "a real variable");
		return false;
	}
	return val_real(y->k->e, out);
}

static void move_to(Symmetry *y, const Ast *name, Val v)
{
	Elab *e = y->k->e;
	Sym label = intern_printf(e->names, "%s_moved", elab_text(e, name->name));
	scope_put(e, y->moved, name->name, name->span, val_name(e, y->moved, label, v, 0));
}

/* v with position p contracted: sum[b] Q[a,b]*v[…b…]. */
static Val turn(Elab *e, Def q, Val v, uint32_t p, Span at)
{
	Axis axis = core_index_axis(e->core, v.ix[p]);
	Index b = core_index(e->core, axis, core_index_name(e->core, v.ix[p]));
	Node arg[2] = {core_index_value(e->core, v.ix[p]), core_index_value(e->core, b)};
	Node inner = core_subst(e->core, v.re, 1, &v.ix[p], &arg[1]);
	core_at(e->core, at);
	Val r = v;
	r.n = 0;
	r.re = core_reduce(e->core, RED_SUM, 0, at, 1, &b, core_mul(e->core, core_read(e->core, q, arg), inner));
	return r;
}

/* The position of the axis that a rotation turns: the last one of the size asked for. */
static bool vector_position(Symmetry *y, const Val *v, int64_t size, Span at, uint32_t *p)
{
	Elab *e = y->k->e;
	for (uint32_t i = v->rank; i-- > 0;) {
		const AxisInfo *info = core_axis_info(e->core, core_index_axis(e->core, v->ix[i]));
		if (size < 0 || info->size == size) {
			*p = i;
			return true;
		}
	}
	Diag *d = diag_type_mismatch(elab_diags(e), at, val_type(e, v), size < 0 ? "an array of vectors"
	                             : arena_printf(e->arena, "an array with an axis of %lld", (long long)size));
	diag_help(d, "scalars are named together:  O(2) on (x, y)");
	return false;
}

/* Several scalars as one vector: their units must agree. */
static bool tuple_targets(Symmetry *y, const Ast *target, Val **out)
{
	Elab *e = y->k->e;
	*out = arena_array(e->arena, Val, target->nkid + 1);
	for (uint32_t i = 0; i < target->nkid; i++) {
		Val *v = &(*out)[i];
		if (!real_target(y, target->kid[i], v)) {
			return false;
		}
		if (v->rank) {
			diag_type_mismatch(elab_diags(e), target->kid[i]->span, val_type(e, v), "one number");
			return false;
		}
		if (i && !val_agree(e, target->kid[i]->span, &(*out)[0], v)) {
			return false;
		}
	}
	return true;
}

static void move_tuple(Symmetry *y, const Ast *target, const Act *a, const Val *v)
{
	Elab *e = y->k->e;
	Core *c = e->core;
	for (uint32_t i = 0; i < target->nkid; i++) {
		Val r = v[i];
		Node arg[2] = {core_int_const(c, i), 0};
		if (a->kind == ACT_TRANSLATE) {
			r.re = core_add(c, v[i].re, core_read(c, a->leaf, arg));
		} else {
			r.re = core_real_const(c, 0);
			for (uint32_t j = 0; j < target->nkid; j++) {
				arg[1] = core_int_const(c, j);
				r.re = core_add(c, r.re, core_mul(c, core_read(c, a->leaf, arg), v[j].re));
			}
		}
		r.literal = false;
		move_to(y, target->kid[i], r);
	}
}

static bool act_rotate(Symmetry *y, Act *a, SampleKind kind, int64_t size, const Ast *target)
{
	Elab *e = y->k->e;
	Axis two[2];
	if (target->kind == AST_TUPLE) {
		Val *v;
		if (size >= 0 && size != target->nkid) {
			diag_wrong_arguments(elab_diags(e), target->span, "the group",
			                     arena_printf(e->arena, "acts on %lld numbers, not %u", (long long)size, target->nkid));
			return false;
		}
		if (!tuple_targets(y, target, &v)) {
			return false;
		}
		a->tuple = true;
		a->axis = two[0] = two[1] = core_axis_anonymous(e->core, target->nkid);
		a->leaf = act_leaf(y, "Q", kind, a->at, KIND_REAL, 0, 2, two, NULL);
		move_tuple(y, target, a, v);
		return true;
	}
	Val v;
	uint32_t p;
	if (!real_target(y, target, &v) || !vector_position(y, &v, size, target->span, &p)) {
		return false;
	}
	a->axis = two[0] = two[1] = core_index_axis(e->core, v.ix[p]);
	a->leaf = act_leaf(y, "Q", kind, a->at, KIND_REAL, 0, 2, two, NULL);
	move_to(y, target, turn(e, a->leaf, v, p, a->at));
	return true;
}

static bool act_translate(Symmetry *y, Act *a, const Ast *target)
{
	Elab *e = y->k->e;
	Val v, *several = &v;
	a->tuple = target->kind == AST_TUPLE;
	if (!(a->tuple ? tuple_targets(y, target, &several) : real_target(y, target, &v))) {
		return false;
	}
	a->unit = unit_resolve(e->units, several->unit);
	bool scalar = !a->tuple && v.rank == 0;
	a->axis = a->tuple ? core_axis_anonymous(e->core, target->nkid)
	          : scalar ? 0
	                   : core_index_axis(e->core, v.ix[v.rank - 1]);
	a->leaf = act_leaf(y, "t", SAMPLE_VECTOR, a->at, KIND_REAL, a->unit, scalar ? 0 : 1, &a->axis, NULL);
	if (a->tuple) {
		move_tuple(y, target, a, several);
		return true;
	}
	Node arg = scalar ? 0 : core_index_value(e->core, v.ix[v.rank - 1]);
	v.re = core_add(e->core, v.re, core_read(e->core, a->leaf, &arg));
	v.n = 0;
	v.literal = false;
	move_to(y, target, v);
	return true;
}

static bool permuted_axis(Symmetry *y, Act *a, Val *v, Sym axis_name_, bool *found)
{
	Elab *e = y->k->e;
	for (uint32_t p = 0; v->tag == VAL_NUM && p < v->rank; p++) {
		AxisRef here = val_axis(e, v, p);
		if (core_axis_info(e->core, here.axis)->name != axis_name_) {
			continue;
		}
		if (a->axis && (a->axis != here.axis || a->record != here.record)) {
			diag_axis_mismatch(elab_diags(e), a->at, axis_name(e, here), axis_name(e, (AxisRef){a->axis, a->record}));
			return false;
		}
		a->axis = here.axis;
		a->record = here.record;
		*found = true;
	}
	return true;
}

static Val permute(Elab *e, const Act *a, Val v)
{
	for (uint32_t p = 0; p < v.rank; p++) {
		if (core_index_axis(e->core, v.ix[p]) != a->axis) {
			continue;
		}
		Node i = core_index_value(e->core, v.ix[p]), to = core_read(e->core, a->leaf, &i);
		v.re = core_subst(e->core, v.re, 1, &v.ix[p], &to);
		v.im = v.im ? core_subst(e->core, v.im, 1, &v.ix[p], &to) : 0;
		v.n = 0;
	}
	return v;
}

/* The data set whose records size the axis, or NULL. */
static DataInfo *sizing_data(Symmetry *y, Axis axis)
{
	for (size_t i = 0; i < y->k->nrecord; i++) {
		DataInfo *d = y->k->record[i].data;
		for (uint32_t j = 0; j < d->nragged; j++) {
			if (d->ragged[j] == axis) {
				return d;
			}
		}
	}
	return NULL;
}

/* Every array over the axis is permuted, whether a value of the claim or already moved by another element. */
static bool act_permute(Symmetry *y, Act *a, const Ast *target)
{
	Elab *e = y->k->e;
	Scope *scopes[2] = {y->moved, y->k->in};
	bool found = false;
	if (target->kind != AST_NAME) {
		diag_type_mismatch(elab_diags(e), target->span, "an expression", "the name of an axis");
		return false;
	}
	for (int s = 0; s < 2; s++) {
		for (size_t i = 0; i < scopes[s]->n; i++) {
			if (!permuted_axis(y, a, &scopes[s]->entry[i].val, target->name, &found)) {
				return false;
			}
		}
	}
	if (!found) {
		Diag *d = diag_wrong_arguments(elab_diags(e), target->span, "permutation",
		                               arena_printf(e->arena, "no argument has the axis %s", elab_text(e, target->name)));
		diag_help(d, "name the axis whose elements are exchanged:  permutation on atom");
		return false;
	}
	DataInfo *data = sizing_data(y, a->axis);
	a->leaf = act_leaf(y, "perm", SAMPLE_PERMUTATION, a->at, KIND_INT, 0, 1, &a->axis, data);
	for (size_t i = 0; i < y->k->in->n; i++) {
		const Entry *entry = &y->k->in->entry[i];
		bool plain = entry->name && entry->val.tag == VAL_NUM && entry->val.rank;
		Val v = plain ? scope_value(e, y->moved, entry->name, a->at) : val_error(a->at);
		bool over = false;
		for (uint32_t p = 0; plain && p < v.rank; p++) {
			over = over || core_index_axis(e->core, v.ix[p]) == a->axis;
		}
		if (over) {
			scope_put(e, y->moved, entry->name, a->at, permute(e, a, v));
		}
	}
	return true;
}

/* Rotation by a random multiple of 2π/n in the plane of two scalars. */
static bool act_cycle(Symmetry *y, Act *a, const Ast *target)
{
	Elab *e = y->k->e;
	Core *c = e->core;
	Val *v;
	if (target->kind != AST_TUPLE || target->nkid != 2) {
		diag_help(diag_wrong_arguments(elab_diags(e), target->span, "the group", "turns a plane"),
		          "name its two coordinates:  C4 on (x, y)");
		return false;
	}
	if (!tuple_targets(y, target, &v)) {
		return false;
	}
	SampleVar var = {.name = SYM(e, "turn"), .kind = SAMPLE_INTEGER, .lo = 0, .hi = (double)(a->order - 1)};
	a->leaf = claim_variable(y->k, var, a->at, KIND_INT, 0, NULL);
	a->tuple = true;
	a->axis = core_axis_anonymous(c, 2);
	Node angle = core_scale(c, 2 * 3.14159265358979323846 / (double)a->order, core_real(c, core_read(c, a->leaf, NULL)));
	Node cosine = core_op1(c, OP_cos, angle), sine = core_op1(c, OP_sin, angle);
	Val x = v[0], w = v[1];
	x.re = core_sub(c, core_mul(c, cosine, v[0].re), core_mul(c, sine, v[1].re));
	w.re = core_add(c, core_mul(c, sine, v[0].re), core_mul(c, cosine, v[1].re));
	move_to(y, target->kid[0], x);
	move_to(y, target->kid[1], w);
	return true;
}

static bool act_flip(Symmetry *y, Act *a, const Ast *target)
{
	Elab *e = y->k->e;
	Val v;
	if (!target_value(y, target, &v)) {
		return false;
	}
	Elem elem = v.elem;
	if (v.tag != VAL_NUM || (elem != ELEM_REAL && elem != ELEM_SPIN)) {
		diag_type_mismatch(elab_diags(e), target->span, val_type(e, &v), "a real or spin variable");
		return false;
	}
	a->leaf = act_leaf(y, "sign", SAMPLE_SPIN, a->at, KIND_REAL, 0, 0, NULL, NULL);
	v.re = core_mul(e->core, core_read(e->core, a->leaf, NULL), v.re);
	v.n = 0;
	move_to(y, target, v);
	return true;
}

/* ---- the groups by name ------------------------------------------------------------------------------------------------------ */

static bool group_size(Symmetry *y, const Ast *group, int64_t *size)
{
	*size = -1;
	if (group->kind != AST_CALL) {
		return true;
	}
	Val v = group->nkid == 2 ? elab_expr(y->k->e, y->k->in, group->kid[1]) : val_error(group->span);
	if (v.tag == VAL_ERROR && group->nkid == 2) {
		return false;
	}
	if (group->nkid != 2 || !val_const_int(y->k->e, &v, size) || *size < 1) {
		diag_wrong_arguments(elab_diags(y->k->e), group->span, "the group", "takes one whole number, as in O(3)");
		return false;
	}
	return true;
}

static bool unknown_group(Symmetry *y, const Ast *group, const char *name)
{
	static const char *const known[] = {"O", "SO", "rotation", "translation", "permutation", "flip", "C4"};
	Elab *e = y->k->e;
	Diag *d = diag_undefined_name(elab_diags(e), group->span, name);
	const char *near = diag_nearest(name, known, sizeof known / sizeof *known);
	if (near) {
		diag_help(d, "did you mean  %s ?", near);
	} else {
		diag_help(d, "groups are O(n), SO(n), rotation, translation, permutation, flip and C2, C3, C4, …");
	}
	return false;
}

static bool add_act(Symmetry *y, const Ast *symmetry)
{
	Elab *e = y->k->e;
	const Ast *group = symmetry->kid[0], *target = symmetry->nkid > 1 ? symmetry->kid[1] : NULL;
	const Ast *head = group->kind == AST_CALL ? group->kid[0] : group;
	const char *name = head->kind == AST_NAME ? elab_text(e, head->name) : ast_text(e->arena, e->names, group);
	int64_t size;
	Act a = {.at = symmetry->span};
	if (!target) {
		diag_help(diag_wrong_arguments(elab_diags(e), symmetry->span, name, "does not say what it acts on"),
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
	} else if (name[0] == 'C' && (a.order = strtol(name + 1, &end, 10)) >= 2 && *end == 0 && a.order <= 10000) {
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

/* ---- the element on the result ------------------------------------------------------------------------------------------------- */

static bool move_translated(Symmetry *y, Act *a, Val *v)
{
	Elab *e = y->k->e;
	bool scalar = !a->axis && v->rank == 0, vector = a->axis && v->rank && core_index_axis(e->core, v->ix[v->rank - 1]) == a->axis;
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
	*v = permute(e, a, *v);
	for (uint32_t j = 0; j < y->k->nix; j++) { /* an index among the arguments stands for an axis of the result */
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
				*v = turn(e, a->leaf, *v, p, a->at);
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
			Diag *d = diag_type_mismatch(elab_diags(e), y->act[i].at, val_type(e, v), "a value that this group moves");
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
		diag_help(diag_bad_statement_place(elab_diags(e), ast->span, "a symmetry", "in assert"),
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
		diag_type_mismatch(elab_diags(e), ast->kid[0]->span, val_type(e, &left), "a number or an array of numbers");
		return false;
	}
	bool equivariant = ast->flags & AST_EQUIVARIANT;
	if (equivariant && !move_equivariant(&y, &right)) {
		return false;
	}
	const char *of = ast_text(e->arena, e->names, ast->kid[0]);
	k->claim->left_text = arena_printf(e->arena, "%s of the changed arguments", of);
	k->claim->right_text = arena_printf(e->arena, equivariant ? "%s, changed" : "%s before", of);
	return claim_compare(k, ast->span, "==", left, right);
}
