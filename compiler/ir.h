/* ir.h — building LLVM IR: types of the target's vectors, loads and stores of lanes, loops, fused
 * multiply-add. All code of the generator (gen_*.c) goes through it, so that alignment, masks and
 * rounding are right in one place.
 *
 * Rounding: no fast-math flags anywhere. a*b + c is fused only where ir_fma says so; on targets
 * without the instruction it is a product and a sum. The bits of a lane therefore do not depend on
 * the width of vectors, on masks, or on the lane. */
#ifndef PNN_COMPILER_IR_H
#define PNN_COMPILER_IR_H
#include <llvm-c/Core.h>
#include <stdbool.h>
#include <stdint.h>

/* What the code is for. Filled by target.h from the host or from a name. */
typedef struct IrTarget {
	unsigned vector_bytes; /* 64 AVX-512, 32 AVX2, 16 SSE2 and NEON */
	unsigned registers;    /* vector registers: 32 or 16 */
	bool fma;              /* has fused multiply-add */
	bool masks;            /* loads and stores under a mask are cheap (AVX2, AVX-512) */
	bool slow_gathers;     /* slower than one load for each lane (AMD) */
} IrTarget;

typedef struct Ir {
	LLVMContextRef ctx;
	LLVMModuleRef mod;
	LLVMBuilderRef b;
	IrTarget target;
	unsigned real_bytes; /* 8 or 4 */
	unsigned vl;         /* reals in a vector: vector_bytes / real_bytes */
	LLVMTypeRef real, i1, i8, i32, i64, ptr, nothing;
	LLVMValueRef fn; /* the function being made */
} Ir;

/* A module for reals of 8 or 4 bytes. The module (mod) belongs to the context; ir_end frees the
 * builder alone. */
void ir_begin(Ir *g, LLVMContextRef ctx, const char *name, IrTarget target, unsigned real_bytes);
void ir_end(Ir *g);

/* `lanes` of a type: the type itself for one lane, else a vector. */
LLVMTypeRef ir_vec(const Ir *g, LLVMTypeRef element, unsigned lanes);
/* Lanes of a value: 1 for scalars. */
unsigned ir_lanes(LLVMValueRef v);
/* Element type of a value. */
LLVMTypeRef ir_element(LLVMValueRef v);
LLVMValueRef ir_int(const Ir *g, int64_t v); /* an i64 */
/* Constants for all lanes of the type of `like`; the number is rounded to its precision. */
LLVMValueRef ir_real(const Ir *g, double v, unsigned lanes);
LLVMValueRef ir_const_like(const Ir *g, double v, LLVMValueRef like);
LLVMValueRef ir_int_like(const Ir *g, int64_t v, LLVMValueRef like); /* integers of any width */
/* One value for all lanes; a value that has as many lanes already is returned as it is. */
LLVMValueRef ir_splat(Ir *g, LLVMValueRef scalar, unsigned lanes);
/* 0, 1, 2 … as i64 lanes. */
LLVMValueRef ir_iota(const Ir *g, unsigned lanes);

/* base + index elements of the type. */
LLVMValueRef ir_at(Ir *g, LLVMTypeRef element, LLVMValueRef base, LLVMValueRef index);
/* Neighbouring elements, aligned to one element only. mask (i1 lanes) NULL: all; lanes outside hold
 * zero, memory there is not touched. */
LLVMValueRef ir_load(Ir *g, LLVMTypeRef element, unsigned lanes, LLVMValueRef at,
		     LLVMValueRef mask);
void ir_store(Ir *g, LLVMValueRef v, LLVMValueRef at, LLVMValueRef mask);
/* Elements `stride` (i64 elements) apart, one access each. */
LLVMValueRef ir_load_strided(Ir *g, LLVMTypeRef element, unsigned lanes, LLVMValueRef at,
			     LLVMValueRef stride, LLVMValueRef mask);
void ir_store_strided(Ir *g, LLVMValueRef v, LLVMValueRef at, LLVMValueRef stride,
		      LLVMValueRef mask);
/* Elements at base + place (i64 lanes). */
LLVMValueRef ir_gather(Ir *g, LLVMTypeRef element, LLVMValueRef base, LLVMValueRef place,
		       LLVMValueRef mask);
/* Lanes with number < left (i64): i1 lanes. */
LLVMValueRef ir_mask(Ir *g, unsigned lanes, LLVMValueRef left);

/* a*b + c, fused where the target can (scalars and vectors). */
LLVMValueRef ir_fma(Ir *g, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c);
/* An intrinsic such as "llvm.fabs" overloaded on the type of its first argument. */
LLVMValueRef ir_intrinsic(Ir *g, const char *name, unsigned n, LLVMValueRef *arg);
LLVMValueRef ir_abs(Ir *g, LLVMValueRef a);
LLVMValueRef ir_copysign(Ir *g, LLVMValueRef magnitude, LLVMValueRef sign);
/* Sum of all lanes in a tree of fixed shape: halves are added until one lane is left. */
LLVMValueRef ir_sum_lanes(Ir *g, LLVMValueRef v);

/* for (i = begin; i < end; i += step) with values carried round. ir_loop leaves the builder in the
 * body; after ir_loop_end it stands behind the loop and phi[] hold the values at its end. */
enum { IR_PHIS = 40 };
typedef struct IrLoop {
	LLVMBasicBlockRef before, head, exit;
	LLVMValueRef i, end, step;
	unsigned nphi;
	LLVMValueRef phi[IR_PHIS]; /* in the body: values at the beginning of a pass */
	LLVMValueRef first[IR_PHIS];
} IrLoop;
/* once: the caller knows that begin < end (no test before the first pass). */
void ir_loop(Ir *g, IrLoop *l, LLVMValueRef begin, LLVMValueRef end, int64_t step, unsigned nphi,
	     LLVMValueRef *first, bool once);
void ir_loop_end(Ir *g, IrLoop *l, LLVMValueRef *next);

/* if (cond) { … } without else: leaves the builder inside; ir_if_end behind. */
typedef struct IrIf {
	LLVMBasicBlockRef then, after;
} IrIf;
void ir_if(Ir *g, IrIf *w, LLVMValueRef cond);
void ir_if_end(Ir *g, IrIf *w);

/* A function of the module, its entry block made and the builder in it; params as LLVM values by
 * LLVMGetParam. internal: not seen outside. */
LLVMValueRef ir_function(Ir *g, const char *name, LLVMTypeRef result, unsigned n,
			 LLVMTypeRef *param, bool internal);
/* Where the builder stood, to go on with another function in between. */
typedef struct IrPlace {
	LLVMValueRef fn;
	LLVMBasicBlockRef block;
} IrPlace;
IrPlace ir_leave(Ir *g);
void ir_return(Ir *g, IrPlace p);
#endif
