/* plan_code.h — from scalar expressions to straight-line programs over lanes (plan_code*.c), for
 * plan_nest.c. */
#ifndef PNN_COMPILER_PLAN_CODE_H
#define PNN_COMPILER_PLAN_CODE_H
#include "compiler/interp.h"
#include "compiler/plan_make.h"

/* Operands while code is made; coder_finish turns them into places of the operand table. */
enum { CODE_ACCESS = 1u << 30, CODE_CONST = 1u << 31, CODE_INDEX = CODE_ACCESS - 1 };

typedef struct Val {
	uint32_t at;
	bool uniform;
} Val; /* at OPERAND_NONE: nothing */

typedef struct Coder {
	Planner *p;
	Nest *nest;
	const Dim *dim; /* outer ones, then the lanes */
	uint32_t ndim;
	Instr *code;
	size_t ncode, code_cap;
	Access *access;
	size_t naccess, access_cap;
	double *constant;
	bool *const_int; /* by constant: its kind */
	size_t nconst, const_cap, const_int_cap;
	Fault *fault;
	size_t nfault, fault_cap;
	bool *uniform; /* by register */
	size_t nreg, reg_cap;
	uint32_t *pinned; /* registers that live through the whole nest */
	size_t npinned, pinned_cap;
	struct {
		Node node;
		Val mask;
		Val val;
	} * known; /* values under a mask */
	size_t nknown, known_cap;
	Val *val; /* answers without a mask; plan_memo holds their numbers */
	size_t nval, val_cap;
	bool labels; /* the program looks at labels: dimensions may not be merged */
} Coder;

static const Val VAL_NONE = {OPERAND_NONE, true};
static inline bool val_some(Val v)
{
	return v.at != OPERAND_NONE;
}

void coder_begin(Coder *w, Planner *p, Nest *nest, const Dim *dim, uint32_t ndim);
uint32_t coder_register(Coder *w, bool uniform);
/* A register kept for the whole nest (accumulators): never shared. */
uint32_t coder_pin(Coder *w);
Val coder_real(Coder *w, double v);
Val coder_int(Coder *w, int64_t v);
/* Is this the constant 0, or a read outside, or a condition that never holds? */
bool coder_is_zero(const Coder *w, Val v);
uint32_t coder_access(Coder *w, Access a);
Instr *coder_emit(Coder *w, VmOp op, Val a, Val b, Val c, Val *dst);
/* The value of a node in lanes where the mask holds (NONE: everywhere). */
Val coder_node(Coder *w, Node n, Val mask);
/* plan_code_read.c: a read; plan_code_arith.c: sums and products. */
Val coder_read(Coder *w, Node n, Val mask);
Val coder_lin(Coder *w, Node n, Val mask);
Val coder_prod(Coder *w, Node n, Val mask);
/* acc += k * value of the node, term by term; reals. */
void coder_accumulate(Coder *w, uint32_t acc, Node n, double k, Val mask);
/* Could a check fail below this node? */
bool coder_may_fail(Coder *w, Node n);
/* Is every argument of this read inside what is stored, for all labels of the nest? */
bool coder_arg_safe(Coder *w, const PDef *d, uint32_t k, Node arg, bool *wraps);
bool coder_int_safe(Coder *w, Node n);
/* Stores a value through an access. */
void coder_store(Coder *w, Val v, uint32_t access, int64_t lane_stride);
/* Both conditions. */
Val coder_and(Coder *w, Val a, Val b);
void coder_finish(Coder *w);
#endif
