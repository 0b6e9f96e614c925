/* diag_render.c — one diagnostic as text (wording, place, the line with marks, notes, help) or as
 * one JSON object. Columns are counted in cells of a terminal; a line longer than the window is
 * shown around its marks. */
#include "lang/diag_int.h"
#include "lang/unicode.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_BEFORE 48u /* characters kept to the left of the marks of a long line */
#define WINDOW 100u
#define TAB_CELLS 4u
#define MARKS_MAX 8u /* marks on one line; further notes of that line get a line of their own */

typedef struct Mark {
	uint32_t lo, hi;
	char sign;
	const char *text;
	unsigned from, to;
} Mark; /* from, to: cells */

typedef struct Show {
	const Sources *ss;
	FILE *out;
	bool colour;
	int gutter; /* width of the line numbers */
	const char *paint;
} Show;

static const char *severity_name(DiagSeverity s)
{
	static const char *const name[] = {"note", "warning", "error", "refuted"};
	return name[s];
}

static const char *severity_paint(DiagSeverity s)
{
	static const char *const paint[] = {"\033[1;36m", "\033[1;33m", "\033[1;31m", "\033[1;35m"};
	return paint[s];
}

static void painted(const Show *w, const char *paint, const char *text)
{
	if (w->colour && *paint) {
		fprintf(w->out, "%s%s\033[0m", paint, text);
	} else {
		fputs(text, w->out);
	}
}

#define EDGE "\033[1;34m"

/* "24 | " or, without a line number, "   | ". */
static void put_gutter(const Show *w, uint32_t line, const char *bar)
{
	char text[32];
	if (line) {
		snprintf(text, sizeof text, "%*u %s", w->gutter, (unsigned)line, bar);
	} else {
		snprintf(text, sizeof text, "%*s %s", w->gutter, "", bar);
	}
	painted(w, EDGE, text);
}

/* ---- the source line
 * ------------------------------------------------------------------------------------------- */

typedef struct Line {
	const char *bytes;
	size_t n, lo, hi;
	bool cut_left, cut_right;
} Line;

static bool continues(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

/* The window [lo, hi) of a line that shows the character at `focus`. */
static void choose_window(Line *l, size_t focus)
{
	if (l->n <= WINDOW) {
		l->lo = 0;
		l->hi = l->n;
		return;
	}
	size_t lo = focus < l->n ? focus : l->n, back = 0, forth = 0;
	while (lo > 0 && back < WINDOW_BEFORE) {
		lo--;
		back += !continues(l->bytes[lo]);
	}
	while (lo > 0 && continues(l->bytes[lo])) {
		lo--;
	}
	size_t hi = lo;
	while (hi < l->n && forth <= WINDOW) {
		forth += !continues(l->bytes[hi]);
		hi++;
	}
	if (forth > WINDOW) {
		hi--; /* the first byte of the character that no longer fits */
	}
	l->lo = lo;
	l->hi = hi;
	l->cut_left = lo > 0;
	l->cut_right = hi < l->n;
}

/* Writes one character of a source line safely (when out is given); returns its cells. */
static unsigned put_char(FILE *out, const char *s, size_t n, size_t *length)
{
	uint32_t c = 0;
	*length = unicode_decode(s, n, &c);
	if (*length == 0) {
		*length = 1;
		if (out) {
			fputs("\xEF\xBF\xBD", out);
		}
		return 1;
	}
	if (c == '\t') {
		if (out) {
			fprintf(out, "%*s", (int)TAB_CELLS, "");
		}
		return TAB_CELLS;
	}
	bool plain = c >= 0x20 && c != 0x7F && !(c >= 0x80 && c < 0xA0) &&
	             !(c >= 0x200E && c <= 0x200F) && !(c >= 0x2028 && c <= 0x202E) &&
	             !(c >= 0x2066 && c <= 0x2069) && c != 0xFEFF;
	if (out && plain) {
		fwrite(s, 1, *length, out);
	} else if (out) {
		fputs("\xEF\xBF\xBD", out);
	}
	return plain ? unicode_width(c) : 1;
}

/* Prints the window and notes the cells at which each mark begins and ends. lo and hi of the marks
 * are offsets in the line. */
static void put_line(const Show *w, const Line *l, Mark *mark, size_t marks)
{
	unsigned cell = l->cut_left ? 1 : 0;
	for (size_t m = 0; m < marks; m++) {
		mark[m].from = mark[m].to = mark[m].hi <= l->lo ? 0 : UINT32_MAX;
	}
	if (l->cut_left) {
		fputs("…", w->out);
	}
	for (size_t at = l->lo; at <= l->hi;) {
		size_t length = 1;
		unsigned cells = at < l->hi ? put_char(w->out, l->bytes + at, l->hi - at, &length)
		                            : 1;
		for (size_t m = 0; m < marks; m++) {
			if (mark[m].from == UINT32_MAX && at + length > mark[m].lo) {
				mark[m].from = cell;
			}
			if (at < mark[m].hi && mark[m].from != UINT32_MAX) {
				mark[m].to = cell + (cells ? cells : 1);
			}
		}
		cell += cells;
		at += length;
	}
	if (l->cut_right) {
		fputs("…", w->out);
	}
	fputc('\n', w->out);
	for (size_t m = 0; m < marks; m++) {
		if (mark[m].from == UINT32_MAX) {
			mark[m].from = cell;
		}
		if (mark[m].to == UINT32_MAX || mark[m].to <= mark[m].from) {
			mark[m].to = mark[m].from + 1;
		}
	}
}

static char sign_at(const Mark *mark, size_t marks, unsigned cell)
{
	for (size_t m = 0; m < marks; m++) {
		if (cell >= mark[m].from && cell < mark[m].to) {
			return mark[m].sign;
		}
	}
	return ' ';
}

/* The line of signs, with the text of the mark that lies furthest to the right; the other texts on
 * lines below. */
static void put_marks(const Show *w, const Mark *mark, size_t marks)
{
	unsigned end = 0;
	size_t last = 0;
	for (size_t m = 0; m < marks; m++) {
		if (mark[m].to > end) {
			end = mark[m].to;
			last = m;
		}
	}
	put_gutter(w, 0, "| ");
	for (unsigned cell = 0; cell < end;) {
		char sign = sign_at(mark, marks, cell), run[WINDOW + 1];
		size_t n = 0;
		while (cell < end && n < WINDOW && sign_at(mark, marks, cell) == sign) {
			run[n++] = sign;
			cell++;
		}
		run[n] = 0;
		painted(w, sign == '^' ? w->paint : sign == '-' ? EDGE : "", run);
	}
	if (mark[last].text && *mark[last].text) {
		fputc(' ', w->out);
		painted(w, mark[last].sign == '^' ? w->paint : EDGE, mark[last].text);
	}
	fputc('\n', w->out);
	for (size_t m = 0; m < marks; m++) {
		if (m != last && mark[m].text && *mark[m].text) {
			put_gutter(w, 0, "| ");
			fprintf(w->out, "%*s", (int)mark[m].from, "");
			painted(w, mark[m].sign == '^' ? w->paint : EDGE, mark[m].text);
			fputc('\n', w->out);
		}
	}
}

/* Shows line `line` of the file with the given marks, whose lo and hi are still offsets in the
 * text. */
static void put_source(const Show *w, uint32_t file, uint32_t line, Mark *mark, size_t marks)
{
	Line l = {0};
	l.bytes = sources_line(w->ss, file, line, &l.n);
	size_t start = (size_t)(l.bytes - sources_text(w->ss, file, NULL));
	for (size_t m = 0; m < marks; m++) {
		size_t lo = mark[m].lo > start ? mark[m].lo - start : 0;
		size_t hi = mark[m].hi > start ? mark[m].hi - start : 0;
		mark[m].lo = (uint32_t)(lo < l.n ? lo : l.n);
		mark[m].hi = (uint32_t)(hi < l.n ? hi : l.n);
	}
	choose_window(&l, mark[0].lo);
	put_gutter(w, line, "| ");
	put_line(w, &l, mark, marks);
	put_marks(w, mark, marks);
}

/* ---- text
 * ------------------------------------------------------------------------------------------------------
 */

static int digits(uint32_t n)
{
	int d = 1;
	while (n >= 10) {
		n /= 10;
		d++;
	}
	return d;
}

static uint32_t line_of(const Show *w, Span at)
{
	return sources_place(w->ss, at.file, at.lo).line;
}

static bool overlaps(const Mark *mark, size_t marks, Span at)
{
	for (size_t m = 0; m < marks; m++) {
		if (at.lo < mark[m].hi && mark[m].lo < at.hi) {
			return true;
		}
	}
	return false;
}

/* The main line, with the notes that fall on it; true in `used` for those. */
static void put_main(const Show *w, const Diag *d, bool *used)
{
	Mark mark[MARKS_MAX] = {{d->at.lo, d->at.hi, '^', d->label, 0, 0}};
	size_t marks = 1, i = 0;
	uint32_t line = line_of(w, d->at);
	for (const DiagPart *p = d->first; p; p = p->next, i++) {
		if (p->kind == PART_NOTE && marks < MARKS_MAX && p->at.file == d->at.file &&
		    line_of(w, p->at) == line && !overlaps(mark, marks, p->at)) {
			mark[marks++] = (Mark){p->at.lo, p->at.hi, '-', p->text, 0, 0};
			used[i] = true;
		}
	}
	put_source(w, d->at.file, line, mark, marks);
}

static void put_place(const Show *w, const char *arrow, Span at)
{
	Place p = sources_place(w->ss, at.file, at.lo);
	fprintf(w->out, "%*s", w->gutter, "");
	painted(w, EDGE, arrow);
	fprintf(w->out, " %s:%u:%u\n", p.name, (unsigned)p.line, (unsigned)p.column);
}

static void put_notes(const Show *w, const Diag *d, const bool *used)
{
	size_t i = 0;
	for (const DiagPart *p = d->first; p; p = p->next, i++) {
		if (p->kind != PART_NOTE || used[i]) {
			continue;
		}
		if (p->at.file == d->at.file) {
			put_gutter(w, 0, "|");
			fputc('\n', w->out);
		} else {
			put_place(w, d->at.file ? ":::" : "-->", p->at);
		}
		Mark mark = {p->at.lo, p->at.hi, '-', p->text, 0, 0};
		put_source(w, p->at.file, line_of(w, p->at), &mark, 1);
	}
}

/* A text of several lines keeps its indentation under the first. */
static void put_paragraph(const Show *w, const char *head, const char *paint, const char *text)
{
	fprintf(w->out, "%*s ", w->gutter, "");
	painted(w, paint, head);
	fputc(' ', w->out);
	for (const char *p = text; *p; p++) {
		fputc(*p, w->out);
		if (*p == '\n') {
			fprintf(w->out, "%*s", w->gutter + 2 + (int)strlen(head), "");
		}
	}
	fputc('\n', w->out);
}

/* Remarks and help lines, behind an empty line of the gutter when a source line came before. */
static void put_tail(const Show *w, const Diag *d)
{
	bool tail = false;
	for (const DiagPart *p = d->first; p && !tail; p = p->next) {
		tail = p->kind != PART_NOTE;
	}
	if (tail && d->at.file) {
		put_gutter(w, 0, "|");
		fputc('\n', w->out);
	}
	for (const DiagPart *p = d->first; p; p = p->next) {
		if (p->kind == PART_REMARK) {
			put_paragraph(w, "=", EDGE, p->text);
		}
	}
	for (const DiagPart *p = d->first; p; p = p->next) {
		if (p->kind == PART_HELP) {
			put_paragraph(w, "help:", "\033[1;32m", p->text);
		}
	}
}

void diag_show_text(const Diag *d, const Sources *ss, FILE *out, bool colour)
{
	const DiagRow *row = diag_row(d->row);
	Show w = {ss, out, colour, 1, severity_paint(row->severity)};
	size_t parts = 0;
	if (d->at.file) {
		w.gutter = digits(line_of(&w, d->at));
	}
	for (const DiagPart *p = d->first; p; p = p->next, parts++) {
		int need = p->kind == PART_NOTE ? digits(line_of(&w, p->at)) : 1;
		w.gutter = need > w.gutter ? need : w.gutter;
	}
	char head[64];
	snprintf(head, sizeof head, "%s[%s]", severity_name(row->severity), row->code);
	painted(&w, w.paint, head);
	fprintf(out, ": %s\n", d->message);
	bool *used = calloc(parts + 1, sizeof *used);
	if (!used) {
		return;
	}
	if (d->at.file) {
		put_place(&w, "-->", d->at);
		put_gutter(&w, 0, "|");
		fputc('\n', out);
		put_main(&w, d, used);
	} else if (d->label) {
		put_paragraph(&w, "=", EDGE, d->label);
	}
	put_notes(&w, d, used);
	free(used);
	put_tail(&w, d);
	fputc('\n', out);
}

/* ---- JSON
 * ------------------------------------------------------------------------------------------------------
 */

/* File, line, column, end_line, end_column and the bytes of a span; null where there is no place.
 */
static void set_place(json_t *o, const Sources *ss, Span at)
{
	static const char *const keys[] = {"file",     "line",       "column",
	                                   "end_line", "end_column", "span"};
	if (!at.file) {
		for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
			json_object_set_new(o, keys[i], json_null());
		}
		return;
	}
	Place lo = sources_place(ss, at.file, at.lo), hi = sources_place(ss, at.file, at.hi);
	char *clean = NULL;
	Arena *a = arena_create();
	if (a) {
		clean = unicode_clean(a, lo.name, strlen(lo.name), false);
	}
	json_object_set_new(o, "file", json_string(clean ? clean : ""));
	arena_free(a);
	json_object_set_new(o, "line", json_integer(lo.line));
	json_object_set_new(o, "column", json_integer(lo.column));
	json_object_set_new(o, "end_line", json_integer(hi.line));
	json_object_set_new(o, "end_column", json_integer(hi.column));
	json_object_set_new(o, "span", json_pack("[I,I]", (json_int_t)at.lo, (json_int_t)at.hi));
}

void diag_show_json(const Diag *d, const Sources *ss, FILE *out)
{
	const DiagRow *row = diag_row(d->row);
	json_t *o = json_object(), *notes = json_array(), *help = json_array();
	json_object_set_new(o, "code", json_string(row->code));
	json_object_set_new(o, "severity", json_string(severity_name(row->severity)));
	json_object_set_new(o, "message", json_string(d->message));
	set_place(o, ss, d->at);
	json_object_set_new(o, "label", d->label ? json_string(d->label) : json_null());
	for (const DiagPart *p = d->first; p; p = p->next) {
		if (p->kind == PART_HELP) {
			json_array_append_new(help, json_string(p->text));
			continue;
		}
		json_t *note = json_object();
		json_object_set_new(note, "message", json_string(p->text));
		set_place(note, ss, p->at);
		json_array_append_new(notes, note);
	}
	json_object_set_new(o, "notes", notes);
	json_object_set_new(o, "help", help);
	char *text = json_dumps(o, JSON_COMPACT);
	if (text) {
		fputs(text, out);
		fputc('\n', out);
		free(text);
	}
	json_decref(o);
}
