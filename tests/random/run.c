/* run.c — runs a random program and compares what it prints with what it means. */
#include "tests/random/random.h"

#include <ctype.h>
#include <fcntl.h>
#include <math.h>
#include <quadmath.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- running ---- */

static char *file_text(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;
	if (!f || getdelim(&text, &size, 0, f) < 0) {
		free(text);
		text = strdup("");
	}
	if (f) {
		fclose(f);
	}
	return text;
}

Result run_program(const Runner *r, const char *program, const char *threads, const char *backend, const char *precision)
{
	char output[4200];
	Result result = {NULL, 0};
	snprintf(output, sizeof output, "%s/output", r->folder);
	pid_t child = fork();
	if (child == 0) {
		struct rlimit cpu = {20, 20}, memory = {UINT64_C(4) << 30, UINT64_C(4) << 30};
		setrlimit(RLIMIT_CPU, &cpu);
		setrlimit(RLIMIT_AS, &memory);
		int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (fd < 0 || chdir(r->folder) != 0) {
			_exit(127);
		}
		dup2(fd, 1);
		dup2(fd, 2);
		execl(r->pnnc, r->pnnc, "run", "-q", "--threads", threads, "--backend", backend, "--precision", precision, program, (char *)NULL);
		_exit(127);
	}
	int status = 0;
	waitpid(child, &status, 0);
	result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	result.text = file_text(output);
	return result;
}

/* ---- what was printed ---- */

/* The numbers behind "@12v ", in order; labels before numbers are skipped. */
static size_t printed(const char *text, unsigned id, char part, double *out, size_t room)
{
	char tag[32];
	size_t n = 0;
	snprintf(tag, sizeof tag, "@%u%c ", id, part);
	const char *at = strstr(text, tag);
	if (!at) {
		return 0;
	}
	for (at += strlen(tag); *at && *at != '@' && n < room;) {
		unsigned char c = (unsigned char)*at;
		if (isalpha(c) || c >= 0x80 || c == '_') {
			const char *word = at;
			while (isalnum((unsigned char)*at) || (unsigned char)*at >= 0x80 || *at == '_') {
				at++;
			}
			bool number = *at != ':' && (strncmp(word, "nan", 3) == 0 || strncmp(word, "inf", 3) == 0 || strncmp(word, "∞", 3) == 0);
			if (number) {
				out[n++] = NAN;
			}
		} else if (isdigit(c) || c == '-') {
			char *end;
			out[n] = strtod(at, &end);
			n += end != at;
			at = end != at ? end : at + 1;
		} else {
			at++;
		}
	}
	return n;
}

/* ---- what is meant ---- */

typedef struct Meant {
	size_t n;
	Num *value;
	Quad *condition;
} Meant;

/* Is this place of the stored array on its axes? Bases beside the axes are not printed. */
static bool next_element(const Array *a, size_t *offset)
{
	for (; *offset < a->size; ++*offset) {
		size_t rest = *offset;
		bool on = true;
		for (unsigned k = a->naxes; k-- > 0;) {
			size_t extent = (size_t)a->axis[k]->size + a->below[k] + a->above[k], at = rest % extent;
			rest /= extent;
			on = on && at >= a->below[k] && at < a->below[k] + (size_t)a->axis[k]->size;
		}
		if (on) {
			return true;
		}
	}
	return false;
}

static size_t want_values(Eval *e, const Want *w, Num *out)
{
	size_t n = 0;
	if (w->node) {
		out[0] = eval_node(e, w->node);
		return 1;
	}
	for (size_t k = 0; next_element(w->array, &k); k++) {
		out[n++] = w->array->value[k];
	}
	return n;
}

/* False if the decisions taken depend on rounding. */
static bool mean(Gen *g, Meant *meant)
{
	uint64_t signature = 0;
	Num *value = malloc(4096*sizeof *value);
	bool ok = true;
	for (unsigned pass = 0; pass < 5; pass++) {
		if (pass > 1 && pass < 4 && g->smooth) {
			continue; /* difference quotients take their time */
		}
		Eval e = {.jitter = pass == 4 ? 1e-9 : pass ? 1e-12 : 0, .jitter_seed = pass};
		eval_program(&e, g);
		for (unsigned k = 0; k < g->nwant; k++) {
			e.where = 0;
			size_t n = want_values(&e, &g->want[k], value);
			Meant *m = &meant[k];
			if (pass == 0) {
				m->n = n;
				m->value = gen_alloc(g, n*sizeof *m->value);
				m->condition = gen_alloc(g, n*sizeof *m->condition);
				memcpy(m->value, value, n*sizeof *value);
			}
			for (size_t j = 0; pass && j < n; j++) {
				Quad off = (fabsq(value[j].re - m->value[j].re) + fabsq(value[j].im - m->value[j].im))/(Quad)e.jitter;
				m->condition[j] = off > m->condition[j] ? off : m->condition[j];
			}
		}
		signature = pass ? signature : e.signature;
		ok = ok && e.signature == signature && !e.lost;
	}
	free(value);
	return ok;
}

/* ---- comparing ---- */

bool run_failed(Runner *r, Gen *g, const char *style, const Result *result, const char *program, const char *format, ...)
{
	char from[4200], to[4300];
	va_list args;
	snprintf(from, sizeof from, "%s/%s", r->folder, program);
	snprintf(to, sizeof to, "%s/seed%llu-%s.pnn", r->folder, (unsigned long long)g->seed, style);
	FILE *f = fopen(to, "w");
	char *text = file_text(from);
	va_start(args, format);
	printf("FAILED %s: ", to);
	vprintf(format, args);
	printf("\n");
	va_end(args);
	if (f) {
		va_start(args, format);
		fprintf(f, "# seed %llu, %s: ", (unsigned long long)g->seed, style);
		vfprintf(f, format, args);
		fprintf(f, "\n# SEED=%llu N=1 tests/check_random.sh makes and tries it again\n%s", (unsigned long long)g->seed, text);
		va_end(args);
		fclose(f);
	}
	if (result->status) {
		const char *message = strstr(result->text, "error[");
		printf("%.500s\n", message ? message : result->text);
	}
	free(text);
	fflush(stdout);
	return false;
}

static double part_of(Num v, char part)
{
	return (double)(part == 'i' ? v.im : v.re);
}

static void tally(Runner *r, const Want *w, double error)
{
	r->compared++;
	r->worst = error > r->worst ? error : r->worst;
	if (w->order < sizeof r->count/sizeof *r->count) {
		r->count[w->order]++;
		r->error[w->order] = error > r->error[w->order] ? error : r->error[w->order];
	}
}

static bool compare_part(Runner *r, Gen *g, const Want *w, const Meant *m, const Result *result, const char *style, const char *program,
	char part)
{
	double value[4096];
	size_t n = printed(result->text, w->id, part, value, 4096);
	if (n != m->n) {
		return run_failed(r, g, style, result, program, "@%u%c has %zu numbers, not %zu", w->id, part, n, m->n);
	}
	for (size_t k = 0; k < n; k++) {
		double wanted = part_of(m->value[k], part);
		Quad size = fabsq(m->value[k].re) + fabsq(m->value[k].im) + m->condition[k] + (w->order ? 1e-3Q : 0);
		if (m->condition[k] > 1e7Q*(1 + fabsq(m->value[k].re)) || !isfinite(wanted)) {
			r->dropped++;
			continue;
		}
		double off = (double)(fabsq((Quad)value[k] - (part == 'i' ? m->value[k].im : m->value[k].re))/(size + 1e-300Q));
		double within = w->order ? 1e-9 : 1e-12;
		if (!(off <= within)) {
			return run_failed(r, g, style, result, program, "@%u%c number %zu is %.17g, not %.17g (%s, condition %.3g)", w->id, part, k,
				value[k], wanted, w->what ? w->what : "value", (double)(m->condition[k]/(size + 1e-300Q)));
		}
		tally(r, w, off);
		if (r->keep && off > 1e-13) { printf("seed %llu @%u order %u off %.2e value %.17g wanted %.17g cond %.3g\n", (unsigned long long)g->seed, w->id, w->order, off, value[k], wanted, (double)m->condition[k]); }
	}
	return true;
}

static bool compare(Runner *r, Gen *g, const Meant *meant, const Result *result, const char *style, const char *program)
{
	bool ok = true;
	for (unsigned k = 0; ok && k < g->nwant; k++) {
		const Want *w = &g->want[k];
		if (w->array && w->array->kind == KIND_COMPLEX) {
			ok = compare_part(r, g, w, &meant[k], result, style, program, 'r')
				&& compare_part(r, g, w, &meant[k], result, style, program, 'i');
		} else {
			ok = compare_part(r, g, w, &meant[k], result, style, program, 'v');
		}
	}
	return ok;
}

/* Values that only the run knows: fields that are drawn. */
static void take_drawn(Gen *g, const Result *result)
{
	for (unsigned k = 0; k < g->nwant; k++) {
		Array *a = g->want[k].array;
		double value[64];
		if (a && a->drawn && printed(result->text, g->want[k].id, 'v', value, 64) == a->size) {
			for (size_t j = 0; j < a->size; j++) {
				bool inside = value[j] >= a->draw_lo && value[j] <= a->draw_hi;
				a->value[j].re = inside ? (Quad)value[j] : (Quad)NAN;
			}
		}
	}
}

static void csv_path(const Runner *r, const Gen *g, const Data *d, char *path, size_t size)
{
	snprintf(path, size, "%s/s%llu_%u.csv", r->folder, (unsigned long long)g->seed, d->id);
}

/* Tables are kept beside programs that failed. */
static void remove_tables(const Runner *r, const Gen *g)
{
	char path[4200];
	for (unsigned k = 0; k < g->ndata; k++) {
		csv_path(r, g, g->data[k], path, sizeof path);
		remove(path);
	}
}

static void write_case(const Runner *r, Gen *g, const Style *style, const char *program)
{
	char path[4200];
	snprintf(path, sizeof path, "%s/%s", r->folder, program);
	FILE *f = fopen(path, "w");
	if (!f) {
		perror(path);
		exit(2);
	}
	text_program(g, style, f);
	fclose(f);
	for (unsigned k = 0; k < g->ndata; k++) {
		if (g->data[k]->form == DATA_CSV) {
			csv_path(r, g, g->data[k], path, sizeof path);
			f = fopen(path, "w");
			if (f) {
				text_csv(g, g->data[k], f);
				fclose(f);
			}
		}
	}
}

static bool same_bits(Runner *r, Gen *g, const Result *a, const Result *b, const char *style, const char *program)
{
	double x[4096], y[4096];
	for (unsigned k = 0; k < g->nwant; k++) {
		static const char part[] = "vri";
		for (unsigned p = 0; p < 3; p++) {
			size_t n = printed(a->text, g->want[k].id, part[p], x, 4096), m = printed(b->text, g->want[k].id, part[p], y, 4096);
			if (n != m || (n && memcmp(x, y, n*sizeof *x) != 0)) {
				return run_failed(r, g, style, b, program, "@%u%c has other bits than in the plain run", g->want[k].id, part[p]);
			}
		}
	}
	return true;
}

bool run_ended(Runner *r, Gen *g, const Result *result, const char *style, const char *program)
{
	return result->status == 0 || run_failed(r, g, style, result, program, "exit %d", result->status);
}

static bool try_styles(Runner *r, Gen *g, const Meant *meant, const Result *plain)
{
	static const Style renamed = {.names = 1}, other = {.split = true, .shuffle = true, .seed = 3};
	Result two = run_program(r, "plain.pnn", "2", "interpret", "f64");
	bool ok = run_ended(r, g, &two, "threads", "plain.pnn") && same_bits(r, g, plain, &two, "threads", "plain.pnn");
	free(two.text);
	write_case(r, g, &renamed, "renamed.pnn");
	Result named = run_program(r, "renamed.pnn", "1", "interpret", "f64");
	ok = run_ended(r, g, &named, "renamed", "renamed.pnn") && same_bits(r, g, plain, &named, "renamed", "renamed.pnn") && ok;
	free(named.text);
	write_case(r, g, &other, "split.pnn");
	Result split = run_program(r, "split.pnn", "1", "interpret", "f64");
	bool drawn = false; /* another order of lines draws other numbers */
	for (unsigned k = 0; k < g->nwant; k++) {
		drawn = drawn || (g->want[k].array && g->want[k].array->drawn);
	}
	ok = run_ended(r, g, &split, "split", "split.pnn") && (drawn || !meant || compare(r, g, meant, &split, "split", "split.pnn")) && ok;
	free(split.text);
	return ok;
}

/* Compiled: the same values; the same bits with any number of threads. */
static bool try_compiled(Runner *r, Gen *g, const Meant *meant)
{
	static const char *const threads[] = {"2", "3", "7"};
	Result one = run_program(r, "plain.pnn", "1", "jit", "f64");
	bool ok = run_ended(r, g, &one, "compiled", "plain.pnn") && (!meant || compare(r, g, meant, &one, "compiled", "plain.pnn"));
	for (unsigned k = 0; ok && k < sizeof threads/sizeof *threads; k++) {
		Result more = run_program(r, "plain.pnn", threads[k], "jit", "f64");
		ok = run_ended(r, g, &more, "compiled-threads", "plain.pnn")
			&& same_bits(r, g, &one, &more, "compiled-threads", "plain.pnn");
		free(more.text);
	}
	free(one.text);
	return ok;
}

bool run_case(Runner *r, Gen *g, bool styles)
{
	static const Style plain = {0};
	Meant *meant = gen_alloc(g, (g->nwant + 1)*sizeof *meant);
	write_case(r, g, &plain, "plain.pnn");
	Result result = run_program(r, "plain.pnn", "1", "interpret", "f64");
	bool ok = run_ended(r, g, &result, "plain", "plain.pnn");
	if (ok) {
		take_drawn(g, &result);
		bool sure = mean(g, meant);
		r->dropped += sure ? 0 : g->nwant;
		ok = !sure || compare(r, g, meant, &result, "plain", "plain.pnn");
		if (ok && styles) {
			ok = try_styles(r, g, sure ? meant : NULL, &result);
		}
		if (r->compiled && g->seed % r->compiled == 0) {
			ok = try_compiled(r, g, sure ? meant : NULL) && ok;
		}
	}
	free(result.text);
	if (ok) {
		remove_tables(r, g);
	}
	return ok;
}
