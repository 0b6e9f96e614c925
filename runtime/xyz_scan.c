/* xyz_scan.c — the words of extended XYZ files. */
#include "runtime/xyz_scan.h"
#include <string.h>
#include "runtime/number.h"

bool text_equal(Text a, Text b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.at, b.at, a.n) == 0);
}

bool text_is(Text a, const char *word)
{
	return text_equal(a, (Text){word, strlen(word)});
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void step(Text *t, size_t n)
{
	t->at += n;
	t->n -= n;
}

static void skip_blanks(Text *t)
{
	while (t->n > 0 && is_blank(*t->at)) {
		step(t, 1);
	}
}

bool xyz_next_line(XyzLines *l, Text *line)
{
	if (l->at == l->end) {
		return false;
	}
	line->at = l->at;
	while (l->at < l->end && *l->at != '\n' && *l->at != '\r') {
		l->at++;
	}
	line->n = (size_t)(l->at - line->at);
	if (l->end - l->at > 1 && l->at[0] == '\r' && l->at[1] == '\n') {
		l->at++;
	}
	if (l->at < l->end) {
		l->at++;
	}
	l->line++;
	return true;
}

bool xyz_next_word(Text *rest, Text *word)
{
	skip_blanks(rest);
	word->at = rest->at;
	while (rest->n > 0 && !is_blank(*rest->at)) {
		step(rest, 1);
	}
	word->n = (size_t)(rest->at - word->at);
	return word->n > 0;
}

/* A value behind an opening quote or bracket, up to the matching end. A backslash protects a quote.
 * */
static bool enclosed(Text *rest, char open, Text *value)
{
	char close = '"';
	size_t depth = 1;
	if (open != '"') {
		close = open == '{' ? '}' : ']';
	}
	step(rest, 1);
	value->at = rest->at;
	while (rest->n > 0) {
		char c = *rest->at;
		if (c == close && --depth == 0) {
			value->n = (size_t)(rest->at - value->at);
			step(rest, 1);
			return true;
		}
		depth += c == open && c != '"';
		step(rest, c == '\\' && rest->n > 1 ? 2 : 1);
	}
	return false;
}

bool xyz_next_pair(Text *rest, Text *key, Text *value, bool *bad)
{
	static const char yes[] = "T";
	skip_blanks(rest);
	*bad = false;
	if (rest->n == 0) {
		return false;
	}
	if (*rest->at == '"') {
		*bad = !enclosed(rest, '"', key);
	} else {
		key->at = rest->at;
		while (rest->n > 0 && !is_blank(*rest->at) && *rest->at != '=') {
			step(rest, 1);
		}
		key->n = (size_t)(rest->at - key->at);
	}
	Text ahead = *rest;
	skip_blanks(&ahead);
	if (*bad || ahead.n == 0 || *ahead.at != '=') {
		*value = (Text){yes, 1};
		return !*bad;
	}
	*rest = ahead;
	step(rest, 1);
	skip_blanks(rest);
	if (rest->n > 0 && strchr("\"{[", *rest->at)) {
		*bad = !enclosed(rest, *rest->at, value);
		return !*bad;
	}
	if (!xyz_next_word(rest, value)) {
		value->n = 0;
	}
	return true;
}

static bool separates(char c)
{
	return is_blank(c) || strchr(",[]{}", c);
}

bool xyz_next_item(Text *value, Text *item)
{
	while (value->n > 0 && separates(*value->at)) {
		step(value, 1);
	}
	item->at = value->at;
	while (value->n > 0 && !separates(*value->at)) {
		step(value, 1);
	}
	item->n = (size_t)(value->at - item->at);
	return item->n > 0;
}

bool xyz_bool(Text word, bool *value)
{
	*value = text_is(word, "T") || text_is(word, "True") || text_is(word, "true") ||
	         text_is(word, "TRUE");
	return *value || text_is(word, "F") || text_is(word, "False") || text_is(word, "false") ||
	       text_is(word, "FALSE");
}

static XyzKind word_kind(Text word)
{
	bool truth;
	int64_t integer;
	double real;
	if (xyz_bool(word, &truth)) {
		return XYZ_BOOL;
	}
	if (rt_integer_parse(word.at, word.n, &integer)) {
		return XYZ_INT;
	}
	RtNumberKind kind = rt_number_parse(word.at, word.n, &real);
	return kind == RT_NUMBER || kind == RT_MISSING ? XYZ_REAL : XYZ_STRING;
}

XyzKind xyz_value_kind(Text value, size_t *words)
{
	XyzKind kind = XYZ_BOOL;
	Text rest = value, item;
	*words = 0;
	for (; xyz_next_item(&rest, &item); ++*words) {
		XyzKind k = word_kind(item);
		if (*words > 0 && (k == XYZ_BOOL) != (kind == XYZ_BOOL)) {
			k = XYZ_STRING;
		}
		kind = k > kind ? k : kind;
	}
	if (*words == 0 || kind == XYZ_STRING) {
		*words = 1;
		return XYZ_STRING;
	}
	return kind;
}

int64_t xyz_atomic_number(Text symbol)
{
	static const char symbols[] = "H HeLiBeB C N O F NeNaMgAlSiP S ClArK CaScTiV "
	                              "CrMnFeCoNiCuZnGaGeAsSeBrKrRbSrY ZrNbMoTcRuRhPd"
								  "AgCdInSnSbTeI XeCsBaLaCePrNdPmSmEuGdTbDyHoErTmYbLuHfTaW "
	                              "ReOsIrPtAuHgTlPbBiPoAtRnFrRaAcThPaU "
								  "NpPuAmCmBkCfEsFmMdNoLrRfDbSgBhHsMtDsRgCnNhFlMcLvTsOg";
	int64_t number;
	if (rt_integer_parse(symbol.at, symbol.n, &number)) {
		return number >= 1 && number <= 118 ? number : 0;
	}
	if (symbol.n < 1 || symbol.n > 2) {
		return 0;
	}
	char upper = (char)(symbol.at[0] & ~0x20), lower = ' ';
	if (symbol.n == 2) {
		lower = (char)(symbol.at[1] | 0x20);
	}
	for (size_t i = 0; i + 1 < sizeof symbols; i += 2) {
		if (symbols[i] == upper && symbols[i + 1] == lower && (symbol.n == 2 || lower == ' ')) {
			return (int64_t)(i / 2 + 1);
		}
	}
	return 0;
}
