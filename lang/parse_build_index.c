/* parse_build_index.c — brackets, reducers and their binders, derivatives, for the actions of
 * parse.y. */
#include <string.h>

#include "lang/parse_int.h"
#include "parse.h"

bool build_is_pattern(const Ast *e)
{
	if (e->kind != AST_TUPLE) {
		return e->kind == AST_NAME;
	}
	for (uint32_t i = 0; i < e->nkid; i++) {
		if (e->kid[i]->kind != AST_NAME) {
			return false;
		}
	}
	return e->nkid > 0;
}

/* ( … ): one value is itself in brackets; several, or named ones, are a tuple. */
Ast *build_brackets(Parser *p, Span at, AstList args)
{
	bool alone = args.n == 1 && args.item[0]->kind != AST_NAMEDARG;
	return build_from(p, alone ? AST_PAREN : AST_TUPLE, at, NULL, NULL, args);
}

static void not_an_index(Parser *p, Span at)
{
	p->mistakes++;
	diag_syntax(p->ctx->diags, at, parse_quote(p, at), "the name of an index");
}

Ast *build_place(Parser *p, const Ast *name, Ast *axis)
{
	Span at = span_join(name->span, axis->span);
	if (name->kind != AST_NAME) {
		if (name->kind != AST_ERROR_EXPR) {
			not_an_index(p, name->span);
		}
		return build_error(p, AST_ERROR_EXPR, at);
	}
	Ast *node = BUILD(p, AST_NAME, at, NULL, axis);
	node->name = name->name;
	node->text = name->text;
	return node;
}

Ast *build_element(Parser *p, Ast *pattern, Ast *set, uint32_t flags)
{
	Span at = span_join(pattern->span, set->span);
	if (!build_is_pattern(pattern)) {
		if (pattern->kind != AST_ERROR_EXPR) {
			not_an_index(p, pattern->span);
		}
		return build_error(p, AST_ERROR_EXPR, at);
	}
	return build_binder(p, pattern, set, flags | AST_IN);
}

Ast *build_binder(Parser *p, Ast *pattern, Ast *set, uint32_t flags)
{
	Span at = set ? span_join(pattern->span, set->span) : pattern->span;
	return build_flag(BUILD(p, AST_BINDER, at, NULL, pattern, set), flags);
}

Ast *build_binders(Parser *p, Span at, AstList binders, Ast *filter)
{
	AstList kids = build_list(p, binders, filter);
	return build_flag(build_from(p, AST_BINDERS, at, NULL, NULL, kids),
	                  filter ? AST_FILTER : 0);
}

Ast *build_array(Parser *p, Span at, AstList elements)
{
	for (size_t i = 0; i < elements.n; i++) {
		const Ast *e = elements.item[i];
		if (e->kind == AST_BINDER) {
			p->mistakes++;
			Diag *d = diag_syntax(p->ctx->diags, e->span, parse_quote(p, e->span),
			                      "an element of an array");
			diag_help(d, "an array made from an index is written  [%s -> …]",
			          parse_excerpt(p, e->span));
			return build_error(p, AST_ERROR_EXPR, at);
		}
	}
	return build_from(p, AST_ARRAY, at, NULL, NULL, elements);
}

Ast *build_comprehension(Parser *p, Span at, AstList elements, Ast *body)
{
	Span binders_at = span_join(elements.item[0]->span, elements.item[elements.n - 1]->span);
	for (size_t i = 0; i < elements.n; i++) {
		Ast *e = elements.item[i];
		if (build_is_pattern(e)) {
			elements.item[i] = build_binder(p, e, NULL, 0);
		} else if (e->kind != AST_BINDER && e->kind != AST_ERROR_EXPR) {
			not_an_index(p, e->span);
			return build_error(p, AST_ERROR_EXPR, at);
		}
	}
	return BUILD(p, AST_COMPREHENSION, at, NULL, build_binders(p, binders_at, elements, NULL),
	             body);
}

Ast *build_reduce(Parser *p, Span at, const Token *word, Ast *binders, Ast *body)
{
	Ast *node = BUILD(p, AST_REDUCE, at, word, binders, body);
	if (strcmp(intern_text(p->ctx->names, word->name), "Σ") == 0) {
		node->name = intern_str(p->ctx->names, "sum");
	}
	return node;
}

Ast *build_metric(Parser *p, Span at, const Token *word, Ast *binders, AstList args, Span args_at)
{
	return build_reduce(p, at, word, binders, build_brackets(p, args_at, args));
}

/* ---- derivatives -------------------------------------------------------------------------------
 */

/* The order written at ∂: a whole number of at least 1. 0 after a report. */
unsigned build_order(Parser *p, const Token *t)
{
	bool whole = t->kind == TOK_SUP || (t->flags & AST_INTEGER);
	if (!whole || t->integer < 1 || t->integer > 100) {
		p->mistakes++;
		diag_bad_derivative(p->ctx->diags, parse_span(p, t),
		                    "the order is a whole number from 1 to 100");
		return 0;
	}
	return (unsigned)t->integer;
}

Ast *build_dvar(Parser *p, Span at, Ast *variable, unsigned order)
{
	if (variable->kind == AST_CALL) {
		p->mistakes++;
		Diag *d = diag_bad_derivative(p->ctx->diags, variable->span,
		                              "one differentiates by a name, not by a call");
		diag_help(d, "the value of a derivative at a place is written  (∂u/∂x)(0)");
		variable = build_error(p, AST_ERROR_EXPR, variable->span);
	}
	Ast *node = BUILD(p, AST_DVAR, at, NULL, variable);
	node->num = order;
	return node;
}

Ast *build_partial(Parser *p, Span at, const Token *sign, unsigned order, Ast *of,
                   AstList variables)
{
	unsigned below = 0;
	bool bad = order == 0;
	for (size_t i = 0; i < variables.n; i++) {
		const Ast *v = variables.item[i];
		below += (unsigned)v->num;
		bad = bad || v->num == 0.0 || v->kid[0]->kind == AST_ERROR_EXPR;
	}
	if (!bad && below != order) {
		const char *why = arena_printf(
			p->ctx->arena, "the order is %u above and %u below the line", order, below);
		Diag *d = diag_bad_derivative(p->ctx->diags, at, why);
		p->mistakes++;
		diag_help(d, "the second derivative is ∂²u/∂x², the square of the first (∂u/∂x)^2");
		bad = true;
	}
	if (bad) {
		return build_error(p, AST_ERROR_EXPR, at);
	}
	Ast *node = build_from(p, AST_PARTIAL, at, NULL, of, variables);
	node->num = order;
	node->text = intern_bytes(p->ctx->names, p->layout.scan.text + sign->lo,
	                          sign->hi - sign->lo);
	return node;
}
