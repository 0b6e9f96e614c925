/* source.h — loaded texts and byte spans. Positions are byte offsets until they are shown. */
#ifndef PNN_LANG_SOURCE_H
#define PNN_LANG_SOURCE_H
#include <stddef.h>
#include <stdint.h>
#include "lang/arena.h"

/* Bytes lo..hi-1 of text number file. {0} is "no place". Files are numbered from 1. */
typedef struct Span { uint32_t file, lo, hi; } Span;
typedef struct Sources Sources;
typedef struct Place { const char *name; uint32_t line, column; } Place; /* from 1; columns in characters */

Sources *sources_create(Arena *a);
/* Registers a text (copied, 0-terminated) under a name shown to users; returns its file number. */
uint32_t sources_add(Sources *ss, const char *name, const char *bytes, size_t n);
/* Reads a file ("-": standard input). Returns its number, or 0 with errno set. Refuses files over 64 MiB (EFBIG). */
uint32_t sources_load(Sources *ss, const char *path);
const char *sources_text(const Sources *ss, uint32_t file, size_t *n);
const char *sources_name(const Sources *ss, uint32_t file);
/* Line and column of an offset. */
Place sources_place(const Sources *ss, uint32_t file, uint32_t offset);
/* The line (from 1) as bytes without its newline. */
const char *sources_line(const Sources *ss, uint32_t file, uint32_t line, size_t *n);
uint32_t sources_count(const Sources *ss);
static inline Span span_join(Span a, Span b)
{
	if (!a.file) { return b; }
	if (!b.file || a.file != b.file) { return a; }
	Span s = {a.file, a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi};
	return s;
}
#endif
