/* utf8.c — well-formed UTF-8 after table 3-7 of the Unicode standard. */
#include "runtime/utf8.h"

static int is_tail(const char *text, size_t i, size_t n, unsigned lo, unsigned hi)
{
	unsigned c = i < n ? (unsigned char)text[i] : 0;
	return c >= lo && c <= hi;
}

size_t rt_utf8_step(const char *text, size_t n)
{
	unsigned c = n > 0 ? (unsigned char)text[0] : 0xff;
	if (c < 0x80) {
		return 1;
	}
	if (c >= 0xc2 && c <= 0xdf) {
		return is_tail(text, 1, n, 0x80, 0xbf) ? 2 : 0;
	}
	if (c >= 0xe0 && c <= 0xef) { /* not overlong, no surrogates */
		unsigned lo = c == 0xe0 ? 0xa0 : 0x80, hi = c == 0xed ? 0x9f : 0xbf;
		return is_tail(text, 1, n, lo, hi) && is_tail(text, 2, n, 0x80, 0xbf) ? 3 : 0;
	}
	if (c >= 0xf0 && c <= 0xf4) {
		unsigned lo = c == 0xf0 ? 0x90 : 0x80, hi = c == 0xf4 ? 0x8f : 0xbf;
		return is_tail(text, 1, n, lo, hi) && is_tail(text, 2, n, 0x80, 0xbf) &&
		               is_tail(text, 3, n, 0x80, 0xbf)
		           ? 4
		           : 0;
	}
	return 0;
}

size_t rt_utf8_valid(const char *text, size_t n)
{
	size_t i = 0;
	while (i < n) {
		size_t step = rt_utf8_step(text + i, n - i);
		if (step == 0) {
			break;
		}
		i += step;
	}
	return i;
}

size_t rt_utf8_put(unsigned long c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char mark[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = n; i-- > 1; c >>= 6) {
		out[i] = (char)(0x80 | (c & 0x3f));
	}
	out[0] = (char)(mark[n] | c);
	return n;
}
