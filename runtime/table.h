/* table.h — data files under one contract: a table of named columns, one entry per record.
 *
 * Formats, chosen by content first and by extension where the content leaves it open:
 *   text   comma, tab, semicolon or blanks between cells; header, quotes, comments, missing cells
 *   NPY    one array, a table of one column named by the file's stem; its first axis is the records
 *   NPZ    one column per member; members may be stored or deflated, zip64 too
 *   MAT    MATLAB of level 5: one column per numeric array, those of complex ones x_re and x_im;
 *          dimensions of length one are dropped
 *   XYZ    extended XYZ: one record per frame
 * Nothing is guessed about units; a header cell is the name as it stands. */
#ifndef PNN_RUNTIME_TABLE_H
#define PNN_RUNTIME_TABLE_H
#include <stdbool.h>
#include <stdint.h>
#include "runtime/status.h"

typedef enum { RT_AUTO, RT_TEXT, RT_NPY, RT_NPZ, RT_XYZ, RT_MAT } RtFormat;
typedef enum { RT_REAL, RT_INT, RT_STRING } RtType;
typedef enum { RT_HEADER_DETECT, RT_HEADER_YES, RT_HEADER_NO } RtHeader;
enum { RT_MAX_DIM = 8 };

/* One column. The values are row major with all dim[0..ndim-1]; count is their number.
 * Plain:  dim[0] == table->records, the rest is the shape of one record.
 * Ragged: offsets != NULL; record r owns the leading entries offsets[r] .. offsets[r+1]-1, dim[0]
 *         is their total, the shape of one entry is dim[1..]. XYZ with varying numbers of atoms.
 * Shared: the leading dimension differs from the records (or ndim is 0): the same values for all
 *         records. NPZ only (nuclear_charges beside 1000 frames); the caller decides if it fits. */
typedef struct RtColumn {
	char *name;
	RtType type;
	bool is_bool;      /* INT made of booleans: values 0 and 1 */
	bool shared;
	unsigned ndim;
	size_t dim[RT_MAX_DIM];
	size_t count;
	size_t *offsets;   /* records+1 entries, or NULL */
	union {
		double *real;  /* RT_REAL; missing values are NaN */
		int64_t *integer; /* RT_INT; never missing */
		char **string; /* RT_STRING, UTF-8; missing cells are "" */
	} values;
	char *text;        /* STRING: the memory that values.string points into */
	bool has_missing;  /* some value is not finite (REAL) or some cell empty (STRING) */
	size_t first_missing;        /* index into values */
	char missing_where[RT_WHERE_MAX]; /* "line 12, column 3", "record 4", ... */
	bool is_mixed;     /* STRING of a text file some of whose cells are numbers: perhaps a slip */
	size_t first_word; /* then: index of the first value that is no number, */
	char word_where[RT_WHERE_MAX]; /* and its place */
} RtColumn;

typedef struct RtTable {
	RtFormat format;
	size_t records;
	size_t ncolumns;
	RtColumn *column;  /* in the order of the file */
	bool has_header;   /* text: the names come from the file; else they are c1, c2, ... */
} RtTable;

/* Zeros everywhere mean the defaults. */
typedef struct RtTableOptions {
	RtFormat format;     /* RT_AUTO: by content and extension */
	RtHeader header;     /* text: is the first row a header */
	char delimiter;      /* text: 0 detects; ' ' is any run of blanks and tabs */
	size_t memory_limit; /* bytes that values may take; 0 is 64 MiB + 16 times the file */
} RtTableOptions;

/* Loads path. On RT_OK *table belongs to the caller (rt_table_free); otherwise it is NULL.
 *
 * Text: a column is RT_REAL when every nonempty cell is a number or one of the words nan, inf, NA,
 * N/A, null, which count as missing like an empty cell; else it is RT_STRING. 1,5 and 0x10 are not
 * numbers; 1e999 among numbers is an error. The first row is a header if none of its cells is a
 * number and either some column is numeric below it, or there are two columns or more and no cell
 * of it comes again in its column. Without a header, a comment just above the first row that holds
 * as many words as there are columns gives the names. A comment is a line whose first character
 * that is not blank is '#' or, above the first row, '%'. A last column that is empty throughout,
 * header included, is no column (commas at line ends). Ragged rows, open quotes, NUL bytes, text
 * that is not UTF-8 and equal names are errors.
 *
 * NPZ and MAT: records is the leading dimension that most members have (of equally frequent ones the
 * largest).
 *
 * XYZ: a column per property of Properties (species gives the strings and also the integers Z, pos
 * is also found as positions), one per key of the comment lines, and natoms. A key is INT or REAL
 * (T and F are booleans), an array of the length that all frames agree in (Lattice is [3,3]), else
 * STRING; frames without the key have NaN or "". Every frame must have the same properties, in any
 * order. When all frames have the same number of atoms the columns of properties are plain,
 * [records, atoms, ...], else ragged. */
RtStatus rt_table_load(const char *path, const RtTableOptions *options, RtTable **table,
                       RtError *err);
/* The same from n bytes in memory; name stands for the path in messages and for the choice of the
 * format. The bytes are not kept. */
RtStatus rt_table_from_bytes(const void *bytes, size_t n, const char *name,
                             const RtTableOptions *options, RtTable **table, RtError *err);
/* The column of that name (XYZ: also under the aliases above), or NULL. Owned by the table. */
const RtColumn *rt_table_column(const RtTable *table, const char *name);

/* ---- tables made of others (table_rows.c); NULL means that there is not enough memory.
 * A table with room for so many columns and none yet. */
RtTable *rt_table_new(RtFormat format, size_t records, size_t ncolumns);
#define RT_NOWHERE SIZE_MAX
/* A further column: its values are the entries from[0 .. product of dim - 1] of c, missing where that
 * is RT_NOWHERE. */
RtColumn *rt_table_gather(RtTable *t, const char *name, const RtColumn *c, unsigned ndim,
                          const size_t *dim, const size_t *from);
/* These rows of a table of plain columns, in this order. */
RtTable *rt_table_select(const RtTable *t, const size_t *row, size_t n);
/* NULL is allowed. */
void rt_table_free(RtTable *table);
#endif
