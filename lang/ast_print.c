/* ast_print.c — canonical source. The tokens stay as the user spelled them and stand on the lines
 * where the user put them; blanks, indentation, alignment and the distance of comments are ours.
 * SPEC: canonical form. Keeps: the tokens and which newlines end statements, so that the result
 * parses to the same tree; and since the layout depends on nothing but tokens, lines and comments,
 * printing it again changes nothing. */
#include <stdlib.h>
#include <string.h>

#include "lang/ast_print_int.h"
#include "lang/unicode.h"
#include "parse.h"

#define INDENT 2u
#define STOPS 2u
#define ALIGN_MAX 20u /* columns are not aligned when that takes more blanks than this */

#define ALIGN_FUNCTIONS_MAX 2u /* heads of functions differ too much to be a column */

/* A line of the result. stop[k] is where the k-th aligned part begins (0: there is none). */
typedef struct Line {
	char *text;
	size_t n, cap, stop[STOPS];
	int group; /* what kind of statement it is; 0 aligns with nothing */
	unsigned indent;
	bool blank_before;
	const char *comment; /* at its end, NULL if there is none */
	size_t comment_n;
} Line;

typedef struct Printer {
	Arena *arena;
	PrintTokens tokens;
	size_t size; /* of the source */
	Line *line;
	size_t n, cap;
	bool blank; /* an empty line is due */
} Printer;

/* ---- lines -------------------------------------------------------------------------------------
 */

static Line *new_line(Printer *p, unsigned indent)
{
	Line l = {.indent = indent, .blank_before = p->blank && p->n > 0};
	ARENA_PUSH(p->arena, p->line, p->n, p->cap, l);
	p->blank = false;
	return &p->line[p->n - 1];
}

static void append(Printer *p, Line *l, const char *s, size_t n)
{
	if (l->n + n > l->cap) {
		size_t cap = (l->n + n) * 2;
		char *more = arena_alloc(p->arena, cap, 1);
		if (l->n) {
			memcpy(more, l->text, l->n);
		}
		l->text = more;
		l->cap = cap;
	}
	memcpy(l->text + l->n, s, n);
	l->n += n;
}

static size_t comment_length(const char *from, const char *end)
{
	const char *stop = memchr(from, '\n', (size_t)(end - from));
	size_t n = (size_t)((stop ? stop : end) - from);
	while (n > 0 && (from[n - 1] == ' ' || from[n - 1] == '\t' || from[n - 1] == '\r')) {
		n--;
	}
	return n;
}

/* The gap between two tokens: comments and line breaks. True when the next token begins a new line.
 */
static bool take_gap(Printer *p, size_t lo, size_t hi, unsigned indent, bool keep_blank)
{
	const char *at = p->tokens.text + lo, *end = p->tokens.text + hi;
	unsigned breaks = p->n == 0 ? 1 : 0;
	bool fresh = p->n == 0;
	while (at < end) {
		if (*at == '\n') {
			fresh = true;
			if (++breaks >= 2) {
				p->blank = p->n > 0;
			}
		} else if (*at == '#') {
			size_t n = comment_length(at, end);
			if (!fresh) {
				p->line[p->n - 1].comment = at;
				p->line[p->n - 1].comment_n = n;
			} else {
				p->blank = p->blank && keep_blank;
				append(p, new_line(p, indent), at, n);
			}
			breaks = 0;
			at += n;
			continue;
		}
		at++;
	}
	p->blank = p->blank && keep_blank;
	return fresh;
}

/* ---- statements that stand below each other ----------------------------------------------------
 */

static bool is_separated(const PrintTokens *ts, size_t i)
{
	return i == 0 || ts->item[i].begins;
}

/* Marks where the parts of the statement that begins at token `first` of the line are aligned. */
static void set_stop(Line *l, const PrintTokens *ts, size_t first, size_t i)
{
	const PrintToken *t = &ts->item[i];
	if (l->group == 0 || t->inside != ts->item[first].inside) {
		return;
	}
	int kind = t->t.kind;
	if (kind == TOK_COLON && !l->stop[0] && !l->stop[1]) {
		l->stop[0] = l->n;
	} else if ((kind == TOK_ASSIGN || kind == TOK_TILDE || kind == TOK_FROM) && !l->stop[1]) {
		l->stop[1] = l->n;
	} else if (kind == TOK_SEMI || kind == TOK_LBRACE) {
		l->group = 0;
	}
}

static int group_of(const PrintTokens *ts, size_t first)
{
	int kind = ts->item[first].t.kind;
	switch (kind) {
	case TOK_CONST:
	case TOK_AXIS:
	case TOK_PARAM:
	case TOK_LOSS:
	case TOK_FN:
	case TOK_NET:
	case TOK_LAYER:
	case TOK_ACTIVATION:
	case TOK_STATE:
	case TOK_NEXT:
	case TOK_LET: return kind;
	default: break;
	}
	bool keyword = kind >= TOK_ACTIVATION && kind <= TOK_USE;
	return keyword || kind == TOK_IF ? 0 : TOK_NAME;
}

static size_t width(const char *s, size_t n)
{
	size_t cells = 0;
	for (size_t i = 0; i < n;) {
		uint32_t c;
		size_t length = unicode_decode(s + i, n - i, &c);
		cells += length ? unicode_width(c) : 1;
		i += length ? length : 1;
	}
	return cells;
}

/* Inserts blanks before the stop so that it lies `pad` further to the right. */
static void pad_stop(Printer *p, Line *l, size_t k, size_t pad)
{
	static const char blanks[ALIGN_MAX + 1] = "                    ";
	if (pad == 0) {
		return;
	}
	size_t at = l->stop[k], tail = l->n - at;
	char *rest = arena_copy(p->arena, l->text + at, tail, 1);
	l->n = at;
	append(p, l, blanks, pad);
	append(p, l, rest, tail);
	for (size_t j = k; j < STOPS; j++) {
		l->stop[j] += l->stop[j] ? pad : 0;
	}
}

static void align_stop(Printer *p, size_t from, size_t to, size_t k)
{
	size_t most = 0, least = SIZE_MAX;
	for (size_t i = from; i < to; i++) {
		if (p->line[i].stop[k]) {
			size_t w = width(p->line[i].text, p->line[i].stop[k]);
			most = w > most ? w : most;
			least = w < least ? w : least;
		}
	}
	int group = p->line[from].group;
	bool function = group == TOK_FN || group == TOK_NET || group == TOK_LAYER ||
	                group == TOK_ACTIVATION;
	if (least == SIZE_MAX || most - least > (function ? ALIGN_FUNCTIONS_MAX : ALIGN_MAX)) {
		return;
	}
	for (size_t i = from; i < to; i++) {
		if (p->line[i].stop[k]) {
			pad_stop(p, &p->line[i], k,
			         most - width(p->line[i].text, p->line[i].stop[k]));
		}
	}
}

static bool aligns(const Line *a, const Line *b)
{
	return a->group && a->group == b->group && a->indent == b->indent && !b->blank_before &&
	       (a->stop[0] != 0) == (b->stop[0] != 0);
}

static void align_all(Printer *p)
{
	for (size_t from = 0; from < p->n;) {
		size_t to = from + 1;
		while (to < p->n && aligns(&p->line[from], &p->line[to])) {
			to++;
		}
		for (size_t k = 0; k < STOPS; k++) {
			align_stop(p, from, to, k);
		}
		from = to;
	}
}

/* ---- writing -----------------------------------------------------------------------------------
 */

/* Comments at the ends of neighbouring lines stand below each other. */
static size_t comment_column(const Printer *p, size_t from, size_t to)
{
	size_t column = 0;
	for (size_t i = from; i < to; i++) {
		size_t w = p->line[i].indent + width(p->line[i].text, p->line[i].n);
		column = w > column ? w : column;
	}
	return column + 2;
}

static void write_line(const Line *l, size_t column, FILE *out)
{
	if (l->blank_before) {
		fputc('\n', out);
	}
	fprintf(out, "%*s", (int)(l->n ? l->indent : 0), "");
	fwrite(l->text ? l->text : "", 1, l->n, out);
	if (l->comment) {
		size_t w = l->indent + width(l->text, l->n);
		fprintf(out, "%*s", (int)(column - w), "");
		fwrite(l->comment, 1, l->comment_n, out);
	}
	fputc('\n', out);
}

static void write_all(const Printer *p, FILE *out)
{
	for (size_t from = 0; from < p->n;) {
		size_t to = from + 1;
		while (to < p->n && p->line[from].comment && p->line[to].comment &&
		       !p->line[to].blank_before) {
			to++;
		}
		size_t column = p->line[from].comment ? comment_column(p, from, to) : 0;
		for (size_t i = from; i < to; i++) {
			write_line(&p->line[i], column, out);
		}
		from = to;
	}
}

/* ---- tokens to lines
 * ----------------------------------------------------------------------------- */

/* A line that goes on from the one before is set in once more; not when it only closes what is
 * open. */
static unsigned indent_of(const PrintTokens *ts, size_t i)
{
	const PrintToken *t = &ts->item[i];
	bool closer = t->t.kind == TOK_RBRACE || t->t.kind == TOK_RPAREN || t->t.kind == TOK_RBRACK;
	return INDENT * (t->braces + (is_separated(ts, i) || closer ? 0 : 1));
}

static void lay_out(Printer *p)
{
	PrintTokens *ts = &p->tokens;
	size_t at = 0, first = 0;
	Line *l = NULL;
	for (size_t i = 0; i < ts->n; i++) {
		const PrintToken *t = &ts->item[i];
		bool closer = t->t.kind == TOK_RBRACE;
		bool after_brace = i && ts->item[i - 1].t.kind == TOK_LBRACE;
		unsigned indent = indent_of(ts, i);
		bool keep_blank = is_separated(ts, i) && !after_brace;
		if (take_gap(p, at, t->t.lo, closer ? indent + INDENT : indent,
		             keep_blank || closer)) {
			p->blank = p->blank && !closer;
			l = new_line(p, indent);
			first = i;
			l->group = is_separated(ts, i) ? group_of(ts, i) : 0;
		} else if (i) {
			append(p, l, " ", print_blank(ts, i) ? 1 : 0);
		}
		l = &p->line[p->n - 1];
		set_stop(l, ts, first, i);
		append(p, l, ts->text + t->t.lo, t->t.hi - t->t.lo);
		at = t->t.hi;
	}
	take_gap(p, at, p->size, 0, true);
}

static bool collect(Printer *p, const ParseCtx *ctx, uint32_t file)
{
	ParseCtx inner = {p->arena, intern_create(p->arena), ctx->sources,
	                  diags_create(p->arena, ctx->sources, 1)};
	Layout *layout = arena_new(p->arena, Layout);
	bool begins = true, open = layout_open(layout, &inner, file);
	p->tokens.text = sources_text(ctx->sources, file, &p->size);
	while (open) {
		PrintToken t = {.t = layout_next(layout), .begins = begins};
		if (t.t.kind == TOK_END) {
			break;
		}
		bool inside = layout->n_open && layout->open[layout->n_open - 1].sign != '{';
		int kind = t.t.kind;
		begins = !inside && (kind == TOK_NEWLINE || kind == TOK_LBRACE || kind == TOK_SEMI);
		if (t.t.kind != TOK_NEWLINE && !t.t.invented) {
			ARENA_PUSH(p->arena, p->tokens.item, p->tokens.n, p->tokens.cap, t);
		}
	}
	layout_close(layout);
	return diags_count(inner.diags) == 0;
}

void ast_print(const Ast *file, const ParseCtx *ctx, FILE *out)
{
	Arena *arena = arena_create();
	if (!arena) {
		return;
	}
	Printer p = {.arena = arena};
	if (collect(&p, ctx, file->span.file)) {
		print_structure(&p.tokens);
		lay_out(&p);
		align_all(&p);
		write_all(&p, out);
	} else { /* a text that is no program is left as it is */
		fwrite(p.tokens.text, 1, p.size, out);
	}
	arena_free(arena);
}
