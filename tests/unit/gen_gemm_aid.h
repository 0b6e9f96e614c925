/* gen_gemm_aid.h — shared by the tests of contractions: cases, memory between guard pages, modules
 * for every target, and what an element must be. */
#ifndef PNN_TESTS_GEN_GEMM_AID_H
#define PNN_TESTS_GEN_GEMM_AID_H
#include "compiler/gen_gemm.h"
#include "compiler/jit.h"
#include "compiler/target.h"

enum { A, B, C, F, ARRAYS, ROOM = 1 << 19 };

typedef struct Case {
	Gemm gemm;
	Buffer buffer[ARRAYS];
	SlotTerm slot[ARRAYS];
	bool tile[ARRAYS]; /* tile memory */
} Case;

/* A number below n. */
int64_t chance(int64_t n);
/* A number of two digits or so between -1 and 1. */
double any_real(void);

/* Values of either precision. */
double get(const void *p, int64_t at, unsigned bytes);
void put(void *p, int64_t at, unsigned bytes, double v);

/* Sums of k products, as by_chain or by_lanes of gen_gemm.h; a*b + c as the target computes it. */
double fused(const Ir *g, double a, double b, double c);
double chain_sum(const Ir *g, const double *x, const double *y, int64_t k);
void lane_add(const Ir *g, const double *x, const double *y, int64_t k, double *lane);
double lane_total(const Ir *g, double *lane);
/* F + alpha*S for one element; lanes: as a dot product. */
double element(const Ir *g, const Gemm *w, char *const *at, int64_t i, int64_t j, int64_t k,
	       bool lanes);

typedef struct Module {
	Target *target;
	LLVMContextRef context;
	Gen gen;
	JitCode *code;
} Module;
/* Function run_<number> for a case: with F if `from`, one of m, n, k possibly tiled. */
void module_add(Module *m, Case *c, unsigned number, bool from);
/* After all are added. */
void *module_find(Module *m, unsigned number);
/* With the arrays at these addresses and so many records in the tile. */
void module_run(Module *m, unsigned number, char *const *at, int64_t lanes);

/* Runs the test for each target that this processor can run, in both precisions, with memory of
 * ROOM bytes for each array between pages that must not be touched. */
typedef void TestFn(Module *m, char *const *memory);
void everywhere(TestFn *test);
#endif
