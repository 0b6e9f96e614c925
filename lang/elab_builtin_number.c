/* elab_builtin_number.c — sizes and ends of axes, conversions, complex numbers, bits, texts. */
#include "lang/elab_builtin.h"

#include <string.h>

/* ---- axes
 * ------------------------------------------------------------------------------------------------------------
 */
static bool axis_argument(Call *c, AxisRef *a)
{
	Val v = c->arg[0] ? elab_callee(c->e, c->s, c->arg[0]) : builtin_value(c, 0);
	if (v.tag == VAL_ERROR) {
		return false;
	}
	if (v.tag == VAL_NUM && v.rank == 1) {
		*a = val_axis(c->e, &v, 0);
		return true;
	}
	if (v.tag == VAL_NUM && v.rank == 0 && v.of) { /* an index hides the axis that it is called as */
		*a = (AxisRef){v.of, 0};
		return true;
	}
	if (v.tag == VAL_DATA) {
		*a = (AxisRef){v.data->records, 0};
		return true;
	}
	if (v.tag == VAL_AXIS) {
		*a = v.axis;
		return true;
	}
	diag_type_mismatch(elab_diags(c->e), v.span, val_type(c->e, &v), "an axis");
	return false;
}

/* Number of places, of the record at hand for axes sized by record. */
static Node axis_size(Elab *e, AxisRef a)
{
	const AxisInfo *info = core_axis_info(e->core, a.axis);
	if (info->length && a.record) {
		return core_read(e->core, info->length, &a.record);
	}
	return info->size >= 0 ? core_int_const(e->core, info->size) : core_size(e->core, a.axis);
}

Val builtin_size(Call *c)
{
	AxisRef a;
	if (!axis_argument(c, &a)) {
		return val_error(c->at);
	}
	return val_num(c->e, c->at, ELEM_INT, 0, axis_size(c->e, a));
}

Val builtin_first(Call *c)
{
	AxisRef a;
	if (!axis_argument(c, &a)) {
		return val_error(c->at);
	}
	Val v = val_num(c->e, c->at, ELEM_INT, 0,
			core_int_const(c->e->core, core_axis_info(c->e->core, a.axis)->first));
	v.of = a.axis;
	return v;
}

Val builtin_end(Call *c)
{
	AxisRef a;
	if (!axis_argument(c, &a)) {
		return val_error(c->at);
	}
	int64_t first = core_axis_info(c->e->core, a.axis)->first;
	Val v = val_num(
		c->e, c->at, ELEM_INT, 0,
		core_add(c->e->core, axis_size(c->e, a), core_int_const(c->e->core, first - 1)));
	v.of = a.axis;
	return v;
}

/* ---- numbers
 * -----------------------------------------------------------------------------------------------------------
 */
Val builtin_map(Call *c, Val v, Elem elem, Node re, Node im)
{
	v.span = c->at;
	v.elem = elem;
	v.re = re;
	v.im = im;
	v.n = 0;
	v.of = 0;
	v.literal = false;
	return v;
}

Val builtin_real(Call *c)
{
	Val v = builtin_value(c, 0);
	if (v.tag == VAL_ERROR || !val_real(c->e, &v)) {
		return val_error(c->at);
	}
	v.literal = false;
	return v;
}

Val builtin_int(Call *c)
{
	Val v = builtin_value(c, 0);
	if (v.tag == VAL_NUM && v.elem == ELEM_INT) {
		v.of = 0; /* the label value of an index, which is a place on no axis */
		return v;
	}
	if (v.tag == VAL_ERROR || !val_real(c->e, &v) || !val_pure(c->e, &v)) {
		return val_error(c->at);
	}
	return builtin_map(c, v, ELEM_INT, core_op1(c->e->core, OP_int, v.re), 0);
}

Val builtin_complex(Call *c)
{
	Val re = builtin_value(c, 0),
	    im = c->n > 1 ? builtin_value(c, 1)
			  : val_num(c->e, c->at, ELEM_REAL, 0, core_real_const(c->e->core, 0));
	im.literal = c->n < 2 || im.literal;
	if (!builtin_is_real(c, &re) || !builtin_is_real(c, &im) ||
	    !val_agree(c->e, c->at, &re, &im)) {
		return val_error(c->at);
	}
	return val_complex(c->e, c->at, re.unit, re.re, im.re);
}

static Val part(Call *c, int which)
{
	Val v = builtin_value(c, 0);
	if (v.tag == VAL_ERROR || !val_to_complex(c->e, &v)) {
		return val_error(c->at);
	}
	if (which == 2) {
		return builtin_map(c, v, ELEM_COMPLEX, v.re, core_neg(c->e->core, v.im));
	}
	if (which == 3) {
		v.unit = 0;
		return builtin_map(c, v, ELEM_REAL, core_op2(c->e->core, OP_atan2, v.im, v.re), 0);
	}
	return builtin_map(c, v, ELEM_REAL, which ? v.im : v.re, 0);
}

Val builtin_re(Call *c)
{
	return part(c, 0);
}
Val builtin_im(Call *c)
{
	return part(c, 1);
}
Val builtin_conj(Call *c)
{
	return part(c, 2);
}
Val builtin_arg(Call *c)
{
	return part(c, 3);
}

Val complex_op(Elab *e, Span at, Op op, Val z)
{
	Core *k = e->core;
	Val r = z;
	r.span = at;
	r.n = 0;
	r.literal = false;
	Node norm2 = core_add(k, core_mul(k, z.re, z.re), core_mul(k, z.im, z.im));
	if (op == OP_abs) {
		r.elem = ELEM_REAL;
		r.re = core_op1(k, OP_sqrt, norm2);
		r.im = 0;
		return r;
	}
	if (op != OP_exp && op != OP_log && op != OP_sqrt && op != OP_sin && op != OP_cos) {
		Diag *d = diag_type_mismatch(elab_diags(e), z.span, "complex", "a real number");
		diag_help(d, "of complex numbers there are exp, log, sqrt, sin, cos, abs, arg, "
			     "conj, re and im");
		return val_error(at);
	}
	if (op != OP_sqrt && !val_pure(e, &r)) {
		return val_error(at);
	}
	Node a = r.re, b = r.im;
	if (op == OP_exp) { /* e^a (cos b + i sin b) */
		Node m = core_op1(k, OP_exp, a);
		r.re = core_mul(k, m, core_op1(k, OP_cos, b));
		r.im = core_mul(k, m, core_op1(k, OP_sin, b));
	} else if (op == OP_log) {
		r.re = core_scale(k, 0.5, core_op1(k, OP_log, norm2));
		r.im = core_op2(k, OP_atan2, b, a);
	} else if (op == OP_sqrt) { /* principal root, by modulus and angle */
		Node m = core_op1(k, OP_sqrt, core_op1(k, OP_sqrt, norm2)),
		     half = core_scale(k, 0.5, core_op2(k, OP_atan2, b, a));
		r.re = core_mul(k, m, core_op1(k, OP_cos, half));
		r.im = core_mul(k, m, core_op1(k, OP_sin, half));
		r.unit = unit_pow(e->units, z.unit, 1, 2);
	} else { /* sin(a+ib) = sin a cosh b + i cos a sinh b; cos(a+ib) = cos a cosh b - i sin a
		    sinh b */
		Node sa = core_op1(k, OP_sin, a), ca = core_op1(k, OP_cos, a),
		     ch = core_op1(k, OP_cosh, b), sh = core_op1(k, OP_sinh, b);
		r.re = core_mul(k, op == OP_sin ? sa : ca, ch);
		r.im = op == OP_sin ? core_mul(k, ca, sh) : core_neg(k, core_mul(k, sa, sh));
	}
	return r;
}

Val builtin_stop(Call *c)
{
	Val v = builtin_value(c, 0);
	if (v.tag != VAL_NUM) {
		if (v.tag != VAL_ERROR) {
			diag_type_mismatch(elab_diags(c->e), v.span, val_type(c->e, &v),
					   "a number");
		}
		return val_error(c->at);
	}
	return builtin_map(c, v, v.elem, core_stop(c->e->core, v.re),
			   v.im ? core_stop(c->e->core, v.im) : 0);
}

Val builtin_digits(Call *c)
{
	Val v = builtin_value(c, 0), n = builtin_value(c, 1);
	int64_t digits;
	if (v.tag == VAL_ERROR || n.tag == VAL_ERROR) {
		return val_error(c->at);
	}
	if (!val_const_int(c->e, &n, &digits) || digits < 1 || digits > 17) {
		return builtin_wrong(c, "the number of digits is a constant from 1 to 17");
	}
	v.digits = (unsigned)digits;
	return v;
}

/* path(dir, file): the file in that folder, or nothing when no folder is given. */
Val builtin_path(Call *c)
{
	Val dir = builtin_value(c, 0), file = builtin_value(c, 1);
	if (dir.tag == VAL_ERROR || file.tag == VAL_ERROR) {
		return val_error(c->at);
	}
	if (dir.tag != VAL_STRING || file.tag != VAL_STRING) {
		return builtin_wrong(c, "takes two strings: a folder and a file");
	}
	const char *d = elab_text(c->e, dir.string);
	size_t n = strlen(d);
	if (!n) {
		return val_string(c->at, 0);
	}
	return val_string(c->at, intern_printf(c->e->names, "%s%s%s", d, d[n - 1] == '/' ? "" : "/",
					       elab_text(c->e, file.string)));
}

Val builtin_bit(Call *c)
{
	Val b = builtin_value(c, 0), k = builtin_value(c, 1);
	Val v = val_binary(c->e, c->at, SYM(c->e, "shr"), b, k);
	Val one = val_num(c->e, c->at, ELEM_INT, 0, core_int_const(c->e->core, 1));
	return val_binary(c->e, c->at, SYM(c->e, "band"), v, one);
}
