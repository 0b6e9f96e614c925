/* weights.c — saving and loading parameters. */
#include "compiler/weights.h"
#include "compiler/data_load.h"
#include "compiler/run_int.h"
#include <stdlib.h>
#include <string.h>

enum { DIFFERENCES_SHOWN = 6 };

RtTensor weights_leaf(const Run *r, const char *name, Def leaf)
{
	RtTensor t = {.name = name};
	const DefInfo *d = core_def(r->core, leaf);
	t.dtype = d->kind == KIND_REAL ? RT_F64 : RT_I64;
	for (uint32_t k = 0; k < d->nindex && k < RT_MAX_DIM; k++) {
		t.dim[t.ndim++] = (size_t)data_leaf_size(r, leaf, k);
	}
	t.data = d->kind == KIND_REAL ? (const void *)store_real(r->store, leaf)
				      : (const void *)store_int(r->store, leaf);
	return t;
}

bool weights_fit(const Run *r, const RtTensor *t, Def leaf)
{
	const DefInfo *d = core_def(r->core, leaf);
	if (t->ndim != d->nindex) {
		return false;
	}
	for (uint32_t k = 0; k < d->nindex; k++) {
		if ((int64_t)t->dim[k] != data_leaf_size(r, leaf, k)) {
			return false;
		}
	}
	return true;
}

const char *weights_shape(const Run *r, const RtTensor *t)
{
	const char *text = "[";
	for (unsigned k = 0; k < t->ndim; k++) {
		text = arena_printf(r->e->arena, "%s%s%zu", text, k ? "," : "", t->dim[k]);
	}
	return arena_printf(r->e->arena, "%s]", text);
}

/* The program reads something else than what is stored. */
static bool derived(const ParamInfo *p)
{
	return p->value != p->leaf;
}

static const char *stored_name(Run *r, const ParamInfo *p)
{
	return arena_printf(r->e->arena, "%s.stored", run_name(r, p->path));
}

/* Values of the constrained parameters through one plan, appended to tensor; the plan keeps the
 * numbers. */
static Plan *constrained_values(Run *r, uint32_t n, ParamInfo **param, RtTensor *tensor,
				size_t *count, bool *ok)
{
	PlanOutput *out = rt_alloc(n, sizeof *out);
	uint32_t m = 0;
	for (uint32_t k = 0; out && k < n; k++) {
		if (derived(param[k])) {
			out[m++] = (PlanOutput){param[k]->value, 0};
		}
	}
	Plan *plan = m ? eval_plan(r, m, out) : NULL;
	*ok = out && (!m || (plan && eval_run(r, plan, 0)));
	for (uint32_t k = 0, output = 0; *ok && m && k < n; k++) {
		if (!derived(param[k])) {
			continue;
		}
		RtTensor t = {.name = run_name(r, param[k]->path), .dtype = RT_F64};
		const DefInfo *d = core_def(r->core, param[k]->value);
		for (uint32_t j = 0; j < d->nindex && j < RT_MAX_DIM; j++) {
			t.dim[t.ndim++] = (size_t)data_leaf_size(r, param[k]->value, j);
		}
		t.data = plan_real(plan, output++);
		tensor[(*count)++] = t;
	}
	free(out);
	return plan;
}

bool weights_save(Run *r, Span at, const char *path, uint32_t n, ParamInfo **param)
{
	RtTensor *tensor = rt_alloc(2 * (size_t)n, sizeof *tensor);
	size_t count = 0;
	if (!tensor) {
		diag_out_of_memory(r->e->ctx.diags, at, path);
		return false;
	}
	for (uint32_t k = 0; k < n; k++) {
		const char *name =
			derived(param[k]) ? stored_name(r, param[k]) : run_name(r, param[k]->path);
		tensor[count++] = weights_leaf(r, name, param[k]->leaf);
	}
	bool ok;
	Plan *plan = constrained_values(r, n, param, tensor, &count, &ok);
	const char *settings = "";
	for (uint32_t k = 0; k < r->e->options.nset; k++) {
		settings = arena_printf(r->e->arena, "%s%s%s", settings, k ? "\n" : "",
					r->e->options.set[k]);
	}
	RtMeta meta[] = {
		{"format", "pnn 1"}, {"program", engine_hash(r->e)}, {"settings", settings}};
	RtError err;
	if (ok && rt_safetensors_write(path, tensor, count, meta, 3, &err) != RT_OK) {
		diag_cannot_write(r->e->ctx.diags, at, path, run_reason(&err));
		ok = false;
	}
	plan_free(plan);
	free(tensor);
	return ok;
}

/* ---- loading ---- */

typedef struct Differences {
	Run *r;
	const char *text;
	unsigned n;
} Differences;

static void differ(Differences *d, const char *what)
{
	if (d->n++ < DIFFERENCES_SHOWN) {
		d->text = arena_printf(d->r->e->arena, "%s%s%s", d->text, d->text[0] ? "; " : "",
				       what);
	}
}

static const RtTensor *tensor_for(Run *r, const RtWeights *w, const ParamInfo *p, bool *stored)
{
	const RtTensor *t = rt_weights_tensor(w, stored_name(r, p));
	*stored = t && derived(p);
	return *stored ? t : rt_weights_tensor(w, run_name(r, p->path));
}

static void find_differences(Differences *d, const RtWeights *w, uint32_t n, ParamInfo **param)
{
	Run *r = d->r;
	for (uint32_t k = 0; k < n; k++) {
		bool stored;
		const RtTensor *t = tensor_for(r, w, param[k], &stored);
		const char *name = run_name(r, param[k]->path);
		if (!t) {
			differ(d, arena_printf(r->e->arena, "%s is missing", name));
		} else if (!weights_fit(r, t, stored ? param[k]->leaf : param[k]->value)) {
			differ(d, arena_printf(r->e->arena, "%s is %s there and %s here", name,
					       weights_shape(r, t),
					       data_leaf_shape(r, param[k]->value, 0)));
		}
	}
}

/* Tensors of the file that no parameter of the whole program takes. */
static const char *left_over(Run *r, const RtWeights *w)
{
	const char *text = "";
	for (size_t i = 0, shown = 0; i < w->ntensors && shown < DIFFERENCES_SHOWN; i++) {
		const char *name = w->tensor[i].name;
		bool known = false;
		for (uint32_t k = 0; k < r->program->nparam && !known; k++) {
			known = strcmp(name, run_name(r, r->program->param[k]->path)) == 0 ||
				strcmp(name, stored_name(r, r->program->param[k])) == 0;
		}
		if (!known) {
			text = arena_printf(r->e->arena, "%s%s%s", text, shown++ ? ", " : "", name);
		}
	}
	return text;
}

static bool put_param(Run *r, const RtWeights *w, ParamInfo *p)
{
	bool stored;
	const RtTensor *t = tensor_for(r, w, p, &stored);
	if (stored || !derived(p)) {
		rt_tensor_reals(t, store_real(r->store, p->leaf));
		return true;
	}
	size_t n = 0;
	double *value = eval_count(r, p->value, &n) ? rt_alloc(n, sizeof *value) : NULL;
	if (!value) {
		diag_out_of_memory(r->e->ctx.diags, p->span, run_name(r, p->path));
		return false;
	}
	rt_tensor_reals(t, value);
	bool ok = params_from_values(r, p, value);
	free(value);
	return ok;
}

bool weights_load(Run *r, Span at, const char *path, uint32_t n, ParamInfo **param)
{
	RtWeights *w;
	RtError err;
	if (rt_safetensors_read(path, &w, &err) != RT_OK) {
		run_rt_error(r, at, &err);
		return false;
	}
	Differences d = {r, "", 0};
	find_differences(&d, w, n, param);
	bool ok = d.n == 0;
	if (!ok) {
		if (d.n > DIFFERENCES_SHOWN) {
			d.text = arena_printf(r->e->arena, "%s; and %u more", d.text,
					      d.n - DIFFERENCES_SHOWN);
		}
		Diag *diag = diag_weights_differ(r->e->ctx.diags, at, path, d.text);
		const char *extra = left_over(r, w);
		if (extra[0]) {
			diag_remark(diag, "it also holds %s", extra);
		}
	}
	for (uint32_t k = 0; ok && k < n; k++) {
		ok = put_param(r, w, param[k]);
	}
	rt_weights_free(w);
	return ok;
}
