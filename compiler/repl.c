/* repl.c — the prompt: lines until a text is complete, then the text is elaborated and carried out
 * at once. Not on a terminal it prints values only, and the process ends with the worst exit code.
 */
#include "compiler/repl.h"
#include "compiler/run_int.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void show_diagnostics(Repl *r)
{
	engine_flush(r->e);
	fflush(r->line->engine.output);
}

/* What became stale is said once, where somebody reads it. */
static void tell_stale(Repl *r, uint32_t n, const Sym *stale)
{
	if (!n || !r->terminal) {
		return;
	}
	fputs("still made of the old definition:", r->line->engine.error);
	for (uint32_t k = 0; k < n; k++) {
		fprintf(r->line->engine.error, " %s", intern_text(r->e->ctx.names, stale[k]));
	}
	fputc('\n', r->line->engine.error);
}

static bool show_expression(Repl *r, const Ast *ast)
{
	Value v;
	const char *type;
	Run *run = engine_run_state(r->e);
	if (!run || !elab_expression(r->e->elab, ast, &v, &type) || !run_prepare(run)) {
		return false;
	}
	return run_show(run, &v, r->line->engine.output);
}

static bool run_statements(Repl *r, const Ast *statement)
{
	uint32_t n = 0;
	Sym *stale = NULL;
	Ast *kid[1];
	memcpy(kid, &statement, sizeof kid);
	Ast *file = ast_new(r->e->arena, AST_FILE, statement->span, 1, kid);
	Run *run = engine_run_state(r->e);
	if (!run) {
		return false;
	}
	elab_line(r->e->elab, file, &n, &stale);
	tell_stale(r, n, stale);
	bool ok = diags_errors(r->e->ctx.diags) == 0;
	int code = ok ? run_program(run) : 0;
	if (!ok) {
		run->executed = r->e->program->nstmt;
	}
	record_finish(run);
	if (code == 130) {
		fputs("interrupted; the parameters are those of the last step\n",
		      r->line->engine.error);
		run->interrupted = false;
		run->stop = false;
	}
	return ok && code == 0;
}

bool repl_execute(Repl *r, const char *text, size_t n)
{
	uint32_t file = sources_add(r->e->ctx.sources, r->terminal ? "prompt" : "stdin", text, n);
	Ast *ast = parse_prompt(&r->e->ctx, file);
	bool ok = diags_errors(r->e->ctx.diags) == 0;
	r->line->interrupts->asked = 0;
	for (uint32_t k = 0; ok && k < ast->nkid; k++) {
		const Ast *kid = ast->kid[k];
		if (kid->kind == AST_COMMAND) {
			/* A command may begin a new engine, and with it this tree goes. */
			repl_command(r, intern_text(r->e->ctx.names, kid->text));
			break;
		} else {
			ok = kid->kind <= AST_ERROR_EXPR ? show_expression(r, kid)
							 : run_statements(r, kid);
		}
	}
	if (r->e) {
		show_diagnostics(r);
	}
	r->line->interrupts->asked = 0;
	return ok;
}

bool repl_restart(Repl *r)
{
	int worst = r->e ? engine_flush(r->e) : 0;
	engine_free(r->e);
	r->e = engine_create(&r->line->engine);
	if (!r->e) {
		return false;
	}
	r->e->worst = worst;
	if (!engine_run_state(r->e)) {
		return false;
	}
	if (r->file && engine_load(r->e, r->file) && engine_parse(r->e)) {
		uint32_t n;
		Sym *stale;
		elab_line(r->e->elab, r->e->ast, &n, &stale);
		if (diags_errors(r->e->ctx.diags) == 0) {
			run_program(r->e->run);
			record_finish(r->e->run);
		}
	}
	show_diagnostics(r);
	return true;
}

/* Adds a line to the text under way. */
static bool append(Repl *r, const char *line, size_t n)
{
	if (r->n + n + 2 > r->room) {
		size_t room = (r->n + n + 2) * 2;
		char *bigger = realloc(r->text, room);
		if (!bigger) {
			return false;
		}
		r->text = bigger;
		r->room = room;
	}
	memcpy(r->text + r->n, line, n);
	r->n += n;
	r->text[r->n++] = '\n';
	r->text[r->n] = 0;
	return true;
}

static bool blank(const char *s, size_t n)
{
	return strspn(s, " \t\r") >= n;
}

/* A probe leaves nothing behind but names. */
static bool complete(Repl *r)
{
	ArenaMark mark = arena_mark(r->e->scratch);
	ParseCtx probe = r->e->ctx;
	probe.arena = r->e->scratch;
	probe.diags = diags_create(r->e->scratch, probe.sources, 1);
	ParseState state = parse_probe(&probe, r->text, r->n);
	arena_release(r->e->scratch, mark);
	return state != PARSE_NEEDS_MORE;
}

static void take_line(Repl *r, const char *line, size_t n)
{
	bool command = r->n == 0 && n &&
		       (line[strspn(line, " \t")] == ':' || line[strspn(line, " \t")] == '?');
	bool empty = blank(line, n);
	if (r->n == 0 && empty) {
		return;
	}
	if (!append(r, line, n)) {
		diag_out_of_memory(r->e->ctx.diags, (Span){0}, "a line");
		show_diagnostics(r);
		r->n = 0;
		return;
	}
	/* On a terminal an empty line ends a text that never becomes complete. */
	r->more = !command && !(empty && r->terminal) && !complete(r);
	if (!r->more) {
		size_t length = r->n;
		r->n = 0;
		repl_execute(r, r->text, length);
	}
}

static void read_lines(Repl *r)
{
	const char *line;
	size_t n;
	for (;;) {
		r->line->interrupts->at_prompt = 1;
		line = r->quit ? NULL : repl_edit_line(r, &n);
		r->line->interrupts->at_prompt = 0;
		if (!line) {
			break;
		}
		if (r->terminal && r->line->interrupts->asked) {
			/* Ctrl-C at the prompt drops what was typed. */
			r->line->interrupts->asked = 0;
			r->n = 0;
			r->more = false;
			continue;
		}
		take_line(r, line, n);
	}
	if (r->n) {
		repl_execute(r, r->text, r->n);
	}
}

int cmd_repl(CmdLine *c)
{
	Repl r = {
		.line = c, .file = c->n ? c->word[0] : NULL, .terminal = isatty(STDIN_FILENO) != 0};
	c->engine.quiet = c->engine.quiet || !r.terminal;
	c->engine.embedded_values = true;
	if (!repl_restart(&r) || !repl_edit_begin(&r)) {
		fputs("error[E0503]: not enough memory for the prompt\n", c->engine.error);
		engine_free(r.e);
		return 6;
	}
	if (r.terminal && !c->engine.quiet) {
		fputs("pnn " PNNC_VERSION ", :help lists the commands, :quit leaves\n",
		      c->engine.output);
	}
	read_lines(&r);
	repl_edit_end(&r);
	int code = r.e ? cmd_close(r.e, 0) : 6;
	for (size_t k = 0; k < r.nsetting; k++) {
		free(r.settings[k]);
	}
	free(r.settings);
	free(r.loaded);
	free(r.text);
	return r.terminal ? 0 : code;
}
