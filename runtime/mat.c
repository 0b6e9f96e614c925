/* mat.c — MATLAB files of level 5 (saved by -v6 or -v7) to tables: one column for each numeric
 * array.
 *
 * A header of 128 bytes, then elements: type, number of bytes, data padded to 8 bytes; up to 4
 * bytes stand within the tag. Compressed elements hold one element, deflated by zlib. An array is
 * an element of elements: flags, dimensions, name, real part, imaginary part; its numbers may be
 * stored in a smaller type than the array has, and stand column by column. Cells, structures, texts
 * and sparse arrays are passed over. Dimensions of length one are dropped, so that a vector has
 * one. */
#include "runtime/table_int.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { HEADER = 128, MOST_ARRAYS = 10000, LONGEST_NAME = 200 };
enum {
	TYPE_INT8 = 1,
	TYPE_UINT8,
	TYPE_INT16,
	TYPE_UINT16,
	TYPE_INT32,
	TYPE_UINT32,
	TYPE_SINGLE,
	TYPE_DOUBLE = 9,
	TYPE_INT64 = 12,
	TYPE_UINT64,
	TYPE_MATRIX,
	TYPE_COMPRESSED
};
enum { CLASS_DOUBLE = 6, CLASS_SINGLE = 7, CLASS_INT8 = 8, CLASS_UINT64 = 15 };
enum { FLAG_LOGICAL = 0x200, FLAG_COMPLEX = 0x800 };

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
	uint32_t class, flags;
	unsigned ndim;
	size_t dim[RT_MAX_DIM], count; /* without those of length one */
	char name[LONGEST_NAME + 8];
	Element re, im;
} Array;

static RtStatus broken(TableBuild *b, const char *what)
{
	return table_fail(b, RT_E_FORMAT, NULL, "is not a readable MATLAB file: %s", what);
}

/* size bytes as a number of this machine's order, in the low bytes of the result */
static uint64_t word(const Bytes *s, const unsigned char *at, size_t size)
{
	uint64_t v = 0;
	for (size_t k = 0; k < size; k++) {
		v |= (uint64_t)at[s->swapped ? size - 1 - k : k] << 8 * k;
	}
	return v;
}

static RtStatus next(TableBuild *b, Bytes *s, Element *e)
{
	if (s->end - s->at < 8) {
		return broken(b, "it ends within an element");
	}
	uint64_t tag = word(s, s->at, 4);
	bool small = tag >> 16 != 0;
	e->type = small ? (uint32_t)(tag & 0xFFFF) : (uint32_t)tag;
	e->n = small ? (size_t)(tag >> 16) : (size_t)word(s, s->at + 4, 4);
	e->data = s->at + (small ? 4 : 8);
	if ((small && e->n > 4) || e->n > (size_t)(s->end - e->data)) {
		return broken(b, "an element is longer than the file");
	}
	size_t used = small ? 8 : 8 + e->n;
	if (!small && e->type != TYPE_COMPRESSED) {
		used = (used + 7) / 8 * 8;
	}
	size_t rest = (size_t)(s->end - s->at);
	s->at += used < rest ? used : rest;
	return RT_OK;
}

static size_t size_of(uint32_t type)
{
	static const unsigned char size[] = {0, 1, 1, 2, 2, 4, 4, 4, 0, 8, 0, 0, 8, 8};
	return type < sizeof size ? size[type] : 0;
}

static double real_at(const Bytes *s, uint32_t type, const unsigned char *at)
{
	uint64_t w = word(s, at, size_of(type));
	double d;
	float f;
	uint32_t low = (uint32_t)w;
	switch (type) {
	case TYPE_INT8:
		return (int8_t)w;
	case TYPE_INT16:
		return (int16_t)w;
	case TYPE_INT32:
		return (int32_t)w;
	case TYPE_INT64:
		return (double)(int64_t)w;
	case TYPE_SINGLE:
		memcpy(&f, &low, sizeof f);
		return f;
	case TYPE_DOUBLE:
		memcpy(&d, &w, sizeof d);
		return d;
	default:
		return (double)w;
	}
}

static RtStatus int_at(TableBuild *b, const Bytes *s, uint32_t type, const unsigned char *at,
		       int64_t *v)
{
	uint64_t w = word(s, at, size_of(type));
	if (type == TYPE_SINGLE || type == TYPE_DOUBLE) {
		return broken(b, "an array of ints holds other numbers");
	}
	if (type == TYPE_UINT64 && w > INT64_MAX) {
		return table_fail(b, RT_E_UNSUPPORTED, NULL, "holds an int of more than 63 bits");
	}
	*v = type == TYPE_INT64 || type == TYPE_UINT64 ? (int64_t)w : (int64_t)real_at(s, type, at);
	return RT_OK;
}

/* The numbers of one part, row by row. */
static RtStatus add_part(TableBuild *b, const Bytes *s, const Array *a, const Element *e,
			 const char *ending)
{
	char name[LONGEST_NAME + 16];
	size_t size = size_of(e->type);
	if (!size || e->n != a->count * size) {
		return broken(b, "an array has more or fewer numbers than its dimensions say");
	}
	bool whole = a->class >= CLASS_INT8 && a->class <= CLASS_UINT64;
	(void)snprintf(name, sizeof name, "%s%s", a->name, ending);
	RtColumn *c;
	RtStatus status = table_add(b, name, strlen(name), &c);
	if (status == RT_OK) {
		status = table_shape(b, c, whole ? RT_INT : RT_REAL, a->ndim, a->dim, 0);
	}
	size_t at[RT_MAX_DIM] = {0};
	for (size_t i = 0; status == RT_OK && i < a->count; i++) {
		size_t from = 0;
		for (unsigned k = a->ndim; k-- > 0;) {
			from = from * a->dim[k] + at[k];
		}
		if (whole) {
			status =
				int_at(b, s, e->type, e->data + from * size, &c->values.integer[i]);
		} else {
			c->values.real[i] = real_at(s, e->type, e->data + from * size);
			if (!(c->values.real[i] - c->values.real[i] == 0)) {
				table_missing(c, i, "entry %zu", i + 1);
			}
		}
		for (unsigned k = a->ndim; k-- > 0 && ++at[k] == a->dim[k];) {
			at[k] = 0;
		}
	}
	if (status == RT_OK) {
		c->is_bool = whole && (a->flags & FLAG_LOGICAL);
	}
	return status;
}

static RtStatus read_shape(TableBuild *b, const Bytes *s, const Element *e, Array *a)
{
	a->count = 1;
	if (e->type != TYPE_INT32 || e->n % 4) {
		return broken(b, "the dimensions of an array are no ints");
	}
	for (size_t k = 0; k < e->n; k += 4) {
		int32_t d = (int32_t)word(s, e->data + k, 4);
		if (d < 0 || __builtin_mul_overflow(a->count, (size_t)d, &a->count)) {
			return broken(b, "a dimension of an array is out of range");
		}
		if (d != 1 && a->ndim == RT_MAX_DIM) {
			return table_fail(b, RT_E_LIMIT, NULL,
					  "an array has more than %d dimensions", RT_MAX_DIM);
		}
		if (d != 1) {
			a->dim[a->ndim++] = (size_t)d;
		}
	}
	return RT_OK;
}

static RtStatus read_array(TableBuild *b, const Bytes *s, const Element *e)
{
	Bytes in = {e->data, e->data + e->n, s->swapped};
	Element flags, shape, name;
	Array a = {0};
	RtStatus status = next(b, &in, &flags);
	if (status == RT_OK && (flags.type != TYPE_UINT32 || flags.n != 8)) {
		status = broken(b, "an array has no flags");
	}
	if (status != RT_OK) {
		return status;
	}
	a.flags = (uint32_t)word(s, flags.data, 4);
	a.class = a.flags & 0xFF;
	if (a.class < CLASS_DOUBLE || a.class > CLASS_UINT64) {
		return RT_OK; /* a cell, a structure, a text, a sparse array */
	}
	if ((status = next(b, &in, &shape)) != RT_OK || (status = next(b, &in, &name)) != RT_OK ||
	    (status = read_shape(b, s, &shape, &a)) != RT_OK ||
	    (status = next(b, &in, &a.re)) != RT_OK) {
		return status;
	}
	if (name.n > LONGEST_NAME || memchr(name.data, 0, name.n)) {
		return broken(b, "an array has no proper name");
	}
	memcpy(a.name, name.data, name.n);
	if (!(a.flags & FLAG_COMPLEX)) {
		return add_part(b, s, &a, &a.re, "");
	}
	status = next(b, &in, &a.im);
	if (status == RT_OK) {
		status = add_part(b, s, &a, &a.re, "_re");
	}
	return status == RT_OK ? add_part(b, s, &a, &a.im, "_im") : status;
}

/* A compressed element; what it unpacks to counts against the limit. */
static RtStatus read_compressed(TableBuild *b, const Bytes *s, const Element *e)
{
	size_t room = 0, n = 0;
	unsigned char *out = NULL;
	z_stream z = {.next_in = (Bytef *)(uintptr_t)e->data, .avail_in = (uInt)e->n};
	if (inflateInit(&z) != Z_OK) {
		return table_fail(b, RT_E_MEMORY, NULL, "not enough memory to unpack it");
	}
	int state = Z_OK;
	RtStatus status = RT_OK;
	while (state == Z_OK && status == RT_OK) {
		if (!rt_grow((void **)&out, &room, n + 65536, 1)) {
			status = table_fail(b, RT_E_MEMORY, NULL, "not enough memory to unpack it");
			break;
		}
		size_t free_bytes = room - n < UINT_MAX ? room - n : UINT_MAX;
		z.next_out = out + n;
		z.avail_out = (uInt)free_bytes;
		state = inflate(&z, Z_NO_FLUSH);
		n += free_bytes - z.avail_out;
		if (n > b->limit - b->used) {
			status =
				table_fail(b, RT_E_LIMIT, NULL,
					   "unpacks to more than the limit of %zu bytes", b->limit);
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
	if (status == RT_OK && inner.type == TYPE_MATRIX) {
		status = read_array(b, s, &inner);
	}
	free(out);
	return status;
}

RtStatus mat_read(TableBuild *b)
{
	const unsigned char *bytes = (const unsigned char *)b->bytes;
	if (b->n < HEADER ||
	    (memcmp(bytes + 126, "IM", 2) != 0 && memcmp(bytes + 126, "MI", 2) != 0)) {
		return broken(b, "its header does not tell the order of bytes");
	}
	Bytes s = {bytes + HEADER, bytes + b->n, bytes[126] == 'M'};
	if (word(&s, bytes + 124, 2) != 0x0100) {
		return table_fail(b, RT_E_UNSUPPORTED, NULL,
				  "is a MATLAB file of another level: save it by  save -v7");
	}
	RtStatus status = RT_OK;
	for (size_t k = 0; status == RT_OK && s.at < s.end; k++) {
		Element e;
		if (k == MOST_ARRAYS) {
			return table_fail(b, RT_E_LIMIT, NULL, "has more than %d arrays",
					  MOST_ARRAYS);
		}
		status = next(b, &s, &e);
		if (status == RT_OK && e.type == TYPE_COMPRESSED) {
			status = read_compressed(b, &s, &e);
		} else if (status == RT_OK && e.type == TYPE_MATRIX) {
			status = read_array(b, &s, &e);
		}
	}
	if (status == RT_OK && b->table->ncolumns == 0) {
		return table_fail(b, RT_E_FORMAT, NULL, "holds no arrays of numbers");
	}
	if (status == RT_OK) {
		table_find_records(b->table);
	}
	return status;
}
