/* test_gen_gemm.c — compiled contractions for every instruction set this processor has: each
 * element has the bits of its own chain of operations, whatever the shape and place; nothing but
 * the result's elements is written, nothing outside the operands is read. */
#include "compiler/gen_gemm.h"
#include "compiler/jit.h"
#include "compiler/target.h"
#include "lang/arena.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { A, B, C, F, ARRAYS, ROOM = 1 << 19 };

typedef struct Case {
	Gemm gemm;
	Buffer buffer[ARRAYS];
	SlotTerm slot[ARRAYS];
	bool tile[ARRAYS]; /* tile memory */
} Case;

static uint64_t seed = 1;

static int64_t chance(int64_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (int64_t)(seed >> 33) % n;
}

/* ---- memory between pages that must not be touched ---- */

typedef struct Guarded {
	char *map, *room, *at;
	size_t bytes;
} Guarded;

static Guarded guarded(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	Guarded g = {.bytes = ROOM};
	g.map = mmap(NULL, ROOM + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert(g.map != MAP_FAILED);
	g.room = g.map + page;
	cr_assert_eq(mprotect(g.room, ROOM, PROT_READ | PROT_WRITE), 0);
	return g;
}

/* ---- values of either precision ---- */

static double get(const void *p, int64_t at, unsigned bytes)
{
	return bytes == 4 ? (double)((const float *)p)[at] : ((const double *)p)[at];
}

static void put(void *p, int64_t at, unsigned bytes, double v)
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

static double fused(const Ir *g, double a, double b, double c)
{
	if (g->real_bytes == 4) {
		return g->target.fma ? (double)fmaf((float)a, (float)b, (float)c)
				     : (double)((float)((float)a * (float)b) + (float)c);
	}
	return g->target.fma ? fma(a, b, c) : a * b + c;
}

/* ---- what must come out ---- */

typedef struct Sizes {
	int64_t m, n, k;
} Sizes;

static double chain_sum(const Ir *g, const double *x, const double *y, int64_t k)
{
	double s = 0;
	for (int64_t p = 0; p < k; p++) {
		s = fused(g, x[p], y[p], s);
	}
	return s;
}

static double lane_sum(const Ir *g, const double *x, const double *y, int64_t k)
{
	double lane[64] = {0};
	for (int64_t p = 0; p < k; p++) {
		lane[p % g->vl] = fused(g, x[p], y[p], lane[p % g->vl]);
	}
	for (unsigned half = g->vl / 2; half; half /= 2) {
		for (unsigned q = 0; q < half; q++) {
			lane[q] = round_to(lane[q] + lane[q + half], g->real_bytes);
		}
	}
	return lane[0];
}

/* F + alpha*S for one element; lanes: as a dot product. */
static double element(const Ir *g, const Gemm *w, char *const *at, int64_t i, int64_t j, int64_t k,
		      bool lanes)
{
	double x[512], y[512];
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

/* ---- one case ---- */

static int64_t span(const GemmDim *m, const GemmDim *n, int64_t sm, int64_t sn)
{
	return (m ? m->size - 1 : 0) * sm + (n ? n->size - 1 : 0) * sn + 1;
}

/* Elements of each array from its first to its last one. In a tile the last row is whole. */
static void spans(const Case *c, int64_t *n)
{
	const Gemm *w = &c->gemm;
	n[A] = span(&w->m, &w->k, w->m.a, w->k.a);
	n[B] = span(&w->n, &w->k, w->n.b, w->k.b);
	n[C] = span(&w->m, &w->n, w->m.c, w->n.c);
	n[F] = span(&w->m, &w->n, w->m.from, w->n.from);
}

typedef void RunFn(GenContext *context, int64_t lanes);

/* A and B: random, between them (and past the tile's records) NaN. */
static void fill(const Case *c, Sizes now, char *const *at, unsigned by, const int64_t *n)
{
	const Gemm *w = &c->gemm;
	for (unsigned q = 0; q < ARRAYS; q++) {
		for (int64_t p = 0; p < n[q]; p++) {
			put(at[q], p, by, NAN);
		}
	}
	for (int64_t p = 0; p < now.k; p++) {
		for (int64_t i = 0; i < now.m; i++) {
			put(at[A], i * w->m.a + p * w->k.a, by, (double)chance(2001) / 999 - 1);
		}
		for (int64_t j = 0; j < now.n; j++) {
			put(at[B], j * w->n.b + p * w->k.b, by, (double)chance(2001) / 997 - 1);
		}
	}
	for (int64_t i = 0; i < now.m; i++) {
		for (int64_t j = 0; j < now.n; j++) {
			put(at[F], i * w->m.from + j * w->n.from, by,
			    (double)chance(2001) / 997 - 1);
			put(at[C], i * w->m.c + j * w->n.c, by, (double)chance(2001) / 997 - 1);
		}
	}
}

/* The result as it must be, into `want` (which holds C as it was). */
static void expect(const Ir *g, const Case *c, Sizes now, char *const *at, bool lanes, char *want)
{
	const Gemm *w = &c->gemm;
	for (int64_t i = 0; i < now.m; i++) {
		for (int64_t j = 0; j < now.n; j++) {
			double v = element(g, w, at, i, j, now.k, lanes);
			put(want, i * w->m.c + j * w->n.c, g->real_bytes, v);
		}
	}
}

/* Bit for bit; in tiles, the present records alone: past them anything may be written. */
static bool same(const Case *c, Sizes now, const char *x, const char *y, unsigned by, size_t bytes)
{
	const Gemm *w = &c->gemm;
	bool good = c->tile[C] || memcmp(x, y, bytes) == 0;
	for (int64_t i = 0; i < now.m && c->tile[C]; i++) {
		int64_t row = i * w->m.c * by;
		good &= memcmp(x + row, y + row, (size_t)now.n * by) == 0;
	}
	return good;
}

/* *lanes: how sums are made, as by_chain or by_lanes; UNKNOWN: either, and that is told. */
enum { BY_CHAIN, BY_LANES, UNKNOWN };
static void check(const Ir *g, const Case *c, RunFn *run, Sizes now, unsigned *lanes, bool at_end,
		  Guarded *memory)
{
	static char want[2][ROOM];
	const Gemm *w = &c->gemm;
	unsigned by = g->real_bytes;
	int64_t n[ARRAYS];
	char *at[ARRAYS];
	spans(c, n);
	for (unsigned q = 0; q < ARRAYS; q++) {
		size_t bytes = (size_t)n[q] * by;
		cr_assert(bytes <= ROOM);
		at[q] = memory[q].room + (at_end ? ROOM - bytes : 0);
	}
	fill(c, now, at, by, n);
	size_t bytes = (size_t)n[C] * by;
	for (unsigned form = 0; form < 2; form++) {
		memcpy(want[form], at[C], bytes);
		expect(g, c, now, at, form, want[form]);
	}
	const void *const leaf[ARRAYS] = {at[A], at[B], at[C], at[F]};
	int64_t slot[ARRAYS]; /* where arrays of tile memory lie */
	for (unsigned q = 0; q < ARRAYS; q++) {
		slot[q] = (at[q] - memory[A].room) / by;
	}
	GenContext context = {.leaf = leaf, .tile = memory[A].room, .slot = slot};
	run(&context, w->m.tiled ? now.m : w->n.tiled ? now.n : now.k);
	bool chain = same(c, now, want[0], at[C], by, bytes),
	     lane = same(c, now, want[1], at[C], by, bytes);
	cr_assert(*lanes == UNKNOWN    ? chain || lane
		  : *lanes == BY_LANES ? lane
				       : chain,
		  "form %d pack %d, %u bytes, vectors of %u: m %ld n %ld k %ld", w->form, w->pack,
		  by, g->target.vector_bytes, (long)now.m, (long)now.n, (long)now.k);
	*lanes = chain && lane ? *lanes : lane ? BY_LANES : BY_CHAIN;
}

/* ---- cases ---- */

static void buffers(Case *c, bool from)
{
	Access *access[ARRAYS] = {&c->gemm.a, &c->gemm.b, &c->gemm.c, &c->gemm.from};
	for (unsigned q = 0; q < ARRAYS; q++) {
		c->buffer[q] = (Buffer){.id = q, .place = c->tile[q] ? PLACE_TILE : PLACE_LEAF};
		access[q]->nslot = c->tile[q];
		access[q]->slot = &c->slot[q];
		c->slot[q] = (SlotTerm){q, 1};
		access[q]->buffer = q == F && !from ? NULL : &c->buffer[q];
	}
}

/* from: 0 none, 1 C itself, 2 rows of F, 3 one value of F for a row */
static void starts(Case *c, unsigned from)
{
	Gemm *g = &c->gemm;
	g->fresh = from != 1;
	g->m.from = from == 3 ? 2 : c->tile[F] ? g->m.c : g->m.c + 1;
	g->n.from = from == 3 ? 0 : g->n.c;
	g->alpha = chance(2) ? 1 : -0.75;
}

static Case panel_case(int64_t m, int64_t n, int64_t k, bool turned, bool pack)
{
	Case c = {.gemm = {.form = GEMM_PANEL, .pack = pack}};
	Gemm *g = &c.gemm;
	g->m = (GemmDim){.size = m, .a = turned ? 1 : k + 3, .c = n + 1};
	g->k = (GemmDim){.size = k, .a = turned ? m + 2 : 1, .b = n + 2};
	g->n = (GemmDim){.size = n, .b = 1, .c = 1};
	if (pack) {
		bool apart = chance(3) == 0;
		g->k.b = apart ? 2 : 1;
		g->n.b = g->k.b * k + 1;
	}
	return c;
}

static Case dot_case(int64_t m, int64_t n, int64_t k, bool apart)
{
	Case c = {.gemm = {.form = GEMM_DOT}};
	Gemm *g = &c.gemm;
	g->m = (GemmDim){.size = m, .a = k + 3, .c = apart ? 2 : n + 1};
	g->k = (GemmDim){.size = k, .a = 1, .b = 1};
	g->n = (GemmDim){.size = n, .b = k + 1, .c = apart ? 2 * m + 1 : 1};
	return c;
}

/* ---- modules ---- */

typedef struct Module {
	Target *target;
	LLVMContextRef context;
	Gen gen;
	JitCode *code;
} Module;

static bool module_begin(Module *m, const char *name, unsigned real_bytes)
{
	char *message = NULL;
	*m = (Module){.target = target_create(name, &message)};
	cr_assert(m->target, "%s", message);
	m->context = LLVMContextCreate();
	ir_begin(&m->gen.ir, m->context, "test", target_ir(m->target), real_bytes);
	m->gen.arena = arena_create();
	return true;
}

static void module_add(Module *m, const Case *c, unsigned number, const char *dim)
{
	Ir *g = &m->gen.ir;
	char name[32];
	snprintf(name, sizeof name, "run_%u", number);
	LLVMValueRef f =
		ir_function(g, name, g->nothing, 2, (LLVMTypeRef[]){g->ptr, g->i64}, false);
	int64_t width = *dim == 'm'   ? c->gemm.m.size
			: *dim == 'n' ? c->gemm.n.size
				      : c->gemm.k.size;
	LLVMValueRef context = LLVMGetParam(f, 0), slot[ARRAYS];
	LLVMValueRef slots = gen_context(&m->gen, context, CONTEXT_SLOT, g->ptr);
	for (unsigned q = 0; q < ARRAYS; q++) {
		slot[q] = ir_load(g, g->i64, 1, ir_at(g, g->i64, slots, ir_int(g, q)), NULL);
	}
	GenPlace w = {.context = context,
		      .slot = slot,
		      .lanes = LLVMGetParam(f, 1),
		      .partial = true,
		      .width = width};
	gen_gemm(&m->gen, &w, &c->gemm);
	LLVMBuildRetVoid(g->b);
}

static RunFn *module_find(Module *m, unsigned number)
{
	char name[32], *message = NULL;
	if (!m->code) {
		m->code = jit_compile(m->target, m->gen.ir.mod, NULL, 0, NULL, NULL, &message);
		cr_assert(m->code, "%s", message);
	}
	snprintf(name, sizeof name, "run_%u", number);
	return (RunFn *)(uintptr_t)jit_find(m->code, name);
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

typedef void TestFn(Module *m, Guarded *memory);

static void everywhere(TestFn *test)
{
	static const char *const NAME[] = {"avx512", "avx2", "x86-64", "host"};
	Guarded memory[ARRAYS];
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

enum { CASES = 160 };
static Case cases[CASES];

static unsigned form_of(const Gemm *w)
{
	return w->form == GEMM_DOT ? BY_LANES : w->pack ? UNKNOWN : BY_CHAIN;
}

static void run_all(Module *m, Guarded *memory, unsigned n)
{
	for (unsigned q = 0; q < n; q++) {
		const Gemm *w = &cases[q].gemm;
		RunFn *run = module_find(m, q);
		unsigned lanes = form_of(w);
		for (unsigned end = 0; end < 2; end++) {
			check(&m->gen.ir, &cases[q], run, (Sizes){w->m.size, w->n.size, w->k.size},
			      &lanes, end, memory);
		}
	}
}

static void add(Module *m, unsigned *n, Case c, unsigned from, const char *dim)
{
	starts(&c, from);
	cases[*n] = c;
	buffers(&cases[*n], from != 0);
	module_add(m, &cases[*n], *n, dim);
	++*n;
}

/* All widths; starts, strides and the summed length as they come. */
static void panels(Module *m, Guarded *memory)
{
	unsigned n = 0;
	for (int64_t w = 1; w <= 33; w++) {
		add(m, &n, panel_case(1 + chance(33), w, 1 + chance(20), chance(2), false),
		    (unsigned)chance(4), "");
		add(m, &n, panel_case(w, 1 + chance(70), 1 + chance(20), chance(2), false),
		    (unsigned)chance(4), "");
	}
	run_all(m, memory, n);
}

Test(gen_gemm, panels_known)
{
	everywhere(panels);
}

static void packed(Module *m, Guarded *memory)
{
	unsigned n = 0;
	for (int64_t w = 1; w <= 33; w++) {
		unsigned from = (unsigned)chance(4);
		add(m, &n, panel_case(1 + chance(20), w, 1 + chance(40), chance(2), true), from,
		    "");
		add(m, &n, panel_case(1 + chance(20), 1 + chance(70), w, false, true), from, "");
	}
	add(m, &n, panel_case(20, 20, 256, false, true), 1, "");
	run_all(m, memory, n);
}

Test(gen_gemm, packed_known)
{
	everywhere(packed);
}

static void dots(Module *m, Guarded *memory)
{
	unsigned n = 0;
	for (int64_t w = 1; w <= 33; w++) {
		for (unsigned q = 0; q < 3; q++) {
			int64_t size[3] = {1 + chance(33), 1 + chance(33), 1 + chance(40)};
			size[q] = w;
			add(m, &n, dot_case(size[0], size[1], size[2], chance(4) == 0),
			    (unsigned)chance(4), "");
		}
	}
	add(m, &n, dot_case(16, 16, 64, false), 1, "");
	run_all(m, memory, n);
}

Test(gen_gemm, dots_known)
{
	everywhere(dots);
}

/* ---- records of a tile ---- */

/* Tiles of every length, of one case each time: rows, columns or the summed index are records. */
static void run_tiles(Module *m, Guarded *memory, unsigned n, const char *dims, int64_t width)
{
	for (unsigned q = 0; q < n; q++) {
		const Gemm *w = &cases[q].gemm;
		RunFn *run = module_find(m, q);
		unsigned lanes = form_of(w);
		for (int64_t r = 1; r <= width; r += r < 40 ? 1 : 5) {
			Sizes now = {dims[q] == 'm' ? r : w->m.size, dims[q] == 'n' ? r : w->n.size,
				     dims[q] == 'k' ? r : w->k.size};
			check(&m->gen.ir, &cases[q], run, now, &lanes, r % 2, memory);
		}
	}
}

static void records(Module *m, Guarded *memory)
{
	enum { WIDTH = 70, FORMS = 6 };
	static char dims[CASES];
	unsigned n = 0;
	for (unsigned q = 0; q < 4 * FORMS; q++) {
		const char *dim = q % 3 == 0 ? "m" : q % 3 == 1 ? "n" : "k";
		int64_t sm = *dim == 'm' ? WIDTH : 1 + chance(20),
			sn = *dim == 'n' ? WIDTH : 1 + chance(20);
		int64_t sk = *dim == 'k' ? WIDTH : 1 + chance(30);
		unsigned form = q / 3 % 4;
		Case c = form == 3 ? dot_case(sm, sn, sk, chance(2))
				   : panel_case(sm, sn, sk, chance(2) && form == 1, form == 2);
		c.gemm.m.tiled = *dim == 'm';
		c.gemm.n.tiled = *dim == 'n';
		c.gemm.k.tiled = *dim == 'k';
		dims[n] = *dim;
		add(m, &n, c, (unsigned)chance(4), dim);
	}
	run_tiles(m, memory, n, dims, WIDTH);
}

/* Rows of tile memory are whole vectors; what lies past the records (NaN) has no effect. */
static void tile_rows(Module *m, Guarded *memory)
{
	enum { WIDTH = 96, TILED = 12 };
	static char dims[CASES];
	unsigned n = 0;
	for (unsigned q = 0; q < TILED; q++) {
		Case c = panel_case(1 + chance(33), WIDTH, 1 + chance(30), q % 2, false);
		c.gemm.n.tiled = c.tile[B] = c.tile[C] = c.tile[F] = true;
		c.gemm.m.c = c.gemm.k.b = WIDTH;
		dims[n] = 'n';
		add(m, &n, c, q % 4, "n");
	}
	for (unsigned q = 0; q < TILED; q++) { /* both sides hold records along the summed index */
		int64_t sm = 1 + chance(33), sn = 1 + chance(33);
		Case c = panel_case(sm, sn, WIDTH, false, true);
		c.gemm.k.tiled = c.tile[A] = c.tile[B] = true;
		c.gemm.k.b = c.gemm.k.a = 1;
		c.gemm.n.b = c.gemm.m.a = WIDTH;
		dims[n] = 'k';
		add(m, &n, c, q % 4, "k");
	}
	run_tiles(m, memory, n, dims, WIDTH);
}

Test(gen_gemm, tile_rows)
{
	everywhere(tile_rows);
}

Test(gen_gemm, records)
{
	everywhere(records);
}
