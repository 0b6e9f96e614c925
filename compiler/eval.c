/* eval.c — definitions to numbers: core → (deriv) → plan → values.
 * Invariant: a kept plan belongs to axes of the sizes it was built with; whoever resizes an axis
 * calls eval_forget. */
#include "compiler/eval.h"
#include "compiler/data_load.h"
#include "compiler/deriv.h"
#include "compiler/exec.h"
#include "compiler/run_int.h"
#include "runtime/status.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

Def eval_define(Run *r, const char *name, Node value)
{
	const Index *from;
	uint32_t n = core_free(r->core, value, &from);
	Sym sym = intern_str(core_names(r->core), name);
	return core_share(r->core, sym, core_node(r->core, value)->span, n, from, value, DEF_KEEP);
}

bool eval_resolve_nodes(Run *r, uint32_t n, Node *node)
{
	unsigned before = diags_errors(r->e->ctx.diags);
	ArenaMark m = arena_mark(r->e->scratch);
	bool ok = deriv_resolve(r->core, r->e->scratch, r->e->ctx.diags, n, node);
	arena_release(r->e->scratch, m);
	return ok && diags_errors(r->e->ctx.diags) == before;
}

/* The value of a definition at fresh indices, which are stored in index. */
static Node open_at_fresh(Core *c, Def d, Index *index)
{
	uint32_t n = core_def(c, d)->nindex;
	for (uint32_t k = 0; k < n; k++) {
		index[k] = core_index_like(c, core_def(c, d)->index[k]);
	}
	return core_read_plain(c, d, index);
}

bool eval_resolve(Run *r, uint32_t n, Def *def)
{
	Core *c = r->core;
	Node *root = malloc((n + 1) * sizeof *root);
	Index **index = malloc((n + 1) * sizeof *index);
	if (!root || !index) {
		free(root);
		free(index);
		diag_out_of_memory(r->e->ctx.diags, (Span){0}, "derivatives");
		return false;
	}
	for (uint32_t k = 0; k < n; k++) {
		index[k] = arena_array(r->e->arena, Index, core_def(c, def[k])->nindex + 1);
		root[k] = open_at_fresh(c, def[k], index[k]);
	}
	bool ok = eval_resolve_nodes(r, n, root);
	for (uint32_t k = 0; ok && k < n; k++) {
		DefInfo d = *core_def(c, def[k]);
		bool leaf = d.role == DEF_PARAM || d.role == DEF_DATA || d.role == DEF_RUNTIME;
		/* Most definitions hold no derivative: they are their own resolution. A plan
		 * computes definitions, not leaves. */
		if (!leaf && core_node(c, root[k])->tag == NODE_READ &&
		    core_node(c, root[k])->ref == def[k]) {
			continue;
		}
		Def resolved = core_share(c, d.name, d.span, d.nindex, index[k], root[k], DEF_KEEP);
		core_def_mutable(c, resolved)->unit = d.unit;
		def[k] = resolved;
	}
	free(root);
	free(index);
	return ok;
}

/* Every leaf that the outputs reach must hold something: a `let` in a branch that was not taken
 * does not, nor does a data set that could not be loaded. */
static bool leaves_ready(Run *r, uint32_t n, const PlanOutput *outputs)
{
	Core *c = r->core;
	ArenaMark mark = arena_mark(r->e->scratch);
	Node *root = arena_array(r->e->scratch, Node, n + 1);
	for (uint32_t k = 0; k < n; k++) {
		root[k] =
			core_read_plain(c, outputs[k].value, core_def(c, outputs[k].value)->index);
	}
	Def *order;
	uint32_t *component, count = core_reach(c, r->e->scratch, n, root, &order, &component);
	bool ok = true;
	for (uint32_t k = 0; ok && k < count; k++) {
		const DefInfo *d = core_def(c, order[k]);
		bool leaf = d->role == DEF_PARAM || d->role == DEF_DATA || d->role == DEF_RUNTIME;
		ok = !leaf || (r->compiling && d->role == DEF_RUNTIME) ||
		     (store_has(r->store, order[k]) && !data_failed(r, order[k]) &&
		      (r->compiling || !data_pending(r, order[k])));
		if (!ok) {
			diag_no_value(r->e->ctx.diags, d->span, run_name(r, d->name));
		}
	}
	arena_release(r->e->scratch, mark);
	return ok;
}

/* Single precision is compiled in any case: the interpreter computes in f64. */
static PlanOptions plan_options(const Run *r)
{
	const EngineOptions *o = &r->e->options;
	bool single = r->single && o->backend != BACKEND_INTERPRET;
	bool always = single || o->backend == BACKEND_JIT;
	return (PlanOptions){.threads = o->threads,
			     .machine = r->machine,
			     .memory = machine_memory(),
			     .name = r->what,
			     .real_bytes = single ? sizeof(float) : sizeof(double),
			     .compiled = o->backend != BACKEND_INTERPRET,
			     .runs = always ? INFINITY : r->runs};
}

Plan *eval_plan(Run *r, uint32_t n, const PlanOutput *outputs)
{
	PlanOutput *copy = malloc((n + 1) * sizeof *copy);
	Def *def = malloc((n + 1) * sizeof *def);
	Plan *p = NULL;
	if (!copy || !def) {
		diag_out_of_memory(r->e->ctx.diags, (Span){0}, "a plan");
	} else {
		for (uint32_t k = 0; k < n; k++) {
			def[k] = outputs[k].value;
		}
		if (eval_resolve(r, n, def)) {
			for (uint32_t k = 0; k < n; k++) {
				copy[k] = (PlanOutput){def[k], outputs[k].assign};
			}
			PlanOptions o = plan_options(r);
			p = !leaves_ready(r, n, copy)
				    ? NULL
				    : plan_build(r->core, r->store, r->e->ctx.diags, n, copy, o);
			assert(p || diags_count(r->e->ctx.diags) > 0);
		}
	}
	free(copy);
	free(def);
	return p;
}

Plan *eval_find(const Run *r, const void *key, unsigned part)
{
	for (size_t k = 0; k < r->nplan; k++) {
		if (r->plan[k].key == key && r->plan[k].part == part) {
			return r->plan[k].plan;
		}
	}
	return NULL;
}

bool eval_keep(Run *r, const void *key, unsigned part, Plan *p)
{
	void *items = r->plan;
	if (!rt_grow(&items, &r->plan_room, r->nplan + 1, sizeof *r->plan)) {
		plan_free(p);
		diag_out_of_memory(r->e->ctx.diags, (Span){0}, "a plan");
		return false;
	}
	r->plan = items;
	r->plan[r->nplan++] = (CachedPlan){key, part, p};
	return true;
}

Plan *eval_cached(Run *r, const void *key, unsigned part, uint32_t n, const PlanOutput *outputs)
{
	Plan *p = eval_find(r, key, part);
	if (p) {
		return p;
	}
	p = eval_plan(r, n, outputs);
	return p && eval_keep(r, key, part, p) ? p : NULL;
}

/* ---- replacing ---- */

typedef struct Replacement {
	uint32_t n;
	const Def *from, *to;
} Replacement;

static Def replaced(void *data, Core *c, Def d)
{
	const Replacement *m = data;
	(void)c;
	for (uint32_t k = 0; k < m->n; k++) {
		if (m->from[k] == d) {
			return m->to[k];
		}
	}
	return 0;
}

void eval_replace(Run *r, uint32_t n, Def *def, uint32_t m, const Def *from, const Def *to)
{
	Core *c = r->core;
	ArenaMark mark = arena_mark(r->e->scratch);
	Replacement data = {m, from, to};
	CoreMap map = {replaced, &data};
	Node *root = arena_array(r->e->arena, Node, n + 1);
	Index **index = arena_array(r->e->arena, Index *, n + 1);
	for (uint32_t k = 0; k < n; k++) {
		index[k] = arena_array(r->e->arena, Index, core_def(c, def[k])->nindex + 1);
		root[k] = open_at_fresh(c, def[k], index[k]);
	}
	core_copy(c, r->e->scratch, &map, n, root);
	for (uint32_t k = 0; k < n; k++) {
		DefInfo d = *core_def(c, def[k]);
		def[k] = core_share(c, d.name, d.span, d.nindex, index[k], root[k], DEF_KEEP);
	}
	arena_release(r->e->scratch, mark);
}

void eval_forget(Run *r)
{
	for (size_t k = 0; k < r->nplan; k++) {
		plan_free(r->plan[k].plan);
	}
	r->nplan = 0;
}

/* With -v: what ran where, once for each plan. */
static void say_how(const Run *r, const PlanHow *h)
{
	const EngineOptions *o = &r->e->options;
	if (!o->verbose || r->no_interaction) {
		return;
	}
	if (h->compiled) {
		fprintf(o->error, "plan %s: compiled in %.1f ms%s, %u instructions\n", h->name,
			h->compile_ms, h->cached ? " from the cache" : "", h->instructions);
	} else {
		fprintf(o->error, "plan %s: interpreted\n", h->name);
	}
}

bool eval_run_at(Run *r, Plan *p, uint64_t seed, uint64_t step)
{
	bool ok = plan_run(p, r->e->ctx.diags, (RunContext){seed, step});
	PlanHow h;
	if (plan_how(p, &h)) {
		say_how(r, &h);
	}
	return ok;
}

bool eval_run(Run *r, Plan *p, uint64_t step)
{
	return eval_run_at(r, p, r->seed, step);
}

double eval_real(const Run *r, Plan *p, uint32_t k, Def output, size_t i)
{
	if (core_def(r->core, output)->kind == KIND_REAL) {
		return plan_real(p, k)[i];
	}
	return (double)plan_int(p, k)[i];
}

Plan *eval_scalar_plan(Run *r, const void *key, unsigned part, Node value)
{
	PlanOutput out = {eval_define(r, "value", value), 0};
	return eval_cached(r, key, part, 1, &out);
}

bool eval_scalar(Run *r, const void *key, unsigned part, Node value, double *result)
{
	Plan *p = eval_scalar_plan(r, key, part, value);
	if (!p || !eval_run(r, p, 0)) {
		return false;
	}
	bool real = core_kind(r->core, value) == KIND_REAL;
	*result = real ? plan_real(p, 0)[0] : (double)plan_int(p, 0)[0];
	return true;
}

bool eval_room(Run *r, Def leaf)
{
	size_t count;
	if (store_has(r->store, leaf) && eval_count(r, leaf, &count) &&
	    store_count(r->store, leaf) == count) {
		return true;
	}
	const DefInfo *info = core_def(r->core, leaf);
	for (uint32_t k = 0; k < info->nindex; k++) {
		if (!plan_axis_sized(r->core, r->e->ctx.diags, info->span,
				     core_index_axis(r->core, info->index[k]))) {
			return false;
		}
	}
	if (store_alloc(r->store, leaf)) {
		return true;
	}
	diag_out_of_memory(r->e->ctx.diags, core_def(r->core, leaf)->span,
			   run_name(r, core_def(r->core, leaf)->name));
	return false;
}

bool eval_count(const Run *r, Def d, size_t *count)
{
	const DefInfo *info = core_def(r->core, d);
	size_t n = 1;
	for (uint32_t k = 0; k < info->nindex; k++) {
		int64_t size =
			core_axis_info(r->core, core_index_axis(r->core, info->index[k]))->size;
		if (size < 0 || __builtin_mul_overflow(n, (size_t)size, &n)) {
			return false;
		}
	}
	*count = n;
	return true;
}
