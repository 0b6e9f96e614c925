/* gen.c — the driver functions of a plan's module: steps in order, conditions and recurrences as
 * branches and loops whose slots are SSA values, tiles of samples inside fixed blocks. Kernels are
 * made by gen_nest.c, gen_gemm.c, gen_region.c; the joins of blocks by gen_join.c. */
#include "compiler/gen_int.h"
#include <assert.h>
#include <string.h>

/* ---- kernels ---- */

static uint64_t text_hash(const char *s)
{
	uint64_t h = 1469598103934665603u;
	for (; *s; s++) {
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	}
	return h;
}

LLVMValueRef gen_kernel(const Gen *g, const char *key)
{
	uint64_t hash = text_hash(key);
	for (uint32_t k = 0; k < g->nkernel; k++) {
		if (g->kernel[k].hash == hash && strcmp(g->kernel[k].key, key) == 0) {
			return g->kernel[k].fn;
		}
	}
	return NULL;
}

void gen_kernel_add(Gen *g, const char *key, LLVMValueRef fn)
{
	size_t n = g->nkernel, room = g->kernel_room;
	struct GenKernel k = {arena_strdup(g->arena, key), text_hash(key), fn};
	ARENA_PUSH(g->arena, g->kernel, n, room, k);
	g->nkernel = (uint32_t)n;
	g->kernel_room = (uint32_t)room;
}

/* ---- the context ---- */

LLVMTypeRef gen_type(const Gen *g, const Buffer *b)
{
	return b->integer ? g->ir.i64 : g->ir.real;
}

/* The address of a word of the context. */
static LLVMValueRef context_at(Gen *g, LLVMValueRef context, unsigned word)
{
	return ir_at(&g->ir, g->ir.i64, context, ir_int(&g->ir, word));
}

LLVMValueRef gen_context(Gen *g, LLVMValueRef context, unsigned word, LLVMTypeRef type)
{
	LLVMValueRef v = LLVMBuildLoad2(g->ir.b, type, context_at(g, context, word), "");
	LLVMSetAlignment(v, 8);
	return v;
}

static const unsigned PLACE_WORD[PLACES] = {CONTEXT_LEAF, CONTEXT_FIXED, CONTEXT_GLOBAL,
					    CONTEXT_TILE, CONTEXT_BLOCK};

static LLVMValueRef place_base(Gen *g, const GenPlace *w, PlaceKind place)
{
	return w->base[place] ? w->base[place]
			      : gen_context(g, w->context, PLACE_WORD[place], g->ir.ptr);
}

static LLVMValueRef bytes_at(Gen *g, LLVMValueRef base, int64_t bytes)
{
	return ir_at(&g->ir, g->ir.i8, base, ir_int(&g->ir, bytes));
}

/* Beginning of a buffer's place, and in *word the words from there to the buffer. */
static LLVMValueRef buffer_base(Gen *g, const GenPlace *w, const Buffer *b, size_t *word)
{
	*word = b->offset;
	if (b->place == PLACE_LEAF || b->apart) {
		LLVMValueRef table = place_base(g, w, PLACE_LEAF);
		*word = 0;
		return gen_context(g, table, b->id, g->ir.ptr);
	}
	if (b->place == PLACE_BLOCK && w->loop == g->plan->tile[b->tile]) {
		return w->block;
	}
	if (b->place == PLACE_BLOCK) { /* joined: in block 0 of its loop */
		*word += g->plan->tile[b->tile]->base;
	}
	return place_base(g, w, b->place);
}

LLVMValueRef gen_address(Gen *g, const GenPlace *w, const Access *a)
{
	Ir *r = &g->ir;
	const Buffer *b = a->buffer;
	int64_t element = b->integer ? 8 : (int64_t)r->real_bytes;
	size_t word;
	LLVMValueRef at = buffer_base(g, w, b, &word);
	at = bytes_at(g, at, (int64_t)word * 8 + a->base * element);
	for (uint32_t k = 0; k < a->nslot; k++) {
		LLVMValueRef s = w->slot[a->slot[k].slot];
		assert(s);
		LLVMValueRef by = LLVMBuildMul(r->b, s, ir_int(r, a->slot[k].coef * element), "");
		at = ir_at(r, r->i8, at, by);
	}
	return at;
}

/* ---- faults ---- */

static int64_t fault_new(Gen *g, GenFault f)
{
	size_t n = g->nfault, room = g->fault_room;
	ARENA_PUSH(g->arena, g->fault, n, room, f);
	g->nfault = (uint32_t)n;
	g->fault_room = (uint32_t)room;
	return (int64_t)n;
}

int64_t gen_fault_new(Gen *g, const Nest *nest, const Instr *at)
{
	return fault_new(g, (GenFault){nest, at, 0});
}

int64_t gen_fault_join(Gen *g, Def def)
{
	return fault_new(g, (GenFault){NULL, NULL, def});
}

static LLVMValueRef fault_function(Gen *g)
{
	static const char KEY[] = "fault";
	LLVMValueRef f = gen_kernel(g, KEY);
	if (f) {
		return f;
	}
	Ir *r = &g->ir;
	IrPlace back = ir_leave(r);
	f = ir_function(r, "pnn_fault", r->nothing, 3, (LLVMTypeRef[]){r->ptr, r->i64, r->i64},
			true);
	LLVMValueRef context = LLVMGetParam(f, 0);
	LLVMValueRef had = gen_context(g, context, CONTEXT_FAULT, r->i64);
	IrIf first;
	ir_if(r, &first, LLVMBuildICmp(r->b, LLVMIntEQ, had, ir_int(r, 0), ""));
	ir_store(r, LLVMGetParam(f, 1), context_at(g, context, CONTEXT_FAULT), NULL);
	ir_store(r, LLVMGetParam(f, 2), context_at(g, context, CONTEXT_VALUE), NULL);
	ir_if_end(r, &first);
	LLVMBuildRetVoid(r->b);
	ir_return(r, back);
	gen_kernel_add(g, KEY, f);
	return f;
}

void gen_fault(Gen *g, LLVMValueRef context, LLVMValueRef bad, int64_t number, LLVMValueRef value)
{
	gen_fault_at(g, context, bad, ir_int(&g->ir, number), value);
}

void gen_fault_at(Gen *g, LLVMValueRef context, LLVMValueRef bad, LLVMValueRef number,
		  LLVMValueRef value)
{
	LLVMValueRef f = fault_function(g), arg[3] = {context, number, value};
	IrIf w;
	ir_if(&g->ir, &w, bad);
	gen_call(g, f, 3, arg);
	ir_if_end(&g->ir, &w);
}

LLVMValueRef gen_call(Gen *g, LLVMValueRef f, unsigned n, LLVMValueRef *arg)
{
	return LLVMBuildCall2(g->ir.b, LLVMGlobalGetValueType(f), f, arg, n, "");
}

/* ---- steps ---- */

static void gen_block(Gen *g, const GenPlace *w, const Block *b);

/* What is left of a condition where the parts of loops are known: 1 holds, 0 does not, -1 to be
 * tested. */
static int decided(const GenPlace *w, uint32_t slot, Interval in)
{
	if (!w->range) {
		return -1;
	}
	Interval have = w->range[slot];
	return have.lo >= in.lo && have.hi <= in.hi ? 1
	       : have.hi < in.lo || have.lo > in.hi ? 0
						    : -1;
}

static bool never_runs(const GenPlace *w, const Step *s)
{
	for (uint32_t k = 0; k < s->ncond; k++) {
		if (!decided(w, s->cond[k].slot, s->cond[k].in)) {
			return true;
		}
	}
	return false;
}

/* Does the step ask for this in what is left of its conditions? */
static bool asks_for(const GenPlace *w, const Step *s, uint32_t slot, Interval in)
{
	for (uint32_t k = 0; k < s->ncond; k++) {
		if (s->cond[k].slot == slot && s->cond[k].in.lo == in.lo &&
		    s->cond[k].in.hi == in.hi) {
			return true;
		}
	}
	return decided(w, slot, in) == 1;
}

static bool same_conditions(const GenPlace *w, const Step *a, const Step *b)
{
	bool same = true;
	for (uint32_t k = 0; k < a->ncond; k++) {
		same &= decided(w, a->cond[k].slot, a->cond[k].in) == 1 ||
			asks_for(w, b, a->cond[k].slot, a->cond[k].in);
	}
	for (uint32_t k = 0; k < b->ncond; k++) {
		same &= decided(w, b->cond[k].slot, b->cond[k].in) == 1 ||
			asks_for(w, a, b->cond[k].slot, b->cond[k].in);
	}
	return same;
}

/* Do all slots lie in the intervals that the step asks for? NULL: certainly. */
static LLVMValueRef gen_condition(Gen *g, const GenPlace *w, const Step *s)
{
	Ir *r = &g->ir;
	LLVMValueRef all = NULL;
	for (uint32_t k = 0; k < s->ncond; k++) {
		LLVMValueRef v = w->slot[s->cond[k].slot];
		assert(v);
		Interval in = s->cond[k].in;
		if (decided(w, s->cond[k].slot, in) == 1) {
			continue;
		}
		LLVMValueRef low = LLVMBuildICmp(r->b, LLVMIntSGE, v, ir_int(r, in.lo), "");
		LLVMValueRef high = LLVMBuildICmp(r->b, LLVMIntSLE, v, ir_int(r, in.hi), "");
		LLVMValueRef both = LLVMBuildAnd(r->b, low, high, "");
		all = all ? LLVMBuildAnd(r->b, all, both, "") : both;
	}
	return all;
}

/* Labels at which the conditions of steps on a slot change: cut[0..n) ascending, each the first
 * label of a part. More than CUTS: 0 parts. */
enum { CUTS = 5 };
typedef struct Parts {
	uint32_t slot, n;
	int64_t lo, hi, first[CUTS + 1];
} Parts;

static void parts_add(Parts *p, int64_t label)
{
	if (label <= p->lo || label > p->hi || p->n > CUTS) {
		return;
	}
	uint32_t k = p->n;
	while (k > 0 && p->first[k - 1] > label) {
		k--;
	}
	if (k > 0 && p->first[k - 1] == label) {
		return;
	}
	if (p->n == CUTS) {
		p->n = CUTS + 1;
		return;
	}
	memmove(&p->first[k + 1], &p->first[k], (p->n - k) * sizeof *p->first);
	p->first[k] = label;
	p->n++;
}

static void parts_find(Parts *p, const Block *b)
{
	for (uint32_t k = 0; k < b->n; k++) {
		const Step *s = b->step[k];
		for (uint32_t q = 0; q < s->ncond; q++) {
			if (s->cond[q].slot == p->slot) {
				parts_add(p, s->cond[q].in.lo);
				parts_add(p, s->cond[q].in.hi + 1);
			}
		}
		if (s->tag == STEP_LOOP && !s->loop->tile) {
			parts_find(p, &s->loop->body);
		}
	}
}

static void gen_part(Gen *g, const GenPlace *w, const Loop *l, Interval part)
{
	Ir *r = &g->ir;
	GenPlace in = *w;
	in.slot = arena_copy(g->arena, w->slot, (g->plan->nslot + 1) * sizeof *in.slot,
			     alignof(LLVMValueRef));
	in.range = arena_array(g->arena, Interval, g->plan->nslot + 1);
	for (uint32_t k = 0; k < g->plan->nslot; k++) {
		in.range[k] = w->range ? w->range[k] : (Interval){INT64_MIN, INT64_MAX};
	}
	in.range[l->slot] = part;
	if (part.lo == part.hi) {
		in.slot[l->slot] = ir_int(r, part.lo);
		gen_block(g, &in, &l->body);
		return;
	}
	IrLoop loop;
	LLVMValueRef begin = ir_int(r, l->down ? 0 : part.lo);
	LLVMValueRef end = ir_int(r, l->down ? part.hi - part.lo + 1 : part.hi + 1);
	ir_loop(r, &loop, begin, end, 1, 0, NULL, true);
	in.slot[l->slot] = l->down ? LLVMBuildSub(r->b, ir_int(r, part.hi), loop.i, "") : loop.i;
	gen_block(g, &in, &l->body);
	ir_loop_end(r, &loop, NULL);
}

/* Where conditions on the label hold for whole parts of the loop, each part becomes a loop of its
 * own, without the conditions: neighbours that always run together can then be fused. */
static void gen_recurrence(Gen *g, const GenPlace *w, const Loop *l)
{
	if (l->hi < l->lo) {
		return;
	}
	Parts p = {.slot = l->slot, .lo = l->lo, .hi = l->hi};
	parts_find(&p, &l->body);
	uint32_t n = p.n > CUTS ? 1 : p.n + 1;
	for (uint32_t k = 0; k < n; k++) {
		uint32_t at = l->down ? n - 1 - k : k;
		Interval part = {at ? p.first[at - 1] : l->lo,
				 at + 1 < n ? p.first[at] - 1 : l->hi};
		gen_part(g, w, l, part);
	}
}

/* A tile loop runs elsewhere: what is known of the slots around it is written down. */
static void gen_tiles(Gen *g, const GenPlace *w, const Loop *l)
{
	Ir *r = &g->ir;
	assert(!w->loop);
	for (uint32_t s = 0; s < g->plan->nslot; s++) {
		if (w->slot[s]) {
			LLVMValueRef table = gen_context(g, w->context, CONTEXT_SLOT, r->ptr);
			ir_store(r, w->slot[s], ir_at(r, r->i64, table, ir_int(r, s)), NULL);
		}
	}
	LLVMValueRef f = gen_context(g, w->context, CONTEXT_TILES, r->ptr);
	LLVMTypeRef type = LLVMFunctionType(r->nothing, (LLVMTypeRef[]){r->ptr, r->i64}, 2, false);
	LLVMValueRef arg[2] = {w->context, ir_int(r, l->number)};
	LLVMBuildCall2(r->b, type, f, arg, 2, "");
	gen_tile_later(g, l, w->slot);
}

/* The runtime does it; the code tells where the arrays are. */
static void gen_matrix(Gen *g, const GenPlace *w, const MatrixStep *s)
{
	Ir *r = &g->ir;
	assert(!w->loop);
	LLVMValueRef arg[6] = {w->context, ir_int(r, s->number), gen_address(g, w, &s->in)};
	for (uint32_t k = 0; k < 3; k++) {
		arg[3 + k] = k < s->nout ? gen_address(g, w, &s->out[k].at) : LLVMConstNull(r->ptr);
	}
	LLVMValueRef f = gen_context(g, w->context, CONTEXT_MATRIX, r->ptr);
	LLVMTypeRef of[6] = {r->ptr, r->i64, r->ptr, r->ptr, r->ptr, r->ptr};
	LLVMBuildCall2(r->b, LLVMFunctionType(r->nothing, of, 6, false), f, arg, 6, "");
}

static void gen_step(Gen *g, const GenPlace *w, const Step *s)
{
	switch (s->tag) {
	case STEP_NEST:
		gen_nest(g, w, s->nest);
		break;
	case STEP_GEMM:
		gen_gemm(g, w, s->gemm);
		break;
	case STEP_FILL:
		gen_fill(g, w, s->fill);
		break;
	case STEP_MATRIX:
		gen_matrix(g, w, s->matrix);
		break;
	case STEP_LOOP:
		if (s->loop->tile) {
			gen_tiles(g, w, s->loop);
		} else {
			gen_recurrence(g, w, s->loop);
		}
		break;
	}
}

/* Steps of one region as one kernel where they can be fused. */
static void gen_run(Gen *g, const GenPlace *w, uint32_t n, Step *const *step)
{
	for (uint32_t i = 0, next; i < n; i = next) {
		uint32_t region = step[i]->region;
		next = i + 1;
		while (region && next < n && step[next]->region == region) {
			next++;
		}
		if (next - i > 1 && gen_region(g, w, next - i, step + i)) {
			continue;
		}
		for (uint32_t q = i, done; q < next; q += done) {
			done = gen_chain(g, w, (region ? next : n) - q, step + q);
			next = q + done > next ? q + done : next;
			if (!done) {
				gen_step(g, w, step[q]);
				done = 1;
			}
		}
	}
}

/* Neighbours that run under the same conditions share one test. */
static void gen_block(Gen *g, const GenPlace *w, const Block *b)
{
	Step **step = arena_array(g->arena, Step *, b->n + 1);
	uint32_t n = 0;
	for (uint32_t k = 0; k < b->n; k++) {
		if (!never_runs(w, b->step[k])) {
			step[n++] = b->step[k];
		}
	}
	for (uint32_t k = 0, end; k < n; k = end) {
		end = k + 1;
		while (end < n && same_conditions(w, step[k], step[end])) {
			end++;
		}
		IrIf test;
		LLVMValueRef holds = gen_condition(g, w, step[k]);
		if (holds) {
			ir_if(&g->ir, &test, holds);
		}
		gen_run(g, w, end - k, step + k);
		if (holds) {
			ir_if_end(&g->ir, &test);
		}
	}
}

/* ---- functions ---- */

/* Beginnings of the places are read once for a function. */
static GenPlace place_begin(Gen *g, LLVMValueRef context)
{
	GenPlace w = {.context = context};
	w.slot = arena_array(g->arena, LLVMValueRef, g->plan->nslot + 1);
	for (int k = 0; k < PLACES; k++) {
		w.base[k] = gen_context(g, context, PLACE_WORD[k], g->ir.ptr);
	}
	return w;
}

static void gen_steps_function(Gen *g, const char *name, const Block *b)
{
	Ir *r = &g->ir;
	LLVMValueRef f = ir_function(r, name, r->i32, 1, &r->ptr, false);
	GenPlace w = place_begin(g, LLVMGetParam(f, 0));
	gen_block(g, &w, b);
	LLVMBuildRet(r->b, LLVMConstInt(r->i32, 0, false));
}

static void load_slots(Gen *g, GenPlace *w, const bool *live)
{
	for (uint32_t s = 0; s < g->plan->nslot; s++) {
		if (live[s]) {
			LLVMValueRef table = gen_context(g, w->context, CONTEXT_SLOT, g->ir.ptr);
			w->slot[s] = gen_context(g, table, s, g->ir.i64);
		}
	}
}

/* The tiles of block b are those from tiles*b/nblock on, up to where the next block begins. */
static LLVMValueRef block_begin(Gen *g, const Loop *l, LLVMValueRef b)
{
	Ir *r = &g->ir;
	int64_t tiles = (l->samples + l->width - 1) / l->width;
	LLVMValueRef all = LLVMBuildMul(r->b, b, ir_int(r, tiles), "");
	return LLVMBuildUDiv(r->b, all, ir_int(r, l->nblock), "");
}

static void gen_block_function(Gen *g, const Loop *l, const bool *live)
{
	Ir *r = &g->ir;
	const char *name = arena_printf(g->arena, "pnn_block_%u", l->number);
	LLVMTypeRef param[2] = {r->ptr, r->i64};
	LLVMValueRef f = ir_function(r, name, r->nothing, 2, param, false);
	LLVMValueRef b = LLVMGetParam(f, 1);
	GenPlace w = place_begin(g, LLVMGetParam(f, 0));
	load_slots(g, &w, live);
	LLVMValueRef skip = LLVMBuildMul(r->b, b, ir_int(r, (int64_t)l->accumulators * 8), "");
	w.block = bytes_at(g, w.base[PLACE_BLOCK], (int64_t)l->base * 8);
	w.block = ir_at(r, r->i8, w.block, skip);
	w.loop = l;
	w.width = l->width;
	w.partial = l->samples % l->width != 0;
	gen_neutral(g, l, w.block);
	LLVMValueRef next = LLVMBuildAdd(r->b, b, ir_int(r, 1), "");
	LLVMValueRef first = block_begin(g, l, b), end = block_begin(g, l, next);
	IrLoop tiles;
	ir_loop(r, &tiles, first, end, 1, 0, NULL, false);
	LLVMValueRef start = LLVMBuildMul(r->b, tiles.i, ir_int(r, l->width), "");
	w.slot[l->slot] = start;
	w.lanes = ir_int(r, l->width);
	if (w.partial) {
		LLVMValueRef left = LLVMBuildSub(r->b, ir_int(r, l->samples), start, "");
		LLVMValueRef less = LLVMBuildICmp(r->b, LLVMIntSLT, left, w.lanes, "");
		w.lanes = LLVMBuildSelect(r->b, less, left, w.lanes, "");
	}
	gen_block(g, &w, &l->body);
	ir_loop_end(r, &tiles, NULL);
	LLVMBuildRetVoid(r->b);
}

void gen_tile_later(Gen *g, const Loop *l, LLVMValueRef *slot)
{
	bool *live = arena_array(g->arena, bool, g->plan->nslot + 1);
	for (uint32_t s = 0; s < g->plan->nslot; s++) {
		live[s] = slot[s] != NULL;
	}
	IrPlace back = ir_leave(&g->ir);
	gen_block_function(g, l, live);
	gen_join_function(g, l);
	ir_return(&g->ir, back);
}

bool gen_plan(Gen *g, const Plan *plan)
{
	g->plan = plan;
	gen_steps_function(g, "pnn_fixed", &plan->fixed);
	gen_steps_function(g, "pnn_body", &plan->body);
	return true;
}
