/* intern.c — an open-addressing table over strings kept in an arena. */
#include "lang/intern.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct Entry { const char *text; size_t length; uint64_t hash; } Entry;

struct Intern {
	Arena *arena;
	Entry *entry; /* by symbol */
	size_t n, cap;
	Sym *slot; /* hash table of symbols, 0 = free */
	size_t slots;
};

static uint64_t hash_bytes(const char *s, size_t n)
{
	uint64_t h = 1469598103934665603u; /* FNV-1a */
	for (size_t i = 0; i < n; i++) {
		h = (h ^ (unsigned char)s[i]) * 1099511628211u;
	}
	return h;
}

Intern *intern_create(Arena *a)
{
	Intern *in = arena_new(a, Intern);
	in->arena = a;
	in->slots = 256;
	in->slot = arena_array(a, Sym, in->slots);
	Entry none = {"", 0, 0};
	ARENA_PUSH(a, in->entry, in->n, in->cap, none);
	return in;
}

/* The slot where the string is, or where it would go. */
static size_t find_slot(const Intern *in, const char *s, size_t n, uint64_t h)
{
	size_t at = h & (in->slots - 1);
	while (in->slot[at]) {
		const Entry *e = &in->entry[in->slot[at]];
		if (e->hash == h && e->length == n && memcmp(e->text, s, n) == 0) {
			break;
		}
		at = (at + 1) & (in->slots - 1);
	}
	return at;
}

static void grow(Intern *in)
{
	in->slots *= 2;
	in->slot = arena_array(in->arena, Sym, in->slots);
	for (Sym i = 1; i < in->n; i++) {
		const Entry *e = &in->entry[i];
		in->slot[find_slot(in, e->text, e->length, e->hash)] = i;
	}
}

Sym intern_bytes(Intern *in, const char *s, size_t n)
{
	if (n == 0) {
		return 0;
	}
	uint64_t h = hash_bytes(s, n);
	size_t at = find_slot(in, s, n, h);
	if (in->slot[at]) {
		return in->slot[at];
	}
	char *text = arena_alloc(in->arena, n + 1, 1);
	memcpy(text, s, n);
	Entry e = {text, n, h};
	in->slot[at] = (Sym)in->n;
	ARENA_PUSH(in->arena, in->entry, in->n, in->cap, e);
	if (in->n * 2 > in->slots) {
		grow(in);
	}
	return (Sym)(in->n - 1);
}

Sym intern_str(Intern *in, const char *s)
{
	return intern_bytes(in, s, strlen(s));
}

Sym intern_printf(Intern *in, const char *format, ...)
{
	char small[256];
	va_list ap, again;
	va_start(ap, format);
	va_copy(again, ap);
	int n = vsnprintf(small, sizeof small, format, ap);
	va_end(ap);
	Sym s = 0;
	if (n >= 0 && (size_t)n < sizeof small) {
		s = intern_bytes(in, small, (size_t)n);
	} else if (n >= 0) {
		ArenaMark m = arena_mark(in->arena);
		char *big = arena_alloc(in->arena, (size_t)n + 1, 1);
		vsnprintf(big, (size_t)n + 1, format, again);
		if (!intern_find(in, big)) {
			s = intern_bytes(in, big, (size_t)n);
		} else {
			s = intern_find(in, big);
			arena_release(in->arena, m);
		}
	}
	va_end(again);
	return s;
}

Sym intern_find(const Intern *in, const char *s)
{
	size_t n = strlen(s);
	return n ? in->slot[find_slot(in, s, n, hash_bytes(s, n))] : 0;
}

const char *intern_text(const Intern *in, Sym s)
{
	return s < in->n ? in->entry[s].text : "";
}

size_t intern_count(const Intern *in)
{
	return in->n;
}
