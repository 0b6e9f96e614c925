/* data_load_field.c — one column of a file against one declared field: shapes, then values.
 *
 * The axes of a record in the field must be those of the column; axes of length one may be missing
 * on either side, so an array of shape (n,1) fits a scalar field. An axis sized by record takes its
 * length from the column, per record when the column is ragged; shorter records are padded with
 * zeros behind their length. */
#include "compiler/data_load_int.h"
#include <assert.h>
#include <math.h>
#include <string.h>

static bool wrong_shape(Loading *l, const FieldInfo *f, const RtColumn *col, unsigned from,
			uint32_t first)
{
	Run *r = l->r;
	const char *have =
		col->offsets ? "that varies with the record" : data_column_shape(r, col, from);
	Diag *d = diag_data_shape(r->e->ctx.diags, f->span, run_name(r, f->name), have,
				  data_leaf_shape(r, f->leaf, first));
	if (!f->shared && col->shared) {
		diag_remark(d, "\"%s\" of %s is not one value per record (%zu records)", col->name,
			    l->path, l->records);
		diag_help(d, "write  shared from  if all records have it in common");
	} else {
		diag_remark(d, "column \"%s\" of %s", col->name, l->path);
	}
	return false;
}

/* Sets or compares the length of ragged axis k in one record. */
static bool learn_length(Loading *l, int k, size_t record, size_t have)
{
	int64_t *length = &l->length[k][record];
	if (*length < 0) {
		*length = (int64_t)have;
	}
	return *length == (int64_t)have;
}

static bool wrong_length(Loading *l, const FieldInfo *f, int k, size_t record, size_t have)
{
	Run *r = l->r;
	const char *axis = run_name(r, core_axis_info(r->core, l->d->ragged[k])->name);
	const char *where = arena_printf(r->e->arena, "record %zu", record + 1);
	const char *why = arena_printf(
		r->e->arena, "field %s has %zu along axis %s, where other fields have %lld",
		run_name(r, f->name), have, axis, (long long)l->length[k][record]);
	diag_data_value(r->e->ctx.diags, f->span, l->path, where, why);
	return false;
}

/* Learns or checks one ragged axis for every record, all of the same length. */
static bool learn_everywhere(Loading *l, const FieldInfo *f, int k, size_t have)
{
	for (size_t i = 0; i < l->records; i++) {
		if (!learn_length(l, k, i, have)) {
			return wrong_length(l, f, k, i, have);
		}
	}
	return true;
}

static bool match_ragged(Loading *l, const FieldInfo *f, const RtColumn *col)
{
	uint32_t n = core_def(l->r->core, f->leaf)->nindex;
	int k = !f->shared && n > 1 ? ragged_number(l->r, l->d, f->leaf, 1) : -1;
	if (k < 0 || col->ndim != n - 1) {
		return wrong_shape(l, f, col, 1, f->shared ? 0 : 1);
	}
	for (uint32_t j = 2; j < n; j++) {
		if ((int64_t)col->dim[j - 1] != data_leaf_size(l->r, f->leaf, j)) {
			return wrong_shape(l, f, col, 1, 1);
		}
	}
	for (size_t i = 0; i < l->records; i++) {
		size_t have = col->offsets[i + 1] - col->offsets[i];
		if (!learn_length(l, k, i, have)) {
			return wrong_length(l, f, k, i, have);
		}
	}
	return true;
}

/* Column dimensions from `from` against the leaf's axes from `first`. The axes sized by record
 * learn their lengths. */
static bool match_plain(Loading *l, const FieldInfo *f, const RtColumn *col, unsigned from,
			uint32_t first)
{
	uint32_t n = core_def(l->r->core, f->leaf)->nindex, k = first;
	for (unsigned d = from; d < col->ndim; d++) {
		int ragged = k < n ? ragged_number(l->r, l->d, f->leaf, k) : -1;
		if (ragged >= 0) {
			if (!learn_everywhere(l, f, ragged, col->dim[d])) {
				return false;
			}
			k++;
			continue;
		}
		while (k < n && data_leaf_size(l->r, f->leaf, k) == 1 && col->dim[d] != 1) {
			k++;
		}
		if (k < n && data_leaf_size(l->r, f->leaf, k) == (int64_t)col->dim[d]) {
			k++;
		} else if (col->dim[d] != 1) {
			return wrong_shape(l, f, col, from, first);
		}
	}
	while (k < n && data_leaf_size(l->r, f->leaf, k) == 1) {
		k++;
	}
	return k == n || wrong_shape(l, f, col, from, first);
}

/* A shared field may stand in every record of the column, if always the same. */
static bool repeats(const Loading *l, const RtColumn *col)
{
	if (col->shared || col->offsets || col->ndim == 0 || col->dim[0] != l->records ||
	    l->records == 0) {
		return false;
	}
	size_t width = col->count / l->records;
	for (size_t i = width; i < col->count; i++) {
		bool same =
			col->type == RT_REAL ? col->values.real[i] == col->values.real[i - width]
			: col->type == RT_INT
				? col->values.integer[i] == col->values.integer[i - width]
				: strcmp(col->values.string[i], col->values.string[i - width]) == 0;
		if (!same) {
			return false;
		}
	}
	return true;
}

/* Number of axes of the leaf that the column gives: a one-hot field makes its last axis from a
 * label. */
static bool match_onehot(Loading *l, const FieldInfo *f, const RtColumn *col)
{
	uint32_t n = core_def(l->r->core, f->leaf)->nindex;
	uint32_t cell = n - (f->shared ? 0 : 1);
	if (col->shared || col->offsets || col->ndim != 1 || cell < 1 || cell > 2) {
		return wrong_shape(l, f, col, 1, f->shared ? 0 : 1);
	}
	int ragged = cell == 2 ? ragged_number(l->r, l->d, f->leaf, n - 2) : -1;
	for (size_t i = 0; ragged >= 0 && i < l->records; i++) {
		size_t have = col->type == RT_STRING ? strlen(col->values.string[i]) : 1;
		if (!learn_length(l, ragged, i, have)) {
			return wrong_length(l, f, ragged, i, have);
		}
	}
	return true;
}

bool field_match(Loading *l, const FieldInfo *f, const RtColumn *col)
{
	if (f->source == SOURCE_ONEHOT) {
		return match_onehot(l, f, col);
	}
	if (col->offsets) {
		return match_ragged(l, f, col);
	}
	if (f->shared) {
		bool each =
			repeats(l, col) && col->ndim == core_def(l->r->core, f->leaf)->nindex + 1;
		return match_plain(l, f, col, each ? 1 : 0, 0);
	}
	if (col->shared || col->ndim == 0 || col->dim[0] != l->records) {
		return wrong_shape(l, f, col, 0, 0);
	}
	return match_plain(l, f, col, 1, 1);
}

/* ---- values ---- */

static bool bad_cell(Loading *l, const FieldInfo *f, const RtColumn *col, size_t i, const char *why)
{
	Run *r = l->r;
	size_t width = l->records && !f->shared ? col->count / l->records : 0;
	const char *where =
		width ? arena_printf(r->e->arena, "column \"%s\", record %zu", col->name,
				     i / width + 1)
		      : arena_printf(r->e->arena, "column \"%s\", entry %zu", col->name, i + 1);
	diag_data_value(r->e->ctx.diags, f->span, l->path, where, why);
	return false;
}

static bool bad_text(Loading *l, const FieldInfo *f, const RtColumn *col)
{
	const char *cell = col->count ? col->values.string[0] : "";
	double unused;
	for (size_t i = 0; i < col->count; i++) {
		cell = col->values.string[i];
		if (rt_number_parse(cell, strlen(cell), &unused) == RT_NOT_NUMBER) {
			return bad_cell(
				l, f, col, i,
				arena_printf(l->r->e->arena, "\"%.40s\" is not a number", cell));
		}
	}
	return bad_cell(l, f, col, 0, "the column holds no number");
}

/* A field of labels of an axis: every value must be one of them. */
static bool on_axis(Loading *l, const FieldInfo *f, const RtColumn *col, size_t i, double v)
{
	Run *r = l->r;
	if (!f->of) {
		return true;
	}
	const AxisInfo *a = core_axis_info(r->core, f->of);
	if (v >= (double)a->first && v < (double)a->first + (double)a->size) {
		return true;
	}
	const char *what =
		arena_printf(r->e->arena, "entry %zu of column \"%s\"", i + 1, col->name);
	diag_data_index(r->e->ctx.diags, f->span, what, arena_printf(r->e->arena, "%.17g", v),
			run_name(r, a->name));
	return false;
}

/* One cell as the number the field stores; false after a diagnostic. */
static bool cell_value(Loading *l, const FieldInfo *f, const RtColumn *col, size_t i, double *v)
{
	*v = col->type == RT_REAL ? col->values.real[i] : (double)col->values.integer[i];
	if (!isfinite(*v)) {
		return bad_cell(l, f, col, i, "the value is missing or not finite");
	}
	if (f->spin && *v != 1 && *v != -1) {
		return bad_cell(
			l, f, col, i,
			arena_printf(l->r->e->arena, "%.17g is no spin, which is 1 or -1", *v));
	}
	if (f->kind == KIND_BOOL && *v != 0 && *v != 1) {
		return bad_cell(l, f, col, i,
				arena_printf(l->r->e->arena, "%.17g is neither 0 nor 1", *v));
	}
	if (f->kind == KIND_INT && (*v != floor(*v) || fabs(*v) > 9007199254740992.0)) {
		return bad_cell(l, f, col, i,
				arena_printf(l->r->e->arena, "%.17g is not an integer", *v));
	}
	return on_axis(l, f, col, i, *v);
}

static void store_cell(Loading *l, const FieldInfo *f, const RtColumn *col, size_t i, size_t at,
		       double v)
{
	if (core_def(l->r->core, f->leaf)->kind == KIND_REAL) {
		store_real(l->r->store, f->leaf)[at] = v;
	} else {
		store_int(l->r->store, f->leaf)[at] =
			col->type == RT_INT ? col->values.integer[i] : (int64_t)v;
	}
}

/* Texts yes/no as 0 and 1, for fields of kind bool. */
static bool truth(const char *s, double *v)
{
	static const char *const yes[] = {"true", "True", "TRUE", "yes", "1"}, *const no[] = {
										       "false",
										       "False",
										       "FALSE",
										       "no", "0"};
	for (size_t k = 0; k < sizeof yes / sizeof *yes; k++) {
		if (strcmp(s, yes[k]) == 0 || strcmp(s, no[k]) == 0) {
			*v = strcmp(s, yes[k]) == 0;
			return true;
		}
	}
	return false;
}

static bool fill_truth(Loading *l, const FieldInfo *f, const RtColumn *col)
{
	for (size_t i = 0; i < col->count; i++) {
		double v;
		if (!truth(col->values.string[i], &v)) {
			return bad_cell(l, f, col, i,
					arena_printf(l->r->e->arena,
						     "\"%.40s\" is neither true nor false",
						     col->values.string[i]));
		}
		store_cell(l, f, col, i, i, v);
	}
	return true;
}

/* Labels of the axis that the field is an index of. */
static bool fill_labels(Loading *l, const FieldInfo *f, const RtColumn *col)
{
	const AxisInfo *a = core_axis_info(l->r->core, f->of);
	for (size_t i = 0; i < col->count; i++) {
		const char *cell = col->values.string[i];
		int64_t at = label_position(l->r, f->of, cell, strlen(cell));
		if (at < 0) {
			return bad_cell(l, f, col, i,
					arena_printf(l->r->e->arena,
						     "\"%.40s\" is no label of axis %s", cell,
						     run_name(l->r, a->name)));
		}
		store_cell(l, f, col, i, i, (double)(a->first + at));
	}
	return true;
}

/* SOURCE_EQUALS: is the cell this text, or this number? */
static bool fill_equals(Loading *l, const FieldInfo *f, const RtColumn *col)
{
	const char *want = run_name(l->r, f->literal);
	double number = NAN, v;
	bool numeric = rt_number_parse(want, strlen(want), &number) == RT_NUMBER;
	if (col->type != RT_STRING && !numeric) {
		return bad_cell(l, f, col, 0,
				arena_printf(l->r->e->arena,
					     "the column holds numbers, and \"%.40s\" is none",
					     want));
	}
	for (size_t i = 0; i < col->count; i++) {
		if (col->type == RT_STRING) {
			v = strcmp(col->values.string[i], want) == 0;
		} else {
			v = (col->type == RT_REAL ? col->values.real[i]
						  : (double)col->values.integer[i]) == number;
		}
		if (core_def(l->r->core, f->leaf)->kind == KIND_REAL) {
			store_real(l->r->store, f->leaf)[i] = v;
		} else {
			store_int(l->r->store, f->leaf)[i] = v != 0;
		}
	}
	return true;
}

static bool identical(Loading *l, const FieldInfo *f, const RtColumn *col)
{
	return !col->offsets && col->count == store_count(l->r->store, f->leaf);
}

static bool fill_ragged(Loading *l, const FieldInfo *f, const RtColumn *col)
{
	uint32_t n = core_def(l->r->core, f->leaf)->nindex;
	size_t inner = 1, longest = (size_t)data_leaf_size(l->r, f->leaf, 1);
	for (uint32_t k = 2; k < n; k++) {
		inner *= (size_t)data_leaf_size(l->r, f->leaf, k);
	}
	for (size_t rec = 0; rec < l->records; rec++) {
		for (size_t i = col->offsets[rec] * inner; i < col->offsets[rec + 1] * inner; i++) {
			double v;
			if (!cell_value(l, f, col, i, &v)) {
				return false;
			}
			store_cell(l, f, col, i,
				   rec * longest * inner + (i - col->offsets[rec] * inner), v);
		}
	}
	return true;
}

bool field_fill(Loading *l, const FieldInfo *f, const RtColumn *col)
{
	if (f->source == SOURCE_EQUALS) {
		return fill_equals(l, f, col);
	}
	if (col->type == RT_STRING && f->of && core_axis_info(l->r->core, f->of)->nlabel &&
	    identical(l, f, col)) {
		return fill_labels(l, f, col);
	}
	if (col->type == RT_STRING) {
		return f->kind == KIND_BOOL && identical(l, f, col) ? fill_truth(l, f, col)
								    : bad_text(l, f, col);
	}
	if (col->has_missing && col->type == RT_REAL) {
		const char *why = arena_printf(
			l->r->e->arena, "the value of column \"%s\" is missing or not finite",
			col->name);
		diag_data_value(l->r->e->ctx.diags, f->span, l->path, col->missing_where, why);
		return false;
	}
	if (col->offsets) {
		return fill_ragged(l, f, col);
	}
	/* A shared field given in every record takes the first; a ragged axis that is always
	 * equally long has no padding. */
	size_t n = store_count(l->r->store, f->leaf);
	assert(n <= col->count);
	for (size_t i = 0; i < n; i++) {
		double v;
		if (!cell_value(l, f, col, i, &v)) {
			return false;
		}
		store_cell(l, f, col, i, i, v);
	}
	return true;
}
