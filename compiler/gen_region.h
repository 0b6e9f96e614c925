/* gen_region.h — what gen_region.c (which steps, which operands) and gen_region_emit.c (the kernel)
 * share. */
#ifndef PNN_COMPILER_GEN_REGION_H
#define PNN_COMPILER_GEN_REGION_H
#include "compiler/gen.h"

enum {
	REGION_STEPS = 32,
	REGION_REFS = 96,
	REGION_PRODUCTS = 16,
	REGION_ARGS = 200,
	REGION_CLASSES = 12
};

/* Elements of one buffer as the region walks over them: (row, lane) at base + row*rs + lane*ls. */
typedef struct RegionRef {
	const Access *access; /* base and slots */
	int64_t rs, ls;
	uint32_t row;       /* number of rs among the different row strides */
	bool integer, tile; /* tile memory: rows are whole vectors */
	bool written;       /* by the region, before anything in it reads it */
	bool stored;        /* somebody outside reads it */
	bool wide;          /* elements beside the lanes' own are read */
	uint32_t arg;       /* of the kernel: its address */
} RegionRef;

/* Sums S = Σ_k A[row, k]*B[k, lane]. Products of one group share A. */
typedef struct RegionProduct {
	const Gemm *gemm;
	uint32_t group, c, from; /* refs; from == c: added to; REGION_REFS: nothing */
	uint32_t b, bk;          /* arguments: address and stride of B */
} RegionProduct;
typedef struct RegionGroup {
	const Gemm *gemm;
	uint32_t a, am, ak, k; /* arguments; am, ak only where not 1 */
} RegionGroup;

typedef struct RegionStep {
	const Nest *nest; /* or */
	uint32_t product;
	uint32_t *ref;     /* by access of the nest */
	uint32_t label[2]; /* arguments: label of row 0, label of lane 0 */
	bool labels;
	uint32_t fault; /* argument: number of the nest's first fault; 0: it has none */
} RegionStep;

typedef struct Region {
	Gen *g;
	const GenPlace *w;
	uint32_t nstep, nref, nproduct, ngroup, nrow, narg;
	RegionStep step[REGION_STEPS];
	RegionRef ref[REGION_REFS];
	RegionProduct product[REGION_PRODUCTS];
	RegionGroup group[REGION_PRODUCTS];
	int64_t row[REGION_CLASSES]; /* different row strides */
	uint32_t row_arg[REGION_CLASSES], rows_arg, lanes_arg, context_arg;
	uint32_t *slot_arg; /* by slot, 0: not used */
	int64_t rows, width;
	unsigned mr, nv; /* rows and vectors of a block */
	LLVMValueRef arg[REGION_ARGS];
	size_t code; /* instructions of all nests: how much is unrolled */
} Region;

/* The kernel: void (context, rows, lanes, …) with the arguments of the region. */
LLVMValueRef region_kernel(Region *r);
#endif
