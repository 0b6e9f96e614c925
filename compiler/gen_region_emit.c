/* gen_region_emit.c — the kernel of a region:
 *
 *   for n0 over vectors of samples:  for m0 over blocks of rows:
 *     S[i][p][v] = Σ_k A_p[m0+i, k] * B_p[k, n0 + v*VL]    all products at once, in registers
 *     for each row i and vector v of the block: the region's steps in order, values passed on in
 * registers
 *
 * Small bodies are unrolled over the block; large ones read the sums from scratch memory in a loop.
 */
#include "compiler/gen_region.h"
#include "compiler/interp.h"
#include <string.h>

enum { UNROLL_MOST = 400 /* instructions */, MAP_SIZE = 28, BLOCK_SUMS = 64, VECTORS = 8 };

typedef struct Emit {
	Region *r;
	Gen *g;
	Ir *ir;
	LLVMValueRef fn, n0, m0, row;
	LLVMValueRef left[VECTORS];         /* masks by vector, or NULL */
	LLVMValueRef index[REGION_CLASSES]; /* row*rs + n0; without n0 in flat */
	LLVMValueRef flat[REGION_CLASSES];
	LLVMValueRef sum[BLOCK_SUMS]; /* [row][product][vector] of the present block */
	LLVMValueRef value[REGION_REFS][VECTORS];
	unsigned v; /* vector whose code is being made */
	const RegionStep *step;
	LLVMValueRef *slot;
} Emit;

static LLVMValueRef param(const Emit *e, uint32_t arg)
{
	return LLVMGetParam(e->fn, arg);
}

static LLVMValueRef add(const Emit *e, LLVMValueRef a, LLVMValueRef b)
{
	return LLVMBuildAdd(e->ir->b, a, b, "");
}

static LLVMValueRef mul(const Emit *e, LLVMValueRef a, LLVMValueRef b)
{
	return LLVMBuildMul(e->ir->b, a, b, "");
}

/* ---- products ---- */

static unsigned sum_at(const Emit *e, unsigned row, unsigned product, unsigned v)
{
	return (row * e->r->nproduct + product) * e->r->nv + v;
}

typedef struct KLoop {
	IrLoop loop;
	LLVMValueRef row[8];                       /* A at the rows of the block */
	uint32_t stride[REGION_PRODUCTS], nstride; /* arguments: different strides of B */
	unsigned a, b; /* places among the carried values: offset in A, in B by stride */
} KLoop;

static unsigned stride_number(KLoop *w, uint32_t arg)
{
	for (unsigned k = 0; k < w->nstride; k++) {
		if (w->stride[k] == arg) {
			return k;
		}
	}
	w->stride[w->nstride] = arg;
	return w->nstride++;
}

/* One pass: every row of A times every vector of B. */
static void k_pass(Emit *e, KLoop *w, unsigned group, unsigned mr, LLVMValueRef *next)
{
	Region *r = e->r;
	Ir *ir = e->ir;
	LLVMValueRef b[REGION_PRODUCTS][VECTORS];
	for (unsigned p = 0; p < r->nproduct; p++) {
		if (r->product[p].group != group) {
			continue;
		}
		LLVMValueRef at = w->loop.phi[w->b + stride_number(w, r->product[p].bk)];
		for (unsigned v = 0; v < r->nv; v++) {
			LLVMValueRef from = add(e, at, ir_int(ir, v * ir->vl));
			b[p][v] =
				ir_load(ir, ir->real, ir->vl,
					ir_at(ir, ir->real, param(e, r->product[p].b), from), NULL);
		}
	}
	unsigned n = 0;
	for (unsigned i = 0; i < mr; i++) {
		LLVMValueRef at = ir_at(ir, ir->real, w->row[i], w->loop.phi[w->a]);
		LLVMValueRef a = ir_splat(ir, ir_load(ir, ir->real, 1, at, NULL), ir->vl);
		for (unsigned p = 0; p < r->nproduct; p++) {
			for (unsigned v = 0; r->product[p].group == group && v < r->nv; v++, n++) {
				next[n] = ir_fma(ir, a, b[p][v], w->loop.phi[n]);
			}
		}
	}
}

static void emit_group(Emit *e, unsigned group, unsigned mr)
{
	Region *r = e->r;
	Ir *ir = e->ir;
	const RegionGroup *s = &r->group[group];
	KLoop w = {.nstride = 0};
	LLVMValueRef first[IR_PHIS], next[IR_PHIS], one = ir_int(ir, 1);
	LLVMValueRef am = s->am ? param(e, s->am) : one, ak = s->ak ? param(e, s->ak) : one;
	LLVMValueRef base = ir_at(ir, ir->real, param(e, s->a), mul(e, e->m0, am));
	for (unsigned i = 0; i < mr; i++) {
		w.row[i] = ir_at(ir, ir->real, base,
				 s->am ? mul(e, ir_int(ir, i), am) : ir_int(ir, i));
	}
	unsigned n = 0;
	for (unsigned p = 0; p < r->nproduct; p++) {
		if (r->product[p].group == group) {
			stride_number(&w, r->product[p].bk);
			n += mr * r->nv;
		}
	}
	for (unsigned k = 0; k < n; k++) {
		first[k] = ir_real(ir, 0, ir->vl);
	}
	w.a = n;
	w.b = n + 1;
	first[w.a] = ir_int(ir, 0);
	for (unsigned k = 0; k < w.nstride; k++) {
		first[w.b + k] = e->n0;
	}
	ir_loop(ir, &w.loop, ir_int(ir, 0), param(e, s->k), 1, n + 1 + w.nstride, first, true);
	k_pass(e, &w, group, mr, next);
	next[w.a] = add(e, w.loop.phi[w.a], ak);
	for (unsigned k = 0; k < w.nstride; k++) {
		next[w.b + k] = add(e, w.loop.phi[w.b + k], param(e, w.stride[k]));
	}
	ir_loop_end(ir, &w.loop, next);
	n = 0;
	for (unsigned i = 0; i < mr; i++) {
		for (unsigned p = 0; p < r->nproduct; p++) {
			for (unsigned v = 0; r->product[p].group == group && v < r->nv; v++) {
				e->sum[sum_at(e, i, p, v)] = w.loop.phi[n++];
			}
		}
	}
}

/* ---- elements ---- */

static LLVMValueRef ref_mask(const Emit *e, const RegionRef *f)
{
	return f->tile ? NULL : e->left[e->v];
}

static LLVMValueRef ref_address(Emit *e, const RegionRef *f)
{
	Ir *ir = e->ir;
	LLVMTypeRef t = f->integer ? ir->i64 : ir->real;
	if (f->ls == 0) {
		return ir_at(ir, t, param(e, f->arg), e->flat[f->row]);
	}
	LLVMValueRef v = ir_int(ir, (int64_t)e->v * ir->vl);
	LLVMValueRef at =
		f->ls == 1 ? add(e, e->index[f->row], v)
			   : add(e, e->flat[f->row], mul(e, add(e, e->n0, v), ir_int(ir, f->ls)));
	return ir_at(ir, t, param(e, f->arg), at);
}

static LLVMValueRef ref_value(Emit *e, uint32_t k)
{
	const RegionRef *f = &e->r->ref[k];
	Ir *ir = e->ir;
	LLVMTypeRef t = f->integer ? ir->i64 : ir->real;
	if (!e->value[k][e->v]) {
		LLVMValueRef at = ref_address(e, f);
		e->value[k][e->v] = f->ls == 0 ? ir_load(ir, t, 1, at, NULL)
				    : f->ls == 1
					    ? ir_load(ir, t, ir->vl, at, ref_mask(e, f))
					    : ir_load_strided(ir, t, ir->vl, at, ir_int(ir, f->ls),
							      e->left[e->v]);
		for (unsigned v = e->v + 1; f->ls == 0 && v < e->r->nv; v++) {
			e->value[k][v] = e->value[k][e->v];
		}
	}
	return e->value[k][e->v];
}

static void ref_set(Emit *e, uint32_t k, LLVMValueRef value)
{
	const RegionRef *f = &e->r->ref[k];
	value = ir_splat(e->ir, value, e->ir->vl);
	e->value[k][e->v] = value;
	if (f->stored) {
		ir_store(e->ir, value, ref_address(e, f), ref_mask(e, f));
	}
}

static LLVMValueRef code_read(GenCode *c, uint32_t access)
{
	Emit *e = c->data;
	return ref_value(e, e->step->ref[access]);
}

static void code_write(GenCode *c, uint32_t access, LLVMValueRef value)
{
	Emit *e = c->data;
	ref_set(e, e->step->ref[access], value);
}

static LLVMValueRef code_address(GenCode *c, uint32_t access)
{
	Emit *e = c->data;
	return ref_address(e, &e->r->ref[e->step->ref[access]]);
}

static void emit_nest(Emit *e, const RegionStep *s)
{
	const Nest *n = s->nest;
	Gen *g = e->g;
	LLVMValueRef *reg = arena_array(g->arena, LLVMValueRef, n->nreg + n->nuniform + 1);
	LLVMValueRef label[2] = {NULL, NULL};
	if (s->labels) {
		LLVMValueRef lane = add(e, param(e, s->label[1]),
					add(e, e->n0, ir_int(e->ir, (int64_t)e->v * e->ir->vl)));
		label[n->ndim - 1] = lane;
		if (n->ndim == 2) {
			label[0] = add(e, param(e, s->label[0]), e->row);
		}
	}
	e->step = s;
	GenCode c = {.g = g,
		     .nest = n,
		     .lanes = e->ir->vl,
		     .mask = e->left[e->v],
		     .context = param(e, 0),
		     .label = label,
		     .slot = e->slot,
		     .data = e,
		     .read = code_read,
		     .write = code_write,
		     .address = code_address,
		     .reg = reg,
		     .fault = s->fault ? param(e, s->fault) : NULL};
	gen_code(&c);
}

/* F + alpha*S */
static void emit_product(Emit *e, const RegionProduct *p, LLVMValueRef sum)
{
	Ir *ir = e->ir;
	double alpha = p->gemm->alpha;
	LLVMValueRef value = sum;
	if (p->from != REGION_REFS) {
		LLVMValueRef f = ir_splat(ir, ref_value(e, p->from), ir->vl);
		value = alpha == 1 ? LLVMBuildFAdd(ir->b, f, sum, "")
				   : ir_fma(ir, ir_const_like(ir, alpha, sum), sum, f);
	} else if (alpha != 1) {
		value = LLVMBuildFMul(ir->b, ir_const_like(ir, alpha, sum), sum, "");
	}
	ref_set(e, p->c, value);
}

/* All steps for one row; sums by product and vector. */
static void emit_row(Emit *e, LLVMValueRef *sum)
{
	Region *r = e->r;
	memset(e->value, 0, sizeof e->value);
	for (uint32_t k = 0; k < r->nstep; k++) {
		const RegionStep *s = &r->step[k];
		for (e->v = 0; e->v < r->nv; e->v++) {
			if (s->nest) {
				emit_nest(e, s);
			} else {
				emit_product(e, &r->product[s->product],
					     sum[s->product * r->nv + e->v]);
			}
		}
	}
}

/* Places of row e->row in all buffers. */
static void set_index(Emit *e)
{
	for (uint32_t k = 0; k < e->r->nrow; k++) {
		e->flat[k] = e->r->row[k] ? mul(e, e->row, param(e, e->r->row_arg[k]))
					  : ir_int(e->ir, 0);
		e->index[k] = add(e, e->flat[k], e->n0);
	}
}

static void next_index(Emit *e)
{
	e->row = add(e, e->row, ir_int(e->ir, 1));
	for (uint32_t k = 0; k < e->r->nrow; k++) {
		if (e->r->row[k]) {
			LLVMValueRef step = param(e, e->r->row_arg[k]);
			e->flat[k] = add(e, e->flat[k], step);
			e->index[k] = add(e, e->index[k], step);
		}
	}
}

/* ---- blocks ---- */

static size_t body_size(const Region *r)
{
	size_t n = r->nproduct;
	for (uint32_t k = 0; k < r->nstep; k++) {
		const Nest *nest = r->step[k].nest;
		for (uint32_t q = 0; nest && q < nest->ncode; q++) {
			n += nest->code[q].op == VM_MAP || nest->code[q].op == VM_CALL ? MAP_SIZE
										       : 1;
		}
		n += nest ? nest->naccess : 0;
	}
	return n;
}

static void rows_unrolled(Emit *e, unsigned mr)
{
	e->row = e->m0;
	set_index(e);
	for (unsigned i = 0; i < mr; i++) {
		if (i) {
			next_index(e);
		}
		emit_row(e, e->sum + sum_at(e, i, 0, 0));
	}
}

static LLVMValueRef scratch_at(Emit *e, LLVMValueRef scratch, LLVMValueRef place)
{
	return ir_at(e->ir, LLVMVectorType(e->ir->real, e->ir->vl), scratch, place);
}

static void rows_rolled(Emit *e, unsigned mr, LLVMValueRef scratch)
{
	Region *r = e->r;
	Ir *ir = e->ir;
	unsigned sums = r->nproduct * r->nv;
	for (unsigned k = 0; k < mr * sums; k++) {
		ir_store(ir, e->sum[k], scratch_at(e, scratch, ir_int(ir, k)), NULL);
	}
	IrLoop l;
	ir_loop(ir, &l, ir_int(ir, 0), ir_int(ir, mr), 1, 0, NULL, true);
	LLVMValueRef sum[BLOCK_SUMS], first = mul(e, l.i, ir_int(ir, sums));
	for (unsigned k = 0; k < sums; k++) {
		LLVMValueRef at = scratch_at(e, scratch, add(e, first, ir_int(ir, k)));
		sum[k] = ir_load(ir, ir->real, ir->vl, at, NULL);
	}
	e->row = add(e, e->m0, l.i);
	set_index(e);
	emit_row(e, sum);
	ir_loop_end(ir, &l, NULL);
}

static void emit_block(Emit *e, unsigned mr, LLVMValueRef scratch)
{
	for (unsigned k = 0; k < e->r->ngroup; k++) {
		emit_group(e, k, mr);
	}
	if (scratch && mr > 1) {
		rows_rolled(e, mr, scratch);
	} else {
		rows_unrolled(e, mr);
	}
}

static void emit_rows(Emit *e, LLVMValueRef scratch)
{
	Region *r = e->r;
	Ir *ir = e->ir;
	LLVMValueRef rows = param(e, r->rows_arg), whole = rows;
	bool rest = r->rows % r->mr != 0;
	if (r->rows == 1) {
		e->m0 = ir_int(ir, 0);
		emit_block(e, 1, NULL);
		return;
	}
	if (rest) {
		LLVMValueRef mr = ir_int(ir, r->mr);
		whole = mul(e, LLVMBuildUDiv(ir->b, rows, mr, ""), mr);
	}
	IrLoop l;
	ir_loop(ir, &l, ir_int(ir, 0), whole, r->mr, 0, NULL, true);
	e->m0 = l.i;
	emit_block(e, r->mr, scratch);
	ir_loop_end(ir, &l, NULL);
	if (rest) {
		ir_loop(ir, &l, whole, rows, 1, 0, NULL, true);
		e->m0 = l.i;
		emit_block(e, 1, NULL);
		ir_loop_end(ir, &l, NULL);
	}
}

LLVMValueRef region_kernel(Region *r)
{
	Gen *g = r->g;
	Ir *ir = &g->ir;
	LLVMTypeRef type[REGION_ARGS];
	for (uint32_t k = 0; k < r->narg; k++) {
		type[k] = LLVMTypeOf(r->arg[k]);
	}
	Emit e = {.r = r, .g = g, .ir = ir};
	e.fn = ir_function(ir, "region", ir->nothing, r->narg, type, true);
	e.slot = arena_array(g->arena, LLVMValueRef, g->plan->nslot + 1);
	for (uint32_t k = 1; k < g->plan->nslot; k++) {
		e.slot[k] = r->slot_arg[k] ? param(&e, r->slot_arg[k]) : NULL;
	}
	LLVMValueRef scratch = NULL;
	if (r->mr > 1 && body_size(r) * r->mr * r->nv > UNROLL_MOST) {
		LLVMTypeRef vector = LLVMVectorType(ir->real, ir->vl);
		scratch = LLVMBuildArrayAlloca(
			ir->b, vector, LLVMConstInt(ir->i32, r->mr * r->nproduct * r->nv, false),
			"");
		LLVMSetAlignment(scratch, ir->target.vector_bytes);
	}
	IrLoop l;
	LLVMValueRef lanes = param(&e, r->lanes_arg);
	ir_loop(ir, &l, ir_int(ir, 0), lanes, (int64_t)r->nv * ir->vl, 0, NULL, true);
	e.n0 = l.i;
	for (unsigned v = 0; v < r->nv && r->w->partial; v++) {
		LLVMValueRef left = LLVMBuildSub(ir->b, lanes,
						 add(&e, l.i, ir_int(ir, (int64_t)v * ir->vl)), "");
		e.left[v] = ir_mask(ir, ir->vl, left);
	}
	emit_rows(&e, scratch);
	ir_loop_end(ir, &l, NULL);
	LLVMBuildRetVoid(ir->b);
	return e.fn;
}
