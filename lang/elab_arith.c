/* elab_arith.c — operators on values: the vector space of whole arrays, scalar arithmetic with
 * units, complex numbers. SPEC: expressions. A product of two arrays, or an array plus a scalar, is
 * refused: it needs indices. */
#include "lang/elab_int.h"

#include <math.h>
#include <string.h>

typedef enum { B_ADD, B_SUB, B_MUL, B_DIV, B_POW, B_COMPARE, B_LOGIC, B_INT, B_MOD } BinKind;
typedef struct BinRow {
	const char *text;
	BinKind kind;
	const char *what;
} BinRow;

static const BinRow binary_rows[] = {
	{"+", B_ADD, "sum"},      {"-", B_SUB, "difference"}, {"*", B_MUL, "product"},
	{"/", B_DIV, "quotient"}, {"^", B_POW, "power"},      {"==", B_COMPARE, ""},
	{"!=", B_COMPARE, ""},    {"<", B_COMPARE, ""},       {"<=", B_COMPARE, ""},
	{">", B_COMPARE, ""},     {">=", B_COMPARE, ""},      {"and", B_LOGIC, ""},
	{"or", B_LOGIC, ""},      {"mod", B_MOD, ""},         {"div", B_INT, ""},
	{"xor", B_INT, ""},       {"shl", B_INT, ""},         {"shr", B_INT, ""},
	{"band", B_INT, ""},      {"bor", B_INT, ""},
};

static const BinRow *find_row(const char *text)
{
	for (size_t i = 0; i < sizeof binary_rows / sizeof *binary_rows; i++) {
		if (strcmp(binary_rows[i].text, text) == 0) {
			return &binary_rows[i];
		}
	}
	return NULL;
}

bool val_need_number(Elab *e, const Val *v, const char *op)
{
	if (v->tag == VAL_NUM) {
		return true;
	}
	Diag *d = diag_type_mismatch(elab_diags(e), v->span, val_type(e, v), "a number");
	if (v->tag == VAL_FN) {
		diag_help(d, "call the function with its arguments before applying %s", op);
	}
	return false;
}

static Val int_result(Elab *e, Span at, const Val *a, const Val *b, Node n, bool shift)
{
	Val r = val_num(e, at, ELEM_INT, 0, n);
	r.literal = a->literal && b->literal;
	r.spread = a->spread || b->spread || ((!shift || b->of) && a->of) || (!shift && b->of);
	/* an index plus or minus a number still walks along its axis */
	if (shift && a->of && !b->of && !b->spread) {
		r.of = a->of;
	} else if (shift && b->of && !a->of && !a->spread) {
		r.of = b->of;
	}
	return r;
}

static bool both_int(const Val *a, const Val *b)
{
	return a->elem == ELEM_INT && b->elem == ELEM_INT;
}

static bool same_axes(Elab *e, Span at, const Val *a, const Val *b)
{
	if (a->rank != b->rank) {
		diag_rank_mismatch(elab_diags(e), at, "the right side", b->rank, a->rank);
		return false;
	}
	for (uint32_t i = 0; i < a->rank; i++) {
		AxisRef x = val_axis(e, a, i), y = val_axis(e, b, i);
		if (!axis_same(e, x, y)) {
			axis_differs(e, b->span.file ? b->span : at, y, x);
			return false;
		}
	}
	return true;
}

static Val add_values(Elab *e, Span at, Val a, Val b, bool minus)
{
	if ((a.rank > 0) != (b.rank > 0)) {
		const Val *array = a.rank ? &a : &b;
		Diag *d = diag_array_scalar_sum(elab_diags(e), at, minus ? "minus" : "plus");
		if (array->rank == 1) {
			diag_help(d, "write the indices, as in  x[i] %s 1", minus ? "-" : "+");
		} else {
			diag_help(d, "write the indices, as in  x[i,j] %s 1", minus ? "-" : "+");
		}
		return val_error(at);
	}
	literal_fit(e, &a, &b);
	literal_fit(e, &b, &a);
	if (!same_axes(e, at, &a, &b)) {
		return val_error(at);
	}
	bool zero_a = a.literal && a.rank == 0;
	if (both_int(&a, &b) && !a.rank) {
		Node n = minus ? core_sub(e->core, a.re, b.re) : core_add(e->core, a.re, b.re);
		return int_result(e, at, &a, &b, n, !minus || !b.of);
	}
	bool complex = a.elem == ELEM_COMPLEX || b.elem == ELEM_COMPLEX;
	if (!(complex ? val_to_complex(e, &a) && val_to_complex(e, &b)
		      : val_real(e, &a) && val_real(e, &b)) ||
	    !val_agree(e, at, &a, &b)) {
		return val_error(at);
	}
	Val c = val_align(e, &b, &a), r = a;
	r.span = at;
	r.re = minus ? core_sub(e->core, a.re, c.re) : core_add(e->core, a.re, c.re);
	if (complex) {
		r.im = minus ? core_sub(e->core, a.im, c.im) : core_add(e->core, a.im, c.im);
	}
	r.literal = zero_a && b.literal;
	r.n = 0;
	r.reaches = false;
	return r;
}

static Val mul_complex(Elab *e, Val r, const Val *a, const Val *b)
{
	Core *c = e->core;
	r.re = core_sub(c, core_mul(c, a->re, b->re), core_mul(c, a->im, b->im));
	r.im = core_add(c, core_mul(c, a->re, b->im), core_mul(c, a->im, b->re));
	return r;
}

/* 2*[a, b] is [2*a, 2*b], a literal still: it fits a declared axis. */
static void keep_items(Elab *e, Span at, Val *r, const Val *array, const Val *scalar,
		       Val (*apply)(Elab *, Span, Val, Val))
{
	Val *item = arena_array(e->arena, Val, array->n + 1);
	for (uint32_t i = 0; i < array->n; i++) {
		item[i] = apply(e, at, array->item[i], *scalar);
		item[i].literal = array->item[i].literal && scalar->literal;
	}
	r->n = r->rank ? array->n : 0;
	r->item = item;
}

static Val mul_values(Elab *e, Span at, Val a, Val b)
{
	if (a.rank && b.rank) {
		Diag *d = diag_array_product(elab_diags(e), at, "product");
		diag_help(d, a.rank == 2 && b.rank == 1
				     ? "write the sum, as in  y[i] = sum[j] W[i,j]*x[j]"
				     : "write the indices, as in  a[i]*b[i]  or  sum[i] a[i]*b[i]");
		return val_error(at);
	}
	if (both_int(&a, &b) && !a.rank && !b.rank) {
		return int_result(e, at, &a, &b, core_mul(e->core, a.re, b.re), false);
	}
	if (a.mixed || b.mixed) {
		val_agree(e, at, &a, &b);
		return val_error(at);
	}
	bool complex = a.elem == ELEM_COMPLEX || b.elem == ELEM_COMPLEX;
	bool spin = a.elem == ELEM_SPIN && b.elem == ELEM_SPIN && !a.rank && !b.rank;
	if (!(complex ? val_to_complex(e, &a) && val_to_complex(e, &b)
		      : val_real(e, &a) && val_real(e, &b))) {
		return val_error(at);
	}
	Val r = a.rank ? a : b;
	r.span = at;
	r.n = 0;
	r.reaches = false;
	r.literal = a.literal && b.literal;
	r.unit = unit_mul(e->units, a.unit, b.unit);
	if (complex) {
		r = mul_complex(e, r, &a, &b);
	} else {
		r.re = core_mul(e->core, a.re, b.re);
	}
	if (spin) {
		r.elem = ELEM_SPIN;
	}
	val_normalise(e, &r);
	keep_items(e, at, &r, a.rank ? &a : &b, a.rank ? &b : &a, mul_values);
	return r;
}

static Val div_values(Elab *e, Span at, Val a, Val b)
{
	if (b.rank) {
		Diag *d = diag_array_product(elab_diags(e), at, "quotient");
		diag_help(d, "write the indices, as in  a[i]/b[i]");
		return val_error(at);
	}
	if (a.mixed) {
		val_agree(e, at, &a, &b);
		return val_error(at);
	}
	bool complex = a.elem == ELEM_COMPLEX || b.elem == ELEM_COMPLEX;
	if (!(complex ? val_to_complex(e, &a) && val_to_complex(e, &b)
		      : val_real(e, &a) && val_real(e, &b))) {
		return val_error(at);
	}
	Val r = a;
	r.span = at;
	r.n = 0;
	r.reaches = false;
	r.literal = a.literal && b.literal;
	r.unit = unit_div(e->units, a.unit, b.unit);
	Core *c = e->core;
	if (complex) { /* a/b = a conj(b)/|b|^2 */
		Val conj = b;
		conj.im = core_neg(c, b.im);
		Node norm = core_add(c, core_mul(c, b.re, b.re), core_mul(c, b.im, b.im));
		r = mul_complex(e, r, &a, &conj);
		r.re = core_div(c, r.re, norm);
		r.im = core_div(c, r.im, norm);
	} else {
		r.re = core_div(c, a.re, b.re);
	}
	val_normalise(e, &r);
	keep_items(e, at, &r, &a, &b, div_values);
	return r;
}

static Val pow_complex(Elab *e, Span at, Val a, int64_t n)
{
	Val r = val_complex(e, at, 0, core_real_const(e->core, 1), core_real_const(e->core, 0));
	Val base = a;
	if (n < 0) {
		base = div_values(e, at, r, a);
		n = -n;
	}
	for (; n; n >>= 1) {
		if (n & 1) {
			r = mul_values(e, at, r, base);
		}
		if (n > 1) {
			base = mul_values(e, at, base, base);
		}
	}
	return r;
}

/* A rational exponent p/q with small q, as units need it. */
static bool small_rational(double x, int *p, int *q)
{
	for (*q = 1; *q <= 12; ++*q) {
		double y = x * *q;
		if (fabs(y - round(y)) < 1e-12 * (1 + fabs(y)) && fabs(y) < 1000) {
			*p = (int)round(y);
			return true;
		}
	}
	return false;
}

static Val pow_values(Elab *e, Span at, Val a, Val b)
{
	if (a.rank || b.rank) {
		Diag *d = diag_array_product(elab_diags(e), at, "power");
		diag_help(d, "write the indices, as in  a[i]^2");
		return val_error(at);
	}
	double x = 0;
	bool constant = elab_node_value(e, b.re, &x) && b.elem != ELEM_COMPLEX;
	bool whole = constant && x == floor(x) && fabs(x) < 1e6;
	if (a.elem == ELEM_COMPLEX && whole && !a.unit) {
		return pow_complex(e, at, a, (int64_t)x);
	}
	if (a.elem == ELEM_INT && b.elem == ELEM_INT && whole && x >= 0) {
		double base;
		if (elab_node_value(e, a.re, &base) && pow(fabs(base), x) >= 9.2e18) {
			diag_int_overflow(elab_diags(e), at, "this power");
			return val_error(at);
		}
		Val r = val_num(e, at, ELEM_INT, 0, core_powi(e->core, a.re, (int32_t)x));
		r.literal = a.literal && b.literal;
		return r;
	}
	if (!val_real(e, &a) || !val_pure(e, &b)) {
		return val_error(at);
	}
	Val r = a;
	r.span = at;
	r.literal = a.literal && b.literal;
	UnitId u = unit_resolve(e->units, a.unit);
	if (u) {
		int p, q;
		if (!constant || !small_rational(x, &p, &q)) {
			diag_help(diag_unit_mismatch(
					  elab_diags(e), at,
					  arena_printf(e->arena, "'%s'", unit_text(e->units, u)),
					  "a pure number"),
				  "a quantity with a unit can be raised to a constant rational "
				  "power only");
			return val_error(at);
		}
		r.unit = unit_pow(e->units, a.unit, p, q);
	}
	if (whole) {
		r.re = core_powi(e->core, a.re, (int32_t)x);
	} else if (constant && x == 0.5) {
		r.re = core_op1(e->core, OP_sqrt, a.re);
	} else if (b.elem == ELEM_INT) {
		r.re = core_pow(e->core, a.re, core_real(e->core, b.re));
	} else if (val_real(e, &b)) {
		r.re = core_pow(e->core, a.re, b.re);
	} else {
		return val_error(at);
	}
	val_normalise(e, &r);
	return r;
}

static bool scalars_only(Elab *e, Span at, const Val *a, const Val *b, const char *op)
{
	if (!a->rank && !b->rank) {
		return true;
	}
	if (!a->rank || !b->rank) {
		diag_help(diag_array_scalar_sum(elab_diags(e), at, op),
			  "write the indices, as in  %s",
			  a->rank ? arena_printf(e->arena, "a[i] %s b", op)
				  : arena_printf(e->arena, "a %s b[i]", op));
		return false;
	}
	diag_help(diag_array_product(elab_diags(e), at, op),
		  "write the indices, as in  a[i] %s b[i]", op);
	return false;
}

static Val compare_values(Elab *e, Span at, const char *op, Val a, Val b)
{
	if (!scalars_only(e, at, &a, &b, op)) {
		return val_error(at);
	}
	bool swap = op[0] == '>', equal = strcmp(op, "==") == 0, unequal = strcmp(op, "!=") == 0;
	if (a.elem == ELEM_BOOL && b.elem == ELEM_BOOL && (equal || unequal)) {
		Node same = core_select(e->core, a.re, b.re, core_op1(e->core, OP_not, b.re));
		return val_num(e, at, ELEM_BOOL, 0, equal ? same : core_op1(e->core, OP_not, same));
	}
	bool ints = both_int(&a, &b);
	if (ints && a.of && b.of && a.of != b.of && !axis_is_range(e, a.of) &&
	    !axis_is_range(e, b.of)) {
		AxisRef x = {a.of, 0}, y = {b.of, 0};
		diag_axis_mismatch(elab_diags(e), at, axis_name(e, y), axis_name(e, x));
		return val_error(at);
	}
	if (a.elem == ELEM_COMPLEX || b.elem == ELEM_COMPLEX) {
		if (!equal && !unequal) {
			diag_type_mismatch(elab_diags(e), at, "complex",
					   "a real number (complex numbers are not ordered)");
			return val_error(at);
		}
		if (!val_to_complex(e, &a) || !val_to_complex(e, &b) || !val_agree(e, at, &a, &b)) {
			return val_error(at);
		}
		Node same = core_op2(e->core, OP_and, core_op2(e->core, OP_eq, a.re, b.re),
				     core_op2(e->core, OP_eq, a.im, b.im));
		return val_num(e, at, ELEM_BOOL, 0, equal ? same : core_op1(e->core, OP_not, same));
	}
	if (!ints && (!val_real(e, &a) || !val_real(e, &b) || !val_agree(e, at, &a, &b))) {
		return val_error(at);
	}
	Op row;
	if (equal || unequal) {
		row = ints ? (equal ? OP_ieq : OP_ine) : (equal ? OP_eq : OP_ne);
	} else {
		row = op[1] == '=' ? (ints ? OP_ile : OP_le) : (ints ? OP_ilt : OP_lt);
	}
	Node n = swap ? core_op2(e->core, (uint16_t)row, b.re, a.re)
		      : core_op2(e->core, (uint16_t)row, a.re, b.re);
	return val_num(e, at, ELEM_BOOL, 0, n);
}

static Val logic_values(Elab *e, Span at, const char *op, Val a, Val b)
{
	if (!scalars_only(e, at, &a, &b, op)) {
		return val_error(at);
	}
	const Val *wrong = a.elem != ELEM_BOOL ? &a : b.elem != ELEM_BOOL ? &b : NULL;
	if (wrong) {
		diag_type_mismatch(elab_diags(e), wrong->span, val_type(e, wrong), "a truth value");
		return val_error(at);
	}
	return val_num(e, at, ELEM_BOOL, 0,
		       core_op2(e->core, strcmp(op, "and") == 0 ? OP_and : OP_or, a.re, b.re));
}

static Val int_values(Elab *e, Span at, const char *op, Val a, Val b)
{
	if (!scalars_only(e, at, &a, &b, op)) {
		return val_error(at);
	}
	bool mod = strcmp(op, "mod") == 0;
	if (mod && !both_int(&a, &b)) {
		Val r;
		if (!val_real(e, &a) || !val_real(e, &b) || !val_agree(e, at, &a, &b)) {
			return val_error(at);
		}
		r = a;
		r.span = at;
		r.literal = false;
		r.re = core_op2(e->core, OP_mod, a.re, b.re);
		return r;
	}
	const Val *wrong = a.elem != ELEM_INT ? &a : b.elem != ELEM_INT ? &b : NULL;
	if (wrong) {
		diag_type_mismatch(elab_diags(e), wrong->span, val_type(e, wrong), "an integer");
		return val_error(at);
	}
	static const struct {
		const char *text;
		Op op;
	} row[] = {{"mod", OP_imod}, {"div", OP_idiv},  {"xor", OP_bxor}, {"shl", OP_shl},
		   {"shr", OP_shr},  {"band", OP_band}, {"bor", OP_bor}};
	double zero;
	if ((mod || strcmp(op, "div") == 0) && elab_node_value(e, b.re, &zero) && zero == 0) {
		diag_wrong_arguments(elab_diags(e), at, op, "division by zero");
		return val_error(at);
	}
	Op found = OP_NONE;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		found = strcmp(op, row[i].text) == 0 ? row[i].op : found;
	}
	Val r = val_num(e, at, ELEM_INT, 0, core_op2(e->core, (uint16_t)found, a.re, b.re));
	r.spread = a.spread || b.spread || a.of || b.of;
	return r;
}

static Val apply(Elab *e, Span at, const BinRow *row, Val a, Val b)
{
	const char *text = row->text;
	switch (row->kind) {
	case B_ADD:
		return add_values(e, at, a, b, false);
	case B_SUB:
		return add_values(e, at, a, b, true);
	case B_MUL:
		return mul_values(e, at, a, b);
	case B_DIV:
		return div_values(e, at, a, b);
	case B_POW:
		return pow_values(e, at, a, b);
	case B_COMPARE:
		return compare_values(e, at, text, a, b);
	case B_LOGIC:
		return logic_values(e, at, text, a, b);
	default:
		return int_values(e, at, text, a, b);
	}
}

Val val_binary(Elab *e, Span at, Sym op, Val a, Val b)
{
	const char *text = elab_text(e, op);
	const BinRow *row = find_row(text);
	if (a.tag == VAL_ERROR || b.tag == VAL_ERROR) {
		return val_error(at);
	}
	core_at(e->core, at);
	if (row && row->kind == B_ADD && a.tag == VAL_STRING && b.tag == VAL_STRING) {
		return val_string(at, intern_printf(e->names, "%s%s", elab_text(e, a.string),
						    elab_text(e, b.string)));
	}
	if (row && row->kind == B_COMPARE && a.tag == VAL_STRING && b.tag == VAL_STRING &&
	    (text[0] == '=' || text[0] == '!')) {
		return val_num(
			e, at, ELEM_BOOL, 0,
			core_bool_const(e->core, (a.string == b.string) == (text[0] == '=')));
	}
	if (fn_combines(&a, &b, text[1] ? 0 : text[0])) {
		return fn_combine(e, at, text[0], a, b);
	}
	if (!row) {
		diag_help(diag_bad_statement_place(elab_diags(e), at,
						   arena_printf(e->arena, "`%s`", text), "here"),
			  "it names the set of a batch:  adam(batch = 64 of train)");
		return val_error(at);
	}
	if (!val_need_number(e, &a, text) || !val_need_number(e, &b, text)) {
		return val_error(at);
	}
	core_int_overflow(e->core);
	Val r = apply(e, at, row, a, b);
	if (r.tag == VAL_NUM && r.elem == ELEM_INT && core_int_overflow(e->core)) {
		diag_help(diag_int_overflow(
				  elab_diags(e), at,
				  arena_printf(e->arena, "this %s", *row->what ? row->what : text)),
			  "ints have 64 bits; with a point, as in 2.0, the numbers are real");
		return val_error(at);
	}
	return r;
}

Val val_neg(Elab *e, Span at, Val a)
{
	if (a.tag == VAL_ERROR) {
		return a;
	}
	if (fn_combines(&a, &a, '-')) {
		Val minus = val_num(e, at, ELEM_REAL, 0, core_real_const(e->core, -1));
		return fn_combine(e, at, '*', minus, a);
	}
	if (!val_need_number(e, &a, "-")) {
		return val_error(at);
	}
	if (a.elem == ELEM_BOOL) {
		diag_type_mismatch(elab_diags(e), a.span, "a truth value", "a number");
		return val_error(at);
	}
	core_at(e->core, at);
	Val r = a;
	r.span = at;
	r.of = 0;
	r.re = core_neg(e->core, a.re);
	r.im = a.im ? core_neg(e->core, a.im) : 0;
	if (a.n) {
		r.item = arena_array(e->arena, Val, a.n);
		for (uint32_t i = 0; i < a.n; i++) {
			r.item[i] = val_neg(e, at, a.item[i]);
		}
	}
	return r;
}
