/* gen_red.c — reductions: accumulators of one value for each lane, or, if the lanes are reduced
 * over, of vectors that become one value in a fixed tree at the end.
 *
 * The order of the terms depends on the lengths alone: lane l of an accumulator takes the terms l,
 * l + lanes, …; without masks the terms behind the last whole vector have an accumulator of their
 * own, which comes last. */
#include "compiler/gen_nest.h"
#include "compiler/ir_math.h"
#include <assert.h>
#include <math.h>
#include <string.h>

static const int64_t UNSET = INT64_MIN; /* argmax: nothing has taken part yet */

typedef struct Red {
	NestKernel *k;
	const Nest *nest;
	RedKind red;           /* how values join in this pass */
	bool integer;
	unsigned nacc;         /* accumulators: 2 for argmax (value, label), else 1 */
	unsigned nphi;         /* with those of the scalars behind the last whole vector */
	bool exps;             /* second pass of logsumexp: exp(value - greatest) is summed */
	LLVMValueRef greatest;
	LLVMValueRef lane, mask; /* lanes not reduced over: the present ones */
	unsigned lanes;
} Red;

static bool is_arg(const Nest *nest)
{
	return nest->red == RED_ARGMAX || nest->red == RED_ARGMIN;
}

/* The sum of reals is accumulated by the program itself. */
static bool in_code(const Red *r)
{
	return r->nest->red == RED_SUM && !r->nest->integer;
}

/* ---- joining ---- */

static LLVMValueRef neutral(const Red *r, unsigned lanes)
{
	Ir *g = &r->k->g->ir;
	double real = 0;
	int64_t i = 0;
	switch (r->red) {
	case RED_PROD:
	case RED_ALL:
		real = 1;
		i = 1;
		break;
	case RED_MAX:
	case RED_ARGMAX:
		real = -INFINITY;
		i = INT64_MIN;
		break;
	case RED_MIN:
	case RED_ARGMIN:
		real = INFINITY;
		i = INT64_MAX;
		break;
	default:
		break;
	}
	LLVMValueRef v = r->integer ? ir_int(g, i) : ir_real(g, real, 1);
	return ir_splat(g, v, lanes);
}

/* a unless b is greater (smaller) or not a number */
static LLVMValueRef extreme(Ir *g, LLVMValueRef a, LLVMValueRef b, bool max)
{
	LLVMValueRef better = LLVMBuildFCmp(g->b, max ? LLVMRealOGT : LLVMRealOLT, b, a, "");
	LLVMValueRef none = LLVMBuildFCmp(g->b, LLVMRealUNO, b, b, "");
	return LLVMBuildSelect(g->b, none, b, LLVMBuildSelect(g->b, better, b, a, ""), "");
}

static LLVMValueRef join_reals(const Red *r, LLVMValueRef a, LLVMValueRef b)
{
	Ir *g = &r->k->g->ir;
	switch (r->red) {
	case RED_PROD:
		return LLVMBuildFMul(g->b, a, b, "");
	case RED_MAX:
	case RED_MIN:
		return extreme(g, a, b, r->red == RED_MAX);
	default:
		return LLVMBuildFAdd(g->b, a, b, "");
	}
}

/* *bad: overflow, NULL if there is none. */
static LLVMValueRef join_ints(const Red *r, LLVMValueRef a, LLVMValueRef b, LLVMValueRef *bad)
{
	Ir *g = &r->k->g->ir;
	bool greater = r->red == RED_MAX, product = r->red == RED_PROD;
	LLVMValueRef arg[2] = {a, b}, sum;
	switch (r->red) {
	case RED_MAX:
	case RED_MIN:
		sum = LLVMBuildICmp(g->b, greater ? LLVMIntSGT : LLVMIntSLT, a, b, "");
		return LLVMBuildSelect(g->b, sum, a, b, "");
	case RED_ALL:
		return LLVMBuildAnd(g->b, a, b, "");
	case RED_ANY:
		return LLVMBuildOr(g->b, a, b, "");
	default:
		sum = ir_intrinsic(
			g, product ? "llvm.smul.with.overflow" : "llvm.sadd.with.overflow", 2, arg);
		*bad = LLVMBuildExtractValue(g->b, sum, 1, "");
		return LLVMBuildExtractValue(g->b, sum, 0, "");
	}
}

/* a joined with b where `take` holds (NULL: everywhere). */
static LLVMValueRef join(const Red *r, LLVMValueRef a, LLVMValueRef b, LLVMValueRef take)
{
	Ir *g = &r->k->g->ir;
	LLVMValueRef bad = NULL;
	LLVMValueRef v = r->integer ? join_ints(r, a, b, &bad) : join_reals(r, a, b);
	if (bad) {
		LLVMValueRef mask = r->k->code.mask;
		r->k->code.mask = ir_lanes(bad) == r->k->code.lanes ? mask : NULL;
		code_fault(&r->k->code, NULL, code_both(&r->k->code, bad, take), ir_int(g, 0));
		r->k->code.mask = mask;
	}
	return take ? LLVMBuildSelect(g->b, take, v, a, "") : v;
}

/* All lanes as one: the halves join until one lane is left. */
static LLVMValueRef fold(const Red *r, LLVMValueRef v)
{
	Ir *g = &r->k->g->ir;
	unsigned n = ir_lanes(v);
	if (!r->integer && r->red == RED_SUM) {
		return ir_sum_lanes(g, v);
	}
	for (; n > 1; n /= 2) {
		LLVMValueRef low[64], high[64], none = LLVMGetPoison(LLVMTypeOf(v));
		assert(n <= 128);
		for (unsigned l = 0; l < n / 2; l++) {
			low[l] = LLVMConstInt(g->i32, l, false);
			high[l] = LLVMConstInt(g->i32, l + n / 2, false);
		}
		LLVMValueRef a, b;
		if (n == 2) {
			a = LLVMBuildExtractElement(g->b, v, low[0], "");
			b = LLVMBuildExtractElement(g->b, v, high[0], "");
		} else {
			a = LLVMBuildShuffleVector(g->b, v, none, LLVMConstVector(low, n / 2), "");
			b = LLVMBuildShuffleVector(g->b, v, none, LLVMConstVector(high, n / 2), "");
		}
		v = join(r, a, b, NULL);
	}
	return v;
}

/* ---- one program ---- */

static LLVMValueRef operand(const Red *r, uint32_t at, unsigned lanes)
{
	LLVMValueRef v = r->integer ? code_int(&r->k->code, at) : code_real(&r->k->code, at);
	return ir_splat(&r->k->g->ir, v, lanes);
}

/* The first of the best: a value that is equal does not replace one before it. */
static void arg_body(const Red *r, LLVMValueRef *acc, LLVMValueRef take, unsigned lanes)
{
	Ir *g = &r->k->g->ir;
	bool max = r->red == RED_ARGMAX;
	LLVMValueRef v = operand(r, r->nest->value, lanes), before;
	if (r->integer) {
		before = LLVMBuildICmp(g->b, max ? LLVMIntSGT : LLVMIntSLT, v, acc[0], "");
	} else {
		before = LLVMBuildFCmp(g->b, max ? LLVMRealOGT : LLVMRealOLT, v, acc[0], "");
	}
	LLVMValueRef unset = ir_int_like(g, UNSET, acc[1]);
	LLVMValueRef first = LLVMBuildICmp(g->b, LLVMIntEQ, acc[1], unset, "");
	take = code_both(&r->k->code, LLVMBuildOr(g->b, before, first, ""), take);
	uint32_t d = r->nest->lane_bound ? r->nest->ndim - 1 : r->nest->nformal;
	LLVMValueRef label = ir_splat(g, r->k->code.label[d], lanes);
	acc[0] = LLVMBuildSelect(g->b, take, v, acc[0], "");
	acc[1] = LLVMBuildSelect(g->b, take, label, acc[1], "");
}

/* The program for some lanes, its values joined with acc[0], acc[1]. */
static void body(const Red *r, LLVMValueRef *acc, LLVMValueRef lane, unsigned lanes,
		 LLVMValueRef mask)
{
	NestKernel *k = r->k;
	Ir *g = &k->g->ir;
	const Nest *nest = r->nest;
	if (in_code(r)) {
		k->code.reg[nest->acc] = acc[0];
	}
	nest_lanes(k, lane, lanes, mask);
	LLVMValueRef take = nest->lane_bound ? mask : NULL;
	if (nest->filter != OPERAND_NONE) {
		take = code_both(&r->k->code, code_truth(&k->code, nest->filter), take);
	}
	take = take ? ir_splat(g, take, lanes) : NULL;
	if (in_code(r)) {
		LLVMValueRef v = ir_splat(g, k->code.reg[nest->acc], lanes);
		acc[0] = take ? LLVMBuildSelect(g->b, take, v, acc[0], "") : v;
	} else if (is_arg(nest)) {
		arg_body(r, acc, take, lanes);
	} else {
		LLVMValueRef v = operand(r, nest->value, lanes);
		if (r->exps) {
			LLVMValueRef top = ir_splat(g, r->greatest, lanes);
			v = ir_op(g, OP_exp, LLVMBuildFSub(g->b, v, top, ""), NULL);
		}
		acc[0] = join(r, acc[0], v, take);
	}
	nest_lanes_end(k);
}

/* ---- loops ---- */

/* All lanes of a row: v[] holds the accumulators of vectors, then those of scalars. */
static void row(const Red *r, LLVMValueRef *v)
{
	NestKernel *k = r->k;
	Ir *g = &k->g->ir;
	const NestForm *f = k->f;
	LLVMValueRef zero = ir_int(g, 0), end = nest_whole(k);
	IrLoop l;
	if (f->single) {
		body(r, v, zero, 1, NULL);
		return;
	}
	ir_loop(g, &l, zero, end, f->lanes, r->nacc, v, f->tail != TAIL_SCALARS);
	memcpy(v, l.phi, r->nacc * sizeof *v);
	body(r, v, l.i, f->lanes, nest_mask(k, l.i));
	ir_loop_end(g, &l, v);
	memcpy(v, l.phi, r->nacc * sizeof *v);
	if (f->tail == TAIL_SCALARS) {
		LLVMValueRef *t = v + r->nacc;
		ir_loop(g, &l, end, k->n, 1, r->nacc, t, false);
		memcpy(t, l.phi, r->nacc * sizeof *t);
		body(r, t, l.i, 1, NULL);
		ir_loop_end(g, &l, t);
		memcpy(t, l.phi, r->nacc * sizeof *t);
	}
}

static void bounds(const Red *r, uint32_t q, LLVMValueRef *v);

/* The same where something is added; else v stays as it is. */
static void bounds_if(const Red *r, uint32_t q, LLVMValueRef wanted, LLVMValueRef *v)
{
	Ir *g = &r->k->g->ir;
	LLVMValueRef was[4];
	memcpy(was, v, r->nphi * sizeof *v);
	LLVMBasicBlockRef before = LLVMGetInsertBlock(g->b);
	IrIf some;
	ir_if(g, &some, wanted);
	bounds(r, q, v);
	LLVMBasicBlockRef end = LLVMGetInsertBlock(g->b);
	ir_if_end(g, &some);
	for (unsigned p = 0; p < r->nphi; p++) {
		LLVMValueRef phi = LLVMBuildPhi(g->b, LLVMTypeOf(was[p]), "");
		LLVMAddIncoming(phi, &was[p], &before, 1);
		LLVMAddIncoming(phi, &v[p], &end, 1);
		v[p] = phi;
	}
}

/* The loops over the bound indices from number q on. */
static void bounds(const Red *r, uint32_t q, LLVMValueRef *v)
{
	NestKernel *k = r->k;
	if (q < k->f->nloop) {
		NestLoop l;
		nest_loop(k, &l, q, r->nphi, v);
		memcpy(v, l.loop.phi, r->nphi * sizeof *v);
		bool here = k->condition != OPERAND_NONE && k->when[k->condition] == q + 1;
		LLVMValueRef wanted = here ? nest_wanted(k) : NULL;
		if (wanted) {
			bounds_if(r, q + 1, wanted, v);
		} else {
			bounds(r, q + 1, v);
		}
		nest_loop_end(k, &l, v);
		memcpy(v, l.loop.phi, r->nphi * sizeof *v);
	} else if (r->nest->lane_bound) {
		row(r, v);
	} else {
		body(r, v, r->lane, r->lanes, r->mask);
	}
}

/* One pass over everything that is reduced: the accumulators as one value, or one for each lane. */
static void pass(Red *r, LLVMValueRef *acc)
{
	const NestForm *f = r->k->f;
	bool split = r->nest->lane_bound && f->tail == TAIL_SCALARS;
	LLVMValueRef v[4];
	r->nphi = split ? 2 * r->nacc : r->nacc;
	for (unsigned q = 0; q < r->nphi; q++) {
		unsigned lanes = q < r->nacc ? r->lanes : 1;
		v[q] = q % r->nacc ? ir_splat(&r->k->g->ir, ir_int(&r->k->g->ir, UNSET), lanes)
				   : neutral(r, lanes);
	}
	if (!f->empty) {
		bounds(r, f->nloop - f->nbound, v);
	}
	if (r->nest->lane_bound && r->lanes > 1) {
		assert(r->nacc == 1);
		v[0] = fold(r, v[0]);
		v[0] = split ? join(r, v[0], v[1], NULL) : v[0];
	}
	memcpy(acc, v, r->nacc * sizeof *acc);
}

/* ---- results ---- */

/* log Σ exp = greatest + log Σ exp(value - greatest), the greatest itself if it is not finite. */
static LLVMValueRef log_sum_exp(Red *r)
{
	Ir *g = &r->k->g->ir;
	LLVMValueRef sum;
	r->red = RED_MAX;
	pass(r, &r->greatest);
	r->red = RED_SUM;
	r->exps = true;
	pass(r, &sum);
	LLVMValueRef top = r->greatest, size = ir_abs(g, top);
	LLVMValueRef odd = LLVMBuildFCmp(g->b, LLVMRealUEQ, size,
					 ir_const_like(g, INFINITY, top), "");
	LLVMValueRef v = LLVMBuildFAdd(g->b, top, ir_op(g, OP_log, sum, NULL), "");
	return LLVMBuildSelect(g->b, odd, top, v, "");
}

static LLVMValueRef result(Red *r)
{
	Ir *g = &r->k->g->ir;
	LLVMValueRef acc[2];
	if (r->nest->red == RED_LOGSUMEXP) {
		return log_sum_exp(r);
	}
	pass(r, acc);
	if (!is_arg(r->nest)) {
		return acc[0];
	}
	uint32_t d = r->nest->lane_bound ? r->nest->ndim - 1 : r->nest->nformal;
	LLVMValueRef lo = nest_number(r->k, nest_table_label(r->k->f, d));
	LLVMValueRef unset = ir_int_like(g, UNSET, acc[1]);
	return LLVMBuildSelect(g->b, LLVMBuildICmp(g->b, LLVMIntEQ, acc[1], unset, ""),
			       ir_splat(g, lo, ir_lanes(acc[1])), acc[1], "");
}

static void store(Red *r, LLVMValueRef v)
{
	NestKernel *k = r->k;
	Ir *g = &k->g->ir;
	const Nest *nest = r->nest;
	const Access *out = &nest->access[nest->out];
	LLVMTypeRef t = gen_type(k->g, out->buffer);
	int64_t stride = out->stride[nest->ndim - 1];
	LLVMValueRef mask = k->f->whole[nest->out] ? NULL : r->mask;
	unsigned lanes = ir_lanes(v);
	k->lane = nest->lane_bound ? NULL : r->lane;
	nest_forget_addresses(k);
	LLVMValueRef at = nest_address(k, nest->out), step = NULL;
	if (lanes > 1 && stride != 1) {
		uint32_t place = nest_table_stride(k->f, k->f->group[nest->out], k->f->nloop);
		step = nest_number(k, place);
	}
	if (nest->accumulate) {
		LLVMValueRef was = step ? ir_load_strided(g, t, lanes, at, step, mask)
					: ir_load(g, t, lanes, at, mask);
		k->code.mask = r->mask;
		k->code.lanes = lanes;
		v = join(r, was, v, NULL);
	}
	if (step) {
		ir_store_strided(g, v, at, step, mask);
	} else {
		ir_store(g, v, at, mask);
	}
}

/* Elements in the given lanes; one element if the lanes are reduced over. */
static void elements(Red *r, LLVMValueRef lane, unsigned lanes, LLVMValueRef mask)
{
	r->lane = lane;
	r->lanes = lanes;
	r->mask = mask;
	r->red = r->nest->red;
	r->exps = false;
	store(r, result(r));
}

void gen_red(NestKernel *k)
{
	Ir *g = &k->g->ir;
	const NestForm *f = k->f;
	const Nest *nest = f->nest;
	Red r = {.k = k, .nest = nest, .integer = nest->integer, .nacc = is_arg(nest) ? 2 : 1};
	LLVMValueRef zero = ir_int(g, 0), end = nest_whole(k);
	if (nest->lane_bound || f->single) {
		elements(&r, zero, f->lanes, NULL);
		return;
	}
	IrLoop l;
	ir_loop(g, &l, zero, end, f->lanes, 0, NULL, f->tail != TAIL_SCALARS);
	elements(&r, l.i, f->lanes, nest_mask(k, l.i));
	ir_loop_end(g, &l, NULL);
	if (f->tail == TAIL_SCALARS) {
		ir_loop(g, &l, end, k->n, 1, 0, NULL, false);
		elements(&r, l.i, 1, NULL);
		ir_loop_end(g, &l, NULL);
	}
}
