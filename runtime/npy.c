/* npy.c — NPY files, versions 1 to 3, to columns.
 *
 * magic "\x93NUMPY", version (2 bytes), header length (2 bytes in version 1, else 4), header, data.
 * The header is a literal of Python with exactly the keys descr, fortran_order and shape; it is
 * read by the small parser below, which knows no expressions. Every size is checked before it is
 * used. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "runtime/half.h"
#include "runtime/table_int.h"
#include "runtime/utf8.h"

enum { LONGEST_HEADER = 65535, LONGEST_DESCR = 32 };

typedef struct Npy {
	TableBuild *b;
	const char *prefix;  /* "" or "member x.npy, " */
	const char *base, *at, *end; /* the file; the parser's place in the header and its end */
	char descr[LONGEST_DESCR];
	bool big_endian, fortran;
	char kind;           /* f i u b S U */
	size_t size;         /* bytes of an element */
	unsigned ndim;
	size_t dim[RT_MAX_DIM], count;
	const unsigned char *data;
} Npy;

static RtStatus fail_at(Npy *p, RtStatus status, const char *at, const char *what)
{
	char where[RT_WHERE_MAX];
	(void)snprintf(where, sizeof where, "%.80sbyte %td", p->prefix, at - p->base);
	return table_fail(p->b, status, where, "%s", what);
}

static void skip_blanks(Npy *p)
{
	while (p->at < p->end &&
	       (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r')) {
		p->at++;
	}
}

/* Is c next, after blanks? Then it is passed over. */
static bool take(Npy *p, char c)
{
	skip_blanks(p);
	if (p->at < p->end && *p->at == c) {
		p->at++;
		return true;
	}
	return false;
}

/* A string in single or double quotes, without escapes. */
static bool take_string(Npy *p, const char **text, size_t *n)
{
	char quote = take(p, '\'') ? '\'' : take(p, '"') ? '"' : 0;
	*text = p->at;
	while (quote && p->at < p->end && *p->at != quote && *p->at != '\\') {
		p->at++;
	}
	*n = (size_t)(p->at - *text);
	return quote && take(p, quote);
}

static bool take_word(Npy *p, const char *word)
{
	size_t n = strlen(word);
	skip_blanks(p);
	if ((size_t)(p->end - p->at) >= n && memcmp(p->at, word, n) == 0) {
		p->at += n;
		return true;
	}
	return false;
}

static RtStatus take_dimension(Npy *p)
{
	size_t value = 0;
	const char *start = p->at;
	for (; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++) {
		size_t digit = (size_t)(*p->at - '0');
		if (value > (SIZE_MAX / 2 - digit) / 10) {
			return fail_at(p, RT_E_LIMIT, start, "a dimension of the array is too large");
		}
		value = value * 10 + digit;
	}
	if (p->at == start) {
		return fail_at(p, RT_E_FORMAT, start, "a dimension of the array is not a number");
	}
	if (p->ndim == RT_MAX_DIM) {
		return fail_at(p, RT_E_LIMIT, start, "the array has more than 8 dimensions");
	}
	p->dim[p->ndim++] = value;
	(void)take(p, 'L'); /* long integers of Python 2 */
	return RT_OK;
}

/* (), (3,), (3, 4): a tuple of one needs its comma. */
static RtStatus take_shape(Npy *p)
{
	if (!take(p, '(')) {
		return fail_at(p, RT_E_FORMAT, p->at, "the shape of the array is not a tuple");
	}
	bool comma = true;
	while (!take(p, ')')) {
		skip_blanks(p);
		if (!comma) {
			return fail_at(p, RT_E_FORMAT, p->at, "the shape of the array is not a tuple");
		}
		RtStatus status = take_dimension(p);
		if (status != RT_OK) {
			return status;
		}
		comma = take(p, ',');
	}
	return RT_OK;
}

static RtStatus take_descr(Npy *p)
{
	const char *text, *start = p->at;
	size_t n;
	skip_blanks(p);
	if (p->at < p->end && *p->at == '[') {
		return fail_at(p, RT_E_UNSUPPORTED, p->at,
		               "records with several fields are not read: save one array per field");
	}
	if (!take_string(p, &text, &n)) {
		return fail_at(p, RT_E_FORMAT, start, "the element type of the array is not a string");
	}
	if (n >= LONGEST_DESCR || memchr(text, 0, n)) {
		return fail_at(p, RT_E_FORMAT, text, "the element type of the array is not understood");
	}
	memcpy(p->descr, text, n);
	p->descr[n] = 0;
	return RT_OK;
}

static RtStatus take_entry(Npy *p, unsigned *seen)
{
	static const char keys[][16] = {"descr", "fortran_order", "shape"};
	const char *key, *start = p->at;
	size_t n;
	unsigned k = 0;
	if (!take_string(p, &key, &n) || !take(p, ':')) {
		return fail_at(p, RT_E_FORMAT, start, "the header of the array is not understood");
	}
	while (k < 3 && (strlen(keys[k]) != n || memcmp(keys[k], key, n) != 0)) {
		k++;
	}
	if (k == 3 || *seen >> k & 1) {
		return fail_at(p, RT_E_FORMAT, key, "the header of the array has an unknown or double key");
	}
	*seen |= 1U << k;
	if (k == 0) {
		return take_descr(p);
	}
	if (k == 2) {
		return take_shape(p);
	}
	p->fortran = take_word(p, "True");
	if (!p->fortran && !take_word(p, "False")) {
		return fail_at(p, RT_E_FORMAT, p->at, "fortran_order is neither True nor False");
	}
	return RT_OK;
}

static RtStatus parse_header(Npy *p)
{
	unsigned seen = 0;
	bool comma = true;
	if (!take(p, '{')) {
		return fail_at(p, RT_E_FORMAT, p->at, "the header of the array is not understood");
	}
	while (!take(p, '}')) {
		if (!comma) {
			return fail_at(p, RT_E_FORMAT, p->at, "the header of the array is not understood");
		}
		RtStatus status = take_entry(p, &seen);
		if (status != RT_OK) {
			return status;
		}
		comma = take(p, ',');
	}
	skip_blanks(p);
	if (p->at != p->end) {
		return fail_at(p, RT_E_FORMAT, p->at, "text follows the header of the array");
	}
	if (seen != 7) {
		return fail_at(p, RT_E_FORMAT, p->at, "the header lacks descr, fortran_order or shape");
	}
	return RT_OK;
}

/* [<>|=] kind size; sets kind, size and byte order. */
static RtStatus parse_descr(Npy *p)
{
	const char *t = p->descr;
	p->big_endian = *t == '>' || *t == '!';
	if (*t == '<' || *t == '>' || *t == '|' || *t == '=' || *t == '!') {
		t++;
	}
	p->kind = *t ? *t++ : 0;
	char *rest;
	unsigned long size = strtoul(t, &rest, 10);
	bool digits = *t >= '0' && *t <= '9' && *rest == 0 && size <= UINT32_MAX / 4;
	p->size = size;
	switch (p->kind) {
	case 'f':
		digits = digits && (size == 2 || size == 4 || size == 8);
		break;
	case 'i':
	case 'u':
		digits = digits && (size == 1 || size == 2 || size == 4 || size == 8);
		break;
	case 'b':
		digits = digits && size == 1;
		break;
	case 'S':
		break;
	case 'U':
		p->size = size * 4;
		break;
	case 'O':
		return fail_at(p, RT_E_UNSUPPORTED, p->base,
		               "the array holds Python objects (a pickle), which are not read");
	case 'c':
		return fail_at(p, RT_E_UNSUPPORTED, p->base,
		               "the array is complex: save its real and its imaginary part as two arrays");
	default:
		digits = false;
	}
	if (!digits) {
		return fail_at(p, RT_E_UNSUPPORTED, p->base, "the element type of the array is not read");
	}
	return RT_OK;
}

/* Finds the header, and the data behind it, which must be exactly as long as the shape says. */
static RtStatus open_npy(Npy *p, const char *bytes, size_t n)
{
	p->base = p->at = p->end = bytes;
	if (n < 10 || memcmp(bytes, "\x93NUMPY", 6) != 0) {
		return fail_at(p, RT_E_FORMAT, bytes, "this is not an array in NPY format");
	}
	const unsigned char *u = (const unsigned char *)bytes;
	size_t fixed = u[6] == 1 ? 10 : 12, length = u[8] | (size_t)u[9] << 8;
	if (u[6] < 1 || u[6] > 3 || u[7] != 0) {
		return fail_at(p, RT_E_UNSUPPORTED, bytes + 6,
		               "this version of the NPY format is not read");
	}
	if (fixed == 12 && n >= 12) {
		length |= (size_t)u[10] << 16 | (size_t)u[11] << 24;
	}
	if (n < fixed || length > n - fixed) {
		return fail_at(p, RT_E_FORMAT, bytes + 8, "the header reaches beyond the end of the file");
	}
	if (length > LONGEST_HEADER) {
		return fail_at(p, RT_E_LIMIT, bytes + 8, "the header is longer than 65535 bytes");
	}
	p->at = bytes + fixed;
	p->end = p->at + length;
	p->data = (const unsigned char *)p->end;
	RtStatus status = parse_header(p);
	return status == RT_OK ? parse_descr(p) : status;
}

static RtStatus check_size(Npy *p, size_t n)
{
	size_t bytes, have = n - (size_t)((const char *)p->data - p->base);
	p->count = 1;
	for (unsigned i = 0; i < p->ndim; i++) {
		if (__builtin_mul_overflow(p->count, p->dim[i], &p->count)) {
			return fail_at(p, RT_E_LIMIT, p->base, "the array has too many elements");
		}
	}
	if (__builtin_mul_overflow(p->count, p->size, &bytes)) {
		return fail_at(p, RT_E_LIMIT, p->base, "the array has too many elements");
	}
	if (bytes != have) {
		char where[RT_WHERE_MAX];
		(void)snprintf(where, sizeof where, "%.80sbyte %td", p->prefix,
		               (const char *)p->data - p->base);
		return table_fail(p->b, RT_E_FORMAT, where,
		                  "%zu bytes of data follow where the shape demands %zu", have, bytes);
	}
	return RT_OK;
}

/* The bits of element i as a little-endian number. */
static uint64_t bits_at(const Npy *p, size_t i)
{
	const unsigned char *d = p->data + i * p->size;
	uint64_t bits = 0;
	for (size_t k = 0; k < p->size; k++) {
		size_t from = p->big_endian ? k : p->size - 1 - k;
		bits = bits << 8 | d[from];
	}
	return bits;
}

static double real_at(const Npy *p, size_t i)
{
	uint64_t bits = bits_at(p, i);
	if (p->size == 2) {
		return rt_half_to_double((uint16_t)bits);
	}
	if (p->size == 4) {
		uint32_t low = (uint32_t)bits;
		float x;
		memcpy(&x, &low, sizeof x);
		return (double)x;
	}
	double x;
	memcpy(&x, &bits, sizeof x);
	return x;
}

/* Place in row order of element i of the file. In Fortran order the first index runs fastest. */
static size_t row_major(const Npy *p, size_t i)
{
	if (!p->fortran) {
		return i;
	}
	size_t index[RT_MAX_DIM], place = 0;
	for (unsigned k = 0; k < p->ndim; k++) {
		index[k] = i % p->dim[k];
		i /= p->dim[k];
	}
	for (unsigned k = 0; k < p->ndim; k++) {
		place = place * p->dim[k] + index[k];
	}
	return place;
}

static RtStatus fill_integers(Npy *p, RtColumn *c)
{
	unsigned unused = (unsigned)(64 - 8 * p->size);
	for (size_t i = 0; i < p->count; i++) {
		uint64_t bits = bits_at(p, i);
		int64_t value = (int64_t)bits;
		if (p->kind == 'i' && unused > 0) {
			value = (int64_t)(bits << unused) >> unused; /* sign */
		} else if (p->kind == 'b') {
			value = bits != 0;
		} else if (value < 0 && p->kind == 'u') {
			return fail_at(p, RT_E_UNSUPPORTED, (const char *)p->data + i * p->size,
			               "an unsigned integer is larger than 2^63-1");
		}
		c->values.integer[row_major(p, i)] = value;
	}
	c->is_bool = p->kind == 'b';
	return RT_OK;
}

static void fill_reals(const Npy *p, RtColumn *c)
{
	for (size_t i = 0; i < p->count; i++) {
		c->values.real[row_major(p, i)] = real_at(p, i);
	}
	for (size_t i = 0; i < p->count && !c->has_missing; i++) {
		if (!isfinite(c->values.real[i])) {
			size_t record = i / (p->ndim > 0 ? p->count / p->dim[0] : 1);
			table_missing(c, i, "%.80srecord %zu", p->prefix, record + 1);
		}
	}
}

/* One string, padded with zeros in the file, as UTF-8 with a terminator to out; its length or
 * SIZE_MAX. */
static size_t put_string(const Npy *p, size_t i, char *out)
{
	size_t m = 0;
	if (p->kind == 'S') {
		const char *text = (const char *)p->data + i * p->size;
		m = strnlen(text, p->size);
		memcpy(out, text, m);
		out[m] = 0;
		return rt_utf8_valid(out, m) == m ? m : SIZE_MAX;
	}
	Npy letter = *p; /* an array of 32-bit numbers, at string i */
	letter.data = p->data + i * p->size;
	letter.size = 4;
	for (size_t k = 0; k < p->size / 4; k++) {
		unsigned long u = (unsigned long)bits_at(&letter, k);
		if (u == 0) {
			break;
		}
		if (u > 0x10ffff || (u >= 0xd800 && u < 0xe000)) {
			return SIZE_MAX;
		}
		m += rt_utf8_put(u, out + m);
	}
	out[m] = 0;
	return m;
}

static RtStatus fill_strings(Npy *p, RtColumn *c)
{
	size_t used = 0;
	for (size_t i = 0; i < p->count; i++) {
		size_t n = put_string(p, i, c->text + used), at = row_major(p, i);
		if (n == SIZE_MAX) {
			return fail_at(p, RT_E_FORMAT, (const char *)p->data + i * p->size,
			               "a string of the array is not text");
		}
		c->values.string[at] = c->text + used;
		used += n + 1;
		if (n == 0) {
			table_missing(c, at, "%.80selement %zu", p->prefix, at + 1);
		}
	}
	return RT_OK;
}

RtStatus npy_column(TableBuild *b, const char *bytes, size_t n, const char *prefix, RtColumn *c)
{
	Npy p = {.b = b, .prefix = prefix};
	RtStatus status = open_npy(&p, bytes, n);
	if (status == RT_OK) {
		status = check_size(&p, n);
	}
	if (status != RT_OK) {
		return status;
	}
	bool text = p.kind == 'S' || p.kind == 'U';
	size_t room = 0;
	if (text && (__builtin_mul_overflow(p.count, p.size + 1, &room))) {
		return fail_at(&p, RT_E_LIMIT, p.base, "the array has too many elements");
	}
	RtType type = text ? RT_STRING : p.kind == 'f' ? RT_REAL : RT_INT;
	status = table_shape(b, c, type, p.ndim, p.dim, room);
	if (status != RT_OK || p.count == 0) {
		return status;
	}
	switch (type) {
	case RT_REAL:
		fill_reals(&p, c);
		return RT_OK;
	case RT_INT:
		return fill_integers(&p, c);
	case RT_STRING:
		return fill_strings(&p, c);
	}
	return RT_OK;
}

RtStatus npy_read(TableBuild *b)
{
	const char *slash = strrchr(b->name, '/'), *stem = slash ? slash + 1 : b->name;
	const char *dot = strrchr(stem, '.');
	size_t n = dot && dot != stem ? (size_t)(dot - stem) : strlen(stem);
	RtColumn *c;
	RtStatus status = table_add(b, stem, n, &c);
	if (status == RT_OK) {
		status = npy_column(b, b->bytes, b->n, "", c);
	}
	if (status == RT_OK) {
		c->shared = c->ndim == 0;
		b->table->records = c->ndim == 0 ? 1 : c->dim[0];
	}
	return status;
}
