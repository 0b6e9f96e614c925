/* core_expr.c — expressions of the tables (partial derivatives, rewrite rules) as nodes. The texts
 * are ours and short: plain recursive descent; whatever is wrong with them is asserted. */
#include "lang/core_int.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct Reader {
	Core *c;
	const char *at;
	size_t n;
	const CoreName *names;
} Reader;

static Node read_expr(Reader *r);

static void blanks(Reader *r)
{
	while (*r->at == ' ') {
		r->at++;
	}
}

static size_t word_length(const char *s)
{
	size_t n = 0;
	while (isalpha((unsigned char)s[n]) ||
	       (n && (isdigit((unsigned char)s[n]) || s[n] == '_'))) {
		n++;
	}
	return n;
}

/* Takes the symbol or the whole word if it comes next. */
static bool accept(Reader *r, const char *what)
{
	blanks(r);
	size_t n = strlen(what);
	if (strncmp(r->at, what, n) != 0 ||
	    (isalpha((unsigned char)*what) && word_length(r->at) != n)) {
		return false;
	}
	r->at += n;
	return true;
}

static void expect(Reader *r, const char *what)
{
	bool there = accept(r, what);
	assert(there);
	(void)there;
}

static Node read_name(Reader *r)
{
	char word[32];
	size_t n = word_length(r->at);
	assert(n && n < sizeof word);
	memcpy(word, r->at, n);
	word[n] = 0;
	r->at += n;
	if (!accept(r, "(")) {
		for (size_t k = 0; k < r->n; k++) {
			if (strcmp(r->names[k].name, word) == 0) {
				return r->names[k].value;
			}
		}
		assert(!"unknown name in a table");
	}
	Node args[2] = {read_expr(r), 0};
	if (accept(r, ",")) {
		args[1] = read_expr(r);
	}
	expect(r, ")");
	Op op = op_find_kind(word, core_kind(r->c, args[0]));
	assert(op != OP_NONE && op_info(op)->n == (args[1] ? 2u : 1u));
	return core_op(r->c, (uint16_t)op, args);
}

static Node read_primary(Reader *r)
{
	blanks(r);
	if (accept(r, "(")) {
		Node n = read_expr(r);
		expect(r, ")");
		return n;
	}
	if (isdigit((unsigned char)*r->at)) {
		char *end;
		double v = strtod(r->at, &end);
		r->at = end;
		return core_real_const(r->c, v);
	}
	return read_name(r);
}

static Node read_unary(Reader *r);

static Node read_power(Reader *r)
{
	Node n = read_primary(r);
	return accept(r, "^") ? core_pow(r->c, n, read_unary(r)) : n;
}

static Node read_unary(Reader *r)
{
	if (accept(r, "-")) {
		return core_neg(r->c, read_unary(r));
	}
	return read_power(r);
}

static Node read_term(Reader *r)
{
	Node n = read_unary(r);
	for (;;) {
		if (accept(r, "*")) {
			n = core_mul(r->c, n, read_unary(r));
		} else if (accept(r, "/")) {
			n = core_div(r->c, n, read_unary(r));
		} else {
			return n;
		}
	}
}

static Node read_sum(Reader *r)
{
	Node n = read_term(r);
	for (;;) {
		if (accept(r, "+")) {
			n = core_add(r->c, n, read_term(r));
		} else if (accept(r, "-")) {
			n = core_sub(r->c, n, read_term(r));
		} else {
			return n;
		}
	}
}

static Node read_comparison(Reader *r)
{
	static const struct {
		const char *text;
		Op op;
		bool swap;
	} rows[] = {{"<=", OP_le, false}, {">=", OP_le, true}, {"==", OP_eq, false},
		    {"!=", OP_ne, false}, {"<", OP_lt, false}, {">", OP_lt, true}};
	if (accept(r, "not")) {
		return core_not(r->c, read_comparison(r));
	}
	Node n = read_sum(r);
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		if (accept(r, rows[k].text)) {
			Node m = read_sum(r);
			return core_op2(r->c, (uint16_t)rows[k].op, rows[k].swap ? m : n,
					rows[k].swap ? n : m);
		}
	}
	return n;
}

static Node read_and(Reader *r)
{
	Node n = read_comparison(r);
	while (accept(r, "and")) {
		n = core_op2(r->c, OP_and, n, read_comparison(r));
	}
	return n;
}

static Node read_expr(Reader *r)
{
	if (accept(r, "if")) {
		Node cond = read_expr(r);
		expect(r, "then");
		Node yes = read_expr(r);
		expect(r, "else");
		return core_select(r->c, cond, yes, read_expr(r));
	}
	Node n = read_and(r);
	while (accept(r, "or")) {
		n = core_op2(r->c, OP_or, n, read_and(r));
	}
	return n;
}

Node core_expression(Core *c, const char *text, size_t n, const CoreName *names)
{
	Reader r = {c, text, n, names};
	Node made = read_expr(&r);
	blanks(&r);
	assert(*r.at == 0);
	return made;
}
