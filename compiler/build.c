/* build.c — a library from an export statement: its functions described, planned, made into object
 * code, written with the texts that other languages read. */
#include "compiler/build_int.h"
#include "runtime/file.h"
#include "runtime/hash.h"
#include <stdlib.h>
#include <string.h>

/* ---- what the code generator is told ---- */

static CodeValue code_value(const LibValue *v, int form, bool writes)
{
	CodeValue c = {.complex = v->of->type == EXPORT_COMPLEX,
		       .integer = build_is_integer(v),
		       .writes = writes,
		       .count = v->count};
	for (int part = 0; part < 2 && !writes; part++) {
		c.leaf[part] = v->of->def[form][part];
	}
	return c;
}

static CodeForm code_form(Library *l, const LibFn *f, int form)
{
	uint32_t n = 0;
	CodeValue *value = arena_array(l->arena, CodeValue, f->fn->narg + f->fn->nresult + 1);
	for (uint32_t k = 0; k < f->fn->narg; k++) {
		value[n++] = code_value(&f->arg[k], form, false);
	}
	for (uint32_t k = 0; k < f->fn->nresult; k++) {
		value[n++] = code_value(&f->result[k], form, true);
	}
	return (CodeForm){.name = form == EXPORT_MANY ? arena_printf(l->arena, "%s_batch", f->name)
						      : f->name,
			  .plan = f->form[form].plan,
			  .many = form == EXPORT_MANY,
			  .calls = f->form[form].calls,
			  .nvalue = n,
			  .value = value};
}

/* Values of a leaf as the code reads them. */
static const void *leaf_bytes(Library *l, Def leaf, size_t *size)
{
	Run *r = l->r;
	size_t n = store_count(r->store, leaf);
	bool real = core_def(r->core, leaf)->kind == KIND_REAL;
	*size = n * (real ? l->real_bytes : 8);
	if (!real || l->real_bytes == 8) {
		return real ? (const void *)store_read(r->store, leaf)
			    : (const void *)store_int(r->store, leaf);
	}
	return store_f32(r->store, leaf);
}

/* Members of the struct of parameters follow each other without gaps between reals. */
static const CodeLeaf *code_leaves(Library *l)
{
	CodeLeaf *leaf = arena_array(l->arena, CodeLeaf, l->nleaf + 1);
	size_t at = 0;
	for (uint32_t k = 0; k < l->nparam && l->options->external_params; k++) {
		bool real = core_def(l->r->core, l->param[k].copy)->kind == KIND_REAL;
		size_t element = real ? l->real_bytes : 8;
		at = (at + element - 1) / element * element;
		for (uint32_t i = 0; i < l->nleaf; i++) {
			if (l->copy[i] == l->param[k].copy) {
				leaf[i].offset = at;
			}
		}
		at += l->param[k].count * element;
	}
	l->params_bytes = (at + 7) / 8 * 8;
	for (uint32_t k = 0; k < l->nleaf; k++) {
		leaf[k].def = l->copy[k];
		if (!l->options->external_params || !build_param_of(l, l->copy[k])) {
			leaf[k].bytes = leaf_bytes(l, l->copy[k], &leaf[k].size);
		}
	}
	return leaf;
}

/* The program, and the numbers that are part of the library. */
static const char *library_hash(Library *l, const CodeLeaf *leaf)
{
	char *text = NULL, *hash = arena_alloc(l->arena, RT_SHA256_TEXT, 1);
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	if (!f) {
		return "";
	}
	fprintf(f, "%s\n", engine_hash(l->r->e));
	for (uint32_t k = 0; k < l->nleaf; k++) {
		fwrite(leaf[k].bytes ? leaf[k].bytes : "", 1, leaf[k].bytes ? leaf[k].size : 0, f);
	}
	fclose(f);
	rt_sha256(text, n, hash);
	free(text);
	return hash;
}

static const char *symbol(Library *l, const char *what)
{
	return arena_printf(l->arena, "%s_%s", l->name, what);
}

void *build_object(Library *l, size_t *size)
{
	CodeForm *form = arena_array(l->arena, CodeForm, EXPORT_FORMS * l->nfn + 1);
	CodeUnit u = {.arena = l->arena,
		      .cpu = l->options->cpu,
		      .real_bytes = l->real_bytes,
		      .seed = l->r->seed,
		      .form = form};
	for (uint32_t k = 0; k < l->nfn; k++) {
		form[u.nform++] = code_form(l, &l->fn[k], EXPORT_ONE);
		form[u.nform++] = code_form(l, &l->fn[k], EXPORT_MANY);
	}
	u.leaf = code_leaves(l);
	u.nleaf = l->nleaf;
	l->hash = library_hash(l, u.leaf);
	const char *names[] = {symbol(l, "version"), symbol(l, "hash")};
	const char *texts[] = {PNNC_VERSION, l->hash};
	u.ntext = 2;
	u.text_name = names;
	u.text = texts;
	if (l->options->external_params) {
		u.prepare = symbol(l, "prepare");
		u.prepared = l->params_bytes;
	}
	code_measure(&u);
	for (uint32_t k = 0; k < u.nform; k++) {
		l->fn[k / 2].form[k % 2].work = form[k].work;
	}
	l->prepared_bytes = u.prepared_bytes + u.scratch_bytes;
	char *message = NULL;
	void *object = code_object(&u, size, &message);
	if (object && l->r->e->options.verbose) {
		fprintf(l->r->e->options.error, "%u entries, %lu instructions\n", u.nform,
			u.instructions);
	}
	if (!object && message) {
		diag_internal(l->r->e->ctx.diags, l->span, message);
	} else if (!object) {
		diag_out_of_memory(l->r->e->ctx.diags, l->span, l->path);
	}
	free(message);
	return object;
}

/* ---- files ---- */

static bool write_bytes(Library *l, const char *path, const void *bytes, size_t n)
{
	RtError err;
	if (rt_file_write(path, bytes, n, &err) != RT_OK) {
		diag_cannot_write(l->r->e->ctx.diags, l->span, path, run_reason(&err));
		return false;
	}
	return true;
}

static bool write_archive(Library *l, const void *object, size_t size)
{
	uint32_t n = 0;
	const char **names = arena_array(l->arena, const char *, EXPORT_FORMS * l->nfn + 4);
	for (uint32_t k = 0; k < l->nfn; k++) {
		names[n++] = l->fn[k].name;
		names[n++] = arena_printf(l->arena, "%s_batch", l->fn[k].name);
	}
	names[n++] = symbol(l, "version");
	names[n++] = symbol(l, "hash");
	if (l->options->external_params) {
		names[n++] = symbol(l, "prepare");
	}
	size_t bytes;
	void *archive = build_archive(l->name, object, size, n, names, &bytes);
	if (!archive) {
		diag_out_of_memory(l->r->e->ctx.diags, l->span, l->path);
		return false;
	}
	bool ok = write_bytes(l, l->path, archive, bytes);
	free(archive);
	return ok;
}

static bool write_text(Library *l, const char *end, void (*print)(const Library *, FILE *))
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	if (!f) {
		diag_out_of_memory(l->r->e->ctx.diags, l->span, end);
		return false;
	}
	print(l, f);
	fclose(f);
	bool ok = write_bytes(l, arena_printf(l->arena, "%s%s", l->stem, end), text, n);
	free(text);
	return ok;
}

static bool write_library(Library *l, const void *object, size_t size)
{
	bool ok = l->kind == BUILD_O   ? write_bytes(l, l->path, object, size)
		  : l->kind == BUILD_A ? write_archive(l, object, size)
				       : build_shared(l, object, size);
	ok = ok && write_text(l, ".h", build_header);
	ok = ok && (!l->options->fortran || write_text(l, ".f90", build_fortran));
	return ok && (!l->options->python || write_text(l, ".py", build_python));
}

static bool has_params(const Library *l)
{
	bool has = l->nparam || !l->options->external_params;
	if (!has) {
		diag_usage(l->r->e->ctx.diags, l->span,
			   "the exported functions have no parameters to be given from outside");
	}
	return has;
}

bool build_library(Run *r, const Stmt *s, const BuildOptions *options)
{
	Arena *arena = arena_create_like(r->e->arena);
	if (!arena) {
		diag_out_of_memory(r->e->ctx.diags, s->span, "a library");
		return false;
	}
	Library l = {
		.r = r, .arena = arena, .options = options, .info = &s->u.export, .span = s->span};
	l.path = options->path ? options->path
			       : engine_out_path(r->e, run_name(r, s->u.export.path));
	l.real_bytes = options->real_bytes ? options->real_bytes : r->program->f32 ? 4 : 8;
	l.source = sources_name(r->e->ctx.sources, r->e->file);
	size_t size = 0;
	bool planned = build_describe(&l) && build_plans(&l) && has_params(&l);
	void *object = planned ? build_object(&l, &size) : NULL;
	bool ok = object && write_library(&l, object, size);
	if (ok && !r->e->options.quiet) {
		fprintf(r->e->options.error,
			"built %s and %s.h: %u function%s, %zu bytes of code\n", l.path, l.stem,
			l.nfn, l.nfn == 1 ? "" : "s", size);
	}
	free(object);
	build_plans_free(&l);
	arena_free(arena);
	return ok;
}
