/* gen_nest.c — nests as calls of kernels: which way through the dimensions, what is done about the
 * last lanes, and the table of numbers that a kernel is called with. */
#include "compiler/gen_nest.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONG_PROGRAM = 10 };

/* ---- the way through a nest ---- */

/* The dimensions as they are, without those of one value. */
static NestWalk walk_plain(Gen *g, const Nest *nest, uint32_t *dim, uint32_t *nbound)
{
	NestWalk w = {0};
	uint32_t last = nest->ndim - 1;
	*nbound = 0;
	for (uint32_t d = 0; d < last; d++) {
		if (nest->dim[d].size != 1 || nest->dim[d].tiled) {
			assert(w.nloop < NEST_LOOPS && !nest->dim[d].tiled);
			dim[w.nloop] = d;
			w.size[w.nloop++] = nest->dim[d].size;
			*nbound += d >= nest->nformal;
		}
	}
	w.stride = arena_array(g->arena, int64_t, (size_t)nest->naccess * (w.nloop + 1) + 1);
	for (uint32_t a = 0; a < nest->naccess; a++) {
		int64_t *s = w.stride + (size_t)a * (w.nloop + 1);
		for (uint32_t q = 0; q < w.nloop; q++) {
			s[q] = nest->access[a].stride[dim[q]];
		}
		s[w.nloop] = nest->access[a].stride[last];
	}
	return w;
}

/* Merged dimensions, behind loops of one pass so that there are at least `nloop` of them. */
static NestWalk walk_flat(Gen *g, const Nest *nest, uint32_t nloop)
{
	uint32_t n = nest->flat_ndim, have = 0, dim[NEST_LOOPS];
	for (uint32_t d = 0; d + 1 < n; d++) {
		if (nest->flat_size[d] != 1) {
			assert(have < NEST_LOOPS);
			dim[have++] = d;
		}
	}
	uint32_t more = nloop > have ? nloop - have : 0;
	NestWalk w = {.nloop = have + more};
	assert(w.nloop < NEST_LOOPS);
	dim[have] = n - 1;
	w.stride = arena_array(g->arena, int64_t, (size_t)nest->naccess * (w.nloop + 1) + 1);
	for (uint32_t q = 0; q < w.nloop; q++) {
		w.size[q] = q < more ? 1 : nest->flat_size[dim[q - more]];
	}
	for (uint32_t a = 0; a < nest->naccess; a++) {
		for (uint32_t q = more; q <= w.nloop; q++) {
			w.stride[a * (w.nloop + 1) + q] = nest->flat_stride[a * n + dim[q - more]];
		}
	}
	return w;
}

static bool same_strides(const NestWalk *w, uint32_t a, uint32_t b)
{
	size_t n = w->nloop + 1;
	return memcmp(w->stride + a * n, w->stride + b * n, n * sizeof *w->stride) == 0;
}

/* Accesses that move alike in every way. */
static void form_groups(Gen *g, NestForm *f, const NestWalk *w, unsigned nwalk)
{
	uint32_t n = f->nest->naccess, loops = f->nloop + 1;
	f->group = arena_array(g->arena, uint32_t, n + 1);
	f->moves = arena_array(g->arena, bool, (size_t)(n + 1) * loops);
	for (uint32_t a = 0; a < n; a++) {
		uint32_t b = 0;
		while (b < a && !(same_strides(&w[0], a, b) &&
				  (nwalk < 2 || same_strides(&w[1], a, b)))) {
			b++;
		}
		f->group[a] = b < a ? f->group[b] : f->ngroup++;
		for (uint32_t q = 0; q < loops; q++) {
			for (unsigned v = 0; v < nwalk; v++) {
				f->moves[f->group[a] * loops + q] |= w[v].stride[a * loops + q] != 0;
			}
		}
	}
}

/* ---- what the code depends on ---- */

static void form_uses(Gen *g, NestForm *f)
{
	const Nest *nest = f->nest;
	GenCode look = {.nest = nest};
	f->labelled = arena_array(g->arena, bool, nest->ndim);
	f->written = arena_array(g->arena, bool, nest->naccess + 1);
	f->direct = arena_array(g->arena, bool, nest->naccess + 1);
	f->slot = arena_array(g->arena, uint32_t, nest->ncode + 1);
	for (uint32_t k = 0; k < nest->ncode; k++) {
		const Instr *in = &nest->code[k];
		uint32_t to = code_access(&look, in->dst), from[3] = {in->a, in->b, in->c};
		for (uint32_t a = 0; a < nest->naccess && to != OPERAND_NONE; a++) {
			f->written[a] |= nest->access[a].buffer == nest->access[to].buffer;
		}
		for (int q = in->op == VM_GATHER || in->op == VM_LOADS; q < 3; q++) {
			uint32_t a = code_access(&look, from[q]);
			if (a != OPERAND_NONE) {
				f->direct[a] = true;
			}
		}
		if (in->op == VM_IOTA || in->op == VM_LABEL) {
			f->labelled[in->i] = true;
		} else if (in->op == VM_SLOT) {
			bool have = false;
			for (uint32_t q = 0; q < f->nslot; q++) {
				have |= f->slot[q] == in->i;
			}
			f->slot[f->nslot] = (uint32_t)in->i;
			f->nslot += !have;
		}
	}
	uint32_t reduced[2] = {nest->value, nest->filter};
	for (int q = 0; q < 2; q++) {
		uint32_t a = code_access(&look, reduced[q]);
		if (a != OPERAND_NONE) {
			f->direct[a] = true;
		}
	}
	if (nest->red == RED_ARGMAX || nest->red == RED_ARGMIN) {
		f->labelled[nest->lane_bound ? nest->ndim - 1 : nest->nformal] = true;
	}
}

/* The elements of an access that this step alone touches, and reads only where it has just computed
 * them. (Buffers that were given no place live in step 0.) */
static bool passes(const Nest *nest, uint32_t access)
{
	const Buffer *b = nest->access[access].buffer;
	if ((b->place != PLACE_GLOBAL && b->place != PLACE_TILE) || b->keep || b->apart ||
	    b->birth != b->death || b->death == 0 || nest->acc != OPERAND_NONE ||
	    nest->access[access].stride[nest->ndim - 1] == 0) {
		return false;
	}
	for (uint32_t a = 0; a < nest->naccess; a++) {
		if (a != access && nest->access[a].buffer == b) {
			return false;
		}
	}
	GenCode look = {.nest = nest};
	bool made = false;
	for (uint32_t k = 0; k < nest->ncode; k++) {
		const Instr *in = &nest->code[k];
		uint32_t from[3] = {in->a, in->b, in->c};
		for (int q = 0; q < 3; q++) {
			bool moves = q == 0 && (in->op == VM_GATHER || in->op == VM_LOADS);
			if (code_access(&look, from[q]) == access && (moves || !made)) {
				return false;
			}
		}
		if (code_access(&look, in->dst) == access) {
			if (in->op == VM_STORES || in->op == VM_SCATTER || in->op == VM_ISCATTER ||
			    in->uniform) {
				return false;
			}
			made = true;
		}
	}
	return made;
}

/* Has the program no effect but on its own lanes of tile memory, whatever the lanes beyond the
 * tile's records hold? */
static bool harmless(const NestForm *f)
{
	const Nest *nest = f->nest;
	for (uint32_t k = 0; k < nest->ncode; k++) {
		const Instr *in = &nest->code[k];
		if (code_may_fail(in) || in->op == VM_SCATTER || in->op == VM_GATHER ||
		    in->op == VM_LOADS || in->op == VM_STORES) {
			return false;
		}
	}
	for (uint32_t a = 0; a < nest->naccess; a++) {
		if (nest->access[a].stride[nest->ndim - 1] != 0 && !f->whole[a]) {
			return false;
		}
	}
	return nest->acc == OPERAND_NONE || (!nest->lane_bound && !nest->integer);
}

/* Long programs over arrays of any length are masked, so that all lengths share one kernel. */
static bool shares_masks(const Gen *g, const NestForm *f)
{
	const Nest *nest = f->nest;
	return g->ir.target.masks && nest->acc == OPERAND_NONE && nest->ncode >= LONG_PROGRAM &&
	       !nest->dim[nest->ndim - 1].tiled;
}

/* count: lanes, where that is known */
static void form_lanes(Gen *g, NestForm *f, int64_t count, bool partial)
{
	const Nest *nest = f->nest;
	const Dim *lane = &nest->dim[nest->ndim - 1];
	bool arg = nest->red == RED_ARGMAX || nest->red == RED_ARGMIN;
	f->whole = arena_array(g->arena, bool, nest->naccess + 1);
	for (uint32_t a = 0; a < nest->naccess; a++) {
		const Access *x = &nest->access[a];
		f->whole[a] = lane->tiled && x->buffer->place == PLACE_TILE &&
			      x->stride[nest->ndim - 1] == 1;
	}
	f->lanes = g->ir.vl;
	if (!partial && count == 1) {
		f->lanes = 1;
		f->single = true;
	} else if (nest->lane_bound && arg) { /* the first of equals, in order */
		f->lanes = 1;
	} else if (partial ? !harmless(f) : count % f->lanes != 0 || shares_masks(g, f)) {
		f->tail = g->ir.target.masks ? TAIL_MASKS : TAIL_SCALARS;
	}
	if (f->tail == TAIL_SCALARS && !partial && count < f->lanes) {
		f->lanes = 1;
		f->tail = TAIL_NONE;
	}
}

static void form_key(Gen *g, NestForm *f)
{
	const Nest *nest = f->nest;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	fprintf(out, "nest %s|%u %u %u %d %d %d|", gen_code_key(g, nest), f->nloop, f->nbound,
		f->lanes, f->single, f->empty, (int)f->tail);
	for (uint32_t q = 0; q < f->nloop; q++) {
		fprintf(out, "%u ", f->labelled[f->dim[q]] ? f->dim[q] + 1 : 0);
	}
	bool tiled = nest->dim[nest->ndim - 1].tiled;
	fputs(f->labelled[nest->ndim - 1] ? tiled ? "lt " : "l " : "", out);
	for (uint32_t a = 0; a < nest->naccess; a++) {
		fprintf(out, "%u%s%s ", f->group[a], f->whole[a] ? "w" : "",
			f->passing[a] ? "p" : "");
	}
	for (uint32_t q = 0; q < f->ngroup * (f->nloop + 1); q++) {
		fputc(f->moves[q] ? '1' : '0', out);
	}
	fclose(out);
	f->key = arena_strdup(g->arena, text);
	free(text);
}

/* ---- the table ---- */

uint32_t nest_table_size(const NestForm *f)
{
	(void)f;
	return 0;
}

uint32_t nest_table_label(const NestForm *f, uint32_t dim)
{
	uint32_t at = f->nloop;
	for (uint32_t d = 0; d < dim; d++) {
		at += f->labelled[d];
	}
	return at;
}

uint32_t nest_table_stride(const NestForm *f, uint32_t group, uint32_t loop)
{
	return nest_table_label(f, f->nest->ndim) + group * (f->nloop + 1) + loop;
}

uint32_t nest_table_fault(const NestForm *f)
{
	return nest_table_stride(f, f->ngroup, 0);
}

/* Constants of the module, each content once. */
static LLVMValueRef table_global(Gen *g, uint32_t n, const int64_t *number)
{
	Ir *r = &g->ir;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	fputs("table", out);
	LLVMValueRef *item = arena_array(g->arena, LLVMValueRef, n + 1);
	for (uint32_t k = 0; k < n; k++) {
		fprintf(out, " %lld", (long long)number[k]);
		item[k] = ir_int(r, number[k]);
	}
	fclose(out);
	LLVMValueRef v = gen_kernel(g, text);
	if (!v) {
		v = LLVMAddGlobal(r->mod, LLVMArrayType2(r->i64, n), "table");
		LLVMSetInitializer(v, LLVMConstArray2(r->i64, item, n));
		LLVMSetGlobalConstant(v, true);
		LLVMSetLinkage(v, LLVMInternalLinkage);
		gen_kernel_add(g, text, v);
	}
	free(text);
	return v;
}

static LLVMValueRef table_of(Gen *g, const NestForm *f, const NestWalk *w, int64_t fault)
{
	uint32_t n = nest_table_fault(f) + 1;
	int64_t *t = arena_array(g->arena, int64_t, n);
	for (uint32_t q = 0; q < f->nloop; q++) {
		t[nest_table_size(f) + q] = w->size[q];
	}
	for (uint32_t d = 0; d < f->nest->ndim; d++) {
		if (f->labelled[d]) {
			t[nest_table_label(f, d)] = f->nest->dim[d].lo;
		}
	}
	for (uint32_t a = 0; a < f->nest->naccess; a++) {
		for (uint32_t q = 0; q <= f->nloop; q++) {
			t[nest_table_stride(f, f->group[a], q)] = w->stride[a * (f->nloop + 1) + q];
		}
	}
	t[nest_table_fault(f)] = fault;
	return table_global(g, n, t);
}

/* ---- calls ---- */

static LLVMValueRef kernel_of(Gen *g, const NestForm *f)
{
	LLVMValueRef fn = gen_kernel(g, f->key);
	if (!fn) {
		fn = nest_kernel(g, f);
		gen_kernel_add(g, f->key, fn);
	}
	return fn;
}

/* Numbers of all faults, that of the reduction last. */
static int64_t fault_numbers(Gen *g, const Nest *nest)
{
	int64_t first = gen_code_faults(g, nest);
	if (nest->acc != OPERAND_NONE && nest->integer) {
		int64_t last = gen_fault_new(g, nest, NULL);
		first = first ? first : last;
	}
	return first;
}

static void call_kernel(Gen *g, const GenPlace *w, const NestForm *f, LLVMValueRef table,
			LLVMValueRef lanes)
{
	uint32_t n = 0;
	LLVMValueRef *arg = arena_array(g->arena, LLVMValueRef,
					NEST_SLOTS + f->nslot + f->nest->naccess);
	LLVMValueRef fn = kernel_of(g, f);
	arg[n++] = w->context;
	arg[n++] = table;
	arg[n++] = lanes;
	for (uint32_t k = 0; k < f->nslot; k++) {
		assert(w->slot[f->slot[k]]);
		arg[n++] = w->slot[f->slot[k]];
	}
	for (uint32_t k = 0; k < f->nest->naccess; k++) {
		arg[n++] = gen_address(g, w, &f->nest->access[k]);
	}
	LLVMBuildCall2(g->ir.b, LLVMGlobalGetValueType(fn), fn, arg, n, "");
}

/* Is there nothing to do? *empty: a reduction over nothing. */
static bool nothing(const Nest *nest, bool *empty)
{
	bool none = false;
	for (uint32_t d = 0; d < nest->ndim; d++) {
		bool bound = d >= nest->nformal && (d + 1 < nest->ndim || nest->lane_bound);
		none |= nest->dim[d].size <= 0 && !bound;
		*empty |= nest->dim[d].size <= 0 && bound;
	}
	return none;
}

static void gen_part(Gen *g, const GenPlace *w, const Nest *nest)
{
	NestForm f = {.nest = nest};
	const Dim *lane = &nest->dim[nest->ndim - 1];
	if (nothing(nest, &f.empty)) {
		return;
	}
	bool some = lane->tiled && w->partial, flat = nest->flat && nest->acc == OPERAND_NONE;
	NestWalk walk[2] = {walk_plain(g, nest, f.dim, &f.nbound)};
	unsigned nwalk = 1;
	int64_t merged = flat ? nest->flat_size[nest->flat_ndim - 1] : lane->size;
	if (flat && (!some || merged == lane->size)) {
		walk[0] = walk_flat(g, nest, 0);
	} else if (flat) { /* one way for full tiles, one for others */
		walk[nwalk++] = walk_flat(g, nest, walk[0].nloop);
	}
	if (nest_turn(g, w, nest, &walk[0])) {
		return;
	}
	f.nloop = walk[0].nloop;
	form_uses(g, &f);
	f.passing = arena_array(g->arena, bool, nest->naccess + 1);
	for (uint32_t a = 0; a < nest->naccess; a++) {
		f.passing[a] = passes(nest, a);
	}
	form_groups(g, &f, walk, nwalk);
	form_lanes(g, &f, merged, some);
	if (lane->tiled && f.labelled[nest->ndim - 1]) {
		f.slot[f.nslot++] = lane->slot;
	}
	form_key(g, &f);
	Ir *r = &g->ir;
	int64_t fault = fault_numbers(g, nest);
	LLVMValueRef table = table_of(g, &f, &walk[0], fault);
	LLVMValueRef n = some ? w->lanes : ir_int(r, merged);
	if (nwalk == 2) {
		LLVMValueRef size = ir_int(r, lane->size), all = ir_int(r, merged);
		LLVMValueRef full = LLVMBuildICmp(r->b, LLVMIntEQ, w->lanes, size, "");
		table = LLVMBuildSelect(r->b, full, table_of(g, &f, &walk[1], fault), table, "");
		n = LLVMBuildSelect(r->b, full, all, w->lanes, "");
	}
	call_kernel(g, w, &f, table, n);
}

void gen_nest(Gen *g, const GenPlace *w, const Nest *nest)
{
	const Nest **part;
	uint32_t n = gen_nest_parts(g, nest, &part);
	for (uint32_t k = 0; k < n; k++) {
		gen_part(g, w, part[k]);
	}
}

/* ---- fills ---- */

/* The elements of a fill as a nest that moves one constant. */
void gen_fill(Gen *g, const GenPlace *w, const Fill *fill)
{
	Arena *a = g->arena;
	Nest *nest = arena_new(a, Nest);
	uint32_t n = fill->ndim ? fill->ndim : 1, lane = 0;
	nest->ndim = n;
	nest->nformal = n - 1;
	nest->dim = arena_array(a, Dim, n);
	nest->access = arena_array(a, Access, 1);
	nest->access[0] = fill->out;
	nest->access[0].stride = arena_array(a, int64_t, n);
	nest->dim[0].size = 1;
	for (uint32_t d = 0; d < fill->ndim; d++) { /* the lanes: the tile's, else contiguous ones */
		bool tiled = fill->dim[lane].tiled;
		lane = fill->dim[d].tiled || (!tiled && fill->out.stride[d] == 1) ? d : lane;
	}
	for (uint32_t d = 0, to = 0; d < fill->ndim; d++) {
		uint32_t at = d == lane ? n - 1 : to++;
		nest->dim[at] = fill->dim[d];
		nest->access[0].stride[at] = fill->out.stride[d];
	}
	nest->acc = nest->acc2 = nest->value = nest->filter = nest->out = OPERAND_NONE;
	nest->naccess = nest->nconst = nest->ncode = 1;
	nest->constant = arena_array(a, double, 1);
	nest->constant_int = arena_array(a, bool, 1);
	bool integer = fill->out.buffer->integer;
	int64_t whole = (int64_t)fill->value, stride = nest->access[0].stride[n - 1];
	nest->constant[0] = fill->value;
	nest->constant_int[0] = integer;
	if (integer) {
		memcpy(nest->constant, &whole, sizeof whole);
	}
	nest->code = arena_array(a, Instr, 1);
	bool apart = stride != 0 && stride != 1;
	nest->code[0] = (Instr){.op = apart ? VM_STORES : VM_MOV, .a = 1, .lone = 1};
	nest->code[0].b = nest->code[0].c = OPERAND_NONE;
	nest->code[0].i = apart ? stride : 0;
	gen_nest(g, w, nest);
}
