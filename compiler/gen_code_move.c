/* gen_code_move.c — values at places that are computed or lie apart: gathers, strided reads and
 * writes, sums into places that are computed; and random numbers. */
#include "compiler/gen_code.h"
#include "compiler/ir_math.h"
#include <assert.h>

enum { ZERO_WORDS = 32, SHUFFLE_MAX = 4 };

/* Zeros, read in place of what a condition excludes: its address may lie outside the array. */
static LLVMValueRef zeros(Gen *g)
{
	static const char NAME[] = "pnn_zeros";
	Ir *r = &g->ir;
	LLVMValueRef v = LLVMGetNamedGlobal(r->mod, NAME);
	if (!v) {
		LLVMTypeRef t = LLVMArrayType2(r->i64, ZERO_WORDS);
		v = LLVMAddGlobal(r->mod, t, NAME);
		LLVMSetInitializer(v, LLVMConstNull(t));
		LLVMSetGlobalConstant(v, true);
		LLVMSetLinkage(v, LLVMInternalLinkage);
	}
	return v;
}

static LLVMValueRef access_at(GenCode *w, uint32_t access, LLVMValueRef offset, LLVMValueRef cond)
{
	Ir *g = &w->g->ir;
	LLVMTypeRef t = gen_type(w->g, w->nest->access[access].buffer);
	LLVMValueRef at = ir_at(g, t, w->address(w, access), offset);
	return cond ? LLVMBuildSelect(g->b, cond, at, zeros(w->g), "") : at;
}

static LLVMValueRef lane(Ir *g, LLVMValueRef v, unsigned k)
{
	return ir_lanes(v) == 1 ? v
				: LLVMBuildExtractElement(g->b, v, LLVMConstInt(g->i32, k, false), "");
}

/* Each lane by itself, where the target has no gathers under a mask, or slow ones. cond may be NULL. */
static LLVMValueRef gather_lanes(GenCode *w, uint32_t k, LLVMValueRef place, LLVMValueRef cond)
{
	Ir *g = &w->g->ir;
	LLVMTypeRef t = gen_type(w->g, w->nest->access[k].buffer);
	unsigned n = ir_lanes(place);
	LLVMValueRef all = LLVMGetPoison(ir_vec(g, t, n));
	for (unsigned l = 0; l < n; l++) {
		LLVMValueRef at =
			access_at(w, k, lane(g, place, l), cond ? lane(g, cond, l) : NULL);
		all = LLVMBuildInsertElement(g->b, all, ir_load(g, t, 1, at, NULL),
					     LLVMConstInt(g->i32, l, false), "");
	}
	return all;
}

/* ---- places i xor u of the lanes' own labels i, with one u for all lanes ---- */

/* The last instruction before `before` that sets the register, or none. */
static const Instr *setter(const Nest *nest, uint32_t reg, const Instr *before)
{
	while (before-- > nest->code) {
		if (before->dst == reg) {
			return before;
		}
	}
	return NULL;
}

/* The instruction label xor u that gives the places of a gather, or NULL. */
static const Instr *flip_of(const GenCode *w, const Instr *in)
{
	const Nest *nest = w->nest;
	if (in->i || in->uniform || !code_aligned(nest)) {
		return NULL;
	}
	const Instr *at = setter(nest, in->b, in);
	if (!at || at->op != VM_OFFSET || at->i != 1 || at->j || at->b != OPERAND_NONE) {
		return NULL;
	}
	const Instr *flip = setter(nest, at->a, at);
	if (!flip || flip->op != VM_IXOR || !(flip->lone & 3) || (flip->lone & 3) == 3) {
		return NULL;
	}
	const Instr *own = setter(nest, flip->lone & 1 ? flip->b : flip->a, flip);
	return own && own->op == VM_IOTA && own->i == (int64_t)nest->ndim - 1 ? flip : NULL;
}

/* An operand as it was at the instruction `at`, where its register may have been set again since;
 * NULL if it is gone. */
static LLVMValueRef value_before(GenCode *w, uint32_t operand, const Instr *at, const Instr *now)
{
	const Nest *nest = w->nest;
	if (operand >= nest->nreg + nest->nuniform) {
		return code_access(w, operand) == OPERAND_NONE ? code_int(w, operand) : NULL;
	}
	const Instr *made = setter(nest, operand, at);
	if (made && w->uniform && w->uniform[made - nest->code]) {
		return w->uniform[made - nest->code];
	}
	return made && setter(nest, operand, now) == made ? code_int(w, operand) : NULL;
}

/* The labels begin at whole vectors: i xor u lies in the vector of i xor (the high bits of u), and
 * every low bit of u that is set exchanges neighbours, pairs, … of its lanes. */
static LLVMValueRef flipped(GenCode *w, uint32_t k, LLVMValueRef u, LLVMValueRef cond)
{
	Ir *g = &w->g->ir;
	LLVMTypeRef t = gen_type(w->g, w->nest->access[k].buffer);
	unsigned n = w->lanes;
	u = code_wide(g, u);
	LLVMValueRef high = LLVMBuildAnd(g->b, u, ir_int(g, -(int64_t)n), "");
	high = LLVMBuildXor(g->b, w->label[w->nest->ndim - 1], high, "");
	LLVMValueRef v = ir_load(g, t, n, access_at(w, k, high, cond), NULL), pick[64];
	LLVMTypeRef like = t == g->real && g->real_bytes == 4 ? g->i32 : g->i64;
	LLVMValueRef low = code_splat(w, LLVMBuildTrunc(g->b, u, like, ""), n);
	for (unsigned bit = 1; bit < n; bit *= 2) {
		for (unsigned l = 0; l < n; l++) {
			pick[l] = LLVMConstInt(g->i32, l ^ bit, false);
		}
		LLVMValueRef set = LLVMBuildAnd(g->b, low, ir_int_like(g, bit, low), "");
		set = LLVMBuildICmp(g->b, LLVMIntNE, set, ir_int_like(g, 0, set), "");
		LLVMValueRef other = LLVMBuildShuffleVector(g->b, v, LLVMGetPoison(LLVMTypeOf(v)),
							    LLVMConstVector(pick, n), "");
		v = LLVMBuildSelect(g->b, set, other, v, "");
	}
	return v;
}

/* y = a[lane*i + b] where c holds, else 0 */
LLVMValueRef code_gather(GenCode *w, const Instr *in)
{
	Ir *g = &w->g->ir;
	uint32_t k = code_access(w, in->a);
	assert(k != OPERAND_NONE);
	LLVMTypeRef t = gen_type(w->g, w->nest->access[k].buffer);
	LLVMValueRef offset = code_int(w, in->b);
	LLVMValueRef cond = in->c == OPERAND_NONE ? NULL : code_truth(w, in->c);
	bool lone = !cond || ir_lanes(cond) == 1;
	if (w->lanes == 1 || (lone && ir_lanes(offset) == 1 && (in->i == 0 || in->uniform))) {
		return ir_load(g, t, 1, access_at(w, k, offset, cond), NULL);
	}
	if (ir_lanes(offset) == 1 && in->i == 1 && (lone || g->target.masks)) {
		LLVMValueRef at = access_at(w, k, offset, lone ? cond : NULL);
		return ir_load(g, t, w->lanes, at, lone ? w->mask : code_both(w, cond, w->mask));
	}
	const Instr *flip = lone && w->lanes > 1 ? flip_of(w, in) : NULL;
	LLVMValueRef u = flip ? value_before(w, flip->lone & 1 ? flip->a : flip->b, flip, in) : NULL;
	if (u) {
		return flipped(w, k, u, cond);
	}
	LLVMValueRef place = code_splat(w, offset, w->lanes);
	if (in->i) {
		LLVMValueRef iota = ir_iota(g, w->lanes);
		LLVMValueRef step = LLVMBuildMul(g->b, iota, ir_int_like(g, in->i, iota), "");
		place = LLVMBuildAdd(g->b, place, step, "");
	}
	LLVMValueRef mask = code_both(w, cond, w->mask);
	mask = mask ? code_splat(w, mask, w->lanes) : NULL;
	bool lanes = mask ? !g->target.masks : g->target.slow_gathers;
	return lanes
		       ? gather_lanes(w, k, place, mask)
		       : ir_gather(g, t, w->address(w, k), place, mask);
}

/* Every stride-th element of neighbouring vectors; the last one ends with the last element wanted,
 * so that nothing behind it is touched. stride <= n. */
static LLVMValueRef load_shuffled(GenCode *w, LLVMTypeRef t, LLVMValueRef at, unsigned stride)
{
	Ir *g = &w->g->ir;
	unsigned n = w->lanes;
	LLVMValueRef all = NULL, pick[64], end = NULL;
	assert(n <= 64);
	if (w->mask) { /* elements up to that of the last lane that exists */
		LLVMValueRef before = LLVMBuildSub(g->b, w->left, ir_int(g, 1), "");
		before = LLVMBuildMul(g->b, before, ir_int(g, stride), "");
		end = LLVMBuildAdd(g->b, before, ir_int(g, 1), "");
	}
	for (unsigned q = 0; q < stride; q++) {
		unsigned begin = q + 1 < stride ? q * n : stride * (n - 1) + 1 - n;
		LLVMValueRef from = ir_at(g, t, at, ir_int(g, begin));
		LLVMValueRef rest = end && q ? LLVMBuildSub(g->b, end, ir_int(g, begin), "") : end;
		LLVMValueRef v = ir_load(g, t, n, from, rest ? ir_mask(g, n, rest) : NULL);
		if (q == 0) {
			all = v;
			continue;
		}
		for (unsigned l = 0; l < n; l++) { /* lanes of `all` from q = 1 on: already in place */
			unsigned want = l * stride, of = want / n;
			of = of < stride ? of : stride - 1;
			unsigned have = q == 1 ? (of == 0 ? want : l) : l;
			pick[l] = LLVMConstInt(g->i32, of == q ? n + want - begin : have % n, false);
		}
		all = LLVMBuildShuffleVector(g->b, all, v, LLVMConstVector(pick, n), "");
	}
	return all;
}

LLVMValueRef code_loads(GenCode *w, const Instr *in)
{
	Ir *g = &w->g->ir;
	uint32_t k = code_access(w, in->a);
	assert(k != OPERAND_NONE);
	if (w->value[k]) {
		return w->value[k];
	}
	LLVMTypeRef t = gen_type(w->g, w->nest->access[k].buffer);
	LLVMValueRef at = w->address(w, k), v;
	bool known = !w->mask || w->left;
	if (known && in->i >= 2 && in->i <= SHUFFLE_MAX && in->i <= w->lanes) {
		v = load_shuffled(w, t, at, (unsigned)in->i);
	} else {
		v = ir_load_strided(g, t, w->lanes, at, ir_int(g, in->i), w->mask);
	}
	w->value[k] = v;
	return v;
}

void code_stores(GenCode *w, const Instr *in)
{
	Ir *g = &w->g->ir;
	uint32_t k = code_access(w, in->dst);
	assert(k != OPERAND_NONE);
	bool integer = w->nest->access[k].buffer->integer;
	LLVMValueRef v = integer ? code_int(w, in->a) : code_real(w, in->a);
	v = code_splat(w, v, w->lanes);
	for (uint32_t q = 0; q < w->nest->naccess; q++) {
		bool same = w->nest->access[q].buffer == w->nest->access[k].buffer;
		w->value[q] = same ? NULL : w->value[q];
	}
	ir_store_strided(g, v, w->address(w, k), ir_int(g, in->i), w->mask);
}

/* ---- sums into computed places ---- */

/* Memory of the function for all lanes of a value, and the value in it. */
static LLVMValueRef spill(Ir *g, LLVMValueRef v)
{
	LLVMBasicBlockRef here = LLVMGetInsertBlock(g->b);
	LLVMBasicBlockRef entry = LLVMGetEntryBasicBlock(g->fn);
	LLVMValueRef first = LLVMGetFirstInstruction(entry);
	if (first) {
		LLVMPositionBuilderBefore(g->b, first);
	} else {
		LLVMPositionBuilderAtEnd(g->b, entry);
	}
	LLVMValueRef room = LLVMBuildAlloca(g->b, LLVMTypeOf(v), "");
	LLVMPositionBuilderAtEnd(g->b, here);
	ir_store(g, v, room, NULL);
	return room;
}

static void scatter_one(GenCode *w, const Instr *in, LLVMValueRef place, LLVMValueRef value,
			LLVMValueRef cond)
{
	Ir *g = &w->g->ir;
	uint32_t k = code_access(w, in->dst);
	LLVMTypeRef t = gen_type(w->g, w->nest->access[k].buffer);
	IrIf holds;
	if (cond) {
		ir_if(g, &holds, cond);
	}
	LLVMValueRef at = ir_at(g, t, w->address(w, k), place), was = ir_load(g, t, 1, at, NULL);
	if (in->op == VM_SCATTER) {
		ir_store(g, LLVMBuildFAdd(g->b, was, value, ""), at, NULL);
	} else {
		LLVMValueRef sum = ir_intrinsic(g, "llvm.sadd.with.overflow", 2,
						(LLVMValueRef[]){was, value});
		ir_store(g, LLVMBuildExtractValue(g->b, sum, 0, ""), at, NULL);
		code_fault(w, in, LLVMBuildExtractValue(g->b, sum, 1, ""), was);
	}
	if (cond) {
		ir_if_end(g, &holds);
	}
}

/* y[b] += a where c holds, in the order of the lanes: two of them may name one place. */
void code_scatter(GenCode *w, const Instr *in)
{
	Ir *g = &w->g->ir;
	LLVMValueRef place = code_int(w, in->b);
	LLVMValueRef value = in->op == VM_SCATTER ? code_real(w, in->a) : code_int(w, in->a);
	LLVMValueRef cond = in->c == OPERAND_NONE ? NULL : code_truth(w, in->c);
	cond = code_both(w, cond, w->mask);
	if (w->lanes == 1 || in->uniform) {
		scatter_one(w, in, place, value, cond);
		return;
	}
	LLVMTypeRef t = ir_element(value);
	LLVMValueRef places = spill(g, code_splat(w, place, w->lanes));
	LLVMValueRef values = spill(g, code_splat(w, value, w->lanes));
	LLVMValueRef conds = cond ? spill(g, code_wide(g, code_splat(w, cond, w->lanes))) : NULL;
	IrLoop l;
	ir_loop(g, &l, ir_int(g, 0), ir_int(g, w->lanes), 1, 0, NULL, true);
	place = ir_load(g, g->i64, 1, ir_at(g, g->i64, places, l.i), NULL);
	value = ir_load(g, t, 1, ir_at(g, t, values, l.i), NULL);
	if (conds) {
		cond = ir_load(g, g->i64, 1, ir_at(g, g->i64, conds, l.i), NULL);
		cond = LLVMBuildICmp(g->b, LLVMIntNE, cond, ir_int(g, 0), "");
	}
	scatter_one(w, in, place, value, cond);
	ir_loop_end(g, &l, NULL);
}

/* ---- random numbers ---- */

/* More than four indices: the last word mixes the rest, in their order. */
static LLVMValueRef mixed(GenCode *w, LLVMValueRef word, LLVMValueRef v)
{
	Ir *g = &w->g->ir;
	code_pair(w, &word, &v);
	v = LLVMBuildAdd(g->b, v, ir_int_like(g, (int64_t)0x9e3779b97f4a7c15u, v), "");
	v = LLVMBuildXor(g->b, word, v, "");
	v = LLVMBuildMul(g->b, v, ir_int_like(g, (int64_t)0xbf58476d1ce4e5b9u, v), "");
	return LLVMBuildXor(g->b, v, LLVMBuildLShr(g->b, v, ir_int_like(g, 31, v), ""), "");
}

LLVMValueRef code_random(GenCode *w, const Instr *in)
{
	Ir *g = &w->g->ir;
	LLVMValueRef zero = ir_int(g, 0), index[4] = {zero, zero, zero, zero};
	unsigned lanes = 1;
	for (uint32_t q = 0; q < in->nmore; q++) {
		LLVMValueRef v = code_int(w, in->more[q]);
		lanes = ir_lanes(v) > lanes ? ir_lanes(v) : lanes;
		if (q < 4) {
			index[q] = v;
		} else {
			index[3] = mixed(w, index[3], v);
		}
	}
	LLVMValueRef seed = gen_context(w->g, w->context, CONTEXT_SEED, g->i64);
	LLVMValueRef step = in->j ? gen_context(w->g, w->context, CONTEXT_STEP, g->i64) : zero;
	return ir_random(g, in->op == VM_NORMAL, lanes, seed, ir_int(g, in->i), step, index);
}
