/* table.c — which format, and the building of tables. */
#include "runtime/table.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "runtime/file.h"
#include "runtime/table_int.h"
#include "runtime/utf8.h"

RtStatus table_fail(TableBuild *b, RtStatus status, const char *where, const char *format, ...)
{
	char text[RT_TEXT_MAX];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return rt_fail(b->err, status, b->name, where, "%s", text);
}

RtStatus table_reserve(TableBuild *b, size_t items, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(items, size, &bytes) || bytes > b->limit - b->used) {
		return table_fail(b, RT_E_LIMIT, NULL,
		                  "its values take more memory than the limit of %zu bytes", b->limit);
	}
	b->used += bytes;
	return RT_OK;
}

static RtStatus no_memory(TableBuild *b)
{
	return table_fail(b, RT_E_MEMORY, NULL, "not enough memory for its values");
}

RtStatus table_add(TableBuild *b, const char *text, size_t nname, RtColumn **column)
{
	RtTable *t = b->table;
	*column = NULL;
	if (!rt_grow((void **)&t->column, &b->room, t->ncolumns + 1, sizeof *t->column)) {
		return no_memory(b);
	}
	RtColumn *c = &t->column[t->ncolumns];
	memset(c, 0, sizeof *c);
	c->name = rt_copy_text(text, nname);
	if (!c->name) {
		return no_memory(b);
	}
	t->ncolumns++;
	*column = c;
	return RT_OK;
}

RtStatus table_shape(TableBuild *b, RtColumn *c, RtType type, unsigned ndim, const size_t *dim,
                     size_t nbytes)
{
	c->type = type;
	c->ndim = ndim;
	c->count = 1;
	for (unsigned i = 0; i < ndim; i++) {
		c->dim[i] = dim[i];
		if (__builtin_mul_overflow(c->count, dim[i], &c->count)) {
			return table_fail(b, RT_E_LIMIT, NULL, "\"%s\" has too many values", c->name);
		}
	}
	size_t size = type == RT_STRING ? sizeof(char *) : sizeof(double);
	RtStatus status = table_reserve(b, c->count, size);
	if (status == RT_OK) {
		status = table_reserve(b, nbytes, 1);
	}
	if (status != RT_OK) {
		return status;
	}
	void *values = rt_alloc(c->count, size);
	switch (type) {
	case RT_REAL:
		c->values.real = values;
		break;
	case RT_INT:
		c->values.integer = values;
		break;
	case RT_STRING:
		c->values.string = values;
		c->text = rt_alloc(nbytes, 1);
		if (!c->text) {
			values = NULL;
		}
		break;
	}
	return values ? RT_OK : no_memory(b);
}

void table_missing(RtColumn *c, size_t i, const char *format, ...)
{
	if (!c->has_missing) {
		va_list args;
		va_start(args, format);
		(void)vsnprintf(c->missing_where, sizeof c->missing_where, format, args);
		va_end(args);
		c->has_missing = true;
		c->first_missing = i;
	}
}

RtStatus table_check_text(TableBuild *b, const char *text, size_t n)
{
	const char *zero = memchr(text, 0, n);
	size_t good = rt_utf8_valid(text, n), bad = n;
	if (zero) {
		bad = (size_t)(zero - text);
	}
	bad = good < bad ? good : bad;
	if (bad == n) {
		return RT_OK;
	}
	size_t line = 1, start = 0;
	for (size_t i = 0; i < bad; i++) {
		if (text[i] == '\n' || (text[i] == '\r' && text[i + 1] != '\n')) {
			line++;
			start = i + 1;
		}
	}
	char where[RT_WHERE_MAX];
	(void)snprintf(where, sizeof where, "line %zu, byte %zu", line, bad - start + 1);
	return table_fail(b, RT_E_FORMAT, where,
	                  text[bad] ? "the text is not UTF-8" : "there is a NUL byte in the text");
}

static int by_name(const void *a, const void *b)
{
	const RtColumn *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

static RtStatus check_names(TableBuild *b)
{
	RtTable *t = b->table;
	const RtColumn **sorted = rt_alloc(t->ncolumns, sizeof *sorted);
	if (!sorted) {
		return no_memory(b);
	}
	for (size_t i = 0; i < t->ncolumns; i++) {
		sorted[i] = &t->column[i];
	}
	qsort(sorted, t->ncolumns, sizeof *sorted, by_name);
	RtStatus status = RT_OK;
	for (size_t i = 1; i < t->ncolumns && status == RT_OK; i++) {
		if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0) {
			status = table_fail(b, RT_E_FORMAT, NULL, "two columns are named \"%s\"",
			                    sorted[i]->name);
		}
	}
	free(sorted);
	return status;
}

/* What people try to load that is none of the formats, by its first bytes. */
static const char *foreign_format(const char *bytes, size_t n)
{
	static const struct {
		char magic[12], what[72];
	} known[] = {
	    {"\x1f\x8b", "is gzip-compressed: unpack it first"},
	    {"\x89HDF", "is an HDF5 file: save its arrays as NPY or NPZ"},
	    {"MATLAB 7.3", "is a MATLAB 7.3 file, which is HDF5: save it by  save -v7"},
	    {"\xff\xfe", "is UTF-16 text: save it as UTF-8"},
	    {"\xfe\xff", "is UTF-16 text: save it as UTF-8"},
	    {"\x80\x04", "is a Python pickle, which is not read: save arrays as NPY or NPZ"},
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		size_t m = strlen(known[i].magic);
		if (n >= m && memcmp(bytes, known[i].magic, m) == 0) {
			return known[i].what;
		}
	}
	return NULL;
}

bool table_has_extension(const char *name, const char *extension)
{
	size_t n = strlen(name), m = strlen(extension);
	return n >= m && strcasecmp(name + n - m, extension) == 0;
}

static RtFormat find_format(const char *bytes, size_t n, const char *name)
{
	if (n >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0) {
		return RT_NPY;
	}
	if (n >= 4 && (memcmp(bytes, "PK\3\4", 4) == 0 || memcmp(bytes, "PK\5\6", 4) == 0)) {
		return RT_NPZ;
	}
	if (n >= 10 && memcmp(bytes, "MATLAB 5.0", 10) == 0) {
		return RT_MAT;
	}
	if (table_has_extension(name, ".npy")) {
		return RT_NPY;
	}
	if (table_has_extension(name, ".npz")) {
		return RT_NPZ;
	}
	if (table_has_extension(name, ".xyz") || table_has_extension(name, ".extxyz") ||
	    xyz_looks_like(bytes, n)) {
		return RT_XYZ;
	}
	return RT_TEXT;
}

static RtStatus read_format(TableBuild *b)
{
	const char *foreign = foreign_format(b->bytes, b->n);
	if (b->n == 0) {
		return table_fail(b, RT_E_FORMAT, NULL, "is empty");
	}
	if (foreign) {
		return table_fail(b, RT_E_UNSUPPORTED, NULL, "%s", foreign);
	}
	RtFormat format = b->options.format;
	b->table->format = format ? format : find_format(b->bytes, b->n, b->name);
	switch (b->table->format) {
	case RT_AUTO:
	case RT_TEXT:
		return csv_read(b);
	case RT_NPY:
		return npy_read(b);
	case RT_NPZ:
		return npz_read(b);
	case RT_XYZ:
		return xyz_read(b);
	case RT_MAT:
		return mat_read(b);
	}
	return RT_E_USAGE;
}

RtStatus rt_table_from_bytes(const void *bytes, size_t n, const char *name,
                             const RtTableOptions *options, RtTable **table, RtError *err)
{
	TableBuild b = {.name = name, .bytes = bytes, .n = n, .err = err};
	*table = NULL;
	if (options) {
		b.options = *options;
	}
	b.limit = b.options.memory_limit;
	if (b.limit == 0 && __builtin_mul_overflow(n, (size_t)16, &b.limit)) {
		b.limit = SIZE_MAX;
	} else if (b.options.memory_limit == 0) {
		b.limit += (size_t)64 << 20;
	}
	b.table = calloc(1, sizeof *b.table);
	if (!b.table) {
		return no_memory(&b);
	}
	RtStatus status = read_format(&b);
	if (status == RT_OK) {
		status = check_names(&b);
	}
	if (status != RT_OK) {
		rt_table_free(b.table);
		return status;
	}
	*table = b.table;
	return RT_OK;
}

RtStatus rt_table_load(const char *path, const RtTableOptions *options, RtTable **table,
                       RtError *err)
{
	char *bytes;
	size_t n;
	*table = NULL;
	RtStatus status = rt_file_read(path, 0, &bytes, &n, err);
	if (status == RT_OK) {
		status = rt_table_from_bytes(bytes, n, path, options, table, err);
		free(bytes);
	}
	return status;
}

static const RtColumn *find_column(const RtTable *table, const char *name)
{
	for (size_t i = 0; i < table->ncolumns; i++) {
		if (strcmp(table->column[i].name, name) == 0) {
			return &table->column[i];
		}
	}
	return NULL;
}

const RtColumn *rt_table_column(const RtTable *table, const char *name)
{
	const RtColumn *c = find_column(table, name);
	if (!c && table->format == RT_XYZ && strcmp(name, "positions") == 0) {
		c = find_column(table, "pos");
	}
	return c;
}

static void free_column(RtColumn *c)
{
	switch (c->type) {
	case RT_REAL:
		free(c->values.real);
		break;
	case RT_INT:
		free(c->values.integer);
		break;
	case RT_STRING:
		free(c->values.string);
		break;
	}
	free(c->text);
	free(c->offsets);
	free(c->name);
}

void rt_table_free(RtTable *table)
{
	if (!table) {
		return;
	}
	for (size_t i = 0; i < table->ncolumns; i++) {
		free_column(&table->column[i]);
	}
	free(table->column);
	free(table);
}
