/* ast_text.c — a node as one line of source, with the brackets its precedence needs even where the
 * tree has none. Keeps: for a tree that was parsed, parsing the line gives the tree again, but for
 * spans and PAREN nodes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lang/ast_text_int.h"

void text_put(TextOut *t, const char *s)
{
	size_t n = strlen(s);
	if (t->n + n + 1 > t->cap) {
		size_t cap = (t->n + n + 1) * 2;
		char *more = arena_alloc(t->arena, cap, 1);
		memcpy(more, t->s, t->n);
		t->s = more;
		t->cap = cap;
	}
	memcpy(t->s + t->n, s, n + 1);
	t->n += n;
}

void text_sym(TextOut *t, Sym s)
{
	text_put(t, intern_text(t->names, s));
}

void text_name(TextOut *t, const Ast *node)
{
	text_sym(t, node->text ? node->text : node->name);
}

static bool named(const TextOut *t, const Ast *e, const char *name)
{
	return strcmp(intern_text(t->names, e->name), name) == 0;
}

static bool named_one_of(const TextOut *t, const Ast *e, const char *const *list)
{
	for (; *list; list++) {
		if (named(t, e, *list)) {
			return true;
		}
	}
	return false;
}

static bool is_linear(const TextOut *t, const Ast *e)
{
	static const char *const linear[] = {"sum", "mean", "count", "expect", NULL};
	return e->kind == AST_REDUCE && named_one_of(t, e, linear);
}

static bool is_product(const TextOut *t, const Ast *e)
{
	static const char *const product[] = {"*", "/", "mod", "div", NULL};
	return e->kind == AST_BINARY && named_one_of(t, e, product);
}

/* Does the expression end in a linear reducer, which would take a following factor for its own? */
static bool is_open(const TextOut *t, const Ast *e)
{
	for (;;) {
		if (e->kind == AST_REDUCE) {
			return is_linear(t, e) && e->kid[1]->kind != AST_BLOCK;
		}
		if (e->kind == AST_UNARY && named(t, e, "-")) {
			e = e->kid[0];
		} else if (is_product(t, e)) {
			e = e->kid[1];
		} else {
			return false;
		}
	}
}

static Level binary_level(const TextOut *t, const Ast *e)
{
	static const struct {
		const char *name;
		Level level;
	} rows[] = {
		{"or", LEVEL_OR},      {"and", LEVEL_AND},  {"+", LEVEL_ADDITIVE},
		{"-", LEVEL_ADDITIVE}, {"^", LEVEL_POWER},  {"xor", LEVEL_BITS},
		{"shl", LEVEL_BITS},   {"shr", LEVEL_BITS}, {"band", LEVEL_BITS},
		{"bor", LEVEL_BITS},
	};
	if (is_product(t, e)) {
		return is_open(t, e) ? LEVEL_TERM : LEVEL_PRODUCT;
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (named(t, e, rows[i].name)) {
			return rows[i].level;
		}
	}
	return LEVEL_COMPARE;
}

static Level level_of(const TextOut *t, const Ast *e)
{
	switch (e->kind) {
	case AST_IF: return LEVEL_EXPR;
	case AST_PIPE: return LEVEL_PIPE;
	case AST_RANGE: return LEVEL_RANGE;
	case AST_BINARY: return binary_level(t, e);
	case AST_UNARY:
		return named(t, e, "not") ? LEVEL_NOT : is_open(t, e) ? LEVEL_TERM : LEVEL_FACTOR;
	case AST_PARTIAL:
	case AST_PARTIALOP: return LEVEL_FACTOR;
	case AST_INDEX:
	case AST_CALL:
	case AST_FIELD: return LEVEL_POSTFIX;
	case AST_REDUCE: return is_open(t, e) ? LEVEL_TERM : LEVEL_PRIMARY;
	case AST_NUM: return e->num < 0 ? LEVEL_FACTOR : LEVEL_PRIMARY;
	default: return LEVEL_PRIMARY;
	}
}

/* ---- leaves ------------------------------------------------------------------------------------
 */

/* The shortest decimal that reads back as the same number; with digits on both sides of a point. */
static void put_number(TextOut *t, const Ast *e)
{
	char s[64];
	if (e->text) {
		text_sym(t, e->text);
		return;
	}
	if (e->flags & AST_INTEGER) {
		snprintf(s, sizeof s, "%lld", (long long)e->integer);
	} else {
		double value = e->flags & AST_PERCENT ? e->num * 100 : e->num;
		for (int digits = 1; digits <= 17; digits++) {
			snprintf(s, sizeof s, "%.*g", digits, value);
			if (strtod(s, NULL) == value) {
				break;
			}
		}
	}
	text_put(t, s);
	text_put(t, e->flags & AST_PERCENT ? "%" : "");
}

static void put_string(TextOut *t, const Ast *e)
{
	if (e->text) {
		text_sym(t, e->text);
		return;
	}
	text_put(t, "\"");
	for (const char *c = intern_text(t->names, e->name); *c; c++) {
		char one[2] = {*c, 0};
		text_put(t, *c == '\n'   ? "\\n"
		            : *c == '\t' ? "\\t"
		            : *c == '"'  ? "\\\""
		            : *c == '\\' ? "\\\\"
		                         : one);
	}
	text_put(t, "\"");
}

static void put_unit(TextOut *t, Sym unit)
{
	if (unit) {
		text_put(t, " '");
		text_sym(t, unit);
		text_put(t, "'");
	}
}

/* ---- operators ---------------------------------------------------------------------------------
 */

static void put_power(TextOut *t, const Ast *e)
{
	const char *spelling = intern_text(t->names, e->text);
	text_expr(t, e->kid[0], LEVEL_POSTFIX);
	if (*spelling && strcmp(spelling, "^") != 0) {
		text_put(t, spelling);
		return;
	}
	text_put(t, "^");
	const Ast *exponent = e->kid[1];
	while (exponent->kind == AST_UNARY && named(t, exponent, "-")) {
		text_put(t, "-");
		exponent = exponent->kid[0];
	}
	text_expr(t, exponent, LEVEL_POWER);
}

static bool has_unit(const Ast *e)
{
	return e->kind == AST_QUANTITY;
}

/* The last operand of a chain of products, the one before the operator. */
static const Ast *last_factor(const TextOut *t, const Ast *e)
{
	while (is_product(t, e)) {
		e = e->kid[1];
	}
	return e;
}

static void put_product(TextOut *t, const Ast *e)
{
	const Ast *right = e->kid[1];
	bool word = !named(t, e, "*") && !named(t, e, "/");
	bool wide = word || has_unit(last_factor(t, e->kid[0])) || has_unit(right);
	bool bare = is_open(t, right) && !is_product(t, right);
	text_expr(t, e->kid[0], LEVEL_PRODUCT);
	text_put(t, wide ? " " : "");
	text_sym(t, e->name);
	text_put(t, wide ? " " : "");
	text_expr(t, right, bare ? LEVEL_TERM : LEVEL_FACTOR);
}

static void put_binary(TextOut *t, const Ast *e)
{
	Level level = binary_level(t, e), left = level, right = level + 1;
	if (level == LEVEL_POWER) {
		put_power(t, e);
		return;
	}
	if (is_product(t, e)) {
		put_product(t, e);
		return;
	}
	if (level == LEVEL_BITS) {
		bool same = e->kid[0]->kind == AST_BINARY && e->kid[0]->name == e->name;
		left = same ? LEVEL_BITS : LEVEL_FACTOR;
		right = LEVEL_FACTOR;
	} else if (level == LEVEL_COMPARE) {
		left = right = LEVEL_RANGE;
	}
	text_expr(t, e->kid[0], left);
	text_put(t, " ");
	text_sym(t, e->name);
	text_put(t, " ");
	text_expr(t, e->kid[1], right);
}

static void put_unary(TextOut *t, const Ast *e)
{
	if (named(t, e, "not")) {
		text_put(t, "not ");
		text_expr(t, e->kid[0], LEVEL_NOT);
		return;
	}
	text_put(t, "-");
	bool bare = is_open(t, e->kid[0]) && !is_product(t, e->kid[0]);
	text_expr(t, e->kid[0], bare ? LEVEL_TERM : LEVEL_FACTOR);
}

static void put_order(TextOut *t, double order, bool ascii)
{
	static const char *const raised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
	char s[24];
	if (order <= 1) {
		return;
	}
	snprintf(s, sizeof s, "%.0f", order);
	if (ascii) {
		text_put(t, "^");
		text_put(t, s);
		return;
	}
	for (const char *c = s; *c >= '0' && *c <= '9'; c++) {
		text_put(t, raised[*c - '0']);
	}
}

/* ∂²u/∂x∂t, or partial^2 u/partial x partial t as the user wrote it. */
static void put_partial(TextOut *t, const Ast *e)
{
	bool ascii = strcmp(intern_text(t->names, e->text), "partial") == 0;
	const char *sign = ascii ? "partial" : "∂";
	text_put(t, sign);
	put_order(t, e->num, ascii);
	text_put(t, ascii ? " " : "");
	text_expr(t, e->kid[0], LEVEL_POSTFIX);
	text_put(t, "/");
	for (uint32_t i = 1; i < e->nkid; i++) {
		const Ast *v = e->kid[i];
		text_put(t, ascii && i > 1 ? " " : "");
		text_put(t, sign);
		text_put(t, ascii ? " " : "");
		text_expr(t, v->kid[0], LEVEL_POSTFIX);
		put_order(t, v->num, ascii);
	}
}

/* ---- brackets ----------------------------------------------------------------------------------
 */

static bool is_short(const Ast *e)
{
	return e->kind == AST_NAME || e->kind == AST_NUM || e->kind == AST_OPERATOR;
}

/* Indices stand close when they are all short: W[i,j], but h[t-1, j]. */
static const char *index_separator(const Ast *node, uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < n; i++) {
		const Ast *e = node->kid[i]->kind == AST_BINDER && !node->kid[i]->kid[1]
		                       ? node->kid[i]->kid[0]
		                       : node->kid[i];
		if (!is_short(e)) {
			return ", ";
		}
	}
	return ",";
}

void text_kids(TextOut *t, const Ast *node, uint32_t first, uint32_t n, const char *separator)
{
	for (uint32_t i = first; i < n; i++) {
		text_put(t, i > first ? separator : "");
		if (node->kid[i]) {
			text_expr(t, node->kid[i], LEVEL_EXPR);
		}
	}
}

static void put_enclosed(TextOut *t, const char *open, const Ast *node, uint32_t first,
                         const char *separator, const char *close)
{
	text_put(t, open);
	text_kids(t, node, first, node->nkid, separator);
	text_put(t, close);
}

static void put_binders(TextOut *t, const Ast *b, const char *open, const char *close)
{
	uint32_t n = b->nkid - (b->flags & AST_FILTER ? 1 : 0);
	text_put(t, open);
	text_kids(t, b, 0, n, *close == ']' ? index_separator(b, 0, n) : ", ");
	if (b->flags & AST_FILTER) {
		text_put(t, " if ");
		text_expr(t, b->kid[n], LEVEL_EXPR);
	}
	text_put(t, close);
}

static void put_binder(TextOut *t, const Ast *b)
{
	text_expr(t, b->kid[0], LEVEL_EXPR);
	if (b->kid[1]) {
		text_put(t, b->flags & AST_DRAW ? " ~ " : " in ");
		text_expr(t, b->kid[1], LEVEL_EXPR);
	}
}

static void put_reduce(TextOut *t, const Ast *e)
{
	const Ast *body = e->kid[1];
	text_name(t, e);
	put_binders(t, e->kid[0], "[", "]");
	if (is_linear(t, e)) {
		text_put(t, body->kind == AST_BLOCK ? "" : " ");
		text_expr(t, body, LEVEL_TERM);
	} else if (body->kind == AST_PAREN || body->kind == AST_TUPLE) {
		text_expr(t, body, LEVEL_PRIMARY);
	} else {
		text_put(t, "(");
		text_expr(t, body, LEVEL_EXPR);
		text_put(t, ")");
	}
}

static void put_if(TextOut *t, const Ast *e)
{
	text_put(t, "if ");
	text_expr(t, e->kid[0], LEVEL_EXPR);
	text_put(t, " then ");
	text_expr(t, e->kid[1], LEVEL_EXPR);
	text_put(t, " else ");
	text_expr(t, e->kid[2], LEVEL_EXPR);
}

static bool are_names(const Ast *tuple)
{
	for (uint32_t i = 0; i < tuple->nkid; i++) {
		if (tuple->kid[i]->kind != AST_NAME) {
			return false;
		}
	}
	return true;
}

static void put_type(TextOut *t, const Ast *e)
{
	text_sym(t, e->name);
	if (e->nkid) {
		put_enclosed(t, "[", e, 0, ", ", "]");
	}
	put_unit(t, e->text);
}

/* a-b and a+b where the whole belongs close together: in an index, at an end of a range. */
static void put_close_sum(TextOut *t, const Ast *e, Level least)
{
	bool sum = e->kind == AST_BINARY && (named(t, e, "+") || named(t, e, "-"));
	if (!sum) {
		text_expr(t, e, least);
		return;
	}
	text_expr(t, e->kid[0], LEVEL_ADDITIVE);
	text_sym(t, e->name);
	text_expr(t, e->kid[1], LEVEL_TERM);
}

static void put_indices(TextOut *t, const Ast *e)
{
	const char *separator = index_separator(e, 1, e->nkid);
	for (uint32_t i = 1; i < e->nkid; i++) {
		text_put(t, i > 1 ? separator : "[");
		put_close_sum(t, e->kid[i], LEVEL_EXPR);
	}
	text_put(t, "]");
}

static void put_postfix(TextOut *t, const Ast *e)
{
	text_expr(t, e->kid[0], LEVEL_POSTFIX);
	if (e->kind == AST_INDEX) {
		put_indices(t, e);
	} else if (e->kind == AST_CALL) {
		put_enclosed(t, "(", e, 1, ", ", ")");
	} else {
		text_put(t, ".");
		text_name(t, e);
	}
}

static void put_infix(TextOut *t, const Ast *e, const char *sign, Level left, Level right)
{
	text_expr(t, e->kid[0], left);
	text_put(t, sign);
	text_expr(t, e->kid[1], right);
}

static void put_expr(TextOut *t, const Ast *e)
{
	switch (e->kind) {
	case AST_NUM: put_number(t, e); break;
	case AST_QUANTITY:
		text_expr(t, e->kid[0], LEVEL_PRIMARY);
		put_unit(t, e->text);
		break;
	case AST_STR: put_string(t, e); break;
	case AST_NAME:
		text_name(t, e);
		if (e->nkid) {
			text_put(t, " in ");
			text_expr(t, e->kid[0], LEVEL_EXPR);
		}
		break;
	case AST_OPERATOR:
		text_sym(t, e->name ? e->name : e->text);
		text_put(t, e->name || e->text ? "" : "*");
		break;
	case AST_UNARY: put_unary(t, e); break;
	case AST_BINARY: put_binary(t, e); break;
	case AST_EQUATE:
	case AST_CASE: put_infix(t, e, " = ", LEVEL_EXPR, LEVEL_EXPR); break;
	case AST_RANGE:
		put_close_sum(t, e->kid[0], LEVEL_BITS);
		text_put(t, "..");
		put_close_sum(t, e->kid[1], LEVEL_BITS);
		break;
	case AST_INDEX:
	case AST_CALL:
	case AST_FIELD: put_postfix(t, e); break;
	case AST_NAMEDARG:
		text_name(t, e);
		text_put(t, " = ");
		text_expr(t, e->kid[0], LEVEL_EXPR);
		break;
	case AST_REDUCE: put_reduce(t, e); break;
	case AST_BINDERS: put_binders(t, e, "[", "]"); break;
	case AST_BINDER: put_binder(t, e); break;
	case AST_IF: put_if(t, e); break;
	case AST_PIPE: put_infix(t, e, " |> ", LEVEL_PIPE, LEVEL_POSTFIX); break;
	case AST_ARRAY: put_enclosed(t, "[", e, 0, ", ", "]"); break;
	case AST_COMPREHENSION:
		put_binders(t, e->kid[0], "[", " -> ");
		text_expr(t, e->kid[1], LEVEL_EXPR);
		text_put(t, "]");
		break;
	case AST_TUPLE: put_enclosed(t, "(", e, 0, are_names(e) ? "," : ", ", ")"); break;
	case AST_PAREN: put_enclosed(t, "(", e, 0, ", ", ")"); break;
	case AST_PARTIAL: put_partial(t, e); break;
	case AST_DVAR:
		text_put(t, "∂");
		text_expr(t, e->kid[0], LEVEL_POSTFIX);
		put_order(t, e->num, false);
		break;
	case AST_PARTIALOP:
		text_put(t, e->text ? intern_text(t->names, e->text) : "∂");
		put_enclosed(t, "[", e->kid[0], 0, ", ", "] ");
		text_expr(t, e->kid[1], LEVEL_POSTFIX);
		break;
	case AST_TYPE: put_type(t, e); break;
	case AST_ERROR_EXPR: text_put(t, "…"); break;
	default: text_statement(t, e); break;
	}
}

void text_expr(TextOut *t, const Ast *e, Level least)
{
	bool brackets = level_of(t, e) < least;
	text_put(t, brackets ? "(" : "");
	put_expr(t, e);
	text_put(t, brackets ? ")" : "");
}

const char *ast_text(Arena *a, const Intern *names, const Ast *node)
{
	TextOut t = {a, names, arena_alloc(a, 64, 1), 0, 64};
	if (node) {
		text_expr(&t, node, LEVEL_EXPR);
	}
	return t.s;
}
