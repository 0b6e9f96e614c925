/* gen_entry_call.c — the functions that a library's user calls: numbers become arrays of one
 * element, complex numbers are taken apart, many calls are cut into runs of the core. */
#include "compiler/gen_entry.h"
#include <string.h>

enum { LINE = 64 };

typedef struct Call {
	Gen *g;
	const EntryShape *s;
	LLVMValueRef f, work;
	size_t used;        /* bytes of work given out */
	LLVMValueRef *part; /* of the core */
	/* many */
	LLVMValueRef n, start, here, full;
} Call;

static size_t element_bytes(const EntryValue *v, unsigned real_bytes)
{
	return v->integer ? 8 : real_bytes;
}

static size_t lines(size_t bytes)
{
	return (bytes + LINE - 1) / LINE * LINE;
}

/* Complex values always have places of their own, and all values of a run that is not full. */
static size_t staged_bytes(const EntryShape *s, const EntryValue *v, unsigned real_bytes)
{
	size_t calls = s->many ? s->calls : 1;
	size_t one = lines(calls * v->count * element_bytes(v, real_bytes));
	return v->complex ? 2 * one : s->many ? one : 0;
}

size_t entry_scratch(const EntryShape *s, unsigned real_bytes)
{
	size_t bytes = s->core_work + LINE;
	for (uint32_t k = 0; k < s->nvalue; k++) {
		bytes += staged_bytes(s, &s->value[k], real_bytes);
	}
	return bytes;
}

static LLVMTypeRef element_type(const Call *c, const EntryValue *v)
{
	return v->integer ? c->g->ir.i64 : c->g->ir.real;
}

/* Is the value passed as it is, not by its address? */
static bool by_value(const EntryShape *s, const EntryValue *v)
{
	return !s->many && !v->writes && !v->complex && v->count == 1;
}

static LLVMValueRef take(Call *c, size_t bytes)
{
	Ir *r = &c->g->ir;
	LLVMValueRef at = ir_at(r, r->i8, c->work, ir_int(r, (int64_t)c->used));
	c->used += lines(bytes);
	return at;
}

/* ---- copying ---- */

/* The record of the caller's array from which record i is filled: the last one is repeated. */
static LLVMValueRef source_record(Call *c, LLVMValueRef i)
{
	Ir *r = &c->g->ir;
	LLVMValueRef last = LLVMBuildSub(r->b, c->here, ir_int(r, 1), "");
	LLVMValueRef past = LLVMBuildICmp(r->b, LLVMIntSGT, i, last, "");
	return LLVMBuildSelect(r->b, past, last, i, "");
}

/* Elements of one record between the caller's array (of `wide` parts side by side) and a place of
 * our own. */
static void copy_record(Call *c, const EntryValue *v, LLVMValueRef outer, LLVMValueRef own,
			unsigned part)
{
	Ir *r = &c->g->ir;
	LLVMTypeRef t = element_type(c, v);
	int64_t wide = v->complex ? 2 : 1;
	IrLoop l;
	ir_loop(r, &l, ir_int(r, 0), ir_int(r, (int64_t)v->count), 1, 0, NULL, true);
	LLVMValueRef at = LLVMBuildMul(r->b, l.i, ir_int(r, wide), "");
	at = LLVMBuildAdd(r->b, at, ir_int(r, part), "");
	LLVMValueRef theirs = ir_at(r, t, outer, at), ours = ir_at(r, t, own, l.i);
	if (v->writes) {
		ir_store(r, ir_load(r, t, 1, ours, NULL), theirs, NULL);
	} else {
		ir_store(r, ir_load(r, t, 1, theirs, NULL), ours, NULL);
	}
	ir_loop_end(r, &l, NULL);
}

/* Records of a run: arguments fill all places, results are those that were asked for. */
static void copy_records(Call *c, const EntryValue *v, LLVMValueRef array, LLVMValueRef own,
			 unsigned part)
{
	Ir *r = &c->g->ir;
	LLVMTypeRef t = element_type(c, v);
	int64_t count = (int64_t)v->count, wide = v->complex ? 2 : 1;
	if (!c->s->many) {
		copy_record(c, v, array, own, part);
		return;
	}
	IrLoop l;
	LLVMValueRef end = v->writes ? c->here : ir_int(r, (int64_t)c->s->calls);
	ir_loop(r, &l, ir_int(r, 0), end, 1, 0, NULL, true);
	LLVMValueRef from = v->writes ? l.i : source_record(c, l.i);
	from = LLVMBuildMul(r->b, from, ir_int(r, count * wide), "");
	LLVMValueRef to = LLVMBuildMul(r->b, l.i, ir_int(r, count), "");
	copy_record(c, v, ir_at(r, t, array, from), ir_at(r, t, own, to), part);
	ir_loop_end(r, &l, NULL);
}

/* ---- one run of the core ---- */

static LLVMValueRef array_now(Call *c, const EntryValue *v, LLVMValueRef array)
{
	Ir *r = &c->g->ir;
	if (!c->s->many) {
		return array;
	}
	int64_t wide = v->complex ? 2 : 1;
	LLVMValueRef skip = LLVMBuildMul(r->b, c->start, ir_int(r, (int64_t)v->count * wide), "");
	return ir_at(r, element_type(c, v), array, skip);
}

static void copy_unless_full(Call *c, const EntryValue *v, LLVMValueRef array, LLVMValueRef own)
{
	IrIf rest;
	ir_if(&c->g->ir, &rest, LLVMBuildNot(c->g->ir.b, c->full, ""));
	copy_records(c, v, array, own, 0);
	ir_if_end(&c->g->ir, &rest);
}

/* Where the core finds value k; arguments are brought there. */
static void bring(Call *c, const EntryValue *v, LLVMValueRef param)
{
	Ir *r = &c->g->ir;
	size_t calls = c->s->many ? c->s->calls : 1;
	size_t bytes = calls * v->count * element_bytes(v, r->real_bytes);
	if (by_value(c->s, v)) {
		c->part[v->part] = LLVMBuildAlloca(r->b, element_type(c, v), "");
		ir_store(r, param, c->part[v->part], NULL);
		return;
	}
	LLVMValueRef array = array_now(c, v, param);
	for (unsigned part = 0; v->complex && part < 2; part++) {
		c->part[v->part + part] = take(c, bytes);
		if (!v->writes) {
			copy_records(c, v, array, c->part[v->part + part], part);
		}
	}
	if (v->complex) {
		return;
	}
	c->part[v->part] = array;
	if (c->s->many) {
		LLVMValueRef own = take(c, bytes);
		if (!v->writes) {
			copy_unless_full(c, v, array, own);
		}
		c->part[v->part] = LLVMBuildSelect(r->b, c->full, array, own, "");
	}
}

static void give(Call *c, const EntryValue *v, LLVMValueRef param)
{
	if (!v->writes) {
		return;
	}
	LLVMValueRef array = array_now(c, v, param);
	for (unsigned part = 0; v->complex && part < 2; part++) {
		copy_records(c, v, array, c->part[v->part + part], part);
	}
	if (c->s->many && !v->complex) {
		copy_unless_full(c, v, array, c->part[v->part]);
	}
}

static LLVMValueRef run_core(Call *c, unsigned first)
{
	Ir *r = &c->g->ir;
	const EntryShape *s = c->s;
	LLVMValueRef *arg = arena_array(c->g->arena, LLVMValueRef, s->npart + 2);
	c->used = s->core_work;
	c->part = arg + 2;
	arg[0] = s->params ? LLVMGetParam(c->f, 0) : LLVMConstNull(r->ptr);
	arg[1] = c->work;
	for (uint32_t k = 0; k < s->nvalue; k++) {
		bring(c, &s->value[k], LLVMGetParam(c->f, first + k));
	}
	LLVMValueRef code = LLVMBuildCall2(r->b, LLVMGlobalGetValueType(s->core), s->core, arg,
					   s->npart + 2, "");
	for (uint32_t k = 0; k < s->nvalue; k++) {
		give(c, &s->value[k], LLVMGetParam(c->f, first + k));
	}
	return code;
}

/* All runs; the first code that is not 0 is the result. */
static LLVMValueRef run_many(Call *c, unsigned first)
{
	Ir *r = &c->g->ir;
	LLVMValueRef calls = ir_int(r, (int64_t)c->s->calls), zero = LLVMConstInt(r->i32, 0, false);
	IrLoop l;
	ir_loop(r, &l, ir_int(r, 0), c->n, (int64_t)c->s->calls, 1, &zero, false);
	LLVMValueRef left = LLVMBuildSub(r->b, c->n, l.i, "");
	c->start = l.i;
	c->full = LLVMBuildICmp(r->b, LLVMIntSGE, left, calls, "");
	c->here = LLVMBuildSelect(r->b, c->full, calls, left, "");
	LLVMValueRef code = run_core(c, first);
	LLVMValueRef fine = LLVMBuildICmp(r->b, LLVMIntEQ, l.phi[0], zero, "");
	code = LLVMBuildSelect(r->b, fine, code, l.phi[0], "");
	ir_loop_end(r, &l, &code);
	LLVMValueRef bad = LLVMBuildICmp(r->b, LLVMIntSLT, c->n, ir_int(r, 0), "");
	return LLVMBuildSelect(r->b, bad, LLVMConstInt(r->i32, 3, false), l.phi[0], "");
}

/* ---- the function ---- */

static LLVMTypeRef *signature(Gen *g, const EntryShape *s, unsigned *n)
{
	LLVMTypeRef *param = arena_array(g->arena, LLVMTypeRef, s->nvalue + 3);
	*n = 0;
	if (s->params) {
		param[(*n)++] = g->ir.ptr;
	}
	if (s->many) {
		param[(*n)++] = g->ir.i64;
	}
	for (uint32_t k = 0; k < s->nvalue; k++) {
		const EntryValue *v = &s->value[k];
		param[(*n)++] = !by_value(s, v) ? g->ir.ptr : v->integer ? g->ir.i64 : g->ir.real;
	}
	if (s->work) {
		param[(*n)++] = g->ir.ptr;
	}
	return param;
}

/* The caller's memory from its first whole line on. */
static LLVMValueRef align_work(Ir *r, LLVMValueRef at)
{
	LLVMValueRef a = LLVMBuildPtrToInt(r->b, at, r->i64, "");
	LLVMValueRef up = LLVMBuildSub(r->b, ir_int(r, 0), a, "");
	return ir_at(r, r->i8, at, LLVMBuildAnd(r->b, up, ir_int(r, LINE - 1), ""));
}

void entry_function(Gen *g, const EntryShape *s)
{
	Ir *r = &g->ir;
	unsigned n;
	LLVMTypeRef *param = signature(g, s, &n);
	Call c = {.g = g, .s = s};
	c.f = ir_function(r, s->name, r->i32, n, param, false);
	if (s->work) {
		c.work = align_work(r, LLVMGetParam(c.f, n - 1));
	} else {
		size_t bytes = entry_scratch(s, r->real_bytes);
		c.work = LLVMBuildAlloca(r->b, LLVMArrayType2(r->i8, bytes), "");
		LLVMSetAlignment(c.work, LINE);
	}
	unsigned first = s->params ? 1 : 0;
	if (s->many) {
		c.n = LLVMGetParam(c.f, first++);
	}
	LLVMBuildRet(r->b, s->many ? run_many(&c, first) : run_core(&c, first));
}
