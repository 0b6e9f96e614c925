/* gen_gemm_aid.c — see gen_gemm_aid.h. */
#include "tests/unit/gen_gemm_aid.h"
#include "lang/arena.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t seed = 1;

int64_t chance(int64_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (int64_t)(seed >> 33) % n;
}

double any_real(void)
{
	return (double)chance(2001) / 997 - 1;
}

/* ---- memory between pages that must not be touched ---- */

static char *guarded(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *map = mmap(NULL, ROOM + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert(map != MAP_FAILED);
	cr_assert_eq(mprotect(map + page, ROOM, PROT_READ | PROT_WRITE), 0);
	return map + page;
}

/* ---- values of either precision ---- */

double get(const void *p, int64_t at, unsigned bytes)
{
	return bytes == 4 ? (double)((const float *)p)[at] : ((const double *)p)[at];
}

void put(void *p, int64_t at, unsigned bytes, double v)
{
	if (bytes == 4) {
		((float *)p)[at] = (float)v;
	} else {
		((double *)p)[at] = v;
	}
}

static double round_to(double v, unsigned bytes)
{
	return bytes == 4 ? (double)(float)v : v;
}

double fused(const Ir *g, double a, double b, double c)
{
	if (g->real_bytes == 4) {
		return g->target.fma ? (double)fmaf((float)a, (float)b, (float)c)
				     : (double)((float)((float)a * (float)b) + (float)c);
	}
	return g->target.fma ? fma(a, b, c) : a * b + c;
}

/* ---- what must come out ---- */

double chain_sum(const Ir *g, const double *x, const double *y, int64_t k)
{
	double s = 0;
	for (int64_t p = 0; p < k; p++) {
		s = fused(g, x[p], y[p], s);
	}
	return s;
}

void lane_add(const Ir *g, const double *x, const double *y, int64_t k, double *lane)
{
	for (int64_t p = 0; p < k; p++) {
		lane[p % g->vl] = fused(g, x[p], y[p], lane[p % g->vl]);
	}
}

double lane_total(const Ir *g, double *lane)
{
	for (unsigned half = g->vl / 2; half; half /= 2) {
		for (unsigned q = 0; q < half; q++) {
			lane[q] = round_to(lane[q] + lane[q + half], g->real_bytes);
		}
	}
	return lane[0];
}

static double lane_sum(const Ir *g, const double *x, const double *y, int64_t k)
{
	double lane[64] = {0};
	lane_add(g, x, y, k, lane);
	return lane_total(g, lane);
}

enum { LONGEST = 20000 };

/* F + alpha*S for one element; lanes: as a dot product. */
double element(const Ir *g, const Gemm *w, char *const *at, int64_t i, int64_t j, int64_t k,
	       bool lanes)
{
	static double x[LONGEST], y[LONGEST];
	unsigned by = g->real_bytes;
	for (int64_t p = 0; p < k; p++) {
		x[p] = get(at[A], i * w->m.a + p * w->k.a, by);
		y[p] = get(at[B], j * w->n.b + p * w->k.b, by);
	}
	double s = lanes ? lane_sum(g, x, y, k) : chain_sum(g, x, y, k);
	if (w->fresh && !w->from.buffer) {
		return round_to(w->alpha * s, by);
	}
	double start = w->fresh ? get(at[F], i * w->m.from + j * w->n.from, by)
				: get(at[C], i * w->m.c + j * w->n.c, by);
	return fused(g, w->alpha, s, start);
}

/* ---- modules ---- */

static void module_begin(Module *m, const char *name, unsigned real_bytes)
{
	char *message = NULL;
	*m = (Module){.target = target_create(name, &message)};
	cr_assert(m->target, "%s", message);
	m->context = LLVMContextCreate();
	ir_begin(&m->gen.ir, m->context, "test", target_ir(m->target), real_bytes);
	m->gen.arena = arena_create();
}

/* Arrays are leaves, or lie in tile memory where a slot of their own says. */
static void buffers(Case *c, bool from)
{
	Access *access[ARRAYS] = {&c->gemm.a, &c->gemm.b, &c->gemm.c, &c->gemm.from};
	for (unsigned q = 0; q < ARRAYS; q++) {
		c->buffer[q] = (Buffer){.id = q, .place = c->tile[q] ? PLACE_TILE : PLACE_LEAF};
		c->slot[q] = (SlotTerm){q, 1};
		*access[q] = (Access){.nslot = c->tile[q], .slot = &c->slot[q]};
		access[q]->buffer = q == F && !from ? NULL : &c->buffer[q];
	}
}

void module_add(Module *m, Case *c, unsigned number, bool from)
{
	Ir *g = &m->gen.ir;
	const Gemm *w = &c->gemm;
	char name[32];
	buffers(c, from);
	snprintf(name, sizeof name, "run_%u", number);
	LLVMTypeRef param[2] = {g->ptr, g->i64};
	LLVMValueRef f = ir_function(g, name, g->nothing, 2, param, false), slot[ARRAYS];
	GenPlace place = {.context = LLVMGetParam(f, 0),
			  .slot = slot,
			  .lanes = LLVMGetParam(f, 1),
			  .partial = true};
	place.width = w->m.tiled ? w->m.size : w->n.tiled ? w->n.size : w->k.size;
	LLVMValueRef slots = gen_context(&m->gen, place.context, CONTEXT_SLOT, g->ptr);
	for (unsigned q = 0; q < ARRAYS; q++) {
		slot[q] = ir_load(g, g->i64, 1, ir_at(g, g->i64, slots, ir_int(g, q)), NULL);
	}
	gen_gemm(&m->gen, &place, w);
	LLVMBuildRetVoid(g->b);
}

void module_run(Module *m, unsigned number, char *const *at, int64_t lanes)
{
	typedef void RunFn(GenContext * context, int64_t lanes);
	const void *const leaf[ARRAYS] = {at[A], at[B], at[C], at[F]};
	int64_t slot[ARRAYS];
	for (unsigned q = 0; q < ARRAYS; q++) {
		slot[q] = ((intptr_t)at[q] - (intptr_t)at[A]) / m->gen.ir.real_bytes;
	}
	GenContext context = {.leaf = leaf, .tile = at[A], .slot = slot};
	((RunFn *)module_find(m, number))(&context, lanes);
}

void *module_find(Module *m, unsigned number)
{
	char name[32], *message = NULL;
	if (!m->code) {
		m->code = jit_compile(m->target, m->gen.ir.mod, NULL, 0, NULL, NULL, &message);
		cr_assert(m->code, "%s", message);
	}
	snprintf(name, sizeof name, "run_%u", number);
	return jit_find(m->code, name);
}

static void module_end(Module *m)
{
	jit_free(m->code);
	ir_end(&m->gen.ir);
	LLVMContextDispose(m->context);
	target_free(m->target);
	arena_free(m->gen.arena);
}

static bool runs_here(const char *name)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
	bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
	bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
		    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
	return !strcmp(name, "x86-64") || (avx2 && !strcmp(name, "avx2")) ||
	       (wide && !strcmp(name, "avx512"));
#else
	return !strcmp(name, "host");
#endif
}

void everywhere(TestFn *test)
{
	static const char *const NAME[] = {"avx512", "avx2", "x86-64", "host"};
	char *memory[ARRAYS];
	for (unsigned q = 0; q < ARRAYS; q++) {
		memory[q] = guarded();
	}
	for (unsigned t = 0; t < 4; t++) {
		for (unsigned bytes = 4; bytes <= 8 && runs_here(NAME[t]); bytes += 4) {
			Module m;
			module_begin(&m, NAME[t], bytes);
			test(&m, memory);
			module_end(&m);
		}
	}
}
