/* array.h — arrays to files: NPY, NPZ (stored) and CSV. All writing is atomic (file.h). */
#ifndef PNN_RUNTIME_ARRAY_H
#define PNN_RUNTIME_ARRAY_H
#include <stdio.h>
#include "runtime/table.h"

/* The kinds of elements that files hold. RT_BOOL is one byte, 0 or 1. */
typedef enum {
	RT_F64, RT_F32, RT_F16, RT_BF16,
	RT_I64, RT_I32, RT_I16, RT_I8,
	RT_U64, RT_U32, RT_U16, RT_U8,
	RT_BOOL
} RtDtype;
size_t rt_dtype_size(RtDtype dtype);      /* bytes of one element */
const char *rt_dtype_name(RtDtype dtype); /* "F64", as safetensors writes it */

/* The dtype of that name; false if there is none. */
bool rt_dtype_find(const char *name, RtDtype *dtype);

/* A named array, row major, little endian. Who owns name and data is said where one is used. */
typedef struct RtTensor {
	const char *name;
	RtDtype dtype;
	unsigned ndim;
	size_t dim[RT_MAX_DIM];
	const void *data;
} RtTensor;
/* Product of the dimensions (1 if ndim is 0); false if it overflows or the bytes do. */
bool rt_tensor_count(const RtTensor *t, size_t *count);

/* One array as NPY version 1. t->name is not used. BF16 is refused. */
RtStatus rt_npy_write(const char *path, const RtTensor *t, RtError *err);
/* n arrays as members "name.npy", stored. Equal names are refused. */
RtStatus rt_npz_write(const char *path, const RtTensor *t, size_t n, RtError *err);

/* One column of a CSV to be written: exactly one of the three pointers is set, with as many values
 * as there are rows. */
typedef struct RtCsvColumn {
	const char *name;
	const double *real;
	const int64_t *integer;
	const char *const *string;
} RtCsvColumn;
/* A header and rows lines: numbers in shortest form that reads back, NaN as "nan", quotes where
 * needed. */
RtStatus rt_csv_write(const char *path, const RtCsvColumn *column, size_t ncolumns, size_t rows,
                      RtError *err);
/* The same to an open stream; errors are left to the stream. */
void rt_csv_print(FILE *out, const RtCsvColumn *column, size_t ncolumns, size_t rows);
#endif
