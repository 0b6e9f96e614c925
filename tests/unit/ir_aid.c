/* ir_aid.c — see ir_aid.h. */
#include "tests/unit/ir_aid.h"
#include <criterion/criterion.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 40 };
const unsigned ir_widths[WIDTHS] = {1, 2, 4, 8, 16};
const char *const ir_targets[TARGETS] = {"avx512", "avx2", "x86-64"};

bool ir_runs(const char *target)
{
#ifdef __x86_64__
	__builtin_cpu_init();
	if (!strcmp(target, "avx512")) {
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
		       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
	}
	return strcmp(target, "avx2") != 0 ||
	       (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
#else
	(void)target;
	return false;
#endif
}

static LLVMTypeRef type_of(const Ir *g, Kind k)
{
	return k == KIND_REAL ? g->real : g->i64;
}

static void add_map(Ir *g, Op op, unsigned lanes)
{
	char name[NAME];
	snprintf(name, sizeof name, "%s_%u", op_info(op)->id, lanes);
	LLVMTypeRef arg[4] = {g->ptr, g->ptr, g->ptr, g->i64};
	LLVMValueRef f = ir_function(g, name, g->nothing, 4, arg, false);
	IrLoop l;
	ir_loop(g, &l, ir_int(g, 0), LLVMGetParam(f, 3), lanes, 0, NULL, false);
	LLVMValueRef x[2] = {NULL, NULL};
	LLVMTypeRef t = type_of(g, op_arg_kind(op)), r = type_of(g, op_result_kind(op));
	for (unsigned k = 0; k < op_info(op)->n; k++) {
		x[k] = ir_load(g, t, lanes, ir_at(g, t, LLVMGetParam(f, k + 1), l.i), NULL);
		if (op_arg_kind(op) == KIND_BOOL) {
			x[k] = LLVMBuildTrunc(g->b, x[k], ir_vec(g, g->i1, lanes), "");
		}
	}
	LLVMValueRef y = ir_op(g, op, x[0], x[1]);
	if (op_result_kind(op) == KIND_BOOL) {
		y = LLVMBuildZExt(g->b, y, ir_vec(g, g->i64, lanes), "");
	}
	ir_store(g, y, ir_at(g, r, LLVMGetParam(f, 0), l.i), NULL);
	ir_loop_end(g, &l, NULL);
	LLVMBuildRetVoid(g->b);
}

Target *ir_module(Ir *g, const char *target, unsigned real_bytes)
{
	char *message = NULL;
	Target *t = target_create(target, &message);
	cr_assert(t, "%s", message);
	ir_begin(g, LLVMContextCreate(), "test", target_ir(t), real_bytes);
	target_prepare(t, g->mod);
	return t;
}

JitCode *ir_module_load(Target *t, Ir *g, const char *entry)
{
	char *message = NULL;
	size_t size;
	void *object = target_emit(t, g->mod, false, &size, &message);
	cr_assert(object, "%s", message);
	JitCode *c = jit_load(object, size, entry, 0, NULL, &message);
	cr_assert(c, "%s", message);
	free(object);
	ir_end(g);
	LLVMContextDispose(g->ctx);
	target_free(t);
	return c;
}

JitCode *ir_compile(const char *target, unsigned real_bytes, const Op *op, size_t n)
{
	Ir g;
	Target *t = ir_module(&g, target, real_bytes);
	for (size_t k = 0; k < n; k++) {
		for (int w = 0; w < WIDTHS; w++) {
			add_map(&g, op[k], ir_widths[w]);
		}
	}
	char entry[NAME];
	snprintf(entry, sizeof entry, "%s_1", op_info(*op)->id);
	return ir_module_load(t, &g, entry);
}

MapFn *ir_find(JitCode *c, Op op, unsigned lanes)
{
	char name[NAME];
	snprintf(name, sizeof name, "%s_%u", op_info(op)->id, lanes);
	MapFn *f = (MapFn *)(uintptr_t)jit_find(c, name);
	cr_assert(f, "%s", name);
	return f;
}

double ir_get(const void *x, size_t k, unsigned real_bytes)
{
	return real_bytes == 8 ? ((const double *)x)[k] : (double)((const float *)x)[k];
}

void ir_put(void *x, size_t k, unsigned real_bytes, double v)
{
	if (real_bytes == 8) {
		((double *)x)[k] = v;
	} else {
		((float *)x)[k] = (float)v;
	}
}

size_t ir_differing(const void *x, const void *y, size_t n, unsigned real_bytes)
{
	size_t bad = 0;
	for (size_t k = 0; k < n; k++) {
		double p = ir_get(x, k, real_bytes), q = ir_get(y, k, real_bytes);
		bad += p != p ? q == q : memcmp(&p, &q, 8) != 0;
	}
	return bad;
}

double ir_error(double y, long double r, unsigned real_bytes)
{
	double rounded = real_bytes == 8 ? (double)r : (double)(float)r;
	if (rounded != rounded || y != y) {
		return rounded != rounded && y != y ? 0 : 1e9;
	}
	if (y == rounded && (y == 0 || isinf(y))) {
		return signbit(y) != signbit(rounded) ? 1e9 : 0;
	}
	if (isinf(y) || isinf(rounded)) {
		double last = real_bytes == 8 ? DBL_MAX : (double)FLT_MAX;
		double other = isinf(y) ? rounded : y;
		return fabs(other) == last && signbit(y) == signbit(rounded) ? 1 : 1e9;
	}
	int digits = real_bytes == 8 ? 53 : 24, least = real_bytes == 8 ? -1074 : -149, e;
	frexpl(r, &e);
	e = e - digits < least ? least : e - digits;
	return (double)ldexpl(fabsl((long double)y - r), -e);
}
