/* ir.c — see ir.h. */
#include "compiler/ir.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LANES_MAX = 64 };

void ir_begin(Ir *g, LLVMContextRef ctx, const char *name, IrTarget target, unsigned real_bytes)
{
	memset(g, 0, sizeof *g);
	g->ctx = ctx;
	g->mod = LLVMModuleCreateWithNameInContext(name, ctx);
	g->b = LLVMCreateBuilderInContext(ctx);
	g->target = target;
	g->real_bytes = real_bytes;
	g->vl = target.vector_bytes / real_bytes;
	g->real = real_bytes == 4 ? LLVMFloatTypeInContext(ctx) : LLVMDoubleTypeInContext(ctx);
	g->i1 = LLVMInt1TypeInContext(ctx);
	g->i8 = LLVMInt8TypeInContext(ctx);
	g->i32 = LLVMInt32TypeInContext(ctx);
	g->i64 = LLVMInt64TypeInContext(ctx);
	g->ptr = LLVMPointerTypeInContext(ctx, 0);
	g->nothing = LLVMVoidTypeInContext(ctx);
}

void ir_end(Ir *g)
{
	LLVMDisposeBuilder(g->b);
	g->b = NULL;
}

LLVMTypeRef ir_vec(const Ir *g, LLVMTypeRef element, unsigned lanes)
{
	(void)g;
	return lanes == 1 ? element : LLVMVectorType(element, lanes);
}

unsigned ir_lanes(LLVMValueRef v)
{
	LLVMTypeRef t = LLVMTypeOf(v);
	return LLVMGetTypeKind(t) == LLVMVectorTypeKind ? LLVMGetVectorSize(t) : 1;
}

LLVMTypeRef ir_element(LLVMValueRef v)
{
	LLVMTypeRef t = LLVMTypeOf(v);
	return LLVMGetTypeKind(t) == LLVMVectorTypeKind ? LLVMGetElementType(t) : t;
}

static LLVMValueRef const_splat(LLVMValueRef c, unsigned lanes)
{
	if (lanes == 1) {
		return c;
	}
	assert(lanes <= LANES_MAX);
	LLVMValueRef all[LANES_MAX];
	for (unsigned k = 0; k < lanes; k++) {
		all[k] = c;
	}
	return LLVMConstVector(all, lanes);
}

LLVMValueRef ir_int(const Ir *g, int64_t v)
{
	return LLVMConstInt(g->i64, (unsigned long long)v, true);
}

LLVMValueRef ir_real(const Ir *g, double v, unsigned lanes)
{
	return const_splat(LLVMConstReal(g->real, g->real_bytes == 4 ? (double)(float)v : v),
			   lanes);
}

LLVMValueRef ir_const_like(const Ir *g, double v, LLVMValueRef like)
{
	return ir_real(g, v, ir_lanes(like));
}

LLVMValueRef ir_int_like(const Ir *g, int64_t v, LLVMValueRef like)
{
	(void)g;
	return const_splat(LLVMConstInt(ir_element(like), (unsigned long long)v, true),
			   ir_lanes(like));
}

LLVMValueRef ir_splat(Ir *g, LLVMValueRef scalar, unsigned lanes)
{
	if (ir_lanes(scalar) == lanes) {
		return scalar;
	}
	assert(ir_lanes(scalar) == 1);
	if (LLVMIsConstant(scalar) && !LLVMIsUndef(scalar)) {
		return const_splat(scalar, lanes);
	}
	LLVMTypeRef t = LLVMVectorType(LLVMTypeOf(scalar), lanes);
	LLVMValueRef one = LLVMBuildInsertElement(g->b, LLVMGetPoison(t), scalar,
						  LLVMConstInt(g->i32, 0, false), "");
	return LLVMBuildShuffleVector(g->b, one, LLVMGetPoison(t),
				      LLVMConstNull(LLVMVectorType(g->i32, lanes)), "");
}

LLVMValueRef ir_iota(const Ir *g, unsigned lanes)
{
	assert(lanes <= LANES_MAX);
	LLVMValueRef all[LANES_MAX];
	for (unsigned k = 0; k < lanes; k++) {
		all[k] = ir_int(g, k);
	}
	return lanes == 1 ? all[0] : LLVMConstVector(all, lanes);
}

LLVMValueRef ir_at(Ir *g, LLVMTypeRef element, LLVMValueRef base, LLVMValueRef index)
{
	if (LLVMIsAConstantInt(index) && LLVMConstIntGetZExtValue(index) == 0) {
		return base;
	}
	return LLVMBuildGEP2(g->b, element, base, &index, 1, "");
}

static unsigned size_of(const Ir *g, LLVMTypeRef element)
{
	return element == g->real  ? g->real_bytes
	       : element == g->i64 ? 8
	       : element == g->i32 ? 4
				   : 1;
}

/* Intrinsics on a vector and a pointer: the overload is on both types. */
static LLVMValueRef masked(Ir *g, const char *name, LLVMTypeRef vec, bool vector_of_pointers,
			   unsigned n, LLVMValueRef *arg)
{
	unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
	unsigned lanes = LLVMGetVectorSize(vec);
	LLVMTypeRef over[2] = {vec, vector_of_pointers ? LLVMVectorType(g->ptr, lanes) : g->ptr};
	LLVMValueRef f = LLVMGetIntrinsicDeclaration(g->mod, id, over, 2);
	return LLVMBuildCall2(g->b, LLVMIntrinsicGetType(g->ctx, id, over, 2), f, arg, n, "");
}

LLVMValueRef ir_load(Ir *g, LLVMTypeRef element, unsigned lanes, LLVMValueRef at, LLVMValueRef mask)
{
	LLVMTypeRef t = ir_vec(g, element, lanes);
	if (mask && lanes > 1) {
		LLVMValueRef arg[4] = {at, LLVMConstInt(g->i32, size_of(g, element), false), mask,
				       LLVMConstNull(t)};
		return masked(g, "llvm.masked.load", t, false, 4, arg);
	}
	LLVMValueRef v = LLVMBuildLoad2(g->b, t, at, "");
	LLVMSetAlignment(v, size_of(g, element));
	return v;
}

void ir_store(Ir *g, LLVMValueRef v, LLVMValueRef at, LLVMValueRef mask)
{
	unsigned size = size_of(g, ir_element(v));
	if (mask && ir_lanes(v) > 1) {
		LLVMValueRef arg[4] = {v, at, LLVMConstInt(g->i32, size, false), mask};
		masked(g, "llvm.masked.store", LLVMTypeOf(v), false, 4, arg);
		return;
	}
	LLVMSetAlignment(LLVMBuildStore(g->b, v, at), size);
}

static LLVMValueRef lane_number(const Ir *g, unsigned k)
{
	return LLVMConstInt(g->i32, k, false);
}

LLVMValueRef ir_gather(Ir *g, LLVMTypeRef element, LLVMValueRef base, LLVMValueRef place,
		       LLVMValueRef mask)
{
	unsigned lanes = ir_lanes(place);
	if (lanes == 1) {
		return ir_load(g, element, 1, ir_at(g, element, base, place), NULL);
	}
	LLVMTypeRef t = LLVMVectorType(element, lanes);
	LLVMValueRef at = LLVMBuildGEP2(g->b, element, base, &place, 1, "");
	LLVMValueRef all = const_splat(LLVMConstInt(g->i1, 1, false), lanes);
	LLVMValueRef arg[4] = {at, LLVMConstInt(g->i32, size_of(g, element), false),
			       mask ? mask : all, LLVMConstNull(t)};
	return masked(g, "llvm.masked.gather", t, true, 4, arg);
}

LLVMValueRef ir_load_strided(Ir *g, LLVMTypeRef element, unsigned lanes, LLVMValueRef at,
			     LLVMValueRef stride, LLVMValueRef mask)
{
	if (lanes == 1) {
		return ir_load(g, element, 1, at, NULL);
	}
	LLVMValueRef place = LLVMBuildMul(g->b, ir_iota(g, lanes), ir_splat(g, stride, lanes), "");
	return ir_gather(g, element, at, place, mask);
}

void ir_store_strided(Ir *g, LLVMValueRef v, LLVMValueRef at, LLVMValueRef stride,
		      LLVMValueRef mask)
{
	unsigned lanes = ir_lanes(v);
	if (lanes == 1) {
		ir_store(g, v, at, NULL);
		return;
	}
	LLVMTypeRef element = ir_element(v);
	LLVMValueRef place = LLVMBuildMul(g->b, ir_iota(g, lanes), ir_splat(g, stride, lanes), "");
	LLVMValueRef to = LLVMBuildGEP2(g->b, element, at, &place, 1, "");
	LLVMValueRef all = const_splat(LLVMConstInt(g->i1, 1, false), lanes);
	LLVMValueRef arg[4] = {v, to, LLVMConstInt(g->i32, size_of(g, element), false),
			       mask ? mask : all};
	masked(g, "llvm.masked.scatter", LLVMTypeOf(v), true, 4, arg);
}

LLVMValueRef ir_mask(Ir *g, unsigned lanes, LLVMValueRef left)
{
	return LLVMBuildICmp(g->b, LLVMIntSLT, ir_iota(g, lanes), ir_splat(g, left, lanes), "");
}

LLVMValueRef ir_intrinsic(Ir *g, const char *name, unsigned n, LLVMValueRef *arg)
{
	unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
	assert(id);
	LLVMTypeRef over = LLVMTypeOf(arg[0]);
	LLVMValueRef f = LLVMGetIntrinsicDeclaration(g->mod, id, &over, 1);
	return LLVMBuildCall2(g->b, LLVMIntrinsicGetType(g->ctx, id, &over, 1), f, arg, n, "");
}

LLVMValueRef ir_fma(Ir *g, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c)
{
	if (!g->target.fma) {
		return LLVMBuildFAdd(g->b, LLVMBuildFMul(g->b, a, b, ""), c, "");
	}
	return ir_intrinsic(g, "llvm.fma", 3, (LLVMValueRef[]){a, b, c});
}

LLVMValueRef ir_abs(Ir *g, LLVMValueRef a)
{
	return ir_intrinsic(g, "llvm.fabs", 1, &a);
}

LLVMValueRef ir_copysign(Ir *g, LLVMValueRef magnitude, LLVMValueRef sign)
{
	return ir_intrinsic(g, "llvm.copysign", 2, (LLVMValueRef[]){magnitude, sign});
}

LLVMValueRef ir_sum_lanes(Ir *g, LLVMValueRef v)
{
	for (unsigned n = ir_lanes(v); n > 1; n /= 2) {
		LLVMValueRef low[LANES_MAX], high[LANES_MAX];
		for (unsigned k = 0; k < n / 2; k++) {
			low[k] = lane_number(g, k);
			high[k] = lane_number(g, k + n / 2);
		}
		if (n == 2) {
			return LLVMBuildFAdd(g->b, LLVMBuildExtractElement(g->b, v, low[0], ""),
					     LLVMBuildExtractElement(g->b, v, high[0], ""), "");
		}
		LLVMValueRef none = LLVMGetPoison(LLVMTypeOf(v));
		LLVMValueRef a =
			LLVMBuildShuffleVector(g->b, v, none, LLVMConstVector(low, n / 2), "");
		LLVMValueRef b =
			LLVMBuildShuffleVector(g->b, v, none, LLVMConstVector(high, n / 2), "");
		v = LLVMBuildFAdd(g->b, a, b, "");
	}
	return v;
}

static LLVMBasicBlockRef block_new(Ir *g)
{
	return LLVMAppendBasicBlockInContext(g->ctx, g->fn, "");
}

void ir_loop(Ir *g, IrLoop *l, LLVMValueRef begin, LLVMValueRef end, int64_t step, unsigned nphi,
	     LLVMValueRef *first, bool once)
{
	assert(nphi <= IR_PHIS);
	l->before = LLVMGetInsertBlock(g->b);
	l->head = block_new(g);
	l->exit = block_new(g);
	l->end = end;
	l->step = ir_int(g, step);
	l->nphi = nphi;
	if (once) {
		LLVMBuildBr(g->b, l->head);
	} else {
		LLVMBuildCondBr(g->b, LLVMBuildICmp(g->b, LLVMIntSLT, begin, end, ""), l->head,
				l->exit);
	}
	LLVMPositionBuilderAtEnd(g->b, l->head);
	l->i = LLVMBuildPhi(g->b, g->i64, "");
	LLVMAddIncoming(l->i, &begin, &l->before, 1);
	for (unsigned k = 0; k < nphi; k++) {
		l->first[k] = first[k];
		l->phi[k] = LLVMBuildPhi(g->b, LLVMTypeOf(first[k]), "");
		LLVMAddIncoming(l->phi[k], &first[k], &l->before, 1);
	}
	/* whether the test before the loop can jump past it is remembered by the end value */
	l->before = once ? NULL : l->before;
}

void ir_loop_end(Ir *g, IrLoop *l, LLVMValueRef *next)
{
	LLVMBasicBlockRef latch = LLVMGetInsertBlock(g->b);
	LLVMValueRef i = LLVMBuildAdd(g->b, l->i, l->step, "");
	LLVMAddIncoming(l->i, &i, &latch, 1);
	for (unsigned k = 0; k < l->nphi; k++) {
		LLVMAddIncoming(l->phi[k], &next[k], &latch, 1);
	}
	LLVMBuildCondBr(g->b, LLVMBuildICmp(g->b, LLVMIntSLT, i, l->end, ""), l->head, l->exit);
	LLVMMoveBasicBlockAfter(l->exit, latch);
	LLVMPositionBuilderAtEnd(g->b, l->exit);
	for (unsigned k = 0; k < l->nphi; k++) {
		if (!l->before) {
			l->phi[k] = next[k];
			continue;
		}
		LLVMValueRef out = LLVMBuildPhi(g->b, LLVMTypeOf(next[k]), "");
		LLVMAddIncoming(out, &l->first[k], &l->before, 1);
		LLVMAddIncoming(out, &next[k], &latch, 1);
		l->phi[k] = out;
	}
}

void ir_if(Ir *g, IrIf *w, LLVMValueRef cond)
{
	w->then = block_new(g);
	w->after = block_new(g);
	LLVMBuildCondBr(g->b, cond, w->then, w->after);
	LLVMPositionBuilderAtEnd(g->b, w->then);
}

void ir_if_end(Ir *g, IrIf *w)
{
	LLVMBuildBr(g->b, w->after);
	LLVMMoveBasicBlockAfter(w->after, LLVMGetInsertBlock(g->b));
	LLVMPositionBuilderAtEnd(g->b, w->after);
}

static void text_attribute(Ir *g, LLVMValueRef f, const char *key, const char *value)
{
	LLVMAddAttributeAtIndex(f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
				LLVMCreateStringAttribute(g->ctx, key, (unsigned)strlen(key), value,
							  (unsigned)strlen(value)));
}

LLVMValueRef ir_function(Ir *g, const char *name, LLVMTypeRef result, unsigned n,
			 LLVMTypeRef *param, bool internal)
{
	LLVMValueRef f = LLVMAddFunction(g->mod, name, LLVMFunctionType(result, param, n, false));
	LLVMSetLinkage(f, internal ? LLVMInternalLinkage : LLVMExternalLinkage);
	unsigned nounwind = LLVMGetEnumAttributeKindForName("nounwind", 8);
	LLVMAddAttributeAtIndex(f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
				LLVMCreateEnumAttribute(g->ctx, nounwind, 0));
	if (g->target.vector_bytes == 64) {
		text_attribute(g, f, "prefer-vector-width", "512");
		text_attribute(g, f, "min-legal-vector-width", "512");
	}
	g->fn = f;
	LLVMPositionBuilderAtEnd(g->b, LLVMAppendBasicBlockInContext(g->ctx, f, ""));
	return f;
}

IrPlace ir_leave(Ir *g)
{
	return (IrPlace){g->fn, LLVMGetInsertBlock(g->b)};
}

void ir_return(Ir *g, IrPlace p)
{
	g->fn = p.fn;
	if (p.block) {
		LLVMPositionBuilderAtEnd(g->b, p.block);
	}
}
