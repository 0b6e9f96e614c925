/* bench_peak.c — the most that one core does: a loop of fused multiply-adds of whole vectors, made
 * by the same generator as the code that is compared with it. */
#include "compiler/bench.h"
#include "compiler/jit.h"
#include <time.h>

enum { CHAINS = 12, PASSES = 20000, TRIES = 60 }; /* enough chains to hide the latency of two units */

/* A kernel like any other: CHAINS vectors a = a*m + x, PASSES times, their sum to out. */
static LLVMValueRef emit_chains(Ir *g)
{
	LLVMTypeRef param[1] = {g->ptr};
	LLVMValueRef fn = ir_function(g, "chains", g->nothing, 1, param, true);
	LLVMValueRef m = ir_real(g, 0.999, g->vl), x = ir_real(g, 1e-3, g->vl), first[CHAINS];
	for (unsigned k = 0; k < CHAINS; k++) {
		first[k] = ir_real(g, k, g->vl);
	}
	IrLoop l;
	LLVMValueRef next[CHAINS];
	ir_loop(g, &l, ir_int(g, 0), ir_int(g, PASSES), 1, CHAINS, first, true);
	for (unsigned k = 0; k < CHAINS; k++) {
		next[k] = ir_fma(g, l.phi[k], m, x);
	}
	ir_loop_end(g, &l, next);
	LLVMValueRef sum = l.phi[0];
	for (unsigned k = 1; k < CHAINS; k++) {
		sum = LLVMBuildFAdd(g->b, sum, l.phi[k], "");
	}
	ir_store(g, sum, LLVMGetParam(fn, 0), NULL);
	LLVMBuildRetVoid(g->b);
	return fn;
}

/* void peak(ptr out): functions that are called from outside only call kernels. */
static void emit_peak(Ir *g)
{
	LLVMTypeRef param[1] = {g->ptr};
	LLVMValueRef kernel = emit_chains(g);
	LLVMValueRef fn = ir_function(g, "peak", g->nothing, 1, param, false), out[1];
	out[0] = LLVMGetParam(fn, 0);
	LLVMBuildCall2(g->b, LLVMGlobalGetValueType(kernel), kernel, out, 1, "");
	LLVMBuildRetVoid(g->b);
}

static double thread_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double bench_peak(const Target *t, unsigned real_bytes, char **message)
{
	LLVMContextRef context = LLVMContextCreate();
	Ir g;
	ir_begin(&g, context, "peak", target_ir(t), real_bytes);
	emit_peak(&g);
	JitCode *code = jit_compile(t, g.mod, NULL, 0, NULL, NULL, message);
	double best = 0, vl = g.vl;
	ir_end(&g);
	LLVMDisposeModule(g.mod);
	LLVMContextDispose(context);
	if (!code) {
		return 0;
	}
	union {
		void *address;
		void (*call)(void *out);
	} peak = {jit_find(code, "peak")};
	_Alignas(64) char out[64];
	for (int k = 0; peak.address && k < TRIES; k++) {
		double from = thread_seconds();
		peak.call(out);
		double rate = 2.0 * CHAINS * PASSES * vl / (thread_seconds() - from);
		best = rate > best ? rate : best;
	}
	jit_free(code);
	return best * 1e-9;
}
