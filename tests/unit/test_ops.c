/* test_ops.c — every row of ops.def: value and partial derivatives, repeated to order 4, against
 * tables of 50 digits (tests/ops/NAME.tsv, made by mpmath); special values; signatures; the folding
 * of constants. */
#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/op.h"
#include "lang/op_value.h"
#include "tests/unit/ref_eval.h"

/* ---- a derivative of an expression in two leaves, for tests ---- */

typedef struct Bench {
	Arena *arena;
	Core *core;
	Def leaf[2];
	Node arg[2];
} Bench;

static Bench bench(void)
{
	Bench b = {.arena = arena_create()};
	Intern *names = intern_create(b.arena);
	b.core = core_create(b.arena, names);
	for (int k = 0; k < 2; k++) {
		b.leaf[k] = core_leaf(b.core, DEF_PARAM, intern_str(names, k ? "b" : "a"),
				      (Span){0}, KIND_REAL, 0, 0, NULL);
		b.arg[k] = core_read(b.core, b.leaf[k], NULL);
	}
	return b;
}

static Node derivative(Core *c, Node n, Node by);

static Node of_product(Core *c, Node n, Node by)
{
	Node sum = core_real_const(c, 0);
	for (uint32_t k = 0; k < core_node(c, n)->n; k++) {
		const NodeInfo *p = core_node(c, n);
		Node x = p->arg[k], d = derivative(c, x, by);
		int32_t e = p->expo[k];
		Node term = core_mul(
			c, d,
			core_mul(c, core_real_const(c, e), core_mul(c, n, core_powi(c, x, -1))));
		if (p->n == 1) {
			term = core_mul(c, d,
					core_mul(c, core_real_const(c, e), core_powi(c, x, e - 1)));
		}
		sum = core_add(c, sum, term);
	}
	return sum;
}

static Node of_operation(Core *c, Node n, Node by)
{
	Node sum = core_real_const(c, 0);
	for (uint32_t k = 0; k < core_node(c, n)->n; k++) {
		const NodeInfo *p = core_node(c, n);
		Node d = derivative(c, p->arg[k], by);
		double v;
		if (core_is_const(c, d, &v) && v == 0) {
			continue;
		}
		bool differentiable;
		Node partial = op_partial(c, (Op)p->op, k, p->arg, n, &differentiable);
		cr_assert(differentiable, "%s in argument %u", op_info((Op)p->op)->id, k);
		sum = partial ? core_add(c, sum, core_mul(c, d, partial)) : sum;
	}
	return sum;
}

static Node derivative(Core *c, Node n, Node by)
{
	const NodeInfo *p = core_node(c, n);
	switch (p->tag) {
	case NODE_READ:
		return core_real_const(c, n == by);
	case NODE_LIN: {
		Node sum = core_real_const(c, 0);
		for (uint32_t k = 0; k < p->n; k++) {
			sum = core_add(c, sum,
				       core_scale(c, p->coef[k], derivative(c, p->arg[k], by)));
		}
		return sum;
	}
	case NODE_PROD:
		return of_product(c, n, by);
	case NODE_OP:
		return p->kind == KIND_REAL ? of_operation(c, n, by) : 0;
	case NODE_GUARD:
		return core_guard(c, p->arg[0], derivative(c, p->arg[1], by));
	case NODE_SELECT:
		return core_select(c, p->arg[0], derivative(c, p->arg[1], by),
				   derivative(c, p->arg[2], by));
	default:
		return core_real_const(c, 0);
	}
}

/* ---- the tables ---- */

enum { TOLERANCE_DIGITS = 12 };

/* A derivative written in y (1 - y^2, y*(1 - y)) keeps its absolute but not its relative accuracy
 * where y is near an end of its range: there, below the size given here, the error is measured
 * against that size. */
typedef struct Saturating {
	Op op;
	int order; /* from this order on */
} Saturating;
static const Saturating saturating[] = {{OP_tanh, 1}, {OP_sigmoid, 1}, {OP_softplus, 2}};

static double least_size(Op op, int order)
{
	for (size_t k = 0; k < sizeof saturating / sizeof *saturating; k++) {
		if (saturating[k].op == op && order >= saturating[k].order) {
			return 1e-3;
		}
	}
	return 1e-290;
}

enum { COLUMNS = 16 };

static int read_row(FILE *f, double *x)
{
	char line[2000];
	while (fgets(line, sizeof line, f)) {
		if (*line == '#') {
			continue;
		}
		int n = 0;
		for (char *p = strtok(line, "\t\n"); p && n < COLUMNS; p = strtok(NULL, "\t\n")) {
			x[n++] = strtod(p, NULL);
		}
		return n;
	}
	return 0;
}

static FILE *open_table(const char *op)
{
	char path[100];
	snprintf(path, sizeof path, "tests/ops/%s.tsv", op);
	return fopen(path, "r");
}

static void report(Op op, int order, double a, double b, double have, double want, double *worst)
{
	const OpInfo *info = op_info(op);
	double error =
		want == have ? 0 : fabs(have - want) / fmax(fabs(want), least_size(op, order));
	error = isnan(have) ? INFINITY : error;
	worst[order] = fmax(worst[order], error);
	cr_expect(error <= pow(10, -TOLERANCE_DIGITS),
		  "%s, order %d at %.17g, %.17g: %.17g instead of %.17g (%.2g)", info->id, order, a,
		  b, have, want, error);
}

static unsigned check_one(Op op, double *worst)
{
	const OpInfo *info = op_info(op);
	Bench b = bench();
	Node d[5] = {core_op1(b.core, (uint16_t)op, b.arg[0])};
	int orders = 4;
	for (int k = 1; k <= orders; k++) {
		d[k] = derivative(b.core, d[k - 1], b.arg[0]);
	}
	FILE *f = open_table(info->id);
	cr_assert_not_null(f, "no table for %s", info->id);
	double x[COLUMNS];
	unsigned rows = 0;
	for (; read_row(f, x) == 6; rows++) {
		Ref *r = ref_create(b.core);
		ref_set(r, b.leaf[0], x);
		for (int k = 0; k <= orders; k++) {
			report(op, k, x[0], 0, ref_node(r, d[k]), x[1 + k], worst);
		}
		ref_free(r);
	}
	fclose(f);
	arena_free(b.arena);
	return rows;
}

static unsigned check_two(Op op, double *worst)
{
	const OpInfo *info = op_info(op);
	Bench b = bench();
	Node d[10] = {core_op(b.core, (uint16_t)op, b.arg)};
	bool first = strcmp(info->partial[0], "NONE") != 0;
	/* value, a b, aa ab bb, aaa aab abb bbb: entry k of order n comes from entry k of order n-1
	 * by a, the last by b */
	static const int start[] = {0, 1, 3, 6};
	for (int order = 1; order <= 3; order++) {
		for (int k = 0; k <= order; k++) {
			bool by_b = k == order || !first;
			int from = start[order - 1] + (by_b ? k - 1 : k);
			d[start[order] + k] = from < start[order - 1] || !d[from]
						      ? 0
						      : derivative(b.core, d[from], b.arg[by_b]);
		}
	}
	FILE *f = open_table(info->id);
	cr_assert_not_null(f, "no table for %s", info->id);
	double x[COLUMNS];
	unsigned rows = 0;
	for (; read_row(f, x) == 12; rows++) {
		Ref *r = ref_create(b.core);
		ref_set(r, b.leaf[0], x);
		ref_set(r, b.leaf[1], x + 1);
		for (int k = 0; k < 10; k++) {
			if (d[k] && !isnan(x[2 + k])) {
				report(op,
				       k < 1   ? 0
				       : k < 3 ? 1
				       : k < 6 ? 2
					       : 3,
				       x[0], x[1], ref_node(r, d[k]), x[2 + k], worst);
			}
		}
		ref_free(r);
	}
	fclose(f);
	arena_free(b.arena);
	return rows;
}

Test(ops, values_and_derivatives_to_order_4)
{
	double all[5] = {0};
	for (unsigned op = 1; op < OPS; op++) {
		const OpInfo *info = op_info((Op)op);
		if (info->sig != SIG_R_R && info->sig != SIG_RR_R) {
			continue;
		}
		double worst[5] = {0};
		unsigned rows = info->n == 1 ? check_one((Op)op, worst) : check_two((Op)op, worst);
		cr_assert_geq(rows, 20, "%s has %u rows", info->id, rows);
		if (getenv("PNN_OPS")) {
			printf("%-10s %3u points  %8.1e %8.1e %8.1e %8.1e %8.1e\n", info->id, rows,
			       worst[0], worst[1], worst[2], worst[3], worst[4]);
		}
		for (int k = 0; k < 5; k++) {
			all[k] = fmax(all[k], worst[k]);
		}
	}
	if (getenv("PNN_OPS")) {
		printf("%-10s             %8.1e %8.1e %8.1e %8.1e %8.1e\n", "worst", all[0], all[1],
		       all[2], all[3], all[4]);
	}
}

/* ---- singular points (SPEC.md, derivatives) ---- */

static double partial_at(Op op, unsigned k, double a, double b)
{
	Bench t = bench();
	bool differentiable;
	Node y = core_op(t.core, (uint16_t)op, t.arg),
	     d = op_partial(t.core, op, k, t.arg, y, &differentiable);
	cr_assert(differentiable);
	Ref *r = ref_create(t.core);
	ref_set(r, t.leaf[0], &a);
	ref_set(r, t.leaf[1], &b);
	double v = d ? ref_node(r, d) : 0;
	ref_free(r);
	arena_free(t.arena);
	return v;
}

Test(ops, derivatives_at_singular_points)
{
	static const struct {
		Op op;
		unsigned k;
		double a, b, want;
	} rows[] = {
		{OP_sqrt, 0, 0, 0, 0},         {OP_cbrt, 0, 0, 0, 0},
		{OP_abs, 0, 0, 0, 0},          {OP_sign, 0, 0, 0, 0},
		{OP_log, 0, 0, 0, INFINITY},   {OP_log1p, 0, -1, 0, INFINITY},
		{OP_asin, 0, 1, 0, INFINITY},  {OP_asin, 0, -1, 0, INFINITY},
		{OP_acos, 0, 1, 0, -INFINITY}, {OP_acosh, 0, 1, 0, INFINITY},
		{OP_atanh, 0, 1, 0, INFINITY}, {OP_pow, 0, 0, 0, 0},
		{OP_pow, 0, 0, 1, 1},          {OP_pow, 0, 0, 2, 0},
		{OP_pow, 0, 0, 0.5, INFINITY}, {OP_pow, 1, 0, 2, 0},
		{OP_pow, 1, 0, 0.5, 0},        {OP_pow, 1, 0, 0, -INFINITY},
		{OP_min, 0, 2, 2, 1},          {OP_min, 1, 2, 2, 0},
		{OP_max, 0, 2, 2, 1},          {OP_max, 1, 2, 2, 0},
		{OP_floor, 0, 1, 0, 0},        {OP_mod, 0, 4, 2, 1},
		{OP_mod, 1, 4, 2, -2},         {OP_softplus, 0, 1000, 0, 1},
		{OP_softplus, 0, -1000, 0, 0}, {OP_sigmoid, 0, 1000, 0, 0},
		{OP_sigmoid, 0, -1000, 0, 0},  {OP_tanh, 0, 1000, 0, 0},
		{OP_erf, 0, 100, 0, 0},        {OP_exp, 0, -2000, 0, 0},
	};
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		double v = partial_at(rows[k].op, rows[k].k, rows[k].a, rows[k].b);
		cr_expect_eq(v, rows[k].want, "%s, argument %u at %g, %g: %g instead of %g",
			     op_info(rows[k].op)->id, rows[k].k, rows[k].a, rows[k].b, v,
			     rows[k].want);
	}
}

static double real1(Op op, double a)
{
	return op_apply(op, (OpValue[1]){{.r = a}}).r;
}
static double real2(Op op, double a, double b)
{
	return op_apply(op, (OpValue[2]){{.r = a}, {.r = b}}).r;
}
static int64_t int2(Op op, int64_t a, int64_t b)
{
	return op_apply(op, (OpValue[2]){{.i = a}, {.i = b}}).i;
}

Test(ops, values_at_the_edges_of_reals)
{
	cr_assert_eq(real1(OP_sigmoid, 1000), 1);
	cr_assert_eq(real1(OP_sigmoid, -1000), 0);
	cr_assert_eq(real1(OP_softplus, 1000), 1000);
	cr_assert_eq(real1(OP_softplus, -1000), 0);
	cr_assert_eq(real1(OP_softplus, INFINITY), INFINITY);
	cr_assert(isnan(real1(OP_sigmoid, NAN)) && isnan(real1(OP_softplus, NAN)) &&
		  isnan(real1(OP_sign, NAN)));
	cr_assert(isnan(real2(OP_min, NAN, 1)) && isnan(real2(OP_min, 1, NAN)));
	cr_assert(isnan(real2(OP_max, NAN, 1)) && isnan(real2(OP_max, 1, NAN)));
	cr_assert_eq(real2(OP_mod, -1, 3), 2);
	cr_assert_eq(real2(OP_mod, 1, -3), -2);
	cr_assert_eq(real1(OP_round, -2.5), -3);
	cr_assert_eq(real1(OP_round, 2.5), 3);
	cr_assert(isnan(real1(OP_digamma, -2)) && isnan(real1(OP_trigamma, 0)));
	cr_assert(isnan(real2(OP_polygamma, 1.5, 2)) && isnan(real2(OP_polygamma, -1, 2)));
	cr_assert_eq(op_apply(OP_int, (OpValue[1]){{.r = -1.5}}).i, -2);
	cr_assert_eq(op_apply(OP_int, (OpValue[1]){{.r = 1e30}}).i, INT64_MAX);
	cr_assert_eq(op_apply(OP_int, (OpValue[1]){{.r = NAN}}).i, 0);
	cr_assert_eq(op_powi(2, 10), 1024);
	cr_assert_eq(op_powi(2, -2), 0.25);
	cr_assert_eq(op_powi(-1, INT32_MIN), 1);
}

Test(ops, ints_are_floored_and_never_trap)
{
	for (int64_t a = -9; a <= 9; a++) {
		for (int64_t b = -4; b <= 4; b++) {
			int64_t q = int2(OP_idiv, a, b), r = int2(OP_imod, a, b);
			cr_assert_eq(q, b == 0 ? 0 : (int64_t)floor((double)a / (double)b));
			cr_assert_eq(r, b == 0 ? 0 : a - b * q);
		}
	}
	cr_assert_eq(int2(OP_idiv, INT64_MIN, -1), INT64_MIN);
	cr_assert_eq(int2(OP_imod, INT64_MIN, -1), 0);
	cr_assert_eq(op_apply(OP_iabs, (OpValue[1]){{.i = INT64_MIN}}).i, INT64_MIN);
	cr_assert_eq(int2(OP_shl, 3, 64), 0);
	cr_assert_eq(int2(OP_shl, 3, -1), 0);
	cr_assert_eq(int2(OP_shl, 3, 2), 12);
	cr_assert_eq(int2(OP_shr, -8, 1), -4);
	cr_assert_eq(int2(OP_shr, -8, 100), -1);
	cr_assert_eq(int2(OP_bxor, 6, 3), 5);
}

/* ---- the table itself ---- */

Test(ops, rows_are_complete_and_consistent)
{
	for (unsigned op = 1; op < OPS; op++) {
		const OpInfo *i = op_info((Op)op);
		cr_assert(*i->id && *i->syntax && *i->lower && *i->doc, "row %u", op);
		cr_assert(i->n == 1 || i->n == 2);
		bool two = i->sig == SIG_RR_R || i->sig == SIG_RR_B || i->sig == SIG_II_I ||
			   i->sig == SIG_II_B || i->sig == SIG_BB_B;
		cr_assert_eq(i->n, two ? 2u : 1u, "%s", i->id);
		for (unsigned k = 0; k < i->n; k++) {
			cr_assert(i->partial[k] && *i->partial[k],
				  "%s has a blank partial derivative", i->id);
			if (op_arg_kind((Op)op) != KIND_REAL ||
			    op_result_kind((Op)op) != KIND_REAL) {
				cr_assert_str_eq(i->partial[k], "0",
						 "%s is no real function of reals", i->id);
			}
		}
		/* the syntax finds the row again, given the kind of its arguments */
		cr_assert_eq(op_find_kind(i->syntax, op_arg_kind((Op)op)), (Op)op, "%s", i->syntax);
		cr_assert_neq(op_find(i->syntax), OP_NONE);
	}
	cr_assert_eq(op_find("no such"), OP_NONE);
}

/* Every row on constants folds to what op_apply says, and a partial is a real expression over the
 * arguments. */
Test(ops, constants_fold)
{
	Bench b = bench();
	for (unsigned op = 1; op < OPS; op++) {
		const OpInfo *i = op_info((Op)op);
		OpValue x[2];
		Node arg[2];
		for (unsigned k = 0; k < 2; k++) {
			Kind kind = op_arg_kind((Op)op);
			if (kind == KIND_REAL) {
				x[k].r = k ? 2 : 3;
				arg[k] = core_real_const(b.core, x[k].r);
			} else {
				x[k].i = kind == KIND_BOOL ? k == 0 : 5 - 3 * (int64_t)k;
				arg[k] = kind == KIND_BOOL ? core_bool_const(b.core, x[k].i)
							   : core_int_const(b.core, x[k].i);
			}
		}
		OpValue want = op_apply((Op)op, x);
		const NodeInfo *have = core_node(b.core, core_op(b.core, (uint16_t)op, arg));
		cr_assert_eq(have->tag, NODE_CONST, "%s", i->id);
		cr_assert_eq(have->kind, op_result_kind((Op)op), "%s", i->id);
		bool same = have->kind == KIND_REAL
				    ? have->num == want.r || (isnan(have->num) && isnan(want.r))
				    : have->integer == want.i;
		cr_assert(same, "%s", i->id);
	}
	cr_assert(!core_int_overflow(b.core));
	core_op2(b.core, OP_idiv, core_int_const(b.core, 1), core_int_const(b.core, 0));
	cr_assert(core_int_overflow(b.core) && !core_int_overflow(b.core));
	arena_free(b.arena);
}
