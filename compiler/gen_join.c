/* gen_join.c — accumulators of blocks: their neutral elements, and the tree that joins them.
 *
 * Accumulators lie side by side and take whole cache lines, so neighbours of one kind are handled
 * as one array of whole vectors; what lies between them is neutral too. */
#include "compiler/gen_int.h"
#include "compiler/interp_int.h"
#include <string.h>

/* Neighbouring accumulators that are joined in one way. */
typedef struct Group {
	size_t offset, words;
	RedKind red;
	bool integer;
	Def def;
} Group;

static size_t group_end(const Loop *l, uint32_t k)
{
	return k < l->njoin ? l->join[k]->offset : l->accumulators;
}

/* The group that begins at accumulator *k, which moves on. Ints stay alone: an overflow is reported
 * by its definition. */
static Group next_group(const Loop *l, uint32_t *k)
{
	const Buffer *first = l->join[(*k)++];
	while (!first->integer && *k < l->njoin && !l->join[*k]->integer &&
	       l->join[*k]->red == first->red) {
		++*k;
	}
	return (Group){first->offset, group_end(l, *k) - first->offset, first->red,
		       first->integer, first->def};
}

/* ---- neutral elements ---- */

static int64_t neutral_word(const Gen *g, const Group *of)
{
	int64_t bits = red_neutral(of->red, of->integer);
	if (of->integer || g->ir.real_bytes == 8) {
		return bits;
	}
	double value;
	memcpy(&value, &bits, sizeof value);
	float two[2] = {(float)value, (float)value};
	memcpy(&bits, two, sizeof bits);
	return bits;
}

/* void(ptr to, i64 word, i64 words): words is a multiple of 8 */
static LLVMValueRef set_words(Gen *g)
{
	static const char KEY[] = "set words";
	LLVMValueRef f = gen_kernel(g, KEY);
	if (f) {
		return f;
	}
	Ir *r = &g->ir;
	IrPlace back = ir_leave(r);
	f = ir_function(r, "pnn_set", r->nothing, 3, (LLVMTypeRef[]){r->ptr, r->i64, r->i64},
			true);
	LLVMValueRef word = ir_splat(r, LLVMGetParam(f, 1), r->target.vector_bytes / 8);
	IrLoop l;
	ir_loop(r, &l, ir_int(r, 0), LLVMGetParam(f, 2), r->target.vector_bytes / 8, 0, NULL,
		false);
	ir_store(r, word, ir_at(r, r->i64, LLVMGetParam(f, 0), l.i), NULL);
	ir_loop_end(r, &l, NULL);
	LLVMBuildRetVoid(r->b);
	ir_return(r, back);
	gen_kernel_add(g, KEY, f);
	return f;
}

void gen_neutral(Gen *g, const Loop *l, LLVMValueRef block)
{
	Ir *r = &g->ir;
	for (uint32_t k = 0; k < l->njoin;) {
		Group of = next_group(l, &k);
		LLVMValueRef at = ir_at(r, r->i64, block, ir_int(r, (int64_t)of.offset));
		LLVMValueRef arg[3] = {at, ir_int(r, neutral_word(g, &of)),
				       ir_int(r, (int64_t)of.words)};
		gen_call(g, set_words(g), 3, arg);
	}
}

/* ---- joining ---- */

/* a, or b where it is the more extreme one; not a number if either is. */
static LLVMValueRef extreme(Ir *r, LLVMRealPredicate more, LLVMValueRef a, LLVMValueRef b)
{
	LLVMValueRef beyond = LLVMBuildFCmp(r->b, more, b, a, "");
	LLVMValueRef none = LLVMBuildFCmp(r->b, LLVMRealUNO, b, b, "");
	LLVMValueRef had = LLVMBuildFCmp(r->b, LLVMRealUNO, a, a, "");
	LLVMValueRef take = LLVMBuildOr(r->b, beyond, none, "");
	LLVMValueRef other = LLVMBuildSelect(r->b, had, a, b, "");
	return LLVMBuildSelect(r->b, take, other, a, "");
}

static LLVMValueRef join_reals(Ir *r, RedKind red, LLVMValueRef a, LLVMValueRef b)
{
	switch (red) {
	case RED_PROD:
		return LLVMBuildFMul(r->b, a, b, "");
	case RED_MAX:
		return extreme(r, LLVMRealOGT, a, b);
	case RED_MIN:
		return extreme(r, LLVMRealOLT, a, b);
	default:
		return LLVMBuildFAdd(r->b, a, b, "");
	}
}

static LLVMValueRef pick(Ir *r, LLVMIntPredicate better, LLVMValueRef a, LLVMValueRef b)
{
	return LLVMBuildSelect(r->b, LLVMBuildICmp(r->b, better, a, b, ""), a, b, "");
}

/* *bad (i1): the exact value is no i64 */
static LLVMValueRef checked(Ir *r, const char *name, LLVMValueRef a, LLVMValueRef b,
			    LLVMValueRef *bad)
{
	LLVMValueRef both = ir_intrinsic(r, name, 2, (LLVMValueRef[]){a, b});
	*bad = LLVMBuildExtractValue(r->b, both, 1, "");
	return LLVMBuildExtractValue(r->b, both, 0, "");
}

static LLVMValueRef join_ints(Ir *r, RedKind red, LLVMValueRef a, LLVMValueRef b,
			      LLVMValueRef *bad)
{
	*bad = NULL;
	switch (red) {
	case RED_PROD:
		return checked(r, "llvm.smul.with.overflow", a, b, bad);
	case RED_MAX:
		return pick(r, LLVMIntSGT, a, b);
	case RED_MIN:
		return pick(r, LLVMIntSLT, a, b);
	case RED_ALL:
		return LLVMBuildAnd(r->b, a, b, "");
	case RED_ANY:
		return LLVMBuildOr(r->b, a, b, "");
	default:
		return checked(r, "llvm.sadd.with.overflow", a, b, bad);
	}
}

/* void(ptr context, ptr to, ptr from, i64 elements, i64 fault): reals are whole cache lines */
static LLVMValueRef join_kernel(Gen *g, const Group *of)
{
	const char *key = arena_printf(g->arena, "join %d %d", (int)of->red, of->integer);
	LLVMValueRef f = gen_kernel(g, key);
	if (f) {
		return f;
	}
	Ir *r = &g->ir;
	IrPlace back = ir_leave(r);
	f = ir_function(r, "pnn_join", r->nothing, 5,
			(LLVMTypeRef[]){r->ptr, r->ptr, r->ptr, r->i64, r->i64}, true);
	LLVMTypeRef type = of->integer ? r->i64 : r->real;
	unsigned lanes = of->integer ? 1 : r->vl;
	IrLoop l;
	ir_loop(r, &l, ir_int(r, 0), LLVMGetParam(f, 3), lanes, 0, NULL, false);
	LLVMValueRef to = ir_at(r, type, LLVMGetParam(f, 1), l.i);
	LLVMValueRef a = ir_load(r, type, lanes, to, NULL);
	LLVMValueRef b = ir_load(r, type, lanes, ir_at(r, type, LLVMGetParam(f, 2), l.i), NULL);
	LLVMValueRef bad = NULL, v = of->integer ? join_ints(r, of->red, a, b, &bad)
						 : join_reals(r, of->red, a, b);
	ir_store(r, v, to, NULL);
	if (bad) {
		gen_fault_at(g, LLVMGetParam(f, 0), bad, LLVMGetParam(f, 4), v);
	}
	ir_loop_end(r, &l, NULL);
	LLVMBuildRetVoid(r->b);
	ir_return(r, back);
	gen_kernel_add(g, key, f);
	return f;
}

/* All accumulators of the block at `from` join those at `to`. */
static void join_pair(Gen *g, const Loop *l, LLVMValueRef context, LLVMValueRef to,
		      LLVMValueRef from, const int64_t *fault)
{
	Ir *r = &g->ir;
	for (uint32_t k = 0, n = 0; k < l->njoin; n++) {
		Group of = next_group(l, &k);
		int64_t count = of.integer ? (int64_t)l->join[k - 1]->count
					   : (int64_t)(of.words * 8 / r->real_bytes);
		LLVMValueRef skip = ir_int(r, (int64_t)of.offset);
		LLVMValueRef arg[5] = {context, ir_at(r, r->i64, to, skip),
				       ir_at(r, r->i64, from, skip), ir_int(r, count),
				       ir_int(r, fault[n])};
		gen_call(g, join_kernel(g, &of), 5, arg);
	}
}

void gen_join_function(Gen *g, const Loop *l)
{
	Ir *r = &g->ir;
	const char *name = arena_printf(g->arena, "pnn_join_%u", l->number);
	LLVMValueRef f = ir_function(r, name, r->nothing, 1, &r->ptr, false);
	LLVMValueRef context = LLVMGetParam(f, 0);
	LLVMValueRef base = gen_context(g, context, CONTEXT_BLOCK, r->ptr);
	base = ir_at(r, r->i64, base, ir_int(r, (int64_t)l->base));
	int64_t *fault = arena_array(g->arena, int64_t, l->njoin + 1);
	for (uint32_t k = 0, n = 0; k < l->njoin; n++) {
		Group of = next_group(l, &k);
		fault[n] = of.integer ? gen_fault_join(g, of.def) : 0;
	}
	int64_t size = (int64_t)l->accumulators;
	for (uint32_t apart = 1; l->njoin && apart < l->nblock; apart *= 2) {
		IrLoop b;
		ir_loop(r, &b, ir_int(r, 0), ir_int(r, l->nblock - apart), 2 * apart, 0, NULL,
			true);
		LLVMValueRef skip = LLVMBuildMul(r->b, b.i, ir_int(r, size), "");
		LLVMValueRef to = ir_at(r, r->i64, base, skip);
		LLVMValueRef from = ir_at(r, r->i64, to, ir_int(r, size * apart));
		join_pair(g, l, context, to, from, fault);
		ir_loop_end(r, &b, NULL);
	}
	LLVMBuildRetVoid(r->b);
}
