/* ir_random.c — random numbers of runtime/rng.h: an internal function of the module for each kind
 * and number of lanes.
 *
 * The 128-bit products of Philox are made by scalar code, two blocks side by side: no target has
 * them as vectors. Where the lanes are neighbours along the first index and begin at a multiple of
 * four, a block serves four lanes; else each lane has a block of its own. Words then become reals
 * as vectors. */
#include "compiler/ir_math_int.h"
#include <stdio.h>

enum { ROUNDS = 10, SIDE = 2 };
static const uint64_t MULTIPLIER_0 = 0xD2E7470EE14C6C93, MULTIPLIER_1 = 0xCA5A826395121157;
static const uint64_t WEYL_0 = 0x9E3779B97F4A7C15, WEYL_1 = 0xBB67AE8584CAA73B;

static Val word(const Ir *g, uint64_t v, Val like)
{
	return m_int(g, (int64_t)v, like);
}

static Val exor(Ir *g, Val a, Val b)
{
	return LLVMBuildXor(g->b, a, b, "");
}

static Val product(Ir *g, uint64_t k, Val x, Val *high)
{
	LLVMTypeRef wide = LLVMIntTypeInContext(g->ctx, 128);
	Val a = LLVMBuildZExt(g->b, x, wide, ""), b = LLVMConstInt(wide, k, false);
	Val p = LLVMBuildMul(g->b, a, b, "");
	*high = LLVMBuildTrunc(g->b, LLVMBuildLShr(g->b, p, LLVMConstInt(wide, 64, false), ""),
			       g->i64, "");
	return LLVMBuildTrunc(g->b, p, g->i64, "");
}

/* Philox4x64-10 of n blocks at once: c[4 k + j] is word j of counter k, and of the answer. */
static void philox(Ir *g, unsigned n, Val *c, Val seed, Val stream)
{
	Val v[4 * SIDE + 2], next[4 * SIDE + 2];
	unsigned last = 4 * n;
	for (unsigned k = 0; k < last; k++) {
		v[k] = c[k];
	}
	v[last] = seed;
	v[last + 1] = stream;
	IrLoop l;
	ir_loop(g, &l, ir_int(g, 0), ir_int(g, ROUNDS), 1, last + 2, v, true);
	for (unsigned k = 0; k < last; k += 4) {
		Val high0, high1, *p = l.phi + k;
		next[k + 3] = product(g, MULTIPLIER_0, p[0], &high0);
		next[k + 1] = product(g, MULTIPLIER_1, p[2], &high1);
		next[k] = exor(g, exor(g, high1, p[1]), l.phi[last]);
		next[k + 2] = exor(g, exor(g, high0, p[3]), l.phi[last + 1]);
	}
	next[last] = m_iadd(g, l.phi[last], (int64_t)WEYL_0);
	next[last + 1] = m_iadd(g, l.phi[last + 1], (int64_t)WEYL_1);
	ir_loop_end(g, &l, next);
	for (unsigned k = 0; k < last; k++) {
		c[k] = l.phi[k];
	}
}

static Val splitmix(Ir *g, Val x)
{
	x = m_iadd(g, x, (int64_t)WEYL_0);
	x = LLVMBuildMul(g->b, exor(g, x, m_shr(g, x, 30)), word(g, 0xBF58476D1CE4E5B9, x), "");
	x = LLVMBuildMul(g->b, exor(g, x, m_shr(g, x, 27)), word(g, 0x94D049BB133111EB, x), "");
	return exor(g, x, m_shr(g, x, 31));
}

/* The last word of the counter: i2 + 2^32 i3, or mixed if one is larger. */
static Val last_word(Ir *g, Val i2, Val i3)
{
	Val high = m_shr(g, LLVMBuildOr(g->b, i2, i3, ""), 32);
	Val fits = LLVMBuildICmp(g->b, LLVMIntEQ, high, m_int(g, 0, high), "");
	Val plain = LLVMBuildOr(g->b, i2, m_shl(g, i3, 32), "");
	return m_sel(g, fits, plain, LLVMBuildAdd(g->b, i2, splitmix(g, i3), ""));
}

/* Arguments of the function: seed, stream, step; words of the counter in memory, `lanes` each. */
typedef struct Draw {
	unsigned lanes;
	Val seed, stream, step;
	Val quarter, i1, last, place; /* addresses of i64 lanes; place: index 0 mod 4 */
	Val out;                      /* of the answers */
} Draw;

static Val word_at(Ir *g, Val base, Val k)
{
	return LLVMBuildLoad2(g->b, g->i64, ir_at(g, g->i64, base, k), "");
}

static void counter(Ir *g, const Draw *d, Val lane, Val *c)
{
	c[0] = d->step;
	c[1] = word_at(g, d->quarter, lane);
	c[2] = word_at(g, d->i1, lane);
	c[3] = word_at(g, d->last, lane);
}

/* A block for each lane, of which it takes one word. */
static void draw_lanes(Ir *g, const Draw *d)
{
	unsigned n = d->lanes >= SIDE ? SIDE : d->lanes;
	IrLoop l;
	ir_loop(g, &l, ir_int(g, 0), ir_int(g, d->lanes), n, 0, NULL, true);
	Val c[4 * SIDE];
	for (unsigned k = 0; k < n; k++) {
		counter(g, d, m_iadd(g, l.i, k), c + 4 * k);
	}
	philox(g, n, c, d->seed, d->stream);
	for (unsigned k = 0; k < n; k++) {
		Val lane = m_iadd(g, l.i, k), place = word_at(g, d->place, lane), *w = c + 4 * k;
		Val odd = LLVMBuildTrunc(g->b, place, g->i1, "");
		Val upper = LLVMBuildICmp(g->b, LLVMIntUGE, place, ir_int(g, 2), "");
		Val v = m_sel(g, upper, m_sel(g, odd, w[3], w[2]), m_sel(g, odd, w[1], w[0]));
		LLVMBuildStore(g->b, v, ir_at(g, g->i64, d->out, lane));
	}
	ir_loop_end(g, &l, NULL);
}

/* A block for four lanes. */
static void draw_blocks(Ir *g, const Draw *d)
{
	unsigned n = d->lanes >= 4 * SIDE ? SIDE : 1;
	IrLoop l;
	ir_loop(g, &l, ir_int(g, 0), ir_int(g, d->lanes), 4 * n, 0, NULL, true);
	Val c[4 * SIDE];
	for (unsigned k = 0; k < n; k++) {
		counter(g, d, m_iadd(g, l.i, 4 * k), c + 4 * k);
	}
	philox(g, n, c, d->seed, d->stream);
	for (unsigned k = 0; k < 4 * n; k++) {
		LLVMBuildStore(g->b, c[k], ir_at(g, g->i64, d->out, m_iadd(g, l.i, k)));
	}
	ir_loop_end(g, &l, NULL);
}

/* Whether lanes of index 0 are neighbours from a multiple of four on. */
static Val is_row(Ir *g, Val i0, unsigned lanes)
{
	Val first = LLVMBuildExtractElement(g->b, i0, LLVMConstInt(g->i32, 0, false), "");
	Val row = LLVMBuildAdd(g->b, ir_splat(g, first, lanes), ir_iota(g, lanes), "");
	Val same = LLVMBuildICmp(g->b, LLVMIntEQ, i0, row, "");
	Val all = LLVMBuildBitCast(g->b, same, LLVMIntTypeInContext(g->ctx, lanes), "");
	Val yes = LLVMBuildICmp(g->b, LLVMIntEQ, all, LLVMConstAllOnes(LLVMTypeOf(all)), "");
	Val even = LLVMBuildICmp(g->b, LLVMIntEQ, m_iand(g, first, 3), ir_int(g, 0), "");
	return LLVMBuildAnd(g->b, yes, even, "");
}

/* Uniform in (0,1): (k + 1/2)/2^52 with the upper 52 bits k; exact. */
static Val uniform(Ir *g, Val bits)
{
	Val k = LLVMBuildOr(g->b, m_shr(g, bits, 12), m_int(g, 0x4330000000000000, bits), "");
	return m_times(g, m_plus(g, m_plus(g, m_of_bits(g, k), -0x1p52), 0.5), 0x1p-52);
}

/* Wichura's rational functions for the quantile of the normal distribution (AS 241), as in rng.c.
 */
static const double MIDDLE_A[] = {3.3871328727963666080e0, 1.3314166789178437745e2,
				  1.9715909503065514427e3, 1.3731693765509461125e4,
				  4.5921953931549871457e4, 6.7265770927008700853e4,
				  3.3430575583588128105e4, 2.5090809287301226727e3};
static const double MIDDLE_B[] = {1.0,
				  4.2313330701600911252e1,
				  6.8718700749205790830e2,
				  5.3941960214247511077e3,
				  2.1213794301586595867e4,
				  3.9307895800092710610e4,
				  2.8729085735721942674e4,
				  5.2264952788528545610e3};
static const double FLANK_A[] = {1.42343711074968357734e0,  4.63033784615654529590e0,
				 5.76949722146069140550e0,  3.64784832476320460504e0,
				 1.27045825245236838258e0,  2.41780725177450611770e-1,
				 2.27238449892691845833e-2, 7.74545014278341407640e-4};
static const double FLANK_B[] = {1.0,
				 2.05319162663775882187e0,
				 1.67638483018380384940e0,
				 6.89767334985100004550e-1,
				 1.48103976427480074590e-1,
				 1.51986665636164571966e-2,
				 5.47593808499534494600e-4,
				 1.05075007164441684324e-9};
static const double TAIL_A[] = {6.65790464350110377720e0,  5.46378491116411436990e0,
				1.78482653991729133580e0,  2.96560571828504891230e-1,
				2.65321895265761230930e-2, 1.24266094738807843860e-3,
				2.71155556874348757815e-5, 2.01033439929228813265e-7};
static const double TAIL_B[] = {1.0,
				5.99832206555887937690e-1,
				1.36929880922735805310e-1,
				1.48753612908506148525e-2,
				7.86869131145613259100e-4,
				1.84631831751005468180e-5,
				1.42151175831644588870e-7,
				2.04426310338993978564e-15};

/* Beyond r = 5 (of probability 3e-11): behind a branch. */
static Val far_tail(Ir *g, Val r, Val flank)
{
	Val far = m_cmpk(g, LLVMRealOGT, r, 5), any = far;
	unsigned lanes = ir_lanes(r);
	if (lanes > 1) {
		Val w = LLVMBuildBitCast(g->b, far, LLVMIntTypeInContext(g->ctx, lanes), "");
		any = LLVMBuildICmp(g->b, LLVMIntNE, w, LLVMConstNull(LLVMTypeOf(w)), "");
	}
	LLVMBasicBlockRef before = LLVMGetInsertBlock(g->b);
	IrIf branch;
	ir_if(g, &branch, any);
	Val s = m_plus(g, r, -5),
	    x = m_div(g, m_poly(g, s, POLY(TAIL_A)), m_poly(g, s, POLY(TAIL_B)));
	x = m_sel(g, far, x, flank);
	ir_if_end(g, &branch);
	Val y = LLVMBuildPhi(g->b, LLVMTypeOf(r), "");
	LLVMAddIncoming(y, (Val[]){flank, x}, (LLVMBasicBlockRef[]){before, branch.then}, 2);
	return y;
}

/* The quantile of u: the middle and the flanks are both computed and divided once. For floats the
 * distance from 1/2 and from the nearer end are rounded first, the rest is done in floats. */
static Val normal(Ir *g, Val u)
{
	Val q = m_plus(g, u, -0.5), up = m_cmpk(g, LLVMRealOGT, q, 0);
	Val end = m_sel(g, up, m_sub(g, m_real(g, 1, u), u), u);
	if (g->real_bytes == 4) {
		LLVMTypeRef t = ir_vec(g, g->real, ir_lanes(u));
		q = LLVMBuildFPTrunc(g->b, q, t, "");
		end = LLVMBuildFPTrunc(g->b, end, t, "");
	}
	Val zero = m_real(g, 0, q);
	Val r = m_sqrt(g, m_neg(g, m_log_of(g, end, NULL, zero)));
	Val f = m_plus(g, r, -1.6), m = ir_fma(g, m_neg(g, q), q, m_real(g, 0.180625, q));
	Val middle = m_cmpk(g, LLVMRealOLE, ir_abs(g, q), 0.425);
	Val a = m_sel(g, middle, m_mul(g, q, m_poly(g, m, POLY(MIDDLE_A))),
		      m_poly(g, f, POLY(FLANK_A)));
	Val b = m_sel(g, middle, m_poly(g, m, POLY(MIDDLE_B)), m_poly(g, f, POLY(FLANK_B)));
	Val x = far_tail(g, r, m_div(g, a, b));
	return ir_copysign(g, x, q);
}

static Val lanes_memory(Ir *g, unsigned lanes)
{
	return LLVMBuildAlloca(g->b, ir_vec(g, g->i64, lanes), "");
}

static void fill_words(Ir *g, const Draw *d, Val i0)
{
	if (d->lanes < 4) {
		draw_lanes(g, d);
		return;
	}
	LLVMBasicBlockRef row = LLVMAppendBasicBlockInContext(g->ctx, g->fn, "");
	LLVMBasicBlockRef apart = LLVMAppendBasicBlockInContext(g->ctx, g->fn, "");
	LLVMBasicBlockRef after = LLVMAppendBasicBlockInContext(g->ctx, g->fn, "");
	LLVMBuildCondBr(g->b, is_row(g, i0, d->lanes), row, apart);
	LLVMPositionBuilderAtEnd(g->b, row);
	draw_blocks(g, d);
	LLVMBuildBr(g->b, after);
	LLVMPositionBuilderAtEnd(g->b, apart);
	draw_lanes(g, d);
	LLVMBuildBr(g->b, after);
	LLVMPositionBuilderAtEnd(g->b, after);
}

/* real lanes f(i64 seed, stream, step, lanes of the indices). `rows`: the indices but the first are
 * the same in all lanes. */
static Val draw_function(Ir *g, bool is_normal, unsigned lanes, bool rows)
{
	char name[40];
	snprintf(name, sizeof name, "pnn.%s.%u%s", is_normal ? "normal" : "uniform", lanes,
		 rows ? ".row" : "");
	Val made = LLVMGetNamedFunction(g->mod, name);
	if (made) {
		return made;
	}
	LLVMTypeRef many = ir_vec(g, g->i64, lanes), other = rows ? g->i64 : many;
	LLVMTypeRef arg[7] = {g->i64, g->i64, g->i64, many, other, other, other};
	IrPlace back = ir_leave(g);
	Val fn = ir_function(g, name, ir_vec(g, g->real, lanes), 7, arg, true);
	Val i[4];
	for (unsigned k = 0; k < 4; k++) {
		i[k] = LLVMGetParam(fn, 3 + k);
	}
	Draw d = {lanes,
		  LLVMGetParam(fn, 0),
		  LLVMGetParam(fn, 1),
		  LLVMGetParam(fn, 2),
		  lanes_memory(g, lanes),
		  lanes_memory(g, lanes),
		  lanes_memory(g, lanes),
		  lanes_memory(g, lanes),
		  lanes_memory(g, lanes)};
	LLVMBuildStore(g->b, m_shr(g, i[0], 2), d.quarter);
	LLVMBuildStore(g->b, m_iand(g, i[0], 3), d.place);
	LLVMBuildStore(g->b, ir_splat(g, i[1], lanes), d.i1);
	LLVMBuildStore(g->b, ir_splat(g, last_word(g, i[2], i[3]), lanes), d.last);
	if (rows) {
		fill_words(g, &d, i[0]);
	} else {
		draw_lanes(g, &d);
	}
	Val u = uniform(g, LLVMBuildLoad2(g->b, many, d.out, ""));
	Val x = is_normal ? normal(g, u) : u;
	bool narrow = g->real_bytes == 4 && !m_single(x);
	LLVMBuildRet(g->b, narrow ? LLVMBuildFPTrunc(g->b, x, ir_vec(g, g->real, lanes), "") : x);
	ir_return(g, back);
	return fn;
}

LLVMValueRef ir_random(Ir *g, bool is_normal, unsigned lanes, LLVMValueRef seed,
		       LLVMValueRef stream, LLVMValueRef step, LLVMValueRef index[4])
{
	bool rows = ir_lanes(index[1]) == 1 && ir_lanes(index[2]) == 1 && ir_lanes(index[3]) == 1;
	Val fn = draw_function(g, is_normal, lanes, rows);
	Val arg[7] = {seed, stream, step, ir_splat(g, index[0], lanes)};
	for (unsigned k = 1; k < 4; k++) {
		arg[3 + k] = rows ? index[k] : ir_splat(g, index[k], lanes);
	}
	return LLVMBuildCall2(g->b, LLVMGlobalGetValueType(fn), fn, arg, 7, "");
}
