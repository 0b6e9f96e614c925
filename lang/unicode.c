/* unicode.c — UTF-8 by hand, character classes and normal forms by libutf8proc. */
#include "lang/unicode.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

size_t unicode_decode(const char *s, size_t n, uint32_t *c)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)s;
	if (p[0] < 0x80) {
		*c = p[0];
		return 1;
	}
	size_t length = p[0] >= 0xF5   ? 0
	                : p[0] >= 0xF0 ? 4
	                : p[0] >= 0xE0 ? 3
	                : p[0] >= 0xC2 ? 2
	                               : 0;
	if (length == 0 || length > n) {
		return 0;
	}
	uint32_t value = p[0] & (0x7Fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xC0) != 0x80) {
			return 0;
		}
		value = value << 6 | (p[i] & 0x3Fu);
	}
	if (value < least[length] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
		return 0;
	}
	*c = value;
	return length;
}

size_t unicode_valid(const char *s, size_t n)
{
	size_t i = 0;
	while (i < n) {
		uint32_t c;
		size_t length = unicode_decode(s + i, n - i, &c);
		if (length == 0) {
			break;
		}
		i += length;
	}
	return i;
}

size_t unicode_encode(uint32_t c, char *out)
{
	if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) {
		return 0;
	}
	return (size_t)utf8proc_encode_char((utf8proc_int32_t)c, (utf8proc_uint8_t *)out);
}

/* Letters that would be read as something else: ª º like °, ⁱ ⁿ as powers, styled letters (𝑥, ﬁ,
 * Ａ) as plain ones. */
static bool misleading(uint32_t c)
{
	return c == 0xAA || c == 0xBA || c == 0x2071 || c == 0x207F ||
	       (c >= 0x1D400 && c <= 0x1D7FF) || (c >= 0xFB00 && c <= 0xFB4F) ||
	       (c >= 0xFF00 && c <= 0xFFEF);
}

bool unicode_begins_name(uint32_t c)
{
	if (c < 0x80) {
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
	}
	switch (utf8proc_category((utf8proc_int32_t)c)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO: return !misleading(c);
	default: return false;
	}
}

bool unicode_continues_name(uint32_t c)
{
	if (c < 0x80) {
		return unicode_begins_name(c) || (c >= '0' && c <= '9');
	}
	utf8proc_category_t k = utf8proc_category((utf8proc_int32_t)c);
	return unicode_begins_name(c) || k == UTF8PROC_CATEGORY_MN || k == UTF8PROC_CATEGORY_MC ||
	       (c >= 0x2080 && c <= 0x2089); /* subscript digits */
}

unsigned unicode_width(uint32_t c)
{
	int w = c < 0x80 ? 1 : utf8proc_charwidth((utf8proc_int32_t)c);
	return w < 0 ? 0 : (unsigned)w;
}

/* The micro sign and the ohm sign are the letters μ and Ω; other compatibility forms are not
 * folded. */
static size_t fold_signs(const char *s, size_t n, char *out)
{
	size_t o = 0;
	for (size_t i = 0; i < n; i++) {
		if (i + 1 < n && s[i] == '\xC2' && s[i + 1] == '\xB5') {
			memcpy(out + o, "\xCE\xBC", 2);
			o += 2;
			i++;
		} else {
			out[o++] = s[i];
		}
	}
	return o;
}

const char *unicode_nfc(Arena *a, const char *s, size_t n, size_t *out)
{
	bool plain = true;
	for (size_t i = 0; i < n && plain; i++) {
		plain = (unsigned char)s[i] < 0x80;
	}
	*out = n;
	if (plain || n > (1u << 24)) {
		return s;
	}
	char *folded = arena_alloc(a, n + 1, 1);
	size_t length = fold_signs(s, n, folded);
	utf8proc_uint8_t *normal = NULL;
	utf8proc_ssize_t size = utf8proc_map((const utf8proc_uint8_t *)folded,
	                                     (utf8proc_ssize_t)length, &normal,
	                                     UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	if (size < 0) {
		return s;
	}
	char *copy = arena_copy(a, normal, (size_t)size, 1);
	free(normal);
	*out = (size_t)size;
	return copy;
}

/* What stands for a character that must not reach a terminal; c itself when it may. */
static uint32_t harmless(uint32_t c, bool keep_newlines)
{
	if (c < 0x20) {
		return c == '\n' && keep_newlines ? c : 0x2400 + c;
	}
	if (c == 0x7F) {
		return 0x2421;
	}
	bool control = c >= 0x80 && c < 0xA0;
	bool reorders = (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) ||
	                c == 0x200E || c == 0x200F;
	return control || reorders || c == 0x2028 || c == 0x2029 || c == 0xFEFF ? 0xFFFD : c;
}

char *unicode_clean(Arena *a, const char *s, size_t n, bool keep_newlines)
{
	char *out = arena_alloc_n(a, n + 1, 3, 1); /* a byte becomes at most three */
	size_t o = 0, i = 0;
	while (i < n) {
		uint32_t c;
		size_t length = unicode_decode(s + i, n - i, &c);
		uint32_t shown = length ? harmless(c, keep_newlines) : 0xFFFD;
		if (length && shown == c) {
			memcpy(out + o, s + i, length);
			o += length;
		} else {
			o += unicode_encode(shown, out + o);
		}
		i += length ? length : 1;
	}
	out[o] = 0;
	return out;
}
