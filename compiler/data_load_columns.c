/* data_load_columns.c — several columns of a file as one array field: from "cg*", from "a".."z". */
#include "compiler/data_load_int.h"
#include <stdlib.h>
#include <string.h>

static const char *wanted(const Loading *l, const FieldInfo *f)
{
	return run_name(l->r, f->column ? f->column : f->name);
}

/* A column of just that name comes before the pattern. */
bool columns_several(const Loading *l, const FieldInfo *f, const RtTable *t)
{
	return f->source == SOURCE_COLUMN &&
	       (f->column_to || (strchr(wanted(l, f), '*') && !rt_table_column(t, wanted(l, f))));
}

/* Does the name fit the pattern, in which each * stands for any text? */
static bool fits(const char *pattern, const char *name)
{
	const char *star = NULL, *again = NULL;
	while (*name) {
		if (*pattern == '*') {
			star = pattern++;
			again = name;
		} else if (*pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star + 1;
			name = ++again;
		} else {
			return false;
		}
	}
	while (*pattern == '*') {
		pattern++;
	}
	return *pattern == 0;
}

/* Numbers of the columns, in the order of the file; *n is 0 after a diagnostic. */
static void find(Loading *l, const FieldInfo *f, const RtTable *t, size_t *which, size_t *n)
{
	const char *from = wanted(l, f), *to = f->column_to ? run_name(l->r, f->column_to) : NULL;
	size_t first = t->ncolumns, last = t->ncolumns;
	*n = 0;
	for (size_t k = 0; k < t->ncolumns; k++) {
		const char *name = t->column[k].name;
		if (!to && fits(from, name)) {
			which[(*n)++] = k;
		}
		first = to && strcmp(name, from) == 0 ? k : first;
		last = to && strcmp(name, to) == 0 ? k : last;
	}
	if (to && (first == t->ncolumns || last == t->ncolumns)) {
		no_column(l, f->span, t, first == t->ncolumns ? from : to);
		return;
	}
	for (size_t k = first; to && k <= last; k++) {
		which[(*n)++] = k;
	}
	if (*n == 0 && to) {
		diag_data_file(l->r->e->ctx.diags, f->span, l->path,
			       arena_printf(l->r->e->arena,
					    "column \"%s\" stands behind column \"%s\"", from, to));
	} else if (*n == 0) {
		no_column(l, f->span, t, from);
	}
}

static bool bad_entry(Loading *l, const FieldInfo *f, const RtColumn *c, size_t record,
		      const char *why)
{
	const char *where =
		arena_printf(l->r->e->arena, "column \"%s\", record %zu", c->name, record + 1);
	diag_data_value(l->r->e->ctx.diags, f->span, l->path, where, why);
	return false;
}

/* One number in each row, and none is missing unless such records are left out. */
static bool check(Loading *l, const FieldInfo *f, const RtTable *t, const RtColumn *c)
{
	if (c->ndim != 1 || c->offsets || c->shared) {
		return bad_entry(l, f, c, 0, "a range of columns takes one value from each");
	}
	if (c->type == RT_STRING) {
		size_t at = c->is_mixed ? c->first_word : 0;
		return bad_entry(l, f, c, at,
				 arena_printf(l->r->e->arena, "\"%.40s\" is not a number",
					      t->records ? c->values.string[at] : ""));
	}
	if (c->type == RT_REAL && c->has_missing && !l->d->complete) {
		return bad_entry(l, f, c, c->first_missing, "the value is missing or not finite");
	}
	return true;
}

const RtColumn *columns_joined(Loading *l, const FieldInfo *f, const RtTable *t, RtTable **own)
{
	size_t n = 0, *which = rt_alloc(t->ncolumns, sizeof *which);
	if (which) {
		find(l, f, t, which, &n);
	}
	double *value = n ? rt_alloc(t->records * n, sizeof *value) : NULL;
	bool ok = value != NULL;
	for (size_t k = 0; ok && k < n; k++) {
		const RtColumn *c = &t->column[which[k]];
		ok = check(l, f, t, c);
		for (size_t i = 0; ok && i < t->records; i++) {
			value[i * n + k] = c->type == RT_REAL ? c->values.real[i]
							      : (double)c->values.integer[i];
		}
	}
	RtTable *made = ok ? rt_table_new(t->format, t->records, 1) : NULL;
	if (made) {
		size_t dim[2] = {t->records, n};
		RtColumn all = {.type = RT_REAL, .values = {.real = value}};
		size_t *from = rt_alloc(t->records * n, sizeof *from);
		for (size_t i = 0; from && i < t->records * n; i++) {
			from[i] = i;
		}
		ok = from && rt_table_gather(made, wanted(l, f), &all, 2, dim, from);
		free(from);
	}
	if (!which || (n && !value) || (value && ok && !made)) {
		data_no_memory(l->r, l->d);
	}
	free(value);
	free(which);
	if (!ok || !made) {
		rt_table_free(made);
		return NULL;
	}
	*own = made;
	return &made->column[0];
}
