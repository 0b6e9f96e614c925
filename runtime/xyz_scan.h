/* xyz_scan.h — the words of extended XYZ files (private to the runtime). */
#ifndef PNN_RUNTIME_XYZ_SCAN_H
#define PNN_RUNTIME_XYZ_SCAN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Text {
	const char *at;
	size_t n;
} Text;

typedef struct XyzLines {
	const char *at, *end;
	size_t line; /* of the line read last, from 1 */
} XyzLines;

/* What a value of the comment line is made of. A REAL may also be written as an integer. */
typedef enum { XYZ_BOOL, XYZ_INT, XYZ_REAL, XYZ_STRING } XyzKind;

bool text_equal(Text a, Text b);
bool text_is(Text a, const char *word);
/* The next line without its end (LF, CRLF or CR); false at the end of the file. */
bool xyz_next_line(XyzLines *l, Text *line);
/* The next word of *rest, which is shortened; false if only blanks are left. */
bool xyz_next_word(Text *rest, Text *word);
/* The next key=value of *rest. A lone key has the value T. Values may stand in double quotes, {} or
 * []. False at the end; *bad is set if a quote or bracket stays open. */
bool xyz_next_pair(Text *rest, Text *key, Text *value, bool *bad);
/* What the words of a value have in common, and their number; a STRING counts as one word. */
XyzKind xyz_value_kind(Text value, size_t *words);
/* The next word of a value, separated by blanks, commas or inner brackets. */
bool xyz_next_item(Text *value, Text *item);
/* T, F, true, false. */
bool xyz_bool(Text word, bool *value);
/* 1 for H ... 118 for Og, any case, or a number; 0 for what is no element. */
int64_t xyz_atomic_number(Text symbol);
#endif
