/* train_report.c — what a training says while it runs: one line that is redrawn on a terminal, one
 * line per phase otherwise, and an event per step in the file of events. */
#include "compiler/train_int.h"
#include <math.h>
#include <time.h>

#define REDRAW_SECONDS 0.1

double train_clock(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static bool silent(const Training *tr)
{
	return tr->r->e->options.quiet || tr->r->no_interaction;
}

static size_t count_numbers(const Training *tr)
{
	size_t n = 0;
	for (uint32_t k = 0; k < tr->nfree; k++) {
		n += store_count(tr->r->store, tr->update[k]->param->leaf);
	}
	return n;
}

void report_begin(Training *tr)
{
	tr->phase_started = train_clock();
	tr->last_shown = 0;
	tr->shown_step = tr->step;
	FILE *f = tr->r->e->options.error;
	if (silent(tr)) {
		return;
	}
	fflush(tr->r->e->options.output);
	size_t n = count_numbers(tr);
	fprintf(f, "train %s: %s, %zu number%s", run_name(tr->r, tr->t->name),
		run_name(tr->r, tr->phase->name), n, n == 1 ? "" : "s");
	int64_t limit;
	if (step_limit(tr, &limit)) {
		fprintf(f, ", %lld step%s", (long long)limit, limit == 1 ? "" : "s");
	}
	if (tr->batches.of) {
		fprintf(f, ", batches of %zu from %zu", tr->batches.size, tr->batches.records);
	}
	fputs(tr->resumed ? ", continued\n" : "\n", f);
}

static void print_state(const Training *tr, FILE *f)
{
	fprintf(f, "loss %.5g", tr->loss);
	for (uint32_t k = 0; k < tr->phase->nterm && tr->phase->nterm > 1; k++) {
		fprintf(f, "  %s %.4g", run_name(tr->r, tr->phase->term[k].name), tr->term[k]);
	}
	fprintf(f, "  grad %.3g", tr->norm);
}

static void print_duration(FILE *f, double s)
{
	if (s >= 3600) {
		fprintf(f, "%.0f h %02.0f min", floor(s / 3600), floor(fmod(s, 3600) / 60));
	} else if (s >= 60) {
		fprintf(f, "%.0f min %02.0f s", floor(s / 60), floor(fmod(s, 60)));
	} else {
		fprintf(f, "%.1f s", s);
	}
}

static void show_progress(Training *tr, double now)
{
	FILE *f = tr->r->e->options.error;
	int64_t limit;
	double rate = (double)(tr->step - tr->shown_step) / (now - tr->phase_started);
	fprintf(f, "\r\033[K%s %s %lld", run_name(tr->r, tr->t->name),
		run_name(tr->r, tr->phase->name), (long long)tr->step);
	if (step_limit(tr, &limit)) {
		fprintf(f, "/%lld  %.3g/s  ", (long long)limit, rate);
		print_duration(f, (double)(limit - tr->step) / rate);
		fputs(" left  ", f);
	} else {
		fprintf(f, "  %.3g/s  ", rate);
	}
	print_state(tr, f);
	fflush(f);
	tr->last_shown = now;
}

static void step_event(Training *tr, double now)
{
	RtMetrics *m = tr->r->metrics;
	metrics_begin(m, "step");
	metrics_string(m, "train", run_name(tr->r, tr->t->name));
	metrics_string(m, "phase", run_name(tr->r, tr->phase->name));
	metrics_int(m, "step", tr->total);
	metrics_real(m, "seconds", now - tr->started);
	metrics_real(m, "loss", tr->loss);
	metrics_nest(m, "terms");
	for (uint32_t k = 0; k < tr->phase->nterm; k++) {
		metrics_real(m, run_name(tr->r, tr->phase->term[k].name), tr->term[k]);
	}
	metrics_close(m);
	metrics_real(m, "grad", tr->norm);
	run_event_end(tr->r);
}

void report_step(Training *tr)
{
	bool progress = tr->r->e->options.terminal && !silent(tr);
	if (!tr->r->metrics && !progress) {
		return;
	}
	double now = train_clock();
	if (tr->r->metrics) {
		step_event(tr, now);
	}
	if (progress && now - tr->last_shown >= REDRAW_SECONDS) {
		show_progress(tr, now);
	}
}

void report_end(Training *tr, const char *why)
{
	FILE *f = tr->r->e->options.error;
	if (silent(tr)) {
		return;
	}
	fflush(tr->r->e->options.output);
	bool terminal = tr->r->e->options.terminal;
	fprintf(f, "%strain %s: %s, step %lld, ", terminal ? "\r\033[K" : "",
		run_name(tr->r, tr->t->name), run_name(tr->r, tr->phase->name),
		(long long)tr->step);
	print_state(tr, f);
	if (terminal || tr->r->e->options.verbose) {
		fputs(", ", f);
		print_duration(f, train_clock() - tr->phase_started);
	}
	fprintf(f, "%s%s\n", why[0] ? ", " : "", why);
}
