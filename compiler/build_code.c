/* build_code.c — the object code of a library. For each form of each function: the plan's code, run
 * once here for what depends on constants alone, and around it the entry (gen_entry*.c). All
 * modules are then joined, optimised as one and emitted.
 * The passes keep every rounding (no fast-math), so that a library and a run give the same bits. */
#include "compiler/build_code.h"
#include "compiler/gen_entry.h"
#include "compiler/jit.h"
#include <llvm-c/Linker.h>
#include <stdlib.h>
#include <string.h>

enum { STACK = 256 * 1024, INLINE_BUDGET = 20000 };

typedef struct Building {
	CodeUnit *u;
	Target *target, *host; /* host: for what is computed now */
	LLVMContextRef context;
	LLVMModuleRef all;
	char **message;
} Building;

int64_t code_width(const Plan *p)
{
	int64_t width = 0;
	for (uint32_t t = 0; t < p->ntile; t++) {
		width = p->tile[t]->width > width ? p->tile[t]->width : width;
	}
	return width;
}

bool code_fits(const Plan *p)
{
	return entry_work(p) <= STACK - STACK / 4; /* arguments and results come on top */
}

/* ---- values between the entry and the plan ---- */

static uint32_t part_count(const CodeForm *f)
{
	uint32_t n = 0;
	for (uint32_t k = 0; k < f->nvalue; k++) {
		n += f->value[k].complex ? 2 : 1;
	}
	return n;
}

static EntryShape shape_of(const CodeUnit *u, const CodeForm *f, EntryValue *value)
{
	uint32_t part = 0;
	for (uint32_t k = 0; k < f->nvalue; k++) {
		const CodeValue *v = &f->value[k];
		value[k] = (EntryValue){v->complex, v->integer, v->writes, v->count, part};
		part += v->complex ? 2 : 1;
	}
	return (EntryShape){.name = f->name,
			    .core_work = entry_work(f->plan),
			    .params = u->prepare != NULL,
			    .work = f->work != 0,
			    .many = f->many,
			    .calls = f->calls,
			    .nvalue = f->nvalue,
			    .npart = part,
			    .value = value};
}

void code_measure(CodeUnit *u)
{
	u->prepared_bytes = u->scratch_bytes = 0;
	for (uint32_t k = 0; k < u->nform; k++) {
		CodeForm *f = &u->form[k];
		EntryValue *value = arena_array(u->arena, EntryValue, f->nvalue + 1);
		EntryShape s = shape_of(u, f, value);
		size_t bytes = entry_scratch(&s, u->real_bytes);
		f->work = bytes > STACK ? bytes : 0;
		if (!u->prepare) {
			continue;
		}
		EntryMove *move;
		size_t work = entry_work(f->plan), fixed;
		entry_moves(u->arena, f->plan, &move, &fixed);
		u->prepared_bytes += fixed * 8;
		f->prepares = f->plan->fixed.n > 0;
		u->scratch_bytes = f->prepares && work > u->scratch_bytes ? work : u->scratch_bytes;
	}
}

/* Number of the output that lies in the buffer, for those that were redirected. */
static bool result_leaf(const Plan *p, const Buffer *b, uint32_t *output)
{
	for (uint32_t k = 0; k < p->noutput; k++) {
		if (p->output[k].view.buffer == b) {
			*output = k;
			return true;
		}
	}
	return false;
}

static EntryLeaf leaf_of(const CodeUnit *u, const CodeForm *f, const Buffer *b)
{
	uint32_t part = 0, output = 0, narg = 0;
	for (uint32_t k = 0; k < f->nvalue; k++) {
		const CodeValue *v = &f->value[k];
		for (int i = 0; i < (v->complex ? 2 : 1); i++, part++) {
			if (!v->writes && v->leaf[i] == b->def) {
				return (EntryLeaf){.kind = ENTRY_ARGUMENT, .part = part};
			}
		}
		narg = v->writes ? narg : part;
	}
	if (result_leaf(f->plan, b, &output)) {
		return (EntryLeaf){.kind = ENTRY_RESULT, .part = narg + output};
	}
	for (uint32_t k = 0; k < u->nleaf; k++) {
		const CodeLeaf *l = &u->leaf[k];
		if (l->def == b->def) {
			return (EntryLeaf){.kind = l->bytes ? ENTRY_CONSTANT : ENTRY_PARAMETER,
					   .bytes = l->bytes,
					   .size = l->size,
					   .offset = l->offset};
		}
	}
	return (EntryLeaf){.kind = ENTRY_NOTHING};
}

/* ---- leaves that only the fixed part reads are no part of the library ---- */

static void touch(bool *used, const Access *a)
{
	if (a->buffer) {
		used[a->buffer->id] = true;
	}
}

static void touch_block(bool *used, const Block *b)
{
	for (uint32_t k = 0; k < b->n; k++) {
		const Step *s = b->step[k];
		switch (s->tag) {
		case STEP_NEST:
			for (uint32_t q = 0; q < s->nest->naccess; q++) {
				touch(used, &s->nest->access[q]);
			}
			break;
		case STEP_GEMM:
			touch(used, &s->gemm->a);
			touch(used, &s->gemm->b);
			touch(used, &s->gemm->c);
			touch(used, &s->gemm->from);
			touch(used, &s->gemm->filter);
			break;
		case STEP_FILL:
			touch(used, &s->fill->out);
			break;
		case STEP_MATRIX: /* refused before: build_plan.c */
			break;
		case STEP_LOOP:
			touch_block(used, &s->loop->body);
			break;
		}
	}
}

/* ---- what is computed now ---- */

typedef struct Fixed {
	JitCode *code;
	const Plan *plan;
} Fixed;

static void run_tiles(GenContext *context, int64_t loop)
{
	const Fixed *f = context->exec;
	char name[64];
	snprintf(name, sizeof name, "pnn_block_%lld", (long long)loop);
	void (*block)(GenContext *, int64_t) =
		(void (*)(GenContext *, int64_t))jit_find(f->code, name);
	snprintf(name, sizeof name, "pnn_join_%lld", (long long)loop);
	void (*join)(GenContext *) = (void (*)(GenContext *))jit_find(f->code, name);
	for (uint32_t b = 0; block && b < f->plan->tile[loop]->nblock; b++) {
		block(context, b);
	}
	if (join) {
		join(context);
	}
}

static void *words(size_t n)
{
	size_t bytes = (n * 8 + 128) / 64 * 64;
	void *m = aligned_alloc(64, bytes);
	return m ? memset(m, 0, bytes) : NULL;
}

/* Runs the plan's fixed part and copies its memory to `out`. */
static bool run_fixed(Building *w, const EntryCore *core, JitCode *code, char *out)
{
	const Plan *p = core->gen->plan;
	const EntryLeaf *leaf = core->leaf;
	Fixed data = {code, p};
	const void **table = calloc(p->nbuffer + 1, sizeof *table);
	int64_t *slot = calloc(p->nslot + 1, sizeof *slot);
	GenContext c = {.leaf = table, .slot = slot, .seed = w->u->seed, .exec = &data};
	c.fixed = words(p->place_count[PLACE_STATIC]);
	c.global = words(p->place_count[PLACE_GLOBAL]);
	c.tile = words(p->place_count[PLACE_TILE]);
	c.block = words(p->place_count[PLACE_BLOCK]);
	c.tiles = run_tiles;
	int32_t (*fixed)(GenContext *) = (int32_t(*)(GenContext *))jit_find(code, "pnn_fixed");
	bool ok = table && slot && c.fixed && c.global && c.tile && c.block && fixed;
	for (uint32_t k = 0; ok && k < p->nbuffer; k++) {
		table[k] = leaf[k].bytes;
	}
	if (ok) {
		fixed(&c);
		memcpy(out, c.fixed, p->place_count[PLACE_STATIC] * 8);
		for (uint32_t k = 0; k < core->nmove; k++) {
			const EntryMove *m = &core->move[k];
			memcpy(out + m->to * 8, (char *)c.block + m->from * 8,
			       m->buffer->count * (m->buffer->integer ? 8 : w->u->real_bytes));
		}
	}
	free(table);
	free(slot);
	free(c.fixed);
	free(c.global);
	free(c.tile);
	free(c.block);
	if (c.fault) {
		*w->message =
			strdup("a constant part of a function reads outside an axis or overflows");
	}
	return ok && !c.fault;
}

static bool begin_gen(Building *w, const CodeForm *f, Gen *g, const Target *t)
{
	*g = (Gen){.plan = f->plan, .arena = w->u->arena};
	ir_begin(&g->ir, w->context, "pnn", target_ir(t), w->u->real_bytes);
	target_prepare(t, g->ir.mod);
	return gen_plan(g, f->plan);
}

/* The static memory as it will be in every call; NULL after a message. */
static const void *fixed_values(Building *w, const CodeForm *f, EntryCore *core)
{
	char *out = arena_alloc(w->u->arena, core->fixed_words * 8 + 8, 8);
	memset(out, 0, core->fixed_words * 8 + 8);
	if (!f->plan->fixed.n) {
		return out;
	}
	Gen g;
	JitCode *code = NULL;
	if (begin_gen(w, f, &g, w->host)) {
		code = jit_compile(w->host, g.ir.mod, NULL, 0, NULL, NULL, w->message);
	}
	ir_end(&g.ir);
	LLVMDisposeModule(g.ir.mod);
	core->gen = &g;
	bool ok = code && run_fixed(w, core, code, out);
	jit_free(code);
	return ok ? out : NULL;
}

/* ---- one form ---- */

static bool join_module(Building *w, LLVMModuleRef m)
{
	if (!target_verify(m, w->message)) {
		LLVMDisposeModule(m);
		return false;
	}
	if (!w->all) {
		w->all = m;
		return true;
	}
	if (LLVMLinkModules2(w->all, m)) {
		*w->message = strdup("the parts of the library do not fit together");
		return false;
	}
	return true;
}

static void bind_outputs(const CodeForm *f, bool *writes, uint32_t *output)
{
	uint32_t part = 0, n = 0;
	for (uint32_t k = 0; k < f->nvalue; k++) {
		for (int i = 0; i < (f->value[k].complex ? 2 : 1); i++, part++) {
			writes[part] = f->value[k].writes;
			if (f->value[k].writes) {
				output[n++] = part;
			}
		}
	}
}

static const char *prepare_name(const Building *w, uint32_t number)
{
	return arena_printf(w->u->arena, "pnn_prepare_%u", number);
}

/* The code that computes the static memory where parameters are given at run time. */
static bool add_part(Building *w, uint32_t number, EntryCore *core)
{
	const CodeForm *f = &w->u->form[number];
	Gen g;
	if (!f->prepares) {
		return true;
	}
	bool ok = begin_gen(w, f, &g, w->target);
	core->gen = &g;
	if (ok) {
		entry_prepare(core, prepare_name(w, number));
	}
	ir_end(&g.ir);
	return ok && join_module(w, g.ir.mod);
}

static bool add_entry(Building *w, const CodeForm *f, EntryCore *core)
{
	Gen g;
	bool ok = begin_gen(w, f, &g, w->target);
	core->gen = &g;
	if (ok) {
		EntryValue *value = arena_array(w->u->arena, EntryValue, f->nvalue + 1);
		EntryShape shape = shape_of(w->u, f, value);
		shape.core = entry_core(core, "pnn_core");
		entry_function(&g, &shape);
	}
	ir_end(&g.ir);
	return ok && join_module(w, g.ir.mod);
}

/* Leaves by buffer: where their values will be. */
static EntryLeaf *bind_leaves(const CodeUnit *u, const CodeForm *f)
{
	const Plan *p = f->plan;
	EntryLeaf *leaf = arena_array(u->arena, EntryLeaf, p->nbuffer + 1);
	for (uint32_t k = 0; k < p->nbuffer; k++) {
		if (p->buffer[k]->place == PLACE_LEAF) {
			leaf[k] = leaf_of(u, f, p->buffer[k]);
		}
	}
	return leaf;
}

static void drop_unused(const CodeUnit *u, const Plan *p, EntryLeaf *leaf)
{
	bool *used = arena_array(u->arena, bool, p->nbuffer + 1);
	touch_block(used, &p->body);
	for (uint32_t k = 0; k < p->nbuffer; k++) {
		if (!used[k] && leaf[k].kind == ENTRY_CONSTANT) {
			leaf[k].kind = ENTRY_NOTHING;
		}
	}
}

static bool add_form(Building *w, uint32_t number, size_t *prepared)
{
	CodeUnit *u = w->u;
	CodeForm *f = &u->form[number];
	bool *writes = arena_array(u->arena, bool, part_count(f) + 1);
	uint32_t *output = arena_array(u->arena, uint32_t, f->plan->noutput + 1);
	EntryMove *move;
	EntryCore core = {.npart = part_count(f), .seed = u->seed, .fixed_offset = *prepared};
	entry_redirect(f->plan);
	bind_outputs(f, writes, output);
	core.writes = writes;
	core.output = output;
	core.nmove = entry_moves(u->arena, f->plan, &move, &core.fixed_words);
	core.move = move;
	EntryLeaf *leaf = bind_leaves(u, f);
	core.leaf = leaf;
	if (u->prepare) {
		*prepared += core.fixed_words * 8;
		if (!add_part(w, number, &core)) {
			return false;
		}
	} else {
		core.fixed = fixed_values(w, f, &core);
		if (!core.fixed) {
			return false;
		}
	}
	entry_move(f->plan, core.nmove, core.move);
	drop_unused(u, f->plan, leaf);
	return add_entry(w, f, &core);
}

/* ---- what is no function of the program ---- */

/* i32 prepare(ptr params): every form's fixed part, the first failure is the result. */
static void add_prepare(Building *w, Gen *g)
{
	Ir *r = &g->ir;
	CodeUnit *u = w->u;
	LLVMTypeRef param[2] = {r->ptr, r->ptr};
	LLVMValueRef f = ir_function(r, u->prepare, r->i32, 1, param, false);
	LLVMValueRef code = LLVMConstInt(r->i32, 0, false), zero = code;
	LLVMValueRef scratch = ir_at(r, r->i8, LLVMGetParam(f, 0),
				     ir_int(r, (int64_t)(u->prepared + u->prepared_bytes)));
	for (uint32_t k = 0; k < u->nform; k++) {
		if (!u->form[k].prepares) {
			continue;
		}
		LLVMTypeRef type = LLVMFunctionType(r->i32, param, 2, false);
		LLVMValueRef part = LLVMAddFunction(r->mod, prepare_name(w, k), type);
		LLVMValueRef arg[2] = {LLVMGetParam(f, 0), scratch};
		LLVMValueRef one = LLVMBuildCall2(r->b, type, part, arg, 2, "");
		LLVMValueRef fine = LLVMBuildICmp(r->b, LLVMIntEQ, code, zero, "");
		code = LLVMBuildSelect(r->b, fine, one, code, "");
	}
	LLVMBuildRet(r->b, code);
}

static bool add_rest(Building *w)
{
	CodeUnit *u = w->u;
	Gen g = {.arena = u->arena};
	ir_begin(&g.ir, w->context, "pnn", target_ir(w->target), u->real_bytes);
	target_prepare(w->target, g.ir.mod);
	for (uint32_t k = 0; k < u->ntext; k++) {
		entry_text(&g, u->text_name[k], u->text[k]);
	}
	if (u->prepare) {
		add_prepare(w, &g);
	}
	ir_end(&g.ir);
	if (!join_module(w, g.ir.mod)) {
		return false;
	}
	for (uint32_t k = 0; u->prepare && k < u->nform; k++) {
		LLVMValueRef f = LLVMGetNamedFunction(w->all, prepare_name(w, k));
		if (f) {
			LLVMSetLinkage(f, LLVMInternalLinkage);
		}
	}
	return true;
}

/* ---- optimising ---- */

static unsigned long count_instructions(LLVMValueRef f)
{
	unsigned long n = 0;
	for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(f); b; b = LLVMGetNextBasicBlock(b)) {
		for (LLVMValueRef i = LLVMGetFirstInstruction(b); i;
		     i = LLVMGetNextInstruction(i)) {
			n++;
		}
	}
	return n;
}

/* Is it code of our own that may stand where it is called? What is rarely needed says no. */
static bool may_inline(LLVMValueRef f)
{
	static const char NAME[] = "noinline";
	unsigned kind = LLVMGetEnumAttributeKindForName(NAME, sizeof NAME - 1);
	return LLVMGetLinkage(f) == LLVMInternalLinkage && !LLVMIsDeclaration(f) &&
	       !LLVMGetEnumAttributeAtIndex(f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
					    kind);
}

static unsigned long count_calls(LLVMValueRef f)
{
	unsigned long n = 0;
	for (LLVMUseRef u = LLVMGetFirstUse(f); u; u = LLVMGetNextUse(u)) {
		n++;
	}
	return n;
}

/* Kernels are put where they are called, with sizes that are then constants, as long as the whole
 * stays small: one sample at a time is too little work to pay for general loops. */
static void mark_inline(Building *w)
{
	static const char NAME[] = "alwaysinline";
	unsigned kind = LLVMGetEnumAttributeKindForName(NAME, sizeof NAME - 1);
	LLVMAttributeRef always = LLVMCreateEnumAttribute(w->context, kind, 0);
	unsigned long total = 0;
	for (LLVMValueRef f = LLVMGetFirstFunction(w->all); f; f = LLVMGetNextFunction(f)) {
		unsigned long calls = may_inline(f) ? count_calls(f) : 1;
		total += count_instructions(f) * (calls ? calls : 1);
	}
	if (total > INLINE_BUDGET) {
		return;
	}
	for (LLVMValueRef f = LLVMGetFirstFunction(w->all); f; f = LLVMGetNextFunction(f)) {
		if (may_inline(f)) {
			LLVMAddAttributeAtIndex(f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
						always);
		}
	}
}

static void *emit(Building *w, size_t *size)
{
	mark_inline(w);
	if (!target_verify(w->all, w->message) ||
	    !target_optimise(w->target, w->all, "default<O2>", w->message)) {
		return NULL;
	}
	for (LLVMValueRef f = LLVMGetFirstFunction(w->all); f; f = LLVMGetNextFunction(f)) {
		w->u->instructions += count_instructions(f);
	}
	return target_emit(w->target, w->all, false, size, w->message);
}

void *code_object(CodeUnit *u, size_t *size, char **message)
{
	Building w = {.u = u, .message = message};
	void *object = NULL;
	size_t prepared = u->prepared;
	*message = NULL;
	w.target = target_create(u->cpu, message);
	w.host = w.target ? target_create(NULL, message) : NULL;
	w.context = w.host ? LLVMContextCreate() : NULL;
	bool ok = w.context != NULL;
	for (uint32_t k = 0; ok && k < u->nform; k++) {
		ok = add_form(&w, k, &prepared);
	}
	if (ok && add_rest(&w)) {
		object = emit(&w, size);
	}
	if (w.all) {
		LLVMDisposeModule(w.all);
	}
	if (w.context) {
		LLVMContextDispose(w.context);
	}
	target_free(w.host);
	target_free(w.target);
	return object;
}
