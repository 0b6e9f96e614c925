/* fuzz_parse.c — any bytes through the front end: no crash, no leak, and what parses prints to a
 * text that parses to the same tree and prints to itself. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lang/ast.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *printed(const ParseCtx *ctx, const Ast *tree, size_t *n)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, n);
	ast_print(tree, ctx, out);
	fclose(out);
	return text;
}

static void check_round_trip(ParseCtx *ctx, const Ast *tree)
{
	size_t n = 0, again_n = 0;
	char *text = printed(ctx, tree, &n);
	Ast *again = parse_file(ctx, sources_add(ctx->sources, "printed", text, n));
	assert(diags_count(ctx->diags) == 0);
	assert(strcmp(ast_text(ctx->arena, ctx->names, tree),
	              ast_text(ctx->arena, ctx->names, again)) == 0);
	char *again_text = printed(ctx, again, &again_n);
	assert(n == again_n && memcmp(text, again_text, n) == 0);
	free(text);
	free(again_text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *arena = arena_create();
	ParseCtx ctx = {arena, intern_create(arena), sources_create(arena), NULL};
	ctx.diags = diags_create(arena, ctx.sources, 20);
	uint32_t file = sources_add(ctx.sources, "fuzz", (const char *)data, size);
	FILE *null = fopen("/dev/null", "w");
	assert(null);
	Ast *tree = parse_file(&ctx, file);
	ast_dump(tree, ctx.names, null);
	ast_print(tree, &ctx, null);
	ast_text(arena, ctx.names, tree);
	if (diags_count(ctx.diags) == 0) {
		check_round_trip(&ctx, tree);
	}
	tokens_print(&ctx, file, null);
	parse_expression(&ctx, file);
	parse_prompt(&ctx, file);
	parse_probe(&ctx, (const char *)data, size);
	diags_render(ctx.diags, null, true, false);
	diags_render(ctx.diags, null, false, true);
	fclose(null);
	arena_free(arena);
	return 0;
}
