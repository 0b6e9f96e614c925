/* utf8.h — is this text UTF-8? (private to the runtime) */
#ifndef PNN_RUNTIME_UTF8_H
#define PNN_RUNTIME_UTF8_H
#include <stddef.h>

/* Bytes of the character at text[0] of n, or 0 if it is not well formed (overlong, surrogate,
 * beyond U+10FFFF, cut off). */
size_t rt_utf8_step(const char *text, size_t n);
/* The number of well formed bytes at the start: n if all are. */
size_t rt_utf8_valid(const char *text, size_t n);
/* Writes the character c (a scalar value) to out[4]; returns its bytes. */
size_t rt_utf8_put(unsigned long c, char out[4]);
#endif
