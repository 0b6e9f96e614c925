/* test_rt_safetensors.c — weights: round trip, layout of the file, hostile headers. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/rt_aid.h"

TestSuite(safetensors, .fini = aid_cleanup);

static RtError err;

static const double w[6] = {1, -2, NAN, 5e-324, -0.0, INFINITY};
static const float f[2] = {0.5F, -3};
static const int64_t k[1] = {INT64_MIN + 1};
static const unsigned char flags[3] = {1, 0, 1};

static RtStatus write_some(const char *path)
{
	const RtTensor t[] = {{"net.W", RT_F64, 2, {2, 3}, w}, {"bias \"σ\"", RT_F32, 1, {2}, f},
	                      {"adam.step", RT_I64, 0, {0}, k}, {"frozen", RT_BOOL, 1, {3}, flags},
	                      {"empty", RT_F64, 2, {0, 4}, w}};
	const RtMeta m[] = {{"program", "sha256:00"}, {"a\nb", "Ä \"quoted\""}};
	return rt_safetensors_write(path, t, 5, m, 2, &err);
}

Test(safetensors, round_trip)
{
	RtWeights *r;
	cr_assert_eq(write_some(aid_path("w.safetensors")), RT_OK, "%s", err.text);
	cr_assert_eq(rt_safetensors_read(aid_path("w.safetensors"), &r, &err), RT_OK, "%s", err.text);
	cr_expect(r->ntensors == 5 && r->nmeta == 2);
	const RtTensor *t = rt_weights_tensor(r, "net.W");
	cr_assert_not_null(t);
	cr_expect(t->dtype == RT_F64 && t->ndim == 2 && t->dim[0] == 2 && t->dim[1] == 3);
	cr_expect(memcmp(t->data, w, sizeof w) == 0, "bit for bit");
	t = rt_weights_tensor(r, "bias \"σ\"");
	cr_expect(t && memcmp(t->data, f, sizeof f) == 0);
	double x[3];
	rt_tensor_reals(t, x);
	cr_expect(x[0] == 0.5 && x[1] == -3);
	t = rt_weights_tensor(r, "adam.step");
	cr_expect(t && t->ndim == 0 && *(const int64_t *)t->data == k[0]);
	t = rt_weights_tensor(r, "frozen");
	rt_tensor_reals(t, x);
	cr_expect(x[0] == 1 && x[1] == 0 && x[2] == 1);
	cr_expect_null(rt_weights_tensor(r, "none"));
	cr_expect_str_eq(rt_weights_meta(r, "program"), "sha256:00");
	cr_expect_str_eq(rt_weights_meta(r, "a\nb"), "Ä \"quoted\"");
	cr_expect_null(rt_weights_meta(r, "none"));
	for (size_t i = 1; i < r->ntensors; i++) {
		cr_expect(strcmp(r->tensor[i - 1].name, r->tensor[i].name) < 0, "sorted");
	}
	rt_weights_free(r);
}

Test(safetensors, layout)
{
	size_t n, m;
	cr_assert_eq(write_some(aid_path("a")), RT_OK);
	cr_assert_eq(write_some(aid_path("b")), RT_OK);
	char *a = aid_read("a", &n), *b = aid_read("b", &m);
	cr_expect(n == m && memcmp(a, b, n) == 0, "equal content gives equal bytes");
	size_t length = (unsigned char)a[0] | (size_t)(unsigned char)a[1] << 8;
	cr_expect_eq(length % 8, 0);
	cr_expect(a[2] == 0 && a[7] == 0 && a[8] == '{');
	cr_expect_eq(n, 8 + length + 48 + 8 + 8 + 3);
	free(a);
	free(b);
	/* A file as the format's own library writes it. */
	static const char foreign[] = "\x4a\0\0\0\0\0\0\0{\"x\":{\"dtype\":\"F32\",\"shape\":[2],"
	                              "\"data_offsets\":[0,8]},\"__metadata__\":{}}  "
								  "\0\0\x80\x3f\0\0\0\x40";
	RtWeights *r;
	cr_assert_eq(rt_safetensors_from_bytes(foreign, sizeof foreign - 1, "x", &r, &err), RT_OK, "%s",
	             err.text);
	double x[2];
	rt_tensor_reals(&r->tensor[0], x);
	cr_expect(x[0] == 1 && x[1] == 2);
	rt_weights_free(r);
}

Test(safetensors, every_element_type)
{
	static const struct {
		RtDtype type;
		const char *bytes;
		double value;
	} e[] = {{RT_F64, "\0\0\0\0\0\0\x04\xc0", -2.5}, {RT_F32, "\0\0\x20\xc0", -2.5},
	         {RT_F16, "\0\xc1", -2.5},  {RT_BF16, "\x20\xc0", -2.5},
	         {RT_I64, "\xfe\xff\xff\xff\xff\xff\xff\xff", -2}, {RT_I32, "\xfe\xff\xff\xff", -2},
	         {RT_I16, "\xfe\xff", -2},  {RT_I8, "\xfe", -2},
	         {RT_U64, "\x01\0\0\0\0\0\0\0", 1}, {RT_U32, "\xff\xff\xff\xff", 4294967295.0},
	         {RT_U16, "\xff\xff", 65535}, {RT_U8, "\xff", 255}, {RT_BOOL, "\x01", 1}};
	for (size_t i = 0; i < sizeof e / sizeof *e; i++) {
		RtTensor t = {"t", e[i].type, 0, {0}, e[i].bytes};
		RtWeights *r;
		double x = 99;
		cr_assert_eq(rt_safetensors_write(aid_path("e"), &t, 1, NULL, 0, &err), RT_OK);
		cr_assert_eq(rt_safetensors_read(aid_path("e"), &r, &err), RT_OK, "%s", err.text);
		cr_expect_eq(r->tensor[0].dtype, e[i].type);
		rt_tensor_reals(&r->tensor[0], &x);
		cr_expect_eq(x, e[i].value, "%s", rt_dtype_name(e[i].type));
		rt_weights_free(r);
	}
}

/* A file of that header and 16 bytes of data. */
static void refused(const char *header, RtStatus status, const char *words)
{
	char bytes[1024] = {0};
	size_t n = strlen(header);
	RtWeights *r;
	bytes[0] = (char)(n & 255);
	bytes[1] = (char)(n >> 8);
	memcpy(bytes + 8, header, n);
	cr_expect_eq(rt_safetensors_from_bytes(bytes, 8 + n + 16, "w", &r, &err), status, "%s", header);
	cr_expect_null(r);
	cr_expect(strstr(err.text, words), "%s: %s", header, err.text);
}

Test(safetensors, hostile)
{
#define ENTRY(dtype, shape, offsets) \
	"{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
	static const struct {
		const char *header, *words;
	} bad[] = {
		{"{\"a\":" ENTRY("F64", "[1]", "[0,8]") ",\"b\":" ENTRY("F64", "[1]", "[0,8]") "}",
	     "overlap"},
		{"{\"a\":" ENTRY("F64", "[2]", "[0,16]") ",\"b\":" ENTRY("F64", "[1]", "[8,16]") "}",
	     "overlap"},
		{"{\"a\":" ENTRY("F32", "[1]", "[0,4]") ",\"b\":" ENTRY("F64", "[1]", "[8,16]") "}",
	     "hole"},
		{"{\"a\":" ENTRY("F64", "[1]", "[8,16]") "}", "hole"},
		{"{\"a\":" ENTRY("F64", "[1]", "[0,8]") "}", "bytes follow"},
		{"{}", "bytes follow"},
		{"{\"a\":" ENTRY("F64", "[3]", "[0,24]") "}", "outside"},
		{"{\"a\":" ENTRY("F64", "[1]", "[8,0]") "}", "outside"},
		{"{\"a\":" ENTRY("F64", "[1]", "[-8,0]") "}", "outside"},
		{"{\"a\":" ENTRY("F64", "[1]", "[0,8.0]") "}", "outside"},
		{"{\"a\":" ENTRY("F64", "[1]", "[0]") "}", "outside"},
		{"{\"a\":" ENTRY("F64", "[1]", "[0,16]") "}", "not as long"},
		{"{\"a\":" ENTRY("F64", "[4611686018427387904,4]", "[0,16]") "}", "not as long"},
		{"{\"a\":" ENTRY("F64", "[2305843009213693954]", "[0,16]") "}", "not as long"},
		{"{\"a\":" ENTRY("F64", "[-2]", "[0,16]") "}", "dimension"},
		{"{\"a\":" ENTRY("F64", "[1,1,1,1,1,1,1,1,2]", "[0,16]") "}", "8 dimensions"},
		{"{\"a\":" ENTRY("F64", "2", "[0,16]") "}", "shape"},
		{"{\"a\":" ENTRY("F8_E4M3", "[16]", "[0,16]") "}", "element type"},
		{"{\"a\":{\"dtype\":\"F64\",\"shape\":[2]}}", "entry"},
		{"{\"a\":{\"dtype\":7,\"shape\":[2],\"data_offsets\":[0,16]}}", "entry"},
		{"{\"a\":[]}", "entry"},
		{"{\"a\":" ENTRY("F64", "[2]", "[0,16]") ",\"a\":" ENTRY("F64", "[2]", "[0,16]") "}",
	     "not JSON"},
		{"{\"__metadata__\":{\"x\":1},\"a\":" ENTRY("F64", "[2]", "[0,16]") "}", "map of texts"},
		{"{\"__metadata__\":7,\"a\":" ENTRY("F64", "[2]", "[0,16]") "}", "map of texts"},
		{"[]", "not a JSON object"},
		{"{\"a\":", "not JSON"},
		{"{\"a\\u0000b\":" ENTRY("F64", "[2]", "[0,16]") "}", "not JSON"},
		{"{\"\xff\":" ENTRY("F64", "[2]", "[0,16]") "}", "not JSON"},
		{"", "not JSON"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		refused(bad[i].header, RT_E_FORMAT, bad[i].words);
	}
	RtWeights *r;
	cr_expect_eq(rt_safetensors_from_bytes("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10, "w", &r, &err),
	             RT_E_FORMAT);
	cr_expect_eq(rt_safetensors_from_bytes("\x02\0\0", 3, "w", &r, &err), RT_E_FORMAT);
	cr_expect_eq(rt_safetensors_from_bytes("", 0, "w", &r, &err), RT_E_FORMAT);
	cr_expect_eq(rt_safetensors_read(aid_path("none"), &r, &err), RT_E_READ);
}

Test(safetensors, a_deep_header_is_refused)
{
	enum { N = 200000 };
	char *bytes = malloc(8 + N);
	RtWeights *r;
	memset(bytes + 8, '[', N);
	memset(bytes, 0, 8);
	bytes[0] = (char)(N & 255);
	bytes[1] = (char)(N >> 8 & 255);
	bytes[2] = (char)(N >> 16);
	cr_expect_eq(rt_safetensors_from_bytes(bytes, 8 + N, "w", &r, &err), RT_E_FORMAT);
	free(bytes);
}

static RtStatus load_bytes(const void *bytes, size_t n, RtError *e)
{
	RtWeights *r;
	RtStatus status = rt_safetensors_from_bytes(bytes, n, "w", &r, e);
	rt_weights_free(r);
	return status;
}

Test(safetensors, damaged)
{
	size_t n;
	cr_assert_eq(write_some(aid_path("w")), RT_OK);
	char *bytes = aid_read("w", &n);
	cr_expect_eq(aid_torture(load_bytes, bytes, n), n);
	free(bytes);
}

Test(safetensors, writing_refuses)
{
	RtTensor same[] = {{"x", RT_F64, 0, {0}, w}, {"x", RT_F64, 0, {0}, w}};
	RtTensor meta = {"__metadata__", RT_F64, 0, {0}, w}, latin = {"\xe9", RT_F64, 0, {0}, w};
	RtTensor big = {"b", RT_F64, 2, {SIZE_MAX / 4, 8}, w};
	RtMeta twice[] = {{"a", "1"}, {"a", "2"}}, wrong = {"a", "\xff"};
	cr_expect_eq(rt_safetensors_write(aid_path("w"), same, 2, NULL, 0, &err), RT_E_USAGE);
	cr_expect_eq(rt_safetensors_write(aid_path("w"), &meta, 1, NULL, 0, &err), RT_E_USAGE);
	cr_expect_eq(rt_safetensors_write(aid_path("w"), &latin, 1, NULL, 0, &err), RT_E_USAGE);
	cr_expect_eq(rt_safetensors_write(aid_path("w"), &big, 1, NULL, 0, &err), RT_E_USAGE);
	cr_expect_eq(rt_safetensors_write(aid_path("w"), same, 1, twice, 2, &err), RT_E_USAGE);
	cr_expect_eq(rt_safetensors_write(aid_path("w"), same, 1, &wrong, 1, &err), RT_E_USAGE);
	cr_expect_eq(aid_count(), 0);
	cr_expect_eq(rt_safetensors_write("/dev/full", same, 1, NULL, 0, &err), RT_E_WRITE);
	cr_expect_eq(rt_safetensors_write(aid_path("no/w"), same, 1, NULL, 0, &err), RT_E_WRITE);
}
