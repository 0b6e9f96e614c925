/* number.c — decimal text to doubles and back.
 *
 * The grammar is our own (strtod alone would also take hexadecimal and the locale's comma). Short
 * numbers are converted exactly: w < 2^53 and 10^|e|, |e| <= 22, are doubles, so w*10^e or w/10^-e
 * rounds once (Clinger 1990). The others go to strtod, with the locale's own decimal point put in.
 * */
#include "runtime/number.h"
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LONGEST = 1024 }; /* characters of a number; longer ones are not taken for numbers */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static void trim(const char **text, size_t *n)
{
	while (*n > 0 && is_blank((*text)[*n - 1])) {
		--*n;
	}
	while (*n > 0 && is_blank(**text)) {
		++*text;
		--*n;
	}
}

typedef struct Decimal {
	bool negative, exact; /* exact: all digits are in digits */
	uint64_t digits;
	long exponent;        /* value = digits * 10^exponent */
} Decimal;

/* The digits of one run; each after the point lowers the exponent. */
static size_t scan_digits(const char *text, size_t n, bool fraction, Decimal *d)
{
	size_t i = 0;
	for (; i < n && is_digit(text[i]); i++) {
		if (d->digits > (UINT64_MAX - 9) / 10) {
			d->exact = false;
		}
		if (d->exact) {
			d->digits = d->digits * 10 + (uint64_t)(text[i] - '0');
			d->exponent -= fraction;
		}
	}
	return i;
}

static size_t scan_exponent(const char *text, size_t n, Decimal *d)
{
	size_t i = 1;
	bool negative = false;
	if (i < n && (text[i] == '+' || text[i] == '-')) {
		negative = text[i++] == '-';
	}
	if (i == n || !is_digit(text[i])) {
		return 0;
	}
	long e = 0;
	for (; i < n && is_digit(text[i]); i++) {
		e = e < 100000 ? e * 10 + (text[i] - '0') : e;
	}
	d->exponent += negative ? -e : e;
	return i;
}

/* [+-] digits [. digits] [e [+-] digits], or . digits: the whole of text or nothing. */
static bool scan_decimal(const char *text, size_t n, Decimal *d)
{
	size_t i = n > 0 && (text[0] == '+' || text[0] == '-');
	*d = (Decimal){i > 0 && text[0] == '-', true, 0, 0};
	size_t whole = scan_digits(text + i, n - i, false, d), fraction = 0;
	i += whole;
	if (i < n && text[i] == '.') {
		fraction = scan_digits(text + i + 1, n - i - 1, true, d);
		i += 1 + fraction;
	}
	if (whole + fraction == 0) {
		return false;
	}
	if (i < n && (text[i] == 'e' || text[i] == 'E')) {
		size_t e = scan_exponent(text + i, n - i, d);
		if (e == 0) {
			return false;
		}
		i += e;
	}
	return i == n;
}

static bool is_word(const char *text, size_t n, const char *word)
{
	return strlen(word) == n && strncasecmp(text, word, n) == 0;
}

/* The words for what is not there. A sign may stand before nan and inf. */
static bool is_missing(const char *text, size_t n, double *value)
{
	*value = NAN;
	if (n == 0 || is_word(text, n, "na") || is_word(text, n, "n/a") || is_word(text, n, "null")) {
		return true;
	}
	bool negative = text[0] == '-';
	if (text[0] == '-' || text[0] == '+') {
		text++;
		n--;
	}
	if (is_word(text, n, "inf") || is_word(text, n, "infinity")) {
		*value = negative ? -INFINITY : INFINITY;
		return true;
	}
	return is_word(text, n, "nan");
}

/* strtod on a copy whose point is the locale's. text has passed scan_decimal. */
static RtNumberKind convert_slowly(const char *text, size_t n, double *value)
{
	char copy[LONGEST + 16];
	const char *point = localeconv()->decimal_point;
	size_t m = 0, np = strlen(point);
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '.' && np > 0 && np < 16) {
			memcpy(copy + m, point, np);
			m += np;
		} else {
			copy[m++] = text[i];
		}
	}
	copy[m] = 0;
	*value = strtod(copy, NULL);
	if (isinf(*value)) {
		*value = 0;
		return RT_OUT_OF_RANGE;
	}
	return RT_NUMBER;
}

RtNumberKind rt_number_parse(const char *text, size_t n, double *value)
{
	static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
	                               1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
	                               1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	Decimal d;
	trim(&text, &n);
	*value = 0;
	if (n > LONGEST) {
		return RT_NOT_NUMBER;
	}
	if (!scan_decimal(text, n, &d)) {
		if (is_missing(text, n, value)) {
			return RT_MISSING;
		}
		*value = 0;
		return RT_NOT_NUMBER;
	}
	if (!d.exact || d.digits >> 53 || d.exponent < -22 || d.exponent > 22) {
		return convert_slowly(text, n, value);
	}
	double w = (double)d.digits;
	w = d.exponent < 0 ? w / power[-d.exponent] : w * power[d.exponent];
	*value = d.negative ? -w : w;
	return RT_NUMBER;
}

RtNumberKind rt_number_kind(const char *text, size_t n)
{
	Decimal d;
	double x;
	trim(&text, &n);
	/* With n characters the value lies below 10^(n + exponent). */
	bool plain = n <= 200 && scan_decimal(text, n, &d) && d.exponent > -400 && d.exponent < 100;
	return plain ? RT_NUMBER : rt_number_parse(text, n, &x);
}

bool rt_integer_parse(const char *text, size_t n, int64_t *value)
{
	trim(&text, &n);
	size_t i = n > 0 && (text[0] == '+' || text[0] == '-');
	bool negative = i > 0 && text[0] == '-';
	uint64_t limit = (uint64_t)INT64_MAX + negative, w = 0;
	if (i == n) {
		return false;
	}
	for (; i < n; i++) {
		uint64_t digit = (uint64_t)(text[i] - '0');
		if (!is_digit(text[i]) || w > (limit - digit) / 10) {
			return false;
		}
		w = w * 10 + digit;
	}
	*value = negative ? (int64_t)(~w + 1) : (int64_t)w;
	return true;
}

/* The locale's point back to '.'. */
static void plain_point(char *text)
{
	const char *point = localeconv()->decimal_point;
	char *at = *point && strcmp(point, ".") != 0 ? strstr(text, point) : NULL;
	if (at) {
		size_t np = strlen(point);
		*at = '.';
		memmove(at + 1, at + np, strlen(at + np) + 1);
	}
}

char *rt_real_text(double x, char out[RT_REAL_TEXT])
{
	if (isnan(x)) {
		return strcpy(out, "nan");
	}
	if (isinf(x)) {
		return strcpy(out, x > 0 ? "inf" : "-inf");
	}
	/* 15 digits always survive, but for subnormals, which have fewer. */
	for (int digits = fabs(x) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
		(void)snprintf(out, RT_REAL_TEXT, "%.*g", digits, x);
		if (strtod(out, NULL) == x) {
			break;
		}
	}
	plain_point(out);
	return out;
}
