/* cost_int.h — what single instructions and reductions count for, for cost.c and its tests. */
#ifndef PNN_COMPILER_COST_INT_H
#define PNN_COMPILER_COST_INT_H
#include "compiler/cost.h"
#include "compiler/plan_int.h"

/* What an instruction does in one lane; bytes stay 0. */
Cost cost_instr(const Instr *in);
/* What a reduction that is not a sum of reals does with each lane besides its instructions, and how
 * often these are carried out for each lane (*passes: 2 for logsumexp). */
Cost cost_reduce(const Nest *n, unsigned *passes);
/* What joining two accumulated values of a reduction takes. */
Cost cost_join(RedKind red, bool integer);
#endif
