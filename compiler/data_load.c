/* data_load.c — every data set of a program into its leaves, in order: a file, a simulation,
 * points, or a part. Invariant: a set is in the state's list once all its leaves have values. */
#include "compiler/data_load.h"
#include "compiler/data_load_int.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

bool data_no_memory(Run *r, const DataInfo *d)
{
	diag_out_of_memory(r->e->ctx.diags, d->span, run_name(r, d->name));
	return false;
}

/* A set that is filled; without a path it failed to be. */
bool data_remember(Run *r, DataInfo *d, RtTable *table, const char *path)
{
	if (!r->data) {
		r->data = calloc(1, sizeof *r->data);
	}
	void *items = r->data ? r->data->set : NULL;
	if (!r->data || !rt_grow(&items, &r->data->room, r->data->n + 1, sizeof *r->data->set)) {
		rt_table_free(table);
		return data_no_memory(r, d);
	}
	r->data->set = items;
	r->data->set[r->data->n++] = (LoadedSet){d, table, path, path == NULL, d->late};
	if (path && r->e->options.verbose) {
		const char *from = d->parent ? run_name(r, d->parent->name) : path;
		fprintf(r->e->options.error, "data %s: %zu records, %u fields, %s%s\n",
			run_name(r, d->name), data_records(r, d), d->nfield,
			from[0] ? "from " : "made by the program", from);
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

void data_resize(Run *r, Axis a, size_t n)
{
	if (core_axis_info(r->core, a)->size != (int64_t)n) {
		core_axis_resize(r->core, a, (int64_t)n);
		eval_forget(r);
	}
}

/* Room for all fields and the lengths of axes sized by record; their sizes are known. */
bool data_make_room(Run *r, DataInfo *d)
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

void data_fill_lengths(Run *r, const DataInfo *d, int64_t *const *length)
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

/* ---- from the program itself ---- */

bool data_simulate(Run *r, DataInfo *d)
{
	if (d->simulate <= 0) {
		diag_data_empty(r->e->ctx.diags, d->span, run_name(r, d->name));
		return false;
	}
	data_resize(r, d->records, (size_t)d->simulate);
	for (uint32_t k = 0; k < d->nfield; k++) {
		const FieldInfo *f = &d->field[k];
		if (!f->formula) {
			diag_help(
				diag_no_simulation(r->e->ctx.diags, f->span, run_name(r, f->name)),
				"write  = value  or  ~ distribution  behind it");
			return false;
		}
	}
	for (uint32_t k = 0; k < d->nragged; k++) {
		if (core_axis_info(r->core, d->ragged[k])->size < 0) {
			diag_help(
				diag_no_simulation(r->e->ctx.diags, d->span, run_name(r, d->name)),
				"an axis whose size comes with each record needs a size when "
				"records are simulated");
			return false;
		}
	}
	if (!data_make_room(r, d)) {
		return false;
	}
	data_fill_lengths(r, d, NULL);
	return (d->late || data_compute(r, d, true)) && data_remember(r, d, NULL, "");
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
			const char *where =
				arena_printf(r->e->arena, "in record %zu", i / (n / records) + 1);
			diag_not_finite(r->e->ctx.diags, f->span, run_name(r, f->name), where);
			return false;
		}
	}
	return true;
}

/* The formulas of fields in rounds: each may read fields that were computed before. Plans of sets
 * that are made again and again are kept. */
static Plan *round_plan(Run *r, DataInfo *d, const bool *done, unsigned round, uint32_t *which,
			uint32_t *n)
{
	PlanOutput *out = rt_alloc(d->nfield, sizeof *out);
	*n = 0;
	for (uint32_t k = 0; out && k < d->nfield; k++) {
		if (!done[k] && !waits(r, d, k, done)) {
			which[*n] = k;
			out[(*n)++] = (PlanOutput){d->field[k].formula, d->field[k].leaf};
		}
	}
	Plan *p = !out || !*n ? NULL
		  : d->late   ? eval_cached(r, d, round, *n, out)
			      : eval_plan(r, *n, out);
	free(out);
	return p;
}

static bool finish_round(Run *r, DataInfo *d, uint32_t n, const uint32_t *which)
{
	bool ok = true;
	for (uint32_t k = 0; ok && k < n; k++) {
		store_touch(r->store, d->field[which[k]].leaf);
		ok = check_finite(r, d, &d->field[which[k]]);
	}
	return ok;
}

static bool compute(Run *r, DataInfo *d, bool all, bool run, bool *done, uint32_t *which)
{
	for (uint32_t k = 0; k < d->nfield; k++) {
		done[k] = !d->field[k].formula || (!all && d->field[k].source != SOURCE_DERIVED);
	}
	bool ok = true;
	uint32_t n = 1;
	for (unsigned round = 0; ok && n; round++) {
		Plan *p = round_plan(r, d, done, round, which, &n);
		ok = !n || (p && (!run || (eval_run(r, p, 0) && finish_round(r, d, n, which))));
		for (uint32_t k = 0; k < n; k++) {
			done[which[k]] = true;
		}
		if (!d->late) {
			plan_free(p);
		}
	}
	for (uint32_t k = 0; ok && k < d->nfield; k++) {
		if (!done[k]) {
			diag_bad_recurrence(r->e->ctx.diags, d->field[k].span,
					    run_name(r, d->field[k].name),
					    "fields are computed from each other in a circle");
			ok = false;
		}
	}
	return ok;
}

static bool compute_all(Run *r, DataInfo *d, bool all, bool run)
{
	bool *done = rt_alloc(d->nfield, sizeof *done);
	uint32_t *which = rt_alloc(d->nfield, sizeof *which);
	bool ok = done && which ? compute(r, d, all, run, done, which) : data_no_memory(r, d);
	free(done);
	free(which);
	return ok;
}

bool data_compute(Run *r, DataInfo *d, bool all)
{
	return compute_all(r, d, all, true);
}

bool data_compute_plans(Run *r, DataInfo *d, bool all)
{
	return compute_all(r, d, all, false);
}

/* ---- parts and batches ---- */

static void copy_row(const Run *r, Def from, size_t row, Def to, size_t place, size_t width)
{
	size_t bytes = width * sizeof(double);
	if (core_def(r->core, from)->kind == KIND_REAL) {
		memcpy(store_real(r->store, to) + place * width,
		       store_real(r->store, from) + row * width, bytes);
	} else {
		memcpy(store_int(r->store, to) + place * width,
		       store_int(r->store, from) + row * width, bytes);
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
	data_resize(r, part->records, n);
	for (uint32_t k = 0; k < from->nragged; k++) {
		data_resize(r, part->ragged[k],
			    (size_t)core_axis_info(r->core, from->ragged[k])->size);
	}
	if (!data_make_room(r, part)) {
		return false;
	}
	for (uint32_t k = 0; k < from->nfield; k++) {
		const FieldInfo *f = &from->field[k];
		if (f->shared && f->leaf != part->field[k].leaf) {
			copy_row(r, f->leaf, 0, part->field[k].leaf, 0,
				 store_count(r->store, f->leaf));
			store_touch(r->store, part->field[k].leaf);
		}
	}
	return true;
}

static bool make_part(Run *r, DataInfo *d)
{
	if (d->late) {
		return late_part(r, d) && data_remember(r, d, NULL, "");
	}
	size_t *row = NULL, n = 0;
	if (!split_rows(r, d, &row, &n)) {
		return false;
	}
	bool ok = data_make_part(r, d, d->parent, n);
	if (ok) {
		data_gather(r, d->parent, d, row, n);
	}
	free(row);
	return ok && data_remember(r, d, NULL, "");
}

static bool make_points(Run *r, DataInfo *d)
{
	return points_make(r, d, 0) && data_remember(r, d, NULL, "");
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
		bool ok = d->kind == DATA_TABLE    ? data_load_table(r, d)
			  : d->kind == DATA_PART   ? make_part(r, d)
			  : d->kind == DATA_POINTS ? make_points(r, d)
						   : data_simulate(r, d);
		if (!ok) {
			data_remember(r, d, NULL,
				      NULL); /* the next line of a prompt does not try again */
			return false;
		}
	}
	return true;
}
