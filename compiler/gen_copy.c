/* gen_copy.c — the copy of a leaf for the present tile, features by samples: squares transposed in
 * registers. */
#include "compiler/gen_gemm.h"
#include "compiler/gen_int.h"
#include "compiler/interp.h"

/* Records one after the other with contiguous features, to rows of samples? */
static bool is_transpose(const Gen *g, const Nest *n)
{
	if (n->ndim != 2 || n->nbound || n->naccess != 2 || n->ncode != 1 || n->code[0].op != VM_LOADS ||
	    !n->dim[1].tiled || n->dim[0].tiled) {
		return false;
	}
	const Access *from = &n->access[0], *to = &n->access[1];
	return !from->buffer->integer && !to->buffer->integer && from->stride[0] == 1 && from->stride[1] > 1 &&
	       to->stride[1] == 1 && to->buffer->place == PLACE_TILE && n->code[0].a == n->nreg + n->nuniform &&
	       n->dim[0].size >= (int64_t)gen_gemm_side(g);
}

bool gen_copy(Gen *g, const GenPlace *w, const Nest *n)
{
	if (!is_transpose(g, n)) {
		return false;
	}
	Ir *r = &g->ir;
	int64_t size = (int64_t)r->real_bytes, features = n->dim[0].size;
	LLVMValueRef arg[PACK_PARAMS];
	arg[PACK_K] = ir_int(r, features);
	arg[PACK_N] = w->lanes;
	arg[PACK_B] = gen_address(g, w, &n->access[0]);
	arg[PACK_BK] = ir_int(r, size);
	arg[PACK_BN] = ir_int(r, n->access[0].stride[1] * size);
	arg[PACK_LAST] = ir_int(r, features - (int64_t)gen_gemm_side(g));
	arg[PACK_TO] = gen_address(g, w, &n->access[1]);
	arg[PACK_ROW] = ir_int(r, n->access[1].stride[0] * size);
	gen_call(g, gen_gemm_pack(g, PACK_TURN), PACK_PARAMS, arg);
	return true;
}
