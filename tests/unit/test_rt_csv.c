/* test_rt_csv.c — separated text: shapes, hazards, messages, and writing. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/rt_aid.h"

TestSuite(csv, .fini = aid_cleanup);

static RtError err;

static RtTable *load_as(const char *text, size_t n, const char *name, const RtTableOptions *options)
{
	RtTable *t;
	RtStatus status = rt_table_from_bytes(text, n, name, options, &t, &err);
	cr_expect_eq(status == RT_OK, t != NULL);
	return t;
}

static RtTable *load(const char *text)
{
	RtTable *t = load_as(text, strlen(text), "t.csv", NULL);
	cr_assert_not_null(t, "%s: %s", err.where, err.text);
	return t;
}

/* The text must be refused with that place and with these words in the message. */
static void refused(const char *text, RtStatus status, const char *where, const char *words)
{
	RtTable *t = load_as(text, strlen(text), "t.csv", NULL);
	cr_expect_null(t);
	cr_expect_eq(err.status, status, "%s", err.text);
	cr_expect_str_eq(err.where, where);
	cr_expect(strstr(err.text, words), "%s", err.text);
	cr_expect_str_eq(err.path, "t.csv");
	rt_table_free(t);
}

static double real(const RtTable *t, const char *name, size_t i)
{
	const RtColumn *c = rt_table_column(t, name);
	cr_assert(c && c->type == RT_REAL && i < c->count, "%s", name);
	return c->values.real[i];
}

static const char *string(const RtTable *t, const char *name, size_t i)
{
	const RtColumn *c = rt_table_column(t, name);
	cr_assert(c && c->type == RT_STRING && i < c->count, "%s", name);
	return c->values.string[i];
}

Test(csv, plain)
{
	RtTable *t = load("x,y,name\n1,2.5,a\n-3,1e3,b\n");
	cr_expect(t->format == RT_TEXT && t->records == 2 && t->ncolumns == 3 && t->has_header);
	cr_expect(real(t, "x", 0) == 1 && real(t, "x", 1) == -3 && real(t, "y", 1) == 1000);
	cr_expect_str_eq(string(t, "name", 1), "b");
	cr_expect_null(rt_table_column(t, "z"));
	cr_expect(t->column[0].ndim == 1 && t->column[0].dim[0] == 2 && !t->column[0].offsets);
	rt_table_free(t);
}

/* The same content in every dress. */
Test(csv, dresses)
{
	static const char *const texts[] = {
	    "x,y,z\n1,2,3\n4,5,6\n",
	    "x,y,z\r\n1,2,3\r\n4,5,6\r\n",
	    "x,y,z\r1,2,3\r4,5,6",
	    "\xef\xbb\xbfx,y,z\n1,2,3\n4,5,6",
	    "x\ty\tz\n1\t2\t3\n4\t5\t6\n",
	    "x;y;z\n1;2;3\n4;5;6\n",
	    "x , y , z\n 1 , 2 , 3 \n4,\t5,6\n",
	    "\"x\",\"y\",\"z\"\n\"1\",\"2\",\"3\"\n\"4\" , \"5\" ,\"6\"\n",
	    "# a remark, with, commas\n\nx,y,z\n# another\n1,2,3\n\n   \n  # indented\n4,5,6\n\n",
	    "x,y,z,\n1,2,3,\n4,5,6,\n",
	    "x,y,z,\r\n1,2,3,\r\n4,5,6,,\r\n\r\n",
	    "x,y,z\n1,2,3,\n4,5,6\n",
	    "% x y z\nx,y,z\n1,2,3\n4,5,6\n",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		RtTable *t = load(texts[i]);
		cr_expect(t->records == 2 && t->ncolumns == 3 && t->has_header, "%zu", i);
		cr_expect(real(t, "x", 0) == 1 && real(t, "y", 0) == 2 && real(t, "z", 0) == 3, "%zu", i);
		cr_expect(real(t, "x", 1) == 4 && real(t, "y", 1) == 5 && real(t, "z", 1) == 6, "%zu", i);
		rt_table_free(t);
	}
}

Test(csv, blanks_between_cells)
{
	static const char text[] = "x  y\tz\n  1 2   3  \n4\t 5 6";
	RtTable *t = load_as(text, strlen(text), "t.dat", NULL);
	cr_assert_not_null(t);
	cr_expect(t->ncolumns == 3 && t->records == 2 && real(t, "z", 0) == 3 && real(t, "x", 1) == 4);
	rt_table_free(t);
}

Test(csv, quotes)
{
	RtTable *t = load("name,x\n\"a, \"\"b\"\"\",1\n\"two\nlines\",2\n\"\",3\n5\" pipe,4\n");
	cr_expect_eq(t->records, 4);
	cr_expect_str_eq(string(t, "name", 0), "a, \"b\"");
	cr_expect_str_eq(string(t, "name", 1), "two\nlines");
	cr_expect_str_eq(string(t, "name", 2), "");
	cr_expect_str_eq(string(t, "name", 3), "5\" pipe");
	const RtColumn *c = rt_table_column(t, "name");
	cr_expect(c->has_missing && c->first_missing == 2);
	cr_expect_str_eq(c->missing_where, "line 5, column 1"); /* the lines within quotes count */
	rt_table_free(t);
}

Test(csv, missing_cells)
{
	RtTable *t = load("x,y,z,w\n1,nan,,\n,2,NA,\n3,inf,-7,\n");
	cr_expect_eq(t->ncolumns, 4);
	cr_expect(isnan(real(t, "x", 1)) && isnan(real(t, "y", 0)) && isnan(real(t, "z", 0)));
	cr_expect(isinf(real(t, "y", 2)) && isnan(real(t, "z", 1)) && real(t, "z", 2) == -7);
	cr_expect(isnan(real(t, "w", 2)), "a column without any cell is numeric and missing");
	cr_expect_str_eq(rt_table_column(t, "x")->missing_where, "line 3, column 1");
	cr_expect_eq(rt_table_column(t, "x")->first_missing, 1);
	cr_expect_str_eq(rt_table_column(t, "z")->missing_where, "line 2, column 3");
	rt_table_free(t);
}

Test(csv, words_among_numbers)
{
	RtTable *t = load("x,y,k\n1,0.5,1\n2,\"1,5\",2\n3,0x10,3\n");
	const RtColumn *c = rt_table_column(t, "y");
	cr_expect(c->type == RT_STRING && c->is_mixed && c->first_word == 1);
	cr_expect_str_eq(c->word_where, "line 3, column 2");
	cr_expect_str_eq(c->values.string[c->first_word], "1,5");
	cr_expect(!rt_table_column(t, "x")->is_mixed);
	rt_table_free(t);
}

static void expect_names(const char *text, const char *file, bool header, size_t records,
                         const char *first, const char *last)
{
	RtTable *t = load_as(text, strlen(text), file, NULL);
	cr_assert_not_null(t, "%s: %s", text, err.text);
	cr_expect(t->has_header == header && t->records == records, "%s: %zu", text, t->records);
	cr_expect_str_eq(t->column[0].name, first, "%s", text);
	cr_expect_str_eq(t->column[t->ncolumns - 1].name, last, "%s", text);
	rt_table_free(t);
}

Test(csv, headers)
{
	expect_names("1,2\n3,4\n", "t.csv", false, 2, "c1", "c2");
	expect_names("a,b\nc,d\ne,f\n", "t.csv", true, 2, "a", "b");
	expect_names("EI,x\nEI,y\nN,z\n", "t.csv", false, 3, "c1", "c2");
	expect_names("cg1\ncg2\ncg3\n", "t.txt", false, 3, "c1", "c1");
	expect_names("x\n1\n2\n", "t.txt", true, 2, "x", "x");
	expect_names("# x, y\n1 2\n3 4\n", "t.dat", true, 2, "x", "y");
	expect_names("% x y\r\n1 2\r\n3 4\r\n", "t.txt", true, 2, "x", "y");
	expect_names("# two words and more\n1 2\n", "t.dat", false, 1, "c1", "c2");
	expect_names("# old\n\n1 2\n", "t.dat", false, 1, "c1", "c2");
	expect_names(",x\na,1\nb,2\n", "t.csv", true, 2, "c1", "x");
	expect_names("\" a b \",x\nu,1\n", "t.csv", true, 1, "a b", "x");
	expect_names("nan,nan\n1,2\n", "t.csv", false, 2, "c1", "c2");
	expect_names("a,b,c\n", "t.csv", true, 0, "a", "c");
	expect_names("Größe,\"x, y\"\n1,2\n", "t.csv", true, 1, "Größe", "x, y");
}

Test(csv, options)
{
	static const char text[] = "1|2\n3|4\n";
	RtTableOptions o = {.delimiter = '|', .header = RT_HEADER_YES};
	RtTable *t = load_as(text, strlen(text), "t", &o);
	cr_assert_not_null(t);
	cr_expect(t->records == 1 && t->ncolumns == 2 && real(t, "1", 0) == 3);
	rt_table_free(t);
	o = (RtTableOptions){.header = RT_HEADER_NO};
	t = load_as("a,b\n1,2\n", 8, "t", &o);
	cr_assert_not_null(t);
	cr_expect(t->records == 2 && strcmp(string(t, "c1", 0), "a") == 0);
	rt_table_free(t);
	o = (RtTableOptions){.memory_limit = 100};
	cr_expect_null(load_as("a,b\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n", 32, "t", &o));
	cr_expect_eq(err.status, RT_E_LIMIT);
}

Test(csv, refusals)
{
	refused("", RT_E_FORMAT, "", "empty");
	refused("\n\n# nothing\n", RT_E_FORMAT, "", "no rows");
	refused("a,b\n1,2\n3\n", RT_E_FORMAT, "line 3", "1 cells and the first row 2");
	refused("a,b\n1,2\n3,4,5\n", RT_E_FORMAT, "line 3", "3 cells and the first row 2");
	refused("a,b\n1,\"2\n3,4\n", RT_E_FORMAT, "line 2, column 2", "never closed");
	refused("a,b\n1,\"2\"x\n", RT_E_FORMAT, "line 2, column 2", "follows the closing quote");
	refused("a,b\n1,2\n3,1e999\n", RT_E_FORMAT, "line 3, column 2", "larger than a double");
	refused("a,a\n1,2\n", RT_E_FORMAT, "", "two columns are named \"a\"");
	refused("a,b\n1,\xe9\n", RT_E_FORMAT, "line 2, byte 3", "not UTF-8");
	refused("\x1f\x8b\x08", RT_E_UNSUPPORTED, "", "gzip");
	refused("\xff\xfe\x61", RT_E_UNSUPPORTED, "", "UTF-16");
	RtTable *t = load_as("a,b\r\n1,\0\n", 9, "t.csv", NULL);
	cr_expect(t == NULL && err.status == RT_E_FORMAT);
	cr_expect_str_eq(err.where, "line 2, byte 3");
	cr_expect(strstr(err.text, "NUL"));
}

Test(csv, many_columns_are_refused)
{
	enum { N = 200001 };
	char *text = malloc(2 * N);
	for (size_t i = 0; i < N; i++) {
		text[2 * i] = '1';
		text[2 * i + 1] = ',';
	}
	cr_expect_null(load_as(text, 2 * N, "t.csv", NULL));
	cr_expect_eq(err.status, RT_E_LIMIT);
	free(text);
}

Test(csv, one_long_line)
{
	enum { N = 10000000 };
	char *text = malloc(N + 16);
	memcpy(text, "a,b\n1,", 6);
	memset(text + 6, '7', N);
	memcpy(text + 6 + N, "\n", 2);
	RtTable *t = load_as(text, N + 7, "t.csv", NULL);
	cr_assert_not_null(t);
	cr_expect_eq(rt_table_column(t, "b")->type, RT_STRING);
	rt_table_free(t);
	free(text);
}

static RtStatus load_bytes(const void *bytes, size_t n, RtError *e)
{
	RtTable *t;
	RtStatus status = rt_table_from_bytes(bytes, n, "t.csv", NULL, &t, e);
	rt_table_free(t);
	return status;
}

Test(csv, damaged)
{
	static const char one[] =
		"\xef\xbb\xbf# x\nname,x , \"y\"\"z\"\r\n\"a\nb\",1e3, nan\r\n\"c,\",-2,\n";
	static const char two[] = "% x y z\n 1 2\t3 \n 4 \"5\" 6\n";
	cr_expect_gt(aid_torture(load_bytes, one, sizeof one - 1), 10);
	(void)aid_torture(load_bytes, two, sizeof two - 1);
}

Test(csv, files)
{
	RtTable *t;
	aid_file("a.csv", "x,y\n1,2\n", 8);
	cr_assert_eq(rt_table_load(aid_path("a.csv"), NULL, &t, &err), RT_OK);
	cr_expect_eq(real(t, "y", 0), 2);
	rt_table_free(t);
	cr_expect_eq(rt_table_load(aid_path("b.csv"), NULL, &t, &err), RT_E_READ);
	cr_expect_null(t);
	cr_expect_str_eq(err.path, aid_path("b.csv"));
	cr_expect_eq(rt_table_load(aid_folder(), NULL, &t, &err), RT_E_READ);
}

Test(csv, writing_reads_back)
{
	double x[] = {0.1, NAN, -1e-300, 5e-324, 12};
	int64_t k[] = {1, INT64_MIN, INT64_MAX, 0, -1};
	const char *s[] = {"a,b", "q\"q", "two\nlines", "", " blank "};
	RtCsvColumn c[] = {{.name = "x", .real = x}, {.name = "k, k", .integer = k},
	                   {.name = "#s", .string = s}};
	cr_assert_eq(rt_csv_write(aid_path("w.csv"), c, 3, 5, &err), RT_OK, "%s", err.text);
	RtTable *t;
	cr_assert_eq(rt_table_load(aid_path("w.csv"), NULL, &t, &err), RT_OK, "%s %s", err.where,
	             err.text);
	cr_expect(t->records == 5 && t->ncolumns == 3);
	for (size_t i = 0; i < 5; i++) {
		double back = real(t, "x", i);
		cr_expect(back == x[i] || (isnan(back) && isnan(x[i])), "%zu", i);
		cr_expect_eq(real(t, "k, k", i), (double)k[i]);
		cr_expect_str_eq(string(t, "#s", i), s[i]);
	}
	rt_table_free(t);
	cr_expect_eq(rt_csv_write("/dev/full", c, 3, 5, &err), RT_E_WRITE);
	const char *lines[] = {"a", "", "b"};
	RtCsvColumn alone = {.name = "only", .string = lines};
	cr_assert_eq(rt_csv_write(aid_path("w.csv"), &alone, 1, 3, &err), RT_OK);
	RtTableOptions o = {.header = RT_HEADER_YES};
	cr_assert_eq(rt_table_load(aid_path("w.csv"), &o, &t, &err), RT_OK);
	cr_expect_eq(t->records, 3);
	cr_expect_str_eq(string(t, "only", 1), "");
	rt_table_free(t);
}
