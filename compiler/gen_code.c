/* gen_code.c — the program of a nest (interp.h) as SSA values for one set of lanes: operands of
 * three kinds (reals, i64, truth values), instructions on reals, the order of all.
 *
 * A value that is equal in all lanes stays a scalar until it meets lanes. The meaning of every
 * instruction is that of interp_vm.c, but for products and sums in one instruction: these are fused. */
#include "compiler/gen_code.h"
#include "compiler/ir_math.h"
#include <assert.h>
#include <math.h>
#include <string.h>

/* ---- operands ---- */

static uint32_t first_access(const Nest *n)
{
	return n->nreg + n->nuniform;
}

uint32_t code_access(const GenCode *w, uint32_t operand)
{
	uint32_t first = first_access(w->nest);
	bool is = operand != OPERAND_NONE && operand >= first && operand - first < w->nest->naccess;
	return is ? operand - first : OPERAND_NONE;
}

static LLVMValueRef constant(const GenCode *w, uint32_t k)
{
	const Nest *n = w->nest;
	if (!n->constant_int[k]) {
		return ir_real(&w->g->ir, n->constant[k], 1);
	}
	int64_t bits;
	memcpy(&bits, &n->constant[k], sizeof bits);
	return ir_int(&w->g->ir, bits);
}

LLVMValueRef code_value(GenCode *w, uint32_t operand)
{
	const Nest *n = w->nest;
	assert(operand != OPERAND_NONE);
	if (operand < first_access(n)) {
		assert(w->reg[operand]);
		return w->reg[operand];
	}
	uint32_t k = operand - first_access(n);
	if (k >= n->naccess) {
		return constant(w, k - n->naccess);
	}
	if (!w->value[k]) {
		w->value[k] = w->read(w, k);
	}
	return w->value[k];
}

bool code_is_zero(LLVMValueRef v)
{
	return LLVMIsConstant(v) && LLVMIsNull(v);
}

LLVMValueRef code_wide(Ir *g, LLVMValueRef v)
{
	LLVMTypeRef to = ir_vec(g, g->i64, ir_lanes(v));
	return ir_element(v) == g->i1 ? LLVMBuildZExt(g->b, v, to, "") : v;
}

/* Zero of the other kind has the same bits; nothing else changes its kind without an instruction. */
static LLVMValueRef as_kind(Ir *g, LLVMValueRef v, LLVMTypeRef kind)
{
	if (ir_element(v) == kind) {
		return v;
	}
	if (code_is_zero(v)) {
		return LLVMConstNull(ir_vec(g, kind, ir_lanes(v)));
	}
	assert(kind == g->i64 && ir_element(v) == g->i1);
	return code_wide(g, v);
}

LLVMValueRef code_real(GenCode *w, uint32_t operand)
{
	return as_kind(&w->g->ir, code_value(w, operand), w->g->ir.real);
}

LLVMValueRef code_int(GenCode *w, uint32_t operand)
{
	return as_kind(&w->g->ir, code_value(w, operand), w->g->ir.i64);
}

LLVMValueRef code_truth(GenCode *w, uint32_t operand)
{
	Ir *g = &w->g->ir;
	LLVMValueRef v = code_value(w, operand);
	if (ir_element(v) == g->i1) {
		return v;
	}
	v = as_kind(g, v, g->i64);
	return LLVMBuildICmp(g->b, LLVMIntNE, v, ir_int_like(g, 0, v), "");
}

typedef struct CodeSplat {
	LLVMValueRef one, all;
} CodeSplat;
struct CodeSplats {
	size_t n, cap;
	CodeSplat *pair;
};

LLVMValueRef code_splat(GenCode *w, LLVMValueRef v, unsigned lanes)
{
	Ir *g = &w->g->ir;
	struct CodeSplats *s = w->splats;
	if (ir_lanes(v) == lanes || LLVMIsConstant(v) || !s || lanes != w->lanes) {
		return ir_splat(g, v, lanes);
	}
	for (size_t k = 0; k < s->n; k++) {
		if (s->pair[k].one == v) {
			return s->pair[k].all;
		}
	}
	LLVMValueRef all = ir_splat(g, v, lanes);
	ARENA_PUSH(w->g->arena, s->pair, s->n, s->cap, ((CodeSplat){v, all}));
	return all;
}

void code_pair(GenCode *w, LLVMValueRef *a, LLVMValueRef *b)
{
	unsigned n = ir_lanes(*a), m = ir_lanes(*b);
	*a = n < m ? code_splat(w, *a, m) : *a;
	*b = m < n ? code_splat(w, *b, n) : *b;
}

LLVMValueRef code_both(GenCode *w, LLVMValueRef a, LLVMValueRef b)
{
	if (!a || !b) {
		return a ? a : b;
	}
	code_pair(w, &a, &b);
	return LLVMBuildAnd(w->g->ir.b, a, b, "");
}

/* ---- results ---- */

/* Values of other accesses to what has been written are read again. */
static void forget(GenCode *w, uint32_t written)
{
	for (uint32_t k = 0; k < w->nest->naccess; k++) {
		if (w->nest->access[k].buffer == w->nest->access[written].buffer) {
			w->value[k] = NULL;
		}
	}
}

static void set_access(GenCode *w, uint32_t k, LLVMValueRef v)
{
	Ir *g = &w->g->ir;
	const Access *a = &w->nest->access[k];
	v = as_kind(g, v, gen_type(w->g, a->buffer));
	bool one = a->stride[w->nest->ndim - 1] == 0;
	if (one && ir_lanes(v) > 1) {
		v = LLVMBuildExtractElement(g->b, v, LLVMConstInt(g->i32, 0, false), "");
	}
	forget(w, k);
	w->value[k] = v;
	w->write(w, k, one ? v : code_splat(w, v, w->lanes));
}

static void set(GenCode *w, uint32_t dst, LLVMValueRef v)
{
	uint32_t k = code_access(w, dst);
	if (k == OPERAND_NONE) {
		w->reg[dst] = v;
	} else {
		set_access(w, k, v);
	}
}

/* ---- reals ---- */

static LLVMValueRef number(const Ir *g, double k, LLVMValueRef like)
{
	return ir_const_like(g, k, like);
}

/* sum + k*a. The product is rounded unless that changes nothing: so k*x - k*x is 0, and k*x + c where c is -k*x as a
 * number; derivatives have values of their own at such places (ties, norms of 0). */
static LLVMValueRef add_scaled(GenCode *w, LLVMValueRef sum, LLVMValueRef a, double k)
{
	Ir *g = &w->g->ir;
	if (!sum) {
		return k == 1.0    ? a
		       : k == -1.0 ? LLVMBuildFNeg(g->b, a, "")
				   : LLVMBuildFMul(g->b, a, number(g, k, a), "");
	}
	code_pair(w, &sum, &a);
	if (k == 1.0) {
		return LLVMBuildFAdd(g->b, sum, a, "");
	}
	if (k == -1.0) {
		return LLVMBuildFSub(g->b, sum, a, "");
	}
	int exponent;
	if (fabs(frexp(k, &exponent)) == 0.5) {
		return ir_fma(g, a, number(g, k, a), sum);
	}
	return LLVMBuildFAdd(g->b, sum, LLVMBuildFMul(g->b, a, number(g, k, a), ""), "");
}

/* c + k*a*b */
static LLVMValueRef add_product(GenCode *w, LLVMValueRef c, LLVMValueRef a, LLVMValueRef b,
				double k)
{
	Ir *g = &w->g->ir;
	if (k == -1.0) {
		b = LLVMBuildFNeg(g->b, b, "");
	} else if (k != 1.0) { /* the factor that is one value, if there is one */
		LLVMValueRef *x = ir_lanes(a) < ir_lanes(b) ? &a : &b;
		*x = LLVMBuildFMul(g->b, *x, number(g, k, *x), "");
	}
	code_pair(w, &a, &b);
	code_pair(w, &a, &c);
	code_pair(w, &b, &c);
	return ir_fma(g, a, b, c);
}

/* The greater (smaller) of two; not a number if one of them is not. */
static LLVMValueRef extreme(GenCode *w, LLVMValueRef a, LLVMValueRef b, bool max)
{
	Ir *g = &w->g->ir;
	code_pair(w, &a, &b);
	LLVMValueRef better = LLVMBuildFCmp(g->b, max ? LLVMRealOGT : LLVMRealOLT, b, a, "");
	LLVMValueRef none = LLVMBuildFCmp(g->b, LLVMRealUNO, b, b, "");
	return LLVMBuildSelect(g->b, none, b, LLVMBuildSelect(g->b, better, b, a, ""), "");
}

static LLVMValueRef reals_two(GenCode *w, const Instr *in)
{
	Ir *g = &w->g->ir;
	LLVMValueRef a = code_real(w, in->a), b = code_real(w, in->b);
	switch (in->op) {
	case VM_AXPY:
		return add_scaled(w, a, b, in->k);
	case VM_AXPS:
		return add_scaled(w, b, a, in->k);
	case VM_AXBY:
		if (in->k == 1.0) {
			return add_scaled(w, a, b, in->k2);
		}
		if (in->k == -1.0 && in->k2 != 1.0) {
			return add_scaled(w, LLVMBuildFNeg(g->b, a, ""), b, in->k2);
		}
		return add_scaled(w, add_scaled(w, NULL, b, in->k2), a, in->k);
	case VM_MAX:
	case VM_MIN:
		return extreme(w, a, b, in->op == VM_MAX);
	default:
		break;
	}
	code_pair(w, &a, &b);
	switch (in->op) {
	case VM_ADD:
		return LLVMBuildFAdd(g->b, a, b, "");
	case VM_SUB:
		return LLVMBuildFSub(g->b, a, b, "");
	case VM_MUL:
		return LLVMBuildFMul(g->b, a, b, "");
	default:
		return LLVMBuildFDiv(g->b, a, b, "");
	}
}

static LLVMValueRef reals_one(GenCode *w, const Instr *in)
{
	Ir *g = &w->g->ir;
	LLVMValueRef a = code_real(w, in->a);
	switch (in->op) {
	case VM_SQR:
		return LLVMBuildFMul(g->b, a, a, "");
	case VM_RECIP:
		return LLVMBuildFDiv(g->b, number(g, 1.0, a), a, "");
	case VM_NEG:
		return LLVMBuildFNeg(g->b, a, "");
	case VM_ABS:
		return ir_abs(g, a);
	case VM_SQRT:
		return ir_intrinsic(g, "llvm.sqrt", 1, &a);
	case VM_POWI:
		return ir_powi(g, a, in->i);
	default: /* AXPK */
		return in->k2 == 0 ? add_scaled(w, NULL, a, in->k)
				   : add_scaled(w, number(g, in->k2, a), a, in->k);
	}
}

static LLVMValueRef reals_test(GenCode *w, const Instr *in)
{
	static const LLVMRealPredicate TEST[] = {LLVMRealOLT, LLVMRealOLE, LLVMRealOEQ,
						 LLVMRealUNE};
	Ir *g = &w->g->ir;
	LLVMValueRef a = code_real(w, in->a), b = code_real(w, in->b);
	code_pair(w, &a, &b);
	return LLVMBuildFCmp(g->b, TEST[in->op - VM_LT], a, b, "");
}

/* A row of ops.def. */
static LLVMValueRef call(GenCode *w, const Instr *in)
{
	Ir *g = &w->g->ir;
	uint32_t operand[2] = {in->a, in->b};
	LLVMValueRef v[2] = {NULL, NULL};
	OpSig sig = op_info((Op)in->i)->sig;
	for (int k = 0; k < 2; k++) {
		if (operand[k] == OPERAND_NONE) {
			continue;
		}
		switch (sig) {
		case SIG_R_R:
		case SIG_RR_R:
		case SIG_R_B:
		case SIG_RR_B:
		case SIG_R_I:
			v[k] = code_real(w, operand[k]);
			break;
		case SIG_B_B:
		case SIG_BB_B:
			v[k] = code_truth(w, operand[k]);
			break;
		default:
			v[k] = code_int(w, operand[k]);
			break;
		}
	}
	if (v[1]) {
		code_pair(w, &v[0], &v[1]);
	}
	return ir_op(g, (Op)in->i, v[0], v[1]);
}

/* c ? a : b, or 0 without b. */
static LLVMValueRef selection(GenCode *w, const Instr *in)
{
	Ir *g = &w->g->ir;
	LLVMValueRef a = code_value(w, in->a), c = code_truth(w, in->c);
	LLVMValueRef b = in->op == VM_GUARD ? LLVMConstNull(LLVMTypeOf(a)) : code_value(w, in->b);
	if (ir_element(a) != ir_element(b)) { /* zero, or a truth value among ints */
		bool real = ir_element(a) == g->real || ir_element(b) == g->real;
		a = as_kind(g, a, real ? g->real : g->i64);
		b = as_kind(g, b, real ? g->real : g->i64);
	}
	if (code_is_zero(a) && code_is_zero(b)) {
		return a;
	}
	code_pair(w, &a, &b);
	code_pair(w, &c, &a);
	b = code_splat(w, b, ir_lanes(a));
	return LLVMBuildSelect(g->b, c, a, b, "");
}

/* ---- programs ---- */

/* The value of an instruction; NULL if it has written it itself. */
static LLVMValueRef instruction(GenCode *w, const Instr *in)
{
	switch (in->op) {
	case VM_MOV:
		return code_value(w, in->a);
	case VM_LOADS:
		return code_loads(w, in);
	case VM_GATHER:
		return code_gather(w, in);
	case VM_STORES:
		code_stores(w, in);
		return NULL;
	case VM_SCATTER:
	case VM_ISCATTER:
		code_scatter(w, in);
		return NULL;
	case VM_ADD:
	case VM_SUB:
	case VM_MUL:
	case VM_DIV:
	case VM_MAX:
	case VM_MIN:
	case VM_AXPS:
	case VM_AXPY:
	case VM_AXBY:
		return reals_two(w, in);
	case VM_SQR:
	case VM_RECIP:
	case VM_NEG:
	case VM_ABS:
	case VM_SQRT:
	case VM_POWI:
	case VM_AXPK:
		return reals_one(w, in);
	case VM_MACC:
	case VM_MACS:
		return add_product(w, code_real(w, in->c), code_real(w, in->a),
				   code_real(w, in->b), in->k);
	case VM_MAP:
	case VM_CALL:
		return call(w, in);
	case VM_LT:
	case VM_LE:
	case VM_EQ:
	case VM_NE:
		return reals_test(w, in);
	case VM_SELECT:
	case VM_GUARD:
		return selection(w, in);
	case VM_UNIFORM:
	case VM_NORMAL:
		return code_random(w, in);
	default:
		return code_ints(w, in);
	}
}

static void values_begin(GenCode *w)
{
	if (!w->value) {
		w->value = arena_array(w->g->arena, LLVMValueRef, w->nest->naccess + 1);
	}
}

void gen_code(GenCode *w)
{
	values_begin(w);
	w->splats = arena_new(w->g->arena, struct CodeSplats);
	for (uint32_t k = 0; k < w->nest->ncode; k++) {
		const Instr *in = &w->nest->code[k];
		if (w->uniform && w->uniform[k]) {
			if (in->dst < first_access(w->nest)) {
				w->reg[in->dst] = w->uniform[k];
			}
			continue;
		}
		LLVMValueRef v = instruction(w, in);
		if (v) {
			set(w, in->dst, v);
		}
	}
}

/* Does the instruction read or write memory that one of the other sort writes? */
static bool reads_buffer(const GenCode *w, const Instr *in, const Buffer *b)
{
	uint32_t operand[3] = {in->a, in->b, in->c};
	for (int q = 0; q < 3; q++) {
		uint32_t k = code_access(w, operand[q]);
		if (k != OPERAND_NONE && w->nest->access[k].buffer == b) {
			return true;
		}
	}
	uint32_t k = code_access(w, in->dst);
	return k != OPERAND_NONE && w->nest->access[k].buffer == b;
}

/* May all uniform instructions come before all others? */
static bool splits(const GenCode *w)
{
	const Nest *n = w->nest;
	for (uint32_t k = 0; k < n->ncode; k++) {
		uint32_t to = code_access(w, n->code[k].dst);
		for (uint32_t q = 0; q < n->ncode && to != OPERAND_NONE; q++) {
			if (n->code[q].uniform != n->code[k].uniform &&
			    reads_buffer(w, &n->code[q], n->access[to].buffer)) {
				return false;
			}
		}
	}
	return true;
}

void gen_code_uniform(GenCode *w, const unsigned char *when, unsigned depth)
{
	const Nest *n = w->nest;
	values_begin(w);
	w->splats = NULL;
	bool any = false;
	for (uint32_t k = 0; k < n->ncode; k++) {
		any |= n->code[k].uniform && (!when || when[k] == depth);
	}
	if (!any || !splits(w)) {
		return;
	}
	LLVMValueRef *reg = w->reg;
	w->reg = arena_array(w->g->arena, LLVMValueRef, first_access(n) + 1u);
	if (!w->uniform) {
		w->uniform = arena_array(w->g->arena, LLVMValueRef, n->ncode + 1);
	}
	for (uint32_t k = 0; k < n->ncode; k++) { /* registers are shared: all lives in order */
		const Instr *in = &n->code[k];
		if (!in->uniform || (when && when[k] > depth)) {
			continue;
		}
		LLVMValueRef v = w->uniform[k];
		if (when && when[k] < depth) {
			if (in->dst < first_access(n)) {
				w->reg[in->dst] = v;
			}
			continue;
		}
		v = instruction(w, in);
		w->uniform[k] = v ? v : ir_int(&w->g->ir, 0);
		if (v) {
			set(w, in->dst, v);
		}
	}
	w->reg = reg;
}
