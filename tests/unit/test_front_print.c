/* test_front_print.c — the formatter: samples, idempotence, meaning kept. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <string.h>

#include "tests/unit/front_aid.h"

/* parse(fmt(x)) = parse(x) and fmt(fmt(x)) = fmt(x) for one text. */
static void check_text(const char *name, const char *text)
{
	Front f = front_open();
	Ast *tree = front_parse(&f, text);
	cr_assert_eq(diags_count(f.ctx.diags), 0, "%s: %s", name, front_render(&f, false));
	const char *printed = front_print(&f, tree);
	Ast *again = front_parse(&f, printed);
	cr_assert_eq(diags_count(f.ctx.diags), 0, "%s printed: %s", name, front_render(&f, false));
	cr_expect_str_eq(ast_text(f.arena, f.ctx.names, again),
	                 ast_text(f.arena, f.ctx.names, tree), "%s", name);
	cr_expect_str_eq(front_print(&f, again), printed, "%s", name);
	for (uint32_t i = 0; i < tree->nkid; i++) {
		const char *line = ast_text(f.arena, f.ctx.names, tree->kid[i]);
		Ast *one = front_parse(&f, line);
		cr_assert_eq(diags_count(f.ctx.diags), 0, "%s: %s: %s", name, line,
		             front_render(&f, false));
		cr_expect_str_eq(ast_text(f.arena, f.ctx.names, one), line);
	}
	front_close(&f);
}

static unsigned check_folder(const char *folder)
{
	unsigned n = 0;
	DIR *d = opendir(folder);
	struct dirent *entry;
	while (d && (entry = readdir(d))) {
		size_t length = strlen(entry->d_name);
		if (length > 4 && strcmp(entry->d_name + length - 4, ".pnn") == 0) {
			Front f = front_open();
			const char *path = arena_printf(f.arena, "%s/%s", folder, entry->d_name);
			check_text(path, front_read(&f, path));
			front_close(&f);
			n++;
		}
	}
	if (d) {
		closedir(d);
	}
	return n;
}

Test(fmt, samples_keep_their_meaning)
{
	cr_expect_geq(check_folder("tests/parse"), 9);
	cr_expect_geq(check_folder("examples"), 1);
	cr_expect_geq(check_folder("examples/bench"), 1);
	cr_expect_geq(check_folder("stdlib"), 1);
}

Test(fmt, canonical_form)
{
	static const struct {
		const char *text, *printed;
	} rows[] = {
		{"const  a=1+2 * 3", "const a = 1 + 2*3\n"},
		{"a =W[ i , j ]*h[ t - 1 ,j]", "a = W[i,j]*h[t-1, j]\n"},
		{"a = f( x,y )", "a = f(x, y)\n"},
		{"a = mean[ (x,t) in I ] u( x ,t )", "a = mean[(x,t) in I] u(x, t)\n"},
		{"param W:real[i,j]'m'~glorot", "param W : real[i, j] 'm' ~ glorot\n"},
		{"fn f(x:real,n:int=3)->real=x^n", "fn f(x: real, n: int = 3) -> real = x^n\n"},
		{"a=2'm'*x/3 'm'+ - b", "a = 2 'm' * x / 3 'm' + -b\n"},
		{"a = ∂ ² u / ∂ x ²", "a = ∂²u/∂x²\n"},
		{"a = partial u/partial x", "a = partial u/partial x\n"},
		{"a=[i->x[ i ]]", "a = [i -> x[i]]\n"},
		{"a=1\n\n\n\nb=2\n\n", "a = 1\n\nb = 2\n"},
		{"train f{\nminimize l\n\n}", "train f {\n  minimize l\n}\n"},
		{"a = 1 # one\nbcd = 2  # two\n", "a   = 1  # one\nbcd = 2  # two\n"},
		{"# only\n\n#  comments", "# only\n\n#  comments\n"},
		{"a = x\n      |> f\n|> g", "a = x\n  |> f\n  |> g\n"},
		{"a = f(x,\n y)\n", "a = f(x,\n  y)\n"},
		{"data d {\nx:real 'm' from \"a\"\nlong:real[k] from \"b\"\n}",
	         "data d {\n  x    : real 'm' from \"a\"\n  long : real[k]  from \"b\"\n}\n"},
		{"axis q=0..2^n - 1", "axis q = 0..2^n-1\n"},
		{"a=-b- -c", "a = -b - -c\n"},
		{"if a{b=1}else if c{d=2}", "if a { b = 1 } else if c { d = 2 }\n"},
		{"test a==b within 1e-9 for x in[0,1]",
	         "test a == b within 1e-9 for x in [0, 1]\n"},
		{"activation g(r;α,l)=r^l", "activation g(r; α, l) = r^l\n"},
		{"", ""},
		{"# x", "# x\n"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		Front f = front_open();
		Ast *tree = front_parse(&f, rows[i].text);
		cr_assert_eq(diags_count(f.ctx.diags), 0, "%s: %s", rows[i].text,
		             front_render(&f, false));
		cr_expect_str_eq(front_print(&f, tree), rows[i].printed);
		front_close(&f);
		check_text(rows[i].text, rows[i].text);
	}
}

Test(fmt, spelling_is_kept)
{
	static const char *const rows[] = {
		"a = sum[i] x[i]^2\n",
		"a = Σ[i] x[i]²\n",
		"a = ∂u/∂x + partial u/partial x\n",
		"µ = 0x1F + 1.50e+3\n",
		"print \"\\u{3b1}\", \"α\"\n",
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		Front f = front_open();
		cr_expect_str_eq(front_print(&f, front_parse(&f, rows[i])), rows[i]);
		front_close(&f);
	}
}
