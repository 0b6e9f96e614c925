/* parse_items.c — what may stand in which body. The grammar parses statements alike everywhere;
 * here a definition becomes an equation or a condition where it is one, and a statement in the
 * wrong body is reported (E0218). Keeps: FILE and BLOCK hold statements only; MINIMIZE, USEPHASE
 * and EVERY occur in TRAIN alone, STATE and NEXT in OPTIMIZER, FIELDDECL in DATA, DOMAINVAR in
 * DOMAIN, EQUATE in EQUATION, CASE in IMPOSE. */
#include <string.h>

#include "lang/parse_int.h"
#include "parse.h"

static Ast *refuse(Parser *p, const Ast *item, const char *what, const char *where)
{
	p->mistakes++;
	diag_bad_statement_place(p->ctx->diags, item->span, what, where);
	return build_error(p, AST_ERROR_STMT, item->span);
}

static bool is_expression(AstKind k)
{
	return k <= AST_ERROR_EXPR;
}

/* An expression where a statement is expected. */
static Ast *refuse_value(Parser *p, const Ast *e)
{
	Ast *error = build_error(p, AST_ERROR_STMT, e->span);
	if (e->kind == AST_ERROR_EXPR) {
		return error;
	}
	p->mistakes++;
	if (e->kind == AST_UNARY && p->layout.scan.text[e->span.lo] == '-') {
		Diag *d = diag_leading_operator(p->ctx->diags,
		                                (Span){p->file, e->span.lo, e->span.lo + 1}, "`-`");
		diag_help(
			d,
			"if the line goes on from the one before, put the - at the end of that line");
		return error;
	}
	Diag *d = diag_idle_value(p->ctx->diags, e->span);
	if (e->kind == AST_BINARY && strcmp(intern_text(p->ctx->names, e->name), "==") == 0) {
		diag_help(d,
		          "a definition is written with one =, a claim begins with test or assert");
	} else if (e->kind == AST_STR) {
		diag_help(d, "print %s", parse_excerpt(p, e->span));
	} else {
		diag_help(d, "write  print %s  or give it a name", parse_excerpt(p, e->span));
	}
	return error;
}

/* Left of = or ~ in a definition: a name, perhaps with indices. */
static bool defines(const Ast *left)
{
	return left->kind == AST_NAME ||
	       (left->kind == AST_INDEX && left->kid[0]->kind == AST_NAME);
}

static Ast *check_definition(Parser *p, Ast *def)
{
	const Ast *left = def->kid[0];
	if (defines(left) || left->kind == AST_ERROR_EXPR) {
		return def;
	}
	p->mistakes++;
	Diag *d = diag_syntax(p->ctx->diags, left->span, parse_quote(p, left->span),
	                      "a name, or a name with indices,");
	if (left->kind == AST_CALL) {
		diag_help(d, "a function is defined by  fn %s = …", parse_excerpt(p, left->span));
	} else if (left->kind == AST_TUPLE) {
		diag_help(d, "between the brackets stand names alone:  (a, b) = f()");
	} else if (left->kind == AST_INDEX && left->kid[0]->kind == AST_TUPLE) {
		diag_help(d, "between the brackets stand names alone:  (a, b)[n] = f(a[n-1], b[n-1])");
	}
	return build_error(p, AST_ERROR_STMT, def->span);
}

/* A statement among others. At the prompt an expression stands as itself. */
static Ast *check_statement(Parser *p, Ast *item, bool top)
{
	if (is_expression(item->kind)) {
		return top && p->mode == PARSE_PROMPT ? item : refuse_value(p, item);
	}
	switch (item->kind) {
	case AST_DEF: return check_definition(p, item);
	case AST_MINIMIZE:
		return refuse(p, item, item->flags & AST_MAXIMIZE ? "`maximize`" : "`minimize`",
		              "outside train");
	case AST_EVERY: return refuse(p, item, "`every`", "outside train");
	case AST_STATE: return refuse(p, item, "`state`", "outside the body of an optimizer");
	case AST_NEXT: return refuse(p, item, "`next`", "outside the body of an optimizer");
	case AST_FIELDDECL: return refuse(p, item, "a field", "outside the body of data");
	case AST_DOMAINVAR:
		return refuse(p, item, "the range of a coordinate", "outside the body of a domain");
	case AST_USEPHASE: break;
	default: return item;
	}
	const Ast *module = item->kid[0];
	if (module->kind != AST_NAME || item->kid[1] || item->kid[2]) {
		return refuse(p, item, "the use of an optimizer", "outside train");
	}
	Ast *use = build_error(p, AST_USE, item->span);
	use->name = module->name;
	use->text = module->text;
	use->name_span = module->span;
	return use;
}

static Ast *domain_variable(Parser *p, Ast *item)
{
	Ast *pattern = item->kid[0];
	if (!build_is_pattern(pattern)) {
		p->mistakes++;
		diag_syntax(p->ctx->diags, pattern->span, parse_quote(p, pattern->span),
		            "the name of a coordinate");
		return build_error(p, AST_ERROR_STMT, item->span);
	}
	if (pattern->kind == AST_TUPLE) {
		return item;
	}
	Ast *node = BUILD(p, AST_DOMAINVAR, item->span, NULL, item->kid[1]);
	node->name = pattern->name;
	node->text = pattern->text;
	node->name_span = pattern->span;
	return node;
}

/* Local definitions may precede the equations; a left side that is a name is one, unless no
 * equation follows. */
static Ast *equation_item(Parser *p, Ast *item, bool last)
{
	if (item->kind != AST_DEF || !(item->flags & AST_EQ)) {
		return is_expression(item->kind)
		               ? refuse_value(p, item)
		               : refuse(p, item, "this statement", "in an equation");
	}
	if (defines(item->kid[0]) && !last) {
		return item;
	}
	return BUILD(p, AST_EQUATE, item->span, NULL, item->kid[0], item->kid[1]);
}

static Ast *impose_item(Parser *p, Ast *item)
{
	if (item->kind != AST_DEF || !(item->flags & AST_EQ)) {
		return is_expression(item->kind) ? refuse_value(p, item)
		                                 : refuse(p, item, "this statement", "in impose");
	}
	return BUILD(p, AST_CASE, item->span, NULL, item->kid[0], item->kid[1]);
}

static Ast *train_item(Parser *p, Ast *item)
{
	switch (item->kind) {
	case AST_MINIMIZE:
	case AST_USEPHASE:
	case AST_EVERY:
	case AST_SET:
	case AST_FREEZE: return item;
	case AST_DEF: return check_definition(p, item);
	case AST_RECORD: return refuse(p, item, "`record` without `every`", "inside train");
	case AST_PRINT: return refuse(p, item, "`print` without `every`", "inside train");
	default: break;
	}
	return is_expression(item->kind) ? refuse_value(p, item)
	                                 : refuse(p, item, "this statement", "inside train");
}

static Ast *owned_item(Parser *p, AstKind owner, Ast *item, bool last)
{
	AstKind k = item->kind;
	switch (owner) {
	case AST_DATA:
		if (k == AST_FIELDDECL || k == AST_DEF) {
			return k == AST_DEF ? check_definition(p, item) : item;
		}
		break;
	case AST_DOMAIN:
		if (k == AST_DOMAINVAR) {
			return domain_variable(p, item);
		}
		break;
	case AST_OPTIMIZER:
		if (k == AST_STATE || k == AST_NEXT || k == AST_DEF) {
			return k == AST_DEF ? check_definition(p, item) : item;
		}
		break;
	case AST_EQUATION: return equation_item(p, item, last);
	case AST_IMPOSE: return impose_item(p, item);
	default: return train_item(p, item);
	}
	return is_expression(k) ? refuse_value(p, item)
	                        : refuse(p, item, "this statement",
	                                 owner == AST_DATA     ? "in the body of data"
	                                 : owner == AST_DOMAIN ? "in the body of a domain"
	                                                       : "in the body of an optimizer");
}

AstList build_items(Parser *p, AstKind owner, AstList items)
{
	for (size_t i = 0; i < items.n; i++) {
		if (items.item[i]->kind != AST_ERROR_STMT) {
			items.item[i] = owned_item(p, owner, items.item[i], i + 1 == items.n);
		}
	}
	return items;
}

static bool takes_apart(const Ast *item)
{
	return item->kind == AST_DEF && (item->flags & AST_EQ) &&
	       item->kid[0]->kind == AST_TUPLE && build_is_pattern(item->kid[0]);
}

/* "(a, b)", however it is spaced in the text. */
static Sym pattern_name(Parser *p, const Ast *pattern)
{
	const char *text = "";
	for (uint32_t k = 0; k < pattern->nkid; k++) {
		text = arena_printf(p->ctx->arena, "%s%s%s", text, k ? ", " : "",
				    intern_text(p->ctx->names, pattern->kid[k]->name));
	}
	return intern_printf(p->ctx->names, "(%s)", text);
}

/* (a, b) = e  is a definition of the tuple and one of each part. */
static AstList take_apart(Parser *p, AstList out, Ast *def)
{
	const Ast *pattern = def->kid[0];
	Ast *whole = build_error(p, AST_NAME, pattern->span);
	whole->name = pattern_name(p, pattern);
	out = build_list(p, out, build_flag(BUILD(p, AST_DEF, def->span, NULL, whole, def->kid[1]), AST_EQ));
	for (uint32_t k = 0; k < pattern->nkid; k++) {
		Ast *name = pattern->kid[k];
		Ast *part = BUILD(p, AST_FIELD, name->span, NULL, whole);
		part->name = name->name;
		part->integer = k + 1;
		part->num = pattern->nkid;
		Ast *one = BUILD(p, AST_DEF, name->span, NULL, name, part);
		out = build_list(p, out, build_flag(one, AST_EQ));
	}
	return out;
}

static bool states_apart(const Ast *item)
{
	const Ast *left = item->kind == AST_DEF ? item->kid[0] : NULL;
	return left && (item->flags & AST_EQ) && left->kind == AST_INDEX &&
	       left->kid[0]->kind == AST_TUPLE && build_is_pattern(left->kid[0]);
}

/* (q, v)[n] = e  is an equation for each part: q[n] is the first of e, v[n] the second. */
static AstList take_states_apart(Parser *p, AstList out, Ast *def)
{
	const Ast *left = def->kid[0], *pattern = left->kid[0];
	AstList places = build_none();
	for (uint32_t k = 1; k < left->nkid; k++) {
		places = build_list(p, places, left->kid[k]);
	}
	for (uint32_t k = 0; k < pattern->nkid; k++) {
		Ast *name = pattern->kid[k];
		Ast *part = BUILD(p, AST_FIELD, def->kid[1]->span, NULL, def->kid[1]);
		part->name = name->name;
		part->integer = k + 1;
		part->num = pattern->nkid;
		Ast *state = build_from(p, AST_INDEX, left->span, NULL, name, places);
		Ast *one = BUILD(p, AST_DEF, def->span, NULL, state, part);
		out = build_list(p, out, build_flag(one, AST_EQ));
	}
	return out;
}

static AstList check_all(Parser *p, AstList items, bool top)
{
	AstList out = build_none();
	items = build_states(p, items);
	for (size_t i = 0; i < items.n; i++) {
		Ast *item = items.item[i];
		if (takes_apart(item)) {
			out = take_apart(p, out, item);
		} else if (states_apart(item)) {
			out = take_states_apart(p, out, item);
		} else {
			out = build_list(p, out, item->kind == AST_ERROR_STMT ? item : check_statement(p, item, top));
		}
	}
	return out;
}

Ast *build_block(Parser *p, Span at, AstList items)
{
	return build_from(p, AST_BLOCK, at, NULL, NULL, check_all(p, items, false));
}

Ast *build_file(Parser *p, AstList items)
{
	size_t n;
	sources_text(p->ctx->sources, p->file, &n);
	return build_from(p, AST_FILE, (Span){p->file, 0, (uint32_t)n}, NULL, NULL,
	                  check_all(p, items, true));
}
