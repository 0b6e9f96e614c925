/* parse_error.c — syntax errors in the words of the language: what stands there, what could stand
 * there (from the parser's expected set), and the usual cause. SPEC: error index, E0105 to E0107.
 */
#include <stdlib.h>
#include <string.h>

#include "lang/parse_int.h"
#include "parse.h"

#define EXCERPT 40u

const char *parse_excerpt(const Parser *p, Span at)
{
	const char *text = p->layout.scan.text + at.lo;
	size_t n = at.hi - at.lo;
	bool cut = n > EXCERPT;
	for (n = cut ? EXCERPT - 3 : n; cut && n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80;
	     n--) {
	}
	char *copy = arena_printf(p->ctx->arena, "%.*s%s", (int)n, text, cut ? "…" : "");
	for (char *c = copy; *c; c++) {
		if (*c == '\n' || *c == '\r' || *c == '\t') {
			*c = ' ';
		}
	}
	return copy;
}

const char *parse_quote(const Parser *p, Span at)
{
	return arena_printf(p->ctx->arena, "`%s`", parse_excerpt(p, at));
}

/* What the user typed, as a message names it. */
static const char *got(const Parser *p, const Token *t)
{
	switch (t->kind) {
	case TOK_END: return "the end of the text";
	case TOK_NEWLINE: return "the end of the line";
	case TOK_UNIT:
		return arena_printf(p->ctx->arena, "the unit %s",
		                    parse_excerpt(p, parse_span(p, t)));
	case TOK_STR: return "a string";
	default: return parse_quote(p, parse_span(p, t));
	}
}

/* ---- what was expected -------------------------------------------------------------------------
 */

static bool has(const int *expected, size_t n, int kind)
{
	for (size_t i = 0; i < n; i++) {
		if (expected[i] == kind) {
			return true;
		}
	}
	return false;
}

static bool is_statement_word(int kind)
{
	return kind >= TOK_ACTIVATION && kind <= TOK_USE;
}

static bool is_fixed(int kind)
{
	return (kind >= TOK_SEMI && kind < TOK_NAME) ||
	       (kind >= TOK_TILDE && kind <= TOK_RBRACE && kind != TOK_BAR) || kind == TOK_ASSIGN ||
	       kind == TOK_THEN || kind == TOK_ELSE || kind == TOK_IN || kind == TOK_UNTIL;
}

typedef struct Wanted {
	const char *item[6];
	size_t n;
	bool more;
} Wanted;

static void want(Wanted *w, const char *text)
{
	if (w->n < sizeof w->item / sizeof *w->item) {
		w->item[w->n++] = text;
	} else {
		w->more = true;
	}
}

/* Words and signs that may stand here beside the general kinds. Behind a complete value its
 * possible continuations (operators, indices, calls) are not worth telling. */
static void want_tokens(const Parser *p, Wanted *w, const int *expected, size_t n, bool value,
                        bool name, bool after)
{
	for (size_t i = 0; i < n; i++) {
		int kind = expected[i];
		bool context = kind >= TOK_AGAINST && kind <= TOK_WITHIN;
		if (kind == TOK_NEWLINE || kind == TOK_END || kind == TOK_SEMI) {
			continue;
		}
		if (kind == TOK_TILDE && has(expected, n, TOK_ASSIGN) && !has(expected, n, TOK_FROM) &&
		    !has(expected, n, TOK_STAR)) { /* const c ~ …: taken to be refused */
			continue;
		}
		if (context ? value || name : !is_fixed(kind) || value) {
			continue;
		}
		if (after && (kind == TOK_LPAREN || kind == TOK_LBRACK || kind == TOK_DOT ||
		              kind == TOK_PIPE || kind == TOK_DOTS || kind == TOK_IN)) {
			continue;
		}
		want(w, arena_printf(p->ctx->arena, "`%s`", parse_token_name(kind)));
	}
}

static const char *join(const Parser *p, const Wanted *w)
{
	if (w->n == 0 || w->more || w->n > 4) {
		return w->n ? arena_printf(p->ctx->arena, "%s or something else", w->item[0])
		            : "something else";
	}
	const char *text = w->item[0];
	for (size_t i = 1; i < w->n; i++) {
		text = arena_printf(p->ctx->arena, "%s%s %s", text, i + 1 == w->n ? " or" : ",",
		                    w->item[i]);
	}
	return text;
}

static const char *wanted(const Parser *p, const int *expected, size_t n)
{
	Wanted w = {0};
	bool value = has(expected, n, TOK_NUM) && has(expected, n, TOK_LPAREN),
	     name = has(expected, n, TOK_NAME);
	bool after = has(expected, n, TOK_CARET) || has(expected, n, TOK_LPAREN);
	if (has(expected, n, TOK_CONST)) {
		return "a statement";
	}
	if (value) {
		want(&w, "a value");
	} else if (name) {
		want(&w, "a name");
	}
	if (!value && has(expected, n, TOK_TYPE)) {
		want(&w, "a type");
	}
	if (has(expected, n, TOK_SLASH) && !has(expected, n, TOK_STAR)) {
		want(&w, "`/`");
	}
	want_tokens(p, &w, expected, n, value, name, after && !value);
	if (!value && (has(expected, n, TOK_NEWLINE) || has(expected, n, TOK_END))) {
		want(&w, "the end of the statement");
	}
	return join(p, &w);
}

/* ---- usual causes ------------------------------------------------------------------------------
 */

/* The word expected here, or beginning a statement, that the name resembles; contextual words come
 * first. */
static const char *nearest_word(const Parser *p, const Token *t, const int *expected, size_t n)
{
	const char *words[512];
	size_t count = 0;
	for (int context = 1; context >= 0; context--) {
		for (size_t i = 0; word_row(i) && count < 512; i++) {
			const Word *w = word_row(i);
			if (w->class != WORD_REDUCER && w->class != WORD_TYPE &&
			    (w->class == WORD_CONTEXT) == context &&
			    (expected ? has(expected, n, w->kind) : is_statement_word(w->kind))) {
				words[count++] = w->text;
			}
		}
	}
	return t->kind == TOK_NAME ? diag_nearest(intern_text(p->ctx->names, t->name), words, count)
	                           : NULL;
}

static Diag *report_juxtaposition(Parser *p, const Token *left, const Token *right)
{
	Span at = span_join(parse_span(p, left), parse_span(p, right));
	const char *l = parse_excerpt(p, parse_span(p, left)),
		   *r = parse_excerpt(p, parse_span(p, right));
	Diag *d = diag_juxtaposition(p->ctx->diags, at, arena_printf(p->ctx->arena, "`%s`", l),
	                             arena_printf(p->ctx->arena, "`%s`", r));
	if (left->kind == TOK_SUP && right->kind == TOK_LPAREN) {
		diag_help(d, "the power of a value of a function is written  f(x)%s", l);
	} else if (left->kind == TOK_NAME && token_begins_value(right->kind) &&
	           right->kind != TOK_LPAREN) {
		diag_help(d, "a product is written  %s*%s, the value of a function  %s(%s)", l, r,
		          l, r);
	} else {
		diag_help(d, "a product is written  %s*%s", l, r);
	}
	return d;
}

static void report_unit(Parser *p, const Token *t)
{
	Diag *d = diag_syntax(p->ctx->diags, parse_span(p, t), got(p, t), "an operator");
	diag_help(d, "a unit stands behind a number or a type; multiply by  1 %s",
	          parse_excerpt(p, parse_span(p, t)));
}

/* A misspelt statement word makes two names side by side: `cosnt x = 1`. */
static bool report_misspelt(Parser *p, const int *expected, size_t n)
{
	const Token *t = &p->current;
	const char *here = nearest_word(p, t, expected, n);
	bool begins = p->before.kind == TOK_NEWLINE || p->before.kind == TOK_SEMI ||
	              p->before.kind == TOK_LBRACE || p->before.kind == TOK_START_FILE;
	const char *first = begins ? nearest_word(p, &p->previous, NULL, 0) : NULL;
	if (!here && !first) {
		return false;
	}
	const Token *wrong = here ? t : &p->previous;
	const char *wish = here ? arena_printf(p->ctx->arena, "`%s`", here) : "a statement";
	diag_help(diag_syntax(p->ctx->diags, parse_span(p, wrong), got(p, wrong), wish),
	          "did you mean `%s`?", here ? here : first);
	return true;
}

static void report_general(Parser *p, const int *expected, size_t n)
{
	const Token *t = &p->current;
	Span at = parse_span(p, t);
	if (t->kind == TOK_END && p->previous.hi > p->previous.lo &&
	    p->previous.kind != TOK_NEWLINE) {
		at.lo = at.hi = p->previous.hi;
	}
	Diag *d = diag_syntax(p->ctx->diags, at, got(p, t), wanted(p, expected, n));
	if (t->kind == TOK_EQ && has(expected, n, TOK_ASSIGN)) {
		diag_help(d, "a definition is written with one =");
	} else if (t->kind == TOK_ASSIGN && has(expected, n, TOK_EQ)) {
		diag_help(d, "equality is asked with ==");
	} else if (t->kind == TOK_BAR) {
		diag_help(d, "a pipe is |>, `or` is a word, the absolute value is abs(x)");
	} else if (p->previous.kind == TOK_SUP && t->kind == TOK_SLASH) {
		diag_help(d, "the derivative of a power is written  ∂(u²)/∂x");
	} else if (has(expected, n, TOK_SLASH) && !has(expected, n, TOK_STAR)) {
		diag_help(d, "a derivative is written  ∂u/∂x");
	} else if (t->kind != TOK_NAME && t->hi > t->lo && is_statement_word(t->kind)) {
		diag_help(d, "`%s` begins a statement", parse_excerpt(p, parse_span(p, t)));
	} else if (token_is_infix(t->kind) && has(expected, n, TOK_NEWLINE) &&
	           token_ends_value(p->previous.kind)) {
		diag_help(d, "put brackets about one of the two operations");
	}
}

void parse_report(Parser *p, const int *expected, size_t n)
{
	const Token *t = &p->current, *left = &p->previous;
	p->mistakes++;
	if (!p->recovering) {
		p->recovering = true;
		p->skip_depth = t->depth > 0 && (t->kind == TOK_LPAREN || t->kind == TOK_LBRACK ||
		                                 t->kind == TOK_LBRACE)
		                        ? t->depth - 1
		                        : t->depth;
	}
	if (t->reported || t->invented || p->deep || p->layout.too_deep) {
		return; /* reported already, where it came about */
	}
	bool operator_expected = has(expected, n, TOK_STAR) || has(expected, n, TOK_CARET);
	if (left->kind == TOK_NEWLINE && token_is_infix(t->kind)) {
		Diag *d = diag_leading_operator(p->ctx->diags, parse_span(p, t), got(p, t));
		diag_help(
			d,
			"put the operator at the end of the line before, or the whole expression in brackets");
	} else if (t->kind == TOK_UNIT && operator_expected) {
		report_unit(p, t);
	} else if (t->kind == TOK_NAME && report_misspelt(p, expected, n)) {
		return;
	} else if (operator_expected && token_begins_value(t->kind) &&
	           token_ends_value(left->kind)) {
		report_juxtaposition(p, left, t);
	} else {
		report_general(p, expected, n);
	}
}

void parse_report_deep(Parser *p, Span at, unsigned limit)
{
	if (!p->deep) {
		p->deep = true;
		p->mistakes++;
		diag_too_deep(p->ctx->diags,
		              (Span){at.file, at.lo, at.hi - at.lo > 1 ? at.lo + 1 : at.hi}, limit);
	}
}
