/* data_load_late.c — sets that a statement makes of present values. They have their room from the
 * start, so that plans can be made; until the statement is reached nothing may be read of them. */
#include "compiler/data_load_int.h"
#include <stdlib.h>
#include <string.h>

static LoadedSet *set_of(const Run *r, const DataInfo *d)
{
	for (size_t k = 0; r->data && k < r->data->n; k++) {
		if (r->data->set[k].info == d) {
			return &r->data->set[k];
		}
	}
	return NULL;
}

static LoadedSet *set_with(const Run *r, Def leaf)
{
	for (size_t k = 0; r->data && k < r->data->n; k++) {
		const DataInfo *d = r->data->set[k].info;
		for (uint32_t j = 0; j < d->nfield; j++) {
			if (d->field[j].leaf == leaf) {
				return &r->data->set[k];
			}
		}
	}
	return NULL;
}

bool data_pending(const Run *r, Def leaf)
{
	const LoadedSet *set = set_with(r, leaf);
	return set && set->pending;
}

void data_made(Run *r, Def leaf)
{
	LoadedSet *set = set_with(r, leaf);
	if (set) {
		set->pending = false;
	}
}

bool late_part(Run *r, DataInfo *d)
{
	size_t n = split_share(r, d);
	return data_make_part(r, d, d->parent, n ? n : 1);
}

/* Of the file's columns only what is computed from them is made anew. */
static bool all_formulas(const Run *r, const DataInfo *d)
{
	const LoadedSet *set = data_loaded(r, d);
	return !set || !set->path || !set->path[0];
}

static bool deal_part(Run *r, DataInfo *d)
{
	size_t *row = NULL, n = 0;
	bool ok = split_rows(r, d, &row, &n) && data_make_part(r, d, d->parent, n);
	if (ok) {
		data_gather(r, d->parent, d, row, n);
	}
	free(row);
	return ok;
}

/* Batches hold a copy of what all records share. */
static bool refresh_batches(Run *r, const DataInfo *d)
{
	bool ok = true;
	for (uint32_t k = 0; ok && k < r->program->ndata; k++) {
		DataInfo *b = r->program->data[k];
		if (b->kind == DATA_BATCH && b->parent == d && data_records(r, b)) {
			ok = data_make_part(r, b, d, data_records(r, b));
		}
	}
	return ok;
}

bool data_make(Run *r, const Stmt *s)
{
	for (uint32_t k = 0; k < s->u.data.n; k++) {
		DataInfo *d = s->u.data.set[k];
		LoadedSet *set = set_of(r, d);
		if (!set || set->failed) {
			diag_no_value(r->e->ctx.diags, d->span, run_name(r, d->name));
			return false;
		}
		if (!(d->kind == DATA_PART ? deal_part(r, d)
					   : data_compute(r, d, all_formulas(r, d))) ||
		    !refresh_batches(r, d)) {
			return false;
		}
		set_of(r, d)->pending = false;
	}
	return true;
}

bool data_make_plans(Run *r, const Stmt *s)
{
	bool ok = true;
	for (uint32_t k = 0; ok && k < s->u.data.n; k++) {
		DataInfo *d = s->u.data.set[k];
		ok = d->kind == DATA_PART || data_compute_plans(r, d, all_formulas(r, d));
	}
	return ok;
}
