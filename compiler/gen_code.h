/* gen_code.h — operands and results of instructions, shared by gen_code*.c. */
#ifndef PNN_COMPILER_GEN_CODE_H
#define PNN_COMPILER_GEN_CODE_H
#include "compiler/gen.h"
#include "compiler/interp.h"

/* The value of an operand as it is (real, i64 or i1; one value or all lanes), as a real, an i64 or
 * a truth value. The constant zero is of every kind. */
LLVMValueRef code_value(GenCode *w, uint32_t operand);
LLVMValueRef code_real(GenCode *w, uint32_t operand);
LLVMValueRef code_int(GenCode *w, uint32_t operand);
LLVMValueRef code_truth(GenCode *w, uint32_t operand);
/* The operand as an access, or OPERAND_NONE. */
uint32_t code_access(const GenCode *w, uint32_t operand);
bool code_is_zero(LLVMValueRef v);
/* One value for all lanes of this program: each is spread once. */
LLVMValueRef code_splat(GenCode *w, LLVMValueRef v, unsigned lanes);
/* Gives two values the same number of lanes. */
void code_pair(GenCode *w, LLVMValueRef *a, LLVMValueRef *b);
/* Both conditions; NULL is one that always holds. */
LLVMValueRef code_both(GenCode *w, LLVMValueRef a, LLVMValueRef b);
/* A value as i64: truth values as 0 and 1. */
LLVMValueRef code_wide(Ir *g, LLVMValueRef v);
/* Does the instruction hold a check that may fail? */
bool code_may_fail(const Instr *in);
/* Do vectors of any width begin at labels that are multiples of it, and fill the lanes? */
bool code_aligned(const Nest *nest);
/* A fault of the instruction (NULL: of the reduction) in the lanes where bad holds. */
void code_fault(GenCode *w, const Instr *in, LLVMValueRef bad, LLVMValueRef value);

/* gen_code_int.c: instructions on ints and truth values; NULL if it is not one of them. */
LLVMValueRef code_ints(GenCode *w, const Instr *in);
/* gen_code_move.c: reads and writes at computed places, random numbers. Those that write give
 * NULL. */
LLVMValueRef code_gather(GenCode *w, const Instr *in);
LLVMValueRef code_loads(GenCode *w, const Instr *in);
void code_stores(GenCode *w, const Instr *in);
void code_scatter(GenCode *w, const Instr *in);
LLVMValueRef code_random(GenCode *w, const Instr *in);
#endif
