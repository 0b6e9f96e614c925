/* scan_token.c — what the bytes of a token mean: names in normal form, exact numbers, contents of
 * strings, and characters that only look like ours. Raw tokens in scan.l, layout in parse_layout.c.
 * Keeps: a mistake inside a token is reported once and the token still delivered, so that nothing
 * follows from it. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "lang/parse_int.h"
#include "lang/unicode.h"
#include "parse.h"
#include "scan.h"

static Span token_span(const Scan *s)
{
	return (Span){s->file, s->token.lo, s->token.hi};
}

/* The text of the token, cut for a message. */
static const char *token_text(const Scan *s)
{
	size_t n = s->token.hi - s->token.lo;
	bool cut = n > 40;
	for (n = cut ? 37 : n;
	     cut && n > 0 && ((unsigned char)s->text[s->token.lo + n] & 0xC0) == 0x80; n--) {
	}
	return arena_printf(s->ctx->arena, "%.*s%s", (int)n, s->text + s->token.lo, cut ? "…" : "");
}

/* ---- names
 * -----------------------------------------------------------------------------------------------------
 */

bool scan_name_begins(const Scan *s)
{
	uint32_t c;
	return unicode_decode(s->text + s->token.lo, s->n - s->token.lo, &c) &&
	       unicode_begins_name(c);
}

bool scan_name_goes_on(const Scan *s, uint32_t offset)
{
	uint32_t c;
	return offset < s->n && (unsigned char)s->text[offset] >= 0x80 &&
	       unicode_decode(s->text + offset, s->n - offset, &c) && unicode_continues_name(c);
}

size_t scan_character_length(const Scan *s, uint32_t offset)
{
	uint32_t c;
	size_t n = unicode_decode(s->text + offset, s->n - offset, &c);
	return n ? n : 1;
}

bool scan_word(Scan *s)
{
	const char *text = s->text + s->token.lo;
	size_t n = s->token.hi - s->token.lo, normal_n;
	ArenaMark mark = arena_mark(s->ctx->arena);
	const char *normal = unicode_nfc(s->ctx->arena, text, n, &normal_n);
	if (normal == text) {
		s->token.name = s->token.text = intern_bytes(s->ctx->names, text, n);
	} else {
		/* The interner may share the arena: only what it does not keep is given back. */
		bool known = false;
		char *copy = malloc(normal_n + 1);
		if (copy) {
			memcpy(copy, normal, normal_n);
			arena_release(s->ctx->arena, mark);
			known = true;
		}
		s->token.name = intern_bytes(s->ctx->names, known ? copy : normal, normal_n);
		free(copy);
		s->token.text = intern_bytes(s->ctx->names, text, n);
	}
	s->token.kind = TOK_NAME;
	return true;
}

/* ---- characters that are no tokens of their own in ASCII
 * ---------------------------------------------------------- */

/* Characters that look like one of ours, what to write, and the token that was meant (0: none). */
static const struct Likeness {
	uint32_t c;
	int kind;
	const char *write;
} likeness[] = {
	{0x00A0, -1, "an ordinary space"},
	{0x00AA, 0, "a letter"},
	{0x00B0, 0, "'deg' as a unit"},
	{0x00B1, 0, "two statements, one with + and one with -"},
	{0x00B7, TOK_STAR, "*"},
	{0x00BA, 0, "'deg' as a unit"},
	{0x00D7, TOK_STAR, "*"},
	{0x00F7, TOK_SLASH, "/"},
	{0x037E, TOK_SEMI, ";"},
	{0x2010, TOK_MINUS, "-"},
	{0x2011, TOK_MINUS, "-"},
	{0x2012, TOK_MINUS, "-"},
	{0x2013, TOK_MINUS, "-"},
	{0x2014, TOK_MINUS, "-"},
	{0x2018, 0, "'"},
	{0x2019, 0, "'"},
	{0x201C, 0, "\""},
	{0x201D, 0, "\""},
	{0x201E, 0, "\""},
	{0x2026, TOK_DOTS, ".."},
	{0x2032, 0, "∂f/∂x for a derivative"},
	{0x2044, TOK_SLASH, "/"},
	{0x2190, 0, "="},
	{0x2192, TOK_ARROW, "->"},
	{0x21A6, TOK_ARROW, "->"},
	{0x2206, 0, "Δ, or laplacian(u)"},
	{0x2207, 0, "grad(f), div(f) or curl(f)"},
	{0x2208, 0, "in"},
	{0x220F, 0, "prod"},
	{0x2211, 0, "sum, or the letter Σ"},
	{0x2212, TOK_MINUS, "-"},
	{0x2215, TOK_SLASH, "/"},
	{0x2217, TOK_STAR, "*"},
	{0x2218, TOK_STAR, "*"},
	{0x2219, TOK_STAR, "*"},
	{0x221A, 0, "sqrt(x)"},
	{0x221E, 0, "a number"},
	{0x222B, 0, "a sum over points"},
	{0x2236, TOK_COLON, ":"},
	{0x223C, TOK_TILDE, "~"},
	{0x2248, TOK_EQ, "== with within"},
	{0x2260, TOK_NE, "!="},
	{0x2261, TOK_EQ, "=="},
	{0x2264, TOK_LE, "<="},
	{0x2265, TOK_GE, ">="},
	{0x22C5, TOK_STAR, "*"},
	{0x3000, -1, "an ordinary space"},
	{0xFEFF, -1, "nothing: it is a byte order mark"},
};

static const struct Likeness *find_likeness(uint32_t c)
{
	static const struct Likeness partial = {0, TOK_PARTIAL, "∂ (U+2202) or partial"};
	static const struct Likeness space = {0, -1, "an ordinary space"};
	if (c == 0x1D6DB || c == 0x1D715 || c == 0x1D74F || c == 0x1D789 || c == 0x1D7C3) {
		return &partial;
	}
	if (c >= 0x2000 && c <= 0x200F) {
		return &space;
	}
	for (size_t i = 0; i < sizeof likeness / sizeof *likeness; i++) {
		if (likeness[i].c == c) {
			return &likeness[i];
		}
	}
	return NULL;
}

/* The plain form of a styled character (𝑥 is x, Ａ is A), if it has one of its own. */
static const char *plain_form(Scan *s, const char *text, size_t n)
{
	utf8proc_uint8_t *out = NULL;
	utf8proc_ssize_t m = utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)n, &out,
	                                  UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
	const char *plain = NULL;
	if (m > 0 && ((size_t)m != n || memcmp(out, text, n) != 0)) {
		plain = arena_printf(s->ctx->arena, "%.*s", (int)m, (const char *)out);
	}
	free(out);
	return plain;
}

static const char *describe(Scan *s, uint32_t c)
{
	if (c < 0x20 || c == 0x7F) {
		return arena_printf(s->ctx->arena, "U+%04X (a control character)", (unsigned)c);
	}
	return arena_printf(s->ctx->arena, "`%s` (U+%04X)", token_text(s), (unsigned)c);
}

static bool strange_character(Scan *s, uint32_t c)
{
	Diag *d = diag_bad_character(s->ctx->diags, token_span(s), describe(s, c));
	const struct Likeness *l = find_likeness(c);
	s->token.kind = l && l->kind > 0 ? l->kind : TOK_BAD;
	s->token.reported = true;
	if (l) {
		diag_help(d, "write %s", l->write);
		return l->kind >= 0;
	}
	const char *plain = plain_form(s, s->text + s->token.lo, s->token.hi - s->token.lo);
	if (plain) {
		diag_help(d, "write %s", plain);
	} else if (c == '%') {
		diag_help(
			d,
			"a percentage is one word: 80%%; the remainder of a division is `a mod b`");
	} else if (c == '!') {
		diag_help(d, "write `not`");
	} else if (c == '&') {
		diag_help(d, "write `and`, or `band` for bits");
	} else if (c == '@' || c == '$' || c == '\\' || c == '`') {
		diag_help(d, "names are made of letters, digits and _");
	}
	return true;
}

static int superscript_value(uint32_t c)
{
	switch (c) {
	case 0x00B2: return 2;
	case 0x00B3: return 3;
	case 0x00B9: return 1;
	case 0x2070: return 0;
	default: return c >= 0x2074 && c <= 0x2079 ? (int)(c - 0x2070) : -1;
	}
}

/* A superscript: ⁿ alone, or [⁻] digits. The rest of the digits is taken by the layout, which joins
 * neighbours. */
static bool scan_superscript(Scan *s, uint32_t c)
{
	s->token.kind = TOK_SUP;
	s->token.integer = c == 0x207F ? -1 : superscript_value(c);
	return true;
}

bool scan_character(Scan *s)
{
	uint32_t c = (unsigned char)s->text[s->token.lo];
	unicode_decode(s->text + s->token.lo, s->n - s->token.lo, &c);
	if (c == 0xFEFF && s->token.lo == 0) {
		return false;
	}
	if (c == 0x2202) {
		s->token.kind = TOK_PARTIAL;
		return true;
	}
	if (c == 0x207F || superscript_value(c) >= 0) {
		return scan_superscript(s, c);
	}
	return strange_character(s, c);
}

/* ---- numbers
 * -----------------------------------------------------------------------------------------------------
 */

/* The text of the token as a C string in a buffer of the arena; digits may go on for megabytes. */
static char *number_text(Scan *s)
{
	size_t n = s->token.hi - s->token.lo;
	char *text = arena_alloc(s->ctx->arena, n + 1, 1);
	memcpy(text, s->text + s->token.lo, n);
	return text;
}

static bool number_is(Scan *s, double value, uint32_t flags)
{
	s->token.kind = TOK_NUM;
	s->token.num = value;
	s->token.flags = flags;
	s->token.text = intern_bytes(s->ctx->names, s->text + s->token.lo,
	                             s->token.hi - s->token.lo);
	return true;
}

bool scan_bad_number(Scan *s, const char *why)
{
	diag_bad_number(s->ctx->diags, token_span(s), token_text(s), why);
	s->token.reported = true;
	return number_is(s, 1, 0);
}

/* An integer of at most 64 bits in the given base; digits only. */
static bool scan_integer(Scan *s, const char *digits, int base)
{
	errno = 0;
	long long value = strtoll(digits, NULL, base);
	if (errno == ERANGE) {
		diag_help(diag_bad_number(s->ctx->diags, token_span(s), token_text(s),
		                          "integers have 64 bits"),
		          "with a point it is a real number");
		return number_is(s, 1, 0);
	}
	s->token.integer = value;
	return number_is(s, (double)value, AST_INTEGER);
}

bool scan_number(Scan *s)
{
	ArenaMark mark = arena_mark(s->ctx->arena);
	char *text = number_text(s);
	size_t n = s->token.hi - s->token.lo;
	bool percent = text[n - 1] == '%', whole = strspn(text, "0123456789") == n;
	errno = 0;
	double value = whole ? 0 : strtod_l(text, NULL, (locale_t)s->numbers);
	bool range = errno == ERANGE, big = range && !isfinite(value), zero = range && value == 0.0;
	if (whole && n <= 19) {
		char copy[24];
		memcpy(copy, text, n + 1);
		arena_release(s->ctx->arena, mark);
		return scan_integer(s, copy, 10);
	}
	if (whole) {
		return scan_integer(s, text, 10);
	}
	arena_release(s->ctx->arena, mark);
	if (big || zero) {
		return scan_bad_number(s, big ? "it is too large for 64-bit floating point"
		                              : "it is too small for 64-bit floating point");
	}
	return number_is(s, percent ? value / 100 : value, percent ? AST_PERCENT : 0);
}

bool scan_hex(Scan *s)
{
	return scan_integer(s, number_text(s), 16);
}

/* ---- strings and units
 * ------------------------------------------------------------------------------------------- */

/* \u{…} at *p (which stands on the u); writes the character, moves *p behind it. */
static bool unicode_escape(const char **p, const char *end, char *out, size_t *o)
{
	const char *q = *p + 1;
	uint32_t c = 0;
	size_t digits = 0;
	if (q >= end || *q++ != '{') {
		return false;
	}
	for (; q < end && digits < 7 && strchr("0123456789abcdefABCDEF", *q) && *q; q++, digits++) {
		c = c * 16 + (uint32_t)(*q <= '9' ? *q - '0' : (*q | 32) - 'a' + 10);
	}
	size_t n = digits >= 1 && digits <= 6 && c > 0 && q < end && *q == '}'
	                   ? unicode_encode(c, out + *o)
	                   : 0;
	*o += n;
	*p = q + 1;
	return n > 0;
}

static void bad_escape(Scan *s, const char *from, const char *to)
{
	uint32_t lo = (uint32_t)(from - s->text), hi = (uint32_t)(to - s->text);
	Span at = {s->file, lo, hi < s->token.hi ? hi : s->token.hi};
	const char *shown = arena_printf(s->ctx->arena, "`%.*s`",
	                                 (int)(at.hi - at.lo > 12 ? 2 : at.hi - at.lo), from);
	diag_help(diag_bad_escape(s->ctx->diags, at, shown),
	          "known are \\n \\t \\\" \\\\ and \\u{3b1}");
}

/* Resolves the escapes of p..end into out; returns the length. */
static size_t resolve(Scan *s, const char *p, const char *end, char *out)
{
	size_t o = 0;
	while (p < end) {
		if (*p != '\\') {
			out[o++] = *p++;
			continue;
		}
		const char *from = p++;
		if (p < end && strchr("nt\"\\", *p) && *p) {
			out[o++] = *p == 'n' ? '\n' : *p == 't' ? '\t' : *p;
			p++;
		} else if (p >= end || *p != 'u' || !unicode_escape(&p, end, out, &o)) {
			p = p > from + 1 ? p
			                 : from + 1 +
			                           (p < end ? scan_character_length(
								      s, (uint32_t)(p - s->text))
			                                    : 0);
			bad_escape(s, from, p < end ? p : end);
		}
	}
	return o;
}

bool scan_string(Scan *s)
{
	const char *text = s->text + s->token.lo;
	size_t n = s->token.hi - s->token.lo;
	bool closed = n >= 2 && text[n - 1] == '"';
	if (!closed) {
		diag_help(
			diag_open_string(s->ctx->diags,
		                         (Span){s->file, s->token.lo, s->token.lo + 1}),
			"a string ends with \" on the line where it begins; a new line inside is \\n");
		s->token.reported = true;
	}
	char *out = malloc(n + 1);
	if (!out) {
		s->out_of_memory = true;
		return number_is(s, 0, 0);
	}
	size_t o = resolve(s, text + 1, text + n - (closed ? 1 : 0), out);
	s->token.name = intern_bytes(s->ctx->names, out, o);
	s->token.text = intern_bytes(s->ctx->names, text, n);
	s->token.kind = TOK_STR;
	free(out);
	return true;
}

bool scan_unit(Scan *s)
{
	const char *text = s->text + s->token.lo;
	size_t n = s->token.hi - s->token.lo;
	bool closed = n >= 2 && text[n - 1] == '\'';
	if (!closed) {
		Diag *d = diag_open_unit(s->ctx->diags,
		                         (Span){s->file, s->token.lo, s->token.lo + 1});
		diag_help(
			d,
			"a unit stands between two quotes: 5.0 'm'; a derivative is written ∂f/∂x, not f'(x)");
		s->token.reported = true;
	}
	size_t inside = closed ? n - 2 : n - 1;
	while (!closed && inside > 0 && text[inside] == '\r') {
		inside--;
	}
	s->token.text = intern_bytes(s->ctx->names, text + 1, inside);
	s->token.kind = TOK_UNIT;
	return true;
}

/* ---- opening and closing
 * ------------------------------------------------------------------------------------------ */

static bool check_utf8(Scan *s)
{
	size_t good = unicode_valid(s->text, s->n);
	if (good == s->n) {
		return true;
	}
	size_t more = 0;
	for (size_t at = good + 1; at < s->n; at++) {
		size_t valid = unicode_valid(s->text + at, s->n - at);
		at += valid;
		more += at < s->n;
	}
	Diag *d = diag_bad_utf8(s->ctx->diags, (Span){s->file, (uint32_t)good, (uint32_t)good + 1});
	if (s->n >= 2 &&
	    (memcmp(s->text, "\xFF\xFE", 2) == 0 || memcmp(s->text, "\xFE\xFF", 2) == 0)) {
		diag_help(d, "the file is UTF-16: save it as UTF-8");
		return false;
	}
	diag_label(d, "byte %02x", (unsigned)(unsigned char)s->text[good]);
	if (more) {
		diag_remark(d, "%zu more byte%s of the text %s not valid UTF-8", more,
		            more == 1 ? "" : "s", more == 1 ? "is" : "are");
	}
	diag_help(d, "save the file as UTF-8");
	return false;
}

bool scan_open(Scan *s, ParseCtx *ctx, uint32_t file)
{
	memset(s, 0, sizeof *s);
	s->ctx = ctx;
	s->file = file;
	s->text = sources_text(ctx->sources, file, &s->n);
	if (!check_utf8(s)) {
		return false;
	}
	s->numbers = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	jmp_buf jump;
	s->jump = &jump;
	if (!s->numbers || lang_flex_lex_init_extra(s, &s->flex) != 0) {
		s->out_of_memory = true;
		return false;
	}
	if (setjmp(jump)) {
		s->out_of_memory = true;
		return false;
	}
	lang_flex__scan_bytes(s->text, (int)s->n, s->flex);
	return true;
}

void scan_next(Scan *s)
{
	jmp_buf jump;
	s->jump = &jump;
	memset(&s->token, 0, sizeof s->token);
	if (s->out_of_memory || setjmp(jump)) {
		s->out_of_memory = true;
		s->token = (Token){.kind = TOK_END, .lo = (uint32_t)s->n, .hi = (uint32_t)s->n};
		return;
	}
	lang_flex_lex(s->flex);
	if (s->token.kind == TOK_END) {
		s->token.lo = s->token.hi = (uint32_t)s->n;
	}
}

void scan_close(Scan *s)
{
	if (s->flex) {
		lang_flex_lex_destroy(s->flex);
		s->flex = NULL;
	}
	if (s->numbers) {
		freelocale((locale_t)s->numbers);
		s->numbers = NULL;
	}
}
