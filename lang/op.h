/* op.h — access to ops.def, the one table of scalar operations. */
#ifndef PNN_LANG_OP_H
#define PNN_LANG_OP_H
#include <stdint.h>
#include "lang/core.h"

typedef enum Op {
	OP_NONE,
#define OP(id, syntax, n, sig, units, value, da, db, lower, doc) OP_##id,
#include "lang/ops.def"
#undef OP
	OPS
} Op;

/* Argument and result kinds: REAL -> REAL and so on. */
typedef enum { SIG_R_R, SIG_RR_R, SIG_R_B, SIG_RR_B, SIG_I_I, SIG_II_I, SIG_II_B, SIG_B_B, SIG_BB_B, SIG_I_R, SIG_R_I } OpSig;
/* What an operation asks of units: PURE: arguments and result are numbers; SAME: equal units, result the same; RATIO: equal
 * units, result a number; ROOT2/ROOT3: root of the unit; ANY: any unit, result a number (sign); NONE: ints and bools. */
typedef enum { UNITS_PURE, UNITS_SAME, UNITS_RATIO, UNITS_ROOT2, UNITS_ROOT3, UNITS_ANY, UNITS_NONE } OpUnits;

typedef struct OpInfo {
	const char *id, *syntax;
	unsigned n;
	OpSig sig;
	OpUnits units;
	const char *partial[2]; /* core text in a, b (arguments) and y (result); "0" where piecewise constant; "NONE": not differentiable */
	const char *lower, *doc;
} OpInfo;

const OpInfo *op_info(Op op);
Op op_find(const char *syntax); /* OP_NONE if there is none; the first row where several share the syntax */
Op op_find_kind(const char *syntax, Kind args); /* the row of that syntax whose arguments are of that kind */
Kind op_arg_kind(Op op);
Kind op_result_kind(Op op);
/* Value of one element: the reference arithmetic, also used to fold constants. Reals and ints by the signature. */
typedef union OpValue { double r; int64_t i; } OpValue;
OpValue op_apply(Op op, const OpValue *args);
/* ∂op/∂argument k as a node over the given argument nodes and result node; 0 if it is identically zero;
 * *differentiable is false for NONE. */
Node op_partial(Core *c, Op op, unsigned k, const Node *args, Node result, bool *differentiable);
#endif
