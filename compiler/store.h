/* store.h — values of leaf definitions (parameters, data, run-time values) as flat row-major arrays. */
#ifndef PNN_COMPILER_STORE_H
#define PNN_COMPILER_STORE_H
#include "lang/core.h"

typedef struct Store Store;

/* A store for the leaves of c. Freed by store_free. NULL if memory is out. */
Store *store_create(Core *c);
void store_free(Store *s);
/* Makes room for a leaf according to the present sizes of its axes (row-major, last formal fastest), zero-filled; again after
 * an axis was resized (contents lost). Real leaves hold double, int and bool leaves int64_t. False if memory is out or an axis has no size. */
bool store_alloc(Store *s, Def leaf);
/* The bytes that all leaves together may take; store_alloc refuses more before it asks for them. 0,
 * as it is made: no limit. */
void store_limit(Store *s, size_t bytes);
bool store_has(const Store *s, Def leaf);
size_t store_count(const Store *s, Def leaf); /* elements */
/* To be read and written; valid until store_alloc of the same leaf or the next run of a plan, which
 * may give the leaf another array (store_swap). */
double *store_real(Store *s, Def leaf);
int64_t *store_int(Store *s, Def leaf);
/* To be read alone: the values, in f64 or f32, are made from the other kind where that is newer. */
const double *store_read(Store *s, Def leaf);
const float *store_f32(Store *s, Def leaf); /* NULL if memory is out */
/* Gives the leaf the values in *array, of elements of `bytes` (4: f32, else 8), and the array that
 * it had in exchange, which is what the values were if they were of that kind. Both come from
 * store_array. False if memory is out. */
bool store_swap(Store *s, Def leaf, unsigned bytes, void **array);
/* A zeroed array with room for n elements; aligned to 64 bytes; freed by free. NULL if memory is out. */
void *store_array(size_t n, unsigned bytes);
/* Says that a leaf of role DATA was changed, so that what plans computed once from it is computed again. PARAM and
 * RUNTIME leaves may change between any two runs without a word. */
void store_touch(Store *s, Def leaf);
uint64_t store_version(const Store *s, Def leaf);
size_t store_bytes(const Store *s);
#endif
