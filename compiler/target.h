/* target.h — the machines that code is made for, and code from a module for one of them. Nothing
 * here knows plans.
 *
 * Names: "host" (the processor at hand, with the features that it reports), and levels that are the
 * same everywhere: "x86-64" (SSE2), "avx2" (AVX2, FMA, BMI), "avx512" (that and AVX-512 F, CD, VL,
 * DQ, BW), "aarch64" (NEON). */
#ifndef PNN_COMPILER_TARGET_H
#define PNN_COMPILER_TARGET_H
#include "compiler/ir.h"
#include <llvm-c/TargetMachine.h>
#include <stddef.h>

typedef struct Target Target;
/* Is there a target of this name? */
bool target_known(const char *name);
/* The names, for messages: "host, x86-64, avx2, avx512, aarch64". */
const char *target_names(void);
/* NULL is "host". One thread at a time may use a target. NULL with a message (malloc, the caller
 * frees; NULL if memory is out) on failure. */
Target *target_create(const char *name, char **message);
void target_free(Target *t);
IrTarget target_ir(const Target *t);
/* Can this process run its code? If not, *why (malloc, may be NULL) names what the processor lacks:
 * exit code 6. */
bool target_runs_here(const Target *t, char **why);
/* Everything about it that code depends on, in words: triple, features, options of the code
 * generator. Stands as long as the target. */
const char *target_text(const Target *t);

/* A machine of this processor's family without any features, for what needs no more than the
 * family: it is made ten times faster than one with a list of features. NULL if there is none. */
LLVMTargetMachineRef target_bare(void);

/* Sets the module's triple and data layout. */
void target_prepare(const Target *t, LLVMModuleRef m);
/* Is the module well formed? If not, a message (malloc). */
bool target_verify(LLVMModuleRef m, char **message);
/* Machine code as an object file, or text of the assembler; malloc, a zero behind it. The module
 * must be prepared and well formed; it is changed on the way (no second emission from it). NULL with
 * a message as in target_create. */
void *target_emit(const Target *t, LLVMModuleRef m, bool assembly, size_t *size, char **message);
/* Runs passes, such as "default<O2>", on a prepared module; for code that is worth the time, of
 * libraries. False with a message as in target_create. */
bool target_optimise(const Target *t, LLVMModuleRef m, const char *passes, char **message);
/* Called with a reason when LLVM cannot go on; it must not return. For the whole process. */
void target_on_fatal(void (*handler)(const char *reason));
#endif
