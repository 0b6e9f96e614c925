/* gen_chain.c — neighbouring contractions over the samples of a tile that are added to one array:
 * the gradient of a weight from several streams (u, u_x, u_xx …), or a sum over a further index.
 * One kernel takes all products before it touches the array, so that the lanes of an element are
 * summed once. */
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
	return same_place(&a->c, &b->c) && a->m.size == b->m.size && a->n.size == b->n.size && a->m.c == b->m.c &&
	       a->n.c == b->n.c && a->k.size == b->k.size && a->k.tiled == b->k.tiled && a->k.index == b->k.index;
}

typedef struct Chain {
	Gen *g;
	const GenPlace *w;
	LLVMValueRef table;
	int64_t row;
	bool scale;
} Chain;

static void put(Chain *c, unsigned word, LLVMValueRef v)
{
	Ir *r = &c->g->ir;
	ir_store(r, v, ir_at(r, r->i64, c->table, ir_int(r, c->row * CHAIN_WORDS + word)), NULL);
}

/* The rows of one contraction: every combination of its outer counters. */
static void put_rows(Chain *c, const Gemm *g, int64_t products)
{
	Ir *r = &c->g->ir;
	int64_t size = (int64_t)r->real_bytes;
	LLVMValueRef a = gen_address(c->g, c->w, &g->a), b = gen_address(c->g, c->w, &g->b);
	for (int64_t q = 0; q < products; q++, c->row++) {
		int64_t left = q, da = 0, db = 0;
		for (uint32_t k = g->nouter; k-- > 0;) {
			da += left % g->outer[k].size * g->outer[k].a;
			db += left % g->outer[k].size * g->outer[k].b;
			left /= g->outer[k].size;
		}
		put(c, CHAIN_A, ir_at(r, r->i8, a, ir_int(r, da * size)));
		put(c, CHAIN_AM, ir_int(r, g->m.a * size));
		put(c, CHAIN_B, ir_at(r, r->i8, b, ir_int(r, db * size)));
		put(c, CHAIN_BN, ir_int(r, g->n.b * size));
		if (c->scale) {
			put(c, CHAIN_SCALE, ir_real(r, g->alpha, 1));
		}
	}
}

static LLVMValueRef table_new(Gen *g, int64_t products)
{
	Ir *r = &g->ir;
	LLVMBasicBlockRef here = LLVMGetInsertBlock(r->b), entry = LLVMGetEntryBasicBlock(r->fn);
	LLVMPositionBuilder(r->b, entry, LLVMGetFirstInstruction(entry));
	LLVMValueRef t = LLVMBuildArrayAlloca(
		r->b, r->i64, LLVMConstInt(r->i32, (unsigned long long)(products * CHAIN_WORDS), false), "");
	LLVMSetAlignment(t, 8);
	LLVMPositionBuilderAtEnd(r->b, here);
	return t;
}

static void call_dot(Gen *g, const GenPlace *w, const Gemm *first, const Chain *c, double alpha)
{
	Ir *r = &g->ir;
	int64_t size = (int64_t)r->real_bytes;
	GemmDot shape = {.chain = true, .scale = c->scale, .apart = first->n.c != 1, .from = GEMM_FROM_ROW};
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
	arg[DOT_B] = ir_int(r, c->row);
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
	for (; steps < n && step[steps]->tag == STEP_GEMM && step[steps]->region == step[0]->region; steps++) {
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
	for (uint32_t k = 0; k < steps; k++) {
		put_rows(&c, step[k]->gemm, chain_products(step[k]->gemm));
	}
	call_dot(g, w, first, &c, first->alpha);
	return steps;
}
