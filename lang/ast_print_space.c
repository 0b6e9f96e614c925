/* ast_print_space.c — what each bracket is, and where blanks stand. SPEC: canonical form.
 * W[i,j] and h[t-1, j]; f(a, b); (x,t); real[h, k]; a*b, a/b, a^b; a + b; 2 'm' * x; f(x: real); x
 * : real. */
#include <string.h>

#include "lang/ast_print_int.h"
#include "parse.h"

static bool opens(int kind)
{
	return kind == TOK_LPAREN || kind == TOK_LBRACK || kind == TOK_LBRACE;
}

static bool closes(int kind)
{
	return kind == TOK_RPAREN || kind == TOK_RBRACK || kind == TOK_RBRACE;
}

static bool is_statement_word(int kind)
{
	return kind >= TOK_ACTIVATION && kind <= TOK_USE;
}

static bool is_context_word(int kind)
{
	return kind >= TOK_AGAINST && kind <= TOK_WITHIN;
}

static int kind_at(const PrintTokens *ts, size_t i)
{
	return i < ts->n ? ts->item[i].t.kind : TOK_END;
}

static bool touches(const PrintTokens *ts, size_t i)
{
	return ts->item[i].t.lo == ts->item[i - 1].t.hi;
}

/* Does the bracket at i follow what it indexes or calls? A contextual word is a name if the bracket
 * touches it. */
static bool follows_value(const PrintTokens *ts, size_t i)
{
	int before = i ? kind_at(ts, i - 1) : TOK_NEWLINE;
	if (ts->item[i].begins || is_statement_word(before)) {
		return false;
	}
	if (is_context_word(before)) {
		return touches(ts, i);
	}
	return token_ends_value(before) && before != TOK_UNIT && before != TOK_NUM;
}

static bool is_type_bracket(const PrintTokens *ts, size_t i)
{
	int before = kind_at(ts, i - 1), head = i >= 2 ? kind_at(ts, i - 2) : TOK_NEWLINE;
	return before == TOK_TYPE || head == TOK_COLON || head == TOK_ARROW || head == TOK_FN ||
	       head == TOK_LAYER || head == TOK_NET || head == TOK_ACTIVATION;
}

static BracketKind bracket_kind(const PrintTokens *ts, size_t i)
{
	int kind = kind_at(ts, i), before = i ? kind_at(ts, i - 1) : TOK_NEWLINE;
	if (kind == TOK_LBRACE) {
		return BRACKET_BODY;
	}
	if (kind == TOK_LPAREN) {
		bool reduced = before == TOK_RBRACK && i >= 2 &&
		               ts->item[i - 1].bracket == BRACKET_INDEX;
		if (reduced) { /* sum[j] (…) but max[j](…) */
			size_t open = ts->item[i - 1].partner;
			int word = open ? kind_at(ts, open - 1) : TOK_NEWLINE;
			return word == TOK_SUM || word == TOK_EXPECT || word == TOK_PARTIALOP
			               ? BRACKET_GROUP
			               : BRACKET_CALL;
		}
		return follows_value(ts, i) ? BRACKET_CALL : BRACKET_GROUP;
	}
	if (before == TOK_PARTIALOP) {
		return BRACKET_INDEX;
	}
	if (!follows_value(ts, i)) {
		return BRACKET_ARRAY;
	}
	return is_type_bracket(ts, i) ? BRACKET_TYPE : BRACKET_INDEX;
}

/* Indices and patterns whose elements are single tokens stand close. */
static bool has_close_commas(const PrintTokens *ts, size_t open)
{
	const PrintToken *o = &ts->item[open];
	if (o->bracket != BRACKET_INDEX && o->bracket != BRACKET_GROUP) {
		return false;
	}
	for (size_t i = open + 1; i < o->partner; i++) {
		int kind = kind_at(ts, i);
		bool filter = o->bracket == BRACKET_INDEX && (kind == TOK_IF || kind == TOK_IN);
		if (filter) {
			return kind == TOK_IF && i > open + 1;
		}
		bool single = (i - open) % 2 == 1
		                      ? kind == TOK_NAME || kind == TOK_STAR ||
		                                is_context_word(kind) ||
		                                (kind == TOK_NUM && o->bracket == BRACKET_INDEX)
		                      : kind == TOK_COMMA;
		if (!single) {
			return false;
		}
	}
	return true;
}

void print_structure(PrintTokens *ts)
{
	uint32_t stack[PARSE_BRACKETS_MAX + 1];
	uint32_t n = 0, braces = 0;
	for (size_t i = 0; i < ts->n; i++) {
		PrintToken *t = &ts->item[i];
		int before = i && !t->begins ? kind_at(ts, i - 1) : TOK_NEWLINE;
		t->unary = (t->t.kind == TOK_MINUS || t->t.kind == TOK_STAR) &&
		           !token_ends_value(before);
		if (closes(t->t.kind) && n > 0) {
			uint32_t open = stack[--n];
			ts->item[open].partner = (uint32_t)i;
			t->partner = open;
			t->bracket = ts->item[open].bracket;
			braces -= t->t.kind == TOK_RBRACE;
		}
		t->inside = n ? stack[n - 1] + 1 : 0;
		t->braces = braces;
		if (opens(t->t.kind) && n < PARSE_BRACKETS_MAX) {
			t->bracket = bracket_kind(ts, i);
			stack[n++] = (uint32_t)i;
			braces += t->t.kind == TOK_LBRACE;
		}
	}
	for (size_t i = 0; i < ts->n; i++) {
		if (opens(kind_at(ts, i)) && ts->item[i].partner) {
			ts->item[i].close_commas = has_close_commas(ts, i);
		}
	}
}

static const PrintToken *bracket_about(const PrintTokens *ts, size_t i)
{
	uint32_t inside = ts->item[i].inside;
	return inside ? &ts->item[inside - 1] : NULL;
}

/* * and / stand close, but not beside a quantity: 1 'eV' * x. */
static bool is_close_product(const PrintTokens *ts, size_t i)
{
	bool unit_before = i && kind_at(ts, i - 1) == TOK_UNIT;
	bool unit_behind = kind_at(ts, i + 1) == TOK_NUM && kind_at(ts, i + 2) == TOK_UNIT;
	return !unit_before && !unit_behind;
}

/* Is the sum a bound of a range, as in 0..n-1? Looks along the operands of + - * / ^ for a `..`
 * beside them. */
static bool is_bound(const PrintTokens *ts, size_t i)
{
	for (int step = -1; step <= 1; step += 2) {
		size_t at = i;
		for (unsigned looked = 0; looked < 24 && at + (size_t)step < ts->n; looked++) {
			at += (size_t)step;
			const PrintToken *t = &ts->item[at];
			bool bracket = opens(t->t.kind) || closes(t->t.kind);
			if (t->inside < ts->item[i].inside ||
			    (bracket && t->bracket == BRACKET_BODY)) {
				break;
			}
			if (t->inside == ts->item[i].inside && t->t.kind == TOK_DOTS) {
				return true;
			}
			if (t->inside == ts->item[i].inside && !bracket && t->t.kind != TOK_NAME &&
			    t->t.kind != TOK_NUM && t->t.kind != TOK_PLUS &&
			    t->t.kind != TOK_MINUS && t->t.kind != TOK_STAR &&
			    t->t.kind != TOK_SLASH && t->t.kind != TOK_CARET &&
			    t->t.kind != TOK_SUP) {
				break;
			}
			if (t->begins) {
				break;
			}
		}
	}
	return false;
}

/* Operators that touch both neighbours. */
static bool is_close_operator(const PrintTokens *ts, size_t i)
{
	const PrintToken *t = &ts->item[i], *about = bracket_about(ts, i);
	switch (t->t.kind) {
	case TOK_DOT:
	case TOK_DOTS:
	case TOK_CARET: return true;
	case TOK_STAR:
	case TOK_SLASH: return !t->unary && is_close_product(ts, i);
	case TOK_PLUS:
	case TOK_MINUS:
		return !t->unary && ((about && about->bracket == BRACKET_INDEX) || is_bound(ts, i));
	default: return false;
	}
}

static bool is_ascii_partial(const PrintTokens *ts, size_t i)
{
	return kind_at(ts, i) == TOK_PARTIAL && ts->text[ts->item[i].t.lo] == 'p';
}

/* The exponent in ∂² or ∂^2: what is differentiated follows. */
static bool ends_order(const PrintTokens *ts, size_t i)
{
	bool sup = kind_at(ts, i) == TOK_SUP && i >= 1 && kind_at(ts, i - 1) == TOK_PARTIAL;
	return sup && !is_ascii_partial(ts, i - 1);
}

static bool blank_after(const PrintTokens *ts, size_t i)
{
	const PrintToken *t = &ts->item[i], *about = bracket_about(ts, i);
	switch (t->t.kind) {
	case TOK_LPAREN:
	case TOK_LBRACK:
	case TOK_PARTIALOP: return false;
	case TOK_COMMA: return !(about && about->close_commas);
	case TOK_PARTIAL:
		return is_ascii_partial(ts, i) && kind_at(ts, i + 1) != TOK_CARET &&
		       kind_at(ts, i + 1) != TOK_SUP;
	case TOK_MINUS: return !t->unary && !is_close_operator(ts, i);
	case TOK_SUP: return !ends_order(ts, i);
	default: return !is_close_operator(ts, i);
	}
}

static bool blank_before(const PrintTokens *ts, size_t i)
{
	const PrintToken *t = &ts->item[i], *about = bracket_about(ts, i);
	int before = kind_at(ts, i - 1);
	switch (t->t.kind) {
	case TOK_RPAREN:
	case TOK_RBRACK:
	case TOK_COMMA:
	case TOK_SEMI:
	case TOK_SUP: return false;
	case TOK_RBRACE: return before != TOK_LBRACE;
	case TOK_COLON: return !about || about->bracket == BRACKET_BODY;
	case TOK_LPAREN: return t->bracket == BRACKET_GROUP;
	case TOK_LBRACK: return t->bracket == BRACKET_ARRAY;
	case TOK_PARTIAL: /* ∂x∂t, ∂x²∂t */
		return is_ascii_partial(ts, i) ||
		       !(before == TOK_NAME || before == TOK_SUP || before == TOK_RBRACK);
	default: return !is_close_operator(ts, i);
	}
}

bool print_blank(const PrintTokens *ts, size_t i)
{
	return blank_after(ts, i - 1) && blank_before(ts, i);
}
