/* gen_int.h — what gen.c and gen_join.c share. */
#ifndef PNN_COMPILER_GEN_INT_H
#define PNN_COMPILER_GEN_INT_H
#include "compiler/gen.h"

/* A call of a function of the module. */
LLVMValueRef gen_call(Gen *g, LLVMValueRef f, unsigned n, LLVMValueRef *arg);
/* The number of a fault of a join: accumulators of a definition of ints overflowed. */
int64_t gen_fault_join(Gen *g, Def def);
/* Makes pnn_block_<t> and pnn_join_<t>; the builder stays where it is. slot: those that hold a
 * value around the loop are not NULL. */
void gen_tile_later(Gen *g, const Loop *l, LLVMValueRef *slot);

/* ---- gen_chain.c */
/* Emits the first contractions of a run as one kernel where they are added to one array; how many. */
uint32_t gen_chain(Gen *g, const GenPlace *w, uint32_t n, Step *const *step);

/* ---- gen_join.c */
/* Sets the accumulators of one block to their neutral elements. */
void gen_neutral(Gen *g, const Loop *l, LLVMValueRef block);
/* pnn_join_<t>: the tree of fixed shape over the blocks; block 0 holds the result. */
void gen_join_function(Gen *g, const Loop *l);
#endif
