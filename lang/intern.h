/* intern.h — strings to small numbers, so that names are compared by ==. */
#ifndef PNN_LANG_INTERN_H
#define PNN_LANG_INTERN_H
#include <stddef.h>
#include <stdint.h>
#include "lang/arena.h"

typedef uint32_t Sym; /* 0 is "no name" and has the text "" */
typedef struct Intern Intern;

/* A table whose strings live in a (which must outlive it). */
Intern *intern_create(Arena *a);
/* The symbol of n bytes at s. Bytes are compared as they are: callers normalise to NFC first. */
Sym intern_bytes(Intern *in, const char *s, size_t n);
Sym intern_str(Intern *in, const char *s);
/* The symbol of a printf text. */
Sym intern_printf(Intern *in, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The symbol if the string is known already, else 0. */
Sym intern_find(const Intern *in, const char *s);
/* 0-terminated text of a symbol; valid as long as the arena. */
const char *intern_text(const Intern *in, Sym s);
size_t intern_count(const Intern *in);
#endif
