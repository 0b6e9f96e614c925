/* gen_code_int.c — instructions on ints and truth values: arithmetic with its checks, tests, labels;
 * and how a failed check is recorded. */
#include "compiler/gen_code.h"
#include <assert.h>

/* ---- faults ---- */

bool code_may_fail(const Instr *in)
{
	switch (in->op) {
	case VM_IAXPK:
	case VM_IAXPY:
	case VM_IMUL:
		return in->check;
	default:
		return in->op == VM_CHECK || in->op == VM_ISCATTER;
	}
}

int64_t gen_code_faults(Gen *g, const Nest *nest)
{
	int64_t first = 0;
	for (uint32_t k = 0; k < nest->ncode; k++) {
		if (code_may_fail(&nest->code[k])) {
			int64_t number = gen_fault_new(g, nest, &nest->code[k]);
			first = first ? first : number;
		}
	}
	return first;
}

/* The number of an instruction's fault: they follow each other in the order of the program. */
static LLVMValueRef fault_number(const GenCode *w, const Instr *in)
{
	int64_t before = 0;
	const Instr *end = in ? in : w->nest->code + w->nest->ncode;
	for (const Instr *at = w->nest->code; at < end; at++) {
		before += code_may_fail(at);
	}
	Ir *g = &w->g->ir;
	return LLVMBuildAdd(g->b, w->fault, ir_int(g, before), "");
}

void code_fault(GenCode *w, const Instr *in, LLVMValueRef bad, LLVMValueRef value)
{
	Ir *g = &w->g->ir;
	unsigned n = ir_lanes(bad);
	if (n == 1) {
		if (ir_lanes(value) > 1) {
			value = LLVMBuildExtractElement(g->b, value, ir_int(g, 0), "");
		}
		gen_fault_at(w->g, w->context, bad, fault_number(w, in), value);
		return;
	}
	bad = code_both(w, bad, w->mask);
	LLVMTypeRef bits = LLVMIntTypeInContext(g->ctx, n);
	LLVMValueRef set = LLVMBuildBitCast(g->b, bad, bits, "");
	LLVMValueRef some = LLVMBuildICmp(g->b, LLVMIntNE, set, LLVMConstNull(bits), "");
	IrIf fails;
	ir_if(g, &fails, some);
	if (ir_lanes(value) > 1) { /* that of the first lane */
		LLVMValueRef wide = LLVMBuildZExt(g->b, set, g->i64, ""),
			     never = LLVMConstInt(g->i1, 1, false);
		LLVMTypeRef over = g->i64;
		unsigned id = LLVMLookupIntrinsicID("llvm.cttz", 9);
		LLVMValueRef f = LLVMGetIntrinsicDeclaration(g->mod, id, &over, 1);
		LLVMValueRef arg[2] = {wide, never};
		LLVMValueRef lane = LLVMBuildCall2(g->b, LLVMIntrinsicGetType(g->ctx, id, &over, 1),
						   f, arg, 2, "");
		value = LLVMBuildExtractElement(g->b, value, lane, "");
	}
	gen_fault_at(w->g, w->context, some, fault_number(w, in), value);
	ir_if_end(g, &fails);
}

/* ---- arithmetic ---- */

static LLVMValueRef test(Ir *g, LLVMIntPredicate p, LLVMValueRef a, int64_t b)
{
	return LLVMBuildICmp(g->b, p, a, ir_int_like(g, b, a), "");
}

/* lo <= a <= hi, in one comparison */
static LLVMValueRef inside(Ir *g, LLVMValueRef a, int64_t lo, int64_t hi)
{
	if (hi < lo) {
		return LLVMConstNull(ir_vec(g, g->i1, ir_lanes(a)));
	}
	LLVMValueRef up = lo ? LLVMBuildSub(g->b, a, ir_int_like(g, lo, a), "") : a;
	return test(g, LLVMIntULE, up, (int64_t)((uint64_t)hi - (uint64_t)lo));
}

static LLVMValueRef either(GenCode *w, LLVMValueRef a, LLVMValueRef b)
{
	if (!a || !b) {
		return a ? a : b;
	}
	code_pair(w, &a, &b);
	return LLVMBuildOr(w->g->ir.b, a, b, "");
}

/* An operation that tells whether it overflowed. */
static LLVMValueRef checked(GenCode *w, const char *name, LLVMValueRef a, LLVMValueRef b,
			    LLVMValueRef *bad)
{
	Ir *g = &w->g->ir;
	code_pair(w, &a, &b);
	LLVMValueRef r = ir_intrinsic(g, name, 2, (LLVMValueRef[]){a, b});
	*bad = either(w, *bad, LLVMBuildExtractValue(g->b, r, 1, ""));
	return LLVMBuildExtractValue(g->b, r, 0, "");
}

/* k*a; overflow where a lies outside the quotients of the ends of the ints (rounded inwards). */
static LLVMValueRef times(GenCode *w, LLVMValueRef a, int64_t k, bool check, LLVMValueRef *bad)
{
	Ir *g = &w->g->ir;
	if (k == 1) {
		return a;
	}
	if (check && k != 0) {
		int64_t lo = k > 0 ? INT64_MIN / k : INT64_MAX / k;
		int64_t hi = k > 0 ? INT64_MAX / k : k == -1 ? INT64_MAX : INT64_MIN / k;
		LLVMValueRef good = inside(g, a, lo, hi);
		*bad = either(w, *bad, LLVMBuildNot(g->b, good, ""));
	}
	return LLVMBuildMul(g->b, a, ir_int_like(g, k, a), "");
}

static LLVMValueRef plus(GenCode *w, LLVMValueRef a, LLVMValueRef b, bool check, LLVMValueRef *bad)
{
	if (check) {
		return checked(w, "llvm.sadd.with.overflow", a, b, bad);
	}
	code_pair(w, &a, &b);
	return LLVMBuildAdd(w->g->ir.b, a, b, "");
}

/* i*a + j, a + i*b, a*b; operand c says where an overflow counts. */
static LLVMValueRef arithmetic(GenCode *w, const Instr *in)
{
	Ir *g = &w->g->ir;
	LLVMValueRef a = code_int(w, in->a), bad = NULL, r;
	if (in->op == VM_IAXPK) {
		r = times(w, a, in->i, in->check, &bad);
		r = in->j ? plus(w, r, ir_int_like(g, in->j, r), in->check, &bad) : r;
	} else if (in->op == VM_IAXPY) {
		LLVMValueRef b = code_int(w, in->b);
		r = plus(w, a, times(w, b, in->i, in->check, &bad), in->check, &bad);
	} else {
		LLVMValueRef b = code_int(w, in->b);
		code_pair(w, &a, &b);
		r = in->check ? checked(w, "llvm.smul.with.overflow", a, b, &bad)
			      : LLVMBuildMul(g->b, a, b, "");
	}
	if (in->check && bad) {
		LLVMValueRef where = in->c == OPERAND_NONE ? NULL : code_truth(w, in->c);
		code_fault(w, in, code_both(w, bad, where), a);
	}
	return r;
}

static LLVMValueRef check(GenCode *w, const Instr *in)
{
	Ir *g = &w->g->ir;
	LLVMValueRef a = code_int(w, in->a), good = inside(g, a, in->i, in->j);
	LLVMValueRef where = in->b == OPERAND_NONE ? NULL : code_truth(w, in->b);
	code_fault(w, in, code_both(w, LLVMBuildNot(g->b, good, ""), where), a);
	return LLVMBuildSelect(g->b, good, a, ir_int_like(g, in->i, a), "");
}

/* i + (a - i) mod j, the remainder that is not negative */
static LLVMValueRef wrap(GenCode *w, const Instr *in)
{
	Ir *g = &w->g->ir;
	LLVMValueRef a = code_int(w, in->a), from = ir_int_like(g, in->i, a);
	LLVMValueRef v = in->i ? LLVMBuildSub(g->b, a, from, "") : a, size = ir_int_like(g, in->j, a);
	if ((in->j & (in->j - 1)) == 0) {
		v = LLVMBuildAnd(g->b, v, ir_int_like(g, in->j - 1, a), "");
	} else {
		v = LLVMBuildSRem(g->b, v, size, "");
		LLVMValueRef up = LLVMBuildAdd(g->b, v, size, "");
		v = LLVMBuildSelect(g->b, test(g, LLVMIntSLT, v, 0), up, v, "");
	}
	return in->i ? LLVMBuildAdd(g->b, v, from, "") : v;
}

/* i*(a - j) + b */
static LLVMValueRef offset(GenCode *w, const Instr *in)
{
	Ir *g = &w->g->ir;
	LLVMValueRef none = NULL, v = code_int(w, in->a);
	v = in->j ? LLVMBuildSub(g->b, v, ir_int_like(g, in->j, v), "") : v;
	v = times(w, v, in->i, false, &none);
	LLVMValueRef b = in->b == OPERAND_NONE ? NULL : code_int(w, in->b);
	return b && !code_is_zero(b) ? plus(w, v, b, false, &none) : v;
}

/* ---- tests ---- */

static LLVMValueRef compare(GenCode *w, const Instr *in)
{
	static const LLVMIntPredicate TEST[] = {LLVMIntSLT, LLVMIntSLE, LLVMIntEQ, LLVMIntNE};
	Ir *g = &w->g->ir;
	LLVMValueRef a = code_int(w, in->a), b = code_int(w, in->b);
	code_pair(w, &a, &b);
	return LLVMBuildICmp(g->b, TEST[in->op - VM_ILT], a, b, "");
}

static LLVMValueRef bits(GenCode *w, const Instr *in)
{
	Ir *g = &w->g->ir;
	LLVMValueRef a = code_int(w, in->a), b = code_int(w, in->b);
	code_pair(w, &a, &b);
	LLVMIntPredicate before = in->op == VM_IMAX ? LLVMIntSGT : LLVMIntSLT;
	switch (in->op) {
	case VM_IMAX:
	case VM_IMIN:
		return LLVMBuildSelect(g->b, LLVMBuildICmp(g->b, before, a, b, ""), a, b, "");
	case VM_IXOR:
		return LLVMBuildXor(g->b, a, b, "");
	case VM_IAND:
		return LLVMBuildAnd(g->b, a, b, "");
	default:
		return LLVMBuildOr(g->b, a, b, "");
	}
}

static LLVMValueRef truths(GenCode *w, const Instr *in)
{
	Ir *g = &w->g->ir;
	LLVMValueRef a = code_truth(w, in->a);
	if (in->op == VM_NOT) {
		return LLVMBuildNot(g->b, a, "");
	}
	LLVMValueRef b = code_truth(w, in->b);
	return in->op == VM_AND ? code_both(w, a, b) : either(w, a, b);
}

static LLVMValueRef to_real(GenCode *w, const Instr *in)
{
	Ir *g = &w->g->ir;
	LLVMValueRef a = code_value(w, in->a);
	LLVMTypeRef to = ir_vec(g, g->real, ir_lanes(a));
	return ir_element(a) == g->i1 ? LLVMBuildUIToFP(g->b, a, to, "")
				      : LLVMBuildSIToFP(g->b, a, to, "");
}

LLVMValueRef code_ints(GenCode *w, const Instr *in)
{
	Ir *g = &w->g->ir;
	switch (in->op) {
	case VM_IAXPK:
	case VM_IAXPY:
	case VM_IMUL:
		return arithmetic(w, in);
	case VM_ILT:
	case VM_ILE:
	case VM_IEQ:
	case VM_INE:
		return compare(w, in);
	case VM_IMAX:
	case VM_IMIN:
	case VM_IXOR:
	case VM_IAND:
	case VM_IOR:
		return bits(w, in);
	case VM_AND:
	case VM_OR:
	case VM_NOT:
		return truths(w, in);
	case VM_REAL:
		return to_real(w, in);
	case VM_IOTA: {
		LLVMValueRef first = code_splat(w, w->label[in->i], w->lanes);
		return w->lanes == 1 ? first : LLVMBuildAdd(g->b, first, ir_iota(g, w->lanes), "");
	}
	case VM_LABEL:
		return w->label[in->i];
	case VM_SLOT:
		return LLVMBuildAdd(g->b, w->slot[in->i], ir_int(g, in->j), "");
	case VM_INSIDE: {
		LLVMValueRef b = in->b == OPERAND_NONE ? NULL : code_truth(w, in->b);
		return code_both(w, inside(g, code_int(w, in->a), in->i, in->j), b);
	}
	case VM_CHECK:
		return check(w, in);
	case VM_WRAP:
		return wrap(w, in);
	default:
		assert(in->op == VM_OFFSET);
		return offset(w, in);
	}
}
