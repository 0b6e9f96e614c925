/* ir_aid.h — for tests of ir_math.h: loops over arrays, compiled for a target the processor can
 * run. */
#ifndef PNN_TESTS_IR_AID_H
#define PNN_TESTS_IR_AID_H
#include "compiler/ir_math.h"
#include "compiler/jit.h"

enum { WIDTHS = 5, TARGETS = 3 };
extern const unsigned ir_widths[WIDTHS]; /* numbers of lanes */
extern const char *const ir_targets[TARGETS];
bool ir_runs(const char *target); /* on this processor */

/* y[i] = f(a[i], b[i]) for i < n, n a multiple of the lanes. Ints and truth values are int64_t. */
typedef void MapFn(void *y, const void *a, const void *b, int64_t n);
/* Every operation for every number of lanes. Exits the test on failure. */
JitCode *ir_compile(const char *target, unsigned real_bytes, const Op *op, size_t n);
MapFn *ir_find(JitCode *c, Op op, unsigned lanes);
/* A module that the caller fills; ir_module_load ends and frees it. `entry`: one of its functions.
 */
Target *ir_module(Ir *g, const char *target, unsigned real_bytes);
JitCode *ir_module_load(Target *t, Ir *g, const char *entry);

/* Element k of an array of doubles or floats. */
double ir_get(const void *x, size_t k, unsigned real_bytes);
void ir_put(void *x, size_t k, unsigned real_bytes, double v);
/* Elements whose bits differ, all NaN being equal. */
size_t ir_differing(const void *x, const void *y, size_t n, unsigned real_bytes);
/* |y - r| in units of the last place of the type at r; 1e9 where only one is NaN or infinite (but
 * for the last number before infinity: 1) or the signs of zeros differ. */
double ir_error(double y, long double r, unsigned real_bytes);
#endif
