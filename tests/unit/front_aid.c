/* front_aid.c — see front_aid.h. */
#include "tests/unit/front_aid.h"

#include <stdlib.h>
#include <string.h>

Front front_open(void)
{
	Front f = {arena_create(), {NULL, NULL, NULL, NULL}};
	f.ctx.arena = f.arena;
	f.ctx.names = intern_create(f.arena);
	f.ctx.sources = sources_create(f.arena);
	f.ctx.diags = diags_create(f.arena, f.ctx.sources, 20);
	return f;
}

void front_close(Front *f)
{
	arena_free(f->arena);
}

uint32_t front_text(Front *f, const char *text)
{
	return sources_add(f->ctx.sources, "t.pnn", text, strlen(text));
}

Ast *front_parse(Front *f, const char *text)
{
	return parse_file(&f->ctx, front_text(f, text));
}

/* Runs write on a stream in memory; its text in the arena. */
static const char *captured(Front *f, char *text, size_t n)
{
	char *copy = arena_alloc(f->arena, n + 1, 1);
	memcpy(copy, text, n);
	free(text);
	return copy;
}

const char *front_render(Front *f, bool json)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	diags_render(f->ctx.diags, out, false, json);
	fclose(out);
	return captured(f, text, n);
}

const char *front_codes(Front *f)
{
	const char *shown = front_render(f, false), *codes = "";
	for (const char *p = shown; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : NULL) {
		if (strncmp(p, "error[", 6) == 0 || strncmp(p, "warning[", 8) == 0) {
			codes = arena_printf(f->arena, "%s%s%.5s", codes, *codes ? " " : "",
			                     strchr(p, '[') + 1);
		}
	}
	return codes;
}

const char *front_print(Front *f, const Ast *tree)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	ast_print(tree, &f->ctx, out);
	fclose(out);
	return captured(f, text, n);
}

const char *front_read(Front *f, const char *path)
{
	uint32_t file = sources_load(f->ctx.sources, path);
	return file ? sources_text(f->ctx.sources, file, NULL) : NULL;
}
