/* data_load_rows.c — which rows of a table become records, and how: where, by … at, complete. Stage
 * in: the table of a file. Stage out: a table with one row for each record; with `by` its columns
 * are those of the fields that are read, in their order, and the column that names the groups. */
#include "compiler/data_load_int.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- where ---- */

static const RtColumn *plain_column(Loading *l, Span at, const RtTable *t, Sym name)
{
	const RtColumn *c = rt_table_column(t, run_name(l->r, name));
	if (!c) {
		no_column(l, at, t, run_name(l->r, name));
	} else if (c->ndim != 1 || c->offsets || c->shared) {
		diag_data_file(l->r->e->ctx.diags, at, l->path,
			       arena_printf(l->r->e->arena,
					    "column \"%s\" has not one value in each row",
					    c->name));
		c = NULL;
	}
	return c;
}

/* Numbers are compared with numbers and texts with texts; "" asks whether a cell is empty. */
static bool check_test(Loading *l, const RtTable *t, const RowTest *test)
{
	if (test->op <= ROW_NOT) {
		return check_test(l, t, test->a) && (!test->b || check_test(l, t, test->b));
	}
	const RtColumn *c = plain_column(l, test->span, t, test->column);
	if (!c) {
		return false;
	}
	const char *text = test->is_text ? run_name(l->r, test->text) : "";
	if ((c->type == RT_STRING) == test->is_text || (test->is_text && !text[0])) {
		return true;
	}
	Diag *d = diag_data_value(l->r->e->ctx.diags, test->span, l->path,
				  arena_printf(l->r->e->arena, "column \"%s\"", c->name),
				  test->is_text ? "it holds numbers, and this is a text"
						: "it holds texts, and this is a number");
	if (c->is_mixed) {
		diag_remark(d, "%s has the first cell that is no number", c->word_where);
	}
	return false;
}

static double number_at(const RtColumn *c, size_t i)
{
	return c->type == RT_REAL ? c->values.real[i] : (double)c->values.integer[i];
}

static bool missing(const RtColumn *c, size_t i)
{
	return c->type == RT_STRING ? !c->values.string[i][0]
	       : c->type == RT_REAL ? !isfinite(c->values.real[i])
				    : false;
}

static bool holds(const Loading *l, const RtTable *t, const RowTest *test, size_t row)
{
	if (test->op == ROW_NOT) {
		return !holds(l, t, test->a, row);
	}
	if (test->op == ROW_AND || test->op == ROW_OR) {
		bool a = holds(l, t, test->a, row);
		return a == (test->op == ROW_OR) ? a : holds(l, t, test->b, row);
	}
	const RtColumn *c = rt_table_column(t, run_name(l->r, test->column));
	if (test->is_text) {
		const char *text = run_name(l->r, test->text);
		bool same = text[0] ? strcmp(c->values.string[row], text) == 0 : missing(c, row);
		return same == (test->op == ROW_EQ);
	}
	double v = number_at(c, row), w = test->number;
	switch (test->op) {
	case ROW_EQ:
		return v == w;
	case ROW_NE:
		return v != w && !missing(c, row);
	case ROW_LT:
		return v < w;
	case ROW_LE:
		return v <= w;
	case ROW_GT:
		return v > w;
	default:
		return v >= w;
	}
}

/* ---- by ---- */

typedef struct Groups {
	const RtColumn *key;
	size_t n, *of, *first; /* number of the group of each row; its first row */
} Groups;

static int compare_keys(const RtColumn *c, size_t a, size_t b)
{
	if (c->type == RT_STRING) {
		return strcmp(c->values.string[a], c->values.string[b]);
	}
	double x = number_at(c, a), y = number_at(c, b);
	return isnan(x) || isnan(y) ? isnan(x) - isnan(y) : (x > y) - (x < y);
}

static int compare_rows(const void *pa, const void *pb, void *key)
{
	size_t a = *(const size_t *)pa, b = *(const size_t *)pb;
	int c = compare_keys(key, a, b);
	return c ? c : (a > b) - (a < b);
}

/* Groups in the order in which the file first has them. */
static bool find_groups(Loading *l, const RtTable *t, Groups *g)
{
	size_t n = t->records, *row = rt_alloc(n, sizeof *row);
	g->key = plain_column(l, l->d->span, t, l->d->by);
	g->of = rt_alloc(n, sizeof *g->of);
	g->first = rt_alloc(n, sizeof *g->first);
	if (!row || !g->of || !g->first || !g->key) {
		free(row);
		return g->key ? data_no_memory(l->r, l->d) : false;
	}
	for (size_t i = 0; i < n; i++) {
		row[i] = i;
	}
	qsort_r(row, n, sizeof *row, compare_rows, (void *)(uintptr_t)g->key);
	for (size_t i = 0, first = 0; i < n; i++) {
		first = i > 0 && compare_keys(g->key, row[i - 1], row[i]) == 0 ? first : row[i];
		g->of[row[i]] = first;
	}
	for (size_t i = 0; i < n; i++) {
		if (g->of[i] == i) {
			g->first[g->n] = i;
			g->of[i] = g->n++;
		} else {
			g->of[i] = g->of[g->of[i]];
		}
	}
	free(row);
	return true;
}

static const char *cell_text(Loading *l, const RtColumn *c, size_t row)
{
	return c->type == RT_STRING
		       ? arena_printf(l->r->e->arena, "\"%.60s\"", c->values.string[row])
		       : arena_printf(l->r->e->arena, "%.17g", number_at(c, row));
}

static bool wrong(Loading *l, const FieldInfo *f, const RtColumn *key, size_t row, const char *why,
		  const char *help)
{
	const char *where = arena_printf(l->r->e->arena, "the records with \"%s\" = %s", key->name,
					 cell_text(l, key, row));
	Diag *d = diag_data_value(l->r->e->ctx.diags, f->span, l->path, where, why);
	if (help) {
		diag_help(d, "%s", help);
	}
	return false;
}

/* The place that a cell names on the axis: its label value or its label; -1 beside the axis. */
static bool place_of(Loading *l, const FieldInfo *f, const RtColumn *at, size_t row,
		     const AxisInfo *axis, int64_t *place)
{
	*place = -1;
	if (at->type == RT_STRING) {
		for (uint32_t k = 0; k < axis->nlabel; k++) {
			if (strcmp(run_name(l->r, axis->label[k]), at->values.string[row]) == 0) {
				*place = k;
			}
		}
		return axis->nlabel || wrong(l, f, at, row, "the axis has no labels", NULL);
	}
	double v = number_at(at, row);
	if (!isfinite(v) || v != floor(v)) {
		return wrong(l, f, at, row, "this names no place of an axis", NULL);
	}
	if (v >= (double)axis->first && v < (double)axis->first + (double)axis->size) {
		*place = (int64_t)v - axis->first;
	}
	return true;
}

static bool same_cell(const RtColumn *c, size_t a, size_t b)
{
	if (missing(c, a) || missing(c, b)) {
		return missing(c, a) && missing(c, b);
	}
	return c->type == RT_STRING ? strcmp(c->values.string[a], c->values.string[b]) == 0
				    : number_at(c, a) == number_at(c, b);
}

/* from[group, place]: the row that gives the cell of a field. */
static bool pivot(Loading *l, const FieldInfo *f, const RtTable *t, const Groups *g,
		  const RtColumn *c, size_t width, size_t *from)
{
	Core *core = l->r->core;
	const RtColumn *at = f->at ? plain_column(l, f->span, t, f->at) : NULL;
	if (f->at && !at) {
		return false;
	}
	const AxisInfo *axis =
		at ? core_axis_info(core, core_index_axis(core, core_def(core, f->leaf)->index[1]))
		   : NULL;
	for (size_t i = 0; i < g->n * width; i++) {
		from[i] = RT_NOWHERE;
	}
	for (size_t i = 0; i < t->records; i++) {
		int64_t place = 0;
		if (at && !place_of(l, f, at, i, axis, &place)) {
			return false;
		}
		size_t *to = place < 0 ? NULL : &from[g->of[i] * width + (size_t)place];
		if (to && *to != RT_NOWHERE && !same_cell(c, *to, i)) {
			return wrong(
				l, f, g->key, i,
				arena_printf(l->r->e->arena,
					     "column \"%s\" is %s in one row and %s in another",
					     c->name, cell_text(l, c, *to), cell_text(l, c, i)),
				at ? NULL
				   : "give it an axis and say which column holds the place:  x "
				     ": real[year] from \"x\" at \"year\"");
		}
		if (to && *to == RT_NOWHERE) {
			*to = i;
		}
	}
	return true;
}

/* ---- complete ---- */

/* A record is missing an entry of the column. */
static void note_missing(const RtColumn *c, size_t records, bool *gap)
{
	size_t width = records ? c->count / records : 0;
	for (size_t i = 0; i < c->count; i++) {
		gap[i / width] = gap[i / width] || missing(c, i);
	}
}

/* Without `complete` a gap is a mistake of the data: which one, in the words of the file. */
static bool no_gaps(Loading *l, const FieldInfo *f, const Groups *g, const RtColumn *c)
{
	size_t width = g->n ? c->count / g->n : 0;
	for (size_t i = 0; i < c->count; i++) {
		if (!missing(c, i)) {
			continue;
		}
		const char *at = "";
		if (f->at) {
			Core *core = l->r->core;
			Axis axis = core_index_axis(core, core_def(core, f->leaf)->index[1]);
			at = arena_printf(l->r->e->arena, " at \"%s\" = %lld",
					  run_name(l->r, f->at),
					  (long long)core_axis_info(core, axis)->first +
						  (long long)(i % width));
		}
		return wrong(l, f, g->key, g->first[i / width],
			     arena_printf(l->r->e->arena, "there is no \"%s\"%s", c->name, at),
			     "complete  behind  by  leaves out the records that miss a value");
	}
	return true;
}

static bool reads_file(const FieldInfo *f)
{
	return f->source != SOURCE_DERIVED;
}

/* One column of the grouped table; false after a diagnostic. */
static bool group_field(Loading *l, const FieldInfo *f, const RtTable *t, const Groups *g,
			RtTable *made)
{
	const RtColumn *c = plain_column(l, f->span, t, f->column ? f->column : f->name);
	if (!c) {
		return false;
	}
	size_t dim[2] = {g->n, f->at ? (size_t)data_leaf_size(l->r, f->leaf, 1) : 1};
	size_t *from = rt_alloc(dim[0] * dim[1], sizeof *from);
	if (!from) {
		return data_no_memory(l->r, l->d);
	}
	bool ok = pivot(l, f, t, g, c, dim[1], from);
	const RtColumn *to =
		ok ? rt_table_gather(made, c->name, c, f->at ? 2 : 1, dim, from) : NULL;
	free(from);
	if (ok && !to) {
		return data_no_memory(l->r, l->d);
	}
	return ok && (l->d->complete || no_gaps(l, f, g, to));
}

static RtTable *group(Loading *l, const RtTable *t)
{
	Groups g = {0};
	DataInfo *d = l->d;
	RtTable *made = NULL;
	bool ok = find_groups(l, t, &g);
	if (ok) {
		made = rt_table_new(t->format, g.n, d->nfield + 1);
		ok = made || data_no_memory(l->r, d);
	}
	for (uint32_t k = 0; ok && k < d->nfield; k++) {
		ok = !reads_file(&d->field[k]) || group_field(l, &d->field[k], t, &g, made);
	}
	ok = ok && (rt_table_gather(made, g.key->name, g.key, 1, &g.n, g.first) ||
		    data_no_memory(l->r, d));
	free(g.of);
	free(g.first);
	if (!ok) {
		rt_table_free(made);
		return NULL;
	}
	return made;
}

/* ---- all of it ---- */

/* What is left of the table when rows are left out; the old one is freed. NULL after a diagnostic.
 */
static RtTable *keep(Loading *l, RtTable *t, const size_t *row, size_t n, const char *why)
{
	RtTable *kept = n ? rt_table_select(t, row, n) : NULL;
	if (!n) {
		diag_remark(diag_data_empty(l->r->e->ctx.diags, l->d->span, l->path), "%s", why);
	} else if (!kept) {
		data_no_memory(l->r, l->d);
	}
	rt_table_free(t);
	return kept;
}

static RtTable *keep_where(Loading *l, RtTable *t, size_t *row)
{
	size_t n = 0;
	if (!check_test(l, t, l->d->where)) {
		rt_table_free(t);
		return NULL;
	}
	for (size_t i = 0; i < t->records; i++) {
		if (holds(l, t, l->d->where, i)) {
			row[n++] = i;
		}
	}
	return keep(l, t, row, n, "no row fulfils the condition behind where");
}

static bool find_gaps(Loading *l, const RtTable *t, bool *gap)
{
	for (uint32_t k = 0, j = 0; k < l->d->nfield; k++) {
		const FieldInfo *f = &l->d->field[k];
		if (!reads_file(f)) {
			continue;
		}
		RtTable *own = NULL;
		const RtColumn *c = l->d->by ? &t->column[j++] : field_column(l, f, t, &own);
		if (c && !c->offsets && !c->shared && c->ndim && c->dim[0] == t->records) {
			note_missing(c, t->records, gap);
		}
		rt_table_free(own);
		if (!c) {
			return false;
		}
	}
	return true;
}

static RtTable *keep_complete(Loading *l, RtTable *t, size_t *row)
{
	size_t n = 0, all = t->records;
	bool *gap = rt_alloc(all, sizeof *gap);
	bool ok = gap ? find_gaps(l, t, gap) : data_no_memory(l->r, l->d);
	for (size_t i = 0; ok && i < all; i++) {
		if (!gap[i]) {
			row[n++] = i;
		}
	}
	free(gap);
	if (!ok) {
		rt_table_free(t);
		return NULL;
	}
	if (l->r->e->options.verbose) {
		fprintf(l->r->e->options.error, "data %s: %zu of %zu records are complete\n",
			run_name(l->r, l->d->name), n, all);
	}
	return keep(l, t, row, n, "every record misses some value");
}

/* Ragged and shared columns have no rows. */
static bool has_rows(Loading *l, const RtTable *t)
{
	for (size_t k = 0; k < t->ncolumns; k++) {
		if (t->column[k].offsets || t->column[k].shared) {
			diag_data_file(l->r->e->ctx.diags, l->d->span, l->path,
				       "where, by and complete take tables with a value of every "
				       "column in every row");
			return false;
		}
	}
	return true;
}

RtTable *rows_arrange(Run *r, DataInfo *d, const char *path, RtTable *t)
{
	if (!d->where && !d->by && !d->complete) {
		return t;
	}
	Loading l = {.r = r, .d = d, .path = path, .records = t->records};
	size_t *row = rt_alloc(t->records, sizeof *row);
	if (!row || !has_rows(&l, t)) {
		rt_table_free(t);
		if (!row) {
			data_no_memory(r, d);
		}
		free(row);
		return NULL;
	}
	if (d->where) {
		t = keep_where(&l, t, row);
	}
	if (t && d->by) {
		RtTable *grouped = group(&l, t);
		rt_table_free(t);
		t = grouped;
	}
	if (t && d->complete) {
		t = keep_complete(&l, t, row);
	}
	free(row);
	return t;
}
