/* jit.c — see jit.h. */
#include "compiler/jit.h"
#include <llvm-c/Analysis.h>
#include <llvm-c/Error.h>
#include <llvm-c/ErrorHandling.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Orc.h>
#include <llvm-c/Support.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <stdlib.h>
#include <string.h>

struct Target {
	LLVMTargetMachineRef machine;
	IrTarget ir;
};

struct JitCode {
	LLVMOrcLLJITRef jit;
};

static char *copy_text(const char *s)
{
	char *t = malloc(strlen(s) + 1);
	return t ? strcpy(t, s) : NULL;
}

static void targets_init(void)
{
	static const char *const OPTIONS[] = {"pnnc", "-disable-lsr", "-enable-misched=0"};
	static bool done;
	if (done) {
		return;
	}
	done = true;
	LLVMInitializeX86TargetInfo();
	LLVMInitializeX86Target();
	LLVMInitializeX86TargetMC();
	LLVMInitializeX86AsmPrinter();
	LLVMInitializeAArch64TargetInfo();
	LLVMInitializeAArch64Target();
	LLVMInitializeAArch64TargetMC();
	LLVMInitializeAArch64AsmPrinter();
	LLVMParseCommandLineOptions(3, OPTIONS, NULL);
}

Target *target_create(const char *name, char **message)
{
	targets_init();
	bool host = !name || !strcmp(name, "host");
	char *triple = host ? LLVMGetDefaultTargetTriple() : NULL;
	char *features = host ? LLVMGetHostCPUFeatures() : NULL;
	const char *f = host ? features
			: !strcmp(name, "avx512")
				? "+avx512f,+avx512vl,+avx512dq,+avx512bw,+avx512cd,+fma,+avx2,+bmi,+bmi2"
			: !strcmp(name, "avx2") ? "+fma,+avx2,+bmi,+bmi2"
						: "";
	const char *tr = host ? triple : !strcmp(name, "aarch64") ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
	LLVMTargetRef target;
	char *error = NULL;
	Target *t = NULL;
	if (LLVMGetTargetFromTriple(tr, &target, &error)) {
		*message = copy_text(error);
		LLVMDisposeMessage(error);
	} else {
		t = calloc(1, sizeof *t);
		t->machine = LLVMCreateTargetMachine(target, tr, "", f, LLVMCodeGenLevelLess, LLVMRelocPIC,
						     LLVMCodeModelDefault);
		bool wide = strstr(f, "+avx512f"), avx2 = strstr(f, "+avx2"), arm = !strncmp(tr, "aarch64", 7);
		t->ir = (IrTarget){wide ? 64 : avx2 ? 32 : 16, wide || arm ? 32 : 16,
				   arm || (avx2 && strstr(f, "+fma")), wide || avx2};
	}
	if (host) {
		LLVMDisposeMessage(triple);
		LLVMDisposeMessage(features);
	}
	return t;
}

void target_free(Target *t)
{
	if (t) {
		LLVMDisposeTargetMachine(t->machine);
		free(t);
	}
}

IrTarget target_ir(const Target *t)
{
	return t->ir;
}

void target_prepare(const Target *t, LLVMModuleRef m)
{
	char *triple = LLVMGetTargetMachineTriple(t->machine);
	LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(t->machine);
	LLVMSetTarget(m, triple);
	LLVMSetModuleDataLayout(m, layout);
	LLVMDisposeTargetData(layout);
	LLVMDisposeMessage(triple);
}

void *target_emit(const Target *t, LLVMModuleRef m, bool assembly, size_t *size, char **message)
{
	char *error = NULL;
	if (LLVMVerifyModule(m, LLVMReturnStatusAction, &error)) {
		*message = copy_text(error);
		LLVMDisposeMessage(error);
		return NULL;
	}
	LLVMDisposeMessage(error);
	LLVMMemoryBufferRef out;
	if (LLVMTargetMachineEmitToMemoryBuffer(t->machine, m, assembly ? LLVMAssemblyFile : LLVMObjectFile, &error,
						&out)) {
		*message = copy_text(error);
		LLVMDisposeMessage(error);
		return NULL;
	}
	*size = LLVMGetBufferSize(out);
	char *copy = malloc(*size + 1);
	if (copy) {
		memcpy(copy, LLVMGetBufferStart(out), *size);
		copy[*size] = 0;
	}
	LLVMDisposeMemoryBuffer(out);
	return copy;
}

static bool failed(LLVMErrorRef e, char **message)
{
	if (!e) {
		return false;
	}
	char *text = LLVMGetErrorMessage(e);
	*message = copy_text(text);
	LLVMDisposeErrorMessage(text);
	return true;
}

JitCode *jit_load(const void *object, size_t size, uint32_t n, const JitSymbol *symbol, char **message)
{
	targets_init();
	JitCode *c = calloc(1, sizeof *c);
	if (failed(LLVMOrcCreateLLJIT(&c->jit, NULL), message)) {
		free(c);
		return NULL;
	}
	LLVMOrcJITDylibRef main = LLVMOrcLLJITGetMainJITDylib(c->jit);
	LLVMOrcCSymbolMapPair *pair = calloc(n + 1, sizeof *pair);
	for (uint32_t k = 0; k < n; k++) {
		pair[k].Name = LLVMOrcLLJITMangleAndIntern(c->jit, symbol[k].name);
		pair[k].Sym.Address = (LLVMOrcExecutorAddress)(uintptr_t)symbol[k].address;
		pair[k].Sym.Flags.GenericFlags = LLVMJITSymbolGenericFlagsExported | LLVMJITSymbolGenericFlagsCallable;
	}
	LLVMErrorRef e = n ? LLVMOrcJITDylibDefine(main, LLVMOrcAbsoluteSymbols(pair, n)) : NULL;
	free(pair);
	LLVMMemoryBufferRef buffer = LLVMCreateMemoryBufferWithMemoryRangeCopy(object, size, "pnn");
	if (failed(e, message) || failed(LLVMOrcLLJITAddObjectFile(c->jit, main, buffer), message)) {
		jit_free(c);
		return NULL;
	}
	return c;
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
	if (c && c->jit) {
		LLVMErrorRef e = LLVMOrcDisposeLLJIT(c->jit);
		if (e) {
			LLVMConsumeError(e);
		}
	}
	free(c);
}

JitCode *jit_compile(const Target *t, LLVMModuleRef m, const JitOptions *options, uint32_t n,
		     const JitSymbol *symbol, JitStats *stats, char **message)
{
	(void)options;
	if (stats) {
		*stats = (JitStats){0};
	}
	target_prepare(t, m);
	size_t size;
	void *object = target_emit(t, m, false, &size, message);
	JitCode *c = object ? jit_load(object, size, n, symbol, message) : NULL;
	free(object);
	return c;
}

void jit_on_fatal(void (*handler)(const char *reason))
{
	LLVMInstallFatalErrorHandler(handler);
}
