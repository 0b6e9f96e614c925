/* test_run_engine.c — runs through the embeddable interface: exit codes, what has no value,
 * continuing to the same bits. */
#include "compiler/engine.h"
#include "compiler/run.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A stream that counts what is written and asks to stop at one write. */
typedef struct Counter {
	int writes, stop_at;
	volatile sig_atomic_t asked;
} Counter;

static ssize_t count_write(void *cookie, const char *bytes, size_t n)
{
	Counter *c = cookie;
	for (size_t k = 0; k < n; k++) {
		c->writes += bytes[k] == '\n';
	}
	if (c->stop_at && c->writes >= c->stop_at) {
		c->asked = 1;
	}
	return (ssize_t)n;
}

static FILE *counting(Counter *c)
{
	FILE *f = fopencookie(c, "w", (cookie_io_functions_t){.write = count_write});
	cr_assert_not_null(f);
	setvbuf(f, NULL, _IONBF, 0);
	return f;
}

typedef struct Result {
	int code;
	char *errors; /* malloc */
} Result;

static Result run_text(const char *text, const char *resume, const char *out, Counter *counter)
{
	Result result = {0, NULL};
	size_t n = 0;
	Counter none = {0, 0, 0};
	FILE *output = counting(counter ? counter : &none);
	FILE *error = open_memstream(&result.errors, &n);
	EngineOptions o = {.output = output,
			   .error = error,
			   .threads = 1,
			   .resume = resume,
			   .out_dir = out,
			   .save_seconds = 1e9,
			   .quiet = true,
			   .interrupted = counter ? &counter->asked : NULL};
	Engine *e = engine_create(&o);
	cr_assert_not_null(e);
	e->file = sources_add(e->ctx.sources, "test.pnn", text, strlen(text));
	if (engine_elaborate(e)) {
		Run *r = engine_run_state(e);
		cr_assert_not_null(r);
		result.code = run_program(r);
		run_finish(r);
	}
	engine_flush(e);
	result.code = engine_worse(result.code, e->worst);
	engine_free(e);
	fclose(output);
	fclose(error);
	return result;
}

static char *folder(void)
{
	static const char pattern[] = "/tmp/pnn_test_XXXXXX";
	char *path = malloc(sizeof pattern);
	memcpy(path, pattern, sizeof pattern);
	cr_assert_not_null(mkdtemp(path));
	return path;
}

static char *joined(const char *dir, const char *name)
{
	char *path = NULL;
	cr_assert(asprintf(&path, "%s/%s", dir, name) > 0);
	return path;
}

static char *content(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	cr_assert_not_null(f, "%s", path);
	char *bytes = malloc(1 << 20);
	*n = fread(bytes, 1, 1 << 20, f);
	fclose(f);
	return bytes;
}

Test(engine, exit_codes)
{
	const struct {
		const char *text;
		int code;
	} cases[] = {
		{"print 1\n", 0},
		{"assert 1 > 2\n", 1},
		{"print nothing_of_that_name\n", 3},
		{"data d from \"/nowhere/at/all.csv\" { x : real }\n", 4},
		{"param a : real = 1\nloss L = log(a)\ntrain t { minimize L; use gd(lr = 0.9) for "
		 "9 steps }\n",
		 5},
		{"param a : real = 1\nsave a to \"/nowhere/at/all\"\n", 6},
	};
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		Result r = run_text(cases[k].text, NULL, NULL, NULL);
		cr_assert_eq(r.code, cases[k].code, "case %zu gives %d: %s", k, r.code, r.errors);
		free(r.errors);
	}
}

Test(engine, worse_of_two_codes)
{
	cr_assert_eq(engine_worse(0, 1), 1);
	cr_assert_eq(engine_worse(1, 5), 5);
	cr_assert_eq(engine_worse(3, 4), 3);
	cr_assert_eq(engine_worse(70, 3), 70);
	cr_assert_eq(engine_worse(130, 1), 130);
	cr_assert_eq(engine_worse(0, 0), 0);
}

/* E0590 is our own mistake: nothing that is known gives it, but it must end with exit code 70. */
Test(engine, our_own_mistake_is_seventy)
{
	EngineOptions o = {.output = stdout, .error = tmpfile(), .threads = 1};
	Engine *e = engine_create(&o);
	diag_internal(e->ctx.diags, (Span){0}, "a definition reads itself");
	cr_assert_eq(engine_flush(e), 70);
	rewind(o.error);
	char line[256];
	cr_assert_not_null(fgets(line, sizeof line, o.error));
	cr_assert_not_null(strstr(line, "[E0590]"));
	engine_free(e);
	fclose(o.error);
}

static Program *add_line(Engine *e, const char *text)
{
	uint32_t file = sources_add(e->ctx.sources, "line", text, strlen(text)), n;
	Sym *stale;
	return elab_line(e->elab, parse_prompt(&e->ctx, file), &n, &stale);
}

/* At a prompt the next line goes on after a data set that could not be loaded; reading it is E0412.
 */
Test(engine, what_failed_has_no_value)
{
	char *errors = NULL;
	size_t n = 0;
	FILE *error = open_memstream(&errors, &n), *sink = tmpfile();
	EngineOptions o = {.output = sink, .error = error, .threads = 1, .embedded_values = true};
	Engine *e = engine_create(&o);
	Run *r = engine_run_state(e);
	add_line(e, "data d from \"/nowhere.csv\" { x : real }\n");
	cr_assert_eq(run_program(r), 4);
	e->worst = 0;
	add_line(e, "print 1\n");
	cr_assert_eq(run_program(r), 0, "the next line is not harmed");
	add_line(e, "print sum[s in d] s.x\n");
	cr_assert_eq(run_program(r), 4);
	fflush(error);
	cr_assert_not_null(strstr(errors, "[E0412]"));
	engine_free(e);
	fclose(error);
	fclose(sink);
	free(errors);
}

static const char program[] =
	"axis h = 5\n"
	"data d = simulate(60) {\n  x : real ~ uniform(-2, 2)\n  y : real = sin(3*x)\n}\n"
	"net f(x: real) -> real = [x] |> dense[h] |> tanh |> readout\n"
	"domain D { x in [-2, 2] }\n"
	"points P = sobol(D, n = 16, redraw = 3)\n"
	"loss fit = mean[s in d] (f(s.x) - s.y)^2\n"
	"loss size = mean[x in P] f(x)^2\n"
	"sweep k in 1..2, seed in 1..2 {\n"
	"  reset f with seed = seed\n"
	"  train t {\n"
	"    minimize fit + 0.01*k*size\n"
	"    use adam(lr = 1e-2, batch = 16 of d) for 9 steps\n"
	"    use lbfgs(memory = 3) for 6 steps\n"
	"    use momentum(lr = 1e-3) for 7 steps\n"
	"    print step every 1 steps\n"
	"  }\n"
	"  let e = fit\n"
	"  record err = e to \"errors.csv\"\n"
	"  if e < 0.5 { print \"good\" } else { print \"bad\" }\n"
	"}\n"
	"save f to \"final.safetensors\"\n";

/* Stopped after any of its steps and continued, a run ends with the same bytes in its files. */
Test(engine, continued_runs_have_the_same_bits, .timeout = 120)
{
	char *whole = folder(), *want_path = joined(whole, "final.safetensors"),
	     *table_path = joined(whole, "errors.csv");
	Counter lines = {0, 0, 0};
	Result r = run_text(program, NULL, whole, &lines);
	cr_assert_eq(r.code, 0, "%s", r.errors);
	free(r.errors);
	cr_assert_gt(lines.writes, 80);
	size_t n, ntable;
	char *want = content(want_path, &n), *table = content(table_path, &ntable);
	for (int stop = 1; stop < lines.writes; stop += 3) {
		char *part = folder(), *check = joined(part, "check"),
		     *got_path = joined(part, "final.safetensors");
		Counter first = {0, stop, 0}, second = {0, 0, 0};
		Result a = run_text(program, check, part, &first);
		cr_assert_eq(a.code, 130, "stopped at line %d: %d %s", stop, a.code, a.errors);
		Result b = run_text(program, check, part, &second);
		cr_assert_eq(b.code, 0, "continued after line %d: %s", stop, b.errors);
		cr_assert_eq(first.writes + second.writes, lines.writes,
			     "every line once, stopped at %d", stop);
		size_t m;
		char *got = content(got_path, &m);
		cr_assert(m == n && memcmp(got, want, n) == 0,
			  "parameters differ, stopped at line %d", stop);
		free(got);
		free(got_path);
		got_path = joined(part, "errors.csv");
		got = content(got_path, &m);
		cr_assert(m == ntable && memcmp(got, table, m) == 0,
			  "tables differ, stopped at line %d", stop);
		free(got);
		free(got_path);
		free(a.errors);
		free(b.errors);
		free(check);
		free(part);
	}
	free(want);
	free(table);
	free(want_path);
	free(table_path);
	free(whole);
}

/* A checkpoint of a program that changed is refused with what differs; nothing runs. */
Test(engine, another_program_is_refused)
{
	char *dir = folder(), *check = joined(dir, "check");
	Result r = run_text("axis n = 3\nparam a : real[n] = 1\nprint a\n", check, dir, NULL);
	cr_assert_eq(r.code, 0);
	free(r.errors);
	Counter lines = {0, 0, 0};
	r = run_text("axis n = 4\nparam a : real[n] = 1\nprint a\n", check, dir, &lines);
	cr_assert_eq(r.code, 4);
	cr_assert_not_null(strstr(r.errors, "[E0408]"));
	cr_assert_not_null(strstr(r.errors, "a is [3] there and [4] here"), "%s", r.errors);
	cr_assert_eq(lines.writes, 0);
	free(r.errors);
	r = run_text("axis n = 3\nparam a : real[n] = 1\nprint 2*a\n", check, dir, &lines);
	cr_assert_not_null(strstr(r.errors, "changed since"), "%s", r.errors);
	free(r.errors);
	free(check);
	free(dir);
}
