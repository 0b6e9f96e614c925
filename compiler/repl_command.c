/* repl_command.c — lines of the prompt that are no statements: questions about the program and the
 * session. */
#include "compiler/repl.h"
#include "compiler/run_int.h"
#include "compiler/train_int.h"
#include <stdlib.h>
#include <string.h>

typedef void (*Action)(Repl *r, const char *rest);

static void show_help(Repl *r, const char *rest);

static const Ast *parse_rest(Repl *r, const char *text)
{
	uint32_t file = sources_add(r->e->ctx.sources, "prompt", text, strlen(text));
	return parse_expression(&r->e->ctx, file);
}

static void show_type(Repl *r, const char *rest)
{
	const Ast *ast = parse_rest(r, rest);
	Value v;
	const char *type;
	if (ast && elab_expression(r->e->elab, ast, &v, &type)) {
		fprintf(r->line->engine.output, "%s\n", type);
	}
}

/* "LOSS" or "LOSS wrt NAME": the words of the command grad. */
static void show_gradient(Repl *r, const char *rest)
{
	char *words[2] = {arena_strdup(r->e->arena, ""), arena_strdup(r->e->arena, rest)};
	char *wrt = strstr(words[1], " wrt ");
	CmdLine c = *r->line;
	const char *name = NULL;
	if (wrt) {
		*wrt = 0;
		name = wrt + 5 + strspn(wrt + 5, " \t");
	}
	c.word = words;
	c.n = 2;
	c.wrt = &name;
	c.nwrt = wrt ? 1 : 0;
	cmd_grad_in(&c, r->e);
}

static void show_stage(Repl *r, const char *rest)
{
	if (!cmd_emit_in(r->e, rest) && diags_errors(r->e->ctx.diags) == 0) {
		diag_usage(r->e->ctx.diags, (Span){0}, ":emit takes core, deriv, opt or plan");
	}
}

static void show_time(Repl *r, const char *rest)
{
	const Ast *ast = parse_rest(r, rest);
	Value v;
	const char *type;
	Run *run = engine_run_state(r->e);
	if (!ast || !run || !elab_expression(r->e->elab, ast, &v, &type) || !run_prepare(run)) {
		return;
	}
	if (!v.value) {
		diag_usage(r->e->ctx.diags, ast->span, ":time takes an expression of numbers");
		return;
	}
	PlanOutput out = {v.value, 0};
	double begun = train_clock();
	Plan *plan = eval_plan(run, 1, &out);
	double planned = train_clock();
	int64_t runs = 0;
	bool ok = plan != NULL;
	do {
		ok = ok && eval_run(run, plan, 0);
		runs++;
	} while (ok && train_clock() - planned < 0.5 && !run_interrupted(run));
	if (ok) {
		fprintf(r->line->engine.output, "%.4g s to plan, %.4g s to compute (%lld times)\n",
			planned - begun, (train_clock() - planned) / (double)runs, (long long)runs);
	}
	plan_free(plan);
}

static void show_params(Repl *r, const char *rest)
{
	(void)rest;
	cmd_info_in(r->e, true, false);
}

static void show_data(Repl *r, const char *rest)
{
	(void)rest;
	cmd_info_in(r->e, false, true);
}

static void show_cost(Repl *r, const char *rest)
{
	(void)rest;
	cmd_cost_in(r->e);
}

static void out_of_memory(Repl *r)
{
	fputs("error[E0503]: not enough memory for the program\n", r->line->engine.error);
	r->quit = true;
}

static void load_file(Repl *r, const char *rest)
{
	if (!rest[0]) {
		diag_usage(r->e->ctx.diags, (Span){0}, ":load takes a file");
		return;
	}
	char *copy = strdup(rest);
	free(r->loaded);
	r->loaded = copy;
	r->file = copy;
	if (!copy || !repl_restart(r)) {
		out_of_memory(r);
	}
}

static void reload(Repl *r, const char *rest)
{
	(void)rest;
	if (!repl_restart(r)) {
		out_of_memory(r);
	}
}

/* Settings are read by declarations, so they count from the next :reload or for what is typed from
 * now on after it. */
static void set_value(Repl *r, const char *rest)
{
	CmdLine *c = r->line;
	if (!strchr(rest, '=') || rest[0] == '=') {
		diag_usage(r->e->ctx.diags, (Span){0}, ":set takes NAME=VALUE");
		return;
	}
	char *copy = strdup(rest);
	const char **longer = copy ? realloc(c->set, ((size_t)c->nset + 1) * sizeof *longer) : NULL;
	char **kept = longer ? realloc(r->settings, (r->nsetting + 1) * sizeof *kept) : NULL;
	if (longer) {
		c->set = longer;
	}
	if (!kept) {
		free(copy);
		out_of_memory(r);
		return;
	}
	r->settings = kept;
	r->settings[r->nsetting++] = copy;
	c->set[c->nset++] = copy;
	c->engine.set = c->set;
	c->engine.nset = (uint32_t)c->nset;
	reload(r, "");
}

static void quit(Repl *r, const char *rest)
{
	(void)rest;
	r->quit = true;
}

static void describe(Repl *r, const char *name)
{
	Sym sym = intern_find(r->e->ctx.names, name);
	const char *about = sym ? elab_describe(r->e->elab, sym) : NULL;
	if (about) {
		fprintf(r->line->engine.output, "%s\n", about);
		return;
	}
	diag_undefined_name(r->e->ctx.diags, (Span){0}, name);
}

static const struct {
	const char *name, *arguments, *about;
	Action action;
} commands[] = {
	{":help", "", "this text", show_help},
	{":type", "EXPRESSION", "its type, axes and unit", show_type},
	{":grad", "LOSS [wrt NAME]", "the derived backward pass and its check", show_gradient},
	{":emit", "STAGE", "the program so far: core, deriv, opt or plan", show_stage},
	{":time", "EXPRESSION", "seconds to plan and to compute it", show_time},
	{":params", "", "the parameters", show_params},
	{":data", "", "the data sets", show_data},
	{":cost", "", "operations of each loss and training step", show_cost},
	{":load", "FILE", "forget everything and carry out a file", load_file},
	{":reload", "", "the same file again", reload},
	{":set", "NAME=VALUE", "another value for a const or axis size, and reload", set_value},
	{":quit", "", "leave (also Ctrl-D)", quit},
};

const char *repl_command_name(unsigned k)
{
	return k < sizeof commands / sizeof *commands ? commands[k].name : NULL;
}

static void show_help(Repl *r, const char *rest)
{
	(void)rest;
	FILE *out = r->line->engine.output;
	for (size_t k = 0; k < sizeof commands / sizeof *commands; k++) {
		fprintf(out, "%-8s %-18s %s\n", commands[k].name, commands[k].arguments,
			commands[k].about);
	}
	fprintf(out, "%-8s %-18s %s\n", "?NAME", "", "what a name is");
	fputs("Statements are carried out as in a file; an expression shows its value. \\alpha and "
	      "the tab key write α.\n",
	      out);
}

static void unknown(Repl *r, const char *word)
{
	const char *names[sizeof commands / sizeof *commands];
	size_t n = sizeof commands / sizeof *commands;
	for (size_t k = 0; k < n; k++) {
		names[k] = commands[k].name;
	}
	const char *near = diag_nearest(word, names, n);
	Diag *d = diag_usage(r->e->ctx.diags, (Span){0},
			     arena_printf(r->e->arena, "there is no command %s", word));
	diag_help(d, near ? "did you mean  %s ?" : "%s lists the commands", near ? near : ":help");
}

void repl_command(Repl *r, const char *line)
{
	char *text = arena_strdup(r->e->arena, line + strspn(line, " \t"));
	for (size_t n = strlen(text); n && strchr(" \t\r\n", text[n - 1]); n--) {
		text[n - 1] = 0;
	}
	if (text[0] == '?') {
		describe(r, text + 1 + strspn(text + 1, " \t"));
		return;
	}
	size_t n = strcspn(text, " \t");
	const char *rest = text + n + strspn(text + n, " \t");
	text[n] = text[n] ? 0 : text[n];
	for (size_t k = 0; k < sizeof commands / sizeof *commands; k++) {
		if (strcmp(commands[k].name, text) == 0) {
			/* The action may replace the engine, in which the text lives. */
			char *copy = strdup(rest);
			if (copy) {
				commands[k].action(r, copy);
			}
			free(copy);
			return;
		}
	}
	unknown(r, text);
}
