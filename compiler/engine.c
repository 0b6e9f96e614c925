/* engine.c — owning and joining the stages: text → tree → program. */
#include "compiler/engine.h"
#include "compiler/exec.h"
#include "compiler/run.h"
#include "runtime/hash.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN_ERRORS = 20 };
#define PNN_VERSION_SALT "pnn 1"

static const char *library_module(void *data, const char *name)
{
	(void)data;
	return stdlib_text(name);
}

/* Each setting becomes a text of its own, so that a mistake in it can be shown with its place. */
static const Setting *make_settings(Engine *e)
{
	const EngineOptions *o = &e->options;
	Setting *set = arena_array(e->arena, Setting, o->nset + 1);
	for (uint32_t k = 0; k < o->nset; k++) {
		const char *equals = strchr(o->set[k], '=');
		size_t n = equals ? (size_t)(equals - o->set[k]) : strlen(o->set[k]);
		char *name = arena_copy(e->arena, o->set[k], n + 1, 1);
		name[n] = 0;
		set[k].name = name;
		set[k].value = equals ? equals + 1 : "";
		uint32_t file = sources_add(e->ctx.sources, "--set", o->set[k], strlen(o->set[k]));
		set[k].span = (Span){file, 0, (uint32_t)strlen(o->set[k])};
	}
	return set;
}

Engine *engine_create(const EngineOptions *options)
{
	Engine *e = calloc(1, sizeof *e);
	if (!e) {
		return NULL;
	}
	e->options = *options;
	e->arena = arena_create();
	e->scratch = arena_create();
	if (!e->arena || !e->scratch) {
		engine_free(e);
		return NULL;
	}
	/* Equations take kilobytes: what grows beyond half the machine does not end. */
	size_t most = machine_memory() / 3 * 2;
	arena_on_exhausted(e->arena, most, options->exhausted, e);
	arena_on_exhausted(e->scratch, most, options->exhausted, e);
	e->ctx.arena = e->arena;
	e->ctx.names = intern_create(e->arena);
	e->ctx.sources = sources_create(e->arena);
	e->ctx.diags = diags_create(e->arena, e->ctx.sources, SHOWN_ERRORS);
	return e;
}

/* The environment is made late: commands that only look at text need none. */
static void ensure_elab(Engine *e)
{
	if (!e->elab) {
		ElabOptions o = {e->options.nset, make_settings(e), library_module, NULL};
		e->elab = elab_create(&e->ctx, o);
	}
}

void engine_free(Engine *e)
{
	if (!e) {
		return;
	}
	run_free(e->run);
	arena_free(e->scratch);
	arena_free(e->arena);
	free(e);
}

uint32_t engine_load(Engine *e, const char *path)
{
	errno = 0;
	e->file = sources_load(e->ctx.sources, path);
	if (!e->file) {
		const char *why =
			errno == EFBIG ? "it is larger than 64 MiB" : strerror(errno ? errno : EIO);
		diag_cannot_read(e->ctx.diags, (Span){0}, path, why);
	}
	return e->file;
}

bool engine_parse(Engine *e)
{
	e->ast = parse_file(&e->ctx, e->file);
	return diags_errors(e->ctx.diags) == 0;
}

bool engine_elaborate(Engine *e)
{
	if (!engine_parse(e)) {
		return false;
	}
	ensure_elab(e);
	e->program = elab_file(e->elab, e->ast);
	return diags_errors(e->ctx.diags) == 0 && e->program;
}

Run *engine_run_state(Engine *e)
{
	ensure_elab(e);
	if (!e->program) {
		e->program = elab_program(e->elab);
	}
	if (!e->run) {
		e->run = run_create(e);
	}
	return e->run;
}

int engine_worse(int a, int b)
{
	static const int order[] = {70, 2, 3, 6, 4, 5, 130, 1, 0};
	for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
		if (a == order[k] || b == order[k]) {
			return order[k];
		}
	}
	return a ? a : b;
}

int engine_flush(Engine *e)
{
	e->worst = engine_exit_code(e);
	if (diags_count(e->ctx.diags) > 0) {
		fflush(e->options.output);
		diags_render(e->ctx.diags, e->options.error, e->options.colour, e->options.json);
		diags_clear(e->ctx.diags);
	}
	return e->worst;
}

int engine_exit_code(const Engine *e)
{
	return engine_worse(e->worst, diags_exit_code(e->ctx.diags));
}

const char *engine_hash(Engine *e)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	if (!f) {
		return "";
	}
	fputs(PNN_VERSION_SALT "\n", f);
	if (e->ast) {
		ast_print(e->ast, &e->ctx, f);
	}
	for (uint32_t k = 0; k < e->options.nset; k++) {
		fprintf(f, "--set %s\n", e->options.set[k]);
	}
	fprintf(f, "--seed %llu\n", (unsigned long long)e->options.seed);
	fclose(f);
	char *hash = arena_alloc(e->arena, RT_SHA256_TEXT, 1);
	rt_sha256(text, n, hash);
	free(text);
	return hash;
}

const char *engine_out_path(Engine *e, const char *path)
{
	if (path[0] == '/' || !e->options.out_dir) {
		return path;
	}
	return arena_printf(e->arena, "%s/%s", e->options.out_dir, path);
}

const char *engine_in_path(Engine *e, const char *path)
{
	const char *program = e->file ? sources_name(e->ctx.sources, e->file) : "";
	const char *slash = strrchr(program, '/');
	if (path[0] == '/' || !slash || access(path, F_OK) == 0) {
		return path;
	}
	const char *beside =
		arena_printf(e->arena, "%.*s/%s", (int)(slash - program), program, path);
	return access(beside, F_OK) == 0 ? beside : path;
}
