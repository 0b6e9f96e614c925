/* number.h — numbers as text, in both directions, the same in every locale. */
#ifndef PNN_RUNTIME_NUMBER_H
#define PNN_RUNTIME_NUMBER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
	RT_NUMBER, /* a finite decimal number */
	RT_MISSING, /* nothing, blanks, nan, inf, infinity, NA, N/A, null (any case, signs allowed) */
	RT_NOT_NUMBER, /* anything else: words, 1,5 and 0x10 */
	RT_OUT_OF_RANGE /* a decimal number beyond the largest double, such as 1e999 */
} RtNumberKind;

/* Reads all n bytes of text (blanks around are skipped) as [+-]digits[.digits][e[+-]digits],
 * correctly rounded. *value is NaN for RT_MISSING (or ±inf where that is written) and 0 for the
 * last two kinds. */
RtNumberKind rt_number_parse(const char *text, size_t n, double *value);
/* The kind alone, which for ordinary numbers takes no conversion. */
RtNumberKind rt_number_kind(const char *text, size_t n);
/* The same for integers; false if text is not an integer of 64 bits. */
bool rt_integer_parse(const char *text, size_t n, int64_t *value);
enum { RT_REAL_TEXT = 32 };
/* Writes the shortest decimal text that reads back as exactly x ("nan", "inf", "-inf" for those)
 * and returns out. */
char *rt_real_text(double x, char out[RT_REAL_TEXT]);
#endif
