/* cmd_info.c — what a program holds, and what a weights file holds. */
#include "compiler/cmd.h"
#include "compiler/data_load.h"
#include "compiler/run_int.h"
#include "lang/unit.h"
#include "runtime/safetensors.h"
#include <string.h>

static const struct {
	unsigned bit;
	const char *name;
} constraints[] = {
	{CONSTRAINT_SYMMETRIC, "symmetric"},
	{CONSTRAINT_ANTISYMMETRIC, "antisymmetric"},
	{CONSTRAINT_ZERO_DIAGONAL, "zero diagonal"},
	{CONSTRAINT_POSITIVE, "positive"},
	{CONSTRAINT_CIRCULANT, "circulant"},
	{CONSTRAINT_ORTHOGONAL, "orthogonal"},
	{CONSTRAINT_SIMPLEX, "simplex"},
};

static void print_axes(Engine *e, FILE *out)
{
	const Ast *file = e->program->file;
	fputs("axes\n", out);
	for (uint32_t k = 0; k < file->nkid; k++) {
		if (file->kid[k]->kind != AST_AXIS) {
			continue;
		}
		const char *name = intern_text(e->ctx.names, file->kid[k]->name),
			   *about = elab_describe(e->elab, file->kid[k]->name);
		fprintf(out, "  %s\n", about ? about : name);
	}
}

/* "[site, site]" of the axes of a definition. */
static const char *axes_text(const Run *r, Def d)
{
	const char *text = "[";
	for (uint32_t k = 0; k < core_def(r->core, d)->nindex; k++) {
		const AxisInfo *a = core_axis_info(
			r->core, core_index_axis(r->core, core_def(r->core, d)->index[k]));
		const char *name = run_name(r, a->name), *comma = k ? ", " : "";
		text = name[0] ? arena_printf(r->e->arena, "%s%s%s", text, comma, name)
			       : arena_printf(r->e->arena, "%s%s%lld", text, comma,
					      (long long)a->size);
	}
	return core_def(r->core, d)->nindex ? arena_printf(r->e->arena, "%s]", text) : "";
}

static void print_param(const Run *r, const ParamInfo *p, size_t *total, FILE *out)
{
	Place at = sources_place(r->e->ctx.sources, p->span.file, p->span.lo);
	const char *unit = unit_text(r->program->units, p->unit);
	size_t n = 0;
	bool known = eval_count(r, p->leaf, &n);
	*total += n;
	fprintf(out, "  %s : real%s%s%s%s", run_name(r, p->path), axes_text(r, p->leaf),
		unit[0] ? " '" : "", unit, unit[0] ? "'" : "");
	for (size_t k = 0; k < sizeof constraints / sizeof *constraints; k++) {
		if (p->constraint & constraints[k].bit) {
			fprintf(out, " %s", constraints[k].name);
		}
	}
	if (known) {
		fprintf(out, ", %zu number%s", n, n == 1 ? "" : "s");
	}
	fprintf(out, ", from %s:%u%s%s\n", at.name ? at.name : "?", at.line,
		p->frozen ? ", frozen" : "", engine_in_loss(r, p) ? "" : ", in no loss");
}

static void print_data(const Run *r, const DataInfo *d, FILE *out)
{
	static const char *const kinds[] = {"table", "part", "points", "made", "batch"};
	if (d->kind == DATA_BATCH) {
		return;
	}
	fprintf(out, "  %s (%s", run_name(r, d->name), kinds[d->kind]);
	if (d->kind == DATA_TABLE && d->path) {
		fprintf(out, " \"%s\"", run_name(r, d->path));
	}
	if (d->parent) {
		fprintf(out, " of %s", run_name(r, d->parent->name));
	}
	int64_t n = core_axis_info(r->core, d->records)->size;
	n = n < 0 && d->has_simulate && !run_name(r, d->path)[0] ? d->simulate : n;
	if (n >= 0) {
		fprintf(out, ", %lld records", (long long)n);
	}
	fputs("):", out);
	for (uint32_t k = 0; k < d->nfield; k++) {
		const char *unit = unit_text(r->program->units, d->field[k].unit);
		fprintf(out, "%s %s%s%s%s", k ? "," : "", run_name(r, d->field[k].name),
			unit[0] ? " '" : "", unit, unit[0] ? "'" : "");
	}
	fputc('\n', out);
}

static void print_params(Engine *e, FILE *out)
{
	size_t total = 0;
	for (uint32_t k = 0; k < e->program->nparam; k++) {
		print_param(e->run, e->program->param[k], &total, out);
	}
	fprintf(out, "  %zu number%s in %u parameter%s\n", total, total == 1 ? "" : "s",
		e->program->nparam, e->program->nparam == 1 ? "" : "s");
}

void cmd_info_in(Engine *e, bool params, bool data)
{
	FILE *out = e->options.output;
	Run *r = engine_run_state(e);
	if (r && params) {
		print_params(e, out);
	}
	for (uint32_t k = 0; r && data && k < e->program->ndata; k++) {
		print_data(r, e->program->data[k], out);
	}
}

static int info_program(CmdLine *c)
{
	int code;
	Engine *e = cmd_open(c, 0, &code);
	if (!e) {
		return code;
	}
	FILE *out = c->engine.output;
	Run *r = engine_run_state(e);
	const Program *p = e->program;
	print_axes(e, out);
	fputs("parameters\n", out);
	cmd_info_in(e, true, false);
	fputs("data\n", out);
	cmd_info_in(e, false, true);
	fputs("losses\n", out);
	for (uint32_t k = 0; r && k < p->nloss; k++) {
		uint32_t n = 0;
		elab_params_of(e->elab, p->loss[k]->name, &n);
		fprintf(out, "  %s, reaches %u parameter%s\n", run_name(r, p->loss[k]->name), n,
			n == 1 ? "" : "s");
	}
	fprintf(out, "hash %s\n", engine_hash(e));
	return cmd_close(e, 0);
}

static int info_weights(CmdLine *c)
{
	RtWeights *w;
	RtError err;
	FILE *out = c->engine.output;
	if (rt_safetensors_read(c->word[0], &w, &err) != RT_OK) {
		fprintf(c->engine.error, "error[E0401]: %s: %s%s%s\n", c->word[0], err.where,
			err.where[0] ? ": " : "", err.text);
		return err.status == RT_E_READ ? 6 : 4;
	}
	size_t total = 0;
	for (size_t k = 0; k < w->ntensors; k++) {
		const RtTensor *t = &w->tensor[k];
		size_t n = 0;
		rt_tensor_count(t, &n);
		total += n;
		fprintf(out, "%s : %s[", t->name, rt_dtype_name(t->dtype));
		for (unsigned j = 0; j < t->ndim; j++) {
			fprintf(out, "%s%zu", j ? "," : "", t->dim[j]);
		}
		fputs("]\n", out);
	}
	fprintf(out, "%zu numbers in %zu tensors\n", total, w->ntensors);
	for (size_t k = 0; k < w->nmeta; k++) {
		if (!strchr(w->meta[k].value, '\n')) {
			fprintf(out, "%s = %s\n", w->meta[k].key, w->meta[k].value);
		}
	}
	rt_weights_free(w);
	return 0;
}

int cmd_info(CmdLine *c)
{
	size_t n = strlen(c->word[0]);
	const char *tail = ".safetensors";
	bool weights = n > strlen(tail) && strcmp(c->word[0] + n - strlen(tail), tail) == 0;
	return weights ? info_weights(c) : info_program(c);
}
