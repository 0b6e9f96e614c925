/* matrix_run.h — carries out a step of a plan that is an operation on whole arrays, for the
 * interpreter and for compiled code alike. */
#ifndef PNN_COMPILER_MATRIX_RUN_H
#define PNN_COMPILER_MATRIX_RUN_H
#include "compiler/plan_int.h"
#include "runtime/status.h"

/* From the argument and to the results at their addresses with all counters at 0; reals of
 * real_bytes, ints of 8. False with the reason. */
bool matrix_run(const MatrixStep *s, unsigned real_bytes, const void *in, void *const *out,
		RtError *why);
#endif
