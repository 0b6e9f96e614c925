/* csv.c — separated text to tables.
 *
 * Two passes over the bytes and nothing kept between them but a few words per column: the first
 * finds out what each column is and where it is not what it should be, the second fills the values.
 * */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "runtime/csv_scan.h"
#include "runtime/number.h"
#include "runtime/table_int.h"

enum { MOST_COLUMNS = 100000 };

/* What the first pass learns of a column. The first row is kept apart, since it may be a header. */
typedef struct Survey {
	CsvCell head;
	RtNumberKind head_kind;
	size_t numbers, words, filled; /* cells below the first row */
	size_t bytes;                  /* of text, with terminators */
	size_t word_line, word_row;    /* the first word below the first row */
	size_t huge_line;              /* the first number out of range, or 0 */
	bool head_comes_again;
} Survey;

typedef struct Csv {
	TableBuild *b;
	CsvScan start;   /* at the first row */
	Survey *survey;
	size_t columns;  /* of the first row */
	size_t rows;     /* first row included */
	bool open_end;   /* the first row ends with an empty cell: rows may lack it */
	bool header;
} Csv;

static void place(char where[RT_WHERE_MAX], size_t line, size_t column)
{
	(void)snprintf(where, RT_WHERE_MAX, "line %zu, column %zu", line, column + 1);
}

static RtStatus cell_error(Csv *c, CsvResult result, const CsvCell *cell, size_t column)
{
	char where[RT_WHERE_MAX];
	place(where, cell->line, column);
	if (result == CSV_OPEN_QUOTE) {
		return table_fail(c->b, RT_E_FORMAT, where, "the quote that opens here is never closed");
	}
	return table_fail(c->b, RT_E_FORMAT, where, "text follows the closing quote of a cell");
}

static RtStatus ragged(Csv *c, size_t line, size_t have)
{
	char where[RT_WHERE_MAX];
	(void)snprintf(where, sizeof where, "line %zu", line);
	return table_fail(c->b, RT_E_FORMAT, where, "this row has %zu cells and the first row %zu",
	                  have, c->columns);
}

/* The cells of the first row; c->columns is their number. */
static RtStatus survey_first_row(Csv *c)
{
	CsvScan s = c->start;
	size_t room = 0;
	for (CsvCell cell = {0}; !cell.last;) {
		CsvResult result = csv_next_cell(&s, &cell);
		if (result != CSV_CELL) {
			return cell_error(c, result, &cell, c->columns);
		}
		if (c->columns == MOST_COLUMNS) {
			return table_fail(c->b, RT_E_LIMIT, NULL, "has more than %d columns", MOST_COLUMNS);
		}
		if (!rt_grow((void **)&c->survey, &room, c->columns + 1, sizeof *c->survey)) {
			return table_fail(c->b, RT_E_MEMORY, NULL, "not enough memory for its columns");
		}
		Survey *v = &c->survey[c->columns++];
		double x;
		memset(v, 0, sizeof *v);
		v->head = cell;
		v->head_kind = rt_number_parse(cell.text, cell.n, &x);
		v->bytes = cell.n + 1;
	}
	const CsvCell *last = &c->survey[c->columns - 1].head;
	c->open_end = c->columns > 1 && last->n == 0 && !last->quoted && c->start.delimiter != ' ';
	c->rows = 1;
	return RT_OK;
}

static void survey_cell(Csv *c, Survey *v, const CsvCell *cell)
{
	switch (rt_number_kind(cell->text, cell->n)) {
	case RT_OUT_OF_RANGE:
		v->huge_line = v->huge_line ? v->huge_line : cell->line;
		v->numbers++;
		break;
	case RT_NUMBER:
		v->numbers++;
		break;
	case RT_NOT_NUMBER:
		if (v->words++ == 0) {
			v->word_line = cell->line;
			v->word_row = c->rows;
		}
		break;
	case RT_MISSING:
		break;
	}
	v->filled += cell->n > 0;
	v->bytes += cell->n + 1;
	v->head_comes_again = v->head_comes_again || (cell->n > 0 && cell->n == v->head.n &&
	                                              memcmp(cell->text, v->head.text, cell->n) == 0);
}

/* Goes through the cells of a row. One empty cell too many is a delimiter at the line's end. */
static RtStatus survey_row(Csv *c, CsvScan *s)
{
	size_t k = 0, line = s->line;
	for (CsvCell cell = {0}; !cell.last; k++) {
		CsvResult result = csv_next_cell(s, &cell);
		if (result != CSV_CELL) {
			return cell_error(c, result, &cell, k);
		}
		if (k < c->columns) {
			survey_cell(c, &c->survey[k], &cell);
		} else if (k == c->columns && cell.last && cell.n == 0 && !cell.quoted) {
			break;
		}
	}
	if (k != c->columns && !(c->open_end && k + 1 == c->columns)) {
		return ragged(c, line, k);
	}
	if (k < c->columns) {
		c->survey[k].bytes++; /* the terminator of the cell that is not there */
	}
	c->rows++;
	return RT_OK;
}

static RtStatus survey_rows(Csv *c)
{
	CsvScan s = c->start;
	CsvCell cell = {0};
	while (!cell.last) {
		(void)csv_next_cell(&s, &cell); /* the first row has been surveyed */
	}
	while (csv_next_row(&s)) {
		RtStatus status = survey_row(c, &s);
		if (status != RT_OK) {
			return status;
		}
	}
	Survey *last = &c->survey[c->columns - 1];
	if (c->open_end && last->filled == 0) {
		c->columns--;
	}
	return RT_OK;
}

static bool is_header(const Csv *c)
{
	RtHeader wanted = c->b->options.header;
	if (wanted != RT_HEADER_DETECT) {
		return wanted == RT_HEADER_YES;
	}
	bool numeric = false, again = false, word = false;
	for (size_t k = 0; k < c->columns; k++) {
		const Survey *v = &c->survey[k];
		if (v->head_kind == RT_NUMBER || v->head_kind == RT_OUT_OF_RANGE) {
			return false;
		}
		word = word || v->head_kind == RT_NOT_NUMBER;
		numeric = numeric || (v->numbers > 0 && v->words == 0 && v->head.n > 0);
		again = again || v->head_comes_again;
	}
	return word && (numeric || (c->columns > 1 && !again));
}

/* Without a header the first row is a row like the others. */
static void count_first_row(Csv *c)
{
	for (size_t k = 0; k < c->columns && !c->header; k++) {
		Survey *v = &c->survey[k];
		v->numbers += v->head_kind == RT_NUMBER || v->head_kind == RT_OUT_OF_RANGE;
		v->filled += v->head.n > 0;
		if (v->head_kind == RT_OUT_OF_RANGE) {
			v->huge_line = v->head.line;
		}
		if (v->head_kind == RT_NOT_NUMBER) {
			v->words++;
			v->word_line = v->head.line;
			v->word_row = 0;
		}
	}
}

/* The words of a comment, if there is one for each column and none is a number: 0 or that many
 * cells. */
static size_t comment_names(const Csv *c, char delimiter, CsvCell *cells)
{
	CsvScan s = {.at = c->start.comment, .line = 1, .delimiter = delimiter, .begun = true};
	size_t k = 0;
	double x;
	s.end = s.at + c->start.ncomment;
	for (CsvCell cell = {0}; !cell.last; k++) {
		if (csv_next_cell(&s, &cell) != CSV_CELL || k == c->columns || cell.n == 0 ||
		    rt_number_parse(cell.text, cell.n, &x) != RT_NOT_NUMBER) {
			return 0;
		}
		cells[k] = cell;
	}
	return k == c->columns ? k : 0;
}

/* Without a header, the names come from the comment above, or are c1, c2, ... */
static void find_names(Csv *c, CsvCell *cells)
{
	static const char delimiters[] = ",;\t ";
	for (size_t k = 0; c->header && k < c->columns; k++) {
		cells[k] = c->survey[k].head;
	}
	if (!c->header && c->start.comment && c->start.ncomment > 0) {
		for (size_t i = 0; delimiters[i] && !c->b->table->has_header; i++) {
			c->b->table->has_header = comment_names(c, delimiters[i], cells) > 0;
		}
	}
	if (!c->header && !c->b->table->has_header) {
		memset(cells, 0, c->columns * sizeof *cells);
	}
	c->b->table->has_header = c->b->table->has_header || c->header;
}

static RtStatus add_column(Csv *c, size_t k, const CsvCell *name)
{
	const Survey *v = &c->survey[k];
	RtColumn *column;
	char *text = rt_alloc(name->n + 32, 1);
	if (!text) {
		return table_fail(c->b, RT_E_MEMORY, NULL, "not enough memory for its columns");
	}
	CsvCell word = *name;
	while (word.n > 0 && word.text[0] == ' ') { /* blanks within the quotes of a name */
		word.text++;
		word.n--;
	}
	while (word.n > 0 && word.text[word.n - 1] == ' ') {
		word.n--;
	}
	size_t n = csv_cell_copy(&word, text), records = c->b->table->records;
	if (n == 0) {
		n = (size_t)snprintf(text, 32, "c%zu", k + 1);
	}
	RtStatus status = table_add(c->b, text, n, &column);
	free(text);
	if (status != RT_OK) {
		return status;
	}
	char where[RT_WHERE_MAX];
	if (v->words == 0 && v->huge_line > 0) {
		place(where, v->huge_line, k);
		return table_fail(c->b, RT_E_FORMAT, where, "the number is larger than a double can hold");
	}
	status = table_shape(c->b, column, v->words ? RT_STRING : RT_REAL, 1, &records,
	                     v->words ? v->bytes : 0);
	if (v->words > 0) {
		column->is_mixed = v->numbers > 0;
		column->first_word = v->word_row - c->header;
		place(column->word_where, v->word_line, k);
	}
	return status;
}

static RtStatus add_columns(Csv *c)
{
	CsvCell *names = rt_alloc(c->columns, sizeof *names);
	if (!names) {
		return table_fail(c->b, RT_E_MEMORY, NULL, "not enough memory for its columns");
	}
	c->b->table->records = c->rows - c->header;
	find_names(c, names);
	RtStatus status = RT_OK;
	for (size_t k = 0; k < c->columns && status == RT_OK; k++) {
		status = add_column(c, k, &names[k]);
	}
	free(names);
	return status;
}

static void fill_cell(RtColumn *column, size_t row, size_t k, const CsvCell *cell, size_t *used)
{
	bool missing = cell->n == 0;
	if (column->type == RT_REAL) {
		double *x = &column->values.real[row];
		missing = rt_number_parse(cell->text, cell->n, x) == RT_MISSING;
	} else {
		column->values.string[row] = column->text + *used;
		*used += csv_cell_copy(cell, column->text + *used) + 1;
	}
	if (missing) {
		table_missing(column, row, "line %zu, column %zu", cell->line, k + 1);
	}
}

/* The second pass. What it meets the first one has accepted. */
static RtStatus fill_rows(Csv *c)
{
	RtTable *t = c->b->table;
	size_t *used = rt_alloc(t->ncolumns, sizeof *used);
	if (!used) {
		return table_fail(c->b, RT_E_MEMORY, NULL, "not enough memory for its columns");
	}
	CsvScan s = c->start;
	for (size_t row = 0; csv_next_row(&s); row++) {
		size_t k = 0;
		bool skip = row == 0 && c->header;
		for (CsvCell cell = {0}; !cell.last; k++) {
			(void)csv_next_cell(&s, &cell);
			if (!skip && k < t->ncolumns) {
				fill_cell(&t->column[k], row - c->header, k, &cell, &used[k]);
			}
		}
		for (; !skip && k < t->ncolumns; k++) { /* the empty last cell that this row lacks */
			CsvCell none = {.line = s.line - 1};
			fill_cell(&t->column[k], row - c->header, k, &none, &used[k]);
		}
	}
	free(used);
	return RT_OK;
}

static char find_delimiter(const TableBuild *b, const char *text, size_t n)
{
	if (b->options.delimiter) {
		return b->options.delimiter;
	}
	char otherwise = ' ';
	if (table_has_extension(b->name, ".csv")) {
		otherwise = ',';
	} else if (table_has_extension(b->name, ".tsv")) {
		otherwise = '\t';
	}
	return csv_find_delimiter(text, n, otherwise);
}

RtStatus csv_read(TableBuild *b)
{
	const char *text = b->bytes;
	size_t n = b->n;
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		n -= 3;
	}
	RtStatus status = table_check_text(b, text, n);
	if (status != RT_OK) {
		return status;
	}
	Csv c = {.b = b};
	c.start = (CsvScan){.at = text, .end = text + n, .line = 1};
	c.start.delimiter = find_delimiter(b, text, n);
	if (!csv_next_row(&c.start)) {
		return table_fail(b, RT_E_FORMAT, NULL, "holds no rows");
	}
	status = survey_first_row(&c);
	if (status == RT_OK) {
		status = survey_rows(&c);
	}
	if (status == RT_OK) {
		c.header = is_header(&c);
		count_first_row(&c);
		status = add_columns(&c);
	}
	if (status == RT_OK) {
		status = fill_rows(&c);
	}
	free(c.survey);
	return status;
}
