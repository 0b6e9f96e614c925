/* gen_gemm_block.c — the register block of panel products, and the kernel made of blocks.
 *
 * In the loop over k an accumulator stays in its register, rows of B are loaded once, and an
 * element of A is loaded and spread for each row. No unrolling: the loop's own instructions run
 * beside the multiply-adds. */
#include "compiler/gen_gemm.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

/* base + bytes */
static LLVMValueRef move(Ir *g, LLVMValueRef base, LLVMValueRef bytes)
{
	return LLVMBuildGEP2(g->b, g->i8, base, &bytes, 1, "");
}

static LLVMValueRef times(Ir *g, LLVMValueRef a, unsigned n)
{
	return n == 1 ? a : LLVMBuildMul(g->b, a, ir_int(g, n), "");
}

/* ---- one block ---- */

typedef struct BlockCode {
	Ir *g;
	const GemmBlock *w;
	unsigned nacc, nstep;             /* accumulators; different strides of B */
	unsigned step_of[GEMM_PRODUCTS];  /* which of them a product has */
	LLVMValueRef step[GEMM_PRODUCTS]; /* the strides */
	LLVMValueRef odd[GEMM_ACCUMULATORS]; /* i*am for odd i, from before the loop */
} BlockCode;

/* i*am in bytes. Addresses can scale a register by 2, 4 and 8 themselves if the shift stands beside
 * the load, so that only odd multiples are kept in registers. */
static LLVMValueRef row_bytes(BlockCode *x, unsigned i)
{
	unsigned shift = 0;
	for (; i % 2 == 0 && shift < 3; i /= 2) {
		shift++;
	}
	LLVMValueRef o = x->odd[i];
	return shift ? LLVMBuildShl(x->g->b, o, ir_int(x->g, shift), "") : o;
}

/* One row of every product. */
static void load_row(BlockCode *x, const IrLoop *l, LLVMValueRef *row)
{
	Ir *g = x->g;
	const GemmBlock *w = x->w;
	for (unsigned p = 0; p < w->products; p++) {
		LLVMValueRef at = move(g, w->b[p], l->phi[x->nacc + 1 + x->step_of[p]]);
		for (unsigned v = 0; v < w->vectors; v++) {
			LLVMValueRef mask = v + 1 == w->vectors ? w->mask : NULL;
			LLVMValueRef from = ir_at(g, g->real, at, ir_int(g, (int64_t)v * w->lanes));
			row[p * w->vectors + v] = ir_load(g, g->real, w->lanes, from, mask);
		}
	}
}

static void find_steps(BlockCode *x)
{
	for (unsigned p = 0; p < x->w->products; p++) {
		unsigned s = 0;
		while (s < x->nstep && x->step[s] != x->w->bk[p]) {
			s++;
		}
		x->step[s] = x->w->bk[p];
		x->nstep += s == x->nstep;
		x->step_of[p] = s;
	}
}

void gen_gemm_block(Gen *gen, const GemmBlock *w, LLVMValueRef *acc)
{
	Ir *g = &gen->ir;
	unsigned wide = w->products * w->vectors;
	BlockCode x = {.g = g, .w = w, .nacc = w->rows * wide};
	assert(x.nacc <= GEMM_ACCUMULATORS && w->products <= GEMM_PRODUCTS);
	find_steps(&x);
	for (unsigned i = 1; i < w->rows; i += 2) {
		x.odd[i] = times(g, w->am, i);
	}
	LLVMValueRef value[IR_PHIS], row[GEMM_ACCUMULATORS];
	for (unsigned q = 0; q < x.nacc; q++) {
		value[q] = ir_real(g, 0, w->lanes);
	}
	value[x.nacc] = w->a;
	for (unsigned s = 0; s < x.nstep; s++) {
		value[x.nacc + 1 + s] = ir_int(g, 0);
	}
	IrLoop l;
	ir_loop(g, &l, ir_int(g, 0), w->k, 1, x.nacc + 1 + x.nstep, value, true);
	load_row(&x, &l, row);
	for (unsigned i = 0; i < w->rows; i++) {
		LLVMValueRef a = l.phi[x.nacc];
		a = ir_load(g, g->real, 1, i ? move(g, a, row_bytes(&x, i)) : a, NULL);
		a = ir_splat(g, a, w->lanes);
		for (unsigned v = 0; v < wide; v++) {
			value[i * wide + v] = ir_fma(g, a, row[v], l.phi[i * wide + v]);
		}
	}
	value[x.nacc] = move(g, l.phi[x.nacc], w->ak);
	for (unsigned s = 0; s < x.nstep; s++) {
		value[x.nacc + 1 + s] = LLVMBuildAdd(g->b, l.phi[x.nacc + 1 + s], x.step[s], "");
	}
	ir_loop_end(g, &l, value);
	memcpy(acc, l.phi, x.nacc * sizeof *acc);
}

/* Cycles of one pass over k, for two multiply-adds, two loads and about four and a half
 * instructions a cycle and a latency of 4. */
static double pass_cost(unsigned rows, unsigned wide)
{
	double fma = rows * wide / 2.0, load = (rows + wide) / 2.0, all = (rows * wide + rows + wide + 4) / 4.5;
	double cost = fma > load ? fma : load;
	cost = cost > all ? cost : all;
	return cost > 4 ? cost : 4;
}

unsigned gen_gemm_rows(const Gen *gen, int64_t m, unsigned wide)
{
	unsigned room = gen->ir.target.registers - 1, best = 1;
	double best_cost = 0;
	for (unsigned r = 1; r <= 8 && r * wide <= GEMM_ACCUMULATORS && r * wide + (wide > 1 ? wide : 1) <= room; r++) {
		double whole = m ? (double)(m / r) : 1.0 / r, rest = m ? (double)(m % r) : 0;
		double cost = whole * pass_cost(r, wide) + (rest ? pass_cost((unsigned)rest, wide) * 1.05 : 0);
		if (m && r > m) {
			break;
		}
		if (r == 1 || cost < best_cost * 0.999) {
			best = r;
			best_cost = cost;
		}
	}
	return best;
}
