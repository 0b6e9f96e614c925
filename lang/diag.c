/* diag.c — collecting diagnostics; diag_render.c shows them.
 * Invariant: row[i] is the table row of the i-th diagnostic ever made, also of those that are only
 * counted, so that rewinding restores the counts exactly. */
#include "lang/diag.h"
#include "lang/diag_int.h"
#include "lang/unicode.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* How many of each severity are kept beyond the limit, so that sorting by place has something to
 * choose from. */
#define KEEP_MORE 256u

enum {
#define P(...)
#define A(...)
#define DIAG(code, severity, exit_code, name, params, wording, args) ROW_##name,
#include "lang/diags.def"
#undef DIAG
#undef P
#undef A
	ROWS
};

static const DiagRow table[] = {
#define P(...)
#define A(...)
#define DIAG(code, severity, exit_code, name, params, wording, args) \
	{#code, #name, wording, DIAG_##severity, exit_code},
#include "lang/diags.def"
#undef DIAG
#undef P
#undef A
};

struct Diags {
	Arena *arena;
	const Sources *sources;
	unsigned limit;
	uint16_t *row;
	size_t n, row_cap;
	Diag **kept;
	size_t kept_n, kept_cap;
	unsigned count[DIAG_REFUTED + 1], kept_count[DIAG_REFUTED + 1];
	Diag spare;
};

const DiagRow *diag_row(unsigned i)
{
	static const DiagRow end = {NULL, NULL, NULL, DIAG_NOTE, 0};
	return i < ROWS ? &table[i] : &end;
}

Diags *diags_create(Arena *a, const Sources *ss, unsigned limit)
{
	Diags *ds = arena_new(a, Diags);
	ds->arena = a;
	ds->sources = ss;
	ds->limit = limit;
	return ds;
}

/* Formats into the arena, made safe to show. */
static const char *format_text(Arena *a, const char *format, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, format, ap);
	char *s = arena_alloc(a, n < 0 ? 1 : (size_t)n + 1, 1);
	if (n > 0) {
		vsnprintf(s, (size_t)n + 1, format, again);
	}
	va_end(again);
	return unicode_clean(a, s, n < 0 ? 0 : (size_t)n, true);
}

__attribute__((format(printf, 4, 5))) static Diag *add(Diags *ds, Span at, unsigned row,
                                                       const char *format, ...)
{
	DiagSeverity severity = table[row].severity;
	ARENA_PUSH(ds->arena, ds->row, ds->n, ds->row_cap, (uint16_t)row);
	ds->count[severity]++;
	if (ds->kept_count[severity] >= ds->limit + KEEP_MORE) {
		memset(&ds->spare, 0, sizeof ds->spare);
		return &ds->spare;
	}
	Diag *d = arena_new(ds->arena, Diag);
	d->owner = ds;
	d->row = row;
	d->at = at;
	d->order = ds->n;
	va_list ap;
	va_start(ap, format);
	d->message = format_text(ds->arena, format, ap);
	va_end(ap);
	ds->kept_count[severity]++;
	ARENA_PUSH(ds->arena, ds->kept, ds->kept_n, ds->kept_cap, d);
	return d;
}

#define P(...) __VA_ARGS__
#define A(...) __VA_ARGS__
#define DIAG(code, severity, exit_code, name, params, wording, args) \
	Diag *diag_##name(Diags *ds, Span at params)                 \
	{                                                            \
		return add(ds, at, ROW_##name, wording args);        \
	}
#include "lang/diags.def"
#undef DIAG
#undef P
#undef A

static Diag *append(Diag *d, DiagPartKind kind, Span at, const char *text)
{
	DiagPart *p = arena_new(d->owner->arena, DiagPart);
	p->kind = kind;
	p->at = at;
	p->text = text;
	if (d->last) {
		d->last->next = p;
	} else {
		d->first = p;
	}
	d->last = p;
	return d;
}

/* The text of the variable arguments behind `format`, as one more part of d. */
#define APPEND(kind, at)                                                                   \
	do {                                                                               \
		if (d->owner) {                                                            \
			va_list ap;                                                        \
			va_start(ap, format);                                              \
			append(d, (kind), (at), format_text(d->owner->arena, format, ap)); \
			va_end(ap);                                                        \
		}                                                                          \
		return d;                                                                  \
	} while (0)

Diag *diag_note(Diag *d, Span at, const char *format, ...)
{
	APPEND(at.file ? PART_NOTE : PART_REMARK, at);
}

Diag *diag_remark(Diag *d, const char *format, ...)
{
	APPEND(PART_REMARK, (Span){0});
}

Diag *diag_help(Diag *d, const char *format, ...)
{
	APPEND(PART_HELP, (Span){0});
}

Diag *diag_label(Diag *d, const char *format, ...)
{
	if (d->owner) {
		va_list ap;
		va_start(ap, format);
		d->label = format_text(d->owner->arena, format, ap);
		va_end(ap);
	}
	return d;
}

unsigned diags_errors(const Diags *ds)
{
	return ds->count[DIAG_ERROR];
}

unsigned diags_warnings(const Diags *ds)
{
	return ds->count[DIAG_WARNING];
}

unsigned diags_count(const Diags *ds)
{
	return (unsigned)ds->n;
}

unsigned diags_mark(const Diags *ds)
{
	return (unsigned)ds->n;
}

void diags_rewind(Diags *ds, unsigned mark)
{
	while (ds->n > mark) {
		ds->count[table[ds->row[--ds->n]].severity]--;
	}
	while (ds->kept_n && ds->kept[ds->kept_n - 1]->order > mark) {
		ds->kept_count[table[ds->kept[--ds->kept_n]->row].severity]--;
	}
}

Diag *diags_last(Diags *ds)
{
	return ds->kept_n ? ds->kept[ds->kept_n - 1] : NULL;
}

void diags_clear(Diags *ds)
{
	diags_rewind(ds, 0);
}

/* Those with a place by file and offset, those without behind them; then in the order they were
 * made. */
static int by_place(const void *x, const void *y)
{
	const Diag *a = *(Diag *const *)x, *b = *(Diag *const *)y;
	if (a->at.file != b->at.file) {
		return a->at.file == 0           ? 1
		       : b->at.file == 0         ? -1
		       : a->at.file < b->at.file ? -1
		                                 : 1;
	}
	if (a->at.lo != b->at.lo) {
		return a->at.lo < b->at.lo ? -1 : 1;
	}
	if (a->at.hi != b->at.hi) {
		return a->at.hi < b->at.hi ? -1 : 1;
	}
	return a->order < b->order ? -1 : a->order > b->order;
}

/* Copies lie together after sorting, but not always side by side: others may share the place. */
static bool is_copy(Diag *const *list, size_t i)
{
	for (size_t j = i;
	     j-- > 0 && list[j]->at.lo == list[i]->at.lo && list[j]->at.hi == list[i]->at.hi;) {
		if (list[j]->row == list[i]->row && list[j]->at.file == list[i]->at.file &&
		    strcmp(list[j]->message, list[i]->message) == 0) {
			return true;
		}
	}
	return false;
}

static void render_hidden(unsigned hidden, FILE *out, bool json)
{
	if (json) {
		fprintf(out,
		        "{\"code\":null,\"severity\":\"note\",\"message\":\"%u more errors are not shown\",\"hidden\":%u}\n",
		        hidden, hidden);
	} else {
		fprintf(out, "%u more error%s not shown\n", hidden, hidden == 1 ? " is" : "s are");
	}
}

void diags_render(Diags *ds, FILE *out, bool colour, bool json)
{
	if (ds->kept_n == 0) {
		return;
	}
	Diag **list = arena_copy(ds->arena, ds->kept, ds->kept_n * sizeof *list, alignof(Diag *));
	qsort(list, ds->kept_n, sizeof *list, by_place);
	unsigned shown = 0, copies = 0;
	for (size_t i = 0; i < ds->kept_n; i++) {
		bool error = table[list[i]->row].severity == DIAG_ERROR;
		if (is_copy(list, i)) {
			copies += error;
			continue;
		}
		if (error && ds->limit && shown >= ds->limit) {
			continue;
		}
		shown += error;
		if (json) {
			diag_show_json(list[i], ds->sources, out);
		} else {
			diag_show_text(list[i], ds->sources, out, colour);
		}
	}
	unsigned hidden = ds->count[DIAG_ERROR] - shown - copies;
	if (hidden) {
		render_hidden(hidden, out, json);
	}
}

int diags_exit_code(const Diags *ds)
{
	static const int order[] = {70, 3, 4, 5, 6, 2, 1};
	size_t best = sizeof order / sizeof *order;
	for (size_t i = 0; i < ds->n; i++) {
		for (size_t k = 0; k < best; k++) {
			if (table[ds->row[i]].exit_code == order[k]) {
				best = k;
			}
		}
	}
	return best < sizeof order / sizeof *order ? order[best] : 0;
}

/* ---- the nearest name
 * ------------------------------------------------------------------------------------------ */

#define NEAR_MAX 64

static size_t decode_word(const char *s, uint32_t *out)
{
	size_t n = strlen(s), count = 0, i = 0;
	while (i < n && count < NEAR_MAX) {
		size_t length = unicode_decode(s + i, n - i, &out[count]);
		i += length ? length : 1;
		count += length != 0;
	}
	return i < n ? NEAR_MAX + 1 : count;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Edits that make a of b: insert, delete, replace, or swap two neighbours (each stretch edited
 * once), counted double; a change of case alone counts half an edit. */
static unsigned edits(const uint32_t *a, size_t na, const uint32_t *b, size_t nb)
{
	unsigned row[3][NEAR_MAX + 1];
	for (size_t j = 0; j <= nb; j++) {
		row[0][j] = 2 * (unsigned)j;
	}
	for (size_t i = 1; i <= na; i++) {
		unsigned *now = row[i % 3], *up = row[(i + 2) % 3], *upper = row[(i + 1) % 3];
		now[0] = 2 * (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			uint32_t x = a[i - 1], y = b[j - 1];
			bool letters = (x | 32) >= 'a' && (x | 32) <= 'z' && x < 128 && y < 128;
			unsigned change = x == y ? 0 : letters && (x | 32) == (y | 32) ? 1 : 2;
			now[j] = least(up[j - 1] + change, least(up[j], now[j - 1]) + 2);
			if (i > 1 && j > 1 && x == b[j - 2] && a[i - 2] == y) {
				now[j] = least(now[j], upper[j - 2] + 2);
			}
		}
	}
	return row[na % 3][nb];
}

const char *diag_nearest(const char *name, const char *const *candidates, size_t n)
{
	uint32_t want[NEAR_MAX], have[NEAR_MAX];
	size_t length = decode_word(name, want);
	if (length > NEAR_MAX || length == 0) {
		return NULL;
	}
	unsigned bound = length == 1 ? 1 : length <= 4 ? 2 : length <= 8 ? 4 : 6;
	const char *best = NULL;
	for (size_t i = 0; i < n; i++) {
		size_t other = decode_word(candidates[i], have);
		if (other > NEAR_MAX || other == 0) {
			continue;
		}
		unsigned d = edits(want, length, have, other);
		if (d > 0 && d <= bound) {
			best = candidates[i];
			bound = d - 1;
		}
	}
	return best;
}
