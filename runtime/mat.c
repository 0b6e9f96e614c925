/* mat.c — MATLAB files of level 5 (saved by -v6 or -v7) to tables: one column for each numeric
 * array, read by libmatio.
 *
 * libmatio brings HDF5, and is therefore loaded when the first such file is met (as LAPACK is, see
 * lapack.h). It trusts what a file says of itself: of damaged files it reads most without a word,
 * with other numbers (lengths are not compared with dimensions, nor checksums verified), and loops
 * over dimensions that the file does not fill. So the frame of the file is checked first: a header
 * of 128 bytes, then elements of type, number of bytes, data padded to 8 bytes (up to 4 bytes stand
 * within the tag); compressed ones hold one element, deflated by zlib; an array is an element of
 * elements: flags, dimensions, name, real part, imaginary part. Each array of numbers is then
 * handed over unpacked, as a file of its own; cells, structures, texts and sparse arrays are passed
 * over. What flags, dimensions and numbers mean, and in which order their bytes are, is libmatio's.
 * Dimensions of length one are dropped, so that a vector has one. */
#include "runtime/table_int.h"
#include <dlfcn.h>
#include <limits.h>
#include <matio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

enum { HEADER = 128, SUBSYSTEM = 116, TAG = 8, MOST_ARRAYS = 10000, LONGEST_NAME = 200 };
enum { LEAST_DIMS = 2, MOST_DIMS = 13 }; /* libmatio's own room while it unpacks */

#define MATIO(name) ((__typeof__(&name))dlsym(b->library, #name))

typedef struct Element {
	uint32_t type;
	const unsigned char *data;
	size_t n;
} Element;

typedef struct Bytes {
	const unsigned char *at, *end;
	bool swapped; /* written on a machine of the other byte order */
} Bytes;

typedef struct Array {
	uint32_t class;
	char name[LONGEST_NAME + 1];
	Element re, im;
} Array;

typedef struct MatRead {
	TableBuild *table;
	void *library;
	char passed[LONGEST_NAME + 40]; /* the first array passed over: name and class */
} MatRead;

/* What libmatio said last. Its log function is told nothing but the message. */
static _Thread_local char mat_said[RT_TEXT_MAX / 2];

static void hear(int level, char *message)
{
	(void)level;
	(void)snprintf(mat_said, sizeof mat_said, "%s", message ? message : "");
}

static RtStatus broken(MatRead *b, const char *what)
{
	return table_fail(b->table, RT_E_FORMAT, NULL, "is not a readable MATLAB file: %s", what);
}

static RtStatus broken_array(MatRead *b, const char *name, const char *what)
{
	return table_fail(b->table, RT_E_FORMAT, NULL, "is not a readable MATLAB file: array \"%s\" %s",
	                  name, what);
}

/* ---- the frame ---- */

/* size bytes as a number of this machine's order */
static uint32_t word(const Bytes *s, const unsigned char *at, size_t size)
{
	uint32_t v = 0;
	for (size_t k = 0; k < size; k++) {
		v |= (uint32_t)at[s->swapped ? size - 1 - k : k] << 8 * k;
	}
	return v;
}

static RtStatus next(MatRead *b, Bytes *s, Element *e)
{
	if (s->end - s->at < TAG) {
		return broken(b, "it ends within an element");
	}
	uint32_t tag = word(s, s->at, 4);
	bool small = tag >> 16 != 0;
	e->type = small ? tag & 0xFFFF : tag;
	e->n = small ? tag >> 16 : word(s, s->at + 4, 4);
	e->data = s->at + (small ? 4 : TAG);
	if ((small && e->n > 4) || e->n > (size_t)(s->end - e->data)) {
		return broken(b, "an element is longer than the file");
	}
	size_t used = small ? TAG : TAG + e->n;
	if (!small && e->type != MAT_T_COMPRESSED) {
		used = (used + 7) / 8 * 8;
	}
	size_t rest = (size_t)(s->end - s->at);
	s->at += used < rest ? used : rest;
	return RT_OK;
}

static void pass_over(MatRead *b, const Array *a)
{
	static const char *const CLASS[] = {
	    "nothing", "a cell array", "a structure", "an object", "text", "a sparse array"};
	bool known = a->class < sizeof CLASS / sizeof *CLASS;
	if (!b->passed[0]) {
		(void)snprintf(b->passed, sizeof b->passed, ": \"%s\" is %s", a->name,
		               known ? CLASS[a->class] : "of another class");
	}
}

/* The elements of an array of numbers. */
static RtStatus read_frame(MatRead *b, const Bytes *s, const Element *e, Array *a, bool *numbers)
{
	Bytes in = {e->data, e->data + e->n, s->swapped};
	Element flags, shape, name;
	RtStatus status = next(b, &in, &flags);
	if (status == RT_OK && (flags.type != MAT_T_UINT32 || flags.n != 8)) {
		status = broken(b, "an array has no flags");
	}
	if (status != RT_OK) {
		return status;
	}
	uint32_t word_of_flags = word(s, flags.data, 4);
	a->class = word_of_flags & 0xFF;
	*numbers = a->class >= MAT_C_DOUBLE && a->class <= MAT_C_UINT64;
	if (a->class >= MAT_C_FUNCTION) {
		return RT_OK; /* has no dimensions */
	}
	if ((status = next(b, &in, &shape)) != RT_OK || (status = next(b, &in, &name)) != RT_OK) {
		return status;
	}
	if (name.type != MAT_T_INT8 || name.n > LONGEST_NAME || memchr(name.data, 0, name.n)) {
		return broken(b, "an array has no proper name");
	}
	memcpy(a->name, name.data, name.n);
	if (shape.type != MAT_T_INT32 || shape.n % 4 || shape.n < 4 * LEAST_DIMS) {
		return broken_array(b, a->name, "has no proper dimensions");
	}
	if (shape.n > 4 * MOST_DIMS) {
		return table_fail(b->table, RT_E_LIMIT, NULL, "array \"%s\" has more than %d dimensions",
		                  a->name, MOST_DIMS);
	}
	status = *numbers ? next(b, &in, &a->re) : RT_OK;
	return *numbers && status == RT_OK && word_of_flags & MAT_F_COMPLEX ? next(b, &in, &a->im)
	                                                                     : status;
}

/* ---- numbers ---- */

/* The numbers of one part are as many as the dimensions say, and of a type that the array can
 * hold. */
static RtStatus check_part(MatRead *b, const Array *a, const Element *e, size_t count)
{
	size_t size = e->type <= MAT_T_UINT64 ? MATIO(Mat_SizeOf)((enum matio_types)e->type) : 0;
	size_t bytes;
	if (!size || __builtin_mul_overflow(count, size, &bytes) || bytes != e->n) {
		return broken_array(b, a->name, "has more or fewer numbers than its dimensions say");
	}
	if (a->class >= MAT_C_INT8 && (e->type == MAT_T_SINGLE || e->type == MAT_T_DOUBLE)) {
		return broken_array(b, a->name, "is of ints and holds other numbers");
	}
	return RT_OK;
}

static int64_t int_at(enum matio_classes class, const void *data, size_t i)
{
	switch (class) {
	case MAT_C_INT8:
		return ((const int8_t *)data)[i];
	case MAT_C_UINT8:
		return ((const uint8_t *)data)[i];
	case MAT_C_INT16:
		return ((const int16_t *)data)[i];
	case MAT_C_UINT16:
		return ((const uint16_t *)data)[i];
	case MAT_C_INT32:
		return ((const int32_t *)data)[i];
	case MAT_C_UINT32:
		return ((const uint32_t *)data)[i];
	default: /* of uint64 those above the largest int64 come out negative */
		return ((const int64_t *)data)[i];
	}
}

/* One part as a column. libmatio has the numbers column by column, a table row by row. */
static RtStatus add_part(MatRead *b, const matvar_t *v, const void *data, const char *ending)
{
	char name[LONGEST_NAME + 16];
	size_t dim[RT_MAX_DIM], at[RT_MAX_DIM] = {0};
	unsigned ndim = 0;
	for (int k = 0; k < v->rank; k++) {
		if (v->dims[k] != 1 && ndim == RT_MAX_DIM) {
			return table_fail(b->table, RT_E_LIMIT, NULL,
			                  "array \"%s\" has more than %d dimensions", v->name, RT_MAX_DIM);
		}
		if (v->dims[k] != 1) {
			dim[ndim++] = v->dims[k];
		}
	}
	bool whole = v->class_type >= MAT_C_INT8;
	(void)snprintf(name, sizeof name, "%s%s", v->name ? v->name : "", ending);
	RtColumn *c;
	RtStatus status = table_add(b->table, name, strlen(name), &c);
	if (status == RT_OK) {
		status = table_shape(b->table, c, whole ? RT_INT : RT_REAL, ndim, dim, 0);
	}
	for (size_t i = 0; status == RT_OK && i < c->count; i++) {
		size_t from = 0;
		for (unsigned k = ndim; k-- > 0;) {
			from = from * dim[k] + at[k];
		}
		if (whole) {
			c->values.integer[i] = int_at(v->class_type, data, from);
			if (v->class_type == MAT_C_UINT64 && c->values.integer[i] < 0) {
				status = table_fail(b->table, RT_E_UNSUPPORTED, NULL,
				                    "array \"%s\" holds an int of more than 63 bits", v->name);
			}
		} else {
			c->values.real[i] = v->class_type == MAT_C_SINGLE ? (double)((const float *)data)[from]
			                                                   : ((const double *)data)[from];
			if (!(c->values.real[i] - c->values.real[i] == 0)) {
				table_missing(c, i, "entry %zu", i + 1);
			}
		}
		for (unsigned k = ndim; k-- > 0 && ++at[k] == dim[k];) {
			at[k] = 0;
		}
	}
	if (status == RT_OK) {
		c->is_bool = whole && v->isLogical;
	}
	return status;
}

/* libmatio's view of the array agrees with the frame, and its numbers are read. */
static RtStatus read_numbers(MatRead *b, mat_t *file, matvar_t *v, const Array *a)
{
	size_t count = 1;
	for (int k = 0; k < v->rank; k++) {
		if (v->dims[k] > INT_MAX || __builtin_mul_overflow(count, v->dims[k], &count)) {
			return broken_array(b, a->name, "has a dimension out of range");
		}
	}
	bool complex = v->isComplex != 0;
	if ((uint32_t)v->class_type != a->class || complex != (a->im.data != NULL)) {
		return broken_array(b, a->name, "has flags that contradict each other");
	}
	RtStatus status = check_part(b, a, &a->re, count);
	if (status == RT_OK && complex) {
		status = check_part(b, a, &a->im, count);
	}
	if (status == RT_OK && (status = table_reserve(b->table, count, sizeof(double))) == RT_OK) {
		b->table->used -= count * sizeof(double); /* looked only whether they fit */
	}
	if (status != RT_OK) {
		return status;
	}
	if (count && (MATIO(Mat_VarReadDataAll)(file, v) != 0 || !v->data)) {
		return broken_array(b, a->name, mat_said[0] ? mat_said : "cannot be read");
	}
	if (!complex) {
		return add_part(b, v, v->data, "");
	}
	mat_complex_split_t none = {NULL, NULL}, *both = v->data ? v->data : &none;
	status = add_part(b, v, both->Re, "_re");
	return status == RT_OK ? add_part(b, v, both->Im, "_im") : status;
}

static bool put(int file, const void *bytes, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t k = write(file, (const char *)bytes + done, n - done);
		if (k <= 0) {
			return false;
		}
		done += (size_t)k;
	}
	return true;
}

/* libmatio opens files by name: a file in memory that holds a header and this array. */
static RtStatus hand_over(MatRead *b, const Bytes *s, const Element *e, const Array *a)
{
	unsigned char header[HEADER + TAG], tag[TAG] = {0};
	char path[40];
	memcpy(header, b->table->bytes, HEADER);
	memset(header + SUBSYSTEM, ' ', 8); /* the place of what is not handed over */
	tag[s->swapped ? 3 : 0] = MAT_T_MATRIX;
	for (unsigned k = 0; k < 4; k++) {
		tag[4 + (s->swapped ? 3 - k : k)] = (unsigned char)(e->n >> 8 * k);
	}
	memcpy(header + HEADER, tag, TAG);
	int fd = memfd_create("array.mat", MFD_CLOEXEC);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	mat_said[0] = 0;
	mat_t *file = NULL;
	if (fd >= 0 && put(fd, header, sizeof header) && put(fd, e->data, e->n)) {
		file = MATIO(Mat_Open)(path, MAT_ACC_RDONLY);
	}
	matvar_t *v = file ? MATIO(Mat_VarReadNextInfo)(file) : NULL;
	RtStatus status = RT_OK;
	if (v) {
		status = read_numbers(b, file, v, a);
		MATIO(Mat_VarFree)(v);
	} else {
		status = broken_array(b, a->name, mat_said[0] ? mat_said : "cannot be read");
	}
	if (file) {
		(void)MATIO(Mat_Close)(file);
	}
	if (fd >= 0) {
		(void)close(fd);
	}
	return status;
}

static RtStatus read_array(MatRead *b, const Bytes *s, const Element *e)
{
	Array a = {0};
	bool numbers = false;
	RtStatus status = read_frame(b, s, e, &a, &numbers);
	if (status == RT_OK && !numbers) {
		pass_over(b, &a);
	}
	return status == RT_OK && numbers ? hand_over(b, s, e, &a) : status;
}

/* A compressed element, checked by its checksum; what it unpacks to counts against the limit. */
static RtStatus read_compressed(MatRead *b, const Bytes *s, const Element *e)
{
	size_t room = 0, n = 0, limit = b->table->limit;
	unsigned char *out = NULL;
	z_stream z = {.next_in = (Bytef *)(uintptr_t)e->data, .avail_in = (uInt)e->n};
	if (inflateInit(&z) != Z_OK) {
		return table_fail(b->table, RT_E_MEMORY, NULL, "not enough memory to unpack it");
	}
	int state = Z_OK;
	RtStatus status = RT_OK;
	while (state == Z_OK && status == RT_OK) {
		if (!rt_grow((void **)&out, &room, n + 65536, 1)) {
			status = table_fail(b->table, RT_E_MEMORY, NULL, "not enough memory to unpack it");
			break;
		}
		size_t free_bytes = room - n < UINT_MAX ? room - n : UINT_MAX;
		z.next_out = out + n;
		z.avail_out = (uInt)free_bytes;
		state = inflate(&z, Z_NO_FLUSH);
		n += free_bytes - z.avail_out;
		if (n > limit - b->table->used) {
			status = table_fail(b->table, RT_E_LIMIT, NULL,
			                    "unpacks to more than the limit of %zu bytes", limit);
		}
	}
	(void)inflateEnd(&z);
	if (status == RT_OK && state != Z_STREAM_END) {
		status = broken(b, "a compressed array is damaged");
	}
	Element inner;
	Bytes in = {out, out + n, s->swapped};
	if (status == RT_OK) {
		status = next(b, &in, &inner);
	}
	if (status == RT_OK && inner.type == MAT_T_MATRIX) {
		status = read_array(b, s, &inner);
	}
	free(out);
	return status;
}

static RtStatus read_elements(MatRead *b, Bytes *s)
{
	RtStatus status = RT_OK;
	for (size_t k = 0; status == RT_OK && s->at < s->end; k++) {
		Element e;
		if (k == MOST_ARRAYS) {
			return table_fail(b->table, RT_E_LIMIT, NULL, "has more than %d arrays", MOST_ARRAYS);
		}
		status = next(b, s, &e);
		if (status == RT_OK && e.type == MAT_T_COMPRESSED) {
			status = read_compressed(b, s, &e);
		} else if (status == RT_OK && e.type == MAT_T_MATRIX) {
			status = read_array(b, s, &e);
		}
	}
	if (status == RT_OK && b->table->table->ncolumns == 0) {
		return table_fail(b->table, RT_E_FORMAT, NULL, "holds no arrays of numbers%s", b->passed);
	}
	return status;
}

RtStatus mat_read(TableBuild *table)
{
	MatRead all = {.table = table}, *b = &all;
	const unsigned char *bytes = (const unsigned char *)table->bytes;
	if (table->n < HEADER ||
	    (memcmp(bytes + 126, "IM", 2) != 0 && memcmp(bytes + 126, "MI", 2) != 0)) {
		return broken(b, "its header does not tell the order of bytes");
	}
	Bytes s = {bytes + HEADER, bytes + table->n, bytes[126] == 'M'};
	if (word(&s, bytes + 124, 2) != MAT_FT_MAT5) {
		return table_fail(table, RT_E_UNSUPPORTED, NULL,
		                  "is a MATLAB file of another level: save it by  save -v7");
	}
	b->library = dlopen("libmatio.so.11", RTLD_NOW | RTLD_NODELETE);
	if (!b->library) {
		return table_fail(table, RT_E_UNSUPPORTED, NULL,
		                  "MATLAB files need the library libmatio.so.11 (Debian package libmatio11), "
		                  "which is not installed");
	}
	(void)MATIO(Mat_LogInitFunc)("pnnc", hear);
	RtStatus status = read_elements(b, &s);
	(void)MATIO(Mat_LogClose)();
	(void)dlclose(b->library);
	if (status == RT_OK) {
		table_find_records(table->table);
	}
	return status;
}
