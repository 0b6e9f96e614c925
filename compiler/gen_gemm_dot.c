/* gen_gemm_dot.c — the kernel of dot products: lanes along the summed index.
 *
 * A block of MR rows of A and NR rows of B has MR*NR vectors of sums. A tree of shuffles and
 * additions turns as many of them as a vector has lanes into one vector of their sums; each sum is
 * added up in the order of ir_sum_lanes: halves, quarters, … */
#include "compiler/gen_gemm.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { DOT_LANES = 16, DOT_SIDE = 16 };

static LLVMValueRef move(Ir *g, LLVMValueRef base, LLVMValueRef bytes)
{
	return LLVMBuildGEP2(g->b, g->i8, base, &bytes, 1, "");
}

static LLVMValueRef shuffle(Ir *g, LLVMValueRef x, LLVMValueRef y, unsigned n, const unsigned *lane)
{
	LLVMValueRef index[DOT_LANES];
	for (unsigned k = 0; k < n; k++) {
		index[k] = LLVMConstInt(g->i32, lane[k], false);
	}
	return LLVMBuildShuffleVector(g->b, x, y, LLVMConstVector(index, n), "");
}

/* ---- the tree of sums ---- */

/* Every sum has `part` neighbouring lanes in x and y. Lanes of the low halves of all parts, first
 * those of x (lane < vl), then those of y; the high halves are part/2 further. Parts inside 16
 * bytes stay inside them: such shuffles are cheap. */
static void half_lanes(const Ir *g, unsigned part, unsigned *low)
{
	unsigned vl = g->vl, in = 16 / g->real_bytes, n = 0;
	unsigned span = part > in ? vl : in; /* x's and y's parts alternate by this many lanes */
	for (unsigned s = 0; s < vl; s += span) {
		for (unsigned of = 0; of < 2; of++) {
			for (unsigned q = s; q < s + span; q++) {
				if (q % part < part / 2) {
					low[n++] = of * vl + q;
				}
			}
		}
	}
	assert(n == vl);
}

/* owner[lane]: which of the tree's leaves ends in a lane. */
static void tree_owners(const Ir *g, unsigned *owner)
{
	unsigned vl = g->vl, at[DOT_LANES][DOT_LANES], low[DOT_LANES];
	for (unsigned k = 0; k < vl; k++) {
		for (unsigned q = 0; q < vl; q++) {
			at[k][q] = k;
		}
	}
	for (unsigned part = vl; part > 1; part /= 2) {
		half_lanes(g, part, low);
		for (unsigned k = 0; k < part / 2; k++) {
			unsigned next[DOT_LANES];
			for (unsigned q = 0; q < vl; q++) {
				next[q] = at[2 * k + low[q] / vl][low[q] % vl];
			}
			memcpy(at[k], next, sizeof next);
		}
	}
	memcpy(owner, at[0], vl * sizeof *owner);
}

/* The sums of acc[0 … vl-1], in their order. */
static LLVMValueRef tree_sum(Ir *g, LLVMValueRef *acc)
{
	unsigned vl = g->vl, owner[DOT_LANES], low[DOT_LANES], high[DOT_LANES];
	LLVMValueRef v[DOT_LANES];
	tree_owners(g, owner);
	for (unsigned k = 0; k < vl; k++) {
		v[owner[k]] = acc[k];
	}
	for (unsigned part = vl; part > 1; part /= 2) {
		half_lanes(g, part, low);
		for (unsigned q = 0; q < vl; q++) {
			high[q] = low[q] + part / 2;
		}
		for (unsigned k = 0; k < part / 2; k++) {
			LLVMValueRef x = v[2 * k], y = v[2 * k + 1];
			v[k] = LLVMBuildFAdd(g->b, shuffle(g, x, y, vl, low),
					     shuffle(g, x, y, vl, high), "");
		}
	}
	return v[0];
}

/* ---- sums in lanes ---- */

typedef struct DotCode {
	Ir *g;
	GemmDot s;
	LLVMValueRef param[DOT_PARAMS];
	LLVMValueRef i, j;   /* first row and column of the block */
	LLVMValueRef ni, nj; /* the first ones that are new */
	LLVMValueRef odd_a[DOT_SIDE],
		odd_b[DOT_SIDE]; /* odd multiples of the strides, see panel blocks */
	LLVMValueRef left, mask; /* k % vl, and its lanes where there are masks */
	LLVMValueRef scale;      /* of the present product, in all lanes, or NULL */
} DotCode;

static LLVMValueRef times_stride(Ir *g, const LLVMValueRef *odd, unsigned i)
{
	unsigned shift = 0;
	for (; i % 2 == 0 && shift < 3; i /= 2) {
		shift++;
	}
	return shift ? LLVMBuildShl(g->b, odd[i], ir_int(g, shift), "") : odd[i];
}

static void odd_multiples(Ir *g, unsigned n, LLVMValueRef stride, LLVMValueRef *odd)
{
	for (unsigned i = 1; i < n; i += 2) {
		odd[i] = i == 1 ? stride : LLVMBuildMul(g->b, stride, ir_int(g, i), "");
	}
}

/* `lanes` (or one value for all) of rows 0 … n-1 at pointer p. */
static void load_rows(DotCode *x, unsigned n, LLVMValueRef p, const LLVMValueRef *odd,
		      LLVMValueRef mask, bool one, LLVMValueRef *row)
{
	Ir *g = x->g;
	for (unsigned i = 0; i < n; i++) {
		LLVMValueRef at = i ? move(g, p, times_stride(g, odd, i)) : p;
		row[i] = one ? ir_splat(g, ir_load(g, g->real, 1, at, NULL), g->vl)
			     : ir_load(g, g->real, g->vl, at, mask);
	}
}

/* acc += A*B for the lanes at a, b; only: i1 lanes that take part where one value is spread. */
static void dot_step(DotCode *x, LLVMValueRef a, LLVMValueRef b, LLVMValueRef mask,
		     LLVMValueRef only, LLVMValueRef *acc)
{
	Ir *g = x->g;
	LLVMValueRef left[DOT_SIDE], right[DOT_SIDE];
	load_rows(x, x->s.rows, a, x->odd_a, mask, only, left);
	load_rows(x, x->s.columns, b, x->odd_b, mask, only, right);
	for (unsigned i = 0; i < x->s.rows; i++) {
		if (x->scale) {
			left[i] = LLVMBuildFMul(g->b, left[i], x->scale, "");
		}
		for (unsigned j = 0; j < x->s.columns; j++) {
			LLVMValueRef *to = &acc[i * x->s.columns + j],
				     next = ir_fma(g, left[i], right[j], *to);
			*to = only ? LLVMBuildSelect(g->b, only, next, *to, "") : next;
		}
	}
}

/* The last k % vl products: lane l of the sums takes the l-th. With masks in one step, else one by
 * one. */
static void dot_tail(DotCode *x, LLVMValueRef a, LLVMValueRef b, LLVMValueRef *acc)
{
	Ir *g = x->g;
	unsigned n = x->s.rows * x->s.columns;
	bool masks = g->target.masks;
	LLVMValueRef first[IR_PHIS], next[IR_PHIS], only = NULL, bytes = ir_int(g, g->real_bytes);
	memcpy(first, acc, n * sizeof *acc);
	first[n] = a;
	first[n + 1] = b;
	IrLoop l;
	ir_loop(g, &l, ir_int(g, 0), x->left, masks ? g->vl : 1, n + 2, first, false);
	memcpy(next, l.phi, (n + 2) * sizeof *next);
	if (!masks) {
		LLVMValueRef lane = ir_splat(g, l.i, g->vl);
		only = LLVMBuildICmp(g->b, LLVMIntEQ, ir_iota(g, g->vl), lane, "");
		next[n] = move(g, l.phi[n], bytes);
		next[n + 1] = move(g, l.phi[n + 1], bytes);
	}
	dot_step(x, l.phi[n], l.phi[n + 1], x->mask, only, next);
	ir_loop_end(g, &l, next);
	memcpy(acc, l.phi, n * sizeof *acc);
}

/* acc += one product, from row i of A and row j of B on. */
static void dot_product(DotCode *x, LLVMValueRef a, LLVMValueRef am, LLVMValueRef b,
			LLVMValueRef bn, LLVMValueRef *acc)
{
	Ir *g = x->g;
	unsigned n = x->s.rows * x->s.columns;
	odd_multiples(g, x->s.rows, am, x->odd_a);
	odd_multiples(g, x->s.columns, bn, x->odd_b);
	LLVMValueRef first[IR_PHIS], k = x->param[DOT_K], bytes = ir_int(g, g->vl * g->real_bytes);
	memcpy(first, acc, n * sizeof *acc);
	first[n] = move(g, a, LLVMBuildMul(g->b, x->i, am, ""));
	first[n + 1] = move(g, b, LLVMBuildMul(g->b, x->j, bn, ""));
	IrLoop l;
	LLVMValueRef end = x->s.whole ? k : LLVMBuildSub(g->b, k, ir_int(g, g->vl - 1), "");
	ir_loop(g, &l, ir_int(g, 0), end, g->vl, n + 2, first, x->s.whole);
	LLVMValueRef next[IR_PHIS];
	memcpy(next, l.phi, n * sizeof *next);
	dot_step(x, l.phi[n], l.phi[n + 1], NULL, NULL, next);
	next[n] = move(g, l.phi[n], bytes);
	next[n + 1] = move(g, l.phi[n + 1], bytes);
	ir_loop_end(g, &l, next);
	memcpy(acc, l.phi, n * sizeof *acc);
	if (!x->s.whole) {
		dot_tail(x, l.phi[n], l.phi[n + 1], acc);
	}
}

static LLVMValueRef chain_word(DotCode *x, LLVMValueRef row, unsigned word, LLVMTypeRef type)
{
	return LLVMBuildLoad2(x->g->b, type, ir_at(x->g, x->g->i64, row, ir_int(x->g, word)), "");
}

/* All products of the table, in order; there may be none. */
static void dot_chain(DotCode *x, LLVMValueRef *acc)
{
	Ir *g = x->g;
	unsigned n = x->s.rows * x->s.columns;
	LLVMValueRef first[IR_PHIS];
	memcpy(first, acc, n * sizeof *acc);
	first[n] = x->param[DOT_A];
	IrLoop l;
	ir_loop(g, &l, ir_int(g, 0), x->param[DOT_B], 1, n + 1, first, false);
	LLVMValueRef next[IR_PHIS], row = l.phi[n];
	memcpy(next, l.phi, n * sizeof *next);
	if (x->s.scale) {
		x->scale = ir_splat(g, chain_word(x, row, CHAIN_SCALE, g->real), g->vl);
	}
	dot_product(x, chain_word(x, row, CHAIN_A, g->ptr), chain_word(x, row, CHAIN_AM, g->i64),
		    chain_word(x, row, CHAIN_B, g->ptr), chain_word(x, row, CHAIN_BN, g->i64),
		    next);
	next[n] = move(g, row, ir_int(g, CHAIN_WORDS * 8));
	ir_loop_end(g, &l, next);
	memcpy(acc, l.phi, n * sizeof *acc);
}

/* ---- storing ---- */

/* The sums as vectors or single values of `lanes`, row by row. */
typedef struct DotSums {
	unsigned lanes, n;
	LLVMValueRef v[DOT_SIDE];
} DotSums;

static DotSums dot_sums(DotCode *x, LLVMValueRef *acc)
{
	Ir *g = x->g;
	unsigned n = x->s.rows * x->s.columns;
	DotSums out = {1, n, {0}};
	if (n % g->vl) {
		for (unsigned q = 0; q < n; q++) {
			out.v[q] = ir_sum_lanes(g, acc[q]);
		}
		return out;
	}
	out.lanes = g->vl;
	out.n = n / g->vl;
	for (unsigned q = 0; q < out.n; q++) {
		out.v[q] = tree_sum(g, acc + q * g->vl);
	}
	return out;
}

/* Address of element i, j of C or F. */
static LLVMValueRef element(DotCode *x, unsigned base, LLVMValueRef i, LLVMValueRef j)
{
	Ir *g = x->g;
	LLVMValueRef row = move(g, x->param[base], LLVMBuildMul(g->b, i, x->param[base + 1], ""));
	return move(g, row, LLVMBuildMul(g->b, j, x->param[base + 2], ""));
}

static LLVMValueRef finish(DotCode *x, LLVMValueRef s, LLVMValueRef start)
{
	Ir *g = x->g;
	LLVMValueRef alpha = ir_splat(g, x->param[DOT_ALPHA], ir_lanes(s));
	return start ? ir_fma(g, alpha, s, start) : LLVMBuildFMul(g->b, alpha, s, "");
}

/* Whole rows of neighbouring columns, in pieces of as many lanes as both rows and sums have. */
static void store_rows(DotCode *x, const DotSums *s)
{
	Ir *g = x->g;
	unsigned piece = s->lanes < x->s.columns ? s->lanes : x->s.columns;
	for (unsigned q = 0; q < x->s.rows * x->s.columns; q += piece) {
		LLVMValueRef v = s->v[q / s->lanes];
		if (piece < s->lanes) {
			unsigned lane[DOT_LANES];
			for (unsigned k = 0; k < piece; k++) {
				lane[k] = q % s->lanes + k;
			}
			v = piece > 1 ? shuffle(g, v, v, piece, lane)
				      : LLVMBuildExtractElement(
						g->b, v, LLVMConstInt(g->i32, lane[0], false), "");
		}
		LLVMValueRef i = LLVMBuildAdd(g->b, x->i, ir_int(g, q / x->s.columns), "");
		LLVMValueRef j = ir_int(g, q % x->s.columns);
		LLVMValueRef to = ir_at(g, g->real, element(x, DOT_C, i, x->j), j), start = NULL;
		if (x->s.from == GEMM_FROM_ROW) {
			start = ir_load(g, g->real, piece,
					ir_at(g, g->real, element(x, DOT_F, i, x->j), j), NULL);
		} else if (x->s.from == GEMM_FROM_SPLAT) {
			start = ir_splat(
				g, ir_load(g, g->real, 1, element(x, DOT_F, i, ir_int(g, 0)), NULL),
				piece);
		}
		ir_store(g, finish(x, v, start), to, NULL);
	}
}

/* The new elements one by one, through memory. */
static void store_elements(DotCode *x, const DotSums *s, LLVMValueRef room)
{
	Ir *g = x->g;
	for (unsigned q = 0; q < s->n; q++) {
		ir_store(g, s->v[q], ir_at(g, g->real, room, ir_int(g, q * s->lanes)), NULL);
	}
	IrLoop rows, columns;
	ir_loop(g, &rows, x->ni, LLVMBuildAdd(g->b, x->i, ir_int(g, x->s.rows), ""), 1, 0, NULL,
		true);
	ir_loop(g, &columns, x->nj, LLVMBuildAdd(g->b, x->j, ir_int(g, x->s.columns), ""), 1, 0,
		NULL, true);
	LLVMValueRef at = LLVMBuildMul(g->b, LLVMBuildSub(g->b, rows.i, x->i, ""),
				       ir_int(g, x->s.columns), "");
	at = LLVMBuildAdd(g->b, at, LLVMBuildSub(g->b, columns.i, x->j, ""), "");
	LLVMValueRef v = ir_load(g, g->real, 1, ir_at(g, g->real, room, at), NULL), start = NULL;
	if (x->s.from) {
		start = ir_load(g, g->real, 1, element(x, DOT_F, rows.i, columns.i), NULL);
	}
	ir_store(g, finish(x, v, start), element(x, DOT_C, rows.i, columns.i), NULL);
	ir_loop_end(g, &columns, NULL);
	ir_loop_end(g, &rows, NULL);
}

static void dot_store(DotCode *x, LLVMValueRef *acc, LLVMValueRef room)
{
	Ir *g = x->g;
	DotSums s = dot_sums(x, acc);
	if (x->s.exact && !x->s.apart) {
		store_rows(x, &s);
		return;
	}
	if (x->s.apart) {
		store_elements(x, &s, room);
		return;
	}
	LLVMValueRef same = LLVMBuildAnd(g->b, LLVMBuildICmp(g->b, LLVMIntEQ, x->i, x->ni, ""),
					 LLVMBuildICmp(g->b, LLVMIntEQ, x->j, x->nj, ""), "");
	IrIf whole, part;
	ir_if(g, &whole, same);
	store_rows(x, &s);
	ir_if_end(g, &whole);
	ir_if(g, &part, LLVMBuildNot(g->b, same, ""));
	store_elements(x, &s, room);
	ir_if_end(g, &part);
}

/* ---- the kernel ---- */

/* The block's beginning for new elements from `fresh` on: earlier where it would not fit. */
static LLVMValueRef block_begin(DotCode *x, LLVMValueRef fresh, LLVMValueRef size, unsigned side)
{
	if (x->s.exact || side == 1) {
		return fresh;
	}
	Ir *g = x->g;
	LLVMValueRef last = LLVMBuildSub(g->b, size, ir_int(g, side), "");
	return LLVMBuildSelect(g->b, LLVMBuildICmp(g->b, LLVMIntSLT, fresh, last, ""), fresh, last,
			       "");
}

static void dot_blocks(DotCode *x)
{
	Ir *g = x->g;
	unsigned n = x->s.rows * x->s.columns;
	LLVMValueRef acc[GEMM_ACCUMULATORS], room = NULL;
	if (!x->s.exact || x->s.apart) {
		room = LLVMBuildAlloca(g->b, LLVMArrayType2(g->real, n), "");
	}
	if (!x->s.whole) {
		x->left = LLVMBuildAnd(g->b, x->param[DOT_K], ir_int(g, g->vl - 1), "");
		x->mask = g->target.masks ? ir_mask(g, g->vl, x->left) : NULL;
	}
	IrLoop rows, columns;
	ir_loop(g, &rows, ir_int(g, 0), x->param[DOT_M], x->s.rows, 0, NULL, true);
	x->ni = rows.i;
	x->i = block_begin(x, rows.i, x->param[DOT_M], x->s.rows);
	ir_loop(g, &columns, ir_int(g, 0), x->param[DOT_N], x->s.columns, 0, NULL, true);
	x->nj = columns.i;
	x->j = block_begin(x, columns.i, x->param[DOT_N], x->s.columns);
	for (unsigned q = 0; q < n; q++) {
		acc[q] = ir_real(g, 0, g->vl);
	}
	if (x->s.chain) {
		dot_chain(x, acc);
	} else {
		LLVMValueRef *p = x->param;
		dot_product(x, p[DOT_A], p[DOT_AM], p[DOT_B], p[DOT_BN], acc);
	}
	dot_store(x, acc, room);
	ir_loop_end(g, &columns, NULL);
	ir_loop_end(g, &rows, NULL);
}

LLVMValueRef gen_gemm_dot(Gen *gen, GemmDot s)
{
	char key[96];
	snprintf(key, sizeof key, "dot.%u.%u%s%s%s%s%s.%u", s.rows, s.columns,
		 s.exact ? ".exact" : "", s.whole ? ".whole" : "", s.apart ? ".apart" : "",
		 s.chain ? ".chain" : "", s.scale ? ".scale" : "", (unsigned)s.from);
	LLVMValueRef f = gen_kernel(gen, key);
	if (f) {
		return f;
	}
	Ir *g = &gen->ir;
	IrPlace back = ir_leave(g);
	LLVMTypeRef param[DOT_PARAMS];
	for (unsigned q = 0; q < DOT_PARAMS; q++) {
		bool pointer = q == DOT_A || (q == DOT_B && !s.chain) || q == DOT_C || q == DOT_F;
		param[q] = pointer ? g->ptr : q == DOT_ALPHA ? g->real : g->i64;
	}
	f = ir_function(g, key, g->nothing, DOT_PARAMS, param, true);
	DotCode x = {.g = g, .s = s};
	LLVMGetParams(f, x.param);
	if (!s.apart) { /* known to the code */
		x.param[DOT_CN] = ir_int(g, g->real_bytes);
		x.param[DOT_FN] = ir_int(g, s.from == GEMM_FROM_ROW ? g->real_bytes : 0);
	}
	dot_blocks(&x);
	LLVMBuildRetVoid(g->b);
	ir_return(g, back);
	gen_kernel_add(gen, key, f);
	return f;
}

void gen_gemm_dot_block(const Gen *gen, int64_t m, int64_t n, GemmDot *s)
{
	int64_t most = gen->ir.target.registers >= 32 ? 16 : 8;
	double best = 0;
	for (int64_t r = 1; r <= most && r <= m; r *= 2) {
		for (int64_t c = 1; r * c <= most && c <= n; c *= 2) {
			int64_t blocks = ((m + r - 1) / r) * ((n + c - 1) / c);
			bool tree = r * c % gen->ir.vl == 0;
			double one = (double)(r * c + r + c) + (tree ? 6 : 3 * (double)(r * c)) + 6;
			double cost = (double)blocks * one;
			if (best == 0 || cost < best) {
				best = cost;
				s->rows = (unsigned)r;
				s->columns = (unsigned)c;
				s->exact = m % r == 0 && n % c == 0;
			}
		}
	}
}
