/* elab_act.c — random elements of groups acting on the arguments of a claim.
 * Keeps: the scope `moved` holds the changed arguments, each built from what the elements before it
 * left. SPEC: symmetry. */
#include "lang/elab_claim_int.h"

#include <math.h>
#include <string.h>

/* ---- group elements ---- */

static Def act_leaf(Symmetry *y, const char *name, SampleKind kind, Span at, Kind number,
		    UnitId unit, uint32_t n, const Axis *axis, DataInfo *data)
{
	/* Names keep elements of one kind apart, also in their random numbers. */
	Sym own =
		y->n ? intern_printf(y->k->e->names, "%s%zu", name, y->n + 1) : SYM(y->k->e, name);
	SampleVar var = {.name = own, .kind = kind, .unit = unit, .data = data};
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
			list = arena_printf(e->arena, "%s%s%s", list, i ? ", " : "",
					    elab_text(e, y->decl->formal[i]));
		}
		diag_remark(d, "the group acts on a parameter of %s: %s",
			    elab_text(e, y->decl->name), list);
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
		diag_type_mismatch(elab_diags(y->k->e), name->span, val_type(y->k->e, out),
				   "a real variable");
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
Val act_turn(Elab *e, Def q, Val v, uint32_t p, Span at)
{
	Axis axis = core_index_axis(e->core, v.ix[p]);
	Index b = core_index(e->core, axis, core_index_name(e->core, v.ix[p]));
	Node arg[2] = {core_index_value(e->core, v.ix[p]), core_index_value(e->core, b)};
	Node inner = core_subst(e->core, v.re, 1, &v.ix[p], &arg[1]);
	core_at(e->core, at);
	Val r = v;
	r.n = 0;
	r.re = core_reduce(e->core, RED_SUM, 0, at, 1, &b,
			   core_mul(e->core, core_read(e->core, q, arg), inner));
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
	Diag *d = diag_type_mismatch(
		elab_diags(e), at, val_type(e, v),
		size < 0
			? "an array of vectors"
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
			diag_type_mismatch(elab_diags(e), target->kid[i]->span, val_type(e, v),
					   "one number");
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
				r.re = core_add(c, r.re,
						core_mul(c, core_read(c, a->leaf, arg), v[j].re));
			}
		}
		r.literal = false;
		move_to(y, target->kid[i], r);
	}
}

bool act_rotate(Symmetry *y, Act *a, SampleKind kind, int64_t size, const Ast *target)
{
	Elab *e = y->k->e;
	Axis two[2];
	if (target->kind == AST_TUPLE) {
		Val *v;
		if (size >= 0 && size != target->nkid) {
			diag_wrong_arguments(elab_diags(e), target->span, "the group",
					     arena_printf(e->arena, "acts on %lld numbers, not %u",
							  (long long)size, target->nkid));
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
	move_to(y, target, act_turn(e, a->leaf, v, p, a->at));
	return true;
}

bool act_translate(Symmetry *y, Act *a, const Ast *target)
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
	a->leaf = act_leaf(y, "t", SAMPLE_VECTOR, a->at, KIND_REAL, a->unit, scalar ? 0 : 1,
			   &a->axis, NULL);
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
			diag_axis_mismatch(elab_diags(e), a->at, axis_name(e, here),
					   axis_name(e, (AxisRef){a->axis, a->record}));
			return false;
		}
		a->axis = here.axis;
		a->record = here.record;
		*found = true;
	}
	return true;
}

Val act_reorder(Elab *e, const Act *a, Val v)
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

/* Every array over the axis is permuted, whether a value of the claim or already moved by another
 * element. */
bool act_permute(Symmetry *y, Act *a, const Ast *target)
{
	Elab *e = y->k->e;
	Scope *scopes[2] = {y->moved, y->k->in};
	bool found = false;
	if (target->kind != AST_NAME) {
		diag_type_mismatch(elab_diags(e), target->span, "an expression",
				   "the name of an axis");
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
					       arena_printf(e->arena, "no argument has the axis %s",
							    elab_text(e, target->name)));
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
			scope_put(e, y->moved, entry->name, a->at, act_reorder(e, a, v));
		}
	}
	return true;
}

/* Rotation by a random multiple of 2π/n in the plane of two scalars. */
bool act_cycle(Symmetry *y, Act *a, const Ast *target)
{
	Elab *e = y->k->e;
	Core *c = e->core;
	Val *v;
	if (target->kind != AST_TUPLE || target->nkid != 2) {
		diag_help(diag_wrong_arguments(elab_diags(e), target->span, "the group",
					       "turns a plane"),
			  "name its two coordinates:  C4 on (x, y)");
		return false;
	}
	if (!tuple_targets(y, target, &v)) {
		return false;
	}
	SampleVar var = {.name = y->n ? intern_printf(e->names, "turn%zu", y->n + 1)
				      : SYM(e, "turn"),
			 .kind = SAMPLE_INTEGER,
			 .lo = 0,
			 .hi = (double)(a->order - 1)};
	a->leaf = claim_variable(y->k, var, a->at, KIND_INT, 0, NULL);
	a->tuple = true;
	a->axis = core_axis_anonymous(c, 2);
	Node angle = core_scale(c, 2 * 3.14159265358979323846 / (double)a->order,
				core_real(c, core_read(c, a->leaf, NULL)));
	Node cosine = core_op1(c, OP_cos, angle), sine = core_op1(c, OP_sin, angle);
	Val x = v[0], w = v[1];
	x.re = core_sub(c, core_mul(c, cosine, v[0].re), core_mul(c, sine, v[1].re));
	w.re = core_add(c, core_mul(c, sine, v[0].re), core_mul(c, cosine, v[1].re));
	move_to(y, target->kid[0], x);
	move_to(y, target->kid[1], w);
	return true;
}

bool act_flip(Symmetry *y, Act *a, const Ast *target)
{
	Elab *e = y->k->e;
	Val v;
	if (!target_value(y, target, &v)) {
		return false;
	}
	Elem elem = v.elem;
	if (v.tag != VAL_NUM || (elem != ELEM_REAL && elem != ELEM_SPIN)) {
		diag_type_mismatch(elab_diags(e), target->span, val_type(e, &v),
				   "a real or spin variable");
		return false;
	}
	a->leaf = act_leaf(y, "sign", SAMPLE_SPIN, a->at, KIND_REAL, 0, 0, NULL, NULL);
	v.re = core_mul(e->core, core_read(e->core, a->leaf, NULL), v.re);
	v.n = 0;
	move_to(y, target, v);
	return true;
}
