/* data_load_int.h — what the files of data loading share. */
#ifndef PNN_COMPILER_DATA_LOAD_INT_H
#define PNN_COMPILER_DATA_LOAD_INT_H
#include "compiler/data_load.h"
#include "compiler/run_int.h"

typedef struct LoadedSet {
	DataInfo *info;
	RtTable *table; /* of a file, kept for splits by a column; NULL when made by the program */
	const char *path; /* "" when made by the program */
	bool failed;      /* what its leaves hold is not to be used */
	bool pending;     /* it has room, and the statement that makes it has not been reached */
} LoadedSet;

typedef struct DataState {
	LoadedSet *set;
	size_t n, room;
} DataState;

/* One set being filled from a file. */
typedef struct Loading {
	Run *r;
	DataInfo *d;
	const char *path;
	size_t records;
	bool grouped;     /* the table has one column for each field that is read, in their order */
	int64_t **length; /* [nragged][records]: lengths of the axes sized by record, -1 unknown */
} Loading;

/* ---- data_load.c */
bool data_no_memory(Run *r, const DataInfo *d); /* E0503; false */
/* A set that is filled; without a path it failed to be. The table belongs to the state from now on.
 */
bool data_remember(Run *r, DataInfo *d, RtTable *table, const char *path);
void data_resize(Run *r, Axis a, size_t n);
/* Room for all fields and the lengths of axes sized by record; their sizes are known. */
bool data_make_room(Run *r, DataInfo *d);
/* length[k][record] of the axes sized by record; NULL: all as long as the axis. */
void data_fill_lengths(Run *r, const DataInfo *d, int64_t *const *length);
/* Records made by the program's formulas. */
bool data_simulate(Run *r, DataInfo *d);
/* ---- data_load_file.c: a table, or a simulation where none is named. */
bool data_load_table(Run *r, DataInfo *d);

/* The loaded set of that description, or NULL. */
const LoadedSet *data_loaded(const Run *r, const DataInfo *d);
/* ---- data_load_file.c, data_load_columns.c: the column of a field in table t, or a table of its own in
 * *own. NULL after a diagnostic. */
const RtColumn *field_column(Loading *l, const FieldInfo *f, const RtTable *t, RtTable **own);
/* E0402, with what there is. */
void no_column(Loading *l, Span at, const RtTable *t, const char *name);
/* Does the field take several columns of the file? They as one column in *own; NULL after a diagnostic. */
bool columns_several(const Loading *l, const FieldInfo *f, const RtTable *t);
const RtColumn *columns_joined(Loading *l, const FieldInfo *f, const RtTable *t, RtTable **own);
/* ---- data_load_rows.c: the rows that the set's where, by and complete leave, one for each record.
 * The table itself when it says none of them; frees it otherwise. NULL after a diagnostic. */
RtTable *rows_arrange(Run *r, DataInfo *d, const char *path, RtTable *t);
/* Compares a column with the field's declared axes and learns the lengths of axes sized by record.
 */
bool field_match(Loading *l, const FieldInfo *f, const RtColumn *col);
/* The column's values into the field's leaf, which has room. */
bool field_fill(Loading *l, const FieldInfo *f, const RtColumn *col);
/* Position of a label on the axis, from 0, or -1. An axis of numbers is labelled by them. */
int64_t label_position(const Run *r, Axis a, const char *s, size_t n);
/* Letters or labels as shares of the labels of the field's last axis. */
bool field_fill_onehot(Loading *l, const FieldInfo *f, const RtColumn *col);
/* ---- data_load_late.c */
/* The plans of the formulas, made before anything runs. */
bool data_compute_plans(Run *r, DataInfo *d, bool all);
/* A part of a set that is made later has room for as many records as its share says. */
bool late_part(Run *r, DataInfo *d);
size_t split_share(const Run *r, const DataInfo *part);
/* Formulas of the fields that have one (all, or the derived ones alone), into their leaves. */
bool data_compute(Run *r, DataInfo *d, bool all);
/* Rows of the part in the set it was cut from, ascending; malloc. */
bool split_rows(Run *r, const DataInfo *part, size_t **row, size_t *n);
/* Points as they stand after `step` steps of a training: sets that are redrawn every k steps are at
 * draw step/k. */
bool points_make(Run *r, DataInfo *d, uint64_t step);
/* Number of the axis among those sized by record, or -1. */
int ragged_number(const Run *r, const DataInfo *d, Def leaf, uint32_t k);
#endif
