/* cmd_build.c — pnnc build: the program is run and its export statements write libraries; with
 * --params the parameters come from a file instead, and nothing but lets is carried out. */
#include "compiler/build.h"
#include "compiler/cmd.h"
#include "compiler/data_load.h"
#include "compiler/run_int.h"
#include "compiler/weights.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Exports {
	uint32_t n;
	const Stmt *first;
} Exports;

static void find_exports(Exports *x, const Block *b)
{
	for (uint32_t k = 0; k < b->n; k++) {
		const Stmt *s = b->stmt[k];
		switch (s->kind) {
		case STMT_EXPORT:
			x->first = x->n++ ? x->first : s;
			break;
		case STMT_SWEEP:
			find_exports(x, &s->u.sweep.body);
			break;
		case STMT_REPEAT:
			find_exports(x, &s->u.repeat.body);
			break;
		case STMT_IF:
			find_exports(x, &s->u.branch.yes);
			find_exports(x, &s->u.branch.no);
			break;
		default:
			break;
		}
	}
}

/* ---- before a long training: can the file be made at all? ---- */

static bool usage(Engine *e, const char *why, const char *help)
{
	Diag *d = diag_usage(e->ctx.diags, (Span){0}, why);
	if (help) {
		diag_help(d, "%s", help);
	}
	return false;
}

static bool in_path(const char *name)
{
	const char *path = getenv("PATH");
	char file[4096];
	for (const char *p = path ? path : ""; *p;) {
		size_t n = strcspn(p, ":");
		snprintf(file, sizeof file, "%.*s/%s", (int)n, p, name);
		if (access(file, X_OK) == 0) {
			return true;
		}
		p += n + (p[n] == ':');
	}
	return false;
}

static bool can_write(Engine *e, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *folder = !slash ? "."
			     : slash == path
				     ? "/"
				     : arena_printf(e->arena, "%.*s", (int)(slash - path), path);
	struct stat s;
	if (stat(folder, &s) == 0 && !S_ISDIR(s.st_mode)) {
		errno = ENOTDIR;
	} else if (access(folder, W_OK) == 0) {
		return true;
	}
	diag_cannot_write(e->ctx.diags, (Span){0}, path, strerror(errno));
	return false;
}

static bool can_link(Engine *e, const char *path, const char *cpu)
{
	size_t n = strlen(path);
	const char *compiler = build_compiler(cpu);
	if (n < 3 || strcmp(path + n - 3, ".so") != 0 || in_path(compiler)) {
		return true;
	}
	diag_help(diag_cannot_build(e->ctx.diags, (Span){0}, path,
				    arena_printf(e->arena,
						 "a shared library needs %s, which is not here",
						 compiler)),
		  "build a .a or .o, which needs no tool, or install a C compiler");
	return false;
}

/* ---- functions named on the command line ---- */

/* The statement  export f, g to "libf.so"  at the end of the program. */
static const Stmt *export_words(CmdLine *c, Engine *e)
{
	const char *names = c->word[1];
	for (int k = 2; k < c->n; k++) {
		names = arena_printf(e->arena, "%s, %s", names, c->word[k]);
	}
	const char *text = arena_printf(e->arena, "export %s%s to \"%s\"\n", names,
					c->gradient ? " with gradient" : "", c->output);
	uint32_t file = sources_add(e->ctx.sources, "command line", text, strlen(text)), nstale;
	Sym *stale;
	const Ast *ast = parse_file(&e->ctx, file);
	if (diags_errors(e->ctx.diags)) {
		return NULL;
	}
	uint32_t before = e->program->nstmt;
	elab_line(e->elab, ast, &nstale, &stale);
	bool made = e->program->nstmt == before + 1 && !diags_errors(e->ctx.diags);
	return made ? e->program->stmt[before] : NULL;
}

/* ---- parameters from a file ---- */

static bool reads(const Run *r, const ExportInfo *x, Def leaf)
{
	for (uint32_t k = 0; k < x->n; k++) {
		const ExportFn *f = &x->fn[k];
		for (uint32_t i = 0; i < f->nresult * 2; i++) {
			Def d = f->result[i / 2].def[EXPORT_ONE][i % 2];
			Node n = d ? core_read_plain(r->core, d, core_def(r->core, d)->index) : 0;
			if (n && core_depends(r->core, n, leaf)) {
				return true;
			}
		}
	}
	return false;
}

static bool reads_data(const Run *r, const ExportInfo *x)
{
	const Program *p = r->program;
	bool any = x->nsized > 0;
	for (uint32_t k = 0; k < p->ndata && !any; k++) {
		for (uint32_t f = 0; f < p->data[k]->nfield && !any; f++) {
			any = p->data[k]->field[f].leaf && reads(r, x, p->data[k]->field[f].leaf);
		}
	}
	return any;
}

static bool load_params(Run *r, const ExportInfo *x, const char *path)
{
	const Program *p = r->program;
	ParamInfo **param = arena_array(r->e->arena, ParamInfo *, p->nparam + 1);
	uint32_t n = 0;
	for (uint32_t k = 0; k < p->nparam; k++) {
		if (reads(r, x, p->param[k]->leaf)) {
			param[n++] = p->param[k];
		}
	}
	for (uint32_t k = 0; k < n; k++) {
		if (!eval_room(r, param[k]->leaf)) {
			return false;
		}
	}
	return weights_load(r, (Span){0}, path, n, param);
}

/* Values that the functions read, computed now as the program says. */
static bool run_lets(Run *r, const ExportInfo *x)
{
	bool ok = true;
	for (uint32_t k = 0; ok && k < r->program->nstmt; k++) {
		Stmt *s = r->program->stmt[k];
		bool wanted = false;
		for (uint32_t i = 0; s->kind == STMT_LET && i < s->u.let.n; i++) {
			wanted = wanted || reads(r, x, s->u.let.leaf[i]);
		}
		for (uint32_t i = 0; s->kind == STMT_DATA && i < s->u.data.n; i++) {
			const DataInfo *d = s->u.data.set[i];
			for (uint32_t j = 0; j < d->nfield; j++) {
				wanted = wanted || reads(r, x, d->field[j].leaf);
			}
		}
		ok = !wanted || run_statement(r, s);
	}
	return ok;
}

static bool export_saved(Run *r, Stmt *s, const char *weights)
{
	const ExportInfo *x = &s->u.export;
	return (!reads_data(r, x) || data_prepare(r)) && load_params(r, x, weights) &&
	       run_lets(r, x) && run_statement(r, s);
}

/* ---- the command ---- */

static bool check_words(CmdLine *c, Engine *e, const Exports *x)
{
	if (c->n == 1 && !x->n) {
		return usage(e, "the program exports nothing",
			     "write  export f to \"libf.so\"  at its end, or name functions:  pnnc "
			     "build FILE f -o libf.so");
	}
	if (c->n > 1 && !c->output) {
		return usage(e, "functions on the command line need -o LIBRARY", NULL);
	}
	if (c->n == 1 && x->n > 1 && c->output) {
		return usage(e,
			     arena_printf(e->arena,
					  "-o names one library, and the program exports %u", x->n),
			     "leave -o out: each goes where its statement says");
	}
	if (c->n == 1 && c->gradient) {
		return usage(e, "--gradient goes with functions on the command line",
			     "in the program write  export f with gradient to …");
	}
	return true;
}

static bool check_files(CmdLine *c, Engine *e, const Stmt *only, const char *cpu)
{
	const char *path = c->output;
	if (!path && only) {
		path = engine_out_path(e, intern_text(e->ctx.names, only->u.export.path));
	}
	if (path && !build_is_library(path)) {
		return usage(
			e,
			arena_printf(e->arena, "a library is called ….so, .a or .o, not %s", path),
			NULL);
	}
	size_t n = path ? strlen(path) : 0;
	if (c->python && n > 3 && strcmp(path + n - 3, ".so") != 0) {
		return usage(e, "--python needs a shared library (.so)", NULL);
	}
	if (e->options.out_dir && mkdir(e->options.out_dir, 0777) != 0 && errno != EEXIST) {
		diag_cannot_write(e->ctx.diags, (Span){0}, e->options.out_dir, strerror(errno));
		return false;
	}
	return !path || (can_write(e, path) && can_link(e, path, cpu));
}

static int build(CmdLine *c, Engine *e, const BuildOptions *options)
{
	Block all = {e->program->nstmt, e->program->stmt};
	Exports x = {0};
	find_exports(&x, &all);
	const Stmt *extra = NULL;
	bool ok =
		check_words(c, e, &x) && check_files(c, e, x.n == 1 ? x.first : NULL, options->cpu);
	ok = ok && (c->n == 1 || (extra = export_words(c, e)));
	Run *r = ok ? engine_run_state(e) : NULL;
	if (!r) {
		return 0;
	}
	r->build = options;
	r->only = extra;
	if (!c->params) {
		int code = run_program(r);
		run_finish(r);
		return code;
	}
	for (uint32_t k = 0; ok && k < e->program->nstmt; k++) {
		Stmt *s = e->program->stmt[k];
		ok = s->kind != STMT_EXPORT || (extra && s != extra) ||
		     export_saved(r, s, c->params);
	}
	return 0;
}

int cmd_build(CmdLine *c)
{
	BuildOptions options = {.path = c->output,
				.cpu = c->engine.cpu,
				.real_bytes = c->engine.real_bytes,
				.external_params = c->external_params,
				.fortran = c->fortran,
				.python = c->python};
	c->engine.cpu = NULL; /* the training runs here */
	int code;
	Engine *e = cmd_open(c, 0, &code);
	if (!e) {
		return code;
	}
	engine_warn(e);
	engine_flush(e);
	code = build(c, e, &options);
	return cmd_close(e, code);
}
