/* test_front_parse.c — tokens, layout, grammar: what a text means and which mistakes it has. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/front_aid.h"

/* An expression, and the same with all its brackets: a binary node as (a op b). */
static const char *full(Front *f, const Ast *e)
{
	Arena *a = f->arena;
	const Intern *in = f->ctx.names;
	switch (e->kind) {
	case AST_PAREN: return full(f, e->kid[0]);
	case AST_BINARY:
	case AST_UNARY: {
		const char *op = intern_text(in, e->name);
		return e->nkid == 1 ? arena_printf(a, "(%s %s)", op, full(f, e->kid[0]))
		                    : arena_printf(a, "(%s %s %s)", full(f, e->kid[0]), op,
		                                   full(f, e->kid[1]));
	}
	case AST_REDUCE:
		return arena_printf(a, "{%s %s}", intern_text(in, e->name), full(f, e->kid[1]));
	case AST_IF:
		return arena_printf(a, "(if %s %s %s)", full(f, e->kid[0]), full(f, e->kid[1]),
		                    full(f, e->kid[2]));
	case AST_PIPE: return arena_printf(a, "(%s |> %s)", full(f, e->kid[0]), full(f, e->kid[1]));
	case AST_RANGE:
		return arena_printf(a, "(%s .. %s)", full(f, e->kid[0]), full(f, e->kid[1]));
	case AST_PARTIAL: return arena_printf(a, "D%.0f(%s)", e->num, full(f, e->kid[0]));
	default: return ast_text(a, in, e);
	}
}

Test(grammar, precedence)
{
	static const struct {
		const char *text, *full;
	} rows[] = {
		{"a + b*c", "(a + (b * c))"},
		{"a - b - c", "((a - b) - c)"},
		{"a/b/c", "((a / b) / c)"},
		{"-x^2", "(- (x ^ 2))"},
		{"2^3^2", "(2 ^ (3 ^ 2))"},
		{"x^-2", "(x ^ (- 2))"},
		{"-2*x", "((- 2) * x)"},
		{"x²*y", "((x ^ 2) * y)"},
		{"x¹⁰ + xⁿ", "((x ^ 10) + (x ^ n))"},
		{"sum[j] W[i,j]*x[j] + b[i]", "({sum (W[i,j] * x[j])} + b[i])"},
		{"a*sum[j] x[j]/2 - c", "((a * {sum (x[j] / 2)}) - c)"},
		{"-sum[i] h[i]*s[i]", "(- {sum (h[i] * s[i])})"},
		{"Σ[i] x[i]^2", "{sum (x[i] ^ 2)}"},
		{"mean[s in d] sum[i] s.x[i] - 1", "({mean {sum s.x[i]}} - 1)"},
		{"count[i] x[i] > 0", "({count x[i]} > 0)"},
		{"max[j](a + b)*2", "({max (a + b)} * 2)"},
		{"a or b and not c == d", "(a or (b and (not (c == d))))"},
		{"x |> f |> g(a)", "((x |> f) |> g(a))"},
		{"if a then b else c |> f", "(if a b (c |> f))"},
		{"if a then b else if c then d else e", "(if a b (if c d e))"},
		{"1..n-1", "(1 .. (n - 1))"},
		{"∂u/∂t + u*∂u/∂x", "(D1(u) + (u * D1(u)))"},
		{"-∂²u/∂x∂t", "(- D2(u))"},
		{"partial^2 u/partial x^2/c", "(D2(u) / c)"},
		{"a/∂u/∂x", "(a / D1(u))"},
		{"(s shr k) band 1 == 0", "(((s shr k) band 1) == 0)"},
		{"a xor b xor c", "((a xor b) xor c)"},
		{"n mod 2*k", "((n mod 2) * k)"},
		{"div(v)*2", "(div(v) * 2)"},
		{"a div 2", "(a div 2)"},
		{"max(a, b)", "max(a, b)"},
		{"r2[j] + 1", "(r2[j] + 1)"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		Front f = front_open();
		Ast *e = parse_expression(&f.ctx, front_text(&f, rows[i].text));
		cr_assert_not_null(e, "%s: %s", rows[i].text, front_render(&f, false));
		cr_expect_str_eq(full(&f, e), rows[i].full, "%s", rows[i].text);
		Ast *again = parse_expression(&f.ctx,
		                              front_text(&f, ast_text(f.arena, f.ctx.names, e)));
		cr_assert_not_null(again, "%s", ast_text(f.arena, f.ctx.names, e));
		cr_expect_str_eq(full(&f, again), rows[i].full, "printed: %s", rows[i].text);
		front_close(&f);
	}
}

/* Without the PAREN nodes of the user the printer has to find out itself where brackets are needed.
 */
static Ast *without_parens(Ast *e)
{
	while (e && e->kind == AST_PAREN) {
		e = e->kid[0];
	}
	for (uint32_t i = 0; e && i < e->nkid; i++) {
		e->kid[i] = without_parens(e->kid[i]);
	}
	return e;
}

Test(grammar, printed_brackets_are_those_needed)
{
	static const struct {
		const char *text, *printed;
	} rows[] = {
		{"(a + b)*c", "(a + b)*c"},
		{"(a*b) + c", "a*b + c"},
		{"a - (b - c)", "a - (b - c)"},
		{"(a - b) - c", "a - b - c"},
		{"a/(b*c)", "a/(b*c)"},
		{"(-a)^2", "(-a)^2"},
		{"-(a^2)", "-a^2"},
		{"(a^b)^c", "(a^b)^c"},
		{"a^(b^c)", "a^b^c"},
		{"(sum[i] x)*y", "(sum[i] x)*y"},
		{"sum[i] (x*y)", "sum[i] x*y"},
		{"sum[i] (x + y)", "sum[i] (x + y)"},
		{"a*(b*sum[i] x)", "a*(b*sum[i] x)"},
		{"(∂u/∂x)^2", "(∂u/∂x)^2"},
		{"∂(u*v)/∂x", "∂(u*v)/∂x"},
		{"(x |> f) + 1", "(x |> f) + 1"},
		{"(if a then b else c)*2", "(if a then b else c)*2"},
		{"not (a and b)", "not (a and b)"},
		{"(a < b) == c", "(a < b) == c"},
		{"(a shl 1) + 1", "(a shl 1) + 1"},
		{"-(a + b)", "-(a + b)"},
		{"(a + b)[i]", "(a + b)[i]"},
		{"x^(-2)", "x^-2"},
		{"2^(a + b)", "2^(a + b)"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		Front f = front_open();
		Ast *e = parse_expression(&f.ctx, front_text(&f, rows[i].text));
		cr_assert_not_null(e, "%s: %s", rows[i].text, front_render(&f, false));
		cr_expect_str_eq(ast_text(f.arena, f.ctx.names, without_parens(e)),
		                 rows[i].printed);
		front_close(&f);
	}
}

Test(grammar, numbers)
{
	Front f = front_open();
	Ast *tree = front_parse(
		&f, "a = 9223372036854775807\nb = 0xFF\nc = 80%\nd = 1e-3\ne = 2.5 'Å'\n");
	cr_expect_eq(diags_count(f.ctx.diags), 0);
	cr_expect_eq(tree->kid[0]->kid[1]->integer, INT64_MAX);
	cr_expect_eq(tree->kid[1]->kid[1]->integer, 255);
	cr_expect_eq(tree->kid[1]->kid[1]->flags, AST_INTEGER);
	cr_expect_eq(tree->kid[2]->kid[1]->num, 0.8);
	cr_expect_eq(tree->kid[2]->kid[1]->flags, AST_PERCENT);
	cr_expect_eq(tree->kid[3]->kid[1]->num, 1e-3);
	cr_expect_eq(tree->kid[3]->kid[1]->flags, 0);
	cr_expect_str_eq(intern_text(f.ctx.names, tree->kid[4]->kid[1]->text), "Å");
	front_close(&f);
}

Test(grammar, strings)
{
	Front f = front_open();
	Ast *tree = front_parse(&f, "print \"a\\tb\\n\\\"\\\\\\u{3b1}\"\n");
	cr_expect_eq(diags_count(f.ctx.diags), 0);
	cr_expect_str_eq(intern_text(f.ctx.names, tree->kid[0]->kid[0]->name), "a\tb\n\"\\α");
	front_close(&f);
}

Test(layout, where_statements_end)
{
	static const struct {
		const char *text;
		uint32_t statements;
	} rows[] = {
		{"", 0},
		{"\n\n;;\n", 0},
		{"a = 1", 1},
		{"a = 1; b = 2\n", 2},
		{"a = 1 +\n 2\nb = 3\n", 2},
		{"a = (1\n + 2)\nb = f(\n 1,\n 2\n)\n", 2},
		{"a = x\n  |> f\n  |> g\nb = 1\n", 2},
		{"a = if b\n then c\n else d\n", 1},
		{"if a { b = 1 }\nelse { c = 2 }\n", 1},
		{"a = f(expect[e ~ d] {\n x = 1\n return x\n})\nb = 2\n", 2},
		{"a = 1 # x\n# y\nb = 2 # z", 2},
		{"a = 1\r\nb = 2\r\n", 2},
		{"data d { x : real; y : real }\n", 1},
		{"activation f(r; a, b) = r\n", 1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		Front f = front_open();
		Ast *tree = front_parse(&f, rows[i].text);
		cr_expect_eq(diags_count(f.ctx.diags), 0, "%s: %s", rows[i].text,
		             front_render(&f, false));
		cr_expect_eq(tree->nkid, rows[i].statements, "%s", rows[i].text);
		front_close(&f);
	}
}

Test(layout, words_are_names_where_they_can_be)
{
	static const char *const rows[] = {
		"loss data = 1\n",
		"data set { loss : real; record : real; set : int }\n",
		"train = 3\nstate = train + next\n",
		"axis in = 2\nparam W : real[in, h]\n",
		"from = to + for\n",
		"const steps = 3\nprint steps, epochs\n",
		"data all from \"x\" { use : real }\n",
		"x = s.sum + s.in + s.real + s.data\n",
		"mean = 3\n",
		"domain D { state in [0, 1] }\n",
		"plot for over x\n",
		"param b : real symmetric positive = 0\n",
		"x = count + all\n",
		"let over = within\n",
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		Front f = front_open();
		front_parse(&f, rows[i]);
		cr_expect_eq(diags_count(f.ctx.diags), 0, "%s: %s", rows[i],
		             front_render(&f, false));
		front_close(&f);
	}
}

Test(mistakes, each_is_reported_once_and_the_next_one_too)
{
	static const struct {
		const char *text, *codes;
	} rows[] = {
		{"a = 2x\nb = f x\n", "E0106 E0106"},
		{"a = b\n + c\nd = e\n - f\n", "E0107 E0107"},
		{"a = (1 + 2\nconst b = 3\nconst c 4\n", "E0109 E0105"},
		{"a = (1 + [2)\nb = 1)\nc = (2]\n", "E0109 E0115 E0109"},
		{"a = f(1 2, 3)\nb = [1 2]\nc = W[1 2]\n", "E0106 E0106 E0106"},
		{"train f {\n minimize 1 2\n use g h\n}\nx = 1 2\n", "E0106 E0105 E0106"},
		{"train f g {\n a b\n (c\n}\nx = 1 2\n", "E0105 E0109 E0106"},
		{"x = 1. + .5\ny = 3e\n", "E0103 E0103 E0103"},
		{"x = a − b\ny = §\nz = 1 2\n", "E0102 E0102 E0106"},
		{"x = \"a\ny = \"b\\q\"\n", "E0104 E0114"},
		{"x = f'(y)\n", "E0116"},
		{"x = a < b < c < d\n", "E0110 E0110"},
		{"assert a = b\nx = if a = b then 1 else 2\n", "E0111 E0111"},
		{"x = ∂u/∂x²\n", "E0112"},
		{"1 + 2\nx == y\n", "E0117 E0117"},
		{"minimize x\ny : real\nt in [0, 1]\nstate m = 0\n", "E0218 E0218 E0218 E0218"},
		{"domain D { x in [0, 1]; y = 3 }\n", "E0218"},
		{"train f { record a = 1; const b = 2; use \"x\" }\n", "E0218 E0218 E0218"},
		{"cosnt a = 1\nplot u ovr D\n", "E0105 E0105"},
		{"const a =\nconst b = 2\nconst c = 1 +\n", "E0105 E0105"},
		{"if a {\n", "E0109"},
		{"}\nx = 1 2\n", "E0115 E0106"},
		{"record f(x)\nx = [i in h]\n", "E0105 E0105"},
		{"x = #\n", "E0105"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		Front f = front_open();
		front_parse(&f, rows[i].text);
		cr_expect_str_eq(front_codes(&f), rows[i].codes, "%s: %s", rows[i].text,
		                 front_render(&f, false));
		front_close(&f);
	}
}

Test(mistakes, the_statements_around_an_error_stay)
{
	Front f = front_open();
	Ast *tree = front_parse(
		&f, "a = 1\nb = 2 3\nc = 4\ntrain t {\n minimize 1 2\n use g for 3 steps\n}\n");
	cr_assert_eq(tree->nkid, 4);
	cr_expect_eq(tree->kid[0]->kind, AST_DEF);
	cr_expect_eq(tree->kid[1]->kind, AST_ERROR_STMT);
	cr_expect_eq(tree->kid[2]->kind, AST_DEF);
	cr_assert_eq(tree->kid[3]->kind, AST_TRAIN);
	cr_assert_eq(tree->kid[3]->nkid, 2);
	cr_expect_eq(tree->kid[3]->kid[1]->kind, AST_USEPHASE);
	front_close(&f);
}

/* n times a, then m, then n times b, as an expression. */
static const char *repeated(Front *f, const char *a, const char *m, const char *b, size_t n)
{
	size_t na = strlen(a), nb = strlen(b), nm = strlen(m);
	char *text = arena_alloc(f->arena, n * (na + nb) + nm + 8, 1), *p = text;
	p = (char *)memcpy(p, "x = ", 4) + 4;
	for (size_t i = 0; i < n; i++, p += na) {
		memcpy(p, a, na);
	}
	p = (char *)memcpy(p, m, nm) + nm;
	for (size_t i = 0; i < n; i++, p += nb) {
		memcpy(p, b, nb);
	}
	*p = '\n';
	return text;
}

Test(limits, deep_and_long_texts)
{
	static const struct {
		const char *a, *m, *b;
		size_t n;
		const char *codes;
	} rows[] = {
		{"(", "1", ")", 1000, ""},
		{"(", "1", ")", 100000, "E0108"},
		{"[", "", "", 100000, "E0108"},
		{"- ", "1", "", 1900, ""},
		{"- ", "1", "", 100000, "E0108"},
		{"a^", "b", "", 100000, "E0108"},
		{"1 + ", "1", "", 1990, ""},
		{"1 + ", "1", "", 1000000, "E0108"},
		{"if a then b else ", "c", "", 100000, "E0108"},
		{"sum[i] ", "c", "", 100000, "E0108"},
		{"", "a", "[1]", 100000, "E0108"},
		{"", "f(1", ", 1)", 1, ""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		Front f = front_open();
		front_parse(&f, repeated(&f, rows[i].a, rows[i].m, rows[i].b, rows[i].n));
		cr_expect_str_eq(front_codes(&f), rows[i].codes, "row %zu", i);
		front_close(&f);
	}
}

Test(limits, long_lines_and_strange_bytes)
{
	Front f = front_open();
	Ast *tree = front_parse(&f, repeated(&f, "x", " ", "", 10u << 20));
	cr_expect_str_eq(front_codes(&f), "");
	cr_expect_eq(tree->kid[0]->kind, AST_DEF);
	diags_clear(f.ctx.diags);
	parse_file(&f.ctx, sources_add(f.ctx.sources, "nul", "x = 1\0\n\0y = 2", 13));
	cr_expect_str_eq(front_codes(&f), "E0102 E0102");
	diags_clear(f.ctx.diags);
	tree = front_parse(&f, "# caf\xE9\nx = 1\n");
	cr_expect_str_eq(front_codes(&f), "E0101");
	cr_expect_eq(tree->kid[0]->kind, AST_ERROR_STMT);
	front_close(&f);
}

Test(prompt, probing)
{
	static const struct {
		const char *text;
		ParseState state;
	} rows[] = {
		{"", PARSE_COMPLETE},
		{"x = 1", PARSE_COMPLETE},
		{"f(2)", PARSE_COMPLETE},
		{":type x", PARSE_COMPLETE},
		{"?sin", PARSE_COMPLETE},
		{"x = (1 +", PARSE_NEEDS_MORE},
		{"x = 1 +", PARSE_NEEDS_MORE},
		{"train f {\n minimize l", PARSE_NEEDS_MORE},
		{"train f {\n minimize l\n}", PARSE_COMPLETE},
		{"const x", PARSE_WRONG},
		{"a b", PARSE_WRONG},
		{"x = \"a", PARSE_WRONG},
		{"x = )", PARSE_WRONG},
		{"if a { b = 1 }", PARSE_COMPLETE},
		{"x = [1,", PARSE_NEEDS_MORE},
		{"fn f(x) =", PARSE_NEEDS_MORE},
	};
	Front f = front_open();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		cr_expect_eq(parse_probe(&f.ctx, rows[i].text, strlen(rows[i].text)), rows[i].state,
		             "%s", rows[i].text);
	}
	cr_expect_eq(diags_count(f.ctx.diags), 0, "probing leaves no trace");
	Ast *tree = parse_prompt(&f.ctx, front_text(&f, ":help me\n"));
	cr_expect_eq(tree->kid[0]->kind, AST_COMMAND);
	cr_expect_str_eq(intern_text(f.ctx.names, tree->kid[0]->text), ":help me");
	tree = parse_prompt(&f.ctx, front_text(&f, "f(2)"));
	cr_expect_eq(tree->kid[0]->kind, AST_CALL);
	front_close(&f);
}

Test(layout, tokens_and_gaps_make_up_the_text)
{
	Front f = front_open();
	const char *text = front_read(&f, "tests/parse/forms.pnn");
	cr_assert_not_null(text);
	char *out_text = NULL;
	size_t n = 0, at = 0;
	FILE *out = open_memstream(&out_text, &n);
	tokens_print(&f.ctx, 1, out);
	fclose(out);
	for (char *line = out_text; *line; line = strchr(line, '\n') + 1) {
		unsigned lo, hi;
		int name;
		cr_assert_eq(sscanf(line, "%u-%u %n", &lo, &hi, &name), 2, "%.40s", line);
		cr_expect_geq(lo, at);
		for (; at < lo; at++) {
			bool gap = strchr(" \t\n", text[at]) != NULL;
			cr_assert(gap || text[at] == '#', "the gap before byte %u holds `%c`", lo,
			          text[at]);
			while (!gap && text[at + 1] != '\n') {
				at++;
			}
		}
		at = hi;
	}
	free(out_text);
	front_close(&f);
}
