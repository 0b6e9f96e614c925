/* test_rt_mat.c — MATLAB files of both byte orders, stored and compressed; damaged ones, of which
 * libmatio alone reads most without a word; libmatio not installed. */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <matio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "tests/unit/rt_aid.h"

TestSuite(mat, .fini = aid_cleanup);

static RtError err;
static bool absent; /* dlopen finds nothing */

void *__real_dlopen(const char *name, int mode);
void *__wrap_dlopen(const char *name, int mode);
void *__wrap_dlopen(const char *name, int mode)
{
	return absent ? NULL : __real_dlopen(name, mode);
}

typedef struct Bytes {
	unsigned char data[4096];
	size_t n;
	bool swapped;
} Bytes;

/* One number of size bytes, in the order of the file. */
static void put(Bytes *b, const void *number, size_t size)
{
	for (size_t k = 0; k < size; k++) {
		b->data[b->n++] = ((const unsigned char *)number)[b->swapped ? size - 1 - k : k];
	}
}

static void put_word(Bytes *b, uint32_t w)
{
	put(b, &w, 4);
}

/* count numbers of that size under their tag, padded. */
static void element(Bytes *b, uint32_t type, size_t size, const void *numbers, size_t count)
{
	put_word(b, type);
	put_word(b, (uint32_t)(size * count));
	for (size_t k = 0; k < count; k++) {
		put(b, (const char *)numbers + k * size, size);
	}
	while (b->n % 8) {
		b->data[b->n++] = 0;
	}
}

static Bytes file(bool swapped)
{
	Bytes b = {.n = 124, .swapped = swapped};
	memset(b.data, ' ', b.n);
	memcpy(b.data, "MATLAB 5.0 MAT-file", 19);
	uint16_t word = 0x0100;
	put(&b, &word, 2);
	word = 'M' << 8 | 'I';
	put(&b, &word, 2);
	return b;
}

/* Flags, dimensions and name of an array; end() follows its numbers. Returns where it begins. */
static size_t begin(Bytes *b, uint32_t flags, const char *name, size_t ndim, const int32_t *dim)
{
	size_t at = b->n;
	uint32_t words[2] = {flags, 0};
	put_word(b, MAT_T_MATRIX);
	put_word(b, 0);
	element(b, MAT_T_UINT32, 4, words, 2);
	element(b, MAT_T_INT32, 4, dim, ndim);
	element(b, MAT_T_INT8, 1, name, strlen(name));
	return at;
}

static void end(Bytes *b, size_t at)
{
	size_t n = b->n;
	b->n = at + 4;
	put_word(b, (uint32_t)(n - at - 8));
	b->n = n;
}

/* From there on deflated. */
static void compress_from(Bytes *b, size_t at)
{
	unsigned char out[4096];
	uLongf n = sizeof out;
	cr_assert_eq(compress(out, &n, b->data + at, b->n - at), Z_OK);
	b->n = at;
	put_word(b, MAT_T_COMPRESSED);
	put_word(b, (uint32_t)n);
	memcpy(b->data + b->n, out, n);
	b->n += n;
}

static RtTable *load(const Bytes *b)
{
	RtTable *t;
	err.text[0] = 0;
	(void)rt_table_from_bytes(b->data, b->n, "x.mat", NULL, &t, &err);
	return t;
}

static const int32_t TWO_BY_THREE[] = {2, 3};
static const double SIX[] = {1, 4, 2, 5, 3, 6.5}; /* column by column */

/* u[2,3], complex z[2,3], logical l[3], k[2,2,2] of int64, r[2] whose numbers are stored as int8,
 * and what is passed over: text. */
static Bytes sample(bool swapped, bool packed)
{
	static const double im[] = {-1, -2, -3, -4, -5, -6};
	static const uint8_t yes[] = {1, 0, 1};
	static const int64_t cube[] = {0, 1, 2, 3, 4, 5, 6, INT64_MIN};
	static const int8_t few[] = {-3, 100};
	Bytes b = file(swapped);
	size_t at = begin(&b, MAT_C_DOUBLE, "u", 2, TWO_BY_THREE);
	element(&b, MAT_T_DOUBLE, 8, SIX, 6);
	end(&b, at);
	if (packed) {
		compress_from(&b, at);
	}
	Bytes rest = {.swapped = swapped};
	at = begin(&rest, MAT_C_DOUBLE | MAT_F_COMPLEX, "z", 2, TWO_BY_THREE);
	element(&rest, MAT_T_DOUBLE, 8, SIX, 6);
	element(&rest, MAT_T_DOUBLE, 8, im, 6);
	end(&rest, at);
	at = begin(&rest, MAT_C_UINT8 | MAT_F_LOGICAL, "l", 2, (int32_t[]){3, 1});
	element(&rest, MAT_T_UINT8, 1, yes, 3);
	end(&rest, at);
	at = begin(&rest, MAT_C_INT64, "k", 3, (int32_t[]){2, 2, 2});
	element(&rest, MAT_T_INT64, 8, cube, 8);
	end(&rest, at);
	at = begin(&rest, MAT_C_DOUBLE, "r", 2, (int32_t[]){1, 2});
	element(&rest, MAT_T_INT8, 1, few, 2);
	end(&rest, at);
	at = begin(&rest, MAT_C_CHAR, "words", 2, (int32_t[]){1, 2});
	element(&rest, MAT_T_UTF8, 1, "ab", 2);
	end(&rest, at);
	memcpy(b.data + b.n, rest.data, rest.n);
	b.n += rest.n;
	return b;
}

Test(mat, numbers)
{
	for (int kind = 0; kind < 4; kind++) {
		Bytes b = sample(kind & 1, kind & 2);
		RtTable *t = load(&b);
		cr_assert_not_null(t, "kind %d: %s", kind, err.text);
		cr_assert_eq(t->ncolumns, 6);
		const RtColumn *u = rt_table_column(t, "u"), *im = rt_table_column(t, "z_im");
		const RtColumn *l = rt_table_column(t, "l"), *k = rt_table_column(t, "k");
		const RtColumn *r = rt_table_column(t, "r");
		cr_assert_eq(u->ndim, 2);
		cr_assert(u->dim[0] == 2 && u->dim[1] == 3);
		cr_assert_arr_eq(u->values.real, ((double[]){1, 2, 3, 4, 5, 6.5}), 6 * sizeof(double));
		cr_assert_arr_eq(im->values.real, ((double[]){-1, -3, -5, -2, -4, -6}), 6 * sizeof(double));
		cr_assert(l->ndim == 1 && l->is_bool && l->type == RT_INT && l->values.integer[2] == 1);
		cr_assert(k->ndim == 3 && k->values.integer[1] == 4 && k->values.integer[4] == 1);
		cr_assert_eq(k->values.integer[7], INT64_MIN);
		cr_assert(r->ndim == 1 && r->type == RT_REAL && r->values.real[0] == -3);
		rt_table_free(t);
	}
}

static RtStatus try_load(const void *bytes, size_t n, RtError *e)
{
	RtTable *t;
	RtTableOptions options = {.format = RT_MAT};
	RtStatus status = rt_table_from_bytes(bytes, n, "x.mat", &options, &t, e);
	rt_table_free(t);
	return status;
}

/* Every prefix and every changed bit: a table or a message, and nothing on the process's streams. */
Test(mat, damaged)
{
	const char *path = aid_file("said", "", 0);
	int out = dup(1), both = dup(2);
	cr_assert(freopen(path, "w", stdout) && dup2(fileno(stdout), 2) >= 0);
	for (int kind = 0; kind < 4; kind++) {
		Bytes b = sample(kind & 1, kind & 2);
		(void)aid_torture(try_load, b.data, b.n);
	}
	(void)fflush(stdout);
	dup2(out, 1);
	dup2(both, 2);
	size_t n = 1;
	free(aid_read("said", &n));
	cr_assert_eq(n, 0);
}

/* What is compressed has a checksum: with any bit changed it is refused, unless it unpacks to the same
 * bytes (of a copy from within zeros, the distance does not matter). */
Test(mat, checksum)
{
	Bytes b = file(false);
	size_t at = begin(&b, MAT_C_DOUBLE, "u", 2, TWO_BY_THREE);
	element(&b, MAT_T_DOUBLE, 8, SIX, 6);
	end(&b, at);
	compress_from(&b, at);
	size_t same = 0, bits = 8 * (b.n - at - 8);
	for (size_t k = at + 8; k < b.n; k++) {
		for (int bit = 0; bit < 8; bit++) {
			b.data[k] ^= (unsigned char)(1 << bit);
			RtTable *t = load(&b);
			const RtColumn *u = t ? rt_table_column(t, "u") : NULL;
			cr_assert(!t || (u && u->count == 6), "byte %zu, bit %d", k, bit);
			for (size_t i = 0; u && i < 6; i++) {
				cr_assert_eq(u->values.real[i], SIX[i % 3 * 2 + i / 3], "byte %zu, bit %d", k, bit);
			}
			same += t != NULL;
			rt_table_free(t);
			b.data[k] ^= (unsigned char)(1 << bit);
		}
	}
	cr_assert_lt(20 * same, bits);
}

static void refused(uint32_t flags, const char *name, size_t ndim, const int32_t *dim,
                    uint32_t type, size_t size, size_t count, const char *message)
{
	static const uint64_t numbers[8] = {0, UINT64_MAX};
	Bytes b = file(false);
	size_t at = begin(&b, flags, name, ndim, dim);
	element(&b, type, size, numbers, count);
	end(&b, at);
	cr_expect_null(load(&b), "read: %s", message);
	cr_expect_str_eq(err.text, message);
}

Test(mat, refused)
{
	static const int32_t many[] = {2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, nine[] = {2, 2, 2, 2, 2, 2, 2, 2, 2};
	static const int32_t two[] = {1, 2}, huge[] = {1 << 30, 1 << 30, 16}, negative[] = {-1, 2};
#define BAD "is not a readable MATLAB file: array \"u\" "
	refused(MAT_C_DOUBLE, "u", 2, two, MAT_T_DOUBLE, 8, 1,
	        BAD "has more or fewer numbers than its dimensions say");
	refused(MAT_C_DOUBLE, "u", 2, two, MAT_T_DOUBLE, 8, 3,
	        BAD "has more or fewer numbers than its dimensions say");
	refused(MAT_C_DOUBLE, "u", 2, two, MAT_T_UTF8, 1, 2,
	        BAD "has more or fewer numbers than its dimensions say");
	refused(MAT_C_DOUBLE, "u", 3, huge, MAT_T_DOUBLE, 8, 0, BAD "has a dimension out of range");
	refused(MAT_C_DOUBLE, "u", 2, negative, MAT_T_DOUBLE, 8, 2, BAD "has a dimension out of range");
	refused(MAT_C_INT8, "u", 2, two, MAT_T_DOUBLE, 8, 2, BAD "is of ints and holds other numbers");
	refused(MAT_C_DOUBLE, "u", 1, two, MAT_T_DOUBLE, 8, 1, BAD "has no proper dimensions");
	refused(MAT_C_DOUBLE, "u", 14, many, MAT_T_DOUBLE, 8, 2, "array \"u\" has more than 13 dimensions");
	refused(MAT_C_UINT8, "u", 9, nine, MAT_T_UINT8, 1, 0,
	        BAD "has more or fewer numbers than its dimensions say");
	refused(MAT_C_UINT64, "u", 2, two, MAT_T_UINT64, 8, 2,
	        "array \"u\" holds an int of more than 63 bits");
	refused(MAT_C_DOUBLE | MAT_F_COMPLEX, "u", 2, two, MAT_T_DOUBLE, 8, 2,
	        "is not a readable MATLAB file: it ends within an element");
	refused(MAT_C_CELL, "u", 2, two, MAT_T_DOUBLE, 8, 0,
	        "holds no arrays of numbers: \"u\" is a cell array");
	refused(MAT_C_STRUCT, "u", 2, two, MAT_T_DOUBLE, 8, 0,
	        "holds no arrays of numbers: \"u\" is a structure");
	refused(MAT_C_SPARSE, "u", 2, two, MAT_T_DOUBLE, 8, 0,
	        "holds no arrays of numbers: \"u\" is a sparse array");
	refused(MAT_C_CHAR, "u", 2, two, MAT_T_UTF8, 1, 2, "holds no arrays of numbers: \"u\" is text");
}

/* The most dimensions, and arrays without numbers. */
Test(mat, shapes)
{
	static const int32_t thirteen[] = {1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, none[] = {0, 3};
	Bytes b = file(false);
	size_t at = begin(&b, MAT_C_DOUBLE, "u", 13, thirteen);
	element(&b, MAT_T_DOUBLE, 8, SIX, 2);
	end(&b, at);
	at = begin(&b, MAT_C_DOUBLE | MAT_F_COMPLEX, "empty", 2, none);
	element(&b, MAT_T_DOUBLE, 8, SIX, 0);
	element(&b, MAT_T_DOUBLE, 8, SIX, 0);
	end(&b, at);
	RtTable *t = load(&b);
	cr_assert_not_null(t, "%s", err.text);
	const RtColumn *u = rt_table_column(t, "u"), *im = rt_table_column(t, "empty_im");
	cr_assert(u->ndim == 1 && u->dim[0] == 2 && u->values.real[1] == 4);
	cr_assert(im->ndim == 2 && im->count == 0 && im->dim[1] == 3);
	rt_table_free(t);
}

Test(mat, library_absent)
{
	Bytes b = sample(false, false);
	absent = true;
	cr_assert_null(load(&b));
	cr_assert_eq(err.status, RT_E_UNSUPPORTED);
	cr_assert_not_null(strstr(err.text, "libmatio.so.11 (Debian package libmatio11)"));
}
