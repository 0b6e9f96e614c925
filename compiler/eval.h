/* eval.h — values of definitions: derivatives carried out, planned, computed from the present
 * values of the leaves. */
#ifndef PNN_COMPILER_EVAL_H
#define PNN_COMPILER_EVAL_H
#include "compiler/plan.h"
#include "compiler/run.h"

/* A closed or open scalar as a definition: formals are its free indices in structural order. */
Def eval_define(Run *r, const char *name, Node value);
/* Replaces n definitions by ones of the same formals in which no derivative is left. False after a
 * diagnostic. */
bool eval_resolve(Run *r, uint32_t n, Def *def);
/* The same for closed scalars. */
bool eval_resolve_nodes(Run *r, uint32_t n, Node *node);
/* A plan for the outputs (derivatives are carried out first). The caller frees it. NULL after a
 * diagnostic. */
Plan *eval_plan(Run *r, uint32_t n, const PlanOutput *outputs);
/* As eval_plan, kept by the run under (key, part) and returned again until eval_forget: the key is
 * the address of the statement that the outputs belong to, which must always ask for the same
 * outputs. */
Plan *eval_cached(Run *r, const void *key, unsigned part, uint32_t n, const PlanOutput *outputs);
/* The plan kept under (key, part), or NULL; and keeping one that the caller made (freed if there is
 * no memory for it). */
Plan *eval_find(const Run *r, const void *key, unsigned part);
bool eval_keep(Run *r, const void *key, unsigned part, Plan *p);
/* Copies of n definitions in which definition from[k] is replaced by to[k] (m of them) wherever it
 * is read. */
void eval_replace(Run *r, uint32_t n, Def *def, uint32_t m, const Def *from, const Def *to);
/* Drops all kept plans: an axis was resized, a program redefined. */
void eval_forget(Run *r);
/* Computes a plan with the run's seed at the given step. False after a diagnostic. */
bool eval_run(Run *r, Plan *p, uint64_t step);
/* The same with another seed. */
bool eval_run_at(Run *r, Plan *p, uint64_t seed, uint64_t step);
/* Output k of a plan, element i, as a real whatever its kind. */
double eval_real(const Run *r, Plan *p, uint32_t k, Def output, size_t i);
/* The plan of a closed scalar, kept under (key, part). NULL after a diagnostic. */
Plan *eval_scalar_plan(Run *r, const void *key, unsigned part, Node value);
/* Room for a leaf by the present sizes, if it has none or another; its values are then zero. False
 * when memory is out. */
bool eval_room(Run *r, Def leaf);
/* A closed scalar computed once, kept under (key, part) as eval_cached; false after a diagnostic.
 */
bool eval_scalar(Run *r, const void *key, unsigned part, Node value, double *result);
/* Number of elements of a definition over its formals by the present sizes; false if an axis has no
 * size. */
bool eval_count(const Run *r, Def d, size_t *count);
#endif
