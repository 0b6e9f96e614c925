/* elab_builtin.c — functions that need more than values: sizes and ends of axes, derivative
 * operators, distributions, joins, standardisation. One table; SPEC: built-in functions. */
#include "lang/elab_int.h"

#include <math.h>
#include <string.h>

typedef struct Call {
	Elab *e;
	Scope *s;
	const Ast *ast; /* the call, or the pipe */
	Span at;
	const char *name;
	uint32_t n;        /* arguments, the piped one included */
	const Ast *arg[8]; /* NULL for the piped value */
	Sym arg_name[8];
	const Val *piped;
} Call;

typedef Val (*BuiltinFn)(Call *c);

static Val value(Call *c, uint32_t i)
{
	if (!c->arg[i]) {
		return c->piped ? *c->piped : val_error(c->at);
	}
	Val v = elab_expr(c->e, c->s, c->arg[i]);
	v.span = c->arg[i]->span;
	return v;
}

static Val wrong(Call *c, const char *why)
{
	diag_wrong_arguments(elab_diags(c->e), c->at, c->name, why);
	return val_error(c->at);
}

static bool real_scalar(Call *c, Val *v)
{
	if (v->tag == VAL_ERROR || !val_real(c->e, v)) {
		return false;
	}
	if (v->rank) {
		diag_type_mismatch(elab_diags(c->e), v->span, val_type(c->e, v), "one number");
		return false;
	}
	return true;
}

/* ---- axes
 * ------------------------------------------------------------------------------------------------------------
 */
static bool axis_argument(Call *c, AxisRef *a)
{
	Val v = c->arg[0] ? elab_callee(c->e, c->s, c->arg[0]) : value(c, 0);
	if (v.tag == VAL_ERROR) {
		return false;
	}
	if (v.tag == VAL_NUM && v.rank == 1) {
		*a = val_axis(c->e, &v, 0);
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

static Val b_size(Call *c)
{
	AxisRef a;
	if (!axis_argument(c, &a)) {
		return val_error(c->at);
	}
	return val_num(c->e, c->at, ELEM_INT, 0, axis_size(c->e, a));
}

static Val b_first(Call *c)
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

static Val b_end(Call *c)
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
static Val map_node(Call *c, Val v, Elem elem, Node re, Node im)
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

static Val b_real(Call *c)
{
	Val v = value(c, 0);
	if (v.tag == VAL_ERROR || !val_real(c->e, &v)) {
		return val_error(c->at);
	}
	v.literal = false;
	return v;
}

static Val b_int(Call *c)
{
	Val v = value(c, 0);
	if (v.tag == VAL_NUM && v.elem == ELEM_INT) {
		return v;
	}
	if (v.tag == VAL_ERROR || !val_real(c->e, &v) || !val_pure(c->e, &v)) {
		return val_error(c->at);
	}
	return map_node(c, v, ELEM_INT, core_op1(c->e->core, OP_int, v.re), 0);
}

static Val b_complex(Call *c)
{
	Val re = value(c, 0),
	    im = c->n > 1 ? value(c, 1)
			  : val_num(c->e, c->at, ELEM_REAL, 0, core_real_const(c->e->core, 0));
	im.literal = c->n < 2 || im.literal;
	if (!real_scalar(c, &re) || !real_scalar(c, &im) || !val_agree(c->e, c->at, &re, &im)) {
		return val_error(c->at);
	}
	return val_complex(c->e, c->at, re.unit, re.re, im.re);
}

static Val part(Call *c, int which)
{
	Val v = value(c, 0);
	if (v.tag == VAL_ERROR || !val_to_complex(c->e, &v)) {
		return val_error(c->at);
	}
	if (which == 2) {
		return map_node(c, v, ELEM_COMPLEX, v.re, core_neg(c->e->core, v.im));
	}
	if (which == 3) {
		v.unit = 0;
		return map_node(c, v, ELEM_REAL, core_op2(c->e->core, OP_atan2, v.im, v.re), 0);
	}
	return map_node(c, v, ELEM_REAL, which ? v.im : v.re, 0);
}

static Val b_re(Call *c)
{
	return part(c, 0);
}
static Val b_im(Call *c)
{
	return part(c, 1);
}
static Val b_conj(Call *c)
{
	return part(c, 2);
}
static Val b_arg(Call *c)
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

static Val b_stop(Call *c)
{
	Val v = value(c, 0);
	if (v.tag != VAL_NUM) {
		if (v.tag != VAL_ERROR) {
			diag_type_mismatch(elab_diags(c->e), v.span, val_type(c->e, &v),
					   "a number");
		}
		return val_error(c->at);
	}
	return map_node(c, v, v.elem, core_stop(c->e->core, v.re),
			v.im ? core_stop(c->e->core, v.im) : 0);
}

static Val b_digits(Call *c)
{
	Val v = value(c, 0), n = value(c, 1);
	int64_t digits;
	if (v.tag == VAL_ERROR || n.tag == VAL_ERROR) {
		return val_error(c->at);
	}
	if (!val_const_int(c->e, &n, &digits) || digits < 1 || digits > 17) {
		return wrong(c, "the number of digits is a constant from 1 to 17");
	}
	v.digits = (unsigned)digits;
	return v;
}

/* path(dir, file): the file in that folder, or nothing when no folder is given. */
static Val b_path(Call *c)
{
	Val dir = value(c, 0), file = value(c, 1);
	if (dir.tag == VAL_ERROR || file.tag == VAL_ERROR) {
		return val_error(c->at);
	}
	if (dir.tag != VAL_STRING || file.tag != VAL_STRING) {
		return wrong(c, "takes two strings: a folder and a file");
	}
	const char *d = elab_text(c->e, dir.string);
	size_t n = strlen(d);
	if (!n) {
		return val_string(c->at, 0);
	}
	return val_string(c->at, intern_printf(c->e->names, "%s%s%s", d, d[n - 1] == '/' ? "" : "/",
					       elab_text(c->e, file.string)));
}

static Val b_bit(Call *c)
{
	Val b = value(c, 0), k = value(c, 1);
	Val v = val_binary(c->e, c->at, SYM(c->e, "shr"), b, k);
	Val one = val_num(c->e, c->at, ELEM_INT, 0, core_int_const(c->e->core, 1));
	return val_binary(c->e, c->at, SYM(c->e, "band"), v, one);
}

/* ---- arrays
 * ---------------------------------------------------------------------------------------------------------------
 */
/* join(a, b, …): one after the other along a structural axis. Scalars count as arrays of one. */
static Val b_join(Call *c)
{
	Elab *e = c->e;
	Val v[8];
	int64_t total = 0, start[8];
	bool complex = false;
	for (uint32_t i = 0; i < c->n; i++) {
		v[i] = value(c, i);
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
			return wrong(c, "the axes must have a size of their own");
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
	if (c->arg[arg]->kind == AST_NAME && is_label(c->e, axis.axis, c->arg[arg]->name, &label)) {
		return core_int_const(c->e->core, label);
	}
	Val v = value(c, arg);
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
static Val b_flip(Call *c)
{
	Val s = value(c, 0);
	if (s.tag == VAL_ERROR) {
		return s;
	}
	if (s.tag != VAL_NUM || s.elem == ELEM_BOOL || s.elem == ELEM_COMPLEX ||
	    s.rank + 1 != c->n) {
		return wrong(c, "takes an array and one index for each of its axes");
	}
	Node here = at_place(c, &s, s.rank);
	if (!here) {
		return val_error(c->at);
	}
	return map_node(c, s, s.elem,
			core_select(c->e->core, here, core_neg(c->e->core, s.re), s.re), 0);
}

/* shift(θ, l, i, d): θ with d added to the entry [l,i]. */
static Val b_shift(Call *c)
{
	Val t = value(c, 0), d = value(c, c->n - 1);
	if (t.tag == VAL_ERROR || d.tag == VAL_ERROR) {
		return val_error(c->at);
	}
	if (t.tag != VAL_NUM || t.rank + 2 != c->n || !val_real(c->e, &t)) {
		return wrong(
			c,
			"takes an array, one index for each of its axes, and what is added there");
	}
	if (!real_scalar(c, &d) || !val_agree(c->e, c->at, &t, &d)) {
		return val_error(c->at);
	}
	Node here = at_place(c, &t, t.rank);
	if (!here) {
		return val_error(c->at);
	}
	return map_node(c, t, ELEM_REAL,
			core_add(c->e->core, t.re, core_guard(c->e->core, here, d.re)), 0);
}

/* linspace(a, b, n), logspace(a, b, n): n places from a to b; without n along the parameter's own
 * axis. */
static Val spaced(Call *c, bool logarithmic)
{
	Elab *e = c->e;
	Val a = value(c, 0), b = value(c, 1);
	if (!real_scalar(c, &a) || !real_scalar(c, &b) || !val_agree(e, c->at, &a, &b)) {
		return val_error(c->at);
	}
	Axis axis;
	if (c->n > 2) {
		Val n = value(c, 2);
		int64_t size;
		if (n.tag == VAL_AXIS) {
			axis = n.axis.axis;
		} else if (val_const_int(e, &n, &size) && size >= 1) {
			axis = core_axis_anonymous(e->core, size);
		} else {
			return n.tag == VAL_ERROR ? n
						  : wrong(c, "the number of places is a constant "
							     "of at least 1, or an axis");
		}
	} else {
		Entry *own = scope_find(e, c->s, SYM(e, "own axis"));
		if (!own) {
			return wrong(c, "needs the number of places:  linspace(a, b, n)");
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

static Val b_linspace(Call *c)
{
	return spaced(c, false);
}
static Val b_logspace(Call *c)
{
	return spaced(c, true);
}

/* ---- derivative operators
 * --------------------------------------------------------------------------------------------------
 */
typedef struct Wrt {
	uint32_t n;
	Val v[8];
} Wrt; /* one array, or several scalars */

static bool operand(Call *c, Val *of, Wrt *wrt)
{
	Elab *e = c->e;
	wrt->n = 0;
	const Ast *by = c->n > 1 ? c->arg[1] : NULL;
	while (by && by->kind == AST_PAREN) {
		by = by->kid[0];
	}
	if (by && by->kind == AST_TUPLE) {
		for (uint32_t i = 0; i < by->nkid && i < 8; i++) {
			wrt->v[wrt->n] = elab_expr(e, c->s, by->kid[i]);
			if (wrt->v[wrt->n++].tag == VAL_ERROR) {
				return false;
			}
		}
	} else if (by) {
		wrt->v[wrt->n++] = value(c, 1);
		if (wrt->v[0].tag == VAL_ERROR) {
			return false;
		}
	}
	Val f = c->arg[0] ? elab_callee(e, c->s, c->arg[0]) : value(c, 0);
	if (f.tag == VAL_ERROR) {
		return false;
	}
	if (f.tag != VAL_FN) {
		*of = f;
		if (!wrt->n) {
			wrong(c, "needs what to differentiate by");
		}
		return wrt->n > 0;
	}
	FnDecl *d = f.fn->kind == FNV_USER ? f.fn->decl : NULL;
	if (!d) {
		wrong(c, "takes an expression or a function of the program");
		return false;
	}
	Val arg[32];
	bool named = d->nformal <= 32;
	for (uint32_t i = 0; i < d->nformal && named; i++) {
		Entry *entry = scope_find(e, c->s, d->formal[i]);
		named = entry && (entry->pending || entry->val.tag == VAL_NUM ||
				  entry->val.tag == VAL_RECORD);
	}
	if (!named && d->nformal == wrt->n) {
		for (uint32_t i = 0; i < wrt->n; i++) {
			arg[i] = wrt->v[i];
		}
	} else if (named) {
		for (uint32_t i = 0; i < d->nformal; i++) {
			arg[i] = scope_value(e, c->s, d->formal[i], c->at);
		}
	} else {
		wrong(c, arena_printf(e->arena,
				      "the arguments of %s are not in scope here; call it, as in  "
				      "%s(%s(x), x)",
				      elab_text(e, d->name), c->name, elab_text(e, d->name)));
		return false;
	}
	if (!wrt->n) { /* all coordinates that are numbers */
		for (uint32_t i = 0; i < d->nformal && wrt->n < 8; i++) {
			if (arg[i].tag == VAL_NUM && arg[i].elem == ELEM_REAL) {
				wrt->v[wrt->n++] = arg[i];
			}
			if (strcmp(c->name, "laplacian") == 0 &&
			    strcmp(elab_text(e, d->formal[i]), "t") == 0) {
				Diag *dg = diag_ambiguous(elab_diags(e), c->at, "laplacian",
							  "is time one of its coordinates?");
				diag_help(dg, "name them:  laplacian(%s, (x, y))",
					  elab_text(e, d->name));
				return false;
			}
		}
	}
	*of = elab_call_value(e, c->s, f.fn, c->at, d->nformal, arg, NULL, c->ast);
	return of->tag != VAL_ERROR;
}

static Val gradient(Call *c, const Val *of, const Wrt *w)
{
	if (w->n == 1) {
		return diff_by(c->e, c->at, of, &w->v[0]);
	}
	Val *item = arena_array(c->e->arena, Val, w->n);
	for (uint32_t i = 0; i < w->n; i++) {
		item[i] = diff_by(c->e, c->at, of, &w->v[i]);
	}
	return elab_array_literal(c->e, c->s, c->at, w->n, item);
}

static Val b_grad(Call *c)
{
	Val of;
	Wrt w;
	if (!operand(c, &of, &w)) {
		return val_error(c->at);
	}
	if (of.tag == VAL_NUM && of.rank) {
		diag_help(diag_type_mismatch(elab_diags(c->e), c->at, val_type(c->e, &of),
					     "one number"),
			  "of an array take  jacobian(f, x)");
		return val_error(c->at);
	}
	return gradient(c, &of, &w);
}

static Val b_jacobian(Call *c)
{
	Val of;
	Wrt w;
	if (!operand(c, &of, &w)) {
		return val_error(c->at);
	}
	if (w.n != 1) {
		return wrong(c, "takes one array to differentiate by");
	}
	return diff_by(c->e, c->at, &of, &w.v[0]);
}

static Val b_hessian(Call *c)
{
	Val of;
	Wrt w;
	if (!operand(c, &of, &w)) {
		return val_error(c->at);
	}
	if (w.n != 1) {
		return wrong(c, "takes one array to differentiate by");
	}
	Val g = diff_by(c->e, c->at, &of, &w.v[0]);
	return diff_by(c->e, c->at, &g, &w.v[0]);
}

/* Σ over the places of an array value's last two axes taken together (trace), as div and laplacian
 * need. */
static Val trace(Call *c, Val m)
{
	Elab *e = c->e;
	if (m.tag == VAL_ERROR) {
		return m;
	}
	Node place = core_index_value(e->core, m.ix[m.rank - 2]);
	Index k = m.ix[m.rank - 2];
	m.re = core_subst(e->core, m.re, 1, &m.ix[m.rank - 1], &place);
	m.re = core_reduce(e->core, RED_SUM, 0, c->at, 1, &k, m.re);
	m.rank -= 2;
	m.span = c->at;
	return m;
}

static Val b_laplacian(Call *c)
{
	Elab *e = c->e;
	Val of;
	Wrt w;
	if (!operand(c, &of, &w)) {
		return val_error(c->at);
	}
	if (of.tag != VAL_NUM || of.rank) {
		diag_type_mismatch(elab_diags(e), c->at, val_type(e, &of), "one number");
		return val_error(c->at);
	}
	if (w.n == 1 && w.v[0].rank == 1) {
		Val g = diff_by(e, c->at, &of, &w.v[0]);
		return trace(c, diff_by(e, c->at, &g, &w.v[0]));
	}
	if (w.n == 1 && w.v[0].rank > 1) { /* over all entries: Σ_{j,a} ∂²/∂R[j,a]² */
		Val g = diff_by(e, c->at, &of, &w.v[0]), h = diff_by(e, c->at, &g, &w.v[0]);
		if (h.tag == VAL_ERROR) {
			return h;
		}
		uint32_t r = w.v[0].rank;
		Node *to = arena_array(e->arena, Node, r);
		for (uint32_t i = 0; i < r; i++) {
			to[i] = core_index_value(e->core, h.ix[i]);
		}
		h.re = core_subst(e->core, h.re, r, h.ix + r, to);
		h.re = core_reduce(e->core, RED_SUM, 0, c->at, r, h.ix, h.re);
		h.rank = 0;
		return h;
	}
	Val total = val_error(c->at);
	for (uint32_t i = 0; i < w.n; i++) {
		Val g = diff_by(e, c->at, &of, &w.v[i]), h = diff_by(e, c->at, &g, &w.v[i]);
		total = i ? val_binary(e, c->at, SYM(e, "+"), total, h) : h;
	}
	return total;
}

static bool components(Call *c, const Val *of, uint32_t n, Val *out)
{
	Elab *e = c->e;
	if (of->tag == VAL_TUPLE && of->n == n) {
		memcpy(out, of->item, n * sizeof *out);
		return true;
	}
	if (of->tag == VAL_NUM && of->rank == 1 &&
	    core_axis_info(e->core, core_index_axis(e->core, of->ix[0]))->size == (int64_t)n) {
		int64_t first = core_axis_info(e->core, core_index_axis(e->core, of->ix[0]))->first;
		for (uint32_t i = 0; i < n; i++) {
			Node at = core_int_const(e->core, first + i);
			out[i] = of->n ? of->item[i] : val_subst(e, of, 1, of->ix, &at);
			out[i].rank = of->n ? out[i].rank : 0;
			out[i].n = 0;
		}
		return true;
	}
	wrong(c, arena_printf(e->arena, "the field needs %u components", n));
	return false;
}

static Val b_div(Call *c)
{
	Elab *e = c->e;
	Val of, part_[8];
	Wrt w;
	if (!operand(c, &of, &w)) {
		return val_error(c->at);
	}
	if (w.n == 1 && w.v[0].rank == 1 && of.tag == VAL_NUM && of.rank == 1) {
		return trace(c, diff_by(e, c->at, &of, &w.v[0]));
	}
	if (!components(c, &of, w.n, part_)) {
		return val_error(c->at);
	}
	Val total = val_error(c->at);
	for (uint32_t i = 0; i < w.n; i++) {
		Val d = diff_by(e, c->at, &part_[i], &w.v[i]);
		total = i ? val_binary(e, c->at, SYM(e, "+"), total, d) : d;
	}
	return total;
}

static Val b_curl(Call *c)
{
	Elab *e = c->e;
	Val of, f[8];
	Wrt w;
	if (!operand(c, &of, &w)) {
		return val_error(c->at);
	}
	if (w.n == 1 && w.v[0].rank == 1) { /* an array of coordinates: its three components */
		Val array = w.v[0];
		if (!components(c, &array, 3, w.v)) {
			return val_error(c->at);
		}
		w.n = 3;
	}
	if ((w.n != 3 && w.n != 2) || !components(c, &of, w.n, f)) {
		return w.n == 3 || w.n == 2 ? val_error(c->at)
					    : wrong(c, "needs two or three coordinates");
	}
	Sym minus = SYM(e, "-");
	Val item[3];
	for (uint32_t k = 0; k < 3; k++) {
		uint32_t i = w.n == 2 ? 0 : (k + 1) % 3, j = w.n == 2 ? 1 : (k + 2) % 3;
		Val a = diff_by(e, c->at, &f[j], &w.v[i]), b = diff_by(e, c->at, &f[i], &w.v[j]);
		item[k] = val_binary(e, c->at, minus, a, b);
		if (w.n == 2) {
			return item[0];
		}
	}
	return elab_array_literal(e, c->s, c->at, 3,
				  arena_copy(e->arena, item, sizeof item, _Alignof(Val)));
}

/* ---- distributions
 * -------------------------------------------------------------------------------------------------------------
 */
static Val dist(Call *c)
{
	DistVal d = {.name = SYM(c->e, c->name), .n = c->n, .span = c->at};
	d.arg = arena_array(c->e->arena, Val, c->n + 1);
	for (uint32_t i = 0; i < c->n; i++) {
		d.arg[i] = c->arg[i] ? elab_callee(c->e, c->s, c->arg[i]) : value(c, i);
		if (d.arg[i].tag == VAL_ERROR) {
			return d.arg[i];
		}
	}
	Val v = {.tag = VAL_DIST, .span = c->at};
	v.dist = arena_copy(c->e->arena, &d, sizeof d, _Alignof(DistVal));
	return v;
}

/* glorot and the like: the deviation from fan_in and fan_out of the parameter at hand. */
static Val initialiser(Call *c)
{
	Elab *e = c->e;
	Entry *in = scope_find(e, c->s, SYM(e, "fan_in")),
	      *out = scope_find(e, c->s, SYM(e, "fan_out"));
	if (!in || !out) {
		return wrong(c, "is a first value of parameters:  param W : real[h, k] ~ glorot");
	}
	Core *k = e->core;
	Node fan_in = core_real(k, in->val.re),
	     both = core_add(k, fan_in, core_real(k, out->val.re));
	bool uniform = strcmp(c->name, "glorot_uniform") == 0,
	     glorot = uniform || strcmp(c->name, "glorot") == 0;
	double factor = strcmp(c->name, "lecun") == 0 ? 1 : uniform ? 6 : 2;
	Node sd = core_op1(k, OP_sqrt,
			   core_div(k, core_real_const(k, factor), glorot ? both : fan_in));
	DistVal d = {.name = SYM(e, uniform ? "uniform" : "normal"), .n = 2, .span = c->at};
	d.arg = arena_array(e->arena, Val, 2);
	d.arg[0] =
		val_num(e, c->at, ELEM_REAL, 0, uniform ? core_neg(k, sd) : core_real_const(k, 0));
	d.arg[1] = val_num(e, c->at, ELEM_REAL, 0, sd);
	Val v = {.tag = VAL_DIST, .span = c->at};
	v.dist = arena_copy(e->arena, &d, sizeof d, _Alignof(DistVal));
	return v;
}

/* A draw with the context as its address. Axis arguments make arrays: normal(z) is one standard
 * normal for each z. */
Val elab_draw(Elab *e, Scope *s, const Val *v, Span at, uint32_t nix, const Index *ix,
	      bool each_step)
{
	(void)ix;
	(void)nix;
	if (v->tag == VAL_ERROR) {
		return val_error(at);
	}
	if (v->tag != VAL_DIST) {
		diag_help(diag_type_mismatch(elab_diags(e), at, val_type(e, v), "a distribution"),
			  "after ~ stands normal(mean, sd), uniform(a, b), …");
		return val_error(at);
	}
	const DistVal *d = v->dist;
	Core *k = e->core;
	const char *name = elab_text(e, d->name);
	Index *ctx;
	uint32_t nctx = scope_context(e, s, &ctx);
	Val arg[4];
	uint32_t n = 0, rank = 0;
	Index *own = arena_array(e->arena, Index, d->n + 1);
	for (uint32_t i = 0; i < d->n; i++) {
		if (d->arg[i].tag == VAL_AXIS) {
			own[rank++] = core_index(k, d->arg[i].axis.axis, 0);
		} else if (n < 4) {
			arg[n++] = d->arg[i];
		}
	}
	Node *address = arena_array(e->arena, Node, nctx + rank + 1);
	uint32_t na = 0;
	for (uint32_t i = 0; i < nctx; i++) {
		address[na++] = core_index_value(k, ctx[i]);
	}
	for (uint32_t i = 0; i < rank; i++) {
		address[na++] = core_index_value(k, own[i]);
	}
	bool normal = strcmp(name, "normal") == 0, exponential = strcmp(name, "exponential") == 0,
	     bernoulli = strcmp(name, "bernoulli") == 0;
	bool loguniform = strcmp(name, "loguniform") == 0, randint = strcmp(name, "randint") == 0,
	     spin = strcmp(name, "randspin") == 0;
	uint32_t want = exponential || bernoulli ? 1 : spin ? 0 : 2;
	if (n != want && !(n == 0 && (normal || strcmp(name, "uniform") == 0 || exponential))) {
		diag_wrong_arguments(elab_diags(e), d->span, name,
				     arena_printf(e->arena, "takes %u numbers, not %u", want, n));
		return val_error(at);
	}
	for (uint32_t i = 0; i < n; i++) {
		if (arg[i].tag == VAL_ERROR ||
		    (!(randint && arg[i].elem == ELEM_INT) && !val_real(e, &arg[i]))) {
			return val_error(at);
		}
		if (arg[i].rank) {
			diag_type_mismatch(elab_diags(e), arg[i].span, val_type(e, &arg[i]),
					   "one number or an axis");
			return val_error(at);
		}
	}
	if (n == 2 && !randint && !val_agree(e, at, &arg[1], &arg[0])) {
		return val_error(at);
	}
	core_at(k, at);
	Node raw = core_random(k, normal ? RANDOM_NORMAL : RANDOM_UNIFORM,
			       e->stream ? e->stream : ++e->streams,
			       each_step ? RANDOM_EACH_STEP : 0, na, address);
	Val r = val_num(e, at, ELEM_REAL, n ? arg[n - 1].unit : 0, raw);
	if (normal && n == 2) {
		r.re = core_add(k, arg[0].re, core_mul(k, arg[1].re, raw));
	} else if (loguniform) {
		Node ratio = core_op1(k, OP_log, core_div(k, arg[1].re, arg[0].re));
		r.re = core_mul(k, arg[0].re, core_op1(k, OP_exp, core_mul(k, raw, ratio)));
	} else if (randint) { /* a … b, both included */
		if (arg[0].elem != ELEM_INT || arg[1].elem != ELEM_INT) {
			diag_type_mismatch(elab_diags(e), at, "a real", "two integers");
			return val_error(at);
		}
		Node span = core_add(k, core_sub(k, arg[1].re, arg[0].re), core_int_const(k, 1));
		r.elem = ELEM_INT;
		r.unit = 0;
		r.re = core_add(k, arg[0].re,
				core_op1(k, OP_int, core_mul(k, raw, core_real(k, span))));
	} else if (exponential) {
		Node e1 = core_neg(k, core_op1(k, OP_log, raw));
		r.re = n ? core_mul(k, arg[0].re, e1) : e1;
	} else if (bernoulli) {
		if (!val_pure(e, &arg[0])) {
			return val_error(at);
		}
		r.elem = ELEM_BOOL;
		r.unit = 0;
		r.re = core_op2(k, OP_lt, raw, arg[0].re);
	} else if (spin) {
		r.elem = ELEM_SPIN;
		r.re = core_select(k, core_op2(k, OP_lt, raw, core_real_const(k, 0.5)),
				   core_real_const(k, -1), core_real_const(k, 1));
	} else if (n == 2) {
		r.re = core_add(k, arg[0].re, core_mul(k, core_sub(k, arg[1].re, arg[0].re), raw));
	}
	r.rank = rank;
	r.ix = own;
	return r;
}

/* ---- standardising by a part of the data
 * -------------------------------------------------------------------------------------------- */
/* The names in an expression that stand for records of the data's family. */
static void record_names(Elab *e, Scope *s, const Ast *ast, const DataInfo *data, Sym *name,
			 uint32_t *n)
{
	if (!ast) {
		return;
	}
	if (ast->kind == AST_NAME) {
		Entry *entry = scope_find(e, s, ast->name);
		if (entry && !entry->pending && entry->val.tag == VAL_RECORD &&
		    data_family(entry->val.data, data)) {
			for (uint32_t i = 0; i < *n; i++) {
				if (name[i] == ast->name) {
					return;
				}
			}
			if (*n < 16) {
				name[(*n)++] = ast->name;
			}
		}
	}
	for (uint32_t i = 0; i < ast->nkid; i++) {
		record_names(e, s, ast->kid[i], data, name, n);
	}
}

static Val column_moment(Elab *e, Span at, const Val *v, Index over, const Val *mean)
{
	Val r = *v;
	Node count = core_real(e->core, core_size(e->core, core_index_axis(e->core, over)));
	Node body = mean ? core_powi(e->core, core_sub(e->core, v->re, mean->re), 2) : v->re;
	r.re = core_div(e->core, core_reduce(e->core, RED_SUM, 0, at, 1, &over, body), count);
	if (mean) {
		r.re = core_op1(e->core, OP_sqrt, r.re);
	}
	r.n = 0;
	return r;
}

/* value |> standardize(part): (x - mean over part)/(deviation over part), element by element; a
 * constant column keeps its deviation of 0 and is only centred. */
static Val b_standardize(Call *c)
{
	Elab *e = c->e;
	const Ast *pipe = c->ast;
	const Ast *text = pipe->kind == AST_PIPE ? pipe->kid[0] : c->n ? c->arg[0] : NULL;
	const Ast *set = pipe->kind == AST_PIPE
				 ? (pipe->kid[1]->nkid == 2 ? pipe->kid[1]->kid[1] : NULL)
			 : c->n == 2 ? c->arg[1]
				     : NULL;
	if (!text || !set) {
		return wrong(c, "is written  value |> standardize(data)");
	}
	Val data = elab_callee(e, c->s, set);
	if (data.tag == VAL_ERROR) {
		return data;
	}
	if (data.tag != VAL_DATA) {
		diag_type_mismatch(elab_diags(e), set->span, val_type(e, &data), "a data set");
		return val_error(c->at);
	}
	Sym name[16];
	uint32_t n = 0;
	record_names(e, c->s, text, data.data, name, &n);
	if (!n) {
		return wrong(c,
			     arena_printf(e->arena, "the value does not come from a record of %s",
					  elab_text(e, data.data->name)));
	}
	Val x = elab_expr(e, c->s, text);
	Scope *in = scope_new(e, c->s, NULL);
	Index over = core_index(e->core, data.data->records, 0);
	in->ctx = &over;
	in->nctx = 1;
	for (uint32_t i = 0; i < n; i++) {
		Val row = {.tag = VAL_RECORD,
			   .span = set->span,
			   .data = data.data,
			   .record = core_index_value(e->core, over)};
		scope_put(e, in, name[i], set->span, row);
	}
	Val all = elab_expr(e, in, text);
	if (x.tag == VAL_ERROR || all.tag == VAL_ERROR) {
		return val_error(c->at);
	}
	x.mixed = all.mixed = false;
	for (uint32_t i = 0; i < x.n; i++) {
		x.item[i].unit = 0;
	}
	x.unit = all.unit = 0;
	if (x.tag != VAL_NUM || !val_real(e, &x) || !val_real(e, &all) || x.rank != all.rank) {
		return x.tag == VAL_NUM ? val_error(c->at) : wrong(c, "takes numbers");
	}
	all = val_align(e, &all, &x);
	Val mean = val_name(e, c->s, SYM(e, "mean"), column_moment(e, c->at, &all, over, NULL), 0);
	Val sd = val_name(e, c->s, SYM(e, "deviation"), column_moment(e, c->at, &all, over, &mean),
			  0);
	Core *k = e->core;
	Node zero = core_real_const(k, 0), one = core_real_const(k, 1);
	Node safe = core_select(k, core_op2(k, OP_lt, zero, sd.re), sd.re, one);
	x.re = core_div(k, core_sub(k, x.re, mean.re), safe);
	x.n = 0;
	x.span = c->at;
	return val_name(e, c->s, SYM(e, "standard"), x, 0);
}

/* y |> unstandardize(train.y): back to the mean, deviation and unit of a column. */
static Val b_unstandardize(Call *c)
{
	Elab *e = c->e;
	if (c->n != 2) {
		return wrong(c, "is written  value |> unstandardize(data.field)");
	}
	Val y = value(c, 0), column = value(c, 1);
	if (y.tag == VAL_ERROR || column.tag == VAL_ERROR) {
		return val_error(c->at);
	}
	if (column.tag != VAL_NUM || !column.rank || !val_real(e, &column) || !val_real(e, &y) ||
	    !val_pure(e, &y) || column.rank - 1 != y.rank) {
		return wrong(c, "needs a value and a column of the same shape, as in  "
				"unstandardize(train.y)");
	}
	Index over = column.ix[0];
	Val one = column;
	one.ix = column.ix + 1;
	one.rank--;
	one.rec = column.rec ? column.rec + 1 : NULL;
	one = y.rank ? val_align(e, &one, &y) : one;
	Val mean = val_name(e, c->s, SYM(e, "mean"), column_moment(e, c->at, &one, over, NULL), 0);
	Val sd = val_name(e, c->s, SYM(e, "deviation"), column_moment(e, c->at, &one, over, &mean),
			  0);
	y.re = core_add(e->core, mean.re, core_mul(e->core, sd.re, y.re));
	y.unit = column.unit;
	y.span = c->at;
	y.n = 0;
	return y;
}

static Val misplaced(Call *c)
{
	Diag *d = diag_bad_statement_place(elab_diags(c->e), c->at, c->name, "here");
	if (strcmp(c->name, "params") == 0) {
		diag_help(d, "write  sum[p in params(f)] p^2,  or  minimize L over params(f)");
	} else if (strcmp(c->name, "pairs") == 0) {
		diag_help(d, "write  sum[(i,j) in pairs(axis)] …");
	} else {
		diag_help(d, "write  points P = %s(D, n = 1000)", c->name);
	}
	return val_error(c->at);
}

/* ---- the table
 * ------------------------------------------------------------------------------------------------------------------------
 */
static const struct {
	const char *name;
	unsigned least, most;
	BuiltinFn fn;
} rows[] = {
	{"size", 1, 1, b_size},
	{"first", 1, 1, b_first},
	{"end", 1, 1, b_end},
	{"last", 1, 1, b_end},
	{"real", 1, 1, b_real},
	{"int", 1, 1, b_int},
	{"complex", 1, 2, b_complex},
	{"re", 1, 1, b_re},
	{"im", 1, 1, b_im},
	{"conj", 1, 1, b_conj},
	{"arg", 1, 1, b_arg},
	{"stop", 1, 1, b_stop},
	{"digits", 2, 2, b_digits},
	{"bit", 2, 2, b_bit},
	{"path", 2, 2, b_path},
	{"join", 1, 8, b_join},
	{"flip", 2, 8, b_flip},
	{"shift", 3, 8, b_shift},
	{"linspace", 2, 3, b_linspace},
	{"logspace", 2, 3, b_logspace},
	{"grad", 1, 2, b_grad},
	{"jacobian", 2, 2, b_jacobian},
	{"hessian", 1, 2, b_hessian},
	{"laplacian", 1, 2, b_laplacian},
	{"div", 2, 2, b_div},
	{"curl", 1, 2, b_curl},
	{"normal", 0, 4, dist},
	{"uniform", 0, 4, dist},
	{"loguniform", 2, 4, dist},
	{"exponential", 0, 4, dist},
	{"bernoulli", 1, 4, dist},
	{"randint", 2, 4, dist},
	{"randspin", 0, 4, dist},
	{"glorot", 0, 0, initialiser},
	{"glorot_uniform", 0, 0, initialiser},
	{"he", 0, 0, initialiser},
	{"lecun", 0, 0, initialiser},
	{"standardize", 1, 2, b_standardize},
	{"unstandardize", 1, 2, b_unstandardize},
	{"params", 0, 8, misplaced},
	{"pairs", 0, 8, misplaced},
	{"sobol", 0, 8, misplaced},
	{"halton", 0, 8, misplaced},
	{"hammersley", 0, 8, misplaced},
	{"latin", 0, 8, misplaced},
	{"grid", 0, 8, misplaced},
};

bool builtin_find(Elab *e, Sym name, uint32_t *row)
{
	const char *text = elab_text(e, name);
	for (uint32_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (strcmp(rows[i].name, text) == 0) {
			*row = i;
			return true;
		}
	}
	return false;
}

const char *builtin_name(uint32_t row)
{
	return row < sizeof rows / sizeof *rows ? rows[row].name : NULL;
}

/* ast is the call, the pipe it stands in, or the bare name of a distribution. */
Val elab_builtin(Elab *e, Scope *s, uint32_t row, const Ast *ast, const Val *piped)
{
	Call c = {.e = e,
		  .s = s,
		  .ast = ast,
		  .at = ast->span,
		  .name = rows[row].name,
		  .piped = piped};
	const Ast *call = ast->kind == AST_PIPE ? ast->kid[1] : ast;
	while (call->kind == AST_PAREN) {
		call = call->kid[0];
	}
	uint32_t first = piped ? 1 : 0, given = call->kind == AST_CALL ? call->nkid - 1 : 0;
	c.n = first + given;
	bool pipe_text = ast->kind == AST_PIPE && rows[row].fn == b_standardize;
	if (c.n > rows[row].most || (c.n < rows[row].least && !pipe_text)) {
		return wrong(&c,
			     rows[row].least == rows[row].most
				     ? arena_printf(e->arena, "takes %u argument%s, not %u",
						    rows[row].least,
						    rows[row].least == 1 ? "" : "s", c.n)
				     : arena_printf(e->arena, "takes %u to %u arguments, not %u",
						    rows[row].least, rows[row].most, c.n));
	}
	for (uint32_t i = 0; i < given; i++) {
		const Ast *a = call->kid[i + 1];
		if (a->kind == AST_NAMEDARG) {
			c.arg_name[first + i] = a->name;
			a = a->kid[0];
		}
		c.arg[first + i] = a;
	}
	core_at(e->core, c.at);
	return rows[row].fn(&c);
}
