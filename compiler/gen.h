/* gen.h — from plans to LLVM IR: what the files gen_*.c and exec.c share.
 *
 * A module holds, for one plan:
 *   i32 pnn_fixed(ptr context)              what is computed when data change
 *   i32 pnn_body(ptr context)               every run
 *   void pnn_block_<t>(ptr context, i64 b)  block b of tile loop t: accumulators from their neutral
 *                                           elements, then its tiles in order
 *   void pnn_join_<t>(ptr context)          the fixed tree over the blocks of loop t
 * The body asks context->tiles for a whole tile loop; that runs all blocks (by any number of
 * threads) and then the join. Kernels (nests, contractions, regions) are internal functions, made
 * once for each structure: sizes, strides and offsets are arguments, so that layers share code. */
#ifndef PNN_COMPILER_GEN_H
#define PNN_COMPILER_GEN_H
#include "compiler/ir.h"
#include "compiler/plan_int.h"

/* What compiled code is given; the layout is known to the code (gen_context_*). One for each
 * worker. */
typedef struct GenContext {
	const void *const *leaf; /* bases of leaves and of buffers apart, by Buffer.id */
	void *fixed, *global, *tile, *block;
	int64_t *slot; /* slots of loops around a tile loop */
	uint64_t seed, step;
	int64_t fault, fault_value; /* 1 + number of the first fault (Gen.fault), and its value */
	void (*tiles)(struct GenContext *context, int64_t loop);
	void *exec; /* of the owner */
	/* operation `number` of Plan.matrix, from the argument to at most three results */
	void (*matrix)(struct GenContext *context, int64_t number, const void *in, void *a, void *b, void *c);
} GenContext;
enum { CONTEXT_LEAF, CONTEXT_FIXED, CONTEXT_GLOBAL, CONTEXT_TILE, CONTEXT_BLOCK, CONTEXT_SLOT, CONTEXT_SEED,
       CONTEXT_STEP, CONTEXT_FAULT, CONTEXT_VALUE, CONTEXT_TILES, CONTEXT_EXEC, CONTEXT_MATRIX }; /* in words of 8 bytes */

typedef struct GenFault {
	const Nest *nest;
	const Instr *at; /* NULL: the sum of a reduction of ints */
	Def def;         /* nest NULL: of the accumulators that were joined */
} GenFault;

typedef struct Gen {
	Ir ir;
	const Plan *plan;
	Arena *arena;
	/* kernels made so far, by a text that says everything about their code */
	uint32_t nkernel, kernel_room;
	struct GenKernel {
		const char *key;
		uint64_t hash;
		LLVMValueRef fn;
	} * kernel;
	uint32_t nfault, fault_room;
	GenFault *fault;
} Gen;

/* Where code is emitted: what the steps around it know. */
typedef struct GenPlace {
	LLVMValueRef context;
	LLVMValueRef *slot;  /* i64, by number of the slot; NULL where not running */
	LLVMValueRef lanes;  /* i64: records of the present tile; NULL outside tiles */
	bool partial;        /* lanes may be less than the full width: masks are needed */
	int64_t width;       /* records of a full tile */
	/* what gen_address may know already; else it reads the context */
	LLVMValueRef base[PLACES]; /* beginnings of the places, or NULL */
	const Loop *loop;          /* the tile loop, NULL outside */
	LLVMValueRef block;        /* accumulators of its present block */
	Interval *range;           /* by slot: labels that it runs through here; NULL: not known */
} GenPlace;

/* The kernel of this key, or NULL; gen_kernel_add keeps one (the key is copied). */
LLVMValueRef gen_kernel(const Gen *g, const char *key);
void gen_kernel_add(Gen *g, const char *key, LLVMValueRef fn);
/* Element type of a buffer: real, or i64 for ints and bools. */
LLVMTypeRef gen_type(const Gen *g, const Buffer *b);
/* The address of an access with all counters at 0: base of its place, offset, slots. */
LLVMValueRef gen_address(Gen *g, const GenPlace *w, const Access *a);
/* A word of the context (CONTEXT_…), of the given type. */
LLVMValueRef gen_context(Gen *g, LLVMValueRef context, unsigned word, LLVMTypeRef type);
/* Records a fault where bad (i1) holds and none was recorded: `number` from gen_fault_new; value an
 * i64. */
int64_t gen_fault_new(Gen *g, const Nest *nest, const Instr *at);
void gen_fault(Gen *g, LLVMValueRef context, LLVMValueRef bad, int64_t number, LLVMValueRef value);
/* The same with a number (i64) that is an argument of the kernel. */
void gen_fault_at(Gen *g, LLVMValueRef context, LLVMValueRef bad, LLVMValueRef number, LLVMValueRef value);

/* One step, emitted where the builder stands: calls of kernels with the step's addresses, sizes and
 * strides. */
void gen_nest(Gen *g, const GenPlace *w, const Nest *nest);                      /* gen_nest.c */
void gen_gemm(Gen *g, const GenPlace *w, const Gemm *gemm);                      /* gen_gemm.c */
void gen_fill(Gen *g, const GenPlace *w, const Fill *fill);                      /* gen_nest.c */
/* Steps of one region (Step.region), fused: gen_region.c. False if it cannot; then they are emitted
 * one by one. */
bool gen_region(Gen *g, const GenPlace *w, uint32_t n, Step *const *step);

/* Straight-line code of a nest for one set of lanes (gen_code.c), for gen_nest.c and gen_region.c.
 * read and write give and take the values of accesses. */
typedef struct GenCode {
	Gen *g;
	const Nest *nest;
	unsigned lanes;       /* of the lane dimension; 1: scalar code */
	LLVMValueRef mask;    /* i1 lanes that count, or NULL */
	LLVMValueRef context;
	LLVMValueRef *label;  /* i64 per dimension: label now (of the first lane for the last one) */
	LLVMValueRef *slot;   /* i64 by number of the slot, NULL where unused */
	void *data;
	/* the value of access k in these lanes (one value if its lane stride is 0): real or i64 */
	LLVMValueRef (*read)(struct GenCode *w, uint32_t access);
	void (*write)(struct GenCode *w, uint32_t access, LLVMValueRef value);
	/* the address of access k at the first lane, for gathers and scatters */
	LLVMValueRef (*address)(struct GenCode *w, uint32_t access);
	LLVMValueRef *reg; /* by register: reals, i64 or i1 lanes; accumulators are put here before */
	/* the rest may be NULL */
	LLVMValueRef fault;    /* i64: number of the nest's first fault, from gen_code_faults */
	LLVMValueRef *value;   /* by access: its value where that is known, to spare a read */
	LLVMValueRef *uniform; /* by instruction: what gen_code_uniform has made */
	LLVMValueRef left;     /* i64: lanes that exist from the first one on, where there is a mask */
	struct CodeSplats *splats; /* gen_code's own: scalars that have been spread over the lanes */
} GenCode;
/* Emits all instructions. Afterwards reg[] holds the registers' values; one of all lanes is a scalar
 * where the lanes are equal for certain (ir_splat). */
void gen_code(GenCode *w);
/* Emits the instructions that give one value for all lanes, where the builder stands: before a loop
 * over lanes. gen_code takes their values from w->uniform, which is made here. Nothing happens
 * where their order among the others matters. reg[] is left as it was; w->lanes must be 1.
 * when (by instruction; NULL: all are emitted): those of this depth are emitted now, those of less
 * have been. */
void gen_code_uniform(GenCode *w, const unsigned char *when, unsigned depth);
/* The same nest with its instructions in an order that depends on what they compute, not on the
 * order of its definitions, so that equal layers have equal code; as it is where that is not
 * possible. Accesses are numbered anew. (gen_nest_order.c) */
const Nest *gen_nest_order(Gen *g, const Nest *nest);
/* Numbers for all faults of a nest's code: the first one. */
int64_t gen_code_faults(Gen *g, const Nest *nest);
/* A text that is equal for nests whose code is equal (operations, numbers, kinds of lane strides:
 * 0, 1, other), for keys of kernels. In the arena. */
const char *gen_code_key(Gen *g, const Nest *nest);

/* The whole module of a plan (gen.c). */
bool gen_plan(Gen *g, const Plan *plan);
#endif
