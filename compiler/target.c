/* target.c — see target.h. */
#include "compiler/target.h"
#include <llvm-c/Analysis.h>
#include <llvm-c/ErrorHandling.h>
#include <llvm-c/Support.h>
#include <llvm-c/Target.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct Target {
	const char *name;
	LLVMTargetMachineRef machine;
	IrTarget ir;
	char *features, *text;
};

#define AVX2 "+avx,+avx2,+fma,+bmi,+bmi2"
#define AVX512 "+avx512f,+avx512cd,+avx512vl,+avx512dq,+avx512bw"
static const struct Level {
	const char *name, *triple, *features; /* NULL: as found */
} LEVELS[] = {
	{"host", NULL, NULL},
	{"x86-64", "x86_64-linux-gnu", ""},
	{"avx2", "x86_64-linux-gnu", AVX2},
	{"avx512", "x86_64-linux-gnu", AVX2 "," AVX512},
	{"aarch64", "aarch64-linux-gnu", ""},
};

/* Strength reduction of loops and scheduling cost a third of the time of code generation and do not
 * make the code of our loops faster; numbers kept in registers (constant hoisting) drive out what is
 * worth more there. */
static const char *const OPTIONS[] = {"pnnc", "-disable-lsr", "-enable-misched=0", "-disable-constant-hoisting",
				      "-disable-copyprop"};
enum { NOPTION = sizeof OPTIONS / sizeof *OPTIONS };

/* LLVM keeps its targets and options for the whole process. */
static pthread_once_t llvm_once = PTHREAD_ONCE_INIT;

static void llvm_begin(void)
{
	LLVMInitializeX86TargetInfo();
	LLVMInitializeX86Target();
	LLVMInitializeX86TargetMC();
	LLVMInitializeX86AsmPrinter();
	LLVMInitializeAArch64TargetInfo();
	LLVMInitializeAArch64Target();
	LLVMInitializeAArch64TargetMC();
	LLVMInitializeAArch64AsmPrinter();
	LLVMParseCommandLineOptions(NOPTION, OPTIONS, NULL);
}

static char *copy_text(const char *s)
{
	char *t = malloc(strlen(s) + 1);
	return t ? strcpy(t, s) : NULL;
}

/* The text `before`: `what` `after`, malloc. */
static char *compose(const char *before, const char *what, const char *after)
{
	size_t n = strlen(before) + strlen(what) + strlen(after) + 1;
	char *t = malloc(n);
	if (t) {
		snprintf(t, n, "%s%s%s", before, what, after);
	}
	return t;
}

static const struct Level *level_find(const char *name)
{
	for (size_t k = 0; k < sizeof LEVELS / sizeof *LEVELS; k++) {
		if (!strcmp(LEVELS[k].name, name ? name : "host")) {
			return &LEVELS[k];
		}
	}
	return NULL;
}

bool target_known(const char *name)
{
	return level_find(name) != NULL;
}

const char *target_names(void)
{
	return "host, x86-64, avx2, avx512, aarch64";
}

/* Does the list of features hold every one of the other list? If not, *lacks (at least as long as
 * `wanted`) names those that are missing. */
static bool has_all(const char *features, const char *wanted, char *lacks)
{
	size_t out = 0;
	for (const char *p = wanted; *p;) {
		size_t n = strcspn(p, ",");
		bool found = false;
		for (const char *q = features; !found && *q;) {
			size_t m = strcspn(q, ",");
			found = m == n && !strncmp(p, q, n);
			q += m + (q[m] == ',');
		}
		if (!found) {
			if (out > 0) {
				lacks[out++] = ' ';
			}
			memcpy(lacks + out, p + 1, n - 1);
			out += n - 1;
		}
		p += n + (p[n] == ',');
	}
	lacks[out] = 0;
	return out == 0;
}

/* A processor between two levels gets the vectors and the arithmetic of the lower one. */
static IrTarget describe(const char *triple, const char *features)
{
	char lacks[sizeof AVX2 AVX512];
	if (!strncmp(triple, "aarch64", 7)) {
		return (IrTarget){.vector_bytes = 16, .registers = 32, .fma = true};
	}
	bool avx2 = has_all(features, AVX2, lacks), wide = avx2 && has_all(features, AVX512, lacks);
	bool amd = has_all(features, "+sse4a", lacks); /* which no other maker has */
	return (IrTarget){wide ? 64 : avx2 ? 32 : 16, wide ? 32 : 16, avx2, avx2, amd};
}

static bool machine_create(Target *t, const char *triple, char **message)
{
	LLVMTargetRef target;
	char *error = NULL;
	if (LLVMGetTargetFromTriple(triple, &target, &error)) {
		*message = compose("there is no code generator for ", triple, "");
		LLVMDisposeMessage(error);
		return false;
	}
	t->machine = LLVMCreateTargetMachine(target, triple, "", t->features, LLVMCodeGenLevelLess,
					     LLVMRelocPIC, LLVMCodeModelDefault);
	if (!t->machine) {
		*message = compose("LLVM has no code generator for ", triple, "");
		return false;
	}
	t->ir = describe(triple, t->features);
	t->text = compose(triple, " ", t->features);
	for (int k = 1; k < NOPTION && t->text; k++) {
		char *more = compose(t->text, " ", OPTIONS[k]);
		free(t->text);
		t->text = more;
	}
	return t->text != NULL;
}

/* What the processor has, without the names of all that it has not; malloc. */
static char *host_features(void)
{
	char *all = LLVMGetHostCPUFeatures(), *have = malloc(strlen(all) + 1);
	size_t out = 0;
	for (const char *p = all; have && *p;) {
		size_t n = strcspn(p, ",");
		if (*p == '+') {
			have[out++] = ',';
			memcpy(have + out, p, n);
			out += n;
		}
		p += n + (p[n] == ',');
	}
	if (have) {
		have[out] = 0;
		memmove(have, have + (out > 0), out + (out == 0));
	}
	LLVMDisposeMessage(all);
	return have;
}

LLVMTargetMachineRef target_bare(void)
{
	pthread_once(&llvm_once, llvm_begin);
	LLVMTargetRef target;
	char *error = NULL, *triple = LLVMGetDefaultTargetTriple();
	LLVMTargetMachineRef m = NULL;
	if (!LLVMGetTargetFromTriple(triple, &target, &error)) {
		m = LLVMCreateTargetMachine(target, triple, "", "", LLVMCodeGenLevelLess, LLVMRelocPIC,
					    LLVMCodeModelDefault);
	}
	LLVMDisposeMessage(error);
	LLVMDisposeMessage(triple);
	return m;
}

Target *target_create(const char *name, char **message)
{
	*message = NULL;
	const struct Level *level = level_find(name);
	if (!level) {
		char *known = compose("; there are ", target_names(), "");
		*message = known ? compose("there is no target ", name, known) : NULL;
		free(known);
		return NULL;
	}
	pthread_once(&llvm_once, llvm_begin);
	Target *t = calloc(1, sizeof *t);
	if (!t) {
		return NULL;
	}
	t->name = level->name;
	char *triple = level->triple ? NULL : LLVMGetDefaultTargetTriple();
	t->features = level->features ? copy_text(level->features) : host_features();
	bool ok = t->features && machine_create(t, triple ? triple : level->triple, message);
	LLVMDisposeMessage(triple);
	if (!ok) {
		target_free(t);
		t = NULL;
	}
	return t;
}

void target_free(Target *t)
{
	if (t) {
		if (t->machine) {
			LLVMDisposeTargetMachine(t->machine);
		}
		free(t->features);
		free(t->text);
		free(t);
	}
}

IrTarget target_ir(const Target *t)
{
	return t->ir;
}

const char *target_text(const Target *t)
{
	return t->text;
}

bool target_runs_here(const Target *t, char **why)
{
	*why = NULL;
	if (!strcmp(t->name, "host")) {
		return true;
	}
	char *triple = LLVMGetDefaultTargetTriple(), *features = LLVMGetHostCPUFeatures();
	size_t family = strcspn(t->text, "-");
	bool same = !strncmp(triple, t->text, family) && triple[family] == '-', runs = same;
	char lacks[sizeof AVX2 AVX512];
	if (!same) {
		triple[strcspn(triple, "-")] = 0;
		*why = compose("this is a processor of the family ", triple, "");
	} else if (!has_all(features, t->features, lacks)) {
		runs = false;
		*why = compose("this processor lacks ", lacks, "");
	}
	LLVMDisposeMessage(triple);
	LLVMDisposeMessage(features);
	return runs;
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

bool target_verify(LLVMModuleRef m, char **message)
{
	char *error = NULL;
	*message = NULL;
	bool bad = LLVMVerifyModule(m, LLVMReturnStatusAction, &error);
	if (bad) {
		*message = compose("the verifier refuses the module: ", error, "");
	}
	LLVMDisposeMessage(error);
	return !bad;
}

/* What the code generator objects to while it works; without a handler LLVM would print the text
 * and end the process. The first error counts. */
static void on_diagnostic(LLVMDiagnosticInfoRef info, void *data)
{
	char **said = data;
	if (!*said && LLVMGetDiagInfoSeverity(info) == LLVMDSError) {
		*said = LLVMGetDiagInfoDescription(info);
	}
}

void *target_emit(const Target *t, LLVMModuleRef m, bool assembly, size_t *size, char **message)
{
	char *error = NULL, *said = NULL, *copy = NULL;
	LLVMMemoryBufferRef out = NULL;
	LLVMContextRef context = LLVMGetModuleContext(m);
	LLVMDiagnosticHandler before = LLVMContextGetDiagnosticHandler(context);
	void *before_data = LLVMContextGetDiagnosticContext(context);
	*message = NULL;
	LLVMContextSetDiagnosticHandler(context, on_diagnostic, &said);
	bool bad = LLVMTargetMachineEmitToMemoryBuffer(
		t->machine, m, assembly ? LLVMAssemblyFile : LLVMObjectFile, &error, &out);
	LLVMContextSetDiagnosticHandler(context, before, before_data);
	if (bad || said) {
		*message = compose("code generation failed: ", said ? said : error, "");
	} else {
		*size = LLVMGetBufferSize(out);
		copy = malloc(*size + 1);
		if (copy) {
			memcpy(copy, LLVMGetBufferStart(out), *size);
			copy[*size] = 0;
		}
	}
	if (out) {
		LLVMDisposeMemoryBuffer(out);
	}
	LLVMDisposeMessage(error);
	LLVMDisposeMessage(said);
	return copy;
}

bool target_optimise(const Target *t, LLVMModuleRef m, const char *passes, char **message)
{
	LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
	LLVMErrorRef error = LLVMRunPasses(m, passes, t->machine, options);
	LLVMDisposePassBuilderOptions(options);
	*message = NULL;
	if (error) {
		char *said = LLVMGetErrorMessage(error);
		*message = compose("optimisation failed: ", said, "");
		LLVMDisposeErrorMessage(said);
	}
	return !error;
}

void target_on_fatal(void (*handler)(const char *reason))
{
	LLVMInstallFatalErrorHandler(handler);
}
