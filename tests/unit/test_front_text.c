/* test_front_text.c — texts, places, characters, diagnostics and the way they are shown. */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "lang/unicode.h"
#include "tests/unit/front_aid.h"

static Span span_of(Front *f, uint32_t file, const char *what)
{
	size_t n;
	const char *text = sources_text(f->ctx.sources, file, &n), *at = strstr(text, what);
	cr_assert_not_null(at, "%s is not in the text", what);
	return (Span){file, (uint32_t)(at - text), (uint32_t)(at - text + (long)strlen(what))};
}

Test(source, places_count_characters_and_lines)
{
	Front f = front_open();
	uint32_t file = front_text(&f, "a\né µ = x\r\nlast");
	Place p = sources_place(f.ctx.sources, file, span_of(&f, file, "x").lo);
	cr_expect_eq(p.line, 2);
	cr_expect_eq(p.column, 7);
	p = sources_place(f.ctx.sources, file, 1000);
	cr_expect_eq(p.line, 3);
	cr_expect_eq(p.column, 5);
	size_t n;
	const char *line = sources_line(f.ctx.sources, file, 2, &n);
	cr_expect_eq(n, strlen("é µ = x"));
	cr_expect(memcmp(line, "é µ = x", n) == 0);
	sources_line(f.ctx.sources, file, 9, &n);
	cr_expect_eq(n, 0);
	front_close(&f);
}

Test(source, byte_order_mark_is_no_column)
{
	Front f = front_open();
	uint32_t file = front_text(&f, "\xEF\xBB\xBFx = 1");
	cr_expect_eq(sources_place(f.ctx.sources, file, 3).column, 1);
	cr_expect_eq(diags_count(f.ctx.diags), 0);
	Ast *tree = parse_file(&f.ctx, file);
	cr_expect_eq(tree->nkid, 1);
	cr_expect_eq(diags_count(f.ctx.diags), 0);
	front_close(&f);
}

Test(source, missing_and_directory)
{
	Front f = front_open();
	errno = 0;
	cr_expect_eq(sources_load(f.ctx.sources, "no/such/file.pnn"), 0);
	cr_expect_eq(errno, ENOENT);
	cr_expect_eq(sources_load(f.ctx.sources, "tests"), 0);
	cr_expect_eq(errno, EISDIR);
	front_close(&f);
}

Test(unicode, decoding_refuses_what_is_not_utf8)
{
	static const struct {
		const char *bytes;
		size_t n;
		size_t good;
	} rows[] = {
		{"a\xC3\xA9z", 4, 4},
		{"\xC0\x80", 2, 0},
		{"\xE0\x80\x80", 3, 0},
		{"\xED\xA0\x80", 3, 0},
		{"\xF4\x90\x80\x80", 4, 0},
		{"\xF0\x9D\x9C\x95", 4, 4},
		{"ab\xE2\x88", 4, 2},
		{"\xFF", 1, 0},
		{"x\x80", 2, 1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		cr_expect_eq(unicode_valid(rows[i].bytes, rows[i].n), rows[i].good, "row %zu", i);
	}
}

Test(unicode, names_are_equal_in_normal_form)
{
	Front f = front_open();
	Ast *tree = front_parse(&f, "µ = 1\nμ = 2\ne\xCC\x81 = 3\n\xC3\xA9 = 4\n");
	cr_assert_eq(tree->nkid, 4);
	cr_expect_eq(diags_count(f.ctx.diags), 0);
	const Ast *micro = tree->kid[0]->kid[0], *greek = tree->kid[1]->kid[0];
	cr_expect_eq(micro->name, greek->name);
	cr_expect_neq(micro->text, greek->text);
	cr_expect_eq(tree->kid[2]->kid[0]->name, tree->kid[3]->kid[0]->name);
	front_close(&f);
}

Test(diag, the_page_of_the_language)
{
	Front f = front_open();
	uint32_t file = front_text(&f, "axis k\n\n  s[k] = sum[j] g[j,m]\n");
	Diag *d = diag_indices_disagree(f.ctx.diags, span_of(&f, file, "m]"), "k",
	                                "is free on the left");
	diag_label(d, "free here");
	diag_note(d, span_of(&f, file, "s[k]"), "k is free");
	diag_note(d, span_of(&f, file, "k\n"), "declared here");
	diag_remark(d, "g is real[%s]", "n");
	diag_help(d, "did you mean  g[j,k] ?");
	cr_expect_str_eq(front_render(&f, false),
	                 "error[E0203]: indices do not match: k is free on the left\n"
	                 " --> t.pnn:3:21\n"
	                 "  |\n"
	                 "3 |   s[k] = sum[j] g[j,m]\n"
	                 "  |   ----              ^^ free here\n"
	                 "  |   k is free\n"
	                 "  |\n"
	                 "1 | axis k\n"
	                 "  |      - declared here\n"
	                 "  |\n"
	                 "  = g is real[n]\n"
	                 "  help: did you mean  g[j,k] ?\n\n");
	front_close(&f);
}

Test(diag, tabs_and_wide_characters_align)
{
	Front f = front_open();
	uint32_t file = front_text(&f, "\té\t漢 = y\n");
	diag_undefined_name(f.ctx.diags, span_of(&f, file, "y"), "y");
	cr_expect_not_null(
		strstr(front_render(&f, false), "1 |     é    漢 = y\n  |               ^\n"), "%s",
		front_render(&f, false));
	front_close(&f);
}

Test(diag, a_line_of_megabytes_shows_a_window)
{
	Front f = front_open();
	size_t n = 10u << 20;
	char *text = arena_alloc(f.arena, n + 1, 1);
	memset(text, 'x', n);
	text[n / 2] = 'y';
	uint32_t file = front_text(&f, text);
	diag_undefined_name(f.ctx.diags, (Span){file, (uint32_t)n / 2, (uint32_t)n / 2 + 1}, "y");
	const char *shown = front_render(&f, false);
	cr_expect_lt(strlen(shown), 500);
	const char *line = strstr(shown, "1 | "), *y = strchr(line, 'y'), *mark = strchr(line, '^');
	const char *marks = strrchr(shown, '|');
	cr_assert(y && mark && marks);
	cr_expect_eq(y - (line + 4) - 2, mark - (marks + 2),
	             "the ellipsis is three bytes and one cell wide");
	front_close(&f);
}

Test(diag, sorted_by_place_without_copies_and_limited)
{
	Front f = front_open();
	uint32_t file = front_text(&f, "abcdefghijklmnopqrstuvwxyz");
	f.ctx.diags = diags_create(f.arena, f.ctx.sources, 3);
	for (uint32_t i = 20; i-- > 0;) {
		diag_undefined_name(f.ctx.diags, (Span){file, i, i + 1}, "n");
		diag_undefined_name(f.ctx.diags, (Span){file, i, i + 1}, "n");
	}
	const char *shown = front_render(&f, false);
	const char *first = strstr(shown, ":1:1\n"), *second = strstr(shown, ":1:2\n"),
		   *third = strstr(shown, ":1:3\n");
	cr_expect(first && second && third && first < second && second < third);
	cr_expect_null(strstr(shown, ":1:4\n"));
	cr_expect_not_null(strstr(shown, "17 more errors are not shown"), "%s", shown);
	cr_expect_eq(diags_errors(f.ctx.diags), 40);
	front_close(&f);
}

Test(diag, rewinding_and_counts)
{
	Front f = front_open();
	diag_undefined_name(f.ctx.diags, (Span){0}, "a");
	unsigned mark = diags_mark(f.ctx.diags);
	for (unsigned i = 0; i < 1000; i++) {
		diag_help(diag_unused_name(f.ctx.diags, (Span){0}, "b"),
		          "still not NULL beyond the limit");
	}
	cr_expect_eq(diags_warnings(f.ctx.diags), 1000);
	diags_rewind(f.ctx.diags, mark);
	cr_expect_eq(diags_warnings(f.ctx.diags), 0);
	cr_expect_eq(diags_errors(f.ctx.diags), 1);
	cr_expect_eq(diags_exit_code(f.ctx.diags), 3);
	diags_clear(f.ctx.diags);
	cr_expect_eq(diags_count(f.ctx.diags), 0);
	cr_expect_eq(diags_exit_code(f.ctx.diags), 0);
	diag_test_failed(f.ctx.diags, (Span){0}, "a == b");
	cr_expect_eq(diags_exit_code(f.ctx.diags), 1);
	diag_data_empty(f.ctx.diags, (Span){0}, "d");
	cr_expect_eq(diags_exit_code(f.ctx.diags), 4);
	cr_expect_eq(diags_errors(f.ctx.diags), 1, "a refuted claim is no error");
	front_close(&f);
}

Test(diag, json_is_one_object_a_line)
{
	Front f = front_open();
	uint32_t file = front_text(&f, "x = é\"\001\n");
	Diag *d = diag_undefined_name(f.ctx.diags, (Span){file, 4, 6}, "é\"\x80\x1b");
	diag_note(d, (Span){file, 0, 1}, "here");
	diag_help(d, "none");
	json_t *o = json_loads(front_render(&f, true), 0, NULL);
	cr_assert_not_null(o);
	cr_expect_str_eq(json_string_value(json_object_get(o, "code")), "E0201");
	cr_expect_str_eq(json_string_value(json_object_get(o, "severity")), "error");
	cr_expect_eq(json_integer_value(json_object_get(o, "column")), 5);
	cr_expect_eq(json_integer_value(json_object_get(o, "end_column")), 6);
	cr_expect_eq(json_integer_value(json_array_get(json_object_get(o, "span"), 1)), 6);
	cr_expect_eq(json_array_size(json_object_get(o, "notes")), 1);
	cr_expect_str_eq(json_string_value(json_array_get(json_object_get(o, "help"), 0)), "none");
	json_decref(o);
	front_close(&f);
}

Test(diag, messages_cannot_command_a_terminal)
{
	Front f = front_open();
	uint32_t file = front_text(&f, "x = \033[31m\xE2\x80\xAE\n");
	diag_undefined_name(f.ctx.diags, (Span){file, 0, 1}, "\033[2J\xE2\x80\xAE");
	const char *shown = front_render(&f, false);
	cr_expect_null(strchr(shown, '\033'));
	cr_expect_null(strstr(shown, "\xE2\x80\xAE"));
	front_close(&f);
}

Test(diag, nearest_name)
{
	static const char *const names[] = {"alpha", "beta", "sqrt", "logsumexp", "x", "β"};
	size_t n = sizeof names / sizeof *names;
	cr_expect_str_eq(diag_nearest("sqtr", names, n), "sqrt");
	cr_expect_str_eq(diag_nearest("Beta", names, n), "beta");
	cr_expect_str_eq(diag_nearest("logsumxp", names, n), "logsumexp");
	cr_expect_str_eq(diag_nearest("X", names, n), "x");
	cr_expect_null(diag_nearest("y", names, n), "one letter is not near another");
	cr_expect_null(diag_nearest("gamma", names, n));
	cr_expect_null(diag_nearest("", names, n));
}

Test(diag, table_is_sorted_and_complete)
{
	unsigned n = 0;
	for (; diag_row(n)->code; n++) {
		const DiagRow *r = diag_row(n);
		cr_expect(n == 0 || r->code[0] != diag_row(n - 1)->code[0] ||
		                  strcmp(r->code, diag_row(n - 1)->code) > 0,
		          "%s", r->code);
		cr_expect(*r->name && *r->wording);
	}
	cr_expect_gt(n, 60);
}
