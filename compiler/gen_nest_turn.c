/* gen_nest_turn.c — copies of data records by features to tiles of features by records: squares are
 * transposed in registers by the kernel that packs operands of contractions. */
#include "compiler/gen_gemm.h"
#include "compiler/gen_nest.h"

/* Is the nest one strided read, stored to rows of tile memory, whose source is contiguous along the
 * one loop around the lanes? */
static bool is_turn(Gen *g, const Nest *nest, const NestWalk *w, const Access **from,
		    const Access **to)
{
	const Instr *in = nest->code;
	GenCode look = {.nest = nest};
	if (nest->acc != OPERAND_NONE || nest->ncode != 1 || in->op != VM_LOADS || w->nloop != 1) {
		return false;
	}
	uint32_t a = code_access(&look, in->a), b = code_access(&look, in->dst);
	if (b == OPERAND_NONE) {
		return false;
	}
	*from = &nest->access[a];
	*to = &nest->access[b];
	return nest->dim[nest->ndim - 1].tiled && (*to)->buffer->place == PLACE_TILE &&
	       !(*to)->buffer->integer && !(*from)->buffer->integer && w->stride[2 * a] == 1 &&
	       w->stride[2 * b + 1] == 1 && w->size[0] >= gen_gemm_side(g);
}

bool nest_turn(Gen *g, const GenPlace *w, const Nest *nest, const NestWalk *walk)
{
	Ir *r = &g->ir;
	const Access *from, *to;
	if (!is_turn(g, nest, walk, &from, &to)) {
		return false;
	}
	int64_t bytes = r->real_bytes, last = walk->size[0] - gen_gemm_side(g);
	uint32_t row = (uint32_t)(to - nest->access);
	LLVMValueRef arg[PACK_PARAMS] = {
		[PACK_K] = ir_int(r, walk->size[0]),
		[PACK_N] = w->partial ? w->lanes : ir_int(r, nest->dim[nest->ndim - 1].size),
		[PACK_B] = gen_address(g, w, from),
		[PACK_BK] = ir_int(r, bytes),
		[PACK_BN] = ir_int(r, nest->code[0].i * bytes),
		[PACK_LAST] = ir_int(r, last),
		[PACK_TO] = gen_address(g, w, to),
		[PACK_ROW] = ir_int(r, walk->stride[2 * row] * bytes)};
	LLVMValueRef fn = gen_gemm_pack(g, PACK_TURN);
	LLVMBuildCall2(r->b, LLVMGlobalGetValueType(fn), fn, arg, PACK_PARAMS, "");
	return true;
}
