/* ir_math.h — the functions of ops.def as vector IR, and random numbers. */
#ifndef PNN_COMPILER_IR_MATH_H
#define PNN_COMPILER_IR_MATH_H
#include "compiler/ir.h"
#include "lang/op.h"

/* The value of a row of ops.def on lanes (or one scalar) of reals, i64 or i1; b is NULL for
 * functions of one argument. Results are reals, i64 or (truth) i1. Every row is known. The bits of
 * a lane depend on its operands alone. Greatest errors measured, in units of the last place: 4 over
 * the whole range, 6 for trigamma and polygamma of orders to 7, the C library's for lgamma and for
 * sin, cos, tan beyond 1e6 (floats: 1e5). May end the present block (rare arguments are computed
 * behind a branch). */
LLVMValueRef ir_op(Ir *g, Op op, LLVMValueRef a, LLVMValueRef b);
/* x^n, n > 0, by squaring (the order of products of interp_vm.c). */
LLVMValueRef ir_powi(Ir *g, LLVMValueRef x, int64_t n);
/* Uniform or normal numbers of runtime/rng.h: seed, stream, step scalars (i64); index[0..3] i64
 * lanes or scalars. Uniform ones have the interpreter's bits. */
LLVMValueRef ir_random(Ir *g, bool normal, unsigned lanes, LLVMValueRef seed, LLVMValueRef stream, LLVMValueRef step,
		       LLVMValueRef index[4]);
#endif
