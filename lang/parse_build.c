/* parse_build.c — nodes of expressions for the actions of parse.y.
 * Keeps: a child's span lies inside its parent's; no tree is deeper than PARSE_DEPTH_MAX; what was
 * erroneous is an error node and is not reported again. */
#include <string.h>

#include "lang/parse_int.h"
#include "parse.h"

Span parse_span(const Parser *p, const Token *t)
{
	return (Span){p->file, t->lo, t->hi};
}

AstList build_none(void)
{
	return (AstList){NULL, 0, 0};
}

AstList build_list(Parser *p, AstList list, Ast *item)
{
	if (item) {
		ARENA_PUSH(p->ctx->arena, list.item, list.n, list.cap, item);
	}
	return list;
}

AstList build_concat(Parser *p, AstList a, AstList b, uint32_t flags)
{
	for (size_t i = 0; i < b.n; i++) {
		a = build_list(p, a, build_flag(b.item[i], flags));
	}
	return a;
}

Ast *build_error(Parser *p, AstKind kind, Span at)
{
	return ast_new(p->ctx->arena, kind, at, 0, NULL);
}

Ast *build_flag(Ast *node, uint32_t flags)
{
	node->flags |= flags;
	return node;
}

Ast *build_node(Parser *p, AstKind kind, Span at, const Token *name, size_t n, Ast *const *kids)
{
	Ast *node = ast_new(p->ctx->arena, kind, at, (uint32_t)n, kids);
	if (node->depth > PARSE_DEPTH_MAX) {
		parse_report_deep(p, at, PARSE_DEPTH_MAX);
		return build_error(p, AST_ERROR_EXPR, at);
	}
	if (name) {
		node->name = name->name;
		node->text = name->text;
		node->name_span = parse_span(p, name);
	}
	return node;
}

Ast *build_from(Parser *p, AstKind kind, Span at, const Token *name, Ast *first, AstList rest)
{
	bool head = first ||
	            kind == AST_EQUATION; /* whose first child may be absent, but has its place */
	if (!head) {
		return build_node(p, kind, at, name, rest.n, rest.item);
	}
	Ast **kids = arena_array(p->ctx->arena, Ast *, rest.n + 1);
	kids[0] = first;
	if (rest.n) {
		memcpy(kids + 1, rest.item, rest.n * sizeof *kids);
	}
	return build_node(p, kind, at, name, rest.n + 1, kids);
}

Ast *build_several(Parser *p, Span at, AstList values)
{
	return values.n == 1 ? values.item[0] : build_from(p, AST_TUPLE, at, NULL, NULL, values);
}

static Sym source_text(const Parser *p, const Token *t)
{
	return intern_bytes(p->ctx->names, p->layout.scan.text + t->lo, t->hi - t->lo);
}

/* ---- leaves ------------------------------------------------------------------------------------
 */

Ast *build_name(Parser *p, const Token *t)
{
	return build_node(p, AST_NAME, parse_span(p, t), t, 0, NULL);
}

Ast *build_number(Parser *p, const Token *t)
{
	Ast *node = build_error(p, AST_NUM, parse_span(p, t));
	node->num = t->num;
	node->integer = t->integer;
	node->flags = t->flags;
	node->text = t->text;
	return node;
}

Ast *build_quantity(Parser *p, const Token *number, const Token *unit, Span at)
{
	Ast *node = BUILD(p, AST_QUANTITY, at, NULL, build_number(p, number));
	node->text = unit->text;
	return node;
}

Ast *build_string(Parser *p, const Token *t)
{
	return build_node(p, AST_STR, parse_span(p, t), t, 0, NULL);
}

/* ---- operators ---------------------------------------------------------------------------------
 */

static Ast *operation(Parser *p, AstKind kind, const Token *op, const char *name, size_t n,
                      Ast *const *kids)
{
	Span at = span_join(kids[0]->span, span_join(parse_span(p, op), kids[n - 1]->span));
	Ast *node = build_node(p, kind, at, NULL, n, kids);
	node->text = source_text(p, op);
	node->name = name ? intern_str(p->ctx->names, name) : node->text;
	node->name_span = parse_span(p, op);
	return node;
}

Ast *build_binary(Parser *p, const Token *op, const char *name, Ast *left, Ast *right)
{
	return operation(p, AST_BINARY, op, name, 2, (Ast *[]){left, right});
}

Ast *build_unary(Parser *p, const Token *op, Ast *operand)
{
	return operation(p, AST_UNARY, op, NULL, 1, &operand);
}

static bool is_comparison(const Parser *p, const Ast *e)
{
	const char *op = e->kind == AST_BINARY ? intern_text(p->ctx->names, e->name) : "";
	return strcmp(op, "==") == 0 || strcmp(op, "!=") == 0 || *op == '<' || *op == '>';
}

Ast *build_compare(Parser *p, const Token *op, Ast *left, Ast *right)
{
	if (is_comparison(p, left)) {
		Diag *d = diag_chained_comparison(p->ctx->diags, parse_span(p, op));
		Span middle = left->kid[1]->span, first = left->kid[0]->span;
		p->mistakes++;
		diag_help(d, "write  %s %s %s and %s %s %s", parse_excerpt(p, first),
		          intern_text(p->ctx->names, left->text), parse_excerpt(p, middle),
		          parse_excerpt(p, middle), intern_text(p->ctx->names, source_text(p, op)),
		          parse_excerpt(p, right->span));
	}
	return build_binary(p, op, NULL, left, right);
}

Ast *build_bits(Parser *p, const Token *op, Ast *left, Ast *right)
{
	Ast *node = build_binary(p, op, NULL, left, right);
	const char *word = intern_text(p->ctx->names, left->name);
	const Word *w = left->kind == AST_BINARY ? word_find(word) : NULL;
	bool bits = w && (w->kind == TOK_XOR || w->kind == TOK_SHL || w->kind == TOK_SHR ||
	                  w->kind == TOK_BAND || w->kind == TOK_BOR);
	if (bits && left->name != node->name) {
		Diag *d = diag_syntax(p->ctx->diags, parse_span(p, op),
		                      parse_quote(p, parse_span(p, op)), "a bracket");
		p->mistakes++;
		diag_help(d,
		          "bit operations have no precedence among each other: write  (%s) %s %s",
		          parse_excerpt(p, left->span), intern_text(p->ctx->names, node->text),
		          parse_excerpt(p, right->span));
	}
	return node;
}

Ast *build_superscript(Parser *p, Ast *base, const Token *sup)
{
	Token exponent = *sup;
	Ast *right;
	if (sup->integer < 0) {
		exponent.name = exponent.text = intern_str(p->ctx->names, "n");
		right = build_name(p, &exponent);
	} else {
		exponent.num = (double)sup->integer;
		exponent.flags = AST_INTEGER;
		exponent.text = intern_printf(p->ctx->names, "%d", (int)sup->integer);
		right = build_number(p, &exponent);
	}
	return build_binary(p, sup, "^", base, right);
}

/* ---- where = stands inside an expression
 * --------------------------------------------------------- */

static void report_lone_equals(Parser *p, Span at)
{
	p->mistakes++;
	diag_help(diag_lone_equals(p->ctx->diags, at), "equality is asked with ==");
}

Ast *build_argument(Parser *p, Ast *left, Ast *right)
{
	Span at = span_join(left->span, right->span);
	if (left->kind == AST_NAME) {
		Ast *node = BUILD(p, AST_NAMEDARG, at, NULL, right);
		node->name = left->name;
		node->text = left->text;
		node->name_span = left->span;
		return node;
	}
	if (left->kind != AST_ERROR_EXPR && right->kind != AST_ERROR_EXPR) {
		report_lone_equals(p, (Span){at.file, left->span.hi, right->span.lo});
	}
	return build_error(p, AST_ERROR_EXPR, at);
}

Ast *build_condition(Parser *p, const Token *equals, Ast *left, Ast *right)
{
	report_lone_equals(p, parse_span(p, equals));
	return build_binary(p, equals, "==", left, right);
}

/* `if (a = b)` reads as a record of one field. */
Ast *build_question(Parser *p, Ast *condition)
{
	if (condition->kind == AST_TUPLE && condition->nkid == 1 &&
	    condition->kid[0]->kind == AST_NAMEDARG) {
		const Ast *field = condition->kid[0];
		report_lone_equals(p, (Span){p->file, field->name_span.hi, field->kid[0]->span.lo});
		return build_error(p, AST_ERROR_EXPR, condition->span);
	}
	return condition;
}
