/* data_load_int.h — what the files of data loading share. */
#ifndef PNN_COMPILER_DATA_LOAD_INT_H
#define PNN_COMPILER_DATA_LOAD_INT_H
#include "compiler/data_load.h"
#include "compiler/run_int.h"

typedef struct LoadedSet {
	DataInfo *info;
	RtTable *table;   /* of a file, kept for splits by a column; NULL when made by the program */
	const char *path; /* "" when made by the program */
	bool failed;      /* what its leaves hold is not to be used */
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
	int64_t **length; /* [nragged][records]: lengths of the axes sized by record, -1 unknown */
} Loading;

/* The loaded set of that description, or NULL. */
const LoadedSet *data_loaded(const Run *r, const DataInfo *d);
/* Compares a column with the field's declared axes and learns the lengths of axes sized by record. */
bool field_match(Loading *l, const FieldInfo *f, const RtColumn *col);
/* The column's values into the field's leaf, which has room. */
bool field_fill(Loading *l, const FieldInfo *f, const RtColumn *col);
/* Letters or labels as shares of the labels of the field's last axis. */
bool field_fill_onehot(Loading *l, const FieldInfo *f, const RtColumn *col);
/* Formulas of the fields that have one (all, or the derived ones alone), into their leaves. */
bool data_compute(Run *r, DataInfo *d, bool all);
/* Rows of the part in the set it was cut from, ascending; malloc. */
bool split_rows(Run *r, const DataInfo *part, size_t **row, size_t *n);
/* Points as they stand after `step` steps of a training: sets that are redrawn every k steps are at draw step/k. */
bool points_make(Run *r, DataInfo *d, uint64_t step);
/* Number of the axis among those sized by record, or -1. */
int ragged_number(const Run *r, const DataInfo *d, Def leaf, uint32_t k);
#endif
