/* cmd_text.c — commands that look at texts: fmt, explain, version, help; and what other commands
 * begin and end with. */
#include "compiler/cmd.h"
#include "runtime/file.h"
#include <stdlib.h>
#include <string.h>

Engine *cmd_open(CmdLine *c, int k, int *code)
{
	Engine *e = engine_create(&c->engine);
	if (!e) {
		fputs("error[E0503]: not enough memory\n", c->engine.error);
		*code = 6;
		return NULL;
	}
	if (!engine_load(e, c->word[k]) || !engine_elaborate(e)) {
		*code = cmd_close(e, 0);
		return NULL;
	}
	if (c->engine.real_bytes) {
		e->program->f32 = c->engine.real_bytes == 4;
	}
	if (e->program->f32 && c->engine.backend == BACKEND_INTERPRET) {
		diag_computed_in_f64(e->ctx.diags, (Span){0});
	}
	*code = 0;
	return e;
}

int cmd_close(Engine *e, int code)
{
	code = engine_worse(code, engine_flush(e));
	engine_free(e);
	return code;
}

/* The canonical text of the loaded program; malloc. NULL when memory is out. */
static char *formatted(Engine *e, size_t *n)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, n);
	if (!f) {
		return NULL;
	}
	ast_print(e->ast, &e->ctx, f);
	return fclose(f) == 0 ? text : NULL;
}

static int fmt_one(CmdLine *c, Engine *e, const char *path)
{
	size_t n = 0, original = 0;
	char *text = formatted(e, &n);
	const char *source = sources_text(e->ctx.sources, e->file, &original);
	int code = 0;
	if (!text) {
		diag_out_of_memory(e->ctx.diags, (Span){0}, path);
		return 6;
	}
	bool same = n == original && memcmp(text, source, n) == 0;
	if (c->check) {
		if (!same) {
			fprintf(c->engine.error, "%s is not formatted; pnnc fmt -w does it\n",
				path);
			code = 1;
		}
	} else if (!c->write || strcmp(path, "-") == 0) {
		fwrite(text, 1, n, c->engine.output);
	} else if (!same) {
		RtError err;
		if (rt_file_write(path, text, n, &err) != RT_OK) {
			diag_cannot_write(e->ctx.diags, (Span){0}, path, err.text);
		}
	}
	free(text);
	return code;
}

int cmd_fmt(CmdLine *c)
{
	int code = 0;
	for (int k = 0; k < c->n; k++) {
		Engine *e = engine_create(&c->engine);
		if (!e) {
			return 6;
		}
		int one = engine_load(e, c->word[k]) && engine_parse(e) ? fmt_one(c, e, c->word[k])
									: 0;
		code = engine_worse(code, cmd_close(e, one));
	}
	return code;
}

int cmd_explain(CmdLine *c)
{
	const char *code = c->word[0];
	const char *page = explain_text(code);
	if (page) {
		fputs(page, c->engine.output);
		return 0;
	}
	for (unsigned k = 0; diag_row(k)->code; k++) {
		const DiagRow *row = diag_row(k);
		if (strcmp(row->code, code) == 0) {
			fprintf(c->engine.output, "# %s: %s\n", row->code, row->wording);
			return 0;
		}
	}
	return cmd_usage(c, "there is no diagnostic %s", code);
}

int cmd_version(CmdLine *c)
{
	fputs("pnnc " PNNC_VERSION "\n", c->engine.output);
	return 0;
}

int cmd_show_help(CmdLine *c)
{
	const Command *about = c->n ? cmd_find(c->word[0]) : NULL;
	if (c->n && !about) {
		return cmd_usage(c, "there is no command %s", c->word[0]);
	}
	cmd_help(c, about, c->engine.output);
	return 0;
}
