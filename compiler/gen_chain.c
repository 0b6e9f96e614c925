/* gen_chain.c — neighbouring contractions over the samples of a tile that are added to one array:
 * the gradient of a weight from several streams (u, u_x, u_xx …), or a sum over a further index.
 * One kernel takes all products before it touches the array, so that the lanes of an element are
 * summed once. Products whose filter does not hold are left out of the kernel's table. */
#include "compiler/gen_gemm.h"
#include "compiler/gen_int.h"
#include <string.h>

enum { CHAIN_MOST = 64 /* products */ };

static bool same_place(const Access *a, const Access *b)
{
	bool same = a->buffer == b->buffer && a->base == b->base && a->nslot == b->nslot;
	for (uint32_t k = 0; same && k < a->nslot; k++) {
		same = a->slot[k].slot == b->slot[k].slot && a->slot[k].coef == b->slot[k].coef;
	}
	return same;
}

/* Products of this contraction: 1, or those of dimensions around the kernel that are summed over;
 * 0 if it cannot stand in a chain. */
static int64_t chain_products(const Gemm *g)
{
	if (g->fresh || g->k.a != 1 || g->k.b != 1 || g->m.tiled || g->n.tiled) {
		return 0;
	}
	int64_t n = 1;
	for (uint32_t k = 0; k < g->nouter; k++) {
		if (g->outer[k].c || g->outer[k].tiled || n > CHAIN_MOST) {
			return 0;
		}
		n *= g->outer[k].size;
	}
	return n;
}

static bool chain_fits(const Gemm *a, const Gemm *b)
{
	return same_place(&a->c, &b->c) && a->m.size == b->m.size && a->n.size == b->n.size &&
	       a->m.c == b->m.c && a->n.c == b->n.c && a->k.size == b->k.size &&
	       a->k.tiled == b->k.tiled && a->k.index == b->k.index;
}

typedef struct Chain {
	Gen *g;
	const GenPlace *w;
	LLVMValueRef table;
	LLVMValueRef rows; /* i64, so far */
	bool scale;
} Chain;

static void put(Chain *c, LLVMValueRef at, unsigned word, LLVMValueRef v)
{
	Ir *r = &c->g->ir;
	ir_store(r, v, ir_at(r, r->i64, at, ir_int(r, word)), NULL);
}

static LLVMValueRef row_at(Ir *r, LLVMValueRef table, LLVMValueRef row)
{
	return ir_at(r, r->i64, table, LLVMBuildMul(r->b, row, ir_int(r, CHAIN_WORDS), ""));
}

/* The rows of one contraction: every combination of its outer counters. */
static void put_rows(Chain *c, const Gemm *g, int64_t products)
{
	Ir *r = &c->g->ir;
	int64_t size = (int64_t)r->real_bytes;
	LLVMValueRef a = gen_address(c->g, c->w, &g->a), b = gen_address(c->g, c->w, &g->b);
	for (int64_t q = 0; q < products; q++) {
		int64_t left = q, da = 0, db = 0;
		for (uint32_t k = g->nouter; k-- > 0;) {
			da += left % g->outer[k].size * g->outer[k].a;
			db += left % g->outer[k].size * g->outer[k].b;
			left /= g->outer[k].size;
		}
		LLVMValueRef at = row_at(r, c->table, c->rows);
		put(c, at, CHAIN_A, ir_at(r, r->i8, a, ir_int(r, da * size)));
		put(c, at, CHAIN_AM, ir_int(r, g->m.a * size));
		put(c, at, CHAIN_B, ir_at(r, r->i8, b, ir_int(r, db * size)));
		put(c, at, CHAIN_BN, ir_int(r, g->n.b * size));
		if (c->scale) {
			put(c, at, CHAIN_SCALE, ir_real(r, g->alpha, 1));
		}
		c->rows = LLVMBuildAdd(r->b, c->rows, ir_int(r, 1), "");
	}
}

/* Parameters of the function that writes the rows of one dimension under a filter and returns the
 * number of rows; strides in bytes. */
enum {
	ROWS_COUNT,
	ROWS_TABLE,
	ROWS_A,
	ROWS_DA,
	ROWS_AM,
	ROWS_B,
	ROWS_DB,
	ROWS_BN,
	ROWS_FILTER,
	ROWS_DF,
	ROWS_SCALE,
	ROWS_SIZE,
	ROWS_PARAMS
};

/* A row is always written; the next one is written over it where the filter does not hold: the
 * table has room for all. */
static void rows_body(Gen *g, LLVMValueRef fn, bool scale)
{
	Ir *r = &g->ir;
	LLVMValueRef p[ROWS_PARAMS], first[4], next[4];
	for (unsigned k = 0; k < ROWS_PARAMS; k++) {
		p[k] = LLVMGetParam(fn, k);
	}
	first[0] = p[ROWS_COUNT];
	first[1] = p[ROWS_A];
	first[2] = p[ROWS_B];
	first[3] = p[ROWS_FILTER];
	IrLoop l;
	ir_loop(r, &l, ir_int(r, 0), p[ROWS_SIZE], 1, 4, first, true);
	LLVMValueRef at = row_at(r, p[ROWS_TABLE], l.phi[0]);
	Chain c = {.g = g};
	put(&c, at, CHAIN_A, l.phi[1]);
	put(&c, at, CHAIN_AM, p[ROWS_AM]);
	put(&c, at, CHAIN_B, l.phi[2]);
	put(&c, at, CHAIN_BN, p[ROWS_BN]);
	if (scale) {
		put(&c, at, CHAIN_SCALE, p[ROWS_SCALE]);
	}
	LLVMValueRef holds = LLVMBuildICmp(r->b, LLVMIntNE, ir_load(r, r->i64, 1, l.phi[3], NULL),
					   ir_int(r, 0), "");
	next[0] = LLVMBuildAdd(r->b, l.phi[0], LLVMBuildZExt(r->b, holds, r->i64, ""), "");
	next[1] = ir_at(r, r->i8, l.phi[1], p[ROWS_DA]);
	next[2] = ir_at(r, r->i8, l.phi[2], p[ROWS_DB]);
	next[3] = ir_at(r, r->i8, l.phi[3], p[ROWS_DF]);
	ir_loop_end(r, &l, next);
	LLVMBuildRet(r->b, l.phi[0]);
}

static LLVMValueRef rows_function(Gen *g, bool scale)
{
	const char *key = scale ? "chain.rows.scale" : "chain.rows";
	LLVMValueRef f = gen_kernel(g, key);
	if (f) {
		return f;
	}
	Ir *r = &g->ir;
	IrPlace back = ir_leave(r);
	LLVMTypeRef param[ROWS_PARAMS];
	for (unsigned k = 0; k < ROWS_PARAMS; k++) {
		bool pointer = k == ROWS_TABLE || k == ROWS_A || k == ROWS_B || k == ROWS_FILTER;
		param[k] = pointer ? r->ptr : k == ROWS_SCALE ? r->real : r->i64;
	}
	f = ir_function(r, key, r->i64, ROWS_PARAMS, param, true);
	rows_body(g, f, scale);
	ir_return(r, back);
	gen_kernel_add(g, key, f);
	return f;
}

/* The rows of a contraction with a filter: dimension d around the kernel and those inside, at these
 * addresses. */
static void filter_rows(Chain *c, const Gemm *g, uint32_t d, LLVMValueRef a, LLVMValueRef b,
			LLVMValueRef filter)
{
	Ir *r = &c->g->ir;
	int64_t size = (int64_t)r->real_bytes;
	GemmDim one = {.size = 1};
	const GemmDim *o = d < g->nouter ? &g->outer[d] : &one;
	if (d + 1 >= g->nouter) {
		LLVMValueRef arg[ROWS_PARAMS] = {c->rows, c->table, a};
		arg[ROWS_DA] = ir_int(r, o->a * size);
		arg[ROWS_AM] = ir_int(r, g->m.a * size);
		arg[ROWS_B] = b;
		arg[ROWS_DB] = ir_int(r, o->b * size);
		arg[ROWS_BN] = ir_int(r, g->n.b * size);
		arg[ROWS_FILTER] = filter;
		arg[ROWS_DF] = ir_int(r, o->filter * 8);
		arg[ROWS_SCALE] = ir_real(r, c->scale ? g->alpha : 1, 1);
		arg[ROWS_SIZE] = ir_int(r, o->size);
		c->rows = gen_call(c->g, rows_function(c->g, c->scale), ROWS_PARAMS, arg);
		return;
	}
	for (int64_t q = 0; q < o->size; q++) {
		filter_rows(c, g, d + 1, ir_at(r, r->i8, a, ir_int(r, q * o->a * size)),
			    ir_at(r, r->i8, b, ir_int(r, q * o->b * size)),
			    ir_at(r, r->i8, filter, ir_int(r, q * o->filter * 8)));
	}
}

static LLVMValueRef table_new(Gen *g, int64_t products)
{
	Ir *r = &g->ir;
	LLVMBasicBlockRef here = LLVMGetInsertBlock(r->b), entry = LLVMGetEntryBasicBlock(r->fn);
	LLVMPositionBuilder(r->b, entry, LLVMGetFirstInstruction(entry));
	LLVMValueRef t = LLVMBuildArrayAlloca(
		r->b, r->i64,
		LLVMConstInt(r->i32, (unsigned long long)(products * CHAIN_WORDS), false), "");
	LLVMSetAlignment(t, 8);
	LLVMPositionBuilderAtEnd(r->b, here);
	return t;
}

static void call_dot(Gen *g, const GenPlace *w, const Gemm *first, const Chain *c, double alpha)
{
	Ir *r = &g->ir;
	int64_t size = (int64_t)r->real_bytes;
	GemmDot shape = {
		.chain = true, .scale = c->scale, .apart = first->n.c != 1, .from = GEMM_FROM_ROW};
	int64_t length = first->k.tiled ? w->width : first->k.size;
	shape.whole = !(first->k.tiled && w->partial) && length % (int64_t)r->vl == 0;
	gen_gemm_dot_block(g, first->m.size, first->n.size, &shape);
	LLVMValueRef at = gen_address(g, w, &first->c), arg[DOT_PARAMS];
	for (unsigned k = 0; k < DOT_PARAMS; k++) {
		arg[k] = ir_int(r, 0);
	}
	arg[DOT_M] = ir_int(r, first->m.size);
	arg[DOT_N] = ir_int(r, first->n.size);
	arg[DOT_K] = first->k.tiled ? w->lanes : ir_int(r, first->k.size);
	arg[DOT_A] = c->table;
	arg[DOT_B] = c->rows;
	arg[DOT_C] = arg[DOT_F] = at;
	arg[DOT_CM] = arg[DOT_FM] = ir_int(r, first->m.c * size);
	arg[DOT_CN] = arg[DOT_FN] = ir_int(r, first->n.c * size);
	arg[DOT_ALPHA] = ir_real(r, c->scale ? 1 : alpha, 1);
	LLVMValueRef f = gen_gemm_dot(g, shape);
	gen_call(g, f, DOT_PARAMS, arg);
}

uint32_t gen_chain(Gen *g, const GenPlace *w, uint32_t n, Step *const *step)
{
	if (step[0]->tag != STEP_GEMM) {
		return 0;
	}
	const Gemm *first = step[0]->gemm;
	Chain c = {.g = g, .w = w};
	int64_t products = 0;
	uint32_t steps = 0;
	for (; steps < n && step[steps]->tag == STEP_GEMM && step[steps]->region == step[0]->region;
	     steps++) {
		const Gemm *x = step[steps]->gemm;
		int64_t more = chain_products(x);
		if (!more || products + more > CHAIN_MOST || !chain_fits(first, x)) {
			break;
		}
		c.scale |= x->alpha != first->alpha;
		products += more;
	}
	if (products < 2) {
		return 0;
	}
	c.table = table_new(g, products);
	c.rows = ir_int(&g->ir, 0);
	for (uint32_t k = 0; k < steps; k++) {
		const Gemm *x = step[k]->gemm;
		if (x->filter.buffer) {
			filter_rows(&c, x, 0, gen_address(g, w, &x->a), gen_address(g, w, &x->b),
				    gen_address(g, w, &x->filter));
		} else {
			put_rows(&c, x, chain_products(x));
		}
	}
	call_dot(g, w, first, &c, first->alpha);
	return steps;
}
