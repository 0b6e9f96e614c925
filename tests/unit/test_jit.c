/* test_jit.c — targets, machine code, loading, failures of LLVM. */
#include "compiler/jit.h"
#include <criterion/criterion.h>
#include <llvm-c/Core.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static LLVMContextRef context;

static void begin(void)
{
	context = LLVMContextCreate();
}

static void end(void)
{
	LLVMContextDispose(context);
}

TestSuite(jit, .init = begin, .fini = end);

/* f(x, y, n): y[i] = x[i]*x[i] + call(y[i]) for one vector; the call is left out if there is no name. */
static LLVMModuleRef sample(IrTarget target, const char *function, const char *call)
{
	Ir g;
	ir_begin(&g, context, "sample", target, 8);
	LLVMTypeRef both[2] = {g.ptr, g.ptr};
	ir_function(&g, function, g.nothing, 2, both, false);
	LLVMValueRef x = ir_load(&g, g.real, g.vl, LLVMGetParam(g.fn, 0), NULL);
	LLVMValueRef y = ir_load(&g, g.real, g.vl, LLVMGetParam(g.fn, 1), NULL);
	if (call) {
		LLVMTypeRef type = LLVMFunctionType(g.nothing, &g.ptr, 1, false);
		LLVMValueRef argument = LLVMGetParam(g.fn, 1);
		LLVMBuildCall2(g.b, type, LLVMAddFunction(g.mod, call, type), &argument, 1, "");
	}
	ir_store(&g, ir_fma(&g, x, x, y), LLVMGetParam(g.fn, 1), NULL);
	LLVMBuildRetVoid(g.b);
	ir_end(&g);
	return g.mod;
}

typedef void SampleFn(const double *x, double *y);

static Target *target(const char *name)
{
	char *message;
	Target *t = target_create(name, &message);
	cr_assert_not_null(t, "%s: %s", name, message);
	return t;
}

Test(jit, names)
{
	static const struct {
		const char *name;
		unsigned bytes, registers;
		bool fma, masks;
	} want[] = {{"x86-64", 16, 16, false, false},
		    {"avx2", 32, 16, true, true},
		    {"avx512", 64, 32, true, true},
		    {"aarch64", 16, 32, true, false}};
	for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
		Target *t = target(want[k].name);
		IrTarget i = target_ir(t);
		cr_expect(target_known(want[k].name) && strstr(target_names(), want[k].name));
		cr_expect_eq(i.vector_bytes, want[k].bytes, "%s", want[k].name);
		cr_expect_eq(i.registers, want[k].registers, "%s", want[k].name);
		cr_expect(i.fma == want[k].fma && i.masks == want[k].masks, "%s", want[k].name);
		target_free(t);
	}
	char *message;
	cr_expect_null(target_create("vax", &message));
	cr_expect(strstr(message, "vax") && strstr(message, target_names()), "%s", message);
	cr_expect(!target_known("vax") && target_known(NULL) && target_known("host"));
	free(message);
}

/* The host's own code runs here, that of another family does not; a level runs here if and only if
 * the host has all of it. */
Test(jit, runs_here)
{
	Target *host = target(NULL);
	char *why;
	cr_expect(target_runs_here(host, &why));
	bool arm = strncmp(target_text(host), "aarch64", 7) == 0;
	static const char *const NAMES[] = {"x86-64", "avx2", "avx512", "aarch64"};
	for (size_t k = 0; k < 4; k++) {
		Target *t = target(NAMES[k]);
		bool expected = arm ? k == 3 : k < 3 && target_ir(host).vector_bytes >= target_ir(t).vector_bytes;
		cr_expect_eq(target_runs_here(t, &why), expected, "%s", NAMES[k]);
		cr_expect_eq(why == NULL, expected);
		cr_expect(expected || strstr(why, (k == 3) != arm ? "family" : "lacks"), "%s", why);
		free(why);
		target_free(t);
	}
	target_free(host);
}

/* Assembly of all targets: fused where there is the instruction, vectors as wide as they may be. */
Test(jit, assembly)
{
	static const struct {
		const char *name, *has, *lacks;
	} want[] = {{"x86-64", "mulpd", "vfmadd"},
		    {"avx2", "ymm", "zmm"},
		    {"avx512", "zmm", "mulpd"},
		    {"aarch64", "fmla", "xmm"}};
	for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
		Target *t = target(want[k].name);
		LLVMModuleRef m = sample(target_ir(t), "f", NULL);
		size_t size;
		char *message;
		target_prepare(t, m);
		cr_assert(target_verify(m, &message));
		char *text = target_emit(t, m, true, &size, &message);
		cr_assert_not_null(text, "%s", message);
		cr_expect_eq(strlen(text), size);
		cr_expect(strstr(text, want[k].has), "%s: %s", want[k].name, text);
		cr_expect(!strstr(text, want[k].lacks), "%s: %s", want[k].name, text);
		free(text);
		LLVMDisposeModule(m);
		target_free(t);
	}
}

static void double_it(double *y)
{
	y[0] *= 2;
}

/* Runs f(x, y) once and compares; the number of lanes is the target's. */
static void expect_runs(JitCode *c, const char *name, double y0)
{
	double x[8] = {3, 2, 1, 0, -1, -2, -3, -4}, y[8] = {1, 1, 1, 1, 1, 1, 1, 1};
	SampleFn *f = (SampleFn *)jit_find(c, name);
	cr_assert_not_null(f);
	f(x, y);
	cr_expect_eq(y[0], y0);
	cr_expect_eq(y[1], 5);
}

Test(jit, compiles)
{
	Target *t = target(NULL);
	LLVMModuleRef m = sample(target_ir(t), "f", NULL);
	JitStats s;
	char *message;
	JitCode *c = jit_compile(t, m, NULL, 0, NULL, &s, &message);
	cr_assert_not_null(c, "%s", message);
	expect_runs(c, "f", 10);
	cr_expect(!s.cached && s.functions == 1 && s.instructions >= 5 && s.object_bytes > 100);
	cr_expect_null(jit_find(c, "g"));
	cr_expect_not_null(jit_find(c, "f")); /* a failed search breaks nothing */
	jit_free(c);
	LLVMDisposeModule(m);
	target_free(t);
}

static JitCode *compile(Target *t, const char *function, const char *call, uint32_t n, const JitSymbol *symbol,
			Cache *cache, JitStats *s, char **message)
{
	LLVMModuleRef m = sample(target_ir(t), function, call);
	JitCode *c = jit_compile(t, m, &(JitOptions){cache}, n, symbol, s, message);
	LLVMDisposeModule(m);
	return c;
}

Test(jit, symbols)
{
	Target *t = target(NULL);
	JitSymbol given = {"double_it", (void *)double_it};
	JitStats s;
	char *message;
	JitCode *c = compile(t, "f", "double_it", 1, &given, NULL, &s, &message);
	cr_assert_not_null(c, "%s", message);
	expect_runs(c, "f", 10); /* y was read before the call */
	jit_free(c);
	c = compile(t, "f", "nobody_knows_this", 1, &given, NULL, &s, &message);
	cr_expect_null(c);
	cr_expect(message && strstr(message, "nobody_knows_this"), "%s", message);
	free(message);
	target_free(t);
}

Test(jit, bad_objects)
{
	static const char *const BAD[] = {"", "\177ELF", "not an object at all, but longer than a header of one would be"};
	char *message;
	for (size_t k = 0; k < 3; k++) {
		cr_expect_null(jit_load(BAD[k], strlen(BAD[k]), "f", 0, NULL, &message));
		cr_expect(message && strstr(message, "cannot be linked"), "%s", message);
		free(message);
	}
	Target *t = target(NULL);
	LLVMModuleRef m = sample(target_ir(t), "f", NULL);
	size_t size;
	target_prepare(t, m);
	void *object = target_emit(t, m, false, &size, &message);
	cr_assert_not_null(object);
	cr_expect_null(jit_load(object, size, "g", 0, NULL, &message)); /* whole, but another */
	cr_expect(message && strstr(message, "g"), "%s", message);
	free(message);
	cr_expect_null(jit_load(object, size / 2, "f", 0, NULL, &message));
	free(message);
	free(object);
	LLVMDisposeModule(m);
	target_free(t);
}

/* One folder for all that follows. */
static Cache *cache_here(char folder[64])
{
	strcpy(folder, "/tmp/pnn_jit.XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	Cache *c = cache_open(&(CacheOptions){.folder = folder, .version = "1"});
	cr_assert_not_null(c);
	return c;
}

static void remove_cache(Cache *c, const char *folder)
{
	cache_clear(c);
	cache_close(c);
	cr_expect_eq(rmdir(folder), 0);
}

Test(jit, cached)
{
	char folder[64], *message;
	Cache *cache = cache_here(folder);
	Target *t = target(NULL), *plain = target("x86-64");
	JitStats s;
	for (int k = 0; k < 2; k++) {
		JitCode *c = compile(t, "f", NULL, 0, NULL, cache, &s, &message);
		cr_assert_not_null(c, "%s", message);
		cr_expect_eq(s.cached, k == 1);
		cr_expect(s.object_bytes > 100);
		expect_runs(c, "f", 10);
		jit_free(c);
	}
	JitCode *c = compile(t, "h", NULL, 0, NULL, cache, &s, &message); /* another module */
	cr_assert_not_null(c);
	cr_expect(!s.cached && cache_size(cache).entries == 2);
	jit_free(c);
	/* the same text of a module, another machine: vectors as those of the plain one for both */
	if (target_ir(t).vector_bytes > 16) {
		for (int k = 0; k < 2; k++) {
			LLVMModuleRef m = sample(target_ir(plain), "k", NULL);
			c = jit_compile(k ? plain : t, m, &(JitOptions){cache}, 0, NULL, &s, &message);
			cr_assert_not_null(c);
			cr_expect(!s.cached);
			jit_free(c);
			LLVMDisposeModule(m);
		}
	}
	target_free(t);
	target_free(plain);
	remove_cache(cache, folder);
}

/* An entry that is whole but no object: compiled anew and replaced. */
Test(jit, cached_rubbish)
{
	char folder[64], *message, key[CACHE_KEY_TEXT] = "";
	Cache *cache = cache_here(folder);
	Target *t = target(NULL);
	JitStats s;
	jit_free(compile(t, "f", NULL, 0, NULL, cache, &s, &message));
	char find[128];
	snprintf(find, sizeof find, "ls %s", folder);
	FILE *f = popen(find, "r");
	cr_assert_eq(fread(key, 1, 64, f), 64);
	pclose(f);
	cache_put(cache, key, "rubbish", 7);
	JitCode *c = compile(t, "f", NULL, 0, NULL, cache, &s, &message);
	cr_assert_not_null(c, "%s", message);
	cr_expect(!s.cached);
	expect_runs(c, "f", 10);
	jit_free(c);
	jit_free(compile(t, "f", NULL, 0, NULL, cache, &s, &message));
	cr_expect(s.cached);
	target_free(t);
	remove_cache(cache, folder);
}

Test(jit, verifier)
{
	Target *t = target(NULL);
	LLVMModuleRef m = sample(target_ir(t), "f", NULL);
	LLVMBuilderRef b = LLVMCreateBuilderInContext(context);
	LLVMPositionBuilderAtEnd(b, LLVMGetEntryBasicBlock(LLVMGetNamedFunction(m, "f")));
	LLVMBuildRetVoid(b); /* a second end of the block */
	LLVMDisposeBuilder(b);
	char *message, folder[64];
	Cache *cache = cache_here(folder);
	cr_expect_null(jit_compile(t, m, &(JitOptions){cache}, 0, NULL, NULL, &message));
	cr_expect_eq(cache_size(cache).entries, 0);
	remove_cache(cache, folder);
	cr_expect(message && strstr(message, "verifier") && strstr(message, "erminator"), "%s", message);
	free(message);
	LLVMDisposeModule(m);
	target_free(t);
}

/* A register that no machine has: an error of the code generator that leaves it usable. */
Test(jit, code_generator_objects)
{
	Target *t = target(NULL);
	LLVMModuleRef m = sample(target_ir(t), "f", NULL);
	LLVMTypeRef i64 = LLVMInt64TypeInContext(context), type = LLVMFunctionType(i64, NULL, 0, false);
	LLVMValueRef f = LLVMAddFunction(m, "g", type);
	LLVMBuilderRef b = LLVMCreateBuilderInContext(context);
	LLVMPositionBuilderAtEnd(b, LLVMAppendBasicBlockInContext(context, f, ""));
	LLVMValueRef no = LLVMGetInlineAsm(type, "", 0, "={nonsense}", 11, true, false, LLVMInlineAsmDialectATT, false);
	LLVMBuildRet(b, LLVMBuildCall2(b, type, no, NULL, 0, ""));
	LLVMDisposeBuilder(b);
	char *message;
	cr_expect_null(jit_compile(t, m, NULL, 0, NULL, NULL, &message));
	cr_expect(message && strstr(message, "code generation failed") && strstr(message, "nonsense"), "%s", message);
	free(message);
	LLVMDisposeModule(m);
	JitCode *c = compile(t, "f", NULL, 0, NULL, NULL, NULL, &message);
	cr_assert_not_null(c);
	expect_runs(c, "f", 10);
	jit_free(c);
	target_free(t);
}

static void on_fatal(const char *reason)
{
	_exit(strstr(reason, "sm") ? 70 : 1); /* it names the assembler */
}

/* LLVM gives up: the handler is called with the reason and ends the process. */
Test(jit, fatal, .exit_code = 70)
{
	Target *t = target(NULL);
	LLVMModuleRef m = sample(target_ir(t), "f", NULL);
	LLVMSetModuleInlineAsm2(m, "nonsense", 8);
	char *message;
	target_on_fatal(on_fatal);
	jit_free(jit_compile(t, m, NULL, 0, NULL, NULL, &message));
}
