/* csv_scan.c — rows and cells of separated text. Lines end with LF, CRLF or CR, also mixed. */
#include "runtime/csv_scan.h"
#include <string.h>

static bool at_line_end(const CsvScan *s)
{
	return s->at == s->end || *s->at == '\n' || *s->at == '\r';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\f' || c == '\v';
}

/* Over one line end, if there is one. */
static void end_line(CsvScan *s)
{
	if (s->at == s->end) {
		return;
	}
	s->line++;
	if (*s->at == '\r' && s->end - s->at > 1 && s->at[1] == '\n') {
		s->at++;
	}
	s->at++;
}

/* Blanks around cells do not count; a tab does where it is the delimiter. */
static void skip_blanks(CsvScan *s)
{
	while (s->at < s->end && is_blank(*s->at) && (s->delimiter == ' ' || *s->at != s->delimiter)) {
		s->at++;
	}
}

bool csv_next_row(CsvScan *s)
{
	while (s->at < s->end) {
		const char *start = s->at;
		skip_blanks(s); /* a line of tabs between tabs is a row of empty cells */
		bool blank = at_line_end(s);
		bool comment = !blank && (*s->at == '#' || (*s->at == '%' && !s->begun));
		if (!blank && !comment) {
			s->at = start;
			s->begun = true;
			return true;
		}
		const char *mark = s->at;
		while (!at_line_end(s)) {
			s->at++;
		}
		if (!s->begun) {
			s->comment = comment ? mark + 1 : NULL;
			s->ncomment = comment ? (size_t)(s->at - mark - 1) : 0;
		}
		end_line(s);
	}
	return false;
}

/* Behind the opening quote, up to the closing one. */
static bool quoted_text(CsvScan *s, CsvCell *cell)
{
	cell->text = s->at;
	while (s->at < s->end) {
		if (*s->at == '"') {
			if (s->end - s->at < 2 || s->at[1] != '"') {
				cell->n = (size_t)(s->at - cell->text);
				s->at++;
				return true;
			}
			s->at += 2;
		} else if (*s->at == '\n' || *s->at == '\r') {
			end_line(s);
		} else {
			s->at++;
		}
	}
	return false;
}

static bool at_cell_end(const CsvScan *s)
{
	return at_line_end(s) || (s->delimiter == ' ' ? is_blank(*s->at) : *s->at == s->delimiter);
}

static void plain_text(CsvScan *s, CsvCell *cell)
{
	cell->text = s->at;
	while (!at_cell_end(s)) {
		s->at++;
	}
	cell->n = (size_t)(s->at - cell->text);
	while (cell->n > 0 && is_blank(cell->text[cell->n - 1])) {
		cell->n--;
	}
}

CsvResult csv_next_cell(CsvScan *s, CsvCell *cell)
{
	skip_blanks(s);
	*cell = (CsvCell){.line = s->line};
	if (s->at < s->end && *s->at == '"') {
		s->at++;
		cell->quoted = true;
		if (!quoted_text(s, cell)) {
			return CSV_OPEN_QUOTE;
		}
		if (!at_cell_end(s) && !is_blank(*s->at)) {
			return CSV_AFTER_QUOTE;
		}
	} else {
		plain_text(s, cell);
	}
	skip_blanks(s);
	if (at_line_end(s)) {
		end_line(s);
		cell->last = true;
	} else if (s->delimiter != ' ') {
		if (*s->at != s->delimiter) {
			return CSV_AFTER_QUOTE;
		}
		s->at++;
	}
	return CSV_CELL;
}

size_t csv_cell_copy(const CsvCell *cell, char *out)
{
	size_t m = 0;
	for (size_t i = 0; i < cell->n; i++) {
		out[m++] = cell->text[i];
		if (cell->quoted && cell->text[i] == '"') {
			i++;
		}
	}
	out[m] = 0;
	return m;
}

/* How often c stands outside quotes in the row at s, which is passed over. */
static size_t count_in_row(CsvScan *s, char c)
{
	size_t count = 0;
	for (bool quoted = false; s->at < s->end && (quoted || !at_line_end(s)); s->at++) {
		quoted ^= *s->at == '"';
		count += !quoted && *s->at == c;
	}
	end_line(s);
	return count;
}

char csv_find_delimiter(const char *text, size_t n, char otherwise)
{
	static const char candidates[] = "\t;,";
	enum { ROWS = 20, LOOK = 1 << 16 };
	char found = otherwise;
	for (size_t k = 0; candidates[k]; k++) {
		CsvScan s = {.at = text, .end = text + n, .line = 1, .delimiter = candidates[k]};
		size_t first = 0, rows = 0;
		bool always = true, same = true;
		for (; rows < ROWS && (rows == 0 || s.at - text < LOOK) && csv_next_row(&s); rows++) {
			size_t count = count_in_row(&s, candidates[k]);
			first = rows == 0 ? count : first;
			same = same && count == first;
			always = always && count > 0;
		}
		if (rows > 0 && always && same) {
			return candidates[k];
		}
		if (rows > 0 && always) {
			found = candidates[k];
		}
	}
	return found;
}
