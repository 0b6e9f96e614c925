/* csv_scan.h — rows and cells of separated text (private to the runtime). */
#ifndef PNN_RUNTIME_CSV_SCAN_H
#define PNN_RUNTIME_CSV_SCAN_H
#include <stdbool.h>
#include <stddef.h>

typedef struct CsvScan {
	const char *at, *end;
	size_t line;         /* of at, from 1 */
	char delimiter;      /* ' ' is any run of blanks and tabs */
	bool begun;          /* a row has been read: '%' is no comment any more */
	const char *comment; /* the last comment line before the first row, without its mark, or NULL */
	size_t ncomment;
} CsvScan;

typedef struct CsvCell {
	const char *text; /* within the quotes, doubled quotes still doubled */
	size_t n;
	size_t line;
	bool quoted;
	bool last;        /* of its row */
} CsvCell;

typedef enum { CSV_CELL, CSV_OPEN_QUOTE, CSV_AFTER_QUOTE } CsvResult;

/* Goes to the next row, over blank lines and comments; false at the end. */
bool csv_next_row(CsvScan *s);
/* The next cell of the row; after the last one the scan stands behind the line. */
CsvResult csv_next_cell(CsvScan *s, CsvCell *cell);
/* Copies the content of a cell to out (n+1 bytes suffice), undoubling quotes, with a zero; its
 * length. */
size_t csv_cell_copy(const CsvCell *cell, char *out);
/* The delimiter that the first lines suggest; otherwise is the answer where none of , ; and tab
 * occurs. */
char csv_find_delimiter(const char *text, size_t n, char otherwise);
#endif
