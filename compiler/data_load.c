/* data_load.c — every data set of a program into its leaves, in order: a file, a simulation, points, or a part.
 * Invariant: a set is in the state's list once all its leaves have values. */
#include "compiler/data_load.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "compiler/data_load_int.h"
#include "lang/unit.h"

const LoadedSet *data_loaded(const Run *r, const DataInfo *d)
{
	for (size_t k = 0; r->data && k < r->data->n; k++) {
		if (r->data->set[k].info == d) {
			return &r->data->set[k];
		}
	}
	return NULL;
}

size_t data_records(const Run *r, const DataInfo *d)
{
	int64_t n = core_axis_info(r->core, d->records)->size;
	return n < 0 ? 0 : (size_t)n;
}

int64_t data_leaf_size(const Run *r, Def leaf, uint32_t k)
{
	Index i = core_def(r->core, leaf)->index[k];
	return core_axis_info(r->core, core_index_axis(r->core, i))->size;
}

const char *data_leaf_shape(const Run *r, Def leaf, uint32_t from)
{
	const char *text = "[";
	for (uint32_t k = from; k < core_def(r->core, leaf)->nindex; k++) {
		int64_t n = data_leaf_size(r, leaf, k);
		const char *comma = k > from ? "," : "";
		text = n < 0 ? arena_printf(r->e->arena, "%s%s*", text, comma)
		             : arena_printf(r->e->arena, "%s%s%lld", text, comma, (long long)n);
	}
	return arena_printf(r->e->arena, "%s]", text);
}

const char *data_column_shape(const Run *r, const RtColumn *col, unsigned from)
{
	const char *text = "[";
	for (unsigned k = from; k < col->ndim; k++) {
		text = arena_printf(r->e->arena, "%s%s%zu", text, k > from ? "," : "", col->dim[k]);
	}
	return arena_printf(r->e->arena, "%s]", text);
}

int ragged_number(const Run *r, const DataInfo *d, Def leaf, uint32_t k)
{
	Axis a = core_index_axis(r->core, core_def(r->core, leaf)->index[k]);
	for (uint32_t j = 0; j < d->nragged; j++) {
		if (d->ragged[j] == a) {
			return (int)j;
		}
	}
	return -1;
}

static bool no_memory(Run *r, const DataInfo *d)
{
	diag_out_of_memory(r->e->ctx.diags, d->span, run_name(r, d->name));
	return false;
}

/* A set that is filled; without a path it failed to be. */
static bool remember(Run *r, DataInfo *d, RtTable *table, const char *path)
{
	if (!r->data) {
		r->data = calloc(1, sizeof *r->data);
	}
	void *items = r->data ? r->data->set : NULL;
	if (!r->data || !rt_grow(&items, &r->data->room, r->data->n + 1, sizeof *r->data->set)) {
		rt_table_free(table);
		return no_memory(r, d);
	}
	r->data->set = items;
	r->data->set[r->data->n++] = (LoadedSet){d, table, path, path == NULL};
	if (path && r->e->options.verbose) {
		fprintf(r->e->options.error, "data %s: %zu records, %u fields, %s%s\n", run_name(r, d->name),
		        data_records(r, d), d->nfield, path[0] ? "from " : "made by the program", path);
	}
	return true;
}

bool data_failed(const Run *r, Def leaf)
{
	for (size_t k = 0; r->data && k < r->data->n; k++) {
		const DataInfo *d = r->data->set[k].info;
		for (uint32_t j = 0; r->data->set[k].failed && j < d->nfield; j++) {
			if (d->field[j].leaf == leaf) {
				return true;
			}
		}
	}
	return false;
}

void data_free(Run *r)
{
	for (size_t k = 0; r->data && k < r->data->n; k++) {
		rt_table_free(r->data->set[k].table);
	}
	if (r->data) {
		free(r->data->set);
	}
	free(r->data);
	r->data = NULL;
}

static void resize(Run *r, Axis a, size_t n)
{
	if (core_axis_info(r->core, a)->size != (int64_t)n) {
		core_axis_resize(r->core, a, (int64_t)n);
		eval_forget(r);
	}
}

/* Room for all fields and the lengths of axes sized by record; their sizes are known. */
static bool make_room(Run *r, DataInfo *d)
{
	for (uint32_t k = 0; k < d->nfield; k++) {
		if (!eval_room(r, d->field[k].leaf)) {
			return false;
		}
	}
	for (uint32_t k = 0; k < d->nragged; k++) {
		Def length = core_axis_info(r->core, d->ragged[k])->length;
		if (length && !eval_room(r, length)) {
			return false;
		}
	}
	return true;
}

static void fill_lengths(Run *r, const DataInfo *d, int64_t *const *length)
{
	for (uint32_t k = 0; k < d->nragged; k++) {
		const AxisInfo *a = core_axis_info(r->core, d->ragged[k]);
		Def leaf = a->length;
		int64_t size = a->size;
		if (!leaf) {
			continue;
		}
		int64_t *out = store_int(r->store, leaf);
		for (size_t i = 0; i < store_count(r->store, leaf); i++) {
			out[i] = length && length[k] ? length[k][i] : size;
		}
		store_touch(r->store, leaf);
	}
}

/* ---- from the program itself ------------------------------------------------------------------------------------- */

static bool simulate(Run *r, DataInfo *d)
{
	if (d->simulate <= 0) {
		diag_data_empty(r->e->ctx.diags, d->span, run_name(r, d->name));
		return false;
	}
	resize(r, d->records, (size_t)d->simulate);
	for (uint32_t k = 0; k < d->nfield; k++) {
		const FieldInfo *f = &d->field[k];
		if (!f->formula) {
			diag_help(diag_no_simulation(r->e->ctx.diags, f->span, run_name(r, f->name)),
			          "write  = value  or  ~ distribution  behind it");
			return false;
		}
	}
	for (uint32_t k = 0; k < d->nragged; k++) {
		if (core_axis_info(r->core, d->ragged[k])->size < 0) {
			diag_help(diag_no_simulation(r->e->ctx.diags, d->span, run_name(r, d->name)),
			          "an axis whose size comes with each record needs a size when records are simulated");
			return false;
		}
	}
	if (!make_room(r, d)) {
		return false;
	}
	fill_lengths(r, d, NULL);
	return data_compute(r, d, true) && remember(r, d, NULL, "");
}

/* Does the formula of field k wait for another field that is not computed yet? */
static bool waits(const Run *r, const DataInfo *d, uint32_t k, const bool *done)
{
	Def formula = d->field[k].formula;
	Node value = core_read_plain(r->core, formula, core_def(r->core, formula)->index);
	for (uint32_t j = 0; j < d->nfield; j++) {
		if (!done[j] && core_depends(r->core, value, d->field[j].leaf)) {
			return true;
		}
	}
	return false;
}

static bool check_finite(Run *r, const DataInfo *d, const FieldInfo *f)
{
	if (f->kind != KIND_REAL) {
		return true;
	}
	const double *v = store_real(r->store, f->leaf);
	size_t n = store_count(r->store, f->leaf), records = f->shared ? 1 : data_records(r, d);
	for (size_t i = 0; i < n; i++) {
		if (!isfinite(v[i])) {
			const char *where = arena_printf(r->e->arena, "in record %zu", i / (n / records) + 1);
			diag_not_finite(r->e->ctx.diags, f->span, run_name(r, f->name), where);
			return false;
		}
	}
	return true;
}

/* The formulas of fields in rounds: each may read fields that were computed before. */
static bool compute_round(Run *r, DataInfo *d, bool *done, bool *progress)
{
	PlanOutput *out = rt_alloc(d->nfield, sizeof *out);
	uint32_t *which = rt_alloc(d->nfield, sizeof *which);
	uint32_t n = 0;
	for (uint32_t k = 0; out && which && k < d->nfield; k++) {
		if (!done[k] && !waits(r, d, k, done)) {
			which[n] = k;
			out[n++] = (PlanOutput){d->field[k].formula, d->field[k].leaf};
		}
	}
	*progress = n > 0;
	bool ok = out && which;
	Plan *p = ok && n ? eval_plan(r, n, out) : NULL;
	ok = ok && (!n || (p && eval_run(r, p, 0)));
	for (uint32_t k = 0; ok && k < n; k++) {
		done[which[k]] = true;
		store_touch(r->store, d->field[which[k]].leaf);
		ok = check_finite(r, d, &d->field[which[k]]);
	}
	plan_free(p);
	free(out);
	free(which);
	return ok;
}

bool data_compute(Run *r, DataInfo *d, bool all)
{
	bool *done = rt_alloc(d->nfield, sizeof *done);
	if (!done) {
		return no_memory(r, d);
	}
	for (uint32_t k = 0; k < d->nfield; k++) {
		done[k] = !d->field[k].formula || (!all && d->field[k].source != SOURCE_DERIVED);
	}
	bool ok = true, progress = true;
	while (ok && progress) {
		ok = compute_round(r, d, done, &progress);
	}
	for (uint32_t k = 0; ok && k < d->nfield; k++) {
		if (!done[k]) {
			diag_bad_recurrence(r->e->ctx.diags, d->field[k].span, run_name(r, d->field[k].name),
			                    "fields are computed from each other in a circle");
			ok = false;
		}
	}
	free(done);
	return ok;
}

/* ---- from a file --------------------------------------------------------------------------------------------------- */

/* A field whose source ends in .npy is a file of its own. */
static bool own_file(const char *source)
{
	size_t n = strlen(source);
	return n > 4 && strcmp(source + n - 4, ".npy") == 0;
}

/* A header may end in a unit, "T [K]" or "T (K)": how long the name before it is; the unit in unit[room]. 0: it has none. */
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

static void no_column(Loading *l, const FieldInfo *f, const RtTable *t, const char *name)
{
	const char **names = arena_array(l->r->e->arena, const char *, t->ncolumns + 1);
	const char *list = "";
	for (size_t k = 0; k < t->ncolumns; k++) {
		char unit[UNIT_TEXT];
		size_t bare = name_length(t->column[k].name, unit, sizeof unit);
		names[k] = bare ? arena_printf(l->r->e->arena, "%.*s", (int)bare, t->column[k].name) : t->column[k].name;
		if (k < 12) {
			list = arena_printf(l->r->e->arena, "%s%s\"%s\"", list, k ? ", " : "", t->column[k].name);
		}
	}
	Diag *d = diag_data_column(l->r->e->ctx.diags, f->span, name, l->path);
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

/* What values of the column are multiplied by, when its header names a unit: that of the field or one of its dimension. */
static bool unit_scale(Loading *l, const FieldInfo *f, const RtColumn *col, double *scale)
{
	char text[UNIT_TEXT];
	UnitTable *units = l->r->program->units;
	*scale = 1;
	if (f->source != SOURCE_COLUMN || f->kind != KIND_REAL || !name_length(col->name, text, sizeof text)) {
		return true;
	}
	const char *why = NULL;
	UnitId unit = unit_parse(units, text, &why);
	if (why) {
		return true; /* brackets around something else than a unit */
	}
	if (!unit_same_dimension(units, unit, f->unit)) {
		const char *want = unit_text(units, f->unit);
		Diag *d = diag_data_unit(l->r->e->ctx.diags, f->span, run_name(l->r, f->name), text, want[0] ? want : "1");
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

/* The column of a field in table t, or a table of its own in *own. NULL after a diagnostic. */
static const RtColumn *find_column(Loading *l, const FieldInfo *f, const RtTable *t, RtTable **own)
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
	const RtColumn *col = rt_table_column(t, name);
	col = col ? col : column_with_unit(t, name);
	if (!col && t->format == RT_NPY) {
		col = &t->column[0];
	}
	if (!col) {
		no_column(l, f, t, name);
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
		resize(l->r, l->d->ragged[k], (size_t)largest);
	}
	return true;
}

static bool load_fields(Loading *l, const RtTable *t, const RtColumn **col, RtTable **own)
{
	DataInfo *d = l->d;
	for (uint32_t k = 0; k < d->nfield; k++) {
		const FieldInfo *f = &d->field[k];
		if (!from_formula(f)) {
			col[k] = find_column(l, f, t, &own[k]);
			if (!col[k] || !field_match(l, f, col[k])) {
				return false;
			}
		}
	}
	if (!settle_ragged(l) || !make_room(l->r, d)) {
		return false;
	}
	for (uint32_t k = 0; k < d->nfield; k++) {
		const FieldInfo *f = &d->field[k];
		bool onehot = f->source == SOURCE_ONEHOT;
		if (col[k] && !((onehot ? field_fill_onehot : field_fill)(l, f, col[k]) && scale_field(l, f, col[k]))) {
			return false;
		}
		store_touch(l->r->store, f->leaf);
	}
	fill_lengths(l->r, d, l->length);
	return data_compute(l->r, d, false);
}

static bool load_into(Run *r, DataInfo *d, const char *path, const RtTable *t)
{
	Loading l = {r, d, path, t->records, NULL};
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
		no_memory(r, d);
	}
	resize(r, d->records, l.records);
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

static bool load_table(Run *r, DataInfo *d)
{
	const char *given = run_name(r, d->path);
	if (!given[0] && d->has_simulate) {
		return simulate(r, d);
	}
	if (!given[0]) {
		diag_help(diag_data_file(r->e->ctx.diags, d->span, run_name(r, d->name), "no file is named"),
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
	if (!load_into(r, d, path, t)) {
		rt_table_free(t);
		return false;
	}
	return remember(r, d, t, path);
}

/* ---- parts and batches ------------------------------------------------------------------------------------------------ */

static void copy_row(const Run *r, Def from, size_t row, Def to, size_t place, size_t width)
{
	size_t bytes = width * sizeof(double);
	if (core_def(r->core, from)->kind == KIND_REAL) {
		memcpy(store_real(r->store, to) + place * width, store_real(r->store, from) + row * width, bytes);
	} else {
		memcpy(store_int(r->store, to) + place * width, store_int(r->store, from) + row * width, bytes);
	}
}

static void gather_leaf(const Run *r, Def from, Def to, const size_t *row, size_t n, size_t records)
{
	size_t width = records ? store_count(r->store, from) / records : 0;
	for (size_t k = 0; k < n; k++) {
		copy_row(r, from, row[k], to, k, width);
	}
	store_touch(r->store, to);
}

void data_gather(Run *r, const DataInfo *from, DataInfo *to, const size_t *row, size_t n)
{
	size_t records = data_records(r, from);
	for (uint32_t k = 0; k < from->nfield; k++) {
		if (!from->field[k].shared) {
			gather_leaf(r, from->field[k].leaf, to->field[k].leaf, row, n, records);
		}
	}
	for (uint32_t k = 0; k < from->nragged; k++) {
		Def a = core_axis_info(r->core, from->ragged[k])->length;
		Def b = core_axis_info(r->core, to->ragged[k])->length;
		if (a && b && a != b) {
			gather_leaf(r, a, b, row, n, records);
		}
	}
}

bool data_make_part(Run *r, DataInfo *part, const DataInfo *from, size_t n)
{
	assert(part->nfield == from->nfield && part->nragged == from->nragged);
	resize(r, part->records, n);
	for (uint32_t k = 0; k < from->nragged; k++) {
		resize(r, part->ragged[k], (size_t)core_axis_info(r->core, from->ragged[k])->size);
	}
	if (!make_room(r, part)) {
		return false;
	}
	for (uint32_t k = 0; k < from->nfield; k++) {
		const FieldInfo *f = &from->field[k];
		if (f->shared && f->leaf != part->field[k].leaf) {
			copy_row(r, f->leaf, 0, part->field[k].leaf, 0, store_count(r->store, f->leaf));
			store_touch(r->store, part->field[k].leaf);
		}
	}
	return true;
}

static bool make_part(Run *r, DataInfo *d)
{
	size_t *row = NULL, n = 0;
	if (!split_rows(r, d, &row, &n)) {
		return false;
	}
	bool ok = data_make_part(r, d, d->parent, n);
	if (ok) {
		data_gather(r, d->parent, d, row, n);
	}
	free(row);
	return ok && remember(r, d, NULL, "");
}

static bool make_points(Run *r, DataInfo *d)
{
	return points_make(r, d, 0) && remember(r, d, NULL, "");
}

bool data_redraw(Run *r, DataInfo *d, uint64_t step)
{
	return points_make(r, d, step);
}

bool data_prepare(Run *r)
{
	for (uint32_t k = 0; k < r->program->ndata; k++) {
		DataInfo *d = r->program->data[k];
		if (data_loaded(r, d) || d->kind == DATA_BATCH) {
			continue;
		}
		bool ok = d->kind == DATA_TABLE    ? load_table(r, d)
		          : d->kind == DATA_PART   ? make_part(r, d)
		          : d->kind == DATA_POINTS ? make_points(r, d)
		                                   : simulate(r, d);
		if (!ok) {
			remember(r, d, NULL, NULL); /* the next line of a prompt does not try again */
			return false;
		}
	}
	return true;
}
