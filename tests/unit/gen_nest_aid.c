/* gen_nest_aid.c — see gen_nest_aid.h. */
#include "tests/unit/gen_nest_aid.h"
#include "compiler/gen.h"
#include "compiler/interp_int.h"
#include "compiler/jit.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int64_t case_below(Case *c, int64_t n)
{
	c->state = c->state * 6364136223846793005u + 1442695040888963407u;
	return (int64_t)((c->state >> 33) % (uint64_t)n);
}

/* ---- memory ---- */

static size_t element_size(const Case *c, const CaseArray *a, int copy)
{
	return a->buffer.integer || copy == 0 ? 8 : c->real_bytes;
}

/* Elements behind base: the last one that any counter reaches. Tile rows are as long as a tile. */
static int64_t reach(const Case *c, const Access *a)
{
	int64_t n = a->base;
	for (uint32_t d = 0; d < c->nest.ndim; d++) {
		n += a->stride[d] > 0 ? a->stride[d] * (c->dim[d].size - 1) : 0;
	}
	for (uint32_t k = 0; k < a->nslot; k++) {
		n += a->slot[k].coef * c->slot[a->slot[k].slot];
	}
	return n + 1;
}

uint32_t case_array(Case *c, bool integer, bool output, PlaceKind place, const Access *a)
{
	cr_assert(c->narray < CASE_BUFFERS);
	CaseArray *x = &c->array[c->narray];
	int64_t n = reach(c, a);
	if (c->tiled && place == PLACE_LEAF && a->stride[c->nest.ndim - 1] > 0) {
		n -= (c->width - c->lanes) * a->stride[c->nest.ndim - 1]; /* the data end here */
	}
	x->buffer = (Buffer){.id = c->narray, .place = place, .integer = integer};
	x->buffer.count = (size_t)n;
	x->output = output;
	return c->narray++;
}

static void array_map(Case *c, CaseArray *x)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	x->bytes = x->buffer.count * 8;
	x->room = (x->bytes + page - 1) / page * page + page;
	for (int k = 0; k < 2; k++) {
		x->map[k] = mmap(NULL, x->room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
				 0);
		cr_assert(x->map[k] != MAP_FAILED);
		mprotect(x->map[k] + x->room - page, page, PROT_NONE);
		x->at[k] = x->map[k] + x->room - page - x->buffer.count * element_size(c, x, k);
	}
}

void case_fill(Case *c)
{
	for (uint32_t k = 0; k < c->narray; k++) {
		CaseArray *x = &c->array[k];
		array_map(c, x);
		for (size_t i = 0; i < x->buffer.count; i++) {
			int64_t v = case_below(c, 13) - 6;
			double real = (double)v / 4;
			float narrow = (float)real;
			const void *from = x->buffer.integer ? (void *)&v : (void *)&real;
			memcpy(x->at[0] + i * 8, from, 8);
			bool single = !x->buffer.integer && c->real_bytes == 4;
			size_t size = element_size(c, x, 1);
			memcpy(x->at[1] + i * size, single ? (void *)&narrow : from, size);
		}
	}
}

void case_free(Case *c)
{
	for (uint32_t k = 0; k < c->narray; k++) {
		munmap(c->array[k].map[0], c->array[k].room);
		munmap(c->array[k].map[1], c->array[k].room);
	}
	arena_free(c->arena);
}

void case_copy(Case *c)
{
	c->arena = arena_create();
	Arena *a = c->arena;
	Nest *n = &c->nest;
	n->acc = n->acc2 = n->value = n->filter = n->out = OPERAND_NONE;
	n->ndim = 2;
	n->nformal = 1;
	n->dim = c->dim;
	n->strip = 64;
	int64_t features = 1 + case_below(c, 24), apart = features + case_below(c, 3);
	c->tiled = true;
	c->width = 16 * (1 + case_below(c, 3));
	c->lanes = case_below(c, 3) ? 1 + case_below(c, c->width) : c->width;
	c->partial = c->lanes < c->width || case_below(c, 2);
	c->slot[1] = case_below(c, 6);
	c->dim[0] = (Dim){.size = features};
	c->dim[1] = (Dim){.size = c->width, .tiled = true, .slot = 1};
	n->naccess = 2;
	n->access = arena_array(a, Access, 2);
	for (int k = 0; k < 2; k++) {
		Access *x = &n->access[k];
		x->stride = arena_array(a, int64_t, 2);
		x->stride[0] = k ? c->width : 1;
		x->stride[1] = k ? 1 : apart;
		x->nslot = !k;
		x->slot = arena_new(a, SlotTerm);
		*x->slot = (SlotTerm){1, apart};
		x->buffer = &c->array[case_array(c, false, k, k ? PLACE_TILE : PLACE_LEAF, x)].buffer;
	}
	n->ncode = 1;
	n->code = arena_array(a, Instr, 1);
	*n->code = (Instr){.op = VM_LOADS, .dst = 1, .a = 0, .i = apart};
	n->code->b = n->code->c = OPERAND_NONE;
}

/* ---- running ---- */

static const uint64_t SEED = 77, STEP = 5;

static bool run_interpreter(Case *c)
{
	const Nest *n = &c->nest;
	Arena *a = c->arena;
	Plan plan = {.arena = a};
	Worker w = {.plan = &plan};
	size_t ops = n->nreg + n->nuniform + n->naccess + n->nconst;
	w.base = arena_array(a, double *, c->narray);
	for (uint32_t k = 0; k < c->narray; k++) {
		w.base[k] = (double *)(void *)c->array[k].at[0];
	}
	w.reg = arena_array(a, double, n->nreg * n->strip + n->nuniform + 1);
	w.temp = arena_array(a, double, TEMP_LANES);
	w.ptr = arena_array(a, void *, ops + 1);
	w.outer = arena_array(a, double *, n->naccess + 1);
	w.inner = arena_array(a, double *, n->naccess + 1);
	w.count = arena_array(a, int64_t, CASE_DIMS);
	w.label = arena_array(a, int64_t, CASE_DIMS);
	w.lane = arena_array(a, int64_t, n->naccess + 1);
	w.slot = c->slot;
	w.lanes = c->tiled ? c->lanes : 0;
	w.width = c->width;
	w.cx = (VmContext){.seed = SEED, .step = STEP};
	nest_run(&w, n);
	return w.failed.nest != NULL;
}

static LLVMModuleRef module_of(Case *c, LLVMContextRef ctx, const Target *t)
{
	Plan plan = {.arena = c->arena};
	Gen g = {.plan = &plan, .arena = c->arena};
	ir_begin(&g.ir, ctx, "case", target_ir(t), c->real_bytes);
	Ir *r = &g.ir;
	LLVMValueRef fn = ir_function(r, "run", r->nothing, 2, (LLVMTypeRef[]){r->ptr, r->i64}, false);
	LLVMValueRef slot[2], context = LLVMGetParam(fn, 0), table;
	table = gen_context(&g, context, CONTEXT_SLOT, r->ptr);
	for (unsigned k = 0; k < 2; k++) {
		slot[k] = gen_context(&g, table, k, r->i64);
	}
	GenPlace w = {.context = context, .slot = slot};
	if (c->tiled) {
		w.lanes = LLVMGetParam(fn, 1);
		w.partial = c->partial;
		w.width = c->width;
	}
	gen_nest(&g, &w, &c->nest);
	LLVMBuildRetVoid(r->b);
	ir_end(r);
	return r->mod;
}

static bool run_compiled(Case *c, const char *name)
{
	char *message = NULL;
	Target *t = target_create(name, &message);
	cr_assert(t, "%s", message);
	LLVMContextRef ctx = LLVMContextCreate();
	for (uint32_t k = 0; k < c->narray; k++) { /* tile memory begins anywhere */
		ptrdiff_t bytes = c->array[k].at[1] - c->array[0].map[1];
		c->array[k].buffer.offset = (size_t)(bytes / 8);
	}
	LLVMModuleRef m = module_of(c, ctx, t);
	if (getenv("NEST_SHOW")) {
		LLVMDumpModule(m);
	}
	JitCode *code = jit_compile(t, m, NULL, 0, NULL, NULL, &message);
	cr_assert(code, "%s", message);
	const void *leaf[CASE_BUFFERS];
	for (uint32_t k = 0; k < c->narray; k++) {
		leaf[k] = c->array[k].at[1];
	}
	GenContext x = {.leaf = leaf, .slot = c->slot, .seed = SEED, .step = STEP};
	x.tile = c->array[0].map[1];
	void (*run)(GenContext *, int64_t);
	void *at = jit_find(code, "run");
	memcpy(&run, &at, sizeof run);
	run(&x, c->tiled ? c->lanes : 0);
	jit_free(code);
	LLVMDisposeModule(m);
	LLVMContextDispose(ctx);
	target_free(t);
	return x.fault != 0;
}

void case_run(Case *c, const char *target, bool faults[2])
{
	faults[0] = run_interpreter(c);
	faults[1] = run_compiled(c, target);
}

static double real_at(const Case *c, const CaseArray *x, int copy, size_t i)
{
	double v;
	float f;
	if (element_size(c, x, copy) == 4) {
		memcpy(&f, x->at[copy] + i * 4, 4);
		return (double)f;
	}
	memcpy(&v, x->at[copy] + i * 8, 8);
	return v;
}

void case_compare(const Case *c, double tolerance, const char *what)
{
	for (uint32_t k = 0; k < c->narray; k++) {
		const CaseArray *x = &c->array[k];
		for (size_t i = 0; i < x->buffer.count; i++) {
			bool padding = x->buffer.place == PLACE_TILE &&
				       (int64_t)i % c->width >= c->lanes;
			if (padding) {
				continue;
			}
			if (x->buffer.integer) {
				int64_t v[2];
				memcpy(&v[0], x->at[0] + i * 8, 8);
				memcpy(&v[1], x->at[1] + i * 8, 8);
				cr_assert_eq(v[0], v[1], "%s: array %u[%zu]: %lld, compiled %lld", what, k,
					     i, (long long)v[0], (long long)v[1]);
				continue;
			}
			double a = real_at(c, x, 0, i), b = real_at(c, x, 1, i);
			bool same = a == b || (isnan(a) && isnan(b)) ||
				    fabs(a - b) <= tolerance * (1 + fabs(a));
			cr_assert(same, "%s: array %u[%zu]: %.17g, compiled %.17g", what, k, i, a, b);
		}
	}
}
