/* test_rt_npy.c — NPY and NPZ: every element type, order and version; hostile files; writing. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>
#include "tests/unit/rt_aid.h"

TestSuite(npy, .fini = aid_cleanup);

static RtError err;

typedef struct Bytes {
	char data[8192];
	size_t n;
} Bytes;

/* A file of that version with a header and data written as they stand. */
static Bytes npy(int version, const char *header, const void *data, size_t n)
{
	Bytes b = {.n = 0};
	size_t length = strlen(header);
	memcpy(b.data, "\x93NUMPY", 6);
	b.data[6] = (char)version;
	b.n = version == 1 ? 10 : 12;
	for (size_t i = 8; i < b.n; i++) {
		b.data[i] = (char)(length >> (8 * (i - 8)) & 255);
	}
	memcpy(b.data + b.n, header, length);
	b.n += length;
	if (n > 0) {
		memcpy(b.data + b.n, data, n);
	}
	b.n += n;
	return b;
}

static Bytes array(const char *descr, const char *shape, const void *data, size_t n)
{
	char header[256];
	(void)snprintf(header, sizeof header,
	               "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", descr, shape);
	return npy(1, header, data, n);
}

static RtTable *load(const Bytes *b)
{
	RtTable *t;
	RtStatus status = rt_table_from_bytes(b->data, b->n, "dir/stem.npy", NULL, &t, &err);
	cr_assert_eq(status, RT_OK, "%s: %s", err.where, err.text);
	return t;
}

static void refused(const Bytes *b, RtStatus status, const char *words)
{
	RtTable *t;
	cr_expect_eq(rt_table_from_bytes(b->data, b->n, "dir/stem.npy", NULL, &t, &err), status, "%s",
	             err.text);
	cr_expect_null(t);
	cr_expect(strstr(err.text, words), "%s", err.text);
	cr_expect(strncmp(err.where, "byte ", 5) == 0, "%s", err.where);
}

Test(npy, one_array)
{
	double x[] = {1, 2, 3, 4, 5, -0.0};
	Bytes b = array("<f8", "(2, 3)", x, sizeof x);
	RtTable *t = load(&b);
	const RtColumn *c = rt_table_column(t, "stem");
	cr_assert_not_null(c);
	cr_expect(t->format == RT_NPY && t->records == 2 && t->ncolumns == 1 && c->type == RT_REAL);
	cr_expect(c->ndim == 2 && c->dim[0] == 2 && c->dim[1] == 3 && c->count == 6);
	cr_expect(memcmp(c->values.real, x, sizeof x) == 0);
	cr_expect(!c->has_missing && !c->shared);
	rt_table_free(t);
}

/* Bytes as NumPy writes them, with their values. */
static const struct {
	const char *descr, *bytes;
	size_t n;
	double value[2];
} elements[] = {
    {"<f8", "\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\x04\xc0", 16, {1, -2.5}},
    {">f8", "\x3f\xf0\0\0\0\0\0\0\xc0\x04\0\0\0\0\0\0", 16, {1, -2.5}},
    {"<f4", "\0\0\x80\x3f\0\0\x20\xc0", 8, {1, -2.5}},
    {">f4", "\x3f\x80\0\0\xc0\x20\0\0", 8, {1, -2.5}},
    {"<f2", "\0\x3c\0\xc1", 4, {1, -2.5}},
    {">f2", "\x3c\0\xc1\0", 4, {1, -2.5}},
    {"<f2", "\x01\0\xff\x7b", 4, {0x1p-24, 65504}},
    {"|i1", "\x7f\x80", 2, {127, -128}},
    {"<i2", "\xff\x7f\0\x80", 4, {32767, -32768}},
    {">i2", "\x7f\xff\x80\0", 4, {32767, -32768}},
    {"<i4", "\x01\0\0\0\xff\xff\xff\xff", 8, {1, -1}},
    {">i4", "\0\0\0\x01\xff\xff\xff\xff", 8, {1, -1}},
    {"<i8", "\x01\0\0\0\0\0\0\0\xfe\xff\xff\xff\xff\xff\xff\xff", 16, {1, -2}},
    {">i8", "\0\0\0\0\0\0\0\x01\xff\xff\xff\xff\xff\xff\xff\xfe", 16, {1, -2}},
    {"|u1", "\x01\xff", 2, {1, 255}},
    {"<u2", "\x01\0\xff\xff", 4, {1, 65535}},
    {">u4", "\0\0\0\x01\xff\xff\xff\xff", 8, {1, 4294967295.0}},
    {"<u8", "\x01\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0", 16, {1, 4294967296.0}},
    {"|b1", "\x01\0", 2, {1, 0}},
    {"=f8", "\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\x04\xc0", 16, {1, -2.5}},
};

Test(npy, elements)
{
	for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
		Bytes b = array(elements[i].descr, "(2,)", elements[i].bytes, elements[i].n);
		RtTable *t = load(&b);
		const RtColumn *c = &t->column[0];
		bool is_real = elements[i].descr[1] == 'f';
		cr_expect_eq(c->type, is_real ? RT_REAL : RT_INT, "%s", elements[i].descr);
		cr_expect_eq(c->is_bool, elements[i].descr[1] == 'b');
		for (size_t k = 0; k < 2; k++) {
			double x = is_real ? c->values.real[k] : (double)c->values.integer[k];
			cr_expect_eq(x, elements[i].value[k], "%s: %.17g", elements[i].descr, x);
		}
		rt_table_free(t);
	}
}

Test(npy, strings)
{
	Bytes b = array("|S3", "(3,)", "ab\0abc\0\0\0", 9);
	RtTable *t = load(&b);
	cr_expect_str_eq(t->column[0].values.string[0], "ab");
	cr_expect_str_eq(t->column[0].values.string[1], "abc");
	cr_expect(t->column[0].has_missing && t->column[0].first_missing == 2);
	rt_table_free(t);
	b = array("<U2", "(2,)", "A\0\0\0\xc4\x03\0\0\x00\xf6\x01\0\0\0\0\0", 16);
	t = load(&b);
	cr_expect_str_eq(t->column[0].values.string[0], "Aτ");
	cr_expect_str_eq(t->column[0].values.string[1], "😀");
	rt_table_free(t);
	b = array("|S1", "(1,)", "\xff", 1);
	refused(&b, RT_E_FORMAT, "not text");
	b = array("<U1", "(1,)", "\0\xd8\0\0", 4);
	refused(&b, RT_E_FORMAT, "not text");
}

Test(npy, orders_and_shapes)
{
	int32_t x[] = {0, 10, 20, 1, 11, 21, 2, 12, 22, 3, 13, 23}; /* a[i,j,k] at i + 3 (j + 2 k) */
	Bytes b = npy(2, "{'shape': (3, 2, 2), 'fortran_order': True, 'descr': '<i4'}", x, sizeof x);
	RtTable *t = load(&b);
	const RtColumn *c = &t->column[0];
	cr_expect(c->ndim == 3 && t->records == 3);
	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < 2; j++) {
			for (size_t k = 0; k < 2; k++) {
				cr_expect_eq(c->values.integer[(i * 2 + j) * 2 + k], x[i + 3 * (j + 2 * k)]);
			}
		}
	}
	rt_table_free(t);
	double one = 7;
	b = npy(3, "{\"descr\":\"<f8\",\"fortran_order\":False,\"shape\":()}   \n", &one, sizeof one);
	t = load(&b);
	cr_expect(t->records == 1 && t->column[0].ndim == 0 && t->column[0].count == 1);
	cr_expect(t->column[0].shared && t->column[0].values.real[0] == 7);
	rt_table_free(t);
	b = array("<f8", "(0, 5)", NULL, 0);
	t = load(&b);
	cr_expect(t->records == 0 && t->column[0].dim[1] == 5 && t->column[0].count == 0);
	rt_table_free(t);
	b = array("<f8", "(1L,)", &one, sizeof one);
	t = load(&b);
	cr_expect_eq(t->records, 1);
	rt_table_free(t);
}

Test(npy, missing_values)
{
	double x[] = {1, 2, 3, INFINITY, NAN, 6};
	Bytes b = array("<f8", "(3, 2)", x, sizeof x);
	RtTable *t = load(&b);
	cr_expect(t->column[0].has_missing && t->column[0].first_missing == 3);
	cr_expect_str_eq(t->column[0].missing_where, "record 2");
	rt_table_free(t);
}

Test(npy, hostile)
{
	static const struct {
		const char *header;
		RtStatus status;
		const char *words;
	} bad[] = {
	    {"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", RT_E_UNSUPPORTED, "pickle"},
	    {"{'descr': '<c16', 'fortran_order': False, 'shape': (1,)}", RT_E_UNSUPPORTED, "complex"},
	    {"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}", RT_E_UNSUPPORTED,
	     "fields"},
	    {"{'descr': '<f16', 'fortran_order': False, 'shape': (1,)}", RT_E_UNSUPPORTED, "type"},
	    {"{'descr': '<M8[D]', 'fortran_order': False, 'shape': (1,)}", RT_E_UNSUPPORTED, "type"},
	    {"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", RT_E_FORMAT, "dimension"},
	    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1+1,)}", RT_E_FORMAT, "tuple"},
	    {"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}", RT_E_LIMIT,
	     "too large"},
	    {"{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296,4294967296)}", RT_E_LIMIT,
	     "too many"},
	    {"{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387903,)}", RT_E_LIMIT,
	     "too many"},
	    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", RT_E_LIMIT,
	     "8 dimensions"},
	    {"{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", RT_E_FORMAT, "16"},
	    {"{'descr': '<f8', 'fortran_order': False, 'shape': (0,)}", RT_E_FORMAT, "8 bytes"},
	    {"{'descr': '<f8', 'fortran_order': maybe, 'shape': (1,)}", RT_E_FORMAT, "fortran_order"},
	    {"{'descr': '<f8', 'descr': '<f8', 'shape': (1,)}", RT_E_FORMAT, "double key"},
	    {"{'descr': '<f8', 'fortran_order': False}", RT_E_FORMAT, "lacks"},
	    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), 'x': 1}", RT_E_FORMAT, "key"},
	    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} + {}", RT_E_FORMAT, "follows"},
	    {"{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,)}", RT_E_FORMAT,
	     "not a string"},
	    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1 1)}", RT_E_FORMAT, "tuple"},
	    {"{'descr': '<S99999999999', 'fortran_order': False, 'shape': (1,)}", RT_E_UNSUPPORTED,
	     "type"},
	    {"", RT_E_FORMAT, "not understood"},
	};
	double one = 1;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		Bytes b = npy(1, bad[i].header, &one, sizeof one);
		refused(&b, bad[i].status, bad[i].words);
	}
	Bytes b = array("<f8", "(1,)", &one, sizeof one);
	b.data[6] = 9;
	refused(&b, RT_E_UNSUPPORTED, "version");
	b.data[6] = 1;
	b.data[9] = (char)0xff;
	refused(&b, RT_E_FORMAT, "beyond the end");
	b = array("<u8", "(1,)", "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	refused(&b, RT_E_UNSUPPORTED, "larger than 2^63-1");
	RtTable *t;
	cr_expect_eq(rt_table_from_bytes("text", 4, "x.npy", NULL, &t, &err), RT_E_FORMAT);
}

static RtStatus load_npy(const void *bytes, size_t n, RtError *e)
{
	RtTable *t;
	RtStatus status = rt_table_from_bytes(bytes, n, "t.npy", NULL, &t, e);
	rt_table_free(t);
	return status;
}

Test(npy, damaged)
{
	float x[] = {1, 2, 3, 4};
	Bytes b = npy(2, "{'descr': '>f4', 'fortran_order': True, 'shape': (2, 2), }", x, sizeof x);
	cr_expect_eq(aid_torture(load_npy, b.data, b.n), b.n);
	b = array("<U2", "(2,)", "A\0\0\0\xc4\x03\0\0\x00\xf6\x01\0\0\0\0\0", 16);
	cr_expect_eq(aid_torture(load_npy, b.data, b.n), b.n);
}

/* An archive in memory: members by name with a method; the caller frees. */
typedef struct Member {
	const char *name;
	const void *bytes;
	size_t n;
	int method;
} Member;

static char *archive(const Member *m, size_t count, size_t *n)
{
	zip_error_t e;
	zip_error_init(&e);
	zip_source_t *memory = zip_source_buffer_create(NULL, 0, 0, &e);
	zip_source_keep(memory);
	zip_t *z = zip_open_from_source(memory, ZIP_TRUNCATE, &e);
	cr_assert_not_null(z);
	for (size_t i = 0; i < count; i++) {
		zip_source_t *s = zip_source_buffer(z, m[i].bytes, m[i].n, 0);
		zip_int64_t at = zip_file_add(z, m[i].name, s, ZIP_FL_ENC_UTF_8);
		cr_assert_geq(at, 0);
		cr_assert_eq(zip_set_file_compression(z, (zip_uint64_t)at, m[i].method, 0), 0);
	}
	cr_assert_eq(zip_close(z), 0);
	zip_stat_t st;
	cr_assert_eq(zip_source_stat(memory, &st), 0);
	char *out = malloc(st.size);
	cr_assert(out && zip_source_open(memory) == 0);
	cr_assert_eq(zip_source_read(memory, out, st.size), (zip_int64_t)st.size);
	zip_source_close(memory);
	zip_source_free(memory);
	zip_error_fini(&e);
	*n = st.size;
	return out;
}

/* 1000 frames of coordinates would be large: 4 frames of 3 atoms, with charges for all frames. */
static char *frames(int method, size_t *n)
{
	static double coords[4 * 3 * 3], energy[4] = {-1, -2, -3, -4};
	static const unsigned char charge[3] = {8, 1, 1};
	for (size_t i = 0; i < 36; i++) {
		coords[i] = (double)i / 4;
	}
	Bytes a = array("|u1", "(3,)", charge, 3), b = array("<f8", "(4, 3, 3)", coords, sizeof coords),
	      c = array("<f8", "(4,)", energy, sizeof energy), d = array("<f8", "()", energy, 8);
	Member m[] = {{"nuclear_charges.npy", a.data, a.n, method}, {"coords.npy", b.data, b.n, method},
	              {"energies.npy", c.data, c.n, method}, {"scale.npy", d.data, d.n, method}};
	return archive(m, 4, n);
}

static RtStatus load_npz(const void *bytes, size_t n, RtError *e)
{
	RtTable *t;
	RtStatus status = rt_table_from_bytes(bytes, n, "t.npz", NULL, &t, e);
	rt_table_free(t);
	return status;
}

Test(npy, archives)
{
	for (int deflated = 0; deflated < 2; deflated++) {
		size_t n;
		char *bytes = frames(deflated ? ZIP_CM_DEFLATE : ZIP_CM_STORE, &n);
		RtTable *t;
		cr_assert_eq(rt_table_from_bytes(bytes, n, "t.npz", NULL, &t, &err), RT_OK, "%s", err.text);
		cr_expect(t->format == RT_NPZ && t->records == 4 && t->ncolumns == 4);
		const RtColumn *z = rt_table_column(t, "nuclear_charges"),
					   *r = rt_table_column(t, "coords");
		const RtColumn *s = rt_table_column(t, "scale");
		cr_expect(z && z->shared && z->type == RT_INT && z->values.integer[0] == 8);
		cr_expect(r && !r->shared && r->ndim == 3 && r->dim[1] == 3 && r->values.real[35] == 8.75);
		cr_expect(s && s->shared && s->ndim == 0 && s->values.real[0] == -1);
		rt_table_free(t);
		free(bytes);
	}
}

static void archive_refused(const Member *m, size_t count, RtStatus status, const char *words)
{
	size_t n;
	char *bytes = archive(m, count, &n);
	cr_expect_eq(load_npz(bytes, n, &err), status, "%s", err.text);
	cr_expect(strstr(err.text, words), "%s", err.text);
	free(bytes);
}

Test(npy, hostile_archives)
{
	double one = 1;
	Bytes a = array("<f8", "(1,)", &one, 8), huge = array("<f8", "(1000000000000,)", &one, 8);
	Bytes half = array("<f8", "(2,)", &one, 8);
	archive_refused((Member[]){{"../x.npy", a.data, a.n, 0}}, 1, RT_E_FORMAT, "out of the archive");
	archive_refused((Member[]){{"/x.npy", a.data, a.n, 0}}, 1, RT_E_FORMAT, "out of the archive");
	archive_refused((Member[]){{"x.txt", a.data, a.n, 0}}, 1, RT_E_UNSUPPORTED, "not an array");
	archive_refused((Member[]){{"x.npy", "text", 4, 0}}, 1, RT_E_FORMAT, "not an array in NPY");
	archive_refused((Member[]){{"x.npy", half.data, half.n, 0}}, 1, RT_E_FORMAT, "16");
	cr_expect_str_eq(err.where, "member x.npy, byte 68");
	archive_refused((Member[]){{"x.npy", huge.data, huge.n, 0}}, 1, RT_E_FORMAT, "8000000000000");
	size_t n;
	char *bytes = archive((Member[]){{"abc.npy", a.data, a.n, 0}, {"abd.npy", a.data, a.n, 0}}, 2,
	                      &n);
	for (size_t i = 0; i + 7 <= n; i++) {
		if (memcmp(bytes + i, "abd.npy", 7) == 0) {
			bytes[i + 2] = 'c'; /* libzip itself would not write a name twice */
		}
	}
	cr_expect_neq(load_npz(bytes, n, &err), RT_OK);
	free(bytes);
	cr_expect_eq(load_npz("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22, &err), RT_E_FORMAT);
	cr_expect_eq(load_npz("PK\3\4nothing", 11, &err), RT_E_FORMAT);
}

Test(npy, a_bomb_is_refused_before_it_is_unpacked)
{
	size_t size = (size_t)1 << 28, n; /* zeros: 1000 to 1 */
	char *zeros = calloc(1, size);
	char header[128] = "";
	(void)snprintf(header, sizeof header,
	               "{'descr': '|u1', 'fortran_order': False, 'shape': (%zu,)}", size - 128);
	Bytes head = npy(1, header, NULL, 0);
	memcpy(zeros, head.data, head.n);
	char *bytes = archive((Member[]){{"x.npy", zeros, size - 128 + head.n, ZIP_CM_DEFLATE}}, 1, &n);
	free(zeros);
	cr_expect_lt(n, size / 900);
	cr_expect_eq(load_npz(bytes, n, &err), RT_E_LIMIT);
	cr_expect(strstr(err.text, "unpack"), "%s", err.text);
	free(bytes);
}

/* The end of a zip64 directory that claims that many entries, and nothing else. */
Test(npy, a_boastful_zip64_directory)
{
	unsigned char z[56 + 20 + 22] = "PK\6\6\x2c";
	memset(z + 12, 45, 1);
	memset(z + 24, 0xff, 6); /* entries on this disk, in all */
	memset(z + 32, 0xff, 6);
	memcpy(z + 56, "PK\6\7", 4);
	z[56 + 16] = 1;
	memcpy(z + 76, "PK\5\6", 4);
	memset(z + 84, 0xff, 12);
	RtTable *t;
	RtTableOptions o = {.format = RT_NPZ};
	cr_expect_eq(rt_table_from_bytes(z, sizeof z, "t.npz", &o, &t, &err), RT_E_FORMAT);
	cr_expect(strstr(err.text, "larger than the file"), "%s", err.text);
}

Test(npy, damaged_archives)
{
	for (int deflated = 0; deflated < 2; deflated++) {
		size_t n;
		char *bytes = frames(deflated ? ZIP_CM_DEFLATE : ZIP_CM_STORE, &n);
		cr_expect_eq(aid_torture(load_npz, bytes, n), n);
		free(bytes);
	}
}

Test(npy, a_changed_byte_of_data_is_noticed)
{
	size_t n;
	char *bytes = frames(ZIP_CM_STORE, &n);
	double energy = -3;
	char *at = memmem(bytes, n, &energy, sizeof energy);
	cr_assert_not_null(at);
	at[0] ^= 1;
	cr_expect_eq(load_npz(bytes, n, &err), RT_E_FORMAT);
	cr_expect(strstr(err.text, "CRC"), "%s", err.text);
	free(bytes);
}

Test(npy, writing_reads_back)
{
	double x[6] = {1, NAN, 3, -0.0, 5e-324, 6};
	int64_t k[2] = {INT64_MIN, 7};
	float f[1] = {0.1F};
	unsigned char flag[3] = {1, 0, 1};
	RtTensor t[] = {{"x", RT_F64, 2, {2, 3}, x}, {"k", RT_I64, 1, {2}, k},
	                {"f", RT_F32, 0, {0}, f},    {"flag", RT_BOOL, 1, {3}, flag},
	                {"none", RT_F64, 2, {0, 4}, x}};
	RtTable *back;
	cr_assert_eq(rt_npy_write(aid_path("x.npy"), &t[0], &err), RT_OK, "%s", err.text);
	cr_assert_eq(rt_table_load(aid_path("x.npy"), NULL, &back, &err), RT_OK, "%s", err.text);
	cr_expect(back->column[0].ndim == 2 && back->column[0].dim[1] == 3);
	cr_expect(memcmp(back->column[0].values.real, x, sizeof x) == 0);
	cr_expect_str_eq(back->column[0].name, "x");
	rt_table_free(back);
	size_t n, m;
	char *bytes = aid_read("x.npy", &n);
	cr_expect(n == 128 + sizeof x && bytes[127] == '\n', "data begin at a multiple of 64");
	free(bytes);
	cr_assert_eq(rt_npz_write(aid_path("x.npz"), t, 5, &err), RT_OK, "%s", err.text);
	cr_assert_eq(rt_table_load(aid_path("x.npz"), NULL, &back, &err), RT_OK, "%s", err.text);
	cr_expect_eq(back->ncolumns, 5);
	cr_expect(memcmp(rt_table_column(back, "x")->values.real, x, sizeof x) == 0);
	cr_expect(memcmp(rt_table_column(back, "k")->values.integer, k, sizeof k) == 0);
	cr_expect_eq(rt_table_column(back, "f")->values.real[0], (double)f[0]);
	cr_expect(rt_table_column(back, "flag")->is_bool);
	cr_expect_eq(rt_table_column(back, "none")->count, 0);
	rt_table_free(back);
	bytes = aid_read("x.npz", &n);
	cr_assert_eq(rt_npz_write(aid_path("y.npz"), t, 5, &err), RT_OK);
	char *again = aid_read("y.npz", &m);
	cr_expect(n == m && memcmp(bytes, again, n) == 0, "equal content gives equal bytes");
	free(bytes);
	free(again);
}

Test(npy, writing_refuses)
{
	double x = 1;
	RtTensor same[] = {{"x", RT_F64, 0, {0}, &x}, {"x", RT_F64, 0, {0}, &x}};
	RtTensor big = {"b", RT_F64, 2, {SIZE_MAX / 4, 8}, &x}, brain = {"b", RT_BF16, 0, {0}, &x};
	cr_expect_neq(rt_npz_write(aid_path("x.npz"), same, 2, &err), RT_OK);
	cr_expect_eq(rt_npy_write(aid_path("x.npy"), &big, &err), RT_E_USAGE);
	cr_expect_eq(rt_npy_write(aid_path("x.npy"), &brain, &err), RT_E_USAGE);
	cr_expect_eq(rt_npz_write(aid_path("x.npz"), same, 0, &err), RT_E_USAGE);
	cr_expect_eq(rt_npz_write("/dev/full", same, 1, &err), RT_E_WRITE);
	cr_expect_eq(aid_count(), 0);
}
