/* train.h — training: phases of optimisers over an objective. */
#ifndef PNN_COMPILER_TRAIN_H
#define PNN_COMPILER_TRAIN_H
#include "compiler/plan.h"
#include "compiler/run.h"

/* Carries out a `train` statement from the parameters' present values. False when it was stopped:
 * by a diagnostic (E0450, E0451, E0452: the parameters are then the last good ones) or by the user
 * (r->interrupted). */
bool train_run(Run *r, const Stmt *s);
/* All plans of a `train` statement, kept by the run. False after a diagnostic. */
bool train_compile(Run *r, const Stmt *s);
/* Room for the batches of its phases, before any plan is made. */
bool train_make_batches(Run *r, const Stmt *s);
/* The plan of one step of a phase, as emit and cost show it; data must be loaded. Kept by the run.
 * NULL after a diagnostic. */
Plan *train_step_plan(Run *r, const TrainInfo *t, const Phase *p);
#endif
