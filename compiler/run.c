/* run.c — the life of a run: made, prepared, executed statement by statement, finished. */
#include "compiler/run.h"
#include "compiler/checkpoint.h"
#include "compiler/data_load.h"
#include "compiler/exec.h"
#include "compiler/run_int.h"
#include "compiler/weights.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What happens to the cache of compiled code is nobody's concern but his who asks. */
static void say_cache(void *data, const char *text)
{
	const Run *r = data;
	if (r->e->options.verbose) {
		fprintf(r->e->options.error, "note: %s\n", text);
	}
}

/* What does not fit the machine is refused before it is tried. */
static Store *new_store(const Run *r)
{
	Store *s = store_create(r->core);
	if (s) {
		store_limit(s, machine_memory());
	}
	return s;
}

Run *run_create(Engine *e)
{
	Run *r = calloc(1, sizeof *r);
	if (!r) {
		return NULL;
	}
	r->e = e;
	r->program = e->program;
	r->core = e->program->core;
	r->seed = e->options.seed;
	r->runs = 1;
	r->store = new_store(r);
	r->machine = machine_create(e->options.threads);
	if (!r->store || !r->machine) {
		store_free(r->store);
		machine_free(r->machine);
		free(r);
		return NULL;
	}
	machine_set_target(r->machine, e->options.cpu);
	if (!e->options.no_cache) {
		CacheOptions o = {.version = PNNC_VERSION, .note = say_cache, .data = r};
		machine_set_cache(r->machine, &o);
	}
	return r;
}

void run_free(Run *r)
{
	if (!r) {
		return;
	}
	eval_forget(r);
	free(r->plan);
	record_free(r);
	data_free(r);
	checkpoint_free(r);
	metrics_finish(r->metrics, NULL);
	store_free(r->store);
	machine_free(r->machine);
	free(r);
}

Store *run_store(Run *r)
{
	return r->store;
}

const char *run_name(const Run *r, Sym s)
{
	return intern_text(core_names(r->core), s);
}

bool run_interrupted(const Run *r)
{
	return r->e->options.interrupted && *r->e->options.interrupted;
}

const char *run_reason(const RtError *err)
{
	static const char said[] = "cannot write: ";
	size_t n = sizeof said - 1;
	return strncmp(err->text, said, n) == 0 ? err->text + n : err->text;
}

void run_rt_error(Run *r, Span at, const RtError *err)
{
	Diags *ds = r->e->ctx.diags;
	switch (err->status) {
	case RT_E_WRITE:
		diag_cannot_write(ds, at, err->path, run_reason(err));
		break;
	case RT_E_MEMORY:
		diag_out_of_memory(ds, at, err->path[0] ? err->path : err->text);
		break;
	default:
		if (err->where[0]) {
			diag_data_value(ds, at, err->path, err->where, err->text);
		} else {
			diag_data_file(ds, at, err->path, err->text);
		}
	}
}

/* The leaves that expressions may read inside a training have room from the start. */
static bool prepare_leaves(Run *r)
{
	const Program *p = r->program;
	const Def leaf[] = {p->step, p->epoch, p->grad_norm, p->change, p->loss_value};
	for (size_t k = 0; k < sizeof leaf / sizeof *leaf; k++) {
		if (leaf[k] && !store_has(r->store, leaf[k]) && !store_alloc(r->store, leaf[k])) {
			diag_out_of_memory(r->e->ctx.diags, (Span){0}, "the program's variables");
			return false;
		}
	}
	return true;
}

bool run_prepare(Run *r)
{
	return prepare_leaves(r) && data_prepare(r) && params_prepare(r);
}

void run_forget(Run *r)
{
	eval_forget(r);
	record_free(r);
	data_free(r);
	r->executed = 0;
	r->claims = r->claims_failed = 0;
	r->stop = false;
	store_free(r->store);
	r->store = new_store(r);
	if (!r->store) {
		diag_out_of_memory(r->e->ctx.diags, (Span){0}, "the values of the program");
		r->store = new_store(r);
		assert(r->store);
	}
}

static bool open_metrics(Run *r)
{
	const char *path = r->e->options.metrics;
	if (!path || r->metrics) {
		return true;
	}
	RtError err;
	if (metrics_open(path, checkpoint_continues(r), &r->metrics, &err) != RT_OK) {
		diag_cannot_write(r->e->ctx.diags, (Span){0}, path, run_reason(&err));
		return false;
	}
	return true;
}

void run_event_end(Run *r)
{
	RtError err;
	if (metrics_end(r->metrics, &err) != RT_OK && !r->metrics_failed) {
		r->metrics_failed = true;
		diag_cannot_write(r->e->ctx.diags, (Span){0}, r->e->options.metrics,
				  run_reason(&err));
	}
}

int run_program(Run *r)
{
	/* At the prompt statements come one by one, each with its plan. */
	bool ok = run_prepare(r) && (r->e->options.embedded_values || run_compile(r)) &&
		  checkpoint_open(r) && open_metrics(r);
	if (ok) {
		Block all = {r->program->nstmt, r->program->stmt};
		r->stop = false;
		r->depth = 0;
		r->frame[0].stmt = r->executed;
		run_block(r, &all);
		/* After a mistake the rest is abandoned: the prompt goes on with what is typed
		 * next. */
		r->executed = r->program->nstmt;
	} else {
		r->stop = true;
	}
	if (r->interrupted && r->e->options.out_dir && !r->checkpoint) {
		const char *path = engine_out_path(r->e, "interrupted.safetensors");
		weights_save(r, (Span){0}, path, r->program->nparam, r->program->param);
	}
	int code = engine_flush(r->e);
	return r->interrupted ? engine_worse(code, 130) : code;
}

void run_finish(Run *r)
{
	record_finish(r);
	if (r->metrics) {
		RtError err;
		if (metrics_finish(r->metrics, &err) != RT_OK && !r->metrics_failed) {
			diag_cannot_write(r->e->ctx.diags, (Span){0}, r->e->options.metrics,
					  run_reason(&err));
		}
		r->metrics = NULL;
	}
	engine_flush(r->e);
}

bool run_show(Run *r, const Value *v, FILE *out)
{
	return value_print(r, NULL, 1, v, out);
}
