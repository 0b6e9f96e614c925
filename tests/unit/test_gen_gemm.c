/* test_gen_gemm.c — compiled contractions for every instruction set this processor has: each
 * element has the bits of its own chain of operations, whatever the shape and place; nothing but
 * the result's elements is written, nothing outside the operands is read. */
#include "tests/unit/gen_gemm_aid.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

typedef struct Sizes {
	int64_t m, n, k;
} Sizes;

enum { CASES = 160 };
static Case cases[CASES];

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
			put(at[A], i * w->m.a + p * w->k.a, by, any_real());
		}
		for (int64_t j = 0; j < now.n; j++) {
			put(at[B], j * w->n.b + p * w->k.b, by, any_real());
		}
	}
	for (int64_t i = 0; i < now.m; i++) {
		for (int64_t j = 0; j < now.n; j++) {
			put(at[F], i * w->m.from + j * w->n.from, by, any_real());
			put(at[C], i * w->m.c + j * w->n.c, by, any_real());
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
static void check(Module *m, unsigned number, Sizes now, unsigned *lanes, bool at_end,
		  char *const *memory)
{
	static char want[2][ROOM];
	const Ir *g = &m->gen.ir;
	const Case *c = &cases[number];
	const Gemm *w = &c->gemm;
	unsigned by = g->real_bytes;
	int64_t n[ARRAYS];
	char *at[ARRAYS];
	spans(c, n);
	for (unsigned q = 0; q < ARRAYS; q++) {
		size_t bytes = (size_t)n[q] * by;
		cr_assert(bytes <= ROOM);
		at[q] = memory[q] + (at_end ? ROOM - bytes : 0);
	}
	fill(c, now, at, by, n);
	size_t bytes = (size_t)n[C] * by;
	for (unsigned form = 0; form < 2; form++) {
		memcpy(want[form], at[C], bytes);
		expect(g, c, now, at, form, want[form]);
	}
	module_run(m, number, at, w->m.tiled ? now.m : w->n.tiled ? now.n : now.k);
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

static unsigned form_of(const Gemm *w)
{
	return w->form == GEMM_DOT ? BY_LANES : w->pack ? UNKNOWN : BY_CHAIN;
}

static void run_all(Module *m, char *const *memory, unsigned n)
{
	for (unsigned q = 0; q < n; q++) {
		const Gemm *w = &cases[q].gemm;
		unsigned lanes = form_of(w);
		for (unsigned end = 0; end < 2; end++) {
			check(m, q, (Sizes){w->m.size, w->n.size, w->k.size}, &lanes, end, memory);
		}
	}
}

static void add(Module *m, unsigned *n, Case c, unsigned from)
{
	starts(&c, from);
	cases[*n] = c;
	module_add(m, &cases[*n], *n, from != 0);
	++*n;
}

/* All widths; starts, strides and the summed length as they come. */
static void panels(Module *m, char *const *memory)
{
	unsigned n = 0;
	for (int64_t w = 1; w <= 33; w++) {
		add(m, &n, panel_case(1 + chance(33), w, 1 + chance(20), chance(2), false),
		    (unsigned)chance(4));
		add(m, &n, panel_case(w, 1 + chance(70), 1 + chance(20), chance(2), false),
		    (unsigned)chance(4));
	}
	run_all(m, memory, n);
}

Test(gen_gemm, panels_known)
{
	everywhere(panels);
}

static void packed(Module *m, char *const *memory)
{
	unsigned n = 0;
	for (int64_t w = 1; w <= 33; w++) {
		unsigned from = (unsigned)chance(4);
		add(m, &n, panel_case(1 + chance(20), w, 1 + chance(40), chance(2), true), from);
		add(m, &n, panel_case(1 + chance(20), 1 + chance(70), w, false, true), from);
	}
	add(m, &n, panel_case(20, 20, 256, false, true), 1);
	for (int64_t k = 3000; k <= 17000; k += 14000) { /* large panels, and too large ones */
		Case c = panel_case(1, 2, k, true, true);
		c.gemm.k.b = 1;
		c.gemm.n.b = k + 1;
		add(m, &n, c, 1);
	}
	run_all(m, memory, n);
}

Test(gen_gemm, packed_known)
{
	everywhere(packed);
}

static void dots(Module *m, char *const *memory)
{
	unsigned n = 0;
	for (int64_t w = 1; w <= 33; w++) {
		for (unsigned q = 0; q < 3; q++) {
			int64_t size[3] = {1 + chance(33), 1 + chance(33), 1 + chance(40)};
			size[q] = w;
			add(m, &n, dot_case(size[0], size[1], size[2], chance(4) == 0),
			    (unsigned)chance(4));
		}
	}
	add(m, &n, dot_case(16, 16, 64, false), 1);
	run_all(m, memory, n);
}

Test(gen_gemm, dots_known)
{
	everywhere(dots);
}

/* ---- records of a tile ---- */

/* Tiles of every length, of one case each time: rows, columns or the summed index are records. */
static void run_tiles(Module *m, char *const *memory, unsigned n, int64_t width)
{
	for (unsigned q = 0; q < n; q++) {
		const Gemm *w = &cases[q].gemm;
		unsigned lanes = form_of(w);
		for (int64_t r = 1; r <= width; r += r < 40 ? 1 : 5) {
			Sizes now = {w->m.tiled ? r : w->m.size, w->n.tiled ? r : w->n.size,
				     w->k.tiled ? r : w->k.size};
			check(m, q, now, &lanes, r % 2, memory);
		}
	}
}

static void records(Module *m, char *const *memory)
{
	enum { WIDTH = 70, FORMS = 6 };
	unsigned n = 0;
	for (unsigned q = 0; q < 4 * FORMS; q++) {
		bool rows = q % 3 == 0, columns = q % 3 == 1, sum = q % 3 == 2;
		int64_t sm = rows ? WIDTH : 1 + chance(20), sn = columns ? WIDTH : 1 + chance(20);
		int64_t sk = sum ? WIDTH : 1 + chance(30);
		unsigned form = q / 3 % 4;
		Case c = form == 3 ? dot_case(sm, sn, sk, chance(2))
				   : panel_case(sm, sn, sk, chance(2) && form == 1, form == 2);
		c.gemm.m.tiled = rows;
		c.gemm.n.tiled = columns;
		c.gemm.k.tiled = sum;
		add(m, &n, c, (unsigned)chance(4));
	}
	run_tiles(m, memory, n, WIDTH);
}

/* Rows of tile memory are whole vectors; what lies past the records (NaN) has no effect. */
static void tile_rows(Module *m, char *const *memory)
{
	enum { WIDTH = 96, TILED = 12 };
	unsigned n = 0;
	for (unsigned q = 0; q < TILED; q++) {
		Case c = panel_case(1 + chance(33), WIDTH, 1 + chance(30), q % 2, false);
		c.gemm.n.tiled = c.tile[B] = c.tile[C] = c.tile[F] = true;
		c.gemm.m.c = c.gemm.k.b = WIDTH;
		add(m, &n, c, q % 4);
	}
	for (unsigned q = 0; q < TILED; q++) { /* both sides hold records along the summed index */
		int64_t sm = 1 + chance(33), sn = 1 + chance(33);
		Case c = panel_case(sm, sn, WIDTH, false, true);
		c.gemm.k.tiled = c.tile[A] = c.tile[B] = true;
		c.gemm.k.b = c.gemm.k.a = 1;
		c.gemm.n.b = c.gemm.m.a = WIDTH;
		add(m, &n, c, q % 4);
	}
	run_tiles(m, memory, n, WIDTH);
}

Test(gen_gemm, tile_rows)
{
	everywhere(tile_rows);
}

Test(gen_gemm, records)
{
	everywhere(records);
}
