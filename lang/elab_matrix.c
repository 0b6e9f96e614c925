/* elab_matrix.c — linear algebra and ordering of whole arrays as built-in functions: each becomes
 * an operation of the core (lang/matrix.h) on its argument, over the axes of the argument. SPEC.md,
 * matrices and ordering. */
#include "lang/elab_builtin.h"
#include "lang/matrix.h"

/* ---- arguments ---- */

static int64_t size_of(const Call *c, const Val *v, uint32_t k)
{
	return core_axis_info(c->e->core, core_index_axis(c->e->core, v->ix[k]))->size;
}

/* Argument i as a real array with `rank` axes of fixed size; false after a diagnostic. */
static bool array_argument(Call *c, uint32_t i, uint32_t least, uint32_t most, Val *v)
{
	Elab *e = c->e;
	*v = builtin_value(c, i);
	if (v->tag == VAL_ERROR) {
		return false;
	}
	if (v->tag != VAL_NUM || v->rank < least || v->rank > most || v->elem == ELEM_BOOL ||
	    v->elem == ELEM_COMPLEX) {
		Diag *d = diag_type_mismatch(elab_diags(e), v->span, val_type(e, v),
					     most == 1    ? "a real array with one axis"
					     : least == 2 ? "a real array with two axes"
							  : "a real array with one or two axes");
		if (v->tag == VAL_NUM && v->rank > most) {
			diag_help(d, "for each place of an axis:  [s -> %s(a[s])]", c->name);
		}
		return false;
	}
	if (!val_unmixed(e, v) || !val_real(e, v)) {
		return false;
	}
	for (uint32_t k = 0; k < v->rank; k++) {
		if (core_axis_info(e->core, core_index_axis(e->core, v->ix[k]))->length) {
			builtin_wrong(c, "takes arrays over axes of one size, not over axes sized "
					 "by record");
			return false;
		}
	}
	return true;
}

static bool matrix_argument(Call *c, uint32_t i, Val *v)
{
	return array_argument(c, i, 2, 2, v);
}

/* As many rows as columns, as far as their numbers are known before the run. */
static bool is_square(Call *c, const Val *v)
{
	int64_t m = size_of(c, v, 0), n = size_of(c, v, 1);
	if (m >= 0 && n >= 0 && m != n) {
		builtin_wrong(c,
			      arena_printf(c->e->arena,
					   "takes a square matrix, not one of %lld rows and %lld "
					   "columns",
					   (long long)m, (long long)n));
		return false;
	}
	return true;
}

/* Rows and columns over one axis: what maps a space to itself. */
static bool square_argument(Call *c, Val *v)
{
	if (!matrix_argument(c, 0, v) || !is_square(c, v)) {
		return false;
	}
	AxisRef rows = val_axis(c->e, v, 0), columns = val_axis(c->e, v, 1);
	if (!axis_same(c->e, rows, columns)) {
		diag_help(axis_differs(c->e, v->span, columns, rows),
			  "%s takes a matrix with the same axis twice", c->name);
		return false;
	}
	return true;
}

/* ---- results ---- */

/* One result, over copies of the given index variables. */
static Val result(Call *c, RedKind red, const Val *a, uint32_t n, const Index *like, UnitId unit)
{
	Core *core = c->e->core;
	Val r = val_num(c->e, c->at, matrix_op(red)->integer ? ELEM_INT : ELEM_REAL, unit, 0);
	r.rank = n;
	r.ix = arena_array(c->e->arena, Index, n + 1);
	for (uint32_t k = 0; k < n; k++) {
		r.ix[k] = core_index(core, core_index_axis(core, like[k]),
				     core_index_name(core, like[k]));
	}
	r.re = core_matrix(core, red, 0, c->at, a->ix, r.ix, a->re);
	return r;
}

/* A result with the axes p and q of the argument; q beyond them: with p alone. */
static Val result_over(Call *c, RedKind red, const Val *a, uint32_t p, uint32_t q, UnitId unit)
{
	Index like[2] = {a->ix[p], a->ix[q < a->rank ? q : p]};
	return result(c, red, a, matrix_op(red)->nresult, like, unit);
}

/* Several results: taken apart by let, or read as fields. */
static Val record(Call *c, uint32_t n, const char *const *name, const Val *item)
{
	Val t = {.tag = VAL_TUPLE, .span = c->at, .n = n};
	t.item = arena_copy(c->e->arena, item, n * sizeof *item, alignof(Val));
	t.item_name = arena_array(c->e->arena, Sym, n);
	for (uint32_t k = 0; k < n; k++) {
		t.item_name[k] = SYM(c->e, name[k]);
	}
	return t;
}

/* ---- eigenvalues, factors ---- */

Val builtin_eigh(Call *c)
{
	Val a;
	if (!square_argument(c, &a)) {
		return val_error(c->at);
	}
	return record(c, 2, (const char *[]){"values", "vectors"},
		      (Val[]){result_over(c, RED_EIGH_VALUES, &a, 0, 2, a.unit),
			      result_over(c, RED_EIGH_VECTORS, &a, 0, 1, 0)});
}

Val builtin_eig(Call *c)
{
	Val a;
	if (!square_argument(c, &a)) {
		return val_error(c->at);
	}
	Val re = result_over(c, RED_EIG_REAL, &a, 0, 2, a.unit);
	re.im = core_matrix(c->e->core, RED_EIG_IMAG, 0, c->at, a.ix, re.ix, a.re);
	re.elem = ELEM_COMPLEX;
	return re;
}

/* The axis that has the smaller number of places; the second of two equal ones. An axis of records,
 * whose number is not known yet, counts as the larger one: plans check that. */
static uint32_t smaller(const Call *c, const Val *a)
{
	int64_t m = size_of(c, a, 0), n = size_of(c, a, 1);
	return m >= 0 && (n < 0 || m < n) ? 0 : 1;
}

Val builtin_svd(Call *c)
{
	Val a;
	if (!matrix_argument(c, 0, &a)) {
		return val_error(c->at);
	}
	uint32_t k = smaller(c, &a);
	Index left[2] = {a.ix[0], a.ix[k]}, right[2] = {a.ix[k], a.ix[1]};
	return record(c, 3, (const char *[]){"U", "s", "V"},
		      (Val[]){result(c, RED_SVD_LEFT, &a, 2, left, 0),
			      result(c, RED_SVD_VALUES, &a, 1, &a.ix[k], a.unit),
			      result(c, RED_SVD_RIGHT, &a, 2, right, 0)});
}

Val builtin_qr(Call *c)
{
	Val a;
	if (!matrix_argument(c, 0, &a)) {
		return val_error(c->at);
	}
	uint32_t k = smaller(c, &a);
	Index q[2] = {a.ix[0], a.ix[k]}, r[2] = {a.ix[k], a.ix[1]};
	return record(
		c, 2, (const char *[]){"Q", "R"},
		(Val[]){result(c, RED_QR_Q, &a, 2, q, 0), result(c, RED_QR_R, &a, 2, r, a.unit)});
}

Val builtin_cholesky(Call *c)
{
	Val a;
	if (!square_argument(c, &a)) {
		return val_error(c->at);
	}
	return result_over(c, RED_CHOLESKY, &a, 0, 1, unit_pow(c->e->units, a.unit, 1, 2));
}

Val builtin_expm(Call *c)
{
	Val a;
	if (!square_argument(c, &a) || !val_pure(c->e, &a)) {
		return val_error(c->at);
	}
	return result_over(c, RED_EXPM, &a, 0, 1, 0);
}

/* ---- inverses ---- */

/* The inverse maps back: its rows are the columns of a. */
static Val inverse_of(Call *c, RedKind red, const Val *a)
{
	return result_over(c, red, a, 1, 0, unit_div(c->e->units, 0, a->unit));
}

Val builtin_inverse(Call *c)
{
	Val a;
	if (!matrix_argument(c, 0, &a) || !is_square(c, &a)) {
		return val_error(c->at);
	}
	return inverse_of(c, RED_INVERSE, &a);
}

Val builtin_pseudoinverse(Call *c)
{
	Val a;
	return matrix_argument(c, 0, &a) ? inverse_of(c, RED_PSEUDOINVERSE, &a) : val_error(c->at);
}

/* x = inverse b, over the columns of a and what further axis b has. */
static Val applied(Call *c, RedKind red, const Val *a)
{
	Elab *e = c->e;
	Val b;
	if (!array_argument(c, 1, 1, 2, &b)) {
		return val_error(c->at);
	}
	AxisRef rows = val_axis(e, a, 0), own = val_axis(e, &b, 0);
	if (!axis_same(e, rows, own)) {
		diag_help(axis_differs(e, b.span, own, rows),
			  "the first axis of the right side is that of the matrix' rows");
		return val_error(c->at);
	}
	Val x = inverse_of(c, red, a);
	Node row = core_index_value(e->core, x.ix[1]);
	Val rest = val_subst(e, &b, 1, b.ix, &row);
	Index bound = x.ix[1];
	x.re = core_reduce(e->core, RED_SUM, 0, c->at, 1, &bound, core_mul(e->core, x.re, rest.re));
	x.unit = unit_mul(e->units, x.unit, b.unit);
	x.rank = b.rank;
	if (b.rank == 2) {
		x.ix[1] = b.ix[1];
	}
	return x;
}

Val builtin_solve(Call *c)
{
	Val a;
	if (!matrix_argument(c, 0, &a) || !is_square(c, &a)) {
		return val_error(c->at);
	}
	return applied(c, RED_INVERSE, &a);
}

Val builtin_lstsq(Call *c)
{
	Val a;
	return matrix_argument(c, 0, &a) ? applied(c, RED_PSEUDOINVERSE, &a) : val_error(c->at);
}

static Val determinant(Call *c, RedKind red)
{
	Val a;
	if (!matrix_argument(c, 0, &a) || !is_square(c, &a) || !val_pure(c->e, &a)) {
		return val_error(c->at);
	}
	return result(c, red, &a, 0, NULL, 0);
}

Val builtin_det(Call *c)
{
	return determinant(c, RED_DET);
}

Val builtin_logdet(Call *c)
{
	return determinant(c, RED_LOGDET);
}

/* ---- ordering ---- */

static Val ordered(Call *c, RedKind red, bool unit)
{
	Val v;
	if (!array_argument(c, 0, 1, 1, &v)) {
		return val_error(c->at);
	}
	return result_over(c, red, &v, 0, 1, unit ? v.unit : 0);
}

Val builtin_sort(Call *c)
{
	return ordered(c, RED_SORT, true);
}

Val builtin_rank(Call *c)
{
	return ordered(c, RED_RANK, false);
}

Val builtin_order(Call *c)
{
	return ordered(c, RED_ORDER, false);
}
