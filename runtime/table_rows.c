/* table_rows.c — tables made of the rows of others. */
#include "runtime/status.h"
#include "runtime/table.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

RtTable *rt_table_new(RtFormat format, size_t records, size_t ncolumns)
{
	RtTable *t = calloc(1, sizeof *t);
	RtColumn *column = calloc(ncolumns + 1, sizeof *column);
	if (!t || !column) {
		free(t);
		free(column);
		return NULL;
	}
	t->format = format;
	t->records = records;
	t->column = column;
	t->has_header = true;
	return t;
}

static size_t width_of(const RtColumn *c)
{
	size_t width = 1;
	for (unsigned k = 1; k < c->ndim; k++) {
		width *= c->dim[k];
	}
	return width;
}

/* Texts of the entries from[0..n-1], one behind the other in memory of the column's own. */
static bool gather_text(RtColumn *to, const RtColumn *c, const size_t *from, size_t n)
{
	size_t bytes = 1;
	for (size_t i = 0; i < n; i++) {
		bytes += from[i] == RT_NOWHERE ? 1 : strlen(c->values.string[from[i]]) + 1;
	}
	to->values.string = rt_alloc(n, sizeof *to->values.string);
	to->text = rt_alloc(bytes, 1);
	if (!to->values.string || !to->text) {
		return false;
	}
	char *at = to->text;
	for (size_t i = 0; i < n; i++) {
		const char *s = from[i] == RT_NOWHERE ? "" : c->values.string[from[i]];
		to->values.string[i] = strcpy(at, s);
		at += strlen(s) + 1;
	}
	return true;
}

static bool gather_numbers(RtColumn *to, const RtColumn *c, const size_t *from, size_t n)
{
	bool nowhere = false;
	for (size_t i = 0; i < n; i++) {
		nowhere = nowhere || from[i] == RT_NOWHERE;
	}
	to->type = c->type == RT_INT && !nowhere ? RT_INT : RT_REAL; /* no int is missing */
	void *values = rt_alloc(n, sizeof(double));
	if (to->type == RT_INT) {
		to->values.integer = values;
	} else {
		to->values.real = values;
	}
	for (size_t i = 0; values && i < n; i++) {
		if (to->type == RT_INT) {
			to->values.integer[i] = c->values.integer[from[i]];
		} else if (from[i] == RT_NOWHERE) {
			to->values.real[i] = NAN;
		} else {
			to->values.real[i] = c->type == RT_REAL
						     ? c->values.real[from[i]]
						     : (double)c->values.integer[from[i]];
		}
	}
	return values != NULL;
}

RtColumn *rt_table_gather(RtTable *t, const char *name, const RtColumn *c, unsigned ndim,
			  const size_t *dim, const size_t *from)
{
	RtColumn *to = &t->column[t->ncolumns];
	to->name = rt_copy_text(name, strlen(name));
	to->type = c->type;
	to->is_bool = c->is_bool;
	to->ndim = ndim;
	to->count = 1;
	for (unsigned k = 0; k < ndim; k++) {
		to->dim[k] = dim[k];
		to->count *= dim[k];
	}
	t->ncolumns++; /* whatever of it there is belongs to the table */
	bool ok = c->type == RT_STRING ? gather_text(to, c, from, to->count)
				       : gather_numbers(to, c, from, to->count);
	return ok && to->name ? to : NULL;
}

RtTable *rt_table_select(const RtTable *t, const size_t *row, size_t n)
{
	RtTable *kept = rt_table_new(t->format, n, t->ncolumns);
	bool ok = kept != NULL;
	for (size_t k = 0; ok && k < t->ncolumns; k++) {
		const RtColumn *c = &t->column[k];
		size_t dim[RT_MAX_DIM], width = width_of(c);
		size_t *from = rt_alloc(n * width, sizeof *from);
		for (size_t i = 0; from && i < n * width; i++) {
			from[i] = row[i / width] * width + i % width;
		}
		memcpy(dim, c->dim, sizeof dim);
		dim[0] = n;
		ok = from && rt_table_gather(kept, c->name, c, c->ndim, dim, from);
		free(from);
	}
	if (!ok) {
		rt_table_free(kept);
		return NULL;
	}
	kept->has_header = t->has_header;
	return kept;
}
