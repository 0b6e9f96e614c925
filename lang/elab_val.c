/* elab_val.c — values of elaboration: construction, units, alignment of array axes. SPEC: types,
 * units. */
#include "lang/elab_int.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

Diags *elab_diags(Elab *e)
{
	return e->diags;
}

Val val_error(Span at)
{
	Val v = {.tag = VAL_ERROR, .span = at};
	return v;
}

Val val_num(Elab *e, Span at, Elem elem, UnitId unit, Node re)
{
	(void)e;
	Val v = {.tag = VAL_NUM, .elem = elem, .unit = unit, .span = at, .re = re};
	return v;
}

Val val_complex(Elab *e, Span at, UnitId unit, Node re, Node im)
{
	Val v = val_num(e, at, ELEM_COMPLEX, unit, re);
	v.im = im;
	return v;
}

Val val_string(Span at, Sym s)
{
	Val v = {.tag = VAL_STRING, .string = s, .span = at};
	return v;
}

bool val_is_error(const Val *v)
{
	return v->tag == VAL_ERROR;
}

bool val_scalar(const Val *v)
{
	return v->tag == VAL_NUM && v->rank == 0;
}

AxisRef val_axis(const Elab *e, const Val *v, uint32_t position)
{
	AxisRef a = {core_index_axis(e->core, v->ix[position]), v->rec ? v->rec[position] : 0};
	return a;
}

bool axis_same(const Elab *e, AxisRef a, AxisRef b)
{
	(void)e;
	return a.axis == b.axis && a.record == b.record;
}

const char *axis_name(const Elab *e, AxisRef a)
{
	const AxisInfo *info = core_axis_info(e->core, a.axis);
	if (!info->name) {
		return arena_printf(e->arena, "of %lld elements", (long long)info->size);
	}
	return elab_text(e, info->name);
}

Diag *axis_differs(Elab *e, Span at, AxisRef have, AxisRef want)
{
	Diag *d = diag_axis_mismatch(elab_diags(e), at, axis_name(e, have), axis_name(e, want));
	const AxisInfo *a = core_axis_info(e->core, have.axis),
		       *b = core_axis_info(e->core, want.axis);
	bool literal = (a->flags | b->flags) & AXIS_ANONYMOUS;
	if (have.axis != want.axis && a->length && b->length) {
		diag_remark(d, "they are sized by the records of two data sets");
	} else if (have.axis == want.axis) {
		diag_remark(d, "both are sized by their record, and the records differ");
	} else if (literal && a->size == b->size) {
		Sym name = a->name ? a->name : b->name;
		diag_help(d,
			  "a literal takes a declared axis where its type is written, as in  const "
			  "v : real[%s] = […]  or  fn f(…) -> real[%s] = […]",
			  elab_text(e, name), elab_text(e, name));
	} else if (a->size >= 0 && a->size == b->size) {
		diag_remark(d, "axes of equal size are still different axes");
	}
	return d;
}

Val val_of_def(Elab *e, Span at, Elem elem, UnitId unit, Def re, Def im, uint32_t nctx,
	       const Node *ctx, const Node *rec)
{
	uint32_t n = core_def(e->core, re)->nindex;
	Node *arg = arena_array(e->arena, Node, n + 1);
	Val v = val_num(e, at, elem, unit, 0);
	v.rank = n - nctx;
	v.ix = arena_array(e->arena, Index, v.rank + 1);
	for (uint32_t i = 0; i < n; i++) {
		if (i < nctx) {
			arg[i] = ctx[i];
			continue;
		}
		Index old = core_def(e->core, re)->index[i];
		v.ix[i - nctx] = core_index(e->core, core_index_axis(e->core, old),
					    core_index_name(e->core, old));
		arg[i] = core_index_value(e->core, v.ix[i - nctx]);
	}
	v.re = core_read(e->core, re, arg);
	if (im) {
		v.im = core_read(e->core, im, arg);
	}
	if (rec) {
		v.rec = arena_array(e->arena, Node, v.rank + 1);
		memcpy(v.rec, rec, v.rank * sizeof *rec);
	}
	return v;
}

static Node subst1(Elab *e, Node n, uint32_t count, const Index *from, const Node *to)
{
	return n ? core_subst(e->core, n, count, from, to) : 0;
}

Val val_subst(Elab *e, const Val *v, uint32_t n, const Index *from, const Node *to)
{
	Val r = *v;
	if (n == 0) {
		return r;
	}
	r.re = subst1(e, v->re, n, from, to);
	r.im = subst1(e, v->im, n, from, to);
	r.record = subst1(e, v->record, n, from, to);
	r.axis.record = subst1(e, v->axis.record, n, from, to);
	if (v->rec) {
		r.rec = arena_array(e->arena, Node, v->rank + 1);
		for (uint32_t i = 0; i < v->rank; i++) {
			r.rec[i] = subst1(e, v->rec[i], n, from, to);
		}
	}
	if (v->n) {
		r.item = arena_array(e->arena, Val, v->n);
		for (uint32_t i = 0; i < v->n; i++) {
			r.item[i] = val_subst(e, &v->item[i], n, from, to);
		}
	}
	return r;
}

Val val_align(Elab *e, const Val *v, const Val *like)
{
	assert(v->rank == like->rank);
	Node *to = arena_array(e->arena, Node, v->rank + 1);
	for (uint32_t i = 0; i < v->rank; i++) {
		to[i] = core_index_value(e->core, like->ix[i]);
	}
	Val r = val_subst(e, v, v->rank, v->ix, to);
	r.ix = like->ix;
	r.rec = like->rec;
	return r;
}

static const char *elem_name(Elem elem)
{
	static const char *const name[] = {"real", "complex", "int", "bool", "spin"};
	return name[elem];
}

static const char *num_type(Elab *e, const Val *v)
{
	const char *axes = "", *unit = unit_text(e->units, unit_resolve(e->units, v->unit));
	for (uint32_t i = 0; i < v->rank; i++) {
		AxisRef a = val_axis(e, v, i);
		const AxisInfo *info = core_axis_info(e->core, a.axis);
		const char *name = info->name
					   ? elab_text(e, info->name)
					   : arena_printf(e->arena, "%lld", (long long)info->size);
		axes = arena_printf(e->arena, "%s%s%s", axes, i ? ", " : "[", name);
	}
	return arena_printf(e->arena, "%s%s%s%s%s%s", elem_name(v->elem), axes, v->rank ? "]" : "",
			    *unit ? " '" : "", unit, *unit ? "'" : "");
}

const char *val_type(Elab *e, const Val *v)
{
	switch (v->tag) {
	case VAL_ERROR:
		return "something erroneous";
	case VAL_NUM:
		return num_type(e, v);
	case VAL_STRING:
		return "a string";
	case VAL_TUPLE:
		return arena_printf(e->arena, "a tuple of %u", v->n);
	case VAL_FN:
		return "a function";
	case VAL_RECORD:
		return arena_printf(e->arena, "a record of %s", elab_text(e, v->data->name));
	case VAL_DATA:
		return "a data set";
	case VAL_DOMAIN:
		return "a domain";
	case VAL_AXIS:
		return "an axis";
	case VAL_RANGE:
		return "a range";
	case VAL_DIST:
		return "a distribution";
	}
	return "?";
}

static const char *quoted_unit(Elab *e, UnitId u)
{
	const char *t = unit_text(e->units, unit_resolve(e->units, u));
	return *t ? arena_printf(e->arena, "'%s'", t) : "a pure number";
}

static void scale_by(Elab *e, Val *v, double factor)
{
	if (factor == 1) {
		return;
	}
	if (v->elem == ELEM_INT || v->elem == ELEM_SPIN) {
		v->re = core_real(e->core, v->re);
		v->elem = ELEM_REAL;
		v->of = 0;
	}
	v->re = core_scale(e->core, factor, v->re);
	if (v->im) {
		v->im = core_scale(e->core, factor, v->im);
	}
	for (uint32_t i = 0; i < v->n; i++) {
		scale_by(e, &v->item[i], factor);
	}
}

/* Every zero written bare is an empty amount of any unit; so is [0, 0]. */
static bool is_bare_zero(Elab *e, const Val *v)
{
	double x;
	for (uint32_t i = 0; i < v->n; i++) {
		if (!is_bare_zero(e, &v->item[i])) {
			return false;
		}
	}
	if (v->n) {
		return true;
	}
	return v->literal && v->rank == 0 && core_is_const(e->core, v->re, &x) && x == 0;
}

static bool mixed_units(Elab *e, const Val *v)
{
	if (v->mixed) {
		diag_help(diag_unit_mismatch(elab_diags(e), v->span,
					     "different from element to element", "one unit"),
			  "elements of several units may stand together only directly before "
			  "standardize");
	}
	return v->mixed;
}

bool val_unmixed(Elab *e, const Val *v)
{
	return !mixed_units(e, v);
}

bool val_agree(Elab *e, Span at, Val *a, Val *b)
{
	if (mixed_units(e, a) || mixed_units(e, b)) {
		return false;
	}
	if (is_bare_zero(e, b)) {
		b->unit = a->unit;
		return true;
	}
	if (is_bare_zero(e, a)) {
		a->unit = b->unit;
		return true;
	}
	if (!unit_unify(e->units, a->unit, b->unit)) {
		Diag *d = diag_unit_mismatch(elab_diags(e), at, quoted_unit(e, b->unit),
					     quoted_unit(e, a->unit));
		if (b->span.file && b->span.lo != at.lo) {
			bool pure = !*unit_text(e->units, unit_resolve(e->units, b->unit));
			diag_note(d, b->span, pure ? "this is %s" : "this has the unit %s",
				  quoted_unit(e, b->unit));
		}
		if (b->literal || a->literal) {
			diag_help(
				d,
				"a number with a unit is written  1.5 '%s'; the literal 0 alone "
				"fits every unit",
				unit_text(e->units,
					  unit_resolve(e->units, b->literal ? a->unit : b->unit)));
		}
		return false;
	}
	scale_by(e, b, unit_factor(e->units, b->unit, a->unit));
	b->unit = a->unit;
	return true;
}

bool val_convert(Elab *e, Val *v, UnitId unit)
{
	if (mixed_units(e, v)) {
		return false;
	}
	if (is_bare_zero(e, v)) {
		v->unit = unit;
		return true;
	}
	if (!unit_unify(e->units, v->unit, unit)) {
		Diag *d = diag_unit_mismatch(elab_diags(e), v->span, quoted_unit(e, v->unit),
					     quoted_unit(e, unit));
		if (v->literal) {
			diag_help(d, "write the number with its unit, as in  1.5 '%s'",
				  unit_text(e->units, unit_resolve(e->units, unit)));
		} else if (!unit_resolve(e->units, unit)) {
			diag_help(d, "divide by a reference value such as  1 %s",
				  quoted_unit(e, v->unit));
		}
		return false;
	}
	scale_by(e, v, unit_factor(e->units, v->unit, unit));
	v->unit = unit;
	return true;
}

bool val_pure(Elab *e, Val *v)
{
	return val_convert(e, v, 0);
}

void val_normalise(Elab *e, Val *v)
{
	UnitId u = unit_resolve(e->units, v->unit);
	v->unit = u;
	if (u && !unit_has_variable(e->units, u) && unit_is_number(e->units, u)) {
		scale_by(e, v, unit_factor(e->units, u, 0));
		v->unit = 0;
	}
}

bool val_real(Elab *e, Val *v)
{
	if (v->tag == VAL_ERROR) {
		return false;
	}
	if (v->tag != VAL_NUM || v->elem == ELEM_BOOL || v->elem == ELEM_COMPLEX) {
		Diag *d =
			diag_type_mismatch(elab_diags(e), v->span, val_type(e, v), "a real number");
		if (v->tag == VAL_NUM && v->elem == ELEM_BOOL) {
			diag_help(d, "a truth value becomes a number by  if … then 1 else 0");
		} else if (v->tag == VAL_NUM) {
			diag_help(d, "take a part of it: re(z), im(z) or abs(z)");
		} else if (v->tag == VAL_FN) {
			diag_help(d, "call it with its arguments in brackets");
		}
		return false;
	}
	if (v->elem == ELEM_INT) {
		v->re = core_real(e->core, v->re);
		v->of = 0;
	}
	v->elem = ELEM_REAL;
	for (uint32_t i = 0; i < v->n; i++) {
		val_real(e, &v->item[i]);
	}
	return true;
}

bool val_to_complex(Elab *e, Val *v)
{
	if (v->tag == VAL_NUM && v->elem == ELEM_COMPLEX) {
		return true;
	}
	if (!val_real(e, v)) {
		return false;
	}
	v->elem = ELEM_COMPLEX;
	v->im = core_real_const(e->core, 0);
	return true;
}

static Def share_body(Elab *e, Sym name, Span at, const Val *v, uint32_t n, const Index *ix,
		      Node body, unsigned flags)
{
	core_at(e->core, at);
	Def d = core_share(e->core, name, at, n, ix, body, flags);
	if (v->unit) {
		core_def_mutable(e->core, d)->unit = unit_resolve(e->units, v->unit);
	}
	return d;
}

/* Is the value just a read of a definition at index variables, so that naming it again says
 * nothing? */
static bool is_plain(Elab *e, Node n)
{
	const NodeInfo *i = core_node(e->core, n);
	return i->tag == NODE_CONST || (i->tag == NODE_READ);
}

Val val_name(Elab *e, Scope *s, Sym name, Val v, unsigned flags)
{
	(void)s;
	if (v.tag != VAL_NUM || (v.rank == 0 && v.elem != ELEM_REAL && v.elem != ELEM_COMPLEX)) {
		return v;
	}
	if (is_plain(e, v.re) && (!v.im || is_plain(e, v.im)) && !(flags & DEF_USER)) {
		return v;
	}
	if (core_node(e->core, v.re)->tag == NODE_CONST && v.rank == 0) {
		return v;
	}
	Val r = v;
	Node *part[2] = {&r.re, &r.im};
	for (int k = 0; k < 2; k++) {
		if (!*part[k]) {
			continue;
		}
		const Index *free;
		uint32_t nfree = core_free(e->core, *part[k], &free), n = 0;
		Index *ix = arena_array(e->arena, Index, nfree + v.rank + 1);
		for (uint32_t i = 0; i < nfree; i++) {
			bool own = false;
			for (uint32_t j = 0; j < v.rank; j++) {
				own = own || v.ix[j] == free[i];
			}
			if (!own) {
				ix[n++] = free[i];
			}
		}
		for (uint32_t j = 0; j < v.rank; j++) {
			ix[n++] = v.ix[j];
		}
		Sym dname =
			v.im ? intern_printf(e->names, "%s_%s", elab_text(e, name), k ? "im" : "re")
			     : name;
		Def d = share_body(e, dname, v.span, &v, n, ix, *part[k], flags);
		*part[k] = core_read_plain(e->core, d, ix);
	}
	r.of = 0;
	return r;
}

Def val_to_def(Elab *e, Sym name, const Val *v, Def *imaginary)
{
	if (imaginary) {
		*imaginary =
			v->im ? share_body(e, name, v->span, v, v->rank, v->ix, v->im, DEF_KEEP)
			      : 0;
	}
	return share_body(e, name, v->span, v, v->rank, v->ix, v->re, DEF_KEEP);
}

/* ---- constants
 * ----------------------------------------------------------------------------------------------------
 */
static bool fold_args(Elab *e, Node n, double *x, uint32_t max)
{
	NodeInfo i = *core_node(e->core, n);
	if (i.n > max) {
		return false;
	}
	for (uint32_t k = 0; k < i.n; k++) {
		if (!elab_node_value(e, i.arg[k], &x[k])) {
			return false;
		}
	}
	return true;
}

static bool fold_op(Elab *e, const NodeInfo *i, const double *x, double *out)
{
	(void)e;
	OpValue v[4];
	OpSig sig = op_info((Op)i->op)->sig;
	bool ints = sig == SIG_I_I || sig == SIG_II_I || sig == SIG_II_B || sig == SIG_B_B ||
		    sig == SIG_BB_B || sig == SIG_I_R;
	bool int_result = sig != SIG_R_R && sig != SIG_RR_R && sig != SIG_I_R;
	for (uint32_t k = 0; k < i->n && k < 4; k++) {
		if (ints) {
			v[k].i = (int64_t)x[k];
		} else {
			v[k].r = x[k];
		}
	}
	OpValue r = op_apply((Op)i->op, v);
	*out = int_result ? (double)r.i : r.r;
	return true;
}

/* The piece that gives the value at these places; false if that is not known. */
static bool piece_at(Elab *e, const DefInfo *d, const Node *arg, uint32_t *piece)
{
	for (*piece = 0; *piece < d->npiece; ++*piece) {
		const Range *box = d->piece[*piece].box;
		bool here = true, known = true;
		for (uint32_t p = 0; box && p < d->nindex; p++) {
			double x;
			if (box[p].lo.kind != EDGE_AT) {
				continue; /* the whole axis */
			}
			known = elab_node_value(e, arg[p], &x) && known;
			here = here && known && x == (double)box[p].lo.offset;
		}
		if (here || !known) {
			return here;
		}
	}
	return false;
}

static bool fold_read(Elab *e, const NodeInfo *i, double *out)
{
	const DefInfo *d = core_def(e->core, i->ref);
	if (d->role == DEF_CONST && d->npiece == 1) {
		return elab_node_value(e, d->piece[0].value, out);
	}
	uint32_t piece = 0;
	if (d->role != DEF_VALUE || d->npiece == 0 || !piece_at(e, d, i->arg, &piece)) {
		return false;
	}
	return elab_node_value(e, core_open(e->core, i->ref, piece, i->arg, NULL), out);
}

/* While a function is checked its axis parameters have no size yet: where a place must be known one
 * is assumed, so that h[end(t)+1] = 0 can be read. */
static bool size_value(Elab *e, Axis a, double *out)
{
	const AxisInfo *info = core_axis_info(e->core, a);
	bool open = info->size < 0 && !info->length && !(info->flags & AXIS_SAMPLES);
	*out = (double)(open && e->assume_size ? STAND_IN_SIZE : info->size);
	return *out >= 0;
}

bool elab_node_value(Elab *e, Node n, double *out)
{
	NodeInfo i = *core_node(e->core, n);
	double x[64];
	switch ((NodeTag)i.tag) {
	case NODE_CONST:
		return core_is_const(e->core, n, out);
	case NODE_SIZE:
		return size_value(e, i.ref, out);
	case NODE_READ:
		return fold_read(e, &i, out);
	case NODE_LIN:
		if (!fold_args(e, n, x, 64)) {
			return false;
		}
		*out = i.num;
		for (uint32_t k = 0; k < i.n; k++) {
			*out += i.coef[k] * x[k];
		}
		return true;
	case NODE_PROD: {
		if (!fold_args(e, n, x, 64)) {
			return false;
		}
		double num = 1, den = 1;
		for (uint32_t k = 0; k < i.n; k++) {
			if (i.expo[k] > 0) {
				num *= pow(x[k], i.expo[k]);
			} else {
				den *= pow(x[k], -i.expo[k]);
			}
		}
		*out = num / den;
		return true;
	}
	case NODE_OP:
		return fold_args(e, n, x, 4) && fold_op(e, &i, x, out);
	case NODE_SELECT:
		return elab_node_value(e, i.arg[0], x) &&
		       elab_node_value(e, i.arg[*x != 0 ? 1 : 2], out);
	case NODE_GUARD:
		if (!elab_node_value(e, i.arg[0], x)) {
			return false;
		}
		*out = 0;
		return *x == 0 || elab_node_value(e, i.arg[1], out);
	case NODE_STOP:
		return elab_node_value(e, i.arg[0], out);
	default:
		return false;
	}
}

bool val_const_int(Elab *e, const Val *v, int64_t *out)
{
	double x;
	if (val_scalar(v) && v->elem == ELEM_INT && core_node(e->core, v->re)->tag == NODE_CONST) {
		*out = core_node(e->core, v->re)->integer;
		return true;
	}
	if (!val_scalar(v) || (v->elem != ELEM_INT && v->elem != ELEM_SPIN) ||
	    !elab_node_value(e, v->re, &x) || x != floor(x) || fabs(x) > 9.007199254740992e15) {
		return false;
	}
	*out = (int64_t)x;
	return true;
}
