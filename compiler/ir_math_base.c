/* ir_math_base.c — lanes in short words for ir_math*.c. */
#include "compiler/ir_math_int.h"
#include <assert.h>
#include <stdio.h>

enum { LANES_MAX = 64 };

bool m_single(Val v)
{
	return LLVMGetTypeKind(ir_element(v)) == LLVMFloatTypeKind;
}

static Val splat(Val c, Val like)
{
	unsigned n = ir_lanes(like);
	if (n == 1) {
		return c;
	}
	assert(n <= LANES_MAX);
	Val all[LANES_MAX];
	for (unsigned k = 0; k < n; k++) {
		all[k] = c;
	}
	return LLVMConstVector(all, n);
}

Val m_real(const Ir *g, double v, Val like)
{
	(void)g;
	return splat(LLVMConstReal(ir_element(like), m_single(like) ? (double)(float)v : v), like);
}

Val m_real2(const Ir *g, double v64, double v32, Val like)
{
	return m_real(g, m_single(like) ? v32 : v64, like);
}

Val m_int(const Ir *g, int64_t v, Val like)
{
	return ir_int_like(g, v, like);
}

Val m_add(Ir *g, Val a, Val b)
{
	return LLVMBuildFAdd(g->b, a, b, "");
}

Val m_sub(Ir *g, Val a, Val b)
{
	return LLVMBuildFSub(g->b, a, b, "");
}

Val m_mul(Ir *g, Val a, Val b)
{
	return LLVMBuildFMul(g->b, a, b, "");
}

Val m_div(Ir *g, Val a, Val b)
{
	return LLVMBuildFDiv(g->b, a, b, "");
}

Val m_neg(Ir *g, Val a)
{
	return LLVMBuildFNeg(g->b, a, "");
}

Val m_sqrt(Ir *g, Val a)
{
	return ir_intrinsic(g, "llvm.sqrt", 1, &a);
}

Val m_times(Ir *g, Val a, double k)
{
	return m_mul(g, a, m_real(g, k, a));
}

Val m_plus(Ir *g, Val a, double k)
{
	return m_add(g, a, m_real(g, k, a));
}

Val m_fmak(Ir *g, Val a, double k, Val c)
{
	return ir_fma(g, a, m_real(g, k, a), c);
}

Val m_cmp(Ir *g, LLVMRealPredicate p, Val a, Val b)
{
	return LLVMBuildFCmp(g->b, p, a, b, "");
}

Val m_cmpk(Ir *g, LLVMRealPredicate p, Val a, double k)
{
	return m_cmp(g, p, a, m_real(g, k, a));
}

Val m_sel(Ir *g, Val cond, Val a, Val b)
{
	return LLVMBuildSelect(g->b, cond, a, b, "");
}

Val m_clamp_below(Ir *g, Val a, double k)
{
	Val c = m_real(g, k, a);
	return m_sel(g, m_cmp(g, LLVMRealOGT, c, a), c, a);
}

Val m_clamp_above(Ir *g, Val a, double k)
{
	Val c = m_real(g, k, a);
	return m_sel(g, m_cmp(g, LLVMRealOLT, c, a), c, a);
}

Val m_bits(Ir *g, Val real)
{
	return LLVMBuildBitCast(g->b, real,
				ir_vec(g, m_single(real) ? g->i32 : g->i64, ir_lanes(real)), "");
}

Val m_of_bits(Ir *g, Val bits)
{
	bool single = ir_element(bits) == g->i32;
	LLVMTypeRef t = single ? LLVMFloatTypeInContext(g->ctx) : LLVMDoubleTypeInContext(g->ctx);
	return LLVMBuildBitCast(g->b, bits, ir_vec(g, t, ir_lanes(bits)), "");
}

Val m_iadd(Ir *g, Val a, int64_t k)
{
	return LLVMBuildAdd(g->b, a, m_int(g, k, a), "");
}

Val m_iand(Ir *g, Val a, int64_t k)
{
	return LLVMBuildAnd(g->b, a, m_int(g, k, a), "");
}

Val m_shl(Ir *g, Val a, unsigned k)
{
	return LLVMBuildShl(g->b, a, m_int(g, k, a), "");
}

Val m_shr(Ir *g, Val a, unsigned k)
{
	return LLVMBuildLShr(g->b, a, m_int(g, k, a), "");
}

Val m_flip(Ir *g, Val real, Val odd)
{
	Val sign = m_shl(g, odd, m_single(real) ? 31 : 63);
	return m_of_bits(g, LLVMBuildXor(g->b, m_bits(g, real), sign, ""));
}

Val m_widen(Ir *g, Val v)
{
	LLVMTypeRef t = ir_vec(g, LLVMDoubleTypeInContext(g->ctx), ir_lanes(v));
	return m_single(v) ? LLVMBuildFPExt(g->b, v, t, "") : v;
}

Val m_narrow(Ir *g, Val v, Val like)
{
	return m_single(like) && !m_single(v) ? LLVMBuildFPTrunc(g->b, v, LLVMTypeOf(like), "") : v;
}

Val m_poly(Ir *g, Val x, Poly p)
{
	Val y = m_real(g, p.c[p.n - 1], x);
	for (unsigned k = p.n - 1; k-- > 0;) {
		y = ir_fma(g, y, x, m_real(g, p.c[k], x));
	}
	return y;
}

Val m_poly2(Ir *g, Val x, Poly p64, Poly p32)
{
	return m_poly(g, x, m_single(x) ? p32 : p64);
}

Val m_power_of_two(Ir *g, Val t)
{
	bool single = m_single(t);
	Val up = m_shl(g, m_bits(g, t), single ? 23 : 52);
	return m_of_bits(g, m_iadd(g, up, single ? 0x3f800000 : 0x3ff0000000000000));
}

/* Without the fused operation by Dekker's halves of 26 bits. */
Val m_product(Ir *g, Val a, Val b, Val *low)
{
	Val p = m_mul(g, a, b);
	if (g->target.fma) {
		*low = ir_fma(g, a, b, m_neg(g, p));
		return p;
	}
	Val factor[2] = {a, b}, hi[2], lo[2];
	for (int k = 0; k < 2; k++) {
		Val c = m_times(g, factor[k], m_single(a) ? 0x1p12 + 1 : 0x1p27 + 1);
		hi[k] = m_sub(g, c, m_sub(g, c, factor[k]));
		lo[k] = m_sub(g, factor[k], hi[k]);
	}
	Val e = m_sub(g, m_mul(g, hi[0], hi[1]), p);
	e = m_add(g, m_add(g, e, m_mul(g, hi[0], lo[1])), m_mul(g, lo[0], hi[1]));
	*low = m_add(g, e, m_mul(g, lo[0], lo[1]));
	return p;
}

Val m_sum(Ir *g, Val a, Val b, Val *low)
{
	Val s = m_add(g, a, b);
	*low = m_sub(g, b, m_sub(g, s, a));
	return s;
}

Val m_or_itself(Ir *g, Val x, Val y)
{
	Val tiny = m_real2(g, 0x1p-54, 0x1p-25, x);
	return m_sel(g, m_cmp(g, LLVMRealOLT, ir_abs(g, x), tiny), x, y);
}

Val m_function(Ir *g, const char *name, unsigned n)
{
	Val f = LLVMGetNamedFunction(g->mod, name);
	if (!f) {
		LLVMTypeRef d = LLVMDoubleTypeInContext(g->ctx), arg[2] = {d, d};
		f = LLVMAddFunction(g->mod, name, LLVMFunctionType(d, arg, n, false));
	}
	return f;
}

static void enum_attribute(Ir *g, Val f, const char *name, unsigned n)
{
	unsigned kind = LLVMGetEnumAttributeKindForName(name, n);
	LLVMAddAttributeAtIndex(f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
				LLVMCreateEnumAttribute(g->ctx, kind, 0));
}

/* The lanes' function: for each lane k with where[k], y[k] = f(a[k], b[k]) in double. Lanes go
 * through memory, so that the code does not grow with their number. */
static Val rare_function(Ir *g, const char *libm, Val where, Val y, Val b)
{
	unsigned lanes = ir_lanes(y), n = b ? 2 : 1;
	char name[80];
	snprintf(name, sizeof name, "pnn.rare.%s.%c%u", libm, m_single(y) ? 's' : 'd', lanes);
	Val made = LLVMGetNamedFunction(g->mod, name);
	if (made) {
		return made;
	}
	LLVMTypeRef one = ir_element(y), many = LLVMTypeOf(y),
		    arg[4] = {LLVMTypeOf(where), many, many, many};
	IrPlace back = ir_leave(g);
	Val scalar = m_function(g, libm, n);
	Val fn = ir_function(g, name, many, n + 2, arg, true);
	enum_attribute(g, fn, "noinline", 8);
	enum_attribute(g, fn, "cold", 4);
	Val memory[4];
	for (unsigned k = 0; k < n + 2; k++) {
		Val v = LLVMGetParam(fn, k);
		v = k ? v : LLVMBuildSExt(g->b, v, ir_vec(g, g->i64, lanes), "");
		memory[k] = LLVMBuildAlloca(g->b, LLVMTypeOf(v), "");
		LLVMBuildStore(g->b, v, memory[k]);
	}
	IrLoop l;
	ir_loop(g, &l, ir_int(g, 0), ir_int(g, lanes), 1, 0, NULL, true);
	Val on = LLVMBuildLoad2(g->b, g->i64, ir_at(g, g->i64, memory[0], l.i), "");
	IrIf w;
	ir_if(g, &w, LLVMBuildICmp(g->b, LLVMIntNE, on, ir_int(g, 0), ""));
	Val x[2], at = ir_at(g, one, memory[1], l.i);
	for (unsigned k = 0; k < n; k++) {
		x[k] = m_widen(g, LLVMBuildLoad2(g->b, one, ir_at(g, one, memory[k + 2], l.i), ""));
	}
	Val r = LLVMBuildCall2(g->b, LLVMGlobalGetValueType(scalar), scalar, x, n, "");
	LLVMBuildStore(g->b, one == LLVMTypeOf(r) ? r : LLVMBuildFPTrunc(g->b, r, one, ""), at);
	ir_if_end(g, &w);
	ir_loop_end(g, &l, NULL);
	LLVMBuildRet(g->b, LLVMBuildLoad2(g->b, many, memory[1], ""));
	ir_return(g, back);
	return fn;
}

static void set_unlikely(Ir *g, Val branch)
{
	Val weight[3] = {LLVMMDStringInContext(g->ctx, "branch_weights", 14),
			 LLVMConstInt(g->i32, 1, false), LLVMConstInt(g->i32, 1 << 20, false)};
	LLVMSetMetadata(branch, LLVMGetMDKindIDInContext(g->ctx, "prof", 4),
			LLVMMDNodeInContext(g->ctx, weight, 3));
}

static Val call_lanes(Ir *g, Val where, Val y, const char *name, Val a, Val b)
{
	Val fn = rare_function(g, name, where, y, b), arg[4] = {where, y, a, b};
	return LLVMBuildCall2(g->b, LLVMGlobalGetValueType(fn), fn, arg, b ? 4 : 3, "");
}

Val m_each(Ir *g, const char *name, Val a, Val b)
{
	Val yes = LLVMConstAllOnes(ir_vec(g, g->i1, ir_lanes(a)));
	return call_lanes(g, yes, a, name, a, b);
}

Val m_rare(Ir *g, Val where, Val y, const char *libm, Val a, Val b)
{
	unsigned lanes = ir_lanes(y);
	Val any = where;
	if (lanes > 1) {
		Val word = LLVMBuildBitCast(g->b, where, LLVMIntTypeInContext(g->ctx, lanes), "");
		any = LLVMBuildICmp(g->b, LLVMIntNE, word, LLVMConstNull(LLVMTypeOf(word)), "");
	}
	LLVMBasicBlockRef before = LLVMGetInsertBlock(g->b);
	IrIf w;
	ir_if(g, &w, any);
	set_unlikely(g, LLVMGetBasicBlockTerminator(before));
	Val slow = call_lanes(g, where, y, libm, a, b);
	ir_if_end(g, &w);
	Val phi = LLVMBuildPhi(g->b, LLVMTypeOf(y), "");
	LLVMAddIncoming(phi, (Val[]){y, slow}, (LLVMBasicBlockRef[]){before, w.then}, 2);
	return phi;
}
