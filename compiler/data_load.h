/* data_load.h — data sets into their leaves: files, simulation, derived fields, splits, points,
 * batches. */
#ifndef PNN_COMPILER_DATA_LOAD_H
#define PNN_COMPILER_DATA_LOAD_H
#include "compiler/run.h"
#include "runtime/table.h"

/* Fills every data set of the program that is not filled yet, parents before parts. Axes of records
 * get their sizes. False after a diagnostic (E0401–E0409, E0503). */
bool data_prepare(Run *r);
/* The points of a set as they stand after `step` steps of a training: every `redraw` steps there
 * are new ones. */
bool data_redraw(Run *r, DataInfo *d, uint64_t step);
/* Rows of `from` into `to` (a part or a batch with the same fields in the same order), n of them;
 * `to` has n records. */
void data_gather(Run *r, const DataInfo *from, DataInfo *to, const size_t *row, size_t n);
/* Makes room for n records in a part or batch of `from` and copies what all records share. */
bool data_make_part(Run *r, DataInfo *part, const DataInfo *from, size_t n);
/* Number of records of a set that was filled. */
size_t data_records(const Run *r, const DataInfo *d);
void data_free(Run *r);
/* Makes the sets of a STMT_DATA of present values, and before anything runs their plans. */
bool data_make(Run *r, const Stmt *s);
bool data_make_plans(Run *r, const Stmt *s);
/* Is the leaf a field of a set whose statement has not been reached? data_made says that it was. */
bool data_pending(const Run *r, Def leaf);
void data_made(Run *r, Def leaf);
/* Is the leaf a field of a set that could not be loaded? */
bool data_failed(const Run *r, Def leaf);

/* "[3,4]": the sizes of a leaf's axes from the formal `from` on ("*" where unknown), and of a
 * column; in the engine's arena. */
const char *data_leaf_shape(const Run *r, Def leaf, uint32_t from);
const char *data_column_shape(const Run *r, const RtColumn *col, unsigned from);
/* Size of the axis of formal k of a leaf, -1 if unknown. */
int64_t data_leaf_size(const Run *r, Def leaf, uint32_t k);
#endif
