/* data_load_split.c — cutting a data set into parts by a seeded permutation.
 *
 * Records (or groups of records that agree in a column: no group is in two parts) are permuted by
 * (seed, name of the set) and handed out in that order; within a part records keep the order of the
 * file. */
#include "compiler/data_load_int.h"
#include "runtime/rng.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Key {
	const void *bytes;
	size_t n, record;
} Key;

static int compare_keys(const void *pa, const void *pb)
{
	const Key *a = pa, *b = pb;
	size_t n = a->n < b->n ? a->n : b->n;
	int c = n ? memcmp(a->bytes, b->bytes, n) : 0;
	if (c == 0) {
		c = (a->n > b->n) - (a->n < b->n);
	}
	return c ? c : (a->record > b->record) - (a->record < b->record);
}

static bool same_key(const Key *a, const Key *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->bytes, b->bytes, a->n) == 0);
}

static void column_keys(const RtColumn *col, size_t records, Key *key)
{
	size_t width = col->count / records;
	for (size_t i = 0; i < records; i++) {
		if (col->type == RT_STRING && width == 1) {
			key[i].bytes = col->values.string[i];
			key[i].n = strlen(col->values.string[i]);
		} else if (col->type == RT_REAL) {
			key[i].bytes = &col->values.real[i * width];
			key[i].n = width * sizeof(double);
		} else {
			key[i].bytes = &col->values.integer[i * width];
			key[i].n = width * sizeof(int64_t);
		}
	}
}

static bool group_keys(Run *r, const SplitInfo *s, size_t records, Key *key)
{
	const char *by = run_name(r, s->by);
	const LoadedSet *set = data_loaded(r, s->parent);
	const RtColumn *col = set && set->table ? rt_table_column(set->table, by) : NULL;
	if (col && !col->shared && !col->offsets &&
	    !(col->type == RT_STRING && col->count != records)) {
		column_keys(col, records, key);
		return true;
	}
	for (uint32_t k = 0; k < s->parent->nfield; k++) {
		const FieldInfo *f = &s->parent->field[k];
		if (!f->shared && (f->name == s->by || f->column == s->by)) {
			size_t bytes = store_count(r->store, f->leaf) / records * sizeof(double);
			const char *v = core_def(r->core, f->leaf)->kind == KIND_REAL
						? (const char *)store_real(r->store, f->leaf)
						: (const char *)store_int(r->store, f->leaf);
			for (size_t i = 0; i < records; i++) {
				key[i].bytes = v + i * bytes;
				key[i].n = bytes;
			}
			return true;
		}
	}
	diag_data_column(r->e->ctx.diags, s->span, by,
			 set && set->path[0] ? set->path : run_name(r, s->parent->name));
	return false;
}

/* group[record], numbered by first appearance; their number, or 0 after a diagnostic. */
static size_t find_groups(Run *r, const SplitInfo *s, size_t records, size_t *group, Key *key)
{
	if (!s->by) {
		for (size_t i = 0; i < records; i++) {
			group[i] = i;
		}
		return records;
	}
	if (!group_keys(r, s, records, key)) {
		return 0;
	}
	for (size_t i = 0; i < records; i++) {
		key[i].record = i;
	}
	qsort(key, records, sizeof *key, compare_keys);
	/* The first record of a run of equal keys is its smallest: it stands for the group until
	 * all are numbered. */
	for (size_t i = 0, first = 0; i < records; i++) {
		first = i > 0 && same_key(&key[i - 1], &key[i]) ? first : key[i].record;
		group[key[i].record] = first;
	}
	size_t n = 0;
	for (size_t i = 0; i < records; i++) {
		group[i] = group[i] == i ? n++ : group[group[i]];
	}
	return n;
}

/* Number of records that part k should hold. */
static size_t part_target(const SplitInfo *s, uint32_t k, size_t records)
{
	double before = 0, after = 0;
	for (uint32_t j = 0; j <= k; j++) {
		if (s->amount[j] >= 1) {
			continue;
		}
		before = after;
		after += s->amount[j];
	}
	if (s->amount[k] >= 1) {
		return (size_t)s->amount[k];
	}
	double n = (double)records;
	return (size_t)(floor(after * n + 0.5 + 1e-9) - floor(before * n + 0.5 + 1e-9));
}

/* part_of[group]: whole groups in permuted order until each part has its records; what is left over
 * belongs to none. */
static void deal_groups(const SplitInfo *s, size_t records, size_t ngroup, const size_t *group,
			const size_t *order, size_t *size, uint32_t *part_of)
{
	for (size_t i = 0; i < records; i++) {
		size[group[i]]++;
	}
	uint32_t part = 0;
	size_t have = 0;
	for (size_t k = 0; k < ngroup; k++) {
		while (part < s->npart && have >= part_target(s, part, records)) {
			part++;
			have = 0;
		}
		part_of[order[k]] = part;
		have += size[order[k]];
	}
}

static const SplitInfo *split_of(const Run *r, const DataInfo *part)
{
	for (uint32_t k = 0; k < r->program->nsplit; k++) {
		const SplitInfo *s = r->program->split[k];
		for (uint32_t j = 0; j < s->npart; j++) {
			if (s->part[j] == part) {
				return s;
			}
		}
	}
	return NULL;
}

/* The seed of the dealing: the one that was given, else that of the run and the pass. */
static bool split_seed(Run *r, const SplitInfo *s, uint64_t *seed)
{
	double now = 0;
	if (s->seed_now && !eval_scalar(r, s, 0, s->seed_now, &now)) {
		return false;
	}
	*seed = s->seed_now ? (uint64_t)(int64_t)now : s->seed < 0 ? r->seed : (uint64_t)s->seed;
	return true;
}

static bool rows_of_part(Run *r, const SplitInfo *s, const DataInfo *part, size_t records,
			 size_t **row, size_t *n)
{
	Key *key = rt_alloc(records, sizeof *key);
	size_t *group = rt_alloc(records, sizeof *group), *order = rt_alloc(records, sizeof *order);
	size_t *size = rt_alloc(records, sizeof *size);
	uint32_t *part_of = rt_alloc(records, sizeof *part_of);
	*row = rt_alloc(records, sizeof **row);
	*n = 0;
	bool ok = key && group && order && size && part_of && *row;
	if (!ok) {
		diag_out_of_memory(r->e->ctx.diags, s->span, "the split");
	}
	uint64_t seed = 0;
	ok = ok && split_seed(r, s, &seed);
	size_t ngroup = ok ? find_groups(r, s, records, group, key) : 0;
	ok = ok && ngroup;
	if (ok) {
		const char *name = run_name(r, s->parent->name);
		rng_permutation(seed, rng_stream(name, strlen(name)), 0, ngroup, order);
		deal_groups(s, records, ngroup, group, order, size, part_of);
		for (size_t i = 0; i < records; i++) {
			if (part_of[group[i]] < s->npart && s->part[part_of[group[i]]] == part) {
				(*row)[(*n)++] = i;
			}
		}
	}
	free(key);
	free(group);
	free(order);
	free(size);
	free(part_of);
	return ok;
}

size_t split_share(const Run *r, const DataInfo *part)
{
	const SplitInfo *s = split_of(r, part);
	size_t records = data_records(r, part->parent);
	size_t n = s ? part_target(s, part->part, records) : 0;
	return n < records ? n : records;
}

bool split_rows(Run *r, const DataInfo *part, size_t **row, size_t *n)
{
	const SplitInfo *s = split_of(r, part);
	size_t records = data_records(r, part->parent);
	if (!s || records == 0) {
		diag_data_empty(r->e->ctx.diags, part->span, run_name(r, part->name));
		return false;
	}
	bool ok = rows_of_part(r, s, part, records, row, n);
	if (ok && *n == 0) {
		diag_remark(diag_data_empty(r->e->ctx.diags, part->span, run_name(r, part->name)),
			    "%s has %zu records", run_name(r, s->parent->name), records);
		ok = false;
	}
	if (!ok) {
		free(*row);
		*row = NULL;
	}
	return ok;
}
