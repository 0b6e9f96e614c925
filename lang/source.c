/* source.c — texts as they came, and the map from byte offsets to lines.
 * Invariant: line[0] = 0 and line[i] is the offset behind the i-th newline, so lines are found by
 * bisection. */
#include "lang/source.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SOURCE_LIMIT (64u << 20)

typedef struct Text {
	const char *name, *bytes;
	uint32_t n, lines;
	uint32_t *line;
} Text;

struct Sources {
	Arena *arena;
	Text *text; /* text i has the number i + 1 */
	size_t n, cap;
};

Sources *sources_create(Arena *a)
{
	Sources *ss = arena_new(a, Sources);
	ss->arena = a;
	return ss;
}

static uint32_t count_lines(const char *bytes, size_t n)
{
	uint32_t lines = 1;
	const char *end = bytes + n;
	for (const char *p = bytes; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++) {
		lines++;
	}
	return lines;
}

/* Takes over bytes, which lie in the arena and end with a 0 behind n bytes. */
static uint32_t register_text(Sources *ss, const char *name, const char *bytes, size_t n)
{
	assert(n < UINT32_MAX);
	Text t = {arena_strdup(ss->arena, name), bytes, (uint32_t)n, count_lines(bytes, n), NULL};
	t.line = arena_array(ss->arena, uint32_t, t.lines);
	uint32_t at = 1;
	for (uint32_t i = 0; i < t.n; i++) {
		if (bytes[i] == '\n') {
			t.line[at++] = i + 1;
		}
	}
	ARENA_PUSH(ss->arena, ss->text, ss->n, ss->cap, t);
	return (uint32_t)ss->n;
}

uint32_t sources_add(Sources *ss, const char *name, const char *bytes, size_t n)
{
	char *copy = arena_alloc(ss->arena, n + 1, 1);
	if (n) {
		memcpy(copy, bytes, n);
	}
	return register_text(ss, name, copy, n);
}

/* Doubles the buffer of a file whose size is not known; false when the text is over the limit. */
static bool read_all(Arena *a, FILE *f, char **bytes, size_t *n)
{
	size_t cap = 65536, got;
	char *buffer = arena_alloc(a, cap + 1, 1);
	*n = 0;
	while ((got = fread(buffer + *n, 1, cap - *n, f)) > 0) {
		*n += got;
		if (*n > SOURCE_LIMIT) {
			errno = EFBIG;
			return false;
		}
		if (*n == cap) {
			char *more = arena_alloc(a, 2 * cap + 1, 1);
			memcpy(more, buffer, cap);
			buffer = more;
			cap *= 2;
		}
	}
	buffer[*n] = 0;
	*bytes = buffer;
	return !ferror(f);
}

uint32_t sources_load(Sources *ss, const char *path)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *f = standard ? stdin : fopen(path, "rb");
	if (!f) {
		return 0;
	}
	char *bytes = NULL;
	size_t n = 0;
	errno = 0;
	bool ok = read_all(ss->arena, f, &bytes, &n);
	int why = errno ? errno : EIO;
	if (!standard) {
		fclose(f);
	}
	if (!ok) {
		errno = why;
		return 0;
	}
	return register_text(ss, standard ? "<stdin>" : path, bytes, n);
}

static const Text *text_of(const Sources *ss, uint32_t file)
{
	assert(file >= 1 && file <= ss->n);
	return &ss->text[file - 1];
}

const char *sources_text(const Sources *ss, uint32_t file, size_t *n)
{
	const Text *t = text_of(ss, file);
	if (n) {
		*n = t->n;
	}
	return t->bytes;
}

const char *sources_name(const Sources *ss, uint32_t file)
{
	return text_of(ss, file)->name;
}

uint32_t sources_count(const Sources *ss)
{
	return (uint32_t)ss->n;
}

/* Index of the line that holds the offset: the last one that begins at or before it. */
static uint32_t line_at(const Text *t, uint32_t offset)
{
	uint32_t lo = 0, hi = t->lines;
	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (t->line[mid] <= offset) {
			lo = mid;
		} else {
			hi = mid;
		}
	}
	return lo;
}

/* A byte order mark at the very beginning is no character of the first line. */
static uint32_t line_start(const Text *t, uint32_t index)
{
	if (index == 0 && t->n >= 3 && memcmp(t->bytes, "\xEF\xBB\xBF", 3) == 0) {
		return 3;
	}
	return t->line[index];
}

Place sources_place(const Sources *ss, uint32_t file, uint32_t offset)
{
	const Text *t = text_of(ss, file);
	if (offset > t->n) {
		offset = t->n;
	}
	uint32_t index = line_at(t, offset), column = 1;
	for (uint32_t i = line_start(t, index); i < offset; i++) {
		column += ((unsigned char)t->bytes[i] & 0xC0) != 0x80; /* not a continuation byte */
	}
	if (offset < t->n && ((unsigned char)t->bytes[offset] & 0xC0) == 0x80 && column > 1) {
		column--; /* inside a character: the column of that character */
	}
	return (Place){t->name, index + 1, column};
}

const char *sources_line(const Sources *ss, uint32_t file, uint32_t line, size_t *n)
{
	const Text *t = text_of(ss, file);
	if (line < 1 || line > t->lines) {
		*n = 0;
		return "";
	}
	uint32_t lo = line_start(t, line - 1);
	uint32_t hi = line < t->lines ? t->line[line] - 1 : t->n;
	if (hi > lo && t->bytes[hi - 1] == '\r') {
		hi--;
	}
	*n = hi - lo;
	return t->bytes + lo;
}
