/* parse_driver.c — feeds the layout's tokens to the push parser. Text in: a registered file. Out:
 * its tree. While the grammar recovers from an error, tokens in brackets deeper than the error are
 * kept from it, so that a closing bracket or a comma inside them does not end the recovery too
 * early. */
#include <stdlib.h>
#include <string.h>

#include "lang/parse_int.h"
#include "parse.h"

/* A text with more mistakes than this is not read to its end. */
#define MISTAKES_MAX 1000u

static bool ends_recovery(int kind)
{
	return kind == TOK_NEWLINE || kind == TOK_SEMI || kind == TOK_COMMA || kind == TOK_RPAREN ||
	       kind == TOK_RBRACK || kind == TOK_RBRACE || kind == TOK_END;
}

/* Hands one token over; the parser's state afterwards. */
static int push(Parser *p, lang_pstate *state, Token t)
{
	if (p->recovering) {
		if (t.depth > p->skip_depth) {
			return YYPUSH_MORE;
		}
		p->recovering = !ends_recovery(t.kind);
	}
	p->before = p->previous;
	p->previous = p->current;
	p->current = t;
	LANG_STYPE value = {.tok = t};
	Span at = parse_span(p, &t);
	return lang_push_parse(state, t.kind, &value, &at, p);
}

bool parse_run(Parser *p, bool probe)
{
	lang_pstate *state = lang_pstate_new();
	if (!state) {
		return false;
	}
	p->current = (Token){.kind = TOK_NEWLINE};
	Token start = {.kind = p->mode == PARSE_EXPRESSION ? TOK_START_EXPRESSION : TOK_START_FILE};
	int status = push(p, state, start);
	while (status == YYPUSH_MORE && !p->deep && p->mistakes < MISTAKES_MAX) {
		Token t = layout_next(&p->layout);
		if (p->layout.too_deep || (probe && t.kind == TOK_END && p->layout.unfinished)) {
			break;
		}
		status = push(p, state, t);
		if (t.kind == TOK_END) {
			break;
		}
	}
	lang_pstate_delete(state);
	return status == 0;
}

static Parser *parser_create(ParseCtx *ctx, uint32_t file, ParseMode mode)
{
	Parser *p = arena_new(ctx->arena, Parser);
	p->ctx = ctx;
	p->file = file;
	p->mode = mode;
	return p;
}

static Ast *broken_file(const Parser *p)
{
	size_t n;
	sources_text(p->ctx->sources, p->file, &n);
	Span all = {p->file, 0, (uint32_t)n};
	Ast *error = ast_new(p->ctx->arena, AST_ERROR_STMT, all, 0, NULL);
	return ast_new(p->ctx->arena, AST_FILE, all, 1, &error);
}

static Ast *parse_text(ParseCtx *ctx, uint32_t file, ParseMode mode)
{
	Parser *p = parser_create(ctx, file, mode);
	if (layout_open(&p->layout, ctx, file)) {
		p->layout.prompt = mode == PARSE_PROMPT;
		parse_run(p, false);
	}
	if (p->layout.scan.out_of_memory) {
		diag_out_of_memory(ctx->diags, (Span){0}, "the text");
	}
	layout_close(&p->layout);
	return p->result;
}

Ast *parse_file(ParseCtx *ctx, uint32_t file)
{
	Ast *tree = parse_text(ctx, file, PARSE_FILE);
	Parser broken = {.ctx = ctx, .file = file};
	return tree ? tree : broken_file(&broken);
}

Ast *parse_prompt(ParseCtx *ctx, uint32_t file)
{
	Ast *tree = parse_text(ctx, file, PARSE_PROMPT);
	Parser broken = {.ctx = ctx, .file = file};
	return tree ? tree : broken_file(&broken);
}

Ast *parse_expression(ParseCtx *ctx, uint32_t file)
{
	unsigned before = diags_errors(ctx->diags);
	Ast *tree = parse_text(ctx, file, PARSE_EXPRESSION);
	return diags_errors(ctx->diags) > before ? NULL : tree;
}

ParseState parse_probe(ParseCtx *ctx, const char *text, size_t n)
{
	Arena *scratch = arena_create();
	if (!scratch) {
		return PARSE_WRONG;
	}
	ParseCtx inner = {scratch, intern_create(scratch), sources_create(scratch), NULL};
	inner.diags = diags_create(scratch, inner.sources, 1);
	uint32_t file = sources_add(inner.sources, "", text, n);
	Parser *p = parser_create(&inner, file, PARSE_PROMPT);
	ParseState state = PARSE_WRONG;
	if (layout_open(&p->layout, &inner, file)) {
		p->layout.prompt = p->layout.probe = true;
		bool accepted = parse_run(p, true);
		if (diags_errors(inner.diags) == 0 && p->mistakes == 0) {
			state = p->layout.unfinished ? PARSE_NEEDS_MORE
			        : accepted           ? PARSE_COMPLETE
			                             : PARSE_WRONG;
		}
	}
	layout_close(&p->layout);
	arena_free(scratch);
	(void)ctx;
	return state;
}
