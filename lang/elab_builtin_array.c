/* elab_builtin_array.c — arrays joined, changed in one entry, spaced evenly. */
#include "lang/elab_builtin.h"

#include <string.h>

/* ---- arrays
 * ---------------------------------------------------------------------------------------------------------------
 */
/* join(a, b, …): one after the other along a structural axis. Scalars count as arrays of one. */
Val builtin_join(Call *c)
{
	Elab *e = c->e;
	Val v[8];
	int64_t total = 0, start[8];
	bool complex = false;
	for (uint32_t i = 0; i < c->n; i++) {
		v[i] = builtin_value(c, i);
		if (v[i].tag == VAL_ERROR) {
			return v[i];
		}
		if (v[i].tag != VAL_NUM || v[i].rank > 1 || v[i].elem == ELEM_BOOL) {
			diag_type_mismatch(elab_diags(e), v[i].span, val_type(e, &v[i]),
					   "a number or an array with one axis");
			return val_error(c->at);
		}
		complex = complex || v[i].elem == ELEM_COMPLEX;
		start[i] = total;
		int64_t size =
			v[i].rank ? core_axis_info(e->core, core_index_axis(e->core, v[i].ix[0]))
					    ->size
				  : 1;
		if (size < 0) {
			return builtin_wrong(c, "the axes must have a size of their own");
		}
		total += size;
	}
	Axis axis = core_axis_anonymous(e->core, total);
	Index k = core_index(e->core, axis, SYM(e, "k"));
	Val r = val_num(e, c->at, ELEM_REAL, 0, 0);
	for (uint32_t i = c->n; i-- > 0;) {
		if (!(complex ? val_to_complex(e, &v[i]) : val_real(e, &v[i]))) {
			return val_error(c->at);
		}
		if (i == c->n - 1) {
			r.unit = v[i].unit;
		} else if (!val_agree(e, c->at, &r, &v[i])) {
			return val_error(c->at);
		}
		Val b = v[i];
		if (b.rank) {
			int64_t first =
				core_axis_info(e->core, core_index_axis(e->core, b.ix[0]))->first;
			Node place = core_add(e->core, core_index_value(e->core, k),
					      core_int_const(e->core, first - start[i]));
			b = val_subst(e, &b, 1, b.ix, &place);
		}
		if (i == c->n - 1) {
			r.re = b.re;
			r.im = b.im;
			continue;
		}
		Node before = core_op2(e->core, OP_ilt, core_index_value(e->core, k),
				       core_int_const(e->core, start[i + 1]));
		r.re = core_select(e->core, before, b.re, r.re);
		r.im = complex ? core_select(e->core, before, b.im, r.im) : 0;
	}
	r.elem = complex ? ELEM_COMPLEX : ELEM_REAL;
	r.rank = 1;
	r.ix = arena_array(e->arena, Index, 1);
	r.ix[0] = k;
	return val_name(e, c->s, SYM(e, "joined"), r, 0);
}

/* One index argument in label values of the array's axis. */
static Node place_of(Call *c, const Val *array, uint32_t position, uint32_t arg)
{
	AxisRef axis = val_axis(c->e, array, position);
	int64_t label;
	if (names_label(c->e, axis.axis, c->arg[arg], &label)) {
		return core_int_const(c->e->core, label);
	}
	Val v = builtin_value(c, arg);
	if (v.tag == VAL_ERROR) {
		return 0;
	}
	if (!val_scalar(&v) || v.elem != ELEM_INT || (v.of && v.of != axis.axis)) {
		diag_type_mismatch(
			elab_diags(c->e), v.span, val_type(c->e, &v),
			arena_printf(c->e->arena, "an index over axis %s", axis_name(c->e, axis)));
		return 0;
	}
	return v.re;
}

static Node at_place(Call *c, const Val *array, uint32_t n)
{
	Node here = core_bool_const(c->e->core, true);
	for (uint32_t i = 0; i < n; i++) {
		Node place = place_of(c, array, i, i + 1);
		if (!place) {
			return 0;
		}
		here = core_op2(c->e->core, OP_and, here,
				core_op2(c->e->core, OP_ieq,
					 core_index_value(c->e->core, array->ix[i]), place));
	}
	return here;
}

/* flip(s, i): the spin at i reversed. */
Val builtin_flip(Call *c)
{
	Val s = builtin_value(c, 0);
	if (s.tag == VAL_ERROR) {
		return s;
	}
	if (s.tag != VAL_NUM || s.elem == ELEM_BOOL || s.elem == ELEM_COMPLEX ||
	    s.rank + 1 != c->n) {
		return builtin_wrong(c, "takes an array and one index for each of its axes");
	}
	Node here = at_place(c, &s, s.rank);
	if (!here) {
		return val_error(c->at);
	}
	return builtin_map(c, s, s.elem,
			   core_select(c->e->core, here, core_neg(c->e->core, s.re), s.re), 0);
}

/* shift(θ, l, i, d): θ with d added to the entry [l,i]. */
Val builtin_shift(Call *c)
{
	Val t = builtin_value(c, 0), d = builtin_value(c, c->n - 1);
	if (t.tag == VAL_ERROR || d.tag == VAL_ERROR) {
		return val_error(c->at);
	}
	if (t.tag != VAL_NUM || t.rank + 2 != c->n || !val_real(c->e, &t)) {
		return builtin_wrong(
			c,
			"takes an array, one index for each of its axes, and what is added there");
	}
	if (!builtin_is_real(c, &d) || !val_agree(c->e, c->at, &t, &d)) {
		return val_error(c->at);
	}
	Node here = at_place(c, &t, t.rank);
	if (!here) {
		return val_error(c->at);
	}
	return builtin_map(c, t, ELEM_REAL,
			   core_add(c->e->core, t.re, core_guard(c->e->core, here, d.re)), 0);
}

/* linspace(a, b, n), logspace(a, b, n): n places from a to b; without n along the parameter's own
 * axis. */
static Val spaced(Call *c, bool logarithmic)
{
	Elab *e = c->e;
	Val a = builtin_value(c, 0), b = builtin_value(c, 1);
	if (!builtin_is_real(c, &a) || !builtin_is_real(c, &b) || !val_agree(e, c->at, &a, &b)) {
		return val_error(c->at);
	}
	Axis axis;
	if (c->n > 2) {
		Val n = builtin_value(c, 2);
		int64_t size;
		if (n.tag == VAL_AXIS) {
			axis = n.axis.axis;
		} else if (val_const_int(e, &n, &size) && size >= 1) {
			axis = core_axis_anonymous(e->core, size);
		} else {
			return n.tag == VAL_ERROR
				       ? n
				       : builtin_wrong(c, "the number of places is a constant "
							  "of at least 1, or an axis");
		}
	} else {
		Entry *own = scope_find(e, c->s, SYM(e, "own axis"));
		if (!own) {
			return builtin_wrong(c, "needs the number of places:  linspace(a, b, n)");
		}
		axis = own->val.axis.axis;
	}
	const AxisInfo *info = core_axis_info(e->core, axis);
	Index k = core_index(e->core, axis, SYM(e, "k"));
	Node step = core_sub(e->core, core_index_value(e->core, k),
			     core_int_const(e->core, info->first));
	Node count =
		info->size >= 0 ? core_int_const(e->core, info->size) : core_size(e->core, axis);
	Node last =
		core_real(e->core, core_op2(e->core, OP_imax,
					    core_sub(e->core, count, core_int_const(e->core, 1)),
					    core_int_const(e->core, 1)));
	Node t = core_div(e->core, core_real(e->core, step), last);
	Val r = a;
	if (logarithmic) { /* a (b/a)^t */
		Node ratio = core_op1(e->core, OP_log, core_div(e->core, b.re, a.re));
		r.re = core_mul(e->core, a.re,
				core_op1(e->core, OP_exp, core_mul(e->core, t, ratio)));
	} else {
		r.re = core_add(e->core, a.re, core_mul(e->core, t, core_sub(e->core, b.re, a.re)));
	}
	r.span = c->at;
	r.literal = false;
	r.rank = 1;
	r.ix = arena_array(e->arena, Index, 1);
	r.ix[0] = k;
	return r;
}

Val builtin_linspace(Call *c)
{
	return spaced(c, false);
}
Val builtin_logspace(Call *c)
{
	return spaced(c, true);
}
