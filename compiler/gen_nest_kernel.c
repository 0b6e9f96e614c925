/* gen_nest_kernel.c — the kernel of a nest: loops over the outer dimensions, what is equal for all
 * lanes of a row, and the loop over the lanes.
 *
 * Addresses are base + index: the base is the access's own argument, the index is shared by all
 * accesses that move alike, so that few registers hold addresses. */
#include "compiler/gen_nest.h"
#include <assert.h>
#include <string.h>

LLVMValueRef nest_number(NestKernel *k, uint32_t place)
{
	Ir *g = &k->g->ir;
	return ir_load(g, g->i64, 1, ir_at(g, g->i64, k->table, ir_int(g, place)), NULL);
}

static bool moves(const NestKernel *k, uint32_t group, uint32_t loop)
{
	return k->f->moves[group * (k->f->nloop + 1) + loop];
}

/* index + count*stride for one group and loop */
static LLVMValueRef moved(NestKernel *k, LLVMValueRef index, uint32_t group, uint32_t loop,
			  LLVMValueRef count)
{
	Ir *g = &k->g->ir;
	LLVMValueRef stride = nest_number(k, nest_table_stride(k->f, group, loop));
	LLVMValueRef by = LLVMBuildMul(g->b, count, stride, "");
	return code_is_zero(index) ? by : LLVMBuildAdd(g->b, index, by, "");
}

/* Are the strides along the lanes of the group 1, or 0? */
static bool unit_stride(const NestKernel *k, uint32_t access)
{
	const Nest *nest = k->f->nest;
	return nest->access[access].stride[nest->ndim - 1] == 1;
}

void nest_forget_addresses(NestKernel *k)
{
	k->at = arena_array(k->g->arena, LLVMValueRef, k->f->ngroup + 1);
}

LLVMValueRef nest_address(NestKernel *k, uint32_t access)
{
	Ir *g = &k->g->ir;
	uint32_t group = k->f->group[access];
	if (!k->at[group]) {
		LLVMValueRef at = k->index[group];
		if (!moves(k, group, k->f->nloop) || !k->lane) {
		} else if (unit_stride(k, access)) {
			at = code_is_zero(at) ? k->lane : LLVMBuildAdd(g->b, at, k->lane, "");
		} else {
			at = moved(k, at, group, k->f->nloop, k->lane);
		}
		k->at[group] = at;
	}
	LLVMTypeRef t = gen_type(k->g, k->f->nest->access[access].buffer);
	LLVMValueRef base = LLVMGetParam(k->fn, NEST_SLOTS + k->f->nslot + access);
	return ir_at(g, t, base, k->at[group]);
}

static LLVMValueRef read_access(GenCode *w, uint32_t access)
{
	NestKernel *k = w->data;
	Ir *g = &k->g->ir;
	LLVMTypeRef t = gen_type(k->g, w->nest->access[access].buffer);
	bool lanes = w->nest->access[access].stride[w->nest->ndim - 1] != 0;
	assert(!lanes || w->lanes == 1 || unit_stride(k, access));
	return ir_load(g, t, lanes ? w->lanes : 1, nest_address(k, access),
		       k->f->whole[access] ? NULL : w->mask);
}

static void write_access(GenCode *w, uint32_t access, LLVMValueRef v)
{
	NestKernel *k = w->data;
	if (k->f->passing[access]) {
		return;
	}
	ir_store(&k->g->ir, v, nest_address(k, access), k->f->whole[access] ? NULL : w->mask);
}

static LLVMValueRef access_address(GenCode *w, uint32_t access)
{
	return nest_address(w->data, access);
}

/* ---- what is equal for all lanes ---- */

/* Loops around an operand's value: the number of those inside of which it changes. */
static unsigned operand_depth(const NestKernel *k, const unsigned char *reg, uint32_t operand)
{
	const Nest *nest = k->f->nest;
	if (operand == OPERAND_NONE) {
		return 0;
	}
	uint32_t a = code_access(&k->code, operand);
	return a != OPERAND_NONE			? k->depth[a]
	       : operand < nest->nreg + nest->nuniform ? reg[operand]
						       : 0;
}

static unsigned most(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

/* Depths of accesses and of the instructions that give one value for all lanes. */
static void kernel_depths(NestKernel *k)
{
	const NestForm *f = k->f;
	const Nest *nest = f->nest;
	Arena *arena = k->g->arena;
	unsigned char *reg = arena_array(arena, unsigned char, nest->nreg + nest->nuniform + 1);
	k->depth = arena_array(arena, unsigned char, nest->naccess + 1);
	k->when = arena_array(arena, unsigned char, nest->ncode + 1);
	for (uint32_t a = 0; a < nest->naccess; a++) {
		for (uint32_t q = 0; q < f->nloop; q++) {
			k->depth[a] = (unsigned char)(moves(k, f->group[a], q) ? q + 1 : k->depth[a]);
		}
	}
	for (uint32_t n = 0; n < nest->ncode; n++) {
		const Instr *in = &nest->code[n];
		unsigned depth = most(operand_depth(k, reg, in->a), operand_depth(k, reg, in->b));
		depth = most(depth, operand_depth(k, reg, in->c));
		for (uint32_t q = 0; q < in->nmore; q++) {
			depth = most(depth, operand_depth(k, reg, in->more[q]));
		}
		for (uint32_t q = 0; q < f->nloop; q++) {
			bool label = in->op == VM_LABEL && f->dim[q] == in->i;
			depth = label ? most(depth, q + 1) : depth;
		}
		if (in->dst < nest->nreg + nest->nuniform) {
			reg[in->dst] = (unsigned char)depth;
		} else {
			depth = most(depth, operand_depth(k, reg, in->dst));
		}
		k->when[n] = (unsigned char)depth;
	}
}

/* Instructions and reads that change inside `depth` loops and are equal for all lanes. */
static void lone_values(NestKernel *k, unsigned depth)
{
	const NestForm *f = k->f;
	const Nest *nest = f->nest;
	GenCode *w = &k->code;
	if (f->single) { /* no loop over lanes: everything stands in one place */
		return;
	}
	w->lanes = 1;
	w->mask = NULL;
	k->lane = NULL;
	nest_forget_addresses(k);
	for (uint32_t a = 0; a < nest->naccess; a++) {
		bool lone = nest->access[a].stride[nest->ndim - 1] == 0 && !f->written[a];
		if (lone && f->direct[a] && k->depth[a] == depth) {
			w->value[a] = read_access(w, a);
		}
	}
	gen_code_uniform(w, k->when, depth);
	for (uint32_t a = 0; a < nest->naccess; a++) {
		bool lone = nest->access[a].stride[nest->ndim - 1] == 0 && !f->written[a];
		w->value[a] = lone && f->direct[a] ? w->value[a] : NULL;
	}
}

/* ---- loops ---- */

void nest_loop(NestKernel *k, NestLoop *l, uint32_t q, unsigned nphi, LLVMValueRef *first)
{
	Ir *g = &k->g->ir;
	const NestForm *f = k->f;
	LLVMValueRef end = nest_number(k, nest_table_size(f) + q);
	ir_loop(g, &l->loop, ir_int(g, 0), end, 1, nphi, first, true);
	l->index = k->index;
	k->index = arena_array(k->g->arena, LLVMValueRef, f->ngroup + 1);
	for (uint32_t p = 0; p < f->ngroup; p++) {
		k->index[p] = l->index[p];
		if (moves(k, p, q)) {
			k->index[p] = moved(k, l->index[p], p, q, l->loop.i);
		}
	}
	uint32_t d = f->dim[q];
	l->dim = d;
	l->label = k->code.label[d];
	if (f->labelled[d]) {
		k->code.label[d] = LLVMBuildAdd(g->b, l->label, l->loop.i, "");
	}
	lone_values(k, q + 1);
}

void nest_loop_end(NestKernel *k, NestLoop *l, LLVMValueRef *next)
{
	ir_loop_end(&k->g->ir, &l->loop, next);
	k->index = l->index;
	k->code.label[l->dim] = l->label;
}

LLVMValueRef nest_whole(NestKernel *k)
{
	Ir *g = &k->g->ir;
	return k->f->tail != TAIL_SCALARS
		       ? k->n
		       : LLVMBuildAnd(g->b, k->n, ir_int(g, -(int64_t)k->f->lanes), "");
}

LLVMValueRef nest_mask(NestKernel *k, LLVMValueRef lane)
{
	Ir *g = &k->g->ir;
	if (k->f->tail != TAIL_MASKS) {
		return NULL;
	}
	k->left = LLVMBuildSub(g->b, k->n, lane, "");
	return ir_mask(g, k->f->lanes, k->left);
}

void nest_lanes(NestKernel *k, LLVMValueRef lane, unsigned lanes, LLVMValueRef mask)
{
	const Nest *nest = k->f->nest;
	uint32_t last = nest->ndim - 1;
	GenCode *w = &k->code;
	k->lane = lane;
	nest_forget_addresses(k);
	w->lanes = lanes;
	w->mask = mask;
	w->left = mask ? k->left : NULL;
	k->row_value = w->value;
	k->row_label = w->label[last];
	w->value = arena_array(k->g->arena, LLVMValueRef, nest->naccess + 1);
	memcpy(w->value, k->row_value, nest->naccess * sizeof *w->value);
	if (k->f->labelled[last]) {
		w->label[last] = LLVMBuildAdd(k->g->ir.b, w->label[last], lane, "");
	}
	gen_code(w);
}

void nest_lanes_end(NestKernel *k)
{
	GenCode *w = &k->code;
	w->splats = NULL;
	w->value = k->row_value;
	w->label[k->f->nest->ndim - 1] = k->row_label;
	memset(w->reg, 0, (k->f->nest->nreg + k->f->nest->nuniform) * sizeof *w->reg);
}

/* ---- pointwise ---- */

static void pointwise_lanes(NestKernel *k, LLVMValueRef lane, unsigned lanes, LLVMValueRef mask)
{
	nest_lanes(k, lane, lanes, mask);
	nest_lanes_end(k);
}

typedef void Lanes(NestKernel *k, LLVMValueRef lane, unsigned lanes, LLVMValueRef mask);

static void row_of_lanes(NestKernel *k, Lanes *emit)
{
	Ir *g = &k->g->ir;
	const NestForm *f = k->f;
	LLVMValueRef zero = ir_int(g, 0), end = nest_whole(k);
	IrLoop l;
	ir_loop(g, &l, zero, end, f->lanes, 0, NULL, f->tail != TAIL_SCALARS);
	emit(k, l.i, f->lanes, nest_mask(k, l.i));
	ir_loop_end(g, &l, NULL);
	if (f->tail == TAIL_SCALARS) {
		ir_loop(g, &l, end, k->n, 1, 0, NULL, false);
		emit(k, l.i, 1, NULL);
		ir_loop_end(g, &l, NULL);
	}
}

static void pointwise_row(NestKernel *k)
{
	Ir *g = &k->g->ir;
	if (k->f->single) {
		pointwise_lanes(k, ir_int(g, 0), 1, NULL);
		return;
	}
	LLVMValueRef wanted = nest_wanted(k);
	if (!wanted) {
		row_of_lanes(k, pointwise_lanes);
		return;
	}
	IrIf some, none;
	ir_if(g, &some, wanted);
	row_of_lanes(k, pointwise_lanes);
	ir_if_end(g, &some);
	ir_if(g, &none, LLVMBuildNot(g->b, wanted, ""));
	row_of_lanes(k, nest_zero_lanes);
	ir_if_end(g, &none);
}

/* ---- the function ---- */

static void kernel_begin(NestKernel *k)
{
	Gen *g = k->g;
	Ir *r = &g->ir;
	const NestForm *f = k->f;
	const Nest *nest = f->nest;
	uint32_t n = NEST_SLOTS + f->nslot + nest->naccess;
	LLVMTypeRef *param = arena_array(g->arena, LLVMTypeRef, n);
	for (uint32_t q = 0; q < n; q++) {
		bool number = q == NEST_LANES || (q >= NEST_SLOTS && q < NEST_SLOTS + f->nslot);
		param[q] = number ? r->i64 : r->ptr;
	}
	k->fn = ir_function(r, "nest", r->nothing, n, param, true);
	k->table = LLVMGetParam(k->fn, NEST_TABLE);
	k->n = LLVMGetParam(k->fn, NEST_LANES);
	k->index = arena_array(g->arena, LLVMValueRef, f->ngroup + 1);
	for (uint32_t q = 0; q < f->ngroup; q++) {
		k->index[q] = ir_int(r, 0);
	}
	uint32_t slots = 0;
	for (uint32_t q = 0; q < f->nslot; q++) {
		slots = f->slot[q] >= slots ? f->slot[q] + 1 : slots;
	}
	GenCode *w = &k->code;
	*w = (GenCode){.g = g, .nest = nest, .data = k, .read = read_access};
	w->context = LLVMGetParam(k->fn, NEST_CONTEXT);
	w->write = write_access;
	w->address = access_address;
	w->label = arena_array(g->arena, LLVMValueRef, nest->ndim);
	w->slot = arena_array(g->arena, LLVMValueRef, slots + 1);
	w->reg = arena_array(g->arena, LLVMValueRef, nest->nreg + nest->nuniform + 1);
	w->value = arena_array(g->arena, LLVMValueRef, nest->naccess + 1);
	for (uint32_t q = 0; q < f->nslot; q++) {
		w->slot[f->slot[q]] = LLVMGetParam(k->fn, NEST_SLOTS + q);
	}
}

/* Labels at the first counters, and the number of the first fault, where they are used. */
static void kernel_numbers(NestKernel *k)
{
	const NestForm *f = k->f;
	const Nest *nest = f->nest;
	GenCode *w = &k->code;
	for (uint32_t d = 0; d < nest->ndim; d++) {
		if (f->labelled[d]) {
			w->label[d] = nest_number(k, nest_table_label(f, d));
		}
	}
	uint32_t last = nest->ndim - 1;
	if (f->labelled[last] && nest->dim[last].tiled) {
		LLVMValueRef slot = LLVMGetParam(k->fn, NEST_SLOTS + f->nslot - 1);
		w->label[last] = LLVMBuildAdd(k->g->ir.b, w->label[last], slot, "");
	}
	bool fails = nest->acc != OPERAND_NONE && nest->integer;
	for (uint32_t q = 0; q < nest->ncode; q++) {
		fails |= code_may_fail(&nest->code[q]);
	}
	w->fault = fails ? nest_number(k, nest_table_fault(f)) : NULL;
}

LLVMValueRef nest_kernel(Gen *g, const NestForm *f)
{
	IrPlace back = ir_leave(&g->ir);
	NestKernel k = {.g = g, .f = f};
	NestLoop loop[NEST_LOOPS];
	kernel_begin(&k);
	kernel_numbers(&k);
	kernel_depths(&k);
	k.condition = nest_condition(&k);
	lone_values(&k, 0);
	uint32_t outer = f->nloop - f->nbound;
	for (uint32_t q = 0; q < outer; q++) {
		nest_loop(&k, &loop[q], q, 0, NULL);
	}
	if (f->nest->acc != OPERAND_NONE) {
		gen_red(&k);
	} else {
		pointwise_row(&k);
	}
	for (uint32_t q = outer; q-- > 0;) {
		nest_loop_end(&k, &loop[q], NULL);
	}
	LLVMBuildRetVoid(g->ir.b);
	ir_return(&g->ir, back);
	return k.fn;
}
