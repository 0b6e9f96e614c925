/* test_rt_base.c — numbers as text, files, hashes, metrics. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/unit/rt_aid.h"

TestSuite(base, .fini = aid_cleanup);

static RtNumberKind parse(const char *text, double *x)
{
	return rt_number_parse(text, strlen(text), x);
}

Test(base, numbers)
{
	static const struct {
		const char *text;
		double value;
	} good[] = {{"0", 0},          {"-0", -0.0},       {"1", 1},           {" 42 ", 42},
	            {"+3.5", 3.5},     {".5", .5},         {"5.", 5},          {"1e3", 1000},
	            {"1E-3", 1e-3},    {"-1.25e+2", -125}, {"007", 7},         {"0.1", 0.1},
	            {"1e22", 1e22},    {"1e23", 1e23},     {"4.9e-324", 5e-324}, {"1e-400", 0},
	            {"1.7976931348623157e308", 1.7976931348623157e308},
	            {"2.2250738585072011e-308", 2.2250738585072011e-308},
	            {"9007199254740993", 9007199254740992.0},
	            {"123456789012345678901234567890", 123456789012345678901234567890.0},
	            {"0.000000000000000000000000000001", 1e-30},
	            {"3.3000000000000002e-002", 0.033}};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		double x = 99;
		cr_expect_eq(parse(good[i].text, &x), RT_NUMBER, "%s", good[i].text);
		cr_expect_eq(rt_number_kind(good[i].text, strlen(good[i].text)), RT_NUMBER);
		cr_expect(x == good[i].value && signbit(x) == signbit(good[i].value), "%s gives %.17g",
		          good[i].text, x);
	}
	static const char *const bad[] = {"1,5", "0x10", "1e", "1e+", "e5", ".", "-", "+", "1 2", "abc",
	                                  "1.2.3", "1..2", "--1", "1_000", "nanx", "infin", "1f", "٣"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		double x = 99;
		cr_expect_eq(parse(bad[i], &x), RT_NOT_NUMBER, "%s", bad[i]);
		cr_expect_eq(x, 0);
	}
	static const char *const none[] = {"", "  ", "nan", "NaN", "-nan", "NA", "n/a", "null", "inf",
	                                   "-Infinity"};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		double x = 99;
		cr_expect_eq(parse(none[i], &x), RT_MISSING, "%s", none[i]);
		cr_expect(!isfinite(x));
	}
	double x;
	cr_expect_eq(parse("1e999", &x), RT_OUT_OF_RANGE);
	cr_expect_eq(parse("-1e309", &x), RT_OUT_OF_RANGE);
	char *digits = malloc(5000);
	memset(digits, '1', 5000);
	cr_expect_eq(rt_number_parse(digits, 5000, &x), RT_NOT_NUMBER);
	cr_expect_eq(rt_number_parse(digits, 400, &x), RT_OUT_OF_RANGE);
	for (size_t k = 0; k < 1200; k++) {
		cr_expect_eq(rt_number_kind(digits, k), rt_number_parse(digits, k, &x), "%zu digits", k);
	}
	cr_expect_eq(rt_number_kind("1e308", 5), RT_NUMBER);
	cr_expect_eq(rt_number_kind("11e308", 6), RT_OUT_OF_RANGE);
	cr_expect_eq(rt_number_kind("NA", 2), RT_MISSING);
	cr_expect_eq(rt_number_kind("0x1", 3), RT_NOT_NUMBER);
	free(digits);
}

/* Every way of printing must read back as the same bits; the two conversions are each other's
 * check. */
Test(base, numbers_round_trip)
{
	for (uint64_t i = 0; i < 20000; i++) {
		uint64_t bits = rng_bits((RngAddress){1, 2, 3, {i, 0, 0, 0}});
		double x, back;
		char text[RT_REAL_TEXT];
		memcpy(&x, &bits, sizeof x);
		if (i % 2) {
			x = (double)(int64_t)(bits >> 40) / 1000;
		}
		if (!isfinite(x)) {
			continue;
		}
		cr_assert_eq(parse(rt_real_text(x, text), &back), RT_NUMBER, "%s", text);
		cr_assert(memcmp(&x, &back, sizeof x) == 0, "%s", text);
		cr_assert_eq(strtod(text, NULL), back);
	}
	char text[RT_REAL_TEXT];
	cr_expect_str_eq(rt_real_text(0.1, text), "0.1");
	cr_expect_str_eq(rt_real_text(1.0 / 3, text), "0.3333333333333333");
	cr_expect_str_eq(rt_real_text(-2.5e-310, text), "-2.5e-310");
	cr_expect_str_eq(rt_real_text(12345678, text), "12345678");
	cr_expect_str_eq(rt_real_text(NAN, text), "nan");
	cr_expect_str_eq(rt_real_text(-INFINITY, text), "-inf");
}

Test(base, numbers_in_other_locales)
{
	static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "C"};
	size_t i = 0;
	while (!setlocale(LC_NUMERIC, names[i])) {
		i++;
	}
	double x;
	char text[RT_REAL_TEXT];
	cr_expect_eq(parse("0.12345678901234567890123", &x), RT_NUMBER);
	cr_expect_eq(x, 0.12345678901234567890123);
	cr_expect_eq(parse("0,5", &x), RT_NOT_NUMBER);
	cr_expect_str_eq(rt_real_text(0.1, text), "0.1");
	setlocale(LC_NUMERIC, "C");
}

Test(base, integers)
{
	int64_t v = 0;
	cr_expect(rt_integer_parse("9223372036854775807", 19, &v) && v == INT64_MAX);
	cr_expect(rt_integer_parse("-9223372036854775808", 20, &v) && v == INT64_MIN);
	cr_expect(rt_integer_parse(" +12 ", 5, &v) && v == 12);
	cr_expect(!rt_integer_parse("9223372036854775808", 19, &v));
	cr_expect(!rt_integer_parse("-9223372036854775809", 20, &v));
	cr_expect(!rt_integer_parse("1.0", 3, &v));
	cr_expect(!rt_integer_parse("", 0, &v));
	cr_expect(!rt_integer_parse("-", 1, &v));
	cr_expect(!rt_integer_parse("12a", 3, &v));
}

Test(base, sha256)
{
	char text[RT_SHA256_TEXT]; /* FIPS 180-2, appendix B */
	cr_expect_str_eq(rt_sha256("abc", 3, text),
	                 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	cr_expect_str_eq(rt_sha256("", 0, text),
	                 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

Test(base, errors_stay_on_one_line)
{
	RtError err;
	char path[2000];
	memset(path, 'a', sizeof path - 1);
	path[sizeof path - 1] = 0;
	memcpy(path, "begin\n", 6);
	memcpy(path + sizeof path - 5, ".csv", 4);
	cr_expect_eq(rt_fail(&err, RT_E_FORMAT, path, "line 3", "has\ttwo\nlines %d", 7), RT_E_FORMAT);
	cr_expect_null(strpbrk(err.path, "\n\t"));
	cr_expect_null(strpbrk(err.text, "\n\t"));
	cr_expect(strlen(err.path) < RT_PATH_MAX);
	cr_expect_str_eq(err.path + strlen(err.path) - 4, ".csv");
	cr_expect(strncmp(err.path, "begin", 5) == 0);
	cr_expect_eq(rt_fail(NULL, RT_E_LIMIT, NULL, NULL, "nobody listens"), RT_E_LIMIT);
}

Test(base, read_refuses_what_is_no_file)
{
	RtError err;
	char *bytes;
	size_t n;
	cr_expect_eq(rt_file_read(aid_path("none"), 0, &bytes, &n, &err), RT_E_READ);
	cr_expect(strstr(err.text, "No such file"), "%s", err.text);
	cr_expect_null(bytes);
	cr_expect_eq(rt_file_read(aid_folder(), 0, &bytes, &n, &err), RT_E_READ);
	cr_expect(strstr(err.text, "folder"), "%s", err.text);
	cr_expect_eq(rt_file_read("/dev/zero", 0, &bytes, &n, &err), RT_E_READ);
	cr_expect_eq(mkfifo(aid_path("pipe"), 0600), 0);
	cr_expect_eq(rt_file_read(aid_path("pipe"), 0, &bytes, &n, &err), RT_E_READ);
	cr_expect(strstr(err.text, "pipe"), "%s", err.text);
	cr_expect_eq(symlink(aid_path("loop"), aid_path("loop")), 0);
	cr_expect_eq(rt_file_read(aid_path("loop"), 0, &bytes, &n, &err), RT_E_READ);
	aid_file("ten", "0123456789", 10);
	cr_expect_eq(rt_file_read(aid_path("ten"), 9, &bytes, &n, &err), RT_E_LIMIT);
	cr_expect_eq(rt_file_read(aid_path("ten"), 10, &bytes, &n, &err), RT_OK);
	cr_expect(n == 10 && strcmp(bytes, "0123456789") == 0);
	free(bytes);
}

Test(base, write_is_all_or_nothing)
{
	RtError err;
	RtFile *file;
	size_t n;
	cr_assert_eq(rt_file_write(aid_path("f"), "old", 3, &err), RT_OK);
	cr_assert_eq(chmod(aid_path("f"), 0640), 0);
	cr_assert_eq(rt_file_begin(aid_path("f"), &file, &err), RT_OK);
	(void)fprintf(rt_file_stream(file), "new %d", 1);
	char *now = aid_read("f", &n);
	cr_expect_str_eq(now, "old");
	free(now);
	rt_file_abort(file);
	now = aid_read("f", &n);
	cr_expect_str_eq(now, "old");
	free(now);
	cr_expect_eq(aid_count(), 1);
	cr_assert_eq(rt_file_begin(aid_path("f"), &file, &err), RT_OK);
	(void)fprintf(rt_file_stream(file), "new %d", 2);
	cr_assert_eq(rt_file_commit(file, &err), RT_OK);
	now = aid_read("f", &n);
	cr_expect_str_eq(now, "new 2");
	free(now);
	struct stat st;
	cr_expect(stat(aid_path("f"), &st) == 0 && (st.st_mode & 0777) == 0640);
	cr_expect_eq(aid_count(), 1);
}

Test(base, write_goes_through_links)
{
	RtError err;
	size_t n;
	aid_file("target", "old", 3);
	cr_assert_eq(symlink(aid_path("target"), aid_path("link")), 0);
	cr_assert_eq(rt_file_write(aid_path("link"), "new", 3, &err), RT_OK);
	struct stat st;
	cr_expect(lstat(aid_path("link"), &st) == 0 && S_ISLNK(st.st_mode));
	char *now = aid_read("target", &n);
	cr_expect_str_eq(now, "new");
	free(now);
}

Test(base, write_reports_failure)
{
	RtError err;
	RtFile *file;
	char *big = calloc(1, 1 << 20);
	cr_expect_eq(rt_file_write("/dev/full", big, 1 << 20, &err), RT_E_WRITE);
	cr_expect(strstr(err.text, "No space left") && strcmp(err.path, "/dev/full") == 0, "%s",
	          err.text);
	cr_expect_eq(rt_file_begin("/dev/full", &file, &err), RT_OK);
	(void)fputs("one byte waits in the buffer", rt_file_stream(file));
	cr_expect_eq(rt_file_commit(file, &err), RT_E_WRITE);
	cr_expect_eq(rt_file_write(aid_folder(), "x", 1, &err), RT_E_WRITE);
	cr_expect_eq(rt_file_write(aid_path("no/such/folder"), "x", 1, &err), RT_E_WRITE);
	cr_expect_eq(rt_file_write("", "x", 1, &err), RT_E_WRITE);
	cr_expect_eq(aid_count(), 0);
	free(big);
}

Test(base, metrics_lines)
{
	RtError err;
	RtMetrics *m;
	cr_assert_eq(metrics_open(aid_path("m.jsonl"), false, &m, &err), RT_OK);
	metrics_begin(m, "step");
	metrics_int(m, "n", -5);
	metrics_real(m, "loss", 0.1);
	metrics_real(m, "grad", NAN);
	metrics_real(m, "inf", -INFINITY);
	metrics_nest(m, "terms");
	metrics_real(m, "pde", 1e-300);
	metrics_nest(m, "deep");
	metrics_close(m);
	metrics_close(m);
	metrics_bool(m, "pass", true);
	metrics_string(m, "text", "a \"b\"\\\n\t\x01 σ \xff end");
	metrics_string(m, "none", NULL);
	cr_assert_eq(metrics_end(m, &err), RT_OK);
	metrics_begin(m, "claim");
	metrics_nest(m, "open at the end");
	cr_assert_eq(metrics_end(m, &err), RT_OK);
	cr_assert_eq(metrics_finish(m, &err), RT_OK);
	cr_assert_eq(metrics_open(aid_path("m.jsonl"), true, &m, &err), RT_OK);
	metrics_begin(m, "more");
	cr_assert_eq(metrics_end(m, &err), RT_OK);
	cr_assert_eq(metrics_finish(m, &err), RT_OK);
	size_t n, lines = 0;
	char *text = aid_read("m.jsonl", &n), *rest = text;
	json_t *first = NULL;
	for (char *line; (line = strsep(&rest, "\n")) && *line; lines++) {
		json_t *o = json_loads(line, 0, NULL);
		cr_assert_not_null(o, "%s", line);
		if (lines == 0) {
			first = o;
		} else {
			json_decref(o);
		}
	}
	cr_expect_eq(lines, 3);
	cr_expect_str_eq(json_string_value(json_object_get(first, "event")), "step");
	cr_expect_eq(json_integer_value(json_object_get(first, "n")), -5);
	cr_expect_eq(json_real_value(json_object_get(first, "loss")), 0.1);
	cr_expect(json_is_null(json_object_get(first, "grad")));
	cr_expect(json_is_null(json_object_get(first, "inf")));
	cr_expect_eq(json_real_value(json_object_get(json_object_get(first, "terms"), "pde")), 1e-300);
	cr_expect(json_is_true(json_object_get(first, "pass")));
	cr_expect_str_eq(json_string_value(json_object_get(first, "text")),
	                 "a \"b\"\\\n\t\x01 σ \xef\xbf\xbd end");
	cr_expect(json_is_null(json_object_get(first, "none")));
	json_decref(first);
	free(text);
}

Test(base, metrics_report_failure)
{
	RtError err;
	RtMetrics *m;
	cr_expect_eq(metrics_open(aid_path("no/such"), false, &m, &err), RT_E_WRITE);
	cr_expect_null(m);
	cr_assert_eq(metrics_open("/dev/full", false, &m, &err), RT_OK);
	metrics_begin(m, "step");
	cr_expect_eq(metrics_end(m, &err), RT_E_WRITE);
	cr_expect(strstr(err.text, "No space left"), "%s", err.text);
	cr_expect_eq(metrics_finish(m, &err), RT_E_WRITE);
	FILE *full = fopen("/dev/full", "w");
	cr_assert_eq(metrics_attach(full, "metrics", &m, &err), RT_OK);
	metrics_begin(m, "step");
	cr_expect_eq(metrics_end(m, &err), RT_E_WRITE);
	cr_expect_str_eq(err.path, "metrics");
	cr_expect_eq(metrics_finish(m, NULL), RT_E_WRITE);
	(void)fclose(full);
	cr_expect_eq(metrics_finish(NULL, NULL), RT_OK);
}
