/* claims.h — statements about the program that are tried (test) or held against the trained model
 * (assert). */
#ifndef PNN_COMPILER_CLAIMS_H
#define PNN_COMPILER_CLAIMS_H
#include "compiler/plan.h"
#include "compiler/run.h"

/* Tries a `test` at random points, with the parameters as they are and at a random point, and
 * prints the verdict. A claim that does not hold is C0001 with the counterexample. False only if it
 * could not be tried (after another diagnostic). */
bool claims_test(Run *r, const Stmt *s);
/* The plan of a claim whose axes all have sizes, kept by the run; NULL after a diagnostic. */
Plan *claims_plan(Run *r, const Stmt *s);
/* Holds an `assert` against the present values; C0002 shows both sides. False only if it could not
 * be computed. */
bool claims_assert(Run *r, const Stmt *s);
#endif
