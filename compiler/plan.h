/* plan.h — from equations to loops: the first stage that knows about memory; and its interpreter (interp.c).
 * The same plan is what the code generator will turn into machine code. */
#ifndef PNN_COMPILER_PLAN_H
#define PNN_COMPILER_PLAN_H
#include "compiler/store.h"
#include "lang/diag.h"

typedef struct Plan Plan;

typedef struct PlanOutput {
	Def value;  /* what is computed; its formals give the shape of the output */
	Def assign; /* a leaf of the same shape that receives the result after everything is computed, or 0 */
} PlanOutput;

typedef struct PlanOptions {
	unsigned threads;   /* 0 or 1: one. Results have the same bits for any number */
	size_t memory;      /* refuse plans that need more bytes; 0: 8 GiB */
	const char *name;   /* what it is for, to be told (plan_how); NULL: its first output's */
	unsigned real_bytes; /* 8, or 4 for single precision (compiled plans); 0: 8 */
	bool compiled;      /* may run compiled, where that pays */
	double runs;        /* how often it is expected to run; 0: once; infinity: compiled in any case */
	struct Machine *machine; /* threads, target and cache shared with other plans (exec.h), of
				    `threads` threads; NULL: the plan has its own */
} PlanOptions;

/* Builds a plan for all outputs together. Runs its own clean-up (core_simplify with constants folded) on copies of the
 * outputs' definitions. NULL after a diagnostic (E0209 an axis without a size, E0215 cycle, E0211 read outside, E0224 too large). */
Plan *plan_build(Core *c, Store *store, Diags *ds, uint32_t n, const PlanOutput *outputs, PlanOptions options);
/* Has the axis a size by now? False after E0209: it comes with each record, and none is at hand. */
bool plan_axis_sized(Core *c, Diags *ds, Span span, Axis a);
void plan_free(Plan *p);

/* How a plan runs, for those who want to know. */
typedef struct PlanHow {
	const char *name;
	bool compiled, cached;
	double compile_ms; /* processor time, all of it */
	uint32_t instructions;
} PlanHow;
/* True after the first run, the first time that it is asked. */
bool plan_how(Plan *p, PlanHow *how);

typedef struct RunContext { uint64_t seed, step; } RunContext;
/* Computes all outputs from the store's present values, then performs the assignments. False after a diagnostic
 * (E0409 a data-dependent index outside its axis, E0503 memory). Same inputs, same bits. */
bool plan_run(Plan *p, Diags *ds, RunContext ctx);
/* The leaves that outputs are assigned to get back what they held before the last run, or (2) before
 * the last but one; once after a run. What outputs hold is lost. */
void plan_undo(Plan *p, unsigned runs);
/* Result k of the last run: row-major over the formals of outputs[k].value; real or int by its kind. */
const double *plan_real(const Plan *p, uint32_t k);
const int64_t *plan_int(const Plan *p, uint32_t k);
size_t plan_count(const Plan *p, uint32_t k);
/* An operation on whole arrays that the plan asks of the runtime (inverse, sort, …), or NULL. */
const char *plan_library(const Plan *p);

typedef struct PlanCost { double flops, transcendental, bytes; size_t memory; uint32_t definitions, contractions; double contraction_flops; } PlanCost;
PlanCost plan_cost(const Plan *p);
/* Text of the plan: loops, buffers with sizes and lifetimes, contractions, epilogues. Same input, same bytes. */
void plan_print(const Plan *p, FILE *out);
#endif
