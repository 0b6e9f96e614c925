/* unicode.h — characters in UTF-8 bytes: decoding, classes, widths and safe display. */
#ifndef PNN_LANG_UNICODE_H
#define PNN_LANG_UNICODE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lang/arena.h"

/* Decodes the character at s (n bytes left, n >= 1). Returns its length 1..4 and stores it in *c; 0
 * when the bytes are not valid UTF-8 (overlong, surrogate, beyond U+10FFFF, cut off). */
size_t unicode_decode(const char *s, size_t n, uint32_t *c);
/* Number of leading bytes that are valid UTF-8; n when all are. */
size_t unicode_valid(const char *s, size_t n);
/* Writes the character as UTF-8 (at most 4 bytes), returns the length; 0 for what is no character.
 */
size_t unicode_encode(uint32_t c, char *out);
/* May the character begin an identifier (any letter, or _), may it continue one (also digits,
 * marks)? */
bool unicode_begins_name(uint32_t c);
bool unicode_continues_name(uint32_t c);
/* Columns the character takes on a terminal: 0, 1 or 2. */
unsigned unicode_width(uint32_t c);
/* The text in normal form C, with U+00B5 and U+2126 replaced by the Greek letters they look like;
 * in a. When nothing changes s itself is returned. *out is the length. The bytes must be valid
 * UTF-8. */
const char *unicode_nfc(Arena *a, const char *s, size_t n, size_t *out);
/* The bytes as text that is safe to show: bytes that are not UTF-8 become U+FFFD, control
 * characters their pictures (newlines stay if asked), and characters that reorder the line U+FFFD.
 * 0-terminated, in a. */
char *unicode_clean(Arena *a, const char *s, size_t n, bool keep_newlines);
#endif
