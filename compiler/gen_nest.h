/* gen_nest.h — kernels of nests: what their code depends on (NestForm), and the state while one is
 * emitted; shared by gen_nest*.c and gen_red.c. */
#ifndef PNN_COMPILER_GEN_NEST_H
#define PNN_COMPILER_GEN_NEST_H
#include "compiler/gen.h"
#include "compiler/gen_code.h"

/* What is done about lanes beyond the last whole vector. */
typedef enum {
	TAIL_NONE,   /* there are none, or they lie in the padding of tile memory */
	TAIL_MASKS,  /* every vector is masked */
	TAIL_SCALARS /* the same code again, one lane at a time */
} NestTail;

enum { NEST_LOOPS = 16 };

/* One way through a nest: loops around the lanes and what they step over. */
typedef struct NestWalk {
	uint32_t nloop;
	int64_t size[NEST_LOOPS];
	int64_t *stride; /* [access][nloop + 1], that of the lanes last */
} NestWalk;

/* Everything that the code of a kernel depends on; numbers come in a table when it is called. */
typedef struct NestForm {
	const Nest *nest;
	uint32_t nloop, nbound;    /* loops around the lanes; the last nbound are reduced over */
	uint32_t dim[NEST_LOOPS];  /* their dimensions in the nest */
	bool *labelled;            /* by dimension: its label is looked at */
	uint32_t nslot, *slot;     /* slots that are arguments */
	unsigned lanes;            /* 1: scalar code */
	bool single;               /* there is one lane only */
	bool empty;                /* reduced over nothing */
	NestTail tail;
	uint32_t ngroup, *group;   /* accesses with equal strides share an index; group by access */
	bool *moves;               /* [group][nloop + 1]: strides other than 0 */
	bool *whole;               /* by access: never masked */
	bool *written;             /* by access: its buffer is written in this nest */
	bool *direct;              /* by access: read as an operand */
	bool *passing;             /* by access: its elements stay in registers, no one else reads them */
	const char *key;
} NestForm;

/* Places in the table: sizes, labels of the dimensions at counter 0, strides by group and loop
 * (the lanes last), the number of the first fault. */
uint32_t nest_table_size(const NestForm *f);
uint32_t nest_table_label(const NestForm *f, uint32_t dim);
uint32_t nest_table_stride(const NestForm *f, uint32_t group, uint32_t loop);
uint32_t nest_table_fault(const NestForm *f);
/* Arguments of a kernel: context, table, number of lanes, slots, addresses of accesses. */
enum { NEST_CONTEXT, NEST_TABLE, NEST_LANES, NEST_SLOTS };

typedef struct NestKernel {
	GenCode code; /* its data is this */
	Gen *g;
	const NestForm *f;
	LLVMValueRef fn, table, n;
	unsigned char *depth, *when; /* by access, by instruction: loops inside of which it changes */
	LLVMValueRef *index; /* by group: elements from the access's address to the present row */
	LLVMValueRef *at;    /* the same at the present lanes, where known */
	LLVMValueRef lane;   /* number of the first lane */
	LLVMValueRef left;   /* number of lanes from there on, where they are masked */
	uint32_t condition;  /* instruction, see nest_condition */
	LLVMValueRef *row_value, row_label; /* code.value and label of the lanes between programs */
} NestKernel;

/* gen_nest_kernel.c: the function of a form. */
LLVMValueRef nest_kernel(Gen *g, const NestForm *f);
LLVMValueRef nest_number(NestKernel *k, uint32_t place); /* of the table */
/* The address of an access at the present lanes. */
LLVMValueRef nest_address(NestKernel *k, uint32_t access);
/* After k->lane has changed. */
void nest_forget_addresses(NestKernel *k);
/* Loop number q of the form; nphi values are carried round. */
typedef struct NestLoop {
	IrLoop loop;
	LLVMValueRef *index, label; /* outside */
	uint32_t dim;
} NestLoop;
void nest_loop(NestKernel *k, NestLoop *l, uint32_t q, unsigned nphi, LLVMValueRef *first);
void nest_loop_end(NestKernel *k, NestLoop *l, LLVMValueRef *next);
/* End of the loop over whole vectors: behind the last lane, unless scalars follow. */
LLVMValueRef nest_whole(NestKernel *k);
/* The lanes from `lane` on that exist; NULL: all. */
LLVMValueRef nest_mask(NestKernel *k, LLVMValueRef lane);
/* Emits the program for some lanes, with the accumulators given in k->code.reg; until nest_lanes_end
 * its operands have their values there. */
void nest_lanes(NestKernel *k, LLVMValueRef lane, unsigned lanes, LLVMValueRef mask);
void nest_lanes_end(NestKernel *k);

/* gen_nest_skip.c: the instruction of a truth value for all lanes without which the nest only
 * stores zeros, or adds nothing to its sums; OPERAND_NONE: there is none. */
uint32_t nest_condition(const NestKernel *k);
/* Its value (i1) in the present loops; NULL: not known. */
LLVMValueRef nest_wanted(const NestKernel *k);
/* Stores the zeros. */
void nest_zero_lanes(NestKernel *k, LLVMValueRef lane, unsigned lanes, LLVMValueRef mask);

/* gen_nest_order.c: the parts of a pointwise nest that have nothing in common, if some of them are
 * alike; else the nest alone. Their instructions are in an order that does not depend on that of
 * the definitions. */
uint32_t gen_nest_parts(Gen *g, const Nest *nest, const Nest ***part);

/* gen_nest_turn.c: a nest that transposes, by a kernel for that; false if it is none. */
bool nest_turn(Gen *g, const GenPlace *w, const Nest *nest, const NestWalk *walk);

/* gen_red.c: the loops of a reduction below its formals. */
void gen_red(NestKernel *k);
#endif
