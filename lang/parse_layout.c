/* parse_layout.c — raw tokens to the tokens of the grammar: newlines that end statements, words by
 * their place, brackets that pair up. SPEC: lines and statements. Keeps: brackets delivered are
 * always balanced (missing ones are invented, surplus ones dropped, each reported once), at most
 * PARSE_BRACKETS_MAX are open, and a newline is delivered only where a statement may end. */
#include <string.h>

#include "lang/parse_int.h"
#include "parse.h"

#define REDUCER_LOOK 4096u /* bytes in which the end of a reducer's bracket is looked for */

bool layout_open(Layout *l, ParseCtx *ctx, uint32_t file)
{
	memset(l, 0, sizeof *l);
	l->previous = TOK_NEWLINE;
	return scan_open(&l->scan, ctx, file);
}

void layout_close(Layout *l)
{
	scan_close(&l->scan);
}

/* ---- raw tokens
 * ------------------------------------------------------------------------------------------------
 */

static Token raw_token(Layout *l)
{
	if (l->has_peeked) {
		l->has_peeked = false;
		return l->peeked;
	}
	scan_next(&l->scan);
	return l->scan.token;
}

/* The value of a run of superscripts: digits, perhaps behind a ⁻; ⁿ alone is left as it is (-1). */
static void read_superscript(Layout *l, Token *t)
{
	int64_t value = 0;
	size_t n = 0;
	for (uint32_t at = t->lo; at < t->hi;
	     at += (uint32_t)scan_character_length(&l->scan, at), n++) {
		const unsigned char *c = (const unsigned char *)l->scan.text + at;
		int digit = c[0] == 0xC2 ? (c[1] == 0xB9 ? 1 : c[1] & 15) : c[2] & 15;
		bool letter = c[0] == 0xE2 && c[2] == 0xBF;
		if (letter && t->hi - t->lo == 3) {
			return;
		}
		value = letter || value < 0 || n >= 9 ? -2 : value * 10 + digit;
	}
	t->integer = value;
	if (value < 0) {
		t->integer = 1;
		diag_bad_number(l->scan.ctx->diags, (Span){l->scan.file, t->lo, t->hi},
		                "the exponent", n >= 9 ? "it is too long" : "write ^(…) instead");
	}
}

static Token next_raw(Layout *l)
{
	Token t = raw_token(l);
	if (t.kind != TOK_SUP) {
		return t;
	}
	for (;;) {
		l->peeked = raw_token(l);
		l->has_peeked = true;
		if (l->peeked.kind != TOK_SUP || l->peeked.lo != t.hi) {
			break;
		}
		t.hi = l->peeked.hi;
		l->has_peeked = false;
	}
	read_superscript(l, &t);
	t.text = intern_bytes(l->scan.ctx->names, l->scan.text + t.lo, t.hi - t.lo);
	return t;
}

/* ---- words
 * -------------------------------------------------------------------------------------------------------
 */

/* Offset of the next byte on the line that is no blank. */
static uint32_t next_byte(const Layout *l, uint32_t at)
{
	while (at < l->scan.n && (l->scan.text[at] == ' ' || l->scan.text[at] == '\t')) {
		at++;
	}
	return at;
}

static char byte_at(const Layout *l, uint32_t at)
{
	return at < l->scan.n ? l->scan.text[at] : '\n';
}

/* The kind of the ASCII word that begins at an offset, if it is a word of the language. */
static const Word *word_at(const Layout *l, uint32_t at)
{
	char copy[16];
	size_t n = 0;
	for (; n < sizeof copy - 1; n++) {
		char c = byte_at(l, at + (uint32_t)n);
		bool in_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		               (c >= '0' && c <= '9') || c == '_';
		if (!in_word) {
			break;
		}
		copy[n] = c;
	}
	copy[n] = 0;
	return n ? word_find(copy) : NULL;
}

/* Does an infix word stand at the offset, so that what is before it is a value? `axis in = 3` names
 * an axis. */
static bool word_continues(const Layout *l, uint32_t at)
{
	const Word *w = word_at(l, at);
	if (w && w->kind == TOK_IN) {
		char c = byte_at(l, next_byte(l, at + 2));
		return !strchr("=:\r\n", c);
	}
	return w && (token_is_infix(w->kind) || w->kind == TOK_THEN || w->kind == TOK_ELSE);
}

/* A statement word at the beginning of a statement is a name after all when what follows can only
 * follow a name. */
static bool begins_statement(const Layout *l, const Token *t, WordClass class)
{
	uint32_t at = next_byte(l, t->hi);
	char c = byte_at(l, at);
	if (c && strchr("=:~.,)]^*/+<>!|", c)) {
		return false;
	}
	if (class == WORD_STATEMENT && c && strchr("([-", c)) {
		return false;
	}
	return !word_continues(l, at);
}

static bool at_statement(const Layout *l)
{
	bool inside = l->n_open > 0 && l->open[l->n_open - 1].sign != '{';
	return !inside &&
	       (l->previous == TOK_NEWLINE || l->previous == TOK_SEMI || l->previous == TOK_LBRACE);
}

/* Offset behind the bracket that closes the one at `at`; 0 when it is not found nearby. */
static uint32_t behind_bracket(const Layout *l, uint32_t at)
{
	unsigned depth = 0;
	bool string = false;
	for (uint32_t end = at + REDUCER_LOOK; at < end && at < l->scan.n; at++) {
		char c = l->scan.text[at];
		if (c == '"') {
			string = !string;
		} else if (!string && (c == '[' || c == '(' || c == '{')) {
			depth++;
		} else if (!string && (c == ']' || c == ')' || c == '}') && --depth == 0) {
			return at + 1;
		}
	}
	return 0;
}

/* sum[…] is a reducer wherever it stands; max[…] and r2[…] are when ( follows, and else an array of
 * that name. */
static bool is_reducer(const Layout *l, const Token *t, int kind)
{
	uint32_t at = next_byte(l, t->hi);
	if (byte_at(l, at) != '[') {
		return false;
	}
	uint32_t behind = kind == TOK_REDUCER ? behind_bracket(l, at) : 0;
	return kind != TOK_REDUCER || behind == 0 || byte_at(l, next_byte(l, behind)) == '(';
}

static void classify(const Layout *l, Token *t)
{
	const Word *w = l->previous == TOK_DOT
	                        ? NULL
	                        : word_find(intern_text(l->scan.ctx->names, t->name));
	if (!w) {
		return;
	}
	switch (w->class) {
	case WORD_STATEMENT:
	case WORD_VALUE:
		if (at_statement(l) && begins_statement(l, t, w->class)) {
			t->kind = w->kind;
		}
		return;
	case WORD_REDUCER:
		if (is_reducer(l, t, w->kind)) {
			t->kind = w->kind;
		}
		return;
	default: t->kind = w->kind;
	}
	/* div is also the divergence, in a good name for an input axis: operators only behind a
	 * value. */
	if ((t->kind == TOK_DIV || t->kind == TOK_IN) && !token_ends_value(l->previous)) {
		t->kind = TOK_NAME;
	}
}

/* ---- brackets
 * ------------------------------------------------------------------------------------------------------
 */

static Span bracket_span(const Layout *l, uint32_t at)
{
	return (Span){l->scan.file, at, at + 1};
}

static const char *bracket_text(const Layout *l, char sign)
{
	return arena_printf(l->scan.ctx->arena, "`%c`", sign);
}

static int closer_of(char sign)
{
	return sign == '(' ? TOK_RPAREN : sign == '[' ? TOK_RBRACK : TOK_RBRACE;
}

static Diag *report_unclosed(const Layout *l)
{
	Bracket b = l->open[l->n_open - 1];
	return diag_unclosed(l->scan.ctx->diags, bracket_span(l, b.at), bracket_text(l, b.sign));
}

/* Puts off a token until the brackets above `keep` are closed by invented ones. */
static void close_down_to(Layout *l, unsigned keep, Token then)
{
	l->to_close = l->n_open - keep;
	l->held = then;
	l->has_held = true;
}

/* Index + 1 of the innermost open bracket of that sign; 0 if there is none. A `{` is a wall for the
 * others. */
static unsigned find_open(const Layout *l, char sign)
{
	for (unsigned i = l->n_open; i > 0; i--) {
		if (l->open[i - 1].sign == sign) {
			return i;
		}
		if (l->open[i - 1].sign == '{') {
			return 0;
		}
	}
	return 0;
}

/* A closing bracket; false when it is dropped or has to wait. */
static bool close_bracket(Layout *l, Token *t)
{
	char sign = t->kind == TOK_RPAREN ? '(' : t->kind == TOK_RBRACK ? '[' : '{';
	if (l->n_open > 0 && l->open[l->n_open - 1].sign == sign) {
		t->depth = l->n_open--;
		return true;
	}
	Span at = {l->scan.file, t->lo, t->hi};
	const char *shown = bracket_text(l, l->scan.text[t->lo]);
	unsigned match = find_open(l, sign);
	if (match) {
		diag_note(report_unclosed(l), at, "%s comes first", shown);
		close_down_to(l, match, *t);
		return false;
	}
	if (l->n_open == 0 || l->open[l->n_open - 1].sign == '{' || sign == '{') {
		diag_help(diag_unopened(l->scan.ctx->diags, at, shown),
		          "no bracket of its kind is open here");
		l->dropped = true;
		return false;
	}
	diag_note(report_unclosed(l), at, "%s stands where its end is expected", shown);
	t->kind = closer_of(l->open[l->n_open - 1].sign);
	t->depth = l->n_open--;
	return true;
}

static bool open_bracket(Layout *l, Token *t)
{
	if (l->n_open == PARSE_BRACKETS_MAX) {
		diag_too_deep(l->scan.ctx->diags, (Span){l->scan.file, t->lo, t->hi},
		              PARSE_BRACKETS_MAX);
		l->too_deep = true;
		return false;
	}
	l->open[l->n_open++] = (Bracket){l->scan.text[t->lo], t->lo};
	t->depth = l->n_open;
	return true;
}

static Token invent_closer(Layout *l)
{
	uint32_t at = l->has_held ? l->held.lo : (uint32_t)l->scan.n;
	Token t = {.kind = closer_of(l->open[l->n_open - 1].sign),
	           .lo = at,
	           .hi = at,
	           .depth = l->n_open,
	           .invented = true};
	l->n_open--;
	l->to_close--;
	return t;
}

/* A line that begins `const x`, `loss y`, … is the next statement, also where the one before is not
 * complete: inside ( or [ the bracket was forgotten, behind an operator a value. */
static bool next_statement(const Layout *l, const Token *t)
{
	if (!l->fresh_line || t->kind != TOK_NAME) {
		return false;
	}
	const Word *w = word_find(intern_text(l->scan.ctx->names, t->name));
	uint32_t at = next_byte(l, t->hi);
	char c = byte_at(l, at);
	bool name = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
	return w && (w->class == WORD_STATEMENT || w->class == WORD_VALUE) && at > t->hi && name &&
	       !word_continues(l, at);
}

/* ---- tokens for the grammar
 * ------------------------------------------------------------------------------------------ */

static unsigned innermost_brace(const Layout *l)
{
	unsigned i = l->n_open;
	while (i > 0 && l->open[i - 1].sign != '{') {
		i--;
	}
	return i;
}

static bool is_inside(const Layout *l)
{
	return l->n_open > 0 && l->open[l->n_open - 1].sign != '{';
}

static void take_newline(Layout *l, const Token *t)
{
	bool begun = l->previous != TOK_NEWLINE && l->previous != TOK_SEMI &&
	             l->previous != TOK_LBRACE;
	if (is_inside(l) || (begun && !token_ends_value(l->previous))) {
		l->newline = l->has_newline || l->fresh_line ? l->newline : *t;
		l->fresh_line = true;
	} else if (token_ends_value(l->previous) && !l->has_newline) {
		l->has_newline = true;
		l->newline = *t;
		l->newline.depth = l->n_open;
	}
}

static bool goes_on(int kind)
{
	return kind == TOK_PIPE || kind == TOK_THEN || kind == TOK_ELSE;
}

/* The end of the text: brackets still open are closed, or make a probed text unfinished. */
static bool take_end(Layout *l, const Token *t)
{
	if (l->n_open == 0 || l->probe) {
		l->unfinished = l->n_open > 0 ||
		                (l->previous != TOK_NEWLINE && !l->has_newline &&
		                 !token_ends_value(l->previous) && l->previous != TOK_SEMI);
		l->ended = true;
		return true;
	}
	report_unclosed(l);
	close_down_to(l, 0, *t);
	return false;
}

/* Delivers t unless something has to come before it. */
static bool take_token(Layout *l, Token *t)
{
	if (next_statement(l, t)) {
		if (is_inside(l)) {
			diag_note(report_unclosed(l), (Span){l->scan.file, t->lo, t->hi},
			          "the next statement begins here");
			l->newline = (Token){.lo = t->lo, .hi = t->lo, .invented = true};
		}
		l->fresh_line = false;
		l->has_newline = true;
		l->newline.kind = TOK_NEWLINE;
		l->newline.depth = innermost_brace(l);
		close_down_to(l, innermost_brace(l), *t);
		return false;
	}
	l->fresh_line = false;
	if (l->has_newline && !goes_on(t->kind)) {
		Token newline = l->newline;
		l->has_newline = false;
		l->held = *t;
		l->has_held = true;
		*t = newline;
		return true;
	}
	l->has_newline = false;
	t->depth = l->n_open;
	switch (t->kind) {
	case TOK_END: return take_end(l, t);
	case TOK_LPAREN:
	case TOK_LBRACK:
	case TOK_LBRACE: return open_bracket(l, t);
	case TOK_RPAREN:
	case TOK_RBRACK:
	case TOK_RBRACE: return close_bracket(l, t);
	case TOK_NAME: classify(l, t); break;
	default: break;
	}
	if (t->kind == TOK_PARTIAL && byte_at(l, next_byte(l, t->hi)) == '[') {
		t->kind = TOK_PARTIALOP;
	}
	return true;
}

/* Words that go on a line from the line before are known before they are classified. */
static void recognise_going_on(const Layout *l, Token *t)
{
	if (l->has_newline && t->kind == TOK_NAME) {
		const Word *w = word_find(intern_text(l->scan.ctx->names, t->name));
		if (w && goes_on(w->kind)) {
			t->kind = w->kind;
		}
	}
}

/* At a prompt a text that begins with : or ? is one command. */
static bool take_command(Layout *l, Token *t)
{
	uint32_t lo = next_byte(l, 0), hi = (uint32_t)l->scan.n;
	char c = byte_at(l, lo);
	if (!l->prompt || l->ended || (c != ':' && c != '?')) {
		return false;
	}
	while (hi > lo && strchr(" \t\r\n", l->scan.text[hi - 1])) {
		hi--;
	}
	*t = (Token){.kind = TOK_COMMAND, .lo = lo, .hi = hi};
	t->text = intern_bytes(l->scan.ctx->names, l->scan.text + lo, hi - lo);
	l->ended = true;
	return true;
}

Token layout_next(Layout *l)
{
	Token t;
	if (take_command(l, &t)) {
		return t;
	}
	while (!l->ended && !l->too_deep) {
		if (l->to_close > 0) {
			t = invent_closer(l);
		} else {
			bool held = l->has_held;
			t = held ? l->held : next_raw(l);
			l->has_held = false;
			if (t.kind == TOK_NEWLINE && !held) {
				take_newline(l, &t);
				continue;
			}
			recognise_going_on(l, &t);
			if (!take_token(l, &t)) {
				continue;
			}
		}
		if (t.kind != TOK_END) {
			l->previous = t.kind;
		}
		t.reported = t.reported || l->dropped;
		l->dropped = false;
		return t;
	}
	uint32_t end = (uint32_t)l->scan.n;
	return (Token){.kind = TOK_END, .lo = end, .hi = end};
}
