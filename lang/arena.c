/* arena.c — bump allocation in chunks that double up to a bound. */
#include "lang/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef ARENA_FIRST_CHUNK
#define ARENA_FIRST_CHUNK 16384u
#endif
#define ARENA_MAX_CHUNK (4u << 20)

typedef struct Chunk {
	struct Chunk *previous;
	size_t size, used;
	alignas(max_align_t) unsigned char bytes[];
} Chunk;

struct Arena {
	Chunk *top;
	size_t next_size, full; /* full: bytes used in chunks below the top */
	size_t held, limit;     /* bytes of all chunks; what they may be, 0: anything */
	void (*exhausted)(void *, size_t);
	void *data;
};

Arena *arena_create(void)
{
	Arena *a = calloc(1, sizeof *a);
	if (a) {
		a->next_size = ARENA_FIRST_CHUNK;
	}
	return a;
}

static void drop_top(Arena *a)
{
	Chunk *c = a->top;
	a->top = c->previous;
	if (a->top) {
		a->full -= a->top->used;
	}
	a->held -= c->size;
	free(c);
}

void arena_free(Arena *a)
{
	if (!a) {
		return;
	}
	while (a->top) {
		drop_top(a);
	}
	free(a);
}

void arena_on_exhausted(Arena *a, size_t limit, void (*handler)(void *, size_t), void *data)
{
	a->limit = limit;
	a->exhausted = handler;
	a->data = data;
}

Arena *arena_create_like(const Arena *like)
{
	Arena *a = arena_create();
	if (a) {
		arena_on_exhausted(a, like->limit, like->exhausted, like->data);
	}
	return a;
}

static _Noreturn void exhausted(Arena *a, size_t wanted)
{
	if (a->exhausted) {
		a->exhausted(a->data, wanted);
	}
	abort();
}

static void push_chunk(Arena *a, size_t least)
{
	size_t size = a->next_size;
	while (size < least && size <= SIZE_MAX / 2) {
		size *= 2;
	}
	if (size < least || size > SIZE_MAX - sizeof(Chunk)) {
		exhausted(a, least);
	}
	/* Most machines promise more than they have: memory that is not there shows when it is used, by the end of
	 * some process. */
	bool room = !a->limit || (size <= a->limit && a->held <= a->limit - size);
	Chunk *c = room ? malloc(sizeof *c + size) : NULL;
	if (!c) {
		exhausted(a, room ? least : a->limit);
	}
	a->held += size;
	c->previous = a->top;
	c->size = size;
	c->used = 0;
	if (a->top) {
		a->full += a->top->used;
	}
	a->top = c;
	if (a->next_size < ARENA_MAX_CHUNK) {
		a->next_size *= 2;
	}
}

void *arena_alloc(Arena *a, size_t size, size_t align)
{
	assert(align && (align & (align - 1)) == 0 && align <= alignof(max_align_t));
	if (size > SIZE_MAX - align) {
		exhausted(a, size);
	}
	size_t at = a->top ? (a->top->used + align - 1) & ~(align - 1) : 0;
	if (!a->top || at > a->top->size || size > a->top->size - at) {
		push_chunk(a, size + align);
		at = 0;
	}
	a->top->used = at + size;
	return memset(a->top->bytes + at, 0, size);
}

void *arena_alloc_n(Arena *a, size_t n, size_t size, size_t align)
{
	if (size && n > SIZE_MAX / size) {
		exhausted(a, SIZE_MAX);
	}
	return arena_alloc(a, n * size, align);
}

void *arena_copy(Arena *a, const void *bytes, size_t size, size_t align)
{
	void *to = arena_alloc(a, size, align);
	if (size) {
		memcpy(to, bytes, size);
	}
	return to;
}

char *arena_strdup(Arena *a, const char *s)
{
	return arena_copy(a, s, strlen(s) + 1, 1);
}

char *arena_printf(Arena *a, const char *format, ...)
{
	va_list ap, again;
	va_start(ap, format);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	char *s = arena_alloc(a, n < 0 ? 1 : (size_t)n + 1, 1);
	if (n >= 0) {
		vsnprintf(s, (size_t)n + 1, format, again);
	}
	va_end(again);
	return s;
}

ArenaMark arena_mark(Arena *a)
{
	return (ArenaMark){a->top, a->top ? a->top->used : 0};
}

void arena_release(Arena *a, ArenaMark m)
{
	while (a->top && (void *)a->top != m.chunk) {
		drop_top(a);
	}
	if (a->top) {
		a->top->used = m.used;
	}
}

size_t arena_used(const Arena *a)
{
	return a->full + (a->top ? a->top->used : 0);
}

void *arena_grow(Arena *a, void *items, size_t n, size_t *cap, size_t size, size_t align)
{
	size_t want = *cap ? *cap * 2 : 8;
	void *more = arena_alloc_n(a, want, size, align);
	if (n) {
		memcpy(more, items, n * size);
	}
	*cap = want;
	return more;
}
