/* unit_parse.c — the grammar of unit texts and the rows of units.def.
 *   unit     = factor { ("*" | "·" | "⋅") factor } { "/" factor }
 *   factor   = ( name | "1" | "(" unit ")" ) [ "^" exponent | superscripts ]
 *   exponent = [sign] decimal | "(" [sign] decimal [ "/" digits ] ")"
 * A product behind a "/" (J/mol*K) is refused: two readers would read two things.
 * Definitions of the table also have decimal numbers and pi. */
#include "lang/unicode.h"
#include "lang/unit_int.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32, NONE = 0, ANY = 1 };

static const UnitRow rows[] = {
#define UNIT(name, definition, prefixes, doc) {UNIT_ROW_UNIT, name, definition, doc, prefixes},
#define ALIAS(name, of) {UNIT_ROW_ALIAS, name, of, "", false},
#define REFUSED(name, why) {UNIT_ROW_REFUSED, name, why, "", false},
#include "lang/units.def"
#undef UNIT
#undef ALIAS
#undef REFUSED
};
enum { ROWS = sizeof rows / sizeof *rows };

/* Number 0 is no prefix; 'u' is another spelling of micro. */
static const struct {
	const char *name;
	int32_t ten;
} prefixes[] = {
	{"", 0},    {"Y", 24},  {"Z", 21},  {"E", 18},  {"P", 15},  {"T", 12}, {"G", 9},  {"M", 6},
	{"k", 3},   {"h", 2},   {"da", 1},  {"d", -1},  {"c", -2},  {"m", -3}, {"μ", -6}, {"n", -9},
	{"p", -12}, {"f", -15}, {"a", -18}, {"z", -21}, {"y", -24}, {"u", -6},
};
enum { PREFIXES = sizeof prefixes / sizeof *prefixes, MICRO = 14, MICRO_ASCII = 21 };

const UnitRow *unit_row(uint32_t i)
{
	return i < ROWS ? &rows[i] : NULL;
}

const char *unit_prefix_name(uint32_t prefix)
{
	return prefixes[prefix].name;
}

int32_t unit_prefix_ten(uint32_t prefix)
{
	return prefixes[prefix].ten;
}

/* ---- names ---- */

/* The row of that very name, aliases followed; ROWS if there is none. */
static uint32_t find_row(const char *name, size_t n)
{
	for (uint32_t i = 0; i < ROWS; i++) {
		if (strncmp(rows[i].name, name, n) == 0 && rows[i].name[n] == 0) {
			return rows[i].kind == UNIT_ROW_ALIAS
				       ? find_row(rows[i].text, strlen(rows[i].text))
				       : i;
		}
	}
	return ROWS;
}

/* Whole names first, then prefix + name. */
static bool find_atom(const char *name, size_t n, uint32_t *row, uint32_t *prefix)
{
	*prefix = 0;
	*row = find_row(name, n);
	for (uint32_t p = 1; *row == ROWS && p < PREFIXES; p++) {
		size_t length = strlen(prefixes[p].name);
		if (length < n && memcmp(prefixes[p].name, name, length) == 0) {
			uint32_t r = find_row(name + length, n - length);
			if (r < ROWS && rows[r].prefixes) {
				*row = r;
				*prefix = p == MICRO_ASCII ? MICRO : p;
			}
		}
	}
	return *row < ROWS;
}

typedef struct Parser {
	Arena *arena;
	const char *s;
	size_t n, at;
	bool table; /* a definition of units.def: numbers are allowed */
	unsigned depth;
	UnitTerm *term;
	size_t nterm, cap;
	Scale scale;
	const char *why;
} Parser;

static bool fail(Parser *p, const char *why)
{
	if (!p->why) {
		p->why = why;
	}
	return false;
}

static bool fail_unknown(Parser *p, const char *name, size_t n)
{
	char *word = arena_printf(p->arena, "%.*s", (int)n, name);
	size_t digits = n;
	while (digits && word[digits - 1] >= '0' && word[digits - 1] <= '9') {
		digits--;
	}
	uint32_t row, prefix;
	if (digits && digits < n && find_atom(word, digits, &row, &prefix)) {
		return fail(p, arena_printf(p->arena, "a power is written %.*s^%s", (int)digits,
					    word, word + digits));
	}
	const char *candidate[ROWS];
	for (uint32_t i = 0; i < ROWS; i++) {
		candidate[i] = rows[i].name;
	}
	const char *near = diag_nearest(word, candidate, ROWS);
	return fail(p, near ? arena_printf(p->arena, "there is no unit %s; the nearest is %s", word,
					   near)
			    : arena_printf(p->arena, "there is no unit %s", word));
}

/* ---- characters ---- */

static uint32_t peek(const Parser *p, size_t *length)
{
	uint32_t c = 0;
	*length = p->at < p->n ? unicode_decode(p->s + p->at, p->n - p->at, &c) : 0;
	return *length ? c : 0;
}

static void skip_space(Parser *p)
{
	while (p->at < p->n && p->s[p->at] == ' ') {
		p->at++;
	}
}

static bool take(Parser *p, const char *what)
{
	skip_space(p);
	size_t length = strlen(what);
	if (p->n - p->at < length || memcmp(p->s + p->at, what, length) != 0) {
		return false;
	}
	p->at += length;
	return true;
}

static bool at_digit(const Parser *p)
{
	return p->at < p->n && p->s[p->at] >= '0' && p->s[p->at] <= '9';
}

static bool begins_unit(uint32_t c)
{
	return c && (unicode_begins_name(c) || c == '%' || c == 0xB0);
}

static size_t name_length(const Parser *p)
{
	Parser q = *p;
	size_t length;
	for (uint32_t c = peek(&q, &length); c && (begins_unit(c) || unicode_continues_name(c));) {
		if (c >= 0x2080 && c <= 0x2089) {
			break;
		}
		q.at += length;
		c = peek(&q, &length);
	}
	return q.at - p->at;
}

/* ---- exponents ---- */

/* digits [. digits] as a fraction in lowest terms. */
static bool parse_decimal(Parser *p, Ratio *out)
{
	int64_t num = 0, den = 1;
	bool point = false;
	if (!at_digit(p)) {
		return fail(p, "a power needs a number: m^2, s^-1, Hz^(1/2)");
	}
	for (; at_digit(p) || (p->at < p->n && p->s[p->at] == '.' && !point); p->at++) {
		if (p->s[p->at] == '.') {
			point = true;
			continue;
		}
		num = num * 10 + (p->s[p->at] - '0');
		den *= point ? 10 : 1;
		if (num > UNIT_EXPONENT_MAX || den > UNIT_DENOMINATOR_MAX) {
			return fail(p, "the power is too large or too finely divided");
		}
	}
	return ratio_mul((Ratio){(int32_t)num, 1}, (Ratio){1, (int32_t)den}, out);
}

static bool parse_caret(Parser *p, Ratio *e)
{
	bool group = take(p, "(");
	skip_space(p);
	bool minus = take(p, "-") || (!take(p, "+") && take(p, "−"));
	skip_space(p);
	if (!parse_decimal(p, e)) {
		return false;
	}
	if (group && take(p, "/")) {
		Ratio below;
		skip_space(p);
		if (!parse_decimal(p, &below)) {
			return false;
		}
		if (below.num == 0) {
			return fail(p, "the power is divided by zero");
		}
		if (!ratio_mul(*e, (Ratio){below.den, below.num}, e)) {
			return fail(p, "the power is too large or too finely divided");
		}
	}
	if (group && !take(p, ")")) {
		return fail(p, "a ) is missing behind the power");
	}
	e->num = minus ? -e->num : e->num;
	return true;
}

static int superscript_digit(uint32_t c)
{
	return c == 0xB9                                     ? 1
	       : c == 0xB2                                   ? 2
	       : c == 0xB3                                   ? 3
	       : c == 0x2070 || (c >= 0x2074 && c <= 0x2079) ? (int)(c - 0x2070)
							     : -1;
}

/* ², ³, ⁻¹: *e stays as it is where there is none. */
static bool parse_superscript(Parser *p, Ratio *e, bool *found)
{
	size_t length;
	uint32_t c = peek(p, &length);
	bool minus = c == 0x207B;
	*found = minus || superscript_digit(c) >= 0;
	if (!*found) {
		return true;
	}
	int32_t value = 0;
	p->at += minus ? length : 0;
	c = peek(p, &length);
	if (superscript_digit(c) < 0) {
		return fail(p, "a digit is missing behind ⁻");
	}
	for (; superscript_digit(c) >= 0; c = peek(p, &length)) {
		value = value * 10 + superscript_digit(c);
		p->at += length;
		if (value > UNIT_EXPONENT_MAX) {
			return fail(p, "the power is too large");
		}
	}
	*e = (Ratio){minus ? -value : value, 1};
	return true;
}

static bool parse_power(Parser *p, Ratio *e)
{
	bool found;
	*e = (Ratio){1, 1};
	if (!parse_superscript(p, e, &found)) {
		return false;
	}
	if (!found && take(p, "^")) {
		found = true;
		skip_space(p);
		if (!parse_caret(p, e)) {
			return false;
		}
	}
	size_t length;
	if (found && (take(p, "^") || superscript_digit(peek(p, &length)) >= 0)) {
		return fail(p, "a power of a power needs brackets");
	}
	return true;
}

/* ---- factors ---- */

/* A number of a definition: digits [. digits] [e [-] digits]. */
static Scale parse_table_number(Parser *p)
{
	uint64_t mantissa = 0;
	int32_t ten = 0;
	for (bool point = false; at_digit(p) || (p->at < p->n && p->s[p->at] == '.'); p->at++) {
		if (p->s[p->at] == '.') {
			point = true;
		} else {
			mantissa = mantissa * 10 + (uint64_t)(p->s[p->at] - '0');
			ten -= point;
		}
	}
	if (p->at < p->n && p->s[p->at] == 'e') {
		char *end;
		ten += (int32_t)strtol(p->s + p->at + 1, &end, 10);
		p->at = (size_t)(end - p->s);
	}
	return scale_decimal(mantissa, ten);
}

static bool parse_number(Parser *p, Scale *scale)
{
	if (p->table) {
		*scale = parse_table_number(p);
		return true;
	}
	size_t start = p->at;
	while (at_digit(p) || (p->at < p->n && p->s[p->at] == '.')) {
		p->at++;
	}
	if (p->at - start != 1 || p->s[start] != '1') {
		return fail(p, "a unit has no number but 1: the number stands before the quotes");
	}
	return true;
}

static bool parse_name(Parser *p, Scale *scale)
{
	size_t n = name_length(p);
	const char *name = p->s + p->at;
	p->at += n;
	if (p->table && n == 2 && memcmp(name, "pi", 2) == 0) {
		scale->pi = 1;
		return true;
	}
	uint32_t row, prefix;
	if (!find_atom(name, n, &row, &prefix)) {
		return fail_unknown(p, name, n);
	}
	if (rows[row].kind == UNIT_ROW_REFUSED) {
		return fail(p, rows[row].text);
	}
	UnitTerm term = {unit_atom(row, prefix), {1, 1}};
	ARENA_PUSH(p->arena, p->term, p->nterm, p->cap, term);
	return true;
}

static bool parse_product(Parser *p);

/* A factor; its terms (from p->nterm on) and its number are raised to `sign` times its power. */
static bool parse_factor(Parser *p, int32_t sign)
{
	skip_space(p);
	size_t first = p->nterm, length;
	Scale outer = p->scale;
	p->scale = (Scale){1, 1, 0, 0};
	if (take(p, "(")) {
		if (p->depth == DEPTH_MAX) {
			return fail(p, "brackets are nested too deeply");
		}
		p->depth++;
		if (!parse_product(p)) {
			return false;
		}
		p->depth--;
		if (!take(p, ")")) {
			return fail(p, "a ) is missing");
		}
	} else if (at_digit(p)) {
		if (!parse_number(p, &p->scale)) {
			return false;
		}
	} else if (begins_unit(peek(p, &length))) {
		if (!parse_name(p, &p->scale)) {
			return false;
		}
	} else {
		return fail(p, p->at == p->n ? "a unit is missing at the end"
					     : "a unit is missing before or between signs");
	}
	Ratio e;
	if (!parse_power(p, &e)) {
		return false;
	}
	e.num *= sign;
	for (size_t i = first; i < p->nterm; i++) {
		if (!ratio_mul(p->term[i].e, e, &p->term[i].e)) {
			return fail(p, "the power is too large or too finely divided");
		}
	}
	assert(!p->table || e.den == 1);
	p->scale = p->table ? scale_times(outer, p->scale, e.num) : outer;
	return true;
}

static bool parse_product(Parser *p)
{
	bool divided = false;
	if (!parse_factor(p, 1)) {
		return false;
	}
	for (;;) {
		if (take(p, "/")) {
			divided = true;
			if (!parse_factor(p, -1)) {
				return false;
			}
		} else if (take(p, "*") || take(p, "·") || take(p, "⋅")) {
			if (divided && !p->table) {
				return fail(p, "a * behind a / can be read in two ways: write "
					       "a/(b*c) or a*c/b");
			}
			if (!parse_factor(p, 1)) {
				return false;
			}
		} else {
			return true;
		}
	}
}

static bool parse_all(Parser *p)
{
	if (!parse_product(p)) {
		return false;
	}
	skip_space(p);
	size_t length;
	if (p->at == p->n) {
		return true;
	}
	uint32_t c = peek(p, &length);
	if (begins_unit(c) || at_digit(p) || c == '(') {
		return fail(p, "two units side by side: write * between them");
	}
	return fail(p, c == ')' ? "a ( is missing"
				: arena_printf(p->arena, "%.*s does not belong in a unit",
					       (int)length, p->s + p->at));
}

bool unit_parse_terms(Arena *a, const char *text, UnitTerm **term, uint32_t *n, const char **why)
{
	Parser p = {.arena = a, .s = text, .n = strlen(text), .scale = {1, 1, 0, 0}};
	bool ok =
		unicode_valid(text, p.n) == p.n ? parse_all(&p) : fail(&p, "it is not valid UTF-8");
	assert(ok == !p.why);
	*why = p.why;
	*term = p.term;
	*n = (uint32_t)p.nterm;
	return ok;
}

/* ---- definitions ---- */

const UnitValue *unit_row_value(Arena *scratch, UnitValue *value, uint32_t i)
{
	UnitValue *v = &value[i];
	if (v->known) {
		return v;
	}
	v->known = true;
	v->scale = (Scale){1, 1, 0, 0};
	for (unsigned k = 0; k < UNIT_DIMENSIONS; k++) {
		v->dimension[k] = (Ratio){0, 1};
	}
	if (rows[i].text[0] == 0) {
		unsigned base = 0;
		for (uint32_t r = 0; r < i; r++) {
			base += rows[r].kind == UNIT_ROW_UNIT && rows[r].text[0] == 0;
		}
		assert(base < UNIT_BASES);
		v->dimension[base] = (Ratio){1, 1};
		return v;
	}
	Parser p = {.arena = scratch,
		    .s = rows[i].text,
		    .n = strlen(rows[i].text),
		    .scale = {1, 1, 0, 0},
		    .table = true};
	bool ok = parse_all(&p);
	assert(ok);
	(void)ok;
	v->scale = p.scale;
	for (size_t t = 0; t < p.nterm; t++) {
		uint32_t row = p.term[t].atom >> UNIT_PREFIX_BITS,
			 prefix = p.term[t].atom & ((1u << UNIT_PREFIX_BITS) - 1);
		const UnitValue *w = unit_row_value(scratch, value, row);
		int32_t e = p.term[t].e.num;
		v->scale = scale_times(v->scale, w->scale, e);
		v->scale.ten += prefixes[prefix].ten * e;
		for (unsigned k = 0; k < UNIT_BASES; k++) {
			Ratio part;
			ok = ratio_mul(w->dimension[k], p.term[t].e, &part) &&
			     ratio_add(v->dimension[k], part, &v->dimension[k]);
			assert(ok);
		}
	}
	return v;
}
