/* ir_math.c — see ir_math.h: which function does which row; what takes one instruction or two. */
#include "compiler/ir_math_int.h"
#include <assert.h>

static Val intrinsic1(Ir *g, const char *name, Val a)
{
	return ir_intrinsic(g, name, 1, &a);
}

static Val sign_(Ir *g, Val a)
{
	Val zero = m_real(g, 0, a);
	Val y = m_sel(g, m_cmp(g, LLVMRealOLT, a, zero), m_real(g, -1, a), zero);
	y = m_sel(g, m_cmp(g, LLVMRealOGT, a, zero), m_real(g, 1, a), y);
	return m_sel(g, m_cmp(g, LLVMRealUNO, a, a), a, y);
}

/* a if a keeps the order (p), else b; a NaN wins. */
static Val choose(Ir *g, LLVMRealPredicate p, Val a, Val b)
{
	return m_sel(g, m_cmp(g, LLVMRealUNO, a, a), a, m_sel(g, m_cmp(g, p, a, b), a, b));
}

/* Comparisons and truth values. */
static Val truth(Ir *g, Op op, Val a, Val b)
{
	switch (op) {
	case OP_lt:
		return m_cmp(g, LLVMRealOLT, a, b);
	case OP_le:
		return m_cmp(g, LLVMRealOLE, a, b);
	case OP_eq:
		return m_cmp(g, LLVMRealOEQ, a, b);
	case OP_ne:
		return m_cmp(g, LLVMRealUNE, a, b);
	case OP_ilt:
		return LLVMBuildICmp(g->b, LLVMIntSLT, a, b, "");
	case OP_ile:
		return LLVMBuildICmp(g->b, LLVMIntSLE, a, b, "");
	case OP_ieq:
	case OP_beq:
		return LLVMBuildICmp(g->b, LLVMIntEQ, a, b, "");
	case OP_ine:
		return LLVMBuildICmp(g->b, LLVMIntNE, a, b, "");
	case OP_not:
		return LLVMBuildXor(g->b, a, m_int(g, 1, a), "");
	case OP_and:
		return LLVMBuildAnd(g->b, a, b, "");
	default:
		assert(op == OP_or);
		return LLVMBuildOr(g->b, a, b, "");
	}
}

static Val real(Ir *g, Op op, Val a, Val b)
{
	switch (op) {
	case OP_sqrt:
		return m_sqrt(g, a);
	case OP_abs:
		return ir_abs(g, a);
	case OP_sign:
		return sign_(g, a);
	case OP_floor:
		return intrinsic1(g, "llvm.floor", a);
	case OP_ceil:
		return intrinsic1(g, "llvm.ceil", a);
	case OP_round:
		return intrinsic1(g, "llvm.round", a);
	case OP_min:
		return choose(g, LLVMRealOLE, a, b);
	case OP_max:
		return choose(g, LLVMRealOGE, a, b);
	case OP_exp:
	case OP_expm1:
	case OP_tanh:
	case OP_sigmoid:
	case OP_sinh:
	case OP_cosh:
		return math_exp(g, op, a);
	case OP_log:
	case OP_log1p:
	case OP_softplus:
	case OP_asinh:
	case OP_acosh:
	case OP_atanh:
		return math_log(g, op, a);
	case OP_sin:
	case OP_cos:
	case OP_tan:
		return math_trig(g, op, a);
	case OP_asin:
	case OP_acos:
	case OP_atan:
		return math_inverse(g, op, a);
	case OP_atan2:
		return math_atan2(g, a, b);
	case OP_erf:
	case OP_erfc:
		return math_erf(g, op, a);
	case OP_cbrt:
		return math_cbrt(g, a);
	case OP_pow:
		return math_pow(g, a, b);
	case OP_mod:
		return math_mod(g, a, b);
	default:
		return math_gamma(g, op, a, b);
	}
}

LLVMValueRef ir_op(Ir *g, Op op, LLVMValueRef a, LLVMValueRef b)
{
	if (b && ir_lanes(a) != ir_lanes(b)) {
		unsigned n = ir_lanes(a) > ir_lanes(b) ? ir_lanes(a) : ir_lanes(b);
		a = ir_splat(g, a, n);
		b = ir_splat(g, b, n);
	}
	Kind kind = op_result_kind(op);
	if (kind == KIND_BOOL) {
		return truth(g, op, a, b);
	}
	bool integer = kind == KIND_INT || op_arg_kind(op) == KIND_INT;
	return integer ? math_integer(g, op, a, b) : real(g, op, a, b);
}

LLVMValueRef ir_powi(Ir *g, LLVMValueRef x, int64_t n)
{
	Val r = NULL;
	for (uint64_t bits = (uint64_t)n; bits; bits >>= 1) {
		if (bits & 1) {
			r = r ? m_mul(g, r, x) : x; /* 1*x is x */
		}
		x = bits > 1 ? m_mul(g, x, x) : x;
	}
	return r ? r : m_real(g, 1, x);
}
