/* test_gen_gemm_block.c — compiled contractions inside loops, blocks of products and chains of
 * products, as fused regions use them: the bits of each element's own operations. */
#include "tests/unit/gen_gemm_aid.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* ---- dimensions around the kernel ---- */

enum { AROUND_M = 5, AROUND_N = 19, AROUND_K = 7, AROUND_O = 3, AROUND_P = 2, AROUND_ALL = 4096 };

/* Batches of 3 by 2: of all arrays, or summed over (C = C + …, in order). */
static Case around_case(bool summed, GemmDim *dims)
{
	Case c = {.gemm = {.form = GEMM_PANEL, .alpha = -0.75, .nouter = 2, .outer = dims}};
	c.gemm.m = (GemmDim){.size = AROUND_M, .a = AROUND_K + 3, .c = AROUND_N + 1};
	c.gemm.n = (GemmDim){.size = AROUND_N, .b = 1, .c = 1};
	c.gemm.k = (GemmDim){.size = AROUND_K, .a = 1, .b = AROUND_N + 2};
	dims[0] = (GemmDim){.size = AROUND_O, .a = 60, .b = 512, .c = summed ? 0 : 256};
	dims[1] = (GemmDim){.size = AROUND_P, .a = 300, .b = 0, .c = 1024};
	return c;
}

/* The same on other memory, one call after the other. */
static void around_by_hand(const Ir *g, const Gemm *w, char *const *memory, char *c)
{
	unsigned by = g->real_bytes;
	for (int64_t o = 0; o < AROUND_O * AROUND_P; o++) {
		const GemmDim *x = &w->outer[0], *y = &w->outer[1];
		int64_t i = o / AROUND_P, j = o % AROUND_P;
		char *at[ARRAYS] = {memory[A] + (i * x->a + j * y->a) * by,
				    memory[B] + (i * x->b + j * y->b) * by,
				    c + (i * x->c + j * y->c) * by, NULL};
		for (int64_t e = 0; e < AROUND_M * AROUND_N; e++) {
			double v = element(g, w, at, e / AROUND_N, e % AROUND_N, AROUND_K, false);
			put(at[C], e / AROUND_N * w->m.c + e % AROUND_N, by, v);
		}
	}
}

static void around(Module *m, char *const *memory)
{
	static GemmDim dims[2][2];
	static Case cases[2];
	unsigned by = m->gen.ir.real_bytes;
	for (unsigned summed = 0; summed < 2; summed++) {
		cases[summed] = around_case(summed, dims[summed]);
		module_add(m, &cases[summed], summed, false);
	}
	for (unsigned summed = 0; summed < 2; summed++) {
		for (int64_t p = 0; p < AROUND_ALL; p++) {
			put(memory[A], p, by, any_real());
			put(memory[B], p, by, any_real());
			put(memory[C], p, by, any_real());
		}
		memcpy(memory[F], memory[C], AROUND_ALL * by);
		module_run(m, summed, memory, 0);
		around_by_hand(&m->gen.ir, &cases[summed].gemm, memory, memory[F]);
		cr_assert(memcmp(memory[F], memory[C], AROUND_ALL * by) == 0, "%u bytes, summed %u",
			  by, summed);
	}
}

Test(gen_gemm, dimensions_around)
{
	everywhere(around);
}

/* ---- what fused regions use ---- */

enum { BLOCK_K = 9, BLOCK_ROW = 160 };

static LLVMValueRef product_at(Ir *g, LLVMValueRef base, unsigned p)
{
	return ir_at(g, g->real, base, ir_int(g, p * BLOCK_K * BLOCK_ROW));
}

enum { BLOCKS = 60 };

/* Rows, products, vectors of block q; false if it does not fit the registers. */
static bool block_shape(const Ir *g, unsigned q, GemmBlock *w)
{
	w->rows = q % 5 + 1;
	w->products = q / 5 % 4 + 1;
	w->vectors = q / 20 + 1;
	w->lanes = g->vl;
	return w->rows * w->products * w->vectors <= (g->target.registers == 32 ? 24 : 12);
}

static void block_add(Module *m, unsigned q)
{
	Ir *g = &m->gen.ir;
	unsigned by = g->real_bytes;
	GemmBlock w = {0};
	if (!block_shape(g, q, &w)) {
		return;
	}
	char name[32];
	snprintf(name, sizeof name, "run_%u", q);
	LLVMTypeRef param[3] = {g->ptr, g->ptr, g->ptr};
	LLVMValueRef f = ir_function(g, name, g->nothing, 3, param, false), acc[GEMM_ACCUMULATORS];
	w.k = ir_int(g, BLOCK_K);
	w.a = LLVMGetParam(f, 0);
	w.am = ir_int(g, BLOCK_K * by);
	w.ak = ir_int(g, by);
	for (unsigned p = 0; p < w.products; p++) {
		w.b[p] = product_at(g, LLVMGetParam(f, 1), p);
		w.bk[p] = ir_int(g, (BLOCK_ROW - p % 2) * by);
	}
	gen_gemm_block(&m->gen, &w, acc);
	for (unsigned r = 0; r < w.rows * w.products * w.vectors; r++) {
		ir_store(g, acc[r], ir_at(g, g->real, LLVMGetParam(f, 2), ir_int(g, r * g->vl)),
			 NULL);
	}
	LLVMBuildRetVoid(g->b);
}

static void block_check(const Ir *g, const GemmBlock *w, const char *a, const char *b,
			const char *c)
{
	unsigned by = g->real_bytes, wide = w->vectors * g->vl;
	for (unsigned e = 0; e < w->rows * w->products * wide; e++) {
		double x[BLOCK_K], y[BLOCK_K];
		unsigned i = e / (w->products * wide), p = e / wide % w->products;
		for (unsigned k = 0; k < BLOCK_K; k++) {
			x[k] = get(a, i * BLOCK_K + k, by);
			y[k] = get(b, p * BLOCK_K * BLOCK_ROW + k * (BLOCK_ROW - p % 2) + e % wide,
				   by);
		}
		cr_assert_eq(get(c, e, by), chain_sum(g, x, y, BLOCK_K));
	}
}

static void blocks(Module *m, char *const *memory)
{
	Ir *g = &m->gen.ir;
	typedef void BlockFn(void *a, void *b, void *c);
	for (unsigned q = 0; q < BLOCKS; q++) {
		block_add(m, q);
	}
	for (int64_t p = 0; p < 4 * BLOCK_K * BLOCK_ROW; p++) {
		put(memory[A], p % 64, g->real_bytes, any_real());
		put(memory[B], p, g->real_bytes, any_real());
	}
	for (unsigned q = 0; q < BLOCKS; q++) {
		GemmBlock w = {0};
		if (block_shape(g, q, &w)) {
			((BlockFn *)module_find(m, q))(memory[A], memory[B], memory[C]);
			block_check(g, &w, memory[A], memory[B], memory[C]);
		}
	}
}

Test(gen_gemm, blocks_of_products)
{
	everywhere(blocks);
}

/* ---- chains ---- */

enum { CHAINS = 24, CHAIN_MOST = 4 };

typedef struct ChainCase {
	GemmDot shape;
	int64_t m, n, k, products;
} ChainCase;

static void chain_add(Module *m, unsigned q, ChainCase *c)
{
	*c = (ChainCase){.m = 1 + chance(12),
			 .n = 1 + chance(12),
			 .k = 1 + chance(70),
			 .products = 1 + chance(CHAIN_MOST)};
	c->shape = (GemmDot){.chain = true, .scale = q % 2, .from = GEMM_FROM_ROW};
	gen_gemm_dot_block(&m->gen, c->m, c->n, &c->shape);
	Ir *g = &m->gen.ir;
	LLVMValueRef kernel = gen_gemm_dot(&m->gen, c->shape), arg[DOT_PARAMS];
	LLVMTypeRef param[DOT_PARAMS];
	char name[32];
	snprintf(name, sizeof name, "run_%u", q);
	LLVMGetParamTypes(LLVMGlobalGetValueType(kernel), param);
	param[DOT_ALPHA] = g->i64;
	ir_function(g, name, g->nothing, DOT_PARAMS, param, false);
	LLVMGetParams(g->fn, arg);
	arg[DOT_ALPHA] = ir_real(g, 0.5, 1);
	LLVMBuildCall2(g->b, LLVMGlobalGetValueType(kernel), kernel, arg, DOT_PARAMS, "");
	LLVMBuildRetVoid(g->b);
}

/* Where product t's rows begin. */
static int64_t chain_at(const ChainCase *c, int64_t t, int64_t rows)
{
	return t * rows * (c->k + t);
}

static double chain_scale(const ChainCase *c, int64_t t)
{
	return c->shape.scale ? 0.75 - (double)t : 1;
}

static void chain_check(const Ir *g, const ChainCase *c, char *const *memory, const char *before)
{
	unsigned by = g->real_bytes;
	for (int64_t e = 0; e < c->m * c->n; e++) {
		double lane[64] = {0}, x[128], y[128];
		int64_t i = e / c->n, j = e % c->n;
		for (int64_t t = 0; t < c->products; t++) {
			for (int64_t k = 0; k < c->k; k++) {
				x[k] = get(memory[A], chain_at(c, t, c->m) + i * (c->k + t) + k,
					   by);
				x[k] = by == 4 ? (double)(float)(x[k] * chain_scale(c, t))
					       : x[k] * chain_scale(c, t);
				y[k] = get(memory[B], chain_at(c, t, c->n) + j * (c->k + t) + k,
					   by);
			}
			lane_add(g, x, y, c->k, lane);
		}
		cr_assert_eq(get(memory[C], e, by),
			     fused(g, 0.5, lane_total(g, lane), get(before, e, by)));
	}
}

static void chain_run(Module *m, unsigned q, const ChainCase *c, char *const *memory)
{
	typedef void ChainFn(int64_t m, int64_t n, int64_t k, void *table, int64_t am,
			     int64_t products, int64_t bn, void *c, int64_t cm, int64_t cn, void *f,
			     int64_t fm, int64_t fn, int64_t alpha);
	const Ir *g = &m->gen.ir;
	int64_t by = g->real_bytes, table[CHAIN_MOST * CHAIN_WORDS];
	for (int64_t t = 0; t < c->products; t++) {
		int64_t *row = table + t * CHAIN_WORDS;
		row[CHAIN_A] = (intptr_t)memory[A] + chain_at(c, t, c->m) * by;
		row[CHAIN_B] = (intptr_t)memory[B] + chain_at(c, t, c->n) * by;
		row[CHAIN_AM] = row[CHAIN_BN] = (c->k + t) * by;
		put(&row[CHAIN_SCALE], 0, g->real_bytes, chain_scale(c, t));
	}
	for (int64_t p = 0; p < CHAIN_MOST * 12 * 80; p++) {
		put(memory[A], p, g->real_bytes, any_real());
		put(memory[B], p, g->real_bytes, any_real());
		put(memory[C], p, g->real_bytes, any_real());
	}
	memcpy(memory[F], memory[C], 4096);
	((ChainFn *)module_find(m, q))(c->m, c->n, c->k, table, 0, c->products, 0, memory[C],
				       c->n * by, 0, memory[C], c->n * by, 0, 0);
	chain_check(g, c, memory, memory[F]);
}

static void chains(Module *m, char *const *memory)
{
	ChainCase c[CHAINS];
	for (unsigned q = 0; q < CHAINS; q++) {
		chain_add(m, q, &c[q]);
	}
	for (unsigned q = 0; q < CHAINS; q++) {
		chain_run(m, q, &c[q], memory);
	}
}

Test(gen_gemm, chains_of_products)
{
	everywhere(chains);
}
