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
	unsigned nacc, nstep;                /* accumulators; different strides of B */
	unsigned step_of[GEMM_PRODUCTS];     /* which of them a product has */
	LLVMValueRef step[GEMM_PRODUCTS];    /* the strides */
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
			bool end = v + 1 == w->vectors;
			LLVMValueRef from =
				end && w->last
					? move(g, at, w->last)
					: ir_at(g, g->real, at, ir_int(g, (int64_t)v * w->lanes));
			row[p * w->vectors + v] =
				ir_load(g, g->real, w->lanes, from, end ? w->mask : NULL);
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

/* Larger blocks are hardly faster and take longer to compile. */
enum { ROWS_MOST = 8, BLOCK_MOST = 24 };
/* A second block for the rows that are left is more code. */
#define REST_PENALTY 1.03

/* Cycles of one pass over k, for two multiply-adds, two loads and about four and a half
 * instructions a cycle, a latency of 4, and what begins and ends a block. */
static double pass_cost(unsigned rows, unsigned wide)
{
	double fma = rows * wide / 2.0, load = (rows + wide) / 2.0,
	       all = (rows * wide + rows + wide + 4) / 4.5;
	double cost = fma > load ? fma : load;
	cost = cost > all ? cost : all;
	return (cost > 4 ? cost : 4) + 0.5;
}

unsigned gen_gemm_rows_cost(const Gen *gen, int64_t m, unsigned wide, double *cost)
{
	unsigned room = gen->ir.target.registers - 1, best = 1;
	for (unsigned r = 1;
	     r <= ROWS_MOST && r * wide <= BLOCK_MOST && (r == 1 || r * wide + wide <= room); r++) {
		if (m && r > m) {
			break;
		}
		double c = pass_cost(r, wide) / r;
		if (m) {
			unsigned rest = (unsigned)(m % r);
			c = (double)(m / r) * pass_cost(r, wide);
			c = rest ? (c + pass_cost(rest, wide)) * REST_PENALTY : c;
		}
		if (r == 1 || c < *cost) {
			best = r;
			*cost = c;
		}
	}
	return best;
}

unsigned gen_gemm_rows(const Gen *gen, int64_t m, unsigned wide)
{
	double cost;
	return gen_gemm_rows_cost(gen, m, wide, &cost);
}

/* ---- the kernel ---- */

typedef struct PanelCode {
	Gen *gen;
	Ir *g;
	GemmPanel s;
	LLVMValueRef param[PANEL_PARAMS];
	LLVMValueRef b, mask, last; /* of the present stripe */
} PanelCode;

/* Vector v of a row of C or F. */
static LLVMValueRef column_at(PanelCode *x, LLVMValueRef row, unsigned v)
{
	Ir *g = x->g;
	return v + 1 == x->s.vectors && x->last
		       ? move(g, row, x->last)
		       : ir_at(g, g->real, row, ir_int(g, (int64_t)v * x->s.lanes));
}

/* C and F of the block's rows at c and f. F is read before C is written: F may be C, and vectors
 * may overlap. */
static void store_block(PanelCode *x, unsigned rows, LLVMValueRef c, LLVMValueRef f,
			LLVMValueRef *acc)
{
	Ir *g = x->g;
	unsigned n = x->s.vectors;
	LLVMValueRef alpha = ir_splat(g, x->param[PANEL_ALPHA], x->s.lanes),
		     start[GEMM_ACCUMULATORS];
	for (unsigned i = 0; i < rows; i++) {
		LLVMValueRef to = i ? move(g, c, times(g, x->param[PANEL_CM], i)) : c;
		LLVMValueRef from =
			i && x->s.from ? move(g, f, times(g, x->param[PANEL_FM], i)) : f;
		for (unsigned v = 0; v < n && x->s.from; v++) {
			LLVMValueRef mask = v + 1 == n ? x->mask : NULL;
			start[v] =
				x->s.from == GEMM_FROM_ROW ? ir_load(g, g->real, x->s.lanes,
								     column_at(x, from, v), mask)
				: v                        ? start[0]
				    : ir_splat(g, ir_load(g, g->real, 1, from, NULL), x->s.lanes);
		}
		for (unsigned v = 0; v < n; v++) {
			LLVMValueRef s = acc[i * n + v];
			s = x->s.from ? ir_fma(g, alpha, s, start[v])
				      : LLVMBuildFMul(g->b, alpha, s, "");
			ir_store(g, s, column_at(x, to, v), v + 1 == n ? x->mask : NULL);
		}
	}
}

/* One block; at: A, C, F of its first row, advanced by its rows. */
static void panel_block(PanelCode *x, unsigned rows, LLVMValueRef *at)
{
	Ir *g = x->g;
	LLVMValueRef acc[GEMM_ACCUMULATORS], *p = x->param;
	GemmBlock w = {.rows = rows,
		       .products = 1,
		       .vectors = x->s.vectors,
		       .lanes = x->s.lanes,
		       .k = p[PANEL_K],
		       .a = at[0],
		       .am = p[PANEL_AM],
		       .ak = p[PANEL_AK],
		       .b = {x->b},
		       .bk = {p[PANEL_BK]},
		       .mask = x->mask,
		       .last = x->last};
	gen_gemm_block(x->gen, &w, acc);
	store_block(x, rows, at[1], at[2], acc);
	at[0] = move(g, at[0], times(g, p[PANEL_AM], rows));
	at[1] = move(g, at[1], times(g, p[PANEL_CM], rows));
	at[2] = x->s.from ? move(g, at[2], times(g, p[PANEL_FM], rows)) : at[2];
}

/* Blocks of `rows` rows from row i while they fit; returns the row behind them. */
static LLVMValueRef panel_rows(PanelCode *x, unsigned rows, LLVMValueRef i, LLVMValueRef *at,
			       bool once)
{
	Ir *g = x->g;
	LLVMValueRef end = LLVMBuildSub(g->b, x->param[PANEL_M], ir_int(g, rows - 1), "");
	LLVMValueRef first[4] = {at[0], at[1], at[2], i};
	IrLoop l;
	ir_loop(g, &l, i, end, rows, 4, first, once);
	LLVMValueRef next[4] = {l.phi[0], l.phi[1], l.phi[2]};
	panel_block(x, rows, next);
	next[3] = LLVMBuildAdd(g->b, l.i, ir_int(g, rows), "");
	ir_loop_end(g, &l, next);
	memcpy(at, l.phi, 3 * sizeof *at);
	return l.phi[3];
}

static void panel_stripes(PanelCode *x)
{
	Ir *g = x->g;
	unsigned wide = x->s.vectors * x->s.lanes;
	LLVMValueRef bytes = ir_int(g, (int64_t)wide * g->real_bytes), *p = x->param;
	LLVMValueRef first[4] = {p[PANEL_B], p[PANEL_C], p[PANEL_F], p[PANEL_N]};
	IrLoop l;
	ir_loop(g, &l, ir_int(g, 0), p[PANEL_STRIPES], 1, 4, first, false);
	x->b = l.phi[0];
	if (x->s.tail == GEMM_MASK) {
		LLVMValueRef left = LLVMBuildSub(g->b, l.phi[3], ir_int(g, wide - x->s.lanes), "");
		x->mask = ir_mask(g, x->s.lanes, left);
	} else if (x->s.tail == GEMM_SHIFT) {
		LLVMValueRef all = ir_int(g, wide - x->s.lanes);
		LLVMValueRef left = LLVMBuildSub(g->b, l.phi[3], ir_int(g, x->s.lanes), "");
		left = LLVMBuildSelect(g->b, LLVMBuildICmp(g->b, LLVMIntSLT, left, all, ""), left,
				       all, "");
		x->last = LLVMBuildMul(g->b, left, ir_int(g, g->real_bytes), "");
	}
	LLVMValueRef at[3] = {p[PANEL_A], l.phi[1], l.phi[2]}, i = ir_int(g, 0);
	i = panel_rows(x, x->s.rows, i, at, x->s.rest != GEMM_ANY);
	if (x->s.rest == GEMM_ANY && x->s.rows > 1) {
		panel_rows(x, 1, i, at, false);
	} else if (x->s.rest && x->s.rest != GEMM_ANY) {
		panel_block(x, x->s.rest, at);
	}
	LLVMValueRef next[4] = {move(g, l.phi[0], bytes), move(g, l.phi[1], bytes),
				x->s.from == GEMM_FROM_ROW ? move(g, l.phi[2], bytes) : l.phi[2],
				LLVMBuildSub(g->b, l.phi[3], ir_int(g, wide), "")};
	ir_loop_end(g, &l, next);
}

void gen_gemm_panel_key(GemmPanel s, char key[GEMM_KEY])
{
	snprintf(key, GEMM_KEY, "gemm.%u.%u.%u.%u%s.%u", s.rows, s.rest, s.vectors, s.lanes,
		 s.tail == GEMM_MASK    ? ".mask"
		 : s.tail == GEMM_SHIFT ? ".shift"
					: "",
		 (unsigned)s.from);
}

LLVMValueRef gen_gemm_panel(Gen *gen, GemmPanel s)
{
	char key[GEMM_KEY];
	gen_gemm_panel_key(s, key);
	LLVMValueRef f = gen_kernel(gen, key);
	if (f) {
		return f;
	}
	Ir *g = &gen->ir;
	IrPlace back = ir_leave(g);
	LLVMTypeRef param[PANEL_PARAMS];
	for (unsigned q = 0; q < PANEL_PARAMS; q++) {
		bool pointer = q == PANEL_A || q == PANEL_B || q == PANEL_C || q == PANEL_F;
		param[q] = pointer ? g->ptr : q == PANEL_ALPHA ? g->real : g->i64;
	}
	f = ir_function(g, key, g->nothing, PANEL_PARAMS, param, true);
	PanelCode x = {.gen = gen, .g = g, .s = s};
	LLVMGetParams(f, x.param);
	panel_stripes(&x);
	LLVMBuildRetVoid(g->b);
	ir_return(g, back);
	gen_kernel_add(gen, key, f);
	return f;
}
