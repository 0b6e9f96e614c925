/* exec.c — compiled plans: machine code made at the first run, memory laid out as the plan says,
 * blocks of tile loops shared by threads. */
#include "compiler/exec.h"
#include "compiler/gen.h"
#include "compiler/matrix_run.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef int32_t PartFn(GenContext *context);
typedef void BlockFn(GenContext *context, int64_t block);
typedef void JoinFn(GenContext *context);

typedef struct CodeWorker {
	GenContext context;
	uint64_t order; /* block in which the fault of the context happened */
} CodeWorker;

struct Compiled {
	Plan *plan;
	void *fixed, *global, *block;
	int64_t *slot;
	const void **leaf;
	uint32_t nworker;
	CodeWorker *worker;
	/* after compiling */
	JitCode *code;
	PartFn *part[2]; /* repeated, fixed */
	BlockFn **run_block;
	JoinFn **join;
	int64_t nfault;
	GenFault *fault;
	PlanHow how;
	Failure failed; /* of an operation on a whole array */
};

/* ---- memory ---- */

static void *words(size_t n)
{
	size_t bytes = (n * 8 + 128) / 64 * 64; /* whole vectors at the end of a buffer */
	void *m = n > SIZE_MAX / 16 ? NULL : aligned_alloc(64, bytes);
	if (m) {
		memset(m, 0, bytes);
	}
	return m;
}

static void run_tiles(GenContext *context, int64_t loop);
static void run_matrix(GenContext *context, int64_t number, const void *in, void *a, void *b, void *c);

bool compiled_create(Plan *p)
{
	Compiled *x = calloc(1, sizeof *x);
	if (!x) {
		return false;
	}
	p->code = x;
	x->plan = p;
	x->fixed = words(p->place_count[PLACE_STATIC]);
	x->global = words(p->place_count[PLACE_GLOBAL]);
	x->block = words(p->place_count[PLACE_BLOCK]);
	x->slot = calloc(p->nslot + 1, sizeof *x->slot);
	x->leaf = calloc(p->nbuffer + 1, sizeof *x->leaf);
	x->worker = calloc(p->threads, sizeof *x->worker);
	bool good = x->fixed && x->global && x->block && x->slot && x->leaf && x->worker;
	for (uint32_t k = 0; good && k < p->threads; k++) {
		GenContext *c = &x->worker[k].context;
		*c = (GenContext){.leaf = x->leaf,
				  .fixed = x->fixed,
				  .global = x->global,
				  .tile = words(p->place_count[PLACE_TILE]),
				  .block = x->block,
				  .slot = x->slot,
				  .tiles = run_tiles,
				  .exec = x,
				  .matrix = run_matrix};
		x->nworker = k + 1;
		good = c->tile != NULL;
	}
	return good;
}

void compiled_free(Plan *p)
{
	Compiled *x = p->code;
	if (!x) {
		return;
	}
	for (uint32_t k = 0; k < x->nworker; k++) {
		free(x->worker[k].context.tile);
	}
	jit_free(x->code);
	free(x->run_block);
	free(x->join);
	free(x->fault);
	free(x->worker);
	free(x->leaf);
	free(x->slot);
	free(x->fixed);
	free(x->global);
	free(x->block);
	free(x);
	p->code = NULL;
}

/* ---- compiling ---- */

static double clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* Functions of the module by name; false if one is missing. */
static bool find_functions(Compiled *x, Arena *scratch)
{
	const Plan *p = x->plan;
	x->run_block = calloc(p->ntile + 1, sizeof *x->run_block);
	x->join = calloc(p->ntile + 1, sizeof *x->join);
	if (!x->run_block || !x->join) {
		return false;
	}
	x->part[0] = (PartFn *)jit_find(x->code, "pnn_body");
	x->part[1] = (PartFn *)jit_find(x->code, "pnn_fixed");
	bool found = x->part[0] && x->part[1];
	for (uint32_t t = 0; found && t < p->ntile; t++) {
		x->run_block[t] =
			(BlockFn *)jit_find(x->code, arena_printf(scratch, "pnn_block_%u", t));
		x->join[t] = (JoinFn *)jit_find(x->code, arena_printf(scratch, "pnn_join_%u", t));
		found = x->run_block[t] && x->join[t];
	}
	return found;
}

static bool make_code(Compiled *x, Arena *scratch, const Target *target, LLVMContextRef context,
		      char **message)
{
	Plan *p = x->plan;
	Gen g = {.plan = p, .arena = scratch};
	ir_begin(&g.ir, context, "plan", target_ir(target), p->real_bytes);
	target_prepare(target, g.ir.mod);
	bool good = gen_plan(&g, p);
	ir_end(&g.ir);
	JitOptions options = {machine_cache(p->machine)};
	JitStats stats = {0};
	if (good) {
		x->code = jit_compile(target, g.ir.mod, &options, 0, NULL, &stats, message);
	}
	LLVMDisposeModule(g.ir.mod);
	x->how.cached = stats.cached;
	x->how.instructions = stats.instructions;
	x->nfault = g.nfault;
	x->fault = calloc(g.nfault + 1, sizeof *x->fault);
	if (x->fault && g.nfault) {
		memcpy(x->fault, g.fault, g.nfault * sizeof *x->fault);
	}
	return x->code && x->fault && find_functions(x, scratch);
}

bool compiled_prepare(Plan *p, Diags *ds)
{
	Compiled *x = p->code;
	if (x->code) {
		return true;
	}
	double begin = clock_ms();
	char *message = NULL;
	Span at = p->noutput ? core_def(p->core, p->output[0].value)->span : (Span){0};
	const Target *target = machine_target(p->machine, &message);
	Arena *scratch = arena_create_like(p->arena);
	LLVMContextRef context = target ? LLVMContextCreate() : NULL;
	bool good = scratch && context && make_code(x, scratch, target, context, &message);
	if (context) {
		LLVMContextDispose(context);
	}
	arena_free(scratch);
	if (!good) {
		if (message) {
			diag_internal(ds, at, message);
		} else {
			diag_out_of_memory(ds, at, "compiling");
		}
		free(message);
		jit_free(x->code);
		x->code = NULL;
	}
	x->how.compiled = true;
	x->how.compile_ms = clock_ms() - begin;
	return good;
}

/* ---- tile loops ---- */

typedef struct Shared {
	Compiled *exec;
	int64_t loop;
} Shared;

static bool shared_block(void *data, uint32_t worker, uint32_t b)
{
	const Shared *s = data;
	CodeWorker *w = &s->exec->worker[worker];
	s->exec->run_block[s->loop](&w->context, b);
	w->order = b;
	return w->context.fault == 0;
}

/* Faults of the threads: that of the first block counts, unless there was one before the loop. */
static void run_shared(Compiled *x, Pool *pool, int64_t loop)
{
	Shared s = {x, loop};
	CodeWorker *own = &x->worker[0];
	int64_t fault = own->context.fault, value = own->context.fault_value;
	for (uint32_t k = 0; k < x->nworker; k++) {
		x->worker[k].context.fault = 0;
		x->worker[k].order = UINT64_MAX;
	}
	pool_run(pool, x->plan->tile[loop]->nblock, shared_block, &s);
	uint64_t first = UINT64_MAX;
	for (uint32_t k = 0; k < x->nworker && !fault; k++) {
		const CodeWorker *w = &x->worker[k];
		if (w->context.fault && w->order < first) {
			first = w->order;
			own->context.fault_value = w->context.fault_value;
			own->context.fault = w->context.fault;
		}
	}
	if (fault) {
		own->context.fault = fault;
		own->context.fault_value = value;
	}
}

static void run_tiles(GenContext *context, int64_t loop)
{
	Compiled *x = context->exec;
	uint32_t nblock = x->plan->tile[loop]->nblock;
	Pool *pool = nblock > 1 ? machine_pool(x->plan->machine) : NULL;
	if (pool) {
		run_shared(x, pool, loop);
	} else {
		for (uint32_t b = 0; b < nblock; b++) {
			x->run_block[loop](context, b);
		}
	}
	x->join[loop](context);
}

/* ---- operations on whole arrays: outside tile loops, by one thread ---- */

static void run_matrix(GenContext *context, int64_t number, const void *in, void *a, void *b, void *c)
{
	Compiled *x = context->exec;
	const MatrixStep *s = x->plan->matrix[number];
	RtError why;
	if (!context->fault && !matrix_run(s, x->plan->real_bytes, in, (void *[]){a, b, c}, &why)) {
		context->fault = (int64_t)x->nfault + 1; /* beyond those of the code */
		x->failed = (Failure){.matrix = s};
		snprintf(x->failed.why, sizeof x->failed.why, "%s", why.text);
	}
}

/* ---- a run ---- */

static const void *leaf_base(const Plan *p, const Buffer *b)
{
	assert(store_count(p->store, b->def) == b->count);
	return b->integer                        ? (const void *)store_int(p->store, b->def)
	       : p->real_bytes == sizeof(double) ? (const void *)store_read(p->store, b->def)
						 : (const void *)store_f32(p->store, b->def);
}

/* Where the leaves are now, and the arrays that receive what is assigned. False if memory is out. */
static bool leaf_bases(Compiled *x)
{
	const Plan *p = x->plan;
	for (uint32_t k = 0; k < p->nbuffer; k++) {
		if (p->buffer[k]->place == PLACE_LEAF) {
			x->leaf[k] = leaf_base(p, p->buffer[k]);
			if (!x->leaf[k]) {
				return false;
			}
		}
	}
	for (uint32_t k = 0; k < p->noutput; k++) {
		const Output *o = &p->output[k];
		if (o->view.buffer->apart) {
			x->leaf[o->view.buffer->id] = o->spare[0];
		}
	}
	return true;
}

bool compiled_run(Plan *p, bool fixed, RunContext context, Failure *failure)
{
	Compiled *x = p->code;
	if (!leaf_bases(x)) {
		return false;
	}
	for (uint32_t k = 0; k < x->nworker; k++) {
		GenContext *c = &x->worker[k].context;
		c->fault = 0;
		c->seed = context.seed;
		c->step = context.step;
	}
	GenContext *own = &x->worker[0].context;
	x->part[fixed](own);
	if (own->fault > x->nfault) {
		*failure = x->failed;
	} else if (own->fault) {
		const GenFault *f = &x->fault[own->fault - 1];
		*failure = (Failure){
			.nest = f->nest, .at = f->at, .value = own->fault_value, .def = f->def};
	}
	return true;
}

void *compiled_output(const Plan *p, const Buffer *b)
{
	const Compiled *x = p->code;
	switch (b->place) {
	case PLACE_STATIC:
		return (uint64_t *)x->fixed + b->offset;
	case PLACE_BLOCK:
		return (uint64_t *)x->block + p->tile[b->tile]->base + b->offset;
	default:
		return (uint64_t *)x->global + b->offset;
	}
}

PlanHow compiled_how(const Plan *p)
{
	return p->code->how;
}
