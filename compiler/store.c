/* store.c — values of leaf definitions.
 *
 * Entries are found by the number of the definition; arrays are aligned to 64 bytes, so that
 * kernels may use whole vectors of any width on their beginnings. Invariant: an entry with data has
 * room for `count` elements of 8 bytes. */
#include "compiler/store.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Reals may be held twice. A caller of store_real may write at any time until a plan runs, so the
 * doubles count as newer from then on. */
typedef enum { NEWER_F64, NEWER_F32, NEWER_NONE } Newer;

typedef struct Entry {
	void *data;    /* NULL: no room made yet */
	float *single; /* the same reals in f32, NULL: never asked for */
	Newer newer;
	size_t count;
	uint64_t version;
} Entry;

struct Store {
	Core *core;
	Entry *entry; /* by Def */
	size_t room;
	size_t bytes, limit;
	uint64_t clock; /* version of the latest change */
};

enum { ALIGNMENT = 64 };

Store *store_create(Core *c)
{
	Store *s = calloc(1, sizeof *s);
	if (s) {
		s->core = c;
	}
	return s;
}

void store_free(Store *s)
{
	if (!s) {
		return;
	}
	for (size_t d = 0; d < s->room; d++) {
		free(s->entry[d].data);
		free(s->entry[d].single);
	}
	free(s->entry);
	free(s);
}

static bool store_grow(Store *s, Def leaf)
{
	if (leaf < s->room) {
		return true;
	}
	size_t room = s->room ? s->room : 64;
	while (room <= leaf) {
		room *= 2;
	}
	Entry *bigger = realloc(s->entry, room * sizeof *bigger);
	if (!bigger) {
		return false;
	}
	memset(bigger + s->room, 0, (room - s->room) * sizeof *bigger);
	s->entry = bigger;
	s->room = room;
	return true;
}

/* Elements of a leaf by the present sizes of its axes; false if a size is missing or the bytes
 * overflow. */
static bool leaf_count(const Core *c, const DefInfo *info, size_t *count)
{
	size_t n = 1;
	for (uint32_t k = 0; k < info->nindex; k++) {
		int64_t size = core_axis_info(c, core_index_axis(c, info->index[k]))->size;
		if (size < 0 || __builtin_mul_overflow(n, (size_t)size, &n)) {
			return false;
		}
	}
	*count = n;
	return n <= (SIZE_MAX / 2 - ALIGNMENT) / sizeof(double);
}

void store_limit(Store *s, size_t bytes)
{
	s->limit = bytes;
}

void *store_array(size_t n, unsigned element)
{
	size_t bytes = (n * element + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
	void *data = aligned_alloc(ALIGNMENT, bytes);
	if (data) {
		memset(data, 0, bytes);
	}
	return data;
}

bool store_alloc(Store *s, Def leaf)
{
	const DefInfo *info = core_def(s->core, leaf);
	assert(info->role == DEF_PARAM || info->role == DEF_DATA || info->role == DEF_RUNTIME);
	size_t count;
	if (!leaf_count(s->core, info, &count) || !store_grow(s, leaf)) {
		return false;
	}
	size_t rest = s->bytes - store_count(s, leaf) * sizeof(double);
	bool fits = !s->limit ||
		    (rest <= s->limit && count <= (s->limit - rest) / sizeof(double));
	void *data = fits ? store_array(count, sizeof(double)) : NULL;
	if (!data) {
		return false;
	}
	Entry *e = &s->entry[leaf];
	if (e->data) {
		free(e->data);
		s->bytes -= e->count * sizeof(double);
	}
	free(e->single);
	e->single = NULL;
	e->newer = NEWER_F64;
	e->data = data;
	e->count = count;
	e->version = ++s->clock;
	s->bytes += count * sizeof(double);
	return true;
}

bool store_has(const Store *s, Def leaf)
{
	return leaf < s->room && s->entry[leaf].data;
}

size_t store_count(const Store *s, Def leaf)
{
	return store_has(s, leaf) ? s->entry[leaf].count : 0;
}

const double *store_read(Store *s, Def leaf)
{
	assert(core_def(s->core, leaf)->kind == KIND_REAL);
	if (!store_has(s, leaf)) {
		return NULL;
	}
	Entry *e = &s->entry[leaf];
	if (e->newer == NEWER_F32) {
		double *to = e->data;
		for (size_t i = 0; i < e->count; i++) {
			to[i] = (double)e->single[i];
		}
		e->newer = NEWER_NONE;
	}
	return e->data;
}

double *store_real(Store *s, Def leaf)
{
	store_read(s, leaf);
	if (!store_has(s, leaf)) {
		return NULL;
	}
	s->entry[leaf].newer = NEWER_F64;
	return s->entry[leaf].data;
}

const float *store_f32(Store *s, Def leaf)
{
	assert(store_has(s, leaf) && core_def(s->core, leaf)->kind == KIND_REAL);
	Entry *e = &s->entry[leaf];
	if (!e->single) {
		e->single = store_array(e->count, sizeof(float));
	}
	if (e->single && e->newer == NEWER_F64) {
		const double *from = e->data;
		for (size_t i = 0; i < e->count; i++) {
			e->single[i] = (float)from[i];
		}
		e->newer = NEWER_NONE;
	}
	return e->single;
}

bool store_swap(Store *s, Def leaf, unsigned bytes, void **array)
{
	assert(store_has(s, leaf));
	Entry *e = &s->entry[leaf];
	bool single = bytes == sizeof(float) && core_def(s->core, leaf)->kind == KIND_REAL;
	if (single && !store_f32(s, leaf)) {
		return false;
	}
	if (!single && core_def(s->core, leaf)->kind == KIND_REAL) {
		store_read(s, leaf);
	}
	void *had = single ? (void *)e->single : e->data;
	if (single) {
		e->single = *array;
	} else {
		e->data = *array;
	}
	e->newer = single ? NEWER_F32 : NEWER_F64;
	*array = had;
	return true;
}

int64_t *store_int(Store *s, Def leaf)
{
	assert(core_def(s->core, leaf)->kind != KIND_REAL);
	return store_has(s, leaf) ? s->entry[leaf].data : NULL;
}

void store_touch(Store *s, Def leaf)
{
	assert(store_has(s, leaf));
	s->entry[leaf].version = ++s->clock;
}

uint64_t store_version(const Store *s, Def leaf)
{
	return store_has(s, leaf) ? s->entry[leaf].version : 0;
}

size_t store_bytes(const Store *s)
{
	return s->bytes;
}
