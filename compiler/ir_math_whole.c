/* ir_math_whole.c — operations on ints and between ints and reals. Nothing traps: divisors that would
 * are replaced first. */
#include "compiler/ir_math_int.h"

static Val equal(Ir *g, Val a, int64_t k)
{
	return LLVMBuildICmp(g->b, LLVMIntEQ, a, m_int(g, k, a), "");
}

/* Quotient towards -inf; *rest has the sign of b. b = 0: the answers are 0. */
static Val divide(Ir *g, Val a, Val b, Val *rest)
{
	Val zero = m_int(g, 0, a), none = equal(g, b, 0), minus = equal(g, b, -1);
	Val safe = m_sel(g, LLVMBuildOr(g->b, none, minus, ""), m_int(g, 1, a), b);
	Val q = LLVMBuildSDiv(g->b, a, safe, "");
	Val r = LLVMBuildSub(g->b, a, LLVMBuildMul(g->b, q, safe, ""), "");
	Val signs = LLVMBuildICmp(g->b, LLVMIntSLT, LLVMBuildXor(g->b, r, safe, ""), zero, "");
	Val off = LLVMBuildAnd(g->b, signs, LLVMBuildICmp(g->b, LLVMIntNE, r, zero, ""), "");
	*rest = LLVMBuildAdd(g->b, r, m_sel(g, off, safe, zero), "");
	q = LLVMBuildAdd(g->b, q, m_sel(g, off, m_int(g, -1, a), zero), "");
	q = m_sel(g, minus, LLVMBuildNeg(g->b, a, ""), q);
	return m_sel(g, none, zero, q);
}

static Val shift(Ir *g, Op op, Val a, Val b)
{
	Val out = LLVMBuildICmp(g->b, LLVMIntUGT, b, m_int(g, 63, b), "");
	if (op == OP_shl) {
		Val y = LLVMBuildShl(g->b, a, m_iand(g, b, 63), "");
		return m_sel(g, out, m_int(g, 0, a), y);
	}
	return LLVMBuildAShr(g->b, a, m_sel(g, out, m_int(g, 63, b), b), "");
}

/* The floor, held within 64 bits; 0 of NaN. */
static Val to_int(Ir *g, Val a)
{
	Val f = ir_intrinsic(g, "llvm.floor", 1, &a);
	Val high = m_cmpk(g, LLVMRealOGE, f, 0x1p63), low = m_cmpk(g, LLVMRealOLE, f, -0x1p63);
	Val in = m_cmpk(g, LLVMRealOLT, ir_abs(g, f), 0x1p63);
	Val safe = m_sel(g, in, f, m_real(g, 0, f));
	Val y = LLVMBuildFPToSI(g->b, safe, ir_vec(g, g->i64, ir_lanes(a)), "");
	y = m_sel(g, high, m_int(g, INT64_MAX, y), y);
	return m_sel(g, low, m_int(g, INT64_MIN, y), y);
}

Val math_integer(Ir *g, Op op, Val a, Val b)
{
	Val rest;
	switch (op) {
	case OP_idiv:
		return divide(g, a, b, &rest);
	case OP_imod:
		divide(g, a, b, &rest);
		return rest;
	case OP_iabs:
		return ir_intrinsic(g, "llvm.abs", 2, (Val[]){a, LLVMConstInt(g->i1, 0, false)});
	case OP_imin:
		return ir_intrinsic(g, "llvm.smin", 2, (Val[]){a, b});
	case OP_imax:
		return ir_intrinsic(g, "llvm.smax", 2, (Val[]){a, b});
	case OP_band:
		return LLVMBuildAnd(g->b, a, b, "");
	case OP_bor:
		return LLVMBuildOr(g->b, a, b, "");
	case OP_bxor:
		return LLVMBuildXor(g->b, a, b, "");
	case OP_shl:
	case OP_shr:
		return shift(g, op, a, b);
	case OP_real:
		return LLVMBuildSIToFP(g->b, a, ir_vec(g, g->real, ir_lanes(a)), "");
	default:
		return to_int(g, a);
	}
}
