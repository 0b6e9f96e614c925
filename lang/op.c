/* op.c — access to ops.def: rows, values of single elements, partial derivatives as nodes. */
#include "lang/op.h"

#include <assert.h>
#include <string.h>

#include "lang/core_int.h"
#include "lang/op_value.h"

/* A row without partials does not build: an operation of n arguments has n nonempty texts. */
#define OP(id, syntax, n, sig, units, value, da, db, lower, doc)                                   \
	_Static_assert(sizeof(da) > 1 && (sizeof(db) > 1) == ((n) == 2),                           \
		       "ops.def: " #id " lacks a partial derivative");
#include "lang/ops.def"
#undef OP

static const OpInfo rows[] = {
	{.id = "none", .syntax = ""},
#define OP(id, syntax, n, sig, units, value, da, db, lower, doc)                                   \
	{#id, syntax, n, sig, units, {da, db}, lower, doc},
#include "lang/ops.def"
#undef OP
};

const OpInfo *op_info(Op op)
{
	assert((unsigned)op < OPS);
	return &rows[op];
}

Op op_find(const char *syntax)
{
	for (unsigned k = 1; k < OPS; k++) {
		if (strcmp(rows[k].syntax, syntax) == 0) {
			return (Op)k;
		}
	}
	return OP_NONE;
}

static const struct {
	Kind arg, result;
} signatures[] = {
	[SIG_R_R] = {KIND_REAL, KIND_REAL},  [SIG_RR_R] = {KIND_REAL, KIND_REAL},
	[SIG_R_B] = {KIND_REAL, KIND_BOOL},  [SIG_RR_B] = {KIND_REAL, KIND_BOOL},
	[SIG_I_I] = {KIND_INT, KIND_INT},    [SIG_II_I] = {KIND_INT, KIND_INT},
	[SIG_II_B] = {KIND_INT, KIND_BOOL},  [SIG_B_B] = {KIND_BOOL, KIND_BOOL},
	[SIG_BB_B] = {KIND_BOOL, KIND_BOOL}, [SIG_I_R] = {KIND_INT, KIND_REAL},
	[SIG_R_I] = {KIND_REAL, KIND_INT},
};

Kind op_arg_kind(Op op)
{
	return signatures[rows[op].sig].arg;
}

Kind op_result_kind(Op op)
{
	return signatures[rows[op].sig].result;
}

Op op_find_kind(const char *syntax, Kind args)
{
	for (unsigned k = 1; k < OPS; k++) {
		if (strcmp(rows[k].syntax, syntax) == 0 && op_arg_kind((Op)k) == args) {
			return (Op)k;
		}
	}
	return OP_NONE;
}

#define IN_SIG_R_R double a = x[0].r;
#define IN_SIG_RR_R double a = x[0].r, b = x[1].r;
#define IN_SIG_RR_B IN_SIG_RR_R
#define IN_SIG_I_I int64_t a = x[0].i;
#define IN_SIG_II_I int64_t a = x[0].i, b = x[1].i;
#define IN_SIG_II_B IN_SIG_II_I
#define IN_SIG_B_B IN_SIG_I_I
#define IN_SIG_BB_B IN_SIG_II_I
#define IN_SIG_I_R IN_SIG_I_I
#define IN_SIG_R_I IN_SIG_R_R
#define OUT_SIG_R_R r
#define OUT_SIG_RR_R r
#define OUT_SIG_RR_B i
#define OUT_SIG_I_I i
#define OUT_SIG_II_I i
#define OUT_SIG_II_B i
#define OUT_SIG_B_B i
#define OUT_SIG_BB_B i
#define OUT_SIG_I_R r
#define OUT_SIG_R_I i

OpValue op_apply(Op op, const OpValue *x)
{
	OpValue y = {.i = 0};
	switch (op) {
#define OP(id, syntax, n, sig, units, value, da, db, lower, doc)                                   \
	case OP_##id: {                                                                            \
		IN_##sig y.OUT_##sig = (value);                                                    \
		break;                                                                             \
	}
#include "lang/ops.def"
#undef OP
	case OP_NONE:
	case OPS:
		assert(!"no such operation");
	}
	return y;
}

Node op_partial(Core *c, Op op, unsigned k, const Node *args, Node result, bool *differentiable)
{
	const OpInfo *info = op_info(op);
	assert(k < info->n);
	const char *text = info->partial[k];
	*differentiable = strcmp(text, "NONE") != 0;
	if (!*differentiable || strcmp(text, "0") == 0) {
		return 0;
	}
	CoreName names[] = {{"a", args[0]}, {"b", info->n > 1 ? args[1] : 0}, {"y", result}};
	Node d = core_expression(c, text, 3, names);
	return core_is_zero(c, d) ? 0 : d;
}
