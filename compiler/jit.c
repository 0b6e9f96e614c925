/* jit.c — see jit.h. */
#include "compiler/jit.h"
#include "runtime/hash.h"
#include <llvm-c/BitWriter.h>
#include <llvm-c/Error.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Orc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct JitCode {
	LLVMOrcLLJITRef jit;
	char *said; /* the first thing that the session reported; of malloc */
};

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* ---- loading ---- */

/* The text of an error, which is used up; malloc. */
static char *error_text(LLVMErrorRef e)
{
	char *text = LLVMGetErrorMessage(e), *copy = malloc(strlen(text) + 1);
	if (copy) {
		strcpy(copy, text);
	}
	LLVMDisposeErrorMessage(text);
	return copy;
}

/* Lookups say only that they failed; the session says why. */
static void on_session_error(void *data, LLVMErrorRef e)
{
	JitCode *c = data;
	if (c->said) {
		LLVMConsumeError(e);
	} else {
		c->said = error_text(e);
	}
}

/* Fills *message from what the session said, else from the error, and frees c. */
static JitCode *give_up(JitCode *c, LLVMErrorRef e, char **message)
{
	char *text = e ? error_text(e) : NULL;
	const char *why = c->said ? c->said : text ? text : "the entry is missing";
	size_t n = strlen(why) + 64;
	*message = malloc(n);
	if (*message) {
		snprintf(*message, n, "compiled code cannot be linked: %s", why);
	}
	free(text);
	jit_free(c);
	return NULL;
}

static LLVMErrorRef define(JitCode *c, LLVMOrcJITDylibRef lib, uint32_t n, const JitSymbol *symbol,
			   LLVMOrcCSymbolMapPair *pair)
{
	for (uint32_t k = 0; k < n; k++) {
		pair[k].Name = LLVMOrcLLJITMangleAndIntern(c->jit, symbol[k].name);
		pair[k].Sym.Address = (LLVMOrcExecutorAddress)(uintptr_t)symbol[k].address;
		pair[k].Sym.Flags.GenericFlags =
			LLVMJITSymbolGenericFlagsExported | LLVMJITSymbolGenericFlagsCallable;
		pair[k].Sym.Flags.TargetFlags = 0;
	}
	return n ? LLVMOrcJITDylibDefine(lib, LLVMOrcAbsoluteSymbols(pair, n)) : NULL;
}

/* A machine is asked for though nothing is compiled there. */
static LLVMErrorRef session_create(LLVMOrcLLJITRef *jit)
{
	LLVMTargetMachineRef machine = target_bare();
	LLVMOrcLLJITBuilderRef b = LLVMOrcCreateLLJITBuilder();
	if (machine) {
		LLVMOrcLLJITBuilderSetJITTargetMachineBuilder(
			b, LLVMOrcJITTargetMachineBuilderCreateFromTargetMachine(machine));
	}
	return LLVMOrcCreateLLJIT(jit, b);
}

JitCode *jit_load(const void *object, size_t size, const char *entry, uint32_t n, const JitSymbol *symbol,
		  char **message)
{
	*message = NULL;
	JitCode *c = calloc(1, sizeof *c);
	LLVMOrcCSymbolMapPair *pair = calloc(n + 1, sizeof *pair);
	if (!c || !pair) {
		free(c);
		free(pair);
		return NULL;
	}
	LLVMErrorRef e = session_create(&c->jit);
	if (!e) {
		LLVMOrcExecutionSessionSetErrorReporter(LLVMOrcLLJITGetExecutionSession(c->jit),
							on_session_error, c);
		LLVMOrcJITDylibRef lib = LLVMOrcLLJITGetMainJITDylib(c->jit);
		e = define(c, lib, n, symbol, pair);
		if (!e) {
			e = LLVMOrcLLJITAddObjectFile(
				c->jit, lib, LLVMCreateMemoryBufferWithMemoryRangeCopy(object, size, "pnn"));
		}
	}
	free(pair);
	LLVMOrcExecutorAddress at = 1;
	if (!e && entry) {
		at = 0;
		e = LLVMOrcLLJITLookup(c->jit, &at, entry);
	}
	return e || !at ? give_up(c, e, message) : c;
}

void *jit_find(JitCode *c, const char *name)
{
	LLVMOrcExecutorAddress at = 0;
	LLVMErrorRef e = LLVMOrcLLJITLookup(c->jit, &at, name);
	if (e) {
		LLVMConsumeError(e);
		return NULL;
	}
	return (void *)(uintptr_t)at;
}

void jit_free(JitCode *c)
{
	if (!c) {
		return;
	}
	if (c->jit) {
		LLVMErrorRef e = LLVMOrcDisposeLLJIT(c->jit);
		if (e) {
			LLVMConsumeError(e);
		}
	}
	free(c->said);
	free(c);
}

/* ---- compiling ---- */

/* Functions that can be called from outside only call the others, which do the work: the quickest
 * code is good enough for them, and a quarter of a module is theirs. */
static void mark_driver(LLVMModuleRef m, LLVMValueRef f)
{
	static const char *const QUICK[] = {"optnone", "noinline"};
	for (unsigned k = 0; k < 2; k++) {
		unsigned kind = LLVMGetEnumAttributeKindForName(QUICK[k], strlen(QUICK[k]));
		LLVMAddAttributeAtIndex(f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
					LLVMCreateEnumAttribute(LLVMGetModuleContext(m), kind, 0));
	}
}

/* Marks drivers, counts; the first driver: linking it links everything. */
static const char *survey(LLVMModuleRef m, JitStats *s)
{
	const char *entry = NULL;
	for (LLVMValueRef f = LLVMGetFirstFunction(m); f; f = LLVMGetNextFunction(f)) {
		size_t length;
		if (LLVMIsDeclaration(f)) {
			continue;
		}
		s->functions++;
		if (LLVMGetLinkage(f) == LLVMExternalLinkage) {
			mark_driver(m, f);
			entry = entry ? entry : LLVMGetValueName2(f, &length);
		}
		for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(f); b; b = LLVMGetNextBasicBlock(b)) {
			for (LLVMValueRef i = LLVMGetFirstInstruction(b); i; i = LLVMGetNextInstruction(i)) {
				s->instructions++;
			}
		}
	}
	return entry;
}

/* Everything that an object depends on: the module, the target with its options, LLVM. (What wrote
 * an entry stands in its version.) */
static bool make_key(const Target *t, LLVMModuleRef m, char key[CACHE_KEY_TEXT])
{
	unsigned major, minor, patch;
	char sum[RT_SHA256_TEXT];
	LLVMMemoryBufferRef code = LLVMWriteBitcodeToMemoryBuffer(m);
	rt_sha256(LLVMGetBufferStart(code), LLVMGetBufferSize(code), sum);
	LLVMDisposeMemoryBuffer(code);
	LLVMGetVersion(&major, &minor, &patch);
	size_t n = strlen(target_text(t)) + sizeof sum + 64;
	char *all = malloc(n);
	if (all) {
		snprintf(all, n, "%s LLVM %u.%u.%u %s", sum, major, minor, patch, target_text(t));
		rt_sha256(all, strlen(all), key);
	}
	free(all);
	return all != NULL;
}

/* Verifies the module, generates code, keeps the object under the key (if there is one) and loads
 * it. */
static JitCode *generate(const Target *t, LLVMModuleRef m, Cache *cache, const char *key, const char *entry,
			 uint32_t n, const JitSymbol *symbol, JitStats *s, char **message)
{
	double t0 = now_ms();
	bool well_formed = target_verify(m, message);
	double t1 = now_ms();
	s->verify_ms = t1 - t0;
	void *object = well_formed ? target_emit(t, m, false, &s->object_bytes, message) : NULL;
	double t2 = now_ms();
	s->codegen_ms = t2 - t1;
	JitCode *c = object ? jit_load(object, s->object_bytes, entry, n, symbol, message) : NULL;
	s->link_ms += now_ms() - t2;
	if (c && key) {
		cache_put(cache, key, object, s->object_bytes);
	}
	free(object);
	return c;
}

/* Loads what the cache has; NULL if that is nothing, or nothing that can be loaded. */
static JitCode *load_kept(Cache *cache, const char *key, const char *entry, uint32_t n, const JitSymbol *symbol,
			  JitStats *s)
{
	char *message = NULL;
	void *object = cache_get(cache, key, &s->object_bytes);
	double t0 = now_ms();
	JitCode *c = object ? jit_load(object, s->object_bytes, entry, n, symbol, &message) : NULL;
	s->link_ms = object ? now_ms() - t0 : 0;
	s->cached = c != NULL;
	free(message);
	free(object);
	return c;
}

JitCode *jit_compile(const Target *t, LLVMModuleRef m, const JitOptions *options, uint32_t n,
		     const JitSymbol *symbol, JitStats *stats, char **message)
{
	JitStats s = {0};
	Cache *cache = options ? options->cache : NULL;
	const char *entry = survey(m, &s);
	char key[CACHE_KEY_TEXT];
	double t0 = now_ms();
	*message = NULL;
	target_prepare(t, m);
	bool keyed = cache && make_key(t, m, key);
	s.key_ms = now_ms() - t0;
	/* What was kept under this key came from the same module, which was well formed. */
	JitCode *c = keyed ? load_kept(cache, key, entry, n, symbol, &s) : NULL;
	if (!c) {
		c = generate(t, m, cache, keyed ? key : NULL, entry, n, symbol, &s, message);
	}
	if (stats) {
		*stats = s;
	}
	return c;
}
