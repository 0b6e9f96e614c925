/* data_load_file.c — a data set from its file: columns found by name and unit, shapes settled,
 * fields filled. */
#include "compiler/data_load_int.h"
#include "lang/unit.h"
#include <stdlib.h>
#include <string.h>

/* A field whose source ends in .npy is a file of its own. */
static bool own_file(const char *source)
{
	size_t n = strlen(source);
	return n > 4 && strcmp(source + n - 4, ".npy") == 0;
}

/* A header may end in a unit, "T [K]" or "T (K)": how long the name before it is; the unit in
 * unit[room]. 0: it has none. */
static size_t name_length(const char *header, char *unit, size_t room)
{
	size_t n = strlen(header);
	char close = n ? header[n - 1] : 0, open = close == ']' ? '[' : close == ')' ? '(' : 0;
	const char *at = open ? strrchr(header, open) : NULL;
	size_t length = at ? (size_t)(header + n - 1 - at - 1) : 0;
	if (!at || length == 0 || length >= room) {
		return 0;
	}
	memcpy(unit, at + 1, length);
	unit[length] = 0;
	while (at > header && at[-1] == ' ') {
		at--;
	}
	return (size_t)(at - header);
}

enum { UNIT_TEXT = 64 };

void no_column(Loading *l, Span at, const RtTable *t, const char *name)
{
	const char **names = arena_array(l->r->e->arena, const char *, t->ncolumns + 1);
	const char *list = "";
	for (size_t k = 0; k < t->ncolumns; k++) {
		char unit[UNIT_TEXT];
		size_t bare = name_length(t->column[k].name, unit, sizeof unit);
		names[k] = bare ? arena_printf(l->r->e->arena, "%.*s", (int)bare, t->column[k].name)
				: t->column[k].name;
		if (k < 12) {
			list = arena_printf(l->r->e->arena, "%s%s\"%s\"", list, k ? ", " : "",
					    t->column[k].name);
		}
	}
	Diag *d = diag_data_column(l->r->e->ctx.diags, at, name, l->path);
	const char *near = diag_nearest(name, names, t->ncolumns);
	if (near) {
		diag_help(d, "did you mean  \"%s\" ?", near);
	}
	diag_remark(d, "its columns are %s%s", list, t->ncolumns > 12 ? ", …" : "");
}

/* The column "name [unit]" for a field that asks for "name". */
static const RtColumn *column_with_unit(const RtTable *t, const char *name)
{
	char unit[UNIT_TEXT];
	for (size_t k = 0; k < t->ncolumns; k++) {
		size_t n = name_length(t->column[k].name, unit, sizeof unit);
		if (n && strlen(name) == n && memcmp(t->column[k].name, name, n) == 0) {
			return &t->column[k];
		}
	}
	return NULL;
}

/* What values of the column are multiplied by, when its header names a unit: that of the field or
 * one of its dimension. */
static bool unit_scale(Loading *l, const FieldInfo *f, const RtColumn *col, double *scale)
{
	char text[UNIT_TEXT];
	UnitTable *units = l->r->program->units;
	*scale = 1;
	if (f->source != SOURCE_COLUMN || f->kind != KIND_REAL ||
	    !name_length(col->name, text, sizeof text)) {
		return true;
	}
	const char *why = NULL;
	UnitId unit = unit_parse(units, text, &why);
	if (why) {
		return true; /* brackets around something else than a unit */
	}
	if (!unit_same_dimension(units, unit, f->unit)) {
		const char *want = unit_text(units, f->unit);
		Diag *d = diag_data_unit(l->r->e->ctx.diags, f->span, run_name(l->r, f->name), text,
					 want[0] ? want : "1");
		diag_remark(d, "column \"%s\" of %s", col->name, l->path);
		return false;
	}
	*scale = unit_factor(units, unit, f->unit);
	return true;
}

static bool scale_field(Loading *l, const FieldInfo *f, const RtColumn *col)
{
	double scale;
	if (!unit_scale(l, f, col, &scale)) {
		return false;
	}
	double *v = scale != 1 ? store_real(l->r->store, f->leaf) : NULL;
	for (size_t k = 0; v && k < store_count(l->r->store, f->leaf); k++) {
		v[k] *= scale;
	}
	return true;
}

const RtColumn *field_column(Loading *l, const FieldInfo *f, const RtTable *t, RtTable **own)
{
	Run *r = l->r;
	const char *name = run_name(r, f->column ? f->column : f->name);
	if (own_file(name)) {
		RtError err;
		const char *path = engine_in_path(r->e, name);
		if (rt_table_load(path, NULL, own, &err) != RT_OK) {
			run_rt_error(r, f->span, &err);
			return NULL;
		}
		return &(*own)->column[0];
	}
	if (columns_several(l, f, t)) {
		return columns_joined(l, f, t, own);
	}
	const RtColumn *col = rt_table_column(t, name);
	col = col ? col : column_with_unit(t, name);
	if (!col && t->format == RT_NPY) {
		col = &t->column[0];
	}
	if (!col) {
		no_column(l, f->span, t, name);
	}
	return col;
}

static bool from_formula(const FieldInfo *f)
{
	return f->source == SOURCE_DERIVED;
}

/* Sizes of the axes sized by record: the largest length met. */
static bool settle_ragged(Loading *l)
{
	for (uint32_t k = 0; k < l->d->nragged; k++) {
		int64_t largest = -1;
		for (size_t i = 0; i < l->records; i++) {
			largest = l->length[k][i] > largest ? l->length[k][i] : largest;
		}
		if (largest < 0) {
			diag_data_file(l->r->e->ctx.diags, l->d->span, l->path,
				       "no field says how long the axes sized by each record are");
			return false;
		}
		data_resize(l->r, l->d->ragged[k], (size_t)largest);
	}
	return true;
}

static bool load_fields(Loading *l, const RtTable *t, const RtColumn **col, RtTable **own)
{
	DataInfo *d = l->d;
	for (uint32_t k = 0, j = 0; k < d->nfield; k++) {
		const FieldInfo *f = &d->field[k];
		if (!from_formula(f)) {
			col[k] = l->grouped ? &t->column[j++] : field_column(l, f, t, &own[k]);
			if (!col[k] || !field_match(l, f, col[k])) {
				return false;
			}
		}
	}
	if (!settle_ragged(l) || !data_make_room(l->r, d)) {
		return false;
	}
	for (uint32_t k = 0; k < d->nfield; k++) {
		const FieldInfo *f = &d->field[k];
		bool onehot = f->source == SOURCE_ONEHOT;
		if (col[k] && !((onehot ? field_fill_onehot : field_fill)(l, f, col[k]) &&
				scale_field(l, f, col[k]))) {
			return false;
		}
		store_touch(l->r->store, f->leaf);
	}
	data_fill_lengths(l->r, d, l->length);
	return d->late || data_compute(l->r, d, false);
}

static bool load_into(Run *r, DataInfo *d, const char *path, const RtTable *t)
{
	Loading l = {.r = r, .d = d, .path = path, .records = t->records, .grouped = d->by != 0};
	const RtColumn **col = rt_alloc(d->nfield, sizeof *col);
	RtTable **own = rt_alloc(d->nfield, sizeof *own);
	l.length = rt_alloc(d->nragged, sizeof *l.length);
	bool ok = col && own && l.length;
	for (uint32_t k = 0; ok && k < d->nragged; k++) {
		l.length[k] = rt_alloc(l.records, sizeof **l.length);
		ok = l.length[k] != NULL;
		for (size_t i = 0; ok && i < l.records; i++) {
			l.length[k][i] = -1;
		}
	}
	if (!ok) {
		data_no_memory(r, d);
	}
	data_resize(r, d->records, l.records);
	ok = ok && load_fields(&l, t, col, own);
	for (uint32_t k = 0; l.length && k < d->nragged; k++) {
		free(l.length[k]);
	}
	for (uint32_t k = 0; own && k < d->nfield; k++) {
		rt_table_free(own[k]);
	}
	free(l.length);
	free(own);
	free(col);
	return ok;
}

bool data_load_table(Run *r, DataInfo *d)
{
	const char *given = run_name(r, d->path);
	if (!given[0] && d->has_simulate) {
		return data_simulate(r, d);
	}
	if (!given[0]) {
		diag_help(diag_data_file(r->e->ctx.diags, d->span, run_name(r, d->name),
					 "no file is named"),
			  "name one by --set, or say  else simulate(n)");
		return false;
	}
	const char *path = engine_in_path(r->e, given);
	RtTable *t;
	RtError err;
	if (rt_table_load(path, NULL, &t, &err) != RT_OK) {
		run_rt_error(r, d->span, &err);
		return false;
	}
	if (t->records == 0) {
		diag_data_empty(r->e->ctx.diags, d->span, path);
		rt_table_free(t);
		return false;
	}
	t = rows_arrange(r, d, path, t);
	if (!t) {
		return false;
	}
	if (!load_into(r, d, path, t)) {
		rt_table_free(t);
		return false;
	}
	return data_remember(r, d, t, path);
}
