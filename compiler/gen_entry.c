/* gen_entry.c — a plan's code as a function of arrays: the context on the stack, leaves of the plan
 * from the caller or from constants, tile loops as ordinary loops over blocks. */
#include "compiler/gen_entry.h"
#include "compiler/interp.h"
#include <string.h>

enum { CONTEXT_WORDS = CONTEXT_MATRIX + 1, LINE = 64 };

static size_t lines(size_t bytes)
{
	return (bytes + LINE - 1) / LINE * LINE;
}

static bool is_direct(const Output *o)
{
	const Buffer *b = o->view.buffer;
	return b && b->place == PLACE_GLOBAL && b->keep;
}

void entry_redirect(Plan *plan)
{
	for (uint32_t k = 0; k < plan->noutput; k++) {
		Output *o = &plan->output[k];
		if (is_direct(o)) {
			o->view.buffer->place = PLACE_LEAF;
			o->view.buffer->offset = 0;
		}
	}
}

/* ---- what the fixed part leaves in blocks ---- */

static void mark_loops(const Block *b, bool *fixed)
{
	for (uint32_t k = 0; k < b->n; k++) {
		const Step *s = b->step[k];
		if (s->tag == STEP_LOOP) {
			fixed[s->loop->number] |= s->loop->tile;
			mark_loops(&s->loop->body, fixed);
		}
	}
}

uint32_t entry_moves(Arena *a, const Plan *p, EntryMove **move, size_t *words)
{
	bool *fixed = arena_array(a, bool, p->ntile + p->nstep + 1);
	uint32_t n = 0;
	mark_loops(&p->fixed, fixed);
	*move = arena_array(a, EntryMove, p->nbuffer + 1);
	*words = lines(p->place_count[PLACE_STATIC] * 8) / 8;
	for (uint32_t k = 0; k < p->nbuffer; k++) {
		Buffer *b = p->buffer[k];
		if (b->place != PLACE_BLOCK || !fixed[b->tile]) {
			continue;
		}
		size_t from = p->tile[b->tile]->base + b->offset;
		(*move)[n++] = (EntryMove){b, from, *words, lines(b->count * 8) / 8};
		*words += lines(b->count * 8) / 8;
	}
	return n;
}

void entry_move(Plan *p, uint32_t n, const EntryMove *move)
{
	for (uint32_t k = 0; k < n; k++) {
		move[k].buffer->place = PLACE_STATIC;
		move[k].buffer->offset = move[k].to;
	}
	p->fixed.n = 0;
}

size_t entry_work(const Plan *p)
{
	return lines(p->place_count[PLACE_GLOBAL] * 8) + lines(p->place_count[PLACE_BLOCK] * 8) +
	       lines(p->place_count[PLACE_TILE] * 8) + LINE;
}

/* ---- small pieces ---- */

static LLVMValueRef local(Ir *r, LLVMTypeRef type, uint64_t n, unsigned align)
{
	LLVMValueRef v = LLVMBuildAlloca(r->b, LLVMArrayType2(type, n ? n : 1), "");
	LLVMSetAlignment(v, align);
	return v;
}

static LLVMValueRef bytes_at(Ir *r, LLVMValueRef base, size_t bytes)
{
	return ir_at(r, r->i8, base, ir_int(r, (int64_t)bytes));
}

static void put(Ir *r, LLVMValueRef table, uint32_t at, LLVMValueRef v)
{
	LLVMValueRef s = LLVMBuildStore(r->b, v, ir_at(r, r->i64, table, ir_int(r, at)));
	LLVMSetAlignment(s, 8);
}

static LLVMValueRef constant_bytes(Ir *r, const char *name, const void *bytes, size_t n)
{
	static const char nothing[8];
	LLVMValueRef value =
		LLVMConstStringInContext2(r->ctx, n ? bytes : nothing, n ? n : 8, true);
	LLVMValueRef g = LLVMAddGlobal(r->mod, LLVMTypeOf(value), name);
	LLVMSetInitializer(g, value);
	LLVMSetGlobalConstant(g, true);
	LLVMSetLinkage(g, LLVMPrivateLinkage);
	LLVMSetAlignment(g, LINE);
	return g;
}

/* ---- tile loops, one block after the other ---- */

static LLVMValueRef call_named(Gen *g, const char *name, unsigned n, LLVMValueRef *arg)
{
	LLVMValueRef f = LLVMGetNamedFunction(g->ir.mod, name);
	return LLVMBuildCall2(g->ir.b, LLVMGlobalGetValueType(f), f, arg, n, "");
}

/* void(ptr context, i64 loop) */
static LLVMValueRef tiles_function(Gen *g)
{
	Ir *r = &g->ir;
	LLVMValueRef f =
		ir_function(r, "pnn_tiles", r->nothing, 2, (LLVMTypeRef[]){r->ptr, r->i64}, true);
	LLVMValueRef context = LLVMGetParam(f, 0);
	for (uint32_t t = 0; t < g->plan->ntile; t++) {
		const Loop *l = g->plan->tile[t];
		if (!LLVMGetNamedFunction(r->mod, arena_printf(g->arena, "pnn_block_%u", t))) {
			continue; /* a loop without steps */
		}
		IrIf own;
		ir_if(r, &own,
		      LLVMBuildICmp(r->b, LLVMIntEQ, LLVMGetParam(f, 1), ir_int(r, t), ""));
		IrLoop b;
		ir_loop(r, &b, ir_int(r, 0), ir_int(r, l->nblock), 1, 0, NULL, true);
		call_named(g, arena_printf(g->arena, "pnn_block_%u", t), 2,
			   (LLVMValueRef[]){context, b.i});
		ir_loop_end(r, &b, NULL);
		call_named(g, arena_printf(g->arena, "pnn_join_%u", t), 1, &context);
		ir_if_end(r, &own);
	}
	LLVMBuildRetVoid(r->b);
	return f;
}

/* Calls through the context become calls of the function: they can then be expanded in place. */
static void bind_tiles(Gen *g, LLVMValueRef tiles)
{
	for (LLVMValueRef f = LLVMGetFirstFunction(g->ir.mod); f; f = LLVMGetNextFunction(f)) {
		for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(f); b;
		     b = LLVMGetNextBasicBlock(b)) {
			for (LLVMValueRef i = LLVMGetFirstInstruction(b); i;
			     i = LLVMGetNextInstruction(i)) {
				if (LLVMIsACallInst(i) && !LLVMIsAFunction(LLVMGetCalledValue(i))) {
					LLVMSetOperand(i, (unsigned)LLVMGetNumOperands(i) - 1,
						       tiles);
				}
			}
		}
	}
}

/* ---- the context ---- */

static LLVMValueRef leaf_pointer(const EntryCore *c, LLVMValueRef f, const Buffer *b, bool prepare)
{
	Ir *r = &c->gen->ir;
	const EntryLeaf *leaf = &c->leaf[b->id];
	switch (leaf->kind) {
	case ENTRY_ARGUMENT:
	case ENTRY_RESULT:
		return prepare ? NULL : LLVMGetParam(f, 2 + leaf->part);
	case ENTRY_CONSTANT:
		return constant_bytes(r, "pnn_values", leaf->bytes, leaf->size);
	case ENTRY_PARAMETER:
		return bytes_at(r, LLVMGetParam(f, 0), leaf->offset);
	default:
		return NULL;
	}
}

static LLVMValueRef leaf_table(const EntryCore *c, LLVMValueRef f, bool prepare)
{
	Ir *r = &c->gen->ir;
	const Plan *p = c->gen->plan;
	LLVMValueRef table = local(r, r->ptr, p->nbuffer, 8);
	for (uint32_t k = 0; k < p->nbuffer; k++) {
		const Buffer *b = p->buffer[k];
		LLVMValueRef at = b->place == PLACE_LEAF ? leaf_pointer(c, f, b, prepare) : NULL;
		if (at) {
			put(r, table, b->id, at);
		}
	}
	return table;
}

static LLVMValueRef make_context(const EntryCore *c, LLVMValueRef f, bool prepare)
{
	Ir *r = &c->gen->ir;
	const Plan *p = c->gen->plan;
	LLVMValueRef context = local(r, r->i64, CONTEXT_WORDS, LINE);
	LLVMValueRef slot = local(r, r->i64, p->nslot, 8);
	LLVMValueRef table = leaf_table(c, f, prepare), work = LLVMGetParam(f, 1);
	size_t block = lines(p->place_count[PLACE_GLOBAL] * 8);
	size_t tile = block + lines(p->place_count[PLACE_BLOCK] * 8);
	put(r, context, CONTEXT_LEAF, table);
	put(r, context, CONTEXT_FIXED,
	    c->fixed ? constant_bytes(r, "pnn_fixed_values", c->fixed, c->fixed_words * 8)
		     : bytes_at(r, LLVMGetParam(f, 0), c->fixed_offset));
	put(r, context, CONTEXT_GLOBAL, work);
	put(r, context, CONTEXT_BLOCK, bytes_at(r, work, block));
	put(r, context, CONTEXT_TILE, bytes_at(r, work, tile));
	put(r, context, CONTEXT_SLOT, slot);
	put(r, context, CONTEXT_SEED, ir_int(r, (int64_t)c->seed));
	put(r, context, CONTEXT_STEP, ir_int(r, 0));
	put(r, context, CONTEXT_FAULT, ir_int(r, 0));
	put(r, context, CONTEXT_VALUE, ir_int(r, 0));
	put(r, context, CONTEXT_TILES, LLVMConstNull(r->ptr));
	put(r, context, CONTEXT_EXEC, LLVMConstNull(r->ptr));
	put(r, context, CONTEXT_MATRIX, LLVMConstNull(r->ptr));
	return context;
}

/* ---- faults: 1 a place outside its axis, 2 overflow of ints ---- */

static unsigned char fault_kind(const GenFault *f)
{
	return f->at && f->at->op == VM_CHECK ? 1 : 2;
}

static LLVMValueRef result_code(Gen *g, LLVMValueRef context)
{
	Ir *r = &g->ir;
	if (!g->nfault) {
		return LLVMConstInt(r->i32, 0, false);
	}
	unsigned char *kind = arena_array(g->arena, unsigned char, g->nfault + 1);
	for (uint32_t k = 0; k < g->nfault; k++) {
		kind[k + 1] = fault_kind(&g->fault[k]);
	}
	LLVMValueRef table = constant_bytes(r, "pnn_faults", kind, g->nfault + 1);
	LLVMValueRef number = gen_context(g, context, CONTEXT_FAULT, r->i64);
	LLVMValueRef code = LLVMBuildLoad2(r->b, r->i8, ir_at(r, r->i8, table, number), "");
	return LLVMBuildZExt(r->b, code, r->i32, "");
}

/* ---- functions ---- */

static void hide(Gen *g, const char *name)
{
	LLVMValueRef f = LLVMGetNamedFunction(g->ir.mod, name);
	if (f) {
		LLVMSetLinkage(f, LLVMInternalLinkage);
	}
}

static void hide_plan(Gen *g)
{
	hide(g, "pnn_body");
	hide(g, "pnn_fixed");
	for (uint32_t t = 0; t < g->plan->ntile; t++) {
		hide(g, arena_printf(g->arena, "pnn_block_%u", t));
		hide(g, arena_printf(g->arena, "pnn_join_%u", t));
	}
}

static void mark(Gen *g, LLVMValueRef f, unsigned index, const char *name)
{
	unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
	LLVMAddAttributeAtIndex(f, index, LLVMCreateEnumAttribute(g->ir.ctx, kind, 0));
}

/* Memory of output k when the body is done. */
static LLVMValueRef output_pointer(const EntryCore *c, LLVMValueRef context, const Output *o)
{
	Gen *g = c->gen;
	Ir *r = &g->ir;
	const Buffer *b = o->view.buffer;
	static const unsigned word[PLACES] = {CONTEXT_LEAF, CONTEXT_FIXED, CONTEXT_GLOBAL,
					      CONTEXT_TILE, CONTEXT_BLOCK};
	size_t at = b->offset;
	if (b->place == PLACE_LEAF) {
		LLVMValueRef table = gen_context(g, context, CONTEXT_LEAF, r->ptr);
		return gen_context(g, table, b->id, r->ptr);
	}
	if (b->place == PLACE_BLOCK) {
		at += g->plan->tile[b->tile]->base;
	}
	return bytes_at(r, gen_context(g, context, word[b->place], r->ptr), at * 8);
}

/* Results that do not lie in the caller's memory yet. */
static void copy_outputs(const EntryCore *c, LLVMValueRef f, LLVMValueRef context)
{
	Gen *g = c->gen;
	for (uint32_t k = 0; k < g->plan->noutput; k++) {
		const Output *o = &g->plan->output[k];
		const Buffer *b = o->view.buffer;
		const EntryLeaf *leaf = &c->leaf[b->id];
		if (b->place == PLACE_LEAF && leaf->kind == ENTRY_RESULT &&
		    leaf->part == c->output[k]) {
			continue;
		}
		size_t element = o->integer ? 8 : g->ir.real_bytes;
		LLVMBuildMemCpy(g->ir.b, LLVMGetParam(f, 2 + c->output[k]), (unsigned)element,
				output_pointer(c, context, o), (unsigned)element,
				ir_int(&g->ir, (int64_t)(o->count * element)));
	}
}

LLVMValueRef entry_core(const EntryCore *c, const char *name)
{
	Gen *g = c->gen;
	Ir *r = &g->ir;
	bind_tiles(g, tiles_function(g));
	LLVMTypeRef *param = arena_array(g->arena, LLVMTypeRef, c->npart + 2);
	for (uint32_t k = 0; k < c->npart + 2; k++) {
		param[k] = r->ptr;
	}
	LLVMValueRef f = ir_function(r, name, r->i32, c->npart + 2, param, true);
	for (uint32_t k = 0; k < c->npart + 2; k++) {
		mark(g, f, k + 1, "noalias");
		if (k == 0 || (k >= 2 && !c->writes[k - 2])) {
			mark(g, f, k + 1, "readonly");
		}
	}
	LLVMValueRef context = make_context(c, f, false);
	call_named(g, "pnn_body", 1, &context);
	copy_outputs(c, f, context);
	LLVMBuildRet(r->b, result_code(g, context));
	hide_plan(g);
	return f;
}

LLVMValueRef entry_prepare(const EntryCore *c, const char *name)
{
	Gen *g = c->gen;
	Ir *r = &g->ir;
	bind_tiles(g, tiles_function(g));
	LLVMValueRef f = ir_function(r, name, r->i32, 2, (LLVMTypeRef[]){r->ptr, r->ptr}, false);
	LLVMValueRef context = make_context(c, f, true);
	call_named(g, "pnn_fixed", 1, &context);
	LLVMValueRef fixed = gen_context(g, context, CONTEXT_FIXED, r->ptr);
	LLVMValueRef block = gen_context(g, context, CONTEXT_BLOCK, r->ptr);
	for (uint32_t k = 0; k < c->nmove; k++) {
		const EntryMove *m = &c->move[k];
		LLVMBuildMemCpy(r->b, bytes_at(r, fixed, m->to * 8), 8,
				bytes_at(r, block, m->from * 8), 8,
				ir_int(r, (int64_t)(m->buffer->count *
						    (m->buffer->integer ? 8 : r->real_bytes))));
	}
	LLVMBuildRet(r->b, result_code(g, context));
	hide_plan(g);
	return f;
}

void entry_text(Gen *g, const char *name, const char *text)
{
	Ir *r = &g->ir;
	LLVMValueRef f = ir_function(r, name, r->ptr, 0, NULL, false);
	LLVMBuildRet(r->b, constant_bytes(r, "pnn_text", text, strlen(text) + 1));
	(void)f;
}
