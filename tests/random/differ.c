/* differ.c — random models interpreted and compiled: texts are equal, numbers nearly; compiled they say the same bytes
 * with any number of threads, and trained in single precision come nearly to the same values. */
#include "tests/random/random.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Off {
	double worst, a, b; /* greatest difference, of these numbers */
	unsigned long numbers;
	char line[64];      /* where */
	bool text;          /* words differ */
} Off;

/* A number begins here: "-1.5e-3", "nan", "inf"; not the digits of a name. */
static bool number_at(const char *text, const char *at)
{
	bool word = at > text && (isalnum((unsigned char)at[-1]) || at[-1] == '_');
	at += *at == '-';
	return !word && (isdigit((unsigned char)*at) || strncmp(at, "nan", 3) == 0 || strncmp(at, "inf", 3) == 0);
}

/* The values of one line belong together: differences count against the largest of them. */
static double line_size(const char *text, const char *at)
{
	double size = 0;
	while (*at && *at != '\n') {
		char *end = NULL;
		double v = number_at(text, at) ? strtod(at, &end) : 0;
		size = fabs(v) > size && isfinite(v) ? fabs(v) : size;
		at = end ? end : at + 1;
	}
	return size;
}

/* Compares two outputs; `floor` is added to the size of each line. */
static Off texts_off(const char *a, const char *b, double floor)
{
	Off off = {0};
	const char *x = a, *y = b, *line = a;
	double size = line_size(a, a) + floor;
	while (*x && *y) {
		if (number_at(a, x) && number_at(b, y)) {
			char *ex, *ey;
			double v = strtod(x, &ex), w = strtod(y, &ey), d = v == w || (isnan(v) && isnan(w)) ? 0 : fabs(v - w)/size;
			off.numbers++;
			if (!(d <= off.worst)) {
				off.worst = isnan(d) ? INFINITY : d;
				off.a = v;
				off.b = w;
				snprintf(off.line, sizeof off.line, "%.*s", (int)strcspn(line, "[\n") % 60, line);
			}
			x = ex;
			y = ey;
			continue;
		}
		if (*x != *y) {
			off.text = true;
			snprintf(off.line, sizeof off.line, "%.*s", (int)strcspn(line, "[\n") % 60, line);
			return off;
		}
		if (*x == '\n') {
			line = x + 1;
			size = line_size(a, line) + floor;
		}
		x++;
		y++;
	}
	off.text = *x != *y;
	return off;
}

static bool near(Runner *r, Gen *g, const Result *a, const Result *b, const char *style, double floor, double limit)
{
	Off off = texts_off(a->text, b->text, floor);
	if (off.text) {
		return run_failed(r, g, style, b, "model.pnn", "other words than interpreted in the line \"%s\"", off.line);
	}
	if (!(off.worst <= limit)) {
		return run_failed(r, g, style, b, "model.pnn", "%.17g where interpreted %.17g in the line \"%s\" (off by %.2g)", off.b, off.a,
			off.line, off.worst);
	}
	r->compared += off.numbers;
	r->worst = off.worst > r->worst && limit < 1e-6 ? off.worst : r->worst;
	return true;
}

static bool same_bytes(Runner *r, Gen *g, const Result *one, const char *precision)
{
	static const char *const threads[] = {"2", "3", "7"};
	bool ok = true;
	for (unsigned k = 0; ok && k < 3; k++) {
		Result more = run_program(r, "model.pnn", threads[k], "jit", precision);
		ok = run_ended(r, g, &more, "threads", "model.pnn");
		if (ok && strcmp(one->text, more.text) != 0) {
			ok = run_failed(r, g, "threads", &more, "model.pnn", "%s threads give other bytes than one, %s", threads[k], precision);
		}
		free(more.text);
	}
	return ok;
}

/* What the program says, without warnings of single precision. */
static void cut_warnings(Result *result)
{
	char *at = strstr(result->text, "values ");
	if (at) {
		memmove(result->text, at, strlen(at) + 1);
	}
}

bool run_model(Runner *r, Gen *g)
{
	char path[4200];
	snprintf(path, sizeof path, "%s/model.pnn", r->folder);
	FILE *f = fopen(path, "w");
	if (!f) {
		perror(path);
		exit(2);
	}
	model_text(g, f);
	fclose(f);
	Result plain = run_program(r, "model.pnn", "1", "interpret", "f64"), wide = {NULL, 0}, single = {NULL, 0};
	/* a training that does not converge, or a loss that some sizes leave without a parameter */
	bool useless = plain.status == 5 || (plain.status == 3 && strstr(plain.text, "error[E0301]"));
	bool ok = useless || run_ended(r, g, &plain, "interpreted", "model.pnn");
	r->dropped += useless;
	if (ok && !useless) {
		wide = run_program(r, "model.pnn", "1", "jit", "f64");
		single = run_program(r, "model.pnn", "1", "jit", "f32");
		ok = run_ended(r, g, &wide, "compiled", "model.pnn") && near(r, g, &plain, &wide, "compiled", 1e-3, 1e-9)
			&& same_bytes(r, g, &wide, "f64") && run_ended(r, g, &single, "single", "model.pnn")
			&& same_bytes(r, g, &single, "f32");
		if (ok) {
			cut_warnings(&single);
			ok = near(r, g, &plain, &single, "single", 1, 2e-2);
		}
	}
	free(plain.text);
	free(wide.text);
	free(single.text);
	return ok;
}
