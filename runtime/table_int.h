/* table_int.h — what the readers of the formats share (private to the runtime). */
#ifndef PNN_RUNTIME_TABLE_INT_H
#define PNN_RUNTIME_TABLE_INT_H
#include "runtime/table.h"

/* A table in the making. Readers add columns; on any failure the whole is thrown away. */
typedef struct TableBuild {
	RtTable *table;
	const char *name;  /* the file, for messages */
	const char *bytes;
	size_t n;
	RtTableOptions options;
	size_t limit, used; /* bytes of values */
	size_t room;        /* columns there is memory for */
	RtError *err;
} TableBuild;

RtStatus csv_read(TableBuild *b);
RtStatus npy_read(TableBuild *b);
RtStatus npz_read(TableBuild *b);
RtStatus xyz_read(TableBuild *b);
RtStatus mat_read(TableBuild *b);
/* The leading dimension that most columns have is the number of records; the others are shared. */
void table_find_records(RtTable *t);
/* Is this the beginning of an XYZ file: a lone count, then a line with Properties= or Lattice=? */
bool xyz_looks_like(const char *bytes, size_t n);

/* rt_fail for this file. */
RtStatus table_fail(TableBuild *b, RtStatus status, const char *where, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Counts bytes against the limit. */
RtStatus table_reserve(TableBuild *b, size_t items, size_t size);
/* A new last column named by nname bytes of text; *column is good until the next one. */
RtStatus table_add(TableBuild *b, const char *text, size_t nname, RtColumn **column);
/* Sets type, rank and dimensions and allocates the values (zeros). For strings, also nbytes of
 * text. */
RtStatus table_shape(TableBuild *b, RtColumn *c, RtType type, unsigned ndim, const size_t *dim,
                     size_t nbytes);
/* Notes value i as missing if it is the first. */
void table_missing(RtColumn *c, size_t i, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Is text free of NUL and well-formed UTF-8? Lines count from text. */
RtStatus table_check_text(TableBuild *b, const char *text, size_t n);
bool table_has_extension(const char *name, const char *extension);
/* The array of one NPY file in memory as column c. prefix stands before "byte N" in messages. */
RtStatus npy_column(TableBuild *b, const char *bytes, size_t n, const char *prefix, RtColumn *c);
#endif
