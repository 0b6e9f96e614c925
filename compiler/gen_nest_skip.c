/* gen_nest_skip.c — rows of which nothing is wanted: where all that a nest adds or stores stands
 * under one condition that is equal for all lanes of a row ([Z[i] == 2]), the row is not computed
 * where it does not hold. Bits are the same: nothing was added but zeros. */
#include "compiler/gen_nest.h"
#include <string.h>

typedef struct Skip {
	const NestKernel *k;
	uint32_t *last; /* by register: 1 + the instruction that gave its present value */
	uint32_t *part; /* by instruction: 1 + one for all lanes that must hold if this one does */
} Skip;

static uint32_t registers(const Nest *nest)
{
	return nest->nreg + nest->nuniform;
}

/* 1 + an instruction of one value for all lanes that holds wherever the operand holds; 0: none. */
static uint32_t part_of(const Skip *s, uint32_t operand)
{
	const Nest *nest = s->k->f->nest;
	uint32_t at = operand < registers(nest) ? s->last[operand] : 0;
	if (!at || nest->code[at - 1].uniform) {
		return at;
	}
	return nest->code[at - 1].op == VM_AND || nest->code[at - 1].op == VM_GUARD
		       ? s->part[at - 1]
		       : 0;
}

/* What an instruction writes for good: an element, or a sum. */
static bool lasts(const Nest *nest, const Instr *in)
{
	return nest->acc == OPERAND_NONE ? in->dst >= registers(nest) : in->dst == nest->acc;
}

/* 1 + the condition of what this instruction writes for good. */
static uint32_t condition_of(const Skip *s, uint32_t n)
{
	const Nest *nest = s->k->f->nest;
	const Instr *in = &nest->code[n];
	if (nest->acc != OPERAND_NONE) {
		bool adds = in->op == VM_ADD && in->a == nest->acc && in->b < registers(nest);
		uint32_t from = adds ? s->last[in->b] : 0;
		return from && nest->code[from - 1].op == VM_GUARD ? s->part[from - 1] : 0;
	}
	uint32_t a = code_access(&s->k->code, in->dst);
	bool plain = a != OPERAND_NONE && !nest->access[a].buffer->integer &&
		     nest->access[a].stride[nest->ndim - 1] == 1;
	return plain && in->op == VM_GUARD ? s->part[n] : 0;
}

uint32_t nest_condition(const NestKernel *k)
{
	const Nest *nest = k->f->nest;
	Arena *arena = k->g->arena;
	Skip s = {k, arena_array(arena, uint32_t, registers(nest) + 1),
		  arena_array(arena, uint32_t, nest->ncode + 1)};
	uint32_t found = 0;
	if (nest->acc != OPERAND_NONE && (nest->red != RED_SUM || nest->integer)) {
		return OPERAND_NONE;
	}
	for (uint32_t n = 0; n < nest->ncode; n++) {
		const Instr *in = &nest->code[n];
		if (code_may_fail(in) || in->op == VM_SCATTER || in->op == VM_ISCATTER) {
			return OPERAND_NONE;
		}
		if (in->op == VM_AND) {
			uint32_t a = part_of(&s, in->a);
			s.part[n] = a ? a : part_of(&s, in->b);
		} else if (in->op == VM_GUARD) {
			s.part[n] = part_of(&s, in->c != OPERAND_NONE ? in->c : in->b);
		}
		if (lasts(nest, in)) {
			uint32_t here = condition_of(&s, n);
			if (!here || (found && here != found)) {
				return OPERAND_NONE;
			}
			found = here;
		}
		if (in->dst < registers(nest)) {
			s.last[in->dst] = n + 1;
		}
	}
	return found ? found - 1 : OPERAND_NONE;
}

LLVMValueRef nest_wanted(const NestKernel *k)
{
	LLVMValueRef v = k->condition != OPERAND_NONE && k->code.uniform
				 ? k->code.uniform[k->condition]
				 : NULL;
	bool truth = v && LLVMTypeOf(v) == LLVMInt1TypeInContext(k->g->ir.ctx);
	return truth && !LLVMIsConstant(v) ? v : NULL;
}

void nest_zero_lanes(NestKernel *k, LLVMValueRef lane, unsigned lanes, LLVMValueRef mask)
{
	const Nest *nest = k->f->nest;
	GenCode *w = &k->code;
	k->lane = lane;
	nest_forget_addresses(k);
	w->lanes = lanes;
	w->mask = mask;
	w->left = mask ? k->left : NULL;
	for (uint32_t n = 0; n < nest->ncode; n++) {
		if (nest->code[n].dst >= registers(nest)) {
			LLVMValueRef zero = ir_real(&k->g->ir, 0, lanes);
			w->write(w, code_access(w, nest->code[n].dst), zero);
		}
	}
}
