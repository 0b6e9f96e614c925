/* cost.h — what a plan does, counted before it runs: operations of its instructions times how often
 * each is carried out, and the bytes of memory that its steps touch.
 *
 * What counts: every instruction once for each lane, an instruction that has one value for all
 * lanes once for each row of lanes; an element of memory once for each step that reads or writes it
 * (a gathered or scattered one each time). Not counted: the joining of the lanes of one sum, packing
 * for contractions, addresses. */
#ifndef PNN_COMPILER_COST_H
#define PNN_COMPILER_COST_H
#include "compiler/plan.h"

typedef struct Cost {
	double add, mul;      /* of reals, those of contractions included */
	double div;           /* divisions and square roots */
	double function;      /* elementary functions */
	double random;        /* random numbers */
	double other;         /* comparisons, choices, signs, everything on ints and bools */
	double products;      /* operations in contractions: 2 for each product of their sums */
	double read, written; /* bytes */
} Cost;

/* Additions, multiplications and divisions of reals. */
double cost_flops(const Cost *c);
/* to += times * c */
void cost_add(Cost *to, double times, const Cost *c);

/* One run of a plan (fixed: what it computes when data change instead). twice: an axis that is
 * taken to be twice as long, or 0: its records for loops over tiles, its labels elsewhere. */
Cost cost_plan(const Plan *p, bool fixed, Axis twice);
/* The steps of one run, as `emit --stage plan` numbers them, in their order. kind: "nest",
 * "contract", "fill"; name of what is computed. */
typedef void CostVisit(void *data, uint32_t number, const char *kind, const char *name, const Cost *c);
void cost_steps(const Plan *p, CostVisit *visit, void *data);
/* How a plan that ran was run, and the bytes of its reals (8, or 4). */
PlanHow cost_how(const Plan *p, unsigned *real_bytes);
/* Bytes of the leaves that a plan reads or writes: data, parameters, states. */
double cost_leaves(const Plan *p);
/* The axes along which a plan repeats its steps, records and recurrences, each once; at most `room`
 * are stored. */
uint32_t cost_axes(const Plan *p, Axis *axis, uint32_t room);
#endif
