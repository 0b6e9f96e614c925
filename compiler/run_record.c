/* run_record.c — tables of results: a row for each `record` executed, columns for the enclosing
 * loops, the step and the values. Tables are printed at the end and written as CSV where the
 * program says so. */
#include "compiler/run_int.h"
#include "runtime/array.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_SHOWN = 40, ROWS_TAIL = 5, TEXT_MAX = 48 };

void record_free(Run *r)
{
	for (size_t k = 0; k < r->ntable; k++) {
		free(r->table[k].cell);
	}
	free(r->table);
	r->table = NULL;
	r->ntable = r->table_room = 0;
}

/* ---- columns ---- */

typedef struct Columns {
	Arena *arena;
	const char **name;
	bool *integer;
	Axis *of;
	size_t n, room, room2, room3;
} Columns;

static void add_column(Columns *c, const char *name, bool integer, Axis of)
{
	size_t n = c->n, m = c->n;
	ARENA_PUSH(c->arena, c->of, m, c->room3, of);
	ARENA_PUSH(c->arena, c->integer, n, c->room2, integer);
	ARENA_PUSH(c->arena, c->name, c->n, c->room, name);
}

/* "m[x,2]": the name of element i of an array value. */
static const char *element_name(const Run *r, const char *name, Def d, size_t i)
{
	const DefInfo *info = core_def(r->core, d);
	const char *tail = "";
	for (uint32_t k = info->nindex; k-- > 0;) {
		const AxisInfo *a =
			core_axis_info(r->core, core_index_axis(r->core, info->index[k]));
		size_t at = i % (size_t)a->size;
		i /= (size_t)a->size;
		const char *comma = tail[0] ? "," : "";
		tail = a->nlabel ? arena_printf(r->e->arena, "%s%s%s", run_name(r, a->label[at]),
						comma, tail)
				 : arena_printf(r->e->arena, "%lld%s%s",
						(long long)(a->first + (int64_t)at), comma, tail);
	}
	return arena_printf(r->e->arena, "%s[%s]", name, tail);
}

static Columns find_columns(Run *r, const Stmt *s, bool step)
{
	Columns c = {.arena = r->e->arena};
	for (unsigned k = 0; k < r->nloop; k++) {
		add_column(&c, run_name(r, r->loop[k].loop->name), r->loop[k].integer,
			   r->loop[k].loop->of);
	}
	if (step) {
		add_column(&c, "step", true, 0);
	}
	for (uint32_t k = 0; k < s->u.record.n; k++) {
		const Value *v = &s->u.record.column[k];
		const char *name = v->name ? run_name(r, v->name) : v->text ? v->text : "text";
		size_t count = 1;
		bool integer = v->value && core_def(r->core, v->value)->kind != KIND_REAL;
		if (!v->value || core_def(r->core, v->value)->nindex == 0) {
			add_column(&c, name, integer, v->of);
			continue;
		}
		if (eval_count(r, v->value, &count)) {
			for (size_t i = 0; i < count; i++) {
				add_column(&c, element_name(r, name, v->value, i), integer, 0);
			}
		}
	}
	return c;
}

static bool same_columns(const RecordTable *t, const Columns *c)
{
	if (t->ncolumn != c->n) {
		return false;
	}
	for (uint32_t k = 0; k < t->ncolumn; k++) {
		if (strcmp(t->column[k], c->name[k]) != 0) {
			return false;
		}
	}
	return true;
}

static RecordTable *new_table(Run *r)
{
	void *items = r->table;
	if (!rt_grow(&items, &r->table_room, r->ntable + 1, sizeof *r->table)) {
		diag_out_of_memory(r->e->ctx.diags, (Span){0}, "the recorded table");
		return NULL;
	}
	r->table = items;
	memset(&r->table[r->ntable], 0, sizeof *r->table);
	return &r->table[r->ntable++];
}

/* Records of one name and equal columns share a table; those without a name share it with
 * themselves. */
static RecordTable *find_table(Run *r, const Stmt *s, bool step)
{
	Columns c = find_columns(r, s, step);
	const char *name = run_name(r, s->u.record.table),
		   *path = s->u.record.path ? run_name(r, s->u.record.path) : NULL;
	for (size_t k = 0; k < r->ntable; k++) {
		RecordTable *t = &r->table[k];
		bool mine = t->stmt == s || (!t->stmt && strcmp(t->name, name) == 0) ||
			    (name[0] && strcmp(t->name, name) == 0);
		if (mine && same_columns(t, &c)) {
			t->stmt = s;
			t->path = path;
			t->of = c.of;
			return t;
		}
	}
	RecordTable *t = new_table(r);
	if (t) {
		t->stmt = s;
		t->name = name;
		t->path = path;
		t->ncolumn = (uint32_t)c.n;
		t->column = c.name;
		t->integer = c.integer;
		t->of = c.of;
	}
	return t;
}

/* ---- rows ---- */

static Cell *new_row(Run *r, RecordTable *t)
{
	void *items = t->cell;
	size_t room = t->room * t->ncolumn;
	if (!rt_grow(&items, &room, (t->rows + 1) * t->ncolumn, sizeof *t->cell)) {
		diag_out_of_memory(r->e->ctx.diags, (Span){0}, "the recorded table");
		return NULL;
	}
	t->cell = items;
	t->room = t->ncolumn ? room / t->ncolumn : 0;
	return t->cell + t->rows++ * t->ncolumn;
}

const char *run_label(const Run *r, Axis of, int64_t v)
{
	const AxisInfo *a = of ? core_axis_info(r->core, of) : NULL;
	bool known = a && a->nlabel && v >= a->first && v < a->first + a->size;
	return known ? run_name(r, a->label[v - a->first]) : NULL;
}

/* What a cell says in words: a text, or the label of a place; NULL if it is a number. */
static const char *cell_words(const Run *r, const RecordTable *t, const Cell *c, uint32_t column)
{
	return c->text ? c->text : t->of ? run_label(r, t->of[column], (int64_t)c->real) : NULL;
}

static void row_event(Run *r, const RecordTable *t, const Cell *row)
{
	if (!r->metrics) {
		return;
	}
	metrics_begin(r->metrics, "record");
	metrics_string(r->metrics, "table", t->name);
	metrics_nest(r->metrics, "row");
	for (uint32_t k = 0; k < t->ncolumn; k++) {
		const char *words = cell_words(r, t, &row[k], k);
		if (words) {
			metrics_string(r->metrics, t->column[k], words);
		} else if (t->integer[k]) {
			metrics_int(r->metrics, t->column[k], (int64_t)row[k].real);
		} else {
			metrics_real(r->metrics, t->column[k], row[k].real);
		}
	}
	metrics_close(r->metrics);
	run_event_end(r);
}

static void fill_row(Run *r, const Stmt *s, Plan *plan, int64_t step, Cell *cell)
{
	for (unsigned k = 0; k < r->nloop; k++) {
		*cell++ = (Cell){r->loop[k].value, NULL};
	}
	if (step >= 0) {
		*cell++ = (Cell){(double)step, NULL};
	}
	for (uint32_t k = 0, output = 0; k < s->u.record.n; k++) {
		const Value *v = &s->u.record.column[k];
		if (!v->value) {
			*cell++ = (Cell){0, run_name(r, v->string)};
			continue;
		}
		for (size_t i = 0; i < plan_count(plan, output); i++) {
			*cell++ = (Cell){eval_real(r, plan, output, v->value, i), NULL};
		}
		output++;
	}
}

Plan *record_plan(Run *r, const Stmt *s, bool *none)
{
	PlanOutput *out = rt_alloc(s->u.record.n, sizeof *out);
	uint32_t n = 0;
	if (!out) {
		diag_out_of_memory(r->e->ctx.diags, s->span, "a record");
	}
	for (uint32_t k = 0; out && k < s->u.record.n; k++) {
		if (s->u.record.column[k].value) {
			out[n++] = (PlanOutput){s->u.record.column[k].value, 0};
		}
	}
	*none = out && !n;
	Plan *plan = n ? eval_cached(r, s, 0, n, out) : NULL;
	free(out);
	return plan;
}

bool record_row(Run *r, const Stmt *s, int64_t step)
{
	bool none;
	Plan *plan = record_plan(r, s, &none);
	bool ok = none || (plan && eval_run(r, plan, 0));
	RecordTable *t = ok ? find_table(r, s, step >= 0) : NULL;
	Cell *row = t ? new_row(r, t) : NULL;
	if (row) {
		fill_row(r, s, plan, step, row);
		row_event(r, t, row);
	}
	return row != NULL;
}

/* ---- showing ---- */

static const char *cell_text(const Run *r, const RecordTable *t, size_t row, uint32_t column,
			     char out[TEXT_MAX])
{
	const Cell *c = &t->cell[row * t->ncolumn + column];
	const char *words = cell_words(r, t, c, column);
	if (words) {
		return words;
	}
	if (t->integer[column]) {
		snprintf(out, TEXT_MAX, "%lld", (long long)c->real);
	} else if (isnan(c->real)) {
		snprintf(out, TEXT_MAX, "nan");
	} else {
		snprintf(out, TEXT_MAX, "%.6g", c->real);
	}
	return out;
}

/* Characters of UTF-8 text, so that Greek names align. */
static int text_width(const char *s)
{
	int n = 0;
	for (; *s; s++) {
		n += (*s & 0xC0) != 0x80;
	}
	return n;
}

static int column_width(const Run *r, const RecordTable *t, uint32_t k)
{
	char text[TEXT_MAX];
	int width = text_width(t->column[k]);
	for (size_t i = 0; i < t->rows; i++) {
		int w = text_width(cell_text(r, t, i, k, text));
		width = w > width ? w : width;
	}
	return width;
}

static void print_row(const Run *r, const RecordTable *t, const int *width, size_t row, FILE *out)
{
	char text[TEXT_MAX];
	for (uint32_t k = 0; k < t->ncolumn; k++) {
		const char *s = row == SIZE_MAX ? t->column[k] : cell_text(r, t, row, k, text);
		fprintf(out, "%*s%s%s", width[k] - text_width(s), "", s,
			k + 1 < t->ncolumn ? "  " : "\n");
	}
}

static bool print_table(const Run *r, const RecordTable *t, FILE *out)
{
	int *width = rt_alloc(t->ncolumn, sizeof *width);
	if (!width) {
		return false;
	}
	for (uint32_t k = 0; k < t->ncolumn; k++) {
		width[k] = column_width(r, t, k);
	}
	if (t->name[0]) {
		fprintf(out, "%s\n", t->name);
	}
	print_row(r, t, width, SIZE_MAX, out);
	for (size_t i = 0; i < t->rows; i++) {
		if (t->rows > ROWS_SHOWN && i == ROWS_SHOWN - ROWS_TAIL) {
			fprintf(out, "… %zu rows more\n", t->rows - ROWS_SHOWN);
			i = t->rows - ROWS_TAIL;
		}
		print_row(r, t, width, i, out);
	}
	free(width);
	return true;
}

static bool write_csv(Run *r, const RecordTable *t)
{
	ArenaMark m = arena_mark(r->e->scratch);
	Arena *a = r->e->scratch;
	RtCsvColumn *col = arena_array(a, RtCsvColumn, t->ncolumn + 1);
	for (uint32_t k = 0; k < t->ncolumn; k++) {
		col[k].name = t->column[k];
		const char **text = arena_array(a, const char *, t->rows + 1);
		double *real = arena_array(a, double, t->rows + 1);
		int64_t *integer = arena_array(a, int64_t, t->rows + 1);
		bool texts = t->rows && cell_words(r, t, &t->cell[k], k);
		for (size_t i = 0; i < t->rows; i++) {
			const Cell *c = &t->cell[i * t->ncolumn + k];
			const char *words = cell_words(r, t, c, k);
			text[i] = words ? words : "";
			real[i] = c->real;
			integer[i] = t->integer[k] ? (int64_t)c->real : 0;
		}
		col[k].string = texts ? text : NULL;
		col[k].integer = !texts && t->integer[k] ? integer : NULL;
		col[k].real = !texts && !t->integer[k] ? real : NULL;
	}
	RtError err;
	const char *path = engine_out_path(r->e, t->path);
	bool ok = rt_csv_write(path, col, t->ncolumn, t->rows, &err) == RT_OK;
	if (!ok) {
		diag_cannot_write(r->e->ctx.diags, t->stmt->span, path, run_reason(&err));
	}
	arena_release(r->e->scratch, m);
	return ok;
}

bool record_finish(Run *r)
{
	bool ok = true;
	for (size_t k = 0; k < r->ntable; k++) {
		const RecordTable *t = &r->table[k];
		if (!r->e->options.quiet) {
			fputs(k ? "\n" : "", r->e->options.output);
			ok = print_table(r, t, r->e->options.output) && ok;
		}
		if (t->path && t->stmt) {
			ok = write_csv(r, t) && ok;
		}
	}
	record_free(r);
	return ok;
}

/* ---- in checkpoints ---- */

/* One line for the name, one for each column ("i" or "r" or "s" before it), then the cells row by
 * row, a line each. Names and texts hold no newline (they are single-line tokens of the program).
 */
char *record_to_text(const RecordTable *t)
{
	char *text = NULL, number[RT_REAL_TEXT];
	size_t n;
	FILE *f = open_memstream(&text, &n);
	if (!f) {
		return NULL;
	}
	fprintf(f, "%s\n%u %zu\n", t->name, t->ncolumn, t->rows);
	for (uint32_t k = 0; k < t->ncolumn; k++) {
		fprintf(f, "%c%s\n",
			t->integer[k]                ? 'i'
			: t->rows && t->cell[k].text ? 's'
						     : 'r',
			t->column[k]);
	}
	for (size_t i = 0; i < t->rows * t->ncolumn; i++) {
		fprintf(f, "%s\n",
			t->cell[i].text ? t->cell[i].text : rt_real_text(t->cell[i].real, number));
	}
	return fclose(f) == 0 ? text : NULL;
}

static char *next_line(Arena *a, const char **p)
{
	size_t n = strcspn(*p, "\n");
	char *line = arena_copy(a, *p, n + 1, 1);
	line[n] = 0;
	*p += n + ((*p)[n] != 0);
	return line;
}

bool record_from_text(Run *r, const char *text)
{
	Arena *a = r->e->arena;
	RecordTable *t = new_table(r);
	if (!t) {
		return false;
	}
	t->name = next_line(a, &text);
	size_t rows = 0;
	if (sscanf(next_line(a, &text), "%u %zu", &t->ncolumn, &rows) != 2 ||
	    t->ncolumn > 1u << 20 || rows > strlen(text)) {
		t->ncolumn = 0;
		return false;
	}
	t->column = arena_array(a, const char *, t->ncolumn + 1);
	t->integer = arena_array(a, bool, t->ncolumn + 1);
	bool *string = arena_array(a, bool, t->ncolumn + 1);
	for (uint32_t k = 0; k < t->ncolumn; k++) {
		const char *line = next_line(a, &text);
		t->integer[k] = line[0] == 'i';
		string[k] = line[0] == 's';
		t->column[k] = line[0] ? line + 1 : "";
	}
	for (size_t i = 0; i < rows; i++) {
		Cell *cell = new_row(r, t);
		for (uint32_t k = 0; cell && k < t->ncolumn; k++) {
			const char *line = next_line(a, &text);
			cell[k] = (Cell){0, string[k] ? line : NULL};
			if (!string[k]) {
				rt_number_parse(line, strlen(line), &cell[k].real);
			}
		}
	}
	return true;
}
