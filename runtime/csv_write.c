/* csv_write.c — columns to comma-separated text that csv.c reads back as the same values. */
#include <inttypes.h>
#include <string.h>
#include "runtime/array.h"
#include "runtime/file.h"
#include "runtime/number.h"

/* Quotes what would otherwise be cut, trimmed, taken for a comment, or lost as an empty line. */
static void print_text(FILE *out, const char *text, bool alone)
{
	size_t n = strlen(text);
	bool plain = strcspn(text, ",;\t\"\n\r") == n && !(n == 0 && alone) &&
	             (n == 0 || (!strchr(" #%", text[0]) && text[n - 1] != ' '));
	if (plain) {
		(void)fputs(text, out);
		return;
	}
	(void)fputc('"', out);
	for (; *text; text++) {
		if (*text == '"') {
			(void)fputc('"', out);
		}
		(void)fputc(*text, out);
	}
	(void)fputc('"', out);
}

static void print_cell(FILE *out, const RtCsvColumn *c, size_t row, bool alone)
{
	char text[RT_REAL_TEXT];
	if (c->real) {
		(void)fputs(rt_real_text(c->real[row], text), out);
	} else if (c->integer) {
		(void)fprintf(out, "%" PRId64, c->integer[row]);
	} else {
		print_text(out, c->string[row] ? c->string[row] : "", alone);
	}
}

void rt_csv_print(FILE *out, const RtCsvColumn *column, size_t ncolumns, size_t rows)
{
	for (size_t k = 0; k < ncolumns; k++) {
		print_text(out, column[k].name, ncolumns == 1);
		(void)fputc(k + 1 < ncolumns ? ',' : '\n', out);
	}
	for (size_t i = 0; i < rows; i++) {
		for (size_t k = 0; k < ncolumns; k++) {
			print_cell(out, &column[k], i, ncolumns == 1);
			(void)fputc(k + 1 < ncolumns ? ',' : '\n', out);
		}
	}
}

RtStatus rt_csv_write(const char *path, const RtCsvColumn *column, size_t ncolumns, size_t rows,
                      RtError *err)
{
	RtFile *file;
	RtStatus status = rt_file_begin(path, &file, err);
	if (status != RT_OK) {
		return status;
	}
	rt_csv_print(rt_file_stream(file), column, ncolumns, rows);
	return rt_file_commit(file, err);
}
