/* plot.c — carries out a plot statement: computes its values, gathers the figure and has it drawn,
 * or says why not. A figure that could not be drawn never ends a run. */
#include "compiler/plot.h"
#include "runtime/file.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static Plan *make_plan(Run *r, const Stmt *s, bool keep)
{
	const PlotInfo *p = &s->u.plot;
	PlanOutput *out = rt_alloc(p->nvalue, sizeof *out);
	if (!out) {
		diag_out_of_memory(r->e->ctx.diags, s->span, "a figure");
		return NULL;
	}
	for (uint32_t k = 0; k < p->nvalue; k++) {
		out[k] = (PlanOutput){p->value[k].value, 0};
	}
	Plan *plan = keep ? eval_cached(r, s, 0, p->nvalue, out) : eval_plan(r, p->nvalue, out);
	free(out);
	return plan;
}

Plan *plot_plan(Run *r, const Stmt *s)
{
	return make_plan(r, s, true);
}

/* ---- recorded tables ---- */

static const RecordTable *find_table(const Run *r, const PlotInfo *p)
{
	const char *name = run_name(r, p->record->u.record.table);
	for (size_t k = r->ntable; k-- > 0;) {
		const RecordTable *t = &r->table[k];
		if (t->stmt == p->record || (!t->stmt && strcmp(t->name, name) == 0) ||
		    (name[0] && strcmp(t->name, name) == 0)) {
			return t->rows ? t : NULL;
		}
	}
	return NULL;
}

static bool fill_column(Run *r, const PlotColumn *c, const RecordTable *t)
{
	const char *name = run_name(r, c->name);
	uint32_t at = 0;
	while (at < t->ncolumn && strcmp(t->column[at], name) != 0) {
		at++;
	}
	if (!eval_room(r, c->leaf)) {
		return false;
	}
	bool whole = core_def(r->core, c->leaf)->kind != KIND_REAL;
	for (size_t i = 0; i < t->rows; i++) {
		double v = at < t->ncolumn ? t->cell[i*t->ncolumn + at].real : NAN;
		if (whole) {
			store_int(r->store, c->leaf)[i] = (int64_t)v;
		} else {
			store_real(r->store, c->leaf)[i] = v;
		}
	}
	return true;
}

static bool fill_table(Run *r, const Stmt *s)
{
	const PlotInfo *p = &s->u.plot;
	const RecordTable *t = find_table(r, p);
	if (!t) {
		diag_not_drawn(r->e->ctx.diags, s->span,
			       p->path ? run_name(r, p->path) : "the figure",
			       "nothing was recorded in its table");
		return false;
	}
	core_axis_resize(r->core, p->rows, (int64_t)t->rows);
	bool ok = true;
	for (uint32_t k = 0; ok && k < p->ncolumn; k++) {
		ok = fill_column(r, &p->column[k], t);
	}
	return ok;
}

/* ---- the figure ---- */

static void gather(Run *r, Plan *plan, const PlotInfo *p, Figure *f)
{
	const PlotOptions *o = &p->option;
	*f = (Figure){.kind = p->kind, .option = o, .title = o->title};
	for (int k = 0; k < PLOT_DIRECTIONS; k++) {
		f->scale[k] = (PlotScale){
			.title = "", .lo = INFINITY, .hi = -INFINITY, .log = o->log_given && o->log[k]};
	}
	if (p->kind == PLOT_LINES || p->kind == PLOT_POINTS) {
		plot_lines(r, plan, p, f);
	} else if (p->kind == PLOT_HISTOGRAM) {
		plot_histogram(r, plan, p, f);
	} else {
		plot_field(r, plan, p, f);
	}
	for (int k = 0; k < PLOT_DIRECTIONS; k++) {
		f->scale[k].title = o->label[k] ? o->label[k] : f->scale[k].title;
		f->drawn = f->drawn && (f->scale[k].lo <= f->scale[k].hi || k == PLOT_Z);
	}
}

/* ---- files ---- */

static bool not_written(Run *r, const Stmt *s, const char *path, const RtError *err)
{
	diag_cannot_write(r->e->ctx.diags, s->span, path, run_reason(err));
	return false;
}

/* The commands as a file that gnuplot draws in its folder. */
static bool write_script(Run *r, const Stmt *s, const char *path, const char *figure,
			 const char *text)
{
	RtFile *file;
	RtError err;
	if (rt_file_begin(path, &file, &err) != RT_OK) {
		return not_written(r, s, path, &err);
	}
	FILE *out = rt_file_stream(file);
	const char *slash = strrchr(figure, '/');
	fputs("# drawn by:  gnuplot FILE\nset output ", out);
	plot_quote(out, slash ? slash + 1 : figure);
	fprintf(out, "\n%s", text);
	return rt_file_commit(file, &err) == RT_OK || not_written(r, s, path, &err);
}

static void undrawn(Run *r, const Stmt *s, const char *name, const char *why, bool kept)
{
	Diag *d = diag_not_drawn(r->e->ctx.diags, s->span, name, why);
	if (kept) {
		diag_help(d, "its commands and data were written: gnuplot %s.gp draws it", name);
	} else if (strstr(why, "not here")) {
		diag_help(d, "install gnuplot");
	}
}

/* What gnuplot made of the commands, open at its beginning; NULL with *why. */
static FILE *draw(Run *r, const char *script, size_t n, const char **why)
{
	FILE *made = tmpfile();
	*why = made ? plot_tool(r, script, n, made) : "there is no room for it";
	if (made && *why) {
		fclose(made);
		return NULL;
	}
	if (made) {
		rewind(made);
	}
	return made;
}

/* What was drawn, but for the date that PDF has in it: equal runs give equal files. */
static void copy(FILE *from, FILE *to)
{
	static const char date[] = "/CreationDate (D:";
	size_t matched = 0, digits = 0;
	for (int c; (c = getc(from)) != EOF; putc(c, to)) {
		if (digits) {
			c = c >= '0' && c <= '9' ? '0' : c;
			digits--;
		}
		matched = c == date[matched] ? matched + 1 : c == date[0];
		if (!date[matched]) {
			digits = 14;
			matched = 0;
		}
	}
	fclose(from);
}

static bool to_file(Run *r, const Stmt *s, const char *name, const char *script, size_t n)
{
	const char *path = engine_out_path(r->e, name);
	const char *beside = arena_printf(r->e->scratch, "%s.gp", path);
	bool keep = r->e->options.plots == PLOTS_KEEP || r->e->options.plots == PLOTS_SCRIPT;
	if (keep && !write_script(r, s, beside, path, script)) {
		return false;
	}
	if (r->e->options.plots == PLOTS_SCRIPT) {
		return true;
	}
	const char *why;
	FILE *made = draw(r, script, n, &why);
	if (!made) {
		bool kept = keep || write_script(r, s, beside, path, script);
		undrawn(r, s, name, why, kept);
		return kept;
	}
	RtFile *file;
	RtError err;
	if (rt_file_begin(path, &file, &err) != RT_OK) {
		fclose(made);
		return not_written(r, s, path, &err);
	}
	copy(made, rt_file_stream(file));
	return rt_file_commit(file, &err) == RT_OK || not_written(r, s, path, &err);
}

static void to_output(Run *r, const Stmt *s, const char *script, size_t n)
{
	const char *why;
	FILE *made = draw(r, script, n, &why);
	if (made) {
		copy(made, r->e->options.output);
	} else {
		undrawn(r, s, "the figure", why, false);
	}
}

/* A field as characters: gnuplot's own are not told apart. */
static bool field_text(Run *r, const Stmt *s, const char *name, const Figure *f)
{
	if (!name) {
		plot_text_field(f, r->e->options.output);
		return true;
	}
	RtFile *file;
	RtError err;
	const char *path = engine_out_path(r->e, name);
	if (rt_file_begin(path, &file, &err) != RT_OK) {
		return not_written(r, s, path, &err);
	}
	plot_text_field(f, rt_file_stream(file));
	return rt_file_commit(file, &err) == RT_OK || not_written(r, s, path, &err);
}

static bool output(Run *r, const Stmt *s, const Figure *f)
{
	const char *name = s->u.plot.path ? run_name(r, s->u.plot.path) : NULL;
	const char *dot = name ? strrchr(name, '.') : NULL, *ending = dot ? dot + 1 : "txt";
	bool commands = strcmp(ending, "gp") == 0;
	if (strcmp(ending, "txt") == 0 && f->nx) {
		return field_text(r, s, name, f);
	}
	char *script = NULL;
	size_t n;
	FILE *out = open_memstream(&script, &n);
	if (!out) {
		diag_out_of_memory(r->e->ctx.diags, s->span, "a figure");
		return false;
	}
	plot_script(r, f, commands ? "svg" : ending, out);
	bool ok = fclose(out) == 0;
	if (!ok) {
		diag_out_of_memory(r->e->ctx.diags, s->span, "a figure");
	} else if (commands) {
		const char *path = engine_out_path(r->e, name);
		const char *figure = arena_printf(r->e->scratch, "%.*ssvg",
						  (int)(strlen(path) - 2), path);
		ok = write_script(r, s, path, figure, script);
	} else if (name) {
		ok = to_file(r, s, name, script, n);
	} else {
		to_output(r, s, script, n);
	}
	free(script);
	return ok;
}

bool plot_run(Run *r, const Stmt *s)
{
	const PlotInfo *p = &s->u.plot;
	if (r->no_interaction || r->e->options.plots == PLOTS_NONE) {
		return true;
	}
	if (p->record && !fill_table(r, s)) {
		return diags_errors(r->e->ctx.diags) == 0;
	}
	ArenaMark mark = arena_mark(r->e->scratch);
	Plan *plan = make_plan(r, s, !p->record);
	bool ok = plan && eval_run(r, plan, 0);
	if (ok) {
		Figure f;
		gather(r, plan, p, &f);
		if (f.drawn) {
			ok = output(r, s, &f);
		} else {
			diag_not_drawn(r->e->ctx.diags, s->span,
				       p->path ? run_name(r, p->path) : "the figure",
				       "no value of it is finite");
		}
	}
	arena_release(r->e->scratch, mark);
	if (p->record) {
		plan_free(plan);
	}
	return ok;
}
