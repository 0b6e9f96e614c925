/* cmd_eval.c — values of expressions in a program: once, or for every row of a table. */
#include "compiler/cmd.h"
#include "compiler/data_load.h"
#include "compiler/run_int.h"
#include "compiler/weights.h"
#include "runtime/array.h"
#include <stdlib.h>
#include <string.h>

static const Ast *parse_text(Engine *e, const char *text)
{
	uint32_t file = sources_add(e->ctx.sources, "-e", text, strlen(text));
	return parse_expression(&e->ctx, file);
}

static bool show_one(Engine *e, const char *text)
{
	const Ast *ast = parse_text(e, text);
	Value v;
	const char *type;
	if (!ast || !elab_expression(e->elab, ast, &v, &type) || !run_prepare(e->run)) {
		return false;
	}
	return run_show(e->run, &v, e->options.output);
}

/* ---- a table in, a table out ---- */

typedef struct Rewrite {
	Engine *e;
	const RtTable *table;
	bool *used; /* by column */
	Span *span; /* of names that are columns */
	size_t n, room;
} Rewrite;

static int column_number(const Rewrite *w, Sym name)
{
	for (size_t k = 0; k < w->table->ncolumns; k++) {
		if (strcmp(w->table->column[k].name, intern_text(w->e->ctx.names, name)) == 0) {
			return (int)k;
		}
	}
	return -1;
}

/* Names of columns, except where a function is called by that name. As deep as the parser allows.
 */
static void find_names(Rewrite *w, const Ast *a)
{
	int column = a->kind == AST_NAME ? column_number(w, a->name) : -1;
	if (column >= 0) {
		w->used[column] = true;
		ARENA_PUSH(w->e->arena, w->span, w->n, w->room, a->span);
	}
	for (uint32_t k = 0; k < a->nkid; k++) {
		if (a->kid[k] && !(a->kind == AST_CALL && k == 0 && a->kid[k]->kind == AST_NAME)) {
			find_names(w, a->kid[k]);
		}
	}
}

static int compare_spans(const void *a, const void *b)
{
	const Span *x = a, *y = b;
	return (x->lo > y->lo) - (x->lo < y->lo);
}

/* "[row in csv_rows -> u(row.x, row.t)]" of "u(x, t)". */
static const char *row_expression(Rewrite *w, const Ast *ast, const char *text)
{
	char *out = NULL;
	size_t n = 0, at = 0;
	FILE *f = open_memstream(&out, &n);
	if (!f) {
		return NULL;
	}
	w->n = 0;
	find_names(w, ast);
	if (w->n) {
		qsort(w->span, w->n, sizeof *w->span, compare_spans);
	}
	fputs("[csv_row in csv_rows -> ", f);
	for (size_t k = 0; k < w->n; k++) {
		fprintf(f, "%.*scsv_row.%.*s", (int)(w->span[k].lo - at), text + at,
			(int)(w->span[k].hi - w->span[k].lo), text + w->span[k].lo);
		at = w->span[k].hi;
	}
	fprintf(f, "%s]", text + at);
	fclose(f);
	const char *copy = out ? arena_strdup(w->e->arena, out) : NULL;
	free(out);
	return copy;
}

/* Declares the used columns as a data set of the program. */
static bool declare_rows(Rewrite *w, const char *path)
{
	const char *fields = "";
	for (size_t k = 0; k < w->table->ncolumns; k++) {
		const char *name = w->table->column[k].name;
		if (w->used[k]) {
			fields = arena_printf(w->e->arena, "%s  %s : real from \"%s\"\n", fields,
					      name, name);
		}
	}
	const char *text =
		arena_printf(w->e->arena, "data csv_rows from \"%s\" {\n%s}\n", path, fields);
	uint32_t file = sources_add(w->e->ctx.sources, path, text, strlen(text)), nstale;
	Sym *stale;
	const Ast *ast = parse_file(&w->e->ctx, file);
	if (diags_errors(w->e->ctx.diags)) {
		return false;
	}
	elab_line(w->e->elab, ast, &nstale, &stale);
	return diags_errors(w->e->ctx.diags) == 0 && run_prepare(w->e->run);
}

static bool one_column(Rewrite *w, const char *text, size_t rows, RtCsvColumn *out)
{
	Engine *e = w->e;
	const Ast *ast = parse_text(e, text);
	Value v;
	const char *type;
	if (!ast || !elab_expression(e->elab, ast, &v, &type)) {
		return false;
	}
	size_t n;
	if (!v.value || !eval_count(e->run, v.value, &n) || n != rows ||
	    core_def(e->run->core, v.value)->nindex != 1) {
		diag_usage(e->ctx.diags, ast->span,
			   "with --csv every expression must be one number for each row");
		return false;
	}
	PlanOutput o = {v.value, 0};
	Plan *plan = eval_plan(e->run, 1, &o);
	bool ok = plan && eval_run(e->run, plan, 0);
	double *value = arena_array(e->arena, double, rows);
	for (size_t k = 0; ok && k < rows; k++) {
		value[k] = eval_real(e->run, plan, 0, v.value, k);
	}
	plan_free(plan);
	out->real = value;
	return ok;
}

static bool eval_table(CmdLine *c, Engine *e)
{
	RtTable *table;
	RtError err;
	if (rt_table_load(c->csv, NULL, &table, &err) != RT_OK) {
		run_rt_error(e->run, (Span){0}, &err);
		return false;
	}
	Rewrite w = {.e = e, .table = table};
	w.used = arena_array(e->arena, bool, table->ncolumns + 1);
	const char **row = arena_array(e->arena, const char *, (size_t)c->nexpression + 1);
	RtCsvColumn *column =
		arena_array(e->arena, RtCsvColumn, table->ncolumns + (size_t)c->nexpression + 1);
	bool ok = true;
	for (int k = 0; ok && k < c->nexpression; k++) {
		const Ast *ast = parse_text(e, c->expression[k]);
		row[k] = ast ? row_expression(&w, ast, c->expression[k]) : NULL;
		ok = row[k] != NULL;
	}
	ok = ok && declare_rows(&w, c->csv);
	size_t n = 0;
	for (size_t k = 0; ok && k < table->ncolumns; k++) {
		const RtColumn *col = &table->column[k];
		if (w.used[k] && col->type == RT_REAL) {
			column[n++] = (RtCsvColumn){.name = col->name, .real = col->values.real};
		} else if (w.used[k] && col->type == RT_INT) {
			column[n++] =
				(RtCsvColumn){.name = col->name, .integer = col->values.integer};
		}
	}
	for (int k = 0; ok && k < c->nexpression; k++) {
		column[n].name = c->expression[k];
		ok = one_column(&w, row[k], table->records, &column[n++]);
	}
	if (ok) {
		rt_csv_print(e->options.output, column, n, table->records);
	}
	rt_table_free(table);
	return ok;
}

int cmd_eval(CmdLine *c)
{
	if (!c->nexpression) {
		return cmd_usage(c, "eval needs at least one -e EXPRESSION");
	}
	int code;
	Engine *e = cmd_open(c, 0, &code);
	if (!e) {
		return code;
	}
	Run *r = engine_run_state(e);
	bool ok = r && run_prepare(r);
	if (ok && c->weights) {
		ok = weights_load(r, (Span){0}, c->weights, e->program->nparam, e->program->param);
	}
	if (ok && c->csv) {
		eval_table(c, e);
	}
	for (int k = 0; ok && !c->csv && k < c->nexpression; k++) {
		show_one(e, c->expression[k]);
	}
	return cmd_close(e, 0);
}
